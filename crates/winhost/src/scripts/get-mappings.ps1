foreach ($mapping in @(Get-NetNatStaticMapping)) { Get-WcowMappingRow $mapping }

foreach ($module in @(Get-Module -ListAvailable)) { @{ name = $module.Name } }

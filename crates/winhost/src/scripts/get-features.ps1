foreach ($feature in @(Get-WindowsOptionalFeature -Online)) { @{ name = $feature.FeatureName; state = '' + $feature.State } }

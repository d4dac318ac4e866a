# Given: name.
$null = Enable-WindowsOptionalFeature -Online -FeatureName $given[0] -All -NoRestart
$feature = Get-WindowsOptionalFeature -Online -FeatureName $given[0]
@{ name = $feature.FeatureName; state = '' + $feature.State }

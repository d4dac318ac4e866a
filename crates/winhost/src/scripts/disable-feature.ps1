# Given: name.
$null = Disable-WindowsOptionalFeature -Online -FeatureName $given[0] -NoRestart
$feature = Get-WindowsOptionalFeature -Online -FeatureName $given[0]
@{ name = $feature.FeatureName; state = '' + $feature.State }

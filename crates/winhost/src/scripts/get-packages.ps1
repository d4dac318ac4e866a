foreach ($package in @(Get-WindowsPackage -Online)) { @{ name = $package.PackageName; state = '' + $package.PackageState } }

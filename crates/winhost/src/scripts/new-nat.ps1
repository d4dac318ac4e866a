# Given: name, prefix.
$nat = New-NetNat -Name $given[0] -InternalIPInterfaceAddressPrefix $given[1]
@{ name = $nat.Name; prefix = '' + $nat.InternalIPInterfaceAddressPrefix; active = ('' + $nat.Active) -eq 'True' }

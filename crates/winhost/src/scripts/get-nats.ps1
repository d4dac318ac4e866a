foreach ($nat in @(Get-NetNat)) {
    @{ name = $nat.Name; prefix = '' + $nat.InternalIPInterfaceAddressPrefix; active = ('' + $nat.Active) -eq 'True' }
}

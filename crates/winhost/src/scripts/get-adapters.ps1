foreach ($adapter in @(Get-NetAdapter)) {
    $addresses = @()
    try {
        foreach ($address in @(Get-NetIPAddress -InterfaceIndex $adapter.ifIndex -AddressFamily IPv4)) {
            $addresses += '' + $address.IPAddress + '/' + $address.PrefixLength
        }
    } catch { }
    @{ name = $adapter.Name; status = '' + $adapter.Status; physical = ('' + $adapter.ConnectorPresent) -eq 'True'; addresses = $addresses }
}

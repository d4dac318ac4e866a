# Given: NAT, protocol, external port, internal address, internal port.
Get-WcowMappingRow (Add-NetNatStaticMapping -NatName $given[0] -Protocol $given[1] -ExternalIPAddress '0.0.0.0' `
    -ExternalPort ([uint16]$given[2]) -InternalIPAddress $given[3] -InternalPort ([uint16]$given[4]))

function Get-WcowMappingRow($mapping) {
    @{
        id = [uint32]$mapping.StaticMappingID
        nat = $mapping.NatName
        protocol = '' + $mapping.Protocol
        external_port = [int]$mapping.ExternalPort
        internal_address = '' + $mapping.InternalIPAddress
        internal_port = [int]$mapping.InternalPort
    }
}

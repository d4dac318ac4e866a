# Given: name, type, adapter, subnet.
$parameters = @{ Name = $given[0] }
switch ($given[1]) {
    'External' { $parameters.NetAdapterName = $given[2] }
    'NAT' { $parameters.SwitchType = 'NAT'; $parameters.NATSubnetAddress = $given[3] }
    default { $parameters.SwitchType = $given[1] }
}
Get-WcowSwitchRow (New-VMSwitch @parameters)

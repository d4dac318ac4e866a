function Get-WcowSwitchRow($switch) {
    $adapter = $switch.NetAdapterInterfaceDescription
    if ($adapter) {
        # New-VMSwitch takes the name of the adapter, and Get-VMSwitch shows its description.
        try {
            $named = @(Get-NetAdapter | Where-Object { $_.InterfaceDescription -eq $switch.NetAdapterInterfaceDescription })
            if ($named.Count -gt 0) { $adapter = $named[0].Name }
        } catch { }
    }
    @{ name = $switch.Name; type = '' + $switch.SwitchType; adapter = $adapter; subnet = '' + $switch.NATSubnetAddress }
}
# On Technical Preview 4 the first Hyper-V command of a session must be this one.
if ([Environment]::OSVersion.Version.Build -eq 10586) { $null = Get-VMHost }

foreach ($switch in @(Get-VMSwitch)) { Get-WcowSwitchRow $switch }

# Given: name. Compared as it is: as a parameter it would be a pattern, and * would mean every switch.
$found = @(Get-VMSwitch | Where-Object { $_.Name -eq $given[0] })
if ($found.Count -gt 0) {
    Remove-VMSwitch -VMSwitch $found[0] -Force -Confirm:$false
} else {
    Remove-VMSwitch -Name ([Management.Automation.WildcardPattern]::Escape($given[0])) -Force -Confirm:$false
}

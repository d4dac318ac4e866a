# Given: name, compared as it is. One row for each that was removed.
foreach ($nat in @(Get-NetNat | Where-Object { $_.Name -eq $given[0] })) {
    $null = $nat | Remove-NetNat -Confirm:$false
    @{ name = $nat.Name }
}

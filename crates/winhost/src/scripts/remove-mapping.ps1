# Given: NAT, id. One row for each that was removed.
foreach ($mapping in @(Get-NetNatStaticMapping | Where-Object { $_.NatName -eq $given[0] -and '' + $_.StaticMappingID -eq $given[1] })) {
    $null = $mapping | Remove-NetNatStaticMapping -Confirm:$false
    @{ id = [uint32]$mapping.StaticMappingID }
}

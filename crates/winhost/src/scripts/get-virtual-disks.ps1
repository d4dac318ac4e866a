# Bus type 15: a disk that is a file.
foreach ($disk in @(Get-CimInstance -Namespace 'root/Microsoft/Windows/Storage' -ClassName 'MSFT_Disk')) {
    if ($disk.BusType -eq 15) { @{ location = '' + $disk.Location } }
}

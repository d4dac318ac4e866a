# Runs one command and writes its rows, or its error record, as one line of JSON in ASCII.
# Only the language and .NET are used: Nano Server of Technical Preview 3 has no ConvertTo-Json.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
function Format-WcowText([string] $text) {
    '"' + [regex]::Replace($text, '[^ !#-\[\]-~]', { '\u{0:x4}' -f [int][char]$args[0].Value }) + '"'
}
function Format-WcowJson($value) {
    if ($null -eq $value) { return 'null' }
    if ($value -is [bool]) { if ($value) { return 'true' } else { return 'false' } }
    if ($value -is [int] -or $value -is [long] -or $value -is [uint16] -or $value -is [uint32] -or $value -is [byte]) {
        return $value.ToString([Globalization.CultureInfo]::InvariantCulture)
    }
    if ($value -is [Collections.IDictionary]) {
        $fields = foreach ($key in @($value.Keys)) { (Format-WcowText $key) + ':' + (Format-WcowJson $value[$key]) }
        return '{' + ($fields -join ',') + '}'
    }
    if ($value -is [array]) {
        $parts = foreach ($one in $value) { Format-WcowJson $one }
        return '[' + ($parts -join ',') + ']'
    }
    return Format-WcowText ([string]$value)
}
try {
    # What the caller gives arrives as data: each argument is Base64 of UTF-16.
    $given = @()
    $parts = @($env:WCOW_ARGUMENTS -split ',')
    for ($index = 1; $index -lt $parts.Count; $index++) {
        $given += [Text.Encoding]::Unicode.GetString([Convert]::FromBase64String($parts[$index]))
    }
    $rows = @(& {
#BODY
    })
    $answer = @{ rows = $rows }
} catch {
    $record = $_
    $category = $record.CategoryInfo
    $target = ''
    if ($category.TargetName -or $category.TargetType) { $target = '' + $category.TargetName + ':' + $category.TargetType }
    $answer = @{
        error = @{
            category = '' + $category.Category
            target = $target
            activity = '' + $category.Activity
            exception = '' + $category.Reason
            id = '' + $record.FullyQualifiedErrorId
            message = '' + $record.Exception.Message
            hresult = $record.Exception.HResult
        }
    }
}
[Console]::Out.WriteLine()
[Console]::Out.WriteLine('wcow-answer:' + (Format-WcowJson $answer))

#Requires -Version 5.1
<#
.SYNOPSIS
Writes what the computers of one group told this WSUS of the updates that a promotion of patchlab names.

.DESCRIPTION
Reads handoff.json, which lies beside it, and asks this WSUS; changes nothing there, and makes one file: a line of JSON for
each computer, with the state of each update in the word of WSUS, for 'patchlab deploy record'. It holds no data itself and
builds no command from data. A computer that never reported is named as a warning, and is not in the file. An update that
this WSUS does not know is in no line: of it nobody said anything.

.EXAMPLE
.\report.ps1 -Group 'Finance servers' -Output finance.jsonl
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Group,
    [Parameter(Mandatory)] [string] $Output,
    [string] $HandOff = (Join-Path $PSScriptRoot 'handoff.json'),
    [string] $Server = 'localhost',
    [int] $Port = 8530,
    [switch] $UseSsl
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$promoted = Get-Content -LiteralPath $HandOff -Raw -Encoding UTF8 | ConvertFrom-Json
if ($promoted.schema -cne 'patchlab/handoff/v1' -or $promoted.to -cne 'wsus') { throw 'this is no hand-off for WSUS' }
if (@($promoted.candidates).Count -eq 0) { throw 'the hand-off names nothing' }

[void][Reflection.Assembly]::LoadWithPartialName('Microsoft.UpdateServices.Administration')
$wsus = [Microsoft.UpdateServices.Administration.AdminProxy]::GetUpdateServer($Server, $UseSsl.IsPresent, $Port)
$target = @($wsus.GetComputerTargetGroups() | Where-Object { $_.Name -ceq $Group })
if ($target.Count -ne 1) { throw 'there is not exactly one group of computers of that name' }

$lines = New-Object System.Collections.Specialized.OrderedDictionary
foreach ($computer in $target[0].GetComputerTargets()) {
    # Universal time, by Microsoft's documentation, whatever the value says of itself.
    $last = $computer.LastReportedStatusTime
    if ($last -eq [datetime]::MinValue) {
        Write-Warning ('never reported to this WSUS: ' + $computer.FullDomainName)
        continue
    }
    $lines[$computer.FullDomainName] = [ordered]@{
        schema   = 'patchlab/wsus-report/v1'
        machine  = $computer.FullDomainName
        observed = $last.ToString('yyyy-MM-ddTHH:mm:ss', [Globalization.CultureInfo]::InvariantCulture) + 'Z'
        updates  = New-Object System.Collections.Generic.List[object]
    }
}

$asked = @{}
foreach ($candidate in $promoted.candidates) {
    if ($candidate.PSObject.Properties.Name -notcontains 'kb') {
        Write-Warning ('a candidate has no KB number, so it cannot be asked for: ' + $candidate.id)
        continue
    }
    foreach ($update in $wsus.SearchUpdates([string]$candidate.kb)) {
        $id = $update.Id.UpdateId.ToString()
        if (@($update.KnowledgebaseArticles) -notcontains ([string]$candidate.kb).Substring(2)) { continue }
        if ($asked.ContainsKey($id)) { continue }
        $asked[$id] = $true
        foreach ($said in $update.GetUpdateInstallationInfoPerComputerTarget($target[0])) {
            $name = $said.GetComputerTarget().FullDomainName
            if (-not $lines.Contains($name)) { continue }
            $lines[$name].updates.Add([ordered]@{
                kb       = @($update.KnowledgebaseArticles | ForEach-Object { 'KB' + $_ })
                update   = $id
                revision = [int]$update.Id.RevisionNumber
                state    = $said.UpdateInstallationState.ToString()
            })
        }
    }
}
if ($lines.Count -eq 0) { throw 'no computer of that group ever reported: there is nothing to write' }

$text = New-Object System.Text.StringBuilder
foreach ($line in $lines.Values) {
    $line.updates = $line.updates.ToArray()
    [void]$text.Append((ConvertTo-Json -InputObject $line -Depth 4 -Compress)).Append("`n")
}
$file = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Output)
[IO.File]::WriteAllText($file, $text.ToString(), (New-Object System.Text.UTF8Encoding $false))

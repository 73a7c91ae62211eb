#Requires -Version 5.1
<#
.SYNOPSIS
Approves in WSUS exactly what a promotion of patchlab names, for one group of computers.

.DESCRIPTION
Reads handoff.json, which lies beside it; holds no data itself and builds no command from data. An update is known by the
SHA-1 of its files, as WSUS has it; its KB number only helps to find it. An update that has the KB number and other bytes
is never approved: a reissue, which nobody tested, or that of another product or architecture. Where the tested bytes are
there beside it, they alone are approved. Nothing at all is approved when one of the set is there with other bytes only, or
not found: it was tested as a whole. May be run again: what is approved already stays so.

.EXAMPLE
.\approve.ps1 -Group 'Finance servers' -WhatIf
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [string] $Group,
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
if ($promoted.PSObject.Properties.Name -contains 'not_after') {
    # ConvertFrom-Json makes a date of it in some versions, and leaves the text in others.
    $end = $promoted.not_after
    if ($end -isnot [datetime]) {
        $styles = [Globalization.DateTimeStyles]::AdjustToUniversal -bor [Globalization.DateTimeStyles]::AssumeUniversal
        $end = [datetime]::Parse($end, [Globalization.CultureInfo]::InvariantCulture, $styles)
    }
    if ($end.ToUniversalTime() -le [datetime]::UtcNow) { throw 'the promotion has ended: promote a newer run' }
}

[void][Reflection.Assembly]::LoadWithPartialName('Microsoft.UpdateServices.Administration')
$wsus = [Microsoft.UpdateServices.Administration.AdminProxy]::GetUpdateServer($Server, $UseSsl.IsPresent, $Port)
$target = @($wsus.GetComputerTargetGroups() | Where-Object { $_.Name -ceq $Group })
if ($target.Count -ne 1) { throw 'there is not exactly one group of computers of that name' }
$install = [Microsoft.UpdateServices.Administration.UpdateApprovalAction]::Install

$chosen = New-Object System.Collections.Generic.List[object]
$troubles = New-Object System.Collections.Generic.List[string]
foreach ($candidate in $promoted.candidates) {
    if ($candidate.PSObject.Properties.Name -notcontains 'kb') {
        $troubles.Add('a candidate has no KB number, so it cannot be looked for: ' + $candidate.id)
        continue
    }
    $tested = @{}
    foreach ($file in $candidate.files) { $tested[[string]$file.sha1] = $true }
    $found = $false
    $other = $false
    foreach ($update in $wsus.SearchUpdates([string]$candidate.kb)) {
        if (@($update.KnowledgebaseArticles) -notcontains ([string]$candidate.kb).Substring(2)) { continue }
        $same = $false
        foreach ($item in $update.GetInstallableItems()) {
            foreach ($file in $item.Files) {
                $hash = ([BitConverter]::ToString($file.Hash) -replace '-', '').ToLowerInvariant()
                if ($tested.ContainsKey($hash)) { $same = $true }
            }
        }
        if ($same) { $found = $true; $chosen.Add($update) } else { $other = $true }
    }
    if (-not $found -and $other) { $troubles.Add('other bytes than those that were tested: ' + $candidate.id) }
    elseif (-not $found) { $troubles.Add('not known to this WSUS: ' + $candidate.id) }
}
if ($troubles.Count -gt 0) {
    foreach ($trouble in $troubles) { Write-Warning $trouble }
    throw 'nothing was approved: the set was tested as a whole'
}

foreach ($update in $chosen) {
    $already = @($update.GetUpdateApprovals($target[0]) | Where-Object { $_.Action -eq $install })
    if ($already.Count -gt 0) { continue }
    if ($PSCmdlet.ShouldProcess($update.Title, 'approve for installation')) {
        [void]$update.Approve($install, $target[0])
    }
}
foreach ($update in $chosen) {
    $fresh = $wsus.GetUpdate($update.Id)
    if ($fresh.HasStaleUpdateApprovals) { Write-Warning ('an older revision is still approved: ' + $fresh.Title) }
    [pscustomobject]@{ UpdateId = $fresh.Id.UpdateId; Revision = $fresh.Id.RevisionNumber; Title = $fresh.Title }
}

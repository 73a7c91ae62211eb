# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# What this Windows Server (2012 to 2022) is, as JSON lines on standard output: patchlab compares them with the golden
# machine that stands for it (docs/process/likeness.md). It only reads: it writes no file and no registry key, and opens
# no connection. Contents do not leave the machine, only their SHA-256. Run it as an administrator:
#
#     powershell -NoProfile -ExecutionPolicy Bypass -File facts.ps1 > facts\finance\dc.json
$ErrorActionPreference = 'Stop'
$said = 0
function Say($fact) {
  $script:said++
  $json = ConvertTo-Json -InputObject $fact -Compress
  [regex]::Replace($json, '[^\x20-\x7e]', { param($one) '\u{0:x4}' -f [int][char]$one.Value })
}
function NotKnown($part, $why) { Say ([ordered]@{ not_known = $part; why = "$why".Trim() -replace '\s+', ' ' }) }

function Digest($text) {
  $sha = [Security.Cryptography.SHA256]::Create()
  -join ($sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($text)) | ForEach-Object { $_.ToString('x2') })
}

$tcpip = Get-ItemProperty 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'
$name = $tcpip.Hostname
if ($tcpip.Domain) { $name = "$name.$($tcpip.Domain)" }

# The rule by which two texts count as the same although their bytes differ. Lines that are empty or begin with a comment
# are left out. What is each machine's own is replaced by a word: its names and addresses. Of a line that speaks of a
# secret, the beginning counts.
$own = @($name)
if ($env:COMPUTERNAME -match '[0-9-]') { $own += $env:COMPUTERNAME }
$addresses = @(Get-CimInstance Win32_NetworkAdapterConfiguration -Filter 'IPEnabled=True' | ForEach-Object { $_.IPAddress } | Where-Object { $_ })
function Compared($text) {
  $lines = foreach ($line in ($text -split "`r?`n")) {
    if ($line -match '^\s*$' -or $line -match '^\s*(#|;|//)') { continue }
    $line = $line.TrimEnd()
    if ($line -match '(?i)^(.*?(passw|secret|passphrase|private.?key|credential|machineKey|validationKey))') { $line = $Matches[1] + '<secret>' }
    foreach ($word in ($own | Sort-Object Length -Descending)) { $line = $line -replace ('(?i)(?<![\w.-])' + [regex]::Escape($word) + '(?![\w-])'), '<name>' }
    foreach ($word in $addresses) { $line = $line -replace ('(?<![\w.-])' + [regex]::Escape($word) + '(?![\w-])'), '<address>' }
    $line
  }
  Digest (($lines -join "`n") + "`n")
}

function Release {
  $version = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
  $system = Get-CimInstance Win32_OperatingSystem
  Say ([ordered]@{ release = 'system'; value = 'windows' })
  Say ([ordered]@{ release = 'product'; value = "$($version.ProductName)" })
  Say ([ordered]@{ release = 'version'; value = "$($system.Version)" })
  if ($null -ne $version.UBR) { Say ([ordered]@{ release = 'build'; value = "$($version.CurrentBuild).$($version.UBR)" }) }
  Say ([ordered]@{ release = 'architecture'; value = "$($system.OSArchitecture)" })
}

# Updates, programs that have an entry for their removal, and roles and features.
function Packages {
  $found = @{}
  foreach ($update in Get-CimInstance Win32_QuickFixEngineering) { if ($update.HotFixID) { $found["$($update.HotFixID)"] = 'installed' } }
  foreach ($place in 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*', 'HKLM:\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*') {
    foreach ($program in Get-ItemProperty $place -ErrorAction SilentlyContinue) {
      if ($program.DisplayName -and -not $program.SystemComponent) { $found["program $($program.DisplayName)"] = "$($program.DisplayVersion)" }
    }
  }
  foreach ($feature in Get-WindowsFeature | Where-Object { $_.Installed }) { $found["feature $($feature.Name)"] = 'installed' }
  foreach ($key in $found.Keys | Sort-Object) {
    $version = if ($found[$key]) { $found[$key] } else { 'no version' }
    Say ([ordered]@{ package = $key; version = $version })
  }
}

# Those that start with the machine. Copies that each logged-on user has are not among them.
function Services {
  foreach ($service in Get-CimInstance Win32_Service -Filter "StartMode='Auto'" | Sort-Object Name) {
    if ($service.Name -match '_[0-9a-f]{4,}$') { continue }
    Say ([ordered]@{ service = $service.Name })
  }
}

# But for ports that the system gives to anybody for a while (49152 and above).
function Ports {
  $seen = @{}
  $all = @(Get-NetTCPConnection -State Listen | ForEach-Object { , @('tcp', $_.LocalPort, $_.LocalAddress) })
  $all += @(Get-NetUDPEndpoint | ForEach-Object { , @('udp', $_.LocalPort, $_.LocalAddress) })
  foreach ($one in $all) {
    if ($one[1] -ge 49152 -or $one[1] -eq 0) { continue }
    $scope = if ($one[2] -eq '0.0.0.0' -or $one[2] -eq '::') { 'any' } elseif ($one[2] -match '^127\.' -or $one[2] -eq '::1') { 'loopback' } else { 'own' }
    $key = '{0} {1} {2}' -f $one[0], $one[1], $scope
    if ($seen.ContainsKey($key)) { continue }
    $seen[$key] = $true
    Say ([ordered]@{ port = [int]$one[1]; protocol = $one[0]; scope = $scope })
  }
}

# Files, and values below keys of the registry as lines of a text.
function Configuration {
  $system = "$env:SystemRoot\System32"
  $files = @(
    @('system', "$system\drivers\etc\hosts"),
    @('dns', "$system\dns\*.dns"),
    @('iis', "$system\inetsrv\config\applicationHost.config"),
    @('iis', "$system\inetsrv\config\administration.config"))
  foreach ($row in $files) {
    foreach ($file in Get-ChildItem $row[1] -File -ErrorAction SilentlyContinue | Sort-Object FullName) {
      if ($file.Length -gt 1MB) { NotKnown 'configuration' "$($file.FullName) is larger than 1 MiB"; continue }
      try { $text = [IO.File]::ReadAllText($file.FullName) }
      catch { NotKnown 'configuration' "$($file.FullName) cannot be read: run it as an administrator"; continue }
      Say ([ordered]@{ file = $file.FullName; of = $row[0]; sha256 = ''; compared = (Compared $text) })
    }
  }
  $keys = @(
    @('dns', 'DNS\Parameters'), @('dhcp', 'DHCPServer\Parameters'), @('smb', 'LanmanServer\Parameters'), @('smb', 'LanmanServer\Shares'),
    @('print', 'Spooler\Parameters'), @('directory', 'NTDS\Parameters'), @('directory', 'Netlogon\Parameters'), @('directory', 'Kdc\Parameters'),
    @('system', 'W32Time\Parameters'))
  foreach ($row in $keys) {
    $path = "HKLM:\SYSTEM\CurrentControlSet\Services\$($row[1])"
    if (-not (Test-Path $path)) { continue }
    try {
      $key = Get-Item $path
      $text = ($key.GetValueNames() | Sort-Object | ForEach-Object { "$_=" + (@($key.GetValue($_)) -join ',') }) -join "`n"
    } catch { NotKnown 'configuration' "$path cannot be read: run it as an administrator"; continue }
    Say ([ordered]@{ file = "$path"; of = $row[0]; sha256 = ''; compared = (Compared $text) })
  }
}

Say ([ordered]@{ schema = 'patchlab/facts/v1'; family = 'windows'; machine = $name; observed = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ') })
foreach ($part in 'Release', 'Packages', 'Services', 'Ports', 'Configuration') {
  try { & $part } catch { NotKnown $part.ToLower() $_.Exception.Message }
}
# The last line says that nothing was cut off.
$lines = $said
Say ([ordered]@{ end = $lines })

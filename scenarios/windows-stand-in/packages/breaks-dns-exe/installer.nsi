; SPDX-FileCopyrightText: 2026 The patchlab authors
; SPDX-License-Identifier: Apache-2.0
; Gives web.corp.example another address, like breaks-dns, and says nothing of it.
Unicode true
Target amd64-unicode
Name "Fabrikam Names"
OutFile "${OUT}"
RequestExecutionLevel admin
VIProductVersion 5.0.0.0
VIAddVersionKey ProductName "Fabrikam Names"
VIAddVersionKey FileVersion 5.0.0.0

Section
  SetOutPath $SYSDIR\dns
  File ../breaks-dns/files/corp.example.dns
  ExecWait "$SYSDIR\dnscmd.exe . /ZoneReload corp.example" $0
  SetErrorLevel $0
SectionEnd

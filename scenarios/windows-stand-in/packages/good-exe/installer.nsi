; SPDX-FileCopyrightText: 2026 The patchlab authors
; SPDX-License-Identifier: Apache-2.0
; A program and its entry in the list of programs, which no client sees; it asks for a restart.
Unicode true
Target amd64-unicode
Name "Fabrikam Tool"
OutFile "${OUT}"
RequestExecutionLevel admin
VIProductVersion 4.5.0.0
VIAddVersionKey ProductName "Fabrikam Tool"
VIAddVersionKey FileVersion 4.5.0.0

Section
  SetRegView 64
  SetOutPath "$PROGRAMFILES64\Fabrikam Tool"
  File files/tool.txt
  WriteRegStr HKLM "SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Fabrikam Tool" DisplayVersion 4.5.0.0
  SetErrorLevel 3010
SectionEnd

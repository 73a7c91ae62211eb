; SPDX-FileCopyrightText: 2026 The patchlab authors
; SPDX-License-Identifier: Apache-2.0
; Gives up with a code of its own, before it changes anything.
Unicode true
Target amd64-unicode
Name "Fabrikam Shell"
OutFile "${OUT}"
RequestExecutionLevel admin
VIProductVersion 6.0.0.0
VIAddVersionKey ProductName "Fabrikam Shell"
VIAddVersionKey FileVersion 6.0.0.0

Section
  SetErrorLevel 17
  Abort
SectionEnd

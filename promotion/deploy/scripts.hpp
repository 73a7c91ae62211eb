// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scripts that go along with an export, byte for byte as they lie in this folder: they read data and hold none.
namespace patchlab::promotion {

extern const char* const ansible_playbook;
extern const char* const ansible_windows;  // tasks that the playbook includes on Windows
extern const char* const wsus_script;
extern const char* const wsus_report_script;  // what computers told a WSUS, for `deploy record`

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace patchlab::promotion::browser {

extern const char* const style_sheet;
extern const char* const script;

}  // namespace patchlab::promotion::browser

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace patchlab::reports {

// What VerdictRecord::removal says where nothing stands against taking it away again; every other sentence is a risk.
inline constexpr const char* removed_and_passed = "Was removed again, and every check passed";

}  // namespace patchlab::reports

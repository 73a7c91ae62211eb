// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// Keys of RunRecord::host that are read again, and not only shown.
namespace patchlab::reports {

// "kvm" or "tcg"; after a run on several nodes all that they have: "kvm, tcg".
inline constexpr const char* accelerator_key = "accelerator";
// Of a department whose cell an executor started.
[[nodiscard]] inline std::string accelerator_key_of(const std::string& department) {
  return "accelerator of " + department;
}

}  // namespace patchlab::reports

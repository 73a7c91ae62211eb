// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "lab/core/time.hpp"

namespace patchlab::testing_support {

// Ended, whether or not its new parent has reaped it yet (some machines' init takes seconds over that).
inline bool has_ended(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return true;
  const auto name_end = text.rfind(')');  // proc(5): "pid (name) state ..."
  return name_end == std::string::npos || text.at(name_end + 2) == 'Z' || text.at(name_end + 2) == 'X';
}

inline bool ends_soon(int pid) {
  const Wait wait{"process " + std::to_string(pid) + " to end", std::chrono::seconds(5), Milliseconds(5), {}, {}};
  return wait_until(system_clock_source(), wait, [pid] { return has_ended(pid); }).has_value();
}

}  // namespace patchlab::testing_support

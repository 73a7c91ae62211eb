// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "lab/core/time.hpp"

namespace patchlab::test {

struct ProcessState {
  char state = 'X';
  int parent = 0;
};

// From /proc/<pid>/stat (proc(5): "pid (name) state parent ..."); state X when there is no such process.
inline ProcessState process_state(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return {};
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text.size()) return {};
  return {text[name_end + 2], std::stoi(text.substr(name_end + 4))};
}

// Ended, whether or not its new parent has reaped it yet (some machines' init takes seconds over that).
inline bool has_ended(int pid) {
  const auto state = process_state(pid).state;
  return state == 'Z' || state == 'X';
}

inline bool ends_soon(int pid) {
  const Wait wait{"process " + std::to_string(pid) + " to end", std::chrono::seconds(5), Milliseconds(5), {}, {}};
  return wait_until(system_clock_source(), wait, [pid] { return has_ended(pid); }).has_value();
}

// Children, their children and so on, of a process as this one sees them.
inline std::vector<int> descendants(int ancestor) {
  std::multimap<int, int> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    children.emplace(process_state(std::stoi(name)).parent, std::stoi(name));
  }
  std::vector<int> found{ancestor};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

}  // namespace patchlab::test

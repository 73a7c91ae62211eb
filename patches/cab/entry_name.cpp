// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/cab/entry_name.hpp"

#include <algorithm>

namespace patchlab::patches {
namespace {

bool is_separator(char c) { return c == '\\' || c == '/'; }

// Windows drops dots and spaces at the end of a path component: "...\x" and ".. \x" may mean "..\x".
bool is_parent(std::string_view component) {
  return component.starts_with("..") && component.find_first_not_of(". ") == std::string_view::npos;
}

bool climbs(std::string_view name) {
  while (true) {
    const auto end = static_cast<std::size_t>(std::find_if(name.begin(), name.end(), is_separator) - name.begin());
    if (is_parent(name.substr(0, end))) return true;
    if (end == name.size()) return false;
    name.remove_prefix(end + 1);
  }
}

}  // namespace

std::string dangerous_name(std::string_view name) {
  if (name.empty()) return "is empty";
  if (is_separator(name.front())) return "begins at the root";
  if (climbs(name)) return "leaves its folder";
  if (name.find(':') != std::string_view::npos) return "names a drive or a stream";
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }))
    return "holds control characters";
  return {};
}

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/package_index.hpp"

#include <fmt/format.h>

#include <array>

namespace patchlab::patches {
namespace {

constexpr std::array kept_fields{"Package",        "Source",      "Version",    "Architecture", "Multi-Arch",
                                 "Essential",      "Protected",   "Important",  "Priority",     "Section",
                                 "Installed-Size", "Pre-Depends", "Depends",    "Breaks",       "Conflicts",
                                 "Replaces",       "Provides",    "Recommends", "Suggests",     "Enhances"};

// A folded value goes on in lines that begin with a blank.
std::string folded(const std::string& value) {
  std::string text;
  for (const char c : value) {
    text += c;
    if (c == '\n') text += ' ';
  }
  return text;
}

}  // namespace

std::string index_entry(const Stanza& control, const IndexedFile& file) {
  std::string text;
  for (const char* name : kept_fields) {
    const auto found = control.find(name);
    if (found != control.end() && !found->second.empty()) text += fmt::format("{}: {}\n", name, folded(found->second));
  }
  return text + fmt::format("Filename: ./{}\nSize: {}\nSHA256: {}\n\n", file.name, file.bytes, file.sha256);
}

}  // namespace patchlab::patches

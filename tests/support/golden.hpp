// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "lab/core/files.hpp"

namespace patchlab::tests {

// Compares with tests/golden/<name>. PATCHLAB_UPDATE_GOLDEN=1 writes it instead (and the test then fails, so that
// nobody takes a regeneration for a pass); review the change like code.
inline void expect_golden(const std::string& name, const std::string& text) {
  const auto file = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "tests/golden" / name;
  if (const char* update = std::getenv("PATCHLAB_UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    ASSERT_TRUE(create_folders(file.parent_path()));
    ASSERT_TRUE(write_file_atomically(file, text));
    FAIL() << "wrote " << file << "; run again without PATCHLAB_UPDATE_GOLDEN";
  }
  const auto golden = read_file(file);
  ASSERT_TRUE(golden) << golden.error().message;
  if (*golden == text) return;
  std::size_t at = 0;
  while (at < text.size() && at < golden->size() && text[at] == (*golden)[at]) ++at;
  const auto from = at > 120 ? at - 120 : 0;
  FAIL() << file << " differs from byte " << at << " on\n--- golden: ..." << golden->substr(from, 300)
         << "\n--- written: ..." << text.substr(from, 300);
}

}  // namespace patchlab::tests

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

// JSON files that are too large to be kept as a value. Read as strictly as by parse_json.
namespace patchlab {

// A value at the depth that was asked for, or a text, number, boolean or null that stands higher.
struct JsonItem {
  std::vector<std::string> path;  // keys, and places in lists, from the root: {"vulnerabilities", "3"}
  bool in_list = false;           // the last of them is a place in a list
  Json value;
};

struct JsonItemLimits {
  std::size_t depth = 1;
  std::uintmax_t file_bytes = std::uintmax_t{1} << 30U;
  // What is kept at once: one item, the keys of the objects above it, one text or number.
  std::uintmax_t item_bytes = 1U << 20U;
  std::size_t keys = 500'000;
  std::uintmax_t token_bytes = 256U << 10U;
};

struct JsonItemsRead {
  std::uintmax_t bytes = 0;
  std::string sha256;
};

// Hands over item after item, in the order of the file. `take` says what is wrong with one; empty: nothing. The error
// names file, line, column and pointer.
[[nodiscard]] Result<JsonItemsRead> read_json_items(const std::filesystem::path& path, const JsonItemLimits& limits,
                                                    const std::function<std::string(JsonItem)>& take);

// The keys that stand in the beginning of a JSON text, at most two deep, each with what it stands in: {"a"}, {"a",
// "b"}. As far as the text goes; to tell what a file is.
[[nodiscard]] std::vector<std::vector<std::string>> first_json_keys(std::string_view beginning);

}  // namespace patchlab

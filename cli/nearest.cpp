// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/nearest.hpp"

#include <algorithm>
#include <numeric>

namespace patchlab::cli {
namespace {

constexpr std::size_t most = 3;
constexpr std::size_t longest = 64;  // of a word that is worth comparing

// How many letters have to be changed, added or taken away (Levenshtein).
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> nearest(const std::string& word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > longest) return {};
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const auto& other : known) {
    const auto differs = other.starts_with(word) ? 0 : distance(word, other);
    if (differs <= std::max<std::size_t>(1, word.size() / 3)) found.emplace_back(differs, other);
  }
  std::ranges::sort(found);
  std::vector<std::string> words;
  for (const auto& [differs, other] : found) {
    if (words.size() < most) words.push_back(other);
  }
  return words;
}

}  // namespace patchlab::cli

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/choice.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace patchlab {
namespace {

constexpr std::size_t most_shown = 3;
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
    if (words.size() < most_shown) words.push_back(other);
  }
  return words;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const auto similar = nearest(word, known);
  return similar.empty() ? std::string() : fmt::format("did you mean {}?", fmt::join(similar, " or "));
}

Error unknown_choice(const std::string& option, const std::string& word, const std::string& what,
                     const std::vector<std::string>& known) {
  const auto there = known.empty() ? std::string("nothing") : fmt::format("{}", fmt::join(known, ", "));
  return usage_error(fmt::format("{} '{}' {}; there are: {}", option, word, what, there), did_you_mean(word, known));
}

Result<void> check_choice(const std::string& option, const std::vector<std::string>& words, const std::string& what,
                          const std::vector<std::string>& known) {
  for (const auto& word : words) {
    if (std::ranges::count(known, word) == 0) return unknown_choice(option, word, what, known);
  }
  return {};
}

}  // namespace patchlab

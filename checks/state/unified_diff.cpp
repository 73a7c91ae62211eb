// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/unified_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace patchlab::checks::state {
namespace {

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

struct Edit {
  char sign;  // ' ', '-', '+'
  std::string_view line;
};

// By the longest common subsequence of what is left between equal beginnings and ends.
std::vector<Edit> edits(const Lines& a, const Lines& b) {
  std::size_t begin = 0, end = 0;
  const auto shorter = std::min(a.size(), b.size());
  while (begin < shorter && a[begin] == b[begin]) ++begin;
  while (end < shorter - begin && a[a.size() - 1 - end] == b[b.size() - 1 - end]) ++end;
  const auto rows = a.size() - begin - end, columns = b.size() - begin - end;
  constexpr std::size_t most_cells = 4'000'000;
  std::vector<Edit> found;
  for (std::size_t i = 0; i < begin; ++i) found.push_back({' ', a[i]});
  if (rows * columns <= most_cells) {
    std::vector<std::uint16_t> length((rows + 1) * (columns + 1));
    const auto at = [&](std::size_t i, std::size_t j) -> std::uint16_t& { return length[i * (columns + 1) + j]; };
    for (auto i = rows; i-- > 0;) {
      for (auto j = columns; j-- > 0;) {
        at(i, j) = a[begin + i] == b[begin + j] ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                                : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
    for (std::size_t i = 0, j = 0; i < rows || j < columns;) {
      if (i < rows && j < columns && a[begin + i] == b[begin + j]) {
        found.push_back({' ', a[begin + i]});
        ++i;
        ++j;
      } else if (i < rows && (j == columns || at(i + 1, j) >= at(i, j + 1))) {
        found.push_back({'-', a[begin + i++]});
      } else {
        found.push_back({'+', b[begin + j++]});
      }
    }
  } else {
    for (std::size_t i = 0; i < rows; ++i) found.push_back({'-', a[begin + i]});
    for (std::size_t j = 0; j < columns; ++j) found.push_back({'+', b[begin + j]});
  }
  for (auto i = a.size() - end; i < a.size(); ++i) found.push_back({' ', a[i]});
  return found;
}

}  // namespace

std::string unified_diff(const std::string& before, const std::string& after, std::size_t limit) {
  constexpr std::size_t around = 3;
  if (before == after) return {};
  const auto all = edits(lines_of(before), lines_of(after));
  std::string text = "--- before\n+++ after\n";
  std::size_t left_out = 0;
  std::size_t old_line = 1, new_line = 1, at = 0;
  const auto step = [&](const Edit& edit) {
    if (edit.sign != '+') ++old_line;
    if (edit.sign != '-') ++new_line;
    ++at;
  };
  while (at < all.size()) {
    const auto first = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(at), all.end(),
                                    [](const auto& edit) { return edit.sign != ' '; });
    if (first == all.end()) break;
    const auto change = static_cast<std::size_t>(first - all.begin());
    while (at + around < change) step(all[at]);
    // As far as changes lie within twice the lines around them.
    auto last = change;
    for (auto i = change; i < all.size() && i <= last + 2 * around; ++i) {
      if (all[i].sign != ' ') last = i;
    }
    const auto end = std::min(all.size(), last + around + 1);
    std::string hunk;
    const auto old_begin = old_line, new_begin = new_line;
    while (at < end) {
      hunk += fmt::format("{}{}\n", all[at].sign, all[at].line);
      step(all[at]);
    }
    const auto old_count = old_line - old_begin, new_count = new_line - new_begin;
    hunk = fmt::format("@@ -{},{} +{},{} @@\n", old_count == 0 ? old_begin - 1 : old_begin, old_count,
                       new_count == 0 ? new_begin - 1 : new_begin, new_count) +
           hunk;
    if (text.size() + hunk.size() > limit) {
      const auto room = limit > text.size() ? limit - text.size() : 0;
      const auto cut = room == 0 ? std::string::npos : hunk.rfind('\n', room - 1);
      const auto kept = cut == std::string::npos ? std::string() : hunk.substr(0, cut + 1);
      left_out += static_cast<std::size_t>(std::ranges::count(hunk, '\n') - std::ranges::count(kept, '\n'));
      text += kept;
      limit = 0;
    } else {
      text += hunk;
    }
  }
  if (left_out > 0) text += fmt::format("... and {} lines more\n", left_out);
  return text;
}

}  // namespace patchlab::checks::state

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/names.hpp"

#include <algorithm>

namespace patchlab {
namespace {

constexpr std::size_t longest_id = 120;
constexpr std::size_t longest_name = 31;

bool is_in(char c, char first, char last) { return c >= first && c <= last; }
bool begins_an_id(char c) { return is_in(c, 'a', 'z') || is_in(c, 'A', 'Z') || is_in(c, '0', '9'); }

}  // namespace

bool is_candidate_id(std::string_view text) {
  return !text.empty() && text.size() <= longest_id && begins_an_id(text.front()) && text != "manifest.json" &&
         text != "SHA256SUMS" && std::ranges::all_of(text, [](char c) {
           return begins_an_id(c) || std::string_view(".+-_~").find(c) != std::string_view::npos;
         });
}

bool is_scenario_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && is_in(text.front(), 'a', 'z') &&
         std::ranges::all_of(text, [](char c) { return is_in(c, 'a', 'z') || is_in(c, '0', '9') || c == '-'; });
}

bool is_principal(std::string_view text) {
  const auto word = [](char c) { return is_in(c, 'a', 'z') || is_in(c, '0', '9'); };
  return !text.empty() && text.size() <= longest_id && word(text.front()) && word(text.back()) &&
         std::ranges::count(text, '@') <= 1 && std::ranges::all_of(text, [&](char c) {
           return word(c) || std::string_view("._+-@").find(c) != std::string_view::npos;
         });
}

}  // namespace patchlab

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/names.hpp"

#include <algorithm>

namespace patchlab {
namespace {

constexpr std::size_t longest_id = 120;
constexpr std::size_t longest_name = 31;

bool is_small_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) { return is_small_letter(c) || (c >= 'A' && c <= 'Z') || is_digit(c); }

}  // namespace

bool is_candidate_id(std::string_view text) {
  return !text.empty() && text.size() <= longest_id && is_letter_or_digit(text.front()) && text != "manifest.json" &&
         std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || std::string_view(".+-_~").find(c) != std::string_view::npos;
         });
}

bool is_scenario_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && is_small_letter(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_small_letter(c) || is_digit(c) || c == '-'; });
}

}  // namespace patchlab

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/csv_cell.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "lab/core/printable.hpp"

namespace patchlab {
namespace {

// A spreadsheet takes a text that begins like this for a formula; the wide forms of East Asian input as well.
bool begins_a_formula(std::string_view text) {
  constexpr std::array<std::string_view, 8> signs{"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"};
  return std::ranges::any_of(signs, [&](std::string_view sign) { return text.starts_with(sign); });
}

bool begins_a_formula_in_quotes(std::string_view text) {
  const auto first = text.find_first_not_of(" \"'");
  return first != std::string_view::npos && begins_a_formula(text.substr(first));
}

}  // namespace

// In some countries a spreadsheet splits at semicolons and takes our quotes for text: what follows one is a cell as
// well.
std::string csv_cell(const std::string& bytes) {
  auto text = printable(bytes);
  for (auto at = text.find(';'); at != std::string::npos; at = text.find(';', at + 1)) {
    if (begins_a_formula_in_quotes(std::string_view(text).substr(at + 1))) text.insert(at + 1, 1, '\'');
  }
  if (begins_a_formula_in_quotes(text)) text.insert(0, 1, '\'');
  if (text.find_first_of(",;\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += (i == 0 ? "" : ",") + csv_cell(cells[i]);
  return line + "\n";
}

}  // namespace patchlab

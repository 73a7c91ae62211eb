// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/canonical_rows.hpp"

namespace patchlab::checks::database {
namespace {

void append_escaped(std::string& text, char c) {
  switch (c) {
    case '\\': text += "\\\\"; break;
    case '\t': text += "\\t"; break;
    case '\n': text += "\\n"; break;
    case '\r': text += "\\r"; break;
    case '\b': text += "\\b"; break;
    case '\f': text += "\\f"; break;
    case '\v': text += "\\v"; break;
    default: text += c;
  }
}

}  // namespace

std::string canonical_row(const Row& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += '\t';
    if (!row[i])
      line += "\\N";
    else
      for (const char c : *row[i]) append_escaped(line, c);
  }
  return line + "\n";
}

}  // namespace patchlab::checks::database

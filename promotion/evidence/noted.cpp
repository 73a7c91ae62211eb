// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/noted.hpp"

#include <fmt/format.h>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "promotion/signature/ssh_signature.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_note = 4096;

}  // namespace

Result<NotedHead> read_noted(const std::string& argument) {
  NotedHead noted;
  noted.name = argument;
  if (!is_there(argument)) {
    PATCHLAB_ASSIGN(noted.head, parse_noted(argument));
  } else {
    PATCHLAB_ASSIGN(noted.text, read_file(argument, largest_note).while_doing("reading a noted head"));
    if (const auto head = parse_noted(std::string(trimmed(noted.text, " \t\r\n")))) {
      noted.head = *head;
    } else {
      PATCHLAB_ASSIGN(const auto note, parse_head(noted.text, argument));
      noted.head = note.head;
      noted.ledger = note.ledger;
    }
    if (is_there(argument + ".sig")) {
      PATCHLAB_ASSIGN(
          noted.signature,
          read_file(argument + ".sig", longest_signature).while_doing("reading the signature of a noted head"));
    }
  }
  if (noted.head.size == 0)
    return configuration_error(fmt::format("'{}' notes a ledger without a line: it supports nothing", argument));
  return noted;
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "promotion/browser/http.hpp"
#include "promotion/browser/origin.hpp"
#include "promotion/statement/statement.hpp"

// What a request asks for. Pure, and strict: a request is anybody's bytes.
namespace patchlab::promotion::browser {

struct AskedList {};
struct AskedSet {
  std::string run;
  std::string department;
};
struct AskedEnrolment {};
struct AskedStyle {};
struct AskedScript {};
// The statement that somebody would sign.
struct AskedDraft {
  AskedSet set;
  StatementKind kind = StatementKind::approve;  // or reject
  std::string by;
  std::string reason;
};
// A signed statement for the ledger.
struct AskedDecision {
  AskedSet set;
  std::string statement;
  std::string signature;
};
// Nothing that is answered here. The words in `code` are stable API.
struct NotAsked {
  unsigned status = 400;
  std::string code;
  std::string text;
};
using Asked =
    std::variant<AskedList, AskedSet, AskedEnrolment, AskedStyle, AskedScript, AskedDraft, AskedDecision, NotAsked>;

// Before anything else the request must be for us: exactly one Host, which is ours (a name of somebody else that leads
// here is refused: DNS rebinding), and from our pages when it sends something: an Origin that is ours. Takes time in
// proportion to the bytes.
[[nodiscard]] Asked asked(const WebRequest& request, const Origin& ours);

// How runs are named: letters, digits and . _ -, beginning with a letter or digit, at most 120 characters.
[[nodiscard]] bool is_run_id(std::string_view text);

}  // namespace patchlab::promotion::browser

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "lab/web/for_us.hpp"
#include "promotion/statement/statement.hpp"

// What a request asks for. Pure, and strict: a request is anybody's bytes.
namespace patchlab::promotion::browser {

using lab::web::NotAsked;
using lab::web::Origin;
using lab::web::WebRequest;
using lab::web::WebResponse;

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
using Asked =
    std::variant<AskedList, AskedSet, AskedEnrolment, AskedStyle, AskedScript, AskedDraft, AskedDecision, NotAsked>;

// Before anything else the request must be for us (lab/web/for_us.hpp). Takes time in proportion to the bytes.
[[nodiscard]] Asked asked(const WebRequest& request, const Origin& ours);

// How runs are named: letters, digits and . _ -, beginning with a letter or digit, at most 120 characters.
[[nodiscard]] bool is_run_id(std::string_view text);

}  // namespace patchlab::promotion::browser

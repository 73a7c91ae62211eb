// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "promotion/chain/chain.hpp"

// Statements as they go into a chain, without a lab.
namespace patchlab::tests {

// One line, in the order of keys that in-toto has. `more`: members of the predicate, each with a comma in front.
inline std::string sample_statement(const std::string& kind, const std::string& by, const std::string& more = {},
                                    const std::string& department = "finance", const std::string& set = sha256("set")) {
  return fmt::format(
      R"({{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{}","digest":{{"sha256":"{}"}}}}],)"
      R"("predicateType":"urn:patchlab:{}:v1","predicate":{{"kind":"{}","by":"{}"{}}}}})"
      "\n",
      department, set, kind, kind, by, more);
}

// Every kind of line once, as a desk would write them: two runs, decisions, a promotion that is done, one that is
// refused, one that is rolled back.
inline std::vector<promotion::Chain::Entry> sample_story() {
  using promotion::ChainKind;
  const auto member = [](const char* key, const std::string& value) {
    return fmt::format(R"(,"{}":"{}")", key, value);
  };
  const auto begin1 = sample_statement("begin", "lab@x", member("id", "run-1"));
  const auto begin2 = sample_statement("begin", "lab@x", member("id", "run-2"));
  const std::string record = R"({"id":"run-2"})";
  const auto run1 = sample_statement("run", "lab@x", member("begin", sha256(begin1)) + member("result", "fail"));
  const auto run2 = sample_statement("run", "lab@x", member("begin", sha256(begin2)) + member("run", sha256(record)));
  const auto promote = sample_statement("promote", "lab@x", member("run", sha256(record)) + R"(,"serial":1)");
  const auto rollback = sample_statement("rollback", "lab@x", member("reason", "mail is slow") + R"(,"serial":2)");
  return {
      {.kind = ChainKind::trust, .by = "root", .object = sample_statement("trust", "root", R"(,"version":1)")},
      {.kind = ChainKind::policy, .by = "owner@x", .object = sample_statement("policy", "owner@x")},
      {.kind = ChainKind::submit, .by = "alice@x", .object = sample_statement("submit", "alice@x")},
      {.kind = ChainKind::begin, .by = "lab@x", .object = begin1},
      {.kind = ChainKind::begin, .by = "lab@x", .object = begin2, .signature = "signature of begin\n"},
      {.kind = ChainKind::run, .by = "lab@x", .object = run1},
      {.kind = ChainKind::run, .by = "lab@x", .object = run2, .attachments = {record}},
      {.kind = ChainKind::waive, .by = "carol@x", .object = sample_statement("waive", "carol@x")},
      {.kind = ChainKind::reject, .by = "dave@x", .object = sample_statement("reject", "dave@x")},
      {.kind = ChainKind::withdraw, .by = "dave@x", .object = sample_statement("withdraw", "dave@x")},
      {.kind = ChainKind::promote_refused, .by = "lab@x", .object = sample_statement("refuse", "lab@x")},
      {.kind = ChainKind::approve, .by = "bob@x", .object = sample_statement("approve", "bob@x")},
      {.kind = ChainKind::promote_begun, .by = "lab@x", .object = promote},
      {.kind = ChainKind::promote_switched, .by = "lab@x", .names = sha256(promote)},
      {.kind = ChainKind::promote_done, .by = "lab@x", .names = sha256(promote)},
      {.kind = ChainKind::promote_begun, .by = "lab@x", .object = rollback},
      {.kind = ChainKind::promote_refused, .by = "lab@x", .names = sha256(rollback)},
  };
}

}  // namespace patchlab::tests

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "promotion/statement/statement.hpp"

namespace patchlab::promotion::testing {

inline std::string any_digest(std::mt19937& random) { return sha256(std::to_string(random())); }

inline std::string any_text(std::mt19937& random) {
  static constexpr std::array pieces{"read", " the", "/report", "\"", "\\", "\xc3\xbc", "\xf0\x9f\x98\x80",
                                     "<b>",  "&",    "{}",      "'",  "0"};
  std::string text = "x";
  for (auto left = random() % 8; left > 0; --left) text += pieces[random() % pieces.size()];
  return text;
}

inline std::vector<std::string> ascending(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

// A good statement with every key that its kind requires, and some of those it allows.
inline Statement any_statement(StatementKind kind, std::mt19937& random) {
  const auto keys = statement_keys(kind);
  const auto wanted = [&](const char* key) {
    return std::ranges::count(keys.required, key) > 0 ||
           (std::ranges::count(keys.optional, key) > 0 && random() % 2 == 0);
  };
  const auto several = [&](const auto& make) {
    std::vector<std::string> texts;
    for (auto left = random() % 4; left > 0; --left) texts.push_back(make());
    return ascending(std::move(texts));
  };
  const auto digest = [&] { return any_digest(random); };
  static constexpr std::array people{"alice@xavier.example", "bob@xavier.example", "lab", "carol+2@x.y"};
  Statement statement;
  statement.kind = kind;
  statement.by = people[random() % people.size()];
  statement.subjects = {{"finance", digest()}};
  if ((kind == StatementKind::begin || kind == StatementKind::run) && random() % 2 == 0)
    statement.subjects.push_back({"hr", digest()});
  if (wanted("run")) statement.run = digest();
  if (wanted("policy")) statement.policy = digest();
  if (wanted("ledger")) statement.ledger = SeenLedger{random(), digest()};
  if (wanted("reason")) statement.reason = any_text(random);
  if (wanted("ticket")) statement.ticket = any_text(random);
  if (wanted("expires"))
    statement.expires = rfc3339(std::chrono::system_clock::time_point{std::chrono::seconds(random())});
  if (wanted("waives")) {
    statement.waives = {{"mail", "", any_text(random), "review"}};
    if (random() % 2 == 0) statement.waives->push_back({"mail", "delivery", "", "fail"});
  }
  if (wanted("withdraws")) statement.withdraws = digest();
  if (wanted("id")) statement.id = any_text(random);
  if (wanted("begin")) statement.begin = digest();
  if (wanted("promotion")) statement.promotion = digest();
  if (wanted("result")) statement.result = any_text(random);
  if (wanted("serial")) statement.serial = random();
  if (wanted("submitter")) statement.submitter = people[random() % people.size()];
  if (wanted("scenario")) statement.scenario = digest();
  if (wanted("candidates")) statement.candidates = several(digest);
  if (wanted("complete")) statement.complete = random() % 2 == 0;
  if (wanted("failed")) statement.failed = several([&] { return any_text(random); });
  if (wanted("attempt")) statement.attempt = random();
  if (wanted("decisions")) statement.decisions = several(digest);
  if (wanted("manifest")) statement.manifest = digest();
  if (wanted("reasons")) statement.reasons = several([&] { return any_text(random); });
  if (wanted("version")) statement.version = random();
  if (wanted("report")) statement.report = digest();
  // An emergency, or none.
  if (kind == StatementKind::promote) {
    statement.reason.reset();
    statement.ticket.reset();
    if (random() % 2 == 0) {
      statement.reason = any_text(random);
      statement.ticket = any_text(random);
      statement.review_by = rfc3339(std::chrono::system_clock::time_point{std::chrono::seconds(random())});
    }
  }
  return statement;
}

}  // namespace patchlab::promotion::testing

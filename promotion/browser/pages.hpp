// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "promotion/approval/decisions.hpp"
#include "promotion/book/book.hpp"
#include "promotion/browser/asked.hpp"
#include "reports/record/record.hpp"

// The pages, as functions from values to HTML. All of them can be read without scripts; only signing needs one.
namespace patchlab::promotion::browser {

// One department of one run that somebody may decide about.
struct ListedSet {
  std::string run;  // as it is addressed
  std::string department;
  std::string scenario;                 // its name
  std::string title;                    // what people call it
  std::string finished;                 // RFC 3339
  std::vector<std::string> candidates;  // the tested set
  std::string worst;                    // severity of them
  reports::DecisionRecord decision;
};
// Why the list may be shorter than what is there, a sentence each: runs that cannot be read, or were not looked at.
[[nodiscard]] std::string list_page(const std::vector<ListedSet>& sets, const std::vector<std::string>& remarks,
                                    const std::string& stage);

struct ShownSet {
  std::string run;  // as it is addressed
  const reports::RunRecord& record;
  const reports::DepartmentRecord& department;
  const reports::DecisionRecord& decision;
  std::vector<std::string> candidates;  // the tested set
  DecisionTarget target;
  SeenLedger ledger;
  std::string policy;  // its id and title
  Decisions people;
  std::vector<Failure> failures;     // of the very set
  std::vector<std::string> signers;  // who has a key for these pages in force
  std::string stage;
  Origin origin;
};
[[nodiscard]] std::string set_page(const ShownSet& shown);

[[nodiscard]] std::string enrolment_page(const std::string& stage, const Origin& origin);
[[nodiscard]] std::string refusal_page(unsigned status, const std::string& code, const std::string& text);

// In one word or two, for people: what stands between this set and production.
enum class Waits { for_people, for_the_lab, for_promotion, for_nothing };
[[nodiscard]] Waits waits_for(const reports::DecisionRecord& decision);

}  // namespace patchlab::promotion::browser

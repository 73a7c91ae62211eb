// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "promotion/book/book.hpp"
#include "promotion/gate/people.hpp"
#include "promotion/policy/policy.hpp"

// What went through the emergency lane, and whether somebody looked at it afterwards.
namespace patchlab::promotion {

// One emergency promotion of a stage. It is reviewed when the approvals that are asked of any other promotion are
// there, at least one of them of somebody who saw it, and no rejection stands. What was taken back by a rollback needs
// no review any more.
struct Review {
  std::string department;
  std::string run;            // id
  std::string record_digest;  // as the manifest names the record
  std::string reason;         // why it could not wait
  std::string ticket;
  PolicyTime promoted;
  PolicyTime due;                    // as the ledger has it
  std::vector<std::string> set;      // ids of candidates, ascending
  std::string answered;              // "reviewed by carol", or how it was taken back; empty: open
  std::vector<std::string> missing;  // sentences, when it is open
  std::vector<std::string> whom;     // who could approve
  [[nodiscard]] bool is_open() const { return answered.empty(); }
};
void to_json(Json& json, const Review& review);

// Whether these people make a review by the normal rules of this policy. `severities`: of the set. `done`: the line
// that says that it was promoted; who saw less did not review it. What is missing, a sentence each; empty: it is
// reviewed.
[[nodiscard]] std::vector<std::string> missing_for_review(const Policy& policy, const PeopleOn& people,
                                                          const std::map<std::string, std::string>& severities,
                                                          std::uint64_t done);

// A document of a stage, and the line of the ledger that put it in force; 0: none did.
struct PolicyOfLedger {
  Policy policy;
  std::uint64_t line = 0;
};
// The same decisions with the approvals that were given while this policy was in force. What was in force then is said
// by the ledger's order: a document that came later takes nothing back, whatever beginning it gives itself.
[[nodiscard]] Decisions approvals_while_in_force(Decisions decisions, const Policy& policy,
                                                 const std::vector<PolicyOfLedger>& all);

// All of a stage, in the order of the ledger. `policies`: all documents of the stage; an approval counts under the one
// that it names, if that was in force when it was given. An error: nobody can tell, and then nothing may be taken for
// reviewed.
[[nodiscard]] Result<std::vector<Review>> reviews_of_stage(const DecisionBook& book,
                                                           const std::vector<Policy>& policies, Moment now);
// The same of the folder of a stage, with its documents.
[[nodiscard]] Result<std::vector<Review>> reviews_at_desk(const std::filesystem::path& stage, Moment now);

}  // namespace patchlab::promotion

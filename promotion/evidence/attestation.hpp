// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "promotion/evidence/test_result.hpp"
#include "promotion/statement/statement.hpp"

// What the lab says of a promoted set, in the words of other tools: in-toto Statements v1 with the predicates
// test-result v0.1 and SLSA Verification Summary v1. For reading: what proves a promotion is a bundle.
namespace patchlab::promotion {

inline constexpr const char* test_result_predicate = "https://in-toto.io/attestation/test-result/v0.1";
inline constexpr const char* summary_predicate = "https://slsa.dev/verification_summary/v1";

// What both are made of.
struct PromotedSet {
  std::string department;
  Statement promotion;   // promote or rollback
  std::string promoted;  // digest of that statement
  std::string when;      // of its line, RFC 3339
  reports::RunRecord record;
  std::vector<std::string> candidates;
  std::set<std::string> waived;  // as in test_result_of
};

// The set that was promoted last in this department of a stage. An error (configuration) when there is none, or when
// what lies there is not what the ledger names.
[[nodiscard]] Result<PromotedSet> promoted_set(const std::filesystem::path& stage, const std::string& department);

// Subject: SHA256SUMS of the set and each of its files. Never PASSED where test_result_of says less.
[[nodiscard]] Json test_result_statement(const PromotedSet& set);
// PASSED for a set of which the tests say PASSED; FAILED for every other, also one that people waived something of: a
// tool that reads one word shall not take it for more.
[[nodiscard]] Json summary_statement(const PromotedSet& set);

}  // namespace patchlab::promotion

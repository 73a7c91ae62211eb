// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/check.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace patchlab::checks {
namespace {

TEST(CheckResult, SurvivesJson) {
  CheckResult result;
  result.id = "mx-record";
  result.kind = "dns.query";
  result.outcome = Outcome::error;
  result.reason = "worker-hung";
  result.expected = "mail";
  result.observed = "nothing";
  result.error = Error{ErrorClass::check, "it hung", "look at it"};
  result.evidence = Json{{"reply", "00"}};
  result.duration = Milliseconds(1234);
  const auto read = check_result_from_json(Json(result));
  EXPECT_EQ(Json(read), Json(result));
  EXPECT_EQ(read.error, result.error);
  EXPECT_EQ(read.duration, result.duration);
}

TEST(CheckResult, WithAnUnknownOutcomeIsAnError) {
  EXPECT_EQ(check_result_from_json(Json{{"id", "x"}, {"outcome", "splendid"}}).outcome, Outcome::error);
}

TEST(Registry, IsSortedWithoutDoublesAndFindsEachKind) {
  const auto& checks = all_checks();
  ASSERT_FALSE(checks.empty());
  for (std::size_t i = 0; i < checks.size(); ++i) {
    EXPECT_EQ(find_check(checks[i]->kind()), checks[i]);
    if (i > 0) {
      EXPECT_LT(checks[i - 1]->kind(), checks[i]->kind());
    }
  }
  EXPECT_EQ(find_check("no.such"), nullptr);
}

TEST(Registry, EveryKindReportsUnknownKeys) {
  for (const auto* check : all_checks()) {
    std::vector<JsonProblem> problems;
    check->validate(Json{{"nobody knows this", 1}}, "/with", problems);
    EXPECT_TRUE(std::any_of(problems.begin(), problems.end(), [](const JsonProblem& problem) {
      return problem.pointer == "/with/nobody knows this";
    })) << check->kind();
  }
}

}  // namespace
}  // namespace patchlab::checks

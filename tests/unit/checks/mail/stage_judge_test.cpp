// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/stage_judge.hpp"

#include <gtest/gtest.h>

#include "checks/mail/stage_log.hpp"

namespace patchlab::checks::mail {
namespace {

std::string reason_for(const StageLog& log) {
  const auto judgement = judge_stages("smtp", {{"connect", {}}, {"rcpt", {"250", "251"}}}, log.entries());
  return judgement ? judgement->reason : "fine";
}

StageLog after_connect() {
  StageLog log;
  log.answered("connect", "", "127.0.0.1 port 25");
  return log;
}

TEST(StageJudge, AcceptsAnyOfTheExpectedAnswers) {
  auto log = after_connect();
  log.answered("rcpt", "251", "User not local; will forward");
  EXPECT_EQ(reason_for(log), "fine");
}

TEST(StageJudge, NamesStageAndKindOfFailure) {
  const auto with = [](const std::string& answer) {
    auto log = after_connect();
    log.answered("rcpt", answer, "text");
    return reason_for(log);
  };
  EXPECT_EQ(with("550"), "smtp-rcpt-refused");
  EXPECT_EQ(with("450"), "smtp-rcpt-deferred");
  EXPECT_EQ(with("354"), "smtp-rcpt-unexpected");
  EXPECT_EQ(with("NO"), "smtp-rcpt-refused");
  EXPECT_EQ(with("BAD"), "smtp-rcpt-refused");
}

TEST(StageJudge, TellsSilenceFromBrokenConnectionsAndMissingOffers) {
  auto silent = after_connect();
  silent.troubled("rcpt", timeout_error("no answer until the deadline"));
  EXPECT_EQ(reason_for(silent), "smtp-rcpt-timeout");
  auto closed = after_connect();
  closed.troubled("rcpt", guest_error("the server closed the connection"));
  EXPECT_EQ(reason_for(closed), "smtp-rcpt-failed");
  auto missing = after_connect();
  missing.missing("rcpt", "RCPT");
  EXPECT_EQ(reason_for(missing), "smtp-rcpt-not-offered");
}

TEST(StageJudge, CallsTroubleOfTheLabAnError) {
  StageLog log;
  log.troubled("connect", infrastructure_error("connecting to 10.20.0.14: Network is unreachable"));
  const auto judgement = judge_stages("smtp", {{"connect", {}}}, log.entries());
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->outcome, Outcome::error);
  EXPECT_EQ(judgement->reason, "lab-trouble");
}

TEST(StageJudge, CallsAMissingStageAnError) {
  const auto judgement = judge_stages("smtp", {{"connect", {}}, {"rcpt", {"250"}}}, after_connect().entries());
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->outcome, Outcome::error);
  EXPECT_EQ(judgement->reason, "observation-incomplete");
  EXPECT_TRUE(judge_stages("smtp", {{"connect", {}}}, Json("garbage")));
}

}  // namespace
}  // namespace patchlab::checks::mail

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// check_smtp and check_imap of the monitoring plugins, as they are.
#include <gmock/gmock.h>

#include "tests/integration/checks/command/run_command.hpp"
#include "tests/integration/checks/mail/fake_mail_server.hpp"

namespace patchlab::checks::mail {
namespace {
using plugins::run_plugin;
using testing::FakeMailServer;
using ::testing::HasSubstr;
using testing::MailBehaviour;

TEST(MailPlugins, CheckSmtpSeesTheBannerAndTheAnswerToEhlo) {
  if (!plugins::has_plugin("check_smtp")) GTEST_SKIP() << "monitoring-plugins-basic is not installed";
  const std::vector<std::string> arguments{"-H", "{address}", "-p", "{port}", "-e", "220 mail.corp.example", "-t", "5"};
  const FakeMailServer server;
  const auto right = run_plugin("check_smtp", arguments, server.smtp_port());
  EXPECT_EQ(right.outcome, Outcome::pass) << right.observed << right.evidence;
  EXPECT_THAT(right.observed, HasSubstr("SMTP OK"));
  MailBehaviour behaviour;
  behaviour.banner = "554 no service";
  const FakeMailServer refusing(behaviour);
  const auto wrong = run_plugin("check_smtp", arguments, refusing.smtp_port());
  EXPECT_EQ(wrong.outcome, Outcome::fail) << wrong.observed << wrong.evidence;
}

TEST(MailPlugins, CheckImapSeesTheGreeting) {
  if (!plugins::has_plugin("check_imap")) GTEST_SKIP() << "monitoring-plugins-basic is not installed";
  const std::vector<std::string> arguments{"-H", "{address}", "-p", "{port}", "-t", "5"};
  const FakeMailServer server;
  const auto right = run_plugin("check_imap", arguments, server.imap_port());
  EXPECT_EQ(right.outcome, Outcome::pass) << right.observed << right.evidence;
  MailBehaviour behaviour;
  behaviour.imap_greeting = "* BYE overloaded";
  const FakeMailServer refusing(behaviour);
  const auto wrong = run_plugin("check_imap", arguments, refusing.imap_port());
  EXPECT_EQ(wrong.outcome, Outcome::fail) << wrong.observed << wrong.evidence;
}

}  // namespace
}  // namespace patchlab::checks::mail

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The SMB checks against a real Samba server on loopback.
#include <gmock/gmock.h>

#include <thread>

#include "checks/registry/registry.hpp"
#include "checks/run.hpp"
#include "lab/core/digest.hpp"
#include "tests/integration/checks/command/run_command.hpp"
#include "tests/integration/checks/smb/samba_server.hpp"
#include "tests/support/tcp_listener.hpp"

namespace patchlab::checks::smb {
namespace {

class SambaTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = SambaServer::why_not(); !why.empty()) GTEST_SKIP() << why;
    server_.emplace();
  }
  void start() { ASSERT_EQ(server_->start(), ""); }

  [[nodiscard]] Json account(const std::string& share, const std::string& user = SambaServer::user) const {
    return Json{{"share", share}, {"user", user}, {"password", SambaServer::password}, {"port", server_->port()}};
  }
  static CheckResult checked(const std::string& kind, const Json& parameters,
                             Milliseconds deadline = std::chrono::seconds(30),
                             const std::string& address = "127.0.0.1") {
    CheckWorkers workers;
    workers.program = SMB_CHECK_WORKER;
    workers.find = find_check;
    auto result = run_check(host_processes(), workers,
                            {CheckSpec{"share", kind, parameters, deadline}, Target{address, "127.0.0.1", "lo"}});
    // Whatever comes of it goes on record.
    const auto recorded = told(result) + result.expected + (result.error ? result.error->message : "");
    EXPECT_EQ(recorded.find(SambaServer::password), std::string::npos) << recorded;
    return result;
  }
  static std::string told(const CheckResult& result) {
    return result.reason + ": " + result.observed + "\n" + result.evidence.dump(1);
  }
  std::optional<SambaServer> server_;
};

TEST_F(SambaTest, UserWorksInItsShareAndLeavesNothingBehind) {
  start();
  auto with = account("projects");
  with["known_files"] = {{"welcome.txt", sha256("Welcome\n")}};
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(server_->share("projects")))
    left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::ElementsAre("welcome.txt"));
}

TEST_F(SambaTest, ManyFilesAreListedAndTheCaseOfNamesDoesNotMatter) {
  start();
  auto with = account("projects");
  with.update({{"names", "insensitive"}, {"files", 200}});
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(server_->share("projects")))
    left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::ElementsAre("welcome.txt"));
  with["names"] = "sensitive";
  EXPECT_EQ(checked("smb.access", with).reason, "case-ignored");
}

TEST_F(SambaTest, TwoSessionsWorkTogether) {
  start();
  auto with = account("projects");
  const auto alone = checked("smb.access", with);
  with["together"] = true;
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  fmt::print("one session {} ms, two {} ms\n", alone.duration.count(), result.duration.count());
}

TEST_F(SambaTest, WhatOneKeepsForThemselvesOthersMayNotChange) {
  start();
  auto with = account("projects");
  with["locks"] = true;
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  with.update({{"together", true}, {"names", "insensitive"}, {"files", 3}});
  const auto all = checked("smb.access", with);
  EXPECT_EQ(all.outcome, Outcome::pass) << told(all);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(server_->share("projects")))
    left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::ElementsAre("welcome.txt"));
}

TEST_F(SambaTest, AShareThatDemandsEncryptionIsFound) {
  server_->write_configuration("read only = no\n\tserver smb encrypt = required");
  start();
  auto with = account("projects");
  EXPECT_EQ(checked("smb.access", with).outcome, Outcome::pass) << "a client that can is not hindered";
  const auto result = checked("smb.encryption", with);
  EXPECT_EQ(result.reason, "plain-refused") << told(result);
  with["encryption"] = "required";
  EXPECT_EQ(checked("smb.encryption", with).outcome, Outcome::pass) << told(checked("smb.encryption", with));
  with = account("handbook", SambaServer::other_user);
  EXPECT_EQ(checked("smb.encryption", with).outcome, Outcome::pass) << told(checked("smb.encryption", with));
  with["encryption"] = "required";
  EXPECT_EQ(checked("smb.encryption", with).reason, "plain-accepted");
  EXPECT_EQ(checked("smb.encryption", account("projects", SambaServer::other_user)).reason, "list-failed");
}

TEST_F(SambaTest, AServerWithoutEncryptionIsFound) {
  server_->write_configuration("read only = no", "\tserver smb encrypt = off\n");
  start();
  Json with{{"dialects", {"2.1", "3.0", "3.0.2", "3.1.1"}}, {"encryption", "offered"}, {"port", server_->port()}};
  const auto result = checked("smb.dialects", with);
  EXPECT_EQ(result.reason, "encryption-differs") << told(result);
  with["encryption"] = "not-offered";
  EXPECT_EQ(checked("smb.dialects", with).outcome, Outcome::pass);
}

TEST_F(SambaTest, OneConnectionAtATimeIsFound) {
  server_->write_configuration("read only = no\n\tmax connections = 1");
  start();
  auto with = account("projects");
  EXPECT_EQ(checked("smb.access", with).outcome, Outcome::pass);
  with["together"] = true;
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.reason, "second-list-failed") << told(result);
}

TEST_F(SambaTest, AServerThatComesToMindTheCaseOfNamesIsFound) {
  server_->write_configuration("read only = no\n\tcase sensitive = yes");
  start();
  auto with = account("projects");
  with["names"] = "insensitive";
  EXPECT_EQ(checked("smb.access", with).reason, "case-matters") << told(checked("smb.access", with));
  with["names"] = "sensitive";
  EXPECT_EQ(checked("smb.access", with).outcome, Outcome::pass) << told(checked("smb.access", with));
}

TEST_F(SambaTest, ReadOnlyShareFailsTheStepThatWrites) {
  server_->write_configuration("read only = yes");
  start();
  const auto result = checked("smb.access", account("projects"));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "write-failed") << told(result);
  EXPECT_EQ(result.observed, "write: EACCES Permission denied");
  EXPECT_EQ(checked("smb.readonly", account("projects")).outcome, Outcome::pass);
}

TEST_F(SambaTest, StrangersAreRefused) {
  start();
  const Json stranger{{"share", "projects"}, {"user", SambaServer::user}, {"port", server_->port()}};
  const Json nobody{{"share", "projects"}, {"port", server_->port()}};
  for (const auto& with : {stranger, nobody}) {
    const auto result = checked("smb.login-refused", with);
    EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  }
}

TEST_F(SambaTest, StrangersWhoBecomeGuestsAreFound) {
  server_->write_configuration("guest ok = yes\n\tvalid users =", "\tmap to guest = bad password\n");
  start();
  const auto result =
      checked("smb.login-refused", Json{{"share", "projects"}, {"user", SambaServer::user}, {"port", server_->port()}});
  EXPECT_EQ(result.reason, "wrong-password-accepted") << told(result);
  EXPECT_EQ(checked("smb.login-refused", Json{{"share", "projects"}, {"port", server_->port()}}).reason,
            "anonymous-got-in");
}

TEST_F(SambaTest, SpeaksWhatItIsConfiguredFor) {
  start();
  const Json with{{"dialects", {"2.1", "3.0", "3.0.2", "3.1.1"}},
                  {"signing", "not-required"},
                  {"encryption", "offered"},
                  {"port", server_->port()}};
  const auto result = checked("smb.dialects", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
}

TEST_F(SambaTest, OlderDialectsAndOtherSigningAreFound) {
  server_->write_configuration("", "\tserver min protocol = NT1\n\tserver signing = mandatory\n");
  start();
  const Json with{{"dialects", {"2.1", "3.0", "3.0.2", "3.1.1"}}, {"port", server_->port()}};
  const auto result = checked("smb.dialects", with);
  EXPECT_EQ(result.reason, "dialect-spoken") << told(result);
  EXPECT_EQ(result.observed, "SMB 1: NT LM 0.12, signing required");
  const Json all{
      {"dialects", {"1", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"}}, {"signing", "required"}, {"port", server_->port()}};
  EXPECT_EQ(checked("smb.dialects", all).outcome, Outcome::pass);
}

TEST_F(SambaTest, WritableShareIsNotReadOnly) {
  start();
  const auto result = checked("smb.readonly", account("projects"));
  EXPECT_EQ(result.reason, "read-only-share-is-writable") << told(result);
  EXPECT_EQ(checked("smb.readonly", account("handbook")).outcome, Outcome::pass);
}

TEST_F(SambaTest, ChangedKnownFileIsFound) {
  start();
  auto with = account("handbook");
  with["known_files"] = {{"welcome.txt", sha256("something else")}};
  EXPECT_EQ(checked("smb.readonly", with).reason, "known-file-differs");
}

TEST_F(SambaTest, UserWithoutPermissionIsDenied) {
  start();
  auto with = account("projects", SambaServer::other_user);
  with["allowed_share"] = "handbook";
  const auto result = checked("smb.denied", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
}

TEST_F(SambaTest, UserWithPermissionIsNotDenied) {
  start();
  const auto result = checked("smb.denied", account("projects"));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "denied-user-got-in") << told(result);
}

TEST_F(SambaTest, ShareThatDoesNotExistIsNotADenial) {
  start();
  const auto result = checked("smb.denied", account("nowhere"));
  EXPECT_EQ(result.outcome, Outcome::fail) << told(result);
  EXPECT_EQ(result.reason, "refused-for-another-reason") << told(result);
}

TEST_F(SambaTest, WrongPasswordFailsTheFirstStepThatNeedsIt) {
  start();
  auto with = account("projects");
  with["password"] = "wrong";
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.reason, "list-failed") << told(result);
  with["allowed_share"] = "handbook";
  EXPECT_EQ(checked("smb.denied", with).reason, "list-allowed-share-failed");
}

constexpr const char* with_smb_1 = "\tserver min protocol = NT1\n";

TEST_F(SambaTest, AUserOfSmb1WorksInItsShareUnlessItIsSpokenNoMore) {
  server_->write_configuration("read only = no", with_smb_1);
  start();
  auto with = account("projects");
  with["dialect"] = "1";
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  server_->stop();
  server_->write_configuration("read only = no");
  start();
  const auto gone = checked("smb.access", with);
  EXPECT_EQ(gone.outcome, Outcome::fail) << told(gone);
  EXPECT_EQ(gone.reason, "list-failed") << told(gone);
  EXPECT_EQ(checked("smb.access", account("projects")).outcome, Outcome::pass) << "others are not hindered";
}

// As an update did that refused NTLM to those who came by SMB 1.
TEST_F(SambaTest, AUserOfSmb1WhoseNtlmIsRefusedIsFound) {
  server_->write_configuration("read only = no", std::string(with_smb_1) + "\tntlm auth = disabled\n");
  start();
  auto with = account("projects");
  with["dialect"] = "1";
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.reason, "list-failed") << told(result);
}

TEST_F(SambaTest, AUserOfAnOlderDialectIsTheOnlyOneWhoMissesIt) {
  server_->write_configuration("read only = no", "\tserver min protocol = SMB3_00\n");
  start();
  auto with = account("projects");
  with["dialect"] = "3.0.2";
  EXPECT_EQ(checked("smb.access", with).outcome, Outcome::pass) << told(checked("smb.access", with));
  with["dialect"] = "2.0.2";
  EXPECT_EQ(checked("smb.access", with).reason, "list-failed") << told(checked("smb.access", with));
}

TEST_F(SambaTest, AUserOfSmb1ByNetbiosWorksInItsShareUnlessThatIsRefused) {
  server_->listen_by_netbios();
  server_->write_configuration("read only = no", with_smb_1);
  start();
  auto with = account("projects");
  with.update({{"dialect", "1"}, {"netbios", true}});
  const auto by_netbios = [&] {
    return checked("smb.access", with, std::chrono::seconds(30), SambaServer::netbios_address);
  };
  const auto result = by_netbios();
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  server_->stop();
  server_->write_configuration("read only = no");
  start();
  EXPECT_EQ(by_netbios().reason, "list-failed") << told(by_netbios());
  server_->stop();
  EXPECT_EQ(by_netbios().reason, "connection-refused") << told(by_netbios());
}

TEST_F(SambaTest, APathOfANamespaceLeadsToItsTargetAndNowhereElse) {
  server_->serve_namespace({{"projects", "file2.office.example\\projects"},
                            {"second", "file1.office.example\\projects,file2.office.example\\projects"},
                            {"moved", "file3.office.example\\projects"},
                            {"to-read", "file2.office.example\\handbook"}});
  const auto plain = server_->share("namespace") / "plain";
  std::filesystem::create_directory(plain);
  std::filesystem::permissions(plain, std::filesystem::perms(0777));
  start();
  const auto by = [&](const char* path, const char* server = SambaServer::namespace_address) {
    auto with = account("namespace");
    with.update(
        {{"path", path}, {"server", server}, {"target", {{"server", "file2.office.example"}, {"share", "projects"}}}});
    return checked("smb.referral", with, std::chrono::seconds(30), SambaServer::namespace_address);
  };
  const auto good = by("projects");
  EXPECT_EQ(good.outcome, Outcome::pass) << told(good);
  EXPECT_EQ(by("projects", "office.example").outcome, Outcome::pass);
  EXPECT_EQ(by("second").outcome, Outcome::pass) << "the first one is not found";
  EXPECT_EQ(by("moved").reason, "list-failed");
  EXPECT_EQ(by("plain").reason, "not-at-target") << "what is no link is no referral";
  EXPECT_EQ(by("to-read").reason, "write-failed");
  for (const auto& folder : {plain, server_->share("projects")}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      EXPECT_EQ(entry.path().filename(), "welcome.txt") << "nothing is left behind";
  }
}

TEST_F(SambaTest, ASessionOfNetbiosThatIsRefusedIsFound) {
  const test::TcpListener refusing;
  const std::jthread server([&] {
    const Deadline patience(std::chrono::seconds(5));
    for (int i = 0; i < 2; ++i) {  // the first connection only shows that somebody listens
      const FileDescriptor client(::accept(refusing.get(), nullptr, nullptr));
      if (receive_exactly(client.get(), 72, patience).bytes.size() == 72)
        (void)send_all(client.get(), std::string("\x83\0\0\1\x82", 5), patience);
    }
  });
  auto with = account("projects");
  with.update({{"netbios", true}, {"port", refusing.port()}});
  const auto result = checked("smb.access", with);
  EXPECT_EQ(result.reason, "netbios-session-failed") << told(result);
  EXPECT_THAT(told(result), testing::HasSubstr("session refused: 0x82 called name not present"));
}

TEST_F(SambaTest, CheckDiskSmbOfTheMonitoringPluginsRunsAsItIs) {
  if (!plugins::has_plugin("check_disk_smb")) GTEST_SKIP() << "monitoring-plugins-standard is not installed";
  start();
  const auto ask = [&](const char* password) {
    return plugins::run_plugin("check_disk_smb",
                               {"-H", "localhost", "-a", "{address}", "-P", "{port}", "-s", "projects", "-u",
                                SambaServer::user, "-p", password, "-w", "99%", "-c", "100%"},
                               server_->port());
  };
  const auto right = ask(SambaServer::password);
  EXPECT_EQ(right.outcome, Outcome::pass) << told(right);
  EXPECT_THAT(right.observed, testing::HasSubstr("Disk ok"));
  const auto wrong = ask("wrong");
  EXPECT_EQ(wrong.outcome, Outcome::fail) << told(wrong);
}

TEST_F(SambaTest, NoServerIsConnectionRefusedForEveryKind) {
  for (const char* kind : {"smb.access", "smb.denied", "smb.readonly"}) {
    const auto result = checked(kind, account("projects"));
    EXPECT_EQ(result.outcome, Outcome::fail) << kind;
    EXPECT_EQ(result.reason, "connection-refused") << kind << told(result);
  }
}

TEST_F(SambaTest, FrozenServerIsNoAnswerWithinTheDeadline) {
  start();
  server_->freeze();
  const auto result = checked("smb.access", account("projects"), Milliseconds(1500));
  server_->thaw();
  EXPECT_EQ(result.outcome, Outcome::fail) << told(result);
  EXPECT_THAT(result.reason, testing::AnyOf("no-answer", "list-failed"));
}

}  // namespace
}  // namespace patchlab::checks::smb

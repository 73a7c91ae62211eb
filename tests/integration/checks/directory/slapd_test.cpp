// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The LDAP checks against OpenLDAP on loopback: one server, or two that replicate.
#include "tests/integration/checks/directory/slapd.hpp"

#include <gmock/gmock.h>

#include "tests/integration/checks/directory/checked.hpp"

namespace patchlab::checks::test {
namespace {

using ::testing::HasSubstr;

class Directory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = Slapd::why_not(); !why.empty()) GTEST_SKIP() << why;
  }
  static Json as(const Slapd& server, const std::string& user) {
    return {{"user", Slapd::name_of(user)}, {"password", Slapd::password}, {"tls", "none"}, {"port", server.port()}};
  }
  static CheckResult run(const std::string& kind, const Json& with, Milliseconds limit = std::chrono::seconds(30)) {
    return checked(kind, with, "127.0.0.1", Slapd::password, limit);
  }
  // What is below ou=people.
  static Json people(const Slapd& server, const Json& expected) {
    auto with = as(server, "admin");
    with["search"] = {
        {"base", fmt::format("ou=people,{}", Slapd::base)}, {"attributes", {"description"}}, {"expect", expected}};
    return with;
  }
  static Json only_the_unit() {
    return {{fmt::format("ou=people,{}", Slapd::base), {{"description", {"two of them", "all who are here"}}}}};
  }
  static Json change(const Slapd& from, std::uint16_t to, const std::string& user) {
    auto with = as(from, user);
    with.update({{"to", "127.0.0.1"},
                 {"to_port", to},
                 {"object_class", "applicationProcess"},
                 {"container", fmt::format("ou=people,{}", Slapd::base)}});
    return with;
  }
  static void expect_nothing_left(const Slapd& server) {
    const auto result = run("ldap.bind", people(server, only_the_unit()));
    EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  }
};

class Replication : public Directory {
 protected:
  // Both have all.
  void start_two(std::uint16_t partner_of_second, const std::string& rights = "write") {
    ASSERT_EQ(first_.start(1, second_.port(), rights), "");
    ASSERT_EQ(second_.start(2, partner_of_second, rights), "");
    if (partner_of_second == 0) return;
    const auto same = wait_until(
        system_clock_source(), {"the second server has all", std::chrono::seconds(60), Milliseconds(50), {}, {}},
        [&] { return run("ldap.bind", people(second_, only_the_unit())).outcome == Outcome::pass; });
    ASSERT_TRUE(same) << same.error().message;
  }
  Slapd first_;
  Slapd second_;
};

TEST_F(Directory, IsSearchedForWhatIsKnown) {
  Slapd server;
  ASSERT_EQ(server.start(1, 0), "");
  auto with = people(server, only_the_unit());
  with["root_dse"] = {{"namingContexts", {Slapd::base}}, {"supportedLDAPVersion", {"3"}}};
  const auto result = run("ldap.bind", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  with["root_dse"]["namingContexts"] = {"dc=other"};
  EXPECT_EQ(run("ldap.bind", with).reason, "root-dse-differs");
  EXPECT_EQ(run("ldap.bind", people(server, Json::object())).reason, "entry-added");
  auto wrong = only_the_unit();
  wrong.begin().value()["description"] = {"two of them"};
  EXPECT_EQ(run("ldap.bind", people(server, wrong)).reason, "values-differ");
  wrong["ou=machines,dc=office,dc=example"] = Json::object();
  EXPECT_EQ(run("ldap.bind", people(server, wrong)).reason, "entry-missing");
}

TEST_F(Directory, RefusesWhoHasAnotherPassword) {
  Slapd server;
  ASSERT_EQ(server.start(1, 0), "");
  Json with{{"user", Slapd::name_of("writer")}, {"tls", "none"}, {"port", server.port()}};
  const auto result = run("ldap.login-refused", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  // It is Active Directory that has such codes.
  with["sub_code"] = "52e";
  EXPECT_EQ(run("ldap.login-refused", with).reason, "sub-code-differs");
  auto wrong = as(server, "writer");
  wrong["password"] = "Loud-2";
  EXPECT_EQ(run("ldap.bind", wrong).reason, "bind-refused");
  wrong["expect_result"] = "strongerAuthRequired";
  EXPECT_EQ(run("ldap.bind", wrong).reason, "refused-for-another-reason");
  auto right = as(server, "writer");
  right["expect_result"] = "invalidCredentials";
  EXPECT_EQ(run("ldap.bind", right).reason, "bind-granted");
}

TEST_F(Replication, IsSeenBothWaysAndLeavesNothingBehind) {
  start_two(first_.port());
  for (const auto& [from, to] : {std::pair{&first_, &second_}, std::pair{&second_, &first_}}) {
    const auto result = run("ldap.replication", change(*from, to->port(), "writer"));
    EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  }
  auto of_an_entry = as(first_, "admin");
  of_an_entry.update(
      {{"to", "127.0.0.1"}, {"to_port", second_.port()}, {"entry", fmt::format("ou=people,{}", Slapd::base)}});
  const auto result = run("ldap.replication", of_an_entry);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  expect_nothing_left(first_);
}

TEST_F(Replication, ThatDoesNotComeIsFoundAndWhatWasWrittenIsTakenBack) {
  start_two(0);
  auto with = change(first_, second_.port(), "admin");
  with["within_s"] = 1;
  const auto result = run("ldap.replication", with);
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "not-replicated") << told(result);
  expect_nothing_left(first_);
}

TEST_F(Replication, SaysWhichServerDoesNotAnswerAndWritesNothingThen) {
  ASSERT_EQ(first_.start(1, 0), "");
  const auto result = run("ldap.replication", change(first_, 1, "writer"));
  EXPECT_EQ(result.reason, "reader-connection-refused") << told(result);
  auto unknown = change(first_, first_.port(), "nobody");
  EXPECT_EQ(run("ldap.replication", unknown).reason, "bind-refused");
  expect_nothing_left(first_);
}

TEST_F(Replication, SaysThatTheServerRefusesToWriteOrToTakeItBack) {
  ASSERT_EQ(first_.start(1, 0, "read"), "");
  const auto result = run("ldap.replication", change(first_, first_.port(), "writer"));
  EXPECT_EQ(result.reason, "write-refused") << told(result);
  EXPECT_THAT(result.observed, HasSubstr("50"));
  Slapd keeps_all;
  ASSERT_EQ(keeps_all.start(1, 0, "=xscdra"), "");
  const auto kept = run("ldap.replication", change(keeps_all, keeps_all.port(), "writer"));
  EXPECT_EQ(kept.reason, "clean-up-refused") << told(kept);
}

// Less time than it may take says nothing about the server.
TEST_F(Replication, WithoutTimeForItIsAnError) {
  ASSERT_EQ(first_.start(1, 0), "");
  auto with = change(first_, first_.port(), "admin");
  with["within_s"] = 60;
  const auto result = run("ldap.replication", with, std::chrono::seconds(20));
  EXPECT_EQ(result.outcome, Outcome::error) << told(result);
  ASSERT_TRUE(result.error);
  EXPECT_THAT(result.error->message, HasSubstr("replication may take 60 s"));
  expect_nothing_left(first_);
}

}  // namespace
}  // namespace patchlab::checks::test

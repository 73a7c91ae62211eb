// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Captured observations of directories, judged.
#include <gmock/gmock.h>

#include "checks/ldap/bind.hpp"
#include "checks/ldap/replication.hpp"
#include "checks/ldap/session.hpp"

namespace patchlab::checks::ldap {
namespace {

const Json good{{"ok", true}};

Json step(const char* name, Json entry) {
  entry["step"] = name;
  return entry;
}
Json refused(int code, const std::string& result, const std::string& why, const std::string& sub_code = {}) {
  Json entry{{"ok", false}, {"kind", "result"}, {"code", code}, {"result", result}, {"why", why}};
  if (!sub_code.empty()) entry["sub_code"] = sub_code;
  return entry;
}
Json seen(std::vector<Json> steps) {
  return {{"server", "10.30.0.10:636"}, {"reader", "10.30.0.20:636"}, {"steps", std::move(steps)}};
}
const Json wrong_password =
    refused(49, "invalidCredentials",
            "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v3839", "52e");
const Json simple{{"user", "lab-user@office.example"}, {"password", "x"}};

TEST(LdapResults, AreToldByNameAndSubCode) {
  EXPECT_EQ(sub_code_in("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v3839"),
            "52e");
  EXPECT_EQ(sub_code_in("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 775, v1db1"),
            "775");
  EXPECT_EQ(sub_code_in("invalid credentials"), "");
  EXPECT_EQ(result_name(8), "strongerAuthRequired");
  EXPECT_EQ(result_name(120), "result 120");
  EXPECT_TRUE(is_result_name("invalidCredentials"));
  EXPECT_FALSE(is_result_name("wrong"));
}

TEST(LdapBindJudge, TellsWhereALoginEnded) {
  const auto judged = [](std::vector<Json> steps) { return bind().judge(simple, seen(std::move(steps))); };
  const Json down{
      {"ok", false}, {"kind", "connect"}, {"code", 111}, {"reason", "connection-refused"}, {"why", "ECONNREFUSED"}};
  EXPECT_EQ(judged({step("connect", down)}).reason, "connection-refused");
  EXPECT_EQ(judged({}).reason, "no-answer");
  const Json tls{{"ok", false}, {"kind", "tls"}, {"code", -11}, {"why", "handshake failed"}};
  EXPECT_EQ(judged({step("connect", good), step("tls", tls)}).reason, "tls-failed");
  EXPECT_EQ(judged({step("connect", good), step("tls", good)}).reason, "no-answer");
  const auto at_bind = [&](const Json& entry) {
    return judged({step("connect", good), step("tls", good), step("bind", entry)});
  };
  EXPECT_EQ(at_bind({{"ok", true}, {"ssf", 0}}).outcome, Outcome::pass);
  EXPECT_EQ(at_bind(wrong_password).reason, "bind-refused");
  EXPECT_EQ(at_bind({{"ok", false}, {"kind", "closed"}, {"code", -1}, {"why", "gone"}}).reason, "connection-closed");
  EXPECT_EQ(at_bind({{"ok", false}, {"kind", "malformed"}, {"code", -4}, {"why", "?"}}).reason, "malformed-reply");
  EXPECT_EQ(at_bind({{"ok", false}, {"kind", "ours"}, {"code", 0}, {"why", "no memory"}}).outcome, Outcome::error);
}

TEST(LdapBindJudge, TakesARefusalThatIsExpectedAndNoOther) {
  auto with = simple;
  with.update({{"tls", "none"}, {"expect_result", "strongerAuthRequired"}});
  const auto judged = [&](const Json& entry) {
    return bind().judge(with, seen({step("connect", good), step("tls", good), step("bind", entry)}));
  };
  EXPECT_EQ(judged(refused(8, "strongerAuthRequired", "BindSimple: Transport encryption required.")).outcome,
            Outcome::pass);
  EXPECT_EQ(judged(wrong_password).reason, "refused-for-another-reason");
  EXPECT_EQ(judged({{"ok", true}, {"ssf", 0}}).reason, "bind-granted");
}

TEST(LdapLoginRefusedJudge, WantsTheCodeOfAWrongPassword) {
  const auto judged = [](const Json& entry, const Json& more = Json::object()) {
    Json with{{"user", "lab-other"}};
    with.update(more);
    return login_refused().judge(with, seen({step("connect", good), step("tls", good), step("bind", entry)}));
  };
  EXPECT_EQ(judged(wrong_password, {{"sub_code", "52e"}}).outcome, Outcome::pass);
  EXPECT_EQ(judged(wrong_password, {{"sub_code", "775"}}).reason, "sub-code-differs");
  EXPECT_EQ(judged({{"ok", true}, {"ssf", 0}}).reason, "wrong-password-accepted");
  EXPECT_EQ(judged(refused(53, "unwillingToPerform", "")).reason, "refused-for-another-reason");
}

// An unsigned session of a client that wanted a signature is no good one.
TEST(LdapBindJudge, WantsTheLayerThatWasAskedFor) {
  Json with{{"login", "gssapi"},
            {"user", "lab-user"},
            {"password", "x"},
            {"realm", "A.EXAMPLE"},
            {"server", "dc1.a.example"}};
  const auto judged = [&](int strength) {
    return bind().judge(with, seen({step("connect", good), step("tls", good), step("ticket", good),
                                    step("service", good), step("bind", {{"ok", true}, {"ssf", strength}})}));
  };
  EXPECT_EQ(judged(1).outcome, Outcome::pass);
  EXPECT_EQ(judged(0).reason, "layer-differs");
  with["layer"] = "seal";
  EXPECT_EQ(judged(1).reason, "layer-differs");
  EXPECT_EQ(judged(256).outcome, Outcome::pass);
}

TEST(LdapBindJudge, IsLearntFromWhatWasFound) {
  auto with = simple;
  with.update({{"root_dse", {{"isSynchronized", Json::array()}}},
               {"search", {{"base", "DC=a"}, {"attributes", {"member"}}, {"expect", Json::object()}}}});
  const auto entries = [](const Json& found) { return Json{{"ok", true}, {"entries", found}}; };
  const auto answer = seen({step("connect", good), step("tls", good), step("bind", {{"ok", true}, {"ssf", 0}}),
                            step("root dse", entries({{"", {{"isSynchronized", {"TRUE"}}}}})),
                            step("search", entries({{"CN=g,DC=a", {{"member", {"CN=b,DC=a", "CN=c,DC=a"}}}}}))});
  EXPECT_EQ(bind().judge(with, answer).reason, "root-dse-differs");
  const auto learnt = bind().expecting(with, answer);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(bind().judge(*learnt, answer).outcome, Outcome::pass);
  auto reversed = *learnt;
  reversed["search"]["expect"]["CN=g,DC=a"]["member"] = {"CN=c,DC=a", "CN=b,DC=a"};
  EXPECT_EQ(bind().judge(reversed, answer).outcome, Outcome::pass) << "values have no order";
}

class ReplicationJudge : public ::testing::Test {
 protected:
  static Judgement judged(std::vector<Json> steps) {
    auto with = simple;
    with.update({{"to", "10.30.0.20"}, {"container", "OU=lab,DC=a"}});
    std::vector<Json> all{step("connect", good), step("tls", good), step("bind", {{"ok", true}, {"ssf", 0}})};
    for (auto& one : steps) all.push_back(std::move(one));
    return replication().judge(with, seen(std::move(all)));
  }
  static Judgement judged_after_logins(std::vector<Json> steps) {
    std::vector<Json> all{step("reader connect", good), step("reader tls", good),
                          step("reader bind", {{"ok", true}, {"ssf", 0}})};
    for (auto& one : steps) all.push_back(std::move(one));
    return judged(std::move(all));
  }
};

TEST_F(ReplicationJudge, TellsTheServersApart) {
  EXPECT_EQ(
      judged({step("reader connect", good), step("reader tls", good), step("reader bind", wrong_password)}).reason,
      "reader-bind-refused");
  EXPECT_EQ(judged({}).reason, "reader-no-answer");
  const Json absent{{"ok", false}, {"kind", "absent"}, {"code", 0}, {"why", "it is not there"}};
  const Json gone{{"ok", false}, {"kind", "closed"}, {"code", -1}, {"why", "gone"}};
  const auto denied = refused(50, "insufficientAccessRights", "no");
  EXPECT_EQ(judged_after_logins({step("write", denied)}).reason, "write-refused");
  EXPECT_EQ(judged_after_logins({step("write", good), step("arrive", absent), step("clean up", good)}).reason,
            "not-replicated");
  EXPECT_EQ(judged_after_logins({step("write", good), step("arrive", gone), step("clean up", good)}).reason,
            "reader-connection-closed");
  EXPECT_EQ(judged_after_logins({step("write", good), step("arrive", good), step("clean up", denied)}).reason,
            "clean-up-refused");
  const auto both = judged_after_logins({step("write", good), step("arrive", absent), step("clean up", denied)});
  EXPECT_EQ(both.reason, "not-replicated");
  EXPECT_THAT(both.observed, ::testing::HasSubstr("clean up"));
  EXPECT_EQ(judged_after_logins({step("write", good), step("arrive", good)}).reason, "no-answer")
      << "nobody knows whether it was taken back";
  EXPECT_EQ(
      judged_after_logins({step("write", good), step("arrive", {{"ok", true}, {"ms", 40}}), step("clean up", good)})
          .outcome,
      Outcome::pass);
}

TEST(LdapParameters, AreStrict) {
  const auto refuses = [](const Check& check, const Json& base, const Json& more) {
    auto with = base;
    with.update(more);
    std::vector<JsonProblem> problems;
    check.validate(with, "", problems);
    return !problems.empty();
  };
  EXPECT_FALSE(refuses(bind(), simple, Json::object()));
  for (const auto& more : std::vector<Json>{
           {{"password", ""}},
           {{"authorities", "x"}},
           {{"tls", "none"}, {"authorities", "x"}, {"server", "a"}},
           {{"layer", "sign"}},
           {{"login", "gssapi"}},
           {{"login", "ntlm"}},
           {{"expect_result", "no"}},
           {{"expect_result", "busy"}, {"root_dse", {{"a", {"b"}}}}},
           {{"root_dse", Json::object()}},
           {{"search", {{"base", ""}, {"attributes", {"a"}}}}},
           {{"search", {{"base", ""}, {"attributes", {"a"}}, {"filter", "cn=a"}, {"expect", Json::object()}}}}})
    EXPECT_TRUE(refuses(bind(), simple, more)) << more.dump();
  const Json there{{"user", "a"}, {"password", "b"}, {"to", "10.30.0.20"}, {"container", "OU=a"}};
  EXPECT_FALSE(refuses(replication(), there, Json::object()));
  for (const auto& more : std::vector<Json>{{{"to", "dc2"}},
                                            {{"entry", "CN=a"}},
                                            {{"attribute", "info"}},
                                            {{"server", "dc1.a.example"}},
                                            {{"within_s", 0}}})
    EXPECT_TRUE(refuses(replication(), there, more)) << more.dump();
}

}  // namespace
}  // namespace patchlab::checks::ldap

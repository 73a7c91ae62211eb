// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What stands on a directory, against a controller of Samba.
#include "tests/integration/checks/directory/domain.hpp"

#include <gmock/gmock.h>

#include "tests/integration/checks/directory/checked.hpp"

namespace patchlab::checks::test {
namespace {

using ::testing::HasSubstr;

class DomainTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Domain::why_not().empty()) domain_.emplace();
  }
  static void TearDownTestSuite() { domain_.reset(); }
  void SetUp() override {
    if (!domain_) GTEST_SKIP() << Domain::why_not();
  }
  static CheckResult run(const std::string& kind, const Json& with) {
    return checked(kind, with, Domain::address, Domain::password);
  }
  static Json simple(const Json& more = Json::object()) {
    Json with{{"user", "lab-user@office.example"},
              {"password", Domain::password},
              {"server", Domain::host},
              {"authorities", domain_->authorities()}};
    with.update(more);
    return with;
  }
  static Json by_ticket(const Json& more = Json::object()) {
    Json with{{"login", "gssapi"},
              {"user", "lab-user"},
              {"password", Domain::password},
              {"server", Domain::host},
              {"realm", "OFFICE.EXAMPLE"}};
    with.update(more);
    return with;
  }
  static Json golden() {
    return {{"root_dse", {{"dnsHostName", {Domain::host}}, {"defaultNamingContext", {"DC=office,DC=example"}}}},
            {"search",
             {{"base", "CN=Users,DC=office,DC=example"},
              {"filter", "(sAMAccountName=lab-user)"},
              {"attributes", {"mail", "userPrincipalName", "info"}},
              {"expect",
               {{"CN=lab-user,CN=Users,DC=office,DC=example",
                 {{"mail", {"lab-user@office.example"}}, {"userPrincipalName", {"lab-user@office.example"}}}}}}}}};
  }
  static inline std::optional<Domain> domain_;
};

TEST_F(DomainTest, SimpleLoginsAreMadeByTlsWhoseCertificateIsBelieved) {
  for (const char* tls : {"ldaps", "starttls"}) {
    auto with = simple(golden());
    with["tls"] = tls;
    const auto result = run("ldap.bind", with);
    EXPECT_EQ(result.outcome, Outcome::pass) << tls << told(result);
    with["authorities"] = domain_->other_authorities();
    EXPECT_EQ(run("ldap.bind", with).reason, "certificate-not-believed") << tls;
    with["authorities"] = domain_->authorities();
    with["server"] = "somebody-else.office.example";
    EXPECT_EQ(run("ldap.bind", with).reason, "certificate-not-believed") << tls;
  }
  const auto useless = run("ldap.bind", simple({{"authorities", "of nobody"}}));
  EXPECT_EQ(useless.outcome, Outcome::error) << "the lab's mistake: " << told(useless);
  EXPECT_EQ(run("ldap.bind", simple({{"port", 389}})).reason, "tls-failed");
  Json plain{{"user", "lab-user@office.example"}, {"password", Domain::password}, {"tls", "none"}};
  const auto refused = run("ldap.bind", plain);
  EXPECT_EQ(refused.reason, "bind-refused") << told(refused);
  plain["expect_result"] = "strongerAuthRequired";
  EXPECT_EQ(run("ldap.bind", plain).outcome, Outcome::pass);
}

TEST_F(DomainTest, AWrongPasswordIsRefusedAsOne) {
  Json with{{"user", "lab-user@office.example"}, {"sub_code", "52e"}};
  const auto result = run("ldap.login-refused", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  with["sub_code"] = "533";
  EXPECT_EQ(run("ldap.login-refused", with).reason, "sub-code-differs");
  EXPECT_EQ(run("ldap.login-refused", {{"user", "lab-user@office.example"}, {"tls", "none"}}).reason,
            "refused-for-another-reason");
}

TEST_F(DomainTest, LoginsByTicketAreSignedOrSealed) {
  for (const char* login : {"gssapi", "gss-spnego"}) {
    for (const auto& [layer, least] : {std::pair{"sign", 1}, std::pair{"seal", 56}}) {
      auto with = by_ticket(golden());
      with.update({{"login", login}, {"layer", layer}});
      const auto result = run("ldap.bind", with);
      EXPECT_EQ(result.outcome, Outcome::pass) << login << layer << told(result);
      EXPECT_THAT(result.evidence.dump(), HasSubstr("\"ssf\":")) << least;
    }
    auto bare = by_ticket({{"login", login}, {"layer", "none"}});
    EXPECT_EQ(run("ldap.bind", bare).reason, "bind-refused") << login;
    bare["expect_result"] = "strongerAuthRequired";
    const auto result = run("ldap.bind", bare);
    EXPECT_EQ(result.outcome, Outcome::pass) << login << told(result);
  }
  EXPECT_EQ(run("ldap.bind", by_ticket({{"password", "Loud-2"}})).reason, "ticket-refused");
  EXPECT_EQ(run("ldap.bind", by_ticket({{"server", "nobody.office.example"}})).reason, "service-refused");
}

TEST_F(DomainTest, ControllerWithANameOfFifteenCharactersIsFound) {
  Json with{{"domain", "office.example"},        {"host", Domain::host},
            {"forest", "office.example"},        {"netbios_domain", "OFFICE"},
            {"netbios_name", "CONTROLLER-NINE"}, {"flags", {"ds", "kdc", "ldap", "writable"}}};
  const auto result = run("ldap.locator", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  with["netbios_name"] = "CONTROLLER-NIN";
  EXPECT_EQ(run("ldap.locator", with).reason, "netbios-name-differs");
  EXPECT_EQ(run("ldap.locator", {{"domain", "other.example"}}).reason, "not-of-the-domain");
  EXPECT_EQ(run("ldap.locator", {{"domain", "office.example"}, {"flags", {"key-list"}}}).reason, "flag-missing");
  EXPECT_EQ(run("ldap.locator", {{"domain", "office.example"}, {"port", 390}}).reason, "connection-refused");
}

TEST_F(DomainTest, SharesAreUsedByTicket) {
  const Json ntlm{{"share", "projects"}, {"user", "lab-user"}, {"password", Domain::password}, {"domain", "OFFICE"}};
  const auto by_ntlm = run("smb.access", ntlm);
  EXPECT_EQ(by_ntlm.outcome, Outcome::pass) << told(by_ntlm);
  const auto with = by_ticket({{"login", "kerberos"}, {"share", "projects"}, {"together", true}});
  const auto by_kerberos = run("smb.access", with);
  EXPECT_EQ(by_kerberos.outcome, Outcome::pass) << told(by_kerberos);
  const auto without = [&](const Json& more) {
    auto other = with;
    other.update(more);
    return run("smb.access", other).reason;
  };
  // Each of the first two would do by NTLM.
  EXPECT_EQ(without({{"kerberos_port", 1}}), "controller-failed");
  EXPECT_EQ(without({{"server", "nobody.office.example"}}), "ticket-failed");
  EXPECT_EQ(without({{"password", "Loud-2"}}), "ticket-failed");
}

TEST_F(DomainTest, AChangeIsWrittenReadAndTakenBackBySignedLogins) {
  auto with = by_ticket({{"user", "Administrator"},
                         {"to", Domain::address},
                         {"to_server", Domain::host},
                         {"container", "CN=Users,DC=office,DC=example"}});
  const auto result = run("ldap.replication", with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  with["user"] = "lab-user";
  EXPECT_EQ(run("ldap.replication", with).reason, "write-refused");
}

}  // namespace
}  // namespace patchlab::checks::test

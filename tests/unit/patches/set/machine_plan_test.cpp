// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/machine_plan.hpp"

#include <gtest/gtest.h>

#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using Names = std::vector<std::string>;
using testing::candidate;

CandidateFile deb(const std::string& package, const std::string& version, const std::string& depends = "",
                  const std::string& arch = "amd64") {
  return {canonical_deb_name(package, version, arch), std::string(64, 'a'), 1, package, version, arch, depends, ""};
}

Candidate of(const std::string& id, std::vector<CandidateFile> files) {
  Candidate out;
  out.id = id;
  out.files = std::move(files);
  return out;
}

TEST(MachinePlan, TakesTheFilesOfInstalledOlderPackages) {
  const auto plan = plan_machine({of("bind", {deb("bind9", "2"), deb("bind9-utils", "2"), deb("bind9-dev", "2")})},
                                 "dns", {{"bind9:amd64", "1"}, {"bind9-utils:amd64", "2~rc1"}});
  EXPECT_TRUE(plan.applies());
  EXPECT_EQ(plan.file_names(), (Names{"bind9_2_amd64.deb", "bind9-utils_2_amd64.deb"}));
}

TEST(MachinePlan, SaysWhyACandidateIsSkipped) {
  auto for_dns = of("role", {deb("x1", "2")});
  for_dns.roles = {"dns", "dhcp"};
  const auto plan = plan_machine({of("absent", {deb("none", "2")}), of("old", {deb("bash", "5")}), for_dns}, "mail",
                                 {{"bash:amd64", "5"}, {"x1:amd64", "1"}});
  EXPECT_FALSE(plan.applies());
  EXPECT_EQ(plan.candidates[0].skipped, "'none' is not installed");
  EXPECT_EQ(plan.candidates[1].skipped, "'bash' is installed in version 5 already");
  EXPECT_EQ(plan.candidates[2].skipped, "is for dns, dhcp machines only");
}

TEST(MachinePlan, UnderstandsEverySpellingOfTheInstalledSet) {
  for (const char* key : {"x1:amd64", "x1", "x1:all"}) {
    EXPECT_TRUE(plan_machine({of("c", {deb("x1", "2")})}, "dns", {{key, "1"}}).applies()) << key;
  }
  EXPECT_FALSE(plan_machine({of("c", {deb("x1", "2")})}, "dns", {{"x1:i386", "1"}}).applies());
  EXPECT_TRUE(plan_machine({of("c", {deb("x1", "2", "", "all")})}, "dns", {{"x1:amd64", "1"}}).applies());
  EXPECT_FALSE(plan_machine({of("c", {deb("x1", "2", "", "all")})}, "dns", {{"x10:amd64", "1"}}).applies());
}

// apt brings new packages, and only those that it needs (tests/integration/patches/apt_decides_test.cpp).
TEST(MachinePlan, BringsNoNewPackageByItself) {
  const auto set = of("c", {deb("app", "2", "libnew (>= 1), libc6"), deb("libnew", "1")});
  EXPECT_EQ(plan_machine({set}, "dns", {{"app:amd64", "1"}, {"libc6:amd64", "2"}}).file_names(),
            (Names{"app_2_amd64.deb"}));
}

TEST(MachinePlan, TakesOnlyPackagesOfTheMachinesArchitectures) {
  const auto arm = of("arm", {deb("foo", "2", "", "arm64")});
  const auto plan = plan_machine({arm}, "dns", {{"foo:all", "1"}, {"libc6:amd64", "1"}});
  EXPECT_FALSE(plan.applies());
  EXPECT_EQ(plan.candidates[0].skipped, "'foo' is for arm64, the machine is amd64");
  EXPECT_EQ(plan_machine({arm}, "dns", {{"libc6:amd64", "1"}, {"libc6:i386", "1"}}).candidates[0].skipped,
            "'foo' is for arm64, the machine is amd64 and i386");
  EXPECT_TRUE(plan_machine({of("x", {deb("foo", "2", "", "i386")})}, "dns", {{"libc6:amd64", "1"}, {"foo:i386", "1"}})
                  .applies());
}

TEST(MachinePlan, SkipsWindowsPackagesOnDebian) {
  auto update = of("KB5035968", {deb("bind9", "2")});
  update.kind = "msu";
  const auto plan = plan_machine({update}, "dns", {{"bind9:amd64", "1"}});
  EXPECT_TRUE(plan.file_names().empty());
  EXPECT_EQ(plan.candidates[0].skipped, "is a Windows package (.msu), the machine runs Debian");
}

Candidate update(const std::string& id, std::vector<std::string> os_versions) {
  WindowsPackage package;
  package.name = id;
  package.os_versions = std::move(os_versions);
  package.architecture = "amd64";
  auto candidate = of(id, {candidate_file(package)});
  candidate.kind = "msu";
  return candidate;
}
const GuestSystem server_2012{GuestFamily::windows, "6.2.9200", "amd64"};

TEST(MachinePlan, TakesOnWindowsWhatIsNotRuledOut) {
  const auto plan =
      plan_machine({update("KB1", {"6.2"}), update("KB2", {"6.3"}), update("KB3", {}), of("bind", {deb("bind9", "2")})},
                   "dns", {}, server_2012);
  EXPECT_TRUE(plan.candidates[0].applies());
  EXPECT_EQ(plan.candidates[1].skipped,
            "is for Windows Server 2012 R2 (6.3), the machine runs Windows Server 2012 (6.2.9200)");
  EXPECT_TRUE(plan.candidates[2].applies());
  EXPECT_EQ(plan.candidates[3].skipped, "is a Debian package (.deb), the machine runs Windows");
}

TEST(MachinePlan, OnWindowsRolesCount) {
  auto for_mail = update("KB1", {"6.2"});
  for_mail.roles = {"mail"};
  EXPECT_EQ(plan_machine({for_mail}, "dns", {}, server_2012).candidates[0].skipped, "is for mail machines only");
  EXPECT_TRUE(plan_machine({for_mail}, "mail", {}, server_2012).applies());
}

TEST(MachinePlan, OnWindowsAnUpdateThatAppliesReplacesTheOneItSupersedes) {
  auto newer = update("KB2", {"6.2"});
  newer.supersedes = {"KB1"};
  EXPECT_EQ(plan_machine({update("KB1", {"6.2"}), newer}, "dns", {}, server_2012).candidates[0].skipped,
            "is superseded by 'KB2'");
  newer.files[0].windows->os_versions = {"6.3"};
  EXPECT_TRUE(plan_machine({update("KB1", {"6.2"}), newer}, "dns", {}, server_2012).candidates[0].applies())
      << "what does not go there replaces nothing there";
}

TEST(MachinePlan, IsSupersededOnlyByWhatAppliesToTheMachine) {
  const auto older = of("v1", {deb("x1", "2")});
  auto newer = of("v2", {deb("x1", "3")});
  newer.supersedes = {"v1"};
  newer.roles = {"mail"};
  const InstalledSet installed{{"x1:amd64", "1"}};
  EXPECT_EQ(plan_machine({older, newer}, "mail", installed).candidates[0].skipped, "is superseded by 'v2'");
  EXPECT_TRUE(plan_machine({older, newer}, "dns", installed).candidates[0].applies()) << "v2 is not for this role";
  // Ships the package for another architecture only.
  auto foreign = of("v3", {deb("x1", "3", "", "arm64")});
  foreign.supersedes = {"v1"};
  EXPECT_TRUE(plan_machine({older, foreign}, "dns", installed).candidates[0].applies());
  // What is no update for this machine replaces nothing here either.
  auto lower = of("v4", {deb("x1", "1")});
  lower.supersedes = {"v1"};
  EXPECT_TRUE(plan_machine({older, lower}, "dns", installed).candidates[0].applies());
}

// Found before a machine starts, where its owner states the servicing stack; else the guest says it, as an error.
TEST(MachinePlan, OnWindowsAServicingStackThatIsTooOldIsUnmet) {
  auto lcu = update("lcu", {"10.0.14393"});
  lcu.files[0].windows->needs_servicing_stack = "10.0.14393.7692";
  auto ssu = update("ssu", {"10.0.14393"});
  ssu.files[0].windows->servicing_stack = "10.0.14393.9220";
  GuestSystem server{GuestFamily::windows, "10.0.14393", "amd64", "10.0.14393.4000"};
  EXPECT_EQ(
      plan_machine({lcu}, "dns", {}, server).unmet,
      (Names{"'lcu' needs servicing stack 10.0.14393.7692, the machine has 10.0.14393.4000 when it comes to it"}));
  EXPECT_EQ(plan_machine({lcu, ssu}, "dns", {}, server).unmet.size(), 1U);  // too late
  EXPECT_TRUE(plan_machine({ssu, lcu}, "dns", {}, server).unmet.empty());
  server.servicing_stack = "10.0.14393.7692";
  EXPECT_TRUE(plan_machine({lcu}, "dns", {}, server).unmet.empty());
  server.servicing_stack = "";
  EXPECT_TRUE(plan_machine({lcu}, "dns", {}, server).unmet.empty());
  server = {GuestFamily::windows, "10.0.17763", "amd64", "10.0.17763.1"};
  EXPECT_TRUE(plan_machine({lcu}, "dns", {}, server).unmet.empty());  // does not go there
}

TEST(MachinePlan, LeavesOutWhatIsSupersededInTheSet) {
  auto newer = of("v2", {deb("bind9", "2")});
  newer.supersedes = {"v1"};
  const auto plan = plan_machine({of("v1", {deb("bind9", "1.5")}), newer}, "dns", {{"bind9:amd64", "1"}});
  EXPECT_EQ(plan.file_names(), (Names{"bind9_2_amd64.deb"}));
  EXPECT_EQ(plan.candidates[0].skipped, "is superseded by 'v2'");
}

}  // namespace
}  // namespace patchlab::patches

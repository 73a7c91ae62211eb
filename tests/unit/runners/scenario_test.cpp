// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/scenario/scenario.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "checks/identity.hpp"
#include "lab/core/files.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

// A department of two machines that are domains, and what is wrong with it after a change.
class ScenarioOfDomains : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-scenario-XXXXXX";
    folder_ = ::mkdtemp(name);
    ASSERT_TRUE(write_file_atomically(folder_ / "status", "Package: bind9\n"));
    fs::create_directories(folder_ / "image");
    ASSERT_TRUE(write_file_atomically(folder_ / "image/image.json", "{}"));
    scenario_ = Json::parse(R"({
      "name": "domains",
      "departments": {"finance": {
        "network": {"subnet": "10.20.0.0/24", "gateway": "10.20.0.1", "client": "10.20.0.250"},
        "machines": {
          "dns": {"address": "10.20.0.10", "checks": [{"id": "a", "kind": "dns.query", "with": {"name": "a.", "type": "A"}}],
                  "golden": {"libvirt": "qemu:///system", "domain": "deb-dns", "system": {"family": "debian"},
                             "dpkg_status": "status"}},
          "files": {"address": "10.20.0.11", "checks": [{"id": "a", "kind": "dns.query", "with": {"name": "a.", "type": "A"}}],
                    "golden": {"libvirt": "qemu:///system", "domain": "srv2012-files",
                               "system": {"family": "windows", "version": "6.2.9200", "architecture": "amd64"}}}}}},
      "candidates": [{"source": "apt"}]})");
  }
  void TearDown() override { fs::remove_all(folder_); }

  Json& machine(const std::string& name) { return scenario_["departments"]["finance"]["machines"][name]; }
  Json& golden(const std::string& name) { return machine(name)["golden"]; }
  [[nodiscard]] Result<Scenario> parsed() const { return parse_scenario(scenario_.dump(), folder_ / "s.json"); }
  // What is said, without the file in front; empty when nothing is wrong.
  [[nodiscard]] std::string problems() const {
    const auto scenario = parsed();
    if (scenario) return {};
    EXPECT_EQ(scenario.error().error_class, ErrorClass::configuration);
    std::string text;
    const auto file = (folder_ / "s.json").string() + ": ";
    std::istringstream lines(scenario.error().message);
    for (std::string line; std::getline(lines, line);)
      text += line.substr(line.starts_with(file) ? file.size() : 0) + "\n";
    return text;
  }

  fs::path folder_;
  Json scenario_;
};

constexpr const char* files_place = "/departments/finance/machines/files";

TEST_F(ScenarioOfDomains, SaysWhichDomainsTheMachinesAreClonesOf) {
  golden("dns")["storage"] = golden("files")["storage"] = "clones";
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto& machines = scenario->departments.at(0).machines;
  const GoldenDomainRef dns{"qemu:///system", "deb-dns", {}, folder_ / "status", folder_ / "clones"};
  EXPECT_EQ(machines.at(0).golden.domain, dns);
  EXPECT_TRUE(machines.at(0).golden.recipe.empty());
  const GoldenDomainRef files{"qemu:///system",
                              "srv2012-files",
                              {.family = GuestFamily::windows, .version = "6.2.9200", .architecture = "amd64"},
                              {},
                              folder_ / "clones"};
  EXPECT_EQ(machines.at(1).golden.domain, files);
}

TEST_F(ScenarioOfDomains, SaysHowMuchSlowerACheckMayBecome) {
  machine("dns")["checks"][0]["slower_ms"] = 150;
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto& machines = scenario->departments.at(0).machines;
  EXPECT_EQ(machines.at(0).checks.at(0).slower, Milliseconds(150));
  EXPECT_EQ(machines.at(1).checks.at(0).slower, std::nullopt);
  machine("dns")["checks"][0]["slower_ms"] = 9;
  EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/dns/checks/0/slower_ms"));
}

class ScenarioWithFiles : public ScenarioOfDomains {
 protected:
  void SetUp() override {
    ScenarioOfDomains::SetUp();
    fs::create_directories(folder_ / "learnt");
    golden("files") = golden("dns");
    golden("files")["domain"] = "deb-files";
    for (const char* name : {"dns", "files"}) machine(name)["checks"] = "learnt/both.json";
  }
  void write(const std::string& text) { ASSERT_TRUE(write_file_atomically(folder_ / "learnt/both.json", text)); }
};

TEST_F(ScenarioWithFiles, ChecksComeFromAFileAsIfTheyStoodInTheList) {
  const std::string check = R"({"id": "a", "kind": "dns.query", "with": {"name": "a.", "type": "A"}, "timeout_s": 7})";
  write("// learnt\n{\"checks\": [" + check + "]}");
  machine("files")["checks"] = Json::array({Json::parse(check)});
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto& machines = scenario->departments.front().machines;
  ASSERT_EQ(machines[0].checks.size(), 1U);
  EXPECT_EQ(checks::check_digest(machines[0].checks[0]), checks::check_digest(machines[1].checks[0]));
  EXPECT_THAT(machines[0].check_files, ElementsAre(folder_ / "learnt/both.json"));
  EXPECT_THAT(machines[1].check_files, IsEmpty());
}

// Whatever a path stands in: the file may be anywhere, and a check asks for what it asked for.
TEST_F(ScenarioWithFiles, PathsAreRelativeToTheFolderThatIsNamed) {
  ASSERT_TRUE(write_file_atomically(folder_ / "plugin.sh", "#!/bin/sh\n"));
  write(R"({"checks": [{"id": "a", "kind": "command", "with": {"program": "plugin.sh"}}]})");
  const auto here = parsed();
  ASSERT_TRUE(here) << here.error().message;
  EXPECT_EQ(here->folder, folder_);
  fs::create_directories(folder_ / "else" / "where");
  const auto there = folder_ / "else" / "where" / "s.json";
  EXPECT_FALSE(parse_scenario(scenario_.dump(), there));
  for (const auto& folder : {folder_.string(), std::string("../..")}) {
    scenario_["folder"] = folder;
    const auto scenario = parse_scenario(scenario_.dump(), there);
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_EQ(scenario->file, there);
    const auto& machine = scenario->departments.front().machines.front();
    const auto& same = here->departments.front().machines.front();
    EXPECT_EQ(machine.golden.domain, same.golden.domain);
    EXPECT_EQ(machine.check_files, same.check_files);
    EXPECT_EQ(checks::check_digest(machine.checks.front()), checks::check_digest(same.checks.front()));
  }
}

TEST_F(ScenarioWithFiles, AListMayNameFilesToo) {
  write(R"({"checks": [{"id": "b", "kind": "mail.relay-refused"}]})");
  machine("dns")["checks"] = Json::array({{{"id", "a"}, {"kind", "mail.relay-refused"}}, "learnt/both.json"});
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto& checks = scenario->departments.front().machines[0].checks;
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[1].id, "b");
}

TEST_F(ScenarioWithFiles, WhatIsWrongInAFileIsSaidOnceWithItsNameAndPlace) {
  write(R"({"check": 1, "checks": [{"id": "a", "kind": "dns.query", "with": {"name": "a.", "type": "mx"}}]})");
  const auto file = (folder_ / "learnt/both.json").string();
  const auto said = problems();
  EXPECT_THAT(said, HasSubstr(file + ": /checks/0/with/type: 'mx' is not a DNS record type"));
  EXPECT_THAT(said, HasSubstr(file + ": /check: unknown key; allowed here: $schema, checks"));
  EXPECT_EQ(std::ranges::count(said, '\n'), 2) << said;
  write(R"({"checks": [)");
  EXPECT_THAT(problems(), HasSubstr(file));
  EXPECT_EQ(std::ranges::count(problems(), '\n'), 1) << problems();
}

TEST_F(ScenarioWithFiles, AFileMustBeThereUnlessItIsToBeLearnt) {
  EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/dns/checks: there is no file"));
  machine("files").erase("checks");
  scenario_.erase("candidates");
  const auto scenario = parse_scenario(scenario_.dump(), folder_ / "s.json", ScenarioFor::learning);
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto& machines = scenario->departments.front().machines;
  EXPECT_THAT(machines[0].check_files, ElementsAre(folder_ / "learnt/both.json"));
  EXPECT_THAT(machines[1].check_files, IsEmpty());
}

TEST_F(ScenarioWithFiles, APasswordMayBeThatOfAnAccount) {
  write(R"({"checks": [{"id": "w", "kind": "database.transaction",
                        "with": {"database": "erp", "user": "app", "password": {"account": "app"}}}]})");
  scenario_["roles"]["db"] = {{"accounts", {{"app", "Copper-1"}}}, {"checks", "learnt/both.json"}};
  machine("dns")["role"] = "db";
  machine("dns").erase("checks");
  machine("files")["accounts"] = {{"app", "Copper-2"}};
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto& machines = scenario->departments.front().machines;
  EXPECT_EQ(machines[0].checks[0].parameters.at("password"), "Copper-1");
  EXPECT_EQ(machines[1].checks[0].parameters.at("password"), "Copper-2");
  machine("files").erase("accounts");
  EXPECT_THAT(problems(), HasSubstr("both.json: /checks/0/with/password/account: 'app' is not an account of this"));
}

TEST_F(ScenarioOfDomains, MustSayWhatTheGuestIs) {
  golden("files").erase("system");
  EXPECT_EQ(problems(), std::string(files_place) +
                            "/golden: 'system' is required for a domain: "
                            "{\"family\": \"windows\", \"version\": \"6.2.9200\"}\n");
  golden("files")["system"] = {{"family", "windows"}};
  EXPECT_THAT(problems(), HasSubstr("/golden/system: 'version' is required"));
}

TEST_F(ScenarioOfDomains, RunAWindowsThatCanBeDriven) {
  for (const auto* version : {"10.0.26100", "10.0.26200.1", "11.0"}) {
    golden("files")["system"]["version"] = version;
    EXPECT_EQ(problems(),
              fmt::format("{}/golden/system/version: Windows {} (Server 2025 and later) is not supported yet: "
                          "it has no wmic, its .msu files are WIM images, and its updates change the "
                          "identities of optional features, so what is installed could not be told\n",
                          files_place, version));
  }
  golden("files")["system"]["version"] = "6.1.7601";
  EXPECT_THAT(problems(), HasSubstr("the oldest is Server 2012 (6.2.9200)"));
  for (const auto* version : {"6.2.9200", "6.3", "10.0.14393", "10.0.17763", "10.0.20348", "10.0.25398", "10.0"}) {
    golden("files")["system"]["version"] = version;
    EXPECT_EQ(problems(), "") << version;
  }
}

TEST_F(ScenarioOfDomains, MayStateTheServicingStack) {
  golden("files")["system"]["servicing_stack"] = "6.2.9200.23408";
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->departments.at(0).machines.at(1).golden.domain->system.servicing_stack, "6.2.9200.23408");
  golden("files")["system"]["servicing_stack"] = "6.2.9200";
  EXPECT_THAT(problems(), HasSubstr("/golden/system/servicing_stack: '6.2.9200' is no version of a servicing stack"));
}

TEST_F(ScenarioOfDomains, NameFoldersWhoseAccessRightsCount) {
  machine("files")["watch_access"] = {"D:\\Shares"};
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->departments.at(0).machines.at(1).watch_access, (std::vector<std::string>{"D:\\Shares"}));
  machine("files")["watch_access"] = {"D:\\Shares", "%TEMP%"};
  EXPECT_THAT(problems(), HasSubstr("/files/watch_access/1: '%TEMP%' must be a path such as C:\\Shares\\Finance"));
}

// Where the scenario is silent. One policy for the whole run.
TEST_F(ScenarioOfDomains, OfWindowsAreGivenTimeAndRestarts) {
  auto policy = parsed()->trial;
  EXPECT_EQ(policy.warm_reboots, 2U);
  EXPECT_EQ(policy.cold_reboots, 1U);
  EXPECT_EQ(policy.stability, std::chrono::seconds(900));
  EXPECT_EQ(policy.install_timeout, std::chrono::seconds(3600));
  EXPECT_EQ(policy.boot_timeout, std::chrono::seconds(2400));
  scenario_["trial"] = {{"warm_reboots", 1}, {"stability_s", 0}};
  policy = parsed()->trial;
  EXPECT_EQ(policy.warm_reboots, 1U);
  EXPECT_EQ(policy.cold_reboots, 1U);
  EXPECT_EQ(policy.stability, Milliseconds(0));
  scenario_.erase("trial");
  scenario_["departments"]["finance"]["machines"].erase("files");
  policy = parsed()->trial;
  EXPECT_EQ(policy.warm_reboots, 1U);
  EXPECT_EQ(policy.stability, std::chrono::seconds(20));
  EXPECT_EQ(policy.install_timeout, std::chrono::seconds(600));
}

TEST_F(ScenarioOfDomains, MayMoveTheClocksByStepsThatCanBeUnderstood) {
  scenario_["trial"] = {{"clock", {"+1d", "+90s"}}};
  ASSERT_TRUE(parsed());
  EXPECT_EQ(parsed()->trial.clock, (std::vector<std::string>{"+1d", "+90s"}));
  const auto planned = planned_phases(parsed()->trial);
  EXPECT_EQ(planned.back(), "clock+90s");
  EXPECT_EQ(planned[planned.size() - 2], "clock+1d");
  EXPECT_EQ(clock_step_from("+90m")->by, std::chrono::seconds(5400));
  EXPECT_EQ(clock_step_from("+12h")->by, std::chrono::seconds(43200));
  EXPECT_FALSE(clock_step_from("lease-t2")->by);
  for (const char* wrong : {"1d", "+0d", "-1d", "+1w", "+3651d", "+", "tomorrow"}) {
    scenario_["trial"] = {{"clock", {wrong}}};
    EXPECT_THAT(problems(), HasSubstr(std::string("/trial/clock/0: '") + wrong + "' is no step of a clock")) << wrong;
  }
  scenario_["trial"] = {{"clock", {"+1d", "+1d"}}};
  EXPECT_THAT(problems(), HasSubstr("/trial/clock/1: '+1d' is there twice"));
  scenario_["trial"] = {{"clock", {"lease-t2"}}};
  EXPECT_THAT(problems(), HasSubstr("/trial/clock/0: 'lease-t2' needs a check of kind dhcp.lease, and no machine of "
                                    "department 'finance' has one"));
}

TEST_F(ScenarioOfDomains, MaySayWhatNewErrorsMean) {
  using checks::state::FindingClass;
  EXPECT_EQ(parsed()->trial.new_errors, FindingClass::breach);
  for (const auto& [word, meant] :
       {std::pair{"fail", FindingClass::breach}, {"review", FindingClass::review}, {"off", FindingClass::notice}}) {
    scenario_["trial"] = {{"new_errors", word}};
    const auto policy = parsed()->trial;
    EXPECT_EQ(policy.new_errors, meant);
    EXPECT_EQ(trial_policy_from_json(Json(policy)).new_errors, meant);
  }
  scenario_["trial"] = {{"new_errors", "ignore"}};
  EXPECT_THAT(problems(), HasSubstr("/trial/new_errors: 'ignore' is none of: fail, review, off"));
}

TEST_F(ScenarioOfDomains, MayStopServicesAndHaveAnotherPackageBehindTheSet) {
  auto policy = parsed()->trial;
  EXPECT_EQ(policy.service_cycles, 0U);
  EXPECT_FALSE(policy.next_package);
  scenario_["trial"] = {{"stability_s", 5}, {"service_cycles", 3}, {"service_timeout_s", 300}, {"clock", {"+1d"}}};
  scenario_["next_packages"] = {{{"path", "status"}}};
  const auto scenario = parsed();
  ASSERT_TRUE(scenario) << scenario.error().message;
  policy = scenario->trial;
  EXPECT_EQ(policy.service_timeout, std::chrono::seconds(300));
  const auto planned = planned_phases(policy);
  EXPECT_EQ((std::vector<std::string>(planned.end() - 4, planned.end())),
            (std::vector<std::string>{"stability", "service-cycles", "next-package", "clock+1d"}));
  EXPECT_EQ(Json(trial_policy_from_json(Json(policy))), Json(policy));
  ASSERT_EQ(scenario->next_packages.size(), 1U);
  scenario_["next_packages"] = {{{"source", "apt"}}, {{"path", "nowhere"}}};
  EXPECT_THAT(problems(), HasSubstr("/next_packages/0: must be the same package in every night"));
  EXPECT_THAT(problems(), HasSubstr("/next_packages/1/path: there is no file or folder"));
  scenario_["next_packages"] = "canary";
  EXPECT_THAT(problems(), HasSubstr("/next_packages: must be a list of packages"));
  scenario_["trial"]["service_cycles"] = 21;
  EXPECT_THAT(problems(), HasSubstr("/trial/service_cycles"));
}

TEST_F(ScenarioOfDomains, NeedAnInstalledSetForDebianOnly) {
  golden("dns").erase("dpkg_status");
  golden("files")["dpkg_status"] = "status";
  EXPECT_THAT(problems(), HasSubstr("/dns/golden: 'dpkg_status' is required for a Debian domain: a copy of the guest's "
                                    "/var/lib/dpkg/status"));
  EXPECT_THAT(problems(), HasSubstr("/files/golden/dpkg_status: is for Debian domains only"));
  golden("dns")["dpkg_status"] = "nowhere";
  EXPECT_THAT(problems(), HasSubstr("there is no file '" + (folder_ / "nowhere").string() + "'"));
}

TEST_F(ScenarioOfDomains, KeepTheirMemory) {
  machine("files")["memory_mib"] = 2048;
  EXPECT_EQ(problems(), std::string(files_place) +
                            "/memory_mib: cannot be set here: a clone keeps the memory of its golden domain\n");
}

TEST_F(ScenarioOfDomains, AreNotImagesAsWell) {
  golden("files")["recipe"] = "image";
  EXPECT_THAT(problems(), HasSubstr(std::string(files_place) + "/golden/recipe: cannot stand beside 'domain'"));
}

TEST_F(ScenarioOfDomains, HaveNoUnknownKeys) {
  golden("files")["snapshot"] = "clean";
  EXPECT_THAT(problems(), HasSubstr(std::string(files_place) + "/golden/snapshot: "));
}

TEST_F(ScenarioOfDomains, AreNotMixedWithImages) {
  golden("files") = {{"recipe", "image"}};
  EXPECT_EQ(problems(), std::string(files_place) +
                            "/golden: 'dns' is a clone of a domain and 'files' of an image; the machines of a "
                            "department are all of one kind\n");
}

TEST_F(ScenarioOfDomains, AreOnOneLibvirtWithOneStorage) {
  golden("files")["libvirt"] = "qemu:///session";
  EXPECT_THAT(problems(), HasSubstr(std::string(files_place) + "/golden/libvirt: is not that of 'dns'"));
  golden("files")["libvirt"] = "qemu:///system";
  golden("files")["storage"] = "/elsewhere";
  EXPECT_THAT(problems(), HasSubstr(std::string(files_place) + "/golden/storage: is not that of 'dns'"));
}

TEST_F(ScenarioOfDomains, AreEachOneMachineOfADepartment) {
  golden("files") = golden("dns");
  EXPECT_EQ(problems(), std::string(files_place) +
                            "/golden/domain: 'deb-dns' is the golden domain of 'dns' too, and "
                            "both clones would have its MACs\n");
}

TEST_F(ScenarioOfDomains, ComeFromARoleAsEverythingElse) {
  scenario_["roles"]["files"] = {{"golden", golden("files")}};
  machine("files").erase("golden");
  EXPECT_EQ(problems(), "");
  scenario_["roles"]["files"]["memory_mib"] = 512;
  EXPECT_THAT(problems(), HasSubstr("/memory_mib: "));
  EXPECT_THAT(problems(), Not(HasSubstr("is required")));
}

// The nearest word counts: the machine's, its role's, its department's; without one nobody knows.
TEST_F(ScenarioOfDomains, SayHowImportantAMachineIs) {
  const auto importance = [&](std::size_t machine) {
    return parsed().value().departments[0].machines[machine].importance;
  };
  EXPECT_EQ(importance(0), std::nullopt);
  scenario_["departments"]["finance"]["importance"] = "low";
  scenario_["roles"]["files"] = {{"importance", "medium"}};
  ASSERT_EQ(problems(), "");
  EXPECT_EQ(importance(0), Importance::low);
  EXPECT_EQ(importance(1), Importance::medium);
  machine("files")["importance"] = "high";
  EXPECT_EQ(importance(1), Importance::high);
}

// Once, and at a place that is in the file.
TEST_F(ScenarioOfDomains, AMistakeInARoleIsReportedInTheRole) {
  scenario_["roles"]["a/b"] = {{"depends_on", 5}, {"checks", {{{"id", "a"}, {"kind", "dns.qurey"}}}}, {"oops", 1}};
  for (const char* name : {"dns", "files"}) {
    machine(name)["role"] = "a/b";
    machine(name).erase("checks");
  }
  EXPECT_THAT(problems(), ::testing::MatchesRegex("/roles/a~1b/depends_on: must be a list of texts, found number\n"
                                                  "/roles/a~1b/checks/0/kind: unknown check kind 'dns.qurey'[^\n]*\n"
                                                  "/roles/a~1b/oops: unknown key[^\n]*\n"));
  machine("dns")["depends_on"] = 6;
  EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/dns/depends_on: must be a list"));
  EXPECT_THAT(problems(), HasSubstr("/roles/a~1b/depends_on: must be a list"));
  // What a role lacks is nowhere in the file: the machine is where it is missed.
  scenario_["roles"]["a/b"].erase("checks");
  EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/dns: 'checks' is required"));
}

TEST_F(ScenarioOfDomains, MayHaveCommentsAndSayWhySomethingIsAccepted) {
  machine("dns")["allow"] = {{"services", {"a//b\\.service"}}};
  machine("dns")["why"] = "it starts \"late\" // on purpose";
  auto text = scenario_.dump(2);
  const auto with = "// first\n" + text.insert(text.find('\n'), "  // all of it: \"{[") + "// last";
  const auto scenario = parse_scenario(with, folder_ / "s.json");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->departments[0].machines[0].allowances.services, std::vector<std::string>{"a//b\\.service"});
  // A mistake behind one is still where it is.
  const auto wrong = parse_scenario("// one\n{ // two\n  \"name\": }", folder_ / "s.json");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("s.json:3:11: "));
  EXPECT_FALSE(parse_scenario("/ one\n{}", folder_ / "s.json"));
  machine("dns").erase("allow");
  EXPECT_EQ(problems(), "/departments/finance/machines/dns/why: says why of 'allow', which is not there\n");
  machine("dns")["why"] = "";
  EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/dns/why: an empty reason says nothing"));
}

TEST_F(ScenarioOfDomains, ARoleThatIsNoTextIsReportedAndNotTakenForTheName) {
  machine("dns")["role"] = 5;
  EXPECT_EQ(problems(), "/departments/finance/machines/dns/role: must be text, found number\n");
}

TEST_F(ScenarioOfDomains, NamesOfServicesAreThoseThatTheGuestCanBeAskedFor) {
  machine("dns")["services"] = {"named.service", "getty@tty1", "systemd-resolved"};
  machine("files")["services"] = {"LanmanServer", "MSSQL$FINANCE", "Bonjour Service"};
  EXPECT_EQ(problems(), "");
  for (const char* bad : {"named resolved", "", "--all", "a;b", "$(id)", "a\nb"}) {
    machine("dns")["services"] = {"named", bad};
    EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/dns/services/1: ")) << bad;
  }
  machine("dns")["services"] = {"named"};
  machine("files")["services"] = {"a\"b"};
  EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/files/services/0: "));
}

// Each of them made std::filesystem throw, or was cut where nobody saw it.
TEST_F(ScenarioOfDomains, PathsThatCannotBeAreProblemsWithTheirPlace) {
  fs::create_symlink("loop", folder_ / "loop");
  for (const auto& bad : {std::string(5000, 'x'), std::string("loop"), std::string("loop/x"), std::string(300, 'x')}) {
    golden("dns")["dpkg_status"] = bad;
    EXPECT_THAT(problems(), HasSubstr("/departments/finance/machines/dns/golden/dpkg_status: ")) << bad.substr(0, 9);
    golden("dns")["dpkg_status"] = "status";
    scenario_["candidates"] = {{{"path", bad}}};
    EXPECT_THAT(problems(), HasSubstr("/candidates/0/path: ")) << bad.substr(0, 9);
    scenario_["candidates"] = {{{"recipe", bad}}};
    EXPECT_THAT(problems(), HasSubstr("/candidates/0/recipe: ")) << bad.substr(0, 9);
    scenario_["candidates"] = {{{"source", "apt"}}};
  }
  scenario_["facts"] = "";
  EXPECT_THAT(problems(), HasSubstr("/facts: "));
  scenario_.erase("facts");
  scenario_["stage"] = "";
  EXPECT_EQ(problems(), "/stage: an empty path names nothing\n");
  scenario_["stage"] = std::string("a\0b", 3);
  EXPECT_THAT(problems(), HasSubstr("/stage: the text has a NUL character"));
}

}  // namespace
}  // namespace patchlab::runners

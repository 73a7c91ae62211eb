// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <unistd.h>

#include <fstream>

#include "lab/core/files.hpp"
#include "program.hpp"
#include "reports/record/kept_files.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

// Guests, installers and hosts that do not do what they should, on a real machine: the record says what happened and
// whose trouble it was, and nothing is left behind.
class Trouble : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
  }

  // The name server with one candidate: a real package whose maintainer script does this.
  Json scenario_with(const std::string& candidate, const std::string& script) const {
    const auto recipe = folder_.path() / candidate;
    fs::create_directories(recipe);
    std::ofstream(recipe / "postinst.sh") << script;
    std::ofstream(recipe / "recipe.json")
        << Json{{"id", candidate},
                {"title", "a package that makes trouble"},
                {"severity", "low"},
                {"base", {{"package", "hostname"}}},
                {"version_suffix", "+patchlab1"},
                {"scripts", {{{"script", "postinst"}, {"at", "start"}, {"from", "postinst.sh"}}}}};
    auto scenario = small_scenario();
    scenario["candidates"] = {{{"recipe", recipe.string()}}};
    scenario["trial"] = {{"warm_reboots", 0}, {"lab_retries", 0}, {"confirmations", 1}};
    return scenario;
  }

  reports::RunRecord run(const Json& scenario, int expected_code, const std::vector<std::string>& before = {}) {
    folder_.write("scenario.json", scenario.dump());
    std::vector<std::string> words = before;
    for (const char* word : {PATCHLAB_PROGRAM, "run", "scenario.json", "--runs", "runs"}) words.emplace_back(word);
    ProcessSpec spec;
    spec.program = words.front();
    spec.arguments.assign(words.begin() + 1, words.end());
    spec.working_folder = folder_.path();
    spec.time_limit = std::chrono::minutes(14);
    const auto outcome = host_processes().run(spec);
    EXPECT_EQ(exit_code(outcome), expected_code) << outcome.describe() << "\n" << outcome.output << outcome.errors;
    EXPECT_THAT(lab_processes(), IsEmpty());
    EXPECT_THAT(scratch_folders(), IsEmpty());
    EXPECT_FALSE(fs::exists(folder_.path() / "production" / "finance")) << "nothing may be published";
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder_.path() / "runs", code)) {
      if (!entry.is_directory()) continue;
      auto record = reports::read_run_record(entry.path() / reports::run_file_name);
      EXPECT_TRUE(record) << record.error().message;
      if (record) {
        EXPECT_TRUE(record->evidence) << "what the run kept has no digests";
        EXPECT_THAT(
            reports::kept_file_problems(entry.path(), record->evidence.value_or(std::vector<reports::KeptFile>())),
            IsEmpty());
      }
      if (record) return std::move(record).value();
    }
    ADD_FAILURE() << "there is no record";
    return {};
  }

  OwnCache cache_;
  TemporaryFolder folder_;
};

// When the machine is left alone: nobody has asked the name server and no process has started for ten seconds. However
// slow the host is, that is not before the checks that follow a start are through.
TEST_F(Trouble, DamageThatNeedsAWhileIsFound) {
  auto scenario = scenario_with("slow-death", R"script(mkdir -p /usr/lib/patchlab/boot-start.d
cat >/usr/lib/patchlab/boot-start.d/slow-death <<'end'
datagrams() {
  while read -r name in rest; do [ "$name" != Udp: ] || asked=$in; done </proc/net/snmp
}
forks() {
  while read -r name count rest; do [ "$name" != processes ] || started=$count; done </proc/stat
}
(
  datagrams
  at_start=$asked quiet=0
  while [ $quiet -lt 10 ]; do
    datagrams_before=$asked forks_before=$started
    sleep 1
    datagrams
    forks
    if [ "$asked" != "$at_start" ] && [ "$asked" = "$datagrams_before" ] && [ "$started" -le $((forks_before + 1)) ]; then
      quiet=$((quiet + 1))
    else
      quiet=0
    fi
  done
  kill -9 $(pidof named)
) >/dev/null 2>&1 &
end
)script");
  scenario["trial"]["warm_reboots"] = 1;
  scenario["trial"]["stability_s"] = 40;
  scenario["trial"].erase("lab_retries");  // a busy host is not what this is about
  scenario["trial"]["stability_load"] = 0;
  const auto record = run(scenario, 1);
  const auto& verdict = record.departments.at(0).verdicts.at(0);
  EXPECT_EQ(verdict.outcome, Outcome::fail) << verdict.reason;
  EXPECT_THAT(verdict.failed, Contains("dns/corp-example-a")) << verdict.reason;
  const auto* batch = reports::trial_with_purpose(record.departments[0], reports::Purpose::batch);
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(reports::find_phase(*batch, "after-reboot-1", "dns")->outcome, Outcome::pass);
  EXPECT_EQ(reports::find_phase(*batch, reports::stability_phase, "dns")->outcome, Outcome::fail);
}

TEST_F(Trouble, AGuestThatNeverBootsIsABrokenBaselineAndNoVerdict) {
  auto scenario = small_scenario();
  scenario["roles"]["dns"]["memory_mib"] = 64;  // the kernel does not get as far as its init
  scenario["trial"] = {{"boot_timeout_s", 20}};
  const auto record = run(scenario, 2);
  const auto& finance = record.departments.at(0);
  ASSERT_TRUE(finance.error);
  EXPECT_EQ(finance.error->error_class, ErrorClass::silent);
  EXPECT_THAT(finance.error->message, HasSubstr("the start of 'dns'"));
  for (const auto& verdict : finance.verdicts) EXPECT_EQ(verdict.outcome, Outcome::error) << verdict.candidate;
}

TEST_F(Trouble, AnInstallerThatHangsFailsItsCandidate) {
  auto scenario = scenario_with("hangs", "sleep 100000\n");
  scenario["trial"]["install_timeout_s"] = 15;
  const auto record = run(scenario, 1);
  const auto& verdict = record.departments.at(0).verdicts.at(0);
  EXPECT_EQ(verdict.outcome, Outcome::fail) << verdict.reason;
  EXPECT_THAT(verdict.failed, Contains("dns/install:hangs"));
  const auto* batch = reports::trial_with_purpose(record.departments[0], reports::Purpose::batch);
  ASSERT_NE(batch, nullptr);
  EXPECT_THAT(batch->installs.at(0).log, HasSubstr("did not end within 15.0 s"));
}

TEST_F(Trouble, AnAgentThatFallsSilentIsAFindingAboutTheCandidate) {
  auto scenario = scenario_with("silences", "kill -STOP $(pidof qemu-ga)\n");
  scenario["trial"]["install_timeout_s"] = 15;
  const auto record = run(scenario, 1);
  const auto& verdict = record.departments.at(0).verdicts.at(0);
  EXPECT_EQ(verdict.outcome, Outcome::fail) << verdict.reason;
  EXPECT_THAT(verdict.failed, Contains("dns/install:silences"));
}

TEST_F(Trouble, AHostWithoutDiskSpaceIsTheLabsTroubleAndNoVerdict) {
  const auto cells = cache_folder() / "cells";
  fs::create_directories(cells);
  std::vector<std::string> small_disk{"unshare", "--mount"};
  if (::geteuid() != 0) small_disk.insert(small_disk.end(), {"--user", "--map-root-user"});
  for (const std::string word : {"sh", "-c", "mount -t tmpfs -o size=48m none \"$0\" && exec \"$@\""})
    small_disk.push_back(word);
  small_disk.push_back(cells.string());
  const auto record = run(scenario_with("fills", "true\n"), 2, small_disk);
  const auto& finance = record.departments.at(0);
  ASSERT_TRUE(finance.error);
  EXPECT_EQ(finance.error->error_class, ErrorClass::infrastructure) << finance.error->message;
  for (const auto& verdict : finance.verdicts) EXPECT_EQ(verdict.outcome, Outcome::error) << verdict.candidate;
}

}  // namespace
}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Started by golden_domain_test.cpp through with-system-libvirt. Usage: windows_domain_inside FOLDER
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>

#include "golden_domain.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::e2e {
namespace {

// A golden machine with Windows, as its owner has it under libvirt: the stand-in, of which patchlab knows the domain
// and what the scenario says. What breaks a Windows machine is windows_scenario_test's.
class WindowsDomain : public GoldenDomain {
 protected:
  void SetUp() override {
    InsideSystemLibvirt::SetUp();
    if (HasFatalFailure()) return;
    const auto shipped = windows_scenario(work_.path(), {"good"});
    ASSERT_TRUE(shipped) << shipped.error().message;
    auto scenario = on_the_domain(*shipped, {{"system", {{"family", "windows"}, {"version", "6.2.9200"}}}});
    scenario["trial"] = {{"warm_reboots", 0}, {"cold_reboots", 0}, {"stability_s", 0}, {"confirmations", 0}};
    work_.write("domains.json", scenario.dump());
    // No restart, to be quick: the shipped policy would refuse that, so the stage has one of its own.
    ASSERT_TRUE(create_folders(work_.path() / "production/.ledger/policy"));
    work_.write("production/.ledger/policy/1.json", Json{{"schema", "patchlab/policy/v1"},
                                                         {"id", "without-restart"},
                                                         {"valid_since", "2026-01-01T00:00:00Z"},
                                                         {"valid_until", "2100-01-01T00:00:00Z"}}
                                                        .dump());
  }
  [[nodiscard]] std::string recipe() const override { return "windows-stand-in"; }
};

TEST_F(WindowsDomain, TakesWhatIsGoodAndGivesItBack) {
  const auto outcome = patchlab({"run", "domains.json", "--runs", "runs"}, work_.path(), std::chrono::minutes(15));
  EXPECT_EQ(exit_code(outcome), 0) << outcome.output << outcome.errors;
  const auto record = this->record();
  EXPECT_TRUE(record.complete);
  ASSERT_EQ(record.departments.size(), 1U) << outcome.errors;
  const auto& finance = record.departments[0];
  const auto* good = reports::find_verdict(finance, "KB9900001-6.2.1.0");
  ASSERT_NE(good, nullptr);
  EXPECT_EQ(good->outcome, Outcome::pass) << good->reason;
  EXPECT_EQ(good->removal, "Was removed again, and every check passed");
  expect_promoted({"KB9900001-6.2.1.0"});
  EXPECT_EQ(finance.machines.at(0).golden_digest, finance.machines.at(0).golden_digest_after);
  EXPECT_EQ(finance.fence.answers(), 0U);
  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_processes();
  expect_no_trace();
}

// Some hundred commands, one after another: under emulation that is ten minutes, too long for every day.
TEST_F(WindowsDomain, IsRecordedWithoutItsNamesAndUnderstoodFromThat) {
  if (const char* wanted = std::getenv("PATCHLAB_RECORD"); wanted == nullptr || *wanted != '1')
    GTEST_SKIP() << "PATCHLAB_RECORD=1 records the stand-in";
  const auto outcome =
      patchlab({"guest", "record", "--domain", "dns-golden", "--connect", lab::libvirt::uri, "--storage",
                (lab::libvirt::lab_folder / "storage").string(), "--address", "10.20.0.10/24", "recorded"},
               work_.path(), std::chrono::minutes(40));
  std::cout << outcome.output << outcome.errors << read_file(work_.path() / "recorded.names.txt").value_or("");
  // A tool that the stand-in does not have may cost its own reply.
  EXPECT_THAT(exit_code(outcome), ::testing::AnyOf(0, 3)) << outcome.errors;
  const auto replayed = patchlab({"guest", "replay", "recorded", "--json"}, work_.path(), std::chrono::minutes(1));
  const auto json = Json::parse(replayed.output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << replayed.output << replayed.errors;
  for (const auto& step : json.at("steps")) EXPECT_EQ(step.at("trouble"), "") << step.at("step");
  EXPECT_FALSE(json.at("installed").empty());
  EXPECT_TRUE(json.at("state").at("services").contains("DNS")) << json.at("state").dump();
  EXPECT_EQ(json.dump().find("10.20.0.10"), std::string::npos);
  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_processes();
  expect_no_trace();
}

}  // namespace
}  // namespace patchlab::e2e

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2) return 64;
  patchlab::lab::libvirt::lab_folder = argv[1];
  return RUN_ALL_TESTS();
}

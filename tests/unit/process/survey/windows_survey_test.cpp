// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/digest.hpp"
#include "process/acquire/due.hpp"
#include "process/scan/windows.hpp"
#include "process/survey/survey.hpp"
#include "tests/support/catalogue_sample.hpp"
#include "tests/support/feeds.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/lab/guest/recording/recording_test_support.hpp"

namespace patchlab::process {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;
namespace recording = lab::guest::recording;

class NoPrograms final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& /*spec*/, std::stop_token /*stop*/) override {
    ADD_FAILURE() << "nobody is asked for updates of a Windows machine";
    return {NotStarted{"not here"}, {}, {}};
  }
};

// A recording of a fake Windows machine as the golden domain's.
class WindowsSurvey : public recording::RecordingTest {
 protected:
  ScannedMachine surveyed(const std::filesystem::path& folder) {
    runners::MachinePlan machine;
    machine.name = machine.role = "dns";
    machine.golden.domain = runners::GoldenDomainRef{"qemu:///system", "srv2019", {}, {}, {}, folder};
    machine.golden.domain->system = {GuestFamily::windows, "10.0.17763"};
    runners::DepartmentPlan department;
    department.name = "finance";
    department.machines = {machine};
    runners::Scenario scenario;
    scenario.departments = {department};
    SurveyRequest request;
    request.cache = folder_.path() / "cache";
    NoPrograms programs;
    const auto found = survey(scenario, programs, request);
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found && found->machines.size() == 1 ? found->machines[0] : ScannedMachine();
  }
  ScannedMachine surveyed(const recording::Recording& said) {
    const auto folder = folder_.path() / fmt::format("recording-{}", ++count_);
    const auto written = recording::write_recording(folder, said);
    EXPECT_TRUE(written) << written.error().message;
    return surveyed(folder);
  }
  test::TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(WindowsSurvey, ReadsWhatTheMachineSaidOfItself) {
  const auto said = recorded();
  const auto views = recording::understanding_of(said).views;
  const auto machine = surveyed(said);
  EXPECT_EQ(machine.not_known, "");
  ASSERT_TRUE(machine.windows);
  EXPECT_EQ(machine.windows->version, "10.0.17763.5329");
  EXPECT_EQ(machine.windows->architecture, "amd64");
  ASSERT_FALSE(views.quick_fixes.empty()) << "the machine lists something";
  for (const auto& kb : views.quick_fixes) EXPECT_THAT(machine.windows->updates, Contains(Pair(kb, "installed")));
}

TEST_F(WindowsSurvey, TakesWhatIsNotUnderstoodForNoAnswer) {
  EXPECT_THAT(surveyed(std::filesystem::path()).not_known, HasSubstr("by a recording of it: patchlab guest record"));
  EXPECT_THAT(surveyed(folder_.path() / "nothing").not_known, HasSubstr("what is installed cannot be read"));
  auto said = recorded();
  reply_of(said, "quick-fixes").output.clear();
  EXPECT_THAT(surveyed(said).not_known, HasSubstr("what is installed is not understood"));
  said = recorded();
  said.machine.release = "10.0.14393.1";
  EXPECT_THAT(surveyed(said).not_known,
              HasSubstr("is a recording of Windows '10.0.14393.1', and the scenario says 10.0.17763"));
}

// From what the machine said to the files that are to be brought.
TEST_F(WindowsSurvey, IsScannedAndSaysWhichFilesAreDue) {
  tests::SampleCatalogue sample;
  sample.cabinets = {0};
  sample.updates = {{100, "5050001", "2026-11 Cumulative Update", {}, {}, {{"kb5050001-x64.cab", "november"}}}};
  folder_.write("feeds/wsusscn2.cab", tests::catalogue_bytes(sample));
  folder_.write("feeds/csaf/1.json", tests::csaf_json({}).dump());
  ScanInput input;
  input.today = *day_in("2026-11-28");
  const auto table = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios/policies/cisa-bod-26-04.csv";
  input.table = parse_decision_table(read_file(table).value(), "shipped").value();
  input.machines = {surveyed(recorded())};
  FeedsWanted wanted;
  wanted.today = input.today;
  wanted.windows_products = windows_products_of(input.machines);
  const auto feeds = read_feeds(folder_.path() / "feeds", wanted);
  ASSERT_TRUE(feeds) << feeds.error().message;
  input.feeds = *feeds;
  offer_windows_updates(input.machines[0], input.feeds, input.not_known);
  const auto result = scan(input);
  const auto missing = std::ranges::find(result.rows, "KB5050001", &ScanRow::item);
  ASSERT_NE(missing, result.rows.end());
  EXPECT_EQ(missing->status, RowStatus::missing);
  EXPECT_EQ(missing->why, "the machine is at 10.0.17763.5329, and it brings 10.0.17763.6532");
  ASSERT_EQ(missing->vulnerabilities.size(), 1U);
  EXPECT_EQ(missing->vulnerabilities[0].cve, "CVE-2026-1001");
  EXPECT_EQ(std::ranges::count(result.rows, "KB2756872", &ScanRow::item), 1) << "what it has is told, too";
  const auto due = due_files(result, input.machines, {});
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].name, "kb5050001-x64.cab");
  EXPECT_EQ(due[0].bytes, 8U);
  EXPECT_EQ(due[0].sha256, sha256("november"));
  EXPECT_EQ(due[0].kb, "KB5050001");
  EXPECT_EQ(due[0].sha1.size(), 40U);
  EXPECT_THAT(due[0].from, HasSubstr("http://download.windowsupdate.com/"));
  EXPECT_FALSE(due[0].is_of_apt());
}

}  // namespace
}  // namespace patchlab::process

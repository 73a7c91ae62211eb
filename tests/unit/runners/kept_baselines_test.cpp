// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_baselines.hpp"

#include <gmock/gmock.h>

#include "lab/core/paths.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/full_cell_job.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class KeptBaselinesTest : public ::testing::Test {
 protected:
  KeptBaselinesTest() {
    job_.libvirt.reset();
    job_.kept_baseline.reset();
  }
  // As a run with its cell's folder does: `run` keeps what its cell said.
  void keep(const std::string& run, Json event) {
    auto all = of_run(run);
    const auto states = all.of(job_, cell_folder(run));
    event["event"] = "baseline";
    states->heard({{"event", "timing"}});
    states->heard(event);
    states->keep({.id = "finance/baseline", .machines = {"dns", "mail"}});
  }
  std::optional<cell::KeptBaseline> bring(const std::string& run) {
    auto all = of_run(run);
    return all.of(job_, cell_folder(run))->bring();
  }
  KeptBaselines of_run(const std::string& run) {
    return {store_, {.run = run, .made_by = made_by_, .ticks = ticks_, .most_age = age_}, clock_};
  }
  std::filesystem::path cell_folder(const std::string& run) {
    for (const auto& machine : job_.machines)
      folder_.write(run + "/" + cell::disk_name(machine.plan.name), "overlay of " + run);
    return folder_.path() / run;
  }
  static Json usual() { return {{"usual_ready_ms", {{"dns", 900}, {"mail", 4000}}}}; }

  const test::TemporaryFolder folder_;
  test::FakeClock clock_;
  std::vector<std::string> told_;
  snapshots::StateStore store_{folder_.path() / "states", 1U << 30U, clock_,
                               [this](const std::string& sentence) { told_.push_back(sentence); }};
  cell::CellJob job_ = test::full_cell_job();
  std::string made_by_ = "program, hypervisor, host";
  std::uint32_t ticks_ = 2596;
  Milliseconds age_ = std::chrono::hours(24);
};

TEST_F(KeptBaselinesTest, ALaterRunGetsTheDisksAndHowLongPortsUsuallyTook) {
  keep("r1", usual());
  const auto kept = bring("r2");
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, (cell::KeptBaseline{"r1", {{"dns", Milliseconds(900)}, {"mail", Milliseconds(4000)}}}));
  EXPECT_EQ(read_file(folder_.path() / "r2/dns.qcow2").value(), "overlay of r1");
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(KeptBaselinesTest, ADepartmentThatIsAlikeGetsItToo) {
  keep("r1", usual());
  job_.department = "engineering";
  EXPECT_TRUE(bring("r2"));
  job_.machines[0].golden_digest = "another";
  EXPECT_FALSE(bring("r2"));
}

TEST_F(KeptBaselinesTest, AnotherMakerOrAnotherSortOfHostGetsNone) {
  keep("r1", usual());
  ticks_ = 2597;
  EXPECT_TRUE(bring("r2")) << "the same, measured once more";
  ticks_ = 2650;
  EXPECT_FALSE(bring("r2"));
  ticks_ = 2596;
  made_by_ = "another program";
  EXPECT_FALSE(bring("r2"));
}

TEST_F(KeptBaselinesTest, OneThatIsTooOldIsNotTaken) {
  keep("r1", usual());
  clock_.advance(std::chrono::hours(24));
  EXPECT_TRUE(bring("r2"));
  clock_.advance(std::chrono::hours(1));
  EXPECT_FALSE(bring("r2"));
  age_ = std::chrono::hours(48);
  EXPECT_TRUE(bring("r2")) << "this scenario takes it";
}

TEST_F(KeptBaselinesTest, OneThatWasNoGoodIsTakenByNobody) {
  keep("r1", usual());
  auto all = of_run("r2");
  const auto states = all.of(job_, cell_folder("r2"));
  ASSERT_TRUE(states->bring());
  states->refuse();
  EXPECT_THAT(store_.entries().value(), IsEmpty());
  EXPECT_FALSE(bring("r3"));
}

// After a restart a service is waited for as long as it usually takes, so nobody goes on without knowing that.
TEST_F(KeptBaselinesTest, WithoutTheUsualTimesNothingIsKept) {
  keep("r1", Json::object());
  keep("r1", {{"usual_ready_ms", {{"dns", 900}}}});
  keep("r1", {{"usual_ready_ms", {{"dns", 900}, {"mail", "soon"}}}});
  keep("r1", {{"usual_ready_ms", {{"dns", 900}, {"mail", -1}}}});
  EXPECT_THAT(store_.entries().value(), IsEmpty());
}

TEST_F(KeptBaselinesTest, GoldenDomainsHaveNone) {
  job_.libvirt = {"qemu:///system", "r1", "/var/lib/clones"};
  EXPECT_EQ(of_run("r1").of(job_, folder_.path()), nullptr);
}

}  // namespace
}  // namespace patchlab::runners

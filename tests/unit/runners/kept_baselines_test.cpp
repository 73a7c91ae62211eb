// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_baselines.hpp"

#include <gmock/gmock.h>

#include <future>

#include "lab/core/paths.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/full_cell_job.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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
    const auto states = all.of(job_, cell_folder(run), {});
    event["event"] = "baseline";
    states->heard({{"event", "timing"}});
    states->heard(event);
    states->keep({.id = "finance/baseline", .machines = {"dns", "mail"}});
  }
  std::optional<cell::KeptBaseline> bring(const std::string& run) {
    auto all = of_run(run);
    return all.of(job_, cell_folder(run), {})->bring();
  }
  KeptBaselines of_run(const std::string& run) {
    return {store_,
            {.run = run,
             .made_by = made_by_,
             .ticks = ticks_,
             .most_age = age_,
             .most_age_of_installs = age_of_installs_,
             .takes_installs = takes_installs_},
            clock_,
            [this](const std::string& sentence) { told_.push_back(sentence); }};
  }
  // A run that goes on from what is kept, or starts, and keeps what its last trial installed on 'dns'.
  void keep_installs(const std::string& run, const std::vector<std::string>& candidates,
                     const cell::PatchedStates& before = {}) {
    auto all = of_run(run);
    const auto states = all.of(job_, cell_folder(run), {});
    if (!states->bring()) {
      auto event = usual();
      event["event"] = "baseline";
      states->heard(event);
      states->keep({.id = "finance/baseline", .machines = {"dns", "mail"}});
    }
    folder_.write(run + "/dns.qcow2", "overlay of " + run + " with more");
    auto installed = before;
    installed["dns"].push_back(state_of(candidates));
    states->keep_installs(std::move(installed));
  }
  [[nodiscard]] cell::PatchedState state_of(const std::vector<std::string>& candidates) const {
    cell::PatchedState state{.digests = {}, .jobs = {}, .installs = {}, .expected = {}, .baseline = {}, .since = {}};
    state.since = rfc3339(clock_.wall());
    state.expected = {{{"bind9", "2"}}, "boot-1", checks::state::Restart::outstanding};
    state.baseline = {{{"bind9", "1"}}, "boot-1"};
    for (const auto& id : candidates) {
      state.digests.push_back("digest-" + id);
      state.jobs.push_back("job-" + id);
      state.installs.push_back({.machine = "dns", .candidate = id, .outcome = Outcome::pass, .log = "Setting up"});
      state.installs.back().installed_in = "finance/t02";
    }
    return state;
  }
  void change_facts(const std::function<void(Json&)>& change) {
    const auto key = store_.entries().value().at(0).state.key;
    const auto file = folder_.path() / "states" / key / "state.json";
    auto manifest = Json::parse(read_file(file).value());
    change(manifest["facts"]);
    ASSERT_TRUE(write_file_atomically(file, manifest.dump(), 0600));
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
  Milliseconds age_of_installs_ = std::chrono::hours(24);
  bool takes_installs_ = true;
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
  const auto states = all.of(job_, cell_folder("r2"), {});
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

TEST_F(KeptBaselinesTest, ALaterRunGetsWhatWasInstalledAndBy) {
  keep_installs("r1", {"a", "b"});
  const auto kept = bring("r2");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->run, "r1");
  ASSERT_THAT(kept->patched, SizeIs(1));
  auto expected = state_of({"a", "b"});
  for (auto& install : expected.installs) install.installed_run = "r1";
  EXPECT_EQ(kept->patched.at("dns").at(0), expected);
  EXPECT_THAT(kept->useless, IsEmpty());
  EXPECT_EQ(read_file(folder_.path() / "r2/dns.qcow2").value(), "overlay of r1 with more");
  EXPECT_THAT(store_.entries().value().at(0).state.purpose, HasSubstr("; with candidates installed on dns"));
  EXPECT_THAT(told_, IsEmpty());
}

// The baseline does not become younger, and who installed what stays known.
TEST_F(KeptBaselinesTest, WhatALaterRunInstalledOnTopIsKeptWithTheSameBaseline) {
  keep_installs("r1", {"a"});
  const auto before = bring("r2")->patched;
  clock_.advance(std::chrono::hours(10));
  keep_installs("r2", {"a", "b"}, before);
  const auto kept = bring("r3");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->run, "r1");
  ASSERT_THAT(kept->patched.at("dns"), SizeIs(2));
  EXPECT_EQ(kept->patched.at("dns")[0].installs[0].installed_run, "r1");
  EXPECT_EQ(kept->patched.at("dns")[1].installs[0].installed_run, "r2");
  clock_.advance(std::chrono::hours(15));
  EXPECT_FALSE(bring("r4")) << "the baseline is too old";
}

// The store gives up first what saves least: what is installed on top is counted once, whichever states it is in.
TEST_F(KeptBaselinesTest, ItIsKnownHowLongAllOfItTookToMake) {
  const auto made_in = [&] { return store_.entries().value().at(0).state.made_in; };
  const auto of = [&](const std::vector<std::pair<std::string, int>>& installs, const std::string& machine = "dns") {
    std::vector<std::string> ids;
    for (const auto& [id, seconds] : installs) ids.push_back(id);
    auto state = state_of(ids);
    for (std::size_t i = 0; i < installs.size(); ++i) {
      state.installs[i].duration_ms = installs[i].second * 1000;
      state.installs[i].machine = machine;
    }
    return state;
  };
  auto first = of_run("r1");
  const auto one = first.of(job_, cell_folder("r1"), {});
  ASSERT_FALSE(one->bring());
  auto event = usual();
  event["event"] = "baseline";
  one->heard(event);
  one->keep({.id = "finance/baseline", .machines = {"dns", "mail"}, .duration_ms = 60'000});
  EXPECT_EQ(made_in(), std::chrono::seconds(60));
  one->keep_installs(
      {{"dns", {of({{"a", 5}}), of({{"a", 5}, {"b", 7}}), of({{"b", 8}})}}, {"mail", {of({{"a", 9}}, "mail")}}});
  EXPECT_EQ(made_in(), std::chrono::seconds(60 + 5 + 7 + 8 + 9));
  auto second = of_run("r2");
  const auto other = second.of(job_, cell_folder("r2"), {});
  ASSERT_TRUE(other->bring());
  other->keep_installs({{"dns", {of({{"a", 5}})}}});
  EXPECT_EQ(made_in(), std::chrono::seconds(60 + 5)) << "what is not in it any more is not counted";
}

TEST_F(KeptBaselinesTest, WithNothingNewNothingIsWritten) {
  keep_installs("r1", {"a"});
  const auto before = bring("r2")->patched;
  auto all = of_run("r2");
  const auto states = all.of(job_, cell_folder("r2"), {});
  ASSERT_TRUE(states->bring());
  folder_.write("r2/dns.qcow2", "overlay of r2");
  states->keep_installs(before);
  ASSERT_TRUE(bring("r3"));
  EXPECT_EQ(read_file(folder_.path() / "r3/dns.qcow2").value(), "overlay of r1 with more");
}

TEST_F(KeptBaselinesTest, WhatWasInstalledTooLongAgoOrIsNotWantedIsUseless) {
  keep_installs("r1", {"a"});
  const auto is_useless = [&] {
    const auto kept = bring("r2");
    return kept && kept->patched.empty() && kept->useless.at("dns") == std::vector{state_of({"a"}).snapshot().text()};
  };
  EXPECT_FALSE(is_useless());
  takes_installs_ = false;
  EXPECT_TRUE(is_useless()) << "run --anew";
  takes_installs_ = true;
  age_of_installs_ = std::chrono::hours(5);
  clock_.advance(std::chrono::hours(6));
  EXPECT_TRUE(is_useless());
  age_of_installs_ = Milliseconds{0};
  EXPECT_TRUE(is_useless()) << "the scenario does not ask for it";
}

TEST_F(KeptBaselinesTest, WhatIsSaidOfThemIsBelievedWholeOrNotAtAll) {
  const std::vector<std::function<void(Json&)>> changes{
      [](Json& facts) { facts["patched"]["dns"][0]["installs"][0]["log"] = "all was well"; },
      [](Json& facts) { facts["patched"]["dns"][0]["digests"][0] = "digest-of-another"; },
      [](Json& facts) { facts.erase("patched_sha256"); },
      [](Json& facts) { facts["patched_sha256"] = 7; },
      [](Json& facts) { facts["patched"] = 7; },
  };
  for (const auto& change : changes) {
    told_.clear();
    keep_installs("r1", {"a"});
    ASSERT_TRUE(bring("r2"));
    change_facts(change);
    EXPECT_FALSE(bring("r2"));
    EXPECT_THAT(told_, ElementsAre(HasSubstr("is not used, and removed")));
    EXPECT_THAT(store_.entries().value(), IsEmpty());
  }
}

TEST_F(KeptBaselinesTest, OneOfTwoDepartmentsThatAreAlikeKeepsWhatItInstalled) {
  keep("r1", usual());
  auto all = of_run("r2");
  const auto one = all.of(job_, cell_folder("r2"), {});
  const auto other = all.of(job_, cell_folder("r2b"), {});
  ASSERT_TRUE(one->bring());
  ASSERT_TRUE(other->bring());
  one->keep_installs({{"dns", {state_of({"a"})}}});
  other->keep_installs({{"dns", {state_of({"a", "b"})}}});
  EXPECT_THAT(bring("r3")->patched.at("dns").at(0).digests, ElementsAre("digest-a"));
  EXPECT_THAT(told_, IsEmpty());
}

// Two of one run at the same time: the second asks in a thread of its own.
class EqualDepartments : public KeptBaselinesTest {
 protected:
  EqualDepartments() {
    other_job_.department = "engineering";
    first_ = all_.of(job_, cell_folder("one"), {});
    EXPECT_FALSE(first_->bring());
    second_ = all_.of(other_job_, cell_folder("other"), stop_.get_token());
  }
  std::future<std::optional<cell::KeptBaseline>> second_asks() {
    auto asked = std::async(std::launch::async, [this] { return second_->bring(); });
    waits_.get_future().wait();
    return asked;
  }
  void first_keeps() {
    auto event = usual();
    event["event"] = "baseline";
    first_->heard(event);
    first_->keep({.id = "finance/baseline", .machines = {"dns", "mail"}});
  }

  std::promise<void> waits_;
  std::stop_source stop_;
  cell::CellJob other_job_ = job_;
  KeptBaselines all_{store_,
                     {.run = "r1", .made_by = made_by_, .ticks = ticks_, .most_age = age_},
                     clock_,
                     [this](const std::string& sentence) {
                       told_.push_back(sentence);
                       if (sentence.find("waits for") != std::string::npos) waits_.set_value();
                     }};
  std::unique_ptr<BaselineStates> first_, second_;
};

TEST_F(EqualDepartments, OneMakesTheBaselineAndTheOtherTakesIt) {
  auto asked = second_asks();
  EXPECT_EQ(asked.wait_for(Milliseconds(0)), std::future_status::timeout);
  EXPECT_THAT(told_, ElementsAre("engineering: waits for the baseline of 'finance', whose machines are equal"));
  first_keeps();
  const auto kept = asked.get();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->run, "r1");
  EXPECT_EQ(read_file(folder_.path() / "other/dns.qcow2").value(), "overlay of one");
}

TEST_F(EqualDepartments, ABaselineThatDoesNotPassKeepsNobodyWaiting) {
  auto asked = second_asks();
  first_.reset();
  EXPECT_FALSE(asked.get());
}

TEST_F(EqualDepartments, OneThatCannotBeKeptKeepsNobodyWaiting) {
  auto asked = second_asks();
  first_->keep({.id = "finance/baseline", .machines = {"dns", "mail"}});  // its cell said nothing of it
  EXPECT_FALSE(asked.get());
}

TEST_F(EqualDepartments, WaitNoLongerThanTheRun) {
  auto asked = second_asks();
  stop_.request_stop();
  EXPECT_FALSE(asked.get());
}

TEST_F(EqualDepartments, ThatAreNotEqualDoNotWait) {
  other_job_.machines[0].golden_digest = "another";
  EXPECT_FALSE(all_.of(other_job_, cell_folder("third"), {})->bring());
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(KeptBaselinesTest, GoldenDomainsHaveNone) {
  job_.libvirt = {"qemu:///system", "r1", "/var/lib/clones"};
  EXPECT_EQ(of_run("r1").of(job_, folder_.path(), {}), nullptr);
}

}  // namespace
}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_convictions.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "lab/core/paths.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/runners/department_fixture.hpp"

namespace patchlab::runners {
namespace {

using reports::Purpose;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Nights of one department, each a run of its own, in one cache.
class KeptConvictionsTest : public ::testing::Test {
 protected:
  using Change = std::function<void(Fixture&)>;

  // 'bad' breaks dns, 'left' and 'right' together break db, 'user' needs 'bad'; the others are good.
  static void usual(Fixture& lab) {
    lab.machine("dns").machine("db").machine("mail");
    lab.candidate("good", {"dns", "mail"}).candidate("bad", {"dns"}).candidate("left", {"db"});
    lab.candidate("right", {"db"}).candidate("other", {"db"}).candidate("letters", {"mail"});
    lab.candidate("user", {"mail"}, {1});
    lab.lab.breaks["dns"] = {{"bad"}};
    lab.lab.breaks["db"] = {{"left", "right"}};
  }
  reports::DepartmentRecord night(const Change& change = {}) { return night_of(lab_.emplace(), change); }
  reports::DepartmentRecord night_of(Fixture& lab, const Change& change) {
    usual(lab);
    if (change) change(lab);
    return run(lab);
  }
  reports::DepartmentRecord run(Fixture& lab) {
    KeptConvictions kept({.folder = folder_.path(),
                          .run = fmt::format("2026112{}-010000-aaaa", ++nights_),
                          .asked_by = "me",
                          .most_age = std::chrono::hours(48),
                          .reads = reads_},
                         clock_, [this](const std::string& sentence) { told_.push_back(sentence); });
    lab.job.convictions = &kept;
    return lab.run();
  }
  static std::map<std::string, std::string> known(const reports::DepartmentRecord& record) {
    std::map<std::string, std::string> runs;
    for (const auto& entry : record.verdicts) {
      if (!entry.known_from.empty()) runs[entry.candidate] = entry.known_from;
    }
    return runs;
  }

  const test::TemporaryFolder folder_;
  NightClock clock_;
  int nights_ = 0;
  bool reads_ = true;
  std::vector<std::string> told_;
  std::optional<Fixture> lab_;
};

TEST_F(KeptConvictionsTest, HoldBackWithoutATrialWhatIsAsItWas) {
  const auto first = night();
  EXPECT_THAT(known(first), IsEmpty());
  EXPECT_GT(lab_->lab.count(Purpose::confirm), 0);
  clock_.time += std::chrono::hours(24);
  const auto second = night();
  for (const auto& before : first.verdicts) {
    const auto& now = verdict(second, before.candidate);
    SCOPED_TRACE(before.candidate);
    EXPECT_EQ(now.outcome, before.outcome);
    EXPECT_EQ(now.group, before.group);
    EXPECT_EQ(now.failed, before.failed);
    const bool fails = before.outcome == Outcome::fail;
    EXPECT_EQ(now.known_from, fails ? "20261121-010000-aaaa" : "");
    EXPECT_EQ(now.reason, before.reason + (fails ? "; seen by run 20261121-010000-aaaa of 2026-11-28 02:00 UTC, and "
                                                   "not tried again before 2026-11-30 02:00 UTC"
                                                 : ""));
    if (fails) EXPECT_THAT(now.trials, IsEmpty()) << "what this run tried is no evidence of it";
  }
  EXPECT_EQ(verdict(second, "user").outcome, Outcome::not_reached) << "it needs what is held back";
  EXPECT_EQ(lab_->lab.count(Purpose::search) + lab_->lab.count(Purpose::confirm), 0);
  ASSERT_THAT(tried(*lab_, Purpose::batch), ElementsAre(ElementsAre("good", "other", "letters")));
  EXPECT_EQ(second.final_trial, "finance/t02") << "what is left passes at once";
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(KeptConvictionsTest, AreOfExactlyWhatWasThere) {
  struct Case {
    const char* what;
    Change change;
    std::vector<std::string> held;  // that are not tried
  };
  const auto candidate = [](Fixture& lab, const std::string& id) -> PlannedCandidate& {
    return *std::ranges::find(lab.job.candidates, id, &PlannedCandidate::id);
  };
  const std::vector<std::string> all{"bad", "left", "right"};
  const std::vector<std::string> bad{"bad"};
  const std::vector<std::string> pair{"left", "right"};
  const std::vector<Case> cases{
      {"nothing changed", {}, all},
      {"something good is gone", [](auto& lab) { lab.job.candidates.erase(lab.job.candidates.begin() + 4); }, all},
      {"something new for another machine", [](auto& lab) { lab.candidate("new", {"mail"}); }, all},
      {"something new beside it", [](auto& lab) { lab.candidate("new", {"db"}); }, bad},
      {"something new on all machines",
       [](auto& lab) {
         lab.candidate("new", {"db", "dns", "mail"});
       },
       {}},
      {"other bytes", [&](auto& lab) { candidate(lab, "bad").digest += "2"; }, pair},
      {"half of the pair has other bytes", [&](auto& lab) { candidate(lab, "left").digest += "2"; }, bad},
      {"it is installed in another way",
       [&](auto& lab) { candidate(lab, "bad").installs["dns"].packages[0].file_name = "x.deb"; }, pair},
      {"it is for another machine too, and breaks the same one",
       [&](auto& lab) { candidate(lab, "bad").installs["mail"] = {}; }, all},
      {"another golden machine", [](auto& lab) { lab.job.cell.machines[0].golden_digest = "new"; }, pair},
      {"another check",
       [](auto& lab) {
         lab.job.cell.machines[1].plan.checks = {{"q", "dns.query", {}, {}, {}}};
       },
       bad},
      {"another policy", [](auto& lab) { lab.job.cell.policy.warm_reboots += 1; }, {}},
  };
  night();
  for (const auto& one : cases) {
    SCOPED_TRACE(one.what);
    // What this night convicts is not to be known to the next.
    const test::TemporaryFolder before;
    std::filesystem::copy(folder_.path(), before.path(), std::filesystem::copy_options::recursive);
    const auto record = night(one.change);
    std::vector<std::string> held;
    for (const auto& [id, run] : known(record)) held.push_back(id);
    EXPECT_EQ(held, one.held);
    EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail) << "tried or not";
    for (const auto& path : entries_of(folder_.path()).value()) std::filesystem::remove_all(path);
    std::filesystem::copy(before.path(), folder_.path(), std::filesystem::copy_options::recursive);
  }
}

// What a new candidate repairs is tried again, and passes.
TEST_F(KeptConvictionsTest, LetANewCandidateRepairIt) {
  night();
  const auto record = night([](Fixture& lab) {
    lab.candidate("repair", {"dns"});
    lab.lab.breaks["dns"].clear();
  });
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::pass);
}

TEST_F(KeptConvictionsTest, EndWithTheirAge) {
  night();
  clock_.time += std::chrono::hours(48);
  EXPECT_THAT(known(night()), testing::SizeIs(3));
  clock_.time += std::chrono::seconds(1);
  const auto record = night();
  EXPECT_THAT(known(record), IsEmpty());
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(known(night()).at("bad"), "20261123-010000-aaaa") << "which has seen it again";
}

TEST_F(KeptConvictionsTest, AreNotReadByARunThatTriesEverything) {
  night();
  reads_ = false;
  const auto record = night();
  EXPECT_THAT(known(record), IsEmpty());
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  reads_ = true;
  EXPECT_EQ(known(night()).at("bad"), "20261122-010000-aaaa") << "it kept its own";
}

// A machine that a search could not tell from others, and a candidate whose guilt nobody could show.
TEST_F(KeptConvictionsTest, KeepNoQuarantine) {
  const Change torn = [](Fixture& lab) {
    lab.lab.breaks.clear();
    lab.lab.passing_trouble = [count = 0](const cell::TrialJob& job) mutable -> std::string {
      return job.purpose == Purpose::batch || (!job.candidates.empty() && ++count % 2 == 0) ? "db/works" : "";
    };
  };
  night(torn);
  EXPECT_THAT(known(night(torn)), IsEmpty());
}

TEST_F(KeptConvictionsTest, BelieveNoNoteThatIsNotAsItWasWritten) {
  night();
  std::size_t notes = 0;
  for (const auto& path : entries_below(folder_.path()).value()) {
    if (!is_file(path)) continue;
    ++notes;
    std::ofstream(path, std::ios::app) << " ";
  }
  EXPECT_GE(notes, 2U);
  const auto record = night();
  EXPECT_THAT(known(record), IsEmpty());
  EXPECT_EQ(told_.size(), notes);
  for (const auto& sentence : told_) EXPECT_THAT(sentence, HasSubstr("the kept conviction '"));
}

// What was kept spares trials, and changes no verdict.
TEST_F(KeptConvictionsTest, ChangeNoVerdictOfAnyNight) {
  std::size_t spared = 0;
  std::size_t held = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    const std::vector<std::string> machines{"db", "dns", "mail"};
    struct Patch {
      std::string id, machine;
    };
    std::vector<Patch> patches;
    for (std::size_t i = 0; i < 8; ++i) patches.push_back({fmt::format("p{}-{}", seed, i), machines[below(3)]});
    std::map<std::string, std::vector<std::set<std::string>>> breaks;
    for (const auto& machine : machines) {
      std::vector<std::string> here;
      for (const auto& patch : patches) {
        if (patch.machine == machine) here.push_back(patch.id);
      }
      if (here.size() < 3 || below(3) == 0) continue;
      std::ranges::shuffle(here, random);
      if (below(2) == 0)
        breaks[machine] = {{here[0]}};
      else
        breaks[machine] = {{here[0], here[1]}};
    }
    for (int round = 0; round < 3; ++round) {
      Fixture with;
      Fixture without;
      for (const auto& machine : machines) {
        with.machine(machine);
        without.machine(machine);
      }
      for (const auto& patch : patches) {
        if (round > 0 && below(4) == 0) continue;
        with.candidate(patch.id, {patch.machine});
        without.candidate(patch.id, {patch.machine});
      }
      with.lab.breaks = without.lab.breaks = breaks;
      nights_ = round;
      const auto kept = run(with);
      const auto anew = without.run();
      for (const auto& entry : anew.verdicts) {
        EXPECT_EQ(verdict(kept, entry.candidate).outcome, entry.outcome) << entry.candidate;
        EXPECT_EQ(verdict(kept, entry.candidate).group, entry.group) << entry.candidate;
      }
      held += known(kept).size();
      spared += without.lab.trials.size() - with.lab.trials.size();
    }
  }
  EXPECT_GT(held, 50U);
  EXPECT_GT(spared, 100U);
}

}  // namespace
}  // namespace patchlab::runners

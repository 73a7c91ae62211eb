// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "tests/support/kept_nights.hpp"

// A record made from what earlier nights left, and one made from nothing: the same verdicts, for the same reasons, with
// the same culprits. Everything that may be kept is kept here at once; what each keeps by itself has tests of its own.
namespace patchlab::runners {
namespace {

using test::Fault;
using test::Site;

// Of one verdict what a reader goes by. What was convicted in an earlier night says so, and until when; and the
// sentence says "them" of a rest that passed without several, all of which the same search had found.
std::string told(const reports::VerdictRecord& verdict) {
  auto reason = verdict.reason.substr(0, verdict.reason.find("; seen by run "));
  const std::string several = "without them";
  if (reason.ends_with(several)) reason.replace(reason.size() - several.size(), several.size(), "without it");
  return fmt::format("{} {}, with [{}], failed [{}]: {}", verdict.candidate, to_string(verdict.outcome),
                     fmt::join(verdict.group, ", "), fmt::join(verdict.failed, ", "), reason);
}
std::vector<std::string> told(const reports::DepartmentRecord& record) {
  std::vector<std::string> all;
  for (const auto& verdict : record.verdicts) all.push_back(told(verdict));
  if (record.error) all.push_back("error: " + record.error->message);
  return all;
}

// What a night is made of, and changes from one to the next.
enum class Input { golden, memory, checks, restarts, program, way, bytes, order };
constexpr std::size_t inputs = 8;

// A random set of candidates, of which some are bad, but only as long as one of the inputs is as it is. One input of
// each world changes in its second night, and again in its fourth.
class World {
 public:
  explicit World(unsigned seed) : random_(seed), first_(static_cast<Input>(seed % inputs)) {
    site_.golden = {{"dns", "dns image 1"}, {"mail", "mail image 1"}};
    for (int i = 0; i < 6; ++i) add();
    nights_.emplace(faults_);
  }
  [[nodiscard]] test::KeptNights& nights() { return *nights_; }
  [[nodiscard]] const Site& site() const { return site_; }

  // Says what, for a reader.
  std::string change(int night) {
    const auto input = night % 2 == 0 ? first_ : static_cast<Input>(below(inputs));
    auto& one = night % 2 == 0 ? site_.candidates[always_spoilt] : site_.candidates[below(site_.candidates.size())];
    const auto other = [](std::string& text) { text.back() = text.back() == '1' ? '2' : '1'; };
    switch (input) {
      case Input::golden: other(site_.golden[one.machines.front()]); return "another image of " + one.machines.front();
      case Input::memory: site_.memory_mib = site_.memory_mib == 256 ? 512 : 256; return "more memory, or less";
      case Input::checks: site_.asks_deep = !site_.asks_deep; return "one check more, or less";
      case Input::restarts: site_.reboots = site_.reboots == 1 ? 2 : 1; return "one restart more, or less";
      case Input::program: other(site_.program); return "another program";
      case Input::way: one.with_data = !one.with_data; return one.id + " is installed in another way";
      case Input::bytes: other(one.digest); return one.id + " has other bytes";
      case Input::order: break;
    }
    std::rotate(site_.candidates.begin(), site_.candidates.begin() + 1, site_.candidates.end());
    return "another order";
  }

 private:
  static constexpr std::size_t always_spoilt = 1;
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool one_in(std::size_t n) { return below(n) == 0; }

  void add() {
    Site::Candidate candidate;
    candidate.id = fmt::format("p{:02}", site_.candidates.size());
    candidate.digest = "digest of " + candidate.id + " 1";
    candidate.machines = {one_in(2) ? "dns" : "mail"};
    const bool is_first = site_.candidates.size() == always_spoilt;
    candidate.slow = is_first || !one_in(4);
    if (is_first) spoil(candidate, first_);
    if (!is_first && one_in(3)) spoil(candidate, static_cast<Input>(below(inputs)));
    site_.candidates.push_back(std::move(candidate));
  }
  void spoil(const Site::Candidate& candidate, Input input) {
    Fault fault{.machine = candidate.machines.front(), .digests = {candidate.digest}};
    for (const auto& other : site_.candidates) {
      if (other.machines == candidate.machines && one_in(4)) fault.digests.insert(other.digest);
    }
    const bool at_first = one_in(3);  // or only when that changes
    switch (input) {
      case Input::golden:
        fault.where["golden"] = fmt::format("{} image {}", fault.machine, at_first ? 1 : 2);
        fault.logs = one_in(3);  // the line that one of the images logs by itself behind a restart
        break;
      case Input::memory: fault.where["memory"] = at_first ? "256" : "512"; break;
      case Input::checks: fault.deep = true; break;
      case Input::restarts: fault.restarts = at_first ? 1 : 2; break;
      case Input::program: fault.where["program"] = at_first ? "1" : "2"; break;
      case Input::way: fault.where["way of " + candidate.digest] = at_first ? "plain" : "data"; break;
      case Input::bytes:
        if (at_first) break;
        fault.digests.erase(candidate.digest);
        fault.digests.insert("digest of " + candidate.id + " 2");
        break;
      case Input::order: break;
    }
    faults_.push_back(std::move(fault));
  }

  std::mt19937 random_;
  const Input first_;
  Site site_;
  std::vector<Fault> faults_;
  std::optional<test::KeptNights> nights_;
};

TEST(KeptAndAnew, AgreeOnRandomSetsOfCandidates) {
  test::Spared spared;
  std::size_t convicted = 0;
  for (unsigned seed = 1; seed <= 24; ++seed) {
    World world(seed);
    (void)world.nights().night(world.site(), spared);
    for (int night = 2; night <= 4; ++night) {
      const auto change = world.change(night);
      SCOPED_TRACE(fmt::format("set {}, night {}: {}", seed, night, change));
      const auto kept = told(world.nights().night(world.site(), spared));
      const auto anew = told(world.nights().from_nothing(world.site()));
      EXPECT_EQ(kept, anew);
      for (const auto& verdict : anew) convicted += verdict.find(" fail,") != std::string::npos ? 1U : 0U;
    }
    EXPECT_THAT(world.nights().told(), testing::IsEmpty());
  }
  RecordProperty("spared",
                 fmt::format("{} baselines, {} installs, {} controls, {} answers, {} convictions", spared.baselines,
                             spared.installs, spared.controls, spared.answers, spared.convictions));
  EXPECT_GT(convicted, 20U) << "there is something to find";
  EXPECT_GT(spared.baselines, 20);
  EXPECT_GT(spared.installs, 20);
  EXPECT_GT(spared.controls, 10);
  EXPECT_GT(spared.answers, 5);
  EXPECT_GT(spared.convictions, 5);
}

}  // namespace
}  // namespace patchlab::runners

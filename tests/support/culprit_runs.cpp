// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/culprit_runs.hpp"

#include <time.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace patchlab::runners::tests {
namespace {

constexpr std::size_t lab_retries = 1;

class Department {
 public:
  Department(SimulatedLab& lab, MeasureSteps measure) : lab_(lab), measure_(measure) {
    remaining_.resize(lab.world().candidates.size());
    std::iota(remaining_.begin(), remaining_.end(), std::size_t{0});
  }

  SimulatedRun run() {
    for (bool first = true; !remaining_.empty(); first = false) {
      if (!first && remaining_ == passed_) {  // it was the final trial already
        run_.needs_a_person = run_.needs_a_person || remaining_ == failed_rest_;
        break;
      }
      const auto trial = first ? lab_.batch() : run_trial(remaining_, TrialKind::final, true);
      if (trial.outcome == Outcome::pass) break;
      if (trial.outcome == Outcome::error) return ended(false);
      if (first) note(remaining_, trial);
      const auto before = remaining_.size();
      if (const auto end = search(trial.failed); end) return ended(*end);
      remaining_ = without(
          remaining_, Prerequisites(lab_.world().candidates).with_dependents(united(run_.named, run_.quarantined)));
      if (remaining_.size() == before) {
        // To hold back everybody names nobody.
        run_.quarantined = united(run_.quarantined, remaining_);
        return ended(false);
      }
    }
    return ended(true);
  }

 private:
  struct Seen {
    CandidateSet set;
    bool failed = false;
  };

  SimulatedRun ended(bool passed) {
    run_.passed = passed;
    run_.ending = ending_of(lab_.world(), run_, remaining_);
    run_.search = lab_.count() - run_.confirm - run_.rest - run_.back;
    run_.seconds = lab_.seconds();
    return std::move(run_);
  }

  void note(const CandidateSet& set, const SimulatedTrial& trial) {
    if (trial.outcome != Outcome::error) seen_.push_back({set, trial.outcome == Outcome::fail});
  }

  SimulatedTrial run_trial(const CandidateSet& set, TrialKind kind, bool is_rest) {
    SimulatedTrial trial;
    const Account account(*this, set, kind, is_rest);
    for (std::size_t attempt = 0; attempt <= lab_retries; ++attempt) {
      trial = lab_.run(set, kind);
      note(set, trial);
      if (trial.outcome != Outcome::error) break;
    }
    return trial;
  }

  [[nodiscard]] std::size_t place(std::size_t candidate) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(remaining_, candidate) - remaining_.begin());
  }
  [[nodiscard]] CandidateSet of_world(const CandidateSet& set) const {
    CandidateSet chosen;
    for (const auto member : set) chosen.push_back(remaining_[member]);
    return chosen;
  }

  [[nodiscard]] std::vector<SearchCandidate> candidates() const {
    std::vector<SearchCandidate> candidates;
    for (const auto index : remaining_) {
      SearchCandidate candidate{lab_.world().candidates[index].id, {}};
      for (const auto needed : lab_.world().candidates[index].prerequisites) {
        if (std::ranges::binary_search(remaining_, needed)) candidate.prerequisites.push_back(place(needed));
      }
      candidates.push_back(std::move(candidate));
    }
    return candidates;
  }

  [[nodiscard]] SearchPolicy policy() const {
    SearchPolicy policy;
    std::size_t passes = 0;
    for (const auto& [set, failed] : seen_) {
      if (!contains_all(remaining_, set)) continue;
      Sighting sighting{{}, failed};
      for (const auto index : set) sighting.set.push_back(place(index));
      policy.seen.push_back(sighting);
      if (set == remaining_ && !failed) ++passes;
    }
    policy.passes = passes + (passes > 0 ? 1 : 2);
    policy.rest_passes = 2;
    return policy;
  }

  // Something when the department ends with it: whether the set passed.
  std::optional<bool> search(const std::string& failed) {
    searched_ = {failed};
    CulpritSearch search(candidates(), policy());
    bool whole_passed = false;
    for (auto question = next(search); question; question = next(search)) {
      const auto outcome = answer(*question, whole_passed);
      if (question->is_rest && outcome == Outcome::pass) passed_rest_ = of_world(question->set);
      const Stopwatch stopwatch(*this);
      search.answer(*question, outcome);
    }
    const auto& result = search.result();
    switch (result.end) {
      case SearchEnd::found: run_.named = united(run_.named, of_world(result.culprit)); return std::nullopt;
      case SearchEnd::not_reproduced:
        run_.needs_a_person = true;
        if (!whole_passed) run_.quarantined = united(run_.quarantined, remaining_);
        return whole_passed;
      case SearchEnd::cancelled:
      case SearchEnd::inconclusive: break;
    }
    if (result.suspicious.size() < remaining_.size())
      run_.quarantined = united(run_.quarantined, of_world(result.suspicious));
    return std::nullopt;
  }

  // Says for what the trials are that are run while it lives.
  class Account {
   public:
    Account(Department& department, const CandidateSet& set, TrialKind kind, bool is_rest) : department_(department) {
      auto& run = department.run_;
      const auto& rest = department.passed_rest_;
      if (kind == TrialKind::confirm) {
        trials_ = &run.confirm, seconds_ = &run.confirm_seconds;
      } else if (is_rest || kind == TrialKind::final) {
        trials_ = &run.rest, seconds_ = &run.rest_seconds;
      } else if (!rest.empty() && set != rest && contains_all(set, rest)) {
        trials_ = &run.back, seconds_ = &run.back_seconds;
      }
    }
    ~Account() {
      if (trials_ == nullptr) return;
      *trials_ += department_.lab_.count() - trials_before_;
      *seconds_ += department_.lab_.seconds() - seconds_before_;
    }
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

   private:
    Department& department_;
    std::size_t* trials_ = nullptr;  // nothing: the search
    double* seconds_ = nullptr;
    std::size_t trials_before_ = department_.lab_.count();
    double seconds_before_ = department_.lab_.seconds();
  };

  // Adds what it sees to the last step.
  class Stopwatch {
   public:
    explicit Stopwatch(Department& department) : department_(department) {}
    ~Stopwatch() {
      if (department_.measure_ == MeasureSteps::yes) department_.run_.steps_ms.back() += now() - begin_;
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

   private:
    // Of this thread's processor, in milliseconds: what else runs on the host does not count.
    static double now() {
      timespec time{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
    }
    Department& department_;
    double begin_ = now();
  };

  std::optional<Question> next(CulpritSearch& search) {
    if (measure_ == MeasureSteps::yes && run_.steps_ms.empty()) run_.steps_ms.push_back(0);
    std::optional<Question> question;
    {
      const Stopwatch stopwatch(*this);
      question = search.next();
    }
    if (measure_ == MeasureSteps::yes) run_.steps_ms.push_back(0);
    return question;
  }

  Outcome answer(const Question& question, bool& whole_passed) {
    const auto set = of_world(question.set);
    auto freshness = question.freshness;
    for (std::string other;;) {
      const bool whole = set == remaining_ && freshness == Freshness::again;
      const bool promotable = freshness == Freshness::again && (whole || question.is_rest);
      const auto kind = promotable                      ? TrialKind::final
                        : freshness == Freshness::fresh ? TrialKind::confirm
                                                        : TrialKind::search;
      const auto trial = run_trial(set, kind, question.is_rest);
      if (promotable && question.is_rest && trial.outcome == Outcome::fail) failed_rest_ = set;
      if (trial.outcome != Outcome::fail) {
        if (whole && trial.outcome == Outcome::pass) whole_passed = true;
        if (promotable && trial.outcome == Outcome::pass) passed_ = set;
        return trial.outcome;
      }
      if (searched_.contains(trial.failed)) return Outcome::fail;
      // Another failure: it is tried again at once, and counts when it repeats.
      if (other == trial.failed) {
        searched_.insert(other);
        return Outcome::fail;
      }
      if (!other.empty()) return Outcome::error;
      other = trial.failed;
      if (freshness == Freshness::may_reuse) freshness = Freshness::again;
    }
  }

  SimulatedLab& lab_;
  MeasureSteps measure_;
  CandidateSet remaining_;
  CandidateSet passed_;       // in a trial that looked at everything
  CandidateSet failed_rest_;  // in one that looked at everything
  CandidateSet passed_rest_;  // in any
  std::vector<Seen> seen_;
  std::set<std::string> searched_;
  SimulatedRun run_;
};

}  // namespace

Ending ending_of(const World& world, const SimulatedRun& run, const CandidateSet& remaining) {
  const auto culprits = truth(world);
  const bool broken = world.breaks(remaining);
  if (!without(run.named, culprits).empty()) return Ending::wrong;
  if (run.passed && broken) return run.needs_a_person ? Ending::abstained : Ending::escaped;
  if (!run.quarantined.empty() || !run.passed) return Ending::abstained;
  return run.named == culprits ? Ending::correct : Ending::partial;
}

SimulatedRun simulate(SimulatedLab& lab, MeasureSteps measure) { return Department(lab, measure).run(); }

}  // namespace patchlab::runners::tests

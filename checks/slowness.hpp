// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checks/asking.hpp"
#include "lab/core/time.hpp"

// Whether checks that say how much slower they may become (CheckSpec::slower) have become so. Durations are noisy, but
// only upwards: a busy host makes a try longer, and nothing makes it shorter. So the quickest of several tries, one at
// a time, stands for a check, and it is compared with the longest such time that the same machine needed without any
// patch in the same night: at the baseline, and in the same phase of the control. When even the control was slower than
// allowed, the host was too busy to judge by, and nothing is. A try in which the guest waited for a processor of the
// host fails nothing: when there is no other, nothing is judged in that phase. But one that was quick in spite of that
// was quick: within the limit it passes, and within a quarter of the tolerance it is as good as any for what is usual.
namespace patchlab::checks {

// CheckResult::reason of a check that did what it should, and took too long.
inline constexpr const char* slower_reason = "slower";

// What the checks of one machine take without any patch, in one night.
class UsualDurations {
 public:
  void saw_at_baseline(const std::string& check, Milliseconds quickest);
  void saw_in_control(const std::string& phase, const std::string& check, Milliseconds quickest);
  [[nodiscard]] std::optional<Milliseconds> at_baseline(const std::string& check) const;
  // Of baseline and control. For a phase that the control does not have (nothing is installed there): of its others.
  [[nodiscard]] std::optional<Milliseconds> longest(const std::string& phase, const std::string& check) const;

  // How much longer than at the baseline it took in the control: by check, by phase.
  using Beyond = std::map<std::string, std::map<std::string, Milliseconds>>;
  [[nodiscard]] Beyond beyond_baseline() const;
  // The same, of the control of another night, in place of any other; after saw_at_baseline().
  void was_beyond_baseline(const Beyond& beyond);

  // No slowness of this machine is judged any more. The first reason stays.
  void give_up(std::string why);
  [[nodiscard]] const std::string& given_up() const { return given_up_; }

 private:
  std::map<std::string, Milliseconds> baseline_;
  std::map<std::string, std::map<std::string, Milliseconds>> control_;  // by check, by phase
  std::string given_up_;
};

// For each such check that has passed, five further tries, and more while its guest waited for a processor in all of
// them, for 30 s, which all checks share. One that then fails has failed the baseline.
void learn_at_baseline(Asking& asking, const std::vector<PlannedCheck>& planned, std::vector<CheckResult>& results,
                       UsualDurations& usual, Clock& clock);

// In a control: tries until one is about as quick as at the baseline, for as long as a patch would be granted. The
// quickest is usual from then on. One that is beyond what a patch may take fails nothing: it gives up.
void learn_in_control(Asking& asking, const std::vector<PlannedCheck>& planned, const std::string& phase,
                      std::vector<CheckResult>& results, UsualDurations& usual, Clock& clock);

// Makes a failure of each result that passed, but took longer than usual and the tolerance: reason "slower". It is
// tried again first, until one try is quick enough, at least five times and for 30 s, which all checks share. What is
// not judged says so: CheckResult::slowness.
void judge_slowness(Asking& asking, const std::vector<PlannedCheck>& planned, const std::string& phase,
                    std::vector<CheckResult>& results, const UsualDurations& usual, Clock& clock);

}  // namespace patchlab::checks

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "runners/engine/department_trials.hpp"
#include "runners/engine/kept_notes.hpp"

namespace patchlab::runners {

// That a group of candidates breaks some machines of a department, as a run found out.
struct KeptConviction {
  Stability stability = Stability::no;  // of the trials in which it showed
  std::string question;             // key of the trial of the group alone (memo_key.hpp): everything that decides it
  std::vector<std::string> group;   // digests of the candidates
  std::set<std::string> beside;     // digests of all candidates that were to be installed on these machines
  std::vector<std::string> failed;  // what the group alone broke
  std::string explanation;
};

// Convictions of earlier runs. docs/adr/0025. May be used from several threads.
class KeptConvictions {
 public:
  // `clock` and what `tell` refers to must outlive it.
  KeptConvictions(KeptNotes::Place place, const Clock& clock, KeptNotes::Tell tell);

  // A group of tonight's candidates that need not be tried, and why.
  struct Known {
    std::vector<std::size_t> culprits;  // indexes of candidates, ascending
    std::vector<std::string> failed;
    std::string explanation;
    std::string run;                              // that convicted it
    std::chrono::system_clock::time_point seen;   // when
    std::chrono::system_clock::time_point until;  // then it is tried again
  };
  // Of `set`, what an earlier run convicted on the same machines with the same checks, all candidates of each group
  // being there, and no candidate on these machines that was not there then: a new one might repair them.
  [[nodiscard]] std::vector<Known> known(const DepartmentTrials& trials, const DepartmentTrials::Indexes& set);
  // `machines`: on which the search went on.
  void keep(const DepartmentTrials& trials, const std::vector<std::string>& machines, Stability stability,
            const DepartmentTrials::Indexes& culprits, const std::vector<std::string>& failed,
            const std::string& explanation);
  void trim() { notes_.trim(); }

 private:
  KeptNotes notes_;
  Milliseconds most_age_;
};

}  // namespace patchlab::runners

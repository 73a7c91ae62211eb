// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "promotion/gate/today.hpp"
#include "promotion/policy/policy.hpp"
#include "reports/record/record.hpp"

// The decision what of a run may go to production: a pure function of record, policy and what is
// true today. It fails closed: what is
// absent, unknown or contradictory is a reason against, never overlooked.
namespace patchlab::promotion {

// Why something is not promoted. The words (to_string) are stable API; texts are derived and may change. The order here
// is the order in a decision: what makes everything below meaningless comes first.
enum class ReasonCode {
  run_incomplete,  // interrupted, or ended with an error of its own
  not_recorded,    // the ledger does not have this run with this record: it was edited, or never ended
  stale,  // too old, from the future, failed in a later run, or a golden image or candidate has another digest today
  department_unknown,      // the record does not have it
  fence_breach,            // something outside answered
  fence_unproven,          // a required probe was not tried, or could not be sent
  golden_image_changed,    // differs after the run, or nobody looked
  digest_mismatch,         // digests in the record are absent, malformed or contradict each other
  baseline_broken,         // no baseline, or not every check passed before any patch
  control_failed,          // the same reboots without a patch did not pass, or were not tried although the policy asks
  lab_error,               // the lab could not tell
  verdict_missing,         // a candidate of the run has no verdict, or more than one
  no_final_trial,          // nothing was tested as the exact set
  final_set_differs,       // the final trial tested another set, or not the whole department
  final_trial_failed,      // it did not pass as a whole
  not_reproduced,          // the very set failed, and passed when it was tried again: a person decides
  coverage_missing,        // a planned check or installation was not executed
  prerequisite_held_back,  // a promotable candidate needs one that is held back
  candidate_failed,        // about one candidate: it is held back, the rest may go
  candidate_undecided,     // about one candidate: error or not reached
  candidate_skipped,       // about one candidate: applies to nothing here
  nothing_to_promote,      // no candidate passed
};
[[nodiscard]] const char* to_string(ReasonCode code);

struct Reason {
  ReasonCode code = ReasonCode::run_incomplete;
  std::string subject;  // what it is about: "finance", "finance/mail", a candidate id, a trial id
  std::string text;     // for the reader
  bool operator==(const Reason&) const = default;
};
// "code: subject: text", as in PromotionRecord::reasons.
[[nodiscard]] std::string to_string(const Reason& reason);

struct Decision {
  std::string department;
  std::vector<std::string>
      promotable;                 // in the order in which the final trial applied them; empty when anything blocks
  std::vector<Reason> blocking;   // against the department as a whole
  std::vector<Reason> held_back;  // one per candidate that stays out
  [[nodiscard]] bool promotes() const { return blocking.empty() && !promotable.empty(); }
  // blocking, then held_back, as text.
  [[nodiscard]] std::vector<std::string> reasons() const;
};

[[nodiscard]] Decision decide(const reports::RunRecord& record, const std::string& department, const Policy& policy,
                              const Today& today);

}  // namespace patchlab::promotion

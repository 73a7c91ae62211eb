// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reports/record/record.hpp"

// The decision what of a run may go to production: a pure function of record and policy. It fails closed: what is
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

// What the ledger says today of a run that ended earlier; see promotion/ledger/standing.hpp.
struct Standing {
  bool recorded = false;  // it holds this run with the digest of this very record
  std::string otherwise;  // why not, for the reader
  // By department and candidate digest: the later run in which that candidate failed there.
  std::map<std::string, std::map<std::string, std::string>> failed_later;
};

enum class ControlTrial { required, if_present };
// Whether a set is promoted that failed and then passed: never, or when the control failed on the same facts without
// any patch.
enum class NotReproduced { refused, flaky_in_control };

struct GatePolicy {
  std::chrono::system_clock::time_point now;  // injected
  std::chrono::hours max_age{24 * 7};         // of the run's end
  ControlTrial control = ControlTrial::required;
  NotReproduced not_reproduced = NotReproduced::flaky_in_control;
  std::vector<std::string> fence_phases{"before", "during", "after"};
  std::vector<std::string> fence_probes{"arp", "ping", "dns", "tcp", "ipv6-nd"};  // each of them in each phase
  // Those that listen all the time, and need no control of their own: they hear its beacon. In each phase as well.
  std::vector<std::string> fence_watches{"watch"};
  // What is true today, where the caller knows it: golden digest by "department/machine", candidate digest by id. An
  // entry that differs from the record makes the run stale.
  std::map<std::string, std::string> current_goldens;
  std::map<std::string, std::string> current_candidates;
  // Absent only while the run itself promotes: its ledger entries tell what came of that, so they are written after it.
  std::optional<Standing> standing;
};

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

[[nodiscard]] Decision decide(const reports::RunRecord& record, const std::string& department,
                              const GatePolicy& policy);

}  // namespace patchlab::promotion

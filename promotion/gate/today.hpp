// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "promotion/gate/people.hpp"
#include "promotion/policy/demands.hpp"

namespace patchlab::promotion {

// A candidate that failed in another run.
struct PastFailure {
  std::string run;
  bool later = false;  // than the run that is asked about
  std::string department;
  std::string candidate;                       // its id there
  std::string digest;                          // of the candidate
  std::vector<std::string> files;              // their SHA-256; empty: not known
  std::vector<std::string> group;              // it failed only together with these ids
  std::vector<std::string> failed;             // what failed, as in a signature; empty: not known
  std::string scenario_digest;                 // empty: not known
  std::map<std::string, std::string> goldens;  // of that department, by machine; empty: not known
  bool operator==(const PastFailure&) const = default;
};

// A candidate of the same id and department, as a later run tested it.
struct LaterCandidate {
  std::string run;
  std::string department;
  std::string candidate;
  std::string digest;
  bool operator==(const LaterCandidate&) const = default;
};

// A promotion that was done.
struct PastPromotion {
  std::string run;
  std::string record_digest;
  std::string department;
  std::string time;   // RFC 3339
  std::string stage;  // folder; empty: not known
  std::string manifest_digest;
  std::vector<std::string> candidates;
  bool operator==(const PastPromotion&) const = default;
};

// What the ledger says today of a run that ended earlier; see promotion/ledger/standing.hpp.
struct Standing {
  bool recorded = false;  // it holds this run with the digest of this very record
  std::string otherwise;  // why not, for the reader
  std::vector<PastFailure> failures;
  std::vector<PastFailure> undecided{};  // the same of verdicts that the lab could not tell
  std::vector<LaterCandidate> later_candidates;
  std::vector<PastPromotion> promotions;  // of all runs, in order
};

// What somebody found who looked just now.
struct Seen {
  std::string digest;   // empty: nobody can tell, and that is no proof
  std::string trouble;  // why not
};

// The run that a department's published version is of.
struct PublishedRun {
  std::string run;
  std::string finished;    // RFC 3339: when it ended
  std::string rollback{};  // why it went over a newer one; empty: it did not
};

// Why something cannot wait for the normal way, and until when somebody reviews it.
struct EmergencyUse {
  std::string reason;
  std::string ticket;
  std::string review_by{};  // RFC 3339
  bool operator==(const EmergencyUse&) const = default;
};

// A promotion that went through the emergency lane.
struct PastEmergency {
  std::string record_digest;
  EmergencyUse use;
  std::string answered;  // who reviewed it, or that it was taken back; empty: nobody did
};

// What is true when somebody asks whether a run may be promoted: everything that can have changed since it ended.
struct Today {
  std::chrono::system_clock::time_point now;  // injected
  // The golden machines by "department/machine", the candidates by id, as they are now. An entry that differs from the
  // record, or of which nobody can tell, makes the run stale; of what has no entry, nothing was asked.
  std::map<std::string, Seen> goldens;
  std::map<std::string, Seen> candidates;
  std::map<std::string, PublishedRun> published;                    // by department; none: nothing is published there
  std::map<std::string, LastPromoted> last_promoted;                // by department; none: it never was
  Lane lane = Lane::normal;                                         // emergency: somebody asked for it
  EmergencyUse emergency{};                                         // then: why
  std::map<std::string, std::vector<PastEmergency>> emergencies{};  // by department, whatever became of them
  std::map<std::string, std::vector<OpenReview>> open_reviews;      // by department
  // By department, for each set that people decided about. What is not here, nobody did.
  std::map<std::string, std::vector<PeopleOn>> people;
  std::string rollback{};  // why an older run is to be published over a newer one; empty: nobody asked for that
  // What is not as the record says of the files that the run kept, a sentence each (reports/record/kept_files.hpp).
  // Absent: nobody looked.
  std::optional<std::vector<std::string>> evidence_problems{};
  // Absent: no ledger was asked, and that is no proof of anything; the desk always asks.
  std::optional<Standing> standing;
};

}  // namespace patchlab::promotion

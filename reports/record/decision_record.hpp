// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

// What was decided about a run, as whoever shows it needs it. It is no part of the run's record: it is made anew
// whenever somebody asks (promotion/desk), and says when that was.
namespace patchlab::reports {

struct RequirementRecord {
  std::string code;                          // "fence-breach", ...
  std::map<std::string, std::string> about;  // department, machine, check, phase, candidate, trial, run, and of a
                                             // change kind, item, digest, candidates
  std::string subject;                       // the narrowest of them, for the reader
  bool met = false;
  std::string text;
  std::string command;     // that would satisfy it; empty: none, or it is met
  std::string waived{};    // by whom, until when and why a failure counts as met; empty: none is
  bool by_people = false;  // people or the clock can satisfy it, without another run
};
// A failure, or a change that nothing explains, that somebody accepted. It keeps its outcome, and does not stand in the
// way.
struct WaivedRecord {
  std::string key;      // as in a signature: "mail/deliver"
  std::string outcome;  // as it was found: "fail"
  std::string by;
  std::string approved_by;
  std::string until;  // RFC 3339; not counted from then on
  std::string reason;
  std::string ticket;
  std::uint64_t line = 0;  // of the stage's ledger
  // Else a change that failed nobody, and that a person had to look at.
  [[nodiscard]] bool is_a_failure() const { return outcome == "fail"; }
};
// "mail/deliver: fail, waived by 'carol' until 2026-12-12T00:00:00.000Z (CHG0043): known limit; approved by 'bob'"
[[nodiscard]] std::string to_string(const WaivedRecord& waived);
// "code: subject: text".
[[nodiscard]] std::string to_string(const RequirementRecord& requirement);

// That a version was published through the emergency lane.
struct EmergencyRecord {
  std::string reason;  // why it could not wait; empty: it was no emergency
  std::string ticket;
  std::string review_by;   // RFC 3339: until when somebody must have reviewed it
  std::string answered{};  // "reviewed by carol", or how it was taken back; empty: nobody reviewed it yet
  [[nodiscard]] bool is_one() const { return !review_by.empty(); }
  [[nodiscard]] bool is_open() const { return is_one() && answered.empty(); }
};
// "emergency (CHG7): mail is exploited: review by 2026-11-24T07:00:00.000Z", or "...: reviewed by carol".
[[nodiscard]] std::string to_string(const EmergencyRecord& emergency);

enum class DecisionState {
  undecided,   // nobody was asked
  refused,     // a requirement is not met
  promotable,  // all are met, and nothing is published of it
  promoted,    // published, and the newest of its department
  replaced,    // was published, and another run is now
};
[[nodiscard]] const char* to_string(DecisionState state);

struct DecisionRecord {
  std::string department;
  DecisionState state = DecisionState::undecided;
  std::string as_of;            // RFC 3339: when it was asked
  std::string since;            // when it was published; empty: it is not
  std::string stage;            // where, or where it would be
  std::string by;               // by whose word: "promoted by policy 'quickstart': nobody approved"; empty: by none
  std::string manifest_digest;  // of what is published
  std::string replaced_by;      // the run that is published instead
  std::vector<std::string> candidates;  // published, or promotable
  std::vector<WaivedRecord> waived{};   // of the set that is asked about
  EmergencyRecord emergency{};          // of what is published, or was
  std::string trial{};                  // that tested exactly this set; empty: the record's final trial, if any
  // Of the department, then of candidates that are held back. A published run may have some that are not met today.
  std::vector<RequirementRecord> requirements;
  [[nodiscard]] std::vector<std::string> reasons() const;  // those that are not met, as text
};
using Decisions = std::vector<DecisionRecord>;

// An undecided one when there is none of this name.
[[nodiscard]] const DecisionRecord& decision_of(const Decisions& decisions, const std::string& department);
// Whether this candidate is what the department's published version holds now.
[[nodiscard]] bool is_promoted(const DecisionRecord& decision, const std::string& candidate);
// The waiver of a failure, by its key; null: there is none.
[[nodiscard]] const WaivedRecord* waiver_of(const DecisionRecord& decision, const std::string& key);
// "promoted", "may be promoted", "promoted, then replaced", "not promoted": of a candidate that passed, or whose
// failures were waived.
[[nodiscard]] const char* word_for(const DecisionRecord& decision, const std::string& candidate);

void to_json(Json& json, const RequirementRecord& requirement);
void to_json(Json& json, const WaivedRecord& waived);
void to_json(Json& json, const EmergencyRecord& emergency);
void to_json(Json& json, const DecisionRecord& decision);

}  // namespace patchlab::reports

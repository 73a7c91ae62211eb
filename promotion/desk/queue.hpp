// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "promotion/gate/people.hpp"
#include "reports/record/record.hpp"

// What waits for people, and for whom. Pure.
namespace patchlab::promotion {

// A department's set that the desk could promote once people gave what is missing, or somebody asked for it.
struct Waiting {
  std::string department;
  std::string run;
  std::string since;                                // RFC 3339: when the run ended
  std::vector<std::string> set;                     // ids of candidates
  std::string severity;                             // the worst of them; "unknown" when one is of none that we know
  std::vector<reports::RequirementRecord> missing;  // empty: only `promote` is
  std::vector<reports::WaivedRecord> waived;        // with the time at which each ends
  std::vector<std::string> whom;                    // who could give the next of it; empty: nobody in particular
  std::string command;
};
void to_json(Json& json, const Waiting& waiting);

// How a department stands. `people`: what people decided about its sets (Today::people).
struct QueueEntry {
  enum class State {
    done,     // it is published, or another run is
    waiting,  // for people, for the clock, or for somebody to promote
    blocked,  // what is missing no person can give: `why`
  } state = State::blocked;
  std::string why;
  std::optional<Waiting> waiting;
};
[[nodiscard]] QueueEntry queue_entry(const reports::RunRecord& record, const reports::DecisionRecord& decision,
                                     const std::vector<PeopleOn>& people);

}  // namespace patchlab::promotion

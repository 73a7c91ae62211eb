// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/record/record.hpp"

// Whether candidates do what they are for: what they bring, against what the guest itself lists as installed at the end
// of a trial. Pure.
namespace patchlab::reports {

enum class Effect {
  in_effect,        // what it brings is there, or something newer, and something of it was not there before
  not_in_effect,    // something of it is not there
  changed_nothing,  // all of it was there before
  not_seen,         // nobody can tell
};

struct EffectSeen {
  Effect effect = Effect::not_seen;
  std::string says;  // "bind9:amd64 1 -> 2"; never empty
};
// Of an installation that passed.
[[nodiscard]] EffectSeen effect_of(const InstallRecord& install);

// What a person has to look at, a change of kind "brought" and class review: it was installed, and of what the guest
// lists nothing is another than before. Nothing: it changed something, or nobody can tell.
[[nodiscard]] std::optional<StateDifference> finding_of(const InstallRecord& install);

// Of one whose final trial's installations are not on record here.
inline constexpr const char* effect_not_seen =
    "Whether it is in effect was not seen: its installation is not on record";

// Of a candidate on all machines that the trial installed it on: "In effect on dns, mail: bind9:amd64 1 -> 2". The
// worst first. Empty: it was not installed there.
[[nodiscard]] std::string effect_sentence(const TrialRecord& trial, const std::string& candidate);

// Fills in what the final trial saw of what each needs, by the same installed sets; where a scan named no packages,
// what the candidate brings there is needed.
void look_at_closes(const DepartmentRecord& department, const std::string& candidate,
                    std::vector<ClosesRecord>& closes);
// "Closes CVE-2026-1 and CVE-2026-2 on dns"; what is not closed, or not seen, first.
[[nodiscard]] std::string closes_sentence(const std::vector<ClosesRecord>& closes);

// What the verdicts of a run say of it, alike in some departments; in the order of the record's candidates.
struct EffectLine {
  std::string candidate;
  std::vector<std::string> departments;
  std::string sentence;
};
[[nodiscard]] std::vector<EffectLine> effect_lines(const RunRecord& record);

}  // namespace patchlab::reports

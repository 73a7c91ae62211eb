// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "process/tonight/scan_answer.hpp"

// From what is missing to what is tested tonight: functions over values. Nothing that is due is left out without a
// line that says why.
namespace patchlab::process {

// An update that is due, on all machines that lack it.
struct DueUpdate {
  ScannedUpdate worst;                // of its rows
  std::vector<std::string> machines;  // "finance/dns", in the order of the scan
  std::set<std::string> departments;
  // Machines that lack it as well, with another outcome than was asked for: "finance/dns: 60 days", by department.
  std::map<std::string, std::vector<std::string>> elsewhere{};
  [[nodiscard]] const std::string& id() const { return worst.item; }
};

// What is missing, or missing and known to be bad, and has one of these timelines (process/acquire/due.hpp: words of
// the decision table; all, when there are none). Most urgent first: in the order of the scan, which is by due date,
// whether it is exploited, EPSS and severity.
[[nodiscard]] std::vector<DueUpdate> due_updates(const ScanAnswer& scan, const std::set<std::string>& timelines);
// What nobody can tell, and that could be due: of the scan itself, of its feeds, of machines and updates, of decisions
// that a fact which is not known could move into these timelines; and what was published since an old scan.
[[nodiscard]] std::vector<NotKnown> not_known_of(const ScanAnswer& scan, const std::set<std::string>& timelines,
                                                 Day today);

// What a scan that was made before leaves open of what there is now: machines that it did not look at, and updates
// that it does not know.
[[nodiscard]] std::vector<NotKnown> not_scanned(const ScanAnswer& scan, const std::vector<ScannedMachine>& machines);

// What the lab has of an update that is due.
struct Supply {
  bool offered = false;              // by the sources, or by the scenario
  std::vector<std::string> lacking;  // files that are not in the content store: "bind9 1:9.18.1 amd64"
};

// What the engine says of a candidate.
struct InTheLab {
  bool applies = false;            // to a machine
  std::string why_not;             // it does not
  std::vector<std::string> needs;  // that must be in the same set: ids
  std::string known_bad{};         // how it is known to be bad; empty: it is not
};

enum class NotPlannedBecause { known_bad, not_offered, not_acquired, cannot_be_planned, applies_nowhere, does_not_fit };
[[nodiscard]] const char* to_string(NotPlannedBecause because);

struct NotPlanned {
  DueUpdate update;
  NotPlannedBecause because = NotPlannedBecause::not_offered;
  std::string why;
  std::string next;                         // what to do; empty: nothing that helps
  std::optional<std::int64_t> foreseen_ms;  // of the run with it, that is too long
};

// Of what is due, what can be tested at all; the rest is told.
struct Testable {
  std::vector<DueUpdate> updates;  // most urgent first
  std::vector<NotPlanned> left_out;
};
[[nodiscard]] Testable testable(std::vector<DueUpdate> due, const std::map<std::string, Supply>& supplies);

struct ChosenUpdate {
  DueUpdate update;
  std::optional<std::int64_t> foreseen_ms;  // of a run with it and all that are more urgent; nothing: not asked for
};
struct TonightPlan {
  std::vector<ChosenUpdate> chosen;  // most urgent first
  std::set<std::string> along;       // not due, and needed by what is: ids
  std::vector<NotPlanned> left_out;
};
// Whether they can be planned together: nothing, when they can, or the reason why not; an error is one of the lab.
using Plannable = std::function<Result<std::optional<Error>>(const std::vector<DueUpdate>&)>;
// What cannot be planned with those that are more urgent is left out, with the reason: it stops none of the others.
// Asks in proportion to how many those are, and to the logarithm of how many there are.
[[nodiscard]] Result<Testable> plannable(std::vector<DueUpdate> updates, const Plannable& try_plan);
// How long a run with these candidates takes, in milliseconds; nothing: nobody can tell.
using Foresee = std::function<Result<std::optional<std::int64_t>>(const std::set<std::string>&)>;
// One after the other, most urgent first, with what each needs: those are in it with which the run still ends in time.
// A shorter one that is less urgent may have room where a longer one had none. One that needs what is known to be bad
// waits for that. Without a limit all are. An update about
// which nobody can tell how long it takes is in it.
[[nodiscard]] Result<TonightPlan> fill_night(const std::vector<DueUpdate>& updates,
                                             const std::map<std::string, InTheLab>& lab,
                                             std::optional<std::int64_t> most_ms, const Foresee& foresee);

// Machines that lack what is tested, in departments that are not in the plan since the outcome is another one there:
// sentences.
[[nodiscard]] std::vector<std::string> other_outcomes(const TonightPlan& night,
                                                      const std::set<std::string>& departments);

// Updates that are lacking and not looked at, since one that is due takes their place, and what becomes of that one:
// sentences.
[[nodiscard]] std::vector<std::string> superseded_by_due(const ScanAnswer& scan, const TonightPlan& night);

// "due 2026-12-03, CVE-2026-1, exploited since 2026-11-20, row 11: 3 days": the facts by which it stands where it does.
[[nodiscard]] std::string facts_text(const DueUpdate& update);

}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/tonight/tonight.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "process/acquire/due.hpp"

namespace patchlab::process {
namespace {

bool is_lacking(const ScannedUpdate& row) {
  return row.status == RowStatus::missing || row.status == RowStatus::known_bad;
}

bool is_asked_for(const ScannedUpdate& row, const std::set<std::string>& timelines) {
  return timelines.empty() || timelines.contains(row.timeline.empty() ? "none" : timeline_word(row.timeline));
}

// The update and all that it needs, and what that needs.
void add_with_needs(const std::string& id, const std::map<std::string, InTheLab>& lab, std::set<std::string>& ids) {
  if (!ids.insert(id).second) return;
  const auto known = lab.find(id);
  if (known == lab.end()) return;
  for (const auto& needed : known->second.needs) add_with_needs(needed, lab, ids);
}

}  // namespace

std::vector<DueUpdate> due_updates(const ScanAnswer& scan, const std::set<std::string>& timelines) {
  std::vector<DueUpdate> due;
  for (const auto& row : scan.rows) {
    if (!is_lacking(row) || !is_asked_for(row, timelines)) continue;
    auto found = std::ranges::find(due, row.item, &DueUpdate::id);
    if (found == due.end()) found = due.insert(due.end(), DueUpdate{row, {}, {}, {}});
    // Its bytes are known to be bad on every machine, whichever row came first.
    if (row.status == RowStatus::known_bad) found->worst.status = row.status, found->worst.why = row.why;
    for (const auto& failure : row.failures) {
      if (std::ranges::count(found->worst.failures, failure) == 0) found->worst.failures.push_back(failure);
    }
    found->machines.push_back(row.department + "/" + row.machine);
    found->departments.insert(row.department);
  }
  for (const auto& row : scan.rows) {
    if (!is_lacking(row) || is_asked_for(row, timelines)) continue;
    const auto found = std::ranges::find(due, row.item, &DueUpdate::id);
    if (found == due.end()) continue;
    found->elsewhere[row.department].push_back(
        fmt::format("{}/{}: {}", row.department, row.machine, row.timeline.empty() ? "no outcome" : row.timeline));
  }
  return due;
}

std::vector<NotKnown> not_known_of(const ScanAnswer& scan, const std::set<std::string>& timelines, Day today) {
  auto all = scan.not_known;
  const auto add = [&](NotKnown one) {
    if (std::ranges::count(all, one) == 0) all.push_back(std::move(one));
  };
  for (const auto& feed : scan.feeds) {
    const auto says_feed = [&](const NotKnown& one) {
      return one.why.find("'" + feed.kind + "'") != std::string::npos;
    };
    if (!feed.usable && std::ranges::none_of(all, says_feed))
      add({fmt::format("what feed '{}' tells", feed.kind), feed.why});
  }
  for (const auto& row : scan.rows) {
    const auto where = row.department + "/" + row.machine + (row.item.empty() ? "" : ": " + row.item);
    if (row.status == RowStatus::unknown)
      add({where, row.why});
    else if (is_lacking(row) && !row.settled && !is_asked_for(row, timelines))
      add({where, fmt::format("counts as '{}', and a fact that is not known could change that", row.timeline)});
  }
  if (!scan.whole && all.empty() && std::ranges::all_of(scan.rows, &ScannedUpdate::every_settled))
    add({"what is missing", "the scan says that it is not whole"});
  if (const auto age = (today - scan.today).count(); age > 1)
    add({"what was published since the scan", fmt::format("it is {} old", days_text(age))});
  return all;
}

std::vector<NotKnown> not_scanned(const ScanAnswer& scan, const std::vector<ScannedMachine>& machines) {
  std::vector<NotKnown> all;
  for (const auto& machine : machines) {
    std::set<std::string> items;
    for (const auto& row : scan.rows) {
      if (row.department == machine.department && row.machine == machine.machine) items.insert(row.item);
    }
    const auto where = machine.department + "/" + machine.machine;
    if (items.empty()) {
      all.push_back({where, "the scan did not look at it"});
      continue;
    }
    for (const auto& offer : machine.offers) {
      if (offer.not_for_it.empty() && !items.contains(offer.id))
        all.push_back({where + ": " + offer.id, "is on offer now, and the scan says nothing of it"});
    }
  }
  return all;
}

const char* to_string(NotPlannedBecause because) {
  switch (because) {
    case NotPlannedBecause::known_bad: return "known-bad";
    case NotPlannedBecause::not_offered: return "not-offered";
    case NotPlannedBecause::not_acquired: return "not-acquired";
    case NotPlannedBecause::cannot_be_planned: return "cannot-be-planned";
    case NotPlannedBecause::applies_nowhere: return "applies-nowhere";
    case NotPlannedBecause::does_not_fit: return "does-not-fit";
  }
  return "";
}

Testable testable(std::vector<DueUpdate> due, const std::map<std::string, Supply>& supplies) {
  Testable result;
  for (auto& update : due) {
    const auto known = supplies.find(update.id());
    NotPlanned left{.update = {}, .because = NotPlannedBecause::not_offered, .why = {}, .next = {}, .foreseen_ms = {}};
    if (update.worst.status == RowStatus::known_bad) {
      left.because = NotPlannedBecause::known_bad;
      left.why = update.worst.why;
      left.next =
          "wait for one that replaces it, or test it by itself: patchlab plan SCENARIO --emergency " + update.id();
    } else if (known == supplies.end() || !known->second.offered) {
      left.why = "the apt sources and the scenario do not offer it any more";
      left.next = "scan again";
    } else if (!known->second.lacking.empty()) {
      left.because = NotPlannedBecause::not_acquired;
      left.why = fmt::format("not in the content store: {}", fmt::join(known->second.lacking, ", "));
      left.next = "patchlab acquire SCENARIO brings it";
    } else {
      result.updates.push_back(std::move(update));
      continue;
    }
    left.update = std::move(update);
    result.left_out.push_back(std::move(left));
  }
  return result;
}

Result<Testable> plannable(std::vector<DueUpdate> updates, const Plannable& try_plan) {
  Testable result;
  while (!updates.empty()) {
    PATCHLAB_ASSIGN(auto why, try_plan(updates));
    if (!why) break;
    // Of the beginnings of the list the shortest that cannot be planned: its last one is in the way.
    std::size_t can = 0, cannot = updates.size();
    while (cannot - can > 1) {
      const auto middle = can + (cannot - can) / 2;
      PATCHLAB_ASSIGN(auto shorter, try_plan({updates.begin(), updates.begin() + static_cast<std::ptrdiff_t>(middle)}));
      if (shorter) {
        cannot = middle;
        why = std::move(shorter);
      } else {
        can = middle;
      }
    }
    const auto last = updates.begin() + static_cast<std::ptrdiff_t>(cannot - 1);
    result.left_out.push_back({.update = std::move(*last),
                               .because = NotPlannedBecause::cannot_be_planned,
                               .why = why->message,
                               .next = why->hint,
                               .foreseen_ms = {}});
    updates.erase(last);
  }
  result.updates = std::move(updates);
  return result;
}

Result<TonightPlan> fill_night(const std::vector<DueUpdate>& updates, const std::map<std::string, InTheLab>& lab,
                               std::optional<std::int64_t> most_ms, const Foresee& foresee) {
  TonightPlan night;
  std::set<std::string> ids, due;
  for (const auto& update : updates) {
    const auto known = lab.find(update.id());
    if (known == lab.end() || !known->second.applies) {
      const bool is_gone = known == lab.end();
      night.left_out.push_back(
          {.update = update,
           .because = is_gone ? NotPlannedBecause::not_offered : NotPlannedBecause::applies_nowhere,
           .why = is_gone ? "its source does not offer it any more" : known->second.why_not,
           .next = {},
           .foreseen_ms = {}});
      continue;
    }
    auto with_it = ids;
    add_with_needs(update.id(), lab, with_it);
    const auto bad = std::ranges::find_if(with_it, [&](const auto& id) {
      const auto needed = lab.find(id);
      return id != update.id() && needed != lab.end() && !needed->second.known_bad.empty();
    });
    if (bad != with_it.end()) {
      night.left_out.push_back(
          {.update = update,
           .because = NotPlannedBecause::known_bad,
           .why = fmt::format("needs '{}', which is known to be bad: {}", *bad, lab.at(*bad).known_bad),
           .next = fmt::format("wait for one that replaces '{}'", *bad),
           .foreseen_ms = {}});
      continue;
    }
    std::optional<std::int64_t> foreseen;
    if (most_ms) {
      PATCHLAB_ASSIGN(foreseen, foresee(with_it));
      if (foreseen && *foreseen > *most_ms) {
        night.left_out.push_back({update, NotPlannedBecause::does_not_fit, {}, {}, foreseen});
        continue;
      }
    }
    ids = std::move(with_it);
    due.insert(update.id());
    night.chosen.push_back({update, foreseen});
  }
  std::ranges::set_difference(ids, due, std::inserter(night.along, night.along.end()));
  return night;
}

std::vector<std::string> other_outcomes(const TonightPlan& night, const std::set<std::string>& departments) {
  std::vector<std::string> sentences;
  for (const auto& one : night.chosen) {
    for (const auto& [department, machines] : one.update.elsewhere) {
      if (!departments.contains(department))
        sentences.push_back(
            fmt::format("candidate '{}' is not due in department '{}', which was not planned for it: {}",
                        one.update.id(), department, fmt::join(machines, ", ")));
    }
  }
  return sentences;
}

std::vector<std::string> superseded_by_due(const ScanAnswer& scan, const TonightPlan& night) {
  std::map<std::string, const char*> fates;
  for (const auto& one : night.left_out) fates[one.update.id()] = "was not planned either";
  for (const auto& id : night.along) fates[id] = "was planned";
  for (const auto& one : night.chosen) fates[one.update.id()] = "was planned";
  std::vector<std::string> sentences;
  for (const auto& row : scan.rows) {
    const auto fate = fates.find(row.superseded_by);
    if (row.status != RowStatus::superseded || fate == fates.end()) continue;
    auto sentence = fmt::format("candidate '{}' was not planned: '{}' takes its place, and {}", row.item,
                                row.superseded_by, fate->second);
    if (std::ranges::count(sentences, sentence) == 0) sentences.push_back(std::move(sentence));
  }
  return sentences;
}

std::string facts_text(const DueUpdate& update) {
  const auto& worst = update.worst;
  std::vector<std::string> facts;
  facts.push_back(worst.due ? "due " + day_text(*worst.due) : std::string("no due date"));
  if (!worst.timeline.empty()) {
    facts.push_back(worst.cve.empty() ? std::string("nobody says what it closes") : worst.cve);
    if (worst.exploited_since) facts.push_back("exploited since " + day_text(*worst.exploited_since));
    if (worst.epss) facts.push_back("EPSS " + epss_text(*worst.epss));
  }
  facts.push_back("severity " + (worst.severity.empty() ? std::string("unknown") : worst.severity));
  if (!worst.timeline.empty())
    facts.push_back(
        fmt::format("row {}: {}{}", worst.row, worst.timeline, worst.settled ? "" : ", as the worst that it can be"));
  facts.insert(facts.end(), worst.failures.begin(), worst.failures.end());
  return fmt::format("{}", fmt::join(facts, ", "));
}

}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/rings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"

namespace patchlab::promotion {
namespace {

using Moment = std::chrono::system_clock::time_point;

constexpr std::uintmax_t largest_rings = 1U << 20U;
constexpr std::size_t most_rings = 20;
constexpr std::int64_t most_hours = 8784;  // a year
constexpr const char* rest = "rest";
constexpr std::size_t most_named = 10;

class Reading {
 public:
  explicit Reading(std::vector<JsonProblem>& problems) : problems_(problems) {}

  std::vector<Ring> department(const Json& list, const std::string& pointer) {
    std::vector<Ring> rings;
    names_.clear();
    machines_.clear();
    for (std::size_t i = 0; i < list.size(); ++i)
      rings.push_back(ring(list[i], fmt::format("{}/{}", pointer, i), i + 1 == list.size()));
    return rings;
  }

 private:
  Ring ring(const Json& json, std::string pointer, bool is_last) {
    JsonReader reader(json, std::move(pointer), problems_);
    Ring ring;
    ring.name = reader.text("name");
    if (!ring.name.empty() && !is_scenario_name(ring.name))
      reader.problem("name", fmt::format("'{}' {}", printable(ring.name), scenario_name_rule));
    if (!names_.insert(ring.name).second)
      reader.problem("name", fmt::format("'{}' is a ring already", printable(ring.name)));
    read_machines(reader, ring, is_last);
    if (!is_last)
      ring.hours = std::chrono::hours(reader.integer("hours", 0, most_hours));
    else if (reader.has("hours"))
      reader.problem("hours", "nothing waits for the last ring");
    reader.finish();
    return ring;
  }

  void read_machines(JsonReader& reader, Ring& ring, bool is_last) {
    if (reader.raw("machines") == rest) {
      if (!is_last) reader.problem("machines", "only the last ring can be the rest");
      return;
    }
    ring.machines = reader.texts_or_empty("machines");
    if (ring.machines.empty()) reader.problem("machines", "must be a list of machines, or \"rest\"");
    for (std::size_t i = 0; i < ring.machines.size(); ++i) {
      if (!is_machine_name(ring.machines[i]))
        reader.problem("machines", i, fmt::format("'{}' cannot be the name of a machine", printable(ring.machines[i])));
      if (!machines_.insert(ring.machines[i]).second)
        reader.problem("machines", i, fmt::format("'{}' is in a ring already", printable(ring.machines[i])));
    }
  }

  std::vector<JsonProblem>& problems_;
  std::set<std::string> names_;
  std::set<std::string> machines_;
};

// What is against a machine that has something else: the first of it.
std::string what_differs(const MachineReport& report) {
  for (const auto& row : report.rows) {
    switch (row.state) {
      case InstalledState::older:
      case InstalledState::newer:
      case InstalledState::other_bytes:
      case InstalledState::failed: return fmt::format("{}: {}", row.name, to_string(row.state));
      case InstalledState::as_promoted:
      case InstalledState::not_installed:
      case InstalledState::not_reported:
      case InstalledState::not_for_it: break;
    }
  }
  return "it differs";
}

// What of it was there, in whatever state.
bool is_there(InstalledState state) {
  return state != InstalledState::not_installed && state != InstalledState::not_reported &&
         state != InstalledState::not_for_it;
}

// What one machine has, line by line. What is told last counts, whenever the machine says that it was: a clock that is
// behind hides nothing. Yet a report that all is well covers nothing that was observed after it.
class Story {
 public:
  Story(const RingQuestion& question, const std::string& name) : question_(question), machine_{.name = name} {}

  void tell(const DeployedMachine& told, Moment recorded, Moment observed, bool is_of_this_promotion) {
    const auto& report = told.report;
    const auto outcome = report.outcome();
    const auto gone = what_is_gone(report);
    const bool is_well = outcome == InstalledOutcome::as_promoted && gone.empty();
    const bool is_none = outcome == InstalledOutcome::unknown && report.open().parts == 0 && gone.empty();
    const bool passes = is_none && !was_there_ && may_pass(report);
    const bool by_hand = told.source == InstalledSource::by_hand;
    // Nobody says for a machine that it is well, and nothing that is older than what speaks against it does.
    if (by_hand && outcome != InstalledOutcome::differs)
      return refuse(fmt::format("line {} says so by hand, which does not count", told.line));
    remember(report);  // whatever it counts for: it does not become a machine that never had it
    if (is_well || passes) {
      if (!is_of_this_promotion) return;
      if (question_.signed_reports && !told.is_signed)
        return refuse(fmt::format("line {} says so and is not signed", told.line));
      if (observed < newest_against_)
        return refuse(fmt::format("line {} says otherwise, and was observed before that", told.line));
    }
    machine_.line = told.line;
    refused_.clear();
    machine_.passes = passes;
    if (is_well) return be_well(recorded, told.line);
    if (!passes) newest_against_ = std::max(newest_against_, observed);
    machine_.why_not = why_not(report, outcome, gone, told.line);
    if (outcome != InstalledOutcome::unknown || !gone.empty()) machine_.since.reset();
  }

  // What is so behind the line that was told last.
  [[nodiscard]] RingMachine now() const {
    auto machine = machine_;
    if (machine.line == 0)
      machine.why_not = fmt::format("has not reported that it has serial {}{}", question_.serial,
                                    question_.signed_reports ? ", signed" : "");
    if (!refused_.empty() && !machine.why_not.empty()) machine.why_not += "; " + refused_;
    if (!machine.why_not.empty()) machine.since.reset();
    return machine;
  }

 private:
  void be_well(Moment recorded, std::uint64_t line) {
    machine_.why_not.clear();
    if (machine_.since) return;
    machine_.since = recorded;
    machine_.since_line = line;
  }
  void refuse(std::string why) { refused_ = std::move(why); }
  void remember(const MachineReport& report) {
    for (std::size_t i = 0; i < report.rows.size(); ++i) {
      was_there_ = was_there_ || is_there(report.rows[i].state);
      if (report.rows[i].state == InstalledState::as_promoted) had_.insert(i);
    }
  }
  // That it had as promoted, and says now that it has not.
  [[nodiscard]] std::vector<std::string> what_is_gone(const MachineReport& report) const {
    std::vector<std::string> gone;
    for (std::size_t i = 0; i < report.rows.size(); ++i) {
      if (report.rows[i].state == InstalledState::not_installed && had_.contains(i))
        gone.push_back(report.rows[i].name);
    }
    return gone;
  }
  // Of nothing that is for other systems, every machine has enough.
  [[nodiscard]] bool may_pass(const MachineReport& report) const {
    return question_.none_passes || std::ranges::all_of(report.rows, [](const InstalledRow& row) {
             return row.state == InstalledState::not_for_it;
           });
  }
  [[nodiscard]] std::string why_not(const MachineReport& report, InstalledOutcome outcome,
                                    const std::vector<std::string>& gone, std::uint64_t line) const {
    if (!gone.empty())
      return fmt::format("had {} of serial {} and has it no more (line {}): it waits until it is installed again",
                         fmt::join(gone, ", "), question_.serial, line);
    if (outcome == InstalledOutcome::differs)
      return fmt::format("differs from serial {}: {}", question_.serial, what_differs(report));
    if (report.open().parts > 0) return fmt::format("did not say of all of serial {} what it has", question_.serial);
    if (was_there_) return fmt::format("has nothing of serial {} any more: install it there", question_.serial);
    if (may_pass(report)) return fmt::format("has nothing of serial {}", question_.serial);
    return fmt::format(
        "has nothing of serial {}: install it there, or, if it is not for it, let the file say \"nothing_there\": "
        "\"passes\"",
        question_.serial);
  }

  const RingQuestion& question_;
  RingMachine machine_;
  std::set<std::size_t> had_;  // rows: those of one promotion are in one order
  bool was_there_ = false;
  Moment newest_against_ = Moment::min();
  std::string refused_;  // why what was told last does not count
};

// What is so of each machine from which line of the ledger on. Each report is looked at once.
class Told {
 public:
  Told(const RingQuestion& question, const std::vector<DeployedMachine>& told) : unheard_(Story(question, {}).now()) {
    std::map<std::string, std::vector<const DeployedMachine*>> by_machine;
    for (const auto& one : told) {
      if (one.department != question.department) continue;
      auto& its = by_machine[one.report.machine];
      if (one.serial == question.serial) its.push_back(&one);
    }
    for (auto& [name, its] : by_machine) {
      std::ranges::sort(its, {}, &DeployedMachine::line);
      Story story(question, name);
      auto& states = by_machine_[name];
      for (const auto* one : its) {
        auto on_this = *one;
        on_this.newest_serial = question.serial;
        const auto recorded = parse_rfc3339(one->recorded).value_or(Moment::min());
        // Not later than it was recorded; observed after the promotion it is of it, and what speaks against it counts
        // whenever that was.
        const auto observed = std::min(recorded, parse_rfc3339(one->report.observed).value_or(Moment::min()));
        story.tell(*one, recorded, observed, on_this.has_reported());
        states.push_back({one->line, story.now()});
      }
    }
  }

  // Whoever reported in the department, whatever it was compared with.
  [[nodiscard]] std::vector<std::string> machines() const {
    std::vector<std::string> names;
    for (const auto& [name, its] : by_machine_) names.push_back(name);
    return names;
  }

  [[nodiscard]] RingMachine of(const std::string& name, std::uint64_t last_line) const {
    const auto found = by_machine_.find(name);
    if (found != by_machine_.end()) {
      const auto next = std::ranges::upper_bound(found->second, last_line, {}, &State::line);
      if (next != found->second.begin()) return std::prev(next)->machine;
    }
    auto machine = unheard_;
    machine.name = name;
    return machine;
  }

  // The lines in which something of this machine changes, in their order.
  [[nodiscard]] std::vector<std::uint64_t> lines_of(const std::string& name) const {
    std::vector<std::uint64_t> lines;
    if (const auto found = by_machine_.find(name); found != by_machine_.end()) {
      for (const auto& state : found->second) lines.push_back(state.line);
    }
    return lines;
  }

 private:
  struct State {
    std::uint64_t line = 0;
    RingMachine machine;  // from there on
  };
  RingMachine unheard_;
  std::map<std::string, std::vector<State>> by_machine_;
};

// One ring as the lines of the ledger are told: who has it not yet, and since when the others have it.
class RingProgress {
 public:
  RingProgress(const Ring& ring, std::size_t number, const Told& told) : ring_(ring), number_(number), told_(told) {
    for (std::size_t i = 0; i < ring.machines.size(); ++i) {
      missing_.insert(i);
      for (const auto line : told.lines_of(ring.machines[i])) changes_.emplace_back(line, i);
    }
    std::ranges::sort(changes_);
  }

  void tell_until(std::uint64_t line) {
    for (; next_ < changes_.size() && changes_[next_].first <= line; ++next_) {
      const auto i = changes_[next_].second;
      const auto now = told_.of(ring_.machines[i], changes_[next_].first);
      if (const auto was = since_.find(i); was != since_.end()) {
        times_.erase(times_.find(was->second));
        since_.erase(was);
      }
      if (now.since) {
        since_[i] = *now.since;
        times_.insert(*now.since);
      }
      if (now.since || now.passes)
        missing_.erase(i);
      else
        missing_.insert(i);
    }
    line_ = line;
  }

  // Why the next ring may not follow at this time; of each only the first `most`, and how many there are.
  void against(const RingQuestion& question, Moment now, std::size_t most, std::vector<std::string>& reasons,
               std::size_t& count) const {
    const auto add = [&](const std::string& what) {
      if (reasons.size() < most) reasons.push_back(fmt::format("ring {} ({}): {}", number_, ring_.name, what));
    };
    for (const auto i : missing_) {
      if (reasons.size() >= most) break;
      add(fmt::format("'{}' {}", ring_.machines[i], told_.of(ring_.machines[i], line_).why_not));
    }
    count += missing_.size();
    if (!missing_.empty()) return;
    if (times_.empty()) {
      ++count;
      return add(fmt::format(
          "none of its machines has anything of serial {}, so nobody tried it: name one there that it is for",
          question.serial));
    }
    const auto last = *times_.rbegin();
    if (question.emergency || now >= last + ring_.hours) return;
    ++count;
    add(fmt::format("all of it have it since {}, and its {} hours have passed on {}", rfc3339(last),
                    ring_.hours.count(), rfc3339(last + ring_.hours)));
  }

 private:
  const Ring& ring_;
  std::size_t number_;
  const Told& told_;
  std::vector<std::pair<std::uint64_t, std::size_t>> changes_;  // line, machine
  std::size_t next_ = 0;
  std::uint64_t line_ = 0;
  std::set<std::size_t> missing_;
  std::map<std::size_t, Moment> since_;
  std::multiset<Moment> times_;  // of since_
};

// The rings before one, as lines of the ledger are told in their order.
class Before {
 public:
  Before(const std::vector<Ring>& rings, std::size_t ring, const RingQuestion& question, const Told& told)
      : question_(question) {
    for (std::size_t i = 0; i < ring; ++i) rings_.emplace_back(rings[i], i + 1, told);
  }
  struct Reasons {
    std::vector<std::string> first;
    std::size_t count = 0;
  };
  // Why the ring may not follow yet. `line` is not less than that of the last question.
  [[nodiscard]] Reasons against(Moment now, std::uint64_t line, std::size_t most = ~std::size_t{0}) {
    Reasons reasons;
    for (auto& ring : rings_) {
      ring.tell_until(line);
      ring.against(question_, now, most, reasons.first, reasons.count);
    }
    return reasons;
  }

 private:
  const RingQuestion& question_;
  std::vector<RingProgress> rings_;
};

std::vector<std::string> machines_of(const std::vector<Ring>& rings, std::size_t ring, const Told& told) {
  if (!rings[ring].is_rest()) return rings[ring].machines;
  std::set<std::string> others;
  for (const auto& other : rings) others.insert(other.machines.begin(), other.machines.end());
  auto names = told.machines();
  std::erase_if(names, [&](const std::string& name) { return others.contains(name); });
  return names;
}

// Which of them took it before the rings before this one allowed it, a sentence each, in their order.
std::vector<std::string> early_ones(const std::vector<RingMachine>& machines, Before before) {
  std::vector<const RingMachine*> by_line;
  for (const auto& machine : machines) {
    if (machine.since) by_line.push_back(&machine);
  }
  std::ranges::stable_sort(by_line, {}, &RingMachine::since_line);
  std::map<const RingMachine*, std::string> early;
  for (const auto* machine : by_line) {
    const auto then = before.against(*machine->since, machine->since_line, 1);
    if (then.count == 0) continue;
    early[machine] =
        fmt::format("'{}' has it since {}, before its turn: {}{}", machine->name, rfc3339(*machine->since),
                    then.first.front(), then.count == 1 ? "" : fmt::format("; and {} more", then.count - 1));
  }
  std::vector<std::string> all;
  for (const auto& machine : machines) {
    if (const auto found = early.find(&machine); found != early.end()) all.push_back(found->second);
  }
  return all;
}

}  // namespace

Result<Rings> parse_rings(const std::string& text, const std::string& file_name) {
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file_name));
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  if (const auto schema = reader.text("schema"); !schema.empty() && schema != rings_schema)
    reader.problem("schema", fmt::format("must be \"{}\"", rings_schema));
  Rings rings;
  (void)reader.text_or("$schema", "");
  rings.sha256 = sha256(text);
  const auto reports = reader.text_or("reports", "any");
  if (reports != "any" && reports != "signed") reader.problem("reports", "must be \"any\" or \"signed\"");
  rings.signed_reports = reports == "signed";
  const auto nothing_there = reader.text_or("nothing_there", "waits");
  if (nothing_there != "waits" && nothing_there != "passes")
    reader.problem("nothing_there", "must be \"waits\" or \"passes\"");
  rings.none_passes = nothing_there == "passes";
  const auto& raw = reader.raw("departments");
  const auto all = raw.is_object() ? raw : Json::object();
  auto departments = reader.object("departments");
  if (raw.is_object() && all.empty()) reader.problem("departments", "names no department");
  Reading reading(problems);
  for (const auto& [name, list] : all.items()) {
    (void)departments.raw(name);
    if (!is_scenario_name(name)) departments.problem(name, fmt::format("'{}' {}", printable(name), scenario_name_rule));
    if (!list.is_array() || list.empty() || list.size() > most_rings)
      departments.problem(name, fmt::format("must be a list of rings, 1 to {}", most_rings));
    else
      rings.departments[name] = reading.department(list, departments.at(name));
  }
  departments.finish();
  reader.finish();
  if (!problems.empty()) return problems_error(file_name, problems);
  return rings;
}

Result<Rings> read_rings(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_rings));
  return parse_rings(text, file.string());
}

std::optional<std::size_t> find_ring(const std::vector<Ring>& rings, std::string_view word) {
  for (std::size_t i = 0; i < rings.size(); ++i) {
    if (word == rings[i].name || word == std::to_string(i + 1)) return i;
  }
  return std::nullopt;
}

std::vector<RingStanding> standing_of(const std::vector<Ring>& rings, const RingQuestion& question,
                                      const std::vector<DeployedMachine>& told) {
  const Told known(question, told);
  std::vector<RingStanding> standings;
  for (std::size_t i = 0; i < rings.size(); ++i) {
    RingStanding standing{rings[i].name, i + 1, rings[i].hours, rings[i].is_rest(), {}, {}, {}};
    const Before before(rings, i, question, known);
    standing.waits = Before(before).against(question.now, question.last_line).first;
    for (const auto& name : machines_of(rings, i, known))
      standing.machines.push_back(known.of(name, question.last_line));
    standing.early = early_ones(standing.machines, before);
    standings.push_back(std::move(standing));
  }
  return standings;
}

void to_json(Json& json, const RingStanding& standing) {
  Json machines = Json::array();
  for (const auto& machine : standing.machines) {
    Json one{{"machine", machine.name}, {"has_it", machine.since.has_value()}};
    if (machine.since) one["since"] = rfc3339(*machine.since);
    if (machine.passes) one["passes"] = true;
    if (!machine.why_not.empty()) one["why_not"] = machine.why_not;
    if (machine.line != 0) one["line"] = machine.line;
    machines.push_back(std::move(one));
  }
  json = {{"name", standing.name},
          {"number", standing.number},
          {"rest", standing.is_rest},
          {"machines", std::move(machines)},
          {"may_follow", standing.waits.empty()},
          {"waits", standing.waits},
          {"early", standing.early}};
  if (standing.hours.count() > 0) json["hours"] = standing.hours.count();
}

Result<HandoffRing> take_ring(const std::vector<Ring>& rings, std::size_t ring, const RingQuestion& question,
                              const std::vector<DeployedMachine>& told, const std::string& rings_sha256) {
  const Told known(question, told);
  const auto& its = rings.at(ring);
  if (auto why = Before(rings, ring, question, known).against(question.now, question.last_line).first; !why.empty()) {
    const auto more = why.size() > most_named ? why.size() - most_named : 0;
    why.resize(why.size() - more);
    return configuration_error(
        fmt::format("ring {} ({}) of '{}' may not follow yet: {}{}", ring + 1, its.name, printable(question.department),
                    fmt::join(why, "; "), more == 0 ? "" : fmt::format("; and {} more", more)),
        "patchlab deploy record writes down what machines have; patchlab deploy status --rings shows each ring");
  }
  HandoffRing taken{its.name, ring + 1, rings.size(), its.machines, {}, {}, rings_sha256};
  for (std::size_t i = 0; i < rings.size(); ++i) {
    if (i == ring) continue;
    for (const auto& name : rings[i].machines) {
      taken.others.push_back(name);
      if (i > ring) continue;
      // Since when its hours count, and what it said last.
      const auto machine = known.of(name, question.last_line);
      if (machine.since) taken.reports.push_back(machine.since_line);
      taken.reports.push_back(machine.line);
    }
  }
  std::ranges::sort(taken.reports);
  taken.reports.erase(std::unique(taken.reports.begin(), taken.reports.end()), taken.reports.end());
  return taken;
}

}  // namespace patchlab::promotion

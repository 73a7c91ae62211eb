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

  [[nodiscard]] RingMachine end() && {
    if (machine_.line == 0)
      machine_.why_not = fmt::format("has not reported that it has serial {}{}", question_.serial,
                                     question_.signed_reports ? ", signed" : "");
    if (!refused_.empty() && !machine_.why_not.empty()) machine_.why_not += "; " + refused_;
    if (!machine_.why_not.empty()) machine_.since.reset();
    return std::move(machine_);
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

class Told {
 public:
  Told(const RingQuestion& question, const std::vector<DeployedMachine>& told) : question_(question) {
    for (const auto& one : told) {
      if (one.department != question.department) continue;
      auto& its = by_machine_[one.report.machine];
      if (one.serial != question.serial) continue;
      auto on_this = one;
      on_this.newest_serial = question.serial;
      const auto recorded = parse_rfc3339(one.recorded).value_or(Moment::min());
      its.push_back({one, recorded, std::min(recorded, parse_rfc3339(one.report.observed).value_or(Moment::min())),
                     on_this.has_reported()});
    }
    for (auto& [name, its] : by_machine_) std::ranges::sort(its, {}, [](const Report& one) { return one.told.line; });
  }

  // Whoever reported in the department, whatever it was compared with.
  [[nodiscard]] std::vector<std::string> machines() const {
    std::vector<std::string> names;
    for (const auto& [name, its] : by_machine_) names.push_back(name);
    return names;
  }

  [[nodiscard]] RingMachine of(const std::string& name, std::uint64_t last_line) const {
    Story story(question_, name);
    if (const auto found = by_machine_.find(name); found != by_machine_.end()) {
      for (const auto& one : found->second) {
        if (one.told.line <= last_line) story.tell(one.told, one.recorded, one.observed, one.is_of_this_promotion);
      }
    }
    return std::move(story).end();
  }

  // Why the ring with this index may not follow yet.
  [[nodiscard]] std::vector<std::string> against(const std::vector<Ring>& rings, std::size_t ring, Moment now,
                                                 std::uint64_t last_line) const {
    std::vector<std::string> reasons;
    for (std::size_t i = 0; i < ring; ++i) {
      bool all = true;
      std::optional<Moment> last;
      for (const auto& name : rings[i].machines) {
        const auto machine = of(name, last_line);
        if (machine.since) last = std::max(last.value_or(Moment::min()), *machine.since);
        if (machine.since || machine.passes) continue;
        reasons.push_back(fmt::format("ring {} ({}): '{}' {}", i + 1, rings[i].name, name, machine.why_not));
        all = false;
      }
      if (all && !last)
        reasons.push_back(fmt::format(
            "ring {} ({}): none of its machines has anything of serial {}, so nobody tried it: name one there "
            "that it is for",
            i + 1, rings[i].name, question_.serial));
      if (!all || !last || question_.emergency) continue;
      if (const auto from = *last + rings[i].hours; now < from)
        reasons.push_back(fmt::format("ring {} ({}): all of it have it since {}, and its {} hours have passed on {}",
                                      i + 1, rings[i].name, rfc3339(*last), rings[i].hours.count(), rfc3339(from)));
    }
    return reasons;
  }

 private:
  struct Report {
    DeployedMachine told;
    Moment recorded;
    Moment observed;            // not later than it was recorded
    bool is_of_this_promotion;  // observed after it; what speaks against it counts whenever that was
  };
  const RingQuestion& question_;
  std::map<std::string, std::vector<Report>> by_machine_;
};

std::vector<std::string> machines_of(const std::vector<Ring>& rings, std::size_t ring, const Told& told) {
  if (!rings[ring].is_rest()) return rings[ring].machines;
  auto names = told.machines();
  for (const auto& other : rings)
    std::erase_if(names, [&](const std::string& name) { return std::ranges::count(other.machines, name) > 0; });
  return names;
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
    standing.waits = known.against(rings, i, question.now, question.last_line);
    for (const auto& name : machines_of(rings, i, known)) {
      const auto& machine = standing.machines.emplace_back(known.of(name, question.last_line));
      if (!machine.since) continue;
      const auto then = known.against(rings, i, *machine.since, machine.since_line);
      if (then.empty()) continue;
      standing.early.push_back(fmt::format("'{}' has it since {}, before its turn: {}{}", name, rfc3339(*machine.since),
                                           then.front(),
                                           then.size() == 1 ? "" : fmt::format("; and {} more", then.size() - 1)));
    }
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
  if (auto why = known.against(rings, ring, question.now, question.last_line); !why.empty()) {
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

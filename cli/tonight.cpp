// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/tonight.hpp"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iterator>

#include "cli/assessment.hpp"
#include "cli/foreseen.hpp"
#include "cli/history_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "history/index/queries.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/repack/recipe.hpp"
#include "process/tonight/tonight.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
namespace forecast = runners::forecast;
using namespace process;
using Moment = std::chrono::system_clock::time_point;
using runners::DepartmentJob;
using runners::Scenario;

constexpr std::uintmax_t largest_scenario = 16U << 20U;

// The scenario that a plan is made from, as text and as values.
struct Template {
  Json json;
  Scenario scenario;
};

Result<Template> read_template(const fs::path& file) {
  PATCHLAB_ASSIGN(auto text, read_file(file, largest_scenario));
  // Candidates of its own it needs none.
  PATCHLAB_ASSIGN(auto scenario, runners::parse_scenario(text, file, runners::ScenarioFor::learning));
  PATCHLAB_ASSIGN(auto json, parse_json(without_comments(std::move(text)), file.string()));
  if (scenario.planned)
    return configuration_error(fmt::format("'{}' was written by 'patchlab plan'", file.string()),
                               fmt::format("plan from '{}' again", json["planned"]["template"].value("file", "")));
  return Template{std::move(json), std::move(scenario)};
}

bool is_a_plan(const Json& json) {
  const Json::json_pointer digest("/planned/template/digest");
  return json.is_object() && json.contains(digest) && json.at(digest).is_string() &&
         is_sha256(json.at(digest).get_ref<const std::string&>());
}

// What an earlier plan left there, nobody shall take for tonight's. Anything else stays, and is an error.
Result<void> make_room(const fs::path& output) {
  if (output.empty()) return {};
  PATCHLAB_ASSIGN(const auto path, absolute_path(output));
  if (!is_folder(path.parent_path()))
    return configuration_error(fmt::format("there is no folder '{}'", path.parent_path().string()), "make it first");
  if (status_of(output).type() == fs::file_type::not_found) return {};
  const auto text = read_file(output, largest_scenario);
  const auto json = text ? json_in(without_comments(*text)) : Json();
  if (!is_a_plan(json))
    return configuration_error(fmt::format("'{}' is there, and no plan wrote it", output.string()),
                               "give another name with -o");
  return remove_tree(output);
}

// The next time that a clock of this host shows that.
Result<Moment> next_time(const std::string& word, Moment now) {
  int hour = -1, minute = -1;
  const auto* end = word.data() + word.size();
  const auto first = std::from_chars(word.data(), end, hour);
  const bool has_colon = first.ec == std::errc() && first.ptr != end && *first.ptr == ':';
  const auto second = has_colon ? std::from_chars(first.ptr + 1, end, minute) : first;
  if (!has_colon || second.ec != std::errc() || second.ptr != end || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || end - first.ptr != 3)
    return usage_error(fmt::format("--by '{}' is no time of a day", printable(word)), "as in --by 06:00");
  const auto began = std::chrono::system_clock::to_time_t(now);
  std::tm shown{};
  ::localtime_r(&began, &shown);
  for (const int days : {0, 1}) {
    std::tm asked = shown;
    asked.tm_mday += days;
    asked.tm_hour = hour;
    asked.tm_min = minute;
    asked.tm_sec = 0;
    asked.tm_isdst = -1;
    const auto when = ::mktime(&asked);
    if (when > began) return std::chrono::system_clock::from_time_t(when);
  }
  return Error{ErrorClass::bug, fmt::format("'{}' never comes", word), {}};
}

std::string clock_text(Moment moment) {
  const auto when = std::chrono::system_clock::to_time_t(moment);
  std::tm shown{};
  ::localtime_r(&when, &shown);
  return fmt::format("{:02}:{:02}", shown.tm_hour, shown.tm_min);
}

struct Begin {
  Moment now;
  std::optional<Moment> until;
  [[nodiscard]] std::optional<std::int64_t> most_ms() const {
    if (!until) return std::nullopt;
    return std::max<std::int64_t>(0, std::chrono::duration_cast<Milliseconds>(*until - now).count());
  }
};

Result<Begin> begin_of(const TonightArguments& arguments) {
  Begin begin{system_clock_source().wall(), {}};
  if (!arguments.by.empty()) {
    PATCHLAB_ASSIGN(begin.until, next_time(arguments.by, begin.now));
  } else if (arguments.hours > 0) {
    begin.until = begin.now + std::chrono::duration_cast<Moment::duration>(
                                  std::chrono::duration<double, std::ratio<3600>>(arguments.hours));
  }
  return begin;
}

// How each candidate stands in a scenario.
struct Entry {
  Json json;                       // of "candidates"; of apt without the packages
  std::vector<std::string> apt;    // source packages
  std::vector<std::string> needs;  // that its manifest names
  std::vector<std::string> supersedes{};
};
using Entries = std::map<std::string, Entry>;

Entries entries_of_template(const Template& made_from, const patches::ContentStore& store) {
  Entries entries;
  const auto& sources = made_from.scenario.candidates;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].kind != runners::CandidateSourceKind::path) continue;
    const auto loaded = patches::load_candidate(sources[i].path, store);
    if (loaded)
      entries[loaded->id] = {made_from.json.at("candidates").at(i), {}, loaded->prerequisites, loaded->supersedes};
  }
  return entries;
}

void add_offers(const std::vector<ScannedMachine>& machines, const patches::ContentStore& store, Entries& entries,
                std::map<std::string, Supply>& supplies) {
  for (const auto& machine : machines) {
    for (const auto& offer : machine.offers) {
      auto& supply = supplies[offer.id];
      // What Microsoft's catalogue names is tested when the scenario names it as a candidate.
      supply.offered = supply.offered || !offer.decided || entries.contains(offer.id);
      for (const auto& file : offer.files) {
        // The apt sources alone say of which source a package is.
        if (!file.source.empty()) {
          auto& entry = entries[offer.id];
          if (std::ranges::count(entry.apt, file.source) == 0) entry.apt.push_back(file.source);
        }
        auto name =
            file.name.empty() ? fmt::format("{} {} {}", file.package, file.version, file.architecture) : file.name;
        if (!store.contains(file.sha256) && std::ranges::count(supply.lacking, name) == 0)
          supply.lacking.push_back(std::move(name));
      }
      supply.offered = supply.offered || !supply.lacking.empty();
    }
  }
}

// What is needed, or what supersedes it, as patches/set takes it.
std::string provider_of(const std::string& id, const Entries& entries) {
  if (entries.contains(id)) return id;
  const auto newer = std::ranges::find_if(
      entries, [&](const auto& entry) { return std::ranges::count(entry.second.supersedes, id) > 0; });
  return newer == entries.end() ? id : newer->first;
}

// In this order, each with what it needs before it; neighbours from apt are asked for together.
Json candidates_json(const std::vector<std::string>& ids, const Entries& entries) {
  Json list = Json::array();
  std::set<std::string> there;
  const std::function<void(const std::string&)> add = [&](const std::string& id) {
    const auto entry = entries.find(id);
    if (entry == entries.end() || !there.insert(id).second) return;
    for (const auto& needed : entry->second.needs) add(provider_of(needed, entries));
    if (entry->second.apt.empty()) return list.push_back(entry->second.json);
    if (list.empty() || !list.back().contains("source"))
      list.push_back({{"source", "apt"}, {"order", "as-named"}, {"packages", Json::array()}});
    for (const auto& source : entry->second.apt) {
      auto& packages = list.back()["packages"];
      if (std::count(packages.begin(), packages.end(), source) == 0) packages.push_back(source);
    }
  };
  for (const auto& id : ids) add(id);
  return list;
}

// Where a scenario is silent, Windows and Debian are tried differently: what the whole one said stays.
void keep_trial(const Template& made_from, Json& json) {
  const auto& policy = made_from.scenario.trial;
  const bool had_trial = json.contains("trial");
  auto& trial = json["trial"];
  if (!had_trial) trial = Json::object();
  const auto seconds = [](Milliseconds time) { return time.count() / 1000; };
  const Json all{{"warm_reboots", policy.warm_reboots},
                 {"cold_reboots", policy.cold_reboots},
                 {"boot_timeout_s", seconds(policy.boot_timeout)},
                 {"ready_timeout_s", seconds(policy.ready_timeout)},
                 {"install_timeout_s", seconds(policy.install_timeout)},
                 {"stability_s", seconds(policy.stability)},
                 {"stability_load", policy.stability_load}};
  for (const auto& [key, value] : all.items()) {
    if (!trial.contains(key)) trial[key] = value;
  }
}

struct Origin {
  const ScanAnswer* scan = nullptr;  // null: an emergency
  std::vector<std::string> due;
  std::string emergency;
  std::string at;
};

Json planned_json(const Template& made_from, const Origin& origin) {
  const auto& scenario = made_from.scenario;
  std::set<std::string> roles;
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) roles.insert(machine.role);
  }
  Json planned{{"at", origin.at},
               {"template", {{"file", scenario.file.string()}, {"name", scenario.name}, {"digest", scenario.digest}}},
               {"roles", roles}};
  if (!origin.emergency.empty()) planned["emergency"] = origin.emergency;
  if (origin.scan == nullptr) return planned;
  planned["due"] = origin.due;
  const auto& table = origin.scan->table_origin;
  planned["scan"] = {{"digest", origin.scan->digest},
                     {"day", day_text(origin.scan->today)},
                     {"whole", origin.scan->whole},
                     {"decisions",
                      {{"digest", origin.scan->table_digest},
                       {"file", table.file},
                       {"named_by", to_string(table.named_by)},
                       {"policy", table.policy}}}};
  Json feeds = Json::array();
  for (const auto& feed : origin.scan->feeds) {
    feeds.push_back({{"kind", feed.kind},
                     {"digest", feed.digest},
                     {"date", feed.date ? Json(day_text(*feed.date)) : Json()},
                     {"age_days", feed.age_days ? Json(*feed.age_days) : Json()},
                     {"usable", feed.usable},
                     {"why", feed.why}});
  }
  planned["feeds"] = std::move(feeds);
  return planned;
}

// What the scan says that these candidates close, for the run to hold against what it sees.
Json closes_json(const ScanAnswer& scan, const std::set<std::string>& ids, const std::set<std::string>& departments) {
  auto all = Json::array();
  for (const auto& row : scan.rows) {
    if (!ids.contains(row.item) || !departments.contains(row.department)) continue;
    for (const auto& closes : row.closes) {
      auto needs = Json::array();
      for (const auto& one : closes.needs) needs.push_back({{"package", one.package}, {"version", one.version}});
      all.push_back({{"candidate", row.item},
                     {"department", row.department},
                     {"machine", row.machine},
                     {"vulnerabilities", closes.vulnerabilities},
                     {"needs", needs}});
    }
  }
  return all;
}

// The scenario with these departments and candidates only. Its paths stay as they are, and so does what they are
// relative to, wherever the file will be.
Json reduced(const Template& made_from, const std::set<std::string>& departments, Json candidates, Json planned) {
  auto json = made_from.json;
  json.erase("$schema");
  json["folder"] = made_from.scenario.folder.string();
  for (auto at = json["departments"].begin(); at != json["departments"].end();)
    at = departments.contains(at.key()) ? std::next(at) : json["departments"].erase(at);
  json["candidates"] = std::move(candidates);
  json["planned"] = std::move(planned);
  const auto again = runners::parse_scenario(pretty(json), made_from.scenario.file);
  if (again && Json(again->trial) != Json(made_from.scenario.trial)) keep_trial(made_from, json);
  return json;
}

std::map<std::string, InTheLab> in_the_lab(const runners::Plan& plan) {
  std::map<std::string, InTheLab> lab;
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    const auto& candidate = plan.candidates[i];
    auto& here = lab[candidate.id];
    here.needs = candidate.prerequisites;
    for (const auto& job : plan.departments) {
      const auto& planned = job.candidates.at(i);
      here.applies = here.applies || !planned.installs.empty();
      if (here.why_not.empty()) here.why_not = planned.skipped_because;
      for (const auto index : planned.prerequisites) {
        const auto& needed = job.candidates.at(index).id;
        if (std::ranges::count(here.needs, needed) == 0) here.needs.push_back(needed);
      }
    }
    const auto said = fmt::format("candidate '{}' is held back", candidate.id);
    for (const auto& sentence : plan.not_tested) {
      if (!here.applies && sentence.starts_with(said)) here.why_not = sentence;
    }
  }
  return lab;
}

// The departments as they would be with these candidates alone.
std::vector<DepartmentJob> with_only(const std::vector<DepartmentJob>& jobs, const std::set<std::string>& ids,
                                     const std::set<std::string>& departments) {
  std::vector<DepartmentJob> kept;
  for (const auto& job : jobs) {
    if (!departments.contains(job.cell.department)) continue;
    kept.push_back(job);
    for (auto& candidate : kept.back().candidates) {
      if (!ids.contains(candidate.id)) candidate.installs.clear();
    }
  }
  return kept;
}

// Everything that is said in the end.
struct Answer {
  Origin origin;
  std::vector<NotKnown> not_known;
  TonightPlan night;
  std::set<std::string> departments;
  std::optional<forecast::FleetPlan> foreseen;
  std::vector<NotKnown> held_back;                   // not due, of a source that is asked, and known to be bad: ids
  Json scenario;                                     // null: there is none
  std::vector<history::ForecastQuestion> questions;  // about what was chosen, in its order
};

std::set<std::string> departments_of(const std::vector<ChosenUpdate>& chosen) {
  std::set<std::string> departments;
  for (const auto& one : chosen) departments.insert(one.update.departments.begin(), one.update.departments.end());
  return departments;
}

history::ForecastQuestion question_about(const ChosenUpdate& chosen, const runners::Plan& plan) {
  history::ForecastQuestion question;
  const auto candidate = std::ranges::find(plan.candidates, chosen.update.id(), &patches::Candidate::id);
  if (candidate == plan.candidates.end()) return question;
  std::vector<std::string> files;
  std::string signature;
  for (const auto& file : candidate->files) {
    files.push_back(file.name);
    if (signature.empty() && file.signature) signature = describe(*file.signature);
  }
  question.kind = candidate->kind;
  question.source = history::source_of(patches::to_string(candidate->origin), signature);
  question.products = history::products_of(candidate->kind, candidate->title, files);
  std::set<std::string> roles;
  for (const auto& job : plan.departments) {
    const auto planned = std::ranges::find(job.candidates, chosen.update.id(), &runners::PlannedCandidate::id);
    if (planned == job.candidates.end()) continue;
    for (const auto& department : plan.scenario.departments) {
      if (department.name != job.cell.department) continue;
      for (const auto& machine : department.machines) {
        if (planned->installs.contains(machine.name)) roles.insert(machine.role);
      }
    }
  }
  question.roles.assign(roles.begin(), roles.end());
  return question;
}

std::vector<std::string> superseded_in(const Answer& answer) {
  return answer.origin.scan == nullptr ? std::vector<std::string>()
                                       : superseded_by_due(*answer.origin.scan, answer.night);
}

std::string left_out_text(const NotPlanned& left, std::optional<std::int64_t> most_ms) {
  if (left.because != NotPlannedBecause::does_not_fit) return left.why;
  return fmt::format("does not fit: with it the run takes {}, and there are {}",
                     forecast::duration_text(left.foreseen_ms.value_or(0)),
                     forecast::duration_text(most_ms.value_or(0)));
}

class Planner {
 public:
  Planner(const Template& made_from, const TonightArguments& arguments, const TonightTools& tools, Begin& begin)
      : made_from_(made_from), arguments_(arguments), tools_(tools), begin_(begin), store_(cache_folder() / "store") {}

  Result<Answer> of_what_is_due(const std::vector<std::string>& departments) {
    PATCHLAB_ASSIGN(auto table, decision_table(arguments_.decisions, made_from_.scenario.stage));
    PATCHLAB_ASSIGN(const auto timelines, timelines_in(arguments_.due, table.table));
    PATCHLAB_TRY(look(departments, std::move(table)));
    reads_inputs_ = false;
    Answer answer;
    answer.origin = {&scan_, {timelines.begin(), timelines.end()}, {}, rfc3339(begin_.now)};
    const auto today = std::chrono::floor<std::chrono::days>(begin_.now);
    answer.not_known = not_known_of(scan_, timelines, today);
    for (const auto& one : also_not_known_) {
      if (std::ranges::count(answer.not_known, one) == 0) answer.not_known.push_back(one);
    }
    auto found = testable(due_updates(scan_, timelines), supplies_);
    std::set<std::string> whole;
    for (const auto& update : found.updates) whole.insert(update.departments.begin(), update.departments.end());
    answer.night.left_out = std::move(found.left_out);
    if (found.updates.empty()) return answer;
    PATCHLAB_TRY(fill(answer, found.updates, whole));
    return answer;
  }

  // Whatever is due: this one, on every machine that it is for.
  Result<Answer> of_one(const std::vector<std::string>& departments) {
    reads_inputs_ = false;
    PATCHLAB_ASSIGN(const auto survey, survey_of(made_from_.scenario, departments));
    take(survey.machines);
    PATCHLAB_ASSIGN(const auto id, id_of(arguments_.emergency));
    std::set<std::string> all;
    for (const auto& department : made_from_.scenario.departments) {
      if (departments.empty() || std::ranges::count(departments, department.name) > 0) all.insert(department.name);
    }
    Answer answer;
    answer.origin = {nullptr, {}, id, rfc3339(begin_.now)};
    PATCHLAB_ASSIGN(const auto plan, planned(all, {id}, answer));
    DueUpdate update;
    update.worst.item = id;
    for (const auto& job : plan.departments) {
      const auto found = std::ranges::find(job.candidates, id, &runners::PlannedCandidate::id);
      if (found == job.candidates.end()) continue;
      for (const auto& [machine, install] : found->installs) {
        update.machines.push_back(job.cell.department + "/" + machine);
        update.departments.insert(job.cell.department);
      }
    }
    PATCHLAB_TRY(choose(answer, plan, {update}));
    return answer;
  }

  // An error until then is one of the scan, the feeds or the decision table.
  [[nodiscard]] bool reads_inputs() const { return reads_inputs_; }

 private:
  // The scan of now, or that of the file, with what there is for the machines now.
  Result<void> look(const std::vector<std::string>& departments, ChosenTable chosen) {
    if (arguments_.scan.empty()) {
      AssessmentArguments asked{made_from_.scenario.file, arguments_.feeds, arguments_.decisions, departments,
                                arguments_.runs};
      PATCHLAB_ASSIGN(const auto assessed, assess(asked, made_from_.scenario, std::move(chosen)));
      Json json = assessed.result;
      json["scenario"] = {{"name", made_from_.scenario.name}, {"digest", made_from_.scenario.digest}};
      json["schema"] = "patchlab/scan/v1";
      PATCHLAB_ASSIGN(scan_, read_scan_answer(pretty(json), "scan"));
      take(assessed.machines);
      return {};
    }
    const auto file = arguments_.scan.string();
    PATCHLAB_ASSIGN(const auto text, read_file(arguments_.scan));
    PATCHLAB_ASSIGN(scan_, read_scan_answer(text, file));
    if (scan_.scenario_digest != made_from_.scenario.digest)
      return configuration_error(
          fmt::format("'{}' is a scan of scenario '{}' {}", file, printable(scan_.scenario_name),
                      scan_.scenario_name == made_from_.scenario.name ? "as it was before it was changed"
                                                                      : "and not of this one"),
          "scan again: patchlab scan SCENARIO -o FILE");
    if (scan_.table_digest != chosen.table.digest)
      return configuration_error(
          fmt::format("'{}' was made by another decision table, of sha256 {}; now it is {}", file,
                      printable(scan_.table_digest), table_text(chosen.table.digest, chosen.table.origin)),
          "scan again, or name that table with --decisions where no policy names one");
    if (scan_.today > std::chrono::floor<std::chrono::days>(begin_.now))
      return configuration_error(fmt::format("'{}' is of {}, which is yet to come", file, day_text(scan_.today)));
    if (!departments.empty())
      std::erase_if(scan_.rows, [&](const auto& row) { return std::ranges::count(departments, row.department) == 0; });
    PATCHLAB_ASSIGN(const auto survey, survey_of(made_from_.scenario, departments));
    also_not_known_ = std::move(chosen.not_known);
    also_not_known_.insert(also_not_known_.end(), survey.not_known.begin(), survey.not_known.end());
    std::ranges::move(not_scanned(scan_, survey.machines), std::back_inserter(also_not_known_));
    take(survey.machines);
    return {};
  }

  void take(const std::vector<ScannedMachine>& machines) {
    entries_ = entries_of_template(made_from_, store_);
    add_offers(machines, store_, entries_, supplies_);
  }

  // A package or folder that somebody names, or one that there is for the machines.
  Result<std::string> id_of(const std::string& named) {
    if (entries_.contains(named)) return named;
    if (is_there(named)) {
      PATCHLAB_ASSIGN(const auto path, absolute_path(named));
      PATCHLAB_ASSIGN(const auto candidate, patches::load_candidate(path, store_));
      entries_[candidate.id] = {{{"path", path.string()}}, {}, candidate.prerequisites, candidate.supersedes};
      return candidate.id;
    }
    std::vector<std::string> known;
    for (const auto& [id, entry] : entries_) known.push_back(id);
    for (std::size_t i = 0; i < made_from_.scenario.candidates.size(); ++i) {
      const auto& source = made_from_.scenario.candidates[i];
      if (source.kind != runners::CandidateSourceKind::recipe) continue;
      PATCHLAB_ASSIGN(const auto recipe, patches::read_recipe(source.path));
      known.push_back(recipe.identity.id);
      entries_[recipe.identity.id] = {
          made_from_.json.at("candidates").at(i), {}, recipe.identity.prerequisites, recipe.identity.supersedes};
    }
    PATCHLAB_TRY(check_choice("--emergency", {named}, "is no file, and nothing of that name is on offer", known));
    return named;
  }

  Result<runners::Plan> planned(const std::set<std::string>& departments, const std::vector<std::string>& ids,
                                const Answer& answer, const std::set<std::string>& left_out = {}) {
    auto origin = planned_json(made_from_, answer.origin);
    if (!left_out.empty()) origin["left_out"] = left_out;
    const auto json = reduced(made_from_, departments, candidates_json(ids, entries_), std::move(origin));
    PATCHLAB_ASSIGN(scenario_, runners::parse_scenario(pretty(json), made_from_.scenario.file));
    return tools_.plan(scenario_, {});
  }

  // In words of the candidate, on one line: places are those of a scenario that nobody sees.
  [[nodiscard]] Error without_place(Error error) const {
    auto& text = error.message;
    if (const auto place = made_from_.scenario.file.string() + ": "; text.starts_with(place)) {
      text.erase(0, place.size());
      if (const auto end = text.find(": "); text.starts_with('/') && end != std::string::npos) text.erase(0, end + 2);
    }
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text.replace(at, 1, "; ");
    return error;
  }

  Result<void> fill(Answer& answer, const std::vector<DueUpdate>& updates, const std::set<std::string>& departments) {
    std::optional<runners::Plan> plan;  // of those that were asked for last
    bool lab_is_there = false;
    const auto try_plan = [&](const std::vector<DueUpdate>& some) -> Result<std::optional<Error>> {
      std::vector<std::string> ids;
      for (const auto& update : some) ids.push_back(update.id());
      auto planned_so = planned(departments, ids, answer);
      if (planned_so) {
        plan = std::move(planned_so).value();
        return std::optional<Error>();
      }
      if (planned_so.error().error_class != ErrorClass::configuration) return planned_so.error();
      // What is not in order without any candidate (an image that is not built) is no fault of one.
      if (!lab_is_there)
        PATCHLAB_TRY(
            tools_.plan(made_from_.scenario, {.departments = {departments.begin(), departments.end()}, .controls = 1}));
      lab_is_there = true;
      return std::optional(without_place(std::move(planned_so).error()));
    };
    PATCHLAB_ASSIGN(auto found, plannable(updates, try_plan));
    std::ranges::move(found.left_out, std::back_inserter(answer.night.left_out));
    if (found.updates.empty()) return {};
    return choose(answer, *plan, found.updates);
  }

  Result<void> choose(Answer& answer, const runners::Plan& plan, const std::vector<DueUpdate>& updates) {
    auto lab = in_the_lab(plan);
    for (const auto& row : scan_.rows) {
      const auto here = lab.find(row.item);
      if (row.status == RowStatus::known_bad && here != lab.end()) here->second.known_bad = row.why;
    }
    // The morning does not wait for what was looked up until now.
    if (!arguments_.by.empty()) begin_.now = system_clock_source().wall();
    const auto foresee = [&](const std::set<std::string>& ids) -> Result<std::optional<std::int64_t>> {
      PATCHLAB_ASSIGN(const auto fleet, foresee_only(plan, updates, ids));
      return fleet ? std::optional(fleet->makespan_ms()) : std::nullopt;
    };
    PATCHLAB_ASSIGN(auto night, fill_night(updates, lab, begin_.most_ms(), foresee));
    answer.night.chosen = std::move(night.chosen);
    answer.departments = departments_of(answer.night.chosen);
    std::vector<std::string> ids;
    for (const auto& one : answer.night.chosen) ids.push_back(one.update.id());
    std::ranges::move(night.left_out, std::back_inserter(answer.night.left_out));
    if (ids.empty()) return {};
    // apt is asked for sources, and may have two updates of one: what is left out does not come along with the other.
    for (const auto& left : answer.night.left_out) left_out_.insert(left.update.id());
    for (const auto& [id, here] : lab) {
      if (here.known_bad.empty() || left_out_.contains(id) || std::ranges::count(ids, id) > 0) continue;
      answer.held_back.push_back({id, here.known_bad});
      left_out_.insert(id);
    }
    for (const auto& id : night.along) left_out_.erase(id);
    std::optional<runners::Plan> again;
    if (std::ranges::any_of(plan.candidates, [&](const auto& one) { return left_out_.contains(one.id); })) {
      PATCHLAB_ASSIGN(again, planned(answer.departments, ids, answer, left_out_));
    }
    const auto& last = again ? *again : plan;
    std::set<std::string> all;
    for (const auto& candidate : last.candidates) all.insert(candidate.id);
    std::ranges::copy_if(all, std::inserter(answer.night.along, answer.night.along.end()),
                         [&](const auto& id) { return std::ranges::count(ids, id) == 0; });
    for (const auto& one : answer.night.chosen) answer.questions.push_back(question_about(one, last));
    PATCHLAB_ASSIGN(answer.foreseen, foresee_only(last, updates, all));
    if (!answer.foreseen)
      answer.not_known.push_back({"how long it takes", "machines of a libvirt are not foreseen"});
    else if (begin_.until && answer.foreseen->makespan_ms() > *begin_.most_ms())
      answer.not_known.push_back({"what of it fits", "what comes along because it is of the same source takes longer"});
    write(answer, ids);
    return {};
  }

  // Nothing: of some department nobody can tell.
  Result<std::optional<forecast::FleetPlan>> foresee_only(const runners::Plan& plan,
                                                          const std::vector<DueUpdate>& updates,
                                                          const std::set<std::string>& ids) {
    std::set<std::string> departments;
    for (const auto& update : updates) {
      if (ids.contains(update.id())) departments.insert(update.departments.begin(), update.departments.end());
    }
    PATCHLAB_ASSIGN(auto fleet, tools_.foresee(scenario_, with_only(plan.departments, ids, departments)));
    if (!fleet.work.not_planned.empty()) return std::optional<forecast::FleetPlan>();
    return std::optional(std::move(fleet));
  }

  void write(Answer& answer, const std::vector<std::string>& ids) {
    auto origin = planned_json(made_from_, answer.origin);
    origin["candidates"] = ids;
    std::vector<std::string> not_tested;
    for (const auto& left : answer.night.left_out)
      not_tested.push_back(fmt::format("candidate '{}' is due and was not planned: {}", left.update.id(),
                                       left_out_text(left, begin_.most_ms())));
    for (const auto& one : answer.held_back)
      not_tested.push_back(fmt::format("candidate '{}' was not planned: it is known to be bad: {}", one.what, one.why));
    std::ranges::move(superseded_in(answer), std::back_inserter(not_tested));
    std::ranges::move(other_outcomes(answer.night, answer.departments), std::back_inserter(not_tested));
    for (const auto& one : answer.not_known)
      not_tested.push_back(fmt::format("when this was planned, it was unknown: {}: {}", one.what, one.why));
    origin["not_tested"] = not_tested;
    if (!left_out_.empty()) origin["left_out"] = left_out_;
    if (answer.foreseen) origin["foreseen"] = foreseen_json(*answer.foreseen);
    if (answer.origin.scan != nullptr) {
      auto all = answer.night.along;
      all.insert(ids.begin(), ids.end());
      origin["closes"] = closes_json(*answer.origin.scan, all, answer.departments);
    }
    answer.scenario = reduced(made_from_, answer.departments, candidates_json(ids, entries_), std::move(origin));
    if (!answer.origin.emergency.empty())
      answer.scenario["title"] =
          fmt::format("{}: {} alone, which cannot wait", made_from_.scenario.title, answer.origin.emergency);
    else
      answer.scenario["title"] =
          fmt::format("{}: what was due on {}", made_from_.scenario.title, day_text(scan_.today));
  }

  const Template& made_from_;
  const TonightArguments& arguments_;
  const TonightTools& tools_;
  Begin& begin_;
  patches::ContentStore store_;
  ScanAnswer scan_;
  std::vector<NotKnown> also_not_known_;
  Entries entries_;
  std::map<std::string, Supply> supplies_;
  Scenario scenario_;               // of the last plan
  std::set<std::string> left_out_;  // ids that a run shall not take
  bool reads_inputs_ = true;
};

ExitCode code_of(const Answer& answer) {
  const auto because = [&](NotPlannedBecause one) {
    return std::ranges::count_if(answer.night.left_out, [&](const auto& left) { return left.because == one; }) > 0;
  };
  const bool is_urgent = answer.origin.scan == nullptr;  // that it is for no machine, `run` calls the same
  if (!answer.not_known.empty() || because(NotPlannedBecause::not_acquired) ||
      because(NotPlannedBecause::not_offered) || because(NotPlannedBecause::cannot_be_planned) ||
      (because(NotPlannedBecause::applies_nowhere) && !is_urgent))
    return ExitCode::not_tested;
  if (because(NotPlannedBecause::does_not_fit) || because(NotPlannedBecause::known_bad)) return ExitCode::policy;
  return answer.night.chosen.empty() ? ExitCode::only_skips : ExitCode::ok;
}

// What earlier runs let one expect of each candidate that was chosen. Asked when everything is decided and written:
// nothing can depend on it.
struct Forecasts {
  std::vector<history::Outlook> outlooks;  // in the order of those; empty where nobody could look
  std::string why_none;                    // then
};

Forecasts forecasts_of(const Answer& answer, const Scenario& scenario, const TonightArguments& arguments) {
  const auto look = [&]() -> Result<std::vector<history::Outlook>> {
    PATCHLAB_ASSIGN(const auto runs, absolute_path(arguments.runs));
    if (!is_folder(runs)) return configuration_error(fmt::format("there is no folder of runs '{}'", runs.string()));
    PATCHLAB_ASSIGN(const auto place, history_place(runs, arguments.history));
    PATCHLAB_ASSIGN(auto index, history::HistoryIndex::open(place, {runs, scenario.stage, PATCHLAB_VERSION}));
    PATCHLAB_ASSIGN(const auto reading, index.database().begin(history::Database::Access::read));
    return history::outlooks(index.database(), answer.questions);
  };
  if (answer.questions.empty()) return {};
  auto found = look();
  if (!found)
    return {{}, printable(found.error().message + (found.error().hint.empty() ? "" : "; " + found.error().hint))};
  return {std::move(*found), {}};
}

Json update_json(const DueUpdate& update) {
  const auto& worst = update.worst;
  const auto day = [](const std::optional<Day>& one) { return one ? Json(day_text(*one)) : Json(); };
  return {{"id", update.id()},
          {"machines", update.machines},
          {"due", day(worst.due)},
          {"exploited_since", day(worst.exploited_since)},
          {"epss", worst.epss ? Json(worst.epss->probability) : Json()},
          {"severity", worst.severity},
          {"cve", worst.cve},
          {"timeline", worst.timeline},
          {"facts", worst.facts},
          {"settled", worst.settled}};
}

Json answer_json(const Template& made_from, const Answer& answer, const Begin& begin, const fs::path& output,
                 const Forecasts& forecasts) {
  const auto milliseconds = [](const std::optional<std::int64_t>& ms) { return ms ? Json(*ms) : Json(); };
  Json candidates = Json::array(), left_out = Json::array(), not_known = Json::array(), held_back = Json::array();
  for (std::size_t i = 0; i < answer.night.chosen.size(); ++i) {
    const auto& one = answer.night.chosen[i];
    candidates.push_back(update_json(one.update));
    candidates.back()["foreseen_ms"] = milliseconds(one.foreseen_ms);
    candidates.back()["forecast"] = forecasts.why_none.empty() ? Json(forecasts.outlooks.at(i)) : Json();
  }
  for (const auto& left : answer.night.left_out) {
    left_out.push_back(update_json(left.update));
    left_out.back()["because"] = to_string(left.because);
    left_out.back()["why"] = left_out_text(left, begin.most_ms());
    left_out.back()["next"] = left.next;
    left_out.back()["foreseen_ms"] = milliseconds(left.foreseen_ms);
  }
  for (const auto& one : answer.not_known) not_known.push_back({{"what", one.what}, {"why", one.why}});
  for (const auto& one : answer.held_back) held_back.push_back({{"id", one.what}, {"why", one.why}});
  auto origin = planned_json(made_from, answer.origin);
  origin.erase("roles");
  return {{"origin", std::move(origin)},
          {"until", begin.until ? Json(rfc3339(*begin.until)) : Json()},
          {"most_ms", milliseconds(begin.most_ms())},
          {"foreseen", answer.foreseen ? foreseen_json(*answer.foreseen) : Json()},
          {"departments", answer.departments},
          {"candidates", std::move(candidates)},
          {"no_forecasts", forecasts.why_none},
          {"along", answer.night.along},
          {"left_out", std::move(left_out)},
          {"held_back", std::move(held_back)},
          {"superseded", superseded_in(answer)},
          {"other_outcomes", other_outcomes(answer.night, answer.departments)},
          {"not_known", std::move(not_known)},
          {"written", answer.scenario.is_null() || output.empty() ? Json() : Json(output.string())}};
}

std::string plural(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// Few by their names; of many how many, and in which departments.
std::string machines_text(const DueUpdate& update) {
  constexpr std::size_t most_named = 3;
  if (update.machines.size() <= most_named) return fmt::format("{}", fmt::join(update.machines, " "));
  return fmt::format("{} machines of {}", update.machines.size(), fmt::join(update.departments, ", "));
}

void show_forecasts(const Answer& answer, const Forecasts& forecasts) {
  if (!forecasts.why_none.empty()) return say("no forecast of any candidate: {}\n", forecasts.why_none);
  for (std::size_t i = 0; i < forecasts.outlooks.size(); ++i) {
    say("forecast of {}, from history; it decides nothing:\n", answer.night.chosen.at(i).update.id());
    for (const auto& sentence : history::sentences_of(forecasts.outlooks[i])) say("  {}\n", sentence);
  }
}

void show(const Answer& answer, const Begin& begin, const fs::path& output, const Forecasts& forecasts) {
  if (!answer.night.chosen.empty()) {
    std::vector<std::vector<Cell>> rows{{{"candidate"}, {"machines"}, {"until then"}, {"why"}}};
    for (const auto& one : answer.night.chosen) {
      rows.push_back({{one.update.id()},
                      {machines_text(one.update)},
                      {one.foreseen_ms ? forecast::duration_text(*one.foreseen_ms) : "-"},
                      {answer.origin.scan == nullptr ? "cannot wait" : facts_text(one.update)}});
    }
    write_out(table(rows));
    show_forecasts(answer, forecasts);
  }
  for (const auto& id : answer.night.along) say("along with it, because it is needed: {}\n", id);
  for (const auto& left : answer.night.left_out) {
    say("left out: {}: {}{}\n", left.update.id(), left_out_text(left, begin.most_ms()),
        left.next.empty() ? "" : "; " + left.next);
  }
  for (const auto& one : answer.held_back)
    say("not along with it, because it is known to be bad: {}: {}\n", one.what, one.why);
  for (const auto& sentence : superseded_in(answer)) say("{}\n", sentence);
  for (const auto& sentence : other_outcomes(answer.night, answer.departments)) say("{}\n", sentence);
  for (const auto& one : answer.not_known) say("unknown: {}: {}\n", one.what, one.why);
  if (answer.origin.scan != nullptr)
    say("{}\n", table_text(answer.origin.scan->table_digest, answer.origin.scan->table_origin));
  if (answer.night.chosen.empty()) {
    if (!answer.night.left_out.empty())
      say("nothing of it can be tested now: no scenario\n");
    else if (answer.not_known.empty())
      say("nothing is due: no scenario\n");
    else
      say("nothing is known to be due, and not everything is known: no scenario\n");
    return;
  }
  say("{} for {}{}\n", plural(answer.night.chosen.size(), "candidate", "candidates"),
      plural(answer.departments.size(), "department", "departments"),
      begin.until
          ? fmt::format(", until {} there are {}", clock_text(*begin.until), forecast::duration_text(*begin.most_ms()))
          : std::string());
  if (answer.foreseen) write_out(foreseen_text(*answer.foreseen));
  if (output.empty())
    say("nothing was written: -o FILE writes the scenario\n");
  else
    say("patchlab run {}\n", output.string());
}

}  // namespace

std::pair<std::string, std::string> TonightArguments::given() const {
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--emergency", emergency},
                                                        {"--due", due},
                                                        {"--scan", scan.string()},
                                                        {"--decisions", decisions.string()},
                                                        {"--by", by},
                                                        {"--output", output.string()}}) {
    if (!value.empty()) return {option, value};
  }
  return hours > 0 ? std::pair<std::string, std::string>("--hours", fmt::format("{}", hours))
                   : std::pair<std::string, std::string>();
}

void add_tonight_options(CLI::App& command, TonightArguments& arguments) {
  command.add_option("-o,--output", arguments.output,
                     "write a scenario of what is due and acquired, most urgent first, for 'run'; whole or not at all");
  auto* due = command.add_option("--due", arguments.due,
                                 "of it only these outcomes of the decision table, with commas: 3-days,14-days");
  auto* scan =
      command.add_option("--scan", arguments.scan, "what is missing, as 'scan -o' wrote it; default: look now");
  add_feeds_options(command, arguments.feeds);
  command.add_option("--decisions", arguments.decisions,
                     "decision table (CSV) that says what is due when; default: that of the policy of the stage, or "
                     "CISA's BOD 26-04, as shipped");
  auto* by = command.add_option("--by", arguments.by,
                                "leave out what is foreseen to end after this time of the day, HH:MM of this host");
  auto* hours = command.add_option("--hours", arguments.hours, "the same, in so many hours from now")
                    ->check(CLI::Range(0.01, 8784.0))
                    ->excludes(by);
  command
      .add_option("--history", arguments.history,
                  "of earlier runs, for the forecast of each candidate: sqlite3://FILE or postgresql://USER@HOST/"
                  "DATABASE; default: history.sqlite3 in the folder of runs")
      ->envname("PATCHLAB_HISTORY");
  command
      .add_option("--emergency", arguments.emergency,
                  "not what is due, but this candidate alone, at once: its id, a package, or its folder")
      ->excludes(due)
      ->excludes(scan)
      ->excludes(by)
      ->excludes(hours);
}

ExitCode plan_tonight(const fs::path& scenario, const std::vector<std::string>& departments,
                      const TonightArguments& arguments, const TonightTools& tools, bool json) {
  // First, so that yesterday's is gone also when there can be none of today. What is planned from itself stays.
  std::error_code code;
  const bool is_itself = fs::equivalent(scenario, arguments.output, code);
  const auto room = is_itself ? Result<void>() : make_room(arguments.output);
  if (!room) return report(room.error(), ExitCode::cannot_create);
  auto begin = begin_of(arguments);
  if (!begin) return report(begin.error());
  const auto made_from = read_template(scenario);
  if (!made_from) return report(made_from.error());
  if (const auto taken = is_itself ? make_room(arguments.output) : Result<void>(); !taken)
    return report(taken.error(), ExitCode::cannot_create);
  Planner planner(*made_from, arguments, tools, *begin);
  const auto answer = arguments.emergency.empty() ? planner.of_what_is_due(departments) : planner.of_one(departments);
  if (!answer) {
    return planner.reads_inputs() ? report_input(answer.error(), ExitCode::bad_data) : report(answer.error());
  }
  if (!answer->scenario.is_null() && !arguments.output.empty()) {
    if (const auto written = write_file_atomically(arguments.output, pretty(answer->scenario)); !written)
      return report(written.error(), ExitCode::cannot_create);
  }
  const auto forecasts = forecasts_of(*answer, made_from->scenario, arguments);
  if (json)
    say_json("tonight", answer_json(*made_from, *answer, *begin, arguments.output, forecasts));
  else
    show(*answer, *begin, arguments.output, forecasts);
  return code_of(*answer);
}

}  // namespace patchlab::cli

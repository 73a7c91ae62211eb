// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/regressions.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "checks/registry/registry.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/guest/windows/collectors.hpp"

namespace patchlab::runners {
namespace {

using Problems = std::vector<JsonProblem>;

constexpr const char* slower_step = "slower";  // of a check that says slower_ms
constexpr const char* regressions_schema = "patchlab/known-regressions/v1";

// "check smb.access" -> kind and name.
std::optional<RegressionMeans> means_from(const std::string& text) {
  const auto blank = text.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  RegressionMeans means;
  means.name = text.substr(blank + 1);
  const auto word = text.substr(0, blank);
  if (word == "check")
    means.kind = MeansKind::check;
  else if (word == "state")
    means.kind = MeansKind::state;
  else if (word == "step")
    means.kind = MeansKind::step;
  else
    return std::nullopt;
  return means;
}

class Reading {
 public:
  explicit Reading(std::filesystem::path file) : file_(std::move(file)) {}

  Result<Regressions> read() {
    PATCHLAB_ASSIGN(const auto json, read_json_file(file_));
    JsonReader reader(json, "", problems_);
    const auto schema = reader.text("schema");
    if (schema != regressions_schema && !schema.empty())
      reader.problem("schema", fmt::format("must be '{}'", regressions_schema));
    found_.scenario = file_.parent_path() / reader.text("scenario");
    found_.department = reader.text("department");
    read_tests(reader);
    const auto& rows = reader.raw("regressions");
    if (!rows.is_array() || rows.empty()) reader.problem("regressions", "must be a list of at least one regression");
    for (std::size_t i = 0; rows.is_array() && i < rows.size(); ++i)
      read_row(rows[i], fmt::format("/regressions/{}", i));
    reader.finish();
    for (const auto& [test, where] : found_.tests) {
      if (!named_.contains(test)) reader.problem("tests", fmt::format("'{}' is named by no regression", test));
    }
    if (!problems_.empty()) return problems_error(file_.string(), problems_);
    return std::move(found_);
  }

 private:
  void read_tests(JsonReader& reader) {
    const auto& tests = reader.raw("tests");
    if (!tests.is_object()) return reader.problem("tests", "must be an object: a file, and the tests in it");
    for (const auto& [where, names] : tests.items()) {
      if (!names.is_array()) {
        reader.problem("tests", fmt::format("of '{}' there must be a list of tests", where));
        continue;
      }
      for (const auto& name : names) {
        const bool is_new = name.is_string() && found_.tests.emplace(name.get<std::string>(), where).second;
        if (!is_new) reader.problem("tests", fmt::format("of '{}' there must be names, each once", where));
      }
    }
  }

  void read_row(const Json& json, const std::string& pointer) {
    JsonReader reader(json, pointer, problems_);
    Regression row;
    row.id = reader.text("id", [&](const std::string& id) {
      return ids_.insert(id).second && !id.empty() ? "" : fmt::format("'{}' is no id, or one that was there", id);
    });
    row.update = reader.text("update", not_empty("which update it came with"));
    row.broke = reader.text("broke", not_empty("what broke, as a client sees it"));
    row.condition = reader.text_or("condition", "");
    row.missing = reader.text_or("missing", "");
    const auto& means = reader.raw("by");
    if (!means.is_array() && reader.has("by")) reader.problem("by", "must be a list of means");
    for (std::size_t i = 0; means.is_array() && i < means.size(); ++i)
      read_means(means[i], fmt::format("{}/by/{}", pointer, i), row);
    reader.finish();
    found_.rows.push_back(std::move(row));
  }

  void read_means(const Json& json, const std::string& pointer, Regression& row) {
    JsonReader reader(json, pointer, problems_);
    const auto text = reader.text("means");
    auto means = means_from(text);
    if (!means && !text.empty())
      reader.problem("means", fmt::format("'{}' must be 'check KIND', 'state KIND' or 'step NAME'", text));
    auto read = means.value_or(RegressionMeans{});
    read.check = reader.text_or("check", "");
    read.needs = reader.text_or("needs", "");
    read.tried_by = reader.texts_or_empty("tried_by", [&](const std::string& test) {
      named_.insert(test);
      return found_.tests.contains(test) ? "" : fmt::format("'{}' is not among 'tests'", test);
    });
    const bool is_timed = read.kind == MeansKind::step && read.name == slower_step;
    if (means && read.kind != MeansKind::check && !is_timed && !read.check.empty())
      reader.problem("check", "is for a means that is a check");
    if (means && read.kind == MeansKind::check && read.check.empty() == read.needs.empty())
      reader.problem("means", "says either which 'check' of the department it is, or what it 'needs'");
    reader.finish();
    row.means.push_back(std::move(read));
  }

  std::filesystem::path file_;
  Problems problems_;
  Regressions found_;
  std::set<std::string> ids_;
  std::set<std::string> named_;
};

class Judge {
 public:
  Judge(const Regressions& regressions, const Scenario& scenario, const DepartmentPlan& department)
      : regressions_(regressions), scenario_(scenario), department_(department) {
    const auto states = windows_state_means();
    states_.insert(states.begin(), states.end());
  }

  Result<RegressionResult> judge(const Regression& row) const {
    RegressionResult result{row, Standing::missing, {}, {}};
    for (const auto& means : row.means) {
      PATCHLAB_ASSIGN(const auto standing, standing_of(row, means));
      if (standing > result.standing) continue;
      if (standing < result.standing) result.by.clear();
      result.standing = standing;
      if (standing != Standing::missing) result.by.push_back(means);
    }
    std::set<std::string> places;
    for (const auto& means : result.by) {
      for (const auto& test : means.tried_by) places.insert(place_of(regressions_.tests.at(test)));
    }
    result.places.assign(places.begin(), places.end());
    return result;
  }

 private:
  [[nodiscard]] bool is_there(const RegressionMeans& means) const {
    switch (means.kind) {
      case MeansKind::check: return checks::find_check(means.name) != nullptr;
      case MeansKind::state: return states_.contains(means.name);
      case MeansKind::step: return step_of(means) != nullptr;
    }
    return false;
  }
  static const TrialStep* step_of(const RegressionMeans& means) {
    const auto& steps = trial_steps();
    const auto found = std::ranges::find_if(steps, [&](const auto& step) { return step.name == means.name; });
    return found == steps.end() ? nullptr : &*found;
  }

  [[nodiscard]] const checks::CheckSpec* check_of(const std::string& place) const {
    for (const auto& machine : department_.machines) {
      for (const auto& check : machine.checks) {
        if (machine.name + "/" + check.id == place) return &check;
      }
    }
    return nullptr;
  }

  Result<Standing> standing_of(const Regression& row, const RegressionMeans& means) const {
    const auto wrong = [&](const std::string& why) {
      return Error{ErrorClass::configuration, fmt::format("regression '{}', {}: {}", row.id, name_of(means), why), {}};
    };
    if (!is_there(means)) return Standing::missing;
    if (!means.check.empty()) {
      const auto* check = check_of(means.check);
      if (check == nullptr)
        return wrong(fmt::format("department '{}' has no check '{}'", regressions_.department, means.check));
      if (means.kind == MeansKind::step && !check->slower)
        return wrong(fmt::format("'{}' does not say slower_ms", means.check));
      if (means.kind == MeansKind::check && check->kind != means.name)
        return wrong(fmt::format("'{}' is a {}", means.check, check->kind));
    }
    if (means.tried_by.empty()) return Standing::untried;
    if (!means.needs.empty()) return Standing::by_policy;
    if (means.kind == MeansKind::step && means.check.empty() && !step_of(means)->is_done(scenario_.trial))
      return Standing::by_policy;
    return Standing::by_default;
  }

  const Regressions& regressions_;
  const Scenario& scenario_;
  const DepartmentPlan& department_;
  std::set<std::string> states_;
};

std::string words_of(const RegressionMeans& means) {
  auto text = means.check.empty() ? name_of(means) : fmt::format("{} ({})", name_of(means), means.check);
  if (!means.needs.empty()) text += fmt::format(", needs {}", means.needs);
  return text;
}

std::string all_words(const RegressionResult& result) {
  std::string text;
  for (const auto& means : result.by) text += (text.empty() ? "" : "; ") + words_of(means);
  return text;
}

std::string means_left(const RegressionResult& result) {
  std::string text;
  for (const auto& means : result.row.means) text += (text.empty() ? "" : ", ") + name_of(means);
  return text;
}

// What is said of it in the last column.
std::string told(const RegressionResult& result) {
  switch (result.standing) {
    case Standing::by_default:
    case Standing::by_policy: return all_words(result);
    case Standing::untried: return fmt::format("{}: tried by nothing. {}", all_words(result), result.row.missing);
    case Standing::missing:
      return result.row.missing.empty() ? "there is no " + means_left(result) : result.row.missing;
  }
  return {};
}

std::string counts(const RegressionSummary& summary) {
  return fmt::format(
      "{} regressions that happened: {} have a means that is tried, {} of them by what a department does by default "
      "({} "
      "of these only where the golden machine has what the row names) and {} by what it may; {} have a means that "
      "nothing tries, {} have none.",
      summary.rows, summary.tried(), summary.by_default, summary.conditional, summary.by_policy, summary.untried,
      summary.missing);
}

}  // namespace

std::string name_of(const RegressionMeans& means) {
  switch (means.kind) {
    case MeansKind::check: return "check " + means.name;
    case MeansKind::state: return "state " + means.name;
    case MeansKind::step: return "step " + means.name;
  }
  return means.name;
}

Result<Regressions> read_regressions(const std::filesystem::path& file) { return Reading(file).read(); }

std::vector<std::string> windows_state_means() {
  // Of a HostState; its facts by how they begin.
  std::vector<std::string> names{"service",       "listener",         "address",       "error-log",
                                 "fact adapter",  "fact ip settings", "fact start of", "fact driver",
                                 "fact firewall", "fact network",     "fact access to"};
  for (const auto& collector : lab::guest::windows::collectors())
    names.insert(names.end(), collector.kinds.begin(), collector.kinds.end());
  return names;
}

const std::vector<TrialStep>& trial_steps() {
  constexpr auto always = [](const TrialPolicy&) { return true; };
  constexpr auto restarts = [](const TrialPolicy& policy) { return policy.warm_reboots + policy.cold_reboots > 0; };
  static const std::vector<TrialStep> steps{
      {"applicability", "packages for other releases are left out before anything starts", always},
      {"installer", "what the installer says at its end", always},
      {"installed", "what is installed is what was asked for, by three means", always},
      {"boot", "the machine starts again, and its start comes to an end", restarts},
      {"rollback", "what waited for the restart is not undone by it", restarts},
      {"restarts", "two warm restarts and a cold one, with all checks behind each",
       [](const TrialPolicy& policy) { return policy.warm_reboots >= 2 && policy.cold_reboots >= 1; }},
      {"stability", "a quarter of an hour without a restart by itself, and all checks once more",
       [](const TrialPolicy& policy) { return policy.stability >= std::chrono::minutes(15); }},
      {"service-cycles", "the role's services are stopped and started again while its checks are asked",
       [](const TrialPolicy& policy) { return policy.service_cycles > 0; }},
      {"clock", "all checks once more in a month's time",
       [](const TrialPolicy& policy) { return !policy.clock.empty(); }},
      {"growth", "what the machine uses up is watched while checks are asked, against the night without a patch",
       [](const TrialPolicy& policy) {
         return policy.stability_load > 0 && policy.stability >= std::chrono::minutes(15);
       }},
      {"next-package", "another package is installed behind it",
       [](const TrialPolicy& policy) { return policy.next_package; }},
      {slower_step, "a check takes longer than before", [](const TrialPolicy&) { return false; }},
  };
  return steps;
}

const char* to_string(Standing standing) {
  switch (standing) {
    case Standing::by_default: return "by-default";
    case Standing::by_policy: return "by-policy";
    case Standing::untried: return "untried";
    case Standing::missing: return "missing";
  }
  return "?";
}

std::string place_of(const std::string& test_file) {
  if (test_file.starts_with("tests/unit/transcripts/")) return "transcript";
  if (test_file.starts_with("tests/integration/windows/") || test_file.starts_with("tests/e2e/windows"))
    return "stand-in";
  if (test_file.starts_with("tests/integration/checks/")) return "server on loopback";
  return "simulator";
}

Result<std::vector<RegressionResult>> judge(const Regressions& regressions, const Scenario& scenario) {
  const auto department = std::ranges::find(scenario.departments, regressions.department, &DepartmentPlan::name);
  if (department == scenario.departments.end())
    return Error{ErrorClass::configuration,
                 fmt::format("'{}' has no department '{}'", regressions.scenario.string(), regressions.department),
                 {}};
  const Judge judge(regressions, scenario, *department);
  std::vector<RegressionResult> results;
  for (const auto& row : regressions.rows) {
    PATCHLAB_ASSIGN(auto result, judge.judge(row));
    if (result.standing == Standing::missing && row.missing.empty() && row.means.empty())
      return Error{
          ErrorClass::configuration, fmt::format("regression '{}' has no means and does not say why", row.id), {}};
    results.push_back(std::move(result));
  }
  return results;
}

RegressionSummary summary_of(const std::vector<RegressionResult>& results) {
  RegressionSummary summary;
  summary.rows = results.size();
  for (const auto& result : results) {
    switch (result.standing) {
      case Standing::by_default:
        ++summary.by_default;
        summary.conditional += result.row.condition.empty() ? 0U : 1U;
        break;
      case Standing::by_policy: ++summary.by_policy; break;
      case Standing::untried: ++summary.untried; break;
      case Standing::missing: ++summary.missing; break;
    }
  }
  return summary;
}

Json regressions_json(const std::vector<RegressionResult>& results) {
  const auto summary = summary_of(results);
  Json json{{"summary",
             {{"rows", summary.rows},
              {"tried", summary.tried()},
              {"by_default", summary.by_default},
              {"conditional", summary.conditional},
              {"by_policy", summary.by_policy},
              {"untried", summary.untried},
              {"missing", summary.missing}}},
            {"regressions", Json::array()}};
  for (const auto& result : results) {
    Json by = Json::array();
    for (const auto& means : result.by)
      by.push_back(
          {{"means", name_of(means)}, {"check", means.check}, {"needs", means.needs}, {"tried_by", means.tried_by}});
    json["regressions"].push_back({{"id", result.row.id},
                                   {"update", result.row.update},
                                   {"broke", result.row.broke},
                                   {"condition", result.row.condition},
                                   {"standing", to_string(result.standing)},
                                   {"by", std::move(by)},
                                   {"places", result.places},
                                   {"missing", result.row.missing}});
  }
  return json;
}

std::string regressions_text(const std::vector<RegressionResult>& results) {
  std::string text;
  for (const auto standing : {Standing::by_default, Standing::by_policy, Standing::untried, Standing::missing}) {
    for (const auto& result : results) {
      if (result.standing == standing)
        text += fmt::format("{:<4} {:<10}  {}\n", result.row.id, to_string(standing), told(result));
    }
  }
  return text + "\n" + counts(summary_of(results)) + "\n";
}

std::string regressions_markdown(const std::vector<RegressionResult>& results) {
  auto text = counts(summary_of(results)) +
              "\n\n| Row | Update | What broke | Needs on the golden machine | Told | By | Tried by |\n";
  text += "|---|---|---|---|---|---|---|\n";
  for (const auto& result : results) {
    const auto& row = result.row;
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", row.id, row.update, row.broke, row.condition,
                        to_string(result.standing), told(result), fmt::join(result.places, ", "));
  }
  return text;
}

}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/scenario/check_lists.hpp"

#include <fmt/ranges.h>

#include "checks/registry/registry.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::runners {
namespace {

using Problems = std::vector<JsonProblem>;
namespace fs = std::filesystem;

constexpr std::size_t largest_file = 16U << 20U;
constexpr const char* no_checks =
    "is required: a list of at least one check, or the path of a file that holds one ('patchlab learn' writes such "
    "files)";

// A password may be that of an account, {"account": "app"}: what is learnt and reviewed then holds no secret.
void fill_in_password(Json& parameters, const std::string& place, Problems& problems,
                      const std::optional<Accounts>& accounts) {
  if (!parameters.is_object()) return;
  const auto password = parameters.find("password");
  if (password == parameters.end() || !password->is_object()) return;
  const auto before = problems.size();
  JsonReader reader(*password, place + "/password", problems);
  const auto name = reader.text("account", not_empty("the user of an account"));
  reader.finish();
  const bool is_known = accounts && accounts->contains(name);
  if (accounts && !is_known && problems.size() == before) {
    std::vector<std::string> names;
    for (const auto& [user, secret] : *accounts) names.push_back(user);
    reader.problem("account", fmt::format("'{}' is not an account of this machine; 'accounts' has {}", name,
                                          names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  // What is wrong was said; the kind must not say that an object is no text.
  *password = is_known ? accounts->at(name) : "unknown";
}

std::string why_no_kind(const std::string& kind) {
  if (checks::find_check(kind) != nullptr) return {};
  std::vector<std::string> kinds;
  for (const auto* known : checks::all_checks()) kinds.push_back(known->kind());
  const auto meant = did_you_mean(kind, kinds);
  return fmt::format("unknown check kind '{}'; known kinds: {}{}", kind, fmt::join(kinds, ", "),
                     meant.empty() ? meant : "; " + meant);
}

}  // namespace

CheckLists::Read CheckLists::read(JsonReader& machine, const std::optional<Accounts>& accounts) {
  List list{accounts, {}, {}};
  const auto& value = machine.raw("checks");
  if (missing_ == Missing::is_fine && !machine.has("checks")) return {};
  const auto place = machine.at("checks");
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) {
    read_file_named(value.get<std::string>(), place, list);
    return std::move(list.found);
  }
  // A role nobody checks would pass whatever a patch did to it.
  if (!value.is_array() || value.empty()) {
    machine.problem("checks", no_checks);
    return {};
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto at = fmt::format("{}/{}", place, i);
    if (value[i].is_string())
      read_file_named(value[i].get<std::string>(), at, list);
    else
      list.found.checks.push_back(read_check(value[i], at, problems_, list));
  }
  return std::move(list.found);
}

void CheckLists::read_file_named(const std::string& name, const std::string& place, List& list) {
  if (name.empty()) {
    problems_.push_back({place, "must not be empty: the path of a file with checks"});
    return;
  }
  const auto path = resolve(name, place, problems_);
  if (path.empty()) return;
  list.found.files.push_back(path);
  auto known = files_.find(path);
  if (known == files_.end()) {
    if (!is_there(path)) {
      if (missing_ == Missing::is_a_problem)
        problems_.push_back({place, fmt::format("there is no file '{}'; 'patchlab learn' writes one", path.string())});
      return;
    }
    known = files_.emplace(path, File{}).first;
    auto text = read_file(path, largest_file);
    auto json = text ? parse_json(without_comments(std::move(*text)), path.string()) : Result<Json>(text.error());
    if (json)
      known->second.json = std::move(*json);
    else
      unreadable_ += (unreadable_.empty() ? "" : "\n") + json.error().message;
  }
  auto& [json, problems] = known->second;
  if (json.is_discarded() || json.is_null()) return;  // said already
  Problems found;
  JsonReader reader(json, "", found);
  (void)reader.text_or("$schema", "");
  const auto& checks = reader.raw("checks");
  if (!checks.is_array() || checks.empty()) reader.problem("checks", "is required: a list of at least one check");
  for (std::size_t i = 0; checks.is_array() && i < checks.size(); ++i)
    list.found.checks.push_back(read_check(checks[i], fmt::format("/checks/{}", i), found, list));
  reader.finish();
  for (auto& problem : found) {
    if (std::ranges::find(problems, problem) == problems.end()) problems.push_back(std::move(problem));
  }
}

checks::CheckSpec CheckLists::read_check(const Json& value, const std::string& place, Problems& problems, List& list) {
  JsonReader reader(value, place, problems);
  checks::CheckSpec spec;
  spec.id = reader.text("id", [&list](const std::string& id) {
    if (!is_scenario_name(id)) return fmt::format("'{}' {}", id, scenario_name_rule);
    return list.ids.insert(id).second ? "" : fmt::format("check id '{}' is used twice on this machine", id);
  });
  spec.kind = reader.text("kind", why_no_kind);
  spec.deadline = std::chrono::seconds(reader.integer_or("timeout_s", 20, 1, 600));
  if (reader.has("slower_ms")) spec.slower = Milliseconds(reader.integer("slower_ms", 10, 600000));
  const bool has_parameters = reader.has("with");
  if (has_parameters) spec.parameters = reader.raw("with");
  reader.finish();
  const auto* check = checks::find_check(spec.kind);
  if (check == nullptr) return spec;
  if (spec.slower && check->wants_a_refusal()) {
    reader.problem("slower_ms", fmt::format("is not for {}, which passes when the server refuses: many delay that, "
                                            "each time a little more; leave it out",
                                            spec.kind));
  }
  if (has_parameters) {
    fill_in_password(spec.parameters, place + "/with", problems, list.accounts);
    check->validate(spec.parameters, place + "/with", problems);
    if (const auto program = check->program_in(spec.parameters); !program.empty())
      spec.program = take_in_program(program, place + "/with/program", problems);
  } else {
    Problems lacking;
    check->validate(Json::object(), "", lacking);
    std::string what;
    for (const auto& problem : lacking) what += (what.empty() ? "" : "; ") + problem.message;
    if (!what.empty())
      reader.problem("with", fmt::format("is required, with the parameters of {}: {}", spec.kind, what));
  }
  return spec;
}

// Its bytes are the check: who changes the file while a run goes on changes nothing of that run.
std::optional<checks::CheckProgram> CheckLists::take_in_program(const std::string& name, const std::string& place,
                                                                Problems& problems) {
  const auto file = resolve(name, place, problems);
  if (file.empty()) return {};
  if (!is_there(file)) {
    problems.push_back({place, fmt::format("there is no file '{}'", file.string())});
    return {};
  }
  auto program = checks::read_check_program(file);
  if (program) return std::move(program).value();
  const auto& error = program.error();
  problems.push_back({place, error.hint.empty() ? error.message : error.message + "; " + error.hint});
  return {};
}

// An empty path, after a problem, when that names nothing.
fs::path CheckLists::resolve(const std::string& text, const std::string& place, Problems& problems) const {
  if (text.empty()) return {};
  auto path = resolved_path(folder_ / text);
  if (path) return std::move(*path);
  problems.push_back({place, path.error().message});
  return {};
}

std::string CheckLists::problems_in_files() const {
  auto lines = unreadable_;
  for (const auto& [path, file] : files_) {
    if (file.problems.empty()) continue;
    lines += (lines.empty() ? "" : "\n") + problems_error(path.string(), file.problems).message;
  }
  return lines;
}

}  // namespace patchlab::runners

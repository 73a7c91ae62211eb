// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "lab/core/files.hpp"

namespace patchlab::e2e {

namespace fs = std::filesystem;

ProcessOutcome patchlab(const std::vector<std::string>& arguments, const fs::path& folder, Milliseconds limit) {
  ProcessSpec spec;
  spec.program = PATCHLAB_PROGRAM;
  spec.arguments = arguments;
  spec.working_folder = folder;
  spec.time_limit = limit;
  return host_processes().run(spec);
}

ProcessOutcome patchlab_into(const std::string& output, const std::vector<std::string>& arguments,
                             const fs::path& folder, Milliseconds limit) {
  ProcessSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", "exec \"$0\" \"$@\" >" + output, PATCHLAB_PROGRAM};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.working_folder = folder;
  spec.time_limit = limit;
  return host_processes().run(spec);
}

int exit_code(const ProcessOutcome& outcome) {
  const auto* exited = std::get_if<Exited>(&outcome.end);
  return exited == nullptr ? -1 : exited->code;
}

std::string why_no_lab() {
  const auto outcome = patchlab({"doctor", "--json"}, fs::temp_directory_path());
  const auto json = Json::parse(outcome.output, nullptr, false);
  if (!json.is_object()) return "'patchlab doctor' says nothing: " + outcome.describe();
  std::string why;
  for (const auto& finding : json.value("findings", Json::array())) {
    if (finding.value("health", "") == "fail") why += finding.dump() + "\n";
  }
  return why;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "patchlab-e2e-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code code;
  fs::remove_all(path_, code);
}
fs::path TemporaryFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / name) << text;
  return path_ / name;
}

OwnCache::OwnCache() {
  if (const char* set = std::getenv("PATCHLAB_CACHE")) before_ = set;
  const auto real = cache_folder();
  fs::create_directories(real / "slots");  // the processors are everybody's
  std::string pattern = (real.parent_path() / "patchlab-test-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
  for (const auto& entry : fs::directory_iterator(real)) {
    const auto name = entry.path().filename();
    if (name != "cells" && name != "states" && name != "memory.lock") fs::create_symlink(entry.path(), path_ / name);
  }
  ::setenv("PATCHLAB_CACHE", path_.c_str(), 1);
}
OwnCache::~OwnCache() {
  if (before_)
    ::setenv("PATCHLAB_CACHE", before_->c_str(), 1);
  else
    ::unsetenv("PATCHLAB_CACHE");
  std::error_code code;
  fs::remove_all(path_, code);
}

Json nightly_scenario() {
  const fs::path folder = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios";
  auto scenario = read_json_file(folder / "xavier-nightly.json").value();
  const auto absolute = [&](Json& value) { value = (folder / value.get<std::string>()).string(); };
  for (auto& [name, role] : scenario["roles"].items()) {
    absolute(role["golden"]["recipe"]);
    absolute(role["checks"]);
  }
  for (auto& [name, department] : scenario["departments"].items()) {
    for (auto& [machine, own] : department["machines"].items()) {
      if (own.contains("golden")) absolute(own["golden"]["recipe"]);
    }
  }
  for (auto& candidate : scenario["candidates"]) {
    if (candidate.contains("recipe")) absolute(candidate["recipe"]);
  }
  return scenario;
}

Json small_scenario() {
  auto scenario = nightly_scenario();
  scenario["name"] = "small";
  const Json network = scenario["departments"]["finance"]["network"];
  scenario["departments"] = {{"finance", {{"network", network}, {"machines", {{"dns", Json::object()}}}}}};
  scenario["roles"] = {{"dns", scenario["roles"]["dns"]}};
  Json candidates = Json::array();
  for (const auto& candidate : scenario["candidates"]) {
    const auto recipe = candidate.value("recipe", "");
    if (recipe.ends_with("harmless-hostname") || recipe.ends_with("bad-dns-reboot")) candidates.push_back(candidate);
  }
  scenario["candidates"] = candidates;
  for (const auto* earlier : {"reuse_states_h", "reuse_installs_h"})
    scenario["trial"].erase(earlier);  // what a test sees is not of a run before it
  return scenario;
}

Result<Json> windows_scenario(const fs::path& folder, const std::vector<std::string>& packages) {
  const auto scenarios = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios";
  ProcessSpec make;
  make.program = (scenarios / "windows-stand-in" / "make-packages").string();
  make.arguments = {(folder / "made").string()};
  make.arguments.insert(make.arguments.end(), packages.begin(), packages.end());
  PATCHLAB_TRY(run_for_output(host_processes(), make));
  PATCHLAB_ASSIGN(auto scenario, read_json_file(scenarios / "windows-stand-in.json"));
  scenario["roles"]["dns"]["golden"]["recipe"] = (scenarios / "images" / "windows-stand-in").string();
  Json candidates = Json::array();
  for (const auto& candidate : scenario["candidates"]) {
    const auto file = folder / "made" / fs::path(candidate["path"].get<std::string>()).filename();
    if (!fs::exists(file)) continue;
    const auto added = patchlab({"patch", "add", file.string(), "--allow-unsigned"}, folder);
    if (exit_code(added) != 0) return infrastructure_error(added.errors);
    candidates.push_back({{"path", file.string()}});
  }
  scenario["candidates"] = candidates;
  return scenario;
}

std::vector<std::string> lab_processes(const fs::path& cache) {
  std::vector<std::string> found;
  const auto cells = cache / "cells";
  // Of this cache alone: tests beside each other have one called "cache" each, in folders of their own. The file system
  // may begin anywhere above those.
  const auto mounted = (cache.parent_path().filename() / cache.filename() / "cells").string();
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc", code)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto command =
        read_file(entry.path() / "cmdline").value_or("");  // it may have ended meanwhile; a stream would throw
    std::ranges::replace(command, '\0', ' ');
    const bool serves = command.find(" cell " + cells.string()) != std::string::npos;
    if (serves || read_file(entry.path() / "mountinfo").value_or("").find(mounted) != std::string::npos) {
      found.push_back(name + " " + command.substr(0, 120));
    }
  }
  return found;
}

std::vector<fs::path> scratch_folders() {
  std::vector<fs::path> folders;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(cache_folder() / "cells", code)) folders.push_back(entry.path());
  return folders;
}

Json decision_in(const std::filesystem::path& run, const std::string& department) {
  const auto decisions = read_json_file(run / "decisions.json", JsonTexts::any);
  if (!decisions) return {};
  for (const auto& decision : *decisions) {
    if (decision.value("department", "") == department) return decision;
  }
  return {};
}

}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/solver.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

namespace fs = std::filesystem;

// apt names a list after its source: '/' becomes '_'. The place itself is never read: a simulation fetches nothing.
constexpr std::string_view solver_sources = "deb [trusted=yes] file:/patchlab ./\n";
constexpr std::string_view list_name = "_patchlab_._Packages";

// Read by APT_CONFIG, before everything: from then on apt knows no other folder, and so nothing of this host.
constexpr std::string_view solver_configuration = R"(Dir "{0}/root/";
Dir::State::status "{0}/status";
Dir::State::lists "{0}/lists";
Dir::State::extended_states "{0}/extended_states";
Dir::Etc::sourcelist "{0}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Debug::NoLocking "true";
APT::Install-Recommends "false";
APT::Get::Always-Include-Phased-Updates "true";
APT::Sandbox::User "root";
Acquire::Languages "none";
)";

// The architecture of dpkg itself is the machine's own; others are there when a package of theirs is.
Result<std::vector<std::string>> architectures_in(const std::string& status) {
  PATCHLAB_ASSIGN(const auto entries, parse_dpkg_status(status));
  std::vector<std::string> found;
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : entries) {
    if (entry.architecture.empty() || entry.architecture == "all") continue;
    ++counts[entry.architecture];
    if (entry.package == "dpkg" && found.empty()) found.push_back(entry.architecture);
  }
  while (!counts.empty()) {
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (std::find(found.begin(), found.end(), most->first) == found.end()) found.push_back(most->first);
    counts.erase(most);
  }
  return found;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    lines.emplace_back(trimmed(line));
  }
  return lines;
}

}  // namespace

std::string apt_specification(const AskedPackage& package) {
  return package.architecture.empty() || package.architecture == "all"
             ? fmt::format("{}={}", package.package, package.version)
             : fmt::format("{}:{}={}", package.package, package.architecture, package.version);
}

std::string apt_refusal(const std::string& output, const std::string& errors) {
  std::vector<std::string> reasons;
  bool unmet = false;
  for (const auto& line : lines_of(output)) {
    if (unmet && !line.empty()) reasons.push_back(line);
    if (line.ends_with("unmet dependencies:")) unmet = true;
  }
  for (const auto& line : lines_of(errors)) {
    if (reasons.empty() || !unmet) {
      if (line.starts_with("E: ")) reasons.push_back(line.substr(3));
    }
  }
  if (reasons.empty()) reasons.emplace_back("apt-get gave no reason");
  constexpr std::size_t most = 4;
  const auto more = reasons.size() > most ? fmt::format("; and {} more", reasons.size() - most) : std::string();
  reasons.resize(std::min(reasons.size(), most));
  return to_valid_utf8(fmt::format("{}{}", fmt::join(reasons, "; "), more));
}

// apt-get's simulation plays each step by itself and calls a package broken that dpkg only takes out of service for a
// moment, as when one pre-depends on what breaks it. What it would do is complete then.
bool is_only_about_order(const std::string& errors) {
  bool any = false;
  for (const auto& line : lines_of(errors)) {
    if (!line.starts_with("E: ")) continue;
    if (!line.starts_with("E: Conf Broken ") && !line.starts_with("E: Inst Broken ")) return false;
    any = true;
  }
  return any;
}

Result<Solver> Solver::create(ProcessRunner& runner, SolverMachine machine) {
  const auto parent = machine.known.empty() ? fs::temp_directory_path() : machine.known.parent_path() / "solver";
  PATCHLAB_ASSIGN(auto folder, HeldFolder::make_in(parent, "patchlab-solver-"));
  Solver solver(runner, std::move(machine), std::move(folder));
  auto architectures = architectures_in(solver.machine_.dpkg_status);
  if (!architectures) {
    return std::move(architectures).error().while_doing(fmt::format("the dpkg status of '{}'", solver.machine()));
  }
  solver.architectures_ = std::move(*architectures);
  PATCHLAB_TRY(solver.write_configuration());
  return solver;
}

Result<void> Solver::write_configuration() {
  const auto& folder = folder_.path();
  for (const char* sub :
       {"lists/partial", "root/etc/apt/apt.conf.d", "root/etc/apt/preferences.d", "root/etc/apt/trusted.gpg.d",
        "root/var/cache/apt/archives/partial", "root/var/lib/dpkg", "root/var/log/apt"}) {
    PATCHLAB_TRY(create_folders(folder / sub));
  }
  std::string text = fmt::format(solver_configuration, folder.string());
  if (!architectures_.empty()) {
    text += fmt::format("APT::Architecture \"{}\";\n", architectures_.front());
    for (const auto& architecture : architectures_) text += fmt::format("APT::Architectures:: \"{}\";\n", architecture);
  }
  PATCHLAB_TRY(write_file_atomically(folder / "apt.conf", text));
  PATCHLAB_TRY(write_file_atomically(folder / "status", machine_.dpkg_status));
  return write_file_atomically(folder / "sources.list", solver_sources);
}

ProcessSpec Solver::command(std::vector<std::string> arguments) const {
  ProcessSpec spec;
  spec.program = "apt-get";
  spec.arguments = std::move(arguments);
  spec.extra_environment = {{"LC_ALL", "C.UTF-8"},
                            {"DEBIAN_FRONTEND", "noninteractive"},
                            {"APT_CONFIG", (folder_.path() / "apt.conf").string()}};
  spec.time_limit = std::chrono::minutes(5);
  return spec;
}

Result<Solver::Answer> Solver::ask(const std::string& index, std::vector<std::string> arguments, std::stop_token stop) {
  DigestBuilder key;
  key.add("patchlab/solver/v1").add(solver_configuration).add(machine_.dpkg_status).add(index);
  for (const auto& argument : arguments) key.add(argument);
  const auto note = machine_.known.empty() ? fs::path() : machine_.known / ("solve-" + key.finish());
  if (!note.empty()) {
    if (const auto text = read_file(note)) {
      const auto known = json_in(*text);
      if (known.is_array() && known.size() == 3 && known[0].is_number_integer() && known[1].is_string() &&
          known[2].is_string()) {
        return Answer{known[0].get<int>(), known[1].get<std::string>(), known[2].get<std::string>()};
      }
    }
  }
  PATCHLAB_TRY(write_file_atomically(folder_.path() / "lists" / list_name, index));
  const auto outcome = runner_.run(command(std::move(arguments)), stop);
  if (const auto* ended = std::get_if<TimedOut>(&outcome.end); ended != nullptr && ended->cancelled)
    return Error{ErrorClass::cancelled, fmt::format("cancelled while apt was asked about '{}'", machine()), {}};
  const auto* exited = std::get_if<Exited>(&outcome.end);
  // 100 is apt's "no"; anything else is no answer.
  if (exited == nullptr || (exited->code != 0 && exited->code != 100)) {
    return infrastructure_error(fmt::format("asking apt about '{}': apt-get: {}: {}", machine(), outcome.describe(),
                                            apt_refusal("", outcome.errors)));
  }
  Answer answer{exited->code, to_valid_utf8(outcome.output), to_valid_utf8(outcome.errors)};
  if (!note.empty()) {
    PATCHLAB_TRY(create_folders(machine_.known));
    PATCHLAB_TRY(write_file_atomically(note, Json{answer.code, answer.output, answer.errors}.dump()));
  }
  return answer;
}

Result<void> Solver::check(std::stop_token stop) {
  PATCHLAB_ASSIGN(const auto answer, ask("", {"-q", "check"}, std::move(stop)));
  if (answer.code == 0) return {};
  return configuration_error(fmt::format("apt refuses to work on '{}' as it is: {}", machine(),
                                         apt_refusal(answer.output + answer.errors, answer.errors)),
                             "mend the machine, then make its golden image or copy its dpkg status again");
}

Result<Solution> Solver::install(const std::vector<AskedPackage>& asked, const std::vector<OfferedPackage>& offered,
                                 std::stop_token stop) {
  std::set<std::string> entries;
  for (const auto& package : offered) entries.insert(index_entry(package.control, package.file));
  const auto index = fmt::format("{}", fmt::join(entries, ""));
  std::vector<std::string> arguments{"-q", "-s", "-y", "install"};
  for (const auto& package : asked) arguments.push_back(apt_specification(package));
  PATCHLAB_ASSIGN(const auto answer, ask(index, arguments, stop));
  Solution solution;
  if (answer.code != 0 && !is_only_about_order(answer.errors)) {
    solution.refusal = apt_refusal(answer.output, answer.errors);
    return solution;
  }
  PATCHLAB_ASSIGN(solution.installs, parse_simulation(answer.output));
  for (const auto& removal : parse_removals(answer.output))
    solution.removed.push_back({removal.package, removal.version, removal.architecture});
  return solution;
}

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/schedule_checks.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/process/process.hpp"
#include "process/notify/config.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "PATCHLAB_";
// Where things lie. Others say who somebody is, and whose key: a person's are not a service's.
constexpr std::array<std::string_view, 8> places{"PATCHLAB_CACHE",   "PATCHLAB_CALENDAR",  "PATCHLAB_FEEDS",
                                                 "PATCHLAB_HISTORY", "PATCHLAB_LAB_CACHE", "PATCHLAB_RINGS",
                                                 "PATCHLAB_ROOTS",   "PATCHLAB_RUNS"};

struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
  fs::path home;
};

Result<Account> account_of(const std::string& name) {
  std::vector<char> space(1U << 16U);
  passwd entry{};
  passwd* found = nullptr;
  const int trouble = name.empty() ? ::getpwuid_r(::geteuid(), &entry, space.data(), space.size(), &found)
                                   : ::getpwnam_r(name.c_str(), &entry, space.data(), space.size(), &found);
  if (trouble != 0) return errno_error(fmt::format("looking for the user '{}'", name), trouble);
  if (found == nullptr && name.empty()) return configuration_error("the user who calls this has no name on this host");
  if (found == nullptr)
    return configuration_error(
        fmt::format("there is no user '{}' on this host", name),
        fmt::format("adduser --system --group --home /var/lib/{} {}, or name another one with --run-as", name, name));
  return Account{found->pw_name, found->pw_uid, found->pw_gid, found->pw_dir};
}

// Asks as that user, so that groups, links and folders on the way count as they will at night.
class Asking {
 public:
  explicit Asking(Account account) : account_(std::move(account)) {}
  [[nodiscard]] const Account& account() const { return account_; }
  [[nodiscard]] bool can_ask() const { return is_us() || ::geteuid() == 0; }

  // `what`: "the scenario"; `flags`: of test(1).
  [[nodiscard]] Result<void> must(const std::string& flags, const fs::path& path, const std::string& what,
                                  const std::string& next) const {
    static const std::map<char, const char*> verbs{{'r', "read"}, {'w', "write to"}, {'x', "use"}, {'O', "own"}};
    for (const char flag : flags) {
      PATCHLAB_ASSIGN(const bool is_so, test(flag, path));
      if (!is_so)
        return configuration_error(
            fmt::format("the user '{}' cannot {} {} '{}'", account_.name, verbs.at(flag), what, path.string()), next);
    }
    return {};
  }
  // That it can be made, where it is missing.
  [[nodiscard]] Result<void> must_write_below(const fs::path& folder, const std::string& what,
                                              const std::string& next) const {
    if (is_there(folder)) return must(is_folder(folder) ? "wx" : "w", folder, what, next);
    auto above = folder;
    while (!is_there(above) && above.has_relative_path()) above = above.parent_path();
    return must("wx", above, fmt::format("the folder in which {} '{}' is to be made:", what, folder.string()), next);
  }

 private:
  [[nodiscard]] bool is_us() const { return ::geteuid() == account_.user; }
  [[nodiscard]] Result<bool> test(char flag, const fs::path& path) const {
    ProcessSpec spec;
    spec.arguments = {"test", std::string("-") + flag, path.string()};
    if (is_us()) {
      spec.program = spec.arguments.front();
      spec.arguments.erase(spec.arguments.begin());
    } else {
      spec.program = "setpriv";
      spec.arguments.insert(spec.arguments.begin(), {"--reuid", std::to_string(account_.user), "--regid",
                                                     std::to_string(account_.group), "--init-groups", "--"});
    }
    spec.working_folder = "/";
    spec.time_limit = std::chrono::minutes(1);
    const auto outcome = host_processes().run(spec);
    if (outcome.succeeded()) return true;
    const auto* exited = std::get_if<Exited>(&outcome.end);
    if (exited != nullptr && exited->code == 1 && outcome.errors.empty()) return false;
    return infrastructure_error(fmt::format("asking whether '{}' may use '{}': {}", account_.name, path.string(),
                                            outcome.errors.empty() ? "no answer" : outcome.errors));
  }

  Account account_;
};

// The scenario as the services see it: from the folder in which they work, from where its stage counts.
Result<runners::Scenario> scenario_of(const fs::path& scenario, const fs::path& folder) {
  std::error_code code;
  const auto here = fs::current_path(code);
  fs::current_path(folder, code);
  if (code) return configuration_error(fmt::format("entering '{}': {}", folder.string(), code.message()));
  auto read = runners::load_scenario(scenario);
  fs::current_path(here, code);
  return read;
}

// What `image refresh` would refuse every week.
Result<void> check_refresh(const std::vector<std::string>& departments, const runners::Scenario& scenario) {
  std::vector<std::string> known;
  for (const auto& one : scenario.departments) known.push_back(one.name);
  PATCHLAB_TRY(check_choice("--refresh", departments, "is no department of the scenario", known));
  for (const auto& one : scenario.departments) {
    if (std::ranges::count(departments, one.name) == 0) continue;
    for (const auto& machine : one.machines) {
      if (machine.golden.domain)
        return configuration_error(
            fmt::format("--refresh '{}': '{}' is a golden domain, and images alone are refreshed", one.name,
                        machine.name),
            "leave it out; docs/process/refresh.md says what to do with golden domains");
    }
  }
  return {};
}

Result<void> check_notify(const Asking& as, const fs::path& file) {
  PATCHLAB_TRY(as.must("r", file, "the configuration of notify", fmt::format("chmod +r '{}'", file.string())));
  PATCHLAB_ASSIGN(const auto config, process::read_notify_config(file));
  PATCHLAB_TRY(as.must_write_below(config.outbox, "the outbox",
                                   fmt::format("chown -R {} '{}'", as.account().name, config.outbox.string())));
  for (const auto& receiver : config.receivers) {
    const auto* hook = std::get_if<process::Webhook>(&receiver.how);
    const auto secret = hook != nullptr ? hook->secret : std::get<process::Mailbox>(receiver.how).password;
    if (secret.empty()) continue;
    PATCHLAB_TRY(
        as.must("r", secret, fmt::format("the secret of the receiver '{}'", receiver.name),
                fmt::format("chown {} '{}'; chmod 600 '{}'", as.account().name, secret.string(), secret.string())));
  }
  return {};
}

Result<void> check_cache(const Asking& as, const process::UnitValues& values) {
  const auto named = values.environment.find("PATCHLAB_CACHE");
  const auto cache =
      named != values.environment.end() ? fs::path(named->second) : as.account().home / ".cache/patchlab";
  const auto next = fmt::format(
      "set PATCHLAB_CACHE to a folder of that user with some GiB free and call this again: services will have it: "
      "install -d -m 700 -o {} '{}/cache'",
      as.account().name, values.folder);
  PATCHLAB_TRY(as.must_write_below(cache, "the cache", next));
  return is_there(cache) ? as.must("O", cache, "the cache", next) : Result<void>();
}

bool has(const process::UnitValues& values, std::string_view part) {
  return std::ranges::count(values.without, part) == 0;
}

}  // namespace

Result<InstallersEnvironment> installers_environment() {
  InstallersEnvironment found;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view one(*at);
    const auto equals = one.find('=');
    if (!one.starts_with(prefix) || equals == std::string_view::npos || equals + 1 == one.size()) continue;
    const std::string name(one.substr(0, equals)), value(one.substr(equals + 1));
    // An index of history may be a database, with whatever opens it.
    const bool is_place = std::ranges::count(places, name) > 0 && value.find("://") == std::string::npos;
    if (!is_place) {
      found.left.push_back(name);
      continue;
    }
    PATCHLAB_ASSIGN(const auto path, absolute_path(value));
    found.carried[name] = path.lexically_normal().string();
  }
  std::ranges::sort(found.left);
  return found;
}

Result<std::vector<std::string>> check_services(const process::UnitValues& values) {
  const fs::path folder = values.folder;
  PATCHLAB_ASSIGN(auto account, account_of(values.user));
  const Asking as(std::move(account));
  const auto& name = as.account().name;
  if (!is_folder(folder))
    return configuration_error(fmt::format("there is no folder '{}', in which the services are to work", values.folder),
                               fmt::format("install -d -m 750 -o {} '{}'", name, values.folder));
  PATCHLAB_ASSIGN(const auto scenario, scenario_of(values.scenario, folder));
  PATCHLAB_TRY(check_refresh(values.refresh, scenario));
  const auto& stage = scenario.stage;
  if (!as.can_ask())
    return std::vector<std::string>{fmt::format(
        "whether the user '{}' may read and write what the services need was not asked: that takes root", name)};
  PATCHLAB_TRY(as.must("wx", folder, "the folder", fmt::format("chown {} '{}'", name, values.folder)));
  PATCHLAB_TRY(as.must("r", values.scenario, "the scenario",
                       "let that user enter its folder and read it, or name one in the services' folder"));
  const auto named = values.environment.find("PATCHLAB_RUNS");
  const auto runs = named != values.environment.end() ? fs::path(named->second) : folder / "runs";
  PATCHLAB_TRY(as.must_write_below(runs, "the folder of runs", fmt::format("chown -R {} '{}'", name, runs.string())));
  PATCHLAB_TRY(as.must_write_below(stage, "the stage", fmt::format("chown -R {} '{}'", name, stage.string())));
  PATCHLAB_TRY(check_cache(as, values));
  if (has(values, "selftest"))
    PATCHLAB_TRY(
        as.must("r", values.levels, "the levels of selftest", "install patchlab whole, or --without selftest"));
  if (has(values, "scan")) {
    const auto scan = folder / "scan.json";
    if (is_there(scan)) PATCHLAB_TRY(as.must("w", scan, "the scan", fmt::format("chown {} '{}'", name, scan.string())));
  }
  if (!values.notify.empty()) PATCHLAB_TRY(check_notify(as, values.notify));
  PATCHLAB_TRY(as.must("rx", values.program, "the program", "install patchlab where every user may start it"));
  return std::vector<std::string>();
}

}  // namespace patchlab::cli

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/servicing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"
#include "lab/guest/windows/exit_codes.hpp"

namespace patchlab::lab::guest::windows {
namespace {

struct StateName {
  PackageState state;
  const char* name;  // also dism's, but for case
};
constexpr std::array<StateName, 11> state_names{{
    {PackageState::absent, "absent"},
    {PackageState::uninstall_pending, "uninstall pending"},
    {PackageState::resolving, "resolving"},
    {PackageState::resolved, "resolved"},
    {PackageState::staging, "staging"},
    {PackageState::staged, "staged"},
    {PackageState::superseded, "superseded"},
    {PackageState::install_pending, "install pending"},
    {PackageState::partially_installed, "partially installed"},
    {PackageState::installed, "installed"},
    {PackageState::permanent, "permanent"},
}};

bool is_installed(PackageState state) { return state == PackageState::installed || state == PackageState::permanent; }
bool is_pending(PackageState state) {
  return state == PackageState::install_pending || state == PackageState::uninstall_pending;
}
// dism calls a permanent package installed.
bool is_same(PackageState a, PackageState b) { return a == b || (is_installed(a) && is_installed(b)); }
bool belongs_to_set(PackageState state) {
  return is_installed(state) || is_pending(state) || state == PackageState::partially_installed;
}

std::string state_in(const std::map<std::string, PackageState>& states, const std::string& identity) {
  const auto found = states.find(identity);
  return found == states.end() ? std::string{} : to_string(found->second);
}

// Cumulative updates are called Package_for_RollupFix, servicing stacks Package_for_ServicingStack_...: the quick-fix
// list gives them numbers that no name holds.
bool is_numberless_update(const std::string& identity) {
  return identity.starts_with("Package_for_") && kb_of(identity).empty();
}
}  // namespace

const char* to_string(PackageState state) {
  for (const auto& entry : state_names) {
    if (entry.state == state) return entry.name;
  }
  return "?";
}

std::optional<PackageState> package_state_from(std::uint32_t number) {
  for (const auto& entry : state_names) {
    if (static_cast<std::uint32_t>(entry.state) == number) return entry.state;
  }
  return std::nullopt;
}

std::optional<PackageState> package_state_from(std::string_view word) {
  const auto lower = lower_case(word);
  if (lower == "not present") return PackageState::absent;
  for (const auto& entry : state_names) {
    if (lower == entry.name) return entry.state;
  }
  return std::nullopt;
}

bool is_package_identity(std::string_view text) {
  return std::count(text.begin(), text.end(), '~') == 4 && text.rfind('~') + 1 != text.size();
}

std::string kb_of(std::string_view identity) {
  constexpr std::string_view start = "Package_for_KB";
  if (!identity.starts_with(start)) return {};
  const auto digits = identity.substr(start.size());
  const auto end = digits.find_first_not_of("0123456789");
  if (end == 0) return {};
  return "KB" + std::string(digits.substr(0, end));
}

std::string described(const Disagreement& disagreement) {
  const auto said = [](const std::string& text) { return text.empty() ? std::string("absent") : text; };
  return fmt::format("quick-fix list: {}, dism: {}, registry: {}", said(disagreement.quick_fix),
                     said(disagreement.dism), said(disagreement.registry));
}

namespace {
// Names differ by case between a cabinet, the registry and dism.
bool is_part(const std::string& identity, const std::set<std::string>& parts) {
  return parts.contains(identity) || parts.contains(lower_case(identity));
}
}  // namespace

std::vector<Disagreement> disagreements(const InstalledViews& views, const std::set<std::string>& parts) {
  std::set<std::string> identities;
  for (const auto& [identity, state] : views.dism) {
    if (!is_part(identity, parts)) identities.insert(identity);
  }
  for (const auto& [identity, state] : views.registry) {
    // Parts of updates are the registry's alone; a whole update that counts must be dism's too.
    const bool is_whole = views.whole.contains(identity) && !is_part(identity, parts);
    if (is_whole && identity.starts_with("Package_for_") && belongs_to_set(state)) identities.insert(identity);
  }
  std::vector<Disagreement> found;
  std::set<std::string> known;  // KB numbers that an identity accounts for
  std::size_t numberless = 0;
  for (const auto& identity : identities) {
    const auto dism = views.dism.find(identity);
    const auto registry = views.registry.find(identity);
    const auto kb = kb_of(identity);
    const bool listed = views.quick_fixes.contains(kb);
    const bool has_both = dism != views.dism.end() && registry != views.registry.end();
    if (has_both && is_numberless_update(identity) && is_installed(dism->second)) ++numberless;
    if (!kb.empty()) known.insert(kb);
    bool agree = has_both && is_same(dism->second, registry->second);
    if (agree && !kb.empty() && is_installed(dism->second)) agree = listed;
    if (!agree) {
      found.push_back(
          {identity, listed ? "installed" : "", state_in(views.dism, identity), state_in(views.registry, identity)});
    }
  }
  // The other direction: the list names an update of which servicing knows no package that is there or on its way.
  std::vector<Disagreement> only_listed;
  for (const auto& kb : views.quick_fixes) {
    const auto backs = [&](const auto& entry) { return kb_of(entry.first) == kb && belongs_to_set(entry.second); };
    if (std::any_of(views.dism.begin(), views.dism.end(), backs)) continue;
    const bool reported =
        std::any_of(found.begin(), found.end(), [&](const auto& one) { return kb_of(one.update) == kb; });
    if (reported) continue;
    if (!known.contains(kb) && numberless > 0) {
      --numberless;
      continue;
    }
    only_listed.push_back({kb, "installed", {}, {}});
  }
  found.insert(found.end(), only_listed.begin(), only_listed.end());
  return found;
}

InstalledSet installed_set(const InstalledViews& views, const std::set<std::string>& parts) {
  InstalledSet set;
  for (const auto& one : disagreements(views, parts)) set[one.update] = "disagreement: " + described(one);
  for (const auto& [identity, state] : views.dism) {
    if (is_part(identity, parts) || set.contains(identity) ||
        !(belongs_to_set(state) || state == PackageState::superseded))
      continue;
    set[identity] = to_string(is_installed(state) ? PackageState::installed : state);
  }
  for (const auto& [key, version] : views.products) set["product " + key] = version;
  return set;
}

std::set<std::string> pending_installs(const InstalledViews& views) {
  std::set<std::string> pending;
  for (const auto& [identity, state] : views.dism) {
    if (state == PackageState::install_pending) pending.insert(identity);
  }
  return pending;
}

std::string described(const Rollback& rollback) {
  const auto reason = rollback.hresult ? described(meaning_of(*rollback.hresult, Installer::dism))
                                       : std::string("servicing does not say why");
  return fmt::format("'{}' was rolled back at the restart: it is {} now, {}{}{}", rollback.identity,
                     to_string(rollback.state), reason, rollback.cause.empty() ? "" : "; CBS.log: ", rollback.cause);
}

void add_cause(std::vector<Rollback>& found, const CbsFailure& failure) {
  for (auto& rollback : found) {
    if (rollback.hresult && *rollback.hresult != failure.hresult) continue;
    rollback.hresult = failure.hresult;
    rollback.cause = failure.cause;
  }
}

namespace {
// Windows Update stages an update first and installs it then: an event 3 of the first is no failed installation. The
// words are not translated, but may be left out beside their number (5064 is staged, 5112 installed). Old systems name
// no intended state.
bool wanted_installed(const Event& event) {
  const auto said = [&](const char* name) {
    const auto found = event.data.find(name);
    return found == event.data.end() ? std::string{} : lower_case(found->second);
  };
  const auto word = said("IntendedPackageStateTextized");
  const auto number = said("IntendedPackageState");
  return word.empty() ? number.empty() || number == "5112" : word == "installed";
}
}  // namespace

std::vector<Rollback> rollbacks(const std::set<std::string>& pending_before, const InstalledViews& after,
                                const std::map<std::string, std::uint32_t>& errors,
                                const std::vector<Event>& failures) {
  std::vector<Rollback> found;
  for (const auto& identity : pending_before) {
    const auto state = after.registry.find(identity);
    // Superseded: something newer came in the same restart. Still pending: another restart is due.
    const bool went_well =
        state != after.registry.end() && (is_installed(state->second) || state->second == PackageState::superseded ||
                                          state->second == PackageState::install_pending);
    if (went_well) continue;
    Rollback rollback{identity, state == after.registry.end() ? PackageState::absent : state->second, {}, {}};
    const auto error = errors.find(identity);
    if (error != errors.end() && error->second != 0) {
      rollback.hresult = error->second;
    } else {
      const auto kb = kb_of(identity);
      for (const auto& event : failures) {
        const auto package = event.data.find("PackageIdentifier");
        const auto code = event.data.find("ErrorCode");
        if (package == event.data.end() || code == event.data.end()) continue;
        if (package->second != kb && package->second != identity) continue;
        if (!wanted_installed(event)) continue;
        rollback.hresult = registry_number(code->second);
        break;
      }
    }
    found.push_back(std::move(rollback));
  }
  return found;
}

namespace {
// "...queue item Installer: X ({1}) with HRESULT 800f0207 [Error,...]. Failure will not be ignored: ..." -> "Installer:
// X
// ({1}) with HRESULT 800f0207". Empty: no such line, or a failure that servicing ignores.
std::string_view failed_installer(std::string_view line) {
  constexpr std::string_view mark = "Failed execution of queue item ";
  const auto item = line.find(mark);
  if (item == std::string_view::npos || line.find("Failure will be ignored") != std::string_view::npos) return {};
  const auto rest = line.substr(item + mark.size());
  return trimmed(rest.substr(0, std::min({rest.find(". "), rest.find('['), rest.size()})));
}

// "Exec: Processing started.  Client: DISM Package Manager Provider, Session: 4332_3354890, Package: X, ..." ->
// "4332_3354890": what servicing changes from now on, and after a restart goes on with. Queries have no such line.
std::string_view begun_session(std::string_view line) {
  constexpr std::string_view begun = "Exec: Processing started.";
  constexpr std::string_view mark = "Session: ";
  const auto start = line.find(begun);
  const auto session = start == std::string_view::npos ? start : line.find(mark, start);
  if (session == std::string_view::npos) return {};
  const auto rest = line.substr(session + mark.size());
  return rest.substr(0, rest.find(','));
}

// What servicing says of a whole operation, and not of one of its steps or of what it measured meanwhile.
bool tells_an_outcome(std::string_view line) {
  constexpr std::array<std::string_view, 6> outcomes{"Startup: ",
                                                     "Exec: Processing complete",
                                                     "Failed to perform operation",
                                                     "finalized. Reboot required",
                                                     "Failed to FinalizeEx",
                                                     "Failed to process"};
  return std::any_of(outcomes.begin(), outcomes.end(),
                     [&](auto outcome) { return line.find(outcome) != std::string_view::npos; });
}

// Measurements and reports that could not be made: HRESULTs that no update has anything to do with.
bool tells_of_itself(std::string_view line) {
  constexpr std::array<std::string_view, 5> reports{"SQM: ", "datapoint", "report is incomplete",
                                                    "Windows Error Report", "WER: "};
  return std::any_of(reports.begin(), reports.end(),
                     [&](auto report) { return line.find(report) != std::string_view::npos; });
}
}  // namespace

std::optional<CbsFailure> cbs_failure(std::string_view log) {
  constexpr std::string_view result_mark = "[HRESULT = ";
  constexpr std::uint32_t restart_required = 0x80070BC2;  // HRESULT_FROM_WIN32(ERROR_SUCCESS_REBOOT_REQUIRED)
  std::optional<CbsFailure> found;
  bool is_outcome = false;
  std::string cause;
  int restarts = 0;
  std::string_view session;
  while (!log.empty()) {
    const auto end = log.find('\n');
    const auto line = trimmed(log.substr(0, end), " \t\r");
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
    if (const auto begun = begun_session(line); !begun.empty() && begun != session) {
      session = begun;
      found.reset();
      is_outcome = false;
      cause.clear();
      restarts = 0;
    }
    if (line.find("restart initiated") != std::string_view::npos) ++restarts;
    if (const auto installer = failed_installer(line); !installer.empty()) cause = installer;
    const auto mark = line.find(result_mark);
    if (mark == std::string_view::npos || tells_of_itself(line)) continue;
    const auto inside = line.substr(mark + result_mark.size(), line.find(']', mark) - mark - result_mark.size());
    const auto number = registry_number(inside.substr(0, inside.find(' ')));
    if (!number || *number < 0x80000000U || *number == restart_required) continue;
    if (is_outcome && !tells_an_outcome(line)) continue;
    is_outcome = tells_an_outcome(line);
    const auto dash = inside.find(" - ");
    auto name = dash == std::string_view::npos ? std::string{} : std::string(inside.substr(dash + 3));
    if (name.empty() && found && found->hresult == *number) name = found->name;  // not named each time
    found = CbsFailure{*number, std::move(name), {}, 0};
  }
  if (!found) return found;
  found->cause = cause;
  found->self_restarts = restarts;
  return found;
}

Result<std::set<std::string>> servicing_subkeys(const std::string& text) {
  PATCHLAB_ASSIGN(const auto keys, registry_keys(text));
  std::set<std::string> names;
  for (const auto& key : keys) names.insert(key.name());
  // Every Windows has installed packages: without them this was no whole answer.
  if (!names.contains("Packages")) return guest_error("the servicing keys name no 'Packages'");
  return names;
}

std::vector<std::pair<std::string, Command>> pending_questions() {
  return {{"exclusive", Command::exclusive_session},
          {"updates", Command::update_keys},
          {"volatile", Command::update_volatile},
          {"server-manager", Command::server_manager},
          {"run-once", Command::run_once},
          {"renames", Command::renames},
          {"active-name", Command::active_name},
          {"next-name", Command::next_name},
          {"netlogon", Command::netlogon}};
}

Result<PendingRestart> pending_restart(const std::string& servicing_keys, const Sections& found) {
  PendingRestart pending;
  PATCHLAB_ASSIGN(const auto subkeys, servicing_subkeys(servicing_keys));
  for (const auto* name : {"RebootPending", "RebootInProgress", "PackagesPending"}) {
    if (subkeys.contains(name)) pending.strong.push_back(fmt::format("servicing: {}", name));
  }
  const auto keys = [&](const char* name, Absence absence = Absence::of_key) {
    return registry_in(found, name, absence);
  };
  const auto not_zero = [](const std::vector<RegistryKey>& list, const char* value) {
    return std::any_of(list.begin(), list.end(), [&](const auto& key) {
      const auto entry = key.values.find(value);
      return entry != key.values.end() && registry_number(entry->second) != std::optional{0U};
    });
  };
  const auto holds = [](const std::vector<RegistryKey>& list, const std::string& name) {
    return std::any_of(list.begin(), list.end(),
                       [&](const auto& key) { return key.name() == name || key.values.contains(name); });
  };
  PATCHLAB_ASSIGN(const auto exclusive, keys("exclusive"));
  if (not_zero(exclusive, "Exclusive")) pending.strong.emplace_back("servicing: SessionsPending is exclusive");
  PATCHLAB_ASSIGN(const auto updates, keys("updates"));
  if (holds(updates, "RebootRequired")) pending.strong.emplace_back("Windows Update: RebootRequired");
  // Only Windows Update's own tasks take it away, and a golden machine has them disabled.
  if (holds(updates, "PostRebootReporting")) pending.weak.emplace_back("Windows Update: PostRebootReporting");
  PATCHLAB_ASSIGN(const auto volatile_updates, keys("volatile"));
  if (not_zero(volatile_updates, "UpdateExeVolatile")) pending.strong.emplace_back("update.exe: UpdateExeVolatile");
  PATCHLAB_ASSIGN(const auto server_manager, keys("server-manager"));
  if (holds(server_manager, "CurrentRebootAttempts"))
    pending.strong.emplace_back("Server Manager: CurrentRebootAttempts");
  PATCHLAB_ASSIGN(const auto run_once, keys("run-once"));
  if (holds(run_once, "DVDRebootSignal")) pending.strong.emplace_back("RunOnce: DVDRebootSignal");
  PATCHLAB_ASSIGN(const auto netlogon, keys("netlogon", Absence::impossible));
  for (const auto* name : {"JoinDomain", "AvoidSpnSet"}) {
    if (holds(netlogon, name)) pending.strong.push_back(fmt::format("Netlogon: {}", name));
  }
  const auto name_in = [](const std::vector<RegistryKey>& list) {
    const auto found_name = list.empty() ? std::map<std::string, std::string>{} : list.front().values;
    const auto value = found_name.find("ComputerName");
    return value == found_name.end() ? std::string{} : lower_case(value->second);
  };
  PATCHLAB_ASSIGN(const auto active, keys("active-name", Absence::impossible));
  PATCHLAB_ASSIGN(const auto next, keys("next-name", Absence::impossible));
  if (name_in(active).empty() || name_in(next).empty())
    return guest_error("the computer's name is not in the registry");
  if (name_in(active) != name_in(next)) pending.strong.emplace_back("the computer's name changes");
  PATCHLAB_ASSIGN(const auto renames, keys("renames"));
  if (holds(renames, "PendingFileRenameOperations")) pending.weak.emplace_back("files are replaced at the next start");
  return pending;
}

}  // namespace patchlab::lab::guest::windows

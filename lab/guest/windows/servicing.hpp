// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guest/adapter.hpp"
#include "lab/guest/windows/commands.hpp"
#include "lab/guest/windows/replies.hpp"

// What Windows' servicing says about updates, judged. Pure: functions over what was read.
namespace patchlab::lab::guest::windows {

// CurrentState of a package in the registry, as numbered there (component-based servicing).
enum class PackageState : std::uint32_t {
  absent = 0x00,
  uninstall_pending = 0x05,
  resolving = 0x10,
  resolved = 0x20,
  staging = 0x30,
  staged = 0x40,
  superseded = 0x50,
  install_pending = 0x60,
  partially_installed = 0x65,
  installed = 0x70,
  permanent = 0x80,
};
// "install pending", "installed"
[[nodiscard]] const char* to_string(PackageState state);
[[nodiscard]] std::optional<PackageState> package_state_from(std::uint32_t number);
// dism's words ("Install Pending"), in English; "Not Present" is absent.
[[nodiscard]] std::optional<PackageState> package_state_from(std::string_view word);

// "Package_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0": the version comes last.
[[nodiscard]] bool is_package_identity(std::string_view text);
// "KB5035968" where the name begins with it; most parts of updates (Package_1_for_KB...) have none. A label: whether it
// is a whole update or a part, the name does not say (Package_for_KB2999226_RTM_BF is a part).
[[nodiscard]] std::string kb_of(std::string_view identity);

// The three independent means, as each answered.
struct InstalledViews {
  std::set<std::string> quick_fixes;             // KB numbers of the quick-fix engineering list
  std::map<std::string, PackageState> dism;      // identity -> state
  std::map<std::string, PackageState> registry;  // identity -> state
  std::set<std::string> whole;                   // identities that the registry calls an update of its own, not a part
  std::map<std::string, std::string> products;   // of other installers: registry key -> version; not servicing's
  bool operator==(const InstalledViews&) const = default;
};

// One update on which the three differ. Each says what its means says; empty: that means does not know it.
struct Disagreement {
  std::string update;  // identity, or KB number where only the quick-fix list names it
  std::string quick_fix;
  std::string dism;
  std::string registry;
  bool operator==(const Disagreement&) const = default;
};
[[nodiscard]] std::string described(const Disagreement& disagreement);

// Where the three differ, sorted. No difference is: an update on its way in or out (pending), which the quick-fix list
// may know already or not yet; a package of the registry that dism does not show because it is a part of another, which
// the registry says and no name does; and a KB number that no identity carries, as long as cumulative packages without
// a number in their name are installed, one for each. A package that dism shows must have the same state in the
// registry. `parts`: identities that candidates are made of; nothing is asked of them.
[[nodiscard]] std::vector<Disagreement> disagreements(const InstalledViews& views,
                                                      const std::set<std::string>& parts = {});

// What is on the machine. Packages: identity -> "installed", "install pending", "superseded" or, so that nobody who
// compares sets can overlook it, "disagreement: ...". (Versions are no values here: several of one name may be there.)
// Staged and absent ones are left out, and so are `parts`: they come and go with the packages that candidates name.
// Products of other installers: "product <key>" -> version.
[[nodiscard]] InstalledSet installed_set(const InstalledViews& views, const std::set<std::string>& parts = {});

// Identities whose installation waits for a restart.
[[nodiscard]] std::set<std::string> pending_installs(const InstalledViews& views);

// An installation that was pending before a restart and was undone by it.
struct Rollback {
  std::string identity;
  PackageState state = PackageState::absent;  // now
  std::optional<std::uint32_t> hresult;       // why, where servicing says so
  std::string cause;                          // the installer that failed, where CBS.log says so
  bool operator==(const Rollback&) const = default;
};
struct CbsFailure;
// What CBS.log tells of the same failure, or of one for which servicing gave no reason elsewhere.
void add_cause(std::vector<Rollback>& found, const CbsFailure& failure);
// "'Package_for_KB1~...' was rolled back at the restart: it is staged, 0x800F0922 (CBS_E_INSTALLERS_FAILED: ...)"
[[nodiscard]] std::string described(const Rollback& rollback);
// `errors`: LastError of packages in the registry; `failures`: the Setup log's events of failed changes, newest first.
// The registry comes first: it names the identity, the event only the update. An event counts when what failed was an
// installation.
[[nodiscard]] std::vector<Rollback> rollbacks(const std::set<std::string>& pending_before, const InstalledViews& after,
                                              const std::map<std::string, std::uint32_t>& errors,
                                              const std::vector<Event>& failures);

// Why servicing undid the latest change, from CBS.log, which alone names the installer that failed. Not translated.
struct CbsFailure {
  std::uint32_t hresult = 0;  // the last failure of a whole operation, else of a step
  std::string name;           // "CBS_E_INSTALLERS_FAILED"; empty when the log gives none
  std::string cause;          // "Installer: Container Installer ({9edf...}) with HRESULT HRESULT_FROM_WIN32(1753)"
  int self_restarts = 0;      // that servicing started itself in order to undo
  bool operator==(const CbsFailure&) const = default;
};
// Nothing when no line tells of a failure of the latest change in it.
[[nodiscard]] std::optional<CbsFailure> cbs_failure(std::string_view log);

// Signs of a pending restart. Any strong one means that a restart is due; weak ones are set by all kinds of programs
// and only reported.
struct PendingRestart {
  std::vector<std::string> strong;
  std::vector<std::string> weak;
  [[nodiscard]] bool is_due() const { return !strong.empty(); }
};
// `servicing_keys`: the reply to Command::servicing_keys; `found`: a job's sections, named as in pending_questions().
[[nodiscard]] Result<PendingRestart> pending_restart(const std::string& servicing_keys, const Sections& found);
// Section names and commands of that job.
[[nodiscard]] std::vector<std::pair<std::string, Command>> pending_questions();
// Subkeys (RebootPending, ...) in the reply to Command::servicing_keys.
[[nodiscard]] Result<std::set<std::string>> servicing_subkeys(const std::string& text);

}  // namespace patchlab::lab::guest::windows

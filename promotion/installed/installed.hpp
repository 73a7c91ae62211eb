// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

// What machines of production say that they have, and how that compares with what was promoted. Pure: text from
// machines in, a report out, which the ledger keeps byte for byte.
namespace patchlab::promotion {

inline constexpr const char* deployed_schema = "patchlab/deployed/v1";

// Where it was read from. The words (to_string) are stable API.
enum class InstalledSource {
  dpkg_query,   // all that is installed
  apt_history,  // what apt did: what it does not name is not known
  json,         // one object per line
  by_hand,      // somebody installed a file
  wsus,         // what the machine told its WSUS
};
[[nodiscard]] const char* to_string(InstalledSource source);
[[nodiscard]] std::optional<InstalledSource> installed_source_from(std::string_view word);

struct InstalledPackage {
  std::string name;
  std::string architecture;  // empty: not said
  std::string version;       // empty: it was removed
  std::string since{};       // as the machine wrote it, by its own clock; empty: not said
  bool failed = false;       // the package manager ended in an error while it did this
};

// What WSUS says of an update on a machine (UpdateInstallationState of Microsoft.UpdateServices.Administration), what
// counts more behind what counts less: of several updates with one KB number the worst is so.
enum class WsusState {
  not_applicable,  // it is for others, or something newer is there: WSUS does not say which
  installed,
  installed_pending_reboot,  // not in effect before the machine restarts
  downloaded,
  not_installed,
  unknown,
  failed,
};
[[nodiscard]] const char* to_string(WsusState state);  // "InstalledPendingReboot", as WSUS writes it

struct MachineSays {
  std::string machine;
  std::string observed;         // RFC 3339
  bool says_packages = false;   // has some: it is a Debian
  bool knows_packages = false;  // of all of them: what is not here is not installed
  bool knows_updates = false;
  std::vector<InstalledPackage> packages;
  std::set<std::string> updates;  // "KB5035968"
  // Of a WSUS, by KB number: what is not here WSUS does not know. Nothing: it is of no WSUS.
  std::optional<std::map<std::string, WsusState>> wsus{};
};

// `dpkg-query -W`, by itself or with -f '${binary:Package}\t${Version}\t${db:Status-Abbrev}\n': the third column tells
// a package that is installed from one that left its configuration behind. Errors (configuration) name file and line. A
// list without the package dpkg, or without its last newline, was cut: what is not in it would look as not installed.
[[nodiscard]] Result<MachineSays> from_dpkg_query(std::string_view text, const std::string& file_name);
// /var/log/apt/history.log. What apt began and did not end (no End-Date) has failed.
[[nodiscard]] Result<MachineSays> from_apt_history(std::string_view text, const std::string& file_name);
// {"machine":"dns1","observed":"2026-11-28T22:00:00Z","packages":[{"name":"bind9","architecture":"amd64",
//  "version":"1:9.18"}],"updates":["KB5035968"]}, one line for each machine; each machine once. Packages with dpkg
//  among
// them are all that are installed; of others nothing is known.
[[nodiscard]] Result<std::vector<MachineSays>> from_json_lines(std::string_view text, const std::string& file_name);
// What report.ps1 (promotion/deploy) writes on a WSUS, one line for each machine; each machine once:
// {"schema":"patchlab/wsus-report/v1","machine":"fin-dc1.corp.example","observed":"2026-11-28T22:00:00Z","updates":[
//  {"kb":["KB5035968"],"update":"6f0d83cc-...","revision":200,"state":"Installed"}]}; `observed` is when it reported.
[[nodiscard]] Result<std::vector<MachineSays>> from_wsus_report(std::string_view text, const std::string& file_name);
inline constexpr const char* wsus_report_schema = "patchlab/wsus-report/v1";
// By how the text begins; of JSON by the schema of its first line.
[[nodiscard]] InstalledSource source_of_text(std::string_view text);

// What a name of a machine of production may be: letters, digits and . _ -, at most 253 characters.
[[nodiscard]] bool is_machine_name(std::string_view text);

// A part of what was promoted: a package of Debian, or an update of Windows by its KB number.
struct PromotedPart {
  std::string candidate;
  std::string name;          // of the package, or "KB5035968"; a file's where it has no number
  std::string architecture;  // of Debian
  std::string version;       // of Debian; empty: of Windows
  std::string sha256{};      // of the file
};

enum class InstalledState {
  as_promoted,
  older,
  newer,
  other_bytes,
  failed,
  not_installed,
  not_reported,
  not_for_it,  // an update of Windows, and the machine is a Debian; or the other way round
};
[[nodiscard]] const char* to_string(InstalledState state);

enum class InstalledOutcome {
  as_promoted,  // some of it is there, nothing differs, and nothing is open
  differs,
  unknown,  // none of it is there, or the machine did not say of all of it
};
[[nodiscard]] const char* to_string(InstalledOutcome outcome);

struct InstalledRow {
  std::string candidate;  // empty: of none that was promoted
  std::string name;
  std::string promoted;  // version or digest
  std::string found;     // the same; empty: none
  InstalledState state = InstalledState::not_reported;
  std::string since{};
  bool operator==(const InstalledRow&) const = default;
};
struct MachineReport {
  std::string machine;
  std::string observed;
  std::vector<InstalledRow> rows;
  [[nodiscard]] InstalledOutcome outcome() const;
  // Of the parts that are for this machine: of how many it did not say what it has. An update that it does not list is
  // one of them: a later one may have taken its place.
  struct Open {
    std::size_t parts = 0;
    std::size_t of = 0;
  };
  [[nodiscard]] Open open() const;
  bool operator==(const MachineReport&) const = default;
};
// An error (configuration) for a machine that was observed more than a day after `now`: what it says later would never
// count.
[[nodiscard]] Result<void> refuse_future(const std::string& machine, const std::string& observed,
                                         std::chrono::system_clock::time_point now);
[[nodiscard]] Result<void> refuse_future(const std::vector<MachineReport>& machines,
                                         std::chrono::system_clock::time_point now);
[[nodiscard]] MachineReport compare_installed(const MachineSays& said, const std::vector<PromotedPart>& promoted);
// Of a file that somebody installed by hand.
[[nodiscard]] MachineReport compare_by_hand(const std::string& machine, const std::string& observed,
                                            const std::string& file_name, const std::string& sha256,
                                            const std::vector<PromotedPart>& promoted);

struct DeployedReport {
  std::string department;
  std::string promotion;  // digest of the statement
  std::uint64_t serial = 0;
  InstalledSource source = InstalledSource::dpkg_query;
  std::string file;  // SHA-256 of what was read
  std::vector<MachineReport> machines;
  [[nodiscard]] InstalledOutcome outcome() const;  // differs before unknown before as promoted
  bool operator==(const DeployedReport&) const = default;
};
[[nodiscard]] Json deployed_json(const DeployedReport& report);
// Strictly what deployed_json writes.
[[nodiscard]] Result<DeployedReport> deployed_from_json(const Json& json, const std::string& file_name);

}  // namespace patchlab::promotion

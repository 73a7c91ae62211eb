// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "checks/state/compare.hpp"
#include "lab/core/guest_system.hpp"
#include "lab/core/importance.hpp"
#include "lab/core/json.hpp"

// A scenario as values: what one JSON file says, checked as far as the file alone can tell. docs/scenario-format.md is
// its manual, scenarios/scenario.schema.json its JSON Schema. Every problem is reported with file and JSON pointer, all
// of them at once.
namespace patchlab::runners {

// A domain that exists on a libvirt, of this host or another one, and is shut off.
struct GoldenDomainRef {
  std::string uri;  // "qemu:///system", "qemu+ssh://root@hv1/system"
  std::string domain;
  GuestSystem system;
  std::filesystem::path dpkg_status;  // Debian: a copy of the guest's /var/lib/dpkg/status, absolute; else empty
  std::filesystem::path storage;      // where the files of its clones go, absolute; empty: SystemLab's default
  std::filesystem::path recording{};  // Windows: what it said of itself (guest record), absolute; empty: none
  bool operator==(const GoldenDomainRef&) const = default;
};

// One of the two.
struct GoldenRef {
  std::filesystem::path recipe;  // folder of a stand-in image recipe, absolute
  // Which image of it, by its digest, when that is not the one that was built from the recipe but a later version
  // (lab/image/versions.hpp). Of no scenario file: it is found when golden machines are.
  std::string image{};
  std::optional<GoldenDomainRef> domain;
};

struct MachinePlan {
  std::string name;  // unique in the department
  std::string role;
  GoldenRef golden;
  std::string address;                    // IPv4 inside the department's subnet
  std::uint32_t memory_mib = 0;           // 0: what the golden machine says; always 0 for a domain
  std::vector<std::string> services;      // must run; empty: what the golden image says, for a domain none
  std::vector<std::string> watch_access;  // Windows: paths whose access rights count, beside the usual ones
  std::vector<std::uint16_t> ready_tcp;   // ports that must accept before checks start; empty: as for services
  std::vector<std::string> depends_on;    // machines of the same department
  std::vector<checks::CheckSpec> checks;
  // Others', asked beside them after the installation and at the end of a trial, to compare with: they decide nothing.
  // Of no scenario file; see runners/selftest/beside.hpp. Their ids are "SET/NAME".
  std::vector<checks::CheckSpec> beside;
  std::vector<std::filesystem::path> check_files;  // that these, or some of them, come from, absolute
  std::map<std::string, std::string> accounts;     // of its services: user to password
  checks::state::Allowances allowances;
  // Whether the machine that it stands for can be reached from the internet: for what is due when (process/assess).
  // Nothing: nobody said.
  std::optional<bool> exposed;
  // How important what it does is: its own word, else its role's, else its department's. Nothing: nobody said.
  std::optional<Importance> importance{};
  std::string pointer;  // where in the file, for later messages
};

struct NetworkPlan {
  std::string subnet;   // "10.20.0.0/24"
  std::string gateway;  // production's; does not exist in the fence, and must not answer
  std::string client;   // the probe's own address
};

struct DepartmentPlan {
  std::string name;
  NetworkPlan network;
  std::vector<MachinePlan> machines;  // sorted by name; all of one kind, and domains of one libvirt and storage
  std::string pointer;
};

enum class CandidateSourceKind { path, recipe, apt };

struct CandidateSource {
  CandidateSourceKind kind = CandidateSourceKind::path;
  std::filesystem::path path;  // path: candidate folder or .deb; recipe: folder with recipe.json; absolute
  std::string sha256;          // path to a single .deb: expected digest, empty when not given
  // apt
  std::vector<std::string> packages;  // source packages; empty: all that have updates
  std::size_t limit = 0;              // most candidates taken, 0: no limit
  bool security_only = false;
  bool as_named = false;  // in the order of `packages`, instead of security updates first
  std::string pointer;
};

// What a scan said that a candidate closes on one machine: these, when all of `needs` is there (a version by package).
struct PlannedCloses {
  std::string candidate, department, machine;
  std::vector<std::string> vulnerabilities;
  std::map<std::string, std::string> needs;  // empty: what the candidate brings there
};

// Of a scenario that `patchlab plan` wrote: what a reader of the run must know.
struct PlannedScenario {
  std::vector<std::string> candidates;                 // ids, most urgent first
  std::vector<std::string> not_tested;                 // sentences: what was due and is not in it, and what nobody knew
  std::vector<std::string> roles;                      // of the machines of the scenario that it was made from
  std::vector<std::string> left_out{};                 // ids that do not come along with others of their source
  std::optional<std::vector<PlannedCloses>> closes{};  // nothing: no scan was asked
};

// "+90s", "+15m", "+12h", "+1d": by so much. "lease-t2": by the time after which a client of the department's DHCP
// server looks for another one.
struct ClockStep {
  std::optional<std::chrono::seconds> by;  // nothing: lease-t2
};
// Nothing: it is none.
[[nodiscard]] std::optional<ClockStep> clock_step_from(const std::string& word);

struct TrialPolicy {
  std::size_t warm_reboots = 1;
  std::size_t cold_reboots = 0;
  Milliseconds boot_timeout{std::chrono::seconds(240)};
  Milliseconds ready_timeout{std::chrono::seconds(60)};    // after the guest's start-up has ended
  Milliseconds install_timeout{std::chrono::minutes(10)};  // per candidate and machine
  // How long the machines run on before they are looked at once more: some damage needs a while. 0: not at all.
  Milliseconds stability{std::chrono::seconds(20)};
  // How many checks a minute are asked of each machine meanwhile, one at a time, while it is watched for growth. 0: it
  // is not watched, and nothing is done to it.
  std::size_t stability_load = 12;
  // What a kind of error line means that neither the baseline nor the control had: it fails the phase, asks a person,
  // or is on record alone.
  checks::state::FindingClass new_errors = checks::state::FindingClass::breach;
  // How often each service that a role names is stopped and started again on a patched machine, while its checks are
  // asked, and how long one stop or start may take. 0: never.
  std::size_t service_cycles = 0;
  Milliseconds service_timeout{std::chrono::seconds(120)};
  // Behind that: whether a package of the scenario's `next_packages` is installed on the patched machines.
  bool next_package = false;
  // By how much the clocks of all machines are moved on at the end of a trial, one step after the other: see ClockStep.
  std::vector<std::string> clock{};
  std::size_t confirmations = 1;
  std::size_t lab_retries = 1;                        // how often a trial that ended in `error` is tried again
  Milliseconds run_deadline{std::chrono::hours(24)};  // for the whole run: what is not done by then is not done
  // Servers are asked what they have in force, before a patch and after it (docs/what-changed.md).
  bool server_state = false;
  // Of their certificates those are told that end within so many days of the last phase. 0: none.
  std::chrono::days certificate_days{30};
  bool rehearse_removal = true;  // take away again what passed, where the guest's family offers that
};

// Where the scenario is silent. Windows restarts more than once, shows some damage only after a cold start or a quarter
// of an hour, and takes up to an hour over a rollup and its update screens.
[[nodiscard]] TrialPolicy default_trial(GuestFamily family);

struct Scenario {
  std::string name;
  std::string title;
  std::filesystem::path file;
  std::filesystem::path folder;                // that its relative paths are relative to, absolute
  std::string digest;                          // SHA-256 of the file's bytes
  std::vector<DepartmentPlan> departments;     // sorted by name
  std::vector<CandidateSource> candidates;     // in file order
  std::vector<CandidateSource> next_packages;  // installed behind a set, to see whether that can still be done; no apt
  TrialPolicy trial;
  // How long what a run convicted is held back by later ones without being tried again; 0: not at all.
  Milliseconds reuse_convictions{0};
  // How old a state of a machine may be in which an earlier run installed candidates, and a trial goes on from; 0: none
  // is kept, and none is taken. Needs reuse_states.
  Milliseconds reuse_installs{0};
  Milliseconds reuse_controls{0};  // how old a control may be that an earlier run made of the same machines; 0: none
  Milliseconds reuse_search{0};    // how old an earlier run's answer to a search may be; 0: none is taken
  // How old a baseline may be that an earlier run saved and this one goes on from, and how much room all of them may
  // take; 0 of the first: none is kept, and none is taken.
  Milliseconds reuse_states{0};
  std::uintmax_t reuse_states_bytes = std::uintmax_t{8} << 30U;
  std::filesystem::path stage;  // absolute; default: "production" in the working folder
  std::filesystem::path facts;  // of machines of production (docs/process/likeness.md), absolute; empty: not asked
  std::optional<PlannedScenario> planned;
};

// For learning checks a machine needs none, files of checks need not be there, and nor do candidates.
enum class ScenarioFor { running, learning };
[[nodiscard]] Result<Scenario> load_scenario(const std::filesystem::path& file,
                                             ScenarioFor purpose = ScenarioFor::running);
// For tests and editors: relative paths are relative to the folder of `file`, or to that which it names.
[[nodiscard]] Result<Scenario> parse_scenario(const std::string& text, const std::filesystem::path& file,
                                              ScenarioFor purpose = ScenarioFor::running);

// The moments at which a trial looks at its machines, in order: after-install, after-reboot-1, ..., stability,
// clock+1d,
// ...
[[nodiscard]] std::vector<std::string> planned_phases(const TrialPolicy& policy);

// What is looked at of a machine besides its checks, and which changes of it are accepted; its SHA-256 says whether two
// runs looked at the same. The golden machine's services and ports must be filled in.
[[nodiscard]] std::string state_digest(const MachinePlan& machine);

void to_json(Json& json, const TrialPolicy& policy);
[[nodiscard]] TrialPolicy trial_policy_from_json(const Json& json);

}  // namespace patchlab::runners

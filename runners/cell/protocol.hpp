// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "checks/state/compare.hpp"
#include "lab/core/guest_system.hpp"
#include "lab/core/json.hpp"
#include "lab/core/redaction.hpp"
#include "lab/guest/adapter.hpp"
#include "lab/guest/windows/windows_adapter.hpp"
#include "lab/network/host_facts.hpp"
#include "reports/record/record.hpp"
#include "runners/cell/patched_state.hpp"
#include "runners/scenario/scenario.hpp"

// What the run (parent) and a cell (child process of one department) say to each other: one JSON object per line.
// Requests carry "id"; each gets exactly one answer with that id, "result" or "error". Between them the cell sends
// events. Trials on disjoint machines may be under way at the same time.
namespace patchlab::runners::cell {

// A candidate on one machine of a trial.
struct InstallJob {
  std::string candidate;
  std::string digest;                                  // of the candidate
  std::vector<lab::guest::InstalledPackage> packages;  // its files, by their names on the medium, in order
  InstalledSet expected;                               // "bind9:amd64" -> new version; empty: removed
  bool says_what_it_changes = true;                    // false: what differs after it is what it did
  [[nodiscard]] std::vector<std::string> file_names() const;
};

// One machine as the cell needs it: everything resolved, nothing left to look up.
struct MachineJob {
  MachinePlan
      plan;  // memory, services, ready ports, checks filled in from the golden image where the scenario was silent
  GuestSystem system;
  std::string golden_digest;
  InstalledSet planned_with;  // the installed set that the plan was made by; empty where the system has no such list
  // A clone of a domain. Its libvirt is that of the cell.
  std::string golden_domain;
  std::vector<std::string> macs;  // of the domain, and so of the clone
  // A clone of an image.
  std::filesystem::path golden_disk;  // read-only backing file
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::string kernel_arguments;
  // Of candidates for Windows, by file name: how .exe files are installed, and what .msi files take away.
  std::map<std::string, lab::guest::windows::SetupHabits> setups;
  std::map<std::string, std::vector<ReplacedProducts>> replaces;
  // Of candidates for Debian, by id: what their packages bring, computed from the tested bytes.
  std::map<std::string, std::vector<ShippedPackage>> shipped;
  std::set<std::string> parts;  // servicing packages that the candidates are made of
  // With policy.next_package: what is installed behind a set, from the trial's medium; nothing: none, and why.
  std::optional<InstallJob> next_package;
  std::string why_no_next_package;
  // Of the accounts that the image or the scenario has: whatever a guest prints, they are not kept.
  std::vector<std::string> passwords;
};

// Where the clones of domains are: lab/libvirt/system_lab.hpp.
struct LibvirtPlace {
  std::string uri;
  std::string run;
  std::filesystem::path storage;
  bool operator==(const LibvirtPlace&) const = default;
};

// The disks of its machines are there already, and hold a baseline that an earlier run saved; docs/adr/0023.
struct KeptBaseline {
  std::string run;                                  // that made it
  std::map<std::string, Milliseconds> usual_ready;  // by machine: from start-up complete to ports answering, then
  PatchedStates patched{};                          // that lie beside it; docs/adr/0028
  std::map<std::string, std::vector<std::string>> useless{};  // by machine: other snapshots that lie there
  bool operator==(const KeptBaseline&) const = default;
};

// Sent as the first request ("prepare"), and once more for another try.
struct CellJob {
  std::string department;
  NetworkPlan network;
  std::optional<LibvirtPlace> libvirt;  // its machines are clones of domains there; else of images, in the cell itself
  std::vector<MachineJob> machines;
  TrialPolicy policy;
  std::string accelerator;         // "kvm" or "tcg", of images; a domain says its own
  std::filesystem::path evidence;  // folder inside the run folder, exists
  std::filesystem::path slots;     // folder of the slot files shared by all cells of the host
  std::size_t slot_count = 2;
  lab::network::HostFacts host;               // outside the fence: what the leak probe tries to reach
  std::string worker_program;                 // the patchlab binary, for check workers
  std::optional<KeptBaseline> kept_baseline;  // of machines that are clones of images; nothing: they are to be booted
  bool facts = false;                         // machines are asked at the baseline what they are (lab/facts)
  bool keep_installs = false;                 // what is installed may be kept for later runs, with the baseline
};

struct TrialJob {
  std::string id;
  reports::Purpose purpose = reports::Purpose::search;
  std::vector<std::string> candidates;  // all of the set, in order
  std::string set_digest;
  std::vector<std::string> machines;                        // that take part: reverted, checked
  std::map<std::string, std::vector<InstallJob>> installs;  // by machine; only these are patched and rebooted
  std::map<std::string, std::filesystem::path> media;       // by machine: ISO with the files, the next package's too
  std::vector<std::string> reboot_anyway;                   // control: machines rebooted without a patch
  bool judged = false;                 // control: nothing is learnt from it, it is judged as if there was a patch
  bool from_baseline = false;          // confirming trials: no state saved by another trial is used
  bool stability = true;               // search trials do without when the failure shows earlier
  bool stop_at_first_failure = false;  // search trials: the answer is known as soon as one phase fails
};

// Of a clone of an image, in the folder of its cell.
[[nodiscard]] std::string disk_name(const std::string& machine);

[[nodiscard]] Json host_facts_json(const lab::network::HostFacts& facts);
[[nodiscard]] lab::network::HostFacts host_facts_from_json(const Json& json);
void to_json(Json& json, const CellJob& job);
// Takes the secrets that its checks are given out of whatever a cell says or keeps.
[[nodiscard]] Redactor redactor_for(const CellJob& job);
[[nodiscard]] CellJob cell_job_from_json(const Json& json);
void to_json(Json& json, const TrialJob& job);
[[nodiscard]] TrialJob trial_job_from_json(const Json& json);

}  // namespace patchlab::runners::cell

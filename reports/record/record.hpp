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
#include "checks/growth/growth.hpp"
#include "checks/state/state_difference.hpp"
#include "lab/core/json.hpp"
#include "lab/core/outcome.hpp"
#include "lab/facts/likeness.hpp"
#include "reports/record/decision_record.hpp"
#include "reports/record/words.hpp"

// The record of one run as plain data: what it found, and nothing that anybody decided about it. Written once as
// run.json (schema patchlab/run/v2), read by reports, gate and promotion. A report writer knows a record, never how it
// came about. All durations are milliseconds; all times RFC 3339 UTC text.
namespace patchlab::reports {

struct FileRecord {
  std::string name;
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string
      signature;  // of a Windows package, as a sentence: "signed by ...", "not signed (allowed)"; empty for others
  bool operator==(const FileRecord&) const = default;
};

struct CandidateRecord {
  std::string id;
  std::string title;
  std::string severity;  // critical, important, moderate, low, unknown
  std::string kind;      // deb, msu, cab, msi, msp, exe
  std::string origin;    // "file", "apt", "repack"
  std::string digest;    // of the candidate: files and manifest
  std::string source;    // of origin "file": the folder or file that it was taken from; empty: nobody can look again
  std::vector<FileRecord> files;
  std::vector<std::string> prerequisites;
  std::vector<std::string> supersedes;
};

struct MachineRecord {
  std::string name;
  std::string role;
  std::string golden;               // recipe or domain name
  std::string golden_at;            // "image": in the cache; else the URI of its libvirt; empty: not recorded (v1)
  std::string golden_digest;        // of the contents, read before the run
  std::string golden_digest_after;  // read again after it; empty: not looked at, and then nothing is promoted
  std::string address;
  std::uint32_t memory_mib = 0;
  std::vector<std::string> checks;  // ids of the planned checks: what is planned but not executed blocks a promotion
  // By id, of what each of them asks for (checks/identity.hpp); without an entry: not known (a record of an older
  // version). A check of the same id with another digest is another check.
  std::map<std::string, std::string> check_digests{};
  // The same of what is looked at of the machine besides: services, ports, access rights, and which changes are
  // accepted. Empty: not known.
  std::string state_digest{};
  // Of everything that a trial of this machine is made of: SHA-256 over what its cell would be sent (configuration,
  // checks, network, policy of the trial, files of the candidates), less places on the host. Empty: not known; then
  // nobody says that it is like another one.
  std::string definition_digest{};
  // Of a golden image: the folder of its recipe. What a run would start from today is another one when that was
  // changed, not when somebody made an image of the same name from another folder. Empty: not known, or a domain.
  std::string golden_recipe{};
  // How like the machine of production it was known to be that it stands for, when the run took place. Nothing: nobody
  // asked, and nobody knows.
  std::optional<lab::facts::Likeness> likeness{};
};

// One attempt of something inside the fence to reach the outside. `answered` must be false; one true voids the run. But
// for the control: who must answer, or the silence of all others proves nothing.
struct FenceAttempt {
  std::string phase;   // before, during, after
  std::string probe;   // arp, ping, dns, tcp, ipv6-nd ...
  std::string target;  // address or name tried
  bool answered = false;
  std::string evidence;
  bool sent = true;      // false: nothing was tried, and nothing is proven by it
  bool control = false;  // to the control of the lab
  std::string trial{};   // during which one; empty: none
  std::string device{};  // where it was sent and listened; empty: not recorded
  [[nodiscard]] bool is_answer_of_a_leak() const { return answered && !control; }
  [[nodiscard]] bool heard_control() const { return answered && control && sent; }
};

struct FenceRecord {
  std::vector<FenceAttempt> attempts;
  // Probes that could not be sent, a control that was not heard: the proof is incomplete when there are any.
  std::vector<std::string> troubles;
  [[nodiscard]] std::size_t tries() const;    // to get out: sent, and not to the control
  [[nodiscard]] std::size_t answers() const;  // of leaks
};

// What a candidate brings into the guest's own list of what is installed, and what the trial saw there last.
struct BroughtRecord {
  std::string item;                    // "bind9:amd64", "Package_for_KB5035968~...", as the guest lists it
  std::string before;                  // when it was installed; empty: was not there
  std::string wanted;                  // a version, on Windows also "installed"; empty: is to be gone
  std::optional<std::string> found{};  // empty: not there; nothing: nobody looked after the installation
  bool operator==(const BroughtRecord&) const = default;
};

struct InstallRecord {
  std::string machine;
  std::string candidate;
  Outcome outcome = Outcome::not_reached;  // skipped: the guest did not take it, see `end`
  std::uint32_t exit_code = 0;
  std::string log;
  std::int64_t duration_ms = 0;
  std::string installed_in;     // trial that installed it, when this one started from the state which that one left;
                                // empty: this one
  std::string installed_run{};  // the earlier run that this trial is of (ADR 28); empty: it is of this run
  std::string end;  // of the guest's installer: "installed, reboot needed", "not applicable", ...; empty: none was
                    // seen; "silent": none was seen because the guest agent gave no answer any more
  // Configuration files of which the machine kept its own version although the package brings another one: production
  // may decide otherwise.
  std::vector<std::string> kept_files{};
  // Of one that passed; where the package does not say what it brings, what was different after it. Nothing: not
  // recorded (an older version, or it did not come so far).
  std::optional<std::vector<BroughtRecord>> brought{};
  bool operator==(const InstallRecord&) const = default;
};

// One difference between the host state before and after; to_json and from_json beside it.
using checks::state::StateDifference;

// The first phase of a trial.
inline constexpr const char* after_install_phase = "after-install";
// The last phase of a trial, but for those of the clock, after the machines have run on for a while; not planned when
// the policy says 0.
inline constexpr const char* stability_phase = "stability";

// After it, where the policy says so: the services of the patched machines were stopped and started again.
inline constexpr const char* services_phase = "service-cycles";

// After that, where the scenario has one: another package was installed behind the set.
inline constexpr const char* next_package_phase = "next-package";

// After that, where the policy says so: the clocks of all machines were moved on. "clock+1d", "clock+lease-t2".
[[nodiscard]] inline std::string clock_phase(const std::string& step) {
  return "clock+" + step.substr(step.starts_with('+') ? 1 : 0);
}
[[nodiscard]] inline bool is_clock_phase(const std::string& phase) { return phase.starts_with("clock+"); }
// Whether a search can do without it unless the damage shows there.
[[nodiscard]] inline bool is_late_phase(const std::string& phase) {
  return phase == stability_phase || phase == services_phase || phase == next_package_phase || is_clock_phase(phase);
}
// Whether a machine is put there to what not every machine of production bears: what fails in the control as well is
// nobody's fault then.
[[nodiscard]] inline bool may_fail_without_patch(const std::string& phase) {
  return phase == services_phase || phase == next_package_phase || is_clock_phase(phase);
}

// The one phase of a removal trial.
inline constexpr const char* after_removal_phase = "after-removal";

// A service that was stopped and started again, as often as `done` says.
struct CycledService {
  std::string name;
  std::size_t done = 0;
  std::vector<std::int64_t> stop_ms{}, start_ms{};  // of each time that it did so, without those in `with`
  std::vector<std::string> with{};                  // stopped before it and started behind it: they need it
  std::string why_not{};                            // it was not to be had; empty: it was
};

struct ServiceCycles {
  std::size_t planned = 0;                // of each service
  std::vector<CycledService> services{};  // as the role names them; empty: it names none, so that nothing was stopped
  std::size_t asked = 0, failed = 0;      // checks that were asked meanwhile, and failed
};

// A package that was installed behind a set, to see whether that can still be done.
struct NextPackage {
  std::optional<InstallRecord> install;  // nothing: none was
  std::string why_not{};                 // then
};

// What was looked at on one machine at one moment of a trial.
struct PhaseRecord {
  std::string phase;  // baseline, after-install, after-reboot-1, ..., stability, service-cycles, next-package
  std::string machine;
  Outcome outcome = Outcome::not_reached;
  std::vector<checks::CheckResult> checks;
  std::vector<StateDifference> differences;  // unexpected ones only; a breach fails the phase
  std::optional<Error> error;
  // Of a baseline: what this machine does not have to be looked at by, so that nothing of it is seen in any trial:
  // "kernel: there is no dmesg".
  std::vector<std::string> not_observed;
  // What others than this lab's checks said at the same moment ("SET/NAME"), in a test of the checks: decides nothing.
  std::vector<checks::CheckResult> beside;
  // Of the stability phase: whether what the machine uses up grows. Nothing: it was not to be watched.
  std::optional<checks::growth::Growth> growth{};
  // Of the phase in which services are stopped, on a machine where they were to be.
  std::optional<ServiceCycles> service_cycles{};
  // Of the phase of the next package, on a machine where one was to be installed.
  std::optional<NextPackage> next_package{};
  // Of those phases and those of the clock: checks, by id, and "state:KIND:ITEM" that fail at this moment without any
  // patch as well, as the control showed, and what was seen of them here. Nobody is blamed for them, and nothing is
  // known by them.
  std::map<std::string, std::string> fails_without_patch{};
};

struct TrialRecord {
  std::string id;  // "finance/t3"
  Purpose purpose = Purpose::search;
  std::vector<std::string> candidates;  // in the order applied
  std::string set_digest;               // digest of that ordered list of candidate digests
  std::vector<std::string> machines;    // that took part
  Outcome outcome = Outcome::not_reached;
  std::optional<Error> error;
  std::vector<InstallRecord> installs;
  std::vector<InstallRecord> removals;  // of a removal trial, in the order removed; skipped: it cannot be removed
  std::vector<PhaseRecord> phases;
  std::vector<std::string> signature;  // sorted "machine/check" or "machine/state:..." of what failed
  std::string reused_from;  // trial whose identical inputs (same digests) answered this one; empty when it ran itself
  std::string reused_run;   // the earlier run whose trial that was; empty: of this run
  std::string state_of_run{};  // of a baseline: the earlier run whose saved state it went on from; empty: it was booted
  std::string retried_as;      // the trial that was run in its place and counts; this one was lost. Empty: it counts
  std::string evidence_folder;  // relative to the run folder; empty when nothing was kept
  std::string started;
  std::int64_t duration_ms = 0;
};

// A package and the version from which on it does not have some vulnerabilities, with what the final trial saw there.
struct NeededRecord {
  std::string package;                 // "bind9", "bind9:amd64", as the guest lists it
  std::string version;                 // as `wanted` of a BroughtRecord
  std::optional<std::string> found{};  // empty: not there; nothing: nobody looked
  bool operator==(const NeededRecord&) const = default;
};
// Vulnerabilities that a scan said a candidate closes on one machine.
struct ClosesRecord {
  std::string machine;
  std::vector<std::string> vulnerabilities;  // "CVE-2026-1234"; "" is one that nobody could name
  std::vector<NeededRecord> needs;           // all of it; where the scan named none, what the candidate brings there
  bool operator==(const ClosesRecord&) const = default;
};

// A verdict per candidate and department. outcome pass: in the promotable set. fail: held back. skipped: applies to
// nothing here. error: the lab could not tell. `group` holds the other members when the candidate fails only together
// with them.
struct VerdictRecord {
  std::string candidate;
  Outcome outcome = Outcome::not_reached;
  std::vector<std::string> group;
  std::vector<std::string> machines;  // it applies to
  std::vector<std::string> failed;    // "mail/deliver" ...: the failing checks that convict it
  std::vector<std::string> trials;    // evidence
  std::string reason;                 // one sentence for the reader
  std::string known_from;             // the earlier run that saw it fail, where this one did not try it; else empty
  std::string removal;  // whether it could be taken away again, a sentence; empty: not tried. Does not decide.
  // Of one that passed: whether what it brings was there at the end of the final trial (reports/record/effect.hpp), a
  // sentence; empty: not recorded. Does not decide: what is not there failed the trial, and one that changed nothing is
  // a finding.
  std::string effect{};
  // Of one that passed, where the run was planned from a scan: what that said it closes. Nothing: not asked.
  std::optional<std::vector<ClosesRecord>> closes{};
};

// What came of one attempt to promote, as the ledger has it.
struct PromotionRecord {
  PromotionOutcome outcome = PromotionOutcome::none;
  std::string stage;  // folder
  std::string manifest_digest;
  std::vector<std::string> candidates;
  std::vector<std::string> reasons;  // typed: "code: text"
};

// One fact that failed and passed although the set and the machines were the same.
struct FlakyRecord {
  FlakeKind kind = FlakeKind::not_reproduced;
  std::string fact;                     // as in a signature: "mail/deliver"
  std::vector<std::string> candidates;  // of the set, on the machines that took part; empty: the control
  std::vector<std::string> failed;      // trials in which it failed
  std::vector<std::string> passed;      // trials in which everything passed
  bool operator==(const FlakyRecord&) const = default;
};

struct DepartmentRecord {
  std::string name;
  Outcome outcome = Outcome::not_reached;
  std::optional<Error> error;
  std::vector<MachineRecord> machines;
  std::vector<std::string> phases;  // planned after the baseline in every trial: after-install, after-reboot-1, ...
  FenceRecord fence;
  std::vector<TrialRecord> trials;
  std::vector<VerdictRecord> verdicts;  // one per candidate of the run, in scenario order
  std::vector<FlakyRecord> flaky;       // in the order in which they were found
  std::string final_trial;              // id of the trial that ran exactly the promotable set; empty when there is none
  // The department of this run that was tested instead of it, since their machines are alike (carried.hpp): this one
  // has no trial and no verdict of its own. Empty: it was tested itself.
  std::string tested_in{};
};

// What the run was asked to be other than the whole scenario; all empty: nothing was left out or added on request.
struct AskedRecord {
  std::vector<std::string> departments;
  std::vector<std::string> roles;
  std::vector<std::string> candidates;
  std::uint64_t controls = 0;        // above 0: no candidates, only trials without a patch
  std::vector<std::string> with{};   // ids of candidates that the scenario does not name
  std::vector<std::string> carry{};  // "engineering=finance": not to be tested where it is like the other one
  bool operator==(const AskedRecord&) const = default;
};

// What was foreseen before the first machine started: how long the run takes when every candidate is good and nothing
// of earlier runs is used. What it took is beside it; nothing is decided by either.
struct ForeseenRecord {
  std::int64_t makespan_ms = 0;
  std::int64_t lower_bound_ms = 0;  // with the same times, no schedule is shorter
  std::int64_t times = 0;           // that it was made of
  std::int64_t recorded_times = 0;  // of these, in earlier runs; the others are assumed, or said by the scenario
  bool operator==(const ForeseenRecord&) const = default;
};

// Where the time went: one bar of the timing chart.
struct TimingRecord {
  std::string department;
  std::string machine;        // empty: whole department or run
  std::string trial;          // empty outside trials
  std::string phase;          // clone, boot, ready, checks, snapshot, revert, install, reboot, fence, image ...
  std::int64_t start_ms = 0;  // since the run began
  std::int64_t duration_ms = 0;
};

// A file that the run kept, as it was when the run ended.
struct KeptFile {
  std::string name;  // below the folder of the run: "evidence/finance/t1/mail/console.log"; see is_kept_name
  std::uint64_t bytes = 0;
  std::string sha256;
  bool operator==(const KeptFile&) const = default;
};

struct RunRecord {
  std::string id;
  std::string tool_version;
  std::string scenario_name;
  std::string scenario_title;  // for people; empty: it has none, or a record of an older version
  std::string scenario_digest;
  std::string started;
  std::string finished;
  std::int64_t duration_ms = 0;
  std::optional<ForeseenRecord> foreseen;      // nothing: nobody could tell, as in records of older versions
  std::map<std::string, std::string> host;     // kernel, qemu, libvirt, accelerator, cpus, memory
  std::map<std::string, std::string> digests;  // check_set, policy ...
  AskedRecord asked;
  std::vector<CandidateRecord> candidates;
  std::vector<DepartmentRecord> departments;
  std::vector<TimingRecord> timings;
  std::vector<std::string> not_tested;  // sentences: what the run did not cover
  // By name, each once. nullopt: nobody digested them, as older versions do not; then nothing is proven of them.
  std::optional<std::vector<KeptFile>> evidence;
  std::optional<Error> error;
  std::int64_t peak_memory_kib = 0;  // of all processes of the run together, sampled
  bool complete = false;             // false: interrupted; nothing of it may be promoted

  // Not of the record itself. Where it was read from: its identity, as in record_digest; empty: nowhere, it was made.
  std::string digest;
  // SHA-256 of the bytes of that file, whatever its schema. Empty: of no file.
  std::string file_digest;
  // What a file of schema v1 says was decided at its end. It is shown as that; nothing is ever decided by it.
  Decisions said_then;
};

inline constexpr const char* run_schema = "patchlab/run/v2";
// Is still read. It held what came of the promotion at the run's end, too.
inline constexpr const char* run_schema_v1 = "patchlab/run/v1";
inline constexpr const char* run_file_name = "run.json";

void to_json(Json& json, const RunRecord& record);
// Strict: the schema name, every type, every outcome word, no unknown keys (an unknown fact could be one that blocks).
// Absent optional fields get the value that promotes nothing. The error lists every problem as "file: /pointer:
// message".
[[nodiscard]] Result<RunRecord> run_record_from_json(const Json& json, const std::string& file_name = run_file_name);
[[nodiscard]] Result<RunRecord> read_run_record(const std::filesystem::path& file);
[[nodiscard]] Result<void> write_run_record(const RunRecord& record, const std::filesystem::path& file);

// Pieces a cell sends over its pipe; read as strictly as a whole record.
void to_json(Json& json, const TrialRecord& record);
[[nodiscard]] Result<TrialRecord> trial_record_from_json(const Json& json);
void to_json(Json& json, const InstallRecord& install);
[[nodiscard]] Result<InstallRecord> install_record_from_json(const Json& json);
void to_json(Json& json, const FenceAttempt& attempt);
[[nodiscard]] Result<FenceAttempt> fence_attempt_from_json(const Json& json);
void to_json(Json& json, const TimingRecord& timing);
[[nodiscard]] Result<TimingRecord> timing_record_from_json(const Json& json);

// Identity of what a run found, in manifests and the ledger: SHA-256 of the bytes of its run.json, so that sha256sum
// proves it. Of a record that was made and not read: of the bytes that write_run_record would write. Of schema v1: over
// its JSON without what came after the tests (promotion, exit code, timings, duration, memory), as it always was.
[[nodiscard]] std::string record_digest(const RunRecord& record);
// What people name a run by who decide about it, and the stage's ledger holds: SHA-256 of the bytes of its run.json. Of
// schema v1 that is another one than its record_digest.
[[nodiscard]] std::string run_object(const RunRecord& record);
// Identity of an ordered patch set: TrialRecord::set_digest, from the digests of its candidates.
[[nodiscard]] std::string patch_set_digest(const std::vector<std::string>& candidate_digests);

}  // namespace patchlab::reports

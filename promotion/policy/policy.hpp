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

// What a promotion needs, as plain values. The document they are read from is policy_document.hpp, which of several
// documents counts is in_force.hpp, and what they ask of a record is demands.hpp. A policy belongs to the stage, never
// to the run: what a run planned is compared with it.
namespace patchlab::promotion {

using PolicyTime = std::chrono::system_clock::time_point;

enum class ControlTrial { required, if_present };
// Whether a set is promoted that failed and then passed: never, or when the control failed on the same facts without
// any patch.
enum class NotReproduced { refused, flaky_in_control };
// A run that left something out on request (--role, --candidate, --controls).
enum class NarrowedRuns { refused, allowed };
// Who asked for the set: anybody, or a person of the list of signers. Nobody is kept from approving by a name that is
// no signer's.
enum class Submitter { any, signer };
// Whether one of those who approve must name the ticket of the change.
enum class ChangeTicket { any, required };

// One scenario that a run may be of; what is empty is not asked, but at least one of the two is there.
struct AllowedScenario {
  std::string name;
  std::string digest;  // SHA-256 of the file's bytes
  bool operator==(const AllowedScenario&) const = default;
};

// Of one department: the check ids that must be planned, by machine. An empty list asks for the machine alone.
using DemandedMachines = std::map<std::string, std::vector<std::string>>;

// Machines, checks and phases of a run are compared with those of the run from which this department was promoted last.
struct CoverageRule {
  enum class Least { anything, last_promoted } not_less_than = Least::last_promoted;
  // Something is published, and what its run looked at cannot be found any more.
  enum class Unknown { refused, allowed } when_unknown = Unknown::refused;
  std::vector<std::string> retired;  // "finance/print", "finance/dns/a-record": may go
  // By the same names, the digest of the check (of a machine: of what is looked at besides) that may take the place of
  // another one of the same name.
  std::map<std::string, std::string> changed{};
  bool operator==(const CoverageRule&) const = default;
};

// People who cannot be the approver of a set.
enum class NotBy { submitter, waiver_author, policy_author };
// What a security key must have seen (PROTOCOL.sshsig flags: 0x01 user present, 0x04 user verified); `any` takes every
// key that may sign.
enum class SecurityKey { any, touched, verified };

struct ApprovalRule {
  std::uint32_t count = 1;  // of different people
  std::set<NotBy> not_by;
  SecurityKey security_key = SecurityKey::any;
  // When it applies: always when both are unset, else when either does. Severities that nobody knows count as the
  // worst.
  std::set<std::string> severities;
  bool when_waived = false;
  [[nodiscard]] bool is_conditional() const { return !severities.empty() || when_waived; }
  bool operator==(const ApprovalRule&) const = default;
};

// What people may waive, or, of a change that no check failed by, accept (review). What can never be waived is not
// asked of a policy: `never_waived`.
enum class Waivable { check, state, install, review };
// What a finding of a class asks for. A breach is a failure of the machine and is nothing that a policy decides about.
enum class FindingRule {
  needs_decision,  // somebody has to accept exactly this change
  shown,           // it is on every report, and nobody is asked
};
struct FindingRules {
  FindingRule review = FindingRule::needs_decision;
  FindingRule notice = FindingRule::shown;
  bool operator==(const FindingRules&) const = default;
};
struct WaiverRule {
  std::set<Waivable> what;  // empty: nothing
  std::chrono::days max_days{0};
  std::uint32_t max_per_set = 0;  // of failures; changes that failed nobody are not counted
  std::set<std::string> never;    // keys besides: "mail/deliver"
  bool operator==(const WaiverRule&) const = default;
};
// Where nothing was observed, or the observation cannot be trusted.
inline constexpr const char* never_waived[] = {"error", "fence", "golden", "baseline", "control"};

// What of two machines may be asked to be alike (lab/facts/likeness.hpp); with "role-" only what belongs to the role.
inline constexpr std::string_view likeness_words[] = {
    "release", "packages", "role-packages", "configuration", "role-configuration", "services", "ports"};
// How like production the golden machines must be known to be, by facts of the machines that they stand for. Whatever
// is asked of is asked as a whole: what could not be compared is not alike.
struct LikenessRule {
  std::chrono::days max_age{0};  // of the facts, on the day of the promotion
  // How many may differ, by likeness_words; what is not here is not asked.
  std::map<std::string, std::uint32_t> at_most;
  bool operator==(const LikenessRule&) const = default;
};

// What was tested in another department of the same run, whose machines are alike (reports/record/carried.hpp), is
// enough for one that was not tested.
struct CarriedRule {
  std::chrono::hours max_age{0};  // of the run's end; what is older than the policy's own max_age is refused anyway
  bool operator==(const CarriedRule&) const = default;
};

// The table by which what is missing is due (process/assess), by its bytes: no promotion asks for it.
struct NamedTable {
  std::string file;  // its name; `policy add` wants it beside the document
  std::string sha256;
  bool operator==(const NamedTable&) const = default;
};

// When a promotion may happen, in UTC; `to` that is not after `from` is on the next day. Each day starts at 00:00 UTC.
struct Window {
  std::set<unsigned> days;  // ISO weekdays: 1 Monday ... 7 Sunday; the day on which it opens
  std::chrono::minutes from{0};
  std::chrono::minutes to{0};  // exclusive; 24:00 is the end of the day
  bool operator==(const Window&) const = default;
};

// The way for what cannot wait: other approvals, and no window. Nothing else becomes less.
struct EmergencyLane {
  std::set<std::string> severities;  // every candidate of the set must have one of these
  std::vector<ApprovalRule> approvals;
  std::chrono::days review_within{0};  // then the normal approvals must be there, or nothing more is promoted
  bool operator==(const EmergencyLane&) const = default;
};

// Why no policy decides today. It blocks everything.
struct PolicyTrouble {
  enum class Kind { none_in_force, ambiguous } kind = Kind::none_in_force;
  std::string text;
  bool operator==(const PolicyTrouble&) const = default;
};

// The defaults are what patchlab asks when nobody says otherwise. What is true on the day of the question is Today
// (promotion/gate/today.hpp).
struct Policy {
  std::string id;      // empty: not of a document
  std::string digest;  // SHA-256 of the document's bytes
  std::string title;
  std::string author;  // who is answerable for it, as signers are named; empty: not said
  // In force from the first moment, and until before the second; absent: of no document, always.
  std::optional<PolicyTime> valid_since;
  std::optional<PolicyTime> valid_until;
  std::string replaces;  // digest of the document that is out of force as soon as this one is in it
  std::optional<PolicyTrouble> trouble;

  std::vector<AllowedScenario> scenarios;  // empty: any
  std::vector<std::string> tool_versions;  // empty: any
  NarrowedRuns narrowed = NarrowedRuns::refused;
  std::vector<std::string> phases;     // each of them planned
  std::chrono::hours max_age{24 * 7};  // of the run's end
  ControlTrial control = ControlTrial::required;
  NotReproduced not_reproduced = NotReproduced::flaky_in_control;
  Submitter submitter = Submitter::any;
  std::vector<std::string> fence_phases{"before", "during", "after"};
  std::vector<std::string> fence_probes{"arp", "ping", "dns", "tcp", "ipv6-nd"};  // each of them in each phase
  // Those that listen all the time, and need no control of their own: they hear its beacon. In each phase as well.
  std::vector<std::string> fence_watches{"watch"};
  std::map<std::string, DemandedMachines> departments;  // empty: any department, whatever it has
  CoverageRule coverage;
  std::optional<LikenessRule> likeness{};  // nothing: not asked
  std::optional<CarriedRule> carried{};    // nothing: each department is tested itself
  std::optional<NamedTable> decisions{};   // nothing: whatever the command says

  std::vector<ApprovalRule> approvals;  // empty: nobody is asked
  ChangeTicket change_ticket = ChangeTicket::any;
  FindingRules findings;
  WaiverRule waivers;
  std::vector<Window> windows;  // empty: at any time
  std::optional<EmergencyLane> emergency;

  bool operator==(const Policy&) const = default;
};

// What the lane replaces is asked nowhere else than here.
enum class Lane { normal, emergency };
[[nodiscard]] const std::vector<ApprovalRule>& approvals_in(const Policy& policy, Lane lane);

// What it asks and what it does not, a sentence each, for people.
[[nodiscard]] std::vector<std::string> summary_of(const Policy& policy);
// What it asks and nobody can give, one sentence each: legal, and seldom meant.
[[nodiscard]] std::vector<std::string> warnings_of(const Policy& policy);
// "promoted by policy 'quickstart': nobody approved", or who did.
[[nodiscard]] std::string approval_sentence(const Policy& policy, const std::vector<std::string>& approvers);

[[nodiscard]] const char* to_string(NotBy who);
[[nodiscard]] const char* to_string(SecurityKey demand);
[[nodiscard]] const char* to_string(FindingRule rule);
[[nodiscard]] const char* to_string(Waivable what);
[[nodiscard]] std::optional<Waivable> waivable_from(const std::string& word);

}  // namespace patchlab::promotion

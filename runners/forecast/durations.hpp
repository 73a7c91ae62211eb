// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "lab/core/guest_system.hpp"
#include "reports/record/record.hpp"

// How long steps take, as runs have recorded it.
namespace patchlab::runners::forecast {

// Of one machine, unless it says otherwise.
enum class StepKind {
  fence,         // the proof at the beginning of a baseline, of the whole department
  fence_inside,  // the same from inside of a machine, and once more during a trial
  boot,
  ready,           // from the end of its start-up until its ports answer
  checks,          // once
  failing_checks,  // once, where a patch has broken something: some wait for an answer that never comes
  state,           // once
  settle,          // after the baseline's checks, until it has nothing to do
  snapshot,        // of the whole department
  revert,
  install,  // of a candidate
  reboot,
  stability,
  service_cycles,  // all of its services, as often as the policy said
  next_package,    // installed behind a set
  removal,         // of a candidate
};
inline constexpr std::size_t step_kinds = static_cast<std::size_t>(StepKind::removal) + 1;
[[nodiscard]] const char* to_string(StepKind kind);

// Who says how long it takes.
enum class Said {
  recorded,      // of that machine, in a run
  of_this_kind,  // of another machine of its role, else of any machine, in a run
  by_scenario,   // its trial policy
  assumed,       // nothing is recorded
};
[[nodiscard]] const char* to_string(Said said);

struct Time {
  std::int64_t ms = 0;
  Said said = Said::assumed;
  std::uint32_t run = 0;  // index into runs(), where it was recorded
};

// Where nothing is recorded. Debian: of emulated machines of a few hundred MiB, about what the nightly scenario takes
// without KVM. Windows: half an hour for a monthly rollup, as docs/windows.md tells.
[[nodiscard]] std::int64_t assumed_ms(StepKind kind, GuestFamily family);

// What runs have recorded, the newest that says something of a step. Means: a step that was seen several times in one
// run counts as one.
class Durations {
 public:
  Durations() = default;
  explicit Durations(const std::vector<reports::RunRecord>& newest_first);

  // Of one machine, looked up once. It must not outlive what it is of.
  class OfMachine {
   public:
    [[nodiscard]] Time of(StepKind kind) const;
    // A candidate by id and digest: of this version on this machine; else elsewhere, or of another version.
    [[nodiscard]] Time install(const std::string& candidate, const std::string& digest) const;

   private:
    friend class Durations;
    const Durations* all_ = nullptr;
    std::string name_;  // "finance/dns"
    std::string role_;
    GuestFamily family_ = GuestFamily::debian;
    bool has_installs_ = false;
  };
  [[nodiscard]] OfMachine of(const std::string& department, const std::string& machine, const std::string& role,
                             GuestFamily family) const;
  // Of the department as a whole: fence and snapshot.
  [[nodiscard]] Time of_department(const std::string& department, StepKind kind) const;
  // Whether something of it is recorded; all departments of which nothing is are alike.
  [[nodiscard]] bool knows(const std::string& department) const { return departments_.contains(department); }
  // Before the first step of a run and after the last one: digests are compared, cells begin and end.
  [[nodiscard]] Time frame() const;

  [[nodiscard]] const std::vector<std::string>& runs() const { return runs_; }  // ids; those that were read

 private:
  struct Sum {
    std::int64_t ms = 0;
    std::int64_t count = 0;
    std::uint32_t run = 0;
    [[nodiscard]] std::int64_t mean() const { return count == 0 ? 0 : ms / count; }
  };
  using Kinds = std::array<Sum, step_kinds>;
  [[nodiscard]] std::optional<Time> known(const std::unordered_map<std::string, Kinds>& where, const std::string& key,
                                          StepKind kind, Said said) const;
  void read(const reports::RunRecord& record, std::uint32_t run);

  std::vector<std::string> runs_;
  std::set<std::string> departments_;
  std::unordered_map<std::string, Kinds> by_machine_, by_role_;  // "finance/dns", "dns"; by_role_[""]: of any
  std::unordered_map<std::string, Kinds> by_department_;
  std::unordered_map<std::string, Sum> installs_;  // "finance/dns digest", " digest", "id"
  Sum frame_;
};

}  // namespace patchlab::runners::forecast

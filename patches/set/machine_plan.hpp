// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/core/guest_system.hpp"
#include "lab/core/host_state.hpp"
#include "patches/candidate/candidate.hpp"

// What of a patch set goes onto one machine. Pure.
namespace patchlab::patches {

// The key under which a package is installed: "bind9:amd64", "bind9" or "bind9:all", whatever spelling the guest uses.
[[nodiscard]] std::optional<std::string> installed_key(const InstalledSet& installed, const std::string& package,
                                                       const std::string& architecture);

struct CandidatePlan {
  std::string candidate;
  std::vector<CandidateFile> files;  // that go onto this machine
  std::string skipped;               // why nothing of it does; empty when something does
  [[nodiscard]] bool applies() const { return !files.empty(); }
};

struct MachinePlan {
  std::vector<CandidatePlan> candidates;  // in the order of the set
  // Windows: "'lcu' needs servicing stack 10.0.14393.7692, the machine has 10.0.14393.4000 when it comes to it". The
  // installer would refuse.
  std::vector<std::string> unmet;
  [[nodiscard]] std::vector<CandidateFile> files() const;
  [[nodiscard]] std::vector<std::string> file_names() const;
  [[nodiscard]] bool applies() const;
};

// Debian: a file applies where its package is installed in a lower version. Whether it can be installed, and what new
// packages come along because an update needs them, is for apt to say (patches/apt/apt_plan).
// Windows: a file applies unless its own facts rule it out (patches/windows/applicability); whether the guest takes it
// shows when it is installed, and `installed` is not asked.
[[nodiscard]] MachinePlan plan_machine(const std::vector<Candidate>& ordered, const std::string& role,
                                       const InstalledSet& installed, const GuestSystem& system = {});

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/process/process.hpp"

namespace patchlab::cli {

enum class Health { ok, warn, fail };
[[nodiscard]] const char* to_string(Health health);

// One fact about this host that `run` depends on.
struct Finding {
  std::string subject;  // "user namespaces"
  Health health = Health::fail;
  std::string found;
  std::string mend;  // a command, or what to change; empty when fine
};

// Everything `run` needs, tried rather than assumed. `fail` anywhere means that a run cannot work here.
[[nodiscard]] std::vector<Finding> examine_host(ProcessRunner& processes);

// Whether the user who runs the lab (empty: whoever calls) cannot write this stage, its ledger, or exchange them.
[[nodiscard]] std::vector<Finding> examine_separation(const std::filesystem::path& stage, const std::string& lab);

}  // namespace patchlab::cli

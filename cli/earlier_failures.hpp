// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "process/scan/scan.hpp"
#include "reports/record/record.hpp"

// What runs here found out about updates that are still on offer.
namespace patchlab::cli {

// Of these runs, the newest first: what failed, in each department by its bytes, and did not pass in a newer one.
[[nodiscard]] std::vector<process::EarlierFailure> failures_in(const std::vector<reports::RunRecord>& newest_first);

struct EarlierFailures {
  std::vector<process::EarlierFailure> failures;
  std::vector<process::NotKnown> not_known;  // runs whose record cannot be read
};
// Of the newest twenty runs below the folder; none when it is not there.
[[nodiscard]] EarlierFailures earlier_failures(const std::filesystem::path& runs);

}  // namespace patchlab::cli

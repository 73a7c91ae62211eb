// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "reports/record/record.hpp"

namespace patchlab::e2e {

// As `patchlab run --sign-with lab --by alice@x` leaves a run of this record that has just ended: below `folder` its
// folder in `runs` and its lines in the ledger of the stage `production`, signed by `folder`/lab; what it tested in
// `folder`/cache: of each candidate `bytes`, or the sample's own. Failures are the test's own.
void make_found_run(const std::filesystem::path& folder, reports::RunRecord record,
                    const std::map<std::string, std::string>& bytes = {});

}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace patchlab::e2e {

// Below `folder`: `runs` with the sample run, which passed, and its ledger; the stage `production`, in which it was
// published for finance. Failures are the test's own.
void make_promoted_run(const std::filesystem::path& folder);

}  // namespace patchlab::e2e

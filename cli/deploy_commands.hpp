// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"

namespace patchlab::cli {

// Below `patchlab deploy`, besides what its own file has.
void add_deploy_change(CLI::App& group, Chosen& chosen);

}  // namespace patchlab::cli

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "promotion/stage/stage.hpp"

namespace patchlab::promotion {

// One version's folder against its own manifest; problems name paths below it.
[[nodiscard]] StageCheck verify_version(const std::filesystem::path& folder);

}  // namespace patchlab::promotion

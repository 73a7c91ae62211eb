// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "promotion/stage/stage.hpp"

namespace patchlab::promotion {

inline constexpr unsigned mode_of_files = 0444;     // of a version
inline constexpr unsigned mode_of_versions = 0555;  // and its folders
inline constexpr std::chrono::seconds stage_lock_patience{30};

// `any`: of a copy, whose modes are those of whoever made it.
enum class Modes { as_published, any };
// One version's folder against its own manifest; problems name paths below it.
[[nodiscard]] StageCheck verify_version(const std::filesystem::path& folder, Modes modes = Modes::as_published);

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/debian_version.hpp"

// Versions are in lab/core: what a guest lists is compared by their rules too (checks/state).
namespace patchlab::patches {

using patchlab::compare_versions;
using patchlab::is_same_version;
using patchlab::version_parts;
using patchlab::VersionParts;
using patchlab::without_epoch;

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "promotion/desk/desk.hpp"

namespace patchlab::runners {

// How closely golden machines are looked at. Contents are read from disk, about a second per gigabyte.
enum class Look { at_names, at_contents };

// The lab as the desk asks it: golden images from the cache, tested bytes from the content store. A golden image is the
// newest finished one of that name, because that is what a run would start from now.
[[nodiscard]] promotion::LabToday lab_today(Look look);

}  // namespace patchlab::runners

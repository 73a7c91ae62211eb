// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "promotion/desk/desk.hpp"

namespace patchlab::runners {

// How closely golden machines are looked at. Contents are read from disk, about a second per gigabyte; only names:
// domains and candidates are not asked then.
enum class Look { at_names, at_contents };

// The lab as the desk asks it. A golden image is the newest finished one in the cache of its recipe as that is now, or
// the version of it that the machine of that department starts from, because that is what a run would start from; of
// that name, where the record does not say which recipe that was, or it cannot be read. A golden domain is read where
// it is. A candidate that was taken from a file is read again; of those made from a recipe or fetched by apt nothing is
// asked here.
//
// `lab_cache`: the cache of whoever runs the lab, when that is another user; empty: the caller's own. Its images are
// read there, byte for byte; what their owner says of them is not asked. What cannot be read is as good as another one.
[[nodiscard]] promotion::LabToday lab_today(Look look, const std::filesystem::path& lab_cache = {});

// The same right after a run, which has just digested its golden machines again and taken its candidates in.
[[nodiscard]] promotion::LabToday lab_after_the_run();

}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "patches/candidate/candidate.hpp"
#include "patches/candidate/windows_intake.hpp"

namespace patchlab::patches {

// Loads a candidate from a folder with candidate.json and its package files, from that file's path, or from a single
// package. Every file is read to its end, verified and put into the store. All problems come back in one error, one
// line each: file, JSON pointer, what is wrong.
//
// candidate.json: {"id", "title", "severity": critical|important|moderate|low|unknown, "kind":
// "deb"|"msu"|"cab"|"msi"|"msp"|"exe", "files": [{"name", "sha256"}], "prerequisites": [], "supersedes": [], "roles":
// [], "switches": "/q", "exit_codes": {"success": [], "restart": []}}. Required: id and title, and for an .exe the
// switches. Without "files" all files of the folder whose names end in ".<kind>" belong to it.
//
// Windows packages are verified with `authenticode`; without it (in a run) they must have been taken in before.
[[nodiscard]] Result<Candidate> load_candidate(const std::filesystem::path& path, const ContentStore& store,
                                               const DebLimits& limits = {},
                                               const Authenticode* authenticode = nullptr);

// The fields which manifests and recipes have in common.
void read_identity(JsonReader& reader, Candidate& candidate);
// Two files with one package name and architecture are a mistake, on Windows only when they are for a common release.
[[nodiscard]] std::vector<std::string> duplicate_packages(const std::vector<CandidateFile>& files);

}  // namespace patchlab::patches

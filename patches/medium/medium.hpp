// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/process/process.hpp"
#include "patches/candidate/candidate.hpp"
#include "patches/store/content_store.hpp"

// Patch files travel into the fence as an ISO 9660 image in the machine's CD drive: no network needed.
namespace patchlab::patches {

// A medium with Debian packages is also a flat apt repository: "Packages" is its index, and "patchlab-files" says in a
// line for each file which package it is: "<file> <package> <version> <architecture>".
inline constexpr const char* index_name = "Packages";
inline constexpr const char* files_name = "patchlab-files";

// One file of the medium, in its root folder.
struct MediumFile {
  std::string name;
  std::string sha256;
  bool operator==(const MediumFile&) const = default;
};

[[nodiscard]] std::vector<MediumFile> medium_files(const std::vector<CandidateFile>& files);
// Why a file of this name cannot be put on a medium; empty: it can. Asked when planning, too.
[[nodiscard]] std::string name_trouble(const std::string& name);
// Names and contents, whatever the order.
[[nodiscard]] std::string medium_digest(std::vector<MediumFile> files);
// The xorriso call (pure). `sources`: for each file where its bytes are.
[[nodiscard]] ProcessSpec medium_command(const std::vector<std::pair<std::string, std::filesystem::path>>& sources,
                                         const std::filesystem::path& iso);

// The image with exactly these files, built once and kept as <folder>/<digest>.iso, read-only. Rock Ridge names for
// Linux, Joliet for Windows.
[[nodiscard]] Result<std::filesystem::path> build_medium(ProcessRunner& runner, const ContentStore& store,
                                                         const std::vector<MediumFile>& files,
                                                         const std::filesystem::path& folder,
                                                         std::stop_token stop = {});

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lab/process/process.hpp"

namespace patchlab::lab::image {

// One package index that the host's apt has fetched, as `apt-get indextargets` tells it: the same for one-line and
// deb822 sources.
struct IndexTarget {
  std::string repository;  // Repo-URI
  std::string release;     // what the source says: "bookworm", "stable", "bookworm-security"
  std::string codename;
  std::string component;
  std::string origin;  // "Debian"
  std::string label;   // "Debian", or "Debian-Security"
  std::string architecture;
  std::filesystem::path file;  // the fetched index
  bool operator==(const IndexTarget&) const = default;
};

// Where stand-in images come from: the release suite alone, so that its security and update suites offer real
// candidates.
struct ReleaseSource {
  std::string repository;
  std::string codename;
  std::filesystem::path index;
  bool operator==(const ReleaseSource&) const = default;
};

// Where the host's configuration switches apt's own cache off, as in container images, apt reads all package lists for
// an answer, which takes half a second; with `cache`, a folder that is there, it keeps one of its own in it.
[[nodiscard]] ProcessSpec index_targets_command(const std::filesystem::path& cache = {});
// The output of that command. Lines of another shape are ignored: apt may say more in the future.
[[nodiscard]] std::vector<IndexTarget> parse_index_targets(std::string_view output);
// Debian's component main for `codename` and `architecture`, from neither security nor updates nor backports.
[[nodiscard]] Result<ReleaseSource> choose_release_source(const std::vector<IndexTarget>& targets,
                                                          const std::string& codename, const std::string& architecture);
// One line for sources.list.
[[nodiscard]] std::string sources_line(const ReleaseSource& source, const std::filesystem::path& key_file);

// VERSION_CODENAME of /etc/os-release.
[[nodiscard]] Result<std::string> host_codename(const std::filesystem::path& os_release = "/etc/os-release");
// Asks the host's apt. `cache`: patchlab's, in which apt may keep what it has read, where that can be written.
[[nodiscard]] Result<ReleaseSource> host_release_source(ProcessRunner& runner, const std::filesystem::path& cache = {});

}  // namespace patchlab::lab::image

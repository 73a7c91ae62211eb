// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/image/package_sources.hpp"
#include "lab/image/recipe.hpp"

// The programs that make an image, as values: pure functions, compared argument by argument in tests. What runs inside
// a new root file system goes through mmdebstrap's hooks, so that the same commands work as root, in a user namespace
// and with fakechroot.
namespace patchlab::lab::image {

enum class BuildMode {
  root,        // we are root
  unshare,     // a user namespace with the user's range of /etc/subuid
  fakechroot,  // neither: slower, and a few maintainer scripts notice
};
[[nodiscard]] const char* to_string(BuildMode mode);

// Where one build works. Everybody may pass through, because in a user namespace "root" is somebody else; the cache may
// be private.
struct BuildPlace {
  std::filesystem::path scratch;
  [[nodiscard]] std::filesystem::path sources() const { return scratch / "sources.list"; }
  [[nodiscard]] std::filesystem::path packages() const { return scratch / "kernel-packages"; }
  [[nodiscard]] std::filesystem::path kernel_files() const { return scratch / "kernel-files"; }
};

struct BuildHost {
  BuildMode mode = BuildMode::root;
  std::string codename;
  std::vector<std::string> apt_options;  // of the host: proxies and the like
};

// mmdebstrap: the packages below every role, and the kernel and busybox packages in place.packages(), to a tar file.
[[nodiscard]] ProcessSpec base_command(const BuildHost& host, const BuildPlace& place, const BaseRecipe& base,
                                       const std::filesystem::path& tar);
// mmdebstrap: `base_tar` plus the role's packages, files and setup scripts, to a tar file.
[[nodiscard]] ProcessSpec role_command(const BuildHost& host, const BuildPlace& place, const BaseRecipe& base,
                                       const Recipe& recipe, const std::filesystem::path& base_tar,
                                       const std::filesystem::path& overlay_folder, const std::filesystem::path& tar);
// tar: one layer's files, owned by root, readable by everybody, whatever the checkout looks like.
[[nodiscard]] ProcessSpec overlay_command(const std::filesystem::path& layer, const std::filesystem::path& tar);
// mke2fs from the tar file: no mount, no root. Copies the package status out as well.
[[nodiscard]] ProcessSpec disk_command(const BuildHost& host, const std::filesystem::path& tar,
                                       const std::filesystem::path& raw_disk, const std::filesystem::path& dpkg_status,
                                       std::int64_t disk_mib);
[[nodiscard]] ProcessSpec qcow2_command(const std::filesystem::path& raw_disk, const std::filesystem::path& disk);
[[nodiscard]] ProcessSpec unpack_command(const std::filesystem::path& package, const std::filesystem::path& folder);
// rm of what a build left, with the rights that made it.
[[nodiscard]] ProcessSpec remove_command(const BuildHost& host, const std::filesystem::path& folder);

// Options of the host's apt that an image build needs too, from `apt-config dump`.
[[nodiscard]] ProcessSpec apt_options_command();
[[nodiscard]] std::vector<std::string> parse_apt_options(const std::string& output);

}  // namespace patchlab::lab::image

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/build_commands.hpp"

#include <fmt/ranges.h>

#include <cstdlib>
#include <sstream>

#include "lab/core/paths.hpp"
#include "lab/core/shell_words.hpp"

namespace patchlab::lab::image {
namespace fs = std::filesystem;
namespace {

constexpr const char* merged_usr_hooks = "/usr/share/mmdebstrap/hooks/merged-usr";
constexpr const char* in_guest_script = "/tmp/patchlab-setup";

// Programs such as mke2fs live where an ordinary user's PATH does not look.
std::string path_with_sbin() {
  const char* path = std::getenv("PATH");
  return fmt::format("{}:/usr/sbin:/sbin", path != nullptr && *path != '\0' ? path : "/usr/bin:/bin");
}

ProcessSpec command(std::vector<std::string> words, std::chrono::minutes limit) {
  ProcessSpec spec;
  spec.program = words.front();
  spec.arguments.assign(words.begin() + 1, words.end());
  spec.extra_environment = {{"LC_ALL", "C.UTF-8"}, {"PATH", path_with_sbin()}};
  spec.time_limit = limit;
  return spec;
}

// The words before a command that must own files as root does.
std::vector<std::string> as_owner(BuildMode mode) {
  switch (mode) {
    case BuildMode::root: return {};
    case BuildMode::unshare: return {"unshare", "--user", "--map-auto", "--map-root-user", "--"};
    case BuildMode::fakechroot: return {"fakeroot", "--"};
  }
  return {};
}

ProcessSpec owner_command(BuildMode mode, std::vector<std::string> words, std::chrono::minutes limit) {
  auto all = as_owner(mode);
  all.insert(all.end(), words.begin(), words.end());
  return command(std::move(all), limit);
}

// What keeps an image small and its building quick. They stay in the image, where they do the same for updates.
std::vector<std::string> package_options(const BuildHost& host) {
  std::vector<std::string> options{
      "--dpkgopt=force-unsafe-io",
      "--dpkgopt=path-exclude=/usr/share/man/*",
      "--dpkgopt=path-exclude=/usr/share/info/*",
      "--dpkgopt=path-exclude=/usr/share/locale/*",
      "--dpkgopt=path-exclude=/usr/share/doc/*",
      "--dpkgopt=path-include=/usr/share/doc/*/copyright",
      "--aptopt=Acquire::Languages \"none\"",
      "--aptopt=Acquire::Retries \"3\"",
      "--aptopt=APT::Install-Recommends \"false\"",
  };
  for (const auto& option : host.apt_options) options.push_back("--aptopt=" + option);
  return options;
}

std::string hook(const std::string& what) { return "--customize-hook=" + what; }

std::string include(const std::vector<std::string>& packages) {
  return fmt::format("--include={}", fmt::join(packages, ","));
}

// The kernel package is only unpacked, never installed: the machines boot it from outside, and its maintainer scripts
// cost a minute. linux-image-cloud-amd64 is an empty package that depends on the one of the current version.
std::string fetch_kernel_hook(const BaseRecipe& base) {
  return fmt::format(
      "set -e; mkdir \"$1\"/tmp/kernel-packages; cd \"$1\"/tmp/kernel-packages; export "
      "APT_CONFIG=\"$MMDEBSTRAP_APT_CONFIG\"; "
      "kernel=$(apt-cache depends {0} | sed -n 's/.*Depends: \\(linux-image-[^ ]*\\).*/\\1/p' | head -n 1); "
      "apt-get download {1} \"${{kernel:-{0}}}\"",
      base.kernel_package, base.initramfs_package);
}

constexpr const char* disk_script = R"sh(set -e
root=$1 tar=$2 disk=$3 status=$4 size=$5
mkdir "$root"
tar --extract --numeric-owner --preserve-permissions --directory "$root" --file "$tar"
rm "$tar"
mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run"
cp "$root/var/lib/dpkg/status" "$status"
mke2fs -q -t ext4 -L patchlab -m 0 -i 32768 -J size=16 -E lazy_itable_init=0,lazy_journal_init=0 -d "$root" "$disk" "$size"
rm -rf "$root")sh";

}  // namespace

const char* to_string(BuildMode mode) {
  switch (mode) {
    case BuildMode::root: return "root";
    case BuildMode::unshare: return "unshare";
    case BuildMode::fakechroot: return "fakechroot";
  }
  return "?";
}

ProcessSpec base_command(const BuildHost& host, const BuildPlace& place, const BaseRecipe& base, const fs::path& tar) {
  std::vector<std::string> words{"mmdebstrap", fmt::format("--mode={}", to_string(host.mode)), "--variant=apt",
                                 "--format=tar"};
  words.push_back(fmt::format("--hook-dir={}", merged_usr_hooks));
  words.push_back(include(base.packages));
  for (auto& option : package_options(host)) words.push_back(std::move(option));
  words.push_back(hook(fetch_kernel_hook(base)));
  words.push_back(hook(fmt::format("copy-out /tmp/kernel-packages {}", shell_word(place.scratch.string()))));
  words.push_back(hook("rm -r \"$1\"/tmp/kernel-packages"));
  // The roles read the same package lists; device nodes cannot be made in a user namespace, and the guest has devtmpfs.
  words.push_back("--skip=cleanup/apt/lists,output/dev");
  for (const auto& last : {host.codename, tar.string(), place.sources().string()}) words.push_back(last);
  auto spec = command(std::move(words), std::chrono::minutes(20));
  spec.extra_environment["TMPDIR"] = place.scratch.string();
  return spec;
}

ProcessSpec role_command(const BuildHost& host, const BuildPlace& place, const BaseRecipe& base, const Recipe& recipe,
                         const fs::path& base_tar, const fs::path& overlay_folder, const fs::path& tar) {
  std::vector<std::string> words{"mmdebstrap", fmt::format("--mode={}", to_string(host.mode)), "--variant=custom",
                                 "--format=tar"};
  words.push_back(fmt::format("--setup-hook=tar-in {} /", shell_word(base_tar.string())));
  // The tar holds no /dev. For an ordinary user mmdebstrap then silently does without device nodes, and scripts fail
  // that write to /dev/null.
  words.push_back("--setup-hook=mkdir -p \"$1\"/dev");
  for (auto& option : package_options(host)) words.push_back(std::move(option));
  words.push_back(include(recipe.packages));
  auto layers = recipe.layers;
  layers.insert(layers.begin(), base.folder);
  for (const auto& layer : layers) {
    if (!is_there(layer / "files")) continue;
    const auto overlay = overlay_folder / (layer.filename().string() + ".tar");
    words.push_back(hook(fmt::format("tar-in {} /", shell_word(overlay.string()))));
  }
  // The base's script comes last: it takes away what no finished image should have.
  layers.erase(layers.begin());
  layers.push_back(base.folder);
  for (const auto& layer : layers) {
    if (!is_there(layer / "setup")) continue;
    words.push_back(hook(fmt::format("upload {} {}", shell_word((layer / "setup").string()), in_guest_script)));
    words.push_back(hook(fmt::format("chroot \"$1\" /bin/sh {0} && rm \"$1\"{0}", in_guest_script)));
  }
  words.push_back("--skip=update,check/empty,cleanup/reproducible,output/dev");
  for (const auto& last : {host.codename, tar.string(), place.sources().string()}) words.push_back(last);
  auto spec = command(std::move(words), std::chrono::minutes(20));
  spec.extra_environment["TMPDIR"] = place.scratch.string();
  return spec;
}

ProcessSpec overlay_command(const fs::path& layer, const fs::path& tar) {
  auto spec = command(
      {"tar", "--create", "--file", tar.string(), "--directory", (layer / "files").string(), "--owner=root:0",
       "--group=root:0", "--mode=u=rwX,go=rX", "--no-recursion", "--null", "--verbatim-files-from", "--files-from=-"},
      std::chrono::minutes(1));
  // Only files: the folders of the system keep the owners that packages gave them.
  for (const auto& file : files_below(layer / "files").value_or({})) spec.input += file.string() + '\0';
  return spec;
}

ProcessSpec disk_command(const BuildHost& host, const fs::path& tar, const fs::path& raw_disk,
                         const fs::path& dpkg_status, std::int64_t disk_mib) {
  return owner_command(host.mode,
                       {"/bin/sh", "-c", disk_script, "patchlab-disk", tar.string() + ".root", tar.string(),
                        raw_disk.string(), dpkg_status.string(), fmt::format("{}M", disk_mib)},
                       std::chrono::minutes(10));
}

ProcessSpec qcow2_command(const fs::path& raw_disk, const fs::path& disk) {
  return command({"qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", "-W", raw_disk.string(), disk.string()},
                 std::chrono::minutes(10));
}

ProcessSpec unpack_command(const fs::path& package, const fs::path& folder) {
  return command({"dpkg-deb", "--extract", package.string(), folder.string()}, std::chrono::minutes(5));
}

ProcessSpec remove_command(const BuildHost& host, const fs::path& folder) {
  return owner_command(host.mode, {"rm", "-rf", "--one-file-system", folder.string()}, std::chrono::minutes(5));
}

ProcessSpec apt_options_command() {
  return command({"apt-config", "dump", "--no-empty", "--format", "%f \"%v\"%n", "Acquire"}, std::chrono::minutes(1));
}

std::vector<std::string> parse_apt_options(const std::string& output) {
  // What reaching the archive depends on; everything else of the host is its own business.
  constexpr std::array<std::string_view, 5> wanted{"Acquire::http::Proxy", "Acquire::https::Proxy",
                                                   "Acquire::https::CaInfo", "Acquire::Check-Valid-Until",
                                                   "Acquire::Check-Date"};
  std::vector<std::string> options;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    for (const auto& name : wanted) {
      const bool same = line.rfind(name, 0) == 0 && line.size() > name.size();
      if (same && (line[name.size()] == ' ' || line[name.size()] == ':')) options.push_back(line);
    }
  }
  return options;
}

}  // namespace patchlab::lab::image

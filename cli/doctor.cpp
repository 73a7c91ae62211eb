// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "cli/needs.hpp"
#include "cli/separation.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/builder.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/image/package_sources.hpp"
#include "lab/libvirt/acceleration.hpp"
#include "lab/network/namespace.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

// Firmware may run where a kernel hangs (some nested clouds), so only a booted kernel counts; golden images bring one.
Finding acceleration(ProcessRunner& processes) {
  const auto cache = own_cache();
  if (!cache) return {"virtualisation", Health::warn, "not tried: there is no cache", "mend the cache, then ask again"};
  const auto images = lab::image::list(*cache);
  const auto kernel = images && !images->empty() ? images->front().kernel : fs::path();
  const auto found = lab::libvirt::usable_acceleration(processes, {.kernel = kernel, .cache_folder = *cache});
  if (found.accelerator == lab::Accelerator::tcg) {
    return {"virtualisation", Health::warn, "software emulation, several times slower: " + found.reason,
            "use a host with working KVM, or accept longer runs"};
  }
  if (kernel.empty())
    return {"virtualisation", Health::warn, "KVM runs firmware; no kernel to try yet",
            "patchlab image build, then ask again"};
  return {"virtualisation", Health::ok, "KVM: " + found.reason, {}};
}

Finding namespaces() {
  const auto possible = lab::network::can_enter_cell_namespaces();
  if (possible) return {"user namespaces", Health::ok, "a cell can be made", {}};
  return {"user namespaces", Health::fail, possible.error().message,
          possible.error().hint.empty() ? "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000"
                                        : possible.error().hint};
}

Finding tun() {
  const FileDescriptor device(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (device.valid()) return {"/dev/net/tun", Health::ok, "can be opened", {}};
  const auto why = errno_error("opening", errno).message;
  return {"/dev/net/tun", Health::fail, why, "modprobe tun && chmod 0666 /dev/net/tun   (as root)"};
}

// Without the release's index of packages no image is built, and no update is known.
Finding package_lists(ProcessRunner& processes) {
  const auto source = lab::image::host_release_source(processes);
  if (source) return {"apt lists", Health::ok, "of " + source->codename, {}};
  return {"apt lists", Health::fail, source.error().message,
          source.error().hint.empty() ? "apt-get update   (as root)" : source.error().hint};
}

Finding memory() {
  std::ifstream info("/proc/meminfo");
  std::string word;
  std::int64_t available_kib = 0;
  while (info >> word) {
    if (word == "MemAvailable:") info >> available_kib;
  }
  const auto gib = static_cast<double>(available_kib) / (1024.0 * 1024.0);
  const auto found = fmt::format("{:.1f} GiB available", gib);
  if (gib >= 8) return {"memory", Health::ok, found, {}};
  return {"memory", gib >= 2 ? Health::warn : Health::fail, found,
          "8 GiB are enough for the shipped scenario; close programs or test fewer machines at once"};
}

Finding disk() {
  const auto cache = own_cache();
  if (!cache) {
    const auto& error = cache.error();
    return {"cache", Health::fail, error.message,
            error.hint.empty() ? "set PATCHLAB_CACHE to a folder that can be written" : error.hint};
  }
  std::error_code code;
  const auto gib = static_cast<double>(fs::space(*cache, code).available) / (1024.0 * 1024.0 * 1024.0);
  const auto found = fmt::format("{:.1f} GiB free in '{}'", gib, cache->string());
  if (gib >= 12) return {"disk", Health::ok, found, {}};
  return {"disk", gib >= 6 ? Health::warn : Health::fail, found,
          "free some space, or set PATCHLAB_CACHE to a roomier disk"};
}

// How golden images would be built, tried as a build tries it.
Finding image_builds(ProcessRunner& processes) {
  using lab::image::BuildMode;
  const auto user = name_of_user(::geteuid());
  const auto give_ids =
      fmt::format("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}   (as root)", user);
  const auto mode = lab::image::build_mode(processes);
  if (!mode) return {"image builds", Health::fail, mode.error().message, give_ids};
  switch (*mode) {
    case BuildMode::root: return {"image builds", Health::ok, "by root", {}};
    case BuildMode::unshare: return {"image builds", Health::ok, "with subordinate ids", {}};
    case BuildMode::fakechroot: break;
  }
  return {"image builds", Health::warn,
          fmt::format("no subordinate ids for '{}': images are built the slower way", user), give_ids};
}

}  // namespace

std::vector<Finding> examine_separation(const fs::path& named, const std::string& lab) {
  const auto stage = absolute_path(named);
  const auto user = host_user(lab.empty() ? name_of_user(::geteuid()) : lab);
  const auto subject = fmt::format("stage '{}'", named.string());
  if (!stage) return {{subject, Health::fail, stage.error().message, "name the stage"}};
  if (!user)
    return {{subject, Health::fail, fmt::format("there is no user '{}'", lab), "name the lab's user with --lab"}};
  if (user->id == 0)
    return {{subject, Health::fail, "root runs the lab, and may write everything",
             "run the lab as a user of its own, and ask with --lab"}};
  if (!is_folder(*stage)) return {{subject, Health::fail, "is not there", "patchlab stage setup makes it"}};
  std::vector<Finding> findings;
  constexpr std::size_t shown = 20;
  for (const auto& hole : ways_to_write(*stage, *user)) {
    if (findings.size() == shown) break;
    findings.push_back({subject, Health::fail, fmt::format("'{}' {}", hole.place.string(), hole.why), hole.mend});
  }
  if (!findings.empty()) return findings;
  return {{subject, Health::ok, fmt::format("'{}' cannot write it", user->name), {}}};
}

const char* to_string(Health health) {
  switch (health) {
    case Health::ok: return "ok";
    case Health::warn: return "warn";
    case Health::fail: return "fail";
  }
  return "fail";
}

std::vector<Finding> examine_host(ProcessRunner& processes) {
  std::vector<Finding> findings{acceleration(processes), namespaces(), tun()};
  for (const auto& need : needs()) findings.push_back(look_for(need, processes));
  findings.push_back(package_lists(processes));
  findings.push_back(image_builds(processes));
  findings.push_back(memory());
  findings.push_back(disk());
  return findings;
}

}  // namespace patchlab::cli

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <fstream>

#include "cli/separation.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/libvirt/acceleration.hpp"
#include "lab/libvirt/hypervisor.hpp"
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

Finding tool(ProcessRunner& processes, const std::string& program, const std::vector<std::string>& arguments,
             const std::string& package) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = arguments;
  spec.time_limit = std::chrono::seconds(20);
  const auto output = run_for_output(processes, spec);
  // Some print their version where errors go.
  if (output) return {program, Health::ok, output->empty() ? "found" : output->substr(0, output->find('\n')), {}};
  return {program, Health::fail, output.error().message, "apt-get install " + package};
}

// The library is linked; its QEMU driver is a module of a package of its own.
Finding libvirt() {
  const auto version = lab::libvirt::LibvirtHypervisor::library_version();
  for (const auto& folder : entries_of("/usr/lib").value_or({})) {
    if (is_there(folder / "libvirt/connection-driver/libvirt_driver_qemu.so"))
      return {"libvirt", Health::ok, version + ", with its QEMU driver", {}};
  }
  return {"libvirt", Health::fail, version + ", without its QEMU driver", "apt-get install libvirt-daemon-driver-qemu"};
}

// Only candidates of one kind need it.
Finding tool_for_windows(ProcessRunner& processes, const std::string& program) {
  auto finding = tool(processes, program, {"--version"}, program == "bwrap" ? "bubblewrap" : program);
  if (finding.health == Health::fail)
    finding = {program, Health::warn, "missing: signatures of Windows packages cannot be verified", finding.mend};
  return finding;
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

Finding subordinate_ids() {
  if (::geteuid() == 0) return {"subordinate ids", Health::ok, "not needed by root", {}};
  const auto text = read_file("/etc/subuid").value_or("");
  const auto* user = ::getpwuid(::geteuid());
  const std::string name = user == nullptr ? std::to_string(::geteuid()) : user->pw_name;
  if (("\n" + text).find("\n" + name + ":") != std::string::npos)
    return {"subordinate ids", Health::ok, "set up for image builds", {}};
  return {"subordinate ids", Health::warn,
          fmt::format("none for '{}' in /etc/subuid: images are built the slower way", name),
          fmt::format("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}   (as root)", name)};
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
  return {acceleration(processes),
          namespaces(),
          tun(),
          libvirt(),
          tool(processes, "qemu-system-x86_64", {"--version"}, "qemu-system-x86"),
          tool(processes, "qemu-img", {"--version"}, "qemu-utils"),
          tool(processes, "xorriso", {"-version"}, "xorriso"),
          tool_for_windows(processes, "osslsigncode"),
          tool_for_windows(processes, "bwrap"),
          tool(processes, "mmdebstrap", {"--version"}, "mmdebstrap"),
          tool(processes, "mke2fs", {"-V"}, "e2fsprogs"),
          tool(processes, "apt-get", {"--version"}, "apt"),
          tool(processes, "dpkg-deb", {"--version"}, "dpkg"),
          memory(),
          disk(),
          subordinate_ids()};
}

}  // namespace patchlab::cli

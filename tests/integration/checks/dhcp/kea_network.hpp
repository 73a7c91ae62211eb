// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <linux/capability.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "lab/core/files.hpp"
#include "lab/core/time.hpp"
#include "lab/process/child.hpp"
#include "lab/process/process.hpp"

namespace patchlab::checks::dhcp {

// Moves this process into user and network namespaces of its own, as an ordinary user id that keeps its capabilities:
// just as a cell. A wire leads from bridge br0 (10.20.0.250) to a second network namespace where a real Kea serves
// as 10.20.0.11 on srv0.
class KeaNetwork {
 public:
  // Empty when it can run here. Enters the namespaces; call it once, before anything starts a thread.
  static std::string enter() {
    if (!std::filesystem::exists("/usr/sbin/kea-dhcp4"))
      return "Kea is not installed (apt-get install kea-dhcp4-server)";
    const auto user = ::geteuid();
    const auto group = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
      return "no user and network namespaces here: " + std::string(strerrorname_np(errno));
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << fmt::format("1000 {} 1", user);
    std::ofstream("/proc/self/gid_map") << fmt::format("1000 {} 1", group);
    return ::geteuid() == 1000 ? std::string() : "the user id could not be mapped";
  }

  KeaNetwork() {
    std::string name = "/tmp/patchlab-kea-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~KeaNetwork() {
    kea_.reset();
    holder_.reset();
    (void)tool({"ip", "link", "delete", "br0"});
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  KeaNetwork(const KeaNetwork&) = delete;
  KeaNetwork& operator=(const KeaNetwork&) = delete;

  bool authoritative = false;
  bool persist = true;  // leases are written to a file

  // Empty when Kea answers; else what went wrong.
  std::string start(const std::string& pool = "10.20.0.100 - 10.20.0.199") {
    if (auto trouble = build(); !trouble.empty()) return trouble;
    return start_kea(pool);
  }
  std::string restart_kea(const std::string& pool = "10.20.0.100 - 10.20.0.199") {
    stop_kea();
    return start_kea(pool);
  }
  void stop_kea() { kea_.reset(); }
  // Another machine which already has `address`.
  void occupy(const std::string& address) { (void)in_server({"ip", "address", "add", address + "/32", "dev", "srv0"}); }

 private:
  static ProcessSpec spec_of(std::vector<std::string> words) {
    ProcessSpec spec;
    spec.program = words.front();
    spec.arguments.assign(words.begin() + 1, words.end());
    spec.ambient_capabilities = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN};
    spec.time_limit = std::chrono::seconds(30);
    return spec;
  }
  static std::string tool(const std::vector<std::string>& words) {
    const auto outcome = host_processes().run(spec_of(words));
    return outcome.succeeded() ? std::string()
                               : fmt::format("{}: {} {}", fmt::join(words, " "), outcome.describe(), outcome.errors);
  }
  [[nodiscard]] std::vector<std::string> server_words(const std::vector<std::string>& words) const {
    std::vector<std::string> all{"nsenter", "--target", std::to_string(holder_->pid()), "--net"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  [[nodiscard]] std::string in_server(const std::vector<std::string>& words) const { return tool(server_words(words)); }

  // `unshare` has entered its namespace once it says so.
  std::string hold_namespace() {
    auto child = ChildProcess::start(spec_of({"unshare", "--net", "sh", "-c", "echo ready; read -r wait"}));
    if (!child) return child.error().message;
    holder_ = std::move(*child);
    const auto line = holder_->read_line(std::chrono::seconds(20));
    return line && line->has_value() ? std::string()
                                     : "no second network namespace: " + holder_->wait(Milliseconds(100)).errors;
  }

  std::string build() {
    if (auto trouble = hold_namespace(); !trouble.empty()) return trouble;
    const std::vector<std::vector<std::string>> here{
        {"ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0"},
        {"ip", "address", "add", "10.20.0.250/24", "dev", "br0"},
        {"ip", "link", "add", "wire0", "type", "veth", "peer", "name", "srv0"},
        {"ip", "link", "set", "wire0", "master", "br0", "up"},
        {"ip", "link", "set", "br0", "up"},
        {"ip", "link", "set", "srv0", "netns", std::to_string(holder_->pid())},
    };
    for (const auto& words : here) {
      if (auto trouble = tool(words); !trouble.empty()) return trouble;
    }
    if (auto trouble = in_server({"ip", "address", "add", "10.20.0.11/24", "dev", "srv0"}); !trouble.empty())
      return trouble;
    return in_server({"ip", "link", "set", "srv0", "up"});
  }

  void write_configuration(const std::string& pool) const {
    (void)write_file_atomically(folder_ / "kea.conf", fmt::format(R"({{"Dhcp4": {{
      "interfaces-config": {{"interfaces": ["srv0"], "dhcp-socket-type": "raw"}},
      "lease-database": {{"type": "memfile", "persist": {2}, "name": "{0}/leases.csv"}},
      "authoritative": {3},
      "valid-lifetime": 3600, "renew-timer": 1800, "rebind-timer": 3150,
      "option-data": [{{"name": "domain-name-servers", "data": "10.20.0.10"}}, {{"name": "domain-name", "data": "corp.example"}}],
      "subnet4": [{{"id": 20, "subnet": "10.20.0.0/24", "interface": "srv0", "pools": [{{"pool": "{1}"}}],
                    "reservations": [{{"hw-address": "02:00:0a:14:00:32", "ip-address": "10.20.0.50"}}],
                    "option-data": [{{"name": "routers", "data": "10.20.0.1"}}]}}],
      "loggers": [{{"name": "kea-dhcp4", "severity": "INFO", "output_options": [{{"output": "stdout"}}]}}]
    }}}})",
                                                                  folder_.string(), pool, persist, authoritative))
        .has_value();
  }

  // Run as a copy, so that a security profile attached to the packaged path does not forbid our folder.
  std::string start_kea(const std::string& pool) {
    write_configuration(pool);
    std::filesystem::copy_file("/usr/sbin/kea-dhcp4", folder_ / "kea-dhcp4",
                               std::filesystem::copy_options::overwrite_existing);
    auto spec = spec_of(server_words({(folder_ / "kea-dhcp4").string(), "-c", (folder_ / "kea.conf").string()}));
    spec.extra_environment = {{"KEA_PIDFILE_DIR", folder_.string()}, {"KEA_LOCKFILE_DIR", "none"}};
    auto child = ChildProcess::start(spec);
    if (!child) return child.error().message;
    kea_ = std::move(*child);
    std::string said;
    while (true) {
      const auto line = kea_->read_line(std::chrono::seconds(30));
      if (!line || !line->has_value()) return "Kea did not start: " + said;
      if (line->value().find("DHCP4_STARTED") != std::string::npos) return {};
      said += line->value() + "\n";
    }
  }

  std::filesystem::path folder_;
  std::optional<ChildProcess> holder_;  // keeps the second network namespace
  std::optional<ChildProcess> kea_;
};

}  // namespace patchlab::checks::dhcp

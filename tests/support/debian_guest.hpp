// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"

namespace patchlab::test {

// Names between NULs, as debian_view.cpp's script prints them.
inline std::string debian_files(const std::vector<std::string>& rows) {
  std::string text;
  for (const auto& row : rows) (text += row) += std::string(2, '\0');
  return text + "end 0" + std::string(2, '\0') + "x none none " + std::string(2, '\0') + '\n';
}

// What the scripts of lab/guest/debian_scripts.hpp and debian_view.cpp print in a guest where all is well: every
// section that any of them has. `changes` replaces the text of sections.
inline std::string debian_answer(const std::string& mark, const std::map<std::string, std::string>& changes = {}) {
  const std::vector<std::pair<std::string, std::string>> sections{
      {"scripts", ""},
      {"children", "163\n"},
      {"addresses", "[]\n"},
      {"routes", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"},
      {"kernel", "<6>[    0.000000] Linux version 6.1.0-28-amd64\n"},
      {"disks", "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 2000000 500000 1500000 25% /\n"},
      {"packages", "apt-get 0\ndpkg 0\n"},
      {"memory", "MemTotal: 200000 kB\nMemAvailable: 150000 kB\n"},
      {"processes", "exe /proc/1/exe /usr/sbin/init\n"},
      {"log", ""},
      {"release", "6.1.0-28-amd64\n"},
      {"version", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)\n"},
      {"kernels", ""},
      {"replaced", "grep 1\n"},
      {"files", debian_files({"d 755 0 0 4096 1.0 1.0 1:2 /", "d 755 0 0 4096 1.0 1.0 1:3 /etc"})},
      {"accounts", "user:root:shadow:0:0:/root:/bin/bash\nword:root:locked:20785\ngroup:root:0:\n"},
      {"module", "isofs 53248 0 - Live 0xffffffffc02d1000\n"},
      {"mount", "/dev/vda / ext4 rw,noatime 0 0\n"},
      {"route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"},
      {"sysctl", "kernel.ostype = Linux\n"},
      {"clock", "1795327200 +0000 UTC 1795327200\n"},
      {"names", "domain 53/tcp\ndomain 53/udp\n"},
      {"firewall", "no rules\n"},
      {"digests", ""},
      {"texts", ""},
      {"owned", ""},
      {"usage", "service 5000 4 20 1000 named\nmemory 50000 150000\ntasks 40 1500\nfiles 120\nconnections 2\n"},
      {"space", "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 2000000 500000 1500000 25% /\n"},
      {"logs", "40960\t/var/log\n"},
      {"end", ""}};
  std::string text;
  for (const auto& [name, usual] : sections) {
    const auto change = changes.find(name);
    text += fmt::format("{} {}\n{}", mark, name, change == changes.end() ? usual : change->second);
  }
  return text;
}

// A guest whose processors have nothing to do, by its own count.
inline void let_idle(FakeAgent& guest, const FakeClock& clock) {
  const auto count = [&guest, &clock] {
    guest.files["/proc/stat"] = fmt::format("cpu 1 2 3 {} 0 0\ncpu0 1 2 3 4 0 0\n", 5000 + clock.now().count() / 10);
  };
  count();
  guest.before_read = count;
}

}  // namespace patchlab::test

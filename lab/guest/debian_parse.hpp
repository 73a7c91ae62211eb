// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/host_state.hpp"
#include "lab/core/result.hpp"
#include "lab/guest/adapter.hpp"

// What Debian's tools print, read without opinion. Pure: no guest needed.
namespace patchlab::lab::guest::debian {

// Text between lines that start with `mark` and a space; the name is the rest of that line. Sections of one name are
// joined.
[[nodiscard]] std::map<std::string, std::string> sections(const std::string& text, const std::string& mark);

// tail -v's answer for several files: path -> text.
[[nodiscard]] std::map<std::string, std::string> tailed_files(const std::string& text);

// Whether what these sections of scripts::host_state hold can be their tools' own words. Who reads them below leaves
// out what it does not know; an answer of which nothing is understood must not pass for "nothing there". Those that are
// absent are not looked at.
[[nodiscard]] Result<void> proves_whole(const std::map<std::string, std::string>& sections,
                                        const std::vector<std::string>& services);

// dpkg-query's answer in the shape of scripts::installed_format. Removed packages are left out; whatever is not
// properly installed carries its state: "1.2-3 (half-configured)", "1.2-3 (reinst-required)".
[[nodiscard]] Result<InstalledSet> installed_set(const std::string& text);

// The "processes" section of scripts::host_state:
//   socket tcp 0A00140A:0035 7001        local address as in /proc/net/tcp, and the inode
//   owner 7001 163                       a process that has it open
//   exe /proc/163/exe /usr/sbin/named    or, replaced while it runs: /usr/sbin/named (deleted)
struct ProcessTable {
  struct Socket {
    std::string protocol;  // tcp, udp
    std::string address;   // "10.20.0.10:53", "[::1]:953"
    unsigned int port = 0;
    std::string inode;
  };
  std::vector<Socket> sockets;
  std::map<std::string, unsigned int> owners;       // inode -> lowest pid that holds it
  std::map<unsigned int, std::string> executables;  // pid -> path
};
[[nodiscard]] ProcessTable process_table(const std::string& text);

// "tcp 0.0.0.0:25 master", sorted, each once; sockets that are volatile by nature are left out or lose their port.
[[nodiscard]] std::vector<std::string> listeners(const ProcessTable& table);
// Programs whose parent is init, which is what a daemon is: "process /usr/sbin/named" -> "running".
[[nodiscard]] std::map<std::string, std::string> daemons(const ProcessTable& table,
                                                         const std::string& children_of_init);
// "0101140A" of /proc/net/route: the address as the processor stores it, least significant byte first on every Debian
// server.
[[nodiscard]] std::string dotted(const std::string& hex);
// ip -j addr -> "52:54:00:14:00:10 10.20.0.10/24", sorted; and the IPv4 default routes of /proc/net/route -> "default
// via 10.20.0.1 eth0".
[[nodiscard]] Result<std::vector<std::string>> addresses(const std::string& ip_json, const std::string& route_table);
// What a guest lives on, as facts: "file system /" -> "has room", or "almost full" below one twentieth, from df -P;
// "memory" -> "available", or "almost used up" likewise, from /proc/meminfo. Amounts would differ at every look.
[[nodiscard]] std::map<std::string, std::string> supplies(const std::string& df, const std::string& meminfo);
// What scripts::in_effect printed, against what is installed.
[[nodiscard]] Result<NotInEffect> not_in_effect(const std::map<std::string, std::string>& sections,
                                                const InstalledSet& installed);
// Whether a package of this name holds a kernel.
[[nodiscard]] bool is_kernel_package(std::string_view package);
// As `sort -V` orders: digits as numbers, so that 6.1.0-9 comes before 6.1.0-28; '~' before everything, even the end.
[[nodiscard]] bool is_earlier_version(std::string_view a, std::string_view b);
// Whether apt and dpkg work on this system, from the section "packages": what `apt-get check` prints and "apt-get
// CODE", then `dpkg --audit` and "dpkg CODE". "works", or "broken: " and their first words. An error when one of them
// could not be asked.
[[nodiscard]] Result<std::string> package_system(const std::string& text);
// From /proc/stat (proc(5)): waiting for a disk counts as idle. Nothing when the lines for it are not there.
[[nodiscard]] std::optional<IdleTime> idle_time(const std::string& stat);
// "<exit code> <name>" lines of sysvinit's status actions (LSB 3.1: 0 running, 1 and 2 dead but files remain, 3 not
// running).
[[nodiscard]] std::map<std::string, std::string> script_states(const std::string& text);
// systemctl list-units lines: running, exited and failed units. Those on their way (timers start and end units at any
// time) are left out.
[[nodiscard]] std::map<std::string, std::string> unit_states(const std::string& text);
// systemctl show's blocks, one for each of `services`, in that order.
[[nodiscard]] std::map<std::string, std::string> asked_unit_states(const std::string& text,
                                                                   const std::vector<std::string>& services);

// What the scripts before_cycling and change_service say. An Error: they did not come to their end.
[[nodiscard]] Result<ServiceCycle> service_cycle(const std::string& text);
[[nodiscard]] Result<ServiceChange> service_change(const std::string& text, ServiceAction action);

}  // namespace patchlab::lab::guest::debian

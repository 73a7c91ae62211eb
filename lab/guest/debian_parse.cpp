// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_parse.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <sstream>

#include "lab/core/json.hpp"

namespace patchlab::lab::guest::debian {
namespace {
// The first port of Linux' range for sockets that did not ask for one (net.ipv4.ip_local_port_range).
constexpr unsigned int first_ephemeral_port = 32768;

enum class Volatile { no, number, presence };

// Daemons whose high ports are chosen anew by the kernel at every start. Everybody else's high ports are taken at their
// word: a service that listens on 50000 does so on purpose.
Volatile volatility(std::string_view protocol, std::string_view process, unsigned int port) {
  if (port < first_ephemeral_port) return Volatile::no;
  // UDP has no listening state: these are sockets of outgoing queries (resolvers, mDNS, time), there one moment and
  // gone the next.
  constexpr std::array<std::string_view, 8> clients{"named",   "unbound", "systemd-resolve", "avahi-daemon",
                                                    "chronyd", "ntpd",    "dhclient",        "cups-browsed"};
  if (protocol == "udp" && std::find(clients.begin(), clients.end(), process) != clients.end())
    return Volatile::presence;
  // RPC services register their port with rpcbind; the number changes, that they listen does not. "-" is the kernel's
  // lockd.
  constexpr std::array<std::string_view, 4> registered{"rpc.statd", "rpc.mountd", "rpcbind", "-"};
  if (std::find(registered.begin(), registered.end(), process) != registered.end()) return Volatile::number;
  return Volatile::no;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

template <class Function>
void for_each_line(const std::string& text, Function function) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) function(line);
  }
}

unsigned int number_in(std::string_view text) {
  unsigned int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

unsigned int hex_number(const std::string& hex) {
  unsigned int value = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return value;
}

// "0101140A" of /proc/net/route: the address as the processor stores it, least significant byte first on every Debian
// server.
std::string dotted(const std::string& hex) {
  const auto value = hex_number(hex);
  return fmt::format("{}.{}.{}.{}", value & 0xFFU, value >> 8U & 0xFFU, value >> 16U & 0xFFU, value >> 24U & 0xFFU);
}

// Four such words make an IPv6 address.
std::string colon_separated(const std::string& hex) {
  std::array<unsigned char, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t in_word = i / 4 * 8 + (3 - i % 4) * 2;
    bytes[i] = static_cast<unsigned char>(hex_number(hex.substr(in_word, 2)));
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return fmt::format("[{}]", text.data());
}

void add_routes(const std::string& table, std::set<std::string>& found) {
  for_each_line(table, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() >= 8 && words[1] == "00000000" && words[7] == "00000000") {
      found.insert(fmt::format("default via {} {}", dotted(words[2]), words[0]));
    }
  });
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

void add_addresses_of(const Json& device, std::set<std::string>& found) {
  const auto list = device.is_object() ? device.find("addr_info") : device.end();
  if (list == device.end() || !list->is_array()) return;
  for (const auto& address : *list) {
    // Privacy addresses (RFC 8981) are made up anew all the time.
    if (!address.is_object() || address.contains("temporary")) continue;
    const auto prefix = address.find("prefixlen");
    if (prefix == address.end() || !prefix->is_number_integer()) continue;
    found.insert(fmt::format("{} {}/{}", text_in(device, "address"), text_in(address, "local"), prefix->get<int>()));
  }
}

// A daemon that was not restarted after its package was replaced still is the same daemon to its clients.
std::string program_path(std::string target) {
  for (const std::string_view trace : {" (deleted)", ".dpkg-tmp", ".dpkg-new"}) {
    if (target.ends_with(trace)) target.resize(target.size() - trace.size());
  }
  return target;
}

std::string unit_state(const std::string& load, const std::string& active, const std::string& detail) {
  if (load == "not-found") return "absent";
  if (active == "inactive") return "stopped";
  if (active == "active") return detail == "exited" ? "exited" : "running";
  return active;  // failed, activating, deactivating, reloading
}
}  // namespace

std::map<std::string, std::string> sections(const std::string& text, const std::string& mark) {
  std::map<std::string, std::string> found;
  std::string* current = nullptr;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(mark + " "))
      current = &found[line.substr(mark.size() + 1)];
    else if (current != nullptr)
      *current += line + '\n';
  }
  return found;
}

std::map<std::string, std::string> tailed_files(const std::string& text) {
  std::map<std::string, std::string> found;
  std::string* current = nullptr;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("==> /") && line.ends_with(" <=="))
      current = &found[line.substr(4, line.size() - 8)];
    else if (current != nullptr)
      *current += line + '\n';
  }
  return found;
}

Result<InstalledSet> installed_set(const std::string& text) {
  InstalledSet packages;
  std::string trouble;
  for_each_line(text, [&](const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
    if (fields.size() != 4 || fields[0].empty()) {
      trouble = line;
      return;
    }
    const auto& state = fields[3];
    if (state == "not-installed" || state == "config-files") return;
    auto version = fields[1];
    if (state != "installed") version += " (" + state + ")";
    if (fields[2] != "ok") version += " (reinst-required)";
    packages[fields[0]] = version;
  });
  if (!trouble.empty())
    return guest_error(fmt::format("dpkg-query printed an unexpected line: '{}'", to_valid_utf8(trouble)));
  if (packages.empty()) return guest_error("dpkg-query named no package at all");
  return packages;
}

ProcessTable process_table(const std::string& text) {
  ProcessTable table;
  for_each_line(text, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() == 4 && words[0] == "socket") {
      const auto colon = words[2].find(':');
      if (colon != 8 && colon != 32) return;
      const auto address = words[2].substr(0, colon);
      const auto port = hex_number(words[2].substr(colon + 1));
      table.sockets.push_back({words[1],
                               fmt::format("{}:{}", colon == 8 ? dotted(address) : colon_separated(address), port),
                               port, words[3]});
    } else if (words.size() == 3 && words[0] == "owner") {
      const auto pid = number_in(words[2]);
      const auto [owner, is_new] = table.owners.try_emplace(words[1], pid);
      // The lowest, because children inherit their daemon's sockets and come and go.
      if (!is_new) owner->second = std::min(owner->second, pid);
    } else if (words.size() >= 3 && words[0] == "exe" && words[1].starts_with("/proc/")) {
      table.executables[number_in(std::string_view(words[1]).substr(6))] =
          program_path(line.substr(line.find(words[2])));
    }
  });
  return table;
}

std::vector<std::string> listeners(const ProcessTable& table) {
  std::set<std::string> found;
  for (const auto& [protocol, address, port, inode] : table.sockets) {
    const auto owner = table.owners.find(inode);
    const auto program = owner == table.owners.end() ? table.executables.end() : table.executables.find(owner->second);
    const auto process =
        program == table.executables.end() ? "-" : program->second.substr(program->second.rfind('/') + 1);
    switch (volatility(protocol, process, port)) {
      case Volatile::presence: break;
      case Volatile::number:
        found.insert(fmt::format("{} {}:ephemeral {}", protocol, address.substr(0, address.rfind(':')), process));
        break;
      case Volatile::no: found.insert(fmt::format("{} {} {}", protocol, address, process)); break;
    }
  }
  return {found.begin(), found.end()};
}

std::map<std::string, std::string> daemons(const ProcessTable& table, const std::string& children_of_init) {
  std::map<std::string, std::string> states;
  for (const auto& pid : words_of(children_of_init)) {
    const auto program = table.executables.find(number_in(pid));
    if (program != table.executables.end()) states["process " + program->second] = "running";
  }
  return states;
}

Result<std::vector<std::string>> addresses(const std::string& ip_json, const std::string& route_table) {
  const auto devices = Json::parse(ip_json, nullptr, false);
  if (!devices.is_array()) return guest_error("'ip -j addr' printed no JSON list");
  std::set<std::string> found;
  for (const auto& device : devices) add_addresses_of(device, found);
  add_routes(route_table, found);
  return std::vector<std::string>{found.begin(), found.end()};
}

std::optional<IdleTime> idle_time(const std::string& stat) {
  constexpr std::uint64_t ticks_per_second = 100;  // USER_HZ, the same on every Debian
  std::optional<IdleTime> found;
  unsigned processors = 0;
  for_each_line(stat, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() < 6 || !words[0].starts_with("cpu")) return;
    if (words[0] != "cpu") {
      ++processors;
      return;
    }
    const auto idle = number(words[4]);
    const auto waiting = number(words[5]);
    if (!idle || !waiting) return;
    found.emplace().idle = Milliseconds((*idle + *waiting) * 1000 / ticks_per_second);
  });
  if (found) found->processors = std::max(1U, processors);
  return found;
}

std::map<std::string, std::string> supplies(const std::string& df, const std::string& meminfo) {
  const auto scarce = [](std::uint64_t left, std::uint64_t of) { return left * 20 < of; };
  std::map<std::string, std::string> facts;
  for_each_line(df, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() < 6) return;
    const auto used = number(words[2]);
    const auto left = number(words[3]);
    if (!used || !left || *used + *left == 0) return;  // the heading, and what has no size
    const auto mounted_on = line.substr(line.find(" /") + 1);
    facts["file system " + mounted_on] = scarce(*left, *used + *left) ? "almost full" : "has room";
  });
  std::map<std::string, std::uint64_t> memory;
  for_each_line(meminfo, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() >= 2) memory[words[0]] = number(words[1]).value_or(0);
  });
  if (memory.contains("MemTotal:") && memory.contains("MemAvailable:")) {
    facts["memory"] = scarce(memory["MemAvailable:"], memory["MemTotal:"]) ? "almost used up" : "available";
  }
  return facts;
}

std::map<std::string, std::string> script_states(const std::string& text) {
  std::map<std::string, std::string> states;
  for_each_line(text, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() != 2) return;
    const auto& code = words[0];
    auto& state = states[words[1]];
    if (code == "0")
      state = "running";
    else if (code == "1" || code == "2")
      state = "failed";
    else if (code == "3")
      state = "stopped";
    else
      state = "unknown (" + code + ")";
  });
  return states;
}

std::map<std::string, std::string> unit_states(const std::string& text) {
  std::map<std::string, std::string> states;
  for_each_line(text, [&](const std::string& line) {
    auto words = words_of(line);
    // Some versions put a dot in front of units in trouble even with --plain.
    if (!words.empty() && static_cast<unsigned char>(words[0][0]) >= 0x80) words.erase(words.begin());
    if (words.size() < 4 || !words[0].ends_with(".service")) return;
    const auto name = words[0].substr(0, words[0].size() - std::string_view(".service").size());
    if (words[2] == "failed" || words[2] == "active") states[name] = unit_state(words[1], words[2], words[3]);
  });
  return states;
}

std::map<std::string, std::string> asked_unit_states(const std::string& text,
                                                     const std::vector<std::string>& services) {
  std::map<std::string, std::string> states;
  std::map<std::string, std::string> block;
  std::size_t next = 0;
  const auto end_block = [&] {
    if (!block.empty() && next < services.size()) {
      states[services[next++]] = unit_state(block["LoadState"], block["ActiveState"], block["SubState"]);
    }
    block.clear();
  };
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const auto equals = line.find('=');
    if (line.empty())
      end_block();
    else if (equals != std::string::npos)
      block[line.substr(0, equals)] = line.substr(equals + 1);
  }
  end_block();
  return states;
}

}  // namespace patchlab::lab::guest::debian

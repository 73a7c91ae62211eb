// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_parse.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <set>
#include <sstream>

#include "lab/core/json.hpp"
#include "lab/guest/agent_session.hpp"

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

std::string dotted(const std::string& hex) {
  const auto value = hex_number(hex);
  return fmt::format("{}.{}.{}.{}", value & 0xFFU, value >> 8U & 0xFFU, value >> 16U & 0xFFU, value >> 24U & 0xFFU);
}

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

Result<void> proves_whole(const std::map<std::string, std::string>& sections,
                          const std::vector<std::string>& services) {
  const auto proves = [&](const char* name, const std::function<bool(const std::string&)>& is_proof) {
    const auto found = sections.find(name);
    if (found == sections.end() || is_proof(found->second)) return Result<void>();
    const auto first = found->second.substr(0, std::min<std::size_t>(found->second.find('\n'), 200));
    return Result<void>(
        guest_error(fmt::format("what the guest says of its {} is not understood: '{}'", name, to_valid_utf8(first))));
  };
  const auto any_line = [](const std::function<bool(const std::vector<std::string>&)>& matches) {
    return [matches](const std::string& text) {
      bool any = false;
      for_each_line(text, [&](const std::string& line) { any = any || matches(words_of(line)); });
      return any;
    };
  };
  const auto every_line = [](const std::function<bool(const std::vector<std::string>&)>& matches) {
    return [matches](const std::string& text) {
      bool all = true;
      for_each_line(text, [&](const std::string& line) { all = all && matches(words_of(line)); });
      return all;
    };
  };
  const auto is_number = [](const std::string& word) { return number(word).has_value(); };
  PATCHLAB_TRY(proves("units", any_line([](const auto& words) {
                        return std::ranges::any_of(words, [](const auto& word) { return word.ends_with(".service"); });
                      })));
  PATCHLAB_TRY(proves("asked", [&](const std::string& text) {
    const auto states = asked_unit_states(text, services);
    return states.size() == std::set<std::string>(services.begin(), services.end()).size() &&
           std::ranges::none_of(states, [](const auto& entry) { return entry.second.empty(); });
  }));
  PATCHLAB_TRY(proves("scripts", every_line([&](const auto& words) {
                        return words.size() == 2 && is_number(words[0]) && std::ranges::count(services, words[1]) > 0;
                      })));
  PATCHLAB_TRY(proves("children", [&](const std::string& text) {
    const auto words = words_of(text);
    return !words.empty() && std::ranges::all_of(words, is_number);
  }));
  PATCHLAB_TRY(proves("routes", [&](const std::string& text) { return text.starts_with("Iface"); }));
  PATCHLAB_TRY(proves("kernel", any_line([](const auto& words) {
                        return !words.empty() && words[0].size() >= 3 && words[0][0] == '<' &&
                               words[0].find('>') != std::string::npos;
                      })));
  PATCHLAB_TRY(proves("disks", any_line([&](const auto& words) {
                        return words.size() >= 6 && is_number(words[2]) && is_number(words[3]);
                      })));
  PATCHLAB_TRY(proves("memory", [&](const std::string& text) {
    return text.find("MemTotal:") != std::string::npos && text.find("MemAvailable:") != std::string::npos;
  }));
  return proves("processes", [&](const std::string& text) {
    const auto is_known = every_line([](const auto& words) {
      return words.size() >= 3 && (words[0] == "socket" || words[0] == "owner" || words[0] == "exe");
    });
    return is_known(text) && any_line([](const auto& words) { return words[0] == "exe"; })(text);
  });
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
  const auto devices = json_in(ip_json);
  if (!devices.is_array()) return guest_error("'ip -j addr' printed no JSON list");
  std::set<std::string> found;
  for (const auto& device : devices) add_addresses_of(device, found);
  add_routes(route_table, found);
  return std::vector<std::string>{found.begin(), found.end()};
}

bool is_kernel_package(std::string_view package) {
  return package.starts_with("linux-image-") && package.find("-dbg") == std::string_view::npos;
}

bool is_earlier_version(std::string_view a, std::string_view b) {
  const auto rank = [](std::string_view text) {
    if (text.empty()) return 0;
    if (text.front() == '~') return -1;
    return text.front() >= '0' && text.front() <= '9' ? 1 : 1 + static_cast<unsigned char>(text.front());
  };
  while (!a.empty() || !b.empty()) {
    if (rank(a) == 1 && rank(b) == 1) {
      const auto take = [](std::string_view& text) {
        const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
        auto digits = text.substr(0, end);
        digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
        text.remove_prefix(end);
        return digits;
      };
      const auto left = take(a);
      const auto right = take(b);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      continue;
    }
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return false;
}

Result<NotInEffect> not_in_effect(const std::map<std::string, std::string>& sections, const InstalledSet& installed) {
  for (const auto* name : {"release", "version", "kernels", "replaced", "end"}) {
    if (!sections.contains(name) || sections.contains(std::string("failed ") + name))
      return guest_error(fmt::format("the guest could not tell its {}", name));
  }
  const auto only_line = [&](const char* name) {
    const auto& text = sections.at(name);
    return text.substr(0, text.find('\n'));
  };
  const auto release = only_line("release");
  if (release.empty() || words_of(release).size() != 1)
    return guest_error(fmt::format("'{}' is not the release of a kernel", to_valid_utf8(release)));
  if (!only_line("version").starts_with('#'))
    return guest_error(fmt::format("'{}' is not the version of a kernel", to_valid_utf8(only_line("version"))));
  NotInEffect found;
  std::string newest;
  std::vector<std::string> kernels;
  for_each_line(sections.at("kernels"), [&](const std::string& line) {
    kernels.push_back(line);
    if (newest.empty() || is_earlier_version(newest, line)) newest = line;
  });
  if (std::ranges::count(kernels, release) == 0) {
    found.unseen["kernel"] =
        kernels.empty() ? "it comes from outside the guest, which has none of its own"
                        : fmt::format("it comes from outside the guest; installed there: {}", fmt::join(kernels, ", "));
  } else if (newest != release) {
    found.pending["kernel"] = fmt::format("{} runs, {} is installed", release, newest);
  } else {
    // "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)": a kernel may be replaced by a newer one of the same name.
    const auto words = words_of(only_line("version"));
    const auto maker = std::ranges::find(words, "Debian");
    const auto runs = maker == words.end() || maker + 1 == words.end() ? std::string{} : *(maker + 1);
    for (const auto& [package, version] : installed) {
      if (runs.empty() || package.substr(0, package.find(':')) != "linux-image-" + release || version == runs) continue;
      found.pending["kernel"] = fmt::format("{} runs in version {}, {} is installed", release, runs, version);
    }
  }
  std::optional<std::uint64_t> looked;
  bool understood = true;
  for_each_line(sections.at("replaced"), [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() == 2 && words[0] == "grep") {
      looked = number(words[1]);
    } else if (words.size() >= 3 && words[0] == "file") {
      const auto program = words.size() > 3 ? "'" + words[3] + "'" : std::string("a process that has ended since");
      found.pending["file " + program_path(words[2])] = fmt::format("{} still runs what was replaced", program);
    } else {
      understood = false;
    }
  });
  if (!understood || !looked || *looked > 2)
    return guest_error("the guest could not tell which replaced files are still run");
  return found;
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

Result<std::string> package_system(const std::string& text) {
  std::vector<std::string> said;
  std::vector<std::string> troubles;
  std::optional<std::uint64_t> apt;
  std::optional<std::uint64_t> dpkg;
  std::string problem;
  for_each_line(text, [&](const std::string& line) {
    const auto words = words_of(line);
    const bool ends = words.size() == 2 && (words[0] == "apt-get" || words[0] == "dpkg") && number(words[1]);
    if (!ends) {
      said.push_back(line.substr(std::min(line.size(), line.find_first_not_of(' '))));
      return;
    }
    const auto code = *number(words[1]);
    const bool is_apt = words[0] == "apt-get";
    (is_apt ? apt : dpkg) = code;
    // 100 is apt's "no". dpkg's audit tells by what it prints; older ones end with 0 all the same.
    if (code != 0 && code != (is_apt ? 100 : 1)) {
      problem = fmt::format("{}: exit code {}: {}", is_apt ? "apt-get check" : "dpkg --audit", code,
                            said.empty() ? "" : said.back());
    } else if (code != 0 || !is_apt) {
      // apt's progress and its advice are not the reason.
      std::erase_if(said, [](const std::string& one) {
        return one.ends_with("...") || one.starts_with("You might want to run") || one.ends_with("unmet dependencies:");
      });
      troubles.insert(troubles.end(), said.begin(), said.end());
      if (code != 0 && said.empty()) troubles.push_back(fmt::format("{} ended with {}", words[0], code));
    }
    said.clear();
  });
  if (!problem.empty()) return guest_error(to_valid_utf8(problem));
  if (!apt || !dpkg) return guest_error("the answer does not say whether apt and dpkg work");
  if (troubles.empty()) return std::string("works");
  std::string reason = "broken: ";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, troubles.size()); ++i)
    reason += (i == 0 ? "" : "; ") + troubles[i];
  return to_valid_utf8(reason.substr(0, 500));
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

Result<ServiceCycle> service_cycle(const std::string& text) {
  ServiceCycle found;
  bool ended = false;
  std::string odd;
  for_each_line(text, [&](const std::string& line) {
    constexpr std::string_view why = "why ";
    constexpr std::string_view with = "with ";
    if (line.starts_with(why))
      found.why_not = to_valid_utf8(line.substr(why.size()));
    else if (line.starts_with(with))
      found.with.insert(found.with.begin(), to_valid_utf8(line.substr(with.size())));  // those that need others: first
    else if (line == "end")
      ended = true;
    else
      odd = line;
  });
  if (!odd.empty()) return guest_error(fmt::format("'{}' is not understood", shortened(to_valid_utf8(odd))));
  if (!ended) return guest_error("the answer ends early");
  return found;
}

namespace {

// "123.45", as /proc/uptime has it.
std::optional<Milliseconds> uptime(const std::string& text) {
  const auto point = text.find('.');
  const auto seconds = number(text.substr(0, point));
  if (point == std::string::npos || text.size() != point + 3) return std::nullopt;
  const auto hundredths = number(text.substr(point + 1));
  if (!seconds || !hundredths || *seconds > 100'000'000'000) return std::nullopt;
  return Milliseconds(*seconds * 1000 + *hundredths * 10);
}

}  // namespace

Result<ServiceChange> service_change(const std::string& text, ServiceAction action) {
  constexpr std::string_view said = "said\n";
  const auto cut = text.starts_with(said) ? 0 : text.find("\nsaid\n");
  if (cut == std::string::npos) return guest_error("the answer ends early");
  std::map<std::string, std::string> words;
  for_each_line(text.substr(0, cut), [&](const std::string& line) {
    const auto end = line.find_first_of(" =");
    words[line.substr(0, end)] = end == std::string::npos ? std::string{} : line.substr(end + 1);
  });
  const auto begin = uptime(words["begin"]), end = uptime(words["end"]);
  const auto code = number(words["code"]);
  const bool systemd = words.contains("ActiveState");
  if (!begin || !end || *end < *begin || !code || systemd == words.contains("status"))
    return guest_error(fmt::format("the answer is not understood: '{}'", shortened(to_valid_utf8(text))));
  ServiceChange change;
  change.took = *end - *begin;
  change.said = to_valid_utf8(text.substr(std::min(text.size(), text.find(said, cut) + said.size())));
  const bool late = *code == 124 || *code == 137;
  const bool wants_it = action == ServiceAction::start;
  if (systemd) {
    change.state = unit_state("loaded", words["ActiveState"], words["SubState"]);
    // What a socket has started again at once was stopped all the same: systemd says so by its exit code.
    change.reached = *code == 0 && (!wants_it || change.state == "running" || change.state == "exited");
  } else {
    change.state = script_states(words["status"] + " it\n")["it"];
    change.reached =
        !late && (wants_it ? change.state == "running" : change.state == "stopped" || change.state == "failed");
  }
  if (*code != 0) {
    const auto ended = late ? std::string("it was still at work then") : fmt::format("exit code {}", *code);
    change.said = change.said.empty() ? ended : fmt::format("{}: {}", ended, change.said);
  }
  return change;
}

}  // namespace patchlab::lab::guest::debian

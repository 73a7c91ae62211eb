// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/host_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"
#include "lab/guest/windows/service_cycle.hpp"

namespace patchlab::lab::guest::windows {
namespace {

constexpr std::uint32_t no_such_log = 15007;                                             // ERROR_EVT_CHANNEL_NOT_FOUND
constexpr std::uint32_t never_started = 1077;                                            // ERROR_SERVICE_NEVER_STARTED
constexpr std::string_view network_adapters = "{4d36e972-e325-11ce-bfc1-08002be10318}";  // device class

std::string log_section(std::size_t index) { return fmt::format("log-{}", index); }
std::string acl_section(std::size_t index) { return fmt::format("acl-{}", index); }

// Services that stop, start and change their start type by themselves: servicing, licensing, background work.
bool manages_itself(std::string_view service) {
  constexpr std::array<std::string_view, 9> list{"trustedinstaller", "wuauserv",       "bits",
                                                 "sppsvc",           "msiserver",      "tiledatamodelsvc",
                                                 "mapsbroker",       "remoteregistry", "gpsvc"};
  const auto name = lower_case(service);
  return std::find(list.begin(), list.end(), name) != list.end() || name.starts_with("clr_optimization") ||
         name.starts_with("mpksl");
}

// Start by themselves, look for news of a program and stop again: whether they run says nothing. Their start type stays
// watched, and so do those that the scenario names.
bool comes_and_goes(std::string_view service) {
  const auto name = lower_case(service);
  constexpr std::array<std::string_view, 3> starts{"edgeupdate", "gupdate", "googleupdater"};
  return std::any_of(starts.begin(), starts.end(), [&](auto start) { return name.starts_with(start); });
}

// "CDPUserSvc_3f2a1": made for each logon, with another number.
bool is_of_one_logon(std::string_view service) {
  const auto number = service.substr(service.rfind('_') + 1);
  return number.size() >= 4 && number.size() < service.size() &&
         number.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Tunnels and the like, which come and go with addresses. Only what sits on a bus is hardware.
bool is_software_device(std::string_view device) { return device.starts_with("ROOT\\") || device.starts_with("SW\\"); }

template <std::size_t N>
std::string word_for(const std::array<const char*, N>& words, const std::string& data) {
  const auto number = registry_number(data);
  return number && *number < N ? words[*number] : data;
}

Result<void> add_services(const StateReplies& replies, const std::vector<std::string>& asked, HostState& state) {
  constexpr std::array<const char*, 5> start_words{"boot", "system", "automatic", "on demand", "disabled"};
  PATCHLAB_ASSIGN(const auto statuses, services(replies.services));
  PATCHLAB_ASSIGN(const auto starts, registry_in(replies.job, "starts", Absence::impossible));
  PATCHLAB_ASSIGN(const auto triggers, registry_in(replies.job, "triggers", Absence::of_matches));
  std::set<std::string> triggered;
  for (const auto& key : triggers) {
    const auto at = key.path.find("\\TriggerInfo\\");
    if (at != std::string::npos) triggered.insert(service_in(key.path.substr(0, at)));
  }
  for (const auto& key : starts) {
    const auto name = service_in(key.path);
    const auto start = key.values.find("Start");
    if (name.empty() || start == key.values.end() || manages_itself(name) || is_of_one_logon(name)) continue;
    const auto word = word_for(start_words, start->second);
    state.facts["start of " + name] = word;
    const auto status = statuses.find(name);
    if (word == "automatic" && !triggered.contains(name) && !comes_and_goes(name) && status != statuses.end()) {
      state.services[name] = state_word(status->second);
    }
  }
  for (const auto& name : asked) {
    // Service names do not differ by case.
    const auto same = std::find_if(statuses.begin(), statuses.end(),
                                   [&](const auto& entry) { return lower_case(entry.first) == lower_case(name); });
    if (same != statuses.end() && same->first != name) state.services.erase(same->first);
    state.services[name] = same == statuses.end() ? "absent" : state_word(same->second);
  }
  return {};
}

Result<void> add_network(const StateReplies& replies, HostState& state) {
  PATCHLAB_ASSIGN(const auto sockets, text_in(replies.job, "sockets"));
  PATCHLAB_ASSIGN(const auto processes, text_in(replies.job, "processes"));
  PATCHLAB_ASSIGN(state.listeners, listeners(sockets, processes));
  PATCHLAB_ASSIGN(state.addresses, addresses(replies.interfaces));
  PATCHLAB_ASSIGN(const auto settings, registry_in(replies.job, "ip-settings", Absence::impossible));
  for (const auto& key : settings) {
    std::string text;
    for (const auto* name : {"EnableDHCP", "DefaultGateway", "NameServer", "DhcpDefaultGateway", "DhcpNameServer"}) {
      const auto value = key.values.find(name);
      if (value == key.values.end() || value->second.empty()) continue;
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value->second);
    }
    if (!text.empty()) state.facts["ip settings " + key.name()] = text;
  }
  PATCHLAB_ASSIGN(const auto present,
                  table_rows(replies.adapters, {"ConfigManagerErrorCode", "MACAddress", "PNPDeviceID"}));
  for (const auto& row : present) {
    const auto& device = row.at("PNPDeviceID");
    if (device.empty() || is_software_device(device)) continue;
    state.facts["adapter " + device] =
        fmt::format("{} status {}", row.at("MACAddress").empty() ? "no MAC" : lower_case(row.at("MACAddress")),
                    row.at("ConfigManagerErrorCode"));
  }
  PATCHLAB_ASSIGN(const auto devices, registry_in(replies.job, "adapter-devices", Absence::of_matches));
  for (const auto& key : devices) {
    const auto device_class = key.values.find("ClassGUID");
    if (device_class == key.values.end() || lower_case(device_class->second) != network_adapters) continue;
    constexpr std::string_view parent = "\\Enum\\";
    const auto at = key.path.find(parent);
    if (at == std::string::npos) return guest_error(fmt::format("'{}' is no device", key.path));
    const auto device = key.path.substr(at + parent.size());
    if (!is_software_device(device)) state.facts.try_emplace("adapter " + device, "hidden");
  }
  return {};
}

Result<void> add_security(const StateReplies& replies, HostState& state) {
  constexpr std::array<const char*, 2> switch_words{"off", "on"};
  constexpr std::array<const char*, 3> category_words{"public", "private", "domain"};
  PATCHLAB_ASSIGN(const auto profiles, registry_in(replies.job, "firewall", Absence::impossible));
  for (const auto& key : profiles) {
    const auto value = key.values.find("EnableFirewall");
    if (value != key.values.end()) state.facts["firewall " + key.name()] = word_for(switch_words, value->second);
  }
  PATCHLAB_ASSIGN(const auto networks, registry_in(replies.job, "networks", Absence::of_key));
  for (const auto& key : networks) {
    const auto value = key.values.find("Category");
    if (value != key.values.end()) state.facts["network " + key.name()] = word_for(category_words, value->second);
  }
  for (std::size_t i = 0; i < replies.paths.size(); ++i) {
    const auto& path = replies.paths[i];
    const auto& bytes = replies.acl_files.at(i);
    if (bytes.empty()) {
      state.facts["access to " + path] = "absent";
      continue;
    }
    auto rights = sddl(bytes).while_doing(fmt::format("reading who may access '{}'", path));
    if (!rights) return std::move(rights).error();
    state.facts["access to " + path] = *rights;
  }
  return {};
}

Result<void> add_drivers(const StateReplies& replies, HostState& state) {
  PATCHLAB_ASSIGN(const auto text, text_in(replies.job, "drivers"));
  PATCHLAB_ASSIGN(const auto rows, csv_rows(text, 4));
  // Without the link date: every rollup brings newer files of the same drivers.
  for (const auto& row : rows) {
    if (!manages_itself(row[0])) state.facts["driver " + row[0]] = row[2];
  }
  return {};
}

bool names_one_of(const std::vector<std::string>& list, const std::string& word) {
  return std::any_of(list.begin(), list.end(), [&](const auto& one) { return lower_case(one) == lower_case(word); });
}

// A role that is gone took its log along: its services say that, as "absent".
bool must_be_there(const WatchedLog& log, const std::vector<std::string>& asked, const std::string& role,
                   const HostState& state) {
  if (log.services.empty()) return true;
  const auto is_there = [&](const auto& name) {
    return names_one_of(log.services, name) && state.services.at(name) != "absent";
  };
  return names_one_of(log.roles, role) || std::any_of(asked.begin(), asked.end(), is_there);
}

Result<void> add_errors(const StateReplies& replies, const std::vector<std::string>& asked, const std::string& role,
                        HostState& state) {
  std::set<std::string> kinds;
  for (std::size_t i = 0; i < watched_logs().size(); ++i) {
    const auto& log = watched_logs()[i];
    const auto section = replies.job.find(log_section(i));
    if (section != replies.job.end() && section->second.exit_code == no_such_log) {
      if (must_be_there(log, asked, role, state))
        return guest_error(fmt::format("there is no log '{}', so its errors could not be looked for", log.name));
      state.absent_sources[fmt::format("log {}", log.name)] = "there is no such log";
      continue;
    }
    PATCHLAB_ASSIGN(const auto text, text_in(replies.job, log_section(i)));
    auto logged = events(text).while_doing(fmt::format("reading the log '{}'", log.name));
    if (!logged) return std::move(logged).error();
    for (const auto& event : *logged) kinds.insert(fmt::format("{}: {} {}", log.name, event.provider, event.id));
  }
  state.error_kinds.assign(kinds.begin(), kinds.end());
  return {};
}
}  // namespace

std::string state_word(const ServiceStatus& status) {
  switch (status.state) {
    case 1: return status.exit_code == 0 || status.exit_code == never_started ? "stopped" : "failed";
    case 2: return "starting";
    case 3: return "stopping";
    case 4: return "running";
    default: return "paused";
  }
}

// By channel, not by the title that Event Viewer shows.
const std::vector<WatchedLog>& watched_logs() {
  static const std::vector<WatchedLog> logs{
      {"System", {}, {}},
      {"Application", {}, {}},
      {"Setup", {}, {}},
      {"DNS Server", {"DNS"}, {"dns"}},
      {"Directory Service", {"NTDS"}, {"directory", "dc"}},
      {"DFS Replication", {"DFSR"}, {}},
      {"DhcpAdminEvents", {"DHCPServer"}, {"dhcp"}},
      {"Microsoft-Windows-Dhcp-Server/Operational", {"DHCPServer"}, {"dhcp"}},
      {"Microsoft-Windows-PrintService/Admin", {"Spooler"}, {"print"}},
      {"Microsoft-Windows-SMBServer/Operational", {"LanmanServer"}, {"smb", "file", "files"}}};
  return logs;
}

const std::vector<std::string>& watched_paths() {
  static const std::vector<std::string> paths{"C:\\Windows\\System32\\config",
                                              "C:\\Windows\\System32\\drivers\\etc",
                                              "C:\\Windows\\System32\\spool",
                                              "C:\\Windows\\System32\\dns",
                                              "C:\\Windows\\System32\\dhcp",
                                              "C:\\Windows\\System32\\msmq\\storage",
                                              "C:\\Windows\\SYSVOL",
                                              "C:\\inetpub",
                                              "C:\\Program Files"};
  return paths;
}

bool is_watchable_path(std::string_view path) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return path.size() >= 3 && path.size() <= 200 && is_letter(path[0]) && path[1] == ':' && path[2] == '\\' &&
         path.back() != '\\' && std::all_of(path.begin() + 2, path.end(), [](char c) {
           return c >= ' ' && c < '\x7f' && std::string_view("\"%<>|*?:/").find(c) == std::string_view::npos;
         });
}

std::vector<Question> state_questions(const std::vector<std::string>& paths) {
  std::vector<Question> questions;
  for (const auto& [name, command] : std::initializer_list<std::pair<const char*, Command>>{
           {"starts", Command::service_starts},
           {"triggers", Command::service_triggers},
           {"sockets", Command::sockets},
           {"processes", Command::processes},
           {"drivers", Command::drivers},
           {"ip-settings", Command::ip_settings},
           {"adapter-devices", Command::adapter_devices},
           {"firewall", Command::firewall},
           {"networks", Command::network_categories},
       }) {
    questions.push_back({name, line_of(command)});
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    questions.push_back(
        {acl_section(i), line_of(Command::acl, {{"path", paths[i]}, {"number", fmt::format("{}", i)}})});
  }
  for (std::size_t i = 0; i < watched_logs().size(); ++i) {
    questions.push_back({log_section(i), line_of(Command::errors_logged, {{"log", watched_logs()[i].name}})});
  }
  return questions;
}

Result<HostState> host_state_from(const StateReplies& replies, const std::vector<std::string>& asked,
                                  const std::string& role) {
  HostState state;
  PATCHLAB_TRY(add_services(replies, asked, state));
  PATCHLAB_TRY(add_network(replies, state));
  PATCHLAB_TRY(add_security(replies, state));
  PATCHLAB_TRY(add_drivers(replies, state));
  PATCHLAB_TRY(add_errors(replies, asked, role, state));
  return state;
}

}  // namespace patchlab::lab::guest::windows

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>

#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

using Reach = RegistryQuestion::Reach;
constexpr RegistryQuestion zones{
    "dns-zones", "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\DNS Server\\Zones", "", Reach::tree};
constexpr RegistryQuestion dns_server{"dns-settings", "HKLM\\SYSTEM\\CurrentControlSet\\Services\\DNS\\Parameters", ""};
constexpr RegistryQuestion dhcp_service{"dhcp-service", "HKLM\\SYSTEM\\CurrentControlSet\\Services\\DHCPServer",
                                        "ImagePath"};

constexpr const char* zone_list = "dns-list";
constexpr const char* dhcp = "dhcp-dump";
constexpr const char* web = "web-configuration";
constexpr std::uint32_t no_such_program = 9009;  // cmd.exe
constexpr std::uint32_t no_such_file = 0x80070002;
constexpr std::uint32_t no_such_folder = 0x80070003;

std::vector<std::string> words_in(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> lines_in(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    const auto content = trimmed(line, " \t\r");
    if (!content.empty()) lines.emplace_back(content);
  }
  return lines;
}

// "1885"
std::optional<std::size_t> count_in(std::string_view word) {
  std::size_t number = 0;
  const auto [end, trouble] = std::from_chars(word.data(), word.data() + word.size(), number);
  return trouble == std::errc{} && end == word.data() + word.size() ? std::optional(number) : std::nullopt;
}

// Zones in files stand in the registry, those of a directory only in what the
// server says of itself. Its table has the kind of a zone, which is never
// translated, in the second column.
Result<void> read_dns(const Sections& found, Rows& rows) {
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, zones));
  for (const auto& key : keys) {
    for (const auto& [name, data] : key.values) rows["dns-zone"][fmt::format("{} {}", key.name(), name)] = data;
  }
  PATCHLAB_ASSIGN(const auto settings, registry_answer(found, dns_server));
  for (const auto& key : settings) {
    for (const auto& [name, data] : key.values) rows["dns-setting"][name] = data;
  }
  // The tool alone, without a server that it could ask, is there for
  // administration.
  const auto list = found.find(zone_list);
  if (settings.empty() || (list != found.end() && list->second.exit_code == no_such_program)) return {};
  PATCHLAB_ASSIGN(const auto text, text_in(found, zone_list));
  constexpr std::array<std::string_view, 5> kinds{"Primary", "Secondary", "Cache", "Stub", "Forwarder"};
  std::size_t listed = 0;
  std::optional<std::size_t> counted;
  for (const auto& line : lines_in(text)) {
    const auto words = words_in(line);
    if (words.size() >= 2 && words[words.size() - 2] == "=" && !counted) counted = count_in(words.back());
    if (words.size() < 3 || std::find(kinds.begin(), kinds.end(), words[1]) == kinds.end()) continue;
    std::string value = words[1];
    for (std::size_t i = 2; i < words.size(); ++i) value += " " + words[i];
    rows["dns-zone"][words[0]] = value;
    ++listed;
  }
  // The cache is in the list of every server.
  if (listed == 0) return guest_error(fmt::format("dnscmd listed no zone: '{}'", shortened(trimmed(text, " \t\r\n"))));
  if (!counted || *counted != listed) {
    return guest_error(fmt::format("dnscmd says that it lists {} zones and listed {}",
                                   counted ? fmt::format("{}", *counted) : "an unknown number of", listed));
  }
  return {};
}

// The commands by which the same configuration could be made again.
Result<void> read_dhcp(const Sections& found, Rows& rows) {
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, dhcp_service));
  if (keys.empty()) return {};
  PATCHLAB_ASSIGN(const auto text, text_in(found, dhcp));
  bool any = false;
  for (const auto& line : lines_in(text)) {
    if (line.starts_with('#') || words_in(lower_case(line)).front() != "dhcp") continue;
    rows["dhcp-setting"][line] = "there";
    any = true;
  }
  if (!any) return guest_error(fmt::format("netsh printed no configuration: '{}'", shortened(text)));
  return {};
}

Result<void> read_web(const Sections& found, Rows& rows) {
  const auto section = found.find(web);
  if (section != found.end() &&
      (section->second.exit_code == no_such_file || section->second.exit_code == no_such_folder))
    return {};
  PATCHLAB_ASSIGN(const auto text, text_in(found, web));
  // The digest is the only line of hexadecimal digits; Server 2012 puts blanks
  // between bytes.
  for (const auto& line : lines_in(text)) {
    auto digits = lower_case(line);
    std::erase(digits, ' ');
    if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) continue;
    rows["web-setting"]["applicationHost.config"] = digits;
    return {};
  }
  return guest_error("certutil printed no digest");
}

}  // namespace

Collector dns_collector() {
  return {
      "dns", {"dns-zone", "dns-setting"}, {zones, dns_server}, {{zone_list, line_of(Command::dns_zones)}}, read_dns};
}

Collector dhcp_collector() {
  return {"dhcp", {"dhcp-setting"}, {dhcp_service}, {{dhcp, line_of(Command::dhcp_dump)}}, read_dhcp};
}

Collector web_collector() { return {"web", {"web-setting"}, {}, {{web, line_of(Command::web_digest)}}, read_web}; }

}  // namespace patchlab::lab::guest::windows

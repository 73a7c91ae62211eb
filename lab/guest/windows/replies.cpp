// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/replies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "lab/core/text.hpp"
#include "lab/core/utf16.hpp"
#include "lab/guest/agent_session.hpp"

namespace patchlab::lab::guest::windows {
namespace {

constexpr std::string_view blanks = " \t\r";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);  // wmic ends lines with \r\r\n
    lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (line = trimmed(line); !line.empty(); line = trimmed(line)) {
    const auto end = std::min(line.find_first_of(blanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (trouble != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error not_understood(const char* tool, std::string_view line) {
  return guest_error(fmt::format("{} printed a line that is not understood: '{}'", tool, shortened(line)));
}

bool looks_like_utf16(std::string_view bytes) {
  if (bytes.size() < 4 || bytes.size() % 2 != 0) return false;
  const auto high = std::min<std::size_t>(bytes.size(), 64);
  for (std::size_t i = 1; i < high; i += 2) {
    if (bytes[i] != '\0' || bytes[i - 1] == '\0') return false;
  }
  return true;
}
}  // namespace

Result<std::string> text_of(std::string_view bytes) {
  constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";
  constexpr std::string_view utf16_mark = "\xFF\xFE";
  std::string text;
  if (bytes.starts_with(utf16_mark) || looks_like_utf16(bytes)) {
    if (bytes.starts_with(utf16_mark)) bytes.remove_prefix(utf16_mark.size());
    if (bytes.size() % 2 != 0) return guest_error("UTF-16 text with half a character at its end");
    text = to_utf8(utf16_units(bytes));
  } else {
    if (bytes.starts_with(utf8_mark)) bytes.remove_prefix(utf8_mark.size());
    text = to_valid_utf8(bytes);
  }
  if (text.find('\0') != std::string::npos) return guest_error("text with NUL characters in it");
  return text;
}

std::optional<std::uint32_t> exit_code_in(std::string_view text) {
  const auto number = number_in<std::int64_t>(text);
  if (!number || *number < std::int64_t{INT32_MIN} || *number > std::int64_t{UINT32_MAX}) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

Result<Sections> sections(const std::string& text, const std::string& mark) {
  Sections found;
  std::string open;
  for (const auto line : lines_of(text)) {
    if (!line.starts_with(mark)) {
      if (open.empty() && !trimmed(line).empty()) return not_understood("a job", line);
      if (!open.empty()) found[open].text.append(line).append("\n");
      continue;
    }
    const auto words = words_of(line.substr(mark.size()));
    if (words.size() == 2 && words[0] == "begin" && open.empty()) {
      open = words[1];
      if (!found.try_emplace(open).second) return guest_error(fmt::format("section '{}' appears twice", open));
    } else if (words.size() == 3 && words[0] == "end" && words[1] == open && exit_code_in(words[2])) {
      found[open].exit_code = *exit_code_in(words[2]);
      open.clear();
    } else {
      return not_understood("a job", line);
    }
  }
  if (!open.empty()) return guest_error(fmt::format("the answer ends within '{}'", open));
  return found;
}

Result<std::string> text_in(const Sections& found, const std::string& name) {
  const auto section = found.find(name);
  if (section == found.end()) return guest_error(fmt::format("the answer holds no '{}'", name));
  if (section->second.exit_code != 0) {
    return guest_error(fmt::format("'{}' ended with exit code {}: {}", name, section->second.exit_code,
                                   shortened(trimmed(section->second.text, " \t\r\n"), 200)));
  }
  return section->second.text;
}

namespace {
// "End of search: 3 match(es) found.", in any language: its only number. "0x80070005" is none.
std::optional<std::size_t> matches_in(std::string_view line) {
  constexpr std::string_view digits = "0123456789";
  const auto from = line.find_first_of(digits);
  if (from == std::string_view::npos) return std::nullopt;
  const auto end = std::min(line.find_first_not_of(digits, from), line.size());
  const bool is_part_of_a_word = end < line.size() && std::isalnum(static_cast<unsigned char>(line[end])) != 0;
  if (is_part_of_a_word || line.find_first_of(digits, end) != std::string_view::npos) return std::nullopt;
  return number_in<std::size_t>(line.substr(from, end - from));
}

bool says_none_found(std::string_view text) {
  const auto line = trimmed(text, " \t\r\n");
  return line.find('\n') == std::string_view::npos && matches_in(line) == std::optional<std::size_t>{0};
}
}  // namespace

Result<std::vector<RegistryKey>> registry_in(const Sections& found, const std::string& name, Absence absence) {
  const auto section = found.find(name);
  if (section != found.end() && section->second.exit_code == 1) {
    if (absence == Absence::of_key) return std::vector<RegistryKey>{};
    if (absence == Absence::of_matches && says_none_found(section->second.text)) return std::vector<RegistryKey>{};
  }
  PATCHLAB_ASSIGN(const auto text, text_in(found, name));
  PATCHLAB_ASSIGN(auto keys, registry_keys(text).while_doing(fmt::format("reading '{}'", name)));
  if (keys.empty() && absence == Absence::impossible) return guest_error(fmt::format("'{}' names no key at all", name));
  return keys;
}

std::string RegistryKey::name() const { return path.substr(path.rfind('\\') + 1); }

Result<std::vector<RegistryKey>> registry_keys(const std::string& text) {
  std::vector<RegistryKey> keys;
  std::size_t values = 0;
  bool over = false;
  for (const auto line : lines_of(text)) {
    if (trimmed(line).empty()) continue;
    if (over) return not_understood("reg", line);
    if (line.starts_with("HKEY_")) {
      keys.push_back({std::string(line), {}});
      continue;
    }
    constexpr std::string_view indent = "    ";
    if (line.starts_with(indent)) {
      const auto type = line.find("    REG_", indent.size());
      if (keys.empty() || type == std::string_view::npos) return not_understood("reg", line);
      const auto data = line.find(indent, type + indent.size());
      const auto name = line.substr(indent.size(), type - indent.size());
      keys.back().values[std::string(name)] =
          data == std::string_view::npos ? std::string{} : std::string(trimmed(line.substr(data)));
      ++values;
      continue;
    }
    const auto number = matches_in(line);
    if (!number) return not_understood("reg", line);
    const auto matches = values > 0 ? values : keys.size();
    if (*number != matches) {
      return guest_error(fmt::format("reg says that it found {} and printed {}", *number, matches));
    }
    over = true;
  }
  return keys;
}

std::optional<std::uint32_t> registry_number(std::string_view data) {
  if (!data.starts_with("0x")) return std::nullopt;
  return number_in<std::uint32_t>(data.substr(2), 16);
}

Result<std::map<std::string, ServiceStatus>> services(const std::string& text) {
  std::map<std::string, ServiceStatus> found;
  const auto lines = lines_of(text);
  const auto value_of = [](std::string_view line) -> std::optional<std::string_view> {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return trimmed(line.substr(colon + 1));
  };
  // A block: name, display name, then indented: type, state, what it accepts, exit codes, check point, wait hint.
  for (std::size_t i = 0; i < lines.size();) {
    if (trimmed(lines[i]).empty()) {
      ++i;
      continue;
    }
    if (i + 6 >= lines.size()) return not_understood("sc", lines[i]);
    const auto name = value_of(lines[i]);
    const bool is_block = name && !name->empty() && lines[i].front() != ' ' && lines[i + 1].front() != ' ';
    if (!is_block) return not_understood("sc", lines[i]);
    std::vector<std::uint32_t> numbers;
    auto next = i + 2;
    for (; next < lines.size() && !trimmed(lines[next]).empty(); ++next) {
      if (lines[next].front() != ' ' && lines[next].front() != '\t') return not_understood("sc", lines[next]);
      const auto value = value_of(lines[next]);
      if (!value) continue;  // the list of what it accepts
      const auto words = words_of(*value);
      const auto number = words.empty()
                              ? std::nullopt
                              : number_in<std::uint32_t>(words[0].substr(words[0].starts_with("0x") ? 2 : 0), 16);
      if (!number) return not_understood("sc", lines[next]);
      numbers.push_back(*number);
      // Exit codes are decimal, followed by their hexadecimal form.
      if (numbers.size() == 3) {
        const auto decimal = number_in<std::uint32_t>(words[0]);
        if (!decimal) return not_understood("sc", lines[next]);
        numbers.back() = *decimal;
      }
    }
    if (numbers.size() < 6 || numbers[1] < 1 || numbers[1] > 7) return not_understood("sc", lines[i]);
    found[std::string(*name)] = {numbers[1], numbers[2]};
    i = next;
  }
  if (found.empty()) return guest_error("sc named no service at all");
  return found;
}

Result<std::vector<std::map<std::string, std::string>>> table_rows(const std::string& text,
                                                                   const std::vector<std::string>& columns) {
  std::vector<std::map<std::string, std::string>> rows;
  std::vector<std::pair<std::size_t, std::string>> starts;
  for (const auto line : lines_of(text)) {
    if (trimmed(line).empty()) continue;
    if (starts.empty()) {
      for (const auto& column : columns) {
        const auto at = line.find(column);
        if (at == std::string_view::npos) return not_understood("wmic", line);
        starts.emplace_back(at, column);
      }
      std::sort(starts.begin(), starts.end());
      continue;
    }
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const auto from = std::min(starts[i].first, line.size());
      const auto to = i + 1 < starts.size() ? std::min(starts[i + 1].first, line.size()) : line.size();
      row[starts[i].second] = trimmed(line.substr(from, to - from));
    }
  }
  if (starts.empty()) return guest_error("wmic printed no table");
  return rows;
}

Result<std::set<std::string>> quick_fixes(const std::string& text, const std::string& errors) {
  if (trimmed(text, " \t\r\n").empty() && !trimmed(errors, " \t\r\n").empty()) return std::set<std::string>{};
  PATCHLAB_ASSIGN(const auto rows, table_rows(text, {"HotFixID"}));
  std::set<std::string> found;
  for (const auto& row : rows) {
    const auto& id = row.at("HotFixID");
    if (id.empty() || id.find(' ') != std::string::npos) return not_understood("wmic", id);
    found.insert(id);
  }
  return found;
}

Result<std::map<std::string, std::string>> dism_packages(const std::string& text) {
  std::map<std::string, std::string> found;
  bool in_table = false;
  bool whole = false;
  for (const auto line : lines_of(text)) {
    std::vector<std::string_view> cells;
    for (auto rest = line;;) {
      const auto bar = rest.find('|');
      cells.push_back(trimmed(rest.substr(0, bar)));
      if (bar == std::string_view::npos) break;
      rest.remove_prefix(bar + 1);
    }
    if (trimmed(line) == "The operation completed successfully.") {
      whole = true;
    } else if (cells[0] == "Package Identity") {
      if (cells.size() != 4 || cells[1] != "State") return not_understood("dism", line);
      in_table = true;
    } else if (in_table && !trimmed(line).empty() && !line.starts_with("---")) {
      const auto tildes = std::count(cells[0].begin(), cells[0].end(), '~');
      if (whole || cells.size() != 4 || tildes != 4 || cells[1].empty()) return not_understood("dism", line);
      found[std::string(cells[0])] = cells[1];
    }
  }
  if (!in_table || !whole) return guest_error("dism printed no whole list of packages");
  if (found.empty()) return guest_error("dism named no package at all");
  return found;
}

Result<std::vector<std::vector<std::string>>> csv_rows(const std::string& text, std::size_t columns) {
  std::vector<std::vector<std::string>> rows;
  for (const auto line : lines_of(text)) {
    if (trimmed(line).empty()) continue;
    std::vector<std::string> row;
    auto rest = line;
    for (;;) {
      const auto close = rest.starts_with('"') ? rest.find('"', 1) : std::string_view::npos;
      if (close == std::string_view::npos) return not_understood("a list", line);
      row.emplace_back(trimmed(rest.substr(1, close - 1)));
      rest.remove_prefix(close + 1);
      if (rest.empty()) break;
      if (!rest.starts_with(',')) return not_understood("a list", line);
      rest.remove_prefix(1);
    }
    if (row.size() != columns) return not_understood("a list", line);
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return guest_error("a list without a single row");
  return rows;
}

namespace {
// Where Windows' range for ports that nobody asked for begins (RFC 6335 section 6; netsh int ipv4 show dynamicport
// tcp).
constexpr std::uint32_t first_dynamic_port = 49152;

bool chooses_ports_anew(std::string_view image) {
  constexpr std::array<std::string_view, 9> rpc_servers{"svchost.exe", "lsass.exe",   "services.exe",
                                                        "wininit.exe", "spoolsv.exe", "dns.exe",
                                                        "dfsrs.exe",   "ntfrs.exe",   "msdtc.exe"};
  return std::find(rpc_servers.begin(), rpc_servers.end(), image) != rpc_servers.end();
}

// "[fe80::1%12]:139": the number behind the percent sign is this boot's.
std::string without_zone(std::string_view address) {
  std::string text(address);
  const auto percent = text.find('%');
  if (percent == std::string::npos) return text;
  return text.erase(percent, text.find_first_not_of("0123456789", percent + 1) - percent);
}
}  // namespace

Result<std::vector<std::string>> listeners(const std::string& sockets, const std::string& processes) {
  PATCHLAB_ASSIGN(const auto rows, csv_rows(processes, 3));
  std::map<std::string, std::string> images;
  for (const auto& row : rows) images[row[1]] = lower_case(row[0]);
  std::set<std::string> found;
  bool in_table = false;
  for (const auto line : lines_of(sockets)) {
    const auto words = words_of(line);
    const bool is_tcp = words.size() == 5 && words[0] == "TCP";
    const bool is_udp = words.size() == 4 && words[0] == "UDP";
    if (!is_tcp && !is_udp) {
      if (in_table && !words.empty()) return not_understood("netstat", line);
      continue;  // title and header
    }
    in_table = true;
    const auto colon = words[1].rfind(':');
    const auto port =
        colon == std::string_view::npos ? std::nullopt : number_in<std::uint32_t>(words[1].substr(colon + 1));
    const auto& pid = words.back();
    if (!port || !number_in<std::uint32_t>(pid)) return not_understood("netstat", line);
    if (is_tcp && !words[2].ends_with(":0")) continue;
    const auto image = images.find(std::string(pid));
    const auto program = image == images.end() ? std::string("-") : image->second;
    if (*port < first_dynamic_port) {
      found.insert(fmt::format("{} {} {}", is_tcp ? "tcp" : "udp", without_zone(words[1]), program));
    } else if (is_tcp) {
      const auto address = without_zone(words[1].substr(0, colon));
      found.insert(chooses_ports_anew(program) ? fmt::format("tcp {}:ephemeral {}", address, program)
                                               : fmt::format("tcp {}:{} {}", address, *port, program));
    }
  }
  if (found.empty()) return guest_error("netstat named no listener at all");
  return std::vector<std::string>(found.begin(), found.end());
}

namespace {
// The text of <name ...>text</name>; nothing when it is not there or empty (<name/>).
std::string_view element(std::string_view xml, std::string_view name) {
  for (auto at = xml.find(name); at != std::string_view::npos; at = xml.find(name, at + 1)) {
    if (at == 0 || xml[at - 1] != '<') continue;
    const auto close = xml.find('>', at);
    if (close == std::string_view::npos || xml[close - 1] == '/') return {};
    const auto after = xml[at + name.size()];
    if (after != '>' && after != ' ') continue;
    const auto end = xml.find("</", close);
    return end == std::string_view::npos ? std::string_view{} : xml.substr(close + 1, end - close - 1);
  }
  return {};
}

std::string_view attribute(std::string_view xml, std::string_view tag, std::string_view name) {
  const auto open = xml.find(tag);
  const auto close = xml.find('>', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  const auto in = xml.substr(open, close - open);
  for (const char quote : {'\'', '"'}) {
    const auto at = in.find(fmt::format(" {}={}", name, quote));
    if (at == std::string_view::npos) continue;
    const auto from = at + name.size() + 3;
    const auto to = in.find(quote, from);
    if (to != std::string_view::npos) return in.substr(from, to - from);
  }
  return {};
}

// Leaf elements only: <A><B>x</B></A> gives B.
std::map<std::string, std::string> leaves(std::string_view xml) {
  std::map<std::string, std::string> found;
  for (auto open = xml.find('<'); open != std::string_view::npos; open = xml.find('<', open + 1)) {
    const auto close = xml.find('>', open);
    if (close == std::string_view::npos) break;
    const auto name = xml.substr(open + 1, std::min(xml.find_first_of(" />", open + 1), close) - open - 1);
    const auto next = xml.find('<', close);
    if (!name.empty() && next != std::string_view::npos && xml.substr(next).starts_with(fmt::format("</{}>", name))) {
      found[std::string(name)] = trimmed(xml.substr(close + 1, next - close - 1));
    }
  }
  return found;
}
}  // namespace

Result<std::vector<Event>> events(const std::string& text) {
  constexpr std::string_view start = "<Event ";
  constexpr std::string_view finish = "</Event>";
  std::vector<Event> found;
  std::string_view rest = text;
  for (rest = trimmed(rest, " \t\r\n"); !rest.empty(); rest = trimmed(rest, " \t\r\n")) {
    const auto end = rest.find(finish);
    if (!rest.starts_with(start) || end == std::string_view::npos) return not_understood("wevtutil", rest);
    const auto xml = rest.substr(0, end);
    const auto system = xml.substr(0, xml.find("</System>"));
    const auto id = number_in<std::uint32_t>(element(system, "EventID"));
    const auto record = number_in<std::uint64_t>(element(system, "EventRecordID"));
    const auto provider = attribute(system, "<Provider", "Name");
    if (!id || !record || provider.empty()) return not_understood("wevtutil", xml);
    Event event{std::string(provider),
                *id,
                number_in<std::uint32_t>(element(system, "Level")).value_or(0),
                *record,
                std::string(attribute(system, "<TimeCreated", "SystemTime")),
                {}};
    if (const auto user = xml.find("<UserData"); user != std::string_view::npos) event.data = leaves(xml.substr(user));
    found.push_back(std::move(event));
    rest.remove_prefix(end + finish.size());
  }
  return found;
}

Result<void> proves_64_bit(const std::string& text) {
  constexpr const char* hint = "install the guest agent for x64 (qemu-ga-x86_64.msi) in the golden machine";
  std::map<std::string, std::string, std::less<>> variables;
  for (const auto line : lines_of(text)) {
    if (trimmed(line).empty()) continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return not_understood("set", line);
    variables[std::string(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
  }
  const auto own = variables.find("PROCESSOR_ARCHITECTURE");
  if (own == variables.end()) return guest_error("PROCESSOR_ARCHITECTURE is not set");
  const auto native = variables.find("PROCESSOR_ARCHITEW6432");
  if (native != variables.end()) {
    return configuration_error(
        fmt::format("the guest agent is a {} program on {} Windows: it sees other folders and another registry",
                    own->second, native->second),
        hint);
  }
  if (own->second != "AMD64")
    return configuration_error(fmt::format("the guest agent is a {} program", own->second), hint);
  return {};
}

Result<std::vector<std::string>> addresses(const Json& interfaces) {
  if (!interfaces.is_array() || interfaces.empty()) return guest_error("the agent named no network interface");
  const auto text_in = [](const Json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  std::set<std::string> found;
  for (const auto& device : interfaces) {
    const auto mac = text_in(device, "hardware-address");
    if (mac.empty()) continue;  // loopback
    const auto list = device.find("ip-addresses");
    if (list == device.end()) {
      found.insert(mac);
      continue;
    }
    if (!list->is_array()) return guest_error(fmt::format("the agent gave no list of addresses for '{}'", mac));
    for (const auto& address : *list) {
      const auto ip = text_in(address, "ip-address");
      const auto prefix = address.is_object() ? address.find("prefix") : address.end();
      if (ip.empty() || prefix == address.end() || !prefix->is_number_integer()) {
        return guest_error(fmt::format("the agent gave an address without a prefix for '{}'", mac));
      }
      found.insert(fmt::format("{} {}/{}", mac, without_zone(ip), prefix->get<int>()));
    }
  }
  return std::vector<std::string>(found.begin(), found.end());
}

Result<std::string> sddl(std::string_view bytes) {
  PATCHLAB_ASSIGN(const auto text, text_of(bytes));
  std::vector<std::string_view> lines;
  for (const auto line : lines_of(text)) {
    if (!trimmed(line).empty()) lines.push_back(line);
  }
  if (lines.size() != 2 || lines[1].find("D:") == std::string_view::npos) {
    return guest_error(fmt::format("icacls saved no SDDL: '{}'", shortened(text)));
  }
  return std::string(trimmed(lines[1]));
}

}  // namespace patchlab::lab::guest::windows

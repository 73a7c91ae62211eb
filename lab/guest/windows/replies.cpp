// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/replies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>
#include <utility>

#include "lab/core/guest_system.hpp"
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

// "1.234", "1,234", "1 234", "1'234": what may stand between groups of three digits, whatever the language. A blank
// that does not break is one byte of an old code page, which text_of() has made U+FFFD, or UTF-8.
std::size_t group_mark(std::string_view text) {
  constexpr std::array<std::string_view, 8> marks{
      ".", ",", "'", " ", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x99", "\xEF\xBF\xBD"};
  for (const auto mark : marks) {
    if (text.starts_with(mark)) return mark.size();
  }
  return 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The number that `text` begins with, and how long it is there.
template <class Number>
std::optional<std::pair<Number, std::size_t>> grouped_number(std::string_view text) {
  std::string digits;
  std::size_t at = 0;
  const auto count = [&](std::size_t from) {
    std::size_t n = 0;
    while (from + n < text.size() && is_digit(text[from + n])) ++n;
    return n;
  };
  const auto first = count(0);
  digits = text.substr(0, first);
  at = first;
  while (first >= 1 && first <= 3) {
    const auto mark = group_mark(text.substr(at));
    if (mark == 0 || count(at + mark) != 3) break;
    digits += text.substr(at + mark, 3);
    at += mark + 3;
  }
  const auto number = number_in<Number>(digits);
  return number ? std::optional(std::pair(*number, at)) : std::nullopt;
}

// "2147680517  (0x80030105)": decimal, and the same in hexadecimal between brackets, which no language groups or
// translates. Both must say the same.
std::optional<std::uint32_t> code_in(std::string_view value) {
  const auto open = value.rfind('(');
  if (open == std::string_view::npos || !value.ends_with(')')) return std::nullopt;
  const auto hexadecimal = value.substr(open + 1, value.size() - open - 2);
  if (!hexadecimal.starts_with("0x")) return std::nullopt;
  const auto number = number_in<std::uint32_t>(hexadecimal.substr(2), 16);
  auto decimal = trimmed(value.substr(0, open));
  const bool is_negative = decimal.starts_with('-');
  if (is_negative) decimal.remove_prefix(1);
  const auto same = grouped_number<std::uint64_t>(decimal);
  if (!number || !same || same->second != decimal.size() || same->first > UINT32_MAX) return std::nullopt;
  const auto low = static_cast<std::uint32_t>(same->first);
  return (is_negative ? 0U - low : low) == *number ? number : std::nullopt;
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
  const auto number = grouped_number<std::size_t>(line.substr(from));
  if (!number) return std::nullopt;
  const auto end = from + number->second;
  const bool is_part_of_a_word = end < line.size() && std::isalnum(static_cast<unsigned char>(line[end])) != 0;
  if (is_part_of_a_word || line.find_first_of(digits, end) != std::string_view::npos) return std::nullopt;
  return number->first;
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

namespace {
// "ERROR: Access is denied.", "Erreur : ...": a word, then a colon.
bool looks_like_trouble(std::string_view line) {
  const auto colon = line.find(':');
  return colon != std::string_view::npos && words_of(line.substr(0, colon)).size() == 1;
}
}  // namespace

Result<std::vector<RegistryKey>> registry_keys(const std::string& text) {
  std::vector<RegistryKey> keys;
  std::size_t values = 0;
  std::string* open_text = nullptr;  // the last value, when it is a text that may have line breaks in it
  std::string_view continued;        // a line taken for a part of a value: only a count of matches can prove that
  bool over = false;
  for (const auto line : lines_of(text)) {
    if (trimmed(line).empty()) continue;
    if (over) return not_understood("reg", line);
    if (line.starts_with("HKEY_")) {
      keys.push_back({std::string(line), {}});
      open_text = nullptr;
      continue;
    }
    constexpr std::string_view indent = "    ";
    const auto type = line.starts_with(indent) ? line.find("    REG_", indent.size()) : std::string_view::npos;
    if (type != std::string_view::npos) {
      if (keys.empty()) return not_understood("reg", line);
      const auto data = line.find(indent, type + indent.size());
      const auto name = line.substr(indent.size(), type - indent.size());
      const auto kind = line.substr(type + indent.size(), data - std::min(data, type + indent.size()));
      auto& value = keys.back().values[std::string(name)];
      value = data == std::string_view::npos ? std::string{} : std::string(trimmed(line.substr(data)));
      open_text = kind == "REG_SZ" || kind == "REG_EXPAND_SZ" ? &value : nullptr;
      ++values;
      continue;
    }
    const auto number = line.starts_with(indent) ? std::nullopt : matches_in(line);
    const auto matches = values > 0 ? values : keys.size();
    if (number && *number == matches) {
      over = true;
      continue;
    }
    if (open_text == nullptr || looks_like_trouble(line)) {
      if (!number) return not_understood("reg", line);
      return guest_error(fmt::format("reg says that it found {} and printed {}", *number, matches));
    }
    open_text->append("\n").append(line);
    continued = line;
  }
  if (!over && !continued.empty()) {
    if (const auto number = matches_in(continued)) {
      const auto matches = values > 0 ? values : keys.size();
      return guest_error(fmt::format("reg says that it found {} and printed {}", *number, matches));
    }
    return not_understood("reg", continued);
  }
  return keys;
}

std::optional<std::uint32_t> registry_number(std::string_view data) {
  if (!data.starts_with("0x")) return std::nullopt;
  return number_in<std::uint32_t>(data.substr(2), 16);
}

namespace {
// "label : value", in any language; a wide colon is one too.
std::optional<std::string_view> value_after_colon(std::string_view line) {
  constexpr std::string_view wide_colon = "\xEF\xBC\x9A";
  const auto narrow = line.find(':');
  const auto wide = line.find(wide_colon);
  if (narrow == std::string_view::npos && wide == std::string_view::npos) return std::nullopt;
  return trimmed(line.substr(narrow < wide ? narrow + 1 : wide + wide_colon.size()));
}

// One block of sc query, without its first lines: type, state, what it accepts, two exit codes, check point, wait hint.
// sc queryex adds more, which is not asked for.
Result<ServiceStatus> service_status(std::span<const std::string_view> lines) {
  std::vector<std::pair<std::string_view, std::string_view>> fields;  // value, line
  for (const auto line : lines) {
    if (line.front() != ' ' && line.front() != '\t') return not_understood("sc", line);
    if (trimmed(line).starts_with('(')) continue;  // the list of what it accepts
    if (const auto value = value_after_colon(line)) fields.emplace_back(*value, line);
  }
  if (fields.size() < 6) return not_understood("sc", lines.empty() ? std::string_view{} : lines.back());
  const auto hexadecimal = [&](std::size_t i) -> std::optional<std::uint32_t> {
    const auto words = words_of(fields[i].first);
    if (words.empty()) return std::nullopt;
    return number_in<std::uint32_t>(words[0].substr(words[0].starts_with("0x") ? 2 : 0), 16);
  };
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{5}}) {
    if (!hexadecimal(i)) return not_understood("sc", fields[i].second);
  }
  const auto state = *hexadecimal(1);
  if (state < 1 || state > 7) return not_understood("sc", fields[1].second);
  for (const std::size_t i : {std::size_t{2}, std::size_t{3}}) {
    if (!code_in(fields[i].first)) return not_understood("sc", fields[i].second);
  }
  return ServiceStatus{state, *code_in(fields[2].first), *code_in(fields[3].first)};
}
}  // namespace

Result<std::map<std::string, ServiceStatus>> services(const std::string& text) {
  std::map<std::string, ServiceStatus> found;
  const auto lines = lines_of(text);
  const auto is_indented = [](std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); };
  for (std::size_t i = 0; i < lines.size();) {
    if (trimmed(lines[i]).empty()) {
      ++i;
      continue;
    }
    const auto name = value_after_colon(lines[i]);
    if (!name || name->empty() || is_indented(lines[i])) return not_understood("sc", lines[i]);
    auto first = i + 1;
    while (first < lines.size() && !trimmed(lines[first]).empty() && !is_indented(lines[first])) ++first;
    auto next = first;
    while (next < lines.size() && !trimmed(lines[next]).empty()) ++next;
    if (first == next) return not_understood("sc", lines[i]);
    PATCHLAB_ASSIGN(const auto status, service_status(std::span(lines).subspan(first, next - first)));
    if (!found.emplace(*name, status).second) return guest_error(fmt::format("sc named '{}' twice", *name));
    i = next;
  }
  if (found.empty()) return guest_error("sc named no service at all");
  return found;
}

Result<std::vector<std::map<std::string, std::string>>> table_rows(const std::string& text,
                                                                   const std::vector<std::string>& columns) {
  std::vector<std::map<std::string, std::string>> rows;
  std::vector<std::pair<std::size_t, std::string>> starts;  // of all columns, whether asked for or not
  for (const auto line : lines_of(text)) {
    if (trimmed(line).empty()) continue;
    if (starts.empty()) {
      for (const auto word : words_of(line))
        starts.emplace_back(static_cast<std::size_t>(word.data() - line.data()), word);
      for (const auto& column : columns) {
        const auto is_it = [&](const auto& start) { return start.second == column; };
        if (std::count_if(starts.begin(), starts.end(), is_it) != 1) return not_understood("wmic", line);
      }
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

namespace {
bool has_identity_shape(std::string_view text) {
  return std::count(text.begin(), text.end(), '~') == 4 && !text.starts_with('~') && !text.ends_with('~') &&
         text.find_first_of(blanks) == std::string_view::npos;
}

// dism's two shapes of one list, read by position: its labels and the sentence at its end are in the language it was
// told to speak. A line that a console broke is put together again.
class DismList {
 public:
  Result<std::map<std::string, std::string>> read(const std::string& text) {
    for (const auto line : lines_of(text)) PATCHLAB_TRY(take(line));
    PATCHLAB_TRY(finish_entry());
    if (!whole_) return guest_error("dism printed no whole list of packages");
    if (found_.empty()) return guest_error("dism named no package at all");
    return std::move(found_);
  }

 private:
  static std::size_t bars(std::string_view line) {
    return static_cast<std::size_t>(std::count(line.begin(), line.end(), '|'));
  }

  Result<void> take(std::string_view line) {
    const auto content = trimmed(line);
    if (content.empty()) {
      after_blank_ = true;
      return finish_entry();
    }
    const bool begins = std::exchange(after_blank_, false);
    if (whole_) return not_understood("dism", line);
    if (bars(content) > 0 || !row_.empty()) return take_row(line);
    if (const auto value = value_after_colon(content); value && has_tildes(*value)) {
      PATCHLAB_TRY(finish_entry());
      fields_.emplace_back(*value);
      return {};
    }
    if (!fields_.empty()) return take_field(content);
    const bool is_rule = content.find_first_not_of("-= ") == std::string_view::npos;
    if (is_rule) return {};
    if (has_header_ && has_tildes(content)) {
      row_ = content;  // a row that is broken before its first bar
      return {};
    }
    if (!found_.empty()) {
      // The sentence that it went well, after an empty line.
      const bool is_sentence = content.ends_with('.') || content.ends_with("\xE3\x80\x82");
      if (!begins || !is_sentence || has_tildes(content)) return not_understood("dism", line);
      whole_ = true;
      return {};
    }
    return has_tildes(content) ? Result<void>(not_understood("dism", line)) : Result<void>();  // title, versions
  }

  static bool has_tildes(std::string_view text) { return text.find('~') != std::string_view::npos; }

  Result<void> take_row(std::string_view line) {
    // A broken line goes on where it was broken; whole ones have three bars.
    row_ += row_.empty() ? trimmed(line) : line;
    if (bars(row_) < 3) return {};
    const auto row = std::exchange(row_, {});
    std::vector<std::string_view> cells;
    for (std::string_view rest = row;;) {
      const auto bar = rest.find('|');
      cells.push_back(trimmed(rest.substr(0, bar)));
      if (bar == std::string_view::npos) break;
      rest.remove_prefix(bar + 1);
    }
    const bool is_rule = row.find_first_not_of("-| ") == std::string::npos;
    if (is_rule) return {};
    if (!has_tildes(row)) {
      // The header comes before the first row, once.
      if (cells.size() != 4 || !found_.empty() || std::exchange(has_header_, true)) return not_understood("dism", row);
      return {};
    }
    if (cells.size() != 4 || !has_header_) return not_understood("dism", row);
    return keep(std::string(cells[0]), std::string(cells[1]), row);
  }

  Result<void> take_field(std::string_view content) {
    const auto value = value_after_colon(content);
    if (value)
      fields_.emplace_back(*value);
    else
      fields_.back().append(content);  // broken
    return {};
  }

  Result<void> finish_entry() {
    if (!row_.empty()) return not_understood("dism", row_);
    if (fields_.empty()) return {};
    const auto fields = std::exchange(fields_, {});
    if (fields.size() < 2 || fields.size() > 4) return not_understood("dism", fields.front());
    return keep(fields[0], fields[1], fields[0]);
  }

  Result<void> keep(const std::string& identity, const std::string& state, std::string_view line) {
    if (!has_identity_shape(identity) || state.empty()) return not_understood("dism", line);
    const auto [place, added] = found_.emplace(identity, state);
    if (!added && place->second != state)
      return guest_error(fmt::format("dism gives '{}' two states, '{}' and '{}'", identity, place->second, state));
    return {};
  }

  std::map<std::string, std::string> found_;
  std::string row_;                  // of a table, as far as it was printed
  std::vector<std::string> fields_;  // of one entry of a list
  bool has_header_ = false;
  bool after_blank_ = false;
  bool whole_ = false;
};
}  // namespace

Result<std::map<std::string, std::string>> dism_packages(const std::string& text) { return DismList().read(text); }

Result<std::vector<std::vector<std::string>>> csv_rows(const std::string& text, std::size_t columns) {
  std::vector<std::vector<std::string>> rows;
  std::string broken;  // a row that goes on in the next line: a quote is open at its end
  for (const auto part : lines_of(text)) {
    if (trimmed(part).empty() && broken.empty()) continue;
    const auto line = std::exchange(broken, {}).append(part);
    if (std::count(line.begin(), line.end(), '"') % 2 != 0) {
      broken = line + " ";
      continue;
    }
    std::vector<std::string> row;
    auto rest = std::string_view(line);
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
  if (!broken.empty()) return not_understood("a list", broken);
  if (rows.empty()) return guest_error("a list without a single row");
  return rows;
}

namespace {
// Where Windows' range for ports that nobody asked for begins (RFC 6335 section 6; netsh int ipv4 show dynamicport
// tcp).
constexpr std::uint32_t first_dynamic_port = 49152;

bool chooses_ports_anew(std::string_view image) {
  constexpr std::array<std::string_view, 12> rpc_servers{"svchost.exe", "lsass.exe",   "services.exe", "wininit.exe",
                                                         "spoolsv.exe", "dns.exe",     "dfsrs.exe",    "ntfrs.exe",
                                                         "msdtc.exe",   "certsrv.exe", "mqsvc.exe",    "clussvc.exe"};
  return image.starts_with("microsoft.exchange.") ||
         std::find(rpc_servers.begin(), rpc_servers.end(), image) != rpc_servers.end();
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
    const bool is_tcp = words.size() >= 5 && words[0] == "TCP";  // some languages have states of two words
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

// What stands for &lt; and its like. An entity that XML does not define stays as it is.
std::string without_entities(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> named{
      {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"apos;", '\''}, {"quot;", '"'}}};
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    if (text[i] != '&') continue;
    for (const auto& [name, character] : named) {
      if (!text.substr(i + 1).starts_with(name)) continue;
      plain.back() = character;
      i += name.size();
      break;
    }
  }
  return plain;
}

// Leaf elements only: <A><B>x</B></A> gives B. <Data Name='C'>x</Data> is called after its name.
std::map<std::string, std::string> leaves(std::string_view xml) {
  std::map<std::string, std::string> found;
  for (auto open = xml.find('<'); open != std::string_view::npos; open = xml.find('<', open + 1)) {
    const auto close = xml.find('>', open);
    if (close == std::string_view::npos) break;
    const auto tag = xml.substr(open, close - open);
    const auto name = tag.substr(1, std::min(tag.find_first_of(" />", 1), tag.size()) - 1);
    const auto next = xml.find('<', close);
    if (name.empty() || next == std::string_view::npos) continue;
    if (!xml.substr(next).starts_with(fmt::format("</{}>", name))) continue;
    const auto label =
        name == "Data" ? attribute(xml.substr(open, close + 1 - open), "<Data", "Name") : std::string_view{};
    found[label.empty() ? std::string(name) : std::string(label)] =
        without_entities(trimmed(xml.substr(close + 1, next - close - 1), " \t\r\n"));
  }
  return found;
}
}  // namespace

Result<std::vector<Event>> events(const std::string& text) {
  constexpr std::string_view start = "<Event";
  constexpr std::string_view finish = "</Event>";
  std::vector<Event> found;
  std::string_view rest = text;
  for (rest = trimmed(rest, " \t\r\n"); !rest.empty(); rest = trimmed(rest, " \t\r\n")) {
    const auto end = rest.find(finish);
    const bool begins = rest.starts_with(start) && rest.find_first_of(" \t\r\n>") == start.size();
    if (!begins || end == std::string_view::npos) return not_understood("wevtutil", rest);
    const auto xml = rest.substr(0, end);
    const auto head = xml.find("</System>");
    if (head == std::string_view::npos) return not_understood("wevtutil", xml);
    const auto system = xml.substr(0, head);
    const auto id = number_in<std::uint32_t>(element(system, "EventID"));
    const auto record = number_in<std::uint64_t>(element(system, "EventRecordID"));
    const auto level_text = element(system, "Level");
    const auto level = level_text.empty() ? std::optional{0U} : number_in<std::uint32_t>(level_text);
    const auto provider = without_entities(attribute(system, "<Provider", "Name"));
    if (!id || !record || !level || provider.empty()) return not_understood("wevtutil", xml);
    Event event{provider, *id, *level, *record, std::string(attribute(system, "<TimeCreated", "SystemTime")), {}};
    // Not what /f:RenderedXml adds behind it: words in the machine's language.
    const auto data = xml.substr(head, std::min(xml.find("<RenderingInfo"), xml.size()) - head);
    for (const auto* part : {"<UserData", "<EventData"}) {
      if (const auto at = data.find(part); at != std::string_view::npos) event.data.merge(leaves(data.substr(at)));
    }
    found.push_back(std::move(event));
    rest.remove_prefix(end + finish.size());
  }
  return found;
}

Result<NtKernel> proves_windows(const Json& os_info) {
  const auto text = [&](const char* key) {
    const auto found = os_info.is_object() ? os_info.find(key) : os_info.end();
    return found != os_info.end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  if (text("id") != "mswindows")
    return configuration_error(fmt::format("the machine does not run Windows but '{}'", text("id")));
  if (text("machine") != "x86_64") {
    return configuration_error(fmt::format("it is a machine of kind '{}'; only x86_64 is supported", text("machine")));
  }
  return NtKernel{text("kernel-version"), text("kernel-release")};
}

Result<void> is_as_declared(const NtKernel& kernel, const std::string& declared_version) {
  const auto is_a_number = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  };
  const auto dot = std::min(kernel.version.find('.'), kernel.version.size());
  const auto minor = kernel.version.substr(std::min(dot + 1, kernel.version.size()));
  if (!is_a_number(kernel.version.substr(0, dot)) || !is_a_number(minor) || !is_a_number(kernel.build)) return {};
  const auto runs = kernel.version + "." + kernel.build;
  if (const auto reason = why_not_supported(runs); !reason.empty()) return configuration_error(reason);
  // "6.2" declares no build.
  const bool same = declared_version.empty() || (runs + ".").starts_with(declared_version + ".") ||
                    (declared_version + ".").starts_with(runs + ".");
  if (same) return {};
  return configuration_error(fmt::format("it runs Windows {}, the scenario says {}", runs, declared_version),
                             "correct 'version' under 'system' of its golden machine");
}

namespace {
// Where each digit of the short form stands in "{12345678-1234-1234-1212-121212121212}": the first three groups
// backwards, then pairs turned over.
constexpr std::array<std::size_t, 32> guid_places{8,  7,  6,  5,  4,  3,  2,  1,  13, 12, 11, 10, 18, 17, 16, 15,
                                                  21, 20, 23, 22, 26, 25, 28, 27, 30, 29, 32, 31, 34, 33, 36, 35};
}  // namespace

std::string packed_guid(std::string_view guid) {
  if (!is_guid(guid)) return {};
  std::string packed;
  for (const auto place : guid_places)
    packed += static_cast<char>(std::toupper(static_cast<unsigned char>(guid[place])));
  return packed;
}

std::string unpacked_guid(std::string_view packed) {
  if (packed.size() != guid_places.size()) return {};
  std::string guid = "{00000000-0000-0000-0000-000000000000}";
  for (std::size_t i = 0; i < packed.size(); ++i)
    guid[guid_places[i]] = static_cast<char>(std::toupper(static_cast<unsigned char>(packed[i])));
  return is_guid(guid) ? guid : std::string{};
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
    if (!device.is_object()) return guest_error("the agent named a network interface that is none");
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
  if (found.empty()) return guest_error("the agent named no network interface with a hardware address");
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

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/collectors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"

namespace patchlab::lab::guest::windows {

std::string RegistryQuestion::line() const {
  const bool all = std::string_view(value).empty();
  Values values{{"key", key}};
  if (!all) values.emplace_back("value", value);
  if (reach == Reach::tree) return line_of(all ? Command::registry_tree : Command::registry_search, values);
  return line_of(all ? Command::registry_key : Command::registry_value, values);
}

const std::vector<Collector>& collectors() {
  static const std::vector<Collector> all{service_collector(),   task_collector(),     account_collector(),
                                          share_collector(),     firewall_collector(), certificate_collector(),
                                          autostart_collector(), setting_collector(),  dns_collector(),
                                          dhcp_collector(),      web_collector()};
  return all;
}

std::vector<Question> collector_questions() {
  std::vector<Question> questions;
  for (const auto& collector : collectors()) {
    for (const auto& question : collector.registry) questions.push_back({question.section, question.line()});
    questions.insert(questions.end(), collector.others.begin(), collector.others.end());
  }
  return questions;
}

Collected collected(const Sections& found) {
  Collected all;
  for (const auto& collector : collectors()) {
    Rows rows;
    if (const auto read = collector.read(found, rows); !read) {
      for (const auto* kind : collector.kinds) all.unreadable[kind] = read.error().message;
      continue;
    }
    all.rows.merge(rows);
  }
  return all;
}

std::string collectors_markdown() {
  std::string text = "| Kinds | Asked |\n|---|---|\n";
  for (const auto& collector : collectors()) {
    std::string asked;
    std::string_view latest;  // a key that is named once for all of its values
    for (const auto& one : collector.registry) {
      const auto value = std::string_view(one.value).empty() ? std::string() : fmt::format("`{}`", one.value);
      if (one.key != latest) {
        asked += fmt::format("{}`{}`{}{}{}", asked.empty() ? "" : "; ", one.key,
                             one.reach == RegistryQuestion::Reach::tree ? " and below" : "", value.empty() ? "" : ": ",
                             value);
      } else {
        asked += ", " + value;
      }
      latest = one.key;
    }
    for (const auto& one : collector.others) asked += fmt::format("{}`{}`", asked.empty() ? "" : "; ", one.line);
    text += fmt::format("| {} | {} |\n", fmt::join(collector.kinds, ", "), asked);
  }
  return text;
}

Result<std::vector<RegistryKey>> registry_answer(const Sections& found, const RegistryQuestion& question) {
  return registry_in(found, question.section, question.absence);
}

Result<std::string> bytes_of(std::string_view hexadecimal) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2) {
    const auto high = digit(hexadecimal[i]);
    const auto low = digit(hexadecimal[i + 1]);
    if (high < 0 || low < 0) return guest_error(fmt::format("'{}' is not binary", shortened(hexadecimal)));
    bytes += static_cast<char>(high * 16 + low);
  }
  if (hexadecimal.size() % 2 != 0) return guest_error(fmt::format("'{}' ends within a byte", shortened(hexadecimal)));
  return bytes;
}

std::uint32_t number_at(std::string_view bytes, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i-- > 0;) {
    const auto byte = offset + i < bytes.size() ? static_cast<unsigned char>(bytes[offset + i]) : 0U;
    number = (number << 8U) | byte;
  }
  return number;
}

std::string sid_at(std::string_view bytes, std::size_t offset, std::size_t& length) {
  if (offset > bytes.size() || bytes.size() - offset < 8 || bytes[offset] != 1) return {};
  const std::size_t parts = static_cast<unsigned char>(bytes[offset + 1]);
  length = 8 + 4 * parts;
  if (parts > 15 || bytes.size() - offset < length) return {};
  std::uint64_t authority = 0;
  for (std::size_t i = 2; i < 8; ++i) authority = (authority << 8U) | static_cast<unsigned char>(bytes[offset + i]);
  auto text = fmt::format("S-1-{}", authority);
  for (std::size_t i = 0; i < parts; ++i) text += fmt::format("-{}", number_at(bytes, offset + 8 + 4 * i));
  return text;
}

// [MS-DTYP] 2.4.6, 2.4.5 and 2.4.4. The order of entries counts, so it is kept.
Result<std::string> access_list(std::string_view descriptor) {
  const auto trouble = [] { return guest_error("a security descriptor that is not understood"); };
  constexpr std::uint32_t self_relative = 0x8000;
  constexpr std::uint32_t has_list = 0x0004;
  if (descriptor.size() < 20 || descriptor[0] != 1) return trouble();
  const auto control = number_at(descriptor, 0) >> 16U;
  if ((control & self_relative) == 0) return trouble();
  const std::size_t list = number_at(descriptor, 16);
  if ((control & has_list) == 0 || list == 0) return std::string("allow S-1-1-0 everything, no list says who");
  if (list > descriptor.size() || descriptor.size() - list < 8) return trouble();
  const auto count = number_at(descriptor, list + 4) & 0xffffU;
  std::string text;
  auto at = list + 8;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (at > descriptor.size() || descriptor.size() - at < 8) return trouble();
    const auto type = static_cast<unsigned char>(descriptor[at]);
    const std::size_t bytes = number_at(descriptor, at) >> 16U;
    if (bytes < 8 || bytes > descriptor.size() - at) return trouble();
    std::size_t length = 0;
    const auto sid = type <= 1 ? sid_at(descriptor.substr(0, at + bytes), at + 8, length) : std::string{};
    if (type <= 1 && sid.empty()) return trouble();
    const auto* word = type == 0 ? "allow" : "deny";
    text += text.empty() ? "" : ", ";
    text += type <= 1 ? fmt::format("{} {} {:#x}", word, sid, number_at(descriptor, at + 4))
                      : fmt::format("entry of type {}, {:#x}", type, number_at(descriptor, at + 4));
    at += bytes;
  }
  return text.empty() ? std::string("nobody") : text;
}

std::string plain_command(std::string_view text) {
  text = trimmed(text);
  std::string plain(text);
  if (text.starts_with('"')) {
    const auto close = text.find('"', 1);
    if (close != std::string_view::npos) plain = std::string(text.substr(1, close - 1)).append(text.substr(close + 1));
  }
  if (plain.starts_with("\\??\\")) plain.erase(0, 4);
  const auto lower = lower_case(plain);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> starts{
      {{"\\systemroot\\", "C:\\Windows\\"},
       {"%systemroot%\\", "C:\\Windows\\"},
       {"%windir%\\", "C:\\Windows\\"},
       {"c:\\windows\\", "C:\\Windows\\"},
       {"system32\\", "C:\\Windows\\System32\\"}}};
  for (const auto& [start, folder] : starts) {
    if (lower.starts_with(start)) return std::string(folder).append(plain.substr(start.size()));
  }
  return plain;
}

}  // namespace patchlab::lab::guest::windows

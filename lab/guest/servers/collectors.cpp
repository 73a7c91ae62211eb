// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/servers/collectors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "lab/core/text.hpp"

namespace patchlab::lab::guest::servers {
namespace {

constexpr std::size_t longest_value = 2000;
constexpr std::size_t longest_item = 300;

std::string bounded(std::string text, std::size_t longest) {
  text = to_valid_utf8(text);
  if (text.size() <= longest) return text;
  const auto digest = sha256(text);
  auto cut = longest;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  text.resize(cut);
  return fmt::format("{}... (SHA-256 {})", text, digest);
}

}  // namespace

void Rows::add(const std::string& kind, const std::string& item, std::string value) {
  found_[kind][bounded(item, longest_item)].push_back(std::move(value));
}

std::map<std::string, std::map<std::string, std::string>> Rows::take() && {
  std::map<std::string, std::map<std::string, std::string>> rows;
  for (auto& [kind, items] : found_) {
    for (auto& [item, values] : items) {
      std::ranges::sort(values);
      rows[kind][item] = bounded(fmt::format("{}", fmt::join(values, "; ")), longest_value);
    }
  }
  return rows;
}

Error not_understood(const char* server, std::string_view text) {
  return guest_error(fmt::format("what '{}' says of itself is not understood: '{}'", server,
                                 to_valid_utf8(std::string(text.substr(0, 200)))));
}

Result<std::string> part_of(const char* server, const Parts& parts, const std::string& name) {
  const auto found = parts.find(name);
  if (found == parts.end()) return guest_error(fmt::format("what '{}' says of itself holds no '{}'", server, name));
  return found->second;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  auto lines = split(text, '\n');
  std::erase_if(lines, [](auto line) { return line.empty(); });
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text = trimmed(text);
    if (text.empty()) return words;
    words.push_back(text.substr(0, text.find_first_of(" \t")));
    text.remove_prefix(words.back().size());
  }
}

Setting setting_of(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return {};
  return {std::string(trimmed(line.substr(0, equals))), std::string(trimmed(line.substr(equals + 1)))};
}

std::string without_account(std::string_view address) {
  const auto host = address.find("://");
  if (host == std::string_view::npos) return std::string(address);
  const auto end = std::min(address.find('/', host + 3), address.size());
  const auto at = address.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(address);
  return std::string(address.substr(0, host + 3)) + "..." + std::string(address.substr(at));
}

}  // namespace patchlab::lab::guest::servers

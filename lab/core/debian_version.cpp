// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/debian_version.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace patchlab {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Weight of one character of a non-digit run; the end of the text (and any digit) weighs 0, so that only '~' sorts
// before it.
int weight(std::string_view text, std::size_t at) {
  if (at >= text.size() || is_digit(text[at])) return 0;
  const char c = text[at];
  if (c == '~') return -1;
  return is_letter(c) ? c : static_cast<unsigned char>(c) + 256;
}

std::string_view take_digits(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(begin, at - begin);
}

// Numbers of any length, leading zeros already gone.
std::strong_ordering compare_numbers(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return left.size() <=> right.size();
  return left.compare(right) <=> 0;
}

std::strong_ordering compare_part(std::string_view left, std::string_view right) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    while ((i < left.size() && !is_digit(left[i])) || (j < right.size() && !is_digit(right[j]))) {
      const int a = weight(left, i);
      const int b = weight(right, j);
      if (a != b) return a <=> b;
      ++i;
      ++j;
    }
    const auto a = take_digits(left, i);
    const auto b = take_digits(right, j);
    if (const auto order = compare_numbers(a, b); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

bool has_only(std::string_view text, std::string_view extra) {
  for (const char c : text) {
    if (!is_digit(c) && !is_letter(c) && extra.find(c) == std::string_view::npos) return false;
  }
  return true;
}

Result<unsigned long> epoch_of(std::string_view text, std::string_view whole) {
  unsigned long epoch = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (text.empty() || trouble != std::errc{} || end != text.data() + text.size()) {
    return configuration_error(fmt::format("version '{}': the epoch is not a number", whole));
  }
  if (epoch > std::numeric_limits<int>::max()) {
    return configuration_error(fmt::format("version '{}': the epoch is too big", whole));
  }
  return epoch;
}

VersionParts parts_or_whole(std::string_view text) {
  auto parts = version_parts(text);
  return parts ? *parts : VersionParts{0, text, {}};
}

}  // namespace

Result<VersionParts> version_parts(std::string_view text) {
  VersionParts parts;
  std::string_view rest = text;
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    PATCHLAB_ASSIGN(parts.epoch, epoch_of(rest.substr(0, colon), text));
    rest.remove_prefix(colon + 1);
  }
  if (const auto dash = rest.rfind('-'); dash != std::string_view::npos) {
    parts.revision = rest.substr(dash + 1);
    rest = rest.substr(0, dash);
    if (parts.revision.empty()) return configuration_error(fmt::format("version '{}': the revision is empty", text));
  }
  parts.upstream = rest;
  if (rest.empty()) return configuration_error(fmt::format("version '{}': the upstream part is empty", text));
  if (!is_digit(rest.front())) {
    return configuration_error(fmt::format("version '{}': the upstream part does not start with a digit", text));
  }
  if (!has_only(rest, ".-+~:") || !has_only(parts.revision, ".+~")) {
    return configuration_error(fmt::format("version '{}' has a character that versions cannot have", text));
  }
  return parts;
}

std::strong_ordering compare_versions(std::string_view left, std::string_view right) {
  const auto a = parts_or_whole(left);
  const auto b = parts_or_whole(right);
  if (const auto order = a.epoch <=> b.epoch; order != 0) return order;
  if (const auto order = compare_part(a.upstream, b.upstream); order != 0) return order;
  return compare_part(a.revision, b.revision);
}

bool is_same_version(std::string_view left, std::string_view right) {
  if (left == right) return true;
  // What is no version ("1.2 (half-configured)", "superseded") is only ever itself.
  return version_parts(left) && version_parts(right) && compare_versions(left, right) == 0;
}

std::string without_epoch(std::string_view version) {
  const auto colon = version.find(':');
  return std::string(colon == std::string_view::npos ? version : version.substr(colon + 1));
}

}  // namespace patchlab

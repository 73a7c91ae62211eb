// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/head.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "lab/core/digest.hpp"
#include "promotion/chain/line.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::string_view title = "patchlab ledger ";
constexpr std::uint64_t largest_size = (std::uint64_t{1} << 53U) - 1;

std::optional<ChainHead> head_of(std::string_view size, std::string_view hash) {
  ChainHead head;
  const auto end = size.data() + size.size();
  const auto [stop, code] = std::from_chars(size.data(), end, head.size);
  const bool is_number = code == std::errc() && stop == end && size.front() != '0' && head.size <= largest_size;
  if (!is_number || !is_sha256(hash)) return std::nullopt;
  head.hash = hash;
  return head;
}

}  // namespace

std::string head_text(const HeadNote& note) {
  return fmt::format("{}{}\n{}\n{}\n{}\n", title, note.ledger, note.head.size, note.head.hash, note.time);
}

Result<HeadNote> parse_head(const std::string& text, const std::string& name) {
  std::string_view rest(text);
  const auto next = [&] {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
  };
  const auto first = next();
  const auto size = next();
  const auto hash = next();
  const auto time = next();
  const auto head = head_of(size, hash);
  const bool is_head = first.starts_with(title) && is_sha256(first.substr(title.size())) && head && chain_time(time);
  HeadNote note;
  if (is_head) note = {std::string(first.substr(title.size())), *head, std::string(time)};
  if (!is_head || head_text(note) != text) {
    return configuration_error(
        fmt::format("{}: is no head of a ledger: 'patchlab ledger', number of lines, hash, time", name));
  }
  return note;
}

Result<ChainHead> parse_noted(const std::string& text) {
  const auto colon = text.find(':');
  const auto head = colon == std::string::npos
                        ? std::nullopt
                        : head_of(std::string_view(text).substr(0, colon), std::string_view(text).substr(colon + 1));
  if (!head) {
    return configuration_error(fmt::format("'{}' is no head that can be noted", text),
                               "write it as SIZE:HASH, or name the file with the head");
  }
  return *head;
}

}  // namespace patchlab::promotion

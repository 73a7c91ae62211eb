// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/witness.hpp"

#include <fmt/format.h>

#include <vector>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/evidence/bundle_chain.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_lines = 1U << 30U;
constexpr const char* look_hint =
    "keep what you have noted, and ask whoever runs the lab; compare with a copy of the ledger";

fs::path file_in(const fs::path& from) {
  if (is_there(from / chain_folder_name)) return from / chain_folder_name / chain_file_name;
  return is_folder(from) ? from / chain_file_name : from;
}

// The hash of each line.
Result<std::vector<std::string>> hashes_of(const fs::path& file, const std::string& text) {
  std::vector<std::string> hashes;
  std::optional<ChainLine> before;
  std::size_t at = 0;
  for (auto end = text.find('\n'); end != std::string::npos; at = end + 1, end = text.find('\n', at)) {
    const auto number = hashes.size() + 1;
    const auto broken = [&](const std::string& why) { return broken_line(file.parent_path(), number, why); };
    auto line = parse_chain_line(std::string_view(text).substr(at, end - at));
    if (!line) return broken("cannot be read: " + line.error().message);
    if (line->seq != number || line->prev != (hashes.empty() ? no_hash : hashes.back()))
      return broken("does not follow the one before");
    if (before && *chain_time(line->time) < *chain_time(before->time)) return broken("goes back in time");
    hashes.push_back(sha256(std::string_view(text).substr(at, end + 1 - at)));
    before = std::move(*line);
  }
  return hashes;
}

}  // namespace

Result<HeadNote> witness(const fs::path& from, const std::optional<HeadNote>& last,
                         std::chrono::system_clock::time_point now) {
  const auto file = file_in(from);
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_lines, Links::refuse));
  PATCHLAB_ASSIGN(const auto hashes, hashes_of(file, text));
  if (hashes.empty())
    return configuration_error(fmt::format("'{}' has no line: there is nothing to witness", file.string()));
  if (last && last->ledger != hashes.front())
    return configuration_error(fmt::format("'{}' is another ledger than the one that was noted", file.string()),
                               look_hint);
  if (last && last->head.size > hashes.size())
    return configuration_error(fmt::format("'{}' ends at line {}, but line {} was noted: its end was cut off",
                                           file.string(), hashes.size(), last->head.size),
                               look_hint);
  if (last && hashes[last->head.size - 1] != last->head.hash)
    return configuration_error(fmt::format("line {} of '{}' is not the one that was noted: the ledger was rewritten",
                                           last->head.size, file.string()),
                               look_hint);
  return HeadNote{hashes.front(), {hashes.size(), hashes.back()}, rfc3339(now)};
}

}  // namespace patchlab::promotion

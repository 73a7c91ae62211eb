// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/tree/snapshot_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "lab/core/digest.hpp"

namespace patchlab::snapshots {
namespace {
constexpr std::size_t longest_name = 63;

bool is_allowed(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.'; }
}  // namespace

Result<SnapshotName> SnapshotName::parse(const std::string& text) {
  const bool usable = !text.empty() && text.size() <= longest_name &&
                      std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
                      std::all_of(text.begin(), text.end(), is_allowed);
  if (!usable) {
    return configuration_error(
        fmt::format("'{}' is not a snapshot name", text),
        fmt::format("use letters, digits, '.' and '-', at most {}, a letter or digit first", longest_name));
  }
  return SnapshotName(text);
}

SnapshotName SnapshotName::baseline() { return SnapshotName("baseline"); }

SnapshotName SnapshotName::tonight() { return SnapshotName("tonight"); }

SnapshotName SnapshotName::for_prefix(const std::vector<std::string>& candidate_digests) {
  if (candidate_digests.empty()) return baseline();
  DigestBuilder builder;
  for (const auto& digest : candidate_digests) builder.add(digest);
  // 128 bits of the digest: no two prefixes of one run collide.
  return SnapshotName(fmt::format("prefix-{}-{}", candidate_digests.size(), builder.finish().substr(0, 32)));
}

}  // namespace patchlab::snapshots

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::snapshots {

// The name of one saved state of a whole cell; the same on each of its machines. Letters, digits, '.', '-', at most 63:
// what libvirt, QEMU and file systems all take.
class SnapshotName {
 public:
  [[nodiscard]] static Result<SnapshotName> parse(const std::string& text);
  // Where every trial starts.
  [[nodiscard]] static SnapshotName baseline();
  // Where the trials of a night start that has the baseline of an earlier run in the same disks, and keeps it.
  [[nodiscard]] static SnapshotName tonight();
  // The state after applying these candidates (by digest, in this order) to the baseline: "prefix-2-<digest>". Nothing
  // applied is the baseline.
  [[nodiscard]] static SnapshotName for_prefix(const std::vector<std::string>& candidate_digests);

  [[nodiscard]] const std::string& text() const { return text_; }
  auto operator<=>(const SnapshotName&) const = default;

 private:
  explicit SnapshotName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace patchlab::snapshots

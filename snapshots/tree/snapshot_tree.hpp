// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "snapshots/tree/snapshot_name.hpp"

namespace patchlab::snapshots {

using Prefix = std::vector<std::string>;  // candidate digests in the order applied

// Which states of a cell are saved, as pure data: each node is an ordered prefix of patches applied to the baseline,
// its parent the prefix without the last one. The owner does the saving and deleting; the tree says from where to start
// and what to give up. Every node is a complete state (internal snapshots do not build on each other), so deleting a
// parent never hurts its children. Not thread-safe.
class SnapshotTree {
 public:
  // `limit`: how many prefixes are kept besides the baseline, which is never given up.
  explicit SnapshotTree(std::size_t limit) : limit_(limit) {}

  struct Start {
    SnapshotName snapshot;
    std::size_t applied;  // how many of the sequence are already in it
  };
  // The saved state that leaves the least to do for this sequence; its use counts for retention.
  [[nodiscard]] Start start_for(const Prefix& sequence);

  // Records a saved prefix and returns the names to delete to stay within the limit: those that are missed least
  // (retention.hpp), never the new one. An empty prefix (the baseline) and a prefix that is already there change
  // nothing but its age.
  [[nodiscard]] std::vector<SnapshotName> add(const Prefix& prefix);
  void remove(const SnapshotName& name);

  [[nodiscard]] bool has(const SnapshotName& name) const;

 private:
  struct Node {
    Prefix prefix;
    std::uint64_t last_use = 0;
  };
  [[nodiscard]] std::vector<SnapshotName> given_up();

  std::size_t limit_;
  std::uint64_t uses_ = 0;
  std::map<SnapshotName, Node> nodes_;
};

}  // namespace patchlab::snapshots

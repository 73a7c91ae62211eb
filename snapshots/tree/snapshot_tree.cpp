// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/tree/snapshot_tree.hpp"

#include <algorithm>

namespace patchlab::snapshots {

SnapshotTree::Start SnapshotTree::start_for(const Prefix& sequence) {
  for (auto prefix = sequence; !prefix.empty(); prefix.pop_back()) {
    const auto node = nodes_.find(SnapshotName::for_prefix(prefix));
    if (node == nodes_.end()) continue;
    node->second.last_use = ++uses_;
    return {node->first, prefix.size()};
  }
  return {SnapshotName::baseline(), 0};
}

std::vector<SnapshotName> SnapshotTree::add(const Prefix& prefix) {
  if (prefix.empty()) return {};
  const auto name = SnapshotName::for_prefix(prefix);
  nodes_[name] = {prefix, ++uses_};
  return given_up(name);
}

std::vector<SnapshotName> SnapshotTree::given_up(const SnapshotName& newest) {
  std::vector<SnapshotName> names;
  while (nodes_.size() > std::max<std::size_t>(limit_, 1)) {
    const auto oldest = std::min_element(nodes_.begin(), nodes_.end(), [&](const auto& a, const auto& b) {
      // The new one has the highest number already; naming it keeps that from becoming an accident.
      if ((a.first == newest) != (b.first == newest)) return b.first == newest;
      return a.second.last_use < b.second.last_use;
    });
    names.push_back(oldest->first);
    nodes_.erase(oldest);
  }
  return names;
}

void SnapshotTree::remove(const SnapshotName& name) { nodes_.erase(name); }

bool SnapshotTree::has(const SnapshotName& name) const { return nodes_.contains(name); }

}  // namespace patchlab::snapshots

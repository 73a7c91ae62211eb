// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/tree/snapshot_tree.hpp"

#include <algorithm>

#include "snapshots/tree/retention.hpp"

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
  return given_up();
}

std::vector<SnapshotName> SnapshotTree::given_up() {
  std::vector<SnapshotName> names;
  while (nodes_.size() > std::max<std::size_t>(limit_, 1)) {
    std::vector<std::map<SnapshotName, Node>::iterator> by_use;
    for (auto node = nodes_.begin(); node != nodes_.end(); ++node) by_use.push_back(node);
    std::ranges::sort(by_use, {}, [](auto node) { return node->second.last_use; });
    std::vector<const Prefix*> held;
    for (const auto node : by_use) held.push_back(&node->second.prefix);
    const auto node = by_use[missed_least(held)];
    names.push_back(node->first);
    nodes_.erase(node);
  }
  return names;
}

void SnapshotTree::remove(const SnapshotName& name) { nodes_.erase(name); }

bool SnapshotTree::has(const SnapshotName& name) const { return nodes_.contains(name); }

}  // namespace patchlab::snapshots

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/snapshot_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::lab::libvirt {
namespace {

constexpr const char* job = "patchlab-snapshot";
// libvirt's names for the two parts of the firmware: libvirt-pflash0-format has the code, 1 the variables.
constexpr std::string_view flash_nodes = "libvirt-pflash";

// A member of an object; null when it is not there.
const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? nothing : *found;
}
std::string text(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

Error none_such(const std::string& snapshot) {
  return infrastructure_error(fmt::format("QEMU has no snapshot '{}' of the machine's memory", snapshot));
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Result<Json> SnapshotJobs::ask(const char* command, Json arguments) const {
  PATCHLAB_ASSIGN(const auto reply, monitor_(Json{{"execute", command}, {"arguments", std::move(arguments)}}.dump()));
  PATCHLAB_ASSIGN(const auto json, parse_json(reply, fmt::format("QEMU's reply to '{}'", command)));
  if (const auto& error = member(json, "error"); !error.is_null())
    return infrastructure_error(fmt::format("QEMU refuses '{}': {}", command, text(member(error, "desc"))));
  return member(json, "return");
}

Result<SnapshotJobs::Disks> SnapshotJobs::disks() const {
  PATCHLAB_ASSIGN(const auto drives, ask("query-block"));
  Disks disks;
  for (const auto& drive : drives) {
    const auto& inserted = member(drive, "inserted");
    const auto node = text(member(inserted, "node-name"));
    if (node.empty() || node.starts_with(flash_nodes)) continue;
    if (member(drive, "removable") == true) disks.medium = text(member(drive, "qdev"));
    if (member(inserted, "ro") == true) continue;
    if (disks.nodes.empty()) {
      for (const auto& snapshot : member(member(inserted, "image"), "snapshots"))
        disks.snapshots.push_back(text(member(snapshot, "name")));
    }
    disks.nodes.push_back(node);
  }
  if (disks.nodes.empty()) return infrastructure_error("the machine has no disk that it writes");
  return disks;
}

Result<bool> SnapshotJobs::has(const std::string& snapshot) const {
  PATCHLAB_ASSIGN(const auto disks, this->disks());
  return contains(disks.snapshots, snapshot);
}

Result<void> SnapshotJobs::save(const std::string& snapshot) const {
  PATCHLAB_ASSIGN(const auto disks, this->disks());
  return with_memory("snapshot-save", snapshot, disks);
}

// QEMU stops the machine before it looks whether there is such a snapshot.
Result<void> SnapshotJobs::load(const std::string& snapshot) const {
  PATCHLAB_ASSIGN(const auto disks, this->disks());
  if (!contains(disks.snapshots, snapshot)) return none_such(snapshot);
  return with_memory("snapshot-load", snapshot, disks);
}

// For QEMU it is no error when there is no such snapshot.
Result<void> SnapshotJobs::remove(const std::string& snapshot) const {
  PATCHLAB_ASSIGN(const auto disks, this->disks());
  if (!contains(disks.snapshots, snapshot)) return none_such(snapshot);
  return run("snapshot-delete", {{"tag", snapshot}, {"devices", disks.nodes}});
}

Result<void> SnapshotJobs::with_memory(const char* command, const std::string& snapshot, const Disks& disks) const {
  if (!disks.medium.empty())
    return infrastructure_error(fmt::format("the drive '{}' must be empty, and a medium is in it", disks.medium));
  return run(command, {{"tag", snapshot}, {"vmstate", disks.nodes.front()}, {"devices", disks.nodes}});
}

Result<void> SnapshotJobs::run(const char* command, Json arguments) const {
  arguments["job-id"] = job;
  PATCHLAB_TRY(ask(command, std::move(arguments)));
  auto outcome = await(command);
  // A job keeps its name until it is dismissed; of one that goes on, QEMU refuses that, and the next job says so.
  const auto dismissed = ask("job-dismiss", {{"id", job}});
  if (outcome && !dismissed) return dismissed.error();
  return outcome;
}

Result<void> SnapshotJobs::await(const char* command) const {
  Result<void> outcome;
  std::string status;
  const auto has_ended = [&] {
    const auto jobs = ask("query-jobs");
    if (!jobs) {
      outcome = jobs.error();
      return true;
    }
    const auto ours = std::ranges::find_if(*jobs, [](const Json& one) { return text(member(one, "id")) == job; });
    if (ours == jobs->end()) {
      outcome = infrastructure_error(fmt::format("QEMU lost its job '{}'", command));
      return true;
    }
    status = text(member(*ours, "status"));
    if (status != "concluded") return false;
    if (const auto error = text(member(*ours, "error")); !error.empty())
      outcome = infrastructure_error(fmt::format("QEMU's '{}' failed: {}", command, error));
    return true;
  };
  // QEMU answers nothing while it writes or reads memory, so this hardly ever asks twice; the deadline is for jobs that
  // wait for something.
  const Wait wait{.awaited = fmt::format("QEMU's '{}' to end", command),
                  .deadline = std::chrono::minutes(10),
                  .interval = Milliseconds(20),
                  .last_seen = [&] { return status; },
                  .stop = {}};
  PATCHLAB_TRY(wait_until(clock_, wait, has_ended));
  return outcome;
}

}  // namespace patchlab::lab::libvirt

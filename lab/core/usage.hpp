// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <map>
#include <optional>
#include <string>

namespace patchlab {

// What a guest uses up while it runs.
enum class Resource {
  memory,       // KiB: of a service what is its own alone, of the machine all that is not available
  tasks,        // processes and threads
  open_files,   // files, sockets and pipes that processes hold open
  connections,  // established TCP connections, both ends
  disk,         // KiB that are taken of a file system
  logs,         // KiB below /var/log and of the journal
};

inline constexpr std::array all_resources{Resource::memory,      Resource::tasks, Resource::open_files,
                                          Resource::connections, Resource::disk,  Resource::logs};

// "memory", "tasks", "open files", ...
[[nodiscard]] inline const char* to_string(Resource resource) {
  switch (resource) {
    case Resource::memory: return "memory";
    case Resource::tasks: return "tasks";
    case Resource::open_files: return "open files";
    case Resource::connections: return "connections";
    case Resource::disk: return "disk";
    case Resource::logs: return "logs";
  }
  return "?";
}
[[nodiscard]] inline std::optional<Resource> resource_from(const std::string& word) {
  const auto found = std::ranges::find_if(all_resources, [&](auto one) { return word == to_string(one); });
  return found == all_resources.end() ? std::nullopt : std::optional(*found);
}

struct Used {
  Resource resource = Resource::memory;
  std::string of;  // a service, or the mount point of a file system; empty: of the machine
  auto operator<=>(const Used&) const = default;
};

// At one moment.
struct Usage {
  std::map<Used, double> amounts;
  std::map<Used, double> room;  // what is left up to a limit, where there is one
};

}  // namespace patchlab

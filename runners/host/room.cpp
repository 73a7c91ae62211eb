// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/room.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <vector>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::runners::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* folder_name = "memory";
constexpr const char* asking_name = "memory.lock";  // beside the folder of all runs, held while somebody asks
constexpr Milliseconds asking_takes_at_most{10'000};
constexpr std::uint64_t share_of_others = 16;

struct Promise {
  std::string department;
  std::uint64_t mib = 0;
  bool own = false;
};

// "3720 finance"
std::optional<Promise> read_promise(const fs::path& file) {
  const auto text = read_file(file);
  if (!text) return std::nullopt;  // given back in between
  Promise promise;
  const auto* const end = text->data() + text->size();
  const auto [rest, code] = std::from_chars(text->data(), end, promise.mib);
  if (code != std::errc{} || rest == end || *rest != ' ') return std::nullopt;
  promise.department.assign(rest + 1, end);
  return promise;
}

// What cannot be looked at may be held.
bool is_held(const fs::path& file) {
  const auto free = FileLock::try_take(file, FileLock::Mode::exclusive);
  return !free || !*free;
}

std::vector<Promise> promises_in(const fs::path& cells, const fs::path& own) {
  std::vector<Promise> promises;
  for (const auto& run : entries_of(cells).value_or({})) {
    if (!is_folder(run / folder_name)) continue;
    for (const auto& file : entries_of(run / folder_name).value_or({})) {
      auto promise = read_promise(file);
      if (!promise || !is_held(file)) continue;  // of a run that was killed
      promise->own = run == own;
      promises.push_back(std::move(*promise));
    }
  }
  return promises;
}

std::string names(const std::vector<Promise>& promises) {
  std::vector<std::string> names;
  for (const auto& promise : promises)
    names.push_back(fmt::format("'{}'{}", promise.department, promise.own ? "" : " of another run"));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Result<HostMemory> memory_of_this_host() {
  PATCHLAB_ASSIGN(const auto text, read_file("/proc/meminfo"));
  std::istringstream info(text);
  std::string word;
  std::uint64_t total_kib = 0, available_kib = 0;
  while (info >> word) {
    if (word == "MemTotal:") info >> total_kib;
    if (word == "MemAvailable:") info >> available_kib;
  }
  if (total_kib == 0) return infrastructure_error("'/proc/meminfo' does not say how much memory the host has");
  return HostMemory{total_kib / 1024, available_kib / 1024};
}

PromisedRoom::~PromisedRoom() {
  if (file_.empty()) return;  // moved from
  std::error_code code;
  fs::remove(file_, code);
}

Result<Room::Answer> Room::ask(const std::string& department, std::uint64_t mib, std::uint64_t used_mib) {
  const auto cells = scratch_.parent_path();
  PATCHLAB_ASSIGN(const auto asking, FileLock::take(cells.parent_path() / asking_name, FileLock::Mode::exclusive,
                                                    {.limit = asking_takes_at_most}));
  PATCHLAB_ASSIGN(const auto memory, look_());
  const auto promises = promises_in(cells, scratch_);
  std::uint64_t promised = 0, own = 0;
  for (const auto& promise : promises) {
    promised += promise.mib;
    if (promise.own) own += promise.mib;
  }
  const auto most = memory.total_mib - memory.total_mib / share_of_others;
  const auto unused = own > used_mib ? own - used_mib : 0;
  const auto left = memory.available_mib > unused ? memory.available_mib - unused : 0;
  Answer answer;
  if (promised + mib > most || mib > left) {
    answer.why = fmt::format("it needs {} MiB of memory, ", mib);
    if (promises.empty()) {
      answer.why +=
          fmt::format("and there are {}; it begins all the same, as nobody could give any back", std::min(most, left));
    } else if (promised + mib > most) {
      answer.why +=
          fmt::format("and of {} that machines may have here {} are promised to {}", most, promised, names(promises));
      return answer;
    } else {
      answer.why += fmt::format("and {} are available beside what was promised to {}", left, names(promises));
      return answer;
    }
  }
  PATCHLAB_TRY(create_folders(scratch_ / folder_name));
  const auto file = scratch_ / folder_name / sha256(department);
  PATCHLAB_TRY(write_file_atomically(file, fmt::format("{} {}", mib, department)));
  PATCHLAB_ASSIGN(auto lock, FileLock::take(file, FileLock::Mode::exclusive, FileLock::at_once()));
  answer.room.emplace(PromisedRoom(file, std::move(lock)));
  return answer;
}

}  // namespace patchlab::runners::host

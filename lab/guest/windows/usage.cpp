// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/usage.hpp"

#include <fmt/format.h>

#include <charconv>

#include "lab/core/text.hpp"
#include "lab/guest/windows/replies.hpp"

namespace patchlab::lab::guest::windows {
namespace {

constexpr double kib = 1024;

Result<double> number_in(const std::map<std::string, std::string>& row, const char* column) {
  const auto& text = row.at(column);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return guest_error(fmt::format("wmic says '{}' of {}, which is no number", shortened(text, 40), column));
  return static_cast<double>(value);
}

Result<void> add_memory(const UsageReplies& replies, Usage& usage) {
  PATCHLAB_ASSIGN(const auto memory, table_rows(replies.memory, {"FreePhysicalMemory", "TotalVisibleMemorySize"}));
  PATCHLAB_ASSIGN(const auto pools, table_rows(replies.pools, {"PoolNonpagedBytes", "PoolPagedBytes"}));
  if (memory.size() != 1 || pools.size() != 1) return guest_error("wmic does not tell what memory there is");
  PATCHLAB_ASSIGN(const auto free, number_in(memory.front(), "FreePhysicalMemory"));
  PATCHLAB_ASSIGN(const auto all, number_in(memory.front(), "TotalVisibleMemorySize"));
  usage.amounts[{Resource::memory, ""}] = all - free;
  usage.room[{Resource::memory, ""}] = free;
  PATCHLAB_ASSIGN(const auto nonpaged, number_in(pools.front(), "PoolNonpagedBytes"));
  PATCHLAB_ASSIGN(const auto paged, number_in(pools.front(), "PoolPagedBytes"));
  usage.amounts[{Resource::memory, "nonpaged pool"}] = nonpaged / kib;
  usage.amounts[{Resource::memory, "paged pool"}] = paged / kib;
  return {};
}

// What asks is left out: it is there while it asks alone.
Result<void> add_processes(const UsageReplies& replies, Usage& usage) {
  PATCHLAB_ASSIGN(const auto rows,
                  table_rows(replies.processes, {"HandleCount", "Name", "PrivatePageCount", "ThreadCount"}));
  bool any = false;
  for (const auto& row : rows) {
    const auto& name = row.at("Name");
    if (name.empty() || name == "System Idle Process" || lower_case(name) == "wmic.exe") continue;
    PATCHLAB_ASSIGN(const auto handles, number_in(row, "HandleCount"));
    PATCHLAB_ASSIGN(const auto bytes, number_in(row, "PrivatePageCount"));
    PATCHLAB_ASSIGN(const auto threads, number_in(row, "ThreadCount"));
    for (const auto& of : {name, std::string()}) {
      usage.amounts[{Resource::tasks, of}] += threads;
      usage.amounts[{Resource::open_files, of}] += handles;
    }
    usage.amounts[{Resource::memory, name}] += bytes / kib;
    any = true;
  }
  if (!any) return guest_error("wmic names no process");
  return {};
}

Result<void> add_disks(const UsageReplies& replies, Usage& usage) {
  PATCHLAB_ASSIGN(const auto rows, table_rows(replies.disks, {"DeviceID", "FreeSpace", "Size"}));
  for (const auto& row : rows) {
    if (row.at("Size").empty()) continue;  // a volume without a file system that is known
    PATCHLAB_ASSIGN(const auto free, number_in(row, "FreeSpace"));
    PATCHLAB_ASSIGN(const auto all, number_in(row, "Size"));
    const Used disk{Resource::disk, row.at("DeviceID")};
    usage.amounts[disk] = (all - free) / kib;
    usage.room[disk] = free / kib;
  }
  return {};
}

}  // namespace

Result<Usage> usage_from(const UsageReplies& replies) {
  Usage usage;
  PATCHLAB_TRY(add_memory(replies, usage));
  PATCHLAB_TRY(add_processes(replies, usage));
  PATCHLAB_TRY(add_disks(replies, usage));
  return usage;
}

}  // namespace patchlab::lab::guest::windows

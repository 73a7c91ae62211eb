// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/host_facts.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <sstream>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "runners/cell/place.hpp"

namespace patchlab::runners {
namespace {

struct ProcessFact {
  pid_t parent = 0;
  std::int64_t resident_kib = 0;
};

std::map<pid_t, ProcessFact> all_processes() {
  std::map<pid_t, ProcessFact> processes;
  const auto page_kib = ::sysconf(_SC_PAGESIZE) / 1024;
  for (const auto& entry : entries_of("/proc").value_or({})) {
    pid_t pid = 0;
    const auto name = entry.filename().string();
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc() || pid == 0) continue;
    const auto stat = read_file(entry / "stat");
    if (!stat) continue;                       // ended meanwhile; a stream would throw
    const auto after_name = stat->rfind(')');  // the name may hold anything, also ") "
    if (after_name == std::string::npos) continue;
    std::istringstream fields(stat->substr(after_name + 2));
    std::string state, skipped;
    ProcessFact fact;
    fields >> state >> fact.parent;
    for (int i = 0; i < 19; ++i) fields >> skipped;  // up to field 23 of proc(5)
    std::int64_t pages = 0;
    fields >> pages;
    fact.resident_kib = pages * page_kib;
    processes[pid] = fact;
  }
  return processes;
}

std::int64_t resident_below(pid_t root) {
  const auto processes = all_processes();
  std::int64_t sum = 0;
  for (const auto& [pid, fact] : processes) {
    auto at = pid;
    for (int depth = 0; at > 1 && at != root && depth < 64; ++depth) {
      const auto found = processes.find(at);
      at = found == processes.end() ? 0 : found->second.parent;
    }
    if (at == root) sum += fact.resident_kib;
  }
  return sum;
}

}  // namespace

std::map<std::string, std::string> host_facts(ProcessRunner& processes) {
  std::map<std::string, std::string> facts;
  if (auto kernel = cell::kernel_release(); !kernel.empty()) facts["kernel"] = std::move(kernel);
  facts["cpus"] = std::to_string(std::thread::hardware_concurrency());
  facts["memory_mib"] = std::to_string(::sysconf(_SC_PHYS_PAGES) / 256 * (::sysconf(_SC_PAGESIZE) / 4096));
  if (auto qemu = cell::qemu_version(processes); !qemu.empty()) facts["qemu"] = std::move(qemu);
  return facts;
}

MemorySampler::MemorySampler() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    std::mutex sleeping;
    std::condition_variable_any tick;
    std::unique_lock lock(sleeping);
    do {
      const auto now = resident_below(::getpid());
      const std::lock_guard guard(mutex_);
      now_kib_ = now;
      peak_kib_ = std::max(peak_kib_, now);
    } while (!tick.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; }) && !stop.stop_requested());
  });
}

std::int64_t MemorySampler::peak_kib() const {
  const std::lock_guard lock(mutex_);
  return peak_kib_;
}

std::int64_t MemorySampler::now_kib() const {
  const std::lock_guard lock(mutex_);
  return now_kib_;
}

}  // namespace patchlab::runners

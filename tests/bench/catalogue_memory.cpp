// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// catalogue_memory MEGABYTES FILE COMMAND...: writes a catalogue of so many megabytes unpacked into FILE, where only
// its packed bytes lie, and runs COMMAND FILE. Prints what both took, and ends with 1 when the command failed or its
// memory was ever more than 1 GiB, as the kernel counts it (ru_maxrss, getrusage(2)).
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/support/catalogue_sample.hpp"

namespace {

constexpr long most_kib = 1L << 20U;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t megabytes = 0;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::char_traits<char>::length(argv[1]), megabytes);
  if (argc < 4 || megabytes == 0) {
    fmt::print(stderr, "catalogue_memory MEGABYTES FILE COMMAND...\n");
    return 64;
  }
  const std::string file = argv[2];
  auto start = std::chrono::steady_clock::now();
  const auto made = patchlab::tests::write_large_catalogue(file, megabytes * 1'000'000);
  fmt::print("written: {} updates in {} cabinets, {:.1f} GB unpacked, {:.1f} MB packed, in {:.0f} s\n", made.updates,
             made.cabinets, static_cast<double>(made.unpacked) / 1e9, static_cast<double>(made.packed) / 1e6,
             seconds_since(start));
  std::fflush(stdout);
  std::vector<char*> command(argv + 3, argv + argc);
  command.push_back(argv[2]);
  command.push_back(nullptr);
  start = std::chrono::steady_clock::now();
  const auto child = ::fork();
  if (child == 0) {
    ::execvp(command[0], command.data());
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  if (child < 0 || ::wait4(child, &status, 0, &used) != child) {
    fmt::print(stderr, "'{}' could not be started\n", command[0]);
    return 1;
  }
  ::unlink(file.c_str());
  const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  fmt::print("read: {:.0f} s, peak memory {:.0f} MiB (at most {} MiB are allowed){}\n", seconds_since(start),
             static_cast<double>(used.ru_maxrss) / 1024, most_kib / 1024, ended_well ? "" : "; the command failed");
  return ended_well && used.ru_maxrss <= most_kib ? 0 : 1;
}

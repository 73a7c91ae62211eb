// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// catalogue_memory MEGABYTES FILE COMMAND...: writes a catalogue of so many megabytes unpacked into FILE, where only
// its packed bytes lie; runs COMMAND FILE; and reads it as a scan does, which keeps what is for one Windows. Prints
// what each took, and ends with 1 when one failed, the scan did not find what is there, or the memory of one was ever
// more than 1 GiB, as the kernel counts it (ru_maxrss, getrusage(2)).
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "patches/catalogue/catalogue.hpp"
#include "tests/support/catalogue_sample.hpp"

namespace {

constexpr long most_kib = 1L << 20U;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What the process that does this took; whether it ended well and was bounded.
bool measure(const char* what, const std::function<int()>& work) {
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  const auto child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  rusage used{};
  if (child < 0 || ::wait4(child, &status, 0, &used) != child) {
    fmt::print(stderr, "{}: no process\n", what);
    return false;
  }
  const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  fmt::print("{}: {:.0f} s, {:.0f} s of a processor, peak memory {:.0f} MiB (at most {} MiB are allowed){}\n", what,
             seconds_since(start), seconds(used.ru_utime) + seconds(used.ru_stime),
             static_cast<double>(used.ru_maxrss) / 1024, most_kib / 1024, ended_well ? "" : "; it failed");
  return ended_well && used.ru_maxrss <= most_kib;
}

// For Windows Server 2019 alone; 0: as many as were written.
int scan(const std::string& file, std::size_t written) {
  const auto source = patchlab::patches::FileSource::open(file);
  if (!source) return 1;
  const auto read = patchlab::patches::read_catalogue(*source, file, {{patchlab::tests::server_2019}, false});
  if (!read) fmt::print("{}\n", read.error().message);
  if (read) fmt::print("for Windows Server 2019: {} of {} updates\n", read->updates.size(), read->entries);
  std::fflush(stdout);
  return read && read->updates.size() == written ? 0 : 1;
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
  const auto start = std::chrono::steady_clock::now();
  const auto made = patchlab::tests::write_large_catalogue(file, megabytes * 1'000'000);
  fmt::print("written: {} updates in {} cabinets, {:.1f} GB unpacked, {:.1f} MB packed, in {:.0f} s\n", made.updates,
             made.cabinets, static_cast<double>(made.unpacked) / 1e9, static_cast<double>(made.packed) / 1e6,
             seconds_since(start));
  std::vector<char*> command(argv + 3, argv + argc);
  command.push_back(argv[2]);
  command.push_back(nullptr);
  const bool read = measure("read", [&] {
    ::execvp(command[0], command.data());
    return 127;
  });
  const bool scanned = measure("read as a scan does", [&] { return scan(file, made.in_scope); });
  ::unlink(file.c_str());
  return read && scanned ? 0 : 1;
}

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace patchlab::e2e {

// A program under ptrace(2), killed with SIGKILL at one of its system calls that change files: as a power cut, a full
// oom-killer or a person does it, at a moment that nobody chose. Its children run on, unwatched.
struct Point {
  std::size_t call = 0;  // of those that change files, from 0
  // Before the call is made, or with the half of it done (of a write, half of the bytes).
  enum class Moment { before, half } moment = Moment::before;
};

struct Watched {
  std::vector<std::string> calls;  // that change files, in order: "write /.../ledger.jsonl"
  bool killed = false;             // at the point that was asked for
  int exit_code = -1;              // when it was not
  std::string output;              // both streams
};

// To its end, and what it did; or until `point`. A test fails (and says why) when it cannot be watched.
[[nodiscard]] Watched watch(const std::string& program, const std::vector<std::string>& arguments,
                            const std::filesystem::path& folder, const Point* point = nullptr);
// Empty when programs can be watched here; else why not, for GTEST_SKIP.
[[nodiscard]] std::string why_no_watching();

// All points of these calls, or as many of them as PATCHLAB_KILL_POINTS says ("all", or a number; 8 by default),
// evenly.
[[nodiscard]] std::vector<Point> points_of(const std::vector<std::string>& calls);

}  // namespace patchlab::e2e

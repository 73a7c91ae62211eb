// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "lab/core/time.hpp"
#include "patches/bytes/anonymous_file.hpp"

// Microsoft cabinets ([MS-CAB]), read with libmspack without a file being written. Nothing a cabinet declares is
// believed: sizes, counts and offsets are compared with what is there and with a budget, names are checked, and
// cabinets of several parts are refused.
namespace patchlab::patches {

struct CabLimits {
  std::uint64_t entries = 200'000;              // of all cabinets of one package together
  std::uint64_t unpacked_bytes = 20ULL << 30U;  // likewise
  Milliseconds time{std::chrono::minutes(10)};
};

// What is left of the limits. One budget serves a package with all the cabinets inside it, so that nesting does not
// multiply them.
class UnpackBudget {
 public:
  explicit UnpackBudget(const CabLimits& limits = {})
      : limits_(limits),
        entries_(limits.entries),
        bytes_(limits.unpacked_bytes),
        deadline_(std::chrono::steady_clock::now() + limits.time) {}

  [[nodiscard]] Result<void> take_entries(std::uint64_t count);
  [[nodiscard]] Result<void> take_bytes(std::uint64_t count);
  [[nodiscard]] bool late() const { return std::chrono::steady_clock::now() > deadline_; }
  [[nodiscard]] Error too_late() const;

 private:
  CabLimits limits_;
  std::uint64_t entries_;
  std::uint64_t bytes_;
  std::chrono::steady_clock::time_point deadline_;
};

struct CabEntry {
  std::string name;  // as stored, made valid UTF-8; folders are separated by '\'
  std::uint64_t bytes = 0;
  bool operator==(const CabEntry&) const = default;
};

struct CabContent {
  std::vector<CabEntry> entries;  // in the order of the cabinet's directory
  std::uint64_t unpacked_bytes = 0;
  bool carries_signature = false;  // the reserved header field points at Authenticode data after the cabinet
};

// Where an entry's bytes go; null: they are only unpacked and their checksums compared.
using ChooseSink = std::function<Result<ByteSink*>(const CabEntry&)>;

[[nodiscard]] bool is_cabinet(const ByteSource& source);

// The directory alone; the declared sizes in it are unproven.
[[nodiscard]] Result<CabContent> list_cabinet(const ByteSource& source, const std::string& name,
                                              const CabLimits& limits = {});
// Unpacks every entry once, front to back, so that a damaged or truncated cabinet is found here and not in a guest.
// Errors begin with
// "'name'".
[[nodiscard]] Result<CabContent> read_cabinet(const ByteSource& source, const std::string& name, UnpackBudget& budget,
                                              const ChooseSink& choose);

}  // namespace patchlab::patches

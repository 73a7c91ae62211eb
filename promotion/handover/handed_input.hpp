// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"
#include "lab/core/time.hpp"

namespace patchlab::promotion {

// What somebody hands over through a pipe: lines, and bytes of which the number was said before. Whoever is at the
// other end may send anything, at any pace, or nothing: each read has a limit and a deadline, and takes no more memory
// than what it is to return.
class HandedInput {
 public:
  // `file` stays the caller's. `patience`: for a whole line, and for each MiB of bytes.
  HandedInput(int file, Milliseconds patience) : file_(file), patience_(patience) {}

  // The next line without its end; nothing when the input ended before it. A line that the end of the input cuts off,
  // or that is longer than `longest`, is an error (configuration), and so is one that takes too long (timeout).
  [[nodiscard]] Result<std::optional<std::string>> line(std::size_t longest);
  // Exactly so many bytes, in the pieces of pieces_of().
  using Sink = std::function<Result<void>(std::string_view)>;
  [[nodiscard]] Result<void> bytes(std::uint64_t count, const Sink& sink);

 private:
  // Puts what comes next behind what was not taken yet; false at the end of the input.
  [[nodiscard]] Result<bool> fill(Milliseconds limit, Milliseconds since);
  [[nodiscard]] static Milliseconds now();
  int file_;
  Milliseconds patience_;
  std::string buffer_;
};

// Bytes go through the pipe in pieces of at most this size, each followed by a line end.
inline constexpr std::size_t longest_piece = 1U << 20U;

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace patchlab::process {

// Cuts a stream of bytes into lines, without their ends. A line longer than the limit comes out in pieces.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t limit = 64U << 20U) : limit_(limit) {}

  template <class Sink>
  void add(std::string_view bytes, const Sink& sink) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      partial_ += bytes.substr(0, end);
      if (end != std::string_view::npos || partial_.size() >= limit_) flush(sink);
      bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    }
  }

  [[nodiscard]] bool pending() const { return !partial_.empty(); }

  template <class Sink>
  void flush(const Sink& sink) {
    sink(std::exchange(partial_, {}));
  }

 private:
  std::size_t limit_;
  std::string partial_;
};

}  // namespace patchlab::process

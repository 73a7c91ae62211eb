// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/handover/handed_input.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace patchlab::promotion {

Milliseconds HandedInput::now() {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

Result<bool> HandedInput::fill(Milliseconds limit, Milliseconds since) {
  for (;;) {
    const auto left = limit - (now() - since);
    pollfd watched{file_, POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&watched, 1, static_cast<int>(left.count()));
    if (ready == 0)
      return timeout_error(
          fmt::format("nothing whole was handed over within {:.0f} s", std::chrono::duration<double>(limit).count()));
    if (ready < 0 && errno != EINTR) return errno_error("waiting for what is handed over", errno);
    if (ready < 0) continue;
    std::array<char, 1U << 16U> block;
    const auto count = ::read(file_, block.data(), block.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return errno_error("reading what is handed over", errno);
    buffer_.append(block.data(), static_cast<std::size_t>(count));
    return count > 0;
  }
}

Result<std::optional<std::string>> HandedInput::line(std::size_t longest) {
  const auto since = now();
  for (std::size_t looked = 0;;) {
    const auto end = buffer_.find('\n', looked);
    if (std::min(end, buffer_.size()) > longest)
      return configuration_error(fmt::format("a line of more than {} bytes was handed over", longest));
    if (end != std::string::npos) {
      std::optional<std::string> line(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
      return line;
    }
    looked = buffer_.size();
    PATCHLAB_ASSIGN(const bool more, fill(patience_, since));
    if (more) continue;
    if (buffer_.empty()) return std::optional<std::string>();
    return configuration_error("what was handed over ends within a line");
  }
}

Result<void> HandedInput::bytes(std::uint64_t count, const Sink& sink) {
  while (count > 0) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(count, longest_piece));
    const auto since = now();
    while (buffer_.size() < piece + 1) {
      PATCHLAB_ASSIGN(const bool more, fill(patience_, since));
      if (!more) return configuration_error(fmt::format("what was handed over ends {} bytes too early", count));
    }
    if (buffer_[piece] != '\n') return configuration_error("more bytes were handed over than were announced");
    PATCHLAB_TRY(sink(std::string_view(buffer_).substr(0, piece)));
    buffer_.erase(0, piece + 1);
    count -= piece;
  }
  return {};
}

}  // namespace patchlab::promotion

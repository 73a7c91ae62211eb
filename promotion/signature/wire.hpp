// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Inside promotion/signature only: the encodings of RFC 4251 section 5 and RFC 4648 section 4, read strictly.
namespace patchlab::promotion {

// Takes values off the front of bytes that may be anybody's. After the first one that is not whole, everything is
// absent.
class Wire {
 public:
  explicit Wire(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] std::optional<std::string_view> bytes(std::size_t count) {
    if (broken_ || rest_.size() < count) {
      broken_ = true;
      return std::nullopt;
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  [[nodiscard]] std::optional<std::uint8_t> byte() {
    const auto taken = bytes(1);
    if (!taken) return std::nullopt;
    return static_cast<std::uint8_t>(taken->front());
  }
  [[nodiscard]] std::optional<std::uint32_t> number() {
    const auto taken = bytes(4);
    if (!taken) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : *taken) value = (value << 8U) | static_cast<std::uint8_t>(c);
    return value;
  }
  [[nodiscard]] std::optional<std::string_view> text() {
    const auto size = number();
    return size ? bytes(*size) : std::nullopt;
  }
  // Everything was there, and nothing is left.
  [[nodiscard]] bool ended() const { return !broken_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/kernel.hpp"

#include <cstdint>
#include <optional>

namespace patchlab::lab::image {
namespace {

constexpr std::uint32_t lz4_legacy_magic = 0x184C2102;
constexpr std::size_t largest_block = 8U << 20U;

// Little-endian numbers at a place, or nothing beyond the end.
std::optional<std::uint32_t> number_at(std::string_view bytes, std::size_t place, std::size_t size) {
  if (place > bytes.size() || bytes.size() - place < size) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = size; i > 0; --i) value = (value << 8U) | static_cast<unsigned char>(bytes[place + i - 1]);
  return value;
}

Error broken() { return infrastructure_error("the kernel's LZ4 payload is broken"); }

// One block (LZ4 block format): sequences of literals and copies of what was written up to 64 KiB before.
class BlockReader {
 public:
  BlockReader(std::string_view block, std::string& output) : block_(block), output_(output), start_(output.size()) {}

  bool unpack() {
    while (place_ < block_.size()) {
      const auto token = static_cast<unsigned char>(block_[place_++]);
      if (!literals(token >> 4U)) return false;
      if (place_ == block_.size()) return true;  // the last sequence has no copy
      if (!copy(token & 15U)) return false;
    }
    return true;
  }

 private:
  // 15 in the token means: add the following bytes, up to and including the first that is not 255.
  bool long_length(std::size_t& length) {
    if (length != 15) return true;
    for (unsigned char more = 255; more == 255; length += more) {
      if (place_ == block_.size()) return false;
      more = static_cast<unsigned char>(block_[place_++]);
    }
    return true;
  }
  [[nodiscard]] bool fits(std::size_t length) const { return output_.size() - start_ + length <= largest_block; }

  bool literals(std::size_t length) {
    if (!long_length(length) || block_.size() - place_ < length || !fits(length)) return false;
    output_.append(block_.substr(place_, length));
    place_ += length;
    return true;
  }
  bool copy(std::size_t length) {
    const auto offset = number_at(block_, place_, 2);
    place_ += 2;
    if (!offset || *offset == 0 || *offset > output_.size() - start_ || !long_length(length)) return false;
    length += 4;
    if (!fits(length)) return false;
    // Byte by byte: source and target overlap when a pattern repeats.
    for (std::size_t from = output_.size() - *offset; length > 0; --length) output_ += output_[from++];
    return true;
  }

  std::string_view block_;
  std::string& output_;
  std::size_t start_;
  std::size_t place_ = 0;
};

}  // namespace

Result<std::string> unpack_lz4_legacy(std::string_view packed) {
  if (number_at(packed, 0, 4) != lz4_legacy_magic) return broken();
  std::string output;
  std::size_t place = 4;
  while (packed.size() - place > 4) {
    const auto size = number_at(packed, place, 4);
    place += 4;
    if (!size || *size > packed.size() - place) return broken();
    if (!BlockReader(packed.substr(place, *size), output).unpack()) return broken();
    place += *size;
  }
  return output;
}

Result<std::string> unpacked_kernel(std::string_view bz_image) {
  constexpr std::size_t setup_sectors_at = 0x1f1, magic_at = 0x202, payload_offset_at = 0x248,
                        payload_length_at = 0x24c;
  if (bz_image.substr(std::min(magic_at, bz_image.size()), 4) != "HdrS")
    return infrastructure_error("the kernel package holds no bzImage");
  const auto sectors = number_at(bz_image, setup_sectors_at, 1).value_or(0);
  const auto offset = number_at(bz_image, payload_offset_at, 4);
  const auto length = number_at(bz_image, payload_length_at, 4);
  const std::size_t protected_mode = (static_cast<std::size_t>(sectors == 0 ? 4 : sectors) + 1) * 512;
  if (!offset || !length || protected_mode + *offset > bz_image.size())
    return infrastructure_error("the kernel package holds a cut-off bzImage");
  const auto payload = bz_image.substr(protected_mode + *offset, *length);
  if (number_at(payload, 0, 4) != lz4_legacy_magic) return std::string(bz_image);
  PATCHLAB_ASSIGN(auto kernel, unpack_lz4_legacy(payload));
  if (kernel.substr(0, 4) !=
      "\x7f"
      "ELF")
    return std::string(bz_image);
  return kernel;
}

}  // namespace patchlab::lab::image

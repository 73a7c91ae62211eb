// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/blocks.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "lab/core/digest.hpp"

namespace patchlab::lab::content {
namespace {

constexpr std::size_t read_at_once = 8 * most_block_bytes;
constexpr unsigned long cut_mask = 15;  // one page of sixteen: blocks of 64 KiB
constexpr std::size_t hole_pages = 16;  // so many of zeros are a block of their own; fewer cut nowhere
constexpr int quickly = 1;              // of zlib's levels

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

bool is_all_zeros(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

bool cuts_behind(std::string_view page) {
  return (::crc32(0, raw(page), static_cast<uInt>(page.size())) & cut_mask) == cut_mask;
}

// How long the first block is; 0: more is to be read to tell. `is_end`: there is no more.
std::size_t first_block(std::string_view bytes, bool is_end) {
  std::size_t end = 0;
  std::size_t zeros = 0;  // pages of them, up to here
  while (end < bytes.size()) {
    const auto page = bytes.substr(end, page_bytes);
    if (page.size() < page_bytes && !is_end) return 0;
    const bool is_zeros = is_all_zeros(page);
    const bool had_only_zeros = zeros * page_bytes == end;
    if (!is_zeros && had_only_zeros && zeros >= hole_pages) return end;
    end += page.size();
    zeros = is_zeros ? zeros + 1 : 0;
    if (end == most_block_bytes) return end;
    if (is_zeros ? zeros == hole_pages && !had_only_zeros : cuts_behind(page)) return end;
  }
  return is_end ? end : 0;
}

// Up to `size` bytes; fewer at the end of the file only.
Result<std::string> read_more(const InputFile& input, std::size_t size, const std::string& name) {
  std::string bytes(size, '\0');
  std::size_t held = 0;
  while (held < size) {
    const auto count = ::read(input.file.get(), bytes.data() + held, size - held);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + name + "'", errno);
    if (count == 0) break;
    held += static_cast<std::size_t>(count);
  }
  bytes.resize(held);
  return bytes;
}

}  // namespace

Result<IndexedFile> cut_file(const InputFile& input, const std::string& name, const TakeBlock& take) {
  IndexedFile file{name, 0, {}, {}};
  Sha256 whole;
  std::string held;
  for (bool is_end = false; !is_end;) {
    PATCHLAB_ASSIGN(const auto more, read_more(input, read_at_once, name));
    is_end = more.size() < read_at_once;
    whole.add(more);
    file.bytes += more.size();
    held += more;
    std::string_view left = held;
    while (!left.empty()) {
      const auto size = first_block(left, is_end);
      if (size == 0) break;
      const auto bytes = left.substr(0, size);
      Block block{static_cast<std::uint32_t>(size), is_all_zeros(bytes) ? std::string() : sha256(bytes)};
      PATCHLAB_TRY(take(block, bytes));
      file.blocks.push_back(std::move(block));
      left.remove_prefix(size);
    }
    held.erase(0, held.size() - left.size());
  }
  file.sha256 = whole.finish();
  return file;
}

std::size_t most_packed_bytes(std::size_t bytes) { return ::compressBound(bytes); }

std::string packed(std::string_view bytes) {
  auto size = ::compressBound(bytes.size());
  std::string stored(size, '\0');
  if (::compress2(reinterpret_cast<unsigned char*>(stored.data()), &size, raw(bytes), bytes.size(), quickly) != Z_OK)
    throw std::runtime_error("zlib has no memory");
  stored.resize(size);
  return stored;
}

Result<std::string> unpacked(std::string_view stored, const Block& block) {
  uLongf size = block.bytes;
  std::string bytes(size, '\0');
  uLong taken = stored.size();
  const auto code = ::uncompress2(reinterpret_cast<unsigned char*>(bytes.data()), &size, raw(stored), &taken);
  if (code != Z_OK || taken != stored.size() || size != block.bytes)
    return infrastructure_error("what is stored cannot be unpacked, or to another size");
  if (sha256(bytes) != block.sha256) return infrastructure_error("it has another SHA-256");
  return bytes;
}

std::string block_name(const std::string& sha256) {
  return fmt::format("blocks/{}/{}", std::string_view(sha256).substr(0, 2), sha256);
}

std::string index_name(const std::string& sha256) { return "images/" + sha256; }

}  // namespace patchlab::lab::content

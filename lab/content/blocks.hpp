// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lab/content/index.hpp"
#include "lab/core/files.hpp"

namespace patchlab::lab::content {

// Cuts a file into blocks where its pages say so, about one in sixteen of them, and at most_block_bytes at the latest:
// what is moved inside of it, or stands behind something that became longer, still makes the same blocks. File systems
// move data by whole pages, qcow2 by 64 KiB. Where there is nothing but zeros for 64 KiB, a block ends, too, and where
// they end. `take` gets each block, in order, with what is known of it; blocks of
// zeros too.
using TakeBlock = std::function<Result<void>(const Block& block, std::string_view bytes)>;
// From where it stands to its end. `name` goes into the result, and with the error.
[[nodiscard]] Result<IndexedFile> cut_file(const InputFile& input, const std::string& name, const TakeBlock& take);

// As it is stored and sent: RFC 1950 (zlib).
[[nodiscard]] std::string packed(std::string_view bytes);
// No packed block is longer than this.
[[nodiscard]] std::size_t most_packed_bytes(std::size_t bytes);
// Never makes more than the block has, whatever it is given. An error says why this is not the block.
[[nodiscard]] Result<std::string> unpacked(std::string_view stored, const Block& block);

// Names below a content folder, or behind its URL. `sha256` is one.
[[nodiscard]] std::string block_name(const std::string& sha256);  // "blocks/ab/ab12..."
[[nodiscard]] std::string index_name(const std::string& sha256);  // "images/ab12..."

}  // namespace patchlab::lab::content

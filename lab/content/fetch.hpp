// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/content/index.hpp"
#include "lab/content/source.hpp"
#include "lab/core/file_lock.hpp"

// Images on a host that has none of its own: a folder for each, under the digest of its index, with the index in it.
namespace patchlab::lab::content {

// In bytes, blocks of zeros left out: fetched + copied + kept = all.
struct Moved {
  std::uint64_t all = 0;
  std::uint64_t fetched = 0;
  std::uint64_t received = 0;  // for those: as they were sent, packed
  std::uint64_t copied = 0;    // of older images there
  std::uint64_t kept = 0;      // of a try that did not come to its end, or of an image that was damaged
  bool operator==(const Moved&) const = default;
};

struct Fetched {
  Index index;
  std::filesystem::path folder;
  bool was_there = false;  // whole, and compared with its digests again; nothing was moved then
  Moved moved;
  FileLock hold;  // as long as it lives, nobody removes the image
};

// "image 'dns': 3.1 of 189.0 MiB were fetched (1.2 MiB sent), 185.9 copied of older images"
[[nodiscard]] std::string describe(const Fetched& fetched);

struct FetchPlace {
  std::filesystem::path images;  // of this host; made when it is missing; nobody else may write to it
  std::stop_token stop{};
  std::function<void(const std::string& sentence)> tell{};  // from this thread: what is waited for
};

// The image that this index describes, whole and verified, or an error. Blocks come from images that lie there, and
// from `source`; none is used before its SHA-256 is, and no image before all of its files have theirs. Who is killed
// leaves a folder that is no image; the next one goes on with it. Several may ask for the same image at once: one of
// them fetches it. An image that is damaged is told, and made anew. Images that nobody has used for 60 days are removed
// when a new one was made, and tries that were given up for a week. Errors: configuration when the source does not have
// it, with the next step; infrastructure when it is damaged or cannot be read, and when the disk has no room.
[[nodiscard]] Result<Fetched> fetch(Source& source, const std::string& digest, const FetchPlace& place);

// Reads these files of it again: a configuration error names one that has changed.
[[nodiscard]] Result<void> verify_files(const Index& index, const std::filesystem::path& folder,
                                        const std::vector<std::string>& names);

}  // namespace patchlab::lab::content

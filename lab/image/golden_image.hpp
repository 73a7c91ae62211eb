// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lab/core/file_lock.hpp"
#include "lab/core/host_state.hpp"
#include "lab/image/recipe.hpp"

namespace patchlab::lab::image {

// A finished image in the cache: <cache>/images/<digest>/ with image.json, disk.qcow2, kernel, initrd, dpkg-status.
// Nothing in it is ever written again (0444 in a 0555 folder); clones are overlays on `disk`.
struct GoldenImage {
  std::string digest;  // of everything that went in; the folder's name
  std::string name;    // of the recipe: "file-engineering"
  std::string role;    // "file"
  std::string description;
  std::filesystem::path folder;
  std::filesystem::path disk;  // qcow2
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::filesystem::path dpkg_status;  // the guest's /var/lib/dpkg/status
  std::string cmdline;                // without the words of one machine: see machine_words
  std::int64_t memory_mib = 0;
  std::string hostname;
  std::string address;
  std::vector<std::string> services;
  ReadyPorts ready;
  GuestSystem system;
  std::vector<Credential> credentials;
  InstalledSet packages;                      // "bind9:amd64" -> version, as the guest lists it
  std::map<std::string, std::string> sha256;  // file name -> digest
  std::string built;                          // RFC 3339
  std::string suite;                          // codename of the release suite it was built from
  // own_digest of the recipe that it was built from. Empty: of an older version, not known.
  std::string recipe;
  // SHA-256 of the bytes of its image.json, which has those of the other files: what a clone starts from, by content.
  // `digest` is the same for whatever was ever built from one recipe. Empty: not read from a folder.
  std::string contents;
  // Of one that patches were put into (lab/image/refreshed.hpp): `digest` of the image that it was made of, and of the
  // one from a recipe that it goes back to. Empty: it was built from the recipe.
  std::string parent;
  std::string origin;
  [[nodiscard]] bool is_built() const { return parent.empty(); }
  bool operator==(const GoldenImage&) const = default;
};

// The words of the kernel command line that make a machine out of an image.
[[nodiscard]] std::string machine_words(const std::string& address, unsigned prefix, const std::string& gateway,
                                        const std::string& hostname);

void to_json(Json& json, const GoldenImage& image);
// `folder` is where the document was found; unknown members are errors.
[[nodiscard]] Result<GoldenImage> golden_image_from_json(const Json& json, const std::filesystem::path& folder);

[[nodiscard]] std::filesystem::path images_folder(const std::filesystem::path& cache);
[[nodiscard]] Result<GoldenImage> load(const std::filesystem::path& folder);
// All finished images in the cache, by name, newest first.
[[nodiscard]] Result<std::vector<GoldenImage>> list(const std::filesystem::path& cache);
// The newest finished image that was built from a recipe of that name; the error says how to build one.
[[nodiscard]] Result<GoldenImage> newest(const std::filesystem::path& cache, const std::string& name);
// The newest finished image that this recipe, as it is now in `folder`, was built into; of older images, whose recipe
// nobody wrote down, those with its name count as well. The error says what to do, also when there is only one of the
// recipe as it was before.
[[nodiscard]] Result<GoldenImage> newest_of(const std::filesystem::path& cache, const std::filesystem::path& folder);
// Reads every file again and compares it with image.json, and that with what was loaded; about a second per gigabyte.
[[nodiscard]] Result<void> verify(const GoldenImage& image);
// Shared: held by everybody who uses the image, so that nobody removes it meanwhile.
[[nodiscard]] Result<FileLock> hold(const GoldenImage& image);

// Held by whoever makes images in a cache, one at a time.
[[nodiscard]] Result<FileLock> hold_cache(const std::filesystem::path& cache, const FileLock::Patience& patience);
// Folders of images whose writing ended half-way, of whoever held the cache before.
void remove_half_made(const std::filesystem::path& folder);

// Fields of /var/lib/dpkg/status for packages that are installed. "name:arch" -> version.
[[nodiscard]] InstalledSet parse_dpkg_status(std::string_view text);

}  // namespace patchlab::lab::image

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/image/golden_image.hpp"

// Which image a machine of a department starts from: the one that was built from its recipe, or a later version, into
// which patches were put since. Departments have versions of their own, since each has its own production; the images
// themselves are shared where the same went into them.
namespace patchlab::lab::image {

struct ImageVersion {
  std::uint64_t number = 2;  // 1 is the image that was built from the recipe
  std::string image;         // its digest
  std::string origin;        // of the image from the recipe that it goes back to
  Json provenance;           // what was put into it, who has said that it may be, who did it: for the reader
  bool dropped = false;      // somebody has gone back behind it to go on from there: it is not the newest any more
  bool operator==(const ImageVersion&) const = default;
};

// <cache>/image-versions/<department>/<machine>.json
struct VersionLine {
  std::string department;
  std::string machine;
  std::vector<ImageVersion> versions;   // ascending
  std::optional<std::uint64_t> pinned;  // the one to start from; nothing: the newest that was not dropped
  bool operator==(const VersionLine&) const = default;

  [[nodiscard]] std::uint64_t next_number() const { return versions.empty() ? 2 : versions.back().number + 1; }
  [[nodiscard]] const ImageVersion* find(std::uint64_t number) const;
  // From then on this one, which is there, or 1, is the newest: those behind it are dropped, and nothing is pinned.
  void go_back_to(std::uint64_t number);
  // That a machine starts from, whose recipe makes the image `origin`; null: that image itself. One that is pinned and
  // goes back to another image is an error (configuration): nobody asked for the one that it would be then.
  [[nodiscard]] Result<const ImageVersion*> in_use(const std::string& origin) const;
};
void to_json(Json& json, const VersionLine& line);
// Strict.
[[nodiscard]] Result<VersionLine> version_line_from_json(const Json& json, const std::string& file_name);

// A line without versions when there is none yet.
[[nodiscard]] Result<VersionLine> read_versions(const std::filesystem::path& cache, const std::string& department,
                                                const std::string& machine);
// That of a machine that starts from `parent`, to go on with. An error (configuration) when it does not, or not any
// more: somebody has made another version of it meanwhile, or told it from which to start.
[[nodiscard]] Result<VersionLine> versions_from(const std::filesystem::path& cache, const GoldenImage& parent,
                                                const std::string& department, const std::string& machine);
[[nodiscard]] Result<std::vector<VersionLine>> all_versions(const std::filesystem::path& cache);
// While the cache is held (hold_cache). The old file or the new one.
[[nodiscard]] Result<void> write_versions(const std::filesystem::path& cache, const VersionLine& line);

// What this machine starts from when its recipe makes `built`. An error when that version is not in the cache any more.
[[nodiscard]] Result<GoldenImage> image_for(const std::filesystem::path& cache, const GoldenImage& built,
                                            const std::string& department, const std::string& machine);

}  // namespace patchlab::lab::image

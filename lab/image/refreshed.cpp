// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/refreshed.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::lab::image {
namespace fs = std::filesystem;
namespace {

constexpr auto all_read = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
constexpr auto all_enter = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;

Error trouble_with(const char* doing, const fs::path& path, const std::error_code& code) {
  return infrastructure_error(fmt::format("{} '{}': {}", doing, path.string(), code.message()));
}

Result<void> set_mode(const fs::path& path, fs::perms mode) {
  std::error_code code;
  fs::permissions(path, mode, code);
  if (code) return trouble_with("changing the mode of", path, code);
  return {};
}

Result<void> copy_over(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, code);
  if (code) return trouble_with("copying", from, code);
  return {};
}

Result<void> move_over(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::rename(from, to, code);
  return code ? copy_over(from, to) : Result<void>();  // another file system
}

}  // namespace

std::string refreshed_digest(const GoldenImage& parent, const std::vector<std::string>& files) {
  auto text = fmt::format("patchlab refreshed image\n{}\n", parent.contents);
  for (const auto& file : files) text += file + "\n";
  return sha256(text);
}

Result<GoldenImage> keep_refreshed(const fs::path& cache, const RefreshedContents& contents) {
  const auto& parent = contents.parent;
  auto image = parent;
  image.digest = refreshed_digest(parent, contents.files);
  const auto folder = images_folder(cache) / image.digest;
  if (is_there(folder / "image.json")) return load(folder);
  remove_half_made(images_folder(cache));
  const auto fresh = images_folder(cache) / (".new-" + image.digest);
  PATCHLAB_TRY(create_folders(fresh));
  PATCHLAB_TRY(move_over(contents.disk, fresh / "disk.qcow2"));
  PATCHLAB_TRY(copy_over(parent.kernel, fresh / "kernel"));
  PATCHLAB_TRY(copy_over(parent.initrd, fresh / "initrd"));
  PATCHLAB_TRY(write_file_atomically(fresh / "dpkg-status", contents.dpkg_status));
  PATCHLAB_TRY(write_file_atomically(fresh / "provenance.json", pretty(contents.provenance)));
  image.parent = parent.digest;
  image.origin = parent.is_built() ? parent.digest : parent.origin;
  image.built = contents.built;
  image.packages = parse_dpkg_status(contents.dpkg_status);
  image.sha256.clear();
  for (const char* name : {"disk.qcow2", "dpkg-status", "initrd", "kernel", "provenance.json"}) {
    PATCHLAB_ASSIGN(image.sha256[name], sha256_of_file(fresh / name));
    PATCHLAB_TRY(set_mode(fresh / name, all_read));
    PATCHLAB_TRY(sync_path(fresh / name));
  }
  // What was copied is the parent's, and not what lay there at that moment.
  for (const char* name : {"initrd", "kernel"}) {
    const auto known = parent.sha256.find(name);
    if (known == parent.sha256.end() || known->second != image.sha256[name])
      return configuration_error(fmt::format("'{}' has changed", (parent.folder / name).string()),
                                 "patchlab image verify says more");
  }
  PATCHLAB_TRY(write_file_atomically(fresh / "image.json", pretty(Json(image))));
  PATCHLAB_TRY(set_mode(fresh / "image.json", all_read));
  std::error_code code;
  fs::rename(fresh, folder, code);
  if (code) return trouble_with("renaming", fresh, code);
  PATCHLAB_TRY(set_mode(folder, all_read | all_enter));
  PATCHLAB_TRY(sync_path(images_folder(cache)));
  return load(folder);
}

}  // namespace patchlab::lab::image

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "lab/core/files.hpp"
#include "lab/image/initramfs.hpp"
#include "lab/image/recipe.hpp"
#include "lab/process/process.hpp"

namespace patchlab::testing {

// `folder`/kernel and /initrd, which boot the images by UEFI: their own kernel is unpacked for QEMU's PVH entry and no
// EFI program any more. The packages come from the host's apt sources. The initramfs also knows efivarfs.
inline void make_efi_boot(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  namespace image = lab::image;
  const auto recipes = image::read_recipes(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/images");
  ASSERT_TRUE(recipes) << recipes.error().message;
  const auto& base = recipes->base;
  fs::create_directories(folder / "files");
  const auto output_of = [&](const std::string& program, std::vector<std::string> arguments) {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = std::move(arguments);
    spec.working_folder = folder;
    spec.time_limit = std::chrono::minutes(3);
    const auto output = run_for_output(host_processes(), spec);
    EXPECT_TRUE(output) << output.error().message;
    return output.value_or("");
  };
  // The package that is named without a version depends on the newest one.
  const auto depends = output_of("apt-cache", {"depends", base.kernel_package});
  const auto begin = depends.find("linux-image-", depends.find("Depends: "));
  ASSERT_NE(begin, std::string::npos) << depends;
  output_of("apt-get", {"download", depends.substr(begin, depends.find('\n', begin) - begin), base.initramfs_package});
  std::vector<fs::path> packages;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".deb") packages.push_back(entry.path());
  }
  for (const auto& package : packages) output_of("dpkg-deb", {"--extract", package, folder / "files"});
  auto modules = base.modules;
  modules.push_back("efivarfs");
  const auto initrd =
      image::make_initramfs(folder / "files/bin/busybox", base.folder / "initramfs/init", folder / "files", modules);
  ASSERT_TRUE(initrd) << initrd.error().message;
  ASSERT_TRUE(write_file_atomically(folder / "initrd", *initrd));
  for (const auto& entry : fs::directory_iterator(folder / "files/boot")) {
    if (entry.path().filename().native().starts_with("vmlinuz-")) fs::copy_file(entry.path(), folder / "kernel");
  }
  for (const char* file : {"kernel", "initrd"})  // for QEMU's user
    fs::permissions(folder / file, fs::perms::group_read | fs::perms::others_read, fs::perm_options::add);
}

}  // namespace patchlab::testing

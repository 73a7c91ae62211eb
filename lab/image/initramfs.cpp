// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/initramfs.hpp"

#include <fmt/format.h>

#include <map>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::lab::image {
namespace fs = std::filesystem;

void CpioArchive::add(const std::string& path, unsigned mode, std::string_view content) {
  const auto pad = [this] { bytes_.append((4 - bytes_.size() % 4) % 4, '\0'); };
  const unsigned inode = next_inode_++;
  // magic, inode, mode, uid, gid, links, time, size, device, special device, length of the name with its NUL, no
  // checksum
  bytes_ += fmt::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}", inode,
                        mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, path.size() + 1, 0);
  bytes_ += path;
  bytes_ += '\0';
  pad();
  bytes_ += content;
  pad();
}

void CpioArchive::add_folder(const std::string& path) { add(path, 0040755, {}); }

void CpioArchive::add_file(const std::string& path, std::string_view content, bool executable) {
  add(path, executable ? 0100755U : 0100644U, content);
}

std::string CpioArchive::finish() && {
  add("TRAILER!!!", 0, {});
  return std::move(bytes_);
}

namespace {
// File name -> path of every module of an unpacked kernel package.
std::map<std::string, fs::path> modules_of(const fs::path& kernel_files) {
  std::map<std::string, fs::path> modules;
  for (const auto& entry : entries_below(kernel_files).value_or({})) {
    if (entry.extension() == ".ko") modules.emplace(entry.filename().string(), entry);
  }
  return modules;
}
}  // namespace

Result<std::string> make_initramfs(const fs::path& busybox, const fs::path& init, const fs::path& kernel_files,
                                   const std::vector<std::string>& modules) {
  CpioArchive archive;
  for (const char* folder : {"bin", "dev", "proc", "root", "modules"}) archive.add_folder(folder);
  PATCHLAB_ASSIGN(const auto busybox_bytes, read_file(busybox));
  archive.add_file("bin/busybox", busybox_bytes, true);
  PATCHLAB_ASSIGN(const auto init_text, read_file(init));
  archive.add_file("init", init_text, true);
  const auto known = modules_of(kernel_files);
  std::string order;
  for (const auto& module : modules) {
    const auto file = module + ".ko";
    const auto found = known.find(file);
    if (found == known.end()) {
      return configuration_error(fmt::format("the kernel package has no module '{}'", module),
                                 "it may be built in by now: take it out of 'modules' in common/base.json");
    }
    PATCHLAB_ASSIGN(const auto bytes, read_file(found->second));
    archive.add_file("modules/" + file, bytes, false);
    order += file + "\n";
  }
  archive.add_file("modules/order", order, false);
  return std::move(archive).finish();
}

}  // namespace patchlab::lab::image

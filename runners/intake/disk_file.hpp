// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "lab/libvirt/imported_domain.hpp"
#include "lab/process/process.hpp"

// Disks that somebody else wrote. Nothing here reads them but qemu-img and qemu-io, which are told the format, see no
// other file of the host (bubblewrap), and write into one folder: a disk can name files that it wants to have read.
namespace patchlab::runners::intake {

enum class DiskFormat { vhdx, vmdk, qcow2, raw };
[[nodiscard]] const char* to_string(DiskFormat format);  // as qemu-img calls it

// By the ending of its name, with which its first bytes (512, or all there are) must agree. Errors say what else it is
// and what to do with it: a vmdk that is a text and names other files, a checkpoint, a folder of an export.
[[nodiscard]] Result<DiskFormat> format_of(const std::string& name, std::string_view first_bytes);

struct DiskInput {
  std::filesystem::path file;  // absolute
  std::string name;            // for people
  DiskFormat format = DiskFormat::raw;
};

struct DiskFacts {
  std::uint64_t bytes = 0;    // as the guest sees it
  std::size_t snapshots = 0;  // within the file, which are left out
  bool operator==(const DiskFacts&) const = default;
};
// What 'qemu-img info' says as JSON. A disk that stands on another file, keeps its data in one, is encrypted or damaged
// is refused.
[[nodiscard]] Result<DiskFacts> facts_in(const std::string& info, const DiskInput& disk);

// The commands, as values.
[[nodiscard]] ProcessSpec info_process(const DiskInput& disk);
[[nodiscard]] ProcessSpec check_process(const DiskInput& disk);
[[nodiscard]] ProcessSpec measure_process(const DiskInput& disk);
[[nodiscard]] ProcessSpec first_sector_process(const DiskInput& disk);
[[nodiscard]] ProcessSpec convert_process(const DiskInput& disk, const std::filesystem::path& result);

// Looks at a disk: what it is, and whether all that it consists of is there. A file that was cut off within its last
// 64 KiB cannot always be told from a whole one.
[[nodiscard]] Result<DiskFacts> look_at(const DiskInput& disk, ProcessRunner& runner, std::stop_token stop);
// Bytes that it needs as qcow2, at most.
[[nodiscard]] Result<std::uint64_t> bytes_as_qcow2(const DiskInput& disk, ProcessRunner& runner, std::stop_token stop);
// Makes a qcow2 file of it; `result` is new, in a folder that is ours alone. Synced.
[[nodiscard]] Result<void> convert(const DiskInput& disk, const std::filesystem::path& result, ProcessRunner& runner,
                                   std::stop_token stop);

// How a machine boots from a disk with this first sector: "uefi" from a GPT, "bios" from an MBR with a boot program.
// Nothing: it is no disk that a machine boots from.
[[nodiscard]] std::optional<lab::libvirt::Firmware> firmware_for(std::string_view first_sector);
// From the dump that qemu-io prints ("read -v 0 512"). Nothing: it printed no 512 bytes.
[[nodiscard]] std::optional<std::string> sector_in(std::string_view dump);
[[nodiscard]] Result<std::string> first_sector_of(const DiskInput& disk, ProcessRunner& runner, std::stop_token stop);

}  // namespace patchlab::runners::intake

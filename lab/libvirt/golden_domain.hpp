// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/libvirt/clone_xml.hpp"
#include "lab/process/process.hpp"

namespace patchlab::lab::libvirt {

class Session;

// The XML of a domain that can be cloned now: it is persistent and shut off, and has no saved memory. Anything else is
// a configuration error, as is a name that libvirt does not know.
[[nodiscard]] Result<std::string> golden_domain_xml(Session& session, const std::string& domain);

// What a golden domain is, for records that must say what was tested. The digest covers the domain's XML, and path and
// contents of every file that a clone starts from: each disk with all files below it, read-only disks, firmware
// variables. It reads all of them, so it takes as long as that (a minute for some 50 GB), and changes with any byte of
// them; it does not change with owners, modes or times, which libvirt itself sets when a clone runs.
struct GoldenIdentity {
  struct File {
    std::filesystem::path path;
    std::string sha256;
    bool operator==(const File&) const = default;
  };
  std::string digest;
  std::vector<File> files;  // in the order of the XML, each disk before those below it
  bool operator==(const GoldenIdentity&) const = default;
};
// The files that it covers.
[[nodiscard]] Result<std::vector<std::filesystem::path>> files_below(const ClonePlan& plan, ProcessRunner& runner);
[[nodiscard]] Result<GoldenIdentity> identify(const std::string& golden_xml, const ClonePlan& plan,
                                              ProcessRunner& runner);

// The programs, as values: `qemu-img info` prints the files that a disk consists of as JSON, `qemu-img create` makes an
// overlay, `qemu-img rebase -u` writes into one what lies below it, without a look at what it said before.
[[nodiscard]] ProcessSpec chain_process(const std::filesystem::path& disk, const std::string& format);
[[nodiscard]] ProcessSpec overlay_process(const OverlayFile& file);
[[nodiscard]] ProcessSpec rebase_process(const OverlayFile& file);
// From that JSON, top first. A part that is not a plain file is an error.
[[nodiscard]] Result<std::vector<std::filesystem::path>> files_of_chain(const std::string& info);

}  // namespace patchlab::lab::libvirt

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "lab/libvirt/xml_document.hpp"

// How the lab finds again what it defined on a libvirt that has other users too. An object is ours when its metadata
// say so *and* its name is the one that follows from them: a name can be chosen by anybody, and metadata are copied
// along by tools that clone or rename domains.
namespace patchlab::lab::libvirt {

// Where in the lab an object belongs. All but `folder` are names as of check_name().
struct Mark {
  std::string run;
  std::string cell;
  std::string machine;           // empty: of the whole cell, such as its network
  std::filesystem::path folder;  // absolute: where the files of the cell are
  bool operator==(const Mark&) const = default;

  // "patchlab-<run>-<cell>[-<machine>]": the libvirt name, and for a cell also that of its folder.
  [[nodiscard]] std::string object_name() const;
};

[[nodiscard]] Result<void> check_mark(const Mark& mark);
// Puts the mark into <metadata> of a <domain> or <network>, instead of what was there.
void write_mark(XmlNode root, const Mark& mark);
// The mark of a <domain> or <network> that is ours; nullopt for everything else.
[[nodiscard]] std::optional<Mark> mark_of(XmlNode root);

// RFC 9562 version 8, from the digest of a name: the same name has the same uuid.
[[nodiscard]] std::string uuid_of(const std::string& name);

}  // namespace patchlab::lab::libvirt

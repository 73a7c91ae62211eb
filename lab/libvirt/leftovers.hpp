// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lab/core/file_lock.hpp"
#include "lab/libvirt/marks.hpp"

namespace patchlab::lab::libvirt {

class Session;
// For callers outside this folder, who hold a connection without knowing libvirt.
[[nodiscard]] Result<std::shared_ptr<Session>> open_session(const std::string& uri);

// Where cells on a system libvirt keep their files unless told otherwise: below it QEMU's user may read on a stock
// Debian.
inline constexpr const char* default_storage = "/var/lib/libvirt/images/patchlab";
// Files in a cell's folder, `<machine>` before it, that say whose the golden domain's files were (file_owners.hpp).
inline constexpr const char* owners_suffix = "-owners.json";

// Something that the lab made on a libvirt. In use: the process of its cell is alive, which holds a lock in the cell's
// folder.
struct LabObject {
  enum class Kind { domain, network, folder };
  Kind kind = Kind::domain;
  Mark mark;
  bool in_use = false;
  bool operator==(const LabObject&) const = default;

  [[nodiscard]] std::string name() const;  // libvirt's, or the folder's path
};
[[nodiscard]] const char* to_string(LabObject::Kind kind);

// Everything of the lab on this libvirt, and in `storage`: domains first, then networks, then folders, each sorted by
// name. Domains and networks count by their mark (marks.hpp), a folder by the mark that lies in it as a file, and by
// being ours as a user. What cannot be read is not ours.
[[nodiscard]] Result<std::vector<LabObject>> find_lab_objects(Session& session, const std::filesystem::path& storage);

// Removes those objects, in that order, after looking again that each is still ours: a domain is ended and undefined
// with its firmware variables and snapshots, a network ended and undefined, a folder deleted after
// the files that its clones stood on were given back to their owners. Goes on after an error
// and returns the first one. Objects in use are left alone.
[[nodiscard]] Result<void> remove_lab_objects(Session& session, const std::vector<LabObject>& objects);

// The folder of a cell: made new with mode 0711 (QEMU's user passes through it), locked for as long as the object
// lives.
class CellFolder {
 public:
  [[nodiscard]] static Result<CellFolder> create(const Mark& cell);
  [[nodiscard]] const Mark& mark() const { return mark_; }

 private:
  CellFolder(Mark mark, FileLock lock) : mark_(std::move(mark)), lock_(std::move(lock)) {}
  Mark mark_;
  FileLock lock_;
};

// The owners files of all cells in `storage`.
[[nodiscard]] std::vector<std::filesystem::path> owners_files(const std::filesystem::path& storage);

// For the process that holds the lock: removes everything with this mark's run and cell.
[[nodiscard]] Result<void> remove_cell(Session& session, const CellFolder& folder);

}  // namespace patchlab::lab::libvirt

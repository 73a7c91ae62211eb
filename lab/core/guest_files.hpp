// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lab/core/host_state.hpp"
#include "lab/core/json.hpp"

namespace patchlab {

// One name in a guest's file systems, as lstat(2) tells it. Times are compared for equality only: whose clock they are
// of does not matter.
struct GuestFile {
  char kind = 'f';         // f file, d folder, l symbolic link, p FIFO, s socket, b and c devices
  unsigned int mode = 0;   // permission bits, with set-uid, set-gid and sticky
  std::uint32_t user = 0;  // numbers
  std::uint32_t group = 0;
  std::uint64_t bytes = 0;
  std::string modified;                           // its content
  std::string changed;                            // anything of it
  std::string inode;                              // on its file system
  std::string target;                             // of a link
  std::map<std::string, std::string> attributes;  // "security.capability" -> in hexadecimal
  bool operator==(const GuestFile&) const = default;
};
using GuestFiles = std::map<std::string, GuestFile>;  // by absolute path

// What a guest looks like from inside, apart from what a HostState of every phase holds: taken before a patch, after
// it, and after the last restart. Contents are those of configuration only.
struct GuestView {
  HostState state;  // `rows` and `absent_sources` alone
  // Kinds of rows that are there and could not be read: why. Of these there are no rows.
  std::map<std::string, std::string> unreadable;
  GuestFiles files;
  std::map<std::uint32_t, std::string> users;          // by number
  std::map<std::uint32_t, std::string> groups;         // by number
  std::map<std::string, std::string> digests;          // SHA-256 of configuration files, by path
  std::map<std::string, std::string> texts;            // of those that everybody may read, by path; lines end with '\n'
  std::map<std::string, std::set<std::string>> owned;  // what packages had of the guest, by package: absolute paths
};

// What a package brings, as its archive says it.
struct ShippedFile {
  char kind = 'f';  // f, d, l, or another kind as in GuestFile
  unsigned int mode = 0;
  std::uint32_t user_id = 0;
  std::uint32_t group_id = 0;
  std::string user;  // names, which go before the numbers where the guest knows them; may be empty
  std::string group;
  std::string target;  // of a link
  std::string sha256;  // of a file's content
  bool operator==(const ShippedFile&) const = default;
};
struct ShippedPackage {
  std::string package;
  std::map<std::string, ShippedFile> files;  // by absolute path, as archived: "/bin/ls"
  std::set<std::string> conffiles;           // absolute paths
  bool operator==(const ShippedPackage&) const = default;
};
void to_json(Json& json, const ShippedPackage& package);
void from_json(const Json& json, ShippedPackage& package);

}  // namespace patchlab

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "patches/cab/cabinet.hpp"

// Microsoft's catalogue for scans without a network, wsusscn2.cab: a cabinet of cabinets. "index.xml" says in which of
// them ("packageN.cab") the updates of which revisions are told of; "package.cab" has all updates and how they belong
// together ("package.xml", more than a hundred megabytes); the others have, for each update, "x\REVISION" with number,
// severity and files, and "l\LANGUAGE\REVISION" with its title. Unpacked it has 25 GB: everything is read as it is
// unpacked, and what is kept is what was asked for. The rules in it by which Windows finds out whether an update
// applies ("c\REVISION") are not read. The structure is nowhere documented; Microsoft may change it at any time.
namespace patchlab::patches {

struct CatalogueFile {
  std::string name;    // as it is downloaded; where the catalogue names none, the end of its address
  std::string url;     // empty: none is named
  std::string sha1;    // 40 hexadecimal digits; by it WSUS knows the file
  std::string sha256;  // 64; empty: none is named
  std::optional<std::uint64_t> bytes;
  std::string patching;  // "SelfContained", "Express" and others; empty: not said
  bool operator==(const CatalogueFile&) const = default;
};

// An update that stands for itself: a bundle, or one that is of no bundle.
struct CatalogueUpdate {
  std::uint32_t revision = 0;  // RevisionId, by which updates name each other
  std::string id;              // UpdateId, a GUID in lower case
  std::uint32_t revision_number = 0;
  std::string created;   // RFC 3339, "2026-11-10T18:00:00Z"
  std::string kb;        // "KB5035968"; empty: none
  std::string title;     // in its own language
  std::string severity;  // Microsoft's word; empty: none
  std::string bulletin;  // "MS17-010"; empty: none
  std::vector<std::string> cves;
  std::string classification;                           // a GUID
  std::vector<std::string> products;                    // GUIDs
  std::vector<std::uint32_t> superseded_by;             // revisions
  std::vector<std::vector<std::string>> prerequisites;  // of each list one must be there: GUIDs
  std::vector<CatalogueFile> files;                     // its own, and of what it bundles
  bool operator==(const CatalogueUpdate&) const = default;
};

struct Catalogue {
  std::string created;                               // RFC 3339
  bool carries_signature = false;                    // says that one lies behind it; nobody looked at that
  std::size_t entries = 0;                           // all updates in it
  std::map<std::string, std::string> product_names;  // of the products in scope: GUID to title
  std::vector<CatalogueUpdate> updates;              // of these products, by revision
};

struct CatalogueScope {
  std::set<std::string> products;  // GUIDs in lower case
  // Also what nobody asks for is unpacked to its end and its checksums are compared. Otherwise those of the cabinets
  // themselves are.
  bool whole = false;
};

// Several times what there is of it today.
struct CatalogueLimits {
  CabLimits cabinets{.entries = 20'000'000, .unpacked_bytes = std::uint64_t{128} << 30U, .time = std::chrono::hours(4)};
  std::uint64_t kept_bytes = 256U << 20U;  // about what the answer, and what leads to it, takes
  std::uint64_t detail_bytes = 4U << 20U;  // of one "x" or "l"
};

[[nodiscard]] bool is_guid(std::string_view text);  // in lower case, without braces

// Errors (configuration) begin with the name and say which part: one that is damaged or cut off, that names itself in
// no index, or has nothing of an update that it lists.
[[nodiscard]] Result<Catalogue> read_catalogue(const ByteSource& source, const std::string& name,
                                               const CatalogueScope& scope, const CatalogueLimits& limits = {});

}  // namespace patchlab::patches

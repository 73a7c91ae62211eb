// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>

#include "patches/catalogue/catalogue.hpp"
#include "patches/catalogue/xml_stream.hpp"

// The two lists of the catalogue, as they are read: which cabinet has what, and the updates.
namespace patchlab::patches {

// What an entry of a tree or list takes beside its texts, about.
inline constexpr std::uint64_t entry_bytes = 96;
inline constexpr std::uint64_t guid_bytes = 80;  // and a digest in base64

class KeptBudget {
 public:
  explicit KeptBudget(std::uint64_t bytes) : left_(bytes) {}
  // What is wrong when there are not so many left.
  [[nodiscard]] std::string take(std::uint64_t bytes);

 private:
  std::uint64_t left_;
};

// Which revisions were met: a bit each, in pages of 8 KiB. Microsoft counts them on, so that there are few pages.
class SeenRevisions {
 public:
  using Page = std::bitset<65536>;
  [[nodiscard]] bool contains(std::uint32_t revision) const;
  // Whether a page was added for it.
  bool add(std::uint32_t revision);

 private:
  std::map<std::uint32_t, Page> pages_;
};

// index.xml: <INDEX><CABLIST><CAB NAME="package2.cab" RANGESTART="0"/>
class CabinetList : public XmlEvents {
 public:
  std::string open(const XmlPath& path, const XmlAttributes& attributes) override;
  std::string close(const XmlPath&, const std::string&) override { return {}; }
  // Of the cabinet with what is said of an update; empty: none has it.
  [[nodiscard]] std::string cabinet_of(std::uint32_t revision) const;

  std::map<std::uint32_t, std::string> begins;  // the first revision that is in it
  std::set<std::string> names;                  // of all cabinets in the list
};

// A part of a bundle: what is to be downloaded is of these.
struct CataloguePart {
  std::uint32_t revision = 0;
  std::vector<std::uint32_t> bundles;
  std::vector<std::string> files;  // as they are named in it: SHA-1, base64
};

// package.xml: <OfflineSyncPackage><Updates><Update/>...</Updates><FileLocations><FileLocation/>...
// It is read twice, since a part may stand before what it is a part of: first the updates in scope, then their parts
// and where their files are. Nothing is kept of what nobody asks for, but a bit for its revision.
class UpdateList : public XmlEvents {
 public:
  UpdateList(const CatalogueScope& scope, KeptBudget& budget) : scope_(scope), budget_(budget) {}
  // The same list comes once more.
  void read_again();
  std::string open(const XmlPath& path, const XmlAttributes& attributes) override;
  std::string close(const XmlPath& path, const std::string& text) override;

  std::string created;
  std::size_t entries = 0;
  std::map<std::uint32_t, CatalogueUpdate> updates;         // of the products in scope; without what the others say
  std::map<std::uint32_t, std::string> languages;           // of these, and of the products
  std::map<std::uint32_t, std::string> products;            // categories in scope: GUID
  std::map<std::uint32_t, CataloguePart> parts;             // of these updates
  std::map<std::uint32_t, std::vector<std::string>> files;  // their own
  std::map<std::string, std::string> urls;                  // of all of these files

 private:
  std::string open_update(const XmlAttributes& attributes);
  std::string open_in_update(const XmlPath& path, const XmlAttributes& attributes);
  std::string close_update();
  std::string close_first();
  std::string close_part();
  std::string close_updates();
  [[nodiscard]] bool in_scope() const;

  const CatalogueScope& scope_;
  KeptBudget& budget_;
  bool is_category_ = false;
  CatalogueUpdate update_;
  CataloguePart part_;
  std::string language_;
  std::size_t links_ = 0;
  SeenRevisions revisions_seen_;
  std::set<std::string> wanted_files_;
  bool updates_are_done_ = false;
  bool is_again_ = false;
};

// A number of the catalogue: digits only, at most 32 bits.
[[nodiscard]] std::optional<std::uint32_t> revision_from(std::string_view text);

}  // namespace patchlab::patches

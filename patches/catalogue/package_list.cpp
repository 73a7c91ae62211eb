// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/catalogue/package_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lab/core/base64.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t most_cabinets = 10'000;
constexpr std::size_t most_links = 20'000;  // of one update; one that replaces a whole product's has hundreds
constexpr std::size_t longest_value = 4096;

bool is_cabinet_name(const std::string& name) {
  return name.starts_with("package") && name.ends_with(".cab") && name.size() <= 24 &&
         std::string_view(name).substr(7, name.size() - 11).find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_at(const XmlPath& path, std::initializer_list<std::string_view> names) {
  return std::ranges::equal(path, names);
}

}  // namespace

bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    if (is_dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

std::optional<std::uint32_t> revision_from(std::string_view text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string KeptBudget::take(std::uint64_t bytes) {
  if (bytes > left_) return "names more that is asked for than any catalogue of Microsoft does";
  left_ -= bytes;
  return {};
}

bool SeenRevisions::contains(std::uint32_t revision) const {
  const auto page = pages_.find(revision / Page().size());
  return page != pages_.end() && page->second.test(revision % Page().size());
}

bool SeenRevisions::add(std::uint32_t revision) {
  const auto [page, is_new] = pages_.try_emplace(static_cast<std::uint32_t>(revision / Page().size()));
  page->second.set(revision % Page().size());
  return is_new;
}

std::string CabinetList::open(const XmlPath& path, const XmlAttributes& attributes) {
  if (path.size() == 1 && path[0] != "INDEX")
    return fmt::format("is no list of cabinets: it begins with '{}'", path[0]);
  if (!is_at(path, {"INDEX", "CABLIST", "CAB"})) return {};
  const auto& name = attributes["NAME"];
  if (!is_cabinet_name(name)) return fmt::format("names '{}', which is no cabinet of a catalogue", name);
  if (!names.insert(name).second) return fmt::format("names '{}' twice", name);
  if (names.size() > most_cabinets) return fmt::format("names more than {} cabinets", most_cabinets);
  if (name == "package.cab") return {};
  const auto first = revision_from(attributes["RANGESTART"]);
  if (!first) return fmt::format("does not say with which revision '{}' begins", name);
  if (!begins.emplace(*first, name).second) return fmt::format("has two cabinets that begin with revision {}", *first);
  return {};
}

std::string CabinetList::cabinet_of(std::uint32_t revision) const {
  const auto behind = begins.upper_bound(revision);
  return behind == begins.begin() ? std::string() : std::prev(behind)->second;
}

std::string UpdateList::open(const XmlPath& path, const XmlAttributes& attributes) {
  if (path.size() == 1) {
    if (path[0] != "OfflineSyncPackage") return fmt::format("is no list of updates: it begins with '{}'", path[0]);
    created = attributes["CreationDate"];
    return parse_rfc3339(created) ? "" : fmt::format("was made at '{}', which is no time", created);
  }
  if (path.size() == 2 && path[1] == "Updates" && updates_are_done_) return "has a second list of updates";
  if (is_at(path, {"OfflineSyncPackage", "Updates", "Update"})) return open_update(attributes);
  if (path.size() > 3 && path[1] == "Updates") return open_in_update(path, attributes);
  if (is_at(path, {"OfflineSyncPackage", "FileLocations", "FileLocation"})) {
    if (!updates_are_done_) return "says where files are before it says of which updates";
    if (!is_again_) return {};
    const auto& id = attributes["Id"];
    if (!wanted_files_.contains(id)) return {};
    const auto& url = attributes["Url"];
    if (url.size() > longest_value) return fmt::format("has an address with more than {} bytes", longest_value);
    if (!urls.emplace(id, url).second) return fmt::format("says twice where file '{}' is", id);
    return budget_.take(entry_bytes + id.size() + url.size());
  }
  return {};
}

std::string UpdateList::open_update(const XmlAttributes& attributes) {
  update_ = {};
  part_ = {};
  links_ = 0;
  if (!is_again_) ++entries;
  const auto revision = revision_from(attributes["RevisionId"]);
  if (!revision) return fmt::format("has an update whose revision is '{}'", attributes["RevisionId"]);
  if (!is_again_) {
    if (revisions_seen_.contains(*revision)) return fmt::format("has revision {} twice", *revision);
    if (revisions_seen_.add(*revision)) {
      if (auto what = budget_.take(entry_bytes + sizeof(SeenRevisions::Page)); !what.empty()) return what;
    }
  }
  update_.revision = part_.revision = *revision;
  update_.id = lower_case(attributes["UpdateId"]);
  if (!is_guid(update_.id)) return fmt::format("calls revision {} '{}', which is no GUID", *revision, update_.id);
  update_.revision_number = revision_from(attributes["RevisionNumber"]).value_or(0);
  update_.created = attributes["CreationDate"];
  if (!parse_rfc3339(update_.created))
    return fmt::format("says that revision {} was made at '{}', which is no time", *revision, update_.created);
  language_ = attributes["DefaultLanguage"];
  if (language_.size() > 16 || language_.find_first_of("/\\") != std::string::npos)
    return fmt::format("says that revision {} is in language '{}'", *revision, language_);
  is_category_ = attributes["IsSoftware"] == "false";
  return {};
}

void UpdateList::read_again() {
  is_again_ = true;
  updates_are_done_ = false;
}

std::string UpdateList::open_in_update(const XmlPath& path, const XmlAttributes& attributes) {
  if (path.size() < 5) return {};
  const auto& group = path[3];
  const auto& id = attributes["Id"];
  const bool is_link =
      path.back() == "UpdateId" || path.back() == "Revision" || path.back() == "File" || path.back() == "Category";
  if (!is_link) {
    if (group == "Prerequisites" && path.size() == 5 && path[4] == "Or") update_.prerequisites.emplace_back();
    return {};
  }
  if (++links_ > most_links) return fmt::format("has more than {} links at revision {}", most_links, update_.revision);
  const auto wrong = [&](const char* what) {
    return fmt::format("says '{}' in '{}' of revision {}, which is no {}", id, group, update_.revision, what);
  };
  if (path.back() == "Revision") {
    const auto revision = revision_from(id);
    if (!revision) return wrong("revision");
    if (group == "SupersededBy") update_.superseded_by.push_back(*revision);
    if (group == "BundledBy") part_.bundles.push_back(*revision);
    return {};
  }
  if (path.back() == "File") {
    if (group != "PayloadFiles") return {};
    if (const auto digest = from_base64(id); !digest || digest->size() != 20) return wrong("SHA-1 in base64");
    part_.files.push_back(id);
    return {};
  }
  const auto guid = lower_case(id);
  if (!is_guid(guid)) return wrong("GUID");
  if (group == "Prerequisites") {
    if (path.size() == 5 || update_.prerequisites.empty()) update_.prerequisites.emplace_back();
    update_.prerequisites.back().push_back(guid);
  } else if (group == "Categories" && attributes["Type"] == "Product") {
    update_.products.push_back(guid);
  } else if (group == "Categories" && attributes["Type"] == "UpdateClassification") {
    update_.classification = guid;
  }
  return {};
}

bool UpdateList::in_scope() const {
  return std::ranges::any_of(update_.products, [&](const auto& product) { return scope_.products.contains(product); });
}

std::string UpdateList::close(const XmlPath& path, const std::string& /*text*/) {
  if (is_at(path, {"OfflineSyncPackage", "Updates", "Update"})) return close_update();
  if (is_at(path, {"OfflineSyncPackage", "Updates"})) return close_updates();
  if (path.size() == 1 && !updates_are_done_) return "has no list of updates";
  return {};
}

std::string UpdateList::close_update() { return is_again_ ? close_part() : close_first(); }

std::string UpdateList::close_first() {
  const auto revision = update_.revision;
  if (is_category_) {
    if (!scope_.products.contains(update_.id)) return {};
    products[revision] = update_.id;
    languages[revision] = language_;
    return budget_.take(2 * entry_bytes);
  }
  if (!part_.bundles.empty() || !in_scope()) return {};
  std::uint64_t bytes = 4 * entry_bytes + 8 * update_.superseded_by.size() +
                        guid_bytes * (3 + update_.products.size() + part_.files.size());
  for (const auto& one : update_.prerequisites) bytes += 24 + guid_bytes * one.size();
  languages[revision] = language_;
  files[revision] = std::move(part_.files);
  updates[revision] = std::move(update_);
  return budget_.take(bytes);
}

std::string UpdateList::close_part() {
  if (is_category_ || part_.files.empty()) return {};
  std::erase_if(part_.bundles, [&](auto bundle) { return !updates.contains(bundle); });
  if (part_.bundles.empty()) return {};
  auto what = budget_.take(entry_bytes * (1 + part_.bundles.size()) + guid_bytes * part_.files.size());
  parts[part_.revision] = std::move(part_);
  return what;
}

std::string UpdateList::close_updates() {
  updates_are_done_ = true;
  if (!is_again_) return {};
  for (const auto& [revision, part] : parts) wanted_files_.insert(part.files.begin(), part.files.end());
  for (const auto& [revision, own] : files) wanted_files_.insert(own.begin(), own.end());
  return budget_.take((entry_bytes + guid_bytes) * wanted_files_.size());
}

}  // namespace patchlab::patches

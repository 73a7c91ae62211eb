// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/update_metadata.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/text.hpp"
#include "patches/msu/xml_document.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t most_ids = 1000;  // kept of each kind

// GUIDs, or decimal revision numbers.
bool is_id(const std::string& text) {
  return !text.empty() && text.size() <= 36 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
  });
}

void keep(std::vector<std::string>& ids, std::string id) {
  if (!id.empty() && ids.size() < most_ids && std::find(ids.begin(), ids.end(), id) == ids.end())
    ids.push_back(std::move(id));
}

std::string id_of(const XmlElement& element, const std::string& key) {
  auto id = lower_case(element.attribute(key));
  return is_id(id) ? id : std::string();
}

std::string alternatives_in(const XmlElement& group) {
  std::vector<std::string> ids;
  for (const auto* element : group.all("UpdateId")) keep(ids, id_of(*element, "Id"));
  return fmt::format("{}", fmt::join(ids, " or "));
}

void read_update(const XmlElement& update, UpdateMetadata& metadata) {
  keep(metadata.update_ids, id_of(update, "UpdateId"));
  if (const auto* prerequisites = update.child("Prerequisites")) {
    for (const auto* element : prerequisites->all("UpdateId")) keep(metadata.prerequisites, id_of(*element, "Id"));
    for (const auto* group : prerequisites->all("Or")) keep(metadata.prerequisites, alternatives_in(*group));
  }
  if (const auto* newer = update.child("SupersededBy")) {
    for (const auto* element : newer->all("Revision")) keep(metadata.superseded_by, id_of(*element, "Id"));
  }
}

}  // namespace

Result<UpdateMetadata> parse_update_metadata(std::string_view bytes, const std::string& name) {
  PATCHLAB_ASSIGN(const auto document, parse_xml(bytes, name));
  UpdateMetadata metadata;
  for (const auto* updates : document.all("Updates")) {
    for (const auto* update : updates->all("Update")) read_update(*update, metadata);
  }
  return metadata;
}

}  // namespace patchlab::patches

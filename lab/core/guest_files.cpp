// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/guest_files.hpp"

namespace patchlab {

void to_json(Json& json, const ShippedPackage& package) {
  Json files = Json::object();
  for (const auto& [path, file] : package.files) {
    files[path] = {std::string(1, file.kind),
                   file.mode,
                   file.user_id,
                   file.group_id,
                   file.user,
                   file.group,
                   file.target,
                   file.sha256};
  }
  json = {{"package", package.package}, {"files", std::move(files)}, {"conffiles", package.conffiles}};
}

void from_json(const Json& json, ShippedPackage& package) {
  package = {.package = json.at("package"), .files = {}, .conffiles = json.at("conffiles")};
  for (const auto& [path, file] : json.at("files").items()) {
    package.files[path] = {file.at(0).get<std::string>().at(0),
                           file.at(1),
                           file.at(2),
                           file.at(3),
                           file.at(4),
                           file.at(5),
                           file.at(6),
                           file.at(7)};
  }
}

}  // namespace patchlab

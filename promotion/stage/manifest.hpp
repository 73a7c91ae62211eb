// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "promotion/gate/gate.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {

struct ManifestFile {
  std::string candidate;
  std::string name;
  std::string sha256;
  std::uint64_t bytes = 0;
  [[nodiscard]] std::string path() const { return candidate + "/" + name; }  // below the version's folder
};

// What a published version says of itself; the JSON holds more for the reader than is needed to prove it.
struct Manifest {
  std::string department;
  std::string run;
  std::string record_digest;
  std::string set_digest;
  std::vector<std::string> candidates;  // in the order applied
  std::vector<std::string> candidate_digests;
  std::vector<ManifestFile> files;
};

// For a decision that promotes.
[[nodiscard]] Json manifest_json(const reports::RunRecord& record, const Decision& decision,
                                 const std::string& published);
[[nodiscard]] Result<Manifest> manifest_from_json(const Json& json, const std::string& file_name);

// One path component that is nothing but a name: not empty, no slash, no control character, no leading dot, at most 200
// bytes.
[[nodiscard]] bool is_plain_name(const std::string& name);

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
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
  int version = 2;  // of its schema; 1 has nothing of what stands last here
  std::string department;
  std::string run;
  std::string record_digest;
  std::string set_digest;
  std::vector<std::string> candidates;  // in the order applied
  std::vector<std::string> candidate_digests;
  std::vector<ManifestFile> files;
  std::string tested;                       // when the run ended
  std::uint64_t serial = 0;                 // from 1; each version that is published in a department has a greater one
  std::string set;                          // digest of SHA256SUMS
  std::optional<EmergencyUse> emergency{};  // it was published through the emergency lane
  Json carried{};                           // where it was tested instead (reports::carrying_json); null: here
};

// What the desk adds to a manifest: empty is left out.
struct ManifestFacts {
  std::string published;  // RFC 3339
  std::uint64_t serial = 1;
  std::string valid_until;      // RFC 3339; who deploys later asks for a newer version first
  std::string policy;           // digest of the policy that decided
  std::string run_object;       // digest of run.json
  std::string rollback_reason;  // why an older run goes over a newer one
};

// For a decision that promotes.
[[nodiscard]] Json manifest_json(const reports::RunRecord& record, const Decision& decision,
                                 const ManifestFacts& facts);
// Reads schema v2 strictly, and v1 as it was.
[[nodiscard]] Result<Manifest> manifest_from_json(const Json& json, const std::string& file_name);

// What `sha256sum -c` reads, one line for each file: "<sha256>  <candidate>/<file name>", in the order of the bytes of
// the paths. Its own SHA-256 is the identity of the set: what people approve.
[[nodiscard]] std::string sha256sums(const std::vector<ManifestFile>& files);
// The files of these candidates of the record; ids that it does not have are left out.
[[nodiscard]] std::string sha256sums_of(const reports::RunRecord& record, const std::vector<std::string>& candidates);

// One path component that is nothing but a name: not empty, no slash, no control character, no leading dot, at most 200
// bytes.
[[nodiscard]] bool is_plain_name(const std::string& name);

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lab/core/exit_code.hpp"
#include "promotion/gate/gate.hpp"
#include "reports/record/record.hpp"

// The stage: what production deploys from, byte for byte what was tested.
//
//   <stage>/finance -> .versions/finance/<name>     the published version: a symbolic link, replaced by one rename
//   <stage>/.versions/finance/<name>/manifest.json  every digest, the run and the digest of its record
//   <stage>/.versions/finance/<name>/<candidate>/<file>
//
// Interrupted at any point, the link names the old version or the new one, each complete and synced. What an
// interrupted attempt left below .versions is removed by the next one.
namespace patchlab::promotion {

inline constexpr const char* manifest_schema = "patchlab/stage/v1";
inline constexpr const char* manifest_file_name = "manifest.json";

// Where a file of a candidate lies, by its SHA-256: the content store, or the run's own copy.
using FileSource = std::function<Result<std::filesystem::path>(const std::string& sha256)>;

struct PublishOptions {
  std::filesystem::path stage;
  std::string now;  // RFC 3339, for the manifest
  // Called before each step with its name; tests interrupt there. Empty in the product.
  std::function<void(const std::string& step)> before_step;
};

struct Published {
  std::filesystem::path folder;  // <stage>/<department>
  std::string manifest_digest;
  std::vector<std::string> candidates;
  enum class Change { published, already_there } change = Change::published;
};

// Publishes exactly what `decision` promotes. Digests are compared with the tested ones when a file is copied, when the
// finished version is read back before the switch, and once more through the published path; a version that fails there
// is taken back. Publishing the same decision again changes nothing. Refuses (an error, no file touched) when the
// decision does not promote.
[[nodiscard]] Result<Published> publish(const reports::RunRecord& record, const Decision& decision,
                                        const FileSource& source, const PublishOptions& options);

// decide + publish + the entry for the record. What went wrong with publishing is a requirement of the decision, too
// (publish_failed, digest_mismatch), so that one value says all that stands against it.
struct Promotion {
  Decision decision;
  reports::PromotionRecord record;
  ExitCode exit_code = ExitCode::policy;
};
[[nodiscard]] Promotion promote(const reports::RunRecord& record, const std::string& department, const Policy& policy,
                                const Today& today, const FileSource& source, const PublishOptions& options);

// Offline proof of what lies in the stage: everything the manifest names is there with its digest, nothing else is
// there.
struct StageCheck {
  std::string department;
  std::string run;
  std::string record_digest;
  std::string manifest_digest;
  std::vector<std::string> candidates;
  std::vector<std::string> problems;  // "finance/KB-1/a.deb: ..."; empty: proven
};
// `folder` is a published department, or the stage with all its departments.
[[nodiscard]] Result<std::vector<StageCheck>> verify_stage(const std::filesystem::path& folder);

}  // namespace patchlab::promotion

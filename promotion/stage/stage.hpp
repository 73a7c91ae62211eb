// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/exit_code.hpp"
#include "promotion/gate/gate.hpp"
#include "reports/record/record.hpp"

// The stage: what production deploys from, byte for byte what was tested.
//
//   <stage>/finance -> .versions/finance/<name>     the published version: a symbolic link, replaced by one rename
//   <stage>/.versions/finance/<name>/manifest.json  every digest, the run and the digest of its record
//   <stage>/.versions/finance/<name>/SHA256SUMS     the set, as sha256sum -c reads it
//   <stage>/.versions/finance/<name>/<candidate>/<file>
//   <stage>/.ledger                                 promotion/chain
//
// Interrupted at any point, the link names the old version or the new one, each complete and synced. What an
// interrupted attempt left below .versions is removed by the next one.
namespace patchlab::promotion {

inline constexpr const char* manifest_schema = "patchlab/stage/v2";
inline constexpr const char* old_manifest_schema = "patchlab/stage/v1";
inline constexpr const char* manifest_file_name = "manifest.json";
inline constexpr const char* sums_file_name = "SHA256SUMS";

// Where a file of a candidate lies, by its SHA-256: the content store, or the run's own copy.
using FileSource = std::function<Result<std::filesystem::path>(const std::string& sha256)>;

// A version that is whole and proven, and about to be what the link of a department names.
struct Publication {
  std::string department;
  std::string set;              // digest of SHA256SUMS
  std::string manifest_digest;  // of the bytes of manifest.json
  std::uint64_t serial = 0;
  std::string rollback_reason;  // empty: it is no rollback
  std::string manifest;         // the bytes of manifest.json
  std::optional<EmergencyUse> emergency{};
};

// Who writes down what happens to a publication, while the stage is locked: intent before effect. The ledger's lines
// promote-begun, promote-switched, promote-done and promote-refused. An error stops the publication, and the link leads
// to the version before.
struct Journal {
  std::function<Result<void>(const Publication&)> begun;     // nothing has been switched
  std::function<Result<void>(const Publication&)> switched;  // the link leads to it
  std::function<Result<void>(const Publication&)> done;      // and it was read back
  std::function<Result<void>(const Publication&, const std::string& why)> given_up;
};

struct PublishOptions {
  std::filesystem::path stage;
  std::string now;  // RFC 3339, for the manifest
  // Called before each step with its name; tests interrupt there. Empty in the product.
  std::function<void(const std::string& step)> before_step;
  std::string valid_until{};  // these are left out of the manifest when they are empty
  std::string policy{};       // digest of the policy that decided
  std::string run_object{};   // digest of run.json
  // Why a run that ended before the published one is to be published over it. Empty: that is refused.
  std::string rollback_reason{};
  std::uint64_t known_serial = 0;  // the greatest that the ledger has for this department
  Journal journal{};
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

// What lies in the stage fits together: everything the manifest names is there with its digest, nothing else is there,
// the modes are as they were published, and no link leads out of it. Whether it is what was promoted only the ledger
// says: promotion/stage/stage_proof.hpp.
struct StageCheck {
  std::string department;
  std::string run;
  std::string record_digest;
  std::string manifest_digest;
  std::vector<std::string> candidates;
  std::vector<std::string> problems;  // "finance/KB-1/a.deb: ..."; empty: what lies there fits together
  std::string set{};                  // digest of SHA256SUMS; empty: a version of schema v1
  std::uint64_t serial = 0;
};
// `folder` is a published department, or the stage with all its departments.
[[nodiscard]] Result<std::vector<StageCheck>> verify_stage(const std::filesystem::path& folder);

}  // namespace patchlab::promotion

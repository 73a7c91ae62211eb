// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/stage_policy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/policy/in_force.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/stage/stage.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_document = 1U << 20U;
constexpr const char* restore_hint = "restore it from a copy; what the ledger names must stay as long as the ledger";

fs::path file_of(const fs::path& stage, std::uint64_t number) {
  return policy_folder(stage) / fmt::format("{}.json", number);
}

Result<void> look_for_named(const fs::path& stage, const History& history) {
  for (const auto& named : history.policies()) {
    const auto file = file_of(stage, named.version);
    const auto text = read_file(file, largest_document, Links::refuse);
    if (!text) {
      return configuration_error(fmt::format("line {} of the ledger put policy {} in force, and its document is not "
                                             "there: {}",
                                             named.line, named.version, text.error().message),
                                 restore_hint);
    }
    if (sha256(*text) != named.document) {
      return configuration_error(fmt::format("'{}' is not the document that line {} of the ledger put in force: its "
                                             "digest is {}, and was {}",
                                             file.string(), named.line, sha256(*text), named.document),
                                 restore_hint);
    }
  }
  return {};
}

// Only a desk writes the policy into a manifest, and writes the ledger's lines before.
Result<void> look_for_ledger(const fs::path& stage, const History& history) {
  for (const auto& entry : entries_of(stage).value_or({})) {
    if (entry.filename().string().starts_with(".")) continue;
    const auto text = read_file(entry / manifest_file_name);
    if (!text) continue;  // verify says more
    const auto json = json_in(*text);
    if (!json.is_object() || !json.contains("policy")) continue;
    if (std::ranges::count(history.promotions(), sha256(*text), &PromotionStory::manifest) > 0) continue;
    return configuration_error(
        fmt::format("'{}' was promoted by a desk that keeps a ledger, and '{}' does not know of it: it was taken away, "
                    "or cut off",
                    entry.string(), (stage / chain_folder_name).string()),
        "restore the ledger from a copy; without it nobody knows which policy was in force");
  }
  return {};
}

}  // namespace

Result<Policy> policy_at_desk(const fs::path& stage, PolicyTime now) {
  PATCHLAB_ASSIGN(const auto state, Chain(stage / chain_folder_name).read());
  PATCHLAB_TRY(look_for_named(stage, state.history));
  PATCHLAB_TRY(look_for_ledger(stage, state.history));
  return policy_of_stage(stage, now);
}

Policy policy_at_desk_or_trouble(const fs::path& stage, PolicyTime now) {
  auto policy = policy_at_desk(stage, now);
  if (policy) return std::move(*policy);
  Policy blocked;
  blocked.trouble = PolicyTrouble{PolicyTrouble::Kind::none_in_force,
                                  "nobody can say which policy is in force: " + policy.error().message};
  return blocked;
}

Result<std::vector<PolicyFile>> unnamed_policies(const fs::path& stage, const History& history, PolicyTime now) {
  std::vector<PolicyFile> files;
  PATCHLAB_TRY(policies_of_stage(stage));  // nothing else lies there
  for (const auto& entry : entries_of(policy_folder(stage)).value_or({})) {
    if (entry.extension() != ".json") continue;
    PolicyFile file;
    PATCHLAB_ASSIGN(file.text, read_file(entry, largest_document, Links::refuse));
    PATCHLAB_ASSIGN(file.policy, parse_policy(file.text, entry.string()));
    file.number = std::stoull(entry.stem().string());
    const bool has_begun = !file.policy.valid_since || *file.policy.valid_since <= now;
    if (!has_begun || std::ranges::count(history.policies(), file.number, &NamedPolicy::version) > 0) continue;
    files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, &PolicyFile::number);
  return files;
}

std::string policy_bytes(const fs::path& stage, const std::string& digest) {
  for (const auto& entry : entries_of(policy_folder(stage)).value_or({})) {
    if (auto text = read_file(entry, largest_document, Links::refuse); text && sha256(*text) == digest)
      return std::move(*text);
  }
  return shipped_text(digest);
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/in_force.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/policy/policy_document.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_document = 1U << 20U;
constexpr std::size_t most_digits = 6;

// "<n>.json", n from 1 without leading zeros; 0 for every other name.
std::uint32_t number_of(const std::string& name) {
  const auto dot = name.find('.');
  const auto digits = name.substr(0, dot);
  const bool plain = !digits.empty() && digits.size() <= most_digits && digits.front() != '0' &&
                     digits.find_first_not_of("0123456789") == std::string::npos;
  if (!plain || dot == std::string::npos || name.substr(dot) != ".json") return 0;
  return static_cast<std::uint32_t>(std::stoul(digits));
}

// What an interrupted write of our own leaves.
bool is_leftover(const std::string& name) { return name.find(".json.tmp-") != std::string::npos; }

std::string span_of(const Policy& policy) {
  return fmt::format("'{}' ({} to {})", policy.id, policy.valid_since ? rfc3339(*policy.valid_since) : "always",
                     policy.valid_until ? rfc3339(*policy.valid_until) : "ever");
}
std::string spans_of(const std::vector<Policy>& policies) {
  std::vector<std::string> spans;
  for (const auto& policy : policies) spans.push_back(span_of(policy));
  return fmt::format("{}", fmt::join(spans, ", "));
}

bool has_begun(const Policy& policy, PolicyTime now) { return !policy.valid_since || *policy.valid_since <= now; }

Policy blocked(PolicyTrouble::Kind kind, std::string text) {
  Policy policy;
  policy.trouble = PolicyTrouble{kind, std::move(text)};
  return policy;
}

Result<void> look_at_replacements(const std::vector<Policy>& all, const fs::path& folder) {
  for (const auto& policy : all) {
    if (policy.replaces.empty() || std::ranges::count(all, policy.replaces, &Policy::digest) > 0) continue;
    return configuration_error(fmt::format("'{}': policy '{}' replaces {}, which is none of the documents there",
                                           folder.string(), policy.id, policy.replaces),
                               "sha256sum of the document that is replaced is meant");
  }
  return {};
}

}  // namespace

bool is_in_force(const Policy& policy, const std::vector<Policy>& all, PolicyTime now) {
  if (!has_begun(policy, now) || (policy.valid_until && *policy.valid_until <= now)) return false;
  return std::ranges::none_of(all, [&](const Policy& other) {
    return !other.replaces.empty() && other.replaces == policy.digest && has_begun(other, now);
  });
}

Policy policy_in_force(const std::vector<Policy>& all, PolicyTime now) {
  std::vector<Policy> found;
  std::ranges::copy_if(all, std::back_inserter(found),
                       [&](const auto& policy) { return is_in_force(policy, all, now); });
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    return blocked(PolicyTrouble::Kind::none_in_force, fmt::format("no policy is in force at {}; there are: {}",
                                                                   rfc3339(now), all.empty() ? "none" : spans_of(all)));
  }
  return blocked(PolicyTrouble::Kind::ambiguous,
                 fmt::format("{} policies are in force at {}: {}", found.size(), rfc3339(now), spans_of(found)));
}

fs::path policy_folder(const fs::path& stage) { return stage / ".ledger" / "policy"; }

Result<std::vector<Policy>> policies_of_stage(const fs::path& stage) {
  const auto folder = policy_folder(stage);
  std::error_code code;
  const auto status = fs::symlink_status(folder, code);
  if (status.type() == fs::file_type::not_found) return std::vector<Policy>{};
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder).while_doing("reading the policies of the stage"));
  std::map<std::uint32_t, fs::path> documents;
  for (const auto& entry : entries) {
    const auto name = entry.filename().string();
    if (is_leftover(name)) continue;
    const auto number = number_of(name);
    if (number == 0) {
      return configuration_error(
          fmt::format("'{}' is no policy document of the stage: they are named 1.json, 2.json ...", entry.string()),
          "move it away, or give it the next number");
    }
    documents.emplace(number, entry);
  }
  std::vector<Policy> policies;
  for (const auto& [number, file] : documents) {
    PATCHLAB_ASSIGN(const auto text, read_file(file, largest_document, Links::refuse));
    PATCHLAB_ASSIGN(auto policy, parse_policy(text, file.string()));
    policies.push_back(std::move(policy));
  }
  PATCHLAB_TRY(look_at_replacements(policies, folder));
  return policies;
}

Result<Policy> policy_of_stage(const fs::path& stage, PolicyTime now) {
  PATCHLAB_ASSIGN(auto policies, policies_of_stage(stage));
  if (policies.empty()) policies.push_back(quickstart_policy());
  return policy_in_force(policies, now);
}

Policy policy_or_trouble(const fs::path& stage, PolicyTime now) {
  auto policy = policy_of_stage(stage, now);
  return policy ? std::move(policy).value()
                : blocked(PolicyTrouble::Kind::none_in_force,
                          "the policies of the stage cannot be read: " + policy.error().message);
}

}  // namespace patchlab::promotion

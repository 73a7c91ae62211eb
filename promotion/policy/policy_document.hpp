// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/result.hpp"
#include "promotion/policy/policy.hpp"

// A policy as a file: schema patchlab/policy/v1, scenarios/policy.schema.json, manual docs/policy.md. Its identity is
// the SHA-256 of its bytes.
namespace patchlab::promotion {

inline constexpr const char* policy_schema = "patchlab/policy/v1";

// Strict: unknown keys and words, times that are not RFC 3339 with Z, rules that cannot be met and rules that would
// take away what every promotion needs are problems, all of them listed as "file: /pointer: message". What is not
// written has the value that Policy gives it.
[[nodiscard]] Result<Policy> parse_policy(const std::string& text, const std::string& file_name);
[[nodiscard]] Result<Policy> read_policy(const std::filesystem::path& file);

inline constexpr std::uintmax_t largest_table = 1U << 20U;  // bytes
// The bytes of the decision table that a policy names, from beside its file. An error when they are not there, or are
// not those that it names.
[[nodiscard]] Result<std::string> table_beside(const NamedTable& table, const std::filesystem::path& policy_file);

// The shipped one, scenarios/policies/quickstart.json: for a stage that has none of its own. It asks nobody.
[[nodiscard]] const std::string& quickstart_text();
[[nodiscard]] Policy quickstart_policy();
// The shipped one of this digest, of this version or as it was in an older one; empty: none.
[[nodiscard]] std::string shipped_text(const std::string& digest);

}  // namespace patchlab::promotion

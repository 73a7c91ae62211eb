// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/guest/recording/recording.hpp"
#include "lab/guest/recording/scrub_rules.hpp"

// Which names are in replies. Pure.
namespace patchlab::lab::guest::recording {

struct FoundName {
  NameKind kind = NameKind::other;
  std::string text;  // UTF-8, as it stood there first
  std::string rule;
  bool operator==(const FoundName&) const = default;
};

// In the order in which they were found; each once, whatever its case. Of a name with dots its labels, of "DOMAIN\user"
// and "user@domain" both.
[[nodiscard]] std::vector<FoundName> names_in(const std::vector<Reply>& replies, const ScrubRules& rules,
                                              const std::string& oem_code_page);

}  // namespace patchlab::lab::guest::recording

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "promotion/deploy/handoff.hpp"

// What a playbook needs to install a promotion. Ansible evaluates what stands between braces in the values of
// variables, so that nothing goes there but names of packages, versions, numbers and digests of which every character
// is known. Pure.
namespace patchlab::promotion {

struct DebianPackage {
  std::string name;
  std::string version;
  std::string architecture;
};

// An error (configuration) names what cannot be expressed: a package whose name or version is none, a Windows package
// without a KB number.
[[nodiscard]] Result<Json> ansible_variables(const Handoff& handoff, const std::vector<DebianPackage>& packages);

// A regular expression that matches this text alone, from its begin to its end.
[[nodiscard]] std::string anchored(std::string_view text);

}  // namespace patchlab::promotion

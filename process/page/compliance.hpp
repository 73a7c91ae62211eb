// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/page/facts.hpp"

// Which requirement is met by what, with the figures of today: docs/process/controls.md. Pure.
namespace patchlab::process::page {

struct ComplianceItem {
  std::string standard;
  std::string requirement;           // shortened; the standards themselves decide
  std::string evidence;              // where an auditor looks
  std::vector<std::string> figures;  // what there is of it today, or that it is not known
  bool is_known = false;             // each of the figures is
  std::string cannot_prove;          // plainly
};
// In the order of the standards.
[[nodiscard]] std::vector<ComplianceItem> compliance_of(const Facts& facts);
// What no tool can prove, a sentence each.
[[nodiscard]] std::vector<std::string> beyond_any_tool();

}  // namespace patchlab::process::page

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/result.hpp"
#include "promotion/chain/head.hpp"

namespace patchlab::promotion {

struct Exported {
  std::vector<std::string> departments;
  ChainHead head;              // of the lines in the bundle
  std::size_t lines_left = 0;  // of the ledger, behind the head: they are not in the bundle
  bool has_head = false;       // one that covers these lines was there
  std::size_t objects = 0;
  std::size_t evidence = 0;  // files that the runs kept
};

// The smallest bundle (docs/evidence.md) that proves what was promoted last in each of these departments of a stage:
// all lines of the ledger up to its newest head, of the objects only those that matter to them, and of what the runs
// kept (in `runs`) what evidence_of_set names. Makes `target`,
// which must not be there: whole or not at all. An error (configuration) when a department was never promoted, or when
// stage or ledger do not fit, and when
// evidence is missing or was edited.
[[nodiscard]] Result<Exported> export_bundle(const std::filesystem::path& stage,
                                             const std::vector<std::string>& departments,
                                             const std::filesystem::path& runs, const std::filesystem::path& target);

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "lab/process/process.hpp"
#include "promotion/deploy/handoff.hpp"

namespace patchlab::promotion {

struct HandoffExport {
  ExportTo to = ExportTo::files;
  std::string key;  // for apt: fingerprint of an OpenPGP key
  std::chrono::system_clock::time_point now;
};

// Makes `target`, which must not be there: whole or not at all, readable for all users. What each kind holds is in
// docs/how-to/deploy.md. Every file of the promotion is compared with its digest once more when it is copied. An error
// (usage) when there is no key where one is needed; (configuration) for what cannot be expressed for this target.
[[nodiscard]] Result<void> export_handoff(ProcessRunner& processes, Handoff handoff, const HandoffExport& how,
                                          const std::filesystem::path& target);

}  // namespace patchlab::promotion

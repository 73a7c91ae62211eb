// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "lab/process/process.hpp"
#include "process/scan/scan.hpp"

namespace patchlab::cli {

// Of a catalogue that was read as these bytes, and of which its reader says whether it carries a signature. An error
// (configuration): its content is not what was signed, or it is another one now. What could not be asked is not looked
// at.
[[nodiscard]] Result<process::CatalogueSignature> catalogue_signature(ProcessRunner& processes,
                                                                      const std::filesystem::path& file,
                                                                      const std::string& sha256, bool carries,
                                                                      const std::filesystem::path& ca_bundle);

}  // namespace patchlab::cli

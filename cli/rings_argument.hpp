// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/exit_code.hpp"
#include "promotion/deploy/rings.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// --rings, with PATCHLAB_RINGS.
void add_rings_option(CLI::App& command, std::filesystem::path& file);

// Puts what is handed over into this ring of its department, or reports why that may not be. A department without rings
// is handed over as a whole; one that has some never is.
[[nodiscard]] ExitCode put_into_ring(const std::filesystem::path& rings, const std::string& ring,
                                     const std::filesystem::path& stage, promotion::Handoff& handoff);
void say_ring(const promotion::Handoff& handoff, promotion::ExportTo to);

// Where this department stands, ring by ring; none: it has no rings.
[[nodiscard]] std::vector<promotion::RingStanding> rings_of(const promotion::Rings& rings,
                                                            const promotion::DeployedDepartment& department,
                                                            const std::vector<promotion::DeployedMachine>& told);
void say_rings(const std::vector<promotion::RingStanding>& standings);

}  // namespace patchlab::cli

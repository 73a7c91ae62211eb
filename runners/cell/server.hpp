// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace patchlab::runners::cell {

// The process of one cell (`patchlab cell [--kvm] <root>`, started by a run, not by people): enters its namespaces,
// then answers requests on standard input until that ends. Must be called while the process has one thread. Returns the
// exit code.
[[nodiscard]] int cell_main(const std::filesystem::path& root, bool offer_kvm);

}  // namespace patchlab::runners::cell

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

namespace patchlab::runners::cell {

struct CellOptions {
  bool offer_kvm = false;
  bool on_libvirt = false;  // its machines are clones on a libvirt of the host: see keeper.hpp
  // Above 0: an executor started it. The first request asks where it is (Place), and it ends by itself when nothing was
  // heard for so many seconds.
  unsigned elsewhere = 0;
  // Of the host's files, besides the root: see CellNamespaces.
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> writable;
};

// The process of one cell (`patchlab cell`, started by a run (client.hpp), not by people): enters its
// namespaces, then answers requests on standard input until that ends. Must be called while the process has one thread.
// Returns the exit code.
[[nodiscard]] int cell_main(const std::filesystem::path& root, const CellOptions& options);

}  // namespace patchlab::runners::cell

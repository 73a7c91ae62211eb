// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lab/core/files.hpp"

namespace patchlab {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};
// Closed when another program is executed.
[[nodiscard]] Result<Pipe> make_pipe();

// Everything, in as many pieces as it takes; false, with errno, when that cannot be done.
[[nodiscard]] bool write_all(int file, std::string_view text);
// To standard error, as far as that takes it: a full disk under a log must not end what is logged.
void tell(std::string_view text);

}  // namespace patchlab

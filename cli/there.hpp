// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/exit_code.hpp"
#include "lab/libvirt/ssh.hpp"

namespace patchlab::cli {

// Runs `patchlab <arguments>` on the host of a libvirt that is not this one. Prints what it printed, when it has ended,
// and returns its exit code.
ExitCode do_there(const lab::libvirt::SshDestination& destination, const std::vector<std::string>& arguments);

}  // namespace patchlab::cli

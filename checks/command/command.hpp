// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks {

// Kind "command": any program is a check. It is executed where a client of the machine is, inside the fence, as nobody,
// in a root of its own (process::confine), and has to end before the check's deadline. Parameters
// (checks/command/parameters.hpp):
//
//   program         file, relative to the scenario: its bytes are the check, wherever it is executed
//   arguments       list of texts; {address}, {port}, {client}, {interface}, {machine}, {role} and {deadline_s} in them
//                   stand for what they say, as do the variables PATCHLAB_ADDRESS, PATCHLAB_PORT ...
//   output          what it says by: "nagios" (the default), "tap" or "json-lines"
//   port            for {port} and PATCHLAB_PORT
//   warning_passes  whether a plugin's exit code 1 is a pass (false)
//
// What it says is read by checks/command/output.hpp. Exit code 77 (automake, TAP::Harness and others) says that it
// could not look: the check is skipped, which is never a pass. A program that hangs, floods, dies by a signal or leaves
// processes behind says nothing about the server: that is an error.
[[nodiscard]] const Check& command();

}  // namespace patchlab::checks

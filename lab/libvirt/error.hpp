// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/result.hpp"

namespace patchlab::lab::libvirt {

// Keeps libvirt from printing errors on its own; every error reaches the reader through ours. Any number of calls.
void silence_libvirt();

// The error of the libvirt call that just failed in this thread: "starting 'mail': libvirt: <its words> (<code>)". The
// class follows the code: an agent that does not answer is a timeout, everything else is the lab's.
[[nodiscard]] Error last_error(const std::string& action);
// virErrorNumber of that error; 0 when there is none.
[[nodiscard]] int last_error_code();

}  // namespace patchlab::lab::libvirt

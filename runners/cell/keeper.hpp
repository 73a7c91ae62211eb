// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace patchlab::runners::cell {

// The outer process of a cell on a libvirt of the host. It stays in the host's namespaces, as root: it makes the
// network and the clones (lab/libvirt/system_lab.hpp), and removes them when standard input ends, on SIGTERM, and when
// making them fails half-way. Everything else is done by the inner process that it starts, `inside`, in namespaces like
// those of an embedded cell, with a cable to the clones' network: checks, probes, and all that reads what guests say.
//
// `inside` is called in a new process with the requests on its standard input. It calls its argument once it is in its
// namespaces, and must not return before standard input ends. Must be called while the process has one thread. Returns
// the exit code.
//
// Killing this process ends the inner one, and leaves the clones to `patchlab lab clean`: their QEMUs are libvirt's.
[[nodiscard]] int keep(const std::function<int(const std::function<void()>& entered)>& inside);

}  // namespace patchlab::runners::cell

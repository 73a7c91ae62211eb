// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "lab/core/result.hpp"

namespace patchlab::lab::libvirt {

// libvirt opens the tray of a CD drive and takes the medium out in two steps (qemuDomainChangeEjectableMedia). A guest
// that looks into its drive in between closes the tray, and QEMU refuses the second one with "Tray of device '...' is
// not open": that is nothing but a reason to begin again. `change` is called until it ends otherwise, `tries` times at
// most, one after the other; what it ended with last is returned.
[[nodiscard]] Result<void> with_open_tray(int tries, const std::function<Result<void>()>& change);

}  // namespace patchlab::lab::libvirt

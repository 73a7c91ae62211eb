// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/tray.hpp"

namespace patchlab::lab::libvirt {
namespace {

bool is_closed_tray(const Error& trouble) {
  const auto tray = trouble.message.find("Tray of device");
  return tray != std::string::npos && trouble.message.find("is not open", tray) != std::string::npos;
}

}  // namespace

Result<void> with_open_tray(int tries, const std::function<Result<void>()>& change) {
  auto changed = change();
  for (int tried = 1; tried < tries && !changed && is_closed_tray(changed.error()); ++tried) changed = change();
  return changed;
}

}  // namespace patchlab::lab::libvirt

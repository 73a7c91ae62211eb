// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/libvirt/marks.hpp"

namespace patchlab::lab::libvirt {

// The isolated libvirt network of a cell, https://libvirt.org/formatnetwork.html: no <forward>, so libvirt rejects what
// is routed in or out; no address of the host on it, so neither DHCP nor DNS is served. A pure
// function of the cell's mark.
[[nodiscard]] std::string isolated_network_xml(const Mark& cell);
// The bridge of that network: "plb" and 12 hex digits of the network name's digest. An interface name has at most 15
// characters (IFNAMSIZ).
[[nodiscard]] std::string isolated_bridge_name(const Mark& cell);

// What keeps a network, as libvirt prints it, from being an isolated one; empty when nothing does. Asked of every
// network before a clone is started on it.
[[nodiscard]] std::string why_not_isolated(XmlNode network);

}  // namespace patchlab::lab::libvirt

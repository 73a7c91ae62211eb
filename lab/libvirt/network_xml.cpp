// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/network_xml.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/core/digest.hpp"

namespace patchlab::lab::libvirt {

std::string isolated_bridge_name(const Mark& cell) { return "plb" + sha256(cell.object_name()).substr(0, 12); }

std::string isolated_network_xml(const Mark& cell) {
  auto document = XmlDocument::parse("<network/>", "a network").value();
  auto root = document.root();
  root.add("name").set_text(cell.object_name());
  root.add("uuid").set_text(uuid_of(cell.object_name()));
  write_mark(root, cell);
  auto bridge = root.add("bridge");
  bridge.set_attribute("name", isolated_bridge_name(cell));
  // A port forwards at once: a guest that boots must not find its network dead for half a minute.
  bridge.set_attribute("stp", "off");
  bridge.set_attribute("delay", "0");
  root.add("dns").set_attribute("enable", "no");
  return document.to_text();
}

std::string why_not_isolated(XmlNode network) {
  for (const char* way_out : {"forward", "ip", "route", "portgroup", "virtualport"}) {
    if (network.child(way_out)) return fmt::format("network '{}' has <{}>", network.child("name").text(), way_out);
  }
  return {};
}

}  // namespace patchlab::lab::libvirt

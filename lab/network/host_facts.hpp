// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace patchlab::lab::network {

// What a leak would reach first: the host's own addresses, its default gateways and its resolvers, without loopback
// ones. Texts, because IPv4 and IPv6 are mixed and nothing but their use as targets is asked of them.
struct HostFacts {
  std::vector<std::string> addresses;
  std::vector<std::string> gateways;
  std::vector<std::string> resolvers;
  bool operator==(const HostFacts&) const = default;
};

// To be called before entering a cell; from inside they cannot be seen. What cannot be read is left out.
[[nodiscard]] HostFacts collect_host_facts();

// Of the texts of /proc/net/route, /proc/net/ipv6_route and resolv.conf(5).
[[nodiscard]] std::vector<std::string> default_gateways4(std::string_view routes);
[[nodiscard]] std::vector<std::string> default_gateways6(std::string_view routes);
[[nodiscard]] std::vector<std::string> resolvers_in(std::string_view resolv_conf);

}  // namespace patchlab::lab::network

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/host_facts.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <sstream>

#include "lab/core/files.hpp"
#include "lab/network/address.hpp"

namespace patchlab::lab::network {
namespace {
std::vector<std::vector<std::string>> words_by_line(std::string_view text) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    auto& row = lines.emplace_back();
    for (std::string word; words >> word;) row.push_back(word);
  }
  return lines;
}

std::string address_text(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, bytes, text.data(), text.size()) != nullptr ? text.data() : "";
}

std::string text_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return address_text(AF_INET, &in.sin_addr);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    return address_text(AF_INET6, &in.sin6_addr);
  }
  return {};
}

void add_new(std::vector<std::string>& list, std::string text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

std::vector<std::string> interface_addresses() {
  std::vector<std::string> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    add_new(found, text_of(entry->ifa_addr));
  }
  ::freeifaddrs(list);
  return found;
}

bool is_loopback(const std::string& address) { return address.rfind("127.", 0) == 0 || address == "::1"; }
}  // namespace

std::vector<std::string> default_gateways4(std::string_view routes) {
  std::vector<std::string> found;
  // Columns: device, destination, gateway ... as hexadecimal numbers in the machine's byte order.
  for (const auto& row : words_by_line(routes)) {
    if (row.size() < 3 || row[1] != "00000000" || row[2] == "00000000") continue;
    std::uint32_t value = 0;
    std::from_chars(row[2].data(), row[2].data() + row[2].size(), value, 16);
    add_new(found, Ipv4(ntohl(value)).text());
  }
  return found;
}

std::vector<std::string> default_gateways6(std::string_view routes) {
  std::vector<std::string> found;
  // Columns: destination, prefix length, source, its prefix length, next hop ... addresses as 32 hexadecimal digits.
  for (const auto& row : words_by_line(routes)) {
    if (row.size() < 5 || row[1] != "00" || row[4].size() != 32) continue;
    if (row[4].find_first_not_of('0') == std::string::npos) continue;
    std::array<unsigned char, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) std::from_chars(&row[4][i * 2], &row[4][i * 2] + 2, bytes[i], 16);
    add_new(found, address_text(AF_INET6, bytes.data()));
  }
  return found;
}

std::vector<std::string> resolvers_in(std::string_view resolv_conf) {
  std::vector<std::string> found;
  for (const auto& row : words_by_line(resolv_conf)) {
    // A link-local resolver carries a zone, "fe80::1%eth0", which means nothing elsewhere.
    if (row.size() >= 2 && row[0] == "nameserver") add_new(found, row[1].substr(0, row[1].find('%')));
  }
  return found;
}

HostFacts collect_host_facts() {
  HostFacts facts;
  facts.addresses = interface_addresses();
  facts.gateways = default_gateways4(read_file("/proc/net/route").value_or(""));
  for (auto& gateway : default_gateways6(read_file("/proc/net/ipv6_route").value_or("")))
    add_new(facts.gateways, gateway);
  facts.resolvers = resolvers_in(read_file("/etc/resolv.conf").value_or(""));
  std::erase_if(facts.resolvers, is_loopback);
  return facts;
}

}  // namespace patchlab::lab::network

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <map>

#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/inventory/readers.hpp"

namespace patchlab::process {
namespace {

constexpr std::size_t longest_address = 60;

// "Host: 10.20.0.10 (dns1.corp.example)<tab>Status: Up": nothing for one that is down.
std::optional<Answering> nmap_host(std::string_view line) {
  const auto parts = split(line, '\t');
  for (const auto part : parts) {
    if (trimmed(part) == "Status: Down") return std::nullopt;
  }
  auto host = trimmed(parts.front().substr(std::string_view("Host:").size()));
  const auto open = host.find(" (");
  Answering system;
  system.address = trimmed(host.substr(0, open));
  if (open != std::string_view::npos) {
    host.remove_prefix(open + 2);
    system.name = host.substr(0, host.find(')'));
  }
  return system;
}

}  // namespace

std::optional<std::string> canonical_address(std::string_view text) {
  const std::string address(text.substr(0, text.find('/')));
  if (address.size() > longest_address) return std::nullopt;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> written{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, address.c_str(), bytes.data()) == 1 &&
        ::inet_ntop(family, bytes.data(), written.data(), written.size()) != nullptr)
      return std::string(written.data());
  }
  return std::nullopt;
}

Result<AnsweringList> read_answering(const std::string& bytes, const std::string& file_name) {
  AnsweringList list{file_name, sha256(bytes), {}, {}};
  const auto text = to_valid_utf8(bytes);
  std::map<std::string, Answering> systems;
  std::size_t number = 0;
  std::size_t begun = 0, done = 0;  // scans of nmap; one file may hold several
  for (const auto whole : split(text, '\n')) {
    ++number;
    const auto line = trimmed(whole);
    if (line.starts_with("# Nmap")) ++(line.starts_with("# Nmap done") ? done : begun);
    if (line.empty() || line.starts_with("#")) continue;
    std::optional<Answering> system;
    if (line.starts_with("Host:")) {
      system = nmap_host(line);
      if (!system) continue;
    } else {
      const auto blank = line.find_first_of(" \t,;");
      system = Answering{std::string(line.substr(0, blank)), {}, {}};
      if (blank != std::string_view::npos) system->name = trimmed(line.substr(blank), " \t,;");
    }
    const auto address = canonical_address(system->address);
    if (!address)
      return configuration_error(
          fmt::format("{}:{}: '{}' is no address", printable(file_name), number,
                      printable(system->address.substr(0, longest_address))),
          "a line for each system: its address, and behind a blank its name; or what nmap -oG writes");
    system->address = *address;
    system->place = fmt::format("line {}", number);
    const auto [at, is_new] = systems.emplace(*address, *system);
    if (!is_new && at->second.name.empty()) at->second.name = system->name;
  }
  // A question about nothing.
  if (systems.empty())
    return configuration_error(fmt::format("{}: lists no system that answers", printable(file_name)),
                               "not even the one that asked: look at how it was made");
  // What nmap did not come to is in none of its lines.
  if (begun == 1 && done == 0)
    list.not_whole = "nmap did not come to its end: its last line is missing";
  else if (begun != done)
    list.not_whole = fmt::format("scans of nmap: {} begun, and {} came to the end", begun, done);
  for (auto& [address, system] : systems) list.systems.push_back(std::move(system));
  return list;
}

}  // namespace patchlab::process

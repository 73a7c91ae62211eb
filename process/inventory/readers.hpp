// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

// Readers of what others write about their machines. Functions over text; what is not as its program writes it is a
// configuration error that names the place. Of members and columns that are not needed nothing is asked.
namespace patchlab::process {

enum class InventoryFormat { ansible, csv, libvirt, nagios, netbox };
[[nodiscard]] const char* to_string(InventoryFormat format);

// A machine as one inventory lists it. What that does not say is empty.
struct ListedMachine {
  std::string name;
  std::string address;              // as canonical_address gives it
  std::string department, role;     // said as such
  std::vector<std::string> groups;  // words that may be the name of either: groups, tags, sites
  std::string system;
  std::string status;  // as it is written; which words mean what: docs/process/inventory.md
  std::string place;   // "line 3", "/results/0"
  bool operator==(const ListedMachine&) const = default;
};

struct Inventory {
  std::string file;
  std::string sha256;
  InventoryFormat format = InventoryFormat::csv;
  std::vector<ListedMachine> machines;  // as written
  std::vector<std::string> not_read;    // columns of a CSV of which nothing was taken
  std::string not_whole;                // why machines may be missing from it; empty: it says nothing of that kind
};

// By how it begins: what `ansible-inventory --list` prints; devices or virtual machines as NetBox's API has them (a
// list, or its "results"); objects as Nagios and Icinga 1 read and cache them; else CSV with a head. A file without a
// machine is an error: everything would be missing from it.
[[nodiscard]] Result<Inventory> read_inventory(const std::string& text, const std::string& file_name);

[[nodiscard]] Result<Inventory> read_ansible(const Json& json, const std::string& file_name);
[[nodiscard]] Result<Inventory> read_netbox(const Json& json, const std::string& file_name);
[[nodiscard]] Result<Inventory> read_nagios(const std::string& text, const std::string& file_name);
// RFC 4180, separated by commas or, where the head has more of them, semicolons. Columns: name (or hostname, host,
// server, machine), address (ip, ip address, ipv4, primary ip), department (tenant), role (function), system (os,
// operating system, platform), status.
[[nodiscard]] Result<Inventory> read_inventory_csv(const std::string& text, const std::string& file_name);

// One that somebody else has read. Without a machine it is an error as above; a machine without an address that is called
// by one has that.
[[nodiscard]] Result<Inventory> with_machines(Inventory inventory);

// A system that answered somebody.
struct Answering {
  std::string address;  // as canonical_address gives it
  std::string name;     // empty: none was said
  std::string place;    // "line 3"
  bool operator==(const Answering&) const = default;
};
struct AnsweringList {
  std::string file;
  std::string sha256;
  std::vector<Answering> systems;  // by address
  std::string not_whole;
};
// "10.20.0.10 [NAME]" in each line, or what nmap writes for -oG; lines that begin with # are comments.
[[nodiscard]] Result<AnsweringList> read_answering(const std::string& text, const std::string& file_name);

// IPv4, or IPv6 as RFC 5952 writes it; nothing for anything else. A prefix length behind it is left out.
[[nodiscard]] std::optional<std::string> canonical_address(std::string_view text);

}  // namespace patchlab::process

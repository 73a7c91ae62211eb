// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab::lab::libvirt {

// What a libvirt says of one of its domains to whoever may only look.
struct ListedDomain {
  std::string name;
  bool is_active = false;  // it runs, or is paused
  std::vector<std::string>
      addresses;       // that its networks gave it (DHCP leases); none: those that the host has in its ARP table
  std::string system;  // "debian 12", "windows server 2012 r2": of libosinfo's identifier; empty: none is there
  std::string department, role;  // of its metadata, <machine xmlns="urn:patchlab:machine:1" department="" role=""/>
};
void to_json(Json& json, const ListedDomain& domain);

// All of them but what runs of a lab defined there, by name. The connection is read-only; over ssh as any other.
[[nodiscard]] Result<std::vector<ListedDomain>> list_domains(const std::string& uri);

// "http://debian.org/debian/12" is "debian 12", "http://microsoft.com/win/2k12r2" "windows server 2012 r2"; one that is
// not of that shape stays as it is.
[[nodiscard]] std::string system_of_libosinfo(std::string_view identifier);

}  // namespace patchlab::lab::libvirt

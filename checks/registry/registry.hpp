// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "lab/core/net/address.hpp"

namespace patchlab::checks {

// All kinds built into this binary, sorted by kind; never null.
[[nodiscard]] const std::vector<const Check*>& all_checks();
// Null when there is no such kind.
[[nodiscard]] const Check* find_check(const std::string& kind);

// As whom these checks write frames, by MAC address, besides as the client of their cell and as net::lab_client_mac().
[[nodiscard]] std::set<net::MacAddress> speakers_of(const std::vector<CheckSpec>& checks);

}  // namespace patchlab::checks

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checks/deadline.hpp"
#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

namespace patchlab::checks::http {

struct PageRequest {
  std::string address;  // IPv4: nobody else is connected to
  std::uint16_t port = 80;
  bool tls = false;
  std::string host;  // empty: the address
  std::string path = "/";
  std::vector<std::string> contains;
  long redirects = 0;
  std::string user;
  std::string password;
};

// As get.hpp describes an observation. An Error: this host cannot ask.
[[nodiscard]] Result<Json> ask_for(const PageRequest& request, const Deadline& deadline);

}  // namespace patchlab::checks::http

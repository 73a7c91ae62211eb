// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lab/core/result.hpp"

namespace patchlab::cli {

struct ListenPlace {
  std::string address;  // numeric
  std::uint16_t port = 0;
};
// Of --listen: "127.0.0.1:8443", "[::1]:8443".
[[nodiscard]] Result<ListenPlace> listen_place(const std::string& text);

}  // namespace patchlab::cli

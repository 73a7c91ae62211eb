// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// By itself: readers of signers need it, and start no program.
#include <fmt/chrono.h>

#include "promotion/signature/ssh_keygen.hpp"

namespace patchlab::promotion {

std::string ssh_time(std::chrono::system_clock::time_point when) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch());
  return fmt::format("{:%Y%m%d%H%M%S}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())));
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "promotion/signature/public_key.hpp"

namespace patchlab::cli {

// A key as people name it: the .pub file (its private half is then in the agent or a security key, or beside it), or
// the private file with its .pub beside it.
struct SigningKey {
  std::filesystem::path file;  // for ssh-keygen -f
  promotion::PublicKey key;
};
[[nodiscard]] Result<SigningKey> signing_key(const std::filesystem::path& named);

}  // namespace patchlab::cli

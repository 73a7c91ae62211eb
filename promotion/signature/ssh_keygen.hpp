// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "lab/process/process.hpp"

// Stock ssh-keygen (OpenSSH 9.2 or later) does what has to do with cryptography: agents, security keys and their
// touch, and every algorithm come with it. About 65 ms a call.
namespace patchlab::promotion {

struct SignatureCheck {
  std::string signers;                         // text of an allowed_signers file
  std::string name;                            // who is said to have signed
  std::string name_space;                      // for what
  std::string bytes;                           // what was signed
  std::string signature;                       // armoured
  std::chrono::system_clock::time_point time;  // when the ledger got it: that decides whether a key was in force
};
// Whether `ssh-keygen -Y verify` says so. "" when the signature is good, else why not, in ssh-keygen's words and for
// the reader. An Error is about the host alone (no ssh-keygen, no disk) and says nothing of the signature. Writes its
// files to a folder of its own below the system's temporary folder, which only we may read, and removes it.
[[nodiscard]] Result<std::string> verify_signature(ProcessRunner& processes, const SignatureCheck& check);

// The names that `ssh-keygen -Y find-principals` finds for the key of a signature; empty when there is none.
[[nodiscard]] Result<std::vector<std::string>> find_principals(ProcessRunner& processes, const std::string& signers,
                                                               const std::string& signature,
                                                               std::chrono::system_clock::time_point time);

// Signs with the private key file, or with the .pub file of a key that the agent or a security key holds. The error
// (configuration) says why ssh-keygen did not: it has no terminal, so it cannot ask for a passphrase. `limit` includes
// the wait for a touch.
[[nodiscard]] Result<std::string> make_signature(ProcessRunner& processes, const std::filesystem::path& key,
                                                 const std::string& name_space, std::string_view bytes,
                                                 Milliseconds limit = std::chrono::minutes(2));

// The specs of these, pure.
[[nodiscard]] ProcessSpec verify_spec(const std::filesystem::path& folder, const SignatureCheck& check);
[[nodiscard]] ProcessSpec sign_spec(const std::filesystem::path& key, const std::string& name_space,
                                    const std::filesystem::path& file, Milliseconds limit);
// 20261128100000Z, for -O verify-time: whole seconds, rounded down.
[[nodiscard]] std::string ssh_time(std::chrono::system_clock::time_point when);

}  // namespace patchlab::promotion

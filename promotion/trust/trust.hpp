// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>

#include "promotion/signature/ssh_keygen.hpp"
#include "promotion/trust/signers.hpp"

// Who could sign what, when: versions of allowed_signers, each in force from its line in the ledger on until that of
// the next. What was signed is judged by the version of its own line, so taking a key away never undoes what it signed
// before.
namespace patchlab::promotion {

struct TrustVersion {
  std::uint64_t number = 0;                     // from 1
  std::chrono::system_clock::time_point since;  // time of its line in the ledger
  std::string text;                             // the allowed_signers file
  std::vector<Signer> signers;                  // read from it
};

class Trust {
 public:
  // Nobody may sign anything.
  Trust() = default;
  // Oldest first.
  explicit Trust(std::vector<TrustVersion> versions);

  [[nodiscard]] const std::vector<TrustVersion>& versions() const { return versions_; }
  // nullptr before the first.
  [[nodiscard]] const TrustVersion* at(std::chrono::system_clock::time_point when) const;
  // One person: the same name, or names that had one key in common, in whatever versions.
  [[nodiscard]] bool same_person(const std::string& a, const std::string& b) const;

 private:
  [[nodiscard]] std::string person(const std::string& name) const;
  std::vector<TrustVersion> versions_;
  std::map<std::string, std::string> person_of_;  // name to the name that stands for it
};

// Which pinned root key signed these bytes for patchlab.trust.v1, by name. An error (configuration) when none did, or
// not these bytes, or not while its key was in force. `what`: for the message.
[[nodiscard]] Result<std::string> root_that_signed(ProcessRunner& processes, const std::string& bytes,
                                                   const std::string& signature, const std::string& roots,
                                                   std::chrono::system_clock::time_point when, const std::string& what);

// A version as it lies in <folder>: allowed_signers and allowed_signers.sig. An error (configuration) when the file is
// not canonical or no root signed it. `roots`: text of the pinned file, one line for each root key, for
// patchlab.trust.v1 only. `when`: time of its line in the ledger, at which the root's key must be in force.
[[nodiscard]] Result<TrustVersion> read_trust_version(ProcessRunner& processes, const std::filesystem::path& folder,
                                                      const std::string& roots, std::uint64_t number,
                                                      std::chrono::system_clock::time_point when);
// The same for bytes that lie elsewhere.
[[nodiscard]] Result<TrustVersion> trust_version(ProcessRunner& processes, const std::string& text,
                                                 const std::string& signature, const std::string& roots,
                                                 std::uint64_t number, std::chrono::system_clock::time_point when);

}  // namespace patchlab::promotion

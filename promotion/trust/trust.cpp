// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/trust/trust.hpp"

#include <algorithm>

#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"
#include "promotion/signature/ssh_signature.hpp"

namespace patchlab::promotion {

Trust::Trust(std::vector<TrustVersion> versions) : versions_(std::move(versions)) {
  std::map<std::string, std::string> name_of_key;
  for (const auto& version : versions_) {
    for (const auto& signer : version.signers) {
      person_of_.emplace(signer.name, signer.name);
      const auto [at, is_new] = name_of_key.emplace(signer.key.blob, signer.name);
      if (is_new) continue;
      const auto one = person(at->second);
      const auto other = person(signer.name);
      for (auto& [name, stands_for] : person_of_) {
        if (stands_for == other) stands_for = one;
      }
    }
  }
}

const TrustVersion* Trust::at(std::chrono::system_clock::time_point when) const {
  const TrustVersion* found = nullptr;
  for (const auto& version : versions_) {
    if (version.since <= when) found = &version;
  }
  return found;
}

std::string Trust::person(const std::string& name) const {
  const auto found = person_of_.find(name);
  return found == person_of_.end() ? name : found->second;
}

bool Trust::same_person(const std::string& a, const std::string& b) const { return person(a) == person(b); }

Result<std::string> root_that_signed(ProcessRunner& processes, const std::string& bytes, const std::string& signature,
                                     const std::string& roots, std::chrono::system_clock::time_point when,
                                     const std::string& what) {
  const auto pinned = read_signers(roots, SignersOf::trust);
  if (!pinned.problems.empty()) return trust_error("pinned root keys", pinned.problems);
  const auto name_space = signature_namespace(StatementKind::trust);
  PATCHLAB_ASSIGN(const auto read, read_ssh_signature(signature, what));
  const auto root = std::ranges::find_if(pinned.signers, [&](const Signer& one) { return one.key == read.key; });
  if (root == pinned.signers.end()) {
    return configuration_error(
        fmt::format("{}: is signed by {}, which is no root key that is pinned", what, fingerprint(read.key)),
        "a root key signs it: patchlab trust sign");
  }
  PATCHLAB_ASSIGN(const auto why_not,
                  verify_signature(processes, {roots, root->name, name_space, bytes, signature, when}));
  if (!why_not.empty()) {
    return configuration_error(
        fmt::format("{}: the signature of root '{}' is not good: {}", what, root->name, why_not),
        "it was changed after it was signed, or signed for something else: sign it again with 'patchlab trust sign'");
  }
  return root->name;
}

Result<TrustVersion> trust_version(ProcessRunner& processes, const std::string& text, const std::string& signature,
                                   const std::string& roots, std::uint64_t number,
                                   std::chrono::system_clock::time_point when) {
  const auto place = fmt::format("trust version {}", number);
  TrustVersion version{number, when, text, {}};
  PATCHLAB_ASSIGN(version.signers, read_canonical_signers(text, SignersOf::statements, place));
  PATCHLAB_TRY(root_that_signed(processes, text, signature, roots, when, place));
  return version;
}

Result<TrustVersion> read_trust_version(ProcessRunner& processes, const std::filesystem::path& folder,
                                        const std::string& roots, std::uint64_t number,
                                        std::chrono::system_clock::time_point when) {
  PATCHLAB_ASSIGN(const auto text, read_file(folder / "allowed_signers", largest_signers_file, Links::refuse));
  PATCHLAB_ASSIGN(const auto signature, read_file(folder / "allowed_signers.sig", longest_signature, Links::refuse));
  return trust_version(processes, text, signature, roots, number, when)
      .while_doing(fmt::format("reading '{}'", printable(folder.string())));
}

}  // namespace patchlab::promotion

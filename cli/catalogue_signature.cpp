// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/catalogue_signature.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "patches/authenticode/authenticode.hpp"

namespace patchlab::cli {

using process::CatalogueSignature;

Result<CatalogueSignature> catalogue_signature(ProcessRunner& processes, const std::filesystem::path& file,
                                               const std::string& sha256, bool carries,
                                               const std::filesystem::path& ca_bundle) {
  using State = CatalogueSignature::State;
  CatalogueSignature found{file.filename().string(), State::not_looked_at, {}, {}, !ca_bundle.empty()};
  if (!carries) {
    found.state = State::not_signed;
    return found;
  }
  if (ca_bundle.empty()) {
    found.why = "no CA bundle was named (--ca-bundle)";
    return found;
  }
  const auto judged = patches::Authenticode(processes, {ca_bundle, patches::Unsigned::refuse})
                          .judge(file, file.string(), patches::Carries::yes);
  // Between its reading and this it was a file that somebody may have replaced.
  PATCHLAB_ASSIGN(const auto now, sha256_of_file(file));
  if (now != sha256)
    return configuration_error(fmt::format("'{}' was changed while it was read", file.string()), "try again");
  if (judged.signature) {
    found.state = is_of(*judged.signature, "Microsoft Corporation") ? State::by_microsoft : State::by_others;
    found.signer = judged.signature->signer;
    return found;
  }
  const auto& error = judged.signature.error();
  if (judged.fault == patches::Fault::of_the_file) return error;
  found.state = error.error_class == ErrorClass::configuration ? State::not_verified : State::not_looked_at;
  found.why = error.message;
  return found;
}

}  // namespace patchlab::cli

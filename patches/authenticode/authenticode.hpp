// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "lab/process/process.hpp"
#include "patches/authenticode/signature.hpp"

namespace patchlab::patches {

enum class Unsigned { refuse, allow };

struct SignaturePolicy {
  std::filesystem::path ca_bundle;  // PEM; empty: nothing can be verified
  Unsigned unsigned_files = Unsigned::refuse;
};

// Whether a file carries a signature, as its reader saw it. The verifier's own words for "none" differ between formats
// and releases.
enum class Carries { no, yes };

// Whose trouble a refusal is. A chain that does not lead to the CA bundle may be the bundle's, and nothing is known of
// the file then.
enum class Fault { of_the_file, not_known };
struct Judged {
  Result<Signature> signature;
  Fault fault = Fault::not_known;  // of a refusal: its content was changed, or it is not signed
};

// osslsigncode inside bubblewrap: no network, no home, nothing to write, only the package and the CA bundle. Files are
// hostile until they are verified, and releases before 2.13 had errors by which a signed file could run code in the
// verifier.
[[nodiscard]] ProcessSpec verify_command(const std::filesystem::path& file, const std::filesystem::path& ca_bundle,
                                         const std::string& version);
// "2.9" from "osslsigncode 2.9, using:"; empty when it says something else.
[[nodiscard]] std::string version_in(std::string_view output);
// What a successful verification printed.
[[nodiscard]] Signature signature_in(std::string_view output);
// Whether a verification that failed found another content than was signed.
[[nodiscard]] bool is_changed_in(std::string_view output);
// Why a verification failed: the digest, the chain, or the last line.
[[nodiscard]] std::string failure_in(std::string_view output, std::string_view errors);

// Applies the policy to one file.
class Authenticode {
 public:
  Authenticode(ProcessRunner& processes, SignaturePolicy policy) : processes_(processes), policy_(std::move(policy)) {}

  // Whether there is anything to verify a signature by, or none is asked for.
  [[nodiscard]] bool can_verify() const {
    return !policy_.ca_bundle.empty() || policy_.unsigned_files == Unsigned::allow;
  }
  // The signature's facts, or why the file is refused.
  [[nodiscard]] Result<Signature> check(const std::filesystem::path& file, const std::string& name,
                                        Carries carries) const;
  [[nodiscard]] Judged judge(const std::filesystem::path& file, const std::string& name, Carries carries) const;

 private:
  [[nodiscard]] Judged verify(const std::filesystem::path& file, const std::string& name) const;
  // Of what ran it; an error when it could not.
  struct Verification {
    ProcessOutcome verified;
    std::string tool, ca_bundle_sha256;
  };
  [[nodiscard]] Result<Verification> run(const std::filesystem::path& file, const std::string& name) const;
  ProcessRunner& processes_;
  SignaturePolicy policy_;
};

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "patches/authenticode/authenticode.hpp"
#include "patches/candidate/candidate.hpp"
#include "patches/store/content_store.hpp"

namespace patchlab::patches {

// Reads a Windows package, applies the signature policy, puts it into the store and remembers what was found under its
// digest. Everything looks at one private copy, so that what was verified is what is stored.
[[nodiscard]] Result<CandidateFile> take_in_windows(const std::filesystem::path& path, const ContentStore& store,
                                                    const Authenticode& authenticode);

// The same, for who has to know whose trouble a refusal is: the file's when its content was changed or it is not
// signed. Nothing is known of it when it could not be read, or when its signature does not lead to the certificates.
struct WindowsIntake {
  Result<CandidateFile> file;
  Fault fault = Fault::not_known;
  WindowsIntake(Result<CandidateFile> taken) : file(std::move(taken)) {}  // NOLINT(google-explicit-constructor)
  WindowsIntake(Error error) : file(std::move(error)) {}                  // NOLINT(google-explicit-constructor)
  WindowsIntake(Error error, Fault whose) : file(std::move(error)), fault(whose) {}
};
[[nodiscard]] WindowsIntake intake_of_windows(const std::filesystem::path& path, const ContentStore& store,
                                              const Authenticode& authenticode);

// The same file as it was taken in before: its bytes are in the store, its signature was judged then. A run verifies
// nothing itself: it knows no CA bundle, and may happen on a host without the verifier.
[[nodiscard]] Result<CandidateFile> taken_in_windows(const std::filesystem::path& path, const ContentStore& store);

}  // namespace patchlab::patches

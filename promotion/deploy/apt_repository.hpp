// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "lab/process/process.hpp"
#include "promotion/deploy/handoff.hpp"

// A repository that apt takes a promotion from: apt-ftparchive (apt-utils) describes it, gpg signs it with a key of the
// user. Both are programs; no key is made or kept here.
namespace patchlab::promotion {

// A full fingerprint of an OpenPGP key, version 4 or 5, in capitals; an error (usage) for everything shorter: others
// can be made that look the same.
[[nodiscard]] Result<std::string> openpgp_fingerprint(const std::string& text);

// Fills `folder`: pool/<sha256>.deb, dists/<suite>/InRelease and its indexes, also by hash.
[[nodiscard]] Result<void> write_apt_repository(ProcessRunner& processes, const Handoff& handoff,
                                                const std::string& fingerprint,
                                                std::chrono::system_clock::time_point now,
                                                const std::filesystem::path& folder);

// What it is for: its department, or one ring of that, from which machines of another ring take nothing.
[[nodiscard]] std::string suite_of(const Handoff& handoff);

// The parts of it, pure. What apt-ftparchive says of a pool, by architecture, each a Packages file in one order; what
// is for all is in each. An error when it describes a file that is not of the set, or not all of the set.
[[nodiscard]] Result<std::map<std::string, std::string>> packages_by_architecture(const std::string& packages,
                                                                                  const std::set<std::string>& digests);
// With the fields that say until when it may be taken and what it is of, behind its date. An error when it has no date.
// Where its window opens after `now`, it is dated by that: apt takes nothing that is dated in the future.
[[nodiscard]] Result<std::string> release_of(const std::string& release, const Handoff& handoff,
                                             std::chrono::system_clock::time_point now);
// "Sat, 12 Dec 2026 00:00:00 UTC"
[[nodiscard]] std::string release_time(std::chrono::system_clock::time_point when);
[[nodiscard]] ProcessSpec packages_spec(const std::filesystem::path& folder);
[[nodiscard]] ProcessSpec release_spec(const std::filesystem::path& folder, const std::string& suite,
                                       const std::string& architectures);
[[nodiscard]] ProcessSpec clearsign_spec(const std::string& fingerprint, const std::string& text);

}  // namespace patchlab::promotion

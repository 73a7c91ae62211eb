// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/core/host_state.hpp"
#include "patches/apt/apt_output.hpp"
#include "patches/candidate/candidate.hpp"

// From single packages to candidates: what comes from one source package is one candidate. Pure.
namespace patchlab::patches {

// What one golden image holds and what the apt sources offer over it.
struct ImageUpdates {
  InstalledSet installed;
  std::vector<AptUpdate> updates;
};

struct UpdateGroup {
  std::vector<std::string> sources;  // usually one; several when their updates need each other
  std::string version;               // of the first source
  std::string origin;
  bool security = false;
  std::vector<AptPackage> packages;
  std::vector<std::string> prerequisites;  // ids of other groups
  [[nodiscard]] std::string id() const;    // "apt-bind9-9.18.49-1~deb12u3"
};

// `offers` describes every version named in the updates; one without a description is an error.
// Prerequisites come from dependencies which the image meets only with another group's package.
[[nodiscard]] Result<std::vector<UpdateGroup>> group_updates(const std::vector<ImageUpdates>& images,
                                                             const std::vector<AptPackage>& offers);

// Which of the updates a scenario wants.
struct AptRequest {
  std::vector<std::string> packages;  // source packages; empty: all
  std::optional<std::size_t> limit;   // security updates first; prerequisites come on top
  bool security_only = false;
  bool operator==(const AptRequest&) const = default;
};
// Reads "packages", "limit" and "security_only" of {"source": "apt", ...}; the caller reads "source" and calls
// finish().
[[nodiscard]] AptRequest read_apt_request(JsonReader& reader);

struct SelectedGroups {
  std::vector<UpdateGroup> groups;  // security first, then by name; prerequisites before what needs them
  std::vector<std::string> notes;   // sentences for the reader
};
[[nodiscard]] SelectedGroups select_groups(const std::vector<UpdateGroup>& groups, const AptRequest& request);

// Without digest and file sizes unknown to apt: complete except that the files are not in the store yet.
[[nodiscard]] Candidate candidate_of(const UpdateGroup& group);

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "patches/apt/apt_output.hpp"
#include "patches/candidate/candidate.hpp"
#include "patches/deb/changelog.hpp"

// From single packages to candidates: what comes from one source package is one candidate. Pure.
namespace patchlab::patches {

// What one golden image holds and what the apt sources offer over it.
struct ImageUpdates {
  std::vector<AptUpdate> updates;
  // By source_key: whose updates apt installs only together with those of other sources.
  std::map<std::string, std::set<std::string>> needs{};
};

// "bind9 1:9.18.49-1~deb12u3"
[[nodiscard]] std::string source_key(const AptPackage& package);
// The updates of one image by the source that they are from. An update without a description is left out.
[[nodiscard]] std::map<std::string, std::vector<const AptPackage*>> updates_by_source(
    const ImageUpdates& image, const std::vector<AptPackage>& offers);

struct UpdateGroup {
  std::vector<std::string> sources;  // usually one; several when their updates need each other
  std::string version;               // of the first source
  std::string origin;
  bool security = false;
  std::vector<AptPackage> packages;
  std::vector<std::string> prerequisites;  // ids of other groups
  ChangelogFacts changes{};                // once its files are there
  [[nodiscard]] std::string id() const;    // "apt-bind9-9.18.49-1~deb12u3"
};

// `offers` describes every version named in the updates; one without a description is an error.
// Prerequisites are what apt said the images need.
[[nodiscard]] Result<std::vector<UpdateGroup>> group_updates(const std::vector<ImageUpdates>& images,
                                                             const std::vector<AptPackage>& offers);

// Which of the updates a scenario wants.
struct AptRequest {
  std::vector<std::string> packages;  // source packages; empty: all
  std::optional<std::size_t> limit;   // security updates first; prerequisites come on top
  bool security_only = false;
  bool as_named = false;  // in the order in which they are named, instead of security updates first
  bool operator==(const AptRequest&) const = default;
};

struct SelectedGroups {
  std::vector<UpdateGroup> groups;  // security first, then by name, or as named; prerequisites before what needs them
  std::vector<std::string> notes;   // sentences for the reader
};
// Said when nothing is selected and no other note says why.
inline constexpr const char* no_updates = "the apt sources offer no updates over what the golden images hold";
[[nodiscard]] SelectedGroups select_groups(const std::vector<UpdateGroup>& groups, const AptRequest& request);

[[nodiscard]] Severity severity_of(const ChangelogFacts& changes);
// Without digest and file sizes unknown to apt: complete except that the files are not in the store yet.
[[nodiscard]] Candidate candidate_of(const UpdateGroup& group);

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/core/time.hpp"
#include "lab/guest/adapter.hpp"

// How packages from the medium get into a Debian guest: apt takes them from the medium as its only repository, in
// exactly the versions that are asked for, and only after it was asked what it would do (docs/adr/0012).
namespace patchlab::lab::guest::debian {

// One change of a package: "bind9 1:9.18.49-1~deb12u3 amd64", or "bind9" that is removed.
struct PackageChanges {
  std::set<std::string> installed;
  std::set<std::string> removed;
  bool operator==(const PackageChanges&) const = default;
};
// The "Inst" and "Remv" lines of `apt-get -s`. A guest error for a line in another shape: what apt would do must be
// known before it does it.
[[nodiscard]] Result<PackageChanges> simulated_changes(const std::string& output);
// apt-get's simulation plays each step by itself and calls a package broken that dpkg only takes out of service for a
// moment: "E: Conf Broken x" where x pre-depends on what breaks it. True when it said nothing worse; what it would do
// is complete then, and whether it can be done shows when it is.
[[nodiscard]] bool is_only_about_order(const std::string& output);
// How what apt would do differs from what was asked for ("bind9 1:2 amd64" for each); empty when it does not.
[[nodiscard]] std::string widening(const std::set<std::string>& asked, const PackageChanges& changes);

// Scripts for the guest. Reserved exit codes tell the laboratory's own trouble from apt's.
namespace install_scripts {
inline constexpr int no_medium = 240;
inline constexpr int no_such_file = 241;
inline constexpr int no_apt = 242;
// $1: a line prefix that starts a section; $2...: names of files on the medium. Sections: "asked", a line for each
// package as in PackageChanges, "simulation", and "end CODE" with apt-get's. The medium stays mounted.
extern const char* const prepare;
// $@: what `prepare` was asked for, as apt-get takes it. Kept configuration files come last, each after `kept_mark`.
extern const char* const install;
inline constexpr const char* kept_mark = "@@patchlab-kept ";
// When it is not to be installed after all.
extern const char* const leave;
}  // namespace install_scripts

[[nodiscard]] Result<InstallOutcome> install(GuestAgent& agent, Clock& clock,
                                             const std::vector<std::string>& file_names, Milliseconds deadline,
                                             std::stop_token stop);

}  // namespace patchlab::lab::guest::debian

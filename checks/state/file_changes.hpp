// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "checks/state/state_difference.hpp"
#include "lab/core/guest_files.hpp"

namespace patchlab::checks::state {

// Which changes of files the programs of every Debian system make, whatever is installed: state, caches, logs, what
// triggers produce. Patterns as those of rules; the first that fits counts.
struct UsualChange {
  const char* path;
  const char* why;
};
[[nodiscard]] const std::vector<UsualChange>& usual_changes();

// What candidates that were installed bring, together: the latest of each path counts.
class Shipped {
 public:
  // `files`: of the guest before; archived paths go where its links lead ("/bin/ls" -> "/usr/bin/ls"). `owned`: what
  // the packages had of it.
  Shipped(const std::vector<const ShippedPackage*>& packages, const GuestFiles& files,
          const std::map<std::string, std::set<std::string>>& owned);
  [[nodiscard]] const ShippedFile* find(const std::string& path) const;
  [[nodiscard]] bool is_conffile(const std::string& path) const { return conffiles_.contains(path); }
  // A package had it, and the one in its place does not bring it any more.
  [[nodiscard]] bool dropped(const std::string& path) const { return dropped_.contains(path); }
  [[nodiscard]] bool brings_below(const std::string& folder) const;  // "/usr/share/x/"
  [[nodiscard]] bool brings_unit(const std::string& name) const;

 private:
  [[nodiscard]] std::string placed(const std::string& path) const;
  std::map<std::string, std::string> links_;  // "/bin" -> "/usr/bin"
  std::map<std::string, ShippedFile> files_;
  std::set<std::string> conffiles_;
  std::set<std::string> dropped_;
};

struct FileChange {
  std::string path;
  const GuestFile* before = nullptr;  // not there
  const GuestFile* after = nullptr;   // gone
};
// Everything that is not exactly as it was; but folders of which only entries changed, which tell themselves.
[[nodiscard]] std::vector<FileChange> changed_files(const GuestFiles& before, const GuestFiles& after);
// Those of which the content has to be read to tell whether it is explained.
[[nodiscard]] std::vector<std::string> to_be_read(const std::vector<FileChange>& changes);

// What is known of contents: SHA-256 by path. One that is not there could not be read.
struct Contents {
  const std::map<std::string, std::string>& before;
  const std::map<std::string, std::string>& after;
};
enum class Accounts { as_before, told };  // told: rows of accounts or groups say what changed in their files

// What nothing explains: kinds file, set-uid, capability, acl and world-writable, by absolute path, classified, sorted.
// Above a bound the rest is one row. `now`: the later view, for names of users.
[[nodiscard]] std::vector<StateDifference> unexplained_files(const std::vector<FileChange>& changes,
                                                             const Shipped& shipped, const Contents& contents,
                                                             const GuestView& now, Accounts accounts);

// Whether a diff of such a file may be shown: it is none of those that hold secrets, and can be text.
[[nodiscard]] bool may_be_shown(const std::string& path, const GuestFile& file);
// The diff, with the class that it may bring; as it was when one of them holds a private key.
[[nodiscard]] StateDifference with_diff(StateDifference difference, const std::string& before,
                                        const std::string& after);

}  // namespace patchlab::checks::state

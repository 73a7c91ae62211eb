// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/names.hpp"
#include "patches/authenticode/signature.hpp"
#include "patches/deb/deb_file.hpp"
#include "patches/windows/windows_package.hpp"

namespace patchlab::patches {

// One file of a candidate. Its bytes lie in the content store under the digest; the name is the canonical one and safe
// everywhere.
struct CandidateFile {
  std::string name;  // package_version_arch.deb, KB-version_arch.msu
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string package;
  std::string version;
  std::string architecture;
  std::string depends;
  std::string pre_depends;
  // Of a Windows package. Both follow from the bytes and from when they were verified; a candidate's identity does not
  // depend on them.
  std::optional<WindowsPackage> windows;
  std::optional<Signature> signature;
  bool operator==(const CandidateFile&) const = default;
};

enum class Severity { critical, important, moderate, low, unknown };
enum class Origin { file, apt, repack };

[[nodiscard]] const char* to_string(Severity severity);
[[nodiscard]] const char* to_string(Origin origin);
[[nodiscard]] std::optional<Severity> severity_from(std::string_view word);

// Exit codes of an .exe installer beside those that every installer has.
struct ExitCodes {
  std::vector<std::uint32_t> success;
  std::vector<std::uint32_t> restart;  // installed, complete after a restart
  [[nodiscard]] bool empty() const { return success.empty() && restart.empty(); }
  bool operator==(const ExitCodes&) const = default;
};

// One patch, as a whole: it is applied, judged and promoted with all its files or not at all.
struct Candidate {
  std::string id;
  std::string title;
  Severity severity = Severity::unknown;
  std::string kind = "deb";  // or a Windows kind: msu, cab, msi, msp, exe
  Origin origin = Origin::file;
  std::vector<CandidateFile> files;
  std::vector<std::string> prerequisites;  // ids that must be in the same set, applied before
  std::vector<std::string> supersedes;     // ids this one replaces
  std::vector<std::string> roles;          // empty: every role; else machines of these roles only
  std::string switches;  // of an .exe, that make it install without questions and without a restart: one line
  ExitCodes exit_codes;  // of an .exe
  std::string digest;
  bool operator==(const Candidate&) const = default;
};

// Identity: SHA-256 over what is executed: the files' names and bytes in the order in which they are installed, the
// switches, and what must be there before. Labels (id, title, severity, origin, roles, what it supersedes) are not part
// of it: a file that gets another title or a higher severity keeps its history.
[[nodiscard]] std::string candidate_digest(const Candidate& candidate);
// Whether two files would change the same thing on one machine, or could not lie on one medium. Debian: package and
// architecture; Windows: patches/windows/applicability.
[[nodiscard]] bool ship_the_same(const CandidateFile& a, const CandidateFile& b);
// Two files that do so have one of these in common.
[[nodiscard]] std::vector<std::string> shipping_marks(const CandidateFile& file);

// An id is also a file name and part of a report: the rule is in lab/core/names.hpp.
using patchlab::is_candidate_id;
// Any text made an id: everything else becomes '-'.
[[nodiscard]] std::string make_candidate_id(std::string_view text);

// The name, or where a medium cannot hold it (more than 100 characters) its beginning, part of the digest and its
// ending: known when the file is taken in, and not only in the run.
[[nodiscard]] std::string fitting_name(const std::string& name, const std::string& sha256);
[[nodiscard]] CandidateFile candidate_file(const DebFile& deb);
[[nodiscard]] CandidateFile candidate_file(const WindowsPackage& package);
[[nodiscard]] bool is_candidate_kind(std::string_view word);

// {"success": [17025], "restart": ["0x800f0840"]}: numbers, or texts in hexadecimal.
[[nodiscard]] ExitCodes exit_codes_from(JsonReader reader);

[[nodiscard]] Json candidate_file_json(const CandidateFile& file);
[[nodiscard]] CandidateFile candidate_file_from(const Json& json, const std::string& pointer,
                                                std::vector<JsonProblem>& problems);

// Full form, for `--json`.
void to_json(Json& json, const Candidate& candidate);

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promotion/signature/public_key.hpp"
#include "promotion/statement/statement.hpp"

// Who may sign what: an allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS), read more strictly than ssh-keygen
// reads it. What is accepted here means the same to it; much that it accepts is refused here, because it would let
// somebody sign for somebody else, for anything, or for ever. Pure functions.
namespace patchlab::promotion {

struct Signer {
  std::string name;
  std::vector<std::string> namespaces;             // "patchlab.approve.v1"
  std::optional<std::chrono::sys_seconds> after;   // in force from this second on
  std::optional<std::chrono::sys_seconds> before;  // and until this one, itself included, as with ssh-keygen
  PublicKey key;
  std::size_t line = 0;  // of the file, from 1
};
[[nodiscard]] bool may_sign(const Signer& signer, std::string_view name_space);
[[nodiscard]] bool in_force(const Signer& signer, std::chrono::system_clock::time_point when);

// Why a file is not used. The words (to_string) are stable API.
enum class TrustProblemCode {
  too_large,
  not_text,        // control characters, carriage returns, no UTF-8, an unfinished last line
  no_signers,      // nobody is named
  line_malformed,  // not NAME OPTIONS TYPE KEY
  name_pattern,    // * ? ! or a list: more than one name
  name_invalid,    // not a plain name
  option_unknown,
  option_twice,
  cert_authority,
  namespaces_missing,  // without, a key signs for everything
  namespace_pattern,
  namespace_unknown,
  namespace_twice,
  date_without_zone,  // local time of whoever verifies
  date_unparsable,    // no date of the calendar: ssh-keygen takes the 31st of February for the 3rd of March
  dates_reversed,     // never in force
  key_unreadable,
  key_kind,
  key_weak,
  key_twice,             // one key on two lines: whoever has it is two people
  roles_mixed,           // the lab that decides, or witnesses, about itself
  security_key_missing,  // a security key was demanded for this namespace
  not_canonical,         // of a version in force: not as it is written
};
[[nodiscard]] const char* to_string(TrustProblemCode code);

struct TrustProblem {
  TrustProblemCode code = TrustProblemCode::line_malformed;
  std::size_t line = 0;  // 0: the file as a whole
  std::string text;      // for the reader
  bool operator==(const TrustProblem&) const = default;
};

// Who is in the file: those who sign statements and heads, or the roots, which sign such files and nothing else.
enum class SignersOf { statements, trust };
// What a key in the file may be allowed to sign; patchlab.head.v1 and patchlab.witness.v1 among them.
[[nodiscard]] std::vector<std::string> known_namespaces(SignersOf what);

struct SignersReading {
  std::vector<Signer> signers;         // in the order of the file; only lines without a problem
  std::vector<TrustProblem> problems;  // by line; the file is not to be used when there is one
};
// Comments and blank lines are passed over. `with_security_key`: namespaces for which only security keys will do.
// Takes time in proportion to the bytes, which may be anybody's.
[[nodiscard]] SignersReading read_signers(std::string_view text, SignersOf what,
                                          const std::vector<std::string>& with_security_key = {});

// The one spelling of a version in force: NAME namespaces="...",valid-after="...Z",valid-before="...Z" TYPE KEY
[[nodiscard]] std::string write_signers(const std::vector<Signer>& signers);
// Of a version that is in force, where every byte counts; an error (configuration) names all problems.
[[nodiscard]] Result<std::vector<Signer>> read_canonical_signers(std::string_view text, SignersOf what,
                                                                 const std::string& file_name);
// "FILE:LINE: code: text" lines.
[[nodiscard]] Error trust_error(const std::string& file_name, const std::vector<TrustProblem>& problems);

// As in these files: YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, each with a Z behind.
[[nodiscard]] std::optional<std::chrono::sys_seconds> date_of_signers(std::string_view text);

inline constexpr std::size_t largest_signers_file = 1U << 20U;  // bytes

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "promotion/approval/decisions.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/signature/ssh_keygen.hpp"
#include "promotion/trust/trust.hpp"

// Statements of lines with their signatures, and who could sign them then.
namespace patchlab::promotion {

// A list of signers as it stood in each version, proven by `roots` (text of the pinned root keys). An error names the
// line or the file, and says why. Copies under <folder>/trust must be what the lines name, signed by a root.
[[nodiscard]] Result<Trust> read_trust(ProcessRunner& processes, const std::filesystem::path& folder,
                                       const ChainState& state, const std::string& roots);

enum class Signed {
  yes,
  no_key,  // not signed, and by the list of signers in force nobody could have
  no,      // not signed though somebody could, or not well
};
struct SignedLine {
  Signed state = Signed::no_key;
  std::string why;  // of what is not signed, or not well: for the reader
  std::optional<Statement> statement;
};
// The statement of a line that is there, read strictly, and its signature by whom the line names. An error is about
// the host alone.
[[nodiscard]] Result<SignedLine> signed_line(ProcessRunner& processes, const std::filesystem::path& folder,
                                             const ChainLine& line, const Trust& trust);

// The statement of a line of people, for decisions_about.
[[nodiscard]] Result<LedgerStatement> examined_line(ProcessRunner& processes, const std::filesystem::path& folder,
                                                    const ChainLine& line, const Trust& trust);

// Who of the list in force at that time signed this text in this namespace, by name; empty: nobody who may.
[[nodiscard]] Result<std::string> signer_of(ProcessRunner& processes, const Trust& trust, const std::string& name_space,
                                            const std::string& text, const std::string& signature, Moment when);
// Whether the list in force then lets anybody sign in this namespace.
[[nodiscard]] bool can_be_signed(const Trust& trust, const std::string& name_space, Moment when);

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/signed_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr const char* signers_file = "allowed_signers";

Result<std::string> signature_in(const fs::path& file) { return read_file(file, longest_signature, Links::refuse); }

Moment time_of(const ChainLine& line) { return *chain_time(line.time); }

Result<TrustVersion> version_of(ProcessRunner& processes, const fs::path& folder, const ChainLine& line,
                                std::uint64_t number, const std::string& roots) {
  const ObjectFolder objects(folder / "objects");
  const auto place = fmt::format("line {} (trust version {})", line.seq, number);
  PATCHLAB_ASSIGN(const auto bytes, objects.get(line.object));
  PATCHLAB_ASSIGN(const auto statement, read_statement(bytes, place));
  PATCHLAB_ASSIGN(const auto signature, objects.signature(line.object));
  PATCHLAB_ASSIGN(const auto root, root_that_signed(processes, bytes, signature, roots, time_of(line), place));
  if (statement.kind != StatementKind::trust || statement.by != root || statement.version != number ||
      statement.subjects.front().name != signers_file) {
    return configuration_error(
        fmt::format("{}: its statement is by '{}' of version {}, but root '{}' signed, and version {} is next", place,
                    statement.by, statement.version.value_or(0), root, number));
  }
  const auto copies = folder / "trust" / std::to_string(number);
  PATCHLAB_ASSIGN(const auto text, read_file(copies / signers_file, largest_signers_file, Links::refuse));
  if (sha256(text) != statement.subjects.front().sha256)
    return configuration_error(fmt::format("'{}' is not the list that line {} of the ledger put in force",
                                           (copies / signers_file).string(), line.seq));
  PATCHLAB_ASSIGN(const auto of_copy, signature_in(copies / (std::string(signers_file) + ".sig")));
  return trust_version(processes, text, of_copy, roots, number, time_of(line)).while_doing(place);
}

// Somebody signs for the lab, or nobody does. A policy is put in force by who answers for it, who signs; or by a desk
// that found it there, which answers for none.
bool must_be_signed(const Trust& trust, const ChainLine& line, const std::string& name_space) {
  if (line.kind != ChainKind::policy) return can_be_signed(trust, name_space, time_of(line));
  const auto* version = trust.at(time_of(line));
  return version != nullptr && std::ranges::any_of(version->signers, [&](const Signer& signer) {
           return signer.name == line.by && may_sign(signer, name_space);
         });
}

}  // namespace

Result<Trust> read_trust(ProcessRunner& processes, const fs::path& folder, const ChainState& state,
                         const std::string& roots) {
  std::vector<TrustVersion> versions;
  for (const auto& line : state.lines) {
    if (line.kind != ChainKind::trust) continue;
    PATCHLAB_ASSIGN(auto version, version_of(processes, folder, line, versions.size() + 1, roots));
    versions.push_back(std::move(version));
  }
  return Trust(std::move(versions));
}

bool can_be_signed(const Trust& trust, const std::string& name_space, Moment when) {
  const auto* version = trust.at(when);
  return version != nullptr && std::ranges::any_of(version->signers, [&](const Signer& signer) {
           return may_sign(signer, name_space) && in_force(signer, when);
         });
}

Result<SignedLine> signed_line(ProcessRunner& processes, const fs::path& folder, const ChainLine& line,
                               const Trust& trust) {
  const ObjectFolder objects(folder / "objects");
  const auto place = fmt::format("line {}", line.seq);
  SignedLine found;
  const auto refused = [&](const std::string& why) {
    found.state = Signed::no;
    found.why = fmt::format("{}: {}", place, why);
    return found;
  };
  const auto bytes = objects.get(line.object);
  if (!bytes) return refused(bytes.error().message);
  auto statement = read_statement(*bytes, "its statement");
  if (!statement) return refused(statement.error().message);
  found.statement = std::move(*statement);
  const auto name_space = signature_namespace(found.statement->kind);
  if (!is_there(folder / "objects" / (line.object + ".sig"))) {
    found.why = fmt::format("{} is not signed", place);
    if (must_be_signed(trust, line, name_space))
      return refused("is not signed, though the list of signers names who signs for " + name_space);
    return found;
  }
  const auto signature = objects.signature(line.object);
  if (!signature) return refused(signature.error().message);
  const auto read = read_ssh_signature(*signature, "its signature");
  if (!read) return refused(read.error().message);
  const auto* version = trust.at(time_of(line));
  if (version == nullptr) return refused("is signed, and nobody could sign anything then");
  PATCHLAB_ASSIGN(const auto not_good,
                  verify_signature(processes, {version->text, line.by, name_space, *bytes, *signature, time_of(line)}));
  if (!not_good.empty())
    return refused(fmt::format("has no signature of '{}' for {} that was valid at {}: {}", line.by, name_space,
                               line.time, printable(not_good)));
  found.state = Signed::yes;
  return found;
}

Result<LedgerStatement> examined_line(ProcessRunner& processes, const fs::path& folder, const ChainLine& line,
                                      const Trust& trust) {
  const ObjectFolder objects(folder / "objects");
  PATCHLAB_ASSIGN(auto bytes, objects.get(line.object));
  auto signature = objects.signature(line.object);
  return examine(processes,
                 {line.seq, time_of(line), to_string(line.kind), line.by, line.object, std::move(bytes),
                  signature ? std::move(*signature) : std::string()},
                 trust);
}

Result<std::string> signer_of(ProcessRunner& processes, const Trust& trust, const std::string& name_space,
                              const std::string& text, const std::string& signature, Moment when) {
  const auto* version = trust.at(when);
  const auto read = read_ssh_signature(signature, "the signature");
  if (version == nullptr || !read) return std::string();
  for (const auto& signer : version->signers) {
    if (!(signer.key == read->key)) continue;
    PATCHLAB_ASSIGN(const auto not_good,
                    verify_signature(processes, {version->text, signer.name, name_space, text, signature, when}));
    return not_good.empty() ? signer.name : std::string();
  }
  return std::string();
}

}  // namespace patchlab::promotion

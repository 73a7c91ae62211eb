// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "promotion/approval/decisions.hpp"

namespace patchlab::promotion {
namespace {

// A kind that a newer version may write is said as such; everything else that is wrong is unreadable.
bool names_unknown_kind(const std::string& bytes) {
  const auto json = json_in(bytes);
  if (!json.is_object() || !json.contains("predicate") || !json["predicate"].is_object()) return false;
  const auto kind = json["predicate"].find("kind");
  return kind != json["predicate"].end() && kind->is_string() && !statement_kind_from(kind->get<std::string>());
}

}  // namespace

Result<LedgerStatement> examine(ProcessRunner& processes, const LedgerDocument& document, const Trust& trust) {
  LedgerStatement line{document.seq, document.time,   document.kind,
                       document.by,  document.object, sha256(document.bytes)};
  const auto place = fmt::format("statement of line {}", document.seq);
  if (auto statement = read_statement(document.bytes, place)) {
    line.statement = std::move(*statement);
  } else {
    line.unreadable = statement.error().message;
    line.kind_is_known = !names_unknown_kind(document.bytes.substr(0, longest_statement));
  }
  if (document.signature.empty()) {
    line.unsigned_why = "there is no signature";
  } else if (auto signature = read_ssh_signature(document.signature, place)) {
    line.signature = std::move(*signature);
  } else {
    line.unsigned_why = signature.error().message;
  }
  if (!line.statement || !line.signature) return line;
  const auto* version = trust.at(document.time);
  if (version == nullptr) return line;  // nobody could sign: known without asking
  // As whoever has the key: whether that is who the statement says is judged by decisions_about.
  const auto signer =
      std::ranges::find_if(version->signers, [&](const Signer& one) { return one.key == line.signature->key; });
  if (signer == version->signers.end()) return line;
  PATCHLAB_ASSIGN(line.not_good, verify_signature(processes, {version->text, signer->name, line.signature->name_space,
                                                              document.bytes, document.signature, document.time}));
  return line;
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"
#include "promotion/evidence/signed_lines.hpp"
#include "promotion/evidence/witness.hpp"

namespace patchlab::promotion {
namespace {

Result<void> look_at_signed_head(Proving& proving) {
  const auto text = read_file(proving.ledger / "head", 4096, Links::refuse);
  if (!text) {
    const bool is_needed =
        proving.trust && can_be_signed(*proving.trust, head_namespace, *chain_time(proving.lines().back().time));
    proving.add({}, LinkKind::head, proving.proof.of_bundle && is_needed ? LinkState::broken : LinkState::missing,
                "no head was written down that covers it");
    return {};
  }
  const auto note = parse_head(*text, "head");
  if (!note) return proving.broken({}, LinkKind::head, note.error().message), Result<void>();
  const auto& state = proving.chain.state;
  if (!proving.fits(note->head) || note->ledger != state.hashes.front())
    return proving.broken({}, LinkKind::head, "is not a head of this ledger: one of them was cut off or rewritten"),
           Result<void>();
  if (proving.proof.of_bundle && note->head.size != proving.lines().size())
    return proving.broken({}, LinkKind::head, "does not cover the whole ledger"), Result<void>();
  const auto when = *chain_time(proving.line(note->head.size).time);
  const auto signature = read_file(proving.ledger / "head.sig", longest_signature, Links::refuse);
  const bool somebody_could = proving.trust && can_be_signed(*proving.trust, head_namespace, when);
  std::string by;
  if (signature && proving.trust) {
    PATCHLAB_ASSIGN(by, signer_of(proving.processes, *proving.trust, head_namespace, *text, *signature, when));
  }
  if (!by.empty()) {
    for (const auto& check : proving.proof.departments) {
      const auto* done = state.history.last_done(check.department);
      if (done != nullptr && done->last_line > note->head.size) {
        proving.missing({}, LinkKind::head,
                        fmt::format("the newest that is signed is of line {}, before '{}' was promoted",
                                    note->head.size, check.department));
        return {};
      }
    }
    proving.holds({}, LinkKind::head, fmt::format("of line {}, signed by {}", note->head.size, by));
  } else if (proving.trust && (signature || somebody_could)) {
    proving.broken({}, LinkKind::head, "is not signed by anybody who may");
  } else {
    proving.missing({}, LinkKind::head, fmt::format("of line {}, not signed", note->head.size));
  }
  return {};
}

// Whether it supports what is here.
Result<bool> look_at_noted(Proving& proving, const NotedHead& noted) {
  const auto name = printable(noted.name);
  if (noted.head.size > proving.lines().size()) {
    proving.broken(
        {}, LinkKind::head,
        fmt::format("'{}' notes line {}, and the ledger ends at line {}: its end was cut off, or it is older", name,
                    noted.head.size, proving.lines().size()));
    return false;
  }
  if (!proving.fits(noted.head) || (!noted.ledger.empty() && noted.ledger != proving.chain.state.hashes.front())) {
    proving.broken({}, LinkKind::head,
                   fmt::format("'{}' notes another line {}: the ledger was rewritten", name, noted.head.size));
    return false;
  }
  std::string by;
  if (!noted.signature.empty() && proving.trust) {
    const auto when = *chain_time(proving.lines().back().time);
    PATCHLAB_ASSIGN(by,
                    signer_of(proving.processes, *proving.trust, witness_namespace, noted.text, noted.signature, when));
    if (by.empty()) {
      PATCHLAB_ASSIGN(by,
                      signer_of(proving.processes, *proving.trust, head_namespace, noted.text, noted.signature, when));
    }
    if (by.empty()) {
      proving.broken({}, LinkKind::head, fmt::format("'{}' has a signature of nobody who may note heads", name));
      return false;
    }
  }
  std::uint64_t done = 0;
  for (const auto& check : proving.proof.departments) {
    if (const auto* last = proving.chain.state.history.last_done(check.department)) done = std::max(done, last->line);
  }
  proving.holds({}, LinkKind::head,
                fmt::format("continues line {}, noted {}{}", noted.head.size, by.empty() ? "elsewhere" : "by " + by,
                            noted.head.size < done ? "; what was promoted is behind it" : ""));
  return true;
}

}  // namespace

Result<void> look_at_head(Proving& proving) {
  PATCHLAB_TRY(look_at_signed_head(proving));
  bool outside = false;
  for (const auto& noted : proving.question.noted) {
    PATCHLAB_ASSIGN(const bool counts, look_at_noted(proving, noted));
    outside = outside || counts;
  }
  if (outside || (proving.supported && !proving.proof.departments.empty())) return {};
  proving.missing(
      {}, LinkKind::head,
      "nothing outside of the lab supports it: no head that was noted elsewhere (--noted), and no approval that "
      "saw this history");
  return {};
}

}  // namespace patchlab::promotion

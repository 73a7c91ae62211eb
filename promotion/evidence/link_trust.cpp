// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/evidence/signed_lines.hpp"

namespace patchlab::promotion {
namespace {

// Those of trust are read by read_trust; that a promotion went on says nothing of its own.
bool has_own_statement(ChainKind kind) {
  return History::has_statement(kind) && kind != ChainKind::trust && kind != ChainKind::promote_switched &&
         kind != ChainKind::promote_done;
}

}  // namespace

Result<void> look_at_trust(Proving& proving) {
  std::string roots;
  if (proving.question.roots) {
    roots = *proving.question.roots;
  } else if (proving.proof.of_bundle) {
    return proving.missing({}, LinkKind::trust, "whose root keys count was not said: --roots FILE, from elsewhere"),
           Result<void>();
  } else {
    const auto pinned = read_file(proving.ledger / "trust" / "roots", largest_signers_file, Links::refuse);
    if (!pinned)
      return proving.missing({}, LinkKind::trust, "the stage has no root keys: nobody can have signed anything"),
             Result<void>();
    roots = *pinned;
  }
  auto trust = read_trust(proving.processes, proving.ledger, proving.chain.state, roots);
  if (!trust) {
    if (trust.error().error_class != ErrorClass::configuration) return std::move(trust).error();
    proving.broken({}, LinkKind::trust, trust.error().message);
    return {};
  }
  proving.trust = std::move(*trust);
  if (proving.trust->versions().empty()) {
    proving.missing({}, LinkKind::trust, "no list of signers was ever in force: nothing is signed");
  } else if (!proving.question.roots) {
    proving.missing({}, LinkKind::trust,
                    fmt::format("{} versions, by root keys that the stage itself names; --roots FILE, from elsewhere",
                                proving.trust->versions().size()));
  } else {
    proving.holds({}, LinkKind::trust,
                  fmt::format("{} versions, signed by root keys", proving.trust->versions().size()));
  }
  return {};
}

// Also of lines that no promotion rests on, such as refusals: a forged one is a forged ledger. In a stage, one that
// nobody signed is no proof of anything and spoils nothing; a bundle holds what is to be proven, as docs/audit.sh
// asks.
Result<void> look_at_every_line(Proving& proving) {
  if (!proving.trust) return {};
  for (const auto& line : proving.lines()) {
    if (!has_own_statement(line.kind) || proving.lacks(line.seq)) continue;
    if (!proving.proof.of_bundle && !is_there(proving.ledger / "objects" / (line.object + ".sig"))) continue;
    PATCHLAB_ASSIGN(const auto found, signed_line(proving.processes, proving.ledger, line, *proving.trust));
    if (found.state == Signed::no) proving.broken({}, LinkKind::ledger, found.why);
  }
  return {};
}

}  // namespace patchlab::promotion

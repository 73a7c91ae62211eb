// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/statement/statement.hpp"

#include <algorithm>

#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::promotion {

const char* to_string(StatementKind kind) {
  switch (kind) {
    case StatementKind::approve: return "approve";
    case StatementKind::reject: return "reject";
    case StatementKind::waive: return "waive";
    case StatementKind::withdraw: return "withdraw";
    case StatementKind::submit: return "submit";
    case StatementKind::begin: return "begin";
    case StatementKind::run: return "run";
    case StatementKind::promote: return "promote";
    case StatementKind::refuse: return "refuse";
    case StatementKind::rollback: return "rollback";
    case StatementKind::policy: return "policy";
    case StatementKind::trust: return "trust";
    case StatementKind::deployed: return "deployed";
  }
  return "";
}

std::optional<StatementKind> statement_kind_from(std::string_view word) {
  for (const auto kind : all_statement_kinds) {
    if (word == to_string(kind)) return kind;
  }
  return std::nullopt;
}

bool is_decision(StatementKind kind) {
  return kind == StatementKind::approve || kind == StatementKind::reject || kind == StatementKind::waive ||
         kind == StatementKind::withdraw;
}

std::string signature_namespace(StatementKind kind) { return fmt::format("patchlab.{}.v1", to_string(kind)); }

bool is_plain_text(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && trimmed(text) == text && printable(text) == text;
}

std::string to_string(const Waived& waived) {
  return waived.finding.empty() ? fmt::format("{}/{}", waived.machine, waived.check)
                                : fmt::format("{}: finding {}", waived.machine, waived.finding);
}

}  // namespace patchlab::promotion

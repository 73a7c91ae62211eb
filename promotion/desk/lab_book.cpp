// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/lab_book.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/chain/own_folder.hpp"
#include "promotion/desk/run_statements.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/ledger/ledger.hpp"
#include "promotion/stage/manifest.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::size_t most_reasons = 100;

std::vector<std::string> statable_reasons(const std::vector<std::string>& reasons) {
  std::vector<std::string> all;
  for (const auto& reason : reasons) {
    if (all.size() == most_reasons) {
      all.push_back(fmt::format("and {} more", reasons.size() - most_reasons));
      break;
    }
    all.push_back(statable(reason, "unreadable"));
  }
  return all;
}

// By people, or of what they decide by.
bool is_a_decision(ChainKind kind) {
  const auto family = family_of(kind);
  return family == ChainFamily::people || family == ChainFamily::rules;
}

// What the decision was made on is what there is, but for lines that do not matter to it.
std::string changed_since(const ChainState& state, const ChainHead& head, std::uint64_t serial,
                          const std::string& department) {
  if (head.size > state.lines.size() || (head.size > 0 && state.hashes[head.size - 1] != head.hash))
    return "the ledger is another one than the one that was decided on";
  for (auto line = head.size; line < state.lines.size(); ++line) {
    if (!is_a_decision(state.lines[line].kind)) continue;
    return fmt::format("while this was decided on, line {} of the ledger was written ({} by {}): promote again",
                       line + 1, to_string(state.lines[line].kind), state.lines[line].by);
  }
  if (serial <= state.history.greatest_serial(department))
    return fmt::format("another promotion of '{}' was written down meanwhile: promote again", department);
  return {};
}

}  // namespace

std::string signer_name_of(const std::string& user, const std::string& host) {
  const auto part = [](const std::string& text) {
    std::string name;
    for (const char c : text) {
      const bool upper = c >= 'A' && c <= 'Z';
      const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
      name += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '-';
    }
    const auto is_edge = [](char c) { return c == '.' || c == '_' || c == '-'; };
    name.resize(std::min<std::size_t>(name.size(), 59));
    while (!name.empty() && is_edge(name.back())) name.pop_back();
    const auto first = std::ranges::find_if_not(name, is_edge);
    name.erase(name.begin(), first);
    return name;
  };
  const auto name = part(user);
  const auto at = part(host);
  if (name.empty()) return "patchlab";
  return at.empty() ? name : name + "@" + at;
}

std::string whoever_calls() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.front() = '\0';
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const auto id = ::getuid();
  const bool known = ::getpwuid_r(id, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return signer_name_of(known ? entry.pw_name : fmt::format("uid-{}", id), host.data());
}

LabBook::LabBook(fs::path stage, fs::path old_ledger, Scribe scribe)
    : stage_(std::move(stage)),
      old_ledger_(std::move(old_ledger)),
      scribe_(std::move(scribe)),
      chain_(stage_ / chain_folder_name, {.before_step = scribe_.before_step, .clock = scribe_.clock}) {}

Result<void> LabBook::append(Chain::Entry entry) {
  PATCHLAB_ASSIGN(const auto appended, chain_.append(entry));
  wrote_ = true;
  if (!appended.repaired.empty()) notes_.push_back(appended.repaired);
  return {};
}

Result<std::string> LabBook::signature_of(StatementKind kind, const std::string& bytes) const {
  if (!scribe_.sign) return std::string();
  return scribe_.sign(signature_namespace(kind), bytes);
}

Result<void> LabBook::add(ChainKind kind, const Statement& statement, std::vector<std::string> attachments,
                          std::function<std::string(const ChainState&)> unless) {
  PATCHLAB_ASSIGN(const auto bytes, write_statement(statement));
  PATCHLAB_ASSIGN(const auto signature, signature_of(statement.kind, bytes));
  return append({.kind = kind,
                 .by = statement.by,
                 .object = bytes,
                 .signature = signature,
                 .attachments = std::move(attachments),
                 .unless = std::move(unless)});
}

Result<void> LabBook::prepare(std::chrono::system_clock::time_point now) {
  PATCHLAB_ASSIGN(const auto before, chain_.read());
  if (before.history.is_new() && is_there(old_ledger_)) {
    PATCHLAB_ASSIGN(const auto head, Ledger(old_ledger_).verify());
    if (head.seq > 0) {
      PATCHLAB_TRY(make_own_folder(stage_, Links::follow));
      auto taken = chain_.take_over(old_ledger_, scribe_.by);
      // Somebody else may have been first.
      if (!taken && chain_.read().value_or({}).history.is_new()) return std::move(taken).error();
      wrote_ = wrote_ || taken.has_value();
    }
  }
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  PATCHLAB_ASSIGN(const auto files, unnamed_policies(stage_, state.history, now));
  for (const auto& file : files) {
    Statement statement;
    statement.kind = StatementKind::policy;
    statement.by = scribe_.by;
    statement.subjects = {{file.policy.id, file.policy.digest}};
    statement.version = file.number;
    const auto taken = [&](const ChainState& there) {
      return std::ranges::count(there.history.policies(), file.number, &NamedPolicy::version) > 0
                 ? fmt::format("policy {} was put in force meanwhile: try again", file.number)
                 : std::string();
    };
    PATCHLAB_TRY(add(ChainKind::policy, statement, {file.text}, taken));
  }
  return {};
}

Result<LabBook::BeforeRun> LabBook::before_run(const std::vector<StatementSubject>& subjects,
                                               std::chrono::system_clock::time_point now) {
  PATCHLAB_TRY(make_own_folder(stage_, Links::follow));
  PATCHLAB_TRY(prepare(now));
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  BeforeRun before{seen(state.head()), 1};
  for (const auto& attempt : state.history.attempts()) {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(attempt.begin));
    if (const auto other = read_statement(bytes, "begin"); other && other->subjects == subjects) ++before.attempt;
  }
  return before;
}

Result<std::string> LabBook::begin(const reports::RunRecord& planned, const std::string& policy,
                                   std::chrono::system_clock::time_point now) {
  PATCHLAB_ASSIGN(const auto before, before_run(planned_subjects(planned), now));
  const auto statement =
      begin_statement(planned, {scribe_.by, scribe_.submitter, policy, before.ledger, before.attempt});
  PATCHLAB_ASSIGN(const auto bytes, write_statement(statement));
  PATCHLAB_TRY(add(ChainKind::begin, statement));
  PATCHLAB_TRY(close());
  return sha256(bytes);
}

Result<void> LabBook::end(const std::string& begin, const reports::RunRecord& record, const std::string& run_json) {
  PATCHLAB_ASSIGN(const auto begun, chain_.objects().get(begin));
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  PATCHLAB_ASSIGN(const auto statement, end_statement(record, run_json, begun, scribe_.by, seen(state.head())));
  PATCHLAB_TRY(add(ChainKind::run, statement, {run_json}));
  return close();
}

Result<ChainHead> LabBook::take(ChainKind kind, const Taken& taken, std::vector<std::string> attachments,
                                std::function<std::string(const ChainState&)> unless) {
  PATCHLAB_TRY(append({.kind = kind,
                       .by = taken.by,
                       .object = taken.statement,
                       .signature = taken.signature,
                       .attachments = std::move(attachments),
                       .unless = std::move(unless)}));
  PATCHLAB_TRY(close());
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  return state.head();
}

Journal LabBook::journal(const Basis& basis, Progress& progress) {
  const auto goes_on = [this, &progress](ChainKind kind) -> Result<void> {
    return append({.kind = kind, .by = scribe_.by, .object = {}, .names = sha256(progress.statement)});
  };
  return {.begun = [this, basis, &progress](const Publication& publication) -> Result<void> {
            const bool back = !publication.rollback_reason.empty();
            Statement statement;
            statement.kind = back ? StatementKind::rollback : StatementKind::promote;
            statement.by = scribe_.by;
            statement.subjects = {{publication.department, publication.set}};
            statement.run = basis.run;
            if (is_sha256(basis.policy)) statement.policy = basis.policy;
            statement.ledger = seen(basis.seen);
            if (back) statement.reason = publication.rollback_reason;
            if (!basis.decisions.empty()) statement.decisions = basis.decisions;
            statement.manifest = publication.manifest_digest;
            statement.serial = publication.serial;
            if (const auto& emergency = publication.emergency) {
              statement.reason = emergency->reason;
              statement.ticket = emergency->ticket;
              statement.review_by = emergency->review_by;
            }
            std::vector<std::string> attachments{basis.run_json, publication.manifest};
            if (!basis.policy_text.empty()) attachments.push_back(basis.policy_text);
            PATCHLAB_ASSIGN(const auto bytes, write_statement(statement));
            PATCHLAB_TRY(add(ChainKind::promote_begun, statement, std::move(attachments), [&](const ChainState& state) {
              return changed_since(state, basis.seen, publication.serial, publication.department);
            }));
            progress.statement = bytes;
            return {};
          },
          .switched = [goes_on](const Publication&) { return goes_on(ChainKind::promote_switched); },
          .done = [goes_on](const Publication&) { return goes_on(ChainKind::promote_done); },
          .given_up = [this, basis, &progress](const Publication& publication, const std::string& why) -> Result<void> {
            PATCHLAB_ASSIGN(const auto state, chain_.read());
            Statement statement;
            statement.kind = StatementKind::refuse;
            statement.by = scribe_.by;
            statement.subjects = {{publication.department, publication.set}};
            statement.run = basis.run;
            if (is_sha256(basis.policy)) statement.policy = basis.policy;
            statement.ledger = seen(state.head());
            statement.promotion = sha256(progress.statement);
            statement.reasons = statable_reasons(
                {fmt::format("{}: {}: {}", to_string(ReasonCode::publish_failed), publication.department, why)});
            return add(ChainKind::promote_refused, statement);
          }};
}

Result<void> LabBook::refused(const std::string& department, const std::string& set, const Basis& basis,
                              const std::vector<std::string>& reasons) {
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  Statement statement;
  statement.kind = StatementKind::refuse;
  statement.by = scribe_.by;
  statement.subjects = {{department, set}};
  statement.run = basis.run;
  if (is_sha256(basis.policy)) statement.policy = basis.policy;
  statement.ledger = seen(state.head());
  statement.reasons = statable_reasons(reasons);
  if (const auto last = state.history.last_refusal(department, basis.run); !last.empty()) {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(last));
    const auto before = read_statement(bytes, "refusal");
    const auto essence = [](const Statement& one) {
      std::vector<std::string> all;
      for (const auto& reason : one.reasons.value_or(std::vector<std::string>())) all.push_back(essence_of(reason));
      return all;
    };
    if (before && before->policy == statement.policy && before->subjects == statement.subjects &&
        essence(*before) == essence(statement))
      return {};
  }
  PATCHLAB_TRY(make_own_folder(stage_, Links::follow));
  return add(ChainKind::promote_refused, statement, {basis.run_json});
}

Result<void> LabBook::close() {
  if (!wrote_) return {};
  Chain::Sign sign;
  if (scribe_.sign) sign = [this](const std::string& text) { return scribe_.sign("patchlab.head.v1", text); };
  PATCHLAB_TRY(chain_.write_head(sign));
  wrote_ = false;
  return {};
}

std::string essence_of(const std::string& reason) {
  const auto code = reason.find(": ");
  const auto subject = code == std::string::npos ? code : reason.find(": ", code + 2);
  return reason.substr(0, subject);
}

}  // namespace patchlab::promotion

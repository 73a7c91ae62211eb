// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/lab_book.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/chain/own_folder.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/ledger/ledger.hpp"
#include "promotion/stage/manifest.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/run_exit_code.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::size_t most_candidates = 800;  // more do not fit into a statement
constexpr std::size_t most_failed = 1000;
constexpr std::size_t most_reasons = 100;
constexpr std::size_t longest_text = 250;  // bytes; twice as many when all of them are quotes

// What a statement can hold of a text that may be anybody's.
std::string statable(const std::string& text, const std::string& otherwise) {
  auto one = printable(text);
  if (one.size() > longest_text) {
    auto end = longest_text - 3;
    while (end > 0 && (static_cast<unsigned char>(one[end]) & 0xc0U) == 0x80) --end;
    one = one.substr(0, end) + "...";
  }
  one = std::string(trimmed(one));
  return is_plain_text(one, longest_text) ? one : otherwise;
}

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

std::vector<std::string> asked_of(const reports::AskedRecord& asked) {
  std::vector<std::string> all;
  const auto add = [&](const char* option, const std::vector<std::string>& values) {
    for (const auto& value : values) all.push_back(statable(fmt::format("{} {}", option, value), option));
  };
  add("--department", asked.departments);
  add("--role", asked.roles);
  add("--candidate", asked.candidates);
  if (asked.controls > 0) all.push_back(fmt::format("--controls {}", asked.controls));
  return all;
}

std::vector<std::string> planned_set(const reports::DepartmentRecord& department) {
  std::vector<std::string> ids;
  for (const auto& verdict : department.verdicts) ids.push_back(verdict.candidate);
  return ids;
}

// In the order that statements have.
template <class SetOf>
std::vector<StatementSubject> subjects_of(const reports::RunRecord& record, SetOf set_of) {
  std::vector<StatementSubject> subjects;
  for (const auto& department : record.departments)
    subjects.push_back({department.name, sha256(sha256sums_of(record, set_of(department)))});
  std::ranges::sort(subjects, {}, &StatementSubject::name);
  return subjects;
}

// What failed of the sets that the statement of a run names, each "department/machine/check"; nothing when that is more
// than a statement can hold, and then nobody can prove anything by it.
std::optional<std::vector<std::string>> failed_in(const reports::RunRecord& record) {
  std::set<std::string> failed;
  std::size_t bytes = 0;
  for (const auto& department : record.departments) {
    const auto* final_trial = reports::find_trial(department, department.final_trial);
    const auto* trial = final_trial == nullptr ? nullptr : reports::facts_of(department, *final_trial);
    if (trial == nullptr) continue;
    auto keys = reports::failure_signature(*trial);
    if (trial->error) keys.emplace_back("error");
    for (const auto& phase : trial->phases) {
      if (phase.error) keys.push_back(reports::check_key(phase.machine, "error"));
      for (const auto& check : phase.checks) {
        if (check.error || check.outcome != Outcome::pass) keys.push_back(reports::check_key(phase.machine, check.id));
      }
    }
    for (const auto& key : keys) {
      const auto text = department.name + "/" + key;
      if (!is_plain_text(text, 4000)) return std::nullopt;
      bytes += 2 * text.size() + 4;
      failed.insert(text);
    }
  }
  if (failed.size() > most_failed || bytes > longest_statement / 2) return std::nullopt;
  return std::vector<std::string>(failed.begin(), failed.end());
}

std::string result_of(const reports::RunRecord& record) {
  if (record.error && record.error->error_class == ErrorClass::cancelled) return "cancelled";
  const auto code = reports::exit_code_for(record);
  return std::ranges::find(exit_codes, code, &ExitCodeMeaning::code)->word;
}

SeenLedger seen(const ChainHead& head) { return {head.size, head.hash}; }

// By people, or of what they decide by.
bool is_a_decision(ChainKind kind) {
  switch (kind) {
    case ChainKind::submit:
    case ChainKind::approve:
    case ChainKind::reject:
    case ChainKind::waive:
    case ChainKind::withdraw:
    case ChainKind::policy:
    case ChainKind::trust: return true;
    case ChainKind::imported:
    case ChainKind::repair:
    case ChainKind::begin:
    case ChainKind::run:
    case ChainKind::promote_begun:
    case ChainKind::promote_switched:
    case ChainKind::promote_done:
    case ChainKind::promote_refused: break;
  }
  return false;
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

Result<std::string> LabBook::begin(const reports::RunRecord& planned, const std::string& policy,
                                   std::chrono::system_clock::time_point now) {
  PATCHLAB_TRY(make_own_folder(stage_, Links::follow));
  PATCHLAB_TRY(prepare(now));
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  Statement statement;
  statement.kind = StatementKind::begin;
  statement.by = scribe_.by;
  statement.subjects = subjects_of(planned, planned_set);
  if (is_sha256(policy)) statement.policy = policy;
  statement.ledger = seen(state.head());
  statement.id = planned.id;
  if (!scribe_.submitter.empty()) statement.submitter = scribe_.submitter;
  if (is_sha256(planned.scenario_digest)) statement.scenario = planned.scenario_digest;
  std::set<std::string> candidates;
  for (const auto& candidate : planned.candidates) {
    if (is_sha256(candidate.digest)) candidates.insert(candidate.digest);
  }
  if (candidates.size() <= most_candidates)
    statement.candidates = std::vector<std::string>(candidates.begin(), candidates.end());
  std::uint64_t attempt = 1;
  for (const auto& before : state.history.attempts()) {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(before.begin));
    if (const auto other = read_statement(bytes, "begin"); other && other->subjects == statement.subjects) ++attempt;
  }
  statement.attempt = attempt;
  if (auto asked = asked_of(planned.asked); !asked.empty()) statement.asked = std::move(asked);
  PATCHLAB_ASSIGN(const auto bytes, write_statement(statement));
  PATCHLAB_TRY(add(ChainKind::begin, statement));
  PATCHLAB_TRY(close());
  return sha256(bytes);
}

Result<void> LabBook::end(const std::string& begin, const reports::RunRecord& record, const std::string& run_json) {
  PATCHLAB_ASSIGN(const auto begun, chain_.objects().get(begin));
  PATCHLAB_ASSIGN(const auto beginning, read_statement(begun, "the statement with which the run began"));
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  Statement statement;
  statement.kind = StatementKind::run;
  statement.by = scribe_.by;
  statement.subjects = subjects_of(record, tested_set);
  statement.run = sha256(run_json);
  statement.ledger = seen(state.head());
  statement.id = record.id;
  statement.begin = begin;
  statement.submitter = beginning.submitter;
  statement.scenario = beginning.scenario;
  statement.complete = record.complete;
  statement.result = result_of(record);
  statement.failed = failed_in(record);
  statement.attempt = beginning.attempt;
  PATCHLAB_TRY(add(ChainKind::run, statement, {run_json}));
  return close();
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

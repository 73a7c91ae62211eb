// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/book/book.hpp"

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "promotion/chain/own_folder.hpp"

namespace patchlab::promotion {
namespace {

constexpr const char* signers_subject = "allowed_signers";
constexpr unsigned mode_of_folders = 0750;  // as the ledger's own

// Unreadable ones concern everybody: they could be a rejection of this very run.
bool concerns(const std::string& bytes, const DecisionTarget& target, const std::vector<std::string>& sets) {
  const auto read = read_statement(bytes, "statement");
  if (!read) return true;
  return read->run == target.run || std::ranges::any_of(read->subjects, [&](const auto& one) {
           return one.sha256 == target.set || std::ranges::count(sets, one.sha256) > 0;
         });
}

std::string text_in(const Json& statement, const char* key) {
  if (!statement.is_object() || !statement.contains("predicate") || !statement["predicate"].is_object()) return {};
  const auto found = statement["predicate"].find(key);
  return found == statement["predicate"].end() || !found->is_string() ? std::string() : found->get<std::string>();
}

// Who submitted a run, by the statements of its begin and its end: more than one only if they say so.
Result<std::vector<std::string>> submitters_of(const std::string& run, const ChainState& state,
                                               const ObjectFolder& objects) {
  std::vector<std::string> submitters;
  for (const auto& line : state.lines) {
    if (line.kind != ChainKind::run) continue;
    PATCHLAB_ASSIGN(const auto bytes, objects.get(line.object));
    const auto end = json_in(bytes);
    if (text_in(end, "run") != run) continue;
    submitters.push_back(text_in(end, "submitter"));
    if (const auto begin = text_in(end, "begin"); is_sha256(begin)) {
      PATCHLAB_ASSIGN(const auto begun, objects.get(begin));
      submitters.push_back(text_in(json_in(begun), "submitter"));
    }
  }
  std::erase(submitters, std::string());
  return submitters;
}

LedgerDocument document_of(const ChainLine& line, Moment time, std::string bytes, std::string signature) {
  return {line.seq, time, to_string(line.kind), line.by, line.object, std::move(bytes), std::move(signature)};
}

}  // namespace

Result<std::string> DecisionBook::roots() const {
  if (!is_there(roots_file())) return std::string();
  return read_file(roots_file(), largest_signers_file, Links::refuse);
}

Result<TrustVersion> DecisionBook::version_of(const ChainLine& line, std::uint64_t number,
                                              const std::string& roots) const {
  const auto place = fmt::format("line {} (trust version {})", line.seq, number);
  PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(line.object));
  PATCHLAB_ASSIGN(const auto statement, read_statement(bytes, place));
  PATCHLAB_ASSIGN(const auto signature, chain_.objects().signature(line.object));
  const auto when = *parse_rfc3339(line.time);
  PATCHLAB_ASSIGN(const auto root, root_that_signed(processes_, bytes, signature, roots, when, place));
  // The statement is what counts: it says which version it is, so that an old list cannot come back as a new one.
  if (statement.kind != StatementKind::trust || statement.by != root || statement.version != number ||
      statement.subjects.front().name != signers_subject) {
    return configuration_error(
        fmt::format("{}: its statement is by '{}' of version {}, but root '{}' signed, and version {} is next", place,
                    statement.by, statement.version.value_or(0), root, number));
  }
  TrustVersion version{number, when, {}, {}};
  PATCHLAB_ASSIGN(version.text, chain_.objects().get(statement.subjects.front().sha256));
  PATCHLAB_ASSIGN(version.signers, read_canonical_signers(version.text, SignersOf::statements, place));
  return version;
}

Result<Trust> DecisionBook::trust_of(const ChainState& state) const {
  PATCHLAB_ASSIGN(const auto pinned, roots());
  std::vector<TrustVersion> versions;
  for (const auto& line : state.lines) {
    if (line.kind != ChainKind::trust) continue;
    PATCHLAB_ASSIGN(auto version, version_of(line, versions.size() + 1, pinned));
    versions.push_back(std::move(version));
  }
  return Trust(std::move(versions));
}

Result<Trust> DecisionBook::trust() const {
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  return trust_of(state);
}

Result<DecisionBook::Contents> DecisionBook::read(const DecisionTarget& target,
                                                  const std::vector<std::string>& sets) const {
  Contents contents;
  PATCHLAB_ASSIGN(contents.chain, chain_.read());
  PATCHLAB_ASSIGN(contents.trust, trust_of(contents.chain));
  const auto objects = chain_.objects();
  for (const auto& line : contents.chain.lines) {
    if (family_of(line.kind) != ChainFamily::people) continue;
    PATCHLAB_ASSIGN(auto bytes, objects.get(line.object));
    if (!concerns(bytes, target, sets)) continue;
    // A signature that is missing is a fact about the statement, and blocks nothing else.
    auto signature = objects.signature(line.object);
    PATCHLAB_ASSIGN(auto statement, examine(processes_,
                                            document_of(line, *parse_rfc3339(line.time), std::move(bytes),
                                                        signature ? std::move(*signature) : std::string()),
                                            contents.trust));
    contents.statements.push_back(std::move(statement));
  }
  PATCHLAB_ASSIGN(contents.submitters, submitters_of(target.run, contents.chain, objects));
  return contents;
}

DecisionQuestion DecisionBook::question(const DecisionTarget& target, const Contents& contents,
                                        std::vector<Failure> failures, Moment now) {
  const auto* last = contents.chain.history.last_done(target.department);
  return {target.department,
          target.run,
          target.set,
          target.policy,
          signers_of_policy(contents.chain, target.policy),
          contents.submitters,
          std::move(failures),
          now,
          last == nullptr ? 0 : last->last_line};
}

Decisions DecisionBook::decisions(const DecisionQuestion& question, const Contents& contents) {
  return decisions_about(question, contents.statements, contents.chain.hashes, contents.trust);
}

Statement DecisionBook::draft(StatementKind kind, const std::string& by, const DecisionTarget& target,
                              const Contents& contents) {
  Statement statement;
  statement.kind = kind;
  statement.by = by;
  statement.subjects = {{target.department, target.set}};
  const auto head = contents.chain.head();
  statement.ledger = SeenLedger{head.size, head.hash};
  if (kind == StatementKind::submit) return statement;
  statement.run = target.run;
  statement.policy = target.policy;
  return statement;
}

std::optional<NotCounted> DecisionBook::would_not_count(const Statement& statement, const PublicKey& key,
                                                        const DecisionQuestion& question, const Contents& contents) {
  LedgerStatement line;
  line.seq = contents.chain.lines.size() + 1;
  line.time = question.now;
  line.line_kind = to_string(statement.kind);
  line.line_by = statement.by;
  line.statement = statement;
  SshSignature signature;
  signature.key = key;
  signature.name_space = signature_namespace(statement.kind);
  line.signature = std::move(signature);
  auto statements = contents.statements;
  statements.push_back(std::move(line));
  auto hashes = contents.chain.hashes;
  hashes.emplace_back();
  const auto decisions = decisions_about(question, statements, hashes, contents.trust);
  for (const auto& one : decisions.not_counted) {
    // That comes with the next approval.
    if (one.seq == statements.back().seq && one.why != WhyNot::waiver_not_approved) return one;
  }
  return std::nullopt;
}

Result<Chain::Appended> DecisionBook::add(const std::string& bytes, const std::string& signature) {
  PATCHLAB_ASSIGN(const auto statement, read_statement(bytes, "the statement"));
  const auto kind = chain_kind_from(to_string(statement.kind));
  if (!kind || family_of(*kind) != ChainFamily::people) {
    return configuration_error(
        fmt::format("the statement is of kind '{}', which people do not add", to_string(statement.kind)),
        "people approve, reject, waive, withdraw and submit");
  }
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  PATCHLAB_ASSIGN(const auto in_force, trust_of(state));
  ChainLine line;
  line.seq = state.lines.size() + 1;
  line.kind = *kind;
  line.object = sha256(bytes);
  line.by = statement.by;
  PATCHLAB_ASSIGN(auto examined, examine(processes_, document_of(line, clock_.wall(), bytes, signature), in_force));
  DecisionQuestion question;
  question.department = statement.subjects.front().name;
  question.set = statement.subjects.front().sha256;
  question.run = statement.run.value_or("");
  question.policy = statement.policy.value_or("");
  question.now = clock_.wall();
  const auto decisions = decisions_about(question, {std::move(examined)}, state.hashes, in_force);
  for (const auto& one : decisions.not_counted) {
    // Alone it cannot be judged against others: withdrawals and waivers are judged when the ledger is read.
    switch (one.why) {
      case WhyNot::statement_unreadable:
      case WhyNot::unknown_kind:
      case WhyNot::statement_edited:
      case WhyNot::unsigned_statement:
      case WhyNot::signer_unknown:
      case WhyNot::signer_differs:
      case WhyNot::namespace_not_allowed:
      case WhyNot::signer_not_in_force:
      case WhyNot::other_history:
      case WhyNot::waiver_expired: return configuration_error(fmt::format("{}: {}", to_string(one.why), one.text));
      case WhyNot::approval_of_other_department:
      case WhyNot::approval_of_other_run:
      case WhyNot::approval_of_other_set:
      case WhyNot::approval_of_other_policy:
      case WhyNot::approval_not_distinct:
      case WhyNot::rejected:
      case WhyNot::withdrawn:
      case WhyNot::waiver_of_other_run:
      case WhyNot::waiver_forbidden:
      case WhyNot::waiver_out_of_scope:
      case WhyNot::waiver_not_distinct:
      case WhyNot::waiver_not_approved:
      case WhyNot::withdrawal_of_nothing:
      case WhyNot::withdrawal_not_by_author: break;
    }
  }
  return chain_.append({.kind = *kind, .by = statement.by, .object = bytes, .signature = signature});
}

Result<TrustVersion> DecisionBook::add_trust(const std::string& text, const std::string& root_name,
                                             const PublicKey& root, const std::string& reason, const Sign& sign) {
  const auto reading = read_signers(text, SignersOf::statements);
  if (!reading.problems.empty()) return trust_error("signers", reading.problems);
  PATCHLAB_ASSIGN(const auto state, chain_.read());
  PATCHLAB_ASSIGN(auto pinned, roots());
  const bool first = pinned.empty();
  if (first) {
    Signer signer;
    signer.name = root_name;
    signer.namespaces = {signature_namespace(StatementKind::trust)};
    signer.key = root;
    pinned = write_signers({signer});
  }
  const auto of_roots = read_signers(pinned, SignersOf::trust);
  if (!of_roots.problems.empty()) return trust_error("pinned root keys", of_roots.problems);
  const auto signer = std::ranges::find_if(of_roots.signers, [&](const Signer& one) { return one.key == root; });
  if (signer == of_roots.signers.end()) {
    return configuration_error(fmt::format("{} is no root key of this stage", fingerprint(root)),
                               fmt::format("its root keys are in '{}'", printable(roots_file().string())));
  }
  PATCHLAB_ASSIGN(const auto before, trust_of(state));

  const auto canonical = write_signers(reading.signers);
  Statement statement;
  statement.kind = StatementKind::trust;
  statement.by = signer->name;
  statement.subjects = {{signers_subject, sha256(canonical)}};
  statement.version = before.versions().size() + 1;
  statement.ledger = SeenLedger{state.head().size, state.head().hash};
  if (!reason.empty()) statement.reason = reason;
  PATCHLAB_ASSIGN(const auto bytes, write_statement(statement));
  PATCHLAB_ASSIGN(const auto of_file, sign(canonical));
  PATCHLAB_ASSIGN(const auto of_statement, sign(bytes));
  const auto now = clock_.wall();
  PATCHLAB_TRY(root_that_signed(processes_, canonical, of_file, pinned, now, "the list of signers"));
  PATCHLAB_TRY(root_that_signed(processes_, bytes, of_statement, pinned, now, "the statement"));

  const auto folder = chain_.folder() / "trust";
  PATCHLAB_TRY(make_own_folder(folder, Links::refuse, mode_of_folders));
  // Before the line: a line whose root nobody pinned could not be read.
  if (first) PATCHLAB_TRY(write_file_atomically(roots_file(), pinned, 0640));
  PATCHLAB_ASSIGN(const auto appended, chain_.append({.kind = ChainKind::trust,
                                                      .by = signer->name,
                                                      .object = bytes,
                                                      .signature = of_statement,
                                                      .attachments = {canonical}}));
  static_cast<void>(appended);
  // For people and auditors' scripts; what counts are the objects.
  const auto place = folder / std::to_string(*statement.version);
  PATCHLAB_TRY(make_own_folder(place, Links::refuse, mode_of_folders));
  PATCHLAB_TRY(write_file_atomically(place / "allowed_signers", canonical, 0640));
  PATCHLAB_TRY(write_file_atomically(place / "allowed_signers.sig", of_file, 0640));
  return TrustVersion{*statement.version, now, canonical, reading.signers};
}

}  // namespace patchlab::promotion

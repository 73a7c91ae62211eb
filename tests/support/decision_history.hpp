// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "promotion/desk/people.hpp"

namespace patchlab::promotion::testing {

// What of these decisions stands against a promotion by a policy that asks for these approvals and lets everything be
// waived that can be: the codes, as the gate would say them; "not-waived" for each failure that stands in the way.
inline std::vector<std::string> codes_against(const DecisionQuestion& question, const Decisions& decisions,
                                              const Trust& trust, const std::vector<ApprovalRule>& rules) {
  Policy policy;
  policy.approvals = rules;
  policy.waivers = {{Waivable::check, Waivable::state, Waivable::review}, std::chrono::days(3660), 100, {}};
  const auto people = people_in(decisions, trust, policy, {});
  std::vector<std::string> codes;
  for (const auto& objection : people.objections) codes.emplace_back(to_string(objection.code));
  for (const auto& failure : question.failures) {
    const bool waived =
        std::ranges::count(people.waived, failure.machine + "/" + failure.name, &WaivedFailure::key) > 0;
    if (!waived || !may_be_waived(failure.kind)) codes.emplace_back("not-waived");
  }
  for (const auto& rule : rules) {
    std::vector<std::string> others;
    std::size_t count = 0;
    for (const auto& given : people.approvals) {
      switch (counts(given, rule)) {
        case Counts::yes: ++count; break;
        case Counts::not_distinct: others.emplace_back("approval-not-distinct"); break;
        case Counts::not_touched: others.emplace_back("security-key-not-touched"); break;
        case Counts::not_verified: others.emplace_back("security-key-not-verified"); break;
      }
    }
    if (count >= rule.count) continue;
    codes.emplace_back("approval-missing");
    codes.insert(codes.end(), others.begin(), others.end());
  }
  return codes;
}

struct HowSigned {
  std::string key = {};         // whose; that of the author when empty
  std::string name_space = {};  // that of the kind when empty
  std::string not_good = {};
  std::optional<SecurityKeyUse> security_key = {};
  std::optional<std::uint64_t> seen = {};  // lines; all of them when absent
};

// A ledger of decisions without files and without cryptography: every signature is as good as the test says.
class DecisionHistory {
 public:
  using How = HowSigned;

  DecisionHistory() {
    question.department = "finance";
    question.run = sha256("run");
    question.set = sha256("set");
    question.policy = sha256("policy");
    question.submitters = {"alice"};
    question.now = start + std::chrono::hours(24);
    people({"alice", "bob", "carol", "dave", "erin"});
  }

  // Each may sign everything with "key of NAME" and "second key of NAME", from now on.
  void people(const std::vector<std::string>& names) {
    TrustVersion version{versions_.size() + 1, time(), {}, {}};
    for (const auto& name : names) {
      for (const auto& key : {"key of " + name, "second key of " + name}) version.signers.push_back(signer(name, key));
    }
    trust_version(std::move(version.signers));
  }
  void trust_version(std::vector<Signer> signers) {
    versions_.push_back({versions_.size() + 1, time(), {}, std::move(signers)});
    trust = Trust(versions_);
  }
  static Signer signer(const std::string& name, const std::string& key) {
    Signer one;
    one.name = name;
    one.key.blob = key;
    for (const auto kind : all_statement_kinds) one.namespaces.push_back(signature_namespace(kind));
    return one;
  }

  // About what is asked, by somebody.
  [[nodiscard]] Statement statement(StatementKind kind, const std::string& by) const {
    Statement made;
    made.kind = kind;
    made.by = by;
    made.subjects = {{question.department, question.set}};
    made.reason = "because";
    if (kind == StatementKind::submit) return made;
    made.run = question.run;
    made.policy = question.policy;
    if (kind == StatementKind::waive) {
      made.ticket = "CHG1";
      made.expires = "2027-01-01T00:00:00Z";
    }
    return made;
  }

  // Appends it; the number of its line.
  std::uint64_t add(Statement made, const How& how = {}) {
    const auto seen = how.seen.value_or(hashes.size());
    made.ledger = SeenLedger{seen, seen == 0 ? std::string(64, '0') : hashes.at(seen - 1)};
    LedgerStatement line;
    line.seq = hashes.size() + 1;
    line.time = time();
    line.line_kind = to_string(made.kind);
    line.line_by = made.by;
    line.object = sha256(fmt::format("statement {}", line.seq));
    line.found = line.object;
    line.not_good = how.not_good;
    SshSignature signature;
    signature.key.blob = how.key.empty() ? "key of " + made.by : how.key;
    signature.name_space = how.name_space.empty() ? signature_namespace(made.kind) : how.name_space;
    signature.security_key = how.security_key;
    line.signature = signature;
    line.statement = std::move(made);
    lines.push_back(line);
    hashes.push_back(sha256(fmt::format("line {}", line.seq)));
    return line.seq;
  }
  std::uint64_t approve(const std::string& by, const How& how = {}) {
    return add(statement(StatementKind::approve, by), how);
  }
  std::uint64_t reject(const std::string& by) { return add(statement(StatementKind::reject, by)); }
  std::uint64_t submit(const std::string& by) { return add(statement(StatementKind::submit, by)); }
  std::uint64_t waive(const std::string& by, const std::vector<Waived>& waives) {
    auto made = statement(StatementKind::waive, by);
    made.waives = waives;
    return add(std::move(made));
  }
  std::uint64_t withdraw(const std::string& by, std::uint64_t line) {
    const auto& target = lines.at(line - 1);
    auto made = statement(StatementKind::withdraw, by);
    made.withdraws = target.object;
    if (target.statement && target.statement->run) {
      made.run = target.statement->run;
      made.subjects = target.statement->subjects;
    }
    return add(std::move(made));
  }

  [[nodiscard]] Decisions decisions() const { return decisions_about(question, lines, hashes, trust); }
  [[nodiscard]] std::vector<std::string> against(const std::vector<ApprovalRule>& rules = {ApprovalRule{}}) const {
    return codes_against(question, decisions(), trust, rules);
  }
  // "3:approval-not-distinct" of everything that does not count.
  [[nodiscard]] std::string not_counted() const {
    std::string all;
    for (const auto& one : decisions().not_counted)
      all += fmt::format("{}{}:{}", all.empty() ? "" : " ", one.seq, to_string(one.why));
    return all;
  }
  // Each line an hour after the one before.
  [[nodiscard]] Moment time() const { return start + std::chrono::hours(hashes.size()); }

  const Moment start = *parse_rfc3339("2026-11-28T00:00:00Z");
  DecisionQuestion question;
  std::vector<LedgerStatement> lines;
  std::vector<std::string> hashes;
  Trust trust;

 private:
  std::vector<TrustVersion> versions_;
};

}  // namespace patchlab::promotion::testing

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/approval/decisions.hpp"

#include <algorithm>

#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/policy/waivers.hpp"

namespace patchlab::promotion {
namespace {

std::string short_digest(const std::string& digest) { return digest.substr(0, 12); }

bool is_named(const Waived& waived, const Failure& failure) {
  if (waived.machine != failure.machine) return false;
  return waived.finding.empty() ? waived.check == failure.name : waived.finding == failure.name;
}
bool covers(const Waived& waived, const Failure& failure) {
  const auto kind = waived.finding.empty() ? FailureKind::check : FailureKind::finding;
  return failure.kind == kind && is_named(waived, failure) && waived.outcome == failure.outcome;
}

class Judge {
 public:
  Judge(const DecisionQuestion& question, const std::vector<LedgerStatement>& statements,
        const std::vector<std::string>& hashes, const Trust& trust)
      : question_(question), statements_(statements), hashes_(hashes), trust_(trust), now_(question.now) {
    for (const auto& line : statements) now_ = std::max(now_, line.time);
    decisions_.now = now_;
  }

  Decisions decisions() {
    for (const auto& line : statements_) {
      if (is_genuine(line)) genuine_.push_back(&line);
    }
    collect_people();
    collect_withdrawals();
    for (const auto* line : genuine_) {
      switch (line->statement->kind) {
        case StatementKind::approve: approve(*line); break;
        case StatementKind::reject: reject(*line); break;
        case StatementKind::waive: waive(*line); break;
        case StatementKind::withdraw:
        case StatementKind::submit: break;  // their effect is collected above
        case StatementKind::begin:
        case StatementKind::run:
        case StatementKind::promote:
        case StatementKind::refuse:
        case StatementKind::rollback:
        case StatementKind::policy:
        case StatementKind::trust:
        case StatementKind::deployed: break;  // no decisions of people
      }
    }
    let_approvers_confirm();
    std::ranges::stable_sort(decisions_.not_counted, {}, &NotCounted::seq);
    return std::move(decisions_);
  }

 private:
  void says(const LedgerStatement& line, WhyNot why, const std::string& text, bool concerns) {
    decisions_.not_counted.push_back({why, line.seq, line.statement ? line.statement->by : line.line_by, line.object,
                                      fmt::format("line {}: {}", line.seq, text), concerns});
  }
  [[nodiscard]] bool of_department(const Statement& statement) const {
    return statement.subjects.front().name == question_.department;
  }
  [[nodiscard]] bool of_set(const Statement& statement) const {
    return statement.subjects.front().sha256 == question_.set;
  }
  [[nodiscard]] bool of_run(const Statement& statement) const { return statement.run == question_.run; }
  [[nodiscard]] bool concerns(const Statement& statement) const {
    return of_run(statement) || (of_department(statement) && of_set(statement));
  }

  // It is what its author signed, who could do so then, and who saw this history.
  bool is_genuine(const LedgerStatement& line) {
    if (line.found != line.object) {
      says(line, WhyNot::statement_edited,
           fmt::format("the ledger names {}, the bytes there are {}", short_digest(line.object),
                       short_digest(line.found)),
           true);
      return false;
    }
    if (!line.statement) {
      says(line, line.kind_is_known ? WhyNot::statement_unreadable : WhyNot::unknown_kind, line.unreadable, true);
      return false;
    }
    const auto& statement = *line.statement;
    if (line.line_kind != to_string(statement.kind) || line.line_by != statement.by) {
      says(line, WhyNot::statement_edited,
           fmt::format("the line says '{}' by '{}', the statement '{}' by '{}'", printable(line.line_kind),
                       printable(line.line_by), to_string(statement.kind), statement.by),
           true);
      return false;
    }
    return is_signed(line, statement) && saw_this_history(line, statement);
  }

  bool is_signed(const LedgerStatement& line, const Statement& statement) {
    const auto refused = [&](WhyNot why, const std::string& text) {
      says(line, why, text, breaks_everything(why) || concerns(statement));
      return false;
    };
    if (!line.signature) return refused(WhyNot::unsigned_statement, line.unsigned_why);
    const auto& signature = *line.signature;
    const auto* version = trust_.at(line.time);
    if (version == nullptr) {
      return refused(WhyNot::signer_unknown,
                     fmt::format("nobody could sign at {}: no list of signers was in force", rfc3339(line.time)));
    }
    const auto signer =
        std::ranges::find_if(version->signers, [&](const Signer& one) { return one.key == signature.key; });
    if (signer == version->signers.end()) {
      return refused(WhyNot::signer_unknown,
                     fmt::format("{} is no key of version {} of the signers; a root key adds it: patchlab trust add",
                                 fingerprint(signature.key), version->number));
    }
    if (signer->name != statement.by) {
      return refused(WhyNot::signer_differs,
                     fmt::format("says '{}', and is signed with a key of '{}'", statement.by, signer->name));
    }
    const auto name_space = signature_namespace(statement.kind);
    if (signature.name_space != name_space) {
      return refused(
          WhyNot::namespace_not_allowed,
          fmt::format("is signed for '{}', but a statement of this kind needs '{}'", signature.name_space, name_space));
    }
    if (!may_sign(*signer, name_space)) {
      return refused(WhyNot::namespace_not_allowed, fmt::format("'{}' may not sign '{}' by version {} of the signers",
                                                                signer->name, name_space, version->number));
    }
    if (!in_force(*signer, line.time)) {
      return refused(WhyNot::signer_not_in_force,
                     fmt::format("the key of '{}' was not in force at {}", signer->name, rfc3339(line.time)));
    }
    if (!line.not_good.empty())
      return refused(WhyNot::statement_edited, fmt::format("is not what was signed: {}", line.not_good));
    return true;
  }

  bool saw_this_history(const LedgerStatement& line, const Statement& statement) {
    if (!statement.ledger) return true;  // kinds that need none; statement_keys() says which
    const auto& seen = *statement.ledger;
    const bool ours = seen.size < line.seq && seen.size <= hashes_.size() &&
                      seen.hash == (seen.size == 0 ? std::string(64, '0') : hashes_[seen.size - 1]);
    if (!ours) {
      says(line, WhyNot::other_history,
           fmt::format("'{}' saw a ledger of {} lines that ends in {}, which this one does not continue", statement.by,
                       seen.size, short_digest(seen.hash)),
           concerns(statement));
    }
    return ours;
  }

  // Who submitted and who ever waived something of it, whatever became of that.
  void collect_people() {
    decisions_.submitters = question_.submitters;
    decisions_.policy_signers = question_.policy_signers;
    for (const auto* line : genuine_) {
      const auto& statement = *line->statement;
      if (!of_department(statement)) continue;
      if (statement.kind == StatementKind::submit && of_set(statement)) decisions_.submitters.push_back(statement.by);
      if (statement.kind == StatementKind::waive && (of_set(statement) || of_run(statement)))
        decisions_.waiver_authors.push_back(statement.by);
    }
    std::ranges::sort(decisions_.submitters);
    decisions_.submitters.erase(std::unique(decisions_.submitters.begin(), decisions_.submitters.end()),
                                decisions_.submitters.end());
  }

  void collect_withdrawals() {
    for (const auto* line : genuine_) {
      const auto& statement = *line->statement;
      if (statement.kind != StatementKind::withdraw) continue;
      const auto target = std::ranges::find_if(genuine_, [&](const LedgerStatement* other) {
        return other->seq < line->seq && other->object == *statement.withdraws;
      });
      // A withdrawal cannot be withdrawn: that would bring back what was taken back without saying it again.
      if (target == genuine_.end() || !is_decision((*target)->statement->kind) ||
          (*target)->statement->kind == StatementKind::withdraw || (*target)->statement->run != statement.run ||
          (*target)->statement->subjects != statement.subjects) {
        says(*line, WhyNot::withdrawal_of_nothing,
             fmt::format("withdraws {}, which is no approval, rejection or waiver of the same run and set before it",
                         short_digest(*statement.withdraws)),
             concerns(statement));
        continue;
      }
      if (!trust_.same_person((*target)->statement->by, statement.by)) {
        says(*line, WhyNot::withdrawal_not_by_author,
             fmt::format("'{}' cannot withdraw what '{}' decided in line {}", statement.by, (*target)->statement->by,
                         (*target)->seq),
             concerns(statement));
        continue;
      }
      withdrawn_.emplace((*target)->seq, line->seq);
    }
  }

  bool is_withdrawn(const LedgerStatement& line) {
    const auto found = withdrawn_.find(line.seq);
    if (found == withdrawn_.end()) return false;
    says(line, WhyNot::withdrawn, fmt::format("was withdrawn in line {}", found->second), concerns(*line.statement));
    return true;
  }

  [[nodiscard]] bool is_one_of(const std::string& name, const std::vector<std::string>& people) const {
    return std::ranges::any_of(people, [&](const std::string& one) { return trust_.same_person(one, name); });
  }

  void approve(const LedgerStatement& line) {
    const auto& statement = *line.statement;
    const auto refused = [&](WhyNot why, const std::string& text) { says(line, why, text, concerns(statement)); };
    if (is_withdrawn(line)) return;
    if (!of_department(statement)) {
      return refused(
          WhyNot::approval_of_other_department,
          fmt::format("approves department '{}', not '{}'", statement.subjects.front().name, question_.department));
    }
    if (!of_run(statement)) {
      return refused(WhyNot::approval_of_other_run,
                     fmt::format("approves run {}, not {}", short_digest(*statement.run), short_digest(question_.run)));
    }
    if (!of_set(statement)) {
      return refused(WhyNot::approval_of_other_set,
                     fmt::format("approves set {}, not {}", short_digest(statement.subjects.front().sha256),
                                 short_digest(question_.set)));
    }
    if (statement.policy != question_.policy) {
      return refused(WhyNot::approval_of_other_policy,
                     fmt::format("was given under policy {}, not {}", short_digest(*statement.policy),
                                 short_digest(question_.policy)));
    }
    if (is_one_of(statement.by, decisions_.submitters)) {
      return refused(WhyNot::approval_not_distinct,
                     fmt::format("'{}' submitted this set; somebody else must approve it", statement.by));
    }
    if (is_one_of(statement.by, decisions_.waiver_authors)) {
      return refused(WhyNot::approval_not_distinct,
                     fmt::format("'{}' waived a failure of it; somebody else must approve it", statement.by));
    }
    Approval approval{statement.by,
                      line.seq,
                      line.time,
                      line.object,
                      *statement.reason,
                      statement.ticket.value_or(""),
                      statement.ledger->size,
                      line.signature->security_key,
                      0};
    std::uint64_t seen_before = 0;
    bool named_a_ticket = false;
    for (const auto& before : decisions_.approvals) {
      if (!trust_.same_person(before.by, approval.by)) continue;
      if (approval.again == 0) approval.again = before.again == 0 ? before.seq : before.again;
      seen_before = std::max(seen_before, before.seen);
      // A ticket that was named before something else was promoted is that of another change.
      const bool of_another_change = before.seen < question_.promoted && question_.promoted <= approval.seen;
      named_a_ticket = named_a_ticket || (!before.ticket.empty() && !of_another_change);
    }
    // Again for a waiver, or a promotion, that was not there the first time, or for the ticket that was not named: that
    // is no repetition, and counts as one person all the same.
    const bool promoted = seen_before < question_.promoted && question_.promoted <= approval.seen;
    const bool names_the_ticket = !approval.ticket.empty() && !named_a_ticket;
    if (approval.again != 0 && !promoted && !names_the_ticket && !is_waived_between(seen_before, approval.seen)) {
      refused(WhyNot::approval_not_distinct,
              fmt::format("'{}' approved it in line {} already: one person counts once, with whatever key",
                          statement.by, approval.again));
      approval.ticket.clear();  // what does not count replaces none that does
    }
    decisions_.approvals.push_back(std::move(approval));
  }

  [[nodiscard]] bool is_waived_between(std::uint64_t seen_before, std::uint64_t seen) const {
    return std::ranges::any_of(genuine_, [&](const LedgerStatement* line) {
      return line->statement->kind == StatementKind::waive && seen_before < line->seq && line->seq <= seen &&
             of_department(*line->statement) && of_run(*line->statement) && of_set(*line->statement);
    });
  }

  void reject(const LedgerStatement& line) {
    const auto& statement = *line.statement;
    if (!of_department(statement) || (!of_run(statement) && !of_set(statement))) return;
    if (is_withdrawn(line)) return;
    decisions_.rejections.push_back(
        {statement.by, line.seq, line.time, line.object, *statement.reason, *statement.run});
  }

  void waive(const LedgerStatement& line) {
    const auto& statement = *line.statement;
    const auto refused = [&](WhyNot why, const std::string& text) { says(line, why, text, concerns(statement)); };
    bool is_over = is_withdrawn(line);
    if (!of_department(statement) || !of_run(statement) || !of_set(statement) || statement.policy != question_.policy) {
      if (!is_over) refused(WhyNot::waiver_of_other_run, "waives something of another department, run, set or policy");
      return;
    }
    const auto until = *parse_rfc3339(*statement.expires);
    if (now_ >= until && !is_over) {
      refused(WhyNot::waiver_expired,
              fmt::format("ended at {}; a new one can be given with 'patchlab waive'", *statement.expires));
      is_over = true;
    }
    if (!is_over && !is_in_scope(statement, refused)) return;
    if (!is_over && is_one_of(statement.by, decisions_.submitters)) {
      refused(WhyNot::waiver_not_distinct,
              fmt::format("'{}' submitted this set; somebody else must waive its failures", statement.by));
      is_over = true;  // it keeps its place, or submitting would let another one count
    }
    decisions_.waivers.push_back({statement.by,
                                  line.seq,
                                  line.time,
                                  until,
                                  line.object,
                                  *statement.reason,
                                  *statement.ticket,
                                  *statement.waives,
                                  {},
                                  is_over});
  }

  template <class Refused>
  bool is_in_scope(const Statement& statement, const Refused& refused) const {
    for (const auto& waived : *statement.waives) {
      if (const auto why = forbidden(waived); !why.empty()) {
        refused(WhyNot::waiver_forbidden, why);
        return false;
      }
      if (std::ranges::none_of(question_.failures, [&](const Failure& one) { return covers(waived, one); })) {
        refused(WhyNot::waiver_out_of_scope,
                fmt::format("{} with outcome '{}' is nothing that this run found", to_string(waived), waived.outcome));
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] std::string forbidden(const Waived& waived) const {
    const auto& name = waived.finding.empty() ? waived.check : waived.finding;
    if (is_never_waived(name) || is_never_waived(waived.outcome))
      return fmt::format("{} ('{}') can never be waived", to_string(waived), waived.outcome);
    const auto named = [&](const Failure& one) { return is_named(waived, one); };
    const auto open = [&](const Failure& one) { return named(one) && may_be_waived(one.kind); };
    if (std::ranges::any_of(question_.failures, named) && std::ranges::none_of(question_.failures, open)) {
      return fmt::format(
          "{} did not fail, nothing was observed: an error, the fence, a golden image, the baseline and "
          "the control can never be waived",
          to_string(waived));
    }
    return {};
  }

  void let_approvers_confirm() {
    for (auto& waiver : decisions_.waivers) {
      if (waiver.is_over) continue;
      for (const auto& approval : decisions_.approvals) {
        if (approval.seen >= waiver.seq) waiver.approved_by = approval.by;
      }
      if (!waiver.approved_by.empty()) continue;
      decisions_.not_counted.push_back(
          {WhyNot::waiver_not_approved, waiver.seq, waiver.by, waiver.object,
           fmt::format("line {}: nobody approved who had seen this waiver of '{}'; it counts with the next approval",
                       waiver.seq, waiver.by),
           true});
    }
  }

  const DecisionQuestion& question_;
  const std::vector<LedgerStatement>& statements_;
  const std::vector<std::string>& hashes_;
  const Trust& trust_;
  Moment now_;
  Decisions decisions_;
  std::vector<const LedgerStatement*> genuine_;
  std::map<std::uint64_t, std::uint64_t> withdrawn_;  // line to the line that withdrew it
};

}  // namespace

bool Decisions::is_broken() const {
  return std::ranges::any_of(not_counted, [](const NotCounted& one) { return breaks_everything(one.why); });
}

const Waiver* Decisions::waiver_of(const Failure& failure) const {
  for (const auto& waiver : waivers) {
    const auto covered = [&](const Waived& waived) { return covers(waived, failure); };
    if (!waiver.is_over && !waiver.approved_by.empty() && std::ranges::any_of(waiver.waives, covered)) return &waiver;
  }
  return nullptr;
}

Decisions decisions_about(const DecisionQuestion& question, const std::vector<LedgerStatement>& statements,
                          const std::vector<std::string>& hashes, const Trust& trust) {
  return Judge(question, statements, hashes, trust).decisions();
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/browser/counter.hpp"

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/browser/assets.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion::browser {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang before 17 asks for it

std::string said(const Error& error) { return error.hint.empty() ? error.message : error.message + "; " + error.hint; }

WebResponse json_answer(unsigned status, const Json& json) {
  return {status, "application/json", printable_json(pretty(json))};
}
WebResponse refusal(const NotAsked& no) { return json_answer(no.status, {{"code", no.code}, {"text", no.text}}); }
WebResponse refusal_as_page(const NotAsked& no) {
  return {no.status, "text/html; charset=utf-8", refusal_page(no.status, no.code, no.text)};
}

// What cannot be, as it stands: the state of the ledger or what was signed speaks against it.
NotAsked refused(std::string code, std::string text) { return {409, std::move(code), std::move(text)}; }
NotAsked refused(WhyNot why, std::string text) { return refused(to_string(why), std::move(text)); }

// "signer-unknown: nobody ..." is how the book says its reason codes.
NotAsked not_added(const Error& error) {
  const auto colon = error.message.find(": ");
  const auto word = error.message.substr(0, colon);
  const bool is_code = colon != std::string::npos &&
                       std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; }) &&
                       word.find('-') != std::string::npos;
  if (is_code || word == to_string(WhyNot::unsigned_statement))
    return refused(word, error.message.substr(colon + 2) + (error.hint.empty() ? "" : "; " + error.hint));
  return refused("not-added", said(error));
}

}  // namespace

// Everything that a decision is about, read once.
struct Counter::Matter {
  reports::RunRecord record;
  std::string department;
  std::vector<std::string> candidates;
  Policy policy;
  DecisionTarget target;
  DecisionBook::Contents contents;
  DecisionQuestion question;

  [[nodiscard]] std::shared_ptr<const reports::DepartmentRecord> tested() const {
    return reports::find_as_tested(record, department);
  }
  // Keys for our pages that somebody has in force, or had: why an old one does not count is said when it is used.
  [[nodiscard]] std::vector<Signer> signers_at(const Origin& origin) const {
    std::vector<Signer> found;
    const auto* version = contents.trust.at(question.now);
    if (version == nullptr) return found;
    for (const auto& signer : version->signers) {
      if (signer.key.kind == KeyKind::security_key_ecdsa && signer.key.application == origin.name)
        found.push_back(signer);
    }
    return found;
  }
};

namespace {

std::vector<std::string> who_may_decide(const std::vector<Signer>& signers, Moment now) {
  std::vector<std::string> names;
  for (const auto& signer : signers) {
    const bool may = may_sign(signer, signature_namespace(StatementKind::approve)) ||
                     may_sign(signer, signature_namespace(StatementKind::reject));
    if (may && in_force(signer, now) && std::ranges::count(names, signer.name) == 0) names.push_back(signer.name);
  }
  return names;
}

// Of the very set: what failed in the trial that tested exactly it, or in the one whose results that took over.
std::vector<Failure> failures_of_the_set(const reports::DepartmentRecord& department) {
  const auto* last = reports::find_trial(department, department.final_trial);
  const auto* facts = last == nullptr ? nullptr : reports::facts_of(department, *last);
  auto alone = department;
  std::erase_if(alone.trials, [&](const auto& trial) { return facts == nullptr || trial.id != facts->id; });
  return failures_of(alone);
}

// A statement that was signed about something else than what is asked about, whatever its kind.
std::optional<NotAsked> about_something_else(const Statement& statement, const DecisionTarget& target) {
  if (statement.subjects.size() != 1 || statement.subjects.front().name != target.department)
    return refused(
        WhyNot::approval_of_other_department,
        fmt::format("it was signed for department '{}'", listed(std::vector{statement.subjects.front().name})));
  if (statement.run != target.run)
    return refused(WhyNot::approval_of_other_run, "it was signed for another run; look at the page of this one");
  if (statement.subjects.front().sha256 != target.set)
    return refused(WhyNot::approval_of_other_set, "it was signed for another set of this run");
  if (statement.policy != target.policy)
    return refused(WhyNot::approval_of_other_policy, "it was signed under another policy than the one in force");
  return std::nullopt;
}

std::optional<NotAsked> policy_trouble(const Policy& policy) {
  if (!policy.trouble) return std::nullopt;
  switch (policy.trouble->kind) {
    case PolicyTrouble::Kind::none_in_force: return refused("policy-not-in-force", policy.trouble->text);
    case PolicyTrouble::Kind::ambiguous: return refused("policy-ambiguous", policy.trouble->text);
  }
  return std::nullopt;
}

}  // namespace

std::variant<Counter::Matter, NotAsked> Counter::matter_of(const AskedSet& set) const {
  const auto ids = runs_.ids();
  if (std::ranges::count(ids, set.run) == 0)
    return NotAsked{404, "run-unknown", fmt::format("there is no run '{}' here; the list is at /", set.run)};
  auto record = runs_.read(set.run);
  if (!record) return NotAsked{422, "run-unreadable", said(record.error())};
  Matter matter;
  matter.record = std::move(*record);
  matter.department = set.department;
  const auto department = matter.tested();
  if (department == nullptr)
    return NotAsked{404, "department-unknown", fmt::format("run '{}' has no department '{}'", set.run, set.department)};
  matter.candidates = tested_set(*department);
  const auto now = clock_.wall();
  auto policy = policy_at_desk(places_.stage, now);
  if (!policy) {
    const bool known = Chain(places_.stage / chain_folder_name).read().has_value();
    return NotAsked{422, known ? "policy-unreadable" : "ledger-unreadable", said(policy.error())};
  }
  matter.policy = std::move(*policy);
  matter.target = target_of(matter.record, set.department, matter.candidates, matter.policy);
  auto contents = DecisionBook(places_.stage / chain_folder_name, processes_, clock_).read(matter.target);
  if (!contents) return NotAsked{422, "ledger-unreadable", said(contents.error())};
  matter.contents = std::move(*contents);
  matter.question = DecisionBook::question(matter.target, matter.contents, failures_of(*department), now);
  return matter;
}

WebResponse Counter::list() const {
  std::vector<ListedSet> sets;
  std::vector<std::string> remarks;
  const auto ids = runs_.ids();
  const auto looked_at = std::min(ids.size(), runs_on_the_list);
  for (std::size_t i = 0; i < looked_at; ++i) {
    const auto record = runs_.read(ids[i]);
    const auto decisions = record ? runs_.decisions(ids[i]) : Result<reports::Decisions>(record.error());
    if (!decisions) {
      remarks.push_back(fmt::format("Run {} is not on this list: {}", ids[i], said(decisions.error())));
      continue;
    }
    for (const auto& department : record->departments) {
      auto candidates = tested_set(*reports::as_tested(*record, department));
      if (candidates.empty() || !is_run_id(ids[i])) continue;
      // Of the same department, only what was tested last.
      const bool newer = std::ranges::any_of(sets, [&](const ListedSet& set) {
        return set.department == department.name && set.scenario == record->scenario_name;
      });
      if (newer) continue;
      auto worst = reports::worst_severity(*record, candidates);
      sets.push_back({ids[i], department.name, record->scenario_name, reports::title_of(*record), record->finished,
                      std::move(candidates), std::move(worst), reports::decision_of(*decisions, department.name)});
    }
  }
  if (ids.size() > looked_at)
    remarks.push_back(fmt::format("The newest {} of {} runs were looked at.", looked_at, ids.size()));
  return {200, "text/html; charset=utf-8", list_page(sets, remarks, places_.stage.string())};
}

WebResponse Counter::page(const AskedSet& set) const {
  const auto read = matter_of(set);
  if (const auto* no = std::get_if<NotAsked>(&read)) return refusal_as_page(*no);
  const auto& matter = std::get<Matter>(read);
  const auto decisions = runs_.decisions(set.run);
  if (!decisions) return refusal_as_page({422, "run-unreadable", said(decisions.error())});
  const auto head = matter.contents.chain.head();
  auto people = DecisionBook::decisions(matter.question, matter.contents);
  std::erase_if(people.waivers, [](const Waiver& waiver) { return waiver.is_over; });
  const auto tested = matter.tested();
  const auto title = matter.policy.title.empty() ? std::string() : ": " + matter.policy.title;
  return {200, "text/html; charset=utf-8",
          set_page({.run = set.run,
                    .record = matter.record,
                    .department = *tested,
                    .decision = reports::decision_of(*decisions, set.department),
                    .candidates = matter.candidates,
                    .target = matter.target,
                    .ledger = {head.size, head.hash},
                    .policy = matter.policy.trouble ? matter.policy.trouble->text : matter.policy.id + title,
                    .people = std::move(people),
                    .failures = failures_of_the_set(*tested),
                    .signers = who_may_decide(matter.signers_at(places_.origin), matter.question.now),
                    .stage = places_.stage.string(),
                    .origin = places_.origin})};
}

WebResponse Counter::draft(const AskedDraft& asked) const {
  const auto read = matter_of(asked.set);
  if (const auto* no = std::get_if<NotAsked>(&read)) return refusal(*no);
  const auto& matter = std::get<Matter>(read);
  if (const auto no = policy_trouble(matter.policy)) return refusal(*no);
  if (asked.kind == StatementKind::approve && matter.candidates.empty())
    return refusal(
        refused("nothing-to-promote", "the run tested no set for this department: there is nothing to approve"));
  auto statement = DecisionBook::draft(asked.kind, asked.by, matter.target, matter.contents);
  statement.reason = asked.reason;
  const auto bytes = write_statement(statement);
  if (!bytes) return refusal({400, "body-malformed", said(bytes.error())});
  Json keys = Json::array();
  std::optional<NotCounted> why;
  for (const auto& signer : matter.signers_at(places_.origin)) {
    if (signer.name != asked.by) continue;
    auto against = DecisionBook::would_not_count(statement, signer.key, matter.question, matter.contents);
    if (!against)
      keys.push_back(to_string(signer.key));
    else
      why = std::move(against);
  }
  if (keys.empty() && why) return refusal(refused(why->why, why->text));
  if (keys.empty())
    return refusal(
        refused(WhyNot::signer_unknown,
                fmt::format("'{}' has no security key for pages of {} in the list of signers; /enrol makes one",
                            asked.by, places_.origin.name)));
  return json_answer(
      200, {{"statement", *bytes}, {"namespace", signature_namespace(asked.kind)}, {"keys", std::move(keys)}});
}

WebResponse Counter::decide(const AskedDecision& asked) const {
  const auto statement = read_statement(asked.statement, "the statement");
  if (!statement) return refusal({422, to_string(WhyNot::statement_unreadable), said(statement.error())});
  if (statement->kind != StatementKind::approve && statement->kind != StatementKind::reject)
    return refusal({422, "kind-not-here", "here people approve and reject; patchlab decide --add takes the others"});
  const auto signature = read_ssh_signature(asked.signature, "the signature");
  if (!signature) return refusal({422, to_string(WhyNot::unsigned_statement), said(signature.error())});
  if (const auto& key = signature->security_key) {
    if (!key->touched())
      return refusal(
          refused(to_string(ReasonCode::security_key_not_touched), "the security key signed without being touched"));
    if (!key->origin.empty() && key->origin != places_.origin.text) {
      return refusal(refused("origin-differs", fmt::format("it was signed on a page of '{}', and this desk is {}",
                                                           printable(key->origin), places_.origin.text)));
    }
  }
  const auto read = matter_of(asked.set);
  if (const auto* no = std::get_if<NotAsked>(&read)) return refusal(*no);
  const auto& matter = std::get<Matter>(read);
  if (const auto no = policy_trouble(matter.policy)) return refusal(*no);
  if (const auto no = about_something_else(*statement, matter.target)) return refusal(*no);
  if (const auto why = DecisionBook::would_not_count(*statement, signature->key, matter.question, matter.contents))
    return refusal(refused(why->why, why->text));
  // Here the signature is verified.
  const auto added =
      DecisionBook(places_.stage / chain_folder_name, processes_, clock_).add(asked.statement, asked.signature);
  if (!added) return refusal(not_added(added.error()));
  auto text =
      fmt::format("Line {} of the ledger: '{}' by '{}'.", added->head.size, to_string(statement->kind), statement->by);
  if (!added->repaired.empty()) text += " " + added->repaired;
  return json_answer(200, {{"line", added->head.size}, {"object", added->object}, {"text", std::move(text)}});
}

WebResponse Counter::answer(const WebRequest& request) const {
  auto response = std::visit(
      Overloaded{
          [&](const AskedList&) { return list(); }, [&](const AskedSet& set) { return page(set); },
          [&](const AskedEnrolment&) {
            return WebResponse{200, "text/html; charset=utf-8", enrolment_page(places_.stage.string(), places_.origin)};
          },
          [&](const AskedStyle&) {
            return WebResponse{200, "text/css; charset=utf-8", style_sheet};
          },
          [&](const AskedScript&) {
            return WebResponse{200, "text/javascript; charset=utf-8", script};
          },
          [&](const AskedDraft& draft) { return this->draft(draft); },
          [&](const AskedDecision& decision) { return decide(decision); },
          [&](const NotAsked& no) { return request.method == "POST" ? refusal(no) : refusal_as_page(no); }},
      asked(request, places_.origin));
  response.scripts = WebResponse::Scripts::ours;
  return response;
}

}  // namespace patchlab::promotion::browser

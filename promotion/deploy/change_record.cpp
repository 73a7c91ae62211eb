// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/change_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/core/printable.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/deploy/approvers.hpp"
#include "promotion/deploy/rejection.hpp"
#include "promotion/statement/statement.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class ChangeStory {
 public:
  ChangeStory(ProcessRunner& processes, const fs::path& stage)
      : processes_(processes), stage_(stage), chain_(stage / chain_folder_name) {}

  Result<std::vector<ChangeRecord>> tell() {
    PATCHLAB_ASSIGN(state_, chain_.read());
    PATCHLAB_ASSIGN(told_, told_of_stage(processes_, stage_));
    std::vector<ChangeRecord> changes;
    for (const auto& story : state_.history.promotions()) {
      if (story.state != PromotionStory::State::done) continue;
      auto change = change_of(story);
      if (!change) return std::move(change).error().while_doing(fmt::format("line {}", story.line));
      changes.push_back(std::move(*change));
    }
    add_what_was_before(changes);
    return changes;
  }

 private:
  [[nodiscard]] Result<Statement> statement_in(const std::string& digest) const {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(digest));
    return read_statement(bytes, "the statement " + digest);
  }
  [[nodiscard]] Result<Json> json_in_ledger(const std::string& digest, const char* what) const {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(digest));
    return parse_json(bytes, what);
  }

  Result<ChangeRecord> change_of(const PromotionStory& story) {
    ChangeRecord change;
    change.stage = stage_.string();
    change.department = story.department;
    change.serial = story.serial;
    change.promotion = story.statement;
    change.line = story.line;
    change.promoted = state_.lines[story.last_line - 1].time;
    PATCHLAB_ASSIGN(const auto statement, statement_in(story.statement));
    change.promoted_by = statement.by;
    change.set = statement.subjects.front().sha256;
    change.policy = statement.policy.value_or("");
    change.signed_by_lab = chain_.objects().signature(story.statement).has_value();
    if (statement.review_by) {
      change.emergency = statement.reason.value_or("");
      add_ticket(change, statement.ticket.value_or(""));
    } else if (story.is_rollback) {
      change.rollback = statement.reason.value_or("");
    }
    PATCHLAB_ASSIGN(const auto json, json_in_ledger(story.run, "the record of the run"));
    PATCHLAB_ASSIGN(const auto record, reports::run_record_from_json(json, "the record of the run"));
    PATCHLAB_TRY(add_decisions(change, statement));
    PATCHLAB_ASSIGN(change.approved_by, approvers_of(processes_, stage_, story));
    PATCHLAB_TRY(add_run(change, story.run, record));
    PATCHLAB_ASSIGN(const auto manifest, json_in_ledger(story.manifest, "the manifest"));
    add_manifest(change, manifest, record);
    return add_results(std::move(change), story);
  }

  static void add_ticket(ChangeRecord& change, const std::string& ticket) {
    if (!ticket.empty() && std::ranges::count(change.tickets, ticket) == 0) change.tickets.push_back(ticket);
  }

  Result<void> add_decisions(ChangeRecord& change, const Statement& promotion) {
    const std::vector<std::string> none;
    std::set<std::uint64_t> of_earlier;  // their tickets are those of the promotion that rested on them first
    for (const auto& digest : promotion.decisions ? *promotion.decisions : none) {
      const auto line = std::ranges::find(state_.lines, digest, &ChainLine::object);
      PATCHLAB_ASSIGN(const auto decision, statement_in(digest));
      if (decision.kind != StatementKind::approve || line == state_.lines.end()) continue;
      if (!rested_on_.insert(digest).second) of_earlier.insert(line->seq);
      change.approvals.push_back(
          {decision.by, line->time, line->seq, decision.reason.value_or(""), decision.ticket.value_or("")});
    }
    std::ranges::sort(change.approvals, {}, &ChangeApproval::line);
    for (const auto& one : change.approvals) {
      if (!of_earlier.contains(one.line)) add_ticket(change, one.ticket);
    }
    return {};
  }

  Result<void> add_run(ChangeRecord& change, const std::string& digest, const reports::RunRecord& record) {
    change.run = record.id;
    change.record = digest;
    change.started = record.started;
    change.finished = record.finished;
    change.scenario = record.scenario_name;
    const auto attempt = std::ranges::find(state_.history.attempts(), digest, &Attempt::run);
    if (attempt != state_.history.attempts().end()) {
      PATCHLAB_ASSIGN(const auto begin, statement_in(attempt->begin));
      change.requested_by = begin.submitter.value_or(begin.by);
      change.attempt = begin.attempt.value_or(0);
    }
    const auto department = std::ranges::find(record.departments, change.department, &reports::DepartmentRecord::name);
    if (department == record.departments.end())
      return configuration_error(
          fmt::format("run '{}' has no department '{}'", printable(record.id), printable(change.department)));
    if (const auto carrying = reports::carrying_of(record, change.department); carrying.is_carried())
      change.carried = reports::sentence_of(carrying, record.id);
    change.phases = department->phases;
    for (const auto& machine : department->machines) {
      change.machines.push_back(machine.name);
      change.checks += machine.checks.size();
    }
    return {};
  }

  // The manifest is what the ledger names by its digest, and was proven when it was published.
  static void add_manifest(ChangeRecord& change, const Json& manifest, const reports::RunRecord& record) {
    const auto department = reports::find_as_tested(record, change.department);
    std::vector<std::string> ids;
    for (const auto& one : manifest.value("candidates", Json::array())) ids.push_back(text_in(one, "id"));
    for (const auto& id : ids) {
      const auto* candidate = reports::find_candidate(record, id);
      if (candidate == nullptr) continue;
      ChangeItem item{id, candidate->title, candidate->severity, candidate->kind, candidate->digest, {}, {}, {}, {}};
      for (const auto& file : candidate->files) item.files.push_back(file.sha256);
      if (const auto* verdict = reports::find_verdict(*department, id)) {
        item.machines = verdict->machines;
        item.removal = verdict->removal;
      }
      change.items.push_back(std::move(item));
    }
    change.worst_severity = reports::worst_severity(record, ids);
    change.trial = text_in(manifest.value("final_trial", Json::object()), "id");
    for (const auto& one : manifest.value("waived", Json::array())) {
      change.waivers.push_back({text_in(one, "key"), text_in(one, "by"), text_in(one, "approved_by"),
                                text_in(one, "until"), text_in(one, "reason"), text_in(one, "ticket")});
      add_ticket(change, change.waivers.back().ticket);
    }
    for (const auto& one : manifest.value("held_back", Json::array()))
      change.held_back.push_back(
          fmt::format("{}: {}: {}", text_in(one, "candidate"), text_in(one, "code"), text_in(one, "text")));
  }

  Result<ChangeRecord> add_results(ChangeRecord change, const PromotionStory& story) {
    std::set<std::string> known;
    std::vector<DeployedMachine> its;
    for (const auto& told : told_) {
      if (told.department != change.department) continue;
      known.insert(told.report.machine);
      if (told.serial != change.serial) continue;
      add_ticket(change, told.ticket);
      its.push_back(told);
    }
    change.results = newest_of(std::move(its));
    std::size_t have_it = 0;
    bool differs = false;
    for (auto& machine : change.results) {
      machine.newest_serial = change.serial;
      differs = differs || machine.report.outcome() == InstalledOutcome::differs;
      if (machine.has_reported() && machine.report.outcome() == InstalledOutcome::as_promoted) ++have_it;
    }
    PATCHLAB_ASSIGN(change.rejected, rejected_since(processes_, stage_, story, change.set));
    const auto* last = state_.history.last_done(change.department);
    if (last != nullptr && last->statement != story.statement)
      change.state = ChangeState::superseded;
    else if (!change.rejected.empty())
      change.state = ChangeState::rejected;
    else if (differs)
      change.state = ChangeState::differs;
    else if (have_it > 0)
      change.state = have_it == known.size() ? ChangeState::installed : ChangeState::partly_installed;
    return change;
  }

  ProcessRunner& processes_;
  const fs::path& stage_;
  Chain chain_;
  ChainState state_;
  std::vector<DeployedMachine> told_;
  std::set<std::string> rested_on_;  // decisions of the promotions told so far
};

}  // namespace

const char* to_string(ChangeState state) {
  switch (state) {
    case ChangeState::promoted: return "promoted";
    case ChangeState::partly_installed: return "partly-installed";
    case ChangeState::installed: return "installed";
    case ChangeState::differs: return "differs";
    case ChangeState::rejected: return "rejected";
    case ChangeState::superseded: return "superseded";
  }
  return "";
}

std::string ChangeRecord::id() const { return fmt::format("{}-{}", department, serial); }

Result<std::vector<ChangeRecord>> changes_of_stage(ProcessRunner& processes, const fs::path& stage) {
  const Chain chain(stage / chain_folder_name);
  if (!chain.exists())
    return configuration_error(
        fmt::format("'{}' has no ledger: nobody can say what was promoted there", printable(stage.string())),
        "a stage has one from its first promotion by this version on");
  return ChangeStory(processes, stage).tell();
}

void add_what_was_before(std::vector<ChangeRecord>& changes) {
  struct Before {
    std::uint64_t serial = 0;
    std::string run;
    std::uint64_t rejected = 0;
  };
  std::map<std::string, Before> departments;
  for (auto& change : changes) {
    auto& before = departments[change.department];
    change.before = before.serial;
    change.before_run = before.run;
    change.rejected_before = before.rejected;
    if (change.rejected.empty())
      before = {change.serial, change.run, 0};
    else
      before.rejected = change.serial;
  }
}

Result<std::size_t> add_reasons(ChangeRecord& change, const Json& scan, const std::string& file_name) {
  if (!scan.is_object() || text_in(scan, "schema") != "patchlab/scan/v1")
    return configuration_error(fmt::format("{}: is not what 'patchlab scan --json' prints", printable(file_name)),
                               "patchlab scan SCENARIO --json >scan.json");
  std::vector<JsonProblem> problems;
  JsonReader reader(scan, "", problems);
  const auto& rows = reader.raw("rows");
  if (!rows.is_array()) reader.problem("rows", "must be a list");
  std::set<std::string> known;
  for (std::size_t i = 0; rows.is_array() && i < rows.size(); ++i) {
    JsonReader row(rows[i], fmt::format("/rows/{}", i), problems);
    const auto id = row.text("item");
    const auto item = std::ranges::find(change.items, id, &ChangeItem::id);
    if (row.text("department") != change.department || item == change.items.end()) continue;
    std::vector<std::string> cves;
    std::string timeline;
    const auto decided_by = row.raw("decided_by");
    const auto& vulnerabilities = row.raw("vulnerabilities");
    if (!vulnerabilities.is_array()) row.problem("vulnerabilities", "must be a list");
    for (std::size_t v = 0; vulnerabilities.is_array() && v < vulnerabilities.size(); ++v) {
      const auto& one = vulnerabilities[v];
      if (!one.is_object()) continue;
      cves.push_back(text_in(one, "cve"));
      const auto decision = one.find("decision");
      if (decision != one.end() && decision->is_object() && decided_by == cves.back())
        timeline = fmt::format("row {}: {}", text_in(*decision, "row"), text_in(*decision, "timeline"));
    }
    const auto due = row.raw("due");
    auto sentence = fmt::format("{} {}", row.text("machine"), row.text("status"));
    if (!cves.empty()) sentence += ", closes " + listed(cves);
    if (!timeline.empty()) sentence += ", " + timeline;
    if (due.is_string()) sentence += ", due " + due.get<std::string>();
    item->why.push_back(std::move(sentence));
    known.insert(id);
  }
  if (!problems.empty()) return problems_error(file_name, problems);
  return known.size();
}

}  // namespace patchlab::promotion

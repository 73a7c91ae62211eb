// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/deployed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "patches/deb/deb_file.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/deploy/approvers.hpp"
#include "promotion/deploy/rejection.hpp"
#include "promotion/statement/statement.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

class Telling {
 public:
  Telling(ProcessRunner& processes, const fs::path& stage)
      : processes_(processes), stage_(stage), chain_(stage / chain_folder_name) {}

  Result<std::vector<DeployedMachine>> all() {
    PATCHLAB_ASSIGN(const auto departments, tell());
    return std::move(all_);
  }
  Result<std::vector<DeployedDepartment>> tell() {
    PATCHLAB_ASSIGN(state_, chain_.read());
    for (const auto& story : state_.history.promotions()) {
      const auto* last = state_.history.last_done(story.department);
      if (last == nullptr || last->statement != story.statement) continue;
      PATCHLAB_ASSIGN(const auto promotion, statement_in(story.statement));
      PATCHLAB_ASSIGN(auto rejected, rejected_since(processes_, stage_, story, promotion.subjects.front().sha256));
      departments_.push_back(
          {story.department, story.serial, run_of(story.run), std::move(rejected), {}, !story.review_by.empty()});
    }
    std::ranges::sort(departments_, {}, &DeployedDepartment::department);
    for (const auto& line : state_.lines) {
      if (line.kind == ChainKind::deployed) PATCHLAB_TRY(take(line).while_doing(fmt::format("line {}", line.seq)));
    }
    all_ = told_;
    for (auto& machine : newest_of(std::move(told_))) {
      const auto found = std::ranges::find(departments_, machine.department, &DeployedDepartment::department);
      machine.newest_serial = found->serial;  // its promotion was done: there is a department
      found->machines.push_back(std::move(machine));
    }
    return std::move(departments_);
  }

 private:
  [[nodiscard]] Result<Statement> statement_in(const std::string& digest) const {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(digest));
    return read_statement(bytes, "the statement " + digest);
  }
  [[nodiscard]] std::string run_of(const std::string& digest) const {
    const auto found = std::ranges::find(state_.history.attempts(), digest, &Attempt::run);
    return found == state_.history.attempts().end() ? "of record " + digest : found->id;
  }

  Result<void> take(const ChainLine& line) {
    PATCHLAB_ASSIGN(const auto statement, statement_in(line.object));
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(*statement.report));
    PATCHLAB_ASSIGN(const auto json, parse_json(bytes, "what machines said"));
    PATCHLAB_ASSIGN(const auto report, deployed_from_json(json, "what machines said"));
    DeployedMachine told;
    told.department = statement.subjects.front().name;
    told.source = report.source;
    told.file = report.file;
    told.line = line.seq;
    told.recorded = line.time;
    told.by = line.by;
    told.is_signed = chain_.objects().signature(line.object).has_value();
    told.reason = statement.reason.value_or("");
    told.ticket = statement.ticket.value_or("");
    const auto story = std::ranges::find(state_.history.promotions(), *statement.promotion, &PromotionStory::statement);
    told.serial = story->serial;
    told.run = run_of(story->run);
    told.promoted = state_.lines[story->last_line - 1].time;
    told.emergency = !story->review_by.empty();
    auto& approvers = approvers_[story->statement];
    if (!approvers) {
      PATCHLAB_ASSIGN(approvers, approvers_of(processes_, stage_, *story));
    }
    told.approved_by = *approvers;
    for (const auto& machine : report.machines) {
      auto one = told;
      one.report = machine;
      told_.push_back(std::move(one));
    }
    return {};
  }

  ProcessRunner& processes_;
  const fs::path& stage_;
  Chain chain_;
  ChainState state_;
  std::vector<DeployedDepartment> departments_;
  std::vector<DeployedMachine> told_;
  std::vector<DeployedMachine> all_;
  std::map<std::string, std::optional<std::vector<std::string>>> approvers_;  // by the statement of the promotion
};

// By department, machine and part: what it has, and since when.
using KnownSince = std::map<std::string, std::pair<std::string, std::string>>;

// As it says, else since the first report in a row that had the same.
void add_since(DeployedMachine& machine, KnownSince& since) {
  for (auto& row : machine.report.rows) {
    auto& known = since[fmt::format("{}/{}/{}", machine.department, machine.report.machine, row.name)];
    if (row.found.empty()) {
      if (row.state == InstalledState::not_installed) known = {};
      continue;
    }
    if (known.first != row.found) known = {row.found, row.since.empty() ? machine.report.observed : row.since};
    if (row.since.empty()) row.since = known.second;
  }
}

std::chrono::system_clock::time_point moment_of(const std::string& time) {
  return parse_rfc3339(time).value_or(std::chrono::system_clock::time_point::min());
}

}  // namespace

bool DeployedMachine::has_reported() const {
  return serial == newest_serial && moment_of(report.observed) >= moment_of(promoted);
}

std::vector<DeployedMachine> newest_of(std::vector<DeployedMachine> told) {
  // Equal ones stay in the order of their lines.
  std::ranges::stable_sort(told, {}, [](const DeployedMachine& one) { return moment_of(one.report.observed); });
  KnownSince since;
  std::map<std::string, DeployedMachine> machines;
  for (auto& machine : told) {
    add_since(machine, since);
    auto key = machine.department + "/" + machine.report.machine;
    machines[std::move(key)] = std::move(machine);
  }
  std::vector<DeployedMachine> newest;
  for (auto& [key, machine] : machines) newest.push_back(std::move(machine));
  return newest;
}

const DeployedMachine* same_list(const std::vector<DeployedMachine>& told, const std::string& department,
                                 const MachineReport& report, const std::string& file) {
  if (report.outcome() != InstalledOutcome::as_promoted) return nullptr;
  const DeployedMachine* last = nullptr;
  for (const auto& one : told) {
    const bool is_it = one.department == department && one.report.machine == report.machine && one.file == file;
    if (is_it && (last == nullptr || last->line < one.line)) last = &one;
  }
  return last;
}

Result<std::vector<PromotedPart>> promoted_parts(const Handoff& handoff) {
  std::vector<PromotedPart> parts;
  for (const auto& candidate : handoff.candidates) {
    for (const auto& file : candidate.files) {
      if (candidate.kind != "deb") {
        parts.push_back({candidate.id, candidate.kb.empty() ? file.name : candidate.kb, {}, {}, file.sha256});
        continue;
      }
      PATCHLAB_ASSIGN(const auto control, patches::control_of(handoff.folder / file.path()));
      parts.push_back({candidate.id, patches::known_package_name(patches::field(control, "Package")),
                       patches::field(control, "Architecture"), patches::field(control, "Version"), file.sha256});
    }
  }
  return parts;
}

Result<std::uint64_t> write_deployed(const fs::path& stage, const Handoff& handoff, const DeployedNote& note,
                                     const Scribe& scribe) {
  const auto& clock = scribe.clock == nullptr ? system_clock_source() : *scribe.clock;
  PATCHLAB_TRY(refuse_future(note.machines, clock.wall()));
  const DeployedReport report{handoff.department, handoff.promotion, handoff.serial,
                              note.source,        note.file,         note.machines};
  const auto bytes = pretty(deployed_json(report));
  Chain chain(stage / chain_folder_name, {.before_step = scribe.before_step, .clock = scribe.clock});
  Statement statement;
  statement.kind = StatementKind::deployed;
  statement.by = scribe.by;
  statement.subjects = {{handoff.department, handoff.set}};
  statement.ledger = SeenLedger{handoff.head.size, handoff.head.hash};
  statement.promotion = handoff.promotion;
  statement.result = to_string(report.outcome());
  statement.report = sha256(bytes);
  if (!note.reason.empty()) statement.reason = note.reason;
  if (!note.ticket.empty()) statement.ticket = note.ticket;
  PATCHLAB_ASSIGN(const auto text, write_statement(statement));
  std::string signature;
  if (scribe.sign) {
    PATCHLAB_ASSIGN(signature, scribe.sign(signature_namespace(statement.kind), text));
  }
  PATCHLAB_ASSIGN(const auto appended, chain.append({.kind = ChainKind::deployed,
                                                     .by = scribe.by,
                                                     .object = text,
                                                     .signature = signature,
                                                     .attachments = {bytes}}));
  return appended.head.size;
}

Result<std::vector<DeployedMachine>> told_of_stage(ProcessRunner& processes, const fs::path& stage) {
  return Telling(processes, stage).all();
}

Result<std::vector<DeployedDepartment>> deployed_of_stage(ProcessRunner& processes, const fs::path& stage) {
  const Chain chain(stage / chain_folder_name);
  if (!chain.exists())
    return configuration_error(
        fmt::format("'{}' has no ledger: nobody can say what was promoted there", printable(stage.string())),
        "a stage has one from its first promotion by this version on");
  return Telling(processes, stage).tell();
}

void to_json(Json& json, const DeployedMachine& machine) {
  Json rows = Json::array();
  for (const auto& row : machine.report.rows) {
    rows.push_back({{"candidate", row.candidate},
                    {"name", row.name},
                    {"promoted", row.promoted},
                    {"found", row.found},
                    {"state", to_string(row.state)},
                    {"since", row.since}});
  }
  json = {{"machine", machine.report.machine},
          {"outcome", to_string(machine.report.outcome())},
          {"observed", machine.report.observed},
          {"source", to_string(machine.source)},
          {"line", machine.line},
          {"recorded", machine.recorded},
          {"by", machine.by},
          {"signed", machine.is_signed},
          {"serial", machine.serial},
          {"is_newest", machine.serial == machine.newest_serial},
          {"has_reported", machine.has_reported()},
          {"run", machine.run},
          {"promoted", machine.promoted},
          {"approved_by", machine.approved_by},
          {"rows", std::move(rows)}};
  if (!machine.reason.empty()) json["reason"] = machine.reason;
  if (!machine.ticket.empty()) json["ticket"] = machine.ticket;
}

void to_json(Json& json, const DeployedDepartment& department) {
  json = {{"department", department.department},
          {"serial", department.serial},
          {"run", department.run},
          {"machines", department.machines}};
  if (!department.rejected.empty()) json["rejected"] = department.rejected;
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/record.hpp"

// Every field is written, empty ones too: a reader of the file sees the whole schema, and two records of equal facts
// are equal text.
namespace patchlab::reports {
namespace {

template <class T, class Convert>
Json list_of(const std::vector<T>& values, Convert convert) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(convert(value));
  return list;
}

// What was typed wrongly ends before there is a run; such an error in one is a mistake of ours, and says so.
Json optional_error(const std::optional<Error>& error) {
  if (!error) return nullptr;
  Json json = *error;
  if (error->error_class == ErrorClass::usage) json["class"] = to_string(ErrorClass::bug);
  return json;
}

Json file_json(const FileRecord& file) {
  Json json{{"name", file.name}, {"sha256", file.sha256}, {"bytes", file.bytes}};
  if (!file.signature.empty()) json["signature"] = file.signature;
  return json;
}

Json candidate_json(const CandidateRecord& candidate) {
  return {{"id", candidate.id},
          {"title", candidate.title},
          {"severity", candidate.severity},
          {"kind", candidate.kind},
          {"origin", candidate.origin},
          {"digest", candidate.digest},
          {"source", candidate.source},
          {"files", list_of(candidate.files, file_json)},
          {"prerequisites", candidate.prerequisites},
          {"supersedes", candidate.supersedes}};
}

Json asked_json(const AskedRecord& asked) {
  Json json{{"departments", asked.departments},
            {"roles", asked.roles},
            {"candidates", asked.candidates},
            {"controls", asked.controls},
            {"with", asked.with}};
  if (!asked.carry.empty()) json["carry"] = asked.carry;
  return json;
}

Json machine_json(const MachineRecord& machine) {
  Json json{{"name", machine.name},
            {"role", machine.role},
            {"golden", machine.golden},
            {"golden_at", machine.golden_at},
            {"golden_recipe", machine.golden_recipe},
            {"golden_digest", machine.golden_digest},
            {"golden_digest_after", machine.golden_digest_after},
            {"address", machine.address},
            {"memory_mib", machine.memory_mib},
            {"checks", machine.checks},
            {"check_digests", machine.check_digests},
            {"state_digest", machine.state_digest}};
  if (!machine.definition_digest.empty()) json["definition_digest"] = machine.definition_digest;
  if (machine.likeness) json["likeness"] = *machine.likeness;
  return json;
}

Json fence_json(const FenceRecord& fence) {
  return {{"attempts", fence.attempts}, {"answers", fence.answers()}, {"troubles", fence.troubles}};
}

Json brought_json(const BroughtRecord& brought) {
  Json json{{"item", brought.item}, {"before", brought.before}, {"wanted", brought.wanted}};
  if (brought.found) json["found"] = *brought.found;
  return json;
}

Json install_json(const InstallRecord& install) {
  Json json{{"machine", install.machine},
            {"candidate", install.candidate},
            {"outcome", to_string(install.outcome)},
            {"end", install.end},
            {"exit_code", install.exit_code},
            {"log", install.log},
            {"duration_ms", install.duration_ms},
            {"installed_in", install.installed_in}};
  if (!install.installed_run.empty()) json["installed_run"] = install.installed_run;
  if (!install.kept_files.empty()) json["kept_files"] = install.kept_files;
  if (install.brought) json["brought"] = list_of(*install.brought, brought_json);
  return json;
}

Json slope_json(const checks::growth::Slope& slope) {
  Json json{{"resource", to_string(slope.used.resource)},
            {"of", slope.used.of},
            {"per_hour", slope.per_hour},
            {"without_patch_per_hour", slope.without},
            {"told_from_per_hour", slope.told_from},
            {"from", slope.from},
            {"to", slope.to}};
  if (slope.minutes_left) json["minutes_left"] = *slope.minutes_left;
  return json;
}

Json growth_json(const checks::growth::Growth& growth) {
  Json json{{"judged", growth.why_not.empty()},
            {"looks", growth.looks},
            {"looks_planned", growth.planned},
            {"time_ms", growth.time.count()},
            {"load_checks", growth.asked},
            {"load_failed", growth.failed},
            {"told", Json::array()},
            {"hardest_to_see", Json::array()}};
  if (growth.flaky > 0) json["load_flaky"] = growth.flaky;
  if (!growth.why_not.empty()) json["why_not"] = growth.why_not;
  for (const auto& slope : growth.told) json["told"].push_back(slope_json(slope));
  for (const auto& slope : growth.hardest) json["hardest_to_see"].push_back(slope_json(slope));
  return json;
}

Json cycles_json(const ServiceCycles& cycles) {
  Json json{{"planned", cycles.planned},
            {"services", Json::array()},
            {"load_checks", cycles.asked},
            {"load_failed", cycles.failed}};
  for (const auto& service : cycles.services) {
    Json row{{"name", service.name},
             {"done", service.done},
             {"stop_ms", service.stop_ms},
             {"start_ms", service.start_ms},
             {"with", service.with}};
    if (!service.why_not.empty()) row["why_not"] = service.why_not;
    json["services"].push_back(std::move(row));
  }
  return json;
}

Json phase_json(const PhaseRecord& phase) {
  Json json{{"phase", phase.phase},   {"machine", phase.machine},         {"outcome", to_string(phase.outcome)},
            {"checks", phase.checks}, {"differences", phase.differences}, {"error", optional_error(phase.error)}};
  if (!phase.not_observed.empty()) json["not_observed"] = phase.not_observed;
  if (!phase.beside.empty()) json["beside"] = phase.beside;
  if (!phase.fails_without_patch.empty()) json["fails_without_patch"] = phase.fails_without_patch;
  if (phase.growth) json["growth"] = growth_json(*phase.growth);
  if (phase.next_package) {
    const auto& next = *phase.next_package;
    json["next_package"] =
        next.install ? Json{{"install", install_json(*next.install)}} : Json{{"why_not", next.why_not}};
  }
  if (phase.service_cycles) json["service_cycles"] = cycles_json(*phase.service_cycles);
  return json;
}

Json needed_json(const NeededRecord& needed) {
  Json json{{"package", needed.package}, {"version", needed.version}};
  if (needed.found) json["found"] = *needed.found;
  return json;
}

Json closes_json(const ClosesRecord& closes) {
  return {{"machine", closes.machine},
          {"vulnerabilities", closes.vulnerabilities},
          {"needs", list_of(closes.needs, needed_json)}};
}

Json verdict_json(const VerdictRecord& verdict) {
  Json json{{"candidate", verdict.candidate}, {"outcome", to_string(verdict.outcome)},
            {"group", verdict.group},         {"machines", verdict.machines},
            {"failed", verdict.failed},       {"trials", verdict.trials},
            {"reason", verdict.reason},       {"known_from", verdict.known_from},
            {"removal", verdict.removal}};
  if (!verdict.effect.empty()) json["effect"] = verdict.effect;
  if (verdict.closes) json["closes"] = list_of(*verdict.closes, closes_json);
  return json;
}

Json flaky_json(const FlakyRecord& flaky) {
  return {{"kind", flaky.kind},
          {"fact", flaky.fact},
          {"candidates", flaky.candidates},
          {"failed", flaky.failed},
          {"passed", flaky.passed}};
}

Json department_json(const DepartmentRecord& department) {
  Json json{{"name", department.name},
            {"outcome", to_string(department.outcome)},
            {"error", optional_error(department.error)},
            {"machines", list_of(department.machines, machine_json)},
            {"phases", department.phases},
            {"fence", fence_json(department.fence)},
            {"trials", department.trials},
            {"verdicts", list_of(department.verdicts, verdict_json)},
            {"final_trial", department.final_trial}};
  if (!department.tested_in.empty()) json["tested_in"] = department.tested_in;
  if (!department.flaky.empty()) json["flaky"] = list_of(department.flaky, flaky_json);
  return json;
}

}  // namespace

void to_json(Json& json, const FenceAttempt& attempt) {
  json = {{"phase", attempt.phase},
          {"probe", attempt.probe},
          {"target", attempt.target},
          {"answered", attempt.answered},
          {"evidence", attempt.evidence}};
  if (!attempt.sent) json["sent"] = false;
  if (attempt.control) json["control"] = true;
  if (!attempt.trial.empty()) json["trial"] = attempt.trial;
  if (!attempt.device.empty()) json["device"] = attempt.device;
}

void to_json(Json& json, const TimingRecord& timing) {
  json = {{"department", timing.department}, {"machine", timing.machine},   {"trial", timing.trial},
          {"phase", timing.phase},           {"start_ms", timing.start_ms}, {"duration_ms", timing.duration_ms}};
}

void to_json(Json& json, const TrialRecord& trial) {
  json = {{"id", trial.id},
          {"purpose", trial.purpose},
          {"candidates", trial.candidates},
          {"set_digest", trial.set_digest},
          {"machines", trial.machines},
          {"outcome", to_string(trial.outcome)},
          {"error", optional_error(trial.error)},
          {"installs", list_of(trial.installs, install_json)},
          {"removals", list_of(trial.removals, install_json)},
          {"phases", list_of(trial.phases, phase_json)},
          {"signature", trial.signature},
          {"reused_from", trial.reused_from},
          {"evidence_folder", trial.evidence_folder},
          {"started", trial.started},
          {"duration_ms", trial.duration_ms}};
  if (!trial.retried_as.empty()) json["retried_as"] = trial.retried_as;
  if (!trial.reused_run.empty()) json["reused_run"] = trial.reused_run;
  if (!trial.state_of_run.empty()) json["state_of_run"] = trial.state_of_run;
}

void to_json(Json& json, const RunRecord& record) {
  json = {{"schema", run_schema},
          {"id", record.id},
          {"tool_version", record.tool_version},
          {"scenario",
           {{"name", record.scenario_name}, {"title", record.scenario_title}, {"digest", record.scenario_digest}}},
          {"started", record.started},
          {"finished", record.finished},
          {"duration_ms", record.duration_ms},
          {"host", record.host},
          {"digests", record.digests},
          {"asked", asked_json(record.asked)},
          {"candidates", list_of(record.candidates, candidate_json)},
          {"departments", list_of(record.departments, department_json)},
          {"timings", record.timings},
          {"not_tested", record.not_tested},
          {"error", optional_error(record.error)},
          {"peak_memory_kib", record.peak_memory_kib},
          {"complete", record.complete}};
  if (record.foreseen) {
    json["foreseen"] = {{"makespan_ms", record.foreseen->makespan_ms},
                        {"lower_bound_ms", record.foreseen->lower_bound_ms},
                        {"times", record.foreseen->times},
                        {"recorded_times", record.foreseen->recorded_times}};
  }
  if (record.evidence) {
    json["evidence"] = list_of(*record.evidence, [](const KeptFile& file) {
      return Json{{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}};
    });
  }
}

void to_json(Json& json, const InstallRecord& install) { json = install_json(install); }

}  // namespace patchlab::reports

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "reports/record/kept_files.hpp"
#include "reports/record/record.hpp"

// Reading is fail-closed: what is absent becomes the value that promotes nothing, what is unknown or mistyped is a
// problem with its pointer. A record that was shortened or edited by hand can lose its promotion, never gain one.
namespace patchlab::reports {
namespace {

using Problems = std::vector<JsonProblem>;
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

Outcome outcome_of(JsonReader& reader) {
  const auto word = reader.text("outcome");
  const auto outcome = outcome_from(word);
  if (!outcome && !word.empty()) {
    reader.problem("outcome",
                   fmt::format("'{}' is not an outcome; allowed: pass, fail, error, skipped, not-reached", word));
  }
  return outcome.value_or(Outcome::error);
}

template <class Word>
Word word_of(JsonReader& reader, const std::string& key, Word absent,
             std::optional<Word> (*word_from)(const std::string&)) {
  const auto text = reader.text_or(key, to_string(absent));
  const auto word = word_from(text);
  if (!word) reader.problem(key, fmt::format("'{}' is not a {} that this version knows", text, key));
  return word.value_or(absent);
}

std::optional<Error> error_of(JsonReader& reader, Problems& problems) {
  const auto& json = reader.raw("error");
  if (json.is_null()) return std::nullopt;
  JsonReader error(json, reader.at("error"), problems);
  const auto word = error.text("class");
  auto error_class = error_class_from(word);
  if (error_class == ErrorClass::usage) error_class.reset();  // a run that was not asked for rightly has not begun
  if (!error_class && !word.empty()) error.problem("class", fmt::format("'{}' is not a class of errors", word));
  Error result{error_class.value_or(ErrorClass::bug), error.text_or("message", ""), error.text_or("hint", "")};
  error.finish();
  return result;
}

// Reads the list under `key` with `read(element, pointer, problems)`.
template <class Read>
auto list_of(JsonReader& reader, const std::string& key, Problems& problems, Read read) {
  std::vector<decltype(read(Json(), std::string(), problems))> values;
  const auto& json = reader.raw(key);
  if (json.is_null()) return values;
  if (!json.is_array()) {
    reader.problem(key, fmt::format("must be a list, found {}", json.type_name()));
    return values;
  }
  values.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    values.push_back(read(json[i], fmt::format("{}/{}", reader.at(key), i), problems));
  }
  return values;
}

std::map<std::string, std::string> text_map(JsonReader& reader, const std::string& key, Problems& problems) {
  std::map<std::string, std::string> values;
  const auto& json = reader.raw(key);
  if (json.is_null()) return values;
  JsonReader members(json, reader.at(key), problems);
  if (!json.is_object()) return values;
  for (const auto& [name, value] : json.items()) values[name] = members.text(name);
  return values;
}

FileRecord read_file_record(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  FileRecord file;
  file.name = reader.text("name");
  file.sha256 = reader.text("sha256");
  file.bytes = static_cast<std::uint64_t>(reader.integer_or("bytes", 0, 0, most));
  file.signature = reader.text_or("signature", "");
  reader.finish();
  return file;
}

CandidateRecord read_candidate(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  CandidateRecord candidate;
  candidate.id = reader.text("id");
  if (reader.raw("id").is_string() && !is_candidate_id(candidate.id))
    reader.problem("id", fmt::format("'{}' is no candidate id: {}", candidate.id, candidate_id_rule));
  candidate.title = reader.text_or("title", "");
  candidate.severity = reader.text_or("severity", "unknown");
  candidate.kind = reader.text_or("kind", "");
  candidate.origin = reader.text_or("origin", "");
  candidate.digest = reader.text_or("digest", "");
  candidate.source = reader.text_or("source", "");
  candidate.files = list_of(reader, "files", problems, read_file_record);
  candidate.prerequisites = reader.texts_or_empty("prerequisites");
  candidate.supersedes = reader.texts_or_empty("supersedes");
  reader.finish();
  return candidate;
}

MachineRecord read_machine(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  MachineRecord machine;
  machine.name = reader.text("name");
  machine.role = reader.text_or("role", "");
  machine.golden = reader.text_or("golden", "");
  machine.golden_at = reader.text_or("golden_at", "");
  machine.golden_recipe = reader.text_or("golden_recipe", "");
  machine.golden_digest = reader.text_or("golden_digest", "");
  machine.golden_digest_after = reader.text_or("golden_digest_after", "");
  machine.address = reader.text_or("address", "");
  machine.memory_mib =
      static_cast<std::uint32_t>(reader.integer_or("memory_mib", 0, 0, std::numeric_limits<std::uint32_t>::max()));
  machine.checks = reader.texts_or_empty("checks");
  machine.check_digests = text_map(reader, "check_digests", problems);
  for (const auto& [id, digest] : machine.check_digests) {
    const auto place = reader.at("check_digests") + "/" + id;
    if (std::ranges::count(machine.checks, id) == 0)
      problems.push_back({place, fmt::format("no check '{}' was planned", printable(id))});
    else if (!is_sha256(digest))
      problems.push_back({place, "must be a SHA-256 in lower-case hex"});
  }
  machine.state_digest = reader.text_or("state_digest", "");
  if (!machine.state_digest.empty() && !is_sha256(machine.state_digest))
    reader.problem("state_digest", "must be a SHA-256 in lower-case hex");
  machine.definition_digest = reader.text_or("definition_digest", "");
  if (!machine.definition_digest.empty() && !is_sha256(machine.definition_digest))
    reader.problem("definition_digest", "must be a SHA-256 in lower-case hex");
  if (!reader.raw("likeness").is_null())
    machine.likeness = lab::facts::likeness_from_json(reader.raw("likeness"), reader.at("likeness"), problems);
  reader.finish();
  return machine;
}

FenceAttempt read_attempt(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  FenceAttempt attempt;
  attempt.phase = reader.text("phase");
  attempt.probe = reader.text("probe");
  attempt.target = reader.text_or("target", "");
  attempt.control = reader.boolean_or("control", false);
  attempt.answered = reader.boolean_or("answered", !attempt.control);  // what nobody has said is taken for the worse
  attempt.evidence = reader.text_or("evidence", "");
  attempt.sent = reader.boolean_or("sent", true);
  attempt.trial = reader.text_or("trial", "");
  attempt.device = reader.text_or("device", "");
  reader.finish();
  return attempt;
}

FenceRecord read_fence(const Json& json, const std::string& pointer, Problems& problems) {
  FenceRecord fence;
  if (json.is_null()) return fence;
  JsonReader reader(json, pointer, problems);
  fence.attempts = list_of(reader, "attempts", problems, read_attempt);
  const auto answers = static_cast<std::int64_t>(fence.answers());
  if (reader.integer_or("answers", answers, 0, most) != answers) {
    reader.problem("answers", fmt::format("differs from the {} answered attempts that are listed", answers));
  }
  fence.troubles = reader.texts_or_empty("troubles");
  reader.finish();
  return fence;
}

BroughtRecord read_brought(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  BroughtRecord brought;
  brought.item = reader.text("item");
  brought.before = reader.text_or("before", "");
  brought.wanted = reader.text_or("wanted", "");
  if (reader.has("found")) brought.found = reader.text_or("found", "");
  reader.finish();
  return brought;
}

InstallRecord read_install(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  InstallRecord install;
  install.machine = reader.text("machine");
  install.candidate = reader.text("candidate");
  install.outcome = outcome_of(reader);
  install.end = reader.text_or("end", "");
  install.exit_code =
      static_cast<std::uint32_t>(reader.integer_or("exit_code", 0, 0, std::numeric_limits<std::uint32_t>::max()));
  install.log = reader.text_or("log", "");
  install.duration_ms = reader.integer_or("duration_ms", 0, 0, most);
  install.installed_in = reader.text_or("installed_in", "");
  install.installed_run = reader.text_or("installed_run", "");
  install.kept_files = reader.texts_or_empty("kept_files");
  if (reader.has("brought")) install.brought = list_of(reader, "brought", problems, read_brought);
  reader.finish();
  return install;
}

checks::CheckTry read_try(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  checks::CheckTry one;
  one.outcome = outcome_of(reader);
  one.duration = Milliseconds(reader.integer_or("duration_ms", 0, 0, most));
  one.reason = reader.text_or("reason", "");
  one.observed = reader.text_or("observed", "");
  one.evidence = reader.raw("evidence");
  reader.finish();
  return one;
}

std::optional<checks::Slowness> slowness_of(JsonReader& parent, Problems& problems) {
  const auto& json = parent.raw("slowness");
  if (json.is_null()) return std::nullopt;
  JsonReader reader(json, parent.at("slowness"), problems);
  checks::Slowness slowness;
  slowness.judged = reader.boolean_or("judged", false);
  slowness.quickest = Milliseconds(reader.integer_or("quickest_ms", 0, 0, most));
  slowness.limit = Milliseconds(reader.integer_or("limit_ms", 0, 0, most));
  slowness.why_not = reader.text_or("why_not", "");
  reader.finish();
  return slowness;
}

checks::CheckResult read_check(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  checks::CheckResult check;
  check.id = reader.text("id");
  check.kind = reader.text_or("kind", "");
  check.outcome = outcome_of(reader);
  check.reason = reader.text_or("reason", "");
  check.expected = reader.text_or("expected", "");
  check.observed = reader.text_or("observed", "");
  check.error = error_of(reader, problems);
  check.evidence = reader.raw("evidence");
  check.duration = Milliseconds(reader.integer_or("duration_ms", 0, 0, most));
  check.tries = list_of(reader, "tries", problems, read_try);
  check.slowness = slowness_of(reader, problems);
  reader.finish();
  return check;
}

StateDifference read_difference(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  StateDifference difference;
  difference.kind = reader.text("kind");
  difference.item = reader.text("item");
  difference.before = reader.text_or("before", "");
  difference.after = reader.text_or("after", "");
  // Records of older versions do not say it: everything that they tell of fails.
  difference.finding =
      word_of(reader, "finding", checks::state::FindingClass::breach, checks::state::finding_class_from);
  difference.why = reader.text_or("why", "");
  difference.diff = reader.text_or("diff", "");
  reader.finish();
  return difference;
}

checks::growth::Slope read_slope(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  checks::growth::Slope slope;
  slope.used.resource = word_of(reader, "resource", Resource::memory, resource_from);
  slope.used.of = reader.text_or("of", "");
  slope.per_hour = reader.integer_or("per_hour", 0, -most, most);
  slope.without = reader.integer_or("without_patch_per_hour", 0, -most, most);
  slope.told_from = reader.integer_or("told_from_per_hour", 0, 0, most);
  slope.from = reader.integer_or("from", 0, -most, most);
  slope.to = reader.integer_or("to", 0, -most, most);
  if (!reader.raw("minutes_left").is_null()) slope.minutes_left = reader.integer_or("minutes_left", 0, 0, most);
  reader.finish();
  return slope;
}

std::optional<checks::growth::Growth> growth_of(JsonReader& parent, Problems& problems) {
  const auto& json = parent.raw("growth");
  if (json.is_null()) return std::nullopt;
  JsonReader reader(json, parent.at("growth"), problems);
  checks::growth::Growth growth;
  const auto count = [&](const char* key) { return static_cast<std::size_t>(reader.integer_or(key, 0, 0, most)); };
  growth.why_not = reader.text_or("why_not", "");
  if (!reader.boolean_or("judged", false) && growth.why_not.empty()) growth.why_not = "it is not said why";
  growth.looks = count("looks");
  growth.planned = count("looks_planned");
  growth.time = Milliseconds(reader.integer_or("time_ms", 0, 0, most));
  growth.asked = count("load_checks");
  growth.failed = count("load_failed");
  growth.flaky = count("load_flaky");
  growth.told = list_of(reader, "told", problems, read_slope);
  for (auto& slope : growth.told) slope.told = true;
  growth.hardest = list_of(reader, "hardest_to_see", problems, read_slope);
  reader.finish();
  return growth;
}

std::int64_t read_time(const Json& json, const std::string& pointer, Problems& problems) {
  if (json.is_number_integer() && json >= 0 && json <= most) return json.get<std::int64_t>();
  problems.push_back({pointer, "must be a whole number of milliseconds"});
  return 0;
}

CycledService read_cycled(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  CycledService service;
  service.name = reader.text("name");
  service.done = static_cast<std::size_t>(reader.integer_or("done", 0, 0, most));
  service.stop_ms = list_of(reader, "stop_ms", problems, read_time);
  service.start_ms = list_of(reader, "start_ms", problems, read_time);
  service.with = reader.texts_or_empty("with");
  service.why_not = reader.text_or("why_not", "");
  reader.finish();
  return service;
}

std::optional<ServiceCycles> cycles_of(JsonReader& parent, Problems& problems) {
  const auto& json = parent.raw("service_cycles");
  if (json.is_null()) return std::nullopt;
  JsonReader reader(json, parent.at("service_cycles"), problems);
  const auto count = [&](const char* key) { return static_cast<std::size_t>(reader.integer_or(key, 0, 0, most)); };
  ServiceCycles cycles;
  cycles.planned = count("planned");
  cycles.services = list_of(reader, "services", problems, read_cycled);
  cycles.asked = count("load_checks");
  cycles.failed = count("load_failed");
  reader.finish();
  return cycles;
}

std::optional<NextPackage> next_package_of(JsonReader& parent, Problems& problems) {
  const auto& json = parent.raw("next_package");
  if (json.is_null()) return std::nullopt;
  JsonReader reader(json, parent.at("next_package"), problems);
  NextPackage next;
  if (reader.has("install")) next.install = read_install(reader.raw("install"), reader.at("install"), problems);
  next.why_not = reader.text_or("why_not", next.install ? "" : "it is not said why");
  reader.finish();
  return next;
}

PhaseRecord read_phase(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  PhaseRecord phase;
  phase.phase = reader.text("phase");
  phase.machine = reader.text("machine");
  phase.outcome = outcome_of(reader);
  phase.checks = list_of(reader, "checks", problems, read_check);
  phase.differences = list_of(reader, "differences", problems, read_difference);
  phase.error = error_of(reader, problems);
  phase.not_observed = reader.texts_or_empty("not_observed");
  if (reader.has("beside")) phase.beside = list_of(reader, "beside", problems, read_check);
  phase.growth = growth_of(reader, problems);
  phase.service_cycles = cycles_of(reader, problems);
  phase.next_package = next_package_of(reader, problems);
  phase.fails_without_patch = text_map(reader, "fails_without_patch", problems);
  reader.finish();
  return phase;
}

TrialRecord read_trial(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  TrialRecord trial;
  trial.id = reader.text("id");
  // An absent one counts for nothing.
  trial.purpose = word_of(reader, "purpose", Purpose::search, purpose_from);
  trial.candidates = reader.texts_or_empty("candidates");
  trial.set_digest = reader.text_or("set_digest", "");
  trial.machines = reader.texts_or_empty("machines");
  trial.outcome = outcome_of(reader);
  trial.error = error_of(reader, problems);
  trial.installs = list_of(reader, "installs", problems, read_install);
  trial.removals = list_of(reader, "removals", problems, read_install);
  trial.phases = list_of(reader, "phases", problems, read_phase);
  trial.signature = reader.texts_or_empty("signature");
  trial.reused_from = reader.text_or("reused_from", "");
  trial.reused_run = reader.text_or("reused_run", "");
  trial.state_of_run = reader.text_or("state_of_run", "");
  trial.retried_as = reader.text_or("retried_as", "");
  trial.evidence_folder = reader.text_or("evidence_folder", "");
  trial.started = reader.text_or("started", "");
  trial.duration_ms = reader.integer_or("duration_ms", 0, 0, most);
  reader.finish();
  return trial;
}

NeededRecord read_needed(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  NeededRecord needed;
  needed.package = reader.text("package");
  needed.version = reader.text_or("version", "");
  if (reader.has("found")) needed.found = reader.text_or("found", "");
  reader.finish();
  return needed;
}

ClosesRecord read_closes(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  ClosesRecord closes;
  closes.machine = reader.text("machine");
  closes.vulnerabilities = reader.texts_or_empty("vulnerabilities");
  closes.needs = list_of(reader, "needs", problems, read_needed);
  reader.finish();
  return closes;
}

VerdictRecord read_verdict(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  VerdictRecord verdict;
  verdict.candidate = reader.text("candidate");
  verdict.outcome = outcome_of(reader);
  verdict.group = reader.texts_or_empty("group");
  verdict.machines = reader.texts_or_empty("machines");
  verdict.failed = reader.texts_or_empty("failed");
  verdict.trials = reader.texts_or_empty("trials");
  verdict.reason = reader.text_or("reason", "");
  verdict.known_from = reader.text_or("known_from", "");
  verdict.removal = reader.text_or("removal", "");
  verdict.effect = reader.text_or("effect", "");
  if (reader.has("closes")) verdict.closes = list_of(reader, "closes", problems, read_closes);
  reader.finish();
  return verdict;
}

PromotionRecord read_promotion(const Json& json, const std::string& pointer, Problems& problems) {
  PromotionRecord promotion;
  if (json.is_null()) return promotion;
  JsonReader reader(json, pointer, problems);
  promotion.outcome = word_of(reader, "outcome", PromotionOutcome::none, promotion_outcome_from);
  promotion.stage = reader.text_or("stage", "");
  promotion.manifest_digest = reader.text_or("manifest_digest", "");
  promotion.candidates = reader.texts_or_empty("candidates");
  promotion.reasons = reader.texts_or_empty("reasons");
  reader.finish();
  return promotion;
}

FlakyRecord read_flaky(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  FlakyRecord flaky;
  flaky.kind = word_of(reader, "kind", FlakeKind::not_reproduced, flake_kind_from);
  flaky.fact = reader.text("fact");
  flaky.candidates = reader.texts_or_empty("candidates");
  flaky.failed = reader.texts_or_empty("failed");
  flaky.passed = reader.texts_or_empty("passed");
  reader.finish();
  return flaky;
}

DepartmentRecord read_department(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  DepartmentRecord department;
  department.name = reader.text("name");
  if (reader.raw("name").is_string() && !is_scenario_name(department.name))
    reader.problem("name", fmt::format("'{}' {}", department.name, scenario_name_rule));
  department.outcome = outcome_of(reader);
  department.error = error_of(reader, problems);
  department.machines = list_of(reader, "machines", problems, read_machine);
  department.phases = reader.texts_or_empty("phases");
  department.fence = read_fence(reader.raw("fence"), reader.at("fence"), problems);
  department.trials = list_of(reader, "trials", problems, read_trial);
  department.verdicts = list_of(reader, "verdicts", problems, read_verdict);
  department.flaky = list_of(reader, "flaky", problems, read_flaky);
  department.final_trial = reader.text_or("final_trial", "");
  department.tested_in = reader.text_or("tested_in", "");
  reader.finish();
  return department;
}

AskedRecord read_asked(const Json& json, const std::string& pointer, Problems& problems) {
  AskedRecord asked;
  if (json.is_null()) return asked;
  JsonReader reader(json, pointer, problems);
  asked.departments = reader.texts_or_empty("departments");
  asked.roles = reader.texts_or_empty("roles");
  asked.candidates = reader.texts_or_empty("candidates");
  asked.controls = static_cast<std::uint64_t>(reader.integer_or("controls", 0, 0, most));
  asked.with = reader.texts_or_empty("with");
  asked.carry = reader.texts_or_empty("carry");
  reader.finish();
  return asked;
}

TimingRecord read_timing(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  TimingRecord timing;
  timing.department = reader.text_or("department", "");
  timing.machine = reader.text_or("machine", "");
  timing.trial = reader.text_or("trial", "");
  timing.phase = reader.text("phase");
  timing.start_ms = reader.integer_or("start_ms", 0, 0, most);
  timing.duration_ms = reader.integer_or("duration_ms", 0, 0, most);
  reader.finish();
  return timing;
}

KeptFile read_kept_file(const Json& json, const std::string& pointer, Problems& problems) {
  JsonReader reader(json, pointer, problems);
  KeptFile file;
  file.name = reader.text("name");
  file.bytes = static_cast<std::uint64_t>(reader.integer("bytes", 0, most));
  file.sha256 = reader.text("sha256");
  if (reader.raw("name").is_string() && !is_kept_name(file.name))
    reader.problem("name", "is no file below the folder of a run");
  if (reader.raw("sha256").is_string() && !is_sha256(file.sha256)) reader.problem("sha256", "is no SHA-256");
  reader.finish();
  return file;
}

std::optional<std::vector<KeptFile>> read_kept_files(JsonReader& reader, Problems& problems) {
  if (reader.raw("evidence").is_null()) return std::nullopt;
  auto files = list_of(reader, "evidence", problems, read_kept_file);
  const auto is_not_before = [](const KeptFile& a, const KeptFile& b) { return a.name >= b.name; };
  if (std::ranges::adjacent_find(files, is_not_before) != files.end())
    reader.problem("evidence", "must be sorted by name, each file once");
  return files;
}

std::optional<ForeseenRecord> read_foreseen(JsonReader& reader) {
  if (reader.raw("foreseen").is_null()) return std::nullopt;
  auto members = reader.object("foreseen");
  ForeseenRecord foreseen;
  foreseen.makespan_ms = members.integer("makespan_ms", 0, most);
  foreseen.lower_bound_ms = members.integer("lower_bound_ms", 0, most);
  foreseen.times = members.integer("times", 0, most);
  foreseen.recorded_times = members.integer("recorded_times", 0, most);
  members.finish();
  return foreseen;
}

RunRecord read_run(const Json& json, Problems& problems) {
  JsonReader reader(json, "", problems);
  RunRecord record;
  static_cast<void>(reader.text("schema"));  // compared before anything else is read
  record.id = reader.text("id");
  record.tool_version = reader.text_or("tool_version", "");
  if (const auto& scenario = reader.raw("scenario"); !scenario.is_null()) {
    JsonReader members(scenario, reader.at("scenario"), problems);
    record.scenario_name = members.text_or("name", "");
    record.scenario_title = members.text_or("title", "");
    record.scenario_digest = members.text_or("digest", "");
    members.finish();
  }
  record.started = reader.text_or("started", "");
  record.finished = reader.text_or("finished", "");
  record.duration_ms = reader.integer_or("duration_ms", 0, 0, most);
  record.foreseen = read_foreseen(reader);
  record.host = text_map(reader, "host", problems);
  record.digests = text_map(reader, "digests", problems);
  record.asked = read_asked(reader.raw("asked"), reader.at("asked"), problems);
  record.candidates = list_of(reader, "candidates", problems, read_candidate);
  record.departments = list_of(reader, "departments", problems, read_department);
  record.timings = list_of(reader, "timings", problems, read_timing);
  record.not_tested = reader.texts_or_empty("not_tested");
  record.evidence = read_kept_files(reader, problems);
  record.error = error_of(reader, problems);
  record.peak_memory_kib = reader.integer_or("peak_memory_kib", 0, 0, most);
  record.complete = reader.boolean_or("complete", false);
  reader.finish();
  return record;
}

// What a run said of itself at its end, before decisions were parted from it.
DecisionRecord said_then(const std::string& department, const PromotionRecord& promotion) {
  DecisionRecord decision{.department = department,
                          .stage = promotion.stage,
                          .manifest_digest = promotion.manifest_digest,
                          .candidates = promotion.candidates};
  switch (promotion.outcome) {
    case PromotionOutcome::promoted: decision.state = DecisionState::promoted; break;
    case PromotionOutcome::refused: decision.state = DecisionState::refused; break;
    case PromotionOutcome::none:
    case PromotionOutcome::not_attempted: break;
  }
  for (const auto& reason : promotion.reasons) {
    const auto colon = reason.find(": ");
    RequirementRecord requirement{.code = reason.substr(0, colon)};
    requirement.subject = department;
    requirement.text = colon == std::string::npos ? std::string() : reason.substr(colon + 2);
    decision.requirements.push_back(std::move(requirement));
  }
  return decision;
}

// The same facts with what v1 had besides, which is taken out, and shown as what was said then.
Result<RunRecord> read_v1(Json json, const std::string& file_name) {
  Problems problems;
  Decisions said;
  JsonReader reader(json, "", problems);
  static_cast<void>(reader.integer_or("exit_code", 2, 0, 255));
  const auto departments = json.find("departments");
  for (std::size_t i = 0; departments != json.end() && departments->is_array() && i < departments->size(); ++i) {
    auto& department = departments->at(i);
    if (!department.is_object() || !department.contains("promotion")) continue;
    const auto promotion =
        read_promotion(department.at("promotion"), fmt::format("/departments/{}/promotion", i), problems);
    if (const auto name = department.find("name"); name != department.end() && name->is_string())
      said.push_back(said_then(name->get<std::string>(), promotion));
    department.erase("promotion");
  }
  json.erase("exit_code");
  auto record = read_run(json, problems);
  if (!problems.empty()) return problems_error(file_name, problems);
  record.said_then = std::move(said);
  return record;
}

// A piece that came over a cell's pipe: a broken one means that the two ends disagree, which is a bug and not a bad
// file.
template <class Read>
auto read_piece(const Json& json, const char* what, Read read)
    -> Result<decltype(read(json, std::string(), std::declval<Problems&>()))> {
  Problems problems;
  auto value = read(json, "", problems);
  if (problems.empty()) return value;
  auto error = problems_error(what, problems);
  error.error_class = ErrorClass::bug;
  return error;
}

}  // namespace

Result<RunRecord> run_record_from_json(const Json& json, const std::string& file_name) {
  if (!json.is_object()) return problems_error(file_name, {{"", "must be an object: the record of a run"}});
  const auto schema = json.find("schema");
  if (schema != json.end() && *schema == run_schema_v1) return read_v1(json, file_name);
  if (schema == json.end() || *schema != run_schema) {
    const auto found =
        schema == json.end() ? std::string("nothing") : schema->dump(-1, ' ', true, Json::error_handler_t::replace);
    return problems_error(file_name, {{"/schema", fmt::format("must be \"{}\", found {}", run_schema, found)}});
  }
  Problems problems;
  auto record = read_run(json, problems);
  if (!problems.empty()) return problems_error(file_name, problems);
  return record;
}

Result<TrialRecord> trial_record_from_json(const Json& json) { return read_piece(json, "trial", read_trial); }
Result<InstallRecord> install_record_from_json(const Json& json) {
  return read_piece(json, "installation", read_install);
}
Result<FenceAttempt> fence_attempt_from_json(const Json& json) {
  return read_piece(json, "fence attempt", read_attempt);
}
Result<TimingRecord> timing_record_from_json(const Json& json) { return read_piece(json, "timing", read_timing); }

}  // namespace patchlab::reports

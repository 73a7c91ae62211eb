// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <shared_mutex>
#include <thread>

#include "checks/evidence.hpp"
#include "lab/process/confinement.hpp"

namespace patchlab::checks {
namespace {

CheckResult result_for(const CheckSpec& spec) {
  CheckResult result;
  result.id = spec.id;
  result.kind = spec.kind;
  return result;
}

void set_error(CheckResult& result, std::string reason, Error error) {
  result.outcome = Outcome::error;
  result.reason = std::move(reason);
  result.observed = error.message;
  result.error = std::move(error);
}

std::string tail(const std::string& text, std::size_t bytes = 4096) {
  return to_valid_utf8(text.size() > bytes ? std::string_view(text).substr(text.size() - bytes)
                                           : std::string_view(text));
}

// Anything but a worker that exited with 0: what happened, as an error of the class whose trouble it is.
bool report_bad_end(const ProcessOutcome& process, CheckResult& result) {
  if (process.succeeded()) return false;
  const auto happened = fmt::format("check worker of '{}' ({}) {}", result.id, result.kind, process.describe());
  if (const auto* late = std::get_if<TimedOut>(&process.end)) {
    if (late->cancelled)
      set_error(result, "cancelled", {ErrorClass::cancelled, happened, {}});
    else
      set_error(result, "worker-hung",
                {ErrorClass::check, happened, "the check did not keep its own deadline and was killed"});
  } else if (std::holds_alternative<NotStarted>(process.end)) {
    set_error(result, "worker-not-started", infrastructure_error(happened));
  } else {
    set_error(result, "worker-crashed", {ErrorClass::check, happened, {}});
  }
  result.evidence = Json{{"worker_errors", tail(process.errors)}};
  return true;
}

// The worker's answer, or null after reporting garbage or the worker's own error.
Json observation_in(const ProcessOutcome& process, CheckResult& result) {
  const auto answer = json_in(process.output);
  if (answer.is_object() && answer.contains("observation")) {
    // Without the start of the worker, which takes longer than many an answer.
    result.duration = Milliseconds(answer.value("took_ms", result.duration.count()));
    return answer.at("observation");
  }
  if (answer.is_object() && answer.contains("error") && answer.at("error").is_object()) {
    set_error(result, "observer-error",
              error_from_json(answer.at("error")).while_doing(fmt::format("observing '{}'", result.id)));
  } else {
    set_error(result, "worker-garbage",
              {ErrorClass::check,
               fmt::format("check worker of '{}' ({}) answered {} bytes that are not an answer", result.id, result.kind,
                           process.output.size()),
               {}});
  }
  result.evidence = Json{{"worker_output", tail(process.output)}, {"worker_errors", tail(process.errors)}};
  return nullptr;
}

void judge_into(const Check& check, const Json& parameters, Json observation, CheckResult& result) {
  try {
    auto judgement = check.judge(parameters, observation);
    result.outcome = judgement.outcome;
    result.reason = std::move(judgement.reason);
    result.expected = to_valid_utf8(judgement.expected);
    result.observed = to_valid_utf8(judgement.observed);
    if (result.outcome == Outcome::error) result.error = Error{ErrorClass::check, result.observed, {}};
  } catch (const std::exception& trouble) {  // an observation in a shape which the judge does not know
    set_error(result, "judge-failed",
              {ErrorClass::bug, fmt::format("judging '{}': {}", result.id, trouble.what()), {}});
  }
  result.evidence = capped(std::move(observation));
}

// An answer may have been made by the guest: what it can have remembered is bounded.
void take_memory(const Json& observation, CheckResult& result) {
  const auto memory = observation.is_object() ? observation.find("memory") : observation.end();
  if (memory == observation.end() || memory->is_null()) return;
  const auto bytes = memory->dump(-1, ' ', false, Json::error_handler_t::replace).size();
  if (bytes <= most_memory)
    result.memory = *memory;
  else
    set_error(result, "memory-too-large",
              {ErrorClass::check, fmt::format("'{}' wants {} bytes remembered", result.id, bytes), {}});
}

Result<const Check*> usable(const CheckWorkers& workers, const CheckSpec& spec) {
  const auto* check = workers.find ? workers.find(spec.kind) : nullptr;
  if (check == nullptr) return configuration_error(fmt::format("unknown kind of check '{}'", spec.kind));
  std::vector<JsonProblem> problems;
  check->validate(spec.parameters, "/with", problems);
  if (!problems.empty()) return problems_error(fmt::format("check '{}'", spec.id), problems);
  return check;
}

// What a worker saw; null when `result` has an error.
Json observed_by_worker(ProcessRunner& runner, const CheckWorkers& workers, const PlannedCheck& planned,
                        const Check& check, const std::stop_token& stop, CheckResult& result) {
  ProcessSpec process;
  process.program = workers.program;
  process.arguments = {"check-worker"};
  process.input = worker_request(planned.spec, planned.target).dump(-1, ' ', false, Json::error_handler_t::replace);
  process.time_limit = planned.spec.deadline + workers.grace;
  process.ambient_capabilities = check.capabilities(planned.spec.parameters);
  process.capabilities_if_held = process::capabilities_to_confine();

  const auto end = runner.run(process, stop);
  result.duration = end.duration;
  if (report_bad_end(end, result)) return nullptr;
  auto observation = observation_in(end, result);
  if (planned.spec.program && observation.is_object()) observation["sha256"] = planned.spec.program->sha256;
  return observation;
}

// However many are let in.
constexpr std::size_t most_at_once = 32;

}  // namespace

void Places::let_in(unsigned more) {
  const std::lock_guard lock(mutex_);
  // Not kept for those that come later: they may be others, and the machine may be busy then.
  const auto room = taken_ + std::min(more, waiting_);
  if (room > at_once_) beside_ = std::max(beside_, room - at_once_);
  free_.notify_all();
}

bool Places::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ++waiting_;
  const bool free = free_.wait(lock, stop, [&] { return taken_ < at_once_ + beside_; });
  --waiting_;
  if (!free || stop.stop_requested()) return false;
  ++taken_;
  return true;
}

void Places::give_back() {
  {
    const std::lock_guard lock(mutex_);
    --taken_;
    if (beside_ > 0) --beside_;
  }
  free_.notify_all();
}

namespace {

using Beside = std::shared_lock<std::shared_mutex>;
using Alone = std::unique_lock<std::shared_mutex>;

Beside with_others(const CheckWorkers& workers) {
  return workers.department != nullptr ? Beside(*workers.department) : Beside();
}
// Waits until nobody of the department is asked any more: as long as their checks may take.
Alone without_others(const CheckWorkers& workers) {
  return workers.department != nullptr ? Alone(*workers.department) : Alone();
}

}  // namespace

CheckResult run_check(ProcessRunner& runner, const CheckWorkers& workers, const PlannedCheck& planned,
                      std::stop_token stop) {
  auto result = result_for(planned.spec);
  const auto check = usable(workers, planned.spec);
  if (!check) {
    set_error(result, "unusable-check", check.error());
    return result;
  }
  auto observation = observed_by_worker(runner, workers, planned, **check, stop, result);
  if (!result.error) take_memory(observation, result);
  if (!result.error) judge_into(**check, planned.spec.parameters, std::move(observation), result);
  return result;
}

Result<Seen> observe_once(ProcessRunner& runner, const CheckWorkers& workers, const PlannedCheck& planned,
                          std::stop_token stop) {
  auto result = result_for(planned.spec);
  PATCHLAB_ASSIGN(const auto* check, usable(workers, planned.spec));
  const auto alone = check->wants_to_be_alone() ? without_others(workers) : Alone();
  const auto beside = check->wants_to_be_alone() ? Beside() : with_others(workers);
  auto observation = observed_by_worker(runner, workers, planned, *check, stop, result);
  if (result.error) return std::move(*result.error);
  return Seen{std::move(observation), result.duration};
}

std::vector<CheckResult> run_checks(ProcessRunner& runner, const CheckWorkers& workers,
                                    const std::vector<PlannedCheck>& planned, std::stop_token stop) {
  std::vector<CheckResult> results;
  for (const auto& check : planned) results.push_back(result_for(check.spec));
  std::vector<std::size_t> side_by_side;
  std::vector<std::size_t> alone;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const auto* check = workers.find ? workers.find(planned[i].spec.kind) : nullptr;
    (check != nullptr && check->wants_to_be_alone() ? alone : side_by_side).push_back(i);
  }
  std::atomic<std::size_t> next{0};
  Places own_places;
  auto& places = workers.places != nullptr ? *workers.places : own_places;
  const auto work = [&] {
    while (next < side_by_side.size() && places.take(stop)) {
      if (const auto n = next++; n < side_by_side.size()) {
        const auto i = side_by_side[n];
        results[i] = run_check(runner, workers, planned[i], stop);
      }
      places.give_back();
    }
  };
  if (!side_by_side.empty()) {
    const auto beside = with_others(workers);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(most_at_once, side_by_side.size()); ++i) threads.emplace_back(work);
    threads.clear();  // joins
  }
  for (const auto i : alone) {
    const auto lock = without_others(workers);
    if (!places.take(stop)) break;
    results[i] = run_check(runner, workers, planned[i], stop);
    places.give_back();
  }
  for (auto& result : results) {
    if (result.outcome == Outcome::not_reached) result.reason = "cancelled";
  }
  return results;
}

}  // namespace patchlab::checks

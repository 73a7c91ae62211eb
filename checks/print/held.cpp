// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/held.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks::print {
namespace {

bool came(const PrinterSink& sink, const std::string& id) {
  const auto received = sink.received();
  return std::ranges::any_of(received, [&](const auto& bytes) { return bytes.find(id) != std::string::npos; });
}

std::string answer_text(const Json& answer) {
  return answer.contains("trouble") ? answer.value("message", "") : answer.value("status", "no answer is recorded");
}

// Somebody else is sent away by HTTP, for want of a login or of the encryption that a login needs (426), or by IPP.
bool is_refusal(const Json& answer) {
  const auto message = answer.value("message", "");
  if (answer.value("trouble", "") == "http") {
    const auto is_status = [&](const char* status) { return message.starts_with(status); };
    return is_status("HTTP 401") || is_status("HTTP 403") || is_status("HTTP 426");
  }
  const auto status = answer.value("status", "");
  return status == "client-error-forbidden" || status == "client-error-not-authorized" ||
         status == "client-error-not-authenticated";
}

std::optional<Judgement> judge_waiting(const Json& held) {
  const auto expected = "a job that is printed with job-hold-until is taken, and waits";
  const auto print = held.value("print", Json::object());
  if (auto bad = judge_transport(print, expected)) return bad;
  if (!succeeded(print)) return failure("hold-refused", expected, answer_text(print));
  const auto state = held.value("state", Json::object());
  if (auto bad = judge_transport(state, expected)) return bad;
  if (state_in(state, "job-state") == "pending-held") return std::nullopt;
  return failure("job-not-held", expected, state_in(state, "job-state") + " " + answer_text(state));
}

std::optional<Judgement> judge_strangers(const Json& strangers) {
  const auto refused = [&](const char* what, const char* reason, const char* expected) -> std::optional<Judgement> {
    const auto answer = strangers.value(what, Json::object());
    if (is_refusal(answer)) return std::nullopt;
    if (auto bad = judge_transport(answer, expected)) return bad;
    return failure(succeeded(answer) ? reason : "refused-for-another-reason", expected, answer_text(answer));
  };
  if (auto bad = refused("cancel", "stranger-cancels", "somebody else may not cancel the job")) return bad;
  return refused("change", "stranger-administers", "somebody without a login may not change the queue");
}

std::optional<Judgement> judge_released(const Json& released, bool exact) {
  const bool remembered = released.value("remembered", false);
  const auto expected =
      remembered ? "the job that was held in an earlier phase waits in the spool" : "the held job waits in the spool";
  const auto before = released.value("before", Json::object());
  if (auto bad = judge_transport(before, expected)) return bad;
  if (state_in(before, "job-state") != "pending-held")
    return failure("held-job-lost", expected, answer_text(before) + " " + state_in(before, "job-state"));
  const auto release = released.value("release", Json::object());
  if (auto bad = judge_transport(release, "Release-Job is accepted")) return bad;
  if (!succeeded(release)) return failure("release-refused", "Release-Job is accepted", answer_text(release));
  auto bad = judge_job(released.value("after", Json::object()));
  if (!bad) {
    auto seen = judge_sink(released.value("sink", Json::array()), released.value("document", Json::object()), exact);
    if (seen.outcome == Outcome::pass) return std::nullopt;
    bad = std::move(seen);
  }
  bad->reason = "held-" + bad->reason;
  return bad;
}

}  // namespace

Json HeldJobs::hold_one(const Document& document) const {
  Json held{{"document", document.described()},
            {"print", client_.print_job(document.id, format_, document.bytes, IppClient::Hold::yes)}};
  if (const auto job = job_in(held["print"])) held["state"] = client_.job_attributes(*job);
  return held;
}

void HeldJobs::hold(Json& observation) {
  const auto next = make_document();
  observation["held"] = hold_one(next);
  const auto job = job_in(observation["held"]["print"]);
  if (job) observation["memory"] = {{"job", *job}, {"id", next.id}};
  if (memory_.is_object()) return;
  const auto here = make_document();
  observation["held_here"] = hold_one(here);
  if (const auto own = job_in(observation["held_here"]["print"])) memory_ = {{"job", *own}, {"id", here.id}};
}

void HeldJobs::release(bool as_strangers, const Deadline& deadline, Json& observation) {
  const auto next = job_in(observation["held"]["print"]);
  if (!next || !memory_.is_object()) return;  // that is judged
  const auto document = document_of(memory_.value("id", ""));
  const int job = memory_.value("job", 0);
  observation["came_early"] = came(sink_, document.id) || came(sink_, observation["held"]["document"].value("id", ""));
  if (as_strangers)
    observation["strangers"] = {{"cancel", client_.cancel_as_stranger(*next)},
                                {"change", client_.change_queue_as_stranger()}};
  auto& released = observation["released"];
  released = {{"remembered", !observation.contains("held_here")},
              {"document", document.described()},
              {"before", client_.job_attributes(job)}};
  if (state_in(released["before"], "job-state") != "pending-held") {
    if (!observation.contains("held_here")) observation["memory"] = memory_;  // another try asks for the same one
    return;
  }
  released["release"] = client_.release_job(job);
  int polls = 0;
  released["after"] = follow_job(client_, job, deadline, polls);
  await_arrival(sink_, document, deadline);
  released["sink"] = describe(sink_.received(), document);
}

std::optional<Judgement> judge_held(const Json& observation, bool strangers_refused, bool exact) {
  if (auto bad = judge_waiting(observation.value("held", Json::object()))) return bad;
  if (observation.contains("held_here")) {
    if (auto bad = judge_waiting(observation.at("held_here"))) return bad;
  }
  if (observation.value("came_early", false))
    return failure("held-job-printed", "a held job waits until it is released", "it came to the printer before");
  if (strangers_refused) {
    if (auto bad = judge_strangers(observation.value("strangers", Json::object()))) return bad;
  }
  return judge_released(observation.value("released", Json::object()), exact);
}

std::string told_of_held(const Json& observation) {
  return observation.value("released", Json::object()).value("remembered", false)
             ? "; a job that was held in an earlier phase was released and printed, another is held"
             : "; a held job was released and printed, another is held, to be looked for after a restart";
}

}  // namespace patchlab::checks::print

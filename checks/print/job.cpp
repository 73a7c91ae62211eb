// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/job.hpp"

#include <fmt/format.h>

#include <thread>

#include "checks/check_with.hpp"
#include "checks/print/held.hpp"
#include "checks/socket.hpp"
#include "checks/socket_watchdog.hpp"

namespace patchlab::checks::print {
namespace {

struct Parameters {
  std::string queue;
  std::string path;
  std::uint16_t port = 631;
  std::uint16_t sink_port = 9100;
  std::string format;
  bool exact = true;
  std::size_t bytes = 0;
  bool held = false;
  bool strangers_refused = false;
};

// RFC 6838 section 4.2, with parameters as RFC 8011 section 5.1.10 allows them.
bool is_mime_type(const std::string& text) {
  const std::string_view type = std::string_view(text).substr(0, text.find(';'));
  const auto slash = type.find('/');
  if (slash == std::string_view::npos) return false;
  const auto is_name = [](std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$&^_.+-").find(c) != std::string_view::npos;
    });
  };
  return is_name(type.substr(0, slash)) && is_name(type.substr(slash + 1)) &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::uint16_t read_sink_port(JsonReader reader) {
  const auto port = reader.integer("listen_port", 1, 65535);
  reader.finish();
  return static_cast<std::uint16_t>(port);
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.queue = read_queue(reader);
  parameters.path = read_path(reader, parameters.queue);
  parameters.port = read_port(reader);
  if (reader.has("sink"))
    parameters.sink_port = read_sink_port(reader.object("sink"));
  else
    reader.problem("sink", "is required ({\"listen_port\": 9100})");
  parameters.format = reader.text_or("format", "application/octet-stream", [](const std::string& type) {
    return is_mime_type(type) ? "" : fmt::format("'{}' is no MIME type such as application/pdf", type);
  });
  parameters.exact = reader.boolean_or("exact", true);
  parameters.bytes = static_cast<std::size_t>(reader.integer_or("bytes", 0, 0, 16 << 20));
  parameters.held = reader.boolean_or("held", false);
  parameters.strangers_refused = reader.boolean_or("strangers_refused", false);
  if (parameters.strangers_refused && !parameters.held)
    reader.problem("strangers_refused", "needs \"held\": true, which makes the job that a stranger would cancel");
  return parameters;
}

// libcups does not tell refused from unreachable: 0 or the errno of a connection that is closed at once.
Result<int> try_to_connect(const Target& target, std::uint16_t port, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, port}, target.client_address, deadline));
  return connection.saved_errno;
}

// A queue may still be at work on the job of an earlier check: waits for at most a third of what is left.
Json await_idle(const IppClient& client, const Deadline& deadline, int& polls) {
  const auto give_up = deadline.within(deadline.remaining() / 3);
  for (;;) {
    ++polls;
    auto answer = client.printer_attributes();
    if (state_in(answer, "printer-state") != "processing" || give_up.passed()) return answer;
    std::this_thread::sleep_for(std::min(poll_interval, give_up.remaining()));
  }
}

void print_and_follow(const IppClient& client, const Parameters& with, const Document& document,
                      const PrinterSink& sink, const Deadline& deadline, Json& observation) {
  observation["print"] = client.print_job(document.id, with.format, document.bytes);
  const auto job = job_in(observation["print"]);
  if (!job) return;
  int polls = 0;
  observation["job"] = follow_job(client, *job, deadline, polls);
  observation["job_polls"] = polls;
  await_arrival(sink, document, deadline);
}

std::optional<Judgement> judge_printer(const Json& printer, const std::string& queue) {
  const auto expected = fmt::format("queue '{}' is idle and accepts jobs", queue);
  if (auto bad = judge_transport(printer, expected)) return bad;
  const auto status = printer.value("status", "");
  if (status == "client-error-not-found") return failure("printer-unknown", expected, status);
  if (!succeeded(printer)) return failure("printer-refused", expected, status);
  const auto attributes = printer.value("attributes", Json::object());
  const auto state = state_in(printer, "printer-state");
  const auto observed = fmt::format("{} ({})", state, attributes.value("printer-state-reasons", Json()).dump());
  if (state == "stopped") return failure("printer-stopped", expected, observed);
  if (state != "idle") return failure("printer-busy", expected, observed);
  if (attributes.value("printer-is-accepting-jobs", Json()) != Json(true)) {
    return failure("printer-not-accepting", expected, "idle, but it does not accept jobs");
  }
  return std::nullopt;
}

std::optional<Judgement> judge_print(const Json& print) {
  const auto expected = "Print-Job is accepted";
  if (auto bad = judge_transport(print, expected)) return bad;
  if (!succeeded(print)) return failure("print-job-refused", expected, print.value("status", ""));
  return std::nullopt;
}

class Job final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "print.job"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    const Deadline deadline(limit);
    const auto document = make_document(with.bytes);
    PATCHLAB_ASSIGN(const auto sink, PrinterSink::listen(target.client_address, with.sink_port));
    PATCHLAB_ASSIGN(const int trouble, try_to_connect(target, with.port, deadline));
    Json observation;
    observation["document"] = document.described();
    observation["connect"] = {{"errno", trouble}};
    if (trouble != 0) {
      observation["connect"].update({{"text", describe_errno(trouble)}, {"reason", reason_for_errno(trouble)}});
      return observation;
    }
    // libcups asks whether to go on only after a second without a byte.
    const SocketWatchdog watchdog(target.address, with.port, deadline);
    const IppClient client(target.address, with.port, with.path, deadline);
    int polls = 0;
    observation["printer"] = await_idle(client, deadline, polls);
    observation["printer_polls"] = polls;
    if (!judge_printer(observation["printer"], with.queue)) {
      HeldJobs held(client, with.format, *sink, target.memory);
      if (with.held) held.hold(observation);
      print_and_follow(client, with, document, *sink, deadline, observation);
      if (with.held) held.release(with.strangers_refused, deadline, observation);
    }
    observation["sink"] = describe(sink->received(), document);
    return observation;
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto connect = observation.value("connect", Json::object());
    if (connect.contains("reason")) {
      return failure(connect.value("reason", ""), fmt::format("TCP port {} answers", with.port),
                     connect.value("text", ""));
    }
    if (auto bad = judge_printer(observation.value("printer", Json::object()), with.queue)) return *bad;
    if (auto bad = judge_print(observation.value("print", Json::object()))) return *bad;
    if (auto bad = judge_job(observation.value("job", Json::object()))) return *bad;
    auto printed =
        judge_sink(observation.value("sink", Json::array()), observation.value("document", Json::object()), with.exact);
    if (!with.held || printed.outcome != Outcome::pass) return printed;
    if (auto bad = judge_held(observation, with.strangers_refused, with.exact)) return *bad;
    printed.observed += told_of_held(observation);
    return printed;
  }
};

}  // namespace

const Check& job() {
  static const Job check;
  return check;
}

}  // namespace patchlab::checks::print

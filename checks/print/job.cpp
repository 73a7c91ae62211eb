// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/job.hpp"

#include <fmt/format.h>

#include <thread>

#include "checks/check_with.hpp"
#include "checks/print/ipp_client.hpp"
#include "checks/print/printer_sink.hpp"
#include "checks/socket.hpp"
#include "checks/socket_watchdog.hpp"
#include "checks/unique.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::print {
namespace {

constexpr Milliseconds poll_interval{250};

struct Parameters {
  std::string queue;
  std::uint16_t port = 631;
  std::uint16_t sink_port = 9100;
  std::string format;
  bool exact = true;
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
  parameters.queue = reader.text("queue", [](const std::string& queue) {
    const bool plain = !queue.empty() && queue.find_first_not_of(
                                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                             "-_.") == std::string::npos;
    return plain ? "" : fmt::format("'{}' must be a queue's name of letters, digits, '-', '_' and '.'", queue);
  });
  parameters.port = static_cast<std::uint16_t>(reader.integer_or("port", 631, 1, 65535));
  if (reader.has("sink"))
    parameters.sink_port = read_sink_port(reader.object("sink"));
  else
    reader.problem("sink", "is required ({\"listen_port\": 9100})");
  parameters.format = reader.text_or("format", "application/octet-stream", [](const std::string& type) {
    return is_mime_type(type) ? "" : fmt::format("'{}' is no MIME type such as application/pdf", type);
  });
  parameters.exact = reader.boolean_or("exact", true);
  return parameters;
}

struct Document {
  std::string id;
  std::string bytes;
};

// All byte values, lines with every kind of end, and more than one TCP segment.
Document make_document() {
  Document document;
  document.id = "patchlab-" + unique_text();
  document.bytes = fmt::format("{}\nline two\r\nline three\f", document.id);
  for (int round = 0; round < 16; ++round) {
    for (int value = 0; value < 256; ++value) document.bytes += static_cast<char>(static_cast<unsigned char>(value));
  }
  document.bytes += "end of " + document.id + "\n";
  return document;
}

std::string state_in(const Json& answer, const char* attribute) {
  const auto attributes = answer.value("attributes", Json::object());
  const auto state = attributes.value(attribute, Json());
  return state.is_string() ? state.get<std::string>() : "";
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

bool is_over(const Json& answer) {
  if (answer.contains("trouble")) return true;
  const auto state = state_in(answer, "job-state");
  return state != "pending" && state != "pending-held" && state != "processing" && state != "processing-stopped";
}

// Leaves a second of the deadline, so that the last answer is a whole one.
Json follow_job(const IppClient& client, int job, const Deadline& deadline, int& polls) {
  const auto give_up = deadline.within(deadline.remaining() - std::min(Milliseconds(1000), deadline.remaining() / 4));
  for (;;) {
    ++polls;
    auto answer = client.job_attributes(job);
    if (is_over(answer) || give_up.passed()) return answer;
    std::this_thread::sleep_for(std::min(poll_interval, give_up.remaining()));
  }
}

Json describe(const std::vector<std::string>& received, const Document& document) {
  auto list = Json::array();
  for (const auto& bytes : received) {
    list.push_back({{"bytes", bytes.size()},
                    {"sha256", sha256(bytes)},
                    {"has_id", bytes.find(document.id) != std::string::npos},
                    {"identical", bytes == document.bytes},
                    {"beginning", to_valid_utf8(std::string_view(bytes).substr(0, 80))}});
  }
  return list;
}

bool has_arrived(const PrinterSink& sink, const Document& document) {
  const auto received = sink.received();
  return std::any_of(received.begin(), received.end(),
                     [&](const auto& bytes) { return bytes.find(document.id) != std::string::npos; });
}

void print_and_follow(const IppClient& client, const Parameters& with, const Document& document,
                      const PrinterSink& sink, const Deadline& deadline, Json& observation) {
  observation["print"] = client.print_job(document.id, with.format, document.bytes);
  const auto id = observation["print"].value("attributes", Json::object()).value("job-id", Json());
  if (!id.is_number_integer()) return;
  int polls = 0;
  observation["job"] = follow_job(client, id.get<int>(), deadline, polls);
  observation["job_polls"] = polls;
  // Completed means handed over; the bytes may still be in the sockets' buffers.
  const auto grace = deadline.within(Milliseconds(1000));
  while (!has_arrived(sink, document) && !grace.passed()) std::this_thread::sleep_for(Milliseconds(20));
}

Judgement failure(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

bool succeeded(const Json& answer) { return answer.value("status", "").starts_with("successful-ok"); }

std::optional<Judgement> judge_transport(const Json& answer, const std::string& expected) {
  const auto trouble = answer.value("trouble", "");
  if (trouble.empty() && answer.contains("status")) return std::nullopt;
  if (trouble.empty()) return Judgement{Outcome::error, "observation-incomplete", expected, "no answer is recorded"};
  return failure(trouble == "http" ? "ipp-http-refused" : "ipp-" + trouble, expected, answer.value("message", ""));
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

std::optional<Judgement> judge_job(const Json& job) {
  const auto expected = "the job is completed";
  if (auto bad = judge_transport(job, expected)) return bad;
  if (!succeeded(job)) return failure("job-lost", expected, job.value("status", ""));
  const auto state = state_in(job, "job-state");
  const auto reasons = job.value("attributes", Json::object()).value("job-state-reasons", Json()).dump();
  const auto observed = fmt::format("{} ({}) {}", state, reasons, state_in(job, "job-printer-state-message"));
  if (state == "completed") return std::nullopt;
  if (state == "aborted") return failure("job-aborted", expected, observed);
  if (state == "canceled") return failure("job-canceled", expected, observed);
  return failure("job-not-completed", expected, observed);
}

Judgement judge_sink(const Json& sink, const Json& document, bool exact) {
  const auto bytes = document.value("bytes", 0);
  const auto expected = exact ? fmt::format("the printer gets the document's {} bytes unaltered, once", bytes)
                              : std::string("the printer gets the document, once");
  std::vector<Json> with_id;
  for (const auto& one : sink) {
    if (one.value("has_id", false)) with_id.push_back(one);
  }
  if (with_id.empty()) {
    return failure("sink-silent", expected, fmt::format("{} connections, none with the document's id", sink.size()));
  }
  const auto observed =
      fmt::format("{} bytes, sha256 {}", with_id.front().value("bytes", 0), with_id.front().value("sha256", ""));
  if (exact && !with_id.front().value("identical", false)) return failure("document-altered", expected, observed);
  if (with_id.size() > 1) return failure("printed-more-than-once", expected, fmt::format("{} times", with_id.size()));
  return {Outcome::pass, "printed", expected, observed};
}

class Job final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "print.job"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    const Deadline deadline(limit);
    const auto document = make_document();
    PATCHLAB_ASSIGN(const auto sink, PrinterSink::listen(target.client_address, with.sink_port));
    PATCHLAB_ASSIGN(const int trouble, try_to_connect(target, with.port, deadline));
    Json observation;
    observation["document"] = {
        {"id", document.id}, {"bytes", document.bytes.size()}, {"sha256", sha256(document.bytes)}};
    observation["connect"] = {{"errno", trouble}};
    if (trouble != 0) {
      observation["connect"].update({{"text", describe_errno(trouble)}, {"reason", reason_for_errno(trouble)}});
      return observation;
    }
    // libcups asks whether to go on only after a second without a byte.
    const SocketWatchdog watchdog(target.address, with.port, deadline);
    const IppClient client(target.address, with.port, with.queue, deadline);
    int polls = 0;
    observation["printer"] = await_idle(client, deadline, polls);
    observation["printer_polls"] = polls;
    if (!judge_printer(observation["printer"], with.queue)) {
      print_and_follow(client, with, document, *sink, deadline, observation);
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
    return judge_sink(observation.value("sink", Json::array()), observation.value("document", Json::object()),
                      with.exact);
  }
};

}  // namespace

const Check& job() {
  static const Job check;
  return check;
}

}  // namespace patchlab::checks::print

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/printing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "checks/unique.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::print {
namespace {

bool is_over(const Json& answer) {
  if (answer.contains("trouble")) return true;
  const auto state = state_in(answer, "job-state");
  return state != "pending" && state != "pending-held" && state != "processing" && state != "processing-stopped";
}

bool has_arrived(const PrinterSink& sink, const Document& document) {
  const auto received = sink.received();
  return std::any_of(received.begin(), received.end(),
                     [&](const auto& bytes) { return bytes.find(document.id) != std::string::npos; });
}

}  // namespace

std::string read_queue(JsonReader& reader) {
  return reader.text("queue", [](const std::string& queue) {
    const bool plain = !queue.empty() && queue.find_first_not_of(
                                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                             "-_.") == std::string::npos;
    return plain ? "" : fmt::format("'{}' must be a queue's name of letters, digits, '-', '_' and '.'", queue);
  });
}

std::string read_path(JsonReader& reader, const std::string& queue) {
  return reader.text_or("path", "/printers/" + queue, [](const std::string& path) {
    const bool plain = path.starts_with('/') && path.size() <= 500 &&
                       std::ranges::all_of(path, [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#'; });
    return plain ? "" : "must be a path such as /printers/labels/.printer, without blanks, '?' and '#'";
  });
}

std::uint16_t read_port(JsonReader& reader) {
  return static_cast<std::uint16_t>(reader.integer_or("port", 631, 1, 65535));
}

Json Document::described() const { return {{"id", id}, {"bytes", bytes.size()}, {"sha256", sha256(bytes)}}; }

Document document_of(const std::string& id, std::size_t least_bytes) {
  Document document{id, fmt::format("{}\nline two\r\nline three\f", id)};
  for (int round = 0; round < 16; ++round) {
    for (int value = 0; value < 256; ++value) document.bytes += static_cast<char>(static_cast<unsigned char>(value));
  }
  for (std::size_t line = 1; document.bytes.size() < least_bytes; ++line)
    document.bytes += fmt::format("{:08} {}\n", line, std::string(1000, 'a' + static_cast<char>(line % 26)));
  document.bytes += "end of " + id + "\n";
  return document;
}
Document make_document(std::size_t least_bytes) { return document_of("patchlab-" + unique_text(), least_bytes); }

std::string state_in(const Json& answer, const char* attribute) {
  const auto attributes = answer.value("attributes", Json::object());
  const auto state = attributes.value(attribute, Json());
  return state.is_string() ? state.get<std::string>() : "";
}

std::optional<int> job_in(const Json& answer) {
  const auto id = answer.value("attributes", Json::object()).value("job-id", Json());
  return id.is_number_integer() ? std::optional(id.get<int>()) : std::nullopt;
}

Json follow_job(const IppClient& client, int job, const Deadline& deadline, int& polls) {
  const auto give_up = deadline.within(deadline.remaining() - std::min(Milliseconds(1000), deadline.remaining() / 4));
  for (;;) {
    ++polls;
    auto answer = client.job_attributes(job);
    if (is_over(answer) || give_up.passed()) return answer;
    std::this_thread::sleep_for(std::min(poll_interval, give_up.remaining()));
  }
}

void await_arrival(const PrinterSink& sink, const Document& document, const Deadline& deadline) {
  const auto grace = deadline.within(Milliseconds(1000));
  while (!has_arrived(sink, document) && !grace.passed()) std::this_thread::sleep_for(Milliseconds(20));
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

}  // namespace patchlab::checks::print

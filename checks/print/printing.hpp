// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "checks/print/ipp_client.hpp"
#include "checks/print/printer_sink.hpp"

namespace patchlab::checks::print {

// "queue": a queue's name as CUPS takes it. "port": 631 where it is not said.
[[nodiscard]] std::string read_queue(JsonReader& reader);
// "path": where the server has the queue; "/printers/<queue>" where it is not said, as CUPS does. Windows has it at
// "/printers/<share>/.printer".
[[nodiscard]] std::string read_path(JsonReader& reader, const std::string& queue);
[[nodiscard]] std::uint16_t read_port(JsonReader& reader);

inline constexpr Milliseconds poll_interval{250};

// What is printed, and known again at the printer by its id.
struct Document {
  std::string id;
  std::string bytes;
  [[nodiscard]] Json described() const;  // {"id", "bytes", "sha256"}
};
// All byte values, lines with every kind of end, and more than one TCP segment; numbered lines until it has that many
// bytes. The same for the same id.
[[nodiscard]] Document document_of(const std::string& id, std::size_t least_bytes = 0);
[[nodiscard]] Document make_document(std::size_t least_bytes = 0);

// An attribute of an answer as ipp_client.hpp has it; empty when it is no text.
[[nodiscard]] std::string state_in(const Json& answer, const char* attribute);
// Nothing when the answer names no job.
[[nodiscard]] std::optional<int> job_in(const Json& answer);
[[nodiscard]] bool succeeded(const Json& answer);

// Asks for the job until it has ended, and leaves a second of the deadline, so that the last answer is a whole one.
[[nodiscard]] Json follow_job(const IppClient& client, int job, const Deadline& deadline, int& polls);
// Completed means handed over; the bytes may still be in the sockets' buffers. For a second at most.
void await_arrival(const PrinterSink& sink, const Document& document, const Deadline& deadline);
// [{"bytes","sha256","has_id","identical","beginning"}] of what came to the printer.
[[nodiscard]] Json describe(const std::vector<std::string>& received, const Document& document);

[[nodiscard]] Judgement failure(std::string reason, std::string expected, std::string observed);
[[nodiscard]] std::optional<Judgement> judge_transport(const Json& answer, const std::string& expected);
// Completed, or why not.
[[nodiscard]] std::optional<Judgement> judge_job(const Json& job);
// Of describe() and Document::described(); passes as "printed".
[[nodiscard]] Judgement judge_sink(const Json& sink, const Json& document, bool exact);

}  // namespace patchlab::checks::print

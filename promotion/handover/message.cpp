// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/handover/message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::int64_t most = 9007199254740991;  // 2^53 - 1
constexpr std::size_t longest_note = 4000;       // bytes
using Problems = std::vector<JsonProblem>;

std::string compact(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json answer() { return {{"ok", true}}; }

std::string digest_of(JsonReader& reader, const char* key) {
  auto text = reader.text(key);
  if (!is_sha256(text)) reader.problem(key, "must be a SHA-256");
  return text;
}

std::uint64_t number_of(JsonReader& reader, const char* key, std::int64_t least = 0, std::int64_t greatest = most) {
  return static_cast<std::uint64_t>(reader.integer(key, least, greatest));
}

// An object from a line, with everything in it asked for by `read`.
template <class T, class Read>
Result<T> read_line(const std::string& line, const char* what, Read read, std::size_t longest = longest_message) {
  if (line.size() > longest) return configuration_error(fmt::format("{}: more than {} bytes", what, longest));
  PATCHLAB_ASSIGN(const auto json, parse_json(line, what));
  if (!json.is_object()) return configuration_error(fmt::format("{}: must be an object", what));
  Problems problems;
  JsonReader reader(json, "", problems);
  auto value = read(reader);
  reader.finish();
  if (!problems.empty()) return problems_error(what, problems);
  return value;
}

struct Refusal {
  Error error;
};

// The same of the desk, which may refuse instead.
template <class T, class Read>
Result<T> read_answer(const std::string& line, Read read) {
  constexpr const char* what = "the answer of the desk";
  if (const auto json = json_in(line); json.is_object() && json.contains("refused")) {
    PATCHLAB_ASSIGN(const auto refusal, read_line<Refusal>(line, what, [](JsonReader& reader) {
                      Error error;
                      error.message = printable(reader.text("refused"));
                      error.hint = printable(reader.text_or("hint", ""));
                      error.error_class = error_class_from(reader.text("class")).value_or(ErrorClass::infrastructure);
                      return Refusal{error};
                    }));
    return Error(refusal.error).while_doing("the desk refuses");
  }
  const auto all = [&](JsonReader& reader) {
    if (!reader.boolean_or("ok", false)) reader.problem("ok", "must be true");
    return read(reader);
  };
  return read_line<T>(line, what, all, longest_answer);
}

std::vector<StatementSubject> subjects_of(const Json& list, JsonReader& reader, Problems& problems) {
  std::vector<StatementSubject> subjects;
  if (!list.is_array()) {
    reader.problem("subjects", "must be a list");
    return subjects;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto pointer = fmt::format("/subjects/{}", i);
    if (!list[i].is_object()) {
      reader.problem("subjects", i, "must be an object");
      continue;
    }
    JsonReader members(list[i], pointer, problems);
    StatementSubject subject{members.text("name"), {}};
    subject.sha256 = digest_of(members, "sha256");
    members.finish();
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

std::vector<std::string> notes_of(JsonReader& reader) {
  auto notes = reader.texts_or_empty("notes");
  for (auto& note : notes) note = printable(note.substr(0, longest_note));
  return notes;
}

}  // namespace

bool is_run_id(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto is_edge = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= longest && is_edge(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_edge(c) || c == '-' || c == '_'; });
}

std::string to_line(const Offer& offer) {
  Json json{{"schema", handover_schema}};
  if (const auto* begin = std::get_if<BeginOffer>(&offer)) {
    json["event"] = "begin";
    json["subjects"] = Json::array();
    for (const auto& one : begin->subjects) json["subjects"].push_back({{"name", one.name}, {"sha256", one.sha256}});
    if (!begin->key.empty()) json["key"] = begin->key;
  } else {
    const auto& end = std::get<EndOffer>(offer);
    json["event"] = "end";
    json["id"] = end.id;
    json["run"] = end.run;
    json["bytes"] = end.bytes;
    json["promote"] = end.promote;
    if (!end.key.empty()) json["key"] = end.key;
  }
  return compact(json);
}

std::string to_line(const HandedStatement& handed) {
  Json json{{"statement", handed.statement}};
  if (!handed.signature.empty()) json["signature"] = handed.signature;
  return compact(json);
}

std::string to_line(const HandedFile& file) {
  if (!file.missing.empty()) return compact({{"file", file.sha256}, {"missing", printable(file.missing)}});
  return compact({{"file", file.sha256}, {"bytes", file.bytes}});
}

std::string to_line(const Ready& ready) {
  auto json = answer();
  json["ledger"] = {{"size", ready.ledger.size}, {"hash", ready.ledger.hash}};
  json["by"] = ready.by;
  json["policy"] = ready.policy;
  json["attempt"] = ready.attempt;
  json["begun"] = ready.begun;
  json["ended"] = ready.ended;
  return compact(json);
}

std::string to_line(const Written& written) {
  auto json = answer();
  json["line"] = written.line;
  json["notes"] = written.notes;
  json["wants"] = written.wants;
  return compact(json);
}

std::string to_line(const Settled& settled) {
  auto json = answer();
  json["exit_code"] = settled.exit_code;
  json["notes"] = settled.notes;
  return compact(json);
}

std::string to_line(const Error& refusal) {
  return compact({{"refused", printable(refusal.message)},
                  {"class", to_string(refusal.error_class)},
                  {"hint", printable(refusal.hint)}});
}

Result<Offer> offer_from(const std::string& line) {
  constexpr const char* what = "what was handed over";
  return read_line<Offer>(line, what, [](JsonReader& reader) -> Offer {
    if (const auto schema = reader.text("schema"); schema != handover_schema)
      reader.problem("schema", fmt::format("must be \"{}\"", handover_schema));
    const auto event = reader.text("event");
    if (event == "begin") {
      Problems problems;
      BeginOffer offer{subjects_of(reader.raw("subjects"), reader, problems), reader.text_or("key", "")};
      for (const auto& problem : problems) reader.problem("subjects", problem.pointer + ": " + problem.message);
      if (offer.subjects.empty()) reader.problem("subjects", "must not be empty: a run is about a department");
      return offer;
    }
    if (event != "end")
      reader.problem("event", "must be \"begin\" or \"end\": nothing else is for a lab to say in this ledger");
    EndOffer offer;
    offer.id = reader.text("id");
    if (!is_run_id(offer.id)) reader.problem("id", "is no id of a run");
    offer.run = digest_of(reader, "run");
    offer.bytes = number_of(reader, "bytes", 2, largest_record);
    offer.promote = reader.boolean_or("promote", false);
    offer.key = reader.text_or("key", "");
    return offer;
  });
}

Result<HandedStatement> statement_from(const std::string& line) {
  return read_line<HandedStatement>(line, "what was handed over", [](JsonReader& reader) {
    return HandedStatement{reader.text("statement"), reader.text_or("signature", "")};
  });
}

Result<HandedFile> file_from(const std::string& line) {
  return read_line<HandedFile>(line, "what was handed over", [](JsonReader& reader) {
    HandedFile file;
    file.sha256 = digest_of(reader, "file");
    file.missing = printable(reader.text_or("missing", ""));
    if (file.missing.empty()) file.bytes = number_of(reader, "bytes");
    return file;
  });
}

Result<Ready> ready_from(const std::string& line) {
  return read_answer<Ready>(line, [](JsonReader& reader) {
    Ready ready;
    auto ledger = reader.object("ledger");
    ready.ledger.size = number_of(ledger, "size");
    ready.ledger.hash = digest_of(ledger, "hash");
    ledger.finish();
    ready.by = reader.text("by");
    ready.policy = reader.text("policy");
    ready.attempt = number_of(reader, "attempt");
    ready.begun = reader.text("begun");
    ready.ended = number_of(reader, "ended");
    return ready;
  });
}

Result<Written> written_from(const std::string& line) {
  return read_answer<Written>(line, [](JsonReader& reader) {
    Written written;
    written.line = number_of(reader, "line");
    written.notes = notes_of(reader);
    written.wants = reader.texts_or_empty("wants");
    if (!std::ranges::all_of(written.wants, is_sha256)) reader.problem("wants", "must be SHA-256 digests");
    return written;
  });
}

Result<Settled> settled_from(const std::string& line) {
  return read_answer<Settled>(line, [](JsonReader& reader) {
    return Settled{static_cast<int>(number_of(reader, "exit_code", 0, 255)), notes_of(reader)};
  });
}

}  // namespace patchlab::promotion

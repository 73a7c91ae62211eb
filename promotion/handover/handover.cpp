// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/handover/handover.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "promotion/desk/run_statements.hpp"
#include "promotion/handover/handed_input.hpp"

namespace patchlab::promotion {
namespace {

Result<void> send_bytes(DeskLine& line, std::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), longest_piece)))
    PATCHLAB_TRY(line.send(bytes.substr(0, longest_piece)));
  return {};
}

Result<void> send_content(DeskLine& line, const InputFile& input, const std::string& name) {
  std::string piece;
  for (std::uint64_t left = input.bytes; left > 0; left -= piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, longest_piece)));
    for (std::size_t at = 0; at < piece.size();) {
      const auto count = ::read(input.file.get(), piece.data() + at, piece.size() - at);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno_error("reading '" + name + "'", errno);
      if (count == 0) return infrastructure_error(fmt::format("'{}' became shorter while it was read", name));
      at += static_cast<std::size_t>(count);
    }
    PATCHLAB_TRY(line.send(piece));
  }
  return {};
}

Result<void> send_file(DeskLine& line, const std::string& sha256, const Result<std::filesystem::path>& path) {
  auto input = path ? open_input(*path, Links::refuse) : Result<InputFile>(path.error());
  if (!input) return line.send(to_line(HandedFile{sha256, 0, input.error().message}));
  PATCHLAB_TRY(line.send(to_line(HandedFile{sha256, input->bytes, {}})));
  return send_content(line, *input, path->string());
}

}  // namespace

Result<HandedStatement> Handover::handed(const Statement& statement) const {
  HandedStatement one;
  PATCHLAB_ASSIGN(one.statement, write_statement(statement));
  if (scribe_.sign) {
    PATCHLAB_ASSIGN(one.signature, scribe_.sign(signature_namespace(statement.kind), one.statement));
  }
  return one;
}

Result<void> Handover::begin(const reports::RunRecord& planned) {
  PATCHLAB_ASSIGN(const auto line, dial_());
  PATCHLAB_TRY(line->send(to_line(Offer(BeginOffer{planned_subjects(planned), key_}))));
  PATCHLAB_ASSIGN(const auto answer, line->receive());
  PATCHLAB_ASSIGN(const auto ready, ready_from(answer));
  PATCHLAB_ASSIGN(
      const auto one,
      handed(begin_statement(planned, {name(ready), scribe_.submitter, ready.policy, ready.ledger, ready.attempt})));
  PATCHLAB_TRY(line->send(to_line(one)));
  PATCHLAB_ASSIGN(const auto last, line->receive());
  PATCHLAB_ASSIGN(auto written, written_from(last));
  std::ranges::move(written.notes, std::back_inserter(notes_));
  return {};
}

Result<Settled> Handover::end(const reports::RunRecord& record, const std::string& run_json, bool promote,
                              const FileSource& file, const std::filesystem::path& folder) {
  if (run_json.size() > largest_record)
    return configuration_error(fmt::format("a record of {} bytes is too long to be handed over", run_json.size()));
  PATCHLAB_ASSIGN(const auto line, dial_());
  PATCHLAB_TRY(line->send(to_line(Offer(EndOffer{record.id, sha256(run_json), run_json.size(), promote, key_}))));
  PATCHLAB_ASSIGN(const auto answer, line->receive());
  PATCHLAB_ASSIGN(const auto ready, ready_from(answer));
  if (ready.ended == 0) {
    PATCHLAB_ASSIGN(const auto statement, end_statement(record, run_json, ready.begun, name(ready), ready.ledger));
    PATCHLAB_ASSIGN(const auto one, handed(statement));
    PATCHLAB_TRY(line->send(to_line(one)));
  }
  PATCHLAB_TRY(send_bytes(*line, run_json));
  PATCHLAB_ASSIGN(const auto middle, line->receive());
  PATCHLAB_ASSIGN(auto written, written_from(middle));
  std::ranges::move(written.notes, std::back_inserter(notes_));
  // Nothing but what the record names leaves the lab.
  const auto tested = tested_files(record);
  std::map<std::string, std::filesystem::path> kept;
  for (const auto& one : record.evidence.value_or(std::vector<reports::KeptFile>()))
    kept.emplace(one.sha256, folder / one.name);
  for (const auto& sha256 : written.wants) {
    const auto evidence = kept.find(sha256);
    if (evidence == kept.end() && !tested.contains(sha256))
      return configuration_error("the desk asks for a file that this run has nothing to do with");
    PATCHLAB_TRY(send_file(*line, sha256,
                           evidence == kept.end() ? file(sha256) : Result<std::filesystem::path>(evidence->second)));
  }
  PATCHLAB_ASSIGN(const auto last, line->receive());
  return settled_from(last);
}

Result<std::vector<std::string>> words_of_command(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool is_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool escapes =
        c == '\\' &&
        (quote == '\0' || (quote == '"' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')));
    if (escapes) {
      if (++i == text.size()) return configuration_error(fmt::format("'{}' ends behind a backslash", text));
      word += text[i];
      is_word = true;
    } else if (quote != '\0') {
      if (c == quote)
        quote = '\0';
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      is_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (is_word) words.push_back(std::exchange(word, {}));
      is_word = false;
    } else {
      word += c;
      is_word = true;
    }
  }
  if (quote != '\0') return configuration_error(fmt::format("'{}' ends within quotes", text));
  if (is_word) words.push_back(word);
  if (words.empty()) return configuration_error("a command is empty");
  return words;
}

}  // namespace patchlab::promotion

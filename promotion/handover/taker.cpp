// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/handover/taker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/book.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/desk/run_statements.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/evidence/signed_lines.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "reports/record/kept_files.hpp"
#include "reports/record/run_exit_code.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

// Between the clocks of two hosts.
constexpr std::chrono::minutes clock_difference{10};

// Whoever waits for an answer has gone; what was written stays true.
Result<std::string> next_line(HandedInput& input, const char* what) {
  PATCHLAB_ASSIGN(auto line, input.line(longest_message));
  if (!line) return configuration_error(fmt::format("the hand-over ended before {}", what));
  return std::move(*line);
}

const Attempt* attempt_of(const ChainState& state, const std::string& id, std::size_t& count) {
  const Attempt* found = nullptr;
  for (const auto& attempt : state.history.attempts()) {
    if (attempt.id != id) continue;
    found = &attempt;
    ++count;
  }
  return found;
}

std::string begun_before(const ChainState& state, const std::string& id) {
  std::size_t count = 0;
  const auto* known = attempt_of(state, id, count);
  return known == nullptr ? std::string()
                          : fmt::format("run '{}' began in line {} already: a run begins once", id, known->line);
}

// What the record says of time decides later how old it is.
std::string wrong_times(const reports::RunRecord& record, const std::string& begun,
                        std::chrono::system_clock::time_point now) {
  const auto started = parse_rfc3339(record.started);
  const auto finished = parse_rfc3339(record.finished);
  const auto line = parse_rfc3339(begun);
  if (!started || !finished) return "it does not say when the run started and finished";
  if (*finished < *started) return "it finished before it started";
  if (line && *started + clock_difference < *line)
    return fmt::format("it says that it started at {}, and its beginning was told at {}", record.started, begun);
  if (*finished > now + clock_difference)
    return fmt::format("it says that it finished at {}, and the clock of the desk says {}", record.finished,
                       rfc3339(now));
  return {};
}

// Evidence is kept under the names that the record has: none of them may be that of what is made of it.
std::string strange_evidence(const reports::RunRecord& record) {
  for (const auto& kept : record.evidence.value_or(std::vector<reports::KeptFile>())) {
    const bool is_log =
        kept.name == "events.jsonl" || (kept.name.ends_with(".log") && kept.name.find('/') == std::string::npos);
    if (!reports::is_kept_name(kept.name) || !(is_log || kept.name.starts_with("evidence/")))
      return fmt::format("'{}' is no name of evidence", printable(kept.name));
  }
  return {};
}

Result<reports::RunRecord> record_of(const std::string& run_json, const std::string& digest) {
  PATCHLAB_ASSIGN(const auto json, parse_json(run_json, reports::run_file_name, JsonTexts::any));
  PATCHLAB_ASSIGN(auto record, reports::run_record_from_json(json, reports::run_file_name));
  // An older form has digests of another kind.
  if (json.value("schema", "") != reports::run_schema)
    return configuration_error(fmt::format("the record is no {}", reports::run_schema));
  record.digest = digest;
  return record;
}

}  // namespace

Taker::Taker(Setting desk, ProcessRunner& processes) : desk_(std::move(desk)), processes_(processes) {}

std::chrono::system_clock::time_point Taker::now() const {
  return (desk_.scribe.clock == nullptr ? system_clock_source() : *desk_.scribe.clock).wall();
}
fs::path Taker::run_file(const std::string& id) const { return desk_.places.runs / id / reports::run_file_name; }
fs::path Taker::old_ledger() const { return desk_.places.runs / "ledger.jsonl"; }

Result<void> Taker::keep_record(const std::string& id, const std::string& run_json) const {
  PATCHLAB_TRY(create_folders(run_file(id).parent_path()));
  return write_file_atomically(run_file(id), run_json);
}

Result<void> Taker::converse(HandedInput& input, const Say& say) {
  auto taken = take(input, say);
  if (!taken) static_cast<void>(say(to_line(taken.error())).has_value());
  return taken;
}

Result<void> Taker::take(HandedInput& input, const Say& say) {
  PATCHLAB_ASSIGN(const auto first, next_line(input, "anything was said"));
  PATCHLAB_ASSIGN(const auto offer, offer_from(first));
  if (const auto* of_begin = std::get_if<BeginOffer>(&offer)) return begin(*of_begin, input, say);
  return end(std::get<EndOffer>(offer), input, say);
}

// As whom the lab may speak: the name of its key, or nobody in particular where the list of signers knows nobody who
// signs for it.
Result<std::string> Taker::signer(StatementKind kind, const KeyText& key) const {
  auto& clock = desk_.scribe.clock == nullptr ? system_clock_source() : *desk_.scribe.clock;
  const DecisionBook book(desk_.places.stage / chain_folder_name, processes_, clock);
  PATCHLAB_ASSIGN(const auto trust, book.trust());
  const auto name_space = signature_namespace(kind);
  if (key.empty()) {
    if (!can_be_signed(trust, name_space, now())) return std::string();
    return configuration_error(
        fmt::format("it is not signed, though the list of signers names who signs for {}", name_space),
        "patchlab run --sign-with KEY, with the key of the lab");
  }
  const auto* version = trust.at(now());
  for (const auto& one : version == nullptr ? std::vector<Signer>() : version->signers) {
    if (to_string(one.key) != key) continue;
    if (may_sign(one, name_space) && in_force(one, now())) return one.name;
    return configuration_error(fmt::format("'{}' may not sign for {} in this stage now", one.name, name_space),
                               "patchlab trust add says which kinds a key may sign");
  }
  return configuration_error("the key may sign nothing for this stage",
                             "a root key puts it in force: patchlab trust add signers NAME --key FILE --may begin,run, "
                             "then patchlab trust sign");
}

Result<void> Taker::examine(const Statement& statement, const HandedStatement& handed, const std::string& by) const {
  if (by.empty()) {
    if (!handed.signature.empty()) return configuration_error("it is signed by a key that was not named before");
    return {};
  }
  if (statement.by != by)
    return configuration_error(fmt::format("it is by '{}', and the key is that of '{}'", statement.by, by));
  auto& clock = desk_.scribe.clock == nullptr ? system_clock_source() : *desk_.scribe.clock;
  PATCHLAB_ASSIGN(const auto trust, DecisionBook(desk_.places.stage / chain_folder_name, processes_, clock).trust());
  PATCHLAB_ASSIGN(const auto signed_by, signer_of(processes_, trust, signature_namespace(statement.kind),
                                                  handed.statement, handed.signature, now()));
  if (signed_by != by)
    return configuration_error(
        fmt::format("its signature is not one of '{}' for {}", by, signature_namespace(statement.kind)));
  return {};
}

Result<void> Taker::begin(const BeginOffer& offer, HandedInput& input, const Say& say) {
  PATCHLAB_ASSIGN(const auto by, signer(StatementKind::begin, offer.key));
  LabBook book(desk_.places.stage, old_ledger(), desk_.scribe);
  PATCHLAB_ASSIGN(const auto before, book.before_run(offer.subjects, now()));
  Ready ready;
  ready.ledger = before.ledger;
  ready.attempt = before.attempt;
  ready.by = by;
  // Which policy is in force is no matter of the run: the desk asks again, and refuses then.
  if (const auto policy = policy_at_desk(desk_.places.stage, now()); policy && is_sha256(policy->digest))
    ready.policy = policy->digest;
  PATCHLAB_TRY(say(to_line(ready)));

  PATCHLAB_ASSIGN(const auto line, next_line(input, "the statement came"));
  PATCHLAB_ASSIGN(const auto handed, statement_from(line));
  PATCHLAB_ASSIGN(const auto statement, read_statement(handed.statement, "the statement"));
  const auto refused = [](const std::string& why) { return configuration_error("the statement is not taken: " + why); };
  if (statement.kind != StatementKind::begin)
    return refused(fmt::format("it is of kind '{}', and was to be 'begin'", to_string(statement.kind)));
  const auto id = statement.id.value_or("");
  if (!is_run_id(id)) return refused(fmt::format("'{}' is no id of a run", printable(id)));
  if (statement.subjects != offer.subjects) return refused("it is about other sets than were announced");
  if (statement.ledger != ready.ledger) return refused("it names another head of the ledger");
  if (statement.policy.value_or("") != ready.policy) return refused("it names another policy than that in force");
  if (statement.attempt != ready.attempt)
    return refused(fmt::format("it says attempt {}, and is attempt {}", statement.attempt.value_or(0), ready.attempt));
  PATCHLAB_TRY(examine(statement, handed, by).while_doing("the statement is not taken"));
  PATCHLAB_ASSIGN(const auto head, book.take(ChainKind::begin, {statement.by, handed.statement, handed.signature}, {},
                                             [&](const ChainState& state) { return begun_before(state, id); }));
  return say(to_line(Written{head.size, book.notes(), {}}));
}

Result<void> Taker::end(const EndOffer& offer, HandedInput& input, const Say& say) {
  LabBook book(desk_.places.stage, old_ledger(), desk_.scribe);
  PATCHLAB_ASSIGN(const auto state, book.chain().read());
  std::size_t count = 0;
  const auto* attempt = attempt_of(state, offer.id, count);
  if (attempt == nullptr)
    return configuration_error(
        fmt::format("no run '{}' began in this ledger: what is not told before it begins cannot end", offer.id));
  if (count > 1) return configuration_error(fmt::format("{} runs '{}' began in this ledger", count, offer.id));
  const bool ended = attempt->end_line != 0;
  if (ended && attempt->run != offer.run) {
    return configuration_error(fmt::format("run '{}' ended in line {}, with another record (digest {})", offer.id,
                                           attempt->end_line, attempt->run),
                               "what was written down stays; run again");
  }
  PATCHLAB_ASSIGN(const auto begun, book.chain().objects().get(attempt->begin));
  PATCHLAB_ASSIGN(const auto beginning, read_statement(begun, "the statement with which the run began"));
  const auto begun_at = state.lines.at(attempt->line - 1).time;
  Ready ready;
  ready.ledger = seen(state.head());
  if (!ended) {
    PATCHLAB_ASSIGN(ready.by, signer(StatementKind::run, offer.key));
  }
  ready.begun = begun;
  ready.ended = attempt->end_line;
  PATCHLAB_TRY(say(to_line(ready)));

  HandedStatement handed;
  if (!ended) {
    PATCHLAB_ASSIGN(const auto line, next_line(input, "the statement came"));
    PATCHLAB_ASSIGN(handed, statement_from(line));
  }
  std::string run_json;
  PATCHLAB_TRY(input.bytes(offer.bytes, [&](std::string_view piece) {
    run_json += piece;
    return Result<void>();
  }));
  const auto refused = [](const std::string& why) {
    return configuration_error("the end of the run is not taken: " + why);
  };
  if (sha256(run_json) != offer.run) return refused("its record is not the one that was announced");
  PATCHLAB_ASSIGN(const auto record, record_of(run_json, offer.run).while_doing("the end of the run is not taken"));
  if (const auto why = why_not_of_this_run(record, beginning); !why.empty()) return refused("of its record, " + why);
  if (const auto why = strange_evidence(record); !why.empty()) return refused("of its record, " + why);
  std::vector<std::string> notes;
  auto line_number = attempt->end_line;
  if (!ended) {
    if (const auto why = wrong_times(record, begun_at, now()); !why.empty()) return refused("of its record, " + why);
    PATCHLAB_ASSIGN(const auto said, read_statement(handed.statement, "the statement"));
    PATCHLAB_ASSIGN(const auto ours, end_statement(record, run_json, begun, said.by, ready.ledger));
    PATCHLAB_ASSIGN(const auto bytes, write_statement(ours));
    if (bytes != handed.statement) return refused("its statement does not say what its record says");
    PATCHLAB_TRY(examine(said, handed, ready.by).while_doing("the end of the run is not taken"));
    // Before the line: what the ledger says ended can be looked at.
    PATCHLAB_TRY(keep_record(offer.id, run_json));
    PATCHLAB_ASSIGN(const auto head,
                    book.take(ChainKind::run, {said.by, handed.statement, handed.signature}, {run_json}));
    line_number = head.size;
    notes = book.notes();
    if (auto written = Ledger(old_ledger()).append(ledger_entries(record, rfc3339(now()))); !written)
      notes.push_back("the ledger of older versions: " + written.error().message);
  }
  if (ended) PATCHLAB_TRY(keep_record(offer.id, run_json));
  const auto files = wanted(record);
  std::vector<std::string> wants;
  for (const auto& [sha256, file] : files) wants.push_back(sha256);
  PATCHLAB_TRY(say(to_line(Written{line_number, std::move(notes), std::move(wants)})));
  notes.clear();
  PATCHLAB_TRY(receive_files(files, input, notes));
  return say(to_line(settle(record, offer.promote, std::move(notes))));
}

// What is published later, and what `verify` compares with the record.
Taker::WantedFiles Taker::wanted(const reports::RunRecord& record) const {
  WantedFiles files;
  for (const auto& [sha256, bytes] : tested_files(record)) {
    if (!desk_.store.has(sha256)) files[sha256] = {bytes, true, {}};
  }
  const auto folder = run_file(record.id).parent_path();
  for (const auto& kept : record.evidence.value_or(std::vector<reports::KeptFile>())) {
    if (sha256_of_file(folder / kept.name).value_or("") == kept.sha256) continue;
    auto& file = files[kept.sha256];
    file.bytes = static_cast<std::uint64_t>(kept.bytes);
    file.evidence.push_back(folder / kept.name);
  }
  return files;
}

// In the order in which they were asked for.
Result<void> Taker::receive_files(const WantedFiles& files, HandedInput& input, std::vector<std::string>& notes) const {
  for (const auto& [sha256, what] : files) {
    PATCHLAB_ASSIGN(const auto line, next_line(input, "all files came"));
    PATCHLAB_ASSIGN(const auto file, file_from(line));
    if (file.sha256 != sha256) return configuration_error("another file came than was asked for");
    if (!file.missing.empty()) {
      notes.push_back(fmt::format("the desk does not have file {}: {}", sha256, file.missing));
      continue;
    }
    if (file.bytes != what.bytes)
      return configuration_error(
          fmt::format("file {} has {} bytes, and {} by the record", sha256, file.bytes, what.bytes));
    PATCHLAB_TRY(create_folders(desk_.store.incoming));
    auto path = (desk_.store.incoming / "handed-XXXXXX").string();
    const FileDescriptor out(::mkostemp(path.data(), O_CLOEXEC));
    if (!out.valid()) return errno_error("creating '" + path + "'", errno);
    auto received = input.bytes(file.bytes, [&](std::string_view piece) -> Result<void> {
      if (!write_all(out.get(), piece)) return errno_error("writing '" + path + "'", errno);
      return {};
    });
    if (received) received = keep_file(path, sha256, what);
    ::unlink(path.c_str());
    PATCHLAB_TRY(received);
  }
  return {};
}

Result<void> Taker::keep_file(const fs::path& file, const std::string& sha256, const Wanted& what) const {
  PATCHLAB_ASSIGN(const auto digest, sha256_of_file(file));
  if (digest != sha256)
    return configuration_error(fmt::format("a file came whose digest is {}, not {}", digest, sha256));
  if (what.is_tested) PATCHLAB_TRY(desk_.store.add(file, sha256, what.bytes));
  for (const auto& place : what.evidence) {
    PATCHLAB_ASSIGN(const auto bytes, read_file(file));
    PATCHLAB_TRY(create_folders(place.parent_path()));
    PATCHLAB_TRY(write_file_atomically(place, bytes));
  }
  return {};
}

// As at the end of a run of one user: golden images and candidates are what the run has just found them to be.
Settled Taker::settle(const reports::RunRecord& record, bool promote, std::vector<std::string> notes) const {
  const promotion::Desk desk(
      {.stage = desk_.places.stage, .ledger = old_ledger(), .run = run_file(record.id).parent_path()},
      policy_at_desk_or_trouble(desk_.places.stage, now()), desk_.lab, now(), desk_.scribe);
  reports::Decisions decisions;
  auto code = reports::exit_code_for(record);
  std::optional<Error> trouble;
  if (promote && desk_.promotes) {
    auto promotions = desk.promote(record, {}, {.file = run_file(record.id)});
    std::ranges::move(promotions.finished, std::back_inserter(notes));
    decisions = std::move(promotions.decisions);
    code = reports::exit_code_for(record, decisions);
    trouble = std::move(promotions.ledger);
  } else {
    decisions = desk.decisions(record);
  }
  for (const auto& decision : decisions) {
    notes.push_back(fmt::format("{}: {}{}", decision.department, to_string(decision.state),
                                decision.by.empty() ? "" : " (" + decision.by + ")"));
  }
  if (desk_.keep) {
    if (auto kept = desk_.keep(record, decisions); !kept) notes.push_back(kept.error().message);
  }
  if (trouble) {
    notes.push_back(trouble->message);
    code = ExitCode::error;
  }
  return {number(code), std::move(notes)};
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/statement/statement.hpp"

namespace patchlab::promotion {
namespace {

constexpr const char* statement_type = "https://in-toto.io/Statement/v1";
constexpr std::size_t longest_reason = 4000;  // bytes
constexpr std::size_t longest_name = 200;
constexpr std::size_t most_members = 1000;  // of a list

std::string predicate_type(StatementKind kind) { return fmt::format("urn:patchlab:{}:v1", to_string(kind)); }

// In the order in which they are written.
enum class Key {
  run,
  policy,
  ledger,
  reason,
  ticket,
  expires,
  waives,
  withdraws,
  id,
  begin,
  promotion,
  submitter,
  scenario,
  candidates,
  complete,
  result,
  failed,
  attempt,
  decisions,
  manifest,
  reasons,
  serial,
  version,
  asked,
  review_by,
  report,
};
constexpr std::array all_keys{
    Key::run,       Key::policy,  Key::ledger, Key::reason,    Key::ticket,    Key::expires,  Key::waives,
    Key::withdraws, Key::id,      Key::begin,  Key::promotion, Key::submitter, Key::scenario, Key::candidates,
    Key::complete,  Key::result,  Key::failed, Key::attempt,   Key::decisions, Key::manifest, Key::reasons,
    Key::serial,    Key::version, Key::asked,  Key::review_by, Key::report};

const char* name_of(Key key) {
  switch (key) {
    case Key::run: return "run";
    case Key::policy: return "policy";
    case Key::ledger: return "ledger";
    case Key::reason: return "reason";
    case Key::ticket: return "ticket";
    case Key::expires: return "expires";
    case Key::waives: return "waives";
    case Key::withdraws: return "withdraws";
    case Key::id: return "id";
    case Key::begin: return "begin";
    case Key::promotion: return "promotion";
    case Key::submitter: return "submitter";
    case Key::scenario: return "scenario";
    case Key::candidates: return "candidates";
    case Key::complete: return "complete";
    case Key::result: return "result";
    case Key::failed: return "failed";
    case Key::attempt: return "attempt";
    case Key::decisions: return "decisions";
    case Key::manifest: return "manifest";
    case Key::reasons: return "reasons";
    case Key::serial: return "serial";
    case Key::version: return "version";
    case Key::asked: return "asked";
    case Key::review_by: return "review_by";
    case Key::report: return "report";
  }
  return "";
}

struct Rule {
  std::vector<Key> required;
  std::vector<Key> optional;
};

Rule rule_of(StatementKind kind) {
  switch (kind) {
    case StatementKind::approve: return {{Key::run, Key::policy, Key::ledger, Key::reason}, {Key::ticket}};
    case StatementKind::reject: return {{Key::run, Key::ledger, Key::reason}, {Key::policy, Key::ticket}};
    case StatementKind::waive:
      return {{Key::run, Key::policy, Key::ledger, Key::reason, Key::ticket, Key::expires, Key::waives}, {}};
    case StatementKind::withdraw:
      return {{Key::run, Key::ledger, Key::reason, Key::withdraws}, {Key::policy, Key::ticket}};
    case StatementKind::submit: return {{Key::ledger}, {Key::reason, Key::ticket, Key::scenario, Key::candidates}};
    case StatementKind::begin:
      return {{Key::id},
              {Key::policy, Key::ledger, Key::ticket, Key::submitter, Key::scenario, Key::candidates, Key::attempt,
               Key::asked}};
    case StatementKind::run:
      return {{Key::begin},
              {Key::run, Key::ledger, Key::id, Key::submitter, Key::scenario, Key::complete, Key::result, Key::failed,
               Key::attempt}};
    case StatementKind::promote:
      return {{Key::run, Key::manifest, Key::serial},
              {Key::policy, Key::ledger, Key::reason, Key::ticket, Key::decisions, Key::version, Key::review_by}};
    case StatementKind::refuse:
      return {{}, {Key::run, Key::policy, Key::ledger, Key::promotion, Key::decisions, Key::reasons}};
    case StatementKind::rollback:
      return {{Key::reason, Key::serial},
              {Key::run, Key::policy, Key::ledger, Key::ticket, Key::decisions, Key::manifest}};
    case StatementKind::policy: return {{Key::version}, {Key::ledger, Key::reason, Key::ticket}};
    case StatementKind::trust: return {{Key::version}, {Key::ledger, Key::reason, Key::ticket}};
    case StatementKind::deployed:
      return {{Key::ledger, Key::promotion, Key::result, Key::report}, {Key::reason, Key::ticket}};
  }
  return {};
}

bool names_departments(StatementKind kind) { return kind != StatementKind::policy && kind != StatementKind::trust; }
std::size_t most_subjects(StatementKind kind) {
  return kind == StatementKind::begin || kind == StatementKind::run ? most_members : 1;
}

bool is_given(const Statement& statement, Key key) {
  switch (key) {
    case Key::run: return statement.run.has_value();
    case Key::policy: return statement.policy.has_value();
    case Key::ledger: return statement.ledger.has_value();
    case Key::reason: return statement.reason.has_value();
    case Key::ticket: return statement.ticket.has_value();
    case Key::expires: return statement.expires.has_value();
    case Key::waives: return statement.waives.has_value();
    case Key::withdraws: return statement.withdraws.has_value();
    case Key::id: return statement.id.has_value();
    case Key::begin: return statement.begin.has_value();
    case Key::promotion: return statement.promotion.has_value();
    case Key::submitter: return statement.submitter.has_value();
    case Key::scenario: return statement.scenario.has_value();
    case Key::candidates: return statement.candidates.has_value();
    case Key::complete: return statement.complete.has_value();
    case Key::result: return statement.result.has_value();
    case Key::failed: return statement.failed.has_value();
    case Key::attempt: return statement.attempt.has_value();
    case Key::decisions: return statement.decisions.has_value();
    case Key::manifest: return statement.manifest.has_value();
    case Key::reasons: return statement.reasons.has_value();
    case Key::serial: return statement.serial.has_value();
    case Key::version: return statement.version.has_value();
    case Key::asked: return statement.asked.has_value();
    case Key::review_by: return statement.review_by.has_value();
    case Key::report: return statement.report.has_value();
  }
  return false;
}

// What is wrong with a value, with pointers into its document. The same for who writes and for who reads.
class Examination {
 public:
  explicit Examination(const Statement& statement) : statement_(statement) {}

  std::vector<JsonProblem> problems() {
    subjects();
    if (!is_principal(statement_.by)) says("by", fmt::format("must be {}", principal_rule));
    const auto rule = rule_of(statement_.kind);
    for (const auto key : all_keys) {
      const bool given = is_given(statement_, key);
      const bool required = std::ranges::count(rule.required, key) > 0;
      if (given && !required && std::ranges::count(rule.optional, key) == 0)
        says(name_of(key), fmt::format("does not belong to a statement of kind '{}'", to_string(statement_.kind)));
      if (!given && required)
        problems_.push_back({"/predicate", fmt::format("'{}' is required in a statement of kind '{}'", name_of(key),
                                                       to_string(statement_.kind))});
    }
    digest("run", statement_.run);
    digest("policy", statement_.policy);
    digest("withdraws", statement_.withdraws);
    digest("scenario", statement_.scenario);
    digest("manifest", statement_.manifest);
    digest("begin", statement_.begin);
    digest("promotion", statement_.promotion);
    digest("report", statement_.report);
    if (statement_.ledger) {
      number("ledger/size", statement_.ledger->size);
      digest("ledger/hash", statement_.ledger->hash);
    }
    plain("reason", statement_.reason, longest_reason);
    plain("ticket", statement_.ticket, longest_name);
    plain("id", statement_.id, longest_name);
    plain("result", statement_.result, longest_name);
    if (statement_.submitter && !is_principal(*statement_.submitter))
      says("submitter", fmt::format("must be {}", principal_rule));
    time("expires", statement_.expires);
    time("review_by", statement_.review_by);
    emergency();
    if (statement_.attempt) number("attempt", *statement_.attempt);
    if (statement_.serial) number("serial", *statement_.serial);
    if (statement_.version) number("version", *statement_.version);
    digests("candidates", statement_.candidates);
    digests("decisions", statement_.decisions);
    texts("failed", statement_.failed);
    ascending("failed", statement_.failed);
    texts("reasons", statement_.reasons);
    texts("asked", statement_.asked);
    waives();
    return std::move(problems_);
  }

 private:
  void says(const std::string& key, std::string message) {
    problems_.push_back({"/predicate/" + key, std::move(message)});
  }
  void subjects() {
    const auto& subjects = statement_.subjects;
    if (subjects.empty() || subjects.size() > most_subjects(statement_.kind)) {
      problems_.push_back({"/subject", fmt::format("must have {} member, found {}",
                                                   most_subjects(statement_.kind) == 1 ? "exactly one" : "at least one",
                                                   subjects.size())});
    }
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      const auto at = fmt::format("/subject/{}", i);
      if (names_departments(statement_.kind) && !is_scenario_name(subjects[i].name))
        problems_.push_back({at + "/name", fmt::format("the name of a department {}", scenario_name_rule)});
      if (!names_departments(statement_.kind) && !is_plain_text(subjects[i].name, longest_name))
        problems_.push_back({at + "/name", "must be a text that can be shown"});
      if (!is_sha256(subjects[i].sha256)) problems_.push_back({at + "/digest/sha256", digest_rule});
      if (i > 0 && subjects[i - 1].name >= subjects[i].name)
        problems_.push_back({at + "/name", "subjects must be in ascending order, each once"});
    }
  }
  void digest(const std::string& key, const std::optional<std::string>& value) {
    if (value && !is_sha256(*value)) says(key, digest_rule);
  }
  void number(const std::string& key, std::uint64_t value) {
    if (value > largest_number) says(key, "must be below 2^53: other readers of JSON lose digits above");
  }
  void plain(const std::string& key, const std::optional<std::string>& value, std::size_t longest) {
    if (value && !is_plain_text(*value, longest))
      says(key,
           fmt::format("must be one line of 1 to {} bytes that shows all it has: no control character, no blank at "
                       "either end, no mark that changes the direction",
                       longest));
  }
  void time(const std::string& key, const std::optional<std::string>& value) {
    if (value && !parse_rfc3339(*value))
      says(key, fmt::format("must be a time as 2026-12-31T18:00:00Z (RFC 3339 in UTC), found '{}'", printable(*value)));
  }
  // A promotion says why it could not wait, with its ticket and until when it is reviewed; or nothing of that.
  void emergency() {
    if (statement_.kind != StatementKind::promote) return;
    const std::initializer_list<std::pair<const char*, bool>> given{{"reason", statement_.reason.has_value()},
                                                                    {"ticket", statement_.ticket.has_value()},
                                                                    {"review_by", statement_.review_by.has_value()}};
    for (const auto& [key, is_there] : given) {
      if (is_there != statement_.review_by.has_value())
        says(key, "reason, ticket and review_by of an emergency are there together, or none of them is");
    }
  }
  void count(const std::string& key, std::size_t size) {
    if (size > most_members) says(key, fmt::format("must have at most {} members, found {}", most_members, size));
  }
  void ascending(const std::string& key, const std::optional<std::vector<std::string>>& values) {
    if (values && std::ranges::adjacent_find(*values, std::greater_equal<>()) != values->end())
      says(key, "must be in ascending order, each once");
  }
  void digests(const std::string& key, const std::optional<std::vector<std::string>>& values) {
    if (!values) return;
    count(key, values->size());
    ascending(key, values);
    for (std::size_t i = 0; i < values->size(); ++i) digest(fmt::format("{}/{}", key, i), (*values)[i]);
  }
  void texts(const std::string& key, const std::optional<std::vector<std::string>>& values) {
    if (!values) return;
    count(key, values->size());
    for (std::size_t i = 0; i < values->size(); ++i) plain(fmt::format("{}/{}", key, i), (*values)[i], longest_reason);
  }
  void waives() {
    if (!statement_.waives) return;
    const auto& waives = *statement_.waives;
    count("waives", waives.size());
    if (waives.empty()) says("waives", "names nothing: there is nothing to waive");
    if (std::ranges::adjacent_find(waives, std::greater_equal<>()) != waives.end())
      says("waives", "must be in ascending order of machine, check and finding, each once");
    for (std::size_t i = 0; i < waives.size(); ++i) {
      const auto at = fmt::format("waives/{}", i);
      if (!is_scenario_name(waives[i].machine))
        says(at + "/machine", fmt::format("the name of a machine {}", scenario_name_rule));
      if (waives[i].check.empty() == waives[i].finding.empty()) says(at, "must name either a check or a finding");
      if (!waives[i].check.empty() && !is_scenario_name(waives[i].check))
        says(at + "/check", fmt::format("the name of a check {}", scenario_name_rule));
      if (!waives[i].finding.empty() && !is_plain_text(waives[i].finding, longest_name))
        says(at + "/finding", fmt::format("must be one line of 1 to {} bytes that can be shown", longest_name));
      if (!is_scenario_name(waives[i].outcome)) says(at + "/outcome", "must be the outcome that is waived, as 'fail'");
    }
  }

  static constexpr const char* digest_rule = "must be a SHA-256 in 64 digits 0-9 and a-f";
  const Statement& statement_;
  std::vector<JsonProblem> problems_;
};

// --- writing. Texts are examined before: valid UTF-8 without control characters.
std::string quoted(const std::string& text) { return Json(text).dump(); }

std::string listed_texts(const std::vector<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ",") + quoted(text);
  return "[" + list + "]";
}

std::string listed_waives(const std::vector<Waived>& waives) {
  std::string list;
  for (const auto& waived : waives) {
    list += fmt::format(R"({}{{"machine":{},"{}":{},"outcome":{}}})", list.empty() ? "" : ",", quoted(waived.machine),
                        waived.finding.empty() ? "check" : "finding",
                        quoted(waived.finding.empty() ? waived.check : waived.finding), quoted(waived.outcome));
  }
  return "[" + list + "]";
}

std::string value_of(const Statement& statement, Key key) {
  switch (key) {
    case Key::run: return quoted(*statement.run);
    case Key::policy: return quoted(*statement.policy);
    case Key::ledger:
      return fmt::format(R"({{"size":{},"hash":{}}})", statement.ledger->size, quoted(statement.ledger->hash));
    case Key::reason: return quoted(*statement.reason);
    case Key::ticket: return quoted(*statement.ticket);
    case Key::expires: return quoted(*statement.expires);
    case Key::waives: return listed_waives(*statement.waives);
    case Key::withdraws: return quoted(*statement.withdraws);
    case Key::id: return quoted(*statement.id);
    case Key::begin: return quoted(*statement.begin);
    case Key::promotion: return quoted(*statement.promotion);
    case Key::submitter: return quoted(*statement.submitter);
    case Key::scenario: return quoted(*statement.scenario);
    case Key::candidates: return listed_texts(*statement.candidates);
    case Key::complete: return *statement.complete ? "true" : "false";
    case Key::result: return quoted(*statement.result);
    case Key::failed: return listed_texts(*statement.failed);
    case Key::attempt: return fmt::format("{}", *statement.attempt);
    case Key::decisions: return listed_texts(*statement.decisions);
    case Key::manifest: return quoted(*statement.manifest);
    case Key::reasons: return listed_texts(*statement.reasons);
    case Key::serial: return fmt::format("{}", *statement.serial);
    case Key::version: return fmt::format("{}", *statement.version);
    case Key::asked: return listed_texts(*statement.asked);
    case Key::review_by: return quoted(*statement.review_by);
    case Key::report: return quoted(*statement.report);
  }
  return {};
}

std::string written(const Statement& statement) {
  std::string subjects;
  for (const auto& subject : statement.subjects) {
    subjects += fmt::format(R"({}{{"name":{},"digest":{{"sha256":{}}}}})", subjects.empty() ? "" : ",",
                            quoted(subject.name), quoted(subject.sha256));
  }
  std::string predicate = fmt::format(R"("kind":{},"by":{})", quoted(to_string(statement.kind)), quoted(statement.by));
  for (const auto key : all_keys) {
    if (is_given(statement, key)) predicate += fmt::format(R"(,"{}":{})", name_of(key), value_of(statement, key));
  }
  return fmt::format(R"({{"_type":"{}","subject":[{}],"predicateType":"{}","predicate":{{{}}}}})", statement_type,
                     subjects, predicate_type(statement.kind), predicate) +
         "\n";
}

// --- reading
const char* shape_problem(std::string_view bytes) {
  if (bytes.empty()) return "is empty";
  if (bytes.size() > longest_statement) return "is longer than 65536 bytes";
  if (bytes.back() != '\n') return "has no newline at its end: it was cut, or written by something else";
  bytes.remove_suffix(1);
  if (bytes.find('\n') != std::string_view::npos) return "has more than one line";
  const auto acts = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(bytes, acts)) return "holds a control character";
  return nullptr;
}

class Reading {
 public:
  explicit Reading(const Json& document) : document_(document) {}

  Result<Statement> statement(const std::string& file_name) {
    JsonReader top(document_, "", problems_);
    if (const auto type = top.text("_type"); type != statement_type)
      top.problem("_type", fmt::format("must be '{}'", statement_type));
    subjects(top.raw("subject"));
    const auto type = top.text("predicateType");
    {
      auto predicate = top.object("predicate");
      const auto word = predicate.text("kind");
      const auto kind = statement_kind_from(word);
      if (!kind) {
        std::vector<std::string> known;
        for (const auto one : all_statement_kinds) known.emplace_back(to_string(one));
        predicate.problem("kind", fmt::format("unknown kind '{}'; there are: {}", word, fmt::join(known, ", ")));
        return problems_error(file_name, problems_);  // what else it may hold depends on it
      }
      statement_.kind = *kind;
      if (type != predicate_type(*kind))
        top.problem("predicateType", fmt::format("must be '{}' for kind '{}'", predicate_type(*kind), word));
      statement_.by = predicate.text("by");
      for (const auto key : all_keys) {
        if (predicate.has(name_of(key))) member(predicate, key);
      }
      predicate.finish();
    }
    top.finish();
    if (!problems_.empty()) return problems_error(file_name, problems_);
    return std::move(statement_);
  }

 private:
  void subjects(const Json& list) {
    if (!list.is_array()) {
      problems_.push_back({"/subject", "must be a list"});
      return;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonReader subject(list[i], fmt::format("/subject/{}", i), problems_);
      StatementSubject read{subject.text("name"), {}};
      auto digest = subject.object("digest");
      read.sha256 = digest.text("sha256");
      digest.finish();
      subject.finish();
      statement_.subjects.push_back(std::move(read));
    }
  }
  std::uint64_t number(JsonReader& reader, const std::string& key) {
    return static_cast<std::uint64_t>(reader.integer(key, 0, static_cast<std::int64_t>(largest_number)));
  }
  std::vector<Waived> waives(const Json& list) {
    std::vector<Waived> read;
    if (!list.is_array()) {
      problems_.push_back({"/predicate/waives", "must be a list"});
      return read;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonReader one(list[i], fmt::format("/predicate/waives/{}", i), problems_);
      Waived waived{one.text("machine"), one.text_or("check", {}), one.text_or("finding", {}), one.text("outcome")};
      one.finish();
      read.push_back(std::move(waived));
    }
    return read;
  }
  void member(JsonReader& predicate, Key key) {
    const std::string name = name_of(key);
    switch (key) {
      case Key::run: statement_.run = predicate.text(name); break;
      case Key::policy: statement_.policy = predicate.text(name); break;
      case Key::ledger: {
        auto seen = predicate.object(name);
        statement_.ledger = SeenLedger{number(seen, "size"), seen.text("hash")};
        seen.finish();
        break;
      }
      case Key::reason: statement_.reason = predicate.text(name); break;
      case Key::ticket: statement_.ticket = predicate.text(name); break;
      case Key::expires: statement_.expires = predicate.text(name); break;
      case Key::waives: statement_.waives = waives(predicate.raw(name)); break;
      case Key::withdraws: statement_.withdraws = predicate.text(name); break;
      case Key::id: statement_.id = predicate.text(name); break;
      case Key::begin: statement_.begin = predicate.text(name); break;
      case Key::promotion: statement_.promotion = predicate.text(name); break;
      case Key::submitter: statement_.submitter = predicate.text(name); break;
      case Key::scenario: statement_.scenario = predicate.text(name); break;
      case Key::candidates: statement_.candidates = predicate.texts_or_empty(name); break;
      case Key::complete: statement_.complete = predicate.boolean_or(name, false); break;
      case Key::result: statement_.result = predicate.text(name); break;
      case Key::failed: statement_.failed = predicate.texts_or_empty(name); break;
      case Key::attempt: statement_.attempt = number(predicate, name); break;
      case Key::decisions: statement_.decisions = predicate.texts_or_empty(name); break;
      case Key::manifest: statement_.manifest = predicate.text(name); break;
      case Key::reasons: statement_.reasons = predicate.texts_or_empty(name); break;
      case Key::serial: statement_.serial = number(predicate, name); break;
      case Key::version: statement_.version = number(predicate, name); break;
      case Key::asked: statement_.asked = predicate.texts_or_empty(name); break;
      case Key::review_by: statement_.review_by = predicate.text(name); break;
      case Key::report: statement_.report = predicate.text(name); break;
    }
  }

  const Json& document_;
  std::vector<JsonProblem> problems_;
  Statement statement_;
};

}  // namespace

StatementKeys statement_keys(StatementKind kind) {
  const auto rule = rule_of(kind);
  StatementKeys keys;
  for (const auto key : all_keys) {
    if (std::ranges::count(rule.required, key) > 0) keys.required.emplace_back(name_of(key));
    if (std::ranges::count(rule.optional, key) > 0) keys.optional.emplace_back(name_of(key));
  }
  return keys;
}

Result<std::string> write_statement(const Statement& statement) {
  const auto problems = Examination(statement).problems();
  if (!problems.empty()) return problems_error("statement", problems);
  auto bytes = written(statement);
  if (const auto* wrong = shape_problem(bytes)) return configuration_error(fmt::format("statement: {}", wrong));
  return bytes;
}

Result<Statement> read_statement(std::string_view bytes, const std::string& file_name) {
  const auto shown = printable(file_name);
  if (const auto* wrong = shape_problem(bytes)) {
    return configuration_error(fmt::format("{}: {}", shown, wrong),
                               "a statement is one line as 'patchlab decide --print' writes it");
  }
  PATCHLAB_ASSIGN(const auto document, parse_json(std::string(bytes), file_name));
  PATCHLAB_ASSIGN(auto statement, Reading(document).statement(file_name));
  if (const auto problems = Examination(statement).problems(); !problems.empty())
    return problems_error(file_name, problems);
  const auto ours = written(statement);
  if (ours != bytes) {
    const auto at = std::ranges::mismatch(ours, bytes).in1 - ours.begin();
    return configuration_error(
        fmt::format("{}: byte {}: is not written as patchlab writes it (other order, spaces or escapes): other readers "
                    "could understand something else",
                    shown, at + 1),
        "a statement is one line as 'patchlab decide --print' writes it");
  }
  return statement;
}

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/tonight/scan_answer.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/core/digest.hpp"

namespace patchlab::process {
namespace {

using Problems = std::vector<JsonProblem>;

constexpr std::array all_statuses{RowStatus::unknown,    RowStatus::missing,        RowStatus::known_bad,
                                  RowStatus::superseded, RowStatus::not_applicable, RowStatus::installed};

class AnswerReader {
 public:
  explicit AnswerReader(const Json& json) : json_(json) {}

  ScanAnswer read() {
    ScanAnswer answer;
    JsonReader top(json_, "", problems_);
    (void)top.text("schema", [](const std::string& schema) {
      return schema == "patchlab/scan/v1" ? "" : "must be patchlab/scan/v1: patchlab scan SCENARIO -o FILE writes it";
    });
    auto scenario = top.object("scenario");
    answer.scenario_name = scenario.text("name");
    answer.scenario_digest = scenario.text("digest");
    scenario.finish();
    answer.today = day(top, "today").value_or(Day());
    if (!top.has("whole")) top.problem("whole", "is required");
    answer.whole = top.boolean_or("whole", false);
    (void)top.raw("counts");
    if (top.has("catalogue_signature")) (void)top.raw("catalogue_signature");  // what of it is not known is said
    auto decisions = top.object("decisions");
    (void)decisions.text("title");
    answer.table_digest = decisions.text("digest");
    answer.table_origin.file = decisions.text_or("file", "");
    answer.table_origin.policy = decisions.text_or("policy", "");
    (void)decisions.text_or("named_by", "nobody", [&](const std::string& word) {
      for (const auto who : {TableNamedBy::nobody, TableNamedBy::command, TableNamedBy::policy}) {
        if (word != to_string(who)) continue;
        answer.table_origin.named_by = who;
        return std::string();
      }
      return fmt::format("'{}' is nobody who names a decision table", word);
    });
    decisions.finish();
    for_each(top, "feeds", [&](JsonReader& feed) { answer.feeds.push_back(read_feed(feed)); });
    for_each(top, "not_known", [&](JsonReader& one) {
      auto what = one.text("what");
      answer.not_known.push_back({std::move(what), one.text("why")});
    });
    for_each(top, "rows", [&](JsonReader& row) { answer.rows.push_back(read_row(row)); });
    top.finish();
    return answer;
  }
  [[nodiscard]] const Problems& problems() const { return problems_; }

 private:
  template <class Function>
  void for_each(JsonReader& reader, const char* key, Function&& function) {
    const auto& list = reader.raw(key);
    if (!list.is_array()) return reader.problem(key, "is required: a list");
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonReader inside(list[i], fmt::format("{}/{}", reader.at(key), i), problems_);
      function(inside);
      inside.finish();
    }
  }

  static std::optional<Day> day(JsonReader& reader, const char* key) {
    std::optional<Day> found;
    (void)reader.text(key, [&](const std::string& text) {
      found = day_in(text);
      return found ? "" : fmt::format("'{}' is no date as 2026-11-30", text);
    });
    return found;
  }
  // null: there is none.
  static std::optional<Day> day_or_none(JsonReader& reader, const char* key) {
    return reader.has(key) && reader.raw(key).is_null() ? std::nullopt : day(reader, key);
  }

  static ScannedFeed read_feed(JsonReader& reader) {
    ScannedFeed feed;
    feed.kind = reader.text("kind");
    feed.digest = reader.text("digest");
    feed.date = day_or_none(reader, "date");
    if (reader.has("age_days") && !reader.raw("age_days").is_null())
      feed.age_days = reader.integer("age_days", -36500, 36500);
    feed.usable = reader.boolean_or("usable", false);
    feed.why = reader.text("why");
    for (const char* key : {"title", "tells", "date_is", "max_age_days", "count", "files"}) (void)reader.raw(key);
    return feed;
  }

  ScannedUpdate read_row(JsonReader& reader) {
    ScannedUpdate update;
    update.department = reader.text("department");
    update.machine = reader.text("machine");
    update.item = reader.text("item");
    (void)reader.text("status", [&](const std::string& word) {
      for (const auto status : all_statuses) {
        if (word != to_string(status)) continue;
        update.status = status;
        return std::string();
      }
      return fmt::format("'{}' is no status of a scan", word);
    });
    update.why = reader.text("why");
    update.severity = reader.text("severity");
    update.due = day_or_none(reader, "due");
    for (auto& warning : reader.texts_or_empty("warnings")) {
      if (warning.starts_with(failed_here)) update.failures.push_back(std::move(warning));
    }
    update.superseded_by = reader.text_or("superseded_by", "");
    for (const char* key : {"installed", "offered", "decided_by", "severity_from", "open", "open_exploited"})
      (void)reader.raw(key);
    bool is_first = true;  // the worst, which decides
    for_each(reader, "vulnerabilities", [&](JsonReader& one) {
      ScannedUpdate another;
      read_vulnerability(one, is_first ? update : another);
      note_closes(one, is_first ? update.cve : another.cve, update);
      if (!is_first) update.every_settled = update.every_settled && another.settled;
      is_first = false;
    });
    update.every_settled = update.every_settled && update.settled;
    return update;
  }

  // A scan of an older version does not say what closes it.
  void note_closes(JsonReader& reader, const std::string& cve, ScannedUpdate& into) {
    std::vector<NeededPackage> needs;
    if (reader.has("needs")) {
      for_each(reader, "needs", [&](JsonReader& one) {
        auto package = one.text("package");
        needs.push_back({std::move(package), one.text("version")});
      });
    }
    const auto same = std::ranges::find(into.closes, needs, &ScannedCloses::needs);
    if (same == into.closes.end())
      into.closes.push_back({std::move(needs), {cve}});
    else
      same->vulnerabilities.push_back(cve);
  }

  static void read_vulnerability(JsonReader& reader, ScannedUpdate& into) {
    into.cve = reader.text("cve");
    into.exploited_since = day_or_none(reader, "exploited_since");
    if (const auto& epss = reader.raw("epss"); epss.is_object()) {
      const auto part = [&](const char* key) {
        const auto found = epss.find(key);
        return found != epss.end() && found->is_number() ? found->get<double>() : 0.0;
      };
      into.epss = EpssScore{part("probability"), part("percentile")};
    }
    for (const char* key : {"severity", "since", "due"}) (void)reader.raw(key);
    auto decision = reader.object("decision");
    into.row = decision.text("row");
    into.timeline = decision.text("timeline", not_empty("the outcome of the decision table"));
    into.settled = decision.boolean_or("settled", false);
    if (const auto& facts = decision.raw("facts"); facts.is_object()) {
      for (const auto fact : all_facts) {
        const auto found = facts.find(to_string(fact));
        if (found == facts.end() || !found->is_object()) continue;
        const auto value = found->value("value", Json());
        into.facts += fmt::format("{}{} {}", into.facts.empty() ? "" : ", ", to_string(fact),
                                  value.is_string() ? value.get<std::string>() : "unknown");
      }
    }
    decision.finish();
  }

  const Json& json_;
  Problems problems_;
};

}  // namespace

Result<ScanAnswer> read_scan_answer(const std::string& text, const std::string& file_name) {
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file_name));
  AnswerReader reader(json);
  auto answer = reader.read();
  if (!reader.problems().empty()) return problems_error(file_name, reader.problems());
  answer.digest = sha256(text);
  return answer;
}

}  // namespace patchlab::process

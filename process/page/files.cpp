// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "process/feeds/feed.hpp"

namespace patchlab::process::page {
namespace {

using Problems = std::vector<JsonProblem>;

constexpr std::array<const char*, 6> statuses{"unknown",    "missing",        "known-bad",
                                              "superseded", "not-applicable", "installed"};
constexpr std::array<const char*, 7> states{"quarantined", "failed",     "to-bring", "acquired",
                                            "here",        "unfinished", "not-asked"};

// One of the words; any other one could mean that something is missing.
template <class Words>
TextRule one_of(const Words& words) {
  return [&words](const std::string& text) {
    const bool known = std::ranges::any_of(words, [&](const char* word) { return text == word; });
    return known ? std::string() : fmt::format("is none of the words that are known: '{}'", text);
  };
}
std::string day_rule(const std::string& text) { return day_in(text) ? "" : "must be a day, as 2026-11-30"; }

// Null counts as not there.
std::string text_or_none(JsonReader& reader, const std::string& key) {
  const auto& value = reader.raw(key);
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_null()) reader.problem(key, "must be a text or null");
  return {};
}

template <class Read>
void each(JsonReader& reader, const std::string& key, Problems& problems, const Read& read) {
  const auto& list = reader.raw(key);
  if (!list.is_array()) {
    reader.problem(key, "must be a list");
    return;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    JsonReader one(list[i], fmt::format("{}/{}", reader.at(key), i), problems);
    read(one);
  }
}

std::string percent(const Json& json) {
  return json.is_number() ? fmt::format("{:.1f} %", json.get<double>() * 100) : std::string();
}

Vulnerability vulnerability_in(JsonReader& reader) {
  Vulnerability one;
  one.cve = reader.text_or("cve", "");
  one.exploited_since = text_or_none(reader, "exploited_since");
  const auto& epss = reader.raw("epss");
  if (epss.is_object() && epss.contains("probability")) one.epss = percent(epss["probability"]);
  static_cast<void>(reader.raw("severity"));
  one.since = reader.text("since");
  one.due = text_or_none(reader, "due");
  auto decision = reader.object("decision");
  one.row = decision.text("row");
  one.timeline = decision.text("timeline");
  static_cast<void>(decision.raw("settled"));
  const auto& facts = decision.raw("facts");
  if (facts.is_object()) {
    for (const auto& [name, fact] : facts.items()) {
      const auto value = fact.is_object() ? fact.value("value", Json()) : Json();
      const auto counted = fact.is_object() ? fact.value("counted_as", Json()) : Json();
      if (!value.is_string()) continue;
      one.facts += fmt::format("{}{} {}", one.facts.empty() ? "" : ", ", name, value.get<std::string>());
      if (value == "unknown" && counted.is_string())
        one.facts += fmt::format(" (counts as {})", counted.get<std::string>());
    }
  }
  return one;
}

ScannedItem item_in(JsonReader& reader, Problems& problems) {
  ScannedItem item;
  item.department = reader.text("department");
  item.machine = reader.text("machine");
  item.item = reader.text_or("item", "");
  item.status = reader.text("status", one_of(statuses));
  item.why = reader.text_or("why", "");
  item.installed = reader.text_or("installed", "");
  item.offered = reader.text_or("offered", "");
  item.superseded_by = reader.text_or("superseded_by", "");
  item.warnings = reader.texts_or_empty("warnings");
  item.due = text_or_none(reader, "due");
  item.severity = reader.text_or("severity", "unknown");
  each(reader, "vulnerabilities", problems,
       [&](JsonReader& one) { item.vulnerabilities.push_back(vulnerability_in(one)); });
  item.open = static_cast<std::size_t>(reader.integer_or("open", 0, 0, 1'000'000));
  item.open_exploited = reader.texts_or_empty("open_exploited");
  return item;
}

Error not_that(const std::string& file_name, const char* command) {
  return configuration_error(fmt::format("'{}' is not what 'patchlab {}' writes", file_name, command),
                             fmt::format("let 'patchlab {}' write it again", command));
}

}  // namespace

Result<ScanFile> read_scan(const Json& json, const std::string& file_name) {
  if (!json.is_object() || json.value("schema", Json()) != "patchlab/scan/v1")
    return not_that(file_name, "scan --output");
  Problems problems;
  JsonReader reader(json, "", problems);
  ScanFile file;
  file.day = reader.text("today", day_rule);
  const auto& whole = reader.raw("whole");
  if (!whole.is_boolean()) reader.problem("whole", "must be true or false");
  file.whole = whole == true;
  auto scenario = reader.object("scenario");
  file.scenario = scenario.text("name");
  auto decisions = reader.object("decisions");
  file.decisions = decisions.text_or("title", "");
  each(reader, "not_known", problems, [&](JsonReader& one) {
    file.not_known.push_back(fmt::format("{}: {}", one.text("what"), one.text_or("why", "")));
  });
  each(reader, "feeds", problems, [&](JsonReader& one) {
    const auto& usable = one.raw("usable");
    const auto title = one.text("title");
    if (usable != true) file.feeds_unusable.push_back(fmt::format("{}: {}", title, one.text_or("why", "")));
  });
  each(reader, "rows", problems, [&](JsonReader& one) { file.items.push_back(item_in(one, problems)); });
  if (!problems.empty()) return problems_error(file_name, problems);
  return file;
}

Result<AcquiredFile> read_acquired(const Json& json, const std::string& file_name) {
  if (!json.is_object() || json.value("schema", Json()) != "patchlab/acquire/v1")
    return not_that(file_name, "acquire --json");
  Problems problems;
  JsonReader reader(json, "", problems);
  AcquiredFile file;
  file.day = reader.text("today", day_rule);
  const auto& whole = reader.raw("assessment_whole");
  if (!whole.is_boolean()) reader.problem("assessment_whole", "must be true or false");
  file.whole = whole == true;
  each(reader, "rows", problems, [&](JsonReader& one) {
    file.items.push_back({one.text("state", one_of(states)), one.text("name"), one.text_or("item", ""),
                          one.text_or("sha256", ""), one.text_or("why", "")});
  });
  if (!problems.empty()) return problems_error(file_name, problems);
  return file;
}

}  // namespace patchlab::process::page

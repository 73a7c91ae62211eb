// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {
namespace {

// The largest that is published has a few hundred kilobytes.
constexpr std::uintmax_t largest = 16U << 20U;

const Json& member(const Json& json, const std::string& key) {
  static const Json nothing;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found == json.end() ? nothing : *found;
}
std::string text_of(const Json& json) { return json.is_string() ? json.get<std::string>() : std::string(); }

// Strict words: the published values are not always of the vocabulary.
std::optional<bool> is_one_of(const Json& value, const char* yes, const char* no) {
  const auto word = text_of(value);
  if (word == yes) return true;
  if (word == no) return false;
  return std::nullopt;
}

void take_ssvc(const Json& metric, CveRecord& record) {
  const auto& other = member(metric, "other");
  if (text_of(member(other, "type")) != "ssvc") return;
  const auto& options = member(member(other, "content"), "options");
  if (!options.is_array()) return;
  for (const auto& option : options) {
    if (const auto& value = member(option, "Automatable"); !value.is_null())
      record.automatable = is_one_of(value, "yes", "no");
    if (const auto& value = member(option, "Technical Impact"); !value.is_null()) {
      record.total_impact = is_one_of(value, "total", "partial");
      record.impact_from = record.total_impact ? "ssvc" : "";
    }
  }
}

// Whether the vector settles the technical impact: a changed scope says of another component than the one that is
// patched.
std::optional<bool> total_impact_of(const std::string& vector) {
  std::map<std::string_view, std::string_view> facts;
  for (const auto part : split(vector, '/')) {
    const auto colon = part.find(':');
    if (colon != std::string_view::npos) facts[part.substr(0, colon)] = part.substr(colon + 1);
  }
  if (!facts.contains("S") || !facts.contains("C") || !facts.contains("I") || facts["S"] != "U") return std::nullopt;
  return facts["C"] == "H" && facts["I"] == "H";
}

void take_cvss(const Json& metrics, CveRecord& record) {
  if (record.total_impact || !metrics.is_array()) return;
  for (const auto& metric : metrics) {
    for (const char* version : {"cvssV3_1", "cvssV3_0"}) {
      const auto impact = total_impact_of(text_of(member(member(metric, version), "vectorString")));
      if (!impact) continue;
      record.total_impact = impact;
      record.impact_from = "cvss";
      return;
    }
  }
}

}  // namespace

Result<CveRecord> read_cve_record(const std::filesystem::path& path) {
  PATCHLAB_ASSIGN(const auto text, read_file(path, largest));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, path.string()));
  const auto wrong = [&](const char* pointer, const std::string& what) {
    return configuration_error(fmt::format("{}: {}: {}", printable(path.string()), pointer, printable(what)),
                               "fetch it again: it is not whole, or no CVE record");
  };
  CveRecord record;
  if (text_of(member(json, "dataType")) != "CVE_RECORD") return wrong("/dataType", "must be CVE_RECORD");
  if (!text_of(member(json, "dataVersion")).starts_with("5."))
    return wrong("/dataVersion", fmt::format("must be 5.x, found '{}'", text_of(member(json, "dataVersion"))));
  const auto& head = member(json, "cveMetadata");
  record.cve = text_of(member(head, "cveId"));
  if (!is_cve(record.cve)) return wrong("/cveMetadata/cveId", fmt::format("'{}' is no CVE number", record.cve));
  const auto updated = text_of(member(head, "dateUpdated"));
  const auto day = day_in(updated);
  if (!day) return wrong("/cveMetadata/dateUpdated", fmt::format("'{}' is no date", updated));
  const auto name = path.filename().string();
  if (name.starts_with("CVE-") && name != record.cve + ".json")
    return wrong("/cveMetadata/cveId", fmt::format("{} is not what the file's name says", record.cve));
  const auto& containers = member(json, "containers");
  if (!containers.is_object()) return wrong("/containers", "must be an object");
  const auto& enriched = member(containers, "adp");
  for (std::size_t i = 0; enriched.is_array() && i < enriched.size(); ++i) {
    const auto& metrics = member(enriched[i], "metrics");
    for (std::size_t k = 0; metrics.is_array() && k < metrics.size(); ++k) take_ssvc(metrics[k], record);
  }
  take_cvss(member(member(containers, "cna"), "metrics"), record);
  for (std::size_t i = 0; enriched.is_array() && i < enriched.size(); ++i)
    take_cvss(member(enriched[i], "metrics"), record);
  record.file = {FeedKind::cve_records, name, sha256(text), text.size(), day, 1};
  return record;
}

}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/csv_cell.hpp"
#include "process/scan/scan.hpp"

namespace patchlab::process {
namespace {

Json day_json(const std::optional<Day>& day) { return day ? Json(day_text(*day)) : Json(); }

Json facts_json(const Decision& decision) {
  Json facts = Json::object();
  for (const auto fact : all_facts) {
    if (!decision.row.facts[fact]) continue;  // the table does not ask for it
    facts[to_string(fact)] = {{"value", value_text(fact, decision.facts[fact])},
                              {"counted_as", value_text(fact, decision.row.facts[fact])}};
  }
  return facts;
}

Json vulnerability_json(const VulnerabilityRow& row) {
  auto needs = Json::array();
  for (const auto& one : row.needs) needs.push_back({{"package", one.package}, {"version", one.version}});
  return {
      {"cve", row.cve},
      {"exploited_since", day_json(row.exploited_since)},
      {"epss", row.epss ? Json{{"probability", row.epss->probability}, {"percentile", row.epss->percentile}} : Json()},
      {"severity", row.severity},
      {"since", day_text(row.since)},
      {"due", day_json(row.due)},
      {"needs", needs},
      {"decision",
       {{"row", row.decision.row.id},
        {"timeline", row.decision.row.timeline},
        {"settled", row.decision.settled},
        {"facts", facts_json(row.decision)}}}};
}

Json row_json(const ScanRow& row) {
  Json vulnerabilities = Json::array();
  for (const auto& one : row.vulnerabilities) vulnerabilities.push_back(vulnerability_json(one));
  const auto* decides = row.deciding();
  return {{"department", row.department},
          {"machine", row.machine},
          {"item", row.item},
          {"status", to_string(row.status)},
          {"why", row.why},
          {"installed", row.installed},
          {"offered", row.offered},
          {"superseded_by", row.superseded_by},
          {"warnings", row.warnings},
          {"due", decides == nullptr ? Json() : day_json(decides->due)},
          {"decided_by", decides == nullptr ? Json() : Json(decides->cve)},
          {"severity", row.severity},
          {"severity_from", row.severity_from},
          {"vulnerabilities", vulnerabilities},
          {"open", row.open},
          {"open_exploited", row.open_exploited}};
}

Json signature_json(const std::optional<CatalogueSignature>& signature) {
  if (!signature) return {};
  return {{"file", signature->file},
          {"state", to_string(signature->state)},
          {"why", signature->why},
          {"signer", signature->signer}};
}

std::string ordinal(long number) {
  const auto last = number % 10;
  const bool is_teen = number % 100 / 10 == 1;
  return fmt::format("{}{}", number,
                     is_teen || last == 0 || last > 3 ? "th"
                     : last == 1                      ? "st"
                     : last == 2                      ? "nd"
                                                      : "rd");
}

}  // namespace

std::string epss_text(const EpssScore& score) {
  return fmt::format("{:.1f} % ({})", score.probability * 100, ordinal(static_cast<long>(score.percentile * 100)));
}

std::string feeds_hint(const ScanResult& result) {
  if (std::ranges::all_of(result.feeds, &FeedState::usable)) return {};
  return "patchlab feed status says what is wrong with each feed, and where to get it";
}

const char* to_string(CatalogueSignature::State state) {
  switch (state) {
    case CatalogueSignature::State::not_looked_at: return "not-looked-at";
    case CatalogueSignature::State::not_signed: return "not-signed";
    case CatalogueSignature::State::by_microsoft: return "signed-by-microsoft";
    case CatalogueSignature::State::by_others: return "signed-by-others";
    case CatalogueSignature::State::not_verified: return "not-verified";
  }
  return "not-looked-at";
}

std::string signature_text(const CatalogueSignature& signature) {
  const auto says = [&](const std::string& what) {
    return fmt::format("Microsoft's catalogue '{}': {}", signature.file, what);
  };
  switch (signature.state) {
    case CatalogueSignature::State::not_looked_at: break;
    case CatalogueSignature::State::not_signed: return says("not signed");
    case CatalogueSignature::State::by_microsoft:
      return says(fmt::format("signed by Microsoft ('{}')", signature.signer));
    case CatalogueSignature::State::by_others:
      return says(fmt::format("not signed by Microsoft, but by '{}'", signature.signer));
    case CatalogueSignature::State::not_verified:
      return says(fmt::format("its signature is not verified: {}", signature.why));
  }
  return says(fmt::format("its signature was not looked at: {}", signature.why));
}

std::string table_text(const std::string& digest, const TableOrigin& origin) {
  if (origin.file.empty())
    return fmt::format("decided by the table with sha256 {}, of a scan that does not say from where", digest);
  std::string who;
  switch (origin.named_by) {
    case TableNamedBy::nobody:
      who = "as shipped: --decisions names none, nor does a policy of the stage that is known";
      break;
    case TableNamedBy::command: who = "--decisions names it, and no policy of the stage that is known names one"; break;
    case TableNamedBy::policy: who = fmt::format("policy '{}' names it", origin.policy); break;
  }
  return fmt::format("decided by '{}', sha256 {}: {}", origin.file, digest, who);
}

std::string facts_text(const VulnerabilityRow& row) {
  std::string text;
  for (const auto fact : all_facts) {
    if (!row.decision.row.facts[fact]) continue;
    const auto known = row.decision.facts[fact];
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(fact), value_text(fact, known));
    if (!known) text += fmt::format(" (counts as {})", value_text(fact, row.decision.row.facts[fact]));
    if (fact == Fact::exploited && row.exploited_since)
      text += fmt::format(" since {}", day_text(*row.exploited_since));
  }
  return text;
}

void to_json(Json& json, const ScanResult& result) {
  Json rows = Json::array();
  for (const auto& row : result.rows) rows.push_back(row_json(row));
  Json not_known = Json::array();
  for (const auto& one : result.not_known) not_known.push_back({{"what", one.what}, {"why", one.why}});
  Json counts = Json::object();
  for (const auto status : {RowStatus::unknown, RowStatus::missing, RowStatus::known_bad, RowStatus::superseded,
                            RowStatus::not_applicable, RowStatus::installed})
    counts[to_string(status)] = result.count(status);
  json = {{"today", day_text(result.today)},
          {"whole", result.whole()},
          {"decisions",
           {{"title", result.table_title},
            {"digest", result.table_digest},
            {"file", result.table_origin.file},
            {"named_by", to_string(result.table_origin.named_by)},
            {"policy", result.table_origin.policy}}},
          {"feeds", result.feeds},
          {"catalogue_signature", signature_json(result.catalogue_signature)},
          {"not_known", not_known},
          {"counts", counts},
          {"rows", rows}};
}

std::string scan_csv(const ScanResult& result) {
  std::string text =
      "due,department,machine,item,status,why,installed,offered,superseded by,cve,exploited since,epss "
      "probability,epss "
      "percentile,severity,severity from,row,timeline,facts,settled,cves,open,open and exploited,warnings\n";
  for (const auto& row : result.rows) {
    const auto* one = row.deciding();
    std::vector<std::string> cves;
    for (const auto& vulnerability : row.vulnerabilities) cves.push_back(vulnerability.cve);
    const auto day = [](const std::optional<Day>& value) { return value ? day_text(*value) : std::string(); };
    const auto share = [](double value) { return fmt::format("{:.5f}", value); };
    const bool has_score = one != nullptr && one->epss;
    text += csv_line({one == nullptr ? "" : day(one->due),
                      row.department,
                      row.machine,
                      row.item,
                      to_string(row.status),
                      row.why,
                      row.installed,
                      row.offered,
                      row.superseded_by,
                      one == nullptr ? "" : one->cve,
                      one == nullptr ? "" : day(one->exploited_since),
                      has_score ? share(one->epss->probability) : "",
                      has_score ? share(one->epss->percentile) : "",
                      row.severity,
                      row.severity_from,
                      one == nullptr ? "" : one->decision.row.id,
                      one == nullptr ? "" : one->decision.row.timeline,
                      one == nullptr ? "" : facts_text(*one),
                      one == nullptr          ? ""
                      : one->decision.settled ? "yes"
                                              : "no",
                      fmt::format("{}", fmt::join(cves, " ")),
                      std::to_string(row.open),
                      fmt::format("{}", fmt::join(row.open_exploited, " ")),
                      fmt::format("{}", fmt::join(row.warnings, " | "))});
  }
  return text;
}

}  // namespace patchlab::process

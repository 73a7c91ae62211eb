// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

// Feeds as their publishers write them, made small: with the members that are read, and those around them.
namespace patchlab::tests {

inline std::string gzip(const std::string& text) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string packed(::deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

struct Exploited {
  std::string cve;
  std::string added = "2026-11-20";
};

inline Json kev_json(const std::vector<Exploited>& entries, const std::string& day = "2026-11-27") {
  Json all = Json::array();
  for (const auto& entry : entries) {
    all.push_back({{"cveID", entry.cve},
                   {"vendorProject", "ISC"},
                   {"product", "BIND 9"},
                   {"vulnerabilityName", "ISC BIND 9 Something Vulnerability"},
                   {"dateAdded", entry.added},
                   {"shortDescription", "It can be made to do what it must not."},
                   {"requiredAction", "Apply updates per vendor instructions."},
                   {"dueDate", "2026-12-18"},
                   {"knownRansomwareCampaignUse", "Unknown"},
                   {"notes", ""},
                   {"cwes", {"CWE-20"}}});
  }
  auto version = day;
  std::ranges::replace(version, '-', '.');
  return {{"title", "CISA Catalog of Known Exploited Vulnerabilities"},
          {"catalogVersion", version},
          {"dateReleased", day + "T15:00:02.1234Z"},
          {"count", all.size()},
          {"vulnerabilities", all}};
}

// The lines behind the two of its head: "CVE-2026-1000,0.15312,0.92011".
inline std::string epss_text(const std::vector<std::string>& lines, const std::string& day = "2026-11-27") {
  auto text = fmt::format("#model_version:v2025.03.14,score_date:{}T12:55:00Z\ncve,epss,percentile\n", day);
  for (const auto& line : lines) text += line + "\n";
  return text;
}

struct Tracked {
  std::string source;
  std::string cve;
  std::string fixed;  // empty: open
  std::string urgency = "not yet assigned";
  std::string release = "bookworm";
};

inline Json tracker_json(const std::vector<Tracked>& entries) {
  Json all = Json::object();
  for (const auto& entry : entries) {
    Json release{{"status", entry.fixed.empty() ? "open" : "resolved"},
                 {"repositories", {{entry.release, "1:9.18.1"}, {entry.release + "-security", "1:9.18.1"}}},
                 {"urgency", entry.urgency}};
    if (!entry.fixed.empty()) release["fixed_version"] = entry.fixed;
    if (entry.fixed.empty()) release["nodsa"] = "Minor issue", release["nodsa_reason"] = "postponed";
    auto& one = all[entry.source][entry.cve];
    one["description"] = "Something in it does what it must not.";
    one["scope"] = "remote";
    one["debianbug"] = 1000000;
    one["releases"][entry.release] = release;
  }
  return all;
}

// As CISA's Vulnrichment adds to a record of the CVE programme. Empty words: says nothing of it.
inline Json cve_record_json(const std::string& cve, const std::string& automatable, const std::string& impact,
                            const std::string& vector = {}, const std::string& day = "2026-11-26") {
  Json options = Json::array({Json{{"Exploitation", "none"}}});
  if (!automatable.empty()) options.push_back({{"Automatable", automatable}});
  if (!impact.empty()) options.push_back({{"Technical Impact", impact}});
  Json record{{"dataType", "CVE_RECORD"},
              {"dataVersion", "5.1"},
              {"cveMetadata",
               {{"cveId", cve},
                {"state", "PUBLISHED"},
                {"datePublished", "2026-11-01T18:02:00.000Z"},
                {"dateUpdated", day + "T18:02:00.000Z"}}},
              {"containers",
               {{"cna", {{"title", "Something"}, {"metrics", Json::array()}}},
                {"adp", Json::array({Json{{"title", "CISA ADP Vulnrichment"},
                                          {"metrics", Json::array({Json{{"other",
                                                                         {{"type", "ssvc"},
                                                                          {"content",
                                                                           {{"id", cve},
                                                                            {"role", "CISA Coordinator"},
                                                                            {"options", options},
                                                                            {"version", "2.0.3"}}}}}}})}}})}}}};
  if (!vector.empty()) {
    record["containers"]["cna"]["metrics"].push_back(
        {{"cvssV3_1", {{"version", "3.1"}, {"vectorString", vector}, {"baseScore", 7.5}}}});
  }
  return record;
}

// As Microsoft's Security Response Center publishes one vulnerability of Windows.
struct Advised {
  std::string cve = "CVE-2026-1001";
  std::string kb = "5050001";
  std::string product = "Windows Server 2019";
  std::string fixed = "10.0.17763.6532";  // empty: no version is said
  std::string severity = "Critical";
  bool exploited = false;
  std::string day = "2026-11-24";
};
inline Json csaf_json(const Advised& said) {
  Json branches = Json::array();
  Json product_ids = Json::array();
  int number = 1;
  for (const auto& name : {said.product, said.product + " (Server Core installation)"}) {
    const auto id = std::to_string(number++);
    product_ids.push_back(id);
    Json versions = Json::array();
    if (said.fixed.empty()) {
      versions.push_back({{"category", "product_version_range"},
                          {"name", "vers:all/*"},
                          {"product", {{"name", name}, {"product_id", id}}}});
    } else {
      versions.push_back({{"category", "product_version_range"},
                          {"name", "<" + said.fixed},
                          {"product", {{"name", name + " <" + said.fixed}, {"product_id", id}}}});
      versions.push_back({{"category", "product_version"},
                          {"name", said.fixed},
                          {"product", {{"name", name + " " + said.fixed}, {"product_id", "1157" + id}}}});
    }
    branches.push_back({{"branches", versions}, {"category", "product_name"}, {"name", name}});
  }
  return {
      {"document",
       {{"acknowledgments", Json::array({Json{{"names", {"Somebody"}}}})},
        {"aggregate_severity",
         {{"namespace", "https://www.microsoft.com/en-us/msrc/security-update-severity-rating-system"},
          {"text", said.severity}}},
        {"category", "csaf_security_advisory"},
        {"csaf_version", "2.0"},
        {"lang", "en-US"},
        {"publisher",
         {{"category", "vendor"},
          {"contact_details", "secure@microsoft.com"},
          {"name", "Microsoft Security Response Center"},
          {"namespace", "https://msrc.microsoft.com"}}},
        {"title", "Windows Something Vulnerability"},
        {"tracking",
         {{"current_release_date", said.day + "T08:00:00.000Z"},
          {"id", "msrc_" + said.cve},
          {"initial_release_date", "2026-11-10T08:00:00.000Z"},
          {"status", "final"},
          {"version", "2"}}}}},
      {"product_tree", {{"branches", branches}}},
      {"vulnerabilities",
       Json::array({Json{
           {"cve", said.cve},
           {"product_status", {{"known_affected", product_ids}}},
           {"remediations",
            Json::array({Json{{"category", "vendor_fix"},
                              {"date", said.day + "T08:00:00.000Z"},
                              {"details", said.kb + ":Security Update:https://support.microsoft.com/help/" + said.kb},
                              {"product_ids", product_ids},
                              {"url", "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB" + said.kb}}})},
           {"scores",
            Json::array({Json{{"cvss_v3", {{"baseScore", 8.1}, {"version", "3.1"}}}, {"products", product_ids}}})},
           {"threats", Json::array({Json{{"category", "impact"}, {"details", "Remote Code Execution"}},
                                    Json{{"category", "exploit_status"},
                                         {"details", std::string("Publicly Disclosed:No;Exploited:") +
                                                         (said.exploited ? "Yes" : "No") +
                                                         ";Latest Software Release:Exploitation Less Likely"}}})},
           {"title", "Windows Something Vulnerability"}}})}};
}

inline Json known_bad_json(const std::string& id, const Json& match) {
  return {{"id", id},
          {"match", Json::array({match})},
          {"state", "open"},
          {"symptom", "named does not start"},
          {"source", "bugs.debian.org/1, read on 2026-11-20"},
          {"checks", {"dns.records"}}};
}

// The tracker's age is that of its file.
inline void set_day(const std::filesystem::path& file, const std::string& day) {
  const auto moment = parse_rfc3339(day + "T12:00:00Z");
  const timespec time{std::chrono::system_clock::to_time_t(*moment), 0};
  const std::array<timespec, 2> both{time, time};
  ::utimensat(AT_FDCWD, file.c_str(), both.data(), 0);
}

// One of each kind, all of the same days.
inline void put_feeds(const std::filesystem::path& folder, const std::string& below = "feeds") {
  const auto write = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
    return folder / name;
  };
  write(below + "/kev/known_exploited_vulnerabilities.json", kev_json({{"CVE-2026-1000"}}).dump(2));
  write(below + "/epss/epss_scores-2026-11-27.csv.gz",
        gzip(epss_text({"CVE-2026-1000,0.15312,0.92011", "CVE-2026-1001,0.00043,0.10000"})));
  set_day(
      write(below + "/debian/tracker.json",
            tracker_json({{"bind9", "CVE-2026-1000", "1:9.18.2-1", "high"}, {"bind9", "CVE-2026-1001", ""}}).dump()),
      "2026-11-27");
  write(below + "/vulnrichment/CVE-2026-1000.json", cve_record_json("CVE-2026-1000", "yes", "total").dump(2));
  write(below + "/known-bad/bind.json", known_bad_json("BIND-1", {{"sha256", std::string(64, 'b')}}).dump(2));
}

}  // namespace patchlab::tests

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "patches/catalogue/catalogue.hpp"
#include "process/feeds/feed.hpp"

// A reader for each kind of feed. Strict: what is not as its publisher writes it is a configuration error that names
// the place. Of members that are not needed nothing is asked: publishers add some.
namespace patchlab::process {

// CISA's catalogue: {"catalogVersion", "dateReleased", "count", "vulnerabilities": [{"cveID", "dateAdded", ...}]}. Its
// "dueDate" is not read: the directive that it is from is revoked.
struct Kev {
  FeedFile file;
  std::map<std::string, Day> added;  // by CVE
};
[[nodiscard]] Result<Kev> read_kev(const std::filesystem::path& path);

// "#model_version:...,score_date:...", "cve,epss,percentile", and a line for each CVE; compressed by gzip.
struct EpssScore {
  double probability = 0;
  double percentile = 0;
  bool operator==(const EpssScore&) const = default;
};
struct Epss {
  FeedFile file;
  std::map<std::string, EpssScore> scores;  // of those that were wanted
};
[[nodiscard]] Result<Epss> read_epss(const std::filesystem::path& path,
                                     const std::function<bool(const std::string& cve)>& wanted);

// {source: {CVE: {"releases": {"bookworm": {"status", "fixed_version", "urgency", "nodsa"}}}}}
struct TrackerEntry {
  std::string source;
  std::string vulnerability;  // CVE, or Debian's own TEMP- number
  std::string release;        // "bookworm"
  enum class Status { open, resolved, undetermined } status = Status::undetermined;
  std::string fixed_version;  // "0": was never affected; empty: none
  std::string urgency;        // Debian's word
  bool no_dsa = false;        // Debian does not mean to fix it by an advisory
  bool operator==(const TrackerEntry&) const = default;
};
struct Tracker {
  FeedFile file;
  std::vector<TrackerEntry> entries;  // of the sources that were wanted
  std::set<std::string> releases;     // that it says anything of, whoever wants it
};
[[nodiscard]] Result<Tracker> read_tracker(const std::filesystem::path& path,
                                           const std::function<bool(const std::string& source)>& wanted);

// One record of CVE 5.x, as the CVE programme and CISA's Vulnrichment publish them.
struct CveRecord {
  FeedFile file;
  std::string cve;
  std::optional<bool> automatable;   // nothing: not said, or in a word that is not of the vocabulary
  std::optional<bool> total_impact;  // as said, or else by the CVSS vector where that settles it
  std::string impact_from;           // "ssvc", "cvss"
  bool operator==(const CveRecord&) const = default;
};
[[nodiscard]] Result<CveRecord> read_cve_record(const std::filesystem::path& path);

// Microsoft's catalogue, wsusscn2.cab; which products of it are kept is in the scope.
struct WindowsCatalogue {
  FeedFile file;
  patches::Catalogue catalogue;
};
[[nodiscard]] Result<WindowsCatalogue> read_windows_catalogue(const std::filesystem::path& path,
                                                              const patches::CatalogueScope& scope);

// An update that closes a vulnerability of a product, as Microsoft's advisories say.
struct MsrcFix {
  std::string cve;
  std::string kb;             // "KB5050001"
  std::string product;        // "Windows Server 2019"; of a Server Core installation the same
  std::string fixed_version;  // "10.0.17763.6532": what is older is vulnerable; empty: not said
  std::string kind;           // "Security Update", "Monthly Rollup"
  std::string url;
  auto operator<=>(const MsrcFix&) const = default;
};
struct MsrcVulnerability {
  std::string severity;           // Microsoft's word in lower case; empty: none
  std::optional<bool> exploited;  // nothing: not said
  bool operator==(const MsrcVulnerability&) const = default;
};
// One document of CSAF 2.0 as Microsoft's Security Response Center publishes them: of a CVE, or of a month.
struct MsrcAdvisory {
  FeedFile file;
  std::string id;  // "msrc_CVE-2026-1001"
  std::map<std::string, MsrcVulnerability> vulnerabilities;
  std::vector<MsrcFix> fixes;  // of the products that were wanted
};
[[nodiscard]] Result<MsrcAdvisory> read_msrc(const std::filesystem::path& path,
                                             const std::function<bool(const std::string& product)>& wanted);

// An update that breaks something: {"id", "match": [{"sha256"} | {"package", "version"} | {"kb", "os"}], "state":
// "open" | "fixed", "fixed_by", "symptom", "source", "checks": []}. Bytes are the thing itself; by name and version, or
// by KB, it is only a warning: those are published again with other bytes.
struct KnownBad {
  struct Match {
    std::string sha256;
    std::string package, version;
    std::string kb, os;
    bool operator==(const Match&) const = default;
  };
  FeedFile file;
  std::string id;
  std::vector<Match> match;
  bool is_open = true;
  std::string fixed_by;
  std::string symptom;
  std::string source;
  std::vector<std::string> checks;
  bool operator==(const KnownBad&) const = default;
};
[[nodiscard]] Result<KnownBad> read_known_bad(const std::filesystem::path& path);

}  // namespace patchlab::process

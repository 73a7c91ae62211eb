// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/importance.hpp"
#include "process/assess/decision_table.hpp"
#include "process/feeds/folder.hpp"

// What each machine has and lacks, worst first: a function over values. What could not be known is in the answer.
namespace patchlab::process {

// A package as it is installed, with the source package that it is of: Debian counts vulnerabilities by those.
struct ScannedPackage {
  std::string package, version, architecture;
  std::string source, source_version;
};

enum class RowStatus { unknown, missing, known_bad, superseded, not_applicable, installed };
[[nodiscard]] const char* to_string(RowStatus status);

struct OfferedFile {
  std::string package, version, architecture;
  std::string sha256;
  std::string source, source_version;  // empty where the candidate does not say
  // Of an update of Windows, as the catalogue names it; else empty.
  std::string name{};
  std::string sha1{};
  std::optional<std::uint64_t> bytes{};
  std::string from{};  // an address
};

// An update or a candidate, as one machine meets it.
struct Offer {
  std::string id;
  std::string title;
  std::vector<OfferedFile> files;
  std::vector<std::string> supersedes;
  std::string not_for_it;  // why it is not for this machine; empty: it may be
  std::string not_known;   // why nobody can tell; empty: it can be told
  std::string kb;          // of a Windows package
  // Named in the changelog between what is installed and what is offered; nothing: none was read, or it has no entry
  // that is newer than what is installed.
  std::optional<std::vector<std::string>> cves;
  std::string urgency;  // the maintainer's word; empty: none
  std::string urgency_from = "changelog";
  std::vector<std::string> notes;  // what else the reader should know
  // Of Windows, where no version of a package says it: process/scan/windows.hpp.
  struct Decided {
    RowStatus status = RowStatus::unknown;
    std::string why;
    std::string superseded_by;
  };
  std::optional<Decided> decided;
};

// A Windows as it says that it is.
struct WindowsMachine {
  std::string version;  // "10.0.17763.5329", without the last number where it did not say it
  std::string architecture = "amd64";
  std::map<std::string, std::string> updates;  // "KB5035968": "installed", "superseded", "install pending"
  std::set<std::string> disputed;              // of which its own lists say different things
};

struct ScannedMachine {
  std::string department, machine, role, golden;
  std::string release;                     // Debian's code name: "bookworm"
  std::optional<bool> exposed;             // as the scenario says
  std::optional<Importance> importance{};  // likewise
  std::string not_known;                   // why it is not known what is installed; empty: it is
  std::string offers_not_known;            // why it is not known what there is for it
  std::vector<ScannedPackage> packages;
  std::optional<WindowsMachine> windows;
  std::vector<Offer> offers;
};

// Something that nobody could say, and why.
struct NotKnown {
  std::string what;
  std::string why;
  bool operator==(const NotKnown&) const = default;
};

// What a run here found of a candidate, and no later one found otherwise: it broke its department.
struct EarlierFailure {
  std::string department, candidate;
  std::string run, day;             // of that run
  std::set<std::string> sha256;     // of its files: other bytes are another update
  std::vector<std::string> roles;   // of the machines that it was tried on
  std::vector<std::string> failed;  // "mail/deliver"
  std::vector<std::string> with;    // other candidates, without which it does not
  std::string reason;
  bool operator==(const EarlierFailure&) const = default;
};
// How a warning of a row begins that tells of one.
inline constexpr std::string_view failed_here = "failed here";

// What is known of Microsoft's signature over its catalogue (Authenticode): what was observed, and nothing better.
struct CatalogueSignature {
  std::string file;  // its name
  enum class State {
    not_looked_at,
    not_signed,    // it carries none
    by_microsoft,  // it leads to the CA bundle, and the certificate is of "Microsoft Corporation"
    by_others,     // it leads there, and the certificate is of somebody else
    not_verified,  // it does not lead there
  } state = State::not_looked_at;
  std::string why;        // it was not looked at, or not verified
  std::string signer;     // distinguished name
  bool is_asked = false;  // somebody wants to know: what is not Microsoft's then is unknown
  bool operator==(const CatalogueSignature&) const = default;
};
[[nodiscard]] const char* to_string(CatalogueSignature::State state);
// "Microsoft's catalogue 'wsusscn2.cab': signed by Microsoft ('/C=US/...')", for people.
[[nodiscard]] std::string signature_text(const CatalogueSignature& signature);

struct ScanInput {
  Day today;
  std::vector<ScannedMachine> machines;
  std::vector<NotKnown> not_known;  // of who collected these
  Feeds feeds;
  DecisionTable table;
  std::vector<EarlierFailure> failures;
  std::optional<CatalogueSignature> catalogue_signature{};  // nothing: no catalogue was asked
  std::map<std::string, Day> first_named;  // by first_named_as: when a scan here met it first, before today
};
// The CVE; where none is named, what of an item nobody could name: "?apt-bind9-2". It grows old as well.
[[nodiscard]] std::string first_named_as(const std::string& cve, const std::string& item);

// A package of an update, and the version that it has there.
struct NeededPackage {
  std::string package;  // "bind9:amd64"
  std::string version;
  auto operator<=>(const NeededPackage&) const = default;
};

// One vulnerability of an update on one machine.
struct VulnerabilityRow {
  std::string cve;                     // empty: none is named, because what would name it was not there
  std::optional<Day> exploited_since;  // as CISA lists it
  std::optional<EpssScore> epss;
  std::string severity;  // Debian's word for it; empty: none
  Decision decision;
  Day since;  // first named here
  std::optional<Day> due;
  // What closes it: with all of these in these versions or newer the machine does not have it. Empty: what the update
  // brings as a whole, as of Windows.
  std::vector<NeededPackage> needs{};
};

struct ScanRow {
  std::string department, machine, item;  // item: candidate, or source package; empty: the machine as a whole
  RowStatus status = RowStatus::unknown;
  std::string why;
  std::string installed, offered;  // "bind9 1:9.18.1-1", several with commas
  std::string superseded_by;
  std::vector<std::string> warnings;
  std::vector<VulnerabilityRow> vulnerabilities;  // that it closes, worst first
  std::string severity;                           // the vendor's worst word; "unknown"
  std::string severity_from;                      // "tracker", "changelog", "candidate", "msrc", "catalogue"
  std::size_t open = 0;                           // vulnerabilities of what is installed, without a fix
  std::vector<std::string> open_exploited;        // those of them that CISA lists
  // What decides: the worst of the vulnerabilities. Nothing: there is none.
  [[nodiscard]] const VulnerabilityRow* deciding() const {
    return vulnerabilities.empty() ? nullptr : &vulnerabilities.front();
  }
};

struct ScanResult {
  Day today;
  std::string table_title, table_digest;
  TableOrigin table_origin{};
  std::vector<FeedState> feeds;
  std::optional<CatalogueSignature> catalogue_signature{};
  std::vector<NotKnown> not_known;
  std::vector<ScanRow> rows;  // worst first
  // Nothing is unknown: neither a row, nor a feed, nor a fact that could change a decision.
  [[nodiscard]] bool whole() const;
  [[nodiscard]] std::size_t count(RowStatus status) const;
};

// The CVEs that the changelogs of the offers name: what feeds are asked for, beside what the tracker says.
[[nodiscard]] std::set<std::string> cves_of(const std::vector<ScannedMachine>& machines);
[[nodiscard]] std::set<std::string> sources_of(const std::vector<ScannedMachine>& machines);

[[nodiscard]] ScanResult scan(const ScanInput& input);

void to_json(Json& json, const ScanResult& result);
// A line for each row, with a head; for spreadsheets.
[[nodiscard]] std::string scan_csv(const ScanResult& result);
// "decided by 'ours.csv', sha256 1f...: policy 'production' names it": from where the rows are, for people.
[[nodiscard]] std::string table_text(const std::string& digest, const TableOrigin& origin);
// "exploited yes (2026-11-20), exposed unknown, automatable yes, impact total"
[[nodiscard]] std::string facts_text(const VulnerabilityRow& row);
// What the reader does next about feeds that do not answer; empty: all do.
[[nodiscard]] std::string feeds_hint(const ScanResult& result);
// "15.3 % (92nd)": the probability first, since the two get confused.
[[nodiscard]] std::string epss_text(const EpssScore& score);

}  // namespace patchlab::process

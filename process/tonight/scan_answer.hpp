// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "process/scan/scan.hpp"

namespace patchlab::process {

// Vulnerabilities that an update closes on one machine, by what closes them.
struct ScannedCloses {
  std::vector<NeededPackage> needs;  // see VulnerabilityRow
  std::vector<std::string> vulnerabilities;
};

// A row of a scan, as far as a plan needs it: what one machine lacks, and what decided when it is due.
struct ScannedUpdate {
  std::string department, machine, item;  // item empty: the machine as a whole
  RowStatus status = RowStatus::unknown;
  std::string why;
  std::vector<std::string> failures;  // its warnings that tell of earlier runs in which it failed
  std::string severity;
  // Of the vulnerability that decides; without one the timeline is empty.
  std::string cve, timeline, row, facts;
  std::optional<Day> due, exploited_since;
  std::optional<EpssScore> epss;
  std::vector<ScannedCloses> closes{};  // all of its vulnerabilities
  bool settled = true;                  // whatever the unknown facts are, the timeline is this one
  bool every_settled = true;            // the same of all vulnerabilities: none is worse than that which decides
  std::string superseded_by{};          // the update that takes its place; empty: none does
};

struct ScannedFeed {
  std::string kind, digest;
  std::optional<Day> date;
  std::optional<std::int64_t> age_days;
  bool usable = false;
  std::string why;  // it is not
};

// What `patchlab scan --json` says, read again: of a scan of now as of one in a file.
struct ScanAnswer {
  std::string digest;  // SHA-256 of the text
  std::string scenario_name, scenario_digest;
  std::string table_digest;    // of the decision table
  TableOrigin table_origin{};  // empty in the scan of an older version
  Day today;
  bool whole = false;
  std::vector<ScannedFeed> feeds;
  std::vector<NotKnown> not_known;
  std::vector<ScannedUpdate> rows;  // worst first, as the scan has them
};
// A configuration error names each place that is not as cli/schemas/scan.schema.json says.
[[nodiscard]] Result<ScanAnswer> read_scan_answer(const std::string& text, const std::string& file_name);

}  // namespace patchlab::process

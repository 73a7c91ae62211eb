// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "lab/core/json.hpp"
#include "process/page/facts.hpp"

// Reports to be kept: a table with what it rests on, and the same table as CSV and as JSON.
namespace patchlab::process::page {

struct ReportKind {
  const char* name;  // in addresses: "missing"
  const char* title;
  const char* says;  // what is in it
};
// In the order in which they are offered.
[[nodiscard]] std::span<const ReportKind> report_kinds();

struct Report {
  std::string name, title;
  Time taken;
  std::vector<std::string> basis;      // what it was made of, a sentence each
  std::vector<std::string> not_known;  // what it does not say
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
// What it is made of is not known: then there is no report, since one without rows would say that nothing is missing.
// `candidates`: success by candidate as well, which only `success` asks for. Nothing: there is no report of that name.
[[nodiscard]] std::optional<Known<Report>> report_of(const Facts& facts, const std::string& name,
                                                     const Known<history::TrendAnswer>& by_candidate);

// RFC 4180, without what a spreadsheet would execute.
[[nodiscard]] std::string report_csv(const Report& report);
// patchlab/page-report/v1
[[nodiscard]] Json report_json(const Report& report);
// "patchlab-missing-20261130T053709Z.csv"
[[nodiscard]] std::string file_name_of(const Report& report, const std::string& format);

}  // namespace patchlab::process::page

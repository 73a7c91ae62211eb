// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/index/overviews.hpp"
#include "process/health/health.hpp"

// What the pages show, as it was looked at once: values without a file, a clock or a process behind them. What could
// not be looked at is there as that, with the reason.
namespace patchlab::process::page {

using Time = std::chrono::system_clock::time_point;

// A value, or why nobody knows it. There is no third: what was not asked is not known.
template <class Value>
struct Known {
  std::optional<Value> value{};
  std::string why = "nobody looked";  // a sentence without a full stop; of what is known it says nothing

  Known() = default;
  Known(Value known) : value(std::move(known)) {}  // NOLINT(google-explicit-constructor)
  static Known not_known(std::string reason) {
    Known known;
    known.why = std::move(reason);
    return known;
  }
  explicit operator bool() const { return value.has_value(); }
  const Value& operator*() const { return *value; }
  const Value* operator->() const { return &*value; }
};

// --- of `patchlab scan --output`
struct Vulnerability {
  std::string cve;              // empty: what would name it was not there
  std::string exploited_since;  // a day; empty: no list says so
  std::string epss;             // "15.3 %"; empty: not known
  std::string since;            // a day: named first here
  std::string due;              // a day; empty: none
  std::string row;              // of the decision table
  std::string timeline;
  std::string facts;  // "exploited yes, exposed unknown (counts as yes)"
  bool operator==(const Vulnerability&) const = default;
};
struct ScannedItem {
  std::string department, machine;
  std::string item;    // candidate, or source package; empty: the machine as a whole
  std::string status;  // unknown, missing, known-bad, superseded, not-applicable, installed
  std::string why;
  std::string installed, offered, superseded_by;
  std::string due;  // a day; empty: none
  std::string severity;
  std::vector<Vulnerability> vulnerabilities;  // worst first
  std::vector<std::string> warnings;
  std::size_t open = 0;                     // vulnerabilities of what is installed, without a fix
  std::vector<std::string> open_exploited;  // of them
  [[nodiscard]] bool is_exploited() const {
    for (const auto& one : vulnerabilities) {
      if (!one.exploited_since.empty()) return true;
    }
    return false;
  }
};
struct ScanFile {
  std::string day;  // on which it looked
  std::string scenario;
  std::string decisions;  // title of the decision table
  bool whole = false;     // nothing was unknown to it
  std::vector<std::string> not_known;
  std::vector<std::string> feeds_unusable;  // "EPSS: is 9 days old"
  std::vector<ScannedItem> items;           // worst first
};

// --- of `patchlab acquire --json`
struct AcquiredItem {
  std::string state;  // quarantined, failed, to-bring, acquired, here, unfinished, not-asked
  std::string name;
  std::string item;  // the update or candidate; empty: of none that is wanted
  std::string sha256;
  std::string why;
};
struct AcquiredFile {
  std::string day;
  bool whole = false;
  std::vector<AcquiredItem> items;
};

// --- of the queue
struct WaitingSet {
  std::string department, run;
  std::string since;  // RFC 3339
  std::vector<std::string> set;
  std::string severity;
  std::vector<std::string> missing;  // sentences; empty: only that somebody promotes it
  std::vector<std::string> waived;
  std::vector<std::string> whom;  // who could give the next of it; empty: nobody in particular
  std::string command;            // to be signed with
  // Of what was promoted through the emergency lane, and is to be looked at afterwards.
  bool is_review = false;
  std::string review_due{};  // RFC 3339
  bool is_late = false;
  std::string reason{};  // why it could not wait
};

// --- of what machines of production say
struct ProductionMachine {
  std::string machine;
  std::string outcome;            // as-promoted, differs, unknown
  std::string observed;           // RFC 3339
  std::uint64_t serial = 0;       // with which it was compared
  bool has_reported = false;      // on what is promoted now
  std::vector<std::string> says;  // what is other than promoted, and by whom it is said, a sentence each
};
struct ProductionDepartment {
  std::string department;
  std::uint64_t serial = 0;  // promoted last
  std::string run;
  std::string rejected;  // since when; empty: it was not
  bool emergency = false;
  std::vector<ProductionMachine> machines;
};

// --- of golden images into which patches were put
struct MadeVersion {
  std::uint64_t number = 2;  // 1 is the image from the recipe
  std::string made;          // RFC 3339
  std::string by;
  std::vector<std::string> candidates;  // that were put into it
  std::uint64_t serial = 0;             // of the promotion that they are of; 0: not said
  bool dropped = false;
};
struct ImageLine {
  std::string department, machine;
  std::string starts_from;            // "version 2, the newest"
  std::vector<MadeVersion> versions;  // ascending
};

// --- of the history index
struct History {
  std::string place;
  history::IndexSize size;
  bool has_ledger = false;
  std::vector<history::LeftOut> left_out;
  std::vector<history::DepartmentRow> departments;
  std::vector<history::FailedVerdict> failed{};  // in the newest run of each department
  history::RunsAnswer newest;              // the newest runs, and those without an end
  history::TrendAnswer trend;              // by month and department
  std::vector<history::CheckRow> flaky{};  // of the newest months
  std::string flaky_since;                 // the first of them
  std::size_t checks = 0;                  // so many were asked in them
  std::vector<std::string> scenarios{};
};

struct Facts {
  Time taken;           // when all of it was looked at
  std::string stale{};  // why that is no knowledge of now, a sentence; empty: it is
  std::string stage, runs;
  std::int64_t scan_max_age_days = 8;
  Known<History> history;
  Known<ScanFile> scan;
  Known<AcquiredFile> acquired;
  Known<std::vector<WaitingSet>> waiting;
  std::size_t waiting_runs = 0;              // so many of the newest runs were looked at for it
  std::vector<std::string> waiting_notes{};  // of runs that wait for nobody, a sentence each
  Known<std::vector<ProductionDepartment>> production;
  Known<std::vector<ImageLine>> images;  // of machines that have versions
  // By department the day (UTC) on which its next window closes; empty: none opens within 400 days.
  Known<std::map<std::string, std::string>> windows;
  std::vector<HealthFact> health{};
};

// The same when it is no knowledge of now any more: nothing of it is known, because of that.
[[nodiscard]] Facts out_of_date(const Facts& facts, const std::string& why);
// What could not be looked at, a sentence each.
[[nodiscard]] std::vector<std::string> gaps_of(const Facts& facts);
// Days between the scan's and the look; nothing: there is no scan, or it says no day.
[[nodiscard]] std::optional<std::int64_t> scan_age_days(const Facts& facts);
// The same of what was acquired.
[[nodiscard]] std::optional<std::int64_t> acquired_age_days(const Facts& facts);
// Of what was acquired: "acquired on 2026-11-28, 2 days old".
[[nodiscard]] std::string acquired_when(const Facts& facts);
// Why what was acquired then does not say what is here now, a sentence; empty: it does. It grows old as a scan does.
[[nodiscard]] std::string acquired_doubt(const Facts& facts);
// The scan is there, not too old, not of the future, and whole: only then nothing that is not in it is missing.
[[nodiscard]] bool scan_says_all(const Facts& facts);
// Of all that know any, in the order of their names.
[[nodiscard]] std::vector<std::string> departments_of(const Facts& facts);

}  // namespace patchlab::process::page

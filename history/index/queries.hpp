// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/forecast/candidate_forecast.hpp"
#include "history/index/database.hpp"
#include "history/index/index.hpp"
#include "lab/core/json.hpp"

// What an index is asked: values in, values out. Each function asks one database, of which the caller is the only
// thread; several questions about one state are asked within one transaction that reads. How much comes back depends on
// the question and not on how many runs there are, but for runs() without a limit. Months are "2026-11".
namespace patchlab::history {

// Which runs are asked about; empty: all.
struct Scope {
  std::string scenario;
  std::string since;  // month, inclusive
  std::string until;  // month, inclusive
};

// Folders of runs that could not be read, and those without a record.
[[nodiscard]] Result<std::vector<LeftOut>> left_out(Database& database);
struct IndexSize {
  std::size_t runs = 0;
  std::size_t lines = 0;  // of the ledger
};
[[nodiscard]] Result<IndexSize> size_of(Database& database);
// In the order of their names.
[[nodiscard]] Result<std::vector<std::string>> scenarios_in(Database& database);
[[nodiscard]] Result<std::vector<std::string>> candidates_in(Database& database);

// --- runs
struct RunPromotion {
  std::string department;
  std::uint64_t serial = 0;
  bool published = false;  // no other one was done in its department since
  bool operator==(const RunPromotion&) const = default;
};
struct RunRow {
  std::string id;
  std::string started;
  std::string finished;
  std::int64_t duration_ms = 0;
  std::optional<std::int64_t> foreseen_ms;  // before it began; nothing: nobody could tell
  std::string scenario;
  std::string title;
  std::string tool;         // version of patchlab
  std::string accelerator;  // "kvm"; of several "kvm, tcg"
  std::string result;       // word of its exit code
  bool complete = false;
  bool good = false;  // complete, and nothing stands against it
  std::size_t departments = 0;
  std::size_t candidates = 0;
  // Of its verdicts, one for each department and candidate.
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t undecided = 0;
  bool has_folder = false;
  std::uint64_t line = 0;  // of the ledger, with its end; 0: none
  std::vector<RunPromotion> promoted{};
  bool operator==(const RunRow&) const = default;
};
// A run that began, by the ledger, and has no end there.
struct OpenRun {
  std::string id;
  std::string begun;
  std::string by;
  std::uint64_t line = 0;
  bool operator==(const OpenRun&) const = default;
};
struct RunsAnswer {
  std::vector<RunRow> runs;   // the newest first
  std::size_t of = 0;         // so many are in the scope
  std::vector<OpenRun> open;  // the newest first, whatever the scope
};
// `most`: so many of the newest, after the first `skip` of them; 0: all.
[[nodiscard]] Result<RunsAnswer> runs(Database& database, const Scope& scope, std::size_t most, std::size_t skip = 0);
// Nothing: there is no such run.
[[nodiscard]] Result<std::optional<RunRow>> find_run(Database& database, const std::string& id);

// --- one candidate
struct CandidateTest {
  std::string run;
  std::string started;
  std::string scenario;
  std::string department;
  std::string title;
  std::string severity;
  std::string kind;
  std::string digest;  // of the candidate: the same id may have had other bytes
  std::string outcome;
  std::string reason;
  std::string failed;         // "mail/deliver, mail/relay"
  std::string together_with;  // candidates
  std::string machines;
  std::string known_from;  // the earlier run that saw it fail, where this one did not try it
  std::string removal;
  std::string effect;  // of one that passed, whether what it brings was there; empty: not recorded
  bool operator==(const CandidateTest&) const = default;
};
// A line of the ledger about a set that the candidate is in.
struct CandidateLine {
  std::uint64_t seq = 0;
  std::string time;
  std::string kind;  // approve, reject, waive, withdraw, promote-begun, promote-switched, promote-done, promote-refused
  std::string by;
  std::string department;
  std::string run;  // id; empty: that run is not in the index
  std::string reason;
  std::string ticket;
  std::string expires;
  std::uint64_t serial = 0;
  // Of promote-done: the line of the one that took its place; 0: it is what is published. Of a decision: the line that
  // withdrew it; 0: none did.
  std::uint64_t ended_by = 0;
  bool operator==(const CandidateLine&) const = default;
};
// What a machine of production said last about it, of one promotion.
struct CandidateMachine {
  std::string department;
  std::string machine;
  std::uint64_t serial = 0;
  std::string name;  // of the package or update
  std::string promoted;
  std::string found;
  std::string state;  // as-promoted, older, ...
  std::string since;
  std::string observed;
  std::string source;
  std::uint64_t line = 0;
  bool operator==(const CandidateMachine&) const = default;
};
struct CandidateStory {
  std::string id;
  std::vector<CandidateTest> tests;        // the oldest run first
  std::vector<CandidateLine> lines;        // in the order of the ledger
  std::vector<CandidateMachine> machines;  // by department, machine and serial
  // Lines about its runs and departments of which nobody knows whether it is in their set.
  std::vector<std::uint64_t> unknown;
  Outlook outlook{};  // if it were tested again, by all runs, its own among them
};
// An error (usage) when no run had it, with those that may be meant.
[[nodiscard]] Result<CandidateStory> candidate(Database& database, const std::string& id);

// What to expect of candidates, in the order of the questions. Of each kind and source the newest thousand rows that
// decided something are asked: a row is of one run, department, candidate and role.
[[nodiscard]] Result<std::vector<Outlook>> outlooks(Database& database, const std::vector<ForecastQuestion>& questions);

// --- checks
struct CheckRow {
  std::string department;
  std::string machine;
  std::string role;
  std::string check;
  std::string first;  // month in which it was asked first, in the scope, and last
  std::string last;
  std::int64_t asked = 0;
  std::int64_t asked_again = 0;
  std::int64_t disagreed = 0;       // it failed and passed, with nothing changed in between
  std::int64_t between_trials = 0;  // it failed in one trial and passed in another one of the same set
  std::int64_t bare = 0;            // asked without any patch
  std::int64_t bare_failed = 0;     // and failed: a false alarm, if it had been a patch's turn
  std::int64_t errors = 0;
  // Of those asked: the part that disagreed, and what it is at most with 95 % confidence; nothing: it was never asked.
  [[nodiscard]] std::optional<double> rate() const;
  [[nodiscard]] std::optional<double> at_most() const;
  [[nodiscard]] bool is_flaky() const { return asked_again > 0 || disagreed > 0 || between_trials > 0; }
  bool operator==(const CheckRow&) const = default;
};
struct FlakyAnswer {
  std::vector<CheckRow> checks;  // the flaky ones, those that disagreed most often first
  std::size_t of = 0;            // so many were asked
};
[[nodiscard]] Result<FlakyAnswer> flaky(Database& database, const Scope& scope);

// --- durations
inline constexpr std::int64_t fewest_samples = 5;
struct DurationRow {
  std::string accelerator;
  std::string role;
  std::string kind;  // of the candidates; "mixed", "none"
  std::string step;  // install (of one candidate), restart, checks (all of a machine, once)
  std::int64_t n = 0;
  // The least that half and nine tenths of all do not exceed; nothing: fewer than fewest_samples.
  std::optional<std::int64_t> median_ms;
  std::optional<std::int64_t> p90_ms;
  std::int64_t least_ms = 0;
  std::int64_t most_ms = 0;
  bool operator==(const DurationRow&) const = default;
};
struct DurationQuestion {
  Scope scope;
  std::string role;  // empty: all
  std::string kind;
};
[[nodiscard]] Result<std::vector<DurationRow>> durations(Database& database, const DurationQuestion& question);

// --- trends
struct TrendRow {
  std::string month;  // each empty when it was not asked for
  std::string department;
  std::string candidate;
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t undecided = 0;                           // trouble of the lab, or not reached: counts for neither
  std::int64_t skipped = 0;                             // it is for no machine there
  [[nodiscard]] std::optional<double> success() const;  // of those that passed or failed
  bool operator==(const TrendRow&) const = default;
};
struct TrendMonth {
  std::string month;
  std::int64_t runs = 0;
  std::int64_t complete = 0;
  std::int64_t good = 0;
  bool operator==(const TrendMonth&) const = default;
};
struct TrendBy {
  bool month = true;
  bool department = true;
  bool candidate = false;
};
struct TrendAnswer {
  std::vector<TrendMonth> months;  // the oldest first
  std::vector<TrendRow> rows;
};
[[nodiscard]] Result<TrendAnswer> trend(Database& database, const Scope& scope, const TrendBy& by);

// --- what changed
struct Change {
  std::string what;    // candidate, machine, image, state, check, policy, scenario, patchlab, host
  std::string where;   // "finance/mail"; empty: of the run
  std::string name;    // of the candidate, check, key
  std::string before;  // empty: it was not there
  std::string now;     // empty: it is not there any more
  bool operator==(const Change&) const = default;
};
struct ChangesAnswer {
  std::string run;
  std::string started;
  std::string result;
  std::string scenario;
  std::string good;  // the last good run before it; empty: there is none
  std::string good_started;
  std::size_t between = 0;      // runs of the scenario between the two
  std::vector<Change> changes;  // in the order of the words above
};
// `run`: its id; empty: the newest, of `scenario` when that is not empty. Errors (usage): there is no such run.
[[nodiscard]] Result<ChangesAnswer> changed(Database& database, const std::string& run, const std::string& scenario);

void to_json(Json& json, const LeftOut& left_out);
void to_json(Json& json, const RunRow& run);
void to_json(Json& json, const OpenRun& run);
void to_json(Json& json, const CandidateStory& story);
void to_json(Json& json, const CheckRow& check);
void to_json(Json& json, const DurationRow& duration);
void to_json(Json& json, const TrendRow& row);
void to_json(Json& json, const TrendMonth& month);
void to_json(Json& json, const Change& change);

}  // namespace patchlab::history

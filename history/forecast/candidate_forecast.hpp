// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/outcome.hpp"

// What earlier runs let one expect of a candidate: how long, how many restarts, and how often patches like it broke
// something here. Functions over values: the same rows give the same forecast, whoever asks and whenever. It is for
// people to read and decides nothing.
namespace patchlab::history {

// How long the installation of a candidate and the restarts behind it took on one machine, in one trial.
struct TriedTimes {
  std::int64_t install_ms = 0;
  std::int64_t restart_ms = 0;  // of all restarts together, of the whole set that was installed
  std::int64_t restarts = 0;    // that the trial made
  bool asked = false;           // the guest's installer asked for one; Debian's never does
  bool operator==(const TriedTimes&) const = default;
};

// What one run saw of one candidate, in one department, on machines of one role.
struct Tried {
  std::string run;
  std::string started;  // of the run; RFC 3339 in UTC, all to the millisecond, so that texts compare as times do
  std::string finished;
  std::string department;
  std::string candidate;
  std::string role;
  std::string digest;                 // of its bytes: which patch it is, whatever it is called
  std::string kind;                   // deb, msu, ...
  std::string source;                 // see source_of
  std::vector<std::string> products;  // see products_of
  // fail: it broke something in that department, alone or together with others. Neither pass nor fail: nobody knows,
  // and nothing is counted by it.
  Outcome outcome = Outcome::not_reached;
  std::string accelerator;  // on which it was measured: "kvm"
  std::optional<TriedTimes> times{};
  bool operator==(const Tried&) const = default;
};

// Whose a candidate is, as far as it says: "apt", "repack" (made here, for a test), "file", or whose signature was
// verified: "file, signed by '/CN=...'". `signature`: as FileRecord::signature, or empty.
[[nodiscard]] std::string source_of(const std::string& origin, const std::string& signature);
// Of what it is another version: the names of Debian packages by its files ("bind9_9.18.33_amd64.deb"); of others the
// title without what changes from month to month: numbers of articles, months and versions. Sorted, each once.
[[nodiscard]] std::vector<std::string> products_of(const std::string& kind, const std::string& title,
                                                   const std::vector<std::string>& files);

// A candidate of which somebody wants to know what to expect.
struct ForecastQuestion {
  std::string kind;  // empty: nobody knows what it is, and there is no forecast
  std::string source;
  std::vector<std::string> products;
  std::vector<std::string> roles;  // of the machines that it is for
  bool operator==(const ForecastQuestion&) const = default;
};

// Patches that are like it, the nearest first. All are of its kind and source. "The same": one in common.
enum class Circle { product_and_role, kind_and_role, kind };
[[nodiscard]] const char* to_string(Circle circle);  // "same-product-and-role", ...

// So many different patches are enough: where there are fewer, a wider circle is asked, unless that has no more. When
// there are fewer in all, it is said.
inline constexpr std::size_t enough_patches = 5;

struct ForecastRange {
  std::int64_t least = 0;
  std::int64_t median = 0;  // the least that half of all do not exceed
  std::int64_t most = 0;
  bool operator==(const ForecastRange&) const = default;
};

// Of installation and restarts together on one machine, as often as it was measured where the newest time was.
struct ForecastTimes {
  ForecastRange ms{};
  ForecastRange restarts{};
  std::string accelerator;  // there
  std::size_t times = 0;    // so often measured, at least once
  std::size_t asked = 0;    // of them: the installer asked for a restart
  bool operator==(const ForecastTimes&) const = default;
};

struct CandidateForecast {
  Circle circle = Circle::kind;
  std::size_t patches = 0;  // different ones, by their bytes, at least one: the same one tried every night is one
  std::size_t broke = 0;    // of them: failed in a department when that tried them last
  double at_most = 1;       // part of such patches that breaks something, with 95 % confidence (Clopper and Pearson)
  std::vector<std::string> runs;            // that it is drawn from: ids, the newest first
  std::optional<ForecastTimes> measured{};  // nothing: never
  bool operator==(const CandidateForecast&) const = default;
};

// How such forecasts did so far. Each patch of the kind and source once, when it was tried first: what the runs that
// had ended before that one began would have foretold, against what happened. Foretold of k of n that broke something
// is a chance of (k + 1) / (n + 2), by Laplace's rule of succession.
struct ForecastScore {
  std::size_t patches = 0;          // of which something was foretold
  std::size_t broke = 0;            // of them: what came
  std::optional<double> brier{};    // mean square of (chance - what came); 0 is perfect, 0.25 that of a coin
  std::size_t times = 0;            // measured, with a range foretold
  std::size_t inside = 0;           // of them: in the range
  std::size_t without_history = 0;  // patches of which nothing could be foretold
  bool operator==(const ForecastScore&) const = default;
};

struct Outlook {
  ForecastQuestion asked;
  std::optional<CandidateForecast> forecast{};  // nothing: no history, and no number is made up for it
  ForecastScore score{};
  bool only_newest = false;  // there are older rows, which were not asked
  bool operator==(const Outlook&) const = default;
};

// Of rows of one kind and source, in any order. Rows of others are an error of the caller's and count for nothing.
class CandidateForecasts {
 public:
  explicit CandidateForecasts(std::vector<Tried> rows);
  // By all rows.
  [[nodiscard]] std::optional<CandidateForecast> of(const ForecastQuestion& question) const;
  [[nodiscard]] ForecastScore score() const;

 private:
  struct LikeIt {
    Circle circle = Circle::kind;
    std::vector<const Tried*> rows;  // as they became known
    std::size_t patches = 0;
    std::size_t broke = 0;
  };
  // Of the runs that had ended by then, other than this one.
  [[nodiscard]] LikeIt within(Circle circle, const ForecastQuestion& question, const std::string& before,
                              const std::string& but_run) const;
  // In the nearest circle that has enough, or all that there are. Nothing: there is no patch like it.
  [[nodiscard]] std::optional<LikeIt> like_it(const ForecastQuestion& question, const std::string& before,
                                              const std::string& but_run) const;

  std::vector<Tried> rows_;           // decided ones; as they became known
  std::vector<std::size_t> verdict_;  // of each row: which patch in which department, numbered
  std::vector<std::size_t> patch_;    // of each of those: which patch
  std::size_t patches_ = 0;
};

// For people, each on a line of its own and without its end: what is foreseen, from which runs, how good such forecasts
// were; or that there is no history.
[[nodiscard]] std::vector<std::string> sentences_of(const Outlook& outlook);
// cli/schemas: "forecast" in tonight and history-candidate.
void to_json(Json& json, const Outlook& outlook);

}  // namespace patchlab::history

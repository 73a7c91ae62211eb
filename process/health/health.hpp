// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

// Whether the lab itself does its work: what a monitoring asks now and then, so that a night that did not happen is
// noticed by somebody. In the form of the Monitoring Plugins (their development guidelines: one line, figures behind a
// bar, an exit code).
namespace patchlab::process {

using HealthTime = std::chrono::system_clock::time_point;

// The numbers are the exit codes of a plugin.
enum class Health { ok = 0, warning = 1, critical = 2, unknown = 3 };
[[nodiscard]] const char* to_string(Health health);

// "age=3600s;93600;180000": what a monitoring draws.
struct HealthFigure {
  std::string label;
  std::int64_t value = 0;
  std::string unit;     // of the guidelines: "s", "B", "" for a count
  std::string warning;  // a range, as the guidelines write it: "20:" is alarm below 20; empty: none
  std::string critical;
};

// One thing that was looked at.
struct HealthFact {
  std::string name;  // "night", "feeds", "disk"
  Health health = Health::unknown;
  std::string says;  // a sentence without a full stop
  std::vector<HealthFigure> figures{};
};
void to_json(Json& json, const HealthFigure& figure);
void to_json(Json& json, const HealthFact& fact);

// A run as a ledger has it.
struct Night {
  std::string run;
  std::optional<HealthTime> begun;
  std::optional<HealthTime> ended;  // nothing: it has no end: it was killed, or is under way
  std::string result;               // word of its exit code, see docs/exit-codes.md
  bool complete = false;
  bool narrowed = false;                   // to a department, a role or a candidate: somebody tried something by hand
  std::vector<std::string> departments{};  // that it is about; empty: of all
};

struct NightLimits {
  std::chrono::seconds warning = std::chrono::hours(26);  // since a run ended that could tell something
  std::chrono::seconds critical = std::chrono::hours(50);
  // A department that no whole run has begun for so long, while there are runs of others, is given up: it is said, and
  // no alarm any more.
  std::chrono::seconds given_up = std::chrono::hours(24 * 30);
};

// In the order of the ledger, in which runs begin; what ended last counts. A run that ended in an error, or that was
// not complete, told nothing: the night before it counts, and that it was so is a warning. So is one that has gone on
// for longer than a night may be old. A narrowed run is no night, neither a good nor a bad one. A leak of the fence is
// critical until another run has ended, whatever has begun since, and a warning for as long again as a night may be
// old: nobody says that somebody looked. No night at all is critical: it is what this is asked for. A run of the future
// is unknown. All this is asked of each department, as several scenarios may have one ledger: a night of one says
// nothing of another. A leak is told also of one whose nights nobody asks for: only tried by hand, or given up.
[[nodiscard]] HealthFact night_health(const std::vector<Night>& nights, HealthTime now, const NightLimits& limits);

// Bytes that are free where the lab works.
[[nodiscard]] HealthFact disk_health(const std::string& folder, std::uint64_t free, std::uint64_t warning,
                                     std::uint64_t critical);

// The worst: critical, then warning, then unknown. Of nothing: unknown.
[[nodiscard]] Health worst_of(const std::vector<HealthFact>& facts);

// "PATCHLAB WARNING: night: ...; disk: ... | night_age=...". What is not fine comes first; bars and line ends in
// sentences are taken out, as they would end them.
[[nodiscard]] std::string plugin_line(const std::vector<HealthFact>& facts);

}  // namespace patchlab::process

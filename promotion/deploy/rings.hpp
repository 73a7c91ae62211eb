// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promotion/deploy/deployed.hpp"

// Rings: first one machine, then the department. Who is in which is a file of those who deploy; whether the next one
// may follow is asked of the ledger, each time anew: nobody says so by hand.
namespace patchlab::promotion {

inline constexpr const char* rings_schema = "patchlab/rings/v1";

struct Ring {
  std::string name;
  std::vector<std::string> machines;  // of production; empty: all others, only of the last one
  std::chrono::hours hours{0};        // that pass before the next one, since all of this one have it
  [[nodiscard]] bool is_rest() const { return machines.empty(); }
  bool operator==(const Ring&) const = default;
};
struct Rings {
  std::map<std::string, std::vector<Ring>> departments;
  bool signed_reports = false;  // a report that nobody signed does not say that a machine is well
  bool none_passes = false;     // nobody waits for a machine that has none of the promoted packages, and never had
  std::string sha256;           // of the file
};
// {"schema": "patchlab/rings/v1", "reports": "signed", "departments": {"finance": [
//  {"name": "canary", "machines": ["fin-dns1"], "hours": 24}, {"name": "all", "machines": "rest"}]}}
// Strict; an error (configuration) lists all problems.
[[nodiscard]] Result<Rings> parse_rings(const std::string& text, const std::string& file_name);
[[nodiscard]] Result<Rings> read_rings(const std::filesystem::path& file);
// By its name, or its number from 1 on.
[[nodiscard]] std::optional<std::size_t> find_ring(const std::vector<Ring>& rings, std::string_view word);

struct RingQuestion {
  std::string department;
  std::uint64_t serial = 0;     // that is promoted
  bool emergency = false;       // then no hours are waited for: the rings before must have it all the same
  bool signed_reports = false;  // as the file asks
  bool none_passes = false;     // the same
  std::chrono::system_clock::time_point now;
  std::uint64_t last_line = std::numeric_limits<std::uint64_t>::max();  // of the ledger, that counts
};

// What the ledger knows of one machine on what is promoted.
struct RingMachine {
  std::string name;
  // That it has it, without a report since that said otherwise: when the ledger was told first, and in which line.
  std::optional<std::chrono::system_clock::time_point> since;
  std::uint64_t since_line = 0;
  std::string why_not;     // what is against it, behind its name; empty: it has it
  std::uint64_t line = 0;  // of the last report that counts; 0: there is none
  bool passes = false;     // nothing of it is there or has to be: the ring waits for the others
};
struct RingStanding {
  std::string name;
  std::size_t number = 1;
  std::chrono::hours hours{0};
  bool is_rest = false;
  std::vector<RingMachine> machines;  // of the rest those that ever reported
  std::vector<std::string> waits;     // why it may not follow yet, a sentence each; empty: it may
  std::vector<std::string> early;     // machines that took it before its turn, a sentence each
};

// `told`: everything that machines said (told_of_stage), in the order in which it was written down: a machine is well
// when the last of it says so, was observed after all that spoke against it, and is not by hand. Hours count from the
// line of the ledger, not from what a machine says. Pure.
[[nodiscard]] std::vector<RingStanding> standing_of(const std::vector<Ring>& rings, const RingQuestion& question,
                                                    const std::vector<DeployedMachine>& told);
void to_json(Json& json, const RingStanding& standing);

// What an export says of its ring, once it may be made. An error (configuration) says why it may not follow yet.
[[nodiscard]] Result<HandoffRing> take_ring(const std::vector<Ring>& rings, std::size_t ring,
                                            const RingQuestion& question, const std::vector<DeployedMachine>& told,
                                            const std::string& rings_sha256);

}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

// How far a golden machine stands from the machine of production that it represents, as plain data. Where it comes from
// is compare.hpp; it is kept in the record of a run, since what was known then is what its verdicts rest on.
namespace patchlab::lab::facts {

// What is compared of two machines. The words (to_string) are stable API.
enum class Part { release, packages, configuration, services, ports };
inline constexpr Part all_parts[] = {Part::release, Part::packages, Part::configuration, Part::services, Part::ports};
[[nodiscard]] const char* to_string(Part part);  // "configuration"
[[nodiscard]] std::optional<Part> part_from(std::string_view word);

// One thing that is not the same on both.
struct Difference {
  Part part = Part::packages;
  std::string name;        // "bind9:amd64", "/etc/bind/named.conf", "tcp 53", "kernel"
  std::string golden;      // version, digest, state; empty: it is not there
  std::string production;  // the same
  bool of_role = false;    // belongs to what the machine is for, or nobody can tell that it does not
  bool operator==(const Difference&) const = default;
};

// What came of comparing one part.
struct PartLikeness {
  Part part = Part::packages;
  std::string not_known;   // why it could not be compared, or not as a whole; empty: it was
  std::uint64_t same = 0;  // on both, and the same
  std::uint64_t own_values =
      0;  // of these: the same but for comments and what is each machine's own (names, addresses)
  std::uint64_t only_golden = 0;
  std::uint64_t only_production = 0;
  std::uint64_t other = 0;    // on both, and not the same
  std::uint64_t of_role = 0;  // of the three above
  [[nodiscard]] std::uint64_t differing() const { return only_golden + only_production + other; }
  bool operator==(const PartLikeness&) const = default;
};

enum class LikenessState {
  unknown,  // there are no facts, or a part could not be compared: never alike, however little differs
  differs,
  alike,  // every part was compared, and nothing differs
};
[[nodiscard]] const char* to_string(LikenessState state);

struct Likeness {
  std::string production;           // what the machine calls itself; empty: there are no facts of it
  std::string facts;                // SHA-256 of the file that its facts were read from; empty: there is none
  std::string observed;             // RFC 3339: when they were collected, by its own clock; empty: never
  std::string not_known;            // why nothing at all could be compared; empty: something was
  std::vector<PartLikeness> parts;  // in the order of Part, each once; empty: nothing was compared
  // Those of the role first, then by part and name; the first `most_differences`. `parts` counts all.
  std::vector<Difference> differences;
  // SHA-256 over names and digests of the role's configuration files, own values taken out; empty: not known. Two
  // machines with the same one are set up alike for what they are for.
  std::string golden_configuration;
  std::string production_configuration;

  [[nodiscard]] LikenessState state() const;
  [[nodiscard]] const PartLikeness* part(Part wanted) const;  // null: it was not compared
  bool operator==(const Likeness&) const = default;
};
inline constexpr std::size_t most_differences = 200;

// "not like 'dns1' as of 2026-11-28T22:00:00Z: 3 packages (1 of the role), 2 configuration files".
[[nodiscard]] std::string sentence_of(const Likeness& likeness);

void to_json(Json& json, const Likeness& likeness);
// Strictly what to_json writes; problems name their place below `pointer`.
[[nodiscard]] Likeness likeness_from_json(const Json& json, const std::string& pointer,
                                          std::vector<JsonProblem>& problems);

}  // namespace patchlab::lab::facts

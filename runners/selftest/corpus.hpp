// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

// Packages that are known to be bad, or known to be good: what the lab's own checks are tested with. The corpus is data
// (scenarios/faults), and every entry becomes a recipe as those of scenarios/candidates are.
namespace patchlab::runners {

// What must be said of a candidate.
enum class Expected {
  fail,    // it fails
  review,  // it fails, or a person has to look
  clean,   // it passes, and nobody has to look
};
[[nodiscard]] const char* to_string(Expected expected);

// When the damage shows: a word of the corpus.
inline constexpr std::array<std::string_view, 8> fault_times{
    "at-once", "service-restart", "reboot", "second-boot", "load", "time", "configuration", "between-machines"};

struct Fault {
  std::string id;                 // of the candidate, too
  std::string role;               // of its file: dns, ..., host, clean
  std::string what;               // a sentence
  std::vector<std::string> like;  // rows of real regressions it is modelled on
  std::string package;            // the real one that it is made from
  std::string on;                 // role of the machine that gets it
  std::string when;               // of fault_times
  Expected expected = Expected::fail;
  std::vector<std::string> by;               // check kinds, and "state:KIND": who should see it; decides nothing
  std::map<std::string, std::string> files;  // the recipe's folder: recipe.json, postinst.sh, files/...
  std::vector<std::string> programs;         // those of them that are executable
};

struct Corpus {
  std::filesystem::path scenario;  // that has its machines
  std::string department;
  std::vector<Fault> faults;  // in order of file and place
};

// `folder`: corpus.json {"schema", "scenario", "department", "roles"}, and for each role ROLE.json {"role", "package",
// "on", "faults": [...]}. All problems in one error.
//
// A fault: {"id", "what", "like": ["D05"], "package", "on", "when", "expect": "fail"|"review"|"clean", "by"}, and what
// is done to the package: "postinst" (lines of shell, run once when it is configured; `edit SCRIPT FILE` is sed, and
// fails when it changes nothing), "at" ("start" of that script or "end"), "files" and "programs" ({path: [lines]}),
// "remove", "replace", "append" as in a recipe.
[[nodiscard]] Result<Corpus> read_corpus(const std::filesystem::path& folder);

// Those of these roles and ids (empty lists: all), and of each role at most `sample` (0: all), drawn by `seed`: the
// same for the same seed, whatever else is in the corpus. An unknown role or id is an error of usage.
struct Choice {
  std::vector<std::string> roles;
  std::vector<std::string> ids;
  std::size_t sample = 0;
  std::uint64_t seed = 1;
  // How long one took before, by id. When it says anything, a sample draws each by a chance that is the greater the
  // sooner it was told; what it does not name is taken to need unknown_seconds.
  std::map<std::string, std::int64_t> seconds{};
};
inline constexpr std::int64_t unknown_seconds = 40;
[[nodiscard]] Result<std::vector<Fault>> chosen(const Corpus& corpus, const Choice& choice);

// Writes the folders of their recipes below `folder`, which must not be there yet; by fault, in order.
[[nodiscard]] Result<std::vector<std::filesystem::path>> write_recipes(const std::vector<Fault>& faults,
                                                                       const std::filesystem::path& folder);

}  // namespace patchlab::runners

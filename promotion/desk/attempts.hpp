// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

// Every run of a stage, as its ledger has it: an attempt is written down before its first machine starts, so that none
// can vanish.
namespace patchlab::promotion {

struct RunAttempt {
  // What became of it in one department.
  struct Part {
    std::string department;
    std::string verdict;             // "pass: 3 of 4 candidates passed"; empty: the record is not there
    std::vector<std::string> fates;  // in order: "promoted by line 7 at ..., taken back by line 12", "refused: ..."
  };
  std::string run;  // id
  std::uint64_t line = 0;
  std::string begun;                 // RFC 3339
  std::string by;                    // who wrote it down: the lab, or whoever called
  std::string submitter;             // who asked for it; empty: not said
  std::uint64_t attempt = 0;         // the how manieth with the same sets
  std::vector<std::string> asked{};  // other than the whole scenario, as "--role dns"
  std::string ended;                 // RFC 3339; empty: it has no end: it was killed, or is under way
  std::string result;                // word of its exit code; empty: it has no end
  bool complete = false;
  std::vector<Part> parts;  // of those that began, in the order of their names
};
void to_json(Json& json, const RunAttempt& attempt);

// In the order of the ledger. An error: it cannot be read, or a statement in it cannot.
[[nodiscard]] Result<std::vector<RunAttempt>> attempts_of_stage(const std::filesystem::path& stage);

}  // namespace patchlab::promotion

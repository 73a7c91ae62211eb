// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "promotion/installed/installed.hpp"

// Questions about one package or update, asked of every machine, and answered from what machines said.
namespace patchlab::process {

// What is known of a machine from one time that it said something.
struct Reported {
  std::string machine;
  std::string department;  // as whoever wrote it down said; empty: nobody did
  std::string observed;    // RFC 3339
  std::string from;        // "line 12 of the ledger", "said.jsonl"
  std::vector<promotion::InstalledPackage> packages;
  std::set<std::string> updates;  // "KB5035968"
  std::set<std::string> lacks;    // packages and updates that it said to be without
  bool says_packages = false;
  bool knows_packages = false;  // of all of them: what is not here is not installed
  bool knows_updates = false;
  std::string not_known;  // why nothing is known of it; empty: it said something
};

struct Question {
  enum class Kind {
    without,   // which machines do not have it
    versions,  // which versions of it there are
  };
  Kind kind = Kind::without;
  std::string what;     // package, or "KB5035968"
  std::string version;  // at least that; empty: any
  [[nodiscard]] bool is_update() const;
  [[nodiscard]] std::string text() const;  // "without bind9=1:9.18.28-1"
};
// "KB5035968", "bind9" or "bind9=1:9.18.28-1". An error (usage) for anything else.
[[nodiscard]] Result<Question> question_without(const std::string& text);
[[nodiscard]] Result<Question> question_versions(const std::string& text);

// The words (to_string) are stable API.
enum class AnswerState {
  older,          // an earlier version than was asked for
  failed,         // its package manager ended in an error over it
  not_installed,  // of an update: it does not list it; a later one may have taken its place
  unknown,        // it never reported, or did not say
  has,
  not_for_it,  // an update of Windows, and the machine is a Debian; or the other way round
};
[[nodiscard]] const char* to_string(AnswerState state);

struct Answer {
  std::string machine;
  std::string department;
  AnswerState state = AnswerState::unknown;
  std::string version;   // that it has; several with commas
  std::string observed;  // when it said so; empty: never
  std::string from;
  std::string why;  // of what is unknown
  bool operator==(const Answer&) const = default;
};

// `said`: all that one machine said, in any order; what it observed last counts, of what it says anything of.
[[nodiscard]] Answer answer_of(const Question& question, const std::string& machine, const std::string& department,
                               std::vector<const Reported*> said);
// Whether it belongs into the list that was asked for. A package in a version that is not installed at all is no old
// one.
[[nodiscard]] bool counts(const Question& question, AnswerState state);

}  // namespace patchlab::process

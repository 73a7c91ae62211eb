// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

// Where names stand that say whose machine it is. A file that people can read and change:
// scenarios/recording/rules.json.
namespace patchlab::lab::guest::recording {

enum class NameKind { host, domain, user, other, ipv4, ipv6, mac, sid, guid, key };
[[nodiscard]] const char* to_string(NameKind kind);

struct TakeRule {
  std::string id;
  NameKind kind = NameKind::other;
  std::set<std::string> from;  // ids of replies; empty: all
  std::string after;           // the name stands behind this, whatever its case,
  std::size_t skip = 0;        // and behind as many words, of which one in quotes may have blanks,
  std::string until;           // and ends before the first of these characters
  std::string needs;           // only what holds this: "\"
};
// What is recognised by its form: of the kinds ipv4, ipv6, mac, sid and key, "mail", and "event":
// who stands below the SID of a user in what wevtutil prints as text, whose labels are translated.
struct FormRule {
  std::string id;
  std::string form;
  std::set<std::string> from;
};
struct Word {
  NameKind kind = NameKind::other;
  std::string text;
};
struct ScrubRules {
  std::vector<TakeRule> take;
  std::vector<FormRule> forms;
  std::vector<Word> words;     // that stand somewhere in any case
  std::set<std::string> keep;  // lower case: what says nothing of anybody
};

// A configuration error with all that is wrong in it.
[[nodiscard]] Result<ScrubRules> read_scrub_rules(const std::filesystem::path& file);

}  // namespace patchlab::lab::guest::recording

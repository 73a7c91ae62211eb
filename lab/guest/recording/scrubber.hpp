// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guest/recording/found_names.hpp"
#include "lab/guest/recording/name_search.hpp"
#include "lab/guest/recording/recording.hpp"

// Puts invented names in the place of those that were found. Pure.
namespace patchlab::lab::guest::recording {

// One name, and what stands in its place everywhere; for people, never in a recording.
struct Replacement {
  NameKind kind = NameKind::other;
  std::string rule;
  std::string text;
  std::string by;                  // empty: it stays, for the reason in `stays`
  std::string stays;               // "shorter than three characters"
  std::size_t places = 0;          // where it was replaced
  std::size_t in_words = 0;        // where it stayed, because it is a part of a longer word, as "corp" in "Corporation"
  std::vector<std::string> words;  // some of those
};

// The same name always becomes the same other one, whatever its case, in UTF-8, UTF-16 and old code pages, and written
// as hexadecimal digits of these. Names of machines, domains and people keep their number of characters and their case;
// addresses and SIDs do not keep their length. What was scrubbed is not changed by being scrubbed again, neither with
// the same names nor with those that are found then.
class Scrubber {
 public:
  // `code_pages`: of the machine, beside the usual ones. `made_before`: what an earlier scrubbing put in the place of
  // names, which stays.
  Scrubber(const std::vector<FoundName>& names, const std::vector<std::string>& code_pages,
           const std::set<std::string>& made_before = {});

  [[nodiscard]] std::string scrub(std::string_view bytes);
  [[nodiscard]] const std::vector<Replacement>& replacements() const { return all_; }

 private:
  using Coding = NameSearch::Coding;
  using Edge = NameSearch::Edge;
  using Needle = NameSearch::Needle;

  void add_name(std::size_t entry, const std::vector<std::string>& code_pages);
  void add_text(std::size_t entry, std::string_view utf8, Edge edge, const std::vector<std::string>& code_pages,
                const std::string& by = {});
  void add_bytes(std::size_t entry, std::string_view bytes, std::string_view by);
  void emit(std::string& out, const NameSearch::Match& match) const;
  [[nodiscard]] std::string once(std::string_view bytes, bool counts);

  std::vector<Replacement> all_;
  NameSearch search_;
};

struct Scrubbed {
  Recording recording;
  std::vector<Replacement> replacements;
  // What still looks like an address, a SID or a key in a reply, though no rule found it: "10.1.1.38 in products-64".
  std::vector<std::string> suspects;
  // Which questions for names were not answered, and why: what those would have told may stand anywhere.
  std::vector<std::string> not_learned;
  // Every command has its reply, and every name could be asked for.
  [[nodiscard]] bool is_whole() const;
};
// Names are looked for in the replies of `before`, and in `only_names`, whose replies are not kept. What stands in the
// place of names by an earlier scrubbing (Recording::replaced_by) stays.
[[nodiscard]] Scrubbed scrubbed(Recording before, const std::vector<Reply>& only_names, const ScrubRules& rules);

// For the person who looks at it before the recording is given away. It holds every name: it is not to be given away.
[[nodiscard]] std::string list_of_replacements(const Scrubbed& scrubbed);

}  // namespace patchlab::lab::guest::recording

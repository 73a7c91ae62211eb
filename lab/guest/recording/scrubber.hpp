// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guest/recording/found_names.hpp"
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
  // `code_pages`: of the machine, beside the usual ones.
  Scrubber(const std::vector<FoundName>& names, const std::vector<std::string>& code_pages);

  [[nodiscard]] std::string scrub(std::string_view bytes);
  [[nodiscard]] const std::vector<Replacement>& replacements() const { return all_; }

 private:
  enum class Coding { bytes, utf16, hex8, hex8_upper, hex16, hex16_upper };
  // What must not stand right before and behind.
  enum class Edge { none, letters, letters_and_digits, ipv4, ipv6, digits };
  struct Way {  // of writing one character
    std::string bytes;
    bool upper = false;
    bool lower = false;  // a small letter that has a capital one
  };
  struct Needle {
    std::size_t entry = 0;
    std::vector<std::vector<Way>> characters;
    Coding coding = Coding::bytes;
    Edge edge = Edge::none;
    std::string literal;  // bytes that take its place as they are; empty: the entry's text
    std::size_t length = 0;
  };
  struct Match {
    std::size_t needle = 0;
    std::size_t length = 0;
    std::vector<bool> upper;
    bool in_capitals = false;
  };

  void add_name(std::size_t entry, const std::vector<std::string>& code_pages);
  void add_text(std::size_t entry, std::string_view utf8, Edge edge, const std::vector<std::string>& code_pages,
                const std::string& by = {});
  void add_bytes(std::size_t entry, std::string_view bytes, std::string_view by);
  void add(Needle needle);
  void sort_by_first_byte();
  void choose_replacement(std::size_t entry);
  [[nodiscard]] bool is_found_in(std::string_view text) const;
  [[nodiscard]] bool match_at(std::string_view bytes, std::size_t at, Match& match, std::size_t* in_word) const;
  [[nodiscard]] bool edges_hold(const Needle& needle, std::string_view bytes, std::size_t at, std::size_t end) const;
  void emit(std::string& out, const Match& match) const;
  [[nodiscard]] std::string once(std::string_view bytes, bool counts);

  std::vector<Replacement> all_;
  std::vector<Needle> needles_;
  std::array<std::vector<std::size_t>, 256> by_first_;
};

struct Scrubbed {
  Recording recording;
  std::vector<Replacement> replacements;
  // What still looks like an address, a SID or a key in a reply, though no rule found it: "10.1.1.38 in products-64".
  std::vector<std::string> suspects;
};
// Names are looked for in `replies` and in `only_names`, whose replies are not kept.
[[nodiscard]] Scrubbed scrubbed(std::vector<Reply> replies, const std::vector<Reply>& only_names,
                                const ScrubRules& rules, const std::string& program, const std::string& recorded);

// For the person who looks at it before the recording is given away. It holds every name: it is not to be given away.
[[nodiscard]] std::string list_of_replacements(const Scrubbed& scrubbed);

}  // namespace patchlab::lab::guest::recording

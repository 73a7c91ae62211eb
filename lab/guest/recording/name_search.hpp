// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace patchlab::lab::guest::recording {

// Finds names in bytes, in whatever case and coding. However many there are, what is looked at is one tree per coding:
// what a place costs depends on how long names are, not on how many. Pure.
class NameSearch {
 public:
  enum class Coding { bytes, utf16, hex8, hex8_upper, hex16, hex16_upper };
  // What must not stand right before and behind.
  enum class Edge { none, letters, letters_and_digits, ipv4, ipv6, digits };
  struct Way {  // of writing one character
    std::string bytes;
    bool upper = false;
    bool lower = false;  // a small letter that has a capital one
  };
  struct Needle {
    std::size_t entry = 0;  // whose name it is
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

  // `alphabet`: in which the same character is always written in the same ways, as a code page.
  void add(const std::string& alphabet, Needle needle);
  [[nodiscard]] const Needle& needle(std::size_t number) const { return needles_.at(number); }

  // The longest that begins here and whose edges hold, of equally long ones the first that was added. `refused` is told
  // of those that were looked at before it and whose edges do not hold.
  [[nodiscard]] bool match_at(std::string_view bytes, std::size_t at, Match& match,
                              const std::function<void(const Needle&)>& refused = {}) const;
  [[nodiscard]] bool is_any_in(std::string_view bytes) const;

 private:
  struct Step {
    std::string bytes;
    std::size_t to = 0;
    bool upper = false;
    bool lower = false;
  };
  struct Node {
    std::vector<Step> steps;        // by bytes
    std::vector<std::size_t> ends;  // needles
  };
  struct Tree {
    std::vector<Node> nodes{1};
    std::vector<std::size_t> lengths;  // of ways; the longest first
    [[nodiscard]] const Step* step(const Node& node, std::string_view bytes) const;
  };

  void walk(const Tree& tree, std::string_view bytes, std::size_t at, std::vector<Match>& found) const;
  [[nodiscard]] static bool edges_hold(const Needle& needle, std::string_view bytes, std::size_t at, std::size_t end);

  std::vector<Needle> needles_;
  std::vector<Tree> trees_;
  std::map<std::string, std::size_t> by_alphabet_;
  std::array<std::vector<std::size_t>, 256> by_first_;  // trees in which something begins so
};

}  // namespace patchlab::lab::guest::recording

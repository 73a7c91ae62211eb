// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/name_search.hpp"

#include <algorithm>
#include <cctype>

namespace patchlab::lab::guest::recording {
namespace {

bool is_ascii_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii_digit(int c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(int c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// The character that ends at, or begins at, this place; 0: none, or not ASCII.
int before_of(std::string_view bytes, std::size_t at, std::size_t width) {
  if (at < width) return 0;
  if (width == 2 && bytes[at - 1] != '\0') return 0;
  return static_cast<unsigned char>(bytes[at - width]);
}
// Behind the "\0" that reg.exe writes between the values of a REG_MULTI_SZ another one begins.
int begin_of(std::string_view bytes, std::size_t at, std::size_t width) {
  const auto before = before_of(bytes, at, width);
  return before == '0' && at >= width && before_of(bytes, at - width, width) == '\\' ? 0 : before;
}
int behind_of(std::string_view bytes, std::size_t at, std::size_t width) {
  if (at + width > bytes.size()) return 0;
  if (width == 2 && bytes[at + 1] != '\0') return 0;
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

const NameSearch::Step* NameSearch::Tree::step(const Node& node, std::string_view bytes) const {
  if (node.steps.empty()) return nullptr;
  for (const auto length : lengths) {
    if (length > bytes.size()) continue;
    const auto wanted = bytes.substr(0, length);
    const auto found = std::ranges::lower_bound(node.steps, wanted, {},
                                                [](const auto& step) -> std::string_view { return step.bytes; });
    if (found != node.steps.end() && found->bytes == wanted) return &*found;
  }
  return nullptr;
}

void NameSearch::add(const std::string& alphabet, Needle needle) {
  if (needle.characters.empty()) return;
  const auto [place, is_new] = by_alphabet_.emplace(alphabet, trees_.size());
  if (is_new) trees_.emplace_back();
  const auto number = place->second;
  auto& tree = trees_[number];
  std::size_t at = 0;
  needle.length = 0;
  for (const auto& ways : needle.characters) {
    const auto& first = ways.front().bytes;
    needle.length += first.size();
    const auto* known = tree.step(tree.nodes[at], first);
    const auto to = known != nullptr ? known->to : tree.nodes.size();
    if (known == nullptr) tree.nodes.emplace_back();
    for (const auto& way : ways) {
      if (at == 0) {
        auto& trees = by_first_.at(static_cast<unsigned char>(way.bytes.front()));
        if (std::ranges::find(trees, number) == trees.end()) trees.push_back(number);
      }
      const auto length = std::ranges::lower_bound(tree.lengths, way.bytes.size(), std::greater{});
      if (length == tree.lengths.end() || *length != way.bytes.size()) tree.lengths.insert(length, way.bytes.size());
      auto& steps = tree.nodes[at].steps;
      const auto step = std::ranges::lower_bound(steps, way.bytes, {}, &Step::bytes);
      if (step == steps.end() || step->bytes != way.bytes) steps.insert(step, {way.bytes, to, way.upper, way.lower});
    }
    at = to;
  }
  tree.nodes[at].ends.push_back(needles_.size());
  needles_.push_back(std::move(needle));
}

void NameSearch::walk(const Tree& tree, std::string_view bytes, std::size_t at, std::vector<Match>& found) const {
  Match match;
  bool any_lower = false;
  const auto* node = &tree.nodes.front();
  for (auto end = at; const auto* step = tree.step(*node, bytes.substr(std::min(end, bytes.size())));) {
    end += step->bytes.size();
    match.upper.push_back(step->upper);
    any_lower = any_lower || step->lower;
    node = &tree.nodes[step->to];
    match.length = end - at;
    for (const auto needle : node->ends) {
      match.needle = needle;
      match.in_capitals = !any_lower && std::ranges::find(match.upper, true) != match.upper.end();
      found.push_back(match);
    }
  }
}

bool NameSearch::edges_hold(const Needle& needle, std::string_view bytes, std::size_t at, std::size_t end) {
  const bool is_hex = needle.coding != Coding::bytes && needle.coding != Coding::utf16;
  if (is_hex || needle.edge == Edge::none) return true;
  const std::size_t width = needle.coding == Coding::utf16 ? 2 : 1;
  const auto before = begin_of(bytes, at, width);
  const auto behind = behind_of(bytes, end, width);
  switch (needle.edge) {
    case Edge::none: return true;
    case Edge::letters: {
      // "ContosoAgent" is two words, "Corporation" is one.
      constexpr std::size_t long_enough = 5;
      const bool may_be_joined = needle.characters.size() >= long_enough;
      const auto joins = [&](int left, int right) {
        return is_ascii_letter(left) && is_ascii_letter(right) &&
               !(may_be_joined && std::islower(left) != 0 && std::isupper(right) != 0);
      };
      return !joins(before, behind_of(bytes, at, width)) && !joins(before_of(bytes, end, width), behind);
    }
    case Edge::letters_and_digits:
      return !is_ascii_letter(before) && !is_ascii_letter(behind) && !is_ascii_digit(before) && !is_ascii_digit(behind);
    case Edge::ipv4:
      // "~10.0.0.1" is a version of a package.
      return !is_ascii_letter(before) && !is_ascii_digit(before) && before != '.' && before != '~' && before != '_' &&
             !is_ascii_letter(behind) && !is_ascii_digit(behind) &&
             !(behind == '.' && is_ascii_digit(behind_of(bytes, end + width, width)));
    case Edge::ipv6: return !is_hex_digit(before) && before != ':' && !is_hex_digit(behind) && behind != ':';
    case Edge::digits: return !is_ascii_digit(before) && !is_ascii_digit(behind);
  }
  return true;
}

bool NameSearch::match_at(std::string_view bytes, std::size_t at, Match& match,
                          const std::function<void(const Needle&)>& refused) const {
  std::vector<Match> found;
  for (const auto tree : by_first_.at(static_cast<unsigned char>(bytes[at]))) walk(trees_[tree], bytes, at, found);
  std::ranges::sort(found, [&](const auto& a, const auto& b) {
    const auto a_length = needles_[a.needle].length;
    const auto b_length = needles_[b.needle].length;
    return a_length != b_length ? a_length > b_length : a.needle < b.needle;
  });
  for (auto& one : found) {
    if (edges_hold(needles_[one.needle], bytes, at, at + one.length)) {
      match = std::move(one);
      return true;
    }
    if (refused) refused(needles_[one.needle]);
  }
  return false;
}

bool NameSearch::is_any_in(std::string_view bytes) const {
  Match match;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (match_at(bytes, at, match)) return true;
  }
  return false;
}

}  // namespace patchlab::lab::guest::recording

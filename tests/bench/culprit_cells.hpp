// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/support/culprit_lab.hpp"

// The cells of docs/culprit-search.md: a number of candidates, what is wrong with them, and how the lab lies. Each line
// of the file that they are kept in begins with five fields that name the cell and who was measured there.
namespace patchlab::runners::tests {

struct Cell {
  std::size_t count = 0;
  const WorldKind* kind = nullptr;
  Noise noise;
};

inline std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

// Written NAME=VALUE.
class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      const auto sign = word.find('=');
      if (sign != std::string::npos) values_[word.substr(0, sign)] = word.substr(sign + 1);
    }
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  // Whether a list of words holds this one, or there is no list.
  [[nodiscard]] bool allows(const std::string& name, const std::string& word) const {
    const auto words = listed(text(name, ""));
    return words.empty() || std::ranges::count(words, word) > 0;
  }

 private:
  std::map<std::string, std::string> values_;
};

inline std::vector<Cell> cells(const Options& options) {
  static const std::vector<Noise> noises{{0, 0},    {0.001, 0}, {0.01, 0},    {0.05, 0},   {0.10, 0},
                                         {0, 0.05}, {0, 0.10},  {0.05, 0.05}, {0.05, 0.10}};
  std::vector<Cell> all;
  for (const auto& count : listed(options.text("sizes", "8,16,32,64,128,256"))) {
    for (const auto& noise : noises) {
      for (const auto& kind : world_kinds()) {
        if (options.allows("kinds", kind.name) && options.allows("flakes", fmt::format("{}", noise.flakes)) &&
            options.allows("errors", fmt::format("{}", noise.errors)))
          all.push_back({std::stoul(count), &kind, noise});
      }
    }
  }
  return all;
}

inline std::string key_of(const Cell& cell, const std::string& who) {
  return fmt::format("{};{};{};{};{}", cell.count, cell.kind->name, cell.noise.flakes, cell.noise.errors, who);
}

inline std::set<std::string> known_in(const std::string& file) {
  std::set<std::string> known;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::size_t end = 0;
    for (int field = 0; field < 5 && end != std::string::npos; ++field) end = line.find(';', end + (field > 0 ? 1 : 0));
    known.insert(line.substr(0, end));
  }
  return known;
}

}  // namespace patchlab::runners::tests

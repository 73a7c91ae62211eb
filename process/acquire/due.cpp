// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/acquire/due.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/text.hpp"

namespace patchlab::process {

std::string timeline_word(const std::string& timeline) {
  auto word = lower_case(timeline);
  std::ranges::replace(word, ' ', '-');
  return word;
}

std::vector<std::string> timeline_words(const DecisionTable& table) {
  std::vector<std::string> words;
  for (const auto& row : table.rows) {
    const auto word = timeline_word(row.timeline);
    if (std::ranges::count(words, word) == 0) words.push_back(word);
  }
  words.emplace_back("none");
  return words;
}

std::vector<WantedFile> due_files(const ScanResult& result, const std::vector<ScannedMachine>& machines,
                                  const std::set<std::string>& timelines) {
  std::vector<WantedFile> files;
  std::set<std::string> seen;
  for (const auto& row : result.rows) {
    if (row.status != RowStatus::missing && row.status != RowStatus::known_bad) continue;
    const auto* decides = row.deciding();
    const auto word = decides == nullptr ? std::string("none") : timeline_word(decides->decision.row.timeline);
    if (!timelines.empty() && !timelines.contains(word)) continue;
    for (const auto& machine : machines) {
      if (machine.department != row.department || machine.machine != row.machine) continue;
      const auto offer = std::ranges::find(machine.offers, row.item, &Offer::id);
      if (offer == machine.offers.end()) continue;
      for (const auto& file : offer->files) {
        if (file.sha256.empty() || !seen.insert(file.sha256).second) continue;
        WantedFile wanted;
        wanted.name =
            file.name.empty() ? fmt::format("{} {} {}", file.package, file.version, file.architecture) : file.name;
        wanted.sha1 = file.sha1;
        wanted.bytes = file.bytes;
        wanted.from = file.from;
        wanted.sha256 = file.sha256;
        wanted.item = row.item;
        wanted.kb = offer->kb;
        if (row.status == RowStatus::known_bad) wanted.bad = fmt::format("its update is known to be bad: {}", row.why);
        // The apt sources alone say of which source a package is.
        if (!file.source.empty()) {
          wanted.package = file.package;
          wanted.version = file.version;
          wanted.architecture = file.architecture;
        }
        files.push_back(std::move(wanted));
      }
    }
  }
  return files;
}

std::map<std::string, std::string> offered_files(const std::vector<ScannedMachine>& machines) {
  std::map<std::string, std::string> files;
  for (const auto& machine : machines) {
    for (const auto& offer : machine.offers) {
      for (const auto& file : offer.files) {
        if (!file.sha256.empty()) files.emplace(file.sha256, offer.id);
      }
    }
  }
  return files;
}

}  // namespace patchlab::process

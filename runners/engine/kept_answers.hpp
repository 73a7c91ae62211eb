// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/time.hpp"
#include "reports/record/record.hpp"

namespace patchlab::runners {

// What trials of searches answered, kept from one run to the next in a folder of the cache: a file for each execution,
// below the key of the question (memo_key.hpp). docs/adr/0020. Several runs may use one folder at the same time. Only
// this user can write there; a file that is damaged, or that is not what its name says, is removed, told and never
// believed. May be used from several threads.
class KeptAnswers {
 public:
  struct Place {
    std::filesystem::path folder;  // made when it is missing
    std::string run;               // this one: its own answers are not taken from here
    // Of what asks and where: the program's digest, the hypervisor. A part of every key.
    std::string asked_by;
    Milliseconds most_age{0};  // of an answer that is taken; 0: none is
    std::uintmax_t most_bytes = 512U << 20U;
  };
  using Tell = std::function<void(const std::string& sentence)>;
  // `clock` and what `tell` refers to must outlive it.
  KeptAnswers(Place place, const Clock& clock, Tell tell);

  // An execution by an earlier run: `reused_run` and `reused_from` name it, and what it kept lies with that run.
  // `number`: 0 is the latest, 1 the one before it, and so on. As of the first question about `key`: what others add
  // meanwhile changes no number.
  [[nodiscard]] std::optional<reports::TrialRecord> earlier(const std::string& key, std::size_t number);
  // Keeps an execution of this run. Others than pass and fail are no answers, and not kept. Trouble with the disk is
  // told, once: the run goes on.
  void keep(const std::string& key, const reports::TrialRecord& record);
  // Removes the oldest until the rest fits `most_bytes`.
  void trim();

 private:
  [[nodiscard]] std::filesystem::path folder_of(const std::string& key) const;
  [[nodiscard]] std::vector<reports::TrialRecord> read_all(const std::string& key);
  [[nodiscard]] std::optional<reports::TrialRecord> read(const std::filesystem::path& file, const std::string& key);

  Place place_;
  const Clock& clock_;
  Tell tell_;
  std::mutex mutex_;
  std::map<std::string, std::vector<reports::TrialRecord>> known_;  // by key, the latest first
  bool told_trouble_ = false;
};

}  // namespace patchlab::runners

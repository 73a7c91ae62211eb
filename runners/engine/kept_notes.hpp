// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

namespace patchlab::runners {

// What runs write down for later ones: a folder of the cache with a file for each note, below a key that says what
// everything was that decides it. Several runs may use one folder at the same time. Only this user can write there; a
// file that is damaged, or that is not what its name says, is removed, told and never believed. May be used from
// several threads.
class KeptNotes {
 public:
  struct Place {
    std::filesystem::path folder;  // made when it is missing
    std::string run;               // this one: its own notes are not read here
    // Of what asks and where: the program's digest, the hypervisor. A part of every key.
    std::string asked_by;
    Milliseconds most_age{0};  // of a note that is read; 0: none is, and none is kept
    std::uintmax_t most_bytes = 512U << 20U;
    bool reads = true;  // otherwise notes are only kept
  };
  // What a folder holds: how a note is called in sentences, and its format.
  struct Sort {
    std::string noun;    // "answer"
    std::string schema;  // "patchlab/answer/v1"
  };
  struct Note {
    std::string run;   // that kept it
    std::string name;  // that this run gave it
    std::chrono::system_clock::time_point kept;
    Json what;
  };
  using Tell = std::function<void(const std::string& sentence)>;
  // `clock` and what `tell` refers to must outlive it.
  KeptNotes(Sort sort, Place place, const Clock& clock, Tell tell);

  // Hands over the notes of other runs that are not too old, the latest run first. `take` says whether it is one that
  // may have been kept; otherwise it is removed as well.
  void read(const std::string& key, const std::function<bool(const Note&)>& take);
  // `name` tells it from others of this run below the key. Trouble with the disk is told, once: the run goes on.
  void keep(const std::string& key, const std::string& name, const Json& what);
  // Removes the oldest until the rest fits `most_bytes`.
  void trim();

 private:
  [[nodiscard]] std::filesystem::path folder_of(const std::string& key) const;
  void read_one(const std::filesystem::path& file, const std::string& key,
                const std::function<bool(const Note&)>& take);

  Sort sort_;
  Place place_;
  const Clock& clock_;
  Tell tell_;
  std::mutex mutex_;
  bool told_trouble_ = false;
};

}  // namespace patchlab::runners

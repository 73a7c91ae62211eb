// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/file_lock.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

namespace patchlab::snapshots {

// What the store knows of one state: disks with the memory of the machines in them (internal snapshots), and by what
// they were made.
struct StoredState {
  std::string key;      // SHA-256 of all that made it: who asks with it wants this state and no other
  std::string purpose;  // for people: "baseline of finance: dns, mail"
  std::string run;      // that made it
  std::chrono::system_clock::time_point made;
  Milliseconds most_age{0};                      // after that nobody wants it any more, and it is removed
  Json facts = Json::object();                   // what its maker wants to know again
  std::optional<Milliseconds> made_in{};         // how long its making took; nothing: not recorded
  std::chrono::system_clock::time_point used{};  // last; the store's own knowledge, as what follows
  std::uint64_t uses = 0;                        // how often it was brought, before it was replaced as well
  struct Disk {
    std::string machine;
    std::uint64_t bytes = 0;
    std::string sha256;
    std::uint64_t room = 0;  // that it takes in the store; the rest are holes
  };
  std::vector<Disk> disks;
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t room() const;
};

// States of machines on disk, kept from one run to the next: a folder for each, under its key. docs/adr/0023. They hold
// the memory of guests, so nobody else may look into the folder (0700, files 0600). Several runs may use one store at
// the same time, and any of them may be killed at any moment: what is not complete is not there. Nothing of an entry is
// believed that does not fit its digest; such an entry is removed, and told. May be used from several threads.
class StateStore {
 public:
  using Tell = std::function<void(const std::string& sentence)>;
  // Disks by the names of their machines.
  using Files = std::map<std::string, std::filesystem::path>;
  // `folder` is made when something is kept. `most_bytes`: of room, without holes. `clock` and what `tell` refers to
  // must outlive it.
  StateStore(std::filesystem::path folder, std::uintmax_t most_bytes, const Clock& clock, Tell tell);

  // Copies the disks of a state to these files. Nothing: there is none, or it does not please `fits`, or it is not what
  // it says, or the disk has no room; then there is nothing at these paths either.
  using Fits = std::function<bool(const StoredState&)>;
  [[nodiscard]] std::optional<StoredState> bring(const std::string& key, const Fits& fits, const Files& there);
  // Keeps copies of these disks, which nobody writes to meanwhile; of `state` it fills in the disks. Another state of
  // the same key is replaced, but of_other_runs: unless this run made it. Others are given up for it, those first that
  // are expected to save least (expected_saving.hpp). Trouble is told: the run goes on.
  enum class Replace { of_other_runs, always };
  void keep(StoredState state, const Files& disks, Replace replace = Replace::of_other_runs);
  // It was no good.
  void remove(const std::string& key);

  struct Entry {
    StoredState state;
    std::string damage;  // why it cannot be used; empty: nothing is known against it (its digests were not compared)
  };
  // What would be given up first comes first.
  [[nodiscard]] Result<std::vector<Entry>> entries() const;
  struct Gone {
    std::string key;
    std::string why;  // "older than it allows"
  };
  // Removes what is damaged, what is older than it or `most_age` allows, and of the rest what is expected to save least
  // for its room, until it fits `most_bytes`. One that is being brought at this moment is no room that could be had,
  // and stays unless it is damaged. What killed runs left is removed as well. The entries that went.
  Result<std::vector<Gone>> trim(std::uintmax_t most_bytes, std::optional<Milliseconds> most_age = std::nullopt);
  [[nodiscard]] std::uintmax_t most_bytes() const { return most_bytes_; }

 private:
  struct Opened {
    StoredState state;
    std::vector<FileDescriptor> disks;
    FileLock in_use;
  };
  [[nodiscard]] Result<std::optional<Opened>> open(const std::string& key, const Fits& fits, const Files& there) const;
  [[nodiscard]] std::filesystem::path folder_of(const std::string& key) const { return folder_ / key; }
  [[nodiscard]] Result<StoredState> read(const std::string& key) const;
  void refuse(const std::string& key, const std::string& why);
  [[nodiscard]] Result<void> write(StoredState& state, const Files& disks, Replace replace);
  [[nodiscard]] Result<void> make_room(std::uintmax_t bytes, const std::string& replaced);
  void sweep();
  [[nodiscard]] std::vector<Entry> all() const;
  [[nodiscard]] bool is_in_use(const std::string& key) const;
  struct Trimmed {
    std::vector<Gone> gone;
    std::uintmax_t left = 0;  // room of what stays, without `except`
  };
  [[nodiscard]] Trimmed trim_locked(std::uintmax_t most_bytes, std::optional<Milliseconds> most_age,
                                    const std::string& except = {});

  std::filesystem::path folder_;
  std::uintmax_t most_bytes_;
  const Clock& clock_;
  Tell tell_;
};

}  // namespace patchlab::snapshots

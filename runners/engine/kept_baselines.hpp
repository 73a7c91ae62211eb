// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "runners/engine/baseline.hpp"
#include "snapshots/store/state_store.hpp"

namespace patchlab::runners {

// The baselines of departments that are made of images, kept from one run to the next (docs/adr/0023), and with them
// states in which candidates are installed (docs/adr/0028). Those of golden domains are not: they hold production's
// memory. May be used from several threads.
class KeptBaselines {
 public:
  using Tell = std::function<void(const std::string& sentence)>;
  struct Maker {
    std::string run;      // this one
    std::string made_by;  // the program, the hypervisor, the host's processor and kernel: a part of every key
    std::uint32_t ticks;  // of the host's counter, in MHz: guests that are emulated count by it
    Milliseconds most_age{0};
    Milliseconds most_age_of_installs{0};  // 0: no state with candidates installed is taken, and none is kept
    bool takes_installs = true;            // otherwise they are only kept
  };
  // What these refer to must outlive it.
  KeptBaselines(snapshots::StateStore& store, Maker maker, const Clock& clock, Tell tell)
      : store_(store), maker_(std::move(maker)), clock_(clock), tell_(std::move(tell)) {}

  // Whether two looks at a time stamp counter, in MHz, were at hosts of the same sort.
  [[nodiscard]] static bool is_same_speed(std::int64_t a, std::int64_t b);
  // Of one department, whose cell has its disks in `folder`. Null for one of golden domains. Of departments of a run
  // that are equal one makes the baseline: `bring` of the others waits until that is kept, or will not be, or `stop`.
  [[nodiscard]] std::unique_ptr<BaselineStates> of(const cell::CellJob& job, const std::filesystem::path& folder,
                                                   std::stop_token stop);

 private:
  class OfDepartment;
  snapshots::StateStore& store_;
  const Maker maker_;
  const Clock& clock_;
  Tell tell_;
  std::mutex mutex_;
  std::set<std::string> with_installs_;               // keys of states that this run kept so
  std::map<std::string, std::string> in_the_making_;  // of each key by whom
  std::condition_variable_any is_made_;
};

}  // namespace patchlab::runners

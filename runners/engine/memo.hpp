// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "reports/record/record.hpp"
#include "runners/engine/kept_answers.hpp"

namespace patchlab::runners {

// Trials of searches with identical inputs (the same machines by golden digest, address, checks and policy; the same
// candidates by digest, in the same order) are run once and shared by all departments of a run. Baseline, control,
// batch and final trials never come from here. docs/adr/0004.
class TrialMemo {
 public:
  using Answer = std::shared_future<Result<reports::TrialRecord>>;

  // `kept`: answers of earlier runs, which must outlive it; null: there are none.
  explicit TrialMemo(KeptAnswers* kept = nullptr) : kept_(kept) {}
  [[nodiscard]] KeptAnswers* kept() const { return kept_; }

  // The answer of `key`: of whoever asked first, else of `work`, run here and now. While it is under way elsewhere,
  // `meanwhile` is called again and again, at once for the first time.
  Result<reports::TrialRecord> answer(const std::string& key, const std::function<Result<reports::TrialRecord>()>& work,
                                      const std::function<void()>& meanwhile) {
    std::promise<Result<reports::TrialRecord>> promise;
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      const auto [place, mine] = answers_.try_emplace(key);
      if (!mine) {
        answer = place->second;
      } else {
        place->second = promise.get_future().share();
      }
    }
    if (answer.valid()) {
      for (Milliseconds patience{0}; answer.wait_for(patience) != std::future_status::ready;
           patience = Milliseconds{200}) {
        meanwhile();
      }
      return answer.get();
    }
    auto result = work();
    promise.set_value(result);
    return result;
  }
  [[nodiscard]] bool knows(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    return answers_.contains(key);
  }

  // How many machines the trials of all departments are using now.
  [[nodiscard]] std::size_t machines_at_work() const { return at_work_; }
  // Counts them while it lives.
  class AtWork {
   public:
    AtWork(TrialMemo& memo, std::size_t machines) : memo_(memo), machines_(machines) { memo_.at_work_ += machines_; }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;
    ~AtWork() { memo_.at_work_ -= machines_; }

   private:
    TrialMemo& memo_;
    std::size_t machines_;
  };

 private:
  KeptAnswers* kept_;
  mutable std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::atomic<std::size_t> at_work_{0};
};

}  // namespace patchlab::runners

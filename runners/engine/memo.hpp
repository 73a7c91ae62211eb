// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "reports/record/record.hpp"

namespace patchlab::runners {

// Search trials with identical inputs (the same machines by golden digest, address, checks and policy; the same candidates by digest, in the same
// order) are run once and shared by all departments of a run. Batch, final and confirming trials never come from here.
class TrialMemo {
 public:
  using Answer = std::shared_future<Result<reports::TrialRecord>>;

  // The answer of `key`: of whoever asked first, else of `work`, run here and now. Waits when it is under way elsewhere.
  Result<reports::TrialRecord> answer(const std::string& key, const std::function<Result<reports::TrialRecord>()>& work) {
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
    if (answer.valid()) return answer.get();
    auto result = work();
    promise.set_value(result);
    return result;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
};

}  // namespace patchlab::runners

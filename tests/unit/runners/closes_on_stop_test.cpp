// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "runners/cell/client.hpp"

namespace patchlab::runners::cell {
namespace {

// Those whose close() has begun. Each waits for the other one, as if that took long.
class Ends {
 public:
  bool both_have_begun() {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    return changed_.wait_for(lock, std::chrono::seconds(5), [&] { return begun_ == 2; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
};

class SlowToEnd final : public CellClient {
 public:
  explicit SlowToEnd(Ends& ends) : ends_(ends) {}
  Result<reports::TrialRecord> prepare(const CellJob& /*job*/) override { return reports::TrialRecord{}; }
  Result<reports::TrialRecord> run_trial(const TrialJob& /*job*/) override { return reports::TrialRecord{}; }
  Result<void> probe_fence(const std::string& /*phase*/) override { return {}; }
  void close() override {
    closed = true;
    with_the_other = ends_.both_have_begun();
  }
  bool closed = false;
  bool with_the_other = false;

 private:
  Ends& ends_;
};

TEST(ClosesOnStop, AllAtOnce) {
  for (const bool is_stopped_before : {false, true}) {
    Ends ends;
    SlowToEnd one(ends), other(ends);
    {
      std::stop_source source;
      if (is_stopped_before) source.request_stop();
      const ClosesOnStop first(one, source.get_token()), second(other, source.get_token());
      source.request_stop();
    }
    EXPECT_TRUE(one.with_the_other) << is_stopped_before;
    EXPECT_TRUE(other.with_the_other) << is_stopped_before;
  }
}

TEST(ClosesOnStop, NotWithoutBeingAsked) {
  Ends ends;
  SlowToEnd cell(ends);
  std::stop_source source;
  { const ClosesOnStop closes(cell, source.get_token()); }
  source.request_stop();
  EXPECT_FALSE(cell.closed);
}

}  // namespace
}  // namespace patchlab::runners::cell

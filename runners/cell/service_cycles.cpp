// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/service_cycles.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <thread>

#include "checks/state/rules.hpp"

namespace patchlab::runners::cell {
namespace {

using lab::guest::ServiceAction;

// Between the beginnings of two checks, in real time: one that is refused at once costs the host a process each.
constexpr Milliseconds least_pause{250};

// Asks checks until it is gone.
class LoadMeanwhile {
 public:
  explicit LoadMeanwhile(const Load& load) : load_(load) {
    if (!load_.ask) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { ask(stop); });
    // The first stop is to meet somebody who asks.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return began_; });
  }
  LoadMeanwhile(const LoadMeanwhile&) = delete;
  LoadMeanwhile& operator=(const LoadMeanwhile&) = delete;

  // Waits for the check that is under way.
  void end(reports::ServiceCycles& record) {
    thread_ = {};
    record.asked = asked_;
    record.failed = failed_;
  }

 private:
  void ask(const std::stop_token& stop) {
    for (std::size_t number = 0; !stop.stop_requested(); ++number) {
      {
        const std::lock_guard lock(mutex_);
        began_ = true;
      }
      changed_.notify_all();
      const auto result = load_.ask(number);
      if (result.outcome == Outcome::pass || result.outcome == Outcome::fail) ++asked_;
      if (result.outcome == Outcome::fail || checks::is_flaky(result)) ++failed_;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, least_pause, [] { return false; });
    }
  }

  const Load& load_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool began_ = false;
  std::size_t asked_ = 0, failed_ = 0;  // of the thread while it runs
  std::jthread thread_;
};

class Cycles {
 public:
  Cycles(Guest& guest, const std::string& boot_id, Cycled& seen)
      : guest_(guest), boot_id_(boot_id), seen_(seen), deadline_(guest.context.job.policy.service_timeout) {}

  Result<void> run() {
    for (const auto& service : guest_.job.plan.services) {
      auto& record = seen_.record->services.emplace_back();
      record.name = service;
      if (auto cycled = of_service(record); !cycled) {
        if (cycled.error().error_class == ErrorClass::cancelled || !restarted_by_itself()) return cycled;
        return {};
      }
    }
    if (!seen_.record->services.empty()) (void)restarted_by_itself();
    return {};
  }

 private:
  Result<void> of_service(reports::CycledService& record) {
    PATCHLAB_ASSIGN(auto cycle, guest_.adapter->before_cycling(record.name));
    record.why_not = cycle.why_not;
    if (!record.why_not.empty()) return {};
    record.with = cycle.with;
    for (std::size_t number = 1; number <= seen_.record->planned; ++number) {
      // What follows the first that does not do so in time is done all the same: the guest is to be whole again.
      bool good = true;
      const auto told_of = [&] { return good ? record.name : std::string(); };
      for (const auto& other : cycle.with) {
        PATCHLAB_ASSIGN(const bool stopped, changed(told_of(), other, ServiceAction::stop, number, nullptr));
        good = good && stopped;
      }
      PATCHLAB_ASSIGN(const bool stopped,
                      changed(told_of(), record.name, ServiceAction::stop, number, good ? &record.stop_ms : nullptr));
      good = good && stopped;
      PATCHLAB_ASSIGN(const bool started,
                      changed(told_of(), record.name, ServiceAction::start, number, good ? &record.start_ms : nullptr));
      good = good && started;
      for (auto other = cycle.with.rbegin(); other != cycle.with.rend(); ++other) {
        PATCHLAB_ASSIGN(const bool again, changed(told_of(), *other, ServiceAction::start, number, nullptr));
        good = good && again;
      }
      if (!good) return {};
      ++record.done;
    }
    return {};
  }

  // Whether it did so in time. `told_of`: whose finding it is that it did not; empty: nobody's.
  Result<bool> changed(const std::string& told_of, const std::string& service, ServiceAction action, std::size_t number,
                       std::vector<std::int64_t>* times) {
    PATCHLAB_ASSIGN(const auto change, guest_.adapter->change_service(service, action, deadline_, guest_.context.stop));
    if (change.reached) {
      if (times != nullptr) times->push_back(change.took.count());
      return true;
    }
    if (told_of.empty()) return false;
    const auto wanted = fmt::format("{}s within {} s", to_string(action), deadline_.count() / 1000);
    auto after = fmt::format("{} after {:.1f} s, {} {} of {}", change.state.empty() ? "unknown" : change.state,
                             std::chrono::duration<double>(change.took).count(), to_string(action), number,
                             seen_.record->planned);
    if (service != told_of) after = fmt::format("'{}', which needs it: {}", service, after);
    if (!change.said.empty()) after += ": " + change.said;
    seen_.findings.push_back(checks::state::classified({checks::state::service_cycle_kind, told_of, wanted, after}));
    return false;
  }

  // An agent that is there again after a restart says so. A crash takes its time.
  bool restarted_by_itself() {
    const Wait wait{.awaited = fmt::format("the guest agent of '{}'", guest_.name()),
                    .deadline = std::min<Milliseconds>(guest_.context.job.policy.boot_timeout, std::chrono::minutes(5)),
                    .interval = Milliseconds(500),
                    .last_seen = {},
                    .stop = guest_.context.stop};
    const auto answers =
        wait_until(guest_.context.clock, wait, [&] { return guest_.agent.answers(std::chrono::seconds(2)); });
    if (!answers) return false;
    const auto now = guest_.adapter->boot_id();
    if (!now || *now == boot_id_) return false;
    seen_.findings.push_back({"boot", reports::services_phase, "runs on", "restarted by itself"});
    return true;
  }

  Guest& guest_;
  const std::string& boot_id_;
  Cycled& seen_;
  Milliseconds deadline_;
};

}  // namespace

Result<void> cycle_services(Guest& guest, const std::string& boot_id, const Load& load, Cycled& seen) {
  seen.record.emplace();
  seen.record->planned = guest.context.job.policy.service_cycles;
  if (guest.job.plan.services.empty()) return {};
  LoadMeanwhile meanwhile(load);
  auto cycled = Cycles(guest, boot_id, seen).run();
  meanwhile.end(*seen.record);
  return cycled;
}

}  // namespace patchlab::runners::cell

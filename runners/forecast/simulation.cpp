// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/forecast/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <queue>
#include <set>
#include <unordered_map>

namespace patchlab::runners::forecast {
namespace {

using Index = Course::Index;

std::int64_t transfer_ms(std::uint64_t bytes, const Hosts& hosts) {
  if (!hosts.bytes_per_ms || bytes == 0) return 0;
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(bytes) / *hosts.bytes_per_ms));
}

std::uint64_t bytes_of(const CellLoad& cell) {
  std::uint64_t bytes = 0;
  std::set<std::string> seen;
  for (const auto& [digest, size] : cell.images) bytes += seen.insert(digest).second ? size : 0;
  return bytes;
}

// Slots that can be in use at once, at most.
double slots_of(const std::vector<CellLoad>& cells, const Hosts& hosts) {
  double of_a_core = 1;
  for (const auto& cell : cells) {
    if (hosts.slots == Hosts::Slots::by_cell && cell.processors > 0)
      of_a_core = std::max(of_a_core, static_cast<double>(cell.slots) / cell.processors);
  }
  return static_cast<double>(hosts.count) * hosts.cores * of_a_core;
}

class Simulation {
 public:
  Simulation(const std::vector<CellLoad>& cells, const Hosts& hosts)
      : cells_(cells), rules_(hosts), hosts_(hosts.count) {
    result_.cells.resize(cells.size());
    running_.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) waiting_.push_back(i);
  }

  Forecast run(std::size_t parts) {
    admit();
    while (!events_.empty()) {
      const auto event = events_.top();
      events_.pop();
      now_ = event.at;
      if (event.step == begins)
        begin(event.cell);
      else
        step_ended(event.cell, event.step);
    }
    result_.bound = lower_bound(cells_, rules_);
    tell_loads(parts);
    return std::move(result_);
  }

 private:
  static constexpr Index begins = ~Index{0};  // of a cell: not the end of a step

  struct Event {
    std::int64_t at;
    std::uint64_t number;  // in the order in which they were found out
    std::size_t cell;
    Index step;
    bool operator<(const Event& other) const { return std::pair(at, number) > std::pair(other.at, other.number); }
  };
  struct Ready {
    std::size_t cell;
    Index step;
  };
  struct Slots {
    std::size_t free = 0;
    std::deque<Ready> queue;
  };
  struct Host {
    std::uint32_t processors_used = 0;
    std::uint32_t memory_used = 0;
    std::int64_t link_free = 0;
    std::set<std::string> images;
    Slots slots;  // of all its cells together
    HostLoad load;
  };
  struct Running {
    std::vector<std::uint32_t> waits_for;
    std::size_t left = 0;  // steps
    Slots slots;           // of its own
  };
  struct Question {
    bool is_answered = false;
    std::vector<Ready> waiting;  // cells, with the end of their trial
  };

  [[nodiscard]] bool together() const { return rules_.slots == Hosts::Slots::together; }
  [[nodiscard]] Slots& slots_for(std::size_t cell) {
    return together() ? hosts_[result_.cells[cell].host].slots : running_[cell].slots;
  }
  void at(std::int64_t when, std::size_t cell, Index step) { events_.push({when, number_++, cell, step}); }

  [[nodiscard]] bool fits(const Host& host, const CellLoad& cell) const {
    if (host.memory_used + cell.memory_mib > rules_.memory_mib) return false;
    return together() || host.processors_used + cell.processors <= rules_.cores;
  }

  void admit() {
    for (auto place = waiting_.begin(); place != waiting_.end();) {
      const auto host = std::ranges::find_if(hosts_, [&](const auto& one) { return fits(one, cells_[*place]); });
      if (host == hosts_.end()) {
        ++place;
        continue;
      }
      put(*place, static_cast<std::size_t>(host - hosts_.begin()));
      place = waiting_.erase(place);
    }
  }

  void put(std::size_t cell, std::size_t number) {
    const auto& load = cells_[cell];
    auto& host = hosts_[number];
    host.memory_used += load.memory_mib;
    host.processors_used += load.processors;
    host.load.peak_memory_mib = std::max(host.load.peak_memory_mib, host.memory_used);
    if (host.load.cells++ == 0) host.slots.free = rules_.cores;
    std::uint64_t missing = 0;
    for (const auto& [digest, bytes] : load.images) missing += host.images.insert(digest).second ? bytes : 0;
    auto ready = now_;
    if (rules_.bytes_per_ms && (missing > 0 || host.link_free > now_)) {
      host.load.image_bytes += missing;
      host.link_free = std::max(host.link_free, now_) + transfer_ms(missing, rules_);
      ready = host.link_free;
    }
    result_.cells[cell] = {number, now_, ready, ready};
    at(ready, cell, begins);
  }

  void begin(std::size_t cell) {
    const auto& course = *cells_[cell].course;
    auto& running = running_[cell];
    running.slots.free = cells_[cell].slots;
    running.left = course.steps().size();
    running.waits_for.resize(course.steps().size());
    for (Index i = 0; i < course.steps().size(); ++i) running.waits_for[i] = course.waits_for(i);
    if (running.left == 0) return end(cell);
    for (Index i = 0; i < course.steps().size(); ++i) {
      if (course.waits_for(i) == 0) step_is_ready(cell, i);
    }
  }

  void step_is_ready(std::size_t cell, Index step) {
    const auto& course = *cells_[cell].course;
    if (const auto* shared = course.shared_from(step)) {
      const auto [known, is_first] = questions_.try_emplace(shared->key);
      if (!is_first) {
        ++result_.shared_trials;
        if (known->second.is_answered)
          answered(cell, shared->end);
        else
          known->second.waiting.push_back({cell, shared->end});
        return;
      }
      answers_[{cell, shared->end}] = shared->key;
    }
    if (!course.steps()[step].takes_slot) return at(now_ + course.steps()[step].ms, cell, step);
    auto& slots = slots_for(cell);
    slots.queue.push_back({cell, step});
    give(slots);
  }

  void give(Slots& slots) {
    while (slots.free > 0 && !slots.queue.empty()) {
      const auto ready = slots.queue.front();
      slots.queue.pop_front();
      --slots.free;
      const auto ms = cells_[ready.cell].course->steps()[ready.step].ms;
      const auto host = result_.cells[ready.cell].host;
      hosts_[host].load.busy_ms += ms;
      if (ms > 0) busy_.push_back({host, now_, now_ + ms});
      at(now_ + ms, ready.cell, ready.step);
    }
  }

  // A trial that another cell has run: its steps are over, at no cost.
  void answered(std::size_t cell, Index end) {
    const auto& course = *cells_[cell].course;
    const auto shared = std::ranges::find(course.shared(), end, &Course::Shared::end);
    running_[cell].left -= end - shared->begin;  // its last step ends as any other
    at(now_, cell, end);
  }

  void step_ended(std::size_t cell, Index step) {
    const auto& course = *cells_[cell].course;
    auto& running = running_[cell];
    if (const auto asked = answers_.find({cell, step}); asked != answers_.end()) {
      auto& question = questions_[asked->second];
      question.is_answered = true;
      for (const auto& other : std::exchange(question.waiting, {})) answered(other.cell, other.step);
      answers_.erase(asked);
    }
    for (const auto next : course.before(step)) {
      if (--running.waits_for[next] == 0) step_is_ready(cell, next);
    }
    if (course.steps()[step].takes_slot) {
      auto& slots = slots_for(cell);
      ++slots.free;
      give(slots);
    }
    if (--running.left == 0) end(cell);
  }

  void end(std::size_t cell) {
    auto& placed = result_.cells[cell];
    placed.end_ms = now_;
    result_.makespan_ms = std::max(result_.makespan_ms, now_);
    auto& host = hosts_[placed.host];
    host.load.end_ms = now_;
    host.memory_used -= cells_[cell].memory_mib;
    host.processors_used -= cells_[cell].processors;
    running_[cell] = {};
    admit();
  }

  void tell_loads(std::size_t parts) {
    const auto whole = std::max<std::int64_t>(result_.makespan_ms, 1);
    const auto part = static_cast<double>(whole) / static_cast<double>(std::max<std::size_t>(parts, 1));
    for (auto& host : hosts_) host.load.load.assign(parts, 0.0);
    for (const auto& [host, begin, end] : busy_) {
      auto& load = hosts_[host].load.load;
      const auto first = static_cast<std::size_t>(static_cast<double>(begin) / part);
      for (auto i = first; i < parts && static_cast<double>(i) * part < static_cast<double>(end); ++i) {
        const auto from = std::max(static_cast<double>(begin), static_cast<double>(i) * part);
        const auto until = std::min(static_cast<double>(end), static_cast<double>(i + 1) * part);
        load[i] += (until - from) / part / rules_.cores;
      }
    }
    for (auto& host : hosts_) result_.hosts.push_back(std::move(host.load));
  }

  struct Busy {
    std::size_t host;
    std::int64_t begin;
    std::int64_t end;
  };

  const std::vector<CellLoad>& cells_;
  const Hosts& rules_;
  std::vector<Host> hosts_;
  std::vector<Running> running_;
  std::deque<std::size_t> waiting_;  // cells without a place
  std::unordered_map<std::string, Question> questions_;
  std::map<std::pair<std::size_t, Index>, std::string> answers_;  // by cell and the end of the trial
  std::priority_queue<Event> events_;
  std::vector<Busy> busy_;
  std::uint64_t number_ = 0;
  std::int64_t now_ = 0;
  Forecast result_;
};

}  // namespace

std::int64_t Bound::ms() const { return std::max({work_ms, memory_ms, chain_ms}); }

std::string why_not(const std::vector<CellLoad>& cells, const Hosts& hosts) {
  for (const auto& cell : cells) {
    if (cell.memory_mib > hosts.memory_mib)
      return fmt::format("'{}' asks for {} MiB of memory, a host has {}", cell.name, cell.memory_mib, hosts.memory_mib);
    if (hosts.slots == Hosts::Slots::by_cell && cell.processors > hosts.cores)
      return fmt::format("'{}' asks for {} processors, a host has {}", cell.name, cell.processors, hosts.cores);
  }
  return {};
}

Bound lower_bound(const std::vector<CellLoad>& cells, const Hosts& hosts) {
  // A shared trial is run by one cell. What a cell that only waits for it spares depends on how far that one is: only
  // where all who ask have the same course is it as far at best.
  std::unordered_map<std::string, const Course*> owner;  // null: of several courses
  std::unordered_map<std::string, std::int64_t> once;    // the least work of it
  for (const auto& cell : cells) {
    for (const auto& trial : cell.course->shared()) {
      const auto [known, is_first] = owner.try_emplace(trial.key, cell.course.get());
      if (!is_first && known->second != cell.course.get()) known->second = nullptr;
    }
  }
  struct OfCourse {
    std::int64_t work = 0;  // without shared trials
    std::int64_t chain = 0;
    std::int64_t stay = 0;  // the shortest time of any one cell: others may have answered all that is shared
  };
  std::unordered_map<const Course*, std::size_t> cells_of;
  for (const auto& cell : cells) ++cells_of[cell.course.get()];
  std::unordered_map<const Course*, OfCourse> known;
  double work = 0;
  double memory = 0;
  Bound bound;
  for (const auto& cell : cells) {
    const auto* course = cell.course.get();
    auto [of, is_new] = known.try_emplace(course);
    if (is_new) {
      of->second.work = course->work_ms();
      std::vector<bool> left_out;
      std::vector<bool> answered;
      for (const auto& trial : course->shared()) {
        std::int64_t sum = 0;
        for (auto i = trial.begin; i <= trial.end; ++i)
          sum += course->steps()[i].takes_slot ? course->steps()[i].ms : 0;
        of->second.work -= sum;
        const auto [least, first] = once.try_emplace(trial.key, sum);
        if (!first) least->second = std::min(least->second, sum);
        left_out.push_back(owner.at(trial.key) == nullptr);
        answered.push_back(left_out.back() || cells_of.at(course) > 1);
      }
      of->second.chain = course->chain_ms(left_out);
      of->second.stay = course->chain_ms(answered);
    }
    work += static_cast<double>(of->second.work);
    memory += static_cast<double>(cell.memory_mib) * static_cast<double>(of->second.stay);
    bound.chain_ms = std::max(bound.chain_ms, of->second.chain + transfer_ms(bytes_of(cell), hosts));
  }
  for (const auto& [key, ms] : once) work += static_cast<double>(ms);
  bound.work_ms = static_cast<std::int64_t>(std::floor(work / slots_of(cells, hosts)));
  const auto there = static_cast<double>(hosts.count) * hosts.memory_mib;
  if (there > 0) bound.memory_ms = static_cast<std::int64_t>(std::floor(memory / there));
  return bound;
}

Forecast simulate(const std::vector<CellLoad>& cells, const Hosts& hosts, std::size_t parts) {
  return Simulation(cells, hosts).run(parts);
}

}  // namespace patchlab::runners::forecast

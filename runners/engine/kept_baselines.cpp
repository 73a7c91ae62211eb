// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_baselines.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "runners/engine/state_key.hpp"

namespace patchlab::runners {
namespace {

using snapshots::StoredState;

std::optional<std::map<std::string, Milliseconds>> usual_ready_in(const Json& facts, const cell::CellJob& job) {
  const auto found = facts.find("usual_ready_ms");
  if (found == facts.end() || !found->is_object()) return std::nullopt;
  std::map<std::string, Milliseconds> usual;
  for (const auto& machine : job.machines) {
    const auto ready = found->find(machine.plan.name);
    if (ready == found->end() || !ready->is_number_integer() || *ready < 0) return std::nullopt;
    usual[machine.plan.name] = Milliseconds(ready->get<std::int64_t>());
  }
  return usual;
}

constexpr const char* patched_name = "patched";
constexpr const char* patched_digest_name = "patched_sha256";

// The disks have digests of their own in the store; what is said of what lies in them has this one.
std::string digest_of(const Json& patched) {
  return sha256(patched.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<cell::PatchedStates> patched_in(const Json& facts) {
  if (!facts.contains(patched_name)) return cell::PatchedStates();
  if (facts.value(patched_digest_name, Json()) != digest_of(facts.at(patched_name)))
    return infrastructure_error("what is said of them has another SHA-256");
  return cell::patched_states_from_json(facts.at(patched_name));
}

// How long the installations took. Each was made once, whichever states it is in.
Milliseconds time_of(const cell::PatchedStates& states) {
  Milliseconds sum{0};
  for (const auto& [machine, of_machine] : states) {
    std::set<std::vector<std::string>> seen;
    for (const auto& state : of_machine) {
      std::vector<std::string> prefix;
      for (std::size_t i = 0; i < std::min(state.digests.size(), state.installs.size()); ++i) {
        prefix.push_back(state.digests[i]);
        if (seen.insert(prefix).second) sum += Milliseconds(state.installs[i].duration_ms);
      }
    }
  }
  return sum;
}

bool are_equal(const cell::PatchedStates& a, const cell::PatchedStates& b) {
  const auto snapshots_of = [](const cell::PatchedStates& states) {
    std::set<std::pair<std::string, std::string>> names;
    for (const auto& [machine, of_machine] : states) {
      for (const auto& state : of_machine) names.emplace(machine, state.snapshot().text() + state.since);
    }
    return names;
  };
  return snapshots_of(a) == snapshots_of(b);
}

}  // namespace

// The same counter's differ by a few hundredths of a per cent (lab/libvirt/host_ticks), two sorts of hosts by more.
bool KeptBaselines::is_same_speed(std::int64_t a, std::int64_t b) { return std::abs(a - b) * 500 <= std::max(a, b); }

class KeptBaselines::OfDepartment final : public BaselineStates {
 public:
  OfDepartment(KeptBaselines& all, const cell::CellJob& job, const std::filesystem::path& folder, std::stop_token stop)
      : all_(all), job_(job), key_(state_key(Json(job), all.maker_.made_by)), stop_(std::move(stop)) {
    for (const auto& machine : job.machines) disks_[machine.plan.name] = folder / cell::disk_name(machine.plan.name);
  }

  ~OfDepartment() override { is_not_made_by_us(); }

  std::optional<cell::KeptBaseline> bring() override {
    auto kept = take();
    if (!kept && wait_for_who_makes_it()) kept = take();
    if (kept) is_not_made_by_us();
    return kept;
  }

  void refuse() override {
    all_.store_.remove(key_);
    brought_.reset();
    in_disks_.clear();
  }

  void heard(const Json& event) override {
    if (event.value("event", "") == "baseline") usual_ready_ = event.value("usual_ready_ms", Json::object());
  }

  void keep(const reports::TrialRecord& baseline) override {
    StoredState state{.key = key_, .purpose = {}, .run = all_.maker_.run, .made = all_.clock_.wall()};
    state.purpose = fmt::format("baseline of {}: {}", job_.department, fmt::join(baseline.machines, ", "));
    state.most_age = all_.maker_.most_age;
    state.made_in = Milliseconds(baseline.duration_ms);
    state.facts = {{"usual_ready_ms", usual_ready_}, {"ticks_mhz", all_.maker_.ticks}};
    if (usual_ready_in(state.facts, job_)) {
      brought_ = state;
      all_.store_.keep(std::move(state), disks_);
    }
    is_not_made_by_us();
  }

  // The baseline in the disks is still the one of the run that made it, and as old as that.
  void keep_installs(cell::PatchedStates states) override {
    if (!brought_ || are_equal(states, in_disks_)) return;
    {
      const std::lock_guard lock(all_.mutex_);
      if (!all_.with_installs_.insert(key_).second) return;  // a department that is alike did
    }
    for (auto& [machine, of_machine] : states) {
      for (auto& state : of_machine) {
        for (auto& install : state.installs) {
          if (install.installed_run.empty()) install.installed_run = all_.maker_.run;
        }
      }
    }
    auto state = *brought_;
    state.disks.clear();
    state.purpose = state.purpose.substr(0, state.purpose.find(with_installs));
    state.facts.erase(patched_name);
    state.facts.erase(patched_digest_name);
    if (state.made_in) state.made_in = std::max(Milliseconds{0}, *state.made_in - time_of(in_disks_)) + time_of(states);
    if (!states.empty()) {
      const Json patched = states;
      state.facts[patched_name] = patched;
      state.facts[patched_digest_name] = digest_of(patched);
      std::vector<std::string> machines;
      for (const auto& [machine, of_machine] : states) machines.push_back(machine);
      state.purpose += fmt::format("{}{}", with_installs, fmt::join(machines, ", "));
    }
    all_.store_.keep(std::move(state), disks_, snapshots::StateStore::Replace::always);
  }

 private:
  // What is in the store, its disks put in place.
  std::optional<cell::KeptBaseline> take() {
    std::string damage;
    const auto fits = [&](const StoredState& state) {
      if (const auto patched = patched_in(state.facts); !patched) damage = patched.error().message;
      return damage.empty() && all_.clock_.wall() - state.made <= all_.maker_.most_age &&
             usual_ready_in(state.facts, job_) &&
             is_same_speed(state.facts.value("ticks_mhz", std::int64_t{0}), all_.maker_.ticks);
    };
    auto state = all_.store_.bring(key_, fits, disks_);
    if (!damage.empty()) {
      all_.tell_(fmt::format("the kept state '{}' is not used, and removed: of its candidates: {}", key_, damage));
      all_.store_.remove(key_);
    }
    if (!state) return std::nullopt;
    brought_ = std::move(*state);
    cell::KeptBaseline kept{brought_->run, *usual_ready_in(brought_->facts, job_)};
    in_disks_ = patched_in(brought_->facts).value();
    for (const auto& [machine, states] : in_disks_) {
      for (const auto& one : states) {
        if (may_be_used(one))
          kept.patched[machine].push_back(one);
        else
          kept.useless[machine].push_back(one.snapshot().text());
      }
    }
    return kept;
  }

  // Its making is this department's, or another one that is equal makes it: true when that has ended. A second time is
  // not waited: what the first did not keep, a second would not either, and the rest start beside each other.
  bool wait_for_who_makes_it() {
    std::unique_lock lock(all_.mutex_);
    const auto [by, is_ours] = all_.in_the_making_.try_emplace(key_, job_.department);
    makes_it_ = is_ours;
    if (is_ours) return true;  // it may have been kept since it was looked for
    all_.tell_(
        fmt::format("{}: waits for the baseline of '{}', whose machines are equal", job_.department, by->second));
    return all_.is_made_.wait(lock, stop_, [&] { return !all_.in_the_making_.contains(key_); });
  }

  void is_not_made_by_us() {
    if (!std::exchange(makes_it_, false)) return;
    const std::lock_guard lock(all_.mutex_);
    all_.in_the_making_.erase(key_);
    all_.is_made_.notify_all();
  }

  [[nodiscard]] bool may_be_used(const cell::PatchedState& state) const {
    const auto age = all_.clock_.wall() - *parse_rfc3339(state.since);
    const auto& maker = all_.maker_;
    return maker.takes_installs && age >= age.zero() && age <= maker.most_age_of_installs;
  }

  static constexpr const char* with_installs = "; with candidates installed on ";

  KeptBaselines& all_;
  const cell::CellJob& job_;
  const std::string key_;
  const std::stop_token stop_;
  bool makes_it_ = false;
  snapshots::StateStore::Files disks_;
  Json usual_ready_;
  std::optional<StoredState> brought_;  // or kept tonight: the baseline in the disks
  cell::PatchedStates in_disks_;        // beside it, when it was brought
};

std::unique_ptr<BaselineStates> KeptBaselines::of(const cell::CellJob& job, const std::filesystem::path& folder,
                                                  std::stop_token stop) {
  if (job.libvirt) return nullptr;
  return std::make_unique<OfDepartment>(*this, job, folder, std::move(stop));
}

}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_baselines.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "runners/engine/state_key.hpp"

namespace patchlab::runners {
namespace {

using snapshots::StoredState;

// Two looks at the same counter differ by a few hundredths of a per cent (lab/libvirt/host_ticks), two sorts of hosts
// by more.
bool is_same_speed(std::int64_t a, std::int64_t b) { return std::abs(a - b) * 500 <= std::max(a, b); }

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

}  // namespace

class KeptBaselines::OfDepartment final : public BaselineStates {
 public:
  OfDepartment(KeptBaselines& all, const cell::CellJob& job, const std::filesystem::path& folder)
      : all_(all), job_(job), key_(state_key(Json(job), all.maker_.made_by)) {
    for (const auto& machine : job.machines) disks_[machine.plan.name] = folder / cell::disk_name(machine.plan.name);
  }

  std::optional<cell::KeptBaseline> bring() override {
    const auto fits = [this](const StoredState& state) {
      return all_.clock_.wall() - state.made <= all_.maker_.most_age && usual_ready_in(state.facts, job_) &&
             is_same_speed(state.facts.value("ticks_mhz", std::int64_t{0}), all_.maker_.ticks);
    };
    const auto state = all_.store_.bring(key_, fits, disks_);
    if (!state) return std::nullopt;
    return cell::KeptBaseline{state->run, *usual_ready_in(state->facts, job_)};
  }

  void refuse() override { all_.store_.remove(key_); }

  void heard(const Json& event) override {
    if (event.value("event", "") == "baseline") usual_ready_ = event.value("usual_ready_ms", Json::object());
  }

  void keep(const reports::TrialRecord& baseline) override {
    StoredState state{.key = key_, .purpose = {}, .run = all_.maker_.run, .made = all_.clock_.wall()};
    state.purpose = fmt::format("baseline of {}: {}", job_.department, fmt::join(baseline.machines, ", "));
    state.most_age = all_.maker_.most_age;
    state.facts = {{"usual_ready_ms", usual_ready_}, {"ticks_mhz", all_.maker_.ticks}};
    if (usual_ready_in(state.facts, job_)) all_.store_.keep(std::move(state), disks_);
  }

 private:
  KeptBaselines& all_;
  const cell::CellJob& job_;
  const std::string key_;
  snapshots::StateStore::Files disks_;
  Json usual_ready_;
};

std::unique_ptr<BaselineStates> KeptBaselines::of(const cell::CellJob& job, const std::filesystem::path& folder) {
  if (job.libvirt) return nullptr;
  return std::make_unique<OfDepartment>(*this, job, folder);
}

}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/cell.hpp"

#include <fmt/ranges.h>

#include <mutex>
#include <thread>

#include "checks/state/learnt.hpp"
#include "reports/record/queries.hpp"
#include "runners/cell/trial_course.hpp"
#include "snapshots/store/cell_checkpoint.hpp"

namespace patchlab::runners::cell {

using reports::PhaseRecord;
using reports::Purpose;
using reports::TrialRecord;

void conclude(TrialRecord& record) {
  record.outcome = record.phases.empty() && record.installs.empty() ? Outcome::not_reached : Outcome::skipped;
  for (const auto* installs : {&record.installs, &record.removals}) {
    for (const auto& install : *installs) record.outcome = combine(record.outcome, install.outcome);
  }
  for (const auto& phase : record.phases) {
    record.outcome = combine(record.outcome, phase.outcome);
    if (phase.error && !record.error) record.error = phase.error;
  }
  if (record.error) record.outcome = Outcome::error;
  record.signature = reports::failure_signature(record);
}

Cell::Cell(CellContext& context, FenceProbe probe_fence, InsideProbe probe_inside)
    : context_(context), probe_fence_(std::move(probe_fence)), probe_inside_(std::move(probe_inside)) {
  forget();
}
Cell::~Cell() = default;

void Cell::for_each(const Machines& machines, const std::function<void(CellMachine&)>& work) {
  std::vector<std::jthread> threads;
  threads.reserve(machines.size());
  for (auto* machine : machines) threads.emplace_back([machine, &work] { work(*machine); });
}

void Cell::forget() {
  machines_.clear();
  for (const auto& job : context_.job.machines) machines_[job.plan.name] = std::make_unique<CellMachine>(context_, job);
}

Cell::Machines Cell::all() {
  Machines machines;
  for (auto& [name, machine] : machines_) machines.push_back(machine.get());
  return machines;
}

TrialRecord Cell::prepare() {
  if (++baselines_ > 1) forget();
  const auto trial = baselines_ == 1 ? std::string("baseline") : fmt::format("baseline-{}", baselines_);
  TrialRecord record{.id = context_.job.department + "/" + trial,
                     .purpose = Purpose::baseline,
                     .started = rfc3339(context_.clock.wall())};
  const auto& kept = context_.job.kept_baseline;
  if (kept) record.state_of_run = kept->run;
  const auto start = context_.clock.now();
  std::mutex mutex;
  const auto note = [&](const Error& error) {
    const std::lock_guard lock(mutex);
    if (!record.error) record.error = error;
  };
  probe_fence_("before");
  for_each(all(), [&](CellMachine& machine) {
    auto up = kept ? machine.go_on_from_kept(record.id, *kept) : machine.boot(record.id);
    if (!up) {
      note(std::move(up).error().while_doing(
          fmt::format("{} '{}' for the baseline", kept ? "reverting" : "booting", machine.name())));
    } else {
      probe_inside_("before", record.id, machine, {});  // before any patch, and while others still boot
    }
  });
  if (!record.error) {
    for_each(all(), [&](CellMachine& machine) {
      auto phase = machine.observe_baseline();
      const std::lock_guard lock(mutex);
      record.phases.push_back(std::move(phase));
    });
  }
  for (const auto& [name, machine] : machines_) record.machines.push_back(name);
  std::ranges::sort(record.phases, {}, &PhaseRecord::machine);
  conclude(record);
  // A baseline that fails a check is the lab's or production's trouble, never a patch's: nothing was applied yet.
  if (record.outcome == Outcome::fail) {
    record.error = guest_error(
        fmt::format("broken baseline: {} failed before any patch was applied", fmt::join(record.signature, ", ")));
    record.outcome = Outcome::error;
  }
  if (record.outcome == Outcome::pass) {
    if (auto saved = save(record); !saved) {
      record.error = std::move(saved).error();
      record.outcome = Outcome::error;
    }
  }
  for_each(all(), [&](CellMachine& machine) {
    if (record.outcome != Outcome::pass) machine.save_evidence(context_.job.evidence / trial / machine.name());
    (void)context_.hypervisor.power_off(machine.name());
  });
  if (record.outcome != Outcome::pass) record.evidence_folder = "evidence/" + record.id;
  record.duration_ms = (context_.clock.now() - start).count();
  return record;
}

Result<void> Cell::save(const TrialRecord& baseline) {
  const TimedStep step(context_.events, context_.clock, "", baseline.id, "snapshot",
                       "the department to be saved as one checkpoint");
  snapshots::CellCheckpoint checkpoint(context_.hypervisor, 2);
  // Trials start from tonight's, with the clock of tonight. Of the earlier run's is no more need, unless states with
  // candidates installed are kept with it.
  const auto& job = context_.job;
  const auto name =
      job.kept_baseline && job.keep_installs ? snapshots::SnapshotName::tonight() : snapshots::SnapshotName::baseline();
  if (job.kept_baseline && !job.keep_installs) PATCHLAB_TRY(checkpoint.drop(baseline.machines, name));
  PATCHLAB_TRY(checkpoint.take(baseline.machines, name));
  for (const auto& [machine, clone] : machines_) clone->begin_with(name);
  Json usual = Json::object();
  for (const auto& [machine, clone] : machines_) usual[machine] = clone->usual_ready().count();
  context_.events({{"event", "baseline"}, {"trial", baseline.id}, {"usual_ready_ms", usual}});
  return {};
}

Json Cell::control_knowledge() {
  auto knowledge = Json::object();
  for (const auto& [name, machine] : machines_) knowledge[name] = machine->control_knowledge();
  return knowledge;
}

Result<void> Cell::know(const Json& knowledge) {
  const Error other{ErrorClass::bug, "what a control taught is of other machines", {}};
  if (!knowledge.is_object() || knowledge.size() != machines_.size()) return other;
  std::map<std::string, ControlKnowledge> by_machine;
  for (const auto& [name, of_machine] : knowledge.items()) {
    if (!machines_.contains(name)) return other;
    PATCHLAB_ASSIGN(by_machine[name], control_knowledge_from_json(of_machine));
  }
  for (const auto& [name, of_machine] : by_machine) machines_.at(name)->know(of_machine);
  return {};
}

void Cell::forget_installs() {
  std::size_t forgotten = 0;
  for (const auto& [name, machine] : machines_) forgotten += machine->forget_states_of_earlier_runs();
  if (forgotten > 0) context_.events({{"event", "note"}, {"text", "what earlier runs installed is not used any more"}});
}

Result<Json> Cell::installs_for_later(const std::map<std::string, std::vector<std::string>>& digests) {
  auto all = Json::object();
  for (const auto& [name, machine] : machines_) {
    const auto wanted = digests.find(name);
    PATCHLAB_ASSIGN(const auto states,
                    machine->states_for_later(wanted == digests.end() ? std::vector<std::string>() : wanted->second)
                        .while_doing("keeping '" + name + "' with candidates installed"));
    if (!states.empty()) all[name] = states;
  }
  return all;
}

Result<LearntMachines> Cell::learn(const LearnJob& job) {
  std::mutex mutex;
  std::optional<Error> trouble;
  LearntMachines learnt;
  const auto note = [&](Error error) {
    const std::lock_guard lock(mutex);
    if (!trouble) trouble = std::move(error);
  };
  probe_fence_("before");
  for_each(all(), [&](CellMachine& machine) {
    if (auto booted = machine.boot("learn"); !booted)
      note(std::move(booted).error().while_doing(fmt::format("booting '{}'", machine.name())));
    else
      probe_inside_("before", "learn", machine, {});
  });
  Machines wanted;
  if (!trouble) {
    for (const auto& [name, machine] : machines_) {
      if (job.machines.contains(name)) wanted.push_back(machine.get());
    }
  }
  for_each(wanted, [&](CellMachine& machine) {
    auto found = machine.learn(job.machines.at(machine.name()));
    if (!found) return note(std::move(found).error().while_doing(fmt::format("asking '{}'", machine.name())));
    const std::lock_guard lock(mutex);
    learnt[machine.name()] = std::move(*found);
  });
  for_each(all(), [&](CellMachine& machine) {
    if (trouble) machine.save_evidence(context_.job.evidence / "learn" / machine.name());
    (void)context_.hypervisor.power_off(machine.name());
  });
  if (trouble) return std::move(*trouble);
  return learnt;
}

Result<GuestReplies> Cell::record() {
  probe_fence_("before");
  auto& machine = *machines_.begin()->second;
  auto replies = machine.record();
  // What is no Windows machine would not answer as one either.
  if (!replies && replies.error().error_class != ErrorClass::configuration)
    machine.save_evidence(context_.job.evidence / "record" / machine.name());
  (void)context_.hypervisor.power_off(machine.name());
  return std::move(replies).while_doing(fmt::format("recording '{}'", machine.name()));
}

Cell::PutIn Cell::put_in(const TrialJob& job) {
  PutIn done;
  auto& record = done.record;
  record = {.id = job.id,
            .purpose = job.purpose,
            .candidates = job.candidates,
            .set_digest = job.set_digest,
            .machines = job.machines,
            .started = rfc3339(context_.clock.wall())};
  const auto start = context_.clock.now();
  std::mutex mutex;
  const auto note = [&](Error error) {
    const std::lock_guard lock(mutex);
    if (!record.error) record.error = std::move(error);
  };
  probe_fence_("before");
  for_each(all(), [&](CellMachine& machine) {
    if (auto booted = machine.boot(job.id); !booted)
      note(std::move(booted).error().while_doing(fmt::format("booting '{}'", machine.name())));
    else
      probe_inside_("before", job.id, machine, {});
  });
  Machines targets;
  for (const auto& [name, installs] : job.installs) targets.push_back(machines_.at(name).get());
  if (!record.error) {
    for_each(targets, [&](CellMachine& machine) {
      auto put = put_into(machine, job);
      if (put.trouble) note(std::move(*put.trouble));
      const std::lock_guard lock(mutex);
      std::ranges::move(put.installs, std::back_inserter(record.installs));
      done.packages[machine.name()] = std::move(put.packages);
    });
  }
  std::ranges::stable_sort(record.installs, {}, &reports::InstallRecord::machine);
  conclude(record);
  for_each(all(), [&](CellMachine& machine) {
    if (record.error) machine.save_evidence(context_.job.evidence / "refresh" / machine.name());
    (void)context_.hypervisor.power_off(machine.name());
  });
  record.duration_ms = (context_.clock.now() - start).count();
  forget();
  return done;
}

Cell::PutInto Cell::put_into(CellMachine& machine, const TrialJob& job) {
  PutInto done;
  const auto work = [&]() -> Result<void> {
    PATCHLAB_TRY(machine.package_list());  // as it is before
    std::optional<Error> error;
    done.installs = machine.install(job.id, job.installs.at(machine.name()), job.media.at(machine.name()), error);
    if (error) return std::move(*error);
    for (const auto& install : done.installs) {
      if (install.outcome == Outcome::pass || install.outcome == Outcome::skipped) continue;
      return guest_error(fmt::format("'{}' is not installed: {}{}", install.candidate, to_string(install.outcome),
                                     install.log.empty() ? "" : ": " + install.log));
    }
    PATCHLAB_ASSIGN(done.packages, machine.package_list());
    return machine.shut_down(job.id);
  };
  if (auto worked = work(); !worked)
    done.trouble = std::move(worked).error().while_doing(fmt::format("putting patches into '{}'", machine.name()));
  return done;
}

// The steps of one trial with a barrier between them: dependent roles are only looked at when all of them are up.
class Cell::Trial {
 public:
  Trial(Cell& cell, const TrialJob& job) : cell_(cell), context_(cell.context_), job_(job) {
    record_ = {.id = job.id,
               .purpose = job.purpose,
               .candidates = job.candidates,
               .set_digest = job.set_digest,
               .machines = job.machines,
               .started = rfc3339(context_.clock.wall())};
    for (const auto& name : job.machines) machines_.push_back(cell.machines_.at(name).get());
  }

  TrialRecord run() {
    const auto start = context_.clock.now();
    for (const auto step : steps_of(job_.purpose)) carry_out(step);
    conclude(record_);
    clean_up();
    record_.duration_ms = (context_.clock.now() - start - beside_took_).count();
    return std::move(record_);
  }

 private:
  void carry_out(TrialStep step) {
    switch (step) {
      case TrialStep::revert: return revert();
      case TrialStep::install:
        if (!record_.error) install();
        return;
      case TrialStep::remove: return remove();
      case TrialStep::phases: return look_at_phases();
      case TrialStep::fence:
        if (go_on()) probe_fence();
        return;
    }
  }
  void look_at_phases() {
    const auto phases = phases_of(job_, context_.job.policy);
    if (!phases.empty()) last_phase_ = phases.back();
    for (const auto& phase : phases) carry_out(phase);
    look_at_effects();
    if (goes_on_beside()) timed_beside([this] { ask_beside_of_lost(); });
  }
  // By what was seen in the phases; asks nothing of the guests. A finding stands in the last phase that saw its
  // machine.
  void look_at_effects() {
    if (job_.purpose == Purpose::removal) return;  // what it saw last is the baseline again
    for (auto& install : record_.installs) {
      auto finding = cell_.machines_.at(install.machine)->look_at_effect(install);
      if (!finding) continue;
      const auto saw_it = [&](const auto& phase) {
        return phase.machine == install.machine && phase.outcome != Outcome::not_reached && !phase.error;
      };
      const auto last = std::find_if(record_.phases.rbegin(), record_.phases.rend(), saw_it);
      if (last != record_.phases.rend()) last->differences.push_back(std::move(*finding));
    }
  }

  // From all places at once. What a patch has broken is no trouble of the proof.
  void probe_fence() {
    const std::jthread inside([this] {
      for_each(machines_, [&](CellMachine& machine) {
        cell_.probe_inside_("during", job_.id, machine, has_failed(machine) ? "it failed in this trial" : "");
      });
    });
    cell_.probe_fence_("during");
  }

  void note(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!record_.error) record_.error = error;
  }
  [[nodiscard]] bool has_failed(const CellMachine& machine) {
    const std::lock_guard lock(mutex_);
    return failed_.contains(machine.name());
  }
  // It is not looked at any more: what is not installed, does not start or gives no answer shows nothing of a patch.
  void lost(const std::string& machine) {
    const std::lock_guard lock(mutex_);
    failed_.insert(machine);
    lost_.insert(machine);
  }
  [[nodiscard]] bool sees_all() const { return cell::sees_all(job_.purpose); }
  [[nodiscard]] bool go_on() const {
    if (record_.error || declined_ || context_.stop.stop_requested()) return false;
    return failed_.empty() || !job_.stop_at_first_failure;
  }
  [[nodiscard]] Machines working(const Machines& machines) const {
    Machines left;
    std::ranges::copy_if(machines, std::back_inserter(left),
                         [&](auto* machine) { return !lost_.contains(machine->name()); });
    return left;
  }
  [[nodiscard]] Machines rebooting() const {
    Machines chosen;
    std::ranges::copy_if(machines_, std::back_inserter(chosen),
                         [&](auto* machine) { return is_restarted(job_, machine->name()); });
    return chosen;
  }
  [[nodiscard]] bool is_to_learn() const { return job_.purpose == Purpose::control && !job_.judged; }
  [[nodiscard]] bool whole_department() const { return job_.machines.size() == cell_.machines_.size(); }
  [[nodiscard]] Machines concerned(const Machines& rebooted) const {
    std::set<std::string> names;
    for (const auto* machine : rebooted) names.insert(machine->name());
    Machines chosen;
    std::ranges::copy_if(machines_, std::back_inserter(chosen),
                         [&](auto* machine) { return is_concerned(machine->job().plan, names, whole_department()); });
    return chosen;
  }

  [[nodiscard]] CellMachine::Checkpoints checkpoints_for(const CellMachine& machine) const {
    return may_use_installs(job_, machine.job().plan) ? CellMachine::Checkpoints::yes : CellMachine::Checkpoints::no;
  }

  void revert() {
    static const std::vector<InstallJob> nothing;
    for_each(machines_, [&](CellMachine& machine) {
      const auto jobs = job_.installs.find(machine.name());
      if (auto reverted =
              machine.revert(job_.id, jobs == job_.installs.end() ? nothing : jobs->second, checkpoints_for(machine));
          !reverted) {
        note(std::move(reverted).error().while_doing(
            fmt::format("reverting '{}' to where the trial begins", machine.name())));
      }
    });
  }

  void install() {
    // The longest first: what is begun last goes on when nothing else is left to do.
    auto machines = machines_;
    std::ranges::stable_sort(machines, std::ranges::greater{},
                             [&](const auto* machine) { return work_on(job_, machine->name()); });
    for_each(machines, [&](CellMachine& machine) {
      const auto jobs = job_.installs.find(machine.name());
      if (jobs == job_.installs.end()) return;
      std::optional<Error> error;
      auto records = machine.install(job_.id, jobs->second, job_.media.at(machine.name()), error);
      if (error) note(*error);
      if (std::ranges::any_of(records, [](const auto& record) { return record.outcome != Outcome::pass; }))
        lost(machine.name());
      const std::lock_guard lock(mutex_);
      if (std::ranges::count(records, Outcome::skipped, &reports::InstallRecord::outcome) > 0) declined_ = true;
      std::ranges::move(records, std::back_inserter(record_.installs));
    });
  }

  // Restarts that are due come first, as they would in production between the installation and the regret.
  void remove() {
    const auto if_due = [&](CellMachine& machine) {
      auto trouble = machine.reboot(job_.id, reports::after_removal_phase, CellMachine::Reboot::if_due);
      if (trouble) keep(std::move(*trouble), Machine::lost);
    };
    if (go_on()) for_each(working(rebooting()), if_due);
    if (!go_on()) return;
    for_each(working(rebooting()), [&](CellMachine& machine) {
      std::optional<Error> error;
      auto records = machine.remove(job_.id, job_.installs.at(machine.name()), error);
      if (error) {
        note(*error);
        lost(machine.name());
      }
      const std::lock_guard lock(mutex_);
      std::ranges::move(records, std::back_inserter(record_.removals));
    });
    if (go_on()) for_each(working(rebooting()), if_due);
  }

  void examine(const std::string& phase, const Machines& machines) {
    const auto learning = is_to_learn() ? CellMachine::Learning::yes : CellMachine::Learning::no;
    for_each(machines, [&](CellMachine& machine) {
      auto seen = machine.examine(job_.id, phase, learning);
      // Behind all that we look at there: what a plugin leaves in the logs is nothing that a patch did.
      if (asks_beside(phase, machine)) seen.beside = machine.ask_beside(job_.id);
      keep(std::move(seen));
    });
  }

  // Others are asked after the installation, and when everything was restarted and ran on for a while.
  [[nodiscard]] bool asks_beside(const std::string& phase, const CellMachine& machine) const {
    return !machine.job().plan.beside.empty() && (phase == reports::after_install_phase || phase == last_phase_);
  }
  // A trial that ends at its first failure goes on for those that have not seen anything yet: what ended it was our
  // verdict and not theirs. Of each set it is enough when one has seen it.
  [[nodiscard]] bool goes_on_beside() const {
    if (record_.error || declined_ || beside_is_over_ || context_.stop.stop_requested()) return false;
    const auto is_good = [](const auto& install) { return install.outcome == Outcome::pass; };
    if (!std::ranges::all_of(record_.installs, is_good)) return false;
    std::set<std::string> sets;
    for (const auto* machine : machines_) {
      for (const auto& spec : machine->job().plan.beside) sets.insert(reports::beside_set(spec.id));
    }
    for (const auto& phase : record_.phases) {
      if (phase.outcome == Outcome::error) return false;
      for (const auto& result : phase.beside) {
        if (reports::is_alarm(result)) sets.erase(reports::beside_set(result.id));
      }
    }
    return !sets.empty();
  }
  // It is no time of the trial, which was over.
  void timed_beside(const std::function<void()>& work) {
    const auto start = context_.clock.now();
    work();
    beside_took_ += context_.clock.now() - start;
  }
  // A machine that did not come back from its last restart is not examined any more.
  void ask_beside_of_lost() {
    for_each(machines_, [&](CellMachine& machine) {
      const auto is_its_last = [&](const auto& phase) {
        return phase.phase == last_phase_ && phase.machine == machine.name();
      };
      const auto last = std::ranges::find_if(record_.phases, is_its_last);
      if (last == record_.phases.end() || !last->beside.empty() || !asks_beside(last_phase_, machine)) return;
      last->beside = machine.ask_beside(job_.id);
    });
  }
  void go_on_beside(const std::string& phase) {
    const auto patched = rebooting();
    const auto machines = concerned(patched);
    if (phase == reports::stability_phase) {
      for_each(machines, [&](CellMachine& machine) { (void)machine.run_on(job_.id, context_.job.policy.stability); });
    } else if (phase != reports::services_phase &&
               phase != reports::next_package_phase) {  // nobody's alarm is to be that of a service that we stopped
      const auto kind = next_reboot();
      for_each(patched, [&](CellMachine& machine) {
        keep_evidence_of_failure(machine);
        const auto trouble = machine.reboot(job_.id, phase, kind);
        const std::lock_guard lock(mutex_);
        if (trouble && trouble->outcome == Outcome::error) beside_is_over_ = true;  // of the lab: nobody saw a thing
      });
    }
    for_each(machines, [&](CellMachine& machine) {
      auto nothing = nothing_of(phase, machine.name());
      if (!beside_is_over_ && asks_beside(phase, machine)) nothing.beside = machine.ask_beside(job_.id);
      const std::lock_guard lock(mutex_);
      record_.phases.push_back(std::move(nothing));
    });
  }

  enum class Machine { can_go_on, lost };
  // The first failure of a machine is what it failed with. What could not be seen behind that was not observed: it is
  // no trouble of the lab, by which a trial that has its answer would be lost.
  void keep(PhaseRecord phase, Machine machine = Machine::can_go_on) {
    const std::lock_guard lock(mutex_);
    const bool seen = phase.outcome == Outcome::pass || phase.outcome == Outcome::fail;
    if (failed_.contains(phase.machine) && !seen) {
      auto nothing = nothing_of(phase.phase, phase.machine);
      nothing.beside = std::move(phase.beside);
      phase = std::move(nothing);
      machine = Machine::lost;
    }
    if (phase.outcome != Outcome::pass) {
      failed_.insert(phase.machine);
      if (machine == Machine::lost || !seen || !sees_all()) lost_.insert(phase.machine);
    }
    record_.phases.push_back(std::move(phase));
  }

  [[nodiscard]] CellMachine::Reboot next_reboot() {
    return reboots_++ < context_.job.policy.warm_reboots ? CellMachine::Reboot::warm : CellMachine::Reboot::cold;
  }

  void carry_out(const std::string& phase) {
    if (!go_on())
      return goes_on_beside() ? timed_beside([&] { go_on_beside(phase); }) : not_reached(phase, rebooting());
    const auto patched = working(rebooting());
    switch (begin_of(phase)) {
      case PhaseBegin::nothing: return examine(phase, working(machines_));
      case PhaseBegin::run_on: run_on(working(concerned(patched))); break;
      case PhaseBegin::cycle_services: cycle_services(patched); break;
      case PhaseBegin::install_next: install_next(patched); break;
      case PhaseBegin::move_clocks: move_clocks(phase); break;
      case PhaseBegin::restart: {
        const auto kind = next_reboot();
        for_each(patched, [&](CellMachine& machine) {
          keep_evidence_of_failure(machine);
          if (auto trouble = machine.reboot(job_.id, phase, kind)) keep(std::move(*trouble), Machine::lost);
        });
        break;
      }
    }
    not_reached(phase, left_out(phase));
    if (!record_.error) examine(phase, working(concerned(patched)));
    if (is_to_learn()) learn();
  }

  // Some damage needs a while: a leak, a timer, a lease.
  void run_on(const Machines& machines) {
    for_each(machines, [&](CellMachine& machine) {
      keep_trouble(machine, machine.run_on(job_.id, context_.job.policy.stability));
    });
  }
  void cycle_services(const Machines& machines) {
    for_each(machines, [&](CellMachine& machine) { keep_trouble(machine, machine.cycle_services(job_.id)); });
  }
  void install_next(const Machines& machines) {
    for_each(machines, [&](CellMachine& machine) {
      const auto medium = job_.media.find(machine.name());
      keep_trouble(machine, machine.install_next(job_.id, medium == job_.media.end() ? "" : medium->second));
    });
  }
  void keep_trouble(const CellMachine& machine, const Result<void>& done) {
    if (done) return;
    if (has_failed(machine))
      lost(machine.name());
    else
      note(done.error());
  }

  // Of all machines that run, at once: what they say to each other has a time in it.
  void move_clocks(const std::string& phase) {
    const auto& steps = context_.job.policy.clock;
    const auto word = std::ranges::find(steps, phase, reports::clock_phase);
    const auto step = word == steps.end() ? std::nullopt : clock_step_from(*word);
    const auto by = step && !step->by ? lease_t2() : step ? step->by : std::nullopt;
    if (!by) {
      return note(configuration_error(
          fmt::format("the clocks cannot be moved to '{}': no check of kind dhcp.lease got a lease at the baseline",
                      phase),
          "'lease-t2' needs the machine with the DHCP server in the run"));
    }
    later_ += *by;
    for_each(working(machines_), [&](CellMachine& machine) {
      auto moved = machine.move_clock(job_.id, phase, later_);
      if (moved) return;
      if (has_failed(machine))
        lost(machine.name());
      else
        note(std::move(moved).error().while_doing(fmt::format("moving the clock of '{}'", machine.name())));
    });
  }
  [[nodiscard]] std::optional<std::chrono::seconds> lease_t2() const {
    for (const auto& [name, machine] : cell_.machines_) {
      if (machine->lease_t2()) return machine->lease_t2();
    }
    return std::nullopt;
  }

  // Planned, and it did not happen: that is on record too.
  void not_reached(const std::string& phase, const Machines& machines) {
    for (const auto* machine : machines) record_.phases.push_back(nothing_of(phase, machine->name()));
  }
  [[nodiscard]] static PhaseRecord nothing_of(const std::string& phase, const std::string& machine) {
    return {.phase = phase,
            .machine = machine,
            .outcome = Outcome::not_reached,
            .checks = {},
            .differences = {},
            .error = {}};
  }

  // A machine that was lost before is not restarted.
  [[nodiscard]] Machines left_out(const std::string& phase) const {
    auto machines = rebooting();
    std::erase_if(machines, [&](const auto* machine) {
      const auto known = std::ranges::any_of(
          record_.phases, [&](const auto& p) { return p.machine == machine->name() && p.phase == phase; });
      return known || !lost_.contains(machine->name());
    });
    return machines;
  }

  // New kinds of log lines, and changes of files and settings, are the price of a restart, not of a patch; what a
  // machine may not lose breaks the control.
  void learn() {
    failed_.clear();  // by those lines alone nothing failed, and what failed is not looked at in later phases
    lost_.clear();
    for (auto& phase : record_.phases) {
      if (phase.outcome == Outcome::not_reached) continue;  // nothing was seen, so nothing is learnt, and it is no pass
      auto* machine = cell_.machines_.at(phase.machine).get();
      std::erase_if(phase.differences, [&](const auto& difference) {
        const auto key = checks::state::learnt_key(difference);
        if (difference.kind == checks::state::log_kind)
          machine->learn_log_kind(difference.item);
        else if (!key.empty())
          machine->learn_change(key);
        return !key.empty();
      });
      if (reports::may_fail_without_patch(phase.phase)) machine->learn_failures(phase);
      phase.outcome = machine_outcome(phase);
      if (phase.outcome == Outcome::pass) continue;
      failed_.insert(phase.machine);
      lost_.insert(phase.machine);
    }
  }

  void clean_up() {
    std::ranges::sort(record_.phases, [](const auto& a, const auto& b) {
      return std::tie(a.machine, a.phase) < std::tie(b.machine, b.phase);
    });
    std::ranges::stable_sort(record_.installs, {},
                             &reports::InstallRecord::machine);  // of one machine: in the order applied
    for_each(machines_, [&](CellMachine& machine) {
      keep_evidence_of_failure(machine);
      (void)context_.hypervisor.power_off(machine.name());
    });
    if (record_.outcome != Outcome::pass && !context_.stop.stop_requested())
      record_.evidence_folder = "evidence/" + job_.id;
  }

  // Once, as it was when it failed: before it is restarted, and what explains it is gone.
  void keep_evidence_of_failure(CellMachine& machine) {
    {
      const std::lock_guard lock(mutex_);
      if (!failed_.contains(machine.name()) || context_.stop.stop_requested()) return;
      if (!explained_.insert(machine.name()).second) return;
    }
    machine.save_evidence(context_.job.evidence / job_.id.substr(job_.id.find('/') + 1) / machine.name());
  }

  Cell& cell_;
  CellContext& context_;
  const TrialJob& job_;
  TrialRecord record_;
  Machines machines_;
  std::size_t reboots_ = 0;
  Milliseconds later_{0};  // than the host's clock
  std::mutex mutex_;
  std::set<std::string> failed_;
  std::set<std::string> lost_;       // of those that failed: not looked at any more
  std::set<std::string> explained_;  // of those that failed: evidence was kept
  std::string last_phase_;           // that is to be carried out
  Milliseconds beside_took_{0};
  bool beside_is_over_ = false;  // the lab failed when the trial went on for others
  bool declined_ = false;        // a guest did not take a candidate: this is not the set that was asked for
};

TrialRecord Cell::run_trial(const TrialJob& job) { return Trial(*this, job).run(); }

}  // namespace patchlab::runners::cell

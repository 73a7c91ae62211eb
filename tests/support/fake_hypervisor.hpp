// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lab/hypervisor.hpp"

namespace patchlab::test {

// A hypervisor in memory that behaves: it keeps machines, run states, media and snapshots, and refuses what libvirt
// refuses (the same contract tests run over both). `guest` stands for everything inside a machine: snapshots keep it, a
// revert brings it back, and an agent handler may read and change it. Failures are scripted: fail("revert", 3, error)
// makes the third revert from now fail.
class FakeHypervisor final : public lab::Hypervisor {
 public:
  struct Saved {
    lab::MachineState state = lab::MachineState::running;
    std::map<std::string, std::string> guest;
    std::filesystem::path medium;
  };
  struct Machine {
    lab::MachineSpec spec;
    lab::MachineState state = lab::MachineState::off;
    std::map<std::string, std::string> guest;
    std::filesystem::path medium;
    std::map<std::string, Saved> snapshots;
    std::map<std::string, Saved> on_disk;  // that the disk came with, to be adopted
    Milliseconds processor_time{0};
    Milliseconds busy{0};  // processor time used from one question for it to the next
    Milliseconds waited{0};
    std::optional<Milliseconds> waits;  // for a processor of the host, from one question to the next; nothing: unknown
  };
  using AgentHandler = std::function<Result<std::string>(Machine& machine, const std::string& command)>;

  // Every call so far, oldest first: "define dns", "revert dns base".
  [[nodiscard]] std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  // A copy; the machine must exist.
  [[nodiscard]] Machine machine(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return machines_.at(name);
  }
  [[nodiscard]] bool has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return machines_.count(name) != 0;
  }

  // Changes a machine behind the product's back: a guest that crashes, a file inside it.
  void alter(const std::string& name, const std::function<void(Machine&)>& change) {
    const std::lock_guard lock(mutex_);
    change(machines_.at(name));
  }
  void fail(const std::string& operation, std::size_t nth, Error error = infrastructure_error("scripted failure")) {
    const std::lock_guard lock(mutex_);
    failures_.push_back({operation, nth, std::move(error)});
  }
  // Answers agent commands of running machines; called with the lock held, so it must not call back.
  void on_agent(AgentHandler handler) { agent_ = std::move(handler); }

  Result<void> define(const lab::MachineSpec& spec) override {
    return step<void>("define", spec.name, {}, [&]() -> Result<void> {
      auto& machine = machines_[spec.name];
      if (machine.state != lab::MachineState::off) return refused("defining", spec.name, "it is running");
      machine.spec = spec;
      return {};
    });
  }
  Result<void> start(const std::string& name) override {
    return on_machine("start", name, {}, [&](Machine& machine) -> Result<void> {
      if (machine.state != lab::MachineState::off) return refused("starting", name, "it is running already");
      machine.state = lab::MachineState::running;
      return {};
    });
  }
  Result<void> power_off(const std::string& name) override {
    return on_machine("power_off", name, {}, [](Machine& machine) -> Result<void> {
      machine.state = lab::MachineState::off;
      return {};
    });
  }
  Result<void> undefine(const std::string& name) override {
    return on_machine("undefine", name, {}, [&](Machine& machine) -> Result<void> {
      if (machine.state != lab::MachineState::off) return refused("undefining", name, "it is running");
      machines_.erase(name);
      return {};
    });
  }
  Result<lab::MachineState> state(const std::string& name) override {
    return step<lab::MachineState>("state", name, {}, [&]() -> Result<lab::MachineState> {
      const auto found = machines_.find(name);
      return found == machines_.end() ? lab::MachineState::undefined : found->second.state;
    });
  }
  Result<Milliseconds> processor_time(const std::string& name) override {
    return step<Milliseconds>("processor_time", name, {}, [&]() -> Result<Milliseconds> {
      const auto found = machines_.find(name);
      if (found == machines_.end()) return unknown(name);
      return found->second.processor_time += found->second.busy;
    });
  }
  std::optional<Milliseconds> waited_for_processor(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const auto found = machines_.find(name);
    if (found == machines_.end() || !found->second.waits) return std::nullopt;
    return found->second.waited += *found->second.waits;
  }
  Result<void> pause(const std::string& name) override {
    return on_machine("pause", name, {}, [&](Machine& machine) -> Result<void> {
      if (machine.state == lab::MachineState::off) return refused("pausing", name, "it is off");
      machine.state = lab::MachineState::paused;
      return {};
    });
  }
  Result<void> resume(const std::string& name) override {
    return on_machine("resume", name, {}, [&](Machine& machine) -> Result<void> {
      if (machine.state == lab::MachineState::off) return refused("resuming", name, "it is off");
      machine.state = lab::MachineState::running;
      return {};
    });
  }
  Result<void> take_snapshot(const std::string& name, const std::string& snapshot) override {
    return on_machine("take_snapshot", name, snapshot, [&](Machine& machine) -> Result<void> {
      const auto action = "taking snapshot '" + snapshot + "' of";
      if (machine.state == lab::MachineState::off) return refused(action, name, "the machine is off");
      if (machine.snapshots.count(snapshot) != 0) return refused(action, name, "there is one of that name");
      machine.snapshots[snapshot] = {machine.state, machine.guest, machine.medium};
      return {};
    });
  }
  Result<void> adopt_snapshot(const std::string& name, const std::string& snapshot) override {
    return on_machine("adopt_snapshot", name, snapshot, [&](Machine& machine) -> Result<void> {
      const auto action = "adopting snapshot '" + snapshot + "' of";
      if (machine.state != lab::MachineState::off) return refused(action, name, "the machine is not off");
      if (machine.snapshots.count(snapshot) != 0) return refused(action, name, "there is one of that name");
      const auto found = machine.on_disk.find(snapshot);
      if (found != machine.on_disk.end()) machine.snapshots[snapshot] = found->second;
      return {};
    });
  }
  Result<void> revert(const std::string& name, const std::string& snapshot) override {
    return on_machine("revert", name, snapshot, [&](Machine& machine) -> Result<void> {
      const auto found = machine.snapshots.find(snapshot);
      if (found == machine.snapshots.end()) return refused("reverting", name, "no snapshot '" + snapshot + "'");
      machine.guest = found->second.guest;
      machine.medium = found->second.medium;
      machine.state = lab::MachineState::running;
      return {};
    });
  }
  Result<void> delete_snapshot(const std::string& name, const std::string& snapshot) override {
    return on_machine("delete_snapshot", name, snapshot, [&](Machine& machine) -> Result<void> {
      if (machine.snapshots.erase(snapshot) == 0) return refused("deleting", name, "no snapshot '" + snapshot + "'");
      return {};
    });
  }
  Result<void> change_medium(const std::string& name, const std::filesystem::path& iso) override {
    return on_machine("change_medium", name, iso.string(), [&](Machine& machine) -> Result<void> {
      machine.medium = iso;
      return {};
    });
  }
  Result<std::string> agent_command(const std::string& name, const std::string& command, Milliseconds) override {
    return step<std::string>("agent_command", name, {}, [&]() -> Result<std::string> {
      const auto found = machines_.find(name);
      if (found == machines_.end()) return unknown(name);
      if (found->second.state != lab::MachineState::running)
        return refused("asking the agent of", name, "it does not run");
      if (!agent_) return timeout_error("the agent of '" + name + "' does not answer");
      return agent_(found->second, command);
    });
  }

 private:
  struct Failure {
    std::string operation;
    std::size_t calls_left = 0;
    Error error;
  };

  static Error unknown(const std::string& name) {
    return infrastructure_error("looking for machine '" + name + "': not defined");
  }
  static Error refused(const std::string& action, const std::string& name, const std::string& why) {
    return infrastructure_error(fmt::format("{} '{}': {}", action, name, why));
  }

  std::optional<Error> scripted(const std::string& operation) {
    for (auto failure = failures_.begin(); failure != failures_.end(); ++failure) {
      if (failure->operation != operation || --failure->calls_left != 0) continue;
      auto error = std::move(failure->error);
      failures_.erase(failure);
      return error;
    }
    return std::nullopt;
  }

  template <class Value, class Action>
  Result<Value> step(const char* operation, const std::string& name, const std::string& detail, const Action& action) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(detail.empty() ? fmt::format("{} {}", operation, name)
                                    : fmt::format("{} {} {}", operation, name, detail));
    if (auto error = scripted(operation)) return *std::move(error);
    return action();
  }

  template <class Action>
  Result<void> on_machine(const char* operation, const std::string& name, const std::string& detail,
                          const Action& action) {
    return step<void>(operation, name, detail, [&]() -> Result<void> {
      const auto found = machines_.find(name);
      if (found == machines_.end()) return unknown(name);
      return action(found->second);
    });
  }

  mutable std::mutex mutex_;
  std::map<std::string, Machine> machines_;
  std::vector<std::string> calls_;
  std::vector<Failure> failures_;
  AgentHandler agent_;
};

}  // namespace patchlab::test

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>

#include "runners/cell/machine.hpp"

namespace patchlab::runners::cell {

// Outcome, error and signature of a trial, from what its installations and phases hold.
void conclude(reports::TrialRecord& record);

// One department inside its fence: brings it to a baseline and runs trials from there. Uses only the seams (Hypervisor,
// ProcessRunner, Clock), so it is the same for embedded cells and for those on a system libvirt. Trials on disjoint
// machines may run in parallel.
class Cell {
 public:
  // `probe_fence` is called with the phase (before, during) while the machines are up or not; it reports what it saw as
  // events.
  using FenceProbe = std::function<void(const std::string& phase)>;
  // The same from inside a machine that runs; called from several threads at once. `why_not` is set when it cannot try.
  using InsideProbe = std::function<void(const std::string& phase, const std::string& trial, CellMachine& machine,
                                         const std::string& why_not)>;
  Cell(CellContext& context, FenceProbe probe_fence, InsideProbe probe_inside);
  ~Cell();
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  // Boots all machines, or lets them go on from the baseline of an earlier run when the job says that there is one;
  // checks them, saves the department as one checkpoint. The record's outcome is pass or error; nothing here is a
  // verdict on a patch. It may be called again: a trial of its own, which knows nothing of the one before.
  [[nodiscard]] reports::TrialRecord prepare();
  // In place of prepare(): boots all machines and learns checks of some. Nothing is saved.
  [[nodiscard]] Result<LearntMachines> learn(const LearnJob& job);
  // In place of prepare(): starts its only machine and asks it everything that only asks; nothing is done to it.
  [[nodiscard]] Result<GuestReplies> record();
  // In place of prepare(): boots all machines, puts the candidates of the trial into its machines, and shuts those down
  // cleanly, so that their disks can be kept. No check is asked: what those leave in a guest belongs into no image.
  // What a guest does not take is skipped, and everything else that is not installed is an error. prepare() may follow,
  // from other disks.
  struct PutIn {
    reports::TrialRecord record;
    std::map<std::string, CellMachine::PackageList> packages;  // by machine, when all went well
  };
  [[nodiscard]] PutIn put_in(const TrialJob& job);
  [[nodiscard]] reports::TrialRecord run_trial(const TrialJob& job);
  // What the control taught of each machine; for know() of a cell of the same machines in a later run, which then runs
  // no control. Neither while a trial is under way.
  [[nodiscard]] Json control_knowledge();
  // From now on this is what controls taught, and nothing else. An Error: it is not of exactly these machines, and
  // nothing changed.
  [[nodiscard]] Result<void> know(const Json& knowledge);
  // No trial starts any more from a state that an earlier run had a part in. Not while one is under way.
  void forget_installs();
  // The states that later runs may begin with, in the disks of the machines: those with the first of these candidates
  // installed (`digests`: by machine). No trial can follow.
  [[nodiscard]] Result<Json> installs_for_later(const std::map<std::string, std::vector<std::string>>& digests);

 private:
  class Trial;
  struct PutInto {
    std::vector<reports::InstallRecord> installs;
    CellMachine::PackageList packages;
    std::optional<Error> trouble;
  };
  [[nodiscard]] static PutInto put_into(CellMachine& machine, const TrialJob& job);
  using Machines = std::vector<CellMachine*>;
  // All of them at once, each in a thread of its own; heavy steps queue for processor slots inside.
  static void for_each(const Machines& machines, const std::function<void(CellMachine&)>& work);
  [[nodiscard]] Machines all();
  void forget();
  [[nodiscard]] Result<void> save(const reports::TrialRecord& baseline);

  CellContext& context_;
  FenceProbe probe_fence_;
  InsideProbe probe_inside_;
  std::map<std::string, std::unique_ptr<CellMachine>> machines_;
  int baselines_ = 0;
};

}  // namespace patchlab::runners::cell

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lab/libvirt/ssh.hpp"
#include "runners/cell/guest_replies.hpp"
#include "runners/cell/launch.hpp"
#include "runners/cell/learner.hpp"
#include "runners/cell/place.hpp"
#include "runners/cell/protocol.hpp"
#include "runners/cell/refresher.hpp"

namespace patchlab::runners::cell {

// The run's side of one cell. Calls block until the cell answers and may come from several threads. When the cell dies,
// every waiting and later call returns an infrastructure error that says so.
class CellClient {
 public:
  virtual ~CellClient() = default;
  // Where it is, of one that was started by a launch, and before anything else: waits until it has been started.
  virtual Result<Place> place(const PlaceQuestion& question);
  // May be called once more, with the same job, after a baseline that did not pass.
  virtual Result<reports::TrialRecord> prepare(const CellJob& job) = 0;
  virtual Result<reports::TrialRecord> run_trial(const TrialJob& job) = 0;
  // In place of both: checks that hold on its machines.
  virtual Result<LearntMachines> learn(const CellJob& job, const LearnJob& wanted);
  // Likewise: new disks of its machines with candidates installed, and whether the department works with them.
  virtual Result<Refreshed> refresh(const CellJob& job, const RefreshJob& wanted);
  // In place of all of them: what its only machine says.
  virtual Result<GuestReplies> record(const CellJob& job);
  // What controls taught of each machine; and the same of an earlier run of the same department, after prepare() and in
  // place of all that they taught. The shape is that of control_knowledge.hpp, by machine.
  virtual Result<Json> control_knowledge();
  virtual Result<void> know(const Json& knowledge);
  // No trial starts any more from a state that an earlier run had a part in. Between trials.
  virtual Result<void> forget_installs();
  // The states that later runs may begin with, made ready in the disks of its machines: those with the first of these
  // candidates installed (by machine, by digest). The shape is that of patched_state.hpp. No trial can follow.
  virtual Result<Json> installs_for_later(const std::map<std::string, std::vector<std::string>>& digests);
  // Of a cell that brought its images: that they are still what they were. A configuration error when not.
  virtual Result<void> images_again();
  // One more fence proof; its attempts arrive as an event like all others.
  virtual Result<void> probe_fence(const std::string& phase) = 0;
  // Ends every machine and the cell; waited for. Safe to call twice.
  virtual void close() = 0;
};

// While it lives, ends a cell when that is asked: its calls return then, whatever is under way. In a thread of its own,
// as that takes its time, and the cells of all departments go at once.
class ClosesOnStop {
 public:
  ClosesOnStop(CellClient& cell, const std::stop_token& stop)
      : when_stopped_(stop, [this, &cell] { closes_ = std::jthread([&cell] { cell.close(); }); }) {}
  ClosesOnStop(const ClosesOnStop&) = delete;
  ClosesOnStop& operator=(const ClosesOnStop&) = delete;

 private:
  std::jthread closes_;  // before what starts it, also at once
  std::stop_callback<std::function<void()>> when_stopped_;
};

using OnEvent = std::function<void(const std::string& department, const Json& event)>;

enum class CellKind { embedded, on_libvirt };

struct CellStart {
  std::string program;  // patchlab
  std::string department;
  std::filesystem::path root;  // the cell's scratch folder
  // The rest of the host's files that it may see; all are there.
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> writable;
  CellKind kind = CellKind::embedded;
  bool offer_kvm = false;
  std::filesystem::path log;                          // what the cell and libvirt write to stderr; always on this host
  std::optional<lab::libvirt::SshDestination> there;  // another host, on which `program` and `root` are then
  std::shared_ptr<const Launch> launch;               // by which it is started; null: as a child, or by ssh
  // Of such a one: it ends when it hears nothing of us for so long.
  std::chrono::seconds silence{120};
  std::string to_clean;  // of a libvirt: the command that removes what a cell may leave there, for hints
};

// Fills in what of the files of its host a cell may see: `media` is the folder where the ISOs of its trials are made,
// which a keeper brings to the clones.
void let_see(CellStart& start, const CellJob& job, const std::filesystem::path& media);

// Starts `<program> cell [--kvm] [--on-libvirt] [--elsewhere <silence>] [--read <path>]... [--write <path>]... <root>`,
// on another host by ssh, or by a launch.
[[nodiscard]] Result<std::unique_ptr<CellClient>> start_cell(const CellStart& start, OnEvent on_event);

}  // namespace patchlab::runners::cell

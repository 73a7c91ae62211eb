// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <shared_mutex>
#include <stop_token>
#include <string>

#include "lab/guest/adapter.hpp"
#include "lab/hypervisor.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/events.hpp"
#include "runners/cell/protocol.hpp"
#include "runners/cell/slots.hpp"

namespace patchlab::runners::cell {

// What the machines of one cell share.
struct CellContext {
  lab::Hypervisor& hypervisor;
  ProcessRunner& processes;
  Clock& clock;
  const CellJob& job;
  Slots slots;
  EventSink events;
  std::stop_token stop;
  std::string check_interface;  // bridge towards the machines
  Milliseconds idle_look{500};  // real time between two looks whether a guest that is being checked has work to do
  // CheckWorkers::department of all machines.
  std::unique_ptr<std::shared_mutex> asked = std::make_unique<std::shared_mutex>();
};

// One machine of a cell and the ways to it, for everything that is a part of CellMachine. Used by one thread at a time.
struct Guest {
  Guest(CellContext& its_cell, const MachineJob& its_job);

  CellContext& context;
  const MachineJob& job;
  lab::guest::GuestAgent agent;
  std::unique_ptr<lab::guest::GuestAdapter> adapter;  // never null

  [[nodiscard]] const std::string& name() const { return job.plan.name; }
  [[nodiscard]] TimedStep begin_step(std::string trial, std::string phase, std::string awaited) const {
    return {context.events, context.clock, name(), std::move(trial), std::move(phase), std::move(awaited)};
  }
};

}  // namespace patchlab::runners::cell

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <thread>

#include "lab/core/digest.hpp"
#include "lab/libvirt/hypervisor.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/leak_probe.hpp"
#include "lab/network/namespace.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/cell.hpp"

namespace patchlab::runners::cell {
namespace {

// Lines to the parent, whole and in order, from any thread. Standard output is kept for this alone: libraries that
// print end up in the log.
class Reply {
 public:
  Reply() : output_(::dup(STDOUT_FILENO)) { ::dup2(STDERR_FILENO, STDOUT_FILENO); }
  void send(const Json& message) {
    const auto line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex_);
    std::string_view rest = line;
    while (!rest.empty()) {
      const auto count = ::write(output_.get(), rest.data(), rest.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;  // the parent is gone; the end of standard input ends us
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  }

 private:
  FileDescriptor output_;
  std::mutex mutex_;
};

// A version-4-shaped UUID that is the same for the same machine in every clone (RFC 4122 4.4 for the fixed bits).
std::string uuid_for(const std::string& department, const std::string& machine) {
  auto hex = sha256(department + "/" + machine).substr(0, 32);
  hex[12] = '4';
  hex[16] = '8';
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20, 12));
}

// Everything a cell owns. It lives as long as the process: see cell_main.
class Server {
 public:
  explicit Server(Reply& reply) : reply_(reply) {}

  void answer(const Json& request) {
    // None of them in the reading thread: the end of standard input must be seen whatever is under way.
    requests_.emplace_back([this, request] {
      if (request["op"] == "prepare") reply_to(request, [&] { return prepare(request.at("job")); });
      if (request["op"] == "trial")
        reply_to(request,
                 [&]() -> Result<Json> { return Json(cell_->run_trial(trial_job_from_json(request.at("job")))); });
      if (request["op"] == "fence") {
        reply_to(request, [&]() -> Result<Json> {
          probe_fence(request.at("phase"));
          return Json::object();
        });
      }
    });
  }

 private:
  void reply_to(const Json& request, const std::function<Result<Json>()>& work) {
    const auto id = request.value("id", 0);
    auto result = [&]() -> Result<Json> {
      try {
        return work();
      } catch (const std::exception& bug) {
        return Error{ErrorClass::bug, fmt::format("internal error in the cell: {}", bug.what()), {}};
      }
    }();
    if (result)
      reply_.send({{"id", id}, {"result", *result}});
    else
      reply_.send({{"id", id}, {"error", result.error()}});
  }

  Result<Json> prepare(const Json& job) {
    job_ = cell_job_from_json(job);
    PATCHLAB_TRY(build_fence());
    PATCHLAB_ASSIGN(auto connection, lab::libvirt::LibvirtHypervisor::open_embedded(root_));
    hypervisor_ = std::move(connection);
    for (std::size_t i = 0; i < job_.machines.size(); ++i) PATCHLAB_TRY(clone(job_.machines[i], i));
    context_.emplace(CellContext{*hypervisor_,
                                 host_processes(),
                                 system_clock_source(),
                                 job_,
                                 Slots(job_.slots, job_.slot_count, system_clock_source()),
                                 [this](const Json& event) { reply_.send(event); },
                                 {},
                                 lab::network::bridge_name});
    cell_ = std::make_unique<Cell>(*context_, [this](const std::string& phase) { probe_fence(phase); });
    return Json(cell_->prepare());
  }

  Result<void> build_fence() {
    using namespace lab::network;
    PATCHLAB_ASSIGN(plan_.subnet, Ipv4Subnet::parse(job_.network.subnet));
    PATCHLAB_ASSIGN(plan_.gateway, Ipv4::parse(job_.network.gateway));
    PATCHLAB_ASSIGN(plan_.client, Ipv4::parse(job_.network.client));
    for (const auto& machine : job_.machines) {
      PATCHLAB_ASSIGN(const auto address, Ipv4::parse(machine.plan.address));
      plan_.machines.push_back({machine.plan.name, address});
    }
    PATCHLAB_ASSIGN(
        taps_,
        lab::network::build_fence(plan_.subnet, plan_.client, job_.machines.size()).while_doing("building the fence"));
    return {};
  }

  // A linked clone: the overlay holds all that changes, the golden disk below it is only read.
  Result<void> clone(const MachineJob& job, std::size_t number) {
    const auto& plan = job.plan;
    const auto disk = root_ / (plan.name + ".qcow2");
    ProcessSpec create;
    create.program = "qemu-img";
    create.arguments = {"create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", job.golden_disk.string(), disk.string()};
    PATCHLAB_TRY(run_for_output(host_processes(), create).while_doing("cloning '" + plan.name + "'"));
    lab::MachineSpec spec;
    spec.name = plan.name;
    spec.uuid = uuid_for(job_.department, plan.name);
    spec.disk = disk;
    spec.kernel = job.kernel;
    spec.initrd = job.initrd;
    spec.kernel_arguments = job.kernel_arguments;
    spec.memory_mib = plan.memory_mib;
    spec.accelerator = job_.accelerator == "kvm" ? lab::Accelerator::kvm : lab::Accelerator::tcg;
    spec.nics = {{lab::network::MacAddress::of_lab_machine(plan_.machines[number].address).text(), taps_[number]}};
    spec.log = root_ / (plan.name + "-console.log");
    return hypervisor_->define(spec);
  }

  void probe_fence(const std::string& phase) {
    const TimedStep step(context_->events, context_->clock, "", "", "fence", "probes that try to get out");
    lab::network::LabIdentity own{plan_, {}};
    for (const auto& machine : plan_.machines)
      own.machines.push_back(lab::network::MacAddress::of_lab_machine(machine.address));
    const auto report = lab::network::run_leak_probe(lab::network::planned_probes(job_.host, plan_), own);
    Json attempts = Json::array();
    for (const auto& attempt : report.attempts) {
      attempts.push_back(
          reports::FenceAttempt{phase, attempt.probe, attempt.target, attempt.answered, attempt.evidence});
    }
    reply_.send({{"event", "fence"}, {"phase", phase}, {"attempts", attempts}, {"troubles", report.troubles}});
  }

  const std::filesystem::path root_ = lab::network::cell_folder_inside;
  Reply& reply_;
  CellJob job_;
  lab::network::AddressPlan plan_;
  std::vector<std::string> taps_;
  std::unique_ptr<lab::Hypervisor> hypervisor_;
  std::optional<CellContext> context_;
  std::unique_ptr<Cell> cell_;
  std::vector<std::jthread> requests_;
};

}  // namespace

int cell_main(const std::filesystem::path& root, bool offer_kvm) {
  // Ctrl-C goes to the whole terminal group; the run decides what happens to its cells.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  if (auto entered = lab::network::enter_cell_namespaces({.offer_kvm = offer_kvm, .folder = root}); !entered) {
    fmt::print(stderr, "patchlab: error: {}\n", entered.error().message);
    return 73;
  }
  Reply reply;
  Server server(reply);
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto request = Json::parse(line, nullptr, false);
    if (request.is_discarded() || !request.contains("op")) continue;
    server.answer(request);
  }
  // The parent is gone or has what it wanted. Nothing in here is worth keeping, and tidying up would wait for whatever
  // is under way: process 1 of the cell takes every QEMU along, and with the namespaces go bridge, taps and mounts.
  ::_exit(0);
}

}  // namespace patchlab::runners::cell

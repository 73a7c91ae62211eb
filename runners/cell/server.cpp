// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/server.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <thread>

#include "checks/registry/registry.hpp"
#include "checks/worker.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"
#include "lab/libvirt/host_ticks.hpp"
#include "lab/libvirt/system_lab.hpp"
#include "lab/network/control.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/leak_probe.hpp"
#include "lab/network/namespace.hpp"
#include "lab/network/watch.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/bridge_fence.hpp"
#include "runners/cell/cell.hpp"
#include "runners/cell/guest_fence.hpp"
#include "runners/cell/keeper.hpp"
#include "runners/cell/place.hpp"
#include "runners/cell/refresher.hpp"
#include "runners/talk/reply.hpp"

namespace patchlab::runners::cell {
namespace {

// A version-4-shaped UUID that is the same for the same machine in every clone (RFC 4122 4.4 for the fixed bits),
// whatever its department is called: departments that are alike go on from the same kept state.
std::string uuid_for(const MachinePlan& machine) {
  auto hex = sha256(machine.address + "/" + machine.name).substr(0, 32);
  hex[12] = '4';
  hex[16] = '8';
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20, 12));
}

// Everything a cell owns. It lives as long as the process: see cell_main.
class Server {
 public:
  Server(talk::Reply& reply, const std::vector<lab::content::Fetched>& images) : reply_(reply), images_(images) {}

  void answer(const Json& request) {
    // None of them in the reading thread: the end of standard input must be seen whatever is under way.
    requests_.emplace_back([this, request] {
      if (request["op"] == "prepare") reply_to(request, [&] { return prepare(request.at("job")); });
      if (request["op"] == "learn") {
        reply_to(request, [&]() -> Result<Json> {
          PATCHLAB_TRY(make_cell(request.at("job")));
          PATCHLAB_ASSIGN(const auto learnt, cell_->learn(learn_job_from_json(request.at("wanted"))));
          return Json(learnt);
        });
      }
      if (request["op"] == "record") {
        reply_to(request, [&]() -> Result<Json> {
          PATCHLAB_TRY(make_cell(request.at("job")));
          PATCHLAB_ASSIGN(const auto replies, cell_->record());
          return Json(replies);
        });
      }
      if (request["op"] == "refresh") {
        reply_to(request, [&]() -> Result<Json> {
          PATCHLAB_TRY(make_cell(request.at("job")));
          PATCHLAB_ASSIGN(const auto refreshed, refresh(refresh_job_from_json(request.at("wanted"))));
          return Json(refreshed);
        });
      }
      if (request["op"] == "trial") {
        reply_to(request, [&]() -> Result<Json> {
          const auto trial = trial_job_from_json(request.at("job"));
          under_way_ = trial.id;
          return Json(cell_->run_trial(trial));
        });
      }
      if (request["op"] == "knowledge") reply_to(request, [&]() -> Result<Json> { return cell_->control_knowledge(); });
      if (request["op"] == "know") {
        reply_to(request, [&]() -> Result<Json> {
          PATCHLAB_TRY(cell_->know(request.at("knowledge")));
          return Json::object();
        });
      }
      if (request["op"] == "forget-installs") {
        reply_to(request, [&]() -> Result<Json> {
          cell_->forget_installs();
          return Json::object();
        });
      }
      if (request["op"] == "installs-for-later") {
        reply_to(request, [&]() -> Result<Json> {
          return cell_->installs_for_later(
              request.at("digests").get<std::map<std::string, std::vector<std::string>>>());
        });
      }
      if (request["op"] == "images-again") {
        reply_to(request, [&]() -> Result<Json> {
          // What machines are made of; nothing else of an image can be seen from in here.
          for (const auto& image : images_)
            PATCHLAB_TRY(lab::content::verify_files(image.index, image.folder, {"disk.qcow2", "kernel", "initrd"}));
          return Json::object();
        });
      }
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
    if (cell_) return prepare_again(cell_job_from_json(job));
    PATCHLAB_TRY(make_cell(job));
    return Json(cell_->prepare());
  }

  Result<void> make_cell(const Json& job) {
    job_ = cell_job_from_json(job);
    reply_.hide(redactor_for(job_));
    PATCHLAB_TRY(read_addresses());
    PATCHLAB_TRY(job_.libvirt ? join_machines() : make_machines());
    PATCHLAB_TRY(start_watching().while_doing("watching the fence"));
    context_.emplace(CellContext{*hypervisor_,
                                 host_processes(),
                                 system_clock_source(),
                                 job_,
                                 Slots(job_.slots, job_.slot_count, system_clock_source()),
                                 [this](const Json& event) { reply_.send(event); },
                                 {},
                                 own_.device});
    cell_ = std::make_unique<Cell>(
        *context_, [this](const std::string& phase) { probe_fence(phase); },
        [this](const std::string& phase, const std::string& trial, CellMachine& machine, const std::string& why_not) {
          probe_inside(phase, trial, machine, why_not);
        });
    return {};
  }

  // From golden disks again, where the clones are the cell's own; those of a libvirt start once more as they are.
  Result<Json> prepare_again(const CellJob& job) {
    job_.kept_baseline = job.kept_baseline;
    for (std::size_t i = 0; !job_.libvirt && i < job_.machines.size(); ++i) {
      PATCHLAB_TRY(hypervisor_->undefine(job_.machines[i].plan.name));
      PATCHLAB_TRY(clone(job_.machines[i], i));
    }
    return Json(cell_->prepare());
  }

  Result<Refreshed> refresh(const RefreshJob& wanted) {
    if (job_.libvirt)
      return configuration_error("a golden domain belongs to whoever made it: it is not refreshed here");
    auto put_in = cell_->put_in(wanted.trial);
    Refreshed refreshed{std::move(put_in.record), {}, {}};
    if (refreshed.made.error) return refreshed;
    PATCHLAB_TRY(create_folders(wanted.folder));
    for (std::size_t i = 0; i < job_.machines.size(); ++i) {
      auto& machine = job_.machines[i];
      const auto& name = machine.plan.name;
      if (auto packages = put_in.packages.find(name); packages != put_in.packages.end()) {
        const auto disk = wanted.folder / (name + ".qcow2");
        PATCHLAB_TRY(run_for_output(host_processes(), flatten_process(root_ / disk_name(name), disk))
                         .while_doing("making one file of the disk of '" + name + "'"));
        machine.golden_disk = disk;
        machine.planned_with = std::move(packages->second.installed);
        refreshed.dpkg_status[name] = std::move(packages->second.text);
      }
      PATCHLAB_TRY(hypervisor_->undefine(name));
      PATCHLAB_TRY(clone(machine, i));
    }
    refreshed.baseline = cell_->prepare();
    return refreshed;
  }

  Result<void> read_addresses() {
    using namespace lab::network;
    auto& plan = own_.plan;
    PATCHLAB_ASSIGN(plan.subnet, Ipv4Subnet::parse(job_.network.subnet));
    PATCHLAB_ASSIGN(plan.gateway, Ipv4::parse(job_.network.gateway));
    PATCHLAB_ASSIGN(plan.client, Ipv4::parse(job_.network.client));
    for (const auto& machine : job_.machines) {
      PATCHLAB_ASSIGN(const auto address, Ipv4::parse(machine.plan.address));
      plan.machines.push_back({machine.plan.name, address});
      if (machine.golden_domain.empty()) own_.machines.push_back(MacAddress::of_lab_machine(address));
      for (const auto& text : machine.macs) {
        PATCHLAB_ASSIGN(const auto mac, MacAddress::parse(text));
        own_.machines.push_back(mac);
      }
    }
    if (job_.libvirt) own_.device = port_inside;
    return {};
  }

  Result<void> make_machines() {
    const auto& plan = own_.plan;
    PATCHLAB_ASSIGN(
        taps_,
        lab::network::build_fence(plan.subnet, plan.client, job_.machines.size()).while_doing("building the fence"));
    PATCHLAB_ASSIGN(auto connection, lab::libvirt::LibvirtHypervisor::open_embedded(root_));
    hypervisor_ = std::move(connection);
    for (std::size_t i = 0; i < job_.machines.size(); ++i) PATCHLAB_TRY(clone(job_.machines[i], i));
    return {};
  }

  // The keeper has made machines and network, and laid a cable to here.
  Result<void> join_machines() {
    PATCHLAB_TRY(lab::network::open_port(own_.plan.subnet, own_.plan.client).while_doing("entering the fence"));
    PATCHLAB_ASSIGN(auto connection, lab::libvirt::SystemLab::machines_of(place()));
    on_libvirt_ = connection.get();
    hypervisor_ = std::move(connection);
    return {};
  }

  // Before the first machine runs.
  Result<void> start_watching() {
    using namespace lab::network;
    PATCHLAB_ASSIGN(control_, job_.libvirt ? Control::at_port(control_port_inside, own_.device)
                                           : Control::on_bridge(own_.device, own_.device));
    own_.control = control_->mac();
    std::set<MacAddress> known(own_.machines.begin(), own_.machines.end());
    known.insert(control_->mac());
    // Of a libvirt's bridge, which is the host's, the keeper does that.
    if (!job_.libvirt) {
      PATCHLAB_ASSIGN(guard_, BridgeGuard::start({own_.device, 0, false, known}));
    }
    std::set<MacAddress> played;
    for (const auto& machine : job_.machines) played.merge(checks::speakers_of(machine.plan.checks));
    PATCHLAB_ASSIGN(watch_, Watch::start(own_.device, std::move(known), control_->token(), std::move(played)));
    return {};
  }

  [[nodiscard]] lab::libvirt::SystemLab::Place place() const {
    return {job_.libvirt->uri, job_.libvirt->run, job_.department, job_.libvirt->storage};
  }

  // A linked clone: the overlay holds all that changes, the golden disk below it is only read.
  Result<void> clone(const MachineJob& job, std::size_t number) {
    const auto& plan = job.plan;
    const auto disk = root_ / disk_name(plan.name);
    const lab::libvirt::OverlayFile overlay{"vda", job.golden_disk, "qcow2", disk};
    // What lies below an overlay that came from elsewhere is not for it to say. If that cannot be written into it, it
    // is not used: then there is nothing to go on from, and the department is told that.
    const bool is_kept =
        job_.kept_baseline && run_for_output(host_processes(), lab::libvirt::rebase_process(overlay)).has_value();
    if (!is_kept) {
      PATCHLAB_TRY(run_for_output(host_processes(), lab::libvirt::overlay_process(overlay))
                       .while_doing("cloning '" + plan.name + "'"));
    }
    lab::MachineSpec spec;
    spec.name = plan.name;
    spec.uuid = uuid_for(plan);
    spec.disk = disk;
    spec.kernel = job.kernel;
    spec.initrd = job.initrd;
    spec.kernel_arguments = job.kernel_arguments;
    spec.memory_mib = plan.memory_mib;
    spec.accelerator = job_.accelerator == "kvm" ? lab::Accelerator::kvm : lab::Accelerator::tcg;
    spec.tsc_mhz = lab::libvirt::host_tsc_mhz();
    spec.nics = {{lab::network::MacAddress::of_lab_machine(own_.plan.machines[number].address).text(), taps_[number]}};
    spec.log = root_ / (plan.name + "-console.log");
    return hypervisor_->define(spec);
  }

  void probe_fence(const std::string& phase) {
    const auto& trial = under_way_;
    const TimedStep step(context_->events, context_->clock, "", trial, "fence", "probes that try to get out");
    const auto report = lab::network::run_leak_probe(lab::network::planned_probes(job_.host, own_.plan), own_);
    Json attempts = Json::array();
    auto troubles = report.troubles;
    const auto add = [&](reports::FenceAttempt attempt) {
      attempt.phase = phase;
      attempt.trial = trial;
      if (attempt.device.empty()) attempt.device = own_.device;
      attempts.push_back(attempt);
    };
    for (const auto& attempt : report.attempts)
      add({{},
           attempt.probe,
           attempt.target,
           attempt.answered,
           attempt.evidence,
           attempt.sent,
           attempt.control,
           {},
           {}});
    watch_->await_beacon(std::chrono::seconds(20));
    const auto overheard = watch_->take();
    add({{}, "watch", "any", overheard.is_breach(), overheard.text(), true, false, {}, {}});
    if (!overheard.broken.empty()) troubles.push_back(overheard.broken);
    if (overheard.own_beacons == 0)
      troubles.push_back("the listener at the bridge did not hear the control's beacon: " + overheard.text());
    look_at_live_machines(add, troubles);
    if (guard_) look_at_bridge(add, troubles);
    if (phase == "after") {
      for (const auto& machine : job_.machines)
        add(not_tried_inside(machine.plan.name, "no machine runs after the trials"));
    }
    reply_.send({{"event", "fence"}, {"phase", phase}, {"attempts", attempts}, {"troubles", troubles}});
  }

  void probe_inside(const std::string& phase, const std::string& trial, CellMachine& machine,
                    const std::string& why_not) {
    const auto& name = machine.name();
    GuestFence fence;
    if (why_not.empty()) {
      const TimedStep step(context_->events, context_->clock, name, trial, "fence", "the guest to try to get out");
      fence = probe_from_guest(prober_of(machine.job()), lab::network::guest_probes(job_.host, own_.plan),
                               [&](const auto& wanted) { return machine.reach_out(wanted); });
    } else {
      fence.attempts.push_back(not_tried_inside(name, why_not));
    }
    Json attempts = Json::array();
    for (auto& attempt : fence.attempts) {
      attempt.phase = phase;
      attempt.trial = trial;
      attempts.push_back(attempt);
    }
    reply_.send({{"event", "fence"}, {"phase", phase}, {"attempts", attempts}, {"troubles", fence.troubles}});
  }

  [[nodiscard]] GuestProber prober_of(const MachineJob& job) const {
    using namespace lab::network;
    const auto address = Ipv4::parse(job.plan.address).value_or(Ipv4());  // read_addresses() has seen that it is one
    auto mac = MacAddress::of_lab_machine(address);
    if (!job.macs.empty()) mac = MacAddress::parse(job.macs.front()).value_or(mac);
    // On one segment a guest hears what checks of others say, with which its own proof may coincide.
    return {job.plan.name,
            {mac, address, 0},
            who_speaks(own_),
            *own_.control,
            [this](const MacAddress& client) { return watch_->has_spoken(client); },
            [this](const std::string& beginning, auto since) {
              return watch_->has_left(beginning, since, std::chrono::seconds(2));
            }};
  }

  template <class Add>
  void look_at_bridge(const Add& add, std::vector<std::string>& troubles) {
    auto attempt = bridge_attempt(*guard_, own_.device, troubles);
    if (attempt) add(std::move(*attempt));
  }

  // Of clones on a libvirt: what somebody has attached since they were defined, or a hook of that libvirt.
  template <class Add>
  void look_at_live_machines(const Add& add, std::vector<std::string>& troubles) {
    if (on_libvirt_ == nullptr) return;
    for (const auto& machine : job_.machines) {
      const auto& name = machine.plan.name;
      const auto found = on_libvirt_->ways_out(name, lab::libvirt::SystemLab::mark_of_machine(place(), name));
      if (!found) {
        troubles.push_back(fmt::format("'{}' cannot be looked at: {}", name, found.error().message));
        continue;
      }
      add({{},
           "live-xml",
           name,
           !found->empty(),
           found->empty() ? "has what it was defined with" : fmt::format("has {}", fmt::join(*found, ", ")),
           true,
           false,
           {},
           {}});
    }
  }

  // The trial that the request of this thread is about.
  static inline thread_local std::string under_way_;
  const std::filesystem::path root_ = lab::network::cell_folder_inside;
  talk::Reply& reply_;
  const std::vector<lab::content::Fetched>& images_;  // that were brought here
  CellJob job_;
  lab::network::LabIdentity own_;
  std::vector<std::string> taps_;
  std::unique_ptr<lab::Hypervisor> hypervisor_;
  const lab::libvirt::LibvirtHypervisor* on_libvirt_ = nullptr;  // the same, when its machines are clones there
  std::unique_ptr<lab::network::Control> control_;
  std::unique_ptr<lab::network::Watch> watch_;
  std::unique_ptr<lab::network::BridgeGuard> guard_;
  std::optional<CellContext> context_;
  std::unique_ptr<Cell> cell_;
  std::vector<std::jthread> requests_;
};

// In one thread, and before the namespaces, from which little of the host can be seen. Nothing: nobody asks, or it is
// no place for a cell, and that was said. `images` are held as long as the cell lives.
std::optional<Place> tell_place(talk::Reply& reply, std::vector<lab::content::Fetched>& images) {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  ::alarm(0);
  const auto request = json_in(line);
  if (request.is_discarded() || request.value("op", "") != "place") return std::nullopt;
  const auto place = [&]() -> Result<Place> {
    const auto question = place_question_from_json(request.at("question"));
    if (question.content) {
      const auto tell = [&](const std::string& text) { reply.send({{"event", "images"}, {"text", text}}); };
      PATCHLAB_ASSIGN(images, bring_images(*question.content, tell));
    }
    return place_here(question, host_processes());
  }();
  Json answer{{"id", request.value("id", 0)}};
  if (place)
    answer["result"] = *place;
  else
    answer["error"] = place.error();
  reply.send(std::move(answer));
  if (!place) return std::nullopt;
  return *place;
}

// Ends this process, and so its cell, in two cases. The run was not heard for too long: who passes its lines on may end
// without ending our input, as an srun does that is killed with its whole group. Or the cell was stopped and goes on,
// as an executor does that suspends jobs: clocks went on meanwhile, and each check that was asked then is late, which
// would be held against a patch.
class Silence {
 public:
  explicit Silence(std::chrono::seconds most) : most_(most) {}
  void watch() {
    heard();
    awake_ = now();
    std::thread([this] {
      for (;;) {
        std::this_thread::sleep_for(look_every);
        end_if_stopped();
        awake_ = now();
        if (Milliseconds(now() - heard_) < most_) continue;
        tell("patchlab: error: nothing was heard of the run for too long: the cell ends\n");
        ::_exit(73);
      }
    }).detach();
  }
  void heard() { heard_ = now(); }
  // Not by the thread alone: after a stop another one may be quicker with its answer.
  void end_if_stopped() const {
    const Milliseconds slept(now() - awake_);
    if (slept < look_every + least_stop) return;
    tell(fmt::format("patchlab: error: the cell was stopped for {:.0f} s, and what it saw says nothing: it ends\n",
                     static_cast<double>(slept.count()) / 1000.0));
    ::_exit(73);
  }

 private:
  static constexpr Milliseconds look_every{500};
  static constexpr Milliseconds least_stop{3000};  // more than a busy host lets a thread wait
  static std::int64_t now() { return system_clock_source().now().count(); }
  const Milliseconds most_;
  std::atomic<std::int64_t> heard_ = 0;
  std::atomic<std::int64_t> awake_ = 0;
};

// `reply`: made already, because something was said before; null: it is made here.
int serve(const lab::network::CellNamespaces& wanted, const std::function<void()>& entered,
          std::unique_ptr<talk::Reply> reply = nullptr, Silence* silence = nullptr,
          const std::vector<lab::content::Fetched>& images = {}) {
  if (auto moved = lab::network::enter_cell_namespaces(wanted); !moved) {
    tell(fmt::format("patchlab: error: {}\n", printable(moved.error().message)));
    return 73;
  }
  entered();
  if (!reply) reply = std::make_unique<talk::Reply>();
  Server server(*reply, images);
  std::string line;
  while (std::getline(std::cin, line)) {
    if (silence != nullptr) silence->heard();
    const auto request = json_in(line);
    if (request.is_discarded() || !request.contains("op") || request["op"] == "alive") continue;
    server.answer(request);
  }
  // The parent is gone or has what it wanted. Nothing in here is worth keeping, and tidying up would wait for whatever
  // is under way: process 1 of the cell takes every QEMU along, and with the namespaces go bridge, taps and mounts.
  ::_exit(0);
}

}  // namespace

int cell_main(const std::filesystem::path& root, const CellOptions& options) {
  // Ctrl-C goes to the whole terminal group; the run decides what happens to its cells.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  lab::network::CellNamespaces wanted{.offer_kvm = options.offer_kvm && !options.on_libvirt,
                                      .folder = root,
                                      .readable = options.readable,
                                      .writable = options.writable};
  constexpr const char* self = "/proc/self/exe";
  if (auto worker = checks::check_worker_of(self); worker != self) wanted.readable.push_back(std::move(worker));
  if (options.elsewhere > 0) {
    auto reply = std::make_unique<talk::Reply>();
    ::alarm(options.elsewhere);
    std::vector<lab::content::Fetched> images;
    const auto place = tell_place(*reply, images);
    if (!place) return 0;
    wanted.offer_kvm = place->accelerator == "kvm";
    Silence silence(std::chrono::seconds(options.elsewhere));
    const auto entered = [&, said = reply.get()] {
      silence.watch();
      said->look_first([&] { silence.end_if_stopped(); });
    };
    return serve(wanted, entered, std::move(reply), &silence, images);
  }
  if (options.on_libvirt) return keep([&](const std::function<void()>& entered) { return serve(wanted, entered); });
  return serve(wanted, [] {});
}

}  // namespace patchlab::runners::cell

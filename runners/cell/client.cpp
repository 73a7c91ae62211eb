// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/client.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "lab/libvirt/system_lab.hpp"
#include "runners/talk/conversation.hpp"

namespace patchlab::runners::cell {
namespace {

constexpr std::chrono::seconds patience{20};
constexpr std::chrono::seconds long_patience{120};  // a libvirt ends machines one after another, and waits for each

std::string what_removes(const CellStart& start) {
  if (start.kind != CellKind::on_libvirt) return {};
  return fmt::format("; '{}' removes what it may have left on its libvirt", start.to_clean);
}

class ChildCell final : public CellClient {
 public:
  ChildCell(ChildProcess child, const CellStart& start, OnEvent on_event)
      : department_(start.department),
        what_removes_(what_removes(start)),
        on_event_(std::move(on_event)),
        conversation_(std::move(child),
                      {fmt::format("the cell of department '{}'", start.department),
                       fmt::format("its log is '{}'{}", start.log.string(), what_removes_), what_happens(start)},
                      [this](const Json& event) { heard(event); }),
        launch_(start.launch),
        tells_every_(std::chrono::milliseconds(start.silence) / 6) {}
  ~ChildCell() override { close(); }

  Result<Place> place(const PlaceQuestion& question) override {
    PATCHLAB_ASSIGN(const auto answer, conversation_.call({{"op", "place"}, {"question", question}}));
    Place place;
    try {
      place = place_from_json(answer);
    } catch (const Json::exception& trouble) {
      return infrastructure_error(fmt::format(
          "the cell of department '{}' says of its place what cannot be understood: {}", department_, trouble.what()));
    }
    // Its clock was read a moment ago; on this host it is ours.
    if (!is_here(place)) ahead_ms_ = (place.now - system_clock_source().now()).count();
    placed_ = true;
    // Whoever passes our streams on may end without ending the cell's input.
    alive_ = std::jthread([this](const std::stop_token& stop) {
      std::mutex waiting;
      std::condition_variable_any tick;
      std::unique_lock lock(waiting);
      while (!tick.wait_for(lock, stop, tells_every_, [&] { return stop.stop_requested(); }))
        conversation_.tell({{"op", "alive"}});
    });
    return place;
  }
  Result<reports::TrialRecord> prepare(const CellJob& job) override {
    PATCHLAB_ASSIGN(const auto answer, conversation_.call({{"op", "prepare"}, {"job", job}}));
    return reports::trial_record_from_json(answer);
  }
  Result<reports::TrialRecord> run_trial(const TrialJob& job) override {
    PATCHLAB_ASSIGN(const auto answer, conversation_.call({{"op", "trial"}, {"job", job}}));
    return reports::trial_record_from_json(answer);
  }
  Result<LearntMachines> learn(const CellJob& job, const LearnJob& wanted) override {
    PATCHLAB_ASSIGN(const auto answer, conversation_.call({{"op", "learn"}, {"job", job}, {"wanted", wanted}}));
    LearntMachines learnt;
    for (const auto& [name, machine] : answer.items()) learnt[name] = checks::learn::learnt_from_json(machine);
    return learnt;
  }
  Result<Refreshed> refresh(const CellJob& job, const RefreshJob& wanted) override {
    PATCHLAB_ASSIGN(const auto answer, conversation_.call({{"op", "refresh"}, {"job", job}, {"wanted", wanted}}));
    return refreshed_from_json(answer);
  }
  Result<GuestReplies> record(const CellJob& job) override {
    PATCHLAB_ASSIGN(const auto answer, conversation_.call({{"op", "record"}, {"job", job}}));
    return guest_replies_from_json(answer);
  }
  Result<Json> control_knowledge() override { return conversation_.call({{"op", "knowledge"}}); }
  Result<void> know(const Json& knowledge) override {
    PATCHLAB_TRY(conversation_.call({{"op", "know"}, {"knowledge", knowledge}}));
    return {};
  }
  Result<void> forget_installs() override {
    PATCHLAB_TRY(conversation_.call({{"op", "forget-installs"}}));
    return {};
  }
  Result<Json> installs_for_later(const std::map<std::string, std::vector<std::string>>& digests) override {
    return conversation_.call({{"op", "installs-for-later"}, {"digests", digests}});
  }
  Result<void> images_again() override {
    PATCHLAB_TRY(conversation_.call({{"op", "images-again"}}));
    return {};
  }
  Result<void> probe_fence(const std::string& phase) override {
    PATCHLAB_TRY(conversation_.call({{"op", "fence"}, {"phase", phase}}));
    return {};
  }

  // Killing the outer process takes its PID namespace, and with it every QEMU, along; but for those of a libvirt.
  void close() override {
    const bool may_leave = !what_removes_.empty();
    // Who waits for a node does not see that its input ends.
    if (launch_ && !placed_) launch_->cancel();
    if (launch_) {
      if (!conversation_.end(patience)) launch_->cancel();
      return;
    }
    if (conversation_.end(may_leave ? long_patience : patience) || !may_leave) return;
    on_event_(department_, {{"event", "left"}, {"text", "its cell did not end in time" + what_removes_}});
  }

 private:
  static std::function<Error(const ProcessOutcome&)> what_happens(const CellStart& start) {
    if (!start.launch) return {};
    return [launch = start.launch](const ProcessOutcome& outcome) { return launch->why_gone(outcome); };
  }

  // Timings are on the monotonic clock of the host of the cell.
  void heard(const Json& event) {
    if (ahead_ms_ == 0 || !event.contains("start_ms") || !event["start_ms"].is_number_integer())
      return on_event_(department_, event);
    auto ours = event;
    ours["start_ms"] = event["start_ms"].get<std::int64_t>() - ahead_ms_;
    on_event_(department_, ours);
  }

  std::string department_;
  const std::string what_removes_;  // empty: nothing is left, as its machines are no libvirt's
  OnEvent on_event_;
  std::atomic<std::int64_t> ahead_ms_ = 0;
  std::atomic<bool> placed_ = false;
  talk::Conversation conversation_;
  std::shared_ptr<const Launch> launch_;  // null: started without
  const std::chrono::milliseconds tells_every_;
  std::jthread alive_;
};

}  // namespace

Result<Place> CellClient::place(const PlaceQuestion& /*question*/) {
  return Error{ErrorClass::bug, "this cell does not tell where it is", {}};
}

Result<LearntMachines> CellClient::learn(const CellJob& job, const LearnJob& /*wanted*/) {
  return Error{ErrorClass::bug, fmt::format("the cell of department '{}' cannot learn checks", job.department), {}};
}

Result<Refreshed> CellClient::refresh(const CellJob& job, const RefreshJob& /*wanted*/) {
  return Error{ErrorClass::bug, fmt::format("the cell of department '{}' cannot refresh images", job.department), {}};
}

Result<GuestReplies> CellClient::record(const CellJob& job) {
  return Error{ErrorClass::bug, fmt::format("the cell of department '{}' cannot record", job.department), {}};
}

Result<Json> CellClient::control_knowledge() {
  return Error{ErrorClass::bug, "this cell does not tell what a control taught", {}};
}

Result<void> CellClient::know(const Json& /*knowledge*/) {
  return Error{ErrorClass::bug, "this cell cannot be told what a control taught", {}};
}

Result<void> CellClient::forget_installs() {
  return Error{ErrorClass::bug, "this cell knows of no states of an earlier run", {}};
}

Result<Json> CellClient::installs_for_later(const std::map<std::string, std::vector<std::string>>& /*digests*/) {
  return Error{ErrorClass::bug, "this cell keeps no states for later runs", {}};
}

Result<void> CellClient::images_again() { return Error{ErrorClass::bug, "this cell brought no images", {}}; }

void let_see(CellStart& start, const CellJob& job, const std::filesystem::path& media) {
  start.readable = {start.program, job.slots};
  start.writable = {job.evidence};
  if (job.libvirt) {
    for (const auto& socket : lab::libvirt::socket_places(job.libvirt->uri)) start.readable.push_back(socket);
    return;
  }
  start.readable.push_back(media);
  for (const auto& machine : job.machines) {
    for (const auto& file : {machine.golden_disk, machine.kernel, machine.initrd}) start.readable.push_back(file);
  }
}

Result<std::unique_ptr<CellClient>> start_cell(const CellStart& start, OnEvent on_event) {
  std::vector<std::string> arguments{"cell", start.root.string()};
  if (start.offer_kvm) arguments.emplace_back("--kvm");
  if (start.kind == CellKind::on_libvirt) arguments.emplace_back("--on-libvirt");
  for (const auto& path : start.readable) arguments.insert(arguments.end(), {"--read", path.string()});
  for (const auto& path : start.writable) arguments.insert(arguments.end(), {"--write", path.string()});
  if (start.launch) arguments.insert(arguments.end(), {"--elsewhere", std::to_string(start.silence.count())});
  ProcessSpec spec;
  if (start.launch) {
    arguments.insert(arguments.begin(), start.program);
    spec = start.launch->process(arguments);
  } else if (start.there) {
    arguments.insert(arguments.begin(), start.program);
    spec = lab::libvirt::ssh_process(*start.there, arguments);
  } else {
    spec.program = start.program;
    spec.arguments = std::move(arguments);
  }
  auto child = ChildProcess::start(spec, start.log);
  if (!child) {
    return std::move(child).error().while_doing(fmt::format("starting the cell of department '{}'", start.department));
  }
  return std::unique_ptr<CellClient>(std::make_unique<ChildCell>(std::move(child).value(), start, std::move(on_event)));
}

}  // namespace patchlab::runners::cell

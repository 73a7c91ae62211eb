// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/client.hpp"

#include <fmt/format.h>

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
                       fmt::format("its log is '{}'{}", start.log.string(), what_removes_)},
                      [this](const Json& event) { on_event_(department_, event); }) {}
  ~ChildCell() override { close(); }

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
  Result<void> probe_fence(const std::string& phase) override {
    PATCHLAB_TRY(conversation_.call({{"op", "fence"}, {"phase", phase}}));
    return {};
  }

  // Killing the outer process takes its PID namespace, and with it every QEMU, along; but for those of a libvirt.
  void close() override {
    const bool may_leave = !what_removes_.empty();
    if (conversation_.end(may_leave ? long_patience : patience) || !may_leave) return;
    on_event_(department_, {{"event", "left"}, {"text", "its cell did not end in time" + what_removes_}});
  }

 private:
  std::string department_;
  const std::string what_removes_;  // empty: nothing is left, as its machines are no libvirt's
  OnEvent on_event_;
  talk::Conversation conversation_;
};

}  // namespace

Result<LearntMachines> CellClient::learn(const CellJob& job, const LearnJob& /*wanted*/) {
  return Error{ErrorClass::bug, fmt::format("the cell of department '{}' cannot learn checks", job.department), {}};
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
  ProcessSpec spec;
  if (start.there) {
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

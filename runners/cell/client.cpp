// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/client.hpp"

#include <fmt/format.h>

#include <csignal>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "lab/process/child.hpp"

namespace patchlab::runners::cell {
namespace {

constexpr std::chrono::seconds patience{20};
constexpr std::chrono::seconds long_patience{120};  // a libvirt ends machines one after another, and waits for each
constexpr const char* what_removes = "; 'patchlab lab clean' removes what it may have left on its libvirt";

class ChildCell final : public CellClient {
 public:
  ChildCell(ChildProcess child, const CellStart& start, OnEvent on_event)
      : child_(std::move(child)),
        department_(start.department),
        log_(start.log),
        may_leave_(start.kind == CellKind::on_libvirt),
        on_event_(std::move(on_event)) {
    reader_ = std::jthread([this] { read(); });
  }
  ~ChildCell() override { close(); }

  Result<reports::TrialRecord> prepare(const CellJob& job) override {
    PATCHLAB_ASSIGN(const auto answer, call({{"op", "prepare"}, {"job", job}}));
    return reports::trial_record_from_json(answer);
  }
  Result<reports::TrialRecord> run_trial(const TrialJob& job) override {
    PATCHLAB_ASSIGN(const auto answer, call({{"op", "trial"}, {"job", job}}));
    return reports::trial_record_from_json(answer);
  }
  Result<void> probe_fence(const std::string& phase) override {
    PATCHLAB_TRY(call({{"op", "fence"}, {"phase", phase}}));
    return {};
  }

  void close() override {
    const std::lock_guard closing(close_mutex_);
    if (!reader_.joinable()) return;
    child_.close_input();  // the cell ends its machines and exits
    if (const auto end = child_.wait(may_leave_ ? long_patience : patience);
        std::holds_alternative<TimedOut>(end.end)) {
      // Killing the outer process takes its PID namespace, and with it every QEMU, along; but for those of a libvirt.
      child_.send_signal(SIGKILL);
      (void)child_.wait(std::chrono::seconds(10));
      if (may_leave_) {
        on_event_(department_,
                  {{"event", "left"}, {"text", std::string("its cell did not end in time") + what_removes}});
      }
    }
    reader_.join();
  }

 private:
  Result<Json> call(Json request) {
    std::unique_lock lock(mutex_);
    const auto id = ++last_id_;
    request["id"] = id;
    if (gone_) return *gone_;
    lock.unlock();
    PATCHLAB_TRY(child_.write_line(request.dump(-1, ' ', false, Json::error_handler_t::replace)));
    lock.lock();
    // No deadline here: every step inside the cell has its own, and a dead cell ends the wait.
    answered_.wait(lock, [&] { return gone_ || answers_.contains(id); });
    const auto found = answers_.find(id);
    if (found == answers_.end()) return *gone_;
    auto answer = std::move(found->second);
    answers_.erase(found);
    if (answer.contains("error")) return error_from_json(answer["error"]);
    return answer["result"];
  }

  void read() {
    std::string why = "its process ended";
    for (;;) {
      auto line = child_.read_line(std::chrono::hours(24));
      if (!line) {
        why = line.error().message;
        break;
      }
      if (!*line) break;
      auto message = Json::parse(**line, nullptr, false);
      if (message.is_discarded()) continue;  // a library that prints to stdout must not end the run
      if (message.contains("event")) {
        on_event_(department_, message);
        continue;
      }
      const std::lock_guard lock(mutex_);
      const auto id = message.value("id", 0);
      answers_[id] = std::move(message);
      answered_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    gone_ = infrastructure_error(fmt::format("the cell of department '{}' is gone: {}", department_, why),
                                 fmt::format("its log is '{}'{}", log_.string(), may_leave_ ? what_removes : ""));
    answered_.notify_all();
  }

  ChildProcess child_;
  std::string department_;
  std::filesystem::path log_;
  const bool may_leave_;  // its machines are a libvirt's
  OnEvent on_event_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<int, Json> answers_;
  int last_id_ = 0;
  std::optional<Error> gone_;
  std::mutex close_mutex_;
  std::jthread reader_;
};

}  // namespace

Result<std::unique_ptr<CellClient>> start_cell(const CellStart& start, OnEvent on_event) {
  ProcessSpec spec;
  spec.program = start.program;
  spec.arguments = {"cell", start.root.string()};
  if (start.offer_kvm) spec.arguments.emplace_back("--kvm");
  if (start.kind == CellKind::on_libvirt) spec.arguments.emplace_back("--on-libvirt");
  auto child = ChildProcess::start(spec, start.log);
  if (!child) {
    return std::move(child).error().while_doing(fmt::format("starting the cell of department '{}'", start.department));
  }
  return std::unique_ptr<CellClient>(std::make_unique<ChildCell>(std::move(child).value(), start, std::move(on_event)));
}

}  // namespace patchlab::runners::cell

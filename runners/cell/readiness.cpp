// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/readiness.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "lab/core/files.hpp"

namespace patchlab::runners::cell {
namespace {

// A readiness probe only: does anything accept on this port? What it says is the checks' business.
bool tcp_accepts(const std::string& address, std::uint16_t port, Milliseconds limit) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in remote{};
  remote.sin_family = AF_INET;
  remote.sin_port = htons(port);
  if (!socket.valid() || ::inet_pton(AF_INET, address.c_str(), &remote.sin_addr) != 1) return false;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote) == 0) return true;
  pollfd waiter{socket.get(), POLLOUT, 0};
  if (::poll(&waiter, 1, static_cast<int>(limit.count())) != 1) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// Whether a guest has something to do, told from the processor time of its QEMU: whatever its system, and without
// asking it.
class Activity {
 public:
  Activity(lab::Hypervisor& hypervisor, const Clock& clock, std::string machine)
      : hypervisor_(hypervisor), clock_(clock), machine_(std::move(machine)) {}

  // For how long it has had nothing to do, as far as was looked: this is to be asked again and again.
  [[nodiscard]] Milliseconds quiet_for() {
    const auto now = clock_.now();
    if (used_ && now - looked_ < shortest_look) return looked_ - quiet_since_;
    const auto used = hypervisor_.processor_time(machine_);
    trouble_ = used ? std::nullopt : std::optional(used.error());
    const bool quiet = used && used_ && 100 * (*used - *used_) < quiet_percent * (now - looked_);
    if (!quiet) quiet_since_ = now;
    used_ = used ? std::optional(*used) : std::nullopt;
    looked_ = now;
    return looked_ - quiet_since_;
  }
  // Why the last look saw nothing.
  [[nodiscard]] const std::optional<Error>& trouble() const { return trouble_; }

 private:
  // An idle guest costs a few per cent of a processor under emulation, a busy one half of one at least, even when it
  // has to share.
  static constexpr int quiet_percent = 15;
  static constexpr Milliseconds shortest_look{250};

  lab::Hypervisor& hypervisor_;
  const Clock& clock_;
  std::string machine_;
  std::optional<Milliseconds> used_;
  std::optional<Error> trouble_;
  Milliseconds looked_{0};
  Milliseconds quiet_since_{0};
};

bool ports_answer(const MachineJob& job) {
  return std::ranges::all_of(job.plan.ready_tcp,
                             [&](auto port) { return tcp_accepts(job.plan.address, port, Milliseconds(1000)); });
}

}  // namespace

// A revert sets the guest's clock, and what was still starting when it was saved would find that this took it minutes.
Result<bool> Readiness::settle(const std::string& trial) {
  const auto step = guest_.begin_step(trial, "settle", "the guest to have nothing to do");
  Activity activity(guest_.context.hypervisor, guest_.context.clock, guest_.name());
  const Wait wait{.awaited = fmt::format("machine '{}' to have nothing to do", guest_.name()),
                  .deadline = std::chrono::seconds(15),
                  .interval = Milliseconds(250),
                  .last_seen = {},
                  .stop = guest_.context.stop};
  const auto waited = wait_until(guest_.context.clock, wait, [&] { return activity.quiet_for() > Milliseconds{0}; });
  if (!waited && activity.trouble()) return *activity.trouble();
  return waited.has_value();
}

Result<void> Readiness::wait(const std::string& trial, After after) {
  const auto step = guest_.begin_step(trial, "ready", "the role's ports to answer");
  auto deadline = guest_.context.job.policy.ready_timeout;
  const bool after_patch = after == After::patch;
  if (after_patch) deadline = std::min(deadline, std::max<Milliseconds>(std::chrono::seconds(15), 5 * usual_));
  const auto patience = std::max<Milliseconds>(std::chrono::seconds(5), 2 * usual_);
  Activity activity(guest_.context.hypervisor, guest_.context.clock, guest_.name());
  bool ready = false;
  const Wait wait{.awaited = fmt::format("the TCP ports of machine '{}'", guest_.name()),
                  .deadline = deadline,
                  .interval = Milliseconds(100),
                  .last_seen = {},
                  .stop = guest_.context.stop};
  auto waited = wait_until(guest_.context.clock, wait, [&] {
    ready = ports_answer(guest_.job);
    return ready || (after_patch && activity.quiet_for() >= patience);
  });
  if (!waited) return std::move(waited).error();
  if (!ready) return timeout_error(fmt::format("{} do not answer, and the guest has nothing to do", wait.awaited));
  if (!after_patch) usual_ = *waited;
  return {};
}

}  // namespace patchlab::runners::cell

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/keeper.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>

#include "lab/core/pipe.hpp"
#include "lab/libvirt/system_lab.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/netlink.hpp"
#include "lab/process/line_splitter.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/protocol.hpp"
#include "runners/cell/reply.hpp"

namespace patchlab::runners::cell {
namespace {

int termination = -1;  // of a pipe, for the signal handler

void note_termination(int) {
  const char byte = 0;
  static_cast<void>(!::write(termination, &byte, 1));
}

// The name on the host of the cable to the inner process: as unique as the bridge's own, and as long.
std::string port_on(const std::string& bridge) { return "plp" + bridge.substr(3); }

class Keeper {
 public:
  Keeper(pid_t inner, FileDescriptor orders, FileDescriptor life, FileDescriptor ended)
      : inner_(inner), orders_(std::move(orders)), life_(std::move(life)), ended_(std::move(ended)) {}

  int run() {
    const int code = serve();
    end_inner();
    if (auto removed = remove(); !removed) {
      const auto& error = removed.error();
      fmt::print(stderr, "patchlab: error: {}\n", error.message);
      reply_.send({{"event", "left"}, {"text", error.message + "; 'patchlab lab clean' removes what is left"}});
      return 1;
    }
    return code;
  }

 private:
  int serve() {
    process::LineSplitter lines;
    std::array<char, 1U << 16U> block;
    for (;;) {
      std::array<pollfd, 3> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{ended_.get(), POLLIN, 0},
                                    pollfd{life_.get(), POLLIN, 0}};
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;  // EINTR
      if (watched[1].revents != 0) return 128 + SIGTERM;
      if (watched[2].revents != 0 && !read_life()) return 1;  // the inner process is gone; it has said why
      if (watched[0].revents == 0) continue;
      const auto count = ::read(STDIN_FILENO, block.data(), block.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return 0;  // the parent is gone or has what it wanted
      lines.add({block.data(), static_cast<std::size_t>(count)}, [this](const std::string& line) { handle(line); });
    }
  }

  // Its one byte says that the inner process is in its namespaces; its end, that no process of it is left.
  bool read_life() {
    char byte = 0;
    const auto count = ::read(life_.get(), &byte, 1);
    if (count == 1) entered_ = true;
    return count != 0;
  }

  void handle(const std::string& line) {
    const auto request = Json::parse(line, nullptr, false);
    if (request.is_discarded() || !request.contains("op")) return;
    auto ready = Result<void>();
    if (request["op"] == "prepare") {
      try {
        ready = prepare(cell_job_from_json(request.at("job")));
      } catch (const std::exception& bug) {
        ready = Error{ErrorClass::bug, fmt::format("internal error in the cell: {}", bug.what()), {}};
      }
    } else if (!lab_) {
      ready = Error{ErrorClass::bug, "the cell was asked for something before it was prepared", {}};
    }
    if (ready && !write_all(orders_.get(), line + "\n"))
      ready = infrastructure_error("the cell's inner process is gone");
    if (!ready) reply_.send({{"id", request.value("id", 0)}, {"error", ready.error()}});
  }

  Result<void> prepare(const CellJob& job) {
    auto made = make(job);
    if (made) return {};
    // What was made goes at once, while the run can still be told that it did not.
    auto error = std::move(made).error();
    if (auto removed = remove(); !removed) error.message += "; then " + removed.error().message;
    return error;
  }

  Result<void> make(const CellJob& job) {
    if (!entered_ && !read_life())
      return infrastructure_error("the cell's inner process did not get into its namespaces");
    const auto& place = job.libvirt.value();
    PATCHLAB_ASSIGN(
        lab_, lab::libvirt::SystemLab::open({place.uri, place.run, job.department, place.storage}, host_processes()));
    for (const auto& machine : job.machines) {
      PATCHLAB_ASSIGN(const auto clone, lab_->clone(machine.golden_domain, machine.plan.name));
      if (clone.macs != machine.macs) {
        return configuration_error(fmt::format("the NICs of golden domain '{}' have changed since the run was planned",
                                               machine.golden_domain));
      }
    }
    port_ = port_on(lab_->bridge());
    return lab::network::add_port(lab_->bridge(), port_, inner_).while_doing("laying a cable into the cell");
  }

  void end_inner() {
    ::kill(inner_, SIGKILL);
    int status = 0;
    while (::waitpid(inner_, &status, 0) < 0 && errno == EINTR) {
    }
    // Its descendants die with it, one after the other. What they had under way with libvirt could undo what comes
    // next.
    pollfd watched{life_.get(), POLLIN, 0};
    for (bool alive = true; alive && ::poll(&watched, 1, 10'000) == 1;) alive = read_life();
  }

  Result<void> remove() {
    if (!lab_) return {};
    // The cable goes with the namespace of the inner process too, but the kernel takes its time for that.
    if (auto netlink = lab::network::Netlink::open(); netlink && !port_.empty())
      static_cast<void>(netlink->remove(port_));
    auto removed = lab_->remove();
    lab_.reset();
    return removed;
  }

  pid_t inner_;
  FileDescriptor orders_;
  FileDescriptor life_;
  FileDescriptor ended_;
  Reply reply_;
  bool entered_ = false;
  std::unique_ptr<lab::libvirt::SystemLab> lab_;
  std::string port_;
};

Result<std::unique_ptr<Keeper>> start(const std::function<int(const std::function<void()>&)>& inside) {
  PATCHLAB_ASSIGN(auto orders, make_pipe());
  PATCHLAB_ASSIGN(auto life, make_pipe());
  const pid_t inner = ::fork();
  if (inner < 0) return errno_error("starting the cell's inner process", errno);
  if (inner == 0) {
    ::dup2(orders.read.get(), STDIN_FILENO);
    orders = {};
    life.read = FileDescriptor();
    ::_exit(inside([&] { static_cast<void>(write_all(life.write.get(), ".")); }));
  }
  PATCHLAB_ASSIGN(auto ended, make_pipe());
  termination = ended.write.release();
  struct sigaction action {};
  action.sa_handler = note_termination;
  ::sigaction(SIGTERM, &action, nullptr);
  return std::make_unique<Keeper>(inner, std::move(orders.write), std::move(life.read), std::move(ended.read));
}

}  // namespace

int keep(const std::function<int(const std::function<void()>& entered)>& inside) {
  // The end of the run must not be the end of this process: it has to tidy up. Standard input tells.
  if (::prctl(PR_SET_PDEATHSIG, 0) != 0) return 73;
  for (const int by_terminal : {SIGHUP, SIGQUIT}) std::signal(by_terminal, SIG_IGN);
  auto keeper = start(inside);
  if (!keeper) {
    fmt::print(stderr, "patchlab: error: {}\n", keeper.error().message);
    return 73;
  }
  return (*keeper)->run();
}

}  // namespace patchlab::runners::cell

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/keeper.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>

#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"
#include "lab/libvirt/system_lab.hpp"
#include "lab/network/control.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/netlink.hpp"
#include "lab/process/line_splitter.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/bridge_fence.hpp"
#include "runners/cell/protocol.hpp"
#include "runners/talk/reply.hpp"

namespace patchlab::runners::cell {
namespace {

int termination = -1;  // of a pipe, for the signal handler

void note_termination(int) {
  const char byte = 0;
  static_cast<void>(!::write(termination, &byte, 1));
}

// The names on the host of the cables to the inner process: as unique as the bridge's own, and as long.
std::string port_on(const std::string& bridge) { return "plp" + bridge.substr(3); }
std::string control_port_on(const std::string& bridge) { return "plq" + bridge.substr(3); }

class Keeper {
 public:
  Keeper(pid_t inner, FileDescriptor orders, FileDescriptor life, FileDescriptor ended)
      : inner_(inner), orders_(std::move(orders)), life_(std::move(life)), ended_(std::move(ended)) {}

  int run() {
    const int code = serve();
    end_inner();
    if (auto removed = remove(); !removed) {
      const auto& error = removed.error();
      tell(fmt::format("patchlab: error: {}\n", printable(error.message)));
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

  // Its one byte says that the inner process is in its namespaces, and with it the kernel says which one that is; its
  // end, that no process of it is left.
  bool read_life() {
    char byte = 0;
    iovec place{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> beside{};
    msghdr message{};
    message.msg_iov = &place;
    message.msg_iovlen = 1;
    message.msg_control = beside.data();
    message.msg_controllen = beside.size();
    const auto count = ::recvmsg(life_.get(), &message, MSG_CMSG_CLOEXEC);
    const auto* header = CMSG_FIRSTHDR(&message);
    if (count == 1 && header != nullptr && header->cmsg_type == SCM_CREDENTIALS) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
      entered_ = sender.pid;
    }
    return count > 0 || (count < 0 && errno == EINTR);
  }

  void handle(const std::string& line) {
    auto request = json_in(line);
    if (request.is_discarded() || !request.contains("op")) return;
    auto ready = Result<void>();
    try {
      if (request["op"] == "prepare" || request["op"] == "learn" || request["op"] == "record") {
        ready = prepare(cell_job_from_json(request.at("job")));
      } else if (!lab_) {
        ready = Error{ErrorClass::bug, "the cell was asked for something before it was prepared", {}};
      } else if (request["op"] == "trial") {
        auto trial = trial_job_from_json(request.at("job"));
        ready = bring_media(trial);
        request["job"] = trial;
        look_at_bridge("during", trial.id);
      } else if (request["op"] == "fence") {
        look_at_bridge(request.at("phase"), {});
      }
    } catch (const std::exception& bug) {
      ready = Error{ErrorClass::bug, fmt::format("internal error in the cell: {}", bug.what()), {}};
    }
    if (ready && !write_all(orders_.get(), request.dump() + "\n"))
      ready = infrastructure_error("the cell's inner process is gone");
    if (!ready) reply_.send({{"id", request.value("id", 0)}, {"error", ready.error()}});
  }

  Result<void> prepare(const CellJob& job) {
    if (lab_) return {};  // once more, with the same machines
    auto made = make(job);
    if (made) {
      look_at_bridge("before", {});
      return {};
    }
    // What was made goes at once, while the run can still be told that it did not.
    auto error = std::move(made).error();
    if (auto removed = remove(); !removed) error.message += "; then " + removed.error().message;
    return error;
  }

  Result<void> make(const CellJob& job) {
    if (!entered_) read_life();
    if (!entered_) return infrastructure_error("the cell's inner process did not get into its namespaces");
    const auto& place = job.libvirt.value();
    const lab::libvirt::SystemLab::Place lab_place{place.uri, place.run, job.department, place.storage};
    PATCHLAB_ASSIGN(lab_, lab::libvirt::SystemLab::open(lab_place, host_processes()));
    storage_ = lab::libvirt::SystemLab::folder_of(lab_place);
    for (const auto& machine : job.machines) {
      PATCHLAB_ASSIGN(const auto clone, lab_->clone(machine.golden_domain, machine.plan.name));
      if (clone.macs != machine.macs) {
        return configuration_error(fmt::format("the NICs of golden domain '{}' have changed since the run was planned",
                                               machine.golden_domain));
      }
    }
    const auto bridge = lab_->bridge();
    const auto lay = [&](const std::string& port, const char* inside) {
      ports_.push_back(port);
      return lab::network::add_port(bridge, port, inside, *entered_).while_doing("laying a cable into the cell");
    };
    PATCHLAB_TRY(lay(port_on(bridge), lab::network::port_inside));
    PATCHLAB_TRY(lay(control_port_on(bridge), lab::network::control_port_inside));
    std::size_t nics = 0;
    for (const auto& machine : job.machines) nics += machine.macs.size();
    return guard(bridge, nics);
  }

  // From the host's side, because there its network managers and DHCP clients see the lab's devices as any others.
  Result<void> guard(const std::string& bridge, std::size_t nics) {
    PATCHLAB_ASSIGN(guard_, lab::network::BridgeGuard::start({bridge, nics, true, {}}));
    bridge_ = bridge;
    return {};
  }

  // What came since the last look is found as well, so that looks at the begin of each trial and at the end miss
  // nothing.
  void look_at_bridge(const std::string& phase, const std::string& trial) {
    std::vector<std::string> troubles;
    Json attempts = Json::array();
    if (auto attempt = bridge_attempt(*guard_, bridge_, troubles)) {
      attempt->phase = phase;
      attempt->trial = trial;
      attempts.push_back(*attempt);
    }
    reply_.send({{"event", "fence"}, {"phase", phase}, {"attempts", attempts}, {"troubles", troubles}});
  }

  // QEMU's user cannot pass through the cache, so media go where the clones are; and the inner process sees neither.
  // They stay until the cell goes: trials share them.
  Result<void> bring_media(TrialJob& trial) const {
    for (auto& [machine, iso] : trial.media) {
      const auto there = storage_ / iso.filename();
      std::error_code code;
      if (!std::filesystem::exists(there, code)) {
        const auto half = there.string() + ".part";
        std::filesystem::copy_file(iso, half, std::filesystem::copy_options::overwrite_existing, code);
        if (!code) std::filesystem::permissions(half, std::filesystem::perms(0644), code);
        if (!code) std::filesystem::rename(half, there, code);
        if (code) {
          return infrastructure_error(
              fmt::format("copying '{}' to '{}': {}", iso.string(), there.string(), code.message()));
        }
      }
      iso = there;
    }
    return {};
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
    // The cables go with the namespace of the inner process too, but the kernel takes its time for that.
    if (auto netlink = lab::network::Netlink::open()) {
      for (const auto& port : std::exchange(ports_, {})) static_cast<void>(netlink->remove(port));
    }
    auto removed = lab_->remove();
    lab_.reset();
    return removed;
  }

  pid_t inner_;
  FileDescriptor orders_;
  FileDescriptor life_;
  FileDescriptor ended_;
  talk::Reply reply_;
  std::optional<pid_t> entered_;  // the process that has the cell's network
  std::unique_ptr<lab::libvirt::SystemLab> lab_;
  std::unique_ptr<lab::network::BridgeGuard> guard_;
  std::string bridge_;
  std::vector<std::string> ports_;
  std::filesystem::path storage_;  // the folder of the clones' files
};

Result<std::unique_ptr<Keeper>> start(const std::function<int(const std::function<void()>&)>& inside) {
  PATCHLAB_ASSIGN(auto orders, make_pipe());
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return errno_error("making a pair of sockets", errno);
  Pipe life{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  constexpr int yes = 1;
  if (::setsockopt(life.read.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
    return errno_error("asking for the sender of a message", errno);
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
    tell(fmt::format("patchlab: error: {}\n", printable(keeper.error().message)));
    return 73;
  }
  return (*keeper)->run();
}

}  // namespace patchlab::runners::cell

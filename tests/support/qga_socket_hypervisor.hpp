// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "lab/core/files.hpp"
#include "lab/hypervisor.hpp"

namespace patchlab::test {

// A stream of JSON messages, one per line, on a UNIX socket of QEMU.
class LineSocket {
 public:
  explicit LineSocket(std::filesystem::path path) : path_(std::move(path)) {}

  Result<void> connect() {
    if (socket_.valid()) return {};
    FileDescriptor fresh(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto text = path_.string();
    if (text.size() >= sizeof address.sun_path) return infrastructure_error("socket path too long: " + text);
    std::memcpy(address.sun_path, text.c_str(), text.size());
    if (::connect(fresh.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return errno_error("connecting to " + text, errno);
    socket_ = std::move(fresh);
    buffer_.clear();
    return {};
  }
  void close() { socket_ = FileDescriptor(); }

  Result<void> send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto count = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) {
        close();
        return infrastructure_error("the socket was closed while sending");
      }
      sent += static_cast<std::size_t>(count);
    }
    return {};
  }

  Result<std::string> line(std::chrono::steady_clock::time_point until) {
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        auto text = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return text;
      }
      const auto left = std::chrono::duration_cast<Milliseconds>(until - std::chrono::steady_clock::now()).count();
      pollfd entry{socket_.get(), POLLIN, 0};
      if (left <= 0 || ::poll(&entry, 1, static_cast<int>(left)) <= 0) {
        close();
        return timeout_error("no answer in time");
      }
      std::array<char, 65536> block{};
      const auto count = ::recv(socket_.get(), block.data(), block.size(), 0);
      if (count <= 0) {
        close();
        return infrastructure_error("the socket was closed");
      }
      buffer_.append(block.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  std::filesystem::path path_;
  FileDescriptor socket_;
  std::string buffer_;
};

// A Hypervisor over QEMUs that somebody started by hand with a guest agent socket ("<folder>/ga.sock") and a QMP socket
// ("<folder>/qmp.sock"): the guest code can be tried on a real guest without libvirt. `start` runs "<folder>/boot.sh".
// The CD drive has the id "cd0".
class QgaSocketHypervisor final : public lab::Hypervisor {
 public:
  void add(const std::string& machine, const std::filesystem::path& folder) { machines_.try_emplace(machine, folder); }

  Result<void> define(const lab::MachineSpec&) override { return unsupported("define"); }
  Result<void> undefine(const std::string&) override { return unsupported("undefine"); }

  Result<void> start(const std::string& machine) override {
    auto script = (machines_.at(machine).folder / "boot.sh").string();
    std::array<char*, 2> arguments{script.data(), nullptr};
    pid_t child = 0;
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int trouble = ::posix_spawn(&child, script.c_str(), &files, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    if (trouble != 0) return errno_error("starting " + script, trouble);
    return {};
  }
  Result<void> power_off(const std::string& machine) override { return monitor(machine, "quit"); }
  Result<lab::MachineState> state(const std::string& machine) override {
    const auto status = qmp(machine, {{"execute", "query-status"}});
    if (!status) return lab::MachineState::off;
    return status->value("running", false) ? lab::MachineState::running : lab::MachineState::paused;
  }
  Result<Milliseconds> processor_time(const std::string&) override { return Milliseconds(0); }
  Result<void> pause(const std::string& machine) override { return done(qmp(machine, {{"execute", "stop"}})); }
  Result<void> resume(const std::string& machine) override { return done(qmp(machine, {{"execute", "cont"}})); }
  Result<void> take_snapshot(const std::string& machine, const std::string& name) override {
    return monitor(machine, "savevm " + name);
  }
  Result<void> adopt_snapshot(const std::string&, const std::string&) override { return unsupported("adopt_snapshot"); }
  Result<void> revert(const std::string& machine, const std::string& name) override {
    PATCHLAB_TRY(monitor(machine, "loadvm " + name));
    return resume(machine);
  }
  Result<void> delete_snapshot(const std::string& machine, const std::string& name) override {
    return monitor(machine, "delvm " + name);
  }
  Result<void> change_medium(const std::string& machine, const std::filesystem::path& iso) override {
    if (iso.empty()) return done(qmp(machine, {{"execute", "eject"}, {"arguments", {{"id", "cd0"}}}}));
    return done(qmp(machine, {{"execute", "blockdev-change-medium"},
                              {"arguments", {{"id", "cd0"}, {"filename", iso.string()}, {"format", "raw"}}}}));
  }

  Result<std::string> agent_command(const std::string& machine, const std::string& command,
                                    Milliseconds limit) override {
    auto& agent = machines_.at(machine).agent;
    const auto until = std::chrono::steady_clock::now() + limit;
    PATCHLAB_TRY(agent.connect());
    // What earlier, unanswered commands left behind is thrown away: only the answer to this id is in step (qemu-ga's
    // guest-sync).
    const auto id = ++sync_id_;
    PATCHLAB_TRY(
        agent.send("\xff" + Json{{"execute", "guest-sync-delimited"}, {"arguments", {{"id", id}}}}.dump() + "\n"));
    for (;;) {
      PATCHLAB_ASSIGN(auto text, agent.line(until));
      text.erase(0, text.rfind('\xff') == std::string::npos ? 0 : text.rfind('\xff') + 1);
      const auto reply = Json::parse(text, nullptr, false);
      if (reply.is_object() && reply.contains("return") && reply["return"] == id) break;
    }
    PATCHLAB_TRY(agent.send(command + "\n"));
    return agent.line(until);
  }

 private:
  struct Machine {
    explicit Machine(const std::filesystem::path& where) : folder(where), agent(where / "ga.sock") {}
    std::filesystem::path folder;
    LineSocket agent;
  };

  static Error unsupported(const char* what) {
    return infrastructure_error(fmt::format("a hand-started QEMU has no '{}'", what));
  }
  static Result<void> done(const Result<Json>& result) {
    if (!result) return result.error();
    return {};
  }

  // One connection per command: QEMU's monitor serves one client at a time.
  Result<Json> qmp(const std::string& machine, const Json& command) {
    LineSocket socket(machines_.at(machine).folder / "qmp.sock");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    PATCHLAB_TRY(socket.connect());
    PATCHLAB_TRY(socket.line(until));  // greeting
    PATCHLAB_TRY(socket.send(R"({"execute":"qmp_capabilities"})" + command.dump() + "\n"));
    for (int answers = 0;;) {
      PATCHLAB_ASSIGN(const auto text, socket.line(until));
      const auto reply = Json::parse(text, nullptr, false);
      if (!reply.is_object() || reply.contains("event")) continue;
      if (reply.contains("error")) return infrastructure_error("QEMU: " + reply["error"].dump());
      if (++answers == 2) return reply.value("return", Json::object());
    }
  }

  // Commands of the human monitor print nothing on success.
  Result<void> monitor(const std::string& machine, const std::string& line) {
    PATCHLAB_ASSIGN(const auto said,
                    qmp(machine, {{"execute", "human-monitor-command"}, {"arguments", {{"command-line", line}}}}));
    if (said.is_string() && !said.get<std::string>().empty())
      return infrastructure_error("QEMU: " + said.get<std::string>());
    return {};
  }

  std::map<std::string, Machine> machines_;
  std::int64_t sync_id_ = 1000;
};

}  // namespace patchlab::test

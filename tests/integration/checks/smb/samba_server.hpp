// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "checks/socket.hpp"
#include "lab/core/files.hpp"
#include "lab/process/child.hpp"
#include "lab/process/process.hpp"

namespace patchlab::checks::smb {

// A real smbd on a loopback port with everything it owns in one temporary folder. Its users are two system accounts
// that every Debian has, "daemon" and "games", with Samba passwords of their own. Needs root, because smbd becomes
// those users.
class SambaServer {
 public:
  static constexpr const char* user = "daemon";
  static constexpr const char* other_user = "games";
  static constexpr const char* administrator = "root";  // only with make_shadow_copies
  static constexpr const char* password = "Rainy-Tuesday-41";

  // Empty when it can run here.
  static std::string why_not() {
    if (::geteuid() != 0) return "smbd needs root to become its users";
    if (!std::filesystem::exists("/usr/sbin/smbd")) return "samba is not installed (apt-get install samba)";
    return {};
  }

  SambaServer() : folder_(make_folder()), port_(free_port()) {
    write_configuration("read only = no");
    for (const char* name : {"projects", "handbook"}) share_folder(name);
    for (const char* name : {user, other_user}) add_user(name);
  }
  ~SambaServer() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  SambaServer(const SambaServer&) = delete;
  SambaServer& operator=(const SambaServer&) = delete;

  // By the session service of NetBIOS, which has one port alone (RFC 1002): on an address of loopback that is nobody
  // else's. Before start().
  static constexpr const char* netbios_address = "127.139.0.1";
  void listen_by_netbios() {
    address_ = netbios_address;
    port_ = 139;
  }

  // What the section [projects] says besides path and users, and what [global] says as well (the last word counts).
  void write_configuration(const std::string& projects, const std::string& global = {}) const {
    std::string text = "[global]\n";
    for (const char* name : {"lock", "state", "cache", "pid", "ncalrpc"}) {
      const char* word = name == std::string("ncalrpc") ? "dir" : "directory";
      text += fmt::format("\t{} {} = {}\n", name, word, (folder_ / "state").string());
    }
    text += fmt::format("\tprivate dir = {0}/state\n\tpassdb backend = smbpasswd:{0}/passwords\n\tlog file = {0}/log\n",
                        folder_.string());
    text +=
        fmt::format("\tsmb ports = {}\n\tinterfaces = {}\n", port_, address_ == "127.0.0.1" ? "lo" : address_ + "/8");
    text +=
        "\tdisable netbios = yes\n\tbind interfaces only = yes\n\tserver role = "
        "standalone server\n"
        "\tmap to guest = never\n\tload printers = no\n\tprintcap name = /dev/null\n\tdisable spoolss = yes\n\tserver "
        "min protocol = SMB2_10\n";
    text += global;
    text +=
        fmt::format("[projects]\n\tpath = {}/projects\n\tvalid users = {}\n\t{}\n", folder_.string(), user, projects);
    text += fmt::format("[handbook]\n\tpath = {}/handbook\n\tvalid users = {} {}\n\tread only = yes\n",
                        folder_.string(), user, other_user);
    (void)write_file_atomically(configuration_file(), text).has_value();
  }

  // A namespace of DFS with such links in it, "projects" to "file2.office.example\\projects", on the port at which
  // clients look for the target of a referral. Before start().
  static constexpr const char* namespace_address = "127.45.0.1";
  void serve_namespace(const std::map<std::string, std::string>& links) {
    address_ = namespace_address;
    port_ = 445;
    std::filesystem::create_directory(share("namespace"));
    std::filesystem::permissions(share("namespace"), std::filesystem::perms(0777));
    for (const auto& [name, where] : links)
      std::filesystem::create_symlink("msdfs:" + where, share("namespace") / name);
    write_configuration(
        "read only = no",
        fmt::format("[namespace]\n\tpath = {}\n\tmsdfs root = yes\n\tread only = no\n", share("namespace").string()));
  }
  // A queue with nothing behind it, for `user`.
  void serve_queue(const std::string& name) const {
    std::filesystem::create_directory(share("spool"));
    std::filesystem::permissions(share("spool"), std::filesystem::perms(01777));
    (void)write_file_atomically(folder_ / "printcap", name + "|a printer\n").has_value();
    write_configuration("read only = no",
                        fmt::format("\tdisable spoolss = no\n\tprinting = bsd\n\tprintcap name = {0}/printcap\n"
                                    "\tprint command = rm %s\n\tlpq command = true\n"
                                    "[{1}]\n\tpath = {0}/spool\n\tprintable = yes\n\tguest ok = no\n",
                                    folder_.string(), name));
  }
  // By the service of MS-FSRVP, for `administrator`: the copy of a share is a copy of its folder, or nothing.
  enum class ShadowCopies { made, failing };
  void make_shadow_copies(ShadowCopies end) const {
    add_user(administrator);
    const auto script = [&](const char* name, const std::string& text) {
      (void)write_file_atomically(folder_ / name, "#!/bin/sh\n" + text + "\n").has_value();
      std::filesystem::permissions(folder_ / name, std::filesystem::perms(0755));
    };
    script("check", "echo \"$1\"");
    script("create", end == ShadowCopies::made ? "cp -a \"$1\" \"$1-copy\" && echo \"$1-copy\"" : "exit 1");
    script("delete", "rm -rf \"$2\"");
    write_configuration(
        fmt::format("read only = no\n\tvalid users = {0} root\n\tvfs objects = shell_snap\n"
                    "\tshell_snap:check path command = {1}/check\n"
                    "\tshell_snap:create command = {1}/create\n\tshell_snap:delete command = {1}/delete",
                    user, folder_.string()),
        "\trpc_daemon:fssd = fork\n\trpc_server:fss = external\n");
  }

  // Empty when it listens.
  std::string start() {
    ProcessSpec spec;
    spec.program = "/usr/sbin/smbd";
    spec.arguments = {"--foreground", "--no-process-group", "--debug-stdout",
                      "--configfile=" + configuration_file().string(), fmt::format("--port={}", port_)};
    auto child = ChildProcess::start(spec);
    if (!child) return child.error().message;
    child_ = std::move(*child);
    const auto ready =
        wait_until(system_clock_source(), {"smbd listens", std::chrono::seconds(30), Milliseconds(50), {}, {}}, [&] {
          const auto connection = connect_tcp({address_, port_}, {}, Deadline(std::chrono::seconds(1)));
          return !child_->running() || (connection && connection->saved_errno == 0);
        });
    if (!ready) return ready.error().message;
    return child_->running() ? std::string() : "smbd ended: " + child_->wait(Milliseconds(0)).describe();
  }
  void stop() {
    child_.reset();
    end_helpers();
  }
  // Stops answering without closing anything.
  void freeze() { child_->send_signal(SIGSTOP); }
  void thaw() { child_->send_signal(SIGCONT); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::filesystem::path share(const std::string& name) const { return folder_ / name; }

 private:
  static std::filesystem::path make_folder() {
    std::string name = "/tmp/patchlab-samba-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    std::filesystem::permissions(name, std::filesystem::perms(0755));
    std::filesystem::create_directory(std::filesystem::path(name) / "state");
    return name;
  }
  static std::uint16_t free_port() {
    const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT
    (void)::bind(socket.get(), generic, size);
    (void)::getsockname(socket.get(), generic, &size);
    return ntohs(address.sin_port);
  }
  // smbd starts samba-dcerpcd for what goes by RPC, in a session of its own, where it would outlive all of them. Who is
  // one of ours says so in its command line.
  void end_helpers() const {
    const auto own = "--configfile=" + configuration_file().string();
    std::error_code code;
    for (const auto& process : std::filesystem::directory_iterator("/proc", code)) {
      const auto pid = std::atoi(process.path().filename().c_str());
      if (pid <= 1) continue;
      const auto line = read_file(process.path() / "cmdline");
      if (line && line->find(own) != std::string::npos) ::kill(pid, SIGKILL);
    }
  }
  [[nodiscard]] std::filesystem::path configuration_file() const { return folder_ / "smb.conf"; }
  void share_folder(const std::string& name) const {
    std::filesystem::create_directory(share(name));
    std::filesystem::permissions(share(name), std::filesystem::perms(0777));
    (void)write_file_atomically(share(name) / "welcome.txt", "Welcome\n").has_value();
    std::filesystem::permissions(share(name) / "welcome.txt", std::filesystem::perms(0644));
  }
  void add_user(const std::string& name) const {
    ProcessSpec spec;
    spec.program = "smbpasswd";
    spec.arguments = {"-c", configuration_file().string(), "-s", "-a", name};
    spec.input = fmt::format("{0}\n{0}\n", password);
    const auto outcome = host_processes().run(spec);
    if (!outcome.succeeded()) fmt::print(stderr, "smbpasswd: {} {}\n", outcome.describe(), outcome.errors);
  }

  std::filesystem::path folder_;
  std::string address_ = "127.0.0.1";
  std::uint16_t port_;
  std::optional<ChildProcess> child_;
};

}  // namespace patchlab::checks::smb

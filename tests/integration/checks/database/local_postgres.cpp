// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/checks/database/local_postgres.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/time.hpp"

namespace patchlab::checks::database::testing {
namespace {

std::filesystem::path newest_bin_folder() {
  std::filesystem::path newest;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", code)) {
    const auto bin = entry.path() / "bin";
    if (std::filesystem::exists(bin / "initdb", code) && bin > newest) newest = bin;
  }
  return newest;
}

// Child only.
[[noreturn]] void run_as(const passwd* account, const std::filesystem::path& folder,
                         std::vector<std::string> arguments) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (account != nullptr &&
      (::setgroups(0, nullptr) != 0 || ::setgid(account->pw_gid) != 0 || ::setuid(account->pw_uid) != 0)) {
    _exit(126);
  }
  const int log = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(pointers.front(), pointers.data());
  _exit(127);
}

std::uint16_t free_port() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A server that still starts accepts connections and refuses each: only its log tells that it serves.
bool serves(const std::filesystem::path& folder) {
  return read_file(folder / "log").value_or("").find("ready to accept connections") != std::string::npos;
}

}  // namespace

Result<std::unique_ptr<LocalPostgres>> LocalPostgres::start() {
  const auto bin = newest_bin_folder();
  if (bin.empty())
    return infrastructure_error("no PostgreSQL server below /usr/lib/postgresql", "apt install postgresql");
  const auto* account = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
  if (::geteuid() == 0 && account == nullptr) return infrastructure_error("no user 'postgres' to run the server as");

  std::string name = (std::filesystem::temp_directory_path() / "patchlab-postgres-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return errno_error("making a folder", errno);
  std::unique_ptr<LocalPostgres> server(new LocalPostgres());
  server->folder_ = name;
  PATCHLAB_TRY(write_file_atomically(server->folder_ / "password", std::string(password) + "\n"));
  if (account != nullptr) {
    for (const auto& path : {server->folder_, server->folder_ / "password"}) {
      if (::chown(path.c_str(), account->pw_uid, account->pw_gid) != 0) return errno_error("chown", errno);
    }
  }
  const auto data = (server->folder_ / "data").string();
  const pid_t maker = ::fork();
  if (maker == 0) {
    run_as(account, server->folder_,
           {(bin / "initdb").string(), "-D", data, "-U", user, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8",
            "--locale=C", fmt::format("--pwfile={}", (server->folder_ / "password").string())});
  }
  int status = 0;
  if (::waitpid(maker, &status, 0) != maker || status != 0) {
    return infrastructure_error("initdb failed: " + read_file(server->folder_ / "log").value_or(""));
  }
  server->port_ = free_port();
  server->process_ = ::fork();
  if (server->process_ == 0) {
    run_as(account, server->folder_,
           {(bin / "postgres").string(), "-D", data, "-p", std::to_string(server->port_), "-c",
            "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c",
            fmt::format("unix_socket_directories={}", server->folder_.string())});
  }
  const auto ready =
      wait_until(system_clock_source(), {"PostgreSQL serves", std::chrono::seconds(30), Milliseconds(50), {}, {}},
                 [&] { return serves(server->folder_); });
  if (!ready) return ready.error();
  return server;
}

void LocalPostgres::let_in_by(const std::string& method) {
  const auto logged = [this] { return read_file(folder_ / "log").value_or(""); };
  const auto before = logged().size();
  // Written in place: the file stays readable for the server's user.
  std::ofstream(folder_ / "data" / "pg_hba.conf") << "host all all 127.0.0.1/32 " << method << "\n";
  ::kill(process_, SIGHUP);
  // Only the log tells that the new rules hold.
  const auto done = wait_until(
      system_clock_source(), {"PostgreSQL reads pg_hba.conf again", std::chrono::seconds(30), Milliseconds(20), {}, {}},
      [&] { return logged().find("reloading configuration files", before) != std::string::npos; });
  if (!done) fmt::print(stderr, "{}\n", done.error().message);
}

LocalPostgres::~LocalPostgres() {
  if (process_ > 0) {
    ::kill(process_, SIGQUIT);  // immediate shutdown
    ::waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace patchlab::checks::database::testing

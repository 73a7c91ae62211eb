// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "checks/socket.hpp"
#include "lab/core/files.hpp"
#include "lab/core/time.hpp"
#include "lab/process/child.hpp"
#include "lab/process/process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks::test {

// A domain whose one controller is Samba, at 10.30.0.10 of a network that nothing else has. Its name has exactly 15
// characters, as many as NetBIOS takes. Needs root, as the controller becomes its users.
class Domain {
 public:
  static constexpr const char* address = "10.30.0.10";
  static constexpr const char* host = "controller-nine.office.example";
  static constexpr const char* password = "Quiet-Lantern-58";

  static std::string why_not() {
    if (::geteuid() != 0) return "a controller of Samba needs root to become its users";
    for (const char* file : {"/usr/sbin/samba", "/usr/bin/samba-tool", "/usr/share/samba/setup/provision.ldif"}) {
      if (!std::filesystem::exists(file))
        return std::string(file) + " is not there (apt-get install samba samba-ad-provision samba-dsdb-modules)";
    }
    return {};
  }

  // Enters network and mount namespaces: call it once in a process, before anything starts a thread.
  Domain() {
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) throw std::runtime_error("no namespaces here");
    // Samba's sockets are there, whatever it is told.
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/run", "tmpfs", 0, "mode=0755") != 0)
      throw std::runtime_error("no folder for Samba's sockets");
    std::filesystem::create_directories("/run/samba");
    for (const char* folder : {"/run/samba/winbindd", "/run/samba/ncalrpc"}) {
      std::filesystem::create_directory(folder);
      std::filesystem::permissions(folder, std::filesystem::perms(0755));
    }
    run({"ip", "link", "set", "lo", "up"});
    run({"ip", "address", "add", std::string(address) + "/24", "dev", "lo"});
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    make_certificates();
    run({"samba-tool", "domain", "provision", "--targetdir=" + at(""), "--realm=OFFICE.EXAMPLE", "--domain=OFFICE",
         "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", "--host-name=controller-nine",
         std::string("--host-ip=") + address, std::string("--adminpass=") + password});
    write_configuration();
    add_user("lab-user", password);
    run({"samba_spnupdate", "-s", conf()});
    start();
  }
  ~Domain() {
    samba_.reset();
    ::umount2("/run", MNT_DETACH);
  }
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  void add_user(const std::string& name, const std::string& secret) const {
    run({"samba-tool", "user", "create", name, secret, "--mail-address=" + name + "@office.example", "-s", conf()});
  }
  [[nodiscard]] std::string authorities() const { return read_file(at("ca.pem")).value(); }
  [[nodiscard]] std::string other_authorities() const { return read_file(at("other.pem")).value(); }

 private:
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] std::string conf() const { return at("smb.conf"); }
  void run(const std::vector<std::string>& words) const {
    ProcessSpec spec;
    spec.program = words.front();
    spec.arguments.assign(words.begin() + 1, words.end());
    spec.working_folder = folder_.path();
    spec.extra_environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
    const auto output = run_for_output(host_processes(), spec);
    if (!output) throw std::runtime_error(output.error().message);
  }

  void make_certificates() const {
    folder_.write("extensions", fmt::format("subjectAltName = DNS:{}\n", host));
    for (const char* name : {"ca", "other"})
      run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
           std::string(name) + ".key", "-out", std::string(name) + ".pem", "-days", "2", "-subj",
           std::string("/CN=Authority ") + name});
    run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "dc.key",
         "-out", "dc.csr", "-subj", "/CN=dc"});
    run({"openssl", "x509", "-req", "-in", "dc.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
         "2", "-extfile", "extensions", "-out", "dc.pem"});
    std::filesystem::permissions(at("dc.key"), std::filesystem::perms(0600));
  }

  void write_configuration() const {
    std::filesystem::create_directories(at("projects"));
    std::filesystem::permissions(at("projects"), std::filesystem::perms(0777));
    std::string text =
        "[global]\n\tnetbios name = CONTROLLER-NINE\n\trealm = OFFICE.EXAMPLE\n\tworkgroup = OFFICE\n"
        "\tserver role = active directory domain controller\n"
        "\tserver services = ldap, cldap, kdc, s3fs, rpc, winbindd\n\tinterfaces = lo\n"
        "\tbind interfaces only = yes\n\tdns forwarder =\n\tdisable spoolss = yes\n\tload printers = no\n";
    for (const auto& [name, folder] : {std::pair{"private dir", "private"},
                                       {"state directory", "state"},
                                       {"lock directory", ""},
                                       {"cache directory", "cache"},
                                       {"pid directory", ""},
                                       {"binddns dir", "bind-dns"},
                                       {"ncalrpc dir", "ncalrpc"},
                                       {"log file", "log"},
                                       {"tls certfile", "dc.pem"},
                                       {"tls keyfile", "dc.key"},
                                       {"tls cafile", "ca.pem"}})
      text += fmt::format("\t{} = {}\n", name, at(folder));
    text += fmt::format("[projects]\n\tpath = {}\n\tread only = no\n", at("projects"));
    folder_.write("smb.conf", text);
  }

  // All that it starts ends with it.
  void start() {
    ProcessSpec spec;
    spec.program = "unshare";
    spec.arguments = {"--pid",         "--fork",         "--kill-child", "--mount-proc", "/usr/sbin/samba",
                      "--interactive", "--model=single", "-s",           conf()};
    auto child = ChildProcess::start(spec);
    if (!child) throw std::runtime_error(child.error().message);
    samba_ = std::move(*child);
    for (const auto port : std::initializer_list<std::uint16_t>{389, 636, 88, 445}) {
      const auto ready = wait_until(
          system_clock_source(), {"Samba listens", std::chrono::seconds(120), Milliseconds(50), {}, {}}, [&] {
            const auto connection = connect_tcp({address, port}, {}, Deadline(std::chrono::seconds(1)));
            return !samba_->running() || (connection && connection->saved_errno == 0);
          });
      if (!ready) throw std::runtime_error(ready.error().message);
      if (!samba_->running()) throw std::runtime_error("samba ended: " + samba_->wait(Milliseconds(0)).errors);
    }
  }

  patchlab::test::TemporaryFolder folder_;
  std::optional<ChildProcess> samba_;
};

}  // namespace patchlab::checks::test

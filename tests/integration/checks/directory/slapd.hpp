// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>

#include "checks/socket.hpp"
#include "lab/core/time.hpp"
#include "lab/process/child.hpp"
#include "lab/process/process.hpp"
#include "tests/support/tcp_listener.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks::test {

// OpenLDAP's own server on a port of loopback, with all that it owns in one folder. dc=office,dc=example has ou=people,
// and the users cn=admin and cn=writer, who may do what `rights` says.
class Slapd {
 public:
  static constexpr const char* base = "dc=office,dc=example";
  static constexpr const char* password = "Quiet-Lantern-58";

  static std::string why_not() {
    return std::filesystem::exists("/usr/sbin/slapd") ? "" : "slapd is not installed (apt-get install slapd)";
  }

  // Empty when it listens. `partner`: a port of loopback with which all is exchanged both ways; 0: none. Who is number
  // 1 has the entries from the beginning.
  std::string start(int number, std::uint16_t partner, const std::string& rights = "write") {
    std::filesystem::create_directories(folder_.path() / "data");
    folder_.write("slapd.conf", configuration(number, partner, rights));
    if (number == 1) {
      if (auto trouble = fill(); !trouble.empty()) return trouble;
    }
    ProcessSpec spec;
    spec.program = "/usr/sbin/slapd";
    spec.arguments = {"-d", "0", "-h", fmt::format("ldap://127.0.0.1:{}", port_), "-f", at("slapd.conf")};
    auto child = ChildProcess::start(spec);
    if (!child) return child.error().message;
    child_ = std::move(*child);
    const auto ready =
        wait_until(system_clock_source(), {"slapd listens", std::chrono::seconds(30), Milliseconds(20), {}, {}}, [&] {
          const auto connection = connect_tcp({"127.0.0.1", port_}, {}, Deadline(std::chrono::seconds(1)));
          return !child_->running() || (connection && connection->saved_errno == 0);
        });
    if (!ready) return ready.error().message;
    return child_->running() ? std::string() : "slapd ended: " + child_->wait(Milliseconds(0)).errors;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] static std::string name_of(const std::string& user) { return fmt::format("cn={},{}", user, base); }

 private:
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] std::string configuration(int number, std::uint16_t partner, const std::string& rights) const {
    auto text = fmt::format(
        "include /etc/ldap/schema/core.schema\npidfile {0}\nserverID {1}\nmodulepath /usr/lib/ldap\nmoduleload "
        "back_mdb\nmoduleload syncprov\n"
        "database mdb\nmaxsize 8388608\nsuffix \"{2}\"\nrootdn \"{3}\"\nrootpw {4}\ndirectory {5}\n"
        "access to attrs=userPassword by anonymous auth by * none\n"
        "access to * by dn.exact=\"{6}\" {7} by users read by * none\noverlay syncprov\n",
        at("pid"), number, base, name_of("admin"), password, at("data"), name_of("writer"), rights);
    if (partner != 0)
      text += fmt::format(
          "syncrepl rid=1 provider=ldap://127.0.0.1:{} type=refreshAndPersist retry=\"1 +\" searchbase=\"{}\" "
          "bindmethod=simple binddn=\"{}\" credentials={}\nmirrormode on\n",
          partner, base, name_of("admin"), password);
    return text;
  }
  [[nodiscard]] std::string fill() const {
    folder_.write("data.ldif",
                  fmt::format("dn: {0}\nobjectClass: dcObject\nobjectClass: organization\no: Office\n\n"
                              "dn: ou=people,{0}\nobjectClass: organizationalUnit\ndescription: two of them\n"
                              "description: all who are here\n\n"
                              "dn: cn=writer,{0}\nobjectClass: person\nsn: Writer\nuserPassword: {1}\n",
                              base, password));
    ProcessSpec spec;
    spec.program = "/usr/sbin/slapadd";
    spec.arguments = {"-w", "-q", "-f", at("slapd.conf"), "-l", at("data.ldif")};
    const auto outcome = host_processes().run(spec);
    return outcome.succeeded() ? "" : "slapadd: " + outcome.describe() + outcome.errors;
  }

  patchlab::test::TemporaryFolder folder_;
  std::uint16_t port_ = patchlab::test::TcpListener().port();
  std::optional<ChildProcess> child_;
};

}  // namespace patchlab::checks::test

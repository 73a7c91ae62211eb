// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/needs.hpp"

#include <fmt/format.h>

#include <sstream>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/libvirt/hypervisor.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using Look = decltype(Need::look);

// A program that is called with what makes it end at once. Some print their version where errors go.
Look starts(const std::string& program, const std::string& argument) {
  return [program, argument](ProcessRunner& processes, const fs::path&) -> Result<std::string> {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = {argument};
    spec.time_limit = std::chrono::seconds(20);
    PATCHLAB_ASSIGN(const auto output, run_for_output(processes, spec));
    return output.substr(0, output.find('\n'));
  };
}

// One that says nothing without doing something, or that only root has in its PATH.
Look file(const std::string& path) {
  return [path](ProcessRunner&, const fs::path& root) -> Result<std::string> {
    if (is_file(root / path)) return std::string();
    return infrastructure_error(fmt::format("there is no /{}", path));
  };
}

// One that is loaded when it is needed, wherever this host's architecture has its libraries.
Look library(const std::string& name) {
  return [name](ProcessRunner&, const fs::path& root) -> Result<std::string> {
    for (const auto& folder : entries_of(root / "usr/lib").value_or({})) {
      if (is_file(folder / name)) return std::string();
    }
    return infrastructure_error(fmt::format("there is no {}", name));
  };
}

// libvirt is linked; its QEMU driver is a module of a package of its own.
Result<std::string> libvirt_driver(ProcessRunner&, const fs::path& root) {
  const auto version = lab::libvirt::LibvirtHypervisor::library_version();
  for (const auto& folder : entries_of(root / "usr/lib").value_or({})) {
    if (is_file(folder / "libvirt/connection-driver/libvirt_driver_qemu.so")) return version + ", with its QEMU driver";
  }
  return infrastructure_error(version + ", without its QEMU driver");
}

// As unixODBC finds it: a section of /etc/odbcinst.ini, which names a library that is there.
Result<std::string> odbc_library(const std::string& driver, const fs::path& root) {
  std::istringstream lines(read_file(root / "etc/odbcinst.ini").value_or(""));
  std::string library;
  bool in_section = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[")) in_section = line.starts_with("[" + driver + "]");
    if (in_section && line.starts_with("Driver=")) library = line.substr(7);
  }
  if (library.empty()) return infrastructure_error(fmt::format("/etc/odbcinst.ini names no driver '{}'", driver));
  if (library.starts_with("/") && is_file(root / library.substr(1))) return library;
  for (const auto& folder : entries_of(root / "usr/lib").value_or({})) {
    if (!library.starts_with("/") && is_file(folder / "odbc" / library)) return library;
  }
  return infrastructure_error(fmt::format("'{}', which /etc/odbcinst.ini names, is not there", library));
}

Look odbc_driver(const std::string& name) {
  return [name](ProcessRunner&, const fs::path& root) { return odbc_library(name, root); };
}

}  // namespace

const std::vector<Need>& needs() {
  static const std::vector<Need> all{
      {"libvirt-daemon-driver-qemu", "libvirt", "", libvirt_driver},
      {"qemu-system-x86", "qemu-system-x86_64", "", starts("qemu-system-x86_64", "--version")},
      {"qemu-utils", "qemu-img", "", starts("qemu-img", "--version")},
      {"xorriso", "xorriso", "", starts("xorriso", "-version")},
      {"mmdebstrap", "mmdebstrap", "", starts("mmdebstrap", "--version")},
      {"e2fsprogs", "mke2fs", "", starts("mke2fs", "-V")},
      {"libvirt-daemon", "libvirtd", "golden domains of this host cannot be used", file("usr/sbin/libvirtd")},
      {"openssh-client", "ssh",
       "decisions that people sign cannot be verified, and no libvirt of another host be reached", starts("ssh", "-V")},
      {"odbc-postgresql", "ODBC driver of PostgreSQL", "checks of databases cannot be made",
       odbc_driver("PostgreSQL Unicode")},
      {"tdsodbc", "ODBC driver of SQL Server", "SQL Server cannot be checked", odbc_driver("FreeTDS")},
      {"libsmbclient", "libsmbclient", "checks of file shares cannot be made", library("libsmbclient.so.0")},
      {"osslsigncode", "osslsigncode", "signatures of Windows packages cannot be verified",
       starts("osslsigncode", "--version")},
      {"bubblewrap", "bwrap", "signatures of Windows packages cannot be verified, and no exports of machines imported",
       starts("bwrap", "--version")},
      {"apt-utils", "apt-ftparchive", "a promotion cannot be exported as an apt repository",
       starts("apt-ftparchive", "--version")},
      {"gnupg", "gpg", "a promotion cannot be exported as an apt repository", starts("gpg", "--version")},
      {"uidmap", "newuidmap", "only root can build golden images in a quick way", file("usr/bin/newuidmap")},
      {"krb5-pkinit", "PKINIT of Kerberos", "checks cannot log in to a domain by certificate",
       library("krb5/plugins/preauth/pkinit.so")},
      {"libsasl2-modules-gssapi-mit", "Kerberos of Cyrus SASL", "checks cannot log in to a directory by Kerberos",
       library("sasl2/libgssapiv2.so")},
  };
  return all;
}

Finding look_for(const Need& need, ProcessRunner& processes, const fs::path& root) {
  const auto found = need.look(processes, root);
  if (found) return {need.subject, Health::ok, found->empty() ? "found" : *found, {}};
  const auto mend = "apt-get install " + need.package;
  if (need.without.empty()) return {need.subject, Health::fail, found.error().message, mend};
  return {need.subject, Health::warn, "missing: " + need.without, mend};
}

}  // namespace patchlab::cli

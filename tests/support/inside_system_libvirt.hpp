// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/time.hpp"
#include "lab/image/builder.hpp"
#include "lab/libvirt/domain_xml.hpp"
#include "lab/libvirt/error.hpp"
#include "lab/libvirt/host_ticks.hpp"
#include "lab/libvirt/session.hpp"
#include "lab/process/process.hpp"
#include "tests/support/programs.hpp"

// For programs that tests start through tests/integration/libvirt/with-system-libvirt: alone with a system libvirt, and
// with a golden domain 'dns-golden' on it, made of the golden image of a name server.
namespace patchlab::lab::libvirt {

namespace fs = std::filesystem;

inline constexpr const char* uri = "qemu:///system";
// main() sets them.
inline fs::path lab_folder;  // of the test
inline fs::path efi_folder;  // of testing::make_efi_boot

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

class InsideSystemLibvirt : public ::testing::Test {
 protected:
  void SetUp() override {
    auto session = Session::open(uri);
    ASSERT_TRUE(session) << session.error().message;
    session_ = *session;
    image::BuildRequest request;  // it is there: who started this has seen to it
    request.recipes = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "images";
    request.names = {recipe()};
    auto images = image::build(host_processes(), request);
    ASSERT_TRUE(images) << images.error().message;
    image_ = images->front().image;
    disk_ = disk_of("dns-golden");
    fs::copy_file(image_.disk, disk_, fs::copy_options::overwrite_existing);
    fs::permissions(disk_, fs::perms::owner_read | fs::perms::owner_write);
    // Where QEMU's user can read them: the cache is in a home folder.
    fs::copy_file(image_.kernel, lab_folder / "kernel", fs::copy_options::overwrite_existing);
    fs::copy_file(image_.initrd, lab_folder / "initrd", fs::copy_options::overwrite_existing);
    define(golden_xml(image_));
    devices_before_ = devices();
  }
  void TearDown() override {
    for (const auto& name : domains()) {
      const Domain domain(virDomainLookupByName(session_->connection(), name.c_str()));
      virDomainDestroy(domain.get());
      virDomainUndefineFlags(domain.get(), session_->undefine_flags());
    }
  }

  // Of the golden image.
  [[nodiscard]] virtual std::string recipe() const { return "dns"; }

  // A machine of the lab made to look like one of production: on a bridge that does not exist here.
  [[nodiscard]] std::string golden_xml(const image::GoldenImage& image, const std::string& name = "dns-golden",
                                       const std::string& last_number = "10") const {
    MachineSpec spec;
    spec.name = name;
    spec.uuid = "9f1c7f0e-6d3c-4a55-8a57-2f2f3d7c1a" + last_number;
    spec.disk = disk_of(name);
    spec.memory_mib = static_cast<std::uint32_t>(image.memory_mib);
    spec.kernel = lab_folder / "kernel";
    spec.initrd = lab_folder / "initrd";
    spec.kernel_arguments =
        image.cmdline + " " + image::machine_words("10.20.0." + last_number, 24, "10.20.0.1", image.hostname);
    spec.tsc_mhz = host_tsc_mhz();
    spec.nics = {{"52:54:00:14:00:" + last_number, "tap-0"}};
    auto xml = replaced(domain_xml(spec), "<interface type='ethernet'>",
                        "<interface type='bridge'><source bridge='br-production'/>");
    return replaced(xml, "<target dev='tap-0' managed='no'/>", "");
  }
  // The same by UEFI, with its variables in that file and a disk of its own.
  [[nodiscard]] std::string uefi_golden_xml(const image::GoldenImage& image, const std::string& name,
                                            const std::string& last_number, const fs::path& variables) const {
    fs::copy_file(disk_, disk_of(name), fs::copy_options::overwrite_existing);
    fs::copy_file(testing::ovmf_variables, variables, fs::copy_options::overwrite_existing);
    for (const char* file : {"kernel", "initrd"}) {
      fs::copy_file(efi_folder / file, lab_folder / ("efi-" + std::string(file)), fs::copy_options::overwrite_existing);
    }
    auto xml = replaced(golden_xml(image, name, last_number), "</os>", firmware_xml(variables) + "</os>");
    xml = replaced(xml, (lab_folder / "kernel").string() + "<", (lab_folder / "efi-kernel").string() + "<");
    return replaced(xml, (lab_folder / "initrd").string() + "<", (lab_folder / "efi-initrd").string() + "<");
  }
  static std::string firmware_xml(const fs::path& variables) {
    return fmt::format("<loader readonly='yes' type='pflash'>{}</loader><nvram>{}</nvram>", testing::ovmf_code,
                       variables.string());
  }
  static fs::path disk_of(const std::string& domain) { return lab_folder / (domain + ".qcow2"); }
  void define(const std::string& xml) {
    const Domain domain(virDomainDefineXML(session_->connection(), xml.c_str()));
    ASSERT_TRUE(domain) << last_error("defining").message;
  }

  void undefine(const std::string& name) const {
    const Domain domain(virDomainLookupByName(session_->connection(), name.c_str()));
    EXPECT_EQ(virDomainUndefineFlags(domain.get(), session_->undefine_flags()), 0) << last_error("undefining").message;
  }

  // Which start of a domain it is that runs.
  [[nodiscard]] unsigned number_of(const std::string& name) const {
    return virDomainGetID(Domain(virDomainLookupByName(session_->connection(), name.c_str())).get());
  }
  [[nodiscard]] std::vector<std::string> domains() const {
    virDomainPtr* raw = nullptr;
    std::vector<std::string> names;
    const int count = virConnectListAllDomains(session_->connection(), &raw, 0);
    for (int index = 0; index < count; ++index) names.emplace_back(virDomainGetName(Domain(raw[index]).get()));
    std::free(raw);
    return names;
  }
  [[nodiscard]] int networks() const { return virConnectListAllNetworks(session_->connection(), nullptr, 0); }
  static std::vector<std::string> devices() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator("/proc/sys/net/ipv4/conf")) {
      const auto name = entry.path().filename().string();
      if (name != "all" && name != "default") names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] uid_t owner_of_disk() const {
    struct stat status {};
    EXPECT_EQ(::stat(disk_.c_str(), &status), 0);
    return status.st_uid;
  }
  // QEMUs of machines that live; one that is dead and not yet reaped has no command line, and one that libvirt asks
  // what it can do has no guest.
  static int qemus() {
    int count = 0;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto command = read_file(entry.path() / "cmdline");
      if (command && command->find("guest=") != std::string::npos && fs::exists(entry.path() / "exe", code)) ++count;
    }
    return count;
  }
  void expect_no_trace() {
    EXPECT_THAT(domains(), ::testing::ElementsAre("dns-golden"));
    EXPECT_EQ(networks(), 0);
    EXPECT_TRUE(!fs::exists(lab_folder / "storage") || fs::is_empty(lab_folder / "storage"));
    // The devices of a network namespace go some time after its last process.
    static_cast<void>(wait_until(system_clock_source(),
                                 {"devices to go", std::chrono::seconds(5), Milliseconds(50), {}, {}},
                                 [this] { return devices() == devices_before_; }));
    EXPECT_EQ(devices(), devices_before_);
    EXPECT_EQ(qemus(), 0);
    std::vector<std::string> files;
    for (const auto* where : {"/var/lib/libvirt/qemu/nvram", "/var/lib/libvirt/qemu/snapshot", "/etc/libvirt/qemu",
                              "/etc/libvirt/qemu/networks"}) {
      std::error_code code;
      for (const auto& entry : fs::recursive_directory_iterator(where, code)) {
        if (entry.path().string().find("patchlab") != std::string::npos) files.push_back(entry.path());
      }
    }
    EXPECT_THAT(files, ::testing::IsEmpty());
  }

  std::shared_ptr<Session> session_;
  image::GoldenImage image_;
  fs::path disk_;
  std::vector<std::string> devices_before_;
};

}  // namespace patchlab::lab::libvirt

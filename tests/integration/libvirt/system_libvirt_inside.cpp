// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Started by system_libvirt_test.cpp through with-system-libvirt: alone with a system libvirt, and with the golden
// image of the name server. Usage: system_libvirt_inside FOLDER EFI (tests/support/efi_boot.hpp), or with "crash"
// behind it: makes a cell with a running clone and dies.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <sys/socket.h>

#include <iostream>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/libvirt/system_lab.hpp"
#include "lab/network/frames.hpp"
#include "lab/network/netlink.hpp"
#include "tests/support/agent_commands.hpp"
#include "tests/support/inside_system_libvirt.hpp"

namespace patchlab::lab::libvirt {
namespace {

using network::Ipv4;
using network::Ipv4Subnet;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
SystemLab::Place place(const std::string& run) { return {uri, run, "finance", lab_folder / "storage"}; }

// A port of this network namespace on the cell's bridge, as checks have one.
void make_port(const std::string& bridge) {
  auto netlink = network::Netlink::open();
  ASSERT_TRUE(netlink);
  ASSERT_TRUE(netlink->add_veth("port-0", "check-0", 0));
  ASSERT_TRUE(netlink->attach("port-0", bridge));
  ASSERT_TRUE(netlink->set_up("port-0"));
  ASSERT_TRUE(netlink->set_up("check-0"));
  ASSERT_TRUE(netlink->add_address("check-0", *Ipv4::parse("10.20.0.250"), *Ipv4Subnet::parse("10.20.0.0/24")));
}

// Whether somebody answers ARP for an address of this host, asked through the port on the cell's bridge.
bool host_answers_for(Ipv4 target) {
  const auto mac = *network::MacAddress::parse("52:54:00:14:00:63");
  const auto request = network::arp_request({mac, *Ipv4::parse("10.20.0.99"), 0}, target);
  const FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
  sockaddr_ll device{};
  device.sll_family = AF_PACKET;
  device.sll_protocol = htons(ETH_P_ALL);
  device.sll_ifindex = static_cast<int>(::if_nametoindex("check-0"));
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&device), sizeof device), 0);
  const timeval patience{0, 100'000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  EXPECT_EQ(::send(socket.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::array<std::uint8_t, 2048> frame{};
  for (const auto end = std::chrono::steady_clock::now() + seconds(1); std::chrono::steady_clock::now() < end;) {
    const auto size = ::recv(socket.get(), frame.data(), frame.size(), 0);
    if (size <= 0) continue;
    const auto heard = network::heard(frame.data(), static_cast<std::size_t>(size));
    if (heard && heard->kind == network::Heard::Kind::arp_reply && heard->address == target.text()) return true;
  }
  return false;
}

// A DNS question (RFC 1035) to the guest; any answer with its id will do.
bool name_server_answers() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(53);
  to.sin_addr.s_addr = htonl(Ipv4::parse("10.20.0.10")->value());
  const timeval patience{0, 500'000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  constexpr std::array<unsigned char, 17> question{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1};
  std::array<unsigned char, 1500> answer{};
  ::sendto(socket.get(), question.data(), question.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return ::recv(socket.get(), answer.data(), answer.size(), 0) > 12 && answer[0] == 0x12 && answer[1] == 0x34;
}

TEST_F(InsideSystemLibvirt, ACloneRunsIsSavedComesBackAndLeavesNoTrace) {
  auto opened = SystemLab::open(place("r1"), host_processes());
  ASSERT_TRUE(opened) << opened.error().message;
  auto& lab = **opened;
  const auto before = lab.identity_of("dns-golden");
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->files.size(), 1U);
  const auto plan = lab.clone("dns-golden", "dns1");
  ASSERT_TRUE(plan) << plan.error().message;
  auto& hypervisor = lab.hypervisor();
  ASSERT_TRUE(hypervisor.start("dns1")) << hypervisor.start("dns1").error().message;
  EXPECT_EQ(qemus(), 1);
  EXPECT_NE(owner_of_disk(), 0U) << "docs/system-libvirt.md says that libvirt changes it for the time";
  test::AgentCommands guest(hypervisor, "dns1");
  ASSERT_TRUE(guest.answers());
  // Who starts the golden domain now is stopped by QEMU's lock.
  ProcessSpec write;
  write.program = "qemu-io";
  write.arguments = {"-f", "qcow2", "-c", "write 0 512", disk_};
  const auto written = host_processes().run(write);
  EXPECT_FALSE(written.succeeded());
  EXPECT_THAT(written.errors, HasSubstr("lock"));
  make_port(lab.bridge());
  EXPECT_TRUE(wait_until(system_clock_source(), {"DNS to answer", seconds(150), Milliseconds(100), {}, {}},
                         name_server_answers));

  // The host has an address in production; the guest's own, to know that the question arrives.
  ASSERT_TRUE(
      network::Netlink::open()->add_address("lo", *Ipv4::parse("192.0.2.99"), *Ipv4Subnet::parse("192.0.2.0/24")));
  EXPECT_TRUE(host_answers_for(*Ipv4::parse("10.20.0.10")));
  EXPECT_FALSE(host_answers_for(*Ipv4::parse("192.0.2.99")));

  const auto saved = hypervisor.take_snapshot("dns1", "base");
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_TRUE(guest.shell("touch /root/after-the-snapshot"));
  ASSERT_TRUE(guest.gets_file("/root/after-the-snapshot"));
  for (int round = 0; round < 2; ++round) {
    // First in place, then by libvirt, as after a crash of the machine.
    if (round == 1) {
      ASSERT_TRUE(hypervisor.power_off("dns1"));
    }
    const auto reverted = hypervisor.revert("dns1", "base");
    ASSERT_TRUE(reverted) << reverted.error().message;
    ASSERT_TRUE(guest.answers());
    EXPECT_FALSE(guest.has_file("/root/after-the-snapshot"));
    EXPECT_TRUE(wait_until(system_clock_source(), {"DNS to answer", seconds(60), Milliseconds(100), {}, {}},
                           name_server_answers));
  }

  const auto medium = lab_folder / "storage/patchlab-r1-finance/medium.iso";
  ASSERT_TRUE(write_file_atomically(medium, "patchlab medium" + std::string(64U << 10U, ' ')));
  const auto inserted = hypervisor.change_medium("dns1", medium);
  ASSERT_TRUE(inserted) << inserted.error().message;
  EXPECT_TRUE(guest.shell("head -c 15 /dev/sr0 | grep -q patchlab && touch /root/seen"));
  EXPECT_TRUE(guest.gets_file("/root/seen"));
  EXPECT_TRUE(hypervisor.change_medium("dns1", {}));

  const auto removed = lab.remove();
  EXPECT_TRUE(removed) << removed.error().message;
  ASSERT_TRUE(network::Netlink::open()->remove("port-0"));
  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_trace();

  auto again = SystemLab::open(place("r2"), host_processes());
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->identity_of("dns-golden").value_or({}), *before);
  opened->reset();
  again->reset();
  expect_no_trace();
}

// The disk belongs to QEMU's user when the second clone is made, and that is not whose it was.
TEST_F(InsideSystemLibvirt, TwoCellsOnOneGoldenDomainGiveItsDiskBackToItsOwner) {
  auto first = SystemLab::open(place("r5"), host_processes());
  auto second = SystemLab::open(place("r6"), host_processes());
  ASSERT_TRUE(first && second);
  ASSERT_TRUE((*first)->clone("dns-golden", "dns1"));
  ASSERT_TRUE((*first)->hypervisor().start("dns1"));
  EXPECT_NE(owner_of_disk(), 0U);
  ASSERT_TRUE((*second)->clone("dns-golden", "dns1"));
  ASSERT_TRUE((*second)->hypervisor().start("dns1"));
  EXPECT_TRUE((*first)->remove());
  EXPECT_TRUE((*second)->remove());
  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_trace();
}

// No firmware is needed to see what becomes of its flash: the machine runs through zeros. What every hypervisor does
// with snapshots (tests/unit/lab/libvirt/hypervisor_contract_test.cpp) holds for these too.
TEST_F(InsideSystemLibvirt, AMachineWithFirmwareFlashHasItsOwnVariablesAndSnapshotsAsOthersHave) {
  const auto variables = lab_folder / "golden_VARS.fd";
  const std::string contents = "variables" + std::string((64U << 10U) - 9, '\0');
  ASSERT_TRUE(write_file_atomically(variables, contents));
  ASSERT_TRUE(write_file_atomically(lab_folder / "code.fd", std::string(2U << 20U, '\0')));
  fs::permissions(lab_folder / "code.fd", fs::perms::others_read, fs::perm_options::add);
  define(
      "<domain type='qemu'><name>uefi-golden</name><memory unit='MiB'>64</memory>"
      "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><loader readonly='yes' type='pflash'>" +
      (lab_folder / "code.fd").string() + "</loader><nvram>" + variables.string() +
      "</nvram></os><features><acpi/></features><devices>"
      "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='" +
      disk_.string() +
      "'/><target dev='vda' bus='virtio'/></disk>"
      "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>"
      "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>");
  {
    auto lab = SystemLab::open(place("r3"), host_processes());
    ASSERT_TRUE(lab) << lab.error().message;
    const auto plan = (*lab)->clone("uefi-golden", "files");
    ASSERT_TRUE(plan) << plan.error().message;
    const auto copy = lab_folder / "storage/patchlab-r3-finance/files-vars.fd";
    EXPECT_EQ(read_file(copy).value_or(""), contents);
    EXPECT_EQ((*lab)->identity_of("uefi-golden")->files.size(), 2U);
    auto& machines = (*lab)->hypervisor();
    const auto state = [&] { return machines.state("files").value_or(MachineState::undefined); };
    const auto fine = [](const Result<void>& result) { EXPECT_TRUE(result) << result.error().message; };
    EXPECT_FALSE(machines.take_snapshot("files", "base")) << "it is off";
    fine(machines.start("files"));
    fine(machines.take_snapshot("files", "base"));
    EXPECT_EQ(state(), MachineState::running);
    const auto again = machines.take_snapshot("files", "base");
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("taking snapshot 'base' of 'files': QEMU's 'snapshot-save' failed: "));
    EXPECT_EQ(state(), MachineState::running);
    fine(machines.pause("files"));
    fine(machines.take_snapshot("files", "paused"));
    EXPECT_EQ(state(), MachineState::paused);
    for (const char* snapshot : {"paused", "base"}) {
      fine(machines.pause("files"));
      fine(machines.revert("files", snapshot));
      EXPECT_EQ(state(), MachineState::running);
      fine(machines.power_off("files"));
      fine(machines.revert("files", snapshot));
      EXPECT_EQ(state(), MachineState::running);
    }

    const auto medium = lab_folder / "storage/patchlab-r3-finance/medium.iso";
    ASSERT_TRUE(write_file_atomically(medium, std::string(64U << 10U, ' ')));
    fine(machines.change_medium("files", medium));
    const auto with_medium = machines.take_snapshot("files", "medium");
    ASSERT_FALSE(with_medium);
    EXPECT_THAT(with_medium.error().message, HasSubstr("must be empty, and a medium is in it"));
    fine(machines.revert("files", "base"));
    fine(machines.take_snapshot("files", "medium"));
    // A medium that was put into the drive of a machine that was off is there when it starts.
    fine(machines.power_off("files"));
    fine(machines.change_medium("files", medium));
    fine(machines.revert("files", "base"));

    fine(machines.delete_snapshot("files", "base"));
    EXPECT_FALSE(machines.delete_snapshot("files", "base"));
    EXPECT_FALSE(machines.revert("files", "base"));
    EXPECT_EQ(state(), MachineState::running);
    fine(machines.take_snapshot("files", "base"));
    fine(machines.power_off("files"));
    fine(machines.delete_snapshot("files", "base"));
    EXPECT_EQ(state(), MachineState::off);
    EXPECT_FALSE(machines.revert("files", "base"));
    EXPECT_EQ(state(), MachineState::off);
    fine(machines.undefine("files"));
    EXPECT_FALSE(fs::exists(copy));
  }
  EXPECT_EQ(read_file(variables).value_or(""), contents);
  const Domain golden(virDomainLookupByName(session_->connection(), "uefi-golden"));
  ASSERT_EQ(virDomainUndefineFlags(golden.get(), VIR_DOMAIN_UNDEFINE_KEEP_NVRAM), 0);
  expect_no_trace();
}

// Its firmware is chosen by libvirt, which keeps the variables where nothing that is defined says, and takes the one
// for Secure Boot, whose variables only code in SMM can write. No keys are in them, so that it boots what it is given.
TEST_F(InsideSystemLibvirt, AMachineThatBootsByUefiComesBackWithDisksMemoryAndVariables) {
  const auto data = lab_folder / "data.img";
  ASSERT_TRUE(write_file_atomically(data, std::string(1U << 20U, '\0')));
  const fs::path variables = "/var/lib/libvirt/qemu/nvram/uefi-golden_VARS.fd";
  auto xml = uefi_golden_xml(image_, "uefi-golden", "12", variables);
  xml = replaced(xml, "<os>", "<os firmware='efi'>");
  xml = replaced(xml, "<smm state='off'/>", "<smm state='on'/>");
  xml = replaced(xml, firmware_xml(variables), "");
  define(replaced(xml, "</devices>",
                  "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='" + data.string() +
                      "'/><target dev='vdb' bus='virtio'/></disk></devices>"));
  {
    auto lab = SystemLab::open(place("r7"), host_processes());
    ASSERT_TRUE(lab) << lab.error().message;
    const auto plan = (*lab)->clone("uefi-golden", "dns2");
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_THAT(plan->copies,
                ElementsAre(FileCopy{variables, lab_folder / "storage/patchlab-r7-finance/dns2-vars.fd"}));
    auto& machines = (*lab)->hypervisor();
    ASSERT_TRUE(machines.start("dns2")) << machines.start("dns2").error().message;
    test::AgentCommands guest(machines, "dns2");
    ASSERT_TRUE(guest.answers());
    // Their names in the file are in UTF-16.
    const auto is_in_flash = [&](const std::string& name) {
      std::string wide;
      for (const char c : name) wide += {c, '\0'};
      return read_file(plan->copies.front().to).value_or("").find(wide) != std::string::npos;
    };
    const std::string there = "/sys/firmware/efi/efivars/";
    const std::string owner = "-9f1c7f0e-6d3c-4a55-8a57-2f2f3d7c1a01";
    // Attributes (UEFI 2.9, 8.2: kept, also at run time), then the value.
    const auto set_variable = [&](const std::string& name) {
      return guest.shell("printf '\\\\007\\\\000\\\\000\\\\000value' >" + there + name + owner +
                         " && touch /root/set-" + name);
    };
    EXPECT_TRUE(guest.shell("mount -t efivarfs efivarfs " + there + " && touch /root/mounted"));
    ASSERT_TRUE(guest.gets_file("/root/mounted"));
    ASSERT_TRUE(set_variable("Before"));
    ASSERT_TRUE(guest.gets_file("/root/set-Before"));
    EXPECT_TRUE(is_in_flash("Before"));
    const auto saved = machines.take_snapshot("dns2", "base");
    ASSERT_TRUE(saved) << saved.error().message;

    for (const bool in_place : {true, false}) {
      ASSERT_TRUE(set_variable("After"));
      ASSERT_TRUE(guest.gets_file("/root/set-After"));
      EXPECT_TRUE(is_in_flash("After"));
      ASSERT_TRUE(guest.shell("echo after >/dev/vdb && sync && touch /root/written"));
      ASSERT_TRUE(guest.gets_file("/root/written"));
      const auto process = number_of("patchlab-r7-finance-dns2");
      if (!in_place) {
        ASSERT_TRUE(machines.power_off("dns2"));
      }
      const auto reverted = machines.revert("dns2", "base");
      ASSERT_TRUE(reverted) << reverted.error().message;
      EXPECT_EQ(number_of("patchlab-r7-finance-dns2") == process, in_place);
      EXPECT_EQ(machines.state("dns2").value_or(MachineState::off), MachineState::running);
      EXPECT_TRUE(is_in_flash("Before"));
      EXPECT_FALSE(is_in_flash("After"));
      ASSERT_TRUE(guest.answers());
      EXPECT_FALSE(guest.has_file("/root/set-After"));
      EXPECT_FALSE(guest.has_file("/root/written"));
      EXPECT_FALSE(guest.has_file(there + "After" + owner));
      // Asks the firmware, which reads the flash.
      EXPECT_TRUE(guest.shell("grep -q value " + there + "Before" + owner + " && touch /root/before-is-there"));
      EXPECT_TRUE(guest.gets_file("/root/before-is-there"));
      EXPECT_TRUE(guest.shell("head -c 5 /dev/vdb | grep -q after || touch /root/data-as-before"));
      EXPECT_TRUE(guest.gets_file("/root/data-as-before"));
    }
    const auto removed = (*lab)->remove();
    EXPECT_TRUE(removed) << removed.error().message;
  }
  const Domain golden(virDomainLookupByName(session_->connection(), "uefi-golden"));
  ASSERT_EQ(virDomainUndefineFlags(golden.get(), VIR_DOMAIN_UNDEFINE_NVRAM), 0);
  expect_no_trace();
}

// The domain of the unit tests: i440fx, two disks and NICs, SATA CD drive. Nothing boots in it, but libvirt and QEMU
// take all of it.
TEST_F(InsideSystemLibvirt, ADomainAsOfServer2012IsClonedStartedAndSaved) {
  const auto data = lab_folder / "data & logs.img";
  ASSERT_TRUE(write_file_atomically(data, std::string(1U << 20U, '\0')));
  auto xml = read_file(std::string(PATCHLAB_SOURCE_DIR) + "/tests/golden/libvirt/clone/golden_2012.xml").value();
  xml = replaced(xml, "/var/lib/libvirt/images/srv2012-dns.qcow2", disk_);
  xml = replaced(xml, "/var/lib/libvirt/images/srv2012-dns data &amp; logs.img",
                 (lab_folder / "data &amp; logs.img").string());
  xml = replaced(xml, "<memory unit='KiB'>4194304", "<memory unit='KiB'>65536");
  define(replaced(xml, "<currentMemory unit='KiB'>4194304", "<currentMemory unit='KiB'>65536"));
  {
    auto lab = SystemLab::open(place("r4"), host_processes());
    ASSERT_TRUE(lab) << lab.error().message;
    const auto plan = (*lab)->clone("srv2012-dns", "dns");
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->overlays.size(), 2U);
    auto& hypervisor = (*lab)->hypervisor();
    for (const auto& step :
         {hypervisor.start("dns"), hypervisor.take_snapshot("dns", "base"), hypervisor.revert("dns", "base"),
          hypervisor.power_off("dns"), hypervisor.revert("dns", "base")}) {
      EXPECT_TRUE(step) << step.error().message;
    }
    EXPECT_EQ(hypervisor.state("dns").value_or(MachineState::crashed), MachineState::running);
  }
  const Domain golden(virDomainLookupByName(session_->connection(), "srv2012-dns"));
  ASSERT_EQ(virDomainUndefine(golden.get()), 0);
  expect_no_trace();
}

TEST_F(InsideSystemLibvirt, WhatACrashLeavesIsFoundAndRemoved) {
  const auto digest = sha256_of_file(disk_).value();
  ProcessSpec crash;
  crash.program = fs::read_symlink("/proc/self/exe");
  crash.arguments = {lab_folder.native(), efi_folder.native(), "crash"};
  const auto outcome = host_processes().run(crash);
  ASSERT_TRUE(std::holds_alternative<Signalled>(outcome.end)) << outcome.describe() << outcome.errors;
  EXPECT_EQ(qemus(), 1) << "a system libvirt's machines outlive the process that started them";
  const auto objects = find_lab_objects(*session_, lab_folder / "storage");
  ASSERT_TRUE(objects);
  std::vector<std::string> names;
  for (const auto& object : *objects)
    names.push_back(std::string(to_string(object.kind)) + " " + object.name() + (object.in_use ? " in use" : ""));
  EXPECT_THAT(names, ElementsAre("domain patchlab-crash-finance-dns1", "network patchlab-crash-finance",
                                 "folder " + (lab_folder / "storage/patchlab-crash-finance").string()));
  const auto removed = remove_lab_objects(*session_, *objects);
  EXPECT_TRUE(removed) << removed.error().message;
  expect_no_trace();
  EXPECT_EQ(sha256_of_file(disk_).value_or(""), digest);
}

int crash() {
  auto lab = SystemLab::open(place("crash"), host_processes());
  if (!lab || !(*lab)->clone("dns-golden", "dns1") || !(*lab)->hypervisor().start("dns1")) return 1;
  return ::kill(::getpid(), SIGKILL);
}

}  // namespace
}  // namespace patchlab::lab::libvirt

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 3) return 64;
  patchlab::lab::libvirt::lab_folder = argv[1];
  patchlab::lab::libvirt::efi_folder = argv[2];
  if (argc > 3) return patchlab::lab::libvirt::crash();
  return RUN_ALL_TESTS();
}

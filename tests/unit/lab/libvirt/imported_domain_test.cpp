// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/imported_domain.hpp"

#include <gmock/gmock.h>

#include "lab/libvirt/clone_xml.hpp"
#include "lab/libvirt/session.hpp"
#include "tests/support/golden.hpp"

namespace patchlab::lab::libvirt {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ImportedMachine imported_machine() {
  ImportedMachine made;
  made.name = "srv2019-dns";
  made.memory_mib = 8192;
  made.cpus = 4;
  made.firmware = Firmware::uefi;
  made.disks = {"/images/srv2019-dns.qcow2", "/images/srv2019-dns-2.qcow2"};
  made.nics = 2;
  made.sources = {{"it's <golden>.ova", std::string(64, 'a')}};
  made.made = "2026-11-30T10:00:00Z";
  made.tool = "patchlab 0.1.0";
  return made;
}

TEST(ImportedDomain, IsWhatAWindowsWithoutVirtioDriversStartsFrom) {
  tests::expect_golden("libvirt/imported_2019.xml", imported_domain_xml(imported_machine(), "kvm"));
}

TEST(ImportedDomain, HasNoCableUnlessANetworkIsNamed) {
  auto made = imported_machine();
  made.nics = 1;
  EXPECT_THAT(imported_domain_xml(made, "kvm"),
              AllOf(HasSubstr("<interface type='user'>"), HasSubstr("<link state='down'/>")));
  made.network = "isolated";
  EXPECT_THAT(imported_domain_xml(made, "kvm"),
              AllOf(HasSubstr("<source network='isolated'/>"), Not(HasSubstr("<link"))));
}

TEST(ImportedDomain, IsEmulatedWithoutWhatOnlyKvmHas) {
  auto made = imported_machine();
  made.firmware = Firmware::bios;
  made.local_time = false;
  const auto xml = imported_domain_xml(made, "qemu");
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("hyperv")), Not(HasSubstr("<cpu")), Not(HasSubstr("efi")),
                         HasSubstr("<clock offset='utc'>")));
}

TEST(ImportedDomain, HasItsCdDriveBesideDisksOfAnyBus) {
  auto made = imported_machine();
  EXPECT_THAT(imported_domain_xml(made, "kvm"), HasSubstr("<target dev='sdc' bus='sata'/>"));
  made.disk_bus = "virtio";
  EXPECT_THAT(imported_domain_xml(made, "kvm"),
              AllOf(HasSubstr("<target dev='vdb' bus='virtio'/>"), HasSubstr("<target dev='sda' bus='sata'/>")));
}

// As libvirt keeps it: with a version of the machine type, and MACs.
TEST(ImportedDomain, CanBeClonedOnceACableIsPluggedIn) {
  auto made = imported_machine();
  made.nics = 1;
  auto xml = imported_domain_xml(made, "kvm");
  const auto change = [&](const std::string& what, const std::string& with) {
    ASSERT_NE(xml.find(what), std::string::npos) << what;
    xml.replace(xml.find(what), what.size(), with);
  };
  change("machine='q35'", "machine='pc-q35-7.2'");
  change("<model type='e1000e'/>", "<mac address='52:54:00:00:00:01'/><model type='e1000e'/>");
  const Mark mark{"20261130-0800-ab12", "finance", "dns", "/lab/x"};
  const auto unplugged = plan_clone(xml, mark);
  ASSERT_FALSE(unplugged);
  EXPECT_THAT(unplugged.error().message, HasSubstr("no cable is plugged into any"));
  EXPECT_THAT(unplugged.error().hint, HasSubstr("virsh domif-setlink srv2019-dns 52:54:00:00:00:01 up --config"));
  change("<link state='down'/>", "<link state='up'/>");
  const auto plan = plan_clone(xml, mark);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->macs, ElementsAre("52:54:00:00:00:01"));
  EXPECT_EQ(plan->overlays.size(), 2U);
}

TEST(ImportedDomain, RunsAsTheQuickestThatLibvirtHas) {
  const auto host = [](const std::string& domains) {
    return "<capabilities><guest><os_type>hvm</os_type><arch name='i686'><domain type='kvm'/></arch></guest>"
           "<guest><os_type>hvm</os_type><arch name='x86_64'>" +
           domains + "</arch></guest></capabilities>";
  };
  EXPECT_EQ(domain_type_in(host("<domain type='qemu'/><domain type='kvm'/>")).value(), "kvm");
  EXPECT_EQ(domain_type_in(host("<domain type='qemu'/>")).value(), "qemu");
  EXPECT_FALSE(domain_type_in(host("")));
  EXPECT_FALSE(domain_type_in("<capabilities/>"));
}

TEST(ImportedDomain, IsLeftAloneWhenItIsThere) {
  const auto session = Session::open("test:///default");
  ASSERT_TRUE(session) << session.error().message;
  const auto taken = check_is_new(**session, "test");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("there is a domain 'test' already"));
  EXPECT_TRUE(check_is_new(**session, "srv2019"));
  EXPECT_TRUE(check_has_network(**session, ""));
  EXPECT_TRUE(check_has_network(**session, "default"));
  const auto network = check_has_network(**session, "nosuch");
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(network.error().hint, HasSubstr("virsh net-list --all"));
}

}  // namespace
}  // namespace patchlab::lab::libvirt

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/domain_xml.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace patchlab::lab::libvirt {
namespace {
using ::testing::HasSubstr;
using ::testing::Not;

MachineSpec dns_machine() {
  MachineSpec spec;
  spec.name = "finance-dns";
  spec.uuid = "9f1c7f0e-6d3c-4a55-8a57-2f2f3d7c1a01";
  spec.disk = "/cells/finance/dns.qcow2";
  spec.kernel = "/images/dns/vmlinuz";
  spec.initrd = "/images/dns/initrd";
  spec.kernel_arguments = "console=ttyS0 quiet root=/dev/vda";
  spec.nics = {{"52:54:00:14:00:0a", "tap-0"}};
  spec.log = "/cells/finance/dns.console.log";
  return spec;
}

// With PATCHLAB_UPDATE_GOLDEN=1 the file is written instead; review the difference like code.
void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::string(PATCHLAB_SOURCE_DIR) + "/tests/golden/libvirt/" + name;
  if (std::getenv("PATCHLAB_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  std::stringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(text, expected.str()) << "differs from " << path;
}

TEST(DomainXml, DirectBootUnderEmulation) { expect_golden("direct_boot_tcg.xml", domain_xml(dns_machine())); }

TEST(DomainXml, FirmwareBootUnderKvmWithTwoNics) {
  auto spec = dns_machine();
  spec.kernel.clear();
  spec.initrd.clear();
  spec.accelerator = Accelerator::kvm;
  spec.cpus = 2;
  spec.memory_mib = 768;
  spec.log.clear();
  spec.nics.push_back({"52:54:00:14:01:0a", "tap-1"});
  expect_golden("firmware_boot_kvm.xml", domain_xml(spec));
}

TEST(DomainXml, TheSameSpecGivesTheSameBytes) { EXPECT_EQ(domain_xml(dns_machine()), domain_xml(dns_machine())); }

TEST(DomainXml, EscapesWhatAPathOrArgumentMayHold) {
  auto spec = dns_machine();
  spec.disk = "/cells/R&D 'new' <x>\".qcow2";
  spec.kernel_arguments = "a=\"b\" & c\x01";
  const auto xml = domain_xml(spec);
  EXPECT_THAT(xml, HasSubstr("<source file='/cells/R&amp;D &apos;new&apos; &lt;x&gt;&quot;.qcow2'/>"));
  EXPECT_THAT(xml, HasSubstr("<cmdline>a=&quot;b&quot; &amp; c? norandmaps</cmdline>"));
}

// What production has stays where nothing is translated.
TEST(DomainXml, FixesAddressesUnderEmulationAlone) {
  auto spec = dns_machine();
  EXPECT_THAT(domain_xml(spec), HasSubstr(" norandmaps</cmdline>"));
  spec.accelerator = Accelerator::kvm;
  EXPECT_THAT(domain_xml(spec), HasSubstr("<cmdline>console=ttyS0 quiet root=/dev/vda</cmdline>"));
}

// A guest that had to measure it on a busy host may be wrong by a factor of four for as long as it runs.
TEST(DomainXml, TellsEmulatedGuestsHowFastTheirCounterIs) {
  auto spec = dns_machine();
  spec.tsc_mhz = 2596;
  EXPECT_THAT(domain_xml(spec), HasSubstr(" norandmaps tsc_early_khz=2596000</cmdline>"));
  spec.accelerator = Accelerator::kvm;
  EXPECT_THAT(domain_xml(spec), Not(HasSubstr("tsc")));
}

TEST(DomainXml, NeverAsksForTheLargestCpu) {
  EXPECT_THAT(domain_xml(dns_machine()), Not(HasSubstr("maximum")));
  EXPECT_THAT(domain_xml(dns_machine()), Not(HasSubstr("host-")));
}

// That libvirt takes it is tested by the contract of hypervisors.
TEST(AdoptedSnapshotXml, HoldsTheMachineAndSaysThatItsMemoryIsInTheDisk) {
  const auto xml = adopted_snapshot_xml("baseline", "<domain><name>dns</name></domain>\n");
  EXPECT_EQ(xml,
            "<domainsnapshot>\n"
            "  <name>baseline</name>\n"
            "  <state>running</state>\n"
            "  <creationTime>1</creationTime>\n"
            "  <memory snapshot='internal'/>\n"
            "  <disks>\n"
            "    <disk name='vda' snapshot='internal'/>\n"
            "    <disk name='sda' snapshot='no'/>\n"
            "  </disks>\n"
            "<domain><name>dns</name></domain>\n"
            "</domainsnapshot>\n");
}

TEST(CheckName, AllowsPlainNamesOnly) {
  EXPECT_TRUE(check_name("machine name", "finance-dns_1.a"));
  for (const std::string bad : {"", "-x", ".x", "a b", "a/b", "a'b", "ä"})
    EXPECT_FALSE(check_name("machine name", bad)) << bad;
  EXPECT_FALSE(check_name("machine name", std::string(61, 'a')));
  EXPECT_EQ(check_name("snapshot name", "a b").error().message,
            "'a b' is not a snapshot name: 1 to 60 letters, digits, '.', '_' or '-', the first a letter or digit");
}

}  // namespace
}  // namespace patchlab::lab::libvirt

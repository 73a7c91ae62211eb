// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The golden domains in tests/golden/libvirt/clone are as libvirt 9.0 prints them (virDomainGetXMLDesc, inactive).
#include "lab/libvirt/clone_xml.hpp"

#include <gmock/gmock.h>

#include "tests/support/golden.hpp"
#include "tests/support/programs.hpp"

namespace patchlab::lab::libvirt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::filesystem::path data = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "tests/golden/libvirt/clone";
const std::filesystem::path folder = "/lab/patchlab-20261125-0800-ab12-finance";

Mark mark(const std::string& machine) { return {"20261125-0800-ab12", "finance", machine, folder}; }

std::string golden_2012() { return read_file(data / "golden_2012.xml").value(); }
std::string golden_2016() { return read_file(data / "golden_2016.xml").value(); }

// Exactly one place of `text` becomes `with`: a test whose sample has changed must not pass by accident.
std::string changed(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  if (at != std::string::npos) text.replace(at, what.size(), with);
  EXPECT_EQ(text.find(what, at + with.size()), std::string::npos) << what << " is there twice";
  return text;
}

ClonePlan plan_of(const std::string& xml, const std::string& machine = "dns") {
  auto plan = plan_clone(xml, mark(machine));
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
  return plan.value_or({});
}

TEST(CloneXml, OfServer2012OnI440fx) {
  const auto plan = plan_of(golden_2012());
  tests::expect_golden("libvirt/clone/clone_2012.xml", plan.xml);
  EXPECT_EQ(plan.golden, "srv2012-dns");
  EXPECT_THAT(
      plan.overlays,
      ElementsAre(
          OverlayFile{"vda", "/var/lib/libvirt/images/srv2012-dns.qcow2", "qcow2", folder / "dns-vda.qcow2"},
          OverlayFile{"vdb", "/var/lib/libvirt/images/srv2012-dns data & logs.img", "raw", folder / "dns-vdb.qcow2"}));
  EXPECT_THAT(plan.copies, IsEmpty());
  EXPECT_THAT(plan.reads, IsEmpty());
  EXPECT_THAT(plan.macs, ElementsAre("52:54:00:ab:00:10", "52:54:00:ab:01:10"));
  EXPECT_EQ(plan.memory_kib, 4194304U);
  EXPECT_FALSE(has_firmware_flash(plan.xml));
}

TEST(CloneXml, OfServer2016WithFirmwareVariables) {
  const auto plan = plan_of(golden_2016(), "files");
  tests::expect_golden("libvirt/clone/clone_2016.xml", plan.xml);
  EXPECT_THAT(plan.copies,
              ElementsAre(FileCopy{"/var/lib/libvirt/qemu/nvram/srv2016-files_VARS.fd", folder / "files-vars.fd"}));
  EXPECT_TRUE(has_firmware_flash(plan.xml));
}

// Whatever is in a clone, nothing of it may be the golden domain's own or production's.
TEST(CloneXml, NamesNothingThatProductionUses) {
  for (const auto& golden : {golden_2012(), golden_2016()}) {
    const auto xml = plan_of(golden).xml;
    for (const char* theirs : {"srv2012",
                               "srv2016",
                               "5d0c1c0e-3c0a-4a11",
                               "/var/lib/libvirt",
                               "br-finance",
                               "backup",
                               "portgroup",
                               "virtualport",
                               "<vlan",
                               "filterref",
                               "finance-dns'/>",
                               "4444",
                               "5912",
                               "5901",
                               "5902",
                               "0.0.0.0",
                               "10.1.1.1",
                               "cputune",
                               "cpuset",
                               "/machine/production",
                               "snapshot='no'",
                               "libosinfo",
                               "DNS of finance",
                               "golden; do not start",
                               "virtio-win.iso",
                               "passwd"}) {
      EXPECT_THAT(xml, Not(HasSubstr(theirs)));
    }
  }
}

TEST(CloneXml, KeepsWhatAGuestTiesItsConfigurationTo) {
  for (const auto& golden : {golden_2012(), golden_2016()}) {
    const auto xml = plan_of(golden).xml;
    auto before = XmlDocument::parse(golden, "golden").value();
    auto after = XmlDocument::parse(xml, "clone").value();
    for (const char* setting : {"genid", "memory", "currentMemory", "features", "cpu", "clock"}) {
      ASSERT_TRUE(before.root().child(setting)) << setting;
      EXPECT_EQ(after.root().child(setting).to_text(), before.root().child(setting).to_text());
    }
    EXPECT_EQ(after.root().child("os").child("type").to_text(), before.root().child("os").child("type").to_text());
    const auto devices = [](const XmlDocument& document) {
      auto all = document.root().child("devices").children();
      // Ends of the host, which the guest does not see.
      std::erase_if(all, [](const XmlNode& node) { return node.name() == "graphics" || node.name() == "redirdev"; });
      return all;
    };
    ASSERT_EQ(devices(after).size(), devices(before).size());
    for (std::size_t index = 0; index < devices(after).size(); ++index) {
      const auto ours = devices(after)[index];
      const auto theirs = devices(before)[index];
      EXPECT_EQ(ours.name(), theirs.name());
      for (const char* part : {"address", "model", "mac", "target", "serial"}) {
        if (ours.name() == "interface" && std::string_view(part) == "target") continue;  // the tap's name on the host
        EXPECT_EQ(ours.child(part).to_text(), theirs.child(part).to_text()) << theirs.to_text();
      }
    }
  }
}

// Who is on the host has no console of a clone; the guest keeps its ports.
TEST(CloneXml, NobodyIsAtTheOtherEndButTheAgent) {
  for (const auto& golden : {golden_2012(), golden_2016()}) {
    const auto xml = plan_of(golden).xml;
    for (const char* end : {"<graphics", "<redirdev", "spicevmc", "spiceport", "qemu-vdagent", "mode=\"connect\""})
      EXPECT_THAT(xml, Not(HasSubstr(end)));
  }
  EXPECT_THAT(plan_of(golden_2016()).xml,
              HasSubstr("<channel type=\"null\">\n      <target type=\"virtio\" name=\"com.redhat.spice.0\"/>"));
}

TEST(CloneXml, WhatWasDefinedIsNoWayOut) {
  for (const auto& golden : {golden_2012(), golden_2016()}) {
    const auto plan = plan_of(golden);
    const auto found = ways_out_of(plan.xml, plan.mark);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_THAT(*found, ElementsAre());
  }
}

TEST(CloneXml, WhatIsAttachedLaterIsAWayOut) {
  const auto plan = plan_of(golden_2016());
  const std::vector<std::pair<std::string, std::string>> attached{
      {"<interface type='network'><source network='default'/></interface>", "<interface type='network'> on 'default'"},
      {"<interface type='bridge'><source bridge='br0'/></interface>", "<interface type='bridge'> on ''"},
      {"<interface type='user'/>", "<interface type='user'> on ''"},
      {"<graphics type='vnc' port='5900'/>", "<graphics> of kind 'vnc'"},
      {"<channel type='spicevmc'><target name='com.redhat.spice.0'/></channel>",
       "<channel type='spicevmc'> 'com.redhat.spice.0'"},
      {"<channel type='unix'><target name='org.libguestfs.channel.0'/></channel>",
       "<channel type='unix'> 'org.libguestfs.channel.0'"},
      {"<serial type='tcp'/>", "<serial> of kind 'tcp'"},
      {"<hostdev mode='subsystem' type='usb'/>", "<hostdev> of kind 'usb'"},
      {"<filesystem type='mount'/>", "<filesystem> of kind 'mount'"},
      {"<vsock model='virtio'/>", "<vsock>"},
      {"<input type='evdev'/>", "<input> of kind 'evdev'"},
      {"<rng model='virtio'><backend model='egd'/></rng>", "<rng> of kind 'egd'"},
      {"<disk type='block' device='disk'><source dev='/dev/sda'/></disk>", "<disk type='block'> on ''"},
      {"<disk type='file' device='disk'><source file='/srv/production.qcow2'/></disk>",
       "<disk type='file'> on '/srv/production.qcow2'"},
      {"<something-new/>", "<something-new>"}};
  for (const auto& [device, said] : attached) {
    auto xml = plan.xml;
    xml.insert(xml.find("</devices>"), device);
    const auto found = ways_out_of(xml, plan.mark);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_THAT(*found, ElementsAre(said)) << device;
  }
}

TEST(CloneXml, AMachineOfAnotherMarkIsNotOurs) {
  const auto plan = plan_of(golden_2016());
  auto other = plan.mark;
  other.machine = "another";
  EXPECT_THAT(ways_out_of(plan.xml, other).value(), ElementsAre("it has not the mark of this clone"));
}

TEST(CloneXml, IsTheSameForTheSameGoldenDomainAndPlace) {
  EXPECT_EQ(plan_of(golden_2012()).xml, plan_of(golden_2012()).xml);
}

TEST(CloneXml, TwoMachinesOfOneGoldenDomainShareNothingTheyCouldWrite) {
  const auto one = plan_of(golden_2016(), "one");
  const auto two = plan_of(golden_2016(), "two");
  EXPECT_NE(one.overlays[0].overlay, two.overlays[0].overlay);
  EXPECT_NE(one.copies[0].to, two.copies[0].to);
  const auto uuid = [](const ClonePlan& plan) {
    return XmlDocument::parse(plan.xml, "clone").value().root().child("uuid").text();
  };
  EXPECT_NE(uuid(one), uuid(two));
}

TEST(CloneXml, ItsMarkIsFoundAgain) {
  const auto document = XmlDocument::parse(plan_of(golden_2012()).xml, "clone").value();
  EXPECT_EQ(mark_of(document.root()), mark("dns"));
}

TEST(CloneXml, AReadOnlyDiskIsSharedAndCounts) {
  const auto plan = plan_of(
      changed(golden_2012(), "<target dev='vdb' bus='virtio'/>", "<target dev='vdb' bus='virtio'/><readonly/>"));
  EXPECT_THAT(plan.reads, ElementsAre("/var/lib/libvirt/images/srv2012-dns data & logs.img"));
  EXPECT_EQ(plan.overlays.size(), 1U);
  EXPECT_EQ(plan.memory_kib, 4U << 20U);
  EXPECT_THAT(plan.xml, HasSubstr("<source file=\"/var/lib/libvirt/images/srv2012-dns data &amp; logs.img\"/>"));
}

TEST(CloneXml, FirmwareVariablesThatWereNeverWrittenComeFromTheTemplate) {
  const auto plan =
      plan_of(changed(golden_2016(), ">/var/lib/libvirt/qemu/nvram/srv2016-files_VARS.fd</nvram>", "/>"), "files");
  EXPECT_THAT(plan.copies, IsEmpty());
  EXPECT_THAT(plan.xml, HasSubstr("<nvram template=\"/usr/share/OVMF/OVMF_VARS_4M.fd\">" +
                                  (folder / "files-vars.fd").string() + "</nvram>"));
}

TEST(CloneXml, VariablesOfFirmwareThatLibvirtChoosesAreWhereItKeepsThem) {
  const auto plan = plan_of(changed(golden_2012(), "<os>", "<os firmware='efi'>"));
  EXPECT_THAT(plan.copies,
              ElementsAre(FileCopy{"/var/lib/libvirt/qemu/nvram/srv2012-dns_VARS.fd", folder / "dns-vars.fd"}));
  EXPECT_THAT(plan.xml, HasSubstr("<nvram>" + (folder / "dns-vars.fd").string() + "</nvram>"));
  EXPECT_TRUE(has_firmware_flash(plan.xml));
}

// UEFI that is loaded like a BIOS keeps nothing, and libvirt's own snapshots do.
TEST(CloneXml, FirmwareInReadOnlyMemoryIsNoFlash) {
  const auto plan = plan_of(changed(golden_2012(), "<smbios mode='sysinfo'/>", "<loader type='rom'>/x</loader>"));
  EXPECT_THAT(plan.copies, IsEmpty());
  EXPECT_FALSE(has_firmware_flash(plan.xml));
}

TEST(CloneXml, FirmwareVariablesInTheNewFormAreCopiedToo) {
  const auto plan = plan_of(changed(golden_2016(), ">/var/lib/libvirt/qemu/nvram/srv2016-files_VARS.fd</nvram>",
                                    " type='file'><source file='/vars.fd'/></nvram>"),
                            "files");
  EXPECT_THAT(plan.copies, ElementsAre(FileCopy{"/vars.fd", folder / "files-vars.fd"}));
}

struct Refusal {
  std::string name;
  std::string what;  // of the sample of 2012
  std::string with;
  std::string message;  // after "golden domain 'srv2012-dns' cannot be cloned: "
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class CloneRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(CloneRefusal, NamesTheElementAndTheNextStep) {
  const auto plan = plan_clone(changed(golden_2012(), GetParam().what, GetParam().with), mark("dns"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(plan.error().message, "golden domain 'srv2012-dns' cannot be cloned: " + GetParam().message);
  EXPECT_THAT(plan.error().hint, Not(IsEmpty()));
}

const std::string devices = "<devices>";
const std::string bridge_nic = "<interface type='bridge'>";
const std::string second_disk = "<source file='/var/lib/libvirt/images/srv2012-dns data &amp; logs.img'/>";
const std::string second_disk_type = "<disk type='file' device='disk'>\n      <driver name='qemu' type='raw'/>";

Refusal device(const std::string& name, const std::string& element, const std::string& message) {
  return {name, devices, devices + element, message};
}
Refusal disk(const std::string& name, const std::string& type, const std::string& source, const std::string& message) {
  return {name, second_disk_type + "\n      " + second_disk,
          "<disk type='" + type + "' device='disk'><driver name='qemu' type='raw'/>" + source, message};
}

INSTANTIATE_TEST_SUITE_P(
    All, CloneRefusal,
    ::testing::Values(
        device("HostDevice", "<hostdev mode='subsystem' type='pci'/>",
               "<hostdev type='pci'> hands a device of the host to the guest"),
        device("HostUsb", "<hostdev mode='subsystem' type='usb'/>",
               "<hostdev type='usb'> hands a device of the host to the guest"),
        device("FolderOfTheHost", "<filesystem type='mount'/>",
               "<filesystem type='mount'> shares a folder of the host with the guest"),
        device("Tpm", "<tpm model='tpm-crb'/>", "<tpm> keeps secrets that a clone cannot be given"),
        device("Vsock", "<vsock model='virtio'/>", "<vsock> is a way from the guest to the host"),
        device("SharedMemory", "<shmem name='x'/>", "<shmem> is memory shared with other guests"),
        device("Lease", "<lease/>", "<lease> is a lock that the golden domain holds too"),
        device("Evdev", "<input type='evdev'/>", "<input type='evdev'> hands a device of the host to the guest"),
        device("UsbOverTcp", "<redirdev type='tcp'/>",
               "<redirdev type='tcp'> connects the guest with something outside"),
        device("HostSerialPort", "<serial type='dev'/>", "<serial type='dev'> hands a device of the host to the guest"),
        device("ChannelToAServer",
               "<channel type='unix'><source mode='connect' path='/x'/><target name='x'/></channel>",
               "<channel type='unix'> connects the guest with a server on the host"),
        device("TcpChannel", "<channel type='tcp'/>", "<channel type='tcp'> connects the guest with something outside"),
        device("Egd", "<rng model='virtio'><backend model='egd'/></rng>",
               "<rng> takes its numbers from 'egd', outside the host's own"),
        device("HostScreen", "<graphics type='sdl'/>", "<graphics type='sdl'> uses the screen of the host"),
        device("Nvdimm", "<memory model='nvdimm'/>", "<memory model='nvdimm'> is a file or device of the host"),
        device("DeviceOfTheFuture", "<teleporter type='x'/>", "<teleporter type='x'> is not known to be harmless"),
        device("Lun", "<disk type='block' device='lun'><target dev='sdb'/></disk>",
               "<disk device='lun'> 'sdb' hands a device of the host to the guest"),
        device("TargetThatIsAPath", "<disk type='file' device='disk'><target dev='../x'/></disk>",
               "<disk device='disk'> '../x' has a target that is no device name"),
        device(
            "Macvtap", "<interface type='direct'><mac address='52:54:00:00:00:01'/></interface>",
            "<interface type='direct'> 52:54:00:00:00:01 is a device of the host that no isolated network can replace"),
        device("NicPassThrough", "<interface type='hostdev'/>",
               "<interface type='hostdev'> is a device of the host that no isolated network can replace"),
        device("VhostUser", "<interface type='vhostuser'/>",
               "<interface type='vhostuser'> is a device of the host that no isolated network can replace"),
        device("TapOfSomebody", "<interface type='ethernet'/>",
               "<interface type='ethernet'> is of a kind that is not moved to the lab's network"),
        Refusal{"Teaming", "<virtualport", "<teaming type='transient'/><virtualport",
                "<interface type='bridge'> 52:54:00:ab:00:10 has <teaming> with a device of the host"},
        disk("BlockDevice", "block", "<source dev='/dev/vg/srv2012'/>",
             "<disk device='disk'> 'vdb' of type 'block' is not a file, so there can be no overlay on it"),
        disk("NetworkDisk", "network", "<source protocol='rbd' name='x'/>",
             "<disk device='disk'> 'vdb' of type 'network' is not a file, so there can be no overlay on it"),
        disk("VolumeOfAPool", "volume", "<source pool='a' volume='b'/>",
             "<disk device='disk'> 'vdb' of type 'volume' is not a file, so there can be no overlay on it"),
        disk("EncryptedDisk", "file", "<source file='/x'><encryption format='luks'/></source>",
             "<disk device='disk'> 'vdb' is encrypted"),
        disk("SliceOfAFile", "file", "<source file='/x'><slices/></source>",
             "<disk device='disk'> 'vdb' is a part of a file"),
        disk("SharedDisk", "file", "<source file='/x'/><shareable/>", "<disk device='disk'> 'vdb' has <shareable>"),
        disk("TransientDisk", "file", "<source file='/x'/><transient/>", "<disk device='disk'> 'vdb' has <transient>"),
        disk("OneFileTwice", "file", "<source file='/var/lib/libvirt/images/srv2012-dns.qcow2'/>",
             "two <disk> are the same file"),
        Refusal{"UnknownFormat", "<driver name='qemu' type='raw'/>", "<driver name='qemu' type='cow'/>",
                "<disk device='disk'> 'vdb' has the format 'cow', which is not known"},
        Refusal{"NoAgent", "org.qemu.guest_agent.0", "org.example.other",
                "it has no <channel type='unix'> with the target 'org.qemu.guest_agent.0'"},
        Refusal{"NoCdDrive", "device='cdrom'", "device='floppy'",
                "it has no <disk device='cdrom'>, and patches travel on a CD"},
        Refusal{"MachineTypeThatMoves", "machine='pc-i440fx-7.2'", "machine='pc'",
                "<type machine='pc'> is no fixed machine type"},
        Refusal{"ArgumentsForQemu", "<features>",
                "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/><features>",
                "<commandline> of 'http://libvirt.org/schemas/domain/qemu/1.0' gives QEMU arguments that libvirt does "
                "not look into"},
        Refusal{"SettingOfTheFuture", "<features>", "<launchSecurity type='sev'/><features>",
                "<launchSecurity> is not known to be harmless"},
        Refusal{"WritableFirmware", "<smbios mode='sysinfo'/>", "<loader type='pflash' readonly='no'>/x</loader>",
                "<loader> is firmware that the guest can write"},
        Refusal{"VariablesOverTheNetwork", "<smbios mode='sysinfo'/>", "<nvram type='network'/>",
                "<nvram type='network'> is not a file"},
        Refusal{"VariablesOfTheFuture", "<smbios mode='sysinfo'/>", "<varstore path='/x'/>",
                "<varstore> keeps firmware variables in a way that is not known"},
        Refusal{"AnotherHypervisor", "<domain type='qemu'>", "<domain type='xen'>",
                "<domain type='xen'> is not run by QEMU"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(CloneXml, RefusesACloneAsGoldenDomain) {
  const auto again = plan_clone(plan_of(golden_2012()).xml, mark("other"));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("<metadata> says that it is a clone of the lab itself"));
}

TEST(CloneXml, RefusesWhatIsNoDomain) {
  for (const char* text : {"", "<domain", "<network><name>x</name></network>", "<domain type='kvm'/>",
                           "<!DOCTYPE x><domain type='kvm'><name>x</name></domain>"}) {
    EXPECT_FALSE(plan_clone(text, mark("dns"))) << text;
  }
}

TEST(CdDrive, GetsAndLosesItsMedium) {
  const auto xml = plan_of(golden_2012()).xml;
  const auto with = cd_drive_with(xml, "/runs/R&D/medium.iso");
  ASSERT_TRUE(with);
  EXPECT_THAT(*with, HasSubstr("<source file=\"/runs/R&amp;D/medium.iso\"/>"));
  EXPECT_THAT(*with, HasSubstr("<target dev=\"sda\" bus=\"sata\"/>"));
  const auto without =
      cd_drive_with(changed(xml, "<target dev=\"sda\"", "<source file=\"/old.iso\"/><target dev=\"sda\""), {});
  ASSERT_TRUE(without);
  EXPECT_THAT(*without, Not(HasSubstr("<source")));
}

class DomainTemplate : public ::testing::TestWithParam<const char*> {
 protected:
  const std::filesystem::path file_ =
      std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios/domains" / (std::string(GetParam()) + ".xml");
};

TEST_P(DomainTemplate, IsValidForLibvirt) {
  ProcessSpec spec;
  spec.program = "virt-xml-validate";
  spec.arguments = {file_.native(), "domain"};
  const auto outcome = host_processes().run(spec);
  if (std::holds_alternative<NotStarted>(outcome.end))
    GTEST_SKIP() << "virt-xml-validate (Debian: libvirt-clients) " << outcome.describe();
  EXPECT_TRUE(outcome.succeeded()) << outcome.output << outcome.errors;
}

// At every revert libvirt gives a BIOS machine another generation id, and a domain controller would start all over.
TEST_P(DomainTemplate, HasNoGenerationId) { EXPECT_THAT(read_file(file_).value(), Not(HasSubstr("genid"))); }

TEST_P(DomainTemplate, CanBeCloned) {
  // libvirt gives a MAC when it is defined.
  const auto xml = changed(read_file(file_).value(), "<model type='virtio'/>",
                           "<mac address='52:54:00:00:00:01'/><model type='virtio'/>");
  const auto plan = plan_of(xml);
  EXPECT_EQ(plan.overlays.size(), 1U);
  EXPECT_EQ(plan.memory_kib, 4U << 20U);
  EXPECT_EQ(has_firmware_flash(plan.xml), std::string_view(GetParam()) == "windows-server-2016");
}

INSTANTIATE_TEST_SUITE_P(All, DomainTemplate,
                         ::testing::Values("windows-server-2012", "windows-server-2012-r2", "windows-server-2016"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace patchlab::lab::libvirt

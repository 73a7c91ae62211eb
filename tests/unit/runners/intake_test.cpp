// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What others exported, as far as it is read here and not by qemu-img: tests/e2e/image_import_test.cpp has that.
#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "runners/intake/archive.hpp"
#include "runners/intake/import_machine.hpp"
#include "runners/intake/manifest.hpp"
#include "runners/intake/ovf.hpp"
#include "tests/support/ovf_packages.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners::intake {
namespace {

using lab::libvirt::Firmware;
using patchlab::testing::OvfBuilder;
using patchlab::testing::tar_of;
using patchlab::testing::TarMember;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal_of(const std::string& ovf) {
  const auto read = read_ovf(ovf, "x.ovf");
  return read ? "it was read" : read.error().message;
}

std::string without(std::string text, const std::string& what) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.erase(at, what.size());
}

TEST(Ovf, SaysWhatTheMachineHas) {
  const auto read = read_ovf(OvfBuilder{}.text(), "x.ovf");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->memory_mib, 8192U);
  EXPECT_EQ(read->cpus, 4U);
  EXPECT_EQ(read->firmware, Firmware::uefi);
  EXPECT_EQ(read->is_windows, true);
  EXPECT_EQ(read->nics, 1U);
  EXPECT_THAT(read->disks, ElementsAre("srv2019-disk1.vmdk"));
  EXPECT_THAT(read->left_out, ElementsAre("1 CD drive(s), instead of which it gets one of its own"));
}

TEST(Ovf, OrdersDisksByControllerAndPlace) {
  OvfBuilder ovf;
  ovf.disks = {{"second.vmdk", "3", "10"}, {"last.vmdk", "4", "0"}, {"first.vmdk", "3", "2"}};
  EXPECT_THAT(read_ovf(ovf.text(), "x.ovf")->disks, ElementsAre("first.vmdk", "second.vmdk", "last.vmdk"));
  // Who says no places has them in order.
  ovf.disks = {{"b.vmdk", "3", ""}, {"a.vmdk", "3", ""}};
  EXPECT_THAT(read_ovf(ovf.text(), "x.ovf")->disks, ElementsAre("b.vmdk", "a.vmdk"));
}

TEST(Ovf, ReadsMemoryInTheUnitThatItSays) {
  OvfBuilder ovf;
  for (const auto& [unit, amount] : {std::pair{"MegaBytes", "8192"}, {"byte*2^30", "8"}, {"byte", "8589934592"}}) {
    ovf.memory_unit = unit;
    ovf.memory = amount;
    EXPECT_EQ(read_ovf(ovf.text(), "x.ovf")->memory_mib, 8192U) << unit;
  }
  ovf.memory_unit = "furlong";
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("measures memory in 'furlong'"));
  ovf.memory_unit = "byte * 2^30";
  for (const char* amount : {"0", "-1", "18446744073709551615", "99999999999", "x"}) {
    ovf.memory = amount;
    EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("says that the machine has")) << amount;
  }
}

TEST(Ovf, LeavesOutWhatIsOfOtherConfigurations) {
  OvfBuilder ovf;
  ovf.more_hardware =
      "<Item ovf:bound=\"min\"><rasd:InstanceID>50</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType>"
      "<rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>"
      "<Item ovf:configuration=\"big\"><rasd:InstanceID>51</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>"
      "<rasd:VirtualQuantity>64</rasd:VirtualQuantity></Item>";
  const auto read = read_ovf(ovf.text(), "x.ovf");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->cpus, 4U);
  ovf.more_hardware =
      "<Item><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>";
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("says twice how much memory"));
}

TEST(Ovf, RefusesWhatIsNotOneWholeMachine) {
  OvfBuilder ovf;
  const auto text = ovf.text();
  EXPECT_THAT(refusal_of("<a/>"), HasSubstr("its root is no <Envelope>"));
  EXPECT_THAT(refusal_of("<Envelope"), HasSubstr("is no well-formed XML"));
  EXPECT_THAT(refusal_of("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><Envelope>&b;</Envelope>"),
              HasSubstr("document type declaration"));
  EXPECT_THAT(refusal_of("<Envelope><VirtualSystemCollection/></Envelope>"), HasSubstr("several machines"));
  EXPECT_THAT(refusal_of("<Envelope/>"), HasSubstr("describes no machine"));
  EXPECT_THAT(refusal_of(without(text, "ovf:fileRef=\"file1\" ")), HasSubstr("without a file"));
  EXPECT_THAT(refusal_of(without(text, "<rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource>")),
              HasSubstr("gives the machine the disk ''"));
  ovf.more_of_disk = "ovf:parentRef=\"vmdisk0\"";
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("what differs from another one"));
  ovf.more_of_disk.clear();
  ovf.more_of_file = "ovf:compression=\"gzip\"";
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("packed by gzip"));
  ovf.more_of_file = "ovf:chunkSize=\"1000\"";
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("cut in pieces"));
  ovf.more_of_file.clear();
  ovf.firmware = "coreboot";
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("firmware 'coreboot'"));
  ovf.firmware = "bios";
  ovf.disks = {};
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("a machine without a disk"));
  ovf.disks = {{"a.vmdk"}, {"a.vmdk"}};
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("one disk twice"));
  ovf.disks.assign(17, {"a.vmdk"});
  for (std::size_t i = 0; i < ovf.disks.size(); ++i) ovf.disks[i].file = fmt::format("{}.vmdk", i);
  EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("more than 16 disks"));
}

TEST(Ovf, TakesNoNamesThatArePaths) {
  for (const char* name : {"../a.vmdk", "/etc/shadow", "a/b.vmdk", "file:///etc/shadow", "http://x/a.vmdk", ".hidden",
                           "-o", "", "a\\b", "json:{}"}) {
    OvfBuilder ovf;
    ovf.disks = {{name}};
    EXPECT_THAT(refusal_of(ovf.text()), HasSubstr("which is none of the package")) << name;
  }
  EXPECT_TRUE(is_package_name("srv 2019 (golden)-disk1.vmdk"));
  EXPECT_FALSE(is_package_name("a\nb"));
  EXPECT_FALSE(is_package_name(std::string(201, 'a')));
}

TEST(Manifest, SaysADigestOfEachFile) {
  const std::string sha1(40, 'a');
  const std::string sha512(128, 'B');
  const auto read = read_manifest(
      fmt::format("SHA256(a.ovf)= {}\r\nSHA1 (a (2).vmdk) = {}\n\nSHA512(c)={}\n", std::string(64, '0'), sha1, sha512),
      "a.mf");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(*read, ElementsAre(ManifestLine{DigestKind::sha256, "a.ovf", std::string(64, '0')},
                                 ManifestLine{DigestKind::sha1, "a (2).vmdk", sha1},
                                 ManifestLine{DigestKind::sha512, "c", std::string(128, 'b')}));
}

TEST(Manifest, IsRefusedWhenALineIsNotUnderstood) {
  const std::string digest(64, '0');
  for (const auto& line : {std::string("MD5(a)= 00"), "SHA256(a)= " + digest + "0", "SHA256(a)= x" + digest.substr(1),
                           "SHA256(../a)= " + digest, "SHA256 a " + digest, std::string("<html>"),
                           "SHA256(a) is= " + digest, std::string(")=(")}) {
    const auto read = read_manifest("SHA256(b)= " + digest + "\n" + line + "\n", "x.mf");
    ASSERT_FALSE(read) << line;
    EXPECT_THAT(read.error().message, HasSubstr("'x.mf', line 2: ")) << line;
  }
  EXPECT_FALSE(read_manifest("", "x.mf"));
  EXPECT_FALSE(read_manifest("SHA256(a)= " + digest + "\nSHA256(a)= " + digest, "x.mf"));
}

class Archive : public ::testing::Test {
 protected:
  Result<Package> read(const std::string& bytes, bool unpack = true) {
    const auto file = folder_.write("x.ova", bytes);
    const auto input = open_input(file);
    EXPECT_TRUE(input);
    const auto into = folder_.path() / fmt::format("out-{}", ++number_);
    EXPECT_TRUE(create_folders(into));
    return read_package(*input, "x.ova", unpack ? into : std::filesystem::path());
  }
  std::string refusal(const std::string& bytes) {
    const auto package = read(bytes);
    return package ? "it was read" : package.error().message;
  }

  test::TemporaryFolder folder_;
  int number_ = 0;
};

TEST_F(Archive, GivesEachMemberANameOfOurs) {
  const std::vector<TarMember> members{
      {"./s.ovf", "<Envelope/>"}, {"s.mf", "digests"}, {"s.cert", "c"}, {"disk 1.vmdk", std::string(5000, 'd')}};
  const auto package = read(tar_of(members));
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->descriptor_name, "s.ovf");
  EXPECT_EQ(package->descriptor, "<Envelope/>");
  EXPECT_EQ(package->manifest, "digests");
  EXPECT_TRUE(package->has_certificate);
  const auto* disk = package->find("disk 1.vmdk");
  ASSERT_NE(disk, nullptr);
  EXPECT_EQ(disk->file.filename(), "member-4");
  EXPECT_EQ(read_file(disk->file).value_or(""), std::string(5000, 'd'));
  const auto looked = read(tar_of(members), false);
  ASSERT_TRUE(looked) << looked.error().message;
  EXPECT_EQ(looked->descriptor, "<Envelope/>");
  EXPECT_EQ(looked->find("disk 1.vmdk")->file, "");
  EXPECT_EQ(looked->find("disk 1.vmdk")->bytes, 5000U);
}

TEST_F(Archive, IsRefusedWhenItWouldReachOut) {
  const TarMember ovf{"s.ovf", "<Envelope/>"};
  for (const char* name : {"../out", "/etc/cron.d/x", "a/b", "..", "a/../../b", "-rf"}) {
    EXPECT_THAT(refusal(tar_of({ovf, {name, "x"}})), HasSubstr("which is no plain name of a file")) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out"));
  for (const char type : {'1', '2', '3', '4', '5', '6'}) {
    EXPECT_THAT(refusal(tar_of({ovf, {"disk.vmdk", "", type, "/etc/passwd"}})),
                HasSubstr("a link, a folder or a device"))
        << type;
  }
}

TEST_F(Archive, IsRefusedWhenItIsNotWholeOrNotOne) {
  const TarMember ovf{"s.ovf", "<Envelope/>"};
  const auto tar = tar_of({ovf, {"disk.vmdk", std::string(5000, 'd')}});
  EXPECT_THAT(refusal(tar.substr(0, 3000)), HasSubstr("is no whole tar archive"));
  EXPECT_THAT(refusal("<!DOCTYPE html>"), HasSubstr("is no whole tar archive"));
  EXPECT_THAT(refusal(""), ::testing::AnyOf(HasSubstr("is no whole tar archive"), HasSubstr("holds no descriptor")));
  EXPECT_THAT(refusal(tar_of({{"disk.vmdk", "d"}})), HasSubstr("holds no descriptor"));
  EXPECT_THAT(refusal(tar_of({ovf, {"t.ovf", "<Envelope/>"}})), HasSubstr("holds two descriptors"));
  EXPECT_THAT(refusal(tar_of({ovf, {"a", "1"}, {"./a", "2"}})), HasSubstr("holds 'a' twice"));
  EXPECT_THAT(refusal(tar_of({{"s.ovf", std::string((4U << 20U) + 1, ' ')}})), HasSubstr("which is no description"));
  std::vector<TarMember> many(65, ovf);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].name = fmt::format("{}.vmdk", i);
  EXPECT_THAT(refusal(tar_of(many)), HasSubstr("more than 64 files"));
}

const DiskInput disk{"/x/a.qcow2", "a.qcow2", DiskFormat::qcow2};

std::string refusal_of_info(const Json& changes) {
  Json info{{"virtual-size", 8388608},
            {"filename", "/in/disk"},
            {"format", "qcow2"},
            {"format-specific", {{"type", "qcow2"}, {"data", {{"corrupt", false}}}}}};
  info.merge_patch(changes);
  const auto facts = facts_in(info.dump(), disk);
  return facts ? "" : facts.error().message;
}

TEST(DiskFile, IsRefusedWhenItNamesOtherFiles) {
  EXPECT_EQ(refusal_of_info(Json::object()), "");
  EXPECT_EQ(refusal_of_info({{"snapshots", Json::array({Json::object()})}}), "");
  EXPECT_THAT(refusal_of_info({{"backing-filename", "/etc/shadow"}}), HasSubstr("stands on another file: /etc/shadow"));
  EXPECT_THAT(refusal_of_info({{"full-backing-filename", "x"}}), HasSubstr("stands on another file"));
  EXPECT_THAT(refusal_of_info({{"format-specific", {{"data", {{"data-file", "/etc/shadow"}}}}}}),
              HasSubstr("keeps its data in another file"));
  const Json extents{{"data", {{"extents", {{{"filename", "/in/disk"}}, {{"filename", "/etc/shadow"}}}}}}};
  EXPECT_THAT(refusal_of_info({{"format-specific", extents}}), HasSubstr("is made of other files: /etc/shadow"));
  EXPECT_THAT(refusal_of_info({{"encrypted", true}}), HasSubstr("is encrypted"));
  EXPECT_THAT(refusal_of_info({{"format-specific", {{"data", {{"corrupt", true}}}}}}), HasSubstr("damaged"));
  EXPECT_THAT(refusal_of_info({{"virtual-size", 0}}), HasSubstr("of no size"));
  EXPECT_THAT(refusal_of_info({{"virtual-size", 1ULL << 60U}}), HasSubstr("more than the"));
  EXPECT_THAT(refusal_of_info({{"format", "raw"}}), HasSubstr("is not understood"));
}

TEST(DiskFile, IsWhatItsNameSaysAndItsBeginning) {
  EXPECT_EQ(format_of("a.VHDX", "vhdxfile...").value(), DiskFormat::vhdx);
  EXPECT_EQ(format_of("a.vmdk", "KDMV").value(), DiskFormat::vmdk);
  EXPECT_EQ(format_of("a.qcow2", "QFI\xfb").value(), DiskFormat::qcow2);
  EXPECT_EQ(format_of("a.raw", "anything").value(), DiskFormat::raw);
  const auto refusal = [](const std::string& name, std::string_view bytes) {
    const auto format = format_of(name, bytes);
    return format ? "" : format.error().message;
  };
  EXPECT_THAT(refusal("a.raw", "QFI\xfb"), HasSubstr("is a qcow2 by its contents"));
  EXPECT_THAT(refusal("a.vhdx", "KDMV"), HasSubstr("is a vmdk by its contents"));
  EXPECT_THAT(refusal("a.vhdx", "<html>"), HasSubstr("does not begin as a vhdx does"));
  EXPECT_THAT(refusal("a.vmdk", "# Disk DescriptorFile\n"), HasSubstr("is a text that names other files"));
  EXPECT_THAT(refusal("a.avhdx", "vhdxfile"), HasSubstr("a checkpoint of Hyper-V"));
  EXPECT_THAT(refusal("a", "QFI\xfb"), HasSubstr("ends with none of"));
  EXPECT_THAT(refusal("a.qcow2", ""), HasSubstr("is empty"));
}

// What reads it is told the format, sees no other file, and reaches no network.
TEST(DiskFile, IsReadInASandboxByAFormatThatIsSaid) {
  for (const auto& spec : {info_process(disk), check_process(disk), measure_process(disk), first_sector_process(disk),
                           convert_process(disk, "/made/disk-1.qcow2")}) {
    EXPECT_EQ(spec.program, "bwrap");
    const auto& words = spec.arguments;
    EXPECT_EQ(words.front(), "--unshare-all");
    const auto format = std::ranges::find(words, "-f");
    ASSERT_NE(format, words.end());
    EXPECT_EQ(*(format + 1), "qcow2");
    EXPECT_EQ(std::ranges::count(words, "--ro-bind"), 2) << "the programs, and the disk";
    EXPECT_EQ(std::ranges::count(words, "--bind"), std::ranges::count(words, "convert"));
    EXPECT_EQ(std::ranges::count(words, "/x/a.qcow2"), 1);
  }
}

TEST(DiskFile, TellsTheFirmwareByTheFirstSector) {
  std::string mbr(512, '\0');
  mbr.replace(510, 2, "\x55\xaa");
  EXPECT_EQ(firmware_for(mbr), std::nullopt) << "no boot program: a disk with data";
  mbr[0] = '\xeb';
  EXPECT_EQ(firmware_for(mbr), Firmware::bios);
  mbr[446 + 16 + 4] = '\xee';
  EXPECT_EQ(firmware_for(mbr), Firmware::uefi);
  mbr[510] = 0;
  EXPECT_EQ(firmware_for(mbr), std::nullopt);
  EXPECT_EQ(firmware_for(""), std::nullopt);
}

TEST(DiskFile, ReadsASectorFromADump) {
  std::string dump;
  for (int line = 0; line < 32; ++line)
    dump += fmt::format("{:08x}:  55 aa 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d  U...............\n", line * 16);
  const auto sector = sector_in(dump + "read 512/512 bytes at offset 0\n512 bytes, 1 ops; 00.00 sec\n");
  ASSERT_TRUE(sector);
  EXPECT_EQ(sector->substr(0, 4), std::string("\x55\xaa\0\1", 4));
  EXPECT_EQ(sector_in(dump.substr(0, 1000)), std::nullopt);
  EXPECT_EQ(sector_in(dump + dump), std::nullopt);
  EXPECT_EQ(sector_in("00000000:  zz"), std::nullopt);
}

TEST(Import, TakesFromVirtV2vWhatItDecided) {
  const auto xml = [](const char* first, const char* second) {
    return fmt::format(
        "<domain type='kvm'><name>s</name><devices>"
        "<disk type='file' device='disk'><source file='/o/s-sda'/><target dev='vda' bus='{}'/></disk>"
        "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/></disk>"
        "<disk type='file' device='disk'><source file='/o/s-sdb'/><target dev='vdb' bus='{}'/></disk>"
        "<interface type='network'><model type='virtio'/></interface></devices></domain>",
        first, second);
  };
  EXPECT_EQ(converted_in(xml("virtio", "virtio"), "s").value(),
            (Converted{{"/o/s-sda", "/o/s-sdb"}, "virtio", "virtio"}));
  EXPECT_EQ(converted_in(xml("virtio", "ide"), "s")->disk_bus, "ide");
  EXPECT_EQ(converted_in(xml("ide", "virtio"), "s")->disk_bus, "ide");
  EXPECT_FALSE(converted_in("<domain><devices/></domain>", "s"));
  EXPECT_FALSE(converted_in("<pool/>", "s"));
  EXPECT_THAT(converted_in("<domain><devices><disk/></devices></domain>", "s").error().message, HasSubstr("no file"));
}

}  // namespace
}  // namespace patchlab::runners::intake

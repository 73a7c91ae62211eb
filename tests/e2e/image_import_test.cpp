// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Exports of machines, made here by qemu-img in every format, imported into a libvirt of the test's own: that of QEMU,
// embedded, below a folder. No machine is started.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/libvirt/clone_xml.hpp"
#include "lab/process/child.hpp"
#include "program.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/ovf_packages.hpp"
#include "tests/support/programs.hpp"

namespace patchlab::e2e {
namespace {

using patchlab::testing::OvfBuilder;
using patchlab::testing::tar_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

constexpr std::size_t disk_bytes = 8U << 20U;

class ImageImport : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* needed : {"qemu-img", "qemu-io", "bwrap", "qemu-system-x86_64", "unshare"}) {
      if (testing::is_missing(needed)) GTEST_SKIP() << needed << " is not installed";
    }
    const auto user = run("unshare", {"--user", "--map-user=1000", "--map-group=1000", "true"}, folder_.path());
    if (!user.succeeded()) GTEST_SKIP() << "no user namespaces here: " << user.errors;
    fs::create_directories(folder_.path() / "libvirt/etc");
    folder_.write("libvirt/etc/qemu.conf", "stdio_handler = \"file\"\nsecurity_driver = \"none\"\nmax_core = 0\n");
    fs::create_directory(storage());
    fs::permissions(folder_.write("no-kvm", ""), fs::perms::none);
    std::mt19937 random(20261130);
    std::string disk(disk_bytes, '\0');
    for (std::size_t i = 0; i < disk_bytes / 3; ++i) disk[i] = static_cast<char>(random());
    disk.replace(446, 64, std::string(64, '\0'));
    disk.replace(510, 2, "\x55\xaa");
    folder_.write("disk.raw", disk);
  }
  // As a user: an embedded libvirt of root wants the users of a system libvirt. Without KVM: where that does not work,
  // libvirt asks QEMU again at each turn, for seconds.
  [[nodiscard]] ProcessSpec program(const std::vector<std::string>& arguments) const {
    ProcessSpec spec;
    spec.program = "unshare";
    spec.arguments = {"--user",
                      "--map-root-user",
                      "--mount",
                      "sh",
                      "-c",
                      "[ ! -e /dev/kvm ] || mount --bind no-kvm /dev/kvm; "
                      "exec unshare --user --map-user=1000 --map-group=1000 \"$@\"",
                      "sh",
                      PATCHLAB_PROGRAM};
    spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
    spec.extra_environment = {{"PATCHLAB_CACHE", (folder_.path() / "cache").string()}};
    spec.working_folder = folder_.path();
    spec.time_limit = std::chrono::minutes(2);
    return spec;
  }
  static ProcessOutcome run(const std::string& name, const std::vector<std::string>& arguments,
                            const fs::path& folder) {
    ProcessSpec spec;
    spec.program = name;
    spec.arguments = arguments;
    spec.working_folder = folder;
    return host_processes().run(spec);
  }
  void qemu_img(const std::vector<std::string>& arguments) const {
    const auto outcome = run("qemu-img", arguments, folder_.path());
    ASSERT_TRUE(outcome.succeeded()) << outcome.errors;
  }
  // disk.raw as that format.
  void make(const std::string& format, const std::string& name, const std::string& options = {}) const {
    std::vector<std::string> words{"convert", "-f", "raw", "-O", format};
    if (!options.empty()) words.insert(words.end(), {"-o", options});
    words.insert(words.end(), {"disk.raw", name});
    qemu_img(words);
  }
  [[nodiscard]] fs::path storage() const { return folder_.path() / "images"; }
  [[nodiscard]] std::string uri() const { return "qemu:///embed?root=" + (folder_.path() / "libvirt").string(); }
  [[nodiscard]] std::vector<std::string> words(const std::string& file,
                                               const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"image", "import", file, "--connect", uri(), "--storage", storage().string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] ProcessOutcome import_file(const std::string& file, const std::vector<std::string>& more = {}) const {
    return host_processes().run(program(words(file, more)));
  }
  // What libvirt keeps of a domain; empty: there is none.
  [[nodiscard]] std::string domain(const std::string& name) const {
    const auto text = read_file(folder_.path() / "libvirt/etc/qemu" / (name + ".xml")).value_or("");
    const auto begin = text.find("<domain");
    return begin == std::string::npos ? std::string() : text.substr(begin);
  }
  [[nodiscard]] std::vector<std::string> stored() const {
    std::vector<std::string> names;
    for (const auto& entry : entries_of(storage()).value_or({})) names.push_back(entry.filename());
    return names;
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    return read_file(folder_.path() / name).value_or("");
  }
  void expect_same(const fs::path& made) const {
    const auto outcome =
        run("qemu-img", {"compare", "-f", "raw", "-F", "qcow2", "disk.raw", made.string()}, folder_.path());
    EXPECT_TRUE(outcome.succeeded()) << made << ": " << outcome.output << outcome.errors;
  }
  // Refused, and nothing of it is there.
  void expect_refused(const std::string& file, const std::string& words, int code = 65,
                      const std::vector<std::string>& more = {}) const {
    const auto outcome = import_file(file, more);
    EXPECT_EQ(exit_code(outcome), code) << file << ": " << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr(words)) << file;
    EXPECT_THAT(stored(), IsEmpty()) << file;
    EXPECT_EQ(domain(fs::path(file).stem()), "") << file;
  }

  TemporaryFolder folder_;
};

TEST_F(ImageImport, MakesADomainOfADiskInEachFormat) {
  make("vhdx", "a.vhdx");
  make("vmdk", "sparse.vmdk");
  make("vmdk", "stream.vmdk", "subformat=streamOptimized");
  make("qcow2", "b.qcow2");
  const auto schema =
      Json::parse(read_file(fs::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/image-import.schema.json").value_or("{}"));
  std::vector<std::string> disks;
  for (const auto& [file, format] : {std::pair{"a.vhdx", "vhdx"},
                                     {"sparse.vmdk", "vmdk"},
                                     {"stream.vmdk", "vmdk"},
                                     {"b.qcow2", "qcow2"},
                                     {"disk.raw", "raw"}}) {
    const auto before = content(file);
    const auto name = fs::path(file).stem().string();
    const auto outcome = import_file(file, {"--json"});
    ASSERT_EQ(exit_code(outcome), 0) << file << ": " << outcome.errors;
    const auto json = Json::parse(outcome.output);
    EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty());
    EXPECT_EQ(json.at("sha256"), sha256(before)) << file;
    EXPECT_EQ(json.at("defined"), true);
    EXPECT_EQ(json.at("firmware"), "bios") << file;
    EXPECT_EQ(json.at("disks").at(0).at("format"), format);
    EXPECT_EQ(json.at("disks").at(0).at("bytes"), disk_bytes) << file;
    EXPECT_EQ(json.at("network"), Json());
    expect_same(storage() / (name + ".qcow2"));
    EXPECT_THAT(domain(name), HasSubstr(sha256(before))) << "what it was made of";
    EXPECT_EQ(content(file), before) << "what was imported stays as it is";
    disks.push_back(name + ".qcow2");
  }
  std::ranges::sort(disks);
  EXPECT_EQ(stored(), disks) << "nothing but the disks";
}

TEST_F(ImageImport, MakesADomainThatAWindowsWithoutDriversBootsAndThatTheLabCanClone) {
  const auto outcome = import_file("disk.raw", {"--name", "srv2019", "--memory", "2048", "--cpus", "3"});
  ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("srv2019: defined, shut off, never started"),
                                    HasSubstr("no cable is plugged in"), HasSubstr("no virtio drivers")));
  const auto xml = domain("srv2019");
  EXPECT_THAT(xml, AllOf(HasSubstr("<target dev='sda' bus='sata'/>"), HasSubstr("<model type='e1000e'/>"),
                         HasSubstr("<link state='down'/>"), HasSubstr("<vcpu placement='static'>3</vcpu>"),
                         HasSubstr("<memory unit='KiB'>2097152</memory>"), Not(HasSubstr("bus='virtio'"))));
  const auto plan = lab::libvirt::plan_clone(xml, {"20261130-0800-ab12", "finance", "dns", "/lab/x"});
  ASSERT_FALSE(plan) << "no clone could be asked anything";
  EXPECT_THAT(plan.error().message, HasSubstr("no cable"));
  auto plugged = xml;
  plugged.replace(plugged.find("<link state='down'/>"), 20, "<link state='up'/>");
  const auto clone = lab::libvirt::plan_clone(plugged, {"20261130-0800-ab12", "finance", "dns", "/lab/x"});
  ASSERT_TRUE(clone) << clone.error().message;
  EXPECT_EQ(clone->memory_kib, 2097152U);
  // Firmware that libvirt chooses.
  const auto efi = import_file("disk.raw", {"--name", "efi", "--firmware", "uefi"});
  ASSERT_EQ(exit_code(efi), 0) << efi.errors;
  EXPECT_THAT(domain("efi"), HasSubstr("firmware='efi'"));
}

TEST_F(ImageImport, TakesAPackageApartAsItsDescriptorSays) {
  make("vmdk", "stream.vmdk", "subformat=streamOptimized");
  qemu_img({"create", "-q", "-f", "vmdk", "data.vmdk", "4M"});
  OvfBuilder ovf;
  ovf.disks = {{"x-disk2.vmdk", "3", "1"}, {"x-disk1.vmdk", "3", "0"}};
  const auto first = content("stream.vmdk");
  const auto second = content("data.vmdk");
  const auto manifest = fmt::format("SHA256(x.ovf)= {}\nSHA256(x-disk1.vmdk)= {}\nSHA256(x-disk2.vmdk)= {}\n",
                                    sha256(ovf.text()), sha256(first), sha256(second));
  const auto package = [&](const std::string& digests) {
    return tar_of({{"x.ovf", ovf.text()},
                   {"x.mf", digests},
                   {"x.cert", "?"},
                   {"x-disk2.vmdk", second},
                   {"x-disk1.vmdk", first},
                   {"x.nvram", "n"}});
  };
  folder_.write("srv.ova", package(manifest));
  const auto looked = import_file("srv.ova", {"--dry-run"});
  ASSERT_EQ(exit_code(looked), 0) << looked.errors;
  EXPECT_THAT(looked.output, AllOf(HasSubstr("would be defined"), HasSubstr("neither its disks nor its manifest")));
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_EQ(domain("srv"), "");
  const auto outcome = import_file("srv.ova");
  ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("manifest: verified"), HasSubstr("8192 MiB of memory (its descriptor), 4 processors"),
                    HasSubstr("uefi (its descriptor)"), HasSubstr("was not verified: nobody here knows whose"),
                    HasSubstr("not taken over: the file 'x.nvram'")));
  EXPECT_THAT(stored(), ElementsAre("srv-2.qcow2", "srv.qcow2"));
  expect_same(storage() / "srv.qcow2");
  const auto xml = domain("srv");
  EXPECT_LT(xml.find("images/srv.qcow2"), xml.find("images/srv-2.qcow2"));
  EXPECT_THAT(xml, AllOf(HasSubstr(sha256(content("srv.ova"))), HasSubstr(sha256(first)), HasSubstr(sha256(second))));
  fs::remove_all(storage());
  fs::create_directory(storage());

  folder_.write("changed.ova", package(fmt::format("SHA256(x.ovf)= {}\nSHA256(x-disk1.vmdk)= {}\n"
                                                   "SHA256(x-disk2.vmdk)= {}\n",
                                                   sha256(ovf.text()), sha256(first), std::string(64, '0'))));
  expect_refused("changed.ova", "'x-disk2.vmdk' is not what 'x.mf' says");
  folder_.write("silent.ova", package("SHA256(x.ovf)= " + sha256(ovf.text()) + "\n"));
  expect_refused("silent.ova", "'x.mf' says nothing of 'x-disk1.vmdk'");
  folder_.write("missing.ova", tar_of({{"x.ovf", ovf.text()}, {"x-disk1.vmdk", first}}));
  expect_refused("missing.ova", "names the disk 'x-disk2.vmdk', which is not in the package");
  folder_.write("out.ova", tar_of({{"x.ovf", ovf.text()}, {"../out.vmdk", first}}));
  expect_refused("out.ova", "which is no plain name of a file");
  EXPECT_FALSE(is_there(folder_.path() / "out.vmdk"));
  folder_.write("cut.ova", package(manifest).substr(0, 100000));
  expect_refused("cut.ova", "is no whole tar archive");
}

// Each of them would have made qemu-img read a file of the host.
TEST_F(ImageImport, RefusesDisksThatNameOtherFiles) {
  folder_.write("secret", std::string(1U << 20U, 's'));
  const auto secret = (folder_.path() / "secret").string();
  qemu_img({"create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", "backed.qcow2"});
  expect_refused("backed.qcow2", "stands on another file");
  make("vmdk", "below.vmdk");
  qemu_img({"create", "-q", "-f", "vmdk", "-b", "below.vmdk", "-F", "vmdk", "delta.vmdk"});
  expect_refused("delta.vmdk", "stands on another file");
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=outside.raw,data_file_raw=on", "data.qcow2", "1M"});
  expect_refused("data.qcow2", "keeps its data in another file");
  make("vmdk", "flat.vmdk", "subformat=monolithicFlat");
  expect_refused("flat.vmdk", "is a text that names other files");
  // A header that is one, and behind it a descriptor that names any file.
  make("vmdk", "named.vmdk");
  auto named = content("named.vmdk");
  named.replace(12, 8, std::string(8, '\0'));  // no capacity: QEMU reads the descriptor
  const auto descriptor =
      "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n"
      "RW 16 FLAT \"" +
      secret + "\" 0\n";
  named.replace(512, descriptor.size() + 1, descriptor + std::string(1, '\0'));
  folder_.write("named.vmdk", named);
  const auto bare = run("qemu-img", {"info", "-f", "vmdk", "named.vmdk"}, folder_.path());
  ASSERT_THAT(bare.output, HasSubstr(secret)) << "the planted file names no other any more: " << bare.errors;
  expect_refused("named.vmdk", "cannot be read as vmdk");
}

TEST_F(ImageImport, RefusesDisksThatAreNotWhole) {
  make("vhdx", "cut.vhdx");
  make("vmdk", "cut.vmdk");
  make("qcow2", "cut.qcow2");
  for (const char* name : {"cut.vhdx", "cut.vmdk", "cut.qcow2"}) {
    const auto whole = content(name);
    folder_.write(name, whole.substr(0, whole.size() - 500000));
  }
  expect_refused("cut.vhdx", "cannot be read as vhdx");
  expect_refused("cut.vmdk", "is damaged or was cut off");
  expect_refused("cut.qcow2", "is damaged or was cut off");
  folder_.write("empty.raw", "");
  expect_refused("empty.raw", "is empty");
  folder_.write("page.vhdx", "<!DOCTYPE html>");
  expect_refused("page.vhdx", "does not begin as a vhdx does");
  qemu_img({"create", "-q", "-f", "raw", "blank.raw", "1M"});
  expect_refused("blank.raw", "say --firmware bios");
  folder_.write("older.vhd", "conectix");
  expect_refused("older.vhd", "make it a .vhdx there with Convert-VHD");
}

TEST_F(ImageImport, TouchesNothingThatIsThereAlready) {
  folder_.write("images/srv.qcow2", "somebody's disk");
  const auto file = import_file("disk.raw", {"--name", "srv"});
  EXPECT_EQ(exit_code(file), 65);
  EXPECT_THAT(file.errors, AllOf(HasSubstr("srv.qcow2' already"), HasSubstr("give another --name")));
  EXPECT_EQ(content("images/srv.qcow2"), "somebody's disk");
  EXPECT_EQ(domain("srv"), "");
  fs::remove(storage() / "srv.qcow2");
  ASSERT_EQ(exit_code(import_file("disk.raw", {"--name", "srv"})), 0);
  const auto before = domain("srv");
  fs::rename(storage() / "srv.qcow2", folder_.path() / "moved.qcow2");
  const auto taken = import_file("disk.raw", {"--name", "srv", "--cpus", "1"});
  EXPECT_EQ(exit_code(taken), 65);
  EXPECT_THAT(taken.errors, HasSubstr("there is a domain 'srv' already"));
  EXPECT_EQ(domain("srv"), before);
  EXPECT_THAT(stored(), IsEmpty());
  expect_refused("disk.raw", "give it by --name", 64, {"--name", "../etc/x"});
  const auto nowhere =
      host_processes().run(program({"image", "import", "disk.raw", "--connect", uri(), "--storage", "nowhere"}));
  EXPECT_EQ(exit_code(nowhere), 65);
  EXPECT_THAT(nowhere.errors, HasSubstr("there is no folder"));
}

// Killed when nobody expects it: no disk is there, or a whole one, and the next import takes away what lay aside.
TEST_F(ImageImport, KilledAtAnyMomentLeavesNothingHalfWritten) {
  make("vhdx", "srv.vhdx");
  std::mt19937 random(std::random_device{}());
  constexpr int moments = 5;
  int killed = 0;
  for (int i = 0; i < moments; ++i) {
    const auto before = stored();
    auto child = ChildProcess::start(program(words("srv.vhdx")));
    ASSERT_TRUE(child);
    // From when it begins to write: before, it waits for libvirt.
    auto ended = child->wait(Milliseconds(1));
    while (std::holds_alternative<TimedOut>(ended.end) && stored() == before) ended = child->wait(Milliseconds(1));
    // The first one at once, however quick the host is.
    if (i > 0 && std::holds_alternative<TimedOut>(ended.end))
      ended = child->wait(Milliseconds(static_cast<int>(random() % 300)));
    if (std::holds_alternative<TimedOut>(ended.end)) {
      ++killed;
      ::kill(child->pid(), SIGKILL);
      static_cast<void>(child->wait(std::chrono::seconds(30)));
    }
    const auto disk = storage() / "srv.qcow2";
    if (is_there(disk)) expect_same(disk);
    if (!domain("srv").empty()) {
      EXPECT_TRUE(is_there(disk)) << "a domain without its disk";
      break;  // it had come to its end
    }
    std::error_code ignored;
    fs::remove(disk, ignored);
  }
  EXPECT_GT(killed, 0);
  ASSERT_EQ(exit_code(import_file("disk.raw", {"--name", "last"})), 0);
  for (const auto& name : stored()) EXPECT_THAT(name, Not(HasSubstr("patchlab-import")));
}

TEST_F(ImageImport, LeavesNothingOnAFullDisk) {
  make("qcow2", "srv.qcow2");
  // A file system of 2 MiB, in a namespace of its own.
  auto spec = program(words("srv.qcow2"));
  const std::vector<std::string> small{
      ::geteuid() == 0 ? "--mount" : "--map-root-user",
      "--mount",
      "sh",
      "-c",
      "mount -t tmpfs -o size=2m none images && \"$0\" \"$@\"; code=$?; ls -A images; exit $code",
      spec.program};
  spec.arguments.insert(spec.arguments.begin(), small.begin(), small.end());
  const auto outcome = host_processes().run(spec);
  if (outcome.errors.find("unshare: ") == 0 || outcome.errors.find("mount: ") == 0) GTEST_SKIP() << outcome.errors;
  EXPECT_EQ(exit_code(outcome), 2) << outcome.output << outcome.errors;
  EXPECT_THAT(outcome.errors, AllOf(HasSubstr("MiB in '"), HasSubstr("name another folder by --storage")));
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(domain("srv"), "");
}

// The real one needs a machine of its own to look into the guest; what is asked of it, and what its answer does, are
// seen.
TEST_F(ImageImport, TakesVirtioOnlyWhereVirtV2vPutTheDriversIn) {
  const auto bin = folder_.path() / "bin";
  fs::create_directory(bin);
  const std::string path = bin.string() + ":" + std::getenv("PATH");
  const auto with_v2v = [&](const std::string& bus) {
    // -i libvirtxml FILE -o local -os FOLDER -of qcow2 -on NAME
    folder_.write("bin/virt-v2v",
                  "#!/bin/sh\n[ \"$1\" = --version ] && { echo virt-v2v 2.2.0; exit 0; }\n"
                  "source=$(sed -n \"s/.*<source file='\\(.*\\)'.*/\\1/p\" \"$3\")\ncp \"$source\" \"$7/${11}-sda\"\n"
                  "cat >\"$7/${11}.xml\" <<X\n<domain type='kvm'><devices><disk type='file' device='disk'>"
                  "<source file='$7/${11}-sda'/><target dev='vda' bus='" +
                      bus +
                      "'/></disk>"
                      "<interface type='network'><model type='virtio'/></interface></devices></domain>\nX\n");
    fs::permissions(bin / "virt-v2v", fs::perms::owner_all);
    auto spec = program(words("disk.raw", {"--virtio", "--name", "v"}));
    spec.extra_environment["PATH"] = path;
    return host_processes().run(spec);
  };
  if (testing::is_missing("virt-v2v")) {
    expect_refused("disk.raw", "--virtio needs virt-v2v", 65, {"--virtio"});
  }
  const auto none = with_v2v("ide");
  EXPECT_EQ(exit_code(none), 65) << none.output;
  EXPECT_THAT(none.errors, HasSubstr("virt-v2v found no virtio drivers for this guest"));
  EXPECT_THAT(stored(), IsEmpty());
  const auto outcome = with_v2v("virtio");
  ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
  EXPECT_THAT(domain("v"), AllOf(HasSubstr("<target dev='vda' bus='virtio'/>"), HasSubstr("<model type='virtio'/>")));
  EXPECT_THAT(stored(), ElementsAre("v.qcow2"));
  expect_same(storage() / "v.qcow2");
}

}  // namespace
}  // namespace patchlab::e2e

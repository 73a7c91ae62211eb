// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// A cell on a shared libvirt, over libvirt's own test driver: it keeps domains and networks as a real one does, and has
// no files or guests. tests/integration/libvirt/system_libvirt_test.cpp does the same with both.
#include "lab/libvirt/system_lab.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/libvirt/error.hpp"
#include "lab/libvirt/network_xml.hpp"
#include "lab/libvirt/session.hpp"

namespace patchlab::lab::libvirt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

constexpr const char* uri = "test:///default";

// Makes the files that it is asked for, and keeps what it was asked.
class FakePrograms : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    asked.push_back(spec.arguments);
    if (fails) return {Exited{1}, {}, "no space", {}};
    if (spec.arguments.front() == "create") static_cast<void>(write_file_atomically(spec.arguments.back(), "overlay"));
    if (spec.arguments.front() == "info")
      return {Exited{0}, R"([{"filename": ")" + spec.arguments.back() + R"("}])", {}, {}};
    return {Exited{0}, {}, {}, {}};
  }
  std::vector<std::vector<std::string>> asked;
  bool fails = false;
};

class SystemLabTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-system-XXXXXX";
    folder_ = ::mkdtemp(name);
    storage_ = folder_ / "storage";
    auto session = Session::open(uri);
    ASSERT_TRUE(session);
    session_ = *session;
    ASSERT_TRUE(write_file_atomically(folder_ / "golden.qcow2", "golden"));
    define_golden("golden", "");
  }
  void TearDown() override {
    for (const char* name : {"golden", "bystander"}) undefine(name);
    fs::remove_all(folder_);
  }

  void define_golden(const std::string& name, const std::string& more) {
    const auto xml =
        "<domain type='test'><name>" + name + "</name>" + more +
        "<memory>65536</memory><os><type arch='i686'>hvm</type></os><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='" +
        (folder_ / "golden.qcow2").string() +
        "'/><target dev='vda' bus='virtio'/></disk>"
        "<disk type='file' device='cdrom'><target dev='sda' bus='scsi'/></disk>"
        "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>";
    const Domain domain(virDomainDefineXML(session_->connection(), xml.c_str()));
    ASSERT_TRUE(domain) << last_error("defining").message;
  }
  void undefine(const std::string& name) {
    const Domain domain(virDomainLookupByName(session_->connection(), name.c_str()));
    if (!domain) return;
    virDomainDestroy(domain.get());
    virDomainUndefine(domain.get());
  }
  bool has_domain(const std::string& name) {
    return Domain(virDomainLookupByName(session_->connection(), name.c_str())) != nullptr;
  }
  bool has_network(const std::string& name) {
    return Network(virNetworkLookupByName(session_->connection(), name.c_str())) != nullptr;
  }

  std::unique_ptr<SystemLab> open(const std::string& cell = "finance") {
    auto lab = SystemLab::open({uri, "r1", cell, storage_}, programs_);
    EXPECT_TRUE(lab) << (lab ? "" : lab.error().message);
    return lab ? std::move(*lab) : nullptr;
  }
  std::vector<std::string> names() {
    std::vector<std::string> found;
    const auto objects = find_lab_objects(*session_, storage_);
    EXPECT_TRUE(objects);
    for (const auto& object : *objects)
      found.push_back(std::string(to_string(object.kind)) + " " + object.name() + (object.in_use ? " in use" : ""));
    return found;
  }

  fs::path folder_;
  fs::path storage_;
  std::shared_ptr<Session> session_;
  FakePrograms programs_;
};

TEST_F(SystemLabTest, ACloneLivesOnTheCellsNetworkAndGoesWithTheCell) {
  {
    const auto lab = open();
    ASSERT_NE(lab, nullptr);
    const auto plan = lab->clone("golden", "dns");
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_TRUE(has_domain("patchlab-r1-finance-dns"));
    ASSERT_EQ(programs_.asked.size(), 2U);
    EXPECT_EQ(programs_.asked[0].front(), "info");
    EXPECT_THAT(programs_.asked[1],
                ElementsAre("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", (folder_ / "golden.qcow2").string(),
                            (storage_ / "patchlab-r1-finance" / "dns-vda.qcow2").string()));
    EXPECT_EQ(*lab->hypervisor().state("dns"), MachineState::off);
    ASSERT_TRUE(lab->hypervisor().start("dns"));
    EXPECT_EQ(*lab->hypervisor().state("dns"), MachineState::running);
    const Network network(virNetworkLookupByName(session_->connection(), "patchlab-r1-finance"));
    ASSERT_TRUE(network);
    EXPECT_EQ(virNetworkIsActive(network.get()), 1);
    EXPECT_EQ(std::string(Text(virNetworkGetBridgeName(network.get())).get()), lab->bridge());
    EXPECT_THAT(names(), ElementsAre("domain patchlab-r1-finance-dns in use", "network patchlab-r1-finance in use",
                                     "folder " + (storage_ / "patchlab-r1-finance").string() + " in use"));
  }
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_FALSE(has_domain("patchlab-r1-finance-dns"));
  EXPECT_FALSE(has_network("patchlab-r1-finance"));
  EXPECT_TRUE(fs::is_empty(storage_));
  EXPECT_TRUE(has_domain("golden"));
  EXPECT_EQ(*read_file(folder_ / "golden.qcow2"), "golden");
}

TEST_F(SystemLabTest, RemovesItsOwnCellOnly) {
  const auto finance = open("finance");
  const auto engineering = open("engineering");
  ASSERT_TRUE(finance->clone("golden", "dns"));
  ASSERT_TRUE(engineering->clone("golden", "dns"));
  EXPECT_TRUE(finance->remove());
  EXPECT_THAT(names(),
              ElementsAre("domain patchlab-r1-engineering-dns in use", "network patchlab-r1-engineering in use",
                          "folder " + (storage_ / "patchlab-r1-engineering").string() + " in use"));
}

// As libvirt does it to files below a clone, and does not undo it.
TEST_F(SystemLabTest, GivesFilesOfTheGoldenDomainBackToTheirOwners) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const auto disk = folder_ / "golden.qcow2";
  ASSERT_EQ(::chown(disk.c_str(), 1234, 1235), 0);
  {
    const auto lab = open();
    ASSERT_TRUE(lab->clone("golden", "dns"));
    ASSERT_EQ(::chown(disk.c_str(), 64055, 64055), 0);
  }
  struct stat status {};
  ASSERT_EQ(::stat(disk.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1234U);
  EXPECT_EQ(status.st_gid, 1235U);
}

TEST_F(SystemLabTest, LeavesFoldersOfOtherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const auto lab = open();
  const auto ours = storage_ / "patchlab-r1-finance";
  ASSERT_EQ(::chown(ours.c_str(), 1234, 1235), 0);
  EXPECT_THAT(names(), ElementsAre("network patchlab-r1-finance in use"));
  EXPECT_TRUE(lab->remove());
  EXPECT_TRUE(fs::exists(ours));
}

TEST_F(SystemLabTest, TheSameCellCannotBeOpenTwice) {
  const auto first = open();
  const auto second = SystemLab::open({uri, "r1", "finance", storage_}, programs_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("it is there already"));
  EXPECT_THAT(names(), ElementsAre("network patchlab-r1-finance in use",
                                   "folder " + (storage_ / "patchlab-r1-finance").string() + " in use"));
}

TEST_F(SystemLabTest, AGoldenDomainMustBeShutOff) {
  const auto lab = open();
  const auto running = lab->clone("test", "dns");
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().message,
            "golden domain 'test' cannot be cloned: it is not shut off, and its disks change under any overlay");
  EXPECT_EQ(running.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(programs_.asked, IsEmpty());
}

TEST_F(SystemLabTest, AGoldenDomainMustHaveNoSavedMemory) {
  {
    const Domain domain(virDomainLookupByName(session_->connection(), "golden"));
    ASSERT_EQ(virDomainCreate(domain.get()), 0);
    ASSERT_EQ(virDomainManagedSave(domain.get(), 0), 0) << last_error("saving").message;
  }
  const auto saved = open()->clone("golden", "dns");
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message, HasSubstr("it has a saved memory state"));
  const Domain domain(virDomainLookupByName(session_->connection(), "golden"));
  virDomainManagedSaveRemove(domain.get(), 0);
}

TEST_F(SystemLabTest, AnUnknownGoldenDomainIsTheScenariosMistake) {
  const auto unknown = open()->clone("nobody", "dns");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(unknown.error().message, HasSubstr("looking for golden domain 'nobody': libvirt: "));
}

TEST_F(SystemLabTest, ACloneThatFailsGoesWithTheCell) {
  {
    const auto lab = open();
    programs_.fails = true;
    const auto failed = lab->clone("golden", "dns");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("no space"));
    EXPECT_FALSE(has_domain("patchlab-r1-finance-dns"));
  }
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(storage_));
}

TEST_F(SystemLabTest, IdentityFollowsContentsAndXmlOnly) {
  const auto lab = open();
  const auto before = lab->identity_of("golden");
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->files.size(), 1U);
  EXPECT_EQ(before->files[0].path, folder_ / "golden.qcow2");
  fs::last_write_time(folder_ / "golden.qcow2", fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(lab->identity_of("golden")->digest, before->digest);
  ASSERT_TRUE(write_file_atomically(folder_ / "golden.qcow2", "changed"));
  EXPECT_NE(lab->identity_of("golden")->digest, before->digest);
  ASSERT_TRUE(write_file_atomically(folder_ / "golden.qcow2", "golden"));
  EXPECT_EQ(lab->identity_of("golden")->digest, before->digest);
  undefine("golden");
  define_golden("golden", "<genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>");
  EXPECT_NE(lab->identity_of("golden")->digest, before->digest);
}

// As after a crash: the objects are there, and nobody holds the lock.
TEST_F(SystemLabTest, WhatACrashLeavesIsFoundAndRemoved) {
  auto lab = open();
  ASSERT_TRUE(lab->clone("golden", "dns"));
  ASSERT_TRUE(lab->hypervisor().start("dns"));
  const auto in_use = find_lab_objects(*session_, storage_);
  ASSERT_TRUE(in_use);
  EXPECT_TRUE(remove_lab_objects(*session_, *in_use));
  EXPECT_EQ(names().size(), 3U) << "what is in use stays";
  // A stranger takes the lock file away, so that the lock that our process holds is on nothing.
  fs::remove(storage_ / "patchlab-r1-finance" / "in-use");
  const auto objects = find_lab_objects(*session_, storage_);
  ASSERT_TRUE(objects);
  ASSERT_EQ(objects->size(), 3U);
  EXPECT_TRUE(std::ranges::none_of(*objects, &LabObject::in_use));
  EXPECT_TRUE(remove_lab_objects(*session_, *objects));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(storage_));
  EXPECT_TRUE(has_domain("golden"));
  EXPECT_TRUE(has_domain("test"));
  EXPECT_TRUE(has_network("default"));
}

TEST_F(SystemLabTest, NeverTouchesWhatOnlyLooksLikeOurs) {
  // A name like ours without metadata; our metadata under another name, as after 'virt-clone' or 'virsh domrename'.
  define_golden("patchlab-r1-finance-dns", "");
  define_golden("bystander",
                "<metadata><patchlab:lab xmlns:patchlab='urn:patchlab:lab:1' run='r1' cell='finance' machine='dns' "
                "folder='/lab/x'/></metadata>");
  // A folder of somebody else, one that is a copy of ours, and a link.
  fs::create_directories(storage_ / "patchlab-r2-finance");
  fs::create_directories(storage_ / "patchlab-r3-finance");
  ASSERT_TRUE(write_file_atomically(storage_ / "patchlab-r3-finance" / "patchlab-cell.json",
                                    R"({"run": "r3", "cell": "finance", "folder": "/elsewhere/patchlab-r3-finance"})"));
  fs::create_directories(storage_ / "patchlab-r4-finance");
  ASSERT_TRUE(
      write_file_atomically(storage_ / "patchlab-r4-finance" / "patchlab-cell.json", R"({"run": 4, "cell": []})"));
  EXPECT_THAT(names(), IsEmpty());
  // Not even when they are asked for by a list that has become wrong meanwhile.
  const Mark mark{"r1", "finance", "dns", "/lab/x"};
  EXPECT_TRUE(remove_lab_objects(
      *session_, {{LabObject::Kind::domain, mark, false},
                  {LabObject::Kind::folder, {"r3", "finance", "", storage_ / "patchlab-r3-finance"}, false}}));
  EXPECT_TRUE(has_domain("patchlab-r1-finance-dns"));
  EXPECT_TRUE(has_domain("bystander"));
  EXPECT_TRUE(fs::exists(storage_ / "patchlab-r3-finance"));
  undefine("patchlab-r1-finance-dns");
}

TEST(SystemLabPlace, OtherHostsAreRefusedWithTheReason) {
  FakePrograms programs;
  for (const char* remote : {"qemu+ssh://root@hv1.example/system", "qemu://hv1/system", "qemu+tls://hv1/system"}) {
    const auto lab = SystemLab::open({remote, "r1", "finance", "/lab"}, programs);
    ASSERT_FALSE(lab);
    EXPECT_EQ(lab.error().message,
              std::string("libvirt '") + remote + "' is on another host, whose disk files cannot be reached from here");
    EXPECT_EQ(lab.error().hint, "run patchlab on that host, with the URI 'qemu:///system'");
  }
  for (const char* local :
       {"qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/run/x", "test:///default"})
    EXPECT_TRUE(check_is_local(local)) << local;
}

TEST(GoldenDomainFiles, AreThoseOfTheChain) {
  const auto files = files_of_chain(R"([{"filename": "/a/top.qcow2"}, {"filename": "/a/base.raw"}])");
  ASSERT_TRUE(files);
  EXPECT_THAT(*files, ElementsAre("/a/top.qcow2", "/a/base.raw"));
  EXPECT_FALSE(files_of_chain(R"([{"filename": "/a/top.qcow2"}, {"filename": "nbd://x"}])"));
  EXPECT_FALSE(files_of_chain(R"([{"filename": "/a/top.qcow2"}, {"filename": "json:{}"}])"));
  for (const char* nothing : {"[]", "{}", "[1]", "x"}) EXPECT_FALSE(files_of_chain(nothing)) << nothing;
}

}  // namespace
}  // namespace patchlab::lab::libvirt

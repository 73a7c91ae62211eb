// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Golden domains as a plan sees them, over libvirt's test driver: each connection has the domains of a file.
#include "runners/engine/golden.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "lab/core/files.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

namespace fs = std::filesystem;

// `qemu-img info`, of disks that stand on nothing.
class FakePrograms : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    return {Exited{0}, R"([{"filename": ")" + spec.arguments.back() + R"("}])", {}, {}};
  }
};

class GoldenDomains : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-golden-XXXXXX";
    folder_ = ::mkdtemp(name);
    scenario_.file = "s.json";
    write("status", "Package: bind9\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:9.18-1\n\n");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(write_file_atomically(folder_ / name, text));
  }

  // Shut off unless it runs; the number is the end of its MAC.
  void domain(const std::string& name, int number, const std::string& more = {}, int state = 5) {
    write(name + ".qcow2", "disk of " + name);
    domains_ += fmt::format(
        "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>{0}</name>"
        "<uuid>11111111-0000-0000-0000-0000000000{5:02}</uuid>"
        "<memory unit='KiB'>262144</memory><os><type>hvm</type>{1}</os><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{2}'/>"
        "<target dev='vda' bus='virtio'/></disk><disk type='file' device='cdrom'><target dev='sda' bus='scsi'/></disk>"
        "<interface type='network'><mac address='52:54:00:00:00:0{3}'/><source network='default'/></interface>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>"
        "<test:runstate>{4}</test:runstate></domain>",
        name, more, (folder_ / (name + ".qcow2")).string(), number, state, ++count_);
    write("host.xml", "<node>" + domains_ + "</node>");
  }
  MachinePlan& machine(const std::string& name, const std::string& golden) {
    if (scenario_.departments.empty()) scenario_.departments.push_back({"finance", {}, {}, "/departments/finance"});
    auto& plan = scenario_.departments[0].machines.emplace_back();
    plan.name = name;
    plan.pointer = "/departments/finance/machines/" + name;
    plan.golden.domain = {uri(), golden, {}, folder_ / "status", {}};
    return plan;
  }
  [[nodiscard]] std::string uri() const { return "test://" + (folder_ / "host.xml").string(); }
  Result<Goldens> provided() {
    Progress silent(Progress::Style::none);
    return provide_goldens(scenario_, programs_, silent, {});
  }

  fs::path folder_;
  std::string domains_;
  int count_ = 0;
  Scenario scenario_;
  FakePrograms programs_;
};

TEST_F(GoldenDomains, AreKnownBeforeAnythingStarts) {
  domain("deb-dns", 1);
  const auto& plan = machine("dns", "deb-dns");
  const auto goldens = provided();
  ASSERT_TRUE(goldens) << goldens.error().message;
  const auto& golden = goldens->at(key_of(plan.golden));
  EXPECT_EQ(golden.name, "deb-dns");
  EXPECT_EQ(golden.digest.size(), 64U);
  EXPECT_EQ(golden.packages, (InstalledSet{{"bind9:amd64", "1:9.18-1"}}));
  EXPECT_EQ(golden.dpkg_status, folder_ / "status");

  const auto job = machine_job(plan, scenario_.departments[0], golden);
  EXPECT_EQ(job.golden_domain, "deb-dns");
  EXPECT_EQ(job.golden_digest, golden.digest);
  EXPECT_EQ(job.plan.memory_mib, 256U);
  EXPECT_THAT(job.macs, ElementsAre("52:54:00:00:00:01"));
  EXPECT_THAT(job.plan.services, IsEmpty());
  EXPECT_TRUE(job.golden_disk.empty());
  const cell::LibvirtPlace place{uri(), {}, "/var/lib/libvirt/images/patchlab"};
  EXPECT_EQ(libvirt_place(scenario_.departments[0]), place);
}

TEST_F(GoldenDomains, AChangedDiskIsNoticedAfterwards) {
  domain("deb-dns", 1);
  const auto& plan = machine("dns", "deb-dns");
  const auto goldens = provided();
  ASSERT_TRUE(goldens) << goldens.error().message;
  const auto& golden = goldens->at(key_of(plan.golden));
  EXPECT_TRUE(verify(golden));
  write("deb-dns.qcow2", "disk of deb-dns, started meanwhile");
  const auto changed = verify(golden);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message,
              StartsWith("golden domain 'deb-dns' has changed: its digest was " + golden.digest));
}

TEST_F(GoldenDomains, BootByUefiTooAndTheirVariablesCount) {
  write("vars.fd", "variables");
  domain(
      "uefi", 1,
      "<loader readonly='yes' type='pflash'>/fw/code.fd</loader><nvram>" + (folder_ / "vars.fd").string() + "</nvram>");
  const auto& plan = machine("dns", "uefi");
  const auto goldens = provided();
  ASSERT_TRUE(goldens) << goldens.error().message;
  const auto& golden = goldens->at(key_of(plan.golden));
  EXPECT_TRUE(verify(golden));
  write("vars.fd", "variables that have changed");
  EXPECT_FALSE(verify(golden));
}

TEST_F(GoldenDomains, WhatIsWrongIsSaidOfAllAtOnce) {
  domain("runs", 1, {}, 1);
  domain("uefi", 2, "<loader readonly='no' type='pflash'>/fw/code.fd</loader>");
  domain("fine", 3);
  machine("a", "runs");
  machine("b", "uefi");
  machine("c", "unknown");
  machine("d", "fine");
  machine("e", "far").golden.domain->uri = "qemu+tls://hv1/system";
  const auto goldens = provided();
  ASSERT_FALSE(goldens);
  EXPECT_EQ(goldens.error().error_class, ErrorClass::configuration);
  std::vector<std::string> lines;
  std::istringstream text(goldens.error().message);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  const std::string place = "s.json: /departments/finance/machines/";
  EXPECT_THAT(
      lines,
      ElementsAre(StartsWith(place + "a/golden: golden domain 'runs' cannot be cloned: it is not shut off"),
                  StartsWith(place + "b/golden: golden domain 'uefi' cannot be cloned: <loader> is firmware that the "
                                     "guest can write"),
                  StartsWith(place + "c/golden: looking for golden domain 'unknown': libvirt: "),
                  StartsWith(place + "e/golden: libvirt 'qemu+tls://hv1/system' is on another host")));
  EXPECT_THAT(goldens.error().hint,
              HasSubstr("'virsh shutdown'; clone it to a domain for the lab, and take that out of "
                        "the clone with 'virsh edit'; 'virsh list --all' shows"));
}

TEST_F(GoldenDomains, OfOneDepartmentMustNotShareAMac) {
  domain("one", 1);
  domain("two", 1);
  machine("a", "one");
  machine("b", "two");
  const auto goldens = provided();
  ASSERT_FALSE(goldens);
  EXPECT_EQ(goldens.error().message,
            "s.json: /departments/finance/machines/b/golden: golden domain 'two' has the MAC 52:54:00:00:00:01 that "
            "'a' has too");
}

TEST_F(GoldenDomains, AStatusFileWithoutPackagesIsNone) {
  domain("deb-dns", 1);
  machine("dns", "deb-dns");
  write("status", "no packages\n");
  const auto goldens = provided();
  ASSERT_FALSE(goldens);
  EXPECT_THAT(goldens.error().message, HasSubstr("lists no installed package"));
}

TEST_F(GoldenDomains, ALibvirtThatCannotBeReachedIsNamedWithTheNextStep) {
  domain("deb-dns", 1);
  machine("dns", "deb-dns").golden.domain->uri = "test:///nowhere/host.xml";
  const auto goldens = provided();
  ASSERT_FALSE(goldens);
  EXPECT_EQ(goldens.error().error_class, ErrorClass::infrastructure);
  EXPECT_THAT(goldens.error().message, HasSubstr("opening libvirt connection 'test:///nowhere/host.xml': libvirt: "));
  EXPECT_THAT(goldens.error().hint, HasSubstr("'virsh -c test:///nowhere/host.xml list --all'"));
}

}  // namespace
}  // namespace patchlab::runners

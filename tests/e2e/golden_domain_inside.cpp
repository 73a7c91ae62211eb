// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Started by golden_domain_test.cpp through with-system-libvirt. Usage: golden_domain_inside FOLDER
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "lab/network/netlink.hpp"
#include "lab/process/child.hpp"
#include "program.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"
#include "tests/support/inside_system_libvirt.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
namespace network = lab::network;
using lab::libvirt::folder;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GoldenDomain : public lab::libvirt::InsideSystemLibvirt {
 protected:
  static void SetUpTestSuite() {
    // The host has an address in production, so that there is something to leak to.
    auto netlink = network::Netlink::open();
    ASSERT_TRUE(netlink);
    ASSERT_TRUE(netlink->add_veth("prod0", "prod1", 0));
    ASSERT_TRUE(netlink->add_address("prod0", *network::Ipv4::parse("192.0.2.99"),
                                     *network::Ipv4Subnet::parse("192.0.2.0/24")));
    ASSERT_TRUE(netlink->set_up("prod0"));
    ASSERT_TRUE(netlink->set_up("prod1"));
  }
  void SetUp() override {
    InsideSystemLibvirt::SetUp();
    if (HasFatalFailure()) return;
    auto scenario = small_scenario();
    fs::copy_file(image_.dpkg_status, work_.path() / "dpkg-status");
    auto& role = scenario["roles"]["dns"];
    role["golden"] = {{"libvirt", lab::libvirt::uri},
                      {"domain", "dns-golden"},
                      {"system", {{"family", "debian"}}},
                      {"dpkg_status", "dpkg-status"},
                      {"storage", (folder / "storage").string()}};
    role["services"] = image_.services;
    role["ready_tcp"] = image_.ready.tcp;
    scenario["trial"] = {{"warm_reboots", 1}, {"stability_s", 3}};
    work_.write("domains.json", scenario.dump());
  }
  // The same with the harmless candidate only, and without reboots.
  [[nodiscard]] Json short_scenario() const {
    auto scenario = read_json_file(work_.path() / "domains.json").value();
    std::erase_if(scenario["candidates"].get_ref<Json::array_t&>(),
                  [](const Json& c) { return c.dump().find("harmless") == std::string::npos; });
    scenario["trial"] = {{"warm_reboots", 0}, {"stability_s", 0}};
    return scenario;
  }

  ChildProcess start() {
    ProcessSpec spec;
    spec.program = PATCHLAB_PROGRAM;
    spec.arguments = {"run", "domains.json", "--runs", "runs"};
    spec.working_folder = work_.path();
    auto child = ChildProcess::start(spec, work_.path() / "errors.txt");
    EXPECT_TRUE(child) << child.error().message;
    return std::move(child).value();
  }
  // Until the newest run says so.
  void await(const std::string& what, const std::function<bool()>& true_now) {
    const Wait wait{.awaited = what,
                    .deadline = std::chrono::seconds(60),
                    .interval = Milliseconds(100),
                    .last_seen = [&] { return read_file(work_.path() / "errors.txt").value_or(""); },
                    .stop = {}};
    const auto waited = wait_until(system_clock_source(), wait, true_now);
    EXPECT_TRUE(waited) << waited.error().message;
  }
  void await_machine(int machines) {
    await("the clone's QEMU", [&] { return qemus() == machines; });
  }
  [[nodiscard]] std::string events() const {
    std::string text;
    std::error_code code;
    for (const auto& run : fs::directory_iterator(work_.path() / "runs", code))
      text += read_file(run.path() / "events.jsonl").value_or("");
    return text;
  }
  // The outer processes of cells: children of a run, with one inner process each.
  static std::vector<pid_t> keepers() {
    std::vector<pid_t> found;
    for (const auto& process : lab_processes()) {
      const pid_t pid = std::stoi(process);
      const auto parent = parent_of(pid);
      const auto of_parent = read_file("/proc/" + std::to_string(parent) + "/cmdline").value_or("");
      if (process.find(" cell ") != std::string::npos && of_parent.find("on-libvirt") == std::string::npos)
        found.push_back(pid);
    }
    return found;
  }
  static pid_t parent_of(pid_t pid) {
    const auto status = read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
    const auto at = status.find("PPid:");
    return at == std::string::npos ? 0 : std::stoi(status.substr(at + 5));
  }
  void expect_no_processes() {
    await("the lab's processes to be gone", [] { return lab_processes().empty(); });
    EXPECT_THAT(lab_processes(), IsEmpty());
  }

  OwnCache cache_;
  TemporaryFolder work_;
};

TEST_F(GoldenDomain, TheMainJobIsDoneOnItsClones) {
  const auto planned = patchlab({"run", "domains.json", "--dry-run"}, work_.path());
  EXPECT_EQ(exit_code(planned), 0) << planned.errors;
  EXPECT_THAT(planned.output, HasSubstr("candidate harmless-hostname: on dns"));
  expect_no_trace();

  const auto outcome = patchlab({"run", "domains.json", "--runs", "runs"}, work_.path(), std::chrono::minutes(7));
  EXPECT_EQ(exit_code(outcome), 1) << outcome.output << outcome.errors;
  fs::path run;
  for (const auto& entry : fs::directory_iterator(work_.path() / "runs")) {
    if (entry.is_directory()) run = entry.path();
  }
  const auto record = reports::read_run_record(run / reports::run_file_name);
  ASSERT_TRUE(record) << record.error().message << outcome.errors;
  EXPECT_TRUE(record->complete);
  const auto& finance = record->departments.at(0);
  EXPECT_EQ(reports::find_verdict(finance, "bad-dns-reboot")->outcome, Outcome::fail);
  EXPECT_EQ(reports::find_verdict(finance, "harmless-hostname")->outcome, Outcome::pass);
  EXPECT_EQ(finance.promotion.outcome, "promoted") << Json(finance.promotion.reasons).dump();
  EXPECT_THAT(finance.promotion.candidates, ElementsAre("harmless-hostname"));

  const auto& machine = finance.machines.at(0);
  EXPECT_EQ(machine.golden, "dns-golden");
  EXPECT_EQ(machine.memory_mib, 256U);
  EXPECT_EQ(machine.golden_digest.size(), 64U);
  EXPECT_EQ(machine.golden_digest, machine.golden_digest_after);
  EXPECT_THAT(planned.output, HasSubstr("256 MiB, 12 checks, golden " + machine.golden_digest.substr(0, 12)));

  EXPECT_THAT(finance.fence.troubles, IsEmpty());
  std::set<std::string> phases;
  std::set<std::string> targets;
  for (const auto& attempt : finance.fence.attempts) {
    phases.insert(attempt.phase);
    targets.insert(attempt.target);
    EXPECT_FALSE(attempt.answered) << attempt.probe << " " << attempt.target << ": " << attempt.evidence;
  }
  EXPECT_THAT(phases, ElementsAre("after", "before", "during"));
  EXPECT_THAT(targets, Contains("192.0.2.99"));

  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_processes();
  EXPECT_THAT(scratch_folders(), IsEmpty());
  expect_no_trace();
}

TEST_F(GoldenDomain, IsClonedByTwoDepartmentsAtOnceBesideAnother) {
  fs::copy_file(disk_, disk_of("dns2-golden"), fs::copy_options::overwrite_existing);
  define(golden_xml(image_, "dns2-golden", "12"));
  auto scenario = short_scenario();
  auto& departments = scenario["departments"];
  departments["engineering"] = departments["finance"];
  auto& second = departments["finance"]["machines"]["dns2"] = {{"role", "dns"}, {"address", "10.20.0.12"}};
  second["golden"] = scenario["roles"]["dns"]["golden"];
  second["golden"]["domain"] = "dns2-golden";
  work_.write("domains.json", scenario.dump());
  const auto outcome = patchlab({"run", "domains.json", "--runs", "runs"}, work_.path(), std::chrono::minutes(4));
  EXPECT_EQ(exit_code(outcome), 0) << outcome.output << outcome.errors;
  for (const auto* name : {"finance", "engineering"})
    EXPECT_TRUE(fs::exists(work_.path() / "production" / name / "manifest.json")) << name;
  EXPECT_THAT(events(), ::testing::Not(HasSubstr("\"answered\":true")));
  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_processes();
  undefine("dns2-golden");
  expect_no_trace();
}

TEST_F(GoldenDomain, CancellingTheRunTidiesUp) {
  auto run = start();
  await_machine(1);
  run.send_signal(SIGINT);
  const auto end = run.wait(std::chrono::seconds(20));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 2);
  expect_no_processes();
  expect_no_trace();
}

TEST_F(GoldenDomain, WhatIsNamedWronglyIsSaidBeforeAnythingStarts) {
  auto scenario = read_json_file(work_.path() / "domains.json").value();
  scenario["roles"]["dns"]["golden"]["domain"] = "nobody";
  work_.write("nobody.json", scenario.dump());
  const auto outcome = patchlab({"validate", "nobody.json"}, work_.path());
  EXPECT_EQ(exit_code(outcome), 78);
  EXPECT_THAT(outcome.errors, HasSubstr("nobody.json: /departments/finance/machines/dns/golden: looking for golden "
                                        "domain 'nobody'"));
  EXPECT_THAT(outcome.errors, HasSubstr("patchlab: hint: 'virsh list --all' shows the domains of that libvirt"));
  expect_no_trace();
}

// Somebody puts the host's own port to production on the bridge.
TEST_F(GoldenDomain, AWayOutIsNoticedAndNothingIsPromoted) {
  work_.write("domains.json", short_scenario().dump());
  auto run = start();
  await_machine(1);
  const auto all = devices();
  const auto bridge = std::ranges::find_if(all, [](const std::string& name) { return name.starts_with("plb"); });
  ASSERT_NE(bridge, all.end());
  auto netlink = network::Netlink::open();
  ASSERT_TRUE(netlink->attach("prod1", *bridge));
  const auto end = run.wait(std::chrono::minutes(3));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 2);
  const auto said = events();
  EXPECT_THAT(said, HasSubstr("\"answered\":true"));
  EXPECT_THAT(said, HasSubstr("answer from "));
  EXPECT_FALSE(fs::exists(work_.path() / "production"));
  expect_no_processes();
  expect_no_trace();
}

// The network is there and the folder too when there is no room for the overlay.
TEST_F(GoldenDomain, WhatIsHalfMadeIsRemoved) {
  const auto tiny = folder / "tiny";
  fs::create_directory(tiny);
  ASSERT_EQ(::mount("none", tiny.c_str(), "tmpfs", 0, "size=64k,mode=0755"), 0);
  auto scenario = read_json_file(work_.path() / "domains.json").value();
  scenario["roles"]["dns"]["golden"]["storage"] = tiny.string();
  work_.write("tiny.json", scenario.dump());
  const auto outcome = patchlab({"run", "tiny.json", "--runs", "runs"}, work_.path());
  EXPECT_EQ(exit_code(outcome), 2);
  EXPECT_THAT(outcome.errors, HasSubstr("No space left on device"));
  EXPECT_TRUE(fs::is_empty(tiny));
  ::umount(tiny.c_str());
  expect_no_processes();
  expect_no_trace();
}

TEST_F(GoldenDomain, ACellThatIsAskedToEndTidiesUp) {
  auto run = start();
  await_machine(1);
  const auto cells = keepers();
  ASSERT_EQ(cells.size(), 1U);
  ::kill(cells[0], SIGTERM);
  const auto end = run.wait(std::chrono::minutes(1));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 2);
  expect_no_processes();
  expect_no_trace();
}

TEST_F(GoldenDomain, AKilledRunIsTidiedUpByItsCellAndAKilledCellByLabClean) {
  {
    auto run = start();
    await_machine(1);
    const auto cells = keepers();
    ASSERT_EQ(cells.size(), 1U);
    // Both at once: the cell is stopped first, so that it does not see the run go.
    ::kill(cells[0], SIGSTOP);
    run.send_signal(SIGKILL);
    (void)run.wait(std::chrono::seconds(10));
    ::kill(cells[0], SIGKILL);
    expect_no_processes();
    EXPECT_EQ(qemus(), 1) << "a system libvirt's machines outlive the process that started them";
    EXPECT_EQ(networks(), 1);
  }
  const auto before = domains();
  EXPECT_EQ(before.size(), 2U);
  {
    auto run = start();
    await_machine(2);
    EXPECT_THAT(events(), HasSubstr("left on 'qemu:///system' by runs that crashed: domain patchlab-"));
    run.send_signal(SIGKILL);
    (void)run.wait(std::chrono::seconds(10));
    expect_no_processes();
    EXPECT_EQ(domains(), before) << "the cell whose run was killed removes its own, and nothing else";
    EXPECT_EQ(qemus(), 1);
  }
  const auto cleaned = patchlab({"lab", "clean", "--storage", (folder / "storage").string()}, work_.path());
  EXPECT_EQ(exit_code(cleaned), 0) << cleaned.output << cleaned.errors;
  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_trace();
}

// While the network is made, the domain cloned and started, the guest boots, is checked and saved. Every other time the
// cell is killed too, if there is one yet.
TEST_F(GoldenDomain, KillingAtRandomMomentsLeavesNothingThatLabCleanDoesNotFind) {
  const char* asked = std::getenv("PATCHLAB_TEST_KILLS");
  const int rounds = asked != nullptr ? std::stoi(asked) : 6;
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < rounds; ++round) {
    const Milliseconds moment(static_cast<Milliseconds::rep>(random() % (round % 3 == 0 ? 1000U : 9000U)));
    SCOPED_TRACE(fmt::format("round {}, killed after {} ms", round, moment.count()));
    auto run = start();
    (void)run.wait(moment);
    const auto cells = round % 2 == 0 ? std::vector<pid_t>() : keepers();
    for (const auto cell : cells) ::kill(cell, SIGSTOP);
    run.send_signal(SIGKILL);
    (void)run.wait(std::chrono::seconds(10));
    for (const auto cell : cells) ::kill(cell, SIGKILL);
    expect_no_processes();
    if (!cells.empty()) {
      const auto cleaned = patchlab({"lab", "clean", "--storage", (folder / "storage").string()}, work_.path());
      EXPECT_EQ(exit_code(cleaned), 0) << cleaned.output << cleaned.errors;
    }
    EXPECT_EQ(owner_of_disk(), 0U);
    expect_no_trace();
  }
}

}  // namespace
}  // namespace patchlab::e2e

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2) return 64;
  patchlab::lab::libvirt::folder = argv[1];
  return RUN_ALL_TESTS();
}

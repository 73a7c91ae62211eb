// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Started by golden_domain_test.cpp through with-system-libvirt. Usage: golden_domain_inside FOLDER EFI
// (tests/support/efi_boot.hpp)
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "golden_domain.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::e2e {
namespace {

namespace network = lab::network;
using lab::libvirt::lab_folder;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// In an event; the control's answer has "control" between the two.
constexpr const char* answered_leak = "\"answered\":true,\"device\"";

TEST_F(GoldenDomain, TheMainJobIsDoneOnItsClones) {
  const auto planned = patchlab({"run", "domains.json", "--dry-run"}, work_.path());
  EXPECT_EQ(exit_code(planned), 0) << planned.errors;
  EXPECT_THAT(planned.output, HasSubstr("candidate harmless-hostname: on dns"));
  expect_no_trace();

  const auto outcome = patchlab({"run", "domains.json", "--runs", "runs"}, work_.path(), std::chrono::minutes(10));
  EXPECT_EQ(exit_code(outcome), 1) << outcome.output << outcome.errors;
  const auto record = this->record();
  ASSERT_EQ(record.departments.size(), 1U) << outcome.errors;
  expect_main_job(record);
  const auto& machine = record.departments[0].machines.at(0);
  EXPECT_EQ(machine.golden, "dns-golden");
  EXPECT_EQ(machine.memory_mib, 256U);
  EXPECT_THAT(planned.output, ContainsRegex("256 MiB, [0-9]+ checks, golden " + machine.golden_digest.substr(0, 12)));

  EXPECT_EQ(owner_of_disk(), 0U);
  expect_no_processes();
  EXPECT_THAT(scratch_folders(), IsEmpty());
  expect_no_trace();
}

// docs/how-to/learn-checks.md, with nothing but a golden domain.
TEST_F(GoldenDomain, SaysItselfWhatMustBeTrueOfIt) {
  auto scenario = short_scenario();
  auto unchecked = scenario;
  unchecked.erase("candidates");
  unchecked["roles"]["dns"].erase("checks");
  work_.write("domains.json", unchecked.dump());
  const auto learnt = patchlab({"learn", "domains.json"}, work_.path(), std::chrono::minutes(5));
  ASSERT_EQ(exit_code(learnt), 0) << learnt.output << learnt.errors;
  EXPECT_THAT(learnt.output, HasSubstr("\"checks\": \"learnt/dns.json\""));
  const auto text = read_file(work_.path() / "learnt/dns.json");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(*text, HasSubstr("\"corp.example. 3600 MX 10 mail1.corp.example.\""));
  EXPECT_THAT(*text, HasSubstr("\"30.0.20.10.in-addr.arpa. 3600 PTR web.corp.example.\""));
  EXPECT_THAT(*text, HasSubstr("\"id\": \"corp-example-transfer\""));
  expect_no_processes();
  expect_no_trace();

  const auto again = patchlab({"learn", "domains.json"}, work_.path());
  EXPECT_EQ(exit_code(again), 78) << again.output;
  EXPECT_THAT(again.errors, HasSubstr("is there already"));

  scenario["roles"]["dns"]["checks"] = "learnt/dns.json";
  work_.write("domains.json", scenario.dump());
  const auto validated = patchlab({"validate", "domains.json"}, work_.path());
  EXPECT_EQ(exit_code(validated), 0) << validated.errors;
  expect_no_trace();
}

// The other one boots by UEFI, also in the middle of a trial.
TEST_F(GoldenDomain, IsClonedByTwoDepartmentsAtOnceBesideAnother) {
  define(uefi_golden_xml(image_, "dns2-golden", "12", lab_folder / "dns2-golden_VARS.fd"));
  auto scenario = short_scenario();
  auto& departments = scenario["departments"];
  departments["engineering"] = departments["finance"];
  auto& second = departments["finance"]["machines"]["dns2"] = {{"role", "dns"}, {"address", "10.20.0.12"}};
  second["golden"] = scenario["roles"]["dns"]["golden"];
  second["golden"]["domain"] = "dns2-golden";
  scenario["trial"]["warm_reboots"] = 1;
  work_.write("domains.json", scenario.dump());
  const auto outcome = patchlab({"run", "domains.json", "--runs", "runs"}, work_.path(), std::chrono::minutes(6));
  EXPECT_EQ(exit_code(outcome), 0) << outcome.output << outcome.errors;
  for (const auto* name : {"finance", "engineering"})
    EXPECT_TRUE(fs::exists(work_.path() / "production" / name / "manifest.json")) << name;
  EXPECT_THAT(events(), ::testing::Not(HasSubstr(answered_leak)));
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
  const auto end = run.wait(std::chrono::minutes(5));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 7);
  const auto said = events();
  EXPECT_THAT(said, HasSubstr(answered_leak));
  EXPECT_THAT(said, HasSubstr("answer from "));
  EXPECT_FALSE(fs::exists(work_.path() / "production" / ".versions"));
  expect_no_processes();
  expect_no_trace();
}

// The network is there and the folder too when there is no room for the overlay.
TEST_F(GoldenDomain, WhatIsHalfMadeIsRemoved) {
  const auto tiny = lab_folder / "tiny";
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
  const auto cleaned = patchlab({"lab", "clean", "--storage", (lab_folder / "storage").string()}, work_.path());
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
      const auto cleaned = patchlab({"lab", "clean", "--storage", (lab_folder / "storage").string()}, work_.path());
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
  if (argc < 3) return 64;
  patchlab::lab::libvirt::lab_folder = argv[1];
  patchlab::lab::libvirt::efi_folder = argv[2];
  return RUN_ALL_TESTS();
}

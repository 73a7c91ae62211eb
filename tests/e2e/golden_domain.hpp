// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "lab/network/netlink.hpp"
#include "lab/process/child.hpp"
#include "program.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"
#include "tests/support/inside_system_libvirt.hpp"

namespace patchlab::e2e {

namespace fs = std::filesystem;

// `patchlab run` on the golden domain of InsideSystemLibvirt: domains.json in the folder `work_`.
class GoldenDomain : public lab::libvirt::InsideSystemLibvirt {
 protected:
  static void SetUpTestSuite() {
    // The host has an address in production, so that there is something to leak to.
    auto netlink = lab::network::Netlink::open();
    ASSERT_TRUE(netlink);
    ASSERT_TRUE(netlink->add_veth("prod0", "prod1", 0));
    ASSERT_TRUE(netlink->add_address("prod0", *lab::network::Ipv4::parse("192.0.2.99"),
                                     *lab::network::Ipv4Subnet::parse("192.0.2.0/24")));
    ASSERT_TRUE(netlink->set_up("prod0"));
    ASSERT_TRUE(netlink->set_up("prod1"));
  }
  void SetUp() override {
    InsideSystemLibvirt::SetUp();
    if (HasFatalFailure()) return;
    fs::copy_file(image_.dpkg_status, work_.path() / "dpkg-status");
    auto scenario =
        on_the_domain(small_scenario(), {{"system", {{"family", "debian"}}}, {"dpkg_status", "dpkg-status"}});
    scenario["trial"] = {{"warm_reboots", 1}, {"stability_s", 3}};
    work_.write("domains.json", scenario.dump());
  }
  // The scenario with the golden domain in place of the image. `system` says what runs in it: keys of "golden".
  [[nodiscard]] Json on_the_domain(Json scenario, Json system) const {
    auto& role = scenario["roles"]["dns"];
    role["golden"] = std::move(system);
    role["golden"].update({{"libvirt", lab::libvirt::uri},
                           {"domain", "dns-golden"},
                           {"storage", (lab::libvirt::lab_folder / "storage").string()}});
    role["services"] = image_.services;
    role["ready_tcp"] = image_.ready.tcp;
    return scenario;
  }
  // The same with the harmless candidate only, and without reboots.
  [[nodiscard]] Json short_scenario() const {
    auto scenario = read_json_file(work_.path() / "domains.json").value();
    std::erase_if(scenario["candidates"].get_ref<Json::array_t&>(),
                  [](const Json& c) { return c.dump().find("harmless") == std::string::npos; });
    scenario["trial"] = {{"warm_reboots", 0}, {"stability_s", 0}};
    return scenario;
  }

  // How patchlab is started.
  [[nodiscard]] virtual ProcessSpec command(const std::vector<std::string>& arguments) const {
    ProcessSpec spec;
    spec.program = PATCHLAB_PROGRAM;
    spec.arguments = arguments;
    spec.working_folder = work_.path();
    return spec;
  }
  ChildProcess start() {
    auto child = ChildProcess::start(command({"run", "domains.json", "--runs", "runs"}), work_.path() / "errors.txt");
    EXPECT_TRUE(child) << child.error().message;
    return std::move(child).value();
  }
  // Until the newest run says so.
  void await(const std::string& what, const std::function<bool()>& true_now,
             Milliseconds deadline = std::chrono::seconds(60)) {
    const Wait wait{.awaited = what,
                    .deadline = deadline,
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
  // The outer processes of cells that use this cache, each with one inner process.
  static std::vector<pid_t> keepers(const fs::path& cache = cache_folder()) {
    std::vector<pid_t> found;
    for (const auto& process : lab_processes(cache)) {
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
  void expect_no_processes(const fs::path& cache = cache_folder()) {
    await("the lab's processes to be gone", [&] { return lab_processes(cache).empty(); });
    EXPECT_THAT(lab_processes(cache), ::testing::IsEmpty());
  }
  // The record of the only run.
  [[nodiscard]] fs::path run_folder() const {
    fs::path run;
    for (const auto& entry : fs::directory_iterator(work_.path() / "runs")) {
      if (entry.is_directory()) run = entry.path();
    }
    return run;
  }
  [[nodiscard]] reports::RunRecord record() const {
    const auto read = reports::read_run_record(run_folder() / reports::run_file_name);
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : reports::RunRecord{};
  }
  void expect_promoted(const std::vector<std::string>& candidates) const {
    const auto decision = decision_in(run_folder(), "finance");
    ASSERT_TRUE(decision.is_object());
    EXPECT_EQ(decision.at("outcome"), "promoted") << decision.dump();
    EXPECT_EQ(decision.at("candidates"), Json(candidates));
  }
  // What the job of domains.json comes to, wherever its machines are: the verdicts, the stage, a golden machine that is
  // what it was, and a fence that held in all three phases, also towards the host's own address.
  void expect_main_job(const reports::RunRecord& record) const {
    using ::testing::Contains;
    using ::testing::ElementsAre;
    EXPECT_TRUE(record.complete);
    ASSERT_EQ(record.departments.size(), 1U);
    const auto& finance = record.departments[0];
    EXPECT_EQ(reports::find_verdict(finance, "bad-dns-reboot")->outcome, Outcome::fail);
    EXPECT_EQ(reports::find_verdict(finance, "harmless-hostname")->outcome, Outcome::pass);
    expect_promoted({"harmless-hostname"});
    const auto& machine = finance.machines.at(0);
    EXPECT_EQ(machine.golden_digest.size(), 64U);
    EXPECT_EQ(machine.golden_digest, machine.golden_digest_after);
    EXPECT_THAT(finance.fence.troubles, ::testing::IsEmpty());
    std::set<std::string> phases;
    std::set<std::string> targets;
    for (const auto& attempt : finance.fence.attempts) {
      phases.insert(attempt.phase);
      targets.insert(attempt.target);
      EXPECT_FALSE(attempt.is_answer_of_a_leak()) << attempt.probe << " " << attempt.target << ": " << attempt.evidence;
    }
    EXPECT_THAT(phases, ElementsAre("after", "before", "during"));
    EXPECT_THAT(targets, Contains("192.0.2.99"));
  }

  OwnCache cache_;
  TemporaryFolder work_;
};

}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/memo_key.hpp"

#include <gmock/gmock.h>

#include "runners/cell/protocol.hpp"

namespace patchlab::runners {
namespace {

// With something in every list, so that every field of the wire form is there.
cell::CellJob full_cell() {
  cell::CellJob job;
  job.department = "finance";
  job.network = {"10.20.0.0/24", "10.20.0.1", "10.20.0.250"};
  job.libvirt = cell::LibvirtPlace{"qemu:///system", "r1", "/var/lib/clones"};
  job.accelerator = "tcg";
  job.evidence = "runs/r1/evidence";
  job.slots = "slots";
  job.host = {{"192.0.2.1"}, {"192.0.2.254"}, {"192.0.2.53"}};
  job.worker_program = "patchlab";
  for (const std::string name : {"dns", "mail"}) {
    cell::MachineJob machine;
    machine.plan.name = machine.plan.role = name;
    machine.plan.address = "10.20.0.2";
    machine.plan.memory_mib = 512;
    machine.plan.services = {"bind9"};
    machine.plan.ready_tcp = {53};
    machine.plan.depends_on = {"gateway"};
    machine.plan.checks = {{"a", "dns.query", {{"name", "x"}}, Milliseconds(1000), Milliseconds(150)}};
    machine.golden_digest = "digest";
    machine.planned_with = {{"bind9:amd64", "1"}};
    machine.golden_domain = "golden";
    machine.macs = {"52:54:00:00:00:01"};
    machine.golden_disk = "disk.qcow2";
    machine.kernel = "vmlinuz";
    machine.initrd = "initrd";
    machine.kernel_arguments = "quiet";
    machine.passwords = {"Copper-Kettle-63"};
    machine.setups = {{"setup.exe", {"/quiet", {17022}, {17025}}}};
    machine.parts = {"Package_1_for_KB1"};
    job.machines.push_back(machine);
  }
  return job;
}

cell::TrialJob full_trial() {
  cell::TrialJob job;
  job.id = "finance/t03";
  job.candidates = {"a"};
  job.set_digest = "set";
  job.machines = {"dns"};
  job.installs["dns"] = {{.candidate = "a",
                          .digest = "digest-a",
                          .packages = {{.file_name = "a.deb", .kb = "KB1", .packages = {"p"}}},
                          .expected = {{"bind9:amd64", "2"}}}};
  job.media["dns"] = "media/1.iso";
  job.reboot_anyway = {"dns"};
  return job;
}

Json changed(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<std::int64_t>() + 1;
  if (value.is_string()) return value.get<std::string>() + "x";
  return "something";  // null, or an empty list or object
}

// Only these decide nothing.
bool may_differ(const std::string& pointer) {
  for (const auto* name : {"/cell/department", "/cell/evidence", "/cell/slots", "/cell/slot_count", "/cell/host/",
                           "/cell/worker_program", "/cell/libvirt/run", "/trial/id", "/trial/media/"}) {
    if (pointer.starts_with(name)) return true;
  }
  return pointer.starts_with("/cell/machines/1/");  // takes no part
}

TEST(MemoKey, ChangesWithEveryFieldOfTheWireFormThatDecidesSomething) {
  const Json all{{"cell", full_cell()}, {"trial", full_trial()}};
  const auto key = memo_key(all["cell"], all["trial"]);
  std::size_t deciding = 0;
  const auto fields = all.flatten();
  for (const auto& [pointer, value] : fields.items()) {
    if (pointer == "/trial/machines/0") continue;  // another machine takes part: the next test
    auto other = all;
    other[Json::json_pointer(pointer)] = changed(value);
    if (may_differ(pointer)) {
      EXPECT_EQ(memo_key(other["cell"], other["trial"]), key) << pointer;
    } else {
      EXPECT_NE(memo_key(other["cell"], other["trial"]), key) << pointer;
      ++deciding;
    }
  }
  EXPECT_GT(deciding, 40U) << "the wire form was looked at";
}

TEST(MemoKey, CountsAFieldThatNobodyHasHeardOf) {
  const Json cell = full_cell();
  const Json trial = full_trial();
  const auto key = memo_key(cell, trial);
  auto more = cell;
  more["policy"]["of_tomorrow"] = 1;
  EXPECT_NE(memo_key(more, trial), key);
  more = cell;
  more["machines"][0]["checks"][0]["of_tomorrow"] = 1;
  EXPECT_NE(memo_key(more, trial), key);
  auto other = trial;
  other["of_tomorrow"] = 1;
  EXPECT_NE(memo_key(cell, other), key);
}

TEST(MemoKey, ChangesWithTheMachinesThatTakePart) {
  const Json cell = full_cell();
  auto trial = full_trial();
  const auto key = memo_key(cell, trial);
  trial.machines = {"dns", "mail"};
  EXPECT_NE(memo_key(cell, trial), key);
}

}  // namespace
}  // namespace patchlab::runners

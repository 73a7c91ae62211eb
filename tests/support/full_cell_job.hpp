// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runners/cell/protocol.hpp"

namespace patchlab::test {

// With something in every list, so that every field of the wire form is there.
inline runners::cell::CellJob full_cell_job() {
  namespace cell = runners::cell;
  cell::CellJob job;
  job.department = "finance";
  job.network = {"10.20.0.0/24", "10.20.0.1", "10.20.0.250"};
  job.libvirt = cell::LibvirtPlace{"qemu:///system", "r1", "/var/lib/clones"};
  job.accelerator = "tcg";
  job.evidence = "runs/r1/evidence";
  job.slots = "slots";
  job.host = {{"192.0.2.1"}, {"192.0.2.254"}, {"192.0.2.53"}};
  job.worker_program = "patchlab";
  job.kept_baseline = cell::KeptBaseline{"r0", {{"dns", Milliseconds(900)}}};
  job.kept_baseline->patched["dns"] = {
      {.digests = {"digest-a"},
       .jobs = {"job-a"},
       .installs = {{.machine = "dns", .candidate = "a", .outcome = Outcome::pass}},
       .expected = {{{"bind9:amd64", "2"}}, "boot-1", checks::state::Restart::outstanding},
       .baseline = {{{"bind9:amd64", "1"}}, "boot-1"},
       .since = "2026-11-28T02:00:00Z"}};
  job.kept_baseline->patched["dns"][0].installs[0].installed_in = "finance/t02";
  job.kept_baseline->patched["dns"][0].installs[0].installed_run = "r0";
  job.kept_baseline->useless["mail"] = {"prefix-1-aa"};
  job.keep_installs = true;
  for (const std::string name : {"dns", "mail"}) {
    cell::MachineJob machine;
    machine.plan.name = machine.plan.role = name;
    machine.plan.address = "10.20.0.2";
    machine.plan.memory_mib = 512;
    machine.plan.services = {"bind9"};
    machine.plan.ready_tcp = {53};
    machine.plan.depends_on = {"gateway"};
    machine.plan.checks = {{"a", "dns.query", {{"name", "x"}}, Milliseconds(1000), Milliseconds(150)}};
    machine.plan.beside = {{"ports/port-53", "command", {{"program", "x"}}, Milliseconds(1000), {}}};
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

// Another one of the same type.
inline Json changed_value(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<std::int64_t>() + 1;
  if (value.is_string()) return value.get<std::string>() + "x";
  return "something";  // null, or an empty list or object
}

}  // namespace patchlab::test

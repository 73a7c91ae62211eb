// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/protocol.hpp"

#include <gmock/gmock.h>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::runners::cell {
namespace {

checks::CheckProgram plugin() {
  const std::string bytes("#!/bin/sh\n\0\xff", 12);
  return {"x", sha256(bytes), bytes, "/usr/lib/nagios/plugins/x"};
}

CellJob job_of_domains() {
  CellJob job;
  job.department = "finance";
  job.network = {"10.20.0.0/24", "10.20.0.1", "10.20.0.250"};
  job.libvirt = {"qemu:///system", "20261125-080000-ab12", "/var/lib/libvirt/images/patchlab"};
  auto& machine = job.machines.emplace_back();
  machine.plan.name = "dns";
  machine.plan.memory_mib = 2048;
  machine.system = {.family = GuestFamily::windows, .version = "6.2.9200", .architecture = "amd64"};
  machine.golden_digest = "d1";
  machine.planned_with = {{"bind9:amd64", "1:9.18.33-1~deb12u2"}};
  machine.golden_domain = "srv2012-dns";
  machine.macs = {"52:54:00:00:00:01", "52:54:00:00:00:02"};
  machine.plan.checks = {{"quick", "dns.query", {{"name", "www"}}, Milliseconds(5000), Milliseconds(150)},
                         {"any-time", "dns.query", {{"name", "www"}}, Milliseconds(5000), {}},
                         {"plugin", "command", {{"program", "x"}}, Milliseconds(5000), {}, plugin()}};
  machine.plan.beside = {{"plugins/one", "command", {{"program", "x"}}, Milliseconds(5000), {}, plugin()}};
  return job;
}

TEST(CellProtocol, CarriesWhereTheClonesOfDomainsAre) {
  const auto job = job_of_domains();
  const Json sent = job;
  const auto received = cell_job_from_json(Json::parse(sent.dump()));
  EXPECT_EQ(received.libvirt, job.libvirt);
  const auto& machine = received.machines.at(0);
  EXPECT_EQ(machine.golden_domain, "srv2012-dns");
  EXPECT_EQ(machine.planned_with, job.machines[0].planned_with);
  EXPECT_EQ(machine.macs, job.machines[0].macs);
  EXPECT_EQ(machine.system, job.machines[0].system);
  EXPECT_EQ(machine.plan.memory_mib, 2048U);
  EXPECT_EQ(machine.plan.checks.at(0).slower, Milliseconds(150));
  EXPECT_EQ(machine.plan.checks.at(1).slower, std::nullopt);
  EXPECT_EQ(machine.plan.checks.at(1).program, std::nullopt);
  EXPECT_EQ(machine.plan.checks.at(2).program, plugin()) << "its bytes, wherever the cell is";
  ASSERT_EQ(machine.plan.beside.size(), 1U);
  EXPECT_EQ(machine.plan.beside[0].program, plugin());
  EXPECT_EQ(Json(received), sent);
}

TEST(CellProtocol, AProgramThatIsNotTheOneThatWasSentIsRefused) {
  Json sent = job_of_domains();
  auto& program = sent["machines"][0]["checks"][2]["program"];
  program["bytes"] = base64(plugin().bytes + " ");
  EXPECT_ANY_THROW((void)cell_job_from_json(sent));
}

TEST(CellProtocol, ACellOfImagesIsOnNoLibvirt) {
  auto job = job_of_domains();
  job.libvirt.reset();
  EXPECT_EQ(cell_job_from_json(Json(job)).libvirt, std::nullopt);
}

TEST(CellProtocol, CarriesTheBaselineOfAnEarlierRun) {
  auto job = job_of_domains();
  EXPECT_EQ(cell_job_from_json(Json(job)).kept_baseline, std::nullopt);
  job.kept_baseline = KeptBaseline{"20261125-080000-ab12", {{"dns", Milliseconds(900)}}};
  EXPECT_EQ(cell_job_from_json(Json::parse(Json(job).dump())).kept_baseline, job.kept_baseline);
}

TEST(CellProtocol, CarriesWhetherAControlIsJudged) {
  TrialJob job;
  job.purpose = reports::Purpose::control;
  EXPECT_FALSE(trial_job_from_json(Json(job)).judged);
  job.judged = true;
  EXPECT_TRUE(trial_job_from_json(Json(job)).judged);
}

}  // namespace
}  // namespace patchlab::runners::cell

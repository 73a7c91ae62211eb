// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <random>

#include "runners/cell/cell.hpp"
#include "runners/engine/department.hpp"
#include "tests/support/debian_guest.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

// Nights of a lab in which each execution of a check fails now and then for no reason: the real engine and the real
// cell, on a fake hypervisor and a fake guest.
namespace patchlab::test {

// A worker of "mail.relay-refused" whose answer is wrong with this probability, whoever asks.
class FlakyWorkers final : public ProcessRunner {
 public:
  FlakyWorkers(double flakes, unsigned seed) : random_(seed), wrong_(flakes) {}
  ProcessOutcome run(const ProcessSpec&, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    const bool wrong = wrong_(random_);
    if (wrong) ++failures;
    return {Exited{0}, answer(wrong ? "250" : "554"), {}, Milliseconds(5)};
  }
  int failures = 0;

 private:
  static std::string answer(const char* to_recipient) {
    const auto stage = [](const char* name, const char* text) { return Json{{"stage", name}, {"answer", text}}; };
    const Json stages{stage("connect", ""), stage("banner", "220"), stage("ehlo", "250"), stage("rcpt", to_recipient)};
    return Json{{"observation", {{"smtp", {{"stages", stages}}}}}, {"took_ms", 5}}.dump();
  }
  std::mutex mutex_;
  std::mt19937 random_;
  std::bernoulli_distribution wrong_;
};

// The cell in this very process.
class LocalCell final : public runners::cell::CellClient {
 public:
  explicit LocalCell(runners::cell::CellContext& context)
      : cell_(
            context, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {}) {}
  Result<reports::TrialRecord> prepare(const runners::cell::CellJob&) override { return cell_.prepare(); }
  Result<reports::TrialRecord> run_trial(const runners::cell::TrialJob& job) override { return cell_.run_trial(job); }
  Result<void> probe_fence(const std::string&) override { return {}; }
  void close() override {}

 private:
  runners::cell::Cell cell_;
};

class CleanNight {
 public:
  CleanNight(std::size_t checks, double flakes, unsigned seed) : workers_(flakes, seed) {
    runners::cell::MachineJob machine;
    machine.plan.name = "mail";
    for (std::size_t i = 0; i < checks; ++i) {
      machine.plan.checks.push_back(
          {fmt::format("check-{}", i), "mail.relay-refused", Json::object(), std::chrono::seconds(5), {}});
    }
    job_.cell.department = "finance";
    job_.cell.machines = {machine};
    job_.cell.evidence = folder_ / "evidence";
    job_.medium = [](const auto&, const auto&) -> Result<std::filesystem::path> {
      return std::filesystem::path("medium.iso");
    };
    for (const char* id : {"one", "two", "three", "four"}) {
      runners::PlannedCandidate candidate{
          .id = id, .digest = id, .prerequisites = {}, .installs = {}, .skipped_because = {}};
      candidate.installs["mail"] = {
          .candidate = id, .digest = id, .packages = {{.file_name = std::string(id) + ".deb"}}, .expected = {}};
      job_.candidates.push_back(candidate);
    }
    lab::MachineSpec spec;
    spec.name = "mail";
    (void)hypervisor_.define(spec);
    hypervisor_.on_agent([this](auto&, const auto& command) { return guest_.answer(command); });
    guest_.programs = [this](const auto& program, const auto& arguments, const auto&) {
      return answer(program, arguments);
    };
    let_idle(guest_, clock_);
    boot();
  }
  ~CleanNight() { std::filesystem::remove_all(folder_); }
  CleanNight(const CleanNight&) = delete;
  CleanNight& operator=(const CleanNight&) = delete;

  reports::DepartmentRecord run() {
    LocalCell lab(context_);
    runners::TrialMemo memo;
    return runners::DepartmentRun(job_, lab, memo, clock_, {}).run();
  }
  // Executions that failed.
  [[nodiscard]] int failures() const { return workers_.failures; }

 private:
  static std::filesystem::path new_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "patchlab-night-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  void boot() {
    guest_.files["/proc/sys/kernel/random/boot_id"] = fmt::format("{:08}-3bd4-450d-8146-5cf4ba5f0909\n", ++boots_);
    guest_.files["/run/patchlab-boot-complete"] = "9.1";
  }
  FakeAgent::Process answer(const std::string& program, const std::vector<std::string>& arguments) {
    FakeAgent::Process process;
    if (program == "/sbin/shutdown") {
      guest_.restart();
      boot();
    } else if (program == "dpkg-query") {
      process.output = "postfix:amd64\t1\tok\tinstalled\n";
    } else if (arguments.size() > 2) {
      process.output = debian_answer(arguments[2]);
    }
    return process;
  }

  const std::filesystem::path folder_ = new_folder();
  FakeClock clock_;
  FakeHypervisor hypervisor_;
  FakeAgent guest_;
  FlakyWorkers workers_;
  runners::DepartmentJob job_;
  runners::cell::CellContext context_{
      hypervisor_, workers_, clock_, job_.cell, runners::cell::Slots(folder_, 2, clock_), [](const Json&) {}, {}, "br"};
  int boots_ = 0;
};

struct CleanNights {
  int nights = 0;
  int with_a_flake = 0;  // some execution failed
  int spoiled = 0;       // not everything was found good
};

inline CleanNights clean_nights(int nights, std::size_t checks, double flakes, unsigned seed = 1) {
  CleanNights sum{nights, 0, 0};
  for (int i = 0; i < nights; ++i) {
    CleanNight night(checks, flakes, seed + static_cast<unsigned>(i));
    const auto record = night.run();
    const bool good =
        std::ranges::all_of(record.verdicts, [](const auto& verdict) { return verdict.outcome == Outcome::pass; });
    if (night.failures() > 0) ++sum.with_a_flake;
    if (!good || record.final_trial.empty()) ++sum.spoiled;
  }
  return sum;
}

}  // namespace patchlab::test

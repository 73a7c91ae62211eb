// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lab/core/paths.hpp"
#include "reports/record/queries.hpp"
#include "runners/cell/cell.hpp"
#include "runners/engine/department.hpp"
#include "runners/engine/kept_answers.hpp"
#include "runners/engine/kept_baselines.hpp"
#include "runners/engine/kept_controls.hpp"
#include "runners/engine/kept_convictions.hpp"
#include "tests/support/debian_guest.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"
#include "tests/support/temporary_folder.hpp"

// Nights of one department in one cache: the real engine, cell, store and keys, on machines that are fake and yet
// somewhere: what a machine is (its image, its memory, what is installed on it) lies in its disk, which the store keeps
// and brings as it does those of QEMU. So a key that leaves out an input brings a machine that is another one, and it
// behaves as that one does.
namespace patchlab::test {

// What a night is made of. Everything that may change from one night to the next has a fact of that name (see Fault).
struct Site {
  std::map<std::string, std::string> golden;  // machine -> which image
  std::uint32_t memory_mib = 256;
  bool asks_deep = false;  // one check more
  std::size_t reboots = 1;
  std::string program = "1";
  struct Candidate {
    std::string id;
    std::string digest;
    std::vector<std::string> machines;
    bool with_data = false;  // it is installed with one package more
    bool slow = true;        // worth keeping
  };
  std::vector<Candidate> candidates;
};

// "digest of p01 2": of its second version. What a guest lists as installed, and what a candidate says that it brings.
inline std::string version_of(const std::string& digest) { return digest.substr(digest.rfind(' ') + 1); }

// On this machine a check fails, or a line is logged, when all of these bytes are installed, and every fact is so.
struct Fault {
  std::string machine;
  std::set<std::string> digests;
  std::map<std::string, std::string> where{};  // "golden", "memory", "program", "way of DIGEST": "plain", "data"
  std::size_t restarts = 0;                    // it shows when the machine was restarted so often since
  bool deep = false;                           // only that check sees it
  bool logs = false;                           // a line, which no check sees
};

// How often something was spared by what earlier nights left.
struct Spared {
  int baselines = 0;
  int installs = 0;
  int controls = 0;
  int answers = 0;
  int convictions = 0;
};

class KeptNights {
 public:
  explicit KeptNights(std::vector<Fault> faults) : faults_(std::move(faults)) {}

  // With what earlier nights of this object left, which it adds to; or from nothing, leaving nothing.
  reports::DepartmentRecord night(const Site& site, Spared& spared) {
    clock_.advance(std::chrono::hours(24));
    return run(site, cache_.path(), ++nights_, &spared);
  }
  reports::DepartmentRecord from_nothing(const Site& site) {
    const TemporaryFolder nothing;
    return run(site, nothing.path(), nights_, nullptr);
  }
  [[nodiscard]] const std::vector<std::string>& told() const { return told_; }

 private:
  class Lab;
  reports::DepartmentRecord run(const Site& site, const std::filesystem::path& cache, int number, Spared* spared);
  static runners::DepartmentJob job_of(const Site& site, const std::filesystem::path& evidence);

  std::vector<Fault> faults_;
  FakeClock clock_;
  const TemporaryFolder cache_;
  int nights_ = 0;
  std::size_t boots_ = 0;  // no two are the same, whatever came back since
  std::vector<std::string> told_;
};

// The cell in this very process, and the guests in its machines.
class KeptNights::Lab final : public runners::cell::CellClient, private ProcessRunner {
 public:
  Lab(KeptNights& nights, const Site& site, std::filesystem::path folder)
      : nights_(nights), site_(site), folder_(std::move(folder)) {
    hypervisor_.on_agent([this](auto& machine, const auto& command) { return agent(machine, command); });
  }
  runners::BaselineStates* states = nullptr;

  // Bytes on the media that were made, by file name.
  std::map<std::filesystem::path, std::map<std::string, std::string>> media;

  Result<reports::TrialRecord> prepare(const runners::cell::CellJob& job) override {
    if (!cell_)
      job_ = job;
    else
      job_.kept_baseline = job.kept_baseline;
    for (const auto& machine : job_.machines) define(machine);
    if (!cell_) {
      cell_ = std::make_unique<runners::cell::Cell>(
          context_, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {});
    }
    auto record = cell_->prepare();
    write_disks();
    return record;
  }
  Result<reports::TrialRecord> run_trial(const runners::cell::TrialJob& job) override { return cell_->run_trial(job); }
  Result<Json> control_knowledge() override { return cell_->control_knowledge(); }
  Result<void> know(const Json& knowledge) override { return cell_->know(knowledge); }
  Result<void> forget_installs() override {
    cell_->forget_installs();
    return {};
  }
  Result<Json> installs_for_later(const std::map<std::string, std::vector<std::string>>& digests) override {
    auto later = cell_->installs_for_later(digests);
    write_disks();
    return later;
  }
  Result<void> probe_fence(const std::string&) override { return {}; }
  void close() override {}

 private:
  using Machine = FakeHypervisor::Machine;

  [[nodiscard]] std::filesystem::path disk_of(const std::string& machine) const {
    return folder_ / runners::cell::disk_name(machine);
  }
  // As a clone of its image, or with the disk that is there.
  void define(const runners::cell::MachineJob& job) {
    const auto& name = job.plan.name;
    if (!hypervisor_.has(name)) {
      lab::MachineSpec spec;
      spec.name = name;
      (void)hypervisor_.define(spec);
      let_idle(guests_[name], nights_.clock_);
    }
    hypervisor_.alter(name, [&](Machine& machine) {
      machine.state = lab::MachineState::off;
      machine.snapshots.clear();
      machine.on_disk.clear();
      machine.guest = {{"golden", job.golden_digest},
                       {"memory", std::to_string(job.plan.memory_mib)},
                       {"program", site_.program}};  // QEMU comes with it
      if (!job_.kept_baseline) return;
      machine.guest.clear();
      const auto disk = Json::parse(read_file(disk_of(name)).value());
      for (const auto& [snapshot, guest] : disk.items())
        machine.on_disk[snapshot].guest = guest.get<std::map<std::string, std::string>>();
    });
  }
  void write_disks() {
    for (const auto& job : job_.machines) {
      auto disk = Json::object();
      for (const auto& [name, saved] : hypervisor_.machine(job.plan.name).snapshots) disk[name] = saved.guest;
      (void)write_file_atomically(disk_of(job.plan.name), disk.dump(), 0600);
    }
  }

  static void restart(std::map<std::string, std::string>& guest, std::size_t& boots) {
    guest["boot"] = fmt::format("{:08}-3bd4-450d-8146-5cf4ba5f0909\n", ++boots);
  }
  // With the hypervisor's lock held.
  Result<std::string> agent(Machine& machine, const std::string& command) {
    auto& guest = guests_.at(machine.spec.name);
    if (!machine.guest.contains("boot")) restart(machine.guest, nights_.boots_);
    guest.files["/proc/sys/kernel/random/boot_id"] = machine.guest["boot"];
    guest.files["/run/patchlab-boot-complete"] = "9.1";
    guest.programs = [&](const auto& program, const auto& arguments, const auto&) {
      return answer(machine, guest, program, arguments);
    };
    guest.jobs = [&](const auto& text) { return install(machine, text); };
    return guest.answer(command);
  }
  FakeAgent::Process answer(Machine& machine, FakeAgent& guest, const std::string& program,
                            const std::vector<std::string>& arguments) {
    FakeAgent::Process process;
    if (program == "/sbin/shutdown") {
      guest.restart();
      restart(machine.guest, nights_.boots_);
      machine.guest["restarts"] += "x";
      guest.files["/proc/sys/kernel/random/boot_id"] = machine.guest["boot"];
      guest.files["/run/patchlab-boot-complete"] = "9.1";
    } else if (program == "dpkg-query") {
      process.output = "postfix:amd64\t1\tok\tinstalled\n";
      for (const auto& candidate : site_.candidates) {
        if (const auto there = machine.guest.find("listed " + candidate.id); there != machine.guest.end())
          process.output += fmt::format("{}:amd64\t{}\tok\tinstalled\n", candidate.id, there->second);
      }
    } else if (arguments.size() > 2) {
      const auto now = std::chrono::system_clock::to_time_t(nights_.clock_.wall());
      process.output = debian_answer(arguments[2], {{"log", log_of(machine.spec.name, machine.guest)},
                                                    {"clock", fmt::format("{0} +0000 UTC {0}\n", now)}});
    }
    return process;
  }
  FakeAgent::Job install(Machine& machine, const std::string& command) {
    bool slow = false;
    for (const auto& candidate : site_.candidates) {
      const auto is_asked = [&](const std::string& package) {
        return command.find(package + "=") != std::string::npos || command.find(package + ":") != std::string::npos;
      };
      if (!is_asked(candidate.id)) continue;
      const auto& digest = media.at(machine.medium).at(candidate.id);
      machine.guest["has " + digest] = is_asked(candidate.id + "x") ? "data" : "plain";
      machine.guest["listed " + candidate.id] = version_of(digest);
      slow = slow || candidate.slow;
    }
    machine.guest["restarts"].clear();
    if (slow) nights_.clock_.advance(std::chrono::seconds(10));
    return {0, "Setting up ...\n", 1};
  }

  // Each image has a line that it logs behind a restart: that is no patch's doing.
  [[nodiscard]] std::string log_of(const std::string& machine, const std::map<std::string, std::string>& guest) const {
    const auto line = [](const std::string& what) {
      return fmt::format("Nov 22 06:00:00 {0}1 named[163]: error: zone {0}.example has no {0}\n", what);
    };
    std::string text;
    const auto restarted = guest.find("restarts");
    if (restarted != guest.end() && !restarted->second.empty())
      text += line(guest.at("golden").ends_with("2") ? "even" : "odd");
    for (const auto& fault : nights_.faults_) {
      if (fault.logs && shows(fault, machine, guest)) text += line(fault.deep ? "even" : "odd");
    }
    return text;
  }
  [[nodiscard]] bool shows(const Fault& fault, const std::string& machine,
                           const std::map<std::string, std::string>& guest) const {
    const auto fact = [&](const std::string& name) {
      const auto found = guest.find(name);
      return found == guest.end() ? std::string() : found->second;
    };
    if (fault.machine != machine || fact("restarts").size() < fault.restarts) return false;
    for (const auto& digest : fault.digests) {
      if (fact("has " + digest).empty()) return false;
    }
    return std::ranges::all_of(fault.where, [&](const auto& wanted) {
      const std::string way = "way of ";
      if (wanted.first.starts_with(way)) return wanted.second == fact("has " + wanted.first.substr(way.size()));
      return wanted.second == fact(wanted.first);
    });
  }
  // A check: whether one of the faults that it sees is there.
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    const auto request = Json::parse(spec.input);
    const auto machine = request.at("target").at("machine").get<std::string>();
    const bool deep = request.at("parameters").at("smtp_port") != 25;
    const auto guest = hypervisor_.machine(machine).guest;
    const bool broken = std::ranges::any_of(nights_.faults_, [&](const auto& fault) {
      return !fault.logs && fault.deep == deep && shows(fault, machine, guest);
    });
    const auto stage = [](const char* name, const char* text) { return Json{{"stage", name}, {"answer", text}}; };
    const Json stages{stage("connect", ""), stage("banner", "220"), stage("ehlo", "250"),
                      stage("rcpt", broken ? "250" : "554")};
    const Json answer{{"observation", {{"smtp", {{"stages", stages}}}}}, {"took_ms", 5}};
    return {Exited{0}, answer.dump(), {}, Milliseconds(5)};
  }

  KeptNights& nights_;
  const Site& site_;
  const std::filesystem::path folder_;
  FakeHypervisor hypervisor_;
  std::map<std::string, FakeAgent> guests_;
  runners::cell::CellJob job_;
  runners::cell::CellContext context_{hypervisor_,
                                      *this,
                                      nights_.clock_,
                                      job_,
                                      runners::cell::Slots(folder_, 2, nights_.clock_),
                                      [this](const Json& event) {
                                        if (states != nullptr) states->heard(event);
                                      },
                                      {},
                                      "br"};
  std::unique_ptr<runners::cell::Cell> cell_;
};

inline runners::DepartmentJob KeptNights::job_of(const Site& site, const std::filesystem::path& evidence) {
  runners::DepartmentJob job;
  job.cell.department = "finance";
  job.cell.evidence = evidence;
  job.cell.slot_count = 2;
  job.cell.keep_installs = true;
  job.cell.policy.warm_reboots = site.reboots;
  job.cell.policy.stability = Milliseconds(0);
  job.cell.policy.rehearse_removal = false;
  for (const auto& [name, golden] : site.golden) {
    runners::cell::MachineJob machine;
    machine.plan.name = machine.plan.role = name;
    machine.plan.memory_mib = site.memory_mib;
    machine.golden_digest = golden;
    const auto check = [&](const char* id, int port) {
      machine.plan.checks.push_back(
          {id, "mail.relay-refused", {{"smtp_port", port}}, std::chrono::seconds(5), std::nullopt});
    };
    check("works", 25);
    if (site.asks_deep) check("works-deeply", 587);
    job.cell.machines.push_back(std::move(machine));
  }
  for (const auto& candidate : site.candidates) {
    runners::PlannedCandidate planned{
        .id = candidate.id, .digest = candidate.digest, .prerequisites = {}, .installs = {}, .skipped_because = {}};
    for (const auto& machine : candidate.machines) {
      auto& install = planned.installs[machine];
      install = {.candidate = candidate.id,
                 .digest = candidate.digest,
                 .packages = {{.file_name = candidate.id + ".deb"}},
                 .expected = {{candidate.id + ":amd64", version_of(candidate.digest)}}};
      if (candidate.with_data) install.packages.push_back({.file_name = candidate.id + "x.deb"});
    }
    job.candidates.push_back(std::move(planned));
  }
  return job;
}

// As runners/engine/execute.cpp does it, with every switch of a scenario on.
inline reports::DepartmentRecord KeptNights::run(const Site& site, const std::filesystem::path& cache, int number,
                                                 Spared* spared) {
  using namespace runners;
  const TemporaryFolder own;
  auto job = job_of(site, own.path() / "evidence");
  const auto id = fmt::format("2026112{}-010000-aaaa", number);
  const auto tell = [this](const std::string& sentence) { told_.push_back(sentence); };
  const Milliseconds age = std::chrono::hours(168);
  const auto place = [&](const char* name) {
    return KeptNotes::Place{.folder = cache / name, .run = id, .asked_by = "program " + site.program, .most_age = age};
  };
  KeptAnswers answers(place("answers"), clock_, tell);
  KeptConvictions convictions(place("convictions"), clock_, tell);
  KeptControls controls(place("controls"), clock_, tell);
  snapshots::StateStore store(cache / "states", 1U << 30U, clock_, tell);
  KeptBaselines baselines(
      store,
      {.run = id, .made_by = "program " + site.program, .ticks = 2596, .most_age = age, .most_age_of_installs = age},
      clock_, tell);
  Lab lab(*this, site, own.path());
  const auto states = baselines.of(job.cell, own.path(), {});
  lab.states = job.states = states.get();
  job.convictions = &convictions;
  job.kept_controls = &controls;
  int made = 0;
  job.medium = [&](const std::string& machine, const auto& indexes) -> Result<std::filesystem::path> {
    const std::filesystem::path medium = fmt::format("{}-{}.iso", machine, ++made);
    for (const auto index : indexes) lab.media[medium][site.candidates[index].id] = site.candidates[index].digest;
    return medium;
  };
  TrialMemo memo(&answers);
  auto record = DepartmentRun(job, lab, memo, clock_, {}).run();
  if (spared == nullptr) return record;
  for (const auto& trial : record.trials) {
    if (reports::is_lost(trial)) continue;
    if (!trial.state_of_run.empty()) ++spared->baselines;
    for (const auto& install : trial.installs) spared->installs += install.installed_run.empty() ? 0 : 1;
    if (trial.reused_run.empty()) continue;
    ++(trial.purpose == reports::Purpose::control ? spared->controls : spared->answers);
  }
  for (const auto& verdict : record.verdicts) spared->convictions += verdict.known_from.empty() ? 0 : 1;
  return record;
}

}  // namespace patchlab::test

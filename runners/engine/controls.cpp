// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/controls.hpp"

#include <fmt/ranges.h>

namespace patchlab::runners {
namespace {

using reports::TrialRecord;

class Controls {
 public:
  Controls(const DepartmentJob& job, cell::CellClient& lab, const std::stop_token& stop)
      : job_(job), lab_(lab), stop_(stop) {
    record_.name = job.cell.department;
    for (const auto& machine : job.cell.machines) machines_.push_back(machine.plan.name);
  }

  reports::DepartmentRecord run() {
    if (bring_up()) {
      for (std::size_t i = 0; i < job_.controls && !stop_.stop_requested(); ++i) (void)control(Judged::yes);
    }
    if (stop_.stop_requested()) record_.error = Error{ErrorClass::cancelled, "the run was cancelled", {}};
    record_.outcome = record_.error ? Outcome::error : Outcome::skipped;
    return std::move(record_);
  }

 private:
  enum class Judged { no, yes };

  bool bring_up() {
    auto baseline = take_baseline(
        lab_, job_.cell, [this] { return stop_.stop_requested(); }, job_.states);
    record_.trials = std::move(baseline.tries);
    record_.flaky = std::move(baseline.flaky);
    if (baseline.error) {
      record_.error = std::move(baseline.error);
      return false;
    }
    // As in every run, one that does not pass is tried once more, openly.
    auto first = control(Judged::no);
    if (first.outcome != Outcome::pass && !stop_.stop_requested()) first = control(Judged::no);
    if (first.outcome == Outcome::pass) return true;
    record_.error = first.error ? *first.error
                                : infrastructure_error(fmt::format("the control trial failed without any patch: {}",
                                                                   fmt::join(first.signature, ", ")));
    return false;
  }

  TrialRecord control(Judged judged) {
    cell::TrialJob job;
    job.id = fmt::format("{}/t{:02}", record_.name, record_.trials.size());
    job.purpose = reports::Purpose::control;
    job.set_digest = reports::patch_set_digest({});
    job.machines = job.reboot_anyway = machines_;
    job.judged = judged == Judged::yes;
    auto done = lab_.run_trial(job);
    TrialRecord record{
        .id = job.id, .purpose = job.purpose, .candidates = {}, .set_digest = job.set_digest, .machines = machines_};
    if (done) {
      record = std::move(done).value();
    } else {
      record.error = done.error();
      record.outcome = Outcome::error;
    }
    record_.trials.push_back(record);
    return record;
  }

  const DepartmentJob& job_;
  cell::CellClient& lab_;
  const std::stop_token& stop_;
  std::vector<std::string> machines_;
  reports::DepartmentRecord record_;
};

}  // namespace

reports::DepartmentRecord run_controls(const DepartmentJob& job, cell::CellClient& lab, const std::stop_token& stop) {
  return Controls(job, lab, stop).run();
}

}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "lab/core/text.hpp"
#include "runners/host/executor.hpp"

// By Slurm's programs: what its library offers changes with each release. srun passes our streams on, holds the job as
// long as it lives, and is the first to know that it is over; squeue says why.
namespace patchlab::runners::host {
namespace {

constexpr std::chrono::seconds question_limit{20};
constexpr std::chrono::seconds until_it_is_said{15};  // that a job is over, after its srun ended

// Each of Slurm's programs takes options from the environment as well: what somebody has set for jobs of their own is
// not for these. srun would mark lines with the number of their task, or squeue leave out a partition.
constexpr std::array<std::string_view, 5> options_by_environment{"SLURM_", "SRUN_", "SQUEUE_", "SCANCEL_", "SCONTROL_"};
// But for what says which Slurm it is, and who asks.
constexpr std::array<std::string_view, 3> which_slurm{"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"};

std::vector<std::string> options_in_environment() {
  std::vector<std::string> names;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    const auto begins_it = [&](std::string_view beginning) { return name.starts_with(beginning); };
    if (std::ranges::any_of(options_by_environment, begins_it) &&
        std::ranges::find(which_slurm, name) == which_slurm.end())
      names.emplace_back(name);
  }
  return names;
}

ProcessSpec by_slurm(const std::string& program, const std::vector<std::string>& arguments) {
  ProcessSpec spec;
  spec.program = program;
  spec.time_limit = question_limit;
  if (const auto names = options_in_environment(); !names.empty()) {
    // env(1) becomes it: nothing stays between us and it.
    spec.program = "env";
    for (const auto& name : names) spec.arguments.insert(spec.arguments.end(), {"-u", name});
    spec.arguments.push_back(program);
  }
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  return spec;
}

// What Slurm says of a job: "12", "PENDING", "Resources", "n1".
struct JobState {
  std::string id;
  std::string state;
  std::string reason;
  std::string node;
};

// The last one: there is one of that name, but for somebody who asks Slurm to run it again.
std::optional<JobState> job_state_in(const std::string& lines) {
  std::optional<JobState> found;
  for (const auto line : split(lines, '\n')) {
    const auto words = split(line, '|');
    if (words.size() != 4 || words[0].empty()) continue;
    found = JobState{std::string(words[0]), std::string(words[1]), std::string(words[2]), std::string(words[3])};
  }
  return found;
}

bool is_over(const JobState& job) {
  for (const auto* state : {"PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "STOPPED", "RESIZING"}) {
    if (job.state == state) return false;
  }
  return true;
}

std::string last_lines(const std::string& text, std::size_t most) {
  std::vector<std::string_view> lines;
  for (const auto line : split(text, '\n')) {
    // Of Slurm's own, and why a cell ended by itself: what else it wrote is in its log.
    if (line.starts_with("srun:") || line.find("/srun:") != std::string_view::npos || line.starts_with("slurmstepd") ||
        line.starts_with("patchlab: error: "))
      lines.push_back(line);
  }
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return fmt::format("{}", fmt::join(lines, "; "));
}

class SlurmJob final : public cell::Launch {
 public:
  SlurmJob(Executor executor, const CellRequest& request, std::string name, ProcessRunner& processes, Clock& clock)
      : executor_(std::move(executor)),
        request_(request),
        name_(std::move(name)),
        processes_(processes),
        clock_(clock) {}

  [[nodiscard]] ProcessSpec process(const std::vector<std::string>& command) const override {
    auto spec = by_slurm(
        "srun", {"--quiet", "--unbuffered", "--nodes=1", "--ntasks=1", "--chdir=/", "--mpi=none",
                 fmt::format("--cpus-per-task={}", request_.processors), fmt::format("--mem={}M", request_.memory_mib),
                 fmt::format("--time={}", request_.time_limit_minutes), "--job-name=" + name_});
    if (!executor_.partition.empty()) spec.arguments.push_back("--partition=" + executor_.partition);
    spec.arguments.insert(spec.arguments.end(), executor_.options.begin(), executor_.options.end());
    spec.arguments.emplace_back("--");
    spec.arguments.insert(spec.arguments.end(), command.begin(), command.end());
    return spec;
  }

  [[nodiscard]] std::string waits_for(const std::stop_token& stop) const override {
    const auto job = look(stop);
    if (!job) return {};
    if (job->state == "PENDING") return fmt::format("Slurm has not started job {} yet: {}", job->id, job->reason);
    return fmt::format("Slurm job {} is {}", job->id, job->state);
  }

  [[nodiscard]] Error why_gone(const ProcessOutcome& outcome) const override {
    // Killed by somebody: then nobody else holds the job any more, and it might go on until Slurm misses its srun.
    if (std::holds_alternative<Signalled>(outcome.end)) cancel();
    std::optional<JobState> job;
    const Wait wait{.awaited = "the end of the job",
                    .deadline = until_it_is_said,
                    .interval = Milliseconds(500),
                    .last_seen = {},
                    .stop = {}};
    // When that is never said, what is known is told.
    (void)wait_until(clock_, wait, [&] {
      job = look({});
      return !job || is_over(*job);
    });
    if (job && !is_over(*job)) cancel();
    auto text = "srun ended: " + outcome.describe();
    if (job) {
      const auto where = job->node.empty() ? "" : fmt::format(" on node {}", job->node);
      text += fmt::format("; Slurm says of job {}{}: {}", job->id, where, job->state);
      if (!job->reason.empty() && job->reason != "None") text += fmt::format(" ({})", job->reason);
    } else {
      text += "; Slurm says nothing of it";
    }
    if (const auto last = last_lines(outcome.errors, 3); !last.empty()) text += "; " + last;
    return infrastructure_error(std::move(text), hint_for(job ? job->state : ""));
  }

  void cancel() const override { (void)processes_.run(by_slurm("scancel", {"--quiet", "--name=" + name_})); }

 private:
  [[nodiscard]] std::optional<JobState> look(const std::stop_token& stop) const {
    const auto outcome = processes_.run(
        by_slurm("squeue", {"--noheader", "--states=all", "--name=" + name_, "--format=%i|%T|%r|%N"}), stop);
    if (!outcome.succeeded()) return std::nullopt;
    return job_state_in(outcome.output);
  }

  [[nodiscard]] std::string hint_for(const std::string& state) const {
    if (state == "TIMEOUT")
      return fmt::format("it had {} minutes: \"time_limit_minutes\" of the executor says how many it gets",
                         request_.time_limit_minutes);
    if (state == "OUT_OF_MEMORY")
      return fmt::format("it had {} MiB, by the \"memory_mib\" of its machines", request_.memory_mib);
    if (state == "NODE_FAIL") return "'sinfo --list-reasons' says what is known of the node";
    if (state == "PREEMPTED") return "name a partition or a QOS whose jobs are not preempted";
    if (state == "CANCELLED") return "somebody cancelled it, or srun lost its connection to the node";
    if (state.empty()) return "'sinfo' says whether slurmctld answers, and which partitions there are";
    return "the log of the cell may say more";
  }

  const Executor executor_;
  const CellRequest request_;
  const std::string name_;
  ProcessRunner& processes_;
  Clock& clock_;
};

}  // namespace

Result<void> check_slurm(ProcessRunner& processes) {
  if (std::getenv("SLURM_JOB_ID") != nullptr) {
    return configuration_error("this is a job of Slurm already: cells would be steps in it instead of jobs",
                               "start patchlab with --executor outside of Slurm, such as on the login node");
  }
  for (const auto* program : {"srun", "squeue", "scancel"}) {
    const auto outcome = processes.run(by_slurm(program, {"--version"}));
    if (outcome.succeeded()) continue;
    return configuration_error(fmt::format("'{}' of Slurm: {}", program, outcome.describe()),
                               "install slurm-client here, with the slurm.conf of the cluster");
  }
  return {};
}

std::shared_ptr<cell::Launch> launch_by_slurm(const Executor& executor, const CellRequest& request,
                                              const std::string& name, ProcessRunner& processes, Clock& clock) {
  return std::make_shared<SlurmJob>(executor, request, name, processes, clock);
}

}  // namespace patchlab::runners::host

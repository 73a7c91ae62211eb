// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/libvirt/acceleration.hpp"
#include "lab/network/host_facts.hpp"
#include "lab/network/watch.hpp"
#include "reports/record/host_keys.hpp"
#include "reports/record/kept_files.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/run_exit_code.hpp"
#include "runners/engine/content_images.hpp"
#include "runners/engine/controls.hpp"
#include "runners/engine/definition.hpp"
#include "runners/engine/each_alone.hpp"
#include "runners/engine/host_facts.hpp"
#include "runners/engine/kept_baselines.hpp"
#include "runners/engine/kept_controls.hpp"
#include "runners/engine/kept_convictions.hpp"
#include "runners/engine/planned_checks.hpp"
#include "runners/engine/planned_closes.hpp"
#include "runners/engine/run.hpp"
#include "runners/engine/run_folder.hpp"
#include "runners/host/node_wait.hpp"
#include "runners/host/room.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

reports::CandidateRecord candidate_record(const patches::Candidate& candidate, const Plan& plan) {
  const auto source = plan.sources.find(candidate.id);
  reports::CandidateRecord record{.id = candidate.id,
                                  .title = candidate.title,
                                  .severity = to_string(candidate.severity),
                                  .kind = candidate.kind,
                                  .origin = to_string(candidate.origin),
                                  .digest = candidate.digest,
                                  .source = source == plan.sources.end() ? "" : source->second.string(),
                                  .files = {},
                                  .prerequisites = candidate.prerequisites,
                                  .supersedes = candidate.supersedes};
  for (const auto& file : candidate.files)
    record.files.push_back({file.name, file.sha256, file.bytes, file.signature ? describe(*file.signature) : ""});
  return record;
}

std::string sentence(const std::string& department, const reports::TrialRecord& trial) {
  auto text = fmt::format("{}: {} {}", department, to_string(trial.purpose), trial.id);
  if (!trial.candidates.empty()) text += fmt::format(" [{}]", fmt::join(trial.candidates, ", "));
  text += fmt::format(": {}", to_string(trial.outcome));
  if (!trial.signature.empty()) {
    std::set<std::string> machines;
    for (const auto& key : trial.signature) machines.insert(reports::machine_of_key(key));
    text += fmt::format(" on {} ({} facts, the first is {})", fmt::join(machines, ", "), trial.signature.size(),
                        trial.signature.front());
  }
  if (trial.error) text += fmt::format(": {}", trial.error->message);
  return text + fmt::format(", {:.1f} s", static_cast<double>(trial.duration_ms) / 1000.0);
}

// Tells trials to progress and events as they end; everything else goes straight through.
class WatchedCell final : public cell::CellClient {
 public:
  WatchedCell(cell::CellClient& inner, std::string department, Progress& progress, RunFolder& folder)
      : inner_(inner), department_(std::move(department)), progress_(progress), folder_(folder) {}
  Result<reports::TrialRecord> prepare(const cell::CellJob& job) override { return told(inner_.prepare(job)); }
  Result<reports::TrialRecord> run_trial(const cell::TrialJob& job) override {
    folder_.event(
        department_,
        {{"event", "trial-begin"}, {"trial", job.id}, {"purpose", job.purpose}, {"candidates", job.candidates}});
    return told(inner_.run_trial(job));
  }
  Result<cell::LearntMachines> learn(const cell::CellJob& job, const cell::LearnJob& wanted) override {
    return inner_.learn(job, wanted);
  }
  Result<cell::Refreshed> refresh(const cell::CellJob& job, const cell::RefreshJob& wanted) override {
    return inner_.refresh(job, wanted);
  }
  Result<cell::GuestReplies> record(const cell::CellJob& job) override { return inner_.record(job); }
  Result<Json> control_knowledge() override { return inner_.control_knowledge(); }
  Result<void> know(const Json& knowledge) override { return inner_.know(knowledge); }
  Result<void> forget_installs() override { return inner_.forget_installs(); }
  Result<Json> installs_for_later(const std::map<std::string, std::vector<std::string>>& digests) override {
    auto states = inner_.installs_for_later(digests);
    if (!states)
      progress_.say(department_ + ": what is installed is not kept for later runs: " + states.error().message);
    return states;
  }
  Result<void> probe_fence(const std::string& phase) override { return inner_.probe_fence(phase); }
  void close() override { inner_.close(); }

 private:
  Result<reports::TrialRecord> told(Result<reports::TrialRecord> trial) {
    if (!trial) {
      progress_.say(department_ + ": " + trial.error().message);
      folder_.event(department_, {{"event", "error"}, {"error", trial.error()}});
      return trial;
    }
    progress_.say(sentence(department_, *trial));
    folder_.event(department_, {{"event", "trial-end"},
                                {"trial", trial->id},
                                {"outcome", to_string(trial->outcome)},
                                {"signature", trial->signature}});
    return trial;
  }
  cell::CellClient& inner_;
  std::string department_;
  Progress& progress_;
  RunFolder& folder_;
};

constexpr const char* changed_during_the_run = "changed during the run";
constexpr std::size_t least_slots = 2;  // as on a host: Scratch::slot_count
constexpr Milliseconds look_for_room_every{500};

class Execution {
 public:
  Execution(const Plan& plan, const RunOptions& options, const HostTools& tools, Progress& progress,
            std::stop_token stop, RunFolder& folder)
      : plan_(plan), options_(options), tools_(tools), progress_(progress), stop_(std::move(stop)), folder_(folder) {}

  Result<reports::RunRecord> run(const BeforeMachines& before_machines) {
    begin();
    PATCHLAB_TRY(keep_programs());
    if (before_machines) PATCHLAB_TRY(before_machines(record_));
    if (hold_images()) run_departments();
    finish();
    folder_.event("", {{"event", "run-end"}, {"exit_code", number(reports::exit_code_for(record_))}});
    digest_what_was_kept();
    return std::move(record_);
  }

 private:
  void begin() {
    record_.id = folder_.id();
    record_.tool_version = PATCHLAB_VERSION;
    record_.scenario_name = plan_.scenario.name;
    record_.scenario_title = plan_.scenario.title;
    record_.scenario_digest = plan_.scenario.digest;
    record_.started = rfc3339(clock_.wall());
    record_.asked = {options_.departments, options_.roles, options_.candidates,
                     options_.controls,    plan_.with,     plan_.carry};
    record_.not_tested = plan_.not_tested;
    record_.host = host_facts(tools_.processes);
    for (const auto& candidate : plan_.candidates) record_.candidates.push_back(candidate_record(candidate, plan_));
    choose_accelerator();
    Json policy = plan_.scenario.trial;
    record_.digests["policy"] = sha256(policy.dump());
    for (const auto& job : plan_.departments) {
      record_.departments.push_back(planned_department(plan_, job));
      const auto& domain = golden_of(job.cell.department, job.cell.machines.front().plan.name).domain;
      if (domain && !domain->host->name().empty())
        record_.host["cell of " + job.cell.department] = "on '" + domain->host->name() + "', by ssh";
    }
    folder_.event("", {{"event", "run-begin"},
                       {"run", record_.id},
                       {"scenario", record_.scenario_name},
                       {"digest", record_.scenario_digest}});
    for (const auto& sentence : plan_.carried) say(sentence);
  }

  // The programs that are checks, as they are executed: what a verdict rests on can be looked at later.
  Result<void> keep_programs() const {
    for (const auto& job : plan_.departments) {
      for (const auto& machine : job.cell.machines) {
        for (const auto& check : machine.plan.checks) {
          if (!check.program) continue;
          const auto folder = folder_.path() / "programs" / check.program->sha256;
          PATCHLAB_TRY(create_folders(folder));
          PATCHLAB_TRY(write_file_atomically(folder / check.program->name, check.program->bytes));
        }
      }
    }
    return {};
  }

  // Clones of domains run as those say.
  void choose_accelerator() {
    if (plan_.executor) return;  // each node says so of itself
    const auto image =
        std::ranges::find_if(plan_.goldens, [](const auto& golden) { return golden.second.image.has_value(); });
    if (image == plan_.goldens.end()) return;
    const auto acceleration = lab::libvirt::usable_acceleration(
        tools_.processes, {.kernel = image->second.image->kernel, .cache_folder = tools_.cache});
    kvm_ = acceleration.accelerator == lab::Accelerator::kvm;
    record_.host[reports::accelerator_key] = kvm_ ? "kvm" : "tcg";
    record_.host["acceleration"] = acceleration.reason;
  }

  [[nodiscard]] const Golden& golden_of(const std::string& department, const std::string& machine) const {
    const auto& departments = plan_.scenario.departments;
    const auto& machines = std::ranges::find(departments, department, &DepartmentPlan::name)->machines;
    return plan_.goldens.at(key_of(std::ranges::find(machines, machine, &MachinePlan::name)->golden));
  }

  bool hold_images() {
    for (const auto& [key, golden] : plan_.goldens) {
      if (!golden.image) continue;  // a domain is held since it was planned
      auto lock = lab::image::hold(*golden.image);
      auto intact = lock ? verify(golden) : Result<void>(lock.error());
      if (!intact) {
        record_.error = std::move(intact).error();
        return false;
      }
      holds_.push_back(std::move(lock).value());
    }
    return true;
  }

  Result<void> verify(const Golden& golden) {
    const auto key = (golden.image ? "image " : "domain ") + golden.name;
    progress_.begin(key, "comparing its digest");
    auto result = runners::verify(golden);
    progress_.end(key);
    return result;
  }

  void run_departments() {
    for (const auto& sentence : leftovers_of_crashed_runs(plan_.goldens)) say(sentence);
    const auto host = lab::network::collect_host_facts();
    this_host_ = cell::host_class(options_.program, tools_.processes);
    auto outside = lab::network::OutsideWatch::start();
    begin_departments(host);
    for (auto& [host_class, kept] : kept_) {
      if (kept.answers) kept.answers->trim();
      if (kept.convictions) kept.convictions->trim();
      if (kept.controls) kept.controls->trim();
    }
    if (states_) trim_states();
    note_what_was_heard_outside(outside);
  }

  // Each when its machines have room; a later one that has passes one that has not. Returns when all of them have ended.
  void begin_departments(const lab::network::HostFacts& host) {
    host::Room room(folder_.scratch().path(), tools_.memory);
    std::vector<std::jthread> threads;  // joined at the end
    std::vector<std::size_t> waiting;
    for (const auto i : begin_order(plan_.departments)) {
      if (record_.departments[i].tested_in.empty()) waiting.push_back(i);
    }
    std::map<std::size_t, std::string> why;
    const auto begun = [&](std::size_t index) {
      auto place = room_for(room, index);
      const auto& name = record_.departments[index].name;
      if (!place) {
        give_up(record_.departments[index], std::move(place).error());
        return true;
      }
      if (why[index] != place->why) say(fmt::format("{}: {}", name, place->why));
      why[index] = place->why;
      if (place->is_needed && !place->room) return false;
      threads.emplace_back([this, index, &host, held = std::move(place->room)] { run_department(index, host); });
      return true;
    };
    const Wait wait{.awaited = "memory for the machines of all departments",
                    .deadline = plan_.departments.front().cell.policy.run_deadline,
                    .interval = look_for_room_every,
                    .last_seen = {},
                    .stop = stop_};
    static_cast<void>(wait_until(clock_, wait, [&] {
      std::erase_if(waiting, begun);
      return waiting.empty();
    }));
    for (const auto index : waiting) {
      give_up(record_.departments[index],
              stop_.stop_requested()
                  ? cancelled()
                  : infrastructure_error("it had no room when the run was at its deadline: " + why[index],
                                         "test fewer departments in one run, give the host more memory, or raise "
                                         "\"run_deadline_s\" of the scenario's \"trial\""));
    }
  }

  struct PlaceHere {
    bool is_needed = true;
    std::optional<host::PromisedRoom> room{};
    std::string why{};
  };
  // Machines on other hosts take none of this one's.
  [[nodiscard]] Result<PlaceHere> room_for(host::Room& room, std::size_t index) const {
    const auto& cell = plan_.departments[index].cell;
    const auto& domain = golden_of(cell.department, cell.machines.front().plan.name).domain;
    if (domain ? !domain->host->name().empty() : plan_.executor.has_value()) return PlaceHere{.is_needed = false};
    PATCHLAB_ASSIGN(auto answer, room.ask(cell.department, host::memory_of(cell),
                                          static_cast<std::uint64_t>(memory_.now_kib()) / 1024));
    return PlaceHere{true, std::move(answer.room), std::move(answer.why)};
  }

  static Error cancelled() { return {ErrorClass::cancelled, "the run was cancelled", {}}; }

  // What runs leave for later ones, of one class of hosts. Another program, or another hypervisor, might have seen
  // something else.
  struct Kept {
    std::optional<KeptAnswers> answers;
    std::optional<KeptConvictions> convictions;
    std::optional<KeptControls> controls;
    std::optional<KeptBaselines> baselines;
    std::optional<TrialMemo> memo;
  };

  // Made when the first department asks.
  Kept& kept_of(const cell::HostClass& host) {
    const std::lock_guard lock(kept_mutex_);
    const auto [found, is_new] = kept_.try_emplace(host.all() + "\n" + std::to_string(speed_of(host)));
    auto& kept = found->second;
    if (!is_new) return kept;
    if (host.program.empty()) {
      say("answers, convictions, controls and states of earlier runs are not used: the program cannot be read");
    } else {
      open_answers(kept, host);
      open_convictions(kept, host);
      open_controls(kept, host);
      open_states(kept, host);
    }
    kept.memo.emplace(kept.answers ? &*kept.answers : nullptr);
    return kept;
  }

  // The first speed of this class that was told within what two looks differ by.
  std::uint32_t speed_of(const cell::HostClass& host) {
    auto& speeds = speeds_[host.all()];
    for (const auto speed : speeds) {
      if (KeptBaselines::is_same_speed(speed, host.ticks_mhz)) return speed;
    }
    return speeds.emplace_back(host.ticks_mhz);
  }

  [[nodiscard]] KeptNotes::Place notes(const char* name, std::string asked_by, Milliseconds most_age) const {
    return {.folder = tools_.cache / name,
            .run = record_.id,
            .asked_by = std::move(asked_by),
            .most_age = most_age,
            .reads = !options_.anew};
  }
  [[nodiscard]] KeptNotes::Tell teller() {
    return [this](const std::string& sentence) { say(sentence); };
  }

  void open_answers(Kept& kept, const cell::HostClass& host) {
    if (plan_.scenario.reuse_search <= Milliseconds{0}) return;
    kept.answers.emplace(notes("answers", host.program_and_hypervisor(), plan_.scenario.reuse_search), clock_,
                         teller());
  }

  void open_convictions(Kept& kept, const cell::HostClass& host) {
    if (plan_.scenario.reuse_convictions <= Milliseconds{0}) return;
    kept.convictions.emplace(notes("convictions", host.program_and_hypervisor(), plan_.scenario.reuse_convictions),
                             clock_, teller());
  }

  // How a machine behaves by itself depends on what emulates it, and on what that runs on.
  void open_controls(Kept& kept, const cell::HostClass& host) {
    if (plan_.scenario.reuse_controls <= Milliseconds{0}) return;
    kept.controls.emplace(notes("controls", host.all(), plan_.scenario.reuse_controls), clock_, teller());
  }

  // What QEMU saved is for the same QEMU on the same sort of host.
  void open_states(Kept& kept, const cell::HostClass& host) {
    if (plan_.scenario.reuse_states <= Milliseconds{0}) return;
    if (!states_) states_.emplace(tools_.cache / "states", plan_.scenario.reuse_states_bytes, clock_, teller());
    kept.baselines.emplace(*states_,
                           KeptBaselines::Maker{.run = record_.id,
                                                .made_by = host.all(),
                                                .ticks = host.ticks_mhz,
                                                .most_age = plan_.scenario.reuse_states,
                                                .most_age_of_installs = plan_.scenario.reuse_installs,
                                                .takes_installs = !options_.anew},
                           clock_, teller());
  }

  void trim_states() {
    if (const auto trimmed = states_->trim(states_->most_bytes()); !trimmed)
      say("kept states are not trimmed: " + trimmed.error().message);
  }

  // On the devices of this host, during the whole run. What a department says is heard by all that hear it, so each of
  // them is told. Nothing is demanded of who may not listen; it is said.
  void note_what_was_heard_outside(const Result<std::unique_ptr<lab::network::OutsideWatch>>& outside) {
    const auto found = outside ? (*outside)->take() : std::set<std::string>();
    reports::FenceAttempt attempt{"after", "outside", "devices of the host", !found.empty(), {}};
    attempt.sent = outside.has_value();
    if (!outside) {
      attempt.evidence = "not observed: " + outside.error().message;
    } else if (found.empty()) {
      attempt.evidence = "no beacon of a cell was heard there during the run";
    } else {
      attempt.evidence = fmt::format("heard there: {}", fmt::join(found, ", "));
    }
    for (std::size_t i = 0; i < record_.departments.size(); ++i) {
      if (!record_.departments[i].tested_in.empty()) continue;  // nothing of it was there
      auto copy = attempt;
      const auto& cell = plan_.departments[i].cell;
      const auto& domain = golden_of(cell.department, cell.machines.front().plan.name).domain;
      auto where = domain ? domain->host->name() : "";
      if (const auto node = nodes_.find(cell.department); node != nodes_.end()) where = node->second;
      if (!where.empty()) {
        copy.sent = copy.answered = false;
        copy.evidence = "not observed: its machines were on " + where;
      }
      record_.departments[i].fence.attempts.push_back(std::move(copy));
    }
  }

  void run_department(std::size_t index, const lab::network::HostFacts& host) {
    auto job = plan_.departments[index];
    auto& department = record_.departments[index];
    job.cell.accelerator = kvm_ ? "kvm" : "tcg";
    job.cell.evidence = folder_.path() / "evidence" / department.name;
    job.cell.facts = plan_.facts.has_value();
    job.run_began = origin_;
    job.cell.host = host;
    job.cell.worker_program = options_.program;
    if (job.cell.libvirt) job.cell.libvirt->run = folder_.id();
    const auto root = folder_.scratch().path() / std::to_string(index);
    if (auto made = create_folders(root); !made) return give_up(department, std::move(made).error());
    if (auto made = create_folders(job.cell.evidence); !made) return give_up(department, std::move(made).error());
    cell::CellStart start{.program = options_.program,
                          .department = department.name,
                          .root = root,
                          .kind = job.cell.libvirt ? cell::CellKind::on_libvirt : cell::CellKind::embedded,
                          .offer_kvm = kvm_,
                          .log = folder_.path() / (department.name + ".log")};
    const auto media = tools_.cache / "media";
    if (auto made = create_folders(media); !made) return give_up(department, std::move(made).error());
    std::optional<cell::ContentQuestion> content;
    if (plan_.executor && !job.cell.libvirt) {
      auto wanted = images_by_content(job.cell);
      if (!wanted) return give_up(department, std::move(wanted).error());
      content = std::move(*wanted);
      // On a node there are processors that only this cell has.
      job.cell.slots = root / "slots";
      job.cell.slot_count = std::max<std::size_t>(plan_.executor->cpus, least_slots);
      if (auto made = host::make_slots(job.cell.slots, job.cell.slot_count); !made)
        return give_up(department, std::move(made).error());
      start.launch = host::launch_by_slurm(*plan_.executor, host::request_of(*plan_.executor, job.cell),
                                           host::job_name(folder_.id(), department.name), tools_.processes, clock_);
    } else {
      job.cell.slots = folder_.scratch().slots();
      job.cell.slot_count = host::Scratch::slot_count();
    }
    cell::let_see(start, job.cell, media);
    auto question = question_about_place(start, job.cell);
    question.content = content;
    const auto launch = start.launch;
    auto lab = start_cell(std::move(start), job.cell);
    if (!lab) return give_up(department, std::move(lab).error());
    // Cancelling must not wait for the step that is under way: the cell goes down at once, and its calls return.
    const cell::ClosesOnStop cancel(**lab, stop_);
    auto host_class = this_host_;
    if (launch) {
      auto place = await_place(**lab, *launch, question, job.cell);
      if (!place) {
        (*lab)->close();
        return give_up(department, stop_.stop_requested() ? cancelled() : std::move(place).error());
      }
      host_class = place->host_class;
    }
    WatchedCell watched(**lab, department.name, progress_, folder_);
    auto& kept = kept_of(host_class);
    std::unique_ptr<BaselineStates> states =
        kept.baselines && !options_.instead ? kept.baselines->of(job.cell, root, stop_) : nullptr;
    job.states = states.get();
    const bool searches = job.controls == 0 && !job.each_alone;
    job.cell.keep_installs = states && searches && plan_.scenario.reuse_installs > Milliseconds{0};
    job.convictions = kept.convictions ? &*kept.convictions : nullptr;
    job.kept_controls = kept.controls ? &*kept.controls : nullptr;
    listen(department.name, job.states);
    auto result = options_.instead ? options_.instead(job, watched, stop_) : run_as_asked(job, watched, *kept.memo);
    if (!result.error) (void)(*lab)->probe_fence("after");
    if (content && !result.error) look_again_at_images(department.name, **lab);
    (*lab)->close();
    listen(department.name, nullptr);
    const std::lock_guard lock(mutex_);
    result.machines = std::move(department.machines);
    result.phases = std::move(department.phases);
    result.fence = std::move(fences_[department.name]);
    department = std::move(result);
  }

  reports::DepartmentRecord run_as_asked(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo) {
    if (job.each_alone) return run_each_alone(job, lab, memo, clock_, stop_);
    if (job.controls > 0) return run_controls(job, lab, stop_);
    return DepartmentRun(job, lab, memo, clock_, stop_).run();
  }

  [[nodiscard]] static cell::PlaceQuestion question_about_place(const cell::CellStart& start,
                                                                const cell::CellJob& job) {
    cell::PlaceQuestion question{job.machines.front().kernel, {start.root}};
    question.files.insert(question.files.end(), start.readable.begin(), start.readable.end());
    question.files.insert(question.files.end(), start.writable.begin(), start.writable.end());
    return question;
  }

  // Waits until the cell runs on a node, and fills in what is of that.
  Result<cell::Place> await_place(cell::CellClient& lab, const cell::Launch& launch,
                                  const cell::PlaceQuestion& question, cell::CellJob& job) {
    const auto& department = job.department;
    progress_.begin(department, "waiting for a node");
    auto place = host::await_place(lab, launch, question,
                                   {clock_, origin_, job.policy.run_deadline,
                                    [&](const std::string& sentence) { say(department + ": " + sentence); }});
    progress_.end(department);
    if (!place) {
      say(department + ": " + place.error().message);
      return place;
    }
    if (place->host_class.program != this_host_.program) {
      return configuration_error(
          fmt::format("node {} runs another '{}' than this host", place->host, options_.program),
          "install the same version of patchlab on all nodes, or start it from a file system that they share");
    }
    job.host = place->facts;
    job.slot_count = std::clamp(place->processors, least_slots, job.slot_count);
    job.accelerator = place->accelerator;
    const auto where = fmt::format("node {}, Slurm job {}", place->host, place->job);
    say(fmt::format("{}: runs on {}, with {} processors, {}", department, where, place->processors,
                    place->accelerator));
    const std::lock_guard lock(mutex_);
    record_.host["cell of " + department] = "on " + where;
    if (!cell::is_here(*place)) nodes_[department] = "node " + place->host;
    accelerators_.insert(place->accelerator);
    accelerations_.insert(place->acceleration);
    record_.host[reports::accelerator_key] = fmt::format("{}", fmt::join(accelerators_, ", "));
    record_.host[reports::accelerator_key_of(department)] = place->accelerator;
    record_.host["acceleration"] = fmt::format("{}", fmt::join(accelerations_, "; "));
    if (place->host_class != this_host_) {
      record_.host["node of " + department] =
          fmt::format("{}, {},{}", place->host_class.kernel, place->host_class.qemu, place->host_class.processor);
    }
    return place;
  }

  // Nothing: nodes see the images of this host.
  Result<std::optional<cell::ContentQuestion>> images_by_content(cell::CellJob& job) {
    if (!plan_.executor->content) return std::optional<cell::ContentQuestion>();
    const auto image_of = [&](const std::string& machine) -> const lab::image::GoldenImage& {
      return *golden_of(job.department, machine).image;
    };
    progress_.begin(job.department, "taking digests of blocks");
    auto question = start_from_content(*plan_.executor->content, image_of, tools_.cache, stop_, job);
    progress_.end(job.department);
    if (!question) return std::move(question).error();
    const std::lock_guard lock(mutex_);
    images_after_[job.department] = "";
    return std::optional(std::move(*question));
  }

  // Those of this host say nothing of the copies that its machines started from.
  void look_again_at_images(const std::string& department, cell::CellClient& lab) {
    const auto intact = lab.images_again();
    if (!intact) say(department + ": " + intact.error().message);
    const std::lock_guard lock(mutex_);
    if (intact)
      images_after_.erase(department);
    else if (intact.error().error_class == ErrorClass::configuration)
      images_after_[department] = changed_during_the_run;
  }

  void listen(const std::string& department, BaselineStates* states) {
    const std::lock_guard lock(mutex_);
    listening_[department] = states;
  }

  Result<std::unique_ptr<cell::CellClient>> start_cell(cell::CellStart start, cell::CellJob& job) {
    const auto on_event_here = [this](const std::string& name, const Json& event) { on_event(name, event); };
    const auto& domain = golden_of(job.department, job.machines.front().plan.name).domain;
    if (!domain) return cell::start_cell(start, on_event_here);
    start.to_clean = clean_command(domain->ref.uri, job.libvirt->storage);
    return domain->host->start_cell(folder_.id(), std::move(start), job, on_event_here);
  }

  void give_up(reports::DepartmentRecord& department, Error error) {
    const std::lock_guard lock(mutex_);
    department.error = std::move(error);
    department.outcome = Outcome::error;
    for (auto& verdict : department.verdicts) {
      verdict.outcome = Outcome::error;
      verdict.reason = department.error->message;
    }
  }

  void say(const std::string& sentence) {
    progress_.say(sentence);
    folder_.event("", {{"event", "note"}, {"text", sentence}});
  }

  void on_event(const std::string& department, Json event) {
    // A cell counts by the host's clock; everybody else from the begin of the run.
    if (event.contains("start_ms")) event["start_ms"] = event["start_ms"].get<std::int64_t>() - origin_.count();
    if (event.value("event", "") == "left" || event.value("event", "") == "images")
      progress_.say(department + ": " + event.value("text", ""));
    progress_.cell_event(department, event);
    folder_.event(department, event);
    const std::lock_guard lock(mutex_);
    if (auto* states = listening_[department]; states != nullptr) states->heard(event);
    if (event.value("event", "") == "timing") {
      record_.timings.push_back({department, event.value("machine", ""), event.value("trial", ""),
                                 event.value("phase", ""), event.value("start_ms", std::int64_t{0}),
                                 event.value("duration_ms", std::int64_t{0})});
    }
    if (event.value("event", "") != "fence") return;
    auto& fence = fences_[department];
    for (const auto& item : event["attempts"]) {
      if (auto attempt = reports::fence_attempt_from_json(item))
        fence.attempts.push_back(std::move(attempt).value());
      else
        fence.troubles.push_back(attempt.error().message);
    }
    for (const auto& trouble : event["troubles"]) fence.troubles.push_back(trouble.get<std::string>());
  }

  void finish() {
    for (auto& department : record_.departments) {
      for (auto& machine : department.machines) {
        const auto& golden = golden_of(department.name, machine.name);
        // Two hosts may have the same domain, and one of them may have changed.
        const auto where = golden.domain ? golden.domain->ref.uri : "";
        const auto [known, is_new] = digests_after_.try_emplace({where, golden.digest});
        if (is_new) known->second = digest_after(golden);
        machine.golden_digest_after = known->second;
        if (const auto copy = images_after_.find(department.name);
            copy != images_after_.end() && known->second == golden.digest)
          machine.golden_digest_after = copy->second;
      }
    }
    if (options_.controls == 0) note_closes(plan_.scenario.planned, record_);
    if (plan_.facts) note_likeness();
    for (const auto& department : record_.departments)
      std::ranges::move(reports::not_observed(department), std::back_inserter(record_.not_tested));
    std::ranges::sort(record_.timings, {}, &reports::TimingRecord::start_ms);
    record_.peak_memory_kib = memory_.peak_kib();
    record_.finished = rfc3339(clock_.wall());
    record_.duration_ms = (clock_.now() - origin_).count();
    record_.complete = !stop_.stop_requested() && !record_.error;
    if (stop_.stop_requested() && !record_.error) record_.error = cancelled();
  }

  // What the machines said at the baseline, against what those of production said: both stay with the run, so that
  // anybody can compare them again.
  void note_likeness() {
    for (std::size_t i = 0; i < plan_.departments.size(); ++i) {
      auto& department = record_.departments[i];
      const auto folder = folder_.path() / "evidence" / department.name / lab::facts::evidence_folder;
      for (auto& machine : department.machines) {
        const auto name = department.name + "/" + machine.name;
        const auto given = plan_.facts->find(name);
        std::optional<lab::facts::GivenFacts> production;
        if (given != plan_.facts->end()) production = given->second;
        machine.likeness = lab::facts::likeness_of(machine.role, golden_facts(i, machine.name, folder), production,
                                                   (plan_.facts_folder / (name + ".json")).string());
        if (production && create_folders(folder))
          (void)write_file_atomically(folder / (machine.name + ".production.json"), production->text);
        if (machine.likeness->state() != lab::facts::LikenessState::alike)
          record_.not_tested.push_back(
              fmt::format("machine '{}' is not known to be like production: {}", name, sentence_of(*machine.likeness)));
      }
    }
  }
  [[nodiscard]] lab::facts::Facts golden_facts(std::size_t department, const std::string& machine,
                                               const std::filesystem::path& folder) const {
    const auto& machines = plan_.departments[department].cell.machines;
    const auto job = std::ranges::find(machines, machine, [](const cell::MachineJob& one) { return one.plan.name; });
    const auto file = folder / (machine + ".json");
    auto why = std::string("nothing came of what it said at the baseline");
    if (is_there(file)) {
      const auto text = read_file(file, lab::facts::most_bytes);
      auto facts = text ? lab::facts::read_facts(*text, machine) : Result<lab::facts::Facts>(text.error());
      if (facts) return std::move(*facts);
      why = "what it said is not understood: " + facts.error().message;
    } else if (const auto said = read_file(folder / (machine + ".txt"), lab::facts::most_bytes)) {
      constexpr std::size_t longest_why = 300;
      why = "it could not say: " + printable(trimmed(*said, " \t\r\n").substr(0, longest_why));
    }
    auto facts = lab::facts::facts_of_installed(job == machines.end() ? InstalledSet() : job->planned_with, why);
    if (job != machines.end()) facts.family = job->system.family;
    return facts;
  }

  // Cells are down, and the last event is written: what lies in the folder now is what the record speaks of.
  void digest_what_was_kept() {
    auto files = reports::kept_files_in(folder_.path());
    if (files) {
      record_.evidence = std::move(*files);
    } else {
      record_.not_tested.push_back("The files that the run kept have no digests: " + files.error().message);
    }
  }

  // Empty when nobody can tell: that is not a change, and nothing is promoted by it either.
  std::string digest_after(const Golden& golden) {
    const auto verified = verify(golden);
    if (verified) return golden.digest;
    say(verified.error().message);
    return verified.error().error_class == ErrorClass::configuration ? changed_during_the_run : "";
  }

  const Plan& plan_;
  const RunOptions& options_;
  const HostTools& tools_;
  Progress& progress_;
  std::stop_token stop_;
  RunFolder& folder_;
  Clock& clock_ = tools_.clock;
  Milliseconds origin_ = clock_.now();
  MemorySampler memory_;
  cell::HostClass this_host_;
  std::optional<snapshots::StateStore> states_;
  std::mutex kept_mutex_;
  std::map<std::string, Kept> kept_;                          // by host class
  std::map<std::string, std::vector<std::uint32_t>> speeds_;  // by host class, in MHz
  std::map<std::string, BaselineStates*> listening_;          // by department
  std::map<std::string, std::string> nodes_;                  // that are other hosts: by department
  std::set<std::string> accelerators_, accelerations_;        // of nodes
  std::mutex mutex_;
  std::map<std::string, reports::FenceRecord> fences_;
  std::map<std::pair<std::string, std::string>, std::string> digests_after_;  // by libvirt, and digest before
  std::map<std::string, std::string> images_after_;  // copies on nodes: by department, what is not well with them
  std::vector<FileLock> holds_;
  bool kvm_ = false;
  reports::RunRecord record_;
};

}  // namespace

Result<FinishedRun> execute(const Plan& plan, const RunOptions& options, const HostTools& tools, Progress& progress,
                            std::stop_token stop, const BeforeMachines& before_machines) {
  PATCHLAB_ASSIGN(auto folder, RunFolder::create(options.runs, tools.clock));
  auto record = Execution(plan, options, tools, progress, std::move(stop), folder).run(before_machines);
  if (!record) {
    static_cast<void>(remove_tree(folder.path()));  // nothing ran
    return std::move(record).error();
  }
  return FinishedRun{std::move(record).value(), folder.path()};
}

}  // namespace patchlab::runners

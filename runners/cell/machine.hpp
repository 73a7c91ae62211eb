// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "reports/record/record.hpp"
#include "runners/cell/change_watch.hpp"
#include "runners/cell/context.hpp"
#include "runners/cell/control_knowledge.hpp"
#include "runners/cell/expectation.hpp"
#include "runners/cell/guest_replies.hpp"
#include "runners/cell/host_share.hpp"
#include "runners/cell/installer.hpp"
#include "runners/cell/kept_states.hpp"
#include "runners/cell/learner.hpp"
#include "runners/cell/observation.hpp"
#include "runners/cell/observer_trouble.hpp"
#include "runners/cell/readiness.hpp"
#include "runners/cell/restart.hpp"
#include "runners/cell/role_checks.hpp"
#include "runners/cell/service_cycles.hpp"
#include "runners/cell/stability.hpp"
#include "runners/cell/turns.hpp"

namespace patchlab::runners::cell {

// One clone, as a trial sees it: in which order things are done to it and looked at. How each is done is a part's with
// a file of its own. Used by one trial at a time; different machines work in parallel.
class CellMachine {
 public:
  CellMachine(CellContext& context, const MachineJob& job);
  CellMachine(const CellMachine&) = delete;
  CellMachine& operator=(const CellMachine&) = delete;

  [[nodiscard]] const std::string& name() const { return guest_.name(); }
  [[nodiscard]] const MachineJob& job() const { return guest_.job; }
  [[nodiscard]] lab::guest::GuestAdapter& adapter() { return *guest_.adapter; }

  // Starts the defined machine and waits until it is ready for checks.
  [[nodiscard]] Result<void> boot(const std::string& trial);
  // The same of a machine whose disk holds a baseline that an earlier run saved: it goes on from there. `usual_ready`:
  // what usual_ready() was then. What else lies there, trials start from, or it is removed.
  [[nodiscard]] Result<void> go_on_from_kept(const std::string& trial, const KeptBaseline& kept);
  // Where trials start from now on.
  void begin_with(const snapshots::SnapshotName& baseline) { kept_states_.begin_with(baseline); }
  // No trial starts any more from a state that an earlier run had a part in. Not while one is under way.
  std::size_t forget_states_of_earlier_runs() { return kept_states_.forget_of_earlier_runs(); }
  // Of its states those that later runs may begin with, with the first of these candidates installed; nothing else is
  // left in its disk, and no trial can follow.
  [[nodiscard]] Result<std::vector<PatchedState>> states_for_later(const std::vector<std::string>& digests) {
    return kept_states_.for_later(digests);
  }
  // How long the role's ports took at the baseline.
  [[nodiscard]] Milliseconds usual_ready() const { return readiness_.usual(); }
  // Looks at everything, with nothing to compare with yet, and remembers it: host state, installed set, check results.
  [[nodiscard]] reports::PhaseRecord observe_baseline();
  // A kind of log line that a plain restart brings (seen in the control trial) is noise, and known from then on.
  void learn_log_kind(const std::string& kind) { observation_.learn_log_kind(kind); }
  // Likewise any other change that a machine makes by itself, by its key (checks/state/learnt.hpp).
  void learn_change(const std::string& key) { known_changes_.insert(key); }

  // What a control taught so far; and the same of another night, in place of all that controls taught. After the
  // baseline.
  [[nodiscard]] ControlKnowledge control_knowledge();
  void know(const ControlKnowledge& knowledge);

  using Checkpoints = cell::Checkpoints;
  // Back to where this trial begins, agent answering, clock set. An Error here is the lab's trouble.
  [[nodiscard]] Result<void> revert(const std::string& trial, const std::vector<InstallJob>& jobs,
                                    Checkpoints checkpoints);
  using Learning = cell::Learning;
  // Checks and state comparison against the baseline.
  [[nodiscard]] reports::PhaseRecord examine(const std::string& trial, const std::string& phase,
                                             Learning learning = Learning::no);
  // What others than the role's checks say now; decides nothing. None could be asked: the list is empty.
  [[nodiscard]] std::vector<checks::CheckResult> ask_beside(const std::string& trial);
  // Applies the candidates one after another, after a revert with the same jobs: those that its state holds are not
  // applied again, their records say where that was done. Ends at the first that fails. What the guest does not take is
  // skipped, and the others are still applied, so that one trial tells of all of them: what is on the machine then is
  // not the set that was asked for.
  [[nodiscard]] std::vector<reports::InstallRecord> install(const std::string& trial,
                                                            const std::vector<InstallJob>& jobs,
                                                            const std::filesystem::path& medium,
                                                            std::optional<Error>& error);
  // Adds to an installation of the trial that is under way what of it the guest listed when it was looked at last, and
  // says what of that a person has to look at.
  [[nodiscard]] std::optional<reports::StateDifference> look_at_effect(reports::InstallRecord& install) const;
  // Takes away again what `install` put there, the latest first, as far as the guest's family and the packages allow.
  // After it `examine` expects the baseline, with what could not be removed.
  [[nodiscard]] std::vector<reports::InstallRecord> remove(const std::string& trial,
                                                           const std::vector<InstallJob>& jobs,
                                                           std::optional<Error>& error);
  using Reboot = cell::Reboot;
  // Restarts, and again as long as the guest wants it, and waits until ready. A guest that is seen not to come back is
  // an observation about the patch: the returned phase then fails. When nothing is seen, it ends in an error.
  [[nodiscard]] std::optional<reports::PhaseRecord> reboot(const std::string& trial, const std::string& phase,
                                                           Reboot kind);
  // Lets the machine run, with some of its checks as a load, which needs no processor slot; ends early when it stops by
  // itself.
  [[nodiscard]] Result<void> run_on(const std::string& trial, Milliseconds duration);
  // Stops and starts the services of its role while its checks are asked, and waits until it is ready for them again.
  // What came of it is in the next examine(). Of a trial without a patch with `learning` there: what it does by itself.
  [[nodiscard]] Result<void> cycle_services(const std::string& trial);
  // Installs the next package of its job, which lies on `medium`, behind whatever was installed in the trial. What came
  // of it is in the next examine(). An Error: nobody saw what.
  [[nodiscard]] Result<void> install_next(const std::string& trial, const std::filesystem::path& medium);
  // Sets its clock so much later than the host's, and waits until it has nothing more to do by that.
  [[nodiscard]] Result<void> move_clock(const std::string& trial, const std::string& phase, Milliseconds later);
  // Of a phase in the control that may fail without a patch: what fails in it will fail with any patch.
  void learn_failures(reports::PhaseRecord& record);
  // T2 of a lease that a check got at the baseline; nothing: none did.
  [[nodiscard]] std::optional<std::chrono::seconds> lease_t2() const { return lease_t2_; }
  // What `patchlab learn` is for; after boot().
  [[nodiscard]] Result<checks::learn::Learnt> learn(const LearnJob::Wanted& wanted);
  // What `patchlab guest record` is for, in place of boot(): starts it and asks it everything that only asks. An Error
  // of class configuration: it is no Windows machine.
  [[nodiscard]] Result<GuestReplies> record();
  // What is installed now, and the system's own list of it. An Error of class configuration: it has no such list.
  struct PackageList {
    InstalledSet installed;
    std::string text;
  };
  [[nodiscard]] Result<PackageList> package_list();
  // Shuts it down cleanly, and waits until it is off: then everything is on its disk.
  [[nodiscard]] Result<void> shut_down(const std::string& trial);
  // For the proof of the fence; needs no processor slot.
  [[nodiscard]] Result<lab::guest::OutreachSeen> reach_out(const lab::guest::Outreach& wanted);
  // Saves logs below `folder`; what cannot be had is noted in the text.
  void save_evidence(const std::filesystem::path& folder);

 private:
  [[nodiscard]] Result<void> go_back_to(const KeptStates::Start& start, const std::string& trial);
  [[nodiscard]] Result<void> await_agent_and_set_clock();
  void leave_out_usual_failures(reports::PhaseRecord& record) const;
  void compare_cycles(Cycled seen, reports::PhaseRecord& record, Learning learning);
  void compare_next(std::optional<reports::NextPackage> next, reports::PhaseRecord& record);
  void compare_with_control(reports::PhaseRecord& record, Learning learning);
  void compare_growth(const RanOn& seen, reports::PhaseRecord& record, Learning learning);
  [[nodiscard]] Result<void> compare_whole(reports::PhaseRecord& record);
  void keep_facts();
  // The only place where what a guest says becomes a file.
  void keep_evidence(const std::filesystem::path& file, const std::string& text) const;

  Guest guest_;
  Turns turns_{guest_};
  Readiness readiness_{guest_};
  ObserverTrouble trouble_{guest_};
  HostShare host_share_{guest_};
  RoleChecks role_checks_{guest_};
  Observation observation_{guest_};
  ChangeWatch watch_{guest_.job.shipped};
  std::set<std::string> known_changes_;
  std::vector<std::string> candidates_;  // of the trial that is under way
  Installer installer_{guest_, trouble_};
  KeptStates kept_states_{guest_, readiness_};
  const Redactor secrets_;
  bool baseline_was_quiet_ = false;
  RanOn ran_on_;                                                 // in the stability phase that was just over
  std::optional<checks::growth::Watched> usual_growth_;          // in the control's stability phase
  Cycled cycled_;                                                // in the phase of the services that is under way
  std::optional<reports::NextPackage> next_package_;             // in its phase that is under way
  std::set<std::string> usual_phases_;                           // that a control made, of those that may fail
  std::set<std::string> logged_by_cycles_;                       // in the trial that is under way: kinds of log lines
  std::map<std::string, std::set<std::string>> usual_failures_;  // in the control, by phase
  std::optional<std::chrono::seconds> lease_t2_;
  Milliseconds later_{0};  // than the host's is its clock
  Expectation expected_;
  Observation::Patched patched_ = Observation::Patched::no;  // in the trial that is under way
  std::string baseline_boot_id_;
  Checkpoints use_checkpoints_ = Checkpoints::no;  // in the trial that is under way
  std::vector<reports::InstallRecord> applied_;    // what the state holds from which it started
};

// pass, fail or error, from what the phase holds.
[[nodiscard]] Outcome machine_outcome(const reports::PhaseRecord& phase);

}  // namespace patchlab::runners::cell

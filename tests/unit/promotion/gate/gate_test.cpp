// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/gate/gate.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "reports/record/findings.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using reports::DepartmentRecord;
using reports::RunRecord;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

Today today() {
  using namespace std::chrono;
  return {.now = sys_days{year{2026} / 11 / 22} + hours{7}};
}

Decision decide_on(const RunRecord& record, const std::string& department = "finance") {
  return decide(record, department, {}, today());
}

// Exactly one requirement, with this text.
testing::Matcher<const std::vector<Requirement>&> says(const std::string& text) {
  return ElementsAre(testing::ResultOf([](const Requirement& requirement) { return to_string(requirement); }, text));
}

auto has_code(ReasonCode code) { return Contains(Field(&Requirement::code, code)); }

// One way to spoil a good record, and the reason that must stand against it.
struct Spoiling {
  const char* name;
  ReasonCode code;
  std::function<void(RunRecord&, DepartmentRecord&)> spoil;
};
void PrintTo(const Spoiling& spoiling, std::ostream* out) { *out << spoiling.name; }

reports::TrialRecord& baseline(DepartmentRecord& department) { return department.trials[0]; }
reports::TrialRecord& control(DepartmentRecord& department) { return department.trials[1]; }
reports::TrialRecord& final_trial(DepartmentRecord& department) { return department.trials[2]; }

// The same candidates were tried before, and a check failed.
void add_failure_of(DepartmentRecord& department, reports::TrialRecord trial) {
  trial.id = "finance/t0";
  std::erase_if(trial.phases,
                [&](const auto& phase) { return std::ranges::count(trial.machines, phase.machine) == 0; });
  if (trial.machines.size() == 1) {
    std::erase_if(trial.candidates, [&](const auto& id) {
      return std::ranges::count(find_verdict(department, id)->machines, trial.machines[0]) == 0;
    });
  }
  trial.phases[0].checks[0].outcome = trial.phases[0].outcome = trial.outcome = Outcome::fail;
  department.trials.push_back(std::move(trial));
}

// Likewise on machines that went on from a state of an earlier run; then it was installed anew, and passed.
void add_failure_before_it_was_installed_anew(DepartmentRecord& department) {
  add_failure_of(department, final_trial(department));
  auto& lost = department.trials.back();
  lost.retried_as = department.final_trial;
  for (auto& install : lost.installs) install.installed_run = "20261128-010000-aaaa";
}

// It failed, and passed when it was asked again in the same phase.
void make_flaky(reports::TrialRecord& trial) {
  trial.phases[0].checks[0].tries = {{Outcome::fail, Milliseconds(20), "no-answer", "nothing", Json()},
                                     {Outcome::pass, Milliseconds(10), "", "", Json()}};
}

const std::vector<Spoiling>& spoilings() {
  using enum ReasonCode;
  using R = RunRecord&;
  using D = DepartmentRecord&;
  static const std::vector<Spoiling> all{
      {"Interrupted", run_incomplete, [](R r, D) { r.complete = false; }},
      {"RunError", run_incomplete, [](R r, D) { r.error = infrastructure_error("disk full"); }},
      {"NoId", run_incomplete, [](R r, D) { r.id.clear(); }},
      {"NoEnd", run_incomplete, [](R r, D) { r.finished.clear(); }},
      {"EndIsNoTime", run_incomplete, [](R r, D) { r.finished = "yesterday"; }},
      {"EndWithoutZone", run_incomplete, [](R r, D) { r.finished = "2026-11-22T06:13:31"; }},
      {"NoMachines", run_incomplete, [](R, D d) { d.machines.clear(); }},
      {"NoPhases", run_incomplete, [](R, D d) { d.phases.clear(); }},
      {"TooOld", stale, [](R r, D) { r.finished = "2026-11-15T06:59:59.000Z"; }},
      {"OnlyControlsWereAskedFor", not_asked, [](R r, D) { r.asked.controls = 1; }},
      {"FromTheFuture", stale, [](R r, D) { r.finished = "2026-11-22T07:06:00.000Z"; }},
      {"Answer", fence_breach, [](R, D d) { d.fence.attempts[4].answered = true; }},
      {"NoAttempts", fence_unproven, [](R, D d) { d.fence.attempts.clear(); }},
      {"OneProbeNotTriedOnce", fence_unproven,
       [](R, D d) {
         std::erase_if(d.fence.attempts, [](const auto& a) { return a.phase == "during" && a.probe == "dns"; });
       }},
      {"NoProbesAfter", fence_unproven,
       [](R, D d) { std::erase_if(d.fence.attempts, [](const auto& a) { return a.phase == "after"; }); }},
      {"DeafListener", fence_unproven,
       [](R, D d) {
         for (auto& a : d.fence.attempts)
           a.answered = a.answered && !(a.control && a.probe == "tcp" && a.phase == "during");
       }},
      {"NoFenceControl", fence_unproven,
       [](R, D d) { std::erase_if(d.fence.attempts, [](const auto& a) { return a.control && a.phase == "before"; }); }},
      {"ControlNotSent", fence_unproven,
       [](R, D d) {
         for (auto& a : d.fence.attempts) a.sent = !(a.control && a.probe == "ipv6-nd");
       }},
      {"OnlyTheControlWasTried", fence_unproven,
       [](R, D d) { std::erase_if(d.fence.attempts, [](const auto& a) { return !a.control && a.probe == "ping"; }); }},
      {"TriedButNotSent", fence_unproven,
       [](R, D d) {
         for (auto& a : d.fence.attempts) a.sent = a.control || a.probe != "arp" || a.phase != "after";
       }},
      {"NobodyListenedDuring", fence_unproven,
       [](R, D d) {
         std::erase_if(d.fence.attempts, [](const auto& a) { return a.probe == "watch" && a.phase == "during"; });
       }},
      {"NobodyCouldListenDuring", fence_unproven,
       [](R, D d) {
         for (auto& a : d.fence.attempts) a.sent = a.sent && !(a.probe == "watch" && a.phase == "during");
       }},
      {"SomebodyWasHeardBetweenTheProbes", fence_breach,
       [](R, D d) {
         for (auto& a : d.fence.attempts) a.answered = a.answered || (a.probe == "watch" && a.phase == "after");
       }},
      {"AGuestWasAnswered", fence_breach,
       [](R, D d) {
         d.fence.attempts.push_back({.phase = "before", .probe = "guest-arp", .target = "192.0.2.2", .answered = true});
       }},
      {"OnlyAGuestTried", fence_unproven,
       [](R, D d) {
         for (auto& a : d.fence.attempts) a.probe = a.probe == "arp" ? "guest-arp" : a.probe;
       }},
      {"ProbeNotSent", fence_unproven, [](R, D d) { d.fence.troubles = {"no IPv6"}; }},
      {"GoldenChanged", golden_image_changed, [](R, D d) { d.machines[1].golden_digest_after = sha256("other"); }},
      {"GoldenNotLookedAtAfter", golden_image_changed, [](R, D d) { d.machines[0].golden_digest_after.clear(); }},
      {"NoGoldenDigest", digest_mismatch, [](R, D d) { d.machines[0].golden_digest = "latest"; }},
      {"NoCandidateDigest", digest_mismatch, [](R r, D) { r.candidates[0].digest.clear(); }},
      {"OtherCandidateDigest", digest_mismatch, [](R r, D) { r.candidates[0].digest = sha256("swapped"); }},
      {"NoCandidateDigestInTheWholeRecord", digest_mismatch,
       [](R r, D d) {
         r.candidates[0].digest = "latest";
         final_trial(d).set_digest = reports::patch_set_digest({"latest", r.candidates[1].digest});
       }},
      {"NoFiles", digest_mismatch, [](R r, D) { r.candidates[1].files.clear(); }},
      {"NoFileDigest", digest_mismatch, [](R r, D) { r.candidates[1].files[0].sha256.clear(); }},
      {"CandidateTwice", digest_mismatch, [](R r, D) { r.candidates.push_back(r.candidates[0]); }},
      {"FlakySincePatched", not_reproduced, [](R, D d) { make_flaky(final_trial(d)); }},
      {"FlakyInEveryTrialOfTheSet", not_reproduced,
       [](R, D d) {
         make_flaky(final_trial(d));
         d.trials.push_back(final_trial(d));
         d.trials.back().id = "finance/t9";
       }},
      {"FlakyAndTheOtherTrialOfTheSetWasLost", not_reproduced,
       [](R, D d) {
         d.trials.push_back(final_trial(d));
         d.trials.back().id = "finance/t9";
         d.trials.back().outcome = Outcome::error;
         make_flaky(final_trial(d));
       }},
      {"FlakyAndTheOtherTrialOfTheSetIsIncomplete", not_reproduced,
       [](R, D d) {
         d.trials.push_back(final_trial(d));
         d.trials.back().id = "finance/t9";
         d.trials.back().phases.pop_back();
         make_flaky(final_trial(d));
       }},
      {"SetDigest", digest_mismatch, [](R, D d) { final_trial(d).set_digest = sha256("x"); }},
      {"NoBaseline", baseline_broken, [](R, D d) { d.trials.erase(d.trials.begin()); }},
      {"BaselineFailed", baseline_broken, [](R, D d) { baseline(d).outcome = Outcome::fail; }},
      {"BaselineCheckFailed", baseline_broken, [](R, D d) { baseline(d).phases[0].checks[2].outcome = Outcome::fail; }},
      {"BaselineCheckSkipped", baseline_broken,
       [](R, D d) { baseline(d).phases[0].checks[2].outcome = Outcome::skipped; }},
      {"BaselineWithPatch", baseline_broken, [](R, D d) { baseline(d).candidates = {"tidy"}; }},
      {"BaselineOfOneMachine", baseline_broken, [](R, D d) { baseline(d).machines.pop_back(); }},
      {"BaselineCheckNotExecuted", coverage_missing, [](R, D d) { baseline(d).phases[1].checks.clear(); }},
      {"NoControl", control_failed, [](R, D d) { d.trials.erase(d.trials.begin() + 1); }},
      {"ControlFailed", control_failed, [](R, D d) { control(d).outcome = Outcome::fail; }},
      {"ControlError", control_failed, [](R, D d) { control(d).error = timeout_error("reboot"); }},
      {"ControlStateChanged", control_failed,
       [](R, D d) {
         control(d).phases[0].differences.push_back({"service", "cron", "running", ""});
       }},
      {"ControlWithPatch", control_failed, [](R, D d) { control(d).candidates = {"tidy"}; }},
      {"ControlLostForNoOther", control_failed, [](R, D d) { control(d).retried_as = "finance/t99"; }},
      {"ControlLostForItself", control_failed, [](R, D d) { control(d).retried_as = control(d).id; }},
      {"TheSameSetFailed", not_reproduced, [](R, D d) { add_failure_of(d, final_trial(d)); }},
      {"TheSameSetFailedOnOneMachine", not_reproduced,
       [](R, D d) {
         auto part = final_trial(d);
         part.machines = {"dns"};
         add_failure_of(d, part);
       }},
      {"TheSameSetFailedAsAnEarlierRunHadInstalledIt", not_reproduced,
       [](R, D d) { add_failure_before_it_was_installed_anew(d); }},
      {"NotReproduced", not_reproduced,
       [](R, D d) {
         d.flaky.push_back({reports::FlakeKind::not_reproduced, "dns/a-record", {"tidy"}, {"finance/t8"}, {}});
       }},
      {"DepartmentError", lab_error, [](R, D d) { d.error = infrastructure_error("the cell died"); }},
      {"DepartmentEndedInError", lab_error, [](R, D d) { d.outcome = Outcome::error; }},
      {"DepartmentNotReached", lab_error, [](R, D d) { d.outcome = Outcome::not_reached; }},
      {"PassWithFailures", lab_error, [](R, D d) { d.verdicts[0].failed = {"dns/a-record"}; }},
      {"OutcomeOfTheFuture", lab_error, [](R, D d) { d.verdicts[0].outcome = static_cast<Outcome>(17); }},
      {"NoVerdict", verdict_missing, [](R, D d) { d.verdicts.pop_back(); }},
      {"TwoVerdicts", verdict_missing, [](R, D d) { d.verdicts.push_back(d.verdicts[0]); }},
      {"VerdictOnAStranger", verdict_missing,
       [](R, D d) { d.verdicts.push_back(d.verdicts[0]), d.verdicts.back().candidate = "stranger"; }},
      {"NoFinalTrial", no_final_trial, [](R, D d) { d.final_trial.clear(); }},
      {"FinalTrialUnknown", no_final_trial, [](R, D d) { d.final_trial = "finance/t99"; }},
      {"FinalTrialTwice", no_final_trial, [](R, D d) { d.trials.push_back(final_trial(d)); }},
      {"ReusedFromNowhere", no_final_trial, [](R, D d) { final_trial(d).reused_from = "finance/t99"; }},
      {"ReusedFromAnotherSet", no_final_trial, [](R, D d) { final_trial(d).reused_from = "finance/t1"; }},
      {"FinalSetSmaller", final_set_differs, [](R, D d) { final_trial(d).candidates.pop_back(); }},
      {"FinalSetLarger", final_set_differs, [](R, D d) { final_trial(d).candidates.emplace_back("extra"); }},
      {"FinalSetRepeats", final_set_differs, [](R, D d) { final_trial(d).candidates.push_back("tidy"); }},
      {"FinalOnPartOfTheDepartment", final_set_differs, [](R, D d) { final_trial(d).machines = {"dns"}; }},
      {"MorePassThanTested", final_set_differs,
       [](R r, D d) {
         r.candidates.push_back(r.candidates[0]), r.candidates.back().id = "late";
         d.verdicts.push_back(d.verdicts[0]), d.verdicts.back().candidate = "late";
       }},
      {"FinalFailed", final_trial_failed, [](R, D d) { final_trial(d).outcome = Outcome::fail; }},
      {"FinalSkipped", final_trial_failed, [](R, D d) { final_trial(d).outcome = Outcome::skipped; }},
      {"FinalError", final_trial_failed, [](R, D d) { final_trial(d).error = guest_error("silent agent"); }},
      {"FinalPhaseError", final_trial_failed, [](R, D d) { final_trial(d).phases[1].error = timeout_error("check"); }},
      {"FinalPhaseNotReached", final_trial_failed,
       [](R, D d) { final_trial(d).phases[1].outcome = Outcome::not_reached; }},
      {"FinalCheckFailed", final_trial_failed,
       [](R, D d) { final_trial(d).phases[3].checks[1].outcome = Outcome::fail; }},
      {"FinalCheckError", final_trial_failed,
       [](R, D d) { final_trial(d).phases[3].checks[1].outcome = Outcome::error; }},
      {"FinalCheckHidesAnError", final_trial_failed,
       [](R, D d) { final_trial(d).phases[3].checks[1].error = timeout_error("x"); }},
      {"FinalStateChanged", final_trial_failed,
       [](R, D d) {
         final_trial(d).phases[2].differences.push_back({"listener", "tcp 53", "named", ""});
       }},
      {"FinalInstallFailed", final_trial_failed, [](R, D d) { final_trial(d).installs[0].outcome = Outcome::fail; }},
      {"CheckNotExecuted", coverage_missing, [](R, D d) { final_trial(d).phases[0].checks.pop_back(); }},
      {"CheckSkipped", coverage_missing, [](R, D d) { final_trial(d).phases[0].checks[0].outcome = Outcome::skipped; }},
      {"CheckNotReached", coverage_missing,
       [](R, D d) { final_trial(d).phases[0].checks[0].outcome = Outcome::not_reached; }},
      {"PhaseNotExecuted", coverage_missing, [](R, D d) { final_trial(d).phases.pop_back(); }},
      {"MachineWithoutChecks", coverage_missing, [](R, D d) { d.machines[0].checks.clear(); }},
      {"InstallationMissing", coverage_missing, [](R, D d) { final_trial(d).installs.pop_back(); }},
      {"InstallationSkipped", coverage_missing, [](R, D d) { final_trial(d).installs[0].outcome = Outcome::skipped; }},
      {"InstalledInATrialThatIsNotThere", coverage_missing,
       [](R, D d) { final_trial(d).installs[0].installed_in = "finance/t99"; }},
      {"InstalledInATrialThatDidNot", coverage_missing,
       [](R, D d) { final_trial(d).installs[0].installed_in = control(d).id; }},
      {"InstalledInItself", coverage_missing, [](R, D d) { final_trial(d).installs[0].installed_in = d.final_trial; }},
      {"PassOnNoMachine", coverage_missing, [](R, D d) { d.verdicts[0].machines.clear(); }},
      {"NothingPassed", nothing_to_promote,
       [](R, D d) {
         for (auto& v : d.verdicts) v.outcome = Outcome::fail;
       }},
  };
  return all;
}

class SpoiledRecord : public testing::TestWithParam<Spoiling> {};

TEST_P(SpoiledRecord, PromotesNothingAndSaysWhy) {
  auto record = tests::good_record();
  GetParam().spoil(record, record.departments[0]);
  const auto decision = decide_on(record);
  EXPECT_FALSE(decision.promotes());
  EXPECT_THAT(decision.promotable, IsEmpty());
  EXPECT_THAT(decision.blocking(), has_code(GetParam().code));
  EXPECT_TRUE(std::ranges::is_sorted(decision.requirements, {}, &Requirement::code));
}
INSTANTIATE_TEST_SUITE_P(Gate, SpoiledRecord, testing::ValuesIn(spoilings()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

// A requirement is not met for a reason that says of what it is, and is never said to be met besides.
TEST_P(SpoiledRecord, SaysOfWhatAndNeverBothMetAndNot) {
  auto record = tests::good_record();
  GetParam().spoil(record, record.departments[0]);
  const auto decision = decide_on(record);
  std::map<ReasonCode, std::set<bool>> met;
  for (const auto& requirement : decision.requirements) {
    met[requirement.code].insert(requirement.met);
    EXPECT_NE(requirement.text, "");
    if (requirement.met) {
      EXPECT_EQ(requirement.command, "") << to_string(requirement);
    } else {
      EXPECT_NE(requirement.subject.run + requirement.subject.department, record.id.empty() ? "-" : "");
    }
  }
  for (const auto& [code, both] : met) EXPECT_EQ(both.size(), 1U) << to_string(code);
}

TEST(Gate, SaysWhatIsMetAsWell) {
  const auto met = [](const Decision& decision) {
    std::vector<std::string> words;
    for (const auto& requirement : decision.requirements) {
      EXPECT_TRUE(requirement.met) << to_string(requirement);
      words.emplace_back(to_string(requirement.code));
    }
    return words;
  };
  const std::vector<std::string> asked{"policy-not-in-force",
                                       "run-incomplete",
                                       "stale",
                                       "narrowed",
                                       "coverage-shrunk",
                                       "fence-breach",
                                       "fence-unproven",
                                       "golden-image-changed",
                                       "digest-mismatch",
                                       "baseline-broken",
                                       "control-failed",
                                       "lab-error",
                                       "verdict-missing",
                                       "no-final-trial",
                                       "final-set-differs",
                                       "final-trial-failed",
                                       "not-reproduced",
                                       "coverage-missing",
                                       "prerequisite-held-back",
                                       "nothing-to-promote",
                                       "needs-decision"};
  EXPECT_EQ(met(decide_on(tests::good_record())), asked);
  // What was not asked is not said to be met: nobody looked into a ledger, and no control was wanted or tried.
  auto record = tests::good_record();
  record.departments[0].trials.erase(record.departments[0].trials.begin() + 1);
  Policy lenient;
  lenient.control = ControlTrial::if_present;
  auto asking = today();
  asking.standing = Standing{.recorded = true};
  const auto words = met(decide(record, "finance", lenient, asking));
  EXPECT_THAT(words, Contains("not-recorded"));
  EXPECT_THAT(words, Not(Contains("control-failed")));
}

TEST(Gate, SaysWhoseControlItWas) {
  const auto said = [](const reports::RunRecord& record) {
    const auto decision = decide_on(record);
    EXPECT_TRUE(decision.blocking().empty());
    return std::ranges::find(decision.requirements, ReasonCode::control_failed, &Requirement::code)->text;
  };
  auto record = tests::good_record();
  EXPECT_EQ(said(record), "the same reboots without a patch passed");
  control(record.departments[0]).reused_run = "20261128-010000-aaaa";
  control(record.departments[0]).reused_from = "finance/t01";
  EXPECT_EQ(said(record),
            "the same reboots without a patch passed, as run 20261128-010000-aaaa saw of the same machines");
}

// Nobody has to take texts apart to know which check on which machine it is.
TEST(Gate, NamesTheCheckTheMachineThePhaseAndTheTrial) {
  const auto unmet = [](const std::function<void(DepartmentRecord&)>& spoil) {
    auto record = tests::good_record();
    spoil(record.departments[0]);
    return decide_on(record).blocking();
  };
  const auto about = [](const Subject& subject) { return Contains(Field(&Requirement::subject, subject)); };
  const auto good = tests::good_record();
  const auto& phase = good.departments[0].trials[2].phases[2];
  Subject check{.department = "finance",
                .machine = phase.machine,
                .check = phase.checks[0].id,
                .phase = phase.phase,
                .trial = "finance/t2"};
  EXPECT_THAT(unmet([](auto& d) { final_trial(d).phases[2].checks[0].outcome = Outcome::fail; }), about(check));
  check.check = "state:listener:tcp 53";
  EXPECT_THAT(unmet([](auto& d) {
                final_trial(d).phases[2].differences.push_back({"listener", "tcp 53", "named", ""});
              }),
              about(check));
  EXPECT_THAT(unmet([](auto& d) { final_trial(d).installs[0].outcome = Outcome::fail; }),
              about({.department = "finance", .machine = "dns", .candidate = "dns-update", .trial = "finance/t2"}));
  EXPECT_THAT(unmet([](auto& d) { d.machines[0].golden_digest_after.clear(); }),
              about({.department = "finance", .machine = "dns"}));
  EXPECT_THAT(unmet([](auto& d) {
                std::erase_if(d.fence.attempts, [](const auto& a) { return a.phase == "during" && a.probe == "dns"; });
              }),
              about({.department = "finance", .phase = "during"}));
  EXPECT_THAT(unmet([](auto& d) {
                d.flaky.push_back({reports::FlakeKind::not_reproduced, "dns/a-record", {"tidy"}, {"finance/t8"}, {}});
              }),
              about({.department = "finance", .machine = "dns", .check = "a-record"}));
}

class Findings : public testing::Test {
 protected:
  DepartmentRecord& department() { return record_.departments[0]; }
  static reports::StateDifference changed(const std::string& after,
                                          checks::state::FindingClass finding = checks::state::FindingClass::review) {
    return {"file", "/etc/named.conf", "a", after, finding, "no package brings it", {}};
  }
  [[nodiscard]] Decision decision() const { return decide(record_, "finance", policy_, today()); }
  [[nodiscard]] std::vector<Requirement> unmet() const { return decision().blocking(); }

  RunRecord record_ = tests::good_record();
  Policy policy_;
};

TEST_F(Findings, ThatNobodyLookedAtNeedADecisionEach) {
  policy_.waivers.what = {Waivable::review};
  const auto machine = final_trial(department()).phases[0].machine;
  std::size_t phases = 0;
  for (auto& phase : final_trial(department()).phases) {
    if (phase.machine == machine) phase.differences.push_back(changed("b")), ++phases;
  }
  ASSERT_GT(phases, 1U);
  const auto found = unmet();
  ASSERT_EQ(found.size(), 1U) << "the same in several phases is one";
  EXPECT_EQ(found[0].code, ReasonCode::needs_decision);
  EXPECT_EQ(found[0].subject, (Subject{.department = "finance",
                                       .machine = machine,
                                       .check = reports::finding_name(changed("b")),
                                       .kind = "file",
                                       .item = "/etc/named.conf",
                                       .digest = reports::finding_digest(changed("b")),
                                       .candidates = {"dns-update", "tidy"}}));
  EXPECT_EQ(found[0].command,
            fmt::format("patchlab waive {} --department finance --what {} --until TIME --ticket TICKET --reason REASON "
                        "--key KEY",
                        record_.id, reports::finding_key(machine, changed("b"))));
  EXPECT_EQ(to_string(found[0]),
            fmt::format("needs-decision: finance/{}/file /etc/named.conf: file /etc/named.conf on {} changed in "
                        "after-install, after-reboot-1 with dns-update, tidy: no package brings it",
                        machine, machine));
  EXPECT_EQ(exit_code_of(decision()), ExitCode::policy);
  EXPECT_TRUE(is_for_people(ReasonCode::needs_decision));
  // Another content of the same file is another one, and so it is on another machine.
  final_trial(department()).phases[0].differences.push_back(changed("c"));
  EXPECT_EQ(unmet().size(), 2U);
  for (auto& phase : final_trial(department()).phases) {
    if (phase.machine == machine) continue;
    phase.differences.push_back(changed("c"));
    break;
  }
  EXPECT_EQ(unmet().size(), 3U);
}

TEST_F(Findings, CanBeAcceptedByNobodyWhereThePolicyLetsNobody) {
  final_trial(department()).phases[0].differences = {changed("b")};
  const auto found = unmet();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].command, "");
  EXPECT_THAT(found[0].text, testing::HasSubstr("the policy lets nobody accept it ('review' is not under 'what' of"));
}

TEST_F(Findings, WithoutAPatchOrOfOtherSetsAskNobody) {
  baseline(department()).phases[0].differences = {changed("b")};
  control(department()).phases[0].differences = {changed("b")};
  EXPECT_TRUE(decision().promotes());
  auto other = final_trial(department());
  other.id = "finance/t0";
  other.purpose = reports::Purpose::search;
  other.candidates = {"tidy"};
  other.phases[0].differences = {changed("b")};
  department().trials.push_back(other);
  EXPECT_TRUE(decision().promotes());
  department().trials.back().candidates = {"tidy", "dns-update"};
  EXPECT_FALSE(decision().promotes()) << "what is to be promoted was there";
}

TEST_F(Findings, OfEachClassAreWhatThePolicySays) {
  using checks::state::FindingClass;
  auto& differences = final_trial(department()).phases[0].differences;
  differences = {changed("b", FindingClass::notice)};
  EXPECT_TRUE(decision().promotes());
  EXPECT_THAT(decision().by, testing::HasSubstr("; 1 change that nothing explains, and nobody had to look"));
  policy_.findings.notice = FindingRule::needs_decision;
  EXPECT_THAT(unmet(), ElementsAre(Field(&Requirement::code, ReasonCode::needs_decision)));
  differences = {changed("b"), changed("c")};
  policy_.findings = {FindingRule::shown, FindingRule::needs_decision};
  EXPECT_TRUE(decision().promotes());
  EXPECT_THAT(decision().by, testing::HasSubstr("; 2 changes that nothing explains, and nobody had to look"));
  // Whatever it says of the others.
  differences = {changed("b", FindingClass::breach)};
  for (const auto rule : {FindingRule::shown, FindingRule::needs_decision}) {
    policy_.findings = {rule, rule};
    EXPECT_FALSE(decision().promotes());
    EXPECT_THAT(unmet(), Not(has_code(ReasonCode::needs_decision)));
  }
}

// Nobody is told that an image changed when nobody looked.
TEST(Gate, SaysWhetherAGoldenImageChangedOrNobodyLooked) {
  auto record = tests::good_record();
  record.departments[0].machines[0].golden_digest_after.clear();
  EXPECT_THAT(decide_on(record).blocking(),
              says("golden-image-changed: finance/dns: its golden image was not verified after the run"));
  record.departments[0].machines[0].golden_digest_after = sha256("other");
  EXPECT_THAT(decide_on(record).blocking(),
              says("golden-image-changed: finance/dns: its golden image changed during the run"));
}

// To the second: what is as old as the policy allows is not too old yet.
TEST(Gate, TakesARunThatIsJustNotTooOld) {
  auto record = tests::good_record();
  record.finished = "2026-11-15T07:00:00.000Z";
  EXPECT_TRUE(decide_on(record).promotes());
  record.finished = "2026-11-22T07:05:00.000Z";
  EXPECT_TRUE(decide_on(record).promotes()) << "clocks of two hosts may differ a little";
}

TEST(Gate, NamesTheCommandThatWouldDo) {
  auto record = tests::good_record();
  record.finished = "2026-11-15T06:59:59.000Z";
  EXPECT_THAT(decide_on(record).blocking(), ElementsAre(Field(&Requirement::command, "patchlab run SCENARIO")));
  record = tests::good_record();
  record.departments[0].trials[2].outcome = Outcome::fail;
  EXPECT_THAT(decide_on(record).blocking(), Contains(Field(&Requirement::command, ""))) << "it failed, whoever asks";
}

TEST(Gate, PromotesWhatPassedAsTheExactSet) {
  const auto decision = decide_on(tests::good_record());
  EXPECT_TRUE(decision.promotes());
  EXPECT_THAT(decision.promotable, ElementsAre("dns-update", "tidy"));
  EXPECT_THAT(decision.reasons(), IsEmpty());
}

TEST(Gate, DecidesPerDepartment) {
  const auto record = tests::rich_record();
  EXPECT_THAT(decide_on(record, "finance").promotable, Contains("samba-share-defaults"));
  const auto engineering = decide_on(record, "engineering");
  EXPECT_TRUE(engineering.promotes());
  EXPECT_THAT(engineering.promotable, Not(Contains("samba-share-defaults")));
  EXPECT_THAT(engineering.held_back,
              Contains(AllOf(Field(&Requirement::subject, Field(&Subject::candidate, "samba-share-defaults")),
                             Field(&Requirement::code, ReasonCode::candidate_failed))));
}

TEST(Gate, TroubleInOneDepartmentDoesNotTouchTheOther) {
  auto record = tests::rich_record();
  record.departments[0].error = infrastructure_error("the cell died");
  EXPECT_FALSE(decide_on(record, "engineering").promotes());
  EXPECT_TRUE(decide_on(record, "finance").promotes());
}

TEST(Gate, ALeakInOneDepartmentVoidsTheRun) {
  auto record = tests::rich_record();
  record.departments[0].fence.attempts[0].answered = true;
  EXPECT_FALSE(decide_on(record, "engineering").promotes());
  const auto finance = decide_on(record, "finance");
  EXPECT_FALSE(finance.promotes());
  EXPECT_THAT(finance.blocking(),
              Contains(AllOf(Field(&Requirement::code, ReasonCode::fence_breach),
                             Field(&Requirement::subject, Field(&Subject::department, "engineering")))));
}

TEST(Gate, HoldsBackTheUndecidedAndPromotesTheRest) {
  auto record = tests::rich_record();
  for (auto& verdict : record.departments[1].verdicts) {
    if (verdict.candidate == "postfix-tls-strict") verdict.outcome = Outcome::error;
    if (verdict.candidate == "bind9-journal-cleanup") verdict.outcome = Outcome::not_reached;
    if (verdict.candidate == "pg-tuning-memory") verdict.outcome = Outcome::skipped;
  }
  record.departments[1].outcome = Outcome::error;
  const auto decision = decide_on(record);
  EXPECT_TRUE(decision.promotes());
  EXPECT_THAT(decision.held_back, ElementsAre(Field(&Requirement::code, ReasonCode::candidate_undecided),
                                              Field(&Requirement::code, ReasonCode::candidate_undecided),
                                              Field(&Requirement::code, ReasonCode::candidate_skipped),
                                              Field(&Requirement::code, ReasonCode::candidate_failed)));
}

TEST(Gate, RefusesACandidateWhosePrerequisiteIsHeldBack) {
  auto record = tests::rich_record();
  record.candidates[2].prerequisites = {"postfix-tls-strict"};
  EXPECT_THAT(decide_on(record).blocking(),
              says("prerequisite-held-back: base-files-tidy: needs postfix-tls-strict, which is held back"));
}

TEST(Gate, APrerequisiteMayBeFulfilledByWhatSupersedesIt) {
  auto record = tests::rich_record();
  record.candidates[2].prerequisites = {"of-last-month"};
  auto& newer = *std::ranges::find(record.candidates, "postfix-tls-strict", &reports::CandidateRecord::id);
  newer.supersedes = {"of-last-month"};
  EXPECT_THAT(decide_on(record).blocking(),
              says("prerequisite-held-back: base-files-tidy: needs postfix-tls-strict, which is held back"));
  newer.supersedes.clear();
  auto good = tests::good_record();
  good.candidates[0].prerequisites = {"of-last-month"};
  good.candidates[1].supersedes = {"of-last-month"};
  EXPECT_TRUE(decide_on(good).promotes());
}

TEST(Gate, AControlThatWasTriedAgainDoesNotCount) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  auto lost = control(department);
  lost.id = "finance/t0";
  lost.retried_as = control(department).id;
  lost.outcome = Outcome::error;
  lost.error = guest_error("the agent did not answer");
  lost.phases.clear();
  department.trials.insert(department.trials.begin() + 1, lost);
  EXPECT_TRUE(decide_on(record).promotes());
}

// The last try decides, which must be there and be one of the same kind.
TEST(Gate, ABaselineThatWasTriedAgainDoesNotCountWhenALaterOneIsThere) {
  for (const auto* place : {"finance/baseline-2", "finance/baseline", "finance/none", "finance/t1"}) {
    auto record = tests::good_record();
    auto& department = record.departments[0];
    auto& kept = *std::ranges::find(department.trials, reports::Purpose::baseline, &reports::TrialRecord::purpose);
    auto lost = kept;
    kept.id = "finance/baseline-2";
    lost.id = "finance/baseline";
    lost.retried_as = place;
    lost.outcome = Outcome::error;
    lost.error = guest_error("the agent did not answer");
    lost.phases.clear();
    department.trials.insert(department.trials.begin(), lost);
    const auto decision = decide_on(record);
    const bool good = std::string_view(place) == "finance/baseline-2";
    EXPECT_EQ(decision.promotes(), good) << place;
  }
}

TEST(Gate, ASetThatFailedMayGoWhenTheControlFailsOnTheSameFact) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  add_failure_of(department, final_trial(department));
  const auto fact = failure_signature(department.trials.back()).front();
  EXPECT_FALSE(decide_on(record).promotes());
  auto lost = control(department);
  lost.id = "finance/t00";
  lost.retried_as = control(department).id;
  auto& phase = *std::ranges::find(lost.phases, reports::machine_of_key(fact), &reports::PhaseRecord::machine);
  phase.checks[0].id = fact.substr(fact.find('/') + 1);
  phase.checks[0].outcome = phase.outcome = lost.outcome = Outcome::fail;
  department.trials.insert(department.trials.begin() + 1, lost);
  EXPECT_TRUE(decide_on(record).promotes()) << fact;
  Policy strict;
  strict.not_reproduced = NotReproduced::refused;
  EXPECT_THAT(decide(record, "finance", strict, today()).blocking(), has_code(ReasonCode::not_reproduced));
}

TEST(Gate, TakesTheResultsAFinalTrialReused) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  auto reused = department.trials[2];
  reused.id = department.final_trial = "finance/t3";
  reused.purpose = reports::Purpose::final;
  reused.reused_from = "finance/t2";
  reused.phases.clear();
  department.trials.push_back(reused);
  EXPECT_TRUE(decide_on(record).promotes());
  department.trials[2].phases[0].checks[0].outcome = Outcome::fail;
  EXPECT_FALSE(decide_on(record).promotes());
}

// A department of which one trial installed what the final one then started from.
RunRecord with_installation_in_another_trial() {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  auto maker = final_trial(department);
  maker.id = "finance/t9";
  maker.purpose = reports::Purpose::batch;
  maker.outcome = Outcome::fail;
  department.trials.push_back(maker);
  for (auto& install : final_trial(department).installs) install.installed_in = maker.id;
  return record;
}

TEST(Gate, TakesAStateThatAnotherTrialMadeByTheSameInstallations) {
  EXPECT_TRUE(decide_on(with_installation_in_another_trial()).promotes());
}

TEST(Gate, RefusesAStateThatWasMadeByOtherInstallations) {
  auto record = with_installation_in_another_trial();
  auto& installs = record.departments[0].trials.back().installs;
  const auto machine = installs.front().machine;
  installs.insert(installs.begin(), {.machine = machine, .candidate = "something-else", .outcome = Outcome::pass});
  EXPECT_THAT(decide_on(record).blocking(), has_code(ReasonCode::coverage_missing));
}

// The machines went on from a state that an earlier run kept, and these candidates were on them.
RunRecord with_installations_of_an_earlier_run() {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  for (auto& trial : department.trials) {
    if (trial.purpose == reports::Purpose::baseline) trial.state_of_run = "20261127-010000-aaaa";
  }
  for (auto& install : final_trial(department).installs) {
    install.installed_in = "finance/t02";
    install.installed_run = "20261128-010000-aaaa";
  }
  return record;
}

TEST(Gate, TakesWhatAnEarlierRunInstalledAndSaysSo) {
  const auto said = [](const reports::RunRecord& record) {
    const auto decision = decide_on(record);
    EXPECT_TRUE(decision.promotes());
    return std::ranges::find(decision.requirements, ReasonCode::coverage_missing, &Requirement::code)->text;
  };
  EXPECT_EQ(said(tests::good_record()), "every planned check and installation was executed");
  auto record = with_installations_of_an_earlier_run();
  EXPECT_EQ(said(record),
            fmt::format("every planned check and installation was executed, of the installations {} by run "
                        "20261128-010000-aaaa",
                        final_trial(record.departments[0]).installs.size()));
}

// What the trial that was installed anew showed as well is a matter of that trial: here its own control explained it.
TEST(Gate, WhatWasSeenAgainWhenInstalledAnewIsDecidedThere) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  add_failure_before_it_was_installed_anew(department);
  EXPECT_THAT(decide_on(record).blocking(), has_code(ReasonCode::not_reproduced));
  auto again = department.trials.back();
  again.id = "finance/t01";
  for (auto& install : again.installs) install.installed_run.clear();
  department.trials.back().retried_as = again.id;
  department.trials.push_back(again);
  EXPECT_TRUE(decide_on(record).promotes());
  department.trials.back().phases[0].checks[0].id = "another";
  EXPECT_THAT(decide_on(record).blocking(), has_code(ReasonCode::not_reproduced));
}

TEST(Gate, RefusesWhatIsSaidToBeOfAnEarlierRunAndCannotBe) {
  const std::vector<std::pair<const char*, std::function<void(RunRecord&, DepartmentRecord&)>>> cases{
      {"the machines were started tonight",
       [](auto&, auto& d) {
         for (auto& trial : d.trials) trial.state_of_run.clear();
       }},
      {"it is this run", [](auto& r, auto& d) { final_trial(d).installs[0].installed_run = r.id; }},
      {"no trial is named", [](auto&, auto& d) { final_trial(d).installs[0].installed_in.clear(); }},
      {"something of tonight came before it",
       [](auto&, auto& d) {
         auto& installs = final_trial(d).installs;
         auto before = installs.front();
         before.installed_in = before.installed_run = "";
         before.candidate = "something-else";
         installs.insert(installs.begin(), before);
       }},
      {"it did not pass", [](auto&, auto& d) { final_trial(d).installs[0].outcome = Outcome::fail; }},
      {"the trial did not pass", [](auto&, auto& d) { final_trial(d).outcome = Outcome::fail; }},
  };
  for (const auto& [what, spoil] : cases) {
    auto record = with_installations_of_an_earlier_run();
    spoil(record, record.departments[0]);
    EXPECT_FALSE(decide_on(record).promotes()) << what;
    EXPECT_THAT(decide_on(record).blocking(),
                Contains(AllOf(Field(&Requirement::code, ReasonCode::coverage_missing),
                               Field(&Requirement::text, testing::HasSubstr("did not install the same")))))
        << what;
  }
}

TEST(Gate, ComparesWithTheImagesAndCandidatesOfToday) {
  const auto record = tests::good_record();
  auto now = today();
  now.goldens["finance/dns"] = {record.departments[0].machines[0].golden_digest, ""};
  now.candidates["tidy"] = {record.candidates[1].digest, ""};
  EXPECT_TRUE(decide(record, "finance", {}, now).promotes());
  now.goldens["finance/dns"] = {sha256("newer image"), ""};
  EXPECT_THAT(decide(record, "finance", {}, now).reasons(),
              ElementsAre("stale: finance/dns: its golden image is another one today"));
  now.goldens.clear();
  now.candidates["tidy"] = {sha256("rebuilt"), ""};
  EXPECT_THAT(decide(record, "finance", {}, now).reasons(), ElementsAre("stale: tidy: it is another one today"));
  now.candidates["tidy"] = {"", "its folder is gone"};
  EXPECT_THAT(decide(record, "finance", {}, now).reasons(),
              ElementsAre("stale: tidy: nobody can tell whether it is the same today: its folder is gone"));
}

TEST(Gate, TakesOnlyTheRecordThatTheLedgerHas) {
  const auto record = tests::good_record();
  auto asking = today();
  asking.standing = Standing{.recorded = true};
  EXPECT_TRUE(decide(record, "finance", {}, asking).promotes());
  asking.standing = Standing{.recorded = false, .otherwise = "it was changed since"};
  const auto decision = decide(record, "finance", {}, asking);
  EXPECT_FALSE(decision.promotes());
  EXPECT_THAT(decision.blocking(), says("not-recorded: " + record.id + ": it was changed since"));
}

// What the ledger has of another run in which the first candidate of good_record failed alone.
PastFailure failure_of_the_first(bool later) {
  const auto record = tests::good_record();
  PastFailure failure{.run = "run-2",
                      .later = later,
                      .department = "finance",
                      .candidate = record.candidates[0].id,
                      .digest = record.candidates[0].digest,
                      .files = {record.candidates[0].files[0].sha256},
                      .failed = {"dns/a-record"},
                      .scenario_digest = record.scenario_digest};
  for (const auto& machine : record.departments[0].machines) failure.goldens[machine.name] = machine.golden_digest;
  return failure;
}
Decision decide_after(const PastFailure& failure, const RunRecord& record = tests::good_record()) {
  auto asking = today();
  asking.standing = Standing{.recorded = true, .failures = {failure}};
  return decide(record, "finance", {}, asking);
}

TEST(Gate, RefusesWhatFailedInALaterRun) {
  auto failure = failure_of_the_first(true);
  EXPECT_THAT(decide_after(failure).blocking(), says("stale: dns-update: passed here and failed later, in run run-2"));
  failure.department = "engineering";
  EXPECT_THAT(decide_after(failure).blocking(),
              says("stale: dns-update: passed here and failed later in engineering, in run run-2"));
  failure.digest = sha256("other");
  failure.files = {sha256("other file")};
  EXPECT_TRUE(decide_after(failure).promotes()) << "other bytes";
}

TEST(Gate, RefusesAStateThatWasMadeByATrialThatOnlyReusedResults) {
  auto record = with_installation_in_another_trial();
  record.departments[0].trials.back().reused_from = "finance/t2";
  EXPECT_THAT(decide_on(record).blocking(), has_code(ReasonCode::coverage_missing));
}

// That a set could not be taken off again says nothing of what it does.
TEST(Gate, ARemovalThatFailedIsNoFailureOfTheSet) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  add_failure_of(department, final_trial(department));
  EXPECT_FALSE(decide_on(record).promotes());
  department.trials.back().purpose = reports::Purpose::removal;
  EXPECT_TRUE(decide_on(record).promotes());
}

TEST(Gate, KnowsTheSameBytesWhateverTheirName) {
  auto failure = failure_of_the_first(true);
  failure.candidate = "harmless";
  failure.digest = sha256("another digest: other prerequisites");
  EXPECT_THAT(decide_after(failure).blocking(),
              says("stale: dns-update: passed here and failed later as harmless, in run run-2"));
}

// What fails in engineering each night and passes in finance each night is no news for finance.
TEST(Gate, AnotherDepartmentsFailureThatThisRunSawTooIsNoNews) {
  auto record = tests::rich_record();
  const auto& bad = *reports::find_candidate(record, "samba-share-defaults");
  auto failure = failure_of_the_first(true);
  failure.candidate = bad.id;
  failure.digest = bad.digest;
  failure.department = "engineering";
  EXPECT_TRUE(decide_after(failure, record).promotes());
  failure.department = "finance";
  EXPECT_FALSE(decide_after(failure, record).promotes());
}

// As in one run: a set is not promoted because it was tried until it passed.
TEST(Gate, RefusesWhatFailedEarlierOnTheSameFacts) {
  EXPECT_THAT(
      decide_after(failure_of_the_first(false)).blocking(),
      says("not-reproduced: dns-update: failed in run run-2 with the same scenario and golden images, and passes "
           "here: nobody knows why"));
  const auto promotes_with = [](const std::function<void(PastFailure&)>& change) {
    auto failure = failure_of_the_first(false);
    change(failure);
    return decide_after(failure).promotes();
  };
  EXPECT_TRUE(promotes_with([](auto& f) { f.scenario_digest = sha256("another scenario"); }));
  EXPECT_TRUE(promotes_with([](auto& f) { f.goldens["dns"] = sha256("another image"); }));
  EXPECT_TRUE(promotes_with([](auto& f) { f.department = "engineering"; }));
  EXPECT_TRUE(promotes_with([](auto& f) { f.group = {"not-here"}; }));
  EXPECT_FALSE(promotes_with([](auto& f) { f.group = {"tidy"}; }));
}

TEST(Gate, RefusesACandidateThatALaterRunTestedAsAnotherOne) {
  const auto record = tests::good_record();
  auto asking = today();
  asking.standing = Standing{.recorded = true, .later_candidates = {{"run-2", "finance", "tidy", sha256("rebuilt")}}};
  EXPECT_THAT(decide(record, "finance", {}, asking).blocking(),
              says("stale: tidy: is another one in the later run run-2"));
  asking.standing->later_candidates[0].department = "engineering";
  EXPECT_TRUE(decide(record, "finance", {}, asking).promotes()) << "each department has what is current there";
  asking.standing->later_candidates[0].department = "finance";
  asking.standing->later_candidates[0].digest = record.candidates[1].digest;
  EXPECT_TRUE(decide(record, "finance", {}, asking).promotes());
}

TEST(Gate, DoesNotGoBackBehindWhatIsPublished) {
  const auto record = tests::good_record();
  const auto with = [&](const std::string& run, const std::string& finished) {
    auto asking = today();
    asking.published["finance"] = {run, finished};
    return decide(record, "finance", {}, asking);
  };
  EXPECT_TRUE(with("earlier", "2026-11-21T06:13:31.000Z").promotes());
  EXPECT_TRUE(with(record.id, record.finished).promotes()) << "again";
  EXPECT_TRUE(with(record.id, "2026-11-22T06:30:00.000Z").promotes()) << "it is this very run";
  EXPECT_TRUE(with(record.id, "some day").promotes());
  EXPECT_THAT(
      with("later", "2026-11-22T06:30:00.000Z").blocking(),
      says("older-than-published: finance: run later, which is published, ended later: 2026-11-22T06:30:00.000Z"));
  EXPECT_THAT(with("later", "some day").blocking(), has_code(ReasonCode::older_than_published)) << "nobody can tell";
}

TEST(Gate, AsksForAControlOnlyWhenThePolicyDoes) {
  auto record = tests::good_record();
  record.departments[0].trials.erase(record.departments[0].trials.begin() + 1);
  Policy lenient;
  lenient.control = ControlTrial::if_present;
  EXPECT_TRUE(decide(record, "finance", lenient, today()).promotes());
}

TEST(Gate, KnowsNothingOfAnUnknownDepartment) {
  const auto record = tests::good_record();
  EXPECT_THAT(decide_on(record, "sales").reasons(),
              ElementsAre("department-unknown: sales: the record has 0 departments of this name"));
  EXPECT_FALSE(decide_on(RunRecord{}, "finance").promotes());
}

// Every outcome word anywhere in what is promoted, changed to any other one, must block: no place is overlooked.
TEST(Gate, NoOutcomeOfThePromotedTrialIsOverlooked) {
  const Json good = tests::good_record();
  const auto flat = good.flatten();
  std::size_t places = 0;
  for (const auto& [pointer, value] : flat.items()) {
    if (!pointer.ends_with("/outcome") || !pointer.starts_with("/departments/0/trials/")) continue;
    for (const char* word : {"fail", "error", "skipped", "not-reached"}) {
      auto spoiled = good;
      spoiled[Json::json_pointer(pointer)] = word;
      const auto record = reports::run_record_from_json(spoiled);
      ASSERT_TRUE(record) << record.error().message;
      EXPECT_FALSE(decide_on(*record).promotes()) << pointer << " = " << word;
      ++places;
    }
  }
  EXPECT_GT(places, 100U);
}

// The same for removals: a record that lost any part of the facts promotes nothing (or is no record at all).
TEST(Gate, NoLostFactIsOverlooked) {
  const Json good = tests::good_record();
  const std::vector<std::string> pointers{"/complete",
                                          "/finished",
                                          "/candidates/0/digest",
                                          "/candidates/0/files",
                                          "/departments/0/machines",
                                          "/departments/0/phases",
                                          "/departments/0/fence",
                                          "/departments/0/fence/attempts",
                                          "/departments/0/trials",
                                          "/departments/0/verdicts",
                                          "/departments/0/final_trial",
                                          "/departments/0/machines/0/checks",
                                          "/departments/0/machines/0/golden_digest_after",
                                          "/departments/0/trials/0/phases",
                                          "/departments/0/trials/2/phases",
                                          "/departments/0/trials/2/installs",
                                          "/departments/0/trials/2/machines",
                                          "/departments/0/trials/2/set_digest",
                                          "/departments/0/trials/2/phases/1/checks",
                                          "/departments/0/verdicts/1/machines"};
  for (const auto& pointer : pointers) {
    auto spoiled = good;
    const Json::json_pointer at(pointer);
    ASSERT_TRUE(spoiled.contains(at)) << pointer;
    spoiled[at.parent_pointer()].erase(at.back());
    if (pointer == "/departments/0/fence/attempts") spoiled["/departments/0/fence"_json_pointer].erase("answers");
    const auto record = reports::run_record_from_json(spoiled);
    // The digests of checks that are not planned make it no record.
    ASSERT_EQ(record.has_value(), pointer != "/departments/0/machines/0/checks") << pointer;
    if (record) EXPECT_FALSE(decide_on(*record).promotes()) << pointer;
    if (record) continue;
    spoiled["/departments/0/machines/0"_json_pointer].erase("check_digests");
    const auto older = reports::run_record_from_json(spoiled);
    ASSERT_TRUE(older) << older.error().message;
    EXPECT_FALSE(decide_on(*older).promotes()) << pointer;
  }
}

TEST(ReasonCodes, AreStableWords) {
  EXPECT_STREQ(to_string(ReasonCode::run_incomplete), "run-incomplete");
  EXPECT_STREQ(to_string(ReasonCode::golden_image_changed), "golden-image-changed");
  EXPECT_STREQ(to_string(ReasonCode::coverage_missing), "coverage-missing");
  std::set<std::string> words;
  for (int i = 0; i <= static_cast<int>(last_reason_code); ++i)
    EXPECT_TRUE(words.insert(to_string(static_cast<ReasonCode>(i))).second) << i;
  EXPECT_FALSE(words.contains("unknown"));
  EXPECT_EQ(to_string(Requirement{ReasonCode::stale, {}, false, "too old", {}}), "stale: run: too old");
}

TEST(Gate, AFlakyCheckIsNoReasonWhenItIsSoWithoutAPatchOrSteadyInAnotherTrialOfTheSet) {
  auto by_itself = tests::good_record();
  make_flaky(control(by_itself.departments[0]));
  make_flaky(final_trial(by_itself.departments[0]));
  EXPECT_THAT(decide_on(by_itself).blocking(), IsEmpty());
  auto refuted = tests::good_record();
  auto& department = refuted.departments[0];
  department.trials.push_back(final_trial(department));
  department.trials.back().id = "finance/t9";
  make_flaky(final_trial(department));
  EXPECT_THAT(decide_on(refuted).blocking(), IsEmpty());
}

}  // namespace
}  // namespace patchlab::promotion

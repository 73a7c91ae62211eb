// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/lab_book.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "lab/core/file_lock.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/desk/attempts.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/policy/in_force.hpp"
#include "tests/unit/promotion/desk/desk_fixture.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What runs and promotions leave in the ledger of the stage.
class LabBookTest : public DeskTest {
 protected:
  // As a run does: begin, record, end, and what follows.
  Desk::Settled run(const reports::RunRecord& record, Desk::Ask ask = Desk::Ask::promote) {
    const auto begun = book().begin(planned(record), quickstart_policy().digest, now());
    EXPECT_TRUE(begun) << begun.error().message;
    return desk().settle(record, ask, begun.value_or({}));
  }
  static reports::RunRecord planned(reports::RunRecord record) {
    for (auto& department : record.departments) {
      department.trials.clear();
      department.final_trial.clear();
      for (auto& verdict : department.verdicts) verdict = {.candidate = verdict.candidate};
    }
    return record;
  }
  [[nodiscard]] reports::RunRecord another(const std::string& id, const std::string& finished) const {
    auto record = record_;
    record.id = id;
    record.finished = finished;
    return record;
  }
  static std::chrono::system_clock::time_point now() {
    using namespace std::chrono;
    return sys_days{year{2026} / 11 / 22} + hours{7};
  }
  [[nodiscard]] Statement of_line(std::size_t number) const {
    const auto state = chain().read().value();
    return read_statement(chain().objects().get(state.lines.at(number - 1).object).value(), "line").value();
  }
  [[nodiscard]] std::string run_json() const { return pretty(Json(record_)); }
  void write_policy(int number, const std::string& id, const std::string& more = {}) const {
    EXPECT_TRUE(create_folders(policy_folder(root_ / "stage")));
    EXPECT_TRUE(write_file_atomically(
        policy_folder(root_ / "stage") / fmt::format("{}.json", number),
        fmt::format(R"({{"schema":"patchlab/policy/v1","id":"{}","valid_since":"2026-11-01T00:00:00Z",)"
                    R"("valid_until":"2027-11-01T00:00:00Z"{}}})",
                    id, more)));
  }
  // A desk with the policy that is in force there.
  [[nodiscard]] Desk desk_by_policy() const {
    return {{.stage = root_ / "stage", .ledger = root_ / "ledger.jsonl"},
            policy_at_desk_or_trouble(root_ / "stage", now()),
            lab_,
            now(),
            {.by = "lab@x", .clock = &clock_}};
  }
};

TEST_F(LabBookTest, ARunThatIsPromotedIsToldStepByStep) {
  const auto settled = run(record_);
  EXPECT_EQ(settled.exit_code, ExitCode::ok);
  EXPECT_FALSE(settled.trouble);
  EXPECT_THAT(lines(), ElementsAre("begin", "run", "promote-begun", "promote-switched", "promote-done"));
  EXPECT_THAT(problems(), IsEmpty());

  const auto begin = of_line(1);
  EXPECT_EQ(begin.by, "lab@x");
  EXPECT_EQ(begin.submitter, "alice@x");
  EXPECT_EQ(begin.id, record_.id);
  EXPECT_EQ(begin.policy, quickstart_policy().digest);
  EXPECT_EQ(begin.attempt, 1U);
  EXPECT_FALSE(begin.asked);
  EXPECT_EQ(begin.ledger, (SeenLedger{0, no_hash}));
  EXPECT_THAT(begin.candidates.value(), SizeIs(record_.candidates.size()));

  const auto set = sha256(sha256sums_of(record_, {"tidy", "dns-update"}));
  const auto end = of_line(2);
  EXPECT_EQ(end.run, sha256(run_json()));
  EXPECT_EQ(end.begin, chain().read().value().lines[0].object);
  EXPECT_THAT(end.subjects, ElementsAre(StatementSubject{"finance", set}));
  EXPECT_EQ(end.submitter, "alice@x");
  EXPECT_EQ(end.complete, true);
  EXPECT_EQ(end.result, "ok");
  EXPECT_THAT(end.failed.value(), IsEmpty());
  EXPECT_EQ(chain().objects().get(*end.run).value(), run_json()) << "what was found is kept";

  const auto promote = of_line(3);
  EXPECT_EQ(promote.kind, StatementKind::promote);
  EXPECT_THAT(promote.subjects, ElementsAre(StatementSubject{"finance", set}));
  EXPECT_EQ(promote.run, end.run);
  EXPECT_EQ(promote.policy, quickstart_policy().digest);
  EXPECT_EQ(promote.serial, 1U);
  EXPECT_EQ(promote.ledger->size, 2U);
  EXPECT_FALSE(promote.decisions) << "nobody decided";
  const auto manifest = read_file(root_ / "stage/finance/manifest.json").value();
  EXPECT_EQ(promote.manifest, sha256(manifest));
  EXPECT_EQ(chain().objects().get(*promote.manifest).value(), manifest);
  EXPECT_EQ(chain().objects().get(*promote.policy).value(), quickstart_text());
  EXPECT_EQ(Json::parse(manifest).at("policy"), *promote.policy);
  EXPECT_EQ(Json::parse(manifest).at("run_object"), *promote.run);

  const auto state = chain().read().value();
  EXPECT_EQ(chain().verify()->head, state.head());
  EXPECT_EQ(parse_head(read_file(chain().folder() / "head").value(), "head")->head, state.head());
}

TEST_F(LabBookTest, AttemptsAreListedWithWhatBecameOfThem) {
  const auto attempts = [this] { return attempts_of_stage(root_ / "stage").value(); };
  EXPECT_THAT(attempts(), IsEmpty());
  run(record_);
  ASSERT_TRUE(book().begin(planned(another("killed", "2026-11-22T06:20:00.000Z")), {}, now()));
  auto broken = another("broken", "2026-11-22T06:25:00.000Z");
  broken.complete = false;
  run(broken);
  run(another("later", "2026-11-22T06:30:00.000Z"), Desk::Ask::nothing);
  const auto newer = another("newer", "2026-11-22T06:40:00.000Z");
  run(newer);
  EXPECT_EQ(desk().promote(record_, {}, {.rollback = "mail is slow"}).exit_code, ExitCode::ok);
  const auto all = attempts();
  ASSERT_THAT(all, SizeIs(5));
  const auto shown = [&](std::size_t i) {
    EXPECT_EQ(all[i].by, "lab@x");
    EXPECT_EQ(all[i].submitter, "alice@x");
    EXPECT_EQ(all[i].attempt, i + 1);
    EXPECT_FALSE(all[i].begun.empty());
    EXPECT_THAT(all[i].parts, SizeIs(1));
    EXPECT_EQ(all[i].parts.at(0).department, "finance");
    return all[i].parts.at(0).fates;
  };
  EXPECT_EQ(all[0].run, record_.id);
  EXPECT_EQ(all[0].result, "ok");
  EXPECT_TRUE(all[0].complete);
  EXPECT_EQ(all[0].parts[0].verdict, "pass: 2 of 2 candidates passed");
  EXPECT_THAT(shown(0), ElementsAre(AllOf(HasSubstr("promoted by line 3 at "), HasSubstr(", replaced by line ")),
                                    HasSubstr("published by a rollback by line ")));
  EXPECT_EQ(all[1].run, "killed");
  EXPECT_THAT(all[1].ended, IsEmpty());
  EXPECT_THAT(all[1].result, IsEmpty());
  EXPECT_THAT(shown(1), IsEmpty());
  EXPECT_TRUE(Json(all[1]).at("ended").is_null());
  EXPECT_FALSE(all[2].complete);
  EXPECT_THAT(shown(2), ElementsAre(HasSubstr("refused: run-incomplete: ")));
  EXPECT_THAT(all[3].ended, ::testing::Not(IsEmpty()));
  EXPECT_THAT(shown(3), IsEmpty()) << "nobody asked";
  EXPECT_THAT(shown(4), ElementsAre(AllOf(HasSubstr("promoted by line "), HasSubstr(", taken back by line "))));
  EXPECT_EQ(all[4].parts[0].verdict, "pass: 2 of 2 candidates passed");
}

// Whoever writes a second beginning of a run made one of the two up, and nobody can tell which.
TEST_F(LabBookTest, ARunOfWhichTwoBeginningsAreThereIsNotRecorded) {
  EXPECT_EQ(run(record_, Desk::Ask::nothing).exit_code, ExitCode::ok);
  EXPECT_TRUE(desk().today(record_).standing->recorded);
  ASSERT_TRUE(book().begin(planned(another("other", record_.finished)), {}, now()));
  EXPECT_TRUE(desk().today(record_).standing->recorded) << "another run is another run";
  ASSERT_TRUE(book().begin(planned(record_), {}, now()));
  const auto standing = *desk().today(record_).standing;
  EXPECT_FALSE(standing.recorded);
  EXPECT_EQ(standing.otherwise, "lines 1 and 4 of the stage's ledger begin a run of this id: one of them is made up");
  const auto refused = desk().promote(record_, {});
  EXPECT_EQ(refused.exit_code, ExitCode::policy);
  EXPECT_THAT(refused.decisions.front().reasons(), ElementsAre(HasSubstr("not-recorded: ")));
  EXPECT_FALSE(is_there(root_ / "stage" / "finance"));
}

TEST_F(LabBookTest, EveryAttemptIsSeenWhateverBecameOfIt) {
  record_.error = Error{ErrorClass::cancelled, "the run was cancelled", {}};
  record_.complete = false;
  record_.asked = {{"finance"}, {"dns"}, {}, 0};
  EXPECT_NE(run(record_).exit_code, ExitCode::ok);
  EXPECT_THAT(lines(), ElementsAre("begin", "run", "promote-refused"));
  EXPECT_EQ(of_line(2).result, "cancelled");
  EXPECT_EQ(of_line(2).complete, false);
  EXPECT_THAT(of_line(1).asked.value(), ElementsAre("--department finance", "--role dns"));
  EXPECT_THAT(of_line(3).reasons.value(), Contains(HasSubstr("run-incomplete: ")));

  // Killed: it never says how it ended.
  const auto killed = another("killed", "2026-11-22T06:20:00.000Z");
  ASSERT_TRUE(book().begin(planned(killed), {}, now()));
  EXPECT_EQ(of_line(4).attempt, 2U) << "of the same set";
  EXPECT_THAT(chain().verify()->notes, ElementsAre("line 4: a run began, and its end is not known"));
  write_down(killed);  // by whoever has the other ledger
  const auto refused = desk().promote(killed, {});
  EXPECT_EQ(refused.exit_code, ExitCode::policy);
  EXPECT_THAT(refused.decisions[0].reasons(), Contains(AllOf(HasSubstr("not-recorded: "), HasSubstr("line 4"))));
}

TEST_F(LabBookTest, ARunEndsOnceAndBegins) {
  const auto begun = book().begin(planned(record_), {}, now()).value();
  ASSERT_TRUE(book().end(begun, record_, run_json()));
  EXPECT_FALSE(book().end(begun, record_, run_json()));
  EXPECT_FALSE(book().end(begun, another("better", record_.finished), "{}"));
  EXPECT_FALSE(book().end(sha256("no begin"), record_, run_json()));
}

TEST_F(LabBookTest, WhatFailedOfTheTestedSetIsTold) {
  auto& trials = record_.departments[0].trials;
  auto& final_trial = *std::ranges::find(trials, record_.departments[0].final_trial, &reports::TrialRecord::id);
  auto& check = final_trial.phases.front().checks.front();
  check.outcome = Outcome::fail;
  run(record_, Desk::Ask::nothing);
  EXPECT_THAT(of_line(2).failed.value(), ElementsAre("finance/" + final_trial.phases.front().machine + "/" + check.id));
  EXPECT_THAT(lines(), ElementsAre("begin", "run"));
}

TEST_F(LabBookTest, ARecordThatChangedIsNotTheOneOfTheStage) {
  run(record_, Desk::Ask::nothing);
  auto edited = record_;
  edited.departments[0].trials[2].duration_ms += 1;
  // Whoever can write to the folder of runs can make its ledger anew.
  fs::remove(root_ / "ledger.jsonl");
  write_down(edited);
  const auto before = lines();
  const auto refused = desk().promote(edited, {});
  EXPECT_THAT(refused.decisions[0].reasons(), ElementsAre(AllOf(HasSubstr("not-recorded: "), HasSubstr("line 2"))));
  EXPECT_EQ(lines(), before) << "and leaves no trace";
  const auto made_up = another("made-up", record_.finished);
  write_down(made_up);
  EXPECT_THAT(desk().promote(made_up, {}).decisions[0].reasons(), ElementsAre(HasSubstr("none of this id")));
  fs::remove(root_ / "ledger.jsonl");
  write_down(record_);
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::ok);
}

// Killed between the two ledgers, or with the weaker one taken away: the stronger one remembers.
TEST_F(LabBookTest, WhatOnlyTheStagesLedgerKnowsIsNotForgotten) {
  const auto begun = book().begin(planned(record_), {}, now()).value();
  ASSERT_TRUE(book().end(begun, record_, run_json()));
  EXPECT_FALSE(is_there(root_ / "ledger.jsonl"));
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::ok);
  clock_.advance(std::chrono::hours(1));
  auto later = another("later", "2026-11-22T06:30:00.000Z");
  later.departments[0].verdicts[0].outcome = Outcome::fail;
  run(later, Desk::Ask::nothing);
  const auto expect_stale = [&](const char* what) {
    EXPECT_THAT(desk().decisions(record_)[0].reasons(),
                ElementsAre(HasSubstr("stale: dns-update: passed here and failed later")))
        << what;
  };
  expect_stale("both know");
  fs::remove(root_ / "ledger.jsonl");
  expect_stale("the other one is gone");
  auto better = later;
  better.departments[0].verdicts[0].outcome = Outcome::pass;
  write_down(record_);
  write_down(better);
  expect_stale("the other one was made anew");
  ASSERT_TRUE(write_file_atomically(root_ / "ledger.jsonl", read_file(root_ / "ledger.jsonl").value() + "{\"seq\":"));
  expect_stale("a crash left a piece of a line there");
  fs::remove(chain().objects().path(sha256(pretty(Json(later)))));
  EXPECT_THAT(desk().decisions(record_)[0].reasons(), ElementsAre(HasSubstr("not-recorded: ")))
      << "what was found is not known any more";
}

TEST_F(LabBookTest, AStageOfAnOlderVersionIsTakenOver) {
  write_down(record_);
  const auto text = read_file(root_ / "ledger.jsonl").value();
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::ok);
  EXPECT_THAT(lines(), ElementsAre("import", "promote-begun", "promote-switched", "promote-done"));
  EXPECT_EQ(chain().objects().get(chain().read()->lines[0].object).value(), text);
  EXPECT_THAT(problems(), IsEmpty());
  // Runs of the new version beside it; the old one stays known.
  const auto newer = another("newer", "2026-11-22T06:30:00.000Z");
  EXPECT_EQ(run(newer).exit_code, ExitCode::ok);
  EXPECT_EQ(desk().promote(record_, {}, {.rollback = "mail is slow"}).exit_code, ExitCode::ok);
  // What the ledger beside the runs learns later is not known to this one.
  const auto late = another("late", "2026-11-22T06:40:00.000Z");
  write_down(late);
  EXPECT_THAT(desk().promote(late, {}).decisions[0].reasons(), ElementsAre(HasSubstr("not-recorded: ")));
}

TEST_F(LabBookTest, ABrokenOldLedgerIsNotTakenOver) {
  ASSERT_TRUE(write_file_atomically(root_ / "ledger.jsonl", "no entry\n"));
  const auto begun = book().begin(planned(record_), {}, now());
  ASSERT_FALSE(begun);
  EXPECT_THAT(begun.error().message, HasSubstr("ledger.jsonl:1"));
  EXPECT_FALSE(chain().exists());
}

TEST_F(LabBookTest, ARefusalIsTheSameLineUntilTheAnswerChanges) {
  record_.departments[0].machines[0].golden_digest_after.clear();
  run(record_);
  EXPECT_THAT(lines(), ElementsAre("begin", "run", "promote-refused"));
  const auto refusal = last();
  EXPECT_EQ(refusal.kind, StatementKind::refuse);
  EXPECT_THAT(refusal.reasons.value(), ElementsAre(HasSubstr("golden-image-changed: finance/")));
  EXPECT_EQ(refusal.run, sha256(run_json()));
  EXPECT_EQ(refusal.policy, quickstart_policy().digest);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::policy);
  EXPECT_THAT(lines(), SizeIs(3)) << "asked again, answered the same";
  // Another reason, another policy, another run: another line each; and the first again, once it is not the last.
  lab_.candidate = [](const reports::CandidateRecord&) { return Seen{sha256("another one"), {}}; };
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::policy);
  EXPECT_THAT(lines(), SizeIs(4));
  lab_.candidate = [](const reports::CandidateRecord& candidate) { return Seen{candidate.digest, {}}; };
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::policy);
  EXPECT_THAT(lines(), SizeIs(5));
  write_policy(1, "strict");
  EXPECT_EQ(desk_by_policy().promote(record_, {}).exit_code, ExitCode::policy);
  EXPECT_THAT(lines(), SizeIs(7));
  EXPECT_EQ(lines()[5], "policy");
  EXPECT_EQ(essence_of("a: b: c: d"), "a: b");
  EXPECT_EQ(essence_of("a: b"), "a: b");
  EXPECT_EQ(essence_of("a"), "a");
}

// However many and whatever they say: a statement has a size and a form.
TEST_F(LabBookTest, ReasonsOfAnyKindFit) {
  run(record_, Desk::Ask::nothing);
  std::vector<std::string> reasons(3000, std::string(5000, '"') + "\xc3\xa4\xff\x01\xe2\x80\xae");
  reasons[1] = "";
  reasons[2] = "  ";
  LabBook::Basis basis{sha256(run_json()), run_json(), {}, {}, {}, {}};
  const auto told = book().refused("finance", sha256("set"), basis, reasons);
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_THAT(last().reasons->back(), HasSubstr("and 2900 more"));
}

TEST_F(LabBookTest, GoingBackIsARefusalWithoutAReasonAndAKindOfItsOwnWithOne) {
  run(record_, Desk::Ask::nothing);
  const auto newer = another("newer", "2026-11-22T06:30:00.000Z");
  EXPECT_EQ(run(newer).exit_code, ExitCode::ok);
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::policy);
  EXPECT_THAT(last().reasons.value(), ElementsAre(HasSubstr("older-than-published: finance: ")));
  const auto back = desk().promote(record_, {}, {.rollback = "mail is slow"});
  EXPECT_EQ(back.exit_code, ExitCode::ok);
  EXPECT_EQ(back.decisions[0].by,
            "promoted by policy 'quickstart': nobody approved; back from run newer: mail is slow");
  EXPECT_EQ(last().kind, StatementKind::rollback);
  EXPECT_EQ(last().reason, "mail is slow");
  EXPECT_EQ(last().serial, 2U);
  EXPECT_THAT(desk().decisions(record_)[0].by, HasSubstr("; back from a newer run: mail is slow"))
      << "whoever shows it later";
  EXPECT_EQ(desk().decisions(newer)[0].replaced_by, record_.id);
  EXPECT_THAT(problems(), IsEmpty());
  // It lifts that and nothing else.
  record_.departments[0].machines[0].golden_digest_after.clear();
  auto worse = another("worse", "2026-11-22T06:10:00.000Z");
  run(worse, Desk::Ask::nothing);
  const auto refused = desk().promote(worse, {}, {.rollback = "because"});
  EXPECT_EQ(refused.exit_code, ExitCode::policy);
  EXPECT_THAT(refused.decisions[0].reasons(), ElementsAre(HasSubstr("golden-image-changed: ")));
  // Nothing to go back from: an ordinary promotion.
  auto good = tests::good_record();
  good.id = "newest";
  good.finished = "2026-11-22T06:50:00.000Z";
  run(good, Desk::Ask::nothing);
  EXPECT_EQ(desk().promote(good, {}, {.rollback = "not needed"}).exit_code, ExitCode::ok);
  EXPECT_EQ(last().kind, StatementKind::promote);
  EXPECT_EQ(last().serial, 3U);
}

TEST_F(LabBookTest, TheSerialIsGreaterThanAnyThatTheLedgerHas) {
  run(record_);
  ASSERT_TRUE(remove_tree(root_ / "stage" / ".versions"));
  fs::remove(root_ / "stage" / "finance");
  EXPECT_THAT(problems(), SizeIs(1)) << "and nothing of it is here";
  const auto newer = another("newer", "2026-11-22T06:30:00.000Z");
  EXPECT_EQ(run(newer).exit_code, ExitCode::ok);
  EXPECT_EQ(last().serial, 2U);
}

// --- trouble: refused with the reason, and nothing lost

class LabBookInTrouble : public LabBookTest {
 protected:
  void SetUp() override {
    run(record_);
    newer_ = another("newer", "2026-11-22T06:30:00.000Z");
    run(newer_, Desk::Ask::nothing);
    before_ = chain().read()->head();
  }
  void expect_refused(const std::string& why) {
    const auto refused = desk().promote(newer_, {});
    EXPECT_EQ(refused.exit_code, ExitCode::cannot_create);
    EXPECT_THAT(refused.decisions[0].reasons(), Contains(HasSubstr(why)));
    const auto begun = book().begin(planned(another("third", "2026-11-22T06:40:00.000Z")), {}, now());
    ASSERT_FALSE(begun);
    EXPECT_THAT(begun.error().message, HasSubstr(why));
    EXPECT_EQ(chain().read()->head(), before_);
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(desk().today(newer_).published.at("finance").run, record_.id);
  }
  // In a process of its own, which ends at the step of this name, or number.
  void promote_until(const std::function<bool(const std::string& step)>& ends, int expected) {
    const auto child = ::fork();
    if (child == 0) {
      const auto die = [&](const std::string& step) {
        if (ends(step)) ::_exit(42);
      };
      const Desk doomed({.stage = root_ / "stage", .ledger = root_ / "ledger.jsonl"}, quickstart_policy(), lab_, now(),
                        {.by = "lab@x", .clock = &clock_, .before_step = die});
      ::_exit(doomed.promote(newer_, {}).exit_code == ExitCode::ok ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (expected >= 0) {
      ASSERT_EQ(WEXITSTATUS(status), expected);
    }
    ended_ = WEXITSTATUS(status);
  }

  reports::RunRecord newer_;
  ChainHead before_;
  int ended_ = 0;
};

TEST_F(LabBookInTrouble, AClockThatWasSetBackIsSaid) {
  clock_.advance(-std::chrono::minutes(5));
  expect_refused("the clock was set back");
  clock_.advance(std::chrono::minutes(5));
  EXPECT_EQ(desk().promote(newer_, {}).exit_code, ExitCode::ok);
}

TEST_F(LabBookInTrouble, SomebodyElsesLockIsNamed) {
  {
    const auto held = FileLock::take(chain().folder() / "lock", FileLock::Mode::exclusive, FileLock::at_once());
    ASSERT_TRUE(held);
    expect_refused("lock");
  }
  EXPECT_EQ(desk().promote(newer_, {}).exit_code, ExitCode::ok);
}

// What somebody decides while this is decided on is not overlooked.
TEST_F(LabBookInTrouble, ADecisionInBetweenStopsAPromotion) {
  lab_.golden = [&](const std::string&, const reports::MachineRecord& machine) {
    if (chain().read()->head() == before_) {
      Statement statement;
      statement.kind = StatementKind::submit;
      statement.by = "bob@x";
      statement.subjects = {{"finance", sha256("another set")}};
      statement.ledger = SeenLedger{before_.size, before_.hash};
      EXPECT_TRUE(
          chain().append({.kind = ChainKind::submit, .by = "bob@x", .object = write_statement(statement).value()}));
    }
    return Seen{machine.golden_digest, {}};
  };
  const auto refused = desk().promote(newer_, {});
  EXPECT_EQ(refused.exit_code, ExitCode::cannot_create);
  EXPECT_THAT(refused.decisions[0].reasons(), Contains(HasSubstr("while this was decided on, line ")));
  EXPECT_EQ(desk().today(newer_).published.at("finance").run, record_.id);
  EXPECT_EQ(desk().promote(newer_, {}).exit_code, ExitCode::ok);
  EXPECT_EQ(last().kind, StatementKind::promote);
}

// Interrupted at steps of stage and ledger, told apart by the next promotion.
TEST_F(LabBookInTrouble, KilledAtAnyStepTheNextPromotionSaysWhatBecameOfIt) {
  const auto before = root_ / "before";
  fs::copy(root_ / "stage", before, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  std::map<std::string, int> finished;
  for (int stop_at = 0;; stop_at += 4) {
    ASSERT_TRUE(remove_tree(root_ / "stage"));
    fs::copy(before, root_ / "stage", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    int count = 0;
    promote_until([&](const std::string&) { return count++ == stop_at; }, -1);
    if (ended_ == 0) break;
    ASSERT_EQ(ended_, 42) << stop_at;
    const auto next = desk().promote(newer_, {});
    EXPECT_EQ(next.exit_code, ExitCode::ok) << stop_at;
    for (const auto& sentence : next.finished)
      ++finished[sentence.find("is given up") != std::string::npos ? "given up" : "done"];
    EXPECT_THAT(problems(), IsEmpty()) << stop_at;
    EXPECT_EQ(desk().today(newer_).published.at("finance").run, "newer") << stop_at;
  }
  EXPECT_GT(finished["given up"], 0);
  EXPECT_GT(finished["done"], 0);
}

TEST_F(LabBookInTrouble, WhatNobodyCanTellIsLeftToPeople) {
  promote_until([](const std::string& step) { return step == "switched"; }, 42);
  const auto file = fs::canonical(root_ / "stage" / "finance") / "tidy/tidy_amd64.deb";
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  const auto refused = desk().promote(newer_, {});
  EXPECT_EQ(refused.exit_code, ExitCode::bad_data);
  EXPECT_THAT(refused.decisions[0].reasons(), Contains(HasSubstr("promotion-unclear: finance: ")));
  ASSERT_EQ(::chmod(file.c_str(), 0444), 0);
  const auto next = desk().promote(newer_, {});
  EXPECT_EQ(next.exit_code, ExitCode::ok);
  EXPECT_THAT(next.finished, ElementsAre(HasSubstr("it is whole, and done")));
}

// --- policies

TEST_F(LabBookTest, APolicyThatIsUsedIsNamedAndMissedWhenItGoes) {
  EXPECT_EQ(policy_at_desk(root_ / "stage", now())->id, "quickstart");
  write_policy(1, "strict");
  write_policy(2, "next",
               R"(,"replaces":")" + sha256(read_file(policy_folder(root_ / "stage") / "1.json").value()) + R"(")");
  auto later = read_file(policy_folder(root_ / "stage") / "2.json").value();
  later.replace(later.find("2026-11-01"), 10, "2026-12-01");
  ASSERT_TRUE(write_file_atomically(policy_folder(root_ / "stage") / "2.json", later));
  const auto strict = policy_at_desk(root_ / "stage", now()).value();
  EXPECT_EQ(strict.id, "strict");
  write_down(record_);
  EXPECT_EQ(desk_by_policy().promote(record_, {}).exit_code, ExitCode::ok);
  EXPECT_THAT(lines(), ElementsAre("import", "policy", "promote-begun", "promote-switched", "promote-done"))
      << "one that has not begun is not named yet";
  EXPECT_THAT(of_line(2).subjects, ElementsAre(StatementSubject{"strict", strict.digest}));
  EXPECT_EQ(of_line(2).version, 1U);
  EXPECT_EQ(of_line(3).policy, strict.digest);
  EXPECT_TRUE(chain().objects().has(strict.digest));

  const auto folder = policy_folder(root_ / "stage");
  const auto text = read_file(folder / "1.json").value();
  const auto missed = [&](const std::string& why) {
    const auto policy = policy_at_desk(root_ / "stage", now());
    ASSERT_FALSE(policy) << why;
    EXPECT_EQ(policy.error().error_class, ErrorClass::configuration);
    EXPECT_THAT(policy.error().message, HasSubstr(why));
    EXPECT_FALSE(
        decide(record_, "finance", policy_at_desk_or_trouble(root_ / "stage", now()), desk_by_policy().today(record_))
            .promotes());
  };
  ASSERT_TRUE(write_file_atomically(folder / "1.json", text + " "));
  missed("is not the document that line 2 of the ledger put in force");
  fs::remove(folder / "1.json");
  missed("its document is not there");
  ASSERT_TRUE(remove_tree(folder));
  missed("its document is not there");
  ASSERT_TRUE(create_folders(folder));
  ASSERT_TRUE(write_file_atomically(folder / "3.json", text));
  missed("its document is not there");
  ASSERT_TRUE(remove_tree(chain().folder()));
  missed("was promoted by a desk that keeps a ledger");
}

TEST_F(LabBookTest, AStageThatALedgerWasTakenFromPromotesNothing) {
  run(record_);
  ASSERT_TRUE(policy_at_desk(root_ / "stage", now()));
  const auto ledger = chain().folder() / chain_file_name;
  auto text = read_file(ledger).value();
  for (int i = 0; i < 3; ++i) text.resize(text.rfind('\n', text.size() - 2) + 1);
  ASSERT_TRUE(write_file_atomically(ledger, text));
  EXPECT_THAT(policy_at_desk(root_ / "stage", now()).error().message, HasSubstr("was taken away, or cut off"));
}

// --- who

TEST(SignerName, IsWhatTheListOfSignersTakes) {
  EXPECT_EQ(signer_name_of("Bob", "Lab-1.Xavier.example"), "bob@lab-1.xavier.example");
  EXPECT_EQ(signer_name_of("a b@c", "h:1"), "a-b-c@h-1");
  EXPECT_EQ(signer_name_of("-x-", "..."), "x");
  EXPECT_EQ(signer_name_of("\xc3\xa4", "host"), "patchlab");
  EXPECT_EQ(signer_name_of("", ""), "patchlab");
  for (const auto& name : {signer_name_of(std::string(300, 'a'), std::string(300, 'b')), whoever_calls(),
                           signer_name_of("-x-", "-y-"), signer_name_of("A_", "B.")})
    EXPECT_TRUE(is_principal(name)) << name;
}

}  // namespace
}  // namespace patchlab::promotion

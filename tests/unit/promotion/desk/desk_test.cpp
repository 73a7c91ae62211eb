// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/desk.hpp"

#include <gmock/gmock.h>

#include "lab/core/time.hpp"
#include "promotion/book/book.hpp"
#include "promotion/book/failures.hpp"
#include "tests/support/ssh_keys.hpp"
#include "tests/unit/promotion/desk/desk_fixture.hpp"

namespace patchlab::promotion {
namespace {
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(DeskTest, PublishesWhatIsAsItWasAndWritesItDown) {
  write_down(record_);
  const auto before = kinds().size();
  const auto promotions = desk().promote(record_, {});
  EXPECT_EQ(promotions.exit_code, ExitCode::ok);
  EXPECT_FALSE(promotions.ledger);
  ASSERT_THAT(promotions.departments, SizeIs(1));
  EXPECT_THAT(promotions.departments[0].record.candidates, ElementsAre("dns-update", "tidy"));
  EXPECT_TRUE(is_there(root_ / "stage" / "finance" / "manifest.json"));
  EXPECT_EQ(kinds().size(), before + 1);
  EXPECT_EQ(kinds().back(), "promotion");
  EXPECT_EQ(desk().today(record_).published.at("finance").run, record_.id);
}

// Whatever it is that is another one today, or of which nobody can tell: nothing is published, and the ledger has it.
TEST_F(DeskTest, AsksForEachMachineAndEachCandidateWhatItIsToday) {
  write_down(record_);
  const auto lab = lab_;
  const auto refused = [&](const std::string& about) {
    const auto promotions = desk().promote(record_, {});
    EXPECT_EQ(promotions.exit_code, ExitCode::policy) << about;
    EXPECT_THAT(promotions.departments.at(0).record.reasons, ElementsAre(HasSubstr("stale: " + about + ": "))) << about;
    EXPECT_FALSE(is_there(root_ / "stage" / "finance")) << about;
    EXPECT_EQ(kinds().back(), "promotion");
    lab_ = lab;
  };
  for (const auto& seen : {Seen{sha256("another one"), {}}, Seen{{}, "the disk cannot be read"}}) {
    for (const auto& odd : record_.departments[0].machines) {
      lab_.golden = [&](const std::string&, const reports::MachineRecord& machine) {
        return machine.name == odd.name ? seen : Seen{machine.golden_digest, {}};
      };
      refused("finance/" + odd.name);
    }
    for (const auto& odd : record_.candidates) {
      lab_.candidate = [&](const reports::CandidateRecord& candidate) {
        return candidate.id == odd.id ? seen : Seen{candidate.digest, {}};
      };
      refused(odd.id);
    }
  }
}

// What a promotion rests on is compared before anything is published: edited, taken away, added, renamed, no file.
TEST_F(DeskTest, PromotesNothingWhoseEvidenceIsNotWhatTheRunKept) {
  const auto run = root_ / "runs" / record_.id;
  const auto log = run / "evidence" / "finance" / "t2" / "console.log";
  const auto write = [](const fs::path& file, const std::string& text) {
    EXPECT_TRUE(create_folders(file.parent_path()));
    EXPECT_TRUE(write_file_atomically(file, text));
  };
  const auto make_whole = [&] {
    static_cast<void>(remove_tree(run));
    write(log, "it booted");
    write(run / "events.jsonl", "{}\n");
    write(run / "report.html", "made afterwards");
  };
  record_.evidence = std::vector<reports::KeptFile>{{"events.jsonl", 3, sha256("{}\n")},
                                                    {"evidence/finance/t2/console.log", 9, sha256("it booted")}};
  write_down(record_);
  const auto desk_of = [&](const fs::path& folder) {
    return Desk({.stage = root_ / "stage", .ledger = root_ / "ledger.jsonl", .run = folder}, quickstart_policy(), lab_,
                *parse_rfc3339("2026-11-22T07:00:00Z"), {.by = "lab@x", .submitter = "alice@x", .clock = &clock_});
  };
  const std::vector<std::pair<const char*, std::function<void()>>> changes{
      {"'evidence/finance/t2/console.log' was edited", [&] { write(log, "it broke"); }},
      {"'evidence/finance/t2/console.log' is missing", [&] { fs::remove(log); }},
      {"'events.jsonl' is missing", [&] { fs::remove(run / "events.jsonl"); }},
      {"(and 1 more)", [&] { fs::remove_all(run / "evidence"), fs::remove(run / "events.jsonl"); }},
      {"was added: the run kept no such file", [&] { write(run / "evidence" / "more", "x"); }},
      {"was renamed to 'evidence/finance/t2/other.log'", [&] { fs::rename(log, log.parent_path() / "other.log"); }},
      {"is a symbolic link", [&] { fs::remove(log), fs::create_symlink("/etc/hostname", log); }},
      {"is missing", [&] { static_cast<void>(remove_tree(run)); }},
  };
  for (const auto& [why, change] : changes) {
    make_whole();
    change();
    const auto refused = desk_of(run).promote(record_, {});
    EXPECT_EQ(refused.exit_code, ExitCode::policy) << why;
    const auto says = ElementsAre(AllOf(HasSubstr("evidence-changed: " + record_.id + ": "), HasSubstr(why)));
    EXPECT_THAT(refused.decisions.front().reasons(), says);
    EXPECT_THAT(desk_of(run).decisions(record_).front().reasons(), says) << "whoever only asks is told the same";
    EXPECT_FALSE(is_there(root_ / "stage" / "finance")) << why;
    EXPECT_EQ(last().kind, StatementKind::refuse) << why;
  }
  make_whole();
  const auto promoted = desk_of(run).promote(record_, {}).departments.at(0).decision;
  EXPECT_TRUE(promoted.promotes()) << ::testing::PrintToString(promoted.reasons());
  EXPECT_THAT(promoted.requirements,
              Contains(::testing::Field(&Requirement::text, "2 files that the run kept are as its record names them")));
}

// A record of an older version has no digests: nothing can be compared, and that is said and not held against it.
TEST_F(DeskTest, SaysThatTheEvidenceOfAnOlderRecordIsNotCompared) {
  write_down(record_);
  ASSERT_FALSE(record_.evidence);
  const Desk desk({.stage = root_ / "stage", .ledger = root_ / "ledger.jsonl", .run = root_ / "nowhere"},
                  quickstart_policy(), lab_, *parse_rfc3339("2026-11-22T07:00:00Z"), {.clock = &clock_});
  const auto decision = desk.promote(record_, {}).departments.at(0).decision;
  EXPECT_TRUE(decision.promotes());
  EXPECT_THAT(decision.requirements,
              Contains(::testing::Field(&Requirement::text, HasSubstr("has no digests of what its run kept"))));
}

TEST_F(DeskTest, SaysWhatWasNotAsked) {
  write_down(record_);
  lab_.golden = [](const std::string&, const reports::MachineRecord&) { return std::optional<Seen>(); };
  const auto decision = desk().promote(record_, {}).departments.at(0).decision;
  EXPECT_TRUE(decision.promotes());
  EXPECT_THAT(decision.requirements,
              Contains(::testing::Field(&Requirement::text,
                                        HasSubstr(fmt::format("; 2 of {} golden images and candidates were compared",
                                                              record_.departments[0].machines.size() + 2)))));
}

TEST_F(DeskTest, ARunThatTheLedgerDoesNotKnowLeavesNoTraceInIt) {
  const auto promotions = desk().promote(record_, {});
  EXPECT_EQ(promotions.exit_code, ExitCode::policy);
  EXPECT_THAT(promotions.departments.at(0).record.reasons, ElementsAre(HasSubstr("not-recorded: ")));
  EXPECT_FALSE(is_there(root_ / "ledger.jsonl"));
}

TEST_F(DeskTest, DoesNotReplaceANewerVersionByAnOlderRun) {
  write_down(record_);
  auto newer = record_;
  newer.id = "newer";
  newer.finished = "2026-11-22T06:30:00.000Z";
  write_down(newer);
  EXPECT_EQ(desk().promote(newer, {}).exit_code, ExitCode::ok);
  const auto promotions = desk().promote(record_, {});
  EXPECT_EQ(promotions.exit_code, ExitCode::policy);
  EXPECT_THAT(promotions.departments.at(0).record.reasons,
              ElementsAre(HasSubstr("older-than-published: finance: run newer, which is published")));
  EXPECT_EQ(desk().today(record_).published.at("finance").run, "newer");
}

TEST_F(DeskTest, TakesOnlyTheDepartmentsAskedFor) {
  write_down(record_);
  EXPECT_THAT(desk().promote(record_, {"engineering"}).departments, IsEmpty());
  EXPECT_THAT(desk().promote(record_, {"finance"}).departments, SizeIs(1));
}

TEST_F(DeskTest, ADepartmentInWhichNothingAppliesRefusesNothing) {
  auto other = record_.departments.at(0);
  other.name = "engineering";
  for (auto& verdict : other.verdicts) verdict.outcome = Outcome::skipped;
  other.outcome = Outcome::skipped;
  other.final_trial.clear();
  record_.departments.push_back(other);
  write_down(record_);
  const auto promotions = desk().promote(record_, {});
  EXPECT_EQ(promotions.exit_code, ExitCode::ok) << "finance was published";
  EXPECT_THAT(promotions.departments, SizeIs(2));
  EXPECT_EQ(desk().promote(record_, {"engineering"}).exit_code, ExitCode::only_skips);
  record_.departments[1].verdicts.front().outcome = Outcome::fail;
  record_.id += "-2";
  write_down(record_);
  EXPECT_EQ(desk().promote(record_, {"engineering"}).exit_code, ExitCode::policy) << "something applied there";
}

// Whoever shows a decision asks the desk, so that nothing says the opposite of what was done.
TEST_F(DeskTest, SaysTheSameBeforeAndAfterAPromotion) {
  write_down(record_);
  const auto before = desk().decisions(record_).at(0);
  EXPECT_EQ(before.state, reports::DecisionState::promotable);
  EXPECT_FALSE(is_there(root_ / "stage")) << "asking changes nothing";
  EXPECT_EQ(explain(record_, {before}, "tidy").at(0).word, "may be promoted");
  const auto promoted = desk().promote(record_, {}).decisions.at(0);
  const auto after = desk().decisions(record_).at(0);
  for (const auto& decision : {promoted, after}) {
    EXPECT_EQ(decision.state, reports::DecisionState::promoted);
    EXPECT_EQ(decision.stage, (root_ / "stage" / "finance").string());
    EXPECT_EQ(decision.manifest_digest, sha256(read_file(root_ / "stage" / "finance" / "manifest.json").value()));
    EXPECT_THAT(decision.candidates, ElementsAre("dns-update", "tidy"));
    EXPECT_THAT(decision.reasons(), IsEmpty());
    const auto explanation = explain(record_, {decision}, "tidy").at(0);
    EXPECT_TRUE(explanation.promoted);
    EXPECT_EQ(explanation.word, "promoted");
  }
}

TEST_F(DeskTest, SaysThatAnotherRunTookItsPlace) {
  write_down(record_);
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::ok);
  auto newer = record_;
  newer.id = "newer";
  newer.finished = "2026-11-22T06:30:00.000Z";
  write_down(newer);
  EXPECT_EQ(desk().promote(newer, {}).exit_code, ExitCode::ok);
  const auto decision = desk().decisions(record_).at(0);
  EXPECT_EQ(decision.state, reports::DecisionState::replaced);
  EXPECT_EQ(decision.replaced_by, "newer");
  EXPECT_FALSE(explain(record_, {decision}, "tidy").at(0).promoted);
}

// What is published stays published, and everybody can see that it would not be today.
TEST_F(DeskTest, SaysThatWhatIsPublishedFailedSince) {
  write_down(record_);
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::ok);
  auto later = record_;
  later.id = "later";
  later.departments[0].verdicts[0].outcome = Outcome::fail;
  write_down(later);
  const auto decision = desk().decisions(record_).at(0);
  EXPECT_EQ(decision.state, reports::DecisionState::promoted);
  EXPECT_THAT(decision.reasons(), ElementsAre(HasSubstr("stale: dns-update: passed here and failed later")));
}

// The ledger has promotions of the run, and not of this record.
TEST_F(DeskTest, AnEditedRecordWasNeverPromoted) {
  write_down(record_);
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::ok);
  auto edited = record_;
  edited.departments[0].trials[2].duration_ms += 1;
  std::size_t asked = 0;
  lab_.golden = [&](const std::string&, const reports::MachineRecord&) {
    ++asked;
    return std::optional<Seen>();
  };
  const auto decision = desk().decisions(edited).at(0);
  EXPECT_EQ(decision.state, reports::DecisionState::refused);
  EXPECT_THAT(decision.reasons(), ElementsAre(HasSubstr("not-recorded: ")));
  EXPECT_EQ(asked, 0U) << "an edited record could name any place of any host";
}

TEST_F(DeskTest, WritesARunDownBeforeItPublishes) {
  const auto settled = desk().settle(record_, Desk::Ask::promote);
  EXPECT_EQ(settled.exit_code, ExitCode::ok);
  EXPECT_EQ(settled.decisions.at(0).state, reports::DecisionState::promoted);
  EXPECT_EQ(kinds().front(), "run");
  EXPECT_EQ(kinds().back(), "promotion");
}

TEST_F(DeskTest, PublishesNothingOfARunThatCannotBeWrittenDown) {
  ASSERT_TRUE(create_folders(root_ / "ledger.jsonl"));
  const auto settled = desk().settle(record_, Desk::Ask::promote);
  EXPECT_EQ(settled.exit_code, ExitCode::error);
  EXPECT_TRUE(settled.trouble);
  EXPECT_EQ(settled.decisions.at(0).state, reports::DecisionState::refused);
  EXPECT_FALSE(is_there(root_ / "stage" / "finance"));
}

TEST_F(DeskTest, PublishesNothingWhenNobodyAsked) {
  const auto settled = desk().settle(record_, Desk::Ask::nothing);
  EXPECT_EQ(settled.exit_code, ExitCode::ok);
  EXPECT_EQ(settled.decisions.at(0).state, reports::DecisionState::promotable);
  EXPECT_FALSE(is_there(root_ / "stage"));
}

TEST_F(DeskTest, ARunThatLeftMachinesOutIsNotPromotedLaterEither) {
  record_.asked.roles = {"dns"};
  write_down(record_);
  EXPECT_THAT(
      desk().promote(record_, {}).decisions.at(0).reasons(),
      ElementsAre("narrowed: finance: --role dns left machines out, so the department was not tested as a whole"));
}

// Everything that is not met is told once, with its command, of what and in the words of the record.
TEST_F(DeskTest, ShowsEachRequirementAsItIs) {
  const auto today = Today{.now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{7}};
  record_.departments[0].machines[0].golden_digest_after.clear();
  const auto decision = decide(record_, "finance", {}, today);
  const auto seen = shown(decision, record_, today);
  ASSERT_EQ(seen.requirements.size(), decision.requirements.size() + decision.held_back.size());
  EXPECT_EQ(seen.reasons(), decision.reasons());
  for (std::size_t i = 0; i < decision.requirements.size(); ++i) {
    EXPECT_EQ(seen.requirements[i].met, decision.requirements[i].met);
    EXPECT_EQ(seen.requirements[i].command, decision.requirements[i].command);
  }
  EXPECT_EQ(Json(seen).at("outcome"), "refused");
}

// With people who may decide in this stage.
class DeskWithPeople : public DeskTest {
 protected:
  DeskWithPeople() {
    write_down(record_);
    std::string text;
    for (const auto* name : {"bob", "carol"}) {
      text += std::string(name) + " namespaces=\"patchlab.approve.v1,patchlab.reject.v1,patchlab.withdraw.v1\" " +
              keys_.line(name) + "\n";
    }
    const auto signing = [this](const std::string& bytes) -> Result<std::string> {
      return keys_.sign("root", signature_namespace(StatementKind::trust), bytes);
    };
    const auto root = read_public_key_file(keys_.line("root"), "root").value();
    EXPECT_TRUE(book_.add_trust(text, "root", root, {}, signing));
  }
  // The digest of the statement.
  std::string decide(StatementKind kind, const std::string& by, const std::string& withdraws = {}) {
    const auto& finance = record_.departments.front();
    const DecisionTarget target{finance.name, reports::run_object(record_),
                                sha256(sha256sums_of(record_, tested_set(finance))), quickstart_policy().digest};
    auto statement = DecisionBook::draft(kind, by, target, book_.read(target).value());
    statement.reason = "too early";
    if (!withdraws.empty()) statement.withdraws = withdraws;
    const auto bytes = write_statement(statement).value();
    const auto added = book_.add(bytes, keys_.sign(by, signature_namespace(kind), bytes));
    EXPECT_TRUE(added) << added.error().message;
    return sha256(bytes);
  }

  testing::SshKeys keys_;
  DecisionBook book_{root_ / "stage" / chain_folder_name, host_processes(), clock_};
};

TEST_F(DeskWithPeople, WhatSomebodyRejectsIsNotPromotedByAnyPolicy) {
  const auto rejection = decide(StatementKind::reject, "carol");
  decide(StatementKind::approve, "bob");
  const auto refused = desk().promote(record_, {});
  EXPECT_EQ(refused.exit_code, ExitCode::policy);
  EXPECT_THAT(refused.decisions.front().reasons(),
              ::testing::Contains(::testing::HasSubstr("rejected by 'carol': too early")));
  EXPECT_FALSE(fs::exists(root_ / "stage" / record_.departments.front().name));
  decide(StatementKind::withdraw, "carol", rejection);
  EXPECT_EQ(desk().promote(record_, {}).exit_code, ExitCode::ok);
}

TEST_F(DeskWithPeople, ALedgerThatNobodyCanReadMayHoldARejection) {
  EXPECT_TRUE(write_file_atomically(root_ / "stage" / chain_folder_name / chain_file_name, "no line\n"));
  const auto refused = desk().promote(record_, {});
  EXPECT_EQ(refused.exit_code, ExitCode::bad_data);
  EXPECT_THAT(refused.decisions.front().reasons(), Contains(HasSubstr("ledger-unusable: finance: ")));
}

TEST_F(DeskWithPeople, SaysByWhoseWordItIsPromoted) {
  EXPECT_EQ(desk().decisions(record_).front().by, "promoted by policy 'quickstart': nobody approved");
  decide(StatementKind::approve, "bob");
  const auto promoted = desk().promote(record_, {}).decisions.front();
  EXPECT_EQ(promoted.by, "promoted by policy 'quickstart': approved by bob");
  EXPECT_THAT(Json(promoted).dump(), HasSubstr(promoted.by));
}

// Who approved before the version with the stronger check was promoted, did not know that this one is weaker.
TEST_F(DeskWithPeople, AWeakerCheckOfTheSameNameWaitsForSomebodyWhoSawWhatWasPromotedLast) {
  const auto strong = record_;
  record_.id = "2026-11-22T062250Z-000001";
  auto& digests = record_.departments[0].machines[1].check_digests;
  ASSERT_TRUE(digests.contains("deliver"));
  digests["deliver"] = sha256("takes any answer");
  write_down(record_);
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(desk().promote(strong, {}).exit_code, ExitCode::ok);
  const auto refused = desk().promote(record_, {});
  EXPECT_EQ(refused.exit_code, ExitCode::policy);
  EXPECT_THAT(refused.decisions.front().reasons(), ElementsAre(HasSubstr("check-changed: finance/mail/deliver: ")));
  EXPECT_EQ(desk().today(strong).published.at("finance").run, strong.id);
  decide(StatementKind::approve, "bob");
  const auto promoted = desk().promote(record_, {});
  EXPECT_EQ(promoted.exit_code, ExitCode::ok);
  EXPECT_THAT(promoted.decisions.front().by, HasSubstr("mail/deliver is another one than before, taken over by bob"));
}

// Of the schema before, a record has another identity than its bytes; people sign for the bytes.
TEST_F(DeskWithPeople, ARunOfTheSchemaBeforeIsApprovedByItsBytes) {
  Json json = record_;
  json["schema"] = reports::run_schema_v1;
  json["id"] = "2026-11-22T062250Z-000001";
  json["exit_code"] = 0;
  const auto file = root_ / "old.json";
  EXPECT_TRUE(write_file_atomically(file, pretty(json)));
  record_ = reports::read_run_record(file).value();
  EXPECT_EQ(reports::run_object(record_), sha256_of_file(file).value());
  EXPECT_NE(reports::run_object(record_), reports::record_digest(record_));
  write_down(record_);
  decide(StatementKind::approve, "bob");
  const auto people = desk().today(record_).people.at("finance");
  ASSERT_EQ(people.size(), 1U);
  EXPECT_THAT(people[0].not_counted, IsEmpty());
  EXPECT_THAT(people[0].approvals, ElementsAre(ApprovalGiven{.by = "bob", .seen = 1}));
  EXPECT_EQ(desk().promote(record_, {}, {.file = file}).decisions.front().by,
            "promoted by policy 'quickstart': approved by bob");
}

TEST_F(DeskWithPeople, KnowsWhoApproved) {
  decide(StatementKind::approve, "bob");
  const auto today = desk().today(record_);
  const auto& people = today.people.at(record_.departments.front().name);
  ASSERT_EQ(people.size(), 1U);
  EXPECT_THAT(people[0].approvals, ::testing::ElementsAre(ApprovalGiven{.by = "bob", .seen = 1}));
  EXPECT_EQ(people[0].counted.size(), 1U);
}

}  // namespace
}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "program.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Decisions as people make them: real keys, the built program, a stage of its own.
class Decide : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"root", "bob", "carol", "mallory"}) make_key(name);
    auto record = tests::good_record();
    std::filesystem::create_directories(folder_.path() / "runs" / "r1");
    ASSERT_TRUE(reports::write_run_record(record, folder_.path() / "runs" / "r1" / "run.json"));
  }
  void make_key(const std::string& name) const {
    ASSERT_EQ(exit_code(run("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name})), 0);
  }
  ProcessOutcome run(const std::string& program, const std::vector<std::string>& words) const {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = words;
    spec.working_folder = folder_.path();
    return host_processes().run(spec);
  }
  ProcessOutcome ask(const std::vector<std::string>& words) const { return patchlab(words, folder_.path()); }
  ProcessOutcome decide(const std::string& kind, const std::string& key, std::vector<std::string> more = {}) const {
    std::vector<std::string> words{kind,       "runs/r1",         "--department", "finance",
                                   "--reason", "read the report", "--key",        key};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  }
  void trust() const {
    for (const char* name : {"bob", "carol"}) {
      const auto added = ask({"trust", "add", "signers", std::string(name) + "@x", "--key", std::string(name) + ".pub",
                              "--may", "approve,reject,waive,withdraw"});
      ASSERT_EQ(exit_code(added), 0) << added.errors;
    }
    const auto signing = ask({"trust", "sign", "signers", "--root", "root"});
    ASSERT_EQ(exit_code(signing), 0) << signing.errors;
    EXPECT_THAT(signing.output, HasSubstr("version 1 is in force: 2 keys"));
  }
  static void expect(const ProcessOutcome& outcome, int code, const std::string& words) {
    EXPECT_EQ(exit_code(outcome), code) << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr(words));
  }

  const TemporaryFolder folder_;
};

TEST_F(Decide, ShowsSignsAndRecords) {
  expect(decide("approve", "bob"), 5, "signer-unknown: ");
  trust();
  const auto approved = decide("approve", "bob.pub");
  EXPECT_EQ(exit_code(approved), 0) << approved.errors;
  EXPECT_THAT(approved.output, HasSubstr("what is signed, as 'bob@x' for patchlab.approve.v1:\n{\"_type\":"));
  EXPECT_THAT(approved.output, HasSubstr("line 2 of the ledger: 'approve' by 'bob@x'"));
  expect(decide("approve", "bob"), 5, "approval-not-distinct: ");
  expect(decide("approve", "mallory"), 5, "signer-unknown: ");
  EXPECT_EQ(exit_code(decide("reject", "carol")), 0);
  expect(decide("withdraw", "bob", {"--decision", "3"}), 5, "withdrawal-not-by-author: ");
  EXPECT_EQ(exit_code(decide("withdraw", "carol", {"--decision", "3"})), 0);
  expect(decide("waive", "carol", {"--what", "mail/x", "--ticket", "T", "--until", "tomorrow"}), 64,
         "--until 'tomorrow' is no time");
  expect(decide("waive", "carol", {"--what", "mail/x", "--ticket", "T", "--until", "2027-01-01T00:00:00Z"}), 5,
         "waiver-out-of-scope: ");
  expect(ask({"approve", "runs/r1", "--department", "sales", "--reason", "x", "--key", "bob"}), 64,
         "there are: finance");
}

// With stock tools alone, as an auditor has them.
TEST_F(Decide, WhatWasSignedVerifiesWithStockSshKeygen) {
  trust();
  ASSERT_EQ(exit_code(decide("approve", "bob")), 0);
  const auto lines = read_file(folder_.path() / "production/.ledger/ledger.jsonl").value();
  const auto last = Json::parse(lines.substr(lines.rfind('\n', lines.size() - 2) + 1));
  const auto object = folder_.path() / "production/.ledger/objects" / last["object"].get<std::string>();
  ProcessSpec spec;
  spec.program = "ssh-keygen";
  spec.arguments = {"-Y", "verify",
                    "-f", "production/.ledger/trust/1/allowed_signers",
                    "-I", "bob@x",
                    "-n", "patchlab.approve.v1",
                    "-s", object.string() + ".sig"};
  spec.input = read_file(object).value();
  spec.working_folder = folder_.path();
  EXPECT_EQ(exit_code(host_processes().run(spec)), 0);
  spec.input.insert(10, " ");
  EXPECT_NE(exit_code(host_processes().run(spec)), 0);
}

TEST_F(Decide, TakesWhatWasSignedElsewhere) {
  trust();
  const auto printed = ask({"decide", "--print", "approve", "runs/r1", "--department", "finance", "--reason",
                            "elsewhere", "--by", "carol@x"});
  ASSERT_EQ(exit_code(printed), 0) << printed.errors;
  folder_.write("s.json", printed.output);
  ASSERT_EQ(exit_code(run("ssh-keygen", {"-q", "-Y", "sign", "-f", "carol", "-n", "patchlab.approve.v1", "s.json"})),
            0);
  auto edited = printed.output;
  edited.replace(edited.find("elsewhere"), 1, "E");
  folder_.write("edited.json", edited);
  expect(ask({"decide", "--add", "edited.json", "s.json.sig"}), 65, "statement-edited: ");
  folder_.write("blank.json", " " + printed.output);
  expect(ask({"decide", "--add", "blank.json", "s.json.sig"}), 65, "is not written as patchlab writes it");
  const auto added = ask({"decide", "--add", "s.json", "s.json.sig"});
  EXPECT_EQ(exit_code(added), 0) << added.errors;
  EXPECT_THAT(added.output, HasSubstr("'approve' by 'carol@x'"));
  expect(ask({"decide", "--add", "s.json", "s.json.sig"}), 65, "one statement, one line");
  EXPECT_EQ(exit_code(ask({"decide"})), 64);
}

TEST_F(Decide, WhoSubmittedDoesNotApprove) {
  for (const char* name : {"bob", "carol"}) {
    ASSERT_EQ(exit_code(ask({"trust", "add", "signers", std::string(name) + "@x", "--key", std::string(name) + ".pub",
                             "--may", "submit,approve"})),
              0);
  }
  ASSERT_EQ(exit_code(ask({"trust", "sign", "signers", "--root", "root"})), 0);
  const auto submitted = ask({"submit", "runs/r1", "--department", "finance", "--key", "bob"});
  EXPECT_EQ(exit_code(submitted), 0) << submitted.errors;
  EXPECT_THAT(submitted.output, HasSubstr("'submit' by 'bob@x'"));
  expect(decide("approve", "bob"), 5, "approval-not-distinct: ");
  EXPECT_EQ(exit_code(decide("approve", "carol")), 0);
  expect(decide("approve", "carol", {"--with", "nothing"}), 64, "--with 'nothing' is no candidate");
}

TEST_F(Decide, TheQueueSaysThatNothingWaitsAndWhatWasLookedAt) {
  const auto queue = ask({"queue", "--runs", "runs"});
  EXPECT_EQ(exit_code(queue), 0) << queue.errors;
  EXPECT_THAT(queue.output, StartsWith("nothing waits\n  finance: run "));
  EXPECT_THAT(queue.output, HasSubstr("looked at 1 of the newest runs in 'runs' for stage 'production'\n"));
  const auto json = ask({"queue", "--json"});
  EXPECT_THAT(Json::parse(json.output).at("waiting"), IsEmpty());
  expect(ask({"queue", "--runs", "none"}), 65, "looking for the latest run: ");
}

TEST_F(Decide, AnEmergencyHasAReasonAndATicketAndIsNoRollback) {
  expect(ask({"promote", "runs/r1", "--emergency", "exploited"}), 64, "--emergency needs the reason, and --ticket");
  expect(ask({"promote", "runs/r1", "--emergency", "two\nlines", "--ticket", "T"}), 64, "--emergency needs the reason");
  expect(ask({"promote", "runs/r1", "--ticket", "T"}), 64, "--ticket requires --emergency");
  expect(ask({"promote", "runs/r1", "--emergency", "exploited", "--ticket", "T", "--rollback", "slow"}), 64,
         "excludes");
  // The shipped policy has no lane.
  const auto refused = ask({"promote", "runs/r1", "--emergency", "exploited", "--ticket", "T"});
  EXPECT_EQ(exit_code(refused), 5) << refused.errors;
  EXPECT_THAT(refused.output, HasSubstr("emergency-not-allowed: "));
  EXPECT_THAT(refused.output, ::testing::Not(HasSubstr("review by")));
}

TEST_F(Decide, AttemptsSaysThatThereIsNone) {
  expect(ask({"attempts", "--stage", "prodution"}), 65, "there is no stage '");
  std::filesystem::create_directories(folder_.path() / "production");
  const auto none = ask({"attempts"});
  EXPECT_EQ(exit_code(none), 0) << none.errors;
  EXPECT_THAT(none.output, HasSubstr("has no run"));
  EXPECT_THAT(Json::parse(ask({"attempts", "--json"}).output).at("attempts"), IsEmpty());
  std::filesystem::create_directories(folder_.path() / "production/.ledger");
  folder_.write("production/.ledger/ledger.jsonl", "no line\n");
  expect(ask({"attempts"}), 65, "ledger.jsonl:1: ");
}

TEST_F(Decide, TrustRefusesTrapsAndEndsKeys) {
  trust();
  expect(ask({"trust", "add", "signers", "dave@x", "--key", "bob.pub", "--may", "approve"}), 65,
         "signers:3: key-twice: ");
  expect(ask({"trust", "add", "signers", "*@x", "--key", "mallory.pub", "--may", "approve"}), 64,
         "is no name of a signer");
  expect(ask({"trust", "add", "signers", "dave@x", "--key", "mallory", "--may", "bless"}), 64,
         "'bless' is nothing that one could sign");
  const auto key = read_file(folder_.path() / "mallory.pub").value();
  folder_.write("trap", "*@x " + key);
  const auto checked = ask({"trust", "check", "trap"});
  expect(checked, 65, "trap:1: name-pattern: ");
  EXPECT_THAT(checked.errors, HasSubstr("trap:1: namespaces-missing: "));
  expect(ask({"trust", "sign", "trap", "--root", "root"}), 65, "name-pattern");
  expect(ask({"trust", "sign", "signers", "--root", "mallory"}), 65, "is no root key of this stage");
  EXPECT_EQ(exit_code(ask({"trust", "retire", "signers", "bob@x", "--until", "2026-01-01T00:00:00Z"})), 0);
  const auto noted = ask({"trust", "check", "signers"});
  EXPECT_EQ(exit_code(noted), 0) << noted.errors;
  EXPECT_THAT(noted.output, StartsWith("signers:1: note: 'bob@x' expired"));
  EXPECT_EQ(exit_code(ask({"trust", "sign", "signers", "--root", "root"})), 0);
  expect(decide("approve", "bob"), 5, "signer-not-in-force: ");
}

}  // namespace
}  // namespace patchlab::e2e

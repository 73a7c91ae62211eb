// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "killed.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "patches/store/content_store.hpp"
#include "program.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/desk/lab_book.hpp"
#include "promotion/ledger/ledger.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using namespace promotion;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two runs that passed, one of them published; everything below `state`, to be put back as often as needed.
class Kill : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = why_no_watching(); !why.empty()) GTEST_SKIP() << why;
    ::setenv("PATCHLAB_CACHE", (state() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
    ASSERT_TRUE(create_folders(state() / "cache"));
    old_ = run("r-old", std::chrono::hours(2));
    new_ = run("r-new", std::chrono::hours(1));
    const patches::ContentStore store(state() / "cache" / "store");
    for (const auto& candidate : new_.candidates) ASSERT_TRUE(store.add_bytes("content of " + candidate.id, "sample"));
    for (const auto& record : {old_, new_}) finish(record);
    const auto promoted = patchlab({"promote", "r-old"}, state());
    ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
    shell("rm -rf before && cp -a state before");
  }
  ~Kill() override {
    ::unsetenv("PATCHLAB_CACHE");
    shell("chmod -R u+w . && rm -rf state before");
  }

  static reports::RunRecord run(const std::string& id, std::chrono::hours ago) {
    auto record = tests::good_record();
    record.id = id;
    record.finished = rfc3339(std::chrono::system_clock::now() - ago);
    for (auto& machine : record.departments[0].machines) machine.golden_at.clear();  // there is no lab here
    return record;
  }
  // As `patchlab run` leaves it, not promoted.
  void finish(const reports::RunRecord& record) const {
    const auto file = state() / "runs" / record.id / reports::run_file_name;
    ASSERT_TRUE(create_folders(file.parent_path()));
    ASSERT_TRUE(reports::write_run_record(record, file));
    LabBook book(state() / "production", ledger(), {.by = "lab@x", .submitter = "alice@x"});
    const auto begun = book.begin(record, {}, std::chrono::system_clock::now());
    ASSERT_TRUE(begun) << begun.error().message;
    ASSERT_TRUE(book.end(*begun, record, read_file(file).value()));
    ASSERT_TRUE(Ledger(ledger()).append(ledger_entries(record, rfc3339(std::chrono::system_clock::now()))));
  }
  void shell(const std::string& command) const {
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", command};
    spec.working_folder = folder_.path();
    const auto outcome = host_processes().run(spec);
    ASSERT_TRUE(outcome.succeeded()) << command << ": " << outcome.errors;
  }
  void put_back() const { shell("chmod -R u+w state; rm -rf state && cp -a before state"); }
  [[nodiscard]] fs::path state() const { return folder_.path() / "state"; }
  [[nodiscard]] fs::path stage() const { return state() / "production"; }
  [[nodiscard]] fs::path ledger() const { return state() / "runs" / "ledger.jsonl"; }
  [[nodiscard]] Chain chain() const { return Chain(stage() / chain_folder_name); }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const { return patchlab(words, state()); }

  // Everything that the program does between two changes of files, and half-way through them; `looks` after each, and
  // then what comes next.
  using Look = std::function<void(const std::string& step)>;
  void kill_everywhere(const std::string& program, const std::vector<std::string>& words, int code, const Look& looks) {
    const auto whole = watch(program, words, state());
    ASSERT_EQ(whole.exit_code, code) << whole.output;
    ASSERT_GT(whole.calls.size(), 10U);
    const auto points = points_of(whole.calls);
    for (const auto& point : points) {
      put_back();
      const auto watched = watch(program, words, state(), &point);
      const auto call = watched.calls.empty() ? std::string() : watched.calls.back();
      const auto step = fmt::format("{} of {}, {} '{}'", point.call, whole.calls.size(),
                                    point.moment == Point::Moment::half ? "half-way through" : "before", call);
      if (!watched.killed) {  // a call less than before: it came to its end
        EXPECT_EQ(watched.exit_code, code) << step << watched.output;
      }
      looks(step);
      if (HasFailure()) FAIL() << "killed at " << step;
    }
  }

  // The stage is whole, and the ledger says what is true of it, or that it cannot.
  void expect_truth(const std::string& step) const {
    const auto checks = verify_stage(stage());
    ASSERT_TRUE(checks) << step << checks.error().message;
    ASSERT_EQ(checks->size(), 1U) << step;
    const auto& lying = checks->front();
    EXPECT_THAT(lying.problems, IsEmpty()) << step;
    EXPECT_THAT(lying.run, AnyOf("r-old", "r-new")) << step;
    const auto state = chain().read();
    ASSERT_TRUE(state) << step << state.error().message;
    const auto& last = state->history.promotions().back();
    if (!last.is_open()) {
      EXPECT_EQ(state->history.last_done("finance")->manifest, lying.manifest_digest) << step;
    }
    const auto proof = prove_stage(stage());
    const bool unsure = last.is_open() || !state->unfinished.empty();
    if (!proof) {
      EXPECT_TRUE(unsure) << step << proof.error().message;
      EXPECT_THAT(proof.error().message, HasSubstr("unfinished")) << step;
    } else {
      EXPECT_EQ(proof->is_proven(), !unsure) << step;
    }
  }
  void expect_published(const std::string& run, const std::string& step) const {
    const auto proof = prove_stage(stage());
    ASSERT_TRUE(proof) << step << proof.error().message;
    EXPECT_TRUE(proof->is_proven()) << step;
    EXPECT_EQ(proof->departments.front().run, run) << step;
    EXPECT_THAT(proof->departments.front().problems, IsEmpty()) << step;
  }

  const TemporaryFolder folder_;
  reports::RunRecord old_;
  reports::RunRecord new_;
};

TEST_F(Kill, APromotionIsDoneOrNotAndTheNextOneSaysWhich) {
  kill_everywhere(PATCHLAB_PROGRAM, {"promote", "r-new"}, 0, [this](const std::string& step) {
    expect_truth(step);
    const auto next = ask({"promote", "r-new"});
    EXPECT_EQ(exit_code(next), 0) << step << next.output << next.errors;
    expect_published("r-new", step);
  });
}

// Interrupted, and then somebody promotes something else.
TEST_F(Kill, ARollbackIsDoneOrNotAndAnotherPromotionFinishesIt) {
  ASSERT_EQ(exit_code(ask({"promote", "r-new"})), 0);
  shell("chmod -R u+w before; rm -rf before && cp -a state before");
  kill_everywhere(PATCHLAB_PROGRAM, {"promote", "r-old", "--rollback", "mail is slow"}, 0,
                  [this](const std::string& step) {
                    expect_truth(step);
                    const auto next = ask({"promote", "r-new"});
                    EXPECT_EQ(exit_code(next), 0) << step << next.output << next.errors;
                    expect_published("r-new", step);
                    std::uint64_t serial = 0;
                    for (const auto& story : chain().read()->history.promotions()) {
                      EXPECT_GT(story.serial, serial) << step;
                      serial = story.serial;
                    }
                  });
}

TEST_F(Kill, TheEndOfARunIsKnownOrSaidNotToBe) {
  auto third = run("r-third", std::chrono::hours(0));
  ASSERT_TRUE(reports::write_run_record(third, state() / "third.json"));
  shell("chmod -R u+w before; rm -rf before && cp -a state before");
  kill_everywhere(PATCHLAB_ENDED_RUN, {"third.json", "production", "runs"}, 0, [this](const std::string& step) {
    const auto checks = verify_stage(stage());
    ASSERT_TRUE(checks) << step;
    EXPECT_THAT(checks->front().problems, IsEmpty()) << step;
    const auto state = chain().read();
    ASSERT_TRUE(state) << step << state.error().message;
    const Attempt* attempt = nullptr;
    for (const auto& one : state->history.attempts()) {
      if (one.id == "r-third") attempt = &one;
    }
    const auto next = ask({"promote", "r-third"});
    if (attempt == nullptr || attempt->end_line == 0) {
      EXPECT_NE(exit_code(next), 0) << step << "what never ended is not promoted";
      EXPECT_EQ(checks->front().run, "r-old") << step;
      if (is_there(this->state() / "runs/r-third/run.json")) {
        EXPECT_THAT(next.output, HasSubstr("not-recorded: ")) << step << next.errors;
      }
      EXPECT_EQ(exit_code(ask({"promote", "r-new"})), 0) << step;
      expect_published("r-new", step);
    } else {
      EXPECT_EQ(exit_code(next), 0) << step << next.output << next.errors;
      expect_published("r-third", step);
    }
    // What comes next writes its own lines, in both ledgers.
    EXPECT_TRUE(chain().verify()) << step;
    EXPECT_TRUE(Ledger(ledger()).verify()) << step;
  });
}

TEST_F(Kill, ADecisionIsThereOrNotAndNeverHalf) {
  shell("cd state && for k in root bob; do ssh-keygen -q -t ed25519 -N '' -C $k -f $k; done");
  ASSERT_EQ(exit_code(ask({"trust", "add", "signers", "bob@x", "--key", "bob.pub", "--may", "approve"})), 0);
  ASSERT_EQ(exit_code(ask({"trust", "sign", "signers", "--root", "root"})), 0);
  shell("chmod -R u+w before; rm -rf before && cp -a state before");
  const std::vector<std::string> words{"approve",  "r-new",   "--department", "finance",
                                       "--reason", "read it", "--key",        "bob.pub"};
  kill_everywhere(PATCHLAB_PROGRAM, words, 0, [&](const std::string& step) {
    expect_truth(step);
    const auto approvals = [&] {
      return std::ranges::count(chain().read().value().lines, ChainKind::approve, &ChainLine::kind);
    };
    const auto there = approvals();
    const auto next = ask(words);
    EXPECT_EQ(exit_code(next), there == 0 ? 0 : 5) << step << next.errors;
    if (there > 0) {
      EXPECT_THAT(next.errors, HasSubstr("approval-not-distinct")) << step;
    }
    EXPECT_EQ(approvals(), 1) << step;
    const auto promoted = ask({"promote", "r-new"});
    EXPECT_EQ(exit_code(promoted), 0) << step << promoted.output;
    EXPECT_THAT(promoted.output, HasSubstr("approved by bob@x")) << step;
    expect_published("r-new", step);
  });
}

// What the lab says is signed by its key, and stock ssh-keygen says so.
TEST_F(Kill, TheLabSignsWhatItDoes) {
  shell("cd state && for k in root lab other; do ssh-keygen -q -t ed25519 -N '' -C $k -f $k; done");
  ASSERT_EQ(exit_code(ask({"trust", "add", "signers", "lab@x", "--key", "lab.pub", "--may",
                           "begin,run,promote,rollback,refuse,head"})),
            0);
  ASSERT_EQ(exit_code(ask({"trust", "add", "signers", "other@x", "--key", "other.pub", "--may", "head"})), 0);
  ASSERT_EQ(exit_code(ask({"trust", "sign", "signers", "--root", "root"})), 0);
  const auto unknown = ask({"promote", "r-new", "--sign-with", "root.pub"});
  EXPECT_EQ(exit_code(unknown), 65);
  EXPECT_THAT(unknown.errors, HasSubstr("may sign nothing for stage"));
  const auto half = ask({"promote", "r-new", "--sign-with", "other.pub"});
  EXPECT_EQ(exit_code(half), 73) << half.output;
  EXPECT_THAT(half.output, HasSubstr("'other@x' may not sign for patchlab.promote.v1"));
  expect_published("r-old", "not signed");
  const auto promoted = ask({"promote", "r-new", "--sign-with", "lab.pub", "--by", "alice@x"});
  ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  const auto state = chain().read().value();
  EXPECT_EQ(state.lines.back().by, "lab@x") << "the key's name";
  const auto object = state.lines.back().object;
  shell(
      fmt::format("cd state/production/.ledger && ssh-keygen -Y verify -f trust/1/allowed_signers -I lab@x "
                  "-n patchlab.promote.v1 -s objects/{0}.sig <objects/{0}",
                  object));
  shell(
      "cd state/production/.ledger && ssh-keygen -Y verify -f trust/1/allowed_signers -I lab@x "
      "-n patchlab.head.v1 -s head.sig <head");
  const auto refused = ask({"promote", "r-old", "--sign-with", "lab.pub"});
  EXPECT_EQ(exit_code(refused), 5) << refused.output;
  shell(
      fmt::format("cd state/production/.ledger && ssh-keygen -Y verify -f trust/1/allowed_signers -I lab@x "
                  "-n patchlab.refuse.v1 -s objects/{0}.sig <objects/{0}",
                  chain().read()->lines.back().object));
  const auto back = ask({"promote", "r-old", "--sign-with", "lab.pub", "--rollback", "mail is slow"});
  EXPECT_EQ(exit_code(back), 0) << back.output;
  EXPECT_THAT(back.output, HasSubstr("back from run r-new: mail is slow"));
  EXPECT_EQ(exit_code(ask({"promote", "r-new", "--rollback", ""})), 64);
  EXPECT_EQ(exit_code(ask({"promote", "r-new", "--by", "Not A Name"})), 64);
  const auto later = ask({"explain", "tidy", "--run", "r-old"});
  EXPECT_THAT(later.output, HasSubstr("mail is slow")) << later.errors;
}

// No file may grow beyond so many blocks: as a full disk, at another place each time.
TEST_F(Kill, AFullDiskChangesNothing) {
  const auto before = chain().read()->head();
  for (const int blocks : {0, 1, 2, 4, 8, 12, 16, 24}) {
    const auto limited = [&] {
      ProcessSpec spec;
      spec.program = "/bin/sh";
      spec.arguments = {"-c", fmt::format("trap '' XFSZ; ulimit -f {}; exec \"$0\" promote r-new", blocks),
                        PATCHLAB_PROGRAM};
      spec.working_folder = state();
      return host_processes().run(spec);
    }();
    expect_truth(std::to_string(blocks));
    if (exit_code(limited) == 0) continue;  // it did fit
    EXPECT_THAT(exit_code(limited), AnyOf(2, 73)) << blocks << limited.output << limited.errors;
    EXPECT_THAT(limited.output + limited.errors, HasSubstr("File too large")) << blocks;
    if (blocks == 0) {
      EXPECT_EQ(chain().read()->head(), before);
    }
  }
  EXPECT_EQ(exit_code(ask({"promote", "r-new"})), 0);
  expect_published("r-new", "with room again");
}

TEST_F(Kill, AStageThatMayNotBeWrittenSaysSo) {
  const auto before = chain().read()->head();
  const auto guarded = [&](const std::string& words) {
    ProcessSpec spec;
    spec.program = "unshare";
    spec.arguments = {
        "-rm", "/bin/sh", "-c",
        "mount --bind production production && mount -o remount,bind,ro production || exit 99; exec " + words};
    spec.working_folder = state();
    return host_processes().run(spec);
  };
  const auto refused = guarded(std::string(PATCHLAB_PROGRAM) + " promote r-new");
  if (exit_code(refused) == 99 || exit_code(refused) == 1 || exit_code(refused) == -1)
    GTEST_SKIP() << "needs a mount namespace: " << refused.errors;
  EXPECT_EQ(exit_code(refused), 73) << refused.output << refused.errors;
  EXPECT_THAT(refused.output + refused.errors, HasSubstr("Read-only file system"));
  ASSERT_TRUE(reports::write_run_record(run("r-third", std::chrono::hours(0)), state() / "third.json"));
  const auto run = guarded(std::string(PATCHLAB_ENDED_RUN) + " third.json production runs");
  EXPECT_NE(exit_code(run), 0);
  EXPECT_THAT(run.errors, HasSubstr("nothing was started"));
  EXPECT_FALSE(is_there(state() / "runs/r-third"));
  EXPECT_EQ(chain().read()->head(), before);
  expect_published("r-old", "read-only");
}

// Real processes, started together: in whatever order they come, each step is told once, and what is told last lies
// there.
TEST_F(Kill, TwoPromotionsAtOnceNeverRace) {
  const char* asked = std::getenv("PATCHLAB_KILL_POINTS");
  const int rounds = asked != nullptr && std::string(asked) == "all" ? 40 : 4;
  for (int round = 0; round < rounds; ++round) {
    put_back();
    std::vector<ProcessOutcome> ends(3);
    {
      const std::vector<std::vector<std::string>> commands{
          {"promote", "r-new"}, {"promote", "r-old", "--rollback", "mail is slow"}, {"promote", "r-new"}};
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < commands.size(); ++i) threads.emplace_back([&, i] { ends[i] = ask(commands[i]); });
    }
    for (const auto& end : ends) EXPECT_THAT(exit_code(end), AnyOf(0, 5, 73)) << round << end.output << end.errors;
    expect_truth(std::to_string(round));
    const auto state = chain().read().value();
    std::uint64_t serial = 0;
    for (const auto& story : state.history.promotions()) {
      EXPECT_FALSE(story.is_open()) << round;
      EXPECT_GT(story.serial, serial) << round;
      serial = story.serial;
    }
    EXPECT_TRUE(prove_stage(stage())->is_proven()) << round;
    EXPECT_TRUE(Ledger(ledger()).verify()) << round;
  }
}

}  // namespace
}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/handover/handover.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "lab/core/pipe.hpp"
#include "lab/core/time.hpp"
#include "promotion/desk/run_statements.hpp"
#include "promotion/handover/taker.hpp"
#include "reports/record/kept_files.hpp"
#include "tests/support/ssh_keys.hpp"
#include "tests/unit/promotion/desk/desk_fixture.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Milliseconds patience{2000};

// A desk in a thread of its own, and the pipes to it.
class PipedDesk final : public DeskLine {
 public:
  using Change = std::function<std::string(std::size_t number, const std::string& line)>;
  PipedDesk(Taker taker, Change change) : taker_(std::move(taker)), change_(std::move(change)) {
    there_ = make_pipe().value();
    back_ = make_pipe().value();
    thread_ = std::thread([this] {
      HandedInput input(there_.read.get(), patience);
      result_ = taker_.converse(input, [this](const std::string& line) -> Result<void> {
        return write_all(back_.write.get(), line + "\n") ? Result<void>() : errno_error("answering", errno);
      });
      back_.write = FileDescriptor();
    });
  }
  ~PipedDesk() override { static_cast<void>(finish().has_value()); }
  // Its input ends.
  Result<void> finish() {
    if (!thread_.joinable()) return result_;
    there_.write = FileDescriptor();
    thread_.join();
    return result_;
  }
  // What the change makes empty is where the lab is killed.
  Result<void> send(std::string_view line) override {
    auto text = change_ ? change_(sent_, std::string(line)) : std::string(line);
    ++sent_;
    if (text == "KILLED") there_.write = FileDescriptor();
    if (!there_.write.valid()) return infrastructure_error("the lab was killed");
    return write_all(there_.write.get(), text + "\n") ? Result<void>() : infrastructure_error("gone");
  }
  Result<std::string> receive() override {
    if (!answers_) answers_.emplace(back_.read.get(), Milliseconds{20000});
    PATCHLAB_ASSIGN(auto line, answers_->line(longest_message));
    if (!line) return infrastructure_error("no answer");
    return std::move(*line);
  }

 private:
  Taker taker_;
  Change change_;
  Pipe there_;
  Pipe back_;
  std::optional<HandedInput> answers_;
  std::size_t sent_ = 0;
  Result<void> result_;
  std::thread thread_;
};

class HandoverTest : public DeskTest {
 protected:
  HandoverTest() {
    std::signal(SIGPIPE, SIG_IGN);
    record_.started = rfc3339(clock_.wall());
    record_.finished = record_.started;
    clock_.advance(std::chrono::minutes(5));
  }
  [[nodiscard]] Taker taker(BeforeStep step = {}) {
    Taker::Setting setting;
    setting.places = {root_ / "stage", root_ / "desk"};
    setting.scribe = {.by = "desk@x", .clock = &clock_, .before_step = std::move(step)};
    setting.lab = lab_;
    setting.lab.file = [this](const std::string& sha256) -> Result<fs::path> { return root_ / "stored" / sha256; };
    setting.store.has = [this](const std::string& sha256) { return is_there(root_ / "stored" / sha256); };
    setting.store.add = [this](const fs::path& file, const std::string& sha256, std::uint64_t) -> Result<void> {
      const auto bytes = read_file(file).value();
      if (patchlab::sha256(bytes) != sha256) return configuration_error("another digest");
      PATCHLAB_TRY(create_folders(root_ / "stored"));
      return write_file_atomically(root_ / "stored" / sha256, bytes);
    };
    setting.store.incoming = root_ / "incoming";
    setting.promotes = promotes_;
    return {std::move(setting), host_processes()};
  }
  [[nodiscard]] Dial dial() {
    return [this]() -> Result<std::unique_ptr<DeskLine>> {
      auto desk = std::make_unique<PipedDesk>(taker(step_), change_);
      return std::unique_ptr<DeskLine>(std::move(desk));
    };
  }
  [[nodiscard]] Handover handover(const std::string& by = "lab@x") {
    return {dial(), {.by = by, .submitter = "alice@x", .clock = &clock_}, {}};
  }
  [[nodiscard]] reports::RunRecord planned() const {
    auto record = record_;
    for (auto& department : record.departments) {
      department.trials.clear();
      department.final_trial.clear();
      for (auto& verdict : department.verdicts) verdict = {.candidate = verdict.candidate};
    }
    return record;
  }
  [[nodiscard]] std::string run_json() const { return pretty(Json(record_)); }
  [[nodiscard]] Result<Settled> end() { return handover().end(record_, run_json(), true, lab_.file, root_ / "lab"); }
  // What the desk answers to these lines, in the end.
  [[nodiscard]] std::string answer_to(const std::vector<std::string>& lines) {
    PipedDesk desk(taker(), {});
    for (const auto& line : lines) static_cast<void>(desk.send(line).has_value());
    std::string last;
    const auto finished = desk.finish();
    for (auto line = desk.receive(); line; line = desk.receive()) last = *line;
    EXPECT_FALSE(finished) << "taken";
    return last;
  }
  [[nodiscard]] Statement beginning() {
    return begin_statement(planned(), {"lab@x", "alice@x", quickstart_policy().digest, {0, no_hash}, 1});
  }
  [[nodiscard]] std::string offer_of_begin() { return to_line(Offer(BeginOffer{planned_subjects(planned()), {}})); }
  [[nodiscard]] std::string handed(const Statement& statement) {
    return to_line(HandedStatement{write_statement(statement).value(), {}});
  }
  void expect_whole(const std::string& when) {
    const auto state = chain().read();
    ASSERT_TRUE(state) << when << state.error().message;
    EXPECT_TRUE(state->lines.empty() || !state->unfinished.empty() || chain().verify()) << when;
  }

  bool promotes_ = true;
  PipedDesk::Change change_;
  BeforeStep step_;
};

TEST_F(HandoverTest, ARunBeginsEndsAndIsPromotedByTheDesk) {
  ASSERT_TRUE(handover().begin(planned()));
  EXPECT_THAT(lines(), ElementsAre("begin"));
  EXPECT_EQ(last(), beginning()) << "as if the lab had written it itself";
  const auto settled = end();
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_EQ(settled->exit_code, 0);
  EXPECT_THAT(lines(), ElementsAre("begin", "run", "promote-begun", "promote-switched", "promote-done"));
  EXPECT_THAT(settled->notes, Contains(HasSubstr("finance: promoted")));
  EXPECT_THAT(problems(), IsEmpty());
  const auto state = chain().read().value();
  EXPECT_EQ(state.lines[1].by, "lab@x");
  EXPECT_EQ(state.lines[2].by, "desk@x") << "each line is by whose act it is";
  EXPECT_EQ(read_file(root_ / "desk" / record_.id / reports::run_file_name).value(), run_json());
  EXPECT_EQ(chain().objects().get(state.history.attempts()[0].run).value(), run_json());
}

// The same statements as a run of one user writes.
TEST_F(HandoverTest, SaysTheSameAsARunOfOneUser) {
  ASSERT_TRUE(handover().begin(planned()));
  promotes_ = false;
  ASSERT_TRUE(end());
  const auto over = last();
  LabBook book(root_ / "alone", root_ / "none", {.by = "lab@x", .submitter = "alice@x", .clock = &clock_});
  const auto begun = book.begin(planned(), quickstart_policy().digest, clock_.wall());
  ASSERT_TRUE(begun);
  ASSERT_TRUE(book.end(*begun, record_, run_json()));
  const auto objects = book.chain().objects();
  const auto own = read_statement(objects.get(book.chain().read()->lines.back().object).value(), "own").value();
  EXPECT_EQ(over.subjects, own.subjects);
  EXPECT_EQ(over.run, own.run);
  EXPECT_EQ(over.failed, own.failed);
  EXPECT_EQ(over.begin, own.begin) << "also the beginning is the same, byte for byte";
}

TEST_F(HandoverTest, ADeskThatDoesNotPromoteOnlyWritesDown) {
  promotes_ = false;
  ASSERT_TRUE(handover().begin(planned()));
  ASSERT_TRUE(end());
  EXPECT_THAT(lines(), ElementsAre("begin", "run"));
  EXPECT_FALSE(is_there(root_ / "stage/finance"));
  EXPECT_TRUE(desk().promote(record_, {}, {.file = root_ / "desk" / record_.id / "run.json"}).departments.size() == 1);
}

TEST_F(HandoverTest, TheSameEndAgainChangesNothing) {
  ASSERT_TRUE(handover().begin(planned()));
  ASSERT_TRUE(end());
  const auto before = lines();
  const auto again = end();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(std::ranges::count(lines(), "run"), 1);
  EXPECT_EQ(std::ranges::count(lines(), "promote-done"), std::ranges::count(before, "promote-done"))
      << "what is published is not published again";
  record_.peak_memory_kib += 1;
  const auto other = end();
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("with another record"));
  EXPECT_EQ(std::ranges::count(lines(), "run"), 1);
}

// A record of the lab, changed in each way that would tell another story than the beginning.
TEST_F(HandoverTest, AnEndMustBeOfTheRunThatBegan) {
  ASSERT_TRUE(handover().begin(planned()));
  const auto good = record_;
  const std::vector<std::pair<const char*, std::function<void(reports::RunRecord&)>>> lies{
      {"no run 'never'", [](auto& record) { record.id = "never"; }},
      {"another scenario", [](auto& record) { record.scenario_digest = std::string(64, 'a'); }},
      {"narrowed otherwise", [](auto& record) { record.asked.roles = {"dns"}; }},
      {"no department 'sales'", [](auto& record) { record.departments[0].name = "sales"; }},
      {"no candidate with the digest", [](auto& record) { record.candidates[0].digest = std::string(64, 'b'); }},
      {"finished before it started", [](auto& record) { record.finished = "2026-11-22T05:00:00.000Z"; }},
      {"its beginning was told at", [](auto& record) { record.started = "2026-11-21T06:00:00.000Z"; }},
      {"the clock of the desk says", [](auto& record) { record.finished = "2026-11-29T06:00:00.000Z"; }},
      {"does not say when", [](auto& record) { record.started.clear(); }},
  };
  for (const auto& [why, lie] : lies) {
    record_ = good;
    lie(record_);
    const auto refused = end();
    ASSERT_FALSE(refused) << why;
    EXPECT_THAT(refused.error().message, HasSubstr(why));
    EXPECT_THAT(lines(), ElementsAre("begin")) << why;
    EXPECT_FALSE(is_there(root_ / "desk" / record_.id / reports::run_file_name)) << why;
  }
  record_ = good;
  EXPECT_TRUE(end());
}

// The statement of an end is what the desk makes of the record, whatever the lab would like it to say.
TEST_F(HandoverTest, AnEndSaysWhatItsRecordSays) {
  ASSERT_TRUE(handover().begin(planned()));
  const std::vector<std::function<void(Statement&)>> lies{
      [](auto& one) { one.result = "candidate-fails"; },
      [](auto& one) { one.complete = false; },
      [](auto& one) { one.submitter = "bob@x"; },
      [](auto& one) { one.attempt = 7; },
      [](auto& one) { one.failed = std::vector<std::string>{"finance/dns/a"}; },
      [](auto& one) { one.subjects[0].sha256 = std::string(64, 'c'); },
      [](auto& one) { one.run = std::string(64, 'd'); },
      [](auto& one) { one.begin = std::string(64, 'e'); },
      [](auto& one) { one.id = "r-other"; },
      [](auto& one) {
        one.ledger = SeenLedger{0, no_hash};
      },
  };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    change_ = [&](std::size_t number, const std::string& line) {
      if (number != 1) return line;
      auto statement = read_statement(statement_from(line)->statement, "statement").value();
      lies[i](statement);
      return handed(statement);
    };
    const auto refused = end();
    ASSERT_FALSE(refused) << i;
    EXPECT_THAT(refused.error().message, HasSubstr("does not say what its record says")) << i;
    EXPECT_THAT(lines(), ElementsAre("begin")) << i;
  }
  change_ = {};
  EXPECT_TRUE(end());
}

TEST_F(HandoverTest, ABeginningIsOnlyWhatItCanBe) {
  const std::vector<std::pair<const char*, std::function<void(Statement&)>>> lies{
      {"another head",
       [](auto& one) {
         one.ledger = SeenLedger{3, std::string(64, 'a')};
       }},
      {"another policy", [](auto& one) { one.policy = std::string(64, 'a'); }},
      {"another policy", [](auto& one) { one.policy.reset(); }},
      {"says attempt 2", [](auto& one) { one.attempt = 2; }},
      {"other sets", [](auto& one) { one.subjects[0].sha256 = std::string(64, 'a'); }},
      {"no id of a run", [](auto& one) { one.id = "../../etc"; }},
      {"no id of a run", [](auto& one) { one.id = "ledger.jsonl"; }},
  };
  for (const auto& [why, lie] : lies) {
    auto statement = beginning();
    lie(statement);
    EXPECT_THAT(answer_to({offer_of_begin(), handed(statement)}), HasSubstr(why));
    EXPECT_THAT(lines(), IsEmpty()) << why;
  }
  ASSERT_TRUE(handover().begin(planned()));
  const auto twice = handover().begin(planned());
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("a run begins once"));
  EXPECT_THAT(lines(), ElementsAre("begin"));
}

// Nothing that people, or the desk, say comes in this way: of each kind of statement that there is.
TEST_F(HandoverTest, NothingElseIsForALabToSay) {
  for (const auto kind : all_statement_kinds) {
    if (kind == StatementKind::begin) continue;
    // With exactly what this kind has, so that it is refused for its kind and not for its form.
    Statement whole;
    whole.kind = kind;
    whole.by = "lab@x";
    whole.subjects = {beginning().subjects.front()};
    for (const auto& key : statement_keys(kind).required) {
      if (key == "run") whole.run = std::string(64, '1');
      if (key == "policy") whole.policy = std::string(64, '2');
      if (key == "ledger") whole.ledger = SeenLedger{0, no_hash};
      if (key == "reason") whole.reason = "because";
      if (key == "ticket") whole.ticket = "CHG1";
      if (key == "expires") whole.expires = "2026-12-24T00:00:00Z";
      if (key == "waives") whole.waives = std::vector<Waived>{{"dns", "a-record", {}, "fail"}};
      if (key == "withdraws") whole.withdraws = std::string(64, '3');
      if (key == "id") whole.id = "r-1";
      if (key == "begin") whole.begin = std::string(64, '4');
      if (key == "complete") whole.complete = true;
      if (key == "result") whole.result = "ok";
      if (key == "attempt") whole.attempt = 1;
      if (key == "manifest") whole.manifest = std::string(64, '5');
      if (key == "serial") whole.serial = 1;
      if (key == "version") whole.version = 1;
      if (key == "reasons") whole.reasons = std::vector<std::string>{"stale: x: y"};
      if (key == "submitter") whole.submitter = "alice@x";
      if (key == "promotion") whole.promotion = std::string(64, '6');
      if (key == "report") whole.report = std::string(64, '7');
    }
    const auto bytes = write_statement(whole);
    ASSERT_TRUE(bytes) << to_string(kind) << bytes.error().message;
    EXPECT_THAT(answer_to({offer_of_begin(), to_line(HandedStatement{*bytes, {}})}),
                HasSubstr(fmt::format("it is of kind '{}'", to_string(kind))));
  }
  for (const char* event : {"refuse", "approve", "policy", "promote-done", "repair", "import", ""}) {
    const auto line = Json{{"schema", handover_schema}, {"event", event}}.dump();
    EXPECT_THAT(answer_to({line}), HasSubstr("nothing else is for a lab to say")) << event;
  }
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(HandoverTest, WhatNobodyCanReadIsRefusedAndNothingIsWritten) {
  const auto good = offer_of_begin();
  const auto deep = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const std::vector<std::string> lines_of_others{
      "",
      "{}",
      "null",
      "[]",
      "\xff\xfe",
      deep(100000),
      std::string(300000, 'x'),
      good.substr(0, good.size() / 2),
      good + good,
      R"({"schema":"patchlab/handover/v2","event":"begin"})",
      R"({"schema":"patchlab/handover/v1","event":"begin","subjects":[],"more":1})",
      R"({"schema":"patchlab/handover/v1","event":"begin","event":"end"})",
      R"({"schema":"patchlab/handover/v1","event":"end","id":"../x","run":"","bytes":1e999})",
      R"({"schema":"patchlab/handover/v1","event":"end","id":"r","run":")" + std::string(64, 'a') +
          R"(","bytes":99999999999,"promote":true})",
  };
  for (const auto& line : lines_of_others) {
    EXPECT_THAT(answer_to({line}), HasSubstr("\"refused\"")) << line.substr(0, 60);
    EXPECT_THAT(lines(), IsEmpty());
  }
  for (const auto& line : lines_of_others) {
    EXPECT_THAT(answer_to({good, line}), HasSubstr("\"refused\"")) << line.substr(0, 60);
    EXPECT_THAT(lines(), IsEmpty());
  }
}

// Never a line end, or nothing at all: the desk ends by itself, and has asked for little memory.
TEST_F(HandoverTest, AnInputWithoutEndEnds) {
  for (const bool much : {true, false}) {
    auto pipe = make_pipe().value();
    const std::jthread other([much, file = pipe.write.get()] {
      const std::string block(1U << 16U, 'y');
      while (much && write_all(file, block)) continue;
    });
    HandedInput input(pipe.read.get(), Milliseconds{300});
    const auto line = input.line(longest_message);
    ASSERT_FALSE(line);
    EXPECT_THAT(line.error().message, HasSubstr(much ? "more than 262144 bytes" : "nothing whole was handed over"));
    EXPECT_EQ(line.error().error_class, much ? ErrorClass::configuration : ErrorClass::timeout);
    pipe.read = FileDescriptor();  // so that whoever writes ends
  }
}

// The lab is killed before any of its lines, or within one.
TEST_F(HandoverTest, ALabThatIsKilledLeavesWhatIsTrue) {
  for (std::size_t at = 0; at < 2; ++at) {
    change_ = [at](std::size_t number, const std::string& line) { return number == at ? "KILLED" : line; };
    EXPECT_FALSE(handover().begin(planned()));
    EXPECT_THAT(lines(), IsEmpty()) << "nobody was told, so that nothing began";
  }
  change_ = {};
  ASSERT_TRUE(handover().begin(planned()));
  for (std::size_t at = 0; at < 3; ++at) {
    change_ = [at](std::size_t number, const std::string& line) { return number == at ? "KILLED" : line; };
    EXPECT_FALSE(end());
    EXPECT_THAT(lines(), ElementsAre("begin")) << at;
    expect_whole(std::to_string(at));
  }
  // Behind the record, within the files: the end is known, and what is missing comes with the same end again.
  change_ = [](std::size_t number, const std::string& line) { return number == 3 ? "KILLED" : line; };
  EXPECT_FALSE(end());
  EXPECT_THAT(lines(), ElementsAre("begin", "run"));
  change_ = {};
  const auto again = end();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(lines(), ElementsAre("begin", "run", "promote-begun", "promote-switched", "promote-done"));
  EXPECT_THAT(problems(), IsEmpty());
}

// The desk is killed before each of its steps that changes a file; then the same is handed over again.
TEST_F(HandoverTest, ADeskThatIsKilledLeavesWhatIsTrue) {
  const auto forked = [](const std::function<void()>& what) {
    const auto child = ::fork();
    if (child == 0) {
      what();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  };
  promotes_ = false;
  int steps = 0;
  bool killed = true;
  for (int at = 0; killed; ++at) {
    ASSERT_LT(at, 200);
    killed = forked([&] {
      int seen = 0;
      step_ = [&](const std::string&) {
        if (seen++ == at) ::kill(::getpid(), SIGKILL);
      };
      static_cast<void>(handover().begin(planned()).has_value());
    });
    steps += killed ? 1 : 0;
    const auto state = chain().read();
    ASSERT_TRUE(state) << at << state.error().message;
    EXPECT_LE(state->history.attempts().size(), 1U) << at;
    // A beginning that was written though nobody was told: that run did not start, and its end is not known.
    if (!state->history.attempts().empty()) break;
  }
  EXPECT_GE(steps, 8);
  if (chain().read()->history.attempts().empty()) ASSERT_TRUE(handover().begin(planned()));
  killed = true;
  for (int at = 0; killed; ++at) {
    ASSERT_LT(at, 200);
    killed = forked([&] {
      int seen = 0;
      step_ = [&](const std::string&) {
        if (seen++ == at) ::kill(::getpid(), SIGKILL);
      };
      static_cast<void>(end().has_value());
    });
    const auto state = chain().read();
    ASSERT_TRUE(state) << at << state.error().message;
    const auto ends = std::ranges::count(lines(), "run");
    EXPECT_LE(ends, 1) << at;
    if (ends == 1) EXPECT_EQ(chain().objects().get(state->history.attempts()[0].run).value(), run_json()) << at;
  }
  step_ = {};
  ASSERT_TRUE(end());
  EXPECT_EQ(std::ranges::count(lines(), "run"), 1);
  EXPECT_TRUE(chain().verify()) << chain().verify().error().message;
}

TEST_F(HandoverTest, OnlyFilesOfTheRecordAreTaken) {
  ASSERT_TRUE(handover().begin(planned()));
  // Another content than the digest says.
  lab_.file = [this](const std::string& sha256) -> Result<fs::path> {
    const auto size = read_file(root_ / "store" / sha256).value().size();
    EXPECT_TRUE(write_file_atomically(root_ / "other", std::string(size, 'x')));
    return root_ / "other";
  };
  EXPECT_FALSE(end());
  EXPECT_TRUE(entries_of(root_ / "incoming").value().empty()) << "nothing is left of it";
  EXPECT_THAT(lines(), ElementsAre("begin", "run"));
  // None at all: said, and nothing is promoted.
  lab_.file = [](const std::string&) -> Result<fs::path> { return infrastructure_error("it is gone"); };
  const auto settled = end();
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_THAT(settled->notes, Contains(HasSubstr("it is gone")));
  EXPECT_FALSE(is_there(root_ / "stage/finance"));
  lab_.file = [this](const std::string& sha256) -> Result<fs::path> { return root_ / "store" / sha256; };
  ASSERT_TRUE(end());
  EXPECT_TRUE(is_there(root_ / "stage/finance"));
}

// verify compares it with the record: a desk without it would refute its own promotion.
TEST_F(HandoverTest, WhatTheRunKeptComesAlong) {
  const std::string log = "it booted";
  record_.evidence = std::vector<reports::KeptFile>{{"events.jsonl", 3, sha256("{}\n")},
                                                    {"evidence/finance/t1/console.log", 9, sha256(log)},
                                                    {"evidence/finance/t2/console.log", 9, sha256(log)},
                                                    {"evidence/finance/t2/empty", 0, sha256("")}};
  for (const char* folder : {"lab/evidence/finance/t1", "lab/evidence/finance/t2"})
    ASSERT_TRUE(create_folders(root_ / folder));
  ASSERT_TRUE(write_file_atomically(root_ / "lab/events.jsonl", "{}\n"));
  ASSERT_TRUE(write_file_atomically(root_ / "lab/evidence/finance/t1/console.log", log));
  ASSERT_TRUE(write_file_atomically(root_ / "lab/evidence/finance/t2/console.log", log));
  ASSERT_TRUE(write_file_atomically(root_ / "lab/evidence/finance/t2/empty", ""));
  ASSERT_TRUE(handover().begin(planned()));
  ASSERT_TRUE(end());
  EXPECT_THAT(reports::kept_file_problems(root_ / "desk" / record_.id, *record_.evidence), IsEmpty());
  // What was lost, or edited, at the desk comes again; nothing else does.
  ASSERT_TRUE(write_file_atomically(root_ / "desk" / record_.id / "events.jsonl", "{ }"));
  static_cast<void>(remove_tree(root_ / "lab/evidence"));
  ASSERT_TRUE(end());
  EXPECT_THAT(reports::kept_file_problems(root_ / "desk" / record_.id, *record_.evidence), IsEmpty());
}

// A lab that lost a log hands the end over all the same; what rests on it is not published until it comes.
TEST_F(HandoverTest, NothingIsPublishedWhoseEvidenceDidNotCome) {
  const std::string log = "it booted";
  record_.evidence = std::vector<reports::KeptFile>{{"finance.log", log.size(), sha256(log)}};
  ASSERT_TRUE(create_folders(root_ / "lab"));
  ASSERT_TRUE(handover().begin(planned()));
  const auto settled = end();
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_THAT(settled->notes, Contains(HasSubstr("the desk does not have file " + sha256(log))));
  EXPECT_EQ(settled->exit_code, number(ExitCode::policy));
  EXPECT_FALSE(is_there(root_ / "stage/finance"));
  EXPECT_THAT(lines(), ElementsAre("begin", "run", "promote-refused"));
  EXPECT_THAT(last().reasons.value(), Contains(HasSubstr("evidence-changed: ")));
  ASSERT_TRUE(write_file_atomically(root_ / "lab/finance.log", log));
  ASSERT_TRUE(end());
  EXPECT_TRUE(is_there(root_ / "stage/finance"));
}

// A lab that announces one thing and sends another: nothing of it is kept, and the honest one can come afterwards.
TEST_F(HandoverTest, WhatComesIsWhatWasAnnounced) {
  const std::string log = "it booted";
  record_.evidence = std::vector<reports::KeptFile>{{"finance.log", log.size(), sha256(log)}};
  ASSERT_TRUE(create_folders(root_ / "lab"));
  ASSERT_TRUE(write_file_atomically(root_ / "lab/finance.log", log));
  ASSERT_TRUE(handover().begin(planned()));
  const auto kept = root_ / "desk" / record_.id / "finance.log";
  const auto is_of_log = [&](const std::string& line) {
    const auto file = file_from(line);
    return file && file->sha256 == sha256(log);
  };
  const std::vector<std::pair<const char*, PipedDesk::Change>> lies{
      {"whose digest is", [&](std::size_t, const std::string& line) { return line == log ? "it failed" : line; }},
      {"another file came",
       [&](std::size_t, const std::string& line) {
         return is_of_log(line) ? to_line(HandedFile{sha256("else"), log.size(), {}}) : line;
       }},
      {"bytes, and 9 by the record",
       [&](std::size_t, const std::string& line) {
         return is_of_log(line) ? to_line(HandedFile{sha256(log), log.size() + 1, {}}) : line == log ? log + "!" : line;
       }},
  };
  for (const auto& [why, lie] : lies) {
    change_ = lie;
    const auto refused = end();
    ASSERT_FALSE(refused) << why;
    EXPECT_THAT(refused.error().message, HasSubstr(why));
    EXPECT_FALSE(is_there(kept)) << why;
  }
  change_ = {};
  ASSERT_TRUE(end());
  EXPECT_EQ(read_file(kept).value_or(""), log);
  // The run ended in the ledger; the same digest is offered again, with other bytes behind it.
  change_ = [&](std::size_t, const std::string& line) {
    return line == run_json() ? std::string(line.size(), ' ') : line;
  };
  const auto refused = end();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("not the one that was announced"));
  EXPECT_EQ(read_file(root_ / "desk" / record_.id / reports::run_file_name).value_or(""), run_json());
}

TEST_F(HandoverTest, EvidenceIsNotWrittenOverTheRecord) {
  ASSERT_TRUE(handover().begin(planned()));
  for (const char* name : {"run.json", "report.html/x", "decisions.json", "junit.xml", "junit-trials.xml", "x/a.log"}) {
    record_.evidence = std::vector<reports::KeptFile>{{name, 1, sha256("x")}};
    const auto refused = end();
    ASSERT_FALSE(refused) << name;
    EXPECT_THAT(refused.error().message, HasSubstr("is no name of evidence"));
  }
  record_.evidence = std::vector<reports::KeptFile>{{"../../ledger.jsonl", 1, sha256("x")}};
  EXPECT_FALSE(end()) << "no record can say that";
  EXPECT_THAT(lines(), ElementsAre("begin"));
}

// An older form has digests of another kind: what it says was tested is not what a desk of today compares.
TEST_F(HandoverTest, ARecordOfAnOlderFormIsNotTaken) {
  ASSERT_TRUE(handover().begin(planned()));
  auto json = Json(record_);
  json["schema"] = reports::run_schema_v1;
  json["exit_code"] = 0;
  const auto older = reports::run_record_from_json(json, "run.json");
  ASSERT_TRUE(older) << "it can be read: " << older.error().message;
  const auto refused = handover().end(record_, pretty(json), true, lab_.file, root_ / "lab");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("the record is no patchlab/run/v2"));
  EXPECT_THAT(lines(), ElementsAre("begin"));
}

// Somebody else who writes the ledger let a second run begin under this name: of which is the end?
TEST_F(HandoverTest, AnEndOfTwoBeginningsIsNotTaken) {
  ASSERT_TRUE(handover().begin(planned()));
  ASSERT_TRUE(book().begin(planned(), quickstart_policy().digest, clock_.wall()));
  const auto refused = end();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("2 runs '{}' began in this ledger", record_.id)));
  EXPECT_THAT(lines(), ElementsAre("begin", "begin"));
}

// A stage whose list names who signs for the lab: lab@x, and other@x, which is another lab. boss@x signs only
// decisions, and the key of former@x is not in force any more.
class SignedHandover : public HandoverTest {
 protected:
  SignedHandover() {
    const auto line = [this](const std::string& name, const std::string& options) {
      return fmt::format("{} {} {}\n", name, options, keys_.line(name));
    };
    const std::string of_a_lab = "namespaces=\"patchlab.begin.v1,patchlab.run.v1\"";
    const auto text = line("lab@x", of_a_lab) + line("other@x", of_a_lab) +
                      line("begins@x", "namespaces=\"patchlab.begin.v1\"") +
                      line("boss@x", "namespaces=\"patchlab.approve.v1\"") +
                      line("former@x", of_a_lab + ",valid-before=\"20261101000000Z\"");
    const auto signing = [this](const std::string& bytes) -> Result<std::string> {
      return keys_.sign("root", signature_namespace(StatementKind::trust), bytes);
    };
    DecisionBook trusted(root_ / "stage" / chain_folder_name, host_processes(), clock_);
    const auto added =
        trusted.add_trust(text, "root", read_public_key_file(keys_.line("root"), "root").value(), {}, signing);
    EXPECT_TRUE(added) << added.error().message;
  }
  struct Says {
    std::string key = "lab@x";    // whose public key is named; empty: none
    std::string signs = "lab@x";  // whose private one signs; empty: nothing is signed
    std::string by = {};          // in the statement; empty: as the desk says
    std::string name_space = {};  // empty: that of the kind
    std::string of = {};          // other bytes than are handed over
  };
  [[nodiscard]] Handover as(const Says& says) {
    Scribe scribe{.by = "lab@x", .submitter = "alice@x", .clock = &clock_};
    if (!says.signs.empty()) {
      scribe.sign = [this, says](const std::string& name_space, const std::string& bytes) -> Result<std::string> {
        return keys_.sign(says.signs, says.name_space.empty() ? name_space : says.name_space,
                          says.of.empty() ? bytes : says.of);
      };
    }
    change_ = [says, scribe](std::size_t number, const std::string& line) {
      if (number != 1 || says.by.empty()) return line;
      auto statement = read_statement(statement_from(line)->statement, "statement").value();
      statement.by = says.by;
      HandedStatement one{write_statement(statement).value(), {}};
      if (scribe.sign) one.signature = scribe.sign(signature_namespace(statement.kind), one.statement).value();
      return to_line(one);
    };
    return {dial(), scribe, says.key.empty() ? KeyText() : keys_.line(says.key)};
  }
  void expect_refused(const Result<void>& result, const std::string& why, const std::vector<std::string>& expected) {
    ASSERT_FALSE(result) << why;
    EXPECT_THAT(result.error().message, HasSubstr(why));
    EXPECT_EQ(lines(), expected) << why;
  }

  testing::SshKeys keys_;
};

// Where the list of signers names who signs for the lab, nothing else is taken: neither a beginning nor an end.
TEST_F(SignedHandover, OnlyWhatTheLabsKeySignedIsTaken) {
  const std::vector<std::pair<const char*, Says>> lies{
      {"it is not signed, though the list of signers names who signs for patchlab.", {.key = {}, .signs = {}}},
      {"it is not signed, though the list of signers names who signs for patchlab.", {.key = {}}},
      {"the key may sign nothing for this stage", {.key = "stranger", .signs = "stranger"}},
      {"'boss@x' may not sign for patchlab.", {.key = "boss@x", .signs = "boss@x"}},
      {"'former@x' may not sign for patchlab.", {.key = "former@x", .signs = "former@x"}},
      {"it is by 'other@x', and the key is that of 'lab@x'", {.by = "other@x"}},
      {"it is by 'boss@x', and the key is that of 'lab@x'", {.by = "boss@x"}},
      {"its signature is not one of 'lab@x' for patchlab.", {.signs = "other@x"}},
      {"its signature is not one of 'lab@x' for patchlab.", {.signs = "boss@x"}},
      {"its signature is not one of 'lab@x' for patchlab.", {.signs = "stranger"}},
      {"its signature is not one of 'lab@x' for patchlab.", {.name_space = "patchlab.head.v1"}},
      {"its signature is not one of 'lab@x' for patchlab.", {.of = "something else"}},
      {"the statement is not taken: ", {.signs = {}}},
  };
  for (const auto& [why, lie] : lies) expect_refused(as(lie).begin(planned()), why, {"trust"});
  ASSERT_TRUE(as({}).begin(planned()));
  EXPECT_EQ(last().by, "lab@x");
  const auto end_as = [&](const Says& says) -> Result<void> {
    PATCHLAB_TRY(as(says).end(record_, run_json(), true, lab_.file, root_ / "lab"));
    return {};
  };
  for (const auto& [why, lie] : lies) {
    const bool is_unsigned = lie.signs.empty() && !lie.key.empty();
    expect_refused(end_as(lie), is_unsigned ? "the end of the run is not taken: " : why, {"trust", "begin"});
  }
  // Who may begin need not be who may end.
  expect_refused(end_as({.key = "begins@x", .signs = "begins@x"}), "'begins@x' may not sign for patchlab.run.v1",
                 {"trust", "begin"});
  const auto settled = as({}).end(record_, run_json(), true, lab_.file, root_ / "lab");
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_THAT(lines(), ElementsAre("trust", "begin", "run", "promote-begun", "promote-switched", "promote-done"));
  const auto run_line = chain().read()->lines[2];
  EXPECT_EQ(run_line.by, "lab@x");
  EXPECT_TRUE(is_there(root_ / "stage" / chain_folder_name / "objects" / (run_line.object + ".sig")));
}

// Where nobody can sign, a signature of a key that was not named proves nothing, and is not kept.
TEST_F(HandoverTest, ASignatureOfAKeyThatWasNotNamedIsNotTaken) {
  const testing::SshKeys keys;
  const auto statement = write_statement(beginning()).value();
  const auto signature = keys.sign("mallory", signature_namespace(StatementKind::begin), statement);
  EXPECT_THAT(answer_to({offer_of_begin(), to_line(HandedStatement{statement, signature})}),
              HasSubstr("signed by a key that was not named before"));
  EXPECT_THAT(lines(), IsEmpty());
}

TEST(CommandWords, AreTakenApartWithoutAShell) {
  const auto words = [](const std::string& text) { return words_of_command(text).value_or({"ERROR"}); };
  EXPECT_THAT(words("sudo -n  -u desk\tpatchlab ledger take"),
              ElementsAre("sudo", "-n", "-u", "desk", "patchlab", "ledger", "take"));
  EXPECT_THAT(words("a 'b c' \"d \\\"e\\\" \\\\ \\f\" g\\ h"), ElementsAre("a", "b c", "d \"e\" \\ \\f", "g h"));
  EXPECT_THAT(words("a '' b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(words("$HOME `x` $(y) *; z | & > ~"), ElementsAre("$HOME", "`x`", "$(y)", "*;", "z", "|", "&", ">", "~"));
  EXPECT_THAT(words("a'b'\"c\"d"), ElementsAre("abcd"));
  for (const char* wrong : {"", "  ", "a 'b", "a \"b", "a \\"}) EXPECT_FALSE(words_of_command(wrong)) << wrong;
}

TEST(RunIds, BecomeFolders) {
  for (const char* good : {"20261128-080000-1a2b", "r-old", "a", "A_1"}) EXPECT_TRUE(is_run_id(good)) << good;
  for (const auto& bad : {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("-a"),
                          std::string("a.b"), std::string("a b"), std::string(65, 'a'), std::string("a\n")})
    EXPECT_FALSE(is_run_id(bad)) << bad;
}

}  // namespace
}  // namespace patchlab::promotion

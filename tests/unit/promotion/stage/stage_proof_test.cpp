// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/stage/stage_proof.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/stage/manifest.hpp"
#include "tests/support/chain_samples.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/sample_record.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Today today() {
  using namespace std::chrono;
  Today today;
  today.now = sys_days{year{2026} / 11 / 22} + hours{7};
  return today;
}

reports::RunRecord run(const std::string& id, const std::string& finished = "2026-11-22T06:14:00.000Z") {
  auto record = tests::good_record();
  record.id = id;
  record.finished = finished;
  return record;
}

class StageProofTest : public testing::Test {
 protected:
  StageProofTest() : chain_(make_root() / "production" / chain_folder_name, {.clock = &clock_}) {
    options_.stage = root_ / "production";
    options_.now = "2026-11-22T06:20:00.000Z";
    fs::create_directories(root_ / "store");
    fs::create_directories(options_.stage);
  }
  ~StageProofTest() override { static_cast<void>(remove_tree(root_)); }

  const fs::path& make_root() {
    std::string pattern =
        (::access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir()) + "patchlab-proof-XXXXXX";
    return root_ = ::mkdtemp(pattern.data());
  }
  FileSource store(const reports::RunRecord& record) {
    for (const auto& candidate : record.candidates) {
      for (const auto& file : candidate.files)
        std::ofstream(root_ / "store" / file.sha256) << "content of " + candidate.id;
    }
    return [this](const std::string& sha256) -> Result<fs::path> { return root_ / "store" / sha256; };
  }
  // The ledger's lines, as a desk writes them.
  Journal journal(Chain& chain) {
    const auto statement = std::make_shared<std::string>();
    const auto goes_on = [&chain, statement](ChainKind kind) -> Result<void> {
      PATCHLAB_TRY(chain.append({.kind = kind, .by = "lab@x", .names = sha256(*statement)}));
      return {};
    };
    return {
        .begun = [&chain, statement](const Publication& publication) -> Result<void> {
          *statement = tests::sample_statement(
              publication.rollback_reason.empty() ? "promote" : "rollback", "lab@x",
              fmt::format(R"(,"manifest":"{}","serial":{})", publication.manifest_digest, publication.serial),
              publication.department, publication.set);
          PATCHLAB_TRY(chain.append({.kind = ChainKind::promote_begun, .by = "lab@x", .object = *statement}));
          return {};
        },
        .switched = [goes_on](const Publication&) { return goes_on(ChainKind::promote_switched); },
        .done = [goes_on](const Publication&) { return goes_on(ChainKind::promote_done); },
        .given_up = [goes_on](const Publication&, const std::string&) { return goes_on(ChainKind::promote_refused); }};
  }
  Result<Published> publish_run(const reports::RunRecord& record, const std::string& rollback = {}) {
    auto options = options_;
    options.rollback_reason = rollback;
    options.journal = journal(chain_);
    return publish(record, decide(record, "finance", {}, today()), store(record), options);
  }
  [[nodiscard]] Manifest manifest() const {
    const auto json = read_json_file(options_.stage / "finance" / manifest_file_name).value();
    return manifest_from_json(json, manifest_file_name).value();
  }
  [[nodiscard]] std::vector<std::string> problems(const std::optional<ChainHead>& noted = std::nullopt) const {
    const auto proof = prove_stage(options_.stage, noted);
    if (!proof) return {proof.error().message};
    std::vector<std::string> all;
    for (const auto& check : proof->departments) all.insert(all.end(), check.problems.begin(), check.problems.end());
    EXPECT_EQ(proof->is_proven(), all.empty() && proof->ledger.has_value());
    return all;
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> words;
    for (const auto& line : chain_.read().value().lines) words.emplace_back(to_string(line.kind));
    return words;
  }

  fs::path root_;
  test::FakeClock clock_;
  Chain chain_;
  PublishOptions options_;
};

TEST_F(StageProofTest, APublishedVersionHoldsItsSetAsSha256sumReadsIt) {
  const auto record = run("one");
  ASSERT_TRUE(publish_run(record));
  const auto text = read_file(options_.stage / "finance" / sums_file_name).value();
  EXPECT_EQ(text, fmt::format("{}  dns-update/dns-update_amd64.deb\n{}  tidy/tidy_amd64.deb\n",
                              record.candidates[0].files[0].sha256, record.candidates[1].files[0].sha256));
  EXPECT_EQ(text, sha256sums_of(record, {"tidy", "dns-update"})) << "in the order of paths, not of installation";
  EXPECT_EQ(sha256sums_of(record, {"nobody"}), "");
  EXPECT_EQ(manifest().set, sha256(text));
  EXPECT_EQ(sha256sums({{"KB-1", R"(a\b.deb)", std::string(64, '0'), 1}}),
            "\\" + std::string(64, '0') + "  KB-1/a\\\\b.deb\n");
  const auto json = read_json_file(options_.stage / "finance" / manifest_file_name).value();
  EXPECT_EQ(json.at("candidates").at(0).at("machines"), Json(record.departments[0].verdicts[0].machines));
  EXPECT_FALSE(json.at("candidates").at(0).at("roles").empty());
}

TEST_F(StageProofTest, TheManifestIsReadStrictly) {
  options_.valid_until = "2026-12-22T00:00:00Z";
  options_.policy = sha256("policy");
  options_.run_object = sha256("run.json");
  ASSERT_TRUE(publish_run(run("one")));
  const auto good = read_json_file(options_.stage / "finance" / manifest_file_name).value();
  EXPECT_EQ(good.at("policy"), sha256("policy"));
  EXPECT_EQ(good.at("run_object"), sha256("run.json"));
  EXPECT_EQ(good.at("valid_until"), "2026-12-22T00:00:00Z");
  const auto refused = [&](const char* pointer, const Json& value) {
    auto json = good;
    json[Json::json_pointer(pointer)] = value;
    EXPECT_FALSE(manifest_from_json(json, "m")) << pointer;
  };
  ASSERT_TRUE(manifest_from_json(good, "m"));
  refused("/schema", "patchlab/stage/v3");
  refused("/serial", 0);
  refused("/serial", -1);
  refused("/serial", 9007199254740992);
  refused("/serial", "1");
  refused("/set", sha256("another"));
  refused("/policy", "strict");
  refused("/run_object", "run-1");
  refused("/valid_until", "tomorrow");
  refused("/published", "today");
  refused("/rollback", "");
  refused("/more", 1);
  refused("/candidates/0/more", 1);
  refused("/candidates/0/files/0/more", 1);
  refused("/candidates/0/machines", "mail");
  for (const char* key : {"serial", "set", "department", "run", "record_digest", "published", "tested", "candidates"}) {
    auto json = good;
    json.erase(key);
    EXPECT_FALSE(manifest_from_json(json, "m")) << key;
  }
}

TEST_F(StageProofTest, EachVersionHasAGreaterSerial) {
  ASSERT_TRUE(publish_run(run("one")));
  EXPECT_EQ(manifest().serial, 1U);
  ASSERT_TRUE(publish_run(run("two")));
  EXPECT_EQ(manifest().serial, 2U);
  ASSERT_TRUE(publish_run(run("two")));
  EXPECT_EQ(manifest().serial, 2U) << "nothing was published";
  options_.known_serial = 40;  // of the ledger, when the stage was made anew
  ASSERT_TRUE(publish_run(run("three")));
  EXPECT_EQ(manifest().serial, 41U);
  EXPECT_EQ(chain_.read().value().history.last_done("finance")->serial, 41U);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(StageProofTest, GoingBackNeedsAReason) {
  ASSERT_TRUE(publish_run(run("newer", "2026-11-22T06:30:00.000Z")));
  const auto refused = publish_run(run("older", "2026-11-22T06:14:00.000Z"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("run older ended at 2026-11-22T06:14:00.000Z, before run newer"));
  EXPECT_EQ(manifest().run, "newer");
  ASSERT_TRUE(publish_run(run("older", "2026-11-22T06:14:00.000Z"), "mail is slow since then"));
  EXPECT_EQ(manifest().run, "older");
  EXPECT_EQ(manifest().serial, 2U) << "a deployer never sees a serial go back";
  EXPECT_EQ(read_json_file(options_.stage / "finance/manifest.json").value().at("rollback"), "mail is slow since then");
  const auto lines = chain_.read().value().lines;
  EXPECT_THAT(chain_.objects().get(lines[3].object).value(), HasSubstr(R"("kind":"rollback")"));
  EXPECT_THAT(problems(), IsEmpty());
  ASSERT_TRUE(publish_run(run("newest", "2026-11-22T06:40:00.000Z"), "a reason that is not needed"));
  EXPECT_FALSE(read_json_file(options_.stage / "finance/manifest.json").value().contains("rollback"));
}

TEST_F(StageProofTest, AVersionOfSchemaV1IsStillReadAndReplaced) {
  ASSERT_TRUE(publish(run("old"), decide(run("old"), "finance", {}, today()), store(run("old")), options_));
  const auto version = fs::canonical(options_.stage / "finance");
  auto json = read_json_file(version / manifest_file_name).value();
  json["schema"] = old_manifest_schema;
  for (const char* key : {"serial", "set"}) json.erase(key);
  for (auto& candidate : json["candidates"]) {
    candidate.erase("machines");
    candidate.erase("roles");
  }
  fs::permissions(version, fs::perms(0755));
  ASSERT_TRUE(write_file_atomically(version / manifest_file_name, pretty(json)));
  fs::remove(version / sums_file_name);
  const auto checks = verify_stage(options_.stage).value();
  EXPECT_THAT(checks.at(0).problems, IsEmpty());
  EXPECT_EQ(checks.at(0).set, "");
  ASSERT_TRUE(publish_run(run("old", "2026-11-22T06:14:00.000Z")));
  EXPECT_EQ(manifest().version, 2);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(StageProofTest, NoticesModesNamesLinksAndStrangers) {
  ASSERT_TRUE(publish_run(run("one")));
  const auto version = fs::canonical(options_.stage / "finance");
  const auto file = version / "tidy/tidy_amd64.deb";
  for (const auto mode : {0644U, 0446U, 0555U, 04444U, 0400U}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    EXPECT_THAT(problems(),
                ElementsAre(fmt::format("finance/tidy/tidy_amd64.deb: has mode {:04o} instead of 0444", mode)));
  }
  ASSERT_EQ(::chmod(file.c_str(), 0444), 0);
  for (const char* name : {"manifest.json", "SHA256SUMS"}) {
    ASSERT_EQ(::chmod((version / name).c_str(), 0666), 0);
    EXPECT_THAT(problems(), ElementsAre(fmt::format("finance/{}: has mode 0666 instead of 0444", name)));
    ASSERT_EQ(::chmod((version / name).c_str(), 0444), 0);
  }
  ASSERT_EQ(::chmod((version / "tidy").c_str(), 0777), 0);
  EXPECT_THAT(problems(), ElementsAre("finance/tidy: has mode 0777 instead of 0555"));
  ASSERT_EQ(::chmod((version / "tidy").c_str(), 0555), 0);
  ASSERT_EQ(::chmod(version.c_str(), 0777), 0);
  EXPECT_THAT(problems(), ElementsAre("finance/.: has mode 0777 instead of 0555"));
  ASSERT_EQ(::chmod(version.c_str(), 0555), 0);
  fs::create_hard_link(file, root_ / "other-name");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("tidy_amd64.deb: has 2 names")));
  fs::remove(root_ / "other-name");
  EXPECT_THAT(problems(), IsEmpty());
  ASSERT_EQ(::chmod(version.c_str(), 0755), 0);
  const auto sums = read_file(version / sums_file_name).value();
  ASSERT_TRUE(write_file_atomically(version / sums_file_name, sums + sums, 0444));
  ASSERT_EQ(::chmod(version.c_str(), 0555), 0);
  EXPECT_THAT(problems(), ElementsAre("finance/SHA256SUMS: does not name the files of the manifest"));
  ASSERT_TRUE(write_file_atomically(version / sums_file_name, sums, 0444));
  ASSERT_TRUE(write_file_atomically(options_.stage / ".evil", "x"));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr(".evil/is no link to a published version")));
  fs::remove(options_.stage / ".evil");
  fs::remove(options_.stage / "finance");
  for (const auto& target :
       {version, fs::path("../production/.versions/finance") / version.filename(), fs::path(".versions/finance/..")}) {
    fs::create_symlink(target, options_.stage / "finance");
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("which is no version of it"))) << target;
    fs::remove(options_.stage / "finance");
  }
  // Another folder on the way, which whoever owns the link can exchange.
  fs::create_symlink(fs::path(".versions/finance") / version.filename(), options_.stage / "finance");
  EXPECT_THAT(problems(), IsEmpty());
  for (const auto& step : {options_.stage / ".versions", options_.stage / ".versions/finance", version}) {
    fs::rename(step, root_ / "elsewhere");
    fs::create_symlink(root_ / "elsewhere", step);
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("is a symbolic link, and not the folder that was published")))
        << step;
    fs::remove(step);
    fs::rename(root_ / "elsewhere", step);
  }
}

TEST_F(StageProofTest, WithoutALedgerNothingIsProven) {
  ASSERT_TRUE(publish(run("one"), decide(run("one"), "finance", {}, today()), store(run("one")), options_));
  const auto proof = prove_stage(options_.stage);
  ASSERT_TRUE(proof);
  EXPECT_FALSE(proof->ledger);
  EXPECT_FALSE(proof->is_proven());
  EXPECT_THAT(problems(), IsEmpty()) << "consistent with itself";
  EXPECT_THAT(problems(ChainHead{1, sha256("x")}), ElementsAre(HasSubstr("has no line")))
      << "who noted a head knows that there was one";
}

TEST_F(StageProofTest, WhatLiesThereIsWhatWasPromotedLast) {
  ASSERT_TRUE(publish_run(run("one")));
  const auto first = fs::read_symlink(options_.stage / "finance");
  ASSERT_TRUE(publish_run(run("two")));
  const auto second = fs::read_symlink(options_.stage / "finance");
  EXPECT_THAT(kinds(), ElementsAre("promote-begun", "promote-switched", "promote-done", "promote-begun",
                                   "promote-switched", "promote-done"));
  EXPECT_THAT(problems(), IsEmpty());
  const auto link = [&](const fs::path& target) {
    fs::remove(options_.stage / "finance");
    fs::create_symlink(target, options_.stage / "finance");
  };
  link(first);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("finance: is not what was promoted last: line 4 of the ledger")));
  link(second);
  EXPECT_THAT(problems(), IsEmpty());
  // A version that fits together and was never promoted.
  auto options = options_;
  ASSERT_TRUE(publish(run("three"), decide(run("three"), "finance", {}, today()), store(run("three")), options));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("finance: is not what was promoted last")));
  ASSERT_TRUE(remove_tree(options_.stage / "finance"));
  ASSERT_TRUE(remove_tree(options_.stage / ".versions"));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("finance: was promoted by line 1 of the ledger")));
  ASSERT_TRUE(create_folders(options_.stage / ".versions"));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("finance: was promoted by line 1 of the ledger")));
}

TEST_F(StageProofTest, ADepartmentThatTheLedgerDoesNotKnowIsNotProven) {
  ASSERT_TRUE(chain_.append(
      {.kind = ChainKind::approve, .by = "bob@x", .object = tests::sample_statement("approve", "bob@x")}));
  ASSERT_TRUE(publish(run("one"), decide(run("one"), "finance", {}, today()), store(run("one")), options_));
  EXPECT_THAT(problems(), ElementsAre("finance: no promotion of it is in the ledger: it was published by other means"));
}

TEST_F(StageProofTest, ABrokenLedgerProvesNothing) {
  ASSERT_TRUE(publish_run(run("one")));
  const auto file = chain_.folder() / chain_file_name;
  const auto head = chain_.verify().value().head;
  const auto text = read_file(file).value();
  ASSERT_TRUE(write_file_atomically(file, text.substr(0, text.rfind('\n', text.size() - 2) + 1)));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("was interrupted")));
  EXPECT_THAT(problems(head), ElementsAre(HasSubstr("its end was cut off")));
  ASSERT_TRUE(write_file_atomically(file, "x" + text));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("ledger.jsonl:1: the line cannot be read")));
}

// What cannot be written down does not happen.
TEST_F(StageProofTest, ALedgerThatTakesNothingLeavesTheVersionBefore) {
  ASSERT_TRUE(publish_run(run("old")));
  for (const int fails : {0, 1, 2}) {
    auto options = options_;
    options.journal = journal(chain_);
    const auto refuse = [](const Publication&) -> Result<void> { return infrastructure_error("disk full"); };
    if (fails == 0) options.journal.begun = refuse;
    if (fails == 1) options.journal.switched = refuse;
    if (fails == 2) options.journal.done = refuse;
    const auto record = run(fmt::format("new-{}", fails));
    const auto published = publish(record, decide(record, "finance", {}, today()), store(record), options);
    ASSERT_FALSE(published) << fails;
    EXPECT_THAT(published.error().message, HasSubstr("disk full"));
    EXPECT_EQ(manifest().run, "old");
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(kinds().back(), fails == 0 ? "promote-done" : "promote-refused");
  }
}

// Killed at every step of a promotion, also between the lines of its ledger: nothing but the old version or the new one
// lies there, `verify` says that it is not finished, and the next command writes down what is true.
TEST_F(StageProofTest, KilledAtAnyStepTheNextCommandTellsWhatHappened) {
  ASSERT_TRUE(publish_run(run("old")));
  const auto before = root_ / "before";
  fs::copy(options_.stage, before, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  std::map<std::string, std::size_t> ends;
  for (int stop_at = 0;; ++stop_at) {
    ASSERT_TRUE(remove_tree(options_.stage));
    fs::copy(before, options_.stage, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    const auto child = ::fork();
    if (child == 0) {
      int count = 0;
      std::string last;
      const auto die = [&](const std::string& step) {
        if (count++ != stop_at) return;
        std::ofstream(root_ / "step") << step;
        ::_exit(42);
      };
      Chain doomed(chain_.folder(), {.before_step = die, .clock = &clock_});
      auto options = options_;
      options.before_step = die;
      options.journal = journal(doomed);
      const auto published =
          publish(run("new"), decide(run("new"), "finance", {}, today()), store(run("new")), options);
      ::_exit(published ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 0) break;
    ASSERT_EQ(WEXITSTATUS(status), 42);
    const auto step = fmt::format("{} {}", stop_at, read_file(root_ / "step").value());
    const auto lying = manifest().run;
    const auto lines = kinds().size();
    ASSERT_TRUE(lying == "old" || lying == "new") << step;
    EXPECT_EQ(problems().size(), lines > 3 && lines < 6 ? 1U : 0U) << step;
    const auto finished = finish_interrupted(options_.stage, chain_);
    ASSERT_TRUE(finished) << step << finished.error().message;
    EXPECT_THAT(finished->unclear, IsEmpty()) << step;
    EXPECT_EQ(finished->finished.size(), lines > 3 && lines < 6 ? 1U : 0U) << step;
    EXPECT_EQ(manifest().run, lying) << "nothing is published behind anybody's back";
    EXPECT_THAT(problems(), IsEmpty()) << step;
    if (lines > 3 && lines < 6) {
      EXPECT_EQ(kinds().back(), lying == "new" ? "promote-done" : "promote-refused") << step;
    }
    ++ends[lying];
    EXPECT_THAT(finish_interrupted(options_.stage, chain_)->finished, IsEmpty()) << step;
    if (stop_at % 6 != 0) continue;
    ASSERT_TRUE(publish_run(run("next"))) << step;
    EXPECT_THAT(problems(), IsEmpty()) << step;
  }
  EXPECT_GT(ends["old"], 20U);
  EXPECT_GT(ends["new"], 5U);
}

TEST_F(StageProofTest, WhatIsNoCrashIsLeftToPeople) {
  ASSERT_TRUE(publish_run(run("old")));
  ASSERT_TRUE(publish_run(run("other")));
  const auto other = fs::read_symlink(options_.stage / "finance");
  auto options = options_;
  options.journal = journal(chain_);
  options.journal.done = [](const Publication&) -> Result<void> { ::_exit(42); };
  const auto child = ::fork();
  if (child == 0) {
    static_cast<void>(publish(run("new"), decide(run("new"), "finance", {}, today()), store(run("new")), options));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  const auto file = fs::canonical(options_.stage / "finance") / "tidy/tidy_amd64.deb";
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  const auto damaged = finish_interrupted(options_.stage, chain_);
  ASSERT_TRUE(damaged);
  EXPECT_THAT(damaged->finished, IsEmpty());
  ASSERT_EQ(damaged->unclear.size(), 1U);
  EXPECT_EQ(damaged->unclear[0].department, "finance");
  EXPECT_THAT(damaged->unclear[0].text, HasSubstr("finance: the promotion of line 7 was interrupted, and"));
  ASSERT_EQ(::chmod(file.c_str(), 0444), 0);
  EXPECT_THAT(finish_interrupted(options_.stage, chain_)->finished, ElementsAre(HasSubstr("it is whole, and done")));
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(StageProofTest, AStageWithoutALedgerHasNothingToFinish) {
  const auto finished = finish_interrupted(options_.stage, chain_);
  ASSERT_TRUE(finished);
  EXPECT_THAT(finished->finished, IsEmpty());
  EXPECT_FALSE(is_there(chain_.folder()));
}

}  // namespace
}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/stage/stage.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/sample_record.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Today today() {
  using namespace std::chrono;
  return {.now = sys_days{year{2026} / 11 / 22} + hours{7}};
}

class StageTest : public testing::Test {
 protected:
  StageTest() {
    std::string pattern = testing::TempDir() + "patchlab-stage-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    options_.stage = root_ / "production";
    options_.now = "2026-11-22T06:20:00.000Z";
    fs::create_directories(root_ / "store");
    fs::create_directories(options_.stage);
  }
  ~StageTest() override { static_cast<void>(remove_tree(root_)); }

  // The content store of the sample: every file of the record under its digest.
  FileSource store(const reports::RunRecord& record) {
    for (const auto& candidate : record.candidates) {
      for (const auto& file : candidate.files) {
        EXPECT_TRUE(write_file_atomically(root_ / "store" / file.sha256, "content of " + candidate.id));
      }
    }
    return [this](const std::string& sha256) -> Result<fs::path> { return root_ / "store" / sha256; };
  }
  Result<Published> publish_record(const reports::RunRecord& record) {
    return publish(record, decide(record, "finance", {}, today()), store(record), options_);
  }
  static reports::RunRecord record_of_run(const std::string& id) {
    auto record = tests::good_record();
    record.id = id;
    return record;
  }
  // Problems of the whole stage, and what is published.
  [[nodiscard]] std::vector<std::string> problems() const {
    std::vector<std::string> all;
    for (const auto& check : verify_stage(options_.stage).value())
      all.insert(all.end(), check.problems.begin(), check.problems.end());
    return all;
  }
  [[nodiscard]] std::string published_run() const {
    const auto checks = verify_stage(options_.stage).value();
    return checks.empty() ? "" : checks[0].run;
  }
  [[nodiscard]] std::size_t version_count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(options_.stage / ".versions" / "finance"), {}));
  }
  [[nodiscard]] fs::path file_of(const std::string& candidate) const {
    return options_.stage / "finance" / candidate / (candidate + "_amd64.deb");
  }

  // As somebody does who changes what is published: it is not for writing, not even for its owner.
  void open_published(const std::string& candidate) const {
    const auto version = fs::canonical(options_.stage / "finance");
    for (const auto& path : {version, version / candidate, file_of(candidate)})
      fs::permissions(path, fs::perms::owner_all);
  }

  // Whoever knows the modes that are expected sets them again.
  void close_published() const {
    const auto version = fs::canonical(options_.stage / "finance");
    auto entries = entries_below(version).value();
    entries.push_back(version);
    for (const auto& entry : entries) {
      const auto type = status_of(entry).type();
      if (type == fs::file_type::directory) fs::permissions(entry, fs::perms(0555));
      if (type == fs::file_type::regular) fs::permissions(entry, fs::perms(0444));
    }
  }
  [[nodiscard]] std::vector<std::string> problems_as_left() const {
    if (is_there(options_.stage / "finance")) close_published();
    return problems();
  }

  fs::path root_;
  PublishOptions options_;
};

TEST_F(StageTest, PublishesTheFilesAndAManifestWithAllDigests) {
  const auto record = tests::good_record();
  const auto published = publish_record(record);
  ASSERT_TRUE(published) << published.error().message;
  EXPECT_EQ(read_file(file_of("tidy")).value(), "content of tidy");
  const auto manifest = read_json_file(options_.stage / "finance/manifest.json").value();
  EXPECT_EQ(manifest.at("run"), record.id);
  EXPECT_EQ(manifest.at("record_digest"), reports::record_digest(record));
  EXPECT_EQ(manifest.at("candidates").at(1).at("files").at(0).at("sha256"), record.candidates[1].files[0].sha256);
  EXPECT_EQ(manifest.at("golden_images").at(0).at("digest"), record.departments[0].machines[0].golden_digest);
  EXPECT_EQ(published->manifest_digest, sha256(read_file(options_.stage / "finance/manifest.json").value()));
  EXPECT_THAT(problems(), IsEmpty());
}

// Deployers are other users; the program's own rule hides everything from them, a careless user's lets them write.
TEST_F(StageTest, WhatIsPublishedCanBeReadAndNotWrittenWhateverTheUmask) {
  for (const mode_t umask : {077U, 0U}) {
    const auto before = ::umask(umask);
    options_.stage = root_ / fmt::format("new-{}/production", umask);
    const auto published = publish_record(tests::good_record());
    ::umask(before);
    ASSERT_TRUE(published) << published.error().message;
    const auto mode_of = [](const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); };
    EXPECT_EQ(mode_of(options_.stage), 0755U);
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(options_.stage)) {
      if (entry.is_symlink() || entry.path().filename() == ".lock") continue;
      const bool in_version = entry.path().string().starts_with(fs::canonical(options_.stage / "finance").string());
      EXPECT_EQ(mode_of(entry.path()), !entry.is_directory() ? 0444U : in_version ? 0555U : 0755U) << entry.path();
      files += entry.is_regular_file() ? 1U : 0U;
    }
    EXPECT_GE(files, 3U);
    EXPECT_THAT(problems(), IsEmpty());
  }
}

TEST_F(StageTest, PublishesOnlyWhatPassed) {
  const auto record = tests::rich_record();
  for (const char* department : {"engineering", "finance"}) {
    ASSERT_TRUE(publish(record, decide(record, department, {}, today()), store(record), options_));
  }
  EXPECT_TRUE(fs::exists(options_.stage / "finance/samba-share-defaults"));
  EXPECT_FALSE(fs::exists(options_.stage / "engineering/samba-share-defaults"));
  EXPECT_FALSE(fs::exists(options_.stage / "finance/postfix-tls-strict"));
  const auto manifest = read_json_file(options_.stage / "engineering/manifest.json").value();
  EXPECT_EQ(manifest.at("held_back").at(2).at("candidate"), "samba-share-defaults");
  EXPECT_EQ(verify_stage(options_.stage).value().size(), 2U);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(StageTest, PublishingTheSameAgainChangesNothing) {
  ASSERT_TRUE(publish_record(tests::good_record()));
  options_.now = "2026-11-23T00:00:00.000Z";
  const auto again = publish_record(tests::good_record());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->change, Published::Change::already_there);
  EXPECT_EQ(read_json_file(options_.stage / "finance/manifest.json").value().at("published"),
            "2026-11-22T06:20:00.000Z");
}

TEST_F(StageTest, PublishingTheSameAgainMendsADamagedVersion) {
  ASSERT_TRUE(publish_record(tests::good_record()));
  open_published("tidy");
  ASSERT_TRUE(write_file_atomically(file_of("tidy"), "content of tiDy"));
  const auto again = publish_record(tests::good_record());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->change, Published::Change::published);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(StageTest, RefusesWhatTheGateDoesNotPromoteAndTouchesNothing) {
  auto record = tests::good_record();
  record.complete = false;
  ASSERT_TRUE(remove_tree(options_.stage));
  const auto published = publish_record(record);
  ASSERT_FALSE(published);
  EXPECT_THAT(published.error().message, HasSubstr("run-incomplete"));
  EXPECT_FALSE(fs::exists(options_.stage));
}

TEST_F(StageTest, RefusesAFileThatIsNotTheTestedOne) {
  const auto record = tests::good_record();
  ASSERT_TRUE(publish_record(record_of_run("old")));
  const auto source = store(record);
  ASSERT_TRUE(write_file_atomically(root_ / "store" / record.candidates[1].files[0].sha256, "content of tiDy"));
  const auto promotion = promote(record, "finance", {}, today(), source, options_);
  EXPECT_EQ(promotion.record.outcome, reports::PromotionOutcome::refused);
  EXPECT_EQ(promotion.exit_code, ExitCode::policy);
  ASSERT_FALSE(promotion.record.reasons.empty());
  EXPECT_THAT(promotion.record.reasons[0],
              HasSubstr("digest-mismatch: finance: copying 'tidy_amd64.deb' of candidate 'tidy'"));
  EXPECT_EQ(published_run(), "old");
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(StageTest, AMissingFileIsTroubleNotARefusal) {
  const auto record = tests::good_record();
  const auto source = store(record);
  fs::remove(root_ / "store" / record.candidates[0].files[0].sha256);
  const auto promotion = promote(record, "finance", {}, today(), source, options_);
  EXPECT_EQ(promotion.exit_code, ExitCode::cannot_create);
  EXPECT_THAT(promotion.record.reasons, ElementsAre(HasSubstr("publish-failed: finance: ")));
  EXPECT_FALSE(promotion.decision.promotes());
  EXPECT_EQ(promotion.decision.blocking().at(0).command, "patchlab promote " + record.id);
  EXPECT_EQ(published_run(), "");
}

TEST_F(StageTest, PromoteTellsTheGatesReasons) {
  auto record = tests::good_record();
  record.departments[0].fence.attempts[0].answered = true;
  const auto promotion = promote(record, "finance", {}, today(), store(record), options_);
  EXPECT_EQ(promotion.exit_code, ExitCode::policy);
  EXPECT_THAT(promotion.record.reasons,
              ElementsAre("fence-breach: finance: arp to 10.20.0.1 was answered before the trials"));
  const auto good = promote(tests::good_record(), "finance", {}, today(), store(record), options_);
  EXPECT_EQ(good.exit_code, ExitCode::ok);
  EXPECT_EQ(good.record.outcome, reports::PromotionOutcome::promoted);
  EXPECT_THAT(good.record.candidates, ElementsAre("dns-update", "tidy"));
}

TEST_F(StageTest, RefusesNamesThatWouldLeaveTheStage) {
  for (const char* name : {"../evil", "a/b", "..", ".hidden", "", "two\nlines"}) {
    auto record = tests::good_record();
    record.candidates[0].files[0].name = name;
    const auto published = publish_record(record);
    ASSERT_FALSE(published) << name;
    EXPECT_THAT(published.error().message, HasSubstr("cannot be the name of a file or folder"));
  }
}

TEST_F(StageTest, DoesNotReplaceAFolderItDidNotPublish) {
  fs::create_directories(options_.stage / "finance");
  ASSERT_TRUE(write_file_atomically(options_.stage / "finance/precious", "x"));
  const auto published = publish_record(tests::good_record());
  ASSERT_FALSE(published);
  EXPECT_THAT(published.error().message, HasSubstr("was not published by patchlab"));
  EXPECT_TRUE(fs::exists(options_.stage / "finance/precious"));
}

// Killed before any of its steps, the stage is the old version or the new one, whole; and the next attempt ends well
// and cleans up.
TEST_F(StageTest, InterruptedAtAnyPointItIsTheOldOrTheNewVersion) {
  const auto old_record = record_of_run("old");
  const auto new_record = record_of_run("new");
  const auto source = store(new_record);
  int steps = 0;
  options_.before_step = [&](const std::string&) { ++steps; };
  ASSERT_TRUE(publish_record(new_record));
  options_.before_step = nullptr;
  ASSERT_GE(steps, 10);
  std::set<std::string> seen;
  for (int stop_at = 0; stop_at < steps; ++stop_at) {
    ASSERT_TRUE(remove_tree(options_.stage));
    ASSERT_TRUE(publish_record(old_record));
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto options = options_;
      options.before_step = [count = 0, stop_at](const std::string&) mutable {
        if (count++ == stop_at) ::_exit(42);
      };
      static_cast<void>(publish(new_record, decide(new_record, "finance", {}, today()), source, options));
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << "step " << stop_at;
    EXPECT_THAT(problems(), IsEmpty()) << "step " << stop_at;
    seen.insert(published_run());
    ASSERT_TRUE(publish_record(record_of_run("next"))) << "step " << stop_at;
    EXPECT_EQ(published_run(), "next");
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(version_count(), 2U) << "the version before and the current one";
  }
  EXPECT_EQ(seen, (std::set<std::string>{"new", "old"}));
}

TEST_F(StageTest, InterruptedBeforeTheFirstPublicationThereIsNothing) {
  const auto record = tests::good_record();
  const auto source = store(record);
  options_.before_step = [](const std::string& step) {
    if (step == "switch") ::_exit(42);
  };
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    static_cast<void>(publish(record, decide(record, "finance", {}, today()), source, options_));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 42);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("finance/is not published")));
}

TEST_F(StageTest, AVersionThatReadsBackDifferentlyIsTakenBack) {
  ASSERT_TRUE(publish_record(record_of_run("old")));
  options_.before_step = [&](const std::string& step) {
    if (step != "prove-published") return;
    open_published("tidy");
    EXPECT_TRUE(write_file_atomically(file_of("tidy"), "bit rot after the switch"));
  };
  const auto published = publish_record(record_of_run("new"));
  ASSERT_FALSE(published);
  EXPECT_THAT(published.error().message, HasSubstr("read back, it differs from what was tested: tidy/tidy_amd64.deb"));
  EXPECT_EQ(published_run(), "old");
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(StageTest, VerifyNoticesEveryKindOfTampering) {
  const auto path = options_.stage / "finance";
  const auto fresh = [&] {
    ASSERT_TRUE(remove_tree(options_.stage));
    ASSERT_TRUE(publish_record(tests::good_record()));
    open_published("tidy");
  };
  fresh();
  ASSERT_TRUE(write_file_atomically(file_of("tidy"), "content of tiDy"));
  EXPECT_THAT(problems_as_left(), ElementsAre(HasSubstr("finance/tidy/tidy_amd64.deb: has the digest ")));
  fresh();
  ASSERT_TRUE(write_file_atomically(file_of("tidy"), "short"));
  EXPECT_THAT(problems_as_left(), ElementsAre("finance/tidy/tidy_amd64.deb: has 5 bytes instead of 15"));
  fresh();
  fs::remove(file_of("tidy"));
  EXPECT_THAT(problems_as_left(), ElementsAre("finance/tidy/tidy_amd64.deb: is missing"));
  fresh();
  ASSERT_TRUE(write_file_atomically(path / "tidy" / "extra.deb", "x"));
  EXPECT_THAT(problems_as_left(), ElementsAre("finance/tidy/extra.deb: does not belong here"));
  fresh();
  fs::rename(file_of("tidy"), root_ / "outside");
  fs::create_symlink(root_ / "outside", file_of("tidy"));
  EXPECT_THAT(problems_as_left(), ElementsAre("finance/tidy/tidy_amd64.deb: is not a regular file"));
  fresh();
  fs::rename(fs::canonical(path) / "tidy", root_ / "outside-folder");
  fs::create_symlink(root_ / "outside-folder", fs::canonical(path) / "tidy");
  EXPECT_THAT(problems_as_left(), testing::UnorderedElementsAre("finance/tidy: is a symbolic link",
                                                                HasSubstr("finance/tidy/tidy_amd64.deb: opening")));
  fresh();
  auto manifest = read_json_file(path / "manifest.json").value();
  manifest["candidates"][0]["digest"] = sha256("another");
  ASSERT_TRUE(write_file_atomically(path / "manifest.json", pretty(manifest)));
  EXPECT_THAT(problems_as_left(), ElementsAre(HasSubstr("its set digest is not that of the candidates")));
  fresh();
  ASSERT_TRUE(write_file_atomically(path / "manifest.json", "{"));
  EXPECT_THAT(problems_as_left(), ElementsAre(HasSubstr("finance/manifest.json:1:")));
  fresh();
  fs::remove(path / "manifest.json");
  EXPECT_THAT(problems_as_left(), ElementsAre(HasSubstr("finance/manifest.json: opening")));
  fresh();
  fs::rename(path, options_.stage / "sales");
  EXPECT_THAT(problems_as_left(),
              ElementsAre(HasSubstr("finance/is not published"), HasSubstr("sales/leads to '.versions/finance/")));
}

// The class of an error says whose trouble it is, not that bytes differ.
TEST_F(StageTest, OnlyOtherBytesAreADigestMismatch) {
  const auto record = tests::good_record();
  const auto missing = [](const std::string& sha256) -> Result<fs::path> {
    return configuration_error("no file with sha256 " + sha256 + " in the content store");
  };
  const auto promotion = promote(record, "finance", {}, today(), missing, options_);
  EXPECT_EQ(promotion.exit_code, ExitCode::cannot_create);
  EXPECT_THAT(promotion.record.reasons, ElementsAre(HasSubstr("publish-failed: finance: copying")));
  const auto folder = [this](const std::string&) -> Result<fs::path> { return root_ / "store"; };
  store(record);
  EXPECT_THAT(promote(record, "finance", {}, today(), folder, options_).record.reasons,
              ElementsAre(HasSubstr("is a folder, and no regular file")));
}

TEST_F(StageTest, NothingIsWrittenOrRemovedThroughALink) {
  const auto precious = root_ / "precious";
  const auto publish_with_link_at = [&](const fs::path& link, const fs::path& target) {
    ASSERT_TRUE(remove_tree(options_.stage));
    ASSERT_TRUE(create_folders(precious / "finance"));
    ASSERT_TRUE(write_file_atomically(precious / "finance" / "file", "x"));
    ASSERT_TRUE(create_folders(link.parent_path()));
    fs::create_symlink(target, link);
    const auto published = publish_record(tests::good_record());
    ASSERT_FALSE(published) << link;
    EXPECT_THAT(published.error().message, HasSubstr("is a symbolic link")) << link;
    EXPECT_EQ(std::distance(fs::recursive_directory_iterator(precious), {}), 2) << link;
  };
  publish_with_link_at(options_.stage / ".versions", precious);
  publish_with_link_at(options_.stage / ".versions" / "finance", precious / "finance");
  publish_with_link_at(options_.stage / ".lock", precious / "lock");
  publish_with_link_at(options_.stage / ".lock", precious / "finance" / "file");
}

TEST_F(StageTest, AFolderThatOthersMayWriteIsRefused) {
  const auto record = tests::good_record();
  for (const auto& folder : {options_.stage, options_.stage / ".versions", options_.stage / ".versions" / "finance"}) {
    for (const auto mode : {fs::perms(0775), fs::perms(0757), fs::perms(0777)}) {
      ASSERT_TRUE(remove_tree(options_.stage));
      ASSERT_TRUE(create_folders(folder));
      fs::permissions(folder, mode);
      const auto promotion = promote(record, "finance", {}, today(), store(record), options_);
      EXPECT_EQ(promotion.exit_code, ExitCode::cannot_create) << folder;
      EXPECT_THAT(promotion.record.reasons, ElementsAre(HasSubstr("may be written by others"))) << folder;
      EXPECT_FALSE(fs::exists(fs::symlink_status(options_.stage / "finance")));
    }
  }
}

TEST_F(StageTest, TheModesOfWhatIsPublishedAreOursNotTheUmasks) {
  for (const ::mode_t mask : {0000U, 0022U, 0077U}) {
    ASSERT_TRUE(remove_tree(options_.stage));
    const auto before = ::umask(mask);
    const auto published = publish_record(tests::good_record());
    ::umask(before);
    ASSERT_TRUE(published) << published.error().message;
    const auto mode_of = [](const fs::path& path) { return fs::status(path).permissions(); };
    const auto version = fs::canonical(options_.stage / "finance");
    for (const auto& folder : {options_.stage, options_.stage / ".versions", version.parent_path()})
      EXPECT_EQ(mode_of(folder), fs::perms(0755)) << folder << mask;
    for (const auto& folder : {version, version / "tidy"})
      EXPECT_EQ(mode_of(folder), fs::perms(0555)) << folder << mask;
    for (const auto& file : {version / "manifest.json", file_of("tidy")})
      EXPECT_EQ(mode_of(file), fs::perms(0444)) << file << mask;
    EXPECT_EQ(mode_of(options_.stage / ".lock"), fs::perms(0600));
  }
}

TEST_F(StageTest, RefusesIdsThatAreNoCandidateIds) {
  for (const char* id : {"--force", "*", "manifest.json", "a b"}) {
    auto record = tests::good_record();
    auto decision = decide(record, "finance", {}, today());
    for (auto& candidate : record.candidates) {
      if (candidate.id == decision.promotable[0]) candidate.id = id;
    }
    decision.promotable[0] = id;
    const auto published = publish(record, decision, store(record), options_);
    ASSERT_FALSE(published) << id;
    EXPECT_THAT(published.error().message, HasSubstr("is no candidate id"));
  }
}

// "All of them are fine" is said of at least one.
TEST_F(StageTest, VerifyOfNothingProvesNothing) {
  EXPECT_THAT(verify_stage(options_.stage).error().message, HasSubstr("is no stage"));
  EXPECT_THAT(verify_stage(root_ / "store").error().message, HasSubstr("is no stage"));
  fs::create_directories(options_.stage / ".versions");
  EXPECT_THAT(verify_stage(options_.stage).error().message, HasSubstr("no department is published"));
  ASSERT_TRUE(publish_record(tests::good_record()));
  fs::create_directory(options_.stage / "sales");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("sales/is no link to a published version")));
  fs::remove(options_.stage / "sales");
  fs::remove(options_.stage / "finance");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("finance/is not published")));
}

TEST_F(StageTest, VerifyTakesOneDepartmentToo) {
  ASSERT_TRUE(publish_record(tests::good_record()));
  for (const auto* name : {"finance", "finance/"}) {
    const auto checks = verify_stage(options_.stage / name);
    ASSERT_TRUE(checks);
    EXPECT_EQ(checks->at(0).department, "finance");
    EXPECT_THAT(checks->at(0).problems, IsEmpty());
  }
  EXPECT_FALSE(verify_stage(root_ / "nowhere"));
}

}  // namespace
}  // namespace patchlab::promotion

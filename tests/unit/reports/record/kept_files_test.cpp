// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/kept_files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"

namespace patchlab::reports {
namespace {
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* log_file = "evidence/finance/t1/mail/dmesg";

class KeptFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-kept-XXXXXX";
    folder_ = ::mkdtemp(name);
    write("events.jsonl", "{}\n");
    write(log_file, "oops\n");
    write("evidence/finance/t1/mail/syslog", "fine\n");
    kept_ = kept_files_in(folder_).value();
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((folder_ / file).parent_path());
    ASSERT_TRUE(write_file_atomically(folder_ / file, text));
  }
  [[nodiscard]] std::vector<std::string> problems() const { return kept_file_problems(folder_, kept_); }

  fs::path folder_;
  std::vector<KeptFile> kept_;
};

TEST_F(KeptFiles, AreAllThatLiesThereWithSizeAndDigest) {
  EXPECT_THAT(kept_, ElementsAre(KeptFile{"events.jsonl", 3, sha256("{}\n")}, KeptFile{log_file, 5, sha256("oops\n")},
                                 KeptFile{"evidence/finance/t1/mail/syslog", 5, sha256("fine\n")}));
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(KeptFiles, WhatIsWrittenBesideThemLaterIsNoEvidence) {
  write("run.json", "{}");
  write("report.html", "<p>");
  fs::create_directories(folder_ / "evidence" / "sales");
  EXPECT_THAT(problems(), IsEmpty());
}

// Each kind of change has its own words, and names the file.
TEST_F(KeptFiles, EveryChangeIsSaidInItsOwnWords) {
  struct Change {
    std::function<void(const fs::path& file)> made;
    std::string words;
  };
  const auto aside = [](const fs::path& file) { return file.parent_path() / "aside"; };
  const std::vector<Change> changes{
      {[](const auto& file) { ASSERT_TRUE(write_file_atomically(file, "nice\n")); }, "was edited"},
      {[](const auto& file) { ASSERT_TRUE(write_file_atomically(file, "")); }, "was edited"},
      {[](const auto& file) { fs::remove(file); }, "is missing: the run kept it"},
      {[&](const auto& file) { fs::rename(file, aside(file)); }, "was renamed to 'evidence/finance/t1/mail/aside'"},
      {[](const auto& file) { fs::remove(file), fs::create_symlink("syslog", file); }, "is a symbolic link"},
      {[](const auto& file) { fs::remove(file), fs::create_symlink("nowhere", file); }, "is a symbolic link"},
      {[](const auto& file) { fs::remove(file), ::mkfifo(file.c_str(), 0600); }, "is a named pipe"},
      {[](const auto& file) { fs::remove(file), fs::create_directory(file); }, "is a folder"}};
  for (const auto& change : changes) {
    TearDown();
    SetUp();
    change.made(folder_ / log_file);
    EXPECT_THAT(problems(), ElementsAre(HasSubstr(fmt::format("'{}' {}", log_file, change.words))));
  }
}

TEST_F(KeptFiles, WhatWasAddedIsNamed) {
  write("evidence/sales/t1/dns/syslog", "all is well\n");
  ASSERT_EQ(::mkfifo((folder_ / "evidence" / "pipe").c_str(), 0600), 0);
  fs::create_directory_symlink("finance", folder_ / "evidence" / "link");
  EXPECT_THAT(problems(), UnorderedElementsAre("'evidence/sales/t1/dns/syslog' was added: the run kept no such file",
                                               HasSubstr("'evidence/pipe' is a named pipe"),
                                               HasSubstr("'evidence/link' is a symbolic link")));
}

TEST_F(KeptFiles, AFolderThatIsALinkHidesNothing) {
  fs::rename(folder_ / "evidence" / "finance", folder_ / "elsewhere");
  fs::create_directory_symlink("../elsewhere", folder_ / "evidence" / "finance");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("'evidence/finance' is a symbolic link")));
  fs::rename(folder_ / "evidence", folder_ / "all");
  fs::create_directory_symlink("all", folder_ / "evidence");
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("'evidence' is a symbolic link")));
}

TEST_F(KeptFiles, WhatIsNoFileIsNotDigested) {
  fs::create_symlink("/etc/passwd", folder_ / "evidence" / "passwd");
  const auto kept = kept_files_in(folder_);
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().message, HasSubstr("'evidence/passwd' is a symbolic link"));
  fs::remove(folder_ / "evidence" / "passwd");
  write("evidence/a\nb", "x");
  EXPECT_THAT(kept_files_in(folder_).error().message, HasSubstr("is no name that a record can hold"));
}

TEST(KeptName, IsAPathBelowTheFolderOfTheRunWithoutEscapes) {
  for (const auto* name : {"a", "a/b", "evidence/finance/t1/mail/guest replies.txt", "..a/b..", "Überlauf/x"})
    EXPECT_TRUE(is_kept_name(name)) << name;
  for (const std::string name : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/..", "a\\b", "a\nb",
                                 "a\tb", "a\x7f", "\xff", "a\x80"})
    EXPECT_FALSE(is_kept_name(name)) << name;
  EXPECT_FALSE(is_kept_name(std::string(4097, 'a')));
}

TEST(EvidenceOfASet, IsThatOfItsTrialsAndOfTheControl) {
  RunRecord record;
  record.departments = {{.name = "finance"}, {.name = "sales"}};
  const auto add = [](DepartmentRecord& department, const std::string& id, std::vector<std::string> candidates) {
    TrialRecord trial;
    trial.id = id;
    trial.candidates = std::move(candidates);
    trial.evidence_folder = "evidence/" + id;
    department.trials.push_back(trial);
  };
  add(record.departments[0], "finance/baseline", {});
  add(record.departments[0], "finance/t1", {"b", "a"});
  add(record.departments[0], "finance/t11", {"a"});
  add(record.departments[0], "finance/t2", {"a", "b"});
  add(record.departments[1], "sales/t1", {"a", "b"});
  record.departments[0].trials[3].evidence_folder.clear();
  EXPECT_THAT(evidence_of_set(record, "finance", {"a", "b"}), IsEmpty()) << "without digests";
  record.evidence.emplace();
  for (const auto* folder : {"finance/baseline", "finance/t1", "finance/t11", "finance/t2", "sales/t1"})
    record.evidence->push_back({fmt::format("evidence/{}/dns/log", folder), 1, sha256(folder)});
  record.evidence->push_back({"events.jsonl", 1, sha256("x")});
  const auto names = [&](const std::string& department, const std::vector<std::string>& candidates) {
    std::vector<std::string> all;
    for (const auto& file : evidence_of_set(record, department, candidates)) all.push_back(file.name);
    return all;
  };
  EXPECT_THAT(names("finance", {"a", "b"}),
              ElementsAre("evidence/finance/baseline/dns/log", "evidence/finance/t1/dns/log"));
  EXPECT_THAT(names("finance", {"a"}),
              ElementsAre("evidence/finance/baseline/dns/log", "evidence/finance/t11/dns/log"));
  EXPECT_THAT(names("sales", {"b", "a"}), ElementsAre("evidence/sales/t1/dns/log"));
  EXPECT_THAT(names("hr", {"a"}), IsEmpty());
}

}  // namespace
}  // namespace patchlab::reports

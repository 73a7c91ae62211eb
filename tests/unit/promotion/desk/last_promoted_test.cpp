// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/last_promoted.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/stage/stage.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Known = LastPromoted::Known;
namespace fs = std::filesystem;

// A stage with one promotion, by the shipped policy.
class LastPromotedTest : public testing::Test {
 protected:
  LastPromotedTest() {
    std::string pattern = testing::TempDir() + "patchlab-last-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    ::chmod(root_.c_str(), 0755);
    EXPECT_TRUE(create_folders(root_ / "store"));
    for (const auto& candidate : record_.candidates) {
      for (const auto& file : candidate.files)
        EXPECT_TRUE(write_file_atomically(root_ / "store" / file.sha256, "content of " + candidate.id));
    }
    EXPECT_TRUE(create_folders(run_file().parent_path()));
    EXPECT_TRUE(reports::write_run_record(record_, run_file()));
    EXPECT_EQ(promote(record_).exit_code, ExitCode::ok);
  }
  ~LastPromotedTest() override { static_cast<void>(remove_tree(root_)); }

  [[nodiscard]] fs::path stage() const { return root_ / "stage"; }
  [[nodiscard]] fs::path run_file() const { return root_ / "runs" / record_.id / "run.json"; }
  [[nodiscard]] LastPromoted last() const { return last_promoted(stage(), "finance", root_ / "runs", History()); }
  [[nodiscard]] Promotion promote(const reports::RunRecord& record) const {
    Today today{.now = parse_rfc3339("2026-11-22T07:00:00Z").value()};
    today.last_promoted["finance"] = last();
    return promotion::promote(
        record, "finance", quickstart_policy(), today,
        [this](const std::string& sha256) -> Result<fs::path> { return root_ / "store" / sha256; },
        {.stage = stage(), .now = "2026-11-22T07:00:00.000Z", .before_step = {}});
  }

  reports::RunRecord record_ = tests::good_record();
  fs::path root_;
};

TEST_F(LastPromotedTest, IsWhatTheRunOfThePublishedVersionPlanned) {
  const auto found = last();
  EXPECT_EQ(found.state, Known::known) << found.why;
  EXPECT_EQ(found.coverage, coverage_of(record_, record_.departments[0]));
  EXPECT_EQ(last_promoted(stage(), "engineering", root_ / "runs", History()).state, Known::nothing);
}

TEST_F(LastPromotedTest, IsNotShrunkByALaterRun) {
  auto later = record_;
  later.id = "2026-11-22T062250Z-000001";
  auto& department = later.departments[0];
  const auto dropped = department.machines[0].checks.back();
  department.machines[0].checks.pop_back();
  const auto refused = promote(later);
  EXPECT_EQ(refused.exit_code, ExitCode::policy);
  department.machines[0].checks.push_back(dropped);
  EXPECT_EQ(promote(later).exit_code, ExitCode::ok) << "no less than before";
  EXPECT_THAT(refused.record.reasons,
              ElementsAre(StartsWith("coverage-shrunk: finance/dns/" + dropped + ": the check")));
}

TEST_F(LastPromotedTest, IsUnknownWithoutTheVeryRecord) {
  auto other = record_;
  other.departments[0].machines.pop_back();
  ASSERT_TRUE(reports::write_run_record(other, run_file()));
  EXPECT_EQ(last().state, Known::unknown);
  EXPECT_THAT(last().why, HasSubstr("is another record than the one that was promoted"));
  ASSERT_TRUE(remove_tree(run_file()));
  EXPECT_EQ(last().state, Known::unknown);
  // Among the stage's objects it is found by its digest, wherever the runs are.
  ASSERT_TRUE(create_folders(stage() / ".ledger/objects"));
  ASSERT_TRUE(reports::write_run_record(record_, stage() / ".ledger/objects" / reports::record_digest(record_)));
  EXPECT_EQ(last().state, Known::known);
}

TEST_F(LastPromotedTest, IsUnknownWhenTheManifestCannotBeRead) {
  const auto manifest = fs::canonical(stage() / "finance") / manifest_file_name;
  fs::permissions(manifest.parent_path(), fs::perms::owner_all);
  ASSERT_TRUE(write_file_atomically(manifest, "{"));
  EXPECT_EQ(last().state, Known::unknown);
  ASSERT_TRUE(remove_tree(manifest));
  EXPECT_EQ(last().state, Known::unknown) << "not the same as that nothing is published";
}

// Whoever approved has seen it, or has not, whatever became of the files.
TEST_F(LastPromotedTest, HasItsLineWhateverElseIsUnknown) {
  History history;
  const auto tell = [&](std::uint64_t seq, ChainKind kind) {
    EXPECT_EQ(history.add({.seq = seq, .kind = kind, .object = sha256("promotion"), .by = "lab"},
                          {.kind = "promote", .by = "lab", .department = "finance", .run = sha256("run")}),
              "");
  };
  tell(5, ChainKind::promote_begun);
  tell(6, ChainKind::promote_switched);
  tell(7, ChainKind::promote_done);
  const auto line_when = [&](Known state) {
    const auto found = last_promoted(stage(), "finance", root_ / "runs", history);
    EXPECT_EQ(found.state, state);
    return found.line;
  };
  EXPECT_EQ(line_when(Known::known), 7U);
  ASSERT_TRUE(remove_tree(run_file()));
  EXPECT_EQ(line_when(Known::unknown), 7U) << "without its record";
  const auto version = fs::canonical(stage() / "finance");
  fs::permissions(version, fs::perms::owner_all);
  ASSERT_TRUE(remove_tree(version / manifest_file_name));
  EXPECT_EQ(line_when(Known::unknown), 7U) << "without its manifest";
  fs::remove(stage() / "finance");
  EXPECT_EQ(line_when(Known::nothing), 7U) << "without its folder";
}

TEST_F(LastPromotedTest, UnknownIsRefusedUnlessThePolicyAllowsIt) {
  auto policy = quickstart_policy();
  Today today{.now = parse_rfc3339("2026-11-22T07:00:00Z").value()};
  today.last_promoted["finance"] = {Known::unknown, {}, "the folder is gone"};
  EXPECT_TRUE(decide(record_, "finance", policy, today).promotes());
  EXPECT_EQ(decide(record_, "finance", policy, today).by, "promoted by policy 'quickstart': nobody approved");
  EXPECT_EQ(decide(record_, "finance", policy, today).policy, policy.digest);
  policy.coverage.when_unknown = CoverageRule::Unknown::refused;
  const auto decision = decide(record_, "finance", policy, today);
  EXPECT_EQ(decision.by, "");
  EXPECT_THAT(decision.reasons(), ElementsAre(StartsWith("coverage-unknown: finance: ")));
}

}  // namespace
}  // namespace patchlab::promotion

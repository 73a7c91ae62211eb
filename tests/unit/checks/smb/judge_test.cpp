// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cerrno>

#include "checks/smb/access.hpp"
#include "checks/smb/denied.hpp"
#include "checks/smb/encryption.hpp"
#include "checks/smb/login_refused.hpp"
#include "checks/smb/readonly.hpp"
#include "checks/smb/referral.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::smb {
namespace {

const std::string digest(64, 'a');
const std::string other_digest(64, 'b');

// An observation built step by step.
class Seen {
 public:
  Seen& step(const std::string& name, int saved_errno = 0, Json more = Json::object()) {
    Json entry{{"step", name}, {"errno", saved_errno}, {"ms", 1}};
    if (saved_errno != 0) entry["error"] = describe_errno(saved_errno);
    entry.update(more);
    observation["steps"].push_back(entry);
    return *this;
  }
  Seen& hang(const std::string& name) {
    observation["steps"].push_back({{"step", name}});
    observation["unfinished"] = true;
    return *this;
  }
  Observation observation;
};

Json account() { return Json{{"share", "projects"}, {"user", "alice"}, {"password", "secret"}}; }
Json with_known_file() {
  auto with = account();
  with["known_files"] = {{"alpha/budget.csv", digest}};
  return with;
}

Seen until_write() {
  Seen seen;
  seen.step("connect").step("list", 0, {{"names", {"alpha"}}});
  return seen.step("write", 0, {{"name", "x.bin"}, {"sha256", digest}});
}
Seen until_read() {
  auto seen = until_write();
  return seen.step("list again", 0, {{"names", {"alpha", "x.bin"}}}).step("read", 0, {{"sha256", digest}});
}

TEST(SmbAccessJudge, PassesAWholeLife) {
  auto seen = until_read();
  seen.step("rename").step("delete").step("gone", ENOENT);
  const auto judgement = access().judge(account(), seen.observation);
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.reason;
  EXPECT_EQ(judgement.observed, "alice uses 'projects'");
}

TEST(SmbReferralJudge, WantsAtTheTargetWhatWasWrittenByTheNamespace) {
  auto with = account();
  with.update({{"path", "projects"}, {"target", {{"server", "file2.office.example"}, {"share", "team"}}}});
  struct Step {
    std::string name;
    int saved_errno;
    std::string sha256;
  };
  const std::vector<Step> good{
      {"target", 0, ""}, {"read at target", 0, digest}, {"delete", 0, ""}, {"gone at target", ENOENT, ""}};
  const auto judged = [&](const std::string& name, int saved_errno, const std::string& sha256 = {}) {
    auto seen = until_write();
    for (const auto& step : good) {
      const bool other = step.name == name;
      const auto& read = other ? sha256 : step.sha256;
      seen.step(step.name, other ? saved_errno : step.saved_errno,
                read.empty() ? Json::object() : Json{{"sha256", read}});
      if (other && saved_errno != 0) break;
    }
    const auto judgement = referral().judge(with, seen.observation);
    EXPECT_EQ(judgement.outcome == Outcome::pass, judgement.reason == "referred");
    return judgement.reason;
  };
  EXPECT_EQ(judged("", 0), "referred");
  EXPECT_EQ(judged("target", ECONNREFUSED), "target-failed");
  EXPECT_EQ(judged("read at target", ENOENT), "not-at-target");
  EXPECT_EQ(judged("read at target", EACCES), "read-at-target-failed");
  EXPECT_EQ(judged("read at target", 0, other_digest), "content-differs");
  EXPECT_EQ(judged("delete", EACCES), "delete-failed");
  EXPECT_EQ(judged("gone at target", 0), "deleted-file-remains");
  EXPECT_EQ(judged("gone at target", EACCES), "deleted-file-remains");
  auto late = until_write();
  late.step("target").step("read at target", 0, {{"sha256", digest}}).step("delete").hang("gone at target");
  EXPECT_EQ(referral().judge(with, late.observation).reason, "no-answer");
  Seen lost;
  lost.step("connect").step("list", ENOENT);
  EXPECT_EQ(referral().judge(with, lost.observation).reason, "list-failed");
}

TEST(SmbAccessJudge, WantsTwoSessionsToShareAFile) {
  auto with = account();
  with["together"] = true;
  const auto judged = [&](const std::string& read, int remove, int list = 0) {
    auto seen = until_read();
    seen.step("second list", list, {{"names", {"x.bin"}}});
    if (list == 0)
      seen.step("open").step("second read", 0, {{"sha256", read}}).step("second delete", remove).step("close");
    seen.step("rename").step("delete").step("gone", ENOENT);
    return access().judge(with, seen.observation).reason;
  };
  EXPECT_EQ(judged(digest, EBUSY), "as-expected");
  EXPECT_EQ(judged(digest, 0), "open-file-deleted");
  EXPECT_EQ(judged(digest, ENOENT), "refused-for-another-reason");
  EXPECT_EQ(judged(other_digest, EBUSY), "content-differs");
  EXPECT_EQ(judged(digest, EBUSY, EACCES), "second-list-failed");
  auto alone = until_read();
  alone.step("rename").step("delete").step("gone", ENOENT);
  EXPECT_EQ(access().judge(with, alone.observation).reason, "second-list-not-reached");
}

TEST(SmbAccessJudge, WantsLocksToBeKeptAndGivenBack) {
  auto with = account();
  with["locks"] = true;
  struct Step {
    std::string name;
    int saved_errno;
    Json more;
  };
  const std::vector<Step> good{{"second list", 0, {{"names", {"x.bin"}}}},
                               {"lock", 0, Json::object()},
                               {"locked read", 0, {{"sha256", digest}}},
                               {"locked write", EBUSY, Json::object()},
                               {"new file", 0, {{"sha256", other_digest}}},
                               {"locked rename over", EEXIST, Json::object()},
                               {"unlock", 0, Json::object()},
                               {"unlocked read", 0, {{"sha256", digest}}},
                               {"unlocked write", 0, Json::object()},
                               {"unlocked rename over", 0, Json::object()},
                               {"renamed read", 0, {{"sha256", other_digest}}},
                               {"rename", 0, {{"name", "renamed-x.bin"}}},
                               {"delete", 0, Json::object()},
                               {"gone", ENOENT, Json::object()},
                               {"list after", 0, {{"names", {"alpha"}}}}};
  const auto judged = [&](const std::string& name, int saved_errno, const Json& more = Json::object()) {
    auto seen = until_read();
    for (const auto& step : good) {
      const bool other = step.name == name;
      seen.step(step.name, other ? saved_errno : step.saved_errno, other ? more : step.more);
    }
    return access().judge(with, seen.observation).reason;
  };
  EXPECT_EQ(judged("", 0), "as-expected");
  EXPECT_EQ(judged("locked write", 0), "lock-ignored");
  EXPECT_EQ(judged("locked write", ENOENT), "refused-for-another-reason");
  EXPECT_EQ(judged("locked rename over", 0), "open-file-replaced");
  EXPECT_EQ(judged("locked read", EBUSY), "locked-read-failed");
  EXPECT_EQ(judged("unlocked read", 0, {{"sha256", other_digest}}), "content-differs");
  EXPECT_EQ(judged("unlocked write", EBUSY), "unlocked-write-failed");
  EXPECT_EQ(judged("unlocked rename over", EEXIST), "unlocked-rename-over-failed");
  EXPECT_EQ(judged("renamed read", 0, {{"sha256", digest}}), "content-differs");
  EXPECT_EQ(judged("list after", 0, {{"names", {"renamed-x.bin"}}}), "deleted-file-remains");
  for (std::size_t last = 0; last < good.size(); ++last) {
    auto seen = until_read();
    for (std::size_t i = 0; i < last; ++i) seen.step(good[i].name, good[i].saved_errno, good[i].more);
    EXPECT_EQ(access().judge(with, seen.observation).outcome, Outcome::fail) << "without " << good[last].name;
  }
}

TEST(SmbEncryptionJudge, TellsWhetherAClientWithoutGetsIn) {
  const auto judged = [](const char* wanted, int list, int plain) {
    auto with = account();
    with["encryption"] = wanted;
    return encryption()
        .judge(with, Seen().step("connect").step("list", list).step("list plain", plain).observation)
        .reason;
  };
  EXPECT_EQ(judged("not-required", 0, 0), "as-expected");
  EXPECT_EQ(judged("not-required", 0, EACCES), "plain-refused");
  EXPECT_EQ(judged("not-required", 0, ENOENT), "list-plain-failed");
  EXPECT_EQ(judged("not-required", EACCES, EACCES), "list-failed");
  EXPECT_EQ(judged("required", 0, EACCES), "as-expected");
  EXPECT_EQ(judged("required", 0, 0), "plain-accepted");
  EXPECT_EQ(judged("required", 0, ECONNRESET), "refused-for-another-reason");
  EXPECT_EQ(encryption().judge(account(), Seen().step("connect", ECONNREFUSED).observation).reason,
            "connection-refused");
  EXPECT_EQ(encryption().judge(account(), Seen().step("connect").step("list").hang("list plain").observation).reason,
            "no-answer");
  const auto learnt =
      encryption().expecting(account(), Seen().step("connect").step("list").step("list plain", EACCES).observation);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("encryption"), "required");
  EXPECT_FALSE(encryption().expecting(account(), Seen().step("connect").step("list", EACCES).observation));
}

TEST(SmbAccessJudge, NamesTheStepThatFails) {
  Seen seen;
  seen.step("connect").step("list", 0, {{"names", Json::array()}}).step("write", EACCES);
  const auto judgement = access().judge(account(), seen.observation);
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "write-failed");
  EXPECT_EQ(judgement.expected, "write: done");
  EXPECT_EQ(judgement.observed, "write: EACCES Permission denied");
}

TEST(SmbAccessJudge, NamesTheStepThatHangs) {
  const auto judgement = access().judge(account(), until_write().hang("list again").observation);
  EXPECT_EQ(judgement.reason, "no-answer");
  EXPECT_EQ(judgement.observed, "list again: no answer within the deadline");
}

TEST(SmbAccessJudge, TellsARefusedConnectionFromSilence) {
  EXPECT_EQ(access().judge(account(), Seen().step("connect", ECONNREFUSED).observation).reason, "connection-refused");
  EXPECT_EQ(access().judge(account(), Seen().step("connect", ETIMEDOUT).observation).reason, "no-answer");
  EXPECT_EQ(access().judge(account(), Seen().step("connect", EHOSTUNREACH).observation).reason, "unreachable");
}

TEST(SmbAccessJudge, FailsOnOtherContentThanWritten) {
  auto seen = until_write();
  seen.step("list again", 0, {{"names", {"x.bin"}}}).step("read", 0, {{"sha256", other_digest}});
  EXPECT_EQ(access().judge(account(), seen.observation).reason, "content-differs");
}

TEST(SmbAccessJudge, FailsWhenTheFileIsNotListed) {
  auto seen = until_write();
  seen.step("list again", 0, {{"names", {"alpha"}}});
  EXPECT_EQ(access().judge(account(), seen.observation).reason, "file-not-listed");
}

TEST(SmbAccessJudge, FailsWhenTheDeletedFileIsStillThere) {
  auto seen = until_read();
  seen.step("rename").step("delete").step("gone", 0);
  EXPECT_EQ(access().judge(account(), seen.observation).reason, "deleted-file-remains");
}

TEST(SmbAccessJudge, LooksAtTheCaseOfNamesWhenAsked) {
  auto with = account();
  const auto judged = [&](const std::string& names, int saved_errno, const std::string& content) {
    with["names"] = names;
    auto seen = until_read();
    seen.step("other case", saved_errno, {{"sha256", content}}).step("rename").step("delete").step("gone", ENOENT);
    return access().judge(with, seen.observation).reason;
  };
  EXPECT_EQ(judged("insensitive", 0, digest), "as-expected");
  EXPECT_EQ(judged("insensitive", ENOENT, ""), "case-matters");
  EXPECT_EQ(judged("insensitive", 0, other_digest), "content-differs");
  EXPECT_EQ(judged("sensitive", ENOENT, ""), "as-expected");
  EXPECT_EQ(judged("sensitive", 0, digest), "case-ignored");
  EXPECT_EQ(judged("sensitive", EACCES, ""), "other-case-failed");
}

TEST(SmbAccessJudge, CountsManyFilesExactly) {
  auto with = account();
  with["files"] = 100;
  const auto judged = [&](int listed, int left) {
    auto seen = until_read();
    seen.step("rename").step("delete").step("gone", ENOENT).step("write many", 0, {{"files", 100}});
    seen.step("list many", 0, {{"files", listed}}).step("delete many", 0, {{"files", 100}});
    seen.step("list none", 0, {{"files", left}});
    return access().judge(with, seen.observation).reason;
  };
  EXPECT_EQ(judged(100, 0), "as-expected");
  EXPECT_EQ(judged(99, 0), "files-not-listed");
  EXPECT_EQ(judged(100, 1), "deleted-file-remains");
}

TEST(SmbAccessJudge, FailsOnAStepThatIsMissing) {
  EXPECT_EQ(access().judge(account(), until_read().observation).reason, "rename-not-reached");
  EXPECT_EQ(access().judge(account(), Json::object()).reason, "connect-not-reached");
}

TEST(SmbAccessJudge, LooksOnlyAtTheOperationsAskedFor) {
  auto with = account();
  with["operations"] = {"list"};
  Seen seen;
  seen.step("connect").step("list", 0, {{"names", Json::array()}});
  EXPECT_EQ(access().judge(with, seen.observation).outcome, Outcome::pass);
}

TEST(SmbAccessJudge, FailsOnAChangedOrLostKnownFile) {
  Seen changed;
  changed.step("connect").step("list").step("known file alpha/budget.csv", 0, {{"sha256", other_digest}});
  EXPECT_EQ(access().judge(with_known_file(), changed.observation).reason, "known-file-differs");
  Seen lost;
  lost.step("connect").step("list").step("known file alpha/budget.csv", ENOENT);
  EXPECT_EQ(access().judge(with_known_file(), lost.observation).reason, "known-file-failed");
}

TEST(SmbDeniedJudge, PassesOnlyOnLackOfPermission) {
  const auto reason_with = [](int saved_errno) {
    return denied().judge(account(), Seen().step("connect").step("list", saved_errno).observation);
  };
  EXPECT_EQ(reason_with(EACCES).outcome, Outcome::pass);
  EXPECT_EQ(reason_with(EPERM).outcome, Outcome::pass);
  EXPECT_EQ(reason_with(0).reason, "denied-user-got-in");
  EXPECT_EQ(reason_with(0).outcome, Outcome::fail);
  EXPECT_EQ(reason_with(ENOENT).reason, "refused-for-another-reason") << "the share is not there at all";
  EXPECT_EQ(reason_with(ECONNRESET).reason, "refused-for-another-reason");
}

TEST(SmbDeniedJudge, DoesNotPassOnARefusedConnectionOrSilence) {
  EXPECT_EQ(denied().judge(account(), Seen().step("connect", ECONNREFUSED).observation).reason, "connection-refused");
  EXPECT_EQ(denied().judge(account(), Seen().step("connect").hang("list").observation).reason, "no-answer");
  EXPECT_EQ(denied().judge(account(), Seen().step("connect").observation).reason, "list-not-reached");
}

TEST(SmbDeniedJudge, WantsTheUserToGetInWhereItIsAllowed) {
  auto with = account();
  with["allowed_share"] = "handbook";
  Seen good;
  good.step("connect").step("list allowed share").step("list", EACCES);
  EXPECT_EQ(denied().judge(with, good.observation).outcome, Outcome::pass);
  const auto broken = denied().judge(with, Seen().step("connect").step("list allowed share", EACCES).observation);
  EXPECT_EQ(broken.outcome, Outcome::fail);
  EXPECT_EQ(broken.reason, "list-allowed-share-failed");
}

TEST(SmbReadonlyJudge, PassesWhenReadingWorksAndWritingIsRefused) {
  const auto with_write = [](int saved_errno) {
    return readonly().judge(account(), Seen().step("connect").step("list").step("write", saved_errno).observation);
  };
  EXPECT_EQ(with_write(EACCES).outcome, Outcome::pass);
  EXPECT_EQ(with_write(EROFS).outcome, Outcome::pass);
  EXPECT_EQ(with_write(0).reason, "read-only-share-is-writable");
  EXPECT_EQ(with_write(ENOSPC).reason, "refused-for-another-reason");
  EXPECT_EQ(readonly().judge(account(), Seen().step("connect").step("list", EACCES).observation).reason, "list-failed");
}

TEST(SmbLoginRefusedJudge, PassesOnlyOnLackOfPermission) {
  const Json stranger{{"share", "projects"}, {"user", "alice"}};
  const Json nobody{{"share", "projects"}};
  const auto refused = Seen().step("connect").step("list", EPERM).observation;
  const auto in = Seen().step("connect").step("list").observation;
  EXPECT_EQ(login_refused().judge(stranger, refused).outcome, Outcome::pass);
  EXPECT_EQ(login_refused().judge(nobody, refused).outcome, Outcome::pass);
  EXPECT_EQ(login_refused().judge(stranger, in).reason, "wrong-password-accepted");
  EXPECT_EQ(login_refused().judge(nobody, in).reason, "anonymous-got-in");
  EXPECT_EQ(login_refused().judge(stranger, Seen().step("connect").step("list", ENOENT).observation).reason,
            "refused-for-another-reason");
  EXPECT_EQ(login_refused().judge(stranger, Seen().step("connect", ECONNREFUSED).observation).reason,
            "connection-refused");
}

TEST(SmbLoginRefused, TakesNoPassword) {
  std::vector<JsonProblem> problems;
  login_refused().validate({{"share", "projects"}, {"user", "alice"}, {"password", "x"}}, "/with", problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].pointer, "/with/password");
}

}  // namespace
}  // namespace patchlab::checks::smb

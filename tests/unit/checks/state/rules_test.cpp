// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/rules.hpp"

#include <gmock/gmock.h>

#include <set>

#include "checks/state/compare.hpp"
#include "checks/state/learnt.hpp"

namespace patchlab::checks::state {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;

FindingClass class_of(const char* kind, const char* item, const char* before, const char* after) {
  return classified({kind, item, before, after}).finding;
}

TEST(Rules, SayWhyInWordsThatFitIntoASentence) {
  for (const auto& rule : rules()) {
    const std::string why = rule.why;
    ASSERT_FALSE(why.empty()) << rule.kind << " " << rule.item;
    EXPECT_NE(why.back(), '.') << why;
    EXPECT_EQ(why.find('|'), std::string::npos) << "it stands in a table: " << why;
  }
}

// A row that an earlier one covers wholly can never be asked.
TEST(Rules, CanAllBeReached) {
  const auto covers = [](const char* wide, const char* narrow) {
    return std::string(wide) == "*" || std::string(wide) == narrow ||
           (std::string(wide) == "?*" && std::string(narrow) != "" && std::string(narrow) != "*");
  };
  const auto& all = rules();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t before = 0; before < i; ++before) {
      const auto& a = all[before];
      const auto& b = all[i];
      EXPECT_FALSE(covers(a.kind, b.kind) && covers(a.item, b.item) && covers(a.before, b.before) &&
                   covers(a.after, b.after) && covers(a.diff, b.diff))
          << a.kind << " " << a.item << " hides " << b.kind << " " << b.item;
    }
  }
}

TEST(Rules, LeaveTheClassToWhatTheyDoNotName) {
  EXPECT_EQ(rule_for({"listener", "tcp 0.0.0.0:4444 nc", "", "tcp 0.0.0.0:4444 nc"}), nullptr);
  EXPECT_EQ(class_of("listener", "tcp 0.0.0.0:4444 nc", "", "tcp 0.0.0.0:4444 nc"), FindingClass::breach);
  EXPECT_EQ(class_of("unheard-of", "x", "a", "b"), FindingClass::breach);
}

TEST(Rules, TakeTheFirstThatFits) {
  EXPECT_EQ(class_of("file", "/etc/motd", "file", "file"), FindingClass::review);
  EXPECT_EQ(class_of("file", "/etc/sudoers.d/x", "", "file"), FindingClass::breach);
  EXPECT_EQ(class_of("file", "/etc/sudoers.d/x", "file", ""), FindingClass::review) << "less is not more";
  EXPECT_EQ(class_of("file", "/usr/share/doc/x/NEWS", "file", "file"), FindingClass::notice);
  StateDifference sshd{"file", "/etc/ssh/sshd_config", "file", "file"};
  sshd.diff = "--- before\n+++ after\n@@ -1 +1 @@\n-PermitRootLogin no\n+PermitRootLogin yes\n";
  EXPECT_EQ(classified(sshd).finding, FindingClass::breach);
  EXPECT_EQ(classified(sshd).why, "root may log in");
  sshd.diff = "--- before\n+++ after\n@@ -1 +1 @@\n-#a\n+#b\n";
  EXPECT_EQ(classified(sshd).finding, FindingClass::review);
}

TEST(Rows, AreComparedByKindAndIdAndClassified) {
  HostState before;
  before.rows["sysctl"] = {{"net.ipv4.ip_forward", "0"}, {"vm.swappiness", "60"}};
  before.rows["module"] = {{"isofs", "loaded"}};
  auto after = before;
  EXPECT_THAT(compare(before, after), IsEmpty());
  after.rows["sysctl"] = {{"net.ipv4.ip_forward", "1"}, {"vm.swappiness", "10"}};
  after.rows.erase("module");
  const auto found = compare(before, after);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].kind, "module");
  EXPECT_EQ(found[0].finding, FindingClass::notice);
  EXPECT_EQ(found[1].item, "net.ipv4.ip_forward");
  EXPECT_EQ(found[1].finding, FindingClass::breach);
  EXPECT_EQ(found[1].why, "the machine forwards traffic of others");
  EXPECT_EQ(found[2].finding, FindingClass::review);
}

TEST(Rows, OfASourceThatIsGoneAreNotTakenForGone) {
  HostState before;
  before.rows["sysctl"] = {{"vm.swappiness", "60"}};
  HostState after;
  after.absent_sources["sysctl"] = "there is no sysctl";
  EXPECT_THAT(compare(before, after),
              ElementsAre(StateDifference{"fact", "source sysctl", "there", "there is no sysctl"}));
  EXPECT_THAT(compare(after, before), IsEmpty()) << "nothing was seen to compare with";
}

TEST(Learnt, NeverTellsOfWhatAMachineMayNotLose) {
  for (const auto* kind : {"service", "listener", "address", "fact", "installed", "effect", "boot", "rollback"})
    EXPECT_EQ(learnt_key({kind, "x", "running", "stopped"}), "") << kind;
  // A control in which a server, or a port with TLS, stood still teaches nobody that it may.
  EXPECT_EQ(learnt_key({"server", "bind", "answers", "does not answer: rndc did not end within 60 s"}), "");
  EXPECT_EQ(learnt_key({"tls-port", "25 (smtp)", "TLS", "does not answer"}), "");
  EXPECT_NE(learnt_key({"server", "bind", "does not answer: refused", "answers"}), "");
}

// What is learnt of a control stands in its record no more.
TEST(Learnt, LeavesInTheControlWhatEndsByItself) {
  EXPECT_EQ(learnt_key({"certificate-end", "25 (smtp)", "", "ends on 2027-03-04, within 30 days"}), "");
  EXPECT_NE(learnt_key({"tls-certificate", "25 (smtp)", "subject CN=a", "subject CN=b"}), "");
}

TEST(Learnt, KnowsTheSameChangeAgainAndNoOther) {
  const auto same = [](const StateDifference& a, const StateDifference& b) { return learnt_key(a) == learnt_key(b); };
  EXPECT_TRUE(same({"file", "/var/lib/x/wal.0001", "", "file 0600"}, {"file", "/var/lib/x/wal.2", "", "file 0644"}));
  EXPECT_FALSE(same({"file", "/var/lib/x/wal.1", "", "file"}, {"file", "/var/lib/x/wal.1", "file", ""}));
  EXPECT_FALSE(same({"file", "/etc/rc2.d/S01a", "", "link"}, {"file", "/etc/rc2.d/S02a", "", "link"}));
  EXPECT_TRUE(same({"sysctl", "fs.dentry-state", "1", "2"}, {"sysctl", "fs.dentry-state", "1", "7"}));
  EXPECT_FALSE(same({"account", "bob", "uid 1", "uid 2"}, {"account", "bob", "uid 1", "uid 0"}));
  EXPECT_FALSE(same({"set-uid", "/var/x", "", "4755"}, {"file", "/var/x", "", "4755"}));
}

}  // namespace
}  // namespace patchlab::checks::state

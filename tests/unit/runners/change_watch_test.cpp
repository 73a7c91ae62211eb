// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/change_watch.hpp"

#include <gmock/gmock.h>

#include "tests/support/quiet_guest.hpp"

namespace patchlab::runners::cell {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

// A guest of which only files are looked at.
class GuestOfFiles final : public lab::guest::QuietGuest {
 public:
  GuestView now;
  std::map<std::string, std::string> contents;  // digests and texts, by path
  std::string fails;                            // the call that gets no answer

  Result<std::optional<GuestView>> view(Look, const std::vector<std::string>&) override {
    if (fails == "view") return infrastructure_error("no answer");
    return std::optional(now);
  }
  std::optional<HostState> said = HostState{};
  int asked = 0;
  Result<std::optional<HostState>> servers() override {
    ++asked;
    if (fails == "servers") return infrastructure_error("no answer");
    return said;
  }
  Result<std::map<std::string, std::string>> digests(const std::vector<std::string>& paths) override {
    if (fails == "digests") return infrastructure_error("no answer");
    return of(paths);
  }
  Result<std::map<std::string, std::string>> texts(const std::vector<std::string>& paths) override {
    if (fails == "texts") return infrastructure_error("no answer");
    return of(paths);
  }

 private:
  [[nodiscard]] std::map<std::string, std::string> of(const std::vector<std::string>& paths) const {
    std::map<std::string, std::string> found;
    for (const auto& path : paths) {
      if (const auto known = contents.find(path); known != contents.end()) found.insert(*known);
    }
    return found;
  }
};

GuestFile file(const std::string& changed) { return {.kind = 'f', .mode = 0644, .bytes = 9, .changed = changed}; }

class ChangeWatchTest : public ::testing::Test {
 protected:
  ChangeWatchTest() {
    for (const auto* path : {"/etc/one.conf", "/etc/two.conf"}) {
      guest_.now.files[path] = file("before");
      guest_.now.digests[path] = guest_.now.texts[path] = "port 25\n";
    }
    EXPECT_TRUE(watch_.remember(guest_, ChangeWatch::Servers::asked));
    for (const auto* path : {"/etc/one.conf", "/etc/two.conf", "/etc/three.conf"}) {
      guest_.now.files[path] = file("after");
      guest_.contents[path] = "port 26\n";
    }
  }
  auto differences(ChangeWatch::Servers servers = ChangeWatch::Servers::asked) {
    return watch_.differences(guest_, {}, {}, {}, servers, {});
  }

  const ChangeWatch::Shipped shipped_;
  GuestOfFiles guest_;
  ChangeWatch watch_{shipped_};
};

TEST_F(ChangeWatchTest, ShowsEachChangedTextBeforeAndAfter) {
  const auto found = differences();
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(3));
  for (const auto& one : *found) {
    EXPECT_EQ(one.finding, checks::state::FindingClass::review) << one.item;
    EXPECT_THAT(one.diff, HasSubstr("+port 26")) << one.item;
    EXPECT_EQ(one.diff.find("-port 25") == std::string::npos, one.item == "/etc/three.conf") << "it is new";
  }
}

TEST_F(ChangeWatchTest, WhatIsNotAnsweredIsNeverNothing) {
  for (const auto* call : {"view", "digests", "texts", "servers"}) {
    guest_.fails = call;
    EXPECT_FALSE(differences()) << call;
  }
}

// In a guest where no file changed but those that the package brings.
class ServerWatch : public ::testing::Test {
 protected:
  using Servers = ChangeWatch::Servers;
  ServerWatch() {
    guest_.now.files["/etc/postfix/main.cf"] = file("before");
    guest_.said->rows = {{"server", {{"postfix", "answers"}}},
                         {"postfix-setting", {{"message_size_limit", "20480000"}}}};
  }
  std::vector<checks::state::StateDifference> after_change(Servers before, Servers after,
                                                           const std::string& candidate = {}) {
    EXPECT_TRUE(watch_.remember(guest_, before));
    guest_.said->rows["postfix-setting"]["message_size_limit"] = "10";
    auto found = watch_.differences(guest_, {candidate}, {}, learnt_, after, {});
    EXPECT_TRUE(found);
    return found ? *found : std::vector<checks::state::StateDifference>();
  }

  ChangeWatch::Shipped shipped_;
  std::set<std::string> learnt_;
  GuestOfFiles guest_;
  ChangeWatch watch_{shipped_};
};

TEST_F(ServerWatch, TellsWhatServersHaveInForce) {
  const auto found = after_change(Servers::asked, Servers::asked);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].item, "message_size_limit");
  EXPECT_EQ(found[0].finding, checks::state::FindingClass::review);
  EXPECT_EQ(guest_.asked, 2);
}

TEST_F(ServerWatch, AsksOnlyWhenItIsTold) {
  EXPECT_THAT(after_change(Servers::not_asked, Servers::asked), SizeIs(0));
  EXPECT_EQ(guest_.asked, 0);
  EXPECT_THAT(after_change(Servers::asked, Servers::not_asked), SizeIs(0));
  EXPECT_EQ(guest_.asked, 1);
}

TEST_F(ServerWatch, ServersThatCannotBeAskedAnyMoreAreAnError) {
  ASSERT_TRUE(watch_.remember(guest_, Servers::asked));
  guest_.said.reset();
  EXPECT_FALSE(watch_.differences(guest_, {}, {}, {}, Servers::asked, {}));
}

TEST_F(ServerWatch, SaysWhatDidNotAnswerAtTheBaseline) {
  guest_.said->rows["server"]["postfix"] = "does not answer: no";
  ASSERT_TRUE(watch_.remember(guest_, Servers::asked));
  EXPECT_EQ(watch_.unseen().at("postfix"), "does not answer: no");
}

TEST_F(ServerWatch, WhatTheControlShowedIsKnown) {
  const auto found = after_change(Servers::asked, Servers::asked);
  learnt_.insert("postfix-setting\nmessage_size_limit\n20480000\n10");
  EXPECT_THAT(watch_.differences(guest_, {}, {}, learnt_, Servers::asked, {}).value(), SizeIs(found.size() - 1));
}

TEST_F(ServerWatch, ConfigurationOfThePackageExplainsSettings) {
  ShippedFile brought{.kind = 'f', .mode = 0644, .sha256 = "new"};
  shipped_["c"] = {{"postfix", {{"/etc/postfix/main.cf", brought}}, {"/etc/postfix/main.cf"}}};
  EXPECT_TRUE(watch_.remember(guest_, Servers::asked));
  guest_.now.files["/etc/postfix/main.cf"] = file("after");
  guest_.contents["/etc/postfix/main.cf"] = "new";
  guest_.said->rows["postfix-setting"]["message_size_limit"] = "10";
  const auto found = watch_.differences(guest_, {"c"}, {}, {}, Servers::asked, {}).value();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].finding, checks::state::FindingClass::notice);
  // Another file beside it that nobody brought explains it as well: a person has to look.
  guest_.now.files["/etc/postfix/other.cf"] = file("after");
  for (const auto& one : watch_.differences(guest_, {"c"}, {}, {}, Servers::asked, {}).value())
    EXPECT_EQ(one.finding, checks::state::FindingClass::review) << one.kind;
  // What is a breach stays one.
  guest_.now.files.erase("/etc/postfix/other.cf");
  guest_.said->rows["postfix-setting"]["mynetworks"] = "0.0.0.0/0";
  const auto open = watch_.differences(guest_, {"c"}, {}, {}, Servers::asked, {}).value();
  EXPECT_TRUE(checks::state::has_failure(open));
}

TEST_F(ServerWatch, TellsWhichCertificatesEndSoon) {
  const auto ending = [](const char* day) {
    return fmt::format("subject CN=a, issuer CN=a, until {}, key SHA-256 00", day);
  };
  guest_.said->rows = {{"tls-certificate", {{"25 (smtp)", ending("2027-03-04")}, {"993 (tls)", "none"}}}};
  ASSERT_TRUE(watch_.remember(guest_, Servers::asked));
  using namespace std::chrono_literals;
  const auto on = [&](std::chrono::year_month_day day, int within, const std::set<std::string>& learnt = {}) {
    return watch_.differences(guest_, {}, {}, learnt, Servers::asked, {day, std::chrono::days(within)}).value();
  };
  const auto march = 2027y / std::chrono::March;
  EXPECT_THAT(on(march / 1, 2), SizeIs(0));
  EXPECT_THAT(on(march / 1, 0), SizeIs(0));
  const auto soon = on(march / 1, 3, {"certificate-end\n25 (smtp)\n\nends on 2027-03-04, within 3 days"});
  ASSERT_THAT(soon, SizeIs(1)) << "the control's own is no reason to be silent";
  EXPECT_EQ(soon[0].kind, "certificate-end");
  EXPECT_EQ(soon[0].after, "ends on 2027-03-04, within 3 days");
  EXPECT_EQ(soon[0].finding, checks::state::FindingClass::notice);
  EXPECT_EQ(on(march / 5, 3)[0].after, "ended on 2027-03-04");
  checks::state::Allowances allowed;
  allowed.findings = {{"certificate-end", ".*", "it is renewed by hand"}};
  EXPECT_THAT(watch_.differences(guest_, {}, allowed, {}, Servers::asked, {march / 5, std::chrono::days(3)}).value(),
              SizeIs(0));

  guest_.said->rows["tls-certificate"]["25 (smtp)"] = ending("2027-02-01");
  const auto sooner = on(march / 1, 0);
  ASSERT_THAT(sooner, SizeIs(1));
  EXPECT_EQ(sooner[0].finding, checks::state::FindingClass::review);
  EXPECT_THAT(sooner[0].why, HasSubstr("ends sooner"));
  guest_.said->rows["tls-certificate"]["25 (smtp)"] = ending("2028-02-01");
  EXPECT_THAT(on(march / 1, 0)[0].why, testing::Not(HasSubstr("ends sooner")));
  guest_.said->rows["tls-certificate"]["25 (smtp)"] =
      ending("2028-02-01") + "\n" + ending("2027-03-02") + "\n, until 2027-00-00, key SHA-256 \n, until 1";
  EXPECT_EQ(on(march / 1, 3).back().after, "ends on 2027-03-02, within 3 days") << "the first of those that are shown";
}

TEST(ServersAsked, AreThoseOfTheLastPhase) {
  TrialPolicy policy;
  policy.warm_reboots = 1;
  policy.stability = Milliseconds(0);
  EXPECT_EQ(servers_in("after-reboot-1", policy), ChangeWatch::Servers::not_asked) << "off";
  policy.server_state = true;
  EXPECT_EQ(servers_in("after-install", policy), ChangeWatch::Servers::not_asked);
  EXPECT_EQ(servers_in("after-reboot-1", policy), ChangeWatch::Servers::asked);
  policy.stability = std::chrono::seconds(1);
  EXPECT_EQ(servers_in("after-reboot-1", policy), ChangeWatch::Servers::not_asked);
  EXPECT_EQ(servers_in("stability", policy), ChangeWatch::Servers::asked);
}

// Said, and not compared; what can be compared still is.
TEST_F(ChangeWatchTest, WhatCouldNeverBeReadIsNotTested) {
  ChangeWatch watch(shipped_);
  guest_.now = {};
  guest_.now.unreadable["task"] = "the list ends within a task";
  guest_.now.state.rows["autostart"]["run: agent"] = "C:\\agent.exe";
  ASSERT_TRUE(watch.remember(guest_, ChangeWatch::Servers::not_asked));
  EXPECT_THAT(watch.unseen(), ElementsAre(Pair("task", "could not be read: the list ends within a task")));
  guest_.now.state.rows["autostart"]["run: more"] = "C:\\more.exe";
  auto found = watch.differences(guest_, {}, {}, {}, ChangeWatch::Servers::not_asked, {});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().item, "run: more");
  guest_.now.unreadable.clear();
  guest_.now.state.rows["task"]["\\x"] = "enabled";
  found = watch.differences(guest_, {}, {}, {}, ChangeWatch::Servers::not_asked, {});
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, SizeIs(1)) << "there is nothing to compare it with";
}

TEST_F(ChangeWatchTest, WhatCannotBeReadAnyMoreIsAnError) {
  guest_.now.unreadable["task"] = "no answer";
  const auto found = differences();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "what was there of kind 'task' cannot be read any more: no answer");
}

// What services that were stopped, and what was installed behind the set, leave in files is no patch's: the phase
// before them is the last that counts.
TEST(ChangesAreLookedFor, BehindTheInstallationAndInTheLastPhaseThatIsOfTheSetAlone) {
  TrialPolicy policy{.warm_reboots = 1, .cold_reboots = 0, .stability = std::chrono::seconds(20)};
  policy.service_cycles = 2;
  policy.next_package = true;
  policy.server_state = true;
  std::vector<std::string> watched;
  for (const auto& phase : planned_phases(policy)) {
    if (is_watched(phase, policy)) watched.push_back(phase);
    EXPECT_EQ(servers_in(phase, policy) == ChangeWatch::Servers::asked, phase == "stability") << phase;
  }
  EXPECT_THAT(watched, ElementsAre("after-install", "stability"));
}

}  // namespace
}  // namespace patchlab::runners::cell

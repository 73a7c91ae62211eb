// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "process/notify/deliver.hpp"
#include "process/notify/digest_mail.hpp"
#include "process/notify/failed_units.hpp"
#include "process/notify/signature.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/json_mistakes.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::process {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

const NotifyTime noon = NotifyTime(std::chrono::hours(500004));

News fact(std::string key, bool lasting = false, bool happened = false) {
  News one;
  one.subject = "finance/" + key;
  one.says = "it is so: " + key;
  one.key = std::move(key);
  one.lasting = lasting;
  one.happened = happened;
  return one;
}
Sight sight(const std::string& source, std::vector<News> facts) { return {source, std::move(facts), {}}; }
std::vector<std::string> ids(const std::vector<NewEvent>& events) {
  std::vector<std::string> all;
  for (const auto& one : events) all.push_back(one.id);
  return all;
}

TEST(NotifyEvents, AreTheSameWheneverTheSameIsSeen) {
  Remembered remembered;
  const std::vector<Sight> sights{sight("runs", {fact("a"), fact("b"), fact("a")})};
  const auto first = ids(events_of(sights, remembered, noon));
  EXPECT_THAT(first, SizeIs(2)) << "the same fact twice is one event";
  EXPECT_EQ(ids(events_of(sights, remembered, noon + 24h)), first);
  auto other = fact("a");
  other.kind = EventKind::verdict_ready;
  const std::vector<Sight> kinds{sight("runs", {other})};
  EXPECT_THAT(ids(events_of(kinds, remembered, noon)), Not(::testing::Contains(first.front())));
}

TEST(NotifyEvents, OfWhatComesBackAreNewOnes) {
  Remembered remembered;
  const std::vector<Sight> there{sight("disk", {fact("full", true)})}, gone{sight("disk", {})};
  const auto at = [&](const std::vector<Sight>& sights, std::chrono::hours hour) {
    return ids(events_of(sights, remembered, noon + hour));
  };
  const auto first = at(there, 0h);
  EXPECT_EQ(at(there, 90h), first) << "it lasts";
  EXPECT_THAT(at(gone, 91h), IsEmpty());
  EXPECT_EQ(at(there, 93h), first) << "it went for two hours: the same trouble";
  EXPECT_THAT(at(gone, 94h), IsEmpty());
  EXPECT_THAT(at(gone, 100h), IsEmpty());
  EXPECT_THAT(remembered.episodes, IsEmpty());
  EXPECT_NE(at(there, 101h), first) << "it was well for six hours: another time";
}

TEST(NotifyEvents, OfWhatCouldNotBeLookedAtHaveNotEnded) {
  Remembered remembered;
  const std::vector<Sight> there{sight("disk", {fact("full", true)})};
  const auto first = ids(events_of(there, remembered, noon));
  const std::vector<Sight> unknown{{"disk", {}, {"nobody answers"}}};
  for (int hour = 1; hour < 20; ++hour) (void)events_of(unknown, remembered, noon + std::chrono::hours(hour));
  (void)events_of({sight("feeds", {})}, remembered, noon + 30h);
  EXPECT_EQ(ids(events_of(there, remembered, noon + 40h)), first);
}

TEST(NotifyEvents, OfBeforeTheFirstLookAreKnownUnlessTheyAreStillSo) {
  Remembered remembered;
  const std::vector<Sight> first{sight("runs", {fact("verdict", false, true), fact("approval")})};
  auto events = events_of(first, remembered, noon);
  EXPECT_TRUE(events.at(0).known_before);
  EXPECT_FALSE(events.at(1).known_before);
  const std::vector<Sight> later{sight("runs", {fact("another", false, true)}),
                                 sight("scan", {fact("patch", false, true)})};
  events = events_of(later, remembered, noon + 1h);
  EXPECT_FALSE(events.at(0).known_before);
  EXPECT_TRUE(events.at(1).known_before) << "a source that is looked at for the first time";
  Remembered broken;
  const std::vector<Sight> nothing{{"runs", {}, {"it is not there"}}};
  (void)events_of(nothing, broken, noon);
  EXPECT_TRUE(events_of(first, broken, noon).at(0).known_before) << "a look that saw nothing was none";
}

// Where nothing was to be seen, nothing was there before.
TEST(NotifyEvents, OfASourceThatWasNotThereAreAllNew) {
  Remembered remembered;
  Sight absent{"runs", {}, {"there is no folder of runs"}};
  absent.is_absent = true;
  const std::vector<Sight> nothing{absent};
  EXPECT_THAT(events_of(nothing, remembered, noon), IsEmpty());
  const std::vector<Sight> breach{sight("runs", {fact("breach", false, true)})};
  const auto events = events_of(breach, remembered, noon + 12h);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_FALSE(events[0].known_before);
}

// As when the only run that there is is damaged.
TEST(NotifyEvents, OfWhatComesAfterALookAtWhatCouldNotBeReadAreNew) {
  Remembered remembered;
  Sight damaged{"runs", {}, {"run r1: it is cut off"}};
  damaged.newest = "r1";
  const std::vector<Sight> first{damaged};
  EXPECT_THAT(events_of(first, remembered, noon), IsEmpty());
  damaged.newest = "r2";
  damaged.facts = {fact("breach", false, true)};
  damaged.facts[0].origin = "r2";
  const std::vector<Sight> second{damaged};
  EXPECT_FALSE(events_of(second, remembered, noon + 1h).at(0).known_before);
}

// That more of what was there is looked at makes it no news.
TEST(NotifyEvents, OfWhatWasPassedOverAtTheFirstLookAreKnown) {
  Remembered remembered;
  const auto run = [](const std::string& id) {
    auto one = fact(id, false, true);
    one.origin = id;
    return one;
  };
  std::vector<Sight> looks{sight("runs", {run("r3"), run("r4")})};
  looks[0].newest = "r4";
  looks[0].oldest = "r3";
  (void)events_of(looks, remembered, noon);
  looks[0] = sight("runs", {run("r1"), run("r3"), run("r5")});
  looks[0].newest = "r5";
  const auto events = events_of(looks, remembered, noon + 1h);
  EXPECT_TRUE(events.at(0).known_before);
  EXPECT_FALSE(events.at(2).known_before);
  EXPECT_EQ(remembered.looked_first.at("runs").newest, "r5");
  EXPECT_EQ(remembered.looked_first.at("runs").oldest, "r3");
}

// A long run ends behind shorter ones that began later.
TEST(NotifyEvents, OfWhatHadNotComeAboutAtTheFirstLookAreNew) {
  Remembered remembered;
  const auto run = [](const std::string& id) {
    auto one = fact(id, false, true);
    one.origin = id;
    return one;
  };
  std::vector<Sight> looks{sight("runs", {run("r4")})};
  looks[0].newest = looks[0].oldest = "r4";
  looks[0].open = {"r2"};
  (void)events_of(looks, remembered, noon);
  looks[0].facts = {run("r1"), run("r2")};
  looks[0].open = {};
  const auto events = events_of(looks, remembered, noon + 1h);
  EXPECT_TRUE(events.at(0).known_before);
  EXPECT_FALSE(events.at(1).known_before);
  EXPECT_THAT(remembered.looked_first.at("runs").open, IsEmpty());
}

TEST(FailedUnits, AreWrittenDownOnceAndReadByWhoHasTheLock) {
  const test::TemporaryFolder folder;
  const auto outbox = folder.path() / "outbox";
  EXPECT_THAT(written_down(outbox)->units, IsEmpty());
  const FailedUnit unit{"x.service", "0123", "exit-code, exited 7"};
  for (int times = 0; times < 2; ++times) ASSERT_TRUE(write_down(outbox, unit));
  ASSERT_TRUE(write_down(outbox, {"x.service", "4567", ""}));
  auto found = written_down(outbox).value();
  EXPECT_THAT(found.units, UnorderedElementsAre(unit, FailedUnit{"x.service", "4567", ""}));
  EXPECT_THAT(found.broken, IsEmpty());
  folder.write(outbox / "units/half.json.tmp-1", "{");
  folder.write(found.files.at(0), "{");
  found = written_down(outbox).value();
  EXPECT_THAT(found.units, SizeIs(1));
  EXPECT_THAT(found.files, SizeIs(1));
  EXPECT_THAT(found.broken, SizeIs(1)) << "and it stays where it is";
}

TEST(NotifyEvents, OfWhatIsDecidedAreNewAsSoonAsItIsSoAgain) {
  Remembered remembered;
  auto wanted = fact("approval", true);
  wanted.away = 0h;
  const std::vector<Sight> there{sight("queue", {wanted})}, approved{sight("queue", {})};
  const auto first = ids(events_of(there, remembered, noon));
  EXPECT_EQ(ids(events_of(there, remembered, noon + 10min)), first);
  (void)events_of(approved, remembered, noon + 20min);
  const auto withdrawn = ids(events_of(there, remembered, noon + 30min));
  EXPECT_NE(withdrawn, first);
  EXPECT_EQ(ids(events_of(there, remembered, noon + 40min)), withdrawn);
  (void)events_of(approved, remembered, noon + 50min);
  EXPECT_NE(ids(events_of(there, remembered, noon - 5h)), withdrawn) << "also by a clock that was set back";
}

TEST(NotifyEvents, OfMoreMachinesOrAnEarlierDayAreNew) {
  Remembered remembered;
  const auto at = [&](std::set<std::string> machines, const std::string& due, std::chrono::hours hour,
                      bool is_partial = false) {
    auto patch = fact("patch", true, true);
    patch.away = 0h;
    patch.members = std::move(machines);
    patch.due = due;
    std::vector<Sight> looks{sight("scan", {patch})};
    looks[0].is_partial = is_partial;
    return ids(events_of(looks, remembered, noon + hour)).at(0);
  };
  const auto first = at({"dns1", "dns2"}, "2026-12-05", 0h);
  EXPECT_EQ(at({"dns1", "dns2"}, "2026-12-05", 1h), first);
  EXPECT_EQ(at({"dns1"}, "2026-12-06", 2h), first) << "fewer, and later, is no news";
  const auto again = at({"dns1", "dns2"}, "2026-12-06", 3h);
  EXPECT_NE(again, first) << "dns2 had it";
  const auto sooner = at({"dns1", "dns2"}, "2026-12-01", 4h);
  EXPECT_NE(sooner, again);
  EXPECT_EQ(at({"dns1"}, "", 5h, true), sooner) << "nobody knows of dns2";
  EXPECT_EQ(at({"dns1", "dns2"}, "2026-12-01", 6h), sooner) << "of dns2 nobody had said that it has it";
  const std::vector<Sight> unseen{sight("scan", {})};
  auto partial = unseen;
  partial[0].is_partial = true;
  (void)events_of(partial, remembered, noon + 7h);
  EXPECT_EQ(at({"dns1", "dns2"}, "2026-12-01", 8h), sooner) << "a scan that does not know everything ends nothing";
  (void)events_of(unseen, remembered, noon + 9h);
  EXPECT_NE(at({"dns1", "dns2"}, "2026-12-01", 10h), sooner) << "it was installed, and is missing again";
}

TEST(NotifyEvents, EndInSpiteOfAClockThatWasWrong) {
  Remembered remembered;
  const std::vector<Sight> there{sight("disk", {fact("full", true)})}, gone{sight("disk", {})};
  (void)events_of(there, remembered, noon);
  (void)events_of(gone, remembered, noon + std::chrono::hours(100000));
  for (int hour = 1; hour < 9; ++hour) (void)events_of(gone, remembered, noon + std::chrono::hours(hour));
  EXPECT_THAT(remembered.episodes, IsEmpty());
}

TEST(NotifyEvents, AreCloudEvents) {
  auto one = fact("a");
  one.data = {{"run", "r"}};
  const auto event = cloud_event(one, std::string(64, 'a'), "/xavier.example/lab1", noon);
  EXPECT_EQ(event.at("specversion"), "1.0");
  EXPECT_EQ(event.at("type"), "patchlab.lab-broken.v1");
  EXPECT_EQ(event.at("data").at("says"), "it is so: a");
  const auto schema = read_json_file(fs::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/notified.schema.json").value();
  const Json answer{{"schema", "patchlab/notified/v1"},
                    {"dry_run", false},
                    {"events", {{{"event", event}, {"receivers", {"siem"}}}}},
                    {"known_before", 0},
                    {"receivers", Json::array()},
                    {"trouble", Json::array()}};
  EXPECT_THAT(tests::SchemaValidator(schema).problems(answer), IsEmpty());
  one.says = "not \xff UTF-8";
  EXPECT_THAT(event_bytes(cloud_event(one, "x", "/l", noon)), HasSubstr("\xef\xbf\xbd"));
}

// --- configuration
const char* const whole = R"({
  "schema": "patchlab/notify/v1", "source": "/xavier.example/lab1", "outbox": "outbox",
  "look_at": {"stage": "production", "runs": "runs", "lab_cache": "cache", "newest_runs": 7, "feeds": "feeds",
    "feeds_max_age_days": 3, "scan": "scan.json", "scan_max_age_days": 16, "calendar": "windows.ics", "schedule": "/etc/systemd/system",
    "reported_within_h": 12, "night": false, "warning_h": 5, "critical_h": 30, "free_gib": 9},
  "receivers": [
    {"name": "siem", "kind": "webhook", "url": "https://siem.example.org:8443/in?x=1", "secret_file": "siem.secret",
     "ca_file": "ca.pem", "proxy": "http://proxy.example.org:3128", "timeout_s": 3, "events": ["lab-broken"]},
    {"name": "people", "kind": "mail", "server": "mail.example.org", "port": 2525, "security": "starttls",
     "ca_file": "ca.pem", "user": "lab", "password_file": "mail.secret", "from": "lab@example.org",
     "to": ["qa@example.org", "ops@example.org"], "digest_minutes": 30, "timeout_s": 4,
     "events": ["approval-wanted", "verdict-ready"]}],
  "retry": {"first_s": 10, "most_s": 100}, "round_s": 50})";

Result<NotifyConfig> parsed(const Json& json) { return parse_notify_config(json.dump(), "/etc/patchlab/notify.json"); }

TEST(NotifyConfig, IsReadAsItIsWritten) {
  const auto config = parse_notify_config(whole, "/etc/patchlab/notify.json").value();
  EXPECT_EQ(config.outbox, "/etc/patchlab/outbox");
  EXPECT_EQ(config.look_at.stage, "/etc/patchlab/production");
  EXPECT_EQ(config.look_at.newest_runs, 7);
  EXPECT_FALSE(config.look_at.night);
  EXPECT_EQ(config.look_at.reported_within, 12h);
  EXPECT_EQ(config.look_at.free_gib, 9);
  ASSERT_THAT(config.receivers, SizeIs(2));
  const auto& hook = std::get<Webhook>(config.receivers[0].how);
  EXPECT_EQ(hook.secret, "/etc/patchlab/siem.secret");
  EXPECT_EQ(config.receivers[0].patience, 3s);
  EXPECT_TRUE(config.receivers[0].wants(EventKind::lab_broken));
  EXPECT_FALSE(config.receivers[0].wants(EventKind::verdict_ready));
  const auto& box = std::get<Mailbox>(config.receivers[1].how);
  EXPECT_EQ(box.port, 2525);
  EXPECT_THAT(box.to, ElementsAre("qa@example.org", "ops@example.org"));
  EXPECT_EQ(box.digest, 30min);
  EXPECT_EQ(config.most_delay, 100s);
}

TEST(NotifyConfig, NamesEverythingThatIsWrongAtItsPlace) {
  const auto says = [](const std::string& pointer, const Json& value, const std::string& text) {
    auto json = Json::parse(whole);
    json[Json::json_pointer(pointer)] = value;
    const auto config = parsed(json);
    ASSERT_FALSE(config) << pointer << " = " << value;
    EXPECT_THAT(config.error().message, HasSubstr("/etc/patchlab/notify.json: ")) << pointer;
    EXPECT_THAT(config.error().message, HasSubstr(text)) << pointer;
  };
  says("/recievers", 1, "recievers");
  says("/receivers/0/secret", "x", "/receivers/0");
  says("/receivers/0/url", "http://user:word@siem.example.org/",
       "/receivers/0/url: must not hold a user or a password");
  says("/receivers/0/url", "ftp://siem.example.org/", "must begin with https:// or http://");
  says("/receivers/0/url", "https://siem.example.org/a b", "without blanks");
  says("/receivers/0/url", "https:///in", "has no host");
  says("/receivers/0/url", "https://siem.example.org/#x", "fragment");
  says("/receivers/0/events", {"verdict"}, "/receivers/0/events/0: 'verdict' is no event; there are: lab-broken");
  says("/receivers/0/kind", "pager", "/receivers/0/kind: must be \"webhook\" or \"mail\"");
  says("/receivers/1/name", "siem", "/receivers/1/name: 'siem' is a receiver already");
  says("/receivers/1/security", "none", "everybody on the way could read the password");
  says("/receivers/1/from", "lab@example.org\nBcc: all@example.org", "is no address");
  says("/receivers/1/to/1", "ops@example.org, more@example.org", "/receivers/1/to/1");
  says("/retry/most_s", 5, "is less than first_s");
  says("/look_at/critical_h", 2, "is less than warning_h");
  auto json = Json::parse(whole);
  json["look_at"].erase("stage");
  EXPECT_THAT(parsed(json).error().message, HasSubstr("/look_at/calendar: needs \"stage\""));
  json = Json::parse(whole);
  json["receivers"][1].erase("user");
  EXPECT_THAT(parsed(json).error().message, HasSubstr("are given together"));
}

// What the schema refuses is refused, and the other way round, but for what a schema cannot say.
TEST(NotifyConfig, IsReadAsItsSchemaSays) {
  const auto schema = read_json_file(fs::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/notify.schema.json").value();
  const auto json = Json::parse(whole);
  tests::SchemaValidator validator(schema);
  EXPECT_THAT(validator.problems(json), IsEmpty());
  std::map<std::string, std::string> places;
  tests::collect_places(
      json, "", "", [](const std::string&) { return false; }, places);
  std::size_t tried = 0;
  for (const auto& [sort, at] : places) {
    tests::with_each_mistake(json, at, [&](const Json& wrong, const std::string& what) {
      ++tried;
      const auto config = parsed(wrong);
      const auto problems = validator.problems(wrong);
      const bool is_beyond_schemas =
          !config && (config.error().message.find("is less than") != std::string::npos ||
                      config.error().message.find("is a receiver already") != std::string::npos);
      if (!is_beyond_schemas)
        EXPECT_EQ(config.has_value(), problems.empty()) << what << "\n" << (config ? "" : config.error().message);
    });
  }
  EXPECT_GT(tried, 150U);
}

TEST(NotifySecret, IsOfItsOwnerAlone) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("s", "whsec_abc\n");
  ::chmod(file.c_str(), 0600);
  EXPECT_EQ(read_secret(file).value(), "whsec_abc");
  for (const unsigned mode : {0640U, 0604U, 0660U, 0622U}) {
    ::chmod(file.c_str(), mode);
    const auto refused = read_secret(file);
    ASSERT_FALSE(refused) << mode;
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr("others than its owner"), Not(HasSubstr("whsec"))));
  }
  ::chmod(file.c_str(), 0600);
  ASSERT_TRUE(write_file_atomically(file, "two\nlines", 0600));
  EXPECT_FALSE(read_secret(file));
  ASSERT_TRUE(write_file_atomically(file, "\n", 0600));
  EXPECT_FALSE(read_secret(file));
  EXPECT_FALSE(read_secret(folder.path() / "none"));
}

// --- signature
// The example of the reference implementation of Standard Webhooks.
TEST(WebhookSignature, IsThatOfStandardWebhooks) {
  const auto key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  EXPECT_EQ(webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, TakesNoWeakKey) {
  for (const char* secret : {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!!!!"}) {
    const auto key = webhook_key(secret);
    ASSERT_FALSE(key) << secret;
    EXPECT_THAT(key.error().hint, HasSubstr("openssl rand"));
  }
}

// --- mail
Mailbox mailbox() {
  Mailbox box;
  box.server = "mail.example.org";
  box.from = "lab@example.org";
  box.to = {"qa@example.org", "ops@example.org"};
  return box;
}

TEST(DigestMail, StandsByItself) {
  auto verdict = fact("run-1");
  verdict.kind = EventKind::verdict_ready;
  verdict.says = "finance: fail: 3 of 4 candidates passed in run run-1; failed: bad-mail";
  auto approval = fact("run-1");
  approval.kind = EventKind::approval_wanted;
  approval.data = {{"command", "patchlab approve run-1 --department finance"}};
  const std::vector<Json> events{cloud_event(verdict, "id-1", "/lab1", noon),
                                 cloud_event(approval, "id-2", "/lab1", noon)};
  const auto mail = digest_mail(events, mailbox(), "/lab1", noon);
  EXPECT_THAT(mail, AllOf(HasSubstr("\r\nTo: qa@example.org,\r\n ops@example.org\r\n"),
                          HasSubstr("\r\nSubject: patchlab /lab1: 1 approval wanted, 1 verdict\r\n"),
                          HasSubstr("\r\nAuto-Submitted: auto-generated\r\n")));
  EXPECT_THAT(mail, AllOf(HasSubstr("Verdicts"), HasSubstr("- finance: fail: 3 of 4 candidates passed in run run-1"),
                          HasSubstr("patchlab approve run-1 --department finance")));
  EXPECT_LT(mail.find("Approvals that are wanted"), mail.find("Verdicts")) << "what somebody has to do comes first";
  EXPECT_EQ(digest_mail(events, mailbox(), "/lab1", noon), mail);
  EXPECT_EQ(digest_title({events[0], events[0]}), "2 verdicts");
}

// Whatever others chose, the mail has the headers that it always has, and nothing ends it.
TEST(DigestMail, HasNoHeaderThatOthersChose) {
  const auto headers_of = [](const std::string& mail) {
    const auto end = mail.find("\r\n\r\n");
    std::vector<std::string> names;
    const auto head = mail.substr(0, end);
    for (const auto line : split(head, '\n')) {
      if (!line.starts_with(" ")) names.emplace_back(line.substr(0, line.find(':')));
    }
    return names;
  };
  const auto clean = headers_of(digest_mail({cloud_event(fact("a"), "i", "/l", noon)}, mailbox(), "/l", noon));
  EXPECT_THAT(clean, SizeIs(9));
  for (const char* poison :
       {"x\r\nBcc: all@example.org", "x\nBcc: all@example.org\n\nbody", "x\r\n.\r\nMAIL FROM:<e@x>", "\r\n\r\n", ".",
        "=?UTF-8?Q?=0D=0ABcc:_a@b?=", "\xe2\x80\xa8 Bcc: all@example.org", "\x1b[2J"}) {
    auto bad = fact(poison);
    bad.says = poison;
    bad.data = {{"command", poison}};
    const auto event = cloud_event(bad, poison, poison, noon);
    const auto mail = digest_mail({event}, mailbox(), poison, noon);
    EXPECT_EQ(headers_of(mail), clean) << poison;
    EXPECT_THAT(mail, Not(HasSubstr("\nBcc:"))) << poison;
    EXPECT_THAT(mail, Not(HasSubstr("\r\n."))) << poison;
    for (const auto line : split(mail, '\n')) EXPECT_LE(line.size(), 79U) << poison;
  }
}

// --- outbox
class OutboxTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path folder() const { return temporary_.path() / "outbox"; }
  [[nodiscard]] Outbox open() const { return Outbox::open(folder(), FileLock::at_once()).value(); }
  static std::string id(char letter) { return std::string(64, letter); }
  static Json event(char letter) { return cloud_event(fact(std::string(1, letter)), id(letter), "/lab1", noon); }
  std::vector<fs::path> files(const char* inside) const { return entries_of(folder() / inside).value(); }

  const test::TemporaryFolder temporary_;
};

TEST_F(OutboxTest, KeepsEventsInOrderUntilTheyAreTaken) {
  {
    auto outbox = open();
    for (const char letter : {'c', 'a', 'b'}) ASSERT_TRUE(outbox.add(id(letter), event(letter), {"x", "y"}));
    ASSERT_TRUE(outbox.add(id('d'), event('d'), {}));
  }
  auto outbox = open();
  ASSERT_THAT(outbox.waiting(), SizeIs(3));
  EXPECT_EQ(outbox.waiting().at(0).id, id('c'));
  EXPECT_EQ(outbox.waiting().at(2).event, event('b'));
  EXPECT_TRUE(outbox.knows(id('d'))) << "nobody wanted it, and nobody is asked again";
  auto& entry = outbox.waiting().at(0);
  entry.waits_for.erase("x");
  entry.delivered["x"] = "2026-11-28T09:00:00.000Z";
  ASSERT_TRUE(outbox.keep(entry));
  EXPECT_THAT(files("waiting"), SizeIs(3));
  entry.waits_for.clear();
  ASSERT_TRUE(outbox.keep(entry));
  outbox.tidy();
  EXPECT_THAT(outbox.waiting(), SizeIs(2));
  EXPECT_THAT(files("waiting"), SizeIs(2));
  EXPECT_THAT(files("told"), SizeIs(2));
  EXPECT_TRUE(Outbox::look(folder())->knows(id('c')));
  struct stat info {};
  ASSERT_EQ(::stat(files("waiting").at(0).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077U, 0U);
}

TEST_F(OutboxTest, IsOfOneProcessAtATime) {
  const auto outbox = open();
  EXPECT_FALSE(Outbox::open(folder(), FileLock::at_once()));
  EXPECT_TRUE(Outbox::look(folder()));
}

TEST_F(OutboxTest, TakesNothingForAnEventThatAKilledProcessLeft) {
  {
    auto outbox = open();
    ASSERT_TRUE(outbox.add(id('a'), event('a'), {"x"}));
  }
  const auto whole_file = files("waiting").at(0);
  fs::copy_file(whole_file, folder() / "told" / whole_file.filename());
  auto half = whole_file;
  half += ".tmp-71-0";
  ASSERT_TRUE(write_file_atomically(half, "{"));
  const auto outbox = open();
  EXPECT_THAT(outbox.waiting(), IsEmpty()) << "it was told, and not taken away yet";
  EXPECT_THAT(files("waiting"), IsEmpty());
  EXPECT_TRUE(outbox.knows(id('a')));
}

TEST_F(OutboxTest, SaysWhatItCannotReadAndGoesOn) {
  {
    auto outbox = open();
    for (const char letter : {'a', 'b'}) ASSERT_TRUE(outbox.add(id(letter), event(letter), {"x"}));
  }
  const auto file = files("waiting").at(0);
  for (const char* text :
       {"{", "{}",
        R"({"schema": "patchlab/outbox-entry/v1", "event": {"id": "b"}, "waits_for": {}, "delivered": {}})"}) {
    ASSERT_TRUE(write_file_atomically(file, text));
    const auto outbox = open();
    ASSERT_THAT(outbox.broken(), SizeIs(1)) << text;
    EXPECT_THAT(outbox.broken().at(0), HasSubstr(file.filename().string()));
    EXPECT_THAT(outbox.waiting(), SizeIs(1));
    EXPECT_TRUE(outbox.knows(id('a'))) << "it is not told as if it were new";
  }
}

// What it told and what waits is not in its state: without one it goes on, and knows that it is not the first time.
TEST_F(OutboxTest, SaysWhatToDoAboutAStateThatIsDamaged) {
  EXPECT_FALSE(open().has_lost_state());
  {
    auto outbox = open();
    ASSERT_TRUE(outbox.save());
    ASSERT_TRUE(outbox.add(id('a'), event('a'), {"x"}));
  }
  const auto file = folder() / "state.json";
  for (const char* text : {"", "{", "{\"schema\": 1}"}) {
    ASSERT_TRUE(write_file_atomically(file, text));
    const auto damaged = Outbox::open(folder(), FileLock::at_once());
    ASSERT_FALSE(damaged) << text;
    EXPECT_THAT(damaged.error().message, HasSubstr(file.string())) << text;
    EXPECT_THAT(damaged.error().hint, HasSubstr("move '" + file.string() + "' away")) << text;
    EXPECT_EQ(read_file(file).value(), text) << "it is left as it is";
  }
  fs::remove(file);
  auto outbox = open();
  EXPECT_TRUE(outbox.has_lost_state());
  EXPECT_TRUE(outbox.knows(id('a')));
  ASSERT_TRUE(outbox.save());
  EXPECT_TRUE(is_file(file));
  EXPECT_FALSE(outbox.has_lost_state());
}

TEST_F(OutboxTest, TakesAwayWhatAKilledProcessLeftHalfWritten) {
  ASSERT_TRUE(open().save());
  const auto half = folder() / "state.json.tmp-71-0", mine = folder() / "notes.txt";
  for (const auto& file : {half, mine}) ASSERT_TRUE(write_file_atomically(file, "{"));
  ASSERT_TRUE(Outbox::look(folder()));
  EXPECT_TRUE(is_there(half)) << "without the lock somebody may be writing it";
  (void)open();
  EXPECT_FALSE(is_there(half));
  EXPECT_TRUE(is_there(mine));
}

TEST_F(OutboxTest, RemembersItsStateToTheLetter) {
  OutboxState state;
  state.remembered.episodes["lab-broken disk"] = {"disk", noon, noon + 1h};
  state.remembered.episodes["lab-broken x"] = {"night", noon, std::nullopt};
  state.remembered.episodes["patch-available y"] = {"scan", noon, std::nullopt, 0h, {"dns1", "dns2"}, "2026-12-05"};
  state.remembered.looked_first["runs"] = {
      noon, "20261128-220002-1a2b", "20261129-220002-1a2b", {"20261127-220002-1a2b"}};
  state.receivers["siem"] = {3, noon + 2h, "it answers 500", std::nullopt, std::nullopt};
  state.receivers["people"] = {0,
                               std::nullopt,
                               "",
                               noon,
                               ReceiverState::Digest{noon, {id('a')}, true, "12 verdicts", {"qa@example.org"}},
                               {{"ops@example.org", "550 nobody"}},
                               7};
  EXPECT_EQ(outbox_state_from_json(Json(state), "state.json").value(), state);
  const auto before = Json::parse(R"({"schema": "patchlab/outbox-state/v1", "looked_first": {"runs": {"at": null}},
    "episodes": {"lab-broken disk": {"source": "disk", "since": "2026-11-28T09:00:00Z", "gone": null}},
    "receivers": {"siem": {"failures": 0, "not_before": null, "why": "", "last": null}}})");
  auto without = before;
  without["looked_first"]["runs"]["at"] = "2026-11-28T09:00:00Z";
  EXPECT_TRUE(outbox_state_from_json(without, "state.json")) << "as it was written before there was more of it";
  EXPECT_FALSE(outbox_state_from_json(before, "state.json"));
  for (const char* pointer : {"/episodes/lab-broken disk/since", "/receivers/siem/failures",
                              "/receivers/people/digest/date", "/looked_first/runs/at"}) {
    auto json = Json(state);
    json[Json::json_pointer(pointer)] = "yesterday";
    EXPECT_FALSE(outbox_state_from_json(json, "state.json")) << pointer;
  }
}

// --- delivery
struct FakeSender : Sender {
  Sent post(const HttpPost& one) override {
    posts.push_back(one);
    return answer ? answer(one) : Sent{Sent::Kind::delivered, {}, {}};
  }
  Sent mail(const MailPost& one) override {
    mails.push_back(one);
    return answer_mail ? answer_mail(one) : on_mail;
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const auto& one : posts) all.push_back(Json::parse(one.body).at("id"));
    return all;
  }
  std::vector<HttpPost> posts;
  std::vector<MailPost> mails;
  std::function<Sent(const HttpPost&)> answer;
  Sent on_mail{Sent::Kind::delivered, {}, {}};
  std::function<Sent(const MailPost&)> answer_mail;
};

class Delivery : public OutboxTest {
 protected:
  Delivery() {
    config_.source = "/lab1";
    const auto secret = temporary_.write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    ::chmod(secret.c_str(), 0600);
    config_.receivers.push_back({"siem", Webhook{"https://siem.example.org/in", secret, {}, {}}, {}, 20s});
    config_.receivers.push_back({"people", mailbox(), {}, 20s});
    config_.most_delay = 600s;
  }
  void add(std::initializer_list<char> letters, const std::set<std::string>& receivers) const {
    auto outbox = open();
    for (const char letter : letters) ASSERT_TRUE(outbox.add(id(letter), event(letter), receivers));
  }
  std::vector<Round> round() {
    auto outbox = open();
    return deliver(config_, outbox, sender_, clock_).value();
  }
  [[nodiscard]] std::size_t waiting() const { return Outbox::look(folder())->waiting().size(); }

  NotifyConfig config_;
  FakeSender sender_;
  test::FakeClock clock_;
};
const Sent dead{Sent::Kind::failed, "connection refused", {}};

TEST_F(Delivery, IsInOrderAndOnce) {
  add({'b', 'a', 'c'}, {"siem"});
  auto rounds = round();
  EXPECT_THAT(sender_.ids(), ElementsAre(id('b'), id('a'), id('c')));
  EXPECT_EQ(rounds.at(0).delivered, 3U);
  EXPECT_EQ(rounds.at(0).waits, 0U);
  round();
  EXPECT_THAT(sender_.posts, SizeIs(3));
  const auto& post = sender_.posts.at(0);
  const std::map<std::string, std::string> headers(post.headers.begin(), post.headers.end());
  EXPECT_EQ(headers.at("Content-Type"), "application/cloudevents+json; charset=UTF-8");
  EXPECT_EQ(headers.at("webhook-id"), id('b'));
  EXPECT_EQ(headers.at("webhook-timestamp"), "1795327200");
  EXPECT_EQ(
      headers.at("webhook-signature"),
      webhook_signature(webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value(), id('b'), 1795327200, post.body));
}

TEST_F(Delivery, LeavesADeadReceiverAloneForLongerEachTimeAndLosesNothing) {
  add({'a', 'b'}, {"siem"});
  sender_.answer = [](const HttpPost&) { return dead; };
  std::vector<std::chrono::seconds> waits;
  for (int tries = 0; tries < 7; ++tries) {
    const auto before = sender_.posts.size();
    const auto one = round().at(0);
    ASSERT_EQ(sender_.posts.size(), before + 1) << "behind one that fails none is tried";
    EXPECT_EQ(one.waits, 2U);
    EXPECT_EQ(one.why, "connection refused");
    waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(*one.next - clock_.wall()));
    clock_.advance(waits.back() - 1s);
    round();
    EXPECT_EQ(sender_.posts.size(), before + 1) << "not before its time";
    clock_.advance(1s);
  }
  EXPECT_THAT(waits, ElementsAre(60s, 120s, 240s, 480s, 600s, 600s, 600s));
  sender_.posts.clear();
  sender_.answer = nullptr;
  EXPECT_EQ(round().at(0).delivered, 2U);
  EXPECT_THAT(sender_.ids(), ElementsAre(id('a'), id('b')));
  EXPECT_EQ(Outbox::look(folder())->state().receivers.at("siem").failures, 0);
}

TEST_F(Delivery, WaitsAsLongAsTheReceiverAsksWithinBounds) {
  add({'a'}, {"siem"});
  sender_.answer = [](const HttpPost&) { return Sent{Sent::Kind::failed, "it answers 503", 300s}; };
  EXPECT_EQ(*round().at(0).next, clock_.wall() + 300s);
  clock_.advance(300s);
  sender_.answer = [](const HttpPost&) { return Sent{Sent::Kind::failed, "it answers 503", 99999999s}; };
  EXPECT_EQ(*round().at(0).next, clock_.wall() + 600s);
}

TEST_F(Delivery, OfOneThatIsRefusedHoldsUpNoOther) {
  add({'a', 'b', 'c'}, {"siem"});
  sender_.answer = [](const HttpPost& post) {
    return post.body.find(id('b')) != std::string::npos ? Sent{Sent::Kind::refused, "it answers 422", {}}
                                                        : Sent{Sent::Kind::delivered, {}, {}};
  };
  const auto one = round().at(0);
  EXPECT_EQ(one.delivered, 2U);
  EXPECT_EQ(one.waits, 1U);
  EXPECT_THAT(one.why, HasSubstr("it answers 422"));
  EXPECT_EQ(*one.next, clock_.wall() + 60s);
  round();
  EXPECT_THAT(sender_.posts, SizeIs(3));
  clock_.advance(60s);
  round();
  EXPECT_THAT(sender_.posts, SizeIs(4));
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(Delivery, OfOneReceiverDoesNotWaitForAnother) {
  add({'a'}, {"siem", "people"});
  sender_.answer = [](const HttpPost&) { return dead; };
  const auto rounds = round();
  EXPECT_EQ(rounds.at(0).waits, 1U);
  EXPECT_EQ(rounds.at(1).delivered, 1U);
  EXPECT_THAT(sender_.mails, SizeIs(1));
}

TEST_F(Delivery, BeginsNothingAfterItsTime) {
  add({'a', 'b', 'c', 'd'}, {"siem"});
  config_.round = 25s;
  sender_.answer = [this](const HttpPost&) {
    clock_.advance(10s);
    return Sent{Sent::Kind::delivered, {}, {}};
  };
  const auto one = round().at(0);
  EXPECT_EQ(one.delivered, 3U);
  EXPECT_EQ(one.waits, 1U);
}

// One that takes its time has its share, and what nobody else needs.
TEST_F(Delivery, OfASlowReceiverTakesNoTimeOfOthers) {
  config_.receivers.push_back(config_.receivers.front());
  config_.receivers.back().name = "pager";
  config_.round = 60s;
  for (const char letter : {'a', 'b', 'c', 'd', 'e', 'f', '1', '2'}) add({letter}, {"siem", "people", "pager"});
  sender_.answer = [this](const HttpPost&) {
    clock_.advance(10s);
    return Sent{Sent::Kind::delivered, {}, {}};
  };
  const auto rounds = round();
  EXPECT_GE(rounds.at(0).delivered, 2U);
  EXPECT_EQ(rounds.at(1).delivered, 8U) << "one mail";
  EXPECT_GE(rounds.at(2).delivered, 2U);
  EXPECT_GE(rounds.at(0).delivered + rounds.at(2).delivered, 6U) << "the round is used";
  // Of one for which a round is too short nobody else waits either, and the next round begins behind it.
  sender_.answer = [this](const HttpPost&) {
    clock_.advance(200s);
    return Sent{Sent::Kind::delivered, {}, {}};
  };
  for (int times = 0; times < 2; ++times) {
    const auto each = round();
    EXPECT_EQ(each.at(0).delivered, 1U);
    EXPECT_EQ(each.at(2).delivered, 1U);
  }
}

TEST_F(Delivery, BeginsBehindWhoeverWasServedLast) {
  config_.receivers.push_back(config_.receivers.front());
  config_.receivers.back().name = "pager";
  add({'a', 'b'}, {"siem", "pager"});
  // As if a round were ended from outside while the first receiver is served.
  struct Ended {};
  sender_.answer = [](const HttpPost&) -> Sent { throw Ended(); };
  EXPECT_THROW(round(), Ended);
  sender_.answer = [](const HttpPost&) { return Sent{Sent::Kind::delivered, {}, {}}; };
  auto outbox = open();
  EXPECT_EQ(outbox.state().receivers.at("siem").turn, 1);
  ASSERT_TRUE(deliver(config_, outbox, sender_, clock_));
  EXPECT_LT(outbox.state().receivers.at("pager").turn, outbox.state().receivers.at("siem").turn);
}

// A clock that was wrong once leaves nobody alone for years.
TEST_F(Delivery, IsTriedAlsoWhenAWrongClockSaidNotBeforeLong) {
  add({'a', 'b'}, {"siem", "people"});
  {
    auto outbox = open();
    const auto far = clock_.wall() + std::chrono::hours(24 * 365 * 20);
    outbox.state().receivers["siem"] = {3, far, "it answers 500", std::nullopt};
    outbox.state().receivers["people"] = {0, std::nullopt, "", far};
    outbox.waiting().at(0).waits_for["siem"] = {1, far, "it answers 422"};
    ASSERT_TRUE(outbox.keep(outbox.waiting().at(0)));
    ASSERT_TRUE(outbox.save());
    EXPECT_FALSE(standing(config_, outbox, clock_.wall()).at(0).next);
  }
  const auto rounds = round();
  EXPECT_EQ(rounds.at(0).delivered, 2U);
  EXPECT_EQ(rounds.at(1).delivered, 2U);
}

TEST_F(Delivery, OfASecretThatOthersMayReadIsNotTried) {
  add({'a'}, {"siem", "people"});
  ::chmod((temporary_.path() / "secret").c_str(), 0644);
  const auto rounds = round();
  EXPECT_THAT(rounds.at(0).why, HasSubstr("others than its owner may open it"));
  EXPECT_THAT(sender_.posts, IsEmpty());
  EXPECT_EQ(rounds.at(1).delivered, 1U);
}

TEST_F(Delivery, IsOneMailInAnInterval) {
  add({'a', 'b'}, {"people"});
  EXPECT_EQ(round().at(1).delivered, 2U);
  ASSERT_THAT(sender_.mails, SizeIs(1));
  EXPECT_THAT(sender_.mails.at(0).text, AllOf(HasSubstr("it is so: a"), HasSubstr("it is so: b")));
  clock_.advance(10min);
  add({'c'}, {"people"});
  auto one = round().at(1);
  EXPECT_EQ(one.digest, 1U);
  EXPECT_EQ(one.waits, 0U) << "it is not late";
  EXPECT_EQ(*one.next, clock_.wall() + 50min);
  clock_.advance(50min);
  EXPECT_EQ(round().at(1).delivered, 1U);
  EXPECT_THAT(sender_.mails, SizeIs(2));
  clock_.advance(90min);
  round();
  EXPECT_THAT(sender_.mails, SizeIs(2)) << "there is nothing to tell";
}

TEST_F(Delivery, OfAMailIsRepeatedToTheLetterUntilItIsTaken) {
  add({'a'}, {"people"});
  sender_.on_mail = dead;
  round();
  add({'b'}, {"people"});
  clock_.advance(60s);
  round();
  clock_.advance(1h);
  sender_.on_mail = {Sent::Kind::delivered, {}, {}};
  EXPECT_EQ(round().at(1).delivered, 1U);
  ASSERT_THAT(sender_.mails, SizeIs(3));
  EXPECT_EQ(sender_.mails.at(1).text, sender_.mails.at(0).text);
  EXPECT_EQ(sender_.mails.at(2).text, sender_.mails.at(0).text);
  EXPECT_EQ(waiting(), 1U);
  clock_.advance(1h);
  round();
  EXPECT_THAT(sender_.mails.at(3).text, HasSubstr("it is so: b"));
}

// Without the ends of lines that are none.
std::string unwrapped(std::string text) {
  for (auto at = text.find("=\r\n"); at != std::string::npos; at = text.find("=\r\n", at)) text.erase(at, 3);
  return text;
}
std::string id_of(unsigned number) { return fmt::format("{:064x}", number); }

TEST_F(Delivery, OfMoreThanOneMailHoldsIsTheWorstAndTheNewestAndSaysWhatIsLeft) {
  {
    auto outbox = open();
    const auto put = [&](EventKind kind, unsigned number, const std::string& says, const char* what = "") {
      auto one = fact("x");
      one.kind = kind;
      one.says = says;
      one.data = {{"what", what}};
      ASSERT_TRUE(outbox.add(id_of(number), cloud_event(one, id_of(number), "/lab1", noon), {"people"}));
    };
    put(EventKind::lab_broken, 900, "something reached the outside", "fence-breach");
    for (unsigned i = 0; i < 97; ++i) put(EventKind::patch_available, i, fmt::format("patch-{:03}", i));
    for (unsigned i = 200; i < 205; ++i) put(EventKind::lab_broken, i, fmt::format("trouble-{}", i));
  }
  sender_.on_mail = dead;  // what is in it is to be seen, and writing down that it was taken takes long
  EXPECT_EQ(round().at(1).waits, 103U);
  const auto mail = unwrapped(sender_.mails.at(0).text);
  EXPECT_THAT(mail, AllOf(HasSubstr("reached the outside"), HasSubstr("trouble-200"), HasSubstr("patch-096"),
                          HasSubstr("patch-003"), Not(HasSubstr("patch-002"))));
  EXPECT_LT(mail.find("reached the outside"), mail.find("trouble-204"));
  EXPECT_LT(mail.find("trouble-204"), mail.find("trouble-203")) << "the newest first";
  EXPECT_THAT(mail, AllOf(HasSubstr("to come: 3 new patches"), HasSubstr("One mail does not hold everything")));
}

TEST_F(Delivery, OfAnAddressThatIsRefusedHoldsUpNoOther) {
  add({'a'}, {"people"});
  sender_.on_mail = {Sent::Kind::delivered, {}, {}, {{"ops@example.org", "550 nobody of that name", true}}};
  auto one = round().at(1);
  EXPECT_EQ(one.delivered, 1U);
  EXPECT_THAT(one.refused, ElementsAre("'ops@example.org' was refused: 550 nobody of that name"));
  EXPECT_EQ(Outbox::look(folder())->state().receivers.at("people").refused.at("ops@example.org"),
            "550 nobody of that name");
  clock_.advance(1h);
  add({'b'}, {"people"});
  sender_.on_mail = {Sent::Kind::delivered, {}, {}};
  one = round().at(1);
  EXPECT_THAT(sender_.mails.at(1).mailbox.to, ElementsAre("qa@example.org", "ops@example.org"))
      << "the next mail is for it as well";
  EXPECT_THAT(one.refused, IsEmpty());
  EXPECT_THAT(Outbox::look(folder())->state().receivers.at("people").refused, IsEmpty());
}

TEST_F(Delivery, OfAnAddressThatIsRefusedForNowIsTriedAgainForItAlone) {
  add({'a'}, {"people"});
  sender_.answer_mail = [](const MailPost& mail) {
    Sent sent{Sent::Kind::delivered, {}, {}, {{"ops@example.org", "450 later", false}}};
    if (mail.mailbox.to.size() == 1) sent.kind = Sent::Kind::failed;
    return sent;
  };
  auto one = round().at(1);
  EXPECT_EQ(one.delivered, 0U);
  EXPECT_THAT(one.why, AllOf(HasSubstr("others have the mail"), HasSubstr("450 later")));
  EXPECT_EQ(*one.next, clock_.wall() + 60s);
  clock_.advance(60s);
  round();
  ASSERT_THAT(sender_.mails, SizeIs(2));
  EXPECT_THAT(sender_.mails.at(1).mailbox.to, ElementsAre("ops@example.org"));
  EXPECT_EQ(sender_.mails.at(1).text, sender_.mails.at(0).text);
  // Not for ever: when the next mail is due the others have that.
  for (int minutes = 0; minutes < 61 && waiting() > 0; ++minutes) {
    clock_.advance(60s);
    one = round().at(1);
  }
  EXPECT_THAT(one.refused, ElementsAre("'ops@example.org' was refused: 450 later"));
  EXPECT_EQ(waiting(), 0U);
  const auto tried = sender_.mails.size();
  add({'b'}, {"people"});
  round();
  ASSERT_EQ(sender_.mails.size(), tried + 1);
  EXPECT_THAT(sender_.mails.back().mailbox.to, SizeIs(2));
}

// Ended after the server had taken it and before its events were marked.
TEST_F(Delivery, OfAMailThatWasTakenIsNotRepeated) {
  add({'a', 'b'}, {"people"});
  {
    auto outbox = open();
    outbox.state().receivers["people"].digest = ReceiverState::Digest{clock_.wall(), {id('a')}, true};
    outbox.state().receivers["people"].last = clock_.wall();
    ASSERT_TRUE(outbox.save());
  }
  EXPECT_EQ(round().at(1).delivered, 1U);
  EXPECT_THAT(sender_.mails, IsEmpty());
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(Delivery, ToNobodyThatIsConfiguredIsSaid) {
  add({'a'}, {"pager"});
  const auto rounds = round();
  ASSERT_THAT(rounds, SizeIs(3));
  EXPECT_FALSE(rounds.at(2).is_known);
  EXPECT_EQ(rounds.at(2).receiver, "pager");
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(Delivery, ThatIsInterruptedIsNoFailureOfTheReceiver) {
  add({'a'}, {"siem"});
  std::stop_source stop;
  sender_.answer = [&](const HttpPost&) {
    stop.request_stop();
    return dead;
  };
  auto outbox = open();
  ASSERT_TRUE(deliver(config_, outbox, sender_, clock_, stop.get_token()));
  EXPECT_EQ(outbox.state().receivers.at("siem").failures, 0);
}

TEST(JudgeAnswer, TellsAnEventThatIsWrongFromAReceiverThatIs) {
  using Kind = Sent::Kind;
  for (const long status : {200, 201, 202, 204, 299}) EXPECT_EQ(judge_answer(status, "").kind, Kind::delivered);
  for (const long status : {400, 409, 413, 415, 422}) EXPECT_EQ(judge_answer(status, "").kind, Kind::refused);
  for (const long status : {0, 100, 300, 301, 302, 307, 401, 403, 404, 408, 410, 425, 429, 500, 502, 503, 599})
    EXPECT_EQ(judge_answer(status, "").kind, Kind::failed) << status;
  EXPECT_THAT(judge_answer(302, "").why, HasSubstr("redirects are not followed"));
  EXPECT_THAT(judge_answer(410, "").why, HasSubstr("gone for good"));
  EXPECT_EQ(judge_answer(500, " a\x1b[2J\nb ").why, "it answers 500 ('a\\x1b[2J\\nb')");
}

}  // namespace
}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "checks/learn/learn.hpp"
#include "checks/registry/registry.hpp"

namespace patchlab::checks::learn {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Draft* find(const Drafts& drafts, const std::string& id) {
  const auto found = std::ranges::find(drafts.checks, id, &Draft::id);
  return found == drafts.checks.end() ? nullptr : &*found;
}
const Json& parameters(const Drafts& drafts, const std::string& id) {
  static const Json none;
  const auto* draft = find(drafts, id);
  EXPECT_NE(draft, nullptr) << id;
  return draft == nullptr ? none : draft->ways.front().parameters;
}

// What is tried must be something that a scenario may say, but for the secret.
void expect_valid(const Drafts& drafts) {
  for (const auto& draft : drafts.checks) {
    ASSERT_FALSE(draft.ways.empty()) << draft.id;
    for (auto way : draft.ways) {
      const auto* check = find_check(way.kind);
      ASSERT_NE(check, nullptr) << way.kind;
      if (way.parameters.contains("password")) {
        EXPECT_TRUE(way.parameters["password"].is_object()) << "no secret in " << draft.id;
        way.parameters["password"] = "secret";
      }
      std::vector<JsonProblem> problems;
      check->validate(way.parameters, "/with", problems);
      EXPECT_TRUE(problems.empty()) << draft.id << ": " << problems_error("x", problems).message;
    }
    for (const auto& other : {draft.needs, draft.unless}) {
      if (!other.empty()) EXPECT_NE(find(drafts, other), nullptr) << draft.id;
    }
  }
}

std::string listening_on(const std::vector<int>& ports) {
  std::string table;
  for (const int port : ports) table += fmt::format("0: 00000000:{:04X} 00000000:0000 0A 0\n", port);
  return table;
}

constexpr const char* zones = R"(options { directory "/var/cache/bind"; };
zone "corp.example" { type primary; file "db"; };
zone "away.example" { type forward; };
zone "broken.example" { type primary; file "gone"; };
zone "." { type hint; file "root"; };)";

constexpr const char* corp = R"(corp.example.	3600 IN SOA dns1.corp.example. host.corp.example. 1 2 3 4 5
corp.example.		      3600 IN MX	10 mail1.corp.example.
corp.example.		      3600 IN TXT	"two  blanks" "; no comment"
corp.example.		      3600 IN RRSIG	SOA 8 2 3600 2027 2026 1 corp.example. xxxx
; a comment
www.corp.example.	      300 IN CNAME	web.corp.example.
web.corp.example.	      3600 IN A	10.20.0.30
web.corp.example.	      3600 IN A	10.20.0.31
garbage
)";

Answers dns_answers() {
  return {{"named", {0, zones, {}}},
          {"zone /corp.example", {0, corp, "zone corp.example/IN: loaded serial 1"}},
          {"zone /broken.example", {1, {}, "\nopen: gone: file not found\n"}}};
}

TEST(DnsDrafts, AskForEachZoneThatIsServed) {
  std::vector<std::string> ids;
  for (const auto& question : dns().questions({{"named", {0, zones, {}}}})) ids.push_back(question.id);
  EXPECT_THAT(ids, ElementsAre("named", "zone /corp.example", "zone /broken.example"));
  EXPECT_EQ(dns().questions({{"named", {127, {}, {}}}}).size(), 1U);
}

TEST(DnsDrafts, AreOneForEachTypeWithTheTtl) {
  const auto drafts = dns().drafts({}, dns_answers());
  expect_valid(drafts);
  EXPECT_EQ(parameters(drafts, "corp-example-txt").at("records"),
            Json::array({R"(corp.example. 3600 TXT "two  blanks" "; no comment")"}));
  EXPECT_EQ(parameters(drafts, "corp-example-a").at("records").size(), 2U);
  EXPECT_EQ(parameters(drafts, "corp-example-www-chain-udp").at("name"), "www.corp.example.");
  EXPECT_EQ(parameters(drafts, "corp-example-no-such-name-tcp").at("transport"), "tcp");
  EXPECT_EQ(parameters(drafts, "corp-example-transfer").at("type"), "AXFR");
  EXPECT_EQ(find(drafts, "corp-example-transfer")->ways.at(1).kind, "dns.transfer");
  EXPECT_EQ(parameters(drafts, "corp-example-update").at("zone"), "corp.example.");
  EXPECT_EQ(parameters(drafts, "corp-example-load").at("records").size(), 2U);
  EXPECT_EQ(find(drafts, "corp-example-too-large"), nullptr) << "all of its answers fit";
  EXPECT_EQ(parameters(drafts, "outside-name").at("name"), "www.outside.invalid.");
}

TEST(DnsDrafts, AskForAnAnswerThatIsTooLarge) {
  auto answers = dns_answers();
  for (int i = 0; i < 20; ++i)
    answers["zone /corp.example"].output += fmt::format("big.corp.example. 3600 IN TXT \"{:060}\"\n", i);
  const auto drafts = dns().drafts({}, answers);
  expect_valid(drafts);
  EXPECT_EQ(parameters(drafts, "corp-example-too-large").at("name"), "big.corp.example.");
  EXPECT_EQ(parameters(drafts, "corp-example-too-large").at("udp_size"), 0);
}

TEST(DnsDrafts, SayWhatIsLeftOut) {
  const auto drafts = dns().drafts({}, dns_answers());
  EXPECT_THAT(drafts.not_learnt, ElementsAre(HasSubstr("zone corp.example signatures"),
                                             HasSubstr("zone corp.example: 1 lines of it are not understood"),
                                             HasSubstr("zone away.example: it is of the type forward"),
                                             HasSubstr("zone broken.example: named-compilezone cannot read it: open: "
                                                       "gone: file not found")));
}

TEST(DnsDrafts, CutALargeZoneBetweenNames) {
  std::string large;
  for (int i = 0; i < 600; ++i) large += fmt::format("h{}.corp.example. 60 IN A 10.0.0.1\n", i);
  auto answers = dns_answers();
  answers["zone /corp.example"].output = large;
  const auto drafts = dns().drafts({}, answers);
  expect_valid(drafts);
  std::size_t records = 0;
  for (const auto& draft : drafts.checks) {
    if (draft.id != "corp-example-a") continue;
    EXPECT_LE(draft.ways.front().parameters.at("records").size(), 250U);
    records += draft.ways.front().parameters.at("records").size();
  }
  EXPECT_EQ(records, 600U);
}

TEST(DnsDrafts, AServerOfAnotherKindIsSaidToBeUnknown) {
  const auto drafts = dns().drafts({}, {{"named", {127, {}, {}}}, {"listeners", {0, listening_on({53}), {}}}});
  EXPECT_THAT(drafts.checks, IsEmpty());
  EXPECT_THAT(drafts.not_learnt, ElementsAre(HasSubstr("only BIND says which zones it has")));
  EXPECT_THAT(dns().drafts({}, {{"named", {127, {}, {}}}}).not_learnt, IsEmpty());
}

TEST(DhcpDrafts, LeaseFromEachSubnetAndEachReservation) {
  const Answers answers{{"kea",
                         {0,
                          R"(// Kea's own comments
{ "Dhcp4": { # of both kinds
  "subnet4": [{"subnet": "10.20.0.0/24", "pools": [{"pool": "10.20.0.100 - 10.20.0.149"}, {"pool": "10.20.0.150-10.20.0.199"}],
    "reservations": [{"hw-address": "02:00:0a:14:00:32", "ip-address": "10.20.0.50"}, {"client-id": "01", "ip-address": "10.20.0.51"}]}],
  /* and "more" */
  "shared-networks": [{"subnet4": [{"pools": [{"pool": "10.30.0.16/30"}, {"pool": "x"}]}]}] } })",
                          {}}}};
  const auto drafts = dhcp().drafts({}, answers);
  expect_valid(drafts);
  ASSERT_EQ(drafts.checks.size(), 3U);
  EXPECT_EQ(drafts.checks[0].ways.size(), 6U) << "of each subnet, with less and less that a server need not answer";
  EXPECT_EQ(parameters(drafts, "lease").at("further").size(), 3U);
  EXPECT_EQ(parameters(drafts, "lease").at("wrong_network"), "ignored");
  EXPECT_EQ(parameters(drafts, "lease").at("kept"), true);
  EXPECT_EQ(parameters(drafts, "lease").at("declined"), true);
  EXPECT_FALSE(drafts.checks[0].ways[1].parameters.contains("kept"));
  EXPECT_FALSE(drafts.checks[0].ways[2].parameters.contains("further"));
  EXPECT_EQ(parameters(drafts, "lease").at("pool"), Json({{"from", "10.20.0.100"}, {"to", "10.20.0.199"}}));
  EXPECT_EQ(parameters(drafts, "lease").at("neighbours"), 8);
  EXPECT_EQ(drafts.checks[0].ways[3].parameters.at("pool"), Json({{"from", "10.30.0.16"}, {"to", "10.30.0.19"}}));
  EXPECT_FALSE(drafts.checks[0].ways[3].parameters.contains("neighbours"));
  EXPECT_FALSE(drafts.checks[0].ways[3].parameters.contains("declined")) << "an address less is too much there";
  EXPECT_EQ(parameters(drafts, "reservation-10.20.0.50").at("mac"), "02:00:0a:14:00:32");
  EXPECT_THAT(drafts.not_learnt,
              ElementsAre(HasSubstr("the pool 'x'"), HasSubstr("a reservation that is not of a MAC")));
  EXPECT_THAT(dhcp().drafts({}, {{"kea", {0, "<?include \"x\"?>", {}}}}).not_learnt,
              ElementsAre(HasSubstr("is not understood")));
}

TEST(DhcpDrafts, AServerThatForgetsIsNotExpectedToRemember) {
  const Answers answers{{"kea",
                         {0,
                          R"({"Dhcp4": {"authoritative": true, "lease-database": {"persist": false},
    "subnet4": [{"pools": [{"pool": "10.20.0.100 - 10.20.0.199"}]}]}})",
                          {}}}};
  const auto drafts = dhcp().drafts({}, answers);
  EXPECT_EQ(parameters(drafts, "lease").at("wrong_network"), "refused");
  EXPECT_FALSE(parameters(drafts, "lease").contains("kept"));
  EXPECT_FALSE(parameters(drafts, "lease").contains("declined"));
}

TEST(SmbDrafts, TryFromTheMostToTheLeastOfEachUser) {
  const std::string digest(64, 'a');
  const Answers answers{
      {"listeners", {0, listening_on({445}), {}}},
      {"samba", {0, "[global]\n\tworkgroup = CORP\n[printers]\n\tpath = /tmp\n[projects]\n\tpath = /srv/p\n", {}}},
      {"files of projects", {0, digest + "  ./alpha/budget.csv\n\\" + digest + "  ./odd\\n\n", {}}}};
  std::vector<std::string> asked;
  for (const auto& question : smb().questions(answers)) asked.push_back(question.id);
  EXPECT_THAT(asked, ElementsAre("samba", "files of projects"));
  const auto drafts = smb().drafts({{"alice"}}, answers);
  expect_valid(drafts);
  const auto* alice = find(drafts, "projects-alice");
  ASSERT_NE(alice, nullptr);
  std::vector<std::string> kinds;
  for (const auto& one : alice->ways) kinds.push_back(one.kind);
  EXPECT_THAT(kinds, ElementsAre("smb.access", "smb.access", "smb.access", "smb.access", "smb.access", "smb.access",
                                 "smb.readonly", "smb.readonly"));
  EXPECT_EQ(alice->ways[0].parameters.at("locks"), true);
  EXPECT_FALSE(alice->ways[2].parameters.contains("locks"));
  EXPECT_EQ(alice->ways[2].parameters.at("together"), true);
  EXPECT_FALSE(alice->ways[4].parameters.contains("together"));
  EXPECT_EQ(parameters(drafts, "projects-encryption").at("user"), "alice");
  EXPECT_EQ(parameters(drafts, "projects-alice").at("share"), "projects");
  EXPECT_EQ(alice->ways[0].parameters.at("known_files"), Json({{"alpha/budget.csv", digest}}));
  for (const char* id : {"dialects", "projects-anonymous", "wrong-password"})
    EXPECT_NE(find(drafts, id), nullptr) << id;
  EXPECT_EQ(drafts.checks.size(), 5U);
  EXPECT_THAT(smb().drafts({}, answers).not_learnt, ElementsAre(HasSubstr("no 'accounts'")));
}

TEST(SmbDrafts, TellADeniedShareFromARefusedPassword) {
  const Answers answers{{"listeners", {0, listening_on({445}), {}}},
                        {"samba", {0, "[boss]\npath = /b\n[team]\npath = /t\n", {}}}};
  const auto drafts = smb().drafts({{"alice"}}, answers);
  expect_valid(drafts);
  const auto& last = find(drafts, "boss-alice")->ways.back();
  EXPECT_EQ(last.kind, "smb.denied");
  EXPECT_EQ(last.parameters.at("allowed_share"), "team");
}

TEST(PrintDrafts, AreOfQueuesThatPrintToTheClient) {
  const Answers answers{
      {"listeners", {0, listening_on({631}), {}}},
      {"cups",
       {0,
        "<DefaultPrinter office>\nDeviceURI socket://10.20.0.250:9101/?snmp=false\n</DefaultPrinter>\n"
        "<Printer floor>\nDeviceURI socket://10.20.0.25\n</Printer>\n",
        {}}}};
  const auto drafts = print().drafts({{}, "10.20.0.250"}, answers);
  expect_valid(drafts);
  ASSERT_EQ(drafts.checks.size(), 3U);
  EXPECT_EQ(parameters(drafts, "offers-floor"), Json({{"queue", "floor"}}));
  EXPECT_EQ(parameters(drafts, "queue-office"), Json({{"queue", "office"},
                                                      {"sink", {{"listen_port", 9101}}},
                                                      {"held", true},
                                                      {"bytes", 1'000'000},
                                                      {"strangers_refused", true}}));
  EXPECT_EQ(find(drafts, "queue-office")->ways[2].parameters,
            Json({{"queue", "office"}, {"sink", {{"listen_port", 9101}}}}));
  EXPECT_THAT(drafts.not_learnt, ElementsAre(HasSubstr("queue floor: it prints to socket://10.20.0.25; the check is")));
}

Answers mail_answers(const std::vector<int>& ports = {25, 143, 587}) {
  return {{"listeners", {0, listening_on(ports), {}}},
          {"postfix",
           {0,
            "mydestination = corp.example, mail1.corp.example, localhost, hash:/etc/postfix/more\n"
            "virtual_mailbox_domains = other.example\nmessage_size_limit = 20480000\n",
            {}}}};
}

TEST(MailDrafts, DeliverToEachDomainAndRefuseTheRest) {
  const auto drafts = mail().drafts({{"bob"}}, mail_answers());
  expect_valid(drafts);
  for (const char* id : {"delivery-bob-corp.example", "delivery-bob-mail1.corp.example", "delivery-bob-other.example",
                         "large-delivery", "relay-refused-25", "relay-refused-587", "wrong-password", "from-outside",
                         "size-limit-25", "size-limit-587", "bounce", "mailbox"})
    EXPECT_NE(find(drafts, id), nullptr) << id;
  EXPECT_EQ(drafts.checks.size(), 12U);
  EXPECT_FALSE(parameters(drafts, "bounce").contains("to")) << "a new recipient each time";
  EXPECT_EQ(parameters(drafts, "delivery-bob-other.example").at("to"), "bob@other.example");
  EXPECT_THAT(drafts.not_learnt, Contains(HasSubstr("'hash:/etc/postfix/more'")));
  EXPECT_EQ(parameters(drafts, "from-outside").at("from"), "probe@outside.invalid");
  EXPECT_EQ(find(drafts, "from-outside")->ways.at(1).parameters.at("smtp_tls"), "none");
  EXPECT_FALSE(parameters(drafts, "size-limit-25").contains("user"));
}

TEST(MailDrafts, ReadByWhatThereIs) {
  const auto both = mail().drafts({{"bob"}}, mail_answers({25, 587, 143, 995}));
  expect_valid(both);
  EXPECT_EQ(parameters(both, "read-by-pop3").at("pop3_port"), 995);
  const auto pop3 = mail().drafts({{"bob"}}, mail_answers({587, 110}));
  expect_valid(pop3);
  EXPECT_EQ(parameters(pop3, "delivery-bob-corp.example").at("read_by"), "pop3");
  EXPECT_EQ(find(pop3, "wrong-password"), nullptr) << "it asks IMAP";
  EXPECT_EQ(find(pop3, "from-outside"), nullptr);
  EXPECT_EQ(find(pop3, "bounce"), nullptr);
  EXPECT_EQ(find(pop3, "mailbox"), nullptr);
  EXPECT_THAT(pop3.not_learnt, Contains(HasSubstr("mail that comes back to its sender")));
}

TEST(ListenerDrafts, AreGreetingsAndTlsWhereItIsExpected) {
  const auto drafts = listeners().drafts({}, {{"listeners", {0, listening_on({22, 25, 53, 443, 993, 9100}), {}}}});
  expect_valid(drafts);
  std::vector<std::string> ids;
  for (const auto& draft : drafts.checks) ids.push_back(draft.id);
  EXPECT_THAT(ids, ElementsAre("banner-22", "tls-25", "banner-25", "tls-443", "tls-993", "banner-9100"));
  EXPECT_EQ(parameters(drafts, "tls-25").at("starttls"), "smtp");
  EXPECT_THAT(drafts.not_learnt, ElementsAre(HasSubstr("port 22"), HasSubstr("port 9100")));
  std::vector<int> many;
  for (int port = 1000; port < 1100; ++port) many.push_back(port);
  EXPECT_THAT(listeners().drafts({}, {{"listeners", {0, listening_on(many), {}}}}).not_learnt,
              Contains(HasSubstr("50 of 100 are looked at")));
}

TEST(MailDrafts, AUserThatIsAnAddressIsOne) {
  const auto drafts = mail().drafts({{"eve@other.example"}}, mail_answers());
  expect_valid(drafts);
  EXPECT_EQ(parameters(drafts, "delivery-eve-corp.example").at("to"), "eve@other.example");
  EXPECT_EQ(drafts.checks.size(), 10U);
}

TEST(MailDrafts, SayWhyThereIsNoDelivery) {
  EXPECT_THAT(mail().drafts({}, mail_answers()).not_learnt, Contains(HasSubstr("no 'accounts'")));
  EXPECT_THAT(mail().drafts({{"bob"}}, mail_answers({25})).not_learnt, Contains(HasSubstr("open are 25")));
  EXPECT_THAT(mail().drafts({}, {{"listeners", {0, listening_on({22}), {}}}, {"postfix", {127, {}, {}}}}).not_learnt,
              IsEmpty());
  EXPECT_THAT(mail().drafts({}, {{"listeners", {0, listening_on({25}), {}}}, {"postfix", {127, {}, {}}}}).not_learnt,
              ElementsAre(HasSubstr("it is not there")));
}

Answers database_answers(const std::string& tables) {
  return {{"listeners", {0, listening_on({5432}), {}}},
          {"databases", {0, "{\"database\" : \"corp\", \"port\" : \"5432\"}\n", {}}},
          {"database corp", {0, tables, {}}}};
}

const std::string inventory =
    R"({"schema": "public", "table": "inventory", "kind": "r", "empty": false, "referred": false, "key": ["id"],
        "columns": [{"name": "id", "type": "integer", "optional": false}, {"name": "na\"me", "type": "text", "optional": true}]})";
const std::string probe =
    R"json({"schema": "public", "table": "notes", "kind": "r", "empty": true, "referred": false, "key": null,
        "columns": [{"name": "at", "type": "timestamp", "optional": true},
                    {"name": "note", "type": "character varying(80)", "optional": false}]})json";

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text + "\n";
}

TEST(DatabaseDrafts, AskForEachDatabase) {
  auto answers = database_answers({});
  answers["databases"].output += "nonsense\n{\"database\": \"it's\"}\n{\"database\": \"no=name\"}\n";
  std::vector<std::vector<std::string>> asked;
  for (const auto& question : database().questions(answers)) asked.push_back(question.arguments);
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked[1][0], "dbname='corp'");
  EXPECT_EQ(asked[2][0], "dbname='it\\'s'");
}

TEST(DatabaseDrafts, LookAtSchemaRightsAndRows) {
  const auto drafts = database().drafts({{"app"}}, database_answers(one_line(inventory) + one_line(probe)));
  expect_valid(drafts);
  EXPECT_EQ(parameters(drafts, "corp-app-t-inventory").at("query"),
            R"(SELECT "id"::text, "na""me"::text FROM "public"."inventory" ORDER BY "inventory"."id")");
  EXPECT_EQ(find(drafts, "corp-app-plan-inventory"), nullptr) << "a small table may be read as a whole";
  auto large = Json::parse(one_line(inventory));
  large["large"] = true;
  const auto planned = database().drafts({{"app"}}, database_answers(large.dump() + "\n"));
  expect_valid(planned);
  EXPECT_EQ(parameters(planned, "corp-app-plan-inventory").at("query"),
            R"(EXPLAIN (COSTS OFF) SELECT "na""me"::text FROM "public"."inventory" WHERE "id" = '0')");

  EXPECT_EQ(parameters(drafts, "corp-app-write").at("table"), "public.notes");
  EXPECT_EQ(parameters(drafts, "corp-app-write").at("column"), "note");
  EXPECT_EQ(parameters(drafts, "corp-app-isolation").at("table"), "public.notes");
  EXPECT_EQ(parameters(drafts, "corp-app-t-inventory").at("time_zone"), "UTC");
  EXPECT_EQ(find(drafts, "corp-app-t-notes"), nullptr) << "other checks write into it meanwhile";
  for (const char* id : {"corp-app-transaction", "corp-app-columns", "corp-app-constraints", "corp-app-indexes",
                         "corp-app-grants", "corp-app-roles", "corp-app-settings", "corp-app-passwords-denied",
                         "corp-app-wrong-password", "corp-app-not-let-in", "corp-app-connections"})
    EXPECT_NE(find(drafts, id), nullptr) << id;
}

TEST(DatabaseDrafts, WriteOnlyWhereNobodysDataIs) {
  const auto changed = [](const char* pointer, const Json& value) {
    auto table = Json::parse(probe);
    table[Json::json_pointer(pointer)] = value;
    return database().drafts({{"app"}}, database_answers(table.dump() + "\n"));
  };
  EXPECT_NE(find(changed("/empty", true), "corp-app-write"), nullptr);
  EXPECT_EQ(find(changed("/empty", false), "corp-app-write"), nullptr);
  EXPECT_EQ(find(changed("/referred", true), "corp-app-write"), nullptr);
  EXPECT_EQ(find(changed("/kind", "v"), "corp-app-write"), nullptr);
  EXPECT_EQ(find(changed("/table", "Notes"), "corp-app-write"), nullptr);
  EXPECT_EQ(find(changed("/columns/0/optional", false), "corp-app-write"), nullptr);
  EXPECT_EQ(find(changed("/columns/1/type", "character varying(59)"), "corp-app-write"), nullptr);
}

TEST(DatabaseDrafts, SayWhatIsNotKnown) {
  EXPECT_THAT(database().drafts({}, database_answers("")).not_learnt, ElementsAre(HasSubstr("no 'accounts'")));
  auto silent = database_answers("");
  silent["databases"] = {1, {}, "psql: error: connection refused\n"};
  EXPECT_THAT(database().drafts({{"app"}}, silent).not_learnt, ElementsAre(HasSubstr("connection refused")));
}

// Whatever a guest says, what comes of it can be tried and is no secret; nothing is thrown.
TEST(Drafts, OfAHostileGuestAreStillChecks) {
  const std::vector<std::string> texts{
      "",
      "{",
      "zone \"\xff\" { type primary; file \"x\"; };",
      "zone \"" + std::string(5000, 'a') + "\" { type primary; file \"x\"; };",
      R"({"database": "x", "port": "99999999999"})",
      R"({"database": "x", "port": "70000"})",
      R"({"schema": "s", "table": "t", "columns": [1, {"name": 5}], "key": {"a": 1}})",
      R"({"schema": "s", "table": "t", "columns": "none"})",
      "mydestination = " + std::string(100'000, ','),
      "message_size_limit = 99999999999999999999999\nmydestination = a..b -x.y .z",
      "a. 99999999999999 IN A x",
      ". 1 IN A (",
      "{\"Dhcp4\": {\"subnet4\": [5, {\"pools\": 5}, {\"pools\": [{\"pool\": \"0.0.0.0-255.255.255.255\"}]}]}}",
      "/*",
      "{ # \"",
      "[a]\npath = x\n[]\n[/]\npath = y\n",
      "<Printer >\nDeviceURI socket://:",
      corp};
  for (const auto& text : texts) {
    Answers answers{{"listeners", {0, listening_on({25, 53, 143, 445, 587, 631, 5432}), {}}}};
    for (const auto* protocol : protocols()) {
      for (int round = 0; round < 3; ++round) {
        for (const auto& question : protocol->questions(answers))
          answers.try_emplace(question.id, Answer{0, text, text});
      }
      for (const auto& draft : protocol->drafts({{"bob"}}, answers).checks) {
        for (const auto& way : draft.ways) EXPECT_NE(find_check(way.kind), nullptr);
        EXPECT_THAT(draft.says, Not(IsEmpty()));
      }
    }
  }
}

}  // namespace
}  // namespace patchlab::checks::learn

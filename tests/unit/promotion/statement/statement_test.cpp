// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/statement/statement.hpp"

#include <gmock/gmock.h>

#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "tests/support/statements.hpp"

namespace patchlab::promotion {
namespace {

using testing::any_statement;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string bytes_of(const Statement& statement) {
  auto bytes = write_statement(statement);
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes ? *bytes : std::string();
}

std::string trouble(const std::string& bytes) {
  const auto read = read_statement(bytes, "s.json");
  return read ? std::string() : read.error().message;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

// The format is what auditors' scripts and other tools read: it may not change without a new version.
TEST(Statement, IsOneLineOfInTotoInAFixedOrder) {
  const std::string d(64, '0');
  const std::string e(64, 'e');
  Statement waive;
  waive.kind = StatementKind::waive;
  waive.subjects = {{"finance", d}};
  waive.by = "carol@xavier.example";
  waive.run = e;
  waive.policy = d;
  waive.ledger = SeenLedger{4, e};
  waive.reason = "known limit of the \"old\" relay, gr\xc3\xbc\xc3\x9f";
  waive.ticket = "CHG0043";
  waive.expires = "2026-12-12T00:00:00Z";
  waive.waives =
      std::vector<Waived>{{"mail", "", "service/postfix.service", "review"}, {"mail", "large-delivery", "", "fail"}};
  EXPECT_EQ(
      bytes_of(waive),
      R"({"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"finance","digest":{"sha256":")" + d +
          R"("}}],"predicateType":"urn:patchlab:waive:v1","predicate":{"kind":"waive","by":"carol@xavier.example","run":")" +
          e + R"(","policy":")" + d + R"(","ledger":{"size":4,"hash":")" + e +
          R"("},"reason":"known limit of the \"old\" relay, gr)" + "\xc3\xbc\xc3\x9f" +
          R"(","ticket":"CHG0043","expires":"2026-12-12T00:00:00Z","waives":[{"machine":"mail","finding":"service/postfix.service","outcome":"review"},{"machine":"mail","check":"large-delivery","outcome":"fail"}]}})"
          "\n");
}

TEST(Statement, OfEveryKindComesBackFromItsBytes) {
  std::mt19937 random(20261128);
  for (const auto kind : all_statement_kinds) {
    for (int i = 0; i < 50; ++i) {
      const auto statement = any_statement(kind, random);
      const auto bytes = bytes_of(statement);
      const auto read = read_statement(bytes, "s.json");
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_EQ(*read, statement);
      EXPECT_EQ(bytes_of(*read), bytes);
    }
  }
}

TEST(Statement, KindsHaveWordsOfTheirOwnAndNamespacesMadeOfThem) {
  for (const auto kind : all_statement_kinds) {
    EXPECT_EQ(statement_kind_from(to_string(kind)), kind);
    EXPECT_EQ(signature_namespace(kind), std::string("patchlab.") + to_string(kind) + ".v1");
  }
  EXPECT_FALSE(statement_kind_from("Approve"));
  EXPECT_FALSE(statement_kind_from(""));
}

// One change of one byte, anywhere: refused, or another statement, never the same one. Two files with one meaning
// would be two digests of one decision.
TEST(Statement, HasNoSecondSpelling) {
  std::mt19937 random(4);
  for (const auto kind : all_statement_kinds) {
    const auto statement = any_statement(kind, random);
    const auto bytes = bytes_of(statement);
    static constexpr std::array others{' ', '\t', '\n', '"', '\\', '0', 'a', 'A', '\x7f', '\xff', '\0', ',', '}'};
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const char with = others[random() % others.size()];
      auto other = bytes;
      switch (random() % 3) {
        case 0: other[at] = with; break;
        case 1: other.insert(at, 1, with); break;
        default: other.erase(at, 1); break;
      }
      const auto read = read_statement(other, "s.json");
      ASSERT_FALSE(other != bytes && read && *read == statement) << at << ": " << other;
      EXPECT_FALSE(read_statement(bytes.substr(0, at), "s.json"));
    }
  }
}

// Every key of every kind: required ones are missed, those of other kinds refused, by their name.
TEST(Statement, HasExactlyTheKeysOfItsKind) {
  std::mt19937 random(5);
  std::set<std::string> all;
  std::map<std::string, std::string> samples;  // "run": "\"<digest>\""
  for (const auto kind : all_statement_kinds) {
    for (int i = 0; i < 20; ++i) {
      const auto document = Json::parse(bytes_of(any_statement(kind, random)));
      for (const auto& [key, value] : document["predicate"].items()) samples[key] = value.dump();
    }
  }
  for (const auto kind : all_statement_kinds) {
    auto keys = statement_keys(kind);
    for (const auto& key : keys.required) {
      auto document = Json::parse(bytes_of(any_statement(kind, random)));
      document["predicate"].erase(key);
      EXPECT_THAT(trouble(document.dump() + "\n"), HasSubstr("/predicate: '" + key + "' is required"))
          << to_string(kind);
    }
    keys.required.insert(keys.required.end(), {"kind", "by"});
    for (const auto& [key, value] : samples) {
      if (std::ranges::count(keys.required, key) + std::ranges::count(keys.optional, key) > 0) continue;
      auto document = Json::parse(bytes_of(any_statement(kind, random)));
      document["predicate"][key] = Json::parse(value);
      EXPECT_THAT(trouble(document.dump() + "\n"), HasSubstr("/predicate/" + key + ": does not belong"))
          << to_string(kind);
    }
  }
  EXPECT_GE(samples.size(), 25U) << "a key that no sample has is not tried";
}

// Whoever leaves out the time of the review would have promoted in an emergency that nobody has to look at.
TEST(Statement, OfAnEmergencySaysAllOfItOrNothing) {
  std::mt19937 random(7);
  auto whole = any_statement(StatementKind::promote, random);
  whole.reason = "mail is exploited";
  whole.ticket = "CHG7";
  whole.review_by = "2026-11-30T08:00:00Z";
  EXPECT_THAT(bytes_of(whole), HasSubstr(R"("review_by":"2026-11-30T08:00:00Z"}})"));
  for (const auto& [key, take] : std::vector<std::pair<std::string, std::function<void(Statement&)>>>{
           {"reason", [](Statement& s) { s.reason.reset(); }},
           {"ticket", [](Statement& s) { s.ticket.reset(); }},
           {"reason", [](Statement& s) { s.review_by.reset(); }}}) {
    auto part = whole;
    take(part);
    EXPECT_THAT(write_statement(part).error().message,
                HasSubstr("/predicate/" + key + ": reason, ticket and review_by"));
  }
  whole.review_by = "2026-11-30";
  EXPECT_THAT(write_statement(whole).error().message, HasSubstr("/predicate/review_by: must be a time"));
}

TEST(Statement, SaysWhereAndWhatIsWrong) {
  std::mt19937 random(6);
  auto statement = any_statement(StatementKind::waive, random);
  statement.by = "carol@xavier.example";
  statement.reason = "why";
  statement.expires = "2026-12-12T00:00:00Z";
  statement.ledger = SeenLedger{4, std::string(64, 'a')};
  const auto good = bytes_of(statement);
  ASSERT_EQ(trouble(good), "");
  EXPECT_EQ(trouble(""), "s.json: is empty");
  EXPECT_THAT(trouble(good.substr(0, good.size() - 1)), StartsWith("s.json: has no newline at its end"));
  EXPECT_EQ(trouble(good + good), "s.json: has more than one line");
  EXPECT_EQ(trouble(good + "\n"), "s.json: has more than one line");
  EXPECT_EQ(trouble(std::string(longest_statement, 'x') + "\n"), "s.json: is longer than 65536 bytes");
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\"w\x7fy\"")), HasSubstr("control character"));
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\"w\\u007fy\"")), HasSubstr("/predicate/reason: must be one line"));
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\"w\\ny\"")), HasSubstr("/predicate/reason: must be one line"));
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\"w\xe2\x80\xaey\"")),
              HasSubstr("/predicate/reason: must be one line"));
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\"w\xff\"")), HasSubstr("not valid JSON"));
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\" why\"")), HasSubstr("/predicate/reason"));
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\"\\u0077hy\"")), HasSubstr("is not written as patchlab writes it"));
  EXPECT_THAT(trouble(replaced(good, "\"why\"", "\"wh\\/y\"")), HasSubstr("is not written as patchlab writes it"));
  EXPECT_THAT(trouble(replaced(good, "\"size\":4", "\"size\":4.0")), HasSubstr("/predicate/ledger/size"));
  EXPECT_THAT(trouble(replaced(good, "\"size\":4", "\"size\":-0")), HasSubstr("byte"));
  EXPECT_THAT(trouble(replaced(good, "\"size\":4", "\"size\":9007199254740992")), HasSubstr("/predicate/ledger/size"));
  EXPECT_EQ(trouble(replaced(good, "\"size\":4", "\"size\":9007199254740991")), "");
  EXPECT_THAT(trouble(replaced(good, "\"size\":4", "\"size\":99999999999999999999")),
              HasSubstr("/predicate/ledger/size"));
  EXPECT_THAT(trouble(replaced(good, "\"by\":", "\"by\":\"bob@xavier.example\",\"by\":")), HasSubstr("given twice"));
  EXPECT_THAT(trouble(replaced(good, "\"kind\":\"waive\"", "\"kind\":\"waiver\"")),
              HasSubstr("unknown kind 'waiver'; there are: approve"));
  EXPECT_THAT(trouble(replaced(good, "urn:patchlab:waive:v1", "urn:patchlab:approve:v1")), HasSubstr("/predicateType"));
  EXPECT_THAT(trouble(replaced(good, "Statement/v1", "Statement/v0.1")), HasSubstr("/_type"));
  EXPECT_THAT(trouble(replaced(good, "carol@xavier.example", "Carol@xavier.example")), HasSubstr("/predicate/by"));
  EXPECT_THAT(trouble(replaced(good, "2026-12-12T00:00:00Z", "2026-12-12")), HasSubstr("/predicate/expires"));
  EXPECT_THAT(trouble(replaced(good, "{\"_type\"", "{ \"_type\"")), HasSubstr("byte 2"));
  EXPECT_THAT(trouble(replaced(good, "{\"_type\"", "{\"x\":1,\"_type\"")), HasSubstr("/x: unknown key"));
  EXPECT_THAT(trouble(replaced(good, "\"digest\":{", "\"digest\":{\"sha512\":\"\",")),
              HasSubstr("/subject/0/digest/sha512"));
  EXPECT_THAT(trouble(std::string(2000, '[') + "\n"), HasSubstr("nested"));
}

TEST(Statement, IsNotWrittenWhenItCouldNotBeRead) {
  std::mt19937 random(7);
  auto statement = any_statement(StatementKind::approve, random);
  statement.reason = "two\nlines";
  EXPECT_FALSE(write_statement(statement));
  statement.reason = "a \xff";
  EXPECT_FALSE(write_statement(statement));
  statement.reason = "fine";
  EXPECT_TRUE(write_statement(statement));
  statement.subjects.push_back(statement.subjects.front());
  EXPECT_FALSE(write_statement(statement)) << "two subjects of one approval";
  statement.subjects.clear();
  EXPECT_FALSE(write_statement(statement));
  statement = any_statement(StatementKind::waive, random);
  statement.waives->push_back(statement.waives->front());
  EXPECT_FALSE(write_statement(statement)) << "the same failure twice";
  statement.waives->clear();
  EXPECT_FALSE(write_statement(statement));
  statement = any_statement(StatementKind::begin, random);
  EXPECT_TRUE(write_statement(statement));
  statement.attempt = largest_number + 1;
  EXPECT_FALSE(write_statement(statement));
}

TEST(Principal, IsPlainAndHasOneSpelling) {
  for (const char* name : {"alice@xavier.example", "root", "lab-2_x+y@a.b", "7"})
    EXPECT_TRUE(is_principal(name)) << name;
  for (const char* name :
       {"", "Alice@x", "a b", "*@x", "a,b", "!a", "a?", "a@b@c", "@x", "a@", "-a", "a\n", "\"a\"", "gr\xc3\xbcn"})
    EXPECT_FALSE(is_principal(name)) << name;
  EXPECT_TRUE(is_principal(std::string(120, 'a')));
  EXPECT_FALSE(is_principal(std::string(121, 'a')));
}

}  // namespace
}  // namespace patchlab::promotion

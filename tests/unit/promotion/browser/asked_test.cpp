// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/browser/asked.hpp"

#include <gmock/gmock.h>

#include "lab/core/json.hpp"

namespace patchlab::promotion::browser {
namespace {

using ::testing::HasSubstr;

using lab::web::longest_body;
using lab::web::WebHeader;

const Origin ours = lab::web::read_origin("https://desk.xavier.example:8443").value();

WebRequest get(const std::string& target) { return {"GET", target, {{"host", ours.host}}, {}}; }
WebRequest post(const std::string& target, const Json& body) {
  return {
      "POST", target, {{"host", ours.host}, {"origin", ours.text}, {"content-type", "application/json"}}, body.dump()};
}
// "421 host-not-ours", or "" when something is asked.
std::string refusal(const WebRequest& request) {
  const auto what = asked(request, ours);
  const auto* no = std::get_if<NotAsked>(&what);
  return no == nullptr ? std::string() : fmt::format("{} {}", no->status, no->code);
}
WebRequest with(WebRequest request, const std::string& name, const std::vector<std::string>& values) {
  std::erase_if(request.headers, [&](const WebHeader& header) { return header.name == name; });
  for (const auto& value : values) request.headers.push_back({name, value});
  return request;
}

const Json draft{{"run", "2026-11-22T060250Z-7f3a91"},
                 {"department", "finance"},
                 {"kind", "approve"},
                 {"by", "bob@xavier.example"},
                 {"reason", "read the report"}};
const Json decision{{"run", "r1"}, {"department", "finance"}, {"statement", "{}\n"}, {"signature", "x"}};

TEST(DeskAsked, KnowsItsPages) {
  EXPECT_TRUE(std::holds_alternative<AskedList>(asked(get("/"), ours)));
  EXPECT_TRUE(std::holds_alternative<AskedEnrolment>(asked(get("/enrol"), ours)));
  EXPECT_TRUE(std::holds_alternative<AskedStyle>(asked(get("/desk.css"), ours)));
  EXPECT_TRUE(std::holds_alternative<AskedScript>(asked(get("/sign.js"), ours)));
  const auto set = std::get<AskedSet>(asked(get("/set/2026-11-22T060250Z-7f3a91/finance"), ours));
  EXPECT_EQ(set.run, "2026-11-22T060250Z-7f3a91");
  EXPECT_EQ(set.department, "finance");
  for (const char* target : {"",
                             "//",
                             "/set",
                             "/set/",
                             "/set/r1",
                             "/set/r1/",
                             "/set//finance",
                             "/set/r1/finance/",
                             "/set/../finance",
                             "/set/.r1/finance",
                             "/set/r1/Finance",
                             "/set/r1/fin%61nce",
                             "/set/r 1/finance",
                             "/set/r1/finance?x",
                             "/?",
                             "/set/r1/../finance",
                             "/draft/",
                             "*",
                             "https://desk.xavier.example:8443/",
                             "/desk.css/",
                             "/sign.js\x01"})
    EXPECT_EQ(refusal(get(target)), "404 not-found") << target;
  EXPECT_EQ(refusal(get("/set/" + std::string(121, 'a') + "/finance")), "404 not-found");
  for (const char* method : {"POST", "HEAD", "PUT", "OPTIONS", "get", ""}) {
    auto request = post("/", {});
    request.method = method;
    EXPECT_EQ(refusal(request), "405 method-not-allowed") << method;
  }
  for (const char* method : {"GET", "OPTIONS", "PUT", "post"}) {
    auto request = post("/decision", decision);
    request.method = method;
    EXPECT_EQ(refusal(request), "405 method-not-allowed") << method;
  }
}

TEST(DeskAsked, AnswersToOneNameOnly) {
  for (const auto& hosts : std::vector<std::vector<std::string>>{{},
                                                                 {""},
                                                                 {"evil.example"},
                                                                 {"desk.xavier.example"},
                                                                 {"desk.xavier.example:8444"},
                                                                 {"Desk.xavier.example:8443"},
                                                                 {"desk.xavier.example.:8443"},
                                                                 {ours.host, ours.host},
                                                                 {ours.host, "evil.example"},
                                                                 {"a@" + ours.host},
                                                                 {ours.host + " "}}) {
    EXPECT_EQ(refusal(with(get("/"), "host", hosts)), "421 host-not-ours") << ::testing::PrintToString(hosts);
    EXPECT_EQ(refusal(with(post("/decision", decision), "host", hosts)), "421 host-not-ours");
  }
}

TEST(DeskAsked, TakesOnlyWhatItsOwnPagesSend) {
  EXPECT_EQ(refusal(post("/decision", decision)), "");
  EXPECT_EQ(refusal(with(post("/decision", decision), "sec-fetch-site", {"same-origin"})), "");
  for (const auto& origins : std::vector<std::vector<std::string>>{{},
                                                                   {"null"},
                                                                   {""},
                                                                   {"https://evil.example"},
                                                                   {"https://desk.xavier.example"},
                                                                   {"http://desk.xavier.example:8443"},
                                                                   {ours.text + "/"},
                                                                   {ours.text, ours.text},
                                                                   {ours.text, "https://evil.example"}})
    EXPECT_EQ(refusal(with(post("/decision", decision), "origin", origins)), "403 origin-not-ours")
        << ::testing::PrintToString(origins);
  for (const char* site : {"cross-site", "same-site", "none", ""})
    EXPECT_EQ(refusal(with(post("/decision", decision), "sec-fetch-site", {site})), "403 origin-not-ours") << site;
  EXPECT_EQ(refusal(with(get("/"), "origin", {"https://evil.example"})), "403 origin-not-ours");
  for (const auto& types : std::vector<std::vector<std::string>>{
           {}, {"text/plain"}, {"application/json", "application/json"}, {"application/x-www-form-urlencoded"}})
    EXPECT_EQ(refusal(with(post("/decision", decision), "content-type", types)), "415 not-json");
}

TEST(DeskAsked, ReadsADraftStrictly) {
  const auto read = std::get<AskedDraft>(asked(post("/draft", draft), ours));
  EXPECT_EQ(read.kind, StatementKind::approve);
  EXPECT_EQ(read.by, "bob@xavier.example");
  EXPECT_EQ(read.reason, "read the report");
  for (const char* key : {"run", "department", "kind", "by", "reason"}) {
    auto less = draft;
    less.erase(key);
    EXPECT_EQ(refusal(post("/draft", less)), "400 body-malformed") << key;
    for (const auto& value : {Json(7), Json(nullptr), Json::array(), Json("\x01"), Json("a/../b\n")}) {
      if (key == std::string("reason") && value.is_string()) continue;  // judged as part of the statement
      auto other = draft;
      other[key] = value;
      EXPECT_EQ(refusal(post("/draft", other)), "400 body-malformed") << key << value;
    }
  }
  auto more = draft;
  more["waives"] = Json::array();
  EXPECT_EQ(refusal(post("/draft", more)), "400 body-malformed");
  for (const char* kind : {"waive", "withdraw", "submit", "promote", "trust", "Approve", ""}) {
    auto other = draft;
    other["kind"] = kind;
    EXPECT_EQ(refusal(post("/draft", other)), "400 body-malformed") << kind;
  }
}

TEST(DeskAsked, ReadsADecisionStrictly) {
  const auto read = std::get<AskedDecision>(asked(post("/decision", decision), ours));
  EXPECT_EQ(read.set.run, "r1");
  EXPECT_EQ(read.statement, "{}\n");
  auto request = post("/decision", decision);
  for (const char* body :
       {"", "[]", "7", "null", "{", "{}{}", "{\"run\":\"r1\",\"run\":\"r1\"}", "\xff\xfe{}", "{\"a\":1e999}"}) {
    request.body = body;
    EXPECT_EQ(refusal(request), "400 body-malformed") << body;
  }
  request.body = std::string(200000, '[');
  EXPECT_EQ(refusal(request), "400 body-malformed");
  request.body = std::string(longest_body + 1, ' ');
  EXPECT_EQ(refusal(request), "413 too-large");
}

}  // namespace
}  // namespace patchlab::promotion::browser

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/asked.hpp"

#include <gmock/gmock.h>

namespace patchlab::process::page {
namespace {

using lab::web::NotAsked;

const lab::web::Origin ours = lab::web::read_origin("http://localhost:8444").value();

AskedPage get(const std::string& target, const std::string& method = "GET") {
  return asked({method, target, {{"host", ours.host}}, {}}, ours);
}
std::string refusal(const AskedPage& page) {
  const auto* no = std::get_if<NotAsked>(&page);
  return no == nullptr ? std::string() : fmt::format("{} {}", no->status, no->code);
}

TEST(PageAsked, KnowsItsPages) {
  EXPECT_TRUE(std::holds_alternative<AskedToday>(get("/")));
  EXPECT_TRUE(std::holds_alternative<AskedStyle>(get("/page.css")));
  EXPECT_EQ(std::get<AskedRuns>(get("/runs")).page, 1U);
  const auto runs = std::get<AskedRuns>(get("/runs?scenario=xavier-nightly&page=200"));
  EXPECT_EQ(runs.page, 200U);
  EXPECT_EQ(runs.scenario, "xavier-nightly");
  EXPECT_EQ(std::get<AskedRun>(get("/run/20261129-203108-57fe")).id, "20261129-203108-57fe");
  EXPECT_EQ(std::get<AskedCandidates>(get("/candidates?page=2")).page, 2U);
  EXPECT_EQ(std::get<AskedCandidate>(get("/candidate/apt-dovecot-2.3.19.1+dfsg1-2.1+deb12u7~1")).id,
            "apt-dovecot-2.3.19.1+dfsg1-2.1+deb12u7~1");
  EXPECT_TRUE(std::holds_alternative<AskedDepartments>(get("/departments")));
  EXPECT_EQ(std::get<AskedDepartment>(get("/department/finance")).name, "finance");
  EXPECT_TRUE(std::holds_alternative<AskedReports>(get("/reports")));
  EXPECT_TRUE(std::holds_alternative<AskedCompliance>(get("/compliance")));
  const auto file = std::get<AskedDownload>(get("/download/patch-status.json"));
  EXPECT_EQ(file.name, "patch-status");
  EXPECT_EQ(file.format, "json");
}

TEST(PageAsked, KnowsNothingElse) {
  for (const char* target : {"",
                             "*",
                             "//",
                             "/index.html",
                             "/run/",
                             "/run/../x",
                             "/run/.x",
                             "/run/a/b",
                             "/run/a%2fb",
                             "/candidate/",
                             "/candidate/a b",
                             "/candidate/%61",
                             "/department/Finance",
                             "/department/",
                             "/runs?page=0",
                             "/runs?page=-1",
                             "/runs?page=1x",
                             "/runs?page=99999999999999999999",
                             "/runs?page=1&page=2",
                             "/runs?page",
                             "/runs?page=1&",
                             "/runs?&page=1",
                             "/runs?x=1",
                             "/runs?scenario=../x",
                             "/candidates?scenario=x",
                             "/?page=1",
                             "/download/",
                             "/download/missing",
                             "/download/missing.xml",
                             "/download/.csv",
                             "/download/../x.csv",
                             "/desk.css",
                             "http://localhost:8444/"})
    EXPECT_EQ(refusal(get(target)), "404 not-found") << target;
}

TEST(PageAsked, OnlyShows) {
  for (const char* method : {"HEAD", "PUT", "DELETE", "OPTIONS", "get", ""})
    EXPECT_EQ(refusal(get("/", method)), "405 method-not-allowed") << method;
  const auto sent = asked({"POST", "/", {{"host", ours.host}, {"origin", ours.text}}, {}}, ours);
  EXPECT_EQ(refusal(sent), "405 method-not-allowed");
  EXPECT_EQ(refusal(asked({"GET", "/", {{"host", "evil.example"}}, {}}, ours)), "421 host-not-ours");
}

TEST(SignedIn, IsWhomTheProxyNamesOnce) {
  const auto who = [](const std::vector<lab::web::WebHeader>& headers) {
    const auto said = signed_in({"GET", "/", headers, {}}, "x-remote-user");
    const auto* name = std::get_if<std::string>(&said);
    return name == nullptr ? std::string("nobody") : *name;
  };
  EXPECT_EQ(who({{"x-remote-user", "bob@xavier.example"}}), "bob@xavier.example");
  EXPECT_EQ(who({{"x-remote-user", "CN=Bob,O=Xavier"}}), "CN=Bob,O=Xavier") << "the subject of a client certificate";
  EXPECT_EQ(who({}), "nobody");
  EXPECT_EQ(who({{"x-remote-user", ""}}), "nobody");
  EXPECT_EQ(who({{"x-remote-user", "bob"}, {"x-remote-user", "carol"}}), "nobody") << "one of them is not the proxy's";
  EXPECT_EQ(who({{"x-remote-user", std::string(201, 'a')}}), "nobody");
  EXPECT_EQ(who({{"x-remote-user",
                  "b\xc3\xb6"
                  "b"}}),
            "nobody");
}

TEST(SignInHeader, IsNoneThatBrowsersSend) {
  for (const char* name : {"x-remote-user", "remote-user", "x-ssl-client-s-dn"})
    EXPECT_TRUE(is_sign_in_header(name)) << name;
  for (const char* name : {"",
                           "host",
                           "cookie",
                           "user-agent",
                           "authorization",
                           "sec-fetch-user",
                           "X-Remote-User",
                           "x remote",
                           "x:y",
                           "upgrade-insecure-requests",
                           "cache-control",
                           "pragma",
                           "priority",
                           "dnt",
                           "te",
                           "range",
                           "accept-language",
                           "if-modified-since",
                           "keep-alive",
                           "proxy-connection"})
    EXPECT_FALSE(is_sign_in_header(name)) << name;
}

}  // namespace
}  // namespace patchlab::process::page

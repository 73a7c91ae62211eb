// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/web/for_us.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::web {
namespace {

using ::testing::ElementsAre;

const Origin ours = read_origin("https://page.xavier.example").value();

std::string refusal(const std::string& method, const std::vector<WebHeader>& headers) {
  const auto no = not_for_us({method, "/", headers, {}}, ours);
  return no ? fmt::format("{} {}", no->status, no->code) : std::string();
}

TEST(ForUs, IsWhatComesToOurNameAlone) {
  EXPECT_EQ(refusal("GET", {{"host", "page.xavier.example"}}), "");
  EXPECT_EQ(refusal("GET", {}), "421 host-not-ours");
  EXPECT_EQ(refusal("GET", {{"host", "evil.example"}}), "421 host-not-ours");
  EXPECT_EQ(refusal("GET", {{"host", "page.xavier.example"}, {"host", "page.xavier.example"}}), "421 host-not-ours");
  EXPECT_EQ(refusal("GET", {{"host", "page.xavier.example"}, {"origin", "https://evil.example"}}),
            "403 origin-not-ours");
}

TEST(ForUs, WhatSendsSomethingMustBeAPageOfOurs) {
  EXPECT_EQ(refusal("POST", {{"host", "page.xavier.example"}}), "403 origin-not-ours");
  EXPECT_EQ(refusal("POST", {{"host", "page.xavier.example"}, {"origin", "https://page.xavier.example"}}), "");
  EXPECT_EQ(refusal("POST", {{"host", "page.xavier.example"},
                             {"origin", "https://page.xavier.example"},
                             {"sec-fetch-site", "cross-site"}}),
            "403 origin-not-ours");
}

TEST(ForUs, FindsEachFieldOfAName) {
  EXPECT_THAT(values_of({"GET", "/", {{"a", "1"}, {"b", "2"}, {"a", ""}}, {}}, "a"), ElementsAre("1", ""));
}

}  // namespace
}  // namespace patchlab::lab::web

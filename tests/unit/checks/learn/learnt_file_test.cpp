// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/learn/learnt_file.hpp"

#include <gmock/gmock.h>

namespace patchlab::checks::learn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Learnt some() {
  return {{{{.id = "mx",
             .kind = "dns.query",
             .parameters = {{"name", "a."}, {"type", "MX"}},
             .deadline = Milliseconds(10000),
             .slower = {}},
            "zone a: MX"},
           {{.id = "relay",
             .kind = "mail.relay-refused",
             .parameters = Json::object(),
             .deadline = Milliseconds(20000),
             .slower = {}},
            "no relaying\n  ]}"}},
          {"port 22: nobody\x1b[31m asks"}};
}

TEST(LearntFile, IsWhatAReviewerReads) {
  EXPECT_EQ(
      learnt_file({"patchlab 1", "dns", "finance", "'dns' with the digest abc"}, some()),
      "// Learnt by patchlab 1 from 'dns' of 'finance', golden machine 'dns' with the digest abc.\n"
      "// Each check expects what the machine was seen to do, twice, right or wrong: review it, take out what may "
      "change,\n"
      "// add what is missing. At the end stands what was not learnt, and why.\n"
      "{\n"
      "  \"checks\": [\n"
      "    // zone a: MX\n"
      "    {\"id\": \"mx\", \"kind\": \"dns.query\", \"timeout_s\": 10, \"with\": {\n"
      "      \"name\": \"a.\",\n"
      "      \"type\": \"MX\"\n"
      "    }},\n"
      "    // no relaying\\n  ]}\n"
      "    {\"id\": \"relay\", \"kind\": \"mail.relay-refused\", \"timeout_s\": 20, \"with\": {}}\n"
      "    // Not learnt:\n"
      "    // - port 22: nobody\\x1b[31m asks\n"
      "  ]\n"
      "}\n");
}

TEST(LearntFile, TravelsFromACellAsItIs) {
  const auto there = learnt_from_json(Json(some()));
  EXPECT_EQ(learnt_file({"p", "m", "d", "g"}, there), learnt_file({"p", "m", "d", "g"}, some()));
}

TEST(LearntFile, KeepsWhatAPersonSaidOfAChecksTime) {
  auto learnt = some();
  const auto check = [](std::string id, std::string kind) {
    return CheckSpec{.id = std::move(id),
                     .kind = std::move(kind),
                     .parameters = {{"name", "of before"}},
                     .deadline = Milliseconds(99000),
                     .slower = Milliseconds(200)};
  };
  EXPECT_THAT(carry_over({check("gone", "dns.query"), check("mx", "dns.query"), check("relay", "dns.query")}, learnt),
              ElementsAre("gone", "relay"));
  const auto& mx = learnt.checks[0].spec;
  EXPECT_EQ(mx.slower, Milliseconds(200));
  EXPECT_EQ(mx.deadline, Milliseconds(99000));
  EXPECT_EQ(mx.parameters.at("name"), "a.") << "what is expected is what was learnt";
  EXPECT_EQ(learnt.checks[1].spec.slower, std::nullopt) << "another kind is another check";
  EXPECT_THAT(learnt_file({"p", "m", "d", "g"}, learnt),
              HasSubstr(R"({"id": "mx", "kind": "dns.query", "slower_ms": 200, "timeout_s": 99, "with": {)"));
}

}  // namespace
}  // namespace patchlab::checks::learn

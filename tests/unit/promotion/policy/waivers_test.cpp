// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/waivers.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "lab/core/time.hpp"
#include "promotion/policy/policy_document.hpp"

namespace patchlab::promotion {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;

const PolicyTime now = parse_rfc3339("2026-11-22T07:00:00Z").value();

Policy policy() {
  Policy policy;
  policy.waivers = {{Waivable::check, Waivable::state}, std::chrono::days(14), 2, {"db/transaction"}};
  return policy;
}
WaiverGiven good(const std::string& key = "mail/large-delivery") {
  return {"dave", key, "check", Outcome::fail, now - std::chrono::days(1), now + std::chrono::days(13)};
}
WaiverRefusal refusal_of(const WaiverGiven& waiver, const Policy& asked = policy()) {
  return judge_waivers(asked, {waiver}, now).at(0).refusal;
}

TEST(Waivers, AreTakenWhenThePolicyLetsThem) {
  EXPECT_EQ(refusal_of(good()), WaiverRefusal::none);
  auto until_the_end = good();
  until_the_end.until = until_the_end.signed_at + std::chrono::days(14);
  EXPECT_EQ(refusal_of(until_the_end), WaiverRefusal::none) << "the last moment that is allowed";
}

struct Bad {
  const char* name;
  WaiverRefusal refusal;
  std::function<void(WaiverGiven&, Policy&)> make;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadWaiver : public testing::TestWithParam<Bad> {};
TEST_P(BadWaiver, IsNotTaken) {
  auto waiver = good();
  auto asked = policy();
  GetParam().make(waiver, asked);
  const auto judged = judge_waivers(asked, {waiver}, now);
  ASSERT_EQ(judged.size(), 1U);
  EXPECT_EQ(judged[0].refusal, GetParam().refusal) << judged[0].text;
  EXPECT_THAT(judged[0].text, HasSubstr("'" + waiver.key + "': "));
  EXPECT_STRNE(to_string(judged[0].refusal), "");
}
INSTANTIATE_TEST_SUITE_P(
    Waivers, BadWaiver,
    testing::Values(
        Bad{"Expired", WaiverRefusal::expired, [](auto& w, auto&) { w.until = now; }},
        Bad{"TooLong", WaiverRefusal::too_long, [](auto& w, auto&) { w.until += std::chrono::seconds(1); }},
        Bad{"NotWaivable", WaiverRefusal::not_waivable, [](auto& w, auto&) { w.what = "install"; }},
        Bad{"UnknownKind", WaiverRefusal::not_waivable, [](auto& w, auto&) { w.what = "a word of the future"; }},
        Bad{"NothingMayBe", WaiverRefusal::not_waivable, [](auto&, Policy& p) { p.waivers = {}; }},
        Bad{"QuickstartTakesNone", WaiverRefusal::not_waivable, [](auto&, Policy& p) { p = quickstart_policy(); }},
        Bad{"NoneInASet", WaiverRefusal::too_many, [](auto&, Policy& p) { p.waivers.max_per_set = 0; }},
        Bad{"NeverThisKey", WaiverRefusal::never, [](auto& w, auto&) { w.key = "db/transaction"; }},
        Bad{"Error", WaiverRefusal::nothing_observed, [](auto& w, auto&) { w.original = Outcome::error; }},
        Bad{"NotReached", WaiverRefusal::nothing_observed, [](auto& w, auto&) { w.original = Outcome::not_reached; }},
        Bad{"Skipped", WaiverRefusal::nothing_observed, [](auto& w, auto&) { w.original = Outcome::skipped; }},
        Bad{"Pass", WaiverRefusal::nothing_observed, [](auto& w, auto&) { w.original = Outcome::pass; }}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Waivers, OfWhatIsNeverWaivedAreRefusedByEveryPolicy) {
  for (const auto* what : never_waived) {
    auto waiver = good();
    waiver.what = what;
    EXPECT_EQ(refusal_of(waiver), WaiverRefusal::never) << what;
    EXPECT_FALSE(waivable_from(what)) << what;
  }
}

TEST(Waivers, AreCountedInTheOrderOfTheLedger) {
  auto expired = good("print/job");
  expired.until = now;
  const auto judged = judge_waivers(policy(), {good("a/1"), expired, good("a/2"), good("a/3")}, now);
  std::vector<WaiverRefusal> refusals;
  for (const auto& one : judged) refusals.push_back(one.refusal);
  EXPECT_THAT(refusals, ElementsAre(WaiverRefusal::none, WaiverRefusal::expired, WaiverRefusal::too_many,
                                    WaiverRefusal::too_many));
}

// Else taking one back, or its end, would let another one count that was one too many before.
TEST(Waivers, KeepTheirPlaceWhenTheyAreOverAndTheSameFailureAgainIsOne) {
  auto withdrawn = good("a/1");
  withdrawn.withdrawn = true;
  auto too_long = good("a/0");
  too_long.until += std::chrono::days(1);
  const auto judged =
      judge_waivers(policy(), {too_long, withdrawn, good("a/1"), good("a/2"), good("a/3"), good("a/2")}, now);
  std::vector<WaiverRefusal> refusals;
  for (const auto& one : judged) refusals.push_back(one.refusal);
  EXPECT_THAT(refusals, ElementsAre(WaiverRefusal::too_long, WaiverRefusal::withdrawn, WaiverRefusal::none,
                                    WaiverRefusal::none, WaiverRefusal::too_many, WaiverRefusal::none));
}

TEST(Waivers, NeverNameWhatIsNeverWaivedInTheKeyEither) {
  for (const std::string word : never_waived) {
    for (const auto& fact : {word, word + "/dns", word + ":x"}) {
      auto waiver = good("mail/" + fact);
      EXPECT_EQ(refusal_of(waiver), WaiverRefusal::never) << fact;
      EXPECT_TRUE(is_never_waived(fact)) << fact;
    }
    EXPECT_FALSE(is_never_waived(word + "s")) << word;
    EXPECT_FALSE(is_never_waived("x" + word)) << word;
  }
}

}  // namespace
}  // namespace patchlab::promotion

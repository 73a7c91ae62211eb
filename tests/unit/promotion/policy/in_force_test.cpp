// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/in_force.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/policy/policy_document.hpp"

namespace patchlab::promotion {
namespace {
using testing::HasSubstr;
namespace fs = std::filesystem;

PolicyTime at(const std::string& text) { return parse_rfc3339(text).value(); }

Policy valid(const std::string& id, const std::string& since, const std::string& until,
             const std::string& replaces = {}) {
  Policy policy;
  policy.id = id;
  policy.digest = sha256(id);
  policy.valid_since = at(since);
  policy.valid_until = at(until);
  policy.replaces = replaces.empty() ? "" : sha256(replaces);
  return policy;
}

const Policy autumn = valid("autumn", "2026-09-01T00:00:00Z", "2026-12-01T00:00:00Z");
const Policy winter = valid("winter", "2026-12-01T00:00:00Z", "2027-03-01T00:00:00Z");

TEST(PolicyInForce, IsTheOneWhoseTimeItIs) {
  EXPECT_EQ(policy_in_force({autumn, winter}, at("2026-11-22T07:00:00Z")), autumn);
  EXPECT_EQ(policy_in_force({winter, autumn}, at("2027-01-22T07:00:00Z")), winter);
}

TEST(PolicyInForce, ChangesAtTheVeryMoment) {
  EXPECT_EQ(policy_in_force({autumn, winter}, at("2026-11-30T23:59:59.999999999Z")), autumn);
  EXPECT_EQ(policy_in_force({autumn, winter}, at("2026-12-01T00:00:00Z")), winter);
}

TEST(PolicyInForce, IsNoneBeforeAfterAndBetween) {
  for (const auto* moment : {"2026-08-31T23:59:59Z", "2027-03-01T00:00:00Z"}) {
    const auto policy = policy_in_force({autumn, winter}, at(moment));
    ASSERT_TRUE(policy.trouble) << moment;
    EXPECT_EQ(policy.trouble->kind, PolicyTrouble::Kind::none_in_force);
    EXPECT_THAT(policy.trouble->text, HasSubstr("'autumn' (2026-09-01T00:00:00.000Z to 2026-12-01T00:00:00.000Z)"));
  }
  const auto spring = valid("spring", "2027-04-01T00:00:00Z", "2027-05-01T00:00:00Z");
  EXPECT_TRUE(policy_in_force({winter, spring}, at("2027-03-15T00:00:00Z")).trouble);
  EXPECT_TRUE(policy_in_force({}, at("2027-03-15T00:00:00Z")).trouble);
}

TEST(PolicyInForce, IsAmbiguousWhenThereAreTwo) {
  const auto other = valid("other", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
  const auto policy = policy_in_force({autumn, other}, at("2026-11-22T12:00:00Z"));
  ASSERT_TRUE(policy.trouble);
  EXPECT_EQ(policy.trouble->kind, PolicyTrouble::Kind::ambiguous);
  EXPECT_THAT(policy.trouble->text, HasSubstr("2 policies are in force at 2026-11-22T12:00:00.000Z: 'autumn'"));
  EXPECT_EQ(policy_in_force({autumn, other}, at("2026-11-23T00:00:00Z")), autumn) << "not any more";
  EXPECT_TRUE(policy_in_force({autumn, autumn}, at("2026-11-22T12:00:00Z")).trouble) << "the same twice is two";
}

TEST(PolicyInForce, EndsWhenTheOneThatReplacesItBegins) {
  const auto stricter = valid("stricter", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z", "autumn");
  EXPECT_EQ(policy_in_force({autumn, stricter}, at("2026-11-21T23:59:59Z")), autumn);
  EXPECT_EQ(policy_in_force({autumn, stricter}, at("2026-11-22T00:00:00Z")), stricter);
  // What was replaced does not come back by itself.
  EXPECT_TRUE(policy_in_force({autumn, stricter}, at("2026-11-29T00:00:00Z")).trouble);
}

TEST(PolicyInForce, IsNeverGuessed) {
  std::mt19937 random(20261122);
  const auto day = [&](int from) {
    return PolicyTime(std::chrono::sys_days(std::chrono::year{2026} / 11 / 1) + std::chrono::days(from));
  };
  std::array<int, 3> seen{};
  for (int round = 0; round < 2000; ++round) {
    std::vector<Policy> all;
    for (auto i = random() % 5; i > 0; --i) {
      auto policy = autumn;
      const int since = static_cast<int>(random() % 20);
      policy.digest = sha256(std::to_string(round) + "/" + std::to_string(i));
      policy.valid_since = day(since);
      policy.valid_until = day(since + 1 + static_cast<int>(random() % 20));
      if (!all.empty() && random() % 3 == 0) policy.replaces = all[random() % all.size()].digest;
      all.push_back(policy);
    }
    const auto now = day(static_cast<int>(random() % 40));
    const auto count = std::ranges::count_if(all, [&](const auto& policy) { return is_in_force(policy, all, now); });
    const auto found = policy_in_force(all, now);
    ++seen[static_cast<std::size_t>(std::min<std::ptrdiff_t>(count, 2))];
    EXPECT_EQ(!found.trouble, count == 1);
    if (found.trouble) continue;
    EXPECT_LE(*found.valid_since, now);
    EXPECT_GT(*found.valid_until, now);
  }
  for (const auto times : seen) EXPECT_GT(times, 100) << "too few of one kind to say anything";
}

class PoliciesOfStage : public testing::Test {
 protected:
  PoliciesOfStage() {
    char name[] = "/tmp/patchlab-policy-XXXXXX";
    stage_ = ::mkdtemp(name);
  }
  ~PoliciesOfStage() override { EXPECT_TRUE(remove_tree(stage_)); }

  static std::string text_of(const std::string& id, const std::string& since, const std::string& until) {
    return Json{{"schema", policy_schema}, {"id", id}, {"valid_since", since}, {"valid_until", until}}.dump();
  }
  void write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(create_folders(policy_folder(stage_)));
    EXPECT_TRUE(write_file_atomically(policy_folder(stage_) / name, text));
  }
  [[nodiscard]] std::string error_after(const std::string& name, const std::string& text) const {
    write(name, text);
    const auto policy = policy_of_stage(stage_, now_);
    EXPECT_FALSE(policy) << name;
    return policy ? "" : policy.error().message;
  }

  fs::path stage_;
  PolicyTime now_ = at("2026-11-22T07:00:00Z");
};

TEST_F(PoliciesOfStage, AreTheQuickstartWhereThereIsNone) {
  EXPECT_EQ(policy_of_stage(stage_, now_)->id, "quickstart");
  EXPECT_EQ(policy_of_stage(stage_ / "not-there", now_)->id, "quickstart");
  ASSERT_TRUE(create_folders(policy_folder(stage_)));
  EXPECT_EQ(policy_of_stage(stage_, now_)->id, "quickstart");
}

TEST_F(PoliciesOfStage, CountInTheOrderOfTheirNumbers) {
  write("10.json", text_of("c", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"));
  write("2.json", text_of("b", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
  write("1.json", text_of("a", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"));
  write("1.json.tmp-77-0", "{\"half\": ");  // an interrupted write
  const auto all = policies_of_stage(stage_);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_THAT(*all, testing::ElementsAre(testing::Field(&Policy::id, "a"), testing::Field(&Policy::id, "b"),
                                         testing::Field(&Policy::id, "c")));
  EXPECT_EQ(policy_of_stage(stage_, now_)->id, "b");
}

// A stage with a policy of its own never falls back to the one that asks nobody.
TEST_F(PoliciesOfStage, ThatAreNotInForceAreNotReplacedByTheQuickstart) {
  write("1.json", text_of("over", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"));
  const auto policy = policy_of_stage(stage_, now_);
  ASSERT_TRUE(policy);
  ASSERT_TRUE(policy->trouble);
  EXPECT_EQ(policy->trouble->kind, PolicyTrouble::Kind::none_in_force);
}

TEST_F(PoliciesOfStage, CannotBeToldWhenOneCannotBeRead) {
  write("1.json", text_of("good", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
  EXPECT_THAT(error_after("2.json", "{"), HasSubstr("2.json"));
  EXPECT_THAT(error_after("2.json", text_of("zoneless", "2026-11-01T00:00:00", "2026-12-01T00:00:00Z")),
              HasSubstr("/valid_since"));
  EXPECT_THAT(error_after("2.json", R"({"schema": "patchlab/policy/v1", "id": "x", "ok": true})"), HasSubstr("/ok"));
}

TEST_F(PoliciesOfStage, CannotBeToldWhenSomethingElseLiesAmongThem) {
  write("1.json", text_of("good", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
  for (const auto* name :
       {"strict.json", "01.json", "0.json", "2.JSON", "2.json.bak", "2", "1000000.json", ".2.json"}) {
    EXPECT_THAT(error_after(name, text_of("strict", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")),
                HasSubstr("is no policy document of the stage"))
        << name;
    ASSERT_TRUE(remove_tree(policy_folder(stage_) / name));
  }
  EXPECT_EQ(policy_of_stage(stage_, now_)->id, "good");
}

TEST_F(PoliciesOfStage, AreFilesAndNotLinksToOthers) {
  const auto elsewhere = stage_ / "elsewhere.json";
  ASSERT_TRUE(write_file_atomically(elsewhere, text_of("good", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")));
  ASSERT_TRUE(create_folders(policy_folder(stage_)));
  fs::create_symlink(elsewhere, policy_folder(stage_) / "1.json");
  EXPECT_FALSE(policy_of_stage(stage_, now_));
}

TEST_F(PoliciesOfStage, ReplaceOnlyWhatIsThere) {
  write("1.json", text_of("good", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
  auto next = Json::parse(text_of("next", "2026-11-20T00:00:00Z", "2026-12-20T00:00:00Z"));
  next["replaces"] = sha256("another stage's");
  EXPECT_THAT(error_after("2.json", next.dump()), HasSubstr("which is none of the documents there"));
  next["replaces"] = sha256(read_file(policy_folder(stage_) / "1.json").value());
  write("2.json", next.dump());
  EXPECT_EQ(policy_of_stage(stage_, now_)->id, "next");
}

}  // namespace
}  // namespace patchlab::promotion

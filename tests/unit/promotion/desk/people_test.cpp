// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/people.hpp"

#include <gmock/gmock.h>

namespace patchlab::promotion {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint8_t touched = 0x01;
constexpr std::uint8_t verified = 0x05;

Approval by(const std::string& name, std::optional<std::uint8_t> flags = std::nullopt) {
  Approval approval;
  approval.by = name;
  if (flags) approval.security_key = SecurityKeyUse{*flags, 1, {}};
  return approval;
}

TEST(People, ApproveOnceWhateverTheySignedWith) {
  Decisions decisions;
  decisions.approvals = {by("bob"), by("eve", touched), by("bob", verified), by("bob", touched), by("ann", 0)};
  EXPECT_THAT(approvals_given(decisions),
              ElementsAre(ApprovalGiven{.by = "ann"}, ApprovalGiven{.by = "bob", .key = SecurityKey::verified},
                          ApprovalGiven{.by = "eve", .key = SecurityKey::touched}));
}

TEST(People, WhoSubmittedOrWaivedAreKnownAsThat) {
  Decisions decisions;
  decisions.approvals = {by("bob"), by("eve")};
  decisions.submitters = {"bob"};
  decisions.waivers.emplace_back().by = "eve";
  EXPECT_THAT(approvals_given(decisions), ElementsAre(ApprovalGiven{.by = "bob", .submitted = true},
                                                      ApprovalGiven{.by = "eve", .waived_something = true}));
  EXPECT_TRUE(is_anything_waived(decisions));
  EXPECT_FALSE(is_anything_waived({}));
}

TEST(People, ObjectByRejectingAndByWhatNobodyCanRead) {
  Decisions decisions;
  EXPECT_THAT(objections_of(decisions), IsEmpty());
  auto& rejection = decisions.rejections.emplace_back();
  rejection.by = "eve";
  rejection.seq = 7;
  rejection.reason = "too early";
  decisions.not_counted.emplace_back().why = WhyNot::withdrawn;
  decisions.not_counted.push_back({WhyNot::unknown_kind, 3, {}, {}, "line 3: 'veto' is no kind", true});
  EXPECT_THAT(objections_of(decisions),
              ElementsAre("line 3: 'veto' is no kind", "line 7: rejected by 'eve': too early"));
}

}  // namespace
}  // namespace patchlab::promotion

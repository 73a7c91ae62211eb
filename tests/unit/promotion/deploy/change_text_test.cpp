// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "promotion/deploy/change_record.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::HasSubstr;

ChangeRecord change_of(std::uint64_t serial, const std::string& rejected = "") {
  ChangeRecord change;
  change.stage = "/srv/production";
  change.department = "finance";
  change.serial = serial;
  change.run = "r-" + std::to_string(serial);
  change.rejected = rejected;
  return change;
}
std::string back_out(const ChangeRecord& change) { return change_json(change).at("back_out").at("says"); }

TEST(Change, GoesBackToWhatNobodyRejectedByAskingTheGateAgain) {
  std::vector<ChangeRecord> changes{change_of(1), change_of(3, "line 9: rejected by dave@x since: slow"), change_of(4)};
  add_what_was_before(changes);
  EXPECT_EQ(back_out(changes[0]), "nothing was promoted before: remove what was installed");
  const std::string asks =
      "patchlab promote r-1 --stage /srv/production --department finance --rollback REASON asks for what serial 1 was, "
      "as a new serial; the gate is asked again, and can refuse";
  EXPECT_EQ(back_out(changes[1]), asks);
  EXPECT_EQ(back_out(changes[2]), "serial 3 was rejected since; " + asks);
  std::vector<ChangeRecord> all_rejected{change_of(1, "line 9: rejected"), change_of(2)};
  add_what_was_before(all_rejected);
  EXPECT_EQ(back_out(all_rejected[1]),
            "serial 1 was rejected since; nothing else was promoted before: remove what was installed");
}

TEST(Change, SaysWhoAsksForNoApproval) {
  auto change = change_of(1);
  EXPECT_THAT(change_text(change), HasSubstr("nobody: the policy asks for none\n"));
  change.emergency = "exploited";
  EXPECT_THAT(change_text(change), HasSubstr("nobody: the emergency lane asks for none\n"));
}

TEST(Change, HasTheRiskOfWhatWasNotTakenAwayAgain) {
  auto change = change_of(1);
  for (const auto& [id, removal] : {std::pair{"a", ""}, std::pair{"b", "Was removed again, and every check passed"},
                                    std::pair{"c", "Removal was not rehearsed: it cannot be"},
                                    std::pair{"d", "Cannot be removed from 'dns': exit code 1"}}) {
    ChangeItem item;
    item.id = id;
    item.removal = removal;
    change.items.push_back(std::move(item));
  }
  const auto csv = change_csv({change});
  EXPECT_THAT(csv, HasSubstr("; a: nobody tried to take it away again; c: Removal was not rehearsed: it cannot be; "
                             "d: Cannot be removed from 'dns': exit code 1"));
  const auto text = change_text(change);
  EXPECT_LT(text.find("c: Removal was not"), text.find("\nTested"));
  change.approvals = {{"bob@x", "2026-11-28T08:00:00Z", 5, "read", "CHG1"}};
  EXPECT_THAT(change_text(change), HasSubstr("bob@x on 2026-11-28T08:00:00Z, line 5 (CHG1)\n"));
}

}  // namespace
}  // namespace patchlab::promotion

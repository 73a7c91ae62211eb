// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/tray.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::libvirt {
namespace {

// As libvirt 9.0 has it, of a guest that looked into its drive.
constexpr const char* closed =
    "changing the medium of 'dns': internal error: unable to execute QEMU command 'blockdev-remove-medium': Tray of "
    "device 'ide0-0-1' is not open";

class OpenTray : public ::testing::Test {
 protected:
  // What comes of a change that ends so `times` times, and then well.
  Result<void> change(const std::string& message, int times) {
    asked_ = 0;
    return with_open_tray(3, [&]() -> Result<void> {
      if (asked_++ < times) return infrastructure_error(message);
      return {};
    });
  }
  int asked_ = 0;
};

TEST_F(OpenTray, IsAskedForAgainWhenTheGuestClosedIt) {
  for (const int times : {0, 1, 2}) {
    EXPECT_TRUE(change(closed, times)) << times;
    EXPECT_EQ(asked_, times + 1);
  }
}

TEST_F(OpenTray, IsGivenUpWithWhatWasSaidLast) {
  const auto trouble = change(closed, 3);
  ASSERT_FALSE(trouble);
  EXPECT_EQ(trouble.error().message, closed);
  EXPECT_EQ(asked_, 3);
}

TEST_F(OpenTray, IsNotTheReasonForAnyOtherTrouble) {
  for (const char* other : {"Tray of device 'ide0-0-1' is locked and force was not specified",
                            "cannot open file '/x.iso': the file is not open to others"}) {
    EXPECT_FALSE(change(other, 1)) << other;
    EXPECT_EQ(asked_, 1) << other;
  }
}

}  // namespace
}  // namespace patchlab::lab::libvirt

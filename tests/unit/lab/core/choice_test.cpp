// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/choice.hpp"

#include <gmock/gmock.h>

namespace patchlab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Choice, NearIsWhatFewLettersMakeOrWhatBeginsSo) {
  const std::vector<std::string> known{"finance", "sales", "sales-lab", "hr"};
  EXPECT_THAT(nearest("finanze", known), ElementsAre("finance"));
  EXPECT_THAT(nearest("sale", known), ElementsAre("sales", "sales-lab"));
  EXPECT_THAT(nearest("accounting", known), IsEmpty());
  EXPECT_THAT(nearest("", known), IsEmpty());
  EXPECT_THAT(nearest(std::string(65, 'a'), {std::string(65, 'b')}), IsEmpty());
}

TEST(Choice, TheFirstThatIsNotThereIsNamedWithAllThatAre) {
  EXPECT_TRUE(check_choice("--department", {"a", "b"}, "is not there", {"b", "a"}));
  EXPECT_TRUE(check_choice("--department", {}, "is not there", {}));
  const auto wrong = check_choice("--department", {"finance", "salles", "x"}, "is not there", {"finance", "sales"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().error_class, ErrorClass::usage);
  EXPECT_EQ(wrong.error().message, "--department 'salles' is not there; there are: finance, sales");
  EXPECT_EQ(wrong.error().hint, "did you mean sales?");
  const auto none = check_choice("--department", {"x"}, "is not there", {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "--department 'x' is not there; there are: nothing");
  EXPECT_EQ(none.error().hint, "");
}

}  // namespace
}  // namespace patchlab

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/source.hpp"

#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::content {
namespace {

using ::testing::HasSubstr;

TEST(ContentSource, IsAFolderOrAUrlThatNobodyElseCanAnswer) {
  for (const auto* good : {"/srv/content", "https://images.lab/content", "https://images.lab:8443/",
                           "http://127.0.0.1:80/x", "http://localhost/x", "http://[::1]:8080"})
    EXPECT_EQ(wrong_with_source(good), "") << good;
  for (const auto* bad :
       {"", "content", "./content", "http://images.lab/content", "http://127.0.0.1.images.lab/", "http://10.0.0.1/",
        "ftp://images.lab/", "file:///etc", "https://", "https://bob:secret@images.lab/", "https://bob@images.lab/",
        "https://images.lab/?x", "https://images.lab/#x", "https://images.lab/a b", "https://images.lab/\n"})
    EXPECT_NE(wrong_with_source(bad), "") << bad;
  EXPECT_THAT(wrong_with_source("http://images.lab/content"), HasSubstr("must begin with https://"));
}

TEST(ContentSource, AFolderThatIsNotThereIsAMistakeOfTheSite) {
  const test::TemporaryFolder folder;
  const auto none = open_source({folder.path() / "none", {}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error_class, ErrorClass::configuration);
  const auto source = open_source({folder.path(), {}});
  ASSERT_TRUE(source);
  folder.write("x", "12345");
  EXPECT_EQ((*source)->read("x", 5).value(), "12345");
  EXPECT_FALSE((*source)->read("x", 4)) << "longer than it may be";
  EXPECT_EQ((*source)->read("y", 4).value(), std::nullopt);
  std::filesystem::create_symlink("x", folder.path() / "link");
  EXPECT_FALSE((*source)->read("link", 5));
}

}  // namespace
}  // namespace patchlab::lab::content

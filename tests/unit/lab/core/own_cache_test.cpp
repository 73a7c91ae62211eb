// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>

#include "lab/core/files.hpp"

namespace patchlab {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0U;
}

class OwnCache : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-own-cache-XXXXXX";
    folder_ = ::mkdtemp(name);
    for (const auto* variable : {"PATCHLAB_CACHE", "XDG_CACHE_HOME", "HOME"}) {
      if (const char* value = std::getenv(variable)) before_[variable] = value;
      ::unsetenv(variable);
    }
  }
  void TearDown() override {
    for (const auto* variable : {"PATCHLAB_CACHE", "XDG_CACHE_HOME", "HOME"}) {
      ::unsetenv(variable);
      if (before_.count(variable) == 1) ::setenv(variable, before_[variable].c_str(), 1);
    }
    fs::remove_all(folder_);
  }
  std::string expect_error() {
    const auto cache = own_cache();
    EXPECT_FALSE(cache);
    if (cache) return {};
    EXPECT_EQ(cache.error().error_class, ErrorClass::configuration);
    EXPECT_THAT(cache.error().hint, Not(testing::IsEmpty())) << "the next step must be named";
    return cache.error().message;
  }

  fs::path folder_;
  std::map<std::string, std::string> before_;
};

// Whatever the variable, and wherever on the way.
TEST_F(OwnCache, IsNoFileNoPipeNoLinkToNowhereAndNotBelowOne) {
  const auto file = folder_ / "file";
  ::close(::creat(file.c_str(), 0600));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  fs::create_symlink("nowhere", folder_ / "link");
  for (const auto* variable : {"PATCHLAB_CACHE", "XDG_CACHE_HOME", "HOME"}) {
    for (const auto& thing : {file, folder_ / "pipe", folder_ / "link", file / "below", fs::path("/dev/null")}) {
      ::setenv(variable, thing.c_str(), 1);
      EXPECT_THAT(expect_error(), HasSubstr("is no folder")) << variable << " " << thing;
      ::unsetenv(variable);
    }
  }
  // A link to a folder is one.
  fs::create_directory(folder_ / "real");
  fs::create_symlink("real", folder_ / "to-real");
  ::setenv("PATCHLAB_CACHE", (folder_ / "to-real").c_str(), 1);
  EXPECT_TRUE(own_cache());
}

TEST_F(OwnCache, IsNowhereWithoutAHome) {
  EXPECT_THAT(expect_error(), HasSubstr("none of PATCHLAB_CACHE, XDG_CACHE_HOME and HOME is set"));
  EXPECT_THROW((void)cache_folder(), std::logic_error);
  ::setenv("HOME", "", 1);
  EXPECT_THAT(expect_error(), HasSubstr("none of"));
}

TEST_F(OwnCache, IsWhereTheFirstVariableSays) {
  ::setenv("HOME", folder_.c_str(), 1);
  EXPECT_EQ(own_cache().value(), folder_ / ".cache/patchlab");
  ::setenv("XDG_CACHE_HOME", (folder_ / "xdg").c_str(), 1);
  EXPECT_EQ(own_cache().value(), folder_ / "xdg/patchlab");
  ::setenv("PATCHLAB_CACHE", (folder_ / "own").c_str(), 1);
  EXPECT_EQ(own_cache().value(), folder_ / "own");
  EXPECT_EQ(cache_folder(), folder_ / "own");
}

// A cell has another working folder.
TEST_F(OwnCache, IsAbsolute) {
  const auto here = fs::current_path();
  fs::current_path(folder_);
  ::setenv("PATCHLAB_CACHE", "relative", 1);
  EXPECT_EQ(own_cache().value(), folder_ / "relative");
  fs::current_path(here);
}

TEST_F(OwnCache, IsMadeForUsAlone) {
  const auto before = ::umask(0);
  ::setenv("PATCHLAB_CACHE", (folder_ / "a/b").c_str(), 1);
  EXPECT_TRUE(own_cache());
  ::umask(before);
  EXPECT_EQ(mode_of(folder_ / "a/b"), 0700U);
}

TEST_F(OwnCache, OfAnEarlierVersionIsClosedToOthers) {
  ::setenv("PATCHLAB_CACHE", folder_.c_str(), 1);
  for (const mode_t mode : {0755U, 0750U, 0711U, 0701U, 0740U}) {
    ::chmod(folder_.c_str(), mode);
    EXPECT_TRUE(own_cache());
    EXPECT_EQ(mode_of(folder_), 0700U) << std::oct << mode;
  }
}

// So a desk that is another user reads the images in it, before and after each command of the lab.
TEST_F(OwnCache, ThatAGroupPassesThroughStaysSo) {
  ::setenv("PATCHLAB_CACHE", folder_.c_str(), 1);
  ::chmod(folder_.c_str(), 0710);
  EXPECT_TRUE(own_cache());
  EXPECT_EQ(mode_of(folder_), 0710U);
}

TEST_F(OwnCache, ThatOthersCanWriteToIsRefused) {
  ::setenv("PATCHLAB_CACHE", folder_.c_str(), 1);
  for (const mode_t mode : {0770U, 0707U, 01777U}) {
    ::chmod(folder_.c_str(), mode);
    EXPECT_THAT(expect_error(), HasSubstr("other users can write to the cache"));
    EXPECT_EQ(mode_of(folder_), mode & 0777U) << "what is in it is not made good by closing it now";
  }
}

TEST_F(OwnCache, OfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a folder away";
  ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  ::setenv("PATCHLAB_CACHE", folder_.c_str(), 1);
  EXPECT_THAT(expect_error(), HasSubstr("belongs to user 65534"));
}

TEST_F(OwnCache, ThatIsNoFolderIsAnError) {
  ASSERT_TRUE(write_file_atomically(folder_ / "file", "x"));
  ::setenv("PATCHLAB_CACHE", (folder_ / "file").c_str(), 1);
  EXPECT_FALSE(own_cache());
}

}  // namespace
}  // namespace patchlab

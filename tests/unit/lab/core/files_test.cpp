// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/files.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"

namespace patchlab {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string pattern = ::testing::TempDir() + "patchlab-files-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Files() override { static_cast<void>(remove_tree(folder_)); }

  fs::path folder_;
};

// None of them may be waited for, read or taken for an empty file.
TEST_F(Files, WhatIsNoRegularFileIsSaidByItsKind) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  fs::create_symlink("fifo", folder_ / "link-to-fifo");
  fs::create_symlink("nowhere", folder_ / "dangling");
  fs::create_symlink("loop", folder_ / "loop");
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{AF_UNIX, {}};
  (folder_ / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::vector<std::pair<fs::path, std::string>> cases{
      {folder_ / "fifo", "is a named pipe, and no regular file"},
      {folder_ / "link-to-fifo", "is a named pipe, and no regular file"},
      {folder_ / "socket", "is a socket, and no regular file"},
      {"/dev/null", "is a device, and no regular file"},
      {"/dev/zero", "is a device, and no regular file"},
      {folder_, "is a folder, and no regular file"},
      {folder_ / "dangling", "No such file or directory"},
      {folder_ / "missing" / "x", "No such file or directory"},
      {folder_ / "fifo" / "x", "Not a directory"},
      {folder_ / "loop", "Too many levels of symbolic links"},
      {folder_ / std::string(300, 'x'), "File name too long"},
      {std::string(5000, 'x'), "File name too long"},
      {fs::path(std::string("a\0b", 3)), "NUL character"},
      {"", "No such file or directory"}};
  for (const auto& [path, says] : cases) {
    for (const auto& error : {open_input(path).error(), read_file(path).error(), sha256_of_file(path).error(),
                              read_json_file(path).error()}) {
      EXPECT_THAT(error.message, HasSubstr(says)) << path;
      EXPECT_EQ(error.error_class, ErrorClass::configuration) << path;
    }
  }
}

TEST_F(Files, LinksAreFollowedOnlyWhereTheyMayStand) {
  ASSERT_TRUE(write_file_atomically(folder_ / "file", "x"));
  fs::create_symlink("file", folder_ / "link");
  EXPECT_EQ(read_file(folder_ / "link").value(), "x");
  EXPECT_THAT(read_file(folder_ / "link", 10, Links::refuse).error().message, HasSubstr("is a symbolic link"));
  EXPECT_EQ(read_file(folder_ / "file", 10, Links::refuse).value(), "x");
}

TEST_F(Files, ReadsWhatTheKernelMakesUp) { EXPECT_THAT(read_file("/proc/self/stat").value(), HasSubstr("(")); }

TEST_F(Files, RefusesWhatIsTooLarge) {
  ASSERT_TRUE(write_file_atomically(folder_ / "file", "12345"));
  EXPECT_EQ(read_file(folder_ / "file", 5).value(), "12345");
  EXPECT_THAT(read_file(folder_ / "file", 4).error().message, HasSubstr("larger than the 4 bytes allowed here"));
}

TEST_F(Files, AModeThatIsGivenDoesNotDependOnTheUmask) {
  const auto before = ::umask(0);
  EXPECT_TRUE(write_file_atomically(folder_ / "file", "x", 0444));
  ::umask(before);
  EXPECT_EQ(fs::status(folder_ / "file").permissions(), fs::perms(0444));
}

TEST_F(Files, RemovesATreeAndFollowsNoLinkOutOfIt) {
  ASSERT_TRUE(create_folders(folder_ / "precious"));
  ASSERT_TRUE(write_file_atomically(folder_ / "precious" / "file", "x"));
  ASSERT_TRUE(create_folders(folder_ / "tree" / "a" / "b"));
  ASSERT_TRUE(write_file_atomically(folder_ / "tree" / "a" / "b" / "file", "x"));
  fs::create_symlink(folder_ / "precious", folder_ / "tree" / "a" / "link");
  fs::permissions(folder_ / "tree" / "a" / "b", fs::perms(0555));
  fs::create_symlink(folder_ / "precious", folder_ / "link");
  EXPECT_TRUE(remove_tree(folder_ / "tree"));
  EXPECT_TRUE(remove_tree(folder_ / "link"));
  EXPECT_TRUE(remove_tree(folder_ / "not-there"));
  EXPECT_FALSE(fs::exists(folder_ / "tree"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(folder_ / "link")));
  EXPECT_TRUE(fs::exists(folder_ / "precious" / "file"));
}

TEST_F(Files, QuestionsAboutPathsAreAnsweredWhateverThePathIs) {
  fs::create_symlink("loop", folder_ / "loop");
  for (const auto& path : {fs::path(), fs::path(std::string(5000, 'x')), folder_ / "loop",
                           folder_ / std::string(300, 'x'), fs::path(std::string("/\0", 2)), folder_ / "missing"}) {
    EXPECT_FALSE(is_there(path));
    EXPECT_FALSE(is_folder(path));
    EXPECT_FALSE(is_file(path));
    EXPECT_FALSE(entries_of(path));
  }
  EXPECT_FALSE(absolute_path(""));
  EXPECT_FALSE(resolved_path(folder_ / "loop"));
  EXPECT_FALSE(resolved_path(std::string("a\0b", 3)));
  EXPECT_EQ(absolute_path("x").value(), fs::current_path() / "x");
  ASSERT_TRUE(write_file_atomically(folder_ / "b", ""));
  EXPECT_THAT(entries_of(folder_).value(), SizeIs(2));
}

TEST(Names, CandidateIdsAreNoOptionsPatternsPathsOrFilesOfOurs) {
  for (const char* good : {"KB5041585", "bind9-1.2+deb12u1", "7zip", "a", "a~b_c.d"})
    EXPECT_TRUE(is_candidate_id(good));
  for (const char* bad : {"", "--force", "*", "..", ".hidden", "a/b", "a b", "manifest.json", "SHA256SUMS", "a\nb", "-x", "ü"})
    EXPECT_FALSE(is_candidate_id(bad)) << bad;
  EXPECT_TRUE(is_candidate_id(std::string(120, 'a')));
  EXPECT_FALSE(is_candidate_id(std::string(121, 'a')));
}

TEST(Names, OfScenariosAreSmallAndPlain) {
  for (const char* good : {"finance", "r2-d2", "a"}) EXPECT_TRUE(is_scenario_name(good));
  for (const char* bad : {"", "Finance", "2fast", "-x", "a b", "a_b", "..", "*"}) EXPECT_FALSE(is_scenario_name(bad));
  EXPECT_TRUE(is_scenario_name(std::string(31, 'a')));
  EXPECT_FALSE(is_scenario_name(std::string(32, 'a')));
}

}  // namespace
}  // namespace patchlab

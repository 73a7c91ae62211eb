// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/repack/package_content.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "patches/deb/deb_file.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using testing::file;
using testing::folder;
using ::testing::HasSubstr;
using testing::PackageBuilder;
using testing::TestFolder;

class PackageContentTest : public ::testing::Test {
 protected:
  PackageContentTest() {
    recipe_.identity.id = "x";
    recipe_.base_package = "hello";
    recipe_.version_suffix = "+patchlab1";
    builder_.data = {folder("./"),
                     folder("./etc/"),
                     file("./etc/hello.conf", "colour = red\ncolour = red\n"),
                     folder("./usr/"),
                     folder("./usr/share/"),
                     file("./usr/share/a", "a"),
                     file("./usr/share/b", "b", 0750)};
    builder_.data[6].user_id = 42;
    builder_.data[6].user = "someone";
    builder_.control_extra = {file("./conffiles", "/etc/hello.conf\n"),
                              file("./postinst", "#!/bin/bash\necho one\n\nexit 0\n", 0755)};
  }
  Result<PackageContent> run() { return apply_recipe({builder_.control(), builder_.data}, recipe_); }
  static const TarEntry* find(const std::vector<TarEntry>& entries, const std::string& path) {
    for (const auto& entry : entries) {
      if (plain_path(entry.path) == path) return &entry;
    }
    return nullptr;
  }
  PackageBuilder builder_;
  Recipe recipe_;
};

TEST_F(PackageContentTest, RaisesTheVersionAndKeepsTheRest) {
  const auto content = run();
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_THAT(find(content->control, "control")->content,
              HasSubstr("Package: hello\nVersion: 1:2.10-3+patchlab1\nArchitecture: amd64\n"));
  EXPECT_EQ(content->data, builder_.data);
}

TEST_F(PackageContentTest, RemovesReplacesAppendsAndOverlays) {
  recipe_.remove = {"usr/share/a"};
  recipe_.replacements = {{"etc/hello.conf", "red", "reddish red"}};
  recipe_.additions = {{"usr/share/b", "more"}};
  recipe_.overlay = {{"opt/new/tool", "#!/bin/sh\n", true}, {"etc/extra.conf", "e", false}};
  const auto content = run();
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(find(content->data, "usr/share/a"), nullptr);
  EXPECT_EQ(find(content->data, "etc/hello.conf")->content, "colour = reddish red\ncolour = reddish red\n");
  EXPECT_EQ(find(content->data, "usr/share/b")->content, "bmore");
  EXPECT_EQ(find(content->data, "usr/share/b")->user, "someone");
  EXPECT_EQ(find(content->data, "usr/share/b")->mode, 0750U);
  EXPECT_EQ(find(content->data, "opt/new")->type, EntryType::folder);
  EXPECT_EQ(find(content->data, "opt/new/tool")->mode, 0755U);
  EXPECT_EQ(find(content->data, "opt/new/tool")->modified, 1'600'000'000);
  EXPECT_EQ(find(content->control, "conffiles")->content, "/etc/extra.conf\n/etc/hello.conf\n");
}

TEST_F(PackageContentTest, BringsTheChecksumsInLine) {
  recipe_.remove = {"usr/share/b"};
  recipe_.additions = {{"usr/share/a", "bc"}};
  const auto content = run();
  ASSERT_TRUE(content);
  // md5 of "abc", RFC 1321 A.5; the conffile is not listed.
  EXPECT_EQ(find(content->control, "md5sums")->content, "900150983cd24fb0d6963f7d28e17f72  usr/share/a\n");
}

TEST_F(PackageContentTest, RemovesWholeFolders) {
  recipe_.remove = {"usr/share", "etc"};
  const auto content = run();
  ASSERT_TRUE(content);
  EXPECT_EQ(content->data.size(), 2U);
  EXPECT_EQ(find(content->control, "conffiles")->content, "");
}

TEST_F(PackageContentTest, RefusesEditsThatFindNothing) {
  recipe_.remove = {"usr/share/nothing"};
  EXPECT_EQ(run().error().message,
            "recipe 'x' does not fit package 'hello': there is no 'usr/share/nothing' to remove");
  recipe_.remove.clear();
  recipe_.replacements = {{"etc/hello.conf", "blue", "x"}};
  EXPECT_EQ(run().error().message, "recipe 'x' does not fit package 'hello': 'etc/hello.conf' does not contain 'blue'");
  recipe_.replacements.clear();
  recipe_.additions = {{"usr/share", "x"}};
  EXPECT_EQ(run().error().message, "recipe 'x' does not fit package 'hello': there is no file 'usr/share'");
}

TEST_F(PackageContentTest, PutsSnippetsWhereTheyRun) {
  const std::string script = "#!/bin/bash\necho one\n\nexit 0\n";
  EXPECT_EQ(with_snippet(script, {"postinst", ScriptPlace::start, "echo zero"}),
            "#!/bin/bash\necho zero\necho one\n\nexit 0\n");
  EXPECT_EQ(with_snippet(script, {"postinst", ScriptPlace::end, "echo two\n"}),
            "#!/bin/bash\necho one\n\necho two\nexit 0\n");
  EXPECT_EQ(with_snippet("#!/bin/sh\nfoo", {"postinst", ScriptPlace::end, "bar"}), "#!/bin/sh\nfoo\nbar\n");
  EXPECT_EQ(with_snippet("#!/bin/sh\n  exit 0\n", {"postinst", ScriptPlace::end, "bar"}), "#!/bin/sh\n  exit 0\nbar\n");
  EXPECT_EQ(with_snippet("", {"postinst", ScriptPlace::end, "bar"}), "#!/bin/sh\nset -e\nbar\n");
}

TEST_F(PackageContentTest, MakesAMissingScriptExecutable) {
  recipe_.scripts = {{"prerm", ScriptPlace::end, "true"}};
  const auto content = run();
  ASSERT_TRUE(content);
  EXPECT_EQ(find(content->control, "prerm")->mode, 0755U);
}

TEST_F(PackageContentTest, SurvivesBeingWrittenAndReadAgain) {
  TarEntry link = file("./usr/link", "");
  link.type = EntryType::symlink;
  link.target = "share/a";
  builder_.data.push_back(link);
  builder_.data.push_back(file("./usr/share/" + std::string(180, 'n'), "long names need GNU tar headers"));
  const TestFolder folder;
  const auto bytes = write_package({builder_.control(), builder_.data});
  ASSERT_TRUE(bytes);
  const auto path = folder.write("x.deb", *bytes);
  const auto content = read_package(path);
  ASSERT_TRUE(content) << content.error().message;
  ASSERT_EQ(content->data.size(), builder_.data.size());
  for (std::size_t i = 0; i < builder_.data.size(); ++i)
    EXPECT_EQ(content->data[i], builder_.data[i]) << builder_.data[i].path;
  EXPECT_TRUE(inspect_deb(path));
}

}  // namespace
}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_usage.hpp"

#include <gmock/gmock.h>

#include "lab/guest/debian_parse.hpp"
#include "lab/process/process.hpp"
#include "tests/support/debian_guest.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::guest::debian {
namespace {

Result<Usage> usage_of(const std::map<std::string, std::string>& changes = {}) {
  return usage(sections(test::debian_answer("@@", changes), "@@"));
}

TEST(DebianUsage, IsReadOfServicesMachineFileSystemsAndLogs) {
  const auto found =
      usage_of({{"usage",
                 "service 5000 4 20 1004 named\nservice 0 1 3 - bind-helper.service\nmemory 50000 150000\n"
                 "tasks 40 1500\nfiles 120\nconnections 2\n"},
                {"space",
                 "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 2000000 500000 1500000 25% /\n"
                 "/dev/vdb 100 10 90 10% /srv/two words\n"},
                {"logs", "40960\t/var/log\n1024\t/run/log\n"}});
  ASSERT_TRUE(found) << found.error().message;
  const auto amount = [&](Resource resource, const std::string& of) { return found->amounts.at({resource, of}); };
  EXPECT_EQ(amount(Resource::memory, "named"), 5000);
  EXPECT_EQ(amount(Resource::tasks, "named"), 4);
  EXPECT_EQ(amount(Resource::open_files, "named"), 20);
  EXPECT_EQ(amount(Resource::memory, "bind-helper.service"), 0);
  EXPECT_EQ(amount(Resource::memory, ""), 50000);
  EXPECT_EQ(amount(Resource::tasks, ""), 40);
  EXPECT_EQ(amount(Resource::open_files, ""), 120);
  EXPECT_EQ(amount(Resource::connections, ""), 2);
  EXPECT_EQ(amount(Resource::disk, "/"), 500000);
  EXPECT_EQ(amount(Resource::disk, "/srv/two_words"), 10);
  EXPECT_EQ(amount(Resource::logs, ""), 41);
  EXPECT_EQ(found->amounts.size(), 13U);
  const std::map<Used, double> room{{{Resource::memory, ""}, 150000},
                                    {{Resource::tasks, ""}, 1500},
                                    {{Resource::open_files, "named"}, 1004},
                                    {{Resource::disk, "/"}, 1500000},
                                    {{Resource::disk, "/srv/two_words"}, 90}};
  EXPECT_EQ(found->room, room);
}

TEST(DebianUsage, ThatIsNotWholeIsAnError) {
  ASSERT_TRUE(usage_of());
  const std::map<std::string, std::vector<std::string>> broken{
      {"usage",
       {"", "service 1 1 1 1 named\nmemory 1 1\n",
        "service 1 1 x 1 named\nmemory 1 1\ntasks 1 1\nfiles 1\nconnections 1\n",
        "memory 1 1\ntasks 1 1\nfiles 1\nconnections 1\n",
        "service 1 1 1 1 named\nmemory  150\ntasks 1 1\nfiles 1\nconnections 1\n",
        "service 1 1 1 1 named\nmemory 1 1\ntasks 1 1\nfiles\nconnections 1\n"}},
      {"space", {"", "Filesystem 1024-blocks Used Available Capacity Mounted on\n", "/dev/vda 1 ? 2 25% /\n"}},
      {"logs", {"", "x /var/log\n", "40960\n"}}};
  for (const auto& [section, texts] : broken) {
    for (const auto& text : texts) EXPECT_FALSE(usage_of({{section, text}})) << section << ": " << text;
  }
  auto found = sections(test::debian_answer("@@"), "@@");
  found["failed"] = "";
  EXPECT_FALSE(usage(found));
  found.erase("failed");
  EXPECT_TRUE(usage(found));
  found.erase("end");
  EXPECT_FALSE(usage(found));
}

// Of this host, which has processes, too.
TEST(DebianUsage, IsWhatTheScriptTells) {
  ProcessSpec shell;
  shell.program = "/bin/sh";
  shell.arguments = {"-s", "--", "@@"};
  shell.input = usage_script;
  const auto ended = host_processes().run(shell);
  ASSERT_TRUE(ended.succeeded()) << ended.describe();
  auto found = sections(ended.output, "@@");
  EXPECT_FALSE(found.contains("failed"));
  // In a container there may be no file system of its own, and no log.
  found["space"] += "/dev/vda 2000000 500000 1500000 25% /\n";
  found["logs"] += "40960\t/var/log\n";
  const auto used = usage(found);
  ASSERT_TRUE(used) << used.error().message << ended.output;
  EXPECT_GT(used->amounts.at({Resource::memory, ""}), 1000);
  EXPECT_GE(used->amounts.at({Resource::tasks, ""}), 1);
}

// awk ends when a process is gone between being opened and being read, which on a busy host happens.
TEST(DebianUsage, IsReadAgainWhenAProcessEndsMeanwhile) {
  const test::TemporaryFolder folder;
  for (const int times : {2, 3}) {
    folder.write("awk", fmt::format("#!/bin/sh\necho >> {0}/tries.{1}\n"
                                    "[ $(wc -l < {0}/tries.{1}) -gt {1} ] || {{ cat > /dev/null; exit 2; }}\n"
                                    "PATH=${{PATH#*:}} exec awk \"$@\"\n",
                                    folder.path().string(), times));
    std::filesystem::permissions(folder.path() / "awk", std::filesystem::perms::owner_all);
    ProcessSpec shell;
    shell.program = "/bin/sh";
    shell.arguments = {"-s", "--", "@@"};
    shell.input = fmt::format("PATH={}:$PATH\n{}", folder.path().string(), usage_script);
    const auto ended = host_processes().run(shell);
    ASSERT_TRUE(ended.succeeded()) << ended.describe();
    const auto found = sections(ended.output, "@@");
    EXPECT_EQ(found.contains("failed"), times == 3) << ended.output;
    EXPECT_EQ(found.at("usage").find("memory ") != std::string::npos, times == 2) << ended.output;
  }
}

}  // namespace
}  // namespace patchlab::lab::guest::debian

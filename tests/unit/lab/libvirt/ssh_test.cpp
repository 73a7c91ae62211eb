// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/ssh.hpp"
#include "lab/core/shell_words.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::libvirt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SshDestination destination(const std::string& uri) {
  const auto read = ssh_destination(uri);
  EXPECT_TRUE(read) << read.error().message;
  return read && *read ? **read : SshDestination{};
}

TEST(SshDestination, IsReadFromAUri) {
  EXPECT_EQ(destination("qemu+ssh://hv1/system"), (SshDestination{{}, "hv1", 0, {}, {}, "qemu:///system"}));
  EXPECT_EQ(destination("qemu+ssh://root@hv1.example:2222/session?keyfile=/k&known_hosts=/a%20b"),
            (SshDestination{"root", "hv1.example", 2222, "/k", "/a b", "qemu:///session"}));
  const auto six = destination("qemu+ssh://root@[fe80::1%eth0]:22/system");
  EXPECT_EQ(six.host, "fe80::1%eth0");
  EXPECT_EQ(six.name(), "root@[fe80::1%eth0]:22");
  EXPECT_EQ(destination("qemu+ssh://hv1/system").name(), "hv1");
}

TEST(SshDestination, IsNoneOnThisHost) {
  for (const char* local :
       {"qemu:///system", "qemu:///session", "qemu+unix:///system?socket=/run/x", "test:///default"}) {
    const auto read = ssh_destination(local);
    ASSERT_TRUE(read) << local;
    EXPECT_EQ(*read, std::nullopt) << local;
  }
}

TEST(SshDestination, WhatIsNotFollowedIsRefusedWithTheReason) {
  const std::map<std::string, std::string> cases{
      {"qemu://hv1/system", "libvirt 'qemu://hv1/system' is on another host, and such are reached by ssh only"},
      {"qemu+tls://hv1/system", "reached by ssh only"},
      {"qemu+libssh2://root@hv1/system", "reached by ssh only"},
      {"test+ssh://hv1/default", "reached by ssh only"},
      {"qemu+ssh:///system", "'' is no host's name"},
      {"qemu+ssh://hv1", "its path is ''"},
      {"qemu+ssh://hv1/embed", "its path is '/embed'"},
      {"qemu+ssh://hv1?keyfile=/x/system", "its path is ''"},
      {"qemu+ssh://root:secret@hv1/system", "'root:secret' is no user's name"},
      {"qemu+ssh://-oProxyCommand=x@hv1/system", "'-oProxyCommand=x' is no user's name"},
      {"qemu+ssh://-oProxyCommand/system", "'-oProxyCommand' is no host's name"},
      {"qemu+ssh://hv1;reboot/system", "'hv1;reboot' is no host's name"},
      {"qemu+ssh://hv1:0/system", "'0' is no port"},
      {"qemu+ssh://hv1:65536/system", "'65536' is no port"},
      {"qemu+ssh://hv1:22x/system", "'22x' is no port"},
      {"qemu+ssh://[::1]22/system", "'2' is no port"},
      {"qemu+ssh://hv1/system?no_verify=1", "'no_verify' is refused: a host whose key nobody compares"},
      {"qemu+ssh://hv1/system?keyfile=/k&command=/x", "'command' is refused: no other program"},
      {"qemu+ssh://hv1/system?netcat=nc", "'netcat' is refused: the libvirt is opened on its own host"},
      {"qemu+ssh://hv1/system?sshauth=agent", "'sshauth' is refused: it is not known"},
      {"qemu+ssh://hv1/system?keyfile=id", "'keyfile' must be an absolute path"},
      {"qemu+ssh://hv1/system?keyfile=/a%2", "'keyfile' must be an absolute path"},
      {"qemu+ssh://hv1/system?known_hosts=/a%22b", "'known_hosts' must be an absolute path"},
      {"qemu+ssh://hv1/system?keyfile=/%25d", "'keyfile' must be an absolute path"},
  };
  for (const auto& [uri, why] : cases) {
    const auto read = ssh_destination(uri);
    ASSERT_FALSE(read) << uri;
    EXPECT_EQ(read.error().error_class, ErrorClass::configuration) << uri;
    EXPECT_THAT(read.error().message, HasSubstr(why));
    EXPECT_NE(read.error().hint, "") << uri;
  }
}

TEST(SshProcess, NeverAsksAndEndsWithItsConnection) {
  const auto plain = ssh_process({{}, "hv1", 0, {}, {}, "qemu:///system"}, {"patchlab", "--version"});
  EXPECT_EQ(plain.program, "ssh");
  EXPECT_THAT(plain.arguments,
              ElementsAre("-T", "-a", "-x", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o",
                          "ClearAllForwardings=yes", "-o", "ControlPath=none", "-o", "ConnectTimeout=20", "-o",
                          "ServerAliveInterval=20", "-o", "ServerAliveCountMax=3", "--", "hv1", "patchlab --version"));
  const auto full = ssh_process({"root", "hv1", 2222, "/k", "/a b", "qemu:///system"}, {"/opt/my lab", "cell"});
  EXPECT_THAT(std::vector(full.arguments.begin() + 17, full.arguments.end()),
              ElementsAre("-i", "/k", "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=\"/a b\"", "-o",
                          "GlobalKnownHostsFile=none", "-p", "2222", "-l", "root", "--", "hv1", "'/opt/my lab' cell"));
}

TEST(ShellWords, AreReadBackByAShell) {
  const std::vector<std::string> words{"plain-1.2/x", "", "two words", "it's", "$HOME `id` \"x\" \\", "a\nb", "*;&"};
  ProcessSpec shell;
  shell.program = "sh";
  shell.arguments = {"-c", "printf '%s\\0' " + shell_words(words)};
  std::string expected;
  for (const auto& word : words) expected += word + '\0';
  EXPECT_EQ(host_processes().run(shell).output, expected);
}

}  // namespace
}  // namespace patchlab::lab::libvirt

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/build_commands.hpp"

#include <gmock/gmock.h>

#include "image_test_support.hpp"
#include "lab/core/shell_words.hpp"

namespace patchlab::lab::image {
namespace {
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const BuildHost as_root{BuildMode::root, "bookworm", {}};

TEST(BuildCommands, TheDiskIsMadeWithTheRightsThatMadeTheFiles) {
  const auto root = disk_command(as_root, "/s/dns.tar", "/s/dns.raw", "/i/dpkg-status", 2048);
  EXPECT_EQ(root.program, "/bin/sh");
  EXPECT_THAT(root.arguments, ElementsAre("-c", HasSubstr("mke2fs"), "patchlab-disk", "/s/dns.tar.root", "/s/dns.tar",
                                          "/s/dns.raw", "/i/dpkg-status", "2048M"));
  const auto user =
      disk_command({BuildMode::unshare, "bookworm", {}}, "/s/dns.tar", "/s/dns.raw", "/i/dpkg-status", 2048);
  EXPECT_EQ(user.program, "unshare");
  EXPECT_THAT(std::vector(user.arguments.begin(), user.arguments.begin() + 5),
              ElementsAre("--user", "--map-auto", "--map-root-user", "--", "/bin/sh"));
  EXPECT_EQ(disk_command({BuildMode::fakechroot, "bookworm", {}}, "/t", "/r", "/d", 1).program, "fakeroot");
}

TEST(BuildCommands, TheBaseFetchesTheKernelWithoutInstallingIt) {
  BaseRecipe base;
  base.packages = {"sysvinit-core", "procps"};
  base.kernel_package = "linux-image-cloud-amd64";
  base.initramfs_package = "busybox-static";
  const auto spec = base_command(as_root, {"/s"}, base, "/s/base.tar");
  EXPECT_EQ(spec.program, "mmdebstrap");
  EXPECT_THAT(spec.arguments, Contains("--include=sysvinit-core,procps"));
  EXPECT_THAT(spec.arguments,
              Contains(HasSubstr("apt-get download busybox-static \"${kernel:-linux-image-cloud-amd64}\"")));
  EXPECT_THAT(spec.arguments, Contains("--customize-hook=copy-out /tmp/kernel-packages /s"));
  const std::vector<std::string> last(spec.arguments.end() - 3, spec.arguments.end());
  EXPECT_THAT(last, ElementsAre("bookworm", "/s/base.tar", "/s/sources.list"));
}

TEST(BuildCommands, LayersAreAppliedInOrderAndTheBaseCleansUpLast) {
  testing::TemporaryFolder folder;
  for (const char* name : {"common/files/a", "common/setup", "file/files/a", "file/setup", "variant/setup"})
    folder.write(name, "x");
  BaseRecipe base;
  base.folder = folder.path() / "common";
  Recipe recipe;
  recipe.packages = {"samba"};
  recipe.layers = {folder.path() / "file", folder.path() / "variant"};
  const auto spec = role_command(as_root, {"/s"}, base, recipe, "/b/base.tar", "/o", "/s/file.tar");
  std::vector<std::string> hooks;
  for (const auto& word : spec.arguments) {
    for (const char* kind : {"--customize-hook=tar-in ", "--customize-hook=upload "}) {
      if (word.rfind(kind, 0) == 0) hooks.push_back(word.substr(std::string("--customize-hook=").size()));
    }
  }
  const auto from = [&](const char* name) {
    return "upload " + (folder.path() / name).string() + " /tmp/patchlab-setup";
  };
  EXPECT_THAT(hooks, ElementsAre("tar-in /o/common.tar /", "tar-in /o/file.tar /", from("file/setup"),
                                 from("variant/setup"), from("common/setup")));
}

// mmdebstrap leaves device nodes out, without a word, when there is no folder for them.
TEST(BuildCommands, ARoleHasAFolderForDevicesBeforeItsPackagesAreInstalled) {
  auto as_user = as_root;
  as_user.mode = BuildMode::unshare;
  Recipe recipe;
  recipe.packages = {"bind9", "dnsutils"};
  const auto words = role_command(as_user, {"/s"}, BaseRecipe{}, recipe, "/b/base.tar", "/o", "/s/dns.tar").arguments;
  const auto unpacked = std::ranges::find(words, "--setup-hook=tar-in /b/base.tar /");
  ASSERT_NE(unpacked, words.end());
  EXPECT_EQ(*(unpacked + 1), "--setup-hook=mkdir -p \"$1\"/dev");
  EXPECT_THAT(words, Contains("--include=bind9,dnsutils"));
}

TEST(BuildCommands, AnOverlayHoldsFilesOnlyAndBelongsToRoot) {
  testing::TemporaryFolder folder;
  folder.write("dns/files/etc/b c", "x");
  folder.write("dns/files/etc/a", "x");
  const auto spec = overlay_command(folder.path() / "dns", "/o/dns.tar");
  EXPECT_EQ(spec.input, std::string("etc/a\0etc/b c\0", 14));
  EXPECT_THAT(spec.arguments, Contains("--owner=root:0"));
  EXPECT_THAT(spec.arguments, Contains("--no-recursion"));
}

TEST(BuildCommands, OnlyWhatReachesTheArchiveIsTakenFromTheHostsApt) {
  const auto options = parse_apt_options(
      "Acquire::http::Proxy \"http://proxy.example:3142\"\nAcquire::http::Proxy::archive.example \"DIRECT\"\n"
      "Acquire::http::ProxyAutoDetect \"/bin/x\"\nAcquire::Languages \"de\"\nAcquire::Check-Valid-Until \"false\"\n");
  EXPECT_THAT(options,
              ElementsAre("Acquire::http::Proxy \"http://proxy.example:3142\"",
                          "Acquire::http::Proxy::archive.example \"DIRECT\"", "Acquire::Check-Valid-Until \"false\""));
}

TEST(ShellWords, AreThemselvesOrQuoted) {
  EXPECT_EQ(shell_words({"plain-1.2/x", "", "two words", "it's"}), "plain-1.2/x '' 'two words' 'it'\\''s'");
}

}  // namespace
}  // namespace patchlab::lab::image

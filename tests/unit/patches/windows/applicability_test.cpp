// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/windows/applicability.hpp"

#include <gtest/gtest.h>

namespace patchlab::patches {
namespace {

struct Case {
  const char* what;
  WindowsPackage package;
  std::vector<std::string> roles;
  MachineFacts machine;
  const char* skipped;
};

WindowsPackage update(std::vector<std::string> versions, const std::string& architecture = "amd64",
                      PackageKind kind = PackageKind::msu) {
  WindowsPackage package;
  package.kind = kind;
  package.os_versions = std::move(versions);
  package.architecture = architecture;
  return package;
}

WindowsPackage patch_of(std::vector<std::string> products) {
  auto package = update({}, "", PackageKind::msp);
  package.target_products = std::move(products);
  return package;
}

MachineFacts server(const char* version, const char* architecture = "amd64", const char* role = "dns") {
  return {parse_nt_version(version), architecture, role, std::nullopt};
}

MachineFacts with_products(std::vector<std::string> products) {
  auto machine = server("6.2.9200");
  machine.products = std::move(products);
  return machine;
}

TEST(Applicability, FollowsTheTable) {
  const std::vector<Case> cases{
      {"the same version", update({"6.2"}), {}, server("6.2.9200"), ""},
      {"2012 is not 2012 R2",
       update({"6.3"}),
       {},
       server("6.2.9200"),
       "is for Windows Server 2012 R2 (6.3), the machine runs Windows Server 2012 (6.2.9200)"},
      {"2012 R2 is not 2012",
       update({"6.2"}),
       {},
       server("6.3.9600"),
       "is for Windows Server 2012 (6.2), the machine runs Windows Server 2012 R2 (6.3.9600)"},
      {"one of several versions", update({"6.1", "6.2"}), {}, server("6.2.9200"), ""},
      {"builds do not matter before 10.0", update({"6.2.9200"}), {}, server("6.2.1"), ""},
      {"builds matter in 10.0",
       update({"10.0.14393"}),
       {},
       server("10.0.17763"),
       "is for Windows Server 2016 (10.0.14393), the machine runs Windows Server 2019 (10.0.17763)"},
      {"a build that an enablement package makes", update({"10.0.19041"}), {}, server("10.0.19045"), ""},
      {"the first of that branch", update({"10.0.19041"}), {}, server("10.0.19042.1"), ""},
      {"1909 from 1903", update({"10.0.18362"}), {}, server("10.0.18363"), ""},
      {"11 23H2 from 22H2", update({"10.0.22621"}), {}, server("10.0.22631"), ""},
      {"not the other way round",
       update({"10.0.19045"}),
       {},
       server("10.0.19041"),
       "is for Windows 10.0.19045, the machine runs Windows 10.0.19041"},
      {"not beyond the branch",
       update({"10.0.19041"}),
       {},
       server("10.0.19046"),
       "is for Windows 10.0.19041, the machine runs Windows 10.0.19046"},
      {"a package for any build of 10.0", update({"10.0"}), {}, server("10.0.17763"), ""},
      {"a package that does not say", update({}), {}, server("6.2.9200"), ""},
      {"a machine that is not known", update({"6.2"}), {}, MachineFacts{}, ""},
      {"another architecture", update({"6.2"}, "x86"), {}, server("6.2.9200"), "is for x86, the machine is amd64"},
      {"servicing for arm64", update({"6.2"}, "arm64"), {}, server("6.2.9200"), "is for arm64, the machine is amd64"},
      {"any architecture", update({"6.2"}, "neutral"), {}, server("6.2.9200"), ""},
      {"a 32-bit installer on a 64-bit machine", update({}, "x86", PackageKind::msi), {}, server("6.2.9200"), ""},
      {"a 64-bit installer on a 32-bit machine",
       update({}, "amd64", PackageKind::exe),
       {},
       server("6.0.6003", "x86"),
       "is for amd64, the machine is x86"},
      {"its role", update({"6.2"}), {"dns", "dhcp"}, server("6.2.9200"), ""},
      {"another role", update({"6.2"}), {"print", "mail"}, server("6.2.9200"), "is for print, mail machines only"},
      {"its product, in another case", patch_of({"{AB}"}), {}, with_products({"{ab}"}), ""},
      {"another product",
       patch_of({"{AB}"}),
       {},
       with_products({"{CD}"}),
       "none of the products that it patches is installed ({AB})"},
      {"no product at all",
       patch_of({"{AB}"}),
       {},
       with_products({}),
       "none of the products that it patches is installed ({AB})"},
      {"products not known", patch_of({"{AB}"}), {}, server("6.2.9200"), ""},
      {"the role is said first", update({"6.3"}, "x86"), {"mail"}, server("6.2.9200"), "is for mail machines only"},
  };
  for (const auto& one : cases) {
    const auto answer = applicability(one.package, one.roles, one.machine);
    EXPECT_EQ(answer.skipped, one.skipped) << one.what;
    EXPECT_EQ(answer.applies(), std::string(one.skipped).empty()) << one.what;
  }
}

TEST(NtVersion, ReadsNumbersAndRefusesTheRest) {
  EXPECT_EQ(parse_nt_version("6.2"), (NtVersion{6, 2, std::nullopt}));
  EXPECT_EQ(parse_nt_version("10.0.14393.6796"), (NtVersion{10, 0, 14393}));
  for (const auto* text : {"", "6", "6.", "6.x", "6.2.", "6.2x", "-1.2", "99999999999.1"})
    EXPECT_EQ(parse_nt_version(text), std::nullopt) << text;
}

TEST(NtVersion, KnowsTheNamesInsidePackages) {
  EXPECT_EQ(version_in_name("Windows8-RT-KB5035968-x64.cab"), (NtVersion{6, 2, std::nullopt}));
  EXPECT_EQ(version_in_name("windows8.1-kb5035968-x64.cab"), (NtVersion{6, 3, std::nullopt}));
  EXPECT_EQ(version_in_name("Windows6.1-KB5035968-x64.cab"), (NtVersion{6, 1, std::nullopt}));
  EXPECT_EQ(version_in_name("WSUSSCAN.cab"), std::nullopt);
}

TEST(NtVersion, NamesReleases) {
  EXPECT_EQ(release_name({6, 2, std::nullopt}), "Windows Server 2012 (6.2)");
  EXPECT_EQ(release_name({10, 0, std::nullopt}), "Windows 10.0");
  EXPECT_EQ(release_name({7, 7, 7}), "Windows 7.7.7");
}

}  // namespace
}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Our reading of Windows packages against programs that write them: gcab, msibuild and osslsigncode.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/msi/installer_file.hpp"
#include "process/acquire/acquire.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/windows_packages.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

namespace fs = std::filesystem;
using patchlab::testing::is_missing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MsuBuilder;
using testing::TestFolder;

class WindowsTools : public ::testing::Test {
 protected:
  void run(const std::string& program, std::vector<std::string> arguments) const {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = std::move(arguments);
    spec.working_folder = folder_.path();
    const auto outcome = run_for_output(host_processes(), spec);
    ASSERT_TRUE(outcome) << outcome.error().message;
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  // MSZIP compressed, as makecab does.
  void make_cabinet(const std::string& name, const std::vector<std::pair<std::string, std::string>>& entries) const {
    std::vector<std::string> arguments{"--create", "--zip", "--nopath", at(name)};
    for (const auto& [entry, content] : entries) {
      folder_.write("content/" + entry, content);
      arguments.push_back("content/" + entry);
    }
    run("gcab", arguments);
  }
  void make_msu(const std::string& name, const MsuBuilder& builder = {}) const {
    std::string payload(300'000, '\0');
    std::mt19937 random(7);
    for (char& c : payload) c = static_cast<char>(random());
    make_cabinet("inner.cab", {{"update.mum", builder.mum.text()}, {"dns.exe", payload}});
    make_cabinet(name, {{builder.stem() + ".cab", read_file(at("inner.cab")).value()},
                        {builder.stem() + ".xml", builder.unattend()},
                        {builder.stem() + "-pkgProperties.txt", builder.properties()}});
  }

  // A certificate authority for one test, and a certificate of it for signing.
  void make_authority(const std::string& name) const {
    folder_.write("extensions", "extendedKeyUsage=codeSigning\nkeyUsage=digitalSignature\n");
    run("openssl", {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".pem",
                    "-subj", "/CN=" + name, "-days", "2"});
    run("openssl", {"req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + "-signer.key", "-out",
                    name + "-signer.csr", "-subj", "/CN=" + name + " signer"});
    run("openssl", {"x509", "-req", "-in", name + "-signer.csr", "-CA", name + ".pem", "-CAkey", name + ".key",
                    "-CAcreateserial", "-out", name + "-signer.pem", "-days", "2", "-extfile", "extensions"});
  }
  void sign(const std::string& from, const std::string& to, const std::string& authority) const {
    run("osslsigncode", {"sign", "-certs", authority + "-signer.pem", "-key", authority + "-signer.key", "-h", "sha256",
                         "-in", from, "-out", to});
  }
  Result<Candidate> add(const std::string& name, const std::string& bundle,
                        Unsigned unsigned_files = Unsigned::refuse) const {
    const Authenticode authenticode(host_processes(), {bundle.empty() ? "" : at(bundle), unsigned_files});
    return load_candidate(at(name), store_, {}, &authenticode);
  }

  void make_msi(const std::string& name) const {
    run("msibuild",
        {at(name), "-s", "Print Tools", "Nobody", "Intel;1033,1031", "{AAAAAAAA-2222-3333-4444-555555555555}"});
    run("msibuild",
        {at(name), "-q",
         "CREATE TABLE `Property` (`Property` CHAR(72) NOT NULL, `Value` LONGCHAR NOT NULL PRIMARY KEY `Property`)"});
    const std::vector<std::pair<std::string, std::string>> properties{
        {"ProductCode", "{11111111-2222-3333-4444-555555555555}"},
        {"ProductName", "Print Tools KB4571111"},
        {"ProductVersion", "1.2.3"},
        {"Long", std::string(70'000, 'l')},  // its length does not fit into 16 bits
        {"UpgradeCode", "{66666666-2222-3333-4444-555555555555}"}};
    for (const auto& [key, value] : properties) {
      run("msibuild",
          {at(name), "-q", "INSERT INTO `Property` (`Property`, `Value`) VALUES ('" + key + "', '" + value + "')"});
    }
  }

  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
};

TEST_F(WindowsTools, ReadsCabinetsOfGcab) {
  if (is_missing("gcab")) GTEST_SKIP() << "gcab is not installed";
  make_msu("x.msu");
  const auto package = inspect_windows_file(at("x.msu"), "x.msu");
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->kind, PackageKind::msu);
  EXPECT_EQ(package->canonical_name(), "KB5035968-6.2.1.0_amd64.msu");
  EXPECT_THAT(package->os_versions, ElementsAre("6.2"));
  EXPECT_GT(package->unpacked_bytes, 600'000U);
  EXPECT_FALSE(package->carries_signature);
}

TEST_F(WindowsTools, NoticesDamageAndTruncationInCompressedCabinets) {
  if (is_missing("gcab")) GTEST_SKIP() << "gcab is not installed";
  make_msu("x.msu");
  const auto bytes = read_file(at("x.msu")).value();
  for (std::size_t at_byte = 200; at_byte < bytes.size(); at_byte += 9973) {
    auto damaged = bytes;
    damaged[at_byte] = static_cast<char>(damaged[at_byte] ^ 0x10);
    folder_.write("damaged.msu", damaged);
    EXPECT_FALSE(inspect_windows_file(at("damaged.msu"), "damaged.msu")) << at_byte;
    folder_.write("short.msu", bytes.substr(0, at_byte));
    EXPECT_FALSE(inspect_windows_file(at("short.msu"), "short.msu")) << at_byte;
  }
}

// Zeros compress to little; they are read without memory for them, and refused where the limit is lower.
TEST_F(WindowsTools, BoundsWhatABombUnpacksTo) {
  if (is_missing("gcab")) GTEST_SKIP() << "gcab is not installed";
  folder_.write("content/update.mum", testing::MumBuilder{}.text());
  folder_.write("content/zeros", "");
  std::filesystem::resize_file(at("content/zeros"), 256U << 20U);
  run("gcab", {"--create", "--zip", "--nopath", at("bomb.cab"), "content/update.mum", "content/zeros"});
  EXPECT_LT(std::filesystem::file_size(at("bomb.cab")), 4U << 20U);
  EXPECT_TRUE(inspect_windows_file(at("bomb.cab"), "bomb.cab"));
  CabLimits limits;
  limits.unpacked_bytes = 100U << 20U;
  const auto refused = inspect_windows_file(at("bomb.cab"), "bomb.cab", limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "'bomb.cab' unpacks to more than the 104857600 bytes allowed");
}

TEST_F(WindowsTools, ReadsInstallersOfMsibuild) {
  if (is_missing("msibuild")) GTEST_SKIP() << "msibuild is not installed (package msitools)";
  make_msi("x.msi");
  const auto package = inspect_windows_file(at("x.msi"), "x.msi");
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->kind, PackageKind::msi);
  EXPECT_EQ(package->name, "Print Tools KB4571111");
  EXPECT_EQ(package->version, "1.2.3");
  EXPECT_EQ(package->kb, "KB4571111");
  EXPECT_EQ(package->architecture, "x86");
  EXPECT_EQ(package->language, "1033,1031");
  EXPECT_EQ(package->product_code, "{11111111-2222-3333-4444-555555555555}");
  EXPECT_EQ(package->upgrade_code, "{66666666-2222-3333-4444-555555555555}");
}

// No free program writes patches; a package becomes one by the class of its root storage and by what its summary means.
TEST_F(WindowsTools, ReadsAPatchMadeOfAnInstaller) {
  if (is_missing("msibuild")) GTEST_SKIP() << "msibuild is not installed (package msitools)";
  run("msibuild", {at("x.msp"), "-s", "Fix for Print Tools", "Nobody", "{11111111-2222-3333-4444-555555555555}",
                   "{BBBBBBBB-2222-3333-4444-555555555555}{CCCCCCCC-2222-3333-4444-555555555555}"});
  auto bytes = read_file(at("x.msp")).value();
  const auto class_at = bytes.find(std::string("\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 16));
  ASSERT_NE(class_at, std::string::npos);
  bytes[class_at] = static_cast<char>(0x86);
  const auto patch = read_installer_file(MemorySource(bytes), "x.msp");
  ASSERT_TRUE(patch) << patch.error().message;
  EXPECT_EQ(patch->kind, InstallerKind::patch);
  EXPECT_EQ(patch->patch_code, "{BBBBBBBB-2222-3333-4444-555555555555}");
  EXPECT_THAT(patch->replaced_patches, ElementsAre("{CCCCCCCC-2222-3333-4444-555555555555}"));
  EXPECT_THAT(patch->target_products, ElementsAre("{11111111-2222-3333-4444-555555555555}"));
}

class Signing : public WindowsTools {
 protected:
  void SetUp() override {
    for (const auto* program : {"gcab", "msibuild", "osslsigncode", "openssl", "bwrap"}) {
      if (is_missing(program)) GTEST_SKIP() << program << " is not installed";
    }
    ProcessSpec sandbox;
    sandbox.program = "bwrap";
    sandbox.arguments = {"--unshare-all", "--ro-bind", "/", "/", "--", "true"};
    if (!host_processes().run(sandbox).succeeded()) GTEST_SKIP() << "no user namespaces for bubblewrap here";
    make_authority("vendor");
    make_authority("stranger");
  }
};

TEST_F(Signing, VerifiesEveryKindAgainstTheNamedBundle) {
  make_msu("plain.msu");
  make_msi("plain.msi");
  folder_.write("plain.exe", testing::ProgramBuilder{}.bytes());
  for (const auto* kind : {"msu", "msi", "exe"}) {
    const std::string name = std::string("signed.") + kind;
    sign(std::string("plain.") + kind, name, "vendor");
    const auto candidate = add(name, "vendor.pem");
    ASSERT_TRUE(candidate) << candidate.error().message;
    const auto& signature = candidate->files.at(0).signature;
    ASSERT_TRUE(signature);
    EXPECT_EQ(signature->state, SignatureState::valid);
    EXPECT_EQ(signature->signer, "/CN=vendor signer");
    EXPECT_EQ(signature->issuer, "/CN=vendor");
    EXPECT_EQ(signature->digest, "SHA256");
    EXPECT_THAT(signature->tool, HasSubstr("osslsigncode 2."));
  }
}

TEST_F(Signing, RefusesStrangersAndChangedFilesWhateverThePolicy) {
  make_msu("plain.msu");
  sign("plain.msu", "signed.msu", "vendor");
  const auto stranger = add("signed.msu", "stranger.pem", Unsigned::allow);
  ASSERT_FALSE(stranger);
  EXPECT_THAT(stranger.error().message, HasSubstr("does not verify: unable to get local issuer certificate"));
  // The time of a file in the cabinet's directory: no checksum covers it, the signature does.
  auto bytes = read_file(at("signed.msu")).value();
  const auto name_at = bytes.find("Windows8-RT");
  ASSERT_NE(name_at, std::string::npos);
  bytes[name_at - 4] = static_cast<char>(bytes[name_at - 4] ^ 1);
  folder_.write("changed.msu", bytes);
  const auto changed = add("changed.msu", "vendor.pem", Unsigned::allow);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("does not verify: its content is not what was signed"));
}

// The digest that was asked for is not enough, and without certificates nobody can tell.
TEST_F(Signing, WhatPeopleBringIsTakenByItsSignatureAndItsDigest) {
  make_msu("plain.msu");
  fs::create_directories(folder_.path() / "drop");
  sign("plain.msu", "drop/signed.msu", "vendor");
  process::AcquireRequest request;
  request.drop = folder_.path() / "drop";
  request.quarantine = folder_.path() / "quarantine";
  request.wanted.resize(1);
  request.wanted[0].name = "signed.msu";
  request.wanted[0].kb = "KB5035968";
  request.wanted[0].sha256 = sha256_of_file(request.drop / "signed.msu").value();
  const auto told = [&](const std::string& bundle) {
    const Authenticode authenticode(host_processes(), {bundle.empty() ? "" : at(bundle), Unsigned::refuse});
    const auto row = process::acquire(store_, authenticode, request).value().rows.at(0);
    return std::string(to_string(row.state)) + ": " + row.why;
  };
  EXPECT_THAT(told(""), HasSubstr("failed: carries a signature, and no certificates to verify it by were named"));
  EXPECT_TRUE(fs::exists(request.drop / "signed.msu"));
  // That may be the bundle's fault, and so may this.
  EXPECT_THAT(told("stranger.pem"),
              AllOf(HasSubstr("failed: the signature of"), HasSubstr("does not verify: unable to get local issuer"),
                    HasSubstr("; is the CA bundle the right one?")));
  folder_.write("broken.pem", "no certificate");
  EXPECT_THAT(told("broken.pem"), AllOf(HasSubstr("failed: "), HasSubstr("is the CA bundle the right one?")));
  EXPECT_TRUE(fs::exists(request.drop / "signed.msu")) << "a wrong bundle moves nothing away";
  EXPECT_THAT(told("vendor.pem"), HasSubstr("acquired: signed by '/CN=vendor signer', SHA256"));
  EXPECT_THAT(told("vendor.pem"), HasSubstr("here: its digest is in the store: signed by '/CN=vendor signer'"));
  // Another content than was signed is the file's.
  auto bytes = read_file(request.drop / "signed.msu").value();
  const auto name_at = bytes.find("Windows8-RT");
  ASSERT_NE(name_at, std::string::npos);
  bytes[name_at - 4] = static_cast<char>(bytes[name_at - 4] ^ 1);
  folder_.write("drop/signed.msu", bytes);
  request.wanted[0].sha256 = sha256(bytes);
  EXPECT_THAT(told("vendor.pem"), HasSubstr("does not verify: its content is not what was signed"));
  EXPECT_FALSE(fs::exists(request.drop / "signed.msu")) << "it is in quarantine";
}

TEST_F(Signing, KnowsWhatIsNotSigned) {
  make_msu("plain.msu");
  make_msi("plain.msi");
  for (const auto* name : {"plain.msu", "plain.msi"}) {
    EXPECT_THAT(add(name, "vendor.pem").error().message, HasSubstr("is not signed"));
    const auto noted = add(name, "vendor.pem", Unsigned::allow);
    ASSERT_TRUE(noted) << noted.error().message;
    EXPECT_EQ(noted->files.at(0).signature->state, SignatureState::none);
  }
}

}  // namespace
}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/authenticode/authenticode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using testing::TestFolder;

constexpr const char* good_output = R"(
Signature Index: 0  (Primary Signature)

Message digest algorithm  : SHA256
Current message digest    : E836
Calculated message digest : E836

Signer's certificate:
	------------------
	Signer #0:
		Subject: /O=Vendor/CN=Signer
		Issuer : /CN=Root
Countersignatures:
	Timestamp time: Nov 24 23:19:06 2026 GMT
Signature verification: ok
Number of verified signatures: 1
Succeeded
)";

constexpr const char* broken_chain = R"(
Message digest algorithm  : SHA256
	Error: unable to get local issuer certificate
Signature verification: failed
Failed
)";

// Answers the question for the version, then the verification.
class FakeProcesses : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    specs.push_back(spec);
    if (spec.arguments == std::vector<std::string>{"--version"})
      return {Exited{0}, "osslsigncode 2.9, using:\n", "", {}};
    return verification;
  }
  ProcessOutcome verification{Exited{0}, good_output, "", {}};
  std::vector<ProcessSpec> specs;
};

class AuthenticodeTest : public ::testing::Test {
 protected:
  Result<Signature> check(Carries carries, Unsigned unsigned_files = Unsigned::refuse) {
    return Authenticode(processes_, {bundle_, unsigned_files}).check("/x.cab", "x.cab", carries);
  }
  TestFolder folder_;
  std::filesystem::path bundle_ = folder_.write("ca.pem", "bundle");
  FakeProcesses processes_;
};

TEST(Signature, IsOfTheOrganisationThatItsCertificateNames) {
  const auto is_microsofts = [](const char* signer) {
    Signature signature;
    signature.signer = signer;
    return is_of(signature, "Microsoft Corporation");
  };
  EXPECT_TRUE(is_microsofts("/C=US/ST=Washington/L=Redmond/O=Microsoft Corporation/CN=Microsoft Windows"));
  EXPECT_TRUE(is_microsofts("C = US, O = Microsoft Corporation, CN = Microsoft Windows"));
  EXPECT_FALSE(is_microsofts("/C=US/O=Microsoft Corporation Ltd/CN=Microsoft Corporation"));
  EXPECT_FALSE(is_microsofts("/O=Vendor/CN=x/O=Microsoft Corporation")) << "a slash in a name";
  EXPECT_FALSE(is_microsofts("/CN=Microsoft Corporation"));
  EXPECT_FALSE(is_microsofts(""));
}

TEST(VerifyCommand, GivesTheVerifierTheTwoFilesAndNothingElse) {
  const auto spec = verify_command("/store/a file.cab", "/etc/ca bundle.pem", "2.9");
  EXPECT_EQ(spec.program, "bwrap");
  EXPECT_EQ(spec.arguments, (std::vector<std::string>{"--unshare-all",
                                                      "--die-with-parent",
                                                      "--new-session",
                                                      "--clearenv",
                                                      "--setenv",
                                                      "PATH",
                                                      "/usr/bin:/usr/local/bin",
                                                      "--ro-bind",
                                                      "/usr",
                                                      "/usr",
                                                      "--symlink",
                                                      "usr/lib",
                                                      "/lib",
                                                      "--symlink",
                                                      "usr/lib64",
                                                      "/lib64",
                                                      "--tmpfs",
                                                      "/tmp",
                                                      "--ro-bind",
                                                      "/store/a file.cab",
                                                      "/package",
                                                      "--ro-bind",
                                                      "/etc/ca bundle.pem",
                                                      "/ca.pem",
                                                      "--",
                                                      "osslsigncode",
                                                      "verify",
                                                      "-ignore-cdp",
                                                      "-CAfile",
                                                      "/ca.pem",
                                                      "-TSA-CAfile",
                                                      "/ca.pem",
                                                      "-in",
                                                      "/package"}));
  EXPECT_TRUE(spec.extra_environment.empty());
  EXPECT_TRUE(spec.input.empty());
  EXPECT_EQ(spec.time_limit, std::chrono::minutes(5));
}

TEST(VerifyCommand, LeavesOutWhatOlderReleasesDoNotKnow) {
  EXPECT_THAT(verify_command("/x", "/ca", "2.5").arguments, ::testing::Not(::testing::Contains("-ignore-cdp")));
  EXPECT_THAT(verify_command("/x", "/ca", "2.10").arguments, ::testing::Contains("-ignore-cdp"));
}

TEST(VersionIn, ReadsTheFirstNumber) {
  EXPECT_EQ(version_in("osslsigncode 2.9, using:\n\tOpenSSL 3.0.13"), "2.9");
  EXPECT_EQ(version_in("osslsigncode version 2.5\n"), "2.5");
  EXPECT_EQ(version_in("something else 1.0"), "");
}

TEST(SignatureIn, ReadsOlderReleases) {
  const auto signature = signature_in(
      "Message digest algorithm  : SHA1\n\tSigner #0:\n\t\tSubject: /CN=a\n\t\tIssuer : /CN=b\nThe signature is "
      "timestamped: Nov 24 23:19:06 2026 GMT\n");
  EXPECT_EQ(signature,
            (Signature{SignatureState::valid, "/CN=a", "/CN=b", "SHA1", "Nov 24 23:19:06 2026 GMT", "", ""}));
}

TEST(FailureIn, NamesTheReason) {
  EXPECT_EQ(failure_in(broken_chain, "40:error:1080:PKCS7 routines"), "unable to get local issuer certificate");
  EXPECT_EQ(failure_in("Current message digest: 1\nCalculated message digest: 2    MISMATCH!!!\n", ""),
            "its content is not what was signed");
  EXPECT_EQ(failure_in("Failed\n", "No signature found\nUnable\n"), "No signature found");
  EXPECT_EQ(
      failure_in(
          "PKCS7_verify error\n40:error:1:PKCS7 routines:x.c:292:Verify error: certificate has expired\nFailed\n", ""),
      "certificate has expired");
  EXPECT_EQ(failure_in("", ""), "osslsigncode said nothing");
}

// A chain that does not lead to the bundle may be the bundle's fault.
TEST_F(AuthenticodeTest, SaysWhoseFaultARefusalIs) {
  const auto fault = [&](Carries carries) {
    const auto judged = Authenticode(processes_, {bundle_, Unsigned::refuse}).judge("/x.cab", "x.cab", carries);
    EXPECT_FALSE(judged.signature);
    return judged.fault;
  };
  EXPECT_EQ(fault(Carries::no), Fault::of_the_file);
  processes_.verification = {Exited{1}, broken_chain, "", {}};
  EXPECT_EQ(fault(Carries::yes), Fault::not_known);
  processes_.verification = {Exited{1}, "", "Failed to add store lookup file\n", {}};
  EXPECT_EQ(fault(Carries::yes), Fault::not_known);
  processes_.verification = {
      Exited{1}, std::string("Calculated message digest: 2    MISMATCH!!!\n") + broken_chain, "", {}};
  EXPECT_EQ(fault(Carries::yes), Fault::of_the_file);
  processes_.verification = {TimedOut{}, "Calculated message digest: 2    MISMATCH!!!\n", "", {}};
  EXPECT_EQ(fault(Carries::yes), Fault::not_known);
}

TEST_F(AuthenticodeTest, KeepsWhatAValidSignatureSays) {
  const auto signature = check(Carries::yes);
  ASSERT_TRUE(signature) << signature.error().message;
  EXPECT_EQ(*signature, (Signature{SignatureState::valid, "/O=Vendor/CN=Signer", "/CN=Root", "SHA256",
                                   "Nov 24 23:19:06 2026 GMT", "osslsigncode 2.9", sha256("bundle")}));
  EXPECT_EQ(describe(*signature), "signed by '/O=Vendor/CN=Signer', SHA256, timestamp Nov 24 23:19:06 2026 GMT");
  ASSERT_EQ(processes_.specs.size(), 2U);
  EXPECT_EQ(processes_.specs[1], verify_command("/x.cab", bundle_, "2.9"));
}

TEST_F(AuthenticodeTest, RefusesUnsignedFilesUnlessAllowed) {
  const auto refused = check(Carries::no);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "'x.cab' is not signed");
  EXPECT_THAT(refused.error().hint, HasSubstr("--allow-unsigned"));
  EXPECT_EQ(check(Carries::no, Unsigned::allow)->state, SignatureState::none);
  EXPECT_TRUE(processes_.specs.empty());
}

TEST_F(AuthenticodeTest, RefusesABrokenSignatureEvenWhenUnsignedIsAllowed) {
  processes_.verification = {Exited{1}, broken_chain, "", {}};
  for (const auto policy : {Unsigned::refuse, Unsigned::allow}) {
    const auto refused = check(Carries::yes, policy);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error_class, ErrorClass::configuration);
    EXPECT_EQ(refused.error().message,
              "the signature of 'x.cab' does not verify: unable to get local issuer certificate");
  }
}

TEST_F(AuthenticodeTest, AsksForABundle) {
  bundle_.clear();
  EXPECT_EQ(check(Carries::yes).error().message, "the signature of 'x.cab' cannot be verified: no CA bundle was named");
  EXPECT_EQ(check(Carries::yes, Unsigned::allow)->state, SignatureState::not_checked);
  bundle_ = folder_.path() / "none.pem";
  EXPECT_THAT(check(Carries::yes).error().message, HasSubstr("none.pem"));
}

// That the verifier crashed or was not there says nothing of the file.
TEST_F(AuthenticodeTest, SaysWhenTheVerifierIsTheTrouble) {
  processes_.verification = {Signalled{11}, "", "", {}};
  EXPECT_EQ(check(Carries::yes).error().error_class, ErrorClass::infrastructure);
  processes_.verification = {NotStarted{"no such file"}, "", "", {}};
  EXPECT_EQ(check(Carries::yes).error().hint, "install the Debian package bubblewrap");
  processes_.verification = {Exited{1}, "", "bwrap: No permissions to create new namespace\n", {}};
  const auto sandbox = check(Carries::yes, Unsigned::allow);
  EXPECT_EQ(sandbox.error().error_class, ErrorClass::infrastructure);
  EXPECT_THAT(sandbox.error().message, HasSubstr("bwrap: No permissions to create new namespace"));
}

TEST(Signature, ComesBackFromItsJson) {
  const Signature signature{SignatureState::not_checked, "a", "b", "c", "d", "e", "f"};
  std::vector<JsonProblem> problems;
  EXPECT_EQ(signature_from(Json(signature), "", problems), signature);
  EXPECT_TRUE(problems.empty());
  static_cast<void>(signature_from(Json{{"state", "fine"}}, "", problems));
  EXPECT_EQ(problems.at(0).message, "'fine' is unknown; allowed: valid, none, not-checked");
}

}  // namespace
}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/catalogue_signature.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::cli {
namespace {

using process::CatalogueSignature;
using State = CatalogueSignature::State;
using ::testing::HasSubstr;

// Answers as osslsigncode does.
class Verifier : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    ++asked;
    if (spec.arguments == std::vector<std::string>{"--version"}) return {Exited{0}, "osslsigncode 2.9\n", "", {}};
    return verification;
  }
  void says(int code, const std::string& text) { verification = {Exited{code}, text, "", {}}; }
  ProcessOutcome verification;
  int asked = 0;
};

class CatalogueSignatureTest : public ::testing::Test {
 protected:
  Result<CatalogueSignature> ask(bool carries = true) {
    return catalogue_signature(verifier_, file_, sha256("catalogue"), carries, bundle_);
  }
  [[nodiscard]] std::string text() { return signature_text(ask().value()); }
  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.write("wsusscn2.cab", "catalogue");
  std::filesystem::path bundle_ = folder_.write("ca.pem", "bundle");
  Verifier verifier_;
};

TEST_F(CatalogueSignatureTest, IsMicrosoftsWhenItLeadsToTheBundleAndItsCertificateIsTheirs) {
  verifier_.says(0, "Subject: /C=US/O=Microsoft Corporation/CN=Microsoft Windows\nSignature verification: ok\n");
  EXPECT_EQ(ask()->state, State::by_microsoft);
  EXPECT_EQ(text(),
            "Microsoft's catalogue 'wsusscn2.cab': signed by Microsoft ('/C=US/O=Microsoft Corporation/CN="
            "Microsoft Windows')");
  verifier_.says(0, "Subject: /O=Vendor/CN=Signer\nSignature verification: ok\n");
  EXPECT_EQ(ask()->state, State::by_others);
  EXPECT_THAT(text(), HasSubstr(": not signed by Microsoft, but by '/O=Vendor/CN=Signer'"));
}

TEST_F(CatalogueSignatureTest, IsNeverBetterThanWhatWasSeen) {
  verifier_.says(1, "Error: unable to get local issuer certificate\n");
  EXPECT_EQ(ask()->state, State::not_verified);
  EXPECT_THAT(text(), HasSubstr("its signature is not verified: "));
  verifier_.says(1, "Calculated message digest : E836 MISMATCH\n");
  ASSERT_FALSE(ask());
  EXPECT_THAT(ask().error().message, HasSubstr("its content is not what was signed"));
  verifier_.verification.end = NotStarted{"there is no bwrap"};
  EXPECT_EQ(ask()->state, State::not_looked_at) << "trouble of this host says nothing of the file";
  EXPECT_THAT(text(), HasSubstr("its signature was not looked at: "));
  verifier_.says(0, "Subject: /O=Microsoft Corporation\nSignature verification: ok\n");
  folder_.write("wsusscn2.cab", "another one");
  EXPECT_FALSE(ask()) << "what was verified is not what was read";
}

TEST_F(CatalogueSignatureTest, AsksNobodyWhereThereIsNoneOrNothingToVerifyItBy) {
  EXPECT_EQ(ask(false)->state, State::not_signed);
  EXPECT_EQ(signature_text(ask(false).value()), "Microsoft's catalogue 'wsusscn2.cab': not signed");
  bundle_.clear();
  EXPECT_EQ(ask()->state, State::not_looked_at);
  EXPECT_THAT(text(), HasSubstr("no CA bundle was named (--ca-bundle)"));
  EXPECT_EQ(verifier_.asked, 0);
}

}  // namespace
}  // namespace patchlab::cli

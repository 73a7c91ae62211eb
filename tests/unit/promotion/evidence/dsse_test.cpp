// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/dsse.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "lab/core/files.hpp"

namespace patchlab::promotion {
namespace {
using testing::HasSubstr;

// protocol.md of DSSE, "Test Vectors".
TEST(Dsse, SignsTypeAndPayloadWithTheirLengths) {
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(pre_authentication_encoding("", ""), "DSSEv1 0  0 ");
  EXPECT_NE(pre_authentication_encoding("a b", "c"), pre_authentication_encoding("a", "b c"));
  EXPECT_EQ(pre_authentication_encoding("t", "\xc3\xbc"), "DSSEv1 1 t 2 \xc3\xbc") << "bytes, not characters";
}

TEST(Dsse, WhatIsNoKeyForItIsRefusedWithTheNextStep) {
  char name[] = "/tmp/patchlab-dsse-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  const auto file = folder / "key.pem";
  // RFC 5915 key of P-256, and one in PKCS#8 with a password.
  const std::string on_a_curve =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
      "OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
      "1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
      "-----END PRIVATE KEY-----\n";
  for (const auto& [text, words] : {std::pair<std::string, const char*>{"", "is no private key"},
                                    {"-----BEGIN PRIVATE KEY-----\n", "is no private key"},
                                    {on_a_curve, "is no Ed25519 key"}}) {
    ASSERT_TRUE(write_file_atomically(file, text));
    const auto key = DsseKey::read(file);
    ASSERT_FALSE(key) << words;
    EXPECT_THAT(key.error().message, HasSubstr(words));
    EXPECT_THAT(key.error().hint, HasSubstr("openssl genpkey -algorithm ed25519"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace patchlab::promotion

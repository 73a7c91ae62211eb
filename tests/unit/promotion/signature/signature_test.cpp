// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "promotion/signature/ssh_keygen.hpp"
#include "promotion/signature/ssh_signature.hpp"
#include "tests/support/security_key_signatures.hpp"
#include "tests/support/ssh_keys.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::security_key_signatures;
using testing::SshKeys;

constexpr const char* approve = "patchlab.approve.v1";
const auto now = *parse_rfc3339("2026-11-28T10:00:00Z");

const std::vector<std::vector<std::string>> types{{"-t", "ed25519"},
                                                  {"-t", "rsa", "-b", "3072"},
                                                  {"-t", "ecdsa", "-b", "256"},
                                                  {"-t", "ecdsa", "-b", "384"},
                                                  {"-t", "ecdsa", "-b", "521"}};

class Signature : public ::testing::Test {
 protected:
  static std::string armoured(const std::string& blob) {
    auto text = base64(blob);
    std::string lines;
    for (std::size_t at = 0; at < text.size(); at += 70) lines += text.substr(at, 70) + "\n";
    return "-----BEGIN SSH SIGNATURE-----\n" + lines + "-----END SSH SIGNATURE-----\n";
  }
  static std::string blob_of(const std::string& armour) {
    auto text = armour.substr(armour.find('\n') + 1);
    text.resize(text.find("-----END"));
    std::erase(text, '\n');
    return from_base64(text).value();
  }
  static SignatureCheck check(const std::string& signers, const std::string& signature, const std::string& bytes) {
    return {signers, "bob", approve, bytes, signature, now};
  }
  static std::string verify(const SignatureCheck& check) {
    auto said = verify_signature(host_processes(), check);
    EXPECT_TRUE(said) << said.error().message;
    return said ? *said : "no answer";
  }
  SshKeys keys_;
};

TEST_F(Signature, OfEveryKindOfKeyIsMadeReadAndVerified) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto name = "k" + std::to_string(i);
    const auto line = keys_.line(name, types[i]);
    const auto text = keys_.sign(name, approve, "approved\n");
    const auto read = read_ssh_signature(text, "x.sig");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_string(read->key), line);
    EXPECT_EQ(read->name_space, approve);
    EXPECT_FALSE(read->security_key);
    const auto signers = "bob namespaces=\"patchlab.approve.v1\" " + line + "\n";
    EXPECT_EQ(verify(check(signers, text, "approved\n")), "");
    EXPECT_THAT(verify(check(signers, text, "approveD\n")), HasSubstr("incorrect signature")) << name;
    auto other = check(signers, text, "approved\n");
    other.name = "alice";
    EXPECT_NE(verify(other), "");
    other = check(signers, text, "approved\n");
    other.name_space = "patchlab.waive.v1";
    EXPECT_NE(verify(other), "");
    const auto listed = find_principals(host_processes(), signers, text, now);
    ASSERT_TRUE(listed);
    EXPECT_THAT(*listed, ElementsAre("bob"));
  }
  const auto nobody =
      find_principals(host_processes(), "bob " + keys_.line("other") + "\n", keys_.sign("k0", approve, "x"), now);
  ASSERT_TRUE(nobody);
  EXPECT_THAT(*nobody, IsEmpty());
}

TEST_F(Signature, IsJudgedAtTheTimeThatTheLedgerGives) {
  const auto text = keys_.sign("bob", approve, "x");
  const auto signers =
      "bob valid-after=\"20260101000000Z\",valid-before=\"20261128100000Z\" " + keys_.line("bob") + "\n";
  auto asked = check(signers, text, "x");
  EXPECT_EQ(verify(asked), "") << "the last second still counts";
  asked.time = now + std::chrono::seconds(1);
  EXPECT_THAT(verify(asked), HasSubstr("expired"));
  asked.time = *parse_rfc3339("2025-12-31T23:59:59Z");
  EXPECT_THAT(verify(asked), HasSubstr("not yet valid"));
  EXPECT_EQ(ssh_time(now + std::chrono::milliseconds(999)), "20261128100000Z");
}

TEST_F(Signature, TellsWhatASecurityKeySaw) {
  for (const auto& made : security_key_signatures) {
    const auto read = read_ssh_signature(made.signature, made.name);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_TRUE(read->security_key) << made.name;
    EXPECT_EQ(read->security_key->touched(), made.touched) << made.name;
    EXPECT_EQ(read->security_key->verified(), made.verified) << made.name;
    EXPECT_EQ(read->security_key->origin, made.origin);
    EXPECT_TRUE(is_security_key(read->key.kind));
    EXPECT_EQ(to_string(read->key), made.key);
    const auto signers = std::string("bob ") + made.key + "\n";
    EXPECT_EQ(verify(check(signers, made.signature, testing::signed_by_security_key)), "") << made.name;
    EXPECT_NE(verify(check(signers, made.signature, "something else\n")), "") << made.name;
    // The flags stand below the signature: who edits them breaks it.
    auto blob = blob_of(made.signature);
    const auto flags = static_cast<char>(read->security_key->flags);
    if (!std::string(made.origin).empty()) continue;
    blob[blob.size() - 5] = static_cast<char>(0x05 ^ (flags == 0x05 ? 0x01 : 0));
    const auto edited = armoured(blob);
    const auto reread = read_ssh_signature(edited, made.name);
    ASSERT_TRUE(reread);
    EXPECT_NE(reread->security_key->flags, read->security_key->flags);
    EXPECT_NE(verify(check(signers, edited, testing::signed_by_security_key)), "") << made.name;
  }
}

// Where Debian's openssh-tests are installed, with the provider that they bring.
TEST_F(Signature, IsMadeByASecurityKey) {
  const std::string provider = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";
  if (!is_there(provider)) GTEST_SKIP() << "needs Debian's openssh-tests (" << provider << ")";
  ::setenv("SSH_SK_PROVIDER", provider.c_str(), 1);
  const auto line = keys_.line("sk", {"-t", "ed25519-sk", "-w", provider});
  const auto text = keys_.sign("sk", approve, "x");
  ::unsetenv("SSH_SK_PROVIDER");
  const auto read = read_ssh_signature(text, "x.sig");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->security_key && read->security_key->touched());
  EXPECT_EQ(verify(check("bob " + line + "\n", text, "x")), "");
}

TEST_F(Signature, ThatCannotBeMadeSaysWhatToDo) {
  const auto file = keys_.file("locked", {"-t", "ed25519", "-N", "secret"});
  const auto made = make_signature(host_processes(), file, approve, "x");
  ASSERT_FALSE(made) << "the passphrase was not asked for";
  EXPECT_THAT(made.error().message, HasSubstr("ssh-keygen did not sign with '" + file.string() + "'"));
  EXPECT_THAT(made.error().hint, HasSubstr("ssh-add"));
  EXPECT_FALSE(make_signature(host_processes(), keys_.folder() / "nothing", approve, "x"));
  EXPECT_FALSE(is_there(keys_.folder() / "nothing.sig"));
}

// Every byte of every signature: what is changed is refused here or by ssh-keygen, or is the same signature.
TEST_F(Signature, DoesNotSurviveAChangedByte) {
  const auto line = keys_.line("bob");
  const auto signers = "bob " + line + "\n";
  const auto blob = blob_of(keys_.sign("bob", approve, "x"));
  int accepted = 0;
  for (std::size_t at = 0; at < blob.size(); ++at) {
    auto other = blob;
    other[at] = static_cast<char>(other[at] ^ 0x01);
    const auto read = read_ssh_signature(armoured(other), "x.sig");
    if (!read) continue;
    ++accepted;
    if (at % 8 != 0) continue;
    EXPECT_NE(verify(check(signers, armoured(other), "x")), "") << at;
  }
  EXPECT_GT(accepted, 60) << "key, namespace and value are not judged here";
  for (std::size_t size = 0; size < blob.size(); ++size)
    EXPECT_FALSE(read_ssh_signature(armoured(blob.substr(0, size)), "x"));
  EXPECT_FALSE(read_ssh_signature(armoured(blob + '\0'), "x"));
}

TEST_F(Signature, StandsAloneInItsArmour) {
  const auto text = keys_.sign("bob", approve, "x");
  ASSERT_TRUE(read_ssh_signature(text, "x"));
  for (const auto& other :
       {"\n" + text, text + "\n", text + text, "x" + text, text.substr(0, text.size() - 1), text.substr(1),
        std::string(), std::string("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n"),
        std::string(longest_signature + 1, 'A')}) {
    EXPECT_FALSE(read_ssh_signature(other, "x")) << other;
  }
  auto blanks = text;
  blanks.insert(blanks.find('\n') + 5, " ");
  EXPECT_FALSE(read_ssh_signature(blanks, "x"));
  auto carriage = text;
  carriage.insert(carriage.find('\n'), "\r");
  EXPECT_FALSE(read_ssh_signature(carriage, "x"));
  const auto said = read_ssh_signature("x", "approve.sig");
  EXPECT_EQ(said.error().message,
            "approve.sig: is no usable signature: it does not stand alone between its BEGIN and END lines");
}

TEST_F(Signature, TakesOnlyStrongKeysAndTheirOwnAlgorithms) {
  const auto weak = keys_.line("weak", {"-t", "rsa", "-b", "2048"});
  const auto at = weak.find(' ');
  const auto key = read_key_text(weak.substr(0, at), weak.substr(at + 1));
  ASSERT_TRUE(std::holds_alternative<NoKey>(key));
  EXPECT_EQ(std::get<NoKey>(key).problem, KeyProblem::weak);
  EXPECT_EQ(std::get<NoKey>(key).text, "an RSA key of 2048 bits; 3072 are needed");
  auto signature = make_signature(host_processes(), keys_.file("weak"), approve, "x");
  ASSERT_TRUE(signature);
  EXPECT_THAT(read_ssh_signature(*signature, "x").error().message, HasSubstr("2048"));
  // SHA-1, by the name of the algorithm inside.
  auto blob = blob_of(keys_.sign("strong", approve, "x"));
  const auto algorithm = blob.rfind("ssh-ed25519");
  blob.replace(algorithm, 11, "ssh-ed25518");
  EXPECT_THAT(read_ssh_signature(armoured(blob), "x").error().message, HasSubstr("does not belong to a key of type"));
}

TEST_F(Signature, KeysHaveFingerprintsAsSshKeygenPrintsThem) {
  const auto line = keys_.line("bob");
  const auto at = line.find(' ');
  const auto key = read_key_text(line.substr(0, at), line.substr(at + 1));
  ASSERT_TRUE(std::holds_alternative<PublicKey>(key));
  ProcessSpec spec;
  spec.program = "ssh-keygen";
  spec.arguments = {"-l", "-f", keys_.file("bob").string() + ".pub"};
  EXPECT_THAT(host_processes().run(spec).output, HasSubstr(" " + fingerprint(std::get<PublicKey>(key)) + " "));
  const auto text = read_file(keys_.file("bob").string() + ".pub").value();
  EXPECT_EQ(to_string(read_public_key_file(text, "x").value()), line);
  EXPECT_THAT(read_public_key_file(read_file(keys_.file("bob")).value(), "bob").error().message,
              HasSubstr("bob: is a private key"));
  EXPECT_FALSE(read_public_key_file("", "x"));
  EXPECT_FALSE(read_public_key_file(text + text, "x"));
  EXPECT_FALSE(read_public_key_file("ssh-rsa" + text.substr(text.find(' ')), "x")) << "the type is another";
}

}  // namespace
}  // namespace patchlab::promotion

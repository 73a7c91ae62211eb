// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/trust/trust.hpp"

#include <gmock/gmock.h>

#include "lab/core/base64.hpp"
#include "promotion/signature/ssh_keygen.hpp"
#include "tests/support/security_key_signatures.hpp"
#include "tests/support/ssh_keys.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SshKeys;

constexpr const char* approve = "namespaces=\"patchlab.approve.v1\"";
const auto now = *parse_rfc3339("2026-11-28T10:00:00Z");

std::string codes(const std::string& text, SignersOf what = SignersOf::statements,
                  const std::vector<std::string>& keys = {}) {
  std::string all;
  for (const auto& problem : read_signers(text, what, keys).problems)
    all += fmt::format("{}{}:{}", all.empty() ? "" : " ", problem.line, to_string(problem.code));
  return all;
}

class Signers : public ::testing::Test {
 protected:
  // What stock ssh-keygen says when `name` is asked about; "" when it accepts.
  std::string stock(const std::string& signers, const std::string& name,
                    const std::string& name_space = "patchlab.approve.v1") {
    const auto said = verify_signature(
        host_processes(), {signers, name, "patchlab.approve.v1" == name_space ? name_space : name_space, "x",
                           keys_.sign("a", name_space, "x"), now});
    EXPECT_TRUE(said);
    return said ? *said : "no answer";
  }
  SshKeys keys_;
  const std::string a_ = keys_.line("a");
  const std::string b_ = keys_.line("b");
};

TEST_F(Signers, AreReadAndWrittenAlike) {
  const auto text =
      "alice@xavier.example "
      "namespaces=\"patchlab.submit.v1,patchlab.approve.v1\",valid-after=\"20260101000000Z\",valid-before="
      "\"20270101000000Z\" " +
      a_ + "\nbob@xavier.example " + approve + " " + b_ + "\n";
  const auto reading = read_signers(text, SignersOf::statements);
  EXPECT_THAT(reading.problems, IsEmpty());
  ASSERT_EQ(reading.signers.size(), 2U);
  EXPECT_EQ(reading.signers[0].name, "alice@xavier.example");
  EXPECT_TRUE(may_sign(reading.signers[0], "patchlab.submit.v1"));
  EXPECT_FALSE(may_sign(reading.signers[1], "patchlab.submit.v1"));
  EXPECT_EQ(write_signers(reading.signers), text);
  EXPECT_TRUE(read_canonical_signers(text, SignersOf::statements, "x"));
  // What people write by hand means the same, and is no version.
  const auto by_hand =
      "# who may approve\n\nbob@xavier.example\t" + std::string(approve) + "  " + b_ + " bob's laptop\n";
  const auto same = read_signers(by_hand, SignersOf::statements);
  EXPECT_THAT(same.problems, IsEmpty());
  EXPECT_EQ(write_signers(same.signers), "bob@xavier.example " + std::string(approve) + " " + b_ + "\n");
  const auto refused = read_canonical_signers(by_hand, SignersOf::statements, "trust/1/allowed_signers");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("trust/1/allowed_signers: not-canonical: "));
}

// What stock ssh-keygen lets pass (it is asked), each with a code of its own and its line.
TEST_F(Signers, TrapsOfSshKeygenAreRefused) {
  const auto p = a_;
  struct Trap {
    std::string text;
    std::string asked;  // name that stock ssh-keygen accepts
    std::string codes;
  };
  const std::vector<Trap> traps{
      {"alice " + std::string(approve) + " " + p + "\nbob " + approve + " " + p + "\n", "bob", "2:key-twice"},
      {"alice " + std::string(approve) + " " + p + "\nalice " + approve + " " + p + "\n", "alice", "2:key-twice"},
      {"*@x " + std::string(approve) + " " + p + "\n", "anybody@x", "1:name-pattern"},
      {"bo? " + std::string(approve) + " " + p + "\n", "bob", "1:name-pattern"},
      {"alice,bob " + std::string(approve) + " " + p + "\n", "bob", "1:name-pattern"},
      {"*,!carol " + std::string(approve) + " " + p + "\n", "bob", "1:name-pattern"},
      {"Bob " + std::string(approve) + " " + p + "\n", "Bob", "1:name-invalid"},
      {"bob " + p + "\n", "bob", "1:namespaces-missing"},
      {"bob valid-after=\"20260101Z\" " + p + "\n", "bob", "1:namespaces-missing"},
      {"bob namespaces=\"patchlab.*\" " + p + "\n", "bob", "1:namespace-pattern"},
      {"bob namespaces=\"*\" " + p + "\n", "bob", "1:namespace-pattern"},
      {"bob namespaces=\"*,!git\" " + p + "\n", "bob", "1:namespace-pattern 1:namespace-pattern"},
      {"bob namespaces=\"patchlab.approve.v1,git\" " + p + "\n", "bob", "1:namespace-unknown"},
      {"bob namespaces=\"patchlab.approve.v1,patchlab.approve.v1\" " + p + "\n", "bob", "1:namespace-twice"},
      {"bob namespaces=\"patchlab.approve.v1,patchlab.trust.v1\" " + p + "\n", "bob", "1:namespace-unknown"},
      {"bob Namespaces=\"patchlab.approve.v1\" " + p + "\n", "bob", "1:option-unknown 1:namespaces-missing"},
      {"bob " + std::string(approve) + ",valid-before=\"20270101\" " + p + "\n", "bob", "1:date-without-zone"},
      {"bob " + std::string(approve) + ",valid-after=\"202601010000\" " + p + "\n", "bob", "1:date-without-zone"},
      {"bob " + std::string(approve) + ",valid-before=\"20270231Z\" " + p + "\n", "bob", "1:date-unparsable"},
      {"bob " + std::string(approve) + ",valid-before=\"20270101z\" " + p + "\n", "bob", "1:date-unparsable"},
      {"bob namespaces=\"patchlab.run.v1,patchlab.approve.v1\" " + p + "\n", "bob", "1:roles-mixed"},
      {"bob namespaces=\"patchlab.rollback.v1,patchlab.approve.v1\" " + p + "\n", "bob", "1:roles-mixed"},
      {"bob namespaces=\"patchlab.run.v1\" " + b_ + "\nbob " + approve + " " + p + "\n", "bob", "2:roles-mixed"},
      {"bob namespaces=\"patchlab.head.v1\" " + b_ + "\nbob namespaces=\"patchlab.witness.v1,patchlab.approve.v1\" " +
           p + "\n",
       "bob", "2:roles-mixed"},
  };
  for (const auto& trap : traps) {
    EXPECT_EQ(stock(trap.text, trap.asked), "") << "no trap, or another ssh-keygen: " << trap.text;
    EXPECT_EQ(codes(trap.text), trap.codes) << trap.text;
  }
}

TEST_F(Signers, NonsenseIsRefusedToo) {
  const auto good = "bob " + std::string(approve) + " " + a_ + "\n";
  ASSERT_EQ(codes(good), "");
  const auto dss = "ssh-dss " + base64(std::string("\0\0\0\7ssh-dss", 11));
  const auto certificate = std::string("ssh-ed25519-cert-v01@openssh.com ") +
                           base64(std::string("\0\0\0\x20ssh-ed25519-cert-v01@openssh.com", 36));
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "0:no-signers"},
      {"# nobody\n\n", "0:no-signers"},
      {"bob " + std::string(approve) + " " + a_, "0:not-text"},
      {"bob " + std::string(approve) + " " + a_ + "\r\n", "1:not-text"},
      {"bob " + std::string(approve) + " " + a_ + " \xff\n", "1:not-text"},
      {"bob " + std::string(approve) + " " + a_ + " \x1b[2J\n", "1:not-text"},
      {"bob\n", "1:line-malformed"},
      {"bob " + std::string(approve) + "\n", "1:line-malformed"},
      {"\"bob\" " + std::string(approve) + " " + a_ + "\n", "1:name-invalid"},
      {"bob namespaces=\"patchlab.approve.v1 " + a_ + "\n", "1:line-malformed"},
      {"bob namespaces=patchlab.approve.v1 " + a_ + "\n", "1:line-malformed"},
      {"bob namespaces=\"\" " + a_ + "\n", "1:namespace-unknown"},
      {"bob " + std::string(approve) + "," + approve + " " + a_ + "\n", "1:option-twice 1:namespace-twice"},
      {"bob " + std::string(approve) + ",no-touch-required " + a_ + "\n", "1:option-unknown"},
      {"bob cert-authority," + std::string(approve) + " " + a_ + "\n", "1:cert-authority"},
      {"bob " + std::string(approve) + ",valid-before=\"tomorrow\" " + a_ + "\n", "1:date-unparsable"},
      {"bob " + std::string(approve) + ",valid-before=\"19700101Z\" " + a_ + "\n", "1:date-unparsable"},
      {"bob " + std::string(approve) + ",valid-after=\"20270101Z\",valid-before=\"20260101Z\" " + a_ + "\n",
       "1:dates-reversed"},
      {"bob " + std::string(approve) + " ssh-ed25519 AAAA\n", "1:key-unreadable"},
      {"bob " + std::string(approve) + " ssh-rsa" + a_.substr(a_.find(' ')) + "\n", "1:key-unreadable"},
      {"bob " + std::string(approve) + " " + dss + "\n", "1:key-weak"},
      {"bob " + std::string(approve) + " " + keys_.line("weak", {"-t", "rsa", "-b", "2048"}) + "\n", "1:key-weak"},
      {"bob " + std::string(approve) + " " + certificate + "\n", "1:key-kind"},
      {good + std::string(17000, '#') + "\n", "2:too-large"},
      {std::string(largest_signers_file + 1, '\n'), "0:too-large"},
  };
  for (const auto& [text, expected] : wrong) EXPECT_EQ(codes(text), expected) << text.substr(0, 300);
  EXPECT_EQ(codes("root namespaces=\"patchlab.trust.v1\" " + a_ + "\n", SignersOf::trust), "");
  EXPECT_EQ(codes(good, SignersOf::trust), "1:namespace-unknown") << "a root signs no approvals";
  const auto demanded = signature_namespace(StatementKind::approve);
  EXPECT_EQ(codes(good, SignersOf::statements, {demanded}), "1:security-key-missing");
  EXPECT_EQ(codes("bob " + std::string(approve) + " " + testing::security_key_signatures[0].key + "\n",
                  SignersOf::statements, {demanded}),
            "");
}

// Both readers agree on when a key is in force, to the second.
TEST_F(Signers, AreInForceWhenSshKeygenSaysSo) {
  const auto text =
      "bob " + std::string(approve) + ",valid-after=\"20261128Z\",valid-before=\"202611281000Z\" " + a_ + "\n";
  const auto reading = read_signers(text, SignersOf::statements);
  ASSERT_EQ(reading.signers.size(), 1U);
  const auto signature = keys_.sign("a", "patchlab.approve.v1", "x");
  for (const char* time : {"2026-11-27T23:59:59.999Z", "2026-11-28T00:00:00Z", "2026-11-28T09:59:59Z",
                           "2026-11-28T10:00:00Z", "2026-11-28T10:00:00.999Z", "2026-11-28T10:00:01Z"}) {
    const auto when = *parse_rfc3339(time);
    const auto said = verify_signature(host_processes(), {text, "bob", "patchlab.approve.v1", "x", signature, when});
    ASSERT_TRUE(said);
    EXPECT_EQ(in_force(reading.signers[0], when), said->empty()) << time << ": " << *said;
  }
}

class TrustVersions : public Signers {
 protected:
  std::string roots() { return "root namespaces=\"patchlab.trust.v1\" " + keys_.line("root") + "\n"; }
  const std::string text_ = "bob " + std::string(approve) + " " + b_ + "\n";
};

TEST_F(TrustVersions, AreSignedByAPinnedRoot) {
  const auto name_space = signature_namespace(StatementKind::trust);
  const auto signature = keys_.sign("root", name_space, text_);
  ASSERT_TRUE(keys_.line("root").size() > 10);
  const auto version = trust_version(host_processes(), text_, signature, roots(), 1, now);
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_EQ(version->signers.size(), 1U);
  const auto trouble = [&](const std::string& text, const std::string& made, const std::string& pinned) {
    const auto read = trust_version(host_processes(), text, made, pinned, 1, now);
    return read ? std::string() : read.error().message;
  };
  const auto edited = "bob " + std::string(approve) + " " + a_ + "\n";
  EXPECT_THAT(trouble(edited, signature, roots()),
              HasSubstr("trust version 1: the signature of root 'root' is not good"));
  EXPECT_THAT(trouble(text_, keys_.sign("a", name_space, text_), roots()),
              HasSubstr("which is no root key that is pinned"));
  EXPECT_THAT(trouble(text_, keys_.sign("root", "patchlab.approve.v1", text_), roots()), HasSubstr("is not good"));
  EXPECT_THAT(trouble(text_, "", roots()), HasSubstr("is no usable signature"));
  EXPECT_THAT(trouble(text_, signature, "root " + keys_.line("root") + "\n"), HasSubstr("namespaces-missing"));
  EXPECT_THAT(trouble(text_, signature, ""), HasSubstr("no-signers"));
  const auto by_hand = "# x\n" + text_;
  EXPECT_THAT(trouble(by_hand, keys_.sign("root", name_space, by_hand), roots()), HasSubstr("not-canonical"));
  const auto folder = keys_.folder() / "1";
  ASSERT_TRUE(create_folders(folder));
  ASSERT_TRUE(write_file_atomically(folder / "allowed_signers", text_));
  EXPECT_FALSE(read_trust_version(host_processes(), folder, roots(), 1, now)) << "not signed";
  ASSERT_TRUE(write_file_atomically(folder / "allowed_signers.sig", signature));
  EXPECT_TRUE(read_trust_version(host_processes(), folder, roots(), 1, now));
}

TEST(Trust, IsThatOfTheTime) {
  const auto hour = [](int i) { return now + std::chrono::hours(i); };
  const Trust trust({{1, hour(0), "", {}}, {2, hour(2), "", {}}});
  EXPECT_EQ(trust.at(hour(-1)), nullptr);
  EXPECT_EQ(trust.at(hour(0))->number, 1U);
  EXPECT_EQ(trust.at(hour(1))->number, 1U);
  EXPECT_EQ(trust.at(hour(2))->number, 2U);
  EXPECT_EQ(trust.at(hour(9))->number, 2U);
  EXPECT_EQ(Trust().at(hour(9)), nullptr);
}

TEST(Trust, KnowsOnePersonByTheirKeys) {
  const auto signer = [](const std::string& name, const std::string& key) {
    Signer one;
    one.name = name;
    one.key.blob = key;
    return one;
  };
  const Trust trust({{1, now, "", {signer("alice", "k1"), signer("bob", "k2"), signer("carol", "k4")}},
                     {2, now, "", {signer("alicia", "k1"), signer("alicia", "k3"), signer("carol", "k5")}},
                     {3, now, "", {signer("al", "k3"), signer("bob", "k2")}}});
  EXPECT_TRUE(trust.same_person("alice", "alicia"));
  EXPECT_TRUE(trust.same_person("alice", "al")) << "by way of alicia";
  EXPECT_TRUE(trust.same_person("carol", "carol"));
  EXPECT_FALSE(trust.same_person("alice", "bob"));
  EXPECT_FALSE(trust.same_person("carol", "al"));
  EXPECT_TRUE(trust.same_person("nobody", "nobody"));
  EXPECT_FALSE(trust.same_person("nobody", "alice"));
}

}  // namespace
}  // namespace patchlab::promotion

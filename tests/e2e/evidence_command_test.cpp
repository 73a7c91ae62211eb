// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "program.hpp"
#include "promotion/desk/desk.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/signature/ssh_keygen.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* policy_of_two =
    R"({"schema":"patchlab/policy/v1","id":"production","author":"owner@x","valid_since":"2020-01-01T00:00:00Z",)"
    R"("valid_until":"2100-01-01T00:00:00Z","approvals":[{"count":2,"not_by":["submitter","policy-author"]}]})";

// A promotion as it happens: keys and lists by the commands that people use, the lab's lines and the promotion by the
// desk, which here gets its run from a record instead of machines.
void expect_fits(const std::string& output, const std::string& schema) {
  const auto file = std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/" + schema + ".schema.json";
  const auto json = Json::parse(output, nullptr, false);
  EXPECT_THAT(tests::SchemaValidator(read_json_file(file).value()).problems(json), ::testing::IsEmpty()) << output;
}

class EvidenceCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"root", "bob", "carol", "owner", "lab", "witness"}) {
      ASSERT_EQ(exit_code(start("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name})), 0);
    }
    may("bob@x", "bob", "approve,reject,waive,withdraw");
    may("carol@x", "carol", "approve,reject,waive,withdraw");
    may("owner@x", "owner", "policy");
    may("lab@x", "lab", "begin,run,promote,rollback,refuse,head");
    may("witness@y", "witness", "witness");
    good({"trust", "sign", "signers", "--root", "root"});
    folder_.write("policy.json", policy_of_two);
    good({"policy", "add", "policy.json", "--key", "owner"});
    // As an auditor noted it when the stage was set up.
    folder_.write("roots", read_file(stage() / ".ledger/trust/roots").value());
    record_ = tests::good_record();
    const auto now = std::chrono::system_clock::now();
    record_.started = rfc3339(now - std::chrono::minutes(30));
    record_.finished = rfc3339(now - std::chrono::minutes(10));
    ASSERT_TRUE(create_folders(file().parent_path()));
    ASSERT_TRUE(create_folders(folder_.path() / "store"));
    for (const auto& candidate : record_.candidates) {
      for (const auto& one : candidate.files)
        ASSERT_TRUE(write_file_atomically(folder_.path() / "store" / one.sha256, "content of " + candidate.id));
    }
  }

  [[nodiscard]] fs::path stage() const { return folder_.path() / "production"; }
  [[nodiscard]] fs::path file() const { return folder_.path() / "runs" / record_.id / "run.json"; }
  [[nodiscard]] ProcessOutcome start(const std::string& program, const std::vector<std::string>& words) const {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = words;
    spec.working_folder = folder_.path();
    return host_processes().run(spec);
  }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const {
    return patchlab(words, folder_.path());
  }
  void good(const std::vector<std::string>& words) const {
    const auto outcome = ask(words);
    EXPECT_EQ(exit_code(outcome), 0) << words[0] << ' ' << words[1] << ": " << outcome.output << outcome.errors;
  }
  void may(const std::string& name, const std::string& key, const std::string& kinds) const {
    good({"trust", "add", "signers", name, "--key", key + ".pub", "--may", kinds});
  }
  void approve(const std::string& key) const {
    good({"approve", "runs/" + record_.id, "--department", "finance", "--reason", "read the report", "--key", key});
  }

  [[nodiscard]] promotion::Scribe scribe() const {
    promotion::Scribe scribe{.by = "lab@x", .submitter = "alice@x"};
    scribe.sign = [key = folder_.path() / "lab"](const std::string& name_space,
                                                 const std::string& bytes) -> Result<std::string> {
      if (name_space == "patchlab.policy.v1") return std::string();
      return promotion::make_signature(host_processes(), key, name_space, bytes);
    };
    return scribe;
  }
  [[nodiscard]] promotion::Desk desk() const {
    const auto now = std::chrono::system_clock::now();
    return {
        {.stage = stage(), .ledger = folder_.path() / "runs/ledger.jsonl"},
        promotion::policy_at_desk(stage(), now).value(),
        {.golden = [](const auto&, const auto&) { return std::nullopt; },
         .candidate = [](const auto&) { return std::nullopt; },
         .file = [this](const std::string& sha256) -> Result<fs::path> { return folder_.path() / "store" / sha256; }},
        now,
        scribe()};
  }
  void run_and_record() {
    promotion::LabBook book(stage(), folder_.path() / "runs/ledger.jsonl", scribe());
    const auto now = std::chrono::system_clock::now();
    const auto begun = book.begin(record_, promotion::policy_at_desk(stage(), now).value().digest, now);
    ASSERT_TRUE(begun) << begun.error().message;
    ASSERT_TRUE(reports::write_run_record(record_, file()));
    record_ = reports::read_run_record(file()).value();
    const auto settled = desk().settle(record_, promotion::Desk::Ask::nothing, *begun, file());
    ASSERT_FALSE(settled.trouble) << settled.trouble->message;
  }
  void promote() {
    const auto promotions = desk().promote(record_, {}, {.file = file()});
    ASSERT_FALSE(promotions.ledger) << promotions.ledger->message;
    ASSERT_EQ(promotions.exit_code, ExitCode::ok) << ::testing::PrintToString(promotions.decisions.front().reasons());
  }

  struct Answers {
    ProcessOutcome verified;
    ProcessOutcome audited;
  };
  [[nodiscard]] Answers both(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"verify", "bundle", "--roots", "roots"};
    std::vector<std::string> script{PATCHLAB_AUDIT, "bundle", "roots"};
    for (const auto& head : more) {
      words.insert(words.end(), {"--noted", head});
      script.push_back(head);
    }
    return {ask(words), start("bash", script)};
  }
  void expect_proven(const Answers& answers) const {
    EXPECT_EQ(exit_code(answers.verified), 0) << answers.verified.output << answers.verified.errors;
    EXPECT_THAT(answers.verified.output, HasSubstr("bundle 'bundle': proven\n"));
    EXPECT_EQ(exit_code(answers.audited), 0) << answers.audited.errors;
    EXPECT_THAT(answers.audited.output, StartsWith("PROVEN: finance ("));
  }

  const TemporaryFolder folder_;
  reports::RunRecord record_;
};

TEST_F(EvidenceCommand, WhatTheCommandsMakeIsProvenByBoth) {
  run_and_record();
  approve("bob");
  EXPECT_EQ(desk().promote(record_, {}, {.file = file()}).exit_code, ExitCode::policy) << "one of two approved";
  approve("carol");
  promote();
  const auto whole = ask({"verify", "production", "--roots", "roots"});
  EXPECT_EQ(exit_code(whole), 0) << whole.output << whole.errors;
  EXPECT_THAT(whole.output, HasSubstr("stage 'production': proven\n"));
  EXPECT_THAT(whole.output, HasSubstr("approved by bob@x, carol@x"));
  good({"evidence", "export", "--department", "finance", "-o", "bundle"});
  expect_proven(both());
  expect_proven(both({"production/.ledger/head"}));
  EXPECT_EQ(exit_code(ask({"evidence", "export", "--department", "finance", "-o", "bundle"})), 65)
      << "is there already";
  EXPECT_EQ(exit_code(ask({"evidence", "export", "--department", "sales", "-o", "other"})), 64);

  // Who is not asked for root keys is told that nothing is proven.
  const auto rootless = ask({"verify", "bundle"});
  EXPECT_EQ(exit_code(rootless), 3) << rootless.output;
  EXPECT_THAT(rootless.output, HasSubstr("consistent with itself, not proven"));

  // A department that is promoted again: the export proves the newest, by coverage of the one before.
  record_.id = "2026-11-23T060250Z-7f3a92";
  record_.digest.clear();
  record_.finished = rfc3339(std::chrono::system_clock::now() - std::chrono::minutes(5));
  ASSERT_TRUE(create_folders(file().parent_path()));
  run_and_record();
  approve("bob");
  approve("carol");
  promote();
  ASSERT_TRUE(remove_tree(folder_.path() / "bundle"));
  const auto exported = ask({"evidence", "export", "--department", "finance", "-o", "bundle", "--json"});
  ASSERT_EQ(exit_code(exported), 0) << exported.errors;
  expect_fits(exported.output, "evidence-export");
  expect_proven(both());
  EXPECT_THAT(both().audited.output, HasSubstr("serial 2"));
}

// As docs/evidence.md has it: nothing of ours checks an envelope.
TEST_F(EvidenceCommand, OtherToolsCheckItsEnvelopesWithStockOpenssl) {
  const auto exported = [&](const std::string& key) {
    return ask({"evidence", "export", "--format", "dsse", "--department", "finance", "-o", "finance.intoto.jsonl",
                "--json", "--dsse-key", key});
  };
  ASSERT_EQ(exit_code(start("openssl", {"genpkey", "-algorithm", "ed25519", "-out", "dsse.pem"})), 0);
  ASSERT_EQ(exit_code(start("openssl", {"pkey", "-in", "dsse.pem", "-pubout", "-out", "dsse.pub"})), 0);
  EXPECT_EQ(exit_code(exported("dsse.pem")), 65) << "nothing was promoted";
  run_and_record();
  approve("bob");
  approve("carol");
  promote();
  EXPECT_EQ(exit_code(exported("bob")), 65) << "a key of OpenSSH";
  EXPECT_EQ(exit_code(ask({"evidence", "export", "--format", "dsse", "--department", "finance", "-o", "x"})), 64);
  EXPECT_EQ(exit_code(ask({"evidence", "export", "--format", "dsse", "--department", "sales", "-o", "x", "--dsse-key",
                           "dsse.pem"})),
            64);
  EXPECT_FALSE(fs::exists(folder_.path() / "finance.intoto.jsonl"));
  const auto made = exported("dsse.pem");
  ASSERT_EQ(exit_code(made), 0) << made.errors;
  expect_fits(made.output, "evidence-dsse");
  const std::string check = R"sh(set -euo pipefail
while IFS= read -r line; do
  type=$(jq -r .payloadType <<<"$line"); jq -r .payload <<<"$line" | base64 -d >body
  jq -r '.signatures[0].sig' <<<"$line" | base64 -d >sig
  { printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(wc -c <body)"; cat body; } >pae
  openssl pkeyutl -verify -rawin -pubin -inkey dsse.pub -in pae -sigfile sig >/dev/null
  id=$(openssl pkey -pubin -in dsse.pub -outform DER | sha256sum | cut -c1-64)
  [ "$(jq -r '.signatures[0].keyid' <<<"$line")" = "$id" ]
  jq -r '[._type, .predicateType, .predicate.result // .predicate.verificationResult, .subject[0].digest.sha256] | join(" ")' body
done <finance.intoto.jsonl
)sh";
  const auto set = sha256(read_file(stage() / "finance" / "SHA256SUMS").value());
  const auto found = start("bash", {"-c", check});
  EXPECT_EQ(exit_code(found), 0) << found.errors;
  EXPECT_EQ(found.output,
            fmt::format("https://in-toto.io/Statement/v1 https://in-toto.io/attestation/test-result/v0.1 PASSED {0}\n"
                        "https://in-toto.io/Statement/v1 https://slsa.dev/verification_summary/v1 PASSED {0}\n",
                        set));
  // Another payload, and another type, under the same signature.
  const auto lines = read_file(folder_.path() / "finance.intoto.jsonl").value();
  const std::vector<std::pair<std::string, std::string>> edits{{"\"payload\":\"eyJf", "\"payload\":\"eyJg"},
                                                               {"in-toto+json", "in-toto+yaml"}};
  for (const auto& [from, to] : edits) {
    auto edited = lines;
    ASSERT_NE(edited.find(from), std::string::npos);
    edited.replace(edited.find(from), from.size(), to);
    folder_.write("finance.intoto.jsonl", edited);
    EXPECT_NE(exit_code(start("bash", {"-c", check})), 0) << to;
  }
  // What is refuted is not said in other words.
  fs::permissions(stage() / "finance" / "manifest.json", fs::perms::owner_write, fs::perm_options::add);
  EXPECT_EQ(exit_code(exported("dsse.pem")), 65);
}

TEST_F(EvidenceCommand, AWitnessTakesOnlyWhatContinues) {
  const auto ledger = stage() / ".ledger/ledger.jsonl";
  const std::vector<std::string> look{"witness", "production", "--state", "noted", "--key", "witness"};
  good(look);
  run_and_record();
  approve("bob");
  approve("carol");
  promote();
  const auto before = read_file(ledger).value();
  good(look);
  const auto proven = ask({"verify", "production", "--roots", "roots", "--noted", "noted"});
  EXPECT_EQ(exit_code(proven), 0) << proven.output << proven.errors;
  EXPECT_THAT(proven.output, HasSubstr("noted by witness@y"));
  // A copy of the lines alone will do.
  folder_.write("ledger.jsonl", before);
  good({"witness", "ledger.jsonl", "--state", "noted", "--key", "witness"});
  const auto same = read_file(folder_.path() / "noted").value();

  const auto end = before.rfind('\n', before.size() - 2) + 1;
  auto rewritten = before;
  rewritten.replace(rewritten.find("policy"), 6, "submit");
  for (const auto& [text, words] : {std::pair<std::string, const char*>{before.substr(0, end), "its end was cut off"},
                                    {rewritten, "does not follow"},
                                    {before.substr(0, before.find('\n') + 1), "its end was cut off"},
                                    {"", "has no line"},
                                    {"{}\n", "cannot be read"}}) {
    ASSERT_TRUE(write_file_atomically(ledger, text));
    const auto refused = ask(look);
    EXPECT_EQ(exit_code(refused), 65) << words;
    EXPECT_THAT(refused.errors, HasSubstr(words));
    EXPECT_EQ(read_file(folder_.path() / "noted").value(), same) << words;
    EXPECT_EQ(exit_code(ask({"verify", "production", "--noted", "noted"})), 65) << words;
  }
  ASSERT_TRUE(write_file_atomically(ledger, before));
  // Somebody else's signature is no witness's.
  ASSERT_EQ(
      exit_code(start("ssh-keygen", {"-q", "-Y", "sign", "-f", "bob", "-n", "patchlab.witness.v1", "ledger.jsonl"})),
      0);
  fs::rename(folder_.path() / "ledger.jsonl.sig", folder_.path() / "noted.sig");
  const auto forged = ask({"verify", "production", "--roots", "roots", "--noted", "noted"});
  EXPECT_EQ(exit_code(forged), 65);
  EXPECT_THAT(forged.output, HasSubstr("of nobody who may note heads"));
}

TEST_F(EvidenceCommand, WithoutKeysItIsConsistentAndNotProven) {
  const auto after = [&](const std::string& words) {
    const auto outcome = ask({"verify", "production"});
    EXPECT_EQ(exit_code(outcome), 0) << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr("stage 'production': consistent with itself, not proven\n"));
    EXPECT_THAT(outcome.output, HasSubstr(words));
  };
  ASSERT_TRUE(remove_tree(stage()));
  promotion::LabBook book(stage(), folder_.path() / "runs/ledger.jsonl", {});
  const auto now = std::chrono::system_clock::now();
  const auto begun = book.begin(record_, promotion::policy_at_desk(stage(), now).value().digest, now).value();
  // A run has begun, and nothing is promoted yet: that refutes nothing, and is no success either.
  const auto early = ask({"verify", "production"});
  EXPECT_EQ(exit_code(early), 3) << early.output << early.errors;
  EXPECT_THAT(early.output, HasSubstr("nothing is published here yet"));
  ASSERT_TRUE(reports::write_run_record(record_, file()));
  record_ = reports::read_run_record(file()).value();
  promotion::Desk desk(
      {.stage = stage(), .ledger = folder_.path() / "runs/ledger.jsonl"},
      promotion::policy_at_desk(stage(), now).value(),
      {.golden = [](const auto&, const auto&) { return std::nullopt; },
       .candidate = [](const auto&) { return std::nullopt; },
       .file = [this](const std::string& sha256) -> Result<fs::path> { return folder_.path() / "store" / sha256; }},
      now);
  const auto settled = desk.settle(record_, promotion::Desk::Ask::promote, begun, file());
  ASSERT_EQ(settled.exit_code, ExitCode::ok);
  after("the stage has no root keys");
  // Whoever cuts the end off is not noticed by the stage alone, but by a head that was noted.
  const auto head = promotion::Chain(stage() / ".ledger").read().value().head();
  const auto noted = fmt::format("{}:{}", head.size, head.hash);
  EXPECT_EQ(exit_code(ask({"verify", "production", "--noted", noted})), 0);
  EXPECT_EQ(exit_code(ask({"verify", "production", "--noted", fmt::format("{}:{}", head.size + 1, head.hash)})), 65);
}

}  // namespace
}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "people.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "program.hpp"

namespace patchlab::e2e {
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Json one_person() {
  return Json::parse(R"({
    "schema": "patchlab/policy/v1", "id": "production", "author": "owner@x",
    "valid_since": "2020-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z",
    "approvals": [{"count": 1, "not_by": ["submitter", "policy-author"]}]})");
}

People::People(fs::path folder, const Json& policy) : folder_(std::move(folder)) {
  for (const char* name : {"root", "owner", "lab", "alice", "bob", "carol", "dave"}) {
    const auto made = start("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name});
    EXPECT_EQ(exit_code(made), 0) << made.errors;
  }
  const auto may = [this](const std::string& name, const char* kinds) {
    good({"trust", "add", "signers", name + "@x", "--key", name + ".pub", "--may", kinds});
  };
  may("owner", "policy");
  may("lab", "begin,run,promote,rollback,refuse,head");
  may("alice", "submit,approve,reject,withdraw");
  may("bob", "approve,reject,withdraw");
  may("carol", "approve,waive,withdraw");
  may("dave", "approve,reject,withdraw");
  good({"trust", "sign", "signers", "--root", "root"});
  EXPECT_TRUE(write_file_atomically(folder_ / "policy.json", policy.dump(1)));
  good({"policy", "add", "policy.json", "--key", "owner"});
  const auto roots = read_file(folder_ / "production/.ledger/trust/roots");
  EXPECT_TRUE(roots && write_file_atomically(folder_ / "roots", *roots));
}

ProcessOutcome People::start(const std::string& program, const std::vector<std::string>& words) const {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = words;
  spec.working_folder = folder_;
  spec.time_limit = std::chrono::minutes(2);
  return host_processes().run(spec);
}
void People::good(const std::vector<std::string>& words) const {
  const auto outcome = patchlab(words, folder_);
  EXPECT_EQ(exit_code(outcome), 0) << words[0] << ' ' << words[1] << ": " << outcome.output << outcome.errors;
}

void People::approve(const std::string& who, const std::vector<std::string>& words) const {
  std::vector<std::string> all{"approve"};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), {"--reason", "read the report", "--key", who});
  good(all);
}
void People::refused(const std::string& who, const std::vector<std::string>& words, const std::string& code) const {
  std::vector<std::string> all{"approve"};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), {"--reason", "read the report", "--key", who});
  const auto outcome = patchlab(all, folder_);
  EXPECT_EQ(exit_code(outcome), 5) << who << ": " << outcome.output << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr(code)) << who;
}
void People::waive(const std::string& who, const std::vector<std::string>& words) const {
  std::vector<std::string> all{"waive"};
  all.insert(all.end(), words.begin(), words.end());
  const auto until = rfc3339(std::chrono::system_clock::now() + std::chrono::hours(24 * 7));
  all.insert(all.end(), {"--reason", "known", "--ticket", "C-1", "--until", until, "--key", who});
  good(all);
}

ProcessOutcome People::export_bundle(const std::string& stage, const std::string& department) const {
  auto outcome = patchlab(
      {"evidence", "export", "--stage", stage, "--department", department, "-o", "bundle", "--sign-with", "lab"},
      folder_);
  const auto head = read_file(folder_ / "bundle/head");
  EXPECT_TRUE(head && write_file_atomically(folder_ / "noted", *head));
  return outcome;
}

People::Answers People::ask_both(const std::string& bundle) const {
  return {start("bash", {std::string(PATCHLAB_SOURCE_DIR) + "/docs/audit.sh", bundle, "roots", "noted"}),
          patchlab({"verify", bundle, "--roots", "roots", "--noted", "noted"}, folder_)};
}

void People::expect_proven() const {
  const auto answers = ask_both("bundle");
  EXPECT_EQ(exit_code(answers.audited), 0) << answers.audited.errors;
  EXPECT_THAT(answers.audited.output, StartsWith("PROVEN: "));
  EXPECT_EQ(exit_code(answers.verified), 0) << answers.verified.output << answers.verified.errors;
  EXPECT_THAT(answers.verified.output, HasSubstr("bundle 'bundle': proven\n"));
}

void People::expect_refuted_when_tampered(std::size_t cases) const {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "bundle")) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder_ / "bundle"));
  }
  std::ranges::sort(files);
  const auto all = 3 * files.size();
  const auto wanted = cases == 0 ? all : std::min(cases, all);
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto one = i * all / wanted;
    const auto& file = files[one / 3];
    (void)remove_tree(folder_ / "tampered");
    fs::copy(folder_ / "bundle", folder_ / "tampered", fs::copy_options::recursive);
    const auto place = folder_ / "tampered" / file;
    fs::permissions(place, fs::perms::owner_write, fs::perm_options::add);
    fs::permissions(place.parent_path(), fs::perms::owner_all, fs::perm_options::add);
    auto text = read_file(place).value();
    const char* how = "edited";
    if (one % 3 == 0) {
      text[text.size() / 2] ^= 1;
    } else if (one % 3 == 1) {
      how = "cut";
      text.pop_back();
    }
    if (one % 3 == 2) {
      how = "taken out";
      fs::remove(place);
    } else {
      EXPECT_TRUE(write_file_atomically(place, text));
    }
    const auto answers = ask_both("tampered");
    EXPECT_EQ(exit_code(answers.audited), 1) << file << ' ' << how << ": " << answers.audited.output;
    EXPECT_THAT(answers.audited.errors, HasSubstr("REFUTED: ")) << file << ' ' << how;
    EXPECT_EQ(exit_code(answers.verified), 65) << file << ' ' << how << ": " << answers.verified.output;
  }
}

}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/ledger/ledger.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "lab/core/files.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using testing::HasSubstr;
using testing::SizeIs;

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    std::string pattern = testing::TempDir() + "patchlab-ledger-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    file_ = folder_ / "ledger.jsonl";
  }
  ~LedgerTest() override { std::filesystem::remove_all(folder_); }

  static Ledger::NewEntry entry(int number) {
    return {"2026-11-22T06:00:00.000Z", "verdict", {{"candidate", "kb-" + std::to_string(number)}}};
  }
  void fill(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(Ledger(file_).append({entry(i)}));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream text(read_file(file_).value());
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  }
  void write(const std::vector<std::string>& all) const {
    std::string text;
    for (const auto& line : all) text += line + "\n";
    ASSERT_TRUE(write_file_atomically(file_, text));
  }
  [[nodiscard]] std::string trouble() const {
    const auto head = Ledger(file_).verify();
    return head ? "" : head.error().message;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

TEST_F(LedgerTest, GrowsAndVerifies) {
  fill(3);
  const auto entries = Ledger(file_).read();
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_THAT(*entries, SizeIs(3));
  EXPECT_EQ((*entries)[0].prev, std::string(64, '0'));
  EXPECT_EQ((*entries)[2].prev, (*entries)[1].hash);
  EXPECT_EQ((*entries)[2].payload.at("candidate"), "kb-2");
  EXPECT_EQ(Ledger(file_).verify().value(), (LedgerHead{3, (*entries)[2].hash}));
}

TEST_F(LedgerTest, NoticesEveryEditedByte) {
  fill(3);
  const auto text = read_file(file_).value();
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {  // the last newline carries nothing
    auto edited = text;
    edited[i] = edited[i] == 'x' ? 'y' : 'x';
    ASSERT_TRUE(write_file_atomically(file_, edited));
    ASSERT_FALSE(Ledger(file_).verify()) << "byte " << i;
  }
}

TEST_F(LedgerTest, NoticesARemovedEntry) {
  fill(4);
  auto all = lines();
  all.erase(all.begin() + 1);
  write(all);
  EXPECT_THAT(trouble(), HasSubstr("ledger.jsonl:2: the entry has number 3, expected 2"));
}

TEST_F(LedgerTest, NoticesARemovedEntryWithPolishedNumbers) {
  fill(4);
  auto all = lines();
  all.erase(all.begin() + 1);
  for (auto& line : all) {
    auto json = Json::parse(line);
    json["seq"] = 1 + (&line - all.data());
    line = json.dump();
  }
  write(all);
  EXPECT_THAT(trouble(), HasSubstr("ledger.jsonl:2: the entry does not follow the entry before it"));
}

TEST_F(LedgerTest, NoticesSwappedEntries) {
  fill(4);
  auto all = lines();
  std::swap(all[1], all[2]);
  write(all);
  EXPECT_THAT(trouble(), HasSubstr("ledger.jsonl:2: the entry has number 3, expected 2"));
}

TEST_F(LedgerTest, NoticesARepeatedEntry) {
  fill(2);
  auto all = lines();
  all.push_back(all.back());
  write(all);
  EXPECT_THAT(trouble(), HasSubstr("ledger.jsonl:3: the entry has number 2, expected 3"));
}

TEST_F(LedgerTest, NoticesACutEndAgainstAKnownHead) {
  fill(4);
  const auto head = Ledger(file_).verify().value();
  auto all = lines();
  all.pop_back();
  write(all);
  EXPECT_TRUE(Ledger(file_).verify());
  EXPECT_THAT(Ledger(file_).verify(head).error().message, HasSubstr("ends at entry 3, but entry 4 is known"));
}

TEST_F(LedgerTest, NoticesARewrittenLedgerAgainstAKnownHead) {
  fill(2);
  const auto head = Ledger(file_).verify().value();
  std::filesystem::remove(file_);
  ASSERT_TRUE(Ledger(file_).append({entry(7), entry(8), entry(9)}));
  EXPECT_THAT(Ledger(file_).verify(head).error().message, HasSubstr("entry 2 is not the one that is known"));
}

TEST_F(LedgerTest, RefusesToWriteBehindABrokenChain) {
  fill(3);
  auto all = lines();
  all.erase(all.begin());
  write(all);
  EXPECT_FALSE(Ledger(file_).append({entry(9)}));
  EXPECT_EQ(lines(), all);
}

TEST_F(LedgerTest, RemovesALineThatACrashLeftUnfinished) {
  fill(2);
  const auto text = read_file(file_).value();
  const auto second = text.find('\n') + 1;
  for (auto length = second + 1; length < text.size() - 1; length += 17) {
    ASSERT_TRUE(write_file_atomically(file_, text.substr(0, length)));
    ASSERT_FALSE(Ledger(file_).verify()) << "an unfinished line is reported";
    ASSERT_TRUE(Ledger(file_).append({entry(5)}));
    const auto entries = Ledger(file_).read();
    ASSERT_TRUE(entries) << entries.error().message;
    ASSERT_THAT(*entries, SizeIs(2));
    EXPECT_EQ((*entries)[1].payload.at("candidate"), "kb-5");
  }
}

TEST_F(LedgerTest, KeepsAWholeLastEntryThatLostItsNewline) {
  fill(2);
  auto text = read_file(file_).value();
  text.pop_back();
  ASSERT_TRUE(write_file_atomically(file_, text));
  ASSERT_TRUE(Ledger(file_).append({entry(5)}));
  EXPECT_THAT(Ledger(file_).read().value(), SizeIs(3));
}

TEST_F(LedgerTest, WritersSideBySideLoseNothing) {
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([this, i] {
        for (int k = 0; k < 5; ++k) ASSERT_TRUE(Ledger(file_).append({entry(10 * i + k), entry(100 + 10 * i + k)}));
      });
    }
  }
  const auto entries = Ledger(file_).read();
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_THAT(*entries, SizeIs(40));
}

TEST_F(LedgerTest, PayloadsThatAreNotUtf8StillVerify) {
  ASSERT_TRUE(Ledger(file_).append({{"2026-11-22T06:00:00.000Z", "run", {{"note", "caf\xe9"}}}}));
  EXPECT_EQ(trouble(), "");
}

TEST_F(LedgerTest, HoldsRunAndVerdictsOfARecordAndWhatCameOfIt) {
  const auto record = tests::rich_record();
  auto entries = ledger_entries(record, "2026-11-22T06:14:00.000Z");
  EXPECT_THAT(entries, SizeIs(1 + 2 * 9));
  entries.push_back(promotion_entry(record, "finance", {.outcome = reports::PromotionOutcome::promoted},
                                    "2026-11-22T06:15:00.000Z"));
  EXPECT_EQ(entries[0].kind, "run");
  EXPECT_EQ(entries[1].kind, "verdict");
  EXPECT_EQ(entries.back().kind, "promotion");
  EXPECT_EQ(entries.back().payload.at("record_digest"), reports::record_digest(record));
  ASSERT_TRUE(Ledger(file_).append(entries));
  EXPECT_EQ(trouble(), "");
}

// A pipe would be waited for, and a link could lead to somebody else's file.
TEST_F(LedgerTest, MustBeARegularFileOfItsOwn) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_THAT(trouble(), HasSubstr("is a named pipe"));
  EXPECT_THAT(Ledger(file_).append({entry(1)}).error().message, HasSubstr("is a named pipe"));
  std::filesystem::remove(file_);
  const auto target = folder_ / "elsewhere.jsonl";
  std::filesystem::create_symlink(target, file_);
  EXPECT_THAT(Ledger(file_).append({entry(1)}).error().message, HasSubstr("is a symbolic link"));
  EXPECT_FALSE(std::filesystem::exists(target)) << "a file made at the end of a link";
  ASSERT_TRUE(write_file_atomically(target, ""));
  EXPECT_THAT(trouble(), HasSubstr("is a symbolic link"));
  EXPECT_FALSE(Ledger(file_).append({entry(1)}));
}

TEST_F(LedgerTest, ALineThatIsNestedTooDeepIsABrokenEntry) {
  fill(1);
  auto all = lines();
  all.push_back(std::string(200000, '['));
  write(all);
  EXPECT_THAT(trouble(), HasSubstr("ledger.jsonl:2:1:"));
  EXPECT_THAT(trouble(), HasSubstr("nested more than"));
}

}  // namespace
}  // namespace patchlab::promotion

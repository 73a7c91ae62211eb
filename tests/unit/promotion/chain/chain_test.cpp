// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/chain.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "lab/core/file_lock.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/chain_samples.hpp"
#include "tests/support/fake_clock.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using tests::sample_statement;

class ChainTest : public testing::Test {
 protected:
  ChainTest() {
    // In memory where that is possible: hundreds of appends sync some files each.
    std::string pattern =
        (::access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir()) + "patchlab-chain-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    folder_ = root_ / "production" / chain_folder_name;
  }
  ~ChainTest() override { static_cast<void>(remove_tree(root_)); }

  [[nodiscard]] Chain chain(BeforeStep before_step = {}) {
    return Chain(folder_, {.before_step = std::move(before_step), .clock = &clock_});
  }
  ChainHead append(const Chain::Entry& entry) {
    clock_.advance(std::chrono::minutes(1));
    const auto appended = chain().append(entry);
    EXPECT_TRUE(appended) << to_string(entry.kind) << ": " << (appended ? "" : appended.error().message);
    return appended ? appended->head : ChainHead{};
  }
  // The first lines of the sample's story; each beginning is written once, and then copied.
  ChainHead tell(std::size_t lines = tests::sample_story().size()) {
    clock_.advance(std::chrono::minutes(lines) - clock_.now());
    if (lines == 0) return {};
    const auto copy = root_ / fmt::format("first-{}", lines);
    if (!fs::exists(copy)) {
      const auto head = tell(lines - 1);
      clock_.advance(std::chrono::minutes(lines) - clock_.now());
      const auto appended = chain().append(tests::sample_story()[lines - 1]);
      EXPECT_TRUE(appended) << (appended ? "" : appended.error().message);
      if (lines > 1) {
        EXPECT_EQ(chain().read().value().hashes[lines - 2], head.hash);
      }
      fs::copy(folder_, copy, fs::copy_options::recursive);
    } else {
      static_cast<void>(remove_tree(folder_));
      fs::create_directories(folder_.parent_path());
      fs::copy(copy, folder_, fs::copy_options::recursive);
    }
    return chain().read().value().head();
  }
  static Chain::Entry decision(int number) {
    return {.kind = ChainKind::approve,
            .by = "bob@x",
            .object = sample_statement("approve", "bob@x", fmt::format(R"(,"reason":"number {}")", number))};
  }
  [[nodiscard]] std::string trouble(const std::optional<ChainHead>& noted = std::nullopt) {
    const auto report = chain().verify(noted);
    return report ? "" : report.error().message;
  }
  [[nodiscard]] std::string ledger() const { return read_file(folder_ / chain_file_name).value(); }
  // What others do to a file needs no syncing.
  static void put(const fs::path& file, const std::string& bytes) {
    fs::remove(file);
    std::ofstream(file, std::ios::binary) << bytes;
  }
  void write_ledger(const std::string& text) const { put(folder_ / chain_file_name, text); }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream text(ledger());
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  }
  static std::string joined(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& line : all) text += line + "\n";
    return text;
  }
  // As somebody does who knows how the chain is made.
  static std::string rechained(const std::vector<std::string>& all) {
    std::string text;
    std::string prev = no_hash;
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto line = parse_chain_line(all[i]).value();
      line.seq = i + 1;
      line.prev = prev;
      text += line_text(line);
      prev = sha256(line_text(line));
    }
    return text;
  }
  // Files below the folder with their content.
  [[nodiscard]] std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> all;
    for (const auto& path : entries_below(folder_).value())
      all[path.lexically_relative(folder_).string()] = is_folder(path) ? "folder" : read_file(path).value();
    return all;
  }
  static int in_child(const std::function<int()>& what) {
    const auto child = ::fork();
    if (child == 0) ::_exit(what());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path root_;
  fs::path folder_;
  test::FakeClock clock_;
};

TEST_F(ChainTest, GrowsAndVerifies) {
  const auto story = tests::sample_story();
  const auto head = tell();
  const auto state = chain().read();
  ASSERT_TRUE(state) << state.error().message;
  ASSERT_THAT(state->lines, SizeIs(story.size()));
  EXPECT_EQ(state->lines[0].prev, std::string(64, '0'));
  EXPECT_EQ(state->lines[1].prev, sha256(lines()[0] + "\n"));
  EXPECT_EQ(state->head(), head);
  EXPECT_EQ(head.hash, sha256(lines().back() + "\n"));
  EXPECT_EQ(state->lines[6].object, sha256(story[6].object));
  EXPECT_EQ(chain().objects().get(sha256(story[6].attachments[0])).value(), story[6].attachments[0]);
  EXPECT_EQ(chain().objects().signature(sha256(story[4].object)).value(), "signature of begin\n");
  EXPECT_EQ(trouble(), "");
  EXPECT_EQ(chain().verify(head).value().head, head);
  EXPECT_THAT(chain().verify().value().notes, IsEmpty());
  EXPECT_EQ(state->history.last_done("finance")->serial, 1U);
  EXPECT_EQ(state->history.last_done("sales"), nullptr);
}

TEST_F(ChainTest, TheFilesAreForTheirOwnerAndAGroup) {
  const auto before = ::umask(0);
  tell(3);
  ::umask(before);
  const auto mode_of = [&](const fs::path& path) { return static_cast<unsigned>(status_of(path).permissions()); };
  EXPECT_EQ(mode_of(folder_), 0750U);
  EXPECT_EQ(mode_of(folder_ / "objects"), 0750U);
  EXPECT_EQ(mode_of(folder_ / "ledger.jsonl") & 0027U, 0U);
  EXPECT_EQ(mode_of(folder_ / "lock"), 0600U);
  for (const auto& object : entries_of(folder_ / "objects").value()) EXPECT_EQ(mode_of(object), 0440U) << object;
}

TEST_F(ChainTest, NoticesEveryEditedMissingOrAddedByteOfTheLedger) {
  const auto head = tell(5);
  const auto text = ledger();
  const Chain reader(folder_, {.patience = Milliseconds(0), .clock = &clock_});
  const auto refused = [&](const std::string& other, std::size_t at) {
    write_ledger(other);
    ASSERT_FALSE(reader.verify(head)) << "byte " << at;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto edited = text;
    edited[at] = text[at] == '1' ? '2' : '1';
    refused(edited, at);
    if (at % 4 != 0) continue;
    refused(text.substr(0, at) + text.substr(at + 1), at);
    refused(text.substr(0, at) + text[at] + text.substr(at), at);
  }
  refused(text + "\n", text.size());
  refused("\n" + text, 0);
}

TEST_F(ChainTest, NoticesACutEndAtEveryByteAgainstANotedHead) {
  const auto head = tell(4);
  const auto text = ledger();
  for (std::size_t length = 0; length < text.size(); ++length) {
    write_ledger(text.substr(0, length));
    const auto report = chain().verify(head);
    ASSERT_FALSE(report) << length;
    const bool whole_lines = length > 0 && text[length - 1] == '\n';
    if (whole_lines) {
      EXPECT_THAT(report.error().message, HasSubstr("its end was cut off"));
    }
    if (length > 0 && !whole_lines) {
      EXPECT_THAT(report.error().message, HasSubstr("is unfinished"));
    }
  }
  write_ledger(text);
  EXPECT_EQ(trouble(head), "");
}

TEST_F(ChainTest, NoticesLinesThatWereDroppedDoubledSwappedOrPutIn) {
  tell();
  const auto all = lines();
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto dropped = all;
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(i));
    write_ledger(joined(dropped));
    // A cut end shows only against a head that was noted.
    EXPECT_EQ(trouble().empty(), i + 1 == all.size()) << i;
    auto doubled = all;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), all[i]);
    write_ledger(joined(doubled));
    EXPECT_THAT(trouble(), HasSubstr(fmt::format("ledger.jsonl:{}: the line has number {}", i + 2, i + 1)));
    for (std::size_t k = 0; k < i; ++k) {
      auto swapped = all;
      std::swap(swapped[i], swapped[k]);
      write_ledger(joined(swapped));
      EXPECT_THAT(trouble(), HasSubstr(fmt::format("ledger.jsonl:{}: the line has number", k + 1)));
    }
  }
  write_ledger(joined(all));
  EXPECT_EQ(trouble(), "");
}

// Hashes stop nobody who makes them anew. What is against the order of things shows even so, everything else against a
// head that was noted.
TEST_F(ChainTest, AChainThatWasMadeAnewShowsAgainstANotedHead) {
  const auto head = tell();
  const auto all = lines();
  std::size_t against_order = 0;
  const auto look = [&](const std::vector<std::string>& other) {
    write_ledger(rechained(other));
    EXPECT_NE(trouble(head), "");
    against_order += trouble().empty() ? 0U : 1U;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto other = all;
    other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
    look(other);
    for (std::size_t k = 0; k < i; ++k) {
      other = all;
      std::swap(other[i], other[k]);
      look(other);
    }
  }
  EXPECT_GT(against_order, 20U) << "times, ends before beginnings, promotions that are done and never began";
  const auto fields = [&](const auto& change) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto line = parse_chain_line(all[i]).value();
      change(line);
      auto other = all;
      other[i] = line_text(line);
      other[i].pop_back();
      if (other[i] != all[i]) look(other);
    }
  };
  fields([](ChainLine& line) { line.time = "2026-11-22T06:01:00.001Z"; });
  fields([](ChainLine& line) { line.kind = ChainKind::approve; });
  fields([](ChainLine& line) { line.object = sha256("another"); });
  fields([](ChainLine& line) { line.object.clear(); });
  fields([](ChainLine& line) { line.by = "mallory"; });
}

TEST_F(ChainTest, NoticesEveryDamageToAnObject) {
  tell();
  const auto before = everything();
  for (const auto& entry : entries_of(folder_ / "objects").value()) {
    const auto bytes = read_file(entry).value();
    const bool is_signature = entry.extension() == ".sig";
    for (std::size_t at = 0; at < bytes.size() && !is_signature; at += 7) {
      auto edited = bytes;
      edited[at] = edited[at] == 'x' ? 'y' : 'x';
      put(entry, edited);
      EXPECT_NE(trouble(), "") << entry << at;
    }
    ASSERT_TRUE(remove_tree(entry));
    // Attachments are asked for by who knows what names them.
    const bool is_attachment = bytes == R"({"id":"run-2"})";
    EXPECT_EQ(trouble().empty(), is_signature || is_attachment) << entry;
    fs::create_symlink("/dev/zero", entry);
    EXPECT_NE(trouble(), "") << entry;
    ASSERT_TRUE(remove_tree(entry));
    put(root_ / "elsewhere", bytes);
    fs::create_symlink(root_ / "elsewhere", entry);
    EXPECT_THAT(trouble(), HasSubstr("is a symbolic link")) << entry;
    ASSERT_TRUE(remove_tree(entry));
    ASSERT_EQ(::mkfifo(entry.c_str(), 0600), 0);
    EXPECT_THAT(trouble(), HasSubstr("is a named pipe")) << entry;
    ASSERT_TRUE(remove_tree(entry));
    fs::create_directory(entry);
    EXPECT_NE(trouble(), "") << entry;
    ASSERT_TRUE(remove_tree(entry));
    put(entry, bytes);
    EXPECT_EQ(trouble(), "");
  }
  for (const char* name : {"objects/evil", "objects/0123", "evil", ".hidden", "heads/x", "head"}) {
    put(folder_ / name, "x");
    EXPECT_NE(trouble(), "") << name;
    ASSERT_TRUE(remove_tree(folder_ / name));
  }
  EXPECT_EQ(everything(), before);
}

TEST_F(ChainTest, AnObjectThatNoLineNamesIsStillItsDigest) {
  tell(3);
  ASSERT_TRUE(chain().objects().put("left by a crash"));
  EXPECT_EQ(trouble(), "");
  put(folder_ / "objects" / sha256("left by a crash"), "left by a clash");
  EXPECT_THAT(trouble(), HasSubstr("was changed"));
}

TEST_F(ChainTest, StoriesThatCannotBeAreRefusedBeforeAnythingIsWritten) {
  const auto story = tests::sample_story();
  const auto by_kind = [&](ChainKind kind) { return *std::ranges::find(story, kind, &Chain::Entry::kind); };
  struct Case {
    std::size_t after;  // lines of the story
    Chain::Entry entry;
    const char* why;
  };
  auto again = story[2];
  const auto begin3 = sample_statement("begin", "lab@x", R"(,"id":"run-3")");
  const auto second_end =
      sample_statement("run", "lab@x", fmt::format(R"(,"begin":"{}","n":2)", sha256(story[3].object)));
  const auto stranger = sample_statement("run", "lab@x", fmt::format(R"(,"begin":"{}")", sha256(begin3)));
  const auto other_promotion = sample_statement("promote", "lab@x", R"(,"serial":9)");
  const auto late_refusal =
      sample_statement("refuse", "lab@x", fmt::format(R"(,"promotion":"{}")", sha256(story[12].object)));
  const auto deployed = [](const std::string& promotion, const std::string& department = "finance") {
    return Chain::Entry{.kind = ChainKind::deployed,
                        .by = "ops@x",
                        .object = sample_statement("deployed", "ops@x",
                                                   fmt::format(R"(,"promotion":"{}")", sha256(promotion)), department)};
  };
  const std::vector<Case> cases{
      {15, deployed(other_promotion), "tells what machines have of a promotion that never began"},
      {14, deployed(story[12].object), "of the promotion of line 13, which has switched"},
      {17, deployed(story[15].object), "of the promotion of line 16, which was given up"},
      {15, deployed(story[12].object, "sales"), "tells of 'sales', and the promotion of line 13 was of 'finance'"},
      {3, again, "says again what an earlier one said"},
      {3, by_kind(ChainKind::run), "ends a run that never began"},
      {7, {.kind = ChainKind::run, .by = "lab@x", .object = second_end}, "ends the run of line 4 a second time"},
      {7, {.kind = ChainKind::run, .by = "lab@x", .object = stranger}, "ends a run that never began"},
      {7, {.kind = ChainKind::run, .by = "lab@x", .object = sample_statement("run", "lab@x")}, "never began"},
      {3, {.kind = ChainKind::promote_done, .by = "lab@x", .object = other_promotion}, "that never began"},
      {3, {.kind = ChainKind::promote_refused, .by = "lab@x", .object = other_promotion}, "that never began"},
      {13, story[14], "the promotion of line 13 has begun and not switched"},
      {14, story[13], "the promotion of line 13 has switched"},
      {15, story[14], "the promotion of line 13 is done"},
      {15, {.kind = ChainKind::promote_refused, .by = "lab@x", .names = sha256(story[12].object)}, "which is done"},
      {15, {.kind = ChainKind::promote_refused, .by = "lab@x", .object = late_refusal}, "which is done"},
      {13, {.kind = ChainKind::promote_begun, .by = "lab@x", .object = other_promotion}, "while that of line 13"},
      {14, {.kind = ChainKind::promote_begun, .by = "lab@x", .object = other_promotion}, "while that of line 13"},
      {17, story[12], "says again what an earlier one said"},
      {3, {.kind = ChainKind::imported, .by = "lab@x", .object = "old"}, "only the first"},
      {3,
       {.kind = ChainKind::approve, .by = "bob@x", .object = sample_statement("reject", "bob@x")},
       "is of kind 'approve', but its statement says 'reject'"},
      {3,
       {.kind = ChainKind::approve, .by = "bob@x", .object = sample_statement("approve", "eve@x")},
       "is by 'bob@x', but its statement says 'eve@x'"},
      {3, {.kind = ChainKind::approve, .by = "bob@x", .object = "no JSON"}, "not valid JSON"},
      {3, {.kind = ChainKind::approve, .by = "bob@x", .object = "{}"}, "it has no predicate"},
      {3, {.kind = ChainKind::approve, .by = "bob@x", .object = std::string(200000, '[')}, "nested"},
      {3, {.kind = ChainKind::approve, .by = "bob@x", .names = sha256("nowhere")}, "No such file"},
      {3, {.kind = ChainKind::approve, .by = "bob@x", .names = "../../x"}, "is no SHA-256"},
      {3, {.kind = ChainKind::approve, .by = "*", .object = sample_statement("approve", "*")}, "cannot be the name"},
      {3, {.kind = ChainKind::repair, .by = "lab@x"}, "names no object"},
  };
  for (const auto& each : cases) {
    ASSERT_TRUE(remove_tree(folder_));
    tell(each.after);
    const auto before = everything();
    const auto appended = chain().append(each.entry);
    ASSERT_FALSE(appended) << each.why;
    EXPECT_THAT(appended.error().message, HasSubstr(each.why));
    EXPECT_EQ(everything(), before) << each.why;
    // Written by somebody else, the same line is found by verify.
    auto all = lines();
    const auto object = each.entry.object.empty() ? each.entry.names : sha256(each.entry.object);
    if (!each.entry.object.empty()) {
      ASSERT_TRUE(chain().objects().put(each.entry.object));
    }
    if (!is_sha256(object) || !is_principal(each.entry.by)) continue;
    all.push_back(line_text({all.size() + 1, sha256(all.back() + "\n"), parse_chain_line(all.back()).value().time,
                             each.entry.kind, object, each.entry.by}));
    all.back().pop_back();
    write_ledger(joined(all));
    EXPECT_THAT(trouble(), HasSubstr(each.why));
  }
}

// As often as machines report, also when something else is promoted since.
TEST_F(ChainTest, WhatMachinesHaveIsToldOfAPromotionThatIsDone) {
  const auto story = tests::sample_story();
  tell(15);
  const auto of = [&](const char* result) {
    return sample_statement("deployed", "ops@x",
                            fmt::format(R"(,"promotion":"{}","result":"{}")", sha256(story[12].object), result));
  };
  append({.kind = ChainKind::deployed, .by = "ops@x", .object = of("differs"), .attachments = {"report"}});
  append(story[15]);
  append(story[16]);
  append({.kind = ChainKind::deployed, .by = "ops@x", .object = of("as-promoted")});
  EXPECT_EQ(trouble(), "");
}

TEST_F(ChainTest, ARefusalMayGiveUpAPromotionByNamingIt) {
  const auto story = tests::sample_story();
  tell(14);
  const auto refusal =
      sample_statement("refuse", "lab@x", fmt::format(R"(,"promotion":"{}")", sha256(story[12].object)));
  append({.kind = ChainKind::promote_refused, .by = "lab@x", .object = refusal});
  EXPECT_EQ(chain().read().value().history.promotions().back().state, PromotionStory::State::refused);
  append(story[15]);
  EXPECT_EQ(trouble(), "");
}

TEST_F(ChainTest, TellsWhatHasNotEnded) {
  tell(14);
  EXPECT_THAT(chain().verify().value().notes,
              ElementsAre(HasSubstr("line 13: a promotion of 'finance' switched the department to its version")));
  ASSERT_TRUE(remove_tree(folder_));
  tell(6);
  EXPECT_THAT(chain().verify().value().notes, ElementsAre("line 5: a run began, and its end is not known"));
}

TEST_F(ChainTest, TimeDoesNotGoBack) {
  tell(3);
  const auto last = chain().read().value().lines.back().time;
  const auto before = everything();
  clock_.advance(std::chrono::hours(-72));
  const auto appended = chain().append(decision(1));
  ASSERT_FALSE(appended);
  EXPECT_THAT(appended.error().message, HasSubstr("the clock says 2026-11-19T06:03:00.000Z, but the last line of "));
  EXPECT_THAT(appended.error().message, HasSubstr("is from " + last));
  EXPECT_EQ(everything(), before);
  clock_.advance(std::chrono::hours(72) - std::chrono::milliseconds(1500));  // as it is when a clock is kept right
  ASSERT_TRUE(chain().append(decision(1)));
  EXPECT_EQ(chain().read().value().lines.back().time, last);
  clock_.advance(std::chrono::milliseconds(-600));
  EXPECT_FALSE(chain().append(decision(2))) << "small steps do not add up";
  EXPECT_EQ(trouble(), "");
}

TEST_F(ChainTest, ALineThatGoesBackInTimeIsFoundWhateverItsHash) {
  tell(3);
  auto all = lines();
  auto line = parse_chain_line(all[2]).value();
  line.time = "2026-11-22T05:00:00.000Z";
  all[2] = line_text(line);
  all[2].pop_back();
  write_ledger(rechained(all));
  EXPECT_THAT(trouble(), HasSubstr("ledger.jsonl:3: the line goes back in time: 2026-11-22T05:00:00.000Z after "));
}

TEST_F(ChainTest, AnUnfinishedLineIsRepairedOpenlyByTheNextAppend) {
  tell(4);
  const auto text = ledger();
  const auto last = text.rfind('\n', text.size() - 2) + 1;
  for (auto length = last + 1; length < text.size(); length += length + 9 < text.size() ? 8 : 1) {
    const auto torn = text.substr(last, length - last);
    write_ledger(text.substr(0, length));
    EXPECT_THAT(trouble(), HasSubstr("ledger.jsonl:4: the line is unfinished"));
    EXPECT_EQ(chain().read().value().unfinished, torn);
    const auto appended = chain().append(decision(1));
    ASSERT_TRUE(appended) << appended.error().message;
    EXPECT_THAT(appended->repaired,
                HasSubstr(fmt::format("line 4: {} bytes that a crash left of a line were cut off", torn.size())));
    const auto state = chain().read().value();
    ASSERT_THAT(state.lines, SizeIs(5));
    EXPECT_EQ(state.lines[3].kind, ChainKind::repair);
    EXPECT_EQ(chain().objects().get(state.lines[3].object).value(), torn) << "nothing is lost";
    EXPECT_EQ(trouble(), "");
  }
}

TEST_F(ChainTest, RepairsWithoutHavingAnythingToSay) {
  EXPECT_EQ(chain().repair().value(), "");
  EXPECT_FALSE(is_there(chain().folder())) << "there was none";
  tell(4);
  const auto text = ledger();
  EXPECT_EQ(chain().repair().value(), "");
  EXPECT_EQ(ledger(), text);
  write_ledger(text.substr(0, text.size() - 5));
  EXPECT_THAT(chain().repair().value(), HasSubstr("that a crash left of a line were cut off"));
  EXPECT_EQ(chain().read().value().lines.back().kind, ChainKind::repair);
  EXPECT_EQ(chain().repair().value(), "");
  EXPECT_EQ(trouble(), "");
}

// Killed while it was written: the next one takes the older ledger over all the same.
TEST_F(ChainTest, AnOlderLedgerIsTakenOverBehindARepair) {
  tell(1);
  write_ledger(ledger().substr(0, 40));
  const auto old = chain().folder().parent_path() / "old.jsonl";
  ASSERT_TRUE(write_file_atomically(old, "an older ledger\n"));
  const auto taken = chain().take_over(old, "patchlab");
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(chain().read().value().history.imported(), sha256("an older ledger\n"));
  EXPECT_FALSE(chain().take_over(old, "patchlab"));
  EXPECT_EQ(trouble(), "");
}

TEST_F(ChainTest, AnUnfinishedFirstLineIsRepairedToo) {
  tell(1);
  write_ledger(ledger().substr(0, 40));
  append(decision(1));
  EXPECT_EQ(chain().read().value().lines[0].kind, ChainKind::repair);
  EXPECT_EQ(trouble(), "");
}

// Killed before each of its steps, an append has happened or has not: what is read is true, and the next one ends well.
TEST_F(ChainTest, KilledAtAnyStepTheNextOneTellsTheTruth) {
  struct Start {
    std::size_t lines;
    bool torn;
  };
  for (const auto& start : {Start{0, false}, Start{5, false}, Start{5, true}}) {
    std::set<std::string> seen;
    std::set<std::size_t> sizes;
    for (int stop_at = 0;; ++stop_at) {
      ASSERT_TRUE(remove_tree(folder_));
      const auto head = tell(start.lines);
      if (start.torn) write_ledger(ledger() + R"({"seq":6,"prev":")");
      clock_.advance(std::chrono::minutes(1));
      auto entry = decision(1);
      entry.signature = "a signature\n";
      entry.attachments = {"a file"};
      std::string name;
      const auto ended = in_child([&] {
        int count = 0;
        auto doomed = chain([&](const std::string& step) {
          if (count++ != stop_at) return;
          static_cast<void>(write_file_atomically(root_ / "step", step));
          ::_exit(42);
        });
        return doomed.append(entry) ? 0 : 1;
      });
      if (ended == 0) break;
      ASSERT_EQ(ended, 42);
      const auto step = read_file(root_ / "step").value();
      seen.insert(step);
      const auto state = chain().read();
      ASSERT_TRUE(state) << step << ": " << state.error().message;
      EXPECT_EQ(state->unfinished.empty(), !start.torn || state->lines.size() > start.lines) << step;
      sizes.insert(state->lines.size());
      if (start.lines > 0) {
        EXPECT_EQ(state->hashes[start.lines - 1], head.hash) << step;
      }
      // Whoever was not told that it worked tries again, with another signature of the same statement.
      const bool is_there = !state->lines.empty() && state->lines.back().kind == ChainKind::approve;
      entry.signature = "another signature\n";
      const auto again = chain().append(entry);
      EXPECT_EQ(again.has_value(), !is_there) << step << (again ? "" : again.error().message);
      if (is_there) {
        EXPECT_THAT(again.error().message, HasSubstr("says again what an earlier one said")) << step;
      }
      append(decision(2));
      EXPECT_EQ(trouble(), "") << step;
      if (start.lines > 0) {
        EXPECT_EQ(trouble(head), "") << step;
      }
      const auto expected = start.lines + (start.torn ? 1U : 0U) + 2U;
      EXPECT_EQ(chain().read().value().lines.size(), expected) << step;
      for (const auto& [file, bytes] : everything()) EXPECT_EQ(file.find(".new-"), std::string::npos) << step;
    }
    EXPECT_TRUE(seen.contains("line-write") && seen.contains("line-sync") && seen.contains("object-rename"));
    EXPECT_EQ(seen.contains("repair"), start.torn);
    EXPECT_TRUE(sizes.contains(start.lines) && sizes.contains(start.lines + 1));
  }
}

// A file system that takes no more bytes, at every byte of the line and of the objects.
TEST_F(ChainTest, DiskFullIsRefusedWithNothingHalfWritten) {
  tell(5);
  const auto before = everything();
  const auto size = ledger().size();
  const auto attempt = [&](std::size_t limit) {
    return in_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const ::rlimit most{limit, limit};
      if (::setrlimit(RLIMIT_FSIZE, &most) != 0) return 3;
      const auto appended = chain().append(decision(1));
      if (appended) return 0;
      return appended.error().message.find("File too large") == std::string::npos ? 4 : 1;
    });
  };
  for (std::size_t room = 0; room < lines().back().size(); room += 13) {
    ASSERT_EQ(attempt(size + room), 1) << room;
    EXPECT_EQ(ledger(), before.at("ledger.jsonl"));
    EXPECT_EQ(trouble(), "");
  }
  for (const std::size_t limit : {0U, 1U, 100U, 200U}) {  // not even the statement finds room
    ASSERT_TRUE(remove_tree(folder_ / "objects" / sha256(decision(1).object)));
    ASSERT_EQ(attempt(limit), 1) << limit;
    EXPECT_EQ(everything(), before);
  }
  EXPECT_EQ(attempt(1U << 20U), 0);
  EXPECT_EQ(trouble(), "");
}

TEST_F(ChainTest, AFolderThatMayNotBeWrittenIsSaid) {
  tell(3);
  const auto before = everything();
  if (::geteuid() == 0) {  // whom no mode stops
    for (const auto& path : entries_below(folder_).value()) ASSERT_EQ(::lchown(path.c_str(), 65534, 65534), 0);
    ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  }
  ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
  for (const auto& path : {folder_ / "objects", folder_ / "ledger.jsonl"}) {
    const auto mode = status_of(path).permissions();
    fs::permissions(path, path.filename() == "objects" ? fs::perms(0550) : fs::perms(0440));
    const auto ended = in_child([&] {
      if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 3;
      const auto appended = chain().append(decision(1));
      return appended ? 0 : appended.error().message.find("Permission denied") == std::string::npos ? 4 : 1;
    });
    EXPECT_EQ(ended, 1) << path;
    fs::permissions(path, mode);
    EXPECT_EQ(ledger(), before.at("ledger.jsonl"));
  }
}

TEST_F(ChainTest, ALockThatSomebodyHoldsIsNamedAndNothingIsWritten) {
  tell(3);
  const auto before = everything();
  const auto lock = FileLock::take(folder_ / "lock", FileLock::Mode::exclusive, FileLock::at_once());
  ASSERT_TRUE(lock);
  const auto appended = chain().append(decision(1));
  ASSERT_FALSE(appended);
  EXPECT_THAT(appended.error().message, HasSubstr(fmt::format("lock' is in use by process {}", ::getpid())));
  EXPECT_THAT(appended.error().message, HasSubstr("waited 30.0 s"));
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(trouble(), "") << "reading needs no lock";
}

TEST_F(ChainTest, FoldersThatAreNotItsOwnAreRefused) {
  const auto precious = root_ / "precious";
  for (const char* name : {"", "objects", "heads"}) {
    ASSERT_TRUE(remove_tree(folder_));
    ASSERT_TRUE(create_folders(precious));
    if (*name != '\0') {
      ASSERT_TRUE(create_folders(folder_));
      fs::permissions(folder_, fs::perms(0750));
    } else {
      ASSERT_TRUE(create_folders(folder_.parent_path()));
    }
    const auto link = *name == '\0' ? folder_ : folder_ / name;
    fs::create_symlink(precious, link);
    EXPECT_THAT(chain().append(decision(1)).error().message, HasSubstr("is a symbolic link")) << name;
    EXPECT_THAT(entries_of(precious).value(), IsEmpty());
    ASSERT_TRUE(remove_tree(link));
    ASSERT_TRUE(create_folders(link));
    fs::permissions(link, fs::perms(0770));
    EXPECT_THAT(chain().append(decision(1)).error().message, HasSubstr("may be written by others")) << name;
  }
}

TEST_F(ChainTest, TheLedgerMustBeARegularFile) {
  tell(1);
  const auto file = folder_ / "ledger.jsonl";
  fs::rename(file, root_ / "elsewhere");
  fs::create_symlink(root_ / "elsewhere", file);
  EXPECT_THAT(trouble(), HasSubstr("is a symbolic link"));
  EXPECT_FALSE(chain().append(decision(1)));
  fs::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_THAT(trouble(), HasSubstr("is a named pipe"));
  EXPECT_FALSE(chain().append(decision(1)));
}

TEST_F(ChainTest, WritersSideBySideLoseNothing) {
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([this, i] {
        for (int k = 0; k < 5; ++k) {
          const auto appended = Chain(folder_).append(decision(10 * i + k));
          EXPECT_TRUE(appended) << appended.error().message;
        }
      });
    }
  }
  EXPECT_THAT(chain().read().value().lines, SizeIs(20));
  EXPECT_EQ(trouble(), "");
}

TEST_F(ChainTest, ObjectsAreNeverOverwritten) {
  const auto head = append(decision(1));
  const auto digest = sha256(decision(1).object);
  const auto object = folder_ / "objects" / digest;
  put(object, "forged");
  EXPECT_THAT(chain().append(decision(2)).error().message, HasSubstr("was changed"));
  EXPECT_THAT(chain().objects().put(decision(1).object).error().message, HasSubstr("was changed"));
  EXPECT_EQ(read_file(object).value(), "forged");
  put(object, decision(1).object);
  ASSERT_TRUE(chain().objects().put(decision(1).object));
  EXPECT_EQ(trouble(head), "");
  const auto store = chain().objects();
  ASSERT_TRUE(store.put_signature(digest, "one\n", ObjectFolder::Older::keep));
  ASSERT_TRUE(store.put_signature(digest, "one\n", ObjectFolder::Older::keep));
  EXPECT_THAT(store.put_signature(digest, "two\n", ObjectFolder::Older::keep).error().message,
              HasSubstr("has another signature already"));
  EXPECT_EQ(store.signature(digest).value(), "one\n");
}

TEST_F(ChainTest, TakesOverALedgerOfAnOlderVersion) {
  put(root_ / "ledger.jsonl", "what an older version wrote\n");
  const auto imported = chain().take_over(root_ / "ledger.jsonl", "lab@x");
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->object, sha256("what an older version wrote\n"));
  EXPECT_EQ(chain().read().value().lines[0].kind, ChainKind::imported);
  EXPECT_THAT(chain().take_over(root_ / "ledger.jsonl", "lab@x").error().message, HasSubstr("only the first"));
  append(decision(1));
  EXPECT_EQ(trouble(), "");
  ASSERT_TRUE(remove_tree(folder_ / "objects" / imported->object));
  EXPECT_THAT(trouble(), HasSubstr("which is not there"));
}

TEST_F(ChainTest, WritesDownHeadsAndNoticesOnesOfAnotherLedger) {
  EXPECT_THAT(chain().write_head().error().message, HasSubstr("has no head"));
  append(decision(1));
  const auto head = append(decision(2));
  const auto note = chain().write_head([](const std::string& text) { return "signed: " + text; });
  ASSERT_TRUE(note) << note.error().message;
  EXPECT_EQ(note->head, head);
  EXPECT_EQ(parse_head(read_file(folder_ / "head").value(), "head").value(), *note);
  EXPECT_EQ(read_file(folder_ / "heads/2.sig").value(), "signed: " + head_text(*note));
  append(decision(3));
  EXPECT_EQ(trouble(), "") << "an older head of the same ledger";
  const auto text = ledger();
  write_ledger(text.substr(0, text.find('\n') + 1));
  EXPECT_THAT(trouble(), HasSubstr("head: is not a head of this ledger"));
  ASSERT_TRUE(remove_tree(folder_ / "head"));
  EXPECT_THAT(trouble(), HasSubstr("heads/2: is not a head of this ledger"));
  write_ledger(text);
  EXPECT_EQ(trouble(), "");
  fs::rename(folder_ / "heads/2", folder_ / "heads/3");
  EXPECT_NE(trouble(), "");
}

TEST_F(ChainTest, VerifyOfNothingProvesNothing) {
  EXPECT_THAT(trouble(), HasSubstr("has no line"));
  ASSERT_TRUE(create_folders(folder_));
  write_ledger("");
  EXPECT_THAT(trouble(), HasSubstr("has no line"));
}

}  // namespace
}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "killed.hpp"
#include "lab/core/paths.hpp"
#include "program.hpp"
#include "tests/support/content_image.hpp"
#include "tests/support/json_schema.hpp"

// Images into a content folder and out of it, by the commands, also by some that are killed.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ContentCommand : public ::testing::Test {
 protected:
  ContentCommand() {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    (void)tests::put_image(folder_.path() / "cache", disk_);
  }
  ~ContentCommand() override { ::unsetenv("PATCHLAB_CACHE"); }

  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const {
    return patchlab(words, folder_.path());
  }
  // What a command says with --json, held against its schema.
  Json asked(std::vector<std::string> words, const std::string& schema) const {
    words.emplace_back("--json");
    const auto outcome = ask(words);
    EXPECT_EQ(exit_code(outcome), 0) << outcome.errors;
    auto json = Json::parse(outcome.output, nullptr, false);
    const auto file = fs::path(PATCHLAB_SOURCE_DIR) / "cli/schemas" / (schema + ".schema.json");
    EXPECT_THAT(tests::SchemaValidator(Json::parse(read_file(file).value())).problems(json), IsEmpty())
        << outcome.output;
    return json;
  }
  [[nodiscard]] std::string published() const {
    return asked({"content", "publish", "content"}, "content-publish")["images"][0]["digest"];
  }
  [[nodiscard]] std::vector<std::string> fetching(const std::string& digest, const std::string& images) const {
    return {"content", "fetch", "content", digest, "--images", images};
  }
  void expect_image(const std::string& digest, const std::string& images, const std::string& step = {}) const {
    const auto outcome = ask(fetching(digest, images));
    ASSERT_EQ(exit_code(outcome), 0) << step << outcome.errors;
    EXPECT_EQ(read_file(folder_.path() / images / digest / "disk.qcow2").value_or(""), disk_) << step;
  }
  void remove(const std::string& name) const { ASSERT_TRUE(remove_tree(folder_.path() / name)); }

  TemporaryFolder folder_;
  const std::string disk_ = tests::noise(200'000, 1);
};

TEST_F(ContentCommand, PublishesFetchesAndTrims) {
  const auto first = asked({"content", "publish", "content"}, "content-publish")["images"];
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0]["name"], "dns");
  EXPECT_EQ(first[0]["new_bytes"], first[0]["bytes"]);
  const std::string digest = first[0]["digest"];
  const auto fetched = asked(fetching(digest, "node"), "content-fetch");
  EXPECT_EQ(fetched["fetched_bytes"], first[0]["bytes"]);
  EXPECT_EQ(fetched["was_there"], false);
  EXPECT_THAT(ask(fetching(digest, "node")).output, HasSubstr("image 'dns' was there, and is intact"));
  // Next month's.
  auto disk = disk_;
  disk[100'000] ^= 1;
  (void)tests::put_image(folder_.path() / "cache", disk, "2026-12-01T00:00:00.000Z");
  const auto next = asked({"content", "publish", "content"}, "content-publish")["images"];
  ASSERT_EQ(next.size(), 2U) << "the newest first";
  EXPECT_EQ(next[0]["new_blocks"], 2);
  EXPECT_EQ(next[1]["new_blocks"], 0);
  const std::string newer = next[0]["digest"];
  EXPECT_THAT(ask(fetching(newer, "node")).output, HasSubstr(" copied of older images"));
  EXPECT_EQ(asked({"content", "trim", "content"}, "content-trim")["kept_images"], 2);
  const auto trimmed = asked({"content", "trim", "content", "--keep", "1"}, "content-trim");
  EXPECT_EQ(trimmed["images"], 1);
  EXPECT_EQ(trimmed["blocks"], 2);
  const auto gone = ask(fetching(digest, "other"));
  EXPECT_EQ(exit_code(gone), 78);
  EXPECT_THAT(gone.errors, HasSubstr("has no image of content digest " + digest));
  EXPECT_THAT(gone.errors, HasSubstr("hint: publish it from the host that has it"));
}

TEST_F(ContentCommand, SaysWhatIsWrongWithWhatItWasGiven) {
  const std::string digest(64, '0');
  EXPECT_THAT(ask({"content", "fetch", "http://images.lab/", digest, "--images", "node"}).errors,
              HasSubstr("must begin with https://"));
  EXPECT_THAT(ask({"content", "fetch", "nowhere", digest, "--images", "node"}).errors,
              HasSubstr("nowhere' is not there"));
  EXPECT_THAT(ask({"content", "fetch", ".", "12", "--images", "node"}).errors, HasSubstr("is no content digest"));
  EXPECT_THAT(ask({"content", "trim", "."}).errors, HasSubstr("is no content folder"));
  EXPECT_EQ(exit_code(ask({"content", "trim", ".", "--keep", "0"})), 64);
  remove("cache/images");
  EXPECT_EQ(exit_code(ask({"content", "publish", "content"})), 3);
}

// What has its name is whole, and publishing again finds nothing in its way.
TEST_F(ContentCommand, APublisherThatIsKilledLeavesNothingThatIsNotWhole) {
  if (const auto why = why_no_watching(); !why.empty()) GTEST_SKIP() << why;
  const std::vector<std::string> words{"content", "publish", "content"};
  const auto whole = watch(PATCHLAB_PROGRAM, words, folder_.path());
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  const auto digest = published();
  for (const auto& point : points_of(whole.calls)) {
    remove("content");
    (void)watch(PATCHLAB_PROGRAM, words, folder_.path(), &point);
    const auto step = fmt::format("killed at {} of {}: ", point.call, whole.calls.size());
    if (is_there(folder_.path() / "content/images" / digest)) expect_image(digest, "early", step);
    EXPECT_EQ(published(), digest) << step;
    expect_image(digest, "late", step);
    ASSERT_EQ(exit_code(ask({"content", "trim", "content"})), 0) << step;
    for (const auto& entry : entries_below(folder_.path() / "content").value())
      EXPECT_EQ(entry.string().find(".tmp-"), std::string::npos) << step << entry;
    remove("early");
    remove("late");
  }
}

TEST_F(ContentCommand, OneWhoFetchesAndIsKilledLeavesNothingThatIsUsed) {
  if (const auto why = why_no_watching(); !why.empty()) GTEST_SKIP() << why;
  const auto digest = published();
  const auto words = fetching(digest, "node");
  const auto whole = watch(PATCHLAB_PROGRAM, words, folder_.path());
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  for (const auto& point : points_of(whole.calls)) {
    remove("node");
    (void)watch(PATCHLAB_PROGRAM, words, folder_.path(), &point);
    const auto step = fmt::format("killed at {} of {}: ", point.call, whole.calls.size());
    const auto disk = folder_.path() / "node" / digest / "disk.qcow2";
    EXPECT_THAT(read_file(disk).value_or(""), AnyOf("", disk_)) << step;
    expect_image(digest, "node", step);
    EXPECT_FALSE(is_there(folder_.path() / "node" / (".half-" + digest))) << step;
  }
}

}  // namespace
}  // namespace patchlab::e2e

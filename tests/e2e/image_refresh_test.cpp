// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "found_run.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/image/versions.hpp"
#include "people.hpp"
#include "program.hpp"
#include "tests/support/sample_record.hpp"

// A promoted package is put into a golden image by real machines.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
namespace image = lab::image;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const Json nobody_asked = Json::parse(R"({
  "schema": "patchlab/policy/v1", "id": "production", "author": "owner@x",
  "valid_since": "2020-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z"})");

// The name server alone, in a cache with a copy of its image. 'netbase' 99 was promoted: what of it is configuration
// stays.
class RefreshedImage : public ::testing::Test {
 protected:
  ~RefreshedImage() override {
    if (real_)
      ::setenv("PATCHLAB_CACHE", real_->c_str(), 1);
    else
      ::unsetenv("PATCHLAB_CACHE");
  }
  void SetUp() override {
    if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
    const auto built = image::newest(cache_folder(), "dns");
    ASSERT_TRUE(built) << built.error().message;
    const auto slots = cache_folder() / "slots";  // the processors are everybody's
    fs::create_directories(slots);
    if (const char* set = std::getenv("PATCHLAB_CACHE")) real_ = set;
    ::setenv("PATCHLAB_CACHE", cache().c_str(), 1);
    fs::create_directories(image::images_folder(cache()));
    fs::create_directory_symlink(slots, cache() / "slots");
    fs::copy(built->folder, image::images_folder(cache()) / built->digest, fs::copy_options::recursive);
    built_ = image::load(image::images_folder(cache()) / built->digest).value();
    auto scenario = small_scenario();
    scenario["candidates"] = {{{"path", "netbase.deb"}}};
    folder_.write("scenario.json", scenario.dump());
    const People people(folder_.path(), nobody_asked);
    ASSERT_NO_FATAL_FAILURE(promote());
  }
  void promote() {
    fs::create_directories(folder_.path() / "tree/DEBIAN");
    folder_.write(
        "tree/DEBIAN/control",
        "Package: netbase\nVersion: 99\nArchitecture: all\nMaintainer: nobody <n@example>\nDescription: none\n");
    ProcessSpec pack;
    pack.program = "dpkg-deb";
    pack.arguments = {"--root-owner-group", "-b", "tree", "netbase.deb"};
    pack.working_folder = folder_.path();
    ASSERT_EQ(exit_code(host_processes().run(pack)), 0);
    const auto bytes = read_file(folder_.path() / "netbase.deb").value();
    auto record = tests::good_record();
    for (auto& candidate : record.candidates) {
      if (candidate.id == "tidy") candidate.files = {{"netbase_99_all.deb", sha256(bytes), bytes.size()}};
      if (candidate.id == "dns-update") candidate.kind = "msu";
    }
    make_found_run(folder_.path(), record, {{"tidy", bytes}});
    const auto promoted = patchlab({"promote", record.id, "--sign-with", "lab"}, folder_.path());
    ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  }
  [[nodiscard]] fs::path cache() const { return folder_.path() / "cache"; }
  [[nodiscard]] std::vector<std::string> images() const {
    std::vector<std::string> names;
    for (const auto& entry : entries_of(image::images_folder(cache())).value_or({})) names.push_back(entry.filename());
    return names;
  }

  TemporaryFolder folder_;
  std::optional<std::string> real_;
  image::GoldenImage built_;
};

TEST_F(RefreshedImage, HasWhatWasPromotedAndWorks) {
  const auto done =
      patchlab({"image", "refresh", "scenario.json", "--stage", "production", "--promoted", "--json"}, folder_.path());
  ASSERT_EQ(exit_code(done), 0) << done.output << done.errors;
  EXPECT_THAT(lab_processes(), IsEmpty());
  EXPECT_THAT(scratch_folders(), IsEmpty());
  const auto answer = Json::parse(done.output).at("machines").at(0);
  EXPECT_EQ(answer.at("state"), "refreshed");
  EXPECT_EQ(answer.at("version"), 2);
  const auto refreshed = image::image_for(cache(), built_, "finance", "dns");
  ASSERT_TRUE(refreshed) << refreshed.error().message;
  EXPECT_EQ(refreshed->digest, answer.at("digest"));
  EXPECT_TRUE(image::verify(*refreshed));
  EXPECT_TRUE(image::verify(built_)) << "the old one is as it was";
  auto expected = built_.packages;
  expected["netbase:all"] = "99";
  EXPECT_EQ(refreshed->packages, expected);
  EXPECT_THAT(images(), Not(Contains(StartsWith("."))));
  // A run finds the same.
  const auto planned = patchlab({"run", "scenario.json", "--dry-run"}, folder_.path());
  EXPECT_THAT(planned.output, HasSubstr("golden " + refreshed->contents.substr(0, 12)));
  EXPECT_THAT(planned.output, HasSubstr("skipped"));
}

TEST_F(RefreshedImage, IsNotThereWhenItsMakerWasKilled) {
  ProcessSpec refresh;
  refresh.program = "timeout";
  refresh.arguments = {"-s",      "KILL",          "12",      PATCHLAB_PROGRAM, "image",
                       "refresh", "scenario.json", "--stage", "production",     "--promoted"};
  refresh.working_folder = folder_.path();
  (void)host_processes().run(refresh);
  EXPECT_EQ(images(), std::vector<std::string>{built_.digest});
  const auto still = image::image_for(cache(), built_, "finance", "dns");
  ASSERT_TRUE(still);
  EXPECT_EQ(still->digest, built_.digest);
  EXPECT_TRUE(image::verify(built_));
  const auto left = [&] { return std::ranges::count_if(entries_of(cache() / "refresh").value_or({}), is_folder); };
  EXPECT_EQ(left(), 1) << "it was in the middle of it";
  (void)host_processes().run(refresh);
  EXPECT_EQ(left(), 1) << "what the first one left was removed by the second";
}

}  // namespace
}  // namespace patchlab::e2e

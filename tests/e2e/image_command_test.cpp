// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

#include "found_run.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/image/builder.hpp"
#include "lab/image/refreshed.hpp"
#include "lab/image/versions.hpp"
#include "people.hpp"
#include "program.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"

// Versions of golden images by the built program, as far as that needs no machine: what may go into an image, which
// image a machine starts from, and going back. Patches are really put into one by RefreshedImage.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
namespace image = lab::image;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Words = std::vector<std::string>;

const Json one_person = Json::parse(R"({
  "schema": "patchlab/policy/v1", "id": "production", "author": "owner@x",
  "valid_since": "2020-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z",
  "approvals": [{"count": 1, "not_by": ["submitter", "policy-author"]}]})");

std::string status_of(const std::string& version) {
  std::string text;
  for (const auto& [name, of] : {std::pair<std::string, std::string>{"dpkg", "1.21"}, {"tidy", version}}) {
    text += fmt::format(
        "Package: {}\nStatus: install ok installed\nVersion: {}\nArchitecture: {}\n"
        "Maintainer: x <x@example.org>\nDescription: x\n\n",
        name, of, name == "dpkg" ? "amd64" : "all");
  }
  return text;
}

// A cache in which the recipe 'dns' has an image with 'tidy' 1.0, and a stage in which 'tidy' 2.0 was promoted.
class ImageVersions : public ::testing::Test {
 protected:
  ImageVersions() : people_(folder_.path(), one_person) {
    ::setenv("PATCHLAB_CACHE", cache().c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
  }
  ~ImageVersions() override { ::unsetenv("PATCHLAB_CACHE"); }

  void SetUp() override {
    for (const char* program : {"apt-get", "dpkg", "dpkg-deb"}) {
      if (testing::is_missing(program)) GTEST_SKIP() << program << " is not installed";
    }
    put_scenario();
    ASSERT_NO_FATAL_FAILURE(put_image());
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(promote_tidy());
  }

  void put_scenario() {
    fs::copy(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "images", folder_.path() / "recipes",
             fs::copy_options::recursive);
    auto scenario = small_scenario();
    scenario["roles"]["dns"]["golden"]["recipe"] = "recipes/dns";
    scenario["candidates"] = Json::array({{{"path", "tidy.deb"}}});
    folder_.write("scenario.json", scenario.dump());
  }
  // As a build of the recipe would leave it, with small files instead of a guest.
  void put_image() {
    image::BuildRequest request;
    request.recipes = folder_.path() / "recipes";
    request.names = {"dns"};
    request.cache = cache();
    const auto current = image::current_images(host_processes(), request);
    if (!current) GTEST_SKIP() << current.error().message;
    image::GoldenImage made;
    made.digest = current->at(0).digest;
    made.name = made.role = made.hostname = "dns";
    made.memory_mib = 256;
    made.address = "10.20.0.10";
    made.system = {GuestFamily::debian, {}, "amd64"};
    made.packages = image::parse_dpkg_status(status_of("1.0"));
    made.built = "2026-01-01T00:00:00.000Z";
    made.suite = "bookworm";
    made.recipe = image::own_digest(folder_.path() / "recipes/dns").value();
    const auto at = image::images_folder(cache()) / made.digest;
    fs::create_directories(at);
    for (const char* file : {"disk.qcow2", "dpkg-status", "initrd", "kernel"}) {
      const auto text = file == std::string("dpkg-status") ? status_of("1.0") : file;
      made.sha256[file] = sha256(text);
      folder_.write(at / file, text);
      fs::permissions(at / file, fs::perms::owner_read);
    }
    folder_.write(at / "image.json", pretty(Json(made)));
    fs::permissions(at / "image.json", fs::perms::owner_read);
    built_ = image::load(at).value();
  }
  // A package of that name and version, of which nothing but its name is installed.
  std::string packed(const std::string& name, const std::string& version) {
    const auto package = folder_.path() / (name + ".deb");
    if (is_there(package)) return read_file(package).value();
    fs::create_directories(folder_.path() / name / "DEBIAN");
    folder_.write(
        name + "/DEBIAN/control",
        fmt::format("Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: nobody <n@example>\nDescription: none\n",
                    name, version));
    ProcessSpec pack;
    pack.program = "dpkg-deb";
    pack.arguments = {"--root-owner-group", "-b", name, name + ".deb"};
    pack.working_folder = folder_.path();
    EXPECT_EQ(exit_code(host_processes().run(pack)), 0);
    return read_file(package).value();
  }
  void promote(const reports::RunRecord& record, const std::map<std::string, std::string>& bytes) {
    make_found_run(folder_.path(), record, bytes);
    people_.approve("bob", {record.id, "--department", "finance"});
    const auto promoted = ask({"promote", record.id, "--sign-with", "lab"});
    ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  }
  void promote_tidy(const std::string& run = tests::good_record().id) {
    const auto bytes = packed("tidy", "2.0");
    tidy_ = sha256(bytes);
    auto record = tests::good_record();
    record.id = run;
    for (auto& candidate : record.candidates) {
      if (candidate.id == "tidy") candidate.files = {{"tidy_2.0_all.deb", tidy_, bytes.size()}};
      // It is of another system: nothing of it goes into an image.
      if (candidate.id == "dns-update") candidate.kind = "msu";
    }
    promote(record, {{"tidy", bytes}});
  }
  void report_as(const std::string& version) {
    folder_.write("said", "dpkg\t1.21\tii \ntidy\t" + version + "\tii \n");
    const auto told = ask({"deploy", "record", "production", "said", "--department", "finance", "--machine", "fin-dns1",
                           "--observed", rfc3339(std::chrono::system_clock::now())});
    ASSERT_EQ(exit_code(told), 0) << told.errors;
  }
  // The image that a refresh would make, made before: then it needs no machine. `why_not`: its guest refused 'tidy'.
  image::GoldenImage make_refreshed(const std::string& why_not = {}) {
    folder_.write("new.qcow2", "disk with tidy 2.0");
    Json provenance{{"by", "another department"}, {"candidates", Json::array()}};
    if (why_not.empty())
      provenance["candidates"].push_back({{"id", "tidy"}, {"digest", digest_of_tidy()}});
    else
      provenance["left_out"]["tidy"] = why_not;
    const auto made = image::keep_refreshed(cache(), {built_,
                                                      {tidy_},
                                                      folder_.path() / "new.qcow2",
                                                      status_of(why_not.empty() ? "2.0" : "1.0"),
                                                      provenance,
                                                      "2026-11-30T00:00:00Z"});
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made.value_or({});
  }
  [[nodiscard]] static std::string digest_of_tidy() {
    const auto record = tests::good_record();
    return std::ranges::find(record.candidates, "tidy", &reports::CandidateRecord::id)->digest;
  }
  [[nodiscard]] ProcessOutcome ask(const Words& words) const { return patchlab(words, folder_.path()); }
  [[nodiscard]] ProcessOutcome refresh(Words more = {}) const {
    Words words{"image", "refresh", "scenario.json", "--stage", "production"};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  }
  static void expect_fits(const std::string& text, const std::string& schema) {
    const auto file = std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/" + schema + ".schema.json";
    const auto json = Json::parse(text);
    EXPECT_THAT(tests::SchemaValidator(read_json_file(file).value()).problems(json), IsEmpty()) << json;
  }
  [[nodiscard]] fs::path cache() const { return folder_.path() / "cache"; }
  [[nodiscard]] bool has_versions() const { return is_there(cache() / "image-versions/finance/dns.json"); }

  TemporaryFolder folder_;
  People people_;
  image::GoldenImage built_;
  std::string tidy_;
};

TEST_F(ImageVersions, AreMadeOfWhatProductionSaysThatItHas) {
  const auto silent = refresh();
  EXPECT_EQ(exit_code(silent), 3) << silent.output << silent.errors;
  EXPECT_THAT(silent.output, HasSubstr("without tidy: no machine has reported since it was promoted"));
  ASSERT_NO_FATAL_FAILURE(report_as("1.5"));
  const auto older = refresh();
  EXPECT_EQ(exit_code(older), 3) << older.output << older.errors;
  EXPECT_THAT(older.output, HasSubstr("'fin-dns1' says of tidy: older (1.5)"));
  EXPECT_FALSE(has_versions());

  ASSERT_NO_FATAL_FAILURE(report_as("2.0"));
  const auto two = make_refreshed();
  const auto done = refresh({"--json"});
  ASSERT_EQ(exit_code(done), 0) << done.output << done.errors;
  expect_fits(done.output, "image-refresh");
  const auto answer = Json::parse(done.output);
  EXPECT_EQ(answer.at("because"), "deployed");
  EXPECT_EQ(answer.at("machines").at(0).at("version"), 2);
  EXPECT_EQ(answer.at("machines").at(0).at("digest"), two.digest);
  EXPECT_EQ(answer.at("machines").at(0).at("parent"), built_.digest);
  EXPECT_THAT(answer.at("machines").at(0).at("left_out").at("dns-update").get<std::string>(), HasSubstr("is a .msu"));

  const auto shown = ask({"image", "show", "finance/dns"});
  EXPECT_EQ(exit_code(shown), 0) << shown.errors;
  EXPECT_THAT(shown.output,
              AllOf(HasSubstr("finance/dns: starts from version 2, the newest, where its recipe makes image " +
                              built_.digest.substr(0, 16) + "\n"),
                    HasSubstr("  tidy "), HasSubstr("serial 1 of run " + tests::good_record().id),
                    HasSubstr("approved by bob@x\n"), HasSubstr("  fin-dns1 says that it has of it, line ")));
  expect_fits(ask({"image", "show", "finance/dns", "--json"}).output, "image-show");
  expect_fits(ask({"image", "list", "--json"}).output, "image-list");
  EXPECT_THAT(ask({"image", "list"}).output,
              HasSubstr("finance/dns starts from version 2, the newest, where its recipe"));
  EXPECT_EQ(exit_code(ask({"image", "verify"})), 0);
  // It has it now.
  const auto again = refresh();
  EXPECT_EQ(exit_code(again), 0) << again.errors;
  EXPECT_THAT(again.output, HasSubstr("finance/dns: stays with version 2 of 'dns'"));
}

TEST_F(ImageVersions, AllThatWasPromotedIsTakenWhenThatIsAskedFor) {
  make_refreshed();
  const auto done = refresh({"--promoted"});
  ASSERT_EQ(exit_code(done), 0) << done.output << done.errors;
  EXPECT_THAT(done.output, HasSubstr("finance/dns: version 2 of 'dns'"));
  EXPECT_EQ(image::read_versions(cache(), "finance", "dns")->versions.at(0).provenance.at("because"), "promoted");
}

// A kernel, say, where the machine's comes from outside it: the others of its set went into the image, and it did not.
TEST_F(ImageVersions, WhatTheGuestRefusedIsNotSaidToBeInTheImageThatWasMadeBefore) {
  make_refreshed("this machine's kernel comes from outside it");
  const auto done = refresh({"--promoted", "--json"});
  ASSERT_EQ(exit_code(done), 0) << done.output << done.errors;
  const auto machine = Json::parse(done.output).at("machines").at(0);
  EXPECT_EQ(machine.at("state"), "up-to-date");
  EXPECT_EQ(machine.at("candidates"), Json::array());
  EXPECT_EQ(machine.at("left_out").at("tidy"), "this machine's kernel comes from outside it");
  EXPECT_FALSE(has_versions()) << "a version with nothing in it";
}

// 'tidy' is not in the older run at all: no package is older than another, and yet nothing of it is promoted.
TEST_F(ImageVersions, WhatARollbackTookBackStaysInNoImage) {
  const auto bytes = packed("other", "1.0");
  tests::SampleRun older;
  older.add_candidate("other", "Another package", "low", "repack", {"dns"});
  older.start_department("finance", 0, {"dns", "mail"});
  const auto batch = older.trial(reports::Purpose::batch, {"other"});
  older.verdict("other", Outcome::pass, "passed as part of the exact set").trials = {batch};
  older.end_department(batch);
  auto record = older.finish();
  record.id = "r-older";
  record.candidates[0].files = {{"other_1.0_all.deb", sha256(bytes), bytes.size()}};
  ASSERT_NO_FATAL_FAILURE(promote(record, {{"other", bytes}}));
  ASSERT_NO_FATAL_FAILURE(promote_tidy("r-newer"));
  make_refreshed();
  ASSERT_EQ(exit_code(refresh({"--promoted"})), 0);
  const auto back = ask({"promote", "r-older", "--sign-with", "lab", "--rollback", "mail is slow"});
  ASSERT_EQ(exit_code(back), 0) << back.output << back.errors;

  const auto refused = refresh({"--promoted"});
  EXPECT_EQ(exit_code(refused), 78) << refused.output << refused.errors;
  EXPECT_THAT(refused.errors, AllOf(HasSubstr("version 2 of the golden image of 'dns' has \"tidy\" of serial 3"),
                                    HasSubstr("patchlab image use finance/dns 1")));
  ASSERT_EQ(exit_code(ask({"image", "use", "finance/dns", "1"})), 0);
  const auto done = refresh({"--promoted"});
  EXPECT_EQ(exit_code(done), 0) << done.errors;
  EXPECT_THAT(done.output, HasSubstr("finance/dns: stays with version 1 of 'dns'"));
  ASSERT_EQ(exit_code(ask({"image", "use", "finance/dns", "newest"})), 0);

  // Something else is promoted behind the rollback: that makes what was taken back no better.
  record.id = "r-other";
  ASSERT_NO_FATAL_FAILURE(promote(record, {{"other", bytes}}));
  const auto still = refresh({"--promoted"});
  EXPECT_EQ(exit_code(still), 78) << still.output << still.errors;
  EXPECT_THAT(still.errors, HasSubstr("patchlab image use finance/dns 1 --go-on"));
  const auto back_for_good = ask({"image", "use", "finance/dns", "1", "--go-on"});
  EXPECT_EQ(exit_code(back_for_good), 0) << back_for_good.errors;
  EXPECT_THAT(back_for_good.output, HasSubstr("starts from the image from its recipe, to which somebody went back"));
  EXPECT_THAT(ask({"image", "show", "finance/dns"}).output, HasSubstr("; dropped since"));
  expect_fits(ask({"image", "show", "finance/dns", "--json"}).output, "image-show");
  const auto onward = refresh({"--promoted"});
  EXPECT_EQ(exit_code(onward), 0) << onward.errors;
  // And when it is promoted again, it goes in again: as a version of its own.
  ASSERT_NO_FATAL_FAILURE(promote_tidy("r-again"));
  const auto again = refresh({"--promoted"});
  EXPECT_EQ(exit_code(again), 0) << again.errors;
  EXPECT_THAT(again.output, HasSubstr("finance/dns: version 3 of 'dns'"));
  EXPECT_EQ(exit_code(ask({"image", "use", "finance/dns", "newest", "--go-on"})), 64);
}

TEST_F(ImageVersions, ARunStartsFromThemAndGoingBackIsOneCommand) {
  const auto golden = [&] {
    const auto planned =
        ask({"run", "scenario.json", "--dry-run", "--json"});  // also when nothing is an update any more
    return Json::parse(planned.output).at("departments").at(0).at("machines").at(0).at("golden").get<std::string>();
  };
  const auto two = make_refreshed();
  EXPECT_EQ(golden(), built_.contents) << "an image that no machine was given";
  ASSERT_EQ(exit_code(refresh({"--promoted"})), 0);
  EXPECT_EQ(golden(), two.contents);
  const auto back = ask({"image", "use", "finance/dns", "1"});
  EXPECT_EQ(exit_code(back), 0) << back.errors;
  EXPECT_THAT(back.output, HasSubstr("starts from version 1, the image from its recipe"));
  EXPECT_EQ(golden(), built_.contents);
  const auto pinned = refresh({"--promoted"});
  EXPECT_EQ(exit_code(pinned), 78) << pinned.output;
  EXPECT_THAT(pinned.errors, HasSubstr("patchlab image use finance/dns newest"));
  EXPECT_EQ(exit_code(ask({"image", "use", "finance/dns", "3"})), 64);
  EXPECT_EQ(exit_code(ask({"image", "use", "finance/mail", "1"})), 65);
  EXPECT_EQ(exit_code(ask({"image", "use", "finance", "1"})), 64);
  const auto forward = ask({"image", "use", "finance/dns", "newest"});
  EXPECT_EQ(exit_code(forward), 0) << forward.errors;
  EXPECT_THAT(forward.output, HasSubstr("starts from version 2, the newest"));
}

TEST_F(ImageVersions, NothingIsMadeOfWhatWasRejectedOrNeverPromoted) {
  ASSERT_NO_FATAL_FAILURE(report_as("2.0"));
  make_refreshed();
  const auto rejected =
      ask({"reject", tests::good_record().id, "--department", "finance", "--reason", "mail is slow", "--key", "dave"});
  ASSERT_EQ(exit_code(rejected), 0) << rejected.errors;
  for (const auto& more : {Words{}, Words{"--promoted"}}) {
    const auto refused = refresh(more);
    EXPECT_EQ(exit_code(refused), 5) << refused.output << refused.errors;
    EXPECT_THAT(refused.errors, HasSubstr("mail is slow"));
  }
  EXPECT_EQ(exit_code(ask({"image", "refresh", "scenario.json", "--stage", "nowhere"})), 65);
  EXPECT_FALSE(has_versions());
}

TEST_F(ImageVersions, APackageThatSomebodyExchangedInTheStageGoesIntoNoImage) {
  ASSERT_NO_FATAL_FAILURE(report_as("2.0"));
  const auto file = fs::canonical(folder_.path() / "production/finance") / "tidy/tidy_2.0_all.deb";
  fs::permissions(file, fs::perms::owner_all);
  folder_.write(file, "something else");
  const auto refused = refresh();
  EXPECT_EQ(exit_code(refused), 65) << refused.output << refused.errors;
  EXPECT_FALSE(has_versions());
}

}  // namespace
}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/apt_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "patches/apt/recipe_source.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::PackageBuilder;
using testing::TestFolder;

// apt's programs as they behave: one package 'hello' with one update.
class FakeApt : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    calls.push_back(spec);
    ProcessOutcome outcome;
    const auto has = [&](const std::string& word) {
      return std::find(spec.arguments.begin(), spec.arguments.end(), word) != spec.arguments.end();
    };
    if (spec.program == "apt-config") {
      outcome.output = has("dump") ? configuration : shell;
    } else if (has("indextargets")) {
      outcome.output = targets;
    } else if (has("policy")) {
      outcome.output = policy;
    } else if (has("install")) {
      outcome.output = install;
      outcome.end = Exited{install.empty() ? 100 : 0};
      outcome.errors = install.empty() ? "E: Unable to locate package\n" : "";
    } else if (has("update")) {
      outcome.end = Exited{network ? 0 : 100};
      outcome.errors = network ? "" : "E: could not resolve host\n";
    } else if (has("upgrade")) {
      outcome.output = simulation;
    } else if (has("show")) {
      outcome.output = offered ? description() : "";
      outcome.end = Exited{offered ? 0 : 100};
    } else if (has("download")) {
      std::ofstream(spec.working_folder / "hello_1%3a2_amd64.deb", std::ios::binary)
          << (truncated ? bytes().substr(0, 400) : bytes());
    }
    return outcome;
  }
  std::string bytes() const {
    PackageBuilder builder;
    builder.version = version;
    if (!changelog.empty())
      builder.data.push_back(testing::file("./usr/share/doc/hello/changelog.Debian.gz", changelog));
    return builder.bytes();
  }
  std::string description() const {
    return fmt::format("Package: hello\nVersion: {}\nArchitecture: amd64\nSize: {}\nSHA256: {}\n", version,
                       bytes().size(), sha256(bytes()));
  }
  std::size_t count(const std::string& word) const {
    return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [&](const ProcessSpec& spec) {
      return std::find(spec.arguments.begin(), spec.arguments.end(), word) != spec.arguments.end();
    }));
  }

  std::string version = "1:2";
  std::string changelog;  // compressed; empty: none
  std::string simulation = "Inst hello [1:1] (1:2 Debian-Security:12/stable-security [amd64])\n";
  std::string configuration, shell;  // what apt-config says
  std::string targets;               // of which release the sources are
  std::string policy;
  std::string install;
  bool network = true;
  bool offered = true;
  bool truncated = false;
  std::vector<ProcessSpec> calls;
};

class AptSourceTest : public ::testing::Test {
 protected:
  AptSourceTest() {
    paths_.folder = folder_.path() / "apt";
    paths_.host_lists = folder_.path() / "host-lists";
    paths_.host_configuration = folder_.path() / "etc-apt";
    images_ = {
        {"dns", folder_.write("dns/dpkg-status",
                              "Package: hello\nStatus: install ok installed\nVersion: 1:1\nArchitecture: amd64\n")}};
  }
  void give_host_lists() { folder_.write("host-lists/example_dists_x_InRelease", "x"); }
  Result<AptAnswer> ask(const AptRequest& request = {}) { return source().candidates(images_, request); }
  AptSource source() {
    return {apt_, store_, paths_, [this](const std::string& sentence) { told_.push_back(sentence); }};
  }

  TestFolder folder_;
  FakeApt apt_;
  ContentStore store_{folder_.path() / "store"};
  AptPaths paths_;
  std::vector<AptImage> images_;
  std::vector<std::string> told_;
};

TEST_F(AptSourceTest, TurnsUpdatesIntoCandidatesWhoseFilesAreStored) {
  give_host_lists();
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->candidates.size(), 1U);
  EXPECT_EQ(answer->candidates[0].id, "apt-hello-2");
  EXPECT_EQ(answer->candidates[0].files[0].sha256, sha256(apt_.bytes()));
  EXPECT_TRUE(store_.verified_path(sha256(apt_.bytes())));
  EXPECT_TRUE(answer->notes.empty());
}

TEST_F(AptSourceTest, SurveysEachImageByItself) {
  give_host_lists();
  auto apt = source();
  const auto survey = apt.survey(images_);
  ASSERT_TRUE(survey) << survey.error().message;
  ASSERT_EQ(survey->images.size(), 1U);
  EXPECT_EQ(survey->images[0].dpkg_status, images_[0].dpkg_status);
  ASSERT_EQ(survey->images[0].updates.size(), 1U);
  EXPECT_EQ(survey->images[0].updates[0].candidate.id, "apt-hello-2");
  EXPECT_EQ(survey->images[0].updates[0].packages.at(0).version, "1:2");
  EXPECT_FALSE(survey->images[0].updates[0].changes) << "the package brings no changelog";
  EXPECT_TRUE(survey->notes.empty());
}

// Version 3:1 of the package is of version 1 of its source, whose versions the changelog counts by.
TEST_F(AptSourceTest, ReadsChangelogsSinceTheSourceVersionOfWhatIsInstalled) {
  give_host_lists();
  images_[0].dpkg_status = folder_.write(
      "dns/other", "Package: hello\nStatus: install ok installed\nSource: x (1)\nVersion: 3:1\nArchitecture: amd64\n");
  apt_.version = "3:2";
  apt_.simulation = "Inst hello [3:1] (3:2 Debian-Security:12/stable-security [amd64])\n";
  // "x (2) s; urgency=high"
  apt_.changelog = std::string(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x50\xd0\x30\xd2\x54\x28\xb6\x56\x28"
      "\x2d\x4a\x4f\xcd\x4b\xae\xb4\xcd\xc8\x4c\xcf\xe0\x02\x00\x97\xdf\xf1\xcc\x16\x00"
      "\x00\x00",
      42);
  auto apt = source();
  const auto survey = apt.survey(images_);
  ASSERT_TRUE(survey) << survey.error().message;
  ASSERT_EQ(survey->images.at(0).updates.size(), 1U);
  const auto& changes = survey->images[0].updates[0].changes;
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->urgency, "high");
}

TEST_F(AptSourceTest, SurveysAlsoWhenNothingCanBeFetched) {
  give_host_lists();
  apt_.truncated = true;
  auto apt = source();
  const auto survey = apt.survey(images_);
  ASSERT_TRUE(survey) << survey.error().message;
  EXPECT_EQ(survey->images[0].updates.size(), 1U);
  EXPECT_THAT(survey->notes, Contains(HasSubstr("changelogs could not be fetched: ")));
}

TEST_F(AptSourceTest, UsesFreshListsOfTheHostAndTheStatusOfTheImage) {
  give_host_lists();
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("update"), 0U);
  EXPECT_THAT(apt_.calls[0].arguments, Contains("Dir::State::lists=" + paths_.host_lists.string()));
  EXPECT_THAT(apt_.calls[1].arguments, Contains("Dir::State::status=" + images_[0].dpkg_status.string()));
  EXPECT_THAT(apt_.calls[1].arguments, Contains("-s"));
}

TEST_F(AptSourceTest, ReadsListsOfItsOwnWhenTheHostHasNone) {
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("update"), 1U);
  EXPECT_THAT(apt_.calls[1].arguments, Contains("Dir::State::lists=" + (paths_.folder / "state/lists").string()));
  EXPECT_THAT(told_, Contains("reading package lists from the apt sources"));
}

TEST_F(AptSourceTest, FallsBackToOldListsAndSaysSo) {
  give_host_lists();
  paths_.fresh_for = std::chrono::hours(0);
  apt_.network = false;
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(answer->notes, Contains("the apt sources could not be reached; older package lists were used"));
}

TEST_F(AptSourceTest, QuotesAptWhenThereAreNoListsAtAll) {
  apt_.network = false;
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error_class, ErrorClass::infrastructure);
  EXPECT_THAT(answer.error().message, HasSubstr("reading the apt sources: "));
  EXPECT_THAT(answer.error().message, HasSubstr("could not resolve host"));
}

TEST_F(AptSourceTest, FetchesOnce) {
  give_host_lists();
  ASSERT_TRUE(ask());
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("download"), 1U);
}

TEST_F(AptSourceTest, AsksAgainOnlyWhenListsConfigurationOrImageChange) {
  give_host_lists();
  ASSERT_TRUE(ask());
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 1U);
  folder_.write("etc-apt/preferences", "Package: *");
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 2U);
  folder_.write("host-lists/example_Packages", "more");
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 3U);
  folder_.write("dns/dpkg-status",
                "Package: hello\nStatus: install ok installed\nVersion: 1:1.5\nArchitecture: amd64\n");
  EXPECT_EQ(apt_.count("show"), 3U);
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 4U);
  EXPECT_EQ(apt_.count("show"), 3U) << "what is offered is the same for every image";
}

TEST_F(AptSourceTest, AsksAgainWhenAnAnswerThatWasKeptIsNone) {
  give_host_lists();
  ASSERT_TRUE(ask());
  for (const auto& note : entries_of(paths_.folder / "known").value()) std::ofstream(note) << R"([0, "Package: x"])";
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 2U);
  EXPECT_EQ(apt_.count("show"), 2U);
}

// APT_CONFIG may name any sources: which they are is asked of apt.
TEST_F(AptSourceTest, AsksAgainWhenAptIsConfiguredOtherwise) {
  give_host_lists();
  const auto folder = folder_.path().string();
  const auto sources = folder_.write("it's/sources.list", "deb one");
  apt_.shell = fmt::format("lists='{0}/host-lists/'\nsources='{0}/it'\\''s/sources.list'\nparts='{0}/none/'\n", folder);
  paths_.host_lists = paths_.host_configuration = "";
  ASSERT_TRUE(ask());
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 1U);
  EXPECT_EQ(apt_.count("update"), 0U) << "the lists are those that apt-config names";
  apt_.configuration = "APT::Default-Release \"x\";\n";
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 2U);
  folder_.write("it's/sources.list", "deb another");
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("upgrade"), 3U);
  apt_.shell.clear();
  const auto none = ask();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("does not say where package lists are"));
}

TEST_F(AptSourceTest, TakesListsOfItsOwnForThoseOfTheSameSourcesOnly) {
  folder_.write("apt/state/lists/example_dists_x_InRelease", "x");
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("update"), 1U) << "nobody knows of which sources they are";
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("update"), 1U);
  folder_.write("etc-apt/sources.list.d/new.list", "deb new");
  ASSERT_TRUE(ask());
  EXPECT_EQ(apt_.count("update"), 2U);
}

TEST_F(AptSourceTest, DetectsATruncatedDownload) {
  give_host_lists();
  apt_.truncated = true;
  const auto answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("truncated"));
}

TEST_F(AptSourceTest, SaysThatThereAreNoUpdates) {
  give_host_lists();
  apt_.simulation = "0 upgraded\n";
  const auto answer = ask();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->candidates.empty());
  EXPECT_EQ(answer->notes,
            std::vector<std::string>{"the apt sources offer no updates over what the golden images hold"});
  EXPECT_EQ(apt_.count("download"), 0U);
}

TEST_F(AptSourceTest, SaysWhatAptKeepsBackAndWhy) {
  give_host_lists();
  const std::string status = "Package: hello\nStatus: {} ok installed\nVersion: 1:1\nArchitecture: amd64\n";
  const auto notes = [&](const std::string& want) {
    images_[0].dpkg_status = folder_.write("dns/" + want, fmt::format(fmt::runtime(status), want));
    const auto answer = ask();
    EXPECT_TRUE(answer) << answer.error().message;
    EXPECT_TRUE(answer->candidates.empty());
    return answer->notes;
  };
  apt_.simulation = "The following packages have been kept back:\n  hello\n0 upgraded\n";
  apt_.install = "Inst hello [1:1] (1:2 Debian:12/stable [amd64])\n";
  EXPECT_THAT(notes("hold"), ::testing::ElementsAre("an update of 'hello' on 'dns' to 1:2 exists and is held back: the "
                                                    "machine has the package on hold"));
  apt_.install += "Remv world [1]\n";
  paths_.folder = folder_.path() / "apt2";
  EXPECT_THAT(notes("install"), ::testing::ElementsAre("an update of 'hello' on 'dns' to 1:2 exists and is held back: "
                                                       "apt would remove 'world'"));
  apt_.install.clear();
  paths_.folder = folder_.path() / "apt3";
  EXPECT_THAT(notes("install"),
              ::testing::ElementsAre("an update of 'hello' on 'dns' exists and is held back: Unable to "
                                     "locate package"));
  apt_.simulation = "0 upgraded\n";
  apt_.policy = "hello:\n  Installed: 1:1\n  Candidate: 1:1\n  Version table:\n     1:3 -1\n *** 1:1 1001\n";
  paths_.folder = folder_.path() / "apt4";
  EXPECT_THAT(notes("install"),
              ::testing::ElementsAre("an update of 'hello' on 'dns' to 1:3 exists and is held back: the "
                                     "preferences of apt pin another version"));
}

TEST_F(AptSourceTest, AsksOnlyForMachinesOfTheSourcesRelease) {
  give_host_lists();
  const auto image = [&](const std::string& name, const std::string& base_files) {
    return AptImage{name, folder_.write(name + "/dpkg-status",
                                        "Package: hello\nStatus: install ok installed\nVersion: 1:1\nArchitecture: "
                                        "amd64\n\nPackage: base-files\nStatus: install ok installed\nVersion: " +
                                            base_files + "\nArchitecture: amd64\n")};
  };
  apt_.targets = "Debian\tbookworm\nDebian-Security\tbookworm-security\nDocker\tbookworm\n";
  images_ = {image("old", "11.1+deb11u9")};
  auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->candidates.empty());
  EXPECT_THAT(answer->notes, ::testing::ElementsAre(
                                 "'old' runs Debian 11, the apt sources of this host are for Debian 12: whether there "
                                 "are updates for it is not known"));
  EXPECT_EQ(apt_.count("upgrade"), 0U);
  images_ = {image("old", "11.1+deb11u9"), image("new", "12.4+deb12u11"), image("other", "12ubuntu4.7")};
  answer = ask();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->candidates.size(), 1U);
  EXPECT_EQ(answer->notes.size(), 2U);
  // Sources of two releases: one is asked for, and the other's versions are pinned away.
  apt_.targets += "Debian\ttrixie\n";
  images_ = {image("new", "12.4+deb12u11"), image("newer", "13.1")};
  answer = ask();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->notes, ::testing::ElementsAre("'newer' runs Debian 13, and updates were looked for on Debian 12: "
                                                    "whether there are updates for it is not known"));
  EXPECT_EQ(read_file(paths_.folder / "preferences").value(),
            "\nPackage: *\nPin: release n=trixie\nPin-Priority: -1\n");
}

TEST_F(AptSourceTest, FetchesTheVersionOfAnImageAndRemembersIt) {
  give_host_lists();
  const auto first = source().package("hello", "1:2", "amd64");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->name, "hello_2_amd64.deb");
  const auto calls = apt_.calls.size();
  EXPECT_EQ(source().package("hello", "1:2", "amd64").value(), *first);
  EXPECT_EQ(apt_.calls.size(), calls);
}

TEST_F(AptSourceTest, ExplainsAVersionThatIsGone) {
  give_host_lists();
  apt_.offered = false;
  const auto file = source().package("hello", "1:1", "amd64");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "the apt sources do not offer 'hello' 1:1 (amd64)");
  EXPECT_EQ(file.error().hint, "the golden image holds an older version: rebuild it with 'patchlab image build'");
}

TEST_F(AptSourceTest, BuildsARecipeOnTheVersionTheImagesHold) {
  give_host_lists();
  apt_.version = "1:1";
  folder_.write("recipe/recipe.json",
                R"({"id": "bad-hello", "title": "Bad", "base": {"package": "hello"}, "version_suffix": "+patchlab1"})");
  auto apt = source();
  const auto candidate =
      candidate_from_recipe(folder_.path() / "recipe", images_, apt, store_, folder_.path() / "repack");
  ASSERT_TRUE(candidate) << candidate.error().message;
  EXPECT_EQ(candidate->files[0].version, "1:1+patchlab1");
}

TEST_F(AptSourceTest, WantsTheSameVersionInAllImages) {
  images_.push_back(
      {"mail", folder_.write("mail/dpkg-status",
                             "Package: hello\nStatus: install ok installed\nVersion: 9\nArchitecture: amd64\n")});
  EXPECT_EQ(installed_in_images("hello", images_).error().message,
            "images 'dns' and 'mail' hold different versions of 'hello': 1:1 and 9");
  EXPECT_EQ(installed_in_images("ghost", images_).error().message, "no golden image holds package 'ghost'");
}

TEST_F(AptSourceTest, CallsListsFreshByTheirAge) {
  const auto lists = folder_.path() / "host-lists";
  const auto now = std::chrono::system_clock::now();
  EXPECT_FALSE(lists_are_fresh(lists, now, std::chrono::hours(24)));
  give_host_lists();
  EXPECT_TRUE(lists_are_fresh(lists, now, std::chrono::hours(24)));
  EXPECT_FALSE(lists_are_fresh(lists, now + std::chrono::hours(25), std::chrono::hours(24)));
}

}  // namespace
}  // namespace patchlab::patches

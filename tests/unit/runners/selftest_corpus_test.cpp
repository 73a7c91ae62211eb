// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>

#include "lab/core/paths.hpp"
#include "patches/repack/recipe.hpp"
#include "runners/scenario/scenario.hpp"
#include "runners/selftest/beside.hpp"
#include "runners/selftest/corpus.hpp"
#include "runners/selftest/levels.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

const fs::path shipped = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/faults";

class ShippedCorpus : public ::testing::Test {
 protected:
  void SetUp() override {
    auto corpus = read_corpus(shipped);
    ASSERT_TRUE(corpus) << corpus.error().message;
    corpus_ = std::move(*corpus);
  }
  Corpus corpus_;
};

TEST_F(ShippedCorpus, HasEnoughOfEachRole) {
  std::map<std::string, int> count;
  for (const auto& fault : corpus_.faults) ++count[fault.role];
  for (const char* role : {"dns", "dhcp", "file", "print", "mail", "db"}) EXPECT_GE(count[role], 12) << role;
  EXPECT_GE(count["host"], 20);
  EXPECT_GE(count["clean"], 30);
  EXPECT_GE(static_cast<int>(corpus_.faults.size()) - count["clean"], 100);
}

TEST_F(ShippedCorpus, SaysOfEveryFaultByWhatItIsToBeSeenAndOfCleanOnesNothing) {
  for (const auto& fault : corpus_.faults) {
    const bool clean = fault.expected == Expected::clean;
    EXPECT_EQ(fault.role == "clean", clean) << fault.id;
    EXPECT_EQ(fault.by.empty(), clean) << fault.id;
    EXPECT_TRUE(fault.id.starts_with(fault.role + "-")) << fault.id;
    EXPECT_TRUE(fault.what.ends_with('.')) << fault.id;
  }
}

TEST_F(ShippedCorpus, HasOthersToBeAskedOfEachMachineAndLevelsOfFaultsThatExist) {
  const auto beside = read_beside(shipped / "beside");
  ASSERT_TRUE(beside) << beside.error().message;
  const auto scenario = load_scenario(corpus_.scenario);
  ASSERT_TRUE(scenario);
  for (const auto& machine : scenario->departments.front().machines) {
    ASSERT_TRUE(beside->contains(machine.role)) << machine.role;
    for (const auto& check : beside->at(machine.role)) EXPECT_EQ(check.kind, "command") << check.id;
  }
  const auto levels = read_levels(shipped / "levels.json");
  ASSERT_TRUE(levels) << levels.error().message;
  for (const auto& [role, recorded] : *levels) {
    for (const auto* ids : {&recorded.found, &recorded.missed}) {
      for (const auto& id : *ids) {
        const auto fault = std::ranges::find(corpus_.faults, id, &Fault::id);
        ASSERT_NE(fault, corpus_.faults.end()) << id;
        EXPECT_EQ(fault->role, role) << id;
      }
    }
  }
}

TEST_F(ShippedCorpus, ShowsAtEveryTime) {
  std::set<std::string> times;
  for (const auto& fault : corpus_.faults) times.insert(fault.when);
  EXPECT_EQ(times.size(), fault_times.size());
}

TEST_F(ShippedCorpus, NamesMachinesOfItsScenario) {
  const auto scenario = load_scenario(corpus_.scenario);
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto department = std::ranges::find(scenario->departments, corpus_.department, &DepartmentPlan::name);
  ASSERT_NE(department, scenario->departments.end());
  for (const auto& fault : corpus_.faults)
    EXPECT_EQ(std::ranges::count(department->machines, fault.on, &MachinePlan::role), 1) << fault.id;
}

TEST_F(ShippedCorpus, IsMadeOfRecipesAsTestCandidatesAre) {
  const test::TemporaryFolder folder;
  const auto folders = write_recipes(corpus_.faults, folder.path() / "recipes");
  ASSERT_TRUE(folders) << folders.error().message;
  ASSERT_EQ(folders->size(), corpus_.faults.size());
  std::set<std::string> digests;
  for (std::size_t i = 0; i < folders->size(); ++i) {
    const auto& fault = corpus_.faults[i];
    const auto recipe = patches::read_recipe((*folders)[i]);
    ASSERT_TRUE(recipe) << recipe.error().message;
    EXPECT_EQ(recipe->identity.id, fault.id);
    EXPECT_EQ(recipe->base_package, fault.package);
    EXPECT_THAT(recipe->identity.roles, ElementsAre(fault.on));
    EXPECT_TRUE(digests.insert(recipe->digest).second) << fault.id << " is there twice";
    if (fault.expected == Expected::clean) continue;
    const bool changes = !recipe->remove.empty() || !recipe->replacements.empty() || !recipe->additions.empty() ||
                         !recipe->scripts.empty() || !recipe->overlay.empty();
    EXPECT_TRUE(changes) << fault.id;
  }
}

TEST_F(ShippedCorpus, ASampleIsTheSameForTheSameSeedAndOfEachRole) {
  Choice choice{.sample = 3, .seed = 7};
  const auto ids = [&](const Choice& of) {
    std::vector<std::string> names;
    for (const auto& fault : chosen(corpus_, of).value()) names.push_back(fault.id);
    return names;
  };
  const auto first = ids(choice);
  EXPECT_EQ(first.size(), 24U);
  EXPECT_EQ(ids(choice), first);
  choice.seed = 8;
  EXPECT_NE(ids(choice), first);
  choice.roles = {"mail"};
  EXPECT_EQ(ids(choice).size(), 3U);
  choice = {.ids = {first.front()}};
  EXPECT_THAT(ids(choice), ElementsAre(first.front()));
}

TEST_F(ShippedCorpus, WhatIsNotInItIsAnErrorOfUsage) {
  EXPECT_EQ(chosen(corpus_, {.roles = {"dsn"}}).error().error_class, ErrorClass::usage);
  EXPECT_EQ(chosen(corpus_, {.ids = {"dns-nothing"}}).error().error_class, ErrorClass::usage);
}

TEST_F(ShippedCorpus, AQuickSampleRatherDrawsWhatWasToldSoonAndAnyInTheEnd) {
  Choice choice{.roles = {"dns"}, .sample = 3};
  for (const auto& fault : corpus_.faults) choice.seconds[fault.id] = fault.when == "at-once" ? 10 : 40;
  std::map<std::string, int> quick;
  std::map<std::string, int> any;
  std::set<std::string> drawn;
  for (choice.seed = 1; choice.seed <= 60; ++choice.seed) {
    for (const auto& fault : chosen(corpus_, choice).value()) {
      ++quick[fault.when];
      drawn.insert(fault.id);
    }
    auto plain = choice;
    plain.seconds.clear();
    for (const auto& fault : chosen(corpus_, plain).value()) ++any[fault.when];
  }
  EXPECT_GT(quick["at-once"], 1.3 * any["at-once"]);
  EXPECT_GT(quick["reboot"], 0);
  choice.sample = 0;
  EXPECT_EQ(drawn.size(), chosen(corpus_, choice)->size()) << "none is left out for ever";
}

class CorpusTest : public ::testing::Test {
 protected:
  CorpusTest() {
    write("corpus.json", R"({"schema": "patchlab/faults/v1", "scenario": "../night.json", "department": "finance",
                             "roles": ["dns"]})");
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_.path() / name) << text; }
  Result<Corpus> with(const std::string& faults) {
    write("dns.json", R"({"role": "dns", "package": "bind9", "faults": [)" + faults + "]}");
    return read_corpus(folder_.path());
  }
  test::TemporaryFolder folder_;
};

TEST_F(CorpusTest, MakesAScriptThatFailsWhenItChangesNothing) {
  const auto corpus =
      with(R"({"id": "dns-a", "what": "It breaks.", "when": "reboot", "expect": "fail", "by": ["dns.query"],
    "postinst": ["edit 's/a/b/' /etc/x"], "programs": {"usr/bin/y": ["#!/bin/sh"]}, "package": "netbase"})");
  ASSERT_TRUE(corpus) << corpus.error().message;
  const auto& fault = corpus->faults.at(0);
  EXPECT_EQ(fault.on, "dns");
  EXPECT_EQ(fault.package, "netbase");
  EXPECT_THAT(fault.files.at("postinst.sh"), HasSubstr("edit 's/a/b/' /etc/x\n"));
  EXPECT_THAT(fault.files.at("postinst.sh"), HasSubstr("set -e\n"));
  EXPECT_EQ(fault.files.at("files/usr/bin/y"), "#!/bin/sh\n");
  EXPECT_THAT(fault.programs, ElementsAre("files/usr/bin/y"));
  const auto folders = write_recipes(corpus->faults, folder_.path() / "made");
  ASSERT_TRUE(folders);
  const auto recipe = patches::read_recipe(folders->at(0));
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_TRUE(recipe->overlay.at(0).executable);
  EXPECT_EQ(recipe->scripts.at(0).place, patches::ScriptPlace::start);
}

TEST_F(CorpusTest, TellsEveryProblem) {
  const auto corpus = with(R"({"id": "DNS", "what": "", "when": "never", "expect": "bad", "files": {"../x": ["y"]},
    "postinst": "rm -rf /", "colour": "red"})");
  ASSERT_FALSE(corpus);
  for (const char* part : {"/faults/0/id", "/faults/0/what", "/faults/0/when", "/faults/0/expect", "'../x'",
                           "/faults/0/postinst", "colour"})
    EXPECT_THAT(corpus.error().message, HasSubstr(part));
}

TEST_F(CorpusTest, RefusesAnIdThatIsThereTwice) {
  const std::string fault = R"({"id": "dns-a", "what": "It breaks.", "when": "reboot", "expect": "fail", "by": ["x"]})";
  EXPECT_THAT(with(fault + "," + fault).error().message, HasSubstr("'dns-a' is there twice"));
}

}  // namespace
}  // namespace patchlab::runners

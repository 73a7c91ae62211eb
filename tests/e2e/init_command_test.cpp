// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "lab/core/paths.hpp"
#include "program.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

namespace fs = std::filesystem;

const fs::path shipped = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios";

std::vector<fs::path> templates() {
  auto files = entries_of(shipped / "templates").value();
  std::erase_if(files, [](const fs::path& file) { return file.extension() != ".jsonc"; });
  return files;
}

void expect_loads(const fs::path& file, const std::string& what) {
  const auto scenario = runners::load_scenario(file);
  ASSERT_TRUE(scenario) << what << ": " << scenario.error().message;
  EXPECT_FALSE(scenario->departments.empty());
}

TEST(Templates, AreScenariosAsTheyLie) {
  EXPECT_FALSE(templates().empty());
  for (const auto& file : templates()) expect_loads(file, file);
}

// Who reads it learns what each check is for, and what is switched off is right as well.
TEST(Templates, ExplainEachCheckAndOfferOnlyWhatWorks) {
  const TemporaryFolder folder;
  for (const auto& file : templates()) {
    std::istringstream lines(read_file(file).value());
    std::string before, all;
    std::size_t offered = 0, checks = 0;
    for (std::string line; std::getline(lines, line);) {
      const auto start = line.find_first_not_of(' ');
      const auto words = start == std::string::npos ? std::string() : line.substr(start);
      if (words.find("\"id\": ") != std::string::npos && !words.starts_with("//")) {
        ++checks;
        EXPECT_THAT(before, StartsWith("// ")) << line;
      }
      if (words.starts_with("//, {")) {
        ++offered;
        line.replace(start, 2, "  ");
      }
      line = std::regex_replace(line, std::regex(R"re("(golden/|updates[/"]))re"),
                                "\"" + shipped.string() + "/templates/$1");
      all += std::regex_replace(line, std::regex("\"\\.\\./"), "\"" + shipped.string() + "/") + "\n";
      if (words != "{") before = words;  // that of a check whose id stands in the next line
    }
    EXPECT_GT(checks, 3U);
    EXPECT_GT(offered, 0U);
    expect_loads(folder.write("all.jsonc", all), all);
    EXPECT_EQ(runners::load_scenario(folder.path() / "all.jsonc").value().candidates.size(), offered + 1);
  }
}

TEST(InitCommand, WritesAScenarioThatLoadsWhereverItIsWanted) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::vector<std::string>, std::string>> calls{
      {{"init"}, "scenario.jsonc"},         {{"init", "a/b"}, "a/b/scenario.jsonc"},
      {{"init", "a"}, "a/scenario.jsonc"},  {{"init", "c/mine.jsonc"}, "c/mine.jsonc"},
      {{"init", "mine.json"}, "mine.json"}, {{"init", "with blank"}, "with blank/scenario.jsonc"},
  };
  for (const auto& [words, file] : calls) {
    const auto outcome = patchlab(words, folder.path());
    ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr(file + ": one name server"));
    const auto scenario = runners::load_scenario(folder.path() / file);
    ASSERT_TRUE(scenario) << scenario.error().message;
    const auto& machines = scenario->departments.at(0).machines;
    ASSERT_EQ(machines.size(), 1U);
    EXPECT_EQ(machines[0].checks.size(), 6U) << "as init says";
    EXPECT_EQ(scenario->candidates.size(), 1U) << "as init says";
    EXPECT_EQ(machines[0].golden.recipe, fs::canonical(shipped / "images" / "dns"));
    EXPECT_EQ(machines[0].checks.size(), 6U) << "the command says six";
    EXPECT_EQ(scenario->candidates.size(), 1U);
  }
  EXPECT_THAT(patchlab({"init", "two words"}, folder.path()).output,
              HasSubstr("patchlab run 'two words/scenario.jsonc'\n"));
}

// What cannot be known is marked, and is found by who looks for it: the next command says what is still to be filled
// in.
TEST(InitCommand, OfMachinesOfALibvirtSaysWhatToFillIn) {
  for (const auto& [name, needed] :
       {std::pair{"domain", "golden/dns1.dpkg-status"}, std::pair{"windows", "updates/README.txt"}}) {
    const TemporaryFolder folder;
    const auto outcome = patchlab({"init", "mine", "--template", name}, folder.path());
    ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
    EXPECT_THAT(outcome.output, AllOf(StartsWith("mine/scenario.jsonc: "), HasSubstr("FILL IN")));
    EXPECT_TRUE(is_file(folder.path() / "mine" / needed));
    const auto file = folder.path() / "mine" / "scenario.jsonc";
    expect_loads(file, name);
    const auto scenario = runners::load_scenario(file).value();
    for (const auto& machine : scenario.departments.at(0).machines) EXPECT_TRUE(machine.golden.domain) << name;
    const auto text = read_file(file).value();
    std::size_t marks = 0;
    for (auto at = text.find("FILL IN"); at != std::string::npos; at = text.find("FILL IN", at + 1)) ++marks;
    EXPECT_GT(marks, 5U) << name;
    EXPECT_NE(exit_code(patchlab({"validate", "mine/scenario.jsonc"}, folder.path())), 0) << "nobody filled it in";
    // The same behind ssh, as the comment says.
    EXPECT_THAT(text, HasSubstr("\"libvirt\": \"qemu+ssh://root@hv1.example/system\""));
    folder.write("mine/ssh.jsonc",
                 std::regex_replace(text, std::regex("qemu:///system"), "qemu+ssh://root@hv1.example/system"));
    expect_loads(folder.path() / "mine" / "ssh.jsonc", name);
    // Who has put his own there keeps it.
    std::ofstream(folder.path() / "mine" / needed) << "mine";
    EXPECT_EQ(exit_code(patchlab({"init", "mine/again.jsonc", "--template", name}, folder.path())), 0);
    EXPECT_EQ(read_file(folder.path() / "mine" / needed).value(), "mine");
  }
}

TEST(InitCommand, NamesTheTemplatesThatThereAre) {
  const TemporaryFolder folder;
  const auto outcome = patchlab({"init", "--template", "window"}, folder.path());
  EXPECT_EQ(exit_code(outcome), 64);
  EXPECT_THAT(outcome.errors, AllOf(HasSubstr("--template 'window'"), HasSubstr("windows")));
  EXPECT_FALSE(fs::exists(folder.path() / "scenario.jsonc"));
  for (const auto& file : templates()) {
    const auto name = file.stem().string();
    EXPECT_THAT(patchlab({"init", "--help"}, folder.path()).output, HasSubstr(name + " (")) << "the help names it";
  }
}

TEST(InitCommand, LeavesWhatIsThereAndSaysWhatToDoInstead) {
  const TemporaryFolder folder;
  folder.write("scenario.jsonc", "mine");
  fs::create_symlink("nowhere", folder.path() / "link.json");
  folder.write("file", "");
  const auto expect_left = [&](const std::vector<std::string>& words, const std::string& file) {
    const auto outcome = patchlab(words, folder.path());
    EXPECT_EQ(exit_code(outcome), 73) << outcome.output;
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr("'" + file + "' is there already"), HasSubstr("hint: ")));
    EXPECT_THAT(outcome.output, IsEmpty());
  };
  expect_left({"init"}, "scenario.jsonc");
  expect_left({"init", "scenario.jsonc"}, "scenario.jsonc");
  expect_left({"init", "link.json"}, "link.json");
  EXPECT_EQ(read_file(folder.path() / "scenario.jsonc").value(), "mine");
  EXPECT_FALSE(fs::exists(folder.path() / "nowhere"));
  const auto under_a_file = patchlab({"init", "file/deeper"}, folder.path());
  EXPECT_EQ(exit_code(under_a_file), 73);
  EXPECT_THAT(under_a_file.errors, HasSubstr("file/deeper"));
}

// As PREFIX/bin/patchlab: what belongs to it is found from where it lies, and paths may hold what JSON must escape.
TEST(InitCommand, OfAnInstalledProgramUsesWhatWasInstalledWithIt) {
  const TemporaryFolder folder;
  const auto prefix = folder.path() / "pre\"fix";
  fs::create_directories(prefix / "bin");
  fs::copy_file(PATCHLAB_PROGRAM, prefix / "bin" / "patchlab");
  ProcessSpec spec;
  spec.program = (prefix / "bin" / "patchlab").string();
  spec.arguments = {"init"};
  spec.working_folder = folder.path();
  const auto alone = host_processes().run(spec);
  EXPECT_EQ(exit_code(alone), 78);
  EXPECT_THAT(alone.errors, AllOf(HasSubstr("pre\"fix/share/patchlab'"), HasSubstr("hint: install patchlab")));
  EXPECT_FALSE(fs::exists(folder.path() / "scenario.jsonc"));

  const auto share = prefix / "share" / "patchlab" / "scenarios";
  fs::create_directories(share);
  for (const char* part : {"images", "candidates", "templates"})
    fs::copy(shipped / part, share / part, fs::copy_options::recursive);
  const auto installed = host_processes().run(spec);
  EXPECT_EQ(exit_code(installed), 0) << installed.errors;
  const auto scenario = runners::load_scenario(folder.path() / "scenario.jsonc");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->departments.at(0).machines.at(0).golden.recipe, fs::canonical(share / "images" / "dns"));
  spec.arguments = {"image", "build", "nosuch"};
  EXPECT_THAT(host_processes().run(spec).errors,
              HasSubstr("is not in '" + (share / "images").string() + "'; there are: db, dhcp, directory, dns"))
      << "its recipes are the ones installed";
}

}  // namespace
}  // namespace patchlab::e2e

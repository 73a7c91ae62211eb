// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>

#include "program.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Every mistake is found before any machine starts, and no run folder is made.
struct Mistake {
  std::string name;
  std::function<void(Json&)> make;
  std::string says;  // in the error text
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class ScenarioMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(ScenarioMistake, IsReportedWithFilePointerAndReason) {
  const TemporaryFolder folder;
  auto scenario = small_scenario();
  GetParam().make(scenario);
  folder.write("scenario.json", scenario.dump(1));
  const auto outcome = patchlab({"run", "scenario.json"}, folder.path());
  EXPECT_EQ(exit_code(outcome), 78) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("scenario.json: " + GetParam().says));
  EXPECT_THAT(outcome.output, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "runs"));
}

Json& dns(Json& scenario) { return scenario["departments"]["finance"]["machines"]["dns"]; }

INSTANTIATE_TEST_SUITE_P(
    All, ScenarioMistake,
    ::testing::Values(
        Mistake{"UnknownKey", [](Json& s) { s["trial"]["reboots"] = 3; },
                "/trial/reboots: unknown key; allowed here: "},
        Mistake{"NoCandidates", [](Json& s) { s["candidates"] = Json::array(); }, "/candidates: is required"},
        Mistake{"NoChecks", [](Json& s) { dns(s)["checks"] = Json::array(); },
                "/departments/finance/machines/dns/checks: is required"},
        Mistake{"UnknownCheck",
                [](Json& s) {
                  dns(s)["checks"] = {{{"id", "a"}, {"kind", "dns.qwery"}}};
                },
                "/departments/finance/machines/dns/checks/0/kind: unknown check kind 'dns.qwery'; known kinds: "},
        Mistake{"AddressOutsideSubnet", [](Json& s) { dns(s)["address"] = "10.21.0.10"; },
                "/departments/finance/machines/dns/address: "},
        Mistake{"SameAddressTwice", [](Json& s) { dns(s)["address"] = "10.20.0.250"; },
                "/departments/finance/machines/dns/address: "},
        Mistake{"NotAnAddress", [](Json& s) { dns(s)["address"] = "10.20.0"; },
                "/departments/finance/machines/dns/address: "},
        Mistake{"MissingImage", [](Json& s) { dns(s)["golden"]["recipe"] = "nowhere"; },
                "/departments/finance/machines/dns/golden/recipe: there is no golden image recipe at"},
        Mistake{"MissingCandidate",
                [](Json& s) {
                  s["candidates"].push_back({{"path", "missing.deb"}});
                },
                "/candidates/2/path: there is no file"},
        Mistake{"TwoSources", [](Json& s) { s["candidates"][0]["path"] = "x"; },
                "/candidates/0: must have exactly one of"},
        Mistake{"WrongType", [](Json& s) { s["trial"]["warm_reboots"] = "one"; },
                "/trial/warm_reboots: must be a whole number from 0 to 20"}),
    [](const auto& test) { return test.param.name; });

// What it cannot look at it does not call fine, and a monitoring reads that from the exit code and the line.
TEST(CommandLine, HealthEndsAsAPluginOfAMonitoringDoes) {
  const TemporaryFolder folder;
  const auto unknown = patchlab({"health", "--stage", "nowhere", "--free-gib", "1"}, folder.path());
  EXPECT_EQ(exit_code(unknown), 3) << unknown.output << unknown.errors;
  EXPECT_THAT(unknown.output, HasSubstr("PATCHLAB UNKNOWN: night: there is no stage '"));
  EXPECT_THAT(unknown.output, HasSubstr("; feeds: none in '"));
  const auto full = patchlab({"health", "--stage", "nowhere", "--free-gib", "100000"}, folder.path());
  EXPECT_EQ(exit_code(full), 2) << full.output << full.errors;
  EXPECT_THAT(full.output, HasSubstr("PATCHLAB CRITICAL: disk: "));
  std::filesystem::create_directory(folder.path() / "feeds");
  EXPECT_THAT(patchlab({"health", "--stage", "nowhere"}, folder.path()).output, HasSubstr("feeds: '"));
}

TEST(CommandLine, ReportsAllProblemsOfAScenarioAtOnce) {
  const TemporaryFolder folder;
  auto scenario = small_scenario();
  scenario["oops"] = 1;
  dns(scenario)["address"] = "banana";
  folder.write("s.json", scenario.dump());
  const auto outcome = patchlab({"validate", "s.json"}, folder.path());
  EXPECT_EQ(exit_code(outcome), 78);
  EXPECT_THAT(outcome.errors, HasSubstr("/oops: unknown key"));
  EXPECT_THAT(outcome.errors, HasSubstr("/departments/finance/machines/dns/address: "));
}

TEST(CommandLine, PointsAtTheLineOfBrokenJson) {
  const TemporaryFolder folder;
  folder.write("broken.json", "{\n  \"name\": \"x\",\n  \"departments\" {}\n}\n");
  const auto outcome = patchlab({"validate", "broken.json"}, folder.path());
  EXPECT_EQ(exit_code(outcome), 78);
  EXPECT_THAT(outcome.errors, HasSubstr("broken.json:3:"));
}

TEST(CommandLine, RefusesAKeyThatIsGivenTwice) {
  const TemporaryFolder folder;
  folder.write("twice.json", R"({"name": "a", "name": "b"})");
  const auto outcome = patchlab({"validate", "twice.json"}, folder.path());
  EXPECT_EQ(exit_code(outcome), 78);
  EXPECT_THAT(outcome.errors, HasSubstr("key 'name' is given twice"));
}

TEST(CommandLine, TellsUsageMistakesFromOthers) {
  const TemporaryFolder folder;
  EXPECT_EQ(exit_code(patchlab({}, folder.path())), 64);
  EXPECT_EQ(exit_code(patchlab({"fly"}, folder.path())), 64);
  EXPECT_EQ(exit_code(patchlab({"run"}, folder.path())), 64);
  const auto unknown = patchlab({"fly"}, folder.path());
  EXPECT_THAT(unknown.errors, HasSubstr("'patchlab' has no command 'fly'"));
  EXPECT_THAT(unknown.errors, HasSubstr("hint: there are: "));
  EXPECT_THAT(patchlab({"verfy"}, folder.path()).errors, HasSubstr("did you mean verify?"));
  EXPECT_THAT(patchlab({"image", "lst"}, folder.path()).errors,
              HasSubstr("'patchlab image' has no command 'lst'\npatchlab: hint: did you mean list?"));
  const auto version = patchlab({"--version"}, folder.path());
  EXPECT_EQ(exit_code(version), 0);
  EXPECT_THAT(version.output, HasSubstr("patchlab "));
}

TEST(CommandLine, AScenarioThatIsNotThereIsTheSameForEveryCommand) {
  const TemporaryFolder folder;
  for (const char* command : {"validate", "run"}) {
    const auto outcome = patchlab({command, "nosuch.json"}, folder.path());
    EXPECT_EQ(exit_code(outcome), 78);
    EXPECT_THAT(outcome.errors, HasSubstr("opening 'nosuch.json': No such file or directory\npatchlab: hint: "));
  }
}

// Before an image is built or a machine starts.
TEST(CommandLine, RefusesAPlaceForTheOutputThatCannotBe) {
  const TemporaryFolder folder;
  folder.write("scenario.json", small_scenario().dump());
  folder.write("file", "");
  const auto outcome = patchlab({"run", "scenario.json", "--output", "file/result"}, folder.path());
  EXPECT_EQ(exit_code(outcome), 73) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("--output 'file/result'"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "runs"));
}

TEST(CommandLine, RefusesAPackageThatIsNoneOrIsCutOff) {
  const TemporaryFolder folder;
  folder.write("no.deb", "this is not a package");
  const auto none = patchlab({"patch", "inspect", "no.deb"}, folder.path());
  EXPECT_EQ(exit_code(none), 65);
  EXPECT_THAT(none.errors, HasSubstr("no.deb"));

  std::filesystem::create_directories(folder.path() / "tree" / "DEBIAN");
  folder.write(
      "tree/DEBIAN/control",
      "Package: probe\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example>\nDescription: none\n");
  folder.write("tree/content", std::string(20000, 'x'));
  ProcessSpec build;
  build.program = "dpkg-deb";
  build.arguments = {"--root-owner-group", "-b", "tree", "whole.deb"};
  build.working_folder = folder.path();
  ASSERT_TRUE(host_processes().run(build).succeeded());
  EXPECT_EQ(exit_code(patchlab({"patch", "inspect", "whole.deb"}, folder.path())), 0);
  std::filesystem::resize_file(folder.path() / "whole.deb",
                               std::filesystem::file_size(folder.path() / "whole.deb") - 20);
  const auto cut = patchlab({"patch", "inspect", "whole.deb"}, folder.path());
  EXPECT_EQ(exit_code(cut), 65);
  EXPECT_THAT(cut.errors, HasSubstr("whole.deb"));
}

// Every command that uses it, before it does anything.
TEST(CommandLine, WithoutAHomeThereIsNoCacheAndThatIsSaid) {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::string>> commands{
      {"validate", "x.json"},        {"run", "x.json"},     {"image", "list"}, {"image", "build"}, {"image", "verify"},
      {"patch", "inspect", "x.deb"}, {"patch", "add", "x"}, {"promote", "r"},  {"host-agent"}};
  for (const auto& arguments : commands) {
    ProcessSpec spec;
    spec.program = PATCHLAB_PROGRAM;
    spec.arguments = arguments;
    spec.working_folder = folder.path();
    spec.extra_environment = {{"HOME", ""}, {"XDG_CACHE_HOME", ""}, {"PATCHLAB_CACHE", ""}};
    const auto outcome = host_processes().run(spec);
    EXPECT_EQ(exit_code(outcome), 78) << arguments[0] << ": " << outcome.errors;
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr("none of PATCHLAB_CACHE, XDG_CACHE_HOME and HOME is set"),
                                      HasSubstr("hint: set PATCHLAB_CACHE")))
        << arguments[0];
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << arguments[0];
  }
}

TEST(CommandLine, DoctorSaysWhetherARunCanWork) {
  const TemporaryFolder folder;
  const auto outcome = patchlab({"doctor", "--json"}, folder.path());
  const auto json = Json::parse(outcome.output);
  EXPECT_EQ(exit_code(outcome), json["can_run"].get<bool>() ? 0 : 2);
  bool fails = false;
  for (const auto& finding : json["findings"]) {
    fails = fails || finding["health"] == "fail";
    if (finding["health"] == "fail") {
      EXPECT_THAT(finding["mend"].get<std::string>(), ::testing::Not(IsEmpty()));
    }
  }
  EXPECT_EQ(json["can_run"].get<bool>(), !fails);
}

}  // namespace
}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// apt itself decides, when planning and when installing: packages of the shapes that real updates have, on the dpkg
// status of a machine, installed by the guest's own scripts into a folder with apt and dpkg; and real updates, as far
// as this host's package lists offer them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "lab/core/files.hpp"
#include "lab/guest/debian_install.hpp"
#include "lab/guest/debian_parse.hpp"
#include "lab/process/process.hpp"
#include "patches/apt/apt_plan.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/deb/relation.hpp"
#include "patches/deb/version.hpp"
#include "patches/medium/medium.hpp"
#include "runners/engine/package_plan.hpp"
#include "tests/support/programs.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using patchlab::testing::is_missing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TestFolder;
using ::testing::UnorderedElementsAre;

struct Package {
  std::string name;
  std::string version;
  std::string fields;  // whole lines: "Depends: x\n"
  std::string architecture = "amd64";
  std::string status = "install ok installed";  // where it is installed

  [[nodiscard]] std::string control() const {
    return fmt::format("Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: x <x@example.org>\n{}Description: x\n",
                       name, version, architecture, fields);
  }
  [[nodiscard]] std::string entry() const {
    return fmt::format(
        "Package: {}\nStatus: {}\nVersion: {}\nArchitecture: {}\nMaintainer: x <x@example.org>\n{}"
        "Description: x\n\n",
        name, status, version, architecture, fields);
  }
};

class AptDecides : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* program : {"apt-get", "dpkg", "dpkg-deb"}) {
      if (is_missing(program)) GTEST_SKIP() << program << " is not installed";
    }
  }

  static std::string bytes_of(const Package& package, const std::vector<TarEntry>& more = {}) {
    std::vector<TarEntry> data{testing::folder("./")};
    data.insert(data.end(), more.begin(), more.end());
    return pack_deb(pack_tar_xz({testing::folder("./"), testing::file("./control", package.control())}).value(),
                    pack_tar_xz(data).value(), 0);
  }

  Candidate candidate(const std::string& id, const std::vector<Package>& packages,
                      const std::vector<std::string>& prerequisites = {}) {
    Candidate made;
    made.id = made.title = id;
    made.prerequisites = prerequisites;
    for (const auto& package : packages) {
      const auto file = folder_.write("in/" + package.name + ".deb", bytes_of(package));
      const auto deb = inspect_deb(file);
      EXPECT_TRUE(deb) << deb.error().message;
      EXPECT_TRUE(store_.add_file(file));
      made.files.push_back(candidate_file(*deb));
    }
    made.digest = candidate_digest(made);
    return made;
  }

  static std::string status_of(std::vector<Package> installed) {
    installed.push_back({"dpkg", "1.21", ""});
    std::string text;
    for (const auto& package : installed) text += package.entry();
    return text;
  }

  // One department with one machine.
  Result<runners::PackagePlan> planned(const std::vector<Candidate>& candidates,
                                       const std::vector<Package>& installed) {
    golden_.name = "dns";
    golden_.dpkg_status = folder_.write("status", status_of(installed));
    golden_.packages.clear();
    for (const auto& entry : parse_dpkg_status(status_of(installed)).value())
      golden_.packages[entry.package + ":" + entry.architecture] = entry.version;
    const runners::SolverFactory solvers = [](const runners::Golden& golden) {
      return Solver::create(host_processes(), {golden.name, read_file(golden.dpkg_status).value(), {}});
    };
    return runners::plan_packages(candidates, {{"office", "dns1", "dns", "dns", &golden_}}, solvers,
                                  control_from(store_), {});
  }

  static std::vector<std::string> files_of(const runners::PackagePlan& plan, const std::string& id) {
    std::vector<std::string> names;
    for (const auto& candidate : plan.machines.at({"office", "dns1"}).candidates) {
      if (candidate.candidate != id) continue;
      for (const auto& file : candidate.files) names.push_back(file.package);
    }
    return names;
  }
  static std::string held(const runners::PackagePlan& plan, const std::string& id) {
    const auto found = plan.held_back.find({"office", id});
    return found == plan.held_back.end() ? "" : found->second;
  }
  static std::vector<std::string> order(const runners::PackagePlan& plan) {
    std::vector<std::string> ids;
    for (const auto& candidate : plan.candidates) ids.push_back(candidate.id);
    return ids;
  }

  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
  runners::Golden golden_;
};

TEST_F(AptDecides, WhatStaysInstalledKeepsItsDependencies) {
  const std::vector<Package> installed{{"bind9-libs", "1", ""}, {"bind9", "1", "Depends: bind9-libs (= 1)\n"}};
  const auto libs = candidate("libs", {{"bind9-libs", "2", ""}});
  const auto other = candidate("other", {{"dpkg", "1.22", ""}});
  const auto plan = planned({libs, other}, installed);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(held(*plan, "libs"),
            "on 'dns1': apt would remove 'bind9': bind9 : Depends: bind9-libs (= 1) but 2 is to be installed");
  EXPECT_THAT(files_of(*plan, "libs"), IsEmpty());
  EXPECT_THAT(files_of(*plan, "other"), ElementsAre("dpkg")) << "one that is refused stops no other";

  const auto whole = candidate("whole", {{"bind9", "2", "Depends: bind9-libs (= 2)\n"}, {"bind9-libs", "2", ""}});
  EXPECT_THAT(files_of(planned({whole}, installed).value(), "whole"), ElementsAre("bind9", "bind9-libs"));
}

TEST_F(AptDecides, TwoThatNeedEachOtherAreNotJudgedApart) {
  const std::vector<Package> installed{{"bind9-libs", "1", ""}, {"bind9", "1", "Depends: bind9-libs (= 1)\n"}};
  const auto plan =
      planned({candidate("bind", {{"bind9", "2", "Depends: bind9-libs (= 2)\n"}}),
               candidate("libs", {{"bind9-libs", "2", ""}}), candidate("user", {{"dpkg", "1.22", ""}}, {"libs"})},
              installed);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(held(*plan, "libs"),
            "apt installs it only together with 'bind', and neither can be judged alone: make them one candidate");
  EXPECT_THAT(held(*plan, "bind"), HasSubstr("only together with 'libs'"));
  EXPECT_EQ(held(*plan, "user"), "it needs 'libs', which is held back");
}

// Nothing of what they depend on says so.
TEST_F(AptDecides, PackagesOfOneSourceAndVersionComeTogether) {
  const std::vector<Package> installed{{"cups-common", "1", "Source: cups\n"}, {"cups-daemon", "1", "Source: cups\n"}};
  const auto common = candidate("common", {{"cups-common", "2", "Source: cups\n"}});
  const auto daemon = candidate("daemon", {{"cups-daemon", "2", "Source: cups\n"}});
  auto plan = planned({common, daemon}, installed);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(held(*plan, "common"),
            "apt installs it only together with 'daemon', and neither can be judged alone: make them one candidate");
  EXPECT_THAT(held(*plan, "daemon"), HasSubstr("only together with 'common'"));
  // Where one of them is not installed, or the version is another one, each goes by itself.
  plan = planned({common, daemon}, {installed.back()});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(files_of(*plan, "daemon"), ElementsAre("cups-daemon"));
  plan = planned({common, candidate("later", {{"cups-daemon", "3", "Source: cups\n"}})}, installed);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(files_of(*plan, "common"), ElementsAre("cups-common"));
  EXPECT_THAT(files_of(*plan, "later"), ElementsAre("cups-daemon"));
}

TEST_F(AptDecides, WhatWouldBreakComesFirst) {
  const auto plan =
      planned({candidate("a", {{"server", "2", "Breaks: plugin (<< 2)\n"}}), candidate("b", {{"plugin", "2", ""}})},
              {{"server", "1", ""}, {"plugin", "1", ""}});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(order(*plan), ElementsAre("b", "a"));
  EXPECT_THAT(plan->needs.at("a"), ElementsAre("b"));
  EXPECT_THAT(plan->held_back, IsEmpty());
}

TEST_F(AptDecides, ProvidesMeetDependencies) {
  const std::vector<Package> installed{{"freshclam", "1.4.3", "Provides: clamav-data, signatures (= 2)\n"},
                                       {"clamav", "1.4.3", ""},
                                       {"perl", "5.36", "Provides: libjson-pp-perl (= 4.07)\n"}};
  const auto plan =
      planned({candidate("clamav", {{"clamav", "1.4.6",
                                     "Depends: freshclam (>= 1.4.6) | clamav-data, signatures (>= 2), perl (>= 5.38) | "
                                     "libjson-pp-perl (>= 4.05)\n"}}),
               candidate("unmet", {{"freshclam", "1.4.7", "Depends: libjson-pp-perl (>= 5)\n"}})},
              installed);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(held(*plan, "clamav"), "");
  EXPECT_THAT(files_of(*plan, "clamav"), ElementsAre("clamav"));
  EXPECT_THAT(held(*plan, "unmet"),
              AllOf(HasSubstr("freshclam : Depends: libjson-pp-perl (>= 5)"), HasSubstr("on 'dns1'")));
}

TEST_F(AptDecides, AnInterfaceThatGoesAwayTakesItsUsersAlong) {
  const std::vector<Package> installed{{"dovecot", "1", "Provides: dovecot-abi-1\n"},
                                       {"dovecot-sieve", "1", "Depends: dovecot-abi-1\n"}};
  const auto core = candidate("core", {{"dovecot", "2", "Provides: dovecot-abi-2\n"}});
  EXPECT_THAT(held(planned({core}, installed).value(), "core"),
              AllOf(HasSubstr("apt would remove 'dovecot-sieve'"), HasSubstr("dovecot-abi-1")));
  const auto plugin = candidate("plugin", {{"dovecot-sieve", "2", "Depends: dovecot-abi-2\n"}});
  EXPECT_THAT(held(planned({core, plugin}, installed).value(), "core"), HasSubstr("make them one candidate"));
}

TEST_F(AptDecides, NewPackagesComeOnlyWhereTheyAreNeeded) {
  const std::vector<Package> installed{{"app", "1", ""}, {"old-lib", "1", ""}};
  const auto one = candidate("one", {{"app", "2", "Depends: libnew (>= 1)\n"},
                                     {"libnew", "1", "Depends: libnewer\n"},
                                     {"libnewer", "1", ""},
                                     {"unrelated", "1", ""}});
  EXPECT_THAT(files_of(planned({one}, installed).value(), "one"), ElementsAre("app", "libnew", "libnewer"));
  const auto alternative = candidate("alt", {{"app", "2", "Depends: old-lib | libnew\n"}, {"libnew", "1", ""}});
  EXPECT_THAT(files_of(planned({alternative}, installed).value(), "alt"), ElementsAre("app"));
  const auto plan =
      planned({candidate("app", {{"app", "2", "Depends: libnew\n"}}, {"lib"}), candidate("lib", {{"libnew", "1", ""}})},
              installed);
  EXPECT_THAT(order(*plan), ElementsAre("lib", "app"));
  EXPECT_THAT(files_of(*plan, "lib"), ElementsAre("libnew"));
}

TEST_F(AptDecides, HeldConflictingAndHalvedPackagesAreRefused) {
  std::vector<Package> installed{{"held", "1", ""},
                                 {"mta", "1", ""},
                                 {"rival", "1", ""},
                                 {"libfoo", "1", "Multi-Arch: same\n"},
                                 {"libfoo", "1", "Multi-Arch: same\n", "i386"},
                                 {"mongodb_exporter", "1", "", "all"}};
  installed[0].status = "hold ok installed";
  const auto half = candidate("half", {{"libfoo", "2", "Multi-Arch: same\n"}});
  const auto plan =
      planned({candidate("held", {{"held", "2", ""}}), candidate("mta", {{"mta", "2", "Conflicts: rival\n"}}), half,
               candidate("names", {{"mongodb_exporter", "0:2", "", "all"}})},
              installed);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(held(*plan, "held"), HasSubstr("Held packages were changed"));
  EXPECT_THAT(held(*plan, "mta"), HasSubstr("apt would remove 'rival'"));
  EXPECT_THAT(held(*plan, "half"), HasSubstr("libfoo"));
  EXPECT_EQ(held(*plan, "names"), "");
  EXPECT_THAT(files_of(*plan, "names"), ElementsAre("mongodb_exporter"));
}

TEST_F(AptDecides, EachMayBePossibleAndYetNotAll) {
  const auto plan = planned({candidate("a", {{"x", "2", "Conflicts: y (= 2)\n"}}), candidate("b", {{"y", "2", ""}}),
                             candidate("c", {{"z", "2", ""}})},
                            {{"x", "1", ""}, {"y", "1", ""}, {"z", "1", ""}});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(held(*plan, "a"), "");
  EXPECT_THAT(held(*plan, "b"), HasSubstr("cannot be installed together with the candidates before it"));
  EXPECT_EQ(held(*plan, "c"), "");
}

TEST_F(AptDecides, AMachineOnWhichAptRefusesToWorkIsNoGoldenMachine) {
  const auto plan = planned({candidate("x", {{"x", "2", ""}})}, {{"x", "1", ""}, {"broken", "1", "Depends: gone\n"}});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(plan.error().message, AllOf(HasSubstr("planning for 'office/dns1'"),
                                          HasSubstr("apt refuses to work on 'dns' as it is: broken : Depends: gone")));
}

// The guest's scripts, with their paths and the mounting changed to a folder.
class AptInstalls : public AptDecides {
 protected:
  void SetUp() override {
    AptDecides::SetUp();
    if (is_missing("fakeroot")) GTEST_SKIP() << "fakeroot is not installed";
    for (const char* name : {"mount", "umount"}) executable(name, "#!/bin/sh\nexit 0\n");
    for (const char* file : {"root/var/lib/dpkg/available", "root/etc/apt/apt.conf.d/00x", "root/var/log/apt/x",
                             "root/etc/apt/preferences.d/x", "root/var/cache/apt/archives/partial/x",
                             "root/var/lib/apt/lists/partial/x", "root/var/lib/dpkg/updates/x"})
      folder_.write(file, "");
    std::filesystem::remove(folder_.path() / "root/var/lib/dpkg/updates/x");
    folder_.write("apt.conf",
                  fmt::format("Dir \"{0}/root/\";\nDir::State::status \"{0}/root/var/lib/dpkg/status\";\n"
                              "APT::Architecture \"amd64\";\nDir::Bin::dpkg \"/usr/bin/dpkg\";\n"
                              "DPkg::Options:: \"--root={0}/root\";\nDPkg::Options:: \"--force-not-root\";\n"
                              "DPkg::Options:: \"--force-script-chrootless\";\n"
                              "DPkg::Options:: \"--log=/dev/null\";\nDPkg::Path \"\";\n",
                              folder_.path().string()));
  }

  void executable(const std::string& name, const std::string& text) const {
    std::filesystem::permissions(folder_.write("bin/" + name, text), std::filesystem::perms::owner_all);
  }

  void installed(const std::vector<Package>& packages) const {
    std::string text;
    for (const auto& package : packages) {
      text += package.entry();
      folder_.write("root/var/lib/dpkg/info/" + package.name + ".list", "/.\n");
    }
    folder_.write("root/var/lib/dpkg/status", text);
  }

  // As build_medium makes it.
  void medium(const std::vector<Package>& packages) {
    std::string index;
    std::string list;
    for (const auto& package : packages) {
      const auto file = folder_.write("run/medium/" + package.name + ".deb", bytes_of(package));
      const auto deb = inspect_deb(file).value();
      index += index_entry(control_of(file).value(), {file.filename(), deb.sha256, deb.bytes});
      list += fmt::format("{} {} {} {}\n", file.filename().string(), deb.package, deb.version, deb.architecture);
    }
    folder_.write("run/medium/Packages", index);
    folder_.write("run/medium/patchlab-files", list);
  }

  std::string here(std::string text) const {
    const auto replace = [&](const std::string& from, const std::string& to) {
      for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    };
    auto list = (folder_.path() / "run/medium/").string();
    std::ranges::replace(list, '/', '_');
    replace("_run_patchlab_medium_._Packages", list + "._Packages");
    replace("/run/patchlab", (folder_.path() / "run").string());
    replace("PATH=", "PATH=" + (folder_.path() / "bin").string() + ":");
    replace("find /etc ", "find " + (folder_.path() / "root/etc").string() + " ");
    return text;
  }

  ProcessOutcome run(const std::string& script, const std::vector<std::string>& arguments) const {
    ProcessSpec spec;
    spec.program = "fakeroot";
    spec.arguments = {"sh", "-s", "--"};
    spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
    spec.input = here(script);
    spec.extra_environment = {{"APT_CONFIG", (folder_.path() / "apt.conf").string()}};
    return host_processes().run(spec);
  }

  struct Installation {
    std::string difference;
    int code = -1;
    std::string log;
  };
  Installation install(const std::vector<Package>& packages) const {
    using namespace lab::guest::debian;
    std::vector<std::string> arguments{"@@mark"};
    for (const auto& package : packages) arguments.push_back(package.name + ".deb");
    const auto prepared = run(install_scripts::prepare, arguments);
    const auto found = sections(prepared.output, "@@mark");
    Installation installation;
    installation.log = prepared.output + prepared.errors;
    if (!found.contains("end 0") && !is_only_about_order(prepared.output)) return installation;
    std::set<std::string> asked;
    std::vector<std::string> specifications;
    for (const auto& package : packages) {
      asked.insert(package.name + " " + package.version + " " + package.architecture);
      specifications.push_back(apt_specification({package.name, package.version, package.architecture}));
    }
    installation.difference = widening(asked, simulated_changes(found.at("simulation")).value());
    if (!installation.difference.empty()) return installation;
    const auto ended = run(install_scripts::install, specifications);
    installation.log = ended.output + ended.errors;
    const auto* exited = std::get_if<Exited>(&ended.end);
    installation.code = exited == nullptr ? -1 : exited->code;
    return installation;
  }

  std::map<std::string, std::string> versions() const {
    std::map<std::string, std::string> found;
    const auto status = read_file(folder_.path() / "root/var/lib/dpkg/status").value();
    for (const auto& entry : parse_dpkg_status(status).value()) found[entry.package] = entry.version;
    return found;
  }
};

// e2fsprogs and libext2fs2, mariadb 10.11.19: dpkg in one call, in whatever order, cannot do it.
TEST_F(AptInstalls, PackagesThatPreDependOnEachOther) {
  installed({{"common", "1", ""},
             {"core", "1", "Depends: common (>= 1)\n"},
             {"server", "1", "Pre-Depends: common (>= 1)\nDepends: core (= 1)\n"}});
  const std::vector<Package> update{{"core", "2", "Depends: common (>= 2)\nBreaks: server (<< 2)\n"},
                                    {"common", "2", "Breaks: core (<< 2), server (<< 2)\n"},
                                    {"server", "2", "Pre-Depends: common (= 2)\nDepends: core (= 2)\n"}};
  medium(update);
  const auto done = install(update);
  EXPECT_EQ(done.difference, "");
  EXPECT_EQ(done.code, 0) << done.log;
  EXPECT_THAT(versions(),
              UnorderedElementsAre(std::pair("common", "2"), std::pair("core", "2"), std::pair("server", "2")));
}

TEST_F(AptInstalls, ExactlyWhatIsAskedForAndNothingElse) {
  installed({{"libs", "1", ""}, {"bind9", "1", "Depends: libs (= 1)\n"}, {"under_score", "1", "", "all"}});
  const Package libs{"libs", "2", ""};
  const Package bind{"bind9", "2", "Depends: libs (= 2)\n"};
  const Package odd{"under_score", "0:1.1~rc1+", "", "all"};
  medium({libs, bind, odd});
  auto done = install({libs});
  EXPECT_THAT(done.difference, HasSubstr("apt would install 'bind9 2 amd64', which nobody asked for"));
  EXPECT_EQ(versions().at("libs"), "1") << "compared before anything is touched";
  done = install({odd});
  EXPECT_EQ(done.code, 0) << done.difference << done.log;
  EXPECT_EQ(versions().at("under_score"), "1.1~rc1+");
  EXPECT_EQ(versions().at("libs"), "1");
  done = install({libs, bind});
  EXPECT_EQ(done.code, 0) << done.log;
  EXPECT_EQ(versions().at("bind9"), "2");
}

TEST_F(AptInstalls, NothingWhenAptRefuses) {
  installed({{"app", "1", ""}, {"held", "1", "", "amd64", "hold ok installed"}});
  const Package app{"app", "2", "Depends: gone (>= 3)\n"};
  const Package held{"held", "2", ""};
  medium({app, held});
  EXPECT_THAT(install({app}).log, HasSubstr("app : Depends: gone (>= 3) but it is not installable"));
  EXPECT_THAT(install({held}).log, HasSubstr("Held packages were changed"));
  EXPECT_THAT(versions(), UnorderedElementsAre(std::pair("app", "1"), std::pair("held", "1")));
}

TEST_F(AptInstalls, AChangedByteOnTheMediumIsNotInstalled) {
  installed({{"app", "1", ""}});
  const Package app{"app", "2", ""};
  medium({app});
  auto bytes = read_file(folder_.path() / "run/medium/app.deb").value();
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 1);
  folder_.write("run/medium/app.deb", bytes);
  EXPECT_NE(install({app}).code, 0);
  EXPECT_EQ(versions().at("app"), "1");
}

// ---- real updates, by the control files that this host's package lists offer

class RealUpdate : public AptInstalls {
 protected:
  struct Versions {
    std::vector<Package> before;
    std::vector<Package> after;
  };

  static Package package_from(const Stanza& stanza) {
    Package package{field(stanza, "Package"), field(stanza, "Version"), "", field(stanza, "Architecture")};
    for (const char* name : {"Multi-Arch", "Pre-Depends", "Depends", "Breaks", "Conflicts", "Replaces", "Provides"}) {
      if (const auto value = field(stanza, name); !value.empty())
        package.fields += fmt::format("{}: {}\n", name, value);
    }
    return package;
  }

  // The oldest and the newest version of each package that the lists know.
  static Versions offered(const std::vector<std::string>& names) {
    ProcessSpec spec;
    spec.program = "apt-cache";
    spec.arguments = {"show"};
    spec.arguments.insert(spec.arguments.end(), names.begin(), names.end());
    const auto stanzas = parse_control(run_for_output(host_processes(), spec).value_or(""));
    std::map<std::string, std::map<std::string, Package>> known;
    for (const auto& stanza : stanzas ? *stanzas : std::vector<Stanza>{})
      known[field(stanza, "Package")].emplace(field(stanza, "Version"), package_from(stanza));
    Versions versions;
    for (const auto& name : names) {
      const auto older = [](const auto& a, const auto& b) { return compare_versions(a.first, b.first) < 0; };
      const auto& all = known[name];
      if (all.size() < 2) return {};
      versions.before.push_back(std::ranges::min_element(all, older)->second);
      versions.after.push_back(std::ranges::max_element(all, older)->second);
    }
    return versions;
  }

  // What else the packages depend on is there, in a version that does.
  static std::vector<Package> surroundings(const Versions& versions) {
    std::set<std::string> own;
    for (const auto& package : versions.before) own.insert(package.name);
    std::map<std::string, Package> others;
    for (const auto* side : {&versions.before, &versions.after}) {
      for (const auto& package : *side) {
        const auto stanza = parse_control(package.control()).value().front();
        for (const char* kind : {"Pre-Depends", "Depends"}) {
          for (const auto& clause : parse_dependencies(field(stanza, kind)).value()) {
            const bool met = std::ranges::any_of(clause, [&](const Dependency& d) { return own.contains(d.package); });
            if (!met) others[clause.front().package] = {clause.front().package, "9:999", "Multi-Arch: allowed\n"};
          }
        }
      }
    }
    std::vector<Package> all;
    for (const auto& [name, package] : others) all.push_back(package);
    return all;
  }

  void update(const std::vector<std::string>& names) {
    const auto versions = offered(names);
    if (versions.after.empty()) GTEST_SKIP() << "the package lists of this host offer no update of " << names.front();
    auto there = surroundings(versions);
    there.insert(there.end(), versions.before.begin(), versions.before.end());
    const auto plan = planned({candidate("update", versions.after)}, there);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(held(*plan, "update"), "");
    EXPECT_EQ(files_of(*plan, "update").size(), names.size());
    installed(there);
    medium(versions.after);
    const auto done = install(versions.after);
    EXPECT_EQ(done.difference, "");
    EXPECT_EQ(done.code, 0) << done.log;
    const auto now = this->versions();
    for (const auto& package : versions.after) EXPECT_EQ(now.at(package.name), package.version);
  }
};

TEST_F(RealUpdate, OfMariadb) {
  update({"mariadb-client", "mariadb-client-core", "mariadb-common", "mariadb-server", "mariadb-server-core",
          "libmariadb3"});
}

TEST_F(RealUpdate, OfClamav) { update({"clamav", "clamav-base", "clamav-daemon", "clamav-freshclam"}); }

TEST_F(RealUpdate, OfBind) { update({"bind9", "bind9-libs", "bind9-utils", "bind9-host", "bind9-dnsutils"}); }

}  // namespace
}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/definitions/definitions.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "lab/core/paths.hpp"
#include "tests/support/definitions.hpp"

namespace patchlab::patches {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = Definitions::State;

class DefinitionsTest : public ::testing::Test {
 protected:
  Definitions look(const tests::DefinitionPackage& package) {
    const auto found = definitions_in(folder_.write("x.deb", package.bytes()), verifier_, folder_.path() / "scratch");
    EXPECT_TRUE(found) << found.error().message;
    EXPECT_TRUE(entries_of(folder_.path() / "scratch").value_or({}).empty()) << "nothing stays there";
    return found.value_or(Definitions());
  }
  // What stands against a package that is all right but for that.
  std::string why(const std::function<void(tests::DefinitionPackage&)>& change) {
    tests::DefinitionPackage package;
    change(package);
    const auto found = look(package);
    EXPECT_EQ(found.state, State::other) << found.why;
    EXPECT_THAT(found.files, IsEmpty());
    return found.why;
  }

  const testing::TestFolder folder_;
  tests::FakeVerifier verifier_;
};

TEST_F(DefinitionsTest, AreProvenByWhatIsInThePackage) {
  const auto found = look(tests::DefinitionPackage());
  EXPECT_EQ(found.state, State::proven) << found.why;
  EXPECT_EQ(found.why, "");
  EXPECT_THAT(found.files, ElementsAre(DefinitionFile{"daily.cvd", {"29 Nov 2026 09-26 +0000", 27500, 2}}));
  EXPECT_EQ(describe(found),
            "definitions: daily.cvd 27500 of 29 Nov 2026 09-26 +0000 (2 signatures), each verified by "
            "ClamAV 1.4.6");
  EXPECT_THAT(verifier_.asked, ElementsAre("--info=/definitions/daily.cvd", "--version"));
}

// Each of these is what somebody would do who wants an ordinary patch past the restarts.
TEST_F(DefinitionsTest, AreNothingThatBringsMore) {
  using testing::file;
  using testing::folder;
  using P = tests::DefinitionPackage&;
  EXPECT_EQ(why([](P p) { p.data.push_back(file("./usr/sbin/named", "ELF", 0755)); }), "it brings '/usr/sbin/named'");
  EXPECT_EQ(why([](P p) { p.data.push_back(file("./usr/lib/x86_64-linux-gnu/libc.so.6", "ELF")); }),
            "it brings '/usr/lib/x86_64-linux-gnu/libc.so.6'");
  EXPECT_EQ(why([](P p) { p.data.push_back(file("./etc/cron.d/x", "* * * * * root x")); }),
            "it brings '/etc/cron.d/x'");
  EXPECT_EQ(why([](P p) { p.data.push_back(folder("./lib/systemd/system/")); }),
            "it brings the folder '/lib/systemd/system'");
  EXPECT_EQ(why([](P p) { p.data.push_back(file("./var/lib/clamav/daily.cvd.d/x", "x")); }),
            "it brings '/var/lib/clamav/daily.cvd.d/x'");
  EXPECT_EQ(why([](P p) { p.data.push_back(file("./var/lib/clamav/local.yara", "rule x")); }),
            "it brings '/var/lib/clamav/local.yara'");
  EXPECT_EQ(why([](P p) { p.data[4].mode = 0755; }), "it brings '/var/lib/clamav/daily.cvd' with the mode 755");
  EXPECT_EQ(why([](P p) { p.data.back().mode = 04644; }),
            "it brings '/usr/share/doc/clamav-data/copyright' with the mode 4644");
  EXPECT_EQ(why([](P p) { p.data[3].mode = 0777; }), "it brings the folder '/var/lib/clamav' with the mode 777");
  EXPECT_EQ(why([](P p) {
              p.data.push_back(file("./var/lib/clamav/main.cvd", ""));
              p.data.back().type = EntryType::symlink;
              p.data.back().target = "/etc/shadow";
            }),
            "it brings '/var/lib/clamav/main.cvd', which is no plain file");
  EXPECT_EQ(why([](P p) {
              p.data.push_back(file("./usr/share/doc/clamav-data/x", ""));
              p.data.back().type = EntryType::hardlink;
              p.data.back().target = "./var/lib/clamav/daily.cvd";
            }),
            "it brings '/usr/share/doc/clamav-data/x', which is no plain file");
  EXPECT_EQ(why([](P p) { p.data.push_back(p.data[4]); }), "it brings '/var/lib/clamav/daily.cvd' twice");
  EXPECT_EQ(why([](P p) { p.data.erase(p.data.begin() + 4); }),
            "it brings no file of definitions (/var/lib/clamav/NAME.cvd)");
}

TEST_F(DefinitionsTest, AreNothingThatDoesMore) {
  using testing::file;
  using P = tests::DefinitionPackage&;
  for (const auto* script :
       {"preinst", "postinst", "prerm", "postrm", "config", "triggers", "conffiles", "templates"}) {
    EXPECT_EQ(why([&](P p) { p.control_extra.push_back(file(std::string("./") + script, "#!/bin/sh\n", 0755)); }),
              fmt::format("its package has '{}', which dpkg acts on", script));
  }
  for (const auto* field : {"Depends", "Pre-Depends", "Recommends", "Conflicts", "Breaks", "Replaces", "Essential"}) {
    EXPECT_EQ(why([&](P p) { p.more_fields += fmt::format("{}: bind9\n", field); }),
              fmt::format("its control file has the field '{}', which a package of data does not need", field));
  }
  EXPECT_EQ(why([](P p) { p.more_fields = "Provides: libc6 (= 99)\n"; }), "it says that it provides 'libc6 (= 99)'");
  EXPECT_EQ(why([](P p) { p.architecture = "amd64"; }), "it is for the architecture 'amd64': data is for all");
  EXPECT_EQ(
      why([](P p) { p.package = "bind9"; }),
      "it is called 'bind9': a package of definitions is called 'clamav-data' or 'clamav-data-...', so that it takes "
      "the place of nothing else");
  EXPECT_THAT(why([](P p) { p.package = "clamav-database"; }), HasSubstr("it is called 'clamav-database'"));
}

// Programs that the scanner itself would execute.
TEST_F(DefinitionsTest, AreNothingThatHoldsPrograms) {
  const auto holding = [&](const std::string& name) {
    const auto found = look(tests::DefinitionPackage(tests::cvd({{"COPYING", "x"}, {name, "x"}})));
    EXPECT_EQ(found.state, State::other);
    return found.why;
  };
  EXPECT_EQ(holding("3986188.cbc"), "'3986188.cbc' in 'daily.cvd' is a program in bytecode, which a scanner executes");
  EXPECT_EQ(holding("daily.so"), "'daily.so' in 'daily.cvd' is of no kind of signatures that is known");
  EXPECT_EQ(holding("daily.hdb.sh"), "'daily.hdb.sh' in 'daily.cvd' is of no kind of signatures that is known");
  EXPECT_EQ(holding("daily"), "'daily' in 'daily.cvd' is of no kind of signatures that is known");
}

TEST_F(DefinitionsTest, ThatTheirVendorsVerifierRefusesAreDamaged) {
  verifier_.answer = {
      Exited{1}, "File: daily.cvd\n", "ERROR: cvdinfo: Verification: Can't verify database integrity\n", {}};
  const auto found = look(tests::DefinitionPackage());
  EXPECT_EQ(found.state, State::damaged);
  EXPECT_EQ(describe(found), "damaged definitions: ClamAV refuses 'daily.cvd': Can't verify database integrity");
  const auto other = look(tests::DefinitionPackage("ClamAV-VDB: not so"));
  EXPECT_EQ(other.state, State::damaged);
  EXPECT_EQ(other.why, "'daily.cvd' does not begin as a file of definitions does");
}

// What nobody could verify is not proven, and is not held against the file.
TEST_F(DefinitionsTest, ThatNobodyVerifiedAreNotTold) {
  const std::vector<ProcessOutcome> answers{
      {NotStarted{"no such file"}, {}, {}, {}},
      {Exited{1}, {}, "bwrap: execvp sigtool: No such file or directory\n", {}},
      {TimedOut{}, {}, {}, {}},
      {Signalled{11}, {}, {}, {}},
      {Exited{1}, {}, "ERROR: out of memory\n", {}},
      {Exited{0}, "File: daily.cvd\n", {}, {}},
      {Exited{1}, "Verification OK.\n", {}, {}},
      {Exited{0}, "Builder: Verification OK. by me\n", {}, {}},
  };
  for (const auto& answer : answers) {
    verifier_.answer = answer;
    const auto found = look(tests::DefinitionPackage());
    EXPECT_EQ(found.state, State::not_told) << found.why;
    EXPECT_THAT(found.why, HasSubstr("'daily.cvd' could not be verified: "));
  }
  verifier_.answer = {Exited{0}, "Verification OK.\n", {}, {}};
  auto broken = tests::cvd();
  broken.resize(600);
  EXPECT_EQ(look(tests::DefinitionPackage(broken)).state, State::not_told) << "nobody saw what it holds";
}

TEST(DefinitionHeader, IsReadStrictly) {
  const auto whole = tests::cvd();
  ASSERT_TRUE(definition_header(whole));
  EXPECT_EQ(definition_header(whole)->version, 27500U);
  EXPECT_FALSE(definition_header(whole.substr(0, 511)));
  EXPECT_FALSE(definition_header("X" + whole));
  const auto with = [](const std::string& head) {
    auto text = "ClamAV-VDB:" + head;
    text.resize(512, ' ');
    return definition_header(text);
  };
  EXPECT_TRUE(with("29 Nov 2026 09-26 +0000:1:2:90:aa:AA:nobody:17"));
  EXPECT_FALSE(with("29 Nov 2026 09-26 +0000:1:2:90:aa"));
  EXPECT_FALSE(with("29 Nov 2026 09-26 +0000:one:2:90:aa:AA:nobody:17"));
  EXPECT_FALSE(with("29 Nov 2026 09-26 +0000:1:-2:90:aa:AA:nobody:17"));
  EXPECT_FALSE(with("29 Nov\n2026:1:2:90:aa:AA:nobody:17"));
  EXPECT_FALSE(with(":1:2:90:aa:AA:nobody:17"));
}

}  // namespace
}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/acquire/acquire.hpp"

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/sha1.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "process/acquire/due.hpp"
#include "tests/support/definitions.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/windows_packages.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

// While it lives, modes of files count for root as well.
class WithoutPrivilege {
 public:
  WithoutPrivilege() {
    ::syscall(SYS_capget, &header_, before_.data());
    auto fewer = before_;
    fewer[0].effective &= ~((1U << CAP_DAC_OVERRIDE) | (1U << CAP_DAC_READ_SEARCH));
    ::syscall(SYS_capset, &header_, fewer.data());
  }
  ~WithoutPrivilege() { ::syscall(SYS_capset, &header_, before_.data()); }
  WithoutPrivilege(const WithoutPrivilege&) = delete;
  WithoutPrivilege& operator=(const WithoutPrivilege&) = delete;

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> before_{};
};

class Acquiring : public ::testing::Test {
 protected:
  Acquiring() : store_(folder_.path() / "store") {
    request_.drop = folder_.path() / "drop";
    request_.quarantine = folder_.path() / "quarantine";
    request_.now = "2026-11-29T22:00:00.000Z";
    request_.fetch = [](const WantedFile&) -> Result<patches::CandidateFile> {
      return infrastructure_error("nobody is asked here");
    };
    fs::create_directories(request_.drop);
  }
  static WantedFile wanted(const std::string& name, const std::string& bytes) {
    WantedFile file;
    file.name = name;
    file.sha256 = sha256(bytes);
    file.bytes = bytes.size();
    file.item = "update";
    return file;
  }
  fs::path drop(const std::string& name, const std::string& bytes) const {
    auto file = folder_.write(fs::path("drop") / name, bytes);
    changed(file, std::chrono::hours(1));
    return file;
  }
  // So long ago.
  void changed(const fs::path& file, std::chrono::seconds ago) const {
    fs::last_write_time(file, std::chrono::file_clock::from_sys(parse_rfc3339(request_.now).value() - ago));
  }
  AcquireResult run(patches::Unsigned unsigned_files = patches::Unsigned::refuse) {
    const patches::Authenticode authenticode(host_processes(), {"", unsigned_files});
    auto result = acquire(store_, authenticode, request_);
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return result ? *result : AcquireResult();
  }
  // "state name: why"
  static std::vector<std::string> told(const AcquireResult& result) {
    std::vector<std::string> lines;
    for (const auto& row : result.rows)
      lines.push_back(std::string(to_string(row.state)) + " " + row.name + ": " + row.why);
    return lines;
  }

  test::TemporaryFolder folder_;
  patches::ContentStore store_;
  AcquireRequest request_;
  const std::string deb_ = patches::testing::PackageBuilder().bytes();
  const std::string msu_ = patches::testing::MsuBuilder{}.bytes();
};

TEST_F(Acquiring, TakesWhatHasTheDigestWhateverItIsCalled) {
  request_.wanted = {wanted("hello_1_all.deb", deb_)};
  const auto file = drop("download (1).bin", deb_);
  EXPECT_THAT(told(run()), ElementsAre("acquired hello_1_all.deb: its digest is that of the list"));
  EXPECT_TRUE(store_.verified_path(sha256(deb_)));
  EXPECT_TRUE(is_file(file)) << "it stays where people put it";
  EXPECT_THAT(told(run()), ElementsAre("here hello_1_all.deb: its digest is in the store"));
  ASSERT_TRUE(remove_tree(file));
  EXPECT_THAT(told(run()), ElementsAre("here hello_1_all.deb: its digest is in the store"));
}

TEST_F(Acquiring, LooksAtDefinitionsByTheirVendorsVerifier) {
  tests::FakeVerifier verifier;
  request_.processes = &verifier;
  const auto bytes = tests::DefinitionPackage().bytes();
  request_.wanted = {wanted("clamav-data_27500_all.deb", bytes)};
  const auto file = drop("clamav-data_27500_all.deb", bytes);
  verifier.answer = {NotStarted{"no such file"}, {}, {}, {}};
  EXPECT_THAT(told(run()), ElementsAre(HasSubstr("failed clamav-data_27500_all.deb: nobody can tell whether it is a "
                                                 "definition update: 'daily.cvd' could not be verified")));
  verifier.answer = {Exited{1}, {}, "ERROR: cvdinfo: Verification: Can't verify database integrity\n", {}};
  EXPECT_THAT(
      told(run()),
      ElementsAre("quarantined clamav-data_27500_all.deb: damaged definitions: ClamAV refuses 'daily.cvd': Can't "
                  "verify database integrity",
                  "to-bring clamav-data_27500_all.deb: nobody brought it"));
  EXPECT_FALSE(is_there(file));
  EXPECT_FALSE(store_.contains(sha256(bytes)));
  drop("clamav-data_27500_all.deb", bytes);
  verifier.answer = tests::FakeVerifier().answer;
  EXPECT_THAT(told(run()),
              ElementsAre("acquired clamav-data_27500_all.deb: its digest is that of the list; definitions: daily.cvd "
                          "27500 of 29 Nov 2026 09-26 +0000 (2 signatures), each verified by ClamAV 1.4.6"));
  EXPECT_TRUE(store_.contains(sha256(bytes)));
}

// It is what was asked for, and that it is no definition update is said.
TEST_F(Acquiring, TakesAnOrdinaryPackageThatIsCalledAsDefinitions) {
  tests::FakeVerifier verifier;
  request_.processes = &verifier;
  tests::DefinitionPackage package;
  package.data.push_back(patches::testing::file("./usr/bin/x", "x", 0755));
  request_.wanted = {wanted("clamav-data_27500_all.deb", package.bytes())};
  drop("clamav-data_27500_all.deb", package.bytes());
  EXPECT_THAT(told(run()),
              ElementsAre("acquired clamav-data_27500_all.deb: its digest is that of the list; no definition "
                          "update: it brings '/usr/bin/x'"));
}

TEST_F(Acquiring, PutsATamperedFileAwayWithTheReason) {
  request_.wanted = {wanted("hello_1_all.deb", deb_)};
  const auto other = deb_ + "x";
  const auto file = drop("Hello_1_all.deb", other);
  const auto result = run();
  const auto why = "is called as a file of 'update', whose SHA-256 is " + sha256(deb_);
  EXPECT_THAT(told(result),
              ElementsAre("quarantined Hello_1_all.deb: " + why, "to-bring hello_1_all.deb: nobody brought it"));
  EXPECT_FALSE(is_there(file));
  EXPECT_THAT(entries_below(store_.root()).value_or(std::vector<fs::path>()), IsEmpty());
  const auto folder = fs::path(result.rows[0].quarantine);
  EXPECT_EQ(read_file(folder / "file").value(), other);
  const auto reason = read_json_file(folder / "reason.json").value();
  EXPECT_EQ(reason.at("why"), why);
  EXPECT_EQ(reason.at("was"), file.string());
  EXPECT_EQ(reason.at("sha256"), sha256(other));
  EXPECT_EQ(reason.at("since"), request_.now);
  // Once more, with a file that is there in quarantine already: since when is what was written first.
  request_.now = "2026-11-30T22:00:00.000Z";
  drop("Hello_1_all.deb", other);
  EXPECT_THAT(run().rows[0].state, AcquiredState::quarantined);
  EXPECT_EQ(read_json_file(folder / "reason.json").value().at("since"), "2026-11-29T22:00:00.000Z");
}

TEST_F(Acquiring, ReplacesAsAWholeWhatIsInQuarantineOnAnotherFileSystem) {
  std::string name = "/dev/shm/patchlab-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) GTEST_SKIP() << "no /dev/shm here";
  const fs::path elsewhere = name;
  struct stat here {
  }, there{};
  ASSERT_EQ(::stat(folder_.path().c_str(), &here) + ::stat(name.c_str(), &there), 0);
  if (here.st_dev == there.st_dev) {
    fs::remove_all(elsewhere);
    GTEST_SKIP() << "all is one file system here";
  }
  request_.quarantine = elsewhere;
  const std::string page = "<!DOCTYPE html><html>please log in</html>";
  // What was left of a try that somebody ended: a link shows whether it is written over.
  const auto folder = elsewhere / sha256(page);
  fs::create_directories(folder);
  std::ofstream(folder / "file") << "<!DOC";
  fs::create_hard_link(folder / "file", elsewhere / "link");
  const auto file = drop("setup.exe", page);
  EXPECT_EQ(run().rows.at(0).quarantine, folder.string());
  EXPECT_FALSE(is_there(file));
  EXPECT_EQ(read_file(folder / "file").value(), page);
  EXPECT_EQ(read_file(elsewhere / "link").value(), "<!DOC");
  EXPECT_THAT(entries_of(folder).value(), ElementsAre(folder / "file", folder / "reason.json"));
  fs::remove_all(elsewhere);
}

TEST_F(Acquiring, GoesOnBehindAFolderThatCannotBeRead) {
  request_.wanted = {wanted("hello_1_all.deb", deb_)};
  drop("a/closed.deb", deb_);
  drop("b/hello_1_all.deb", deb_);
  fs::permissions(request_.drop / "a", fs::perms::none);
  const WithoutPrivilege as_others;
  const auto lines = told(run());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("failed a: reading the folder"));
  EXPECT_EQ(lines[1], "acquired hello_1_all.deb: its digest is that of the list");
}

TEST_F(Acquiring, WaitsForAFileThatIsStillBeingCopied) {
  request_.wanted = {wanted("hello_1_all.deb", deb_)};
  const auto file = drop("hello_1_all.deb", deb_.substr(0, 10));
  EXPECT_THAT(told(run()), ElementsAre(fmt::format("to-bring hello_1_all.deb: 10 of {} bytes are there: it was cut, or "
                                                   "somebody still copies it",
                                                   deb_.size())));
  EXPECT_TRUE(is_file(file));
}

TEST_F(Acquiring, LeavesAloneWhatMayStillBeCopied) {
  request_.wanted = {wanted("hello_1_all.deb", deb_)};
  // As large as it will be, and not yet filled.
  const auto file = drop("hello_1_all.deb", std::string(deb_.size(), '\0'));
  const auto page = drop("page.html", "<html>");
  for (const auto ago : {std::chrono::minutes(1), std::chrono::minutes(-60)}) {
    changed(file, ago);
    changed(page, ago);
    EXPECT_THAT(
        told(run()),
        ElementsAre("unfinished page.html: changed less than five minutes ago: somebody may still be copying it",
                    "to-bring hello_1_all.deb: changed less than five minutes ago: somebody may still be "
                    "copying it"));
  }
  changed(file, std::chrono::minutes(6));
  EXPECT_THAT(told(run()).at(0), HasSubstr("is no package: it is nothing but zeros"));
  // Complete, it needs not wait.
  changed(drop("hello_1_all.deb", deb_), std::chrono::seconds(1));
  EXPECT_THAT(told(run()).at(0), "acquired hello_1_all.deb: its digest is that of the list");
}

TEST_F(Acquiring, LeavesAloneWhatIsCalledAsAPart) {
  request_.wanted = {wanted("x.msu", msu_)};
  for (const char* name : {"x.msu.part", "y.msu.CRDownload", "z.filepart", "~a.tmp"}) drop(name, "half");
  const auto result = run();
  EXPECT_THAT(told(result), ElementsAre("unfinished y.msu.CRDownload: is called as a file that is still being copied",
                                        "unfinished z.filepart: is called as a file that is still being copied",
                                        "unfinished ~a.tmp: is called as a file that is still being copied",
                                        "to-bring x.msu: is called as a file that is still being copied"));
  EXPECT_EQ(result.rows[3].source, (request_.drop / "x.msu.part").string());
}

// Programs make the file at once, in its whole size or empty, and tell by one beside it that it is not whole.
TEST_F(Acquiring, LeavesAloneWhatAPartLiesBeside) {
  request_.wanted = {wanted("x.msu", msu_)};
  const auto begun = drop("x.msu", std::string(msu_.size(), '\0'));
  const auto part = drop("x.msu.aria2", "which pieces are there");
  drop("y.msu", "");
  EXPECT_THAT(told(run()),
              ElementsAre("unfinished y.msu: is empty: nothing of it is there yet", HasSubstr("to-bring x.msu: ")));
  drop("sub/x.msu", std::string(msu_.size(), '\1'));
  drop("sub/x.msu.aria2", "which pieces are there");
  drop("sub/x.msu.part", "half");
  EXPECT_EQ(run().count(AcquiredState::quarantined), 0U);
  EXPECT_TRUE(is_file(begun));
  fs::remove(part);
  EXPECT_THAT(told(run()).at(0), HasSubstr("quarantined x.msu: ")) << "nobody goes on with it";
}

// A list that does not say how large a file is cannot tell one that was cut from another one.
TEST_F(Acquiring, CallsNothingTamperedWhoseSizeNobodySaid) {
  request_.wanted = {wanted("hello_1_all.deb", deb_)};
  request_.wanted[0].bytes.reset();
  const auto file = drop("hello_1_all.deb", deb_.substr(0, deb_.size() / 2));
  EXPECT_THAT(told(run()), ElementsAre("to-bring hello_1_all.deb: is called as a file of 'update', whose SHA-256 is " +
                                       sha256(deb_) + ", and nobody said how large that is: it may have been cut"));
  EXPECT_TRUE(is_file(file));
}

// That nobody asks for it may be because apt gave no answer, or because little was asked.
TEST_F(Acquiring, LeavesAloneWhatNobodyAsksFor) {
  request_.wanted = {wanted("hello_1_all.deb", "other bytes")};
  request_.offered[sha256(deb_)] = "later";
  drop("offered.deb", deb_);
  drop("hello_1_all.deb", deb_);  // though it is called as something that is wanted
  drop("sub/x.msu", msu_);
  EXPECT_THAT(told(run()), ElementsAre("to-bring hello_1_all.deb: nobody brought it",
                                       "not-asked hello_1_all.deb: is on offer, and nobody asks for it",
                                       "not-asked offered.deb: is on offer, and nobody asks for it",
                                       "not-asked x.msu: nobody asks for it"));
  // The image was built again, and nothing is missing any more.
  ASSERT_TRUE(store_.add_bytes(deb_, "hello"));
  request_.offered.clear();
  const auto again = run();
  EXPECT_THAT(told(again).at(1), "not-asked hello_1_all.deb: is in the store, and nobody asks for it");
  EXPECT_EQ(again.count(AcquiredState::not_asked), 3U);
  EXPECT_EQ(again.count(AcquiredState::quarantined), 0U);
  EXPECT_FALSE(is_there(request_.quarantine));
}

TEST_F(Acquiring, PutsAwayWhatIsNoPackageAndLooksAtNothingHidden) {
  drop("setup.exe", "<!DOCTYPE html><html>please log in</html>");
  drop("sub/other.deb", deb_);
  drop(".part", "x");
  fs::create_symlink("/etc/passwd", request_.drop / "link.deb");
  request_.quarantine = request_.drop / "away";
  EXPECT_THAT(told(run()), ElementsAre("quarantined setup.exe: '" + (request_.drop / "setup.exe").string() +
                                           "' is no package: it is a web page (HTML)",
                                       "failed link.deb: is no regular file: it is not looked at",
                                       "not-asked other.deb: nobody asks for it"));
  EXPECT_THAT(told(run()), SizeIs(2)) << "what is in quarantine is not looked at again";
  EXPECT_TRUE(is_file(request_.drop / ".part"));
}

// All of it would count as put away already, and nothing of it be looked at.
TEST_F(Acquiring, RefusesAFolderThatLiesInTheQuarantine) {
  drop("x.deb", deb_);
  const patches::Authenticode authenticode(host_processes(), {"", patches::Unsigned::refuse});
  fs::create_directory_symlink(folder_.path(), folder_.path() / "drop" / "out");
  for (const auto& quarantine : {request_.drop, folder_.path(), request_.drop / "out"}) {
    request_.quarantine = quarantine;
    const auto refused = acquire(store_, authenticode, request_);
    ASSERT_FALSE(refused) << quarantine;
    EXPECT_THAT(refused.error().message, HasSubstr("lies in the quarantine '"));
    EXPECT_NE(refused.error().hint, "");
  }
  EXPECT_TRUE(is_file(request_.drop / "x.deb"));
}

TEST_F(Acquiring, TakesNoWindowsPackageThatIsNotSigned) {
  request_.wanted = {wanted("x.msu", msu_)};
  request_.wanted[0].kb = "KB5035968";
  drop("x.msu", msu_);
  EXPECT_THAT(told(run()), ElementsAre(HasSubstr("/x.msu' is not signed"), "to-bring x.msu: nobody brought it"))
      << "though its digest is right";
  EXPECT_FALSE(store_.contains(sha256(msu_)));
  drop("x.msu", msu_);
  EXPECT_THAT(told(run(patches::Unsigned::allow)), ElementsAre("acquired x.msu: not signed (allowed)"));
  // That somebody allowed it is all that is known of it from then on.
  EXPECT_THAT(told(run()), ElementsAre("here x.msu: its digest is in the store: not signed (allowed)"));
  // Of what it says of itself the number counts as well.
  request_.wanted[0].kb = "KB5035969";
  EXPECT_THAT(told(run()), ElementsAre("failed x.msu: its digest is in the store, and it says of itself that it is "
                                       "KB5035968, and KB5035969 is wanted"));
  ASSERT_TRUE(remove_tree(store_.root()));
  EXPECT_THAT(told(run(patches::Unsigned::allow)).at(0),
              "quarantined x.msu: says of itself that it is KB5035968, and KB5035969 is wanted");
}

TEST_F(Acquiring, DoesNotTrustBytesOfTheStoreThatNobodyTookIn) {
  request_.wanted = {wanted("x.msu", msu_)};
  ASSERT_TRUE(store_.add_bytes(msu_, "x.msu"));
  EXPECT_THAT(told(run()), ElementsAre("to-bring x.msu: nobody brought it"));
}

TEST_F(Acquiring, FindsInAWsusWhatIsWantedAndMovesNothingThere) {
  request_.wanted = {wanted("x.msu", msu_)};
  request_.drop.clear();
  request_.wsus = folder_.path() / "WsusContent";
  auto& sha1 = request_.wanted[0].sha1;
  sha1 = sha1_of_file(folder_.write("x", msu_)).value();
  const auto name = upper_case(sha1);
  const auto file = folder_.write(fs::path("WsusContent") / name.substr(38) / (name + ".msu"), msu_);
  folder_.write(fs::path("WsusContent") / name.substr(38) / "other.cab", "not looked at");
  const auto refused = run();
  EXPECT_THAT(told(refused).at(0), HasSubstr("/" + name + ".msu' is not signed"));
  EXPECT_THAT(refused.rows.at(0).why, HasSubstr("; it stays where it is"));
  EXPECT_THAT(refused.rows, SizeIs(1));
  EXPECT_TRUE(is_file(file));
  EXPECT_THAT(told(run(patches::Unsigned::allow)), ElementsAre("acquired x.msu: not signed (allowed)"));
  // Its name is only where to look.
  ASSERT_TRUE(remove_tree(store_.root()));
  fs::resize_file(file, msu_.size() - 1);
  const auto other = run(patches::Unsigned::allow);
  EXPECT_THAT(told(other),
              ElementsAre("failed x.msu: has the name of its SHA-1, and other bytes: SHA-256 " +
                          sha256(msu_.substr(0, msu_.size() - 1)) + ", and " + sha256(msu_) + " is wanted"));
  EXPECT_EQ(other.rows[0].source, file.string());
  fs::permissions(file.parent_path(), fs::perms::none);
  {
    const WithoutPrivilege as_others;
    EXPECT_THAT(told(run()).at(0), HasSubstr("failed x.msu: reading the folder"));
  }
  fs::permissions(file.parent_path(), fs::perms::owner_all);
  ASSERT_TRUE(remove_tree(file.parent_path()));
  EXPECT_THAT(told(run()), ElementsAre("to-bring x.msu: nobody brought it"));
}

TEST_F(Acquiring, AsksAptForWhatIsOfApt) {
  request_.wanted = {wanted("hello 1 all", deb_)};
  request_.wanted[0].package = "hello";
  EXPECT_THAT(told(run()), ElementsAre("failed hello 1 all: nobody is asked here"));
  request_.fetch = [&](const WantedFile& file) -> Result<patches::CandidateFile> {
    patches::CandidateFile fetched;
    fetched.sha256 = file.sha256;
    return fetched;
  };
  EXPECT_THAT(told(run()), ElementsAre("acquired hello 1 all: apt verified it by the keys of its sources"));
  request_.fetch = [&](const WantedFile&) -> Result<patches::CandidateFile> { return patches::CandidateFile(); };
  EXPECT_THAT(told(run()).at(0), HasSubstr("failed hello 1 all: the apt sources have other bytes by now"));
}

TEST_F(Acquiring, TakesNothingThatIsKnownToBeBad) {
  request_.wanted = {wanted("hello_1_all.deb", deb_)};
  request_.known_bad[sha256(deb_)] = "is known to be bad (X): breaks";
  EXPECT_THAT(told(run()), ElementsAre("failed hello_1_all.deb: is known to be bad (X): breaks"));
  drop("hello_1_all.deb", deb_);
  EXPECT_THAT(told(run()), ElementsAre("quarantined hello_1_all.deb: is known to be bad (X): breaks",
                                       "failed hello_1_all.deb: is known to be bad (X): breaks"));
  EXPECT_FALSE(store_.contains(sha256(deb_)));
  // Whether or not it is wanted.
  request_.wanted.clear();
  drop("y.deb", deb_);
  EXPECT_THAT(told(run()), ElementsAre("quarantined y.deb: is known to be bad (X): breaks"));
}

TEST_F(Acquiring, TakesNothingOfAnUpdateThatIsKnownToBeBad) {
  request_.wanted = {wanted("hello 1 all", deb_)};
  request_.wanted[0].package = "hello";
  request_.wanted[0].bad = "its update is known to be bad: 'X'";
  request_.fetch = [](const WantedFile&) -> Result<patches::CandidateFile> { throw std::logic_error("asked"); };
  EXPECT_THAT(told(run()), ElementsAre("failed hello 1 all: its update is known to be bad: 'X'"));
  const auto file = drop("hello_1_all.deb", deb_);
  EXPECT_THAT(told(run()), ElementsAre("failed hello 1 all: its update is known to be bad: 'X'"));
  EXPECT_TRUE(is_file(file)) << "another file of it may be the bad one";
}

TEST(Wanted, IsReadStrictly) {
  const auto read = [](const std::string& text) { return parse_wanted(parse_json(text, "w").value(), "w"); };
  const std::string hash(64, 'a');
  const auto good = read(R"({"schema": "patchlab/wanted/v1", "files": [{"name": "a.msu", "sha256": ")" + hash +
                         R"(", "bytes": 5, "kb": "KB5035968", "from": "catalog"}]})");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->at(0).bytes, std::optional<std::uint64_t>(5));
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {R"({"schema": "patchlab/wanted/v1", "files": []})", "/files: must be a list"},
           {R"({"schema": "x", "files": [{"name": "a", "sha256": ")" + hash + "\"}]}", "/schema: must be"},
           {R"({"schema": "patchlab/wanted/v1", "files": [{"name": "../a", "sha256": ")" + hash + "\"}]}",
            "/files/0/name: must be the name of a file"},
           {R"({"schema": "patchlab/wanted/v1", "files": [{"name": "a", "sha256": "AB"}]})",
            "/files/0/sha256: must be 64 hex digits"},
           {R"({"schema": "patchlab/wanted/v1", "files": [{"name": "a", "sha256": ")" + hash +
                R"("}, {"name": "a", "sha256": ")" + hash + "\", \"sise\": 1}]}",
            "/files/1/name: is there twice"}}) {
    const auto wrong = read(text);
    ASSERT_FALSE(wrong) << text;
    EXPECT_THAT(wrong.error().message, HasSubstr(problem));
  }
}

// Two machines lack one update of two files; another update is due later, one is installed.
TEST(Due, NamesEachFileOnceMostUrgentFirst) {
  EXPECT_EQ(timeline_word("3 days & forensic investigation"), "3-days-&-forensic-investigation");
  ScanResult result;
  std::vector<ScannedMachine> machines;
  for (const char* name : {"dns", "mail"}) {
    ScannedMachine machine;
    machine.department = "finance";
    machine.machine = name;
    Offer urgent, late;
    urgent.id = "urgent";
    urgent.files = {{"a", "2", "amd64", "digest-a", "src", "2"}, {"b", "2", "amd64", "digest-b", "src", "2"}};
    late.id = "late";
    late.files = {{"c", "2", "amd64", "digest-c", "", ""}};
    machine.offers = {late, urgent};
    machines.push_back(machine);
  }
  const auto row = [&](const std::string& machine, const std::string& item, RowStatus status, const char* timeline) {
    ScanRow made;
    made.department = "finance";
    made.machine = machine;
    made.item = item;
    made.status = status;
    if (timeline != nullptr) {
      made.vulnerabilities.emplace_back();
      made.vulnerabilities[0].decision.row.timeline = timeline;
    }
    result.rows.push_back(made);
  };
  row("mail", "urgent", RowStatus::missing, "3 days");
  row("dns", "urgent", RowStatus::missing, "3 days");
  row("dns", "late", RowStatus::missing, nullptr);
  row("mail", "late", RowStatus::installed, nullptr);
  const auto names = [&](const std::set<std::string>& timelines) {
    std::vector<std::string> all;
    for (const auto& file : due_files(result, machines, timelines))
      all.push_back(file.item + " " + file.sha256 + (file.is_of_apt() ? " apt" : ""));
    return all;
  };
  EXPECT_THAT(names({}), ElementsAre("urgent digest-a apt", "urgent digest-b apt", "late digest-c"));
  EXPECT_THAT(names({"3-days"}), ElementsAre("urgent digest-a apt", "urgent digest-b apt"));
  EXPECT_THAT(names({"none"}), ElementsAre("late digest-c"));
  // What is known to be bad is due all the same, and does not vanish.
  for (auto& one : result.rows) {
    if (one.item == "urgent") one.status = RowStatus::known_bad;
    if (one.item == "urgent") one.why = "'X': breaks";
  }
  const auto bad = due_files(result, machines, {"3-days"});
  ASSERT_THAT(bad, SizeIs(2));
  EXPECT_EQ(bad[1].bad, "its update is known to be bad: 'X': breaks");
  EXPECT_THAT(due_files(result, machines, {"none"}).at(0).bad, IsEmpty());
  EXPECT_THAT(offered_files(machines), ElementsAre(std::pair("digest-a", "urgent"), std::pair("digest-b", "urgent"),
                                                   std::pair("digest-c", "late")));
}

}  // namespace
}  // namespace patchlab::process

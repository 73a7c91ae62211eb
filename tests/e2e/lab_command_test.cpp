// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// `patchlab lab clean` over libvirt's test driver, which starts with the domains and networks of a file and forgets
// them at the end.
#include <gmock/gmock.h>

#include "lab/core/file_lock.hpp"
#include "program.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class LabCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    cell_ = storage_ / "patchlab-r1-finance";
    fs::create_directories(cell_);
    write(cell_ / "patchlab-cell.json", R"({"run": "r1", "cell": "finance", "folder": ")" + cell_.string() + "\"}");
    write(cell_ / "in-use", "");
    write(cell_ / "dns-vda.qcow2", "overlay");
    write(storage_ / "somebody-elses.qcow2", "disk");
    const auto mark = "<metadata><p:lab xmlns:p='urn:patchlab:lab:1' run='r1' cell='finance' MACHINE folder='" +
                      cell_.string() + "'/></metadata>";
    const auto marked = [&](const std::string& machine) {
      return std::string(mark).replace(mark.find("MACHINE"), 7, machine);
    };
    write(folder_.path() / "host.xml",
          "<node>" + domain("patchlab-r1-finance-dns", marked("machine='dns'")) + domain("production", "") +
              domain("patchlab-r1-finance-mail", "") + domain("copy-of-dns", marked("machine='dns'")) +
              "<network><name>patchlab-r1-finance</name>" + marked("") + "<bridge name='plb0'/></network>" +
              "<network><name>default</name><bridge name='virbr0'/></network></node>");
  }

  static std::string domain(const std::string& name, const std::string& more) {
    return "<domain type='test'><name>" + name + "</name>" + more +
           "<memory>65536</memory><os><type>hvm</type></os></domain>";
  }
  static void write(const fs::path& path, const std::string& text) { ASSERT_TRUE(write_file_atomically(path, text)); }
  ProcessOutcome clean(std::vector<std::string> more) {
    more.insert(more.begin(), {"lab", "clean", "--connect", "test://" + (folder_.path() / "host.xml").string(),
                               "--storage", storage_.string()});
    return patchlab(more, folder_.path());
  }
  static std::vector<std::string> lines(const ProcessOutcome& outcome) {
    std::vector<std::string> all;
    const auto json = Json::parse(outcome.output);
    for (const auto& one : json.at("objects")) {
      all.push_back(one["kind"].get<std::string>() + " " + one["name"].get<std::string>() + " " +
                    one["state"].get<std::string>());
    }
    return all;
  }

  TemporaryFolder folder_;
  const fs::path storage_ = folder_.path() / "storage";
  fs::path cell_;
};

TEST_F(LabCommand, ADryRunListsWhatIsOursAndTouchesNothing) {
  const auto outcome = clean({"--dry-run", "--json"});
  EXPECT_EQ(exit_code(outcome), 0) << outcome.errors;
  EXPECT_THAT(lines(outcome), ::testing::ElementsAre("domain patchlab-r1-finance-dns would be removed",
                                                     "network patchlab-r1-finance would be removed",
                                                     "folder " + cell_.string() + " would be removed"));
  EXPECT_TRUE(fs::exists(cell_ / "dns-vda.qcow2"));
}

TEST_F(LabCommand, RemovesWhatIsOursAndNothingElse) {
  const auto outcome = clean({"--json"});
  EXPECT_EQ(exit_code(outcome), 0) << outcome.errors;
  EXPECT_THAT(lines(outcome),
              ::testing::ElementsAre("domain patchlab-r1-finance-dns removed", "network patchlab-r1-finance removed",
                                     "folder " + cell_.string() + " removed"));
  EXPECT_FALSE(fs::exists(cell_));
  EXPECT_TRUE(fs::exists(storage_ / "somebody-elses.qcow2"));
}

TEST_F(LabCommand, LeavesARunThatIsAlive) {
  const auto lock = FileLock::take(cell_ / "in-use", FileLock::Mode::exclusive, FileLock::at_once());
  ASSERT_TRUE(lock);
  const auto outcome = clean({});
  EXPECT_EQ(exit_code(outcome), 0) << outcome.errors;
  EXPECT_THAT(outcome.output, HasSubstr("in use"));
  EXPECT_THAT(outcome.output, ::testing::Not(HasSubstr("removed")));
  EXPECT_TRUE(fs::exists(cell_ / "dns-vda.qcow2"));
}

TEST_F(LabCommand, OfOneRunOnly) {
  const auto nothing = clean({"--run", "r2"});
  EXPECT_EQ(exit_code(nothing), 64) << "a run that left nothing was not cleaned";
  EXPECT_THAT(nothing.errors,
              HasSubstr("--run 'r2' has left nothing here; there are: r1\npatchlab: hint: did you mean r1?"));
  EXPECT_TRUE(fs::exists(cell_));
}

TEST_F(LabCommand, SaysWhichLibvirtItCannotReach) {
  const auto outcome = patchlab({"lab", "clean", "--connect", "test:///nowhere/host.xml"}, folder_.path());
  EXPECT_EQ(exit_code(outcome), 2);
  EXPECT_THAT(outcome.errors,
              HasSubstr("patchlab: error: opening libvirt connection 'test:///nowhere/host.xml': libvirt: "));
  const auto typo = patchlab({"lab", "clean", "--connect", "qemu"}, folder_.path());
  EXPECT_EQ(exit_code(typo), 64) << typo.errors;
  EXPECT_THAT(typo.errors, HasSubstr("--connect 'qemu' is no URI of a libvirt"));
  const auto remote = patchlab({"lab", "clean", "--connect", "qemu+tls://hv1/system"}, folder_.path());
  EXPECT_EQ(exit_code(remote), 78);
  EXPECT_THAT(remote.errors, HasSubstr("is on another host"));
  EXPECT_THAT(remote.output, IsEmpty());
}

}  // namespace
}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/snapshot_jobs.hpp"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.hpp"

namespace patchlab::lab::libvirt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As QEMU 7.2 prints them, less what is not looked at.
Json drive(const std::string& node, bool read_only) {
  return {{"qdev", "/machine/" + node},
          {"removable", false},
          {"inserted", {{"node-name", node}, {"ro", read_only}, {"image", Json::object()}}}};
}
const Json empty_drive{{"qdev", "scsi0-0-0-0"}, {"removable", true}};

// A QEMU of one machine that remembers its snapshots and what it was asked.
class FakeQemu {
 public:
  explicit FakeQemu(test::FakeClock& clock) : clock_(clock) {}
  Result<std::string> ask(const std::string& command) {
    const auto json = Json::parse(command);
    const auto name = json["execute"].get<std::string>();
    const auto& arguments = json["arguments"];
    if (unreachable_at == name) return infrastructure_error("speaking to QEMU of 'dns': libvirt: gone (1)");
    if (name == "query-block") return reply(block());
    if (name == "query-jobs") return reply(jobs_shown());
    if (name == "job-dismiss") {
      job_ = nullptr;
      return reply(Json::object());
    }
    if (refusal.empty()) {
      job_ = {{"id", arguments["job-id"]}, {"status", "running"}, {"type", name}};
      asked.push_back(name + " " + arguments["tag"].get<std::string>() + " " + arguments["devices"].dump() +
                      (arguments.contains("vmstate") ? " " + arguments["vmstate"].get<std::string>() : ""));
      if (name == "snapshot-save") snapshots.push_back(arguments["tag"]);
      if (name == "snapshot-delete") std::erase(snapshots, arguments["tag"]);
      return reply(Json::object());
    }
    return Json{{"error", {{"class", "GenericError"}, {"desc", refusal}}}, {"id", "libvirt-1"}}.dump();
  }
  [[nodiscard]] bool is_idle() const { return job_.is_null(); }

  Json drives = {drive("libvirt-pflash0-format", true), drive("libvirt-pflash1-format", false),
                 drive("libvirt-3-format", false),      drive("libvirt-2-format", false),
                 drive("libvirt-1-format", true),       empty_drive};
  std::vector<std::string> snapshots;
  std::vector<std::string> asked;
  std::string refusal;         // of the next job
  std::string failure;         // of the job
  std::string unreachable_at;  // a command
  int turns = 1;               // how often a job is asked for until it has ended
  Milliseconds silence{};      // before it says what becomes of a job
  bool loses_jobs = false;

 private:
  static std::string reply(const Json& value) { return Json{{"return", value}, {"id", "libvirt-1"}}.dump(); }
  // The snapshots are those of the first disk: the second was added later.
  Json block() {
    Json all = drives;
    for (const auto& snapshot : snapshots)
      all[2]["inserted"]["image"]["snapshots"].push_back({{"name", snapshot}, {"vm-state-size", 1}});
    return all;
  }
  Json jobs_shown() {
    clock_.advance(silence);
    if (loses_jobs) return Json::array();
    if (--turns <= 0) {
      job_["status"] = "concluded";
      if (!failure.empty()) job_["error"] = failure;
    }
    return {{{"id", "somebody-else's"}, {"status", "running"}}, job_};
  }
  test::FakeClock& clock_;
  Json job_;
};

class SnapshotJobsTest : public ::testing::Test {
 protected:
  test::FakeClock clock_;
  FakeQemu qemu_{clock_};
  SnapshotJobs jobs_{[this](const std::string& command) { return qemu_.ask(command); }, clock_};
};

TEST_F(SnapshotJobsTest, TakeAllDisksThatAreWrittenAndNotTheFlash) {
  qemu_.turns = 3;
  ASSERT_TRUE(jobs_.save("base"));
  EXPECT_TRUE(jobs_.has("base").value_or(false));
  ASSERT_TRUE(jobs_.load("base"));
  ASSERT_TRUE(jobs_.remove("base"));
  EXPECT_FALSE(jobs_.has("base").value_or(true));
  const std::string disks = R"(["libvirt-3-format","libvirt-2-format"])";
  EXPECT_THAT(qemu_.asked,
              ElementsAre("snapshot-save base " + disks + " libvirt-3-format",
                          "snapshot-load base " + disks + " libvirt-3-format", "snapshot-delete base " + disks));
  EXPECT_TRUE(qemu_.is_idle());
}

TEST_F(SnapshotJobsTest, AnUnknownSnapshotIsAnErrorBeforeAnythingHappens) {
  for (const auto& result : {jobs_.load("base"), jobs_.remove("base")}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "QEMU has no snapshot 'base' of the machine's memory");
  }
  EXPECT_THAT(qemu_.asked, IsEmpty());
}

TEST_F(SnapshotJobsTest, AMediumInADriveIsRefused) {
  ASSERT_TRUE(jobs_.save("base"));
  qemu_.asked.clear();
  auto full = drive("libvirt-4-format", true);
  full["qdev"] = "scsi0-0-0-0";
  full["removable"] = true;
  qemu_.drives.back() = full;
  for (const auto& result : {jobs_.save("other"), jobs_.load("base")}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "the drive 'scsi0-0-0-0' must be empty, and a medium is in it");
  }
  EXPECT_THAT(qemu_.asked, IsEmpty());
}

TEST_F(SnapshotJobsTest, WhyAJobFailedIsSaidAndItsNameIsFreeAgain) {
  qemu_.failure = "No space left on device";
  const auto saved = jobs_.save("base");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().message, "QEMU's 'snapshot-save' failed: No space left on device");
  EXPECT_EQ(saved.error().error_class, ErrorClass::infrastructure);
  EXPECT_TRUE(qemu_.is_idle());
}

TEST_F(SnapshotJobsTest, ACommandThatQemuDoesNotKnowIsAnError) {
  qemu_.refusal = "The command snapshot-save has not been found";
  const auto saved = jobs_.save("base");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().message, "QEMU refuses 'snapshot-save': The command snapshot-save has not been found");
}

TEST_F(SnapshotJobsTest, AJobThatDoesNotEndIsATimeout) {
  qemu_.turns = 100;
  qemu_.silence = std::chrono::minutes(1);
  const auto saved = jobs_.save("base");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().error_class, ErrorClass::timeout);
  EXPECT_THAT(saved.error().message, HasSubstr("QEMU's 'snapshot-save' to end"));
  EXPECT_THAT(saved.error().message, HasSubstr("running"));
}

TEST_F(SnapshotJobsTest, AJobThatIsLostIsAnError) {
  qemu_.loses_jobs = true;
  EXPECT_EQ(jobs_.save("base").error().message, "QEMU lost its job 'snapshot-save'");
}

TEST_F(SnapshotJobsTest, AQemuThatIsGoneIsAnError) {
  ASSERT_TRUE(jobs_.save("base"));
  for (const char* command : {"query-block", "snapshot-load", "query-jobs", "job-dismiss"}) {
    qemu_.unreachable_at = command;
    qemu_.turns = 1;
    EXPECT_EQ(jobs_.load("base").error().message, "speaking to QEMU of 'dns': libvirt: gone (1)") << command;
  }
  EXPECT_FALSE(jobs_.has("base").has_value() && jobs_.save("other"));
}

TEST_F(SnapshotJobsTest, AMachineWithoutADiskHasNowhereToPutItsMemory) {
  qemu_.drives = Json::array({drive("libvirt-pflash1-format", false), empty_drive});
  EXPECT_EQ(jobs_.save("base").error().message, "the machine has no disk that it writes");
}

}  // namespace
}  // namespace patchlab::lab::libvirt

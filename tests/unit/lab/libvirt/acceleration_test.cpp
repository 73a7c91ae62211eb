// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/acceleration.hpp"

#include <gmock/gmock.h>

#include <deque>

#include "lab/core/files.hpp"

namespace patchlab::lab::libvirt {
namespace {
using ::testing::Contains;

// Gives the scripted outcomes in order; asking for the version is answered aside.
class ScriptedProcesses final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    if (spec.arguments == std::vector<std::string>{"--version"}) return {Exited{0}, version, {}, {}};
    runs.push_back(spec);
    if (outcomes.empty()) return {NotStarted{"not expected"}, {}, {}, {}};
    auto outcome = outcomes.front();
    outcomes.pop_front();
    return outcome;
  }
  std::string version = "QEMU emulator version 7.2.22";
  std::deque<ProcessOutcome> outcomes;
  std::vector<ProcessSpec> runs;
};

const ProcessOutcome firmware_boots{Exited{boot_disk_exit_code}, std::string(boot_disk_greeting), {}, {}};
const ProcessOutcome kernel_boots{Exited{0}, "Linux version 6.1\nKernel panic - not syncing: VFS\n", {}, {}};
const ProcessOutcome hangs{TimedOut{}, {}, {}, std::chrono::seconds(8)};

class UsableAcceleration : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-accel-XXXXXX";
    folder_ = ::mkdtemp(name);
    probe_.device = folder_ / "kvm";
    ASSERT_TRUE(write_file_atomically(probe_.device, ""));
    probe_.cache_folder = folder_ / "cache";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Acceleration find() { return usable_acceleration(processes_, probe_); }

  std::filesystem::path folder_;
  AccelerationProbe probe_;
  ScriptedProcesses processes_;
};

TEST_F(UsableAcceleration, IsEmulationWithoutTheDevice) {
  probe_.device = folder_ / "absent";
  EXPECT_EQ(find(), (Acceleration{Accelerator::tcg, "there is no " + probe_.device.string()}));
  EXPECT_TRUE(processes_.runs.empty());
}

TEST_F(UsableAcceleration, IsKvmWhenAGuestReallyBoots) {
  processes_.outcomes = {firmware_boots};
  EXPECT_EQ(find(), (Acceleration{Accelerator::kvm, "a guest boots under KVM"}));
  EXPECT_THAT(processes_.runs.at(0).arguments, Contains("kvm"));
}

TEST_F(UsableAcceleration, IsEmulationWhenTheGuestHangs) {
  processes_.outcomes = {hangs};
  EXPECT_EQ(find(), (Acceleration{Accelerator::tcg, "a guest under KVM did not boot: ran longer than 8.0 s"}));
}

TEST_F(UsableAcceleration, QuotesWhatQemuSaid) {
  processes_.outcomes = {{Signalled{6}, {}, "warning\nerror: failed to set MSR 0x48f\n", {}}};
  EXPECT_EQ(find().reason, "a guest under KVM did not boot: killed by signal 6: error: failed to set MSR 0x48f");
}

TEST_F(UsableAcceleration, ANoisyExitWithoutTheGreetingIsNoBoot) {
  processes_.outcomes = {{Exited{boot_disk_exit_code}, "something else", {}, {}}};
  EXPECT_EQ(find().accelerator, Accelerator::tcg);
}

TEST_F(UsableAcceleration, BootsTheKernelTooWhenThereIsOne) {
  probe_.kernel = "/images/vmlinuz";
  processes_.outcomes = {firmware_boots, kernel_boots};
  EXPECT_EQ(find(), (Acceleration{Accelerator::kvm, "a Linux kernel boots under KVM"}));
  EXPECT_THAT(processes_.runs.at(1).arguments, Contains("/images/vmlinuz"));
}

TEST_F(UsableAcceleration, IsEmulationWhenOnlyTheKernelFails) {
  probe_.kernel = "/images/vmlinuz";
  processes_.outcomes = {firmware_boots, hangs};
  EXPECT_EQ(find(), (Acceleration{Accelerator::tcg, "a Linux kernel under KVM did not start: ran longer than 8.0 s"}));
}

TEST_F(UsableAcceleration, RemembersTheAnswerUntilQemuChanges) {
  processes_.outcomes = {hangs};
  const auto first = find();
  EXPECT_EQ(find(), first);
  EXPECT_EQ(processes_.runs.size(), 1U);
  processes_.version = "QEMU emulator version 7.2.23";
  processes_.outcomes = {firmware_boots};
  EXPECT_EQ(find().accelerator, Accelerator::kvm);
}

// A node that was busy once would have no KVM until its QEMU changes.
TEST_F(UsableAcceleration, TriesAgainADayLaterWhatDidNotWork) {
  const auto ask_a_day_later = [&] {
    const auto file = probe_.cache_folder / "acceleration.json";
    std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) - std::chrono::hours(25));
    return find().accelerator;
  };
  processes_.outcomes = {hangs, firmware_boots};
  EXPECT_EQ(find().accelerator, Accelerator::tcg);
  EXPECT_EQ(find().accelerator, Accelerator::tcg);
  EXPECT_EQ(ask_a_day_later(), Accelerator::kvm);
  EXPECT_EQ(ask_a_day_later(), Accelerator::kvm);
  EXPECT_EQ(processes_.runs.size(), 2U) << "what works is not asked again";
}

TEST_F(UsableAcceleration, IgnoresACacheThatIsBroken) {
  ASSERT_TRUE(create_folders(probe_.cache_folder));
  ASSERT_TRUE(write_file_atomically(probe_.cache_folder / "acceleration.json", "{broken"));
  processes_.outcomes = {firmware_boots};
  EXPECT_EQ(find().accelerator, Accelerator::kvm);
}

TEST(BootDisk, HasASectorThatFirmwareAccepts) {
  const auto disk = boot_disk();
  EXPECT_EQ(disk.substr(510, 2), "\x55\xAA");
  EXPECT_EQ(disk.substr(27, std::string(boot_disk_greeting).size()), boot_disk_greeting);
}

}  // namespace
}  // namespace patchlab::lab::libvirt

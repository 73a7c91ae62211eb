// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <net/if.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "lab/core/files.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/namespace.hpp"
#include "lab/network/wire.hpp"
#include "tests/support/in_cell.hpp"
#include "tests/support/process_state.hpp"

namespace patchlab::lab::network {
namespace {
using test::run_in_cell;

class Cell : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::why_no_cells(); !why.empty()) GTEST_SKIP() << "no cells on this host: " << why;
    char name[] = "/tmp/patchlab-cell-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(Cell, HandsOnTheExitCodeOfItsWorker) {
  EXPECT_EQ(run_in_cell([] { return 7; }), 7);
  EXPECT_EQ(run_in_cell([] { return ::raise(SIGKILL); }), 128 + SIGKILL);
}

TEST_F(Cell, IsNeverTheRealRoot) {
  const uid_t expected = ::geteuid() == 0 ? 1000 : ::geteuid();
  EXPECT_EQ(run_in_cell([&] { return ::geteuid() == expected && ::getuid() == expected ? 0 : 1; }), 0);
}

TEST_F(Cell, SeesItsOwnProcessesOnly) {
  EXPECT_EQ(run_in_cell([] {
              std::size_t processes = 0;
              for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
                processes += std::isdigit(entry.path().filename().string().front()) != 0 ? 1U : 0U;
              }
              return ::getpid() != 1 && processes == 2 ? 0 : 1;
            }),
            0);
}

TEST_F(Cell, HasANetworkWithNothingButLoopback) {
  EXPECT_EQ(run_in_cell([] {
              int devices = 0;
              auto* names = ::if_nameindex();
              for (const auto* entry = names; entry->if_name != nullptr; ++entry)
                devices += std::string(entry->if_name) != "lo" ? 1 : 0;
              return devices;
            }),
            0);
}

TEST_F(Cell, HidesKvmAndDisks) {
  EXPECT_EQ(run_in_cell([] { return std::filesystem::exists("/dev/kvm") ? 1 : 0; }), 0);
  EXPECT_EQ(run_in_cell([] {
              for (const auto& entry : std::filesystem::directory_iterator("/dev")) {
                if (std::filesystem::is_block_file(entry.path())) return 1;
              }
              return std::filesystem::exists("/dev/null") && std::ofstream("/dev/null").good() ? 0 : 2;
            }),
            0);
}

TEST_F(Cell, FilesMadeInsideAreOursOutside) {
  CellNamespaces wanted;
  wanted.folder = folder_;
  EXPECT_EQ(
      run_in_cell([] { return write_file_atomically(std::string(cell_folder_inside) + "/made", "x") ? 0 : 1; }, wanted),
      0);
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "made").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, ::geteuid());
  EXPECT_EQ(status.st_gid, ::getegid());
}

TEST_F(Cell, LeavesTheMountsOfTheHostAlone) {
  const auto mounts = [] { return read_file("/proc/self/mounts").value_or("?"); };
  const auto before = mounts();
  EXPECT_EQ(run_in_cell([] { return 0; }), 0);
  EXPECT_EQ(mounts(), before);
}

TEST_F(Cell, ReapsOrphans) {
  EXPECT_EQ(run_in_cell([] {
              int ends[2];
              if (::pipe(ends) != 0) return 2;
              if (::fork() == 0) {
                const pid_t orphan = ::fork();
                if (orphan == 0) ::_exit(0);
                static_cast<void>(!::write(ends[1], &orphan, sizeof orphan));
                ::_exit(0);
              }
              pid_t orphan = 0;
              static_cast<void>(!::read(ends[0], &orphan, sizeof orphan));
              int status = 0;
              ::wait(&status);
              // As libvirt does with QEMU: poll until there is no such process.
              const auto gone = [&] { return ::kill(orphan, 0) != 0 && errno == ESRCH; };
              const Wait wait{"the orphan to be reaped", std::chrono::seconds(5), Milliseconds(5), {}, {}};
              return wait_until(system_clock_source(), wait, gone) ? 0 : 1;
            }),
            0);
}

TEST_F(Cell, HasAFenceWithABridgeAndTaps) {
  EXPECT_EQ(run_in_cell([] {
              const auto taps = build_fence(*Ipv4Subnet::parse("10.20.0.0/24"), *Ipv4::parse("10.20.0.250"), 12);
              if (!taps) std::cerr << taps.error().message << "\n";
              if (!taps || taps->size() != 12 || taps->back() != "tap-11") return 1;
              for (const auto& tap : *taps) {
                if (::if_nametoindex(tap.c_str()) == 0) return 2;
              }
              return ::if_nametoindex("br0") != 0 ? 0 : 3;
            }),
            0);
}

// Guests of a kept state know whom they spoke with.
TEST_F(Cell, HasAClientWithTheSameMacAddressInEachRun) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(*Ipv4Subnet::parse("10.20.0.0/24"), *Ipv4::parse("10.20.0.250"), 12)) return 1;
              const auto bridge = find_device(bridge_name);
              return bridge && bridge->mac.text() == "52:54:00:14:00:fa" ? 0 : 2;
            }),
            0);
}

// A program that is nobody may speak from port 68, as clients of DHCP do.
TEST_F(Cell, KeepsNoPortForAnybodyBehindTheFence) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(*Ipv4Subnet::parse("10.20.0.0/24"), *Ipv4::parse("10.20.0.250"), 0)) return 1;
              std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
              int first = -1;
              return file >> first && first == 0 ? 0 : 2;
            }),
            0);
}

// A stand-in for `patchlab run`, a cell below it, and in the cell a daemon that has left its parent, as QEMU does.
class CellTree {
 public:
  CellTree() {
    int ready[2];
    if (::pipe(ready) != 0) return;
    run_ = ::fork();
    if (run_ == 0) be_run(ready[1]);
    ::close(ready[1]);
    char sign = 0;
    static_cast<void>(!::read(ready[0], &sign, 1));
    ::close(ready[0]);
    processes_ = test::descendants(run_);
  }
  ~CellTree() {
    ::kill(run_, SIGKILL);
    ::waitpid(run_, nullptr, 0);
  }
  CellTree(const CellTree&) = delete;
  CellTree& operator=(const CellTree&) = delete;

  [[nodiscard]] pid_t run() const { return run_; }
  // Outer cell process, its process 1, and then worker and daemon.
  [[nodiscard]] const std::vector<int>& processes() const { return processes_; }
  [[nodiscard]] bool all_end() const { return std::all_of(processes_.begin(), processes_.end(), test::ends_soon); }

 private:
  [[noreturn]] static void be_run(int ready) {
    const pid_t outer = ::fork();
    if (outer == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (!enter_cell_namespaces()) ::_exit(1);
      if (::fork() == 0) {
        ::setsid();
        if (::fork() == 0) {
          static_cast<void>(!::write(ready, "x", 1));
          for (;;) ::pause();
        }
        ::_exit(0);
      }
      for (;;) ::pause();
    }
    ::close(ready);
    for (;;) ::pause();
  }

  pid_t run_ = -1;
  std::vector<int> processes_;
};

TEST_F(Cell, DiesWithWhicheverOfItsProcessesIsKilled) {
  for (std::size_t victim = 0; victim < 3; ++victim) {
    const CellTree tree;
    ASSERT_GE(tree.processes().size(), 4U);
    ::kill(tree.processes()[victim], SIGKILL);
    EXPECT_TRUE(tree.all_end()) << "after killing process " << victim;
  }
}

TEST_F(Cell, DiesWithTheProcessThatStartedIt) {
  const CellTree tree;
  ASSERT_GE(tree.processes().size(), 4U);
  ::kill(tree.run(), SIGKILL);
  EXPECT_TRUE(tree.all_end());
}

TEST_F(Cell, DiesAtAnyMomentOfItsStart) {
  for (int delay_us = 0; delay_us < 12000; delay_us += 600) {
    const pid_t run = ::fork();
    if (run == 0) {
      const pid_t itself = ::getpid();
      if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != itself) ::_exit(1);  // killed before it could ask; a real cell sees its input end
        if (!enter_cell_namespaces()) ::_exit(1);
        for (;;) ::pause();
      }
      for (;;) ::pause();
    }
    ::usleep(static_cast<useconds_t>(delay_us));  // where in its start the kill hits is what varies here
    const auto processes = test::descendants(run);
    ::kill(run, SIGKILL);
    ::waitpid(run, nullptr, 0);
    for (const int process : processes) EXPECT_TRUE(test::ends_soon(process)) << "killed after " << delay_us << " us";
  }
}

}  // namespace
}  // namespace patchlab::lab::network

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What of the host a cell, and a check worker in it, can reach. Each try is first made outside, where it must succeed:
// else its failure inside would mean nothing.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <filesystem>
#include <functional>

#include "lab/core/file_lock.hpp"
#include "lab/core/files.hpp"
#include "lab/core/pipe.hpp"
#include "lab/network/namespace.hpp"
#include "lab/process/confinement.hpp"
#include "tests/support/in_cell.hpp"

namespace patchlab::lab::network {
namespace {
namespace fs = std::filesystem;
using test::run_in_cell;

bool can_write(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  return file.valid() && ::write(file.get(), "x", 1) == 1;
}
bool can_read(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  return file.valid() && ::read(file.get(), &byte, 1) == 1;
}
bool can_create_in(const fs::path& folder) {
  const auto path = folder / "made";
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.valid()) ::unlink(path.c_str());
  return file.valid();
}
bool can_chmod(const fs::path& path) { return ::chmod(path.c_str(), 0600) == 0; }

sockaddr_un address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}
bool can_connect(const fs::path& path) {
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(path);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

struct Try {
  std::string what;
  std::function<bool()> succeeds;
};

// Exit code 0 when none succeeds.
int count_successes(const std::vector<Try>& tries, const char* where) {
  int count = 0;
  for (const auto& one : tries) {
    if (!one.succeeds()) continue;
    std::cerr << "in " << where << " it can: " << one.what << std::endl;
    ++count;
  }
  return count;
}

class ClosedRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::why_no_cells(); !why.empty()) GTEST_SKIP() << "no cells on this host: " << why;
    char name[] = "/tmp/patchlab-root-XXXXXX";
    folder_ = ::mkdtemp(name);
    for (const auto* folder : {"cell", "evidence", "images", "slots", "production", "home", "run"})
      fs::create_directory(folder_ / folder);
    for (const auto& file : {"images/disk", "slots/slot-0", "production/manifest.json", "production/ledger.jsonl",
                             "home/notes", "home/.ssh"})
      ASSERT_TRUE(write_file_atomically(folder_ / file, "text"));
    ::chmod((folder_ / "home/.ssh").c_str(), 0600);
    ::chmod((folder_ / "images/disk").c_str(), 0644);
    listener_ = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_of(socket());
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_.get(), 100), 0);
    ::chmod(socket().c_str(), 0777);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  fs::path socket() const { return folder_ / "run/docker.sock"; }

  CellNamespaces cell() const {
    return {.offer_kvm = false,
            .folder = folder_ / "cell",
            .readable = {folder_ / "images", folder_ / "slots"},
            .writable = {folder_ / "evidence"}};
  }

  std::vector<Try> tries() const {
    const auto file = [this](const char* name) { return folder_ / name; };
    std::vector<Try> tries{
        {"write to the stage", [=] { return can_write(file("production/manifest.json")); }},
        {"add to the stage", [=] { return can_create_in(file("production")); }},
        {"write to the ledger", [=] { return can_write(file("production/ledger.jsonl")); }},
        {"write to a user's file", [=] { return can_write(file("home/notes")); }},
        {"read what only its user may", [=] { return can_read(file("home/.ssh")); }},
        {"write to a golden image", [=] { return can_write(file("images/disk")); }},
        {"change the mode of a golden image", [=] { return can_chmod(file("images/disk")); }},
        {"add to the golden images", [=] { return can_create_in(file("images")); }},
        {"write to a slot", [=] { return can_write(file("slots/slot-0")); }},
        {"connect to a socket of the host", [=, this] { return can_connect(socket()); }},
    };
    if (::geteuid() == 0) {
      tries.push_back({"read /etc/shadow", [] { return can_read("/etc/shadow"); }});
      tries.push_back({"write to /etc", [] { return can_create_in("/etc"); }});
      tries.push_back({"write to /usr", [] { return can_create_in("/usr"); }});
      tries.push_back({"write to /usr/bin", [] { return can_create_in("/usr/bin"); }});
      tries.push_back({"change what the kernel runs at a crash", [] {
                         const FileDescriptor setting(::open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC));
                         return setting.valid();
                       }});
      tries.push_back({"press the kernel's keys", [] {
                         const FileDescriptor keys(::open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC));
                         return keys.valid() || !fs::exists("/proc/sysrq-trigger");
                       }});
    }
    return tries;
  }

  fs::path folder_;
  FileDescriptor listener_;
};

TEST_F(ClosedRoot, ThesePathsAreOpenOutside) {
  for (const auto& one : tries()) EXPECT_TRUE(one.succeeds()) << one.what;
}

TEST_F(ClosedRoot, ACellReachesNothingOfTheHost) {
  EXPECT_EQ(run_in_cell([&] { return count_successes(tries(), "the cell"); }, cell()), 0);
}

TEST_F(ClosedRoot, ACellHasItsOwnFoldersAndReadsItsImages) {
  EXPECT_EQ(run_in_cell(
                [&] {
                  if (!can_create_in(cell_folder_inside) || !can_create_in(folder_ / "cell")) return 1;
                  if (!can_create_in(folder_ / "evidence")) return 2;
                  if (!can_read(folder_ / "images/disk")) return 3;
                  if (!can_create_in("/tmp") || !can_create_in("/run")) return 4;
                  if (!FileLock::take(folder_ / "slots/slot-0", FileLock::Mode::exclusive, FileLock::at_once()))
                    return 5;
                  return can_write("/dev/null") ? 0 : 6;
                },
                cell()),
            0);
}

// The cell has all capabilities over its own namespaces, and so may mount.
TEST_F(ClosedRoot, ACellCannotOpenItAgain) {
  EXPECT_EQ(run_in_cell(
                [&] {
                  const auto writable_again = [](const fs::path& path) {
                    return ::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV,
                                   nullptr) == 0;
                  };
                  for (const fs::path path : {"/usr", "/"}) {
                    if (writable_again(path)) return 1;
                  }
                  if (writable_again(folder_ / "images")) return 2;
                  if (::geteuid() == 1000 && (writable_again("/proc/sys") || ::umount2("/proc/sys", MNT_DETACH) == 0))
                    return 3;
                  if (::umount2("/proc", MNT_DETACH) == 0) return 4;
                  if (::mkdir("/tmp/proc", 0700) != 0) return 5;
                  // Where the cell's user is the host's root a new /proc could be written to.
                  const bool fresh = ::mount("proc", "/tmp/proc", "proc", 0, nullptr) == 0;
                  if (fresh && can_write("/tmp/proc/sys/kernel/core_pattern")) return 6;
                  return count_successes(tries(), "the cell that has tried");
                },
                cell()),
            0);
}

TEST_F(ClosedRoot, NoRemainderOfTheOldRootIsLeft) {
  EXPECT_EQ(run_in_cell(
                [&] {
                  for (const fs::path root : {"/proc/self/root", "/proc/1/root", "/proc/self/cwd", "/proc/1/cwd"}) {
                    if (can_read(root / fs::relative(folder_ / "home/notes", "/"))) return 1;
                  }
                  const auto mounts = read_file("/proc/self/mountinfo").value_or("?");
                  // Of the folder of this test: its four parts that the cell was given, one of them twice.
                  std::size_t count = 0;
                  for (auto at = mounts.find(folder_.native()); at != std::string::npos;
                       at = mounts.find(folder_.native(), at + 1))
                    ++count;
                  return count == 0 || mounts.find("production") != std::string::npos ? 2 : 0;
                },
                cell()),
            0);
}

TEST_F(ClosedRoot, ACellCannotAskTheKernelForKeysModulesOrTheHypervisorBelow) {
  EXPECT_EQ(run_in_cell(
                [] {
                  const FileDescriptor vsock(::socket(AF_VSOCK, SOCK_STREAM, 0));
                  if (vsock.valid() || errno != EAFNOSUPPORT) return 1;
                  if (::syscall(SYS_keyctl, 0, 0, 0, 0, 0) != -1 || errno != EPERM) return 2;
                  if (::syscall(SYS_bpf, 0, nullptr, 0) != -1 || errno != EPERM) return 3;
                  return 0;
                },
                cell()),
            0);
}

// What process::confine leaves. In a cell, as in the product.
class ConfinedInACell : public ClosedRoot {
 protected:
  int run_confined(const std::function<int()>& inside, const std::vector<int>& kept = {}) {
    return run_in_cell(
        [&] {
          const auto confined = process::confine(kept);
          if (!confined) std::cerr << confined.error().message << std::endl;
          return confined ? inside() : 98;
        },
        cell());
  }
};

TEST_F(ConfinedInACell, ReachesNothingOfTheHost) {
  EXPECT_EQ(run_confined([&] { return count_successes(tries(), "the worker"); }), 0);
}

TEST_F(ConfinedInACell, ReachesNothingOfItsCell) {
  EXPECT_EQ(run_confined([&] {
              const std::vector<Try> own{
                  {"see the cell's folder", [] { return fs::exists(cell_folder_inside); }},
                  {"read a golden image", [&] { return can_read(folder_ / "images/disk"); }},
                  {"write evidence", [&] { return can_create_in(folder_ / "evidence"); }},
                  {"reach the taps", [] { return fs::exists("/dev/net/tun"); }},
                  {"write outside its home", [] { return can_create_in("/run") && ::geteuid() != ::getuid(); }},
              };
              const bool home = can_create_in(process::confined_home) && can_create_in(".");
              return count_successes(own, "the worker") + (home ? 0 : 50);
            }),
            0);
}

TEST_F(ConfinedInACell, IsNobodyWhereRootRunsIt) {
  const auto expected = ::geteuid() == 0 ? 65534 : ::geteuid();
  EXPECT_EQ(run_confined([&] { return ::getuid() == expected && ::geteuid() == expected ? 0 : 1; }), 0);
}

// As ldconfig does in every installation of a library, while a run goes on.
TEST_F(ConfinedInACell, IsMadeWhateverTheHostReplacesMeanwhile) {
  const auto etc = folder_ / "etc";
  fs::create_directories(etc / "ssl");
  const std::vector<const char*> names{"ld.so.cache", "ld.so.conf",   "services",
                                       "protocols",   "odbcinst.ini", "ssl/openssl.cnf"};
  for (const auto* name : names) ASSERT_TRUE(write_file_atomically(etc / name, "old"));
  auto wanted = make_pipe(), done = make_pipe();
  ASSERT_TRUE(wanted && done);
  const pid_t host = ::fork();
  if (host == 0) {
    const int own_user = ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
    if (::unshare(own_user | CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(etc.c_str(), "/etc", nullptr, MS_BIND, nullptr) != 0)
      ::_exit(97);
    const pid_t replacer = ::fork();
    if (replacer == 0) {
      wanted->write = FileDescriptor();
      char byte = 0;
      static_cast<void>(!::read(wanted->read.get(), &byte, 1));
      bool replaced = true;
      for (const auto* name : names) replaced = replaced && write_file_atomically(fs::path("/etc") / name, "new");
      if (replaced) static_cast<void>(!::write(done->write.get(), "x", 1));
      ::_exit(0);
    }
    ::_exit(run_in_cell(
        [&] {
          done->write = FileDescriptor();
          char byte = 0;
          if (::write(wanted->write.get(), "x", 1) != 1 || ::read(done->read.get(), &byte, 1) != 1) return 96;
          const auto confined = process::confine({});
          if (!confined) std::cerr << confined.error().message << std::endl;
          if (!confined) return 98;
          for (const auto* name : names) {
            if (read_file(fs::path("/etc") / name).value_or("") != "old") return 1;
          }
          return 0;
        },
        cell()));
  }
  wanted->write = FileDescriptor();
  done->write = FileDescriptor();
  int status = 0;
  ASSERT_EQ(::waitpid(host, &status, 0), host);
  EXPECT_EQ(WEXITSTATUS(status), 0) << status;
  char byte = 0;
  while (::read(done->read.get(), &byte, 1) == 1) {  // until the replacer is gone, too
  }
}

// The program's own umask keeps others out, and the worker is somebody else.
TEST_F(ConfinedInACell, ReadsWhatLibrariesReadWhateverTheUmask) {
  const auto before = ::umask(077);
  EXPECT_EQ(run_confined([] { return can_read("/etc/passwd") && can_read("/etc/services") ? 0 : 1; }), 0);
  ::umask(before);
}

// Who else lives in the cell, under the same user: QEMU, with a guest's memory.
TEST_F(ConfinedInACell, CannotLookIntoOtherProcesses) {
  EXPECT_EQ(run_in_cell(
                [&] {
                  const pid_t neighbour = ::fork();
                  if (neighbour == 0) {
                    // As a program that was executed: without capabilities, and open to debuggers of its user.
                    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
                    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
                    ::syscall(SYS_capset, &header, none);
                    ::prctl(4 /* PR_SET_DUMPABLE */, 1);
                    for (;;) ::pause();
                  }
                  if (auto confined = process::confine({}); !confined) return 98;
                  for (const auto& entry : fs::directory_iterator("/proc")) {
                    const auto name = entry.path().filename().native();
                    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
                    if (std::stoi(name) == ::getpid()) continue;
                    std::error_code code;
                    const bool open = fs::exists(entry.path() / "root" / "dev/cell", code) ||
                                      can_read(entry.path() / "mem") || can_read(entry.path() / "environ");
                    if (open) return 1;
                  }
                  return 0;
                },
                cell()),
            0);
}

TEST_F(ConfinedInACell, CannotAskTheKernelForMore) {
  EXPECT_EQ(run_confined([] {
              const std::vector<Try> calls{
                  {"mount", [] { return ::mount("none", "/tmp", "tmpfs", 0, nullptr) == 0 || errno != EPERM; }},
                  {"unshare", [] { return ::unshare(CLONE_NEWUSER) == 0 || errno != EPERM; }},
                  {"clone into a namespace",
                   [] { return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) >= 0 || errno != EPERM; }},
                  {"setns", [] { return ::setns(0, 0) == 0 || errno != EPERM; }},
                  {"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 || errno != EPERM; }},
                  // When it can, it ends with another code than 0.
                  {"execute", [] { return ::execl("/bin/false", "false", nullptr) == 0 || errno != EPERM; }},
                  {"clone3",
                   [] {
                     clone_args wanted{};
                     wanted.flags = CLONE_NEWUSER;
                     wanted.exit_signal = SIGCHLD;
                     const auto child = ::syscall(SYS_clone3, &wanted, sizeof wanted);
                     if (child == 0) ::_exit(0);
                     return child > 0 || errno != ENOSYS;
                   }},
                  {"type at a terminal", [] { return ::ioctl(0, TIOCSTI, "x") == 0 || errno != EPERM; }},
                  {"kexec", [] { return ::syscall(SYS_kexec_load, 0, 0, nullptr, 0) == 0 || errno != EPERM; }},
                  {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0) == 0 || errno != EPERM; }},
                  {"keyctl", [] { return ::syscall(SYS_keyctl, 0, 0) == 0 || errno != EPERM; }},
                  {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0) >= 0 || errno != EPERM; }},
                  {"io_uring", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr) >= 0 || errno != EPERM; }},
                  {"vsock", [] { return ::socket(AF_VSOCK, SOCK_STREAM, 0) >= 0 || errno != EAFNOSUPPORT; }},
                  {"raw frames", [] { return ::socket(AF_PACKET, SOCK_RAW, 0) >= 0; }},
              };
              return count_successes(calls, "the worker");
            }),
            0);
}

TEST_F(ConfinedInACell, KeepsTheCapabilitiesThatItDeclaresAndNoOther) {
  EXPECT_EQ(run_confined(
                [] {
                  const FileDescriptor frames(::socket(AF_PACKET, SOCK_RAW, 0));
                  if (!frames.valid()) return 1;
                  const auto status = read_file("/proc/self/status").value_or("");
                  for (const auto* line :
                       {"CapPrm:\t0000000000002000", "CapEff:\t0000000000002000", "CapBnd:\t0000000000002000",
                        "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"}) {
                    if (status.find(line) == std::string::npos) return std::cerr << "no " << line << std::endl, 2;
                  }
                  return 0;
                },
                {CAP_NET_RAW}),
            0);
}

TEST_F(ConfinedInACell, EndsAsTheProcessInsideDoes) {
  EXPECT_EQ(run_confined([] { return 7; }), 7);
  EXPECT_EQ(run_confined([]() -> int { std::abort(); }), 128 + SIGABRT);
  EXPECT_EQ(run_confined([] { return ::raise(SIGSEGV); }), 128 + SIGSEGV);
}

}  // namespace
}  // namespace patchlab::lab::network

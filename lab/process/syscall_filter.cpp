// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/syscall_filter.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace patchlab::process {
namespace {
#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
#error "the numbers of system calls of this processor are not known"
#endif

constexpr std::array beyond_a_cell{
    SYS_keyctl,        SYS_add_key,       SYS_request_key,    SYS_bpf,        SYS_perf_event_open,
    SYS_init_module,   SYS_finit_module,  SYS_delete_module,  SYS_kexec_load, SYS_kexec_file_load,
    SYS_reboot,        SYS_swapon,        SYS_swapoff,        SYS_acct,       SYS_settimeofday,
    SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,       SYS_quotactl,   SYS_quotactl_fd,
    SYS_userfaultfd,   SYS_syslog,        SYS_lookup_dcookie, SYS_vhangup,    SYS_open_by_handle_at};
constexpr std::array beyond_a_conversation{SYS_mount,
                                           SYS_umount2,
                                           SYS_pivot_root,
                                           SYS_chroot,
                                           SYS_open_tree,
                                           SYS_move_mount,
                                           SYS_fsopen,
                                           SYS_fsconfig,
                                           SYS_fsmount,
                                           SYS_fspick,
                                           SYS_mount_setattr,
                                           SYS_unshare,
                                           SYS_setns,
                                           SYS_ptrace,
                                           SYS_process_vm_readv,
                                           SYS_pidfd_getfd,
                                           SYS_process_vm_writev,
                                           SYS_process_madvise,
                                           SYS_kcmp,
                                           SYS_execve,
                                           SYS_execveat,
                                           SYS_personality,
                                           SYS_io_uring_setup,
                                           SYS_io_uring_enter,
                                           SYS_io_uring_register,
                                           SYS_name_to_handle_at,
                                           SYS_sethostname,
                                           SYS_setdomainname,
                                           SYS_fanotify_init,
                                           SYS_seccomp};
// The others reach what is no network of this namespace: AF_VSOCK the hypervisor below this host, AF_ALG the kernel.
constexpr std::array families{AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET};
constexpr std::array forbidden_ioctls{TIOCSTI, TIOCLINUX};
constexpr std::uint32_t new_namespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

constexpr std::uint32_t refuse_with(int number) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number); }

class Program {
 public:
  explicit Program(Forbidden what) {
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, architecture, 1, 0);
    end(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
    jump(BPF_JGE, 0x40000000U, 0, 1);  // x32: the same calls by other numbers
    end(refuse_with(ENOSYS));
#endif
    for (const auto call : beyond_a_cell) refuse(call);
    if (what != Forbidden::beyond_a_cell) {
      for (const auto call : beyond_a_conversation) {
        const bool executes = call == SYS_execve || call == SYS_execveat;
        if (!executes || what == Forbidden::beyond_a_conversation) refuse(call);
      }
      refuse(SYS_clone3, ENOSYS);  // its flags are in memory that can change: the C library then takes clone
      refuse_when(SYS_clone, 0, [this] {
        jump(BPF_JSET, new_namespaces, 0, 1);
        end(refuse_with(EPERM));
      });
      refuse_when(SYS_ioctl, 1, [this] {
        for (const auto request : forbidden_ioctls) {
          jump(BPF_JEQ, static_cast<std::uint32_t>(request), 0, 1);
          end(refuse_with(EPERM));
        }
      });
    }
    for (const auto call : {SYS_socket, SYS_socketpair}) {
      refuse_when(call, 0, [this] {
        for (const auto family : families) {
          jump(BPF_JEQ, static_cast<std::uint32_t>(family), 0, 1);
          end(SECCOMP_RET_ALLOW);
        }
        end(refuse_with(EAFNOSUPPORT));
      });
    }
    end(SECCOMP_RET_ALLOW);
  }

  Result<void> install() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("giving up new privileges", errno);
    const sock_fprog program{static_cast<unsigned short>(lines_.size()), lines_.data()};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) return {};
    return errno_error("forbidding system calls", errno);
  }

 private:
  void load(std::size_t offset) {
    lines_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  void jump(int how, std::uint32_t value, std::uint8_t when_true, std::uint8_t when_false) {
    lines_.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | how | BPF_K), value, when_true, when_false));
  }
  void end(std::uint32_t decision) { lines_.push_back(BPF_STMT(BPF_RET | BPF_K, decision)); }
  void refuse(long call, int number = EPERM) {
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1);
    end(refuse_with(number));
  }
  // `decide` sees the lower half of an argument; what it does not end is allowed.
  template <class Decide>
  void refuse_when(long call, std::size_t argument, const Decide& decide) {
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 0);
    const auto at = lines_.size();
    load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
    decide();
    end(SECCOMP_RET_ALLOW);
    lines_[at - 1].jf = static_cast<std::uint8_t>(lines_.size() - at);
  }

  std::vector<sock_filter> lines_;
};
}  // namespace

Result<void> forbid(Forbidden what) { return Program(what).install(); }

}  // namespace patchlab::process

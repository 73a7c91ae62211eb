// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/launch.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

// Its headers are not clean under our warnings; they are included in this file only (ten seconds per inclusion).
#define BOOST_PROCESS_USE_STD_FS 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wnull-dereference"
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
#include <type_traits>
namespace boost::process::v2 {
using std::is_convertible;  // 1.81 writes it unqualified, which only boost::filesystem's headers make good
}
#include <boost/asio/io_context.hpp>
#include <boost/optional.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#pragma GCC diagnostic pop

#include "lab/core/pipe.hpp"

namespace patchlab::process {
namespace {
namespace bp = boost::process::v2;

boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }

// What happens in the child between fork and exec: system calls only, as other threads may have held locks.
class ChildSetup {
 public:
  ChildSetup(const ProcessSpec& spec, pid_t parent) : spec_(spec), parent_(parent) {}

  template <class... Ignored>
  boost::system::error_code on_exec_setup(bp::posix::default_launcher&, Ignored&&...) const {
    if ((spec_.own_session ? ::setsid() : ::setpgid(0, 0)) == -1) return last_error();
    reset_signals();
    ::umask(spec_.private_files ? 077 : 022);
    if (!spec_.working_folder.empty() && ::chdir(spec_.working_folder.c_str()) != 0) return last_error();
    if (!raise_ambient()) return last_error();
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return last_error();
    // The parent may have died before that call.
    if (::getppid() != parent_) {
      errno = ECHILD;
      return last_error();
    }
    // Boost 1.81's own closing skips the gaps between the numbers it keeps.
    if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return last_error();
    return {};
  }

  // Boost would call exit(), which runs the parent's atexit handlers in the child.
  template <class... Ignored>
  void on_exec_error(Ignored&&...) const {
    ::_exit(127);
  }

 private:
  static void reset_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) ::sigaction(number, &action, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
  }

  // capabilities(7): ambient needs the capability in the permitted and in the inheritable set.
  [[nodiscard]] bool raise_ambient() const {
    if (spec_.ambient_capabilities.empty() && spec_.capabilities_if_held.empty()) return true;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    if (::syscall(SYS_capget, &header, data) != 0) return false;
    for (const int number : spec_.ambient_capabilities) {
      if (number < 0 || number >= 64) {
        errno = EINVAL;
        return false;
      }
      data[number / 32].inheritable |= mask(number);
    }
    for (const int number : spec_.capabilities_if_held)
      data[number / 32].inheritable |= data[number / 32].permitted & mask(number);
    if (::syscall(SYS_capset, &header, data) != 0) return false;
    for (const int number : spec_.ambient_capabilities) {
      if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) return false;
    }
    for (const int number : spec_.capabilities_if_held) {
      const bool held = (data[number / 32].permitted & mask(number)) != 0;
      if (held && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) return false;
    }
    return true;
  }
  static std::uint32_t mask(int capability) { return 1U << (static_cast<unsigned>(capability) % 32U); }

  const ProcessSpec& spec_;
  pid_t parent_;
};

void never_block(const FileDescriptor& file) {
  ::fcntl(file.get(), F_SETFL, ::fcntl(file.get(), F_GETFL) | O_NONBLOCK);
}

std::vector<std::string> environment_of(const ProcessSpec& spec) {
  std::vector<std::string> entries;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (spec.extra_environment.count(text.substr(0, text.find('='))) == 0) entries.push_back(text);
  }
  for (const auto& [name, value] : spec.extra_environment) {
    std::string text = name;
    text.append("=").append(value);
    entries.push_back(std::move(text));
  }
  return entries;
}

Result<std::filesystem::path> find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) return std::filesystem::path(program);
  // Tools such as mke2fs live where an ordinary user's PATH does not look.
  const char* variable = std::getenv("PATH");
  const auto path = std::string(variable != nullptr ? variable : "/usr/bin:/bin") + ":/usr/sbin:/sbin";
  std::string_view folders = path;
  while (!folders.empty()) {
    const auto end = std::min(folders.find(':'), folders.size());
    const auto candidate = std::filesystem::path(folders.substr(0, end)) / program;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return infrastructure_error("'" + program + "' is not in PATH");
}

Result<pid_t> start_program(const ProcessSpec& spec, const std::filesystem::path& program, const Pipe& input,
                            const Pipe& output, const Pipe& errors) {
  boost::asio::io_context context;
  bp::posix::default_launcher launcher;
  boost::system::error_code code;
  const auto variables = environment_of(spec);
  std::vector<const char*> pointers;
  for (const auto& variable : variables) pointers.push_back(variable.c_str());
  pointers.push_back(nullptr);
  launcher.env = pointers.data();
  auto started = launcher(context.get_executor(), code, program, spec.arguments,
                          bp::process_stdio{input.read.get(), output.write.get(), errors.write.get()},
                          ChildSetup(spec, ::getpid()));
  if (code) {
    if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);
    return infrastructure_error("'" + program.string() + "': " + code.message());
  }
  auto handle = started.detach();  // else its destructor would end the program
  return static_cast<pid_t>(handle.id());
}
}  // namespace

Result<Launched> launch(const ProcessSpec& spec) {
  std::error_code ignored;
  if (!spec.working_folder.empty() && !std::filesystem::is_directory(spec.working_folder, ignored)) {
    return infrastructure_error("working folder '" + spec.working_folder.string() + "' does not exist");
  }
  PATCHLAB_ASSIGN(const auto program, find_program(spec.program));
  PATCHLAB_ASSIGN(auto input, make_pipe());
  PATCHLAB_ASSIGN(auto output, make_pipe());
  PATCHLAB_ASSIGN(auto errors, make_pipe());
  Launched child;
  try {
    PATCHLAB_ASSIGN(child.pid, start_program(spec, program, input, output, errors));
  } catch (const std::exception& trouble) {  // Asio throws when it is out of descriptors or memory
    return infrastructure_error("'" + program.string() + "': " + trouble.what());
  }
  child.input = std::move(input.write);
  child.output = std::move(output.read);
  child.errors = std::move(errors.read);
  never_block(child.input);
  never_block(child.output);
  never_block(child.errors);
  child.pidfd = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pidfd.valid()) {
    const int saved = errno;
    signal_group(child, SIGKILL);
    static_cast<void>(reap(child));
    return errno_error("watching process " + std::to_string(child.pid), saved);
  }
  return child;
}

void signal_group(const Launched& child, int signal) {
  if (child.pid > 0) ::kill(-child.pid, signal);
}

std::variant<Exited, Signalled> reap(const Launched& child) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  signal_group(child, SIGKILL);
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return Signalled{WTERMSIG(status)};
  return Exited{WEXITSTATUS(status)};
}

namespace {
sigset_t only_sigpipe() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}
bool sigpipe_pending() {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGPIPE) == 1;
}
}  // namespace

SigpipeGuard::SigpipeGuard() {
  const auto set = only_sigpipe();
  sigset_t before;
  was_pending_ = sigpipe_pending();
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  was_blocked_ = ::sigismember(&before, SIGPIPE) == 1;
}

SigpipeGuard::~SigpipeGuard() {
  const auto set = only_sigpipe();
  if (!was_pending_ && sigpipe_pending()) {
    const timespec at_once{0, 0};
    ::sigtimedwait(&set, nullptr, &at_once);
  }
  if (!was_blocked_) ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace patchlab::process

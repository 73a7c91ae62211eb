// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/core/guest_files.hpp"
#include "lab/core/host_state.hpp"
#include "lab/core/json.hpp"
#include "lab/core/usage.hpp"
#include "lab/guest/outreach.hpp"
#include "lab/hypervisor.hpp"

namespace patchlab::lab::guest {

class AgentSession;

// A command run inside the guest through its agent. exit_code is normalised to unsigned 32 bit (Windows HRESULTs
// survive).
struct GuestProcess {
  std::uint32_t exit_code = 0;
  bool signalled = false;
  std::string output;  // capped below the agent's reply limits (every reply < 1 MiB)
  std::string errors;
};

// The guest agent of one machine: qemu-ga's protocol over Hypervisor::agent_command. One command at a time per machine
// (locked inside).
class GuestAgent {
 public:
  GuestAgent(Hypervisor& hypervisor, std::string machine, Clock& clock);
  [[nodiscard]] const std::string& machine() const;
  // True when the agent answers within `limit`.
  [[nodiscard]] bool answers(Milliseconds limit);
  // It gives no reply at all within `limit`, not even a refusal or nonsense.
  [[nodiscard]] bool is_silent(Milliseconds limit);
  // Program and arguments, no shell. Polls guest-exec-status until the deadline; at the deadline the error says what
  // ran and the process may still be running in the guest.
  [[nodiscard]] Result<GuestProcess> run(const std::string& program, const std::vector<std::string>& arguments,
                                         Milliseconds deadline, std::stop_token stop = {});
  // A POSIX shell script with its arguments, handed to `sh` on standard input: qemu-ga writes every command line into
  // the guest's own log, where a script would look like trouble and crowd out the evidence. Below 1 MiB of output, like
  // `run`.
  [[nodiscard]] Result<GuestProcess> run_script(const std::string& script, const std::vector<std::string>& arguments,
                                                Milliseconds deadline, std::stop_token stop = {});
  // Starts a program and returns its process id as soon as the agent has said so: for commands that end the agent
  // themselves (shutdown) and for those that are watched by other means.
  [[nodiscard]] Result<std::int64_t> start(const std::string& program, const std::vector<std::string>& arguments);
  // Detached run for installers: output goes to a file in the guest, not to the agent's pipes (which stay open when a
  // daemon inherits them), and exit code to another file; polled by reading that file. Survives a lost
  // guest-exec-status reply and a restart of the agent. `output` holds the last 256 KiB of both streams together. Needs
  // a POSIX shell in the guest.
  [[nodiscard]] Result<GuestProcess> run_detached(const std::string& shell_command, Milliseconds deadline,
                                                  std::stop_token stop = {});
  // Refuses files above `limit` bytes; read in blocks, so that every reply stays below 1 MiB.
  [[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit = 4U << 20U);
  // The last `limit` bytes.
  [[nodiscard]] Result<std::string> read_tail(const std::string& path, std::size_t limit);
  // What the guest said to the latest commands and in the latest files, as text, for who wants to know why it was not
  // understood. Capped.
  [[nodiscard]] std::string recent_replies();
  // An agent command that only asks and takes no arguments ("guest-network-get-interfaces"): what it returns. A refusal
  // is an error.
  [[nodiscard]] Result<Json> ask(const char* command);
  // Costs no process in the guest.
  [[nodiscard]] Result<bool> exists(const std::string& path);
  [[nodiscard]] Result<void> write_file(const std::string& path, const std::string& bytes);
  // Sets the guest's clock to the host's: a reverted machine lives in the past. Or so much later.
  [[nodiscard]] Result<void> set_time_to_host(Milliseconds later = {});
  // guest-shutdown; no reply is expected.
  [[nodiscard]] Result<void> request_power(const std::string& mode);  // "reboot" or "powerdown"

 private:
  std::shared_ptr<AgentSession> session_;
};

// Defined in lab/core so that checks/state can compare states without knowing a guest.
using patchlab::HostState;
using patchlab::InstalledSet;

// How an installer ended. Debian's knows only `installed` and `failed`.
enum class InstallEnd {
  installed,
  reboot_needed,      // installed; complete after a restart
  reboot_started,     // installed, and the installer restarts the machine itself
  already_installed,  // nothing to do
  not_applicable,     // not for this system, or something must be installed first
  retry,              // busy, later perhaps; an adapter tries again and then reports an Error
  failed,
  lab_trouble,    // says nothing about the patch; an adapter reports it as an Error, and so it does these:
  restart_first,  // the machine must be restarted before
  needs_other,    // another update must be installed before; the set lacks it
  not_entitled,   // this machine has no right to it, which one in production may have
};
[[nodiscard]] const char* to_string(InstallEnd end);
// Those after which the package is on the machine.
[[nodiscard]] bool is_success(InstallEnd end);

struct InstallOutcome {
  std::uint32_t exit_code = 0;
  std::string log;  // tail of the installer's output
  Milliseconds duration{};
  InstallEnd end = InstallEnd::failed;  // never one that an adapter reports as an Error
  std::vector<std::string> replaced;    // names in the installed set that it takes away, as its package says
  std::string boot_id;  // of the start that the guest runs on now, where it had to be restarted on the way
  // Configuration files of which the machine kept its own version although the package brings another one.
  std::vector<std::string> kept_files{};
};

// What a guest needs to know to take a package away again; the package itself says it. Empty: not known.
struct InstalledPackage {
  std::string file_name;              // as it was given to `apply`
  std::string kb;                     // "KB5035968"
  std::vector<std::string> packages;  // servicing identities, in the order of installation
  std::string product_code;           // "{GUID}", of an .msi, or the product an .msp was applied to
  std::string patch_code;             // "{GUID}", of an .msp
  bool permanent = false;             // says itself that it cannot be removed
};

// What a guest's processors have been idle since it started, all together, as the guest counts it: unlike the processor
// time of its QEMU, that does not depend on what else the host has to do.
struct IdleTime {
  Milliseconds idle{0};
  unsigned processors = 1;
};

// What is installed and does not do its work yet: something else runs in its place.
struct NotInEffect {
  std::map<std::string, std::string> pending;  // "kernel" -> "6.1.0-28-amd64 runs, 6.1.0-30-amd64 is installed"
  std::map<std::string, std::string> unseen;   // "kernel" -> why nobody can tell here
};

// Stopping and starting one service by the guest's own service manager.
enum class ServiceAction { stop, start };
[[nodiscard]] const char* to_string(ServiceAction action);

// What has to be known of a service before it is stopped and started again.
struct ServiceCycle {
  std::string why_not;              // it cannot be asked of this guest; empty: it can
  std::vector<std::string> with{};  // services that run and need it, in the order in which they are to be stopped
};

struct ServiceChange {
  bool reached = false;  // it stopped, or it runs
  std::string state{};   // when it was looked at last, in words: "running", "stopped", "stopping"
  std::string said{};    // what the service manager said to it, bounded; may be empty
  Milliseconds took{0};  // until then
};

// How guests of a family restart.
struct RestartHabits {
  int by_itself = 0;  // once more within one restart, so often at most: Windows does while it configures updates
  // One restart may ask for the next, and reboot_required() is to be believed: none is due on a golden machine.
  // Debian's is a hint: it cannot know of a kernel that came from outside.
  bool until_clear = false;
};

// Trouble with asking a guest (a refusal, a reply that is not understood, one that came too late) says nothing about
// the guest's own state: it is the laboratory's. Classes that say more stay.
[[nodiscard]] Error observer_trouble(Error error);

// What differs between guest families; everything above is the same for all. An Error of these functions is an
// observation that did not happen, whatever its class, but for `apply` and `uninstall`: see there.
class GuestAdapter {
 public:
  virtual ~GuestAdapter() = default;
  // Identifies the running system: changes at every boot and only then.
  [[nodiscard]] virtual Result<std::string> boot_id() = 0;
  // The system's own start-up has finished (all services asked to start).
  [[nodiscard]] virtual Result<bool> boot_complete() = 0;
  [[nodiscard]] virtual Result<InstalledSet> installed() = 0;
  // Installs files that lie in the root of the medium in the CD drive, as one transaction, in this order. An Error of
  // class timeout: the installer was seen to run until its deadline. All others are trouble of the laboratory.
  [[nodiscard]] virtual Result<InstallOutcome> apply(const std::vector<std::string>& file_names, Milliseconds deadline,
                                                     std::stop_token stop) = 0;
  [[nodiscard]] virtual Result<bool> reboot_required() = 0;
  // After a restart: what of `before`, the set before it, waited for the restart and was undone by it; a sentence for
  // each, with the guest's own reason. Default: nothing ever is.
  [[nodiscard]] virtual Result<std::vector<std::string>> undone_by_restart(const InstalledSet& before);
  // `installed`: what installed() says. Default: nothing, for families whose reboot_required() tells.
  [[nodiscard]] virtual Result<NotInEffect> not_in_effect(const InstalledSet& installed);
  // Why nobody could see on this machine whether these packages do their work; empty: it can be seen. By what
  // not_in_effect() saw before; asks nothing of the guest.
  [[nodiscard]] virtual std::string why_not_here(const InstalledSet& packages) const;
  [[nodiscard]] virtual RestartHabits restart_habits() const { return {}; }
  // Default: nothing, for families whose guests go on working by themselves for long when something was installed.
  [[nodiscard]] virtual Result<std::optional<IdleTime>> idle_time() { return std::optional<IdleTime>(); }
  // What it uses up at this moment. Default: nothing, for families that are not watched in this way.
  [[nodiscard]] virtual Result<std::optional<Usage>> usage() { return std::optional<Usage>(); }
  // Asks for a restart and returns at once; the caller proves it by boot_id.
  [[nodiscard]] virtual Result<void> request_reboot() = 0;
  [[nodiscard]] virtual Result<void> request_power_off() = 0;
  // `services`: the role's own, named in the scenario; they are reported even when the guest no longer knows them
  // ("absent").
  [[nodiscard]] virtual Result<HostState> host_state(const std::vector<std::string>& services) = 0;
  // all: contents of configuration, and what `packages` have of the guest, as well.
  enum class Look { all, changes };
  // The whole guest, see GuestView. Default: nothing, for families that are not watched in this way.
  [[nodiscard]] virtual Result<std::optional<GuestView>> view(Look look, const std::vector<std::string>& packages);
  // What the guest's servers have in force, and what clients are offered in TLS: `rows` and `absent_sources` alone, see
  // lab/guest/servers/servers.hpp. Default: nothing, for families whose servers are not asked.
  [[nodiscard]] virtual Result<std::optional<HostState>> servers();
  // SHA-256 of files, and lines of text files, by path; those that cannot be read, or hold no text, are left out. Paths
  // with line ends are not asked for.
  [[nodiscard]] virtual Result<std::map<std::string, std::string>> digests(const std::vector<std::string>& paths);
  [[nodiscard]] virtual Result<std::map<std::string, std::string>> texts(const std::vector<std::string>& paths);
  // Log tails and the like, name -> text, for a failing trial.
  [[nodiscard]] virtual Result<std::map<std::string, std::string>> evidence() = 0;
  // Tries to reach somebody, and changes nothing in the guest by that. What guests of this family have no means for is
  // not sent, with the reason. Default: nothing is.
  [[nodiscard]] virtual Result<OutreachSeen> reach_out(const Outreach& wanted);
  // `service`: a role's own, as the scenario names it. Asks, and changes nothing. Default: guests of this kind are not
  // asked that.
  [[nodiscard]] virtual Result<ServiceCycle> before_cycling(const std::string& service);
  // Stops or starts it, and only it, and waits until that is done, `deadline` at most, which is no Error. An Error:
  // nobody saw what came of it.
  [[nodiscard]] virtual Result<ServiceChange> change_service(const std::string& service, ServiceAction action,
                                                             Milliseconds deadline, std::stop_token stop);
  // Why this package's removal cannot be rehearsed; empty: it can. Asks nothing of the guest.
  [[nodiscard]] virtual std::string why_no_uninstall(const InstalledPackage& package) const;
  // Takes it away again, as an administrator would; a restart may be needed afterwards. Where it is not offered: a
  // configuration error that says why.
  [[nodiscard]] virtual Result<InstallOutcome> uninstall(const InstalledPackage& package, Milliseconds deadline,
                                                         std::stop_token stop);
};

[[nodiscard]] std::unique_ptr<GuestAdapter> debian_adapter(GuestAgent agent, Clock& clock);

}  // namespace patchlab::lab::guest

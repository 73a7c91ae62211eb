// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lab/core/replaced_products.hpp"
#include "lab/guest/adapter.hpp"
#include "lab/guest/windows/host_state.hpp"
#include "lab/guest/windows/servicing.hpp"

namespace patchlab::lab::guest::windows {

// How an .exe candidate is installed, and which of its exit codes mean success, beside those that the table knows.
struct SetupHabits {
  // So that it asks nothing and does not restart, one text, as on a command line: "/q /Action=Patch /AllInstances".
  std::string switches;
  std::set<std::uint32_t> success;
  std::set<std::uint32_t> restart;  // installed, complete after a restart
  bool operator==(const SetupHabits&) const = default;
};

struct WindowsOptions {
  // Of .exe candidates, by file name: one without an entry is refused, since a question that nobody sees would wait for
  // ever.
  std::map<std::string, SetupHabits> setups;
  // Products that .msi candidates take away, by file name.
  std::map<std::string, std::vector<ReplacedProducts>> replaces;
  std::string version;             // of Windows, as declared: "6.2.9200". Empty: any
  std::string role;                // of the machine: its logs must be there
  std::vector<std::string> paths;  // whose access rights count, beside those of every machine
  // Servicing packages that candidates for this machine are made of: they come and go with the whole ones and are not
  // in the installed set. What a machine takes of them depends on its edition.
  std::set<std::string> parts;
  // How often an installer that says "busy" is started at most, and the time between.
  int busy_tries = 5;
  Milliseconds busy_pause = std::chrono::seconds(30);
};

// GuestAdapter for Windows from Server 2012 on, and what only Windows can tell. Everything goes through the guest
// agent, which must be the 64-bit one; packages come on the CD drive. Windows lies in C:\Windows. What is sent and what
// is understood: commands.hpp; both are in docs/windows.md. Not for several threads at once.
class WindowsGuest : public GuestAdapter {
 public:
  // What `installed` is made from, each means by itself.
  [[nodiscard]] virtual Result<InstalledViews> installed_by_each_means() = 0;
  // What `reboot_required` is made from: it is true when any strong sign is there.
  [[nodiscard]] virtual Result<PendingRestart> pending_restart() = 0;
  // After a restart: which of `pending_before` (pending_installs of the views before it) were undone, and why. Each is
  // a failure of the patch.
  [[nodiscard]] virtual Result<std::vector<Rollback>> rolled_back(const std::set<std::string>& pending_before) = 0;
};

// What evidence() asks for.
[[nodiscard]] std::vector<Question> evidence_questions();

// `apply` ends with the first file that does not succeed. An installer that stays busy, trouble that says nothing about
// the patch, and a guest that restarts on its own before the end are Errors; the deadline is a timeout.
[[nodiscard]] std::unique_ptr<WindowsGuest> windows_adapter(GuestAgent agent, Clock& clock,
                                                            WindowsOptions options = {});

}  // namespace patchlab::lab::guest::windows

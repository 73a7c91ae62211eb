// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "lab/guest/adapter.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/debian_install.hpp"
#include "lab/guest/debian_outreach.hpp"
#include "lab/guest/debian_parse.hpp"
#include "lab/guest/debian_scripts.hpp"
#include "lab/guest/debian_usage.hpp"
#include "lab/guest/debian_view.hpp"
#include "lab/guest/log_kinds.hpp"
#include "lab/guest/servers/servers.hpp"

namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;

// Generous: these take a second, but a dozen emulated machines on two processors can each be starved for a while.
constexpr Milliseconds query_limit = 60s;
constexpr Milliseconds state_limit = 120s;
constexpr Milliseconds view_limit = 300s;  // every name of its file systems
constexpr Milliseconds servers_limit = 300s;
constexpr std::size_t most_view_bytes = 256U << 20U;
constexpr std::size_t most_path_bytes = 400U << 10U;  // in one question: the answer stays below the agent's limit
constexpr const char* boot_marker = "/run/patchlab-boot-complete";
constexpr const char* boot_marker_writer = "/usr/lib/patchlab/boot-complete";

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

// A name from a scenario or medium that is about to become an argument of a guest's command.
bool is_plain(const std::string& name, std::string_view also) {
  if (name.empty() || name.front() == '-' || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || also.find(c) != std::string_view::npos;
  });
}

std::string section_in(const std::map<std::string, std::string>& sections, const std::string& name) {
  const auto found = sections.find(name);
  return found == sections.end() ? std::string{} : found->second;
}

class DebianAdapter final : public GuestAdapter {
 public:
  DebianAdapter(GuestAgent agent, Clock& clock) : agent_(std::move(agent)), clock_(clock) {}

  Result<std::string> boot_id() override {
    PATCHLAB_ASSIGN(const auto text, agent_.read_file("/proc/sys/kernel/random/boot_id", 128));
    const auto id = without_line_end(text);
    if (id.size() != 36)
      return guest_error(fmt::format("the boot id of '{}' is not a UUID: '{}'", machine(), to_valid_utf8(id)));
    return id;
  }

  Result<bool> boot_complete() override {
    // Stand-ins: no process is started in a guest that is busy booting.
    PATCHLAB_ASSIGN(const bool marked, agent_.exists(boot_marker));
    if (marked) return true;
    if (!is_stand_in_) {
      PATCHLAB_ASSIGN(is_stand_in_, agent_.exists(boot_marker_writer));
    }
    if (is_stand_in_) return false;
    PATCHLAB_ASSIGN(const auto init, agent_.read_file("/proc/1/comm", 64));
    if (without_line_end(init) == "systemd") return systemd_complete();
    const std::string action = "looking for the end of the start-up";
    PATCHLAB_ASSIGN(const auto process, script(action, scripts::sysvinit_complete, {}, query_limit));
    if (process.exit_code > 1) return failed(action, process);
    return process.exit_code == 0;
  }

  Result<InstalledSet> installed() override {
    const std::string action = "listing what is installed";
    PATCHLAB_ASSIGN(const auto process,
                    run(action, "dpkg-query", {"-W", "-f", scripts::installed_format}, query_limit));
    if (process.exit_code != 0) return failed(action, process);
    return debian::installed_set(process.output).while_doing(doing(action));
  }

  Result<InstallOutcome> apply(const std::vector<std::string>& file_names, Milliseconds deadline,
                               std::stop_token stop) override {
    return debian::install(agent_, clock_, file_names, deadline, std::move(stop));
  }

  Result<bool> reboot_required() override {
    const std::string action = "looking for a pending restart";
    PATCHLAB_ASSIGN(const auto process, script(action, scripts::reboot_required, {}, query_limit));
    if (process.exit_code > 1) return failed(action, process);
    return process.exit_code == 0;
  }

  Result<NotInEffect> not_in_effect(const InstalledSet& installed) override {
    const std::string action = "looking for what is installed and not in effect";
    const auto mark = new_mark();
    PATCHLAB_ASSIGN(const auto process, script(action, scripts::in_effect, {mark}, state_limit));
    if (process.exit_code != 0) return failed(action, process);
    auto found = debian::not_in_effect(debian::sections(process.output, mark), installed).while_doing(doing(action));
    kernel_is_foreign_ = found && found->unseen.contains("kernel");
    return found;
  }

  std::string why_not_here(const InstalledSet& packages) const override {
    const auto kernel = std::ranges::find_if(
        packages, [](const auto& entry) { return !entry.second.empty() && debian::is_kernel_package(entry.first); });
    if (!kernel_is_foreign_ || kernel == packages.end()) return {};
    return fmt::format("cannot be tested here: this machine's kernel comes from outside it, so '{}' would never run",
                       kernel->first);
  }

  Result<void> request_reboot() override {
    PATCHLAB_TRY(agent_.start("/sbin/shutdown", {"-r", "now"}));
    return {};
  }
  Result<void> request_power_off() override {
    PATCHLAB_TRY(agent_.start("/sbin/shutdown", {"-h", "-P", "now"}));
    return {};
  }

  Result<HostState> host_state(const std::vector<std::string>& services) override {
    const std::string action = "reading the host state";
    for (const auto& name : services) PATCHLAB_TRY(is_service(name));
    const auto mark = new_mark();
    std::vector<std::string> arguments{mark};
    arguments.insert(arguments.end(), services.begin(), services.end());
    PATCHLAB_ASSIGN(const auto process, script(action, scripts::host_state, arguments, state_limit));
    if (process.exit_code != 0) return failed(action, process);
    return state_from(debian::sections(process.output, mark), services).while_doing(doing(action));
  }

  Result<std::optional<GuestView>> view(Look look, const std::vector<std::string>& packages) override {
    const std::string action = "looking at the whole system";
    const auto mark = new_mark();
    std::vector<std::string> arguments{mark, look == Look::all ? "all" : "changes"};
    std::ranges::copy_if(packages, std::back_inserter(arguments),
                         [](const auto& name) { return is_plain(name, "+-._"); });
    const auto before = clock_.wall();
    PATCHLAB_ASSIGN(const auto process, script(action, debian::view_script, arguments, view_limit));
    const auto after = clock_.wall();
    if (process.exit_code != 0) return failed(action, process);
    PATCHLAB_ASSIGN(const auto text, whole_answer(action, process.output));
    PATCHLAB_ASSIGN(auto seen, debian::view(debian::sections(text, mark), {before, after},
                                            look == Look::all ? debian::Wanted::all : debian::Wanted::changes)
                                   .while_doing(doing(action)));
    return std::optional(std::move(seen));
  }

  Result<std::optional<HostState>> servers() override {
    const std::string action = "asking the servers what they have in force";
    const auto mark = new_mark();
    PATCHLAB_ASSIGN(const auto process, script(action, servers::script(), {mark}, servers_limit));
    if (process.exit_code != 0) return failed(action, process);
    PATCHLAB_ASSIGN(const auto text, whole_answer(action, process.output));
    PATCHLAB_ASSIGN(auto seen,
                    servers::state(debian::sections(text, mark), mark, debian::sections).while_doing(doing(action)));
    return std::optional(std::move(seen));
  }

  Result<std::map<std::string, std::string>> digests(const std::vector<std::string>& paths) override {
    return read_each("reading what changed", paths, debian::digests_script, "digests", debian::digests);
  }
  Result<std::map<std::string, std::string>> texts(const std::vector<std::string>& paths) override {
    return read_each("reading configuration that changed", paths, debian::texts_script, "texts", debian::texts);
  }

  Result<std::optional<IdleTime>> idle_time() override {
    PATCHLAB_ASSIGN(const auto text, agent_.read_file("/proc/stat", 1U << 20U));
    const auto idle = debian::idle_time(text);
    if (!idle) return guest_error(fmt::format("/proc/stat of '{}' does not tell how long it was idle", machine()));
    return idle;
  }

  Result<std::optional<Usage>> usage() override {
    const std::string action = "looking at what is used up";
    const auto mark = new_mark();
    PATCHLAB_ASSIGN(const auto process, script(action, debian::usage_script, {mark}, query_limit));
    if (process.exit_code != 0) return failed(action, process);
    PATCHLAB_ASSIGN(auto found, debian::usage(debian::sections(process.output, mark)).while_doing(doing(action)));
    return std::optional(std::move(found));
  }

  Result<ServiceCycle> before_cycling(const std::string& service) override {
    const auto action = fmt::format("looking at service '{}'", service);
    PATCHLAB_TRY(is_service(service));
    if (service.starts_with("qemu-guest-agent") || service == "qemu-ga")
      return ServiceCycle{.why_not = "the laboratory speaks to the guest through it"};
    PATCHLAB_ASSIGN(const auto process, script(action, scripts::before_cycling, {service}, query_limit));
    if (process.exit_code != 0) return failed(action, process);
    return debian::service_cycle(process.output).while_doing(doing(action));
  }

  Result<ServiceChange> change_service(const std::string& service, ServiceAction wanted, Milliseconds deadline,
                                       std::stop_token stop) override {
    const auto action = fmt::format("asking service '{}' to {}", service, to_string(wanted));
    PATCHLAB_TRY(is_service(service));
    const auto hundredths = std::max<std::int64_t>(1, deadline.count() / 10);
    const auto process = agent_.run_script(
        scripts::change_service,
        {service, to_string(wanted), fmt::format("{}.{:02}", hundredths / 100, hundredths % 100),
         std::to_string(hundredths)},
        deadline + query_limit, std::move(stop));
    if (!process) return Error(process.error()).while_doing(doing(action));
    if (process->exit_code != 0) return failed(action, *process);
    return debian::service_change(process->output, wanted).while_doing(doing(action));
  }

  Result<OutreachSeen> reach_out(const Outreach& wanted) override {
    const std::string action = "trying to get out";
    PATCHLAB_ASSIGN(const auto process, script(action, debian::outreach_script(wanted), {}, query_limit));
    if (process.exit_code != 0) return failed(action, process);
    return debian::outreach_seen(process.output, wanted).while_doing(doing(action));
  }

  Result<std::map<std::string, std::string>> evidence() override {
    const auto mark = new_mark();
    const std::string action = "collecting evidence";
    PATCHLAB_ASSIGN(const auto process, script(action, scripts::evidence, {mark}, state_limit));
    if (process.exit_code != 0) return failed(action, process);
    auto texts = debian::sections(process.output, mark);
    const auto logs = texts.extract("logs");
    if (!logs.empty()) texts.merge(debian::tailed_files(logs.mapped()));
    for (auto& [name, text] : texts) text = to_valid_utf8(text);
    return texts;
  }

 private:
  static Result<void> is_service(const std::string& name) {
    if (is_plain(name, "@._:-")) return {};
    return configuration_error(fmt::format("'{}' is not the name of a service", name));
  }
  [[nodiscard]] const std::string& machine() const { return agent_.machine(); }
  [[nodiscard]] std::string doing(const std::string& action) const {
    return fmt::format("{} in '{}'", action, machine());
  }

  // Sections start with a text that no log holds by accident.
  [[nodiscard]] std::string new_mark() const {
    return fmt::format("@@patchlab-{:x}", clock_.wall().time_since_epoch().count());
  }

  Result<GuestProcess> run(const std::string& action, const std::string& program,
                           const std::vector<std::string>& arguments, Milliseconds limit) {
    return agent_.run(program, arguments, limit).while_doing(doing(action));
  }

  Result<GuestProcess> script(const std::string& action, const std::string& text,
                              const std::vector<std::string>& arguments, Milliseconds limit) {
    return agent_.run_script(text, arguments, limit).while_doing(doing(action));
  }

  // "file <path>" stands for what is too long for an answer.
  Result<std::string> whole_answer(const std::string& action, std::string bytes) {
    constexpr std::string_view in_file = "file ";
    if (bytes.starts_with(in_file)) {
      PATCHLAB_ASSIGN(bytes, agent_.read_file(without_line_end(bytes.substr(in_file.size())), most_view_bytes));
    }
    return debian::unpacked(bytes, most_view_bytes).while_doing(doing(action));
  }

  [[nodiscard]] Error failed(const std::string& action, const GuestProcess& process) const {
    return guest_error(
        fmt::format("{}: exit code {}: {}", doing(action), process.exit_code,
                    without_line_end(to_valid_utf8(process.errors.empty() ? process.output : process.errors))));
  }

  template <class Script, class Read>
  Result<std::map<std::string, std::string>> read_each(const std::string& action, const std::vector<std::string>& paths,
                                                       Script script_of, const char* section, Read read) {
    std::map<std::string, std::string> found;
    for (auto next = paths.begin(); next != paths.end();) {
      std::vector<std::string> asked;
      for (std::size_t bytes = 0; next != paths.end() && bytes < most_path_bytes; ++next) {
        if (next->find('\n') != std::string::npos) continue;
        asked.push_back(*next);
        bytes += next->size() + 70;
      }
      if (asked.empty()) break;
      const auto mark = new_mark();
      PATCHLAB_ASSIGN(const auto process, script(action, script_of(asked, mark), {mark}, view_limit));
      if (process.exit_code != 0) return failed(action, process);
      const auto parts = debian::sections(process.output, mark);
      if (!parts.contains(section) || !parts.contains("end"))
        return guest_error(fmt::format("{}: the answer ends early", doing(action)));
      found.merge(read(section_in(parts, section)));
    }
    return found;
  }

  Result<bool> systemd_complete() {
    const std::string action = "asking systemd for its state";
    PATCHLAB_ASSIGN(const auto process, run(action, "systemctl", {"is-system-running"}, query_limit));
    const auto state = without_line_end(process.output);
    // "degraded": start-up is over and some unit failed; which one is the host state's business.
    if (state == "running" || state == "degraded") return true;
    constexpr std::array<std::string_view, 6> others{"initializing", "starting", "maintenance",
                                                     "stopping",     "offline",  "unknown"};
    if (std::find(others.begin(), others.end(), state) == others.end()) return failed(action, process);
    return false;
  }

  static Result<HostState> state_from(const std::map<std::string, std::string>& found,
                                      const std::vector<std::string>& services) {
    if (!found.contains("end")) return guest_error("the answer ends early");
    HostState state;
    for (const auto& [name, text] : found) {
      constexpr std::string_view failed = "failed ";
      constexpr std::string_view absent = "absent ";
      if (name.starts_with(failed)) {
        return guest_error(
            fmt::format("the guest could not list its {}: {}", name.substr(failed.size()), shortened(text, 200)));
      }
      if (name.starts_with(absent)) state.absent_sources[name.substr(absent.size())] = without_line_end(text);
    }
    // A section that is neither there nor said to be absent was lost on the way.
    const bool systemd = found.contains("units") || state.absent_sources.contains("units");
    std::vector<std::string> wanted{"addresses", "routes", "kernel", "disks", "packages", "memory", "processes", "log"};
    if (systemd)
      wanted.insert(wanted.end(), {"units", "journal"});
    else
      wanted.insert(wanted.end(), {"scripts", "children"});
    if (systemd && !services.empty()) wanted.emplace_back("asked");
    for (const auto& name : wanted) {
      const auto* teller = name == "log" ? "processes" : name.c_str();  // one program tells both
      if (!found.contains(name) && !state.absent_sources.contains(teller))
        return guest_error(fmt::format("the answer holds no '{}'", name));
    }
    const auto has = [&](const char* name) { return !state.absent_sources.contains(name); };
    PATCHLAB_TRY(debian::proves_whole(found, services));
    state.services = debian::unit_states(section_in(found, "units"));
    state.services.merge(debian::script_states(section_in(found, "scripts")));
    const auto processes = debian::process_table(section_in(found, "processes"));
    state.services.merge(debian::daemons(processes, section_in(found, "children")));
    for (const auto& [name, status] : debian::asked_unit_states(section_in(found, "asked"), services))
      state.services[name] = status;
    for (const auto& name : services) state.services.try_emplace(name, "absent");
    state.listeners = debian::listeners(processes);
    if (has("addresses") && has("routes")) {
      PATCHLAB_ASSIGN(state.addresses, debian::addresses(section_in(found, "addresses"), section_in(found, "routes")));
    }
    auto kinds = log_kinds(section_in(found, "log"));
    kinds.merge(log_kinds(section_in(found, "journal")));
    kinds.merge(kernel_kinds(section_in(found, "kernel")));
    state.error_kinds.assign(kinds.begin(), kinds.end());
    state.facts = debian::supplies(section_in(found, "disks"), section_in(found, "memory"));
    if (has("packages")) {
      PATCHLAB_ASSIGN(state.facts["package system"], debian::package_system(section_in(found, "packages")));
    }
    return state;
  }

  GuestAgent agent_;
  Clock& clock_;
  bool kernel_is_foreign_ = false;
  bool is_stand_in_ = false;  // has a script that marks the end of its start-up
};
}  // namespace

std::unique_ptr<GuestAdapter> debian_adapter(GuestAgent agent, Clock& clock) {
  return std::make_unique<DebianAdapter>(std::move(agent), clock);
}

}  // namespace patchlab::lab::guest

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/hypervisor.hpp"

#include <fmt/format.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include <cstdlib>
#include <mutex>
#include <set>

#include "lab/core/files.hpp"
#include "lab/libvirt/clone_xml.hpp"
#include "lab/libvirt/domain_xml.hpp"
#include "lab/libvirt/error.hpp"
#include "lab/libvirt/session.hpp"
#include "lab/libvirt/snapshot_jobs.hpp"
#include "lab/libvirt/tray.hpp"

namespace patchlab::lab::libvirt {
namespace {
std::string doing(const char* verb, const std::string& machine) { return fmt::format("{} '{}'", verb, machine); }

// stdio_handler: else libvirt wants a running virtlogd. security_driver: labels and profiles are for hosts with a
// system libvirt.
constexpr const char* embedded_configuration = "stdio_handler = \"file\"\nsecurity_driver = \"none\"\nmax_core = 0\n";

// RFC 3986: everything but unreserved characters and '/' is percent-encoded, for a query value.
std::string percent_encoded(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string encoded;
  for (const char c : text) {
    if (plain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string version_text(unsigned long version) {
  if (version == 0) return {};
  return fmt::format("{}.{}.{}", version / 1'000'000, version / 1000 % 1000, version % 1000);
}

MachineState state_from(int state) {
  switch (state) {
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED: return MachineState::paused;
    case VIR_DOMAIN_CRASHED: return MachineState::crashed;
    case VIR_DOMAIN_SHUTOFF: return MachineState::off;
    default:  // running, blocked, no state, shutting down: QEMU is there and works
      return MachineState::running;
  }
}
}  // namespace

struct LibvirtHypervisor::State {
  std::shared_ptr<Session> session;
  std::string name_prefix;  // of every machine's domain
  // What is in the drives, and the snapshots that were taken with an empty one, by "machine/snapshot": what
  // `revert_in_place` needs.
  std::mutex mutex;
  std::set<std::string> with_medium;
  std::set<std::string> taken_without_medium;

  void note_medium(const std::string& machine, bool present) {
    const std::lock_guard lock(mutex);
    present ? static_cast<void>(with_medium.insert(machine)) : static_cast<void>(with_medium.erase(machine));
  }
  [[nodiscard]] bool has_medium(const std::string& machine) {
    const std::lock_guard lock(mutex);
    return with_medium.count(machine) != 0;
  }
  void note_snapshot(const std::string& machine, const std::string& snapshot) {
    const std::lock_guard lock(mutex);
    if (with_medium.count(machine) == 0) taken_without_medium.insert(machine + "/" + snapshot);
  }
  [[nodiscard]] bool is_without_medium(const std::string& machine, const std::string& snapshot) {
    const std::lock_guard lock(mutex);
    return taken_without_medium.count(machine + "/" + snapshot) != 0;
  }
  void forget_snapshot(const std::string& machine, const std::string& snapshot) {
    const std::lock_guard lock(mutex);
    taken_without_medium.erase(machine + "/" + snapshot);
  }
  void forget_machine(const std::string& machine) {
    const std::lock_guard lock(mutex);
    with_medium.erase(machine);
    std::erase_if(taken_without_medium, [&](const std::string& name) { return name.rfind(machine + "/", 0) == 0; });
  }

  [[nodiscard]] Result<Domain> find(const std::string& machine) const {
    Domain domain(virDomainLookupByName(session->connection(), (name_prefix + machine).c_str()));
    if (!domain) return last_error(doing("looking for machine", machine));
    return domain;
  }

  // Looks the machine up and makes one libvirt call on it that returns a negative number when it fails.
  template <class Call>
  [[nodiscard]] Result<void> on_domain(const char* verb, const std::string& machine, const Call& call) const {
    PATCHLAB_ASSIGN(const auto domain, find(machine));
    if (call(domain.get()) < 0) return last_error(doing(verb, machine));
    return {};
  }

  // Whether its snapshots are QEMU's and not libvirt's.
  [[nodiscard]] Result<bool> has_firmware_flash(const std::string& machine) const {
    PATCHLAB_ASSIGN(const auto domain, find(machine));
    const Text xml(virDomainGetXMLDesc(domain.get(), 0));
    if (!xml) return last_error(doing("reading the firmware of", machine));
    return libvirt::has_firmware_flash(xml.get());
  }

  [[nodiscard]] SnapshotJobs snapshot_jobs(const std::string& machine) const {
    const auto ask = [this, machine](const std::string& command) -> Result<std::string> {
      PATCHLAB_ASSIGN(const auto domain, find(machine));
      char* raw = nullptr;
      if (virDomainQemuMonitorCommand(domain.get(), command.c_str(), &raw, 0) < 0)
        return last_error(doing("speaking to QEMU of", machine));
      return std::string(Text(raw).get());
    };
    return {ask, system_clock_source()};
  }

  template <class Call>
  [[nodiscard]] Result<void> on_snapshot(const char* verb, const std::string& machine, const std::string& snapshot,
                                         const Call& call) const {
    PATCHLAB_TRY(check_name("snapshot name", snapshot));
    PATCHLAB_ASSIGN(const auto domain, find(machine));
    const auto action = fmt::format("{} snapshot '{}' of '{}'", verb, snapshot, machine);
    const Snapshot handle(virDomainSnapshotLookupByName(domain.get(), snapshot.c_str(), 0));
    if (!handle || call(handle.get()) < 0) return last_error(action);
    return {};
  }
};

LibvirtHypervisor::LibvirtHypervisor(std::unique_ptr<State> state) : state_(std::move(state)) {}
LibvirtHypervisor::~LibvirtHypervisor() = default;

Result<std::unique_ptr<LibvirtHypervisor>> LibvirtHypervisor::open(const std::string& uri) {
  PATCHLAB_ASSIGN(auto session, Session::open(uri));
  return on(std::move(session), {});
}

std::unique_ptr<LibvirtHypervisor> LibvirtHypervisor::on(std::shared_ptr<Session> session, std::string name_prefix) {
  auto state = std::make_unique<State>();
  state->session = std::move(session);
  state->name_prefix = std::move(name_prefix);
  return std::unique_ptr<LibvirtHypervisor>(new LibvirtHypervisor(std::move(state)));
}

Result<std::unique_ptr<LibvirtHypervisor>> LibvirtHypervisor::open_embedded(const std::filesystem::path& root) {
  // 107 bytes less the longest name libvirt puts below: lib/qemu/channel/target/domain-NN-<20 bytes of
  // name>/org.qemu.guest_agent.0
  constexpr std::size_t longest_root = 30;
  if (!root.is_absolute() || root.native().size() > longest_root) {
    return configuration_error(fmt::format(
        "'{}' cannot hold a cell: needed is an absolute path of at most {} characters", root.string(), longest_root));
  }
  PATCHLAB_TRY(create_folders(root / "etc"));
  PATCHLAB_TRY(create_folders(root / "log"));
  // Warnings (3) and worse go to a file with the other evidence; libvirt reads this when it is first used.
  ::setenv("LIBVIRT_LOG_OUTPUTS", ("3:file:" + (root / "log" / "libvirt.log").string()).c_str(), 0);
  PATCHLAB_TRY(write_file_atomically(root / "etc" / "qemu.conf", embedded_configuration));
  return open("qemu:///embed?root=" + percent_encoded(root.string()));
}

Result<void> LibvirtHypervisor::define(const MachineSpec& spec) {
  PATCHLAB_TRY(check_name("machine name", spec.name));
  auto named = spec;
  named.name = state_->name_prefix + spec.name;
  const auto xml = state_->session->is_test_driver() ? test_driver_xml(named) : domain_xml(named);
  const Domain domain(virDomainDefineXMLFlags(state_->session->connection(), xml.c_str(), 0));
  if (!domain) return last_error(doing("defining", spec.name));
  return {};
}

Result<void> LibvirtHypervisor::start(const std::string& machine) {
  return state_->on_domain("starting", machine, [](virDomainPtr domain) { return virDomainCreate(domain); });
}

Result<void> LibvirtHypervisor::power_off(const std::string& machine) {
  PATCHLAB_ASSIGN(const auto now, state(machine));
  if (now == MachineState::off) return {};
  return state_->on_domain("powering off", machine, [](virDomainPtr domain) {
    // It may have gone off by itself in between.
    return virDomainDestroy(domain) == 0 || virDomainIsActive(domain) == 0 ? 0 : -1;
  });
}

Result<void> LibvirtHypervisor::undefine(const std::string& machine) {
  state_->forget_machine(machine);
  return state_->on_domain("undefining", machine, [this](virDomainPtr domain) {
    return virDomainUndefineFlags(domain, state_->session->undefine_flags());
  });
}

Result<MachineState> LibvirtHypervisor::state(const std::string& machine) {
  const auto domain = state_->find(machine);
  if (!domain) {
    if (last_error_code() == VIR_ERR_NO_DOMAIN) return MachineState::undefined;
    return domain.error();
  }
  int number = 0;
  if (virDomainGetState(domain->get(), &number, nullptr, 0) < 0)
    return last_error(doing("asking for the state of", machine));
  return state_from(number);
}

Result<Milliseconds> LibvirtHypervisor::processor_time(const std::string& machine) {
  virDomainInfo info{};
  PATCHLAB_TRY(state_->on_domain("asking for the processor time of", machine,
                                 [&info](virDomainPtr domain) { return virDomainGetInfo(domain, &info); }));
  return std::chrono::duration_cast<Milliseconds>(std::chrono::nanoseconds(info.cpuTime));
}

// "vcpu.<number>.delay" (libvirt-domain.h, VIR_DOMAIN_STATS_VCPU): the run delay of the processor's thread, from
// schedstat of the kernel (Documentation/scheduler/sched-stats.rst), in nanoseconds.
std::optional<Milliseconds> LibvirtHypervisor::waited_for_processor(const std::string& machine) {
  const auto domain = state_->find(machine);
  if (!domain) return std::nullopt;
  virDomainPtr domains[] = {domain->get(), nullptr};
  virDomainStatsRecordPtr* records = nullptr;
  // No wait for somebody else's job: what is not known then is not known.
  const int count =
      virDomainListGetStats(domains, VIR_DOMAIN_STATS_VCPU, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
  const Statistics statistics(records);
  if (count != 1) return std::nullopt;
  std::optional<std::chrono::nanoseconds> waited;
  for (int i = 0; i < (*records)->nparams; ++i) {
    const auto& parameter = (*records)->params[i];
    const std::string_view field(static_cast<const char*>(parameter.field));
    if (!field.starts_with("vcpu.") || !field.ends_with(".delay") || parameter.type != VIR_TYPED_PARAM_ULLONG) continue;
    waited = waited.value_or(std::chrono::nanoseconds(0)) + std::chrono::nanoseconds(parameter.value.ul);
  }
  if (!waited) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(*waited);
}

Result<void> LibvirtHypervisor::pause(const std::string& machine) {
  return state_->on_domain("pausing", machine, [](virDomainPtr domain) { return virDomainSuspend(domain); });
}

Result<void> LibvirtHypervisor::resume(const std::string& machine) {
  return state_->on_domain("resuming", machine, [](virDomainPtr domain) { return virDomainResume(domain); });
}

Result<void> LibvirtHypervisor::take_snapshot(const std::string& machine, const std::string& snapshot) {
  PATCHLAB_TRY(check_name("snapshot name", snapshot));
  PATCHLAB_ASSIGN(const auto domain, state_->find(machine));
  const auto action = fmt::format("taking snapshot '{}' of '{}'", snapshot, machine);
  // Without memory it would not be a state to go on from.
  if (virDomainIsActive(domain.get()) != 1) return infrastructure_error(action + ": the machine is off");
  PATCHLAB_ASSIGN(const auto by_jobs, state_->has_firmware_flash(machine));
  if (by_jobs) return state_->snapshot_jobs(machine).save(snapshot).while_doing(action);
  const Snapshot handle(virDomainSnapshotCreateXML(domain.get(), snapshot_xml(snapshot).c_str(), 0));
  if (!handle) return last_error(action);
  state_->note_snapshot(machine, snapshot);
  return {};
}

Result<void> LibvirtHypervisor::adopt_snapshot(const std::string& machine, const std::string& snapshot) {
  PATCHLAB_TRY(check_name("snapshot name", snapshot));
  PATCHLAB_ASSIGN(const auto domain, state_->find(machine));
  const auto action = fmt::format("adopting snapshot '{}' of '{}'", snapshot, machine);
  if (virDomainIsActive(domain.get()) != 0) return infrastructure_error(action + ": the machine is not off");
  PATCHLAB_ASSIGN(const auto by_jobs, state_->has_firmware_flash(machine));
  if (by_jobs) return {};  // QEMU looks into the disk itself
  const Text definition(virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE));
  if (!definition) return last_error(action);
  const auto xml = adopted_snapshot_xml(snapshot, definition.get());
  const Snapshot handle(virDomainSnapshotCreateXML(domain.get(), xml.c_str(), VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE));
  if (!handle) return last_error(action);
  state_->note_snapshot(machine, snapshot);
  return {};
}

Result<void> LibvirtHypervisor::revert(const std::string& machine, const std::string& snapshot) {
  PATCHLAB_TRY(check_name("snapshot name", snapshot));
  if (revert_in_place(machine, snapshot)) return {};
  PATCHLAB_ASSIGN(const auto by_jobs, state_->has_firmware_flash(machine));
  if (by_jobs) return revert_by_jobs(machine, snapshot);
  PATCHLAB_TRY(state_->on_snapshot("reverting to", machine, snapshot, [](virDomainSnapshotPtr handle) {
    return virDomainRevertToSnapshot(handle, VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING);
  }));
  state_->note_medium(machine, !state_->is_without_medium(machine, snapshot));
  return {};
}

// QEMU's own loadvm in the process that runs: a third of the time of libvirt's revert, which starts a new QEMU. libvirt
// follows the run state by QEMU's events, but would not see a medium come or go, so the drive must be empty then and
// now.
bool LibvirtHypervisor::revert_in_place(const std::string& machine, const std::string& snapshot) {
  if (state_->session->is_test_driver() || !state_->is_without_medium(machine, snapshot)) return false;
  const auto domain = state_->find(machine);
  if (!domain || virDomainIsActive(domain->get()) != 1 || !host_trouble(machine).empty()) return false;
  if (state_->has_medium(machine) && !change_medium(machine, {})) return false;
  char* raw = nullptr;
  const auto command = "loadvm " + snapshot;
  if (virDomainQemuMonitorCommand(domain->get(), command.c_str(), &raw, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) < 0)
    return false;
  const Text said(raw);
  if (said && *said.get() != '\0') return false;  // "Error: ..."
  const auto now = state(machine);
  return now && (*now == MachineState::running || (*now == MachineState::paused && resume(machine)));
}

// In the QEMU that runs when that is possible, else in a new one.
Result<void> LibvirtHypervisor::revert_by_jobs(const std::string& machine, const std::string& snapshot) {
  const auto action = fmt::format("reverting to snapshot '{}' of '{}'", snapshot, machine);
  const auto jobs = state_->snapshot_jobs(machine);
  const auto load = [&]() -> Result<void> {
    PATCHLAB_TRY(jobs.load(snapshot));
    PATCHLAB_ASSIGN(const auto now, state(machine));
    return now == MachineState::running ? Result<void>() : resume(machine);
  };
  PATCHLAB_ASSIGN(const auto now, state(machine));
  const bool answers = now == MachineState::running || now == MachineState::paused;
  if (answers && host_trouble(machine).empty()) {
    const auto known = jobs.has(snapshot);
    if (known && !*known) return infrastructure_error(action + ": there is no such snapshot");
    if ((!state_->has_medium(machine) || change_medium(machine, {})) && load()) return {};
  }
  const auto loaded = [&]() -> Result<void> {
    PATCHLAB_TRY(start_empty(machine));
    return load();
  }();
  if (!loaded) static_cast<void>(power_off(machine));
  return Result<void>(loaded).while_doing(action);
}

Result<void> LibvirtHypervisor::start_empty(const std::string& machine) {
  PATCHLAB_TRY(power_off(machine));
  PATCHLAB_TRY(change_medium(machine, {}));
  return state_->on_domain("starting", machine, [](virDomainPtr domain) {
    return virDomainCreateWithFlags(domain, VIR_DOMAIN_START_PAUSED);
  });
}

Result<void> LibvirtHypervisor::delete_snapshot(const std::string& machine, const std::string& snapshot) {
  PATCHLAB_TRY(check_name("snapshot name", snapshot));
  state_->forget_snapshot(machine, snapshot);
  PATCHLAB_ASSIGN(const auto by_jobs, state_->has_firmware_flash(machine));
  if (by_jobs) return delete_by_jobs(machine, snapshot);
  return state_->on_snapshot("deleting", machine, snapshot,
                             [](virDomainSnapshotPtr handle) { return virDomainSnapshotDelete(handle, 0); });
}

// The jobs are QEMU's, so one must be there.
Result<void> LibvirtHypervisor::delete_by_jobs(const std::string& machine, const std::string& snapshot) {
  const auto action = fmt::format("deleting snapshot '{}' of '{}'", snapshot, machine);
  PATCHLAB_ASSIGN(const auto now, state(machine));
  const bool is_off = now == MachineState::off;
  if (is_off) PATCHLAB_TRY(start_empty(machine).while_doing(action));
  auto deleted = state_->snapshot_jobs(machine).remove(snapshot).while_doing(action);
  if (is_off) PATCHLAB_TRY(power_off(machine));
  return deleted;
}

Result<void> LibvirtHypervisor::change_medium(const std::string& machine, const std::filesystem::path& iso) {
  PATCHLAB_ASSIGN(const auto domain, state_->find(machine));
  const bool active = virDomainIsActive(domain.get()) == 1;
  const Text now(virDomainGetXMLDesc(domain.get(), active ? 0U : unsigned{VIR_DOMAIN_XML_INACTIVE}));
  if (!now) return last_error(doing("reading the CD drive of", machine));
  PATCHLAB_ASSIGN(const auto xml, cd_drive_with(now.get(), iso).while_doing(doing("changing the medium of", machine)));
  // Until it is known to be empty: a change that fails half-way may have left something in the drive.
  state_->note_medium(machine, true);
  const unsigned target = active ? unsigned{VIR_DOMAIN_AFFECT_LIVE} : unsigned{VIR_DOMAIN_AFFECT_CONFIG};
  constexpr int tries = 3;
  PATCHLAB_TRY(with_open_tray(tries, [&]() -> Result<void> {
    if (virDomainUpdateDeviceFlags(domain.get(), xml.c_str(), target | VIR_DOMAIN_DEVICE_MODIFY_FORCE) < 0)
      return last_error(doing("changing the medium of", machine));
    return {};
  }));
  state_->note_medium(machine, !iso.empty());
  return {};
}

Result<std::string> LibvirtHypervisor::agent_command(const std::string& machine, const std::string& command,
                                                     Milliseconds limit) {
  PATCHLAB_ASSIGN(const auto domain, state_->find(machine));
  const auto seconds =
      static_cast<int>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(limit).count()));
  const Text reply(virDomainQemuAgentCommand(domain.get(), command.c_str(), seconds, 0));
  if (reply) return std::string(reply.get());
  auto error = last_error(doing("asking the agent of", machine));
  // An agent that says no: libvirt has no code of its own for it.
  if (error.message.find("unable to execute QEMU agent command") != std::string::npos)
    error.error_class = ErrorClass::guest;
  if (auto trouble = host_trouble(machine); !trouble.empty()) return infrastructure_error(std::move(trouble));
  return error;
}

std::string LibvirtHypervisor::library_version() {
  unsigned long version = 0;
  return virGetVersion(&version, nullptr, nullptr) == 0 ? version_text(version) : std::string();
}

std::string LibvirtHypervisor::host_trouble(const std::string& machine) const {
  const auto domain = state_->find(machine);
  int number = 0;
  int reason = 0;
  if (!domain || virDomainGetState(domain->get(), &number, &reason, 0) < 0) return {};
  if (number != VIR_DOMAIN_PAUSED || reason != VIR_DOMAIN_PAUSED_IOERROR) return {};
  return fmt::format("'{}' was stopped by a disk error on the host (is it out of space?)", machine);
}

Result<std::vector<std::string>> LibvirtHypervisor::ways_out(const std::string& machine, const Mark& mark) const {
  PATCHLAB_ASSIGN(const auto domain, state_->find(machine));
  const Text xml(virDomainGetXMLDesc(domain.get(), 0));
  if (!xml) return last_error(doing("describing", machine));
  return ways_out_of(xml.get(), mark);
}

}  // namespace patchlab::lab::libvirt

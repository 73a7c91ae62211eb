// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/clone_xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <map>

#include "lab/core/text.hpp"

namespace patchlab::lab::libvirt {
namespace {

template <std::size_t Size>
using Names = std::array<std::string_view, Size>;

template <std::size_t Size>
bool contains(const Names<Size>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Children of <domain> the guest can see, or that size it. They stay as they are.
constexpr Names<16> kept_settings{"genid",          "memory",      "currentMemory", "maxMemory",      "memoryBacking",
                                  "vcpus",          "iothreads",   "iothreadids",   "features",       "cpu",
                                  "clock",          "on_poweroff", "on_crash",      "on_lockfailure", "pm",
                                  "defaultiothread"};
// What ties a domain to its host: processors, memory nodes, limits, labels, groups. A clone runs beside production and
// must not take its place.
constexpr Names<11> dropped_settings{"title",     "description", "metadata", "resource", "cputune",  "numatune",
                                     "blkiotune", "memtune",     "seclabel", "perf",     "on_reboot"};
constexpr Names<9> kept_devices{"emulator", "controller", "video", "watchdog", "memballoon",
                                "panic",    "hub",        "iommu", "sound"};
constexpr Names<9> kept_of_nic{"mac", "model", "address", "rom", "boot", "driver", "mtu", "link", "alias"};
constexpr Names<11> kept_of_disk{"driver", "target", "address", "boot",    "alias",   "serial",
                                 "wwn",    "vendor", "product", "blockio", "readonly"};
constexpr Names<7> disk_formats{"qcow2", "raw", "vmdk", "vdi", "vhdx", "vpc", "qed"};
constexpr const char* agent_channel = "org.qemu.guest_agent.0";
// Where the libvirt of a system puts a machine's firmware variables when nobody says where.
constexpr const char* variables_folder = "/var/lib/libvirt/qemu/nvram";

class Cloner {
 public:
  Cloner(XmlDocument document, const Mark& mark) : document_(std::move(document)), root_(document_.root()) {
    plan_.golden = root_.child("name").text();
    plan_.mark = mark;
  }

  Result<ClonePlan> plan() {
    PATCHLAB_TRY(check_domain());
    identify();
    for (auto& setting : root_.children()) PATCHLAB_TRY(take_setting(setting));
    root_.add("on_reboot").set_text("restart");  // a patch is not installed before its reboots
    write_mark(root_, plan_.mark);
    PATCHLAB_TRY(check_what_is_needed());
    PATCHLAB_TRY(read_memory());
    plan_.xml = document_.to_text();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] Error refusal(const std::string& why, std::string hint = {}) const {
    if (hint.empty())
      hint = fmt::format("clone it to a domain for the lab, and take that out of the clone with 'virsh edit'");
    return configuration_error(fmt::format("golden domain '{}' cannot be cloned: {}", plan_.golden, why),
                               std::move(hint));
  }

  Result<void> check_domain() {
    if (root_.name() != "domain" || plan_.golden.empty()) {
      return configuration_error("what libvirt says of the golden domain is no <domain> with a name");
    }
    const auto type = root_.attribute("type");
    if (!contains(Names<3>{"kvm", "qemu", "test"}, type))
      return refusal(fmt::format("<domain type='{}'> is not run by QEMU", type));
    if (mark_of(root_))
      return refusal("<metadata> says that it is a clone of the lab itself", "name the domain it was cloned from");
    return {};
  }

  // Snapshots are no part of this XML; neither are autostart and a saved memory state.
  void identify() {
    root_.child("name").set_text(plan_.mark.object_name());
    const auto uuid = uuid_of(plan_.mark.object_name());
    root_.child_or_new("uuid").set_text(uuid);
    root_.remove_attribute("id");
    // libvirt wants the one to equal the other.
    for (auto& entry : root_.child("sysinfo").child("system").children("entry")) {
      if (entry.attribute("name") == "uuid") entry.set_text(uuid);
    }
  }

  Result<void> take_setting(XmlNode& setting) {
    const auto name = setting.name();
    if (setting.is_foreign()) {
      return refusal(fmt::format("<{}> of '{}' gives QEMU arguments that libvirt does not look into", name,
                                 setting.namespace_uri()));
    }
    if (contains(dropped_settings, name)) {
      setting.remove();
      return {};
    }
    if (name == "devices") {
      for (auto& device : setting.children()) PATCHLAB_TRY(take_device(device));
      return {};
    }
    if (name == "os") return take_os(setting);
    if (name == "vcpu") {
      setting.remove_attribute("cpuset");
      setting.remove_attribute("placement");
      return {};
    }
    if (name == "name" || name == "uuid" || name == "sysinfo" || contains(kept_settings, name)) return {};
    return refusal(fmt::format("<{}> is not known to be harmless", name));
  }

  Result<void> take_os(XmlNode& os) {
    const auto type = os.child("type");
    const auto machine = type.attribute("machine");
    const bool pinned =
        machine.find('-') != std::string::npos && std::isdigit(static_cast<unsigned char>(machine.back())) != 0;
    if (root_.attribute("type") != "test" && !pinned) {
      return refusal(fmt::format("<type machine='{}'> is no fixed machine type", machine),
                     "name one with a version, such as 'pc-i440fx-7.2', with 'virsh edit'; a newer QEMU would change "
                     "the guest's hardware");
    }
    const auto loader = os.child("loader");
    if (loader.attribute("type") == "pflash" && loader.attribute("readonly") != "yes")
      return refusal("<loader> is firmware that the guest can write");
    if (os.child("varstore")) return refusal("<varstore> keeps firmware variables in a way that is not known");
    if (os.child("nvram") || os.attribute("firmware") == "efi") return take_firmware_variables(os);
    return {};
  }

  // Its own copy. Where libvirt 9.0 chooses the firmware, it does so at each start, and what is defined does not name
  // the variables. Where there are none yet, libvirt makes them from the firmware's template.
  Result<void> take_firmware_variables(XmlNode& os) {
    auto nvram = os.child_or_new("nvram");
    const auto type = nvram.attribute("type");
    if (!type.empty() && type != "file")
      return refusal(fmt::format("<nvram type='{}'> is not a file", type), "keep its variables in a file");
    const auto source = nvram.child("source");
    auto golden = source ? source.attribute("file") : std::string(trimmed(nvram.text(), " \t\r\n"));
    if (golden.empty() && os.attribute("firmware") == "efi")
      golden = fmt::format("{}/{}_VARS.fd", variables_folder, plan_.golden);
    const auto own = plan_.mark.folder / (plan_.mark.machine + "-vars.fd");
    nvram.remove_children();
    nvram.remove_attribute("type");
    nvram.set_text(own.native());
    if (golden.empty()) return {};
    nvram.remove_attribute("template");
    plan_.copies.push_back({golden, own});
    return {};
  }

  Result<void> take_device(XmlNode& device) {
    using Take = Result<void> (Cloner::*)(XmlNode&);
    static const std::map<std::string, Take> takes{
        {"disk", &Cloner::take_disk},         {"interface", &Cloner::take_nic},     {"channel", &Cloner::take_channel},
        {"serial", &Cloner::take_serial},     {"console", &Cloner::take_serial},    {"parallel", &Cloner::take_serial},
        {"graphics", &Cloner::take_graphics}, {"audio", &Cloner::take_audio},       {"rng", &Cloner::take_random},
        {"input", &Cloner::take_input},       {"redirdev", &Cloner::take_redirdev}, {"memory", &Cloner::take_memory},
    };
    const auto name = device.name();
    if (device.is_foreign())
      return refusal(fmt::format("<{}> of '{}' is not known to be harmless", name, device.namespace_uri()));
    if (const auto found = takes.find(name); found != takes.end()) return (this->*found->second)(device);
    if (contains(kept_devices, name)) return {};
    static const std::map<std::string, const char*> reasons{
        {"hostdev", "hands a device of the host to the guest"},
        {"filesystem", "shares a folder of the host with the guest"},
        {"tpm", "keeps secrets that a clone cannot be given"},
        {"vsock", "is a way from the guest to the host"},
        {"shmem", "is memory shared with other guests"},
        {"smartcard", "hands a card of the host to the guest"},
        {"lease", "is a lock that the golden domain holds too"},
    };
    const auto reason = reasons.find(name);
    const auto type =
        device.has_attribute("type") ? fmt::format(" type='{}'", device.attribute("type")) : std::string();
    return refusal(
        fmt::format("<{}{}> {}", name, type, reason == reasons.end() ? "is not known to be harmless" : reason->second));
  }

  Result<void> take_disk(XmlNode& disk) {
    const auto device = disk.has_attribute("device") ? disk.attribute("device") : "disk";
    const auto target = disk.child("target").attribute("dev");
    const auto which = fmt::format("<disk device='{}'> '{}'", device, target);
    // It becomes part of a path. libvirt wants a known prefix only.
    if (target.empty() || !std::ranges::all_of(target, [](unsigned char c) { return std::isalnum(c) != 0; })) {
      return refusal(which + " has a target that is no device name");
    }
    for (const char* trouble : {"transient", "shareable", "mirror"}) {
      if (disk.child(trouble)) return refusal(fmt::format("{} has <{}>", which, trouble));
    }
    if (device == "cdrom" || device == "floppy") {
      empty_drive(disk);
      return {};
    }
    if (device != "disk") return refusal(which + " hands a device of the host to the guest");
    const auto type = disk.attribute("type");
    const auto source = disk.child("source");
    const std::filesystem::path file = source.attribute("file");
    if (type != "file" || !file.is_absolute()) {
      return refusal(fmt::format("{} of type '{}' is not a file, so there can be no overlay on it", which, type),
                     "copy it to a qcow2 file with 'qemu-img convert' and give a clone of the domain that file");
    }
    if (disk.child("encryption") || source.child("encryption")) return refusal(which + " is encrypted");
    if (source.child("slices")) return refusal(which + " is a part of a file");
    const auto format = disk.child("driver").attribute("type");
    if (!contains(disk_formats, format))
      return refusal(fmt::format("{} has the format '{}', which is not known", which, format));
    for (auto& part : disk.children()) {
      if (part.name() != "source" && !contains(kept_of_disk, part.name())) {
        if (part.name() != "backingStore" && part.name() != "iotune")
          return refusal(fmt::format("{} has <{}>", which, part.name()));
        part.remove();
      }
    }
    disk.remove_attribute("snapshot");  // "no" would leave it out of every state that the lab keeps
    if (disk.child("readonly")) {
      plan_.reads.push_back(file);
      return {};
    }
    const auto overlay = plan_.mark.folder / fmt::format("{}-{}.qcow2", plan_.mark.machine, target);
    plan_.overlays.push_back({target, file, format, overlay});
    put_on_overlay(disk, overlay);
    return {};
  }

  // Only what the guest cannot see changes, and in the way of the lab's other machines (domain_xml.cpp says why).
  static void put_on_overlay(XmlNode& disk, const std::filesystem::path& overlay) {
    auto driver = disk.child_or_new("driver");
    driver.set_attribute("name", "qemu");
    driver.set_attribute("type", "qcow2");
    driver.set_attribute("cache", "unsafe");
    driver.remove_attribute("io");  // 'native' wants cache='none'
    driver.set_attribute("error_policy", "stop");
    driver.set_attribute("rerror_policy", "stop");
    disk.remove_children("source");
    disk.add("source").set_attribute("file", overlay.native());
  }

  static void empty_drive(XmlNode& disk) {
    for (auto& part : disk.children()) {
      if (part.name() == "source" || !contains(kept_of_disk, part.name())) part.remove();
    }
    disk.set_attribute("type", "file");
    disk.remove_attribute("snapshot");
    auto driver = disk.child_or_new("driver");
    driver.set_attribute("name", "qemu");
    driver.set_attribute("type", "raw");
    for (const char* of_the_medium : {"cache", "io", "discard"}) driver.remove_attribute(of_the_medium);
  }

  Result<void> take_nic(XmlNode& nic) {
    const auto type = nic.attribute("type");
    const auto mac = lower_case(nic.child("mac").attribute("address"));
    const auto which = fmt::format("<interface type='{}'>{}{}", type, mac.empty() ? "" : " ", mac);
    if (contains(Names<4>{"direct", "hostdev", "vhostuser", "vdpa"}, type)) {
      return refusal(which + " is a device of the host that no isolated network can replace",
                     "give a clone of the domain a virtio or e1000 NIC");
    }
    if (!contains(Names<3>{"network", "bridge", "user"}, type))
      return refusal(which + " is of a kind that is not moved to the lab's network");
    if (mac.empty()) return refusal("<interface> has no <mac>");
    if (nic.child("teaming")) return refusal(which + " has <teaming> with a device of the host");
    for (auto& part : nic.children()) {
      if (!contains(kept_of_nic, part.name())) part.remove();
    }
    Mark cell = plan_.mark;
    cell.machine.clear();
    nic.set_attribute("type", "network");
    nic.add("source").set_attribute("network", cell.object_name());
    plan_.macs.push_back(mac);
    is_plugged_in_ = is_plugged_in_ || nic.child("link").attribute("state") != "down";
    return {};
  }

  Result<void> take_channel(XmlNode& channel) {
    const auto type = channel.attribute("type");
    if (channel.child("target").attribute("name") == agent_channel && type == "unix") has_agent_ = true;
    if (!contains(Names<6>{"unix", "spicevmc", "spiceport", "qemu-vdagent", "pty", "null"}, type)) {
      return refusal(fmt::format("<channel type='{}'> connects the guest with something outside", type));
    }
    if (channel.child("source").attribute("mode") == "connect")
      return refusal("<channel type='unix'> connects the guest with a server on the host");
    channel.remove_children("log");
    channel.remove_children("source");  // libvirt then makes a path of its own for the agent
    // The guest keeps its port. Of all of them only the agent's has somebody at the other end.
    if (channel.child("target").attribute("name") != agent_channel) {
      channel.set_attribute("type", "null");
      for (const char* end : {"protocol", "clipboard", "mouse"}) channel.remove_children(end);
    }
    return {};
  }

  // The guest keeps its port; at the other end there is nobody.
  Result<void> take_serial(XmlNode& port) {
    if (port.attribute("type") == "dev") {
      return refusal(fmt::format("<{} type='dev'> hands a device of the host to the guest", port.name()));
    }
    port.set_attribute("type", "pty");
    port.remove_attribute("tty");
    for (const char* end : {"source", "protocol", "log"}) port.remove_children(end);
    return {};
  }

  Result<void> take_graphics(XmlNode& graphics) {
    const auto type = graphics.attribute("type");
    if (type != "vnc" && type != "spice")
      return refusal(fmt::format("<graphics type='{}'> uses the screen of the host", type));
    // Without a password it would be a console for every user of the host. The guest's own adapter is <video>.
    graphics.remove();
    return {};
  }

  Result<void> take_audio(XmlNode& audio) {
    const auto number = audio.attribute("id");
    audio.remove_children();
    for (const char* of_the_host : {"file", "serverName", "runtimeDir", "driver", "timerPeriod", "dev"})
      audio.remove_attribute(of_the_host);
    audio.set_attribute("type", "none");
    return {};
  }

  Result<void> take_random(XmlNode& random) {
    const auto model = random.child("backend").attribute("model");
    if (model == "random" || model == "builtin") return {};
    return refusal(fmt::format("<rng> takes its numbers from '{}', outside the host's own", model));
  }

  Result<void> take_input(XmlNode& input) {
    const auto type = input.attribute("type");
    if (contains(Names<3>{"mouse", "tablet", "keyboard"}, type)) return {};
    return refusal(fmt::format("<input type='{}'> hands a device of the host to the guest", type));
  }

  Result<void> take_redirdev(XmlNode& device) {
    const auto type = device.attribute("type");
    if (type == "spicevmc") {
      device.remove();  // the guest sees a device only when somebody's display hands one over
      return {};
    }
    return refusal(fmt::format("<redirdev type='{}'> connects the guest with something outside", type));
  }

  Result<void> take_memory(XmlNode& memory) {
    const auto model = memory.attribute("model");
    if (model == "dimm" || model == "virtio-mem") return {};
    return refusal(fmt::format("<memory model='{}'> is a file or device of the host", model));
  }

  // libvirt itself prints KiB; in a file that was written by hand there may be others.
  Result<void> read_memory() {
    static const std::map<std::string, std::uint64_t> bytes{
        {"b", 1},           {"bytes", 1},    {"k", 1U << 10U}, {"KiB", 1U << 10U}, {"KB", 1000},      {"M", 1U << 20U},
        {"MiB", 1U << 20U}, {"MB", 1000000}, {"G", 1U << 30U}, {"GiB", 1U << 30U}, {"GB", 1000000000}};
    const auto memory = root_.child(root_.child("currentMemory") ? "currentMemory" : "memory");
    const auto unit = bytes.find(memory.has_attribute("unit") ? memory.attribute("unit") : "KiB");
    const auto text = memory.text();
    const auto digits = trimmed(text, " \t\r\n");
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc{} || end != digits.data() + digits.size() || unit == bytes.end() || number == 0 ||
        number > std::numeric_limits<std::uint64_t>::max() / unit->second) {
      return refusal(fmt::format("<{}> '{}' is no size of memory", memory.name(), digits));
    }
    plan_.memory_kib = number * unit->second / 1024;
    return {};
  }

  Result<void> check_what_is_needed() {
    if (plan_.overlays.empty()) return refusal("it has no disk that it could write", "give it one");
    if (!has_agent_) {
      return refusal(fmt::format("it has no <channel type='unix'> with the target '{}'", agent_channel),
                     "add the channel with 'virsh edit', and install the QEMU guest agent in it");
    }
    if (!plan_.macs.empty() && !is_plugged_in_) {
      return refusal(
          "no cable is plugged into any of its network adapters (<link state='down'>), so nobody could ask it anything",
          fmt::format("'virsh domif-setlink {} {} up --config'; a clone is in the lab's network, whatever "
                      "the golden domain is plugged into",
                      plan_.golden, plan_.macs.front()));
    }
    if (!cd_drive_with(document_.to_text(), {})) {
      return refusal("it has no <disk device='cdrom'>, and patches travel on a CD",
                     "add an empty SATA or IDE CD drive with 'virsh edit'");
    }
    std::vector<std::filesystem::path> files;
    for (const auto& overlay : plan_.overlays) files.push_back(overlay.golden);
    std::ranges::sort(files);
    if (std::ranges::adjacent_find(files) != files.end()) return refusal("two <disk> are the same file");
    return {};
  }

  XmlDocument document_;
  XmlNode root_;
  ClonePlan plan_;
  bool has_agent_ = false;
  bool is_plugged_in_ = false;  // one adapter at least
};

}  // namespace

Result<ClonePlan> plan_clone(const std::string& golden_xml, const Mark& machine) {
  PATCHLAB_TRY(check_mark(machine));
  if (machine.machine.empty()) return configuration_error("a clone needs a machine name");
  PATCHLAB_ASSIGN(auto document, XmlDocument::parse(golden_xml, "the XML of the golden domain"));
  return Cloner(std::move(document), machine).plan();
}

namespace {
// Children of <devices> of a clone that can only be as it was defined: they have no end on the host.
constexpr Names<9> harmless_devices{"emulator", "controller", "video", "watchdog", "memballoon",
                                    "panic",    "hub",        "iommu", "sound"};
// And those of which only some kinds have none.
constexpr std::array<std::array<std::string_view, 2>, 10> harmless_kinds{{{"audio", "none"},
                                                                          {"rng", "random"},
                                                                          {"rng", "builtin"},
                                                                          {"input", "mouse"},
                                                                          {"input", "tablet"},
                                                                          {"input", "keyboard"},
                                                                          {"memory", "dimm"},
                                                                          {"memory", "virtio-mem"},
                                                                          {"serial", "pty"},
                                                                          {"parallel", "pty"}}};

std::string why_no_part_of_a_clone(const XmlNode& device, const Mark& cell) {
  const auto name = device.name();
  const auto type = device.attribute("type");
  if (device.is_foreign()) return fmt::format("<{}> of '{}'", name, device.namespace_uri());
  if (contains(harmless_devices, name)) return {};
  const auto kind = name == "rng"      ? device.child("backend").attribute("model")
                    : name == "memory" ? device.attribute("model")
                                       : type;
  if (std::ranges::any_of(harmless_kinds, [&](const auto& one) { return one[0] == name && one[1] == kind; })) return {};
  if (name == "interface") {
    const auto network = device.child("source").attribute("network");
    const bool inside = type == "network" && network == cell.object_name();
    return inside ? std::string() : fmt::format("<interface type='{}'> on '{}'", type, network);
  }
  if (name == "channel") {
    const auto target = device.child("target").attribute("name");
    const bool known = type == "null" || (type == "unix" && target == agent_channel &&
                                          device.child("source").attribute("mode") != "connect");
    return known ? std::string() : fmt::format("<channel type='{}'> '{}'", type, target);
  }
  if (name == "console" && type == "pty") return {};
  if (name == "disk") {
    const auto file = device.child("source").attribute("file");
    const bool reads = device.child("readonly") || device.attribute("device") == "cdrom";
    const bool own = std::filesystem::path(file).parent_path() == cell.folder;
    const bool known = (type == "file" && (own || reads)) || file.empty();
    return known && device.child("source").attribute("dev").empty()
               ? std::string()
               : fmt::format("<disk type='{}'> on '{}'", type, file);
  }
  return kind.empty() ? fmt::format("<{}>", name) : fmt::format("<{}> of kind '{}'", name, kind);
}
}  // namespace

Result<std::vector<std::string>> ways_out_of(const std::string& live_xml, const Mark& machine) {
  PATCHLAB_ASSIGN(const auto document, XmlDocument::parse(live_xml, "the XML of a running clone"));
  std::vector<std::string> found;
  if (mark_of(document.root()) != machine) found.emplace_back("it has not the mark of this clone");
  Mark cell = machine;
  cell.machine.clear();
  for (const auto& part : document.root().children()) {
    if (part.is_foreign()) found.push_back(fmt::format("<{}> of '{}'", part.name(), part.namespace_uri()));
  }
  for (const auto& device : document.root().child("devices").children()) {
    if (auto why = why_no_part_of_a_clone(device, cell); !why.empty()) found.push_back(std::move(why));
  }
  return found;
}

bool has_firmware_flash(const std::string& domain_xml) {
  const auto document = XmlDocument::parse(domain_xml, "the XML of the machine");
  if (!document) return false;
  const auto os = document->root().child("os");
  return os.child("loader").attribute("type") == "pflash" || os.attribute("firmware") == "efi";
}

Result<std::string> cd_drive_with(const std::string& domain_xml, const std::filesystem::path& iso) {
  PATCHLAB_ASSIGN(const auto document, XmlDocument::parse(domain_xml, "the XML of the machine"));
  for (auto& disk : document.root().child("devices").children("disk")) {
    if (disk.attribute("device") != "cdrom") continue;
    disk.remove_children("source");
    disk.remove_children("backingStore");
    disk.set_attribute("type", "file");
    if (!iso.empty()) disk.add("source").set_attribute("file", iso.native());
    return disk.to_text();
  }
  return configuration_error("the machine has no CD drive");
}

}  // namespace patchlab::lab::libvirt

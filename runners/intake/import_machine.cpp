// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/intake/import_machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "lab/core/held_folder.hpp"
#include "lab/core/json.hpp"
#include "lab/core/open_below.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "lab/libvirt/domain_xml.hpp"
#include "lab/libvirt/leftovers.hpp"
#include "lab/libvirt/system_lab.hpp"
#include "patches/msu/xml_document.hpp"
#include "runners/intake/archive.hpp"
#include "runners/intake/manifest.hpp"
#include "runners/intake/ovf.hpp"

namespace patchlab::runners::intake {
namespace {

namespace fs = std::filesystem;
namespace libvirt = lab::libvirt;

constexpr const char* work_prefix = ".patchlab-import-";
constexpr std::uint32_t usual_memory_mib = 4096;
constexpr std::uint32_t usual_cpus = 2;

constexpr const char* as_told = "as told";
constexpr const char* by_descriptor = "its descriptor";
constexpr const char* not_told = "nothing told it";

// What tells that a file is the same that it was when it was opened.
struct Identity {
  dev_t device = 0;
  ino_t number = 0;
  off_t bytes = 0;
  std::int64_t changed_s = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const Identity&) const = default;
};

Identity identity_in(const struct stat& status) {
  return {status.st_dev, status.st_ino, status.st_size, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
}

bool is_taken(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 || errno != ENOENT;
}

// A folder in the storage, of one import; with it go all files that were not put in place.
class Workshop {
 public:
  static Result<Workshop> open(const fs::path& storage, std::vector<std::string>& notes) {
    for (const auto& left : remove_abandoned(storage, work_prefix))
      notes.push_back(fmt::format("removed '{}' of an import that was killed", left.string()));
    auto folder = HeldFolder::make_in(storage, work_prefix);
    if (!folder) {
      auto error = std::move(folder).error();
      error.hint = "who imports must be able to write there; name another folder by --storage";
      return error;
    }
    return Workshop(std::move(*folder));
  }
  Workshop(Workshop&& other) noexcept : folder_(std::move(other.folder_)), placed_(std::exchange(other.placed_, {})) {}
  Workshop& operator=(Workshop&&) = delete;
  ~Workshop() {
    std::error_code ignored;
    for (const auto& file : placed_) fs::remove(file, ignored);
  }

  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }

  // By a second name for the same file: there is none of that name, or this fails. Taken away again with this, unless
  // they are to stay.
  Result<void> place(const fs::path& from, const fs::path& to) {
    if (::link(from.c_str(), to.c_str()) != 0) {
      if (errno == EEXIST) return there_already(to);
      return errno_error(fmt::format("putting '{}' in place", to.string()), errno);
    }
    placed_.push_back(to);
    return {};
  }
  void keep_placed() { placed_.clear(); }

  static Error there_already(const fs::path& file) {
    return configuration_error(
        fmt::format("there is a file '{}' already, which is left as it is", file.string()),
        "give another --name or --storage; if an import was killed here and no domain has it ('virsh domblklist'), "
        "remove it");
  }

 private:
  explicit Workshop(HeldFolder folder) : folder_(std::move(folder)) {}

  HeldFolder folder_;
  std::vector<fs::path> placed_;
};

// virt-v2v(1), of the package of that name; not among those that patchlab needs.
ProcessSpec v2v_process(const fs::path& domain, const fs::path& output, const std::string& name) {
  ProcessSpec spec;
  spec.program = "virt-v2v";
  spec.arguments = {"-i",  "libvirtxml", domain.string(), "-o", "local", "-os", output.string(),
                    "-of", "qcow2",      "-on",           name};
  spec.extra_environment = {{"LIBGUESTFS_BACKEND", "direct"}};
  spec.time_limit = std::chrono::hours(12);
  spec.private_files = true;
  return spec;
}

class Import {
 public:
  Import(ProcessRunner& runner, const ImportRequest& request) : runner_(runner), request_(request) {}

  Result<Imported> run() {
    PATCHLAB_TRY(look_at_request());
    PATCHLAB_ASSIGN(input_, open_input(path_));
    PATCHLAB_TRY(remember());
    const bool is_package = lower_case(path_.extension().string()) == ".ova";
    std::string first(512, '\0');
    const auto count = ::pread(input_.file.get(), first.data(), first.size(), 0);
    if (count < 0) return errno_error(fmt::format("reading '{}'", path_.string()), errno);
    first.resize(static_cast<std::size_t>(count));
    // Before anything is read for minutes.
    if (!is_package) PATCHLAB_TRY(format_of(file_name_, first));
    PATCHLAB_TRY(look_at_libvirt());
    say("reading '{}' for its SHA-256", file_name_);
    PATCHLAB_ASSIGN(auto digest, sha256_of_open(input_, file_name_));
    done_.machine.sources.push_back({to_valid_utf8(file_name_), digest});
    if (!request_.dry_run) {
      PATCHLAB_ASSIGN(auto opened, Workshop::open(storage_, done_.notes));
      workshop_.emplace(std::move(opened));
    }
    if (is_package) {
      PATCHLAB_TRY(take_package());
    } else {
      PATCHLAB_ASSIGN(const auto format, format_of(file_name_, first));
      PATCHLAB_TRY(take_disk({path_, file_name_, format}, digest));
    }
    PATCHLAB_TRY(choose());
    if (!request_.dry_run) PATCHLAB_TRY(make());
    return std::move(done_);
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) const {
    request_.progress(fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    done_.notes.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  Result<void> look_at_request() {
    PATCHLAB_ASSIGN(path_, absolute_path(request_.file));
    file_name_ = path_.filename().string();
    auto& machine = done_.machine;
    machine.name = request_.name.empty() ? path_.stem().string() : request_.name;
    if (auto named = libvirt::check_name("name of a domain", machine.name); !named)
      return usage_error(named.error().message, "give it by --name");
    PATCHLAB_TRY(libvirt::check_is_local(request_.uri));
    PATCHLAB_ASSIGN(storage_, absolute_path(request_.storage));
    if (!is_folder(storage_))
      return configuration_error(fmt::format("there is no folder '{}'", storage_.string()),
                                 "name the folder of a pool by --storage: 'virsh pool-dumpxml default' says its path");
    if (request_.virtio) {
      ProcessSpec version;
      version.program = "virt-v2v";
      version.arguments = {"--version"};
      version.time_limit = std::chrono::minutes(1);
      if (!runner_.run(version, request_.stop).succeeded())
        return configuration_error(
            "--virtio needs virt-v2v, which is not installed or does not start",
            "'apt-get install virt-v2v', and for Windows the drivers of virtio-win in /usr/share/virtio-win; or leave "
            "--virtio out and put the drivers in by hand: docs/how-to/bring-a-machine.md");
    }
    done_.uri = request_.uri;
    machine.network = request_.network;
    machine.made = request_.now;
    machine.tool = request_.tool;
    return {};
  }

  Result<void> look_at_libvirt() {
    PATCHLAB_ASSIGN(session_, libvirt::open_session(request_.uri));
    PATCHLAB_ASSIGN(type_, libvirt::domain_type_of(*session_));
    PATCHLAB_TRY(libvirt::check_is_new(*session_, done_.machine.name));
    return libvirt::check_has_network(*session_, request_.network);
  }

  Result<void> remember() {
    struct stat status {};
    if (::fstat(input_.file.get(), &status) != 0)
      return errno_error(fmt::format("reading '{}'", path_.string()), errno);
    identity_ = identity_in(status);
    return {};
  }

  // What was converted is what the digest says.
  [[nodiscard]] Result<void> check_unchanged() const {
    struct stat open {};
    struct stat named {};
    if (::fstat(input_.file.get(), &open) == 0 && identity_in(open) == identity_ &&
        ::stat(path_.c_str(), &named) == 0 && identity_in(named) == identity_)
      return {};
    return configuration_error(fmt::format("'{}' was changed while it was read", path_.string()),
                               "copy it to where nobody writes, and import that");
  }

  [[nodiscard]] fs::path place_of(std::size_t number) const {
    return storage_ / (number == 1 ? fmt::format("{}.qcow2", done_.machine.name)
                                   : fmt::format("{}-{}.qcow2", done_.machine.name, number));
  }

  // `disk` is looked at unless it lies in a package that is not unpacked.
  Result<void> take_disk(DiskInput disk, const std::string& digest) {
    ImportedDisk taken{disk.name, disk.format, digest, 0, place_of(done_.disks.size() + 1)};
    if (is_taken(taken.file)) return Workshop::there_already(taken.file);
    if (!disk.file.empty()) {
      say("looking at '{}'", disk.name);
      PATCHLAB_ASSIGN(const auto facts, look_at(disk, runner_, request_.stop));
      taken.bytes = facts.bytes;
      if (facts.snapshots > 0)
        note("'{}' holds {} snapshots, which are left out: what it is now is imported", disk.name, facts.snapshots);
    }
    done_.machine.disks.push_back(taken.file);
    done_.disks.push_back(std::move(taken));
    inputs_.push_back(std::move(disk));
    return {};
  }

  Result<void> take_package() {
    const auto folder = workshop_ ? workshop_->folder() : fs::path();
    if (workshop_) {
      PATCHLAB_TRY(check_room(static_cast<std::uint64_t>(identity_.bytes), "to unpack it"));
      say("unpacking '{}'", file_name_);
    }
    PATCHLAB_ASSIGN(package_, read_package(input_, file_name_, folder));
    PATCHLAB_TRY(check_unchanged());
    PATCHLAB_ASSIGN(told_, read_ovf(package_.descriptor, package_.descriptor_name));
    PATCHLAB_TRY(check_manifest());
    for (const auto& name : told_.disks) {
      const auto* member = package_.find(name);
      if (member == nullptr)
        return configuration_error(
            fmt::format("'{}' names the disk '{}', which is not in the package", package_.descriptor_name, name),
            "export the machine with its disks, and copy the package again");
      PATCHLAB_TRY(take_member(*member));
    }
    for (const auto& what : told_.left_out) note("not taken over: {}", what);
    for (const auto& member : package_.members) {
      const auto ending = lower_case(fs::path(member.name).extension().string());
      if (ending != ".ovf" && ending != ".mf" && ending != ".cert" && std::ranges::count(told_.disks, member.name) == 0)
        note("not taken over: the file '{}' of the package", member.name);
    }
    return {};
  }

  Result<void> take_member(const PackageMember& member) {
    if (member.file.empty()) {
      // Only its name is known.
      const auto ending = fs::path(member.name).extension().string();
      for (const auto format : {DiskFormat::vmdk, DiskFormat::vhdx, DiskFormat::qcow2, DiskFormat::raw}) {
        if (lower_case(ending) == fmt::format(".{}", to_string(format)))
          return take_disk({{}, member.name, format}, "");
      }
      return format_of(member.name, {}).error();
    }
    PATCHLAB_ASSIGN(const auto opened, open_input(member.file, Links::refuse));
    std::string first(512, '\0');
    const auto count = ::pread(opened.file.get(), first.data(), first.size(), 0);
    first.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    PATCHLAB_ASSIGN(const auto format, format_of(member.name, first));
    PATCHLAB_ASSIGN(auto digest, sha256_of_open(opened, member.name));
    done_.machine.sources.push_back({to_valid_utf8(member.name), digest});
    return take_disk({member.file, member.name, format}, digest);
  }

  Result<void> check_manifest() {
    if (package_.has_certificate)
      note("the signature of '{}' (.cert) was not verified: nobody here knows whose it should be", file_name_);
    if (package_.manifest_name.empty()) {
      done_.manifest = ManifestState::absent;
      note("'{}' has no manifest: only its SHA-256, compared with that where it was exported, says that it is whole",
           file_name_);
      return {};
    }
    PATCHLAB_ASSIGN(const auto lines, read_manifest(package_.manifest, package_.manifest_name));
    auto needed = told_.disks;
    needed.push_back(package_.descriptor_name);
    for (const auto& name : needed) {
      if (std::ranges::find(lines, name, &ManifestLine::file) == lines.end())
        return configuration_error(fmt::format("'{}' says nothing of '{}'", package_.manifest_name, name),
                                   "export the machine anew");
    }
    if (!workshop_) {
      done_.manifest = ManifestState::not_read;
      note("a dry run does not unpack '{}': neither its disks nor its manifest were read", file_name_);
      return {};
    }
    for (const auto& line : lines) {
      const auto* member = package_.find(line.file);
      if (member == nullptr)
        return configuration_error(
            fmt::format("'{}' names '{}', which is not in the package", package_.manifest_name, line.file),
            "copy the package again from where it was exported");
      say("comparing '{}' with the manifest", line.file);
      PATCHLAB_ASSIGN(const auto digest, digest_of_file(member->file, line.kind));
      if (digest != line.digest)
        return configuration_error(
            fmt::format("'{}' is not what '{}' says: its digest is {}", line.file, package_.manifest_name, digest),
            "copy the package again from where it was exported");
    }
    done_.manifest = ManifestState::verified;
    return {};
  }

  Result<void> choose() {
    auto& machine = done_.machine;
    const auto chosen = [](const auto& asked, const auto& told, std::uint32_t usual, std::string& from) {
      from = asked ? as_told : told ? by_descriptor : not_told;
      return asked ? *asked : told ? *told : usual;
    };
    machine.memory_mib = chosen(request_.memory_mib, told_.memory_mib, usual_memory_mib, done_.memory_from);
    machine.cpus = chosen(request_.cpus, told_.cpus, usual_cpus, done_.cpus_from);
    machine.nics = std::max<std::size_t>(told_.nics, 1);
    machine.local_time = told_.is_windows.value_or(true);
    if (!machine.local_time) note("its hardware clock is UTC, since its descriptor says that it is no Windows");
    return choose_firmware();
  }

  Result<void> choose_firmware() {
    done_.firmware_known = true;
    if (request_.firmware || told_.firmware) {
      done_.machine.firmware = request_.firmware ? *request_.firmware : *told_.firmware;
      done_.firmware_from = request_.firmware ? as_told : by_descriptor;
      return {};
    }
    const auto& first = inputs_.front();
    if (first.file.empty()) {
      done_.firmware_known = false;
      done_.firmware_from = "found out when the disk is read";
      return {};
    }
    PATCHLAB_ASSIGN(const auto sector, first_sector_of(first, runner_, request_.stop));
    const auto found = firmware_for(sector);
    if (!found)
      return configuration_error(
          fmt::format("'{}' does not begin as a disk that a machine boots from, so its firmware is not known",
                      first.name),
          "say --firmware bios for a machine of generation 1 of Hyper-V, uefi for one of generation 2; in VMware see "
          "its options");
    done_.machine.firmware = *found;
    done_.firmware_from = *found == libvirt::Firmware::uefi ? "the first disk has a GPT" : "the first disk has an MBR";
    return {};
  }

  [[nodiscard]] Result<void> check_room(std::uint64_t bytes, const char* why) const {
    struct statvfs room {};
    if (::statvfs(storage_.c_str(), &room) != 0)
      return errno_error(fmt::format("asking how much is free in '{}'", storage_.string()), errno);
    const auto free = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
    if (bytes <= free) return {};
    return infrastructure_error(fmt::format("'{}' needs {} MiB in '{}' {}, and {} are free", file_name_,
                                            (bytes >> 20U) + 1, storage_.string(), why, free >> 20U),
                                "make room there, or name another folder by --storage");
  }

  Result<void> make() {
    std::uint64_t needed = 0;
    for (const auto& disk : inputs_) {
      PATCHLAB_ASSIGN(const auto bytes, bytes_as_qcow2(disk, runner_, request_.stop));
      needed += bytes;
    }
    PATCHLAB_TRY(check_room(request_.virtio ? needed * 2 : needed, "for its disks"));
    std::vector<fs::path> made;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      say("converting disk {} of {}, '{}'", i + 1, inputs_.size(), inputs_[i].name);
      made.push_back(workshop_->folder() / fmt::format("disk-{}.qcow2", i + 1));
      PATCHLAB_TRY(convert(inputs_[i], made.back(), runner_, request_.stop));
      if (package_.find(inputs_[i].name) == nullptr) continue;
      std::error_code ignored;
      fs::remove(inputs_[i].file, ignored);  // room for the next
    }
    PATCHLAB_TRY(check_unchanged());
    if (request_.virtio) PATCHLAB_TRY(put_drivers_in(made));
    for (std::size_t i = 0; i < made.size(); ++i) PATCHLAB_TRY(workshop_->place(made[i], done_.disks[i].file));
    PATCHLAB_TRY(sync_path(storage_));
    PATCHLAB_ASSIGN(const auto defined,
                    libvirt::define_imported(*session_, libvirt::imported_domain_xml(done_.machine, type_)));
    workshop_->keep_placed();
    done_.macs = defined.macs;
    done_.is_defined = true;
    return {};
  }

  // What virt-v2v finds in the guest decides what the domain gets. It reads our own copies, which stand on nothing.
  Result<void> put_drivers_in(std::vector<fs::path>& made) {
    auto before = done_.machine;
    before.disks = made;
    const auto folder = workshop_->folder() / "v2v";
    const auto domain = workshop_->folder() / "v2v.xml";
    PATCHLAB_TRY(create_folders(folder));
    PATCHLAB_TRY(write_file_atomically(domain, libvirt::imported_domain_xml(before, type_)));
    say("having virt-v2v look into the guest and put the virtio drivers in");
    PATCHLAB_TRY(run_for_output(runner_, v2v_process(domain, folder, before.name), request_.stop)
                     .while_doing("putting the virtio drivers in"));
    PATCHLAB_ASSIGN(const auto text, read_file(folder / (before.name + ".xml"), 4U << 20U, Links::refuse));
    PATCHLAB_ASSIGN(const auto converted, converted_in(text, before.name));
    if (converted.disk_bus != "virtio")
      return configuration_error(
          fmt::format("virt-v2v found no virtio drivers for this guest: its disks are to be on '{}'",
                      converted.disk_bus),
          "put virtio-win into /usr/share/virtio-win, or leave --virtio out and put the drivers in by hand: "
          "docs/how-to/bring-a-machine.md");
    if (converted.disks.size() != made.size())
      return infrastructure_error(fmt::format("virt-v2v made {} disks of {}", converted.disks.size(), made.size()));
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (converted.disks[i].parent_path() != folder)
        return infrastructure_error(fmt::format("virt-v2v says that it wrote '{}', which is not where it was told",
                                                converted.disks[i].string()));
      const DiskInput disk{converted.disks[i], fmt::format("disk {} of virt-v2v", i + 1), DiskFormat::qcow2};
      PATCHLAB_TRY(look_at(disk, runner_, request_.stop));
      PATCHLAB_TRY(sync_path(disk.file));
      made[i] = disk.file;
    }
    done_.machine.disk_bus = converted.disk_bus;
    if (!converted.nic_model.empty()) done_.machine.nic_model = converted.nic_model;
    return {};
  }

  ProcessRunner& runner_;
  const ImportRequest& request_;
  Imported done_;
  fs::path path_;
  std::string file_name_;
  fs::path storage_;
  std::shared_ptr<libvirt::Session> session_;
  std::string type_;
  InputFile input_;
  Identity identity_;
  std::optional<Workshop> workshop_;
  Package package_;
  OvfMachine told_;
  std::vector<DiskInput> inputs_;  // as done_.disks
};

}  // namespace

const char* to_string(ManifestState state) {
  switch (state) {
    case ManifestState::no_package: return "no package";
    case ManifestState::absent: return "absent";
    case ManifestState::not_read: return "not read";
    case ManifestState::verified: return "verified";
  }
  return "";
}

Result<Imported> import_machine(ProcessRunner& runner, const ImportRequest& request) {
  return Import(runner, request).run();
}

Result<Converted> converted_in(const std::string& xml, const std::string& name) {
  PATCHLAB_ASSIGN(const auto domain, patches::parse_xml(xml, name + ".xml"));
  Converted converted;
  const auto* devices = domain.child("devices");
  if (domain.name != "domain" || devices == nullptr) return infrastructure_error("what virt-v2v wrote is no domain");
  for (const auto* disk : devices->all("disk")) {
    const auto device = disk->attribute("device");
    if (!device.empty() && device != "disk") continue;
    const auto* source = disk->child("source");
    const auto* target = disk->child("target");
    if (source == nullptr || target == nullptr || source->attribute("file").empty())
      return infrastructure_error("virt-v2v wrote a disk that is no file");
    converted.disks.emplace_back(source->attribute("file"));
    // All of them have drivers, or none is said to.
    const auto bus = target->attribute("bus");
    if (converted.disk_bus.empty() || bus != "virtio") converted.disk_bus = bus;
  }
  for (const auto* nic : devices->all("interface")) {
    if (const auto* model = nic->child("model"); model != nullptr) converted.nic_model = model->attribute("type");
  }
  if (converted.disks.empty()) return infrastructure_error("virt-v2v wrote a domain without disks");
  return converted;
}

}  // namespace patchlab::runners::intake

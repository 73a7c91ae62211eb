// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/private_root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lab/core/files.hpp"

namespace patchlab::process {
namespace {
namespace fs = std::filesystem;

// Where Debian keeps programs and libraries.
constexpr std::array system_folders{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
// What the loader, libvirt, QEMU, OpenSSL and unixODBC read. Nothing here is secret on any host. Files are copied: the
// host's package system may replace one at any time, and a file that is gone cannot be taken into a further root.
constexpr std::array system_files{
    "/etc/alternatives",         "/etc/ld.so.cache", "/etc/ld.so.conf",     "/etc/ld.so.conf.d",
    "/etc/libvirt/libvirt.conf", "/etc/qemu",        "/etc/services",       "/etc/protocols",
    "/etc/odbcinst.ini",         "/etc/ssl/certs",   "/etc/ssl/openssl.cnf"};

// A mount that hangs nowhere yet.
struct Piece {
  fs::path place;  // where it is going to be seen
  FileDescriptor mount;
  bool is_folder = true;
};

Result<void> set_flags(int mount, const fs::path& what, std::uint64_t flags, unsigned how) {
  mount_attr attributes{};
  attributes.attr_set = flags;
  if (::mount_setattr(mount, "", AT_EMPTY_PATH | how, &attributes, sizeof attributes) == 0) return {};
  return errno_error(fmt::format("protecting '{}' in a root of its own", what.string()), errno);
}

// With everything mounted below: a part alone would show what is hidden under a mount.
Result<Piece> piece_of(const fs::path& source, const fs::path& place, std::uint64_t flags) {
  FileDescriptor mount(::open_tree(AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  struct stat status {};
  if (!mount.valid() || ::fstat(mount.get(), &status) != 0)
    return errno_error(fmt::format("taking '{}' into a root of its own", source.string()), errno);
  PATCHLAB_TRY(set_flags(mount.get(), source, flags, AT_RECURSIVE));
  return Piece{place, std::move(mount), S_ISDIR(status.st_mode)};
}

Result<FileDescriptor> new_mount(const char* type, const char* mode, unsigned flags, std::uint64_t most = 0) {
  const auto trouble = [type] { return errno_error(fmt::format("making a new {}", type), errno); };
  const FileDescriptor context(::fsopen(type, FSOPEN_CLOEXEC));
  if (!context.valid()) return trouble();
  if (mode != nullptr && ::fsconfig(context.get(), FSCONFIG_SET_STRING, "mode", mode, 0) != 0) return trouble();
  if (most != 0 && ::fsconfig(context.get(), FSCONFIG_SET_STRING, "size", std::to_string(most).c_str(), 0) != 0)
    return trouble();
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return trouble();
  FileDescriptor mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, flags));
  if (!mount.valid()) return trouble();
  return mount;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

class Builder {
 public:
  explicit Builder(const PrivateRoot& wanted) : wanted_(wanted) {}

  Result<void> build() {
    const FilesForAll umask_of_a_root;  // who confines itself here is somebody else: its folders must let everybody in
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return errno_error("taking the mounts of the host for itself", errno);
    PATCHLAB_TRY(collect());
    PATCHLAB_TRY(enter_empty_root());
    for (const auto& [link, target] : links_) static_cast<void>(!::symlink(target.c_str(), link.c_str()));
    for (const auto& piece : pieces_) PATCHLAB_TRY(hang(piece));
    if (wanted_.protect_proc) PATCHLAB_TRY(protect_proc());
    PATCHLAB_TRY(write_files());
    for (const auto& program : wanted_.programs) PATCHLAB_TRY(add_program(program));
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::mount_setattr(AT_FDCWD, "/", 0, &attributes, sizeof attributes) != 0)
      return errno_error("making the root read-only", errno);
    return {};
  }

 private:
  static constexpr std::uint64_t harmless = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

  // Everything is taken while the host's files can still be seen.
  Result<void> collect() {
    PATCHLAB_TRY(collect_system());
    for (const auto& [place, mode, flags] : {std::tuple{"/tmp", "1777", MOUNT_ATTR_NOEXEC}, {"/run", "0755", 0}}) {
      PATCHLAB_ASSIGN(auto mount,
                      new_mount("tmpfs", mode, harmless | static_cast<unsigned>(flags), wanted_.most_written));
      pieces_.push_back({place, std::move(mount)});
    }
    PATCHLAB_TRY(collect_devices());
    PATCHLAB_TRY(collect_kernel_files());
    for (const auto& path : wanted_.readable) PATCHLAB_TRY(take_readable(path));
    for (const auto& folder : wanted_.writable) PATCHLAB_TRY(take(folder, folder, harmless));
    for (const auto& [folder, place] : wanted_.writable_at) PATCHLAB_TRY(take(folder, place, harmless));
    std::ranges::stable_sort(pieces_, {}, &Piece::place);  // what lies in another piece comes after it
    return {};
  }

  Result<void> collect_system() {
    for (const fs::path folder : system_folders) {
      std::error_code code;
      if (fs::is_symlink(folder, code)) {
        links_.emplace_back(folder, fs::read_symlink(folder, code));
      } else {
        PATCHLAB_TRY(take_readable(folder));
      }
      covered_.push_back(folder);
    }
    for (const fs::path path : system_files) {
      std::error_code code;
      if (!fs::is_regular_file(path, code)) {
        PATCHLAB_TRY(take_readable(path));
      } else if (auto bytes = read_file(path)) {  // what we cannot read nobody needs there
        files_.emplace_back(path, std::move(*bytes));
      }
    }
    return {};
  }

  Result<void> collect_devices() {
    for (const auto& name : wanted_.devices) {
      const auto path = fs::path("/dev") / name;
      std::error_code code;
      if (!fs::exists(path, code)) continue;
      PATCHLAB_TRY(take(path, path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    }
    PATCHLAB_ASSIGN(auto shared, new_mount("tmpfs", "1777", harmless | MOUNT_ATTR_NOEXEC, wanted_.most_written));
    pieces_.push_back({"/dev/shm", std::move(shared)});
    return {};
  }

  // The kernel allows new ones only where whole ones can be seen.
  Result<void> collect_kernel_files() {
    PATCHLAB_TRY(collect_proc());
    if (!wanted_.devices_of_kernel) return {};
    return take("/sys", "/sys", harmless | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
  }

  Result<void> collect_proc() {
    auto proc = new_mount("proc", nullptr, harmless | MOUNT_ATTR_NOEXEC);
    if (!proc && wanted_.old_proc_will_do)
      return take("/proc", "/proc", harmless | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
    if (!proc) {
      auto error = std::move(proc).error();
      error.hint =
          "a container that masks parts of /proc does not allow it; run patchlab outside, or give the container an "
          "unmasked /proc";
      return error;
    }
    pieces_.push_back({"/proc", std::move(*proc)});
    return {};
  }

  // In place, of the new /proc: what a file there is depends on who looks.
  static Result<void> protect_proc() {
    for (const fs::path path : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"}) {
      std::error_code code;
      if (!fs::exists(path, code)) continue;
      PATCHLAB_ASSIGN(const auto piece, piece_of(path, path, harmless | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY));
      if (::move_mount(piece.mount.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return errno_error(fmt::format("protecting '{}'", path.string()), errno);
    }
    return {};
  }

  Result<void> take(const fs::path& source, const fs::path& place, std::uint64_t flags) {
    PATCHLAB_ASSIGN(auto piece, piece_of(source, place, flags));
    pieces_.push_back(std::move(piece));
    return {};
  }

  Result<void> take_readable(const fs::path& path) {
    std::error_code code;
    const bool is_there =
        std::any_of(covered_.begin(), covered_.end(), [&](const fs::path& folder) { return is_below(path, folder); });
    if (is_there || !fs::exists(path, code)) return {};
    return take(path, path, harmless | MOUNT_ATTR_RDONLY);
  }

  // pivot_root(2), "pivot_root(".", ".")": the old root lies on the new one, and goes at once.
  static Result<void> enter_empty_root() {
    PATCHLAB_ASSIGN(const auto root, new_mount("tmpfs", "0755", harmless));
    const auto trouble = [] { return errno_error("entering a root of its own", errno); };
    if (::move_mount(root.get(), "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) != 0) return trouble();
    if (::chdir("/dev") != 0) return trouble();
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return trouble();
    if (::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) return trouble();
    return {};
  }

  static Result<void> hang(const Piece& piece) {
    PATCHLAB_TRY(create_folders(piece.is_folder ? piece.place : piece.place.parent_path()));
    if (!piece.is_folder) {
      const FileDescriptor file(::open(piece.place.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0444));
      if (!file.valid()) return errno_error(fmt::format("making a place for '{}'", piece.place.string()), errno);
    }
    return put(piece);
  }

  static Result<void> add_program(const NewProgram& program) {
    PATCHLAB_TRY(create_folders(program.file.parent_path()));
    PATCHLAB_TRY(write_file_atomically(program.file, program.bytes));
    if (::chmod(program.file.c_str(), 0555) != 0)
      return errno_error(fmt::format("making '{}' a program", program.file.string()), errno);
    std::error_code code;
    const bool is_there = !program.instead_of.empty() && fs::is_regular_file(program.instead_of, code);
    const auto& place = is_there ? program.instead_of : program.file;
    if (::symlink(place.c_str(), (program.file.parent_path() / place_link).c_str()) != 0)
      return errno_error(fmt::format("saying where '{}' is", program.file.string()), errno);
    if (!is_there) return {};
    // Under another name, when that is a link: by which one a program is executed may matter to it.
    PATCHLAB_ASSIGN(const auto piece, piece_of(program.file, fs::canonical(place, code), harmless | MOUNT_ATTR_RDONLY));
    return put(piece);
  }

  static Result<void> put(const Piece& piece) {
    if (::move_mount(piece.mount.get(), "", AT_FDCWD, piece.place.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0) return {};
    return errno_error(fmt::format("putting '{}' into a root of its own", piece.place.string()), errno);
  }

  // Nobody is asked who a user is: no service of the host, and no list of its users.
  Result<void> write_files() const {
    const auto user = ::geteuid();
    const auto group = ::getegid();
    std::string hosts = "127.0.0.1 localhost\n::1 localhost\n";
    for (const auto& [address, name] : wanted_.names) {
      if ((address + name).find_first_of(" \t\n#") != std::string::npos || name.empty())
        return configuration_error(fmt::format("'{}' is no name of a host", name));
      hosts += fmt::format("{} {}\n", address, name);
    }
    const std::array<std::pair<const char*, std::string>, 5> files{
        {{"/etc/passwd", fmt::format("root:x:0:0:root:/:/bin/false\nlab:x:{}:{}:lab:/tmp:/bin/false\n"
                                     "nobody:x:65534:65534:nobody:/tmp:/bin/false\n",
                                     user, group)},
         {"/etc/group", fmt::format("root:x:0:\nlab:x:{}:\nnogroup:x:65534:\n", group)},
         {"/etc/hosts", hosts},
         {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"},
         {"/etc/resolv.conf", ""}}};
    PATCHLAB_TRY(create_folders("/etc"));
    for (const auto& [path, text] : files) PATCHLAB_TRY(write_file_atomically(path, text));
    for (const auto& [path, bytes] : files_) {
      PATCHLAB_TRY(create_folders(path.parent_path()));
      PATCHLAB_TRY(write_file_atomically(path, bytes));
    }
    constexpr std::array<std::array<const char*, 2>, 7> links{{{"/proc/self/fd", "/dev/fd"},
                                                               {"/proc/self/fd/0", "/dev/stdin"},
                                                               {"/proc/self/fd/1", "/dev/stdout"},
                                                               {"/proc/self/fd/2", "/dev/stderr"},
                                                               {"pts/ptmx", "/dev/ptmx"},
                                                               {"/run", "/var/run"},
                                                               {"/tmp", "/var/tmp"}}};
    PATCHLAB_TRY(create_folders("/var"));
    PATCHLAB_TRY(create_folders("/dev/pts"));
    for (const auto& [target, name] : links) static_cast<void>(!::symlink(target, name));
    return {};
  }

  const PrivateRoot& wanted_;
  std::vector<Piece> pieces_;
  std::vector<std::pair<fs::path, fs::path>> links_;
  std::vector<fs::path> covered_;
  std::vector<std::pair<fs::path, std::string>> files_;  // with the bytes that they had
};
}  // namespace

Result<void> enter_private_root(const PrivateRoot& wanted) { return Builder(wanted).build(); }

}  // namespace patchlab::process

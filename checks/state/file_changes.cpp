// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/file_changes.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "checks/state/rules.hpp"
#include "checks/state/unified_diff.hpp"

namespace patchlab::checks::state {
namespace {

constexpr unsigned int set_bits = 06000;
constexpr unsigned int sticky_bit = 01000;
constexpr unsigned int everybody_writes = 0002;
constexpr std::size_t most_rows = 200;
constexpr const char* capability = "security.capability";

bool is_scratch(const std::string& path) {
  return path.starts_with("/tmp/") || path.starts_with("/var/tmp/") || path.starts_with("/run/") ||
         path.starts_with("/dev/") || path.starts_with("/proc/") || path.starts_with("/sys/");
}

const UsualChange* usual(const std::string& path) {
  const auto& table = usual_changes();
  const auto found =
      std::ranges::find_if(table, [&](const auto& row) { return ::fnmatch(row.path, path.c_str(), 0) == 0; });
  return found == table.end() ? nullptr : &*found;
}

bool is_account_file(const std::string& path) {
  constexpr std::array<std::string_view, 6> names{"/etc/passwd",  "/etc/shadow", "/etc/group",
                                                  "/etc/gshadow", "/etc/subuid", "/etc/subgid"};
  return std::ranges::count(names, std::string_view(path)) > 0;
}

std::string attribute_of(const GuestFile* file, const std::string& name) {
  if (file == nullptr) return {};
  const auto found = file->attributes.find(name);
  return found == file->attributes.end() ? std::string() : found->second;
}

const char* word_of(char kind) {
  switch (kind) {
    case 'f': return "file";
    case 'd': return "folder";
    case 'l': return "link";
    case 'p': return "FIFO";
    case 's': return "socket";
    default: return "device";
  }
}

// One guest's names for one comparison.
class Judge {
 public:
  Judge(const Shipped& shipped, const Contents& contents, const GuestView& now, Accounts accounts)
      : shipped_(shipped), contents_(contents), now_(now), accounts_(accounts) {}

  void look_at(const FileChange& change) {
    look_at_rights(change);
    if (is_explained(change)) return;
    // What a folder took with it is told by the folder.
    if (change.after == nullptr && is_below_gone(change.path)) return;
    auto before = described(change.before), after = described(change.after);
    if (is_content_alone(change)) after = fmt::format("other content, {} bytes", change.after->bytes);
    if (change.after == nullptr) gone_.insert(change.path + "/");
    add("file", change.path, before, after);
  }
  [[nodiscard]] std::vector<StateDifference> take() {
    std::ranges::sort(found_, [](const auto& a, const auto& b) {
      return std::tie(a.finding, a.kind, a.item) < std::tie(b.finding, b.kind, b.item);
    });
    if (found_.size() > most_rows) {
      const auto more = found_.size() - most_rows;
      const auto finding = found_[most_rows].finding;
      found_.resize(most_rows);
      found_.push_back({"file", "others", "", fmt::format("{} more", more), finding, "more than are listed"});
    }
    std::ranges::sort(found_,
                      [](const auto& a, const auto& b) { return std::tie(a.kind, a.item) < std::tie(b.kind, b.item); });
    return std::move(found_);
  }

 private:
  void add(const char* kind, const std::string& item, const std::string& before, const std::string& after) {
    found_.push_back(classified({kind, item, before, after}));
  }

  [[nodiscard]] std::string owner(const GuestFile& file) const {
    const auto name = [](const auto& names, auto number) {
      const auto found = names.find(number);
      return found == names.end() ? std::to_string(number) : found->second;
    };
    return name(now_.users, file.user) + ":" + name(now_.groups, file.group);
  }
  [[nodiscard]] std::string described(const GuestFile* file) const {
    if (file == nullptr) return {};
    if (file->kind == 'l') return "link to " + file->target;
    auto text = fmt::format("{} {:04o} {}", word_of(file->kind), file->mode, owner(*file));
    if (file->kind == 'f') text += fmt::format(", {} bytes", file->bytes);
    return text;
  }
  [[nodiscard]] std::string rights(const GuestFile* file) const {
    if (file == nullptr || file->kind != 'f' || (file->mode & set_bits) == 0) return {};
    return fmt::format("{:04o} {}", file->mode, owner(*file));
  }

  void look_at_rights(const FileChange& change) {
    const auto* before = change.before;
    const auto* after = change.after;
    const auto* brought = shipped_.find(change.path);
    const bool as_brought = brought != nullptr && after != nullptr && is_as_shipped(change, *brought);
    if (!as_brought) {
      auto old = rights(before), now = rights(after);
      if (old == now && !now.empty() && has_other_content(change)) now += ", other content";
      // One that is gone is told as that.
      if (old != now && after != nullptr) add("set-uid", change.path, old, now);
    }
    if (after == nullptr) return;
    if (const auto old = attribute_of(before, capability), now = attribute_of(after, capability); old != now)
      add("capability", change.path, old, now);
    for (const auto* name : {"system.posix_acl_access", "system.posix_acl_default"}) {
      const auto old = attribute_of(before, name), now = attribute_of(after, name);
      // A folder's default goes over to everything that is made in it.
      if (old != now && (before != nullptr || !is_usual(change))) add("acl", change.path, old, now);
    }
    const auto open = [](const GuestFile* file) {
      if (file == nullptr || (file->kind != 'f' && file->kind != 'd')) return false;
      return (file->mode & everybody_writes) != 0 && (file->kind == 'f' || (file->mode & sticky_bit) == 0);
    };
    if (open(before) != open(after) && !as_brought && !is_scratch(change.path))
      add("world-writable", change.path, open(before) ? described(before) : "", open(after) ? described(after) : "");
  }

  [[nodiscard]] static bool same_owner_and_mode(const GuestFile& a, const GuestFile& b) {
    return a.mode == b.mode && a.user == b.user && a.group == b.group;
  }
  [[nodiscard]] static bool is_content_alone(const FileChange& change) {
    return change.before != nullptr && change.after != nullptr && change.before->kind == 'f' &&
           change.after->kind == 'f' && same_owner_and_mode(*change.before, *change.after);
  }
  [[nodiscard]] bool is_owner(const ShippedFile& brought, const GuestFile& file) const {
    const auto is = [](const auto& names, auto number, const std::string& name, auto by_number) {
      if (name.empty()) return number == by_number;
      const auto known = std::ranges::any_of(names, [&](const auto& entry) { return entry.second == name; });
      const auto found = names.find(number);
      return known ? found != names.end() && found->second == name : number == by_number;
    };
    return is(now_.users, file.user, brought.user, brought.user_id) &&
           is(now_.groups, file.group, brought.group, brought.group_id);
  }

  [[nodiscard]] std::string digest(const std::map<std::string, std::string>& digests, const std::string& path) const {
    const auto found = digests.find(path);
    return found == digests.end() ? std::string() : found->second;
  }
  // What could not be read, or was not read before, is another content when anything of it but the time of its last
  // change says so: that is another one, too, when a name of it came or went.
  [[nodiscard]] bool has_other_content(const FileChange& change) const {
    if (change.before == nullptr || change.after == nullptr || change.after->kind != 'f') return false;
    const auto& a = *change.before;
    const auto& b = *change.after;
    const bool same = a.bytes == b.bytes && a.modified == b.modified && a.inode == b.inode;
    if (same && a.changed == b.changed) return false;
    const auto old = digest(contents_.before, change.path), now = digest(contents_.after, change.path);
    return old.empty() || now.empty() ? !same : old != now;
  }

  // Mode and owner: as the archive says, or as they were: dpkg-statoverride(1) keeps what an administrator chose.
  [[nodiscard]] bool is_as_shipped(const FileChange& change, const ShippedFile& brought) const {
    const auto& file = *change.after;
    if (file.kind != brought.kind)
      return brought.kind == 'o' && file.kind != 'f' && file.kind != 'd' && file.kind != 'l';
    if (file.kind == 'l') return file.target == brought.target;
    const bool kept = change.before != nullptr && same_owner_and_mode(*change.before, file);
    if (!kept && !(file.mode == brought.mode && is_owner(brought, file))) return false;
    return file.kind != 'f' || digest(contents_.after, change.path) == brought.sha256;
  }

  // What dpkg and ucf leave beside a configuration file.
  [[nodiscard]] bool is_beside_conffile(const FileChange& change) const {
    if (change.after == nullptr) return false;
    for (const std::string_view ending : {".dpkg-dist", ".dpkg-new", ".dpkg-old", ".dpkg-bak", ".dpkg-remove",
                                          ".dpkg-tmp", ".ucf-dist", ".ucf-new", ".ucf-old"}) {
      if (!change.path.ends_with(ending)) continue;
      const auto path = change.path.substr(0, change.path.size() - ending.size());
      const auto now = digest(contents_.after, change.path);
      if (now.empty()) return false;
      if (now == digest(contents_.before, path)) return true;
      const auto* brought = shipped_.find(path);
      return brought != nullptr && now == brought->sha256;
    }
    return false;
  }

  [[nodiscard]] static bool is_usual(const FileChange& change) { return usual(change.path) != nullptr; }
  // In the places of state, too, nobody but an administrator gives a folder that was there to somebody else.
  [[nodiscard]] static bool is_given_away(const FileChange& change) {
    return change.before != nullptr && change.after != nullptr && change.before->kind == 'd' &&
           change.after->kind == 'd' && !is_scratch(change.path) && !same_owner_and_mode(*change.before, *change.after);
  }

  [[nodiscard]] bool leads_to_what_came(const FileChange& change) const {
    if (change.after == nullptr || change.after->kind != 'l') return false;
    const auto folder = std::filesystem::path(change.path).parent_path();
    const auto target = (folder / change.after->target).lexically_normal().string();
    return shipped_.find(target) != nullptr;
  }

  // update-ca-certificates makes these of the authorities that the package brings.
  [[nodiscard]] bool is_made_of_authorities(const FileChange& change) const {
    const bool is_made = change.path.starts_with("/etc/ssl/certs/") || change.path == "/etc/ca-certificates.conf" ||
                         change.path == "/etc/ca-certificates.conf.dpkg-old";
    return is_made && shipped_.brings_below("/usr/share/ca-certificates/");
  }

  [[nodiscard]] bool is_explained(const FileChange& change) const {
    if (is_usual(change)) return !is_given_away(change);
    if (accounts_ == Accounts::told && is_account_file(change.path) && change.before != nullptr &&
        change.after != nullptr && same_owner_and_mode(*change.before, *change.after))
      return true;
    if (is_made_of_authorities(change)) return true;
    if (change.after == nullptr) return shipped_.dropped(change.path);
    if (const auto* brought = shipped_.find(change.path)) {
      if (is_as_shipped(change, *brought)) return true;
    }
    if (change.before != nullptr && change.before->kind == change.after->kind &&
        change.before->target == change.after->target && same_owner_and_mode(*change.before, *change.after) &&
        !has_other_content(change))
      return true;
    if (is_beside_conffile(change)) return true;
    return leads_to_what_came(change);
  }
  [[nodiscard]] bool is_below_gone(const std::string& path) const {
    return std::ranges::any_of(gone_, [&](const auto& folder) { return path.starts_with(folder); });
  }

  const Shipped& shipped_;
  const Contents& contents_;
  const GuestView& now_;
  const Accounts accounts_;
  std::set<std::string> gone_;
  std::vector<StateDifference> found_;
};

}  // namespace

const std::vector<UsualChange>& usual_changes() {
  static const std::vector<UsualChange> table{
      {"/tmp/*", "temporary"},
      {"/var/tmp/*", "temporary"},
      {"/run/*", "state of programs that run"},
      {"/dev/*", "devices"},
      {"/var/log/*", "logs"},
      {"/var/cache/*", "caches"},
      {"/var/backups/*", "copies that the system's own jobs keep"},
      {"/var/mail/*", "mail that the lab's checks send"},
      {"/var/spool/cron/crontabs", "its entries tell"},
      {"/var/spool/mqueue/*", "queues"},
      {"/var/spool/postfix/*", "queues, and copies that Postfix makes for its own root at each start"},
      {"/var/spool/exim4/*", "queues"},
      {"/var/spool/cups/*", "jobs that the lab's checks print"},
      {"/var/spool/samba/*", "jobs that the lab's checks print"},
      {"/var/spool/lpd/*", "jobs that the lab's checks print"},
      {"/home/*/Maildir/*", "mail that the lab's checks send"},
      {"/root/.bash_history", "what was typed"},
      {"/var/lib/dpkg/*", "dpkg's own database"},
      {"/var/lib/apt/*", "apt's own state"},
      {"/var/lib/ucf/*", "ucf's own database"},
      {"/var/lib/systemd/*", "systemd's own state"},
      {"/var/lib/postgresql/*", "data of the database, which checks look at"},
      {"/var/lib/mysql/*", "data of the database, which checks look at"},
      {"/var/lib/samba/*", "Samba's own databases"},
      {"/var/lib/postfix/*", "Postfix' own state"},
      {"/var/lib/dovecot/*", "Dovecot's own state"},
      {"/usr/share/dovecot/protocols.d/*", "scripts of Dovecot's packages write which protocols are there"},
      {"/var/lib/kea/*", "leases"},
      {"/var/lib/dhcp/*", "leases"},
      {"/var/lib/misc/*", "leases and states"},
      {"/var/lib/initramfs-tools/*", "what update-initramfs remembers"},
      {"/var/lib/initscripts/*", "what start-up scripts remember"},
      {"/var/lib/urandom/*", "the seed of the next start"},
      {"/var/lib/insserv/*", "what insserv remembers"},
      {"/var/lib/pam/*", "what pam-auth-update remembers"},
      {"/var/lib/logrotate/*", "what logrotate remembers"},
      {"/var/lib/man-db/*", "what man-db remembers"},
      {"/var/lib/update-notifier/*", "what was noticed"},
      {"/var/lib/ntp/*", "drift of the clock"},
      {"/var/lib/ntpsec/*", "drift of the clock"},
      {"/var/lib/chrony/*", "drift of the clock"},
      {"/etc/ld.so.cache", "ldconfig writes it when libraries come"},
      {"/etc/init.d/.depend.*", "insserv's order of the scripts, made from them"},
      {"/etc/mtab", "what is mounted: rows of their own"},
      {"/etc/.pwd.lock", "a lock"},
      {"/etc/passwd-", "the copy that is kept of /etc/passwd"},
      {"/etc/shadow-", "the copy that is kept of /etc/shadow"},
      {"/etc/group-", "the copy that is kept of /etc/group"},
      {"/etc/gshadow-", "the copy that is kept of /etc/gshadow"},
      {"/etc/subuid-", "the copy that is kept of /etc/subuid"},
      {"/etc/subgid-", "the copy that is kept of /etc/subgid"},
      {"/etc/adjtime", "drift of the clock"},
      {"/etc/resolvconf/run/*", "state of programs that run"},
      {"/etc/postfix/*.db", "tables that Postfix makes from the texts beside them"},
      {"/etc/aliases.db", "a table made from the text beside it"},
      {"/etc/cups/subscriptions.conf*", "CUPS writes it while it runs"},
      {"/etc/cups/printers.conf.O", "the copy that CUPS keeps of printers.conf"},
      {"/etc/cups/classes.conf.O", "the copy that CUPS keeps of classes.conf"},
      {"/etc/cups/ppd/*.ppd.O", "the copy that CUPS keeps of a PPD file"},
      {"/etc/printcap", "CUPS writes it while it runs"},
      {"/etc/lvm/archive/*", "copies that LVM keeps"},
      {"/etc/lvm/backup/*", "copies that LVM keeps"},
      {"/initrd.img*", "a link to the kernel's"},
      {"/vmlinuz*", "a link to the kernel"},
      {"/boot/initrd.img-*", "made from what is installed"},
      {"/boot/grub/grubenv", "what the boot loader remembers"},
      {"/boot/grub/grub.cfg", "made from the kernels that are installed"},
      {"/lib/modules/*/modules.*", "depmod's tables"},
      {"/usr/lib/modules/*/modules.*", "depmod's tables"},
      {"/usr/lib/locale/locale-archive", "made from the locales that are chosen"},
      {"/usr/lib/*/gconv/gconv-modules.cache", "a cache of iconvconfig"},
      {"/usr/lib/*/gio/modules/giomodule.cache", "a cache"},
      {"/usr/lib/*/gdk-pixbuf-*/loaders.cache", "a cache"},
      {"/usr/lib/udev/hwdb.bin", "made from the texts beside it"},
      {"/etc/udev/hwdb.bin", "made from the texts beside it"},
      {"/usr/share/info/dir*", "the index of info pages"},
      {"/usr/share/mime/*", "update-mime-database writes it"},
      {"/usr/share/applications/mimeinfo.cache", "a cache"},
      {"/usr/share/glib-2.0/schemas/gschemas.compiled", "made from the texts beside it"},
      {"/usr/share/icons/*/icon-theme.cache", "a cache"},
      {"/usr/share/fonts/*/.uuid", "a cache"},
      {"*/__pycache__", "Python's translations"},
      {"*/__pycache__/*", "Python's translations"},
      {"*.pyc", "Python's translations"},
      {"/lost+found*", "what fsck finds"},
  };
  return table;
}

Shipped::Shipped(const std::vector<const ShippedPackage*>& packages, const GuestFiles& files,
                 const std::map<std::string, std::set<std::string>>& owned) {
  for (const auto* folder : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    const auto found = files.find(folder);
    if (found == files.end() || found->second.kind != 'l') continue;
    const auto target = (std::filesystem::path("/") / found->second.target).lexically_normal().string();
    links_[folder] = target;
  }
  for (const auto* package : packages) {
    for (const auto& [path, file] : package->files) {
      if (!links_.contains(path)) files_[placed(path)] = file;
    }
    for (const auto& path : package->conffiles) conffiles_.insert(placed(path));
  }
  for (const auto* package : packages) {
    const auto had = owned.find(package->package);
    if (had == owned.end()) continue;
    for (const auto& path : had->second) {
      if (!files_.contains(placed(path))) dropped_.insert(placed(path));
    }
  }
}

std::string Shipped::placed(const std::string& path) const {
  const auto slash = path.find('/', 1);
  const auto found = links_.find(path.substr(0, slash));
  if (found == links_.end() || slash == std::string::npos) return path;
  return found->second + path.substr(slash);
}

const ShippedFile* Shipped::find(const std::string& path) const {
  const auto found = files_.find(placed(path));
  return found == files_.end() ? nullptr : &found->second;
}

bool Shipped::brings_below(const std::string& folder) const {
  const auto first = files_.upper_bound(folder);
  return first != files_.end() && first->first.starts_with(folder);
}

bool Shipped::brings_unit(const std::string& name) const {
  return files_.contains("/usr/lib/systemd/system/" + name) || files_.contains("/lib/systemd/system/" + name) ||
         files_.contains("/etc/init.d/" + name.substr(0, name.rfind('.')));
}

std::vector<FileChange> changed_files(const GuestFiles& before, const GuestFiles& after) {
  std::vector<FileChange> changes;
  const auto tells = [](const GuestFile& a, const GuestFile& b) {
    auto same = b;
    if (a.kind == b.kind && a.kind != 'f') same.changed = a.changed;
    if (a.kind == 'd' && b.kind == 'd') {
      same.modified = a.modified;
      same.bytes = a.bytes;
    }
    return same != a;
  };
  for (const auto& [path, file] : before) {
    const auto now = after.find(path);
    if (now == after.end())
      changes.push_back({path, &file, nullptr});
    else if (file != now->second && tells(file, now->second))
      changes.push_back({path, &file, &now->second});
  }
  for (const auto& [path, file] : after) {
    if (!before.contains(path)) changes.push_back({path, nullptr, &file});
  }
  std::ranges::sort(changes, {}, &FileChange::path);
  return changes;
}

std::vector<std::string> to_be_read(const std::vector<FileChange>& changes) {
  std::vector<std::string> paths;
  for (const auto& change : changes) {
    if (change.after == nullptr || change.after->kind != 'f') continue;
    if (usual(change.path) != nullptr && (change.after->mode & set_bits) == 0) continue;
    const auto* before = change.before;
    const auto* after = change.after;
    if (before != nullptr && before->kind == 'f' && before->bytes == after->bytes && before->inode == after->inode &&
        before->modified == after->modified && before->changed == after->changed)
      continue;
    paths.push_back(change.path);
  }
  return paths;
}

std::vector<StateDifference> unexplained_files(const std::vector<FileChange>& changes, const Shipped& shipped,
                                               const Contents& contents, const GuestView& now, Accounts accounts) {
  Judge judge(shipped, contents, now, accounts);
  for (const auto& change : changes) judge.look_at(change);
  return judge.take();
}

bool may_be_shown(const std::string& path, const GuestFile& file) {
  constexpr std::uint64_t longest = 64U << 10U;
  if (file.kind != 'f' || file.bytes > longest) return false;
  // Neither holds secrets, and nobody but root may read them.
  if (path == "/etc/sudoers" || path.starts_with("/etc/sudoers.d/") || path.starts_with("/var/spool/cron/"))
    return true;
  return (file.mode & 0004U) != 0;
}

StateDifference with_diff(StateDifference difference, const std::string& before, const std::string& after) {
  for (const auto* text : {&before, &after}) {
    if (text->find("PRIVATE KEY-----") != std::string::npos) return difference;
  }
  difference.diff = unified_diff(before, after);
  return classified(std::move(difference));
}

}  // namespace patchlab::checks::state

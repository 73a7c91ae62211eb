// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/file_changes.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "checks/state/compare.hpp"
#include "checks/state/unified_diff.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::state {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;

// A guest and what is in its files, before and after.
class World {
 public:
  World() {
    for (const auto* folder :
         {"/", "/etc", "/etc/cron.d", "/etc/pam.d", "/etc/ssh", "/etc/systemd", "/root", "/tmp", "/usr", "/usr/bin",
          "/usr/lib", "/var", "/var/lib", "/var/lib/bind", "/var/log", "/var/spool"})
      add(before, folder, {.kind = 'd', .mode = 0755});
    link(before, "/bin", "usr/bin");
    link(before, "/lib", "usr/lib");
    for (const auto* path :
         {"/etc/hosts", "/etc/resolv.conf", "/etc/motd", "/etc/pam.d/common-auth", "/etc/ssh/sshd_config",
          "/etc/nsswitch.conf", "/etc/profile", "/etc/bind.conf", "/usr/bin/named", "/usr/bin/tool",
          "/usr/lib/liba.so.1", "/var/log/syslog", "/etc/passwd", "/etc/shadow", "/etc/ld.so.cache"})
      write(before, path, "old\n");
    before.files["/usr/bin/su"] = {.kind = 'f', .mode = 04755, .bytes = 4, .inode = "9"};
    before.users = {{0, "root"}, {100, "bind"}};
    before.groups = before.users;
    before.state.rows["account"]["root"] =
        "uid 0, gid 0, all rights, can log in (/bin/bash), password locked, home /root";
    before.state.rows["group"] = {{"sudo", "gid 27, members: "}, {"users", "gid 100, members: "}};
    before.state.rows["sysctl"] = {
        {"net.ipv4.ip_forward", "0"}, {"kernel.randomize_va_space", "2"}, {"vm.swappiness", "60"}};
    before.state.rows["clock"]["time"] = "right";
    before.state.rows["time zone"]["local"] = "UTC +0000";
    before.state.rows["port name"]["domain/udp"] = "53";
    before.state.rows["firewall"]["rules"] = "table inet f\n";
    before.state.rows["route"];
    before.state.rows["mount"]["/"] = "/dev/vda ext4 rw,nosuid";
    before.state.rows["module"];
    before.state.rows["unit"]["ssh.service"] = "enabled";
    before.owned["bind9"] = {"/.", "/usr/bin/named", "/usr/lib/liba.so.1", "/etc/bind.conf"};
    before.digests.erase("/usr/bin/named");
    before.digests.erase("/usr/bin/tool");
    now = before;
    shipped.package = "bind9";
    ship("/usr/bin/named", "new\n", 0755);
    ship("/etc/bind.conf", "new\n");
    shipped.conffiles = {"/etc/bind.conf"};
  }

  void add(GuestView& view, const std::string& path, GuestFile file) {
    file.changed = file.modified = std::to_string(++moment_);
    file.inode = path;
    view.files[path] = std::move(file);
  }
  void write(GuestView& view, const std::string& path, const std::string& text, unsigned mode = 0644) {
    const auto old = view.files.find(path);
    const auto kept = old == view.files.end() ? mode : old->second.mode;
    add(view, path, {.kind = 'f', .mode = kept, .bytes = text.size()});
    view.digests[path] = sha256(text);
    view.texts[path] = text;
  }
  void write(const std::string& path, const std::string& text = "new\n", unsigned mode = 0644) {
    write(now, path, text, mode);
  }
  void link(GuestView& view, const std::string& path, const std::string& target) {
    add(view, path, {.kind = 'l', .mode = 0777, .target = target});
  }
  void chmod(const std::string& path, unsigned mode) {
    now.files.at(path).mode = mode;
    now.files.at(path).changed = std::to_string(++moment_);
  }
  void ship(const std::string& path, const std::string& text, unsigned mode = 0644) {
    shipped.files[path] = {.kind = 'f', .mode = mode, .user = "root", .group = "root", .sha256 = sha256(text)};
  }

  std::vector<StateDifference> found() const {
    const auto changes = changed_files(before.files, now.files);
    std::map<std::string, std::string> read;
    for (const auto& path : to_be_read(changes)) {
      if (const auto known = now.digests.find(path); known != now.digests.end()) read.insert(*known);
    }
    auto all = compare(before.state, now.state);
    const bool told =
        std::ranges::any_of(all, [](const auto& one) { return one.kind == "account" || one.kind == "group"; });
    const Shipped brought({&shipped}, before.files, before.owned);
    for (auto& one : unexplained_files(changes, brought, {before.digests, read}, now,
                                       told ? Accounts::told : Accounts::as_before)) {
      const auto text = [&](const auto& view) {
        const auto known = view.texts.find(one.item);
        return known == view.texts.end() ? std::string() : known->second;
      };
      all.push_back(one.kind == "file" ? with_diff(one, text(before), text(now)) : one);
    }
    return all;
  }

  GuestView before;
  GuestView now;
  ShippedPackage shipped;

 private:
  int moment_ = 100;
};

struct Fault {
  const char* name;
  std::function<void(World&)> happens;
  const char* kind;
  const char* item;
  FindingClass finding;
};
using enum FindingClass;

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all{
      {"world-writable /etc", [](World& w) { w.chmod("/etc", 0777); }, "world-writable", "/etc", breach},
      {"second uid 0",
       [](World& w) {
         w.now.state.rows["account"]["toor"] =
             "uid 0, gid 0, all rights, can log in (/bin/sh), password set on day 20000, home /";
         w.write("/etc/passwd");
         w.write("/etc/shadow");
       },
       "account", "toor", breach},
      {"account without a password",
       [](World& w) {
         w.now.state.rows["account"]["x"] =
             "uid 200, gid 2, system account, cannot log in (/usr/sbin/nologin), password none, home /";
       },
       "account", "x", breach},
      {"account of a person",
       [](World& w) {
         w.now.state.rows["account"]["eve"] =
             "uid 1001, gid 1001, person, can log in (/bin/sh), password locked, home /home/eve";
       },
       "account", "eve", breach},
      {"account of a daemon",
       [](World& w) {
         w.now.state.rows["account"]["d"] =
             "uid 200, gid 2, system account, cannot log in (/usr/sbin/nologin), password locked, home /";
       },
       "account", "d", review},
      {"shell of root",
       [](World& w) {
         w.now.state.rows["account"]["root"] =
             "uid 0, gid 0, all rights, can log in (/tmp/sh), password locked, home /root";
       },
       "account", "root", breach},
      {"password hash exchanged", [](World& w) { w.write("/etc/shadow"); }, "file", "/etc/shadow", breach},
      {"member of sudo", [](World& w) { w.now.state.rows["group"]["sudo"] = "gid 27, members: bob"; }, "group", "sudo",
       breach},
      {"member of users", [](World& w) { w.now.state.rows["group"]["users"] = "gid 100, members: bob"; }, "group",
       "users", review},
      {"set-uid shell", [](World& w) { w.write("/usr/lib/x/sh", "sh\n", 04755); }, "set-uid", "/usr/lib/x/sh", breach},
      {"set-uid shell in a cache", [](World& w) { w.write("/var/cache/sh", "sh\n", 04755); }, "set-uid",
       "/var/cache/sh", breach},
      {"set-uid bit on a program that was there", [](World& w) { w.chmod("/usr/bin/tool", 04755); }, "set-uid",
       "/usr/bin/tool", breach},
      {"set-uid program exchanged", [](World& w) { w.write("/usr/bin/su", "door"); }, "set-uid", "/usr/bin/su", breach},
      {"capability", [](World& w) { w.now.files["/usr/bin/tool"].attributes["security.capability"] = "01000002"; },
       "capability", "/usr/bin/tool", breach},
      {"cron line", [](World& w) { w.write("/etc/cron.d/job"); }, "file", "/etc/cron.d/job", breach},
      {"crontab", [](World& w) { w.write("/var/spool/cron/crontabs/root", "x\n", 0600); }, "file",
       "/var/spool/cron/crontabs/root", breach},
      {"unit drop-in", [](World& w) { w.write("/etc/systemd/system/x.service.d/o.conf"); }, "file",
       "/etc/systemd/system/x.service.d/o.conf", breach},
      {"unit masked", [](World& w) { w.now.state.rows["unit"]["ssh.service"] = "masked"; }, "unit", "ssh.service",
       review},
      {"unit disabled", [](World& w) { w.now.state.rows["unit"]["ssh.service"] = "disabled"; }, "unit", "ssh.service",
       breach},
      {"unit enabled", [](World& w) { w.now.state.rows["unit"]["door.service"] = "enabled"; }, "unit", "door.service",
       breach},
      {"sudoers", [](World& w) { w.write("/etc/sudoers.d/bob", "bob ALL=(ALL) NOPASSWD: ALL\n", 0440); }, "file",
       "/etc/sudoers.d/bob", breach},
      {"authorised key", [](World& w) { w.write("/root/.ssh/authorized_keys", "ssh-ed25519 A\n", 0600); }, "file",
       "/root/.ssh/authorized_keys", breach},
      {"PAM permits", [](World& w) { w.write("/etc/pam.d/common-auth", "auth sufficient pam_permit.so\n"); }, "file",
       "/etc/pam.d/common-auth", breach},
      {"preloaded library", [](World& w) { w.write("/etc/ld.so.preload", "/tmp/x.so\n"); }, "file",
       "/etc/ld.so.preload", breach},
      {"name service", [](World& w) { w.write("/etc/nsswitch.conf"); }, "file", "/etc/nsswitch.conf", breach},
      {"profile", [](World& w) { w.write("/etc/profile"); }, "file", "/etc/profile", breach},
      {"root logs in by ssh", [](World& w) { w.write("/etc/ssh/sshd_config", "old\nPermitRootLogin yes\n"); }, "file",
       "/etc/ssh/sshd_config", breach},
      {"sshd in another way", [](World& w) { w.write("/etc/ssh/sshd_config", "old\nX11Forwarding no\n"); }, "file",
       "/etc/ssh/sshd_config", review},
      {"trust anchor", [](World& w) { w.write("/usr/local/share/ca-certificates/x.crt"); }, "file",
       "/usr/local/share/ca-certificates/x.crt", breach},
      {"source of packages", [](World& w) { w.write("/etc/apt/sources.list.d/x.list"); }, "file",
       "/etc/apt/sources.list.d/x.list", breach},
      {"start link", [](World& w) { w.link(w.now, "/etc/rc2.d/S01door", "../init.d/door"); }, "file",
       "/etc/rc2.d/S01door", breach},
      {"clock an hour ahead", [](World& w) { w.now.state.rows["clock"]["time"] = "60 minutes ahead"; }, "clock", "time",
       breach},
      {"port that is named now", [](World& w) { w.now.state.rows["port name"]["new/tcp"] = "4444"; }, "port name",
       "new/tcp", notice},
      {"port without its name", [](World& w) { w.now.state.rows["port name"].erase("domain/udp"); }, "port name",
       "domain/udp", review},
      {"port with another name", [](World& w) { w.now.state.rows["port name"]["domain/udp"] = "5353"; }, "port name",
       "domain/udp", review},
      {"time zone", [](World& w) { w.now.state.rows["time zone"]["local"] = "JST +0900"; }, "time zone", "local",
       review},
      {"resolver", [](World& w) { w.write("/etc/resolv.conf"); }, "file", "/etc/resolv.conf", review},
      {"hosts", [](World& w) { w.write("/etc/hosts"); }, "file", "/etc/hosts", review},
      {"route", [](World& w) { w.now.state.rows["route"]["10.9.0.0 mask 255.255.0.0 eth0"] = "via 10.20.0.1"; },
       "route", "10.9.0.0 mask 255.255.0.0 eth0", review},
      {"forwarding", [](World& w) { w.now.state.rows["sysctl"]["net.ipv4.ip_forward"] = "1"; }, "sysctl",
       "net.ipv4.ip_forward", breach},
      {"no randomised addresses", [](World& w) { w.now.state.rows["sysctl"]["kernel.randomize_va_space"] = "0"; },
       "sysctl", "kernel.randomize_va_space", breach},
      {"kernel's setting", [](World& w) { w.now.state.rows["sysctl"]["vm.swappiness"] = "1"; }, "sysctl",
       "vm.swappiness", review},
      {"firewall gone", [](World& w) { w.now.state.rows["firewall"]["rules"] = "no rules\n"; }, "firewall", "rules",
       breach},
      {"mount without protection", [](World& w) { w.now.state.rows["mount"]["/"] = "/dev/vda ext4 rw"; }, "mount", "/",
       review},
      {"module", [](World& w) { w.now.state.rows["module"]["rootkit"] = "loaded"; }, "module", "rootkit", notice},
      {"file deleted in /etc", [](World& w) { w.now.files.erase("/etc/motd"); }, "file", "/etc/motd", review},
      {"own configuration deleted", [](World& w) { w.now.files.erase("/etc/bind.conf"); }, "file", "/etc/bind.conf",
       review},
      {"folder of state given away", [](World& w) { w.now.files["/var/lib/bind"].user = 100; }, "file", "/var/lib/bind",
       review},
      {"program of another package", [](World& w) { w.write("/usr/bin/tool"); }, "file", "/usr/bin/tool", review},
      {"shipped program that is another one", [](World& w) { w.write("/usr/bin/named", "door\n", 0755); }, "file",
       "/usr/bin/named", review},
      {"library deleted",
       [](World& w) {
         w.shipped.files["/usr/lib/liba.so.1"] = {.kind = 'f', .mode = 0644, .sha256 = sha256("old\n")};
         w.now.files.erase("/usr/lib/liba.so.1");
       },
       "file", "/usr/lib/liba.so.1", review},
      {"content in place, with its old times",
       [](World& w) {
         w.now.files["/etc/motd"].changed = "later";
         w.now.digests["/etc/motd"] = sha256("bad\n");
       },
       "file", "/etc/motd", review},
      {"file for everybody", [](World& w) { w.chmod("/etc/motd", 0666); }, "world-writable", "/etc/motd", breach},
      {"access list", [](World& w) { w.now.files["/etc/motd"].attributes["system.posix_acl_access"] = "0200"; }, "acl",
       "/etc/motd", review},
      {"authority in the bundle", [](World& w) { w.write("/etc/ssl/certs/ca-certificates.crt"); }, "file",
       "/etc/ssl/certs/ca-certificates.crt", breach},
      {"zone in the place of state", [](World& w) { w.write("/var/lib/bind/db.corp"); }, "file",
       "/var/lib/bind/db.corp", review},
      {"state of a program",
       [](World& w) {
         w.write(w.before, "/var/lib/x/db", "old\n");
         w.write("/var/lib/x/db");
       },
       "file", "/var/lib/x/db", notice},
      {"documentation", [](World& w) { w.write("/usr/share/doc/x/NEWS"); }, "file", "/usr/share/doc/x/NEWS", notice},
  };
  return all;
}

TEST(Faults, AreFoundWithTheirClass) {
  ASSERT_GE(faults().size(), 25U);
  for (const auto& fault : faults()) {
    World world;
    fault.happens(world);
    const auto found = world.found();
    const auto one = std::ranges::find_if(
        found, [&](const auto& each) { return each.kind == fault.kind && each.item == fault.item; });
    ASSERT_NE(one, found.end()) << fault.name;
    EXPECT_EQ(to_string(one->finding), std::string(to_string(fault.finding))) << fault.name;
    EXPECT_FALSE(one->why.empty()) << fault.name;
    for (const auto& each : found) {
      EXPECT_TRUE(each.finding >= fault.finding) << fault.name << ": " << each.kind << " " << each.item;
    }
    // The search knows a failure again by this.
    EXPECT_EQ(found, world.found()) << fault.name;
  }
}

struct Clean {
  const char* name;
  std::function<void(World&)> happens;
};
TEST(CleanChanges, AreExplained) {
  const std::vector<Clean> all{
      {"nothing", [](World&) {}},
      {"shipped files",
       [](World& w) {
         w.write("/usr/bin/named", "new\n");
         w.chmod("/usr/bin/named", 0755);
       }},
      {"shipped configuration", [](World& w) { w.write("/etc/bind.conf"); }},
      {"configuration kept, the package's beside it", [](World& w) { w.write("/etc/bind.conf.dpkg-dist", "new\n"); }},
      {"configuration exchanged, the old one beside it",
       [](World& w) {
         w.write("/etc/bind.conf");
         w.write("/etc/bind.conf.dpkg-old", "old\n");
       }},
      {"a library that the new package does not bring", [](World& w) { w.now.files.erase("/usr/lib/liba.so.1"); }},
      {"a file shipped below a link of the merged /usr",
       [](World& w) {
         w.ship("/lib/liba.so.2", "new\n");
         w.write("/usr/lib/liba.so.2");
       }},
      {"an alternative that leads to what came",
       [](World& w) { w.link(w.now, "/etc/alternatives/named", "/usr/bin/named"); }},
      {"logs, caches and state",
       [](World& w) {
         w.write("/var/log/syslog", "more\n");
         w.write("/var/log/dpkg.log", "more\n");
         w.write("/var/cache/apt/pkgcache.bin");
         w.write("/var/lib/dpkg/status");
         w.write("/var/lib/systemd/random-seed");
         w.write("/var/backups/dpkg.status.0");
       }},
      {"authorities of a new ca-certificates",
       [](World& w) {
         w.ship("/usr/share/ca-certificates/mozilla/A.crt", "new\n");
         w.write("/usr/share/ca-certificates/mozilla/A.crt");
         w.write("/etc/ssl/certs/ca-certificates.crt");
         w.link(w.now, "/etc/ssl/certs/A.pem", "/usr/share/ca-certificates/mozilla/A.crt");
         w.link(w.now, "/etc/ssl/certs/1234.0", "A.pem");
       }},
      {"triggers",
       [](World& w) {
         w.write("/etc/ld.so.cache");
         w.write("/usr/share/info/dir");
         w.write("/usr/lib/python3/dist-packages/__pycache__/x.cpython-311.pyc");
         w.write("/boot/initrd.img-6.1.0-28-amd64");
         w.write("/etc/init.d/.depend.start");
       }},
      {"a file written anew as it was",
       [](World& w) {
         w.write("/etc/hosts", "old\n");
         w.write("/etc/motd", "old\n");
       }},
      {"a hard link that came and went", [](World& w) { w.now.files["/usr/bin/tool"].changed = "later"; }},
      {"entries of a folder", [](World& w) { w.now.files["/etc"].modified = w.now.files["/etc"].changed = "later"; }},
      {"mode that an administrator chose stays",
       [](World& w) {
         w.before.files["/usr/bin/named"].mode = 0700;
         w.now.files["/usr/bin/named"].mode = 0700;
         w.write("/usr/bin/named", "new\n");
       }},
      {"copies that CUPS keeps",
       [](World& w) {
         w.write("/etc/cups/printers.conf.O");
         w.write("/etc/cups/classes.conf.O", "one more\n");
         w.write("/etc/cups/ppd/office.ppd.O");
       }},
      {"temporary files", [](World& w) { w.write("/tmp/x", "x\n", 0666); }},
  };
  ASSERT_GE(all.size(), 10U);
  for (const auto& clean : all) {
    World world;
    clean.happens(world);
    EXPECT_THAT(world.found(), IsEmpty()) << clean.name;
  }
}

TEST(FileChanges, TellWhatWasAndWhatIs) {
  World world;
  world.write("/etc/hosts", "old\nnew\n");
  world.now.files["/etc/hosts"].user = 100;
  const auto found = world.found();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].before, "file 0644 root:root, 4 bytes");
  EXPECT_EQ(found[0].after, "file 0644 bind:root, 8 bytes");
  EXPECT_EQ(found[0].diff, "--- before\n+++ after\n@@ -1,1 +1,2 @@\n old\n+new\n");
}

TEST(FileChanges, OfAFolderThatIsGoneAreOne) {
  World world;
  for (auto* view : {&world.before, &world.now}) {
    world.add(*view, "/etc/x", {.kind = 'd', .mode = 0755});
    for (int i = 0; i < 5; ++i) view->files["/etc/x/" + std::to_string(i)] = {.kind = 'f', .inode = "1"};
  }
  std::erase_if(world.now.files, [](const auto& file) { return file.first.starts_with("/etc/x"); });
  const auto found = world.found();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].item, "/etc/x");
}

TEST(FileChanges, AreBoundedAndTheWorstAreKept) {
  World world;
  for (int i = 0; i < 400; ++i) world.write("/etc/many/" + std::to_string(i));
  world.write("/etc/zz-last", "x\n", 04755);
  const auto found = world.found();
  EXPECT_EQ(found.size(), 201U);
  EXPECT_EQ(std::ranges::count(found, "set-uid", &StateDifference::kind), 1);
  EXPECT_EQ(std::ranges::count(found, "others", &StateDifference::item), 1);
}

TEST(FileChanges, ShowNoSecrets) {
  EXPECT_FALSE(may_be_shown("/etc/shadow", {.kind = 'f', .mode = 0640}));
  EXPECT_FALSE(may_be_shown("/etc/big", {.kind = 'f', .mode = 0644, .bytes = 1U << 20U}));
  EXPECT_TRUE(may_be_shown("/etc/sudoers", {.kind = 'f', .mode = 0440}));
  EXPECT_TRUE(may_be_shown("/etc/hosts", {.kind = 'f', .mode = 0644}));
  const StateDifference difference{"file", "/etc/x.pem", "file", "file"};
  EXPECT_EQ(with_diff(difference, "", "-----BEGIN PRIVATE KEY-----\nabc\n").diff, "");
}

TEST(UnifiedDiff, IsThatOfDiff) {
  EXPECT_EQ(unified_diff("a\n", "a\n"), "");
  EXPECT_EQ(unified_diff("", "a\n"), "--- before\n+++ after\n@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n"),
            "--- before\n+++ after\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, IsBoundedAndCountsTheRest) {
  std::string before, after;
  for (int i = 0; i < 3000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  const auto text = unified_diff(before, after, 500);
  EXPECT_LT(text.size(), 600U);
  EXPECT_THAT(text, testing::HasSubstr(" lines more\n"));
}

TEST(Shipped, KnowsUnitsByTheirFiles) {
  ShippedPackage package{.package = "x", .files = {}, .conffiles = {}};
  package.files["/lib/systemd/system/x.service"] = {.kind = 'f'};
  const Shipped shipped({&package}, {}, {});
  EXPECT_TRUE(shipped.brings_unit("x.service"));
  EXPECT_FALSE(shipped.brings_unit("y.service"));
}

TEST(ShippedPackage, SurvivesJson) {
  ShippedPackage package{.package = "x", .files = {}, .conffiles = {"/etc/x"}};
  package.files["/etc/x"] = {
      .kind = 'f', .mode = 0640, .user_id = 1, .group_id = 2, .user = "a", .group = "b", .sha256 = "c"};
  package.files["/l"] = {.kind = 'l', .target = "etc"};
  EXPECT_EQ(Json(package).get<ShippedPackage>(), package);
}

}  // namespace
}  // namespace patchlab::checks::state

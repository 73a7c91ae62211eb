// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/rules.hpp"

#include <fnmatch.h>

namespace patchlab::checks::state {
namespace {

using enum FindingClass;

// New ways in or up, and protection that is gone.
const std::vector<Rule>& host_rules() {
  static const std::vector<Rule> table{
      {"set-uid", "*", "*", "?*", "*", breach, "a program that gives whoever starts it the rights of another account"},
      {"set-uid", "*", "?*", "", "*", review, "a program lost rights that somebody may need"},
      {"capability", "*", "*", "?*", "*", breach, "a program that gives whoever starts it rights of the system"},
      {"capability", "*", "?*", "", "*", review, "a program lost rights that it may need"},
      {"world-writable", "*", "*", "?*", "*", breach, "every account can change it"},
      {"world-writable", "*", "?*", "", "*", notice, "not every account can change it any more"},
      {"acl", "*", "*", "*", "*", review, "other accounts may use it than its mode says"},

      {"account", "*", "*", "*uid 0,*", "*", breach, "an account with all rights"},
      {"account", "*", "*", "*password none*", "*", breach, "an account that asks for no password"},
      {"account", "*", "", "*system account*cannot log in*password locked*", "*", review,
       "a new account that nobody can log in to: its package does not say it makes one"},
      {"account", "*", "", "?*", "*", breach, "a new account that somebody could log in to"},
      {"account", "*", "?*", "", "*", review, "an account is gone: files and services may be its own"},
      {"account", "*", "*cannot log in*", "*can log in*", "*", breach, "an account can log in that could not"},
      {"account", "*", "*password locked*", "*password set*", "*", breach, "an account has a password that had none"},
      {"account", "*", "?*", "?*", "*", breach, "an account is not what it was"},
      {"group", "root", "*", "*", "*", breach, "who is in it has rights of the system"},
      {"group", "sudo", "*", "?*", "*", breach, "who is in it may become root"},
      {"group", "wheel", "*", "?*", "*", breach, "who is in it may become root"},
      {"group", "adm", "*", "?*", "*", breach, "who is in it reads the system's logs"},
      {"group", "shadow", "*", "?*", "*", breach, "who is in it reads password hashes"},
      {"group", "disk", "*", "?*", "*", breach, "who is in it reads and writes every file"},
      {"group", "docker", "*", "?*", "*", breach, "who is in it may become root"},
      {"group", "lxd", "*", "?*", "*", breach, "who is in it may become root"},
      {"group", "kmem", "*", "?*", "*", breach, "who is in it reads the system's memory"},
      {"group", "lpadmin", "*", "?*", "*", breach, "who is in it administers the printers"},
      {"group", "*", "*", "*", "*", review, "accounts have other groups"},

      {"unit", "*", "*", "masked*", "*", review, "a unit that nobody can start any more"},
      {"unit", "*", "*", "enabled*", "*", breach, "it starts with the system, and did not"},
      {"unit", "*", "enabled*", "*", "*", breach, "it does not start with the system any more"},
      {"unit", "*", "*", "*", "*", review, "units start in another way"},
      {"firewall", "*", "*", "*", "*", breach, "other traffic is let through or refused"},
      {"route", "*", "*", "*", "*", review, "traffic takes another way"},
      {"mount", "*", "*nosuid*", "*", "*", review, "a file system is mounted with other protection"},
      {"mount", "*", "*", "*", "*", review, "file systems are mounted in another way"},
      {"module", "*", "", "?*", "*", notice, "code that the kernel did not run before: files tell who asked for it"},
      {"module", "*", "?*", "", "*", notice, "a module of the kernel is not loaded any more"},
      {"sysctl", "net.ipv4.ip_forward", "*", "1", "*", breach, "the machine forwards traffic of others"},
      {"sysctl", "net.ipv[46].conf.*forwarding", "*", "1", "*", breach, "the machine forwards traffic of others"},
      {"sysctl", "net.ipv[46].conf.*.accept_redirects", "*", "1", "*", breach, "strangers may change its routes"},
      {"sysctl", "net.ipv[46].conf.*.accept_source_route", "*", "1", "*", breach, "strangers may choose its routes"},
      {"sysctl", "net.ipv4.conf.*.rp_filter", "?*", "0", "*", breach, "forged addresses are let in"},
      {"sysctl", "net.ipv4.tcp_syncookies", "?*", "0", "*", breach, "no protection against floods of connections"},
      {"sysctl", "kernel.randomize_va_space", "?*", "[01]", "*", breach, "programs lie where attackers expect them"},
      {"sysctl", "kernel.yama.ptrace_scope", "?*", "0", "*", breach, "programs may read each other's memory"},
      {"sysctl", "kernel.kptr_restrict", "?*", "0", "*", breach, "the kernel tells where it lies"},
      {"sysctl", "kernel.dmesg_restrict", "?*", "0", "*", breach, "every account reads the kernel's log"},
      {"sysctl", "kernel.core_pattern", "*", "|*", "*", breach, "a program is run, as root, whenever another crashes"},
      {"sysctl", "kernel.modprobe", "*", "?*", "*", breach, "a program that the kernel runs as root"},
      {"sysctl", "fs.protected_*", "?*", "0", "*", breach, "tricks with links in shared folders work again"},
      {"sysctl", "fs.suid_dumpable", "?*", "[12]", "*", breach, "privileged programs leave their memory in files"},
      {"sysctl", "*", "*", "*", "*", review, "the kernel is set in another way"},
      {"clock", "*", "*", "*", "*", breach, "the clock is wrong: certificates, leases and tickets end early or late"},
      {"time zone", "*", "*", "*", "*", review, "local times are other ones"},
      {"port name", "*", "?*", "*", "*", review, "who looks it up by its name finds another port, or none"},
      {"port name", "*", "*", "*", "*", notice, "ports that had no name have one"},
      {"brought", "*", "*", "*", "*", review,
       "installed, and nothing that is listed as installed is another: what is it for?"},
      {"next-package", "*", "*", "*", "*", breach, "it is installed without the patch"},
      {"service-cycle", "*", "*", "*", "*", breach, "it is stopped and started again without the patch"},
      {"growth", "*", "*", "*will meet its limit", "*", breach, "it grows until nothing is left, and does not without"},
      {"growth", "*", "*", "*", "*", review, "it grows faster than in the control of the same night"},
      {"load", "*", "*", "*", "*", review, "what the clients ask for is not always done when they ask again and again"},

      {"file", "/etc/sudoers", "*", "?*", "*", breach, "it says who may become root"},
      {"file", "/etc/sudoers.d/*", "*", "?*", "*", breach, "it says who may become root"},
      {"file", "/etc/doas.conf", "*", "?*", "*", breach, "it says who may become root"},
      {"file", "/etc/polkit-1/*", "*", "?*", "*", breach, "it says who may do what without a password"},
      {"file", "/etc/pam.d/*", "*", "*", "*", breach, "it says how accounts are proved"},
      {"file", "/etc/pam.conf", "*", "*", "*", breach, "it says how accounts are proved"},
      {"file", "/etc/security/*", "*", "*", "*", breach, "it says how accounts are proved and limited"},
      {"file", "/etc/nsswitch.conf", "*", "*", "*", breach, "it says where accounts and names come from"},
      {"file", "/etc/shadow", "*", "*", "*", breach, "passwords are other ones"},
      {"file", "/etc/gshadow", "*", "*", "*", breach, "passwords are other ones"},
      {"file", "/etc/passwd", "*", "*", "*", breach, "accounts are other ones"},
      {"file", "/etc/group", "*", "*", "*", breach, "groups are other ones"},
      {"file", "/etc/ld.so.preload", "*", "?*", "*", breach, "code that every program loads"},
      {"file", "/etc/ld.so.conf*", "*", "?*", "*", breach, "programs take their libraries from elsewhere"},
      {"file", "/etc/cron*", "*", "?*", "*", breach, "something that is run at its times"},
      {"file", "/etc/anacrontab", "*", "?*", "*", breach, "something that is run at its times"},
      {"file", "/var/spool/cron/*", "*", "?*", "*", breach, "something that is run at its times"},
      {"file", "/etc/systemd/*", "*", "?*", "*", breach, "something that the system starts, or how it starts it"},
      {"file", "/usr/lib/systemd/*", "*", "?*", "*", breach, "something that the system starts, or how it starts it"},
      {"file", "/lib/systemd/*", "*", "?*", "*", breach, "something that the system starts, or how it starts it"},
      {"file", "/usr/local/lib/systemd/*", "*", "?*", "*", breach, "something that the system starts"},
      {"file", "/etc/init.d/*", "", "?*", "*", breach, "something that the system starts"},
      {"file", "/etc/rc[0-9S].d/*", "", "?*", "*", breach, "something that the system starts"},
      {"file", "/etc/inittab*", "*", "?*", "*", breach, "something that the system starts"},
      {"file", "/etc/rc.local", "*", "?*", "*", breach, "something that the system starts"},
      {"file", "/etc/inetd.conf", "*", "?*", "*", breach, "something that strangers can start"},
      {"file", "/etc/xinetd.d/*", "*", "?*", "*", breach, "something that strangers can start"},
      {"file", "/etc/udev/rules.d/*", "*", "?*", "*", breach, "something that is run when devices come"},
      {"file", "/etc/network/if-*", "*", "?*", "*", breach, "something that is run when networks come"},
      {"file", "/etc/dhcp/*hooks.d/*", "*", "?*", "*", breach, "something that is run when networks come"},
      {"file", "/etc/update-motd.d/*", "*", "?*", "*", breach, "something that is run at every login"},
      {"file", "*/.ssh/authorized_keys*", "*", "?*", "*", breach, "it says who may log in"},
      {"file", "/etc/ssh/*keys*", "*", "?*", "*", breach, "it says who may log in"},
      {"file", "*/.rhosts", "*", "?*", "*", breach, "it says who may log in"},
      {"file", "*/.shosts", "*", "?*", "*", breach, "it says who may log in"},
      {"file", "/etc/hosts.equiv", "*", "?*", "*", breach, "it says who may log in"},
      {"file", "/etc/hosts.allow", "*", "*", "*", breach, "it says who may connect"},
      {"file", "/etc/hosts.deny", "*", "*", "*", breach, "it says who may connect"},
      {"file", "/etc/ssh/sshd_config*", "*", "*", "*\n+PermitRootLogin[ \t]yes*", breach, "root may log in"},
      {"file", "/etc/ssh/sshd_config*", "*", "*", "*\n+PermitEmptyPasswords[ \t]yes*", breach, "no password is needed"},
      {"file", "/etc/ssh/sshd_config*", "*", "*", "*\n+PasswordAuthentication[ \t]yes*", breach,
       "passwords are enough"},
      {"file", "/etc/profile", "*", "?*", "*", breach, "something that is run at every login"},
      {"file", "/etc/profile.d/*", "*", "?*", "*", breach, "something that is run at every login"},
      {"file", "/etc/bash.bashrc", "*", "?*", "*", breach, "something that every shell runs"},
      {"file", "/etc/environment", "*", "?*", "*", breach, "it changes what every program finds"},
      {"file", "/root/.*rc", "*", "?*", "*", breach, "something that every shell of root runs"},
      {"file", "/root/.*profile", "*", "?*", "*", breach, "something that is run when root logs in"},
      {"file", "/root/.bash_log*", "*", "?*", "*", breach, "something that is run when root logs in or out"},
      {"file", "/etc/skel/*", "*", "?*", "*", review, "new accounts begin with it"},
      {"file", "/etc/apt/*", "*", "?*", "*", breach, "it says where packages come from and who is believed"},
      {"file", "/usr/share/keyrings/*", "*", "?*", "*", breach, "it says whose packages are believed"},
      {"file", "/etc/dpkg/*", "*", "?*", "*", breach, "it changes how packages are installed"},
      {"file", "/usr/local/share/ca-certificates/*", "*", "?*", "*", breach,
       "an authority whose certificates are believed"},
      {"file", "/usr/share/ca-certificates/*", "*", "?*", "*", breach, "an authority whose certificates are believed"},
      {"file", "/etc/ca-certificates*", "*", "?*", "*", breach, "authorities whose certificates are believed"},
      {"file", "/etc/ssl/certs/*", "*", "?*", "*", breach, "authorities whose certificates are believed"},
      {"file", "/etc/ssl/openssl.cnf", "*", "?*", "*", review, "it says which ciphers and versions are offered"},
      {"file", "/etc/crypto-policies/*", "*", "?*", "*", review, "it says which ciphers and versions are offered"},
      {"file", "/etc/modules*", "*", "?*", "*", review, "code that the kernel loads at its start"},
      {"file", "/usr/share/doc/*", "*", "*", "*", notice, "documentation"},
      {"file", "/usr/share/man/*", "*", "*", "*", notice, "documentation"},
      {"file", "/usr/share/info/*", "*", "*", "*", notice, "documentation"},
      {"file", "/usr/share/locale/*", "*", "*", "*", notice, "translations"},
      {"file", "/usr/share/lintian/*", "*", "*", "*", notice, "notes for who builds packages"},
      {"file", "/etc/*", "*", "*", "*", review, "configuration that no package of the candidates brings"},
      {"file", "/boot/*", "*", "*", "*", review, "what the machine starts with"},
      {"file", "/usr/*", "*", "*", "*", review, "a part of the system that no package of the candidates brings"},
      {"file", "/opt/*", "*", "*", "*", review, "a part of the system that no package of the candidates brings"},
      {"file", "/root/*", "*", "*", "*", review, "something of root's own"},
      {"file", "/home/*", "*", "*", "*", review, "something of a person's own"},
      {"file", "/srv/*", "*", "*", "*", review, "content that the machine serves"},
      {"file", "/var/lib/bind/*", "*", "*", "*", review, "content that the machine serves"},
      {"file", "/var/*", "?*", "other content*", "*", notice, "state of a program"},
      {"file", "*", "", "*", "*", notice, "a file that was not there: state of a program"},
      {"file", "*", "*", "*", "*", review, "no package of the candidates brings it"},
  };
  return table;
}

bool fits(const char* pattern, const std::string& text) { return ::fnmatch(pattern, text.c_str(), 0) == 0; }

}  // namespace

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table = [] {
    auto all = host_rules();
    all.insert(all.end(), windows_rules().begin(), windows_rules().end());
    all.insert(all.end(), role_rules().begin(), role_rules().end());
    return all;
  }();
  return table;
}

const Rule* rule_for(const StateDifference& difference) {
  for (const auto& rule : rules()) {
    if (fits(rule.kind, difference.kind) && fits(rule.item, difference.item) && fits(rule.before, difference.before) &&
        fits(rule.after, difference.after) && fits(rule.diff, difference.diff))
      return &rule;
  }
  return nullptr;
}

StateDifference classified(StateDifference difference) {
  if (const auto* rule = rule_for(difference)) {
    difference.finding = rule->finding;
    difference.why = rule->why;
  }
  return difference;
}

}  // namespace patchlab::checks::state

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "checks/state/rules.hpp"

namespace patchlab::checks::state {
namespace {

FindingClass windows_class(const char* kind, const char* item, const char* before, const char* after) {
  return classified({kind, item, before, after}).finding;
}

struct WindowsChange {
  const char* kind;
  const char* item;
  const char* before;
  const char* after;
};

TEST(WindowsRules, NewWaysInOrUpFailWhoeverBringsThem) {
  for (const auto& one : std::initializer_list<WindowsChange>{
           {"service-setup", "Extra", "", "as LocalSystem; runs C:\\Windows\\System32\\extra.exe"},
           {"service-setup", "Backup", "as CORP\\backup; runs C:\\x.exe", "as LocalSystem; runs C:\\x.exe"},
           {"service-setup", "DNS", "as LocalSystem; runs C:\\Windows\\System32\\dns.exe",
            "as LocalSystem; runs C:\\ProgramData\\dns.exe"},
           {"service-setup", "Dnscache",
            "as LocalSystem; runs C:\\Windows\\System32\\svchost.exe -k x; loads C:\\Windows\\a.dll",
            "as LocalSystem; runs C:\\Windows\\System32\\svchost.exe -k x; loads C:\\Users\\Public\\a.dll"},
           {"service-setup", "DNS", "as LocalSystem; runs C:\\Windows\\System32\\dns.exe",
            "as LocalSystem; runs C:\\Windows\\System32\\dns.exe; on failure C:\\Windows\\x.exe"},
           {"task", "\\Nightly", "", "enabled; runs C:\\Windows\\System32\\cmd.exe; as S-1-5-18"},
           {"task", "\\Microsoft\\Windows\\x", "", "enabled; runs C:\\ProgramData\\x.exe; as S-1-5-18"},
           {"task", "\\Nightly", "disabled; runs C:\\a.exe; as S-1-5-18", "enabled; runs C:\\a.exe; as S-1-5-18"},
           {"local-account", "RID 1001", "", "enabled, password needed"},
           {"local-account", "RID 501", "disabled, password needed", "enabled, password needed"},
           {"local-account", "RID 1001", "enabled, password needed", "enabled, password needed, acts as RID 500"},
           {"group-member", "S-1-5-32-544: S-1-5-21-1-2-3-1001", "", "member"},
           {"group-member", "S-1-5-32-555: S-1-5-21-1-2-3-1001", "", "member"},
           {"group-member", "RID 1002: S-1-1-0", "", "member"},
           {"share", "All", "", "C:\\ of type 0; allow S-1-1-0 0x1f01ff"},
           {"share", "Data", "C:\\Data of type 0; allow S-1-5-32-544 0x1f01ff",
            "C:\\Data of type 0; allow S-1-1-0 0x1f01ff"},
           {"firewall-rule", "x", "", "active; allow; in; LPort=4444 Protocol=6"},
           {"firewall-rule", "x", "inactive; allow; in; LPort=23", "active; allow; in; LPort=23"},
           {"firewall-rule", "x", "active; block; in; LPort=445", ""},
           {"firewall-profile", "PublicProfile EnableFirewall", "0x1", "0x0"},
           {"certificate", "ROOT 00", "", "there"},
           {"certificate", "TrustedPublisher 00", "", "there"},
           {"certificate", "Disallowed 00", "there", ""},
           {"autostart", "run: updater", "", "C:\\ProgramData\\u.exe"},
           {"autostart", "debugger: sethc.exe", "", "cmd.exe"},
           {"autostart", "logon-shell", "explorer.exe", "explorer.exe, x.exe"},
           {"protocol", "TLS 1.0\\Server Enabled", "0x0", "0x1"},
           {"protocol", "SSL 3.0\\Server Enabled", "", "0xffffffff"},
           {"protocol", "TLS 1.0\\Server Enabled", "0x0", ""},
           {"protocol", "TLS 1.2\\Client Enabled", "0x1", "0x0"},
           {"smb-setting", "server SMB1", "0x0", "0x1"},
           {"smb-setting", "server RequireSecuritySignature", "0x1", "0x0"},
           {"security-setting", "EnableLUA", "0x1", "0x0"},
           {"security-setting", "LmCompatibilityLevel", "0x5", "0x1"},
           {"security-setting", "fDenyTSConnections", "0x1", "0x0"},
           {"dns-zone", "corp.example AllowUpdate", "0x0", "0x1"},
       }) {
    EXPECT_EQ(windows_class(one.kind, one.item, one.before, one.after), FindingClass::breach)
        << one.kind << " " << one.item << ": " << one.after;
  }
}

// What cumulative updates do, and what an administrator has to know of.
TEST(WindowsRules, WhatIsAnotherOneGoesToAPerson) {
  for (const auto& one : std::initializer_list<WindowsChange>{
           {"service-setup", "Dnscache",
            "as NT AUTHORITY\\NetworkService; runs C:\\Windows\\System32\\svchost.exe -k NetworkService",
            "as NT AUTHORITY\\NetworkService; runs C:\\Windows\\System32\\svchost.exe -k NetworkService -p"},
           {"service-setup", "Agent", "as LocalSystem; runs C:\\Program Files\\A\\1\\a.exe",
            "as LocalSystem; runs C:\\Program Files\\A\\2\\a.exe"},
           {"service-setup", "Old", "as LocalSystem; runs C:\\x.exe", ""},
           {"task", "\\Microsoft\\Windows\\x", "", "enabled; runs class {abc}; as S-1-5-18"},
           {"task", "\\Microsoft\\Windows\\x", "disabled; runs C:\\Windows\\System32\\a.exe; as S-1-5-18",
            "enabled; runs C:\\Windows\\System32\\a.exe; as S-1-5-18"},
           {"task", "\\Nightly", "enabled; runs C:\\a.exe; as S-1-5-18", ""},
           {"task-time", "\\Nightly", "<LogonTrigger />", "<BootTrigger />"},
           {"group-member", "S-1-5-32-544: S-1-5-21-1-2-3-1001", "member", ""},
           {"group-member", "S-1-5-32-545: S-1-5-21-1-2-3-1001", "", "member"},
           {"share", "Data", "C:\\Data of type 0; allow S-1-5-32-544 0x1f01ff", ""},
           {"firewall-rule", "x", "active; allow; in; LPort=53", ""},
           {"firewall-rule", "x", "", "active; allow; out; RPort=443"},
           {"firewall-profile", "PublicProfile\\Logging LogFileSize", "0x1000", "0x2000"},
           {"certificate", "MY 00", "", "there"},
           {"certificate", "ROOT 00", "there", ""},
           {"autostart", "run: agent", "C:\\a.exe", ""},
           {"protocol", "TLS 1.0\\Server Enabled", "", "0x0"},
           {"smb-setting", "server SMB1", "0x1", "0x0"},
           {"security-setting", "what is audited", "a", "b"},
           {"dns-zone", "corp.example", "Primary", ""},
           {"dhcp-setting", "Dhcp Server \\\\dhcp1 Add Scope 10.20.0.0", "there", ""},
           {"web-setting", "applicationHost.config", "a", "b"},
       }) {
    EXPECT_EQ(windows_class(one.kind, one.item, one.before, one.after), FindingClass::review)
        << one.kind << " " << one.item << ": " << one.after;
  }
}

TEST(WindowsRules, NoticeWhatIsNobodysBusiness) {
  for (const auto& one : std::initializer_list<WindowsChange>{
           {"task-time", "\\Microsoft\\Windows\\x", "<TimeTrigger></TimeTrigger>", "<LogonTrigger />"},
           {"task-time", "\\Nightly", "", "<LogonTrigger />"},
           {"firewall-rule", "x", "", "inactive; allow; in; LPort=23"},
           {"autostart", "run-once: setup", "C:\\a.exe", ""},
       }) {
    EXPECT_EQ(windows_class(one.kind, one.item, one.before, one.after), FindingClass::notice)
        << one.kind << " " << one.item;
  }
}

}  // namespace
}  // namespace patchlab::checks::state

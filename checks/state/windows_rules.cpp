// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/rules.hpp"

namespace patchlab::checks::state {
namespace {

using enum FindingClass;

constexpr const char* admins = "who is in it may do everything on the machine";
constexpr const char* starts = "a program that starts by itself, or that others load";
constexpr const char* anybody = "everybody who reaches the machine may use it";
constexpr const char* weaker = "clients may speak a version that is known to be weak";

}  // namespace

// What a package of Microsoft's says it changes is not read, and real cumulative updates change details of hundreds of
// services and tasks. So what stood there before and still belongs to Windows or to an installed program is for a
// person to look at; a new way in or up is a breach whoever brings it.
const std::vector<Rule>& windows_rules() {
  static const std::vector<Rule> table{
      {"service-setup", "*", "", "?*", "*", breach, "a service or driver that was not there"},
      {"service-setup", "*", "?*", "", "*", review, "a service or driver is gone"},
      {"service-setup", "*", "as [!L]*", "as LocalSystem;*", "*", breach, "a service has all rights that had fewer"},
      {"service-setup", "*", "?*", "*; on failure *", "*", breach, "a program that is run whenever a service fails"},
      {"service-setup", "*", "?*", "*; runs C:\\\\Windows\\\\*; loads C:\\\\Windows\\\\*", "*", review,
       "a service of Windows is another one"},
      {"service-setup", "*", "?*", "*; loads *", "*", breach, "a service runs a library from elsewhere"},
      {"service-setup", "*", "?*", "*; runs C:\\\\Windows\\\\*", "*", review, "a service of Windows is another one"},
      {"service-setup", "*", "?*", "*; runs C:\\\\Program Files*", "*", review,
       "a service of a program is another one"},
      {"service-setup", "*", "?*", "*; runs nothing*", "*", review, "a service does not say any more what it runs"},
      {"service-setup", "*", "*", "*", "*", breach, "a service runs a program from elsewhere"},

      {"task", "*", "*", "disabled*", "*", review, "a task that does not run"},
      {"task", "*", "*", "", "*", review, "a task is gone"},
      {"task", "\\\\Microsoft\\\\*", "*", "*; runs class *", "*", review,
       "a task of Windows: packages do not say which they bring"},
      {"task", "\\\\Microsoft\\\\*", "*", "*; runs C:\\\\Windows\\\\System32\\\\*", "*", review,
       "a task of Windows: packages do not say which they bring"},
      {"task", "*", "*", "*", "*", breach, "something that is run at its times, and was not or was another thing"},
      {"task-time", "\\\\Microsoft\\\\*", "*", "*", "*", notice, "tasks of Windows run at other times"},
      {"task-time", "*", "", "*", "*", notice, "the task itself tells"},
      {"task-time", "*", "*", "", "*", notice, "the task itself tells"},
      {"task-time", "*", "*", "*", "*", review, "a task runs at other times"},

      {"local-account", "*", "*", "*acts as RID*", "*", breach, "an account with the rights of another one"},
      {"local-account", "*", "*", "enabled, no password*", "*", breach, "an account that asks for no password"},
      {"local-account", "*", "disabled*", "enabled*", "*", breach, "an account can log in that could not"},
      {"local-account", "*", "", "enabled*", "*", breach, "a new account that somebody could log in to"},
      {"local-account", "*", "", "disabled*", "*", review, "a new account that nobody can log in to"},
      {"local-account", "*", "*", "*", "*", review, "an account is not what it was"},
      {"local-group", "*", "*", "*", "*", review, "a group came or went: who is in it tells what it may do"},
      {"group-member", "*", "*", "", "*", review, "an account lost rights that somebody may need"},
      {"group-member", "*: S-1-1-0", "*", "*", "*", breach, "everybody has the rights of the group"},
      {"group-member", "*: S-1-5-7", "*", "*", "*", breach, "who does not log in has the rights of the group"},
      {"group-member", "S-1-5-32-544: *", "*", "*", "*", breach, admins},
      {"group-member", "S-1-5-32-54[789]: *", "*", "*", "*", breach,
       "who is in it administers accounts, servers or shares"},
      {"group-member", "S-1-5-32-55[01]: *", "*", "*", "*", breach,
       "who is in it loads drivers for printers, or reads every file"},
      {"group-member", "S-1-5-32-555: *", "*", "*", "*", breach, "who is in it may log in from afar"},
      {"group-member", "S-1-5-32-556: *", "*", "*", "*", breach, "who is in it changes the network's settings"},
      {"group-member", "S-1-5-32-562: *", "*", "*", "*", breach, "who is in it starts components from afar"},
      {"group-member", "S-1-5-32-578: *", "*", "*", "*", breach, "who is in it has all rights on virtual machines"},
      {"group-member", "S-1-5-32-580: *", "*", "*", "*", breach, "who is in it administers from afar"},
      {"group-member", "*", "*", "*", "*", review, "an account has rights that it had not"},

      {"share", "*", "*", "*allow S-1-1-0*", "*", breach, anybody},
      {"share", "*", "*", "*allow S-1-5-7 *", "*", breach, "who does not log in may use it"},
      {"share", "*", "*", "*allow S-1-5-32-546 *", "*", breach, "guests may use it"},
      {"share", "*", "", "?*", "*", breach, "a share that was not there"},
      {"share", "*", "*", "*", "*", review, "a share is another one, or is gone"},

      {"firewall-rule", "*", "*", "active; allow; in;*", "*", breach, "traffic is let in"},
      {"firewall-rule", "*", "active; block;*", "*", "*", breach,
       "traffic is not refused any more, or other traffic is"},
      {"firewall-rule", "*", "", "inactive*", "*", notice, "a rule that is not in force"},
      {"firewall-rule", "*", "inactive*", "inactive*", "*", notice, "a rule that is not in force"},
      {"firewall-rule", "*", "inactive*", "", "*", notice, "a rule that was not in force"},
      {"firewall-rule", "*", "*", "*", "*", review, "traffic is let out or refused in another way"},
      {"firewall-service-rule", "*", "*", "*", "*", review, "a service of Windows may reach other things"},
      {"firewall-profile", "* EnableFirewall", "*", "0x0", "*", breach, "the firewall is off"},
      {"firewall-profile", "* EnableFirewall", "0x1", "", "*", breach, "nothing says any more that the firewall is on"},
      {"firewall-profile", "* DefaultInboundAction", "*", "0x0", "*", breach, "what no rule names is let in"},
      {"firewall-profile", "* DefaultInboundAction", "0x1", "", "*", breach,
       "nothing says any more that what no rule names is refused"},
      {"firewall-profile", "* DoNotAllowExceptions", "0x1", "*", "*", breach,
       "rules let traffic in that were not asked"},
      {"firewall-profile", "*", "*", "*", "*", review, "the firewall is set in another way"},

      {"certificate", "ROOT *", "*", "?*", "*", breach, "an authority whose certificates are believed"},
      {"certificate", "AuthRoot *", "*", "?*", "*", breach, "an authority whose certificates are believed"},
      {"certificate", "policy *", "*", "?*", "*", breach, "an authority whose certificates are believed"},
      {"certificate", "TrustedPublisher *", "*", "?*", "*", breach, "a publisher whose programs are believed"},
      {"certificate", "Disallowed *", "?*", "", "*", breach, "a certificate is believed again that was not"},
      {"certificate", "*", "*", "?*", "*", review, "a certificate that was not there"},
      {"certificate", "*", "?*", "", "*", review, "a certificate is gone that somebody may need"},

      {"autostart", "*", "*", "?*", "*", breach, starts},
      {"autostart", "run-once*", "?*", "", "*", notice, "it ran, once"},
      {"autostart", "*", "?*", "", "*", review, "a program does not start by itself any more"},

      {"protocol", "PCT*Enabled", "*", "0x[!0]*", "*", breach, weaker},
      {"protocol", "SSL*Enabled", "*", "0x[!0]*", "*", breach, weaker},
      {"protocol", "TLS 1.[01]*Enabled", "*", "0x[!0]*", "*", breach, weaker},
      {"protocol", "TLS 1.[01]*Enabled", "0x0", "", "*", breach, weaker},
      {"protocol", "SSL*Enabled", "0x0", "", "*", breach, weaker},
      {"protocol", "PCT*Enabled", "0x0", "", "*", breach, weaker},
      {"protocol", "TLS 1.[23]*Enabled", "*", "0x0", "*", breach, "the strong versions are not spoken any more"},
      {"protocol", "SSL*DisabledByDefault", "0x[!0]*", "*", "*", breach, weaker},
      {"protocol", "TLS 1.[01]*DisabledByDefault", "0x[!0]*", "*", "*", breach, weaker},
      {"protocol", "Ciphers*Enabled", "0x0", "*", "*", breach, "a cipher is used again that was not"},
      {"protocol", "WDigest UseLogonCredential", "*", "0x1", "*", breach, "passwords lie in memory as they are"},
      {"protocol", "*", "*", "*", "*", review, "other versions and ciphers are spoken"},

      {"smb-setting", "server SMB1", "*", "0x1", "*", breach, weaker},
      {"smb-setting", "server SMB1", "0x0", "", "*", breach, weaker},
      {"smb-setting", "server SMB2", "*", "0x0", "*", breach, "the strong versions are not spoken any more"},
      {"smb-setting", "* RequireSecuritySignature", "0x1", "*", "*", breach, "what is sent may be changed on its way"},
      {"smb-setting", "* EnableSecuritySignature", "0x1", "*", "*", breach, "what is sent may be changed on its way"},
      {"smb-setting", "server EncryptData", "0x1", "*", "*", breach, "what is sent may be read on its way"},
      {"smb-setting", "server RejectUnencryptedAccess", "0x1", "*", "*", breach, "what is sent may be read on its way"},
      {"smb-setting", "server RestrictNullSessAccess", "*", "0x0", "*", breach, "who does not log in sees shares"},
      {"smb-setting", "server NullSession*", "*", "?*", "*", breach, "who does not log in reaches shares and pipes"},
      {"smb-setting", "client AllowInsecureGuestAuth", "*", "0x1", "*", breach,
       "it logs in to servers that ask for nothing"},
      {"smb-setting", "client EnablePlainTextPassword", "*", "0x1", "*", breach, "passwords are sent as they are"},
      {"smb-setting", "*", "*", "*", "*", review, "shares are served or used in another way"},

      {"security-setting", "EnableLUA", "*", "0x0", "*", breach,
       "programs of administrators are not asked for consent"},
      {"security-setting", "LocalAccountTokenFilterPolicy", "*", "0x1", "*", breach,
       "local accounts have all rights from afar"},
      {"security-setting", "ConsentPromptBehaviorAdmin", "*", "0x0", "*", breach,
       "programs of administrators are not asked for consent"},
      {"security-setting", "AutoAdminLogon", "*", "[!0]*", "*", breach, "somebody is logged in at each start"},
      {"security-setting", "fDenyTSConnections", "*", "0x0", "*", breach, "it lets people log in from afar"},
      {"security-setting", "UserAuthentication", "*", "0x0", "*", breach, "who logs in from afar is asked late"},
      {"security-setting", "LmCompatibilityLevel", "*", "0x[012]", "*", breach,
       "weak proofs of passwords are accepted"},
      {"security-setting", "LmCompatibilityLevel", "0x[345]", "", "*", breach,
       "nothing says any more that weak proofs are refused"},
      {"security-setting", "RestrictAnonymous*", "0x[12]", "*", "*", breach,
       "who does not log in sees accounts and shares"},
      {"security-setting", "EveryoneIncludesAnonymous", "*", "0x1", "*", breach,
       "who does not log in has everybody's rights"},
      {"security-setting", "NoLMHash", "0x1", "*", "*", breach, "weak copies of passwords are kept"},
      {"security-setting", "RunAsPPL", "0x[12]", "*", "*", breach, "programs may read what logins leave in memory"},
      {"security-setting", "LimitBlankPasswordUse", "0x1", "*", "*", breach,
       "accounts without a password may log in from afar"},
      {"security-setting", "ForceGuest", "*", "0x1", "*", breach, "who is not known is a guest"},
      {"security-setting", "*", "*", "*", "*", review,
       "accounts are proved, or what they do is recorded, in another way"},

      {"dns-zone", "* AllowUpdate", "*", "0x1", "*", breach, "everybody may change the zone"},
      {"dns-zone", "* SecureSecondaries", "*", "0x0", "*", breach, "everybody may copy the zone"},
      {"dns-zone", "*", "*", "*", "*", review, "zones are other ones"},
      {"dns-setting", "*", "*", "*", "*", review, "the name server is set in another way"},
      {"dhcp-setting", "*", "*", "*", "*", review, "clients are told other things"},
      {"web-setting", "*", "*", "*", "*", review, "the web server is set in another way"},
  };
  return table;
}

}  // namespace patchlab::checks::state

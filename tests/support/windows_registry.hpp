// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>

namespace patchlab::test {

// The registry of a machine that only pretends to be Windows: keeps what is set, and prints it as reg.exe does.
class WindowsRegistry {
 public:
  struct Value {
    std::string type;
    std::string data;
  };

  // "HKLM\..."
  void set(const std::string& key, const std::string& name, const std::string& type, const std::string& data) {
    keys[full(key)][name] = {type, data};
  }
  void add_key(const std::string& key) { keys[full(key)]; }
  void remove(const std::string& key, const std::string& name) { keys[full(key)].erase(name); }

  struct Query {
    std::string key;
    std::string value{};  // empty: all
    bool tree = false;
  };
  // What reg.exe ends with.
  int print(const Query& query, bool german, std::string& output) const {
    const auto root = full(query.key);
    std::size_t matches = 0;
    bool there = false;
    for (const auto& [path, values] : keys) {
      const bool is_root = path == root;
      const bool is_below = path.starts_with(root + "\\");
      if (!is_root && !is_below) continue;
      there = true;
      if (!is_root && !query.tree) {
        const auto rest = path.substr(root.size() + 1);
        if (query.value.empty()) output += root + "\\" + rest.substr(0, rest.find('\\')) + "\r\n";
        continue;
      }
      std::string lines;
      for (const auto& [name, value] : values) {
        if (!query.value.empty() && name != query.value) continue;
        ++matches;
        lines += fmt::format("    {}    {}    {}\r\n", name, value.type, value.data);
      }
      if (!lines.empty() || (query.value.empty() && query.tree)) output += "\r\n" + path + "\r\n" + lines;
    }
    if (query.tree && !query.value.empty() && there) {
      output += german ? fmt::format(
                             "\r\nSuchende: {} \x9A"
                             "bereinstimmung(en) gefunden.\r\n",
                             matches)
                       : fmt::format("\r\nEnd of search: {} match(es) found.\r\n", matches);
      return matches == 0 ? 1 : 0;
    }
    if (there && (query.value.empty() || matches > 0)) return 0;
    output += german ? "FEHLER: Der angegebene Registrierungsschl\x81ssel wurde nicht gefunden.\r\n"
                     : "ERROR: The system was unable to find the specified registry key or value.\r\n";
    return 1;
  }

  std::map<std::string, std::map<std::string, Value>> keys;

 private:
  static std::string full(const std::string& key) {
    return key.starts_with("HKLM\\") ? "HKEY_LOCAL_MACHINE" + key.substr(4) : key;
  }
};

// A member server with a few of everything that a look at the whole guest asks for. Values of accounts, shares and
// rules are in the form of published samples.
inline WindowsRegistry member_server() {
  WindowsRegistry registry;
  const std::string services = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\";
  const auto service = [&](const std::string& name, const std::string& program, const std::string& account) {
    registry.set(services + name, "ImagePath", "REG_EXPAND_SZ", program);
    if (!account.empty()) registry.set(services + name, "ObjectName", "REG_SZ", account);
  };
  service("DNS", "%systemroot%\\system32\\dns.exe", "LocalSystem");
  service("Dnscache", "%SystemRoot%\\system32\\svchost.exe -k NetworkService", "NT AUTHORITY\\NetworkService");
  registry.set(services + "Dnscache\\Parameters", "ServiceDll", "REG_EXPAND_SZ",
               "%SystemRoot%\\System32\\dnsrslvr.dll");
  service("disk", "\\SystemRoot\\System32\\drivers\\disk.sys", "");
  service("Backup", "\"C:\\Program Files\\Fabrikam\\backup.exe\" -service", "CORP\\backup");
  const std::string sam = "HKLM\\SAM\\SAM\\Domains\\";
  registry.set(
      sam + "Account\\Users\\000001F4", "F", "REG_BINARY",
      "0300010000000000000000000000000000000000000000000000000000000000FFFFFFFFFFFFFF7F0000000000000000F4010000"
      "01020000100200000000000000000000010000000000000000000C00");
  registry.set(
      sam + "Account\\Users\\000001F5", "F", "REG_BINARY",
      "0300010000000000000000000000000000000000000000000000000000000000FFFFFFFFFFFFFF7F0000000000000000F5010000"
      "01020000150200000000000000000000010000000000000000000C00");
  registry.add_key(sam + "Account\\Users\\Names\\Administrator");
  registry.set(
      sam + "Builtin\\Aliases\\00000220", "C", "REG_BINARY",
      "20020000000000000000000000000000000000000000000000000000000000000000000000000000000000001C00000001000000"
      "010500000000000515000000785634121122334455667788F4010000");
  registry.set(sam + "Account\\Aliases", "unused", "REG_SZ", "");
  const std::string shares = services + "LanmanServer\\Shares";
  registry.set(shares, "Data", "REG_MULTI_SZ",
               "CSCFlags=0\\0MaxUses=4294967295\\0Path=C:\\Shares\\Data\\0Permissions=9\\0ShareName=Data\\0Type=0");
  registry.set(shares + "\\Security", "Data", "REG_BINARY",
               "01000480400000004C000000000000001400000002002C000100000000002400FF011F00010500000000000515000000"
               "785634121122334455667788F4010000010100000000000512000000010100000000000512000000");
  const std::string firewall = services + "SharedAccess\\Parameters\\FirewallPolicy";
  for (const auto* profile : {"DomainProfile", "PublicProfile", "StandardProfile"})
    registry.set(firewall + "\\" + profile, "EnableFirewall", "REG_DWORD", "0x1");
  registry.set(firewall + "\\FirewallRules", "DNS-In", "REG_SZ",
               "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=53|App=%systemroot%\\System32\\dns.exe|Svc=dns|"
               "Name=@dns.exe,-1|Desc=@dns.exe,-2|EmbedCtxt=@dns.exe,-3|");
  registry.set(firewall + "\\FirewallRules", "Telnet-In", "REG_SZ",
               "v2.10|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=23|Name=Telnet|");
  registry.add_key(
      "HKLM\\SOFTWARE\\Microsoft\\SystemCertificates\\ROOT\\Certificates\\"
      "CDD4EEAE6000AC7F40C3802C171E30148030C072");
  registry.set("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run", "VMware User Process", "REG_SZ",
               "\"C:\\Program Files\\VMware\\vmtoolsd.exe\" -n vmusr");
  registry.set("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon", "Shell", "REG_SZ", "explorer.exe");
  registry.add_key("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\mscorsvw.exe");
  const std::string control = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\";
  registry.set(control + "Lsa", "Security Packages", "REG_MULTI_SZ", "kerberos\\0msv1_0\\0schannel");
  registry.set(control + "Lsa", "LmCompatibilityLevel", "REG_DWORD", "0x5");
  registry.set(control + "Print\\Monitors\\Local Port", "Driver", "REG_SZ", "localspl.dll");
  registry.set(control + "SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0\\Server", "Enabled", "REG_DWORD", "0x0");
  registry.set(services + "LanmanServer\\Parameters", "RequireSecuritySignature", "REG_DWORD", "0x1");
  registry.set(services + "LanmanServer\\Parameters", "Guid", "REG_BINARY", "00");
  registry.set("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System", "EnableLUA", "REG_DWORD", "0x1");
  registry.set("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\DNS Server\\Zones\\corp.example", "AllowUpdate",
               "REG_DWORD", "0x0");
  registry.set(services + "DNS\\Parameters", "Forwarders", "REG_MULTI_SZ", "10.20.0.1");
  registry.set("HKLM\\SECURITY\\Policy\\PolAdtEv", "(Default)", "REG_NONE", "0100");
  return registry;
}

}  // namespace patchlab::test

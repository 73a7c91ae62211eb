// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/parameters.hpp"

#include <fmt/format.h>

#include "checks/kerberos/names.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/net/address.hpp"

namespace patchlab::checks::smb {

std::string why_no_share(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_of("/\\") == std::string::npos;
  return plain ? ""
               : fmt::format("'{}' is not the name of a share: it must not be empty, nor have slashes in it", text);
}

Account read_account(JsonReader& reader, Login login) {
  Account account;
  account.share = reader.text("share", why_no_share);
  if (login == Login::granted) {
    account.user = reader.text("user", not_empty("a session without a name is looked at by smb.login-refused"));
    account.password = reader.text("password");
  } else {
    account.user = reader.text_or("user", "");
  }
  account.domain = reader.text_or("domain", "");
  account.port = static_cast<std::uint16_t>(reader.integer_or("port", 445, 1, 65535));
  return account;
}

void read_login(JsonReader& reader, Account& account) {
  const auto login = reader.text_or("login", "ntlm", [](const std::string& word) {
    return word == "ntlm" || word == "kerberos" ? std::string()
                                                : fmt::format("must be \"ntlm\" or \"kerberos\", found \"{}\"", word);
  });
  if (login != "kerberos") {
    for (const char* key : {"realm", "server", "controller", "kerberos_port"}) {
      if (reader.has(key)) reader.problem(key, "is for the login \"kerberos\"");
    }
    return;
  }
  KerberosLogin by;
  by.realm = reader.text("realm", kerberos::why_no_realm);
  by.server = reader.text("server", kerberos::why_no_host);
  by.controller = reader.text_or("controller", "", [](const std::string& text) {
    const auto address = net::Ipv4::parse(text);
    return address ? std::string() : address.error().message;
  });
  by.port = static_cast<std::uint16_t>(reader.integer_or("kerberos_port", 88, 1, 65535));
  if (const auto why = kerberos::why_no_principal(account.user); !why.empty()) reader.problem("user", why);
  if (reader.has("domain")) reader.problem("domain", "with a ticket the realm says whose user it is");
  account.kerberos = by;
}

std::map<std::string, std::string> read_known_files(JsonReader& reader) {
  std::map<std::string, std::string> files;
  if (!reader.has("known_files")) return files;
  auto inside = reader.object("known_files");
  for (const auto& [path, digest] : reader.raw("known_files").items()) {
    if (path.empty() || !is_path_below_share(path)) {
      inside.problem(path, fmt::format("'{}' must be a path below the share, as alpha/budget.csv", path));
    } else {
      files[path] = inside.text(path, [](const std::string& text) {
        return is_sha256(text) ? "" : "must be the SHA-256 of the file, 64 lower-case hex digits (sha256sum shows it)";
      });
    }
  }
  return files;
}

bool is_path_below_share(const std::string& path) {
  if (path.empty()) return true;
  if (path.find('\\') != std::string::npos) return false;
  const auto text = "/" + path + "/";
  return text.find("//") == std::string::npos && text.find("/../") == std::string::npos &&
         text.find("/./") == std::string::npos;
}

}  // namespace patchlab::checks::smb

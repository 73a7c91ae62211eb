// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/parameters.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"

namespace patchlab::checks::smb {

Account read_account(JsonReader& reader, Login login) {
  Account account;
  account.share = reader.text("share");
  if (login == Login::granted) {
    account.user = reader.text("user");
    account.password = reader.text("password");
  } else {
    account.user = reader.text_or("user", "");
  }
  account.domain = reader.text_or("domain", "");
  account.port = static_cast<std::uint16_t>(reader.integer_or("port", 445, 1, 65535));
  const bool plain = account.share.find_first_of("/\\") == std::string::npos;
  if (!plain) reader.problem("share", "must be the name of a share, without slashes");
  return account;
}

std::map<std::string, std::string> read_known_files(JsonReader& reader) {
  std::map<std::string, std::string> files;
  if (!reader.has("known_files")) return files;
  const auto& value = reader.raw("known_files");
  if (!value.is_object()) {
    reader.problem("known_files",
                   fmt::format("must be an object of paths and SHA-256 digests, found {}", value.type_name()));
    return files;
  }
  for (const auto& [path, digest] : value.items()) {
    const bool valid =
        is_path_below_share(path) && !path.empty() && digest.is_string() && is_sha256(digest.get<std::string>());
    if (valid)
      files[path] = digest.get<std::string>();
    else
      reader.problem("known_files", fmt::format("'{}' must be a path below the share with a SHA-256 digest", path));
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

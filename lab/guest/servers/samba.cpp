// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

// "[projects]", "\tpath = /srv": by "projects / path".
Result<std::map<std::string, std::string>> settings(std::string_view text) {
  std::map<std::string, std::string> found;
  std::string section;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[') && line.ends_with(']')) {
      section = line.substr(1, line.size() - 2);
      found[section] = "there";
      continue;
    }
    const auto [name, value] = setting_of(line);
    if (section.empty() || name.empty()) return not_understood("samba", raw);
    found[fmt::format("{} / {}", section, name)] = value;
  }
  return found;
}

// "alice:2001:set:[U          ]:LCT-6B0BC571"
const char* word_of_flag(char flag) {
  switch (flag) {
    case 'U': return "a person's";
    case 'D': return "disabled";
    case 'N': return "no password needed";
    case 'W':
    case 'S': return "a machine's";
    case 'I': return "a domain's";
    case 'X': return "password does not expire";
    case 'L': return "locked out";
    case 'H': return "home folder needed";
    default: return nullptr;
  }
}

Result<void> read_accounts(std::string_view text, Rows& rows) {
  for (const auto line : lines_of(text)) {
    const auto fields = split(line, ':');
    if (fields.size() != 5 || !fields[3].starts_with('[') || !fields[4].starts_with("LCT-"))
      return not_understood("samba", line);
    auto value = fmt::format("uid {}, password {}", fields[1], fields[2]);
    if (fields[2] == "set") value += fmt::format(" at {}", fields[4].substr(4));
    for (const char flag : fields[3]) {
      if (const auto* word = word_of_flag(flag)) value += fmt::format(", {}", word);
    }
    rows.add("samba-account", std::string(fields[0]), value);
  }
  return {};
}

// "[projects]", "OWNER:", "ACL:S-1-1-0:ALLOWED/0x0/FULL"
Result<void> read_share_rights(std::string_view text, Rows& rows) {
  std::string share;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.starts_with('[') && line.ends_with(']'))
      share = line.substr(1, line.size() - 2);
    else if (line.starts_with("ACL:") && !share.empty())
      rows.add("samba-share-right", share, std::string(line.substr(4)));
    else if (!line.empty() && line.find(':') == std::string_view::npos)
      return not_understood("samba", raw);
  }
  return {};
}

// testparm says only what differs from the usual values, or everything: what is usual depends on the version.
Result<void> read_samba(const Parts& parts, Rows& rows) {
  PATCHLAB_ASSIGN(const auto set_text, part_of("samba", parts, "set"));
  PATCHLAB_ASSIGN(const auto all_text, part_of("samba", parts, "all"));
  PATCHLAB_ASSIGN(const auto set, settings(set_text));
  PATCHLAB_ASSIGN(const auto all, settings(all_text));
  if (!set.contains("global") || !all.contains("global / workgroup")) return not_understood("samba", all_text);
  for (const auto& [item, value] : set) rows.add("samba-setting", item, value);
  for (const auto& [item, value] : all) {
    if (!set.contains(item) && item.starts_with("global / ")) rows.add("samba-default", item, value);
  }
  if (parts.contains("accounts")) PATCHLAB_TRY(read_accounts(parts.at("accounts"), rows));
  if (parts.contains("rights")) PATCHLAB_TRY(read_share_rights(parts.at("rights"), rows));
  return {};
}

}  // namespace

// Of hashes only whether there is one.
const Collector samba{"samba", R"sh(samba() {
  has testparm && has smbd || return 1
  part set; try testparm -s || return
  part all; try testparm -sv || return
  if has pdbedit; then
    part accounts
    try sh -c 'list=$(pdbedit -L -w) || exit 1
      printf "%s\n" "$list" | awk -F: "NF >= 6 { print \$1 \":\" \$2 \":\" (\$4 ~ /^[0-9A-F]+\$/ && length(\$4) == 32 ? \"set\" : \"none\") \":\" \$5 \":\" \$6 }
NF > 0 && NF < 6 { print \"no account\" }"' || return
  fi
  if has sharesec; then part rights; try sharesec --view-all; fi
}
)sh",
                      read_samba};

}  // namespace patchlab::lab::guest::servers

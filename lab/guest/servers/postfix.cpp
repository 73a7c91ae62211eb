// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

// "static:anne:secret": a table that is one value.
std::string without_secrets(std::string value) {
  const auto at = value.find("static:");
  return at == std::string::npos ? value : value.substr(0, at) + "static:...";
}

Result<void> read_postfix(const Parts& parts, Rows& rows) {
  PATCHLAB_ASSIGN(const auto all, part_of("postfix", parts, "all"));
  PATCHLAB_ASSIGN(const auto set, part_of("postfix", parts, "set"));
  PATCHLAB_ASSIGN(const auto services, part_of("postfix", parts, "services"));
  std::set<std::string> in_file;
  for (const auto line : lines_of(set)) in_file.insert(setting_of(line).name);
  bool is_whole = false;
  for (const auto line : lines_of(all)) {
    const auto [name, value] = setting_of(line);
    if (name.empty()) return not_understood("postfix", line);
    is_whole = is_whole || name == "config_directory";
    if (name != "mail_version" && name != "mail_release_date" && name != "process_id")
      rows.add(in_file.contains(name) ? "postfix-setting" : "postfix-default", name, without_secrets(value));
  }
  if (!is_whole) return not_understood("postfix", all);
  // "smtp       inet  n       -       n       -       -       smtpd -o syslog_name=..."
  for (const auto line : lines_of(services)) {
    const auto words = words_of(line);
    if (words.size() < 8) return not_understood("postfix", line);
    std::string value;
    for (std::size_t i = 2; i < words.size(); ++i) (value += i == 2 ? "" : " ") += words[i];
    rows.add("postfix-service", std::string(words[0]) + "/" + std::string(words[1]), value);
  }
  return {};
}

}  // namespace

const Collector postfix{"postfix", R"sh(postfix() {
  has postconf || return 1
  part all; try postconf || return
  part set; try postconf -n || return
  part services; try postconf -M
}
)sh",
                        read_postfix};

}  // namespace patchlab::lab::guest::servers

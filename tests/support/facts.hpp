// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>

// What the script prints on a small name server.
namespace patchlab::tests {

inline std::string facts_text(const std::string& lines, const std::string& machine = "dns1.corp.example",
                              const std::string& observed = "2026-11-28T22:00:00Z") {
  const auto text = fmt::format(R"({{"schema":"patchlab/facts/v1","family":"debian","machine":"{}","observed":"{}"}})"
                                "\n{}",
                                machine, observed, lines);
  return text + fmt::format("{{\"end\":{}}}\n", std::ranges::count(text, '\n'));
}

inline const std::string& facts_lines() {
  static const std::string text = R"({"release":"system","value":"debian"}
{"release":"kernel","value":"6.1.0-28-amd64"}
{"package":"bind9","architecture":"amd64","version":"1:9.18.33-1~deb12u2"}
{"package":"base-files","architecture":"amd64","version":"12.4+deb12u9"}
{"package":"vim","architecture":"amd64","version":"2:9.0.1378-2"}
{"service":"named"}
{"service":"ssh"}
{"port":53,"protocol":"tcp","scope":"own"}
{"port":53,"protocol":"udp","scope":"own"}
{"port":53,"protocol":"udp","scope":"loopback"}
{"file":"/etc/bind/named.conf","of":"bind","sha256":"1111111111111111111111111111111111111111111111111111111111111111","compared":"2222222222222222222222222222222222222222222222222222222222222222"}
{"file":"/etc/bind/rndc.key","of":"bind","not_read":"by its name it may hold a key, a certificate or a secret"}
{"file":"/etc/hosts","of":"system","sha256":"3333333333333333333333333333333333333333333333333333333333333333","compared":"4444444444444444444444444444444444444444444444444444444444444444"}
)";
  return text;
}
inline std::string small_facts() { return facts_text(facts_lines()); }

}  // namespace patchlab::tests

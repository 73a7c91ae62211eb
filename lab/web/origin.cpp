// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/web/origin.hpp"

#include <algorithm>
#include <charconv>

#include "lab/core/printable.hpp"

namespace patchlab::lab::web {
namespace {

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

// RFC 1123 section 2.1. The last label of a name is never a number: that would be an address.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) return !std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; });
    text.remove_prefix(dot + 1);
  }
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), port);
  return trouble == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536 && text.front() != '0';
}

}  // namespace

Result<Origin> read_origin(std::string_view text) {
  const auto refused = [&](const std::string& why) -> Error {
    return configuration_error(fmt::format("'{}' is no origin for approvals: {}", printable(text), why),
                               "write it as https://desk.xavier.example or http://localhost:8443");
  };
  const bool secure = text.starts_with("https://");
  if (!secure && !text.starts_with("http://")) return refused("it begins with neither https:// nor http://");
  const auto host = text.substr(secure ? 8 : 7);
  const auto colon = host.find(':');
  const auto name = host.substr(0, colon);
  if (!is_host_name(name))
    return refused("security keys are bound to a host name in lower case, never to an address, and nothing follows it");
  if (!secure && name != "localhost" && !name.ends_with(".localhost"))
    return refused("without TLS, browsers offer security keys to localhost only");
  if (colon != std::string_view::npos) {
    const auto port = host.substr(colon + 1);
    if (port.empty() || !is_port(port)) return refused("its port is none");
    if (port == (secure ? "443" : "80")) return refused("browsers leave the scheme's own port out");
  }
  return Origin{std::string(text), std::string(host), std::string(name)};
}

}  // namespace patchlab::lab::web

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/listen_argument.hpp"

#include <fmt/format.h>

#include <charconv>

namespace patchlab::cli {

Result<ListenPlace> listen_place(const std::string& text) {
  const auto refused = [&] {
    return configuration_error(fmt::format("--listen '{}' is no place to listen on", text),
                               "give address and port: 127.0.0.1:8443 or [::1]:8443");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return refused();
  ListenPlace place{text.substr(0, colon), 0};
  if (place.address.front() == '[' && place.address.back() == ']')
    place.address = place.address.substr(1, place.address.size() - 2);
  else if (place.address.find(':') != std::string::npos)
    return refused();
  const auto* end = text.data() + text.size();
  const auto [at, trouble] = std::from_chars(text.data() + colon + 1, end, place.port);
  if (trouble != std::errc() || at != end) return refused();
  return place;
}

}  // namespace patchlab::cli

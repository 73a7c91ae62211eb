// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/web/for_us.hpp"

#include "lab/core/printable.hpp"

namespace patchlab::lab::web {

std::vector<std::string> values_of(const WebRequest& request, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& header : request.headers) {
    if (header.name == name) values.push_back(header.value);
  }
  return values;
}

std::optional<NotAsked> not_for_us(const WebRequest& request, const Origin& ours) {
  const auto hosts = values_of(request, "host");
  if (hosts.size() != 1 || hosts.front() != ours.host) {
    return NotAsked{421, "host-not-ours",
                    fmt::format("this is {} and answers to no other name, '{}' among them", ours.text,
                                hosts.empty() ? std::string() : printable(hosts.front()))};
  }
  for (const auto& origin : values_of(request, "origin")) {
    if (origin != ours.text) {
      return NotAsked{403, "origin-not-ours",
                      fmt::format("a page of '{}' asks; only those of {} may", printable(origin), ours.text)};
    }
  }
  if (request.method != "POST") return std::nullopt;
  if (values_of(request, "origin").size() != 1)
    return NotAsked{403, "origin-not-ours", "a browser says whose page sends something; this request does not"};
  for (const auto& site : values_of(request, "sec-fetch-site")) {
    if (site != "same-origin")
      return NotAsked{403, "origin-not-ours", "the browser says that the page of somebody else sends this"};
  }
  return std::nullopt;
}

}  // namespace patchlab::lab::web

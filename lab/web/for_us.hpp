// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "lab/web/http.hpp"
#include "lab/web/origin.hpp"

// Whether a request is for us at all. Pure, and strict: a request is anybody's bytes.
namespace patchlab::lab::web {

// Nothing that is answered here. The words in `code` are stable API.
struct NotAsked {
  unsigned status = 400;
  std::string code;
  std::string text;
};

// Of all header fields of that name, which is in lower case.
[[nodiscard]] std::vector<std::string> values_of(const WebRequest& request, std::string_view name);

// Exactly one Host, which is ours (a name of somebody else that leads here is refused: DNS rebinding), and from our
// pages when it sends something: an Origin that is ours. Nothing: it is for us.
[[nodiscard]] std::optional<NotAsked> not_for_us(const WebRequest& request, const Origin& ours);

}  // namespace patchlab::lab::web

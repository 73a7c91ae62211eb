// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

// A request and its answer as plain values: what is asked and answered knows no socket.
namespace patchlab::lab::web {

struct WebHeader {
  std::string name;  // in lower case
  std::string value;
};
struct WebRequest {
  std::string method;
  std::string target;  // as it stands in the request line
  std::vector<WebHeader> headers;
  std::string body;
};
struct WebResponse {
  unsigned status = 200;
  std::string content_type = "text/html; charset=utf-8";
  std::string body;
};

// A statement and a signature, both of the greatest length and every byte escaped for JSON, fit.
inline constexpr std::size_t longest_body = 256U << 10U;  // bytes

}  // namespace patchlab::lab::web

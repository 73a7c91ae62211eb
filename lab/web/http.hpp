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
  std::string file_name{};  // to be kept as a file of this name (ASCII, no quotes); empty: to be shown
  // Whether the page may run the scripts that we serve.
  enum class Scripts { none, ours } scripts = Scripts::none;
  std::string allow = "GET, POST";  // of 405: what is answered there
};

// A statement and a signature, both of the greatest length and every byte escaped for JSON, fit.
inline constexpr std::size_t longest_body = 256U << 10U;  // bytes

}  // namespace patchlab::lab::web

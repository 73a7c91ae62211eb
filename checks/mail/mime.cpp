// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/mime.hpp"

#include <algorithm>
#include <tuple>

#include "checks/mail/message.hpp"
#include "lab/core/base64.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::size_t most_parts = 20;
constexpr int deepest_part = 5;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 2045 section 6.7; what is no quotation stands as it is.
std::string from_quoted_printable(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      plain += text[i];
    } else if (text.substr(i + 1).starts_with("\r\n")) {
      i += 2;
    } else if (i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      plain += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string readable_at(const std::string& message, int depth) {
  const auto [header, body] = split_message(message);
  const auto fields = header_fields(header);
  const auto field = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  const auto parts = mime_parts(body, mime_parameter(field("content-type"), "boundary"));
  if (!parts.empty() && depth < deepest_part) {
    std::string all;
    for (const auto& part : parts) all += readable_at(part, depth + 1) + "\r\n";
    return all;
  }
  const auto encoding = lower_case(trimmed(field("content-transfer-encoding"), " \t"));
  if (encoding == "quoted-printable") return from_quoted_printable(body);
  if (encoding != "base64") return body;
  std::string digits;
  std::ranges::copy_if(body, std::back_inserter(digits), [](char c) { return c != '\r' && c != '\n' && c != ' '; });
  return from_base64(digits).value_or(body);
}

}  // namespace

std::string mime_parameter(std::string_view value, const std::string& name) {
  for (auto at = value.find(';'); at != std::string_view::npos;) {
    value.remove_prefix(at + 1);
    const auto equals = value.find('=');
    if (equals == std::string_view::npos) return {};
    const bool wanted = lower_case(trimmed(value.substr(0, equals), " \t")) == name;
    value.remove_prefix(equals + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    std::string text;
    if (value.starts_with('"')) {
      std::size_t i = 1;
      for (; i < value.size() && value[i] != '"'; ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        text += value[i];
      }
      value.remove_prefix(std::min(i + 1, value.size()));
    } else {
      text = std::string(value.substr(0, value.find_first_of("; \t(")));
    }
    if (wanted) return text;
    at = value.find(';');
  }
  return {};
}

std::vector<std::string> mime_parts(const std::string& body, const std::string& boundary) {
  std::vector<std::string> parts;
  if (boundary.empty()) return parts;
  const auto text = "\r\n" + body;
  const auto line = "\r\n--" + boundary;
  // Where the next one begins, and whether it is the last one; what only begins like it is a boundary of a part inside.
  const auto next_line = [&](std::size_t from) {
    for (auto at = text.find(line, from); at != std::string::npos; at = text.find(line, at + 1)) {
      auto rest = std::string_view(text).substr(at + line.size());
      const bool is_last = rest.starts_with("--");
      if (is_last) rest.remove_prefix(2);
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
      if (rest.empty() || rest.starts_with("\r\n")) return std::pair(at, is_last);
    }
    return std::pair(std::string::npos, true);
  };
  for (auto [at, is_last] = next_line(0); !is_last && parts.size() < most_parts;) {
    const auto begin = text.find("\r\n", at + line.size());
    if (begin == std::string::npos) break;
    std::tie(at, is_last) = next_line(begin);
    const auto end = std::min(at, text.size());
    parts.push_back(end > begin + 2 ? text.substr(begin + 2, end - begin - 2) : "");
  }
  return parts;
}

std::string readable_text(const std::string& message) { return readable_at(message, 0); }

}  // namespace patchlab::checks::mail

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/http/get.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/check_with.hpp"
#include "checks/http/page.hpp"

namespace patchlab::checks::http {
namespace {

constexpr std::size_t longest_path = 2000;

struct Parameters {
  PageRequest page;
  long status = 200;
};

std::string why_no_path(const std::string& path) {
  const bool plain = path.starts_with('/') && path.size() <= longest_path &&
                     std::ranges::all_of(path, [](char c) { return c > ' ' && c <= '~' && c != '#'; });
  return plain ? ""
               : fmt::format("must begin with '/', without blanks and '#', and have at most {} bytes", longest_path);
}

std::string why_no_host(const std::string& host) {
  const bool plain = !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
  return plain ? "" : "must be a host's name of letters, digits, '.', '-' and '_'";
}

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  auto& page = with.page;
  page.tls = reader.boolean_or("tls", false);
  page.port = static_cast<std::uint16_t>(reader.integer_or("port", page.tls ? 443 : 80, 1, 65535));
  page.host = reader.text_or("host", "", why_no_host);
  page.path = reader.text_or("path", "/", why_no_path);
  with.status = static_cast<long>(reader.integer_or("expect_status", 200, 100, 599));
  page.contains = reader.texts_or_empty("contains", not_empty("every page has that: name what shows that it works"));
  page.redirects = static_cast<long>(reader.integer_or("redirects", 0, 0, 10));
  const bool has_user = reader.has("user");
  if (has_user != reader.has("password"))
    reader.problem(has_user ? "user" : "password", "'user' and 'password' need each other");
  if (has_user)
    page.user = reader.text("user", [](const std::string& user) {
      return user.empty() || user.find(':') != std::string::npos ? "must be a name without ':' (RFC 7617)" : "";
    });
  if (reader.has("password")) page.password = reader.text("password");
  return with;
}

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

std::string told(const Observation& seen) {
  auto text = fmt::format("status {}", seen.at("status").get<long>());
  if (seen.contains("location")) text += fmt::format(", to '{}'", seen.at("location").get<std::string>());
  const auto title = seen.value("title", "");
  if (!title.empty()) return text + fmt::format(", '{}'", title);
  const auto beginning = seen.value("beginning", "").substr(0, 120);
  return beginning.empty() ? text : text + fmt::format(", '{}'", to_valid_utf8(beginning));
}

class Get final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "http.get"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    auto page = with.page;
    page.address = target.address;
    return ask_for(page, Deadline(limit));
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    const auto expected = fmt::format("'{}' with status {}", with.page.path, with.status);
    if (seen.contains("trouble")) return failed(seen.at("trouble").get<std::string>(), expected, seen.value("why", ""));
    if (seen.at("status") != with.status) return failed("status-differs", expected, told(seen));
    for (const auto& text : with.page.contains) {
      if (!seen.at("contains").value(text, false))
        return failed("text-missing", fmt::format("'{}' with '{}' in it", with.page.path, text),
                      told(seen) + (seen.value("cut", false) ? "; only the first 4 MiB were read" : ""));
    }
    return {Outcome::pass, "as-expected", expected, told(seen)};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*with*/, Observation& seen, Json& json) const override {
    if (seen.contains("trouble")) return Error{ErrorClass::check, "no page: " + seen.value("why", ""), {}};
    const auto status = seen.at("status").get<long>();
    if (status >= 500) return Error{ErrorClass::check, "the server cannot show this page: " + told(seen), {}};
    json["expect_status"] = status;
    Json contains = Json::array();
    for (const auto& [text, is_there] : seen.at("contains").items()) {
      if (is_there.get<bool>()) contains.push_back(text);
    }
    // As it stands in the page.
    const auto title = seen.value("title", "");
    if (contains.empty() && !title.empty() && title.find('\xef') == std::string::npos) {
      contains.push_back(title);
      seen["contains"][title] = true;
    }
    json.erase("contains");
    if (!contains.empty()) json["contains"] = std::move(contains);
    return {};
  }
};

}  // namespace

const Check& get() {
  static const Get instance;
  return instance;
}

}  // namespace patchlab::checks::http

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The only file of content that knows libcurl.
#include "lab/content/curl_source.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::lab::content {
namespace {

constexpr int tries = 3;  // of what ends before its end; a server may close a connection between two requests
constexpr long connect_seconds = 20;
constexpr long least_bytes_a_second = 1024;
constexpr long slow_seconds = 30;

struct HandleEnd {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct UrlEnd {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

// One connection, which is kept for the next name.
struct Connection {
  std::unique_ptr<CURL, HandleEnd> handle{curl_easy_init()};
  std::array<char, CURL_ERROR_SIZE> errors{};
  std::string body;
  std::size_t most = 0;
  bool is_too_long = false;
  std::stop_token stop;
};

template <class Value>
void set(Connection& connection, CURLoption option, Value value) {
  if (const auto code = curl_easy_setopt(connection.handle.get(), option, value); code != CURLE_OK)
    throw std::runtime_error(
        fmt::format("libcurl does not know option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
}

std::size_t take(char* bytes, std::size_t one, std::size_t count, void* to) {
  auto& connection = *static_cast<Connection*>(to);
  const auto size = one * count;
  connection.is_too_long = size > connection.most - connection.body.size();
  if (connection.is_too_long) return 0;
  connection.body.append(bytes, size);
  return size;
}

int go_on(void* with, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Connection*>(with)->stop.stop_requested() ? 1 : 0;
}

// Empty: it has none.
std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

bool is_this_host(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  const auto parts = split(host, '.');
  return parts.size() == 4 && parts[0] == "127" && host.find_first_not_of("0123456789.") == std::string::npos;
}

class CurlSource final : public Source {
 public:
  CurlSource(const SourceName& name, std::stop_token stop) : base_(name.from), ca_(name.ca), stop_(std::move(stop)) {
    static std::once_flag once;
    std::call_once(once, [] {
      if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl does not begin");
    });
    while (base_.ends_with('/')) base_.pop_back();
  }

  Result<std::optional<std::string>> read(const std::string& name, std::size_t most) override {
    auto connection = free_connection();
    const auto url = base_ + "/" + name;
    set(*connection, CURLOPT_URL, url.c_str());
    CURLcode code = CURLE_OK;
    long status = 0;
    for (int i = 0; i < tries; ++i) {
      connection->body.clear();
      connection->most = most;
      connection->is_too_long = false;
      code = curl_easy_perform(connection->handle.get());
      curl_easy_getinfo(connection->handle.get(), CURLINFO_RESPONSE_CODE, &status);
      if (!may_be_tried_again(code, *connection, status)) break;
    }
    if (connection->stop.stop_requested()) return Error{ErrorClass::cancelled, "reading '" + url + "': cancelled", {}};
    if (connection->is_too_long)
      return infrastructure_error(fmt::format("'{}' is larger than the {} bytes that it may have", url, most));
    if (code != CURLE_OK)
      return infrastructure_error(fmt::format("reading '{}': {}", url, printable(trouble_of(*connection, code))),
                                  hint_for(code));
    auto body = std::move(connection->body);
    give_back(std::move(connection));
    if (status == 404 || status == 410) return std::optional<std::string>();
    if (status != 200)
      return infrastructure_error(fmt::format("reading '{}': it answers {}{}", url, status,
                                              status >= 300 && status < 400 ? ", and redirects are not followed" : ""));
    return std::optional(std::move(body));
  }
  [[nodiscard]] const std::string& shown() const override { return base_; }

 private:
  static bool may_be_tried_again(CURLcode code, const Connection& connection, long status) {
    if (connection.is_too_long || connection.stop.stop_requested()) return false;
    if (code == CURLE_OK) return status == 502 || status == 503 || status == 504;
    return code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE;
  }
  static std::string trouble_of(const Connection& connection, CURLcode code) {
    return std::string(
        trimmed(connection.errors[0] != '\0' ? connection.errors.data() : curl_easy_strerror(code), " \t\r\n"));
  }
  static std::string hint_for(CURLcode code) {
    if (code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE) return {};
    return "name who signs the server's certificate as \"ca_bundle\", or with --ca-bundle";
  }
  std::unique_ptr<Connection> free_connection() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return new_connection();
    auto connection = std::move(free_.back());
    free_.pop_back();
    return connection;
  }
  void give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(connection));
  }
  [[nodiscard]] std::unique_ptr<Connection> new_connection() const {
    auto connection = std::make_unique<Connection>();
    if (!connection->handle) throw std::bad_alloc();
    connection->stop = stop_;
    set(*connection, CURLOPT_PROTOCOLS_STR, base_.starts_with("https:") ? "https" : "http");
    set(*connection, CURLOPT_NOSIGNAL, 1L);
    set(*connection, CURLOPT_FOLLOWLOCATION, 0L);
    set(*connection, CURLOPT_PROXY, "");
    set(*connection, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(*connection, CURLOPT_USERAGENT, "patchlab");
    set(*connection, CURLOPT_ERRORBUFFER, connection->errors.data());
    set(*connection, CURLOPT_CONNECTTIMEOUT, connect_seconds);
    set(*connection, CURLOPT_LOW_SPEED_LIMIT, least_bytes_a_second);
    set(*connection, CURLOPT_LOW_SPEED_TIME, slow_seconds);
    set(*connection, CURLOPT_WRITEFUNCTION, &take);
    set(*connection, CURLOPT_WRITEDATA, connection.get());
    set(*connection, CURLOPT_NOPROGRESS, 0L);
    set(*connection, CURLOPT_XFERINFOFUNCTION, &go_on);
    set(*connection, CURLOPT_XFERINFODATA, connection.get());
    set(*connection, CURLOPT_SSL_VERIFYPEER, 1L);
    set(*connection, CURLOPT_SSL_VERIFYHOST, 2L);
    set(*connection, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!ca_.empty()) {
      set(*connection, CURLOPT_CAINFO, ca_.c_str());
      set(*connection, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    return connection;
  }

  std::string base_;
  const std::filesystem::path ca_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace

bool is_url(const std::string& from) { return from.find("://") != std::string::npos; }

std::string wrong_with_url(const std::string& text) {
  const std::unique_ptr<CURLU, UrlEnd> url(curl_url());
  if (!url) throw std::bad_alloc();
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK || printable(text) != text)
    return "is no URL";
  const auto scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "https" && scheme != "http") return "must be the absolute path of a folder, or begin with https://";
  if (!part_of(url.get(), CURLUPART_USER).empty() || !part_of(url.get(), CURLUPART_PASSWORD).empty())
    return "must name no user: everybody could read that";
  if (text.find_first_of("?#") != std::string::npos) return "must end with its path";
  if (scheme == "http" && !is_this_host(part_of(url.get(), CURLUPART_HOST)))
    return "must begin with https://: what is read by http could be anybody's to hold back";
  return {};
}

std::unique_ptr<Source> curl_source(const SourceName& name, std::stop_token stop) {
  return std::make_unique<CurlSource>(name, std::move(stop));
}

}  // namespace patchlab::lab::content

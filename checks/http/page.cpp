// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The only file among the checks that knows libcurl.
#include "checks/http/page.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <memory>
#include <mutex>

#include "checks/socket.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::http {
namespace {

constexpr std::size_t most_bytes = 4U << 20U;
constexpr std::size_t most_header = 64U << 10U;  // of all answers together
constexpr std::size_t most_shown = 300;

struct HandleEnd {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Transfer {
  std::unique_ptr<CURL, HandleEnd> handle{curl_easy_init()};
  std::array<char, CURL_ERROR_SIZE> errors{};
  std::string body;
  bool cut = false;
  std::size_t header_bytes = 0;
  bool head_ended = false;  // by its empty line
};

// The answer that redirects has a body, too, which is none of the page: libcurl does not hand it over.
std::size_t take(char* bytes, std::size_t one, std::size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  const auto size = one * count;
  const auto room = most_bytes - transfer.body.size();
  transfer.body.append(bytes, std::min(size, room));
  transfer.cut = transfer.cut || size > room;
  return transfer.cut ? 0 : size;
}

// Called for each line of the head of each answer.
std::size_t count_header(char* bytes, std::size_t one, std::size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  transfer.head_ended = trimmed(std::string_view(bytes, one * count), "\r\n").empty();
  transfer.header_bytes += one * count;
  return transfer.header_bytes > most_header ? 0 : one * count;
}

std::string reason_of(CURLcode code, const Transfer& transfer) {
  if (transfer.header_bytes > most_header) return "malformed-http";
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return "no-answer";
    case CURLE_COULDNT_CONNECT: {
      long number = 0;
      curl_easy_getinfo(transfer.handle.get(), CURLINFO_OS_ERRNO, &number);
      return reason_for_errno(static_cast<int>(number));
    }
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION: return "tls-failed";
    case CURLE_TOO_MANY_REDIRECTS: return "too-many-redirects";
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE: return "connection-broken";
    default: return "malformed-http";
  }
}

// Trouble of this host or of this program, whatever the server does.
bool is_ours(CURLcode code) {
  return code == CURLE_OUT_OF_MEMORY || code == CURLE_FAILED_INIT || code == CURLE_NOT_BUILT_IN ||
         code == CURLE_UNKNOWN_OPTION || code == CURLE_BAD_FUNCTION_ARGUMENT || code == CURLE_INTERFACE_FAILED ||
         code == CURLE_SSL_ENGINE_INITFAILED || code == CURLE_URL_MALFORMAT;
}

std::string title_of(const std::string& body) {
  const auto small = lower_case(body.substr(0, 64U << 10U));
  const auto open = small.find("<title");
  const auto begin = open == std::string::npos ? open : small.find('>', open);
  const auto end = begin == std::string::npos ? begin : small.find("</title", begin);
  if (end == std::string::npos || end - begin - 1 > most_shown) return {};
  return to_valid_utf8(trimmed(body.substr(begin + 1, end - begin - 1), " \t\r\n"));
}

std::string text_of(const Transfer& transfer, const char* header) {
  curl_header* found = nullptr;
  if (curl_easy_header(transfer.handle.get(), header, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return {};
  return to_valid_utf8(std::string(found->value).substr(0, most_shown));
}

Json described(const PageRequest& request, const Transfer& transfer, const std::string& url) {
  long status = 0;
  curl_easy_getinfo(transfer.handle.get(), CURLINFO_RESPONSE_CODE, &status);
  Json seen{{"url", url},
            {"status", status},
            {"bytes", transfer.body.size()},
            {"sha256", sha256(transfer.body)},
            {"cut", transfer.cut},
            {"beginning", printable(to_valid_utf8(transfer.body.substr(0, most_shown)))},
            {"title", title_of(transfer.body)},
            {"contains", Json::object()}};
  for (const auto& text : request.contains) seen["contains"][text] = transfer.body.find(text) != std::string::npos;
  for (const char* header : {"location", "server"}) {
    if (const auto text = text_of(transfer, header); !text.empty()) seen[header] = text;
  }
  return seen;
}

template <class Value>
void set(const Transfer& transfer, CURLoption option, Value value, CURLcode& worst) {
  const auto code = curl_easy_setopt(transfer.handle.get(), option, value);
  if (code != CURLE_OK) worst = code;
}

}  // namespace

Result<Json> ask_for(const PageRequest& request, const Deadline& deadline) {
  static std::once_flag once;
  static CURLcode begun = CURLE_OK;
  std::call_once(once, [] { begun = curl_global_init(CURL_GLOBAL_DEFAULT); });
  Transfer transfer;
  if (begun != CURLE_OK || !transfer.handle) return infrastructure_error("libcurl does not begin");
  const auto url = fmt::format("{}://{}:{}{}", request.tls ? "https" : "http",
                               request.host.empty() ? request.address : request.host, request.port, request.path);
  // Every host, with the port that it is asked for at, is this machine.
  const std::unique_ptr<curl_slist, ListEnd> machine(
      curl_slist_append(nullptr, ("::" + request.address + ":").c_str()));
  if (!machine) return infrastructure_error("libcurl has no memory");
  auto worst = CURLE_OK;
  const auto limit = std::max<long>(1, static_cast<long>(deadline.remaining().count()));
  set(transfer, CURLOPT_URL, url.c_str(), worst);
  set(transfer, CURLOPT_CONNECT_TO, machine.get(), worst);
  set(transfer, CURLOPT_PROTOCOLS_STR, "http,https", worst);
  set(transfer, CURLOPT_REDIR_PROTOCOLS_STR, "http,https", worst);
  set(transfer, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1), worst);
  set(transfer, CURLOPT_PATH_AS_IS, 1L, worst);
  set(transfer, CURLOPT_PROXY, "", worst);
  set(transfer, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED), worst);
  set(transfer, CURLOPT_NOSIGNAL, 1L, worst);
  set(transfer, CURLOPT_ERRORBUFFER, transfer.errors.data(), worst);
  set(transfer, CURLOPT_TIMEOUT_MS, limit, worst);
  set(transfer, CURLOPT_CONNECTTIMEOUT_MS, limit, worst);
  set(transfer, CURLOPT_WRITEFUNCTION, &take, worst);
  set(transfer, CURLOPT_WRITEDATA, &transfer, worst);
  set(transfer, CURLOPT_HEADERFUNCTION, &count_header, worst);
  set(transfer, CURLOPT_HEADERDATA, &transfer, worst);
  set(transfer, CURLOPT_FOLLOWLOCATION, request.redirects > 0 ? 1L : 0L, worst);
  set(transfer, CURLOPT_MAXREDIRS, request.redirects, worst);
  set(transfer, CURLOPT_COOKIEFILE, "", worst);  // kept in memory: a login page sends its cookie with the redirect
  set(transfer, CURLOPT_USERAGENT, "patchlab", worst);
  set(transfer, CURLOPT_SSL_VERIFYPEER, 0L, worst);
  set(transfer, CURLOPT_SSL_VERIFYHOST, 0L, worst);
  set(transfer, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_0), worst);
  set(transfer, CURLOPT_SSL_CIPHER_LIST, "ALL:!aNULL:@SECLEVEL=0", worst);
  if (!request.user.empty()) {
    set(transfer, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC), worst);
    set(transfer, CURLOPT_USERNAME, request.user.c_str(), worst);
    set(transfer, CURLOPT_PASSWORD, request.password.c_str(), worst);
  }
  if (worst != CURLE_OK) return infrastructure_error(fmt::format("libcurl: {}", curl_easy_strerror(worst)));
  const auto code = curl_easy_perform(transfer.handle.get());
  // libcurl takes a head for whole that the end of the connection cut off (RFC 9112 section 8).
  if (code == CURLE_OK && !transfer.head_ended)
    return Json{{"url", url}, {"trouble", "connection-broken"}, {"why", "the head of the answer is not whole"}};
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && transfer.cut)) return described(request, transfer, url);
  const std::string why = transfer.errors[0] != '\0' ? transfer.errors.data() : curl_easy_strerror(code);
  if (is_ours(code)) return infrastructure_error(fmt::format("asking for '{}': {}", url, why));
  return Json{{"url", url}, {"trouble", reason_of(code, transfer)}, {"why", printable(to_valid_utf8(why))}};
}

}  // namespace patchlab::checks::http

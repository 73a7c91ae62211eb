// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <mutex>
#include <set>
#include <stdexcept>

#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/notify/sender.hpp"

// The only file that knows libcurl.
namespace patchlab::process {
namespace {

constexpr std::size_t most_said = 400;         // of an answer, quoted in an error
constexpr std::size_t most_taken = 64 * 1024;  // then whoever sends more is left alone

// That one address is refused ends nothing for the others. The name was mended in 8.2.
#if LIBCURL_VERSION_NUM >= 0x080200
constexpr auto rcpt_allow_fails = CURLOPT_MAIL_RCPT_ALLOWFAILS;
#else
constexpr auto rcpt_allow_fails = CURLOPT_MAIL_RCPT_ALLLOWFAILS;
#endif

struct HandleEnd {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, HandleEnd>;

class List {
 public:
  void add(const std::string& text) {
    auto* longer = curl_slist_append(list_.get(), text.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)list_.release();
    list_.reset(longer);
  }
  [[nodiscard]] curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, ListEnd> list_;
};

// One transfer and what is kept of it.
struct Transfer {
  Handle handle{curl_easy_init()};
  std::array<char, CURL_ERROR_SIZE> errors{};
  std::string said;
  std::size_t taken = 0;
  std::string_view to_send;
  std::stop_token stop;
  // Of a mail: whose turn it is, and who was refused.
  std::string address;
  std::vector<RefusedAddress> refused;
};

template <class Value>
void set(Transfer& transfer, CURLoption option, Value value) {
  if (const auto code = curl_easy_setopt(transfer.handle.get(), option, value); code != CURLE_OK)
    throw std::runtime_error(
        fmt::format("libcurl does not know option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
}

std::size_t take(char* bytes, std::size_t one, std::size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  const auto size = one * count;
  transfer.said.append(bytes, std::min(size, most_said - std::min(most_said, transfer.said.size())));
  transfer.taken += size;
  return transfer.taken > most_taken ? 0 : size;
}

std::size_t give(char* bytes, std::size_t one, std::size_t count, void* from) {
  auto& transfer = *static_cast<Transfer*>(from);
  const auto size = std::min(one * count, transfer.to_send.size());
  std::memcpy(bytes, transfer.to_send.data(), size);
  transfer.to_send.remove_prefix(size);
  return size;
}

// Which address a server of mail refused is nowhere else in libcurl: what was asked and what was answered, in turn.
// What else is in there (a password) is looked at and not kept.
int follow(CURL*, curl_infotype what, char* bytes, std::size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  const std::string_view line(bytes, size);
  constexpr std::string_view recipient = "RCPT TO:<";
  if (what == CURLINFO_HEADER_OUT) {
    transfer.address.clear();
    if (line.starts_with(recipient))
      transfer.address = line.substr(recipient.size(), line.find('>') - recipient.size());
  } else if (what == CURLINFO_HEADER_IN && !transfer.address.empty() && line.size() > 3 && line[3] != '-') {
    if (line[0] == '4' || line[0] == '5')
      transfer.refused.push_back(
          {transfer.address, printable(trimmed(line.substr(0, most_said), " \t\r\n")), line[0] == '5'});
    transfer.address.clear();
  }
  return 0;
}

int go_on(void* with, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(with)->stop.stop_requested() ? 1 : 0;
}

void set_common(Transfer& transfer, const std::string& url, const std::string& ca, std::chrono::seconds patience) {
  if (!transfer.handle) throw std::bad_alloc();
  const auto limit = static_cast<long>(std::chrono::milliseconds(patience).count());
  set(transfer, CURLOPT_URL, url.c_str());
  set(transfer, CURLOPT_NOSIGNAL, 1L);
  set(transfer, CURLOPT_ERRORBUFFER, transfer.errors.data());
  set(transfer, CURLOPT_TIMEOUT_MS, limit);
  set(transfer, CURLOPT_CONNECTTIMEOUT_MS, limit);
  set(transfer, CURLOPT_WRITEFUNCTION, &take);
  set(transfer, CURLOPT_WRITEDATA, &transfer);
  set(transfer, CURLOPT_NOPROGRESS, 0L);
  set(transfer, CURLOPT_XFERINFOFUNCTION, &go_on);
  set(transfer, CURLOPT_XFERINFODATA, &transfer);
  set(transfer, CURLOPT_SSL_VERIFYPEER, 1L);
  set(transfer, CURLOPT_SSL_VERIFYHOST, 2L);
  set(transfer, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(transfer, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  if (!ca.empty()) {
    set(transfer, CURLOPT_CAINFO, ca.c_str());
    set(transfer, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
}

std::string trouble_of(const Transfer& transfer, CURLcode code) {
  if (code == CURLE_ABORTED_BY_CALLBACK) return "it was interrupted";
  const std::string text = transfer.errors[0] != '\0' ? transfer.errors.data() : curl_easy_strerror(code);
  return printable(trimmed(text, " \t\r\n"));
}

class CurlSender final : public Sender {
 public:
  explicit CurlSender(std::stop_token stop) : stop_(std::move(stop)) {
    static std::once_flag once;
    std::call_once(once, [] {
      if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl does not begin");
    });
  }

  Sent post(const HttpPost& post) override {
    Transfer transfer;
    transfer.stop = stop_;
    set_common(transfer, post.url, post.ca, post.patience);
    set(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    set(transfer, CURLOPT_FOLLOWLOCATION, 0L);
    set(transfer, CURLOPT_PROXY, post.proxy.c_str());
    set(transfer, CURLOPT_USERAGENT, "patchlab");
    List headers;
    for (const auto& [name, value] : post.headers) headers.add(name + ": " + value);
    headers.add("Expect:");  // it would cost a second where nobody answers it
    set(transfer, CURLOPT_HTTPHEADER, headers.get());
    set(transfer, CURLOPT_POST, 1L);
    set(transfer, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
    set(transfer, CURLOPT_POSTFIELDS, post.body.data());
    const auto code = curl_easy_perform(transfer.handle.get());
    long status = 0;
    curl_easy_getinfo(transfer.handle.get(), CURLINFO_RESPONSE_CODE, &status);
    // What it says after the status changes nothing, also when it says it without an end.
    const bool is_answered =
        code == CURLE_OK || (status >= 200 && (code == CURLE_WRITE_ERROR || code == CURLE_OPERATION_TIMEDOUT ||
                                               code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR));
    if (!is_answered) return {Sent::Kind::failed, trouble_of(transfer, code), std::nullopt};
    auto sent = judge_answer(status, transfer.said);
    curl_off_t wait = 0;
    if (sent.kind == Sent::Kind::failed &&
        curl_easy_getinfo(transfer.handle.get(), CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
      sent.retry_after = std::chrono::seconds(wait);
    return sent;
  }

  Sent mail(const MailPost& mail) override {
    const auto& mailbox = mail.mailbox;
    const bool is_tls = mailbox.security == Mailbox::Security::tls;
    Transfer transfer;
    transfer.stop = stop_;
    transfer.to_send = mail.text;
    set_common(transfer, fmt::format("{}://{}:{}", is_tls ? "smtps" : "smtp", mailbox.server, mailbox.port),
               mailbox.ca.string(), mail.patience);
    set(transfer, CURLOPT_PROTOCOLS_STR, is_tls ? "smtps" : "smtp");
    set(transfer, CURLOPT_PROXY, "");
    // All of it, or nothing: whoever takes STARTTLS out of the greeting gets no mail and no password.
    set(transfer, CURLOPT_USE_SSL,
        static_cast<long>(mailbox.security == Mailbox::Security::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (!mailbox.user.empty()) {
      set(transfer, CURLOPT_USERNAME, mailbox.user.c_str());
      set(transfer, CURLOPT_PASSWORD, mail.password.c_str());
    }
    const auto from = "<" + mailbox.from + ">";
    set(transfer, CURLOPT_MAIL_FROM, from.c_str());
    List recipients;
    for (const auto& address : mailbox.to) recipients.add("<" + address + ">");
    set(transfer, CURLOPT_MAIL_RCPT, recipients.get());
    set(transfer, rcpt_allow_fails, 1L);
    set(transfer, CURLOPT_DEBUGFUNCTION, &follow);
    set(transfer, CURLOPT_DEBUGDATA, &transfer);
    set(transfer, CURLOPT_VERBOSE, 1L);
    set(transfer, CURLOPT_READFUNCTION, &give);
    set(transfer, CURLOPT_READDATA, &transfer);
    set(transfer, CURLOPT_UPLOAD, 1L);
    const auto code = curl_easy_perform(transfer.handle.get());
    if (code == CURLE_OK) return {Sent::Kind::delivered, {}, std::nullopt, std::move(transfer.refused)};
    long status = 0;
    curl_easy_getinfo(transfer.handle.get(), CURLINFO_RESPONSE_CODE, &status);
    return {Sent::Kind::failed,
            trouble_of(transfer, code) + (status >= 400 ? fmt::format(" (SMTP {})", status) : std::string()),
            std::nullopt, std::move(transfer.refused)};
  }

 private:
  std::stop_token stop_;
};

}  // namespace

Sent judge_answer(long status, const std::string& said) {
  if (status >= 200 && status < 300) return {Sent::Kind::delivered, {}, std::nullopt};
  auto why = fmt::format("it answers {}", status);
  if (status >= 300 && status < 400) why += ", and redirects are not followed";
  if (status == 410) why += ": it says that it is gone for good";
  if (const auto words = printable(trimmed(said, " \t\r\n")); !words.empty()) why += fmt::format(" ('{}')", words);
  // What is wrong with one event, as these say (RFC 9110), is not wrong with the next.
  static const std::set<long> of_the_event{400, 409, 413, 415, 422};
  return {of_the_event.contains(status) ? Sent::Kind::refused : Sent::Kind::failed, std::move(why), std::nullopt};
}

std::unique_ptr<Sender> curl_sender(std::stop_token stop) { return std::make_unique<CurlSender>(std::move(stop)); }

}  // namespace patchlab::process

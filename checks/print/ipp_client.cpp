// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/ipp_client.hpp"

#include <cups/cups.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace patchlab::checks::print {
namespace {

struct CloseHttp {
  void operator()(http_t* connection) const { httpClose(connection); }
};
struct DeleteIpp {
  void operator()(ipp_t* message) const { ippDelete(message); }
};
using Http = std::unique_ptr<http_t, CloseHttp>;
using Ipp = std::unique_ptr<ipp_t, DeleteIpp>;

constexpr const char* user_name = "patchlab";
constexpr const char* stranger = "patchlab-stranger";

// libcups asks after each second without progress whether to go on.
int go_on(http_t* /*connection*/, void* deadline) { return static_cast<const Deadline*>(deadline)->passed() ? 0 : 1; }

Json trouble(const Deadline& deadline, const std::string& message) {
  return {{"trouble", deadline.passed() ? "timeout" : "failed"}, {"message", to_valid_utf8(message)}};
}

Json value_of(ipp_attribute_t* attribute, int index) {
  switch (ippGetValueTag(attribute)) {
    case IPP_TAG_INTEGER: return ippGetInteger(attribute, index);
    case IPP_TAG_ENUM: return ippEnumString(ippGetName(attribute), ippGetInteger(attribute, index));
    case IPP_TAG_BOOLEAN: return ippGetBoolean(attribute, index) != 0;
    default: {
      const char* text = ippGetString(attribute, index, nullptr);
      return text == nullptr ? Json() : Json(to_valid_utf8(text));
    }
  }
}

Json attributes_of(ipp_t* message) {
  auto attributes = Json::object();
  for (auto* one = ippFirstAttribute(message); one != nullptr; one = ippNextAttribute(message)) {
    if (ippGetName(one) == nullptr) continue;
    const std::string name = ippGetName(one);
    // Said in every answer, and no news.
    if (name == "attributes-charset" || name == "attributes-natural-language") continue;
    auto values = Json::array();
    for (int i = 0; i < ippGetCount(one); ++i) values.push_back(value_of(one, i));
    attributes[name] = values.size() == 1 ? values.front() : values;
  }
  return attributes;
}

bool send_all(http_t* connection, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count = httpWrite2(connection, bytes.data() + sent, bytes.size() - sent);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

bool send_request(http_t* connection, ipp_t* request, const std::string& resource, const std::string& document) {
  httpClearFields(connection);
  httpSetField(connection, HTTP_FIELD_CONTENT_TYPE, "application/ipp");
  httpSetLength(connection, ippLength(request) + document.size());
  if (httpPost(connection, resource.c_str()) != 0) return false;
  ippSetState(request, IPP_STATE_IDLE);
  for (;;) {
    const auto state = ippWrite(connection, request);
    if (state == IPP_STATE_ERROR) return false;
    if (state == IPP_STATE_DATA) break;
  }
  return send_all(connection, document) && httpFlushWrite(connection) >= 0;
}

http_status_t read_status(http_t* connection) {
  for (;;) {
    const auto status = httpUpdate(connection);
    if (status != HTTP_STATUS_CONTINUE) return status;
  }
}

bool read_answer(http_t* connection, ipp_t* answer) {
  for (;;) {
    const auto state = ippRead(connection, answer);
    if (state == IPP_STATE_ERROR) return false;
    if (state == IPP_STATE_DATA) return true;
  }
}

Ipp new_request(ipp_op_t operation, const std::string& printer_uri) {
  Ipp request(ippNewRequest(operation));
  ippAddString(request.get(), IPP_TAG_OPERATION, IPP_TAG_URI, "printer-uri", nullptr, printer_uri.c_str());
  return request;
}

void add_user(ipp_t* request, const char* name = user_name) {
  ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", nullptr, name);
}

Ipp job_request(ipp_op_t operation, const std::string& printer_uri, int job, const char* user) {
  auto request = new_request(operation, printer_uri);
  ippAddInteger(request.get(), IPP_TAG_OPERATION, IPP_TAG_INTEGER, "job-id", job);
  add_user(request.get(), user);
  return request;
}

template <std::size_t count>
void ask_for(ipp_t* request, const std::array<const char*, count>& names) {
  ippAddStrings(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes", static_cast<int>(count), nullptr,
                names.data());
}

}  // namespace

std::string IppClient::printer_uri() const { return fmt::format("ipp://{}:{}{}", address_, port_, path_); }

Json IppClient::exchange(void* raw_request, const std::string& document, const std::string& resource) const {
  const Ipp request(static_cast<ipp_t*>(raw_request));
  auto deadline = deadline_;  // libcups wants a writable pointer
  errno = 0;
  // Never TLS: an upgrade would depend on the host's trust store and on a password prompt.
  const Http connection(httpConnect2(address_.c_str(), port_, nullptr, AF_INET, HTTP_ENCRYPTION_NEVER, 1,
                                     static_cast<int>(deadline.remaining().count()), nullptr));
  if (!connection)
    return trouble(deadline, fmt::format("connecting to {}:{}: {}", address_, port_, std::strerror(errno)));
  httpSetTimeout(connection.get(), 1.0, go_on, &deadline);
  if (!send_request(connection.get(), request.get(), resource.empty() ? path_ : resource, document)) {
    return trouble(deadline, "the server did not take the request");
  }
  const auto status = read_status(connection.get());
  if (status == HTTP_STATUS_ERROR) return trouble(deadline, "no HTTP answer");
  if (status != HTTP_STATUS_OK) {
    return {{"trouble", "http"}, {"message", fmt::format("HTTP {} {}", static_cast<int>(status), httpStatus(status))}};
  }
  const Ipp answer(ippNew());
  if (!read_answer(connection.get(), answer.get())) return trouble(deadline, "no complete IPP answer");
  return {{"status", ippErrorString(ippGetStatusCode(answer.get()))}, {"attributes", attributes_of(answer.get())}};
}

Json IppClient::printer_attributes() const {
  auto request = new_request(IPP_OP_GET_PRINTER_ATTRIBUTES, printer_uri());
  add_user(request.get());
  ask_for(request.get(), std::array{"printer-name", "printer-state", "printer-state-reasons", "printer-state-message",
                                    "printer-is-accepting-jobs", "queued-job-count", "printer-make-and-model"});
  return exchange(request.release(), {});
}

Json IppClient::printer_offers(const std::vector<std::string>& names) const {
  auto request = new_request(IPP_OP_GET_PRINTER_ATTRIBUTES, printer_uri());
  add_user(request.get());
  std::vector<const char*> wanted;
  for (const auto& name : names) wanted.push_back(name.c_str());
  ippAddStrings(request.get(), IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes",
                static_cast<int>(wanted.size()), nullptr, wanted.data());
  return exchange(request.release(), {});
}

Json IppClient::print_job(const std::string& name, const std::string& format, const std::string& document,
                          Hold hold) const {
  auto request = new_request(IPP_OP_PRINT_JOB, printer_uri());
  add_user(request.get());
  ippAddString(request.get(), IPP_TAG_OPERATION, IPP_TAG_NAME, "job-name", nullptr, name.c_str());
  ippAddString(request.get(), IPP_TAG_OPERATION, IPP_TAG_MIMETYPE, "document-format", nullptr, format.c_str());
  if (hold == Hold::yes)
    ippAddString(request.get(), IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-hold-until", nullptr, "indefinite");
  return exchange(request.release(), document);
}

Json IppClient::job_attributes(int job) const {
  auto request = job_request(IPP_OP_GET_JOB_ATTRIBUTES, printer_uri(), job, user_name);
  ask_for(request.get(), std::array{"job-id", "job-state", "job-state-reasons", "job-printer-state-message",
                                    "job-k-octets", "job-media-sheets-completed"});
  return exchange(request.release(), {});
}

Json IppClient::release_job(int job) const {
  return exchange(job_request(IPP_OP_RELEASE_JOB, printer_uri(), job, user_name).release(), {});
}

Json IppClient::cancel_as_stranger(int job) const {
  return exchange(job_request(IPP_OP_CANCEL_JOB, printer_uri(), job, stranger).release(), {});
}

Json IppClient::change_queue_as_stranger() const {
  auto request = new_request(IPP_OP_CUPS_ADD_MODIFY_PRINTER, printer_uri());
  add_user(request.get(), stranger);
  ippAddString(request.get(), IPP_TAG_PRINTER, IPP_TAG_TEXT, "printer-info", nullptr, "changed by a stranger");
  return exchange(request.release(), {}, "/admin/");
}

}  // namespace patchlab::checks::print

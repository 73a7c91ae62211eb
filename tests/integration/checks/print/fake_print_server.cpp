// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/checks/print/fake_print_server.hpp"

#include <arpa/inet.h>
#include <cups/cups.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "checks/socket.hpp"

namespace patchlab::checks::print::testing {
namespace {

FileDescriptor listen_on_loopback(std::uint16_t& port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size);
  ::listen(socket.get(), 8);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return socket;
}

struct Reader {
  const std::string& text;
  std::size_t at = 0;
};

ssize_t read_some(void* context, ipp_uchar_t* buffer, std::size_t bytes) {
  auto& reader = *static_cast<Reader*>(context);
  const auto count = std::min(bytes, reader.text.size() - reader.at);
  std::memcpy(buffer, reader.text.data() + reader.at, count);
  reader.at += count;
  return static_cast<ssize_t>(count);
}

ssize_t write_some(void* context, ipp_uchar_t* buffer, std::size_t bytes) {
  static_cast<std::string*>(context)->append(reinterpret_cast<const char*>(buffer), bytes);
  return static_cast<ssize_t>(bytes);
}

// The request's header and body; empty when the client leaves. Only what libcups sends: Content-Length, no chunks.
std::string read_body(int client, const std::atomic<bool>& stop) {
  std::string text;
  for (;;) {
    const auto gap = text.find("\r\n\r\n");
    if (gap != std::string::npos) {
      const auto field = text.find("Content-Length: ");
      const auto length = field < gap ? std::stoul(text.substr(field + 16)) : 0;
      if (text.size() >= gap + 4 + length) return text.substr(gap + 4, length);
    }
    pollfd entry{client, POLLIN, 0};
    if (::poll(&entry, 1, 20) == 0) {
      if (stop) return {};
      continue;
    }
    char block[4096];
    const auto count = ::recv(client, block, sizeof block, 0);
    if (count <= 0) return {};
    text.append(block, static_cast<std::size_t>(count));
  }
}

}  // namespace

std::uint16_t free_port() {
  std::uint16_t port = 0;
  const auto ignored = listen_on_loopback(port);
  return port;
}

FakePrintServer::FakePrintServer(PrintBehaviour behaviour)
    : behaviour_(std::move(behaviour)), listener_(listen_on_loopback(port_)), thread_([this] { work(); }) {}

FakePrintServer::~FakePrintServer() {
  stop_ = true;
  thread_.join();
}

void FakePrintServer::work() {
  while (!stop_) {
    pollfd entry{listener_.get(), POLLIN, 0};
    if (::poll(&entry, 1, 20) <= 0) continue;
    const FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.valid()) serve(client.get());
  }
}

void FakePrintServer::serve(int client) {
  const auto body = read_body(client, stop_);
  if (body.empty()) return;
  while (behaviour_.silent && !stop_) {
    pollfd entry{client, POLLIN, 0};
    if (::poll(&entry, 1, 20) > 0) return;  // the client gave up
  }
  const auto answer = behaviour_.garbage ? std::string("what?") : answer_to(body);
  const auto head = fmt::format("HTTP/1.1 {} x\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n",
                                behaviour_.http_status, answer.size());
  (void)send_all(client, head + answer, Deadline(std::chrono::seconds(5)));
}

std::string FakePrintServer::answer_to(const std::string& body) {
  ipp_t* request = ippNew();
  Reader reader{body};
  ippReadIO(&reader, read_some, 1, nullptr, request);
  const auto operation = ippGetOperation(request);
  const char* uri = ippGetString(ippFindAttribute(request, "printer-uri", IPP_TAG_URI), 0, nullptr);
  ipp_t* answer = ippNewResponse(request);
  if (uri == nullptr || !std::string_view(uri).ends_with("/" + behaviour_.queue)) {
    ippSetStatusCode(answer, IPP_STATUS_ERROR_NOT_FOUND);
  } else if (answer_held(operation, request, answer, body.substr(reader.at))) {
  } else if (operation == IPP_OP_GET_PRINTER_ATTRIBUTES) {
    const bool busy = printer_polls_++ < behaviour_.busy_answers;
    ippAddInteger(answer, IPP_TAG_PRINTER, IPP_TAG_ENUM, "printer-state", busy ? 4 : behaviour_.printer_state);
    ippAddString(answer, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, "printer-state-reasons", nullptr,
                 behaviour_.printer_state == 5 ? "paused" : "none");
    ippAddBoolean(answer, IPP_TAG_PRINTER, "printer-is-accepting-jobs", behaviour_.accepting ? 1 : 0);
    for (const auto& [name, words] : behaviour_.offers) {
      std::vector<const char*> values;
      for (const auto& word : words) values.push_back(word.c_str());
      ippAddStrings(answer, IPP_TAG_PRINTER, IPP_TAG_KEYWORD, name.c_str(), static_cast<int>(values.size()), nullptr,
                    values.data());
    }
  } else if (operation == IPP_OP_PRINT_JOB) {
    ippSetStatusCode(answer, static_cast<ipp_status_t>(behaviour_.print_status));
    if (behaviour_.print_status == 0) {
      ippAddInteger(answer, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", 17);
      ippAddInteger(answer, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", 3);
      deliver(body.substr(reader.at));
    }
  } else if (operation == IPP_OP_GET_JOB_ATTRIBUTES && !behaviour_.forgets_jobs) {
    const auto& states = behaviour_.job_states;
    ippAddInteger(answer, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", states[std::min(job_polls_++, states.size() - 1)]);
    ippAddString(answer, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", nullptr, "none");
  } else {
    ippSetStatusCode(answer, IPP_STATUS_ERROR_NOT_FOUND);
  }
  std::string text;
  ippSetState(answer, IPP_STATE_IDLE);
  ippWriteIO(&text, write_some, 1, nullptr, answer);
  ippDelete(request);
  ippDelete(answer);
  return text;
}

bool FakePrintServer::answer_held(int operation, void* raw_request, void* raw_answer, const std::string& document) {
  auto* request = static_cast<ipp_t*>(raw_request);
  auto* answer = static_cast<ipp_t*>(raw_answer);
  const auto state = [&](int job, int number) {
    ippAddInteger(answer, IPP_TAG_JOB, IPP_TAG_INTEGER, "job-id", job);
    ippAddInteger(answer, IPP_TAG_JOB, IPP_TAG_ENUM, "job-state", number);
    ippAddString(answer, IPP_TAG_JOB, IPP_TAG_KEYWORD, "job-state-reasons", nullptr, "none");
    return true;
  };
  const auto refuse = [&](ipp_status_t status) {
    ippSetStatusCode(answer, status);
    return true;
  };
  const bool holds = ippFindAttribute(request, "job-hold-until", IPP_TAG_KEYWORD) != nullptr;
  if (operation == IPP_OP_PRINT_JOB && static_cast<int>(held_.size()) >= behaviour_.most_jobs)
    return refuse(IPP_STATUS_ERROR_TOO_MANY_JOBS);
  if (operation == IPP_OP_PRINT_JOB && holds) {
    if (behaviour_.ignores_hold) deliver(document);
    held_[++last_held_] = behaviour_.ignores_hold ? std::string() : document;
    return state(last_held_, 3);
  }
  const int job = ippGetInteger(ippFindAttribute(request, "job-id", IPP_TAG_INTEGER), 0);
  if (operation == IPP_OP_CANCEL_JOB || operation == IPP_OP_CUPS_ADD_MODIFY_PRINTER)
    return refuse(behaviour_.strangers_may ? IPP_STATUS_OK : IPP_STATUS_ERROR_NOT_AUTHORIZED);
  if (job <= 100) return false;
  const auto found = held_.find(job);
  if (found == held_.end() || (behaviour_.forgets_held && job != last_held_)) return refuse(IPP_STATUS_ERROR_NOT_FOUND);
  if (operation == IPP_OP_RELEASE_JOB) {
    deliver(std::exchange(found->second, {}));
    return true;
  }
  return state(job, found->second.empty() ? 9 : 4);
}

void FakePrintServer::deliver(std::string document) {
  if (behaviour_.on_print) document = behaviour_.on_print(std::move(document));
  for (int i = 0; i < behaviour_.copies; ++i) {
    const Deadline deadline(std::chrono::seconds(5));
    const auto sink = connect_tcp({"127.0.0.1", behaviour_.sink_port}, {}, deadline);
    if (!sink || sink->saved_errno != 0) return;
    (void)send_all(sink->socket.get(), document, deadline);
    ::shutdown(sink->socket.get(), SHUT_WR);
    (void)wait_readable(sink->socket.get(), deadline);  // like CUPS: until the printer closes
  }
}

}  // namespace patchlab::checks::print::testing

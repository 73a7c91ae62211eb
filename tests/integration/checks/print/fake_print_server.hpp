// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lab/core/files.hpp"

namespace patchlab::checks::print::testing {

// IPP numbers as RFC 8011 has them; names would need libcups' header in the tests.
struct PrintBehaviour {
  std::uint16_t sink_port = 0;
  std::string queue = "office";
  int printer_state = 3;  // 3 idle, 4 processing, 5 stopped
  int busy_answers = 0;   // that many times "processing" first
  bool accepting = true;
  std::map<std::string, std::vector<std::string>> offers;  // keywords that it says of the queue besides
  int print_status = 0;  // 0 successful-ok, 0x0506 server-error-not-accepting-jobs ...
  std::vector<int> job_states{
      5, 9};  // one per poll, the last one stays: 3 pending, 5 processing, 7 canceled, 8 aborted, 9 completed
  bool forgets_jobs = false;
  int copies = 1;                                    // sent to the sink
  std::function<std::string(std::string)> on_print;  // changes the document
  bool ignores_hold = false;                         // prints at once
  bool forgets_held = false;                         // as after a restart with an empty spool
  bool strangers_may = false;                        // cancel jobs of others, and change the queue
  int most_jobs = 1000;                              // that wait
  int http_status = 200;
  bool silent = false;   // takes the request and never answers
  bool garbage = false;  // answers 200 with something that is not IPP
};

// A print server on loopback with one queue whose device is the sink.
class FakePrintServer {
 public:
  explicit FakePrintServer(PrintBehaviour behaviour);
  ~FakePrintServer();
  FakePrintServer(const FakePrintServer&) = delete;
  FakePrintServer& operator=(const FakePrintServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void work();
  void serve(int client);
  std::string answer_to(const std::string& body);
  void deliver(std::string document);
  // Hold, release, and what strangers try; true when it was one of these.
  bool answer_held(int operation, void* request, void* answer, const std::string& document);

  PrintBehaviour behaviour_;
  std::uint16_t port_ = 0;
  FileDescriptor listener_;
  std::atomic<bool> stop_{false};
  std::map<int, std::string> held_;  // by job, until they are printed
  int last_held_ = 100;
  std::size_t job_polls_ = 0;
  int printer_polls_ = 0;
  std::thread thread_;
};

// A loopback port that nobody listens on just now.
[[nodiscard]] std::uint16_t free_port();

}  // namespace patchlab::checks::print::testing

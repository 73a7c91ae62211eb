// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checks/deadline.hpp"
#include "lab/core/json.hpp"

namespace patchlab::checks::print {

// IPP requests (RFC 8011) over HTTP (RFC 8010) to one queue of a print server, by libcups' encoder and HTTP transport
// but without its cups* convenience layer, which retries, reconnects, asks for passwords and follows the user's
// settings. Every request has a connection of its own and answers one of
//   {"status": "successful-ok", "attributes": {"printer-state": "idle", ...}}     (values as keywords, lists when
//   several)
//   {"trouble": "timeout" | "failed" | "http", "message": "..."}
class IppClient {
 public:
  // `address` is a literal IPv4 address, `path` the queue's own: "/printers/floor-2".
  IppClient(std::string address, std::uint16_t port, std::string path, Deadline deadline)
      : address_(std::move(address)), port_(port), path_(std::move(path)), deadline_(deadline) {}

  [[nodiscard]] Json printer_attributes() const;
  // The same request, for these attributes.
  [[nodiscard]] Json printer_offers(const std::vector<std::string>& names) const;
  enum class Hold { no, yes };  // until somebody releases it (RFC 8011 section 5.2.2, "indefinite")
  // The answer has "job-id".
  [[nodiscard]] Json print_job(const std::string& name, const std::string& format, const std::string& document,
                               Hold hold = Hold::no) const;
  [[nodiscard]] Json job_attributes(int job) const;
  // Release-Job (RFC 8011 section 4.3.6), by who printed it.
  [[nodiscard]] Json release_job(int job) const;
  // By somebody else than who printed it: Cancel-Job (section 4.3.3), and another description of the queue
  // (CUPS-Add-Modify-Printer).
  [[nodiscard]] Json cancel_as_stranger(int job) const;
  [[nodiscard]] Json change_queue_as_stranger() const;

 private:
  [[nodiscard]] std::string printer_uri() const;
  // Takes over `request`, an ipp_t; posts it to the queue unless another resource is said.
  [[nodiscard]] Json exchange(void* request, const std::string& document, const std::string& resource = {}) const;

  std::string address_;
  std::uint16_t port_;
  std::string path_;
  Deadline deadline_;
};

}  // namespace patchlab::checks::print

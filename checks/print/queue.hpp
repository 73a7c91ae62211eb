// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::print {

// Kind "print.queue": what a queue says of itself to everybody who wants to print (IPP Get-Printer-Attributes, RFC 8011
// section 4.2.5): formats, operations, media, sheets between jobs, quotas, how clients have to prove who they are.
// Clients take their decisions from these answers: a format that is not offered is not sent. Parameters:
//   queue    name of the queue           port  (631)
//   path     as in print.job
//   offers   {"document-format-supported": ["application/pdf", ...], "job-sheets-default": "none", ...}: of names that
//            end in "-supported" each of these values must be offered, more may be; all others must be as they are
//            here. The names are those of offered_attributes().
// Observation: {"printer"} as in ipp_client.hpp. Reasons of failure: ipp-timeout, ipp-failed, ipp-http-refused;
// printer-unknown, printer-refused; no-longer-offered, offers-differ.
[[nodiscard]] const Check& queue();

// What is asked for.
[[nodiscard]] const std::vector<std::string>& offered_attributes();

}  // namespace patchlab::checks::print

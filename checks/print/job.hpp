// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::print {

// Kind "print.job": asks a queue for its state (IPP Get-Printer-Attributes, RFC 8011 section 4.2.5), prints a unique
// document (Print-Job, section 4.2.1), follows the job until it is completed (Get-Job-Attributes, section 4.3.4) and
// compares what arrived at the printer, which is the check itself: it listens on the client's address. Parameters:
//   queue    name of the queue           port  (631)
//   path     where the server has it ("/printers/<queue>"); Windows: "/printers/<share>/.printer"
//   sink     {"listen_port": 9100}: the queue's device must be socket://<client address>:<that port>
//   format   MIME type ("application/octet-stream")
//   exact    true (default): the printer gets the very bytes (raw queue); false: its bytes contain the document's id
//   bytes    the least size of the document, up to 16 MiB (default 0: about 4 kB)
//   held     false (default); true: two jobs are held meanwhile; one is released after the document is printed, and
//   printed
//            then, the other one in the next phase of a trial (held.hpp): what is in the spool outlives a restart
//   strangers_refused  false (default); true: somebody else may not cancel the held job, nor change the queue
// Observation: that of held.hpp, and
// {"connect","printer","printer_polls","print","job","job_polls","document":{"id","bytes","sha256"},
//   "sink":[{"bytes","sha256","has_id","identical","beginning"}]}; "printer", "print" and "job" as in ipp_client.hpp.
// Reasons of failure: connection-refused, no-answer, unreachable, connection-broken; ipp-timeout, ipp-failed,
// ipp-http-refused; printer-unknown, printer-refused, printer-stopped, printer-busy, printer-not-accepting;
// print-job-refused; those of held.hpp; job-aborted, job-canceled, job-lost, job-not-completed; sink-silent,
// document-altered, printed-more-than-once.
[[nodiscard]] const Check& job();

}  // namespace patchlab::checks::print

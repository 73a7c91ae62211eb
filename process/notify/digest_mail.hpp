// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "process/notify/config.hpp"

// One mail of several events, in words that need nothing else to be understood. Pure.
namespace patchlab::process {

// Of these events (CloudEvents as they lie in the outbox), at least one, of each kind in their order; `left` says what
// waits and is not in it, as digest_title() does; the same bytes each time that it is asked for the same. Whatever the
// events say, it becomes no header: header lines hold addresses that were checked, our own words and numbers, and the
// lab's source as an encoded word.
[[nodiscard]] std::string digest_mail(const std::vector<Json>& events, const Mailbox& mailbox,
                                      const std::string& source, NotifyTime date, const std::string& left = {});
// "2 approvals wanted, 1 verdict": of a subject, by kind.
[[nodiscard]] std::string digest_title(const std::vector<Json>& events);
// What is worse is less: something that reached the outside, then in the order of event_kinds().
[[nodiscard]] std::size_t mail_rank(const Json& event);

}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/time.hpp"
#include "process/notify/config.hpp"
#include "process/notify/outbox.hpp"
#include "process/notify/sender.hpp"

// Brings what waits to its receivers.
namespace patchlab::process {

// Doubles with each failure from the first to the longest.
[[nodiscard]] std::chrono::seconds delay_after(std::int64_t failures, const NotifyConfig& config);

// What came of one round for one receiver.
struct Round {
  std::string receiver;
  std::size_t delivered = 0;           // events
  std::size_t waits = 0;               // that could not be delivered, or must not be tried yet
  std::size_t digest = 0;              // that wait for the next mail, which is not due
  std::string why;                     // what waits: what went wrong last; empty: nothing did
  std::optional<NotifyTime> next;      // when it is tried again, or the next mail is due
  std::vector<std::string> refused{};  // of a mail that others took: who was refused, and why, sentences
  bool is_known = true;                // the configuration has it
};

// Takes events out of the outbox as they are taken, in order for each receiver: behind one that fails none is tried,
// behind one that is refused the next is. A receiver that fails is left alone for longer each time. Each has at least
// one delivery and its share of the round, whoever was served longest ago first; what one does not need the others
// have. Everything that happened is in the outbox before the next thing does. An error: the outbox cannot be written.
[[nodiscard]] Result<std::vector<Round>> deliver(const NotifyConfig& config, Outbox& outbox, Sender& sender,
                                                 const Clock& clock, const std::stop_token& stop = {});

// Of how it stands, without doing anything.
[[nodiscard]] std::vector<Round> standing(const NotifyConfig& config, const Outbox& outbox, NotifyTime now);

}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "lab/guest/recording/recording.hpp"
#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// What a machine said, as it said it: with the names that are in it, so never to be written into a file.
struct GuestReplies {
  std::vector<lab::guest::recording::Reply> replies;     // of the recording
  std::vector<lab::guest::recording::Reply> only_names;  // asked for the names in them
};
void to_json(Json& json, const GuestReplies& replies);
[[nodiscard]] GuestReplies guest_replies_from_json(const Json& json);  // throws Json::exception

// Of a machine that was just started: waits until its start-up is over, then asks. An Error of class configuration: it
// is no Windows machine.
[[nodiscard]] Result<GuestReplies> replies_of(Guest& guest);

}  // namespace patchlab::runners::cell

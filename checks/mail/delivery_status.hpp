// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::mail {

// What a message says that was returned to its sender (RFC 3461, RFC 3464, RFC 6522), as far as it says it:
//   "type"         "multipart/report"           "report_type"  "delivery-status"
//   "return_path"  "<>" where the server that delivered it wrote one
//   "parts"        the types of its parts
//   "recipients"   [{"recipient", "original" (where it is given), "action", "status"}], the addresses without their
//   type "returned_id"  the Message-ID of the message that comes back, or of its header
// Words that have no case are in lower case. Bounded whatever the text is.
[[nodiscard]] Json describe_report(const std::string& text);

}  // namespace patchlab::checks::mail

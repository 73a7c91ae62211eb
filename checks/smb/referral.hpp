// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::smb {

// "smb.referral": a path of a DFS namespace is answered by a referral to a target ([MS-DFSC]), and a file that a user
// writes by that path is at the target then, and gone from there when it was deleted by that path. The client can find
// no server but this one of those that the referral names, so that another one cannot stand for it; in which order they
// are named is not looked at. Parameters: those of Account (parameters.hpp), whose `share` is the namespace, and
//   path    the link below it: "projects"
//   server  what the namespace is called by, which must be a name of the machine's; default: its address
//   target  {"server": its name as the referral has it, or its address, "address": IPv4, default the machine's own,
//            "share", "folder": below it, default the share itself}; on port 445, as all referrals are
// By NTLM. Steps: connect, list, write (both by the namespace), target (whether it takes connections), read at target
// (in a session of its own with it), delete (by the namespace), gone at target (reading it fails with ENOENT). The
// first that fails is the verdict, with the errno which the library gave. Reasons of failure: <step>-failed,
// <step>-not-reached, no-answer, that of the network for connect, and not-at-target (the path leads somewhere else),
// content-differs, deleted-file-remains.
[[nodiscard]] const Check& referral();

}  // namespace patchlab::checks::smb

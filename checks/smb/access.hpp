// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::smb {

// "smb.access": what a user does all day, step by step in one session. Parameters: those of Account (parameters.hpp),
// and
//   operations   some of "list", "write", "read", "rename", "delete" (default all); "read", "rename" and "delete" need
//   "write" folder       where below the share the file is written; default the share itself bytes        size of that
//   file, default 262144 known_files  {"alpha/budget.csv": "<sha256>"}: must be there and unchanged
//   dialect      the one that the client speaks, as a device does that knows no other: "1", "2.0.2", "2.1", "3.0",
//                "3.0.2" or "3.1.1"; default: 2.0.2 to 3.1.1, as the server likes
//   netbios      true: the client comes by the session service of NetBIOS (RFC 1002), to port 139 (default false)
//   names        "insensitive": the file is found by its name in capitals, too; "sensitive": it is not; default: not
//                looked at
//   files        as many small files are written besides, listed, all of them and no others, and deleted (default 0)
//   together     true: a second session of the same user lists and reads, and may not delete the file while the first
//   has it open (default false)
//   locks        true: the first session keeps others from writing while it has the file open; a second one may read
//   it,
//                and may neither write it nor rename another file over it until it is closed (default false)
//   login        "ntlm" (default), or "kerberos", with realm, server, controller, kerberos_port of read_login()
//                (parameters.hpp); never by the other one
// Steps: connect, controller (by Kerberos: whether it takes connections), ticket (for the server), netbios session,
// list, known file ..., write, list again (the file is in it), read (by hash), other case, second list, open, second
// read, second delete (refused), close, lock, locked read, locked write (refused), new file, locked rename over
// (refused), unlock, unlocked read (unchanged), unlocked write, unlocked rename over, renamed read, rename, delete,
// gone (reading it fails with ENOENT), list after (of the second session; its name is not in it), write many, list
// many, delete many, list none. The first that fails is the verdict, with the errno which the library gave. A file
// which could not be deleted as planned is removed by "clean up".
[[nodiscard]] const Check& access();

}  // namespace patchlab::checks::smb

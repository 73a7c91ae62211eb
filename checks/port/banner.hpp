// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::port {

// Kind "tcp.banner": what a TCP port says to somebody who connects and says nothing. Parameters:
//   port
//   expect   the whole greeting (greeting.hpp); empty: the server says nothing; not there: not looked at
//   closes   whether the server ends the connection by itself; not there: not looked at
//   wait_ms  how long somebody who expects nothing waits for something (2000)
// Without `expect` the server is asked twice, a little more than a second apart, to learn what varies.
// Reasons of failure: connection-refused, no-answer, unreachable, connection-broken, no-greeting, greeting-differs,
// closed (though it is to stay open), stays-open.
[[nodiscard]] const Check& banner();

}  // namespace patchlab::checks::port

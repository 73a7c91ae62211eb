// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cli/terminal.hpp"
#include "lab/core/pipe.hpp"
#include "lab/core/redaction.hpp"

namespace patchlab::cli {
namespace {

struct State {
  bool used = false;
  int trouble = 0;  // errno of the first piece that was not taken
};
State state;

}  // namespace

void write_out(const std::string& text) {
  state.used = state.used || !text.empty();
  if (state.trouble == 0 && !write_all(STDOUT_FILENO, text)) state.trouble = errno;
}

void say_json(const std::string& name, Json json) {
  redact_named(json);
  json["schema"] = "patchlab/" + name + "/v1";
  say_record(json);
}

void say_record(const Json& json) { write_out(printable_json(pretty(json))); }

void keep_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // For reading, so that writing to it fails.
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing >= 0 && nothing != number) {
      ::dup2(nothing, number);
      ::close(nothing);
    }
  }
}

ExitCode end_of_output(ExitCode code) {
  // Some file systems say only now that they are full.
  if (state.used && state.trouble == 0 && ::close(STDOUT_FILENO) != 0 && errno != EINTR) state.trouble = errno;
  if (state.trouble == 0) return code;
  auto error = errno_error("writing the result to standard output", state.trouble);
  error.hint = "make room or name another place, and ask again: what arrived there is not whole";
  return report(error, ExitCode::cannot_create);
}

}  // namespace patchlab::cli

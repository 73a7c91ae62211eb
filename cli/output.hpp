// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/exit_code.hpp"
#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"

// The only way to standard output. What others chose is printed inert, and whether the output took it is known in the
// end: a result that nobody got is no success.
namespace patchlab::cli {

// Of text that is ready: made of printable pieces.
void write_out(const std::string& text);
// "{}: {} candidates\n": every text among the arguments is made printable.
template <class... Args>
void say(fmt::format_string<Shown<Args>...> format, const Args&... args) {
  write_out(printable_format<Args...>(format, args...));
}
// An object as a document of schema "patchlab/NAME/v1" (cli/schemas/NAME.schema.json), without what its keys call a
// secret. Every --json goes through this, but records, which say their schema themselves and were written without.
void say_json(const std::string& name, Json json);
void say_record(const Json& json);

// Standard input, output and error are there, or what is opened next would take their numbers and be written into. A
// missing output is remembered: nothing can be said into it.
void keep_standard_streams();

// `code`, when everything that was said arrived; else an error and cannot_create, whatever `code` was.
[[nodiscard]] ExitCode end_of_output(ExitCode code);

}  // namespace patchlab::cli

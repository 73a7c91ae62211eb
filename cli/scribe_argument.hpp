// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "promotion/desk/lab_book.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// Who writes into the ledger of a stage.
struct ScribeArguments {
  std::string by;             // empty: whoever calls
  std::filesystem::path key;  // empty: nothing is signed
};
// --by and --sign-with, with PATCHLAB_BY and PATCHLAB_SIGN_WITH.
void add_scribe(CLI::App& command, ScribeArguments& arguments);
// The same without a key.
[[nodiscard]] Result<promotion::Scribe> unsigned_scribe(const ScribeArguments& arguments);
// An error (configuration) for a name that cannot be one, and for a key that may not sign for the lab in this stage.
[[nodiscard]] Result<promotion::Scribe> scribe_of(const ScribeArguments& arguments, const std::filesystem::path& stage);

}  // namespace patchlab::cli

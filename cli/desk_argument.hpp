// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "cli/scribe_argument.hpp"
#include "promotion/desk/desk.hpp"
#include "runners/inquiry/lab_today.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// Which run somebody asks about, and at whose desk.
struct DeskArguments {
  std::string run = "latest";  // folder, run.json, id, or "latest"
  std::filesystem::path runs = "runs";
  std::filesystem::path stage = "production";
  std::filesystem::path ledger;       // empty: beside the run's folder
  std::filesystem::path lab_cache{};  // of another user who runs the lab; empty: the caller's own
  ScribeArguments scribe{};           // of commands that write
};
// --lab-cache
void add_lab_cache(CLI::App& app, DeskArguments& arguments);

struct RunAtDesk {
  std::filesystem::path file;  // its run.json, absolute
  reports::RunRecord record;
  promotion::Desk desk;
};
[[nodiscard]] Result<RunAtDesk> run_at_desk(const DeskArguments& arguments, runners::Look look);

}  // namespace patchlab::cli

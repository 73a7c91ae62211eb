// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "cli/scribe_argument.hpp"
#include "promotion/desk/desk.hpp"
#include "runners/inquiry/lab_today.hpp"

namespace patchlab::cli {

// Which run somebody asks about, and at whose desk.
struct DeskArguments {
  std::string run = "latest";  // folder, run.json, id, or "latest"
  std::filesystem::path runs = "runs";
  std::filesystem::path stage = "production";
  std::filesystem::path ledger;  // empty: beside the run's folder
  ScribeArguments scribe{};      // of commands that write
};

struct RunAtDesk {
  std::filesystem::path file;  // its run.json, absolute
  reports::RunRecord record;
  promotion::Desk desk;
};
[[nodiscard]] Result<RunAtDesk> run_at_desk(const DeskArguments& arguments, runners::Look look);

}  // namespace patchlab::cli

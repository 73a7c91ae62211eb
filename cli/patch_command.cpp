// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "patches/candidate/manifest.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  std::filesystem::path path;
  bool json = false;
};

ExitCode inspect(const Arguments& arguments) {
  const auto file = patches::inspect_deb(arguments.path);
  if (!file) return report(file.error(), ExitCode::bad_data);
  if (arguments.json) {
    fmt::print("{}", pretty(Json(*file)));
    return ExitCode::ok;
  }
  fmt::print("package      {}\nversion      {}\narchitecture {}\ndepends      {}\nsha256       {}\nunpacked     {} bytes in {} entries\n", file->package,
             file->version, file->architecture, file->depends, file->sha256, file->unpacked_bytes, file->entries);
  return ExitCode::ok;
}

ExitCode add(const Arguments& arguments) {
  const auto candidate = patches::load_candidate(arguments.path, patches::default_store());
  if (!candidate) return report(candidate.error(), ExitCode::bad_data);
  if (arguments.json) fmt::print("{}", pretty(Json(*candidate)));
  else fmt::print("{} {} ({} files)\n", candidate->id, candidate->digest, candidate->files.size());
  return ExitCode::ok;
}

}  // namespace

void add_patch(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("patch", "look at a patch file, or put a candidate into the content store");
  group->require_subcommand(1);
  auto* inspecting = group->add_subcommand("inspect", "what a .deb says of itself, after reading all of it");
  inspecting->add_option("file", arguments->path, "package file")->required();
  inspecting->add_flag("--json", arguments->json, "as JSON");
  inspecting->callback([arguments, &chosen] { chosen = [arguments] { return inspect(*arguments); }; });
  auto* adding = group->add_subcommand("add", "verify a candidate and store its files by digest");
  adding->add_option("path", arguments->path, "folder with candidate.json, or one .deb")->required();
  adding->add_flag("--json", arguments->json, "as JSON");
  adding->callback([arguments, &chosen] { chosen = [arguments] { return add(*arguments); }; });
}

}  // namespace patchlab::cli

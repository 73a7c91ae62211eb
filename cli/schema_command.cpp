// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/schemas.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"

namespace patchlab::cli {
namespace {

ExitCode list_schemas() {
  std::vector<std::vector<Cell>> rows{{{"NAME", {}}, {"OF", {}}}};
  for (const auto& schema : schema_files()) {
    const auto json = json_in(std::string(schema.text));
    rows.push_back({{std::string(schema.name), {}}, {json.value("title", ""), {}}});
  }
  write_out(table(rows));
  return ExitCode::ok;
}

ExitCode show_schema(const std::string& name) {
  if (name.empty()) return list_schemas();
  std::vector<std::string> names;
  for (const auto& schema : schema_files()) {
    if (schema.name == name) {
      write_out(std::string(schema.text));
      return ExitCode::ok;
    }
    names.emplace_back(schema.name);
  }
  return report(unknown_choice("schema", name, "is not there", names), ExitCode::usage);
}

}  // namespace

void add_schema(CLI::App& app, Chosen& chosen) {
  const auto name = std::make_shared<std::string>();
  auto* command = app.add_subcommand("schema", "print the JSON Schema of a file or of an output; without a name: list");
  command->add_option("schema", *name, "scenario, policy, image-recipe, candidate-file, run, or of a --json: doctor, plan, queue, ...");
  command->callback([name, &chosen] { chosen = [name] { return show_schema(*name); }; });
}

}  // namespace patchlab::cli

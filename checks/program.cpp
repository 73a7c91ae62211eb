// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/program.hpp"

#include <fmt/format.h>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"

namespace patchlab::checks {
namespace {

constexpr std::size_t longest_program_name = 100;

bool is_program_name(const std::string& name) {
  return !name.empty() && name.size() <= longest_program_name && name.front() != '.' && name.front() != '-' &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-") ==
             std::string::npos;
}

bool can_be_executed(const std::string& bytes) {
  return bytes.starts_with("#!") || bytes.starts_with(
                                        "\x7f"
                                        "ELF");
}

}  // namespace

Result<CheckProgram> read_check_program(const std::filesystem::path& file) {
  CheckProgram program;
  program.name = file.filename().string();
  if (!is_program_name(program.name)) {
    return configuration_error(fmt::format("'{}' is no name of a program for a check", program.name),
                               "letters, digits, '.', '_', '+' and '-', at most 100, and no '.' or '-' first");
  }
  PATCHLAB_ASSIGN(program.bytes, read_file(file, largest_program));
  if (!can_be_executed(program.bytes)) {
    return configuration_error(fmt::format("'{}' is neither a script nor a program of Linux", file.string()),
                               "a script says in its first line by what it is executed: #!/bin/sh");
  }
  program.sha256 = sha256(program.bytes);
  const auto place = file.lexically_normal().string();
  if (place.starts_with("/usr/")) program.found_at = place;
  return program;
}

Json check_program_json(const CheckProgram& program) {
  return {{"name", program.name},
          {"sha256", program.sha256},
          {"bytes", base64(program.bytes)},
          {"found_at", program.found_at}};
}

Result<CheckProgram> check_program_from(const Json& json) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  CheckProgram program;
  program.name = reader.text("name");
  program.sha256 = reader.text("sha256");
  auto bytes = from_base64(reader.text("bytes"));
  program.found_at = reader.text("found_at");
  reader.finish();
  if (!problems.empty()) return problems_error("the program of a check", problems);
  if (!bytes || sha256(*bytes) != program.sha256 || !is_program_name(program.name))
    return infrastructure_error(fmt::format("the program '{}' of a check did not come as it was sent", program.name));
  program.bytes = std::move(*bytes);
  return program;
}

}  // namespace patchlab::checks

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/command/command.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/command/execute.hpp"
#include "checks/command/output.hpp"

namespace patchlab::checks {
namespace {

using command_kind::Parameters;
using command_kind::Protocol;

Judgement judge_output(const Parameters& parameters, int code, const std::string& output) {
  switch (parameters.output) {
    case Protocol::nagios: return command_kind::judge_nagios(code, output, parameters.warning_passes);
    case Protocol::tap: return command_kind::judge_tap(code, output);
    case Protocol::json_lines: return command_kind::judge_json_lines(code, output);
  }
  return {};
}

// Nothing about the server: what it is said of.
Judgement judge_end(const std::string& end, const Observation& observation) {
  const auto trouble = [&](const char* observed) {
    return Judgement{Outcome::error, end, "a program that ends by itself and says what it found", observed};
  };
  if (end == "deadline") return trouble("it did not end before the deadline, and was killed");
  if (end == "flood") return trouble("it said more than 256 KiB");
  if (end == "left-processes") return trouble("it ended, and left processes behind");
  if (end == "signal") return trouble(fmt::format("killed by signal {}", observation.at("code").get<int>()).c_str());
  return trouble(fmt::format("it could not be started: {}", observation.value("why", "")).c_str());
}

class Command final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "command"; }
  [[nodiscard]] std::string program_in(const Json& parameters) const override {
    const auto program = parameters.is_object() ? parameters.find("program") : parameters.end();
    return program != parameters.end() && program->is_string() ? program->get<std::string>() : std::string();
  }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return command_kind::read_parameters(reader); }
  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds deadline) const override {
    return command_kind::execute(target, parameters, deadline);
  }
  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
    const auto end = observation.at("end").get<std::string>();
    if (end != "exit") return judge_end(end, observation);
    const auto code = observation.at("code").get<int>();
    const auto output = observation.at("output").get<std::string>();
    if (code == command_kind::skipped_code) {
      // Test::More ends with how many failed, and that may be so many.
      const auto said = parameters.output == Protocol::nagios ? Judgement{} : judge_output(parameters, 1, output);
      if (said.outcome == Outcome::fail) return said;
      return {Outcome::skipped, "skipped", "a program that looks",
              fmt::format("exit code 77 (skipped): {}", command_kind::first_line(output))};
    }
    return judge_output(parameters, code, output);
  }
};

}  // namespace

const Check& command() {
  static const Command instance;
  return instance;
}

}  // namespace patchlab::checks

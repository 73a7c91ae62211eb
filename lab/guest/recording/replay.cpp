// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/base64.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr const char* lab_folder = "C:\\patchlab\\";

std::string returned(const Json& value) {
  return Json{{"return", value}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string refusal(const std::string& words) {
  return Json{{"error", {{"class", "GenericError"}, {"desc", words}}}}.dump(-1, ' ', false,
                                                                            Json::error_handler_t::replace);
}

std::string joined(const std::string& program, const std::vector<std::string>& arguments) {
  std::string line = program;
  for (const auto& argument : arguments) line += '\n' + argument;
  return line;
}

// Where a command saves to is numbered by who asks, and says nothing about what it asks for.
std::string without_target(const std::string& line) {
  const auto known = windows::command_in("job", line);
  const bool saves = known && (known->command == windows::Command::acl || known->command == windows::Command::copy_log);
  return saves ? line.substr(0, line.rfind(lab_folder)) : line;
}

// The file that a line saves to; empty: it saves nothing.
std::string target_of(const std::string& line) {
  return without_target(line) == line ? std::string{} : line.substr(line.rfind(lab_folder));
}

Error only_asked(const char* what) {
  return Error{ErrorClass::bug, fmt::format("a recording was told to {}", what), {}};
}

}  // namespace

RecordedGuest::RecordedGuest(const Recording& recording) {
  for (const auto& reply : recording.replies) {
    if (reply.by == "agent") {
      agents_[reply.line] = reply;
    } else if (reply.by == "job") {
      jobs_[without_target(reply.line)] = reply;
    } else if (const auto known = windows::command_in(reply.by, reply.line)) {
      const auto line = windows::program_line_of(known->command, {known->values.begin(), known->values.end()});
      programs_[joined(line.program, line.arguments)] = reply;
    }
  }
}

Result<std::string> RecordedGuest::agent_command(const std::string& /*machine*/, const std::string& command,
                                                 Milliseconds /*limit*/) {
  const auto request = json_in(command);
  if (!request.is_object() || !request.contains("execute") || !request["execute"].is_string())
    return refusal("this is no command");
  return answer(request["execute"].get<std::string>(), request.value("arguments", Json::object()));
}

std::string RecordedGuest::not_recorded(const std::string& line, const Reply* reply) {
  const auto words = reply == nullptr ? fmt::format("not recorded: {}", line)
                                      : fmt::format("recorded without a reply: {}: {}", line, reply->trouble);
  missing_.insert(words);
  return words;
}

std::string RecordedGuest::answer(const std::string& name, const Json& arguments) {
  if (name == "guest-ping") return returned(Json::object());
  if (name == "guest-exec") return execute(arguments);
  if (name == "guest-exec-status") {
    const auto found = ended_.find(arguments.value("pid", std::int64_t{0}));
    if (found == ended_.end()) return refusal("PID does not exist");
    const auto process = std::move(found->second);
    ended_.erase(found);
    Json value{{"exited", true}, {"exitcode", static_cast<std::int32_t>(process.exit_code)}};
    if (!process.output.empty()) value["out-data"] = base64(process.output);
    if (!process.errors.empty()) value["err-data"] = base64(process.errors);
    return returned(value);
  }
  if (name == "guest-file-open") return open(arguments.value("path", ""), arguments.value("mode", "r"));
  if (name.starts_with("guest-file-")) return with_handle(name, arguments);
  const auto known = agents_.find(name);
  if (known == agents_.end() || !known->second.trouble.empty())
    return refusal(not_recorded(name, known == agents_.end() ? nullptr : &known->second));
  auto value = json_in(known->second.output);
  return value.is_discarded() ? refusal(fmt::format("the recorded reply to {} is no JSON", name)) : returned(value);
}

std::string RecordedGuest::execute(const Json& arguments) {
  const auto program = arguments.value("path", "");
  const auto list = arguments.value("arg", std::vector<std::string>());
  const auto asked = joined(program, list);
  const auto is = [&](windows::Command command) {
    const auto line = windows::program_line_of(command);
    return asked == joined(line.program, line.arguments);
  };
  Ended process;
  if (is(windows::Command::run_job)) {
    if (const auto started = start_job(); !started) return refusal(started.error().message);
  } else if (!is(windows::Command::make_folder)) {
    const auto known = programs_.find(asked);
    if (known == programs_.end() || !known->second.trouble.empty()) {
      auto line = asked;
      std::ranges::replace(line, '\n', ' ');
      return refusal(not_recorded(line, known == programs_.end() ? nullptr : &known->second));
    }
    process = {known->second.exit_code, known->second.output, known->second.errors};
  }
  ended_[++last_] = std::move(process);
  return returned({{"pid", last_}});
}

Result<void> RecordedGuest::start_job() {
  PATCHLAB_ASSIGN(const auto script, windows::read_job_script(files_[std::string(lab_folder) + "job.cmd"]));
  std::string output;
  const auto code = windows::carry_out(script, output, [&](const std::string& line) { return run_line(line, output); });
  files_[script.output] = std::move(output);
  files_[std::string(lab_folder) + "job.code"] = windows::code_file(script.token, code);
  return {};
}

std::int64_t RecordedGuest::run_line(const std::string& line, std::string& output) {
  const auto known = jobs_.find(without_target(line));
  if (known == jobs_.end() || !known->second.trouble.empty()) {
    output += not_recorded(line, known == jobs_.end() ? nullptr : &known->second) + "\r\n";
    return static_cast<std::int32_t>(exit_code_of_nothing);
  }
  const auto& reply = known->second;
  output += reply.output;
  if (const auto target = target_of(line); !target.empty() && reply.file) files_[target] = *reply.file;
  return static_cast<std::int32_t>(reply.exit_code);
}

std::string RecordedGuest::open(const std::string& path, const std::string& mode) {
  // Nothing but the laboratory's own folder can be written, and what was never saved cannot be read.
  if (mode == "w" && path.starts_with(lab_folder)) files_[path].clear();
  if (!files_.contains(path)) return refusal(fmt::format("failed to open file '{}': No such file or directory", path));
  handles_[++last_] = {path, 0};
  return returned(last_);
}

std::string RecordedGuest::with_handle(const std::string& name, const Json& arguments) {
  const auto found = handles_.find(arguments.value("handle", std::int64_t{0}));
  if (found == handles_.end()) return refusal("handle has not been found");
  auto& [path, position] = found->second;
  auto& bytes = files_[path];
  if (name == "guest-file-close") {
    handles_.erase(found);
    return returned(Json::object());
  }
  if (name == "guest-file-write") {
    const auto block = from_base64(arguments.value("buf-b64", "")).value_or("");
    bytes += block;
    return returned({{"count", block.size()}, {"eof", false}});
  }
  if (name == "guest-file-seek") {
    const auto from = arguments.value("whence", 0) == 2 ? bytes.size() : std::size_t{0};
    position = from + arguments.value("offset", std::size_t{0});
    return returned({{"position", position}, {"eof", false}});
  }
  if (name == "guest-file-read") {
    const auto block = bytes.substr(std::min(position, bytes.size()), arguments.value("count", std::size_t{0}));
    position += block.size();
    return returned({{"count", block.size()}, {"buf-b64", base64(block)}, {"eof", position >= bytes.size()}});
  }
  return returned(Json::object());  // flush
}

Result<void> RecordedGuest::define(const MachineSpec& /*spec*/) { return only_asked("be another machine"); }
Result<void> RecordedGuest::start(const std::string& /*machine*/) { return only_asked("start"); }
Result<void> RecordedGuest::power_off(const std::string& /*machine*/) { return only_asked("end"); }
Result<void> RecordedGuest::undefine(const std::string& /*machine*/) { return only_asked("go away"); }
Result<Milliseconds> RecordedGuest::processor_time(const std::string& /*machine*/) { return only_asked("tell time"); }
Result<void> RecordedGuest::pause(const std::string& /*machine*/) { return only_asked("pause"); }
Result<void> RecordedGuest::resume(const std::string& /*machine*/) { return only_asked("go on"); }
Result<void> RecordedGuest::take_snapshot(const std::string& /*machine*/, const std::string& /*snapshot*/) {
  return only_asked("be saved");
}
Result<void> RecordedGuest::adopt_snapshot(const std::string& /*machine*/, const std::string& /*snapshot*/) {
  return only_asked("be saved");
}
Result<void> RecordedGuest::revert(const std::string& /*machine*/, const std::string& /*snapshot*/) {
  return only_asked("go back");
}
Result<void> RecordedGuest::delete_snapshot(const std::string& /*machine*/, const std::string& /*snapshot*/) {
  return only_asked("forget");
}
Result<void> RecordedGuest::change_medium(const std::string& /*machine*/, const std::filesystem::path& /*iso*/) {
  return only_asked("take a medium");
}

}  // namespace patchlab::lab::guest::recording

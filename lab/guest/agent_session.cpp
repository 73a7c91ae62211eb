// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/agent_session.hpp"

#include <fmt/format.h>

#include "lab/core/base64.hpp"

namespace patchlab::lab::guest {
namespace {
constexpr Milliseconds longest_interval{250};
constexpr std::size_t reply_limit = 4U << 20U;
constexpr std::size_t most_kept = 24;
constexpr std::size_t longest_kept = 64U << 10U;  // of the beginning, and of the end

std::optional<std::int64_t> integer_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

bool flag_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

Result<AgentReply> parse_reply(const std::string& text) {
  if (text.size() > reply_limit) {
    return guest_error(fmt::format("the answer has {} bytes, more than the {} allowed", text.size(), reply_limit));
  }
  const auto json = json_in(text);
  if (!json.is_object()) return guest_error(fmt::format("the answer is not a JSON object: '{}'", shortened(text)));
  if (const auto error = json.find("error"); error != json.end()) {
    const auto description = error->is_object() ? error->find("desc") : error->end();
    const bool said = error->is_object() && description != error->end() && description->is_string();
    return AgentReply{Json{}, said ? shortened(description->get<std::string>(), 300) : "no reason given"};
  }
  if (!json.contains("return")) return guest_error(fmt::format("the answer has no 'return': '{}'", shortened(text)));
  return AgentReply{json["return"], {}};
}

std::string decoded(const Json& object, const char* key, bool& valid) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  auto bytes = found->is_string() ? from_base64(found->get_ref<const std::string&>()) : std::nullopt;
  valid = valid && bytes.has_value();
  return bytes.value_or(std::string{});
}
}  // namespace

std::string shortened(std::string_view text, std::size_t limit) {
  std::string line;
  for (const char c : text.substr(0, limit)) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  if (text.size() > limit) line += "...";
  return to_valid_utf8(line);
}

void Pace::pause() {
  clock_.pause(std::min(interval_, left()));
  interval_ = std::min(interval_ * 3 / 2, longest_interval);
}

bool AgentReply::says_missing() const {
  return refusal.find("No such file") != std::string::npos || refusal.find("cannot find the") != std::string::npos;
}

Result<AgentReply> AgentSession::ask(const char* command, Json arguments, Milliseconds limit) {
  Json request = {{"execute", command}};
  if (!arguments.empty()) request["arguments"] = std::move(arguments);
  const std::lock_guard lock(one_command_);
  auto text = hypervisor_.agent_command(machine_, request.dump(-1, ' ', false, Json::error_handler_t::replace), limit);
  // libvirt makes an error of what an agent refuses.
  if (!text && text.error().error_class == ErrorClass::guest) return AgentReply{Json{}, text.error().message};
  auto reply = text ? parse_reply(text.value()) : Result<AgentReply>(text.error());
  if (text && !reply) remember(command, text.value());
  return std::move(reply).while_doing(fmt::format("guest agent of '{}', {}", machine_, command));
}

void AgentSession::remember(const std::string& what, std::string_view bytes) {
  const std::lock_guard lock(replies_mutex_);
  std::erase_if(replies_, [&](const auto& reply) { return reply.first == what; });
  std::string kept(bytes.substr(0, longest_kept));
  if (bytes.size() > longest_kept) {
    kept += fmt::format("\n[... {} bytes in all ...]\n", bytes.size());
    kept += bytes.substr(std::max(longest_kept, bytes.size() - longest_kept));
  }
  replies_.emplace_back(what, std::move(kept));
  if (replies_.size() > most_kept) replies_.pop_front();
}

std::string AgentSession::recent_replies() {
  const std::lock_guard lock(replies_mutex_);
  std::string text;
  for (const auto& [what, bytes] : replies_) text += fmt::format("==> {} <==\n{}\n", what, to_valid_utf8(bytes));
  return text;
}

bool AgentSession::is_silent(Milliseconds limit) {
  const std::lock_guard lock(one_command_);
  const auto text = hypervisor_.agent_command(machine_, R"({"execute":"guest-ping"})", limit);
  return !text && text.error().error_class != ErrorClass::guest;
}

Result<Json> AgentSession::ask_for_value(const char* command, Json arguments, Milliseconds limit) {
  PATCHLAB_ASSIGN(auto reply, ask(command, std::move(arguments), limit));
  if (reply.refused())
    return guest_error(fmt::format("guest agent of '{}' refused {}: {}", machine_, command, reply.refusal));
  return std::move(reply.value);
}

Result<std::int64_t> AgentSession::execute(const Json& arguments, Milliseconds limit) {
  PATCHLAB_ASSIGN(const auto value, ask_for_value("guest-exec", arguments, limit));
  const auto pid = value.is_object() ? integer_in(value, "pid") : std::nullopt;
  if (!pid) return guest_error(fmt::format("guest agent of '{}', guest-exec: no process id in the answer", machine_));
  return *pid;
}

Result<GuestProcess> AgentSession::process_from(const Json& status) const {
  GuestProcess process;
  // Windows: a crash code or HRESULT of 0xC0000000 and above arrives as `signal`, one of 0x8....... as a negative exit
  // code.
  if (const auto signal = integer_in(status, "signal")) {
    process.exit_code = static_cast<std::uint32_t>(*signal);
    process.signalled = process.exit_code < 0xC0000000U;
  } else if (const auto exit_code = integer_in(status, "exitcode")) {
    process.exit_code = static_cast<std::uint32_t>(*exit_code);
  } else {
    return guest_error(fmt::format("guest agent of '{}', guest-exec-status: an end without an exit code", machine_));
  }
  if (flag_in(status, "out-truncated") || flag_in(status, "err-truncated")) {
    return guest_error(fmt::format("guest agent of '{}' cut the output of the command off", machine_));
  }
  bool valid = true;
  process.output = decoded(status, "out-data", valid);
  process.errors = decoded(status, "err-data", valid);
  if (!valid)
    return guest_error(fmt::format("guest agent of '{}', guest-exec-status: the output is not base64", machine_));
  return process;
}

Result<GuestProcess> AgentSession::wait_for(std::int64_t pid, const std::string& command, Pace& pace,
                                            const std::stop_token& stop) {
  std::string trouble;
  for (;;) {
    pace.pause();
    if (stop.stop_requested()) {
      return Error{ErrorClass::cancelled, fmt::format("cancelled while '{}' ran in '{}'", command, machine_), {}};
    }
    auto reply = ask("guest-exec-status", {{"pid", pid}}, pace.limit());
    if (reply && reply->refused()) {
      // The agent forgets a process once it has told its end: that reply was lost, or the agent itself was restarted.
      return guest_error(fmt::format("the end of '{}' in '{}' was lost: {}{}", command, machine_, reply->refusal,
                                     trouble.empty() ? "" : " (before: " + trouble + ")"));
    }
    if (reply && reply->value.is_object() && flag_in(reply->value, "exited")) {
      auto process = process_from(reply->value);
      remember(command, process
                            ? fmt::format("(exit code {})\n{}{}", process->exit_code, process->output, process->errors)
                            : reply->value.dump(-1, ' ', false, Json::error_handler_t::replace));
      return process;
    }
    if (!reply) trouble = reply.error().message;
    if (pace.is_over()) {
      return timeout_error(fmt::format("'{}' in '{}' did not end in time; it may still be running there{}", command,
                                       machine_, trouble.empty() ? "" : " (last trouble: " + trouble + ")"));
    }
  }
}

Result<std::optional<std::int64_t>> AgentSession::open(const std::string& path, const char* mode) {
  auto reply = ask("guest-file-open", {{"path", path}, {"mode", mode}}, agent_command_limit);
  if (!reply) return std::move(reply).error().while_doing(fmt::format("opening '{}'", path));
  if (reply->says_missing()) return std::optional<std::int64_t>{};
  if (reply->refused()) return guest_error(fmt::format("cannot open '{}' in '{}': {}", path, machine_, reply->refusal));
  if (!reply->value.is_number_integer()) {
    return guest_error(fmt::format("opening '{}' in '{}': the agent gave no handle", path, machine_));
  }
  return std::optional<std::int64_t>{reply->value.get<std::int64_t>()};
}

Result<std::int64_t> AgentSession::open_existing(const std::string& path, const char* mode) {
  PATCHLAB_ASSIGN(const auto handle, open(path, mode));
  if (!handle) return guest_error(fmt::format("no file '{}' in '{}'", path, machine_));
  return *handle;
}

Result<std::string> AgentSession::read_to_end(std::int64_t handle, std::size_t limit) {
  std::string bytes;
  for (;;) {
    PATCHLAB_ASSIGN(
        const auto value,
        ask_for_value("guest-file-read", {{"handle", handle}, {"count", agent_block_size}}, agent_command_limit));
    bool valid = value.is_object() && integer_in(value, "count").has_value();
    const auto block = valid ? decoded(value, "buf-b64", valid) : std::string{};
    if (!valid || block.size() != static_cast<std::size_t>(*integer_in(value, "count"))) {
      return guest_error("the agent's answer holds no whole block");
    }
    bytes += block;
    if (bytes.size() > limit) return guest_error(fmt::format("larger than the {} bytes allowed", limit));
    if (flag_in(value, "eof") || block.empty()) return bytes;
  }
}

Result<std::int64_t> AgentSession::seek(std::int64_t handle, std::int64_t offset, int whence) {
  PATCHLAB_ASSIGN(const auto value,
                  ask_for_value("guest-file-seek", {{"handle", handle}, {"offset", offset}, {"whence", whence}},
                                agent_command_limit));
  const auto position = value.is_object() ? integer_in(value, "position") : std::nullopt;
  if (!position) return guest_error("the agent's answer holds no position");
  return *position;
}

Result<void> AgentSession::write_all(std::int64_t handle, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto block = bytes.substr(0, agent_block_size);
    PATCHLAB_ASSIGN(
        const auto value,
        ask_for_value("guest-file-write", {{"handle", handle}, {"buf-b64", base64(block)}}, agent_command_limit));
    const auto count = value.is_object() ? integer_in(value, "count").value_or(0) : 0;
    if (count <= 0 || static_cast<std::size_t>(count) > block.size()) return guest_error("the agent wrote nothing");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  PATCHLAB_TRY(ask_for_value("guest-file-flush", {{"handle", handle}}, agent_command_limit));
  return {};
}

OpenGuestFile::~OpenGuestFile() {
  if (handle_ >= 0) (void)session_.ask("guest-file-close", {{"handle", handle_}}, agent_command_limit);
}

Json shell_with(const std::string& script, const std::vector<std::string>& arguments) {
  // The braces make the shell read the whole script before it runs the first command, so that no command can eat the
  // rest of it.
  std::vector<std::string> all{"-s", "--"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {{"path", "/bin/sh"},
          {"arg", all},
          {"input-data", base64("{\n" + script + "\n} </dev/null\n")},
          {"capture-output", true}};
}

}  // namespace patchlab::lab::guest

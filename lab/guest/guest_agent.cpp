// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/guest/adapter.hpp"
#include "lab/guest/agent_session.hpp"

namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;

std::string command_line(const std::string& program, const std::vector<std::string>& arguments) {
  std::string line = program;
  for (const auto& argument : arguments) line += ' ' + argument;
  return shortened(line);
}
}  // namespace

GuestAgent::GuestAgent(Hypervisor& hypervisor, std::string machine, Clock& clock)
    : session_(std::make_shared<AgentSession>(hypervisor, std::move(machine), clock)) {}

const std::string& GuestAgent::machine() const { return session_->machine(); }

bool GuestAgent::answers(Milliseconds limit) {
  const auto reply = session_->ask("guest-ping", Json::object(), limit);
  return reply.has_value() && !reply->refused();
}

bool GuestAgent::is_silent(Milliseconds limit) { return session_->is_silent(limit); }

Result<GuestProcess> GuestAgent::run(const std::string& program, const std::vector<std::string>& arguments,
                                     Milliseconds deadline, std::stop_token stop) {
  const auto command = command_line(program, arguments);
  Pace pace(session_->clock(), deadline);
  auto pid = session_->execute({{"path", program}, {"arg", arguments}, {"capture-output", true}}, pace.limit());
  if (!pid) return std::move(pid).error().while_doing(fmt::format("running '{}'", command));
  return session_->wait_for(pid.value(), command, pace, stop);
}

Result<GuestProcess> GuestAgent::run_script(const std::string& script, const std::vector<std::string>& arguments,
                                            Milliseconds deadline, std::stop_token stop) {
  Pace pace(session_->clock(), deadline);
  PATCHLAB_ASSIGN(const auto pid, session_->execute(shell_with(script, arguments), pace.limit()));
  return session_->wait_for(pid, "the script", pace, stop);
}

Result<std::int64_t> GuestAgent::start(const std::string& program, const std::vector<std::string>& arguments) {
  auto pid = session_->execute({{"path", program}, {"arg", arguments}, {"capture-output", false}}, agent_command_limit);
  return std::move(pid).while_doing(fmt::format("starting '{}'", command_line(program, arguments)));
}

Result<Json> GuestAgent::ask(const char* command) {
  auto value = session_->ask_for_value(command, Json::object(), agent_command_limit);
  if (value) session_->remember(command, value->dump(-1, ' ', false, Json::error_handler_t::replace));
  return value;
}

std::string GuestAgent::recent_replies() { return session_->recent_replies(); }

Result<std::string> GuestAgent::read_file(const std::string& path, std::size_t limit) {
  PATCHLAB_ASSIGN(const auto handle, session_->open_existing(path, "r"));
  const OpenGuestFile file(*session_, handle);
  auto bytes = session_->read_to_end(handle, limit).while_doing(fmt::format("reading '{}' in '{}'", path, machine()));
  if (bytes) session_->remember(path, *bytes);
  return bytes;
}

Result<std::string> GuestAgent::read_tail(const std::string& path, std::size_t limit) {
  const auto action = fmt::format("reading the end of '{}' in '{}'", path, machine());
  PATCHLAB_ASSIGN(const auto handle, session_->open_existing(path, "r"));
  const OpenGuestFile file(*session_, handle);
  PATCHLAB_ASSIGN(const auto size, session_->seek(handle, 0, 2).while_doing(action));
  const auto wanted = static_cast<std::int64_t>(limit);
  PATCHLAB_TRY(session_->seek(handle, std::max<std::int64_t>(0, size - wanted), 0).while_doing(action));
  // A file that grows meanwhile may yield a little more.
  PATCHLAB_ASSIGN(auto bytes, session_->read_to_end(handle, limit + agent_block_size).while_doing(action));
  if (bytes.size() > limit) bytes.erase(0, bytes.size() - limit);
  session_->remember(path, bytes);
  return bytes;
}

Result<bool> GuestAgent::exists(const std::string& path) {
  PATCHLAB_ASSIGN(const auto handle, session_->open(path, "r"));
  const OpenGuestFile file(*session_, handle.value_or(-1));
  return handle.has_value();
}

Result<void> GuestAgent::write_file(const std::string& path, const std::string& bytes) {
  PATCHLAB_ASSIGN(const auto handle, session_->open_existing(path, "w"));
  const OpenGuestFile file(*session_, handle);
  return session_->write_all(handle, bytes).while_doing(fmt::format("writing '{}' in '{}'", path, machine()));
}

Result<void> GuestAgent::set_time_to_host(Milliseconds later) {
  const auto action = fmt::format("setting the clock of '{}'", machine());
  const auto since_epoch = session_->clock().wall().time_since_epoch() + later;
  const auto milliseconds = std::chrono::duration_cast<Milliseconds>(since_epoch).count();
  // guest-set-time also writes the hardware clock, which takes hwclock up to 2 s; under QEMU that clock follows the
  // host anyway. So `date` first; guests without one (Windows) refuse to start it.
  const auto set = run("date", {"-u", "-s", fmt::format("@{}.{:03}", milliseconds / 1000, milliseconds % 1000)}, 20s);
  if (set && set->exit_code == 0) return {};
  if (!set && set.error().error_class != ErrorClass::guest) return Error{set.error()}.while_doing(action);
  const auto nanoseconds =
      std::chrono::duration_cast<std::chrono::nanoseconds>(session_->clock().wall().time_since_epoch() + later).count();
  auto reply = session_->ask_for_value("guest-set-time", {{"time", nanoseconds}}, agent_command_limit);
  if (!reply) return std::move(reply).error().while_doing(action);
  return {};
}

Result<void> GuestAgent::request_power(const std::string& mode) {
  const auto reply = session_->ask("guest-shutdown", {{"mode", mode}}, 1s);
  // Success has no answer: the command times out, or the channel goes away under it. Only a refusal says something;
  // whether the guest went down is for the caller to prove.
  if (reply && reply->refused())
    return guest_error(fmt::format("'{}' refused guest-shutdown: {}", machine(), reply->refusal));
  return {};
}

}  // namespace patchlab::lab::guest

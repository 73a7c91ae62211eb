// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <atomic>
#include <mutex>

#include "lab/guest/adapter.hpp"
#include "lab/guest/base64.hpp"

namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;

// A single command answers within milliseconds; under emulation, with the host's processors busy, within seconds.
constexpr Milliseconds command_limit = 10s;
constexpr Milliseconds first_interval = 20ms;
constexpr Milliseconds longest_interval = 250ms;
// Replies above some megabytes are lost by libvirt or wedge the channel for good (domain.md 3.10), base64 adds a third.
constexpr std::size_t block_size = 256U << 10U;
constexpr std::size_t reply_limit = 4U << 20U;
constexpr std::size_t job_output_limit = 256U << 10U;
constexpr std::size_t quoted_length = 80;

// For messages: one line, not too long.
std::string shortened(std::string_view text, std::size_t limit = quoted_length) {
  std::string line;
  for (const char c : text.substr(0, limit)) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  if (text.size() > limit) line += "...";
  return to_valid_utf8(line);
}

std::string command_line(const std::string& program, const std::vector<std::string>& arguments) {
  std::string line = program;
  for (const auto& argument : arguments) line += ' ' + argument;
  return shortened(line);
}

double in_seconds(Milliseconds duration) { return std::chrono::duration<double>(duration).count(); }

std::optional<std::int64_t> integer_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

bool flag_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

// Polling that starts eager (most commands take some 100 ms) and relaxes: every question costs the guest processor time.
class Pace {
 public:
  Pace(Clock& clock, Milliseconds deadline) : clock_(clock), start_(clock.now()), deadline_(deadline) {}
  [[nodiscard]] Milliseconds left() const { return std::max(Milliseconds{0}, deadline_ - (clock_.now() - start_)); }
  [[nodiscard]] bool is_over() const { return left() == Milliseconds{0}; }
  [[nodiscard]] Milliseconds limit() const { return std::clamp(left(), Milliseconds{1s}, command_limit); }
  void pause() {
    clock_.pause(std::min(interval_, left()));
    interval_ = std::min(interval_ * 3 / 2, longest_interval);
  }

 private:
  Clock& clock_;
  Milliseconds start_;
  Milliseconds deadline_;
  Milliseconds interval_ = first_interval;
};

// What an agent says to one command: its "return" value, or that it refuses. Everything else (no answer, garbage) is an Error.
struct Reply {
  Json value;
  std::string refusal;  // empty: accepted
  [[nodiscard]] bool refused() const { return !refusal.empty(); }
  [[nodiscard]] bool says_missing() const {
    return refusal.find("No such file") != std::string::npos || refusal.find("cannot find the") != std::string::npos;
  }
};

Result<Reply> parse_reply(const std::string& text) {
  if (text.size() > reply_limit) {
    return guest_error(fmt::format("the answer has {} bytes, more than the {} allowed", text.size(), reply_limit));
  }
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return guest_error(fmt::format("the answer is not a JSON object: '{}'", shortened(text)));
  if (const auto error = json.find("error"); error != json.end()) {
    const auto description = error->is_object() ? error->find("desc") : error->end();
    const bool said = error->is_object() && description != error->end() && description->is_string();
    return Reply{Json{}, said ? shortened(description->get<std::string>(), 300) : "no reason given"};
  }
  if (!json.contains("return")) return guest_error(fmt::format("the answer has no 'return': '{}'", shortened(text)));
  return Reply{json["return"], {}};
}

std::string decoded(const Json& object, const char* key, bool& valid) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  auto bytes = found->is_string() ? from_base64(found->get_ref<const std::string&>()) : std::nullopt;
  valid = valid && bytes.has_value();
  return bytes.value_or(std::string{});
}

// One word for a shell, whatever is in it.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') word += "'\\''";
    else word += c;
  }
  return word + "'";
}

// The braces make the shell read the whole script before it runs the first command, so that no command can eat the rest of it.
std::string as_standard_input(const std::string& script) { return "{\n" + script + "\n} </dev/null\n"; }

// After `folder=` and `job=` lines. The job leaves the agent's session and pipes, and under systemd its control group, so that it
// survives a restart of the agent that it may cause itself.
constexpr const char* launch_script = R"(umask 077; rm -rf "$folder"; mkdir -p "$folder" || exit 90
body='cd "$1" || exit 90; (eval "$2") >out 2>&1 </dev/null; echo $? >code.new; mv code.new code'
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  exec systemd-run --quiet --collect --no-block sh -c "$body" job "$folder" "$job"
fi
setsid sh -c "$body" job "$folder" "$job" >/dev/null 2>&1 </dev/null &
)";
}  // namespace

struct GuestAgent::State {
  Hypervisor& hypervisor;
  std::string machine;
  Clock& clock;
  std::mutex one_command;
  std::atomic<unsigned> jobs{0};

  Result<Reply> ask(const char* command, Json arguments, Milliseconds limit) {
    Json request = {{"execute", command}};
    if (!arguments.empty()) request["arguments"] = std::move(arguments);
    const std::lock_guard lock(one_command);
    auto text = hypervisor.agent_command(machine, request.dump(-1, ' ', false, Json::error_handler_t::replace), limit);
    auto reply = text ? parse_reply(text.value()) : Result<Reply>(std::move(text).error());
    return std::move(reply).while_doing(fmt::format("guest agent of '{}', {}", machine, command));
  }

  // For commands whose refusal is simply an error.
  Result<Json> ask_for_value(const char* command, Json arguments, Milliseconds limit) {
    PATCHLAB_ASSIGN(auto reply, ask(command, std::move(arguments), limit));
    if (reply.refused()) return guest_error(fmt::format("guest agent of '{}' refused {}: {}", machine, command, reply.refusal));
    return std::move(reply.value);
  }

  Result<std::int64_t> execute(const Json& arguments, Milliseconds limit) {
    PATCHLAB_ASSIGN(const auto value, ask_for_value("guest-exec", arguments, limit));
    const auto pid = value.is_object() ? integer_in(value, "pid") : std::nullopt;
    if (!pid) return guest_error(fmt::format("guest agent of '{}', guest-exec: no process id in the answer", machine));
    return *pid;
  }

  static Json shell_with(const std::string& script, const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"-s", "--"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return {{"path", "/bin/sh"}, {"arg", all}, {"input-data", base64(as_standard_input(script))}, {"capture-output", true}};
  }

  Result<GuestProcess> process_from(const Json& status) {
    GuestProcess process;
    // Windows: a crash code or HRESULT of 0xC0000000 and above arrives as `signal`, one of 0x8....... as a negative exit code.
    if (const auto signal = integer_in(status, "signal")) {
      process.exit_code = static_cast<std::uint32_t>(*signal);
      process.signalled = process.exit_code < 0xC0000000U;
    } else {
      process.exit_code = static_cast<std::uint32_t>(integer_in(status, "exitcode").value_or(0));
    }
    if (flag_in(status, "out-truncated") || flag_in(status, "err-truncated")) {
      return guest_error(fmt::format("guest agent of '{}' cut the output of the command off", machine));
    }
    bool valid = true;
    process.output = decoded(status, "out-data", valid);
    process.errors = decoded(status, "err-data", valid);
    if (!valid) return guest_error(fmt::format("guest agent of '{}', guest-exec-status: the output is not base64", machine));
    return process;
  }

  // Waits for a process of the agent. An agent that does not answer, or answers nonsense, is asked again until the deadline.
  Result<GuestProcess> wait_for(std::int64_t pid, const std::string& command, Pace& pace, const std::stop_token& stop) {
    std::string trouble;
    for (;;) {
      pace.pause();
      if (stop.stop_requested()) {
        return Error{ErrorClass::cancelled, fmt::format("cancelled while '{}' ran in '{}'", command, machine), {}};
      }
      auto reply = ask("guest-exec-status", {{"pid", pid}}, pace.limit());
      if (reply && reply->refused()) {
        // The agent forgets a process once it has told its end: that reply was lost, or the agent itself was restarted.
        return guest_error(fmt::format("the end of '{}' in '{}' was lost: {}{}", command, machine, reply->refusal,
                                       trouble.empty() ? "" : " (before: " + trouble + ")"));
      }
      if (reply && reply->value.is_object() && flag_in(reply->value, "exited")) return process_from(reply->value);
      if (!reply) trouble = reply.error().message;
      if (pace.is_over()) {
        return timeout_error(fmt::format("'{}' in '{}' did not end in time; it may still be running there{}", command, machine,
                                         trouble.empty() ? "" : " (last trouble: " + trouble + ")"));
      }
    }
  }

  // A file opened by the agent. Handles leak in the agent until it restarts, so they are closed on every path.
  struct OpenFile {
    State& agent;
    std::int64_t handle;
    OpenFile(State& state, std::int64_t number) : agent(state), handle(number) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
      if (handle >= 0) (void)agent.ask("guest-file-close", {{"handle", handle}}, command_limit);
    }
  };

  // Nothing when the file does not exist.
  Result<std::optional<std::int64_t>> open(const std::string& path, const char* mode) {
    auto reply = ask("guest-file-open", {{"path", path}, {"mode", mode}}, command_limit);
    if (!reply) return std::move(reply).error().while_doing(fmt::format("opening '{}'", path));
    if (reply->says_missing()) return std::optional<std::int64_t>{};
    if (reply->refused()) return guest_error(fmt::format("cannot open '{}' in '{}': {}", path, machine, reply->refusal));
    if (!reply->value.is_number_integer()) {
      return guest_error(fmt::format("opening '{}' in '{}': the agent gave no handle", path, machine));
    }
    return std::optional<std::int64_t>{reply->value.get<std::int64_t>()};
  }

  Result<std::int64_t> open_existing(const std::string& path, const char* mode) {
    PATCHLAB_ASSIGN(const auto handle, open(path, mode));
    if (!handle) return guest_error(fmt::format("no file '{}' in '{}'", path, machine));
    return *handle;
  }

  Result<std::string> read_to_end(std::int64_t handle, std::size_t limit) {
    std::string bytes;
    for (;;) {
      PATCHLAB_ASSIGN(const auto value, ask_for_value("guest-file-read", {{"handle", handle}, {"count", block_size}}, command_limit));
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

  // guest-file-seek understands 0, 1, 2 as set, current, end and answers the new position.
  Result<std::int64_t> seek(std::int64_t handle, std::int64_t offset, int whence) {
    PATCHLAB_ASSIGN(const auto value,
                    ask_for_value("guest-file-seek", {{"handle", handle}, {"offset", offset}, {"whence", whence}}, command_limit));
    const auto position = value.is_object() ? integer_in(value, "position") : std::nullopt;
    if (!position) return guest_error("the agent's answer holds no position");
    return *position;
  }

  Result<void> write_all(std::int64_t handle, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto block = bytes.substr(0, block_size);
      PATCHLAB_ASSIGN(const auto value,
                      ask_for_value("guest-file-write", {{"handle", handle}, {"buf-b64", base64(block)}}, command_limit));
      const auto count = value.is_object() ? integer_in(value, "count").value_or(0) : 0;
      if (count <= 0 || static_cast<std::size_t>(count) > block.size()) return guest_error("the agent wrote nothing");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    PATCHLAB_TRY(ask_for_value("guest-file-flush", {{"handle", handle}}, command_limit));
    return {};
  }
};

GuestAgent::GuestAgent(Hypervisor& hypervisor, std::string machine, Clock& clock)
    : state_(new State{hypervisor, std::move(machine), clock, {}, {}}) {}

const std::string& GuestAgent::machine() const { return state_->machine; }

bool GuestAgent::answers(Milliseconds limit) {
  const auto reply = state_->ask("guest-ping", Json::object(), limit);
  return reply.has_value() && !reply->refused();
}

Result<GuestProcess> GuestAgent::run(const std::string& program, const std::vector<std::string>& arguments, Milliseconds deadline,
                                     std::stop_token stop) {
  const auto command = command_line(program, arguments);
  Pace pace(state_->clock, deadline);
  auto pid = state_->execute({{"path", program}, {"arg", arguments}, {"capture-output", true}}, pace.limit());
  if (!pid) return std::move(pid).error().while_doing(fmt::format("running '{}'", command));
  return state_->wait_for(pid.value(), command, pace, stop);
}

Result<GuestProcess> GuestAgent::run_script(const std::string& script, const std::vector<std::string>& arguments, Milliseconds deadline,
                                            std::stop_token stop) {
  Pace pace(state_->clock, deadline);
  PATCHLAB_ASSIGN(const auto pid, state_->execute(State::shell_with(script, arguments), pace.limit()));
  return state_->wait_for(pid, "the script", pace, stop);
}

Result<void> GuestAgent::start(const std::string& program, const std::vector<std::string>& arguments) {
  auto pid = state_->execute({{"path", program}, {"arg", arguments}, {"capture-output", false}}, command_limit);
  if (!pid) return std::move(pid).error().while_doing(fmt::format("starting '{}'", command_line(program, arguments)));
  return {};
}

namespace {
// One detached job as it is seen from outside: by its files.
class Job {
 public:
  Job(GuestAgent& agent, std::string folder) : agent_(agent), folder_(std::move(folder)) {}

  // Nothing while it runs.
  Result<std::optional<std::uint32_t>> exit_code() {
    PATCHLAB_ASSIGN(const bool ended, agent_.exists(folder_ + "/code"));
    if (ended) {
      PATCHLAB_ASSIGN(const auto text, agent_.read_file(folder_ + "/code", 64));
      const auto end = text.find_first_not_of("0123456789");
      if (end == 0 || end != text.size() - 1) return guest_error(fmt::format("exit code '{}' of a job in '{}' is no number", shortened(text), agent_.machine()));
      return std::optional{static_cast<std::uint32_t>(std::stoul(text.substr(0, std::min<std::size_t>(end, 9))))};
    }
    return std::optional<std::uint32_t>{};
  }

  // The folder lives on a file system in memory: once seen and then gone means that the guest restarted under the job.
  Result<bool> has_vanished() {
    PATCHLAB_ASSIGN(const bool there, agent_.exists(folder_ + "/out"));
    const bool vanished = seen_ && !there;
    seen_ = seen_ || there;
    return vanished;
  }

  Result<std::string> output() { return agent_.read_tail(folder_ + "/out", job_output_limit); }

 private:
  GuestAgent& agent_;
  std::string folder_;
  bool seen_ = false;
};

std::string last_printed(Job& job) {
  const auto output = job.output();
  if (!output) return "its output could not be read: " + output.error().message;
  if (output->empty()) return "it printed nothing";
  constexpr std::size_t quoted = 300;
  const auto tail = output->size() > quoted ? output->substr(output->size() - quoted) : *output;
  return fmt::format("last printed: '{}'", shortened(tail, quoted));
}
}  // namespace

Result<GuestProcess> GuestAgent::run_detached(const std::string& shell_command, Milliseconds deadline, std::stop_token stop) {
  const auto command = shortened(shell_command);
  // The name must be new in this guest even when the laboratory's process is: its clock joins the counter.
  const auto stamp = std::chrono::duration_cast<Milliseconds>(state_->clock.wall().time_since_epoch()).count();
  const auto folder = fmt::format("/run/patchlab/job-{}-{}", stamp, state_->jobs++);
  Pace pace(state_->clock, deadline);
  const auto launch = fmt::format("folder={}\njob={}\n{}", quoted(folder), quoted(shell_command), launch_script);
  const auto pid = state_->execute(State::shell_with(launch, {}), pace.limit());
  if (!pid) return Error{pid.error()}.while_doing(fmt::format("starting '{}'", command));

  Job job(*this, folder);
  // The launcher ends at once. Its result may be lost without harm; only a clear refusal is the end.
  Pace launch_pace(state_->clock, pace.limit());
  const auto launched = state_->wait_for(pid.value(), "launch " + command, launch_pace, stop);
  if (launched && launched->exit_code != 0) {
    return guest_error(fmt::format("'{}' could not be started in '{}': {}", command, machine(), shortened(launched->errors, 200)));
  }
  if (!launched && launched.error().error_class == ErrorClass::cancelled) return launched.error();

  constexpr Milliseconds look_for_restart_every = 2s;
  auto next_look = state_->clock.now();
  std::string trouble;
  for (;;) {
    auto code = job.exit_code();
    if (code && *code) {
      PATCHLAB_ASSIGN(auto output, job.output());
      return GuestProcess{**code, false, std::move(output), {}};
    }
    trouble = code ? std::string{} : code.error().message;
    if (code && state_->clock.now() >= next_look) {
      next_look = state_->clock.now() + look_for_restart_every;
      const auto vanished = job.has_vanished();
      if (vanished && *vanished) return guest_error(fmt::format("'{}' restarted while '{}' ran", machine(), command));
    }
    if (stop.stop_requested()) {
      return Error{ErrorClass::cancelled, fmt::format("cancelled while '{}' ran in '{}'", command, machine()), {}};
    }
    if (pace.is_over()) {
      return timeout_error(fmt::format("'{}' in '{}' did not end within {:.1f} s; {}", command, machine(), in_seconds(deadline),
                                       trouble.empty() ? last_printed(job) : "last trouble: " + trouble));
    }
    pace.pause();
  }
}

Result<std::string> GuestAgent::read_file(const std::string& path, std::size_t limit) {
  PATCHLAB_ASSIGN(const auto handle, state_->open_existing(path, "r"));
  const State::OpenFile file(*state_, handle);
  return state_->read_to_end(handle, limit).while_doing(fmt::format("reading '{}' in '{}'", path, machine()));
}

Result<std::string> GuestAgent::read_tail(const std::string& path, std::size_t limit) {
  const auto action = fmt::format("reading the end of '{}' in '{}'", path, machine());
  PATCHLAB_ASSIGN(const auto handle, state_->open_existing(path, "r"));
  const State::OpenFile file(*state_, handle);
  PATCHLAB_ASSIGN(const auto size, state_->seek(handle, 0, 2).while_doing(action));
  const auto wanted = static_cast<std::int64_t>(limit);
  PATCHLAB_TRY(state_->seek(handle, std::max<std::int64_t>(0, size - wanted), 0).while_doing(action));
  // A file that grows meanwhile may yield a little more.
  PATCHLAB_ASSIGN(auto bytes, state_->read_to_end(handle, limit + block_size).while_doing(action));
  if (bytes.size() > limit) bytes.erase(0, bytes.size() - limit);
  return bytes;
}

Result<bool> GuestAgent::exists(const std::string& path) {
  PATCHLAB_ASSIGN(const auto handle, state_->open(path, "r"));
  const State::OpenFile file(*state_, handle.value_or(-1));
  return handle.has_value();
}

Result<void> GuestAgent::write_file(const std::string& path, const std::string& bytes) {
  PATCHLAB_ASSIGN(const auto handle, state_->open_existing(path, "w"));
  const State::OpenFile file(*state_, handle);
  return state_->write_all(handle, bytes).while_doing(fmt::format("writing '{}' in '{}'", path, machine()));
}

Result<void> GuestAgent::set_time_to_host() {
  const auto action = fmt::format("setting the clock of '{}'", machine());
  const auto since_epoch = state_->clock.wall().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<Milliseconds>(since_epoch).count();
  // guest-set-time also writes the hardware clock, which takes hwclock up to 2 s; under QEMU that clock follows the host anyway.
  // So `date` first; guests without one (Windows) refuse to start it.
  const auto set = run("date", {"-u", "-s", fmt::format("@{}.{:03}", milliseconds / 1000, milliseconds % 1000)}, 20s);
  if (set && set->exit_code == 0) return {};
  if (!set && set.error().error_class != ErrorClass::guest) return Error{set.error()}.while_doing(action);
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(state_->clock.wall().time_since_epoch()).count();
  auto reply = state_->ask_for_value("guest-set-time", {{"time", nanoseconds}}, command_limit);
  if (!reply) return std::move(reply).error().while_doing(action);
  return {};
}

Result<void> GuestAgent::request_power(const std::string& mode) {
  const auto reply = state_->ask("guest-shutdown", {{"mode", mode}}, 1s);
  // Success has no answer: the command times out, or the channel goes away under it. Only a refusal says something; whether the
  // guest went down is for the caller to prove.
  if (reply && reply->refused()) return guest_error(fmt::format("'{}' refused guest-shutdown: {}", machine(), reply->refusal));
  return {};
}

}  // namespace patchlab::lab::guest

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/recorder.hpp"

#include <fmt/format.h>

#include "lab/guest/windows/job.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr Milliseconds answer_limit = std::chrono::seconds(30);

class Recorder {
 public:
  Recorder(GuestAgent agent, Clock& clock, const RecordLimits& limits, std::stop_token stop)
      : agent_(agent),
        clock_(clock),
        limits_(limits),
        stop_(std::move(stop)),
        // Each command is a job of its own, so that one that hangs costs only itself. Whether the guest restarted
        // meanwhile, the boot event tells, which is asked for as well.
        jobs_(agent, clock, [] { return Result<std::string>(std::string()); }) {}

  Result<Reply> ask(const Asked& asked) {
    const auto known = windows::command_in(asked.by, asked.line);
    if (!known || !windows::is_only_asking(*known))
      return Error{ErrorClass::bug, fmt::format("a recording may not send '{}'", asked.line), {}};
    const auto start = clock_.now();
    auto reply = asked.by == "agent" ? of_agent(asked) : asked.by == "exec" ? of_program(asked) : of_job(asked);
    if (stop_.stop_requested()) return Error{ErrorClass::cancelled, "recording was cancelled", {}};
    if (!reply) {
      if (!agent_.answers(answer_limit))
        return std::move(reply).error().while_doing(fmt::format(
            "asking '{}', after which the guest agent of '{}' gave no answer", asked.line, agent_.machine()));
      return Reply{asked.id, asked.by, asked.line, 0, Milliseconds(0), {}, {}, {}, reply.error().message};
    }
    reply->id = asked.id;
    reply->by = asked.by;
    reply->line = asked.line;
    reply->took = clock_.now() - start;
    return reply;
  }

 private:
  Result<Reply> of_agent(const Asked& asked) {
    PATCHLAB_ASSIGN(const auto value, agent_.ask(asked.line.c_str()));
    Reply reply;
    reply.output = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return reply;
  }

  Result<Reply> of_program(const Asked& asked) {
    const auto line = windows::program_line_of(asked.command);
    PATCHLAB_ASSIGN(auto process, agent_.run(line.program, line.arguments, limits_.program, stop_));
    Reply reply;
    reply.exit_code = process.exit_code;
    reply.output = std::move(process.output);
    reply.errors = std::move(process.errors);
    return reply;
  }

  Result<Reply> of_job(const Asked& asked) {
    PATCHLAB_ASSIGN(auto result, jobs_.run({asked.line}, asked.id,
                                           {.deadline = limits_.job, .output = limits_.bytes, .raw = true}, stop_));
    Reply reply;
    reply.exit_code = result.exit_code;
    reply.output = std::move(result.output);
    if (!asked.saves.empty() && result.exit_code == 0) {
      PATCHLAB_ASSIGN(reply.file, asked.only_tail ? agent_.read_tail(asked.saves, limits_.log_tail)
                                                  : agent_.read_file(asked.saves, limits_.bytes));
    }
    return reply;
  }

  GuestAgent agent_;
  Clock& clock_;
  const RecordLimits& limits_;
  std::stop_token stop_;
  windows::JobRunner jobs_;
};

}  // namespace

Result<std::vector<Reply>> ask_all(GuestAgent agent, Clock& clock, const std::vector<Asked>& questions,
                                   const RecordLimits& limits, const std::stop_token& stop, const Told& told) {
  Recorder recorder(std::move(agent), clock, limits, stop);
  std::vector<Reply> replies;
  for (const auto& asked : questions) {
    if (told) told(asked, replies.size() + 1, questions.size());
    PATCHLAB_ASSIGN(auto reply, recorder.ask(asked));
    replies.push_back(std::move(reply));
  }
  return replies;
}

}  // namespace patchlab::lab::guest::recording

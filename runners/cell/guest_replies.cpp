// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/guest_replies.hpp"

#include <fmt/format.h>

#include "lab/guest/reboot.hpp"
#include "lab/guest/recording/recorder.hpp"
#include "lab/guest/windows/replies.hpp"

namespace patchlab::runners::cell {
namespace {
namespace recording = lab::guest::recording;
namespace windows = lab::guest::windows;

// Before anything of Windows is asked: a guest of another kind would not answer that until the deadline.
Result<void> prove_windows(Guest& guest) {
  const auto& context = guest.context;
  const auto step = guest.begin_step("record", "boot", "the guest agent to answer");
  const Wait wait{.awaited = fmt::format("the guest agent of '{}'", guest.name()),
                  .deadline = context.job.policy.boot_timeout,
                  .interval = Milliseconds(500),
                  .last_seen = {},
                  .stop = context.stop};
  PATCHLAB_TRY(wait_until(context.clock, wait, [&] { return guest.agent.answers(std::chrono::seconds(5)); }));
  PATCHLAB_ASSIGN(const auto system, guest.agent.ask(windows::line_of(windows::Command::os_info).c_str()));
  if (const auto proven = windows::proves_windows(system); !proven)
    return configuration_error(fmt::format("this is no Windows machine: {}", proven.error().message),
                               "only Windows machines are recorded: what Debian says, the lab can ask any image");
  return {};
}

}  // namespace

void to_json(Json& json, const GuestReplies& replies) {
  json = {{"replies", replies.replies}, {"only_names", replies.only_names}};
}

GuestReplies guest_replies_from_json(const Json& json) {
  GuestReplies replies;
  for (const auto& reply : json.at("replies")) replies.replies.push_back(recording::reply_from_json(reply));
  for (const auto& reply : json.at("only_names")) replies.only_names.push_back(recording::reply_from_json(reply));
  return replies;
}

Result<GuestReplies> replies_of(Guest& guest) {
  PATCHLAB_TRY(prove_windows(guest));
  auto& context = guest.context;
  std::string boot;
  {
    const auto step = guest.begin_step("record", "boot", "the guest's start-up to finish");
    PATCHLAB_ASSIGN(
        boot, lab::guest::await_boot(*guest.adapter, guest.agent, context.clock, {}, context.job.policy.boot_timeout,
                                     context.stop, guest.adapter->restart_habits().by_itself));
  }
  const auto step = guest.begin_step("record", "ask", "every command that only asks");
  const recording::RecordLimits limits;
  GuestReplies all;
  // First, so that no recording is made of a guest whose names were not asked for.
  PATCHLAB_ASSIGN(all.only_names,
                  recording::ask_all(guest.agent, context.clock, recording::name_questions(), limits, context.stop));
  PATCHLAB_ASSIGN(
      all.replies,
      recording::ask_all(
          guest.agent, context.clock, recording::recorded_questions(), limits, context.stop,
          [&](const auto& asked, std::size_t number, std::size_t of) {
            context.events({{"event", "note"}, {"text", fmt::format("asking {} of {}: {}", number, of, asked.id)}});
          }));
  const auto now = guest.adapter->boot_id();
  if (now && *now != boot) return guest_error("the guest restarted while it was asked", "record it again");
  return all;
}

}  // namespace patchlab::runners::cell

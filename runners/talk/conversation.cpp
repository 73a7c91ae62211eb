// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/talk/conversation.hpp"

#include <fmt/format.h>

#include <csignal>

namespace patchlab::runners::talk {
namespace {

constexpr std::chrono::seconds end_is_told_within{40};

}  // namespace

Conversation::Conversation(ChildProcess child, Partner partner, OnEvent on_event)
    : child_(std::move(child)), partner_(std::move(partner)), on_event_(std::move(on_event)) {
  reader_ = std::jthread([this] { read(); });
}

Conversation::~Conversation() { (void)end(Milliseconds(0)); }

bool Conversation::end(Milliseconds patience) {
  const std::lock_guard ending(end_mutex_);
  if (!reader_.joinable()) return true;
  asked_to_end_ = true;
  child_.close_input();
  const bool in_time = !std::holds_alternative<TimedOut>(child_.wait(patience).end);
  if (!in_time) {
    child_.send_signal(SIGKILL);
    (void)child_.wait(std::chrono::seconds(10));
  }
  reader_.join();
  return in_time;
}

Error Conversation::is_gone(const std::string& why) const {
  return infrastructure_error(fmt::format("{} is gone: {}", partner_.name, why), partner_.when_gone);
}

Error Conversation::how_it_ended(const std::string& why) {
  if (!partner_.what_happened || asked_to_end_) return is_gone(why);
  const auto what = partner_.what_happened(child_.wait(std::chrono::seconds(10)));
  auto error = is_gone(what.message);
  error.hint = what.hint.empty() ? partner_.when_gone : fmt::format("{}; {}", what.hint, partner_.when_gone);
  return error;
}

Result<Json> Conversation::call(Json request, Milliseconds limit) {
  std::unique_lock lock(mutex_);
  const auto id = ++last_id_;
  request["id"] = id;
  if (gone_) return *gone_;
  lock.unlock();
  auto sent = child_.write_line(request.dump(-1, ' ', false, Json::error_handler_t::replace), limit);
  lock.lock();
  if (!sent) {
    // Whoever reads will soon say more of its end than that it does not listen.
    if (partner_.what_happened) answered_.wait_for(lock, end_is_told_within, [&] { return gone_.has_value(); });
    return gone_ ? *gone_ : is_gone(sent.error().message);
  }
  answered_.wait(lock, [&] { return gone_ || answers_.contains(id); });
  const auto found = answers_.find(id);
  if (found == answers_.end()) return *gone_;
  auto answer = std::move(found->second);
  answers_.erase(found);
  return answer;
}

void Conversation::tell(const Json& message) {
  static_cast<void>(child_.write_line(message.dump(), std::chrono::seconds(10)));
}

void Conversation::read() {
  std::optional<Error> end;
  try {
    for (;;) {
      auto line = child_.read_line(std::chrono::hours(24));
      if (!line) end = is_gone(line.error().message);
      if (!line || !*line) break;
      take(json_in(**line));
    }
  } catch (const Json::exception& trouble) {
    // It may be on another host, and it has read what guests say: what it sends must not end the run.
    end = is_gone(fmt::format("it sends what cannot be understood: {}", trouble.what()));
  }
  if (!end) end = how_it_ended("its process ended");
  const std::lock_guard lock(mutex_);
  gone_ = std::move(end);
  answered_.notify_all();
}

void Conversation::take(const Json& message) {
  if (!message.is_object()) return;  // a library that prints to stdout
  if (message.contains("event")) return on_event_(message);
  // An error without words is none: it ends the conversation, as all that is not understood does.
  if (message.contains("error")) (void)message["error"].at("message").get_ref<const std::string&>();
  Result<Json> answer = message.contains("error") ? Result<Json>(error_from_json(message["error"]))
                                                  : Result<Json>(message.value("result", Json()));
  const std::lock_guard lock(mutex_);
  answers_.insert_or_assign(message.at("id").get<int>(), std::move(answer));
  answered_.notify_all();
}

}  // namespace patchlab::runners::talk

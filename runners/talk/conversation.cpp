// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/talk/conversation.hpp"

#include <fmt/format.h>

#include <csignal>

namespace patchlab::runners::talk {

Conversation::Conversation(ChildProcess child, Partner partner, OnEvent on_event)
    : child_(std::move(child)), partner_(std::move(partner)), on_event_(std::move(on_event)) {
  reader_ = std::jthread([this] { read(); });
}

Conversation::~Conversation() { (void)end(Milliseconds(0)); }

bool Conversation::end(Milliseconds patience) {
  const std::lock_guard ending(end_mutex_);
  if (!reader_.joinable()) return true;
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

Result<Json> Conversation::call(Json request, Milliseconds limit) {
  std::unique_lock lock(mutex_);
  const auto id = ++last_id_;
  request["id"] = id;
  if (gone_) return *gone_;
  lock.unlock();
  if (auto sent = child_.write_line(request.dump(-1, ' ', false, Json::error_handler_t::replace), limit); !sent)
    return is_gone(sent.error().message);
  lock.lock();
  answered_.wait(lock, [&] { return gone_ || answers_.contains(id); });
  const auto found = answers_.find(id);
  if (found == answers_.end()) return *gone_;
  auto answer = std::move(found->second);
  answers_.erase(found);
  return answer;
}

void Conversation::read() {
  std::string why = "its process ended";
  try {
    for (;;) {
      auto line = child_.read_line(std::chrono::hours(24));
      if (!line) why = line.error().message;
      if (!line || !*line) break;
      take(json_in(**line));
    }
  } catch (const Json::exception& trouble) {
    // It may be on another host, and it has read what guests say: what it sends must not end the run.
    why = fmt::format("it sends what cannot be understood: {}", trouble.what());
  }
  const std::lock_guard lock(mutex_);
  gone_ = is_gone(why);
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

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <functional>
#include <mutex>

#include "lab/core/json.hpp"
#include "lab/core/pipe.hpp"
#include "lab/core/redaction.hpp"

namespace patchlab::runners::talk {

// Lines to the parent, whole and in order, from any thread. Standard output is kept for this alone: libraries that
// print end up in the log.
class Reply {
 public:
  Reply() : output_(::dup(STDOUT_FILENO)) { ::dup2(STDERR_FILENO, STDOUT_FILENO); }
  // From now on no message holds them. To be called before another thread sends.
  void hide(Redactor secrets) { secrets_ = std::move(secrets); }
  // Before each message, in the thread that sends it: one that must not be believed ends the process instead. To be
  // called before another thread sends.
  void look_first(std::function<void()> look) { look_ = std::move(look); }
  void send(Json message) {
    if (look_) look_();
    secrets_.apply(message);
    const auto line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex_);
    (void)write_all(output_.get(), line);  // when the parent is gone, the end of standard input ends us
  }

 private:
  FileDescriptor output_;
  Redactor secrets_;
  std::function<void()> look_;
  std::mutex mutex_;
};

}  // namespace patchlab::runners::talk

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "history/index/place.hpp"
#include "lab/web/for_us.hpp"
#include "process/page/facts.hpp"

namespace patchlab::process::page {

// What stands behind the page: shows what was looked at, asks the index for one page of it, and changes nothing. It has
// no authority, and remembers nothing between two requests.
//
// Each answer is made of one state of the facts. Not for several threads; whoever gives the facts may be another one.
class Answers {
 public:
  struct Question {
    lab::web::Origin origin;
    std::string sign_in_header;  // in lower case; empty: nobody signs in
    history::HistoryPlace index;
  };
  using Look = std::function<std::shared_ptr<const Facts>()>;
  Answers(Question question, Look look) : question_(std::move(question)), look_(std::move(look)) {}

  [[nodiscard]] lab::web::WebResponse answer(const lab::web::WebRequest& request) const;

 private:
  Question question_;
  Look look_;
};

}  // namespace patchlab::process::page

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

namespace patchlab::checks::mail {

// The exchange as evidence: one entry per stage, in order. Each has "stage" and "ms" and one of
//   "answer" ("250", "OK", "NO" ...; with "reply", the server's own text)
//   "trouble" ("timeout", "failed", or "lab" when it is not the server's; with "reply" saying what)
//   "missing" (what the server did not offer)
class StageLog {
 public:
  StageLog() : last_(std::chrono::steady_clock::now()) {}
  void answered(const std::string& stage, const std::string& answer, const std::string& reply);
  void troubled(const std::string& stage, const Error& error);
  void missing(const std::string& stage, const std::string& what);
  [[nodiscard]] const Json& entries() const { return entries_; }

 private:
  Json& add(const std::string& stage);
  Json entries_ = Json::array();
  std::chrono::steady_clock::time_point last_;
};

}  // namespace patchlab::checks::mail

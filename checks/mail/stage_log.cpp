// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/stage_log.hpp"

namespace patchlab::checks::mail {
namespace {
const char* trouble_word(ErrorClass error_class) {
  if (error_class == ErrorClass::timeout) return "timeout";
  return error_class == ErrorClass::guest ? "failed" : "lab";
}
}  // namespace

Json& StageLog::add(const std::string& stage) {
  const auto now = std::chrono::steady_clock::now();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_).count();
  last_ = now;
  return entries_.emplace_back(Json{{"stage", stage}, {"ms", took}});
}

void StageLog::answered(const std::string& stage, const std::string& answer, const std::string& reply) {
  auto& entry = add(stage);
  entry["answer"] = to_valid_utf8(answer);
  entry["reply"] = to_valid_utf8(reply);
}

void StageLog::troubled(const std::string& stage, const Error& error) {
  auto& entry = add(stage);
  entry["trouble"] = trouble_word(error.error_class);
  entry["reply"] = to_valid_utf8(error.message);
}

void StageLog::missing(const std::string& stage, const std::string& what) { add(stage)["missing"] = what; }

}  // namespace patchlab::checks::mail

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/judging.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "checks/socket.hpp"

namespace patchlab::checks::smb {
namespace {

// "known file alpha/budget.csv" -> "known-file": reasons are stable identifiers.
std::string reason_word(const std::string& step) {
  if (step.starts_with("known file ")) return "known-file";
  auto word = step;
  for (auto& c : word) {
    if (c == ' ') c = '-';
  }
  return word;
}

// How the library flattens ACCESS_DENIED, LOGON_FAILURE and MEDIA_WRITE_PROTECTED.
bool is_permission(int saved_errno) { return saved_errno == EACCES || saved_errno == EPERM || saved_errno == EROFS; }

}  // namespace

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

const Json* find_step(const Observation& observation, const std::string& step) {
  const auto steps = observation.find("steps");
  if (steps == observation.end()) return nullptr;
  for (const auto& entry : *steps) {
    if (entry.at("step") == step) return &entry;
  }
  return nullptr;
}

std::string describe_step(const Json& entry) {
  const auto step = entry.at("step").get<std::string>();
  if (!entry.contains("errno")) return step + ": no answer within the deadline";
  const int saved_errno = entry.at("errno").get<int>();
  return fmt::format("{}: {}", step, saved_errno == 0 ? "done" : entry.value("error", describe_errno(saved_errno)));
}

Trouble judge_success(const Observation& observation, const std::string& step) {
  const auto expected = step + ": done";
  const auto* entry = find_step(observation, step);
  if (entry == nullptr) return failed(reason_word(step) + "-not-reached", expected, step + ": not reached");
  if (!entry->contains("errno")) return failed("no-answer", expected, describe_step(*entry));
  const int saved_errno = entry->at("errno").get<int>();
  if (saved_errno == 0) return std::nullopt;
  const auto reason = step == "connect" ? reason_for_errno(saved_errno) : reason_word(step) + "-failed";
  return failed(reason, expected, describe_step(*entry));
}

Trouble judge_refusal(const Observation& observation, const std::string& step, const std::string& got_in) {
  const auto expected = step + ": refused for lack of permission";
  const auto* entry = find_step(observation, step);
  if (entry == nullptr) return failed(reason_word(step) + "-not-reached", expected, step + ": not reached");
  if (!entry->contains("errno")) return failed("no-answer", expected, describe_step(*entry));
  const int saved_errno = entry->at("errno").get<int>();
  if (saved_errno == 0) return failed(got_in, expected, describe_step(*entry));
  if (!is_permission(saved_errno)) return failed("refused-for-another-reason", expected, describe_step(*entry));
  return std::nullopt;
}

Trouble judge_known_files(const Observation& observation, const std::map<std::string, std::string>& files) {
  for (const auto& [path, digest] : files) {
    const auto step = "known file " + path;
    if (auto trouble = judge_success(observation, step)) return trouble;
    const auto seen = find_step(observation, step)->value("sha256", "");
    if (seen != digest)
      return failed("known-file-differs", fmt::format("{} with sha256 {}", path, digest), "sha256 " + seen);
  }
  return std::nullopt;
}

}  // namespace patchlab::checks::smb

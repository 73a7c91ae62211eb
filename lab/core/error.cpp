// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <system_error>

#include "lab/core/result.hpp"

namespace patchlab {
namespace {
struct ClassWord {
  ErrorClass error_class;
  const char* word;
};
constexpr std::array<ClassWord, 9> class_words{{{ErrorClass::infrastructure, "infrastructure"},
                                                {ErrorClass::configuration, "configuration"},
                                                {ErrorClass::guest, "guest"},
                                                {ErrorClass::check, "check"},
                                                {ErrorClass::bug, "bug"},
                                                {ErrorClass::cancelled, "cancelled"},
                                                {ErrorClass::timeout, "timeout"},
                                                {ErrorClass::silent, "silent"},
                                                {ErrorClass::usage, "usage"}}};
}  // namespace

Error Error::while_doing(const std::string& action) && {
  message = action + ": " + message;
  return std::move(*this);
}

const char* to_string(ErrorClass error_class) {
  for (const auto& entry : class_words) {
    if (entry.error_class == error_class) return entry.word;
  }
  return "bug";
}

std::optional<ErrorClass> error_class_from(const std::string& word) {
  for (const auto& entry : class_words) {
    if (word == entry.word) return entry.error_class;
  }
  return std::nullopt;
}

Error infrastructure_error(std::string message, std::string hint) {
  return {ErrorClass::infrastructure, std::move(message), std::move(hint)};
}
Error configuration_error(std::string message, std::string hint) {
  return {ErrorClass::configuration, std::move(message), std::move(hint)};
}
Error usage_error(std::string message, std::string hint) {
  return {ErrorClass::usage, std::move(message), std::move(hint)};
}
Error guest_error(std::string message, std::string hint) {
  return {ErrorClass::guest, std::move(message), std::move(hint)};
}
Error timeout_error(std::string message, std::string hint) {
  return {ErrorClass::timeout, std::move(message), std::move(hint)};
}
Error errno_error(const std::string& action, int saved_errno) {
  return infrastructure_error(action + ": " + std::generic_category().message(saved_errno));
}

}  // namespace patchlab

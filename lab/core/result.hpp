// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace patchlab {

// Whose problem an error is. The gate, the culprit search and the reports treat every kind as "the lab could not tell":
// an Error is never a verdict on a patch.
// silent: a guest that was expected to answer gave no answer at all. In one trial that says nothing yet; see
// runners/engine/silence.hpp.
// usage: what was typed cannot be done, whatever the files say. Ends with exit code 64, and is in no record: a run that
// was not asked for rightly has not begun.
enum class ErrorClass { infrastructure, configuration, guest, check, bug, cancelled, timeout, silent, usage };

// A failure as a value: what was attempted, on what, why it failed, and the next step for the reader.
// `message` starts in lower case, quotes the things it names, and ends without a full stop.
struct Error {
  ErrorClass error_class = ErrorClass::infrastructure;
  std::string message;
  std::string hint;  // optional next step; empty when there is none worth saying

  // Puts what the caller was doing in front: "reverting 'mail': <message>".
  [[nodiscard]] Error while_doing(const std::string& action) &&;
  bool operator==(const Error&) const = default;
};

[[nodiscard]] const char* to_string(ErrorClass error_class);
[[nodiscard]] std::optional<ErrorClass> error_class_from(const std::string& word);

[[nodiscard]] Error infrastructure_error(std::string message, std::string hint = {});
[[nodiscard]] Error configuration_error(std::string message, std::string hint = {});
[[nodiscard]] Error usage_error(std::string message, std::string hint = {});
[[nodiscard]] Error guest_error(std::string message, std::string hint = {});
[[nodiscard]] Error timeout_error(std::string message, std::string hint = {});
// "opening '/x': No such file or directory", from the errno of the call that just failed.
[[nodiscard]] Error errno_error(const std::string& action, int saved_errno);

// A value or an Error, shaped like std::expected (absent from g++ 12 in C++20). Dropping one is a compiler warning;
// asking for the half that is not there is a bug and throws std::bad_variant_access.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  // By value, so that looping over `f().value()` does not look into a Result that is gone.
  [[nodiscard]] T value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }
  [[nodiscard]] T value_or(T other) const { return has_value() ? value() : std::move(other); }

  [[nodiscard]] Result while_doing(const std::string& action) && {
    if (has_value()) return std::move(*this);
    return std::move(*this).error().while_doing(action);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  [[nodiscard]] const Error& error() const& { return *error_; }
  [[nodiscard]] Error&& error() && { return std::move(*error_); }
  [[nodiscard]] Result while_doing(const std::string& action) && {
    if (has_value()) return {};
    return std::move(*error_).while_doing(action);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace patchlab

// Returns the error of a Result<...> expression from the enclosing function (which itself returns a Result).
#define PATCHLAB_TRY(expression)                                                                                      \
  do {                                                                                                                \
    if (auto patchlab_try_result = (expression); !patchlab_try_result) return std::move(patchlab_try_result).error(); \
  } while (false)
// PATCHLAB_ASSIGN(auto x, f()): x = the value, or return the error.
#define PATCHLAB_CONCAT_INNER(a, b) a##b
#define PATCHLAB_CONCAT(a, b) PATCHLAB_CONCAT_INNER(a, b)
#define PATCHLAB_ASSIGN(declaration, expression) \
  PATCHLAB_ASSIGN_IMPL(PATCHLAB_CONCAT(patchlab_result_, __LINE__), declaration, expression)
#define PATCHLAB_ASSIGN_IMPL(temporary, declaration, expression) \
  auto temporary = (expression);                                 \
  if (!temporary) return std::move(temporary).error();           \
  declaration = std::move(temporary).value()

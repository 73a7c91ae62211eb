// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>

// Text that others chose (names of files, departments, packages, what a guest said) on its way to a reader: a terminal,
// a log, a spreadsheet. There it must not move the cursor, begin a line of its own, or turn the order of what stands
// around it.
namespace patchlab {

// One line of valid UTF-8 without any character that does more than show itself: control characters (C0, DEL, C1), line
// and paragraph separators, marks that are not seen or change the direction of writing. Those are written as escapes:
// "\n", "\x1b", "\u202e". Bytes that are no UTF-8 become U+FFFD. Whatever else there is stays as it is, backslashes
// too.
[[nodiscard]] std::string printable(std::string_view text);
// The same for each line of a text whose lines are meant.
[[nodiscard]] std::string printable_lines(std::string_view text);
// The same for a JSON text: such characters stand in its strings only, and become escapes there that mean the same.
[[nodiscard]] std::string printable_json(std::string_view json);
// For formats with a rule of their own for ASCII: only DEL and what is beyond is written out.
[[nodiscard]] std::string printable_beyond_ascii(std::string_view text);

// How an argument of printable_format comes out: text in one printable line, everything else as it is.
template <class T>
[[nodiscard]] auto shown(const T& value) {
  if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return printable(value.native());
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return printable(std::string_view(value));
  } else {
    return value;
  }
}
template <class T>
using Shown = decltype(shown(std::declval<const T&>()));

// fmt::format with every text among the arguments made printable; the format is ours, and so are its line breaks.
template <class... Args>
[[nodiscard]] std::string printable_format(fmt::format_string<Shown<Args>...> format, const Args&... args) {
  return fmt::format(format, shown(args)...);
}

// "a, b, c", printable.
template <class Texts>
[[nodiscard]] std::string listed(const Texts& texts, std::string_view separator = ", ") {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? std::string() : std::string(separator)) + printable(text);
  return list;
}

}  // namespace patchlab

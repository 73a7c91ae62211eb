// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/guest_files.hpp"
#include "lab/core/result.hpp"
#include "lab/core/time.hpp"

// How a Debian guest is looked at as a whole (GuestAdapter::view), and what it says read without opinion.
namespace patchlab::lab::guest::debian {

// $1: mark of sections, as of scripts::host_state. $2: "all", or "changes": without contents. $3...: packages of which
// `owned` is wanted. Prints the sections packed by gzip where the guest has that; above some size only "file <path>".
extern const char* const view_script;
// $1: mark. The paths follow as a here-document that ends with $1: digests, or texts.
[[nodiscard]] std::string digests_script(const std::vector<std::string>& paths, const std::string& mark);
[[nodiscard]] std::string texts_script(const std::vector<std::string>& paths, const std::string& mark);

// Unpacks what begins as gzip does (RFC 1952), and leaves everything else as it is. Refused above `limit` bytes.
[[nodiscard]] Result<std::string> unpacked(const std::string& bytes, std::size_t limit);

// What guest and host had for the time at one moment; the host's from before the question and after the answer.
struct HostTime {
  std::chrono::system_clock::time_point before;
  std::chrono::system_clock::time_point after;
};
enum class Wanted { all, changes };
[[nodiscard]] Result<GuestView> view(const std::map<std::string, std::string>& sections, const HostTime& host,
                                     Wanted wanted);

// "digest  path" lines of sha256sum(1), with its escapes.
[[nodiscard]] std::map<std::string, std::string> digests(const std::string& text);
// "path\0line" lines of grep -HZ.
[[nodiscard]] std::map<std::string, std::string> texts(const std::string& text);

}  // namespace patchlab::lab::guest::debian

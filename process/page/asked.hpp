// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "lab/web/for_us.hpp"

// What a request asks for. Pure, and strict: a request is anybody's bytes. Nothing that is asked for changes anything.
namespace patchlab::process::page {

struct AskedToday {};
struct AskedStyle {};
struct AskedRuns {
  std::size_t page = 1;
  std::string scenario;  // empty: all
};
struct AskedRun {
  std::string id;
};
struct AskedCandidates {
  std::size_t page = 1;
};
struct AskedCandidate {
  std::string id;
};
struct AskedDepartments {};
struct AskedDepartment {
  std::string name;
};
struct AskedReports {};
struct AskedCompliance {};
// "missing", "csv": a report to be kept.
struct AskedDownload {
  std::string name;
  std::string format;  // csv or json
};
using AskedPage =
    std::variant<AskedToday, AskedStyle, AskedRuns, AskedRun, AskedCandidates, AskedCandidate, AskedDepartments,
                 AskedDepartment, AskedReports, AskedCompliance, AskedDownload, lab::web::NotAsked>;

// Before anything else the request must be for us (lab/web/for_us.hpp), and only read.
[[nodiscard]] AskedPage asked(const lab::web::WebRequest& request, const lab::web::Origin& ours);

// How runs are named: letters, digits and . _ -, beginning with a letter or digit, at most 120 characters.
[[nodiscard]] bool is_run_name(std::string_view text);

// Who looks, as the header field of a reverse proxy says it. Nobody (401) when it is not there, there twice, or no
// name: 1 to 200 bytes that are printable ASCII.
[[nodiscard]] std::variant<std::string, lab::web::NotAsked> signed_in(const lab::web::WebRequest& request,
                                                                      const std::string& header);
// What a header field may be called (RFC 9110 section 5.1), and no field that browsers send by themselves.
[[nodiscard]] bool is_sign_in_header(std::string_view name);

}  // namespace patchlab::process::page

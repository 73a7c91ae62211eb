// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/page/compliance.hpp"
#include "process/page/downloads.hpp"
#include "process/page/facts.hpp"

// The pages, as functions from values to HTML. None of them needs a script, and none of them takes anything.
namespace patchlab::process::page {

// Who looks; empty: nobody said.
struct Reader {
  std::string name;
};

[[nodiscard]] std::string today_page(const Facts& facts, const Reader& reader);

inline constexpr std::size_t on_a_page = 50;  // runs, or candidates

struct RunsView {
  history::RunsAnswer answer;  // of this page
  std::size_t page = 1;
  std::string scenario;  // empty: all
};
[[nodiscard]] std::string runs_page(const Facts& facts, const Reader& reader, const RunsView& view);

struct RunView {
  history::RunDetails details;
  Known<history::ChangesAnswer> changes;  // since the last good run of its scenario
};
[[nodiscard]] std::string run_page(const Facts& facts, const Reader& reader, const RunView& view);

struct CandidatesView {
  history::CandidatesAnswer answer;
  std::size_t page = 1;
};
[[nodiscard]] std::string candidates_page(const Facts& facts, const Reader& reader, const CandidatesView& view);

// Of a candidate that a scan, an acquisition or a run knows.
[[nodiscard]] std::string candidate_page(const Facts& facts, const Reader& reader, const std::string& id,
                                         const Known<history::CandidateStory>& story);
// Whether anything but runs knows it.
[[nodiscard]] bool is_named_outside_runs(const Facts& facts, const std::string& id);

[[nodiscard]] std::string departments_page(const Facts& facts, const Reader& reader);
[[nodiscard]] std::string department_page(const Facts& facts, const Reader& reader, const std::string& name);
[[nodiscard]] std::string reports_page(const Facts& facts, const Reader& reader);
[[nodiscard]] std::string compliance_page(const Facts& facts, const Reader& reader);
[[nodiscard]] std::string refusal_page(const Facts& facts, unsigned status, const std::string& code,
                                       const std::string& text);

}  // namespace patchlab::process::page

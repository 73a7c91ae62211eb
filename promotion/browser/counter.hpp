// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "promotion/browser/asked.hpp"
#include "promotion/browser/pages.hpp"

namespace patchlab::promotion::browser {

// What stands behind the pages: shows what waits, drafts statements, and puts signed ones into the stage's ledger the
// way `patchlab decide --add` does. It has no authority: nobody logs in, nothing is remembered between two requests, no
// key of ours is used, and what counts is judged anew from the ledger by whoever promotes. What it refuses besides is
// only ever less.
//
// Not for several threads.
class Counter {
 public:
  // Runs, from whoever knows where they lie, and what the desk says of one now.
  struct Runs {
    std::function<std::vector<std::string>()> ids;  // the newest first
    std::function<Result<reports::RunRecord>(const std::string& id)> read;
    std::function<Result<reports::Decisions>(const std::string& id)> decisions;
  };
  struct Places {
    std::filesystem::path stage;  // absolute
    Origin origin;
  };
  Counter(Places places, Runs runs, ProcessRunner& processes, Clock& clock)
      : places_(std::move(places)), runs_(std::move(runs)), processes_(processes), clock_(clock) {}

  [[nodiscard]] WebResponse answer(const WebRequest& request) const;

 private:
  struct Matter;

  [[nodiscard]] WebResponse list() const;
  [[nodiscard]] WebResponse page(const AskedSet& set) const;
  [[nodiscard]] WebResponse draft(const AskedDraft& asked) const;
  [[nodiscard]] WebResponse decide(const AskedDecision& asked) const;
  [[nodiscard]] std::variant<Matter, NotAsked> matter_of(const AskedSet& set) const;

  Places places_;
  Runs runs_;
  ProcessRunner& processes_;
  Clock& clock_;
};

// Of the newest runs, so many are looked at for the list.
inline constexpr std::size_t runs_on_the_list = 12;

}  // namespace patchlab::promotion::browser

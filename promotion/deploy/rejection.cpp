// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/rejection.hpp"

#include <fmt/format.h>

#include "lab/core/printable.hpp"
#include "promotion/book/book.hpp"

namespace patchlab::promotion {

Result<std::string> rejected_since(ProcessRunner& processes, const std::filesystem::path& stage,
                                   const PromotionStory& story, const std::string& set) {
  auto& clock = system_clock_source();
  const DecisionBook book(stage / chain_folder_name, processes, clock);
  const DecisionTarget target{story.department, story.run, set, {}};
  PATCHLAB_ASSIGN(const auto contents, book.read(target));
  const auto decisions = DecisionBook::decisions(DecisionBook::question(target, contents, {}, clock.wall()), contents);
  for (const auto& one : decisions.not_counted) {
    if (breaks_everything(one.why))
      return configuration_error(fmt::format("{}: {}", to_string(one.why), printable(one.text)),
                                 "it could be a rejection: compare with a copy of the ledger's folder");
  }
  for (const auto& rejection : decisions.rejections) {
    // One from before was asked by the gate.
    if (rejection.seq > story.line)
      return fmt::format("line {}: rejected by {} since: {}", rejection.seq, rejection.by, rejection.reason);
  }
  return std::string();
}

}  // namespace patchlab::promotion

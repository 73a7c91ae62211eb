// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/learned_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/recording/code_page.hpp"
#include "lab/guest/recording/found_names.hpp"
#include "lab/guest/recording/questions.hpp"

namespace patchlab::lab::guest::recording {
namespace {

// Values that a machine need not have: one outside of a domain, one whose name does not change with the next start.
bool may_be_absent(const std::string& id) {
  return id == "name-host-next" || id == "name-domain" || id == "name-domain-next" || id == "name-domain-logon";
}
// Every machine has a name, and an account at least.
bool must_name_somebody(const std::string& id) { return id == "name-host" || id == "name-users"; }

std::string why_not(const std::string& id, const std::vector<Reply>& replies, const ScrubRules& rules,
                    const std::string& page) {
  const auto reply = std::ranges::find(replies, id, &Reply::id);
  if (reply == replies.end()) return "it was not asked";
  if (!reply->trouble.empty()) return reply->trouble;
  // reg ends with 1 for what is not there, and in trouble, which the others in the same key would have as well.
  if (reply->exit_code == 1 && may_be_absent(id)) return {};
  const auto text = reply_text(reply->output, page.empty() ? "850" : page);
  if (reply->exit_code != 0)
    return fmt::format("ended with {}: {}", reply->exit_code, shortened(trimmed(text, " \t\r\n"), 200));
  if (must_name_somebody(id) && names_in({*reply}, rules, page).empty()) return "no name was found in the reply";
  return {};
}

}  // namespace

std::vector<std::string> names_not_learned(const std::vector<Reply>& only_names, const ScrubRules& rules,
                                           const std::string& oem_code_page) {
  // What says nothing of anybody, such as "Administrator", is an answer here; what a rule names by itself is none.
  auto in_replies = rules;
  in_replies.keep.clear();
  in_replies.words.clear();
  std::vector<std::string> all;
  for (const auto& asked : name_questions()) {
    if (const auto why = why_not(asked.id, only_names, in_replies, oem_code_page); !why.empty())
      all.push_back(fmt::format("{}: {}", asked.id, why));
  }
  return all;
}

}  // namespace patchlab::lab::guest::recording

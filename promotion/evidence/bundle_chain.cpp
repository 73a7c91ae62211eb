// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/bundle_chain.hpp"

#include <fmt/format.h>

#include <unordered_set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_ledger = 1U << 30U;

// What the order of lines asks of a statement that is not there. A promotion whose department nobody knows is one of
// its own: it begins, switches and ends in order, and is the last one of nobody.
StatementFacts facts_without(const ChainLine& line) {
  StatementFacts facts;
  facts.kind = to_string(line.kind);
  facts.by = line.by;
  if (family_of(line.kind) == ChainFamily::promotion) {
    facts.kind = "promote";
    facts.department = "?" + line.object;
  }
  return facts;
}

// Takes the lines one after another.
class Reader {
 public:
  explicit Reader(const fs::path& folder) : folder_(folder), objects_(folder / "objects") {}

  Result<BundleChain> read() {
    PATCHLAB_ASSIGN(const auto text, read_file(folder_ / chain_file_name, largest_ledger, Links::refuse));
    std::size_t at = 0;
    while (at < text.size()) {
      const auto end = text.find('\n', at);
      if (end == std::string::npos) return broken("is unfinished: it was cut");
      PATCHLAB_TRY(take(std::string_view(text).substr(at, end - at)));
      chain_.state.hashes.push_back(sha256(std::string_view(text).substr(at, end + 1 - at)));
      at = end + 1;
    }
    if (chain_.state.lines.empty())
      return configuration_error(
          fmt::format("'{}' has no line: there is nothing to prove", (folder_ / chain_file_name).string()));
    return std::move(chain_);
  }

 private:
  [[nodiscard]] Error broken(const std::string& why) const {
    return broken_line(folder_, chain_.state.lines.size() + 1, why);
  }

  Result<void> take(std::string_view bytes) {
    auto& state = chain_.state;
    auto line = parse_chain_line(bytes);
    if (!line) return broken("cannot be read: " + line.error().message);
    if (line->seq != state.lines.size() + 1) return broken(fmt::format("has number {}", line->seq));
    if (line->prev != (state.lines.empty() ? no_hash : state.hashes.back()))
      return broken("does not follow the one before: something was changed, removed or moved");
    if (!state.lines.empty() && *chain_time(line->time) < *chain_time(state.lines.back().time))
      return broken("goes back in time");
    PATCHLAB_ASSIGN(const bool lacks, place(*line));
    chain_.lacks.push_back(lacks);
    state.lines.push_back(std::move(*line));
    return {};
  }

  // Whether the statement is missing.
  Result<bool> place(const ChainLine& line) {
    auto& history = chain_.state.history;
    const bool lacks = History::has_statement(line.kind) && !objects_.has(line.object);
    StatementFacts facts;
    if (lacks) {
      if (!may_be_left_out(line.kind)) return broken("names a statement that is missing, and cannot be left out");
      facts = facts_without(line);
    } else if (History::has_statement(line.kind)) {
      PATCHLAB_ASSIGN(const auto object, objects_.get(line.object).while_doing(fmt::format("line {}", line.seq)));
      PATCHLAB_ASSIGN(facts, statement_facts(object, fmt::format("the statement of line {}", line.seq)));
    }
    const bool is_known = !named_.insert(line.object).second;
    if (lacks && line.kind == ChainKind::run) {
      // Which begin it ends, nobody can tell.
      if (is_known) return broken("says again what an earlier one said: one statement, one line");
      return true;
    }
    if (lacks && line.kind == ChainKind::promote_refused && !is_known) return true;  // a refusal that stands alone
    if (lacks && line.kind == ChainKind::deployed && !is_known) return true;
    if (const auto why = history.add(line, facts); !why.empty()) return broken(why);
    return lacks;
  }

  const fs::path& folder_;
  ObjectFolder objects_;
  BundleChain chain_;
  std::unordered_set<std::string> named_;
};

}  // namespace

bool may_be_left_out(ChainKind kind) {
  switch (family_of(kind)) {
    case ChainFamily::keeping:
    case ChainFamily::lab:
    case ChainFamily::promotion:
    case ChainFamily::production: return true;
    case ChainFamily::people: return kind == ChainKind::approve;
    case ChainFamily::rules: break;
  }
  return false;
}

Result<BundleChain> read_bundle_chain(const fs::path& folder) { return Reader(folder).read(); }

Error broken_line(const fs::path& folder, std::uint64_t line, const std::string& why) {
  return configuration_error(fmt::format("{}:{}: the line {}", (folder / chain_file_name).string(), line, why),
                             damaged_hint);
}

}  // namespace patchlab::promotion

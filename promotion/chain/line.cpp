// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::uint64_t largest_number = (std::uint64_t{1} << 53U) - 1;  // what every JSON reader keeps exactly

struct KindName {
  ChainKind kind;
  const char* word;
};
constexpr std::array kind_names{KindName{ChainKind::imported, "import"},
                                KindName{ChainKind::repair, "repair"},
                                KindName{ChainKind::begin, "begin"},
                                KindName{ChainKind::run, "run"},
                                KindName{ChainKind::submit, "submit"},
                                KindName{ChainKind::approve, "approve"},
                                KindName{ChainKind::reject, "reject"},
                                KindName{ChainKind::waive, "waive"},
                                KindName{ChainKind::withdraw, "withdraw"},
                                KindName{ChainKind::policy, "policy"},
                                KindName{ChainKind::trust, "trust"},
                                KindName{ChainKind::promote_begun, "promote-begun"},
                                KindName{ChainKind::promote_switched, "promote-switched"},
                                KindName{ChainKind::promote_done, "promote-done"},
                                KindName{ChainKind::promote_refused, "promote-refused"},
                                KindName{ChainKind::deployed, "deployed"}};

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc() || stop != end || text.empty() || (text.size() > 1 && text.front() == '0'))
    return std::nullopt;
  return value;
}

// Goes through a line piece by piece; the first piece that does not fit is remembered.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void expect(std::string_view literal) {
    if (!why_.empty()) return;
    if (!text_.substr(at_).starts_with(literal)) return fail(fmt::format("expected '{}'", literal));
    at_ += literal.size();
  }
  // Everything before the next `end`; the grammar of a piece has no escapes, so the end cannot be inside.
  std::string_view until(char end) {
    const auto stop = std::min(text_.find(end, at_), text_.size());
    const auto piece = text_.substr(at_, stop - at_);
    if (why_.empty()) at_ = stop;
    return piece;
  }
  void fail(std::string why) {
    if (why_.empty()) why_ = fmt::format("character {}: {}", at_ + 1, why);
  }
  void expect_end() {
    if (why_.empty() && at_ != text_.size()) fail("expected the end of the line");
  }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::string why_;
};

// A piece of a line between what stands before and behind it; `valid` says whether it may be there.
template <class Valid>
std::string_view piece(Scanner& scanner, std::string_view before, char end, const char* what, const Valid& valid) {
  scanner.expect(before);
  const auto found = scanner.until(end);
  if (!valid(found)) scanner.fail(fmt::format("'{}' is {}", printable(std::string(found.substr(0, 40))), what));
  return found;
}

}  // namespace

const char* to_string(ChainKind kind) {
  return std::ranges::find(kind_names, kind, &KindName::kind)->word;  // all are there: a test compares
}

ChainFamily family_of(ChainKind kind) {
  switch (kind) {
    case ChainKind::imported:
    case ChainKind::repair: return ChainFamily::keeping;
    case ChainKind::begin:
    case ChainKind::run: return ChainFamily::lab;
    case ChainKind::submit:
    case ChainKind::approve:
    case ChainKind::reject:
    case ChainKind::waive:
    case ChainKind::withdraw: return ChainFamily::people;
    case ChainKind::policy:
    case ChainKind::trust: return ChainFamily::rules;
    case ChainKind::deployed: return ChainFamily::production;
    case ChainKind::promote_begun:
    case ChainKind::promote_switched:
    case ChainKind::promote_done:
    case ChainKind::promote_refused: break;
  }
  return ChainFamily::promotion;
}

std::optional<ChainKind> chain_kind_from(std::string_view word) {
  const auto found = std::ranges::find_if(kind_names, [&](const KindName& name) { return name.word == word; });
  if (found == kind_names.end()) return std::nullopt;
  return found->kind;
}

std::string line_text(const ChainLine& line) {
  return fmt::format(R"({{"seq":{},"prev":"{}","time":"{}","kind":"{}","object":"{}","by":"{}"}})"
                     "\n",
                     line.seq, line.prev, line.time, to_string(line.kind), line.object, line.by);
}

Result<ChainLine> parse_chain_line(std::string_view text) {
  Scanner scanner(text);
  ChainLine line;
  const auto is_number = [](std::string_view word) {
    const auto value = number_in(word);
    return value && *value >= 1 && *value <= largest_number;
  };
  const auto is_object = [](std::string_view word) { return word.empty() || is_sha256(word); };
  const auto is_kind = [](std::string_view word) { return chain_kind_from(word).has_value(); };
  const auto is_time = [](std::string_view word) { return chain_time(word).has_value(); };
  const auto seq = piece(scanner, R"({"seq":)", ',', "no number from 1 to 2^53-1 as it must be written", is_number);
  line.prev = piece(scanner, R"(,"prev":")", '"', "no SHA-256", is_sha256);
  line.time = piece(scanner, R"(","time":")", '"', "no time as 2026-11-28T08:00:00Z", is_time);
  const auto kind = piece(scanner, R"(","kind":")", '"', "no kind of event that is known", is_kind);
  line.object = piece(scanner, R"(","object":")", '"', "no SHA-256", is_object);
  line.by = piece(scanner, R"(","by":")", '"', "no name of a signer", is_principal);
  scanner.expect("\"}");
  scanner.expect_end();
  if (!scanner.why().empty()) return configuration_error(scanner.why());
  line.seq = *number_in(seq);
  line.kind = *chain_kind_from(kind);
  return line;
}

std::optional<std::chrono::system_clock::time_point> chain_time(std::string_view text) {
  constexpr std::string_view seconds = "2026-11-28T08:00:00Z";
  constexpr std::string_view milliseconds = "2026-11-28T08:00:00.000Z";
  if (text.size() != seconds.size() && text.size() != milliseconds.size()) return std::nullopt;
  return parse_rfc3339(text);
}

}  // namespace patchlab::promotion

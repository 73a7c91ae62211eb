// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/words.hpp"

namespace patchlab::reports {
namespace {

template <class Word, std::size_t count>
std::optional<Word> find_word(const Word (&words)[count], const std::string& text) {
  for (const auto word : words) {
    if (text == to_string(word)) return word;
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(Purpose purpose) {
  switch (purpose) {
    case Purpose::baseline: return "baseline";
    case Purpose::control: return "control";
    case Purpose::batch: return "batch";
    case Purpose::search: return "search";
    case Purpose::confirm: return "confirm";
    case Purpose::final: return "final";
    case Purpose::removal: return "removal";
  }
  return "search";
}

std::optional<Purpose> purpose_from(const std::string& word) {
  constexpr Purpose all[] = {Purpose::baseline, Purpose::control, Purpose::batch,  Purpose::search,
                             Purpose::confirm,  Purpose::final,   Purpose::removal};
  return find_word(all, word);
}

void to_json(Json& json, Purpose purpose) { json = to_string(purpose); }

const char* to_string(PromotionOutcome outcome) {
  switch (outcome) {
    case PromotionOutcome::none: return "";
    case PromotionOutcome::promoted: return "promoted";
    case PromotionOutcome::refused: return "refused";
    case PromotionOutcome::not_attempted: return "not-attempted";
  }
  return "";
}

std::optional<PromotionOutcome> promotion_outcome_from(const std::string& word) {
  constexpr PromotionOutcome all[] = {PromotionOutcome::none, PromotionOutcome::promoted, PromotionOutcome::refused,
                                      PromotionOutcome::not_attempted};
  return find_word(all, word);
}

void to_json(Json& json, PromotionOutcome outcome) { json = to_string(outcome); }

const char* to_string(FlakeKind kind) {
  switch (kind) {
    case FlakeKind::in_control: return "in-control";
    case FlakeKind::in_search: return "in-search";
    case FlakeKind::not_reproduced: return "not-reproduced";
  }
  return "not-reproduced";
}

std::optional<FlakeKind> flake_kind_from(const std::string& word) {
  constexpr FlakeKind all[] = {FlakeKind::in_control, FlakeKind::in_search, FlakeKind::not_reproduced};
  return find_word(all, word);
}

void to_json(Json& json, FlakeKind kind) { json = to_string(kind); }

}  // namespace patchlab::reports

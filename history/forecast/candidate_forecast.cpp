// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/forecast/candidate_forecast.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "lab/core/binomial_bound.hpp"
#include "lab/core/text.hpp"

namespace patchlab::history {
namespace {

constexpr std::size_t most_runs_named = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool has_digit(std::string_view text) { return std::ranges::any_of(text, is_digit); }

// "KB5035968", "2026-11", "23.01", "v2.4.1"; not "2022" and "x64".
bool changes_from_month_to_month(std::string_view word) {
  const auto rest = [&](std::size_t from, std::string_view more) {
    return std::ranges::all_of(word.substr(from),
                               [&](char c) { return is_digit(c) || more.find(c) != std::string_view::npos; });
  };
  if (!has_digit(word)) return false;
  if (upper_case(word.substr(0, 2)) == "KB") return rest(2, "");
  const std::size_t from = word[0] == 'v' || word[0] == 'V' ? 1 : 0;
  return rest(from, ".-") && (word.find('.') != std::string_view::npos || word.find('-') != std::string_view::npos);
}

bool is_like(const Tried& row, const ForecastQuestion& question, Circle circle) {
  const auto shares_one = [](const auto& some, const auto& others) {
    return std::ranges::find_first_of(some, others) != some.end();
  };
  if (row.kind != question.kind || row.source != question.source) return false;
  if (circle == Circle::kind) return true;
  if (std::ranges::count(question.roles, row.role) == 0) return false;
  return circle == Circle::kind_and_role || shares_one(row.products, question.products);
}

std::int64_t all_ms(const TriedTimes& times) { return times.install_ms + times.restart_ms; }

// Of at least one.
ForecastRange range_of(std::vector<std::int64_t> values) {
  std::ranges::sort(values);
  return {values.front(), values[(values.size() - 1) / 2], values.back()};
}

// By rows in the order in which they became known.
std::optional<ForecastTimes> measured_in(const std::vector<const Tried*>& rows) {
  const auto newest = std::find_if(rows.rbegin(), rows.rend(), [](const auto* row) { return row->times.has_value(); });
  if (newest == rows.rend()) return std::nullopt;
  ForecastTimes measured;
  measured.accelerator = (*newest)->accelerator;
  std::vector<std::int64_t> ms, restarts;
  for (const auto* row : rows) {
    if (!row->times || row->accelerator != measured.accelerator) continue;
    ms.push_back(all_ms(*row->times));
    restarts.push_back(row->times->restarts);
    measured.asked += row->times->asked ? 1U : 0U;
  }
  measured.times = ms.size();
  measured.ms = range_of(std::move(ms));
  measured.restarts = range_of(std::move(restarts));
  return measured;
}

// Laplace's rule of succession: none of two is no certainty.
double chance_of(std::size_t broke, std::size_t patches) {
  return static_cast<double>(broke + 1) / static_cast<double>(patches + 2);
}

std::vector<std::string> runs_of(const std::vector<const Tried*>& rows) {
  std::vector<std::string> runs;
  std::set<std::string> seen;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (seen.insert((*row)->run).second) runs.push_back((*row)->run);
  }
  return runs;
}

std::string time_text(std::int64_t ms) {
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const auto seconds = (ms + 500) / 1000;
  return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
}

std::string circle_text(const CandidateForecast& forecast, const ForecastQuestion& asked) {
  const auto of = fmt::format("{} from {}", asked.kind, asked.source);
  const auto roles = fmt::format("{}", fmt::join(asked.roles, ", "));
  switch (forecast.circle) {
    case Circle::product_and_role: return fmt::format("of the same product ({}) for {}", of, roles);
    case Circle::kind_and_role: return fmt::format("of the same kind ({}) for {}", of, roles);
    case Circle::kind: return fmt::format("of the same kind ({}) for any role", of);
  }
  return {};
}

std::string risk_text(const CandidateForecast& forecast, const ForecastQuestion& asked) {
  return fmt::format("{} of {} {} {} broke something here; with 95 % confidence at most {:.0f} % of such do{}",
                     forecast.broke, forecast.patches, forecast.patches == 1 ? "patch" : "patches",
                     circle_text(forecast, asked), forecast.at_most * 100,
                     forecast.patches < enough_patches ? ": few, and there are no more" : "");
}

std::string times_text(const CandidateForecast& forecast, const ForecastQuestion& asked) {
  if (!forecast.measured) return "how long it takes is not known: nobody measured any of them";
  const auto& [ms, restarts, accelerator, times, wanted] = *forecast.measured;
  auto text = fmt::format("on a machine {} with {} ({} to {}, {} {}{})", time_text(ms.median),
                          restarts.least == restarts.most
                              ? fmt::format("{} {}", restarts.most, restarts.most == 1 ? "restart" : "restarts")
                              : fmt::format("{} to {} restarts", restarts.least, restarts.most),
                          time_text(ms.least), time_text(ms.most), times, times == 1 ? "time" : "times",
                          accelerator.empty() ? "" : " on " + accelerator);
  if (asked.kind != "deb") text += fmt::format("; the installer asked for a restart {} of {} times", wanted, times);
  return text;
}

std::string runs_text(const CandidateForecast& forecast) {
  const auto& runs = forecast.runs;
  const std::vector<std::string> named(
      runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(std::min(runs.size(), most_runs_named)));
  auto text =
      fmt::format("drawn from {} {}: {}", runs.size(), runs.size() == 1 ? "run" : "runs", fmt::join(named, ", "));
  if (named.size() < runs.size()) text += fmt::format(" and {} before", runs.size() - named.size());
  return text;
}

std::string score_text(const ForecastScore& score) {
  if (score.patches == 0) return "such a forecast was never put to the test";
  return fmt::format(
      "such forecasts so far: {}; Brier score {:.2f} over {} ({} broke something; 0 is perfect, a coin has 0.25){}",
      score.times == 0 ? std::string("no time was put to the test")
                       : fmt::format("{} of {} times were within the range", score.inside, score.times),
      score.brier.value_or(1), score.patches == 1 ? "1 patch" : fmt::format("{} patches", score.patches), score.broke,
      score.without_history == 0 ? "" : fmt::format("; {} had no history", score.without_history));
}

Json range_json(const ForecastRange& range) {
  return {{"least", range.least}, {"median", range.median}, {"most", range.most}};
}

}  // namespace

std::string source_of(const std::string& origin, const std::string& signature) {
  constexpr std::string_view begin = "signed by '";
  if (!signature.starts_with(begin)) return origin;
  const auto end = signature.find('\'', begin.size());
  return end == std::string::npos ? origin : fmt::format("{}, {}", origin, signature.substr(0, end + 1));
}

std::vector<std::string> products_of(const std::string& kind, const std::string& title,
                                     const std::vector<std::string>& files) {
  std::set<std::string> products;
  if (kind == "deb") {
    for (const auto& file : files) products.insert(file.substr(0, file.find('_')));
  } else {
    std::vector<std::string> words;
    for (const auto part : split(title, ' ')) {
      const auto word = trimmed(part, "()[],;:");
      if (!word.empty() && !changes_from_month_to_month(word)) words.emplace_back(word);
    }
    products.insert(fmt::format("{}", fmt::join(words, " ")));
  }
  products.erase("");
  return {products.begin(), products.end()};
}

const char* to_string(Circle circle) {
  switch (circle) {
    case Circle::product_and_role: return "same-product-and-role";
    case Circle::kind_and_role: return "same-kind-and-role";
    case Circle::kind: return "same-kind";
  }
  return "same-kind";
}

CandidateForecasts::CandidateForecasts(std::vector<Tried> rows) : rows_(std::move(rows)) {
  std::erase_if(rows_, [](const auto& row) { return row.outcome != Outcome::pass && row.outcome != Outcome::fail; });
  std::ranges::sort(rows_, {}, [](const auto& row) {
    return std::tie(row.finished, row.run, row.department, row.candidate, row.role);
  });
  std::map<std::pair<std::string, std::string>, std::size_t> verdicts;
  std::map<std::string, std::size_t> patches;
  for (const auto& row : rows_) {
    const auto [found, is_new] = verdicts.emplace(std::pair(row.digest, row.department), verdicts.size());
    if (is_new) patch_.push_back(patches.emplace(row.digest, patches.size()).first->second);
    verdict_.push_back(found->second);
  }
  patches_ = patches.size();
}

CandidateForecasts::LikeIt CandidateForecasts::within(Circle circle, const ForecastQuestion& question,
                                                      const std::string& before, const std::string& but_run) const {
  LikeIt found{circle, {}, 0, 0};
  std::vector<std::optional<bool>> broke(patch_.size());  // by verdict: what the newest row says
  for (std::size_t i = 0; i < rows_.size() && rows_[i].finished <= before; ++i) {
    if (rows_[i].run == but_run || !is_like(rows_[i], question, circle)) continue;
    found.rows.push_back(&rows_[i]);
    broke[verdict_[i]] = rows_[i].outcome == Outcome::fail;
  }
  std::vector<std::optional<bool>> patches(patches_);
  for (std::size_t i = 0; i < broke.size(); ++i) {
    if (broke[i]) patches[patch_[i]] = patches[patch_[i]].value_or(false) || *broke[i];
  }
  for (const auto& patch : patches) {
    found.patches += patch ? 1U : 0U;
    found.broke += patch.value_or(false) ? 1U : 0U;
  }
  return found;
}

std::optional<CandidateForecasts::LikeIt> CandidateForecasts::like_it(const ForecastQuestion& question,
                                                                      const std::string& before,
                                                                      const std::string& but_run) const {
  auto widest = within(Circle::kind, question, before, but_run);
  if (widest.patches == 0) return std::nullopt;
  for (const auto circle : {Circle::product_and_role, Circle::kind_and_role}) {
    auto nearer = within(circle, question, before, but_run);
    if (nearer.patches >= std::min(enough_patches, widest.patches)) return nearer;
  }
  return widest;
}

std::optional<CandidateForecast> CandidateForecasts::of(const ForecastQuestion& question) const {
  if (rows_.empty()) return std::nullopt;
  const auto found = like_it(question, rows_.back().finished, {});
  if (!found) return std::nullopt;
  CandidateForecast forecast;
  forecast.circle = found->circle;
  forecast.patches = found->patches;
  forecast.broke = found->broke;
  forecast.at_most = upper_bound(found->broke, found->patches);
  forecast.runs = runs_of(found->rows);
  forecast.measured = measured_in(found->rows);
  return forecast;
}

ForecastScore CandidateForecasts::score() const {
  // Of each patch the rows of the run that tried it first.
  std::map<std::string, std::vector<const Tried*>> firsts;
  for (const auto& row : rows_) {
    auto& rows = firsts[row.digest];
    const auto begin = [](const Tried& one) { return std::tie(one.started, one.run); };
    if (!rows.empty() && begin(row) < begin(*rows.front())) rows.clear();
    if (rows.empty() || rows.front()->run == row.run) rows.push_back(&row);
  }
  ForecastScore score;
  double squares = 0;
  for (const auto& [digest, rows] : firsts) {
    const auto& first = *rows.front();
    ForecastQuestion question{first.kind, first.source, first.products, {}};
    bool broke = false;
    for (const auto* row : rows) {
      question.roles.push_back(row->role);
      broke = broke || row->outcome == Outcome::fail;
    }
    const auto found = like_it(question, first.started, first.run);
    if (!found) {
      ++score.without_history;
      continue;
    }
    ++score.patches;
    score.broke += broke ? 1U : 0U;
    const auto miss = chance_of(found->broke, found->patches) - (broke ? 1 : 0);
    squares += miss * miss;
    const auto foretold = measured_in(found->rows);
    for (const auto* row : rows) {
      if (!row->times || !foretold || row->accelerator != foretold->accelerator) continue;
      ++score.times;
      const auto ms = all_ms(*row->times);
      score.inside += ms >= foretold->ms.least && ms <= foretold->ms.most ? 1U : 0U;
    }
  }
  if (score.patches > 0) score.brier = squares / static_cast<double>(score.patches);
  return score;
}

std::vector<std::string> sentences_of(const Outlook& outlook) {
  const auto& [asked, forecast, score, only_newest] = outlook;
  if (asked.kind.empty()) return {"no history: no run tells what it is"};
  if (!forecast) return {fmt::format("no history: no run decided about a {} from {}", asked.kind, asked.source)};
  std::vector<std::string> sentences{risk_text(*forecast, asked), times_text(*forecast, asked), runs_text(*forecast),
                                     score_text(score)};
  if (only_newest) sentences[2] += "; older ones were not asked";
  return sentences;
}

void to_json(Json& json, const Outlook& outlook) {
  const auto& [asked, forecast, score, only_newest] = outlook;
  json = {{"kind", asked.kind},
          {"source", asked.source},
          {"products", asked.products},
          {"roles", asked.roles},
          {"circle", nullptr},
          {"patches", 0},
          {"broke", 0},
          {"broke_at_most", nullptr},
          {"runs", Json::array()},
          {"measured", nullptr},
          {"only_newest", only_newest},
          {"so_far",
           {{"patches", score.patches},
            {"broke", score.broke},
            {"brier", score.brier ? Json(*score.brier) : Json()},
            {"times", score.times},
            {"inside", score.inside},
            {"without_history", score.without_history}}}};
  if (!forecast) return;
  json["circle"] = to_string(forecast->circle);
  json["patches"] = forecast->patches;
  json["broke"] = forecast->broke;
  json["broke_at_most"] = forecast->at_most;
  json["runs"] = forecast->runs;
  if (!forecast->measured) return;
  const auto& measured = *forecast->measured;
  json["measured"] = {{"ms", range_json(measured.ms)},
                      {"restarts", range_json(measured.restarts)},
                      {"accelerator", measured.accelerator},
                      {"times", measured.times},
                      {"restart_asked", measured.asked}};
}

}  // namespace patchlab::history

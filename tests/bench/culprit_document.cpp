// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/culprit_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "tests/support/culprit_peers.hpp"

namespace patchlab::runners::tests {
namespace {

struct Figures {
  std::size_t count = 0;
  std::string kind;
  double flakes = 0, errors = 0;
  std::string who;
  int runs = 0;
  double correct = 0, partial = 0, wrong = 0, escaped = 0, abstained = 0, person = 0, held = 0;
  double search = 0, confirm = 0, rest = 0, all = 0, all_p95 = 0, seconds = 0, seconds_p95 = 0, step_p95 = 0,
         step_most = 0;
  double back = 0, confirm_seconds = 0, rest_seconds = 0, back_seconds = 0;
  [[nodiscard]] double proof_seconds() const { return confirm_seconds + rest_seconds + back_seconds; }
};

struct Nights {
  double flakes = 0;
  int nights = 0, with_a_flake = 0, spoiled = 0;
};

struct Measured {
  std::vector<Figures> cells;
  std::vector<Nights> nights;
  int compared = 0;
};

Measured read(const std::string& file) {
  Measured measured;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, ';');) fields.push_back(field);
    const auto number = [&](std::size_t i) { return std::stod(fields[i]); };
    if (fields[1] == "clean night") {
      measured.nights.push_back({number(2), std::stoi(fields[5]), std::stoi(fields[6]), std::stoi(fields[7])});
    } else if (fields[1] == "compared") {
      measured.compared = std::max(measured.compared, std::stoi(fields[5]));
    } else {
      Figures cell{std::stoul(fields[0]), fields[1], number(2), number(3), fields[4], std::stoi(fields[5])};
      std::size_t i = 6;
      for (auto* value :
           {&cell.correct,   &cell.partial, &cell.wrong,           &cell.escaped,      &cell.abstained,
            &cell.person,    &cell.held,    &cell.search,          &cell.confirm,      &cell.rest,
            &cell.all,       &cell.all_p95, &cell.seconds,         &cell.seconds_p95,  &cell.step_p95,
            &cell.step_most, &cell.back,    &cell.confirm_seconds, &cell.rest_seconds, &cell.back_seconds}) {
        if (i >= fields.size())
          throw std::runtime_error(file + ": a line of an older version; remove the file: " + line);
        *value = number(i++);
      }
      measured.cells.push_back(std::move(cell));
    }
  }
  const auto place_of = [](const std::string& kind) {
    return std::ranges::find(world_kinds(), kind, &WorldKind::name) - world_kinds().begin();
  };
  std::ranges::sort(measured.cells, {}, [&](const Figures& cell) {
    return std::tuple(cell.errors, cell.flakes, cell.count, place_of(cell.kind), cell.who);
  });
  return measured;
}

constexpr const char* ours = "patchlab";
constexpr const char* against = " x the cheapest";
constexpr const char* told_peer = "binary splitting (Hwang)";
enum class Told { yes, no };

// How likely so many hits of so many runs, or fewer, are when each is one with this probability.
double at_most_likely(double hits, double runs, double probability) {
  double sum = 0;
  for (double i = 0; i <= hits; ++i) {
    const auto ways = std::lgamma(runs + 1) - std::lgamma(i + 1) - std::lgamma(runs - i + 1);
    sum += std::exp(ways + i * std::log(probability) + (runs - i) * std::log1p(-probability));
  }
  return sum;
}
// Where it falls to this value; it falls with the probability.
double where_likely(double value, double hits, double runs) {
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const auto middle = (low + high) / 2;
    (at_most_likely(hits, runs, middle) > value ? low : high) = middle;
  }
  return high;
}
// One-sided bounds of Clopper and Pearson (1934) with 95 % confidence: of the share of which `percent` was seen in so
// many runs. In percent.
double hits_of(double percent, double runs) { return std::round(percent * runs / 100); }
double surely_below(double percent, double runs) { return 100 * where_likely(0.05, hits_of(percent, runs), runs); }
double surely_above(double percent, double runs) {
  const auto hits = hits_of(percent, runs);
  return hits == 0 ? 0 : 100 * where_likely(0.95, hits - 1, runs);
}

class Document {
 public:
  Document(const Measured& measured, std::string plot) : measured_(measured), plot_(std::move(plot)) {}

  std::string text() {
    introduction();
    goals();
    where_seconds_go();
    tables();
    beside_others();
    clean_nights();
    return std::move(text_);
  }

 private:
  template <class... T>
  void line(fmt::format_string<T...> format, T&&... values) {
    text_ += fmt::format(format, std::forward<T>(values)...) + "\n";
  }

  void introduction() {
    std::map<std::size_t, std::pair<int, int>> runs;  // by candidates: least and most
    for (const auto& cell : measured_.cells) {
      auto& [least, most] = runs.try_emplace(cell.count, cell.runs, cell.runs).first->second;
      least = std::min(least, cell.runs), most = std::max(most, cell.runs);
    }
    std::string seeds;
    for (const auto& [count, range] : runs) {
      const auto many = range.first == range.second ? fmt::format("{}", range.first)
                                                    : fmt::format("{} to {}", range.first, range.second);
      seeds += fmt::format("{}{} for n = {}", seeds.empty() ? "" : ", ", many, count);
    }
    text_ += R"(# How good the culprit search is

Made by `./tests/bench/culprit-search`; do not edit. What the search does is in
[ADR 21](adr/0021-a-search-that-knows-what-a-lie-costs.md).

A simulation without machines: the search of the product, and around it what the engine does on one machine, in small.
A unit test holds that against the real engine: who is named, who is held back, what is tried, what it costs.
)";
    if (measured_.compared > 0)
      line("{} worlds of this kind were run in both and came out the same.", measured_.compared);
    line("Seeds of each line: {}. All methods see the same worlds.", seeds);
    text_ += R"(
- Flakes: that share of the trials passes instead of failing, or the other way round, with the very failure that is
  looked for. Lab errors: that share ends without an answer, and is tried again.
- A run begins after a batch that failed, and ends when the exact rest has passed. `wrong`: an innocent was named.
  `escaped`: what was accepted is broken. `abstained`: somebody was only held back, or nobody was named though somebody
  should be. `partial`: a culprit was named, not the whole group, and what is left works. `person`: the set failed, and
  that was not reproduced; the gate refuses it until a person decides.
- `search`: trials that look for the culprit, the one that asks whether the failure was real among them. `confirm`: of
  somebody alone, from the baseline. `rest`: of what is left, the final trial among them. `back`: of what is left and one
  of several who were found, who must break it again.
)";
    line(
        "- Seconds are modelled, not measured: to revert {:.0f}, to install {:.0f} and to save the state {:.0f}, to "
        "check "
        "{:.0f}, to restart {:.0f} and check {:.0f}.",
        simulated_costs.revert, simulated_costs.install - saving_a_state, saving_a_state, simulated_costs.checks,
        simulated_costs.restart, simulated_costs.checks);
    line(
        "  {} states are kept as a machine keeps them, at the beginning those of the batch; all methods start from "
        "them.",
        simulated_costs.kept_states);
    line("  A search trial ends with its first failure.\n\n![Trials and shares of wrong verdicts]({})\n", plot_);
  }

  using Chosen = std::function<bool(const Figures&)>;
  [[nodiscard]] std::vector<const Figures*> chosen(const Chosen& wanted) const {
    std::vector<const Figures*> found;
    for (const auto& cell : measured_.cells) {
      if (cell.who == ours && wanted(cell)) found.push_back(&cell);
    }
    return found;
  }
  [[nodiscard]] const Figures* find(const Figures& like, const std::string& who) const {
    const auto found = std::ranges::find_if(measured_.cells, [&](const Figures& cell) {
      return cell.who == who && cell.count == like.count && cell.kind == like.kind && cell.flakes == like.flakes &&
             cell.errors == like.errors;
    });
    return found == measured_.cells.end() ? nullptr : &*found;
  }

  // The worst of these cells by a figure that should be small; a cell of which nobody saw the figure is no cell that
  // meets it.
  void goal(const std::string& what, const std::vector<const Figures*>& cells,
            const std::function<std::optional<double>(const Figures&)>& figure, double most, const std::string& unit) {
    std::vector<std::pair<double, const Figures*>> seen;
    for (const auto* cell : cells) {
      if (const auto value = figure(*cell)) seen.emplace_back(*value, cell);
    }
    if (seen.empty()) return line("| {} | not measured | | not measured |", what);
    const auto unseen = cells.size() - seen.size();
    const auto rest = unseen == 0 ? "" : fmt::format("; not measured in {}", unseen);
    const auto over = std::ranges::count_if(seen, [&](const auto& cell) { return cell.first > most + 1e-9; });
    const bool is_share = unit.starts_with(" %");
    const auto surely = std::ranges::count_if(
        seen, [&](const auto& cell) { return surely_above(cell.first, cell.second->runs) > most + 1e-9; });
    const auto by_chance = is_share ? fmt::format(" ({} of them by more than chance)", surely) : "";
    const auto verdict = over > 0 ? fmt::format("**no**, in {} of {} cells{}{}", over, seen.size(), by_chance, rest)
                         : unseen == 0 ? "yes"
                                       : fmt::format("in {} of {} cells{}", seen.size(), cells.size(), rest);
    const auto& [worst, where] = *std::ranges::max_element(seen, {}, [](const auto& cell) { return cell.first; });
    if (unit == against && worst == 0)
      return line("| {} | no peer is right as often where all of them ran | | {} |", what, verdict);
    double sum = 0, runs = 0;
    for (const auto& [value, cell] : seen) sum += value * cell->runs, runs += cell->runs;
    const auto together = is_share ? fmt::format("{:.2f}{} of {:.0f}, surely below {:.2f} %", sum / runs, unit, runs,
                                                 surely_below(sum / runs, runs))
                                   : "";
    line("| {} | {:.2f}{} ({}, n = {}, {} runs) | {} | {} |", what, worst, unit, where->kind, where->count, where->runs,
         together, verdict);
  }

  void goals() {
    line("## Goals\n");
    line(
        "Where a cell has few runs, a single one may be more than the goal allows: then all cells together tell "
        "more. `surely`, and `by more than chance`: with 95 % confidence (Clopper and Pearson, one-sided). What no "
        "peer "
        "ran, and what has no culprit, is not measured beside peers.\n");
    line("| goal | worst cell | all cells together | in every cell |\n|---|---|---|---|");
    const auto plain = [](const Figures& cell) { return cell.errors == 0 && !is_intermittent(cell); };
    const auto exact = chosen([&](const auto& cell) { return plain(cell) && cell.flakes == 0; });
    goal(
        "no flakes: nobody is wrong, escapes or stays unnamed", exact,
        [](const auto& cell) { return 100 - cell.correct; }, 0, " % not correct");
    const auto one = chosen([&](const auto& cell) { return plain(cell) && cell.flakes == 0 && cell.kind == "one"; });
    goal(
        "one culprit: at most 1.25 x log2 n search trials", one,
        [](const auto& cell) { return cell.search / std::log2(static_cast<double>(cell.count)); }, 1.25, " x log2 n");
    goal(
        "one culprit: never more search trials than halving", one,
        [&](const auto& cell) -> std::optional<double> {
          const auto* other = find(cell, "halving of merge queues");
          if (other == nullptr) return std::nullopt;
          return cell.search / other->search;
        },
        1, " x halving");
    static const std::set<std::string> promised{"one",
                                                "two",
                                                "pair",
                                                "triple",
                                                "one hides an earlier one",
                                                "one hides a later one",
                                                "repaired by another",
                                                "superseded"};
    const auto noisy = chosen(
        [&](const auto& cell) { return cell.errors == 0 && cell.flakes == 0.05 && promised.contains(cell.kind); });
    goal(
        "5 % flakes, one or two culprits, pairs, triples, masks, repairs: wrong at most 0.5 %", noisy,
        [](const auto& cell) { return cell.wrong; }, 0.5, " %");
    goal(
        "the same: escaped at most 0.5 %", noisy, [](const auto& cell) { return cell.escaped; }, 0.5, " %");
    goal(
        "the same: abstained at most 2 %", noisy, [](const auto& cell) { return cell.abstained; }, 2, " %");
    goal(
        "the same: correct or abstained at least 99 %", noisy,
        [](const auto& cell) { return 100 - cell.correct - cell.abstained; }, 1, " % neither");
    const auto half = chosen([&](const auto& cell) {
      return cell.errors == 0 && cell.flakes == 0 && cell.kind == "breaks in half of the trials";
    });
    goal(
        "breaks in half of the trials: wrong at most 2 %", half, [](const auto& cell) { return cell.wrong; }, 2, " %");
    goal(
        "breaks in half of the trials: escaped at most 3 %", half, [](const auto& cell) { return cell.escaped; }, 3,
        " %");
    goal(
        "no flakes: modelled seconds at most those of every peer that is right as often", exact,
        [&](const auto& cell) { return against_peers(cell, Told::yes); }, 1, against);
    goal(
        "the same without binary splitting, which is told how many culprits there are", exact,
        [&](const auto& cell) { return against_peers(cell, Told::no); }, 1, against);
    goal(
        "5 % flakes: the same, with it", noisy, [&](const auto& cell) { return against_peers(cell, Told::yes); }, 1,
        against);
    goal(
        "own computing for 256 candidates: at most 10 ms a step (95 of 100)",
        chosen([](const auto& cell) { return cell.count == 256; }), [](const auto& cell) { return cell.step_p95; }, 10,
        " ms");
    if (measured_.nights.empty())
      line("| clean nights: at most 1 % and 5 % lose anything | not measured | | not measured |");
    for (const auto& nights : measured_.nights) {
      const double share = 100.0 * nights.spoiled / nights.nights, most = nights.flakes < 0.005 ? 1 : 5;
      line(
          "| clean night, {:.1f} % flakes a check, 360 executions: at most {:.0f} % lose anything | {:.2f} % of {}, "
          "surely below {:.2f} % | | {} |",
          100 * nights.flakes, most, share, nights.nights, surely_below(share, nights.nights),
          share <= most ? "yes" : "**no**");
    }
    line("");
  }

  static bool is_intermittent(const Figures& cell) { return cell.kind.starts_with("breaks in"); }

  // The cheapest peer that is correct at least as often; nothing: there is none among those that ran.
  [[nodiscard]] const Figures* cheapest_peer(const Figures& cell, Told told) const {
    const Figures* cheapest = nullptr;
    for (const auto& peer : peers()) {
      const auto* other = find(cell, peer.name);
      if (other == nullptr || other->correct < cell.correct || (told == Told::no && peer.name == told_peer)) continue;
      if (cheapest == nullptr || other->seconds < cheapest->seconds) cheapest = other;
    }
    return cheapest;
  }
  // Seconds, as a multiple of those of that peer; 0: all ran, and there is none. Nothing where a peer did not run,
  // unless one that ran is cheaper already, and where there is no culprit to be right about.
  [[nodiscard]] std::optional<double> against_peers(const Figures& cell, Told told) const {
    if (cell.kind == "none") return std::nullopt;
    const auto* cheapest = cheapest_peer(cell, told);
    const auto ratio = cheapest == nullptr ? 0 : cell.seconds / cheapest->seconds;
    const bool all = std::ranges::all_of(peers(), [&](const auto& peer) { return find(cell, peer.name) != nullptr; });
    if (!all && ratio <= 1) return std::nullopt;
    return ratio;
  }

  void where_seconds_go() {
    const auto cells = chosen([&](const Figures& cell) {
      return cell.flakes == 0 && cell.errors == 0 && cell.kind != "none" && !is_intermittent(cell);
    });
    std::size_t dearer = 0, proof_alone = 0;
    std::string rows;
    for (const auto* cell : cells) {
      const auto* peer = cheapest_peer(*cell, Told::yes);
      if (peer != nullptr && cell->seconds > peer->seconds) {
        ++dearer;
        if (cell->proof_seconds() > peer->seconds) ++proof_alone;
      }
      rows += fmt::format("| {} | {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {} |\n", cell->count, cell->kind,
                          cell->seconds - cell->proof_seconds(), cell->confirm_seconds, cell->rest_seconds,
                          cell->back_seconds, cell->seconds,
                          peer == nullptr ? "-" : fmt::format("{:.0f}, {}", peer->seconds, peer->who));
    }
    if (rows.empty()) return;
    line("## Where the seconds go\n");
    line(
        "Modelled seconds of one run without flakes, by what the trials are for, and those of the cheapest peer that "
        "is "
        "right as often. Peers believe what they see. Here a lab may lie: the failure must happen again, who is named "
        "fails alone twice, what is left passes twice, and who was found with others must break it again. In {} cells "
        "a "
        "peer is cheaper; in {} of them this proof alone (`confirm`, `rest`, `back`) takes longer than all of the "
        "peer's "
        "run.\n",
        dearer, proof_alone);
    line("| n | what is wrong | search | confirm | rest | back | all | cheapest peer |");
    line("|---:|---|---:|---:|---:|---:|---:|---|");
    text_ += rows;
  }

  void tables() {
    std::optional<std::pair<double, double>> at;
    for (const auto* cell : chosen([](const auto&) { return true; })) {
      if (at != std::pair(cell->flakes, cell->errors)) {
        at = {cell->flakes, cell->errors};
        line("\n## {:.1f} % flakes{}\n", 100 * cell->flakes,
             cell->errors > 0 ? fmt::format(", {:.0f} % lab errors", 100 * cell->errors) : "");
        line(
            "| n | what is wrong | runs | correct | partial | wrong | escaped | abstained | person | search | confirm "
            "| rest | back "
            "| all | all, P95 | seconds | P95 "
            "|\n|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
      }
      line(
          "| {} | {} | {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | "
          "{:.2f} | {:.0f} | "
          "{:.0f} | {:.0f} |",
          cell->count, cell->kind, cell->runs, cell->correct, cell->partial, cell->wrong, cell->escaped,
          cell->abstained, cell->person, cell->search, cell->confirm, cell->rest, cell->back, cell->all, cell->all_p95,
          cell->seconds, cell->seconds_p95);
    }
  }

  void beside_others() {
    line("\n## Beside others\n");
    line(
        "Percent correct / wrong / escaped, then the mean of trials, then modelled seconds. Each method is written "
        "here, small");
    line(
        "and right in its own model (`Peers` in the unit tests). Binary splitting is told how many culprits there are. "
        "Only");
    line(
        "patchlab tries again whether the failure was real, and confirms what it says. Nobody knows beforehand what "
        "is");
    line("wrong: `all of these` is the mean of the worlds above it, but for those that break now and then.\n");
    std::string header = "| n | flakes | what is wrong | patchlab |", rule = "|---:|---:|---|---|";
    for (const auto& peer : peers()) header += " " + peer.name + " |", rule += "---|";
    line("{}\n{}", header, rule);
    const auto cells = chosen([](const auto& one) {
      return one.errors == 0 && (one.flakes == 0 || one.flakes == 0.05) && one.kind != "none";
    });
    const auto row = [&](const Figures& cell, const std::string& kind, const auto& figures_of) {
      auto text =
          fmt::format("| {} | {:.0f} % | {} |{}", cell.count, 100 * cell.flakes, kind, in_short(figures_of(ours)));
      bool any = false;
      for (const auto& peer : peers()) {
        const auto other = figures_of(peer.name);
        any = any || other;
        text += in_short(other);
      }
      if (any) line("{}", text);
    };
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto& cell = *cells[i];
      row(cell, cell.kind, [&](const std::string& who) { return copied(find(cell, who)); });
      const bool is_last =
          i + 1 == cells.size() || cells[i + 1]->count != cell.count || cells[i + 1]->flakes != cell.flakes;
      if (is_last) row(cell, "**all of these**", [&](const std::string& who) { return mean_of_kinds(cell, who); });
    }
  }
  static std::optional<Figures> copied(const Figures* cell) {
    return cell == nullptr ? std::nullopt : std::optional(*cell);
  }
  // Of all kinds that patchlab ran with so many candidates and flakes; nothing where this one did not run all of them.
  [[nodiscard]] std::optional<Figures> mean_of_kinds(const Figures& like, const std::string& who) const {
    Figures mean = like;
    mean.correct = mean.wrong = mean.escaped = mean.all = mean.seconds = 0;
    const auto kinds = chosen([&](const Figures& cell) {
      return cell.count == like.count && cell.flakes == like.flakes && cell.errors == like.errors &&
             cell.kind != "none" && !is_intermittent(cell);
    });
    const auto share = 1 / static_cast<double>(std::max<std::size_t>(1, kinds.size()));
    for (const auto* kind : kinds) {
      const auto* cell = find(*kind, who);
      if (cell == nullptr) return std::nullopt;
      mean.correct += share * cell->correct;
      mean.wrong += share * cell->wrong;
      mean.escaped += share * cell->escaped;
      mean.all += share * cell->all;
      mean.seconds += share * cell->seconds;
    }
    return kinds.empty() ? std::nullopt : std::optional(mean);
  }
  static std::string in_short(const std::optional<Figures>& cell) {
    if (!cell) return " - |";
    return fmt::format(" {:.0f} / {:.0f} / {:.0f}, {:.1f}, {:.0f} s |", cell->correct, cell->wrong, cell->escaped,
                       cell->all, cell->seconds);
  }

  void clean_nights() {
    if (measured_.nights.empty()) return;
    line("\n## Clean nights\n");
    line(
        "Nothing is wrong with any patch; each execution of a check fails now and then. The real engine and the real "
        "cell,");
    line("60 checks, 360 executions. Lost: not everything was found good.\n");
    line("| flakes a check | nights | nights with a flake | nights that lost anything |\n|---:|---:|---:|---:|");
    for (const auto& nights : measured_.nights)
      line("| {:.1f} % | {} | {} | {} |", 100 * nights.flakes, nights.nights, nights.with_a_flake, nights.spoiled);
  }

  const Measured& measured_;
  std::string plot_;
  std::string text_;
};

// Two plots side by side, each method a line.
class Plot {
 public:
  explicit Plot(const Measured& measured) : measured_(measured) {}

  std::string text() {
    text_ =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"420\" font-family=\"sans-serif\" "
        "font-size=\"12\">\n<rect width=\"960\" height=\"420\" fill=\"white\"/>\n";
    panel(
        60, "One culprit, no flakes: trials (mean, all)", "candidates", 0, {8, 16, 32, 64, 128, 256}, 40,
        [](const auto& cell) { return cell.flakes == 0 && cell.errors == 0 && cell.kind == "one"; },
        [](const auto& cell) { return static_cast<double>(cell.count); }, [](const auto& cell) { return cell.all; });
    panel(
        440, "One culprit of 32: wrong or escaped, percent", "flakes, percent", 1, {0, 1, 5, 10}, 100,
        [](const auto& cell) { return cell.errors == 0 && cell.kind == "one" && cell.count == 32; },
        [](const auto& cell) { return 100 * cell.flakes; }, [](const auto& cell) { return cell.wrong + cell.escaped; });
    legend();
    return text_ + "</svg>\n";
  }

 private:
  static constexpr double width = 300, height = 300, top = 50;
  static const std::vector<std::string>& names() {
    static const std::vector<std::string> all = [] {
      std::vector<std::string> list{ours};
      for (const auto& peer : peers()) list.push_back(peer.name);
      return list;
    }();
    return all;
  }
  static std::string colour(std::size_t i) {
    static const std::vector<std::string> colours{"#d01010", "#1f77b4", "#2ca02c", "#9467bd",
                                                  "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"};
    return colours[i % colours.size()];
  }

  template <class Wanted, class X, class Y>
  void panel(double left, const std::string& title, const std::string& below, int linear,
             const std::vector<double>& ticks, double most, const Wanted& wanted, const X& x_of, const Y& y_of) {
    const auto x = [&](double value) {
      if (linear == 1) return left + width * value / ticks.back();
      return left + width * std::log2(value / ticks.front()) / std::log2(ticks.back() / ticks.front());
    };
    const auto y = [&](double value) { return top + height * (1 - std::min(value, most) / most); };
    text_ += fmt::format("<text x=\"{:.0f}\" y=\"30\" font-weight=\"bold\">{}</text>\n", left, title);
    text_ +=
        fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", left + width / 2 - 30, top + height + 40, below);
    for (const auto tick : ticks)
      text_ += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{:.0f}</text>\n", x(tick),
                           top + height + 18, tick);
    for (int i = 0; i <= 4; ++i) {
      const auto value = most * i / 4;
      text_ += fmt::format(
          "<path d=\"M{:.0f} {:.1f}h{:.0f}\" stroke=\"#ddd\"/><text x=\"{:.0f}\" y=\"{:.1f}\" "
          "text-anchor=\"end\">{:.0f}</text>\n",
          left, y(value), width, left - 6, y(value) + 4, value);
    }
    for (std::size_t i = 0; i < names().size(); ++i) {
      std::map<double, double> points;
      for (const auto& cell : measured_.cells) {
        if (cell.who == names()[i] && wanted(cell)) points[x_of(cell)] = y_of(cell);
      }
      std::string path;
      for (const auto& [at, value] : points)
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x(at), y(value));
      if (!path.empty())
        text_ += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>\n", path, colour(i),
                             i == 0 ? 3 : 1.5);
    }
  }

  void legend() {
    for (std::size_t i = 0; i < names().size(); ++i) {
      const auto y = 60 + 22 * static_cast<double>(i);
      text_ += fmt::format(
          "<path d=\"M770 {:.0f}h24\" stroke=\"{}\" stroke-width=\"{}\"/><text x=\"800\" y=\"{:.0f}\">{}"
          "</text>\n",
          y, colour(i), i == 0 ? 3 : 1.5, y + 4, names()[i]);
    }
  }

  const Measured& measured_;
  std::string text_;
};

}  // namespace

void write_document(const std::string& cells_file, const std::string& path) {
  const auto measured = read(cells_file);
  const auto name = path.substr(path.find_last_of('/') + 1);
  std::ofstream(path + ".md") << Document(measured, name + ".svg").text();
  std::ofstream(path + ".svg") << Plot(measured).text();
}

}  // namespace patchlab::runners::tests

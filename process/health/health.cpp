// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/health/health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "lab/core/exit_code.hpp"

namespace patchlab::process {
namespace {

std::string word_of(ExitCode code) {
  for (const auto& one : exit_codes) {
    if (one.code == code) return one.word;
  }
  return {};
}

// Whether the lab could say something of the candidates.
bool told(const Night& night) {
  static const std::array results{word_of(ExitCode::ok), word_of(ExitCode::candidate_fails),
                                  word_of(ExitCode::only_skips), word_of(ExitCode::policy),
                                  word_of(ExitCode::inconclusive)};
  return night.ended && night.complete && std::ranges::count(results, night.result) > 0;
}

std::string hours(std::chrono::seconds age) {
  return fmt::format("{:.1f} h", static_cast<double>(age.count()) / 3600.0);
}

std::chrono::seconds since(HealthTime then, HealthTime now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then);
}

int rank(Health health) {
  switch (health) {
    case Health::ok: return 0;
    case Health::unknown: return 1;
    case Health::warning: return 2;
    case Health::critical: return 3;
  }
  return 1;
}

Health worse_of(Health one, Health other) { return rank(one) < rank(other) ? other : one; }

// Runs may go on side by side: what ended last stands last, whichever began first. One without an end keeps its place.
std::vector<Night> by_end(std::vector<Night> runs) {
  std::vector<Night> ended;
  std::ranges::copy_if(runs, std::back_inserter(ended), [](const auto& run) { return run.ended.has_value(); });
  std::ranges::stable_sort(ended, {}, &Night::ended);
  auto next = ended.begin();
  for (auto& run : runs) {
    if (run.ended) run = std::move(*next++);
  }
  return runs;
}

// Of the nights alone; `fact` says that there is none.
void judge_nights(const std::vector<Night>& runs, HealthTime now, const NightLimits& limits, HealthFact& fact) {
  std::vector<Night> nights;
  std::ranges::copy_if(runs, std::back_inserter(nights), [](const auto& run) { return !run.narrowed; });
  if (nights.empty()) return;
  const auto& last = nights.back();
  const auto good = std::find_if(nights.rbegin(), nights.rend(), told);
  if (good == nights.rend()) {
    fact.says = fmt::format("none of {} runs told anything of its candidates", nights.size());
    return;
  }
  const auto age = since(*good->ended, now);
  fact.figures.push_back(
      {"night_age", age.count(), "s", std::to_string(limits.warning.count()), std::to_string(limits.critical.count())});
  fact.health = age > limits.critical ? Health::critical : age > limits.warning ? Health::warning : Health::ok;
  fact.says = fmt::format("run {} ended {} ago with {}", good->run, hours(age), good->result);
  if (&*good == &last) return;
  const auto after = static_cast<std::size_t>(std::distance(nights.rbegin(), good));
  if (last.ended) {
    fact.says += fmt::format(", and {} after it told nothing, the last with {}", after,
                             last.complete ? last.result : last.result + ", not complete");
  } else if (last.begun && since(*last.begun, now) <= limits.warning) {
    fact.says += fmt::format(", and one has been under way for {}", hours(since(*last.begun, now)));
    if (after == 1) return;
    fact.says += fmt::format(" after {} that told nothing", after - 1);
  } else {
    fact.says += fmt::format(", and run {} has no end: it was killed, or hangs", last.run);
  }
  fact.health = worse_of(fact.health, Health::warning);
}

std::string sentence(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '|' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace

const char* to_string(Health health) {
  switch (health) {
    case Health::ok: return "ok";
    case Health::warning: return "warning";
    case Health::critical: return "critical";
    case Health::unknown: return "unknown";
  }
  return "unknown";
}

void to_json(Json& json, const HealthFigure& figure) {
  json = {{"label", figure.label},
          {"value", figure.value},
          {"unit", figure.unit},
          {"warning", figure.warning},
          {"critical", figure.critical}};
}

void to_json(Json& json, const HealthFact& fact) {
  json = {{"name", fact.name}, {"health", to_string(fact.health)}, {"says", fact.says}, {"figures", fact.figures}};
}

namespace {

bool leaked(const Night& run) { return run.ended && run.result == word_of(ExitCode::fence_breach); }

// Of runs that are about the same.
HealthFact health_of(const std::vector<Night>& begun, HealthTime now, const NightLimits& limits) {
  const auto runs = by_end(begun);
  HealthFact fact{"night", Health::critical, "no run of a whole scenario was ever begun", {}};
  const auto future = [&](const auto& run) {
    return (run.begun && *run.begun > now) || (run.ended && *run.ended > now);
  };
  if (const auto found = std::ranges::find_if(runs, future); found != runs.end()) {
    fact.health = Health::unknown;
    fact.says = fmt::format("run {} is of the future: whose clock is wrong?", found->run);
    return fact;
  }
  const auto last_end = std::find_if(runs.rbegin(), runs.rend(), [](const auto& run) { return run.ended.has_value(); });
  if (last_end != runs.rend() && leaked(*last_end)) {
    fact.says = fmt::format("in run {} something reached the outside", last_end->run);
    return fact;
  }
  judge_nights(runs, now, limits, fact);
  const auto leak = std::find_if(runs.rbegin(), runs.rend(), leaked);
  if (leak != runs.rend() && since(*leak->ended, now) <= limits.critical) {
    fact.says +=
        fmt::format("; in run {}, {} ago, something reached the outside", leak->run, hours(since(*leak->ended, now)));
    fact.health = worse_of(fact.health, Health::warning);
  }
  return fact;
}

// Each department with the runs that are about it. What was only ever tried by hand is no night that could be missed.
std::map<std::string, std::vector<Night>> by_departments(const std::vector<Night>& runs) {
  std::map<std::string, std::vector<Night>> all;
  for (const auto& run : runs) {
    if (run.narrowed) continue;
    for (const auto& department : run.departments) all[department];
  }
  for (const auto& run : runs) {
    for (auto& [department, its] : all) {
      if (run.departments.empty() || std::ranges::count(run.departments, department) > 0) its.push_back(run);
    }
  }
  return all;
}

// A leak in a run that is about none of these departments, which was tried by hand or is given up: it is critical until
// any other run has ended, as of no such department another one may ever come.
void tell_other_leaks(const std::vector<Night>& runs, const std::map<std::string, std::vector<Night>>& departments,
                      HealthTime now, const NightLimits& limits, HealthFact& fact) {
  const auto is_asked = [&](const auto& run) {
    const auto has = [&](const auto& one) { return departments.contains(one); };
    return run.departments.empty() || std::ranges::any_of(run.departments, has);
  };
  const auto all = by_end(runs);
  const auto last = std::find_if(all.rbegin(), all.rend(), [](const auto& run) { return run.ended.has_value(); });
  const auto leak =
      std::find_if(all.rbegin(), all.rend(), [&](const auto& run) { return leaked(run) && !is_asked(run); });
  if (leak == all.rend() || (leak != last && since(*leak->ended, now) > limits.critical)) return;
  fact.says +=
      fmt::format("; in run {}, {} ago, something reached the outside", leak->run, hours(since(*leak->ended, now)));
  fact.health = worse_of(fact.health, leak == last ? Health::critical : Health::warning);
}

std::optional<HealthTime> last_begun(const std::vector<Night>& runs) {
  std::optional<HealthTime> last;
  for (const auto& run : runs) {
    if (!run.narrowed && run.begun && (!last || *run.begun > *last)) last = run.begun;
  }
  return last;
}

}  // namespace

HealthFact night_health(const std::vector<Night>& runs, HealthTime now, const NightLimits& limits) {
  auto departments = by_departments(runs);
  if (departments.empty()) return health_of(runs, now, limits);
  const auto is_old = [&](const auto& department) {
    const auto last = last_begun(department.second);
    return last && since(*last, now) > limits.given_up;
  };
  std::string given_up;
  if (!std::ranges::all_of(departments, is_old)) {
    std::erase_if(departments, [&](const auto& department) {
      if (!is_old(department)) return false;
      given_up += fmt::format("; {}: given up, last begun {} ago", department.first,
                              hours(since(*last_begun(department.second), now)));
      return true;
    });
  }
  struct Shared {
    std::string names;  // of those of whom the same is to be said
    HealthFact fact;
  };
  std::vector<Shared> all;
  for (const auto& [name, its] : departments) {
    auto fact = health_of(its, now, limits);
    const auto same = std::ranges::find_if(
        all, [&](const auto& one) { return one.fact.health == fact.health && one.fact.says == fact.says; });
    if (same == all.end())
      all.push_back({name, std::move(fact)});
    else
      same->names += ", " + name;
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, [](const auto& one) { return rank(one.fact.health); });
  const auto age = [](const auto& one) { return one.fact.figures.empty() ? -1 : one.fact.figures.front().value; };
  HealthFact fact{
      all.front().fact.name, all.front().fact.health, {}, std::ranges::max_element(all, {}, age)->fact.figures};
  for (const auto& one : all) {
    if (!fact.says.empty()) fact.says += "; ";
    fact.says += all.size() == 1 ? one.fact.says : fmt::format("{}: {}", one.names, one.fact.says);
  }
  fact.says += given_up;
  tell_other_leaks(runs, departments, now, limits, fact);
  return fact;
}

HealthFact disk_health(const std::string& folder, std::uint64_t free, std::uint64_t warning, std::uint64_t critical) {
  const auto gib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0); };
  return {"disk",
          free < critical  ? Health::critical
          : free < warning ? Health::warning
                           : Health::ok,
          fmt::format("{:.1f} GiB free in '{}'", gib(free), folder),
          {{"free", static_cast<std::int64_t>(free), "B", fmt::format("{}:", warning), fmt::format("{}:", critical)}}};
}

Health worst_of(const std::vector<HealthFact>& facts) {
  const auto worst = std::ranges::max_element(facts, {}, [](const auto& fact) { return rank(fact.health); });
  return worst == facts.end() ? Health::unknown : worst->health;
}

std::string plugin_line(const std::vector<HealthFact>& facts) {
  auto sorted = facts;
  std::ranges::stable_sort(sorted, std::ranges::greater{}, [](const auto& fact) { return rank(fact.health); });
  std::string word = to_string(worst_of(facts));
  std::ranges::transform(word, word.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::string says, figures;
  for (const auto& fact : sorted)
    says += fmt::format("{}{}: {}", says.empty() ? "" : "; ", fact.name, sentence(fact.says));
  for (const auto& fact : facts) {
    for (const auto& one : fact.figures)
      figures += fmt::format(" {}={}{};{};{}", one.label, one.value, one.unit, one.warning, one.critical);
  }
  return fmt::format("PATCHLAB {}: {}{}{}", word, says.empty() ? "nothing was looked at" : says,
                     figures.empty() ? "" : " |", figures);
}

}  // namespace patchlab::process

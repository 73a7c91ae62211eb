// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/growth/growth.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "checks/state/rules.hpp"

namespace patchlab::checks::growth {
namespace {

using Points = std::vector<std::pair<double, double>>;  // minutes, amount

constexpr double false_alarms = 0.01;  // of a look at one machine
constexpr std::size_t least_looks = 6;
constexpr double minutes_believed = 60;  // for each minute that was watched
bool is_bytes(Resource resource) {
  return resource == Resource::memory || resource == Resource::disk || resource == Resource::logs;
}

// Over the whole time; a few pages, files or lines are nothing.
double too_little(Resource resource) {
  switch (resource) {
    case Resource::memory:
    case Resource::disk: return 512;
    case Resource::logs: return 64;
    case Resource::tasks: return 3;
    case Resource::open_files:
    case Resource::connections: return 5;
  }
  return 0;
}

Milliseconds time_of(const Watched& watched) {
  return watched.looks.empty() ? Milliseconds(0) : watched.looks.back().at - watched.looks.front().at;
}

// What is not there uses nothing.
Points points_of(const Watched& watched, const Used& used) {
  Points points;
  for (const auto& look : watched.looks) {
    const auto found = look.usage.amounts.find(used);
    const auto since = look.at - watched.looks.front().at;
    points.emplace_back(static_cast<double>(since.count()) / 60000.0,
                        found == look.usage.amounts.end() ? 0.0 : found->second);
  }
  return points;
}

// By how much from look to look.
struct Steps {
  double mean = 0;     // per minute
  double error = 0;    // of the mean
  double degrees = 1;  // of freedom of that
};

Steps steps_of(const Points& points) {
  const auto steps = static_cast<double>(points.size() - 1);
  const auto time = points.back().first - points.front().first;
  Steps found{(points.back().second - points.front().second) / time, 0, steps - 1};
  double squares = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto odd = points[i].second - points[i - 1].second - found.mean * (points[i].first - points[i - 1].first);
    squares += odd * odd;
  }
  found.error = std::sqrt(squares * steps / (steps - 1)) / time;
  return found;
}

// Welch and Satterthwaite.
double degrees_of(const Steps& a, const Steps& b) {
  const auto of_a = a.error * a.error, of_b = b.error * b.error;
  if (of_a + of_b == 0) return a.degrees + b.degrees;
  return (of_a + of_b) * (of_a + of_b) / (of_a * of_a / a.degrees + of_b * of_b / b.degrees);
}

std::set<Used> everything(const Watched& one, const Watched& other) {
  std::set<Used> all;
  for (const auto* watched : {&one, &other}) {
    for (const auto& look : watched->looks) {
      for (const auto& [used, value] : look.usage.amounts) all.insert(used);
    }
  }
  return all;
}

std::int64_t per_hour(double per_minute) { return std::llround(per_minute * 60); }

Slope slope_of(const Used& used, const Watched& with_patch, const Watched& control, double tail) {
  const auto points = points_of(with_patch, used), usual = points_of(control, used);
  const auto steps = steps_of(points), usual_steps = steps_of(usual);
  // Who is asked more grows more.
  const bool is_busier = control.asked > 0 && with_patch.asked > control.asked;
  const auto load = is_busier ? static_cast<double>(with_patch.asked) / static_cast<double>(control.asked) : 1.0;
  const auto slope = theil_sen(points);
  const auto without = theil_sen(usual) * (theil_sen(usual) > 0 ? load : 1.0);
  const auto usual_mean = usual_steps.mean * (usual_steps.mean > 0 ? load : 1.0);
  const auto unevenness = std::hypot(steps.error, usual_steps.error * load);
  const auto least = std::max(student_quantile(tail, degrees_of(steps, usual_steps)) * unevenness,
                              too_little(used.resource) / points.back().first);
  Slope found{.used = used,
              .per_hour = per_hour(slope),
              .without = per_hour(without),
              .told_from = per_hour(least),
              .from = std::llround(points.front().second),
              .to = std::llround(points.back().second)};
  found.told = slope - without > least && steps.mean - usual_mean > least;
  const auto& room = with_patch.looks.back().usage.room;
  if (const auto left = room.find(used); found.told && left != room.end() && slope > least)
    found.minutes_left = std::llround(left->second / (slope - least));
  return found;
}

Growth facts_of(const Watched& watched) {
  Growth growth;
  growth.looks = watched.looks.size();
  growth.planned = watched.planned;
  growth.time = time_of(watched);
  growth.asked = watched.asked;
  growth.failed = watched.failed;
  growth.flaky = watched.flaky;
  return growth;
}

std::string too_few(const Watched& watched, const char* whose) {
  return fmt::format("{} of {} looks happened {}, and {} are needed", watched.looks.size(), watched.planned, whose,
                     least_looks);
}

// The next of 1, 2, 5, 10 ... of its unit.
double round_number(Resource resource, double value) {
  if (is_bytes(resource) && value >= 1024) return 1024 * round_number(Resource::tasks, value / 1024);
  if (value <= 0) return 0;
  const auto ten = std::pow(10, std::floor(std::log10(value)));
  const auto digit = value / ten;
  return ten * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

std::string seconds(Milliseconds time) { return fmt::format("{} s", (time.count() + 500) / 1000); }

}  // namespace

double theil_sen(const Points& points) {
  std::vector<double> all;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      if (const auto time = points[j].first - points[i].first; time > 0)
        all.push_back((points[j].second - points[i].second) / time);
    }
  }
  if (all.empty()) return 0;
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::ranges::nth_element(all, middle);
  if (all.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(all.begin(), middle)) / 2;
}

// With t = sqrt(degrees) tan(angle) the density is cos(angle)^(degrees - 1), which is added up from the end.
double student_quantile(double tail, double degrees) {
  constexpr int parts = 1000;
  constexpr double quarter = std::numbers::pi / 2, width = quarter / parts;
  const auto density = [&](int part) { return std::pow(std::cos(quarter - part * width), degrees - 1); };
  double half = 0;
  for (int part = 1; part <= parts; ++part) half += (density(part - 1) + density(part)) / 2;
  double sum = 0;
  for (int part = 1; part <= parts; ++part) {
    const auto more = (density(part - 1) + density(part)) / 2;
    if (const auto missing = 2 * half * tail - sum; more >= missing)
      return std::sqrt(degrees) * std::tan(quarter - (part - 1 + missing / more) * width);
    sum += more;
  }
  return 0;
}

std::vector<Slope> slopes(const Watched& with_patch, const Watched& control) {
  const auto all = everything(with_patch, control);
  std::vector<Slope> found;
  for (const auto& used : all)
    found.push_back(slope_of(used, with_patch, control, false_alarms / static_cast<double>(all.size())));
  return found;
}

Growth judged(const Watched& with_patch, const Watched* control, const std::string& why_unseen) {
  auto growth = facts_of(with_patch);
  if (!why_unseen.empty())
    growth.why_not = why_unseen;
  else if (growth.looks < least_looks || growth.time <= Milliseconds(0))
    growth.why_not = too_few(with_patch, "in time");
  else if (control == nullptr)
    growth.why_not = "it was not watched without a patch";
  else if (control->looks.size() < least_looks || time_of(*control) <= Milliseconds(0))
    growth.why_not = too_few(*control, "in time in the control");
  if (!growth.why_not.empty()) return growth;
  const auto all = slopes(with_patch, *control);
  std::ranges::copy_if(all, std::back_inserter(growth.told), &Slope::told);
  for (const auto resource : all_resources) {
    const Slope* hardest = nullptr;
    for (const auto& one : all) {
      if (one.used.resource == resource && (hardest == nullptr || one.told_from > hardest->told_from)) hardest = &one;
    }
    if (hardest != nullptr) growth.hardest.push_back(*hardest);
  }
  return growth;
}

Growth judged_alone(const Watched& control, const std::string& why_unseen) {
  auto growth = judged(control, &control, why_unseen);
  growth.told.clear();
  return growth;
}

std::string name_of(const Used& used) {
  return used.of.empty() ? to_string(used.resource) : fmt::format("{} of {}", to_string(used.resource), used.of);
}

std::string amount(Resource resource, double value) {
  if (!is_bytes(resource))
    return fmt::format("{:.{}f}", value, std::abs(value) < 10 && value != std::round(value) ? 1 : 0);
  if (std::abs(value) >= 1024) return fmt::format("{:.1f} MiB", value / 1024);
  return fmt::format("{:.0f} KiB", value);
}

std::string pace(Resource resource, std::int64_t per_hour) {
  return amount(resource, static_cast<double>(per_hour) / 60) + " a minute";
}

std::string what_is_told(const Growth& growth) {
  std::vector<std::string> parts;
  for (const auto& one : growth.hardest)
    parts.push_back(fmt::format("{} by {}", name_of(one.used), pace(one.used.resource, one.told_from)));
  return fmt::format("in {} looks over {} ({} checks as a load) growth is told that is above: {}", growth.looks,
                     seconds(growth.time), growth.asked, fmt::join(parts, ", "));
}

std::string sentence(const Slope& slope) {
  const auto resource = slope.used.resource;
  auto text =
      fmt::format("{}: from {} to {}, {}; without the patch {}; told from {} more on", name_of(slope.used),
                  amount(resource, static_cast<double>(slope.from)), amount(resource, static_cast<double>(slope.to)),
                  pace(resource, slope.per_hour), pace(resource, slope.without), pace(resource, slope.told_from));
  if (slope.minutes_left) text += fmt::format("; its limit is met within {} minutes", *slope.minutes_left);
  return text;
}

std::vector<state::StateDifference> findings(const Growth& growth, std::size_t failed_in_control) {
  std::vector<state::StateDifference> found;
  const auto horizon = minutes_believed * static_cast<double>(growth.time.count()) / 60000;
  for (const auto& slope : growth.told) {
    const auto resource = slope.used.resource;
    const auto in_round_numbers = [&](std::int64_t per_hour) {
      return amount(resource, round_number(resource, static_cast<double>(per_hour) / 60));
    };
    const auto told_from = round_number(resource, static_cast<double>(slope.told_from) / 60);
    const auto usual = static_cast<double>(slope.without) / 60 < told_from ? "steady" : "grows less";
    auto after = fmt::format("grows by about {} a minute", in_round_numbers(slope.per_hour));
    if (slope.minutes_left && static_cast<double>(*slope.minutes_left) <= horizon) after += " and will meet its limit";
    found.push_back(state::classified({"growth", name_of(slope.used), usual, after}));
  }
  if (growth.failed > 0 && failed_in_control == 0)
    found.push_back(state::classified({"load", "checks", "all pass again and again", "some fail now and then"}));
  return found;
}

}  // namespace patchlab::checks::growth

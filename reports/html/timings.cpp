// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"

// Where the time went: sums per phase, and one lane per machine over the time of the run. The chart is plain SVG;
// colours come from the style sheet, so it follows light and dark.
namespace patchlab::reports::html {
namespace {

// Pixels of the chart at its natural size; it is scaled to the page and scrolls on narrow screens.
constexpr int label_width = 96;
constexpr int chart_width = 1000;
constexpr int lane_height = 20;
constexpr int department_height = 30;
constexpr int axis_height = 24;
constexpr std::size_t most_bars = 3000;

// Colour number of a phase: fixed for the usual ones, so that two reports can be compared.
class PhaseColours {
 public:
  explicit PhaseColours(const std::vector<TimingRecord>& timings) {
    for (const char* name : {"image", "clone", "boot", "ready", "checks", "snapshot", "revert", "install", "reboot",
                             "fence", "settle", state_step}) {
      const bool used = std::ranges::count(timings, name, &TimingRecord::phase) > 0;
      if (used) names_.emplace_back(name);
      numbers_.emplace(name, numbers_.size());
    }
    for (const auto& timing : timings) {
      if (numbers_.emplace(timing.phase, numbers_.size()).second) names_.push_back(timing.phase);
    }
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] std::string css(const std::string& phase) const {
    return fmt::format("ph ph-{}", numbers_.at(phase) % 12);
  }

 private:
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> names_;  // in the order of the legend
};

class Gantt {
 public:
  Gantt(Page& page, const RunRecord& record, const PhaseColours& colours)
      : page_(page), record_(record), colours_(colours), lanes_(record.timings.size() <= most_bars) {
    for (const auto& timing : record.timings) {
      if (timing.trial.empty()) continue;
      const auto end = timing.start_ms + timing.duration_ms;
      const auto [span, is_new] = spans_.try_emplace(timing.trial, timing.start_ms, end);
      if (is_new) continue;
      span->second.first = std::min(span->second.first, timing.start_ms);
      span->second.second = std::max(span->second.second, end);
    }
    for (const auto& timing : record.timings) end_ms_ = std::max(end_ms_, timing.start_ms + timing.duration_ms);
    for (const auto& department : record.departments)
      height_ += department_height + (lanes_ ? lane_height * static_cast<int>(department.machines.size()) : 0);
  }

  void write() {
    const auto box = fmt::format("0 0 {} {}", label_width + chart_width + 8, height_ + axis_height);
    page_.element("div", {{"class", "scroll"}, {"tabindex", "0"}, {"role", "group"}, {"aria-label", "time line"}}, [&] {
      page_.element(
          "svg", {{"class", "gantt"}, {"viewBox", box}, {"role", "img"}, {"aria-label", "time line of every machine"}},
          [&] {
            write_axis();
            int top = axis_height;
            for (const auto& department : record_.departments) top = write_department(department, top);
          });
    });
  }

 private:
  [[nodiscard]] double x(std::int64_t ms) const {
    return label_width + static_cast<double>(ms) * chart_width / static_cast<double>(end_ms_);
  }

  void bar(const std::string& css, std::int64_t start_ms, std::int64_t duration_ms, int top, int height,
           const std::string& title) {
    const auto width = std::max(x(start_ms + duration_ms) - x(start_ms), 0.8);  // the shortest must still be seen
    page_.element("rect",
                  {{"class", css},
                   {"x", fmt::format("{:.1f}", x(start_ms))},
                   {"y", std::to_string(top)},
                   {"width", fmt::format("{:.1f}", width)},
                   {"height", std::to_string(height)},
                   {"rx", "2"}},
                  [&] { page_.element("title", {}, title); });
  }
  void label(const std::string& css, double left, int baseline, const std::string& text) {
    page_.element("text", {{"class", css}, {"x", fmt::format("{:.1f}", left)}, {"y", std::to_string(baseline)}}, text);
  }

  // At most about ten marks, at round times.
  [[nodiscard]] std::int64_t tick_ms() const {
    for (const std::int64_t step : {1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}) {
      if (end_ms_ / (step * 1000) <= 10) return step * 1000;
    }
    return end_ms_ / 10;
  }

  void write_axis() {
    for (std::int64_t at = 0; at <= end_ms_; at += tick_ms()) {
      const auto left = fmt::format("{:.1f}", x(at));
      page_.empty("line", {{"class", "grid"},
                           {"x1", left},
                           {"x2", left},
                           {"y1", std::to_string(axis_height - 6)},
                           {"y2", std::to_string(height_ + axis_height)}});
      if (x(at) + 34 > label_width + chart_width) continue;  // its text would be cut off
      label("tick", x(at) + 3, axis_height - 10,
            tick_ms() >= 60'000 ? fmt::format("{} min", at / 60'000) : fmt::format("{} s", at / 1000));
    }
  }

  int write_department(const DepartmentRecord& department, int top) {
    label("department-name", 0, top + 19, department.name);
    for (const auto& trial : department.trials) write_trial(trial, top);
    top += department_height;
    if (!lanes_) return top;
    for (const auto& machine : department.machines) {
      label("lane-name", 10, top + 13, machine.name);
      for (const auto& timing : record_.timings) {
        if (timing.department != department.name || timing.machine != machine.name) continue;
        bar(colours_.css(timing.phase), timing.start_ms, timing.duration_ms, top + 3, lane_height - 6,
            fmt::format("{}/{} {} {}{}", department.name, machine.name, timing.phase, duration_text(timing.duration_ms),
                        timing.trial.empty() ? "" : " in " + timing.trial));
      }
      top += lane_height;
    }
    return top;
  }

  // The span of a trial over all its machines, with the outcome's colour and, when there is room, its number.
  void write_trial(const TrialRecord& trial, int top) {
    const auto span = spans_.find(trial.id);
    if (span == spans_.end()) return;
    const auto [start, end] = span->second;
    if (end <= start) return;
    bar("trial-span " + css_class(trial.outcome), start, end - start, top + 6, 17,
        fmt::format("{} ({}): {}", trial.id, to_string(trial.purpose), to_string(trial.outcome)));
    const auto number = trial.id.substr(trial.id.rfind('/') + 1);
    const auto full = number + " " + to_string(trial.purpose);
    const auto room = x(end) - x(start);
    if (room > 7.0 * static_cast<double>(full.size()))
      label("trial-name", x(start) + 5, top + 18, full);
    else if (room > 7.0 * static_cast<double>(number.size()) + 4)
      label("trial-name", x(start) + 4, top + 18, number);
  }

  Page& page_;
  const RunRecord& record_;
  const PhaseColours& colours_;
  bool lanes_;  // of machines; of a long run only departments and their trials are drawn
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> spans_;  // of trials
  std::int64_t end_ms_ = 1;
  int height_ = 0;
};

void write_sums(Page& page, const RunRecord& record, const PhaseColours& colours) {
  std::map<std::string, std::int64_t> sums;
  std::int64_t total = 0;
  for (const auto& timing : record.timings) {
    sums[timing.phase] += timing.duration_ms;
    total += timing.duration_ms;
  }
  auto names = colours.names();
  std::ranges::sort(names,
                    [&](const auto& a, const auto& b) { return std::pair(-sums[a], a) < std::pair(-sums[b], b); });
  page.element("div", {{"class", "sums"}}, [&] {
    for (const auto& name : names) {
      page.element("span", {{"class", "sum-name"}}, name);
      page.element("span", {{"class", "sum-bar"}}, [&] {
        const auto width =
            fmt::format("width:{:.2f}%", 100.0 * static_cast<double>(sums[name]) /
                                             static_cast<double>(std::max<std::int64_t>(sums[names.front()], 1)));
        page.element("i", {{"class", colours.css(name)}, {"style", width}}, "");
      });
      const auto percent = 100 * sums[name] / std::max<std::int64_t>(total, 1);
      page.element("span", {{"class", "sum-value"}},
                   fmt::format("{} ({}%)", duration_text(sums[name]), percent == 0 ? "<1" : std::to_string(percent)));
    }
  });
}

}  // namespace

void write_timings(Page& page, const RunRecord& record) {
  page.element("section", {{"id", "timings"}}, [&] {
    page.element("h2", {}, "Where the time went");
    if (record.timings.empty()) {
      page.element("p", {{"class", "muted"}}, "The record holds no timings.");
      return;
    }
    const PhaseColours colours(record.timings);
    page.element(
        "p", {{"class", "muted"}},
        fmt::format("{} from start to end. The sums count every machine by itself; machines work side by side.",
                    duration_text(record.duration_ms)));
    write_sums(page, record, colours);
    if (const auto cost = cost_of_state(record)) page.element("p", {{"class", "muted"}}, to_string(*cost));
    Gantt(page, record, colours).write();
  });
}

}  // namespace patchlab::reports::html

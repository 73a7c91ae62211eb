// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/forecast/course.hpp"

#include <algorithm>

namespace patchlab::runners::forecast {

Course::Index Course::add(Step step, std::span<const Index> after) {
  const auto index = static_cast<Index>(steps_.size());
  steps_.push_back(step);
  waits_for_.push_back(static_cast<std::uint32_t>(after.size()));
  for (const auto earlier : after) edges_.emplace_back(earlier, index);
  return index;
}

void Course::finish() {
  first_.assign(steps_.size() + 1, 0);
  for (const auto& [from, to] : edges_) ++first_[from + 1];
  for (std::size_t i = 0; i < steps_.size(); ++i) first_[i + 1] += first_[i];
  next_.resize(edges_.size());
  auto place = first_;
  for (const auto& [from, to] : edges_) next_[place[from]++] = to;
  edges_ = {};
}

std::span<const Course::Index> Course::before(Index step) const {
  return {next_.data() + first_[step], next_.data() + first_[step + 1]};
}

const Course::Shared* Course::shared_from(Index begin) const {
  const auto found = std::ranges::lower_bound(shared_, begin, {}, &Shared::begin);
  return found != shared_.end() && found->begin == begin ? &*found : nullptr;
}

std::int64_t Course::work_ms() const {
  std::int64_t sum = 0;
  for (const auto& step : steps_) sum += step.takes_slot ? step.ms : 0;
  return sum;
}

std::int64_t Course::chain_ms(const std::vector<bool>& leave_out) const {
  std::vector<std::int64_t> begins(steps_.size(), 0);
  std::vector<bool> nothing(steps_.size(), false);
  for (std::size_t i = 0; i < shared_.size() && i < leave_out.size(); ++i) {
    if (!leave_out[i]) continue;
    std::fill(nothing.begin() + shared_[i].begin, nothing.begin() + shared_[i].end + 1, true);
  }
  std::int64_t longest = 0;
  for (Index i = 0; i < steps_.size(); ++i) {
    const auto end = begins[i] + (nothing[i] ? 0 : steps_[i].ms);
    longest = std::max(longest, end);
    for (const auto next : before(i)) begins[next] = std::max(begins[next], end);
  }
  return longest;
}

}  // namespace patchlab::runners::forecast

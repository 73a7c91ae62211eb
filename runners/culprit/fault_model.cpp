// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/fault_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

namespace patchlab::runners {
namespace {

// Before anything was seen: most batches are good; two culprits, or a pair, are rarer than one by these factors.
constexpr double prior_of_no_fault = 0.7;
constexpr double share_of_another_group = 0.15;
constexpr double share_of_another_member = 0.10;
constexpr double likely_enough_to_grow = 0.12;
// What one observation more weighs in the estimate of the rates: as if so many trials had been seen before.
constexpr double trials_before = 6;
constexpr double wrong_before = 0.15;

}  // namespace

struct FaultModel::Rates {
  struct Point {
    double rate, weight;
  };
  std::vector<Point> grid;
  static const Rates& of_false_fails() {
    static const Rates rates{{{0.0005, 0.60}, {0.01, 0.13}, {0.03, 0.11}, {0.06, 0.09}, {0.10, 0.05}, {0.20, 0.02}}};
    return rates;
  }
  // Some patches break things now and then only.
  static const Rates& of_false_passes() {
    static const Rates rates{{{0.0005, 0.60},
                              {0.01, 0.115},
                              {0.03, 0.11},
                              {0.06, 0.08},
                              {0.10, 0.05},
                              {0.20, 0.03},
                              {0.50, 0.012},
                              {0.67, 0.003}}};
    return rates;
  }
};

CandidateSet united(const CandidateSet& a, const CandidateSet& b) {
  CandidateSet all;
  std::ranges::set_union(a, b, std::back_inserter(all));
  return all;
}

CandidateSet without(const CandidateSet& set, const CandidateSet& left_out) {
  CandidateSet rest;
  std::ranges::set_difference(set, left_out, std::back_inserter(rest));
  return rest;
}

bool contains_all(const CandidateSet& set, const CandidateSet& members) { return std::ranges::includes(set, members); }

Prerequisites::Prerequisites(const std::vector<SearchCandidate>& candidates) : dependents_(candidates.size()) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    CandidateSet needs{i};
    for (const auto needed : candidates[i].prerequisites) needs = united(needs, needs_.at(needed));
    for (const auto needed : needs) dependents_[needed].push_back(i);
    needs_.push_back(std::move(needs));
  }
}

CandidateSet Prerequisites::all() const {
  CandidateSet all(count());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

bool Prerequisites::need_nobody(const CandidateSet& members) const {
  return std::ranges::all_of(members, [&](auto member) { return needs_[member].size() == 1; });
}

CandidateSet Prerequisites::with_needed(const CandidateSet& members) const {
  if (need_nobody(members)) return members;
  CandidateSet closed;
  for (const auto member : members) closed = united(closed, needs_[member]);
  return closed;
}

CandidateSet Prerequisites::with_dependents(const CandidateSet& members) const {
  CandidateSet closed;
  for (const auto member : members) closed = united(closed, dependents_[member]);
  return closed;
}

bool FaultModel::Fault::breaks(const std::vector<char>& present) const {
  for (const auto& group : closed) {
    bool whole = true;
    for (const auto member : group) whole = whole && present[member] != 0;
    if (whole) return true;
  }
  return false;
}

CandidateSet FaultModel::Fault::members() const {
  CandidateSet all;
  for (const auto& group : groups) all = united(all, group);
  return all;
}

FaultModel::FaultModel(const Prerequisites& prerequisites) : prerequisites_(&prerequisites) {
  const auto count = prerequisites.count();
  add({}, std::log(prior_of_no_fault));
  for (std::size_t i = 0; i < count; ++i) add({{i}}, std::log((1 - prior_of_no_fault) / static_cast<double>(count)));
  update();
}

std::vector<char> FaultModel::flags(const CandidateSet& set) const {
  std::vector<char> present(prerequisites_->count(), 0);
  for (const auto member : set) present[member] = 1;
  return present;
}

void FaultModel::observe(const CandidateSet& set, bool failed) {
  observations_.push_back({flags(set), failed});
  for (auto& fault : faults_) count(fault, observations_.back());
  update();
}

void FaultModel::suspect(std::size_t candidate) {
  for (auto& fault : faults_) {
    if (fault.groups == std::vector<CandidateSet>{{candidate}}) fault.log_prior = std::log(1 - prior_of_no_fault);
  }
  update();
}

void FaultModel::acquit(const CandidateSet& group, const CandidateSet& harmless) {
  acquitted_ = united(acquitted_, group);
  const auto safe = flags(harmless);
  std::erase_if(observations_, [&](const Observation& seen) {
    const bool holds = std::ranges::all_of(group, [&](auto member) { return seen.present[member] != 0; });
    const bool complete = std::ranges::equal(safe, seen.present, [](char wanted, char is) { return wanted <= is; });
    return holds && !complete;
  });
  faults_.clear();
  known_.clear();
  const auto count = prerequisites_->count();
  add({}, std::log(prior_of_no_fault));
  for (std::size_t i = 0; i < count; ++i) add({{i}}, std::log((1 - prior_of_no_fault) / static_cast<double>(count)));
  update();
}

std::vector<const FaultModel::Fault*> FaultModel::likeliest(std::size_t count) const {
  std::vector<const Fault*> order;
  for (const auto& fault : faults_) order.push_back(&fault);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), end, order.end(),
                    [](const auto* a, const auto* b) { return a->probability > b->probability; });
  order.erase(end, order.end());
  return order;
}

double FaultModel::failing(const CandidateSet& set) const {
  const auto present = flags(set);
  double breaking = 0;
  for (const auto& fault : faults_) {
    if (fault.breaks(present)) breaking += fault.probability;
  }
  return breaking * (1 - false_pass_rate_) + (1 - breaking) * false_fail_rate_;
}

// One spelling per fault, else two of them would share its probability for ever. False: it says nothing new, or names
// somebody who was acquitted.
bool FaultModel::normalise(std::vector<CandidateSet>& groups, std::vector<CandidateSet>& closed) const {
  for (auto& group : groups) {
    for (const auto member : group) {
      if (std::ranges::binary_search(acquitted_, member)) return false;
    }
    if (prerequisites_->need_nobody(group)) continue;
    for (const auto member : CandidateSet(group)) {
      const bool needed = std::ranges::any_of(group, [&](auto other) {
        return other != member && std::ranges::binary_search(prerequisites_->with_needed({other}), member);
      });
      if (needed) std::erase(group, member);
    }
  }
  std::ranges::sort(groups);
  for (const auto& group : groups) closed.push_back(prerequisites_->with_needed(group));
  for (std::size_t a = 0; a < closed.size(); ++a) {
    for (std::size_t b = 0; b < closed.size(); ++b) {
      // Whatever holds the larger one breaks because of the smaller one.
      if (a != b && contains_all(closed[b], closed[a])) return false;
    }
  }
  return true;
}

void FaultModel::add(std::vector<CandidateSet> groups, double log_prior) {
  Fault fault{.groups = {}, .closed = {}, .log_prior = log_prior};
  if (!normalise(groups, fault.closed) || !known_.insert(groups).second) return;
  fault.groups = std::move(groups);
  for (const auto& observation : observations_) count(fault, observation);
  faults_.push_back(std::move(fault));
}

void FaultModel::count(Fault& fault, const Observation& observation) {
  const bool breaks = fault.breaks(observation.present);
  if (observation.failed)
    ++(breaks ? fault.true_fails : fault.false_fails);
  else
    ++(breaks ? fault.false_passes : fault.true_passes);
}

void FaultModel::update() {
  weigh();
  while (grow()) weigh();
}

bool FaultModel::grow() {
  const auto count = prerequisites_->count();
  const auto per_candidate = [&](double share) { return std::log(share / static_cast<double>(count)); };
  bool any = false;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (faults_[i].grown || faults_[i].groups.empty() || faults_[i].probability < likely_enough_to_grow) continue;
    faults_[i].grown = any = true;
    const auto groups = faults_[i].groups;  // copies: what is added may move the list
    const auto prior = faults_[i].log_prior;
    for (std::size_t other = 0; other < count; ++other) {
      auto more = groups;
      more.push_back({other});
      add(std::move(more), prior + per_candidate(share_of_another_group));
      for (std::size_t g = 0; g < groups.size(); ++g) {
        if (std::ranges::binary_search(groups[g], other)) continue;
        auto wider = groups;
        wider[g] = united(wider[g], {other});
        add(std::move(wider), prior + per_candidate(share_of_another_member));
      }
    }
  }
  return any;
}

double FaultModel::log_likelihood(Table& table, const Rates& rates, std::size_t wrong, std::size_t right) {
  if (table.size() <= wrong) table.resize(wrong + 1);
  for (auto known = table[wrong].size(); known <= right; ++known) {
    double sum = 0;
    for (const auto& point : rates.grid) {
      sum += point.weight * std::pow(point.rate, static_cast<double>(wrong)) *
             std::pow(1 - point.rate, static_cast<double>(known));
    }
    table[wrong].push_back(std::log(std::max(sum, std::numeric_limits<double>::min())));
  }
  return table[wrong][right];
}

void FaultModel::weigh() {
  double most = -std::numeric_limits<double>::infinity();
  for (auto& fault : faults_) {
    fault.probability =
        fault.log_prior +
        log_likelihood(of_false_fails_, Rates::of_false_fails(), fault.false_fails, fault.true_passes) +
        log_likelihood(of_false_passes_, Rates::of_false_passes(), fault.false_passes, fault.true_fails);
    most = std::max(most, fault.probability);
  }
  double sum = 0;
  for (auto& fault : faults_) sum += fault.probability = std::exp(fault.probability - most);
  double false_fails = 0, without_fault = 0, false_passes = 0, with_fault = 0;
  likeliest_ = 0;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    auto& fault = faults_[i];
    fault.probability /= sum;
    if (fault.probability > faults_[likeliest_].probability) likeliest_ = i;
    false_fails += fault.probability * static_cast<double>(fault.false_fails);
    without_fault += fault.probability * static_cast<double>(fault.false_fails + fault.true_passes);
    false_passes += fault.probability * static_cast<double>(fault.false_passes);
    with_fault += fault.probability * static_cast<double>(fault.false_passes + fault.true_fails);
  }
  false_fail_rate_ = (false_fails + wrong_before) / (without_fault + trials_before);
  false_pass_rate_ = (false_passes + wrong_before) / (with_fault + trials_before);
}

}  // namespace patchlab::runners

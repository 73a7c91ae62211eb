// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/questions.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace patchlab::runners {
namespace {

constexpr double too_unlikely = 1e-7;     // to weigh in a choice
constexpr double worth_a_thought = 0.02;  // a fault from which questions are made
constexpr double agreed_on = 0.4;         // the share of the faults that a member or group is part of
constexpr std::size_t faults_in_question = 4;
// Among equals trying somebody alone goes first.
constexpr double bonus_for_proof = 0.05;
// What a question is worth: what it tells, by this power of what it costs. By 0 questions are fewest, by 1 they are
// cheapest: it takes many cheap ones then, and each is a chance for the lab to lie.
constexpr double weight_of_costs = 0.2;

double entropy(double p) { return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p); }

// All prefixes, each with `extra` added and `left_out` taken away.
struct Family {
  CandidateSet extra, left_out;
};

class Chooser {
 public:
  Chooser(const FaultModel& model, const Prerequisites& prerequisites, const CandidateSet& never_asked,
          const ExpectedCosts& costs)
      : model_(model), prerequisites_(prerequisites), never_asked_(never_asked), costs_(costs) {}

  std::optional<CandidateSet> choose() {
    offer({}, {});
    offer_of_likely_faults();
    offer_of_what_is_agreed();
    for (const auto& family : families_) weigh(family);
    if (best_.family == nullptr) return std::nullopt;
    return set_of(*best_.family, best_.length);
  }

 private:
  struct Choice {
    double worth = 0;
    const Family* family = nullptr;
    std::size_t length = 0;
  };

  void offer(CandidateSet extra, CandidateSet left_out) {
    left_out = prerequisites_.with_dependents(united(left_out, never_asked_));
    extra = prerequisites_.with_needed(extra);
    for (const auto& family : families_) {
      if (family.extra == extra && family.left_out == left_out) return;
    }
    if (without(extra, left_out) == extra) families_.push_back({std::move(extra), std::move(left_out)});
  }

  void offer_of_likely_faults() {
    for (const auto* fault : model_.likeliest(faults_in_question)) {
      if (fault->probability < worth_a_thought) break;
      const auto members = fault->members();
      if (!members.empty()) offer({}, members);
      for (const auto& group : fault->groups) {
        offer(group, {});
        if (fault->groups.size() == 1) continue;
        offer({}, group);
        offer_only(group, members);
      }
    }
  }

  // However thinly the rest is spread: what most of the faults agree on is left out, or kept in.
  void offer_of_what_is_agreed() {
    std::vector<double> share(prerequisites_.count(), 0);
    std::map<CandidateSet, double> share_of_group;
    for (const auto& fault : model_.faults()) {
      if (fault.probability < too_unlikely) continue;
      for (const auto member : fault.members()) share[member] += fault.probability;
      for (const auto& group : fault.groups) share_of_group[group] += fault.probability;
    }
    CandidateSet agreed;
    for (std::size_t i = 0; i < share.size(); ++i) {
      if (share[i] >= agreed_on) agreed.push_back(i);
    }
    if (agreed.empty()) return;
    offer({}, agreed);
    offer(agreed, {});
    for (const auto member : agreed) {
      offer_only({member}, agreed);
      offer({}, {member});
      offer({member}, {});
    }
    for (const auto& [group, part] : share_of_group) {
      if (part < agreed_on) continue;
      offer({}, group);
      offer_only(group, agreed);
    }
  }

  void offer_only(const CandidateSet& kept, const CandidateSet& of) {
    const auto needed = prerequisites_.with_needed(kept);
    offer(kept, without(prerequisites_.with_dependents(without(of, kept)), needed));
  }

  // What each length tells: the entropy of the answer less that of the noise in it.
  void weigh(const Family& family) {
    const auto count = prerequisites_.count();
    std::vector<double> breaks_from(count + 1, 0);  // by length: faults that need a prefix of at least that
    const auto extra = model_.flags(family.extra);
    const auto left_out = model_.flags(family.left_out);
    for (const auto& fault : model_.faults()) {
      if (fault.probability < too_unlikely) continue;
      if (const auto least = least_length(fault, extra, left_out)) breaks_from[*least] += fault.probability;
    }
    const auto noise = [&](double breaking) {
      return breaking * entropy(model_.false_pass_rate()) + (1 - breaking) * entropy(model_.false_fail_rate());
    };
    double breaking = 0;
    for (std::size_t length = 0; length <= count; ++length) {
      breaking = std::min(1.0, breaking + breaks_from[length]);
      const bool changes_nothing = length == 0 ? family.extra.empty() : left_out[length - 1] != 0 && length < count;
      if (changes_nothing) continue;
      const auto failing = breaking * (1 - model_.false_pass_rate()) + (1 - breaking) * model_.false_fail_rate();
      const auto told = entropy(failing) - noise(breaking);
      if (told <= 1e-6) continue;
      const bool alone = length == 0 && breaking > 0;
      // Trying somebody alone is half of the proof besides, if it fails: then it costs nothing more.
      const auto spent = alone ? 1 - failing : 1;
      const auto worth = told + (alone ? bonus_for_proof * told : 0);
      const auto least = costs_.least(failing);
      if (worth * for_cost(std::max(spent, 0.5) * least) <= best_.worth) continue;
      const auto seconds = spent * costs_.seconds(set_of(family, length), alone, failing);
      const auto for_this = worth * for_cost(std::max(seconds, least / 2));
      if (for_this > best_.worth) best_ = {for_this, &family, length};
    }
  }

  static double for_cost(double seconds) { return std::pow(seconds, -weight_of_costs); }

  static std::optional<std::size_t> least_length(const FaultModel::Fault& fault, const std::vector<char>& extra,
                                                 const std::vector<char>& left_out) {
    std::optional<std::size_t> least;
    for (const auto& group : fault.closed) {
      if (std::ranges::any_of(group, [&](auto member) { return left_out[member] != 0; })) continue;
      std::size_t length = 0;
      for (const auto member : group) {
        if (extra[member] == 0) length = std::max(length, member + 1);
      }
      least = least ? std::min(*least, length) : length;
    }
    return least;
  }

  [[nodiscard]] CandidateSet set_of(const Family& family, std::size_t length) const {
    auto prefix = prerequisites_.all();
    prefix.resize(length);
    return without(united(prefix, family.extra), family.left_out);
  }

  const FaultModel& model_;
  const Prerequisites& prerequisites_;
  const CandidateSet& never_asked_;
  const ExpectedCosts& costs_;
  std::vector<Family> families_;  // all of them are offered before one is weighed
  Choice best_;
};

}  // namespace

std::optional<CandidateSet> most_telling_set(const FaultModel& model, const Prerequisites& prerequisites,
                                             const CandidateSet& never_asked, const ExpectedCosts& costs) {
  return Chooser(model, prerequisites, never_asked, costs).choose();
}

}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/search.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runners/culprit/questions.hpp"

namespace patchlab::runners {
namespace {

constexpr double likely_enough_to_prove = 0.9;
constexpr double sure = 0.98;
constexpr double suspicious = 0.01;
// A lab is never believed to lie less often than that, and a failure counts when such a lab would have shown it in
// fewer cases than that.
constexpr double least_noise = 0.05;
constexpr double most_doubt = 0.003;
constexpr double most_doubt_of_a_liar = 0.0003;  // where several such answers in a row decide, or many sets are tried
// A second culprit is in what is left before it was tried; and that it goes unseen is to be rarer than that.
constexpr double share_of_a_second_culprit = 0.25;
constexpr double most_escapes = 0.001;
constexpr std::size_t most_passes_more = 2;
constexpr std::size_t passes_that_acquit = 3;
constexpr std::size_t most_passes_without_a_member = 6;
constexpr std::size_t most_tries_of_the_whole_set = 9;

std::size_t default_budget(std::size_t candidates) {
  return 64 + static_cast<std::size_t>(12 * std::log2(static_cast<double>(candidates) + 1));
}

}  // namespace

CulpritSearch::CulpritSearch(const std::vector<SearchCandidate>& candidates, SearchPolicy policy)
    : prerequisites_(std::make_shared<Prerequisites>(candidates)),
      all_(prerequisites_->all()),
      policy_(std::move(policy)),
      model_(*prerequisites_),
      costs_(policy_.costs) {
  if (policy_.budget == 0) policy_.budget = default_budget(all_.size());
  if (all_.empty()) {
    stop(SearchEnd::inconclusive, "there was no candidate to search among");
    return;
  }
  if (policy_.suspect) model_.suspect(*policy_.suspect);
  if (std::ranges::none_of(policy_.seen, [&](const auto& sighting) { return sighting.failed && sighting.set == all_; }))
    policy_.seen.push_back({all_, true});
  for (const auto& [set, failed] : policy_.seen) {
    if (set.empty()) continue;
    auto& answers = answers_[set];
    ++(failed ? answers.fails : answers.passes);
    model_.observe(set, failed);
    costs_.ran(set);
  }
}

std::optional<Question> CulpritSearch::next() {
  Step step;
  while (!ended_ && !step) {
    step = reproduce();
    if (!ended_ && !step) step = decide();
  }
  if (step && result_.probes >= policy_.budget) {
    give_up(fmt::format("it was given up after {} answers", result_.probes));
    return std::nullopt;
  }
  return ended_ ? std::nullopt : step;
}

void CulpritSearch::answer(const Question& question, Outcome outcome) {
  auto& answers = answers_[question.set];
  ++result_.probes;
  if (question.freshness != Freshness::fresh) costs_.ran(question.set);
  switch (outcome) {
    case Outcome::fail:
    case Outcome::pass:
      answers.unresolved = 0;
      ++(outcome == Outcome::fail ? answers.fails : answers.passes);
      if (outcome == Outcome::fail && question.freshness == Freshness::fresh) ++answers.fresh_fails;
      return model_.observe(question.set, outcome == Outcome::fail);
    case Outcome::not_reached: return stop(SearchEnd::cancelled, "the search was cancelled");
    case Outcome::error:
    case Outcome::skipped:
      // It says nothing, and is never taken for a pass.
      if (++answers.unresolved > policy_.unresolved_retries)
        give_up("a probe could not be resolved: the lab could not tell");
  }
}

std::optional<Question> CulpritSearch::foreseen(const Question& pending) const {
  auto copy = *this;
  copy.answer(pending, model_.failing(pending.set) >= 0.5 ? Outcome::fail : Outcome::pass);
  return copy.next();
}

const CulpritSearch::Answers& CulpritSearch::answers_for(const CandidateSet& set) const {
  static const Answers none;
  const auto known = answers_.find(set);
  return known == answers_.end() ? none : known->second;
}

// An answer that is known is never taken for a second observation.
Question CulpritSearch::ask(const CandidateSet& set) const {
  const auto& known = answers_for(set);
  return {set, known.is_unasked() ? Freshness::may_reuse : Freshness::again};
}

// Was the failure real? A flake must not cost a search, nor a candidate its place.
CulpritSearch::Step CulpritSearch::reproduce() {
  if (policy_.suspect) {
    const auto alone = prerequisites_->with_needed({*policy_.suspect});
    const auto& known = answers_for(alone);
    if (known.fails + known.passes == 0) return Question{alone, Freshness::fresh};
    if (known.fails > 0) return std::nullopt;
  }
  const auto& whole = answers_for(all_);
  if (whole.fails >= 2) return std::nullopt;
  if (whole.passes >= policy_.passes) {
    stop(SearchEnd::not_reproduced, fmt::format("the whole set failed once and then passed {}",
                                                whole.passes == 1 ? "once" : fmt::format("{} times", whole.passes)));
    return std::nullopt;
  }
  // The failure that started the search was this department's own; whoever else tried the same set is a second one.
  const bool first = whole.passes == 0 && whole.unresolved == 0;
  return Question{all_, first ? Freshness::may_reuse : Freshness::again};
}

CulpritSearch::Step CulpritSearch::decide() {
  const auto& likely = model_.likeliest();
  if (likely.probability >= likely_enough_to_prove) {
    if (likely.groups.empty()) {
      const auto& whole = answers_for(all_);
      if (whole.is_settled_pass()) {
        stop(SearchEnd::not_reproduced,
             fmt::format("the whole set failed {} times and passed {} times", whole.fails, whole.passes));
        return std::nullopt;
      }
      if (whole.fails + whole.passes >= most_tries_of_the_whole_set) {
        give_up("the whole set now fails, now passes");
        return std::nullopt;
      }
      return ask(all_);
    }
    if (auto step = prove(likely)) return step;
    bool acquitted = false;
    if (auto step = put_back(likely, acquitted); step || acquitted) return step;
    if (likely.probability >= sure) {
      name(likely);
      return std::nullopt;
    }
  }
  return ask_what_tells_most();
}

CandidateSet CulpritSearch::rest_without(const std::vector<CandidateSet>& groups) const {
  CandidateSet gone;
  for (const auto& group : groups) gone = united(gone, group);
  return without(all_, prerequisites_->with_dependents(gone));
}

bool CulpritSearch::is_proven_alone(const CandidateSet& group, const CandidateSet& closed) const {
  const auto& seen = answers_for(closed);
  const auto wanted = std::max<std::size_t>(1, policy_.confirmations);
  if (seen.fails < 1 + policy_.confirmations || seen.fresh_fails < wanted) return false;
  // There are many pairs: that a lab lies twice about the same one is not rare.
  const bool is_strict = lab_has_lied() || group.size() > 1;
  return policy_.confirmations == 0 || is_settled_fail(seen, is_strict ? most_doubt_of_a_liar : most_doubt);
}

bool CulpritSearch::lab_has_lied() const {
  const auto& likely = model_.likeliest();
  return likely.false_fails + likely.false_passes > 0;
}

bool CulpritSearch::is_settled_fail(const Answers& seen, double doubt) const {
  const auto lies = std::max(least_noise, model_.false_fail_rate());
  const auto tries = static_cast<double>(seen.fails + seen.passes);
  double at_least = 0, term = std::pow(1 - lies, tries);  // of the binomial distribution
  for (std::size_t fails = 0; fails <= seen.fails + seen.passes; ++fails) {
    if (fails >= seen.fails) at_least += term;
    term *= (tries - static_cast<double>(fails)) / (static_cast<double>(fails) + 1) * lies / (1 - lies);
  }
  return at_least <= doubt;
}

std::size_t CulpritSearch::passes_of_the_rest() const {
  const auto wanted = std::log(most_escapes / share_of_a_second_culprit) / std::log(model_.false_pass_rate());
  const auto more = std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(wanted)), 2, 2 + most_passes_more) - 2;
  return policy_.rest_passes + std::max<std::size_t>(more, lab_has_lied() ? 1 : 0);
}

// What is still to be seen before this may be said: each group fails alone, without any member it does not, and what is
// left passes.
CulpritSearch::Step CulpritSearch::prove(const FaultModel::Fault& fault) {
  for (std::size_t g = 0; g < fault.groups.size(); ++g) {
    if (!is_proven_alone(fault.groups[g], fault.closed[g])) return Question{fault.closed[g], Freshness::fresh};
  }
  const auto rest = rest_without(fault.groups);
  if (!rest.empty() && !answers_for(rest).is_settled_pass(passes_of_the_rest())) {
    auto question = ask(rest);
    question.is_rest = true;
    return question;
  }
  // Somebody who breaks things now and then by himself may pass alone: then no other belongs to him.
  const auto passes = std::min(most_passes_without_a_member, 2 + 2 * fault.false_passes);
  for (std::size_t g = 0; g < fault.groups.size(); ++g) {
    for (const auto member : fault.groups[g]) {
      const auto less = without(fault.closed[g], prerequisites_->with_dependents({member}));
      if (less.empty()) continue;
      // Fails without a member, only not always: then the group would have to fail always.
      if (is_settled_fail(answers_for(less), most_doubt)) return Question{fault.closed[g], Freshness::fresh};
      if (!answers_for(less).is_settled_pass(passes)) return ask(less);
    }
  }
  return std::nullopt;
}

// Whom another one of the set repairs breaks nothing that is to be promoted: each group, put back alone, must break the
// rest again. A single one is in the whole set, which failed; that is asked again only when it was seen passing, too:
// by an earlier search, which has acquitted this very group, and a flake of the final trial leads here.
CulpritSearch::Step CulpritSearch::put_back(const FaultModel::Fault& fault, bool& acquitted) {
  const bool is_single = fault.groups.size() == 1;
  const auto passes = is_single ? std::max(passes_that_acquit, policy_.passes) : passes_that_acquit;
  for (const auto& group : fault.groups) {
    auto others = fault.groups;
    std::erase(others, group);
    const auto back = rest_without(others);
    const auto& seen = answers_for(back);
    if (is_single && seen.passes == 0) continue;
    if (!contains_all(back, group) || is_settled_fail(seen, most_doubt_of_a_liar)) continue;
    if (seen.passes < passes || !seen.is_settled_pass()) return ask(back);
    acquitted = true;
    acquitted_ = united(acquitted_, group);
    model_.acquit(CandidateSet(group), back);
    return std::nullopt;
  }
  return std::nullopt;
}

CulpritSearch::Step CulpritSearch::ask_what_tells_most() {
  const auto set = most_telling_set(model_, *prerequisites_, acquitted_, costs_);
  if (!set) {
    give_up("no further trial would tell more");
    return std::nullopt;
  }
  // Whoever is tried alone is tried from the baseline: when it fails, that is half of the proof.
  const bool proof = std::ranges::any_of(model_.likeliest(8), [&](const auto* fault) {
    return fault->probability > 0.02 && std::ranges::count(fault->closed, *set) > 0;
  });
  return proof && *set != all_ ? Question{*set, Freshness::fresh} : ask(*set);
}

void CulpritSearch::name(const FaultModel::Fault& fault) {
  const auto rest = rest_without(fault.groups);
  for (std::size_t g = 0; g < fault.groups.size(); ++g) {
    NamedGroup named{fault.groups[g], fault.closed[g], {}};
    named.explanation = named.members.size() == 1 ? "fails alone" : "fail only together: without any of them it works";
    if (!rest.empty())
      named.explanation += ", and the rest passes without " + std::string(fault.members().size() == 1 ? "it" : "them");
    result_.culprit = united(result_.culprit, named.members);
    result_.groups.push_back(std::move(named));
  }
  stop(SearchEnd::found, fmt::format("found after {} answers", result_.probes));
}

void CulpritSearch::give_up(const std::string& because) {
  std::vector<double> share(all_.size(), 0);
  for (const auto& fault : model_.faults()) {
    for (const auto member : fault.members()) share[member] += fault.probability;
  }
  for (const auto member : all_) {
    if (share[member] >= suspicious) result_.suspicious.push_back(member);
  }
  if (result_.suspicious.empty()) result_.suspicious = all_;
  const auto& likely = model_.likeliest();
  stop(SearchEnd::inconclusive,
       likely.groups.empty() || likely.probability < 0.5
           ? because
           : fmt::format("{}; the odds are {:.0f} % for one explanation, which could not be proven", because,
                         std::floor(100 * likely.probability)));
}

void CulpritSearch::stop(SearchEnd end, std::string explanation) {
  if (ended_) return;
  ended_ = true;
  result_.end = end;
  result_.explanation = std::move(explanation);
  for (const auto& [set, seen] : answers_) {
    if (seen.fails > 0 && seen.passes > 0) result_.contradictions.push_back({set, seen.fails, seen.passes});
  }
}

SearchResult find_culprit(const std::vector<SearchCandidate>& candidates, const Probe& probe,
                          const SearchPolicy& policy) {
  CulpritSearch search(candidates, policy);
  while (const auto question = search.next()) search.answer(*question, probe(question->set, question->freshness));
  return search.result();
}

}  // namespace patchlab::runners

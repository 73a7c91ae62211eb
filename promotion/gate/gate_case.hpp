// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "promotion/gate/gate.hpp"

namespace patchlab::promotion {

[[nodiscard]] bool same_members(const std::vector<std::string>& a, const std::vector<std::string>& b);

// One department of one run as it stands before the gate: what is known of it, and the requirements that were found so
// far. The rules (rules.hpp) look at the first and add to the second; what depends on all of them is concluded here.
class GateCase {
 public:
  // `people`: what they decided about the set; null: nothing. `named`: it is about their set, also with what failed in
  // it; else about what passed.
  enum class Named { no, yes };
  GateCase(const reports::RunRecord& its_record, const reports::DepartmentRecord& its_department,
           const Policy& its_policy, const Today& its_today, const PeopleOn* its_people, Named is_named)
      : record(its_record),
        department(its_department),
        policy(its_policy),
        today(its_today),
        people(its_people == nullptr ? nobody : *its_people),
        named(is_named) {}

  const reports::RunRecord& record;
  const reports::DepartmentRecord& department;
  const Policy& policy;
  const Today& today;
  const PeopleOn& people;
  const Named named;

  Decision decision;
  std::string went_back;            // by a rollback, in words
  std::vector<std::string> passed;  // candidates, also those whose failures were accepted
  std::size_t shown = 0;            // changes that nothing explains, and about which the policy asks nobody

  void block(ReasonCode code, Subject subject, std::string text);
  // The same with a command that is not the code's own; empty: that one.
  void block(ReasonCode code, Subject subject, std::string text, std::string command);
  void hold_back(ReasonCode code, const std::string& candidate, std::string text);
  // Everything that this code asks for was looked at: unless something blocks, it is met, and `found` is what was seen.
  void asked(ReasonCode code, Subject subject, std::string found);
  // Each is said on its own, also where nothing else is to be said.
  void take_over(ReasonCode code, Subject subject, const Demand& demand);

  [[nodiscard]] bool is_in_named_set(const std::string& candidate) const;
  // Whether this failure was accepted. Then it is met, once for each code, and keeps its outcome.
  [[nodiscard]] bool is_accepted(ReasonCode code, Subject subject, const std::string& key, const std::string& text);
  [[nodiscard]] bool all_waived(const std::vector<std::string>& facts) const;
  // It fails without any patch, too, and the policy takes that for an explanation.
  [[nodiscard]] bool is_excused(const std::string& fact) const;

  [[nodiscard]] Subject of_run() const { return {.run = record.id}; }
  [[nodiscard]] Subject of_department() const { return {.department = department.name}; }
  [[nodiscard]] Subject of_machine(const std::string& name) const {
    return {.department = department.name, .machine = name};
  }
  [[nodiscard]] Subject of_candidate(const std::string& id) const {
    return {.department = department.name, .candidate = id};
  }
  [[nodiscard]] Subject of_trial(const std::string& id) const { return {.department = department.name, .trial = id}; }
  // Of a fact as in a signature: "mail/deliver".
  [[nodiscard]] Subject of_fact(const std::string& fact, const std::string& trial = {}) const;

  // After all rules: `decision` is complete.
  void conclude();

 private:
  [[nodiscard]] const WaivedFailure* waiver_of(const std::string& key) const;
  void say_what_does_not_count();
  void say_emergency();
  [[nodiscard]] std::vector<std::string> approvers() const;

  static inline const PeopleOn nobody{};
  static constexpr std::size_t most_named = 3;
  std::vector<Requirement> asked_;   // met, unless something blocks
  std::vector<Requirement> waived_;  // met, since somebody accepted it
  std::vector<std::string> taken_over_;
};

}  // namespace patchlab::promotion

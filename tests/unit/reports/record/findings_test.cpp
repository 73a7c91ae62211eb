// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/findings.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using checks::state::FindingClass;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

StateDifference changed(const std::string& item, const std::string& after,
                        FindingClass finding = FindingClass::review) {
  return {"file", item, "before", after, finding, {}, {}};
}

// docs/audit.sh makes the same of the same record, with jq and sha256sum.
TEST(FindingDigest, IsOfNetstringsThatAnybodyCanMake) {
  const StateDifference odd{
      "file",    "/etc/p\xC3\xB6 st fix/main.cf", std::string("\xC3\xA4\0b", 4), "", FindingClass::review, "why",
      "-a\n+b\n"};
  EXPECT_EQ(finding_digest(odd), "69d3986afca3a1c3176a9c1474580c9fbce653ed2cb52ea1372af7070011c2e4");
  EXPECT_EQ(finding_digest({"a", "b", "", "c"}), sha256("1:a,1:b,0:,1:c,0:,"));
  EXPECT_EQ(finding_name(odd), "review:file:/etc/p_st_fix/main.cf@" + finding_digest(odd));
}

// Each that a person sees; the words of a rule, and the class, say nothing of what is there.
TEST(FindingDigest, IsOfExactlyWhatAPersonSees) {
  const StateDifference one{"file", "/etc/x", "a", "b", FindingClass::review, "why", "-a\n+b\n"};
  for (const auto part : {&StateDifference::kind, &StateDifference::item, &StateDifference::before,
                          &StateDifference::after, &StateDifference::diff}) {
    auto other = one;
    other.*part += "x";
    EXPECT_NE(finding_digest(other), finding_digest(one));
  }
  auto same = one;
  same.why = "another rule";
  EXPECT_EQ(finding_key("mail", same), finding_key("mail", one));
  EXPECT_NE(finding_key("dns", one), finding_key("mail", one));
  EXPECT_NE(finding_digest({"a", "bc", "", ""}), finding_digest({"ab", "c", "", ""}));
}

TEST(FindingName, IsAWordForAnyShellAndStatement) {
  const auto name = [](const std::string& item) {
    auto text = finding_name(changed(item, "x"));
    return text.substr(0, text.find('@'));
  };
  EXPECT_EQ(name("a b;$(c)'\"`\n\\*?~#&|<>(){}[]!@%^"), "review:file:a_b_c_");
  EXPECT_EQ(name(std::string(300, 'a')), "review:" + ("file:" + std::string(300, 'a')).substr(0, 100));
  EXPECT_EQ(finding_name(changed("x", "y", FindingClass::breach)), "state:file:x");
  EXPECT_THAT(finding_name(changed("x", "y", FindingClass::notice)), testing::StartsWith("notice:file:x@"));
}

class FindingsOfSet : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> seen() const {
    std::vector<std::string> all;
    for (const auto& one : findings_of_set(department(), set_in_question(department(), {})))
      all.push_back(one.machine + " " + one.difference.item + " " + one.difference.after);
    return all;
  }
  [[nodiscard]] const DepartmentRecord& department() const { return record_.departments[0]; }
  TrialRecord& trial(std::size_t i) { return record_.departments[0].trials.at(i); }
  TrialRecord& final_trial() { return trial(2); }
  void change(TrialRecord& trial, std::size_t phase, const StateDifference& difference) {
    trial.phases.at(phase).differences.push_back(difference);
  }
  TrialRecord& copy_of_the_final_trial(Purpose purpose) {
    auto copy = final_trial();
    copy.id = "finance/t55";
    copy.purpose = purpose;
    record_.departments[0].trials.push_back(copy);
    return record_.departments[0].trials.back();
  }

  RunRecord record_ = tests::good_record();
};

TEST_F(FindingsOfSet, AreOneForEachChangeWhereverItWasSeen) {
  EXPECT_THAT(seen(), IsEmpty());
  auto& phases = final_trial().phases;
  const auto machine = phases[0].machine;
  for (auto& phase : phases) {
    if (phase.machine == machine) phase.differences.push_back(changed("/etc/x", "1"));
  }
  const auto findings = findings_of_set(department(), set_in_question(department(), {}));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_GT(findings[0].phases.size(), 1U);
  EXPECT_THAT(findings[0].trials, ElementsAre("finance/t2"));
  EXPECT_EQ(findings[0].candidates, final_trial().candidates) << "nobody knows which of them did it";
  change(final_trial(), 0, changed("/etc/x", "2"));
  EXPECT_THAT(seen(), ElementsAre(machine + " /etc/x 1", machine + " /etc/x 2"));
  change(final_trial(), 0, changed("/etc/a", "1", FindingClass::notice));
  change(final_trial(), 0, changed("/etc/a", "1", FindingClass::breach));
  EXPECT_THAT(seen(), ElementsAre(machine + " /etc/x 1", machine + " /etc/x 2", machine + " /etc/a 1"))
      << "what asks somebody first; a breach is a failure";
}

TEST_F(FindingsOfSet, AreThoseOfEveryTrialOfItThatCounts) {
  for (const auto purpose : {Purpose::batch, Purpose::search, Purpose::confirm, Purpose::final}) {
    record_ = tests::good_record();
    change(copy_of_the_final_trial(purpose), 0, changed("/etc/x", "1"));
    EXPECT_EQ(seen().size(), 1U) << to_string(purpose);
  }
  // Of what is for a part of the machines, on these alone.
  auto& part = record_.departments[0].trials.back();
  part.machines = {part.phases[0].machine};
  std::erase_if(part.candidates, [&](const auto& id) {
    return std::ranges::count(find_verdict(department(), id)->machines, part.machines[0]) == 0;
  });
  ASSERT_FALSE(part.candidates.empty());
  EXPECT_EQ(seen().size(), 1U);
}

TEST_F(FindingsOfSet, AreNoneOfOtherSetsAndOfWhatDoesNotCount) {
  change(trial(0), 0, changed("/etc/x", "1"));  // the baseline
  change(trial(1), 0, changed("/etc/x", "1"));  // the control
  change(copy_of_the_final_trial(Purpose::removal), 0, changed("/etc/x", "1"));
  EXPECT_THAT(seen(), IsEmpty());
  auto& other = copy_of_the_final_trial(Purpose::final);
  change(other, 0, changed("/etc/x", "1"));
  EXPECT_EQ(seen().size(), 1U);
  other.retried_as = "finance/t56";
  EXPECT_THAT(seen(), IsEmpty()) << "another try counts";
  other.retried_as.clear();
  other.reused_from = "finance/t2";
  EXPECT_THAT(seen(), IsEmpty()) << "that trial is looked at";
  other.reused_from.clear();
  other.candidates.pop_back();
  EXPECT_THAT(seen(), IsEmpty());
  EXPECT_THAT(findings_of_other_sets(department(), final_trial().candidates), Not(IsEmpty()));
  EXPECT_THAT(findings_of_set(department(), {}), IsEmpty());
}

TEST_F(FindingsOfSet, AreAlsoThoseOfATryThatWasInstalledAnew) {
  record_.departments[0].trials.reserve(8);
  auto& lost = copy_of_the_final_trial(Purpose::batch);
  change(lost, 0, changed("/etc/x", "1"));
  lost.retried_as = final_trial().id;
  EXPECT_THAT(seen(), IsEmpty());
  for (auto& install : lost.installs) install.installed_run = "20261128-010000-aaaa";
  EXPECT_EQ(seen().size(), 1U) << "that explains nothing";
  lost.outcome = Outcome::error;
  EXPECT_THAT(seen(), IsEmpty()) << "it came to no end, and would have been tried again anyway";
  lost.outcome = Outcome::pass;
  auto& again = copy_of_the_final_trial(Purpose::batch);
  change(again, 0, changed("/etc/x", "1"));
  again.retried_as = final_trial().id;
  EXPECT_THAT(seen(), IsEmpty()) << "what was seen again is a matter of that trial, and something explained it";
  change(again, 0, changed("/etc/x", "2"));
  change(lost, 0, changed("/etc/x", "3"));
  EXPECT_EQ(seen().size(), 1U) << "another change is another one";
}

}  // namespace
}  // namespace patchlab::reports

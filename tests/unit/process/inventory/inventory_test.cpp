// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/inventory/inventory.hpp"

#include <gmock/gmock.h>

namespace patchlab::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A lab that tests name servers and mail in finance, and name servers in sales.
class InventoryComparison : public ::testing::Test {
 protected:
  InventoryComparison() {
    input_.tested = {{"finance", "dns1", "dns"}, {"finance", "mail1", "mail"}, {"sales", "dns1", "dns"}};
    add("hosts.csv",
        {listed("fin-dns", "10.0.0.1", "finance", "dns"), listed("fin-mail", "10.0.0.2", "finance", "mail"),
         listed("sal-dns", "10.0.0.3", "sales", "dns")});
  }
  static ListedMachine listed(const std::string& name, const std::string& address, const std::string& department,
                              const std::string& role) {
    ListedMachine machine;
    machine.name = name;
    machine.address = address;
    machine.department = department;
    machine.role = role;
    machine.place = "line 2";
    return machine;
  }
  void add(const std::string& file, std::vector<ListedMachine> machines) {
    Inventory inventory;
    inventory.file = file;
    inventory.machines = std::move(machines);
    input_.inventories.push_back(std::move(inventory));
  }
  // "kind subject: why" of each.
  [[nodiscard]] std::vector<std::string> found() const {
    std::vector<std::string> lines;
    for (const auto& one : compare_inventory(input_).findings)
      lines.push_back(std::string(to_string(one.kind)) + " " + one.subject + ": " + one.why);
    return lines;
  }
  static Reported report(const std::string& machine, const std::string& observed) {
    Reported said;
    said.machine = machine;
    said.observed = observed;
    said.from = "said";
    return said;
  }
  InventoryInput input_;
};

TEST_F(InventoryComparison, FindsNothingWhereBothMeet) {
  const auto result = compare_inventory(input_);
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_TRUE(result.clean());
  ASSERT_THAT(result.machines, SizeIs(3));
  EXPECT_THAT(result.machines[0].tested_as, ElementsAre("finance/dns1"));
  EXPECT_FALSE(result.machines[0].answers) << "nobody asked";
}

TEST_F(InventoryComparison, FindsServersThatNobodyTestsAndRolesWithoutAServer) {
  input_.inventories[0].machines[1] = listed("fin-web", "", "finance", "web");
  input_.inventories[0].machines[2] = listed("hr-dns", "", "hr", "dns");
  input_.inventories[0].machines.push_back(listed("sal-mail", "", "sales", "mail"));
  EXPECT_THAT(found(), ElementsAre("untested fin-web: no machine of the scenario has its role 'web'",
                                   "untested hr-dns: its department 'hr' is not in the scenario",
                                   "untested sal-mail: its role 'mail' is tested in finance/mail1, and not in its "
                                   "department 'sales'",
                                   "no-server finance/mail1: no server of 'finance' has the role 'mail'",
                                   "no-server sales/dns1: no server of 'sales' has the role 'dns'"));
}

TEST_F(InventoryComparison, TakesGroupsThatAreWordsOfTheScenarioAndWhatTheyAreCalledOtherwise) {
  auto& machine = input_.inventories[0].machines[0];
  machine.department = machine.role = "";
  machine.groups = {"Berlin", "Finance", "Nameservers"};
  EXPECT_THAT(found(),
              ElementsAre("no-server finance/dns1: no server of 'finance' has the role 'dns'",
                          "role-unknown fin-dns: none of its groups is a role of the scenario: Berlin, Finance, "
                          "Nameservers"));
  input_.called["nameservers"] = "dns";
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(InventoryComparison, DoesNotGuessADepartmentWhereItMatters) {
  input_.inventories[0].machines.push_back(listed("x-mail", "", "", "mail"));
  input_.inventories[0].machines.push_back(listed("y-dns", "", "", "dns"));
  EXPECT_THAT(found(), ElementsAre("department-unknown x-mail: its role 'mail' is tested in finance/mail1 only, and "
                                   "nobody says its department"));
}

TEST_F(InventoryComparison, FindsWhatTwoInventoriesSayDifferently) {
  auto other = listed("FIN-DNS.corp.example.", "10.0.0.9", "finance", "dns");
  other.system = "debian-12";
  input_.inventories[0].machines[0].system = "Debian 12";
  add("netbox.json", {other});
  const auto result = compare_inventory(input_);
  ASSERT_THAT(result.findings, SizeIs(1));
  EXPECT_EQ(result.findings[0].subject, "fin-dns.corp.example");
  EXPECT_EQ(result.findings[0].why, "address: '10.0.0.1' in hosts.csv, '10.0.0.9' in netbox.json");
  EXPECT_THAT(result.findings[0].places, ElementsAre("hosts.csv, line 2", "netbox.json, line 2"));
  EXPECT_THAT(result.machines, SizeIs(3));
  // A second name with a domain: nobody can tell which one is meant.
  add("third.csv", {listed("fin-dns.lab.example", "10.0.0.8", "finance", "dns")});
  EXPECT_THAT(found(), ElementsAre("ambiguous fin-dns: may be fin-dns.corp.example or fin-dns.lab.example"));
}

TEST_F(InventoryComparison, FindsTwoMachinesWithOneAddress) {
  input_.inventories[0].machines[1].address = "10.0.0.1";
  EXPECT_THAT(found(), ElementsAre("shared-address 10.0.0.1: is the address of fin-dns, fin-mail"));
}

TEST_F(InventoryComparison, FindsWhatAnswersAndNobodyListsOrNobodyExpects) {
  auto retired = listed("old", "10.0.0.7", "finance", "web");
  retired.status = "decommissioning";
  input_.inventories[0].machines.push_back(retired);
  EXPECT_THAT(found(), IsEmpty()) << "nobody tests what is not in service";
  AnsweringList list;
  list.file = "swept";
  list.systems = {{"10.0.0.1", "", "line 1"},
                  {"10.0.0.66", "printer", "line 2"},
                  {"10.0.0.7", "", "line 3"},
                  {"10.0.0.22", "fin-mail", "line 4"},
                  // The name server says another name: what the address is listed for counts.
                  {"10.0.0.3", "fin-mail", "line 5"}};
  input_.answering = list;
  EXPECT_THAT(found(), ElementsAre("not-listed 10.0.0.66: answers as 'printer', and is in no inventory",
                                   "answers-out-of-service old: answers at 10.0.0.7, and hosts.csv says that it is not "
                                   "in service",
                                   "other-address fin-mail: answers at 10.0.0.22, and is listed with 10.0.0.2"));
  input_.answering->systems.erase(input_.answering->systems.begin());
  EXPECT_EQ(compare_inventory(input_).machines[0].answers, std::optional(false));
  input_.answering->systems.erase(input_.answering->systems.begin(), input_.answering->systems.end() - 1);
  input_.answering->not_whole = "was cut";
  const auto silent = compare_inventory(input_);
  EXPECT_EQ(silent.machines[0].answers, std::nullopt) << "it may be in the other half";
  EXPECT_EQ(silent.machines[3].answers, std::optional(true));
  EXPECT_THAT(found(), ElementsAre("not-whole swept: was cut"));
}

TEST_F(InventoryComparison, ListsThoseThatNeverReportedAndThoseThatNobodyLists) {
  input_.reported = {report("Fin-Dns.corp.example", "2026-11-28T10:00:00Z"), report("stray", "2026-11-28T10:00:00Z"),
                     report("sal-dns", "2026-11-27T10:00:00Z"), report("sal-dns", "2026-11-28T10:00:00.5Z")};
  input_.reported->front().department = "sales";
  EXPECT_THAT(found(),
              ElementsAre("differs fin-dns.corp.example: department: 'finance' in hosts.csv, and it reported as one of "
                          "'sales' (said)",
                          "reported-not-listed stray: reported what it has, and is in no inventory",
                          "never-reported fin-mail: never reported what it has"));
  const auto result = compare_inventory(input_);
  EXPECT_EQ(result.machines[2].reported, "2026-11-28T10:00:00.5Z");
  EXPECT_EQ(result.said, 3U);
}

TEST_F(InventoryComparison, SaysWhichMachinesAreWithoutAPackage) {
  auto old = report("fin-dns", "2026-11-28T10:00:00Z");
  old.packages = {{"bind9", "amd64", "1:9.18.1-1"}, {"dpkg", "amd64", "1.21"}};
  old.says_packages = old.knows_packages = true;
  // Said earlier, written down later.
  auto earlier = old;
  earlier.observed = "2026-11-01T10:00:00Z";
  earlier.packages[0].version = "1:9.20-1";
  auto without = report("fin-mail", "2026-11-28T10:00:00Z");
  without.packages = {{"dpkg", "amd64", "1.21"}};
  without.says_packages = without.knows_packages = true;
  auto windows = report("stray", "2026-11-28T10:00:00Z");
  windows.updates = {"KB5035968"};
  windows.knows_updates = true;
  input_.reported = {old, earlier, without, windows};
  const auto states = [&](const std::string& text) {
    input_.questions = {question_without(text).value()};
    const auto result = compare_inventory(input_);
    std::vector<std::string> lines;
    for (const auto& row : result.answers[0].rows)
      lines.push_back(row.machine + " " + to_string(row.state) + " " + row.version);
    lines.push_back(std::to_string(result.answers[0].count()) + " " + (result.clean() ? "clean" : "not clean"));
    return lines;
  };
  EXPECT_THAT(states("bind9=1:9.18.2-1"), ElementsAre("fin-dns older 1:9.18.1-1", "fin-mail not-installed ",
                                                      "sal-dns unknown ", "stray not-for-it ", "1 not clean"));
  EXPECT_THAT(states("bind9"), ElementsAre("fin-mail not-installed ", "sal-dns unknown ", "fin-dns has 1:9.18.1-1",
                                           "stray not-for-it ", "1 not clean"));
  EXPECT_THAT(states("kb5035968"), ElementsAre("sal-dns unknown ", "stray has KB5035968", "fin-dns not-for-it ",
                                               "fin-mail not-for-it ", "0 not clean"));
  EXPECT_THAT(states("KB5035969"), ElementsAre("stray not-installed ", "sal-dns unknown ", "fin-dns not-for-it ",
                                               "fin-mail not-for-it ", "1 not clean"));
  input_.reported->push_back(report("sal-dns", "2026-11-28T10:00:00Z"));
  input_.reported->back().packages = {{"bind9", "amd64", "1:9.18.2-1", "", true}};
  EXPECT_THAT(states("bind9=1:9.18.2-1").at(1), "sal-dns failed 1:9.18.2-1");
}

TEST_F(InventoryComparison, IsCleanForAQuestionOnlyWhenEveryMachineAnswered) {
  input_.questions = {question_without("bind9").value()};
  EXPECT_FALSE(compare_inventory(input_).clean());
  EXPECT_EQ(compare_inventory(input_).answers[0].rows[0].why, "nobody asked what it reported");
  input_.reported.emplace();
  EXPECT_EQ(compare_inventory(input_).answers[0].rows[0].why, "it never reported");
  for (const char* name : {"fin-dns", "fin-mail", "sal-dns"}) {
    input_.reported->push_back(report(name, "2026-11-28T10:00:00Z"));
    input_.reported->back().packages = {{"bind9", "amd64", "1"}};
  }
  EXPECT_TRUE(compare_inventory(input_).clean());
  input_.questions = {question_versions("bind9").value()};
  EXPECT_TRUE(compare_inventory(input_).clean());
  Reported golden = report("lab: finance/dns1", "");
  golden.not_known = "not built";
  input_.golden = {golden};
  const auto asked = compare_inventory(input_);
  EXPECT_FALSE(asked.clean());
  EXPECT_EQ(asked.answers[0].rows.front().why, "not built");
}

// Half a list answers a question about half the machines.
TEST_F(InventoryComparison, IsNotCleanForAQuestionWhenAListIsNotWhole) {
  input_.reported.emplace();
  for (const char* name : {"fin-dns", "fin-mail", "sal-dns"}) {
    input_.reported->push_back(report(name, "2026-11-28T10:00:00Z"));
    input_.reported->back().packages = {{"bind9", "amd64", "1"}};
  }
  for (const auto& question : {question_without("bind9").value(), question_versions("bind9").value()}) {
    input_.questions = {question};
    input_.inventories[0].not_whole = "";
    EXPECT_TRUE(compare_inventory(input_).clean());
    input_.inventories[0].not_whole = "has 3 of 5 devices";
    const auto half = compare_inventory(input_);
    EXPECT_FALSE(half.clean());
    EXPECT_THAT(inventory_csv(half), HasSubstr(question.text() + ",,,not-whole,no,,,hosts.csv,has 3 of 5 devices\n"));
  }
}

// A word that nobody knows does not take a machine out of the questions.
TEST_F(InventoryComparison, LeavesOutOnlyWhatIsSurelyNotInService) {
  auto& machines = input_.inventories[0].machines;
  machines[0].status = "Running";
  machines[1].status = "maintenance";
  auto old = listed("old", "", "finance", "dns");
  old.status = "Out-Of-Service";
  machines.push_back(old);
  EXPECT_THAT(found(), ElementsAre("status-unknown fin-dns: whether it is in service is not known: its status is "
                                   "'Running'"));
  input_.questions = {question_without("bind9").value()};
  const auto result = compare_inventory(input_);
  EXPECT_THAT(result.answers[0].rows, SizeIs(3));
  ASSERT_THAT(result.answers[0].left_out, SizeIs(1));
  EXPECT_EQ(result.answers[0].left_out[0].machine, "old");
  EXPECT_EQ(result.answers[0].left_out[0].why, "'Out-Of-Service' in hosts.csv");
  EXPECT_THAT(inventory_csv(result),
              HasSubstr("without bind9,old,finance,not-in-service,no,,,,'Out-Of-Service' in hosts.csv\n"));
  // What two lists say differently is not sure: it is asked. One that says nothing contradicts nobody.
  const auto in_another_list = [&](const std::string& status) {
    auto again = listed("old", "", "finance", "dns");
    again.status = status;
    input_.inventories.resize(1);
    add("netbox.json", {again});
    return compare_inventory(input_).answers[0].left_out;
  };
  EXPECT_THAT(in_another_list(""), SizeIs(1));
  EXPECT_THAT(in_another_list("offline"), SizeIs(1));
  EXPECT_THAT(in_another_list("active"), IsEmpty());
  EXPECT_THAT(in_another_list("Running"), IsEmpty());
}

TEST(InventoryQuestion, RefusesWhatIsNoPackageOrUpdate) {
  for (const char* text : {"", "=1", "a b", "bind9=", "bind9=x y", "KB5035968=1", "b=1=2"})
    EXPECT_FALSE(question_without(text)) << text;
  EXPECT_FALSE(question_versions("bind9=1"));
  EXPECT_EQ(question_without("bind9=1:2-3")->text(), "without bind9=1:2-3");
}

// What others wrote stands in a cell as text.
TEST_F(InventoryComparison, WritesCsvThatIsNoFormula) {
  input_.inventories[0].machines[0].role = "=cmd()";
  const auto csv = inventory_csv(compare_inventory(input_));
  EXPECT_THAT(csv, HasSubstr("untested,fin-dns,no machine of the scenario has its role '=cmd()',"));
  input_.inventories[0].machines[0].name = "=HYPERLINK(1)";
  EXPECT_THAT(inventory_csv(compare_inventory(input_)), HasSubstr("untested,'=hyperlink(1),"));
}

}  // namespace
}  // namespace patchlab::process

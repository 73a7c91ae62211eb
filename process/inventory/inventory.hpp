// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>

#include "process/inventory/question.hpp"
#include "process/inventory/readers.hpp"

// The machines that an organisation has, against those that its lab tests: a function over values. What nobody said is
// in the answer, and what was not asked as well.
namespace patchlab::process {

// A machine of the scenario.
struct TestedMachine {
  std::string department, machine, role;
};

struct InventoryInput {
  std::vector<TestedMachine> tested;
  std::vector<Inventory> inventories;
  std::map<std::string, std::string> called;  // what the scenario calls what inventories call otherwise; by lower case
  std::optional<AnsweringList> answering;     // nothing: nobody asked who answers
  std::optional<std::vector<Reported>> reported;  // nothing: nobody asked what machines said
  std::vector<Reported> golden;                   // machines of the lab, for the questions
  std::vector<Question> questions;
};

// The words (to_string) are stable API. In the order in which they are told.
enum class InventoryFindingKind {
  not_listed,              // answers, and is in no inventory
  answers_out_of_service,  // answers, and an inventory says that it is not in service
  untested,                // a server that no role of the lab tests
  no_server,               // a role of the lab that no server has
  role_unknown,            // nobody says what it is for
  department_unknown,      // nobody says where it belongs, and it matters
  status_unknown,          // says a status of which it is not known whether it is in service; it counts as if it were
  differs,                 // two inventories say different things of it
  shared_address,          // two machines with one address
  other_address,           // answers at another address than it is listed with
  ambiguous,               // a short name that may be one of several machines
  reported_not_listed,     // reported what it has, and is in no inventory
  never_reported,          // is listed, and never reported what it has
  not_whole,               // a file from which machines may be missing
};
[[nodiscard]] const char* to_string(InventoryFindingKind kind);

struct InventoryFinding {
  InventoryFindingKind kind = InventoryFindingKind::not_listed;
  std::string subject;
  std::string why;
  std::vector<std::string> places;  // "hosts.csv, line 3"
  bool operator==(const InventoryFinding&) const = default;
};

// One machine, whoever lists it.
struct KnownMachine {
  std::string name;
  std::vector<std::string> listed_in;  // files
  std::vector<std::string> addresses, departments, roles, systems;
  bool in_service = true;
  std::vector<std::string> tested_as;  // "finance/dns1": machines of the scenario
  std::optional<bool> answers;         // whether it is in the list of those that do; nothing: there is none, or it is
                                       // not whole, or the machine has no address
  std::string reported;                // when it was observed last; empty: never, or nobody asked
};

// A machine that is not in service, of which a question is not asked.
struct LeftOut {
  std::string machine, department;
  std::string why;  // "'offline' in netbox.json"
};

struct Answers {
  Question question;
  std::vector<Answer> rows;
  std::vector<LeftOut> left_out;
  [[nodiscard]] std::size_t count() const;    // of those that belong into the list
  [[nodiscard]] std::size_t unknown() const;  // of those of which nobody can tell
};

struct InventorySource {
  std::string file, sha256, format;
  std::size_t machines = 0;
  std::vector<std::string> not_read;
};

struct InventoryResult {
  std::vector<InventorySource> sources;
  std::vector<KnownMachine> machines;  // by name
  std::vector<InventoryFinding> findings;
  std::vector<Answers> answers;
  bool asked_who_answers = false;
  bool asked_reports = false;
  std::size_t answering = 0;  // systems that answer
  std::size_t said = 0;       // machines that said what they have
  [[nodiscard]] std::size_t count(InventoryFindingKind kind) const;
  // Nothing was found and nothing is unknown; with questions: of what they ask, and all lists are whole.
  [[nodiscard]] bool clean() const;
};

[[nodiscard]] InventoryResult compare_inventory(const InventoryInput& input);

void to_json(Json& json, const InventoryResult& result);
// A line for each finding; with questions, for each machine that a question is about.
[[nodiscard]] std::string inventory_csv(const InventoryResult& result);

}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "lab/core/json.hpp"

namespace patchlab::runners {

// Users of a machine's services, with their passwords. Nothing: nobody knows yet which there are.
using Accounts = std::map<std::string, std::string>;

// Reads what a machine says under "checks": a list, the path of a file that holds one ({"checks": [...]}), or a list
// with such paths in it. A file that several machines name is read once, and what is wrong in it is said once, with its
// own name in front. Passwords that are those of an account are filled in.
class CheckLists {
 public:
  enum class Missing { is_a_problem, is_fine };  // files and lists, when checks are to be learnt
  // What is wrong in the scenario itself goes to `problems`; paths are relative to `folder`, in files too.
  CheckLists(std::filesystem::path folder, std::vector<JsonProblem>& problems, Missing missing)
      : folder_(std::move(folder)), problems_(problems), missing_(missing) {}

  struct Read {
    std::vector<checks::CheckSpec> checks;
    std::vector<std::filesystem::path> files;  // that are named, absolute
  };
  [[nodiscard]] Read read(JsonReader& machine, const std::optional<Accounts>& accounts);
  // "file: /pointer: message" for each thing that is wrong in a file, a line each; empty: nothing is.
  [[nodiscard]] std::string problems_in_files() const;

 private:
  struct File {
    Json json;
    std::vector<JsonProblem> problems;
  };
  // What one machine's list is read with.
  struct List {
    const std::optional<Accounts>& accounts;
    std::set<std::string> ids;
    Read found;
  };

  void read_file_named(const std::string& name, const std::string& place, List& list);
  [[nodiscard]] checks::CheckSpec read_check(const Json& value, const std::string& place,
                                             std::vector<JsonProblem>& problems, List& list);
  [[nodiscard]] std::optional<checks::CheckProgram> take_in_program(const std::string& name, const std::string& place,
                                                                    std::vector<JsonProblem>& problems);
  [[nodiscard]] std::filesystem::path resolve(const std::string& text, const std::string& place,
                                              std::vector<JsonProblem>& problems) const;

  std::filesystem::path folder_;
  std::vector<JsonProblem>& problems_;
  Missing missing_;
  std::map<std::filesystem::path, File> files_;
  std::string unreadable_;  // lines, of files that hold no JSON
};

}  // namespace patchlab::runners

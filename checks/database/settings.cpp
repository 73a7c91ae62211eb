// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "checks/check_with.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"

namespace patchlab::checks::database {
namespace {

constexpr std::size_t most_settings = 500;

struct Parameters {
  Server server;
  std::map<std::string, std::string> settings;
};

// "fsync", "auto_explain.log_analyze"; of SQL Server "max server memory (MB)", "default full-text language".
bool is_setting(const std::string& name, Product product) {
  const std::string others = product == Product::sql_server ? "_ ()-" : "_.";
  const auto is_of_name = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  };
  return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, is_of_name);
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = read_server(reader);
  const auto& all = reader.raw("settings");
  if (!all.is_object() || all.empty() || all.size() > most_settings) {
    reader.problem("settings", fmt::format("must be an object of 1 to {} names of settings to values, such as "
                                           "{{\"fsync\": \"on\"}}",
                                           most_settings));
    return parameters;
  }
  auto inside = reader.object("settings");
  for (const auto& [name, value] : all.items()) {
    if (is_setting(name, parameters.server.product))
      parameters.settings[name] = inside.text(name);
    else
      inside.problem(name, fmt::format("'{}' must be the name of a setting, of letters, digits, {}", name,
                                       parameters.server.product == Product::sql_server
                                           ? "blanks, brackets, _ and -, as sys.configurations has it"
                                           : "_ and ."));
  }
  return parameters;
}

std::string question(const Parameters& with) {
  std::vector<std::string> names;
  for (const auto& [name, value] : with.settings) names.push_back("'" + name + "'");
  if (with.server.product == Product::sql_server)
    return fmt::format("SELECT name, CONVERT(nvarchar(60), value_in_use) FROM sys.configurations WHERE name IN ({})",
                       fmt::join(names, ", "));
  return fmt::format(
      "SELECT name, coalesce(reset_val, '') || coalesce(' ' || unit, '') FROM pg_settings WHERE name IN ({})",
      fmt::join(names, ", "));
}

class Settings final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "database.settings"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    return observe_server(target, with.server, limit,
                          [&with](OdbcSession& session, Json& observation, Deadline /*deadline*/) {
                            const auto found = session.query("query", question(with), most_settings);
                            if (!found) return Result<void>();
                            auto& seen = observation["settings"] = Json::object();
                            for (const auto& row : found->rows) {
                              if (row.size() == 2 && row[0] && row[1]) seen[*row[0]] = *row[1];
                            }
                            return Result<void>();
                          });
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    if (auto bad = judge_steps({"connect", "query"}, observation)) return *bad;
    const auto seen = observation.value("settings", Json::object());
    std::vector<std::string> expected;
    std::vector<std::string> observed;
    for (const auto& [name, value] : with.settings) {
      const auto found = seen.find(name);
      if (found != seen.end() && *found == value) continue;
      expected.push_back(fmt::format("{} {}", name, value));
      const bool is_there = found != seen.end() && found->is_string();
      observed.push_back(fmt::format("{} {}", name, is_there ? found->get<std::string>() : "is not known"));
    }
    if (expected.empty())
      return {Outcome::pass, "as-expected", fmt::format("{} settings", with.settings.size()), "all as expected"};
    return {Outcome::fail, "settings-differ", fmt::format("{}", fmt::join(expected, "\n")),
            fmt::format("{}", fmt::join(observed, "\n"))};
  }

  Result<void> expect(const Parameters& with, Observation& observation, Json& json) const override {
    const auto seen = observation.value("settings", Json::object());
    for (const auto& [name, value] : with.settings) {
      const auto found = seen.find(name);
      if (found != seen.end() && found->is_string())
        json["settings"][name] = *found;
      else
        json["settings"].erase(name);
    }
    if (json["settings"].empty()) return Error{ErrorClass::check, "the server knows none of these settings", {}};
    return {};
  }
};

}  // namespace

const Check& settings() {
  static const Settings check;
  return check;
}

}  // namespace patchlab::checks::database

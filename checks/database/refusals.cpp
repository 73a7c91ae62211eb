// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/refusals.hpp"

#include <fmt/format.h>

#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::database {
namespace {

Server read_login(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  auto server = read_server(reader, Password::made_up);
  reader.finish();
  return server;
}

class LoginRefused final : public Check {
 public:
  std::string kind() const override { return "database.login-refused"; }

  void validate(const Json& parameters, const std::string& pointer, std::vector<JsonProblem>& problems) const override {
    (void)read_login(parameters, pointer, problems);
  }

  Result<Observation> observe(const Target& target, const Json& parameters, Milliseconds limit) const override {
    std::vector<JsonProblem> problems;
    auto server = read_login(parameters, "", problems);
    if (!problems.empty()) return problems_error(kind(), problems);
    server.password = unique_text();
    return observe_server(
        target, server, limit,
        [](OdbcSession& /*session*/, Json& /*observation*/, Deadline /*deadline*/) { return Result<void>(); });
  }

  Judgement judge(const Json& parameters, const Observation& observation) const override {
    std::vector<JsonProblem> ignored;
    const auto server = read_login(parameters, "", ignored);
    const auto expected = fmt::format("a wrong password of '{}' is refused", server.user);
    const auto trouble = judge_steps({"connect"}, observation);
    if (!trouble) return {Outcome::fail, "wrong-password-accepted", expected, "logged in with a made-up password"};
    if (trouble->reason != "login-refused") return *trouble;
    return {Outcome::pass, "login-refused", expected, trouble->observed};
  }
};

struct Question {
  Server server;
  std::string query;
};

Question read_question(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Question question;
  question.server = read_server(reader);
  question.query = reader.text("query");
  if (reader.has("query") && question.query.empty()) reader.problem("query", "must not be empty");
  reader.finish();
  return question;
}

class Denied final : public Check {
 public:
  std::string kind() const override { return "database.denied"; }

  void validate(const Json& parameters, const std::string& pointer, std::vector<JsonProblem>& problems) const override {
    (void)read_question(parameters, pointer, problems);
  }

  Result<Observation> observe(const Target& target, const Json& parameters, Milliseconds limit) const override {
    std::vector<JsonProblem> problems;
    const auto with = read_question(parameters, "", problems);
    if (!problems.empty()) return problems_error(kind(), problems);
    return observe_server(target, with.server, limit,
                          [&with](OdbcSession& session, Json& /*observation*/, Deadline /*deadline*/) {
                            if (!session.begin("begin")) return Result<void>();
                            (void)session.query("query", with.query, 1);
                            session.rollback("rollback");
                            return Result<void>();
                          });
  }

  Judgement judge(const Json& parameters, const Observation& observation) const override {
    std::vector<JsonProblem> ignored;
    const auto with = read_question(parameters, "", ignored);
    if (auto bad = judge_steps({"connect", "begin"}, observation)) return *bad;
    const auto expected = fmt::format("'{}' has no right to: {}", with.server.user, with.query);
    const auto trouble = judge_steps({"connect", "begin", "query"}, observation);
    if (!trouble) return {Outcome::fail, "query-allowed", expected, "the server ran the query"};
    if (trouble->reason != "query-failed") return *trouble;
    const auto sqlstate = observation.at("steps").at(2).value("sqlstate", "");
    if (sqlstate != "42501" && sqlstate != "42000") {
      return {Outcome::fail, "refused-for-another-reason", expected, trouble->observed};
    }
    return {Outcome::pass, "denied", expected, trouble->observed};
  }
};

}  // namespace

const Check& login_refused() {
  static const LoginRefused check;
  return check;
}

const Check& denied() {
  static const Denied check;
  return check;
}

}  // namespace patchlab::checks::database

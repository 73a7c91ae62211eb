// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/refusals.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/database/complaints.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::database {
namespace {

// SQL Server says the same of a database that is not there, not open, or not for this user. Who may log in may ask
// which (HAS_DBACCESS, DATABASEPROPERTYEX: NULL of a database that is not there).
std::string question_about(std::string database) {
  for (std::size_t at = 0; (at = database.find('\'', at)) != std::string::npos; at += 2) database.insert(at, "'");
  return fmt::format(
      "SELECT CONVERT(nvarchar(10), HAS_DBACCESS(N'{0}')), CONVERT(nvarchar(60), DATABASEPROPERTYEX(N'{0}', 'Status'))",
      database);
}

const Json& connect_step(const Json& observation) {
  static const Json none = Json::object();
  const auto steps = observation.find("steps");
  return steps == observation.end() || steps->empty() ? none : steps->front();
}

class LoginRefused final : public CheckWith<Server> {
 public:
  std::string kind() const override { return "database.login-refused"; }
  bool wants_a_refusal() const override { return true; }

 protected:
  // With its own password: whether it may use this database.
  Server read(JsonReader& reader) const override {
    return read_server(reader, reader.has("password") ? Password::given : Password::made_up);
  }

  Result<Observation> observe_with(const Target& target, const Server& server, Milliseconds limit) const override {
    const Deadline deadline(limit);
    auto stranger = server;
    if (server.password.empty()) stranger.password = unique_text();
    PATCHLAB_ASSIGN(auto observation, observe_server(
                                          target, stranger, limit,
                                          [](OdbcSession& /*session*/, Json& /*observation*/, Deadline /*deadline*/) {
                                            return Result<void>();
                                          },
                                          WaitFor::server));
    if (server.password.empty() || !is_database_not_open(connect_step(observation))) return observation;
    auto elsewhere = server;
    elsewhere.database = "master";
    PATCHLAB_ASSIGN(observation["elsewhere"],
                    observe_server(target, elsewhere, deadline.remaining(),
                                   [&](OdbcSession& session, Json& seen, Deadline /*deadline*/) {
                                     const auto found = session.query("database", question_about(server.database), 1);
                                     if (found && found->rows.size() == 1 && found->rows[0].size() == 2)
                                       seen["database"] = {{"access", found->rows[0][0].value_or("")},
                                                           {"status", found->rows[0][1].value_or("")}};
                                     return Result<void>();
                                   }));
    return observation;
  }

  Judgement judge_with(const Server& server, const Observation& observation) const override {
    const bool is_known = !server.password.empty();
    const auto expected = is_known ? fmt::format("'{}' may not use the database '{}'", server.user, server.database)
                                   : fmt::format("a wrong password of '{}' is refused", server.user);
    const auto trouble = judge_steps({"connect"}, observation);
    if (!trouble && is_known) return {Outcome::fail, "login-accepted", expected, "logged in"};
    if (!trouble) return {Outcome::fail, "wrong-password-accepted", expected, "logged in with a made-up password"};
    const auto& step = connect_step(observation);
    // What is asked after the password was taken.
    if (!is_known && is_refused_database(step))
      return {Outcome::fail, "wrong-password-accepted", expected, trouble->observed};
    // The right password is what makes it the database that is refused, not the person.
    if (is_known && is_wrong_password(step)) return {Outcome::fail, "password-refused", expected, trouble->observed};
    if (is_known && is_database_not_open(step)) return judge_database(server, observation, expected);
    if (trouble->reason != "login-refused") return *trouble;
    if (is_about_the_account(step)) return {Outcome::fail, "refused-for-another-reason", expected, trouble->observed};
    return {Outcome::pass, "login-refused", expected, trouble->observed};
  }

 private:
  // SQL Server did not open it.
  static Judgement judge_database(const Server& server, const Observation& observation, const std::string& expected) {
    const auto elsewhere = observation.value("elsewhere", Json::object());
    if (auto bad = judge_steps({"connect", "database"}, elsewhere)) return *bad;
    const auto found = elsewhere.value("database", Json::object());
    const auto status = found.value("status", "");
    if (status != "ONLINE")
      return {Outcome::fail, "database-not-open", expected,
              status.empty() ? fmt::format("the server knows no database '{}'", server.database)
                             : fmt::format("the database is {}, for whomever", status)};
    if (found.value("access", "") != "0")
      return {Outcome::fail, "refused-for-another-reason", expected, "the server says that the user may use it"};
    return {Outcome::pass, "login-refused", expected, told_of(connect_step(observation))};
  }
};

struct Question {
  Server server;
  std::string query;
};

Question read_question(JsonReader& reader) {
  Question question;
  question.server = read_server(reader);
  question.query = reader.text("query", not_empty("name a query that the user has no right to"));
  return question;
}

class Denied final : public CheckWith<Question> {
 public:
  std::string kind() const override { return "database.denied"; }
  bool wants_a_refusal() const override { return true; }

 protected:
  Question read(JsonReader& reader) const override { return read_question(reader); }

  Result<Observation> observe_with(const Target& target, const Question& with, Milliseconds limit) const override {
    return observe_server(target, with.server, limit,
                          [&with](OdbcSession& session, Json& /*observation*/, Deadline /*deadline*/) {
                            if (!session.begin("begin")) return Result<void>();
                            (void)session.query("query", with.query, 1);
                            session.rollback("rollback");
                            return Result<void>();
                          });
  }

  Judgement judge_with(const Question& with, const Observation& observation) const override {
    const auto expected = fmt::format("'{}' has no right to: {}", with.server.user, with.query);
    const auto trouble = judge_steps({"connect", "begin", "query"}, observation);
    if (!trouble) return {Outcome::fail, "query-allowed", expected, "the server ran the query"};
    if (trouble->reason != "query-failed") return *trouble;
    if (!is_missing_right(observation.at("steps").at(2))) {
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

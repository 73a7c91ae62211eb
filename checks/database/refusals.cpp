// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/refusals.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::database {
namespace {

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
    auto stranger = server;
    if (server.password.empty()) stranger.password = unique_text();
    return observe_server(
        target, stranger, limit,
        [](OdbcSession& /*session*/, Json& /*observation*/, Deadline /*deadline*/) { return Result<void>(); });
  }

  Judgement judge_with(const Server& server, const Observation& observation) const override {
    const bool is_known = !server.password.empty();
    const auto expected = is_known ? fmt::format("'{}' may not use the database '{}'", server.user, server.database)
                                   : fmt::format("a wrong password of '{}' is refused", server.user);
    const auto trouble = judge_steps({"connect"}, observation);
    if (!trouble && is_known) return {Outcome::fail, "login-accepted", expected, "logged in"};
    if (!trouble) return {Outcome::fail, "wrong-password-accepted", expected, "logged in with a made-up password"};
    const auto says = [&](const char* text) { return trouble->observed.find(text) != std::string::npos; };
    // What is asked after the password was taken.
    if (!is_known && says("permission denied for database"))
      return {Outcome::fail, "wrong-password-accepted", expected, trouble->observed};
    // The right password is what makes it the database that is refused, not the person.
    if (is_known && (says("authentication failed") || says("SQLSTATE 28P01")))
      return {Outcome::fail, "password-refused", expected, trouble->observed};
    if (trouble->reason != "login-refused") return *trouble;
    return {Outcome::pass, "login-refused", expected, trouble->observed};
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

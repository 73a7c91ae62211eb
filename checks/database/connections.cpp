// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/connections.hpp"

#include <fmt/format.h>

#include <charconv>
#include <thread>

#include "checks/check_with.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"

namespace patchlab::checks::database {
namespace {

constexpr std::int64_t fewest_sessions = 2;  // one looks on while others come and go
constexpr std::int64_t most_sessions = 100;
constexpr Milliseconds between_looks{50};
// For sessions of others that were closed already: a server ends each in its own time.
constexpr Milliseconds patience_with_others{5000};

struct Parameters {
  Server server;
  std::int64_t sessions = 0;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = read_server(reader);
  only_postgresql(reader, parameters.server, "its sessions are limited for the whole server; leave it out");
  parameters.sessions = reader.integer("sessions", fewest_sessions, most_sessions);
  return parameters;
}

bool is_too_many(const std::string& message) {
  for (const char* text : {"too many connections", "too many clients", "remaining connection slots are reserved"}) {
    if (message.find(text) != std::string::npos) return true;
  }
  return false;
}

// Whose sessions use up what ran out, by what the server said. "slots are reserved for roles with the SUPERUSER
// attribute", as PostgreSQL says since 16, is of the server.
const char* crowd_of(const std::string& message) {
  if (message.find("too many connections for role") != std::string::npos) return "user";
  return message.find("too many connections for database") != std::string::npos ? "database" : "server";
}

std::optional<std::int64_t> number_in(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
  return read.ec == std::errc() && read.ptr == text->data() + text->size() ? std::optional(number) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> numbers(OdbcSession& session, const std::string& step,
                                                 const std::string& sql) {
  const auto found = session.query(step, sql, 1);
  if (!found || found->rows.size() != 1) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const auto& text : found->rows[0]) {
    const auto number = number_in(text);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

// All sessions of this check are told apart by their process on the server.
class Crowd {
 public:
  Crowd(const Target& target, const Parameters& with, OdbcSession& first, Json& observation, Deadline deadline)
      : target_(target),
        with_(with),
        first_(first),
        observation_(observation),
        deadline_(deadline),
        waits_until_(deadline.within(std::min(patience_with_others, deadline.remaining() / 3))) {}

  Result<void> come_and_go() {
    const auto pid = numbers(first_, "query", pid_sql);
    if (!pid || pid->size() != 1) return {};
    pids_.push_back(pid->front());
    if (!look_at_others("before")) return {};
    {
      std::vector<OdbcSession> sessions;
      PATCHLAB_TRY(fill_up(sessions));
      (void)count_others("when full");
    }
    return look_again();
  }

 private:
  static constexpr const char* pid_sql = "SELECT pg_backend_pid()::text";

  // Sessions of clients that are not of this check; whoever they are, their process, user and database are shown to
  // everybody. What the server does for itself has no user, or no database.
  bool count_others(const char* when) {
    const auto found = numbers(
        first_, fmt::format("others {}", when),
        fmt::format("SELECT count(CASE WHEN usename = current_user THEN 1 END)::text, count(CASE WHEN datname = "
                    "current_database() THEN 1 END)::text, count(*)::text FROM pg_stat_activity WHERE datid IS NOT "
                    "NULL AND usesysid IS NOT NULL AND pid NOT IN ({})",
                    fmt::join(pids_, ", ")));
    if (!found || found->size() != 3) return false;
    observation_["others"][when] = {{"user", (*found)[0]}, {"database", (*found)[1]}, {"server", (*found)[2]}};
    return true;
  }
  bool look_at_others(const char* when) {
    for (;;) {
      if (!count_others(when)) return false;
      if (observation_["others"][when]["server"] == 0 || waits_until_.passed()) return true;
      std::this_thread::sleep_for(between_looks);
    }
  }

  // An error, or whether there is one more, or the step that went wrong.
  Result<Json> open_another(std::vector<OdbcSession>& sessions) {
    PATCHLAB_ASSIGN(auto session, OdbcSession::make(deadline_));
    PATCHLAB_ASSIGN(const bool connected, session.connect(with_.server, target_.address));
    const auto pid = connected ? numbers(session, "query", pid_sql) : std::nullopt;
    if (!pid || pid->size() != 1) return Json(session.steps().back());
    pids_.push_back(pid->front());
    sessions.push_back(std::move(session));
    return Json();
  }

  // Opens one after another, until one is refused or one more than expected was let in.
  Result<void> fill_up(std::vector<OdbcSession>& sessions) {
    const auto wanted = static_cast<std::size_t>(with_.sessions);
    Json refused;
    while (sessions.size() < wanted && !deadline_.passed()) {
      PATCHLAB_ASSIGN(refused, open_another(sessions));
      if (refused.is_null()) continue;
      if (sessions.size() + 1 >= wanted || waits_until_.passed() || !is_too_many(refused.value("message", ""))) break;
      std::this_thread::sleep_for(between_looks);
    }
    observation_["refused"] = refused;
    observation_["sessions"] = sessions.size() + 1;
    return {};
  }

  // A server ends a session in its own time after its client has closed it, and has its place free a little later.
  Result<void> look_again() {
    const auto closed =
        fmt::format("SELECT count(*)::text FROM pg_stat_activity WHERE pid IN ({}) AND pid <> pg_backend_pid()",
                    fmt::join(pids_, ", "));
    std::optional<std::vector<std::int64_t>> left;
    const Wait gone{"the sessions that were closed are over", deadline_.remaining() / 2, between_looks, {}, {}};
    (void)wait_until(system_clock_source(), gone, [&] {
      left = numbers(first_, "count again", closed);
      return !left || left->front() == 0;
    });
    if (left) observation_["remained"] = left->front();
    for (;;) {
      PATCHLAB_ASSIGN(auto again, OdbcSession::make(deadline_));
      PATCHLAB_ASSIGN(const bool connected, again.connect(with_.server, target_.address));
      const auto pid = connected ? numbers(again, "query", pid_sql) : std::nullopt;
      observation_["again"] = again.steps();
      if (pid) pids_.insert(pids_.end(), pid->begin(), pid->end());
      const auto& last = again.steps().back();
      if (last.value("ok", false) || !is_too_many(last.value("message", "")) || deadline_.passed()) break;
      std::this_thread::sleep_for(between_looks);
    }
    (void)count_others("after");
    return {};
  }

  const Target& target_;
  const Parameters& with_;
  OdbcSession& first_;
  Json& observation_;
  const Deadline deadline_;
  const Deadline waits_until_;
  std::vector<std::int64_t> pids_;
};

class Connections final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "database.connections"; }
  bool wants_to_be_alone() const override { return true; }
  bool wants_a_refusal() const override { return true; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    return observe_server(target, with.server, limit,
                          [&](OdbcSession& first, Json& observation, Deadline deadline) -> Result<void> {
                            return Crowd(target, with, first, observation, deadline).come_and_go();
                          });
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    if (auto bad = judge_steps({"connect", "query"}, observation)) return *bad;
    const auto expected = fmt::format("{} sessions at the same time, and one more is refused", with.sessions);
    const auto sessions = observation.value("sessions", std::int64_t{0});
    const auto refused = observation.value("refused", Json());
    if (sessions > with.sessions)
      return {Outcome::fail, "limit-not-kept", expected, fmt::format("{} or more", sessions)};
    if (refused.is_null()) {
      if (observation.value("stopped_at_deadline", false) || sessions > 0)
        return {Outcome::fail, "timeout", expected, fmt::format("{} until the deadline", sessions)};
      return {Outcome::error, "observation-incomplete", expected, "no session was counted"};
    }
    if (!is_too_many(refused.value("message", "")))
      return {Outcome::fail, refused_or_late(observation), expected,
              fmt::format("after {}: {}", sessions, told_of(refused))};
    if (auto bad = judge_others(observation, refused, expected)) return *bad;
    if (sessions < with.sessions)
      return {Outcome::fail, "too-few-sessions", expected, fmt::format("{}, then: {}", sessions, told_of(refused))};
    return judge_end(observation, expected);
  }

  Result<void> expect(const Parameters& with, Observation& observation, Json& json) const override {
    const auto sessions = observation.value("sessions", std::int64_t{0});
    const auto trouble = [](std::string message) { return Error{ErrorClass::check, std::move(message), {}}; };
    if (sessions > with.sessions) return trouble(fmt::format("more than {} sessions at the same time", with.sessions));
    if (sessions == 1) return trouble("one session at the same time: nobody could look on");
    // Anything else that is no limit of this user's says judge().
    if (sessions >= fewest_sessions) json["sessions"] = sessions;
    return {};
  }

 private:
  // With sessions of others beside it, their number would decide, and that says nothing about a patch.
  static std::optional<Judgement> judge_others(const Observation& observation, const Json& refused,
                                               const std::string& expected) {
    const auto* crowd = crowd_of(refused.value("message", ""));
    const auto others = observation.value("others", Json::object());
    for (const char* when : {"before", "when full", "after"}) {
      const auto found = others.find(when);
      // They are counted by one who is let in already.
      if (found == others.end())
        return Judgement{Outcome::fail, observation.value("stopped_at_deadline", false) ? "timeout" : "query-failed",
                         "sessions can be counted", fmt::format("they could not be, {}", when)};
      const auto count = found->value(crowd, std::int64_t{-1});
      if (count != 0)
        return Judgement{Outcome::error, "others-have-sessions", expected,
                         fmt::format("{}, {} of other clients that count (by {}) were there: they decide the number",
                                     when, count, crowd)};
    }
    return std::nullopt;
  }

  static Judgement judge_end(const Observation& observation, const std::string& expected) {
    const Json again{{"steps", observation.value("again", Json::array())},
                     {"stopped_at_deadline", observation.value("stopped_at_deadline", false)}};
    if (auto bad = judge_steps({"connect", "query"}, again)) {
      bad->reason = bad->reason == "timeout" ? bad->reason : "not-let-in-again";
      return *bad;
    }
    const auto remained = observation.value("remained", std::int64_t{-1});
    if (remained != 0)
      return {Outcome::fail, "sessions-remained", "sessions that their clients have closed are over",
              remained < 0 ? std::string("they could not be counted") : fmt::format("{} are not", remained)};
    return {Outcome::pass, "as-expected", expected, "and after they were closed there is one to be had again"};
  }
};

}  // namespace

const Check& connections() {
  static const Connections check;
  return check;
}

}  // namespace patchlab::checks::database

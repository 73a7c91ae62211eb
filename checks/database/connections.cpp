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
  parameters.sessions = reader.integer("sessions", 1, most_sessions);
  return parameters;
}

bool is_too_many(const std::string& message) {
  for (const char* text : {"too many connections", "too many clients", "remaining connection slots are reserved"}) {
    if (message.find(text) != std::string::npos) return true;
  }
  return false;
}

// How many sessions this user has now; nothing when the step failed.
std::optional<std::int64_t> count_own(OdbcSession& session, const std::string& step) {
  const auto rows = session.query(step, "SELECT count(*)::text FROM pg_stat_activity WHERE usename = current_user", 1);
  if (!rows || rows->rows.empty() || rows->rows[0].empty() || !rows->rows[0][0]) return std::nullopt;
  std::int64_t count = 0;
  const auto& text = *rows->rows[0][0];
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  return read.ec == std::errc() ? std::optional(count) : std::nullopt;
}

// An error, or whether there is one more, or the step that went wrong.
Result<Json> open_another(const Target& target, const Server& server, Deadline deadline,
                          std::vector<OdbcSession>& sessions) {
  PATCHLAB_ASSIGN(auto session, OdbcSession::make(deadline));
  PATCHLAB_ASSIGN(const bool connected, session.connect(server, target.address));
  if (!connected || !session.query("query", "SELECT 1", 1)) return Json(session.steps().back());
  sessions.push_back(std::move(session));
  return Json();
}

// Opens one after another, until one is refused or one more than expected was let in, and closes them all.
Result<void> fill_up(const Target& target, const Parameters& with, Json& observation, Deadline deadline) {
  std::vector<OdbcSession> sessions;
  const auto wanted = static_cast<std::size_t>(with.sessions);
  const auto waits_until = deadline.within(std::min(patience_with_others, deadline.remaining() / 3));
  Json refused;
  while (sessions.size() < wanted && !deadline.passed()) {
    PATCHLAB_ASSIGN(refused, open_another(target, with.server, deadline, sessions));
    if (refused.is_null()) continue;
    if (sessions.size() + 1 >= wanted || waits_until.passed() || !is_too_many(refused.value("message", ""))) break;
    std::this_thread::sleep_for(between_looks);
  }
  observation["refused"] = refused;
  observation["sessions"] = sessions.size() + 1;
  return {};
}

Result<void> look_again(const Target& target, const Parameters& with, OdbcSession& first, std::int64_t before,
                        Json& observation, Deadline deadline) {
  // A server ends a session in its own time after its client has closed it.
  std::optional<std::int64_t> now;
  const Wait gone{"the sessions that were closed are over", deadline.remaining() / 2, between_looks, {}, {}};
  (void)wait_until(system_clock_source(), gone, [&] {
    now = count_own(first, "count again");
    return !now || *now <= before;
  });
  if (now) observation["more_than_before"] = std::max<std::int64_t>(0, *now - before);
  PATCHLAB_ASSIGN(auto again, OdbcSession::make(deadline));
  PATCHLAB_ASSIGN(const bool connected, again.connect(with.server, target.address));
  if (connected) (void)again.query("query", "SELECT 1", 1);
  observation["again"] = again.steps();
  return {};
}

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
                            const auto before = count_own(first, "query");
                            if (!before) return {};
                            PATCHLAB_TRY(fill_up(target, with, observation, deadline));
                            return look_again(target, with, first, *before, observation, deadline);
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
      return {Outcome::fail, "refused-for-another-reason", expected,
              fmt::format("after {}: {}", sessions, told_of(refused))};
    if (sessions < with.sessions)
      return {Outcome::fail, "too-few-sessions", expected, fmt::format("{}, then: {}", sessions, told_of(refused))};
    return judge_end(observation, expected);
  }

  Result<void> expect(const Parameters& with, Observation& observation, Json& json) const override {
    if (observation.value("refused", Json()).is_null())
      return Error{ErrorClass::check, fmt::format("more than {} sessions at the same time", with.sessions), {}};
    json["sessions"] = observation.value("sessions", std::int64_t{1});
    return {};
  }

 private:
  static Judgement judge_end(const Observation& observation, const std::string& expected) {
    const Json again{{"steps", observation.value("again", Json::array())},
                     {"stopped_at_deadline", observation.value("stopped_at_deadline", false)}};
    if (auto bad = judge_steps({"connect", "query"}, again)) {
      bad->reason = bad->reason == "timeout" ? bad->reason : "not-let-in-again";
      return *bad;
    }
    const auto more = observation.value("more_than_before", std::int64_t{-1});
    if (more != 0)
      return {Outcome::fail, "sessions-remained", "sessions that their clients have closed are over",
              more < 0 ? std::string("they could not be counted") : fmt::format("{} are not", more)};
    return {Outcome::pass, "as-expected", expected, "and after they were closed there is one to be had again"};
  }
};

}  // namespace

const Check& connections() {
  static const Connections check;
  return check;
}

}  // namespace patchlab::checks::database

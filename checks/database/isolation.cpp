// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/isolation.hpp"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "checks/check_with.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"
#include "checks/database/table.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::database {
namespace {

// Only of the writer who is to wait. All others have the check's time: what takes long on a busy host is told apart by
// that (checks/asking.hpp), and what ended sooner is not.
constexpr std::chrono::seconds writers_patience{1};

struct Parameters {
  Server server;
  Table table;
  std::string level;
  std::string second_writer;
};

TextRule one_of(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& word) {
    return word == words.front() || word == words.back()
               ? ""
               : fmt::format("must be \"{}\" or \"{}\", found \"{}\"", words.front(), words.back(), word);
  };
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = read_server(reader);
  only_postgresql(reader, parameters.server,
                  "its readers wait for writers; leave it out, and take database.transaction and database.write");
  parameters.table = read_table(reader);
  parameters.level = reader.text_or("level", "read committed", one_of({"read committed", "repeatable read"}));
  parameters.second_writer = reader.text_or("second_writer", "waits", one_of({"waits", "refused"}));
  return parameters;
}

// Two sessions and one row. What goes wrong ends it; the row stays then, in a clone that is thrown away.
class TwoSessions {
 public:
  TwoSessions(const Table& table, OdbcSession& first, OdbcSession& second, Json& observation)
      : table_(table), first_(first), second_(second), observation_(observation), mark_("patchlab " + unique_text()) {
    observation_["texts"] = Json::array();
  }

  void meet() {
    if (look_at_commits() && look_again() && wait_for_the_lock()) clean_up();
  }

 private:
  [[nodiscard]] std::string where() const { return fmt::format("WHERE {} LIKE '{}%'", table_.column, mark_); }
  [[nodiscard]] std::string change_to(const char* text) const {
    return fmt::format("UPDATE {} SET {} = '{} {}' {}", table_.name, table_.column, mark_, text, where());
  }
  bool change(const std::string& step, const char* text) {
    observation_["texts"].push_back(fmt::format("{} {}", mark_, text));
    return first_.execute(step, change_to(text));
  }
  bool read(const std::string& what) {
    const auto seen = second_.query(what, fmt::format("SELECT {} FROM {} {}", table_.column, table_.name, where()), 10);
    if (seen) observation_[what] = first_column(*seen);
    return seen.has_value();
  }

  bool look_at_commits() {
    observation_["texts"].push_back(mark_ + " a");
    return first_.execute("insert",
                          fmt::format("INSERT INTO {} ({}) VALUES ('{} a')", table_.name, table_.column, mark_)) &&
           first_.begin("begin") && second_.begin("begin") && change("change", "b") && read("uncommitted") &&
           first_.commit("commit") && read("committed") && second_.rollback("end");
  }
  bool look_again() {
    if (!second_.execute("repeatable read", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ") || !read("repeatable") ||
        !change("change again", "c") || !first_.commit("commit again") || !read("repeated"))
      return false;
    second_.execute("stale write", change_to("x"));  // well is when that goes wrong
    return second_.rollback("end again");
  }
  bool wait_for_the_lock() {
    const auto session = second_.query("session", "SELECT pg_backend_pid()", 1);
    if (!session || session->rows.empty() || !change("lock", "d")) return false;
    {
      std::atomic<bool> ended = false;
      const std::jthread writer([&] {
        second_.execute_within("second write", change_to("y"), writers_patience);  // and that
        ended = true;
      });
      look_who_waits(first_column(*session).at(0).get<std::string>(), ended);
    }
    return second_.rollback("give up") && first_.rollback("release") &&
           second_.execute("write after release", change_to("e")) && second_.commit("commit");
  }
  // That it takes long may have any cause: only the server knows for whom it waits. That it waits for nobody is known
  // when the server said so late enough; otherwise nobody looked.
  void look_who_waits(const std::string& session, const std::atomic<bool>& ended) {
    const Deadline half(Milliseconds(writers_patience) / 2);
    while (!ended) {
      const bool is_late = half.passed();
      const auto seen = first_.query(
          "look at the lock",
          fmt::format("SELECT CASE WHEN pg_backend_pid() = ANY (pg_blocking_pids({})) THEN 'yes' ELSE 'no' END",
                      session),
          1);
      if (!seen) return;
      if (first_column(*seen) == Json::array({"yes"})) {
        observation_["blocked"] = true;
        return;
      }
      if (is_late) observation_["blocked"] = false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  void clean_up() {
    if (!first_.execute("delete", fmt::format("DELETE FROM {} {}", table_.name, where())) ||
        !first_.commit("commit the end"))
      return;
    read("after");
  }

  const Table& table_;
  OdbcSession& first_;
  OdbcSession& second_;
  Json& observation_;
  const std::string mark_;
};

const std::vector<std::string> until_read{"connect", "begin", "uncommitted"};
const std::vector<std::string> until_repeated{"connect", "begin",           "uncommitted", "committed",
                                              "end",     "repeatable read", "repeatable",  "repeated"};

const Json* step_of(const Json& part, const std::string& name) {
  const auto steps = part.find("steps");
  if (steps == part.end()) return nullptr;
  for (const auto& step : *steps) {
    if (step.value("step", "") == name) return &step;
  }
  return nullptr;
}

// Which of the row's texts was read: "a", the first; empty: none of them, or more.
std::string letter_of(const Observation& observation, const char* what) {
  const auto seen = observation.value(what, Json::array());
  if (seen.size() != 1 || !seen[0].is_string()) return {};
  for (const auto& text : observation.value("texts", Json::array())) {
    if (text == seen[0]) return text.get<std::string>().substr(text.get<std::string>().size() - 1);
  }
  return {};
}

std::optional<Judgement> fail(std::string reason, std::string expected, std::string observed) {
  return Judgement{Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

// The one level that sessions of this user begin with, as they behave; empty: none.
std::string level_seen(const Observation& observation) {
  const auto letter = letter_of(observation, "committed");
  return letter == "b" ? "read committed" : letter == "a" ? "repeatable read" : "";
}

std::optional<Judgement> judge_commits(const Parameters& with, const Observation& observation, const Json& second) {
  if (auto bad = judge_steps({"connect", "insert", "begin", "change"}, observation)) return bad;
  if (auto bad = judge_steps(until_read, second)) return bad;
  const auto uncommitted = letter_of(observation, "uncommitted");
  if (uncommitted == "b")
    return fail("dirty-read", "what is not committed is not seen by others",
                "it is: the change of an open transaction");
  if (uncommitted != "a")
    return fail("row-altered", "one row, as it was written", observation.value("uncommitted", Json()).dump());
  if (auto bad = judge_steps({"connect", "insert", "begin", "change", "commit"}, observation)) return bad;
  if (auto bad = judge_steps({"connect", "begin", "uncommitted", "committed", "end"}, second)) return bad;
  const auto level = level_seen(observation);
  if (level == with.level) return std::nullopt;
  const auto expected = fmt::format("sessions begin as {}", with.level);
  if (level.empty()) return fail("row-altered", expected, observation.value("committed", Json()).dump());
  if (level == "read committed")
    return fail("commit-seen", expected, "a commit of another session changes what a transaction reads");
  return fail("commit-not-seen", expected, "a transaction does not see what others commit meanwhile");
}

std::optional<Judgement> judge_repeated(const Observation& observation, const Json& second) {
  if (auto bad =
          judge_steps({"connect", "insert", "begin", "change", "commit", "change again", "commit again"}, observation))
    return bad;
  if (auto bad = judge_steps(until_repeated, second)) return bad;
  if (letter_of(observation, "repeatable") != "b")
    return fail("row-altered", "one row, as it was committed", observation.value("repeatable", Json()).dump());
  if (letter_of(observation, "repeated") != "b")
    return fail("read-not-repeatable", "a transaction that is repeatable read reads the same again",
                observation.value("repeated", Json()).dump());
  const auto* stale = step_of(second, "stale write");
  const std::string expected = "a change of what others changed meanwhile is refused (SQLSTATE 40001)";
  if (stale == nullptr) return Judgement{Outcome::error, "observation-incomplete", expected, "there is no stale write"};
  if (stale->value("ok", false)) return fail("stale-write-accepted", expected, "the server took it");
  if (stale->value("sqlstate", "") != "40001") return fail(refused_or_late(observation), expected, told_of(*stale));
  return std::nullopt;
}

bool gave_up_late(const Json& step) {
  const auto sqlstate = step.value("sqlstate", "");
  const auto took = Milliseconds(step.value("ms", std::int64_t{0}));
  const bool gave_up = sqlstate == "57014" || sqlstate == "HYT00" || sqlstate == "HYT01" || sqlstate == "S1T00";
  return gave_up && 10 * took >= 9 * Milliseconds(writers_patience);
}

// How a second writer was kept off; empty: not, or for another reason.
std::string second_writer_seen(const Observation& observation, const Json& step) {
  if (step.value("sqlstate", "") == "55P03") return "refused";
  return gave_up_late(step) && observation.value("blocked", false) ? "waits" : "";
}

std::optional<Judgement> judge_lock(const Parameters& with, const Observation& observation, const Json& second) {
  const auto expected = with.second_writer == "waits"
                            ? std::string("a second writer of the same row waits for the first")
                            : std::string("a second writer of the same row is refused because of the lock (55P03)");
  const auto* write = step_of(second, "second write");
  if (write == nullptr) {
    if (auto bad = judge_steps(
            {"connect", "insert", "begin", "change", "commit", "change again", "commit again", "lock"}, observation))
      return bad;
    return Judgement{Outcome::error, "observation-incomplete", expected, "there is no second write"};
  }
  if (write->value("ok", false)) return fail("lock-ignored", expected, "both change the row");
  if (gave_up_late(*write) && !observation.contains("blocked"))
    return Judgement{Outcome::error, "observation-incomplete", expected,
                     "nobody saw for whom the second writer waited"};
  const auto seen = second_writer_seen(observation, *write);
  if (seen.empty()) return fail(refused_or_late(observation), expected, told_of(*write));
  if (seen != with.second_writer)
    return fail(seen == "refused" ? "lock-refused" : "lock-waited", expected, told_of(*write));
  const auto* after = step_of(second, "write after release");
  const std::string released = "when the first writer has given up, the second one can write";
  if (after == nullptr) {
    const auto* release = step_of(observation, "release");
    return fail("release-failed", released, release == nullptr ? "it was not come to that" : told_of(*release));
  }
  if (!after->value("ok", false)) return fail("lock-remained", released, told_of(*after));
  return std::nullopt;
}

std::optional<Judgement> judge_end(const Observation& observation, const Json& second) {
  const auto* commit = step_of(second, "commit");
  if (commit == nullptr || !commit->value("ok", false))
    return fail("commit-failed", "step 'commit' succeeds", commit == nullptr ? "not reached" : told_of(*commit));
  for (const char* name : {"delete", "commit the end"}) {
    const auto* step = step_of(observation, name);
    const auto expected = fmt::format("step '{}' succeeds", name);
    if (step == nullptr) return Judgement{Outcome::error, "observation-incomplete", expected, "it is not there"};
    if (!step->value("ok", false))
      return fail(std::string(name) == "delete" ? "delete-failed" : "commit-failed", expected, told_of(*step));
  }
  if (const auto after = observation.find("after"); after == observation.end() || !after->empty())
    return fail("row-survived-delete", "no row after it was deleted",
                after == observation.end() ? "it could not be looked for" : after->dump());
  return std::nullopt;
}

Json second_of(const Observation& observation) {
  auto second = observation.value("second", Json::object());
  second["stopped_at_deadline"] = observation.value("stopped_at_deadline", false);
  return second;
}

class Isolation final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "database.isolation"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    return observe_server(target, with.server, limit,
                          [&](OdbcSession& first, Json& observation, Deadline deadline) -> Result<void> {
                            PATCHLAB_ASSIGN(auto second, OdbcSession::make(deadline));
                            PATCHLAB_ASSIGN(const bool connected, second.connect(with.server, target.address));
                            if (connected) TwoSessions(with.table, first, second, observation).meet();
                            observation["second"] = {{"steps", second.steps()}};
                            return {};
                          });
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    if (auto bad = judge_steps({"connect"}, observation)) return *bad;
    const auto second = second_of(observation);
    if (auto bad = judge_steps({"connect"}, second)) return *bad;
    if (auto bad = judge_commits(with, observation, second)) return *bad;
    if (auto bad = judge_repeated(observation, second)) return *bad;
    if (auto bad = judge_lock(with, observation, second)) return *bad;
    if (auto bad = judge_end(observation, second)) return *bad;
    return {Outcome::pass, "isolated",
            fmt::format("{}, a second writer {}, and no lock is left", with.level,
                        with.second_writer == "waits" ? "waits" : "is refused"),
            fmt::format("as expected from {}", observation.value("version", ""))};
  }

  Result<void> expect(const Parameters& /*parameters*/, Observation& observation, Json& json) const override {
    if (const auto level = level_seen(observation); !level.empty()) json["level"] = level;
    const auto second = second_of(observation);
    if (const auto* write = step_of(second, "second write")) {
      if (const auto seen = second_writer_seen(observation, *write); !seen.empty()) json["second_writer"] = seen;
    }
    return {};
  }
};

}  // namespace

const Check& isolation() {
  static const Isolation check;
  return check;
}

}  // namespace patchlab::checks::database

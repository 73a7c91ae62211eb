// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/outcome.hpp"
#include "lab/core/time.hpp"

namespace patchlab::checks {

// Where a check looks and from where: an address and a deadline, never a hypervisor. Works against localhost too.
struct Target {
  std::string address;         // IPv4 of the machine that has the role
  std::string client_address;  // IPv4 the probe speaks from ("10.20.0.250")
  std::string interface;       // network device towards the role ("br0"); needed by raw-frame checks only
  std::string machine{};       // its name in the scenario, and its role: for those who are told
  std::string role{};
  // What this check itself, by its id, left under "memory" in an observation earlier in the same trial, perhaps before
  // a restart (ADR 26). Null: nothing, as in the first phase of a trial. The clock was not moved since.
  Json memory{};
};
// Of a memory, as text: it is a token for what the server is to remember, no place for data.
inline constexpr std::size_t most_memory = 4096;

// A program that a scenario names: its bytes are part of the check, wherever it is executed.
struct CheckProgram {
  std::string name;    // of the file
  std::string sha256;  // of the bytes
  std::string bytes;
  std::string
      found_at{};  // where, if that is below /usr: a program of a host, which may need what lies beside it there
  bool operator==(const CheckProgram&) const = default;
};
inline constexpr std::size_t largest_program = 4U << 20U;
// Takes it in from a file. What is neither a script ("#!") nor a program of Linux is a configuration error.
[[nodiscard]] Result<CheckProgram> read_check_program(const std::filesystem::path& file);

// One planned check. `parameters` is what the scenario says under "with"; each kind documents and validates its own
// keys.
struct CheckSpec {
  std::string id;    // unique per machine in a scenario, stable across runs: "mx-record"
  std::string kind;  // "dns.query", "smb.access" ...
  Json parameters = Json::object();
  Milliseconds deadline{std::chrono::seconds(15)};
  std::optional<Milliseconds> slower;     // than before the patch, and no failure yet; nothing: time does not count
  std::optional<CheckProgram> program{};  // what Check::program_in names
};

// What was seen, without opinion. `data` is the captured protocol exchange in a documented shape; an Error (class
// check, timeout or infrastructure) means that the observer itself could not work. A server that refuses, answers
// wrongly or does not answer within the deadline is an observation, not an Error. The key "memory" is handed on to the
// same check in later phases of the trial, see Target::memory.
using Observation = Json;

// The opinion: pure function of parameters and observation.
struct Judgement {
  Outcome outcome = Outcome::error;  // pass, fail or error; skipped: nothing was looked at, which is no pass
  std::string reason;                // stable identifier: "rrset-differs", "no-answer", "denied-user-can-write"
  std::string expected;              // for the reader
  std::string observed;
};

// One way of checking a role. Stateless; `observe` runs in a worker process of its own, which is killed at the
// deadline.
class Check {
 public:
  virtual ~Check() = default;
  // The "kind" in scenarios.
  [[nodiscard]] virtual std::string kind() const = 0;
  // Appends problems (unknown keys, wrong types) with pointers below `pointer`.
  virtual void validate(const Json& parameters, const std::string& pointer,
                        std::vector<JsonProblem>& problems) const = 0;
  [[nodiscard]] virtual Result<Observation> observe(const Target& target, const Json& parameters,
                                                    Milliseconds deadline) const = 0;
  [[nodiscard]] virtual Judgement judge(const Json& parameters, const Observation& observation) const = 0;
  // What is expected from now on, after this observation: the parameters, with what was seen in place of what they
  // expected. Pure; judge() of the same observation then passes. Where nothing can be expected (nobody answered, or
  // what this kind is for was seen not to work) an Error says so. Default: for kinds whose parameters hold no expected
  // values, which keep what passes as it is.
  [[nodiscard]] virtual Result<Json> expecting(const Json& parameters, const Observation& observation) const;
  // Whether it passes when the server refuses: many servers delay that, each time a little more, so how long it takes
  // says nothing about a patch.
  [[nodiscard]] virtual bool wants_a_refusal() const { return false; }
  // Whether it uses up what others need meanwhile: it is asked after all others of its machine, with none beside it, on
  // its machine or another one of the department.
  [[nodiscard]] virtual bool wants_to_be_alone() const { return false; }
  // The file of a program that `observe` executes, as the parameters name it; empty: none. Where it is then says
  // process::brought_program().
  [[nodiscard]] virtual std::string program_in(const Json& /*parameters*/) const { return {}; }
  // Linux capabilities (numbers of capabilities(7)) that `observe` needs with these parameters, which are valid; most
  // kinds need none.
  [[nodiscard]] virtual std::vector<int> capabilities(const Json& /*parameters*/) const { return {}; }
};

// One execution of a check.
struct CheckTry {
  Outcome outcome = Outcome::not_reached;
  Milliseconds duration{};
  std::string reason;  // this and what follows: of a try that did not pass
  std::string observed;
  Json evidence;
  bool starved = false;  // the guest waited for a processor of the host meanwhile; on record is what follows from it
};

// Of a check that says how much slower it may become: whether that was judged, and against what.
struct Slowness {
  bool judged = false;
  Milliseconds quickest{};  // of its tries in this phase
  Milliseconds limit{};     // what the quickest may take in this phase
  std::string why_not;      // when it was not judged
};

struct CheckResult {
  std::string id;
  std::string kind;
  Outcome outcome = Outcome::not_reached;
  std::string reason;
  std::string expected;
  std::string observed;
  std::optional<Error> error;        // when outcome is error
  Json evidence;                     // the observation, capped
  Json memory{};                     // what it leaves for later phases of the trial; null: nothing new
  Milliseconds duration{};           // of the observation alone, when the worker came to its end
  std::vector<CheckTry> tries;       // all of this phase, in order, when there was more than one; see checks/asking.hpp
  std::optional<Slowness> slowness;  // nothing: its time does not count, or there was nothing to compare with yet
  bool starved = false;              // as in CheckTry
};
[[nodiscard]] std::size_t count_tries(const CheckResult& result, Outcome outcome);
// It failed and passed in one phase, on the same state of the machine.
[[nodiscard]] bool is_flaky(const CheckResult& result);

void to_json(Json& json, const CheckResult& result);

}  // namespace patchlab::checks

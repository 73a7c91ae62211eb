// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "checks/check.hpp"

// Checks from what a machine says of itself: which questions are asked in the guest, and which checks are tried because
// of the answers. Functions over values; who asks, tries and writes down is runners/cell/learner.hpp. What a guest says
// is not believed: it only says what is worth asking from where clients are, and what is expected is what a check's own
// observer saw there.
namespace patchlab::checks::learn {

// A POSIX shell script for the guest, with its arguments.
struct Question {
  std::string id;
  std::string script;
  std::vector<std::string> arguments;
};
struct Answer {
  std::uint32_t exit_code = 0;
  std::string output;
  std::string errors;
};
using Answers = std::map<std::string, Answer>;  // by the question's id

// What a scenario says of the machine.
struct Machine {
  std::vector<std::string> users;  // whose passwords it has
  std::string client{};            // the address that checks speak from
};

// A check to be tried.
struct Draft {
  std::string id;  // wanted; the one that it gets is free on its machine
  // The first that works is kept; ids are empty. Secrets are {"account": USER}.
  std::vector<CheckSpec> ways;
  std::string says;     // for who reviews it
  std::string needs{};  // id of a draft without which this one is not tried, nor told of
  // Id of a draft before it: this one is tried only when that one did not work, and is told of in its place when it
  // works itself.
  std::string unless{};
};
struct Drafts {
  std::vector<Draft> checks;
  std::vector<std::string> not_learnt;  // "what: why not", for who reviews the rest
};

// One kind of service.
class Protocol {
 public:
  virtual ~Protocol() = default;
  // What can be asked by now; those that were answered already may be among them.
  [[nodiscard]] virtual std::vector<Question> questions(const Answers& answers) const = 0;
  [[nodiscard]] virtual Drafts drafts(const Machine& machine, const Answers& answers) const = 0;
};
// All that there are, in the order in which their checks are written.
[[nodiscard]] const std::vector<const Protocol*>& protocols();
[[nodiscard]] const Protocol& dns();
[[nodiscard]] const Protocol& dhcp();
[[nodiscard]] const Protocol& smb();
[[nodiscard]] const Protocol& print();
[[nodiscard]] const Protocol& mail();
[[nodiscard]] const Protocol& database();
// Asks nothing but which ports are open: what they say first, and TLS where it is expected.
[[nodiscard]] const Protocol& listeners();

// Ports that accept connections from elsewhere, by /proc/net/tcp and tcp6; needs the answers of listeners().
[[nodiscard]] std::set<std::uint16_t> open_tcp_ports(const Answers& answers);

// Most drafts of one machine, all together: what is more is said, and not tried.
inline constexpr std::size_t most_drafts = 300;

// The name of a check made of names that others chose: "corp-example-mx". Always one that a scenario takes.
[[nodiscard]] std::string check_name(std::string_view text);
// The wanted name, or with a number behind it where it is taken; takes it.
[[nodiscard]] std::string free_name(const std::string& wanted, std::set<std::string>& taken);

[[nodiscard]] CheckSpec way(std::string kind, Json parameters, std::chrono::seconds deadline);
[[nodiscard]] Json password_of(const std::string& user);  // {"account": user}
// Answered, and with exit code 0.
[[nodiscard]] const Answer* answer_to(const Answers& answers, const std::string& question);
// The first line of what an answer complains of, cut to a length for people.
[[nodiscard]] std::string complaint(const Answer& answer);

}  // namespace patchlab::checks::learn

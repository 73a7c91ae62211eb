// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "checks/unfinished.hpp"

namespace patchlab::checks {

// "test.behave": does what its parameter "how" says, as protocol libraries do on bad days.
class MisbehavingCheck final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "test.behave"; }
  void validate(const Json&, const std::string&, std::vector<JsonProblem>&) const override {}

  [[nodiscard]] Result<Observation> observe(const Target& target, const Json& parameters,
                                            Milliseconds deadline) const override {
    const auto how = parameters.at("how").get<std::string>();
    if (how == "crash") ::raise(SIGSEGV);
    if (how == "abort") std::abort();
    if (how == "exit") std::_Exit(3);
    if (how == "throw") throw std::runtime_error("thrown on purpose");
    if (how == "hang") hang();
    if (how == "ignore termination") {
      ::signal(SIGTERM, SIG_IGN);
      hang();
    }
    if (how == "error") return infrastructure_error("no such device");
    if (how == "print") std::puts("a library's own opinion on standard output");
    if (how == "library hangs") return observe_within(deadline, hang_after_a_step);
    return surroundings(target);
  }

  [[nodiscard]] Judgement judge(const Json&, const Observation& observation) const override {
    const bool whole = !observation.contains("unfinished");
    return {whole ? Outcome::pass : Outcome::fail, whole ? "answered" : "no-answer", "an answer", observation.dump()};
  }

 private:
  [[noreturn]] static void hang() {
    while (true) ::pause();
  }
  static void hang_after_a_step(Progress progress) {
    progress.record([](Observation& observation) { observation["step"] = "connect"; });
    hang();
  }
  static Observation surroundings(const Target& target) {
    const char* home = std::getenv("HOME");
    return Json{{"address", target.address},
                {"home", home == nullptr ? "" : home},
                {"has_proxy", std::getenv("http_proxy") != nullptr},
                {"euid", ::geteuid()}};
  }
};

}  // namespace patchlab::checks

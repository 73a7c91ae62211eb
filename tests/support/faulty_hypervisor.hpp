// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lab/core/base64.hpp"
#include "lab/core/json.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::test {

// Between the product and a FakeHypervisor: knows by name each call that goes through, down to what a program in the
// guest is asked for and which file is read, and makes one of them fail. What is asked again later fails again: a
// question that is answered in the end was answered.
class FaultyHypervisor final : public lab::Hypervisor {
 public:
  // How a call goes wrong.
  enum class Way {
    trouble,    // the hypervisor fails, or the agent does not answer
    refusal,    // the agent says no
    missing,    // the agent says that there is no such file or program
    nonsense,   // the agent's reply is no JSON
    shapeless,  // it is JSON of another shape
    bad_end,    // the program ends with another exit code
    garbage,    // the program's output, or the file, holds something else
    empty,      // or nothing
  };
  static constexpr Way ways[] = {Way::trouble,   Way::refusal, Way::missing, Way::nonsense,
                                 Way::shapeless, Way::bad_end, Way::garbage, Way::empty};
  static const char* name_of(Way way) {
    constexpr const char* names[] = {"trouble",   "refusal", "missing", "nonsense",
                                     "shapeless", "bad end", "garbage", "empty"};
    return names[static_cast<std::size_t>(way)];
  }

  FaultyHypervisor(FakeHypervisor& inner, FakeClock& clock) : inner_(inner), clock_(clock) {}

  // From now on.
  void record() { calls_.clear(); }
  [[nodiscard]] std::vector<std::string> calls() const { return calls_; }
  // The `occurrence`-th call from now on, and all like it that follow. Without a name: every agent command from that
  // one on.
  void fail(const std::string& call, std::size_t occurrence, Way way) {
    const std::lock_guard lock(mutex_);
    failing_ = call;
    left_ = occurrence;
    way_ = way;
    armed_ = true;
    struck_ = false;
  }
  // Whether the failure had anything to change: a program without output cannot lose it.
  [[nodiscard]] bool struck() const { return struck_; }

  Result<void> define(const lab::MachineSpec& spec) override { return inner_.define(spec); }
  Result<void> start(const std::string& name) override {
    return step<void>("start", [&] { return inner_.start(name); });
  }
  Result<void> power_off(const std::string& name) override {
    return step<void>("power_off", [&] { return inner_.power_off(name); });
  }
  Result<void> undefine(const std::string& name) override { return inner_.undefine(name); }
  Result<lab::MachineState> state(const std::string& name) override {
    return step<lab::MachineState>("state", [&] { return inner_.state(name); });
  }
  Result<Milliseconds> processor_time(const std::string& name) override {
    return step<Milliseconds>("processor_time", [&] { return inner_.processor_time(name); });
  }
  std::optional<Milliseconds> waited_for_processor(const std::string& name) override {
    return inner_.waited_for_processor(name);
  }
  Result<void> pause(const std::string& name) override {
    return step<void>("pause", [&] { return inner_.pause(name); });
  }
  Result<void> resume(const std::string& name) override {
    return step<void>("resume", [&] { return inner_.resume(name); });
  }
  Result<void> take_snapshot(const std::string& name, const std::string& snapshot) override {
    return step<void>("take_snapshot", [&] { return inner_.take_snapshot(name, snapshot); });
  }
  Result<void> adopt_snapshot(const std::string& name, const std::string& snapshot) override {
    return step<void>("adopt_snapshot", [&] { return inner_.adopt_snapshot(name, snapshot); });
  }
  Result<void> revert(const std::string& name, const std::string& snapshot) override {
    return step<void>("revert", [&] { return inner_.revert(name, snapshot); });
  }
  Result<void> delete_snapshot(const std::string& name, const std::string& snapshot) override {
    return step<void>("delete_snapshot", [&] { return inner_.delete_snapshot(name, snapshot); });
  }
  Result<void> change_medium(const std::string& name, const std::filesystem::path& iso) override {
    return step<void>(iso.empty() ? "eject" : "insert", [&] { return inner_.change_medium(name, iso); });
  }

  Result<std::string> agent_command(const std::string& machine, const std::string& text, Milliseconds limit) override {
    const auto command = Json::parse(text);
    const auto call = name_of(command);
    const auto strikes = strikes_at(call, true);
    if (strikes) {
      switch (way_) {
        case Way::trouble:
          struck_ = true;
          clock_.advance(limit);
          return timeout_error("no answer from the agent of '" + machine + "'");
        case Way::refusal: return scripted(refused("Access is denied"));
        case Way::missing: return scripted(refused("Failed to execute child process: No such file or directory"));
        case Way::nonsense: return scripted("no JSON at all");
        case Way::shapeless:
        case Way::bad_end:
        case Way::garbage:
        case Way::empty: break;
      }
    }
    auto reply = inner_.agent_command(machine, text, limit);
    if (!reply) return reply;
    if (call.starts_with("guest-exec ") || call.starts_with("guest-file-open ")) learn(call, *reply);
    return strikes ? altered(*reply) : reply;
  }

 private:
  static std::string refused(const std::string& why) {
    return Json{{"error", {{"class", "GenericError"}, {"desc", why}}}}.dump();
  }
  std::string scripted(std::string reply) {
    struck_ = true;
    return reply;
  }

  // Numbers differ from one trial to the next.
  static std::string plain(const std::string& text) {
    std::string plain;
    for (const char c : text) {
      const bool digit = c >= '0' && c <= '9';
      if (!digit)
        plain += c;
      else if (!plain.ends_with('#'))
        plain += '#';
    }
    return plain;
  }
  std::string name_of(const Json& command) {
    const std::lock_guard lock(mutex_);
    const auto name = command.at("execute").get<std::string>();
    const auto arguments = command.value("arguments", Json::object());
    if (arguments.contains("pid")) return name + " of " + programs_[arguments["pid"].get<int>()];
    if (arguments.contains("handle")) return name + " of " + files_[arguments["handle"].get<int>()];
    if (name == "guest-file-open") return plain(name + " " + arguments.at("path").get<std::string>());
    if (name != "guest-exec") return name;
    std::string line = arguments.at("path").get<std::string>();
    for (const auto& argument : arguments.at("arg")) line += " " + argument.get<std::string>();
    // Scripts come on standard input: the first line that is like no other tells which.
    const auto script = patchlab::from_base64(arguments.value("input-data", "")).value_or("");
    if (script.find("folder='") != std::string::npos)
      line = "launch of a job";
    else if (script.find("osrelease") != std::string::npos)
      line = "script in effect";
    else if (script.find("meminfo") != std::string::npos)
      line = "script host state";
    else if (!script.empty())
      line = "script " + script.substr(0, 60);
    return plain(name + " " + line);
  }
  void learn(const std::string& call, const std::string& reply) {
    const std::lock_guard lock(mutex_);
    const auto value = Json::parse(reply, nullptr, false);
    if (!value.is_object() || !value.contains("return")) return;
    const auto of = call.substr(call.find(' ') + 1);
    if (call.starts_with("guest-exec "))
      programs_[value["return"]["pid"].get<int>()] = of;
    else
      files_[value["return"].get<int>()] = of;
  }

  std::string altered(const std::string& reply) {
    auto json = Json::parse(reply, nullptr, false);
    if (way_ == Way::shapeless) {
      // One that holds nothing has no shape to lose.
      if (!json.is_object() || !json.contains("return") || json["return"].empty()) return reply;
      return scripted(R"({"return": [["odd"]]})");
    }
    if (!json.is_object() || !json.contains("return") || !json["return"].is_object()) return reply;
    auto& value = json["return"];
    const auto bytes = way_ == Way::empty ? std::string() : std::string("garbage\n");
    if (way_ == Way::bad_end && value.contains("exitcode")) {
      struck_ = true;
      value["exitcode"] = value["exitcode"] == 0 ? 5 : 0;
    } else if (way_ != Way::bad_end && value.contains("out-data")) {
      struck_ = true;
      value["out-data"] = patchlab::base64(bytes);
    } else if (way_ != Way::bad_end && value.contains("buf-b64") && value["count"] != 0) {
      struck_ = true;
      value["buf-b64"] = patchlab::base64(bytes);
      value["count"] = bytes.size();
    }
    return json.dump();
  }

  bool strikes_at(const std::string& call, bool is_agent) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(call);
    if (!armed_ || !(failing_.empty() ? is_agent : call == failing_)) return false;
    if (left_ > 0) --left_;
    return left_ == 0;
  }

  template <class Value, class Action>
  Result<Value> step(const char* call, const Action& action) {
    if (strikes_at(call, false) && way_ == Way::trouble) {
      struck_ = true;
      return infrastructure_error("the hypervisor is in trouble");
    }
    return action();
  }

  FakeHypervisor& inner_;
  FakeClock& clock_;
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::map<int, std::string> programs_;
  std::map<int, std::string> files_;
  std::string failing_;
  std::size_t left_ = 0;
  Way way_ = Way::trouble;
  bool armed_ = false;
  bool struck_ = false;
};

}  // namespace patchlab::test

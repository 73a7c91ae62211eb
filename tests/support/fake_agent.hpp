// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/base64.hpp"
#include "lab/core/json.hpp"
#include "lab/guest/debian_install.hpp"
#include "lab/hypervisor.hpp"

namespace patchlab::test {

// A guest agent that behaves: files, processes that end after a few looks and are forgotten once their end was told,
// detached jobs that write their files. Troubles are scripted per command: the next "guest-exec-status" is silence,
// garbage, a partial or an oversized reply.
class FakeAgent {
 public:
  struct Process {
    int exit_code = 0;
    std::string output;
    std::string errors;
    std::optional<std::int64_t> signal;
    int looks = 1;  // answered as still running that many times less one
    bool truncated = false;
  };
  struct Job {
    std::optional<int> exit_code;  // nothing: hangs
    std::string output;
    int looks = 1;  // how often somebody looks for the end before it is there
  };
  // `script` is what came on standard input, empty for a plain program.
  using Programs = std::function<Process(const std::string& program, const std::vector<std::string>& arguments,
                                         const std::string& script)>;

  std::map<std::string, std::string> files;
  std::function<void()> before_read;  // may change files
  Programs programs = [](const auto&, const auto&, const auto&) { return Process{}; };
  // apt's answer when it is asked what it would do with these packages: by default exactly that.
  std::function<std::string(const std::vector<std::string>& packages)> simulation = [](const auto& packages) {
    std::string text;
    for (const auto& package : packages) text += "Inst " + package + " [1] (2 localhost [amd64])\n";
    return text;
  };
  // Instead of a simulation: the script's own exit code, with its output.
  std::optional<Process> medium_trouble;
  std::uint32_t simulation_code = 0;
  std::function<Job(const std::string& command)> jobs = [](const auto&) { return Job{0, "", 1}; };
  std::vector<std::string> calls;  // names of the commands so far, and "run <program> <arguments>"
  std::size_t open_handles() const { return handles_.size(); }
  std::size_t largest_reply = 0;

  // The next `times` calls of this command end like that instead; the command itself is carried out first when `after`
  // is set (a lost reply).
  void trouble(const std::string& command, Result<std::string> reply, int times = 1, bool after = false) {
    for (int i = 0; i < times; ++i) troubles_[command].push_back({reply, after});
  }
  // As after a restart of the guest: no processes, no handles, nothing in /run.
  void restart() {
    processes_.clear();
    handles_.clear();
    std::erase_if(files, [](const auto& file) { return file.first.starts_with("/run/"); });
  }

  Result<std::string> answer(const std::string& text) {
    const auto command = Json::parse(text);
    const auto name = command.at("execute").get<std::string>();
    calls.push_back(name);
    auto& queue = troubles_[name];
    if (queue.empty()) return remembered(carry_out(name, command.value("arguments", Json::object())));
    const auto [reply, after] = queue.front();
    queue.pop_front();
    if (after) (void)carry_out(name, command.value("arguments", Json::object()));
    return reply;
  }

  static std::string refusal(const std::string& description) {
    return Json{{"error", {{"class", "GenericError"}, {"desc", description}}}}.dump();
  }

 private:
  struct Trouble {
    Result<std::string> reply;
    bool after;
  };
  struct Handle {
    std::string path;
    std::size_t position = 0;
  };

  std::string remembered(std::string reply) {
    largest_reply = std::max(largest_reply, reply.size());
    return reply;
  }
  static std::string returned(const Json& value) { return Json{{"return", value}}.dump(); }

  std::string carry_out(const std::string& name, const Json& arguments) {
    if (name == "guest-ping") return returned(Json::object());
    if (name == "guest-exec") return execute(arguments);
    if (name == "guest-exec-status") return status(arguments.at("pid").get<int>());
    if (name == "guest-file-open") return open(arguments.at("path"), arguments.at("mode"));
    if (name == "guest-set-time") return returned(Json::object());
    if (name.starts_with("guest-file-")) return with_handle(name, arguments);
    return refusal("The command " + name + " has not been found");
  }

  std::string execute(const Json& arguments) {
    const auto program = arguments.at("path").get<std::string>();
    const auto list = arguments.at("arg").get<std::vector<std::string>>();
    const auto script = patchlab::from_base64(arguments.value("input-data", "")).value_or("?");
    std::string line = "run " + program;
    for (const auto& argument : list) line += " " + argument;
    calls.push_back(line);
    if (script.find("folder='") != std::string::npos)
      start_job(script);
    else if (script.find(lab::guest::debian::install_scripts::prepare) != std::string::npos)
      processes_[++last_pid_] = medium_trouble ? *medium_trouble : simulate(list);
    else
      processes_[++last_pid_] = programs(program, list, script);
    return returned({{"pid", last_pid_}});
  }

  // "sh -s -- MARK a.deb b.deb": each file holds the package of its name, in version 2.
  Process simulate(const std::vector<std::string>& arguments) const {
    const auto& mark = arguments.at(2);
    std::vector<std::string> packages;
    std::string text = mark + " asked\n";
    for (std::size_t i = 3; i < arguments.size(); ++i) {
      packages.push_back(arguments[i].substr(0, arguments[i].rfind(".deb")));
      text += packages.back() + " 2 amd64\n";
    }
    text += mark + " simulation\n" + simulation(packages);
    Process process;
    process.output = text + mark + " end " + std::to_string(simulation_code) + "\n";
    return process;
  }

  static std::string unquoted_after(const std::string& text, const std::string& start) {
    std::string word;
    for (auto i = text.find(start) + start.size(); i < text.size(); ++i) {
      if (text.compare(i, 4, "'\\''") == 0) {
        word += '\'';
        i += 3;
      } else if (text[i] == '\'') {
        return word;
      } else {
        word += text[i];
      }
    }
    return "?";
  }

  void start_job(const std::string& script) {
    const auto folder = unquoted_after(script, "folder='");
    auto job = jobs(unquoted_after(script, "job='"));
    files[folder + "/out"] = job.output;
    jobs_[folder + "/code"] = job;
    processes_[++last_pid_] = {};
  }

  std::string status(int pid) {
    const auto found = processes_.find(pid);
    if (found == processes_.end()) return refusal(fmt::format("PID {} does not exist", pid));
    auto& process = found->second;
    if (--process.looks > 0) return returned({{"exited", false}});
    Json value = {{"exited", true}};
    if (process.signal)
      value["signal"] = *process.signal;
    else
      value["exitcode"] = process.exit_code;
    if (!process.output.empty()) value["out-data"] = patchlab::base64(process.output);
    if (!process.errors.empty()) value["err-data"] = patchlab::base64(process.errors);
    if (process.truncated) value["out-truncated"] = true;
    processes_.erase(found);
    return returned(value);
  }

  std::string open(const std::string& path, const std::string& mode) {
    if (const auto job = jobs_.find(path); job != jobs_.end() && job->second.exit_code && --job->second.looks <= 0) {
      files[path] = fmt::format("{}\n", *job->second.exit_code);
      jobs_.erase(job);
    }
    if (mode == "w") files[path].clear();
    if (mode != "w" && before_read) before_read();
    if (files.count(path) == 0)
      return refusal(fmt::format("failed to open file '{}' (mode: '{}'): No such file or directory", path, mode));
    handles_[++last_handle_] = {path, 0};
    return returned(last_handle_);
  }

  std::string with_handle(const std::string& name, const Json& arguments) {
    const auto found = handles_.find(arguments.at("handle").get<int>());
    if (found == handles_.end()) return refusal("handle '" + arguments.at("handle").dump() + "' has not been found");
    auto& [path, position] = found->second;
    auto& bytes = files[path];
    if (name == "guest-file-close") {
      handles_.erase(found);
      return returned(Json::object());
    }
    if (name == "guest-file-write") {
      const auto block = patchlab::from_base64(arguments.at("buf-b64").get<std::string>()).value_or("?");
      bytes += block;
      return returned({{"count", block.size()}, {"eof", false}});
    }
    if (name == "guest-file-seek") {
      const auto from = arguments.at("whence") == 2 ? bytes.size() : 0;
      position = from + arguments.at("offset").get<std::size_t>();
      return returned({{"position", position}, {"eof", false}});
    }
    if (name == "guest-file-read") {
      const auto block = bytes.substr(std::min(position, bytes.size()), arguments.at("count").get<std::size_t>());
      position += block.size();
      return returned(
          {{"count", block.size()}, {"buf-b64", patchlab::base64(block)}, {"eof", position >= bytes.size()}});
    }
    return returned(Json::object());  // flush
  }

  std::map<std::string, std::deque<Trouble>> troubles_;
  std::map<int, Process> processes_;
  std::map<std::string, Job> jobs_;
  std::map<int, Handle> handles_;
  int last_pid_ = 100;
  int last_handle_ = 1000;
};

}  // namespace patchlab::test

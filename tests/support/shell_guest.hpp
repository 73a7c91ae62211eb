// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lab/guest/adapter.hpp"
#include "lab/process/process.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::test {

// A Debian guest whose scripts are run by a shell of this host: what they name of a guest lies in a folder instead.
class ShellGuest {
 public:
  // `instead`: a path as the scripts have it, and the name in the folder that takes its place. `programs`: where they
  // are looked for, in the folder where that does not begin with a slash.
  ShellGuest(std::vector<std::pair<std::string, std::string>> instead, std::vector<std::string> programs)
      : instead_(std::move(instead)), programs_(std::move(programs)) {
    lab::MachineSpec spec;
    spec.name = "dns";
    (void)hypervisor_.define(spec);
    (void)hypervisor_.start("dns");
    hypervisor_.on_agent([this](auto&, const auto& command) { return guest_.answer(command); });
    guest_.programs = [this](const auto& program, const auto& arguments, const auto& script) {
      return run(program, arguments, script);
    };
  }
  ShellGuest(const ShellGuest&) = delete;
  ShellGuest& operator=(const ShellGuest&) = delete;
  ~ShellGuest() { std::filesystem::remove_all(folder_); }

 protected:
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  void write_program(const std::string& name, const std::string& text) const {
    write(name, text);
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
  }

 private:
  static std::filesystem::path new_folder() {
    std::string pattern = testing::TempDir() + "patchlab-guest-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  FakeAgent::Process run(const std::string& program, const std::vector<std::string>& arguments,
                         std::string script) const {
    for (const auto& [path, name] : instead_) {
      const auto by = (folder_ / name).string();
      for (auto at = script.find(path); at != std::string::npos; at = script.find(path, at + by.size()))
        script.replace(at, path.size(), by);
    }
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = arguments;
    spec.input = script;
    auto& found = spec.extra_environment["PATH"];
    for (const auto& place : programs_) found += (found.empty() ? "" : ":") + (folder_ / place).string();
    const auto outcome = host_processes().run(spec);
    FakeAgent::Process process;
    const auto* exited = std::get_if<Exited>(&outcome.end);
    process.exit_code = exited == nullptr ? 255 : exited->code;
    process.output = outcome.output;
    process.errors = outcome.errors;
    return process;
  }

  std::vector<std::pair<std::string, std::string>> instead_;
  std::vector<std::string> programs_;

 protected:
  const std::filesystem::path folder_ = new_folder();
  FakeClock clock_;
  FakeHypervisor hypervisor_;
  FakeAgent guest_;
  std::unique_ptr<lab::guest::GuestAdapter> adapter_ =
      lab::guest::debian_adapter(lab::guest::GuestAgent(hypervisor_, "dns", clock_), clock_);
};

}  // namespace patchlab::test

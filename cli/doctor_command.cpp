// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/doctor.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "cli/there.hpp"
#include "lab/core/choice.hpp"

namespace patchlab::cli {
namespace {

Outcome as_outcome(Health health) {
  switch (health) {
    case Health::ok: return Outcome::pass;
    case Health::warn: return Outcome::not_reached;
    case Health::fail: return Outcome::fail;
  }
  return Outcome::fail;
}

struct Arguments {
  std::string uri;
  bool json = false;
  std::filesystem::path stage;
  std::string lab;
};

ExitCode doctor(const Arguments& arguments) {
  const bool json = arguments.json;
  const auto findings =
      arguments.stage.empty() ? examine_host(host_processes()) : examine_separation(arguments.stage, arguments.lab);
  const bool works = std::ranges::none_of(findings, [](const auto& finding) { return finding.health == Health::fail; });
  if (json) {
    Json all = Json::array();
    for (const auto& finding : findings) {
      all.push_back({{"subject", finding.subject},
                     {"health", to_string(finding.health)},
                     {"found", finding.found},
                     {"mend", finding.mend}});
    }
    say_json("doctor", {{"can_run", works}, {"findings", all}});
  } else {
    std::vector<std::vector<Cell>> rows;
    for (const auto& finding : findings) {
      const bool fine = finding.health == Health::ok || finding.mend.empty();
      rows.push_back({{to_string(finding.health), as_outcome(finding.health)},
                      {finding.subject, {}},
                      {finding.found, {}, fine ? std::string() : "mend: " + finding.mend}});
    }
    write_out(table(rows));
  }
  return works ? ExitCode::ok : ExitCode::error;
}

ExitCode doctor_of(const Arguments& arguments) {
  if (arguments.uri.empty()) return doctor(arguments);
  const bool json = arguments.json;
  const auto elsewhere = lab::libvirt::ssh_destination(arguments.uri);
  if (!elsewhere) return report(elsewhere.error());
  if (!*elsewhere) {
    // Of another place nothing would be said: this host is all that is looked at here.
    if (const auto known = check_choice("--connect", {arguments.uri}, "is no libvirt whose host could be looked at",
                                        {"qemu:///system", "qemu:///session", "qemu+ssh://root@HOST/system"});
        !known)
      return report(known.error());
    return doctor(arguments);
  }
  return do_there(**elsewhere,
                  json ? std::vector<std::string>{"doctor", "--json"} : std::vector<std::string>{"doctor"});
}

}  // namespace

void add_doctor(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("doctor", "what this host can do, and the command that mends what it cannot");
  command->add_option("--connect", arguments->uri, "instead the host of this libvirt: qemu+ssh://root@HOST/system");
  command->add_flag("--json", arguments->json, "as JSON");
  auto* stage = command->add_option("--stage", arguments->stage,
                                    "instead whether the lab's user is kept from writing this stage and its ledger");
  command->add_option("--lab", arguments->lab, "that user; default: whoever calls")->needs(stage);
  command->callback([arguments, &chosen] { chosen = [arguments] { return doctor_of(*arguments); }; });
}

}  // namespace patchlab::cli

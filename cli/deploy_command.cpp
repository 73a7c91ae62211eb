// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "promotion/deploy/export_handoff.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

struct ExportArguments {
  fs::path stage;
  std::string department;
  std::string to;
  std::string key;
  std::string not_after;
  fs::path target;
  bool json = false;
};

void say_export(const ExportArguments& arguments, const Handoff& handoff, ExportTo to) {
  const auto parts = parts_for(handoff, to);
  if (arguments.json) {
    std::vector<std::string> candidates;
    for (const auto& candidate : parts.go) candidates.push_back(candidate.id);
    Json json{{"folder", arguments.target.string()},
              {"to", to_string(to)},
              {"department", handoff.department},
              {"serial", handoff.serial},
              {"run", handoff.run},
              {"promotion", handoff.promotion},
              {"signed", !handoff.signature.empty()},
              {"candidates", candidates},
              {"left_out", parts.left_out}};
    if (!handoff.not_after.empty()) json["not_after"] = handoff.not_after;
    return say_json("deploy-export", std::move(json));
  }
  say("{}: {} candidates for {}, serial {} of run {}, promotion {}\n", arguments.target, parts.go.size(), to_string(to),
      handoff.serial, handoff.run, handoff.promotion);
  if (handoff.not_after.empty())
    say("  nothing ends it: no waiver, and no --not-after\n");
  else
    say("  until {}\n", handoff.not_after);
  if (!parts.left_out.empty()) say("  not in it, since it is not for {}: {}\n", to_string(to), listed(parts.left_out));
  if (handoff.signature.empty())
    say("  the lab has not signed the promotion: its digests prove nothing by themselves\n");
}

ExitCode export_stage(const ExportArguments& arguments) {
  const auto to = *export_to_from(arguments.to);
  if (!arguments.not_after.empty() && !parse_rfc3339(arguments.not_after))
    return report(usage_error(fmt::format("--not-after '{}' is no time", arguments.not_after),
                              "write it in UTC: 2026-12-12T00:00:00Z"));
  const auto stage = absolute_path(arguments.stage);
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  auto handoff = handoff_of(host_processes(), *stage, arguments.department);
  if (!handoff) return report_input(handoff.error(), ExitCode::bad_data);
  handoff->not_after = earlier_end(handoff->not_after, arguments.not_after);
  const HandoffExport how{.to = to, .key = arguments.key, .now = system_clock_source().wall()};
  if (const auto why = not_to_be_exported(*handoff, to, how.now)) return report(*why, ExitCode::policy);
  if (const auto made = export_handoff(host_processes(), *handoff, how, arguments.target); !made) {
    const bool is_target = made.error().error_class == ErrorClass::infrastructure;
    return is_target ? report(made.error(), ExitCode::cannot_create) : report_input(made.error(), ExitCode::bad_data);
  }
  say_export(arguments, *handoff, to);
  return ExitCode::ok;
}

void add_export(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<ExportArguments>();
  auto* exporting = group.add_subcommand("export", "what was promoted last, in the form that a tool installs from");
  exporting->add_option("stage", arguments->stage, "stage folder")->required();
  exporting->add_option("--department", arguments->department, "of this department")->required();
  exporting
      ->add_option(
          "--to", arguments->to,
          "apt: a signed repository. ansible: variables and a playbook. wsus: data and a script that approves. "
          "files: the files with their digests")
      ->required()
      ->check(CLI::IsMember({"apt", "ansible", "wsus", "files"}));
  exporting->add_option("-o,--output", arguments->target, "folder to make; it must not be there")->required();
  exporting
      ->add_option("--key", arguments->key,
                   "for apt: full fingerprint of your OpenPGP key, which gpg finds in GNUPGHOME and signs with")
      ->envname("PATCHLAB_OPENPGP_KEY");
  exporting->add_option("--not-after", arguments->not_after,
                        "nobody is to take it from then on (UTC); can only be sooner than what its waivers say");
  exporting->add_flag("--json", arguments->json, "as JSON");
  exporting->callback([arguments, &chosen] { chosen = [arguments] { return export_stage(*arguments); }; });
}

}  // namespace

void add_deploy(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("deploy", "hand what was promoted to whoever installs it: export");
  group->require_subcommand(1);
  add_export(*group, chosen);
}

}  // namespace patchlab::cli

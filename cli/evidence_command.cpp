// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/key_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/process/process.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/evidence/attestation.hpp"
#include "promotion/evidence/dsse.hpp"
#include "promotion/evidence/export.hpp"
#include "promotion/evidence/proof.hpp"
#include "promotion/signature/ssh_keygen.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

struct Arguments {
  fs::path stage = "production";
  std::vector<std::string> departments;
  fs::path runs = "runs";
  fs::path target;
  fs::path key;
  std::string format = "bundle";
  fs::path dsse_key;
  bool json = false;
};

// A new head, of all lines.
Result<void> sign_head(const Arguments& arguments) {
  Chain chain(arguments.stage / chain_folder_name);
  if (!chain.exists()) return {};  // the export says what is missing
  PATCHLAB_ASSIGN(const auto key, signing_key(arguments.key));
  PATCHLAB_TRY(chain.write_head(
      [&](const std::string& text) { return make_signature(host_processes(), key.file, "patchlab.head.v1", text); }));
  return {};
}

Result<std::string> attestations(const Arguments& arguments, const fs::path& stage, const DsseKey& key) {
  std::string lines;
  for (const auto& department : arguments.departments) {
    PATCHLAB_ASSIGN(const auto set, promoted_set(stage, department));
    PATCHLAB_ASSIGN(const auto proof, prove(host_processes(), stage / department, {}));
    PATCHLAB_TRY(refuse_what_is_refuted(proof));
    for (const auto& statement : {test_result_statement(set), summary_statement(set)}) {
      PATCHLAB_ASSIGN(const auto line, key.envelope(in_toto_payload, statement.dump()));
      lines += line;
    }
  }
  return lines;
}

// For other tools: one envelope per line.
ExitCode export_dsse(const Arguments& arguments, const fs::path& stage) {
  if (arguments.dsse_key.empty())
    return report(
        configuration_error("--format dsse needs --dsse-key KEY.pem: envelopes are signed with a key of their own",
                            "make one with: openssl genpkey -algorithm ed25519 -out KEY.pem"),
        ExitCode::usage);
  const auto key = DsseKey::read(arguments.dsse_key);
  if (!key) return report_input(key.error(), ExitCode::bad_data);
  const auto lines = attestations(arguments, stage, *key);
  if (!lines) return report_input(lines.error(), ExitCode::bad_data);
  if (auto written = write_file_atomically(arguments.target, *lines); !written)
    return report(written.error(), ExitCode::cannot_create);
  if (arguments.json) {
    say_json("evidence-dsse",
             Json{{"file", arguments.target.string()}, {"departments", arguments.departments}, {"key", key->id()}});
  } else {
    say("{}: test result and summary of {}, signed by key {}\n", arguments.target, listed(arguments.departments),
        key->id());
  }
  return ExitCode::ok;
}

ExitCode export_evidence(const Arguments& arguments) {
  const auto stage = absolute_path(arguments.stage);
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  if (arguments.format == "dsse") return export_dsse(arguments, *stage);
  if (!arguments.key.empty()) {
    if (auto signed_head = sign_head(arguments); !signed_head)
      return report_input(std::move(signed_head).error().while_doing("signing the head"), ExitCode::bad_data);
  }
  const auto exported = export_bundle(*stage, arguments.departments, arguments.runs, arguments.target);
  if (!exported) {
    const bool is_target = exported.error().error_class != ErrorClass::configuration;
    return report(exported.error(), is_target ? ExitCode::cannot_create : ExitCode::bad_data);
  }
  if (arguments.json) {
    say_json("evidence-export", Json{{"bundle", arguments.target.string()},
                                     {"departments", exported->departments},
                                     {"lines", exported->head.size},
                                     {"head", exported->head.hash},
                                     {"lines_left", exported->lines_left},
                                     {"objects", exported->objects},
                                     {"evidence", exported->evidence},
                                     {"has_head", exported->has_head}});
    return ExitCode::ok;
  }
  say("{}: {}, {} lines, {} objects, {} files of evidence, head {}\n", arguments.target, listed(exported->departments),
      exported->head.size, exported->objects, exported->evidence, exported->head.hash);
  if (!exported->has_head)
    say("  no head covers it, so nobody can prove it: --sign-with KEY, with a key that may sign heads\n");
  if (exported->lines_left > 0)
    say("  {} lines behind the newest head are not in it; --sign-with KEY signs a head of all\n", exported->lines_left);
  return ExitCode::ok;
}

}  // namespace

void add_evidence(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("evidence", "what proves a promotion to others: export");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  auto* exporting = group->add_subcommand("export", "the smallest bundle that proves what was promoted last");
  exporting->add_option("--department", arguments->departments, "of this department (may be given again)")->required();
  exporting->add_option("-o,--output", arguments->target, "folder to make; with --format dsse a file")->required();
  exporting
      ->add_option("--format", arguments->format,
                   "bundle: what proves it. dsse: what the lab says of it, for other tools: in-toto statements "
                   "(test-result, SLSA verification summary), one DSSE envelope per line")
      ->check(CLI::IsMember({"bundle", "dsse"}))
      ->capture_default_str();
  exporting
      ->add_option("--dsse-key", arguments->dsse_key,
                   "private Ed25519 key in PEM that signs the envelopes (openssl genpkey -algorithm ed25519)")
      ->envname("PATCHLAB_DSSE_KEY");
  exporting->add_option("--runs", arguments->runs, "folder of runs, which has what a run kept as evidence")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  exporting->add_option("--stage", arguments->stage, "stage folder")->capture_default_str();
  exporting
      ->add_option("--sign-with", arguments->key,
                   "sign a head of all lines first, with this key of the lab: the .pub file, or the private one")
      ->envname("PATCHLAB_SIGN_WITH");
  exporting->add_flag("--json", arguments->json, "as JSON");
  exporting->callback([arguments, &chosen] { chosen = [arguments] { return export_evidence(*arguments); }; });
}

}  // namespace patchlab::cli

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/process/process.hpp"
#include "promotion/evidence/proof.hpp"
#include "promotion/ledger/ledger.hpp"
#include "promotion/trust/signers.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

struct Arguments {
  fs::path what = "production";
  fs::path roots;
  std::vector<std::string> noted;
  fs::path runs = "runs";
  bool json = false;
};

// Of an older version: a file that is a chain in itself.
ExitCode verify_old_ledger(const Arguments& arguments) {
  const auto head = Ledger(arguments.what).verify();
  if (!head) return report_input(head.error(), ExitCode::bad_data);
  if (head->seq == 0) {
    return report(
        configuration_error(fmt::format("'{}' has no entry: there is nothing to verify", arguments.what.string())),
        ExitCode::bad_data);
  }
  if (arguments.json) {
    say_json("ledger-file", Json{{"ledger", arguments.what.string()}, {"entries", head->seq}, {"head", head->hash}});
    return ExitCode::ok;
  }
  say("{}: {} entries, unbroken, head {}\n", arguments.what, head->seq, head->hash);
  return ExitCode::ok;
}

// A bundle is there to prove something, and so is whoever names root keys: less is not fine then. Neither is a stage in
// which nothing lies that could be asked about.
ExitCode code_of(const Proof& proof, bool proof_is_asked) {
  switch (proof.verdict()) {
    case Verdict::proven: return ExitCode::ok;
    case Verdict::consistent:
      return proof.of_bundle || proof_is_asked || proof.departments.empty() ? ExitCode::not_tested : ExitCode::ok;
    case Verdict::refuted: return ExitCode::bad_data;
  }
  return ExitCode::error;
}

std::string verdict_of(const Proof& proof, const std::string& department) {
  const auto of = [&](LinkState state) {
    return std::ranges::any_of(proof.links, [&](const Link& link) {
      return link.state == state && (link.department == department || link.department.empty());
    });
  };
  if (of(LinkState::broken)) return "NOT what was tested and decided";
  return to_string(proof.verdict() == Verdict::proven ? Verdict::proven : Verdict::consistent);
}

void say_links(const Proof& proof, const std::string& department) {
  for (const auto& link : proof.links) {
    if (link.department != department) continue;
    say("  {} {} {}\n", fmt::format("{:<9}", to_string(link.state)), fmt::format("{:<10}", to_string(link.kind)),
        link.text);
  }
}

void say_proof(const Proof& proof, const fs::path& what) {
  for (const auto& check : proof.departments) {
    say("{}: {} candidates of run {}: {}\n", check.department, check.candidates.size(), check.run,
        verdict_of(proof, check.department));
    say_links(proof, check.department);
  }
  const std::string kind = proof.of_bundle ? "bundle" : "stage";
  say("{} '{}': {}\n", kind, what, to_string(proof.verdict()));
  say_links(proof, {});
  for (const auto& note : proof.notes) say("  note      {}\n", note);
}

Json json_of(const Proof& proof, const fs::path& what) {
  Json links = Json::array();
  for (const auto& link : proof.links) {
    links.push_back({{"department", link.department},
                     {"link", to_string(link.kind)},
                     {"state", to_string(link.state)},
                     {"text", link.text}});
  }
  Json departments = Json::array();
  for (const auto& check : proof.departments) {
    departments.push_back({{"department", check.department},
                           {"run", check.run},
                           {"candidates", check.candidates},
                           {"problems", check.problems}});
  }
  Json json{{"what", what.string()},
            {"kind", proof.of_bundle ? "bundle" : "stage"},
            {"verdict", to_string(proof.verdict())},
            {"departments", std::move(departments)},
            {"links", std::move(links)},
            {"notes", proof.notes}};
  if (proof.head) json["head"] = {{"size", proof.head->size}, {"hash", proof.head->hash}};
  return json;
}

ExitCode verify_folder(const Arguments& arguments) {
  ProofQuestion question;
  if (!arguments.roots.empty()) {
    auto roots = read_file(arguments.roots, largest_signers_file);
    if (!roots) return report_input(std::move(roots).error().while_doing("--roots"), ExitCode::bad_data);
    if (const auto reading = read_signers(*roots, SignersOf::trust); !reading.problems.empty())
      return report(trust_error(arguments.roots.string(), reading.problems), ExitCode::bad_data);
    question.roots = std::move(*roots);
  }
  for (const auto& argument : arguments.noted) {
    auto noted = read_noted(argument);
    if (!noted) return report_input(std::move(noted).error().while_doing("--noted"), ExitCode::bad_data);
    question.noted.push_back(std::move(*noted));
  }
  question.runs = arguments.runs;
  const auto proof = prove(host_processes(), arguments.what, question);
  if (!proof) return report_input(proof.error(), ExitCode::bad_data);
  if (arguments.json)
    say_json("verify", json_of(*proof, arguments.what));
  else
    say_proof(*proof, arguments.what);
  return code_of(*proof, question.roots.has_value());
}

ExitCode verify(const Arguments& arguments) {
  // What is neither is said by the reader of a ledger: missing, a pipe, a circle of links.
  if (is_folder(arguments.what)) return verify_folder(arguments);
  if (!arguments.roots.empty() || !arguments.noted.empty())
    return report(configuration_error(fmt::format("--roots and --noted prove a stage or a bundle, and '{}' is none",
                                                  arguments.what.string())),
                  ExitCode::bad_data);
  return verify_old_ledger(arguments);
}

}  // namespace

void add_verify(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* verifying = app.add_subcommand("verify", "prove a stage or a bundle again, offline, from the bytes up");
  verifying->add_option("what", arguments->what, "stage folder, bundle, or ledger file of an older version")
      ->capture_default_str();
  verifying->add_option("--roots", arguments->roots, "list of root keys, from elsewhere: without it nothing is proven")
      ->envname("PATCHLAB_ROOTS");
  verifying->add_option("--noted", arguments->noted,
                        "head that was noted elsewhere: SIZE:HASH, or a file (may be given again)");
  verifying->add_option("--runs", arguments->runs, "folder of runs: what the run of a stage kept is compared, too")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  verifying->add_flag("--json", arguments->json, "as JSON");
  verifying->callback([arguments, &chosen] { chosen = [arguments] { return verify(*arguments); }; });
}

}  // namespace patchlab::cli

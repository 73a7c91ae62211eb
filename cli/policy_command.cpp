// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/key_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "process/assess/decision_table.hpp"
#include "promotion/book/book.hpp"
#include "promotion/chain/own_folder.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/policy/in_force.hpp"
#include "promotion/policy/policy_document.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using promotion::Policy;

struct Arguments {
  std::string policy;
  std::string run = "latest";
  fs::path runs = "runs";
  std::vector<std::string> departments;
  std::string at;
  bool json = false;
  fs::path stage = "production";
  fs::path key;
  std::string reason;
};

// A file, or the shipped one by its name. A file of that name is "./quickstart".
Result<Policy> read(const std::string& name) {
  if (name == "quickstart") return promotion::quickstart_policy();
  return promotion::read_policy(name);
}

// The bytes of the decision table that it names, which are one; empty: it names none.
Result<std::string> decision_table_of(const Policy& policy, const fs::path& file) {
  if (!policy.decisions) return std::string();
  PATCHLAB_ASSIGN(auto text, promotion::table_beside(*policy.decisions, file));
  PATCHLAB_TRY(process::parse_decision_table(text, policy.decisions->file));
  return text;
}

std::string when(const std::optional<promotion::PolicyTime>& time) { return time ? rfc3339(*time) : std::string(); }

ExitCode check(const Arguments& arguments) {
  const auto policy = read(arguments.policy);
  if (!policy) return report_input(policy.error(), ExitCode::bad_data);
  const bool in_force = promotion::is_in_force(*policy, {}, system_clock_source().wall());
  const auto asks = promotion::summary_of(*policy);
  auto warnings = promotion::warnings_of(*policy);
  if (policy->decisions && !is_there(fs::path(arguments.policy).parent_path() / policy->decisions->file)) {
    warnings.push_back(
        fmt::format("the decision table '{}' is not beside it, and was not looked at", policy->decisions->file));
  } else if (const auto table = decision_table_of(*policy, arguments.policy); !table) {
    return report_input(table.error(), ExitCode::bad_data);
  }
  if (arguments.json) {
    say_json("policy-check", Json{{"id", policy->id},
                                  {"digest", policy->digest},
                                  {"valid_since", when(policy->valid_since)},
                                  {"valid_until", when(policy->valid_until)},
                                  {"in_force", in_force},
                                  {"asks", asks},
                                  {"warnings", warnings}});
    return ExitCode::ok;
  }
  say("policy '{}': {}, digest {}\n", policy->id, in_force ? "in force now" : "not in force now", policy->digest);
  say("  from {} until {}\n", when(policy->valid_since), when(policy->valid_until));
  for (const auto& line : asks) say("  {}\n", line);
  for (const auto& line : warnings) say("  warning: {}\n", line);
  return ExitCode::ok;
}

struct Question {
  Policy policy;
  promotion::Today today;
  std::vector<std::string> notes;  // what was not asked
};

// As at a moment that was named, or as when the run had just ended: then whether the policy was in force already, and
// its windows, are nobody's question.
Result<Question> question_of(const Arguments& arguments, const reports::RunRecord& record, Policy policy) {
  Question question{std::move(policy), {}, {}};
  if (!arguments.at.empty()) {
    const auto at = parse_rfc3339(arguments.at);
    if (!at)
      return usage_error(fmt::format("--at '{}' is no time", arguments.at),
                         "RFC 3339 in UTC with Z is needed, as 2026-11-22T07:00:00Z");
    question.today.now = *at;
  } else {
    const auto finished = parse_rfc3339(record.finished);
    question.today.now = finished ? *finished : system_clock_source().wall();
    question.policy.valid_since.reset();
    question.policy.valid_until.reset();
    question.policy.windows.clear();
    question.notes.emplace_back("whether the policy was in force, and its windows: name a moment with --at");
  }
  question.notes.emplace_back("ledger, stage and approvals, and what golden images and candidates are today");
  return question;
}

Json subject_json(const promotion::Subject& subject) {
  return {{"run", subject.run},     {"department", subject.department}, {"machine", subject.machine},
          {"check", subject.check}, {"phase", subject.phase},           {"candidate", subject.candidate},
          {"trial", subject.trial}};
}
Json requirements_json(const std::vector<promotion::Requirement>& requirements) {
  Json all = Json::array();
  for (const auto& requirement : requirements) {
    all.push_back({{"code", to_string(requirement.code)},
                   {"subject", subject_json(requirement.subject)},
                   {"met", requirement.met},
                   {"text", requirement.text},
                   {"command", requirement.command}});
  }
  return all;
}

Result<void> look_at_departments(const Arguments& arguments, const reports::RunRecord& record) {
  std::vector<std::string> known;
  for (const auto& department : record.departments) known.push_back(department.name);
  return check_choice("--department", arguments.departments, "is not part of run " + record.id, known);
}

void show(const promotion::Decision& decision) {
  say("{}: {} {}\n", decision.department, decision.promotes() ? "would be promoted" : "refused",
      listed(decision.promotable));
  for (const auto& reason : decision.reasons()) say("  {}\n", reason);
}

// What the policy says of a run, without promoting anything: ends with 5 when it refuses a department.
ExitCode test(const Arguments& arguments) {
  auto policy = read(arguments.policy);
  if (!policy) return report_input(policy.error(), ExitCode::bad_data);
  const auto record = history::RunArchive(arguments.runs).read(arguments.run);
  if (!record) return report_input(record.error(), ExitCode::bad_data);
  if (const auto known = look_at_departments(arguments, *record); !known) return report(known.error());
  if (record->departments.empty()) {
    return report(configuration_error(fmt::format("run {} has no department: there is nothing to ask", record->id)),
                  ExitCode::not_tested);
  }
  const auto question = question_of(arguments, *record, std::move(policy).value());
  if (!question) return report(question.error(), ExitCode::usage);
  auto code = ExitCode::ok;
  Json departments = Json::array();
  if (!arguments.json)
    say("run {} by policy '{}' as of {}\n", record->id, question->policy.id, rfc3339(question->today.now));
  for (const auto& department : record->departments) {
    if (!arguments.departments.empty() && std::ranges::count(arguments.departments, department.name) == 0) continue;
    const auto decision = promotion::decide(*record, department.name, question->policy, question->today);
    if (!decision.promotes()) code = ExitCode::policy;
    departments.push_back({{"department", decision.department},
                           {"promotes", decision.promotes()},
                           {"candidates", decision.promotable},
                           {"requirements", requirements_json(decision.requirements)},
                           {"held_back", requirements_json(decision.held_back)}});
    if (!arguments.json) show(decision);
  }
  if (arguments.json) {
    say_json("policy-test", Json{{"policy", {{"id", question->policy.id}, {"digest", question->policy.digest}}},
                                 {"run", record->id},
                                 {"at", rfc3339(question->today.now)},
                                 {"not_asked", question->notes},
                                 {"departments", departments}});
    return code;
  }
  for (const auto& note : question->notes) say("not asked: {}\n", note);
  return code;
}

// The number that no document of the stage and no line of its ledger has.
Result<std::uint64_t> next_number(const fs::path& stage, const promotion::History& history) {
  std::uint64_t next = 1;
  for (const auto& named : history.policies()) next = std::max(next, named.version + 1);
  while (is_there(promotion::policy_folder(stage) / fmt::format("{}.json", next))) ++next;
  return next;
}

// Who answers for policies puts one into force: the document first, which counts from `valid_since` on, then the line
// of the ledger that says who it was.
Result<std::string> add(const Arguments& arguments) {
  using namespace promotion;
  PATCHLAB_ASSIGN(const auto stage, absolute_path(arguments.stage));
  PATCHLAB_ASSIGN(const auto text, read_file(arguments.policy));
  PATCHLAB_ASSIGN(const auto policy, parse_policy(text, arguments.policy));
  PATCHLAB_ASSIGN(const auto table, decision_table_of(policy, arguments.policy));
  PATCHLAB_ASSIGN(const auto key, signing_key(arguments.key).while_doing("--key"));
  Chain chain(stage / chain_folder_name);
  const DecisionBook book(chain.folder(), host_processes(), system_clock_source());
  PATCHLAB_ASSIGN(const auto trust, book.trust());
  const auto now = system_clock_source().wall();
  const auto* version = trust.at(now);
  const auto signers = version == nullptr ? std::vector<Signer>() : version->signers;
  const auto signer = std::ranges::find_if(signers, [&](const Signer& one) { return one.key == key.key; });
  const auto name_space = signature_namespace(StatementKind::policy);
  if (signer == signers.end() || !may_sign(*signer, name_space) || !in_force(*signer, now)) {
    return configuration_error(
        fmt::format("{} may not put a policy in force in stage '{}'", fingerprint(key.key), stage.string()),
        "patchlab trust add SIGNERS NAME --key FILE --may policy, then patchlab trust sign");
  }
  PATCHLAB_ASSIGN(auto all, policies_of_stage(stage));
  const auto same = [&](const Policy& other) { return other.digest == policy.digest; };
  if (std::ranges::any_of(all, same))
    return configuration_error(fmt::format("'{}' is a policy of this stage already", arguments.policy));
  if (!policy.replaces.empty() &&
      std::ranges::none_of(all, [&](const Policy& other) { return other.digest == policy.replaces; }))
    return configuration_error(fmt::format("it replaces {}, which is no policy of this stage", policy.replaces));
  all.push_back(policy);
  const auto after = policy_in_force(all, now);
  if (after.trouble && after.trouble->kind == PolicyTrouble::Kind::ambiguous)
    return configuration_error("two policies would be in force: " + after.trouble->text,
                               "name the older one under \"replaces\", by the SHA-256 of its file");

  PATCHLAB_ASSIGN(const auto state, chain.read());
  PATCHLAB_ASSIGN(const auto number, next_number(stage, state.history));
  Statement statement;
  statement.kind = StatementKind::policy;
  statement.by = signer->name;
  statement.subjects = {{policy.id, policy.digest}};
  statement.version = number;
  statement.ledger = SeenLedger{state.head().size, state.head().hash};
  if (!arguments.reason.empty()) statement.reason = arguments.reason;
  PATCHLAB_ASSIGN(const auto bytes, write_statement(statement));
  PATCHLAB_ASSIGN(const auto signature, make_signature(host_processes(), key.file, name_space, bytes));
  const auto file = policy_folder(stage) / fmt::format("{}.json", number);
  PATCHLAB_TRY(make_own_folder(chain.folder(), Links::refuse, 0750));
  PATCHLAB_TRY(make_own_folder(file.parent_path(), Links::refuse, 0750));
  PATCHLAB_TRY(write_file_atomically(file, text, 0640));
  const auto appended =
      chain.append({.kind = ChainKind::policy,
                    .by = signer->name,
                    .object = bytes,
                    .signature = signature,
                    .attachments = table.empty() ? std::vector{text} : std::vector{text, table},
                    .unless = [&](const ChainState& there) {
                      return there.head() == state.head() ? std::string() : "the ledger went on meanwhile: try again";
                    }});
  if (!appended) {
    std::error_code ignored;
    fs::remove(file, ignored);
    return appended.error();
  }
  return fmt::format("line {} of the ledger: policy {} is '{}', put in force by '{}'; now in force: {}",
                     appended->head.size, number, policy.id, signer->name,
                     after.trouble ? "none, nothing is promoted until one is" : "'" + after.id + "'");
}

ExitCode add_one(const Arguments& arguments) {
  const auto added = add(arguments);
  if (!added) return report_input(added.error(), ExitCode::bad_data);
  say("{}\n", *added);
  return ExitCode::ok;
}

}  // namespace

void add_policy(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* policy =
      app.add_subcommand("policy", "what a promotion needs: check a policy, try it on past runs, put it in force");
  policy->require_subcommand(1);

  auto* checking = policy->add_subcommand("check", "whether a file is a policy, and what it asks");
  checking->add_option("file", arguments->policy, "policy file, or 'quickstart' for the shipped one")->required();
  checking->add_flag("--json", arguments->json, "as JSON");
  checking->callback([arguments, &chosen] { chosen = [arguments] { return check(*arguments); }; });

  auto* adding = policy->add_subcommand("add", "put a policy in force in a stage, signed by who answers for it");
  adding->add_option("file", arguments->policy, "policy file")->required();
  adding->add_option("--key", arguments->key, "key that may sign policies: the .pub file, or the private one")
      ->required();
  adding->add_option("--reason", arguments->reason, "why, for those who read the ledger");
  adding->add_option("--stage", arguments->stage, "stage folder")->capture_default_str();
  adding->callback([arguments, &chosen] { chosen = [arguments] { return add_one(*arguments); }; });

  auto* testing = policy->add_subcommand("test", "what a policy says of a past run; promotes nothing");
  testing->add_option("policy", arguments->policy, "policy file, or 'quickstart' for the shipped one")->required();
  testing->add_option("run", arguments->run, "run folder, id, or latest")->required();
  testing->add_option("--department", arguments->departments, "only this department (may be given again)");
  testing->add_option("--at", arguments->at, "as at this moment, RFC 3339 with Z; default: when the run had ended");
  testing->add_option("--runs", arguments->runs, "folder of runs")->capture_default_str()->envname("PATCHLAB_RUNS");
  testing->add_flag("--json", arguments->json, "as JSON");
  testing->callback([arguments, &chosen] { chosen = [arguments] { return test(*arguments); }; });
}

}  // namespace patchlab::cli

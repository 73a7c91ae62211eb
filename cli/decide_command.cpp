// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/key_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/book/book.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/desk/last_promoted.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "promotion/policy/waivers.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

struct Arguments {
  std::string run = "latest";
  fs::path runs = "runs";
  fs::path stage = "production";
  fs::path key;
  std::string department;
  std::string reason;
  std::string ticket;
  std::string until;
  std::string decision;
  std::string by;
  std::string print;
  std::vector<fs::path> add;
  std::vector<std::string> what;
  std::vector<std::string> with;
};

// A refusal with its exit code.
struct Refusal {
  Error error;
  ExitCode code = ExitCode::bad_data;
};
template <class T>
using Or = std::variant<T, Refusal>;

Refusal refused(std::string message, std::string hint = {}, ExitCode code = ExitCode::policy) {
  return {configuration_error(std::move(message), std::move(hint)), code};
}

// Everything that a decision is about, read once.
struct Matter {
  std::string id;  // of the run
  std::vector<std::string> candidates;
  bool was_tried = false;    // exactly this set, on all machines
  std::string was_not_seen;  // of that with --with: what no trial of it looked at
  std::vector<Failure> failures;
  Policy policy;
  DecisionTarget target;
  DecisionBook::Contents contents;
  DecisionQuestion question;
  std::vector<std::string> changed;  // checks that an approval takes over, a sentence each
};

// What is looked at otherwise than when the department was promoted last, and what nobody took over yet.
std::vector<std::string> changed_checks(const Policy& policy, const reports::RunRecord& record,
                                        const reports::DepartmentRecord& department, PolicyFacts facts) {
  std::vector<std::string> changed;
  for (const auto& demand : demands_of(policy, record, department, facts)) {
    if (demand.code == DemandCode::check_changed && !demand.met) changed.push_back(demand.text);
  }
  return changed;
}

// What the trial of exactly this set that saw most did not look at; empty: it saw everything.
std::string not_seen_of(const reports::DepartmentRecord& department, const std::vector<std::string>& set) {
  std::optional<std::vector<reports::MissingCheck>> least;
  for (const auto& trial : department.trials) {
    auto tried = trial.candidates;
    std::ranges::sort(tried);
    const bool whole = trial.machines.size() == department.machines.size() && trial.reused_from.empty();
    if (!whole || !reports::is_trial_of_a_set(trial) || tried != set) continue;
    auto missing = reports::missing_checks(department, trial);
    if (!least || missing.size() < least->size()) least = std::move(missing);
  }
  if (!least || least->empty()) return {};
  const auto& first = least->front();
  return fmt::format("{} planned checks, the first is {}/{} in {}", least->size(), first.machine, first.check,
                     first.phase);
}

Or<Matter> matter_of(const Arguments& arguments, DecisionBook& book, const fs::path& stage) {
  const auto file = history::RunArchive(arguments.runs).find(arguments.run);
  if (!file) return Refusal{file.error()};
  const auto record = reports::read_run_record(*file);
  if (!record) return Refusal{record.error()};
  const auto department = reports::find_as_tested(*record, arguments.department);
  if (department == nullptr) {
    std::vector<std::string> known;
    for (const auto& one : record->departments) known.push_back(one.name);
    return Refusal{unknown_choice("--department", arguments.department, "is not part of run " + record->id, known)};
  }
  Matter matter;
  matter.id = record->id;
  matter.candidates = tested_set(*department);
  std::vector<std::string> candidates;
  for (const auto& candidate : record->candidates) candidates.push_back(candidate.id);
  if (auto known = check_choice("--with", arguments.with, "is no candidate of run " + record->id, candidates); !known)
    return Refusal{std::move(known).error()};
  for (const auto& id : arguments.with) {
    if (std::ranges::count(matter.candidates, id) == 0) matter.candidates.push_back(id);
  }
  const auto now = system_clock_source().wall();
  const auto policy = policy_at_desk(stage, now);
  if (!policy) return Refusal{policy.error()};
  if (policy->trouble) return refused(policy->trouble->text, "patchlab policy says which there are");
  matter.target = target_of(*record, arguments.department, matter.candidates, *policy);
  auto contents = book.read(matter.target);
  if (!contents) return Refusal{contents.error()};
  matter.contents = std::move(*contents);
  matter.failures = failures_of(*department);
  matter.policy = *policy;
  auto sorted = matter.candidates;
  std::ranges::sort(sorted);
  const auto tried = tested_sets(*department);
  matter.was_tried = std::ranges::count(tried, sorted) > 0;
  if (!arguments.with.empty()) matter.was_not_seen = not_seen_of(*department, sorted);
  matter.question = DecisionBook::question(matter.target, matter.contents, matter.failures, now);
  PolicyFacts facts;
  facts.now = now;
  facts.last_promoted = last_promoted(stage, arguments.department, arguments.runs, matter.contents.chain.history);
  matter.changed = changed_checks(*policy, *record, *department, std::move(facts));
  return matter;
}

// "mail/delivery" is a check, "mail/state:service/x" a finding: as the reports name them.
Or<std::vector<Waived>> waived_in(const Arguments& arguments, const Matter& matter) {
  std::vector<Waived> waives;
  std::vector<std::string> known;
  for (const auto& one : matter.failures) known.push_back(one.machine + "/" + one.name);
  for (const auto& word : arguments.what) {
    const auto found = std::ranges::find_if(matter.failures, [&](const Failure& one) {
      return one.machine + "/" + one.name == word && may_be_waived(one.kind);
    });
    if (found == matter.failures.end()) {
      const bool is_there = std::ranges::count(known, word) > 0;
      return refused(fmt::format("{}: '{}' {}",
                                 to_string(is_there ? WhyNot::waiver_forbidden : WhyNot::waiver_out_of_scope), word,
                                 is_there ? "is no failure of a patch, and can never be waived"
                                          : fmt::format("is nothing that run {} found; what it found: {}", matter.id,
                                                        known.empty() ? "nothing" : listed(known))));
    }
    waives.push_back({found->machine, found->kind == FailureKind::check ? found->name : std::string(),
                      found->kind == FailureKind::finding ? found->name : std::string(), found->outcome});
  }
  std::ranges::sort(waives);
  waives.erase(std::unique(waives.begin(), waives.end()), waives.end());
  return waives;
}

// By its digest, a beginning of it, or the number of its line.
Or<std::string> decision_in(const Arguments& arguments, const Matter& matter) {
  std::vector<std::string> found;
  for (const auto& line : matter.contents.statements) {
    const bool named = std::to_string(line.seq) == arguments.decision ||
                       (arguments.decision.size() >= 8 && line.object.starts_with(arguments.decision));
    if (named && line.statement && line.statement->kind != StatementKind::withdraw) found.push_back(line.object);
  }
  if (found.size() == 1) return found.front();
  return refused(fmt::format("--decision '{}' names {} of the decisions about this run and set", arguments.decision,
                             found.empty() ? "none" : "more than one"),
                 "give the number of its line in the ledger, or its digest", ExitCode::bad_data);
}

// Its first trial is of all its candidates, on all machines, to the end.
std::string way_to_a_trial_of(const Matter& matter) {
  std::string words;
  for (const auto& id : matter.candidates) words += " --candidate " + id;
  if (matter.policy.narrowed == NarrowedRuns::allowed)
    return fmt::format("patchlab run SCENARIO{}: its first trial is of exactly these", words);
  return fmt::format(
      "run a scenario that has just these candidates: its first trial is of exactly them (with{} as well, but the "
      "policy "
      "refuses runs that were narrowed)",
      words);
}

Or<Statement> statement_of(StatementKind kind, const std::string& by, const Arguments& arguments,
                           const Matter& matter) {
  auto statement = DecisionBook::draft(kind, by, matter.target, matter.contents);
  if (!arguments.reason.empty()) statement.reason = arguments.reason;
  if (!arguments.ticket.empty()) statement.ticket = arguments.ticket;
  const bool needs_a_set =
      kind == StatementKind::approve || kind == StatementKind::waive || kind == StatementKind::submit;
  if (needs_a_set && !matter.candidates.empty() && !matter.was_tried) {
    return refused(
        fmt::format("{}: run {} tried no trial of exactly {} on all machines of '{}'",
                    to_string(ReasonCode::no_final_trial), matter.id, listed(matter.candidates), arguments.department),
        way_to_a_trial_of(matter));
  }
  if (needs_a_set && !matter.was_not_seen.empty()) {
    return refused(
        fmt::format("{}: the trial of exactly {} in run {} did not see everything: {}",
                    to_string(ReasonCode::coverage_missing), listed(matter.candidates), matter.id, matter.was_not_seen),
        way_to_a_trial_of(matter));
  }
  if (needs_a_set && matter.candidates.empty()) {
    return refused(fmt::format("run {} tested no set for department '{}': there is nothing to {}", matter.id,
                               arguments.department, to_string(kind)),
                   "patchlab explain says why; --with CANDIDATE names one that was held back");
  }
  if (kind == StatementKind::waive) {
    auto waives = waived_in(arguments, matter);
    if (auto* no = std::get_if<Refusal>(&waives)) return std::move(*no);
    statement.waives = std::get<std::vector<Waived>>(std::move(waives));
    statement.expires = arguments.until;
  }
  if (kind == StatementKind::withdraw) {
    auto target = decision_in(arguments, matter);
    if (auto* no = std::get_if<Refusal>(&target)) return std::move(*no);
    statement.withdraws = std::get<std::string>(std::move(target));
    // Of what it withdraws, also when that was about another run of the set.
    for (const auto& line : matter.contents.statements) {
      if (line.object != *statement.withdraws || !line.statement) continue;
      statement.run = line.statement->run;
      statement.subjects = line.statement->subjects;
    }
  }
  return statement;
}

Or<fs::path> stage_of(const Arguments& arguments) {
  auto stage = absolute_path(arguments.stage).while_doing("--stage");
  if (!stage) return Refusal{stage.error()};
  return std::move(*stage);
}

ExitCode report(const Refusal& refusal) {
  return refusal.code == ExitCode::bad_data ? report_input(refusal.error, refusal.code)
                                            : cli::report(refusal.error, refusal.code);
}

void show(const Statement& statement, const Matter& matter, const std::string& bytes) {
  say("{} department '{}' of run {}: {}\n", to_string(statement.kind), matter.target.department, matter.id,
      matter.candidates.empty() ? std::string("no set") : listed(matter.candidates));
  if (statement.waives) {
    for (const auto& one : *statement.waives)
      say("  waived until {}: {} ({})\n", *statement.expires, to_string(one), one.outcome);
  }
  if (statement.kind == StatementKind::approve) {
    for (const auto& one : matter.changed) say("  takes over: {}\n", one);
  }
  say("what is signed, as '{}' for {}:\n", statement.by, signature_namespace(statement.kind));
  write_out(printable_lines(bytes));
}

ExitCode say_added(const Statement& statement, const Chain::Appended& appended) {
  if (!appended.repaired.empty()) say("{}\n", appended.repaired);
  say("line {} of the ledger: '{}' by '{}', {}\n", appended.head.size, to_string(statement.kind), statement.by,
      appended.object);
  return ExitCode::ok;
}

// What its code says is wrong with the statement is about the policy; what is wrong with the files is bad data.
ExitCode report_added(const Error& error) {
  for (const auto why :
       {WhyNot::unsigned_statement, WhyNot::signer_unknown, WhyNot::signer_differs, WhyNot::namespace_not_allowed,
        WhyNot::signer_not_in_force, WhyNot::other_history, WhyNot::waiver_expired}) {
    if (error.message.starts_with(std::string(to_string(why)) + ":")) return cli::report(error, ExitCode::policy);
  }
  return report_input(error, ExitCode::bad_data);
}

// Before anything else: what is not understood must never be looked into as if it was.
std::optional<Error> until_trouble(const Arguments& arguments) {
  if (arguments.until.empty() || parse_rfc3339(arguments.until)) return std::nullopt;
  return usage_error(fmt::format("--until '{}' is no time", arguments.until),
                     "write it in UTC, as 2026-12-31T18:00:00Z");
}

// What the policy takes of it, before anybody touches their key for nothing.
std::optional<JudgedWaiver> against_waiver(const Statement& statement, const Matter& matter) {
  if (statement.kind != StatementKind::waive) return std::nullopt;
  const auto decisions = DecisionBook::decisions(matter.question, matter.contents);
  auto waivers = waivers_given(decisions);
  const auto before = waivers.size();
  Decisions wanted;
  auto& waiver = wanted.waivers.emplace_back();
  waiver.by = statement.by;
  waiver.at = matter.question.now;
  waiver.until = *parse_rfc3339(*statement.expires);
  waiver.waives = *statement.waives;
  std::ranges::move(waivers_given(wanted), std::back_inserter(waivers));
  const auto judged = judge_waivers(matter.policy, waivers, matter.question.now);
  for (std::size_t i = before; i < judged.size(); ++i) {
    if (judged[i].refusal != WaiverRefusal::none) return judged[i];
  }
  return std::nullopt;
}

ExitCode decide(StatementKind kind, const Arguments& arguments) {
  if (const auto trouble = until_trouble(arguments)) return cli::report(*trouble, ExitCode::usage);
  const auto stage = stage_of(arguments);
  if (const auto* no = std::get_if<Refusal>(&stage)) return report(*no);
  const auto key = signing_key(arguments.key);
  if (!key) return report_input(key.error(), ExitCode::bad_data);
  DecisionBook book(std::get<fs::path>(stage) / chain_folder_name, host_processes(), system_clock_source());
  const auto read = matter_of(arguments, book, std::get<fs::path>(stage));
  if (const auto* no = std::get_if<Refusal>(&read)) return report(*no);
  const auto& matter = std::get<Matter>(read);
  const auto* version = matter.contents.trust.at(matter.question.now);
  const Signer* signer = nullptr;
  for (std::size_t i = 0; version != nullptr && i < version->signers.size(); ++i) {
    if (version->signers[i].key == key->key) signer = &version->signers[i];
  }
  if (signer == nullptr) {
    return report(refused(fmt::format("{}: {} may sign nothing for stage '{}'", to_string(WhyNot::signer_unknown),
                                      fingerprint(key->key), std::get<fs::path>(stage).string()),
                          "a root key puts it in force: patchlab trust add, patchlab trust sign"));
  }
  const auto made = statement_of(kind, signer->name, arguments, matter);
  if (const auto* no = std::get_if<Refusal>(&made)) return report(*no);
  const auto& statement = std::get<Statement>(made);
  const auto bytes = write_statement(statement);
  if (!bytes) return cli::report(bytes.error(), ExitCode::usage);
  if (const auto why = DecisionBook::would_not_count(statement, key->key, matter.question, matter.contents)) {
    return report(refused(fmt::format("{}: {}", to_string(why->why), why->text), "nothing was signed"));
  }
  if (const auto why = against_waiver(statement, matter)) {
    return report(refused(fmt::format("{}: {}", to_string(why->refusal), why->text), "nothing was signed"));
  }
  show(statement, matter, *bytes);
  const auto signature = make_signature(host_processes(), key->file, signature_namespace(kind), *bytes);
  if (!signature) return cli::report(signature.error());
  const auto appended = book.add(*bytes, *signature);
  if (!appended) return report_added(appended.error());
  return say_added(statement, *appended);
}

// Only the bytes to standard output: they are what is signed elsewhere.
ExitCode print(const Arguments& arguments) {
  if (const auto trouble = until_trouble(arguments)) return cli::report(*trouble, ExitCode::usage);
  const auto kind = statement_kind_from(arguments.print);
  if (!kind || (!is_decision(*kind) && *kind != StatementKind::submit)) {
    return cli::report(unknown_choice("--print", arguments.print, "is no decision",
                                      {"submit", "approve", "reject", "waive", "withdraw"}));
  }
  const auto stage = stage_of(arguments);
  if (const auto* no = std::get_if<Refusal>(&stage)) return report(*no);
  DecisionBook book(std::get<fs::path>(stage) / chain_folder_name, host_processes(), system_clock_source());
  const auto read = matter_of(arguments, book, std::get<fs::path>(stage));
  if (const auto* no = std::get_if<Refusal>(&read)) return report(*no);
  const auto made = statement_of(*kind, arguments.by, arguments, std::get<Matter>(read));
  if (const auto* no = std::get_if<Refusal>(&made)) return report(*no);
  const auto bytes = write_statement(std::get<Statement>(made));
  if (!bytes) return cli::report(bytes.error(), ExitCode::usage);
  write_out(*bytes);
  return ExitCode::ok;
}

ExitCode add(const Arguments& arguments) {
  const auto stage = stage_of(arguments);
  if (const auto* no = std::get_if<Refusal>(&stage)) return report(*no);
  const auto bytes = read_file(arguments.add.front(), longest_statement + 1);
  if (!bytes) return report_input(bytes.error(), ExitCode::bad_data);
  const auto signature = read_file(arguments.add.back(), longest_signature);
  if (!signature) return report_input(signature.error(), ExitCode::bad_data);
  const auto statement = read_statement(*bytes, arguments.add.front().string());
  if (!statement) return report_input(statement.error(), ExitCode::bad_data);
  DecisionBook book(std::get<fs::path>(stage) / chain_folder_name, host_processes(), system_clock_source());
  const auto appended = book.add(*bytes, *signature);
  if (!appended) return report_added(appended.error());
  return say_added(*statement, *appended);
}

void add_places(CLI::App& command, Arguments& arguments) {
  command.add_option("--stage", arguments.stage, "stage folder; its ledger takes the decision")->capture_default_str();
  command.add_option("--runs", arguments.runs, "folder of runs")->capture_default_str()->envname("PATCHLAB_RUNS");
}
void add_matter(CLI::App& command, Arguments& arguments, bool required) {
  command.add_option("run", arguments.run, "run folder, id, or latest")->required(required);
  command.add_option("--department", arguments.department, "which")->required(required);
  command.add_option("--reason", arguments.reason, "why; is signed as well")->required(required);
  command.add_option("--ticket", arguments.ticket, "ticket or change");
  command.add_option("--with", arguments.with, "with this candidate, which was held back (may be given again)");
}
void add_waiving(CLI::App& command, Arguments& arguments, bool required) {
  command
      .add_option("--what", arguments.what,
                  "what is waived, as the reports name it: mail/delivery (may be given again)")
      ->required(required);
  command.add_option("--until", arguments.until, "until when, as 2026-12-31T18:00:00Z")->required(required);
}

}  // namespace

void add_decide(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  const auto person = [&](StatementKind kind, const char* help) {
    auto* command = app.add_subcommand(to_string(kind), help);
    add_matter(*command, *arguments, true);
    add_places(*command, *arguments);
    command->add_option("--key", arguments->key, "your key: the .pub file, or the private one")
        ->required()
        ->envname("PATCHLAB_KEY");
    command->callback([arguments, kind, &chosen] { chosen = [arguments, kind] { return decide(kind, *arguments); }; });
    return command;
  };
  person(StatementKind::submit, "sign that you want a tested set to go to production; others decide")
      ->get_option("--reason")
      ->required(false);
  person(StatementKind::approve, "sign that a tested set may go to production");
  person(StatementKind::reject, "sign that it may not; only you can withdraw that");
  auto* waiving =
      person(StatementKind::waive,
             "sign that a failure, or a change that nothing explains, is accepted: exactly this one, for a time");
  add_waiving(*waiving, *arguments, true);
  waiving->get_option("--ticket")->required();
  person(StatementKind::withdraw, "sign that an earlier decision of yours does not count any more")
      ->add_option("--decision", arguments->decision, "which: number of its line in the ledger, or its digest")
      ->required();

  auto* elsewhere = app.add_subcommand("decide", "print a decision to sign it elsewhere, or add one that was signed");
  auto* printing =
      elsewhere->add_option("--print", arguments->print, "approve, reject, waive or withdraw: print the statement");
  auto* adding = elsewhere->add_option("--add", arguments->add, "add STATEMENT SIGNATURE to the ledger")
                     ->expected(2)
                     ->excludes(printing);
  add_matter(*elsewhere, *arguments, false);
  add_places(*elsewhere, *arguments);
  add_waiving(*elsewhere, *arguments, false);
  elsewhere->add_option("--decision", arguments->decision,
                        "to withdraw: number of its line in the ledger, or its digest");
  elsewhere->add_option("--by", arguments->by, "who will sign, as in the list of signers");
  elsewhere->callback([arguments, printing, adding, &chosen] {
    if (printing->count() == 0 && adding->count() == 0)
      throw CLI::RequiredError("--print KIND or --add STATEMENT SIGNATURE");
    if (printing->count() > 0 && (arguments->by.empty() || arguments->department.empty() || arguments->reason.empty()))
      throw CLI::RequiredError("--by, --department and --reason (with --print)");
    chosen = [arguments, printing] { return printing->count() > 0 ? print(*arguments) : add(*arguments); };
  });
}

}  // namespace patchlab::cli

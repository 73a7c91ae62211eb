// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/key_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/book/book.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

struct Arguments {
  fs::path file;
  fs::path stage = "production";
  fs::path key;
  std::string name;
  std::string root_name = "root";
  std::string reason;
  std::string from;
  std::string until;
  std::string fingerprint;
  std::vector<std::string> kinds;
  std::vector<std::string> security_keys;
  bool roots = false;
  bool json = false;
};

Result<std::string> namespace_of(const std::string& word) {
  for (const auto& name : known_namespaces(SignersOf::statements)) {
    if (name == word || name == "patchlab." + word + ".v1") return name;
  }
  std::vector<std::string> words;
  for (const auto& name : known_namespaces(SignersOf::statements)) words.push_back(name.substr(9, name.size() - 12));
  return unknown_choice("kind", word, "is nothing that one could sign", words);
}

Result<std::vector<std::string>> namespaces_of(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const auto& word : words) {
    PATCHLAB_ASSIGN(auto name, namespace_of(word));
    if (std::ranges::count(names, name) == 0) names.push_back(std::move(name));
  }
  return names;
}

Result<std::optional<std::chrono::sys_seconds>> date_in(const std::string& option, const std::string& text) {
  if (text.empty()) return std::optional<std::chrono::sys_seconds>();
  const auto when = parse_rfc3339(text);
  if (!when) {
    return configuration_error(fmt::format("{} '{}' is no time", option, text),
                               "write it in UTC, as 2026-12-31T18:00:00Z");
  }
  return std::optional(std::chrono::floor<std::chrono::seconds>(*when));
}

// "FILE:LINE: code: text" of each problem; what is over is said, and is no problem: what was signed before counts.
ExitCode check(const Arguments& arguments) {
  const auto text = read_file(arguments.file, largest_signers_file);
  if (!text) return report_input(text.error(), ExitCode::bad_data);
  const auto with_security_key = namespaces_of(arguments.security_keys);
  if (!with_security_key) return report(with_security_key.error(), ExitCode::usage);
  const auto reading =
      read_signers(*text, arguments.roots ? SignersOf::trust : SignersOf::statements, *with_security_key);
  const auto now = system_clock_source().wall();
  std::vector<std::pair<std::size_t, std::string>> notes;
  for (const auto& signer : reading.signers) {
    if (in_force(signer, now)) continue;
    const bool over = signer.before && std::chrono::floor<std::chrono::seconds>(now) > *signer.before;
    notes.emplace_back(signer.line,
                       over ? fmt::format("'{}' expired: not in force since {}", signer.name, rfc3339(*signer.before))
                            : fmt::format("'{}' is not in force before {}", signer.name, rfc3339(*signer.after)));
  }
  if (arguments.json) {
    Json problems = Json::array();
    for (const auto& one : reading.problems)
      problems.push_back({{"line", one.line}, {"code", to_string(one.code)}, {"text", one.text}});
    Json said = Json::array();
    for (const auto& [line, note] : notes) said.push_back({{"line", line}, {"text", note}});
    say_json("trust-check", {{"file", arguments.file.string()},
                             {"signers", reading.signers.size()},
                             {"problems", problems},
                             {"notes", said}});
  } else {
    for (const auto& [line, note] : notes) say("{}:{}: note: {}\n", arguments.file, line, note);
    if (reading.problems.empty())
      say("{}: {} keys, each of one name and for what it says\n", arguments.file, reading.signers.size());
  }
  if (reading.problems.empty()) return ExitCode::ok;
  auto error = trust_error(arguments.file.string(), reading.problems);
  error.hint = "docs/approvals.md says what each of these lets somebody do";
  return report(error, ExitCode::bad_data);
}

Result<std::vector<Signer>> signers_in(const fs::path& file) {
  if (!is_there(file)) return std::vector<Signer>();
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_signers_file));
  auto reading = read_signers(text, SignersOf::statements);
  // An empty draft is a beginning.
  if (reading.problems.size() == 1 && reading.problems.front().code == TrustProblemCode::no_signers)
    return std::vector<Signer>();
  if (!reading.problems.empty()) return trust_error(file.string(), reading.problems);
  return std::move(reading.signers);
}

// The whole file is looked at before it is written: a draft that could not be signed would be found out too late.
Result<void> write_draft(const fs::path& file, const std::vector<Signer>& signers) {
  const auto text = write_signers(signers);
  const auto reading = read_signers(text, SignersOf::statements);
  if (!reading.problems.empty()) return trust_error(file.string(), reading.problems);
  return write_file_atomically(file, text);
}

ExitCode said_next(const Arguments& arguments) {
  say("next, with a root key: patchlab trust sign {} --root KEY --stage STAGE\n", arguments.file);
  return ExitCode::ok;
}

ExitCode add(const Arguments& arguments) {
  auto signers = signers_in(arguments.file);
  if (!signers) return report_input(signers.error(), ExitCode::bad_data);
  Signer signer;
  signer.name = arguments.name;
  if (!is_principal(signer.name)) {
    return report(configuration_error(fmt::format("'{}' is no name of a signer", signer.name), principal_rule),
                  ExitCode::usage);
  }
  const auto key = signing_key(arguments.key);
  if (!key) return report_input(key.error(), ExitCode::bad_data);
  signer.key = key->key;
  auto names = namespaces_of(arguments.kinds);
  if (!names) return report(names.error(), ExitCode::usage);
  signer.namespaces = std::move(*names);
  const auto after = date_in("--from", arguments.from);
  const auto before = date_in("--until", arguments.until);
  if (!after) return report(after.error(), ExitCode::usage);
  if (!before) return report(before.error(), ExitCode::usage);
  signer.after = *after;
  signer.before = *before;
  signers->push_back(signer);
  if (const auto written = write_draft(arguments.file, *signers); !written)
    return report_input(written.error(), ExitCode::bad_data);
  auto line = write_signers({signer});
  line.pop_back();
  say("{}: added {}\n", arguments.file, line);
  return said_next(arguments);
}

// Ends it; what was signed before stays. A line is never taken away: who was there is part of the evidence.
ExitCode retire(const Arguments& arguments) {
  auto signers = signers_in(arguments.file);
  if (!signers) return report_input(signers.error(), ExitCode::bad_data);
  const auto asked = date_in("--until", arguments.until);
  if (!asked) return report(asked.error(), ExitCode::usage);
  const auto now = std::chrono::floor<std::chrono::seconds>(system_clock_source().wall());
  const auto end = asked->value_or(now);
  std::size_t ended = 0;
  std::erase_if(*signers, [&](Signer& signer) {
    if (signer.name != arguments.name || (signer.before && *signer.before <= end)) return false;
    if (!arguments.fingerprint.empty() && fingerprint(signer.key) != arguments.fingerprint) return false;
    ++ended;
    say("{}: '{}' with {} ends at {}\n", arguments.file, signer.name, fingerprint(signer.key), rfc3339(end));
    // One that would have begun later has signed nothing, and has no line without an hour in force.
    if (signer.after && *signer.after > end) return true;
    signer.before = end;
    return false;
  });
  if (ended == 0) {
    std::vector<std::string> names;
    for (const auto& signer : *signers) names.push_back(signer.name);
    const auto known =
        check_choice("signer", {arguments.name}, fmt::format("is not in '{}'", arguments.file.string()), names);
    if (!known) return report(known.error(), ExitCode::usage);
    return report(configuration_error(fmt::format("'{}' has no key in force after {} in '{}'", arguments.name,
                                                  rfc3339(end), arguments.file.string()),
                                      "patchlab trust check FILE says who is in it"),
                  ExitCode::bad_data);
  }
  if (const auto written = write_draft(arguments.file, *signers); !written)
    return report_input(written.error(), ExitCode::bad_data);
  return said_next(arguments);
}

ExitCode sign(const Arguments& arguments) {
  const auto text = read_file(arguments.file, largest_signers_file);
  if (!text) return report_input(text.error(), ExitCode::bad_data);
  const auto key = signing_key(arguments.key);
  if (!key) return report_input(key.error(), ExitCode::bad_data);
  const auto stage = absolute_path(arguments.stage).while_doing("--stage");
  if (!stage) return report(stage.error());
  const auto reading = read_signers(*text, SignersOf::statements);
  if (!reading.problems.empty())
    return report(trust_error(arguments.file.string(), reading.problems), ExitCode::bad_data);
  say("What is signed with {}, as the next version of who may sign in '{}':\n", fingerprint(key->key), *stage);
  write_out(printable_lines(write_signers(reading.signers)));
  DecisionBook book(*stage / chain_folder_name, host_processes(), system_clock_source());
  const auto version =
      book.add_trust(*text, arguments.root_name, key->key, arguments.reason, [&](const std::string& bytes) {
        return make_signature(host_processes(), key->file, signature_namespace(StatementKind::trust), bytes);
      });
  if (!version) return report_input(version.error(), ExitCode::bad_data);
  say("version {} is in force: {} keys\n", version->number, version->signers.size());
  return ExitCode::ok;
}

}  // namespace

Result<SigningKey> signing_key(const fs::path& named) {
  auto file = named;
  if (named.extension() != ".pub") file += ".pub";
  PATCHLAB_ASSIGN(const auto text, read_file(file, 64U << 10U));
  PATCHLAB_ASSIGN(auto key, read_public_key_file(text, file.string()));
  return SigningKey{named, std::move(key)};
}

void add_trust(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("trust", "who may sign what: check, add, retire, sign")->require_subcommand(1);

  auto* checking =
      group->add_subcommand("check", "refuse what stock ssh-keygen would let pass in an allowed_signers file");
  checking->add_option("file", arguments->file, "allowed_signers file")->required();
  checking->add_option("--security-key", arguments->security_keys,
                       "only security keys may sign this kind (may be given again)");
  checking->add_flag("--roots", arguments->roots, "a file of root keys");
  checking->add_flag("--json", arguments->json, "as JSON");
  checking->callback([arguments, &chosen] { chosen = [arguments] { return check(*arguments); }; });

  auto* adding = group->add_subcommand("add", "add a key to a draft of allowed_signers");
  adding->add_option("file", arguments->file, "draft; made when it is missing")->required();
  adding->add_option("name", arguments->name, "who, as bob@xavier.example")->required();
  adding->add_option("--key", arguments->key, "the .pub file")->required();
  adding->add_option("--may", arguments->kinds, "what: approve, reject, waive, withdraw, submit, ...")
      ->required()
      ->delimiter(',');
  adding->add_option("--from", arguments->from, "in force from then on, as 2026-12-31T18:00:00Z");
  adding->add_option("--until", arguments->until, "and until then");
  adding->callback([arguments, &chosen] { chosen = [arguments] { return add(*arguments); }; });

  auto* retiring = group->add_subcommand("retire", "end keys in a draft; what they signed before stays");
  retiring->add_option("file", arguments->file, "draft")->required();
  retiring->add_option("name", arguments->name, "whose")->required();
  retiring->add_option("--fingerprint", arguments->fingerprint, "only this key, as ssh-keygen -l prints it");
  retiring->add_option("--until", arguments->until, "in force until then; default: now");
  retiring->callback([arguments, &chosen] { chosen = [arguments] { return retire(*arguments); }; });

  auto* signing = group->add_subcommand("sign", "put a draft in force as the next version, with a root key");
  signing->add_option("file", arguments->file, "draft")->required();
  signing->add_option("--root", arguments->key, "the root key: its .pub file, or the private one")->required();
  signing->add_option("--as", arguments->root_name, "name of the root key, when it is the first of a stage")
      ->capture_default_str();
  signing->add_option("--stage", arguments->stage, "stage folder")->capture_default_str();
  signing->add_option("--reason", arguments->reason, "why; is signed as well");
  signing->callback([arguments, &chosen] { chosen = [arguments] { return sign(*arguments); }; });
}

}  // namespace patchlab::cli

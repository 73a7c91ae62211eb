// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/option_tree.hpp"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "lab/core/choice.hpp"

namespace patchlab::cli {
namespace {

struct Value {
  ValueKind kind;
  const char* name;
  std::vector<std::string> words{};
};

// By the name of the option, which means the same wherever it is, but for those that stand here with their command.
// Another one takes any text.
const std::map<std::string, Value>& values() {
  static const std::map<std::string, Value> all{
      {"--aa", {ValueKind::text, "NUMBER"}},
      {"--acquired", {ValueKind::file, "FILE"}},
      {"--address", {ValueKind::text, "ADDRESS/24"}},
      {"--add", {ValueKind::file, "FILE"}},
      {"--answering", {ValueKind::file, "FILE"}},
      {"--as", {ValueKind::text, "NAME"}},
      {"--at", {ValueKind::text, "TIME"}},
      {"--bad", {ValueKind::text, "NUMBER"}},
      {"--beside", {ValueKind::folder, "FOLDER"}},
      {"--by", {ValueKind::text, "NAME"}},
      {"--calendar", {ValueKind::file, "FILE"}},
      {"--ca-bundle", {ValueKind::file, "PEM"}},
      {"--called", {ValueKind::text, "THEIRS=OURS"}},
      {"--candidate", {ValueKind::name, "CANDIDATE"}},
      {"--carry", {ValueKind::text, "DEPARTMENT=TESTED"}},
      {"--config", {ValueKind::file, "FILE"}},
      {"--connect", {ValueKind::text, "URI"}},
      {"--controls", {ValueKind::text, "NUMBER"}},
      {"--cores", {ValueKind::text, "NUMBER"}},
      {"--corpus", {ValueKind::folder, "FOLDER"}},
      {"--decisions", {ValueKind::file, "FILE"}},
      {"--decision", {ValueKind::text, "LINE"}},
      {"--department", {ValueKind::name, "DEPARTMENT"}},
      {"--domain", {ValueKind::text, "DOMAIN"}},
      {"--drop", {ValueKind::folder, "FOLDER"}},
      {"--due", {ValueKind::name, "OUTCOMES"}},
      {"--dsse-key", {ValueKind::file, "KEY"}},
      {"--desk", {ValueKind::text, "COMMAND"}},
      {"--executor", {ValueKind::file, "FILE"}},
      {"--failed-unit", {ValueKind::text, "UNIT"}},
      {"--facts", {ValueKind::folder, "FOLDER"}},
      {"--fault", {ValueKind::text, "FAULT"}},
      {"--firmware", {ValueKind::word, "FIRMWARE", {"bios", "uefi"}}},
      {"--fingerprint", {ValueKind::text, "FINGERPRINT"}},
      {"--forget", {ValueKind::name, "RECEIVER"}},
      {"--format",
       {ValueKind::word, "FORMAT", {"html", "markdown", "text", "junit", "junit-trials", "json", "tap", "csv"}}},
      {"--from", {ValueKind::text, "TIME"}},
      {"--history", {ValueKind::text, "URL"}},
      {"--home", {ValueKind::folder, "FOLDER"}},
      {"--hosts", {ValueKind::text, "NUMBER"}},
      {"--hours", {ValueKind::text, "NUMBER"}},
      {"--html", {ValueKind::file, "FILE"}},
      {"--images", {ValueKind::folder, "FOLDER"}},
      {"--keep", {ValueKind::text, "NUMBER"}},
      {"--key", {ValueKind::file, "KEY"}},
      {"--kind", {ValueKind::name, "KIND"}},
      {"--lab", {ValueKind::text, "USER"}},
      {"--lab-cache", {ValueKind::folder, "FOLDER"}},
      {"--ledger", {ValueKind::file, "FILE"}},
      {"--levels", {ValueKind::file, "FILE"}},
      {"--listen", {ValueKind::text, "ADDRESS:PORT"}},
      {"--machine", {ValueKind::name, "MACHINE"}},
      {"--may", {ValueKind::name, "KIND"}},
      {"--memory", {ValueKind::text, "MIB"}},
      {"--cpus", {ValueKind::text, "NUMBER"}},
      {"--critical-h", {ValueKind::text, "HOURS"}},
      {"--free-gib", {ValueKind::text, "GIB"}},
      {"--warning-h", {ValueKind::text, "HOURS"}},
      {"--most-hours", {ValueKind::text, "NUMBER"}},
      {"--most-mib", {ValueKind::text, "NUMBER"}},
      {"--newest", {ValueKind::text, "NUMBER"}},
      {"--noted", {ValueKind::text, "SIZE:HASH"}},
      {"--origin", {ValueKind::text, "URL"}},
      {"--feeds", {ValueKind::folder, "FOLDER"}},
      {"--max-age", {ValueKind::text, "DAYS"}},
      {"--output", {ValueKind::folder, "FOLDER"}},
      {"--print", {ValueKind::word, "KIND", {"submit", "approve", "reject", "waive", "withdraw"}}},
      {"--name", {ValueKind::text, "NAME"}},
      {"--network", {ValueKind::text, "NETWORK"}},
      {"--nightly", {ValueKind::text, "TIME"}},
      {"--notify", {ValueKind::file, "FILE"}},
      {"--quarantine", {ValueKind::folder, "FOLDER"}},
      {"--rate", {ValueKind::text, "MIB"}},
      {"--refresh", {ValueKind::text, "SECONDS"}},
      {"--reason", {ValueKind::text, "TEXT"}},
      {"--recipes", {ValueKind::folder, "FOLDER"}},
      {"--role", {ValueKind::name, "ROLE"}},
      {"patchlab deploy export --key", {ValueKind::text, "FINGERPRINT"}},
      {"patchlab deploy record --format",
       {ValueKind::word, "FORMAT", {"auto", "dpkg-query", "apt-history", "json", "wsus"}}},
      {"patchlab deploy record --machine", {ValueKind::text, "HOST"}},
      {"--observed", {ValueKind::text, "TIME"}},
      {"--not-after", {ValueKind::text, "TIME"}},
      {"--to", {ValueKind::word, "TOOL", {"apt", "ansible", "wsus", "files"}}},
      {"patchlab evidence export --format", {ValueKind::word, "FORMAT", {"bundle", "dsse"}}},
      {"--emergency", {ValueKind::text, "REASON"}},
      {"--rollback", {ValueKind::text, "REASON"}},
      {"--root", {ValueKind::file, "KEY"}},
      {"--roots", {ValueKind::file, "FILE"}},
      {"--ring", {ValueKind::name, "RING"}},
      {"--rings", {ValueKind::file, "FILE"}},
      {"--rules", {ValueKind::file, "FILE"}},
      {"--run-as", {ValueKind::text, "USER"}},
      {"--run", {ValueKind::run, "RUN"}},
      {"--runs", {ValueKind::folder, "FOLDER"}},
      {"--sample", {ValueKind::text, "NUMBER"}},
      {"--security-key", {ValueKind::name, "KIND"}},
      {"--seed", {ValueKind::text, "NUMBER"}},
      {"--said", {ValueKind::file, "FILE"}},
      {"--scan", {ValueKind::file, "FILE"}},
      {"--scan-max-age", {ValueKind::text, "DAYS"}},
      {"--scenario", {ValueKind::name, "SCENARIO"}},
      {"--serial", {ValueKind::text, "N"}},
      {"--sign-in", {ValueKind::text, "HEADER"}},
      {"--sign-with", {ValueKind::file, "KEY"}},
      {"--since", {ValueKind::text, "MONTH"}},
      {"--ssh", {ValueKind::file, "KEY"}},
      {"--stage", {ValueKind::folder, "FOLDER"}},
      {"--state", {ValueKind::file, "FILE"}},
      {"--storage", {ValueKind::folder, "FOLDER"}},
      {"--template", {ValueKind::word, "TEMPLATE", {"dns", "domain", "windows"}}},
      {"--ticket", {ValueKind::text, "TEXT"}},
      {"--until", {ValueKind::text, "TIME"}},
      {"--user", {ValueKind::text, "USER"}},
      {"--versions", {ValueKind::text, "PACKAGE"}},
      {"--wanted", {ValueKind::file, "FILE"}},
      {"--what", {ValueKind::text, "MACHINE/CHECK"}},
      {"--wsus", {ValueKind::folder, "FOLDER"}},
      {"--without", {ValueKind::text, "PACKAGE"}},
      {"--with", {ValueKind::name, "CANDIDATE"}},
      {"patchlab calendar --from", {ValueKind::text, "TIME"}},
      {"patchlab calendar --to", {ValueKind::text, "TIME"}},
      {"calendar", {ValueKind::file, "FILE"}},
      {"patchlab deploy change --from", {ValueKind::text, "ADDRESS"}},
      {"patchlab deploy change --to", {ValueKind::text, "ADDRESS"}},
      {"patchlab history runs --until", {ValueKind::text, "MONTH"}},
      {"patchlab history flaky --until", {ValueKind::text, "MONTH"}},
      {"patchlab history durations --until", {ValueKind::text, "MONTH"}},
      {"patchlab history trend --until", {ValueKind::text, "MONTH"}},
      {"patchlab history trend --by", {ValueKind::word, "WHAT", {"month", "department", "candidate"}}},
      {"patchlab plan --by", {ValueKind::text, "HH:MM"}},
      {"patchlab plan --emergency", {ValueKind::file, "CANDIDATE"}},
      {"patchlab plan --output", {ValueKind::file, "FILE"}},
      {"patchlab scan --output", {ValueKind::file, "FILE"}},
      {"patchlab schedule install --folder", {ValueKind::folder, "FOLDER"}},
      {"patchlab schedule install --refresh", {ValueKind::name, "DEPARTMENT"}},
      {"patchlab schedule install --root", {ValueKind::folder, "FOLDER"}},
      {"patchlab schedule install --without", {ValueKind::name, "PART"}},
      {"patchlab schedule remove --root", {ValueKind::folder, "FOLDER"}},
      {"patchlab schedule show --root", {ValueKind::folder, "FOLDER"}},
      {"patchlab content publish --scenario", {ValueKind::file, "SCENARIO"}},
      {"patchlab run --with", {ValueKind::file, "PACKAGE"}},
      {"candidate", {ValueKind::name, "CANDIDATE"}},
      {"facts", {ValueKind::folder, "FOLDER"}},
      {"family", {ValueKind::word, "FAMILY", {"debian", "windows"}}},
      {"content", {ValueKind::folder, "CONTENT"}},
      {"digest", {ValueKind::text, "DIGEST"}},
      {"file", {ValueKind::file, "FILE"}},
      {"folder", {ValueKind::folder, "FOLDER"}},
      {"from", {ValueKind::file, "STAGE"}},
      {"inventories", {ValueKind::file, "FILE"}},
      {"machine", {ValueKind::text, "DEPARTMENT/MACHINE"}},
      {"name", {ValueKind::text, "NAME"}},
      {"names", {ValueKind::name, "RECIPE"}},
      {"path", {ValueKind::file, "PATH"}},
      {"policy", {ValueKind::file, "POLICY"}},
      {"run", {ValueKind::run, "RUN"}},
      {"scenario", {ValueKind::file, "SCENARIO"}},
      {"schema", {ValueKind::name, "NAME"}},
      {"shell", {ValueKind::word, "SHELL", {"bash", "zsh", "fish"}}},
      {"stage", {ValueKind::folder, "STAGE"}},
      {"version", {ValueKind::text, "VERSION"}},
      {"what", {ValueKind::file, "STAGE"}},
  };
  return all;
}

OptionFacts facts_of(const CLI::Option& option, const std::string& command) {
  OptionFacts facts;
  facts.positional = option.get_positional();
  for (const auto& name : option.get_lnames()) facts.names.push_back("--" + name);
  for (const auto& name : option.get_snames()) facts.names.push_back("-" + name);
  if (facts.positional) facts.names = {option.get_name(true)};
  facts.help = option.get_description();
  facts.required = option.get_required();
  facts.default_value = option.get_default_str();
  facts.environment = option.get_envname();
  if (option.get_items_expected_max() == 0) return facts;
  facts.takes = option.get_items_expected_min();
  auto known = values().find(command + " " + facts.names.front());
  if (known == values().end()) known = values().find(facts.names.front());
  const Value value = known == values().end() ? Value{ValueKind::text, "VALUE"} : known->second;
  facts.kind = value.kind;
  facts.words = value.words;
  facts.value = value.name;
  return facts;
}

CommandFacts facts_of(const CLI::App& app, std::vector<std::string> words) {
  CommandFacts facts;
  facts.words = std::move(words);
  facts.help = app.get_description();
  for (const auto* option : app.get_options()) {
    if (!option->get_group().empty()) facts.options.push_back(facts_of(*option, facts.name()));
  }
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_group().empty()) continue;
    auto path = facts.words;
    path.push_back(command->get_name());
    facts.commands.push_back(facts_of(*command, std::move(path)));
  }
  return facts;
}

void collect(const CommandFacts& facts, std::vector<const CommandFacts*>& found) {
  if (facts.commands.empty()) found.push_back(&facts);
  for (const auto& command : facts.commands) collect(command, found);
}

const OptionFacts* option_in(const CommandFacts& command, const std::string& name) {
  for (const auto& option : command.options) {
    if (!option.positional && std::ranges::count(option.names, name) > 0) return &option;
  }
  return nullptr;
}

const CommandFacts* command_in(const CommandFacts& group, const std::string& word) {
  for (const auto& command : group.commands) {
    if (command.words.back() == word) return &command;
  }
  return nullptr;
}

// What other programs take for it; empty: no other name of anything that this command has.
std::string usual_name(const CommandFacts& command, const std::string& word) {
  static const std::map<std::string, std::string> meant{
      {"help", "--help"}, {"-?", "--help"}, {"version", "--version"}, {"-V", "--version"}, {"-v", "--version"}};
  const auto known = meant.find(word);
  if (known == meant.end() || option_in(command, known->second) == nullptr) return {};
  return fmt::format("did you mean {} {}?", command.name(), known->second);
}

Error no_command(const CommandFacts& group, const std::string& word) {
  std::vector<std::string> known;
  for (const auto& command : group.commands) known.push_back(command.words.back());
  auto hint = usual_name(group, word);
  if (hint.empty()) hint = did_you_mean(word, known);
  return configuration_error(fmt::format("'{}' has no command '{}'", group.name(), word),
                             hint.empty() ? fmt::format("there are: {}", fmt::join(known, ", ")) : hint);
}

Error no_option(const CommandFacts& command, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& option : command.options) {
    if (!option.positional) known.insert(known.end(), option.names.begin(), option.names.end());
  }
  auto hint = usual_name(command, name);
  if (hint.empty()) hint = did_you_mean(name, known);
  return configuration_error(fmt::format("'{}' has no option '{}'", command.name(), name),
                             hint.empty() ? fmt::format("'{} --help' shows them all", command.name()) : hint);
}

}  // namespace

std::string CommandFacts::name() const {
  return words.empty() ? std::string("patchlab") : fmt::format("patchlab {}", fmt::join(words, " "));
}

CommandFacts command_tree(const CLI::App& app) { return facts_of(app, {}); }

std::vector<const CommandFacts*> commands_in(const CommandFacts& tree) {
  std::vector<const CommandFacts*> found;
  collect(tree, found);
  return found;
}

const CommandFacts& command_of(const CommandFacts& tree, const std::vector<std::string>& arguments) {
  const auto* command = &tree;
  for (const auto& word : arguments) {
    const auto* next = command_in(*command, word);
    if (next == nullptr) break;
    command = next;
  }
  return *command;
}

std::optional<Error> unknown_word(const CommandFacts& tree, const std::vector<std::string>& arguments) {
  const auto& command = command_of(tree, arguments);
  auto at = arguments.begin() + static_cast<std::ptrdiff_t>(command.words.size());
  if (at != arguments.end() && !at->starts_with('-') && !command.commands.empty()) return no_command(command, *at);
  for (; at != arguments.end() && *at != "--"; ++at) {
    if (!at->starts_with('-') || *at == "-") continue;
    const bool is_long = at->starts_with("--");
    const auto name = is_long ? at->substr(0, at->find('=')) : at->substr(0, 2);
    const auto* option = option_in(command, name);
    if (option == nullptr) return no_option(command, name);
    if (option->value.empty() && name != *at)
      return configuration_error(fmt::format("option '{}' of '{}' takes no value", name, command.name()),
                                 fmt::format("leave '{}' out", at->substr(name.size())));
    // What follows is its value, also when it looks like an option.
    if (name == *at) at += std::min<std::ptrdiff_t>(option->takes, arguments.end() - at - 1);
  }
  return std::nullopt;
}

}  // namespace patchlab::cli

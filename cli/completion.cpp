// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/exit_code.hpp"

namespace patchlab::cli {
namespace {

// All commands and groups, patchlab itself first.
void walk(const CommandFacts& facts, const std::function<void(const CommandFacts&)>& visit) {
  visit(facts);
  for (const auto& command : facts.commands) walk(command, visit);
}

std::vector<std::string> option_names(const CommandFacts& command) {
  std::vector<std::string> names;
  for (const auto& option : command.options) {
    if (!option.positional) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}
std::vector<std::string> command_names(const CommandFacts& group) {
  std::vector<std::string> names;
  for (const auto& command : group.commands) names.push_back(command.words.back());
  return names;
}
std::string path_of(const CommandFacts& command) { return fmt::format("{}", fmt::join(command.words, " ")); }

// Of a text in single quotes, as sh, bash and zsh read it.
std::string in_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}
std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

// How bash completes a value: compgen's words.
std::string compgen_of(const OptionFacts& option) {
  switch (option.kind) {
    case ValueKind::file: return "-f";
    case ValueKind::folder: return "-d";
    case ValueKind::run: return "-f -W latest";
    case ValueKind::word: return "-W " + in_quotes(fmt::format("{}", fmt::join(option.words, " ")));
    case ValueKind::none:
    case ValueKind::name:
    case ValueKind::text: return "";
  }
  return "";
}

}  // namespace

std::string bash_completion(const CommandFacts& tree) {
  std::string words, values, rest;
  walk(tree, [&](const CommandFacts& command) {
    auto all = command_names(command);
    const auto options = option_names(command);
    all.insert(all.end(), options.begin(), options.end());
    words += fmt::format("    {}) words={} ;;\n", in_quotes(path_of(command)),
                         in_quotes(fmt::format("{}", fmt::join(all, " "))));
    for (const auto& option : command.options) {
      if (option.value.empty()) continue;
      const auto how = compgen_of(option);
      if (option.positional) {
        if (!how.empty()) rest += fmt::format("    {}) how={} ;;\n", in_quotes(path_of(command)), in_quotes(how));
        continue;
      }
      for (const auto& name : option.names)
        values +=
            fmt::format("    {}) how={}; known=yes ;;\n", in_quotes(path_of(command) + " " + name), in_quotes(how));
    }
  });
  return "# bash completion for patchlab: made by 'patchlab completion bash'\n"
         "_patchlab() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} path='' i words='' how='' "
         "known=no\n"
         "  COMPREPLY=()\n"
         "  if [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi  # --format=ju is three words\n"
         "  if [ \"$word\" = = ]; then word=''; fi\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"${path:+$path }${COMP_WORDS[i]}\" in\n" +
         [&] {
           std::string paths;
           walk(tree, [&](const CommandFacts& command) {
             if (!command.words.empty())
               paths += fmt::format("      {}) path={} ;;\n", in_quotes(path_of(command)), in_quotes(path_of(command)));
           });
           return paths;
         }() +
         "      *) break ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path $before\" in\n" +
         values +
         "  esac\n"
         "  if [ \"$known\" = yes ]; then\n"
         "    [ -z \"$how\" ] || mapfile -t COMPREPLY < <(eval \"compgen $how -- \\\"\\$word\\\"\")\n"
         "    return\n"
         "  fi\n"
         "  case \"$path\" in\n" +
         words +
         "  esac\n"
         "  if [[ $word != -* ]]; then\n"
         "    case \"$path\" in\n" +
         rest +
         "    esac\n"
         "  fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"; [ -z \"$how\" ] || eval \"compgen $how -- "
         "\\\"\\$word\\\"\")\n"
         "}\n"
         "complete -o filenames -F _patchlab patchlab\n";
}

std::string zsh_completion(const CommandFacts& tree) {
  const auto line = [](const OptionFacts& option, const std::string& name) {
    const auto action = option.kind == ValueKind::file || option.kind == ValueKind::run ? "_files"
                        : option.kind == ValueKind::folder                              ? "_files -/"
                        : option.kind == ValueKind::word ? fmt::format("({})", fmt::join(option.words, " "))
                                                         : std::string(" ");
    const auto help = replaced(replaced(replaced(option.help, "[", "\\["), "]", "\\]"), ":", "\\:");
    if (option.positional) return in_quotes(fmt::format("*:{}:{}", option.value, action));
    return in_quotes(option.value.empty() ? fmt::format("{}[{}]", name, help)
                                          : fmt::format("*{}[{}]:{}:{}", name, help, option.value, action));
  };
  std::string cases;
  walk(tree, [&](const CommandFacts& command) {
    cases += fmt::format("    {})\n", in_quotes(path_of(command)));
    if (!command.commands.empty()) {
      cases += "      local -a commands=(\n";
      for (const auto& one : command.commands)
        cases += fmt::format("        {}\n", in_quotes(one.words.back() + ":" + replaced(one.help, ":", "\\:")));
      cases += "      )\n      _describe command commands\n      ;;\n";
      return;
    }
    cases += "      _arguments -s";
    for (const auto& option : command.options) {
      for (const auto& name : option.names) cases += " \\\n        " + line(option, name);
    }
    cases += "\n      ;;\n";
  });
  std::string paths;
  walk(tree, [&](const CommandFacts& command) {
    if (!command.words.empty())
      paths += fmt::format("      {}) place={} ;;\n", in_quotes(path_of(command)), in_quotes(path_of(command)));
  });
  return "#compdef patchlab\n"
         "# made by 'patchlab completion zsh'\n"
         "_patchlab() {\n"
         "  local place='' i\n"
         "  local -i depth=0\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n"
         "    case \"${place:+$place }${words[i]}\" in\n" +
         paths +
         "      *) break ;;\n"
         "    esac\n"
         "    ((depth += 1))\n"
         "  done\n"
         "  words=(\"${(@)words[depth + 1,-1]}\")\n"
         "  ((CURRENT -= depth))\n"
         "  case \"$place\" in\n" +
         cases +
         "  esac\n"
         "}\n"
         "_patchlab \"$@\"\n";
}

std::string fish_completion(const CommandFacts& tree) {
  // Within single quotes fish knows \' and \\ only.
  const auto quoted = [](const std::string& text) {
    return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
  };
  std::string text = "# made by 'patchlab completion fish'\ncomplete -c patchlab -f\n";
  walk(tree, [&](const CommandFacts& command) {
    std::string when;
    for (const auto& word : command.words)
      when += (when.empty() ? "" : "; and ") + fmt::format("__fish_seen_subcommand_from {}", word);
    if (command.words.empty()) when = "__fish_use_subcommand";
    const auto names = command_names(command);
    if (!command.words.empty() && !names.empty())
      when += fmt::format("; and not __fish_seen_subcommand_from {}", fmt::join(names, " "));
    for (const auto& one : command.commands)
      text += fmt::format("complete -c patchlab -n {} -a {} -d {}\n", quoted(when), one.words.back(), quoted(one.help));
    for (const auto& option : command.options) {
      const bool files =
          option.kind == ValueKind::file || option.kind == ValueKind::folder || option.kind == ValueKind::run;
      if (option.positional) {
        if (files) text += fmt::format("complete -c patchlab -n {} -F\n", quoted(when));
        if (option.kind == ValueKind::word)
          text += fmt::format("complete -c patchlab -n {} -a {}\n", quoted(when),
                              quoted(fmt::format("{}", fmt::join(option.words, " "))));
        continue;
      }
      std::string line = fmt::format("complete -c patchlab -n {}", quoted(when));
      for (const auto& name : option.names)
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.value.empty()) line += files ? " -r -F" : " -x";
      if (option.kind == ValueKind::word) line += " -a " + quoted(fmt::format("{}", fmt::join(option.words, " ")));
      text += line + " -d " + quoted(option.help) + "\n";
    }
  });
  return text;
}

namespace {

// A line of text is no request, and a hyphen is one that can be copied.
std::string roff(const std::string& text) {
  auto safe = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
  if (safe.starts_with(".") || safe.starts_with("'")) safe.insert(0, "\\&");
  return safe;
}

std::string synopsis_of(const CommandFacts& command) {
  std::string line = "\\fB" + roff(command.name()) + "\\fR";
  for (const auto& option : command.options) {
    if (!option.positional && !option.required) continue;
    auto part = option.positional ? "\\fI" + roff(option.value) + "\\fR"
                                  : "\\fB" + roff(option.names.front()) + "\\fR \\fI" + roff(option.value) + "\\fR";
    line += " " + (option.required ? part : "[" + part + "]");
  }
  return line + " [\\fIoptions\\fR]";
}

}  // namespace

std::string manual_page(const CommandFacts& tree, const std::string& version) {
  std::string text = ".\\\" made of the commands and options that the program has\n";
  text += fmt::format(".TH PATCHLAB 1 \"\" \"patchlab {}\" \"User Commands\"\n", roff(version));
  text += ".SH NAME\npatchlab \\- the test lab that decides which patches may reach production servers\n";
  text += ".SH SYNOPSIS\n.B patchlab\n.I command\n.RI [ options ]\n.SH COMMANDS\n";
  for (const auto* command : commands_in(tree)) {
    text += ".SS " + roff(path_of(*command)) + "\n" + synopsis_of(*command) + "\n.PP\n" + roff(command->help) + ".\n";
    for (const auto& option : command->options) {
      const auto names = option.positional ? "\\fI" + roff(option.value) + "\\fR"
                                           : "\\fB" + roff(fmt::format("{}", fmt::join(option.names, ", "))) + "\\fR" +
                                                 (option.value.empty() ? "" : " \\fI" + roff(option.value) + "\\fR");
      text += ".TP\n" + names + "\n" + roff(option.help);
      if (!option.default_value.empty()) text += roff(fmt::format("; default: {}", option.default_value));
      if (!option.environment.empty()) text += roff(fmt::format(" (or {} in the environment)", option.environment));
      text += "\n";
    }
  }
  text += ".SH EXIT STATUS\n";
  for (const auto& one : exit_codes) text += fmt::format(".TP\n.B {}\n{}\n", number(one.code), roff(one.meaning));
  text += ".SH ENVIRONMENT\n.TP\n.B PATCHLAB_CACHE\n";
  text +=
      "images, packages, media, cells that are running; default: $XDG_CACHE_HOME/patchlab, else ~/.cache/patchlab\n";
  text += ".TP\n.B NO_COLOR\nno colours\n";
  return text;
}

}  // namespace patchlab::cli

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <regex>
#include <span>
#include <sstream>

#include "checks/state/file_changes.hpp"
#include "checks/state/rules.hpp"
#include "cli/commands.hpp"
#include "cli/option_tree.hpp"
#include "lab/core/exit_code.hpp"
#include "lab/core/files.hpp"
#include "process/page/standing.hpp"
#include "promotion/gate/reasons.hpp"

// What documents say is held against the program: every command and option, every link, and the tables of words that
// scripts rely on. PATCHLAB_UPDATE_GOLDEN=1 writes those tables.
namespace patchlab {
namespace {

using ::testing::IsEmpty;

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const fs::path& root() {
  static const fs::path folder = PATCHLAB_SOURCE_DIR;
  return folder;
}

struct Document {
  std::string name;
  std::vector<std::string> lines;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// All that are for people; the log of changes tells of commands that were, too.
const std::vector<Document>& documents() {
  static const std::vector<Document> all = [] {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(root())) files.push_back(entry.path());
    for (const char* folder : {"docs", "scenarios", "tests"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    std::vector<Document> found;
    for (const auto& file : files) {
      if (file.extension() != ".md" || file.filename() == "CHANGELOG.md") continue;
      found.push_back({file.lexically_relative(root()).string(), lines_of(read_file(file).value())});
    }
    return found;
  }();
  return all;
}

// A piece of a document that is to be typed, or names what is.
struct Code {
  std::string where;
  std::string text;
  bool is_block = false;  // a line that stands by itself
};

std::vector<Code> code_in(const Document& document) {
  static const std::regex span("`([^`]+)`");
  std::vector<Code> found;
  bool fenced = false;
  std::string prose;  // spans may go on in the next line
  std::size_t begin = 0;
  const auto end_prose = [&] {
    if (prose.find('`') == std::string::npos) return prose.clear();
    for (std::sregex_iterator it(prose.begin(), prose.end(), span), end; it != end; ++it)
      found.push_back({fmt::format("{}:{}", document.name, begin + 1), (*it)[1], false});
    prose.clear();
  };
  for (std::size_t i = 0; i < document.lines.size(); ++i) {
    const auto& line = document.lines[i];
    const auto inner = line.find_first_not_of(' ');
    if (inner != std::string::npos && line.compare(inner, 3, "```") == 0) {
      end_prose();
      fenced = !fenced;
      continue;
    }
    if (fenced || line.starts_with("    ")) {
      end_prose();
      auto text = line;
      const auto where = fmt::format("{}:{}", document.name, i + 1);
      while (text.ends_with("\\") && i + 1 < document.lines.size()) text.back() = ' ', text += document.lines[++i];
      found.push_back({where, text, true});
      continue;
    }
    if (line.empty() || line.starts_with("|")) end_prose();
    if (prose.empty()) begin = i;
    prose += line + " ";
  }
  end_prose();
  return found;
}

CLI::App& app() {
  static cli::Chosen chosen;
  static CLI::App program{"", "patchlab"};
  static const bool made = (cli::add_commands(program, chosen), true);
  EXPECT_TRUE(made);
  return program;
}

const cli::CommandFacts& tree() {
  static const cli::CommandFacts facts = cli::command_tree(app());
  return facts;
}

// "[--dry-run]," is "--dry-run".
std::string bare(std::string word) {
  static const std::string around = "[](){}'\",.;:`";
  while (!word.empty() && around.find(word.front()) != std::string::npos) word.erase(0, 1);
  while (!word.empty() && around.find(word.back()) != std::string::npos) word.pop_back();
  return word;
}

// What stands behind each "patchlab" of a line, up to where a shell would end that command or a person's remark begins.
std::vector<Words> calls_in(const std::string& text) {
  if (text.find("patchlab") == std::string::npos) return {};
  // Not a folder of that name, and not what a file is installed from.
  static const std::regex program(R"((^|[\s='"(\[]|bin/)patchlab(?=\s|$))");
  static const std::regex shell_end(R"(\||\|\||&&|&|#.*|\d?[<>].*|;)");
  std::vector<Words> calls;
  for (std::sregex_iterator it(text.begin(), text.end(), program), end; it != end; ++it) {
    // A user who is called so.
    static const std::regex user(R"(--(lab|user)\s*$)");
    const auto before = it->prefix().str();
    if (std::regex_search(before, user)) continue;
    Words words;
    std::istringstream rest(it->suffix().str());
    for (std::string word; rest >> word;) {
      if (word.ends_with("patchlab") && (words.empty() || words.back() != "--lab")) break;
      if (std::regex_match(word, shell_end)) break;
      const bool last = word.ends_with(";") || word.ends_with("'");
      if (const auto shorn = bare(word); !shorn.empty()) words.push_back(shorn);
      if (last && !words.empty() && !words.back().starts_with("-")) break;
    }
    calls.push_back(std::move(words));
  }
  return calls;
}

// "check|add" is two calls.
std::vector<Words> alternatives_of(const Words& words) {
  std::vector<Words> calls{{}};
  for (const auto& word : words) {
    std::vector<Words> next;
    std::istringstream choices(word);
    for (std::string choice; std::getline(choices, choice, '|');) {
      for (auto call : calls) {
        call.push_back(choice);
        next.push_back(std::move(call));
      }
    }
    if (!next.empty()) calls = std::move(next);
  }
  return calls;
}

// What the program calls itself by, or a file that is called like it.
bool is_no_command_of_people(const Words& call) {
  static const std::set<std::string> hidden{"cell", "check-worker", "host-agent"};
  return call.empty() || hidden.contains(call.front()) || call.front().starts_with("/");
}

// A word behind an option that takes one of a list: none of it, and no placeholder in capitals.
std::string word_that_is_none(const Words& call) {
  for (std::size_t i = 0; i + 1 < call.size(); ++i) {
    for (const auto& option : cli::command_of(tree(), call).options) {
      const bool is_this = option.kind == cli::ValueKind::word && std::ranges::count(option.names, call[i]) > 0;
      const bool placeholder = std::isupper(static_cast<unsigned char>(call[i + 1].front())) != 0;
      if (is_this && !placeholder && std::ranges::count(option.words, call[i + 1]) == 0)
        return fmt::format("{} {}", call[i], call[i + 1]);
    }
  }
  return {};
}

TEST(Documents, NameOnlyCommandsAndOptionsThatThereAre) {
  // Lines that only look like a call: the first line of a head.
  const std::set<std::string> no_calls{"patchlab ledger <hash of line 1>"};
  std::vector<std::string> wrong;
  std::size_t seen = 0;
  for (const auto& document : documents()) {
    for (const auto& code : code_in(document)) {
      const auto begin = code.text.find_first_not_of(' ');
      if (begin == std::string::npos || no_calls.contains(code.text.substr(begin))) continue;
      for (const auto& words : calls_in(code.text)) {
        if (is_no_command_of_people(words)) continue;
        for (const auto& call : alternatives_of(words)) {
          ++seen;
          if (const auto problem = cli::unknown_word(tree(), call))
            wrong.push_back(fmt::format("{}: {}; {}", code.where, problem->message, problem->hint));
          if (const auto word = word_that_is_none(call); !word.empty())
            wrong.push_back(fmt::format("{}: {}", code.where, word));
        }
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_GT(seen, 100U) << "the documents were not understood";
}

// A command that is shown by itself is one that can be typed: with all that it cannot do without.
TEST(Documents, ShowCommandsWithWhatTheyNeed) {
  std::vector<std::string> wrong;
  for (const auto& document : documents()) {
    for (const auto& code : code_in(document)) {
      // An ellipsis says that there is more; a choice of commands is a list of them.
      if (!code.is_block || code.text.find("...") != std::string::npos || code.text.find('|') != std::string::npos)
        continue;
      for (const auto& words : calls_in(code.text)) {
        if (is_no_command_of_people(words)) continue;
        for (const auto& call : alternatives_of(words)) {
          const auto& command = cli::command_of(tree(), call);
          const auto has = [&](const std::string& name) {
            return std::ranges::any_of(call,
                                       [&](const auto& word) { return word == name || word.starts_with(name + "="); });
          };
          if (!command.commands.empty() || has("--help")) continue;
          for (const auto& option : command.options) {
            if (!option.required) continue;
            const bool given =
                option.positional ? call.size() > command.words.size() : std::ranges::any_of(option.names, has);
            if (!given) wrong.push_back(fmt::format("{}: {} without {}", code.where, command.name(), option.names[0]));
          }
        }
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Documents, NameOnlyOptionsThatSomeCommandHas) {
  // Of other programs, named without them.
  const std::set<std::string> elsewhere{"--no-remove", "--no-download"};
  std::set<std::string> known;
  for (const auto* command : cli::commands_in(tree())) {
    for (const auto& option : command->options) known.insert(option.names.begin(), option.names.end());
  }
  static const std::regex option(R"(^(--[a-z][a-z-]*)(\s|=|$))");
  std::vector<std::string> wrong;
  std::size_t seen = 0;
  for (const auto& document : documents()) {
    for (const auto& code : code_in(document)) {
      std::smatch match;
      if (code.is_block || !std::regex_search(code.text, match, option)) continue;
      ++seen;
      if (!known.contains(match[1]) && !elsewhere.contains(match[1]))
        wrong.push_back(code.where + ": " + match[1].str());
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_GT(seen, 30U);
}

std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ')
      anchor += '-';
    else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return anchor;
}

bool has_section(const fs::path& file, const std::string& anchor) {
  for (const auto& line : lines_of(read_file(file).value())) {
    const auto text = line.find_first_not_of('#');
    if (line.starts_with("#") && text != std::string::npos && anchor_of(line.substr(text + 1)) == anchor) return true;
  }
  return false;
}

TEST(Documents, LinkToFilesAndSectionsThatAreThere) {
  static const std::regex link(R"(\]\(([^)\s]+)\))");
  std::vector<std::string> wrong;
  std::size_t seen = 0;
  for (const auto& document : documents()) {
    for (const auto& line : document.lines) {
      if (line.find("](") == std::string::npos) continue;
      for (std::sregex_iterator it(line.begin(), line.end(), link), end; it != end; ++it) {
        const auto target = (*it)[1].str();
        if (target.starts_with("http")) continue;
        ++seen;
        const auto hash = target.find('#');
        const auto name = target.substr(0, hash);
        const auto file = name.empty() ? root() / document.name : (root() / document.name).parent_path() / name;
        if (!fs::exists(file))
          wrong.push_back(document.name + ": " + target);
        else if (hash != std::string::npos && !has_section(file, target.substr(hash + 1)))
          wrong.push_back(document.name + ": " + target + " has no such section");
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_GT(seen, 80U);
}

// Who opens the README finds all of them: the decisions by their folder.
TEST(Documents, AreAllReachedFromTheReadme) {
  static const std::regex link(R"(\]\(([^)\s#]+)[^)]*\))");
  std::set<std::string> reached{"README.md"};
  std::vector<std::string> open{"README.md"};
  while (!open.empty()) {
    const auto name = open.back();
    open.pop_back();
    const auto document = std::ranges::find(documents(), name, &Document::name);
    if (document == documents().end()) continue;
    for (const auto& line : document->lines) {
      if (line.find("](") == std::string::npos) continue;
      for (std::sregex_iterator it(line.begin(), line.end(), link), end; it != end; ++it) {
        auto target = (fs::path(name).parent_path() / (*it)[1].str()).lexically_normal().string();
        if (target.ends_with("/")) target.pop_back();
        if (reached.insert(target).second) open.push_back(target);
      }
    }
  }
  std::vector<std::string> lost;
  for (const auto& document : documents()) {
    if (!document.name.starts_with("docs/") && !document.name.starts_with("scenarios/")) continue;
    const auto folder = fs::path(document.name).parent_path().string();
    if (!reached.contains(document.name) && !(folder == "docs/adr" && reached.contains(folder)))
      lost.push_back(document.name);
  }
  EXPECT_THAT(lost, IsEmpty());
}

TEST(Documents, NameOnlyVariablesThatAreAsked) {
  static const std::regex variable(R"(\bPATCHLAB_[A-Z][A-Z_]*[A-Z]\b)");
  std::map<std::string, std::string> named;  // and where
  for (const auto& document : documents()) {
    for (const auto& line : document.lines) {
      if (line.find("PATCHLAB_") == std::string::npos) continue;
      for (std::sregex_iterator it(line.begin(), line.end(), variable), end; it != end; ++it)
        named.emplace(it->str(), document.name);
    }
  }
  EXPECT_GT(named.size(), 10U);
  const auto look_in = [&](const fs::path& file) {
    const auto text = read_file(file).value();
    std::erase_if(named, [&](const auto& one) { return text.find(one.first) != std::string::npos; });
  };
  for (const char* folder : {"checks", "cli", "lab", "patches", "promotion", "runners", "tests", "tools", "cmake"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) {
      if (entry.is_regular_file() && entry.path().extension() != ".md" && entry.path().extension() != ".qcow2")
        look_in(entry.path());
    }
  }
  for (const char* file : {"CMakeLists.txt", "quickstart", "run-tests"}) look_in(root() / file);
  EXPECT_THAT(named, IsEmpty());
}

// The lines from the first that starts so, as long as they are of the table.
void expect_table(const std::string& name, const std::string& head, const std::string& table) {
  const auto file = root() / name;
  const auto text = read_file(file).value();
  const auto begin = text.find(head);
  ASSERT_NE(begin, std::string::npos) << name << " has no table that begins with " << head;
  auto end = begin;
  while (end < text.size() && text[end] == '|') end = text.find('\n', end) + 1;
  if (text.substr(begin, end - begin) == table) return;
  if (const char* update = std::getenv("PATCHLAB_UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    ASSERT_TRUE(write_file_atomically(file, text.substr(0, begin) + table + text.substr(end)));
    FAIL() << "wrote " << name << "; run again without PATCHLAB_UPDATE_GOLDEN";
  }
  FAIL() << name << " is not what the program says; PATCHLAB_UPDATE_GOLDEN=1 writes it\n--- the program:\n" << table;
}

// The circle of docs/process/README.md is made of the page's own steps.
TEST(Documents, DrawTheStepsThatThePageHas) {
  std::string circle;
  for (const auto step : process::page::all_steps) {
    const std::string_view name = process::page::to_string(step);
    const auto* edge = step == process::page::all_steps.front()  ? "+->"
                       : step == process::page::all_steps.back() ? "+--"
                                                                 : "|  ";
    circle +=
        fmt::format("    {} {:<11} {}\n", edge, name.front() > '9' ? fmt::format("  {}", name) : std::string(name),
                    process::page::question_of(step));
  }
  const auto file = root() / "docs/process/README.md";
  const auto text = read_file(file).value();
  const auto begin = text.find("    +-> ");
  ASSERT_NE(begin, std::string::npos);
  auto end = begin;
  while (text.compare(end, 4, "    ") == 0) end = text.find('\n', end) + 1;
  if (text.substr(begin, end - begin) == circle) return;
  if (const char* update = std::getenv("PATCHLAB_UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    ASSERT_TRUE(write_file_atomically(file, text.substr(0, begin) + circle + text.substr(end)));
    FAIL() << "wrote " << file << "; run again without PATCHLAB_UPDATE_GOLDEN";
  }
  FAIL() << "PATCHLAB_UPDATE_GOLDEN=1 writes it\n--- the steps:\n" << circle;
}

// Whoever has seen ./demo-process finds each of its commands in the README's list.
TEST(Documents, ListInTheReadmeWhatTheDemoTypes) {
  std::set<std::string> listed;
  bool daily = false;
  static const std::regex line_of(R"(^    patchlab ([a-z|]+)(?: ([a-z|-]+)(?= |$))?)");
  static const std::regex alternative(R"([a-z-]+)");
  for (const auto& line : lines_of(read_file(root() / "README.md").value())) {
    if (line.starts_with("## ")) daily = line == "## Daily use";
    std::smatch found;
    if (!daily || !std::regex_search(line, found, line_of)) continue;
    const auto first = found[1].str(), second = found[2].str();
    for (std::sregex_iterator it(first.begin(), first.end(), alternative), end; it != end; ++it) {
      listed.insert(it->str());
      for (std::sregex_iterator sub(second.begin(), second.end(), alternative); sub != end; ++sub)
        listed.insert(it->str() + " " + sub->str());
    }
  }
  // Most by its function `expect`, some straight, and what stands in the background as text.
  static const std::regex typed(R"((?:expect \d+|"\$program"|\$ patchlab) ([a-z]+)(?: ([a-z-]+))?)");
  std::set<std::string> missing;
  std::size_t seen = 0;
  for (const auto& line : lines_of(read_file(root() / "demo-process").value())) {
    if (line.starts_with("#")) continue;
    for (std::sregex_iterator found(line.begin(), line.end(), typed), end; found != end; ++found) {
      ++seen;
      const auto first = (*found)[1].str();
      const auto named = app().get_subcommands([&](const CLI::App* one) { return one->get_name() == first; });
      ASSERT_EQ(named.size(), 1U) << line;
      const bool is_alone = named.front()->get_subcommands({}).empty();
      const auto words = is_alone ? first : first + " " + (*found)[2].str();
      if (!listed.contains(words)) missing.insert(words);
    }
  }
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_GT(seen, 30U);
}

TEST(Documents, SayWhatEachReasonMeansAndWhatToDo) {
  const std::string head = "| Reason | What it means | What to do |\n";
  auto table = head + "|---|---|---|\n";
  for (const auto& reason : promotion::reason_meanings())
    table += fmt::format("| `{}` | {} | {} |\n", reason.word, reason.meaning, reason.next);
  expect_table("docs/reasons.md", head, table);
}

TEST(Documents, SayWhatEachExitCodeMeans) {
  const std::string head = "| Code | Word | Meaning |\n";
  auto table = head + "|---:|---|---|\n";
  for (const auto& one : exit_codes)
    table += fmt::format("| {} | `{}` | {} |\n", number(one.code), one.word, one.meaning);
  expect_table("docs/exit-codes.md", head, table);
}

// A pattern, as it stands in a cell of a table.
std::string cell(const std::string& pattern) {
  if (pattern.empty()) return {};
  std::string text;
  for (const char c : pattern) {
    if (c == '|') text += '\\';
    text += c == '\n' || c == '\t' ? ' ' : c;
  }
  return "`" + text + "`";
}

// `kind`: what the first column is called, by which the tables of one document are told apart.
void expect_rules(const std::string& kind, std::span<const checks::state::Rule> rules) {
  const auto head = "| " + kind + " | Item | Was | Is | Class | Why |\n";
  auto table = head + "|---|---|---|---|---|---|\n";
  for (const auto& rule : rules) {
    const bool by_diff = std::string(rule.diff) != "*";
    table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", rule.kind, cell(rule.item), cell(rule.before),
                         by_diff ? "a line " + cell(std::string(rule.diff).substr(3)) : cell(rule.after),
                         to_string(rule.finding), rule.why);
  }
  expect_table("docs/what-changed.md", head, table);
}

TEST(Documents, SayWhatEachFindingIs) {
  // Those of Windows and of servers come last, and have tables of their own.
  const std::span all(checks::state::rules());
  const auto others = checks::state::windows_rules().size() + checks::state::role_rules().size();
  expect_rules("Kind", all.first(all.size() - others));
}

TEST(Documents, SayWhatEachFindingOnWindowsIs) { expect_rules("Kind on Windows", checks::state::windows_rules()); }

TEST(Documents, SayWhatEachFindingOfAServerIs) { expect_rules("Kind of row", checks::state::role_rules()); }

TEST(Documents, SayWhatIsUsual) {
  const std::string head = "| Path | Why |\n";
  auto table = head + "|---|---|\n";
  for (const auto& row : checks::state::usual_changes()) table += fmt::format("| {} | {} |\n", cell(row.path), row.why);
  expect_table("docs/what-changed.md", head, table);
}

// What a person is told to type is there as well.
TEST(Reasons, NameOnlyCommandsThatThereAre) {
  std::set<std::string> words;
  for (const auto& reason : promotion::reason_meanings()) {
    EXPECT_TRUE(words.insert(reason.word).second) << reason.word;
    EXPECT_STREQ(promotion::to_string(reason.code), reason.word);
    EXPECT_EQ(promotion::next_step(reason.word), reason.next);
    EXPECT_THAT(std::string(reason.meaning), ::testing::Not(IsEmpty()));
    for (const auto& call : calls_in(reason.next)) {
      ASSERT_THAT(call, ::testing::Not(IsEmpty()));
      const auto problem = cli::unknown_word(tree(), call);
      EXPECT_FALSE(problem) << reason.word << ": " << problem->message;
    }
  }
  EXPECT_EQ(promotion::next_step("of-a-newer-version"), "");
}

}  // namespace
}  // namespace patchlab

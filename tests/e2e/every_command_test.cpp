// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <iterator>
#include <sstream>

#include "cli/application.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/option_tree.hpp"
#include "cli/schemas.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/guest/recording/recording.hpp"
#include "lab/image/builder.hpp"
#include "program.hpp"
#include "promoted_run.hpp"
#include "tests/support/facts.hpp"
#include "tests/support/feeds.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"

// Rules that hold for every command there is: found by walking the commands of the program itself, so that a new one is
// asked as well.
namespace patchlab::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using nlohmann::literals::operator""_json_pointer;

const CLI::App& whole() {
  static cli::Chosen chosen;
  static CLI::App app{"", "patchlab"};
  static const bool made = (cli::add_commands(app, chosen), true);
  (void)made;
  return app;
}

const cli::CommandFacts& tree() {
  static const cli::CommandFacts facts = cli::command_tree(whole());
  return facts;
}

// A call of each command that gets as far as to look at what it was given, in the folder that EveryCommand makes.
// Several: it prints documents of several kinds.
const std::map<std::string, std::vector<Words>>& examples() {
  static const std::map<std::string, std::vector<Words>> all{
      {"doctor", {{}}},
      {"init", {{"begun"}}},
      {"image build", {{"--recipes", "recipes"}}},
      {"image list", {{}}},
      {"image import", {{"some.raw", "--connect", "test:///default", "--dry-run"}}},
      {"image verify", {{}}},
      {"image refresh", {{"scenario.json"}}},
      {"image show", {{"finance/dns"}}},
      {"image use", {{"finance/dns", "newest"}}},
      {"content publish", {{"content"}}},
      {"content fetch", {{"content", sha256("no image"), "--images", "here"}}},
      {"content trim", {{"content"}}},
      {"patch inspect", {{"some.deb"}}},
      {"patch add", {{"some.deb"}}},
      {"scan", {{"scenario.json"}}},
      {"acquire", {{"scenario.json"}}},
      {"inventory",
       {{"scenario.json", "hosts.csv"},
        {"scenario.json", "hosts.csv", "--without", "bind9"},
        {"scenario.json", "--connect", "test:///default"}}},
      {"likeness script", {{"debian"}, {"windows"}}},
      {"likeness compare", {{"scenario.json", "facts"}}},
      {"health", {{}}},
      {"history rebuild", {{}}},
      {"history runs", {{}}},
      {"history candidate", {{"tidy"}}},
      {"history flaky", {{}}},
      {"history durations", {{}}},
      {"history trend", {{}}},
      {"history changed", {{}}},
      {"notify", {{"--config", "notify.json", "--dry-run"}}},
      {"feed status", {{}}},
      {"feed check", {{"feeds/kev/known_exploited_vulnerabilities.json"}}},
      {"learn", {{"scenario.json", "--machine", "nosuch"}}},
      {"guest record", {{"--domain", "nosuch", "--connect", "test:///default", "recorded"}}},
      {"guest replay", {{"recording"}}},
      {"guest scrub", {{"recording", "-o", "scrubbed"}}},
      {"validate", {{"scenario.json"}}},
      {"run", {{"scenario.json", "--dry-run"}}},
      {"plan", {{"--run", "latest", "--hosts", "2"}}},
      {"selftest", {{"--fault", "nosuchfault"}}},
      {"report", {{"latest"}}},
      {"explain", {{"dns-update"}}},
      {"promote", {{"latest", "--stage", "other"}}},
      {"verify", {{"production"}, {"runs/ledger.jsonl"}}},
      {"evidence export", {{"--department", "finance", "-o", "bundle"}}},
      {"calendar", {{"windows.ics"}}},
      {"deploy export", {{"production", "--department", "finance", "--to", "files", "-o", "handed"}}},
      {"deploy record", {{"production", "said", "--department", "finance", "--machine", "dns1"}}},
      {"deploy status", {{"production"}}},
      {"deploy change", {{"production"}}},
      {"witness", {{"runs/ledger.jsonl", "--state", "noted", "--key", "root"}}},
      {"submit", {{"latest", "--department", "finance", "--key", "bob"}}},
      {"approve", {{"latest", "--department", "finance", "--reason", "read", "--key", "bob"}}},
      {"reject", {{"latest", "--department", "finance", "--reason", "read", "--key", "bob"}}},
      {"waive",
       {{"latest", "--department", "finance", "--reason", "read", "--key", "bob", "--what", "mail/x", "--ticket", "T",
         "--until", "2099-01-01T00:00:00Z"}}},
      {"withdraw", {{"latest", "--department", "finance", "--reason", "read", "--key", "bob", "--decision", "1"}}},
      {"decide", {{"latest", "--print", "approve", "--department", "finance", "--reason", "read", "--by", "bob@x"}}},
      {"queue", {{}, {"--monday"}}},
      {"attempts", {{}}},
      {"schedule install", {{"scenario.json", "--root", "scheduled"}}},
      {"schedule show", {{"--root", "scheduled"}}},
      {"schedule remove", {{"--root", "nothing-there"}}},
      {"trust check", {{"signers"}}},
      {"trust add", {{"draft", "bob@x", "--key", "bob.pub", "--may", "approve"}}},
      {"trust retire", {{"signers", "bob@x"}}},
      {"trust sign", {{"signers", "--root", "root", "--stage", "fresh"}}},
      {"desk serve", {{"--listen", "nowhere"}}},
      {"serve", {{"--listen", "nowhere"}}},
      {"policy check", {{"quickstart"}}},
      {"policy add", {{"policy.json", "--key", "bob"}}},
      {"policy test", {{"quickstart", "latest"}}},
      {"lab clean", {{"--connect", "test:///default", "--dry-run"}}},
      {"lab cache", {{}}},
      {"ledger take", {{"--stage", "/nowhere", "--runs", "/nowhere"}}},
      {"ledger hand", {{"latest"}}},
      {"stage setup", {{"--stage", "production", "--lab", "nosuchuser"}}},
      {"schema", {{}}},
      {"completion", {{"bash"}, {"zsh"}, {"fish"}}},
      {"manual", {{}}},
  };
  return all;
}

// Those that say nothing on standard output in that folder: they refuse there, and what they print when they do not is
// looked at by tests of their own.
const std::set<std::string> refuse_there{
    "image build",  "image verify",  "validate",        "run",           "evidence export", "witness",
    "submit",       "approve",       "reject",          "waive",         "withdraw",        "decide",
    "desk serve",   "serve",         "policy add",      "ledger take",   "ledger hand",     "stage setup",
    "selftest",     "deploy record", "deploy status",   "deploy export", "deploy change",   "learn",
    "guest record", "image refresh", "content publish", "content fetch", "content trim",    "image import"};

// With --json some of them do say something: about a scenario that is wrong, and about images, once there is one.
const std::map<std::string, std::vector<Words>>& json_examples() {
  static const std::map<std::string, std::vector<Words>> all{{"validate", {{"broken.json"}}}};
  return all;
}
const std::map<std::string, std::vector<Words>>& image_examples() {
  static const std::map<std::string, std::vector<Words>> all{{"image build", {{"dns", "--recipes", "recipes"}}},
                                                             {"image list", {{}}},
                                                             {"image verify", {{}}},
                                                             {"content publish", {{"content"}}},
                                                             {"content trim", {{"content"}}}};
  return all;
}
// What these print needs machines or a ledger, and is held against its schema there.
const std::map<std::string, std::string> json_elsewhere{{"run", "PlanJson, and what is read of every record"},
                                                        {"selftest", "SelftestText"},
                                                        {"evidence export", "EvidenceCommand"},
                                                        {"deploy export", "DeployCommand"},
                                                        {"content fetch", "ContentCommand"},
                                                        {"deploy record", "DeployCommand"},
                                                        {"deploy status", "DeployCommand"},
                                                        {"deploy change", "DeployCommand"},
                                                        {"image refresh", "ImageVersions"},
                                                        {"image import", "ImageImport"}};

std::string key_of(const cli::CommandFacts& command) { return command.name().substr(9); }

class EveryCommand : public ::testing::Test {
 protected:
  EveryCommand() {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
    make_promoted_run(folder_.path());
    for (const char* name : {"bob", "root"})
      EXPECT_EQ(run("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name}), 0);
    EXPECT_EQ(ask({"trust", "add", "signers", "bob@x", "--key", "bob.pub", "--may", "approve"}), 0);
    fs::create_directories(folder_.path() / "tree" / "DEBIAN");
    folder_.write("tree/DEBIAN/control",
                  "Package: some\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example>\nDescription: none\n");
    EXPECT_EQ(run("dpkg-deb", {"--root-owner-group", "-b", "tree", "some.deb"}), 0);
    folder_.write("scenario.json", small_scenario().dump());
    fs::create_directories(folder_.path() / "recipes");
    fs::copy(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "images", folder_.path() / "recipes",
             fs::copy_options::recursive);
    folder_.write("policy.json", "{}");
    tests::put_feeds(folder_.path());
    folder_.write("hosts.csv", "name,address,department,role\nfin-dns1,10.0.0.10,finance,dns\n");
    fs::create_directories(folder_.path() / "facts/finance");
    folder_.write("facts/finance/dns.json", tests::small_facts());
    folder_.write("windows.ics",
                  "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nCATEGORIES:WINDOW\nDTSTART:20261212T220000Z\n"
                  "DURATION:PT4H\nEND:VEVENT\nEND:VCALENDAR\n");
    folder_.write("notify.json",
                  R"({"schema": "patchlab/notify/v1", "source": "/x", "outbox": "outbox", "look_at": {}, "receivers": )"
                  R"([{"name": "a", "kind": "webhook", "url": "https://a.example/", "secret_file": "s"}]})");
    folder_.write("broken.json", R"({"name": "broken", "oops": 1})");
    fs::create_directories(folder_.path() / "cache/image-versions/finance");
    folder_.write("cache/image-versions/finance/dns.json", Json{{"schema", "patchlab/image-versions/v1"},
                                                                {"department", "finance"},
                                                                {"machine", "dns"},
                                                                {"versions",
                                                                 {{{"version", 2},
                                                                   {"image", sha256("two")},
                                                                   {"origin", sha256("one")},
                                                                   {"provenance",
                                                                    {{"schema", "patchlab/image-provenance/v1"},
                                                                     {"candidates", Json::array()},
                                                                     {"promotion", Json::object()},
                                                                     {"made", "2026-11-30T05:00:00Z"},
                                                                     {"by", "ops@x"},
                                                                     {"tool", "patchlab 0"}}}}}}}
                                                               .dump());
    lab::guest::recording::Recording recording{"patchlab 0", "2026-11-30T01:00:00Z", {}, {}, {}, {}};
    recording.replies.push_back({"os-info", "agent", "guest-get-osinfo", 0, Milliseconds(1), "{}", {}, {}, {}});
    EXPECT_TRUE(lab::guest::recording::write_recording(folder_.path() / "recording", recording));
  }
  ~EveryCommand() override { ::unsetenv("PATCHLAB_CACHE"); }

  int run(const std::string& program, const Words& arguments) const {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = arguments;
    spec.working_folder = folder_.path();
    return exit_code(host_processes().run(spec));
  }
  int ask(const Words& words) const { return exit_code(patchlab(words, folder_.path())); }
  [[nodiscard]] ProcessOutcome full_disk(const Words& words) const {
    return patchlab_into("/dev/full", words, folder_.path());
  }

  // As a build of the recipe 'dns' would leave it, with small files instead of a guest.
  void put_image() const {
    namespace image = lab::image;
    image::BuildRequest request;
    request.recipes = folder_.path() / "recipes";
    request.names = {"dns"};
    request.cache = folder_.path() / "cache";
    const auto current = image::current_images(host_processes(), request);
    if (!current) GTEST_SKIP() << current.error().message;
    image::GoldenImage made;
    made.digest = current->at(0).digest;
    made.name = made.role = made.hostname = "dns";
    made.memory_mib = 256;
    made.address = "10.20.0.10";
    made.credentials = {{"ann", "ann", "Rainy-Tuesday-41", "tests"}};
    made.packages = {{"libsecret-1-0:amd64", "0.20.5-3"}};
    made.built = "2026-01-01T00:00:00.000Z";
    made.suite = "bookworm";
    const auto at = image::images_folder(request.cache) / made.digest;
    fs::create_directories(at);
    for (const char* file : {"disk.qcow2", "dpkg-status", "initrd", "kernel"}) {
      made.sha256[file] = sha256(file);
      ASSERT_TRUE(write_file_atomically(at / file, file, 0444));
    }
    ASSERT_TRUE(write_file_atomically(at / "image.json", pretty(Json(made)), 0444));
  }

  TemporaryFolder folder_;
};

Words call_of(const cli::CommandFacts& command, const Words& example) {
  auto words = command.words;
  words.insert(words.end(), example.begin(), example.end());
  return words;
}

bool has_json(const cli::CommandFacts& command) {
  return std::ranges::any_of(command.options, [](const auto& option) { return option.names.front() == "--json"; });
}

TEST(Commands, EachHasAnExampleHere) {
  std::set<std::string> there;
  for (const auto* command : cli::commands_in(tree())) {
    there.insert(key_of(*command));
    EXPECT_TRUE(examples().contains(key_of(*command))) << "add a call of '" << command->name() << "' to examples()";
  }
  for (const auto& [name, calls] : examples()) EXPECT_THAT(there, Contains(name));
  EXPECT_GT(there.size(), 25U);
}

TEST(Commands, AreTheSameWhetherAllOfThemAreMadeOrOne) {
  // CLI11 prints what an option excludes in the order of its pointers.
  const auto words_of_help = [](const CLI::App& app, const std::string& name) {
    std::istringstream help(app.get_subcommand(name)->help("", CLI::AppFormatMode::All));
    return std::multiset<std::string>(std::istream_iterator<std::string>(help), {});
  };
  for (const auto& command : tree().commands) {
    const auto& name = command.words.front();
    SCOPED_TRACE(name);
    cli::Chosen chosen;
    CLI::App one{"", "patchlab"};
    cli::add_commands_for(one, chosen, name);
    EXPECT_EQ(words_of_help(one, name), words_of_help(whole(), name));
    // Those that tell of all of them; what else makes them all is not in its table.
    const bool tells_of_all = name == "completion" || name == "manual";
    EXPECT_EQ(cli::command_tree(one).commands.size() == tree().commands.size(), tells_of_all);
  }
}

// What one types, not a sentence about it: the words of the command, and options that it has.
TEST(Commands, EachHasAHelpWithAnExampleOfItsOwn) {
  std::set<std::string> told;
  for (const auto& help : cli::help_texts()) {
    told.insert(std::string(help.command));
    EXPECT_TRUE(help.example.starts_with(fmt::format("patchlab {}", help.command))) << help.example;
    const auto* command = [&]() -> const cli::CommandFacts* {
      for (const auto* one : cli::commands_in(tree())) {
        if (key_of(*one) == help.command) return one;
      }
      return nullptr;
    }();
    ASSERT_NE(command, nullptr) << help.command;
    std::istringstream words{std::string(help.example)};
    for (std::string word; words >> word;) {
      if (!word.starts_with("-") || word == "-") continue;
      EXPECT_TRUE(std::ranges::any_of(command->options,
                                      [&](const auto& option) { return std::ranges::count(option.names, word) > 0; }))
          << help.example << ": " << word;
    }
  }
  const TemporaryFolder folder;
  for (const auto* command : cli::commands_in(tree())) {
    EXPECT_TRUE(told.contains(key_of(*command))) << "write a text for '" << command->name() << "' in cli/help.cpp";
    auto words = command->words;
    words.emplace_back("--help");
    const auto shown = patchlab(words, folder.path()).output;
    EXPECT_THAT(shown, HasSubstr("Example: patchlab " + key_of(*command)));
    EXPECT_THAT(shown, HasSubstr("Exit codes: 0 "));
  }
}

TEST(Commands, EachValueHasAKind) {
  for (const auto* command : cli::commands_in(tree())) {
    for (const auto& option : command->options) {
      EXPECT_NE(option.value, "VALUE") << command->name() << " " << option.names.front()
                                       << ": say in cli/option_tree.cpp what it takes";
      EXPECT_THAT(option.help, Not(IsEmpty())) << command->name() << " " << option.names.front();
    }
  }
}

TEST(Commands, EveryMistypedWordIsNamedWithTheOneThatWasMeant) {
  for (const auto* command : cli::commands_in(tree())) {
    auto words = command->words;
    words.back() += "x";
    const auto no_command = cli::unknown_word(tree(), words);
    ASSERT_TRUE(no_command) << command->name();
    EXPECT_THAT(no_command->message, HasSubstr("has no command '" + words.back() + "'"));
    EXPECT_THAT(no_command->hint, HasSubstr(command->words.back()));
    for (const auto& option : command->options) {
      if (option.positional) continue;
      const auto typed = option.names.front() + "x";
      for (const auto& more : {Words{typed}, Words{typed + "=1"}, Words{"anything", typed, "1"}}) {
        const auto no_option = cli::unknown_word(tree(), call_of(*command, more));
        ASSERT_TRUE(no_option) << command->name() << " " << typed;
        EXPECT_EQ(no_option->message, "'" + command->name() + "' has no option '" + typed + "'");
        EXPECT_THAT(no_option->hint, HasSubstr(option.names.front()));
      }
      EXPECT_FALSE(cli::unknown_word(tree(), call_of(*command, {option.names.front()})))
          << command->name() << " " << option.names.front();
      if (!option.value.empty()) continue;
      const auto valued = cli::unknown_word(tree(), call_of(*command, {option.names.front() + "=1"}));
      ASSERT_TRUE(valued) << command->name() << " " << option.names.front();
      EXPECT_THAT(valued->message, HasSubstr("option '" + option.names.front() + "' of"));
    }
  }
  // What other programs call it.
  const std::map<std::string, std::string> usual{
      {"help", "--help"}, {"version", "--version"}, {"-V", "--version"}, {"-?", "--help"}};
  for (const auto& [typed, meant] : usual) {
    const auto unknown = cli::unknown_word(tree(), {typed});
    ASSERT_TRUE(unknown) << typed;
    EXPECT_EQ(unknown->hint, "did you mean patchlab " + meant + "?");
  }
  // A value is a value, whatever it looks like.
  EXPECT_FALSE(cli::unknown_word(tree(), {"approve", "--reason", "--urgent", "r"}));
  EXPECT_FALSE(cli::unknown_word(tree(), {"verify", "--", "--stage"}));
}

TEST_F(EveryCommand, EndsWith64AtAWordItDoesNotKnow) {
  for (const auto* command : cli::commands_in(tree())) {
    auto words = command->words;
    words.emplace_back("--no-such-option");
    const auto outcome = patchlab(words, folder_.path());
    EXPECT_EQ(exit_code(outcome), 64) << command->name();
    EXPECT_THAT(outcome.errors, HasSubstr("has no option '--no-such-option'"));
    EXPECT_THAT(outcome.output, IsEmpty());
  }
}

// A name of something that is not there, for each option that takes one: never a question about nothing.
TEST_F(EveryCommand, RefusesANameThatIsNotThereAndListsThoseThatAre) {
  const std::map<std::string, std::string> elsewhere{
      {"run --candidate", "candidates are known when there are images: NightlyScenario"},
      {"evidence export --department", "needs a ledger: EvidenceCommand"},
      {"deploy export --department", "needs a ledger: DeployCommand"},
      {"deploy export --ring", "needs a ledger: DeployCommand"},
      {"deploy record --department", "needs a ledger: DeployCommand"},
      {"deploy status --department", "needs a ledger: DeployCommand"},
      {"deploy change --department", "needs a ledger: DeployCommand"},
      {"schedule install --refresh", "with --root nothing of another host is asked: ScheduleCommand"}};
  std::size_t asked = 0;
  for (const auto* command : cli::commands_in(tree())) {
    for (const auto& option : command->options) {
      const auto& name = option.names.front();
      if (option.kind != cli::ValueKind::name && option.kind != cli::ValueKind::word) continue;
      if (elsewhere.contains(key_of(*command) + " " + name)) continue;
      ++asked;
      auto words = call_of(*command, examples().at(key_of(*command)).front());
      if (option.positional) {
        const auto at = words.begin() + static_cast<std::ptrdiff_t>(command->words.size());
        const auto given = at != words.end() && !at->starts_with("-");
        given ? void(*at = "nosuchname") : void(words.insert(at, "nosuchname"));
      } else if (const auto at = std::ranges::find(words, name); at != words.end()) {
        *(at + 1) = "nosuchname";
      } else {
        words.insert(words.end(), {name, "nosuchname"});
      }
      const auto outcome = patchlab(words, folder_.path());
      EXPECT_EQ(exit_code(outcome), 64) << command->name() << " " << name << ": " << outcome.output << outcome.errors;
      EXPECT_THAT(outcome.errors, HasSubstr("nosuchname")) << command->name() << " " << name;
      EXPECT_THAT(outcome.output, IsEmpty()) << command->name() << " " << name;
    }
  }
  EXPECT_GT(asked, 12U);
  const auto near = patchlab({"promote", "latest", "--department", "finanze"}, folder_.path());
  EXPECT_THAT(near.errors, HasSubstr("there are: finance\npatchlab: hint: did you mean finance?\n"));
  const auto nobody = patchlab({"queue", "--by", "bob@y"}, folder_.path());
  EXPECT_EQ(exit_code(nobody), 64) << nobody.output;
  EXPECT_THAT(nobody.errors, HasSubstr("--by 'bob@y' is nobody who may sign"));
}

TEST_F(EveryCommand, SaysThatAFullDiskTookNothing) {
  const auto expect = [&](const Words& words) {
    const auto outcome = full_disk(words);
    EXPECT_EQ(exit_code(outcome), 73) << ::testing::PrintToString(words) << ": " << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr("writing the result to standard output"));
  };
  for (const auto* command : cli::commands_in(tree())) {
    expect(call_of(*command, {"--help"}));
    if (refuse_there.contains(key_of(*command))) continue;
    for (const auto& example : examples().at(key_of(*command))) {
      auto words = call_of(*command, example);
      expect(words);
      words.emplace_back("--json");
      if (has_json(*command)) expect(words);
      if (command->words == Words{"report"}) {
        for (const char* format : {"html", "markdown", "text", "junit", "junit-trials", "json", "tap", "csv"}) {
          words.back() = std::string("--format=") + format;
          expect(words);
        }
      }
    }
  }
}

TEST_F(EveryCommand, PrintsJsonThatItsSchemaKnows) {
  std::map<std::string, Json> schemas;
  for (const auto& file : cli::schema_files()) {
    const auto shown = patchlab({"schema", std::string(file.name)}, folder_.path());
    EXPECT_EQ(shown.output, file.text);
    auto schema = Json::parse(file.text);
    EXPECT_TRUE(schema.contains("title")) << file.name;
    schemas.emplace(schema["properties"].value("/schema/const"_json_pointer, std::string(file.name)),
                    std::move(schema));
  }
  std::set<std::string> seen;
  const auto look_at = [&](const std::string& text, const std::string& whose) {
    const auto json = Json::parse(text, nullptr, false);
    ASSERT_TRUE(json.is_object()) << whose << ": " << text;
    const auto name = json.value("schema", "");
    ASSERT_TRUE(schemas.contains(name)) << whose << ": " << name;
    EXPECT_THAT(tests::SchemaValidator(schemas.at(name)).problems(json), IsEmpty()) << whose << ": " << text;
    seen.insert(name);
  };
  const auto ask_for_json = [&](const cli::CommandFacts& command, const std::vector<Words>& calls) {
    for (const auto& example : calls) {
      auto words = call_of(command, example);
      words.emplace_back("--json");
      look_at(patchlab(words, folder_.path()).output, command.name());
    }
  };
  for (const auto* command : cli::commands_in(tree())) {
    const auto key = key_of(*command);
    if (!has_json(*command) || json_elsewhere.contains(key)) continue;
    if (refuse_there.contains(key) && !json_examples().contains(key)) {
      EXPECT_TRUE(image_examples().contains(key)) << "add a call of '" << command->name() << "' to json_examples()";
      continue;
    }
    ask_for_json(*command, json_examples().contains(key) ? json_examples().at(key) : examples().at(key));
  }
  ASSERT_NO_FATAL_FAILURE(put_image());
  if (IsSkipped()) return;
  for (const auto* command : cli::commands_in(tree())) {
    if (image_examples().contains(key_of(*command))) ask_for_json(*command, image_examples().at(key_of(*command)));
  }
  look_at(patchlab({"report", "latest", "--format", "json"}, folder_.path()).output, "report");
  EXPECT_GT(seen.size(), 12U) << ::testing::PrintToString(seen);
}

// As a shell asks: the words before the cursor, the last one not whole.
std::string completed_by_bash(const fs::path& folder, const Words& words) {
  ProcessSpec spec;
  spec.program = "bash";
  spec.arguments = {"-c",
                    "source ./completion; COMP_WORDS=(patchlab \"$@\"); COMP_CWORD=$#; _patchlab; "
                    "printf '%s\\n' \"${COMPREPLY[@]}\"",
                    "bash"};
  spec.arguments.insert(spec.arguments.end(), words.begin(), words.end());
  spec.working_folder = folder;
  const auto outcome = host_processes().run(spec);
  EXPECT_THAT(outcome.errors, IsEmpty());
  return outcome.output;
}

TEST_F(EveryCommand, PrintsNoPasswordOfAnImage) {
  ASSERT_NO_FATAL_FAILURE(put_image());
  if (IsSkipped()) return;
  const auto listed = patchlab({"image", "list", "--json"}, folder_.path()).output;
  EXPECT_THAT(listed, HasSubstr("\"user\": \"ann\""));
  EXPECT_THAT(listed, HasSubstr("\"password\": \"[redacted]\""));
  EXPECT_THAT(listed, Not(HasSubstr("Rainy-Tuesday-41")));
  EXPECT_EQ(exit_code(patchlab({"image", "verify", "--json"}, folder_.path())), 0) << "the file itself has it";
}

TEST_F(EveryCommand, IsCompletedByShellsAndHasAManual) {
  folder_.write("completion", patchlab({"completion", "bash"}, folder_.path()).output);
  EXPECT_EQ(run("bash", {"-n", "completion"}), 0);
  const auto lines = [&](const Words& words) { return "\n" + completed_by_bash(folder_.path(), words); };
  for (const auto* command : cli::commands_in(tree())) {
    EXPECT_THAT(lines(command->words), HasSubstr("\n" + command->words.back() + "\n"));
    auto words = command->words;
    words.emplace_back("--");
    const auto options = lines(words);
    for (const auto& option : command->options) {
      if (!option.positional) EXPECT_THAT(options, HasSubstr("\n" + option.names.front() + "\n")) << command->name();
    }
  }
  EXPECT_EQ(lines({"report", "--format", "ju"}), "\njunit\njunit-trials\n");
  EXPECT_EQ(lines({"validate", "scen"}), "\nscenario.json\n");
  EXPECT_EQ(lines({"report", "--runs", "ru"}), "\nruns\n");
  EXPECT_EQ(lines({"run", "--role", "d"}), "\n\n") << "nobody knows which roles there are";
  for (const char* shell : {"zsh", "fish"}) {
    const auto printed = patchlab({"completion", shell}, folder_.path());
    folder_.write("other", printed.output);
    for (const auto* command : cli::commands_in(tree())) EXPECT_THAT(printed.output, HasSubstr(command->words.back()));
    if (run("/bin/sh", {"-c", std::string("command -v ") + shell}) == 0) EXPECT_EQ(run(shell, {"-n", "other"}), 0);
  }
  EXPECT_EQ(lines({"report", "--format", "=", "ma"}), "\nmarkdown\n") << "bash splits words there";
  EXPECT_THAT(lines({"report", "--format", "="}), HasSubstr("\ntap\n"));
  folder_.write("patchlab.1", patchlab({"manual"}, folder_.path()).output);
  if (run("/bin/sh", {"-c", "command -v groff"}) == 0) {
    EXPECT_EQ(run("/bin/sh", {"-c", "test -z \"$(groff -man -ww -z -Tutf8 patchlab.1 2>&1)\""}), 0);
  }
}

// Asked as the shells ask, without a terminal: zsh's _arguments has to be told of the words from the command on.
TEST_F(EveryCommand, IsCompletedByZshAndFish) {
  if (patchlab::testing::is_missing("zsh") || patchlab::testing::is_missing("fish"))
    GTEST_SKIP() << "zsh or fish is not installed";
  folder_.write("_patchlab", patchlab({"completion", "zsh"}, folder_.path()).output);
  folder_.write("patchlab.fish", patchlab({"completion", "fish"}, folder_.path()).output);
  Words lines{"patchlab ", "patchlab policy ", "patchlab report --format=ma"};
  for (const auto* command : cli::commands_in(tree())) lines.push_back(command->name() + " --");
  // By line, what the shell was told; one process asks for all.
  const auto answers = [&](const char* program, Words arguments) {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = std::move(arguments);
    spec.arguments.insert(spec.arguments.end(), lines.begin(), lines.end());
    spec.working_folder = folder_.path();
    const auto outcome = host_processes().run(spec);
    EXPECT_THAT(outcome.errors, IsEmpty());
    std::map<std::string, std::string> told;
    std::string line;
    std::istringstream output(outcome.output);
    for (std::string one; std::getline(output, one);) {
      if (one.starts_with("== "))
        line = one.substr(3);
      else
        told[line] += one + "\n";
    }
    return told;
  };
  auto zsh = answers("zsh", {"-f", "-c",
                             "_arguments() { print -rl -- \"$CURRENT ${(j: :)words}\" \"$@\" }; "
                             "_describe() { print -rl -- \"${(@P)2}\" }; "
                             "for line; do print -r -- \"== $line\"; words=(\"${(@s: :)line}\"); CURRENT=$#words; "
                             "source ./_patchlab; done",
                             "zsh"});
  auto fish = answers("fish", {"--no-config", "-c",
                               "source patchlab.fish; for line in $argv; echo \"== $line\"; complete -C $line; end"});
  for (const auto* command : cli::commands_in(tree())) {
    const auto line = command->name() + " --";
    EXPECT_THAT(zsh[line], StartsWith("2 " + command->words.back() + " --\n"));
    for (const auto& option : command->options) {
      if (option.positional || !option.names.front().starts_with("--")) continue;
      EXPECT_THAT(zsh[line], HasSubstr(option.names.front() + "[")) << line;
      EXPECT_THAT(fish[line], HasSubstr(option.names.front())) << line;
    }
  }
  EXPECT_THAT(zsh["patchlab init --"], HasSubstr("(dns domain windows)"));
  EXPECT_THAT(zsh["patchlab "], HasSubstr("validate:"));
  EXPECT_THAT(zsh["patchlab policy "], HasSubstr("check:"));
  EXPECT_THAT(fish["patchlab policy "], HasSubstr("check\t"));
  EXPECT_THAT(fish["patchlab report --format=ma"], StartsWith("--format=markdown\t"));
}

TEST_F(EveryCommand, RefusesToMeanThisHostByAnotherOne) {
  for (const char* uri : {"foo", "qemu:///sytem", "xen:///system"}) {
    const auto outcome = patchlab({"doctor", "--connect", uri}, folder_.path());
    EXPECT_EQ(exit_code(outcome), 64) << uri << outcome.output;
    EXPECT_THAT(outcome.output, IsEmpty());
  }
}

}  // namespace
}  // namespace patchlab::e2e

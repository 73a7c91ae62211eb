// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <regex>

#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "program.hpp"
#include "promoted_run.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/stage/stage.hpp"
#include "tests/support/sample_record.hpp"

// What others can write is refused with a reason by every command that reads it: no wait, no crash, no "bug".
namespace patchlab::e2e {
namespace {

using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

// Long enough for a busy host, and nothing of this takes long.
constexpr std::chrono::seconds patience{60};

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

// Something that is put where a file is expected.
struct Thing {
  std::string name;
  std::function<void(const fs::path&)> put;
};

void write(const fs::path& path, const std::string& text) { ASSERT_TRUE(write_file_atomically(path, text)); }

const std::vector<Thing>& things() {
  static const std::vector<Thing> all{
      {"fifo", [](const fs::path& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); }},
      {"device", [](const fs::path& path) { fs::create_symlink("/dev/zero", path); }},
      {"folder", [](const fs::path& path) { fs::create_directory(path); }},
      {"nothing", [](const fs::path&) {}},
      {"dangling-link", [](const fs::path& path) { fs::create_symlink("nowhere", path); }},
      {"circle-of-links", [](const fs::path& path) { fs::create_symlink(path.filename(), path); }},
      {"empty", [](const fs::path& path) { write(path, ""); }},
      {"deep-list", [](const fs::path& path) { write(path, nested(200000)); }},
      {"deep-object",
       [](const fs::path& path) {
         std::string text;
         for (int i = 0; i < 200000; ++i) text += "{\"a\":";
         write(path, text);
       }},
      {"huge-number", [](const fs::path& path) { write(path, R"({"schema": 1e999, "name": 1e999})"); }},
      {"nul", [](const fs::path& path) { write(path, R"({"name": "a\u0000b", "id": "a\u0000b"})"); }},
      {"keys-twice", [](const fs::path& path) { write(path, R"({"id": 1, "id": 2, "name": 1, "name": 2})"); }},
      {"wrong-types", [](const fs::path& path) { write(path, R"([[], {}, null, true, 1, "x"])"); }},
      {"no-utf8", [](const fs::path& path) { write(path, "\xff\xfe{\x80}"); }},
      {"web-page", [](const fs::path& path) { write(path, "<!DOCTYPE html><html>not found</html>"); }},
  };
  return all;
}

// Nothing in it acts on a terminal; line breaks are the program's own.
void expect_inert(const std::string& text, const std::string& what) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool line_end = byte == '\n' || (byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    ASSERT_TRUE(line_end || (byte >= 0x20 && byte != 0x7f))
        << what << ": byte " << int{byte} << " in: " << printable(text.substr(i > 40 ? i - 40 : 0, 80));
  }
  EXPECT_EQ(
      printable_lines(text).find("\\u202e") == std::string::npos || text.find("\xe2\x80\xae") == std::string::npos,
      true)
      << what;
  for (const char* bad : {"\xe2\x80\xae", "\xe2\x81\xa6", "\xc2\x9b", "\xe2\x80\xa8"})
    EXPECT_EQ(text.find(bad), std::string::npos) << what;
}

void expect_refusal(const ProcessOutcome& outcome, int code, const std::string& what) {
  EXPECT_EQ(exit_code(outcome), code) << what << ": " << outcome.describe() << "\n" << outcome.output << outcome.errors;
  EXPECT_THAT(outcome.errors, AnyOf(HasSubstr("patchlab: error: "), IsEmpty())) << what;
  EXPECT_TRUE(!outcome.errors.empty() || !outcome.output.empty()) << what << ": says nothing";
  EXPECT_THAT(outcome.errors, Not(HasSubstr("internal error"))) << what;
  EXPECT_THAT(outcome.errors, Not(HasSubstr("is a bug"))) << what;
  EXPECT_THAT(outcome.errors, Not(HasSubstr("json.exception"))) << what;
  expect_inert(outcome.errors, what);
  expect_inert(outcome.output, what);
}

// A cache, runs, a ledger and a stage of a run that passed.
class HostileInput : public ::testing::Test {
 protected:
  HostileInput() {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
    make_promoted_run(folder_.path());
  }
  ~HostileInput() override { ::unsetenv("PATCHLAB_CACHE"); }

  [[nodiscard]] fs::path run_file() const { return folder_.path() / "runs" / "2026-11-22T060250Z-7f3a91" / "run.json"; }
  [[nodiscard]] fs::path ledger() const { return folder_.path() / "runs" / "ledger.jsonl"; }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& arguments) const {
    return patchlab(arguments, folder_.path(), patience);
  }
  // With standard output somewhere else: "/dev/full", "&-".
  [[nodiscard]] ProcessOutcome ask_into(const std::string& output, const std::vector<std::string>& arguments) const {
    return patchlab_into(output, arguments, folder_.path(), patience);
  }

  TemporaryFolder folder_;
};

// Every command that is given a path, with everything that can be there.
TEST_F(HostileInput, IsRefusedByEveryCommandThatIsGivenItsPath) {
  struct Command {
    std::vector<std::string> words;  // FILE: the path
    int code;
  };
  const std::vector<Command> commands{
      {{"validate", "FILE"}, 78},
      {{"run", "FILE"}, 78},
      {{"plan", "FILE"}, 78},
      {{"plan", "--run", "FILE"}, 65},
      {{"plan", "scenario.json", "--scan", "FILE"}, 65},
      {{"plan", "--run", "latest", "--executor", "FILE"}, 78},
      {{"selftest", "--corpus", "FILE"}, 78},
      {{"learn", "FILE"}, 78},
      {{"guest", "record", "--domain", "x", "--rules", "FILE", "again"}, 78},
      {{"guest", "replay", "FILE"}, 65},
      {{"guest", "scrub", "FILE", "-o", "again"}, 65},
      {{"patch", "inspect", "FILE"}, 65},
      {{"patch", "add", "FILE"}, 65},
      {{"scan", "FILE"}, 78},
      {{"acquire", "FILE"}, 78},
      {{"acquire", "scenario.json", "--wanted", "FILE"}, 65},
      {{"inventory", "FILE", "FILE"}, 78},
      {{"inventory", "scenario.json", "FILE"}, 65},
      {{"inventory", "scenario.json", "hosts.csv", "--answering", "FILE"}, 65},
      {{"inventory", "scenario.json", "hosts.csv", "--said", "FILE"}, 65},
      {{"likeness", "compare", "FILE", "."}, 78},
      {{"feed", "check", "FILE"}, 65},
      {{"calendar", "FILE"}, 65},
      {{"notify", "--config", "FILE"}, 78},
      {{"deploy", "status", "production", "--rings", "FILE"}, 65},
      {{"report", "FILE"}, 65},
      {{"report", "latest", "--runs", "FILE"}, 65},
      {{"history", "runs", "--runs", "FILE"}, 65},
      {{"explain", "good", "--run", "FILE"}, 65},
      {{"promote", "FILE"}, 65},
      {{"verify", "FILE"}, 65},
      {{"verify", "production", "--roots", "FILE"}, 65},
      {{"verify", "production", "--noted", "FILE"}, 65},
      {{"evidence", "export", "--stage", "FILE", "--department", "finance", "-o", "bundle"}, 65},
      {{"image", "build", "--recipes", "FILE"}, 78},
      {{"image", "import", "FILE", "--connect", "test:///default", "--storage", "."}, 65},
      {{"trust", "check", "FILE"}, 65},
      {{"trust", "sign", "FILE", "--root", "FILE"}, 65},
      {{"approve", "latest", "--department", "finance", "--reason", "x", "--key", "FILE"}, 65},
      {{"decide", "--add", "FILE", "FILE"}, 65},
  };
  write(folder_.path() / "scenario.json", small_scenario().dump());
  write(folder_.path() / "hosts.csv", "name\nfin-dns1\n");
  for (const auto& thing : things()) {
    const auto path = folder_.path() / ("thing-" + thing.name);
    thing.put(path);
    for (const auto& command : commands) {
      auto words = command.words;
      std::ranges::replace(words, "FILE", path.string());
      expect_refusal(ask(words), command.code, thing.name + " for '" + command.words[0] + " " + command.words[1] + "'");
    }
  }
}

// The files that commands find by themselves.
TEST_F(HostileInput, IsRefusedWhereverAFileIsFound) {
  const auto candidate = folder_.path() / "candidate";
  const auto recipes = folder_.path() / "recipes";
  const auto version = fs::canonical(folder_.path() / "production" / "finance");
  fs::permissions(version, fs::perms::owner_all);
  ASSERT_TRUE(create_folders(candidate));
  ASSERT_TRUE(create_folders(recipes / "common"));
  const auto corpus = folder_.path() / "corpus";
  ASSERT_TRUE(create_folders(corpus));
  write(corpus / "corpus.json",
        R"({"schema": "patchlab/faults/v1", "scenario": "s.json", "department": "finance", "roles": ["dns"]})");
  ASSERT_TRUE(create_folders(folder_.path() / "cache" / "images" / std::string(64, 'a')));
  auto scenario = small_scenario();
  scenario["departments"]["finance"]["machines"]["dns"]["checks"] = "learnt/dns.json";
  write(folder_.path() / "with-file.json", scenario.dump());
  ASSERT_TRUE(create_folders(folder_.path() / "learnt"));
  struct Place {
    fs::path path;
    std::vector<std::string> words;
    int code;
  };
  const std::vector<Place> places{
      {candidate / "candidate.json", {"patch", "add", "candidate"}, 65},
      {corpus / "dns.json", {"selftest", "--corpus", "corpus"}, 78},
      {corpus / "corpus.json", {"selftest", "--corpus", "corpus"}, 78},
      {folder_.path() / "learnt" / "dns.json", {"validate", "with-file.json"}, 78},
      {recipes / "common" / "base.json", {"image", "build", "--recipes", "recipes"}, 78},
      {run_file(), {"report", run_file().parent_path().filename().string()}, 65},
      {ledger(), {"verify", "runs/ledger.jsonl"}, 65},
      {ledger(), {"promote", run_file().parent_path().filename().string(), "--stage", "elsewhere"}, 5},
      {version / "manifest.json", {"verify", "production"}, 65},
      {folder_.path() / "cache" / "images" / std::string(64, 'a') / "image.json", {"image", "list"}, 65},
      {folder_.path() / "cache" / "images" / std::string(64, 'a') / "image.json", {"image", "verify"}, 65},
  };
  for (const auto& place : places) {
    const auto kept = folder_.path() / "kept";
    const bool had = is_there(place.path);
    if (had) fs::rename(place.path, kept);
    for (const auto& thing : things()) {
      thing.put(place.path);
      expect_refusal(ask(place.words), place.code, thing.name + " as " + place.path.filename().string());
      ASSERT_TRUE(remove_tree(place.path));
    }
    if (had) fs::rename(kept, place.path);
  }
}

TEST_F(HostileInput, OfAScenarioIsReportedAtItsPlace) {
  const auto says = [&](const std::function<void(Json&)>& change, const std::string& text) {
    auto scenario = small_scenario();
    change(scenario);
    write(folder_.path() / "s.json", scenario.dump());
    const auto outcome = ask({"validate", "s.json"});
    expect_refusal(outcome, 78, text);
    EXPECT_THAT(outcome.errors, HasSubstr(text));
  };
  const auto machine = [](Json& scenario) -> Json& { return scenario["departments"]["finance"]["machines"]["dns"]; };
  says([&](Json& s) { machine(s)["role"] = 5; }, "/departments/finance/machines/dns/role: must be text, found number");
  says([&](Json& s) { machine(s)["services"] = {"named resolved"}; },
       "/departments/finance/machines/dns/services/0: 'named resolved' cannot be the name of a service");
  says([](Json& s) { s["stage"] = ""; }, "/stage: an empty path names nothing");
  says([](Json& s) { s["candidates"][0] = {{"path", std::string(5000, 'x')}}; }, "/candidates/0/path: ");
  says(
      [](Json& s) {
        s["candidates"][0] = {{"path", std::string("a.deb\0.txt", 10)}};
      },
      "/candidates/0/path: the text has a NUL character");
  says([&](Json& s) { machine(s)["golden"] = {{"recipe", std::string(5000, 'x')}}; }, "/golden/recipe: ");
  says([&](Json& s) { machine(s)["allow"] = {{"services", {std::string(20000, '(')}}}; }, "/allow/services/0: ");
  says([&](Json& s) { machine(s)["allow"] = {{"services", {"((a{1000}){1000}){1000}"}}}; }, "/allow/services/0: ");
  fs::create_symlink("loop", folder_.path() / "loop");
  says([](Json& s) { s["candidates"][0] = {{"path", "loop"}}; }, "/candidates/0/path: ");
}

TEST_F(HostileInput, ThatIsNoFileIsNoCaBundle) {
  write(folder_.path() / "x.msu", "MSCF");
  for (const auto& thing : things()) {
    if (thing.name == "empty" || thing.name == "web-page") break;  // what is in it, osslsigncode says
    const auto path = folder_.path() / ("bundle-" + thing.name);
    thing.put(path);
    expect_refusal(ask({"patch", "inspect", "x.msu", "--ca-bundle", path.string()}), 78, thing.name + " as CA bundle");
    expect_refusal(ask({"patch", "add", "x.msu", "--ca-bundle", path.string()}), 78, thing.name + " as CA bundle");
  }
}

TEST_F(HostileInput, ThatIsNoPackageIsSaidWhatItIs) {
  const std::vector<std::pair<std::string, std::string>> files{
      {"", "an empty file"},
      {"<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\"><html>", "a web page (HTML)"},
      {"\xef\xbb\xbf\r\n  <html><body>sign in</body></html>", "a web page (HTML)"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "a Git LFS pointer"},
      {std::string("PK\x03\x04\x14\0\0\0", 8) + std::string(100, 'x'), "a ZIP archive"},
      {std::string("\xed\xab\xee\xdb\x03\0", 6) + std::string(100, 'x'), "an RPM package"},
      {"{\"message\": \"Not Found\"}", "JSON text"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML"},
      {"404: Not Found", "plain text"},
      {std::string("\x1f\x8b\x08\0", 4) + std::string(100, 'x'), "compressed with gzip"},
      {std::string("\x7f"
                   "ELF\x02\x01",
                   6) +
           std::string(100, '\0'),
       "a Linux program"},
      {std::string(5000, '\0'), "nothing but zeros"}};
  for (const char* name : {"patch.msu", "patch.deb"}) {
    for (const auto& [bytes, what] : files) {
      write(folder_.path() / name, bytes);
      for (const char* command : {"inspect", "add"}) {
        const auto outcome = ask({"patch", command, name});
        expect_refusal(outcome, 65, what);
        EXPECT_THAT(outcome.errors, HasSubstr("patch")) << what;
        EXPECT_THAT(outcome.errors, HasSubstr("is no package: it is " + what)) << name;
        EXPECT_THAT(outcome.errors, HasSubstr("patchlab: hint: ")) << what;
      }
    }
  }
}

TEST_F(HostileInput, NamesOfFilesArePrintedInert) {
  const std::string name =
      "x\x1b[2J\nfinance: 2 candidates of run r: proven\n\xe2\x80\xae\xc2\x9b"
      "31m\xff.deb";
  write(folder_.path() / name, "no package");
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"patch", "inspect", name},
                                             {"patch", "add", name},
                                             {"validate", name},
                                             {"run", name},
                                             {"init", name},
                                             {"report", name},
                                             {"report", "no\nsuch"},
                                             {"explain", name, "--run", "2026-11-22T060250Z-7f3a91"},
                                             {"promote", "2026-11-22T060250Z-7f3a91", "--department", name},
                                             {"promote", name},
                                             {"verify", name},
                                             {"verify", "no" + name},
                                             {"image", "build", name},
                                             {"image", "build", "--recipes", name},
                                             {name},
                                             {"report", "--" + name}}) {
    const auto outcome = ask(words);
    EXPECT_NE(exit_code(outcome), 0);
    EXPECT_NE(exit_code(outcome), -1) << outcome.describe();
    expect_inert(outcome.errors + outcome.output, words[0]);
    EXPECT_THAT(outcome.errors + outcome.output, Not(ContainsRegex("(^|\n)finance: 2 candidates"))) << words[0];
  }
  fs::create_symlink(".versions/finance", folder_.path() / "production" / name);
  const auto outcome = ask({"verify", "production"});
  EXPECT_EQ(exit_code(outcome), 65);
  expect_inert(outcome.errors + outcome.output, "verify");
  EXPECT_THAT(outcome.output, Not(ContainsRegex("(^|\n)finance: 2 candidates of run r: proven")));
}

// Appends to every text of a record that may be any text, and counts them.
std::size_t poison(Json& whole, Json& place, const std::string& poison_text) {
  if (place.is_string()) {
    const Json before = place;
    place = before.get<std::string>() + poison_text;
    if (reports::run_record_from_json(whole, "run.json")) return 1;
    place = before;
    return 0;
  }
  std::size_t count = 0;
  if (place.is_structured()) {
    for (auto& member : place) count += poison(whole, member, poison_text);
  }
  return count;
}

// Whatever a record says, no format and no command lets it act.
TEST_F(HostileInput, EveryTextOfARecordIsPrintedInert) {
  auto record = tests::rich_record();
  record.departments.resize(1);
  // One of each kind is enough.
  const auto at_most = [](auto& list, std::size_t most) { list.resize(std::min(list.size(), most)); };
  auto& department = record.departments[0];
  at_most(record.timings, 1);
  at_most(department.trials, 3);
  at_most(department.machines, 2);
  at_most(department.fence.attempts, 2);
  for (auto& trial : department.trials) {
    at_most(trial.phases, 1);
    for (auto& phase : trial.phases) at_most(phase.checks, 2);
  }
  Json json = record;
  const auto poisoned = poison(json, json,
                               "\x1b[2J\nfinance: pass, promoted\n\r\t\xe2\x80\xae\xc2\x9b"
                               "0m\x7f");
  EXPECT_GT(poisoned, 100U);
  write(run_file(), json.dump());
  const auto run = run_file().parent_path().filename().string();
  std::vector<std::vector<std::string>> commands{{"promote", run, "--stage", "s"},
                                                 {"promote", run, "--stage", "s", "--json"}};
  for (const char* format : {"tap", "csv", "json", "markdown", "text"})
    commands.push_back({"report", run, "--format", format});
  for (const auto& candidate : record.candidates) {
    commands.push_back({"explain", candidate.id, "--run", run});
    commands.push_back({"explain", candidate.id, "--run", run, "--json"});
  }
  for (const auto& words : commands) {
    const auto outcome = ask(words);
    EXPECT_NE(exit_code(outcome), -1) << outcome.describe();
    EXPECT_THAT(outcome.output, Not(IsEmpty())) << words[0] << outcome.errors;
    expect_inert(outcome.output, words[0] + " " + words.back());
    expect_inert(outcome.errors, words[0] + " " + words.back());
    EXPECT_THAT(outcome.output, Not(ContainsRegex("(^|\n)finance: pass, promoted"))) << words[0];
  }
  // History takes a record only by its own id.
  json["id"] = run;
  write(run_file(), json.dump());
  for (auto words : std::vector<std::vector<std::string>>{{"runs"},
                                                          {"candidate", record.candidates[0].id},
                                                          {"flaky"},
                                                          {"durations"},
                                                          {"trend", "--by", "candidate"}}) {
    words.insert(words.begin(), "history");
    for (const bool as_json : {false, true}) {
      if (as_json) words.emplace_back("--json");
      const auto outcome = ask(words);
      EXPECT_EQ(exit_code(outcome), 0) << words[1] << outcome.errors;
      expect_inert(outcome.output, "history " + words[1]);
      expect_inert(outcome.errors, "history " + words[1]);
      EXPECT_THAT(outcome.output, Not(ContainsRegex("(^|\n)finance: pass, promoted"))) << words[1];
    }
  }
  for (const char* format : {"html", "junit"}) {
    const auto outcome = ask({"report", run, "--format", format});
    EXPECT_EQ(exit_code(outcome), 0) << outcome.errors;
    for (const char* bad : {"\x1b", "\x7f", "\xe2\x80\xae", "\xc2\x9b"})
      EXPECT_EQ(outcome.output.find(bad), std::string::npos) << format;
  }
}

TEST_F(HostileInput, ARecordCannotNameWhatWouldLeaveItsPlace) {
  for (const char* id : {"--force", "*", "..", "a/b", "manifest.json", "", "two\nlines"}) {
    Json json = tests::good_record();
    json["candidates"][0]["id"] = id;
    write(run_file(), json.dump());
    expect_refusal(ask({"report", run_file().parent_path().string()}), 65, id);
    Json department = tests::good_record();
    department["departments"][0]["name"] = id;
    write(run_file(), department.dump());
    expect_refusal(ask({"report", run_file().parent_path().string()}), 65, id);
  }
}

TEST_F(HostileInput, AQuestionAboutNothingIsNoSuccess) {
  const auto run = run_file().parent_path().filename().string();
  const auto expect = [&](const std::vector<std::string>& words, int code, const std::string& says) {
    const auto outcome = ask(words);
    expect_refusal(outcome, code, words[0]);
    EXPECT_THAT(outcome.errors + outcome.output, HasSubstr(says));
  };
  ASSERT_TRUE(create_folders(folder_.path() / "empty"));
  expect({"verify", "empty"}, 65, "is no stage");
  expect({"verify", "store"}, 65, "is no stage");
  expect({"promote", run, "--department", "finanze"}, 64, "there are: finance");
  expect({"explain", "nobody", "--run", run}, 64, "there are: ");
  expect({"image", "verify"}, 3, "no golden image");
  expect({"report", "latest", "--runs", "empty"}, 65, "there is no run in");
  expect({"report", "20200101"}, 65, run);
  ASSERT_TRUE(write_file_atomically(folder_.path() / "empty" / "ledger.jsonl", ""));
  expect({"verify", "empty/ledger.jsonl"}, 65, "has no entry");
  fs::remove(folder_.path() / "production" / "finance");
  expect({"verify", "production"}, 65, "finance/is not published");
  fs::rename(folder_.path() / "production" / ".versions", folder_.path() / "versions");
  expect({"verify", "production"}, 65, "is no stage");
  Json nobody = tests::good_record();
  nobody["departments"] = Json::array();
  write(run_file(), nobody.dump());
  expect({"promote", run}, 3, "has no department");
  expect({"explain", tests::good_record().candidates[0].id, "--run", run}, 3, "has no department");
}

TEST_F(HostileInput, AnOutputThatTookNothingIsNoSuccess) {
  const auto run = run_file().parent_path().filename().string();
  const auto candidate = tests::good_record().candidates[0].id;
  std::vector<std::vector<std::string>> commands{{"--version"},
                                                 {"--help"},
                                                 {"report", "--help"},
                                                 {"verify", "production"},
                                                 {"verify", "production", "--json"},
                                                 {"verify", "runs/ledger.jsonl"},
                                                 {"verify", "runs/ledger.jsonl", "--json"},
                                                 {"image", "list"},
                                                 {"image", "list", "--json"},
                                                 {"explain", candidate, "--run", run},
                                                 {"explain", candidate, "--run", run, "--json"},
                                                 {"promote", run, "--stage", "s"},
                                                 {"promote", run, "--stage", "s", "--json"}};
  for (const char* format : {"html", "markdown", "text", "junit", "junit-trials", "tap", "csv", "json"})
    commands.push_back({"report", run, "--format", format});
  for (const auto& words : commands) {
    for (const char* output : {"/dev/full", "&-"}) {
      const auto outcome = ask_into(output, words);
      EXPECT_EQ(exit_code(outcome), 73) << words[0] << " " << words.back() << " into " << output << ": "
                                        << outcome.errors;
      EXPECT_THAT(outcome.errors, HasSubstr("writing the result to standard output")) << words[0];
      EXPECT_THAT(outcome.errors, Not(HasSubstr("internal error"))) << words[0];
    }
  }
}

// With no place for messages, the answer is the same.
TEST_F(HostileInput, AFullDiskUnderTheMessagesChangesNothing) {
  EXPECT_EQ(exit_code(ask_into("/dev/null 2>/dev/full", {"verify", "production"})), 0);
  EXPECT_EQ(exit_code(ask_into("/dev/null 2>/dev/full", {"verify", "empty"})), 65);
  EXPECT_EQ(exit_code(ask_into("/dev/null 2>&-", {"run", "nosuch.json"})), 78);
  EXPECT_EQ(exit_code(ask_into("/dev/null 2>/dev/full", {"image", "build", "--recipes", "nowhere"})), 78);
}

}  // namespace
}  // namespace patchlab::e2e

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "found_run.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "people.hpp"
#include "program.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"

// What production takes: exports of a promotion by the built program, taken by the real tools.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Words = std::vector<std::string>;

void expect_fits(const Json& json, const std::string& schema) {
  const auto file = std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/" + schema + ".schema.json";
  EXPECT_THAT(tests::SchemaValidator(read_json_file(file).value()).problems(json), IsEmpty()) << json;
}

class DeployCommand : public ::testing::Test {
 protected:
  DeployCommand() : people_(folder_.path(), one_person()) {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::setenv("GNUPGHOME", (folder_.path() / "gnupg").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
    ::unsetenv("PATCHLAB_OPENPGP_KEY");
  }
  ~DeployCommand() override {
    (void)start("gpgconf", {"--kill", "all"});
    for (const char* name : {"PATCHLAB_CACHE", "GNUPGHOME"}) ::unsetenv(name);
  }

  // The sample run with packages that dpkg takes: dns-update is 'bind9x', tidy is 'tidy'.
  void promote_packages() {
    ASSERT_NO_FATAL_FAILURE(make_packages());
    promote(tests::good_record().id);
  }
  void make_packages(const std::string& run = tests::good_record().id) {
    auto record = tests::good_record();
    record.id = run;
    std::map<std::string, std::string> bytes;
    for (const auto& [id, package, version, architecture] : std::initializer_list<std::array<const char*, 4>>{
             {"dns-update", "bind9x", "1:9.18+patchlab1", "amd64"}, {"tidy", "tidy", "2.0", "all"}}) {
      const auto tree = folder_.path() / id;
      fs::create_directories(tree / "DEBIAN");
      fs::create_directories(tree / "usr/share" / package);
      folder_.write(std::string(id) + "/usr/share/" + package + "/text", std::string("content of ") + id);
      folder_.write(std::string(id) + "/DEBIAN/control",
                    fmt::format("Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: nobody <n@example>\n"
                                "Description: none\n",
                                package, version, architecture));
      const auto deb = std::string(id) + ".deb";
      ASSERT_EQ(exit_code(start("dpkg-deb", {"--root-owner-group", "-b", tree.string(), deb})), 0);
      bytes[id] = read_file(folder_.path() / deb).value();
      for (auto& candidate : record.candidates) {
        if (candidate.id != id) continue;
        candidate.files = {{candidate.files.front().name, sha256(bytes[id]), bytes[id].size()}};
        tested_[package] = sha256(bytes[id]);
      }
    }
    make_found_run(folder_.path(), record, bytes);
  }
  void promote(const std::string& run) {
    people_.approve("bob", {run, "--department", "finance"});
    const auto promoted = ask({"promote", run, "--sign-with", "lab"});
    ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  }

  [[nodiscard]] ProcessOutcome start(const std::string& program, const Words& words) const {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = words;
    spec.working_folder = folder_.path();
    spec.extra_environment = {{"LC_ALL", "C.UTF-8"}};
    return host_processes().run(spec);
  }
  [[nodiscard]] ProcessOutcome ask(const Words& words) const { return patchlab(words, folder_.path()); }
  [[nodiscard]] ProcessOutcome export_to(const std::string& to, const std::string& target, Words more = {}) const {
    Words words{"deploy", "export", "production", "--department", "finance", "--to", to, "-o", target};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  }
  // Nothing of it is there, not even a beginning.
  void expect_nothing_made(const std::string& target) const {
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr(target)));
  }

  // A key of the user's, as gpg makes it: its fingerprint, and its public half in <name>.gpg.
  [[nodiscard]] std::string openpgp_key(const std::string& name) const {
    fs::create_directories(folder_.path() / "gnupg");
    fs::permissions(folder_.path() / "gnupg", fs::perms::owner_all);
    const auto who = name + " <" + name + "@xavier.example>";
    const auto made = start("gpg", {"-q", "--batch", "--passphrase", "", "--quick-gen-key", who, "ed25519", "sign"});
    EXPECT_EQ(exit_code(made), 0) << made.errors;
    EXPECT_EQ(exit_code(start("gpg", {"-q", "-o", name + ".gpg", "--export", who})), 0);
    const auto listed = start("gpg", {"--with-colons", "--list-keys", who}).output;
    const auto at = listed.find("\nfpr:");
    return at == std::string::npos ? "" : listed.substr(at + 13, 40);
  }

  // A machine's apt, in a root of its own, with the repository as its only source.
  [[nodiscard]] ProcessOutcome apt(const Words& words, const std::string& key = "stage",
                                   const std::string& suite = "finance") const {
    const auto root = folder_.path() / "client";
    for (const char* made : {"etc/apt/preferences.d", "etc/apt/apt.conf.d", "etc/apt/trusted.gpg.d",
                             "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"})
      fs::create_directories(root / made);
    folder_.write("client/status", "");
    folder_.write("client/etc/apt/sources.list",
                  fmt::format("deb [check-valid-until=yes check-date=yes signed-by={}] file:{} {} main\n",
                              (folder_.path() / (key + ".gpg")).string(), (folder_.path() / "repo").string(), suite));
    Words all{"-q",
              "-o",
              "Dir=" + root.string(),
              "-o",
              "Dir::State::status=" + (root / "status").string(),
              "-o",
              "APT::Architecture=amd64",
              "-o",
              "APT::Architectures=amd64",
              "-o",
              "APT::Sandbox::User=root",
              "-o",
              "Acquire::Languages=none"};
    all.insert(all.end(), words.begin(), words.end());
    return start("apt-get", all);
  }
  void forget_lists() const { ASSERT_TRUE(remove_tree(folder_.path() / "client")); }

  void edit(const fs::path& file, const std::function<void(std::string&)>& change) const {
    auto text = read_file(file).value();
    const auto before = text;
    change(text);
    ASSERT_NE(text, before) << file;
    ASSERT_TRUE(write_file_atomically(file, text));
  }

  const TemporaryFolder folder_;
  const People people_;
  std::map<std::string, std::string> tested_;  // SHA-256 by package
};

TEST_F(DeployCommand, AptTakesTheTestedBytesAndNothingElse) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  const auto key = openpgp_key("stage");
  const auto foreign = openpgp_key("foreign");
  const auto end = rfc3339(std::chrono::system_clock::now() + std::chrono::hours(24)).substr(0, 19) + "Z";
  const auto made = export_to("apt", "repo", {"--key", key, "--not-after", end, "--json"});
  ASSERT_EQ(exit_code(made), 0) << made.errors;
  const auto said = Json::parse(made.output);
  expect_fits(said, "deploy-export");
  EXPECT_EQ(said.at("not_after"), end);
  const auto handoff = read_json_file(folder_.path() / "repo/handoff.json").value();
  expect_fits(handoff, "handoff");
  EXPECT_EQ(exit_code(start("sh", {"-c", "cd repo && sha256sum --quiet -c SHA256SUMS"})), 0);
  // What identifies it is in the signed file itself.
  const auto in_release = read_file(folder_.path() / "repo/dists/finance/InRelease").value();
  for (const auto& part :
       {std::string("\nAcquire-By-Hash: yes\n"),
        "\nPatchlab-Promotion: " + handoff.at("promotion").get<std::string>() + "\n", std::string("\nValid-Until: ")})
    EXPECT_THAT(in_release, HasSubstr(part));
  EXPECT_THAT(in_release, AllOf(HasSubstr("\nSHA256:\n"), Not(HasSubstr("\nSHA512:"))));

  const auto updated = apt({"update"});
  EXPECT_EQ(exit_code(updated), 0) << updated.output << updated.errors;
  EXPECT_THAT(updated.errors, IsEmpty());
  const auto fetched = apt({"download", "bind9x", "tidy"});
  ASSERT_EQ(exit_code(fetched), 0) << fetched.errors;
  std::map<std::string, std::string> taken;
  for (const auto& [package, file] :
       {std::pair{"bind9x", "bind9x_1%3a9.18+patchlab1_amd64.deb"}, std::pair{"tidy", "tidy_2.0_all.deb"}})
    taken[package] = sha256_of_file(folder_.path() / file).value();
  EXPECT_EQ(taken, tested_);

  // One byte of a package.
  ASSERT_TRUE(remove_tree(folder_.path() / "tidy_2.0_all.deb"));
  const auto pool = folder_.path() / "repo/pool" / (tested_["tidy"] + ".deb");
  const auto whole = read_file(pool).value();
  edit(pool, [](std::string& text) { text[text.size() / 2] ^= 1; });
  const auto changed = apt({"download", "tidy"});
  EXPECT_NE(exit_code(changed), 0);
  EXPECT_THAT(changed.errors, HasSubstr("Hash Sum mismatch"));
  ASSERT_TRUE(write_file_atomically(pool, whole));

  // One byte of the index, of the signed file, no signature, somebody else's.
  const auto refused = [&](const std::string& what, const std::string& why, const std::string& by = "stage") {
    forget_lists();
    const auto outcome = apt({"-o", "APT::Update::Error-Mode=any", "update"}, by);
    EXPECT_NE(exit_code(outcome), 0) << what;
    EXPECT_THAT(outcome.errors, HasSubstr(why)) << what;
    EXPECT_NE(exit_code(apt({"download", "tidy"}, by)), 0) << what;
  };
  const auto index = folder_.path() / "repo/dists/finance/main/binary-amd64";
  const auto packages = read_file(index / "Packages").value();
  const auto by_hash = index / "by-hash/SHA256" / sha256(packages);
  for (const auto& file : {index / "Packages", by_hash})
    edit(file, [](std::string& text) { text.replace(text.find("none"), 4, "nine"); });
  refused("a byte of the index", "Hash Sum mismatch");
  for (const auto& file : {index / "Packages", by_hash}) ASSERT_TRUE(write_file_atomically(file, packages));
  const auto signed_file = folder_.path() / "repo/dists/finance/InRelease";
  edit(signed_file, [](std::string& text) { text.replace(text.find("Serial: 1"), 9, "Serial: 2"); });
  refused("a byte of what is signed", "BADSIG");
  const auto begin = in_release.find("\n\n") + 2;
  ASSERT_TRUE(write_file_atomically(signed_file,
                                    in_release.substr(begin, in_release.find("-----BEGIN PGP SIGNATURE") - begin)));
  refused("no signature", "not signed");
  ASSERT_TRUE(write_file_atomically(signed_file, in_release));
  refused("a key that the machine does not know", "NO_PUBKEY", "foreign");
  forget_lists();
  EXPECT_EQ(exit_code(apt({"update"})), 0) << "it was put back";

  // The same promotion again: the same bytes but for signature and date; and signed by somebody else, refused.
  ASSERT_EQ(exit_code(export_to("apt", "again", {"--key", foreign, "--not-after", end})), 0);
  for (const auto& entry : entries_below(folder_.path() / "again").value()) {
    const auto name = entry.filename();
    if (!is_file(entry) || name == "InRelease" || name == "SHA256SUMS") continue;
    const auto other = folder_.path() / "repo" / entry.lexically_relative(folder_.path() / "again");
    EXPECT_EQ(read_file(entry).value(), read_file(other).value()) << entry;
  }
  fs::rename(folder_.path() / "repo", folder_.path() / "first");
  fs::rename(folder_.path() / "again", folder_.path() / "repo");
  refused("signed by somebody else", "NO_PUBKEY");
}

// By a calendar: nothing before the window opens, nothing after it closes, and what was installed outside is said.
TEST_F(DeployCommand, ACalendarSaysWhenItMayBeInstalled) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  const auto key = openpgp_key("stage");
  using namespace std::chrono;
  const auto now = floor<seconds>(system_clock::now());
  const auto stamp = [](system_clock::time_point when) {
    auto text = rfc3339(when).substr(0, 19);
    std::erase(text, '-');
    std::erase(text, ':');
    return text + "Z";
  };
  const auto write_calendar = [&](system_clock::time_point from, const char* duration, const std::string& more = "") {
    folder_.write("windows.ics",
                  "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nSUMMARY:night\nCATEGORIES:WINDOW,"
                  "department:finance\nDTSTART:" +
                      stamp(from) + "\nDURATION:" + duration + "\nEND:VEVENT\n" + more + "END:VCALENDAR\n");
  };
  const Words by_calendar{"--key", key, "--calendar", "windows.ics"};
  const auto with = [](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };

  // Shown: what waits, and whether what was measured fits.
  write_calendar(now + hours(2), "PT4H");
  const auto shown = ask({"calendar", "windows.ics", "--stage", "production"});
  EXPECT_EQ(exit_code(shown), 0) << shown.output << shown.errors;
  EXPECT_THAT(shown.output, AllOf(HasSubstr("finance\n  window "), HasSubstr(", 4 h): night\n"),
                                  HasSubstr("  waits: serial 1 of run " + tests::good_record().id),
                                  HasSubstr("; no machine has reported\n    needs "),
                                  HasSubstr(" one after another, as measured in the lab"),
                                  HasSubstr("\n    fits into the window of ")));
  const auto as_json = Json::parse(ask({"calendar", "windows.ics", "--stage", "production", "--json"}).output);
  expect_fits(as_json, "calendar");
  const auto& waits = as_json.at("departments").at(0).at("waits");
  EXPECT_EQ(waits.at("fits"), "one-after-another");
  EXPECT_GT(waits.at("needs").at("one_after_another_ms"), waits.at("needs").at("side_by_side_ms"));
  EXPECT_EQ(exit_code(ask({"calendar", "windows.ics", "--department", "finanze"})), 64);
  EXPECT_EQ(exit_code(ask({"calendar", "windows.ics", "--from", "tomorrow"})), 64);
  EXPECT_EQ(exit_code(ask({"calendar", "windows.ics", "--to", "2040-01-01T00:00:00Z"})), 64);
  // Ten seconds are not enough for any machine.
  write_calendar(now + hours(2), "PT10S");
  const auto small = ask({"calendar", "windows.ics", "--stage", "production"});
  EXPECT_EQ(exit_code(small), 5) << small.output;
  EXPECT_THAT(small.output, HasSubstr("does not fit into the window of "));

  // Before it opens, a real apt takes nothing.
  write_calendar(now + hours(2), "PT4H");
  const auto made = export_to("apt", "repo", with(by_calendar, {"--json"}));
  ASSERT_EQ(exit_code(made), 0) << made.errors;
  const auto said = Json::parse(made.output);
  expect_fits(said, "deploy-export");
  EXPECT_EQ(said.at("window").at("opens"), rfc3339(now + hours(2)).substr(0, 19) + "Z");
  EXPECT_EQ(said.at("not_after"), rfc3339(now + hours(6)).substr(0, 19) + "Z");
  const auto handoff = read_json_file(folder_.path() / "repo/handoff.json").value();
  expect_fits(handoff, "handoff");
  EXPECT_EQ(handoff.at("not_before"), said.at("window").at("opens"));
  const auto early = apt({"-o", "APT::Update::Error-Mode=any", "update"});
  EXPECT_NE(exit_code(early), 0);
  EXPECT_THAT(early.errors, HasSubstr("is not valid yet"));
  EXPECT_NE(exit_code(apt({"download", "tidy"})), 0);
  // Once it is open, it does.
  ASSERT_TRUE(remove_tree(folder_.path() / "repo"));
  write_calendar(now - hours(1), "PT4H");
  const auto opened = export_to("apt", "repo", with(by_calendar, {"--json"}));
  ASSERT_EQ(exit_code(opened), 0) << opened.errors;
  // When it did open, not when somebody asked.
  const auto it_opened = rfc3339(now - hours(1)).substr(0, 19) + "Z";
  expect_fits(Json::parse(opened.output), "deploy-export");
  EXPECT_EQ(Json::parse(opened.output).at("window").at("opens"), it_opened);
  EXPECT_EQ(Json::parse(opened.output).at("window").at("open_now"), true);
  EXPECT_EQ(read_json_file(folder_.path() / "repo/handoff.json").value().at("not_before"), it_opened);
  const auto as_change = ask({"deploy", "change", "production", "--calendar", "windows.ics", "--json"});
  expect_fits(Json::parse(as_change.output), "deploy-change");
  EXPECT_EQ(Json::parse(as_change.output).at("changes").at(0).at("window").at("opens"), it_opened);
  forget_lists();
  EXPECT_EQ(exit_code(apt({"update"})), 0);
  EXPECT_EQ(exit_code(apt({"download", "tidy"})), 0);

  // The same for Ansible, which asks the clock itself.
  write_calendar(now + hours(2), "PT4H");
  ASSERT_EQ(exit_code(export_to("ansible", "play", {"--calendar", "windows.ics"})), 0);
  EXPECT_EQ(read_json_file(folder_.path() / "play/variables.json").value().at("patchlab_not_before"),
            said.at("window").at("opens"));

  // No window, or a freeze over it: nothing is made.
  const auto refuses = [&](const std::string& why, int code) {
    const auto refused = export_to("files", "made", {"--calendar", "windows.ics"});
    EXPECT_EQ(exit_code(refused), code) << refused.output;
    EXPECT_THAT(refused.errors, AllOf(HasSubstr(why), HasSubstr("hint: ")));
    expect_nothing_made("made");
  };
  write_calendar(now - hours(5), "PT4H");
  refuses("department 'finance' has no window within 400 days", 5);
  write_calendar(now + hours(2), "PT4H",
                 "BEGIN:VEVENT\nSUMMARY:audit\nCATEGORIES:FREEZE\nDTSTART:" + stamp(now - hours(1)) +
                     "\nDURATION:P2D\nEND:VEVENT\n");
  refuses("has no window within 400 days that is not over or frozen", 5);
  folder_.write("windows.ics",
                "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nCATEGORIES:WINDW\nEND:VEVENT\nEND:VCALENDAR\n");
  refuses("windows.ics:4: the category 'WINDW' is not known", 65);
  EXPECT_EQ(exit_code(ask({"calendar", "windows.ics"})), 65);

  // What was installed by hand, in the window and outside of it.
  write_calendar(now - hours(1), "PT4H");
  const auto by_hand = [&](system_clock::time_point when) {
    return ask({"deploy", "record", "production", "tidy.deb", "--department", "finance", "--manual", "--machine",
                "mail1", "--reason", "x", "--calendar", "windows.ics", "--observed", rfc3339(when), "--json"});
  };
  const auto inside = by_hand(now);
  ASSERT_EQ(exit_code(inside), 0) << inside.errors;
  expect_fits(Json::parse(inside.output), "deploy-record");
  EXPECT_EQ(Json::parse(inside.output).at("machines").at(0).at("window").at("inside"), "inside");
  const auto outside = by_hand(now - hours(2));
  ASSERT_EQ(exit_code(outside), 0) << "a finding, no refusal";
  EXPECT_EQ(Json::parse(outside.output).at("machines").at(0).at("window").at("inside"), "outside");
  // A list of packages says no time: it was somewhere between the promotion and now.
  folder_.write("dns1", "bind9x:amd64\t1:9.18+patchlab1\tii \ndpkg\t1.21\tii \n");
  const auto listed = ask({"deploy", "record", "production", "dns1", "--department", "finance", "--machine", "dns1",
                           "--calendar", "windows.ics"});
  EXPECT_THAT(listed.output, HasSubstr("  installed in a window, between "));
}

// First one machine, then the others, by what the ledger was told.
TEST_F(DeployCommand, ARingFollowsWhenTheOneBeforeHasWhatWasPromoted) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  const auto write_rings = [&](int hours) {
    folder_.write("rings.json", fmt::format(R"({{"schema": "patchlab/rings/v1", "departments": {{"finance": [
      {{"name": "canary", "machines": ["dns1"], "hours": {}}}, {{"name": "others", "machines": "rest"}}]}}}})",
                                            hours));
  };
  write_rings(24);
  const auto of_ring = [&](const std::string& ring, const std::string& to, const std::string& target,
                           const Words& more = {}) {
    Words words{"--rings", "rings.json", "--ring", ring};
    words.insert(words.end(), more.begin(), more.end());
    return export_to(to, target, words);
  };
  const auto refuses = [&](int code, const ProcessOutcome& outcome, const std::string& why) {
    EXPECT_EQ(exit_code(outcome), code) << outcome.output;
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr(why), HasSubstr("hint: ")));
    expect_nothing_made("made");
  };
  const auto record = [&](const std::string& machine, const std::string& tidy) {
    folder_.write(machine, "bind9x:amd64\t1:9.18+patchlab1\tii \ndpkg\t1.21\tii \ntidy\t" + tidy + "\tii \n");
    const auto outcome =
        ask({"deploy", "record", "production", machine, "--department", "finance", "--machine", machine});
    ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
  };
  refuses(64, export_to("files", "made", {"--ring", "canary"}), "--ring needs --rings FILE");
  refuses(64, export_to("files", "made", {"--rings", "rings.json"}), "is handed over ring by ring: canary, others");
  refuses(64, of_ring("canari", "files", "made"), "is no ring of 'finance'");
  const auto other_file = export_to("files", "made", {"--rings", "policy.json", "--ring", "canary"});
  EXPECT_EQ(exit_code(other_file), 65);
  EXPECT_THAT(other_file.errors, HasSubstr("policy.json: /schema: must be \"patchlab/rings/v1\""));
  refuses(
      5, of_ring("others", "files", "made"),
      "ring 2 (others) of 'finance' may not follow yet: ring 1 (canary): 'dns1' has not reported that it has serial 1");

  // The first waits for nothing. A machine of another ring takes nothing from its repository.
  const auto made = of_ring("canary", "apt", "repo", {"--key", openpgp_key("stage"), "--json"});
  ASSERT_EQ(exit_code(made), 0) << made.errors;
  expect_fits(Json::parse(made.output), "deploy-export");
  const auto handoff = read_json_file(folder_.path() / "repo/handoff.json").value();
  expect_fits(handoff, "handoff");
  EXPECT_EQ(handoff.at("ring").at("machines"), Json::parse(R"(["dns1"])"));
  EXPECT_EQ(handoff.at("ring").at("rings"), sha256_of_file(folder_.path() / "rings.json").value());
  for (const char* suite : {"finance", "finance.others"}) {
    EXPECT_NE(exit_code(apt({"-o", "APT::Update::Error-Mode=any", "update"}, "stage", suite)), 0) << suite;
    forget_lists();
  }
  const auto updated = apt({"update"}, "stage", "finance.canary");
  EXPECT_EQ(exit_code(updated), 0) << updated.output << updated.errors;
  EXPECT_EQ(exit_code(apt({"download", "tidy"}, "stage", "finance.canary")), 0);
  EXPECT_EQ(sha256_of_file(folder_.path() / "tidy_2.0_all.deb").value(), tested_["tidy"]);

  // It has it, and its hours have to pass; without hours the next may follow.
  ASSERT_NO_FATAL_FAILURE(record("dns1", "2.0"));
  refuses(5, of_ring("2", "files", "made"), ", and its 24 hours have passed on ");
  ASSERT_NO_FATAL_FAILURE(record("mail1", "2.0"));
  const Words ask_status{"deploy", "status", "production", "--rings", "rings.json"};
  const auto early = ask(ask_status);
  EXPECT_THAT(early.output, AllOf(HasSubstr("  ring 1 (canary): 1 of 1 machines have it, 24 hours pass before the next "
                                            "ring; it may take it\n"),
                                  HasSubstr("  ring 2 (others): 1 of 1 machines that ever reported have it; it waits:\n"
                                            "    ring 1 (canary): all of it have it since "),
                                  HasSubstr("    too early: 'mail1' has it since ")));
  write_rings(0);
  const auto fine = ask({"deploy", "status", "production", "--rings", "rings.json", "--json"});
  const auto told = Json::parse(fine.output);
  expect_fits(told, "deploy-status");
  const auto& others = told.at("departments").at(0).at("rings").at(1);
  EXPECT_EQ(others.at("may_follow"), true);
  EXPECT_THAT(others.at("early"), IsEmpty());
  const auto played = of_ring("others", "ansible", "play");
  ASSERT_EQ(exit_code(played), 0) << played.errors;
  EXPECT_THAT(played.output, HasSubstr("  ring 2 of 2, others: all machines but dns1\n"));
  EXPECT_THAT(of_ring("others", "files", "plain").output,
              HasSubstr("nothing in it keeps other machines from taking it"));
  EXPECT_EQ(read_json_file(folder_.path() / "plain/handoff.json").value().at("ring").at("reports").size(), 1U);

  // A failure there stops it. What the ledger was told before is not so once more because it is told again, and nobody
  // says by hand that it is mended.
  ASSERT_NO_FATAL_FAILURE(record("dns1", "1.0"));
  refuses(5, of_ring("others", "files", "made"), "'dns1' differs from serial 1: tidy: older");
  ASSERT_NO_FATAL_FAILURE(record("dns1", "2.0"));
  refuses(5, of_ring("others", "files", "made"), "'dns1' differs from serial 1: tidy: older; line ");
  const auto again =
      ask({"deploy", "record", "production", "dns1", "--department", "finance", "--machine", "dns1", "--json"});
  expect_fits(Json::parse(again.output), "deploy-record");
  EXPECT_TRUE(Json::parse(again.output).at("machines").at(0).contains("same_list_as")) << again.output;
  EXPECT_EQ(exit_code(ask({"deploy", "record", "production", "tidy.deb", "--department", "finance", "--manual",
                           "--machine", "dns1", "--observed", rfc3339(std::chrono::system_clock::now()), "--reason",
                           "in a hurry", "--by", "eve@x"})),
            0);
  refuses(5, of_ring("others", "files", "made"), " says so by hand, which does not count");
  const auto mended = ask({"deploy", "record", "production", "dns1", "--department", "finance", "--machine", "dns1",
                           "--observed", rfc3339(std::chrono::system_clock::now())});
  EXPECT_EQ(exit_code(of_ring("others", "files", "mended")), 0) << mended.output << mended.errors;
  // It fails once more, with the very list of the first time: that is of now, or the report in between would hide it.
  EXPECT_EQ(exit_code(ask({"deploy", "status", "production"})), 0);
  ASSERT_NO_FATAL_FAILURE(record("dns1", "1.0"));
  const auto once_more = ask({"deploy", "status", "production"});
  EXPECT_EQ(exit_code(once_more), 5) << once_more.output;
  EXPECT_THAT(once_more.output, HasSubstr("finance/dns1: differs with serial 1\n"));
  ASSERT_NO_FATAL_FAILURE(record("dns1", "0.9"));
  refuses(5, of_ring("others", "files", "made"), "'dns1' differs from serial 1: tidy: older");
  EXPECT_THAT(ask(ask_status).output, HasSubstr("    'dns1' differs from serial 1: tidy: older\n"));

  // A file that names other departments alone: it goes as a whole, and that is said.
  folder_.write("other.json", R"({"schema": "patchlab/rings/v1", "departments": {"finanse": [
    {"name": "all", "machines": "rest"}]}})");
  EXPECT_THAT(export_to("files", "whole", {"--rings", "other.json"}).output,
              AllOf(HasSubstr("all machines: "), HasSubstr("other.json"), HasSubstr(" names no rings of 'finance'\n")));
  const auto whole = Json::parse(export_to("files", "whole2", {"--rings", "other.json", "--json"}).output);
  expect_fits(whole, "deploy-export");
  EXPECT_EQ(whole.at("not_in_rings"), true);
  const auto strange = ask({"deploy", "status", "production", "--rings", "other.json"});
  EXPECT_THAT(strange.output, AllOf(HasSubstr("finance: all machines at once, since "), HasSubstr(": finanse\n")));
  const auto strange_json =
      Json::parse(ask({"deploy", "status", "production", "--rings", "other.json", "--json"}).output);
  expect_fits(strange_json, "deploy-status");
  EXPECT_EQ(strange_json.at("never_promoted"), Json::parse(R"(["finanse"])"));

  // The playbook ends for machines of other rings, before it changes anything, and does not take none for all.
  if (patchlab::testing::is_missing("ansible-playbook")) GTEST_SKIP() << "ansible-core is not installed";
  const auto play = [&](const std::string& hosts) {
    return start("ansible-playbook", {"-i", hosts, "-c", "local", "-e", "patchlab_hosts=all", "play/install.yml", "-e",
                                      "ansible_python_interpreter=/usr/bin/python3", "-e",
                                      R"({"patchlab_not_before": "2199-01-01T00:00:00Z"})"});
  };
  const auto none = play("dns1,");
  EXPECT_EQ(exit_code(none), 2) << none.output << none.errors;
  EXPECT_THAT(none.output, HasSubstr("none of these hosts is of ring 'others'"));
  const auto both = play("dns1,web1,");
  EXPECT_EQ(exit_code(both), 2) << both.output << both.errors;
  EXPECT_THAT(both.output, AllOf(HasSubstr("fatal: [web1]"), Not(HasSubstr("fatal: [dns1]")),
                                 HasSubstr("the window opens on 2199-01-01T00:00:00Z")));
}

// A promotion as those who manage changes ask for it; the ticket is one that somebody signed.
TEST_F(DeployCommand, APromotionIsAChangeWithItsTicketAndItsResult) {
  auto policy = one_person();
  policy["id"] = "with-ticket";
  policy["change_ticket"] = "required";
  policy["replaces"] = sha256(read_file(folder_.path() / "policy.json").value());
  folder_.write("ticket.json", policy.dump());
  const auto added = ask({"policy", "add", "ticket.json", "--key", "owner"});
  ASSERT_EQ(exit_code(added), 0) << added.errors;
  ASSERT_NO_FATAL_FAILURE(make_packages());
  const auto run = tests::good_record().id;
  people_.approve("bob", {run, "--department", "finance"});
  const auto refused = ask({"promote", run, "--sign-with", "lab"});
  EXPECT_EQ(exit_code(refused), 5);
  EXPECT_THAT(
      refused.output,
      HasSubstr("ticket-missing: finance: policy 'with-ticket' asks that one who approves names the ticket of the "
                "change; nobody of them did (patchlab approve --ticket)"));
  EXPECT_THAT(ask({"queue"}).output,
              HasSubstr("patchlab approve " + run + " --department finance --ticket TICKET --reason "));
  people_.approve("dave", {run, "--department", "finance", "--ticket", "CHG0042"});
  const auto promoted = ask({"promote", run, "--sign-with", "lab"});
  ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  // Who proves it later asks the same policy.
  EXPECT_EQ(exit_code(ask({"verify", "production", "--roots", "roots"})), 0);

  const auto change = [&](const Words& more) {
    Words words{"deploy", "change", "production"};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  };
  const auto as_json = [&](const Words& more) {
    auto words = more;
    words.emplace_back("--json");
    const auto outcome = change(words);
    EXPECT_EQ(exit_code(outcome), 0) << outcome.errors;
    const auto json = Json::parse(outcome.output);
    expect_fits(json, "deploy-change");
    return json.at("changes").at(0);
  };
  const auto first = as_json({});
  EXPECT_EQ(first.at("id"), "finance-1");
  EXPECT_EQ(first.at("state"), "promoted");
  EXPECT_EQ(first.at("tickets"), Json::parse(R"(["CHG0042"])"));
  EXPECT_EQ(first.at("requested_by"), "alice@x");
  EXPECT_EQ(first.at("approved").size(), 2U);
  EXPECT_EQ(first.at("tested").at("record"), sha256_of_file(folder_.path() / "runs" / run / "run.json").value());
  EXPECT_THAT(first.at("back_out").at("says").get<std::string>(), HasSubstr("nothing was promoted before"));
  EXPECT_FALSE(first.contains("window"));

  // Why, as a scan says it; of what it does not know, nothing.
  folder_.write("scan.json", R"({"schema": "patchlab/scan/v1", "rows": [
    {"department": "finance", "machine": "dns", "item": "dns-update", "status": "missing", "due": "2026-12-01",
     "decided_by": "CVE-2026-1000",
     "vulnerabilities": [{"cve": "CVE-2026-1000", "decision": {"row": "15", "timeline": "3 days"}}]},
    {"department": "hr", "machine": "dns", "item": "dns-update", "status": "missing", "due": null, "decided_by": null,
     "vulnerabilities": []}]})");
  const auto why = as_json({"--scan", "scan.json"});
  for (const auto& item : why.at("what")) {
    EXPECT_EQ(item.at("why"),
              item.at("id") == "dns-update"
                  ? Json::parse(R"(["dns missing, closes CVE-2026-1000, row 15: 3 days, due 2026-12-01"])")
                  : Json::array());
  }
  EXPECT_EQ(exit_code(change({"--scan", "policy.json"})), 65);
  // What came of it; the window only as long as it is wanted.
  folder_.write("windows.ics",
                "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nCATEGORIES:WINDOW\nSUMMARY:nights\nDTSTART:"
                "20260101T000000Z\nDURATION:PT4H\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n");
  EXPECT_EQ(as_json({"--calendar", "windows.ics"}).at("window").at("name"), "nights");
  // A calendar that was given and has nothing for it: that is another thing than none.
  folder_.write(
      "frozen.ics",
      "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nCATEGORIES:WINDOW\nDTSTART:20260101T000000Z\nDURATION:PT4H"
      "\nRRULE:FREQ=DAILY\nEND:VEVENT\nBEGIN:VEVENT\nCATEGORIES:FREEZE\nDTSTART:20260101T000000Z\nDURATION:P1D"
      "\nRRULE:FREQ=DAILY\nEND:VEVENT\nEND:VCALENDAR\n");
  const auto* const frozen = "department 'finance' has no window within 400 days that is not over or frozen";
  const auto in_freeze = as_json({"--calendar", "frozen.ics"}).at("window");
  EXPECT_EQ(in_freeze.at("why"), frozen);
  EXPECT_EQ(in_freeze.at("emergency_lane"), false);
  EXPECT_THAT(change({"--calendar", "frozen.ics"}).output,
              AllOf(HasSubstr(std::string("none: ") + frozen), Not(HasSubstr("no calendar was given"))));
  EXPECT_THAT(change({"--calendar", "frozen.ics", "--csv"}).output, HasSubstr(std::string("none: ") + frozen));
  folder_.write("dns1", "bind9x:amd64\t1:9.18+patchlab1\tii \ndpkg\t1.21\tii \ntidy\t2.0\tii \n");
  ASSERT_EQ(exit_code(ask({"deploy", "record", "production", "dns1", "--department", "finance", "--machine", "dns1"})),
            0);
  const auto installed = as_json({"--calendar", "windows.ics"});
  EXPECT_EQ(installed.at("state"), "installed");
  EXPECT_EQ(installed.at("window").at("why"), "it is installed, and waits for none");
  EXPECT_FALSE(installed.at("window").contains("opens"));
  EXPECT_EQ(installed.at("result").at(0).at("machine"), "dns1");
  ASSERT_EQ(exit_code(ask({"deploy", "record", "production", "tidy.deb", "--department", "finance", "--manual",
                           "--machine", "mail1", "--observed", rfc3339(std::chrono::system_clock::now()), "--reason",
                           "no repository there", "--ticket", "CHG0043", "--by", "eve@x"})),
            0);
  const auto partly = as_json({});
  EXPECT_EQ(partly.at("state"), "partly-installed");
  EXPECT_EQ(partly.at("tickets"), Json::parse(R"(["CHG0042", "CHG0043"])"));

  EXPECT_EQ(exit_code(change({"--department", "finanze"})), 64);
  EXPECT_EQ(exit_code(change({"--department", "finance", "--serial", "7"})), 64);
  EXPECT_EQ(exit_code(change({"--mail"})), 64);
  EXPECT_EQ(exit_code(change({"--mail", "--from", "a@x\nBcc: b@x", "--to", "b@x"})), 64);
  const auto text = change({});
  EXPECT_THAT(text.output, AllOf(HasSubstr("Change finance-1: 2 updates for finance ("),
                                 HasSubstr("\nTicket       CHG0042, CHG0043\n"), HasSubstr("mail1: unknown on "),
                                 HasSubstr(": no repository there\n")));
  const auto csv = change({"--csv", "--all"});
  EXPECT_EQ(std::ranges::count(csv.output, '\n'), 2);
  // Another reader of mails takes it apart, and finds the same text.
  const auto mail = change({"--mail", "--from", "patchlab@xavier.example", "--to", "cab@xavier.example"});
  ASSERT_EQ(exit_code(mail), 0) << mail.errors;
  folder_.write("mail", mail.output);
  const auto read = start("python3", {"-c", R"py(
import email, email.policy, sys
raw = open("mail", "rb").read()
assert b"\n" not in raw.replace(b"\r\n", b"") and max(len(l) for l in raw.split(b"\r\n")) <= 78
m = email.message_from_bytes(raw, policy=email.policy.default)
assert not m.defects and m["to"] == "cab@xavier.example" and m["date"].datetime and m["message-id"]
sys.stdout.write(m["subject"] + "\n" + m.get_content().replace("\r\n", "\n"))
)py"});
  EXPECT_EQ(exit_code(read), 0) << read.errors;
  EXPECT_THAT(read.output, AllOf(HasSubstr("Change finance-1: 2 updates for finance ("),
                                 HasSubstr("partly-installed, CHG0042, CHG0043\n"), ::testing::EndsWith(text.output)));

  // Going back to it is another change: the ticket of the first is none of its.
  const std::string later = "2026-11-23T060250Z-7f3a92";
  ASSERT_NO_FATAL_FAILURE(make_packages(later));
  people_.approve("dave", {later, "--department", "finance", "--ticket", "CHG0044"});
  ASSERT_EQ(exit_code(ask({"promote", later, "--sign-with", "lab"})), 0);
  people_.approve("dave", {run, "--department", "finance", "--ticket", "CHG0045"});
  const auto back = ask({"promote", run, "--department", "finance", "--rollback", "it is slow", "--sign-with", "lab"});
  ASSERT_EQ(exit_code(back), 0) << back.output << back.errors;
  const auto tickets_of = [&](const std::string& serial) {
    return as_json({"--department", "finance", "--serial", serial}).at("tickets");
  };
  EXPECT_EQ(tickets_of("1"), partly.at("tickets"));
  EXPECT_EQ(tickets_of("2"), Json::parse(R"(["CHG0044"])"));
  EXPECT_EQ(tickets_of("3"), Json::parse(R"(["CHG0045"])"));
}

TEST_F(DeployCommand, AptTakesNothingAfterTheEnd) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  const auto key = openpgp_key("stage");
  // Soon, and not before it is made: on a busy host that takes a while.
  std::chrono::system_clock::time_point end;
  int code = 5;
  for (int seconds = 3; code == 5 && seconds < 60; seconds *= 3) {
    end = std::chrono::system_clock::now() + std::chrono::seconds(seconds);
    code = exit_code(export_to("apt", "repo", {"--key", key, "--not-after", rfc3339(end)}));
  }
  ASSERT_EQ(code, 0);
  ASSERT_TRUE(wait_until(system_clock_source(), {.awaited = "the end", .deadline = std::chrono::seconds(60)},
                         [&] { return std::chrono::system_clock::now() > end + std::chrono::seconds(1); }));
  const auto late = apt({"update"});
  EXPECT_NE(exit_code(late), 0);
  EXPECT_THAT(late.errors, HasSubstr("expired"));
  const auto refused = export_to("apt", "late", {"--key", key, "--not-after", rfc3339(end)});
  EXPECT_EQ(exit_code(refused), 5);
  EXPECT_THAT(refused.errors,
              AllOf(HasSubstr("--not-after '" + rfc3339(end) + "' is over"), HasSubstr("hint: a later time")));
  expect_nothing_made("late");
}

TEST_F(DeployCommand, MakesNothingWhereSomethingIsMissing) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  const auto refuses = [&](int code, const Words& words, const std::string& why) {
    const auto outcome = ask(words);
    EXPECT_EQ(exit_code(outcome), code) << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr(why), HasSubstr("hint: ")));
    EXPECT_THAT(outcome.output, IsEmpty());
    expect_nothing_made("made");
  };
  const auto words = [](const std::string& to, const Words& more) {
    Words all{"deploy", "export", "production", "--department", "finance", "--to", to, "-o", "made"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  refuses(64, words("apt", {}), "--to apt needs --key FINGERPRINT");
  refuses(64, words("apt", {"--key", "ABCD1234"}), "is no full fingerprint");
  refuses(65, words("apt", {"--key", std::string(40, 'A')}), "gpg: exit code 2");
  refuses(5, words("wsus", {}), "nothing of what was promoted in 'finance' is for 'wsus'");
  refuses(64, words("files", {"--not-after", "tomorrow"}), "--not-after 'tomorrow' is no time");
  refuses(64, {"deploy", "export", "production", "--department", "finanze", "--to", "files", "-o", "made"},
          "was never promoted");
  refuses(65, {"deploy", "export", "nowhere", "--department", "finance", "--to", "files", "-o", "made"}, "nowhere");
  // What `verify` refutes.
  const auto manifest = folder_.path() / "production/finance/manifest.json";
  fs::permissions(manifest, fs::perms::owner_write, fs::perm_options::add);
  refuses(65, words("files", {}), "finance");
  fs::permissions(manifest, fs::perms::owner_write, fs::perm_options::remove);
  // What somebody rejected since, until they take that back.
  const auto decide = [&](const std::string& what, Words more) {
    Words all{what, tests::good_record().id, "--department", "finance", "--reason", "found late", "--key", "dave"};
    all.insert(all.end(), more.begin(), more.end());
    const auto outcome = ask(all);
    ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
  };
  const auto lines = [&] { return read_file(folder_.path() / "production/.ledger/ledger.jsonl").value(); };
  ASSERT_NO_FATAL_FAILURE(decide("reject", {}));
  const auto ledger = lines();
  const auto number = std::to_string(std::ranges::count(ledger, '\n'));
  const auto rejected = "line " + number + ": rejected by dave@x since: found late";
  refuses(5, words("files", {}), rejected);
  const auto told = ask({"deploy", "status", "production"});
  EXPECT_THAT(told.output, HasSubstr("  " + rejected + "; nothing of it is exported\n"));
  const auto as_json = Json::parse(ask({"deploy", "status", "production", "--json"}).output);
  expect_fits(as_json, "deploy-status");
  EXPECT_EQ(as_json.at("departments").at(0).at("rejected"), rejected);
  ASSERT_NO_FATAL_FAILURE(decide("withdraw", {"--decision", number}));
  EXPECT_THAT(ask({"deploy", "status", "production"}).output, Not(HasSubstr("rejected")));
  const auto made = export_to("files", "made");
  ASSERT_EQ(exit_code(made), 0) << made.errors;
  EXPECT_THAT(made.output, HasSubstr("nothing ends it: no waiver, and no --not-after"));
  EXPECT_EQ(exit_code(export_to("files", "made")), 65) << "is there already";
}

// Who knows nothing of patchlab checks files by stock tools, from the list of signers on.
TEST_F(DeployCommand, StockToolsProveThePlainFiles) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  ASSERT_EQ(exit_code(export_to("files", "plain")), 0);
  const std::string check = R"sh(set -e
cd plain
ssh-keygen -q -Y verify -f ../production/.ledger/trust/1/allowed_signers -I lab@x -n patchlab.promote.v1 -s promotion.sig <promotion
[ "$(jq -r '.subject[0].digest.sha256' promotion)" = "$(sha256sum <SHA256SUMS | cut -c1-64)" ]
[ "$(jq -r .predicate.manifest promotion)" = "$(sha256sum <manifest.json | cut -c1-64)" ]
sha256sum --quiet -c SHA256SUMS
)sh";
  const auto good = start("bash", {"-c", check});
  EXPECT_EQ(exit_code(good), 0) << good.output << good.errors;
  const auto stage = read_file(folder_.path() / "production/finance/SHA256SUMS").value();
  EXPECT_EQ(read_file(folder_.path() / "plain/SHA256SUMS").value(), stage);
  edit(folder_.path() / "plain/SHA256SUMS", [](std::string& text) { text[0] = text[0] == '0' ? '1' : '0'; });
  EXPECT_NE(exit_code(start("bash", {"-c", check})), 0);
}

// What machines say goes into the ledger, is compared, proven and told again.
TEST_F(DeployCommand, WhatMachinesHaveIsWrittenDownAndToldWithWhoTestedAndApprovedIt) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  const auto status = [&] { return ask({"deploy", "status", "production"}); };
  const auto silent = status();
  EXPECT_EQ(exit_code(silent), 3) << silent.output;
  EXPECT_THAT(silent.output, HasSubstr("no machine has reported"));
  const auto record = [&](const std::string& file, Words more) {
    Words words{"deploy", "record", "production", file, "--department", "finance"};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  };
  const auto now = [] { return rfc3339(std::chrono::system_clock::now()); };
  const std::string all = "bind9x:amd64\t1:9.18+patchlab1\tii \ndpkg\t1.21\tii \ntidy\t2.0\tii \n";
  folder_.write("dns1", all);
  folder_.write("cut", all.substr(0, all.size() - 1));
  folder_.write("mail1", "\nStart-Date: 2026-11-28  22:00:01\nUpgrade: tidy:amd64 (1.0, 1.9)\nEnd-Date: x\n");
  EXPECT_EQ(exit_code(record("dns1", {})), 64) << "of which machine";
  EXPECT_EQ(exit_code(record("dns1", {"--machine", "a b"})), 64);
  EXPECT_EQ(exit_code(record("nothing", {"--machine", "dns1"})), 65);
  EXPECT_EQ(exit_code(record("cut", {"--machine", "dns1"})), 65);
  const auto ahead = rfc3339(std::chrono::system_clock::now() + std::chrono::hours(25));
  EXPECT_EQ(exit_code(record("dns1", {"--machine", "dns1", "--observed", ahead})), 65);
  EXPECT_EQ(exit_code(record("dns1", {"--machine", "dns1", "--sign-with", "lab"})), 65) << "the lab may not";
  EXPECT_EQ(exit_code(status()), 3) << "none of these was written down";

  // How it was before the promotion says nothing of it, whatever it had.
  ASSERT_EQ(exit_code(record("dns1", {"--machine", "dns1", "--observed", "2020-11-28T22:10:00Z"})), 0);
  const auto before = status();
  EXPECT_EQ(exit_code(before), 3) << before.output;
  EXPECT_THAT(before.output, HasSubstr("; that was promoted after it was observed, and it has not reported since\n"));
  const auto observed = now();
  const auto first = record("dns1", {"--machine", "dns1", "--observed", observed, "--by", "ops@x", "--json"});
  ASSERT_EQ(exit_code(first), 0) << first.errors;
  expect_fits(Json::parse(first.output), "deploy-record");
  EXPECT_EQ(Json::parse(first.output).at("signed"), false);
  const auto fine = status();
  EXPECT_EQ(exit_code(fine), 0) << fine.output << fine.errors;
  EXPECT_THAT(fine.output, AllOf(HasSubstr("finance/dns1: as-promoted with serial 1\n"),
                                 HasSubstr("tested in run " + tests::good_record().id + ", approved by bob@x"),
                                 HasSubstr("by ops@x (not signed)\n"),
                                 HasSubstr("  bind9x 1:9.18+patchlab1: as-promoted, since 2020-11-28T22:10:00Z\n")));
  ASSERT_EQ(exit_code(record("mail1", {"--machine", "mail1"})), 0);
  const auto differs = status();
  EXPECT_EQ(exit_code(differs), 5);
  EXPECT_THAT(differs.output, AllOf(HasSubstr("finance/mail1: differs"),
                                    HasSubstr("tidy 1.9: older, promoted is 2.0, since 2026-11-28  22:00:01")));
  const auto as_json = Json::parse(ask({"deploy", "status", "production", "--json"}).output);
  expect_fits(as_json, "deploy-status");
  EXPECT_EQ(as_json.at("departments").at(0).at("machines").size(), 2U);
  // The same from the other end.
  const auto story = ask({"history", "candidate", "tidy"});
  EXPECT_EQ(exit_code(story), 0) << story.errors;
  EXPECT_THAT(story.output, AllOf(HasSubstr("run " + tests::good_record().id + ": pass"),
                                  ContainsRegex("finance +line [0-9]+: approve by bob@x"),
                                  ContainsRegex("promote-done by [^\n]*serial 1, published"),
                                  HasSubstr("dns1 says: tidy is as-promoted (serial 1, has 2.0"),
                                  HasSubstr("mail1 says: tidy is older (serial 1, has 1.9, promoted 2.0")));
  expect_fits(Json::parse(ask({"history", "candidate", "tidy", "--json"}).output), "history-candidate");

  // What the ledger knows of machines that others list, and those that it knows nothing of.
  folder_.write("scenario.json", small_scenario().dump());
  folder_.write("hosts.csv",
                "name,department,role,status\ndns1,finance,dns,\nfile1,finance,dns,up\nold,finance,dns,retired\n");
  const auto inventory = [&](Words more) {
    Words words{"inventory", "scenario.json", "hosts.csv", "--stage", "production"};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  };
  const auto compared = inventory({"--json"});
  EXPECT_EQ(exit_code(compared), 3) << compared.errors;
  expect_fits(Json::parse(compared.output), "inventory");
  EXPECT_EQ(Json::parse(compared.output).at("said"), 2U);
  EXPECT_THAT(inventory({"--csv"}).output,
              AllOf(HasSubstr("reported-not-listed,mail1,"), HasSubstr("never-reported,file1,")));
  const auto without = inventory({"--without", "tidy=2.0"});
  EXPECT_EQ(exit_code(without), 3);
  EXPECT_THAT(without.output, AllOf(HasSubstr("mail1    finance     older    1.9"), HasSubstr("it never reported\n"),
                                    HasSubstr("1 of 3 machines are without it, of 1 nobody can tell\n"
                                              "1 left out, not in service: old ('retired' in hosts.csv)\n"
                                              "file1: whether it is in service is not known: its status is 'up'\n")));
  EXPECT_EQ(exit_code(ask({"inventory", "scenario.json", "hosts.csv", "--stage", "nowhere"})), 65);
  folder_.write("ahead.jsonl", R"({"machine": "dns1", "observed": "2199-01-01T00:00:00Z", "updates": []})"
                               "\n");
  const auto of_future = inventory({"--said", "ahead.jsonl"});
  EXPECT_EQ(exit_code(of_future), 65) << "it would be the newest for ever";
  EXPECT_THAT(of_future.errors, HasSubstr("'dns1' was observed at 2199-01-01T00:00:00Z"));

  // By hand: the very file, and another one.
  EXPECT_EQ(exit_code(record("tidy.deb", {"--manual", "--machine", "mail1"})), 64) << "when, and why";
  const Words by_hand{"--manual", "--machine", "mail1", "--observed", now(), "--reason", "no repository there yet",
                      "--ticket", "CHG7",      "--by",  "eve@x"};
  ASSERT_EQ(exit_code(record("tidy.deb", by_hand)), 0);
  EXPECT_THAT(status().output, AllOf(HasSubstr("finance/mail1: unknown, 1 of 2 parts not reported with serial 1\n"),
                                     HasSubstr("by eve@x (not signed): no repository there yet (CHG7)"),
                                     HasSubstr("as-promoted, since ")));
  ASSERT_EQ(exit_code(record("mail1", by_hand)), 0);
  EXPECT_THAT(status().output, HasSubstr("other-bytes"));

  // What a WSUS was told is of its machines and their time; nothing of this promotion is for them.
  folder_.write("wsus.jsonl", R"({"schema":"patchlab/wsus-report/v1","machine":"fin-dc1.corp.example","observed":")" +
                                  now() +
                                  R"(","updates":[{"kb":["KB5035968"],"update":"6f0d83cc-1a4e-4d0c-9c1c-2f4b8f5a7d11",)"
                                  R"("revision":200,"state":"Installed"}]})"
                                  "\n");
  EXPECT_EQ(exit_code(record("wsus.jsonl", {"--machine", "dc1"})), 64) << "it says so itself";
  EXPECT_EQ(exit_code(record("wsus.jsonl", {"--format", "json"})), 65);
  const auto of_wsus = record("wsus.jsonl", {"--json"});
  ASSERT_EQ(exit_code(of_wsus), 0) << of_wsus.errors;
  expect_fits(Json::parse(of_wsus.output), "deploy-record");
  EXPECT_EQ(Json::parse(of_wsus.output).at("source"), "wsus");
  EXPECT_THAT(status().output, HasSubstr("finance/fin-dc1.corp.example: unknown"));
  expect_fits(Json::parse(ask({"deploy", "status", "production", "--json"}).output), "deploy-status");

  // Signed by a key that may say so, and nothing else; its name is what the ledger has.
  ASSERT_EQ(exit_code(start("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", "ops"})), 0);
  ASSERT_EQ(exit_code(ask({"trust", "add", "signers", "ops@x", "--key", "ops.pub", "--may", "deployed"})), 0);
  ASSERT_EQ(exit_code(ask({"trust", "sign", "signers", "--root", "root"})), 0);
  ASSERT_EQ(exit_code(record("dns1", {"--machine", "dns1", "--sign-with", "ops"})), 0);
  EXPECT_THAT(status().output, HasSubstr("line 16 by ops@x\n"));

  // verify knows the lines; a bundle needs none of them.
  const auto verified = ask({"verify", "production", "--roots", "roots"});
  EXPECT_THAT(verified.output,
              AllOf(HasSubstr("7 lines tell what machines of production have"), Not(HasSubstr("\n  broken"))));
  const auto bundle = people_.export_bundle("production", "finance");
  ASSERT_EQ(exit_code(bundle), 0) << bundle.output << bundle.errors;
  people_.expect_proven();
  // A signature that is none.
  const auto newest = read_file(folder_.path() / "production/.ledger/ledger.jsonl").value();
  const auto object = newest.substr(newest.rfind("\"object\":\"") + 10, 64);
  const auto signature = folder_.path() / "production/.ledger/objects" / (object + ".sig");
  const auto ours = read_file(signature).value();
  edit(signature, [](std::string& text) { text[text.size() / 2] = text[text.size() / 2] == 'A' ? 'B' : 'A'; });
  EXPECT_EQ(exit_code(ask({"verify", "production", "--roots", "roots"})), 65);
  ASSERT_TRUE(write_file_atomically(signature, ours));
  // A report that was taken away, or says something else than its statement.
  for (const auto& entry : entries_of(folder_.path() / "production/.ledger/objects").value()) {
    const auto text = read_file(entry).value();
    if (text.find("patchlab/deployed/v1") == std::string::npos) continue;
    ASSERT_TRUE(remove_tree(entry));
    const auto refuted = ask({"verify", "production", "--roots", "roots"});
    EXPECT_EQ(exit_code(refuted), 65);
    EXPECT_THAT(refuted.output, HasSubstr("what the machines said is not there as it was"));
    EXPECT_EQ(exit_code(status()), 65);
    break;
  }
}

TEST_F(DeployCommand, AnsibleGetsNothingThatItWouldEvaluate) {
  ASSERT_NO_FATAL_FAILURE(promote_packages());
  const auto made = export_to("ansible", "play");
  ASSERT_EQ(exit_code(made), 0) << made.errors;
  EXPECT_EQ(exit_code(start("sh", {"-c", "cd play && sha256sum --quiet -c SHA256SUMS"})), 0);
  const auto variables = read_json_file(folder_.path() / "play/variables.json").value();
  EXPECT_EQ(variables.at("patchlab_packages"), Json::parse(R"(["bind9x=1:9.18+patchlab1", "tidy=2.0"])"));
  EXPECT_THAT(variables.at("patchlab_accept_list"), IsEmpty());

  // The playbook itself, by ansible-core without any collection: it refuses before it changes anything.
  if (patchlab::testing::is_missing("ansible-playbook")) GTEST_SKIP() << "ansible-core is not installed";
  const auto play = [&](const Words& more) {
    Words words{"-i",
                "localhost,",
                "-c",
                "local",
                "-e",
                "patchlab_hosts=localhost",
                "play/install.yml",
                "-e",
                "ansible_python_interpreter=/usr/bin/python3"};
    words.insert(words.end(), more.begin(), more.end());
    return start("ansible-playbook", words);
  };
  const auto understood = play({"--syntax-check"});
  EXPECT_EQ(exit_code(understood), 0) << understood.output << understood.errors;
  const auto ended = play({"-e", R"({"patchlab_not_after": "2026-01-01T00:00:00Z"})"});
  EXPECT_EQ(exit_code(ended), 2) << ended.output << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("ended on 2026-01-01T00:00:00Z: promote a newer run and export it"));
  const auto early = play({"-e", R"({"patchlab_not_before": "2199-01-01T00:00:00Z"})"});
  EXPECT_EQ(exit_code(early), 2) << early.output << early.errors;
  EXPECT_THAT(early.output, HasSubstr("the window opens on 2199-01-01T00:00:00Z"));
  const auto empty = play({"-e", R"({"patchlab_packages": []})"});
  EXPECT_EQ(exit_code(empty), 2) << empty.output << empty.errors;
  EXPECT_THAT(empty.output, HasSubstr("variables.json names nothing"));
}

}  // namespace
}  // namespace patchlab::e2e

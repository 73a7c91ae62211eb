// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/schemas.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/image/builder.hpp"
#include "people.hpp"
#include "process/feeds/feed.hpp"
#include "program.hpp"
#include "tests/support/feeds.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/unit/patches/package_builder.hpp"

// `patchlab plan -o`: from what is due to a scenario that `patchlab run` takes, by the built program. No machine is
// started; golden images are folders whose disk is a small file.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Words = std::vector<std::string>;

std::string status_of_package(const std::string& package, const std::string& version) {
  return fmt::format(
      "Package: {}\nStatus: install ok installed\nMaintainer: nobody <n@example.org>\nVersion: {}\nArchitecture: "
      "amd64\nDescription: none\n\n",
      package, version);
}

std::string today() {
  return process::day_text(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
}

patches::testing::PackageBuilder package_that_closes(const std::string& cve, const std::string& name,
                                                     const std::string& version, const std::string& source) {
  patches::testing::PackageBuilder builder;
  builder.package = name;
  builder.version = version;
  builder.more_fields = fmt::format("Source: {}\n", source);
  builder.data.push_back(patches::testing::file(
      fmt::format("./usr/share/doc/{}/changelog.Debian.gz", name),
      tests::gzip(fmt::format("{0} ({1}) stable; urgency=high\n\n  * {2}\n\n{0} (1) stable; urgency=low\n\n  * new\n",
                              source, version, cve))));
  return builder;
}

// A department with a name server, which lacks two updates, and one with a mail server, which lacks none of them. The
// apt sources have what a test gives them; what is `older` is on the name server.
class Site {
 public:
  explicit Site(const std::vector<patches::testing::PackageBuilder>& on_offer = {}, const std::string& older = "") {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    put_apt_source(on_offer);
    ::unsetenv("PATCHLAB_RUNS");
    ::unsetenv("PATCHLAB_HISTORY");
    ::unsetenv("PATCHLAB_FEEDS");
    fs::create_directories(site());
    fs::copy(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "images", site() / "images", fs::copy_options::recursive);
    const auto base = status_of_package("base-files", "12.99+deb12u99");
    trouble_ = put_image(
        "dns", base + status_of_package("patchlab-first", "1") + status_of_package("patchlab-second", "1") + older);
    if (trouble_.empty()) trouble_ = put_image("mail", base);
    put_update("second", "CVE-2026-1001");
    put_update("first", "CVE-2026-1000");
    write("site/learnt/dns.json",
          R"({"checks": [{"id": "a", "kind": "dns.query", "with": {"name": "corp.example.", "type": "SOA"}}]})");
    const auto department = [](const char* machine, const char* address) {
      return Json{{"network", {{"subnet", "10.20.0.0/24"}, {"gateway", "10.20.0.1"}, {"client", "10.20.0.250"}}},
                  {"machines", {{machine, {{"address", address}}}}}};
    };
    Json scenario{
        {"name", "nightly"},
        {"title", "Every night"},
        {"roles",
         {{"dns", {{"golden", {{"recipe", "images/dns"}}}, {"checks", "learnt/dns.json"}}},
          {"mail",
           {{"golden", {{"recipe", "images/mail"}}},
            {"checks", Json::array({{{"id", "relay"}, {"kind", "mail.relay-refused"}}})}}}}},
        {"departments", {{"finance", department("dns", "10.20.0.10")}, {"sales", department("mail", "10.20.0.14")}}},
        {"candidates", Json::array({{{"path", "updates/second"}}, {{"path", "updates/first"}}})}};
    write("site/nightly.jsonc", "// ours\n" + scenario.dump(2));
    write("table.csv", "row,In KEV,Outcome\n0,no,60 days\n1,yes,3 days\n");
    put_feeds("feeds", today());
  }
  ~Site() {
    ::unsetenv("PATCHLAB_CACHE");
    ::unsetenv("APT_CONFIG");
  }

  [[nodiscard]] const std::string& trouble() const { return trouble_; }  // empty: it is whole
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }
  [[nodiscard]] fs::path site() const { return path() / "site"; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path() / name).parent_path());
    (void)folder_.write(name, text);
  }
  void put_feeds(const std::string& below, const std::string& day) const {
    const auto write_to = [&](const std::string& name, const std::string& text) { write(below + "/" + name, text); };
    const std::string added = "2026-11-20";
    write_to("kev.json", tests::kev_json({{"CVE-2026-1000", std::min(added, day)}}, day).dump());
    write_to("epss_scores-" + day + ".csv.gz", tests::gzip(tests::epss_text({"CVE-2026-1000,0.15312,0.92011"}, day)));
    write_to("tracker.json", tests::tracker_json({{"bind9", "CVE-2026-1000", "1:9.18.2-1", "high"}}).dump());
    tests::set_day(path() / below / "tracker.json", day);
    for (const char* cve : {"CVE-2026-1000", "CVE-2026-1001"})
      write_to(fmt::format("{}.json", cve), tests::cve_record_json(cve, "yes", "total", {}, day).dump());
    write_to("known-bad.json", tests::known_bad_json("X-1", {{"sha256", std::string(64, 'b')}}).dump());
  }
  [[nodiscard]] ProcessOutcome ask(const Words& words, const fs::path& from = {}) const {
    return patchlab(words, from.empty() ? path() : from);
  }
  [[nodiscard]] ProcessOutcome plan(const Words& more, const std::string& feeds = "feeds") const {
    Words words{"plan", "site/nightly.jsonc", "--decisions", "table.csv", "--feeds", feeds};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  }

 private:
  // As a build of the recipe would leave it.
  [[nodiscard]] std::string put_image(const std::string& name, const std::string& status) const {
    namespace image = lab::image;
    image::BuildRequest request;
    request.recipes = site() / "images";
    request.names = {name};
    request.cache = path() / "cache";
    const auto current = image::current_images(host_processes(), request);
    if (!current) return current.error().message;
    image::GoldenImage made;
    made.digest = current->at(0).digest;
    made.name = made.role = made.hostname = name;
    made.memory_mib = 256;
    made.address = "10.20.0.10";
    made.packages = lab::image::parse_dpkg_status(status);
    made.built = "2026-01-01T00:00:00.000Z";
    made.suite = "bookworm";
    const auto at = image::images_folder(request.cache) / made.digest;
    fs::create_directories(at);
    for (const char* file : {"disk.qcow2", "dpkg-status", "initrd", "kernel"}) {
      const auto text = std::string(file) == "dpkg-status" ? status : file;
      made.sha256[file] = sha256(text);
      if (!write_file_atomically(at / file, text, 0444)) return "an image cannot be written";
    }
    return write_file_atomically(at / "image.json", pretty(Json(made)), 0444) ? "" : "an image cannot be written";
  }

  void put_update(const std::string& name, const std::string& cve) const {
    const auto package = "patchlab-" + name;
    write(fmt::format("site/updates/{0}/{0}.deb", name), package_that_closes(cve, package, "2", package).bytes());
    write(fmt::format("site/updates/{}/candidate.json", name), Json{{"id", name}, {"title", name}}.dump());
  }

  // All that apt knows: neither a network nor the lists of this host count.
  void put_apt_source(std::vector<patches::testing::PackageBuilder> packages) const {
    packages.push_back(package_that_closes("CVE-2026-9999", "patchlab-on-no-machine", "1", "patchlab-on-no-machine"));
    std::string index;
    for (const auto& package : packages) {
      const auto bytes = package.bytes();
      write(fmt::format("apt/source/pool/{}.deb", package.package), bytes);
      index += fmt::format("{}Filename: pool/{}.deb\nSize: {}\nSHA256: {}\n\n", package.control_text(), package.package,
                           bytes.size(), sha256(bytes));
    }
    write("apt/source/dists/bookworm/main/binary-amd64/Packages", index);
    write("apt/source/dists/bookworm/Release",
          fmt::format("Origin: Debian\nLabel: Debian\nSuite: stable\nVersion: 12\nCodename: bookworm\n"
                      "Date: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: amd64\nComponents: main\n"
                      "SHA256:\n {} {} main/binary-amd64/Packages\n",
                      sha256(index), index.size()));
    const auto apt = (path() / "apt").string();
    write("apt/etc/sources.list", fmt::format("deb [trusted=yes arch=amd64] file:{}/source bookworm main\n", apt));
    write("apt/apt.conf", fmt::format("Dir::Etc \"{0}/etc\";\nDir::State::lists \"{0}/lists\";\nDir::Cache "
                                      "\"{0}/cache\";\nAPT::Sandbox::User \"root\";\n",
                                      apt));
    fs::create_directories(path() / "apt" / "lists" / "partial");
    ::setenv("APT_CONFIG", (apt + "/apt.conf").c_str(), 1);
    ProcessSpec update;
    update.program = "apt-get";
    update.arguments = {"update"};
    update.time_limit = std::chrono::minutes(1);
    (void)host_processes().run(update);  // what came of it is seen by who asks for the images
  }

  const TemporaryFolder folder_;
  std::string trouble_;
};

class PlanTonight : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { site_ = std::make_unique<Site>(); }
  static void TearDownTestSuite() { site_.reset(); }
  void SetUp() override {
    if (patchlab::testing::is_missing("apt-get")) GTEST_SKIP() << "apt-get is not installed";
    ASSERT_EQ(site_->trouble(), "");
  }
  static Json read(const std::string& name) { return read_json_file(site_->path() / name).value(); }
  static Json answer(const ProcessOutcome& outcome, const std::string& of = "tonight") {
    const auto json = Json::parse(outcome.output, nullptr, false);
    for (const auto& file : cli::schema_files()) {
      if (file.name != of) continue;
      const auto schema = Json::parse(file.text);
      EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty()) << outcome.output;
    }
    return json;
  }
  static std::vector<std::string> ids(const Json& list) {
    std::vector<std::string> found;
    for (const auto& one : list) found.push_back(one.at("id"));
    return found;
  }
  static bool is_there(const std::string& name) { return patchlab::is_there(site_->path() / name); }

  static std::unique_ptr<Site> site_;
};
std::unique_ptr<Site> PlanTonight::site_;

TEST_F(PlanTonight, WritesAScenarioOfWhatIsDueMostUrgentFirstThatRunTakes) {
  fs::create_directories(site_->path() / "elsewhere" / "deep");
  const auto planned = site_->plan({"-o", "elsewhere/deep/tonight.json"});
  ASSERT_EQ(exit_code(planned), 0) << planned.output << planned.errors;
  EXPECT_THAT(planned.output, AllOf(HasSubstr("2 candidates for 1 department\n"),
                                    HasSubstr("patchlab run elsewhere/deep/tonight.json\n"),
                                    HasSubstr("CVE-2026-1000, exploited since 2026-11-20, EPSS 15.3 % (92nd)")));
  const auto written = read("elsewhere/deep/tonight.json");
  EXPECT_EQ(written.at("name"), "nightly");
  EXPECT_THAT(written.at("departments"), SizeIs(1)) << "the mail server lacks nothing";
  EXPECT_TRUE(written.at("departments").contains("finance"));
  EXPECT_EQ(written.at("candidates"), Json::parse(R"([{"path": "updates/first"}, {"path": "updates/second"}])"))
      << "the exploited one first, however the scenario has them";
  const auto& origin = written.at("planned");
  EXPECT_EQ(origin.at("template").at("digest"), sha256(read_file(site_->site() / "nightly.jsonc").value()));
  EXPECT_EQ(origin.at("scan").at("whole"), true);
  EXPECT_THAT(origin.at("feeds"), SizeIs(7)) << "of each kind, that there is none as well";
  EXPECT_EQ(origin.at("feeds")[0].at("age_days"), 0);
  EXPECT_GT(origin.at("foreseen").at("makespan_ms"), 0);
  ASSERT_THAT(origin.at("closes"), SizeIs(2));
  EXPECT_EQ(origin.at("closes")[0].at("machine"), "dns");
  EXPECT_EQ(origin.at("closes")[0].at("vulnerabilities"), Json::array({"CVE-2026-1000"}));
  EXPECT_THAT(origin.at("closes")[0].at("needs"), SizeIs(1)) << "the package that is older there";
  const Json schema = Json::parse(site_->ask({"schema", "scenario"}).output);
  EXPECT_THAT(tests::SchemaValidator(schema).problems(written), IsEmpty());

  // Its paths are found from wherever the file and the reader are.
  for (const auto& [file, from] : {std::pair(site_->path() / "elsewhere/deep/tonight.json", site_->path()),
                                   {fs::path("tonight.json"), site_->path() / "elsewhere/deep"}}) {
    const auto dry = site_->ask({"run", file.string(), "--dry-run", "--json"}, from);
    ASSERT_EQ(exit_code(dry), 0) << dry.errors;
    const auto plan = Json::parse(dry.output);
    EXPECT_EQ(plan.at("foreseen").at("makespan_ms"), origin.at("foreseen").at("makespan_ms"))
        << "the plan foresees the very run";
  }
  EXPECT_EQ(exit_code(site_->ask({"validate", "elsewhere/deep/tonight.json"})), 0);
}

TEST_F(PlanTonight, TakesWhatIsAskedForAndSaysThatNothingIsDue) {
  const auto urgent = site_->plan({"--due", "3-days", "--json"});
  ASSERT_EQ(exit_code(urgent), 0) << urgent.output << urgent.errors;
  const auto json = answer(urgent);
  EXPECT_THAT(ids(json.at("candidates")), ElementsAre("first"));
  EXPECT_EQ(json.at("written"), nullptr) << "without -o it is only said";

  ASSERT_EQ(exit_code(site_->plan({"-o", "tonight.json"})), 0);
  const auto none = site_->plan({"--due", "none", "-o", "tonight.json"});
  EXPECT_EQ(exit_code(none), 4) << none.output << none.errors;
  EXPECT_THAT(none.output, ContainsRegex("^decided by 'table.csv', sha256 [^\n]*\nnothing is due: no scenario\n$"));
  EXPECT_FALSE(is_there("tonight.json")) << "nobody takes last night's for this one";
  const auto misspelt = site_->plan({"--due", "3-dayss"});
  EXPECT_EQ(exit_code(misspelt), 64);
  EXPECT_THAT(misspelt.errors, HasSubstr("did you mean 3-days?"));
}

TEST_F(PlanTonight, NeverTakesWhatIsUnknownForNothing) {
  site_->put_feeds("old", "2026-01-05");
  const auto old = site_->plan({"--due", "none", "-o", "unknown.json", "--json"}, "old");
  EXPECT_EQ(exit_code(old), 3) << old.output << old.errors;
  const auto json = answer(old);
  EXPECT_THAT(json.at("candidates"), IsEmpty());
  EXPECT_THAT(json.at("not_known").dump(), HasSubstr("kev"));
  EXPECT_FALSE(is_there("unknown.json"));
  EXPECT_THAT(site_->plan({"--due", "none"}, "old").output,
              HasSubstr("nothing is known to be due, and not everything is known: no scenario\n"));

  // What may be due counts as due, and the run will say what was not known.
  const auto all = site_->plan({"-o", "worst.json"}, "old");
  EXPECT_EQ(exit_code(all), 3) << all.output << all.errors;
  const auto said = read("worst.json").at("planned").at("not_tested").dump();
  EXPECT_THAT(said, HasSubstr("when this was planned, it was unknown: "));
  const auto dry = site_->ask({"run", "worst.json", "--dry-run"});
  EXPECT_THAT(dry.output, HasSubstr("when this was planned, it was unknown: ")) << dry.errors;

  site_->write("broken/kev.json", "{");
  EXPECT_EQ(exit_code(site_->plan({"-o", "unknown.json"}, "broken")), 65);
}

TEST_F(PlanTonight, LeavesOutOpenlyWhatDoesNotFit) {
  const auto whole = site_->plan({"--due", "3-days,60-days", "--json"});
  const auto all_ms = answer(whole).at("foreseen").at("makespan_ms").get<double>();
  const auto first = site_->plan({"--due", "3-days", "--json"});
  const auto first_ms = answer(first).at("foreseen").at("makespan_ms").get<double>();
  ASSERT_LT(first_ms, all_ms);
  const auto hours = fmt::format("{:.6f}", (first_ms + all_ms) / 2 / 3'600'000);
  const auto planned = site_->plan({"--hours", hours, "-o", "short.json", "--json"});
  EXPECT_EQ(exit_code(planned), 5) << planned.output << planned.errors;
  const auto json = answer(planned);
  EXPECT_THAT(ids(json.at("candidates")), ElementsAre("first"));
  ASSERT_THAT(ids(json.at("left_out")), ElementsAre("second"));
  EXPECT_EQ(json.at("left_out")[0].at("because"), "does-not-fit");
  EXPECT_EQ(json.at("left_out")[0].at("foreseen_ms"), all_ms);
  EXPECT_EQ(json.at("foreseen").at("makespan_ms"), first_ms);
  const auto dry = site_->ask({"run", "short.json", "--dry-run"});
  EXPECT_THAT(dry.output,
              HasSubstr("candidate 'second' is due and was not planned: does not fit: with it the run takes"))
      << dry.errors;
  EXPECT_EQ(exit_code(site_->plan({"--hours", "0.01", "-o", "none.json"})), 5);
  EXPECT_FALSE(is_there("none.json"));
  EXPECT_EQ(exit_code(site_->plan({"--by", "25:00"})), 64);
  EXPECT_EQ(exit_code(site_->plan({"--by", "6"})), 64);
}

TEST_F(PlanTonight, GoesByAScanThatWasMadeBefore) {
  ASSERT_EQ(exit_code(site_->ask({"scan", "site/nightly.jsonc", "--decisions", "table.csv", "-o", "scan.json"})), 0);
  // No feed is asked then.
  const auto planned = site_->plan({"--scan", "scan.json", "-o", "by-scan.json"}, "nowhere");
  ASSERT_EQ(exit_code(planned), 0) << planned.output << planned.errors;
  EXPECT_EQ(read("by-scan.json").at("planned").at("scan").at("digest"),
            sha256(read_file(site_->path() / "scan.json").value()));

  auto scan = read("scan.json");
  const auto with = [&](const char* key, const Json& value) {
    auto changed = scan;
    changed[Json::json_pointer(key)] = value;
    site_->write("changed.json", pretty(changed));
    return site_->plan({"--scan", "changed.json", "-o", "changed-plan.json"});
  };
  const auto other = with("/scenario/digest", std::string(64, 'c'));
  EXPECT_EQ(exit_code(other), 65);
  EXPECT_THAT(other.errors, HasSubstr("as it was before it was changed"));
  EXPECT_EQ(exit_code(with("/decisions/digest", std::string(64, 'c'))), 65);
  EXPECT_EQ(exit_code(with("/today", "2099-01-01")), 65);
  EXPECT_FALSE(is_there("changed-plan.json"));
  const auto old = with("/today", "2026-01-01");
  EXPECT_EQ(exit_code(old), 3) << old.output << old.errors;
  EXPECT_THAT(old.output, HasSubstr("unknown: what was published since the scan: it is "));
  ASSERT_EQ(exit_code(site_->ask({"scan", "site/nightly.jsonc", "--decisions", "table.csv", "--department", "sales",
                                  "-o", "of-sales.json"})),
            0);
  const auto part = site_->plan({"--scan", "of-sales.json", "-o", "of-sales-plan.json"});
  EXPECT_EQ(exit_code(part), 3) << part.output << part.errors;
  EXPECT_THAT(part.output, HasSubstr("unknown: finance/dns: the scan did not look at it\n"));
  EXPECT_EQ(exit_code(site_->plan({"--scan", "of-sales.json", "--department", "sales"})), 4)
      << "nobody asked of finance";
  const auto gone = with("/rows/0/item", "apt-gone-1");
  EXPECT_EQ(exit_code(gone), 3) << gone.output << gone.errors;
  EXPECT_THAT(gone.output, HasSubstr("left out: apt-gone-1: the apt sources and the scenario do not offer it any more; "
                                     "scan again\n"));
  auto bad = with("/rows/0/status", "known-bad");
  EXPECT_EQ(exit_code(bad), 5) << bad.output << bad.errors;
  EXPECT_THAT(bad.output, HasSubstr("left out: first: "));
}

// A run of this day that tried one older version of the package on the name server.
reports::RunRecord run_of_day(int day, Outcome outcome) {
  tests::SampleRun run;
  const auto id = fmt::format("first-0.{}", day);
  run.add_candidate(id, "first", "low", "file", {"dns"});
  run.start_department("finance", 0, {"dns"});
  const auto trial = run.trial(reports::Purpose::batch, {id});
  run.verdict(id, outcome, "as it was").trials = {trial};
  run.end_department(trial);
  auto record = run.finish();
  record.candidates[0].files[0].name = fmt::format("patchlab-first_0.{}_amd64.deb", day);
  record.id = fmt::format("day-{}", day);
  record.started = fmt::format("2026-10-{:02}T02:00:00.000Z", day);
  record.finished = fmt::format("2026-10-{:02}T03:00:00.000Z", day);
  return record;
}

TEST_F(PlanTonight, SaysWhatHistoryLetsOneExpectAndDecidesNothingByIt) {
  for (int day = 1; day <= 5; ++day) {
    fs::create_directories(site_->path() / "past" / fmt::format("day-{}", day));
    ASSERT_TRUE(reports::write_run_record(run_of_day(day, day < 4 ? Outcome::pass : Outcome::fail),
                                          site_->path() / "past" / fmt::format("day-{}", day) / "run.json"));
  }
  const auto planned = site_->plan({"--runs", "past", "-o", "tonight.json"});
  ASSERT_EQ(exit_code(planned), 0) << planned.output << planned.errors;
  EXPECT_THAT(
      planned.output,
      AllOf(HasSubstr("forecast of first, from history; it decides nothing:\n  2 of 5 patches of the same "
                      "product (deb from file) for dns broke something here; with 95 % confidence at most 81 % "
                      "of such do\n  on a machine 24.1 s with 1 restart (24.1 s to 24.1 s, 5 times on tcg)\n  "
                      "drawn from 5 runs: day-5, day-4, day-3 and 2 before\n  such forecasts so far: 4 of 4 times "
                      "were within the range; Brier score "),
            HasSubstr("forecast of second, from history; it decides nothing:\n  2 of 5 patches of the same "
                      "kind (deb from file) for dns broke")));

  // Whatever it says, or when nobody can ask it: the same plan, in the same order, with the same end.
  struct Said {
    int code = -1;
    Json json, written;
  };
  const auto ask = [&](const Words& more) {
    Words words{"--json", "-o", "tonight.json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto outcome = site_->plan(words);
    Said said{exit_code(outcome), answer(outcome), read("tonight.json")};
    said.json.at("origin").erase("at");
    said.written.at("planned").erase("at");
    return said;
  };
  auto with = ask({"--runs", "past"});
  site_->write("letter.db", "a letter\n");
  auto without = ask({"--runs", "past", "--history", "sqlite3://letter.db"});
  EXPECT_EQ(with.code, 0);
  EXPECT_EQ(with.json.at("no_forecasts"), "");
  EXPECT_THAT(without.json.at("no_forecasts").get<std::string>(), HasSubstr("is no history index"));
  for (auto& candidate : with.json.at("candidates")) {
    EXPECT_EQ(candidate.at("forecast").at("patches"), 5);
    EXPECT_THAT(candidate.at("forecast").at("runs"), SizeIs(5));
    EXPECT_EQ(candidate.at("forecast").at("so_far").at("patches"), 4);
    candidate.at("forecast") = nullptr;
  }
  without.json.at("no_forecasts") = "";
  EXPECT_EQ(with.code, without.code);
  EXPECT_EQ(with.json, without.json);
  EXPECT_EQ(with.written, without.written);

  const auto no_runs = ask({"--runs", "nowhere"});
  EXPECT_EQ(no_runs.code, 0);
  EXPECT_EQ(ids(no_runs.json.at("candidates")), ids(with.json.at("candidates")));
  EXPECT_EQ(no_runs.written.at("candidates"), with.written.at("candidates"));
  EXPECT_THAT(site_->plan({"--runs", "nowhere"}).output,
              HasSubstr("no forecast of any candidate: there is no folder of runs '"));
}

// The table that the policy of the stage names decides, by its bytes, wherever it came from; nothing else does then.
TEST_F(PlanTonight, GoesByTheTableThatThePolicyNames) {
  const std::string table = "row,Importance,Outcome\n0,low,60 days\n1,medium,14 days\n2,high,3 days\n";
  auto policy = one_person();
  policy["decisions"] = {{"file", "ours.csv"}, {"sha256", sha256(table)}};
  site_->write("desk/policy.json", policy.dump());
  site_->write("desk/ours.csv", "row,Outcome\n");
  const auto check = [&] { return site_->ask({"policy", "check", "desk/policy.json"}); };
  EXPECT_EQ(exit_code(check()), 65) << check().output;
  fs::remove(site_->path() / "desk/ours.csv");
  EXPECT_THAT(check().output,
              HasSubstr("warning: the decision table 'ours.csv' is not beside it, and was not looked at\n"));
  site_->write("desk/ours.csv", table);
  const People people(site_->path() / "desk", policy);
  fs::remove(site_->path() / "desk/ours.csv");  // the ledger has it

  auto scenario = json_in(without_comments(read_file(site_->site() / "nightly.jsonc").value()));
  scenario["stage"] = "desk/production";
  scenario["departments"]["finance"]["importance"] = "low";
  scenario["roles"]["dns"]["importance"] = "medium";
  site_->write("site/governed.json", scenario.dump());
  const auto scan = [&](const Words& more) {
    Words words{"scan", "site/governed.json", "--feeds", "feeds"};
    words.insert(words.end(), more.begin(), more.end());
    return site_->ask(words);
  };
  const auto origin = fmt::format("decided by 'ours.csv', sha256 {}: policy 'production' names it\n", sha256(table));
  const auto text = scan({});
  EXPECT_EQ(exit_code(text), 0) << text.output << text.errors;
  EXPECT_THAT(text.output, AllOf(HasSubstr("row 1: importance medium: 14 days"), HasSubstr(origin)));
  EXPECT_EQ(answer(scan({"--json"}), "scan").at("decisions").at("policy"), "production");
  const auto planned = site_->ask({"plan", "site/governed.json", "--feeds", "feeds", "-o", "governed-plan.json"});
  EXPECT_EQ(exit_code(planned), 0) << planned.output << planned.errors;
  EXPECT_THAT(planned.output, HasSubstr(origin));
  EXPECT_EQ(read("governed-plan.json").at("planned").at("scan").at("decisions").at("digest"), sha256(table));
  // The same bytes may be named; others may not.
  site_->write("same.csv", table);
  EXPECT_THAT(scan({"--decisions", "same.csv"}).output, HasSubstr(origin));
  const auto other = scan({"--decisions", "table.csv"});
  EXPECT_EQ(exit_code(other), 65);
  EXPECT_THAT(other.errors, HasSubstr("names the decision table 'ours.csv', sha256 "));
  // What nobody has any more decides nothing, and a policy that nobody can read is not one that names none.
  fs::remove(site_->path() / "desk/production/.ledger/objects" / sha256(table));
  const auto gone = scan({});
  EXPECT_EQ(exit_code(gone), 65) << gone.output;
  EXPECT_THAT(gone.errors, HasSubstr("the ledger does not have it"));
  site_->write("desk/production/.ledger/policy/1.json", "{}");
  const auto broken = scan({});
  EXPECT_EQ(exit_code(broken), 3) << broken.output << broken.errors;
  EXPECT_THAT(broken.output, AllOf(HasSubstr("unknown: which decision table the policy of stage '"),
                                   HasSubstr("'cisa-bod-26-04.csv', sha256 ")));
}

// What is in the way of one department is in nobody else's; here nothing was promoted in any.
TEST_F(PlanTonight, LeavesRefreshingOfSeveralDepartmentsToOneCommand) {
  const auto refresh = [&](const Words& more) {
    Words words{"image", "refresh", "site/nightly.jsonc", "--department", "finance", "--department", "sales"};
    words.insert(words.end(), more.begin(), more.end());
    return site_->ask(words);
  };
  const auto both = refresh({});
  EXPECT_EQ(exit_code(both), 65) << both.output;
  EXPECT_THAT(both.output, AllOf(HasSubstr("finance:\n"), HasSubstr("sales:\n")));
  EXPECT_THAT(both.errors, ContainsRegex("production'[^$]*production'"));
  EXPECT_EQ(exit_code(refresh({"--json"})), 64);
  EXPECT_EQ(exit_code(refresh({"--machine", "dns"})), 64);
}

TEST_F(PlanTonight, OfOneThatCannotWaitIsAWholeScenario) {
  const auto planned = site_->plan({"--emergency", "second", "-o", "urgent.json", "--json"});
  ASSERT_EQ(exit_code(planned), 0) << planned.output << planned.errors;
  const auto json = answer(planned);
  EXPECT_THAT(ids(json.at("candidates")), ElementsAre("second"));
  EXPECT_EQ(json.at("origin").at("emergency"), "second");
  const auto dry = site_->ask({"run", "urgent.json", "--dry-run"});
  EXPECT_EQ(exit_code(dry), 0) << dry.errors;
  EXPECT_THAT(dry.output, Not(HasSubstr("left out"))) << "it is not narrowed: the policy asks what it always asks";

  // Bytes that nobody listed anywhere.
  fs::create_directories(site_->path() / "brought");
  fs::copy(site_->site() / "updates" / "first", site_->path() / "brought", fs::copy_options::recursive);
  site_->write("brought/candidate.json", R"({"id": "hotfix", "title": "since noon"})");
  const auto brought = site_->plan({"--emergency", "brought", "-o", "elsewhere-urgent.json"});
  ASSERT_EQ(exit_code(brought), 0) << brought.output << brought.errors;
  EXPECT_EQ(read("elsewhere-urgent.json").at("candidates")[0].at("path"), (site_->path() / "brought").string());
  EXPECT_EQ(exit_code(site_->ask({"run", "elsewhere-urgent.json", "--dry-run"})), 0);

  const auto unknown = site_->plan({"--emergency", "secnd"});
  EXPECT_EQ(exit_code(unknown), 64);
  EXPECT_THAT(unknown.errors, HasSubstr("did you mean second?"));
  EXPECT_EQ(exit_code(site_->plan({"--emergency", "second", "--due", "3-days"})), 64);
  EXPECT_EQ(exit_code(site_->plan({"--emergency", "second", "--candidate", "second"})), 64);
}

TEST_F(PlanTonight, HasWhatAPersonBroughtOnceTheScenarioNamesIt) {
  fs::create_directories(site_->path() / "incoming");
  patches::testing::PackageBuilder builder;
  builder.package = "patchlab-first";
  builder.version = "3";
  const auto bytes = builder.bytes();
  site_->write("incoming/hotfix.deb", bytes);
  fs::last_write_time(site_->path() / "incoming/hotfix.deb", fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto wanted = [](const std::string& name, const std::string& digest) {
    return Json{{"schema", "patchlab/wanted/v1"},
                {"files", Json::array({{{"name", name}, {"sha256", digest}, {"item", "hotfix"}}})}}
        .dump();
  };
  site_->write("wanted.json", wanted("hotfix.deb", sha256(bytes)));
  const auto acquire = [](const std::string& scenario, const std::string& list) {
    return site_->ask(
        {"acquire", scenario, "--decisions", "table.csv", "--feeds", "feeds", "--wanted", list, "--drop", "incoming"});
  };
  const auto plan = [](const std::string& scenario) {
    return ids(answer(site_->ask({"plan", scenario, "--decisions", "table.csv", "--feeds", "feeds", "--scan",
                                  scenario + ".scan", "--json"}))
                   .at("candidates"));
  };
  const auto scan = [](const std::string& scenario) {
    return exit_code(
        site_->ask({"scan", scenario, "--decisions", "table.csv", "--feeds", "feeds", "-o", scenario + ".scan"}));
  };

  // Both times it is in the store, and nothing will come of it.
  const auto entry = fmt::format(R"({{"path": "{}", "sha256": "{}"}})",
                                 (site_->path() / "incoming" / "hotfix.deb").string(), sha256(bytes));
  for (const char* state : {"1 acquired", "0 acquired"}) {
    const auto brought = acquire("site/nightly.jsonc", "wanted.json");
    ASSERT_EQ(exit_code(brought), 0) << brought.output << brought.errors;
    EXPECT_THAT(brought.output, AllOf(HasSubstr(state), HasSubstr("'hotfix.deb' is no candidate of the scenario"),
                                      HasSubstr("\"candidates\" has " + entry)));
  }
  ASSERT_EQ(scan("site/nightly.jsonc"), 0);
  EXPECT_THAT(plan("site/nightly.jsonc"), ElementsAre("first", "second"));

  // The very line that it said.
  auto named = Json::parse(read_file(site_->site() / "nightly.jsonc").value(), nullptr, true, true);
  named["candidates"].push_back(Json::parse(entry));
  site_->write("site/named.jsonc", named.dump());
  EXPECT_THAT(acquire("site/named.jsonc", "wanted.json").output, Not(HasSubstr("no candidate of the scenario")));
  (void)scan("site/named.jsonc");
  EXPECT_THAT(plan("site/named.jsonc"), Contains("patchlab-first-3"));

  // Named before it was there: when that is asked nobody has read it, and it is a candidate all the same.
  builder.version = "4";
  site_->write("incoming/later.deb", builder.bytes());
  fs::last_write_time(site_->path() / "incoming/later.deb", fs::file_time_type::clock::now() - std::chrono::hours(1));
  site_->write("later.json", wanted("later.deb", sha256(builder.bytes())));
  named["candidates"].back() = {{"path", "../incoming"}};
  site_->write("site/folder.jsonc", named.dump());
  const auto unread = acquire("site/folder.jsonc", "later.json");
  EXPECT_THAT(unread.output, AllOf(HasSubstr("1 acquired"), Not(HasSubstr("no candidate of the scenario"))));
}

// One that is wrong stops none of the others.
TEST_F(PlanTonight, LeavesOutWhatCannotBeInASetAndPlansTheRest) {
  auto named = Json::parse(read_file(site_->site() / "nightly.jsonc").value(), nullptr, true, true);
  named["candidates"].insert(named["candidates"].begin(), Json{{"path", "updates/third"}});
  site_->write("site/third.jsonc", named.dump());
  site_->write("site/updates/third/third.deb",
               package_that_closes("CVE-2026-1001", "base-files", "13", "base-files").bytes());
  const auto plan = [](const Json& prerequisites) {
    site_->write("site/updates/third/candidate.json",
                 Json{{"id", "third"}, {"title", "third"}, {"prerequisites", prerequisites}}.dump());
    const auto planned = site_->ask({"plan", "site/third.jsonc", "--decisions", "table.csv", "--feeds", "feeds", "-o",
                                     "third-plan.json", "--json"});
    EXPECT_EQ(exit_code(planned), 3) << planned.output << planned.errors;
    const auto json = answer(planned);
    EXPECT_THAT(ids(json.at("candidates")), ElementsAre("first", "second"));
    EXPECT_THAT(ids(json.at("left_out")), ElementsAre("third"));
    EXPECT_EQ(json.at("left_out")[0].at("because"), "cannot-be-planned");
    return json.at("left_out")[0].at("why").get<std::string>();
  };
  const auto needs = plan({"nowhere"});
  EXPECT_THAT(needs, HasSubstr("candidate 'third' needs 'nowhere', which is not in the set"));
  const auto dry = site_->ask({"run", "third-plan.json", "--dry-run"});
  EXPECT_EQ(exit_code(dry), 0) << dry.errors;
  EXPECT_THAT(dry.output, HasSubstr("candidate 'third' is due and was not planned: " + needs));
}

TEST_F(PlanTonight, ReplacesNothingButAPlan) {
  site_->write("mine.json", "{}");
  site_->write("theirs.json", R"({"planned": {"template": {"digest": "none of ours"}}})");
  for (const char* other : {"mine.json", "theirs.json", "site/nightly.jsonc"}) {
    const auto before = read_file(site_->path() / other).value();
    const auto refused = site_->plan({"-o", other});
    EXPECT_EQ(exit_code(refused), 73) << other << refused.output;
    EXPECT_THAT(refused.errors, HasSubstr("is there, and no plan wrote it"));
    EXPECT_EQ(read_file(site_->path() / other).value(), before);
  }
  EXPECT_EQ(exit_code(site_->plan({"-o", "no/such/folder/tonight.json"})), 73);
  ASSERT_EQ(exit_code(site_->plan({"-o", "again.json"})), 0);
  EXPECT_EQ(exit_code(site_->plan({"-o", "again.json"})), 0);
  const auto from_plan = site_->ask({"plan", "again.json", "-o", "again.json"});
  EXPECT_EQ(exit_code(from_plan), 78);
  EXPECT_THAT(from_plan.errors, HasSubstr("nightly.jsonc' again"));
  EXPECT_TRUE(is_there("again.json"));

  // Of a scenario that cannot be read there is no plan for tonight, and yesterday's is none either.
  EXPECT_EQ(exit_code(site_->ask({"plan", "site/no-such.jsonc", "-o", "again.json"})), 78);
  EXPECT_FALSE(is_there("again.json"));
}

// Both are of one source, which is all that a scenario can ask apt for.
TEST(PlanFromApt, TakesNoSiblingAlongThatIsKnownToBeBad) {
  if (patchlab::testing::is_missing("apt-get")) GTEST_SKIP() << "apt-get is not installed";
  const auto good = package_that_closes("CVE-2026-1000", "patchlab-left", "2", "patchlab-pair");
  const auto bad = package_that_closes("CVE-2026-1001", "patchlab-right", "1.5", "patchlab-pair");
  const Site site({good, bad}, status_of_package("patchlab-left", "1") + status_of_package("patchlab-right", "1"));
  ASSERT_EQ(site.trouble(), "");
  site.write("feeds/known-bad.json", tests::known_bad_json("X-1", {{"sha256", sha256(bad.bytes())}}).dump());
  const auto planned = site.plan({"--due", "3-days", "-o", "tonight.json", "--json"});
  ASSERT_EQ(exit_code(planned), 0) << planned.output << planned.errors;
  const auto json = Json::parse(planned.output);
  const auto has = [](const Json& list, const std::string& id) {
    return std::ranges::any_of(list, [&](const auto& one) { return one.at("id") == id; });
  };
  EXPECT_TRUE(has(json.at("candidates"), "apt-patchlab-pair-2")) << planned.output;
  EXPECT_TRUE(has(json.at("held_back"), "apt-patchlab-pair-1.5")) << "it was not due, and is of that source";
  EXPECT_THAT(json.at("along"), Not(Contains("apt-patchlab-pair-1.5")));
  const auto dry = site.ask({"run", "tonight.json", "--dry-run", "--json"});
  ASSERT_EQ(exit_code(dry), 0) << dry.errors;
  const auto run = Json::parse(dry.output);
  EXPECT_TRUE(has(run.at("candidates"), "apt-patchlab-pair-2"));
  EXPECT_FALSE(has(run.at("candidates"), "apt-patchlab-pair-1.5"));
  EXPECT_THAT(run.dump(), HasSubstr("candidate 'apt-patchlab-pair-1.5' was not planned: it is known to be bad: "));

  // Other sources, in the same hour: their lists are not those of before.
  site.write("apt/etc/sources.list", "");
  const auto without =
      site.ask({"scan", "site/nightly.jsonc", "--decisions", "table.csv", "--feeds", "feeds", "--json"});
  EXPECT_THAT(without.output, Not(HasSubstr("apt-patchlab-pair-2"))) << without.errors;
}

}  // namespace
}  // namespace patchlab::e2e

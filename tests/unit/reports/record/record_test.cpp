// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/record.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <functional>

#include "lab/core/files.hpp"
#include "reports/record/facts.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json schema() { return read_json_file(PATCHLAB_SOURCE_DIR "/reports/record/run.schema.json").value(); }

RunRecord record_with_every_field() {
  auto record = tests::good_record();
  record.candidates[1].prerequisites = {record.candidates[0].id};
  record.candidates[1].source = "/srv/patches/tidy";
  record.asked = {{"finance"}, {"dns"}, {"tidy"}, 3};
  record.foreseen = {.makespan_ms = 429'000, .lower_bound_ms = 282'000, .times = 80, .recorded_times = 12};
  record.candidates[1].supersedes = {"postgresql-15.9"};
  record.candidates[1].files[0].signature = "not signed (allowed)";
  record.evidence = {{"events.jsonl", 9000, std::string(64, 'b')},
                     {"evidence/finance/t1/mail/dmesg", 7, std::string(64, 'a')}};
  record.error = Error{ErrorClass::timeout, "the mail machine was silent", "look at its console"};
  auto& department = record.departments[0];
  department.error = infrastructure_error("no space left");
  department.fence.troubles = {"no IPv6 in this kernel"};
  department.machines[0].likeness = lab::facts::Likeness{
      .production = "dns1.corp.example",
      .facts = std::string(64, 'f'),
      .observed = "2026-11-21T22:00:00Z",
      .parts = {{.part = lab::facts::Part::packages, .same = 300, .other = 1, .of_role = 1},
                {.part = lab::facts::Part::ports, .not_known = "golden machine: it was not started"}},
      .differences = {{lab::facts::Part::packages, "bind9:amd64", "1:9.18.33", "1:9.18.28", true}},
      .golden_configuration = std::string(64, 'c'),
      .production_configuration = std::string(64, 'd')};
  auto& trial = department.trials[2];
  trial.error = guest_error("silent");
  trial.reused_from = "finance/t1";
  trial.retried_as = "finance/t9";
  trial.reused_run = "20261101-010000-ab12";
  trial.state_of_run = "20261031-010000-cd34";
  department.flaky = {{FlakeKind::in_control, "dns/a-record", {"tidy"}, {"finance/t1"}, {"finance/t2"}}};
  trial.installs[0].end = "installed, reboot needed";
  trial.installs[0].installed_in = "finance/t02";
  trial.installs[0].installed_run = "20261031-010000-cd34";
  trial.installs[0].kept_files = {"/etc/a.conf.dpkg-dist"};
  trial.installs[0].brought = {{"bind9:amd64", "1", "2", "2"}, {"new", "", "1", ""}, {"not-seen", "1", "", {}}};
  department.verdicts[1].closes = {
      {"dns", {"CVE-2026-1000", ""}, {{"bind9:amd64", "2", "2"}, {"gone", "1", ""}, {"not-seen", "1", {}}}}};
  department.verdicts[1].effect = "In effect on dns: bind9:amd64 1 -> 2";
  trial.removals = trial.installs;
  department.verdicts[0].removal = "Was removed again, and every check passed";
  trial.phases[0].differences.push_back(
      {"file", "/etc/named.conf", "a", "b", checks::state::FindingClass::review, "no package brings it", "-a\n+b\n"});
  trial.phases[0].error = timeout_error("reboot");
  trial.phases[0].checks[0].error = Error{ErrorClass::check, "crashed", ""};
  trial.phases[0].checks[0].outcome = Outcome::error;
  trial.phases[0].checks[0].tries = {{Outcome::fail, Milliseconds(20), "no-answer", "nothing", Json{{"reply", ""}}},
                                     {Outcome::error, Milliseconds(30), "worker-crashed", "crashed", Json()},
                                     {Outcome::pass, Milliseconds(10), "", "", Json()}};
  trial.phases[0].checks[0].slowness =
      checks::Slowness{.judged = false, .quickest = Milliseconds(300), .limit = Milliseconds(250), .why_not = "busy"};
  trial.phases[0].beside = {{.id = "plugins/check-dns", .kind = "command", .outcome = Outcome::fail}};
  trial.phases[0].fails_without_patch = {{"deliver", "tls: certificate has expired"}};
  trial.phases[0].service_cycles = ServiceCycles{
      .planned = 3,
      .services = {{.name = "NTDS", .done = 2, .stop_ms = {700, 800, 650}, .start_ms = {900, 20}, .with = {"Kdc"}},
                   {.name = "WDSServer", .why_not = "there is no such service"}},
      .asked = 12,
      .failed = 5};
  trial.phases[0].next_package = NextPackage{.install = trial.installs[0]};
  trial.phases[1].next_package = NextPackage{.install = {}, .why_not = "none is to be had"};
  auto& growth = trial.phases[0].growth.emplace();
  growth.why_not = "nobody knows";
  growth.failed = 1;
  growth.flaky = 2;
  growth.told = {{.used = {Resource::open_files, "smbd"},
                  .per_hour = 3600,
                  .without = -60,
                  .told_from = 900,
                  .from = 40,
                  .to = 60,
                  .told = true,
                  .minutes_left = 25}};
  return record;
}

TEST(RunRecord, SurvivesWritingAndReading) {
  const Json written = record_with_every_field();
  const auto read = run_record_from_json(written);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(Json(*read), written);
}

TEST(RunRecord, IsEqualTextForEqualFacts) {
  const auto text = pretty(tests::rich_record());
  EXPECT_EQ(text, pretty(tests::rich_record()));
  EXPECT_EQ(text, pretty(Json(run_record_from_json(Json::parse(text)).value())));
}

TEST(RunRecord, FitsItsSchema) {
  const auto rules = schema();
  EXPECT_THAT(tests::SchemaValidator(rules).problems(record_with_every_field()), IsEmpty());
  EXPECT_THAT(tests::SchemaValidator(rules).problems(tests::good_record()), IsEmpty());
}

TEST(RunRecord, SchemaAndReaderRefuseTheSameSpoiledRecords) {
  const auto rules = schema();
  const Json good = record_with_every_field();
  const auto flat = good.flatten();
  std::size_t spoiled = 0;
  for (const auto& [pointer, value] : flat.items()) {
    const Json::json_pointer at(pointer);
    if (pointer.find("/evidence/") != std::string::npos && !pointer.starts_with("/evidence/"))
      continue;                        // any JSON is evidence
    if (spoiled++ % 7 != 0) continue;  // every 7th value: all kinds of fields, quick
    auto wrong_type = good;
    wrong_type[at] = Json::array({1});
    EXPECT_FALSE(tests::SchemaValidator(rules).problems(wrong_type).empty()) << pointer;
    EXPECT_FALSE(run_record_from_json(wrong_type)) << pointer;
    auto unknown_key = good;
    auto parent = at.parent_pointer();
    if (!unknown_key[parent].is_object() || parent.to_string() == "/host" || parent.to_string() == "/digests") continue;
    unknown_key[parent]["surprise"] = 1;
    EXPECT_FALSE(tests::SchemaValidator(rules).problems(unknown_key).empty()) << pointer;
    EXPECT_FALSE(run_record_from_json(unknown_key)) << pointer;
  }
  EXPECT_GT(spoiled, 500U);
}

// What it says is only told, whatever it says; and a run that was not asked tells nothing.
TEST(RunRecord, TellsTheLikenessOfEachMachineAndHoldsItAgainstNobody) {
  auto record = tests::good_record();
  const auto of_likeness = [&] {
    auto facts = facts_of_run(record);
    std::erase_if(facts, [](const RunFact& fact) { return fact.kind != FactKind::likeness; });
    return facts;
  };
  EXPECT_THAT(of_likeness(), IsEmpty());
  record.departments[0].machines[0].likeness = *record_with_every_field().departments[0].machines[0].likeness;
  const auto facts = of_likeness();
  ASSERT_EQ(facts.size(), 1U);
  EXPECT_EQ(name_of(facts[0]), "finance likeness dns");
  EXPECT_EQ(facts[0].code, "unknown");
  EXPECT_FALSE(facts[0].stands_against());
  EXPECT_THAT(
      facts[0].sentence,
      HasSubstr(
          "not like 'dns1.corp.example' as of 2026-11-21T22:00:00Z: 1 package; not known: ports (golden machine: "));
  EXPECT_THAT(facts[0].detail, HasSubstr("packages bind9:amd64: golden 1:9.18.33, production 1:9.18.28"));
}

// A record of before they were written is read, and knows nothing of them; a wrong one is refused.
TEST(RunRecord, HasADigestForWhatWasPlannedAndForNothingElse) {
  const auto with = [](const std::function<void(Json&)>& change) {
    Json json = tests::good_record();
    change(json["departments"][0]["machines"][0]);
    return run_record_from_json(json);
  };
  const auto old = with([](Json& machine) {
    machine.erase("check_digests");
    machine.erase("state_digest");
  });
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_THAT(old->departments[0].machines[0].check_digests, IsEmpty());
  EXPECT_THAT(old->departments[0].machines[0].state_digest, IsEmpty());
  EXPECT_THAT(old->departments[0].machines[1].check_digests, testing::Not(IsEmpty()));
  EXPECT_TRUE(with([](Json& machine) { machine["check_digests"].erase("a-record"); })) << "that one is not known";
  const auto unplanned = with([](Json& machine) { machine["check_digests"]["zone"] = sha256("zone"); });
  ASSERT_FALSE(unplanned);
  EXPECT_THAT(unplanned.error().message,
              HasSubstr("/departments/0/machines/0/check_digests/zone: no check 'zone' was planned"));
  for (const auto& wrong : {Json("4d2c"), Json(""), Json(sha256("x") + "0"), Json(1), Json(nullptr)}) {
    const auto spoiled = [&](Json& machine) { machine["check_digests"]["a-record"] = wrong; };
    EXPECT_FALSE(with(spoiled)) << wrong;
    Json json = tests::good_record();
    spoiled(json["departments"][0]["machines"][0]);
    EXPECT_FALSE(tests::SchemaValidator(schema()).problems(json).empty()) << wrong;
  }
  EXPECT_FALSE(with([](Json& machine) { machine["state_digest"] = "4d2c"; }));
  EXPECT_FALSE(with([](Json& machine) { machine["check_digests"] = Json::array(); }));
}

TEST(RunRecord, NamesEachKeptFileOnceByASayableName) {
  const Json good = record_with_every_field();
  const auto refused = [&](const std::function<void(Json&)>& spoil) {
    auto json = good;
    spoil(json["evidence"]);
    const auto read = run_record_from_json(json);
    return read ? std::string("not refused") : read.error().message;
  };
  EXPECT_THAT(refused([](Json& files) { files.push_back(files[1]); }), HasSubstr("/evidence: must be sorted"));
  EXPECT_THAT(refused([](Json& files) { std::swap(files[0], files[1]); }), HasSubstr("/evidence: must be sorted"));
  EXPECT_THAT(refused([](Json& files) { files[0]["name"] = "../other/run.json"; }), HasSubstr("/evidence/0/name"));
  EXPECT_THAT(refused([](Json& files) { files[0]["sha256"] = std::string(64, 'A'); }), HasSubstr("is no SHA-256"));
  EXPECT_THAT(refused([](Json& files) { files[0].erase("bytes"); }), HasSubstr("/evidence/0: 'bytes' is required"));
  // Nothing is said, and an empty list: nobody digested them, and there were none.
  auto silent = good;
  silent.erase("evidence");
  EXPECT_EQ(run_record_from_json(silent).value().evidence, std::nullopt);
  silent["evidence"] = Json::array();
  EXPECT_EQ(run_record_from_json(silent).value().evidence, std::vector<KeptFile>());
}

TEST(RunRecord, SchemaAndReaderKnowTheSameDecidingWords) {
  const auto rules = schema();
  const auto& purposes = rules["$defs"]["trial"]["properties"]["purpose"]["enum"];
  for (const auto& word : purposes) EXPECT_TRUE(purpose_from(word)) << word;
  for (const auto& word : rules["$defs"]["flaky"]["properties"]["kind"]["enum"]) EXPECT_TRUE(flake_kind_from(word));
  // Every word that is written is in the schema.
  for (int i = 0; i <= static_cast<int>(Purpose::removal); ++i)
    EXPECT_THAT(purposes, testing::Contains(Json(static_cast<Purpose>(i))));
  auto record = Json(tests::good_record());
  record["departments"][0]["trials"][0]["purpose"] = "a word of the future";
  const auto read = run_record_from_json(record);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("/departments/0/trials/0/purpose: 'a word of the future' is not a"));
}

TEST(RunRecord, TakesEachDifferenceForABreachThatHasNoClass) {
  using checks::state::FindingClass;
  auto record = tests::good_record();
  auto& differences = record.departments[0].trials[0].phases[0].differences;
  for (const auto finding : {FindingClass::breach, FindingClass::review, FindingClass::notice})
    differences.push_back({"file", "/etc/named.conf", "a", "b", finding});
  auto json = Json(record);
  EXPECT_EQ(run_record_from_json(json).value().departments[0].trials[0].phases[0].differences, differences);
  auto& written = json["departments"][0]["trials"][0]["phases"][0]["differences"];
  for (auto& one : written) one.erase("finding");
  const auto older = run_record_from_json(json).value();
  EXPECT_THAT(older.departments[0].trials[0].phases[0].differences,
              testing::Each(testing::Field(&StateDifference::finding, FindingClass::breach)));
  written[1]["finding"] = "harmless";
  const auto refused = run_record_from_json(json);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("/differences/1/finding: 'harmless' is not a"));
}

TEST(RunRecord, NamesFileAndPointerOfEveryProblem) {
  Json json = tests::good_record();
  json["departments"][0]["trials"][1]["outcome"] = "green";
  json["candidates"][1]["files"][0].erase("sha256");
  const auto read = run_record_from_json(json, "runs/7/run.json");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(read.error().message,
            "runs/7/run.json: /candidates/1/files/0: 'sha256' is required (text)\n"
            "runs/7/run.json: /departments/0/trials/1/outcome: 'green' is not an outcome; allowed: pass, fail, error, "
            "skipped, not-reached");
}

// A run that was not asked for rightly has not begun: what was typed wrongly is no word of a record.
TEST(RunRecord, KnowsNoErrorOfUsage) {
  auto record = tests::good_record();
  record.error = usage_error("--role 'x' is not there");
  Json json = record;
  EXPECT_EQ(json["error"]["class"], "bug") << "a mistake of ours, and shown as one";
  EXPECT_TRUE(run_record_from_json(json));
  json["error"]["class"] = "usage";
  const auto read = run_record_from_json(json);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("/error/class: 'usage' is not a class of errors"));
}

TEST(RunRecord, RefusesAnotherSchema) {
  Json json = tests::good_record();
  json["schema"] = "patchlab/run/v3";
  EXPECT_EQ(run_record_from_json(json).error().message,
            R"(run.json: /schema: must be "patchlab/run/v2", found "patchlab/run/v3")");
  EXPECT_EQ(run_record_from_json(Json::array()).error().message, "run.json: /: must be an object: the record of a run");
}

TEST(RunRecord, TakesWhatIsAbsentAsTheValueThatPromotesNothing) {
  const auto read = run_record_from_json({{"schema", run_schema}, {"id", "r"}});
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->complete);
  const auto attempt = fence_attempt_from_json({{"phase", "before"}, {"probe", "arp"}});
  ASSERT_TRUE(attempt);
  EXPECT_TRUE(attempt->answered);
}

TEST(RunRecord, SaysWhenTheNumberOfAnswersContradictsTheAttempts) {
  Json json = tests::good_record();
  json["departments"][0]["fence"]["attempts"][2]["answered"] = true;
  const auto read = run_record_from_json(json);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("/departments/0/fence/answers: differs from the 1 answered"));
}

TEST(RunRecord, IsWrittenAndReadAsAFile) {
  const auto file = std::filesystem::path(testing::TempDir()) / "patchlab-record-test.json";
  ASSERT_TRUE(write_run_record(tests::good_record(), file));
  const auto read = read_run_record(file);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->id, tests::good_record().id);
  ASSERT_TRUE(write_file_atomically(file, "{\"schema\": "));
  EXPECT_THAT(read_run_record(file).error().message, HasSubstr("patchlab-record-test.json:1:"));
  std::filesystem::remove(file);
}

TEST(RunRecord, BytesThatAreNotUtf8DoNotStopTheReport) {
  auto record = tests::good_record();
  record.departments[0].trials[2].installs[0].log = "caf\xe9";
  EXPECT_THAT(pretty(record), HasSubstr("caf\xEF\xBF\xBD"));
}

TEST(CellPieces, SurviveThePipe) {
  const auto record = record_with_every_field();
  const Json trial = record.departments[0].trials[2];
  EXPECT_EQ(Json(trial_record_from_json(trial).value()), trial);
  const Json timing = record.timings[5];
  EXPECT_EQ(Json(timing_record_from_json(timing).value()), timing);
}

TEST(CellPieces, AGarbledOneIsABugNotAnOutcome) {
  const auto read = trial_record_from_json({{"id", "finance/t1"}, {"outcome", "passed"}});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().error_class, ErrorClass::bug);
}

// A record of the version before: it said itself what came of its promotion.
Json v1_json() {
  Json json = tests::good_record();
  json["schema"] = run_schema_v1;
  json["exit_code"] = 5;
  json.erase("asked");
  json["departments"][0]["promotion"] = {{"outcome", "refused"},
                                         {"stage", "production/finance"},
                                         {"manifest_digest", ""},
                                         {"candidates", Json::array()},
                                         {"reasons", {"stale: finance/dns: another one"}}};
  return json;
}

class RecordFile : public testing::Test {
 protected:
  ~RecordFile() override { std::filesystem::remove(file_); }
  Result<RunRecord> read(const std::string& text) {
    EXPECT_TRUE(write_file_atomically(file_, text));
    return read_run_record(file_);
  }
  std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) / ("patchlab-record-" + std::to_string(::getpid()) + "-" +
                                                   testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(RecordFile, OfTheVersionBeforeIsReadAndItsPromotionIsOnlySaid) {
  const auto old = run_record_from_json(v1_json());
  ASSERT_TRUE(old) << old.error().message;
  ASSERT_EQ(old->said_then.size(), 1U);
  EXPECT_EQ(old->said_then[0].state, DecisionState::refused);
  EXPECT_EQ(old->said_then[0].reasons(), std::vector<std::string>{"stale: finance: finance/dns: another one"});
  EXPECT_EQ(Json(*old)["departments"], Json(tests::good_record())["departments"]);
  // Each kept to its own: the new one has no promotion, the old one has it well-formed.
  auto mixed = v1_json();
  mixed["schema"] = run_schema;
  EXPECT_THAT(run_record_from_json(mixed).error().message,
              AllOf(HasSubstr("/departments/0/promotion: "), HasSubstr("/exit_code: ")));
  auto future = v1_json();
  future["departments"][0]["promotion"]["outcome"] = "a word of the future";
  EXPECT_THAT(run_record_from_json(future).error().message,
              HasSubstr("/departments/0/promotion/outcome: 'a word of the future' is not a"));
  future = v1_json();
  future["departments"][0]["promotion"]["surprise"] = 1;
  EXPECT_FALSE(run_record_from_json(future));
}

// Of the version before, the digest that its ledger and manifests have.
TEST_F(RecordFile, OfTheVersionBeforeKeepsItsIdentity) {
  const auto written = read(pretty(v1_json()));
  ASSERT_TRUE(written) << written.error().message;
  auto later = v1_json();
  later["exit_code"] = 0;
  later["departments"][0]["promotion"]["outcome"] = "promoted";
  later["duration_ms"] = 7;
  later["timings"] = Json::array();
  EXPECT_EQ(record_digest(*read(pretty(later))), record_digest(*written));
  later["departments"][0]["outcome"] = "fail";
  EXPECT_NE(record_digest(*read(pretty(later))), record_digest(*written));
  auto facts = v1_json();
  for (const char* key : {"exit_code", "timings", "duration_ms", "peak_memory_kib"}) facts.erase(key);
  facts["departments"][0].erase("promotion");
  EXPECT_EQ(record_digest(*written), sha256(facts.dump()));
}

// sha256sum proves it, and any byte counts, spaces as well.
TEST_F(RecordFile, IsNamedByTheDigestOfItsBytes) {
  const auto record = tests::good_record();
  const auto text = pretty(record);
  EXPECT_EQ(record_digest(record), sha256(text));
  EXPECT_EQ(record_digest(*read(text)), sha256(text));
  ASSERT_TRUE(write_run_record(record, file_));
  EXPECT_EQ(read_file(file_).value(), text);
  EXPECT_EQ(record_digest(*read(text + "\n")), sha256(text + "\n"));
  auto other = record;
  other.departments[0].trials[2].duration_ms += 1;
  EXPECT_NE(record_digest(other), record_digest(record));
  other = record;
  other.complete = false;
  EXPECT_NE(record_digest(other), record_digest(record));
}

TEST(PatchSetDigest, DependsOnOrder) {
  EXPECT_NE(patch_set_digest({"a", "b"}), patch_set_digest({"b", "a"}));
  EXPECT_NE(patch_set_digest({}), patch_set_digest({""}));
}

}  // namespace
}  // namespace patchlab::reports

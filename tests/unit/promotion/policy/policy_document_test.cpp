// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/policy_document.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::promotion {
namespace {
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string shipped(const std::string& name) {
  return read_file(std::string(PATCHLAB_SOURCE_DIR "/scenarios/policies/") + name).value();
}
Json schema() { return read_json_file(PATCHLAB_SOURCE_DIR "/scenarios/policy.schema.json").value(); }

// The production example, and every key that it leaves out.
Json with_every_key() {
  auto json = parse_json(shipped("production.json"), "production.json").value();
  json["replaces"] = sha256("an older one");
  json["run"]["scenarios"][0]["digest"] = sha256("scenario");
  json["run"]["submitter"] = "signer";
  json["change_ticket"] = "required";
  json["coverage"]["retired"] = {"finance/print", "finance/dns/a-record"};
  json["coverage"]["changed"] = {{{"what", "finance/mail"}, {"digest", sha256("state")}},
                                 {{"what", "finance/dns/zone"}, {"digest", sha256("zone")}}};
  json["likeness"] = {{"max_age_days", 14},
                      {"at_most",
                       {{"release", 1},
                        {"packages", 20},
                        {"role-packages", 0},
                        {"configuration", 5},
                        {"role-configuration", 2},
                        {"services", 3},
                        {"ports", 4}}}};
  json["carried"] = {{"max_age_hours", 48}};
  json["findings"] = {{"review", "shown"}, {"notice", "needs-decision"}};
  return json;
}
Result<Policy> read(const Json& json) { return parse_policy(json.dump(), "p.json"); }

// The least that is a policy.
Json smallest() {
  return {{"schema", policy_schema},
          {"id", "small"},
          {"valid_since", "2026-11-01T00:00:00Z"},
          {"valid_until", "2027-05-01T00:00:00Z"}};
}

TEST(PolicyDocument, IsReadAsItIsWritten) {
  const auto read_policy = read(with_every_key());
  ASSERT_TRUE(read_policy) << read_policy.error().message;
  const auto& policy = *read_policy;
  EXPECT_EQ(policy.id, "production");
  EXPECT_EQ(policy.author, "carol@xavier.example");
  EXPECT_EQ(policy.valid_since, std::chrono::sys_days(std::chrono::year{2026} / 11 / 1));
  EXPECT_EQ(policy.valid_until, std::chrono::sys_days(std::chrono::year{2027} / 5 / 1));
  EXPECT_EQ(policy.replaces, sha256("an older one"));
  EXPECT_THAT(policy.scenarios, ElementsAre(AllowedScenario{"xavier-nightly", sha256("scenario")}));
  EXPECT_THAT(policy.tool_versions, ElementsAre("0.1.0"));
  EXPECT_EQ(policy.max_age, std::chrono::hours(96));
  EXPECT_EQ(policy.submitter, Submitter::signer);
  EXPECT_EQ(policy.change_ticket, ChangeTicket::required);
  EXPECT_THAT(policy.phases, ElementsAre("after-install", "after-reboot-1", "stability"));
  EXPECT_THAT(policy.departments.at("finance").at("db"), ElementsAre("corp-app-transaction", "corp-app-t-inventory"));
  EXPECT_THAT(policy.departments.at("finance").at("dhcp"), IsEmpty());
  EXPECT_EQ(policy.coverage, (CoverageRule{CoverageRule::Least::last_promoted,
                                           CoverageRule::Unknown::refused,
                                           {"finance/print", "finance/dns/a-record"},
                                           {{"finance/mail", sha256("state")}, {"finance/dns/zone", sha256("zone")}}}));
  EXPECT_EQ(policy.likeness, (LikenessRule{std::chrono::days(14),
                                           {{"release", 1},
                                            {"packages", 20},
                                            {"role-packages", 0},
                                            {"configuration", 5},
                                            {"role-configuration", 2},
                                            {"services", 3},
                                            {"ports", 4}}}));
  EXPECT_EQ(policy.carried, CarriedRule{std::chrono::hours(48)});
  EXPECT_EQ(policy.decisions, (NamedTable{"cisa-bod-26-04.csv", sha256(shipped("cisa-bod-26-04.csv"))}));
  EXPECT_THAT(summary_of(policy), Contains(HasSubstr("by the decision table 'cisa-bod-26-04.csv', sha256 74866a41")));
  const std::set<NotBy> others{NotBy::submitter, NotBy::waiver_author, NotBy::policy_author};
  EXPECT_THAT(policy.approvals, ElementsAre(ApprovalRule{1, others, SecurityKey::verified, {}, false},
                                            ApprovalRule{2, others, SecurityKey::any, {"critical"}, true}));
  EXPECT_EQ(policy.findings, (FindingRules{FindingRule::shown, FindingRule::needs_decision}));
  EXPECT_EQ(policy.waivers, (WaiverRule{{Waivable::check, Waivable::state, Waivable::review},
                                        std::chrono::days(14),
                                        2,
                                        {"error", "fence", "golden", "baseline", "control"}}));
  EXPECT_THAT(policy.windows, ElementsAre(Window{{2, 4}, std::chrono::hours(21), std::chrono::hours(3)},
                                          Window{{6}, std::chrono::hours(6), std::chrono::hours(24)}));
  ASSERT_TRUE(policy.emergency);
  EXPECT_THAT(policy.emergency->severities, ElementsAre("critical"));
  EXPECT_EQ(policy.emergency->review_within, std::chrono::days(2));
  EXPECT_THAT(policy.emergency->approvals,
              ElementsAre(ApprovalRule{1, {NotBy::submitter}, SecurityKey::touched, {}, false}));
}

TEST(PolicyDocument, IsKnownByTheDigestOfItsBytes) {
  const auto text = shipped("production.json");
  EXPECT_EQ(parse_policy(text, "p.json")->digest, sha256(text));
  EXPECT_NE(parse_policy(text + "\n", "p.json")->digest, sha256(text)) << "the same to a parser is another document";
}

TEST(PolicyDocument, AsksWhatPatchlabAsksWhereItIsSilent) {
  auto policy = read(smallest());
  ASSERT_TRUE(policy) << policy.error().message;
  Policy expected;
  expected.id = "small";
  expected.digest = policy->digest;
  expected.valid_since = policy->valid_since;
  expected.valid_until = policy->valid_until;
  EXPECT_EQ(*policy, expected);
}

TEST(PolicyDocument, QuickstartIsTheShippedFileAndAsksNobody) {
  EXPECT_EQ(quickstart_text(), shipped("quickstart.json"));
  const auto policy = quickstart_policy();
  EXPECT_EQ(policy.digest, sha256(shipped("quickstart.json")));
  EXPECT_THAT(policy.approvals, IsEmpty());
  EXPECT_THAT(policy.waivers.what, IsEmpty()) << "who may waive where nobody approves?";
  EXPECT_EQ(policy.findings, (FindingRules{FindingRule::shown, FindingRule::shown})) << "and who would accept?";
  EXPECT_EQ(approval_sentence(policy, {}), "promoted by policy 'quickstart': nobody approved");
  EXPECT_EQ(approval_sentence(policy, {"bob@x.example", "eve@x.example"}),
            "promoted by policy 'quickstart': approved by bob@x.example, eve@x.example");
}

// What it promoted is proven by its bytes, also when the shipped one is another one by now.
// Legal, and seldom meant: such a set would wait for ever.
TEST(PolicyDocument, ThatAsksForADecisionWhichNobodyMayMakeIsWarnedOf) {
  Policy policy;  // asks for one about each change of class review
  ASSERT_EQ(warnings_of(policy).size(), 1U);
  EXPECT_THAT(warnings_of(policy)[0], HasSubstr("a change of class review waits for ever"));
  policy.findings.notice = FindingRule::needs_decision;
  EXPECT_THAT(warnings_of(policy)[0], HasSubstr("of class review or notice"));
  policy.waivers.what = {Waivable::check, Waivable::state};
  EXPECT_EQ(warnings_of(policy).size(), 1U) << "a waiver of a failure accepts no change";
  policy.waivers.what.insert(Waivable::review);
  EXPECT_TRUE(warnings_of(policy).empty());
  policy.waivers.what.clear();
  policy.findings = {FindingRule::shown, FindingRule::shown};
  EXPECT_TRUE(warnings_of(policy).empty());
  EXPECT_TRUE(warnings_of(quickstart_policy()).empty());
}

TEST(PolicyDocument, QuickstartOfAnOlderVersionIsStillKnown) {
  EXPECT_EQ(shipped_text(quickstart_policy().digest), quickstart_text());
  const auto text = read_file(PATCHLAB_SOURCE_DIR "/promotion/policy/former/quickstart-1.json").value();
  EXPECT_EQ(sha256(text), "46aa79f954c2324c6620552fc4760e8992ee3db8b908cbb9dda967a7c9279030");
  EXPECT_EQ(shipped_text(sha256(text)), text);
  EXPECT_EQ(parse_policy(text, "former").value().findings.review, FindingRule::needs_decision);
  EXPECT_EQ(shipped_text(sha256("another one")), "");
}

TEST(PolicyDocument, ShippedOnesFitTheSchemaAndTheReader) {
  const auto rules = schema();
  for (const auto* name : {"quickstart.json", "production.json"}) {
    EXPECT_THAT(tests::SchemaValidator(rules).problems(parse_json(shipped(name), name).value()), IsEmpty()) << name;
    const auto policy = parse_policy(shipped(name), name);
    EXPECT_TRUE(policy) << policy.error().message;
  }
  EXPECT_THAT(tests::SchemaValidator(rules).problems(with_every_key()), IsEmpty());
  EXPECT_THAT(tests::SchemaValidator(rules).problems(smallest()), IsEmpty());
}

TEST(PolicyDocument, NamesATableBesideItByItsBytes) {
  const test::TemporaryFolder folder;
  folder.write("ours.csv", "row,In KEV,Outcome\n");
  const auto file = folder.path() / "policy.json";
  const NamedTable named{"ours.csv", sha256("row,In KEV,Outcome\n")};
  const auto there = table_beside(named, file);
  ASSERT_TRUE(there) << there.error().message;
  EXPECT_EQ(*there, "row,In KEV,Outcome\n");
  const auto other = table_beside({"ours.csv", sha256("another one")}, file);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("is not the decision table that the policy names: its sha256 is "));
  EXPECT_FALSE(table_beside({"theirs.csv", named.sha256}, file));
}

// Every key of the schema is in the example above, so that what follows looks at all of them.
void keys_of_schema(const Json& rules, std::set<std::string>& keys) {
  if (rules.is_object() && rules.contains("properties") && rules["properties"].is_object()) {
    for (const auto& [key, rule] : rules["properties"].items()) keys.insert(key);
  }
  for (const auto& inner : rules) {
    if (inner.is_structured()) keys_of_schema(inner, keys);
  }
}
TEST(PolicyDocument, ExampleOfTheTestsHasEveryKeyOfTheSchema) {
  std::set<std::string> keys;
  keys_of_schema(schema(), keys);
  EXPECT_GT(keys.size(), 30U);
  const auto text = with_every_key().dump();
  for (const auto& key : keys) EXPECT_THAT(text, HasSubstr("\"" + key + "\":"));
}

TEST(PolicyDocument, SchemaAndReaderRefuseTheSameSpoiledDocuments) {
  const auto rules = schema();
  const auto good = with_every_key();
  std::size_t spoiled = 0;
  const auto refuse = [&](const Json& json, const std::string& what) {
    ++spoiled;
    EXPECT_FALSE(tests::SchemaValidator(rules).problems(json).empty()) << what;
    EXPECT_FALSE(read(json)) << what;
  };
  const std::vector<Json> wrongs{Json::array({1}), nullptr, -1, "\xC3\xBC a word of the future/"};
  const auto flat = good.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    const Json::json_pointer at(pointer);
    const auto& wrong = wrongs[spoiled % wrongs.size()];
    const bool any_text = pointer == "/title" || pointer == "/$schema" ||
                          pointer.find("tool_versions") != std::string::npos ||
                          pointer.find("/machines/") != std::string::npos;  // names of others
    auto json = good;
    json[at] = any_text && wrong.is_string() ? Json(true) : wrong;
    refuse(json, pointer + " = " + json[at].dump());
    auto unknown = good;
    auto& parent = unknown[at.parent_pointer()];
    if (!parent.is_object()) continue;
    parent["surprise"] = 1;
    refuse(unknown, pointer + "/../surprise");
  }
  for (const auto& [key, value] : good.items()) {
    if (!value.is_structured()) continue;
    auto json = good;
    json[key] = "text";
    refuse(json, key);
  }
  for (const auto* key : {"schema", "id", "valid_since", "valid_until"}) {
    auto json = good;
    json.erase(key);
    refuse(json, std::string("without ") + key);
  }
  EXPECT_GT(spoiled, 120U);
}

TEST(PolicyDocument, SchemaAndReaderKnowTheSameWords) {
  const auto rules = schema()["$defs"];
  const auto takes = [](const Json::json_pointer& at, const Json& value) {
    auto json = with_every_key();
    json[at] = value;
    const auto policy = read(json);
    EXPECT_TRUE(policy) << at.to_string() << ": " << policy.error().message;
  };
  const auto& run = rules["run"]["properties"];
  for (const auto* key : {"narrowed", "control", "not_reproduced", "submitter"}) {
    for (const auto& word : run[key]["enum"]) takes(Json::json_pointer(std::string("/run/") + key), word);
  }
  const auto all = schema();
  for (const auto& word : all["properties"]["change_ticket"]["enum"]) takes(Json::json_pointer("/change_ticket"), word);
  for (const auto* key : {"not_less_than", "when_unknown"}) {
    for (const auto& word : rules["coverage"]["properties"][key]["enum"])
      takes(Json::json_pointer(std::string("/coverage/") + key), word);
  }
  for (const auto* key : {"review", "notice"}) {
    for (const auto& word : rules["finding_rule"]["enum"])
      takes(Json::json_pointer(std::string("/findings/") + key), word);
  }
  for (const auto& word : rules["approval"]["properties"]["security_key"]["enum"])
    takes("/approvals/0/security_key"_json_pointer, word);
  takes("/approvals/0/not_by"_json_pointer, rules["approval"]["properties"]["not_by"]["items"]["enum"]);
  takes("/waivers/what"_json_pointer, rules["waivers"]["properties"]["what"]["items"]["enum"]);
  takes("/windows/0/days"_json_pointer, rules["window"]["properties"]["days"]["items"]["enum"]);
  takes("/emergency/severity"_json_pointer, rules["severities"]["items"]["enum"]);
  takes("/run/fence/phases"_json_pointer, rules["run"]["properties"]["fence"]["properties"]["phases"]["items"]["enum"]);
}

// What is wrong, where, and what is said.
struct Mistake {
  const char* name;
  std::function<void(Json&)> make;
  const char* message;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class PolicyMistake : public testing::TestWithParam<Mistake> {};

TEST_P(PolicyMistake, IsReportedAtItsPlace) {
  auto json = with_every_key();
  GetParam().make(json);
  const auto policy = read(json);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(policy.error().message, std::string("p.json: ") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    PolicyDocument, PolicyMistake,
    testing::Values(
        Mistake{"UnknownKey", [](Json& j) { j["run"]["max_age"] = 3; },
                "/run/max_age: unknown key; allowed here: control, fence, max_age_hours, narrowed, not_reproduced, "
                "phases, scenarios, submitter, tool_versions; did you mean max_age_hours?"},
        Mistake{"CarriedForNoTime", [](Json& j) { j["carried"]["max_age_hours"] = 0; },
                "/carried/max_age_hours: must be a whole number from 1 to 8784, found 0"},
        Mistake{"CarriedFromWhom", [](Json& j) { j["carried"]["from"] = "finance"; },
                "/carried/from: unknown key; allowed here: max_age_hours"},
        Mistake{"TableElsewhere", [](Json& j) { j["decisions"]["file"] = "../table.csv"; },
                "/decisions/file: '../table.csv' is no name of a file beside this one: letters, digits and . _ - only"},
        Mistake{"TableWithoutBytes", [](Json& j) { j["decisions"]["sha256"] = "74866A41"; },
                "/decisions/sha256: '74866A41' is no SHA-256 in 64 lower-case hex digits"},
        Mistake{"TicketPerhaps", [](Json& j) { j["change_ticket"] = "require"; },
                "/change_ticket: 'require' is not one of: any, required"},
        Mistake{"OtherSchema", [](Json& j) { j["schema"] = "patchlab/policy/v2"; },
                R"(/schema: must be "patchlab/policy/v1", found "patchlab/policy/v2")"},
        Mistake{"NeverInForce", [](Json& j) { j["valid_until"] = j["valid_since"]; },
                "/valid_until: is not after valid_since: it would never be in force"},
        Mistake{"LocalTime", [](Json& j) { j["valid_until"] = "2027-05-01T00:00:00"; },
                "/valid_until: '2027-05-01T00:00:00' is no time: RFC 3339 in UTC with Z is needed, as "
                "2026-11-01T00:00:00Z"},
        Mistake{"OtherZone", [](Json& j) { j["valid_since"] = "2026-11-01T00:00:00+01:00"; },
                "/valid_since: '2026-11-01T00:00:00+01:00' is no time: RFC 3339 in UTC with Z is needed, as "
                "2026-11-01T00:00:00Z"},
        Mistake{"NoSuchDay", [](Json& j) { j["valid_until"] = "2027-02-29T00:00:00Z"; },
                "/valid_until: '2027-02-29T00:00:00Z' is no time: RFC 3339 in UTC with Z is needed, as "
                "2026-11-01T00:00:00Z"},
        Mistake{"LessFence",
                [](Json& j) {
                  j["run"]["fence"]["probes"] = {"arp", "ping", "dns", "ipv6-nd"};
                },
                "/run/fence/probes: 'tcp' is missing: every promotion needs it"},
        Mistake{"LessOfTheRun",
                [](Json& j) {
                  j["run"]["fence"]["phases"] = {"before", "after"};
                },
                "/run/fence/phases: 'during' is missing: every promotion needs it"},
        Mistake{"RuleForFindingsOfTheFuture", [](Json& j) { j["findings"]["review"] = "ignored"; },
                "/findings/review: 'ignored' is not one of: needs-decision, shown"},
        Mistake{"ALetThroughBreach", [](Json& j) { j["findings"]["breach"] = "shown"; },
                "/findings/breach: unknown key; allowed here: notice, review"},
        Mistake{"WaivesTheFence", [](Json& j) { j["waivers"]["what"].push_back("fence"); },
                "/waivers/what/3: 'fence' can never be waived"},
        Mistake{"WaivesAnError", [](Json& j) { j["waivers"]["what"] = {"error"}; },
                "/waivers/what/0: 'error' can never be waived"},
        Mistake{"EmptyApprovals", [](Json& j) { j["approvals"] = Json::array(); },
                "/approvals: an empty list asks for nothing; leave it out if that is meant"},
        Mistake{"EmptyWindows", [](Json& j) { j["windows"] = Json::array(); },
                "/windows: an empty list asks for nothing; leave it out if that is meant"},
        Mistake{"EmptyScenarios", [](Json& j) { j["run"]["scenarios"] = Json::array(); },
                "/run/scenarios: an empty list asks for nothing; leave it out if that is meant"},
        Mistake{"NobodysCount", [](Json& j) { j["approvals"][0]["count"] = 0; },
                "/approvals/0/count: must be a whole number from 1 to 20, found 0"},
        Mistake{
            "AuthorNotNamed",
            [](Json& j) {
              j.erase("author");
              j["approvals"][1].erase("not_by");
            },
            "/approvals/0/not_by: asks for somebody else than the policy's author, who is not named: give 'author'"},
        Mistake{"AuthorIsAPattern", [](Json& j) { j["author"] = "*@xavier.example"; },
                "/author: '*@xavier.example' is no name: letters, digits and . _ @ + - only"},
        Mistake{"WhenNever",
                [](Json& j) {
                  j["approvals"][1]["when"] = {{"waived", false}};
                },
                "/approvals/1/when: 'severity' or 'waived' is needed, else leave out 'when'"},
        Mistake{"EmergencyOfNobody", [](Json& j) { j["emergency"].erase("approvals"); },
                "/emergency: 'approvals' is required: an emergency is somebody's decision"},
        Mistake{"EmergencyOnlySometimes",
                [](Json& j) {
                  j["emergency"]["approvals"][0]["when"] = {{"waived", true}};
                },
                "/emergency/approvals: one of them must apply always: an emergency is somebody's decision"},
        Mistake{
            "NothingToBeFasterThan",
            [](Json& j) {
              j.erase("approvals");
              j.erase("windows");
            },
            "/emergency/approvals: there is nothing to be faster than: the policy has neither approvals nor windows"},
        Mistake{"NoTimeOfDay", [](Json& j) { j["windows"][0]["from"] = "24:00"; },
                "/windows/0/from: '24:00' is no time of day in UTC, as 22:00"},
        Mistake{"DayTwice",
                [](Json& j) {
                  j["windows"][0]["days"] = {"monday", "monday"};
                },
                "/windows/0/days/1: 'monday' is there twice"},
        Mistake{"NamesNothing", [](Json& j) { j["run"]["scenarios"].push_back(Json::object()); },
                "/run/scenarios/1: 'name' or 'digest' is needed"},
        Mistake{"ShortDigest", [](Json& j) { j["replaces"] = "4d2c9ad3"; },
                "/replaces: '4d2c9ad3' is no SHA-256 in 64 lower-case hex digits"},
        Mistake{"ChangesADepartment", [](Json& j) { j["coverage"]["changed"][0]["what"] = "finance"; },
                "/coverage/changed/0/what: 'finance' names neither department/machine nor department/machine/check"},
        Mistake{"ChangesToAnything", [](Json& j) { j["coverage"]["changed"][0]["digest"] = "*"; },
                "/coverage/changed/0/digest: '*' is no SHA-256 in 64 lower-case hex digits"},
        Mistake{"ChangesOneTwice", [](Json& j) { j["coverage"]["changed"][1]["what"] = "finance/mail"; },
                "/coverage/changed/1/what: 'finance/mail' is there twice"},
        Mistake{"ChangesNothing", [](Json& j) { j["coverage"]["changed"] = Json::array(); },
                "/coverage/changed: an empty list asks for nothing; leave it out if that is meant"},
        Mistake{"RetiresADepartment", [](Json& j) { j["coverage"]["retired"] = {"finance"}; },
                "/coverage/retired/0: 'finance' names neither department/machine nor department/machine/check"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(PolicyDocument, RefusesAKeyThatIsThereTwice) {
  auto text = smallest().dump();
  text.insert(1, R"("id": "other", )");
  const auto policy = parse_policy(text, "p.json");
  ASSERT_FALSE(policy);
  EXPECT_THAT(policy.error().message, HasSubstr("key 'id' is given twice"));
}

TEST(PolicyDocument, SaysEverythingThatIsWrong) {
  auto json = smallest();
  json["surprise"] = 1;
  json["run"] = {{"phases", {"lunch"}}, {"control", "maybe"}};
  EXPECT_EQ(
      read(json).error().message,
      "p.json: /run/phases/0: 'lunch' is no phase: after-install, after-reboot-1 ..., stability, clock+1d ...\n"
      "p.json: /run/control: 'maybe' is not one of: required, if-present\n"
      "p.json: /surprise: unknown key; allowed here: $schema, approvals, author, carried, change_ticket, coverage, "
      "decisions, departments, emergency, findings, id, likeness, replaces, run, schema, title, valid_since, "
      "valid_until, "
      "waivers, "
      "windows");
}

}  // namespace
}  // namespace patchlab::promotion

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/policy_document.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/names.hpp"
#include "lab/core/time.hpp"
#include "promotion/policy/quickstart.hpp"
#include "reports/record/severity.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_document = 1U << 20U;
constexpr std::int64_t most_hours = 24 * 366;
constexpr std::int64_t most_days = 366;
constexpr std::int64_t most_approvals = 20;
constexpr std::int64_t most_waivers = 100;
constexpr std::int64_t most_differing = 100000;
constexpr std::size_t longest_name = 120;
constexpr std::array weekdays{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

template <class T>
struct Word {
  const char* word;
  T value;
};
constexpr std::array<Word<ControlTrial>, 2> controls{
    {{"required", ControlTrial::required}, {"if-present", ControlTrial::if_present}}};
constexpr std::array<Word<NotReproduced>, 2> not_reproduced_words{
    {{"refused", NotReproduced::refused}, {"flaky-in-control", NotReproduced::flaky_in_control}}};
constexpr std::array<Word<NarrowedRuns>, 2> narrowed_words{
    {{"refused", NarrowedRuns::refused}, {"allowed", NarrowedRuns::allowed}}};
constexpr std::array<Word<CoverageRule::Least>, 2> least_words{
    {{"last-promoted", CoverageRule::Least::last_promoted}, {"anything", CoverageRule::Least::anything}}};
constexpr std::array<Word<Submitter>, 2> submitter_words{{{"any", Submitter::any}, {"signer", Submitter::signer}}};
constexpr std::array<Word<ChangeTicket>, 2> ticket_words{
    {{"any", ChangeTicket::any}, {"required", ChangeTicket::required}}};
constexpr std::array<Word<CoverageRule::Unknown>, 2> unknown_words{
    {{"refused", CoverageRule::Unknown::refused}, {"allowed", CoverageRule::Unknown::allowed}}};
constexpr std::array<Word<NotBy>, 3> authors{{{"submitter", NotBy::submitter},
                                              {"waiver-author", NotBy::waiver_author},
                                              {"policy-author", NotBy::policy_author}}};
constexpr std::array<Word<SecurityKey>, 3> keys{
    {{"any", SecurityKey::any}, {"touched", SecurityKey::touched}, {"verified", SecurityKey::verified}}};
constexpr std::array<Word<FindingRule>, 2> finding_rules{
    {{"needs-decision", FindingRule::needs_decision}, {"shown", FindingRule::shown}}};
constexpr std::array<Word<Waivable>, 4> waivables{{{"check", Waivable::check},
                                                   {"state", Waivable::state},
                                                   {"install", Waivable::install},
                                                   {"review", Waivable::review}}};

template <class T, std::size_t N>
std::string words_of(const std::array<Word<T>, N>& table) {
  std::vector<std::string> words;
  for (const auto& entry : table) words.emplace_back(entry.word);
  return fmt::format("{}", fmt::join(words, ", "));
}
template <class T, std::size_t N>
std::optional<T> value_of(const std::array<Word<T>, N>& table, const std::string& word) {
  for (const auto& entry : table) {
    if (word == entry.word) return entry.value;
  }
  return std::nullopt;
}
template <class T, std::size_t N>
const char* word_of(const std::array<Word<T>, N>& table, T value) {
  for (const auto& entry : table) {
    if (value == entry.value) return entry.word;
  }
  return "unknown";
}

// One document. Each `read_` takes one object of it.
class Reading {
 public:
  explicit Reading(std::vector<JsonProblem>& problems) : problems_(problems) {}

  Policy document(const Json& json) {
    JsonReader reader(json, "", problems_);
    reader.text_or("$schema", {});  // where editors find the rules
    if (const auto schema = reader.text("schema"); json.is_object() && schema != policy_schema)
      reader.problem("schema", fmt::format("must be \"{}\", found \"{}\"", policy_schema, schema));
    Policy policy;
    policy.id = reader.text("id");
    if (!is_scenario_name(policy.id)) reader.problem("id", fmt::format("'{}' {}", policy.id, scenario_name_rule));
    policy.title = reader.text_or("title", {});
    policy.author = reader.text_or("author", {});
    if (reader.has("author")) look_at_name(reader, "author", policy.author);
    read_validity(reader, policy);
    if (reader.has("run")) read_run(reader.object("run"), policy);
    if (reader.has("departments")) read_departments(reader, policy);
    if (reader.has("coverage")) read_coverage(reader.object("coverage"), policy.coverage);
    if (reader.has("likeness")) read_likeness(reader.object("likeness"), policy);
    if (reader.has("carried")) read_carried(reader.object("carried"), policy);
    if (reader.has("decisions")) read_table(reader.object("decisions"), policy);
    policy.change_ticket = word_or(reader, "change_ticket", ticket_words, policy.change_ticket);
    policy.approvals = read_approvals(reader, "approvals", policy);
    if (reader.has("findings")) read_findings(reader.object("findings"), policy.findings);
    if (reader.has("waivers")) read_waivers(reader.object("waivers"), policy.waivers);
    if (reader.has("windows")) read_windows(reader, policy);
    if (reader.has("emergency")) read_emergency(reader.object("emergency"), policy);
    reader.finish();
    return policy;
  }

 private:
  // How signers are named: no pattern, nothing that needs quoting.
  static void look_at_name(JsonReader& reader, const char* key, const std::string& name) {
    const bool plain = !name.empty() && name.size() <= longest_name &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-") ==
                           std::string::npos;
    if (!plain) reader.problem(key, fmt::format("'{}' is no name: letters, digits and . _ @ + - only", name));
  }
  template <class T, std::size_t N>
  static T word_or(JsonReader& reader, const std::string& key, const std::array<Word<T>, N>& table, T other) {
    if (!reader.has(key)) return other;
    const auto word = reader.text(key);
    const auto value = value_of(table, word);
    if (!value && reader.raw(key).is_string())
      reader.problem(key, fmt::format("'{}' is not one of: {}", word, words_of(table)));
    return value.value_or(other);
  }
  // A list that is there asks for something, and for nothing twice.
  static std::vector<std::string> some_texts(JsonReader& reader, const std::string& key) {
    auto texts = reader.texts_or_empty(key);
    if (reader.has(key) && reader.raw(key).is_array() && reader.raw(key).empty())
      reader.problem(key, "an empty list asks for nothing; leave it out if that is meant");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!seen.insert(texts[i]).second) reader.problem(key, i, fmt::format("'{}' is there twice", texts[i]));
    }
    return texts;
  }
  template <class Look>
  void each_object(JsonReader& reader, const std::string& key, const Look& look) {
    if (!reader.has(key)) return;
    const auto& list = reader.raw(key);
    if (!list.is_array())
      return reader.problem(key, fmt::format("must be a list of objects, found {}", list.type_name()));
    if (list.empty()) reader.problem(key, "an empty list asks for nothing; leave it out if that is meant");
    for (std::size_t i = 0; i < list.size(); ++i)
      look(JsonReader(list[i], fmt::format("{}/{}", reader.at(key), i), problems_));
  }
  static std::set<std::string> read_severities(JsonReader& reader) {
    std::set<std::string> found;
    const auto words = some_texts(reader, "severity");
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (!reports::is_known_severity(words[i]))
        reader.problem("severity", i,
                       fmt::format("'{}' is not one of: {}", words[i], fmt::join(reports::known_severities, ", ")));
      found.insert(words[i]);
    }
    return found;
  }

  static std::optional<PolicyTime> moment(JsonReader& reader, const char* key) {
    const auto text = reader.text(key);
    const auto time = parse_rfc3339(text);
    if (!time && reader.raw(key).is_string())
      reader.problem(key,
                     fmt::format("'{}' is no time: RFC 3339 in UTC with Z is needed, as 2026-11-01T00:00:00Z", text));
    return time;
  }
  static void read_validity(JsonReader& reader, Policy& policy) {
    policy.valid_since = moment(reader, "valid_since");
    policy.valid_until = moment(reader, "valid_until");
    if (policy.valid_since && policy.valid_until && *policy.valid_since >= *policy.valid_until)
      reader.problem("valid_until", "is not after valid_since: it would never be in force");
    policy.replaces = reader.text_or("replaces", {});
    if (reader.has("replaces") && !is_sha256(policy.replaces))
      reader.problem("replaces", fmt::format("'{}' is no SHA-256 in 64 lower-case hex digits", policy.replaces));
  }

  void read_run(JsonReader reader, Policy& policy) {
    each_object(reader, "scenarios", [&](JsonReader item) {
      AllowedScenario scenario{item.text_or("name", {}), item.text_or("digest", {})};
      if (!item.has("name") && !item.has("digest")) item.problem("name", "or 'digest' is needed");
      if (item.has("name") && !is_scenario_name(scenario.name))
        item.problem("name", fmt::format("'{}' {}", scenario.name, scenario_name_rule));
      if (item.has("digest") && !is_sha256(scenario.digest))
        item.problem("digest", fmt::format("'{}' is no SHA-256 in 64 lower-case hex digits", scenario.digest));
      item.finish();
      policy.scenarios.push_back(std::move(scenario));
    });
    policy.tool_versions = some_texts(reader, "tool_versions");
    policy.narrowed = word_or(reader, "narrowed", narrowed_words, policy.narrowed);
    policy.phases = some_texts(reader, "phases");
    for (std::size_t i = 0; i < policy.phases.size(); ++i) {
      if (!is_phase(policy.phases[i]))
        reader.problem("phases", i,
                       fmt::format("'{}' is no phase: after-install, after-reboot-1 ..., stability, clock+1d ...",
                                   policy.phases[i]));
    }
    policy.max_age = std::chrono::hours(reader.integer_or("max_age_hours", policy.max_age.count(), 1, most_hours));
    policy.control = word_or(reader, "control", controls, policy.control);
    policy.not_reproduced = word_or(reader, "not_reproduced", not_reproduced_words, policy.not_reproduced);
    policy.submitter = word_or(reader, "submitter", submitter_words, policy.submitter);
    if (reader.has("fence")) read_fence(reader.object("fence"), policy);
    reader.finish();
  }
  static bool is_phase(const std::string& word) {
    if (word == "after-install" || word == "stability" || word == "clock+lease-t2") return true;
    constexpr std::string_view clock = "clock+";
    if (word.starts_with(clock)) {
      const auto step = word.substr(clock.size());
      const auto digits = step.substr(0, step.empty() ? 0 : step.size() - 1);
      return !digits.empty() && digits.size() <= 9 && digits.front() != '0' &&
             digits.find_first_not_of("0123456789") == std::string::npos &&
             std::string_view("smhd").find(step.back()) != std::string_view::npos;
    }
    constexpr std::string_view reboot = "after-reboot-";
    const auto number = word.starts_with(reboot) ? word.substr(reboot.size()) : std::string();
    return !number.empty() && number.size() <= 2 && number.front() != '0' &&
           number.find_first_not_of("0123456789") == std::string::npos;
  }
  static void read_fence(JsonReader reader, Policy& policy) {
    const auto more = [&](const char* key, std::vector<std::string>& least, bool open) {
      if (!reader.has(key)) return;
      const auto asked = some_texts(reader, key);
      for (std::size_t i = 0; i < asked.size(); ++i) {
        const bool known = std::ranges::count(least, asked[i]) > 0;
        if (!known && (!open || !is_word(asked[i]))) reader.problem(key, i, fmt::format("'{}' is not known", asked[i]));
      }
      for (const auto& one : least) {
        if (reader.raw(key).is_array() && std::ranges::count(asked, one) == 0)
          reader.problem(key, fmt::format("'{}' is missing: every promotion needs it", one));
      }
      least = asked;
    };
    more("phases", policy.fence_phases, false);
    more("probes", policy.fence_probes, true);
    more("watches", policy.fence_watches, true);
    reader.finish();
  }
  static bool is_word(const std::string& text) {
    return !text.empty() && text.size() <= longest_name &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  }

  void read_departments(JsonReader& reader, Policy& policy) {
    const auto& all = reader.raw("departments");
    auto listed = reader.object("departments");
    if (!all.is_object()) return;
    if (all.empty()) reader.problem("departments", "an empty object asks for nothing; leave it out if that is meant");
    for (const auto& [name, value] : all.items()) {
      if (!is_scenario_name(name)) listed.problem(name, fmt::format("'{}' {}", name, scenario_name_rule));
      auto department = listed.object(name);
      auto& machines = policy.departments[name];
      if (department.has("machines")) read_machines(department, machines);
      department.finish();
    }
  }
  static void read_machines(JsonReader& department, DemandedMachines& machines) {
    const auto& all = department.raw("machines");
    auto listed = department.object("machines");
    if (!all.is_object()) return;
    for (const auto& [name, value] : all.items()) {
      if (!is_scenario_name(name)) listed.problem(name, fmt::format("'{}' {}", name, scenario_name_rule));
      machines[name] = listed.texts_or_empty(name);  // empty: the machine alone
    }
  }

  // Between slashes; 0 when one of them is empty.
  static std::size_t parts_of(const std::string& text) {
    if (text.empty() || text.front() == '/' || text.back() == '/' || text.find("//") != std::string::npos) return 0;
    return static_cast<std::size_t>(std::ranges::count(text, '/')) + 1;
  }
  void read_coverage(JsonReader reader, CoverageRule& coverage) {
    coverage.not_less_than = word_or(reader, "not_less_than", least_words, coverage.not_less_than);
    coverage.when_unknown = word_or(reader, "when_unknown", unknown_words, coverage.when_unknown);
    coverage.retired = some_texts(reader, "retired");
    for (std::size_t i = 0; i < coverage.retired.size(); ++i) {
      const auto parts = parts_of(coverage.retired[i]);
      if (parts != 2 && parts != 3) {
        reader.problem(
            "retired", i,
            fmt::format("'{}' names neither department/machine nor department/machine/check", coverage.retired[i]));
      }
    }
    read_changed(reader, coverage);
    reader.finish();
  }

  void read_changed(JsonReader& reader, CoverageRule& coverage) {
    each_object(reader, "changed", [&](JsonReader item) {
      const auto what = item.text("what");
      const auto digest = item.text("digest");
      const auto parts = parts_of(what);
      if (parts != 2 && parts != 3)
        item.problem("what", fmt::format("'{}' names neither department/machine nor department/machine/check", what));
      if (!is_sha256(digest))
        item.problem("digest", fmt::format("'{}' is no SHA-256 in 64 lower-case hex digits", digest));
      if (!coverage.changed.emplace(what, digest).second)
        item.problem("what", fmt::format("'{}' is there twice", what));
      item.finish();
    });
  }

  static void read_likeness(JsonReader reader, Policy& policy) {
    LikenessRule rule;
    rule.max_age = std::chrono::days(reader.integer("max_age_days", 1, most_days));
    auto limits = reader.object("at_most");
    for (const auto word : likeness_words) {
      if (limits.has(std::string(word)))
        rule.at_most[std::string(word)] =
            static_cast<std::uint32_t>(limits.integer(std::string(word), 0, most_differing));
    }
    limits.finish();
    if (reader.raw("at_most").is_object() && reader.raw("at_most").empty())
      reader.problem("at_most", "an empty object asks for nothing; leave 'likeness' out if that is meant");
    reader.finish();
    policy.likeness = std::move(rule);
  }

  static void read_carried(JsonReader reader, Policy& policy) {
    policy.carried = CarriedRule{std::chrono::hours(reader.integer("max_age_hours", 1, most_hours))};
    reader.finish();
  }

  // A name beside the document: no folder, nothing hidden.
  static void read_table(JsonReader reader, Policy& policy) {
    NamedTable table{reader.text("file"), reader.text("sha256")};
    const bool plain = !table.file.empty() && table.file.size() <= longest_name && table.file.front() != '.' &&
                       table.file.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == std::string::npos;
    if (!plain && reader.raw("file").is_string())
      reader.problem(
          "file", fmt::format("'{}' is no name of a file beside this one: letters, digits and . _ - only", table.file));
    if (!is_sha256(table.sha256) && reader.raw("sha256").is_string())
      reader.problem("sha256", fmt::format("'{}' is no SHA-256 in 64 lower-case hex digits", table.sha256));
    reader.finish();
    policy.decisions = std::move(table);
  }

  std::vector<ApprovalRule> read_approvals(JsonReader& reader, const char* key, const Policy& policy) {
    std::vector<ApprovalRule> rules;
    each_object(reader, key, [&](JsonReader item) {
      ApprovalRule rule;
      rule.count = static_cast<std::uint32_t>(item.integer("count", 1, most_approvals));
      const auto words = some_texts(item, "not_by");
      for (std::size_t i = 0; i < words.size(); ++i) {
        if (const auto who = value_of(authors, words[i]))
          rule.not_by.insert(*who);
        else
          item.problem("not_by", i, fmt::format("'{}' is not one of: {}", words[i], words_of(authors)));
      }
      if (rule.not_by.contains(NotBy::policy_author) && policy.author.empty())
        item.problem("not_by", "asks for somebody else than the policy's author, who is not named: give 'author'");
      rule.security_key = word_or(item, "security_key", keys, rule.security_key);
      if (item.has("when")) read_when(item.object("when"), rule);
      item.finish();
      rules.push_back(std::move(rule));
    });
    return rules;
  }
  static void read_when(JsonReader reader, ApprovalRule& rule) {
    rule.severities = read_severities(reader);
    rule.when_waived = reader.boolean_or("waived", false);
    if (!rule.is_conditional()) reader.problem("severity", "or 'waived' is needed, else leave out 'when'");
    reader.finish();
  }

  static void read_findings(JsonReader reader, FindingRules& rules) {
    rules.review = word_or(reader, "review", finding_rules, rules.review);
    rules.notice = word_or(reader, "notice", finding_rules, rules.notice);
    reader.finish();
  }

  static void read_waivers(JsonReader reader, WaiverRule& rule) {
    const auto words = some_texts(reader, "what");
    if (!reader.has("what")) reader.problem("what", fmt::format("is required (a list of: {})", words_of(waivables)));
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (const auto what = value_of(waivables, words[i]))
        rule.what.insert(*what);
      else if (std::ranges::find(never_waived, words[i]) != std::end(never_waived))
        reader.problem("what", i, fmt::format("'{}' can never be waived", words[i]));
      else
        reader.problem("what", i, fmt::format("'{}' is not one of: {}", words[i], words_of(waivables)));
    }
    rule.max_days = std::chrono::days(reader.integer("max_days", 1, most_days));
    rule.max_per_set = static_cast<std::uint32_t>(reader.integer("max_per_set", 1, most_waivers));
    const auto never = some_texts(reader, "never");
    for (std::size_t i = 0; i < never.size(); ++i) {
      const bool always = std::ranges::find(never_waived, never[i]) != std::end(never_waived);
      if (!always && parts_of(never[i]) != 2)
        reader.problem(
            "never", i,
            fmt::format("'{}' is neither machine/check nor one of: {}", never[i], fmt::join(never_waived, ", ")));
      rule.never.insert(never[i]);
    }
    reader.finish();
  }

  void read_windows(JsonReader& reader, Policy& policy) {
    each_object(reader, "windows", [&](JsonReader item) {
      Window window;
      const auto days = some_texts(item, "days");
      if (!item.has("days"))
        item.problem("days", fmt::format("is required (a list of: {})", fmt::join(weekdays, ", ")));
      for (std::size_t i = 0; i < days.size(); ++i) {
        const auto found = std::ranges::find(weekdays, days[i]);
        if (found == weekdays.end())
          item.problem("days", i, fmt::format("'{}' is not one of: {}", days[i], fmt::join(weekdays, ", ")));
        else
          window.days.insert(static_cast<unsigned>(found - weekdays.begin()) + 1);
      }
      window.from = time_of_day(item, "from", false);
      window.to = time_of_day(item, "to", true);
      item.finish();
      policy.windows.push_back(std::move(window));
    });
  }
  // "22:00"; the end of a day may be written as 24:00.
  static std::chrono::minutes time_of_day(JsonReader& reader, const char* key, bool may_be_midnight) {
    const auto text = reader.text(key);
    const auto digit = [&](std::size_t i) {
      return i < text.size() && text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -1;
    };
    const bool shaped =
        text.size() == 5 && text[2] == ':' && digit(0) >= 0 && digit(1) >= 0 && digit(3) >= 0 && digit(4) >= 0;
    const int hours = shaped ? digit(0) * 10 + digit(1) : -1;
    const int minutes = shaped ? digit(3) * 10 + digit(4) : -1;
    const bool good = hours >= 0 && minutes < 60 && (hours < 24 || (may_be_midnight && hours == 24 && minutes == 0));
    if (!good && reader.raw(key).is_string())
      reader.problem(
          key, fmt::format("'{}' is no time of day in UTC, as 22:00{}", text, may_be_midnight ? " or 24:00" : ""));
    return good ? std::chrono::hours(hours) + std::chrono::minutes(minutes) : std::chrono::minutes(0);
  }

  void read_emergency(JsonReader reader, Policy& policy) {
    EmergencyLane lane;
    if (!reader.has("severity"))
      reader.problem("severity",
                     fmt::format("is required (a list of: {})", fmt::join(reports::known_severities, ", ")));
    lane.severities = read_severities(reader);
    if (!reader.has("approvals")) reader.problem("approvals", "is required: an emergency is somebody's decision");
    lane.approvals = read_approvals(reader, "approvals", policy);
    const bool always = std::ranges::any_of(lane.approvals, [](const auto& rule) { return !rule.is_conditional(); });
    if (!lane.approvals.empty() && !always)
      reader.problem("approvals", "one of them must apply always: an emergency is somebody's decision");
    lane.review_within = std::chrono::days(reader.integer("review_within_days", 1, most_days));
    if (policy.approvals.empty() && policy.windows.empty())
      reader.problem("approvals", "there is nothing to be faster than: the policy has neither approvals nor windows");
    reader.finish();
    policy.emergency = std::move(lane);
  }

  std::vector<JsonProblem>& problems_;
};

}  // namespace

Result<Policy> parse_policy(const std::string& text, const std::string& file_name) {
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file_name));
  std::vector<JsonProblem> problems;
  auto policy = Reading(problems).document(json);
  if (!problems.empty()) return problems_error(file_name, problems);
  policy.digest = sha256(text);
  return policy;
}

Result<Policy> read_policy(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_document));
  return parse_policy(text, file.string());
}

Result<std::string> table_beside(const NamedTable& table, const std::filesystem::path& policy_file) {
  const auto file = policy_file.parent_path() / table.file;
  PATCHLAB_ASSIGN(auto text, read_file(file, largest_table).while_doing("reading the decision table of the policy"));
  if (const auto found = sha256(text); found != table.sha256)
    return configuration_error(
        fmt::format("'{}' is not the decision table that the policy names: its sha256 is {}, and the policy says {}",
                    file.string(), found, table.sha256),
        "put that file beside the policy, or have the policy name this one");
  return text;
}

const std::string& quickstart_text() {
  static const std::string text(quickstart_document);
  return text;
}

std::string shipped_text(const std::string& digest) {
  for (const std::string& text : {quickstart_text(), std::string(former_quickstart_document)}) {
    if (sha256(text) == digest) return text;
  }
  return {};
}

Policy quickstart_policy() {
  auto policy = parse_policy(quickstart_text(), "the shipped policy 'quickstart'");
  if (!policy) throw std::logic_error(policy.error().message);  // a test reads it
  return std::move(policy).value();
}

const char* to_string(NotBy who) { return word_of(authors, who); }
const char* to_string(SecurityKey demand) { return word_of(keys, demand); }
const char* to_string(FindingRule rule) { return word_of(finding_rules, rule); }
const char* to_string(Waivable what) { return word_of(waivables, what); }
std::optional<Waivable> waivable_from(const std::string& word) { return value_of(waivables, word); }

}  // namespace patchlab::promotion

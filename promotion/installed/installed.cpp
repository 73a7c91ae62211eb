// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/installed/installed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "lab/core/debian_version.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::size_t most_packages = 100'000;
constexpr std::size_t most_machines = 10'000;
constexpr std::int64_t largest_serial = (std::int64_t{1} << 53U) - 1;

template <class Value>
struct Word {
  Value value;
  const char* word;
};
constexpr std::array source_words{Word<InstalledSource>{InstalledSource::dpkg_query, "dpkg-query"},
                                  Word<InstalledSource>{InstalledSource::apt_history, "apt-history"},
                                  Word<InstalledSource>{InstalledSource::json, "json"},
                                  Word<InstalledSource>{InstalledSource::by_hand, "by-hand"},
                                  Word<InstalledSource>{InstalledSource::wsus, "wsus"}};
// Members of the enumeration of Microsoft.UpdateServices.Administration.
constexpr std::array wsus_words{Word<WsusState>{WsusState::not_applicable, "NotApplicable"},
                                Word<WsusState>{WsusState::installed, "Installed"},
                                Word<WsusState>{WsusState::installed_pending_reboot, "InstalledPendingReboot"},
                                Word<WsusState>{WsusState::downloaded, "Downloaded"},
                                Word<WsusState>{WsusState::not_installed, "NotInstalled"},
                                Word<WsusState>{WsusState::unknown, "Unknown"},
                                Word<WsusState>{WsusState::failed, "Failed"}};
constexpr std::array state_words{Word<InstalledState>{InstalledState::as_promoted, "as-promoted"},
                                 Word<InstalledState>{InstalledState::older, "older"},
                                 Word<InstalledState>{InstalledState::newer, "newer"},
                                 Word<InstalledState>{InstalledState::other_bytes, "other-bytes"},
                                 Word<InstalledState>{InstalledState::failed, "failed"},
                                 Word<InstalledState>{InstalledState::not_installed, "not-installed"},
                                 Word<InstalledState>{InstalledState::not_reported, "not-reported"},
                                 Word<InstalledState>{InstalledState::not_for_it, "not-for-it"}};
constexpr std::array outcome_words{Word<InstalledOutcome>{InstalledOutcome::as_promoted, "as-promoted"},
                                   Word<InstalledOutcome>{InstalledOutcome::differs, "differs"},
                                   Word<InstalledOutcome>{InstalledOutcome::unknown, "unknown"}};

template <class Words, class Value>
const char* word_of(const Words& words, Value value) {
  return std::ranges::find_if(words, [&](const auto& one) { return one.value == value; })->word;  // all are there
}
template <class Value, std::size_t count>
std::optional<Value> value_of(const std::array<Word<Value>, count>& words, std::string_view word) {
  for (const auto& one : words) {
    if (word == one.word) return one.value;
  }
  return std::nullopt;
}

bool only_has(std::string_view text, std::string_view marks) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}
bool is_package(std::string_view text) { return !text.empty() && text.size() <= 200 && only_has(text, ".+-_"); }
bool is_architecture(std::string_view text) { return text.empty() || (text.size() <= 60 && only_has(text, "-")); }
bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= 256 && only_has(text, ".+-~:") && version_parts(text).has_value();
}
bool is_kb(std::string_view text) {
  return text.size() >= 8 && text.size() <= 10 && text.starts_with("KB") &&
         text.find_first_not_of("0123456789", 2) == std::string_view::npos;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

Error wrong_line(const std::string& file, std::size_t line, const std::string& why) {
  return configuration_error(fmt::format("{}:{}: {}", printable(file), line, why),
                             "docs/how-to/deploy.md says what it takes");
}

// "bind9:amd64"
InstalledPackage named(std::string_view text) {
  const auto colon = text.find(':');
  InstalledPackage package;
  package.name = text.substr(0, colon);
  if (colon != std::string_view::npos) package.architecture = text.substr(colon + 1);
  return package;
}

// What one line of a stanza of apt's log says: "bind9:amd64 (1, 2), x:amd64 (3, automatic)".
class HistoryLine {
 public:
  HistoryLine(std::string_view verb, std::string_view rest) : verb_(verb), rest_(rest) {}

  Result<std::vector<InstalledPackage>> packages() {
    std::vector<InstalledPackage> all;
    while (!rest_.empty()) {
      const auto open = rest_.find(" (");
      const auto close = open == std::string_view::npos ? open : rest_.find(')', open);
      if (close == std::string_view::npos) return configuration_error("is no list of packages as apt writes it");
      auto package = named(rest_.substr(0, open));
      PATCHLAB_ASSIGN(package.version, version(rest_.substr(open + 2, close - open - 2)));
      if (!is_package(package.name) || !is_architecture(package.architecture))
        return configuration_error(fmt::format("'{}' is no package", printable(package.name)));
      all.push_back(std::move(package));
      rest_.remove_prefix(close + 1);
      if (rest_.starts_with(", ")) rest_.remove_prefix(2);
    }
    return all;
  }

 private:
  // The one that is there afterwards; none after a removal.
  Result<std::string> version(std::string_view inside) const {
    const auto comma = inside.find(", ");
    const bool changes = verb_ == "Upgrade" || verb_ == "Downgrade";
    if (changes && comma == std::string_view::npos) return configuration_error("does not say to which version");
    const auto text = changes ? inside.substr(comma + 2) : inside.substr(0, comma);
    if (!is_version(text)) return configuration_error(fmt::format("'{}' is no version", printable(std::string(text))));
    return verb_ == "Remove" || verb_ == "Purge" ? std::string() : std::string(text);
  }
  std::string_view verb_;
  std::string_view rest_;
};

std::string full_name(const InstalledPackage& package) {
  return package.architecture.empty() ? package.name : package.name + ":" + package.architecture;
}
bool has_dpkg(const std::vector<InstalledPackage>& packages) {
  return std::ranges::find(packages, "dpkg", &InstalledPackage::name) != packages.end();
}

std::string text_rule(const char* what) { return fmt::format("must be {}", what); }

InstalledRow compare(const PromotedPart& part, const InstalledPackage& found) {
  InstalledRow row{part.candidate, part.name, part.version, found.version, InstalledState::as_promoted, found.since};
  if (found.failed)
    row.state = InstalledState::failed;
  else if (found.version.empty())
    row.state = InstalledState::not_installed;
  else if (!is_same_version(found.version, part.version))
    row.state = compare_versions(found.version, part.version) < 0 ? InstalledState::older : InstalledState::newer;
  return row;
}

// Only what WSUS calls installed is.
InstalledState state_of(WsusState said) {
  switch (said) {
    case WsusState::installed: return InstalledState::as_promoted;
    case WsusState::failed: return InstalledState::failed;
    case WsusState::unknown: return InstalledState::not_reported;
    case WsusState::not_applicable:
    case WsusState::installed_pending_reboot:
    case WsusState::downloaded:
    case WsusState::not_installed: break;
  }
  return InstalledState::not_installed;
}

// As 6f0d83cc-1a4e-4d0c-9c1c-2f4b8f5a7d11.
bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_dash ? c != '-' : !is_hex) return false;
  }
  return true;
}

// What stands in a report is written again as it was.
template <std::size_t count, class Value>
Value word_in(JsonReader& reader, const char* key, const std::array<Word<Value>, count>& words) {
  const auto text = reader.text(key);
  const auto value = value_of(words, text);
  if (!value) reader.problem(key, fmt::format("'{}' is no word of this", printable(text)));
  return value.value_or(words.front().value);
}

// One machine's updates of a report of WSUS.
std::map<std::string, WsusState> wsus_updates(JsonReader& reader, std::vector<JsonProblem>& problems) {
  std::map<std::string, WsusState> states;
  std::set<std::string> seen;
  const auto& updates = reader.raw("updates");
  if (!updates.is_array() || updates.size() > most_packages) reader.problem("updates", text_rule("a list"));
  for (std::size_t i = 0; updates.is_array() && i < updates.size(); ++i) {
    JsonReader one(updates[i], fmt::format("/updates/{}", i), problems);
    const auto id = one.text("update");
    if (!is_guid(id)) one.problem("update", text_rule("a GUID in lower case"));
    // Two lines of one update: nobody can say which is true.
    if (!seen.insert(id).second) one.problem("update", "is there twice");
    (void)one.integer("revision", 0, std::numeric_limits<std::int32_t>::max());
    const auto state = word_in(one, "state", wsus_words);
    for (const auto& kb : one.texts_or_empty("kb")) {
      if (!is_kb(kb)) one.problem("kb", fmt::format("'{}' is no KB5035968", printable(kb)));
      const auto [known, is_new] = states.emplace(kb, state);
      if (!is_new) known->second = std::max(known->second, state);
    }
    one.finish();
  }
  return states;
}

bool is_it(const PromotedPart& part, const InstalledPackage& package) {
  const auto any = [](const std::string& architecture) { return architecture.empty() || architecture == "all"; };
  return part.name == package.name &&
         (any(part.architecture) || any(package.architecture) || part.architecture == package.architecture);
}

// One machine a line, as JSON: who and when, and what `more` reads of it.
template <class More>
Result<std::vector<MachineSays>> machines_in_lines(std::string_view text, const std::string& file_name,
                                                   const More& more) {
  std::vector<MachineSays> all;
  std::set<std::string> machines;
  std::size_t number = 0;
  for (const auto line : lines_of(text)) {
    ++number;
    if (trimmed(line).empty()) continue;
    const auto place = fmt::format("{}:{}", file_name, number);
    PATCHLAB_ASSIGN(const auto json, parse_json(std::string(line), place));
    std::vector<JsonProblem> problems;
    JsonReader reader(json, "", problems);
    MachineSays said;
    said.machine = reader.text("machine");
    if (!is_machine_name(said.machine)) reader.problem("machine", text_rule("the name of a machine"));
    if (!machines.insert(said.machine).second) reader.problem("machine", "is in an earlier line, too");
    said.observed = reader.text("observed");
    if (!parse_rfc3339(said.observed)) reader.problem("observed", text_rule("a time as 2026-11-28T22:00:00Z"));
    more(reader, problems, said);
    reader.finish();
    if (!problems.empty()) return problems_error(place, problems);
    all.push_back(std::move(said));
    if (all.size() > most_machines) return wrong_line(file_name, number, "has too many machines");
  }
  if (all.empty()) return wrong_line(file_name, 1, "has no line");
  return all;
}

}  // namespace

const char* to_string(InstalledSource source) { return word_of(source_words, source); }
std::optional<InstalledSource> installed_source_from(std::string_view word) { return value_of(source_words, word); }
const char* to_string(WsusState state) { return word_of(wsus_words, state); }
const char* to_string(InstalledState state) { return word_of(state_words, state); }
const char* to_string(InstalledOutcome outcome) { return word_of(outcome_words, outcome); }

bool is_machine_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' && only_has(text, "._-");
}

InstalledSource source_of_text(std::string_view text) {
  const auto begin = trimmed(text, " \t\r\n");
  if (begin.starts_with("{")) {
    const auto first = json_in(std::string(begin.substr(0, begin.find('\n'))));
    const bool is_wsus = first.is_object() && first.value("schema", Json()) == wsus_report_schema;
    return is_wsus ? InstalledSource::wsus : InstalledSource::json;
  }
  return begin.starts_with("Start-Date:") ? InstalledSource::apt_history : InstalledSource::dpkg_query;
}

Result<MachineSays> from_dpkg_query(std::string_view text, const std::string& file_name) {
  MachineSays said;
  said.says_packages = said.knows_packages = true;
  std::set<std::string> named_before;
  std::size_t number = 0;
  for (const auto line : lines_of(text)) {
    ++number;
    if (trimmed(line).empty()) continue;
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) return wrong_line(file_name, number, "is not 'PACKAGE<tab>VERSION'");
    const auto second = line.find('\t', tab + 1);
    auto package = named(line.substr(0, tab));
    package.version = line.substr(tab + 1, second == std::string_view::npos ? second : second - tab - 1);
    const auto status = second == std::string_view::npos ? "ii" : trimmed(line.substr(second + 1));
    if (!is_package(package.name) || !is_architecture(package.architecture))
      return wrong_line(file_name, number, fmt::format("'{}' is no package", printable(package.name)));
    // Two lists in one, or one that somebody wrote: nobody can say which line is true.
    if (!named_before.insert(full_name(package)).second)
      return wrong_line(file_name, number, fmt::format("'{}' is in an earlier line, too", full_name(package)));
    if (status.size() < 2 || status.size() > 3) return wrong_line(file_name, number, "the third column is no status");
    // The second letter is what is: i installed, n nothing, c only configuration; all others are half of something.
    if (status[1] == 'n' || status[1] == 'c') continue;
    if (package.version.empty()) continue;  // known to dpkg and not installed
    package.failed = status[1] != 'i';
    if (!is_version(package.version))
      return wrong_line(file_name, number, fmt::format("'{}' is no version", printable(package.version)));
    said.packages.push_back(std::move(package));
    if (said.packages.size() > most_packages) return wrong_line(file_name, number, "has too many packages");
  }
  if (said.packages.empty()) return wrong_line(file_name, 1, "lists no package: no machine has none");
  if (!text.ends_with('\n')) return wrong_line(file_name, number, "has no end of line: the list was cut");
  if (!has_dpkg(said.packages))
    return wrong_line(file_name, number,
                      "is the end, and 'dpkg' was not in the list, which every machine has: it was cut");
  return said;
}

Result<MachineSays> from_apt_history(std::string_view text, const std::string& file_name) {
  constexpr std::array verbs{"Install", "Reinstall", "Upgrade", "Downgrade", "Remove", "Purge"};
  std::map<std::string, InstalledPackage> newest;
  std::vector<InstalledPackage> stanza;
  std::string since;
  bool failed = false;
  bool ended = false;
  const auto end_stanza = [&] {
    for (auto& package : stanza) {
      package.since = since;
      package.failed = failed || !ended;  // apt was killed halfway
      newest[package.name + ":" + package.architecture] = std::move(package);
    }
    stanza.clear();
    since.clear();
    failed = ended = false;
  };
  std::size_t number = 0;
  bool seen = false;
  for (const auto line : lines_of(text)) {
    ++number;
    if (trimmed(line).empty()) {
      end_stanza();
      continue;
    }
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) return wrong_line(file_name, number, "is no line of apt's log");
    const auto key = line.substr(0, colon);
    const auto value = line.substr(colon + 2);
    if (key == "Start-Date") {
      end_stanza();
      seen = true;
      since = printable(std::string(trimmed(value)));
      if (since.size() > 40) return wrong_line(file_name, number, "is no date");
    } else if (key == "Error") {
      failed = true;
    } else if (key == "End-Date") {
      ended = true;
    } else if (std::ranges::count(verbs, key) > 0) {
      auto packages = HistoryLine(key, trimmed(value)).packages();
      if (!packages) return wrong_line(file_name, number, packages.error().message);
      std::ranges::move(*packages, std::back_inserter(stanza));
      if (stanza.size() + newest.size() > most_packages) return wrong_line(file_name, number, "has too many packages");
    }
  }
  end_stanza();
  if (!seen) return wrong_line(file_name, 1, "is no log of apt: no line begins with 'Start-Date:'");
  MachineSays said;
  said.says_packages = true;
  for (auto& [key, package] : newest) said.packages.push_back(std::move(package));
  return said;
}

Result<std::vector<MachineSays>> from_json_lines(std::string_view text, const std::string& file_name) {
  return machines_in_lines(
      text, file_name, [](JsonReader& reader, std::vector<JsonProblem>& problems, MachineSays& said) {
        said.says_packages = reader.has("packages");
        if (said.says_packages) {
          std::set<std::string> named_before;
          const auto& packages = reader.raw("packages");
          if (!packages.is_array() || packages.size() > most_packages) reader.problem("packages", text_rule("a list"));
          for (std::size_t i = 0; packages.is_array() && i < packages.size(); ++i) {
            JsonReader one(packages[i], fmt::format("/packages/{}", i), problems);
            InstalledPackage package{one.text("name"), one.text_or("architecture", ""), one.text("version")};
            one.finish();
            if (!is_package(package.name)) one.problem("name", text_rule("the name of a package"));
            if (!is_architecture(package.architecture)) one.problem("architecture", text_rule("an architecture"));
            if (!is_version(package.version)) one.problem("version", text_rule("a version of Debian"));
            if (!named_before.insert(full_name(package)).second)
              one.problem("name", fmt::format("'{}' is there twice", printable(full_name(package))));
            said.packages.push_back(std::move(package));
          }
          said.knows_packages = has_dpkg(said.packages);
        }
        said.knows_updates = reader.has("updates");
        if (said.knows_updates) {
          for (const auto& update : reader.texts_or_empty("updates")) {
            if (!is_kb(update)) reader.problem("updates", fmt::format("'{}' is no KB5035968", printable(update)));
            said.updates.insert(update);
          }
        }
        if (!said.says_packages && !said.knows_updates)
          reader.problem("machine", "neither packages nor updates are said");
      });
}

Result<std::vector<MachineSays>> from_wsus_report(std::string_view text, const std::string& file_name) {
  PATCHLAB_ASSIGN(
      auto all,
      machines_in_lines(text, file_name, [](JsonReader& reader, std::vector<JsonProblem>& problems, MachineSays& said) {
        if (reader.text("schema") != wsus_report_schema)
          reader.problem("schema", fmt::format("must be '{}', as report.ps1 writes it", wsus_report_schema));
        said.knows_updates = true;
        said.wsus = wsus_updates(reader, problems);
      }));
  if (!text.ends_with('\n'))
    return wrong_line(file_name, lines_of(text).size(), "has no end of line: the report was cut");
  return all;
}

MachineReport compare_installed(const MachineSays& said, const std::vector<PromotedPart>& promoted) {
  MachineReport report{said.machine, said.observed, {}};
  for (const auto& part : promoted) {
    InstalledRow row{part.candidate, part.name, part.version, {}, InstalledState::not_reported};
    if (part.version.empty()) {
      row.promoted = part.name;
      if (!said.knows_updates && said.says_packages) {
        row.state = InstalledState::not_for_it;
      } else if (said.wsus) {
        if (const auto known = said.wsus->find(part.name); known != said.wsus->end()) {
          row.state = state_of(known->second);
          row.found = row.state == InstalledState::as_promoted ? part.name : to_string(known->second);
        }
      } else if (said.knows_updates && is_kb(part.name)) {
        const bool there = said.updates.contains(part.name);
        row.state = there ? InstalledState::as_promoted : InstalledState::not_installed;
        if (there) row.found = part.name;
      }
    } else {
      const auto found =
          std::ranges::find_if(said.packages, [&](const InstalledPackage& package) { return is_it(part, package); });
      if (found != said.packages.end())
        row = compare(part, *found);
      else if (said.knows_packages)
        row.state = InstalledState::not_installed;
      else if (!said.says_packages && said.knows_updates)
        row.state = InstalledState::not_for_it;
    }
    report.rows.push_back(std::move(row));
  }
  return report;
}

MachineReport compare_by_hand(const std::string& machine, const std::string& observed, const std::string& file_name,
                              const std::string& sha256, const std::vector<PromotedPart>& promoted) {
  MachineReport report{machine, observed, {}};
  bool is_known = false;
  for (const auto& part : promoted) {
    InstalledRow row{part.candidate, part.name, part.sha256, {}, InstalledState::not_reported, {}};
    if (part.sha256 == sha256) {
      row.found = sha256;
      row.state = InstalledState::as_promoted;
      row.since = observed;
      is_known = true;
    }
    report.rows.push_back(std::move(row));
  }
  if (!is_known)
    report.rows.push_back({{}, printable(file_name).substr(0, 200), {}, sha256, InstalledState::other_bytes, observed});
  return report;
}

Result<void> refuse_future(const std::string& machine, const std::string& observed,
                           std::chrono::system_clock::time_point now) {
  const auto time = parse_rfc3339(observed);
  if (!time || *time <= now + std::chrono::hours(24)) return {};
  return configuration_error(
      fmt::format("'{}' was observed at {}, and here it is {}", printable(machine), printable(observed), rfc3339(now)),
      "more than a day ahead: a clock is wrong, that machine's or this one's");
}

Result<void> refuse_future(const std::vector<MachineReport>& machines, std::chrono::system_clock::time_point now) {
  for (const auto& machine : machines) PATCHLAB_TRY(refuse_future(machine.machine, machine.observed, now));
  return {};
}

MachineReport::Open MachineReport::open() const {
  Open open;
  for (const auto& row : rows) {
    if (row.candidate.empty() || row.state == InstalledState::not_for_it) continue;
    ++open.of;
    // A row of an update has its number on both sides, since it has no version.
    const bool is_update = row.promoted == row.name;
    const bool is_unlisted = row.state == InstalledState::not_installed && is_update;
    if (row.state == InstalledState::not_reported || is_unlisted) ++open.parts;
  }
  return open;
}

InstalledOutcome MachineReport::outcome() const {
  bool any = false;
  for (const auto& row : rows) {
    switch (row.state) {
      case InstalledState::older:
      case InstalledState::newer:
      case InstalledState::other_bytes:
      case InstalledState::failed: return InstalledOutcome::differs;
      case InstalledState::as_promoted: any = true; break;
      case InstalledState::not_installed:
      case InstalledState::not_reported:
      case InstalledState::not_for_it: break;
    }
  }
  return any && open().parts == 0 ? InstalledOutcome::as_promoted : InstalledOutcome::unknown;
}

InstalledOutcome DeployedReport::outcome() const {
  auto worst = InstalledOutcome::as_promoted;
  for (const auto& machine : machines) {
    const auto one = machine.outcome();
    if (one == InstalledOutcome::differs) return one;
    if (one == InstalledOutcome::unknown) worst = one;
  }
  return machines.empty() ? InstalledOutcome::unknown : worst;
}

Json deployed_json(const DeployedReport& report) {
  Json machines = Json::array();
  for (const auto& machine : report.machines) {
    Json rows = Json::array();
    for (const auto& row : machine.rows) {
      Json one{{"name", row.name}, {"state", to_string(row.state)}};
      if (!row.candidate.empty()) one["candidate"] = row.candidate;
      if (!row.promoted.empty()) one["promoted"] = row.promoted;
      if (!row.found.empty()) one["found"] = row.found;
      if (!row.since.empty()) one["since"] = row.since;
      rows.push_back(std::move(one));
    }
    machines.push_back({{"machine", machine.machine},
                        {"observed", machine.observed},
                        {"outcome", to_string(machine.outcome())},
                        {"rows", std::move(rows)}});
  }
  return {{"schema", deployed_schema},      {"department", report.department},    {"promotion", report.promotion},
          {"serial", report.serial},        {"source", to_string(report.source)}, {"file", report.file},
          {"machines", std::move(machines)}};
}

Result<DeployedReport> deployed_from_json(const Json& json, const std::string& file_name) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  DeployedReport report;
  if (reader.text("schema") != deployed_schema) reader.problem("schema", fmt::format("must be '{}'", deployed_schema));
  report.department = reader.text("department");
  if (!is_scenario_name(report.department)) reader.problem("department", scenario_name_rule);
  report.promotion = reader.text("promotion");
  report.serial = static_cast<std::uint64_t>(reader.integer("serial", 1, largest_serial));
  report.source = word_in(reader, "source", source_words);
  report.file = reader.text("file");
  for (const auto& [key, digest] : {std::pair<const char*, std::string>{"promotion", report.promotion},
                                    std::pair<const char*, std::string>{"file", report.file}}) {
    if (!is_sha256(digest)) reader.problem(key, "must be a SHA-256");
  }
  const auto& machines = reader.raw("machines");
  if (!machines.is_array() || machines.empty()) reader.problem("machines", "must be a list with at least one machine");
  for (std::size_t i = 0; machines.is_array() && i < machines.size(); ++i) {
    const auto at = fmt::format("/machines/{}", i);
    JsonReader one(machines[i], at, problems);
    MachineReport machine{one.text("machine"), one.text("observed"), {}};
    if (!is_machine_name(machine.machine)) one.problem("machine", text_rule("the name of a machine"));
    if (!parse_rfc3339(machine.observed)) one.problem("observed", text_rule("a time"));
    const auto& rows = one.raw("rows");
    if (!rows.is_array()) one.problem("rows", "must be a list");
    for (std::size_t j = 0; rows.is_array() && j < rows.size(); ++j) {
      JsonReader entry(rows[j], fmt::format("{}/rows/{}", at, j), problems);
      InstalledRow row;
      row.name = entry.text("name");
      row.candidate = entry.text_or("candidate", "");
      row.promoted = entry.text_or("promoted", "");
      row.found = entry.text_or("found", "");
      row.since = entry.text_or("since", "");
      row.state = word_in(entry, "state", state_words);
      entry.finish();
      machine.rows.push_back(std::move(row));
    }
    // It is made of the rows; another one is a lie about them.
    if (one.text("outcome") != to_string(machine.outcome())) one.problem("outcome", "is not that of its rows");
    one.finish();
    report.machines.push_back(std::move(machine));
  }
  reader.finish();
  if (!problems.empty()) return problems_error(file_name, problems);
  return report;
}

}  // namespace patchlab::promotion

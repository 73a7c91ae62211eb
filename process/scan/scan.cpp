// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/scan/scan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "lab/core/debian_version.hpp"

namespace patchlab::process {
namespace {

constexpr int known_severities = 9;
// Debian's words, Microsoft's and those of changelogs, from the worst on; others are of no known weight, and count as
// worse.
int severity_rank(const std::string& word) {
  constexpr std::array<std::string_view, known_severities> words{
      "unimportant", "end-of-life", "low", "medium", "moderate", "high", "important", "critical", "emergency"};
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? static_cast<int>(words.size()) : static_cast<int>(found - words.begin());
}
bool is_known_severity(const std::string& word) { return severity_rank(word) < known_severities; }

std::string named(const std::string& package, const std::string& version) { return package + " " + version; }

void join(std::string& list, const std::string& text) { list += (list.empty() ? "" : ", ") + text; }

// What the tracker says of one source package as it is installed.
struct Tracked {
  struct Fix {
    std::string vulnerability, fixed_version, urgency;
  };
  std::vector<Fix> fixes;  // in versions newer than the installed one
  std::vector<std::string> open;
};

// A vulnerability that an update closes.
struct Found {
  std::string urgency;  // Debian's word
  std::set<NeededPackage> needs;
  void add(const std::set<NeededPackage>& more) { needs.insert(more.begin(), more.end()); }
};

class MachineScan {
 public:
  MachineScan(const ScanInput& input, const ScannedMachine& machine) : input_(input), machine_(machine) {
    for (const auto& package : machine.packages) {
      sources_.try_emplace(package.source, package.source_version);
      auto& version = sources_[package.source];
      // Packages of one source may have come at different times: what is oldest counts.
      if (compare_versions(package.source_version, version) < 0) version = package.source_version;
    }
    for (const auto& [source, version] : sources_) tracked_[source] = tracked(source, version);
    find_out_whether_the_tracker_answers();
  }

  std::vector<ScanRow> run() {
    if (!machine_.not_known.empty()) {
      auto row = empty_row("");
      row.why = machine_.not_known;
      rows_.push_back(std::move(row));
    }
    if (machine_.windows && machine_.not_known.empty() && !machine_.offers_not_known.empty()) {
      auto row = empty_row("");
      row.why = machine_.offers_not_known;
      rows_.push_back(std::move(row));
    }
    for (const auto& offer : machine_.offers) add(offer);
    find_superseded();
    if (machine_.not_known.empty()) {
      for (const auto& [source, version] : sources_) add_source(source, version);
    }
    return std::move(rows_);
  }
  [[nodiscard]] const std::vector<NotKnown>& not_known() const { return not_known_; }

 private:
  // That it names no vulnerability of a release that it does not know means nothing.
  void find_out_whether_the_tracker_answers() {
    const auto& state = input_.feeds.state(FeedKind::debian_tracker);
    tracker_answers_ = state.usable() && input_.feeds.tracker_releases.contains(machine_.release);
    // One that cannot be used is told once for all machines, and so is a machine of which nothing is known.
    if (machine_.windows || tracker_answers_ || !state.usable() || !machine_.not_known.empty()) return;
    const auto& traits = traits_of(FeedKind::debian_tracker);
    not_known_.push_back(
        {traits.tells,
         machine_.release.empty()
             ? fmt::format("which release of Debian {}/{} runs is not known", machine_.department, machine_.machine)
             : fmt::format("feed '{}' says nothing of release '{}'", traits.name, machine_.release)});
  }

  [[nodiscard]] ScanRow empty_row(const std::string& item) const {
    ScanRow row;
    row.department = machine_.department;
    row.machine = machine_.machine;
    row.item = item;
    return row;
  }

  [[nodiscard]] Tracked tracked(const std::string& source, const std::string& version) const {
    Tracked found;
    const auto entries = input_.feeds.tracker.find(source);
    if (entries == input_.feeds.tracker.end()) return found;
    for (const auto& entry : entries->second) {
      if (entry.release != machine_.release) continue;
      // "0": it was never vulnerable.
      if (entry.status == TrackerEntry::Status::resolved) {
        if (entry.fixed_version != "0" && compare_versions(version, entry.fixed_version) < 0)
          found.fixes.push_back({entry.vulnerability, entry.fixed_version, entry.urgency});
      } else {
        found.open.push_back(entry.vulnerability);
      }
    }
    return found;
  }

  [[nodiscard]] const ScannedPackage* installed(const OfferedFile& file) const {
    const auto is_it = [&](const ScannedPackage& package) {
      return package.package == file.package &&
             (package.architecture == file.architecture || package.architecture == "all" || file.architecture == "all");
    };
    const auto found = std::ranges::find_if(machine_.packages, is_it);
    return found == machine_.packages.end() ? nullptr : &*found;
  }

  void add(const Offer& offer) {
    auto row = empty_row(offer.id);
    row.warnings = offer.notes;
    for (const auto& file : offer.files)
      join(row.offered, file.name.empty() ? named(file.package, file.version) : file.name);
    std::size_t there = 0, older = 0;
    for (const auto& file : offer.files) {
      const auto* package = installed(file);
      if (package == nullptr) continue;
      ++there;
      join(row.installed, named(package->package, package->version));
      if (!is_at_least(package->version, file.version)) ++older;
    }
    if (!offer.not_for_it.empty()) {
      row.status = RowStatus::not_applicable;
      row.why = offer.not_for_it;
    } else if (!offer.not_known.empty() || !machine_.not_known.empty()) {
      row.status = RowStatus::unknown;
      row.why = offer.not_known.empty() ? machine_.not_known : offer.not_known;
    } else if (offer.decided) {
      row.status = offer.decided->status;
      row.why = offer.decided->why;
      row.superseded_by = offer.decided->superseded_by;
      if (row.status == RowStatus::installed) row.installed = offer.kb;
    } else if (there == 0) {
      row.status = RowStatus::not_applicable;
      row.why = "none of its packages is installed";
    } else if (older == 0) {
      row.status = RowStatus::installed;
      row.why = "what is installed is as new, or newer";
    } else {
      row.status = RowStatus::missing;
      row.why = offer.title;
    }
    const bool matters = row.status == RowStatus::missing || row.status == RowStatus::unknown;
    if (matters) judge_known_bad(offer, row);
    if (matters) tell_failures(offer, row);
    if (matters && machine_.not_known.empty()) find_vulnerabilities(offer, row);
    if (row.status == RowStatus::missing) missing_.push_back({&offer, rows_.size()});
    rows_.push_back(std::move(row));
  }

  void judge_known_bad(const Offer& offer, ScanRow& row) const {
    for (const auto& bad : input_.feeds.known_bad) {
      const auto says = fmt::format("'{}': {} ({})", bad.id, bad.symptom, bad.source) +
                        (bad.is_open ? "" : fmt::format("; fixed by {}", bad.fixed_by));
      for (const auto& match : bad.match) {
        const auto is_it = [&](const OfferedFile& file) {
          return !match.sha256.empty() && file.sha256 == match.sha256;
        };
        const auto is_called_so = [&](const OfferedFile& file) {
          return !match.package.empty() && file.package == match.package &&
                 is_same_version(file.version, match.version);
        };
        if (std::ranges::any_of(offer.files, is_it)) {
          row.status = RowStatus::known_bad;
          row.why = says;
        } else if (std::ranges::any_of(offer.files, is_called_so) || (!match.kb.empty() && match.kb == offer.kb)) {
          row.warnings.push_back("may be known to be bad: " + says +
                                 (bad.checks.empty() ? "" : fmt::format("; look at {}", fmt::join(bad.checks, ", "))));
        }
      }
    }
  }

  // It stays missing: a run tries it again when its time is over, or something beside it is new (ADR 25).
  void tell_failures(const Offer& offer, ScanRow& row) const {
    for (const auto& failure : input_.failures) {
      const auto are_its_bytes = [&](const OfferedFile& file) { return failure.sha256.contains(file.sha256); };
      if (failure.department != machine_.department || std::ranges::none_of(offer.files, are_its_bytes)) continue;
      const auto with = failure.with.empty() ? "" : fmt::format(", together with {}", fmt::join(failure.with, ", "));
      // The reason of a run names what it broke.
      const auto why = failure.reason.empty() ? fmt::format("{}", fmt::join(failure.failed, ", ")) : failure.reason;
      row.warnings.push_back(fmt::format("{}: run {} of {}, on {}{}: {}", failed_here, failure.run, failure.day,
                                         fmt::join(failure.roles, ", "), with, why));
    }
  }

  void find_vulnerabilities(const Offer& offer, ScanRow& row) {
    std::map<std::string, Found> found;
    for (const auto& cve : offer.cves.value_or(std::vector<std::string>())) found[cve].add(needs_of(offer, {}));
    std::set<std::string> sources;
    for (const auto& file : offer.files) {
      const auto* package = installed(file);
      if (package == nullptr || file.source_version.empty() || !sources.insert(file.source).second) continue;
      auto& at = tracked_[file.source];
      const auto closes = [&](const Tracked::Fix& fix) { return is_at_least(file.source_version, fix.fixed_version); };
      for (const auto& fix : at.fixes) {
        if (!closes(fix)) continue;
        found[fix.vulnerability].urgency = fix.urgency;
        found[fix.vulnerability].add(needs_of(offer, file.source));
      }
      // What no offer closes is told by the row of the source.
      std::erase_if(at.fixes, closes);
      offered_[file.source].push_back(rows_.size());
    }
    const bool tracker_says = tracker_answers_ && !sources.empty();
    if (!offer.cves && !tracker_says) found[""].add(needs_of(offer, {}));  // nobody could say: counts as the worst
    take(found, row);
    if (!is_known_severity(row.severity) && !offer.urgency.empty()) {
      row.severity = offer.urgency;
      row.severity_from = offer.urgency_from;
    }
  }

  // Of the offer, or of one source of it, what the machine has in an older version.
  [[nodiscard]] std::set<NeededPackage> needs_of(const Offer& offer, const std::string& source) const {
    std::set<NeededPackage> needs;
    for (const auto& file : offer.files) {
      if (!source.empty() && file.source != source) continue;
      const auto* package = installed(file);
      if (package == nullptr || is_at_least(package->version, file.version)) continue;
      needs.insert({file.package + ":" + file.architecture, file.version});
    }
    return needs;
  }

  void take(const std::map<std::string, Found>& found, ScanRow& row) const {
    row.severity = "unknown";
    for (const auto& [cve, one] : found) {
      const auto& urgency = one.urgency;
      row.vulnerabilities.push_back(vulnerability(cve, urgency, row.item));
      row.vulnerabilities.back().needs.assign(one.needs.begin(), one.needs.end());
      if (!is_known_severity(urgency)) continue;
      if (row.severity_from.empty() || severity_rank(urgency) > severity_rank(row.severity)) row.severity = urgency;
      row.severity_from = "tracker";
    }
    std::ranges::stable_sort(row.vulnerabilities, worse);
  }

  [[nodiscard]] VulnerabilityRow vulnerability(const std::string& cve, const std::string& urgency,
                                               const std::string& item) const {
    VulnerabilityRow row;
    row.cve = cve;
    row.severity = urgency;
    Facts facts;
    facts[Fact::exposed] = machine_.exposed;
    if (machine_.importance) facts[Fact::importance] = static_cast<std::size_t>(*machine_.importance);
    const auto& feeds = input_.feeds;
    // The catalogue lists CVEs: it says nothing of what has another number, or none.
    if (feeds.state(FeedKind::kev).usable() && is_cve(cve)) {
      const auto exploited = feeds.kev.find(cve);
      facts[Fact::exploited] = exploited != feeds.kev.end();
      if (exploited != feeds.kev.end()) row.exploited_since = exploited->second;
    }
    if (const auto score = feeds.epss.find(cve); score != feeds.epss.end()) row.epss = score->second;
    if (const auto record = feeds.records.find(cve); record != feeds.records.end()) {
      facts[Fact::automatable] = record->second.automatable;
      facts[Fact::total_impact] = record->second.total_impact;
    }
    row.decision = decide(input_.table, facts);
    const auto before = input_.first_named.find(first_named_as(cve, item));
    row.since = before == input_.first_named.end() ? input_.today : std::min(before->second, input_.today);
    if (row.decision.row.days) row.due = row.since + std::chrono::days(*row.decision.row.days);
    return row;
  }

  // Due date, exploited, likelihood, severity, number: what is not known comes before what is known to be less.
  static auto weight(const VulnerabilityRow& row) {
    const auto exploited = row.decision.facts[Fact::exploited];
    return std::tuple(row.due.value_or(Day::max()), exploited ? (*exploited > 0 ? 0 : 2) : 1,
                      row.epss ? -row.epss->probability : -2.0, -severity_rank(row.severity));
  }
  static bool worse(const VulnerabilityRow& a, const VulnerabilityRow& b) {
    return std::tuple(weight(a), a.cve) < std::tuple(weight(b), b.cve);
  }
  friend bool worse_row(const ScanRow& a, const ScanRow& b);

  // A candidate names what it replaces, or another brings all its packages in newer versions. Of those that replace
  // each other in a circle none is superseded by another one of it: something has to stay missing.
  void find_superseded() {
    std::vector<std::vector<std::size_t>> newer(missing_.size());
    for (std::size_t i = 0; i < missing_.size(); ++i) {
      for (std::size_t k = 0; k < missing_.size(); ++k) {
        if (i != k && replaces(*missing_[k].offer, *missing_[i].offer)) newer[i].push_back(k);
      }
    }
    std::vector<std::set<std::size_t>> reached;
    for (std::size_t i = 0; i < missing_.size(); ++i) reached.push_back(reached_from(i, newer));
    for (std::size_t i = 0; i < missing_.size(); ++i) {
      const auto is_outside = [&](std::size_t k) { return !reached[k].contains(i); };
      if (const auto by = std::ranges::find_if(newer[i], is_outside); by != newer[i].end()) {
        auto& row = rows_[missing_[i].row];
        row.status = RowStatus::superseded;
        row.superseded_by = missing_[*by].offer->id;
        row.why = fmt::format("'{}' brings the same in newer versions, or says that it replaces it", row.superseded_by);
      }
      if (!reached[i].contains(i)) continue;
      std::set<std::string> circle;
      for (const auto k : reached[i]) {
        if (reached[k].contains(i)) circle.insert("'" + missing_[k].offer->id + "'");
      }
      note_not_known({fmt::format("which of {} is the newest", fmt::join(circle, ", ")), "they replace each other"});
    }
  }
  static bool replaces(const Offer& other, const Offer& offer) {
    return std::ranges::count(other.supersedes, offer.id) > 0 || brings_newer(other, offer);
  }
  static std::set<std::size_t> reached_from(std::size_t from, const std::vector<std::vector<std::size_t>>& newer) {
    std::set<std::size_t> reached;
    std::vector<std::size_t> open = newer[from];
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (reached.insert(at).second) open.insert(open.end(), newer[at].begin(), newer[at].end());
    }
    return reached;
  }
  void note_not_known(NotKnown one) {
    if (std::ranges::count(not_known_, one) == 0) not_known_.push_back(std::move(one));
  }
  static bool brings_newer(const Offer& other, const Offer& offer) {
    return !offer.files.empty() && std::ranges::all_of(offer.files, [&](const OfferedFile& file) {
      return std::ranges::any_of(other.files, [&](const OfferedFile& newer) {
        return newer.package == file.package && newer.architecture == file.architecture &&
               compare_versions(newer.version, file.version) > 0;
      });
    });
  }

  // A source package of which nothing is on offer, or not what the tracker knows of.
  void add_source(const std::string& source, const std::string& version) {
    const auto& at = tracked_[source];
    auto row = empty_row(source);
    row.installed = named(source, version);
    row.open = at.open.size();
    for (const auto& cve : at.open) {
      if (input_.feeds.kev.contains(cve)) row.open_exploited.push_back(cve);
    }
    if (!at.fixes.empty()) {
      std::map<std::string, Found> found;
      std::string newest;
      for (const auto& fix : at.fixes) {
        found[fix.vulnerability].urgency = fix.urgency;
        if (newest.empty() || compare_versions(newest, fix.fixed_version) < 0) newest = fix.fixed_version;
      }
      row.status = RowStatus::unknown;
      row.why = fmt::format(
          "Debian's tracker says that {} of its vulnerabilities are fixed in versions up to {}, and the "
          "apt sources offer none of these",
          found.size(), newest);
      take(found, row);
    } else if (const auto offers = offered_.find(source); offers != offered_.end()) {
      tell_open(row, offers->second);  // the offer's row says it all
      return;
    } else if (!machine_.offers_not_known.empty()) {
      row.status = RowStatus::unknown;
      row.why = machine_.offers_not_known;
    } else {
      row.status = RowStatus::installed;
      row.why = "nothing newer is on offer";
    }
    rows_.push_back(std::move(row));
  }

  // What no update closes, in the row of the update that is there.
  void tell_open(const ScanRow& of_source, const std::vector<std::size_t>& offers) {
    const auto counts = [&](std::size_t place) { return rows_[place].status != RowStatus::superseded; };
    const auto found = std::ranges::find_if(offers, counts);
    auto& row = rows_[found == offers.end() ? offers.front() : *found];
    row.open += of_source.open;
    for (const auto& cve : of_source.open_exploited) {
      if (std::ranges::count(row.open_exploited, cve) == 0) row.open_exploited.push_back(cve);
    }
  }

  struct Missing {
    const Offer* offer;
    std::size_t row;
  };

  const ScanInput& input_;
  const ScannedMachine& machine_;
  std::map<std::string, std::string> sources_;
  std::map<std::string, Tracked> tracked_;
  bool tracker_answers_ = false;
  std::map<std::string, std::vector<std::size_t>> offered_;  // source: rows of what there is of it
  std::vector<Missing> missing_;
  std::vector<ScanRow> rows_;
  std::vector<NotKnown> not_known_;
};

// Worst first. What decides nothing stands behind what does, and a row of which nothing is known before all.
bool worse_row(const ScanRow& a, const ScanRow& b) {
  const auto weight = [](const ScanRow& row) {
    const auto* decides = row.deciding();
    const bool nothing_known = decides == nullptr && row.status == RowStatus::unknown;
    const auto likely = decides == nullptr ? std::tuple(Day::max(), 3, 1.0, 0) : MachineScan::weight(*decides);
    const bool is_settled = row.status == RowStatus::superseded;  // what replaces it is in a row of its own
    return std::tuple(nothing_known                       ? 0
                      : decides != nullptr && !is_settled ? 1
                                                          : 2,
                      std::get<0>(likely), std::get<1>(likely), std::get<2>(likely), -severity_rank(row.severity),
                      row.status, row.item, row.department, row.machine);
  };
  return weight(a) < weight(b);
}

}  // namespace

std::string first_named_as(const std::string& cve, const std::string& item) { return cve.empty() ? "?" + item : cve; }

const char* to_string(RowStatus status) {
  switch (status) {
    case RowStatus::unknown: return "unknown";
    case RowStatus::missing: return "missing";
    case RowStatus::known_bad: return "known-bad";
    case RowStatus::superseded: return "superseded";
    case RowStatus::not_applicable: return "not-applicable";
    case RowStatus::installed: return "installed";
  }
  return "";
}

bool ScanResult::whole() const {
  const auto is_settled = [](const ScanRow& row) {
    return row.status != RowStatus::unknown &&
           std::ranges::all_of(row.vulnerabilities, [](const auto& one) { return one.decision.settled; });
  };
  return not_known.empty() && std::ranges::all_of(feeds, &FeedState::usable) && std::ranges::all_of(rows, is_settled);
}

std::size_t ScanResult::count(RowStatus status) const {
  return static_cast<std::size_t>(std::ranges::count(rows, status, &ScanRow::status));
}

std::set<std::string> cves_of(const std::vector<ScannedMachine>& machines) {
  std::set<std::string> cves;
  for (const auto& machine : machines) {
    for (const auto& offer : machine.offers) {
      if (offer.cves) cves.insert(offer.cves->begin(), offer.cves->end());
    }
  }
  return cves;
}

std::set<std::string> sources_of(const std::vector<ScannedMachine>& machines) {
  std::set<std::string> sources;
  for (const auto& machine : machines) {
    for (const auto& package : machine.packages) sources.insert(package.source);
  }
  return sources;
}

ScanResult scan(const ScanInput& input) {
  ScanResult result;
  result.today = input.today;
  result.table_title = input.table.title;
  result.table_digest = input.table.digest;
  result.table_origin = input.table.origin;
  result.feeds = input.feeds.states;
  result.not_known = input.not_known;
  result.catalogue_signature = input.catalogue_signature;
  if (const auto& one = input.catalogue_signature;
      one && one->is_asked && one->state != CatalogueSignature::State::by_microsoft)
    result.not_known.push_back({"whether Microsoft published its catalogue", signature_text(*one)});
  for (const auto& state : input.feeds.states) {
    const auto& traits = traits_of(state.kind);
    if (!state.usable())
      result.not_known.push_back({traits.tells, fmt::format("feed '{}' {}", traits.name, state.unusable)});
  }
  for (const auto& machine : input.machines) {
    MachineScan of_machine(input, machine);
    auto rows = of_machine.run();
    std::ranges::move(rows, std::back_inserter(result.rows));
    for (const auto& one : of_machine.not_known()) {
      if (std::ranges::count(result.not_known, one) == 0) result.not_known.push_back(one);
    }
  }
  std::ranges::stable_sort(result.rows, worse_row);
  return result;
}

}  // namespace patchlab::process

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/desk/people.hpp"
#include "promotion/evidence/bundle_chain.hpp"
#include "promotion/evidence/past_reviews.hpp"
#include "promotion/evidence/signed_lines.hpp"
#include "promotion/evidence/witness.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/policy/in_force.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "promotion/stage/version_folder.hpp"
#include "reports/record/kept_files.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_document = 64U << 20U;
constexpr const char* head_namespace = "patchlab.head.v1";

// What is asked of one department, as far as it is known.
struct Story {
  const PromotionStory* promotion = nullptr;
  Statement statement;         // of the promotion
  Moment when;                 // it began
  std::uint64_t run_line = 0;  // 0: not found
  std::uint64_t begin_line = 0;
  std::string tested;  // digest of the set that the run ended with; another one may be promoted if it was tried too
  std::vector<std::string> submitters;
  std::optional<reports::RunRecord> record;
  std::optional<Manifest> manifest;
  std::optional<Policy> policy;
  std::vector<Policy> policies;     // all that were put in force before
  std::vector<PastReview> reviews;  // of emergency promotions before
  Decisions decisions;
  PeopleOn people;
};

// Those of trust are read by read_trust; that a promotion went on says nothing of its own.
bool has_own_statement(ChainKind kind) {
  return History::has_statement(kind) && kind != ChainKind::trust && kind != ChainKind::promote_switched &&
         kind != ChainKind::promote_done;
}

class Proving {
 public:
  Proving(ProcessRunner& processes, fs::path folder, bool of_bundle, const ProofQuestion& question)
      : processes_(processes),
        folder_(std::move(folder)),
        ledger_(of_bundle ? folder_ : folder_ / chain_folder_name),
        objects_(ledger_ / "objects"),
        question_(question) {
    proof_.of_bundle = of_bundle;
  }

  Result<Proof> run(const std::string& only) {
    PATCHLAB_TRY(look_at_files());
    if (!only.empty()) {
      std::erase_if(proof_.departments, [&](const auto& check) { return check.department != only; });
      std::erase_if(proof_.links,
                    [&](const auto& link) { return !link.department.empty() && link.department != only; });
    }
    if (!is_read_) return std::move(proof_);
    PATCHLAB_TRY(look_at_trust());
    PATCHLAB_TRY(look_at_every_line());
    for (const auto& check : proof_.departments) {
      PATCHLAB_TRY(look_at_department(check));
    }
    look_at_evidence_of_bundle();
    PATCHLAB_TRY(look_at_head());
    return std::move(proof_);
  }

 private:
  void add(const std::string& department, LinkKind kind, LinkState state, std::string text) {
    proof_.links.push_back({department, kind, state, std::move(text)});
  }
  void holds(const std::string& department, LinkKind kind, std::string text) {
    add(department, kind, LinkState::holds, std::move(text));
  }
  void broken(const std::string& department, LinkKind kind, std::string text) {
    add(department, kind, LinkState::broken, std::move(text));
  }
  void missing(const std::string& department, LinkKind kind, std::string text) {
    add(department, kind, LinkState::missing, std::move(text));
  }
  [[nodiscard]] const std::vector<ChainLine>& lines() const { return chain_.state.lines; }
  [[nodiscard]] const ChainLine& line(std::uint64_t seq) const { return lines()[seq - 1]; }
  [[nodiscard]] bool lacks(std::uint64_t seq) const { return chain_.lacks[seq - 1]; }

  // --- what lies there, and the ledger as a whole
  Result<void> look_at_files() { return proof_.of_bundle ? look_at_bundle() : look_at_stage(); }

  Result<void> look_at_stage() {
    const Chain chain(ledger_);
    auto proven = prove_stage(folder_);
    if (!proven) {
      auto checks = verify_stage(folder_);
      if (!checks && !chain.exists()) return std::move(checks).error();
      if (checks) proof_.departments = std::move(*checks);
      for (const auto& check : proof_.departments) say_stage(check);
      broken({}, LinkKind::ledger, proven.error().message);
      return {};
    }
    proof_.departments = std::move(proven->departments);
    for (const auto& check : proof_.departments) say_stage(check);
    if (!proven->ledger) {
      look_without_ledger();
      return {};
    }
    proof_.notes = std::move(proven->ledger->notes);
    PATCHLAB_ASSIGN(chain_.state, chain.read());
    chain_.lacks.assign(lines().size(), false);
    say_ledger();
    return {};
  }

  void say_ledger() {
    is_read_ = true;
    proof_.head = chain_.state.head();
    holds({}, LinkKind::ledger, fmt::format("{} lines, unbroken, head {}", lines().size(), chain_.state.head().hash));
  }

  void say_stage(const StageCheck& check) {
    for (const auto& problem : check.problems) broken(check.department, LinkKind::stage, problem);
    if (check.problems.empty())
      holds(check.department, LinkKind::stage,
            fmt::format("{} candidates of run {}, as published", check.candidates.size(), printable(check.run)));
  }

  // Only a desk that keeps a ledger writes which policy decided, or which record.
  void look_without_ledger() {
    bool was_there = false;
    for (const auto& check : proof_.departments) {
      const auto json = read_json_file(folder_ / check.department / manifest_file_name, JsonTexts::any);
      was_there =
          was_there || (json && json->is_object() && (json->contains("policy") || json->contains("run_object")));
    }
    if (was_there || !question_.noted.empty()) {
      broken(
          {}, LinkKind::ledger,
          fmt::format("'{}' is missing: what lies here was promoted by a desk that keeps a ledger", ledger_.string()));
    } else {
      missing({}, LinkKind::ledger, "the stage has none: it is of an older version, and consistent with itself");
    }
  }

  // Regular files and folders that have their place; else nobody knows what they are taken for.
  [[nodiscard]] std::string stranger() const {
    const auto entries = entries_below(folder_);
    if (!entries) return entries.error().message;
    constexpr std::array known{"ledger.jsonl", "objects", "trust", "policy", "head", "head.sig", "evidence", "stage"};
    for (const auto& entry : *entries) {
      const auto name = entry.lexically_relative(folder_).generic_string();
      const auto status = status_of(entry);
      if (!fs::is_regular_file(status) && !fs::is_directory(status))
        return fmt::format("{}: is neither a regular file nor a folder", printable(name));
      if (name.find('/') == std::string::npos && std::ranges::count(known, name) == 0)
        return fmt::format("{}: does not belong to a bundle", printable(name));
    }
    return {};
  }

  Result<void> look_at_bundle() {
    if (const auto strange = stranger(); !strange.empty()) broken({}, LinkKind::stage, strange);
    auto chain = read_bundle_chain(folder_);
    if (!chain) {
      broken({}, LinkKind::ledger, chain.error().message);
    } else if (const auto whole = objects_.verify(); !whole) {
      broken({}, LinkKind::ledger, whole.error().message);
    } else {
      chain_ = std::move(*chain);
      say_ledger();
    }
    const auto entries = entries_of(folder_ / "stage");
    for (const auto& entry : entries.value_or({})) {
      auto check = verify_version(entry, Modes::any);
      const auto name = entry.filename().string();
      for (auto& problem : check.problems) problem = name + "/" + problem;
      if (!check.department.empty() && check.department != name)
        check.problems.push_back(
            fmt::format("{}: its manifest is that of the department '{}'", name, check.department));
      check.department = name;
      if (is_read_ && check.problems.empty()) compare(check);
      say_stage(check);
      proof_.departments.push_back(std::move(check));
    }
    if (proof_.departments.empty()) broken({}, LinkKind::stage, "nothing is promoted here");
    return {};
  }

  void compare(StageCheck& check) const {
    for (const auto& story : chain_.state.history.promotions()) {
      if (story.is_open() && story.department == check.department)
        check.problems.push_back(
            fmt::format("{}: the promotion of line {} of the ledger was not finished", check.department, story.line));
    }
    const auto* story = chain_.state.history.last_done(check.department);
    if (story == nullptr) {
      check.problems.push_back(check.department + ": no promotion of it is in the ledger");
    } else if (story->manifest != check.manifest_digest || story->serial != check.serial) {
      check.problems.push_back(
          fmt::format("{}: is not what line {} of the ledger promoted", check.department, story->line));
    }
  }

  // --- who could sign what
  Result<void> look_at_trust() {
    std::string roots;
    if (question_.roots) {
      roots = *question_.roots;
    } else if (proof_.of_bundle) {
      return missing({}, LinkKind::trust, "whose root keys count was not said: --roots FILE, from elsewhere"),
             Result<void>();
    } else {
      const auto pinned = read_file(ledger_ / "trust" / "roots", largest_signers_file, Links::refuse);
      if (!pinned)
        return missing({}, LinkKind::trust, "the stage has no root keys: nobody can have signed anything"),
               Result<void>();
      roots = *pinned;
    }
    auto trust = read_trust(processes_, ledger_, chain_.state, roots);
    if (!trust) {
      if (trust.error().error_class != ErrorClass::configuration) return std::move(trust).error();
      broken({}, LinkKind::trust, trust.error().message);
      return {};
    }
    trust_ = std::move(*trust);
    if (trust_->versions().empty()) {
      missing({}, LinkKind::trust, "no list of signers was ever in force: nothing is signed");
    } else if (!question_.roots) {
      missing({}, LinkKind::trust,
              fmt::format("{} versions, by root keys that the stage itself names; --roots FILE, from elsewhere",
                          trust_->versions().size()));
    } else {
      holds({}, LinkKind::trust, fmt::format("{} versions, signed by root keys", trust_->versions().size()));
    }
    return {};
  }

  // Also of lines that no promotion rests on, such as refusals: a forged one is a forged ledger. In a stage, one that
  // nobody signed is no proof of anything and spoils nothing; a bundle holds what is to be proven, as docs/audit.sh
  // asks.
  Result<void> look_at_every_line() {
    if (!trust_) return {};
    for (const auto& line : lines()) {
      if (!has_own_statement(line.kind) || lacks(line.seq)) continue;
      if (!proof_.of_bundle && !is_there(ledger_ / "objects" / (line.object + ".sig"))) continue;
      PATCHLAB_ASSIGN(const auto found, signed_line(processes_, ledger_, line, *trust_));
      if (found.state == Signed::no) broken({}, LinkKind::ledger, found.why);
    }
    return {};
  }

  // What a link says of lines of the lab: broken before missing before signed.
  struct OfLab {
    LinkState state = LinkState::holds;
    std::string why;
  };
  Result<OfLab> signed_by_lab(const std::vector<std::uint64_t>& numbers) const {
    OfLab all;
    if (!trust_) return OfLab{LinkState::missing, "nobody can tell who signed it"};
    for (const auto seq : numbers) {
      PATCHLAB_ASSIGN(const auto found, signed_line(processes_, ledger_, line(seq), *trust_));
      if (found.state == Signed::no) return OfLab{LinkState::broken, found.why};
      if (found.state == Signed::no_key && all.state == LinkState::holds) all = {LinkState::missing, found.why};
    }
    return all;
  }
  void add_signed(const std::string& department, LinkKind kind, const OfLab& of_lab, const std::string& text) {
    add(department, kind, of_lab.state,
        of_lab.why.empty() ? text + ", signed" : fmt::format("{}; {}", text, of_lab.why));
  }

  // --- one department
  Result<void> look_at_department(const StageCheck& check) {
    Story story;
    const auto& department = check.department;
    story.promotion = chain_.state.history.last_done(department);
    if (story.promotion == nullptr || !check.problems.empty()) return {};  // said of the stage
    PATCHLAB_ASSIGN(const bool is_known, look_at_promotion(department, story));
    if (!is_known) return {};
    if (!look_at_manifest(department, story)) return {};
    PATCHLAB_TRY(look_at_run(department, story));
    look_at_record(department, story);
    PATCHLAB_TRY(look_at_policy(department, story));
    PATCHLAB_TRY(look_at_decisions(department, story));
    PATCHLAB_TRY(look_at_reviews(department, story));
    look_at_gate(department, story);
    return {};
  }

  Result<bool> look_at_promotion(const std::string& department, Story& story) {
    const auto& promotion = *story.promotion;
    story.when = *chain_time(line(promotion.line).time);
    const auto bytes = objects_.get(promotion.statement);
    const auto statement = bytes ? read_statement(*bytes, fmt::format("the statement of line {}", promotion.line))
                                 : Result<Statement>(bytes.error());
    if (!statement) {
      broken(department, LinkKind::promotion, statement.error().message);
      return false;
    }
    story.statement = *statement;
    if (!statement->run || !statement->manifest || statement->subjects.front().name != department) {
      broken(department, LinkKind::promotion,
             fmt::format("line {} names no run and manifest of '{}'", promotion.line, department));
      return false;
    }
    PATCHLAB_ASSIGN(const auto of_lab, signed_by_lab({promotion.line}));
    add_signed(department, LinkKind::promotion, of_lab,
               fmt::format("begun in line {}, done in line {}, serial {}", promotion.line, promotion.last_line,
                           promotion.serial));
    return true;
  }

  [[nodiscard]] fs::path version_of(const std::string& department) const {
    return proof_.of_bundle ? folder_ / "stage" / department : folder_ / department;
  }

  [[nodiscard]] static std::optional<EmergencyUse> emergency_of(const Statement& statement) {
    if (!statement.review_by) return std::nullopt;
    return EmergencyUse{statement.reason.value_or(""), statement.ticket.value_or(""), *statement.review_by};
  }

  bool look_at_manifest(const std::string& department, Story& story) {
    const auto says = [&](const std::string& why) {
      broken(department, LinkKind::manifest, why);
      return false;
    };
    const auto text = read_file(version_of(department) / manifest_file_name, largest_document, Links::refuse);
    if (!text) return says(text.error().message);
    if (sha256(*text) != *story.statement.manifest)
      return says(fmt::format("is not the one that line {} promoted", story.promotion->line));
    const auto json = parse_json(*text, manifest_file_name, JsonTexts::any);
    const auto manifest = json ? manifest_from_json(*json, manifest_file_name) : Result<Manifest>(json.error());
    if (!manifest) return says(manifest.error().message);
    const auto named = [&](const char* key, const std::optional<std::string>& expected) {
      return !json->contains(key) || (expected && json->at(key) == *expected);
    };
    if (manifest->set != story.statement.subjects.front().sha256) return says("names another set than the promotion");
    if (manifest->serial != story.statement.serial) return says("has another serial than the promotion");
    if (!named("policy", story.statement.policy)) return says("names another policy than the promotion");
    if (!named("run_object", story.statement.run)) return says("names another record than the promotion");
    if (manifest->emergency != emergency_of(story.statement))
      return says("says something else of an emergency than the promotion");
    story.manifest = *manifest;
    holds(department, LinkKind::manifest, fmt::format("that of line {}: set {}", story.promotion->line, manifest->set));
    return true;
  }

  Result<void> look_at_run(const std::string& department, Story& story) {
    const auto says = [&](const std::string& why) -> Result<void> {
      story.run_line = 0;
      broken(department, LinkKind::run, why);
      return {};
    };
    std::optional<Statement> end;
    for (std::uint64_t seq = 1; seq < story.promotion->line; ++seq) {
      if (line(seq).kind != ChainKind::run || lacks(seq)) continue;
      PATCHLAB_ASSIGN(const auto bytes, objects_.get(line(seq).object));
      auto statement = read_statement(bytes, fmt::format("the statement of line {}", seq));
      if (!statement) return says(statement.error().message);
      if (statement->run != story.statement.run) continue;
      story.run_line = seq;
      end = std::move(*statement);
    }
    if (story.run_line == 0) {
      if (has_older_ledger()) {
        missing(department, LinkKind::run, "it ended under an older ledger, which the first line took over");
        return {};
      }
      if (chain_.state.history.attempts().empty() && !lacks_a_run()) {
        missing(department, LinkKind::run,
                "this ledger was told of no run at all: only the one beside the runs knows it");
        return {};
      }
      return says(fmt::format("no run before line {} found that", story.promotion->line));
    }
    const auto& attempts = chain_.state.history.attempts();
    const auto attempt = std::ranges::find(attempts, story.run_line, &Attempt::end_line);
    if (attempt == attempts.end()) return says(fmt::format("line {} ends a run that never began", story.run_line));
    story.begin_line = attempt->line;
    if (const auto why = left_out(story); !why.empty()) {
      broken({}, LinkKind::ledger, why);
      return {};
    }
    const auto subject = std::ranges::find(end->subjects, department, &StatementSubject::name);
    if (end->complete != true) return says(fmt::format("the run of line {} was not complete", story.run_line));
    if (subject == end->subjects.end())
      return says(fmt::format("the run of line {} had no such department", story.run_line));
    story.tested = subject->sha256;
    PATCHLAB_ASSIGN(const auto begun, objects_.get(attempt->begin));
    const auto begin = read_statement(begun, fmt::format("the statement of line {}", attempt->line));
    if (!begin) return says(begin.error().message);
    for (const auto& submitter : {begin->submitter, end->submitter}) {
      if (submitter) story.submitters.push_back(*submitter);
    }
    PATCHLAB_ASSIGN(const auto of_lab, signed_by_lab({story.begin_line, story.run_line}));
    add_signed(department, LinkKind::run, of_lab,
               fmt::format("begun in line {}, ended complete in line {}{}", story.begin_line, story.run_line,
                           end->submitter ? ", submitted by " + *end->submitter : ""));
    return {};
  }
  [[nodiscard]] bool lacks_a_run() const {
    return std::ranges::any_of(lines(),
                               [&](const ChainLine& one) { return one.kind == ChainKind::run && lacks(one.seq); });
  }
  [[nodiscard]] bool has_older_ledger() const { return !chain_.state.history.imported().empty(); }

  // Nothing from the run's begin to the promotion's end, and no later promotion, may be kept from the reader.
  [[nodiscard]] std::string left_out(const Story& story) const {
    for (const auto& one : lines()) {
      if (!lacks(one.seq)) continue;
      const bool inside = one.seq >= story.begin_line && one.seq <= story.promotion->last_line;
      const bool later = one.seq > story.promotion->last_line && one.kind == ChainKind::promote_begun;
      if (inside || later)
        return fmt::format("the statement of line {} ({}) is missing, and could be about this promotion", one.seq,
                           to_string(one.kind));
    }
    return {};
  }

  [[nodiscard]] Result<reports::RunRecord> record_of(const std::string& digest) const {
    PATCHLAB_ASSIGN(const auto bytes, objects_.get(digest));
    PATCHLAB_ASSIGN(const auto json, parse_json(bytes, digest, JsonTexts::any));
    PATCHLAB_ASSIGN(auto record, reports::run_record_from_json(json, "the record of the run"));
    record.digest = digest;
    return record;
  }

  void look_at_record(const std::string& department, Story& story) {
    const auto says = [&](const std::string& why) { broken(department, LinkKind::record, why); };
    auto record = record_of(*story.statement.run);
    if (!record) {
      if (!objects_.has(*story.statement.run) && story.run_line == 0)
        return missing(department, LinkKind::record, "the ledger does not have the record of its run");
      return says(record.error().message);
    }
    const auto found = std::ranges::find(record->departments, department, &reports::DepartmentRecord::name);
    if (found == record->departments.end()) return says("has no department of this name");
    if (!record->complete) return says("says that the run was not complete");
    const auto& manifest = *story.manifest;
    if (manifest.run != record->id) return says("is of another run than the manifest");
    if (sha256(sha256sums_of(*record, manifest.candidates)) != manifest.set)
      return says("has other files of these candidates than the manifest");
    auto set = manifest.candidates;
    std::ranges::sort(set);
    const bool fits = story.tested.empty() || story.tested == sha256(sha256sums_of(*record, tested_set(*found)));
    if (!fits || std::ranges::count(tested_sets(*found), set) == 0)
      return says(fmt::format("the run of line {} tested another set", story.run_line));
    holds(department, LinkKind::record, fmt::format("run {}, {}", printable(record->id), *story.statement.run));
    look_at_evidence(department, *record, manifest.candidates);
    story.record = std::move(*record);
  }

  // A bundle has what the promotion rests on; the run's own folder has everything.
  void look_at_evidence(const std::string& department, const reports::RunRecord& record,
                        const std::vector<std::string>& candidates) {
    if (!record.evidence)
      return add(department, LinkKind::evidence, LinkState::not_kept,
                 "the record has no digests of the files that the run kept: logs and screens are not proven");
    if (proof_.of_bundle) {
      auto files = reports::evidence_of_set(record, department, candidates);
      holds(department, LinkKind::evidence,
            files.empty() ? std::string("the run kept no file of the trials of this set")
                          : fmt::format("{} files of the trials of this set, named by the record", files.size()));
      std::ranges::move(files, std::back_inserter(evidence_));
      return;
    }
    const auto folder = question_.runs / record.id;
    const bool is_name = reports::is_kept_name(record.id) && record.id.find('/') == std::string::npos;
    if (question_.runs.empty() || !is_name || status_of(folder).type() == fs::file_type::not_found)
      return add(department, LinkKind::evidence, LinkState::not_kept,
                 fmt::format("the {} files that the record names were not looked at: '{}' is not there (--runs FOLDER)",
                             record.evidence->size(), folder.string()));
    auto problems = reports::kept_file_problems(folder, *record.evidence);
    const auto text = read_file(folder / reports::run_file_name, largest_document, Links::refuse);
    if (!text) {
      problems.push_back(text.error().message);
    } else if (sha256(*text) != record.digest) {
      problems.push_back(fmt::format("'{}' is not the record that the ledger has", reports::run_file_name));
    }
    for (const auto& problem : problems)
      broken(department, LinkKind::evidence, fmt::format("in '{}': {}", folder.string(), problem));
    if (problems.empty())
      holds(department, LinkKind::evidence,
            fmt::format("{} files in '{}', as the record names them", record.evidence->size(), folder.string()));
  }

  // What a bundle holds of all departments together, and nothing else.
  void look_at_evidence_of_bundle() {
    if (!proof_.of_bundle) return;
    for (const auto& problem : reports::kept_file_problems(folder_, evidence_)) broken({}, LinkKind::evidence, problem);
  }

  // --- policy
  struct Document {
    std::uint64_t line = 0;
    Policy policy;
  };
  Result<std::vector<Document>> documents_before(std::uint64_t end, std::string& why) const {
    std::vector<Document> documents;
    for (std::uint64_t seq = 1; seq < end; ++seq) {
      if (line(seq).kind != ChainKind::policy) continue;
      PATCHLAB_ASSIGN(const auto bytes, objects_.get(line(seq).object));
      const auto statement = read_statement(bytes, fmt::format("the statement of line {}", seq));
      if (!statement) return why = statement.error().message, documents;
      const auto file = ledger_ / "policy" / fmt::format("{}.json", *statement->version);
      const auto text = read_file(file, largest_document, Links::refuse);
      if (!text) return why = text.error().message, documents;
      if (sha256(*text) != statement->subjects.front().sha256)
        return why = fmt::format("'{}' is not the document that line {} put in force", file.string(), seq), documents;
      auto policy = parse_policy(*text, file.string());
      if (!policy) return why = policy.error().message, documents;
      documents.push_back({seq, std::move(*policy)});
    }
    return documents;
  }

  Result<void> look_at_policy(const std::string& department, Story& story) {
    const auto says = [&](const std::string& text) {
      broken(department, LinkKind::policy, text);
      return Result<void>();
    };
    if (!story.statement.policy) {
      missing(department, LinkKind::policy, "the promotion names none");
      return {};
    }
    std::string why;
    PATCHLAB_ASSIGN(const auto documents, documents_before(story.promotion->line, why));
    if (!why.empty()) return says(why);
    if (documents.empty()) {
      const auto shipped = quickstart_policy();
      if (*story.statement.policy != shipped.digest)
        return says(fmt::format("no line before {} put the policy in force that it names", story.promotion->line));
      story.policy = shipped;
      holds(department, LinkKind::policy, "the shipped policy 'quickstart'; no other was in force");
      return {};
    }
    std::vector<Policy> all;
    for (const auto& document : documents) all.push_back(document.policy);
    auto in_force = policy_in_force(all, story.when);
    if (in_force.trouble) return says(in_force.trouble->text);
    if (in_force.digest != *story.statement.policy)
      return says(fmt::format("line {} names a policy that was not in force then; '{}' was", story.promotion->line,
                              printable(in_force.id)));
    std::vector<std::uint64_t> numbers;
    for (const auto& document : documents) numbers.push_back(document.line);
    PATCHLAB_ASSIGN(const auto of_lab, signed_by_lab(numbers));
    const auto line = std::ranges::find(all, in_force.digest, &Policy::digest) - all.begin();
    add_signed(department, LinkKind::policy, of_lab,
               fmt::format("'{}', in force by line {}", printable(in_force.id),
                           documents[static_cast<std::size_t>(line)].line));
    story.policy = std::move(in_force);
    story.policies = std::move(all);
    return {};
  }

  // --- people
  [[nodiscard]] static bool is_of_people(ChainKind kind) {
    const auto statement = statement_kind_from(to_string(kind));
    return statement && (is_decision(*statement) || *statement == StatementKind::submit);
  }

  Result<std::vector<LedgerStatement>> of_people(const Story& story) const {
    std::vector<LedgerStatement> statements;
    for (std::uint64_t seq = 1; seq < story.promotion->line; ++seq) {
      if (!is_of_people(line(seq).kind) || lacks(seq)) continue;
      PATCHLAB_ASSIGN(const auto bytes, objects_.get(line(seq).object));
      const auto read = read_statement(bytes, "statement");
      const bool concerns =
          !read || read->run == story.statement.run || std::ranges::any_of(read->subjects, [&](const auto& subject) {
            return subject.sha256 == story.statement.subjects.front().sha256;
          });
      // A bundle's are few, and each that is not what it should be shows whose hands it went through.
      if (!concerns && !proof_.of_bundle) continue;
      PATCHLAB_ASSIGN(auto examined, examined_line(processes_, ledger_, line(seq), *trust_));
      statements.push_back(std::move(examined));
    }
    return statements;
  }

  Result<void> look_at_decisions(const std::string& department, Story& story) {
    if (!story.record || !story.policy) return {};
    if (!trust_) {
      missing(department, LinkKind::decisions, "nobody can tell who signed what people decided");
      return {};
    }
    const auto& record = *story.record;
    const auto found = std::ranges::find(record.departments, department, &reports::DepartmentRecord::name);
    PATCHLAB_ASSIGN(const auto statements, of_people(story));
    DecisionQuestion question{department,
                              *story.statement.run,
                              story.statement.subjects.front().sha256,
                              story.policy->digest,
                              story.submitters,
                              failures_of(*found),
                              story.when};
    if (const auto* last = before(*story.promotion)) question.promoted = last->last_line;
    story.decisions = decisions_about(question, statements, chain_.state.hashes, *trust_);
    // About the set that was published, which may hold what failed and was waived.
    story.people = people_in(story.decisions, *trust_, *story.policy,
                             story.manifest ? story.manifest->candidates : tested_set(*found));
    say_decisions(department, story);
    return {};
  }

  void say_decisions(const std::string& department, Story& story) {
    std::set<std::string> counted;
    std::set<std::string> names;
    for (const auto& approval : story.decisions.approvals) {
      counted.insert(approval.object);
      names.insert(approval.by);
    }
    for (const auto& waiver : story.decisions.waivers) {
      if (!waiver.is_over) counted.insert(waiver.object);
    }
    for (const auto& one : story.decisions.not_counted) {
      // Somebody signed it badly, or changed it since: whatever it was, it is no evidence.
      const bool forged = one.why == WhyNot::statement_edited || one.why == WhyNot::unsigned_statement ||
                          one.why == WhyNot::signer_unknown || one.why == WhyNot::signer_differs ||
                          one.why == WhyNot::namespace_not_allowed || one.why == WhyNot::signer_not_in_force ||
                          one.why == WhyNot::other_history || one.why == WhyNot::withdrawal_not_by_author ||
                          one.why == WhyNot::withdrawal_of_nothing || breaks_everything(one.why);
      if (forged) return broken(department, LinkKind::decisions, fmt::format("{}: {}", to_string(one.why), one.text));
    }
    for (const auto& rejection : story.decisions.rejections)
      return broken(department, LinkKind::decisions,
                    fmt::format("line {}: rejected by '{}'", rejection.seq, rejection.by));
    for (const auto& digest : story.statement.decisions.value_or(std::vector<std::string>())) {
      if (!counted.contains(digest))
        return broken(
            department, LinkKind::decisions,
            fmt::format("line {} rests on {}, which is no decision that counted then", story.promotion->line, digest));
    }
    supported_ = supported_ && !names.empty();
    holds(department, LinkKind::decisions,
          names.empty() ? std::string("nobody approved") : "approved by " + listed(names));
  }

  // What had gone through the emergency lane before: the gate asks whether it was reviewed. What nobody reviewed until
  // now refutes nothing that lies there, and is said.
  Result<void> look_at_reviews(const std::string& department, Story& story) {
    if (!story.record || !story.policy || !trust_) return {};
    PATCHLAB_ASSIGN(story.reviews, past_reviews(processes_, ledger_, chain_, *trust_, story.policies, department,
                                                story.promotion->line));
    std::string why;
    PATCHLAB_ASSIGN(const auto documents, documents_before(lines().size() + 1, why));
    if (!why.empty()) return {};  // said of what is promoted by it
    std::vector<Policy> policies;
    for (const auto& document : documents) policies.push_back(document.policy);
    PATCHLAB_ASSIGN(const auto now,
                    past_reviews(processes_, ledger_, chain_, *trust_, policies, department, lines().size() + 1));
    const auto until = *chain_time(lines().back().time);
    for (const auto& review : now) {
      if (!review.answered.empty()) continue;
      const auto what = fmt::format("the emergency promotion of line {} ({}) of '{}'", review.line,
                                    printable(review.ticket), department);
      if (!review.unknown.empty())
        proof_.notes.push_back(fmt::format("whether {} was reviewed is not known: {}", what, review.unknown));
      else if (review.asked.due <= until)
        proof_.notes.push_back(fmt::format("{} was to be reviewed by {}, and up to line {} nobody did: OVERDUE", what,
                                           rfc3339(review.asked.due), lines().size()));
      else
        proof_.notes.push_back(fmt::format("{} is to be reviewed by {}", what, rfc3339(review.asked.due)));
    }
    const auto nobody_knows = std::ranges::count_if(chain_.state.history.promotions(),
                                                    [](const auto& one) { return one.department.starts_with('?'); });
    if (nobody_knows > 0)
      proof_.notes.push_back(fmt::format(
          "the statements of {} promotions are left out here: whether emergencies of '{}' are among them is not known",
          nobody_knows, department));
    return {};
  }

  // --- the gate, on what was true then
  [[nodiscard]] const PromotionStory* before(const PromotionStory& promotion) const {
    const PromotionStory* last = nullptr;
    for (const auto& story : chain_.state.history.promotions()) {
      if (story.department == promotion.department && story.state == PromotionStory::State::done &&
          story.last_line < promotion.line)
        last = &story;
    }
    return last;
  }

  [[nodiscard]] Today today_of(const std::string& department, const Story& story) const {
    Today today{.now = story.when};
    today.standing = Standing{.recorded = true};
    today.people[department] = {story.people};
    // Going back need not wait for a review.
    if (story.statement.kind != StatementKind::rollback) {
      for (const auto& review : story.reviews) {
        if (review.is_open()) today.open_reviews[department].push_back(review.asked);
      }
    }
    if (const auto use = emergency_of(story.statement)) {
      today.lane = Lane::emergency;
      today.emergency = *use;
    }
    const auto* last = before(*story.promotion);
    if (last == nullptr) return today;
    auto& coverage = today.last_promoted[department];
    coverage.state = LastPromoted::Known::unknown;
    coverage.why = fmt::format("the record of the promotion of line {} is not here", last->line);
    const auto bytes = objects_.get(last->statement);
    const auto facts = bytes ? statement_facts(*bytes, "statement") : Result<StatementFacts>(bytes.error());
    const auto record = facts ? record_of(facts->run) : Result<reports::RunRecord>(facts.error());
    if (!record) return today;
    const auto found = std::ranges::find(record->departments, department, &reports::DepartmentRecord::name);
    if (found == record->departments.end()) return today;
    coverage = {LastPromoted::Known::known, coverage_of(*record, *found), {}, last->last_line};
    if (story.statement.kind != StatementKind::rollback) today.published[department] = {record->id, record->finished};
    return today;
  }

  void look_at_gate(const std::string& department, const Story& story) {
    if (!story.record || !story.policy || !trust_) return;
    const auto decision = decide(*story.record, department, *story.policy, today_of(department, story));
    if (!decision.promotes()) {
      std::string reasons;
      for (const auto& requirement : decision.blocking())
        reasons += (reasons.empty() ? "" : "; ") + to_string(requirement);
      return broken(department, LinkKind::gate, "refuses what was promoted: " + printable(reasons));
    }
    if (decision.promotable != story.manifest->candidates)
      return broken(
          department, LinkKind::gate,
          fmt::format("promotes {}, and {} was", listed(decision.promotable), listed(story.manifest->candidates)));
    for (const auto& review : story.reviews) {
      const auto due = std::min(
          review.asked.due, review.asked.promoted + (story.policy->emergency ? story.policy->emergency->review_within
                                                                             : std::chrono::days(0)));
      if (review.unknown.empty() || story.when < due || story.statement.kind == StatementKind::rollback) continue;
      return missing(department, LinkKind::gate,
                     fmt::format("nobody can tell whether the emergency promotion of line {} was reviewed by then: {}",
                                 review.line, review.unknown));
    }
    // It was decided before the line was written: the review may be due earlier than from then, not later.
    if (decision.emergency &&
        *parse_rfc3339(*story.statement.review_by) > story.when + story.policy->emergency->review_within)
      return broken(department, LinkKind::gate,
                    fmt::format("the policy asks for a review by {}, and line {} gives until {}",
                                decision.emergency->review_by, story.promotion->line, *story.statement.review_by));
    holds(department, LinkKind::gate,
          fmt::format("decides the same as of {}{}", line(story.promotion->line).time,
                      decision.emergency ? ", as an emergency" : ""));
  }

  // --- the head
  Result<void> look_at_head() {
    PATCHLAB_TRY(look_at_signed_head());
    bool outside = false;
    for (const auto& noted : question_.noted) {
      PATCHLAB_ASSIGN(const bool counts, look_at_noted(noted));
      outside = outside || counts;
    }
    if (outside || (supported_ && !proof_.departments.empty())) return {};
    missing({}, LinkKind::head,
            "nothing outside of the lab supports it: no head that was noted elsewhere (--noted), and no approval that "
            "saw this history");
    return {};
  }

  Result<void> look_at_signed_head() {
    const auto text = read_file(ledger_ / "head", 4096, Links::refuse);
    if (!text) {
      const bool is_needed = trust_ && can_be_signed(*trust_, head_namespace, *chain_time(lines().back().time));
      add({}, LinkKind::head, proof_.of_bundle && is_needed ? LinkState::broken : LinkState::missing,
          "no head was written down that covers it");
      return {};
    }
    const auto note = parse_head(*text, "head");
    if (!note) return broken({}, LinkKind::head, note.error().message), Result<void>();
    const auto& state = chain_.state;
    if (!fits(note->head) || note->ledger != state.hashes.front())
      return broken({}, LinkKind::head, "is not a head of this ledger: one of them was cut off or rewritten"),
             Result<void>();
    if (proof_.of_bundle && note->head.size != lines().size())
      return broken({}, LinkKind::head, "does not cover the whole ledger"), Result<void>();
    const auto when = *chain_time(line(note->head.size).time);
    const auto signature = read_file(ledger_ / "head.sig", longest_signature, Links::refuse);
    const bool somebody_could = trust_ && can_be_signed(*trust_, head_namespace, when);
    std::string by;
    if (signature && trust_) {
      PATCHLAB_ASSIGN(by, signer_of(processes_, *trust_, head_namespace, *text, *signature, when));
    }
    if (!by.empty()) {
      for (const auto& check : proof_.departments) {
        const auto* done = state.history.last_done(check.department);
        if (done != nullptr && done->last_line > note->head.size) {
          missing({}, LinkKind::head,
                  fmt::format("the newest that is signed is of line {}, before '{}' was promoted", note->head.size,
                              check.department));
          return {};
        }
      }
      holds({}, LinkKind::head, fmt::format("of line {}, signed by {}", note->head.size, by));
    } else if (trust_ && (signature || somebody_could)) {
      broken({}, LinkKind::head, "is not signed by anybody who may");
    } else {
      missing({}, LinkKind::head, fmt::format("of line {}, not signed", note->head.size));
    }
    return {};
  }

  [[nodiscard]] bool fits(const ChainHead& head) const {
    return head.size > 0 && head.size <= lines().size() && chain_.state.hashes[head.size - 1] == head.hash;
  }

  // Whether it supports what is here.
  Result<bool> look_at_noted(const NotedHead& noted) {
    const auto name = printable(noted.name);
    if (noted.head.size > lines().size()) {
      broken({}, LinkKind::head,
             fmt::format("'{}' notes line {}, and the ledger ends at line {}: its end was cut off, or it is older",
                         name, noted.head.size, lines().size()));
      return false;
    }
    if (!fits(noted.head) || (!noted.ledger.empty() && noted.ledger != chain_.state.hashes.front())) {
      broken({}, LinkKind::head,
             fmt::format("'{}' notes another line {}: the ledger was rewritten", name, noted.head.size));
      return false;
    }
    std::string by;
    if (!noted.signature.empty() && trust_) {
      const auto when = *chain_time(lines().back().time);
      PATCHLAB_ASSIGN(by, signer_of(processes_, *trust_, witness_namespace, noted.text, noted.signature, when));
      if (by.empty()) {
        PATCHLAB_ASSIGN(by, signer_of(processes_, *trust_, head_namespace, noted.text, noted.signature, when));
      }
      if (by.empty()) {
        broken({}, LinkKind::head, fmt::format("'{}' has a signature of nobody who may note heads", name));
        return false;
      }
    }
    std::uint64_t done = 0;
    for (const auto& check : proof_.departments) {
      if (const auto* last = chain_.state.history.last_done(check.department)) done = std::max(done, last->line);
    }
    holds({}, LinkKind::head,
          fmt::format("continues line {}, noted {}{}", noted.head.size, by.empty() ? "elsewhere" : "by " + by,
                      noted.head.size < done ? "; what was promoted is behind it" : ""));
    return true;
  }

  ProcessRunner& processes_;
  fs::path folder_;
  fs::path ledger_;
  ObjectFolder objects_;
  const ProofQuestion& question_;
  Proof proof_;
  bool is_read_ = false;  // the ledger
  BundleChain chain_;
  std::optional<Trust> trust_;
  std::vector<reports::KeptFile> evidence_;  // that a bundle must hold
  bool supported_ = true;                    // somebody approved in each department that was looked at
};

}  // namespace

const char* to_string(LinkKind kind) {
  switch (kind) {
    case LinkKind::stage: return "stage";
    case LinkKind::manifest: return "manifest";
    case LinkKind::ledger: return "ledger";
    case LinkKind::head: return "head";
    case LinkKind::trust: return "trust";
    case LinkKind::promotion: return "promotion";
    case LinkKind::run: return "run";
    case LinkKind::record: return "record";
    case LinkKind::evidence: return "evidence";
    case LinkKind::decisions: return "decisions";
    case LinkKind::policy: return "policy";
    case LinkKind::gate: return "gate";
  }
  return "";
}

const char* to_string(LinkState state) {
  switch (state) {
    case LinkState::holds: return "ok";
    case LinkState::broken: return "broken";
    case LinkState::missing: return "not there";
    case LinkState::not_kept: return "not kept";
  }
  return "";
}

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::proven: return "proven";
    case Verdict::consistent: return "consistent with itself, not proven";
    case Verdict::refuted: return "refuted";
  }
  return "";
}

Verdict Proof::verdict() const {
  const auto any = [&](LinkState state) { return std::ranges::count(links, state, &Link::state) > 0; };
  if (any(LinkState::broken)) return Verdict::refuted;
  if (departments.empty() || any(LinkState::missing)) return Verdict::consistent;
  // Proven is said only of what was asked: each link of each department.
  for (const auto& check : departments) {
    for (const auto kind : {LinkKind::stage, LinkKind::manifest, LinkKind::promotion, LinkKind::run, LinkKind::record,
                            LinkKind::decisions, LinkKind::policy, LinkKind::gate}) {
      const auto is_it = [&](const Link& link) {
        return link.department == check.department && link.kind == kind && link.state == LinkState::holds;
      };
      if (std::ranges::none_of(links, is_it)) return Verdict::consistent;
    }
  }
  for (const auto kind : {LinkKind::ledger, LinkKind::trust, LinkKind::head}) {
    if (std::ranges::none_of(links,
                             [&](const Link& link) { return link.kind == kind && link.state == LinkState::holds; }))
      return Verdict::consistent;
  }
  return Verdict::proven;
}

bool is_bundle(const fs::path& folder) {
  return is_there(folder / chain_file_name) && !is_there(folder / ".versions") && !is_there(folder / "lock");
}

Result<Proof> prove(ProcessRunner& processes, const fs::path& folder, const ProofQuestion& question) {
  if (is_bundle(folder)) return Proving(processes, folder, true, question).run({});
  const auto path = folder.has_filename() ? folder : folder.parent_path();
  // "production/finance": one department of a stage, and "production/.ledger".
  if (path.filename() == chain_folder_name) return Proving(processes, path.parent_path(), false, question).run({});
  if (is_there(path / manifest_file_name) && is_folder(path.parent_path() / ".versions"))
    return Proving(processes, path.parent_path(), false, question).run(path.filename().string());
  return Proving(processes, folder, false, question).run({});
}

}  // namespace patchlab::promotion

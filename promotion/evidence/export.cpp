// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/whole_folder.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/evidence/bundle_chain.hpp"
#include "promotion/policy/in_force.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/signature/ssh_signature.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "promotion/trust/signers.hpp"
#include "reports/record/kept_files.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr std::uintmax_t largest_head = 4096;
constexpr std::uintmax_t largest_list = 64U << 20U;
constexpr std::uintmax_t largest_payload = std::uintmax_t{1} << 40U;

Result<void> copy(const fs::path& from, const fs::path& to, std::uintmax_t limit) {
  PATCHLAB_ASSIGN(const auto bytes, read_file(from, limit, Links::refuse));
  PATCHLAB_TRY(create_folders(to.parent_path()));
  return write_file_atomically(to, bytes);
}

class Exporting {
 public:
  Exporting(const fs::path& stage, fs::path runs, fs::path target)
      : stage_(stage), runs_(std::move(runs)), chain_(stage / chain_folder_name), target_(std::move(target)) {}

  Result<Exported> run(const std::vector<std::string>& departments) {
    PATCHLAB_ASSIGN(const auto proof, prove_stage(stage_));
    if (!proof.ledger) {
      return configuration_error(
          fmt::format("'{}' has no ledger: there is nothing that a bundle could prove", stage_.string()),
          "a stage has one from its first promotion by this version on");
    }
    PATCHLAB_ASSIGN(state_, chain_.read());
    std::uint64_t done = 0;
    for (const auto& department : departments) {
      PATCHLAB_TRY(promoted_department(proof, state_, stage_, department));
      done = std::max(done, state_.history.last_done(department)->last_line);
    }
    PATCHLAB_TRY(choose_head(done));
    for (const auto& department : departments) PATCHLAB_TRY(add_department(department));
    add_what_always_counts();
    PATCHLAB_TRY(write_ledger());
    PATCHLAB_TRY(write_objects());
    PATCHLAB_TRY(write_lists());
    exported_.departments = departments;
    return exported_;
  }

 private:
  // The newest that covers the promotions; lines behind it nobody signed for.
  Result<void> choose_head(std::uint64_t done) {
    lines_ = state_.lines.size();
    const auto text = read_file(chain_.folder() / "head", largest_head, Links::refuse);
    const auto note = text ? parse_head(*text, "head") : Result<HeadNote>(text.error());
    if (note && note->head.size >= done && note->head.size <= lines_) {
      exported_.has_head = true;
      exported_.lines_left = lines_ - note->head.size;
      lines_ = note->head.size;
      PATCHLAB_TRY(write_file_atomically(target_ / "head", *text));
      if (is_there(chain_.folder() / "head.sig"))
        PATCHLAB_TRY(copy(chain_.folder() / "head.sig", target_ / "head.sig", longest_signature));
    }
    exported_.head = {lines_, state_.hashes[lines_ - 1]};
    return {};
  }

  [[nodiscard]] Result<StatementFacts> facts_of(const std::string& digest) const {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(digest));
    return statement_facts(bytes, "the statement " + digest);
  }

  // From the begin of its run to its end, the record, and what was promoted before: coverage is compared with that.
  Result<void> add_department(const std::string& department) {
    const auto& promotion = *state_.history.last_done(department);
    PATCHLAB_ASSIGN(const auto facts, facts_of(promotion.statement));
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(promotion.statement));
    PATCHLAB_ASSIGN(const auto statement, read_statement(bytes, "the statement " + promotion.statement));
    if (statement.policy) policies_.insert(*statement.policy);
    if (chain_.objects().has(facts.run)) objects_.insert(facts.run);
    auto from = promotion.line;
    for (const auto& attempt : state_.history.attempts()) {
      if (attempt.end_line == 0 || attempt.end_line > promotion.line) continue;
      PATCHLAB_ASSIGN(const auto end, facts_of(attempt.end));
      if (end.run == facts.run) from = std::min(from, attempt.line);
    }
    for (auto seq = from; seq <= promotion.last_line; ++seq) add_line(state_.lines[seq - 1]);
    const PromotionStory* before = nullptr;
    for (const auto& story : state_.history.promotions()) {
      if (story.department == department && story.state == PromotionStory::State::done &&
          story.last_line < promotion.line)
        before = &story;
      if (story.line > promotion.last_line && story.line <= lines_) objects_.insert(story.statement);
    }
    for (const auto& story : state_.history.promotions()) {
      if (story.department == department && !story.review_by.empty() && story.line <= promotion.line)
        PATCHLAB_TRY(add_review(story));
    }
    if (before != nullptr) {
      PATCHLAB_ASSIGN(const auto earlier, facts_of(before->statement));
      objects_.insert(before->statement);
      if (chain_.objects().has(earlier.run)) objects_.insert(earlier.run);
    }
    PATCHLAB_TRY(copy_version(department));
    return copy_evidence(department, facts.run);
  }

  // Of an emergency promotion, what shows whether it was reviewed: what it published, who submitted that, and every
  // approval of it up to the head.
  Result<void> add_review(const PromotionStory& story) {
    objects_.insert(story.statement);
    for (const auto& digest : {story.run, story.manifest}) {
      if (chain_.objects().has(digest)) objects_.insert(digest);
    }
    for (const auto& attempt : state_.history.attempts()) {
      if (attempt.run != story.run) continue;
      objects_.insert(attempt.begin);
      objects_.insert(attempt.end);
    }
    for (std::uint64_t seq = story.line; seq <= lines_; ++seq) {
      const auto& line = state_.lines[seq - 1];
      if (line.kind != ChainKind::approve) continue;
      PATCHLAB_ASSIGN(const auto facts, facts_of(line.object));
      if (facts.run == story.run) add_line(line);
    }
    return {};
  }

  // What the run kept of the trials of this set, and of the control.
  Result<void> copy_evidence(const std::string& department, const std::string& run) {
    if (!chain_.objects().has(run)) return {};
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(run));
    PATCHLAB_ASSIGN(const auto json, parse_json(bytes, "the record " + run, JsonTexts::any));
    PATCHLAB_ASSIGN(const auto record, reports::run_record_from_json(json, "the record " + run));
    PATCHLAB_ASSIGN(const auto text, read_json_file(target_ / "stage" / department / manifest_file_name));
    PATCHLAB_ASSIGN(const auto manifest, manifest_from_json(text, manifest_file_name));
    const auto from = runs_ / record.id;
    const auto files = reports::evidence_of_set(record, department, manifest.candidates);
    for (const auto& file : files) {
      const auto to = target_ / file.name;
      if (is_there(to)) continue;  // of two departments with one run
      const auto found = read_file(from / file.name, largest_payload, Links::refuse);
      const bool is_it = found && sha256(*found) == file.sha256;
      if (!is_it)
        return configuration_error(
            fmt::format("'{}' {}, and the promotion of '{}' rests on it", (from / file.name).string(),
                        found ? "is not what the run kept" : "cannot be read", printable(department)),
            "name the folder that has the run with --runs");
      PATCHLAB_TRY(create_folders(to.parent_path()));
      PATCHLAB_TRY(write_file_atomically(to, *found));
    }
    exported_.evidence += files.size();
    return {};
  }

  void add_line(const ChainLine& line) {
    // What came of it later proves nothing of what was promoted, and need not be signed.
    if (line.kind != ChainKind::imported && line.kind != ChainKind::deployed) objects_.insert(line.object);
  }
  void add_what_always_counts() {
    for (std::uint64_t seq = 1; seq <= lines_; ++seq) {
      const auto& line = state_.lines[seq - 1];
      if (!may_be_left_out(line.kind) || line.kind == ChainKind::repair) add_line(line);
    }
  }

  Result<void> copy_version(const std::string& department) const {
    std::error_code code;
    const auto version = fs::canonical(stage_ / department, code);
    if (code) return configuration_error(fmt::format("'{}': {}", (stage_ / department).string(), code.message()));
    PATCHLAB_ASSIGN(const auto entries, entries_below(version));
    for (const auto& entry : entries) {
      const auto to = target_ / "stage" / department / entry.lexically_relative(version);
      if (status_of(entry).type() == fs::file_type::directory) {
        PATCHLAB_TRY(create_folders(to));
      } else {
        PATCHLAB_TRY(copy(entry, to, largest_payload));
      }
    }
    return {};
  }

  Result<void> write_ledger() const {
    std::string text;
    for (std::uint64_t seq = 1; seq <= lines_; ++seq) text += line_text(state_.lines[seq - 1]);
    return write_file_atomically(target_ / chain_file_name, text);
  }

  Result<void> write_objects() {
    const auto from = chain_.objects();
    PATCHLAB_TRY(create_folders(target_ / "objects"));
    for (const auto& digest : objects_) {
      PATCHLAB_ASSIGN(const auto bytes, from.get(digest));
      PATCHLAB_TRY(write_file_atomically(target_ / "objects" / digest, bytes));
      if (!is_there(chain_.folder() / "objects" / (digest + ".sig"))) continue;
      PATCHLAB_ASSIGN(const auto signature, from.signature(digest));
      PATCHLAB_TRY(write_file_atomically(target_ / "objects" / (digest + ".sig"), signature));
    }
    exported_.objects = objects_.size();
    return {};
  }

  // Lists of signers and policies, each that a line names.
  Result<void> write_lists() const {
    std::uint64_t version = 0;
    bool has_policy = false;
    for (std::uint64_t seq = 1; seq <= lines_; ++seq) {
      const auto& line = state_.lines[seq - 1];
      if (line.kind == ChainKind::trust) {
        const auto place = fs::path("trust") / std::to_string(++version);
        for (const char* name : {"allowed_signers", "allowed_signers.sig"})
          PATCHLAB_TRY(copy(chain_.folder() / place / name, target_ / place / name, largest_signers_file));
      } else if (line.kind == ChainKind::policy) {
        has_policy = true;
        PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(line.object));
        PATCHLAB_ASSIGN(const auto statement, read_statement(bytes, fmt::format("the statement of line {}", seq)));
        const auto name = fmt::format("{}.json", *statement.version);
        PATCHLAB_TRY(copy(policy_folder(stage_) / name, target_ / "policy" / name, largest_list));
      }
    }
    if (has_policy) return {};
    PATCHLAB_TRY(create_folders(target_ / "policy"));
    PATCHLAB_TRY(write_file_atomically(target_ / "policy" / "quickstart.json", quickstart_text()));
    for (const auto& digest : policies_) {
      // As an older version shipped it.
      const auto text = shipped_text(digest);
      if (text.empty() || text == quickstart_text()) continue;
      PATCHLAB_TRY(write_file_atomically(target_ / "policy" / "quickstart-1.json", text));
    }
    return {};
  }

  const fs::path& stage_;
  fs::path runs_;
  Chain chain_;
  fs::path target_;
  ChainState state_;
  std::uint64_t lines_ = 0;  // in the bundle
  std::set<std::string> objects_;
  std::set<std::string> policies_;  // that the promotions name
  Exported exported_;
};

}  // namespace

Result<Exported> export_bundle(const fs::path& stage, const std::vector<std::string>& departments, const fs::path& runs,
                               const fs::path& target) {
  Result<Exported> exported = Exported{};
  PATCHLAB_TRY(make_folder_whole(target, [&](const fs::path& making) -> Result<void> {
    exported = Exporting(stage, runs, making).run(departments);
    if (!exported) return exported.error();
    return {};
  }));
  return exported;
}

}  // namespace patchlab::promotion

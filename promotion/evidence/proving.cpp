// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "promotion/evidence/signed_lines.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {

Proving::Proving(ProcessRunner& its_processes, fs::path its_folder, bool of_bundle, const ProofQuestion& its_question)
    : processes(its_processes),
      folder(std::move(its_folder)),
      ledger(of_bundle ? folder : folder / chain_folder_name),
      objects(ledger / "objects"),
      question(its_question) {
  proof.of_bundle = of_bundle;
}

Result<Proving::OfLab> Proving::signed_by_lab(const std::vector<std::uint64_t>& numbers) const {
  OfLab all;
  if (!trust) return OfLab{LinkState::missing, "nobody can tell who signed it"};
  for (const auto seq : numbers) {
    PATCHLAB_ASSIGN(const auto found, signed_line(processes, ledger, line(seq), *trust));
    if (found.state == Signed::no) return OfLab{LinkState::broken, found.why};
    if (found.state == Signed::no_key && all.state == LinkState::holds) all = {LinkState::missing, found.why};
  }
  return all;
}

void Proving::add_signed(const std::string& department, LinkKind kind, const OfLab& of_lab, const std::string& text) {
  add(department, kind, of_lab.state, of_lab.why.empty() ? text + ", signed" : fmt::format("{}; {}", text, of_lab.why));
}

bool Proving::fits(const ChainHead& head) const {
  return head.size > 0 && head.size <= lines().size() && chain.state.hashes[head.size - 1] == head.hash;
}

Result<reports::RunRecord> Proving::record_of(const std::string& digest) const {
  PATCHLAB_ASSIGN(const auto bytes, objects.get(digest));
  PATCHLAB_ASSIGN(const auto json, parse_json(bytes, digest, JsonTexts::any));
  PATCHLAB_ASSIGN(auto record, reports::run_record_from_json(json, "the record of the run"));
  record.digest = digest;
  return record;
}

Result<std::vector<PolicyOfLedger>> Proving::documents_before(std::uint64_t end, std::string& why) const {
  std::vector<PolicyOfLedger> documents;
  for (std::uint64_t seq = 1; seq < end; ++seq) {
    if (line(seq).kind != ChainKind::policy) continue;
    PATCHLAB_ASSIGN(const auto bytes, objects.get(line(seq).object));
    const auto statement = read_statement(bytes, fmt::format("the statement of line {}", seq));
    if (!statement) return why = statement.error().message, documents;
    const auto file = ledger / "policy" / fmt::format("{}.json", *statement->version);
    const auto text = read_file(file, largest_document, Links::refuse);
    if (!text) return why = text.error().message, documents;
    if (sha256(*text) != statement->subjects.front().sha256)
      return why = fmt::format("'{}' is not the document that line {} put in force", file.string(), seq), documents;
    auto policy = parse_policy(*text, file.string());
    if (!policy) return why = policy.error().message, documents;
    documents.push_back({std::move(*policy), seq});
  }
  return documents;
}

const PromotionStory* Proving::before(const PromotionStory& promotion) const {
  const PromotionStory* last = nullptr;
  for (const auto& story : chain.state.history.promotions()) {
    if (story.department == promotion.department && story.state == PromotionStory::State::done &&
        story.last_line < promotion.line)
      last = &story;
  }
  return last;
}

fs::path Proving::version_of(const std::string& department) const {
  return proof.of_bundle ? folder / "stage" / department : folder / department;
}

std::optional<EmergencyUse> emergency_of(const Statement& statement) {
  if (!statement.review_by) return std::nullopt;
  return EmergencyUse{statement.reason.value_or(""), statement.ticket.value_or(""), *statement.review_by};
}

}  // namespace patchlab::promotion

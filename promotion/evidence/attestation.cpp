// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/attestation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "promotion/chain/chain.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

Json digest_of(const std::string& sha256) { return {{"sha256", sha256}}; }

// RFC 3986, 2.3.
std::string uri_part(const std::string& text) {
  std::string part;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '.' || c == '_' || c == '~';
    part += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return part;
}

Json subjects(const PromotedSet& set) {
  Json all = Json::array(
      {{{"name", set.department + "/SHA256SUMS"}, {"digest", digest_of(set.promotion.subjects.front().sha256)}}});
  for (const auto& id : set.candidates) {
    const auto* candidate = reports::find_candidate(set.record, id);
    if (candidate == nullptr) continue;
    for (const auto& file : candidate->files)
      all.push_back(
          {{"name", fmt::format("{}/{}/{}", set.department, id, file.name)}, {"digest", digest_of(file.sha256)}});
  }
  return all;
}

Json statement_with(const PromotedSet& set, const char* type, Json predicate) {
  return {{"_type", "https://in-toto.io/Statement/v1"},
          {"subject", subjects(set)},
          {"predicateType", type},
          {"predicate", std::move(predicate)}};
}

Json descriptor(const std::string& name, const std::string& sha256) {
  return {{"name", name}, {"digest", digest_of(sha256)}};
}

TestResult result_of(const PromotedSet& set) {
  return test_result_of(set.record, set.department, set.candidates, set.waived);
}

// Those that the promotion rests on.
Result<std::set<std::string>> waived_by(const ObjectFolder& objects, const Statement& promotion) {
  std::set<std::string> waived;
  for (const auto& digest : promotion.decisions.value_or(std::vector<std::string>())) {
    PATCHLAB_ASSIGN(const auto bytes, objects.get(digest));
    PATCHLAB_ASSIGN(const auto decision, read_statement(bytes, "the decision " + digest));
    for (const auto& one : decision.waives.value_or(std::vector<Waived>()))
      waived.insert(one.machine + "/" + (one.check.empty() ? one.finding : one.check));
  }
  return waived;
}

}  // namespace

Result<PromotedSet> promoted_set(const std::filesystem::path& stage, const std::string& department) {
  PATCHLAB_ASSIGN(const auto proof, prove_stage(stage));
  const Chain chain(stage / chain_folder_name);
  PATCHLAB_ASSIGN(const auto state, chain.read());
  PATCHLAB_ASSIGN(const auto* found, promoted_department(proof, state, stage, department));
  const auto* story = state.history.last_done(department);
  PromotedSet set{.department = department, .promoted = story->statement, .when = state.lines[story->line - 1].time};
  PATCHLAB_ASSIGN(const auto bytes, chain.objects().get(story->statement));
  PATCHLAB_ASSIGN(set.promotion, read_statement(bytes, fmt::format("the statement of line {}", story->line)));
  PATCHLAB_ASSIGN(const auto record, chain.objects().get(*set.promotion.run));
  PATCHLAB_ASSIGN(const auto json, parse_json(record, "the record of the run", JsonTexts::any));
  PATCHLAB_ASSIGN(set.record, reports::run_record_from_json(json, "the record of the run"));
  set.candidates = found->candidates;
  PATCHLAB_ASSIGN(set.waived, waived_by(chain.objects(), set.promotion));
  return set;
}

Json test_result_statement(const PromotedSet& set) {
  const auto result = result_of(set);
  Json configuration = Json::array({descriptor("run.json", *set.promotion.run)});
  if (set.promotion.policy) configuration.push_back(descriptor("policy", *set.promotion.policy));
  return statement_with(set, test_result_predicate,
                        {{"result", to_string(result.word())},
                         {"configuration", std::move(configuration)},
                         {"passedTests", result.passed},
                         {"warnedTests", result.warned},
                         {"failedTests", result.failed},
                         {"patchlab_notTested", set.record.not_tested}});
}

Json summary_statement(const PromotedSet& set) {
  const bool passed = result_of(set).word() == TestWord::passed;
  Json inputs = Json::array({{{"uri", "urn:patchlab:promotion"}, {"digest", digest_of(set.promoted)}},
                             {{"uri", "urn:patchlab:run"}, {"digest", digest_of(*set.promotion.run)}}});
  for (const auto& decision : set.promotion.decisions.value_or(std::vector<std::string>()))
    inputs.push_back({{"uri", "urn:patchlab:decision"}, {"digest", digest_of(decision)}});
  Json predicate{{"verifier",
                  {{"id", "urn:patchlab:desk:" + uri_part(set.promotion.by)},
                   {"version", {{"patchlab", set.record.tool_version}}}}},
                 {"timeVerified", set.when},
                 {"resourceUri", "urn:patchlab:department:" + uri_part(set.department)},
                 {"inputAttestations", std::move(inputs)},
                 {"verificationResult", passed ? "PASSED" : "FAILED"},
                 {"verifiedLevels", Json::array({passed ? "PATCHLAB_TESTED_AND_PROMOTED" : "FAILED"})}};
  if (set.promotion.policy)
    predicate["policy"] = {{"uri", "urn:patchlab:policy:" + *set.promotion.policy},
                           {"digest", digest_of(*set.promotion.policy)}};
  return statement_with(set, summary_predicate, std::move(predicate));
}

}  // namespace patchlab::promotion

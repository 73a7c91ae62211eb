// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/repack/repack.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "patches/candidate/deb_facts.hpp"
#include "patches/repack/package_content.hpp"

namespace patchlab::patches {
namespace {

// Raised when the same recipe and base would give other bytes than before.
constexpr const char* packer_version = "patchlab/repack/v1";

Candidate candidate_of(const Recipe& recipe, CandidateFile file) {
  Candidate candidate = recipe.identity;
  candidate.files = {std::move(file)};
  candidate.digest = candidate_digest(candidate);
  return candidate;
}

// The remembered result, if its file is still in the store and intact.
std::optional<CandidateFile> remembered(const std::filesystem::path& note, const ContentStore& store) {
  const auto text = read_file(note, 4096);
  if (!text || !is_sha256(*text)) return std::nullopt;
  const auto path = store.verified_path(*text);
  if (!path) return std::nullopt;
  const auto deb = DebFacts(store).inspect(*path);
  if (!deb) return std::nullopt;
  return candidate_file(*deb);
}

Result<CandidateFile> build(const Recipe& recipe, const CandidateFile& base, const ContentStore& store) {
  PATCHLAB_ASSIGN(const auto path, store.verified_path(base.sha256));
  PATCHLAB_ASSIGN(auto content, read_package(path));
  PATCHLAB_ASSIGN(content, apply_recipe(std::move(content), recipe));
  PATCHLAB_ASSIGN(const auto bytes, write_package(content));
  PATCHLAB_ASSIGN(const auto stored, store.add_bytes(bytes, recipe.identity.id));
  PATCHLAB_ASSIGN(const auto deb, DebFacts(store).inspect(store.path_of(stored.sha256)));
  return candidate_file(deb);
}

}  // namespace

Result<Candidate> build_candidate(const Recipe& recipe, const CandidateFile& base, const ContentStore& store,
                                  const std::filesystem::path& cache) {
  DigestBuilder key;
  key.add(packer_version).add(recipe.digest).add(base.sha256);
  const auto note = cache / key.finish();
  if (auto file = remembered(note, store)) return candidate_of(recipe, std::move(*file));
  PATCHLAB_ASSIGN(auto file,
                  build(recipe, base, store).while_doing(fmt::format("building candidate '{}'", recipe.identity.id)));
  PATCHLAB_TRY(create_folders(cache));
  PATCHLAB_TRY(write_file_atomically(note, file.sha256));
  return candidate_of(recipe, std::move(file));
}

}  // namespace patchlab::patches

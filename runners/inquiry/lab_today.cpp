// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/inquiry/lab_today.hpp"

#include <array>
#include <map>
#include <memory>

#include "lab/core/files.hpp"
#include "lab/image/versions.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/store/content_store.hpp"
#include "runners/host/remote_host.hpp"

namespace patchlab::runners {
namespace {

using promotion::FileSource;
using promotion::Seen;

// Two recipes in different folders may have one name. A recipe that cannot be read is of another user, or gone: then
// every image of the name may be the one.
Result<lab::image::GoldenImage> image_now(const std::string& department, const reports::MachineRecord& machine,
                                          const std::filesystem::path& cache) {
  const bool by_recipe = !machine.golden_recipe.empty() && lab::image::own_digest(machine.golden_recipe);
  PATCHLAB_ASSIGN(const auto built, by_recipe ? lab::image::newest_of(cache, machine.golden_recipe)
                                              : lab::image::newest(cache, machine.golden));
  return lab::image::image_for(cache, built, department, machine.name);
}

// Older records do not say where their golden machine is: what is not in the cache may as well be a domain.
std::optional<Seen> look_at_image(const std::string& department, const reports::MachineRecord& machine, Look look,
                                  const std::filesystem::path& lab_cache) {
  const auto image = image_now(department, machine, lab_cache.empty() ? cache_folder() : lab_cache);
  if (!image && machine.golden_at.empty()) return std::nullopt;
  if (!image) {
    return Seen{{},
                image.error().message +
                    (lab_cache.empty() ? "; when another user runs the lab, its cache is named with --lab-cache" : "")};
  }
  if (look == Look::at_contents) {
    if (const auto intact = lab::image::verify(*image); !intact) return Seen{{}, intact.error().message};
  }
  return Seen{image->contents, {}};
}

std::optional<Seen> look_at_domain(const reports::MachineRecord& machine, Look look) {
  if (look == Look::at_names) return std::nullopt;
  const auto host = host::host_of_libvirt(machine.golden_at, host_processes());
  if (!host) return Seen{{}, host.error().message};
  const auto digest = (*host)->digest_of(machine.golden);
  return digest ? Seen{*digest, {}} : Seen{{}, digest.error().message};
}

std::optional<Seen> look_at_golden(const std::string& department, const reports::MachineRecord& machine, Look look,
                                   const std::filesystem::path& lab_cache) {
  const bool is_image = machine.golden_at.empty() || machine.golden_at == "image";
  return is_image ? look_at_image(department, machine, look, lab_cache) : look_at_domain(machine, look);
}

std::optional<Seen> look_at_candidate(const reports::CandidateRecord& candidate, const patches::ContentStore& store) {
  if (candidate.source.empty()) return std::nullopt;
  const auto now = patches::load_candidate(candidate.source, store);
  return now ? Seen{now->digest, {}} : Seen{{}, now.error().message};
}

FileSource files_of(const patches::ContentStore& store) {
  return [store](const std::string& sha256) { return store.verified_path(sha256); };
}

}  // namespace

promotion::LabToday lab_today(Look look, const std::filesystem::path& lab_cache) {
  // Departments share their golden machines; each is read once.
  using Key = std::array<std::string, 4>;
  const auto known = std::make_shared<std::map<Key, std::optional<Seen>>>();
  const auto store = patches::default_store();
  return {.golden =
              [known, look, lab_cache](const std::string& department, const reports::MachineRecord& machine) {
                // Machines have versions of their own, if any.
                const auto cache = lab_cache.empty() ? cache_folder() : lab_cache;
                const auto versions = lab::image::read_versions(cache, department, machine.name);
                const auto own = versions && versions->versions.empty() ? "" : department + "/" + machine.name;
                const auto [entry, is_new] =
                    known->try_emplace({machine.golden_at, machine.golden, machine.golden_recipe, own});
                if (is_new) entry->second = look_at_golden(department, machine, look, lab_cache);
                return entry->second;
              },
          .candidate = [store, look](const reports::CandidateRecord& candidate) -> std::optional<Seen> {
            if (look == Look::at_names) return std::nullopt;
            return look_at_candidate(candidate, store);
          },
          .file = files_of(store)};
}

promotion::LabToday lab_after_the_run() {
  return {.golden =
              [](const std::string& /*department*/, const reports::MachineRecord& machine) {
                return machine.golden_digest_after.empty() ? Seen{{}, "nobody could look after the run"}
                                                           : Seen{machine.golden_digest_after, {}};
              },
          .candidate =
              [](const reports::CandidateRecord& candidate) {
                return Seen{candidate.digest, {}};
              },
          .file = files_of(patches::default_store())};
}

}  // namespace patchlab::runners

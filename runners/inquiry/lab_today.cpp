// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/inquiry/lab_today.hpp"

#include <map>
#include <memory>

#include "lab/core/files.hpp"
#include "lab/image/golden_image.hpp"
#include "patches/store/content_store.hpp"

namespace patchlab::runners {
namespace {

using promotion::Seen;

// An image that is not in the cache may as well be a domain: older records do not say.
std::optional<Seen> look_at_image(const std::string& name, Look look) {
  const auto image = lab::image::newest(cache_folder(), name);
  if (!image) return std::nullopt;
  if (look == Look::at_contents) {
    if (const auto intact = lab::image::verify(*image); !intact) return Seen{{}, intact.error().message};
  }
  return Seen{image->digest, {}};
}

}  // namespace

promotion::LabToday lab_today(Look look) {
  // Departments share their images; each is read once.
  const auto known = std::make_shared<std::map<std::string, std::optional<Seen>>>();
  const auto golden = [known, look](const reports::MachineRecord& machine) {
    const auto [entry, is_new] = known->try_emplace(machine.golden);
    if (is_new) entry->second = look_at_image(machine.golden, look);
    return entry->second;
  };
  const auto file = [store = patches::default_store()](const std::string& sha256) {
    return store.verified_path(sha256);
  };
  const auto candidate = [](const reports::CandidateRecord&) { return std::optional<Seen>(); };
  return {.golden = golden, .candidate = candidate, .file = file};
}

}  // namespace patchlab::runners

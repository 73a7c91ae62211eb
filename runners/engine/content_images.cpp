// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/content_images.hpp"

#include <algorithm>

#include "lab/content/publish.hpp"

namespace patchlab::runners {

Result<cell::ContentQuestion> start_from_content(
    const host::ImageContent& content,
    const std::function<const lab::image::GoldenImage&(const std::string& machine)>& image_of,
    const std::filesystem::path& cache, const std::stop_token& stop, cell::CellJob& job) {
  cell::ContentQuestion question{content.source, content.images, {}};
  for (auto& machine : job.machines) {
    const auto& image = image_of(machine.plan.name);
    PATCHLAB_ASSIGN(const auto digest, lab::content::index_digest(image, cache, stop));
    const auto folder = content.images / digest;
    machine.golden_disk = folder / image.disk.filename();
    machine.kernel = folder / image.kernel.filename();
    machine.initrd = folder / image.initrd.filename();
    if (std::ranges::find(question.digests, digest) == question.digests.end()) question.digests.push_back(digest);
  }
  return question;
}

}  // namespace patchlab::runners

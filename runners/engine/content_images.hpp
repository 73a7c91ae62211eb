// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>

#include "lab/image/golden_image.hpp"
#include "runners/cell/place.hpp"
#include "runners/cell/protocol.hpp"
#include "runners/host/executor.hpp"

namespace patchlab::runners {

// Lets the machines of a cell start from copies of their images on whatever node it gets, and says what the cell has to
// bring there first. Reads images that it has not read before; `image_of` is asked by the name of each machine.
[[nodiscard]] Result<cell::ContentQuestion> start_from_content(
    const host::ImageContent& content,
    const std::function<const lab::image::GoldenImage&(const std::string& machine)>& image_of,
    const std::filesystem::path& cache, const std::stop_token& stop, cell::CellJob& job);

}  // namespace patchlab::runners

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/content/source.hpp"

// Of open_source, for URLs.
namespace patchlab::lab::content {

[[nodiscard]] bool is_url(const std::string& from);
[[nodiscard]] std::string wrong_with_url(const std::string& url);
[[nodiscard]] std::unique_ptr<Source> curl_source(const SourceName& name, std::stop_token stop);

}  // namespace patchlab::lab::content

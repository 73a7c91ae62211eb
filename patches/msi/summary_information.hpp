// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab::patches {

// Property numbers of the summary information stream. What Windows Installer puts into them differs between packages
// and patches.
enum class SummaryProperty : std::uint32_t {
  title = 2,
  subject = 3,
  author = 4,
  keywords = 5,
  comments = 6,
  template_ = 7,
  revision = 9,
  application = 18
};

using SummaryInformation = std::map<std::uint32_t, std::string>;  // its texts; numbers and times are left out

// The stream "\5SummaryInformation": a property set ([MS-OLEPS]) with one section.
[[nodiscard]] Result<SummaryInformation> parse_summary_information(std::string_view bytes, const std::string& name);
[[nodiscard]] std::string summary_text(const SummaryInformation& summary, SummaryProperty wanted);

}  // namespace patchlab::patches

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

// Names that become folders, arguments and lines of a report. One rule for each, asked by every reader: of scenarios,
// candidates, recipes, records, manifests.
namespace patchlab {

// Letters, digits and . + - _ ~, beginning with a letter or digit, at most 120 characters; and not the name of a file
// that lies beside the candidates' folders in a stage.
[[nodiscard]] bool is_candidate_id(std::string_view text);
inline constexpr const char* candidate_id_rule =
    "letters, digits and . + - _ ~, beginning with a letter or digit, at most 120 characters, and neither "
    "'manifest.json' "
    "nor 'SHA256SUMS'";

// Of scenarios, departments, machines, checks: a-z, 0-9 and '-', beginning with a letter, at most 31 characters.
[[nodiscard]] bool is_scenario_name(std::string_view text);
inline constexpr const char* scenario_name_rule =
    "must start with a letter and hold only a-z, 0-9 and '-', 31 characters at most";

// Of whoever does or decides something: a principal of ssh-keygen's allowed_signers that is no pattern. Lower case,
// since two spellings of one name would be two people.
[[nodiscard]] bool is_principal(std::string_view text);
inline constexpr const char* principal_rule =
    "a-z, 0-9 and . _ + - with at most one '@', beginning and ending with a letter or digit, at most 120 characters";

}  // namespace patchlab

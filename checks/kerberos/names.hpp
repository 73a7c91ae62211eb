// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace patchlab::checks::kerberos {

// Rules for texts of a scenario (TextRule). All of them go into a configuration file of a Kerberos library: nothing
// that means something there.
[[nodiscard]] std::string why_no_realm(const std::string& name);
[[nodiscard]] std::string why_no_enctype(const std::string& name);
[[nodiscard]] std::string why_no_host(const std::string& name);
// Of the realm itself, always.
[[nodiscard]] std::string why_no_principal(const std::string& name);

}  // namespace patchlab::checks::kerberos

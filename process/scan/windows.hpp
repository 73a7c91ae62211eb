// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/scan/scan.hpp"

// What there is for a Windows machine, from Microsoft's catalogue and advisories: functions over values. The rules of
// the catalogue by which Windows decides whether an update applies are not evaluated. That one is missing is said where
// the advisories name it as a fix of the very product, or the machine's version is older than the fixed one; what
// nobody decides is unknown, and never not applicable.
namespace patchlab::process {

// A Windows by the first three numbers of its version.
struct WindowsProduct {
  const char* release;  // "10.0.17763"
  const char* name;     // as advisories call it: "Windows Server 2019"
  const char* guid;     // as the catalogue does
};
[[nodiscard]] const std::vector<WindowsProduct>& windows_products();
// Of "10.0.17763.5329"; null: none that is known.
[[nodiscard]] const WindowsProduct* windows_product_of(const std::string& version);

// The products of these machines, for FeedsWanted.
[[nodiscard]] std::map<std::string, std::string> windows_products_of(const std::vector<ScannedMachine>& machines);

// Decides what the machine's offers mean for it, which are the scenario's candidates, and adds what the feeds name
// beside them. Of a machine that is no Windows, or of which nothing is known, nothing changes. What could not be told
// of the feeds themselves is added to `not_known`, each once.
void offer_windows_updates(ScannedMachine& machine, const Feeds& feeds, std::vector<NotKnown>& not_known);

}  // namespace patchlab::process

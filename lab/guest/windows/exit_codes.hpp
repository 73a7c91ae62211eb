// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lab/guest/adapter.hpp"

namespace patchlab::lab::guest::windows {

// Who ends with the code. `setup` is any .exe; `any` in the table means that the code says the same for all.
enum class Installer { any, wusa, dism, msiexec, setup };
[[nodiscard]] const char* to_string(Installer installer);
// By the ending of the file's name, whatever its case: .msu, .cab, .msi and .msp, .exe. Nothing for any other.
[[nodiscard]] std::optional<Installer> installer_for(std::string_view file_name);

struct ExitCode {
  std::uint32_t code = 0;
  Installer installer = Installer::any;
  InstallEnd end = InstallEnd::failed;
  const char* name = "";     // as in winerror.h, wuerror.h or cbsapi.h; empty when it has none
  const char* meaning = "";  // for people
};

// Every code the laboratory knows, sorted by code, and by installer within one. The only place.
[[nodiscard]] std::span<const ExitCode> exit_codes();

// What an ending means. The installer's own row comes before the one for all; 0x8007xxxx stands for the Win32 code xxxx
// where it has no row itself. An unknown code is `failed`, never anything better. `code` of the answer is the one
// given.
[[nodiscard]] ExitCode meaning_of(std::uint32_t code, Installer installer);

// "3010 (ERROR_SUCCESS_REBOOT_REQUIRED: installed, a restart is needed)"; from 0x80000000 on in hexadecimal.
[[nodiscard]] std::string described(const ExitCode& code);
// As in logs and on Microsoft's pages: decimal for Win32 codes, 0x80240017 for HRESULTs.
[[nodiscard]] std::string code_text(std::uint32_t code);

// The table as Markdown, for docs/windows.md.
[[nodiscard]] std::string exit_codes_markdown();

}  // namespace patchlab::lab::guest::windows

// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/exit_codes.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/core/text.hpp"

namespace patchlab::lab::guest::windows {
namespace {

using End = InstallEnd;
using By = Installer;

// Codes below 0x80000000 are Win32 error codes or success HRESULTs, the rest HRESULTs (MS-ERREF) and NTSTATUS values.
// Codes that say only something about the machine or the laboratory (space, rights, a disabled service) are
// `lab_trouble`: no patch is to blame.
constexpr ExitCode code_table[] = {
    {0, By::any, End::installed, "ERROR_SUCCESS", "done"},
    {1, By::wusa, End::lab_trouble, "S_FALSE", "already installed or not applicable, it does not say which"},
    {5, By::any, End::lab_trouble, "ERROR_ACCESS_DENIED", "access denied: not elevated, a network logon, or a scanner"},
    {11, By::dism, End::lab_trouble, "ERROR_BAD_FORMAT", "a 32-bit dism on 64-bit Windows: the agent is a 32-bit one"},
    {13, By::any, End::failed, "ERROR_INVALID_DATA", "the package holds invalid data, or what it builds on is missing"},
    {32, By::any, End::retry, "ERROR_SHARING_VIOLATION", "a file is in use"},
    {87, By::dism, End::lab_trouble, "ERROR_INVALID_PARAMETER", "this dism does not know an option"},
    {112, By::any, End::lab_trouble, "ERROR_DISK_FULL", "the system disk is full"},
    {552, By::dism, End::not_applicable, "", "not for this system (the dism of newer kernels)"},
    {740, By::any, End::lab_trouble, "ERROR_ELEVATION_REQUIRED", "not elevated"},
    {1058, By::any, End::lab_trouble, "ERROR_SERVICE_DISABLED", "a service it needs is disabled (wusa: wuauserv)"},
    {1168, By::any, End::failed, "ERROR_NOT_FOUND", "element not found: package or component store are damaged"},
    {1460, By::any, End::retry, "ERROR_TIMEOUT", "it gave up waiting"},
    {1601, By::any, End::retry, "ERROR_INSTALL_SERVICE_FAILURE", "the Windows Installer service does not answer"},
    {1602, By::any, End::failed, "ERROR_INSTALL_USEREXIT", "cancelled"},
    {1603, By::any, End::failed, "ERROR_INSTALL_FAILURE", "fatal error; the log has 'Return value 3'"},
    {1605, By::any, End::not_applicable, "ERROR_UNKNOWN_PRODUCT", "the product is not installed"},
    {1612, By::any, End::failed, "ERROR_INSTALL_SOURCE_ABSENT", "the product's installation source is missing"},
    {1618, By::any, End::retry, "ERROR_INSTALL_ALREADY_RUNNING", "another installation is running"},
    {1619, By::any, End::failed, "ERROR_INSTALL_PACKAGE_OPEN_FAILED", "the package cannot be opened"},
    {1620, By::any, End::failed, "ERROR_INSTALL_PACKAGE_INVALID", "this is no Windows Installer package"},
    {1622, By::msiexec, End::lab_trouble, "ERROR_INSTALL_LOG_FAILURE", "its log cannot be written: still in use?"},
    {1625, By::any, End::lab_trouble, "ERROR_INSTALL_PACKAGE_REJECTED", "forbidden by policy"},
    {1633, By::any, End::not_entitled, "ERROR_INSTALL_PLATFORM_UNSUPPORTED",
     "this machine has no right to the update (Extended Security Updates)"},
    {1633, By::msiexec, End::not_applicable, "ERROR_INSTALL_PLATFORM_UNSUPPORTED",
     "for another processor architecture"},
    {1635, By::any, End::failed, "ERROR_PATCH_PACKAGE_OPEN_FAILED", "the patch cannot be opened"},
    {1636, By::any, End::failed, "ERROR_PATCH_PACKAGE_INVALID", "this is no Windows Installer patch"},
    {1638, By::any, End::not_applicable, "ERROR_PRODUCT_VERSION", "another version of the product is installed"},
    {1639, By::any, End::lab_trouble, "ERROR_INVALID_COMMAND_LINE", "wrong command line"},
    {1641, By::any, End::reboot_started, "ERROR_SUCCESS_REBOOT_INITIATED",
     "installed, and it restarts the machine itself"},
    {1642, By::any, End::not_applicable, "ERROR_PATCH_TARGET_NOT_FOUND", "what the patch is for is not installed"},
    {1643, By::any, End::lab_trouble, "ERROR_PATCH_PACKAGE_REJECTED", "forbidden by policy"},
    {1646, By::msiexec, End::failed, "ERROR_PATCH_REMOVAL_UNSUPPORTED", "the patch cannot be removed"},
    {1647, By::msiexec, End::already_installed, "ERROR_UNKNOWN_PATCH",
     "the patch is not applied, so there is nothing to remove"},
    {1648, By::any, End::needs_other, "ERROR_PATCH_NO_SEQUENCE", "no valid sequence: another patch must come first"},
    {3010, By::any, End::reboot_needed, "ERROR_SUCCESS_REBOOT_REQUIRED", "installed, a restart is needed"},
    {3017, By::any, End::restart_first, "ERROR_FAIL_REBOOT_REQUIRED", "not installed: a restart must come first"},
    {5100, By::setup, End::not_applicable, "", ".NET and Office: the system is not one that it is for"},
    {17022, By::setup, End::reboot_needed, "", "Office: installed, a restart is needed"},
    {17025, By::setup, End::already_installed, "", "Office: the patch is installed already"},
    {17028, By::setup, End::not_applicable, "", "Office: what the patch is for is not installed"},
    {0x00240005, By::any, End::reboot_needed, "WU_S_REBOOT_REQUIRED", "installed, a restart is needed"},
    {0x00240006, By::any, End::already_installed, "WU_S_ALREADY_INSTALLED", "it was installed before"},
    {0x00240007, By::any, End::already_installed, "WU_S_ALREADY_UNINSTALLED", "it was removed before"},
    {0x80070002, By::any, End::failed, "ERROR_FILE_NOT_FOUND",
     "a file is missing: the package, or what it builds on, is damaged"},
    {0x80070003, By::any, End::failed, "ERROR_PATH_NOT_FOUND",
     "a folder is missing: the package, or what it builds on, is damaged"},
    {0x80070641, By::any, End::retry, "ERROR_INSTALL_SERVICE_FAILURE", "the Windows Installer service does not answer"},
    {0x80070666, By::setup, End::already_installed, "ERROR_PRODUCT_VERSION", "this or a newer version is installed"},
    {0x80073712, By::any, End::failed, "ERROR_SXS_COMPONENT_STORE_CORRUPT", "the component store is damaged"},
    {0x80092004, By::any, End::not_applicable, "CRYPT_E_NOT_FOUND",
     "signed by a method that this Windows does not know yet"},
    {0x80096010, By::any, End::failed, "TRUST_E_BAD_DIGEST", "its content is not what was signed"},
    {0x800B0101, By::any, End::lab_trouble, "CERT_E_EXPIRED", "a certificate has expired: the clock may be wrong"},
    {0x800B0109, By::any, End::failed, "CERT_E_UNTRUSTEDROOT", "signed by nobody the machine trusts"},
    {0x800F080C, By::any, End::lab_trouble, "CBS_E_UNKNOWN_UPDATE", "the command names a package that is not there"},
    {0x800F081E, By::any, End::not_applicable, "CBS_E_NOT_APPLICABLE", "not for this system"},
    {0x800F081F, By::any, End::lab_trouble, "CBS_E_SOURCE_MISSING",
     "the machine's component store is damaged, or lacks the files of an optional feature"},
    {0x800F0823, By::any, End::needs_other, "CBS_E_NEW_SERVICING_STACK_REQUIRED",
     "a newer servicing stack must come first"},
    {0x800F0825, By::any, End::failed, "CBS_E_CANNOT_UNINSTALL", "the package is permanent"},
    {0x800F0831, By::any, End::failed, "CBS_E_STORE_CORRUPTION",
     "the component store is damaged, or an earlier update is missing"},
    {0x800F0900, By::any, End::failed, "CBS_E_XML_PARSER_FAILURE", "a document inside the package is damaged"},
    {0x800F0922, By::any, End::failed, "CBS_E_INSTALLERS_FAILED", "an installer inside the package failed"},
    {0x800F0982, By::any, End::failed, "PSFX_E_MATCHING_COMPONENT_NOT_FOUND", "a delta has no base"},
    {0x800F0986, By::any, End::failed, "PSFX_E_APPLY_FORWARD_DELTA_FAILED", "a delta could not be applied"},
    {0x800F0988, By::any, End::failed, "PSFX_E_INVALID_DELTA_COMBINATION", "deltas do not fit together"},
    {0x80240016, By::any, End::retry, "WU_E_INSTALL_NOT_ALLOWED",
     "another installation is running, or a restart must come first"},
    {0x80240017, By::any, End::not_applicable, "WU_E_NOT_APPLICABLE",
     "not for this system, superseded, or something must come first"},
    {0x8024200B, By::any, End::failed, "WU_E_UH_INSTALLERFAILURE", "the installer failed; CBS.log says why"},
    {0x84BE0BC2, By::setup, End::reboot_needed, "", "SQL Server: installed, a restart is needed"},
    {0x84C40013, By::setup, End::failed, "", "SQL Server: set-up refused its input"},
    {0x851A001A, By::setup, End::failed, "", "SQL Server: the engine did not start"},
    {0xC0000005, By::any, End::lab_trouble, "STATUS_ACCESS_VIOLATION", "the installer crashed"},
    {0xC000013A, By::any, End::lab_trouble, "STATUS_CONTROL_C_EXIT", "the installer was interrupted"},
    {0xC0000142, By::any, End::lab_trouble, "STATUS_DLL_INIT_FAILED", "the installer could not start"},
};

const ExitCode* row_for(std::uint32_t code, Installer installer) {
  const ExitCode* general = nullptr;
  for (const auto& row : code_table) {
    if (row.code != code) continue;
    if (row.installer == installer) return &row;
    if (row.installer == Installer::any) general = &row;
  }
  return general;
}

constexpr std::uint32_t win32_facility = 0x80070000U;  // HRESULT_FROM_WIN32
}  // namespace

const char* to_string(Installer installer) {
  switch (installer) {
    case Installer::any: return "any";
    case Installer::wusa: return "wusa";
    case Installer::dism: return "dism";
    case Installer::msiexec: return "msiexec";
    case Installer::setup: return "setup";
  }
  return "?";
}

std::optional<Installer> installer_for(std::string_view file_name) {
  const auto name = lower_case(file_name);
  if (name.ends_with(".msu")) return Installer::wusa;
  if (name.ends_with(".cab")) return Installer::dism;
  if (name.ends_with(".msi") || name.ends_with(".msp")) return Installer::msiexec;
  if (name.ends_with(".exe")) return Installer::setup;
  return std::nullopt;
}

std::span<const ExitCode> exit_codes() { return code_table; }

ExitCode meaning_of(std::uint32_t code, Installer installer) {
  const auto* row = row_for(code, installer);
  if (row == nullptr && (code & 0xFFFF0000U) == win32_facility) row = row_for(code & 0xFFFFU, installer);
  if (row == nullptr) return {code, installer, InstallEnd::failed, "", "unknown code"};
  auto found = *row;
  found.code = code;
  return found;
}

std::string code_text(std::uint32_t code) {
  return code < 0x10000U ? fmt::format("{}", code) : fmt::format("0x{:08X}", code);
}

std::string described(const ExitCode& code) {
  const bool has_name = *code.name != '\0';
  return fmt::format("{} ({}{}{})", code_text(code.code), code.name, has_name ? ": " : "", code.meaning);
}

std::string exit_codes_markdown() {
  std::string text = "| Code | Of | Name | Class | Meaning |\n|---|---|---|---|---|\n";
  for (const auto& row : code_table) {
    const bool has_name = *row.name != '\0';
    text += fmt::format("| {} | {} | {} | {} | {} |\n", code_text(row.code), to_string(row.installer),
                        has_name ? fmt::format("`{}`", row.name) : "", to_string(row.end), row.meaning);
  }
  return text;
}

}  // namespace patchlab::lab::guest::windows
